"""The second opinion on segments can be wrong too: tests/oracle/segments.py on facts that
can be checked by hand against docs/SEGMENTS.md."""

import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
import segment_text  # noqa: E402
import segments  # noqa: E402
from segment_moments import NEVER, complete_until, flips, moments, parts, valid_until  # noqa: E402
from segment_random import Expressions, History  # noqa: E402
from segment_text import DAY, FIELDS, FUNCTIONS, Money, SegmentError, Shop, Time, iso_time, local, parse  # noqa: E402
from segments import Event, Profile, Trait  # noqa: E402

NOW = "2025-07-01T12:00"
BERLIN = Shop("Europe/Berlin")
UTC = Shop("UTC")


def at(text, shop=UTC):
    return iso_time(text, shop.zone)


def events(lines, shop=UTC):
    """A line each: time, name, field=value..., properties as JSON at the end."""
    found = []
    for line in lines.strip().splitlines():
        line, brace, properties = line.strip().partition("{")
        time, name, *fields = line.split()
        known = dict(field.split("=") for field in fields)
        for number in ("value", "quantity"):
            if number in known:
                known[number] = int(known[number])
        if "value" in known:
            known["currency"] = shop.currency
        found.append(Event(at(time, shop), name, **known, properties=brace + properties or None))
    return sorted(found, key=lambda event: event.time)


def traits(lines, shop=UTC):
    """A line each: time, name, JSON, and after a # the source."""
    found = []
    for line in lines.strip().splitlines():
        line, _, source = line.partition("#")
        time, name, value = line.strip().split(" ", 2)
        found.append(Trait(at(time, shop), name, value.strip(), source.strip() or "host"))
    return sorted(found, key=lambda trait: trait.time)


def value_of(expression, profile, now=NOW, shop=UTC):
    """What the left side of a relation is."""
    tree = parse(expression + " is known", shop)
    assert tree[:2] == ("is", "known")
    return segments.worth(tree[2], profile, shop, at(now, shop))


def truth_of(segment, profile, now=NOW, shop=UTC):
    return segments.truth(parse(segment, shop), profile, shop, at(now, shop))


def until(segment, profile, now=NOW, shop=UTC):
    now = at(now, shop)
    return valid_until(flips(parse(segment, shop), profile, shop, now), now)


def check_values(profile, cases, shop=UTC):
    wrong = []
    for line in cases.strip().splitlines():
        expression, _, wanted = (part.strip() for part in line.rpartition("=>"))
        found = value_of(expression, profile, shop=shop)
        if isinstance(found, Money):
            shown = f"{found.minor} cents"
        elif isinstance(found, Time):
            shown = local(found.ms, shop.zone).strftime("%Y-%m-%dT%H:%M")
        elif isinstance(found, float):
            shown = f"{float(found):g}"
        else:
            shown = "missing" if found is None else str(found)
        if shown != wanted:
            wrong.append(f"{expression} is {shown}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def check_truths(profile, cases, now=NOW, shop=UTC):
    wrong = []
    for line in cases.strip().splitlines():
        segment, _, wanted = (part.strip() for part in line.rpartition("=>"))
        found = {True: "true", False: "false", None: "unknown"}[truth_of(segment, profile, now, shop)]
        if found != wanted:
            wrong.append(f"{segment} is {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


# ---- the grammar -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 1 or b = 2 and c = 3", "a = 1 or (b = 2 and c = 3)"),
        ("not a = 1 and b = 2", "(not (a = 1)) and (b = 2)"),
        ("a + 2 * 3 - 1 > 4", "((a + (2 * 3)) - 1) > 4"),
        ("a - b - c = 0", "(a - b) - c = 0"),
        ("a not in (1, 2)", "not (a in (1, 2))"),
        ("a not between 1 and 2 or b", "(not a between 1 and 2) or b"),
        ("a is not missing", "not (a is missing)"),
        ("NOT a AND b", "not a and b"),
        ("a = 5 AND b = 6", "a = 5 and b = 6"),
        ("orders(last 90 days) = 0 -- none\n and b", "ORDERS(last 90 days)=0 and b"),
        ("last order before 2025-01-01", "last(order) before 2025-01-01"),
        ("birthday in next 14 days", "birthday anniversary in next 2 weeks"),
        ("orders(between 90 and 30 days ago) = 1", "orders(between 90 days and 30 days ago) = 1"),
        ("a = 0.5", "a = 50 %"),
        ("-a < -1", "(-a) < (-1)"),
        ("birthday anniversary in today", "birthday anniversary in next 0 days"),
        ("bought(\"A\")", "bought(where product = \"A\")"),
        ("bought((\"A\", \"B\"))", "bought(where product in (\"A\", \"B\"))"),
    ],
)
def test_two_ways_to_write_one_thing(one, other):
    assert parse(one, UTC) == parse(other, UTC)


