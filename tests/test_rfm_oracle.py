"""RFM through the program against tests/oracle/rfm.py, row by row and with every choice of
the options: over random shops in zones with odd clocks, and over the Online Retail set
when it is there (CJ_TEST_DATA)."""

import csv
import gzip
import itertools
import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
import rfm as oracle  # noqa: E402

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "retail" / "online_retail.csv.gz"
PROGRAM = os.environ.get("CJOURNEY", "build/release/bin/cjourney")
ZONES = ["UTC", "Europe/London", "America/St_Johns", "Pacific/Apia"]


def run(db, *arguments, stdin=None):
    done = subprocess.run([PROGRAM, "-d", str(db), *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def to_ms(moment):
    return (moment - oracle.EPOCH) // timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def classes():
    done = subprocess.run([PROGRAM, "rfm", "--classes", "--format", "csv"], capture_output=True, check=True)
    return list(csv.DictReader(done.stdout.decode().splitlines()))


def expect_equal(db, events, classes, as_of, zone, more=(), **options):
    """as_of: a local wall time of the zone, as the program reads it."""
    text = run(db, "rfm", "--guests", "--as-of", as_of, "--format", "csv", *more)
    got = [
        (*(int(row[name]) for name in row if name not in ("class", "user_id")), row["class"] or None)
        for row in csv.DictReader(text.splitlines())
    ]
    moment = datetime.fromisoformat(as_of).replace(tzinfo=zone)
    assert got == oracle.rfm(events, classes, to_ms(moment), zone, **options)
    return len(got)


def exported(db):
    return list(oracle.read_events(run(db, "events", "--format", "csv").splitlines()))


def random_message(dice, i, start):
    """Days cluster around midnight, where zones and clock changes decide."""
    moment = start + timedelta(days=dice.randrange(365), seconds=dice.choice((0, 1, 1800, 43200, 84600, 86399)))
    moment += timedelta(milliseconds=dice.randrange(1000))
    name = dice.choice(("order", "order", "order", "refund", "product_view"))
    message = {"message_id": f"m{i}", "name": name, "time": moment.isoformat(timespec="milliseconds")}
    message[dice.choice(("user_id", "user_id", "guest"))] = f"c{int(dice.paretovariate(0.7)) % 200}"
    if name == "order":
        message["value_minor"] = dice.choice((0, 1, 999, 1000, 1001, dice.randrange(1, 100000)))
    if name == "refund":
        message["value_minor"] = -dice.randrange(1, 5000)
    return message


@pytest.mark.parametrize("zone_name", ZONES)
def test_random_shops(tmp_path, classes, zone_name):
    dice = random.Random(zone_name)
    zone = ZoneInfo(zone_name)
    start = datetime(2011, 2, 1, tzinfo=zone)  # Apia lost a day, St John's changed at 00:01
    messages = [random_message(dice, i, start) for i in range(2500)]
    lines = "".join(json.dumps(message) + "\n" for message in messages).encode()
    db = tmp_path / "shop.db"
    run(db, "import", "--format", "json", "--time-zone", zone_name, "-", stdin=lines)
    events = exported(db)
    assert len(events) == len(messages)
    choices = itertools.product(("days", "hours"), ("orders", "repeat-days"), ("net", "gross"), ("total", "mean"))
    for i, (recency, frequency, monetary, of) in enumerate(choices):
        as_of = ("2012-03-01", "2011-11-06T00:30:00", "2012-01-01", "2011-06-15T23:59:59")[i % 4]
        bins = 2 + i % 9
        more = ["--recency", recency, "--frequency", frequency, "--monetary", monetary, "--of", of]
        more += ["--bins", str(bins), "--threads", str(1 + i % 3)]
        options = {"recency": recency, "frequency": frequency, "monetary": monetary, "of": of, "bins": bins}
        if i % 3 == 2:
            more += ["--from", "2011-04-01"]
            options["from_ms"] = to_ms(datetime(2011, 4, 1, tzinfo=zone))
        assert expect_equal(db, events, classes, as_of, zone, more, **options) > 30


def test_fixed_thresholds(tmp_path, classes):
    dice = random.Random(7)
    zone = ZoneInfo("UTC")
    lines = [random_message(dice, i, datetime(2024, 1, 1, tzinfo=zone)) for i in range(800)]
    db = tmp_path / "shop.db"
    run(db, "import", "--format", "json", "-", stdin="".join(json.dumps(m) + "\n" for m in lines).encode())
    limits = ([3, 10, 100, 200], [2, 3, 5], [100, 1000, 5000, 10000, 50000])
    more = ["--r-limits", "3,10,100,200", "--f-limits", "2,3,5", "--m-limits", "1,10,50,100,500"]
    expect_equal(db, exported(db), classes, "2025-01-01", zone, more, limits=limits)
    expect_equal(db, exported(db), classes, "2025-01-01", zone, more[2:4], limits=(None, limits[1], None))


def test_the_oracle_alone(tmp_path, classes):
    """The oracle can be wrong too: a shop small enough to do by hand."""
    day = 86400000
    events = [(7, 10 * day, "order", 100), (7, 12 * day, "refund", -30), (7, 12 * day, "order", 101),
              (9, 14 * day - 1, "order", 5), (9, 14 * day, "order", 5), (8, 3 * day, "order", 0)]
    assert oracle.rfm(events, classes, 14 * day, ZoneInfo("UTC")) == [
        (7, 2, 2, 171, 1, 3, 3, "At Risk"), (9, 1, 1, 5, 3, 1, 1, "About to Sleep")]
    assert [row[3] for row in oracle.rfm(events, classes, 14 * day, ZoneInfo("UTC"), monetary="gross", of="mean")] == [
        100, 5]  # 100.5 to the even


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there; set CJ_TEST_DATA")
def test_online_retail(tmp_path, classes):
    db = tmp_path / "shop.db"
    columns = "time=InvoiceDate,order=InvoiceNo,product=StockCode,quantity=Quantity,unit_price=UnitPrice"
    run(db, "import", "--format", "csv", "--map", columns + ",user_id=CustomerID", "--guest", "InvoiceNo", "--time-zone",
        "Europe/London", "--currency", "GBP", "-", stdin=gzip.decompress(DATA.read_bytes()))
    wanted = ("order", "refund")
    events = [row for name in wanted for row in oracle.read_events(
        run(db, "events", "--name", name, "--format", "csv").splitlines())]
    zone = ZoneInfo("Europe/London")
    assert expect_equal(db, events, classes, "2011-12-10", zone) > 4338
    expect_equal(db, events, classes, "2011-07-01T12:00:00", zone,
                 ["--recency", "hours", "--frequency", "repeat-days", "--of", "mean", "--bins", "10"],
                 recency="hours", frequency="repeat-days", of="mean", bins=10)
