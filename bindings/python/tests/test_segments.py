"""Segments from Python: who is in one at any moment, names, lists, forms, and errors that
say what would be right.  What every function of the language means is tested against the
second opinion (tests/test_segments_oracle.py); here it is real questions of a shop."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest
from conftest import ROOT

import cjourney
from cjourney import Event

AS_OF = "2025-04-01"
DAY_MS = 86_400_000
MARCH_1_10H = 1740819600000  # Berlin


@pytest.fixture
def shop(path):
    """Ann buys often, Bob once in a store, Cid lately and much; Dora only looks."""
    with cjourney.open(path, time_zone="Europe/Berlin") as store:
        said = [
            ({"user_id": "ann", "email": "ann@example.org"},
             {"country": "DE", "born": "1990-04-05", "tags": ["a", "b"], "points": 120,
              "consent.email.news": True}),
            ({"user_id": "bob"}, {"country": "AT", "consent.email.news": False}),
            ({"user_id": "cid", "email": "cid@example.org"}, {"country": "DE", "points": 7}),
            ({"user_id": "dora"}, {"vip": True, "points": "many"}),
        ]  # fmt: skip
        for who, traits in said:
            store.identify(who, traits=traits, time="2025-01-01", source="crm")
        store.record_many([
            order("ann", "2025-01-05 11:00", 2000, "web", "MUG"),
            order("ann", "2025-02-01 11:00", 1500, "app", "CUP"),
            order("ann", "2025-03-01 10:00", 3550, "web", "MUG", "CUP"),
            order("bob", "2025-02-10 23:30", 1000, "store", "MUG"),
            order("cid", "2025-03-10 00:30", 9999, "web", "LAMP"),
            Event("refund", {"user_id": "cid"}, time="2025-03-20", value_minor=-1999),
            Event("product_view", {"user_id": "dora"}, time="2025-03-30", product="LAMP"),
            Event("cart_add", {"user_id": "dora"}, time="2025-03-30 00:05", product="LAMP"),
        ])  # fmt: skip
        yield store


def order(who, when, minor, channel, *products):
    return Event(
        "order",
        {"user_id": who},
        time=when,
        value_minor=minor,
        channel=channel,
        order_id=f"{who} {when}",
        items=[{"product": p, "value_minor": minor // len(products)} for p in products],
    )


def members(store, expression, **how):
    how = {"as_of": AS_OF, **how}
    table = store.segment_evaluate(expression, identifier="user_id", members_only=True, **how)
    return [row.user_id for row in table]


def truths(store, expression, as_of=AS_OF):
    """{user_id: True, False, or None for unknown}"""
    table = store.segment_evaluate(expression, identifier="user_id", as_of=as_of)
    return {row.user_id: [False, True, None][row.truth] for row in table}


# ---- questions of a shop -----------------------------------------------------------


@pytest.mark.parametrize("expression, expected", [
    # traits
    ('country = "DE"', "ann cid"),
    ('country in ("AT", "CH")', "bob"),
    ('not country = "DE"', "bob"),
    ("country is missing", "dora"),
    ("points > 100", "ann"),
    ("points is known", "ann cid dora"),
    ('points = "many" or points < 10', "cid dora"),
    ('tags has any of ("b", "c")', "ann"),
    ("vip is true", "dora"),
    ("anniversary_of_nothing is missing", "ann bob cid dora"),
    ("born anniversary in next 7 days", "ann"),
    ('source(country) = "crm"', "ann bob cid"),
    # who they are
    ("has(email)", "ann cid"),
    ("identifiers() = 1", "bob dora"),
    ('consent("email", "news")', "ann"),
    ('not consent("email", "news")', "bob"),
    # orders
    ("orders() >= 2", "ann"),
    ("orders(last 90 days) = 3", "ann"),
    ("orders(since 2025-03-01) >= 1", "ann cid"),
    ("revenue() > 70 EUR", "ann cid"),
    ("revenue() = 80 EUR", "cid"),
    ("gross() = 99.99 EUR", "cid"),
    ("refund_share() > 10 %", "cid"),
    ("average_order() between 20 EUR and 30 EUR", "ann"),
    ("largest_order() > 35 EUR", "ann cid"),
    ("items() = 4", "ann"),
    ('bought("MUG")', "ann bob"),
    ('bought_together("MUG", "CUP")', "ann"),
    ("days_since(last order) > 45", "bob"),
    ("median_days_between(orders) < 30", "ann"),
    ("last(order) on 2025-03-10", "cid"),  # 00:30 in Berlin, the day before in UTC
    # events and channels
    ("count(product_view, last 7 days) >= 1 and orders() = 0", "dora"),
    ("not_followed(cart_add by order within 1 day)", "dora"),
    ("channels() = 2", "ann"),
    ("channel_share(store) > 50 %", "bob"),
    ("top_channel() = \"web\"", "ann cid"),
    ("sequence(order where channel = \"web\" -> order where channel = \"app\")", "ann"),
    ("stage(consideration) and not stage(purchase)", "dora"),
    ("count(order where hour >= 22) = 1", "bob"),
    # everybody, nobody
    ("true", "ann bob cid dora"),
    ("false", ""),
    ("sample(100 %, \"x\")", "ann bob cid dora"),
    ("sample(0 %, \"x\")", ""),
])  # fmt: skip
def test_who_is_in_it(shop, expression, expected):
    assert members(shop, expression) == expected.split()


def test_unknown_is_neither_true_nor_false(shop):
    assert truths(shop, 'country = "DE"') == {
        "ann": True, "bob": False, "cid": True, "dora": None}  # fmt: skip
    assert truths(shop, 'not country = "DE"')["dora"] is None
    assert truths(shop, 'country is missing or not country = "DE"')["dora"] is True
    assert truths(shop, 'country = "DE" and orders() >= 1')["dora"] is False
    assert truths(shop, 'country = "DE" or orders() = 0')["dora"] is True
    assert truths(shop, "points > 100")["dora"] is None, "a text, no number"


def test_columns_and_order(shop):
    table = shop.segment_evaluate("orders() >= 1", as_of=AS_OF)
    assert table.columns == ("profile", "truth", "valid_until_ms")
    profiles = [row.profile for row in table]
    assert profiles == sorted(profiles) and len(profiles) == 4
    table = shop.segment_evaluate("orders() >= 1", as_of=AS_OF, identifier="email")
    assert table.columns == ("profile", "email", "truth", "valid_until_ms")
    assert [row.email for row in table] == ["ann@example.org", None, "cid@example.org", None]
    only = shop.segment_evaluate("orders() >= 1", as_of=AS_OF, members_only=True)
    assert {row.truth for row in only} == {1} and len(only) == 3


def test_any_moment_may_be_asked_about(shop):
    ask = "orders() >= 1"
    assert members(shop, ask, as_of="2025-01-05 11:00") == [], "events before the moment"
    assert members(shop, ask, as_of="2025-01-05 11:00:00.001") == ["ann"]
    assert members(shop, ask, as_of="2025-02-11") == ["ann", "bob"]
    shop.identify(user_id="bob", traits={"country": "CH"}, time="2025-03-01")
    assert members(shop, 'country = "AT"', as_of="2025-02-28") == ["bob"]
    assert members(shop, 'country = "CH"', as_of="2025-03-02") == ["bob"]
    now = shop.segment_evaluate("orders(last 1 days) = 0")
    assert [row.truth for row in now] == [1] * 4, "None is now"


# ---- until when --------------------------------------------------------------------


@pytest.mark.parametrize("expression", [
    "orders(last 30 days) >= 1",
    "orders(last 30 days) = 0 and country is known",
    "revenue(last 20 days) > 10 EUR",
    "days_since(last order) > 40",
    "last(order) within last 25 days",
    "not_followed(cart_add by order within 3 days)",
    "born anniversary in next 7 days",
    "orders(this month) >= 1 or count(product_view, today) > 0",
])  # fmt: skip
def test_valid_until_is_neither_early_nor_late(shop, expression):
    """1 ms before, everybody's answer is as it was; then it is another."""
    told = 0
    for as_of in ("2025-03-05", "2025-03-30 12:00"):
        for row in shop.segment_evaluate(expression, as_of=as_of, identifier="user_id"):
            if row.valid_until_ms is None:
                continue
            told += 1
            was = row.truth == 1
            before = truths(shop, expression, row.valid_until_ms - 1)[row.user_id]
            after = truths(shop, expression, row.valid_until_ms)[row.user_id]
            assert (before is True) == was and (after is True) != was, row
    assert told > 0


