"""The segment commands of the program: every one, in every format, with every kind of mistake.

The shop is small enough to know by heart who is in which segment; the real one (CJ_TEST_DATA)
is counted by test_segments_retail's own way."""

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli import (BUSY, DONE, FAILED, INTERRUPTED, NOTHING, PROGRAM, REJECTS, USAGE, lines_of,
                 ndjson, order, run)

sys.path.insert(0, str(Path(__file__).resolve().parent))

AS_OF = ["--as-of", "2025-04-01"]


def person(who, time="2025-01-01T00:00:00Z", email=None, **traits):
    identifiers = {"user_id": who, **({"email": email} if email else {})}
    return {"type": "identify", "time": time, "identifiers": identifiers, "traits": traits,
            "source": "crm"}


MESSAGES = [
    person("ann", country="DE", email="ann@example.org"),
    person("bob", country="AT"),
    person("cid", country="DE", email="cid@example.org"),
    person("dora", vip=True),  # no country, no order
    order("ann", "2025-01-05T10:00:00Z", "A1", "20.00"),
    order("ann", "2025-03-01T10:00:00Z", "A2", "35.50"),
    order("bob", "2025-02-10T22:30:00Z", "A3", "10.00"),
    order("cid", "2025-03-09T23:30:00Z", "A4", "99.99"),
]


@pytest.fixture
def shop(tmp_path):
    """Four people, profiles in the order ann, bob, cid, dora."""
    path = tmp_path / "shop.db"
    done = run("-d", path, "import", "--format", "json", "--time-zone", "Europe/Berlin", "-",
               stdin=ndjson(MESSAGES))
    assert done.returncode == DONE, done.err
    return path


def segment(path, *words, **more):
    return run("-d", path, "segment", *words, **more)


def who(path, *words, **more):
    """The user ids that eval or members finds."""
    done = segment(path, words[0], *AS_OF, *words[1:], **more)
    assert done.returncode in (DONE, NOTHING), done.err
    return [row["user_id"] for row in lines_of(done.out)]


# ---- eval --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression, expected", [
    ('country = "DE"', ["ann", "cid"]),
    ('not country = "DE"', ["bob"]),
    ("country is missing", ["dora"]),
    ("vip is true", ["dora"]),
    ("orders() >= 1", ["ann", "bob", "cid"]),
    ("orders() >= 2 and revenue() > 50 EUR", ["ann"]),
    ("revenue(last 30 days) > 99.98 EUR", ["cid"]),
    ("orders(last 30 days) = 0", ["ann", "bob", "dora"]),
    ("last(order) on 2025-03-10", ["cid"]),  # 00:30 in Berlin
    ("has(email)", ["ann", "cid"]),
    ("true", ["ann", "bob", "cid", "dora"]),
    ("orders() >= 1 -- a comment\n and has(email)", ["ann", "cid"]),
])
def test_segment_eval__who_is_in_it(shop, expression, expected):
    assert who(shop, "eval", expression) == expected


def test_segment_eval__columns_and_order_of_the_csv(shop):
    done = segment(shop, "eval", *AS_OF, "--format", "csv", 'country = "DE"')
    assert done.returncode == DONE and done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == "profile,user_id" and [line.split(",")[1] for line in lines[1:]] == ["ann", "cid"]
    profiles = [int(line.split(",")[0]) for line in lines[1:]]
    assert profiles == sorted(profiles) and len(set(profiles)) == 2


def test_segment_eval__four_formats_of_one_answer(shop):
    words = ["eval", "has(email)", *AS_OF]
    rows = lines_of(segment(shop, *words).out)
    assert [list(row) for row in rows] == [["profile", "user_id"]] * 2
    assert segment(shop, *words, "--format", "jsonl").out == segment(shop, *words).out
    assert json.loads(segment(shop, *words, "--format", "json").out) == rows
    table = list(csv.DictReader(io.StringIO(segment(shop, *words, "--format", "csv").out)))
    assert [{k: str(v) for k, v in row.items()} for row in rows] == table
    text = segment(shop, *words, "--format", "table").out
    assert text.splitlines()[0].split() == ["profile", "user_id"]
    assert [line.split() for line in text.splitlines()[1:]] == \
        [[str(row["profile"]), row["user_id"]] for row in rows]
    assert run("--format", "csv", "-d", shop, "segment", *words).out == \
        segment(shop, *words, "--format", "csv").out, "a common option may come first"