def test_literals():
    def literal(text, shop=UTC):
        return parse(f"x = {text}", shop)[3][1]

    assert literal("19.99 EUR") == Money(1999)
    assert literal("-3 EUR") == Money(-300)
    assert literal("7 JPY", Shop(currency="JPY", exponent=0)) == Money(7)
    assert literal("0.1 %") == 0.001
    assert literal("2025-07-01", BERLIN) == Time(at("2025-06-30T22:00"))
    assert literal("2025-07-01T10:30:15", BERLIN) == Time(at("2025-07-01T08:30:15"))
    assert literal("2025-07-01T10:30+05:00", BERLIN) == Time(at("2025-07-01T05:30"))
    assert literal("2025-10-26T02:30", BERLIN) == Time(at("2025-10-26T00:30"))  # twice: the earlier
    assert literal("2025-03-30T02:30", BERLIN) == Time(at("2025-03-30T01:30"))  # never: an hour on
    assert literal(r'"a\"b\\\n\u00e9"') == 'a"b\\\né'
    assert isinstance(literal('i"A"'), segment_text.AnyCase)


@pytest.mark.parametrize("text", [
    "", "a = ", "a = 1 b", "count()", "count(view) > 20 GBP", "x = 1.234 EUR", "and", "(a", "a = 2025-13-01", "a ! b",
    "count(last) = 1", "sum(view) = 1", "in (1)", "revenue(last 3 days, today) > 1 EUR", "count(view where size = 1) > 0",
])  # fmt: skip
def test_what_is_not_the_language(text):
    with pytest.raises(SegmentError):
        parse(text, UTC)


# ---- logic -------------------------------------------------------------------------------------


def test_three_values():
    profile = Profile(1, traits=traits("2025-01-01 yes true\n2025-01-01 no false\n2025-01-01 word \"w\""))
    check_truths(profile, """
        yes                    => true
        no                     => false
        gone                   => unknown
        word                   => unknown
        not gone               => unknown
        gone and no            => false
        gone and yes           => unknown
        gone or yes            => true
        gone or no             => unknown
        not (gone and no)      => true
        gone = true            => unknown
        yes = true             => true
        gone is missing        => true
        yes is missing         => false
        not gone is known      => true
        gone is true           => unknown
        word is true           => unknown
        no is false            => true
        no is not false        => false
        gone in (1, 2)         => unknown
        word in (1, "w")       => true
        word in (1, "x")       => unknown
        word in ("x", "y")     => false
        word between 1 and 2   => unknown
        gone between 1 and 2   => unknown
        word = 1               => unknown
        word > 1 EUR           => unknown
        0 / 0 = 1              => unknown
        1 / 0 is missing       => true
    """)


