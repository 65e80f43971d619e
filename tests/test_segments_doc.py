"""docs/SEGMENTS.md is true: every example parses, its tables of errors and of what is unknown
are asked of the library, and the example of each function finds the customer it is about."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import cjourney  # noqa: E402
from cjourney import Event  # noqa: E402

PAGE = (ROOT / "docs/SEGMENTS.md").read_text()
AS_OF = "2025-06-15 12:00"  # a Sunday


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def table(header):
    """The rows of the table that begins with this header line, as lists of cells."""
    lines = PAGE[PAGE.index(header + "\n"):].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    assert rows, header
    return rows


def code(cell):
    """What stands in backticks; doubled ones hold single ones."""
    return [a.strip() or b for a, b in re.findall(r"``(.+?)`` ?|`([^`]+)`", cell)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("doc") / "shop.db"
    with cjourney.open(path, currency="EUR", time_zone="Europe/Berlin") as opened:
        opened.define_segment("vip", "revenue() > 1000 EUR")
        opened.define_list("employees", [])
        yield opened


# ---- every example is right ----------------------------------------------------------------------


def test_there_is_something_to_test():
    assert len(blocks("segment")) >= 9 and len(blocks("json")) >= 1
    assert len(FUNCTIONS) >= 50 and len(table("| segment | at | error |")) >= 6


@pytest.mark.parametrize("text", blocks("segment"), ids=lambda text: text.split("\n")[0][:40])
def test_a_block_parses_and_goes_through_both_forms(store, text):
    canonical = store.format_segment(text)
    assert store.format_segment(canonical) == canonical
    tree = store.format_segment(text, to_form="json")
    assert store.format_segment(tree, from_form="json") == canonical
    store.segment_evaluate(text, as_of=AS_OF)


@pytest.mark.parametrize("text", blocks("json"))
def test_a_json_block_is_a_segment(store, text):
    store.segment_evaluate(store.format_segment(text, from_form="json"), as_of=AS_OF)


def test_the_shell_lines_run(tmp_path):
    """Those of "Ask", on a shop of their own."""
    program = Path(os.environ.get("CJOURNEY_PROGRAM") or os.environ.get("CJOURNEY")
                   or ROOT / "build/release/bin/cjourney").resolve()
    import subprocess
    with cjourney.open(tmp_path / "shop.db") as store:
        store.identify(user_id="ann", email="ann@example.org", traits={"country": "DE"})
        store.record("order", user_id="ann", value_minor=25000)
    (lines,) = blocks("sh")
    assert lines.count("cjourney -d shop.db segment") >= 5
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            done = subprocess.run(["sh", "-c", f'cjourney() {{ "{program}" "$@"; }}\n{line}'], cwd=tmp_path,
                                  capture_output=True, timeout=60)
            assert done.returncode in (0, 4), (line, done.stderr)


def test_words_in_the_text_are_expressions_where_they_look_so(store):
    """Of the prose of "The parts": whatever compares or calls, and is not shown as wrong."""
    part = PAGE[PAGE.index("## The parts"):PAGE.index("| relation |")]
    found = [text for text in code(part)
             if re.search(r"[=<>)]|\bis\b|starts with", text) and "…" not in text and " where " not in text]
    wrong = {"revenue() > 200", "revenue is money: write `200 EUR`"}
    assert len(found) >= 8
    for text in found:
        if text in wrong:
            with pytest.raises(cjourney.InvalidError):
                store.segment_evaluate(text)
        elif text not in ("trait(\"favourite colour\")",):
            store.format_segment(text)


@pytest.mark.parametrize("row", table("| relation | holds when |"), ids=lambda row: row[0][:30])
def test_a_relation_parses_behind_a_trait(store, row):
    for text in code(row[0]):
        if text == "not":
            continue
        if text in ("=", "!=", "<", "<=", ">", ">="):
            text = f"x {text} 1"
        elif text.startswith("birthday"):
            pass
        else:
            text = "x " + text.replace("between …", "between 1 and 5").replace("in …", "in (1)") \
                .replace("contains …", 'contains "x"').replace("like …", 'like "x"') \
                .replace("after …", "after 2025-03-01").replace("(…)", '("x", "y")') \
                .replace("… in", "anniversary in")
        store.format_segment(text)


# ---- what it says is so ----------------------------------------------------------------------------


@pytest.mark.parametrize("text, at, says", [
    (code(row[0])[0], int(row[1]), code(row[2])[0]) for row in table("| segment | at | error |")
])
def test_an_error_is_as_told(store, text, at, says):
    with pytest.raises(cjourney.InvalidError) as caught:
        store.segment_evaluate(text)
    assert caught.value.position == at and caught.value.message == says


UNKNOWN = table("| traits | condition | |")


@pytest.mark.parametrize("facts, conditions, results", UNKNOWN, ids=[row[1][:40] for row in UNKNOWN])
def test_what_is_unknown_is_as_told(tmp_path, facts, conditions, results):
    traits = {}
    if "`gone` is `null`" in facts:
        traits["gone"] = None
    if "`n` is 5" in facts + conditions:
        traits["n"] = 5
    groups = [code(part if part.startswith("`") else "`" + part)
              for part in re.sub(r"\(`n` is 5\)", "", conditions).split("; ")]
    words = re.findall(r"true|false|unknown", re.sub(r":.*", "", results))
    assert words and (len(groups) == len(words) or len(words) == 1)
    with cjourney.open(tmp_path / "shop.db") as store:
        store.identify(user_id="ann", traits={"other": 1, **traits}, time="2025-01-01")
        for i, group in enumerate(groups):
            for condition in group:
                (row,) = store.segment_evaluate(condition, as_of=AS_OF)
                assert ["false", "true", "unknown"][row.truth] == words[min(i, len(words) - 1)], condition


# ---- functions -----------------------------------------------------------------------------------------

FUNCTIONS = [(code(row[0])[0].split("(")[0], code(row[3])[0])
             for row in table("| function | gives | meaning | for example |")]


def views(n, name="product_view", day="2025-06-14", **more):
    return [dict(name=name, time=f"{day} 10:{i:02d}", **more) for i in range(n)]


def buys(*days, value=30_00, **more):
    return [dict(name="order", time=f"{day} 12:00", value_minor=value, order_id=f"o{day}", **more) for day in days]


def item(product, day="2025-06-01", quantity=1, number=None, **more):
    return dict(name="order_item", time=f"{day} 12:00", product=product, quantity=quantity, value_minor=500,
                order_id=number or f"o{day}", **more)


def seen_with(name, day, **more):
    return dict(name=name, time=f"{day} 10:00", **more)


EVERY_MONTH = [f"2025-{month:02d}-05" for month in range(1, 7)]

# Whom the example of each function is about: their events, and traits.
ABOUT = {
    "count": views(3),
    "sum": [item("SKU-1", quantity=11)],
    "avg": [seen_with("review", "2025-06-01", properties={"rating": rating}) for rating in (3, 5)],
    "min": buys("2025-05-01", "2025-05-02"),
    "max": buys("2025-05-01", value=501_00),
    "distinct": [seen_with("product_view", "2025-06-01", product=f"P{i}") for i in range(5)],
    "share": buys("2025-05-01", "2025-05-02", channel="app") + buys("2025-05-03"),
    "first": buys("2023-05-01"),
    "last": buys("2025-06-01"),
    "first_value": [seen_with("visit", "2025-01-01", campaign="spring"), seen_with("visit", "2025-02-01", campaign="x")],
    "last_value": [seen_with("subscribe", "2025-01-01", properties={"plan": "gold"})],
    "days_since": buys("2025-01-01"),
    "hours_since": [seen_with("cart_add", "2025-06-15")],
    "first_time": buys("2025-06-01"),
    "regularly": buys(*EVERY_MONTH),
    "stopped": [seen_with("app_open", "2025-05-25")],
    "restarted": buys("2023-01-01", "2025-06-01"),
    "more": views(1, "page_view", "2025-06-05") + views(2, "page_view"),
    "less": buys("2025-01-20", "2025-01-21", "2025-06-01"),
    "trend": views(3, "page_view", "2025-05-01") + views(1, "page_view"),
    "median_days_between": buys(*EVERY_MONTH[:2], "2025-02-10"),
    "overdue": buys("2025-01-01", "2025-01-08", "2025-01-15"),
    "sequence": [seen_with(name, day, session="s1") for name, day in
                 [("product_view", "2025-06-01"), ("cart_add", "2025-06-02"), ("order", "2025-06-05")]],
    "not_followed": [seen_with("cart_add", "2025-06-12")],
    "without": [seen_with("cart_add", "2025-06-12"), *buys("2025-06-13")],
    "orders": buys("2025-01-01"),
    "items": [item("A", quantity=10)],
    "revenue": buys("2025-05-01", value=201_00),
    "gross": buys("2025-05-01", value=1000_00),
    "average_order": buys("2025-05-01", value=29_99),
    "largest_order": buys("2025-05-01", value=250_00),
    "refund_share": [*buys("2025-05-01"), dict(name="refund", time="2025-05-05", value_minor=-10_00)],
    "bought": [item("SKU-2")],
    "bought_together": [item("SKU-1", number="o1"), item("SKU-2", number="o1")],
    "sessions": [seen_with("visit", "2025-06-14", session=f"s{i}") for i in range(3)],
    "session_minutes": [dict(name="visit", time=f"2025-06-14 10:{minute:02d}", session="s1") for minute in (0, 6)],
    "pages_per_session": views(4, "page_view", session="s1"),
    "channels": [seen_with("visit", "2025-05-01", channel=channel) for channel in ("web", "app")],
    "channel_share": [seen_with("visit", f"2025-05-0{i}", channel=channel)
                      for i, channel in enumerate(("store", "web", "store"), 1)],
    "first_channel": [seen_with("visit", "2025-05-01", channel="email"), seen_with("visit", "2025-05-02", channel="web")],
    "last_channel": [seen_with("visit", "2025-06-01", channel="app")],
    "top_channel": [seen_with("visit", "2025-06-01", channel="web")],
    "touched": [seen_with("ad_click", "2025-06-01", campaign="spring-sale")],
    "seen": [seen_with("impression", "2025-06-12", content="hero-banner")],
    "responded": [seen_with("email_open", "2025-05-01", campaign="spring-sale"), *buys("2025-05-10")],
    "stage": views(1),
    "has": {"email": "ann@example.org"},
    "identifiers": {"device_id": ["d1", "d2", "d3"]},
    "shared_device": {},
    "source": {"traits": {"country": "DE"}, "source": "crm"},
    "score": {"traits": {"churn_risk": 0.7}},
    "consent": {"traits": {"consent.email.newsletter": True}},
    "in_segment": buys("2025-01-01", value=1001_00),
    "in_list": {},
    "sample": {},
}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A customer for each function, and 40 nobody knows anything of."""
    path = tmp_path_factory.mktemp("functions") / "shop.db"
    with cjourney.open(path, currency="EUR", time_zone="Europe/Berlin") as opened:
        for name, about in ABOUT.items():
            opened.identify(user_id=name, time="2025-01-01")
            if isinstance(about, list):
                opened.record_many([Event(identifiers={"user_id": name}, **event) for event in about])
                continue
            opened.identify(user_id=name, traits=about.get("traits"), source=about.get("source"), time="2025-01-01")
            for kind in ("email", "device_id"):
                values = about.get(kind, [])
                for value in [values] if isinstance(values, str) else values:
                    opened.identify([("user_id", name), (kind, value)], time="2025-01-01")
        for i in range(40):
            opened.identify(user_id=f"nobody{i}", time="2025-01-01")
        opened.define_segment("vip", "revenue() > 1000 EUR")
        opened.define_list("employees", [opened.find_profile("user_id", "has")])
        yield opened


