"""Explaining segments against the second opinion in tests/oracle: random shops are recorded into
real files, random segments taken apart, and what each clause lets pass - alone and in its order -
is counted again from the slow interpreter's answers; so is what `why` says of each profile, with
the facts that it found."""

import random
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import cjourney  # noqa: E402
from segment_moments import NEVER, flips, valid_until  # noqa: E402
from segment_random import Expressions, History  # noqa: E402
from segment_text import DAY, Money, Time, iso_time, parse  # noqa: E402
from segments import truth, worth  # noqa: E402

WORDS = {True: "true", False: "false", None: "unknown"}
SEGMENTS = 25  # of each shop


# ---- taking apart, slowly ------------------------------------------------------------------


def flat(node):
    """The tree with `and`s within `and`s, `or`s within `or`s joined, as canonical text has it."""
    if type(node) is not tuple or not node:
        return node
    kids = [flat(kid) for kid in node[1:]]
    if node[0] not in ("and", "or"):
        return (flat(node[0]), *kids)
    joined = []
    for kid in kids:
        joined += kid[1:] if isinstance(kid, tuple) and kid[:1] == node[:1] else [kid]
    return (node[0], *joined)


def is_bracket(node):
    return node[0] in ("and", "or") or (node[0] == "not" and is_bracket(node[1]))


def clauses(node, depth=0):
    """(depth, clause, the way to it): the whole, then its clauses, theirs, ..."""
    yield depth, node
    if is_bracket(node):
        for kid in node[1:]:
            yield from clauses(kid, depth + 1)


def passing(node, is_true):
    """{place in clauses(): profiles that pass it and those before it in its bracket}."""
    found, place = {0: is_true(node)}, 0

    def walk(node):
        nonlocal place
        if not is_bracket(node):
            return
        before = None
        for kid in node[1:]:
            place += 1
            now = is_true(kid)
            if before is not None and node[0] != "not":
                now = before & now if node[0] == "and" else before | now
            before = now
            found[place] = now
            walk(kid)

    walk(node)
    return found


# ---- random shops ---------------------------------------------------------------------------


def recorded(path, seed):
    history = History(random.Random(seed))
    store = cjourney.Store(path, currency="EUR", time_zone=history.zone_name, deferred=True, seal_events=20)
    history.play(store, (cjourney.ExistsError, cjourney.NotFoundError, cjourney.InvalidError))
    store.flush()
    if seed % 2:
        store.compact()
    return history, store, history.profiles(store)


def some_segments(history, seed):
    expressions = Expressions(random.Random(seed), history)
    found = []
    while len(found) < SEGMENTS:
        text = expressions.condition(random.Random(len(found)).choice((1, 2, 2, 3)))
        if "properties." not in text:
            found.append(text)
    return found


def check_counts(rows, node, history, profiles, now):
    answers = {}

    def is_true(clause):
        if clause not in answers:
            answers[clause] = {p.number: truth(clause, p, history.shop, now) for p in profiles}
        return {number for number, answer in answers[clause].items() if answer is True}

    wanted = list(clauses(node))
    in_order = passing(node, is_true)
    assert [row["depth"] for row in rows] == [depth for depth, _ in wanted]
    for place, (row, (_, clause)) in enumerate(zip(rows, wanted)):
        assert flat(parse(row["clause"], history.shop)) == clause, row["clause"]
        assert row["passes_alone"] == len(is_true(clause)), row["clause"]
        assert row["unknown"] == sum(answer is None for answer in answers[clause].values()), row["clause"]
        assert row["passes_in_order"] == len(in_order[place]), row["clause"]
        assert row["share"] == row["passes_alone"] / len(profiles)


