"""The cjourney program from the outside: what a person and a script see of it.

Runs the built program ($CJOURNEY_PROGRAM, $CJOURNEY, or build/release/bin/cjourney) on
files of its own.  What help, man page and completion say is compared with each other,
because all three claim to come from the same tables.
"""

import csv
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios

import pytest
from cli import (BUSY, DAMAGED, DONE, FAILED, GENERATE, INTERRUPTED, NOTHING, ORDERS, PROGRAM,
                 REJECTS, TOP, USAGE, lines_of, ndjson, order, run, shop)  # noqa: F401

# ---- help, man page, completion: one set of tables -----------------------------------------


def listed(text, begin):
    """The commands that a help text lists after `begin`."""
    body = text[text.index(begin):text.index("Options of every command:")]
    return re.findall(r"^  ([a-z]+)  +\S", body, re.M)


def commands():
    """Every command, as `cjourney help` lists it."""
    return listed(run("help").out, "Recording:")


def everything():
    """Every command, those of a family behind it: ("segment", "eval")."""
    found = []
    for name in commands():
        found.append((name,))
        text = run("help", name).out
        if "\nCommands:\n" in text:
            found += [(name, part) for part in listed(text, "\nCommands:\n")]
    return found


ALL = everything()


def options(text):
    """Options of one help text: {name: choices or None}."""
    found = {}
    for block in re.split(r"\n(?=  (?:-\w, )?--)", text[text.index("\nOptions"):]):
        head = re.match(r"\s*(?:Options[^\n]*\n)?\s*(?:-\w, )?--([a-z-]+)", block)
        if head:
            found[head.group(1)] = block
    return found


def test_cli_help__lists_the_commands_of_the_design():
    assert commands() == ["import", "record", "identify", "failed", "rfm", "segment", "clv", "profile",
                          "events", "edges", "merge", "unmerge", "block", "export", "stats", "check",
                          "compact", "completion", "help", "version"]


@pytest.mark.parametrize("name", everything(), ids=" ".join)
def test_cli_help__starts_with_an_example_that_parses(name):
    done = run(*name, "--help")
    assert done.returncode == DONE and done.err == ""
    assert done.out.startswith("Examples:\n  # ")
    assert run("help", *name).out == done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert "\nUsage: cjourney " in done.out
    # Every example names only options that the commands in it have.
    examples = done.out[:done.out.index("\nUsage:")]
    for line in examples.replace("\\\n", " ").splitlines():
        if line.strip().startswith(("cjourney", "zcat")):
            called = {words for words in ALL if f" {' '.join(words)} " in line + " "}
            known = {o for words in called for o in options(run("help", *words).out)}
            assert set(re.findall(r" --([a-z-]+)", line)) <= known, line


def test_cli_help__of_the_program():
    for words in (["help"], ["--help"], ["-h"]):
        done = run(*words)
        assert done.returncode == DONE and done.out.startswith("Examples:\n")
        assert max(map(len, done.out.splitlines())) <= 80
    bare = run()
    assert bare.returncode == USAGE and bare.out == "" and bare.err == run("help").out


def test_cli_man__tells_every_command_and_option():
    man = run("help", "--man").out
    plain = man.replace("\\-", "-").replace("\\&", "").replace("\\(aq", "'").replace("\\e", "\\")
    assert man.startswith(".TH CJOURNEY 1 ")
    assert re.findall(r"^\.SS (.+)$", plain, re.M) == list(map(" ".join, everything()))
    for name in everything():
        part = re.search(rf"^\.SS {' '.join(name)}\n(.*?)(?=^\.S[SH] )", plain, re.M | re.S).group(1)
        own = re.findall(r"^\.B (?:-\w, )?--([a-z-]+)", part, re.M)
        help_text = run(*name, "--help").out
        section = help_text.split("\nOptions of every command:")[0]
        expected = list(options(section)) if "\nOptions:" in section else []
        assert own == expected, name
    for code in (DONE, FAILED, USAGE, REJECTS, NOTHING, BUSY, DAMAGED, INTERRUPTED):
        assert f"\n.B {code}\n" in man
    assert "\n.B CJOURNEY_DB\n" in man and "\n.B NO_COLOR\n" in man


def test_cli_man__is_clean_roff():
    try:
        done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8"], capture_output=True,
                              input=run("help", "--man").stdout, timeout=60)
    except FileNotFoundError:
        pytest.skip("no groff here")
    assert done.stderr == b""