def test_segment_eval__other_identifiers(shop):
    done = segment(shop, "eval", "orders() >= 1", *AS_OF, "--identifier", "email")
    assert [row["email"] for row in lines_of(done.out)] == \
        ["ann@example.org", None, "cid@example.org"]
    csv_text = segment(shop, "eval", "orders() >= 1", *AS_OF, "--identifier", "email", "--format",
                       "csv").out
    assert csv_text.splitlines()[0] == "profile,email" and csv_text.splitlines()[2].endswith(",")
    wrong = segment(shop, "eval", "true", "--identifier", "e mail")
    assert wrong.returncode == USAGE and "identifier must be a kind" in wrong.err


def test_segment_eval__all_tells_what_holds_and_until_when(shop):
    done = segment(shop, "eval", 'country = "DE" and orders(last 30 days) >= 1', "--all", "--as-of",
                   "2025-03-20")
    rows = {row["user_id"]: row for row in lines_of(done.out)}
    assert {name: row["truth"] for name, row in rows.items()} == \
        {"ann": "true", "bob": "false", "cid": "true", "dora": "false"}
    # ann's order of 2025-03-01 10:00 UTC is out of the window 30 days later, and 1 ms.
    assert rows["ann"]["valid_until_ms"] == 1740823200000 + 30 * 86400000 + 1
    assert rows["bob"]["valid_until_ms"] is None
    rows = lines_of(segment(shop, "eval", 'country = "DE"', "--all").out)
    assert [row["truth"] for row in rows] == ["true", "false", "true", "unknown"]
    text = segment(shop, "eval", 'country = "DE" and orders(last 30 days) >= 1', "--all", "--as-of",
                   "2025-03-20", "--format", "table").out.splitlines()
    assert text[0].split() == ["profile", "user_id", "is", "in", "it", "until"]
    assert text[1].split()[1:] == ["ann", "yes", "2025-03-31", "12:00:00"], "Berlin, in summer"
    assert text[2].split()[1:] == ["bob", "no", "something", "is", "new"]


@pytest.mark.parametrize("expression", ["orders(last 30 days) >= 1", "revenue(last 20 days) > 10 EUR",
                                        "days_since(last order) > 40", "last(order) within last 12 days"])
def test_segment_eval__until_is_the_moment_itself(shop, expression):
    """One millisecond before, the answer is as it was; at the moment it is another."""
    def answers(ms):
        done = segment(shop, "eval", expression, "--all", "--as-of", str(ms))
        assert done.returncode == DONE, done.err
        return {row["user_id"]: row for row in lines_of(done.out)}

    now = 1742425200000
    told = 0
    for name, row in answers(now).items():
        until = row["valid_until_ms"]
        if until is not None:
            told += 1
            assert answers(until - 1)[name]["truth"] == row["truth"], name
            assert (answers(until)[name]["truth"] == "true") != (row["truth"] == "true"), name
    assert told > 0


def test_segment_eval__nobody_is_an_answer_too(shop):
    done = segment(shop, "eval", "orders() > 99", "--format", "csv")
    assert done.returncode == NOTHING and done.out == "profile,user_id\n"
    assert "nobody is in it" in done.err
    assert json.loads(segment(shop, "eval", "orders() > 99", "--format", "json").out) == []


def test_segment_eval__moments_and_zones(shop):
    def at(*words):
        return [row["user_id"] for row in lines_of(segment(shop, "eval", "orders() >= 1", *words).out)]

    assert at("--as-of", "2025-02-01") == ["ann"]
    assert at("--as-of", "2025-03-10 00:30") == ["ann", "bob"], "events before the moment"
    assert at("--as-of", "2025-03-10 00:31") == ["ann", "bob", "cid"]
    assert at("--as-of", "2025-03-10", "--tz", "UTC") == ["ann", "bob", "cid"]
    wrong = segment(shop, "eval", "true", "--as-of", "someday")
    assert wrong.returncode == USAGE and "write 2025-12-31" in wrong.err


def test_segment_eval__from_a_file_and_from_a_pipe(shop, tmp_path):
    source = tmp_path / "home.segment"
    source.write_text('-- people of two countries\ncountry in ("DE", "AT")\nand orders() >= 2\n')
    assert who(shop, "eval", f"@{source}") == ["ann"]
    assert who(shop, "eval", "-", stdin='country = "AT"\n') == ["bob"]
    none = segment(shop, "eval", "@none.segment")
    assert none.returncode == FAILED and "cannot read none.segment" in none.err
    folder = segment(shop, "eval", f"@{tmp_path}")
    assert folder.returncode == FAILED and "cjourney: " in folder.err
    binary = segment(shop, "eval", "-", stdin=b"true\0true")
    assert binary.returncode == FAILED and "no text" in binary.err


