"""The segment commands that ask about segments themselves: explain, why, overlap, sizes, compare.
The shop is that of test_cli_segment: small enough to know by heart."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cli import DONE, NOTHING, USAGE, ndjson, order, run  # noqa: E402

AS_OF = ["--as-of", "2025-04-01"]
SEGMENT = 'country = "DE" and (orders() >= 2 or revenue() > 50 EUR)'


def person(who, **traits):
    return {"type": "identify", "time": "2025-01-01T00:00:00Z", "user_id": who, "traits": traits, "source": "crm"}


MESSAGES = [
    person("ann", country="DE"), person("bob", country="AT"), person("cid", country="DE"), person("dora", vip=True),
    order("ann", "2025-01-05T10:00:00Z", "A1", "20.00"),
    order("ann", "2025-03-01T10:00:00Z", "A2", "35.50"),
    order("bob", "2025-02-10T22:30:00Z", "A3", "10.00", channel="app"),
    order("cid", "2025-03-09T23:30:00Z", "A4", "99.99"),
]  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    done = run("-d", path, "import", "--format", "json", "--time-zone", "Europe/Berlin", "-", stdin=ndjson(MESSAGES))
    assert done.returncode == DONE, done.err
    for name, text in (("vip", "revenue() > 50 EUR"), ("german", 'country = "DE"'), ("two words", "orders() >= 2")):
        assert run("-d", path, "segment", "define", name, text).returncode == DONE
    return path


def segment(path, *words, **more):
    return run("-d", path, "segment", *words, **more)


def rows(path, *words):
    done = segment(path, *words, "--format", "json")
    assert done.returncode == DONE, done.err
    return json.loads(done.out)


# ---- explain ------------------------------------------------------------------------------------


def test_explain__a_row_for_each_clause(shop):
    found = rows(shop, "explain", SEGMENT, *AS_OF)
    assert [(row["depth"], row["clause"]) for row in found] == [
        (0, SEGMENT), (1, 'country = "DE"'), (1, "orders() >= 2 or revenue() > 50 EUR"),
        (2, "orders() >= 2"), (2, "revenue() > 50 EUR")]
    assert [row["passes_alone"] for row in found] == [2, 2, 2, 1, 2]
    assert [row["passes_in_order"] for row in found] == [2, 2, 2, 1, 2]
    assert found[0]["unknown"] == 0, "dora has no country, but she has no orders either"
    assert found[1]["unknown"] == 1


def test_explain__an_outline_for_people(shop):
    lines = segment(shop, "explain", SEGMENT, *AS_OF, "--format", "table").out.splitlines()
    assert lines[0].split() == ["clause", "pass", "it", "share", "unknown", "in", "order", "reads"]
    assert [line[:24].rstrip() for line in lines[1:]] == [
        "the whole", '  country = "DE"', "  orders() >= 2 or reven", "    orders() >= 2", "    revenue() > 50 EUR"]
    assert "50.0%" in lines[1] and "traits: country" in lines[2]
    (line,) = segment(shop, "explain", "vip", *AS_OF, "--format", "table").out.splitlines()[1:]
    assert line.startswith("revenue() > 50 EUR")


def test_explain__names_files_pipes_and_trees(shop, tmp_path):
    by_name = rows(shop, "explain", "vip", *AS_OF)
    (tmp_path / "it.segment").write_text("-- the best\nrevenue() > 50 EUR")
    assert rows(shop, "explain", f"@{tmp_path / 'it.segment'}", *AS_OF) == by_name
    tree = segment(shop, "format", "--form", "json", "revenue() > 50 EUR").out
    assert rows(shop, "explain", tree, *AS_OF) == by_name
    piped = segment(shop, "explain", "-", *AS_OF, "--format", "json", stdin="revenue() > 50 EUR")
    assert json.loads(piped.out) == by_name


def test_explain__mistakes(shop):
    done = segment(shop, "explain", "vipp")
    assert done.returncode != DONE and done.out == "" and "did you mean `vip`" in done.err
    done = segment(shop, "explain", "orders() > 1 and oders() > 2")
    assert done.returncode != DONE and "did you mean `orders`" in done.err
    assert segment(shop, "explain").returncode == USAGE
    assert segment(shop, "explain", "a", "b").returncode == USAGE


# ---- why ----------------------------------------------------------------------------------------


def test_why__the_facts_behind_it(shop):
    found = rows(shop, "why", "user_id=ann", SEGMENT, *AS_OF)
    assert [row["truth"] for row in found] == ["true"] * 5
    assert [row["found"] for row in found] == [
        "2 of 2 clauses are true", 'country is "DE"', "2 of 2 clauses are true", "orders() is 2",
        "revenue() is 55.50 EUR"]
    found = rows(shop, "why", "dora", SEGMENT, *AS_OF)
    assert [row["truth"] for row in found] == ["false", "unknown", "false", "false", "false"]
    assert found[1]["found"] == "country is missing"


def test_why__for_people(shop):
    done = segment(shop, "why", "cid", "orders(last 30 days) >= 1 and vip is missing", "--as-of", "2025-03-20",
                   "--format", "table")
    lines = done.out.splitlines()
    assert lines[0].split() == ["clause", "holds", "because", "until"]
    assert lines[1].split()[:3] == ["the", "whole", "yes"]
    assert "2025-04-09 01:30:00" in lines[2], "Berlin, in summer"
    assert lines[3].split() == ["vip", "is", "missing", "yes", "vip", "is", "missing", "something", "is", "new"]


def test_why__mistakes(shop):
    done = segment(shop, "why", "nobody", "vip")
    assert done.returncode == NOTHING and 'no profile has an identifier "nobody"' in done.err
    done = segment(shop, "why", "ann", "vipp")
    assert done.returncode != DONE and "did you mean `vip`" in done.err
    assert segment(shop, "why", "ann").returncode == USAGE


# ---- overlap, sizes -----------------------------------------------------------------------------


def test_overlap__combinations(shop):
    done = segment(shop, "overlap", "german", "vip", "two words", *AS_OF, "--format", "csv")
    assert list(csv.reader(io.StringIO(done.out))) == [
        ["german", "vip", "two words", "profiles"],
        ["0", "0", "0", "2"],  # bob and dora
        ["1", "1", "1", "1"],  # ann
        ["1", "1", "0", "1"],  # cid
    ]
    lines = segment(shop, "overlap", "german", "vip", *AS_OF, "--format", "table").out.splitlines()
    assert [line.split() for line in lines] == [["german", "vip", "profiles"], ["yes", "yes", "2"], ["-", "-", "2"]]


def test_overlap__mistakes(shop):
    done = segment(shop, "overlap", "vip", "germa")
    assert done.returncode != DONE and "did you mean `german`" in done.err
    done = segment(shop, "overlap", "vip", "vip")
    assert done.returncode != DONE and "twice" in done.err
    assert segment(shop, "overlap", *[f"n{n}" for n in range(17)]).returncode == USAGE


def test_sizes__at_midnights(shop):
    found = rows(shop, "sizes", "orders() >= 1", "--since", "2025-01-05", "--as-of", "2025-03-12", "--step", "11")
    assert [row["members"] for row in found] == [0, 1, 1, 1, 2, 2, 3]
    assert [row["entered"] for row in found] == [None, 1, 0, 0, 1, 0, 1]
    assert {row["left"] for row in found[1:]} == {0}
    lines = segment(shop, "sizes", "vip", "--since", "2025-03-09", "--as-of", "2025-03-11", "--format",
                    "table").out.splitlines()
    assert lines[0].split() == ["time", "members", "entered", "left"]
    assert [line.split() for line in lines[1:]] == [
        ["2025-03-09", "00:00:00", "1"], ["2025-03-10", "00:00:00", "1", "0", "0"],
        ["2025-03-11", "00:00:00", "2", "1", "0"]]


def test_sizes__mistakes(shop):
    done = segment(shop, "sizes", "vip")
    assert done.returncode == USAGE and "for example --since 2025-01-01" in done.err
    done = segment(shop, "sizes", "vip", "--since", "2025-01-01", "--step", "0")
    assert done.returncode == USAGE and "--step must be a whole number" in done.err
    done = segment(shop, "sizes", "vip", "--since", "someday")
    assert done.returncode == USAGE and "write 2025-12-31" in done.err
    done = segment(shop, "sizes", "vip", "--since", "2025-03-01", "--as-of", "2025-02-01")
    assert done.returncode == USAGE and "later than as_of" in done.err


# ---- compare ------------------------------------------------------------------------------------


def test_compare__what_sets_them_apart(shop):
    found = rows(shop, "compare", "vip", 'not in_segment("vip")', *AS_OF)
    by = {(row["dimension"], row["value"]): row for row in found}
    web = by["channel", "web"]  # both of two against none of two
    assert (web["n_a"], web["n_b"], web["share_a"], web["share_b"]) == (2, 0, 1, 0)
    assert web["lift"] == pytest.approx(5)  # (2.5 of 2.5) : (0.5 of 2.5)
    assert by["channel", "app"]["n_b"] == 1
    assert by["trait:country", "DE"]["n_a"] == 2
    assert len(rows(shop, "compare", "vip", 'not in_segment("vip")', *AS_OF, "--limit", "2")) == 2
    lines = segment(shop, "compare", "vip", 'not in_segment("vip")', *AS_OF, "--format", "table").out.splitlines()
    assert lines[0].split() == "what value of the first of the second times at least at most".split()
    assert any(line.split()[:4] == ["channel", "web", "100.0%", "0.0%"] for line in lines)


def test_compare__nothing_and_mistakes(shop):
    done = segment(shop, "compare", "vip", "orders() > 99", "--format", "csv")
    assert done.returncode == NOTHING and done.out.startswith("dimension,value,")
    assert "one is empty" in done.err
    assert segment(shop, "compare", "vip").returncode == USAGE
    done = segment(shop, "compare", "vip", "oders() > 1")
    assert done.returncode != DONE and "did you mean `orders`" in done.err
    done = segment(shop, "compare", "vip", "german", "--limit", "0")
    assert done.returncode == USAGE and "--limit must be" in done.err


@pytest.mark.parametrize("words", [
    ["explain", SEGMENT], ["overlap", "vip", "german"], ["compare", "vip", 'not in_segment("vip")'],
    ["sizes", "vip", "--since", "2025-01-01"]])
def test_threads_do_not_change_a_byte(shop, words):
    told = {segment(shop, *words, *AS_OF, "--threads", n, "--format", "csv").out for n in (1, 2, 5)}
    assert len(told) == 1 and len(told.pop().splitlines()) > 1


def test_help_has_all_of_them():
    text = run("help", "segment").out
    for name in ("explain", "why", "overlap", "sizes", "compare"):
        assert f"\n  {name} " in text
        assert f"cjourney -d shop.db segment {name} " in run("help", "segment", name).out
