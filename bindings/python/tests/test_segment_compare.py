"""Overlap, size over time and comparison of segments, by a small shop; the slow second
implementations are in tests/test_segments_overlap.py and test_segments_compare.py."""

from __future__ import annotations

import math

import pytest

import cjourney
from cjourney import Event, InvalidError, LimitError, NotFoundError

DAY = 86_400_000
START = 1_735_686_000_000  # 2025-01-01T00:00 in Berlin

# who: country, days of their orders, channel
SHOP = {
    "ann": ("DE", [0, 2, 4], "web"),
    "bob": ("DE", [1], "web"),
    "cid": ("AT", [1, 3], "store"),
    "dan": ("AT", [], "store"),
    "eve": (None, [5], "app"),
}


@pytest.fixture
def shop(path):
    with cjourney.open(path, currency="EUR", time_zone="Europe/Berlin") as store:
        for who, (country, days, channel) in SHOP.items():
            traits = {} if country is None else {"country": country}
            store.identify(user_id=who, traits=traits, time=START, source="crm")
            store.record("page_view", user_id=who, channel=channel, time=START + 1)
            store.record_many(
                Event(
                    "order",
                    {"user_id": who},
                    time=START + day * DAY + DAY // 2,
                    value_minor=1000,
                    order_id=f"{who}{day}",
                )
                for day in days
            )
        store.define_segment("german", 'country = "DE"')
        store.define_segment("buyers", "orders() >= 1")
        store.define_segment("again", "orders() >= 2")
        yield store


# ---- overlap -----------------------------------------------------------------------


def test_who_is_in_several(shop):
    table = shop.segment_overlap(["german", "buyers", "again"])
    assert table.columns == ("german", "buyers", "again", "profiles")
    assert [tuple(row) for row in table] == [
        (1, 1, 1, 1),  # ann
        (1, 1, 0, 1),  # bob
        (0, 1, 1, 1),  # cid
        (0, 1, 0, 1),  # eve
        (0, 0, 0, 1),  # dan
    ]


def test_the_largest_combination_comes_first(shop):
    rows = [tuple(row) for row in shop.segment_overlap(["buyers"])]
    assert rows == [(1, 4), (0, 1)]
    rows = [tuple(row) for row in shop.segment_overlap(["again", "german"])]
    assert rows == [(0, 0, 2), (1, 1, 1), (1, 0, 1), (0, 1, 1)]


def test_overlap_then(shop):
    rows = shop.segment_overlap(["buyers", "again"], as_of=START + 2 * DAY)
    assert [tuple(row) for row in rows] == [(1, 0, 3), (0, 0, 2)]
    rows = shop.segment_overlap(["german"], as_of="2024-12-31")
    assert [tuple(row) for row in rows] == [(0, 5)]


def test_names_may_be_of_any_iterable(shop):
    named = shop.segment_overlap(name for name in ("buyers", "again"))
    assert named.columns == ("buyers", "again", "profiles")
    with pytest.raises(NotFoundError):
        shop.segment_overlap([""])
    with pytest.raises(NotFoundError):
        shop.segment_overlap(["german", "buyer"])


def test_an_empty_file_has_no_combination(store):
    store.define_segment("a", "orders() = 0")
    assert len(store.segment_overlap(["a"])) == 0


# ---- sizes -------------------------------------------------------------------------


def test_it_grows(shop):
    table = shop.segment_sizes("buyers", since="2025-01-01", as_of="2025-01-07")
    assert table.columns == ("time_ms", "members", "entered", "left")
    assert [tuple(row) for row in table] == [
        (START, 0, None, None),
        (START + 1 * DAY, 1, 1, 0),
        (START + 2 * DAY, 3, 2, 0),
        (START + 3 * DAY, 3, 0, 0),
        (START + 4 * DAY, 3, 0, 0),
        (START + 5 * DAY, 3, 0, 0),
        (START + 6 * DAY, 4, 1, 0),
    ]


def test_it_shrinks(shop):
    rows = shop.segment_sizes(
        "orders(last 1 day) >= 1", since="2025-01-01", as_of="2025-01-08"
    )
    assert [row["members"] for row in rows] == [0, 1, 2, 1, 1, 1, 1, 0]
    assert [row["entered"] for row in rows][1:] == [1, 2, 1, 1, 1, 1, 0]
    assert [row["left"] for row in rows][1:] == [0, 1, 2, 1, 1, 1, 1]


def test_between_two_moments_they_may_have_come_and_gone(shop):
    rows = shop.segment_sizes(
        "orders(last 1 day) >= 1", since="2025-01-01", as_of="2025-01-31", step_days=15
    )
    assert [tuple(row)[1:] for row in rows] == [(0, None, None), (0, 0, 0), (0, 0, 0)]