def test_segment_eval__json_is_an_expression_too(shop):
    tree = '{"op": "=", "left": {"trait": "country"}, "right": "AT"}'
    assert who(shop, "eval", tree) == ["bob"]
    assert who(shop, "eval", "-", stdin="\n  " + tree) == ["bob"]
    text = segment(shop, "format", tree).out
    assert text == 'country = "AT"\n' and who(shop, "eval", text) == ["bob"]


def test_segment_eval__threads_do_not_change_a_byte(shop):
    run("-d", shop, "import", "--format", "json", "-", stdin=ndjson(
        order(f"u{i % 997}", f"2025-01-{1 + i % 28:02d}T10:00:00Z", f"N{i}", f"{i % 50}.00")
        for i in range(5000)))
    words = ["eval", "orders() >= 2 and revenue() > 100 EUR", "--all", *AS_OF, "--format", "csv"]
    one = segment(shop, *words).out
    assert len(one.splitlines()) == 1002
    for threads in (1, 2, 7):
        assert segment(shop, *words, "--threads", threads).out == one
    run("-d", shop, "compact")
    assert segment(shop, *words, "--threads", 3).out == one
    wrong = segment(shop, "eval", "true", "--threads", "0")
    assert wrong.returncode == USAGE and "--threads must be a whole number from 1" in wrong.err


# ---- what is wrong with an expression --------------------------------------------------------------


def caret(err):
    """The text behind the caret of an error, and its first line."""
    first, line, under = err.splitlines()[:3]
    assert set(under.strip()) == {"^"} and first.startswith("cjourney: ")
    return first.removeprefix("cjourney: "), line[under.index("^"):]


@pytest.mark.parametrize("expression, says, behind", [
    ("oders() > 1", "did you mean `orders`?", "oders() > 1"),
    ("orders() > 1 and", "found the end", ""),
    ("revenue() > 200", "write `200 EUR`", "200"),
    ("revenue() > 200 GBP", "EUR", "200 GBP"),
    ("days_since(last order) > 30 days", "write `30`", "30 days"),
    ("channel_share(web) > 50", "write `50 %`", "50"),
    ("orders(last 3 months) = 0", "write days", "months) = 0"),
    ("birthday in last 7 days", "write `within last`", "last 7 days"),
    ("orders( >= 2", "expected a window", ">= 2"),
    ('country = "Köln" and größe = 3', "unexpected character", "öße = 3"),
    ('country = "DE', "text", '"DE'),
    ("orders() = 1 or or has(email)", "", "or has(email)"),
    ("has(mail)", "email", "mail)"),
    ("orders()", "", "orders()"),
    ("1 = \"x\"", "", '"x"'),
])
def test_segment_error__line_caret_and_what_would_be_right(shop, expression, says, behind):
    for words in (["eval", expression], ["define", "x", expression], ["format", expression]):
        done = segment(shop, *words)
        assert done.returncode == USAGE and done.out == ""
        message, found = caret(done.err)
        assert says in message and found == behind, done.err
    assert lines_of(segment(shop, "list").out) == [], "nothing was defined"


def test_segment_error__the_line_of_several(shop, tmp_path):
    source = tmp_path / "x.segment"
    source.write_text('country = "DE"\n\tand orders() >= 2\n\tand\trevenue() > 200\nand has(email)\n')
    done = segment(shop, "eval", f"@{source}")
    assert "          line 3:  and revenue() > 200\n" in done.err
    assert caret(done.err)[1] == "200"
    done = segment(shop, "eval", "orders() >= 1\nand")
    assert "line 2: and\n" in done.err


def test_segment_error__a_long_line_is_cut_around_it(shop):
    many = " and ".join(f'country != "Ä{i:03d}"' for i in range(100))
    done = segment(shop, "eval", f"{many} and oders() > 1 and {many}")
    line = done.err.splitlines()[1]
    assert line.strip().startswith("...") and line.endswith("...") and len(line) <= 90
    assert caret(done.err)[1].startswith("oders() > 1 and ")


def test_segment_error__foreign_text_cannot_move_the_cursor(shop):
    done = segment(shop, "eval", "country = \"\033[2J\" and \x1b]0;x\x07oders() > 1")
    assert done.returncode == USAGE and "\033" not in done.err and "\x07" not in done.err


def test_segment_error__in_json_points_into_the_json(shop):
    tree = '{"op": ">", "left": {"call": "rvenue"}, "right": {"money": "200 EUR"}}'
    done = segment(shop, "eval", tree)
    message, behind = caret(done.err)
    assert done.returncode == USAGE and "did you mean `revenue`?" in message
    assert behind.startswith('"rvenue"')
    assert segment(shop, "eval", '{"op": ').returncode == USAGE
    assert segment(shop, "format", "{}").returncode == USAGE