@pytest.mark.parametrize("name, example", FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_the_example_of_a_function_finds_whom_it_is_about(people, name, example):
    rows = {row.user_id: row.truth for row in people.segment_evaluate(example, as_of=AS_OF, identifier="user_id")}
    if name == "sample":
        drawn = [user for user, truth in rows.items() if truth == 1]
        assert 0 < len(drawn) < len(rows) // 2
        assert all(truth in (0, 1) for truth in rows.values())
        return
    assert rows[name] == 1, example
    nothing = {rows[f"nobody{i}"] for i in range(40)}
    assert len(nothing) == 1, "who is alike is answered alike"
    if name not in ("orders", "shared_device", "in_list"):  # conditions that nobody fulfils by doing nothing
        assert nothing <= {0, 2}, example


def test_every_function_has_its_customer():
    assert [name for name, _ in FUNCTIONS if name not in ABOUT] == []


def test_the_table_is_that_of_the_library(store):
    """The page is made from function.c; a function that is not there is not known."""
    source = (ROOT / "lib/segment/function.c").read_text()
    names = re.findall(r'^    \{"(\w+)", "', source, re.M)
    assert [name for name, _ in FUNCTIONS] == names
    with pytest.raises(cjourney.InvalidError, match="unknown function"):
        store.segment_evaluate("no_such_function() > 1")


def test_reserved_words_are_names_again_where_the_page_says(store):
    for text in ("channel_share(last) > 50 %", "last(order) is known", "address.last = 1", 'trait("in") = 1'):
        store.segment_evaluate(text, as_of=AS_OF)
    reserved = PAGE[PAGE.index("<!-- reserved"):PAGE.index("<!-- end of reserved")].split("`")[1].split()
    for word in reserved:
        if word in ("true", "false", "not", "first", "last"):
            continue
        with pytest.raises(cjourney.InvalidError):
            store.format_segment(f"{word} = 1")
    assert json.loads(store.format_segment('trait("between") = 1', to_form="json"))["left"] == {"trait": "between"}
