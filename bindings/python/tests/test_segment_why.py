"""Explaining segments, by a small shop whose numbers a reader can check by hand."""

from __future__ import annotations

import pytest

import cjourney
from cjourney import Event, InvalidError, NotFoundError

DAY = 86_400_000
NOON = 1_740_830_400_000  # 2025-03-01T12:00 UTC
AS_OF = NOON + 100 * DAY

# who: country, days on which they ordered, and for how many cents
SHOP = {
    "ann": ("DE", [(0, 1000), (80, 2000), (95, 3000)]),
    "bob": ("DE", [(10, 500)]),
    "cid": ("FR", [(99, 9999)]),
    "dan": (None, [(50, 100), (60, 100)]),
    "eve": ("AT", []),
}
SEGMENT = 'country in ("DE", "AT") and (orders(last 30 days) >= 1 or revenue() >= 60 EUR)'


@pytest.fixture
def shop(store):
    for n, (who, (country, orders)) in enumerate(SHOP.items()):
        traits = {} if country is None else {"country": country}
        store.identify(user_id=who, traits=traits, time=NOON, source="crm")
        store.record("product_view", user_id=who, product="P1", time=NOON + n)
        store.record_many(
            Event(
                "order",
                {"user_id": who},
                time=NOON + day * DAY,
                value_minor=cents,
                order_id=f"{who}{day}",
            )
            for day, cents in orders
        )
    store.define_segment("spender", "revenue() >= 60 EUR")
    store.define_list("friends", [store.find_profile("user_id", "bob")])
    return store


def explained(store, source, **how):
    how.setdefault("as_of", AS_OF)
    return store.segment_explain(source, **how).to_dicts()


def why(store, who, source, as_of=AS_OF):
    profile = store.find_profile("user_id", who)
    return store.segment_why(profile, source, as_of=as_of).to_dicts()


# ---- explain -----------------------------------------------------------------------


def test_a_row_for_each_clause_and_what_it_lets_pass(shop):
    rows = explained(shop, SEGMENT)
    assert [(r["depth"], r["clause"]) for r in rows] == [
        (0, SEGMENT),
        (1, 'country in ("DE", "AT")'),
        (1, "orders(last 30 days) >= 1 or revenue() >= 60 EUR"),
        (2, "orders(last 30 days) >= 1"),
        (2, "revenue() >= 60 EUR"),
    ]
    #        ann only; ann bob eve; ann cid; ann cid; ann cid
    assert [r["passes_alone"] for r in rows] == [1, 3, 2, 2, 2]
    assert [r["passes_in_order"] for r in rows] == [1, 3, 1, 2, 2]
    # dan's country is missing; he has not bought lately, so that clause is false
    assert [r["unknown"] for r in rows] == [0, 1, 0, 0, 0]
    assert [r["share"] for r in rows] == [0.2, 0.6, 0.4, 0.4, 0.4]


def test_an_or_adds_up_and_an_and_narrows_down(shop):
    rows = explained(shop, 'country = "FR" or country = "DE" or orders() = 0')
    assert [r["passes_alone"] for r in rows[1:]] == [1, 2, 1]
    assert [r["passes_in_order"] for r in rows] == [4, 1, 3, 4]
    rows = explained(shop, 'orders() >= 1 and country = "DE" and orders() >= 2')
    assert [r["passes_alone"] for r in rows[1:]] == [4, 2, 2]
    assert [r["passes_in_order"] for r in rows] == [1, 4, 2, 1]


def test_a_not_is_opened_when_there_is_a_bracket_in_it(shop):
    assert len(explained(shop, "not orders() = 0")) == 1
    rows = explained(shop, 'not (orders() = 0 or country = "FR")')
    assert [r["depth"] for r in rows] == [0, 1, 2, 2]
    # ann and bob surely, dan perhaps
    assert [r["passes_alone"] for r in rows] == [2, 2, 1, 1]
    assert [r["passes_in_order"] for r in rows] == [2, 2, 1, 2]
    assert [r["unknown"] for r in rows] == [1, 1, 0, 1]


@pytest.mark.parametrize(
    "source, reads",
    [
        ("revenue() >= 60 EUR", "value projection: time, name, value"),
        ("items() >= 1", "events: time, name, quantity"),
        ('country = "DE"', "traits: country"),
        ('address.city = "B" and address.zip = "1"', "traits: address"),
        ("sample(10 %, \"x\")", None),
        ("has(email)", "identifiers"),
        ("identifiers() > 1", "identifiers"),
        ("shared_device()", "shared devices"),
        ('in_list("friends")', "lists: friends"),
        (
            'in_segment("spender") and country is known and source(age) = "crm"',
            "value projection: time, name, value; traits: country, age; "
            "segments: spender",
        ),
        (
            'count(any where channel = "web" and campaign = "c" and content = "d") = 1',
            "events: time, channel, campaign, content",
        ),
        (
            'distinct(order, any) + sessions() > 2 and bought("x")',
            "events: time, name, product, session, order",
        ),
    ],
)
def test_what_a_segment_reads(shop, source, reads):
    assert explained(shop, source)[0]["reads"] == reads