def test_segment_error__empty_and_too_long(shop):
    for empty in ("", "  \n", "-- nothing"):
        done = segment(shop, "eval", empty)
        assert done.returncode == USAGE and "found the end" in done.err, empty
    long = segment(shop, "eval", "-", stdin="true " + " " * 70000)
    assert long.returncode == FAILED and "65,536" in long.err or "65536" in long.err
    deep = segment(shop, "eval", "(" * 100 + "true" + ")" * 100)
    assert deep.returncode != DONE and "32" in deep.err


def test_segment_error__unknown_segments_and_lists(shop):
    segment(shop, "define", "vip", "orders() >= 2")
    done = segment(shop, "eval", 'orders() > 1 and in_segment("vipp")')
    assert done.returncode == NOTHING
    message, behind = caret(done.err)
    assert "did you mean `vip`?" in message and behind == '"vipp")'
    done = segment(shop, "eval", 'not in_list("vip")')
    assert done.returncode == USAGE and caret(done.err)[1] == '"vip")'


# ---- names ------------------------------------------------------------------------------------------


def test_segment_define__list_show_members_count_drop(shop):
    done = segment(shop, "define", "vip", "ORDERS() >= 2   AND revenue() > 50.00 EUR")
    canonical = "orders() >= 2 and revenue() > 50 EUR"
    assert done.returncode == DONE and f"-d {shop} segment members vip" in done.err
    assert lines_of(done.out) == [{"segment": "vip", "kind": "expression", "people": None,
                                   "expression": canonical}]
    listed = lines_of(segment(shop, "list").out)
    assert [(row["segment"], row["kind"], row["expression"]) for row in listed] == \
        [("vip", "expression", canonical)]
    assert segment(shop, "show", "vip").out == canonical + "\n"
    assert who(shop, "members", "vip") == ["ann"]
    assert lines_of(segment(shop, "count", "vip", *AS_OF).out) == [{"segment": "vip", "members": 1}]
    again = segment(shop, "define", "vip", "revenue() > 99 EUR")
    assert again.returncode == DONE and who(shop, "members", "vip") == ["cid"], "replaced"
    done = segment(shop, "drop", "vip")
    assert done.returncode == DONE and done.out == "" and "forgotten: vip" in done.err
    assert lines_of(segment(shop, "list").out) == []
    assert "no segment has a name yet" in segment(shop, "list").err
    assert segment(shop, "-q", "list").err == ""


def test_segment_list__for_people(shop):
    segment(shop, "define", "b", "orders() >= 2")
    segment(shop, "define", "a", "--list", "-", stdin="ann\n")
    lines = segment(shop, "list", "--format", "table").out.splitlines()
    assert lines[0].split() == ["segment", "defined", "expression"]
    assert lines[1].startswith("a ") and lines[1].endswith("(a list)")
    assert lines[2].startswith("b ") and lines[2].endswith("orders() >= 2")


@pytest.mark.parametrize("name", ["vip", "win back", "größte Kunden", 'say "hi"', "o'clock", "it's", "a=b",
                                  "1", "-x", "日本"])
def test_segment_define__names_are_any_text(shop, name):
    dashes = ["--"] if name.startswith("-") else []
    done = segment(shop, "define", *dashes, name, "orders() >= 2")
    assert done.returncode == DONE, done.err
    assert lines_of(done.out)[0]["segment"] == name
    # The line it tells can be pasted into a shell.
    line = done.err[done.err.index("cjourney -d"):].strip()
    told = f'cjourney() {{ printf "%s\\n" "$@"; }}; {line}'
    words = subprocess.run(["sh", "-c", told], capture_output=True,
                           check=True).stdout.decode().splitlines()
    assert words[-1] == name
    assert who(shop, "members", *dashes, name) == ["ann"]
    inside = f"in_segment({json.dumps(name, ensure_ascii=False)}) and orders() = 2"
    assert who(shop, "eval", inside) == ["ann"]
    assert segment(shop, "drop", *dashes, name).returncode == DONE


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 300])
def test_segment_define__what_is_no_name(shop, name):
    done = segment(shop, "define", name, "orders() >= 2")
    assert done.returncode == USAGE and "segment's name" in done.err


def test_segment_define__circles_are_refused_with_the_way(shop):
    for name, expression in [("a", "orders() >= 1"), ("b", 'in_segment("a") and has(email)'),
                             ("c", 'not in_segment("b")')]:
        assert segment(shop, "define", name, expression).returncode == DONE
    done = segment(shop, "define", "a", 'in_segment("c")')
    assert done.returncode == USAGE and "a -> c -> b -> a" in done.err
    assert caret(done.err)[1] == '"c")', "where the new one leads into the circle"
    assert segment(shop, "show", "a").out == "orders() >= 1\n", "it is as before"
    done = segment(shop, "define", "self", 'in_segment("self")')
    assert done.returncode != DONE


