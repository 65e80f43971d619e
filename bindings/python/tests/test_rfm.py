"""A second opinion on RFM: the definition, written slowly in Python from the sentences
of cjourney.h, against Store.rfm over random histories, for every option.
"""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

import cjourney
from cjourney import Event

ZONES = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
]
UTC = dt.timezone.utc
HOUR_MS = 3_600_000


# ---- the slow one ------------------------------------------------------------------


class Person:
    def __init__(self) -> None:
        self.known = False  # by anything but a guest identifier
        self.money: list[tuple[int, str, int]] = []  # (time_ms, name, value_minor)


def local_day(ms: int, zone: zoneinfo.ZoneInfo) -> int:
    utc = dt.datetime(1970, 1, 1, tzinfo=UTC) + dt.timedelta(milliseconds=ms)
    return utc.astimezone(zone).toordinal()


def half_even(a: int, b: int) -> int:
    return int((Decimal(a) / Decimal(b)).quantize(Decimal(1), ROUND_HALF_EVEN))


def measures(person: Person, how: dict, zone) -> tuple[int, int, int] | None:
    window = [e for e in person.money if how["since"] <= e[0] < how["as_of"]]
    orders = [e for e in window if e[1] == "order" and e[2] > 0]
    if not orders:
        return None
    last = max(e[0] for e in orders)
    if how["recency"] == "days":
        recency = local_day(how["as_of"], zone) - local_day(last, zone)
    else:
        recency = (how["as_of"] - last) // HOUR_MS
    frequency = len(orders)
    if how["frequency"] == "repeat_days":
        frequency = len({local_day(e[0], zone) for e in orders}) - 1
    counted = orders if how["monetary"] == "gross" else window
    monetary = sum(e[2] for e in counted)
    if how["monetary_of"] == "mean":
        monetary = half_even(monetary, len(orders))
    return recency, frequency, monetary


