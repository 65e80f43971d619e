"""Overlap and size over time against the second opinion in tests/oracle: random shops, random
definitions that lean on each other, every profile asked one by one, at every local midnight."""

import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import cjourney  # noqa: E402
from segment_random import Expressions, History  # noqa: E402
from segment_text import DAY, local_date, midnight, parse  # noqa: E402
from segments import truth  # noqa: E402

NAMES = ["vip", "best customers", "ü:1", "x", "never", "all of them"]


def recorded(path, seed):
    """A shop with definitions: random ones, one of nobody, one that leans on two others."""
    history = History(random.Random(seed), n_people=12, n_events=150)
    store = cjourney.Store(path, currency="EUR", time_zone=history.zone_name, deferred=True, seal_events=25)
    history.play(store, (cjourney.ExistsError, cjourney.NotFoundError, cjourney.InvalidError))
    store.flush()
    if seed % 2:
        store.compact()
    expressions = Expressions(random.Random(seed), history)
    for name in NAMES:
        text = {"never": "orders() < 0", "all of them": 'in_segment("vip") or in_segment("x")'}.get(name)
        while text is None or "properties." in text:
            text = expressions.segment()
        store.define_segment(name, text)
        history.shop.segments[name] = parse(text, history.shop)
    return history, store, history.profiles(store)


def members(name, history, profiles, now):
    found = history.shop.segments[name]
    return {profile.number for profile in profiles if truth(found, profile, history.shop, now) is True}


# ---- overlap ---------------------------------------------------------------------------------