def test_segment_drop__what_others_need_stays(shop):
    segment(shop, "define", "a", "orders() >= 1")
    segment(shop, "define", "staff", "--list", "-", stdin="user_id=bob\n")
    segment(shop, "define", "b", 'in_segment("a") and not in_list("staff")')
    for name in ("a", "staff"):
        done = segment(shop, "drop", name)
        assert done.returncode == FAILED and "`b` needs it" in done.err
    assert segment(shop, "drop", "b", "a", "staff").returncode == DONE
    assert lines_of(segment(shop, "list").out) == []


@pytest.mark.parametrize("words", [["members", "vpi"], ["count", "vpi"], ["show", "vpi"], ["drop", "vpi"]],
                         ids=lambda words: words[0])
def test_segment_names__the_nearest_of_an_unknown_one(shop, words):
    done = segment(shop, *words)
    assert done.returncode == NOTHING and done.out == "" and 'no segment "vpi"' in done.err
    assert f"cjourney -d {shop} segment list" in done.err
    segment(shop, "define", "vip", "orders() >= 2")
    segment(shop, "define", "zebra", "orders() >= 2")
    assert "did you mean vip?" in segment(shop, *words).err


# ---- lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines, people", [
    ("ann\nbob\n", ["ann", "bob"]),
    ("user_id=cid\nann@example.org", ["ann", "cid"]),
    ("user_id\nbob\r\ncid\r\n", ["bob", "cid"]),
    ("email,name\nann@example.org,Ann\n\"cid@example.org\",\"Cid, of course\"\n", ["ann", "cid"]),
    ("\nann\n\nann\n", ["ann"]),
    ("", []),
])
def test_segment_list__people_in_many_ways(shop, lines, people):
    done = segment(shop, "define", "staff", "--list", "-", stdin=lines)
    assert done.returncode == DONE, done.err
    row = lines_of(done.out)[0]
    assert row["kind"] == "list" and row["expression"] is None
    assert who(shop, "members", "staff") == people
    assert who(shop, "eval", 'in_list("staff")') == people
    assert lines_of(segment(shop, "count", "staff").out)[0]["members"] == len(people)


def test_segment_list__what_one_command_writes_another_reads(shop, tmp_path):
    """Results are lists: by profile, by number alone, by e-mail; also from a file."""
    text = segment(shop, "eval", "orders() >= 1", *AS_OF, "--format", "csv").out
    assert segment(shop, "define", "buyers", "--list", "-", stdin=text).returncode == DONE
    assert who(shop, "members", "buyers") == ["ann", "bob", "cid"]
    numbers = tmp_path / "numbers"
    numbers.write_text("\n".join(line.split(",")[0] for line in text.splitlines()[1:]))
    assert segment(shop, "define", "same", "--list", numbers).returncode == DONE
    assert who(shop, "members", "same") == ["ann", "bob", "cid"]
    text = segment(shop, "eval", "has(email)", "--identifier", "email", "--format", "csv").out
    emails = "\n".join(line.split(",")[1] for line in text.splitlines())
    assert segment(shop, "define", "same", "--list", "-", stdin=emails).returncode == DONE
    assert who(shop, "members", "same") == ["ann", "cid"], "replaced"
    # The list stays as it is when the shop goes on.
    run("-d", shop, "record", "order", "--id", "user_id=dora", "--value", "5", "--time", "2025-03-20")
    assert who(shop, "members", "buyers") == ["ann", "bob", "cid"]
    assert who(shop, "eval", 'orders() >= 1 and not in_list("buyers")') == ["dora"]


@pytest.mark.parametrize("lines, says, line", [
    ("ann\nnobody\n", 'no profile has an identifier "nobody"', 2),
    ("user_id\nann\nzoe\n", "no profile has that user_id", 3),
    ("ann\n999\n", "no profile 999", 2),
    ("profile\n1\nann\n", '"ann" is not the number of a profile', 3),
    ("colour=red\n", "unknown identifier kind", 1),
])
def test_segment_list__who_is_unknown_changes_nothing(shop, lines, says, line):
    segment(shop, "define", "staff", "--list", "-", stdin="bob\n")
    done = segment(shop, "define", "staff", "--list", "-", stdin=lines)
    assert done.returncode != DONE and says in done.err and f"line {line} of the list" in done.err
    assert who(shop, "members", "staff") == ["bob"]