def test_valid_until_of_a_window(shop):
    rows = {row.user_id: row for row in shop.segment_evaluate(
        "orders(last 30 days) >= 1", as_of="2025-03-05", identifier="user_id")}  # fmt: skip
    assert rows["ann"].truth == 1
    assert rows["ann"].valid_until_ms == MARCH_1_10H + 30 * DAY_MS + 1
    assert rows["bob"].truth == 1 and rows["dora"].valid_until_ms is None
    # Cid's order has not happened yet; who knows it all the same knows when she enters.
    assert rows["cid"].truth == 0


def test_valid_until_goes_through_references(shop):
    shop.define_segment("fresh", "orders(last 30 days) >= 1")
    shop.define_segment("gone", 'not in_segment("fresh")')
    direct = shop.segment_evaluate("orders(last 30 days) >= 1", as_of="2025-03-05")
    through = shop.segment_evaluate('in_segment("gone")', as_of="2025-03-05")
    assert [row.valid_until_ms for row in direct] == [row.valid_until_ms for row in through]
    assert [row.truth == 1 for row in direct] == [row.truth != 1 for row in through]


# ---- names -------------------------------------------------------------------------


def test_a_name_is_an_expression_kept(shop):
    shop.define_segment("big", "REVENUE() > 70.00 EUR")
    (row,) = shop.segments().to_dicts()
    assert row["segment"] == "big" and row["kind"] == "expression" and row["live"] == 0
    assert row["expression"] == "revenue() > 70 EUR", "canonical"
    assert abs(row["defined_ms"] - time.time() * 1000) < 60_000
    for how in ({}, {"threads": 3}):
        table = shop.segment_members("big", as_of=AS_OF, identifier="user_id", **how)
        assert [row.user_id for row in table] == ["ann", "cid"]
        assert shop.segment_count("big", as_of=AS_OF, **how) == 2
    assert shop.segment_count("big", as_of="2025-03-05") == 1
    shop.define_segment("big", "orders() >= 1")
    assert shop.segment_count("big", as_of=AS_OF) == 3 and len(shop.segments()) == 1
    shop.drop_segment("big")
    assert shop.segments().to_dicts() == []