def test_texts_and_lists():
    profile = Profile(1, traits=traits("""
        2025-01-01 name "Anna Berg"
        2025-01-01 city "Köln"
        2025-01-01 tags ["a", "b", 3, true, null]
        2025-01-01 age 40
        2025-01-01 address {"city": "Ulm", "geo": [48.4, 9.99]}
        2025-01-01 place [48.4, 9.99]
        2025-01-01 blank ""
        2025-01-01 none []
    """))
    check_truths(profile, """
        name = "Anna Berg"                             => true
        name = "anna berg"                             => false
        name = i"anna BERG"                            => true
        city = i"KÖLN"                                 => false
        city = i"köLN"                                 => true
        name < "Anna C"                                => true
        name contains "a B"                            => true
        name not contains "a b"                        => true
        name starts with i"aNN"                        => true
        name ends with "erg"                           => true
        name like "A*B??g"                             => true
        city like "K?ln"                               => true
        city like "K*n?"                               => false
        name like "anna*"                              => false
        name like i"anna*"                             => true
        age contains "4"                               => unknown
        tags contains "b"                              => true
        tags contains i"B"                             => true
        tags contains "z"                              => false
        tags has any of ("z", 3)                       => true
        tags has all of ("a", "b", true)               => true
        tags has all of ("a", "z")                     => false
        tags has none of ("3", "z")                    => true
        age has any of (40, 41)                        => true
        age has none of ("x")                          => true
        address has any of ("x")                       => unknown
        address.city = "Ulm"                           => true
        address.city.x is missing                      => true
        tags.a is missing                              => true
        address is known                               => true
        address = "x"                                  => unknown
        blank is empty                                 => true
        none is empty                                  => true
        tags is empty                                  => false
        age is empty                                   => false
        gone is empty                                  => unknown
        place within 1 km of (48.4, 10)                => true
        place within 0.5 km of (48.4, 10)              => false
        address.geo within 100 km of (48.1, 11.6)      => false
        tags within 100 km of (48.1, 11.6)             => unknown
        age / 3 > 13.3                                 => true
        age * 50 % = 20                                => true
        -age + 50 = 10                                 => true
        name + 1 is missing                            => true
    """)


def test_times():
    profile = Profile(1, traits=traits("""
        2025-01-01 signup "2025-03-30"
        2025-01-01 seen "2025-06-30T13:00+01:00"
        2025-01-01 born "1992-02-29"
        2025-01-01 digits "20250330"
        2025-01-01 soon "2025-07-04T12:00"
        2025-01-01 later "2025-07-09"
        2025-01-01 later "2025-07-10"
        2025-07-01T12:00 fresh 1
        2025-07-01T12:01 future 1
        2025-01-01 was 1
        2025-02-01 was null #crm
    """, BERLIN))
    check_truths(profile, """
        signup = 2025-03-30                            => true
        signup < 2025-03-31                            => true
        signup between 2025-03-30 and 2025-03-31       => true
        signup in (2025-03-29, 2025-03-30)             => true
        signup before 2025-03-30                       => false
        signup after 2025-03-29T23:59                  => true
        signup on 2025-03-30                           => true
        seen on 2025-06-30                             => true
        digits before 2026-01-01                       => unknown
        seen within last 22 hours                      => true
        seen within last 21 hours                      => false
        soon within last 21 days                       => false
        soon within next 3 days                        => true
        soon within next 2 days                        => false
        born anniversary in last 18 weeks              => true
        born anniversary in last 17 weeks              => false
        signup anniversary in next 271 days            => false
        signup anniversary in next 272 days            => true
        later in next 9 days                           => true
        later in next 8 days                           => false
        days_since(signup) = 93                        => true
        hours_since(seen) = 22                         => true
        days_since(soon) = -3                          => true
        days_since(digits) is missing                  => true
        fresh is known                                 => true
        future is known                                => false
        was is missing                                 => true
        source(was) = "crm"                            => true
        source(signup) = "host"                        => true
        source(gone) is missing                        => true
    """, shop=BERLIN)
    assert until("soon within next 2 days", profile, shop=BERLIN) == at("2025-07-02T12:00", BERLIN)
    assert until("soon within next 3 days", profile, shop=BERLIN) == at("2025-07-04T12:00", BERLIN) + 1
    assert until("seen within last 22 hours", profile, shop=BERLIN) == at(NOW, BERLIN) + 1
    assert until("future is known", profile, shop=BERLIN) == at("2025-07-01T12:01", BERLIN)
    assert until("born in next 7 days", profile, shop=BERLIN) == at("2026-02-21", BERLIN)
    assert until("signup is known", profile, shop=BERLIN) == NEVER


# ---- events --------------------------------------------------------------------------------------