def test_segment_list__is_no_expression(shop):
    segment(shop, "define", "staff", "--list", "-", stdin="bob\n")
    done = segment(shop, "show", "staff")
    assert done.returncode == NOTHING and "is a list" in done.err
    done = segment(shop, "define", "staff", "orders() >= 1")
    assert done.returncode == FAILED and "drop it first" in done.err
    segment(shop, "define", "vip", "orders() >= 1")
    done = segment(shop, "define", "vip", "--list", "-", stdin="bob\n")
    assert done.returncode == FAILED and "drop it first" in done.err
    both = segment(shop, "define", "x", "orders() >= 1", "--list", "-")
    assert both.returncode == USAGE and "not both" in both.err
    neither = segment(shop, "define", "x")
    assert neither.returncode == USAGE and "x is which customers?" in neither.err
    none = segment(shop, "define", "x", "--list", "none.txt")
    assert none.returncode == FAILED and "cannot read none.txt" in none.err


# ---- count, of, show, format -----------------------------------------------------------------------


def test_segment_count__some_or_all(shop):
    for name, expression in [("b", "orders() >= 2"), ("a", "orders() >= 1"), ("none", "orders() > 9")]:
        segment(shop, "define", name, expression)
    segment(shop, "define", "staff", "--list", "-", stdin="bob\ndora\n")

    def counted(*words):
        return {row["segment"]: row["members"] for row in lines_of(segment(shop, "count", *words).out)}

    assert counted(*AS_OF) == {"a": 3, "b": 1, "none": 0, "staff": 2}
    assert counted("b", "a", *AS_OF) == {"b": 1, "a": 3} and list(counted("b", "a")) == ["b", "a"]
    assert counted("--as-of", "2025-02-01") == {"a": 1, "b": 0, "none": 0, "staff": 2}
    for name, n in counted("--as-of", "2025-03-05").items():
        members = segment(shop, "members", name, "--as-of", "2025-03-05")
        assert len(lines_of(members.out)) == n, "count and members agree"
    text = segment(shop, "count", *AS_OF, "--format", "table").out.splitlines()
    assert text[0].split() == ["segment", "members"] and text[1].split() == ["a", "3"]
    assert len({len(line) for line in text}) == 1, "aligned"


def test_segment_of__which_ones_somebody_is_in(shop):
    segment(shop, "define", "fresh", "orders(last 30 days) >= 1")
    segment(shop, "define", "germans", 'country = "DE"')
    segment(shop, "define", "many", "orders() >= 3")
    segment(shop, "define", "staff", "--list", "-", stdin="ann\n")
    rows = lines_of(segment(shop, "of", "ann", "--as-of", "2025-03-20").out)
    assert rows == [{"segment": "fresh", "valid_until_ms": 1740823200000 + 30 * 86400000 + 1},
                    {"segment": "germans", "valid_until_ms": None},
                    {"segment": "staff", "valid_until_ms": None}]
    for words in (["user_id=ann"], ["ann@example.org"], ["email=ANN@example.org"], ["1"]):
        assert lines_of(segment(shop, "of", *words, "--as-of", "2025-03-20").out) == rows, words
    all_rows = lines_of(segment(shop, "of", "dora", "--all", "--as-of", "2025-03-20").out)
    assert {row["segment"]: row["truth"] for row in all_rows} == \
        {"fresh": "false", "germans": "unknown", "many": "false", "staff": "false"}
    text = segment(shop, "of", "ann", "--as-of", "2025-03-20", "--format", "table").out.splitlines()
    assert text[0].split() == ["segment", "until"]
    assert text[1].split() == ["fresh", "2025-03-31", "12:00:00"]
    assert text[2].split() == ["germans", "something", "is", "new"]
    nothing = segment(shop, "of", "dora", "--as-of", "2025-03-20")
    assert nothing.returncode == NOTHING and nothing.out == "" and "--all" in nothing.err
    assert segment(shop, "of", "zoe").returncode == NOTHING
    assert segment(shop, "of", "999").returncode == NOTHING


def test_segment_of__agrees_with_members(shop):
    for name, expression in [("a", "orders() >= 1"), ("b", 'in_segment("a") and has(email)'),
                             ("c", 'not in_segment("b")'), ("d", "country is known")]:
        segment(shop, "define", name, expression)
    for name in "abcd":
        members = who(shop, "members", name)
        for user in ("ann", "bob", "cid", "dora"):
            inside = [row["segment"] for row in lines_of(segment(shop, "of", user, *AS_OF).out)]
            assert (name in inside) == (user in members), (name, user)