def test_names_are_in_the_file(shop, path):
    shop.define_segment("größte Kunden", "orders() >= 1")
    with cjourney.open(path, read_only=True) as other:
        assert other.segment_count("größte Kunden", as_of=AS_OF) == 3
        with pytest.raises(cjourney.ReadOnlyError):
            other.define_segment("x", "true")
        with pytest.raises(cjourney.ReadOnlyError):
            other.drop_segment("größte Kunden")
    assert shop.check().to_dicts() == []


def test_segments_in_segments(shop):
    shop.define_segment("buyers", "orders() >= 1")
    shop.define_segment("mail", 'in_segment("buyers") and has(email)')
    shop.define_segment("paper", 'in_segment("buyers") and not in_segment("mail")')
    assert members(shop, 'in_segment("paper")') == ["bob"]
    assert members(shop, 'not in_segment("buyers")') == ["dora"]
    shop.define_segment("buyers", "orders() >= 1 or count(cart_add) >= 1")
    assert members(shop, 'in_segment("paper")') == ["bob", "dora"], "it follows"


def test_a_circle_is_refused_with_the_way(shop):
    shop.define_segment("a", "orders() >= 1")
    shop.define_segment("b", 'in_segment("a") or vip is true')
    shop.define_segment("c", 'not in_segment("b")')
    with pytest.raises(cjourney.InvalidError, match="a -> c -> b -> a") as caught:
        shop.define_segment("a", 'has(email) and in_segment("c")')
    assert caught.value.position == 26, "where the new one leads into it"
    assert shop.segments()["expression"][0] == "orders() >= 1", "it is as before"
    with pytest.raises(cjourney.CJourneyError):
        shop.define_segment("me", 'in_segment("me")')
    assert len(shop.segments()) == 3


def test_what_is_needed_cannot_be_dropped(shop):
    shop.define_segment("a", "orders() >= 1")
    shop.define_list("staff", [])
    shop.define_segment("b", 'in_segment("a") and not in_list("staff")')
    for name in ("a", "staff"):
        with pytest.raises(cjourney.ExistsError, match="`b` needs it"):
            shop.drop_segment(name)
    for name in ("b", "a", "staff"):
        shop.drop_segment(name)
    assert shop.segments().to_dicts() == []


