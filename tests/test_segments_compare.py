"""What sets two segments apart, against a slow and obvious second implementation: from the events
and traits that the library tells of each profile, one by one, and Python's own arithmetic."""

import json
import math
import random
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import cjourney  # noqa: E402
from segment_random import Expressions, History  # noqa: E402
from segment_text import Money, parse  # noqa: E402
from segments import truth, worth  # noqa: E402

CONDITIONS = [
    "orders() >= 1", "orders() >= 2", "orders() >= 5", "orders(last 90 days) >= 1", "orders(last 365 days) >= 1",
    "count(refunds) >= 1", "channels() >= 2", "count(any, last 7 days) >= 1", "count(any, last 30 days) >= 1",
    "count(any, last 90 days) >= 1", "distinct(product, order_item) >= 5",
]  # fmt: skip
VALUES = ["revenue()", "average_order()", "items()", "sessions()", "median_days_between(orders)"]
COLUMNS = ("dimension", "value", "share_a", "share_b", "lift", "low", "high", "n_a", "n_b")


# ---- the slow one ---------------------------------------------------------------------------


def members(text, shop, profiles, now):
    segment = parse(text, shop)
    return {profile.number for profile in profiles if truth(segment, profile, shop, now) is True}


def texts_of(store, number, now):
    """{(dimension, value, type)} of a profile: events and traits that are no numbers."""
    found = set()
    for event in store.events(profile=number, until=now):
        for dimension in ("channel", "campaign"):
            if event[dimension] is not None:
                found.add((dimension, event[dimension], ""))
        if event["name"] == "order_item" and event["product"] is not None:
            found.add(("product", event["product"], ""))
    for trait in store.traits(number, as_of=now):
        value = json.loads(trait["value"], parse_int=Literal, parse_float=Literal)
        several = value if isinstance(value, list) else [] if isinstance(value, Literal) else [value]
        for one in several:
            if isinstance(one, (str, bool, Literal)) and len(spelled(one).encode()) <= 200:
                found.add((f"trait:{trait['name']}", spelled(one), type(one).__name__))
    return found


class Literal(float):
    """A number of JSON, as it was written."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def spelled(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, Literal) else value


def numbers_of(store, profile, shop, now):
    """{(dimension, what): value} of a profile."""
    found = {}
    for text in VALUES:
        value = worth(parse(f"{text} is missing", shop)[2], profile, shop, now)
        if value is not None:
            found["kpi", text] = value.minor if isinstance(value, Money) else float(value)
    for trait in store.traits(profile.number, as_of=now):
        value = json.loads(trait["value"])
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[f"trait:{trait['name']}", ""] = float(value)
    return found


def label(what, value, sign):
    """12, "> 12.5", "revenue() > 12.50 EUR" """
    money = what in ("revenue()", "average_order()")
    number = f"{value / 100:.2f} EUR" if money else shortest(value)
    return " ".join(part for part in (what, sign, number) if part)


def shortest(value):
    """15 to 17 digits, as many as read back equal."""
    return next(text for text in (f"{value:.{n}g}" for n in (15, 16, 17)) if float(text) == value)


def number_rows(numbers):
    """{(dimension, label): profiles} from {profile: numbers_of()}."""
    kinds = defaultdict(dict)
    for profile, found in numbers.items():
        for kind, value in found.items():
            kinds[kind][profile] = value
    rows = {}
    for (dimension, what), values in kinds.items():
        if dimension == "kpi" or len(set(values.values())) > 20:
            median = statistics.median_low(values.values())
            rows[dimension, label(what, median, ">"), "n"] = {p for p, value in values.items() if value > median}
        else:
            for one in set(values.values()):
                rows[dimension, label(what, one, ""), "n"] = {p for p, value in values.items() if value == one}
    return rows


def interval(xa, xb, na, nb):
    """Katz's, with a half added to all where there is nobody."""
    if xa == 0 or xb == 0:
        xa, xb, na, nb = xa + 0.5, xb + 0.5, na + 0.5, nb + 0.5
    lift = (xa / na) / (xb / nb)
    away = statistics.NormalDist().inv_cdf(0.975) * math.sqrt(1 / xa - 1 / na + 1 / xb - 1 / nb)
    return lift, math.exp(math.log(lift) - away), math.exp(math.log(lift) + away)


def compare(store, texts, shop, profiles, now):
    """All rows, in no order."""
    a, b = (members(text, shop, profiles, now) for text in texts)
    if not a or not b:
        return []
    some = [profile for profile in profiles if profile.number in a | b]
    having = defaultdict(set)
    for profile in some:
        for mark in texts_of(store, profile.number, now):
            having[mark].add(profile.number)
    for text in CONDITIONS:
        having["kpi", text, ""] = members(text, shop, profiles, now)
    having.update(number_rows({profile.number: numbers_of(store, profile, shop, now) for profile in some}))
    rows = []
    for (dimension, value, _), who in having.items():
        xa, xb = len(who & a), len(who & b)
        if (xa, xb) not in ((0, 0), (len(a), len(b))):
            lift, low, high = interval(xa, xb, len(a), len(b))
            rows.append((dimension, value, xa / len(a), xb / len(b), lift, low, high, xa, xb))
    return rows