FORMS = [
    ("orders() >= 2", {"op": ">=", "left": {"call": "orders"}, "right": 2}),
    ('country in ("DE", "AT")', {"op": "in", "left": {"trait": "country"}, "list": ["DE", "AT"]}),
    ("not has(email)", {"not": {"call": "has", "args": ["email"]}}),
    ("revenue(last 365 days) > 200 EUR",
     {"op": ">", "left": {"call": "revenue", "window": {"last": "365 days"}}, "right": {"money": "200 EUR"}}),
]


@pytest.mark.parametrize("text, tree", FORMS, ids=[text for text, _ in FORMS])
def test_segment_format__text_and_json_both_ways(shop, text, tree):
    done = segment(shop, "format", text, "--form", "json")
    assert done.returncode == DONE and json.loads(done.out) == tree
    assert segment(shop, "format", done.out).out == text + "\n"
    assert segment(shop, "format", text).out == text + "\n"
    assert segment(shop, "format", json.dumps(tree), "--form", "json").out == done.out
    segment(shop, "define", "x", json.dumps(tree))
    assert segment(shop, "show", "x").out == text + "\n"
    assert segment(shop, "show", "x", "--form", "json").out == done.out


def test_segment_format__writes_it_properly(shop):
    loose = "ORDERS( ) >= 2\n and HAS (email) -- known\nand (revenue() > 50.00 EUR)"
    assert segment(shop, "format", "-", stdin=loose).out == \
        "orders() >= 2 and has(email) and revenue() > 50 EUR\n"
    shown = segment(shop, "format", loose).out
    assert segment(shop, "format", "-", stdin=shown).out == shown


# ---- the file and the process -----------------------------------------------------------------------


def test_segment_file__read_only_commands_write_nothing(shop):
    segment(shop, "define", "vip", "orders() >= 2")
    before = shop.read_bytes()
    os.chmod(shop, 0o400)
    for words in (["eval", "orders() >= 2"], ["list"], ["show", "vip"], ["members", "vip"], ["count"],
                  ["of", "ann"], ["format", "orders() >= 2"]):
        assert segment(shop, *words).returncode == DONE, words
    assert shop.read_bytes() == before
    os.chmod(shop, 0o600)
    assert run("-d", shop, "check").returncode == DONE
    none = segment(shop.parent / "none.db", "list")
    assert none.returncode == FAILED and not (shop.parent / "none.db").exists()


def test_segment_file__definitions_live_with_the_events(shop):
    """They are in the file: after compact, for the next process, and checked."""
    segment(shop, "define", "vip", "orders() >= 2")
    before = segment(shop, "members", "vip", *AS_OF).out
    assert run("-d", shop, "compact").returncode == DONE
    assert segment(shop, "members", "vip", *AS_OF).out == before
    assert run("-d", shop, "check").returncode == DONE