@pytest.mark.parametrize("ask", [
    lambda store: store.segment_members("viip"),
    lambda store: store.segment_count("viip"),
    lambda store: store.drop_segment("viip"),
    lambda store: store.segment_evaluate('orders() > 1 and in_segment("viip")'),
    lambda store: store.define_segment("x", 'not in_segment("viip")'),
], ids=["members", "count", "drop", "evaluate", "define"])  # fmt: skip
def test_an_unknown_name_tells_the_nearest(shop, ask):
    with pytest.raises(cjourney.NotFoundError, match="no such segment"):
        ask(shop)
    shop.define_segment("vip", "orders() >= 2")
    shop.define_segment("zebra", "orders() >= 2")
    with pytest.raises(cjourney.NotFoundError, match="did you mean `vip`"):
        ask(shop)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 300])
def test_what_is_no_name(shop, name):
    with pytest.raises(cjourney.InvalidError, match="a segment's name"):
        shop.define_segment(name, "true")
    with pytest.raises(cjourney.InvalidError, match="a segment's name"):
        shop.define_list(name, [])


def test_names_hold_any_text(shop):
    for name in ("x" * 64, 'say "hi"', "a\\b", "日本", "or"):
        shop.define_segment(name, "orders() >= 2")
        assert members(shop, f"in_segment({json.dumps(name)})") == ["ann"]
        shop.drop_segment(name)


def test_a_reference_that_leads_nowhere_has_its_place(shop):
    shop.define_segment("a", "orders() >= 2")
    shop.define_list("staff", [])
    wrong = {
        'has(email) or in_segment("b")': (cjourney.NotFoundError, 25),
        'orders() > 1 and not in_list("stuff")': (cjourney.NotFoundError, 29),
        'in_segment("staff")': (cjourney.InvalidError, 11),
        'not in_list("a")': (cjourney.InvalidError, 12),
    }
    for expression, (error, position) in wrong.items():
        for ask in (shop.segment_evaluate, lambda text: shop.define_segment("x", text)):
            with pytest.raises(error) as caught:
                ask(expression)
            assert caught.value.position == position, expression
    # The place is in what was asked, not in a definition on the way.
    shop.define_segment("via", 'orders() >= 0 and has(email) and in_segment("a")')
    with pytest.raises(cjourney.InvalidError, match="a -> via -> a") as caught:
        shop.define_segment("a", 'in_segment("via")')
    assert caught.value.position == 11
    with pytest.raises(cjourney.NotFoundError) as caught:
        shop.segment_members("b")
    assert caught.value.position is None, "a name has no place"


# ---- lists -------------------------------------------------------------------------


def test_a_list_is_who_is_on_it(shop):
    bob, dora = (shop.find_profile("user_id", user) for user in ("bob", "dora"))
    shop.define_list("staff", [dora, bob, dora])
    (row,) = shop.segments().to_dicts()
    assert (row["kind"], row["expression"]) == ("list", None)
    assert members(shop, 'in_list("staff")') == ["bob", "dora"]
    assert members(shop, 'orders() >= 1 and not in_list("staff")') == ["ann", "cid"]
    table = shop.segment_members("staff", as_of="2001-01-01")
    assert [row.valid_until_ms for row in table] == [None, None], "whenever it is asked"
    shop.define_list("staff", (row.profile for row in table if row.profile != bob))
    assert members(shop, 'in_list("staff")') == ["dora"]
    assert shop.segment_count("staff") == 1


def test_who_is_unknown_has_a_position_and_changes_nothing(shop):
    ann = shop.find_profile("user_id", "ann")
    shop.define_list("staff", [ann])
    for wrong in (999, 0, -1, 2**62):
        with pytest.raises(cjourney.NotFoundError) as caught:
            shop.define_list("staff", [ann, ann, wrong, ann])
        assert caught.value.position == 2
    with pytest.raises(cjourney.InvalidError):
        shop.define_list("staff", ["ann"])
    assert members(shop, 'in_list("staff")') == ["ann"]


def test_one_name_is_a_segment_or_a_list(shop):
    shop.define_segment("a", "true")
    shop.define_list("b", [])
    with pytest.raises(cjourney.ExistsError, match="drop it first"):
        shop.define_list("a", [])
    with pytest.raises(cjourney.ExistsError, match="drop it first"):
        shop.define_segment("b", "true")
    with pytest.raises(cjourney.CJourneyError):
        shop.segment_evaluate('in_segment("b")')
    with pytest.raises(cjourney.CJourneyError):
        shop.segment_evaluate('in_list("a")')