def sureness(row):
    return max(math.log(row[5]), -math.log(row[6]))


def same(got, wanted):
    """Equal rows, and in an order by how sure they are."""
    def exact(row):
        return row[0], row[1].encode(), row[7], row[8]

    assert sorted(map(exact, got)) == sorted(map(exact, wanted))
    for one, other in zip(sorted(got, key=exact), sorted(wanted, key=exact)):
        assert one[2:7] == pytest.approx(other[2:7], rel=1e-9)
    for above, below in zip(got, got[1:]):
        assert sureness(above) > sureness(below) - 1e-9
        if (above[7], above[8]) == (below[7], below[8]):
            assert (above[0], above[1].encode()) <= (below[0], below[1].encode())


# ---- random shops ----------------------------------------------------------------------------


def recorded(path, seed):
    history = History(random.Random(seed), n_people=14, n_events=260)
    store = cjourney.Store(path, currency="EUR", time_zone=history.zone_name, deferred=True, seal_events=30)
    history.play(store, (cjourney.ExistsError, cjourney.NotFoundError, cjourney.InvalidError))
    store.flush()
    if seed % 2:
        store.compact()
    return history, store, history.profiles(store)


def some_pair(expressions):
    while True:
        pair = [expressions.segment(), expressions.segment()]
        if "properties." not in "".join(pair):
            return pair