def test_what_it_costs_grows_with_what_it_does(shop):
    cheap, dear = 'country = "DE"', 'revenue() > 1 EUR and country = "DE"'
    assert 0 < explained(shop, cheap)[0]["cost_ns"] < explained(shop, dear)[0]["cost_ns"]
    # another segment's work is counted once, however often it is named
    alone = explained(shop, 'in_segment("spender")')[0]["cost_ns"]
    assert alone > explained(shop, "spender")[0]["cost_ns"]
    shop.define_segment("twice", 'in_segment("spender") and has(email)')
    both = explained(shop, 'in_segment("twice") and in_segment("spender")')
    assert both[0]["cost_ns"] < 2 * both[1]["cost_ns"] < 4 * alone


def test_slices_are_those_that_were_sealed(shop):
    assert {(r["from_ms"], r["blocks"]) for r in explained(shop, SEGMENT)} == {(None, 0)}
    shop.compact()
    whole, country, _, lately, revenue = explained(shop, SEGMENT)
    for row in (whole, revenue):
        assert row["from_ms"] <= NOON and row["until_ms"] > NOON + 99 * DAY
        assert row["blocks"] >= 4  # a month each
    # a window leaves out the months before it
    assert NOON + 50 * DAY < lately["from_ms"] <= NOON + 80 * DAY
    assert lately["until_ms"] == whole["until_ms"]
    assert 1 <= lately["blocks"] < whole["blocks"]
    ends = (country["from_ms"], country["until_ms"], country["blocks"])
    assert ends == (None, None, 0)
    # and nothing is read that is later than the moment
    early = explained(shop, SEGMENT, as_of=NOON + DAY)[0]
    assert early["from_ms"] == whole["from_ms"] < early["until_ms"] < whole["until_ms"]


def test_a_name_a_list_or_an_expression(shop):
    by_name = explained(shop, "spender")
    assert by_name[0]["clause"] == "revenue() >= 60 EUR"
    assert by_name == explained(shop, "revenue() >= 60 EUR")
    friends = explained(shop, "friends")
    assert friends[0]["clause"] == 'in_list("friends")'
    assert friends[0]["passes_alone"] == 1
    # an exact name wins over what the text would mean
    shop.define_segment("country is known", "orders() = 0")
    assert explained(shop, "country is known")[0]["clause"] == "orders() = 0"


def test_errors_say_what_was_meant(shop):
    with pytest.raises(NotFoundError, match="did you mean `spender`"):
        shop.segment_explain("spendr")
    with pytest.raises(InvalidError, match="did you mean `orders`") as wrong:
        shop.segment_explain("oders() > 1")
    assert wrong.value.position == 0
    with pytest.raises(NotFoundError):
        shop.segment_explain('in_segment("spendr")')
    with pytest.raises(InvalidError, match="threads"):
        shop.segment_explain("orders() = 0", threads=-1)
    with pytest.raises(InvalidError):
        shop.segment_explain("")
    # a trait that somebody has is a condition, though a poor one
    assert explained(shop, "country")[0]["passes_alone"] == 0


def test_an_empty_shop(store):
    (row,) = store.segment_explain("orders() = 0").to_dicts()
    assert (row["passes_alone"], row["passes_in_order"], row["share"]) == (0, 0, None)


def test_the_same_for_any_number_of_threads(shop):
    tables = {
        shop.segment_explain(SEGMENT, as_of=AS_OF, threads=n).format("csv")
        for n in (0, 1, 2, 5)
    }
    assert len(tables) == 1


# ---- why ---------------------------------------------------------------------------


def test_why_ann_is_in_it(shop):
    rows = why(shop, "ann", SEGMENT)
    assert [r["truth"] for r in rows] == ["true"] * 5
    assert [r["found"] for r in rows] == [
        "2 of 2 clauses are true",
        'country is "DE"',
        "2 of 2 clauses are true",
        "orders(last 30 days) is 2",
        "revenue() is 60.00 EUR",
    ]
    # her two orders leave the window one after the other; the revenue stays
    assert [r["valid_until_ms"] for r in rows] == [
        None,
        None,
        None,
        NOON + 125 * DAY + 1,
        None,
    ]