# ---- one profile -------------------------------------------------------------------


def test_what_every_segment_says_of_one_profile(shop):
    ann = shop.find_profile("user_id", "ann")
    shop.define_segment("fresh", "orders(last 30 days) >= 1")
    shop.define_segment("austria", 'country = "AT"')
    shop.define_segment("unclear", "colour = 1")
    shop.define_list("staff", [ann])
    table = shop.profile_segments(ann, as_of="2025-03-05")
    assert table.columns == ("segment", "truth", "valid_until_ms")
    assert [tuple(row) for row in table] == [
        ("austria", 0, None),
        ("fresh", 1, MARCH_1_10H + 30 * DAY_MS + 1),
        ("staff", 1, None),
        ("unclear", 2, None),
    ]
    for wrong in (999, 0, -1, 2**40):
        with pytest.raises(cjourney.NotFoundError):
            shop.profile_segments(wrong)


def test_one_profile_agrees_with_everybody(shop):
    for i, expression in enumerate([
        "orders() >= 1", 'in_segment("s0") and has(email)', 'not in_segment("s1")',
        "revenue(last 60 days) > 20 EUR", 'country = "DE" or vip is true',
    ]):  # fmt: skip
        shop.define_segment(f"s{i}", expression)
    for as_of in ("2025-01-20", "2025-03-10 00:30:00.001", AS_OF):
        everybody = {
            row["segment"]: {
                r.profile: (r.truth, r.valid_until_ms)
                for r in shop.segment_evaluate(row["expression"], as_of=as_of)
            }
            for row in shop.segments().to_dicts()
        }
        for user in ("ann", "bob", "cid", "dora"):
            profile = shop.find_profile("user_id", user)
            for row in shop.profile_segments(profile, as_of=as_of):
                assert (row.truth, row.valid_until_ms) == everybody[row.segment][profile]


# ---- people who become one ---------------------------------------------------------


def test_merge_and_unmerge_change_who_is_in_it(shop):
    ann, bob = (shop.find_profile("user_id", user) for user in ("ann", "bob"))
    shop.define_segment("often", "orders() >= 4")
    shop.define_list("staff", [bob])
    shop.define_segment("known staff", 'in_list("staff") and has(email)')
    before = shop.segment_evaluate("orders() >= 1", as_of=AS_OF).format("csv")
    edge = shop.merge(ann, bob)
    assert shop.segment_count("often", as_of=AS_OF) == 1
    assert shop.segment_count("known staff", as_of=AS_OF) == 1, "bob's place is ann's now"
    assert len(shop.segment_evaluate("true")) == 3
    assert [row.segment for row in shop.profile_segments(ann, as_of=AS_OF) if row.truth == 1] == [
        "known staff", "often", "staff"]  # fmt: skip
    shop.unmerge(edge)
    assert shop.segment_count("often", as_of=AS_OF) == 0
    assert shop.segment_count("known staff", as_of=AS_OF) == 0
    assert shop.segment_evaluate("orders() >= 1", as_of=AS_OF).format("csv") == before


def test_an_event_that_comes_late_counts_at_its_time(shop):
    assert members(shop, "orders() >= 2", as_of="2025-02-20") == ["ann"]
    shop.record(order("bob", "2025-02-11 12:00", 500, "store", "CUP"))
    assert members(shop, "orders() >= 2", as_of="2025-02-20") == ["ann", "bob"]
    shop.compact()
    assert members(shop, "orders() >= 2", as_of="2025-02-20") == ["ann", "bob"]


# ---- forms -------------------------------------------------------------------------

FORMS = [
    ("orders() >= 2", {"op": ">=", "left": {"call": "orders"}, "right": 2}),
    ('country in ("DE", "AT")',
     {"op": "in", "left": {"trait": "country"}, "list": ["DE", "AT"]}),
    ("not has(email)", {"not": {"call": "has", "args": ["email"]}}),
    ("vip is true and revenue(last 365 days) > 200 EUR",
     {"and": [{"op": "is true", "left": {"trait": "vip"}},
              {"op": ">", "left": {"call": "revenue", "window": {"last": "365 days"}},
               "right": {"money": "200 EUR"}}]}),
    ("birthday in next 14 days",
     {"op": "anniversary in next", "left": {"trait": "birthday"},
      "right": {"duration": "14 days"}}),
]  # fmt: skip