def test_segment_file__another_writer(shop):
    import sqlite3
    other = sqlite3.connect(shop, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = run("-d", shop, "--wait", "0", "segment", "define", "vip", "orders() >= 2")
    assert done.returncode == BUSY and "--wait" in done.err
    assert who(shop, "eval", "orders() >= 2") == ["ann"], "reading goes on"
    other.execute("ROLLBACK")
    other.close()
    assert lines_of(segment(shop, "list").out) == []


def test_segment_merge__changes_who_is_in_it(shop):
    assert who(shop, "eval", "orders() >= 3") == []
    edge = lines_of(run("-d", shop, "merge", "ann", "bob").out)[0]["edge"]
    assert who(shop, "eval", "orders() >= 3") == ["ann"]
    run("-d", shop, "unmerge", edge)
    assert who(shop, "eval", "orders() >= 3") == []


@pytest.mark.skipif(os.environ.get("CJ_SLOW_PROGRAM") is not None, reason="too slow here")
def test_segment_interrupt__ctrl_c_ends_a_long_question(tmp_path):
    path = tmp_path / "shop.db"
    text = ndjson({"time": 1735689600000 + i * 1000, "name": "page_view", "user_id": f"u{i % 50}"}
                  for i in range(60000))
    assert run("-d", path, "import", "--format", "json", "-", stdin=text).returncode in (DONE, REJECTS)
    heavy = " or ".join(f"sequence(page_view -> page_view within {n} hours -> order)" for n in range(1, 60))
    child = subprocess.Popen([PROGRAM, "-d", path, "segment", "eval", heavy, "--all"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        child.wait(0.15)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert child.returncode in (INTERRUPTED, DONE)
    assert child.returncode == DONE or out == b""
    assert run("-d", path, "check").returncode == DONE


# ---- the real shop -----------------------------------------------------------------------------------


def test_segment_retail__the_customers_of_an_independent_computation(tmp_path):
    import test_segments_retail as retail
    if not retail.DATA.exists():
        pytest.skip(f"{retail.DATA} is not there; set CJ_TEST_DATA")
    path = tmp_path / "retail.db"
    words = ["import", "--format", "csv", "--currency", "GBP", "--time-zone", "Europe/London", "--guest",
             "InvoiceNo", "--map", "time=InvoiceDate,order=InvoiceNo,product=StockCode,quantity=Quantity,"
             "unit_price=UnitPrice,user_id=CustomerID,trait.country=Country", "-"]
    assert run("-d", path, *words, stdin=gzip.decompress(retail.DATA.read_bytes())).returncode in (DONE, REJECTS)
    done = segment(path, "eval", "--as-of", "2011-12-10", "--format", "csv", retail.SEGMENT)
    assert done.returncode == DONE and done.err == ""
    rows = list(csv.reader(io.StringIO(done.out)))
    assert rows[0] == ["profile", "user_id"]
    profiles = [int(row[0]) for row in rows[1:]]
    assert profiles == sorted(profiles)
    assert sorted(row[1] for row in rows[1:]) == sorted(retail.independent(retail.read_orders()))
    assert len(profiles) == 13


# ---- live segments -----------------------------------------------------------------------------------


@pytest.fixture
def live(tmp_path):
    """ann has ordered; who has ordered lately is kept live."""
    path = tmp_path / "live.db"
    run("-d", path, "record", "order", "--id", "user_id=ann", "--order", "A1", "--value", "20", "--time", "2025-03-01")
    run("-d", path, "segment", "define", "lately", "orders(last 30 days) >= 1", "--live")
    return path


def feed(path, *words):
    return [(row["segment"], row["profile"], row["what"], row["cause"])
            for row in lines_of(run("-d", path, "segment", "feed", *words).out)]


def test_segment_feed__tells_who_came_by_an_event_and_went_by_the_clock(live):
    assert feed(live) == []  # ann's order is years old
    now = int(time.time())
    run("-d", live, "record", "order", "--id", "user_id=bob", "--order", "A2", "--value", "20")
    assert feed(live) == [("lately", 2, "entered", "event")]
    assert lines_of(run("-d", live, "segment", "advance").out) == [{"changes": 0}]
    later = str(now + 40 * 86400)
    assert lines_of(run("-d", live, "segment", "advance", "--to", later).out) == [{"changes": 1}]
    assert feed(live, "--after", "1") == [("lately", 2, "left", "clock")]
    assert lines_of(run("-d", live, "segment", "advance", "--to", later).out) == [{"changes": 0}]
    assert run("-d", live, "check").returncode == DONE


def test_segment_feed__leaves_at_the_very_moment(live):
    ordered = int(time.time() * 1000) - 5
    run("-d", live, "record", "order", "--id", "user_id=bob", "--order", "A2", "--value", "20", "--time", ordered)
    run("-d", live, "segment", "advance", "--to", str(int(time.time()) + 40 * 86400))
    rows = lines_of(run("-d", live, "segment", "feed").out)
    assert [row["time_ms"] for row in rows[1:]] == [ordered + 30 * 86_400_000 + 1]


def test_segment_feed__in_parts(live):
    for i in range(5):
        run("-d", live, "record", "order", "--id", f"user_id=u{i}", "--order", f"B{i}", "--value", "20")
    whole = lines_of(run("-d", live, "segment", "feed").out)
    parts, after = [], 0
    while rows := lines_of(run("-d", live, "segment", "feed", "--after", after, "--limit", "2").out):
        assert len(rows) <= 2
        parts += rows
        after = rows[-1]["change"]
    assert parts == whole and len(whole) == 5


def test_segment_feed__says_what_to_do_next(live):
    assert "--live" in run("-d", live, "segment", "feed").err
    run("-d", live, "record", "order", "--id", "user_id=bob", "--order", "A2", "--value", "20")
    assert "segment feed --after 1" in run("-d", live, "segment", "feed").err


def test_segment_live__dropped_and_no_longer_live(live):
    run("-d", live, "record", "order", "--id", "user_id=bob", "--order", "A2", "--value", "20")
    assert lines_of(run("-d", live, "segment", "list").out)[0]["live"] == 1
    run("-d", live, "segment", "drop", "lately")
    assert feed(live)[-1] == ("lately", 2, "left", "definition")
    run("-d", live, "segment", "define", "lately", "orders() >= 1", "--live")
    assert sorted(feed(live, "--after", "2")) == [("lately", 1, "entered", "definition"),
                                                  ("lately", 2, "entered", "definition")]


def test_segment_live__a_list_is_not(live):
    done = run("-d", live, "segment", "define", "few", "--list", "-", "--live", stdin=b"user_id=ann\n")
    assert done.returncode == USAGE and "cannot be live" in done.err