SHOP_LINES = """
    2025-05-01 view product=A value=1000 quantity=1 session=1 {"score": 4.5, "name": "x"}
    2025-05-02 view channel=web quantity=2 session=1
    2025-06-10 view channel=web product=B value=255 {"score": 0.25}
    2025-06-20 view quantity=3 session=s
    2025-06-21 click channel=app {"tags": [1, 2], "items": [{"id": 7}, {"id": 8}], "score": 4.50}
    2025-06-23 click {"score": "high", "a": {"b": null, "c": true}}
    2025-08-01 view product=C value=9900 quantity=9
"""


def test_events_of_a_selector():
    check_values(Profile(1, events(SHOP_LINES)), """
        count(view)                                                   => 4
        count("view")                                                 => 4
        count(any)                                                    => 6
        count(view, last 21 days)                                     => 1
        count(view, last 504 hours)                                   => 1
        count(view, between 90 and 20 days ago)                       => 3
        count(view, since 2025-06-10)                                 => 2
        count(view, until 2025-06-10)                                 => 2
        count(view, from 2025-05-02 to 2025-06-20)                    => 2
        count(view, from 2025-06-20 to 2026-01-01)                    => 1
        count(any, since last view)                                   => 2
        count(any, since last nothing)                                => 6
        count(view, this year)                                        => 4
        count(any, previous month)                                    => 4
        count(any, this month)                                        => 0
        count(any, previous week)                                     => 1
        count(view where channel = "web")                             => 2
        count(view where not channel = "web")                         => 0
        count(view where channel is missing)                          => 2
        count(any where quantity >= 2 or product = "A")               => 3
        count(any where value > 5 EUR)                                => 1
        count(any where currency = "EUR" and value between 1 EUR and 3 EUR) => 1
        count(any where session in ("1", "2"))                        => 2
        count(any where weekend)                                      => 1
        count(any where weekday = 5)                                  => 2
        count(any where hour < 1)                                     => 6
        count(any where properties.score > 1)                         => 2
        count(any where properties.tags contains "2")                 => 0
        count(any where properties.tags[] = 2)                        => 1
        count(any where properties.items[].id = 8)                    => 1
        count(any where properties.items[].id != 8)                   => 1
        count(any where properties.items[].id is missing)             => 5
        count(any where properties.items.id is known)                 => 0
        count(any where properties.a.b is known)                      => 0
        count(any where properties.a.c)                               => 1
        sum(quantity, view)                                           => 6
        sum(value, view)                                              => 1255 cents
        sum(value, nothing)                                           => 0 cents
        sum(properties.score, any)                                    => 9.25
        avg(value, view)                                              => 628 cents
        avg(quantity, view)                                           => 2
        avg(value, nothing)                                           => missing
        min(value, view)                                              => 255 cents
        max(quantity, view)                                           => 3
        max(properties.name, view)                                    => missing
        distinct(product, view)                                       => 2
        distinct(session, any)                                        => 2
        distinct(properties.score, any)                               => 4
        distinct(properties.tags, any)                                => 0
        share(view of any)                                            => 0.666667
        share(view of nothing)                                        => missing
        first(view)                                                   => 2025-05-01T00:00
        last view                                                     => 2025-06-20T00:00
        first_value(product, view)                                    => A
        last_value(product, any)                                      => B
        last_value(properties.score, any)                             => high
        first_value(campaign, any)                                    => missing
        days_since(last(view))                                        => 11
        hours_since(first(view, last 30 days))                        => 516
        last(view) - first(view)                                      => 50
        median_days_between(view)                                     => 10
        median_days_between(any)                                      => 2
        median_days_between(click)                                    => 2
        median_days_between(nothing)                                  => missing
    """)