@pytest.mark.parametrize("text, tree", FORMS, ids=[text for text, _ in FORMS])
def test_text_and_json_both_ways(shop, text, tree):
    canonical = shop.format_segment(text)
    written = shop.format_segment(text, to_form="json")
    assert json.loads(written) == tree
    back = shop.format_segment(json.dumps(tree), from_form="json")
    assert back == canonical == shop.format_segment(canonical)
    assert shop.format_segment(written, from_form="json", to_form="json") == written


def test_canonical_text(shop):
    loose = "ORDERS( )>=2.0 and ( HAS (email) and country in('DE') ) -- ü".replace("'", '"')
    assert shop.format_segment(loose) == 'orders() >= 2 and has(email) and country in ("DE")'
    assert shop.format_segment("count(x, last 2 weeks) > 1") == "count(x, last 14 days) > 1"
    assert shop.format_segment("revenue() > 200.00 EUR") == "revenue() > 200 EUR"


def test_wrong_forms(shop):
    for how in ({"from_form": "xml"}, {"to_form": "yaml"}):
        with pytest.raises(cjourney.InvalidError, match='is "text" or "json"'):
            shop.format_segment("true", **how)
    for wrong in ("", "{", '{"and": []}', '{"op": "=="}', '{"call": "oders"}', "[1]", '"x"'):
        with pytest.raises(cjourney.InvalidError):
            shop.format_segment(wrong, from_form="json")


# ---- errors ------------------------------------------------------------------------


@pytest.mark.parametrize("expression, position, says", [
    ("oders() > 1", 0, "did you mean `orders`?"),
    ("revenue() > 200", 12, "write `200 EUR`"),
    ("days_since(last order) > 30 days", 25, "write `30`"),
    ("channel_share(web) > 50", 21, "write `50 %`"),
    ("orders(last 3 months) = 0", 14, "write days"),
    ("birthday in last 7 days", 12, "write `within last`"),
    ("orders() >= 1 and", 17, "found the end"),
    ("", 0, "found the end"),
    ('"Köln" = größe', 12, "unexpected character"),
    ("has(email) and has(e_mail)", 19, "email"),
])  # fmt: skip
def test_an_error_has_its_byte_and_says_what_would_be_right(shop, expression, position, says):
    for ask in (
        lambda: shop.segment_evaluate(expression),
        lambda: shop.define_segment("x", expression),
        lambda: shop.format_segment(expression),
    ):
        with pytest.raises(cjourney.InvalidError) as caught:
            ask()
        assert caught.value.position == position and says in caught.value.message
        assert "\n" not in caught.value.message and len(caught.value.message) <= 160
    assert len(shop.segments()) == 0


def test_money_of_another_currency(shop):
    with pytest.raises(cjourney.CJourneyError) as caught:
        shop.segment_evaluate("revenue() > 200 GBP")
    assert caught.value.position == 12
    with pytest.raises(cjourney.CJourneyError):
        shop.segment_evaluate("revenue() > 200.005 EUR")


def test_wrong_arguments(shop):
    ask = shop.segment_evaluate
    for wrong in ({"threads": -1}, {"threads": 10**6}, {"deadline_ms": -1}, {"as_of": 1.5},
                  {"identifier": "shoe_size"}, {"identifier": "a b"}, {"identifier": "a:i"},
                  {"as_of": "someday"}, {"identifier": ""}):  # fmt: skip
        if wrong == {"identifier": ""}:
            assert ask("true", **wrong).columns == ("profile", "truth", "valid_until_ms")
            continue
        with pytest.raises(cjourney.InvalidError):
            ask("true", **wrong)
    for wrong in (None, "a\0b"):
        for call in (ask, shop.segment_members, shop.segment_count, shop.drop_segment,
                     shop.format_segment):  # fmt: skip
            with pytest.raises(cjourney.InvalidError):
                call(wrong)


def test_limits_are_named(shop):
    with pytest.raises(cjourney.LimitError):
        shop.segment_evaluate("true" + " " * 70_000)
    with pytest.raises(cjourney.CJourneyError, match="32"):
        shop.segment_evaluate("(" * 40 + "true" + ")" * 40)


# ---- threads, time, Ctrl-C ---------------------------------------------------------


@pytest.fixture
def busy(path):
    """2,000 profiles with 30 events each, and a question that takes a while."""
    with cjourney.open(path) as store:
        store.record_json("\n".join(
            f'{{"name":"page_view","identifiers":{{"user_id":"u{i % 2000}"}},'
            f'"time":{1735689600000 + i * 60_000},"channel":"{"web app".split()[i % 2]}"}}'
            for i in range(60_000)
        ))  # fmt: skip
        yield store