def overlap(names, history, profiles, now):
    """Rows as the header says, by asking for each profile."""
    of = {name: members(name, history, profiles, now) for name in names}
    counts = Counter(tuple(int(profile.number in of[name]) for name in names) for profile in profiles)
    rows = [(*combination, n) for combination, n in counts.items()]
    return sorted(rows, key=lambda row: (-row[-1], [-bit for bit in row[:-1]]))


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_combination_is_counted(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    dice = random.Random(seed)
    with store:
        for _ in range(12):
            names = dice.sample(NAMES, dice.randrange(1, len(NAMES) + 1))
            now = dice.choice((history.middle, history.end, dice.choice(history.times)))
            table = store.segment_overlap(names, as_of=now, threads=dice.choice((0, 1, 2, 5)))
            assert table.columns == (*names, "profiles")
            assert [tuple(row) for row in table] == overlap(names, history, profiles, now)
            assert sum(row["profiles"] for row in table) == len(profiles)


def test_sixteen_segments_and_a_list(tmp_path):
    history, store, profiles = recorded(tmp_path / "shop.db", 3)
    with store:
        chosen = {profile.number for profile in profiles[::2]}
        store.define_list("chosen", chosen)
        names = ["chosen"]
        for n in range(15):
            store.define_segment(f"sample {n}", f'sample(50 %, "{n}")')
            history.shop.segments[f"sample {n}"] = parse(f'sample(50 %, "{n}")', history.shop)
            names.append(f"sample {n}")
        rows = [tuple(row) for row in store.segment_overlap(names)]
        of = {name: members(name, history, profiles, 0) for name in names[1:]} | {"chosen": chosen}
        assert sum(row[-1] for row in rows) == len(profiles)
        for place, name in enumerate(names):
            assert sum(row[-1] for row in rows if row[place]) == len(of[name])
        with pytest.raises(cjourney.InvalidError, match="1..16"):
            store.segment_overlap([*names, "vip"])
        with pytest.raises(cjourney.InvalidError, match="1..16"):
            store.segment_overlap([])


def test_overlap_of_names_that_are_wrong(tmp_path):
    _, store, _ = recorded(tmp_path / "shop.db", 4)
    with store:
        with pytest.raises(cjourney.NotFoundError, match="did you mean `vip`"):
            store.segment_overlap(["x", "vips"])
        with pytest.raises(cjourney.InvalidError, match="twice") as wrong:
            store.segment_overlap(["x", "vip", "x"])
        assert wrong.value.position == 2
        with pytest.raises(cjourney.NotFoundError):
            store.segment_overlap(["orders() = 0"])  # names only: columns are called so
        store.define_segment("profiles", "orders() = 0")
        with pytest.raises(cjourney.InvalidError, match="another name"):
            store.segment_overlap(["profiles"])


# ---- size over time ---------------------------------------------------------------------------


def midnights(since, until, step, zone):
    day = local_date(since, zone)
    if midnight(day, zone) < since:
        day += timedelta(days=1)
    found = []
    while midnight(day, zone) <= until:
        found.append(midnight(day, zone))
        day += timedelta(days=step)
    return found


def sizes(name, history, profiles, moments):
    rows, before = [], None
    for moment in moments:
        now = members(name, history, profiles, moment)
        came, went = (None, None) if before is None else (len(now - before), len(before - now))
        rows.append((moment, len(now), came, went))
        before = now
    return rows


@pytest.mark.parametrize("seed", range(1, 9))
def test_sizes_at_every_midnight(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    dice = random.Random(seed)
    with store:
        for name in ("vip", "x", "best customers", "all of them"):
            since = history.begin - dice.randrange(3 * DAY)
            until = history.end + dice.randrange(10 * DAY)
            step = dice.choice((1, 1, 2, 7))
            table = store.segment_sizes(name, since=since, as_of=until, step_days=step, threads=dice.choice((0, 2, 3)))
            moments = midnights(since, until, step, history.shop.zone)
            assert [tuple(row) for row in table] == sizes(name, history, profiles, moments), name


def test_sizes_of_an_expression_and_of_a_list(tmp_path):
    history, store, profiles = recorded(tmp_path / "shop.db", 5)
    with store:
        text = "count(any, last 3 days) >= 1"
        history.shop.segments["active"] = parse(text, history.shop)
        moments = midnights(history.begin, history.end, 1, history.shop.zone)
        rows = store.segment_sizes(text, since=history.begin, as_of=history.end)
        assert [tuple(row) for row in rows] == sizes("active", history, profiles, moments)
        assert sum(row["entered"] or 0 for row in rows) > 10  # it does move
        store.define_list("some", [profiles[0].number, profiles[2].number])
        rows = list(store.segment_sizes("some", since=history.begin, as_of=history.end, step_days=10))
        assert [row["members"] for row in rows] == [2] * len(rows)
        assert [row["entered"] for row in rows] == [None] + [0] * (len(rows) - 1)


def test_both_ends_belong_to_it(tmp_path):
    history, store, _ = recorded(tmp_path / "shop.db", 6)
    zone = history.shop.zone
    one = midnight(local_date(history.middle, zone), zone)
    two = midnight(local_date(history.middle, zone) + timedelta(days=1), zone)
    with store:
        def times(since, until):
            return [row["time_ms"] for row in store.segment_sizes("x", since=since, as_of=until)]

        assert times(one, two) == [one, two]
        assert times(one + 1, two) == [two]
        assert times(one, two - 1) == [one]
        assert times(one + 1, two - 1) == []
        assert times(one, one) == [one]


def test_what_sizes_refuse(tmp_path):
    history, store, _ = recorded(tmp_path / "shop.db", 7)
    with store:
        with pytest.raises(cjourney.InvalidError, match="later than as_of"):
            store.segment_sizes("x", since=history.end, as_of=history.begin)
        with pytest.raises(cjourney.InvalidError, match="step_days"):
            store.segment_sizes("x", since=history.begin, step_days=-1)
        first = midnight(local_date(DAY, history.shop.zone), history.shop.zone)
        last = midnight(local_date(first, history.shop.zone) + timedelta(days=9_999), history.shop.zone)
        assert len(store.segment_sizes("never", since=first, as_of=last)) == 10_000
        with pytest.raises(cjourney.LimitError, match="longer steps"):
            store.segment_sizes("never", since=first, as_of=last + 2 * DAY)


def test_a_zone_that_left_out_a_day(tmp_path):
    """Apia went from 2011-12-29 to 2011-12-31: a moment is there once."""
    with cjourney.Store(tmp_path / "apia.db", currency="EUR", time_zone="Pacific/Apia") as store:
        store.record("order", user_id="ann", value_minor=100, time="2011-12-31T10:00")
        rows = list(store.segment_sizes("orders() = 1", since="2011-12-28", as_of="2012-01-02"))
        times = [row["time_ms"] for row in rows]
        assert times == sorted(set(times)) and len(times) == 5
        assert [row["members"] for row in rows] == [0, 0, 0, 1, 1]