@pytest.mark.parametrize("seed", range(1, 9))
def test_rows_are_those_of_the_slow_one(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    dice = random.Random(seed)
    expressions = Expressions(dice, history)
    compared = 0
    with store:
        pairs = [some_pair(expressions) for _ in range(12)]
        pairs += [("country is known", "country is missing"), ("orders() >= 1", "orders() = 0")]
        pairs += [("has(email)", "not has(email)")]
        for texts in pairs:
            now = dice.choice((history.middle, history.end, dice.choice(history.times)))
            table = store.segment_compare(*texts, as_of=now, limit=100_000)
            assert table.columns == COLUMNS
            wanted = compare(store, texts, history.shop, profiles, now)
            same([tuple(row) for row in table], wanted)
            compared += len(wanted)
    assert compared > 100


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_same_for_any_number_of_threads_and_any_sealing(tmp_path, seed):
    history, store, _ = recorded(tmp_path / "shop.db", seed)
    with store:
        def told(**how):
            return store.segment_compare("orders() >= 1", "orders() = 0", as_of=history.end, **how).format("csv")

        first = told()
        assert {told(threads=n) for n in (1, 2, 3, 7)} == {first}
        store.compact()
        assert told(threads=2) == first
        assert told(limit=3).splitlines() == first.splitlines()[:4]
        assert len(told(limit=1000).splitlines()) >= len(first.splitlines())


# ---- by hand ---------------------------------------------------------------------------------


def test_intervals_of_a_textbook():
    """15 of 100 against 5 of 100: 3, from 1.1334 to 7.9410; and with nobody: 0.5 of 51 in 5.5 of 51."""
    assert interval(15, 5, 100, 100) == pytest.approx((3, 1.1334, 7.9410), abs=1e-4)
    lift, low, high = interval(0, 5, 50, 50)
    assert lift == pytest.approx(1 / 11)
    assert low < 0.01 and 1 < high < 2


NOON = 1_740_830_400_000


@pytest.fixture
def shop(tmp_path):
    """A hundred in each of two towns; 15 of Rome and 5 of Oslo came by e-mail; ages are 0 to 99."""
    with cjourney.Store(tmp_path / "shop.db", currency="EUR", deferred=True) as store:
        for town, n_email in (("Rome", 15), ("Oslo", 5)):
            for n in range(100):
                traits = {"town": town, "age": n, "size": n % 3, "vip": n == 0, "no": f"{town}{n}"}
                traits["likes"] = ["ü", "é", "ü"]
                store.identify(user_id=f"{town}{n}", traits=traits, time=NOON, source="crm")
                channel = "email" if n < n_email else "web"
                store.record("page_view", user_id=f"{town}{n}", channel=channel, time=NOON)
        store.flush()
        yield store


def rows_of(store, *how, **more):
    more.setdefault("as_of", NOON + 1)
    return {(row["dimension"], row["value"]): row for row in store.segment_compare(*how, **more)}


def test_two_towns(shop):
    rows = rows_of(shop, 'town = "Rome"', 'town = "Oslo"', limit=1000)
    email, web = rows["channel", "email"], rows["channel", "web"]
    assert (email["n_a"], email["n_b"], email["share_a"], email["share_b"]) == (15, 5, 0.15, 0.05)
    assert email["lift"] == pytest.approx(3)
    assert (email["low"], email["high"]) == pytest.approx((1.1334, 7.9410), abs=1e-4)
    assert (web["n_a"], web["n_b"]) == (85, 95)
    # of a hundred ages the median; of three sizes each; what all like, and what all do, is no difference
    assert rows["trait:age", "> 49"]["n_a"] == rows["trait:age", "> 49"]["n_b"] == 50
    assert [rows["trait:size", value]["n_a"] for value in "012"] == [34, 33, 33]
    assert not any(dimension == "trait:likes" for dimension, _ in rows)
    assert ("kpi", "count(any, last 7 days) >= 1") not in rows
    assert rows["trait:vip", "true"]["n_a"] == 1


def test_the_surest_difference_comes_first(shop):
    rows = list(shop.segment_compare('town = "Rome"', 'town = "Oslo"', as_of=NOON + 1, limit=3))
    assert [(row["dimension"], row["value"]) for row in rows] == [
        ("trait:town", "Oslo"), ("trait:town", "Rome"), ("channel", "email")]
    assert rows[0]["high"] < 1 < rows[1]["low"]


def test_lists_count_each_value_once(shop):
    rows = rows_of(shop, 'town = "Rome"', 'town = "Rome" or town = "Oslo"', limit=1000)
    assert ("trait:likes", "ü") not in rows  # all have it
    shop.identify(user_id="Rome0", traits={"likes": ["ü", 1, "1", None, {"a": 1}]}, time=NOON, source="crm")
    rows = rows_of(shop, 'town = "Rome"', 'town = "Oslo"', limit=1000)
    assert (rows["trait:likes", "é"]["n_a"], rows["trait:likes", "é"]["n_b"]) == (99, 100)
    one = [row for row in shop.segment_compare('town = "Rome"', 'town = "Oslo"', as_of=NOON + 1, limit=1000)
           if (row["dimension"], row["value"]) == ("trait:likes", "1")]
    assert [row["n_a"] for row in one] == [1, 1]  # the number and the text


def test_traits_that_are_names_are_left_out(shop):
    assert ("trait:no", "Rome1") in rows_of(shop, 'town = "Rome"', 'town = "Oslo"', limit=1000)
    lines = [
        json.dumps({"type": "identify", "user_id": f"x{n}", "time": NOON, "traits": {"town": "Oslo", "no": f"x{n}"}})
        for n in range(9_801)
    ]
    assert shop.record_json("\n".join(lines[:-1])).rejected == 0
    shop.flush()
    assert ("trait:no", "Rome1") in rows_of(shop, 'town = "Rome"', 'town = "Oslo"', limit=100_000)
    shop.record_json(lines[-1])  # the 10,001st
    shop.flush()
    assert not any(key[0] == "trait:no" for key in rows_of(shop, 'town = "Rome"', 'town = "Oslo"', limit=100_000))


def test_who_is_in_both_counts_in_both(shop):
    rows = rows_of(shop, "town is known", 'town = "Oslo"', limit=1000)
    assert (rows["channel", "email"]["n_a"], rows["channel", "email"]["n_b"]) == (20, 5)
    assert rows_of(shop, "town is known", "town is known", limit=1000)["channel", "email"]["lift"] == 1


def test_what_was_known_then(shop):
    assert rows_of(shop, "sample(50 %, \"a\")", "sample(50 %, \"b\")", as_of=NOON - 1) == {}
    shop.identify(user_id="Rome0", traits={"vip": None}, time=NOON + 10, source="crm")
    for now, n in ((NOON + 9, 1), (NOON + 10, 0)):
        rows = rows_of(shop, 'town = "Rome"', 'town = "Oslo"', as_of=now, limit=1000)
        assert rows["trait:vip", "true"]["n_a"] == n


def test_empty_and_wrong(shop):
    shop.define_segment("rome", 'town = "Rome"')
    assert len(shop.segment_compare("rome", "orders() < 0")) == 0
    assert len(shop.segment_compare("orders() < 0", "rome")) == 0
    assert len(shop.segment_compare("rome", 'town = "Oslo"', as_of=NOON + 1)) == 50
    with pytest.raises(cjourney.InvalidError, match="limit"):
        shop.segment_compare("rome", "rome", limit=-1)
    with pytest.raises(cjourney.NotFoundError, match="rome"):
        shop.segment_compare("rome", "roma")
    with pytest.raises(cjourney.InvalidError):
        shop.segment_compare("orders(", "rome")