HEAVY = " or ".join(
    f"sequence(page_view -> page_view within {hours} hours -> order within {hours} hours)"
    for hours in range(1, 80)
)


def test_threads_and_sealing_do_not_change_a_byte(busy):
    how = dict(as_of="2025-03-01", identifier="user_id")
    ask = 'count(page_view where channel = "web", last 20 days) > 9 or sample(10 %, "x")'
    first = busy.segment_evaluate(ask, **how).format("csv")
    assert first.count("\n") == 2001
    busy.define_segment("s", ask)
    n = busy.segment_count("s", as_of="2025-03-01")
    assert 0 < n < 2000
    for sealed in (False, True):
        if sealed:
            busy.compact()
        for threads in (1, 2, 3, 7):
            assert busy.segment_evaluate(ask, threads=threads, **how).format("csv") == first
            assert busy.segment_count("s", as_of="2025-03-01", threads=threads) == n


def test_a_deadline_is_kept(busy):
    busy.define_segment("heavy", HEAVY)
    for ask in (
        lambda: busy.segment_evaluate(HEAVY, deadline_ms=1),
        lambda: busy.segment_members("heavy", deadline_ms=1),
        lambda: busy.segment_count("heavy", deadline_ms=1),
    ):
        with pytest.raises(cjourney.LimitError):
            ask()
    assert len(busy.segment_evaluate("orders() = 0", deadline_ms=60_000)) == 2000


def test_progress_is_told_and_may_stop(busy):
    busy.compact()
    busy.define_segment("s", "count(page_view) > 1")
    for ask in (
        lambda hook: busy.segment_evaluate("count(page_view) > 1", progress=hook),
        lambda hook: busy.segment_members("s", progress=hook),
        lambda hook: busy.segment_count("s", progress=hook),
    ):
        told = []
        ask(lambda done, total: told.append((done, total)))
        assert told == sorted(told) and all(done <= total for done, total in told)
        with pytest.raises(cjourney.InterruptError):
            ask(lambda done, total: True)


def test_control_c_stops_a_question(busy):
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        while True:  # should one answer be faster than the signal
            busy.segment_evaluate(HEAVY)
    assert time.monotonic() - began < 30
    assert len(busy.segment_evaluate("true")) == 2000, "and the next one is not stopped"


def test_interrupt_from_another_thread(busy):
    outcomes = []

    def work() -> None:
        try:
            while True:
                busy.segment_evaluate(HEAVY)
        except cjourney.CJourneyError as error:
            outcomes.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(6000):
        if outcomes:
            break
        busy.interrupt()
        time.sleep(0.005)
    thread.join()
    assert outcomes == [cjourney.InterruptError]


def test_questions_while_others_record(shop):
    """Each answer is of one moment of the file: an order and its item come together."""
    stop = threading.Event()
    wrong = []

    def ask() -> None:
        while not stop.is_set():
            for row in shop.segment_evaluate("orders() = count(order_item)", as_of="2026-01-01"):
                if row.truth != 1 and row.profile in fresh:
                    wrong.append(row)

    fresh = {shop.identify(user_id=f"new{i}") for i in range(3)}
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(60):
        shop.record(order(f"new{i % 3}", "2025-05-01", 100, "web", "MUG"))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert members(shop, "orders() = 20", as_of="2026-01-01") == ["new0", "new1", "new2"]


def test_a_closed_store(shop):
    shop.close()
    for ask in (
        lambda: shop.segment_evaluate("true"),
        lambda: shop.segments(),
        lambda: shop.define_segment("x", "true"),
        lambda: shop.segment_count("x"),
    ):
        with pytest.raises(cjourney.MisuseError):
            ask()


# ---- what the documents promise ----------------------------------------------------


def test_every_method_says_what_it_gives():
    for name in ("segment_evaluate", "segment_members", "segment_count", "segments",
                 "profile_segments", "define_segment", "define_list", "drop_segment",
                 "format_segment"):  # fmt: skip
        text = getattr(cjourney.Store, name).__doc__
        assert text and text.rstrip().endswith("."), name
    assert "docs/SEGMENTS.md" in cjourney.Store.segment_evaluate.__doc__
    assert (ROOT / "docs/SEGMENTS.md").exists()
