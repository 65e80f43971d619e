"""Segments through the library against the second opinion in tests/oracle: random shops are
recorded into real files, sealed in many ways, and random segments are evaluated at, and a
millisecond beside, the moments at which somebody enters or leaves, and at others.  For every
profile the truth and valid_until must be those of the slow interpreter.

CJ_NIGHTLY=1 makes a million comparisons.  CJ_SEED=n repeats one shop.
"""

import itertools
import json
import os
import random
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import cjourney  # noqa: E402
from segment_moments import NEVER, complete_until, flips, valid_until  # noqa: E402
from segment_random import Expressions, History  # noqa: E402
from segment_text import DAY, parse  # noqa: E402
from segments import truth  # noqa: E402

NIGHTLY = os.environ.get("CJ_NIGHTLY") == "1"
WANTED = 1_000_000 if NIGHTLY else 20_000
SEGMENTS = 40  # of each shop
WORDS = {0: False, 1: True, 2: None}

needs_segments = pytest.mark.skipif(
    not hasattr(cjourney.Store, "segment_evaluate"), reason="this library has no segments yet")


def recorded(path, seed):
    """A shop in a file, and its open store."""
    history = History(random.Random(seed))
    dice = random.Random(seed)
    store = cjourney.Store(path, currency="EUR", time_zone=history.zone_name, deferred=True,
                           seal_events=dice.choice((8, 40, 1000)))
    history.play(store, (cjourney.ExistsError, cjourney.NotFoundError, cjourney.InvalidError))
    store.flush()
    if dice.random() < 0.4:
        store.compact()
    assert len(store.failed_events()) == 0, list(store.failed_events())
    return history, store


def evaluated(store, text, now):
    """{profile: (truth, valid until)} as the library says it."""
    found = {}
    for row in store.segment_evaluate(text, as_of=now):
        until = row["valid_until_ms"]
        found[row["profile"]] = (WORDS[row["truth"]], NEVER if until is None else until)
    # Who is in it is found in other ways when nobody else is asked for.
    members = {row["profile"]: row["valid_until_ms"] or NEVER
               for row in store.segment_evaluate(text, as_of=now, members_only=True)}
    assert members == {profile: until for profile, (answer, until) in found.items() if answer}, (text, now)
    return found


class Comparison:
    """One segment over one shop."""

    def __init__(self, history, profiles, text, dice):
        self.shop, self.profiles, self.text, self.dice = history.shop, profiles, text, dice
        self.segment = parse(text, self.shop)
        begin = history.begin - 40 * DAY
        self.turns = [flips(self.segment, profile, self.shop, begin) for profile in profiles]
        self.complete = [complete_until(self.segment, profile, self.shop, begin) for profile in profiles]
        self.moments = self.choose(history)

    def choose(self, history):
        """Moments at and beside those at which something happens, and any."""
        last = history.end + 400 * DAY
        turns = sorted({turn for turns in self.turns for turn in turns if turn < last})
        some = self.dice.sample(turns, min(len(turns), 30 if NIGHTLY else 4))
        some += self.dice.sample(history.times, 2)
        beside = [moment + away for moment in some for away in (-1, 0, 1)]
        return beside + [self.dice.randrange(history.begin - DAY, history.end + 40 * DAY) for _ in range(3)]

    def wrong(self, found, now):
        """What is wrong with the library's answers, in words."""
        if set(found) != {profile.number for profile in self.profiles}:
            return f"{self.text!r} at {now}: profiles {sorted(found)}"
        for profile, turns, complete in zip(self.profiles, self.turns, self.complete):
            answer, until = found[profile.number]
            wanted = truth(self.segment, profile, self.shop, now)
            if answer is not wanted:
                return f"{self.text!r} of profile {profile.number} at {now} is {answer}, not {wanted}"
            known = valid_until(turns, now)
            late = max(now, known if known != NEVER else now) >= complete or (known == NEVER and complete != NEVER)
            if until != known and not (late and self.stands(profile, now, until)):
                return f"{self.text!r} of profile {profile.number} at {now} holds until {until}, not {known}"
        return None

    def stands(self, profile, now, until):
        """Where the oracle does not know all moments: is the answer another at until, and the
        same at any moment before?"""
        inside = truth(self.segment, profile, self.shop, now) is True
        last = min(until, now + 300 * DAY)
        before = [self.dice.randrange(now, last) for _ in range(50)] + ([until - 1] if until != NEVER else [])
        if any((truth(self.segment, profile, self.shop, moment) is True) != inside for moment in before):
            return False
        return until == NEVER or (truth(self.segment, profile, self.shop, until) is True) != inside


def compare_shop(path, seed):
    """How many answers were compared, and what was wrong."""
    history, store = recorded(path, seed)
    compared, wrong = 0, []
    with store:
        profiles = history.profiles(store)
        dice = random.Random(seed + 1_000_000)
        expressions = Expressions(dice, history)
        for _ in range(SEGMENTS):
            comparison = Comparison(history, profiles, expressions.segment(), dice)
            for now in comparison.moments:
                problem = comparison.wrong(evaluated(store, comparison.text, now), now)
                compared += len(profiles)
                if problem:
                    wrong.append(f"CJ_SEED={seed}: {problem}")
                    break
    return compared, wrong


@needs_segments
def test_the_library_and_the_second_opinion_agree(tmp_path):
    compared, wrong, start = 0, [], time.monotonic()
    seeds = [int(os.environ["CJ_SEED"])] if "CJ_SEED" in os.environ else itertools.count(1)
    for seed in seeds:
        n, problems = compare_shop(tmp_path / f"{seed}.db", seed)
        compared += n
        wrong += problems
        for file in tmp_path.iterdir():
            file.unlink()
        if compared >= WANTED or len(wrong) >= 10:
            break
    print(f"{compared} answers compared in {time.monotonic() - start:.0f} s, {len(wrong)} segments differ")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_facts_are_those_in_the_file(tmp_path, seed):
    """What the second opinion is told is what was recorded: else a difference says nothing."""
    history, store = recorded(tmp_path / "shop.db", seed)
    with store:
        for profile in history.profiles(store):
            rows = store.events(profile=profile.number)
            got = [(row["time_ms"], row["name"], row["channel"], row["session"], row["campaign"], row["content"],
                    row["product"], row["order_id"], row["quantity"], row["value_minor"], row["currency"],
                    row["properties"]) for row in rows]
            assert got == [tuple(event) for event in profile.events]
            for as_of in (history.begin, history.middle, history.end + 90 * DAY):
                known = {}
                for trait, value in profile.traits:
                    if trait.time <= as_of:
                        known[trait.name] = (value, trait.source)
                told = {row["name"]: (json.loads(row["value"]), row["source"])
                        for row in store.traits(profile.number, as_of=as_of)}
                assert told == {name: both for name, both in known.items() if both[0] is not None}