def test_orders_and_items():
    profile = Profile(1, events("""
        2025-05-01 order value=2000 order=1
        2025-05-01 order_item product=A quantity=1 order=1 value=1000
        2025-05-01 order_item product=B quantity=2 order=1 value=1000
        2025-05-10 order value=3000 order=2
        2025-05-10 order_item product=C quantity=3 order=2 value=3000
        2025-05-11 refund value=-1000 order=2
        2025-06-10 order value=0
        2025-06-20 order value=5001
        2025-06-21 order value=-500
        2025-06-22 cart_add product=D
    """))
    check_values(profile, """
        orders()                                                      => 3
        count(orders)                                                 => 3
        count("orders")                                               => 0
        count(refunds)                                                => 2
        count(order)                                                  => 5
        items()                                                       => 6
        revenue()                                                     => 8501 cents
        gross()                                                       => 10001 cents
        revenue(last 30 days)                                         => 4501 cents
        average_order()                                               => 3334 cents
        average_order(last 1 day)                                     => missing
        largest_order()                                               => 5001 cents
        refund_share()                                                => 0.149985
        refund_share(last 1 day)                                      => missing
        bought("A")                                                   => True
        bought("A", last 30 days)                                     => False
        bought("D")                                                   => False
        bought(("X", i"c"))                                           => True
        bought(where quantity >= 4)                                   => False
        bought_together("A", "B")                                     => True
        bought_together("A", "C")                                     => False
        stage(purchase)                                               => True
        stage(retention)                                              => True
        stage(awareness)                                              => False
        stage(consideration)                                          => True
        revenue() / orders()                                          => 2834 cents
        gross() * 0.5                                                 => 5000 cents
        gross() - revenue()                                           => 1500 cents
        gross() / 200 EUR                                             => 0.50005
        revenue() / 0                                                 => missing
    """)


def test_order_of_events():
    profile = Profile(1, events("""
        2025-06-01 view product=A session=1
        2025-06-03 view product=B session=2
        2025-06-04 cart product=A session=2
        2025-06-06 order value=500 product=A
        2025-06-07 tie campaign=c
        2025-06-07 tock
    """))
    check_values(profile, """
        sequence(view -> cart -> order)                               => True
        sequence(order -> view)                                       => False
        sequence(view -> order within 2 days)                         => False
        sequence(view -> order within 3 days)                         => True
        sequence(view -> cart within 1 day -> order within 1 day)     => False
        sequence(view -> view -> view)                                => False
        sequence(view -> cart, same product)                          => True
        sequence(view where product = "B" -> cart, same product)      => False
        sequence(view -> order, same session)                         => False
        sequence(view -> cart, same product, last 29 days)            => False
        sequence(view)                                                => True
        sequence(tie -> tock)                                         => True
        sequence(tock -> tie)                                         => False
        not_followed(cart by order within 2 days)                     => False
        not_followed(cart by order within 1 day)                      => True
        not_followed(order by view within 40 days)                    => False
        not_followed(tie by tock within 1 day)                        => False
        not_followed(view by cart within 1 hour, last 1 day)          => False
        without(view -> order, cart)                                  => False
        without(cart -> order, cart)                                  => True
        without(view -> cart, order)                                  => True
        responded("c", 1 day)                                         => False
        count(tock, since last tie)                                   => 1
        count(tie, since last tock)                                   => 0
    """)
    segment = "not_followed(cart by order within 2 days)"
    assert truth_of(segment, profile, "2025-06-05T23:59") is False
    profile = Profile(1, profile.events[:3])
    assert truth_of(segment, profile, "2025-06-06") is True
    assert until(segment, profile, "2025-06-05") == at("2025-06-06")


def test_sessions_and_channels():
    profile = Profile(1, events("""
        2025-06-01T10:00 page_view channel=web session=a
        2025-06-01T10:04 page_view channel=web session=a content=banner
        2025-06-01T10:10 click session=a
        2025-06-01T10:10 page_view session=b channel=mail
        2025-06-01T10:15 email_open channel=mail session=b campaign=spring
        2025-06-03T10:15 order value=100
        2025-06-04T10:15 page_view
        2025-06-30T14:00 review channel=app session=c
    """))
    check_values(profile, """
        sessions()                                                    => 3
        session_minutes()                                             => 5
        session_minutes(today)                                        => missing
        pages_per_session()                                           => 1
        pages_per_session(today)                                      => missing
        channels()                                                    => 3
        channel_share(web)                                            => 0.4
        channel_share(none)                                           => 0
        channel_share(web, today)                                     => missing
        first_channel()                                               => web
        last_channel()                                                => app
        top_channel()                                                 => mail
        touched("spring")                                             => True
        touched(i"SPRING", last 7 days)                               => False
        seen("banner")                                                => True
        responded("spring", 1 day)                                    => False
        responded("spring", 2 days)                                   => True
        stage(awareness)                                              => True
        stage(advocacy)                                               => True
        stage(retention)                                              => False
    """)


