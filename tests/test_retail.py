"""The Online Retail set, end to end through the program: 541,909 order lines become 25,900 orders, twice the same, and
RFM equals an independent computation for every customer.  The set is found through CJ_TEST_DATA."""

import csv
import datetime
import gzip
import os
import subprocess
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "retail" / "online_retail.csv.gz"
PROGRAM = os.environ.get("CJOURNEY", "build/release/bin/cjourney")
MAP = (
    "time=InvoiceDate,order=InvoiceNo,product=StockCode,quantity=Quantity,unit_price=UnitPrice,"
    "user_id=CustomerID,trait.country=Country"
)
IMPORT = ["import", "--format", "csv", "--map", MAP, "--guest", "InvoiceNo"]
IMPORT += ["--time-zone", "Europe/London", "--currency", "GBP", "-"]

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there; set CJ_TEST_DATA")


def run(db, *arguments, stdin=None):
    done = subprocess.run([PROGRAM, "-d", str(db), *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def counts(output):
    words = output.decode().replace("{", "").replace("}", "").replace('"', "").strip().split(",")
    pairs = dict(word.split(":") for word in words)
    return {name: int(pairs[name]) for name in ("lines", "recorded", "duplicates", "rejected", "events")}


@pytest.fixture(scope="module")
def lines():
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A file into which the set has been imported."""
    db = tmp_path_factory.mktemp("retail") / "shop.db"
    got = counts(run(db, *IMPORT, stdin=gzip.decompress(DATA.read_bytes())))
    assert got == {"lines": 541909, "recorded": 25900, "duplicates": 0, "rejected": 0, "events": 541909 + 25900}
    return db


def pence(line):
    value = Decimal(line["UnitPrice"]) * int(line["Quantity"])
    return int(value.quantize(Decimal("0.01"), ROUND_HALF_EVEN) * 100)


def independent_rfm(lines):
    """user id: (recency in days, frequency, gross pence) as of 2011-12-10."""
    totals, first, customer = defaultdict(int), {}, {}
    for line in lines:
        order = line["InvoiceNo"]
        totals[order] += pence(line)
        first.setdefault(order, line["InvoiceDate"])
        customer[order] = line["CustomerID"]
    last, n_orders, gross = {}, defaultdict(int), defaultdict(int)
    for order, total in totals.items():
        who = customer[order]
        if who and total > 0:
            last[who] = max(last.get(who, ""), first[order])
            n_orders[who] += 1
            gross[who] += total
    as_of = datetime.date(2011, 12, 10)
    return {
        who: ((as_of - datetime.date.fromisoformat(day[:10])).days, n_orders[who], gross[who])
        for who, day in last.items()
    }


def test_rfm_equals_an_independent_computation(shop, lines):
    text = run(shop, "rfm", "--as-of", "2011-12-10", "--monetary", "gross", "--format", "csv").decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert text.splitlines()[0] == "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class"
    assert [int(row["profile"]) for row in rows] == sorted(int(row["profile"]) for row in rows)
    got = {
        row["user_id"]: (int(row["recency_days"]), int(row["frequency"]), int(row["monetary_minor"])) for row in rows
    }
    assert got == independent_rfm(lines)
    assert len(got) == len(rows) == 4338
    assert sum(frequency for _, frequency, _ in got.values()) == 18532
    assert sum(money for _, _, money in got.values()) == 891140790


def test_every_line_can_be_read_back(shop, lines):
    text = run(shop, "events", "--name", "order_item", "--format", "csv").decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len(lines)
    # quantity 0 of an item says 1, and the set has no line of quantity 0
    assert all(int(line["Quantity"]) != 0 for line in lines)
    got = sorted((r["order_id"], r["product"], int(r["quantity"]), int(r["value_minor"])) for r in rows)
    assert got == sorted((r["InvoiceNo"], r["StockCode"], int(r["Quantity"]), pence(r)) for r in lines)


def test_an_export_of_many_windows_has_one_header(shop):
    out = run(shop, "export", "--format", "csv").decode()
    header, rest = out.split("\n", 1)
    assert header.startswith("profile,node,time_ms,name")
    assert header not in rest
    assert out.count("\n") == 1 + 541909 + 25900


def test_a_second_import_changes_nothing(shop):
    before = run(shop, "rfm", "--as-of", "2011-12-10", "--monetary", "gross", "--format", "csv")
    got = counts(run(shop, *IMPORT, stdin=gzip.decompress(DATA.read_bytes())))
    assert got == {"lines": 541909, "recorded": 0, "duplicates": 25900, "rejected": 0, "events": 0}
    after = run(shop, "rfm", "--as-of", "2011-12-10", "--monetary", "gross", "--format", "csv")
    assert before == after
    assert run(shop, "check").decode().strip() in ("", "place,problem")
