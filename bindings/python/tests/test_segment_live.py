"""Live segments and their feed, through the binding."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

import cjourney
from cjourney import Event, InvalidError

DAY = 86_400_000
SEGMENTS = {
    "buyers": "orders() >= 1",
    "recent": "count(any, last 10 days) >= 1",
    "idle": "not in_segment(\"recent\")",
    "german": 'country = "DE"',
    "spender": "revenue(last 30 days) > 20 EUR",
}


def now():
    return int(time.time() * 1000)


def members(store, name, at):
    return {row["profile"] for row in store.segment_members(name, as_of=at)}


def replayed(store, step=7):
    """Who is in which segment by the feed, read a few rows at a time."""
    found, after = {name: set() for name in SEGMENTS}, 0
    while True:
        rows = list(store.segment_feed(after, step))
        if not rows:
            return found
        for row in rows:
            assert row["change"] > after
            after = row["change"]
            who = found.setdefault(row["segment"], set())
            assert (row["profile"] in who) == (row["what"] == "left"), row
            (who.add if row["what"] == "entered" else who.remove)(row["profile"])


def test_a_feed_begins_with_who_is_in(store):
    store.record("order", user_id="ann", value_minor=500)
    store.define_segment("buyers", "orders() >= 1", live=True)
    store.record("order", user_id="bob", value_minor=500)
    rows = [tuple(row[c] for c in ("segment", "profile", "what", "cause"))
            for row in store.segment_feed()]
    assert rows == [("buyers", 1, "entered", "definition"), ("buyers", 2, "entered", "event")]
    assert list(store.segment_feed(after=2)) == []
    assert len(store.segment_feed(limit=1)) == 1
    assert [row["live"] for row in store.segments()] == [1]


def test_one_that_is_not_live_has_no_feed(store):
    store.define_segment("buyers", "orders() >= 1")
    store.record("order", user_id="ann", value_minor=500)
    assert len(store.segment_feed()) == 0
    assert store.segment_advance() == 0
    assert [row["live"] for row in store.segments()] == [0]


def test_time_passes_at_exact_moments(store):
    store.define_segment("recent", SEGMENTS["recent"], live=True)
    at = now() - 3 * DAY
    store.record("view", user_id="ann", time=at)
    assert store.segment_advance(at + 10 * DAY) == 0
    assert store.segment_advance(at + 10 * DAY + 1) == 1
    last = list(store.segment_feed())[-1]
    assert (last["what"], last["cause"], last["time_ms"]) == ("left", "clock", at + 10 * DAY + 1)
    assert members(store, "recent", at + 10 * DAY) == {1}
    assert members(store, "recent", at + 10 * DAY + 1) == set()


@pytest.mark.parametrize("after, limit", [(-1, 0), (0, -1), (0, 1_000_001)])
def test_a_cursor_that_is_none(store, after, limit):
    with pytest.raises(InvalidError):
        store.segment_feed(after, limit)


def events(dice, n):
    for _ in range(n):
        who = {"user_id": f"u{dice.randrange(12)}"}
        if dice.random() < 0.2:
            who["email"] = f"m{dice.randrange(6)}@a.de"
        name = dice.choice(("view", "order"))
        yield Event(
            name,
            who,
            time=now() - dice.randrange(40 * DAY),
            value_minor=dice.randrange(3000) if name == "order" else 0,
        )


@pytest.mark.parametrize("seed", range(3))
def test_the_feed_is_the_membership(store, seed):
    dice = random.Random(seed)
    for name, text in SEGMENTS.items():
        store.define_segment(name, text, live=True)
    at = now() + DAY
    for _ in range(6):
        store.record_many(events(dice, 15))
        store.identify(user_id=f"u{dice.randrange(12)}", traits={"country": dice.choice(("DE", "FR"))})
        if dice.random() < 0.3:
            store.compact()
        at += dice.randrange(5 * DAY)
        store.segment_advance(at)
        found = replayed(store)
        for name in SEGMENTS:
            assert found[name] == members(store, name, at), name
    assert list(store.check()) == []


WRITER = """
import sys
import cjourney
store = cjourney.Store(sys.argv[1], currency="EUR")
for i in range(60):
    store.record("order" if i % 3 else "view", user_id=f"u{i % 9}", value_minor=700 if i % 3 else 0)
store.close()
"""


def test_two_processes_feed_one_feed(tmp_path):
    path = tmp_path / "shop.cj"
    with cjourney.Store(path, currency="EUR") as store:
        for name, text in SEGMENTS.items():
            store.define_segment(name, text, live=True)
        children = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(2)
        ]
        for i in range(40):
            store.record("view", user_id=f"u{i % 11}")
        assert [child.wait(60) for child in children] == [0, 0]
        at = now() + 5000
        store.segment_advance(at)
        found = replayed(store)
        for name in SEGMENTS:
            assert found[name] == members(store, name, at), name
        assert list(store.check()) == []