def test_why_the_others_are_not(shop):
    rows = why(shop, "bob", SEGMENT)
    assert [r["truth"] for r in rows] == ["false", "true", "false", "false", "false"]
    assert rows[0]["found"] == "1 of 2 clauses are true"
    assert rows[3]["found"] == "orders(last 30 days) is 0"
    assert rows[4]["found"] == "revenue() is 5.00 EUR"
    rows = why(shop, "dan", 'country = "DE" and orders() = 2')
    assert [r["truth"] for r in rows] == ["unknown", "unknown", "true"]
    assert rows[1]["found"] == "country is missing"


@pytest.mark.parametrize(
    "source, found",
    [
        ("days_since(last order) > 3", "days_since(last(order)) is 5; "
         "last(order) is 2025-06-04T12:00:00.000Z"),
        ("average_order(last 3 days) is missing", "average_order(last 3 days) is missing"),
        ("days_since(last order) > 2 * median_days_between(orders)",
         "days_since(last(order)) is 5; last(order) is 2025-06-04T12:00:00.000Z; "
         "median_days_between(orders) is 47.5"),
        ('in_segment("spender")', 'in_segment("spender") is true'),
        ('not in_list("friends")', 'in_list("friends") is false'),
        ("stopped(product_view, 30 days)",
         "stopped(product_view, 30 days) is false; product_view: 1 so far"),
        ("sequence(product_view -> order within 1 day)",
         "sequence(product_view -> order within 1 day) is true; "
         "product_view: 1 so far; order: 3 so far"),
        ("overdue(order, 2)", "overdue(order, 2) is false; order: 3 so far"),
        ("overdue(refund, 2)", "overdue(refund, 2) is unknown; refund: 0 so far"),
        ('source(country) = "crm"', 'source(country) is "crm"'),
        ("has(user_id) and 1 = 1", "2 of 2 clauses are true"),
        ("1 = 1", None),
        ("share(order of any) > 50 %", "share(order of any) is 0.75"),
        ("revenue() / 3 > 1 EUR", "revenue() is 60.00 EUR"),
        ("country is missing", 'country is "DE"'),
    ],
)  # fmt: skip
def test_facts_as_a_person_would_write_them(shop, source, found):
    assert why(shop, "ann", source)[0]["found"] == found


def test_long_values_are_cut_between_letters(shop):
    shop.identify(user_id="ann", traits={"a": "ü" * 3000}, time=NOON, source="crm")
    found = why(shop, "ann", 'a = "x"')[0]["found"]
    assert found == 'a is "' + "ü" * 199 + "..."


def test_counts_of_events_are_those_since_ever(shop):
    """Also where the segment itself looks at a few days only."""
    (row,) = why(shop, "ann", "sequence(order -> order, last 7 days)")
    assert row["found"].endswith("is false; order: 3 so far; order: 3 so far")


def test_why_at_another_time(shop):
    early = NOON + 81 * DAY
    rows = why(shop, "ann", SEGMENT, as_of=early)
    assert rows[4]["found"] == "revenue() is 30.00 EUR"
    assert rows[4]["valid_until_ms"] == NOON + 95 * DAY + 1
    (row,) = why(shop, "ann", 'in_segment("spender")', as_of=early)
    assert row["truth"] == "false"
    assert row["valid_until_ms"] == NOON + 95 * DAY + 1
    assert row["found"] == 'in_segment("spender") is false'


def test_why_of_nobody(shop):
    for profile in (0, -1, 99, 2**32, 2**40):
        with pytest.raises(NotFoundError):
            shop.segment_why(profile, "orders() = 0")
    ann, bob = (shop.find_profile("user_id", who) for who in ("ann", "bob"))
    shop.merge(ann, bob)
    with pytest.raises(NotFoundError):
        shop.segment_why(bob, "orders() = 0")
    (row,) = shop.segment_why(ann, "orders() = 4").to_dicts()
    assert row["truth"] == "true"


def test_tables_have_the_columns_that_are_promised(shop):
    assert shop.segment_explain("spender").columns == (
        "depth", "clause", "passes_alone", "unknown", "passes_in_order", "share",
        "cost_ns", "reads", "from_ms", "until_ms", "blocks",
    )  # fmt: skip
    ann = shop.find_profile("user_id", "ann")
    assert shop.segment_why(ann, "spender").columns == (
        "depth", "clause", "truth", "found", "valid_until_ms",
    )  # fmt: skip


def test_a_segment_of_many_clauses(shop):
    parts = [f"(orders() = {n} or x{n} = 1)" for n in range(100)]
    rows = explained(shop, " and ".join(parts))
    assert len(rows) == 1 + 100 * 3
    assert rows[0]["passes_alone"] == 0
    assert [r["passes_alone"] for r in rows[1:7]] == [1, 1, 0, 2, 2, 0]
    assert isinstance(cjourney.Table, type) and len(why(shop, "eve", "orders() = 0")) == 1