@pytest.mark.parametrize("seed", range(1, 7))
def test_counts_are_those_of_the_second_opinion(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    dice = random.Random(seed)
    with store:
        for text in some_segments(history, seed):
            now = dice.choice((history.middle, history.end, dice.choice(history.times) + 1))
            first = store.segment_explain(text, as_of=now)
            assert first.to_dicts()[0]["clause"] == store.format_segment(text)
            node = flat(parse(store.format_segment(text), history.shop))
            check_counts(list(first), node, history, profiles, now)
            again = store.segment_explain(text, as_of=now, threads=dice.choice((2, 3, 7)))
            assert again.format("csv") == first.format("csv")


@pytest.mark.parametrize("seed", range(1, 4))
def test_why_says_the_same_of_each_profile(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    with store:
        for text in some_segments(history, seed + 100):
            now = history.middle + 3 * DAY
            wanted = list(clauses(flat(parse(store.format_segment(text), history.shop))))
            for profile in profiles[:4]:
                rows = list(store.segment_why(profile.number, text, as_of=now))
                assert [row["depth"] for row in rows] == [depth for depth, _ in wanted]
                for row, (_, clause) in zip(rows, wanted):
                    assert row["truth"] == WORDS[truth(clause, profile, history.shop, now)], row["clause"]
                whole = store.segment_evaluate(text, as_of=now)
                until = {row["profile"]: row["valid_until_ms"] for row in whole}
                assert rows[0]["valid_until_ms"] == until[profile.number]


@pytest.mark.parametrize("seed", range(1, 4))
def test_why_knows_how_long_each_clause_holds(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    begin, checked = history.begin - 40 * DAY, 0
    with store:
        for text in some_segments(history, seed + 200)[:8]:
            now = history.middle + 5 * DAY
            for profile in profiles[:3]:
                for row in store.segment_why(profile.number, text, as_of=now):
                    if re.search("days_since|hours_since|overdue|trend|median", row["clause"]):
                        continue  # the second opinion does not know all of their moments
                    clause = parse(row["clause"], history.shop)
                    turn = valid_until(flips(clause, profile, history.shop, begin), now)
                    assert row["valid_until_ms"] == (None if turn == NEVER else turn), row["clause"]
                    checked += 1
    assert checked > 50


# ---- facts found -----------------------------------------------------------------------------


def spelled(value, shop, found):
    """Does the text say the value?"""
    if value is None:
        return found in ("missing", "unknown")
    if isinstance(value, bool):
        return found == ("true" if value else "false")
    if isinstance(value, Money):
        return found.endswith(" EUR") and round(float(found[:-4]) * 100) == value.minor
    if isinstance(value, Time):
        return iso_time(found, shop.zone) == value.ms
    if isinstance(value, float):
        return float(found) == pytest.approx(float(value), rel=1e-12)
    return found == repr(value) or found.strip('"') == value


VALUES = [
    "count(view) >= 0", "count(view, last 10 days) = 1", "orders() > 1", "orders(last 20 days) > 1",
    "revenue() > 5 EUR", "average_order() > 5 EUR", "largest_order(last 30 days) >= 1 EUR",
    "last(view) within last 30 days", "first(any) before 2025-01-01", "sum(quantity, any) > 2",
    "distinct(product, any) > 1", "channels() > 1", "first_channel() = \"web\"",
    "last_value(campaign, any) = \"x\"", "top_channel() is known", "has(email)", "identifiers() > 1",
    "stage(purchase)", "share(view of any) > 10 %", "refund_share() > 1 %", "items() >= 1",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(1, 5))
def test_facts_are_worth_what_the_second_opinion_says(tmp_path, seed):
    history, store, profiles = recorded(tmp_path / "shop.db", seed)
    now = history.middle + 2 * DAY
    with store:
        for text in VALUES:
            for profile in profiles:
                row = list(store.segment_why(profile.number, text, as_of=now))[0]
                what, found = row["found"].split(" is ", 1)
                assert text.startswith(what), (text, row["found"])
                node = parse(text, history.shop)
                fact = node if what == text else fact_of(node)
                value = worth(fact, profile, history.shop, now)
                assert spelled(value, history.shop, found.split(";")[0]), (text, found, value)


def fact_of(node):
    """The call on the left of a relation."""
    return next(kid for kid in node[1:] if isinstance(kid, tuple))