def score(values: list[int], limits, bins: int, low_is_good: bool) -> list[int]:
    if limits is not None:
        if low_is_good:
            return [
                len(limits) + 1 - sum(v > limit for limit in limits) for v in values
            ]
        return [1 + sum(v >= limit for limit in limits) for v in values]
    worse = (lambda a, b: a > b) if low_is_good else (lambda a, b: a < b)
    n = len(values)
    return [1 + bins * sum(worse(o, v) for o in values) // n for v in values]


def in_fives(s: int, n_scores: int) -> int:
    """A score of 1..n brought to 1..5, rounded up."""
    return -(-s * 5 // n_scores)


def class_of(scores: list[int], classes: list[dict]) -> str | None:
    for row in classes:
        ranges = [(row[f"{x}_min"], row[f"{x}_max"]) for x in "rfm"]
        if all(
            (low == 0 or s >= low) and (high == 0 or s <= high)
            for s, (low, high) in zip(scores, ranges)
        ):
            return row["class"]
    return None


def slow_rfm(people: dict[int, Person], how: dict, zone, classes) -> list[tuple]:
    rows = []
    for profile in sorted(people):
        if people[profile].known or how["include_guests"]:
            found = measures(people[profile], how, zone)
            if found:
                rows.append((profile, *found))
    if not rows:
        return []
    limits = [how["r_limits"], how["f_limits"], how["m_limits"]]
    scores, wide = [], []
    for i in range(3):
        values = [row[i + 1] for row in rows]
        scores.append(score(values, limits[i], how["bins"] or 5, i == 0))
        wide.append(how["bins"] or 5 if limits[i] is None else len(limits[i]) + 1)
    result = []
    for row, found in zip(rows, zip(*scores)):
        fives = [in_fives(s, n) for s, n in zip(found, wide)]
        result.append((*row, *found, class_of(fives, classes)))
    return result


# ---- random histories --------------------------------------------------------------


def random_time(dice: random.Random, zone) -> int:
    """Often close to midnight, or to a change of the clock."""
    start = dt.datetime(2023, 1, 1, tzinfo=UTC)
    at = start + dt.timedelta(seconds=dice.randrange(500 * 86400))
    if dice.random() < 0.5:
        night = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        at = night.astimezone(UTC) + dt.timedelta(milliseconds=dice.randrange(-2, 3))
    if dice.random() < 0.1:
        at = dt.datetime(2023, 3, 26, 1, tzinfo=UTC) + dt.timedelta(
            seconds=dice.randrange(-7200, 7200)
        )
    return (at - dt.datetime(1970, 1, 1, tzinfo=UTC)) // dt.timedelta(milliseconds=1)


def random_event(dice: random.Random, zone, who: dict) -> Event:
    kind = dice.choices(["order", "refund", "product_view"], [6, 2, 2])[0]
    value = dice.choice([0, 1, 99, 100, 101, 5000, dice.randrange(100_000)])
    return Event(
        kind,
        who,
        time=random_time(dice, zone),
        value_minor=-value if kind == "refund" else value,
    )


def history(dice: random.Random, store: cjourney.Store, zone) -> dict[int, Person]:
    """Record a random shop, some of it sealed; who did what, told independently."""
    events = []
    for i in range(dice.choice([1, 3, 20, 60])):
        ways = [("user_id", f"u{i}")] if dice.random() < 0.8 else [("guest", f"g{i}")]
        if ways[0][0] == "user_id" and dice.random() < 0.5:
            ways.append(("email", f"e{i}@x.de"))
            events.append(Event("login", [*ways], time=random_time(dice, zone)))
        for _ in range(dice.choice([0, 1, 1, 2, 5, 12])):
            events.append(random_event(dice, zone, dict([dice.choice(ways)])))
    dice.shuffle(events)
    cut = dice.randrange(len(events) + 1)
    store.record_many(events[:cut])
    if dice.random() < 0.5:
        store.compact()
    store.record_many(events[cut:])

    people: dict[int, Person] = defaultdict(Person)
    for event in events:
        for way in dict(event.identifiers).items():
            person = people[store.find_profile(*way)]
            person.known |= way[0] != "guest"
        if event.name in ("order", "refund"):
            person.money.append((event.time, event.name, event.value_minor))
    for _ in range(len(people) // 5):
        a, b = sorted(dice.sample(sorted(people), 2))
        store.merge(a, b)
        gone = people.pop(b)
        people[a].known |= gone.known
        people[a].money += gone.money
    return people


def random_options(dice: random.Random, zone) -> dict:
    def limits(top: int):
        if dice.random() < 0.6:
            return None
        return sorted(dice.sample(range(top), dice.randrange(1, 6)))

    return {
        "as_of": random_time(dice, zone) + dice.choice([0, 200, 400]) * 24 * HOUR_MS,
        "since": dice.choice([0, 0, random_time(dice, zone)]),
        "recency": dice.choice(["days", "hours"]),
        "frequency": dice.choice(["orders", "repeat_days"]),
        "monetary": dice.choice(["net", "gross"]),
        "monetary_of": dice.choice(["total", "mean"]),
        "bins": dice.choice([0, *range(2, 11)]),
        "threads": dice.choice([0, 1, 2, 3, 7]),
        "r_limits": limits(400),
        "f_limits": limits(10),
        "m_limits": limits(20_000),
        "include_guests": dice.random() < 0.5,
    }


def columns(how: dict) -> tuple[str, ...]:
    return ("profile", f"recency_{how['recency']}", "frequency", "monetary_minor",
            "r", "f", "m", "class")  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_rfm_is_what_the_header_says(seed, path):
    dice = random.Random(seed)
    name = ZONES[seed % len(ZONES)]
    zone = zoneinfo.ZoneInfo(name)
    classes = cjourney.rfm_classes().to_dicts()
    with cjourney.open(path, time_zone=name) as store:
        people = history(dice, store, zone)
        for _ in range(60):
            how = random_options(dice, zone)
            table = store.rfm(**how)
            assert table.columns == columns(how)
            got = [tuple(row) for row in table]
            assert got == slow_rfm(people, how, zone, classes), how


def test_the_slow_one_knows_a_case_done_by_hand():
    """Ann: two orders and a refund; Bob: one order, the day the clocks change."""
    zone = zoneinfo.ZoneInfo("Europe/London")
    ms = lambda *a: int(dt.datetime(*a, tzinfo=zone).timestamp() * 1000)  # noqa: E731
    ann, bob = Person(), Person()
    ann.known = bob.known = True
    ann.money = [
        (ms(2023, 3, 1, 12), "order", 1000),
        (ms(2023, 3, 20, 12), "order", 2001),
        (ms(2023, 3, 21, 12), "refund", -500),
    ]
    bob.money = [(ms(2023, 3, 26, 0, 30), "order", 1500)]
    how = dict(as_of=ms(2023, 3, 27), since=0, recency="days", frequency="orders",
               monetary="net", monetary_of="mean", bins=2, r_limits=None, f_limits=None,
               m_limits=[1250, 1251], include_guests=False)  # fmt: skip
    classes = [dict(r_min=0, r_max=0, f_min=0, f_max=0, m_min=0, m_max=0)]
    classes[0]["class"] = "all"
    rows = slow_rfm({1: ann, 2: bob}, how, zone, classes)
    # (2501 / 2 = 1250.5 rounds to the even 1250)
    assert rows == [(1, 7, 2, 1250, 1, 2, 2, "all"), (2, 1, 1, 1500, 2, 1, 3, "all")]


def test_threads_and_sealing_do_not_change_a_byte(path):
    dice = random.Random(99)
    zone = zoneinfo.ZoneInfo("Europe/London")
    with cjourney.open(path, time_zone="Europe/London") as store:
        store.record_many(
            random_event(dice, zone, {"user_id": f"u{dice.randrange(3000)}"})
            for _ in range(12_000)
        )
        how = dict(as_of="2025-01-01", identifier="user_id")
        first = store.rfm(**how).format("csv")
        assert len(first.splitlines()) > 2000
        store.compact()
        for threads in (1, 2, 3, 7):
            assert store.rfm(threads=threads, **how).format("csv") == first


def test_scores_of_equal_values_are_equal(store):
    for user in range(10):
        store.record(
            "order", user_id=f"u{user}", value_minor=100, time=1_700_000_000_000
        )
    rows = list(store.rfm(as_of=1_700_000_100_000))
    assert {(row.r, row.f, row.m) for row in rows} == {(1, 1, 1)} and len(rows) == 10