def test_behaviour_in_time():
    profile = Profile(1, events("""
        2025-05-06T00:00 a
        2025-06-03T12:00 a
        2025-06-26T00:00 a
        2025-06-30T00:00 c
    """))
    check_values(profile, """
        first_time(a, last 30 days)                                   => False
        first_time(a, last 61 days)                                   => True
        first_time(b, last 61 days)                                   => False
        stopped(a, 5 days)                                            => True
        stopped(a, 6 days)                                            => False
        restarted(a, 10 days)                                         => True
        restarted(a, 30 days)                                         => False
        restarted(c, 20 days)                                         => False
        more(a, 10 days)                                              => True
        more(a, 20 days)                                              => False
        less(a, 5 days)                                               => True
        trend(a, 35 days)                                             => 2
        trend(a, 10 days)                                             => missing
        median_days_between(a)                                        => 25.5
        median_days_between(a, last 40 days)                          => 22.5
        overdue(a, 0.1)                                               => True
        overdue(a, 1)                                                 => False
        overdue(c, 1)                                                 => missing
        regularly(a, 2 of last 2 months)                              => True
        regularly(a, 3 of last 3 months)                              => False
        regularly(a, 2 of last 4 weeks)                               => True
        regularly(a, 2 of last 3 weeks)                               => False
        regularly(a, 1 of last 5 days)                                => True
        regularly(a, 1 of last 4 days)                                => False
    """)
    # 25.5 days after the last
    assert until("overdue(a, 1)", profile) == at("2025-07-21T12:00") + 1
    assert until("overdue(a, 1)", profile, "2025-07-22") == NEVER
    assert until("days_since(last(a)) >= 7", profile) == at("2025-07-03")
    assert until("count(a, last 30 days) = 2", profile) == at("2025-07-03T12:00") + 1
    assert until("count(a, last 30 days) = 2", profile, "2025-06-26") == at("2025-06-26") + 1
    assert until("count(a, this month) = 0", profile) == NEVER
    assert until("count(a, previous month) = 2", profile) == at("2025-08-01")


def test_days_of_a_zone_whose_clock_changes():
    profile = Profile(1, events("""
        2025-03-28T23:30 a
        2025-03-29T00:00 a
        2025-03-30T23:59 a
        2025-03-31T00:00 a
    """, BERLIN))
    check_truths(profile, "regularly(a, 4 of last 4 days) => true\ncount(a, yesterday) = 1 => true", "2025-04-01", BERLIN)
    check_truths(profile, "regularly(a, 3 of last 3 days) => true\ncount(a, today) = 1 => true", "2025-03-31T23:00", BERLIN)
    check_truths(profile, "count(a where hour = 23) = 2 => true", "2025-04-01", BERLIN)
    assert until("count(a, today) = 0", profile, "2025-03-30T12:00", BERLIN) == at("2025-03-30T23:59", BERLIN) + 1
    assert until("count(a, today) = 1", profile, "2025-03-29T12:00", BERLIN) == at("2025-03-29T23:00")
    assert at("2025-03-31", BERLIN) - at("2025-03-30", BERLIN) == DAY - 3600000


def test_the_profile_itself():
    profile = Profile(7, events("2025-05-01 a"), traits("""
        2025-01-01 clv 12.5
        2025-01-01 churn "high"
        2025-01-01 consent.email.news true
        2025-01-01 consent.sms.news false
    """), {"email": 2, "user_id": 1}, True, ["vip"])
    shop = Shop("UTC", segments={"active": parse("count(a, last 90 days) > 0", UTC)})
    check_truths(profile, """
        has(email)                                     => true
        has(phone)                                     => false
        identifiers() = 3                              => true
        identifiers(email) = 2                         => true
        shared_device()                                => true
        score("clv") > 12                              => true
        score("churn") is missing                      => true
        consent("email", "news")                       => true
        not consent("sms", "news")                     => true
        consent("push", "news")                        => unknown
        in_list("vip")                                 => true
        in_list("others")                              => false
        in_segment("active")                           => true
        sample(100 %, "x")                             => true
        sample(0 %, "x")                               => false
    """, shop=shop)
    assert until('in_segment("active")', profile, shop=shop) == at("2025-07-30") + 1
    drawn = sum(segments.lot(number, "seed") < 0.1 for number in range(10000))
    assert 900 < drawn < 1100