def test_midnights_are_local_also_when_the_clock_changes(shop):
    rows = shop.segment_sizes("buyers", since="2025-03-28", as_of="2025-04-01")
    hours = [
        (b["time_ms"] - a["time_ms"]) // 3_600_000
        for a, b in zip(list(rows), list(rows)[1:])
    ]
    assert hours == [24, 24, 23, 24]


def test_what_sizes_need(shop):
    with pytest.raises(TypeError):
        shop.segment_sizes("buyers")
    with pytest.raises(InvalidError):
        shop.segment_sizes("buyers", since="yesterday-ish")
    with pytest.raises(LimitError):
        shop.segment_sizes("buyers", since="1950-01-01", as_of="2025-01-01")
    assert len(shop.segment_sizes("buyers", since="2025-01-01", as_of="2025-01-01")) == 1


# ---- compare -----------------------------------------------------------------------


def compared(store, a, b, **how):
    return {(row["dimension"], row["value"]): row for row in store.segment_compare(a, b, **how)}


def test_shares_and_their_ratio(shop):
    rows = compared(shop, "again", "not in_segment(\"again\")")
    german = rows["trait:country", "DE"]  # ann of ann, cid; bob of bob, dan, eve
    assert (german["n_a"], german["n_b"]) == (1, 1)
    assert (german["share_a"], german["share_b"]) == (1 / 2, 1 / 3)
    assert german["lift"] == pytest.approx(1.5)
    away = 1.959963984540054 * math.sqrt(1 / 1 - 1 / 2 + 1 / 1 - 1 / 3)
    assert german["low"] == pytest.approx(1.5 * math.exp(-away))
    assert german["high"] == pytest.approx(1.5 * math.exp(away))


def test_half_a_customer_where_there_is_none(shop):
    rows = compared(shop, "again", "not in_segment(\"again\")")
    app = rows["channel", "app"]  # nobody of two, eve of three
    assert (app["n_a"], app["n_b"], app["share_a"]) == (0, 1, 0)
    assert app["lift"] == pytest.approx((0.5 / 2.5) / (1.5 / 3.5))
    assert app["low"] < app["lift"] < app["high"]


def test_kpis_are_conditions_of_the_language(shop):
    german = 'country = "DE"'
    sides = {"a": german, "b": f"not ({german})"}
    rows = shop.segment_compare(sides["a"], sides["b"], limit=1000)
    kpis = [row for row in rows if row["dimension"] == "kpi"]
    assert len(kpis) >= 2
    for row in kpis:
        for side, segment in sides.items():
            both = shop.segment_evaluate(f"{segment} and {row['value']}", members_only=True)
            assert len(both) == row[f"n_{side}"], row["value"]


def test_revenue_against_the_median_of_both(shop):
    rows = compared(shop, "german", 'country = "AT"', limit=1000)
    # ann 30, bob 10, cid 20, dan 0: the lower of the two in the middle is 10
    assert rows["kpi", "revenue() > 10.00 EUR"]["n_a"] == 1
    assert rows["kpi", "revenue() > 10.00 EUR"]["n_b"] == 1


def test_limit_and_order(shop):
    whole = [tuple(row) for row in shop.segment_compare("german", 'country = "AT"', limit=1000)]
    few = [tuple(row) for row in shop.segment_compare("german", 'country = "AT"', limit=3)]
    assert few == whole[:3]
    sure = [max(math.log(row[5]), -math.log(row[6])) for row in whole]
    assert all(a >= b - 1e-12 for a, b in zip(sure, sure[1:]))


def test_a_segment_and_itself(shop):
    for row in shop.segment_compare("buyers", "buyers"):
        assert row["n_a"] == row["n_b"]
        assert row["lift"] == 1
        assert row["low"] <= 1 <= row["high"]


def test_before_anything_was_known(shop):
    assert len(shop.segment_compare("german", "buyers", as_of="2024-01-01")) == 0


# ---- what they share ---------------------------------------------------------------


def test_progress_may_stop_them(shop):
    shop.compact()

    def stop(_done, _total):
        return True

    for ask in (
        lambda: shop.segment_explain("buyers", progress=stop),
        lambda: shop.segment_overlap(["buyers"], progress=stop),
        lambda: shop.segment_compare("buyers", "german", progress=stop),
        lambda: shop.segment_sizes("buyers", since="2025-01-01", progress=stop),
    ):
        with pytest.raises(cjourney.InterruptError):
            ask()


def test_the_longest_segment(shop):
    """1,024 parts: 341 relations of three, and the `or` of them."""
    text = " or ".join(f"x{n} = {n}" for n in range(341))
    rows = shop.segment_explain(text).to_dicts()
    assert len(rows) == 342
    assert {row["unknown"] for row in rows} == {5}
    assert rows[0]["reads"].startswith("traits: x0, x1, x2")
    ann = shop.find_profile("user_id", "ann")
    facts = [row["found"] for row in shop.segment_why(ann, text)]
    assert facts[:2] == ["0 of 341 clauses are true", "x0 is missing"]