def complete(*words):
    """What bash offers for the last word."""
    script = """
        source <("$PROGRAM" completion bash)
        compopt() { :; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _cjourney
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", "cjourney", *words], timeout=60,
                          env={**os.environ, "PROGRAM": str(PROGRAM)}, capture_output=True)
    assert done.stderr == b"", done.stderr
    return done.stdout.decode().split()


def test_cli_completion__offers_commands_options_and_choices():
    assert complete("") [:len(commands())] == commands()
    assert complete("im") == ["import"]
    assert complete("-d", "x.db", "rf") == ["rfm"]
    assert complete("rfm", "--mon") == ["--monetary"]
    assert complete("rfm", "--monetary", "") == ["net", "gross"]
    assert complete("import", "--format", "") == ["json", "segment", "csv"]
    assert complete("rfm", "--format", "j") == ["json", "jsonl"]
    assert complete("help", "comp") == ["compact", "completion"]


def test_cli_completion__knows_the_commands_of_a_family():
    parts = [name[1] for name in everything() if name[0] == "segment" and len(name) == 2]
    assert complete("segment", "")[:len(parts)] == parts
    assert complete("-d", "x.db", "segment", "ev") == ["eval"]
    assert complete("segment", "-d", "x.db", "cou") == ["count"]
    assert complete("segment", "show", "vip", "--form", "") == ["text", "json"]
    assert complete("segment", "eval", "--format", "c") == ["csv"]
    assert complete("segment", "members", "list", "--i") == ["--identifier"], "a name, no command"


@pytest.mark.parametrize("name", everything(), ids=" ".join)
def test_cli_completion__knows_every_option(name):
    known = set(options(run(*name, "--help").out))
    assert set(complete(*name, "--")) == {"--" + option for option in known}


def test_cli_version__names_the_library():
    header = (TOP / "include/cjourney.h").read_text()
    version = re.search(r'CJ_VERSION "(.*)"', header).group(1)
    assert run("version").out == f"cjourney {version} (library {version})\n"
    assert run("--version").out == run("version").out


# ---- wrong command lines ---------------------------------------------------------------------


@pytest.mark.parametrize("words, says", [
    (["imprt"], "did you mean import?"),
    (["stat"], "did you mean stats?"),
    (["zebra"], "all commands: cjourney help"),
    (["help", "exprot"], "did you mean export?"),
    (["help", "stats", "extra"], "stats has no further commands"),
    (["help", "segment", "evel"], "did you mean eval?"),
    (["segment", "evel"], "did you mean eval?"),
    (["segment", "zebra"], "all commands: cjourney help segment"),
    (["segment", "zebra"], 'unknown command "segment zebra"'),
    (["segment", "--as-off", "x"], "unknown option --as-off"),
    (["segment", "eval"], "usage: cjourney -d FILE segment eval EXPRESSION"),
    (["segment", "eval", "has(email)", "--idntifier", "x"], "did you mean --identifier?"),
    (["segment", "show", "vip", "--form", "xml"], "it is one of text|json"),
    (["segment", "eval", "has(email)"], "add -d FILE, or set $CJOURNEY_DB"),
    (["rfm", "--sumary"], "did you mean --summary?"),
    (["rfm", "--monetray=net"], "did you mean --monetary?"),
    (["import", "--reject", "x", "y"], "did you mean --rejects?"),
    (["rfm", "--monetary", "gros"], "it is one of net|gross"),
    (["rfm", "--top"], "--top needs a value: N"),
    (["rfm", "--summary=yes"], "--summary takes no value"),
    (["stats", "extra"], "usage: cjourney -d FILE stats"),
    (["rfm", "extra"], "all commands: cjourney help rfm"),
    (["merge", "user_id=ann"], "usage: cjourney -d FILE merge PERSON PERSON"),
    (["import"], "usage: cjourney -d FILE import FILE..."),
    (["stats"], "add -d FILE, or set $CJOURNEY_DB"),
    (["completion", "fish"], "bash is known"),
])
def test_cli_usage__says_what_to_do(words, says):
    done = run(*words)
    assert done.returncode == USAGE and done.out == ""
    assert done.err.startswith("cjourney: ") and says in done.err


@pytest.mark.parametrize("words, says", [
    (["rfm", "--as-of", "yesterday"], "write 2025-12-31"),
    (["rfm", "--bins", "11"], "--bins must be a whole number from 2 to 10"),
    (["rfm", "--r-limits", "30,20"], "--r-limits must be up to"),
    (["rfm", "--m-limits", "1.234"], "--m-limits must be up to"),
    (["rfm", "--class", "Nobody"], "Champions"),
    (["rfm", "--tz", "Europe/Nowhere", "--as-of", "2025-01-01"], "no time zone"),
    (["rfm", "--wait", "-1"], "--wait must be a whole number"),
    (["unmerge", "first"], "not the number of an edge"),
    (["block", "till@shop.example"], "is not KIND=VALUE"),
    (["profile", "colour=red"], "unknown identifier kind"),
])
def test_cli_usage__checks_values(shop, words, says):
    done = run("-d", shop, *words)
    assert done.returncode == USAGE and done.out == ""
    assert says in done.err


def test_cli_codes__file_missing_foreign_and_damaged(tmp_path, shop):
    done = run("-d", tmp_path / "none.db", "rfm")
    assert done.returncode == FAILED and "make one: cjourney -d FILE import" in done.err
    assert not (tmp_path / "none.db").exists()
    done = run("-d", tmp_path / "new.db", "import", tmp_path / "none.csv")
    assert done.returncode == FAILED and "cannot read" in done.err
    assert not (tmp_path / "new.db").exists(), "a new file for nothing"
    (tmp_path / "text.db").write_text("this is a letter to my aunt, and no database at all\n" * 90)
    done = run("-d", tmp_path / "text.db", "stats")
    assert done.returncode == FAILED and "not a libcjourney file" in done.err


def test_cli_codes__nothing_found(shop):
    assert "user_id=999" in run("-d", shop, "profile", "999").err
    for words in (["profile", "user_id=nobody"], ["profile", "nobody"], ["profile", "999"],
                  ["events", "--name", "never"], ["rfm", "--as-of", "2001-01-01"],
                  ["rfm", "--class", "Hibernating", "--as-of", "2025-03-10", "--r-limits", "0"],
                  ["export", "--until", "2001-01-01"]):
        done = run("-d", shop, *words)
        assert done.returncode == NOTHING, words
        assert done.err.startswith("cjourney: "), words


def test_cli_codes__another_writer(shop):
    import sqlite3
    other = sqlite3.connect(shop, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = run("-d", shop, "--wait", "0", "record", "visit", "--id", "user_id=ann")
    other.execute("ROLLBACK")
    other.close()
    assert done.returncode == BUSY and "--wait" in done.err
    assert run("-d", shop, "record", "visit", "--id", "user_id=ann").returncode == DONE


def test_cli_codes__file_by_environment(shop):
    assert run("stats", env={"CJOURNEY_DB": str(shop)}).returncode == DONE


# ---- recording ----------------------------------------------------------------------------------


def test_cli_import__counts_on_stdout_and_twice_changes_nothing(tmp_path):
    path, source = tmp_path / "shop.db", tmp_path / "orders.ndjson"
    source.write_text(ndjson(order(*row) for row in ORDERS) + "{broken\n")
    first = run("-d", path, "import", source)
    again = run("-d", path, "import", source)
    assert first.returncode == again.returncode == REJECTS
    assert lines_of(first.out) == [{"file": str(source), "lines": 5, "recorded": 4,
                                    "duplicates": 0, "rejected": 1, "events": 4}]
    assert lines_of(again.out)[0]["recorded"] == 0 and lines_of(again.out)[0]["duplicates"] == 4
    failed = lines_of(run("-d", path, "failed").out)
    assert [row["bytes"] for row in failed] == ["{broken"]
    summary = lines_of(run("-d", path, "failed", "--summary").out)
    assert summary[0]["rejected"] == 1 and summary[0]["source"] == "json"


def test_cli_import__retail_command_line(tmp_path):
    text = ("InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            "1,RED,2,2011-07-01 08:26:00,2.55,17850,United Kingdom\n"
            "1,BLUE,1,2011-07-01 08:26:00,3.39,17850,United Kingdom\n"
            "2,RED,1,2011-07-02 09:00:00,2.55,,France\n"
            "C3,RED,-1,2011-07-03 00:30:00,2.55,17850,United Kingdom\n")
    path = tmp_path / "shop.db"
    words = ["-d", path, "import", "--format", "csv", "--map",
             "time=InvoiceDate,order=InvoiceNo,product=StockCode,quantity=Quantity,"
             "unit_price=UnitPrice,user_id=CustomerID,trait.country=Country",
             "--guest", "InvoiceNo", "--time-zone", "Europe/London", "--currency", "GBP", "-"]
    done = run(*words, stdin=text)
    assert done.returncode == DONE, done.err
    assert lines_of(done.out)[0]["recorded"] == 3
    scores = run("-d", path, "rfm", "--as-of", "2011-12-10", "--monetary", "gross",
                 "--format", "csv").out
    assert scores.splitlines()[0] == \
        "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class"
    assert [row.split(",")[1:5] for row in scores.splitlines()[1:]] == [["17850", "162", "1", "849"]]
    # London's time and money became the file's: 00:30 in July is the day before in UTC.
    refund = lines_of(run("-d", path, "events", "--name", "refund").out)[0]
    assert refund["time_ms"] == 1309649400000 and refund["value_minor"] == -255
    shown = run("-d", path, "--format", "table", "profile", "user_id=17850").out
    assert "GBP" in shown and "2011-07-03 00:30" in shown and "United Kingdom" in shown
    other = run("-d", path, "import", "--format", "csv", "--currency", "CHF", "-", stdin=text)
    assert other.returncode != DONE


def test_cli_record__options_json_and_stdin(tmp_path):
    path = tmp_path / "shop.db"
    words = ["-d", path, "record", "order", "--id", "user_id=ann", "--id", "email=Ann@Example.org",
             "--channel", "web", "--order", "A-1", "--value", "49.90", "--campaign", 'say "hi"',
             "--time", "2025-03-01 12:00", "--properties", '{"gift":true}', "--message-id", "m1"]
    assert lines_of(run(*words).out) == [{"recorded": 1, "duplicates": 0, "rejected": 0}]
    assert lines_of(run(*words).out) == [{"recorded": 0, "duplicates": 1, "rejected": 0}]
    event = lines_of(run("-d", path, "events").out)[0]
    assert (event["value_minor"], event["campaign"], event["time_ms"], event["properties"]) == \
        (4990, 'say "hi"', 1740830400000, '{"gift":true}')
    assert run("-d", path, "profile", "ann@example.org").returncode == DONE
    one = json.dumps(order(*ORDERS[2]))
    assert lines_of(run("-d", path, "record", one).out)[0]["recorded"] == 1
    many = json.dumps([order(*row) for row in ORDERS])
    assert lines_of(run("-d", path, "record", "-", stdin=many).out) == \
        [{"recorded": 3, "duplicates": 1, "rejected": 0}]
    bad = run("-d", path, "record", "visit", "--id", "anonymous_id=null")
    assert bad.returncode == REJECTS and "rejected: no identifier" in bad.err
    nobody = run("-d", path, "record", "visit")
    assert nobody.returncode == USAGE and "add --id" in nobody.err


def test_cli_identify_merge_unmerge_block(shop):
    done = run("-d", shop, "identify", "user_id=ann", "loyalty_card=4711", "--trait", "city=Berlin",
               "--trait", "children=2", "--trait", "zip=01067", "--source", "crm")
    assert done.returncode == DONE, done.err
    ann = lines_of(done.out)[0]["profile"]
    who = json.loads(run("-d", shop, "profile", "loyalty_card=4711").out)
    assert who["profile"] == ann and len(who["events"]) == 2
    assert {row["name"]: row["value"] for row in who["traits"]} == \
        {"city": "Berlin", "children": 2, "zip": "01067"}
    before = run("-d", shop, "rfm", "--as-of", "2025-06-01").out
    done = run("-d", shop, "merge", "ann", "user_id=bob")
    edge = lines_of(done.out)[0]["edge"]
    assert f"unmerge {edge}" in done.err
    assert len(lines_of(run("-d", shop, "rfm", "--as-of", "2025-06-01").out)) == 2
    assert run("-d", shop, "unmerge", edge).returncode == DONE
    assert run("-d", shop, "rfm", "--as-of", "2025-06-01").out == before
    assert run("-d", shop, "unmerge", 9999).returncode == NOTHING
    states = [row["state"] for row in lines_of(run("-d", shop, "edges", "ann").out)]
    assert sorted(states) == ["joined", "removed"]
    removed = lines_of(run("-d", shop, "edges", "--state", "removed").out)
    assert [row["edge"] for row in removed] == [edge]
    assert run("-d", shop, "block", "email=till@shop.example").returncode == DONE
    till = run("-d", shop, "record", "visit", "--id", "email=till@shop.example")
    assert till.returncode == REJECTS


# ---- results ---------------------------------------------------------------------------------------


def test_cli_format__four_ways_of_one_result(shop):
    words = ["-d", shop, "rfm", "--as-of", "2025-03-11"]
    rows = lines_of(run(*words).out)  # piped: JSON lines
    assert run(*words, "--format", "jsonl").out == run(*words).out
    assert json.loads(run(*words, "--format", "json").out) == rows
    table = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").out)))
    assert [{k: str(v) for k, v in row.items()} for row in rows] == table
    text = run(*words, "--format", "table").out
    assert "99.99" in text and "\033" not in text, "plain when piped"
    assert run("--format", "csv", *words).out == run(*words, "--format", "csv").out
    assert [row["monetary_minor"] for row in rows] == [5550, 1000, 9999]
    assert [row["user_id"] for row in rows] == ["ann", "bob", "cid"]


def test_cli_format__csv_rows_that_end_in_nothing(shop):
    """The reason of a joined edge is absent, and the last column."""
    done = run("-d", shop, "identify", "user_id=ann", "loyalty_card=4711", "email=ann@example.org")
    assert done.returncode == DONE
    rows = list(csv.reader(io.StringIO(
        run("-d", shop, "edges", "--state", "joined", "--format", "csv").out)))
    assert rows[0][-1] == "reason" and len(rows) == 3
    assert all(len(row) == len(rows[0]) and row[-1] == "" for row in rows[1:])


def test_cli_time__zones_of_dates(shop):
    def seen(*words):
        return {row["user_id"] for row in lines_of(run("-d", shop, "rfm", *words).out)}

    # cid ordered at 2025-03-09 23:30 UTC, which is 2025-03-10 00:30 in Berlin (the store's).
    assert seen("--as-of", "2025-03-10") == {"ann", "bob"}
    assert seen("--as-of", "2025-03-10 00:31") == {"ann", "bob", "cid"}
    assert seen("--as-of", "2025-03-09T23:31Z") == {"ann", "bob", "cid"}
    assert seen("--as-of", "2025-03-10T00:29+01:00") == {"ann", "bob"}
    assert seen("--as-of", "1741563060000") == {"ann", "bob", "cid"}
    assert seen("--as-of", "2025-03-10", "--tz", "UTC") == {"ann", "bob", "cid"}
    assert seen("--as-of", "2025-03-09", "--tz", "America/New_York") == {"ann", "bob"}
    shown = run("-d", shop, "--format", "table", "events", "--of", "cid").out
    assert "2025-03-10 00:30:00" in shown
    shown = run("-d", shop, "--format", "table", "--tz", "Asia/Tokyo", "events", "--of", "cid").out
    assert "2025-03-10 08:30:00" in shown


@pytest.mark.parametrize("ms, shown", [
    (1743296399000, "2025-03-30 01:59:59"),  # the last second of winter
    (1743296400000, "2025-03-30 03:00:00"),
    (1761436799000, "2025-10-26 01:59:59"),
    (1761437400000, "2025-10-26 02:10:00"),  # the first time
    (1761441000000, "2025-10-26 02:10:00"),  # and again, an hour later
    (1761444000000, "2025-10-26 03:00:00"),
])
def test_cli_time__local_times_around_the_clock_change(tmp_path, ms, shown):
    path = tmp_path / "shop.db"
    run("-d", path, "import", "--format", "json", "--time-zone", "Europe/Berlin", "-",
        stdin=ndjson([{"time": ms, "name": "visit", "user_id": "ann"}]))
    assert shown in run("-d", path, "--format", "table", "events").out
    assert shown in run("-d", path, "--format", "table", "events", "--tz", "Europe/Berlin").out


def test_cli_rfm__summary_class_and_top(shop):
    words = ["-d", shop, "rfm", "--as-of", "2025-06-01"]
    rows = lines_of(run(*words).out)
    classes = [row["class"] for row in lines_of(run("rfm", "--classes").out)]
    summary = lines_of(run(*words, "--summary").out)
    assert [row["class"] for row in summary] == classes and len(classes) == 11
    assert sum(row["customers"] for row in summary) == len(rows) == 3
    assert sum(row["revenue_minor"] for row in summary) == 5550 + 1000 + 9999
    assert sum(row["customers_ratio"] for row in summary) == pytest.approx(1, abs=2e-4)
    assert sum(row["revenue_ratio"] for row in summary) == pytest.approx(1, abs=2e-4)
    for row in summary:
        mine = [r for r in rows if r["class"] == row["class"]]
        assert row["customers"] == len(mine)
        assert row["orders"] == sum(r["frequency"] for r in mine)
        assert run(*words, "--class", row["class"].lower()).returncode == (DONE if mine else NOTHING)
        assert lines_of(run(*words, "--class", row["class"]).out) == mine
    top = lines_of(run(*words, "--top", "2").out)
    assert [row["user_id"] for row in top] == ["cid", "ann"]
    shown = run("rfm", "--classes", "--format", "table").out
    assert re.search(r"^Need Attention +3 +3 +any +\S", shown, re.M)
    assert re.search(r"^Champions +4-5 +4-5 +4-5 +\S", shown, re.M)
    assert max(map(len, shown.splitlines())) <= 80
    text = run(*words, "--summary", "--format", "table").out
    assert "revenue EUR" in text and "165.49" in text and "100.0%" in text
    assert max(map(len, text.splitlines())) <= 80


def test_cli_rfm__options_reach_the_library(shop):
    words = ["-d", shop, "rfm", "--as-of", "2025-06-01"]
    ann = lines_of(run(*words, "--recency", "hours", "--of", "mean", "--frequency", "repeat-days").out)[0]
    assert ann["recency_hours"] > 24 and ann["frequency"] == 1 and ann["monetary_minor"] == 2775
    fixed = lines_of(run(*words, "--m-limits", "15,50.00").out)
    assert [row["m"] for row in fixed] == [3, 1, 3]
    assert "email" in lines_of(run(*words, "--identifier", "email").out)[0]
    since = lines_of(run(*words, "--from", "2025-03-01").out)
    assert [row["user_id"] for row in since] == ["ann", "cid"]
    assert run(*words, "--threads", "3").out == run(*words).out


def test_cli_format__a_formula_is_defused_everywhere(tmp_path):
    path = tmp_path / "shop.db"
    run("-d", path, "import", "--format", "json", "-", stdin=ndjson(
        order("=1+1" if i == 0 else f"u{i}", "2025-01-01T00:00:00Z", f"A{i}", "1.00")
        for i in range(2)))
    for more in ([], ["--top", "5"]):
        text = run("-d", path, "rfm", "--format", "csv", *more).out
        assert "'=1+1" in text and ",=1+1" not in text


def test_cli_profile__is_safe_for_a_terminal(tmp_path):
    path = tmp_path / "shop.db"
    run("-d", path, "import", "--format", "json", "-", stdin=ndjson(
        [order("ann", "2025-01-01T00:00:00Z", "A1", "1.00", campaign="\u202egone\u009b2J")]))
    run("-d", path, "record", "-", stdin=b'{"name":"cut \x1b[2J\xff\x07')
    for words, word in ((["profile", "user_id=ann"], "gone"), (["events"], "gone"),
                        (["failed"], "cut")):
        text = run("-d", path, "--format", "table", *words).out
        assert word in text and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_cli_profile__tells_a_journey(shop):
    run("-d", shop, "record", "-", stdin=ndjson(
        [order("ann", "2025-04-01T10:00:00Z", "A9", "30.00", items=[
            {"product": "MUG", "quantity": 2, "value": "20.00"},
            {"product": "CUP", "value": "10.00"}])]
        + [{"time": f"2025-04-02T10:0{i}:00Z", "name": "product_view", "channel": "web",
            "session": "s1", "product": f"P{i}", "user_id": "ann"} for i in range(5)]))
    text = run("-d", shop, "--format", "table", "profile", "ann").out
    assert "85.50 EUR in 3 orders; first 2025-01-05, last 2025-04-01" in text
    assert "2025-04-01 12:00  web          order A9  30.00 EUR\n" in text
    assert "2 x MUG  20.00" in text and "1 x CUP  10.00" in text
    assert "product_view P0, P1, P2 and 2 more" in text
    short = run("-d", shop, "--format", "table", "profile", "ann", "--last", "1").out
    assert "Journey: the last 1 of 10 events" in short
    early = json.loads(run("-d", shop, "profile", "ann", "--as-of", "2025-02-01").out)
    assert [row["order_id"] for row in early["events"]] == ["A1"]


def test_cli_export__reads_back_equal(tmp_path, shop):
    run("-d", shop, "record", "-", stdin=ndjson([
        order("ann", "2025-04-01T10:00:00Z", "A9", "30.00", campaign="ümläut \"x\"",
              identifiers={"user_id": "ann", "email": "ann@example.org", "device_id": "d1"},
              items=[{"product": "MUG", "quantity": 2, "value": "20.00", "properties": {"c": 1}},
                     {"product": "CUP", "value": "10.00"}], properties={"gift": [1, 2]}),
        {"time": "2025-04-02T00:00:00.123Z", "name": "refund", "user_id": "ann", "value": "-5.00",
         "order_id": "A9"},
        {"type": "identify", "time": "2025-04-03T00:00:00Z", "user_id": "ann",
         "traits": {"city": "Köln", "n": 2}, "source": "crm"}]))
    dump = run("-d", shop, "export")
    assert dump.returncode == DONE and all(lines_of(dump.out))
    copy = tmp_path / "copy.db"
    done = run("-d", copy, "import", "--format", "json", "--time-zone", "Europe/Berlin", "-",
               stdin=dump.out)
    assert done.returncode == DONE and lines_of(done.out)[0]["rejected"] == 0, done.err

    def story(path):
        events = lines_of(run("-d", path, "events").out)
        for row in events:
            del row["profile"], row["node"]
        who = json.loads(run("-d", path, "profile", "d1").out)
        return (sorted(map(json.dumps, events)),
                sorted((row["kind"], row["value"]) for row in who["identifiers"]), who["traits"],
                sorted(line.split(",", 1)[1] for line in run("-d", path, "rfm", "--format", "csv",
                                                              "--as-of", "2026-01-01").out.splitlines()))

    assert story(copy) == story(shop)
    assert run("-d", copy, "export", "--name", "refund").out.count("refund") == 1
    table = list(csv.reader(io.StringIO(run("-d", shop, "export", "--format", "csv").out)))
    assert len(table) == 1 + 4 + 3 + 1 and table[0][:3] == ["profile", "node", "time_ms"]


def test_cli_care__stats_check_compact(shop):
    stats = {row["name"]: row["value"] for row in lines_of(run("-d", shop, "stats").out)}
    assert stats["profiles"] == 3 and stats["identifiers"] == 3
    before = run("-d", shop, "rfm").out
    assert run("-d", shop, "compact").returncode == DONE
    assert run("-d", shop, "rfm").out == before
    done = run("-d", shop, "check")
    assert done.returncode == DONE and done.out == "" and "is sound" in done.err
    assert run("-d", shop, "-q", "check").err == ""


def test_cli_care__check_finds_damage(shop):
    import sqlite3
    run("-d", shop, "compact")
    other = sqlite3.connect(shop)
    other.execute("UPDATE block SET core = substr(core, 1, length(core) - 1) || x'5A'")
    other.commit()
    other.close()
    done = run("-d", shop, "check")
    assert done.returncode == DAMAGED and lines_of(done.out)[0]["problem"]
    assert run("-d", shop, "events").returncode == DAMAGED


def test_cli_pipe__a_reader_that_stops_early(shop):
    done = subprocess.run(["sh", "-c", '"$0" -d "$1" export | head -n 1', PROGRAM, shop],
                          capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count(b"\n") == 1
    full = subprocess.run(["sh", "-c", '"$0" -d "$1" export >/dev/full', PROGRAM, shop],
                          capture_output=True, timeout=60)
    assert full.returncode == FAILED and b"could not be written" in full.stderr


# ---- on a terminal -----------------------------------------------------------------------------------


def on_terminal(*words, columns=80, env=None, stderr_too=True):
    """Run with stdout (and stderr) on a terminal; what it shows, and the code."""
    try:
        leader, follower = pty.openpty()
    except OSError as e:  # a bare root has no /dev/pts
        pytest.skip(f"no pseudo-terminal can be had here: {e}")
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    own = {k: v for k, v in os.environ.items() if k not in ("CJOURNEY_DB", "NO_COLOR")}
    child = subprocess.Popen([PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, stdout=follower,
                             stderr=follower if stderr_too else subprocess.DEVNULL,
                             env={**own, "TERM": "xterm", **(env or {})})
    os.close(follower)
    shown = b""
    while True:
        if not select.select([leader], [], [], 60)[0]:
            break
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    return shown.decode().replace("\r\n", "\n"), child.wait(60)


def test_cli_terminal__tables_colour_and_width(shop):
    shown, code = on_terminal("-d", shop, "rfm", "--as-of", "2025-06-01")
    assert code == DONE and shown.startswith("\033[1mprofile") and "99.99" in shown
    plain, _ = on_terminal("-d", shop, "rfm", "--as-of", "2025-06-01", env={"NO_COLOR": "1"})
    assert "\033" not in plain and plain == shown.replace("\033[1m", "").replace("\033[0m", "")
    dumb, _ = on_terminal("-d", shop, "rfm", "--as-of", "2025-06-01", env={"TERM": "dumb"})
    assert "\033" not in dumb
    run("-d", shop, "record", "visit", "--id", "user_id=ann", "--properties",
        json.dumps({"text": "ä" * 300}))
    wide, _ = on_terminal("-d", shop, "events", "--name", "visit", columns=100, env={"NO_COLOR": "1"})
    assert max(map(len, wide.splitlines())) <= 100 and ">" in wide


def test_cli_terminal__import_tells_a_sentence(tmp_path):
    source = tmp_path / "orders.ndjson"
    source.write_text(ndjson(order(*row) for row in ORDERS))
    shown, code = on_terminal("-d", tmp_path / "shop.db", "import", source)
    assert code == DONE and "4 lines read" in shown and "recorded 4 (4 events)" in shown
    assert "{" not in shown


def test_cli_terminal__progress_only_there_and_only_after_a_second(shop):
    shown, _ = on_terminal("-d", shop, "compact")
    assert "[" not in shown.replace("\033[", ""), "no bar for a short one"


# ---- interruption --------------------------------------------------------------------------------------


def many(n):
    return [order(f"u{i % 700}", f"2025-01-{1 + i % 28:02d}T10:00:{i % 60:02d}Z", f"N{i}",
                  f"{i % 90}.50") for i in range(n)]


@pytest.mark.parametrize("blocked", [False, True], ids=["reading", "waiting for a pipe"])
def test_cli_interrupt__import_leaves_the_file_sound(tmp_path, blocked):
    path = tmp_path / "shop.db"
    messages = many(30000)
    text = ndjson(messages).encode()
    child = subprocess.Popen([PROGRAM, "-d", path, "import", "--format", "json", "-"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(text[:len(text) // 2])  # returns when all but a pipe's worth is read
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    if not blocked:
        try:
            for at in range(len(text) // 2, len(text), 65536):
                child.stdin.write(text[at:at + 65536])
        except BrokenPipeError:
            pass
    code = child.wait(60)
    child.stdin = None if child.stdin.closed else child.stdin
    child.stdout.close()
    child.stderr.close()
    assert code == INTERRUPTED
    assert run("-d", path, "check").returncode == DONE
    # Run again: whatever was committed counts once.
    again = run("-d", path, "import", "--format", "json", "-", stdin=text)
    counts = lines_of(again.out)[0]
    assert again.returncode == DONE and counts["recorded"] + counts["duplicates"] == 30000
    clean = tmp_path / "clean.db"
    run("-d", clean, "import", "--format", "json", "-", stdin=text)

    def scores(file):
        return sorted(line.split(",", 1)[1] for line in run(
            "-d", file, "rfm", "--as-of", "2026-01-01", "--format", "csv").out.splitlines())

    assert scores(path) == scores(clean) and len(scores(path)) == 701


# ---- the demo's year ------------------------------------------------------------------------------------


@pytest.mark.skipif(not GENERATE.exists(), reason="the demo is not built")
def test_cli_demo__same_seed_same_bytes_and_everything_in_it(tmp_path):
    def year(*words):
        return subprocess.run([GENERATE, *words], capture_output=True, check=True, timeout=60).stdout

    text = year("--seed", "7", "--customers", "200")
    assert text == year("--seed", "7", "--customers", "200")
    assert text != year("--seed", "8", "--customers", "200")
    path = tmp_path / "shop.db"
    done = run("-d", path, "import", "--format", "json", "--time-zone", "Europe/Berlin", "-",
               stdin=text)
    counts = lines_of(done.out)[0]
    assert done.returncode == REJECTS and counts["duplicates"] > 0 and counts["rejected"] == 22
    assert len(lines_of(run("-d", path, "failed", "--summary").out)) >= 5
    events = lines_of(run("-d", path, "events").out)
    assert len(events) == counts["events"]
    assert {row["channel"] for row in events} >= {"web", "app", "store", "email", "ads", "social",
                                                  "call_centre"}
    assert any(row["name"] == "refund" and row["value_minor"] < 0 for row in events)
    times = [json.loads(line)["time"] for line in text.decode().splitlines()[:2000]
             if line.endswith("}") and "2107" not in line]
    assert times != sorted(times), "messages come late"
    refused = lines_of(run("-d", path, "edges", "--state", "refused").out)
    assert refused, "the till and the tablets"
    assert run("-d", path, "check").returncode == DONE


def demo(folder, **own):
    env = {k: v for k, v in os.environ.items()
           if k not in ("DATA", "MAP", "GUEST", "CURRENCY", "TIME_ZONE", "NO_COLOR")}
    done = subprocess.run(["sh", TOP / "examples/demo/run.sh", PROGRAM.parent.parent],
                          env={**env, "DEMO_DIR": str(folder), **own}, capture_output=True,
                          timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.skipif(not GENERATE.exists(), reason="the demo is not built")
def test_cli_demo__report_adds_up(tmp_path):
    code, text, err = demo(tmp_path)
    assert code == 0 and err == "" and "\033" not in text
    assert all(len(line) <= 88 for line in text.split("Try next")[0].splitlines())

    def number(line):
        return int(re.search(rf"([\d,]+) {line}", text).group(1).replace(",", ""))

    assert number("lines read") == (number("messages recorded") + number("sent before") +
                                    number("rejected"))
    shop = tmp_path / "shop.db"
    stats = {row["name"]: row["value"] for row in lines_of(run("-d", shop, "stats").out)}
    assert stats["profiles"] == (number("known by an account") + number("visitors who never") +
                                 number("purchases that belong to nobody"))
    assert number("times they were not") == len(
        lines_of(run("-d", shop, "edges", "--state", "refused").out))
    # Months and channels are the same money, and it is the orders less the refunds.
    months = re.findall(r"^  (\d{4}-\d\d) +([\d,]+) +([\d,]+)", text, re.M)
    assert [month for month, _, _ in months] == [f"2025-{m:02d}" for m in range(1, 13)]
    by_month = sum(int(money.replace(",", "")) for _, money, _ in months)
    channels = re.findall(r"^  (store|web|app|call_centre) +(-?[\d,]+)", text, re.M)
    by_channel = sum(int(money.replace(",", "")) for _, money in channels)
    money = [row["value_minor"] for name in ("order", "refund")
             for row in lines_of(run("-d", shop, "events", "--name", name).out)]
    assert abs(by_month - sum(money) / 100) <= 6 and abs(by_channel - sum(money) / 100) <= 2
    assert "block email=till@larch-and-loom.example" in text
    for title in ("Who is worth what, as of 2026-01-01", "The ten best customers",
                  "A customer of many channels", "A visitor who became a customer"):
        assert f"\n{title}" in text
    assert text.count("Journey: ") == 2


@pytest.mark.skipif(not GENERATE.exists(), reason="the demo is not built")
def test_cli_demo__segments_add_up(tmp_path):
    """The six of the demo: sizes, money and overlap are those of the members one by one."""
    code, text, _ = demo(tmp_path)
    assert code == 0
    path, as_of = tmp_path / "shop.db", ["--as-of", "2026-01-01", "--format", "jsonl"]
    part = text[text.index("Six groups to act on"):text.index("Which of them profile")]
    sizes = re.findall(r"^  (\S+) +([\d,]+) +([\d,]+) +([\d,]+)   \S", part, re.M)
    names = [row[0] for row in sizes]
    assert names == ["new", "regulars", "big-spenders", "asleep", "overdue", "left-a-cart"]
    people = {name: {row["profile"] for row in lines_of(run("-d", path, "segment", "members", name,
                                                            *as_of).out)} for name in names}
    counted = {row["segment"]: row["members"]
               for row in lines_of(run("-d", path, "segment", "count", *as_of).out)}
    reachable = {row["profile"] for row in lines_of(run("-d", path, "segment", "eval", "has(email)",
                                                        *as_of).out)}
    worth = {row["profile"]: row["monetary_minor"]
             for row in lines_of(run("-d", path, "rfm", "--guests", *as_of).out)}

    def number(text):
        return int(text.replace(",", ""))

    for name, members, emails, money in sizes:
        assert number(members) == len(people[name]) == counted[name] > 0, name
        assert number(emails) == len(people[name] & reachable), name
        assert number(money) == sum(worth.get(p, 0) for p in people[name]) // 100, name
    overlap = part[part.index("How many are in both"):].splitlines()
    assert overlap[1].split() == names
    for i, name in enumerate(names):
        row = overlap[2 + i].split()
        assert row[0] == name
        assert list(map(number, row[1:])) == [len(people[name] & people[other]) for other in names[:i + 1]]
        # Each figure stands under its name, to the right.
        assert [overlap[1].index(" " + other) + 1 + len(other) for other in names][i] == len(overlap[2 + i])
    memberships = [sum(p in people[name] for name in names) for p in set().union(*people.values())]
    said = re.search(r"([\d,]+) people are in just one of them, ([\d,]+) in two or more", part)
    assert [number(n) for n in said.groups()] == [memberships.count(1), sum(n > 1 for n in memberships)]
    profile = int(re.search(r"Which of them profile (\d+) is in", text).group(1))
    which, why = text[text.index("Which of them"):].split("\nWhy profile ")
    told = dict(re.findall(r"^  (\S+) +(yes|no|unknown)  ", which, re.M))
    assert told == {name: "yes" if profile in people[name] else "no" for name in names}
    assert why.startswith(f"{profile} is asleep")
    whole, *clauses = re.findall(r"^ +(the whole|orders.+?) +(yes|no)  ", why, re.M)
    assert whole == ("the whole", told["asleep"])
    assert [clause for clause, _ in clauses] == ["orders() >= 2", "orders(last 90 days) = 0"]


@pytest.mark.skipif(not GENERATE.exists(), reason="the demo is not built")
@pytest.mark.parametrize("packed", [False, True])
def test_cli_demo__on_your_own_file(tmp_path, packed):
    import gzip
    text = "Number,Customer,Date,Total\n" + "".join(
        f"{i},c{i % 7},2024-{1 + i % 3:02d}-15 10:00,{i}.50\n" for i in range(1, 50))
    data = tmp_path / ("orders.csv.gz" if packed else "orders.csv")
    data.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    code, text, err = demo(tmp_path, DATA=str(data), CURRENCY="GBP", TIME_ZONE="Europe/London",
                           MAP="time=Date,order=Number,user_id=Customer,value=Total")
    assert code == 0, err
    assert "49 lines read" in text and "revenue GBP" in text and "as of 2024-03-16" in text
    assert text.index("2024-01") < text.index("2024-03") and "2023-12" not in text
    assert "The best customer" in text
    assert "over 300 GBP in the last 365 days" in text  # twice 178 GBP, in one digit
    assert re.search(r"^  left-a-cart +0 +0 +0  ", text, re.M)
    code, _, err = demo(tmp_path, DATA=str(tmp_path / "none.csv"))
    assert code != 0 and "no file" in err
    code, text, err = demo(tmp_path, DATA=str(data), MAP="time=Datum,order=Number")
    assert code != 0 and "Who is worth" not in text and err.startswith("cjourney: ")


def test_cli_demo__usage():
    for words in ([], ["shop.db"], ["shop.db", "2026-01-01", "--all"]):
        done = subprocess.run([GENERATE.parent / "segments", *words], capture_output=True, timeout=60)
        assert done.returncode == USAGE and b"usage" in done.stderr
    if GENERATE.exists():
        done = subprocess.run([GENERATE, "--customers", "0"], capture_output=True, timeout=60)
        assert done.returncode == USAGE and done.stdout == b"" and b"usage" in done.stderr


# ---- the small examples -----------------------------------------------------------------------------------


def test_cli_quickstart__c_and_python_run_twice_and_count_once(tmp_path):
    path = tmp_path / "shop.db"
    small = PROGRAM.parent.parent / "examples/quickstart"
    library = os.environ.get("CJOURNEY_LIBRARY") or PROGRAM.parent.parent / "libcjourney.so"
    env = {**os.environ, "CJOURNEY_LIBRARY": str(library),
           "PYTHONPATH": str(TOP / "bindings/python")}
    for _ in range(2):
        done = subprocess.run([small, path], capture_output=True, timeout=60)
        assert done.returncode == 0 and b"2590" in done.stdout
    for _ in range(2):
        done = subprocess.run([sys.executable,
                               TOP / "examples/quickstart.py", path],
                              capture_output=True, env=env, timeout=60)
        assert done.returncode == 0 and b"4000" in done.stdout, done.stderr