@pytest.mark.parametrize("number", [1, 7, 2**40])
def test_the_lot_is_the_published_algorithm(number):
    """The first output of SplitMix64 from state 0 is 0xE220A8397B1DCDAF."""
    seed = "".encode()
    assert seed == b""
    state = 0 - 0xCBF29CE484222325 % 2**64  # cancels the hash of no bytes
    assert segments.lot(state, "") == (0xE220A8397B1DCDAF >> 11) * 2.0**-53
    assert 0 <= segments.lot(number, "a") < 1


# ---- the random segments -------------------------------------------------------------------------


def shop_in_memory(seed):
    """A random shop in which every person is one profile."""
    history = History(random.Random(seed))
    for message in history.messages:
        history.note(message) if "name" in message else history.hear(message)
    people = [[(10 * n + i, *identifier) for i, identifier in enumerate(person)] for n, person in enumerate(history.people)]
    return history, [history.profile(n + 1, members, set()) for n, members in enumerate(people)]


def nodes_of_random_segments(n):
    history, _ = shop_in_memory(1)
    expressions = Expressions(random.Random(2), history)
    return [node for _ in range(n) for node in parts(parse(expressions.segment(), history.shop))]


def test_random_segments_use_the_whole_language():
    nodes = nodes_of_random_segments(1500)
    kinds = {node[0] for node in nodes if isinstance(node[0], str)}
    assert {node[1] for node in nodes if node[0] == "call"} == set(FUNCTIONS) - {"in_segment", "in_list"}
    assert {node[1] for node in nodes if node[0] == "field"} == FIELDS | {"properties"}
    assert {node[1] for node in nodes if node[0] == "compare"} == {"=", "!=", "<", "<=", ">", ">="}
    assert {node[1] for node in nodes if node[0] == "reckon"} == set("+-*/")
    assert {node[1] for node in nodes if node[0] == "is"} == {"missing", "known", "true", "false", "empty"}
    assert {node[1] for node in nodes if node[0] == "has"} == {"any", "all", "none"}
    assert {node[1:] for node in nodes if node[0] in ("this", "previous")} == {("week",), ("month",), ("year",)}
    assert {node[2] for node in nodes if node[0] == "anniversary"} == {"next", "last"}
    assert kinds >= set(
        "or and not between in contains starts ends like before after on within_last within_next near negative trait "
        "literal truth ever ago today yesterday since_last span steps pair periods duration select".split())


def test_every_function_of_the_library_is_known_here():
    table = Path(__file__).resolve().parents[1] / "lib" / "segment" / "function.c"
    rows = re.findall(r'^    \{"(\w+)", "[^"]*", ([01]),', table.read_text(), re.MULTILINE)
    assert {name: window == "1" for name, window in rows} == {name: "+" in has for name, has in FUNCTIONS.items()}


@pytest.mark.parametrize("seed", range(12))
def test_no_moment_is_left_out(seed):
    """Between two neighbours of the moments that are tried nothing changes."""
    history, profiles = shop_in_memory(seed)
    dice = random.Random(seed)
    for _ in range(8):
        segment = parse(Expressions(dice, history).segment(), history.shop)
        for profile in profiles:
            tried = [moment for moment in moments(segment, profile, history.shop, history.begin)
                     if moment < history.end + 60 * DAY]
            turns = flips(segment, profile, history.shop, history.begin)
            for moment in dice.sample(tried, min(20, len(tried))):
                inside = segments.truth(segment, profile, history.shop, moment) is True
                until = min(valid_until(turns, moment), history.end + 60 * DAY,
                            complete_until(segment, profile, history.shop, history.begin))
                for _ in range(3):
                    if until > moment + 1:
                        between = dice.randrange(moment, until)
                        assert (segments.truth(segment, profile, history.shop, between) is True) == inside, segment
