"""cj_clv_summary against tests/oracle/clv_summary.py: over the CDNOW sample, a log of six customers, random shops in
zones with odd clocks, and the retail set (CJ_TEST_DATA)."""

import csv
import ctypes
import gzip
import itertools
import math
import os
import random
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
import clv_summary as oracle  # noqa: E402

import cjourney  # noqa: E402
from cjourney import _ffi  # noqa: E402

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data"))
CLV = DATA / "clv"
PERIODS = {"day": 0, "week": 1, "any": 2}
REFUNDS = {"net": 0, "drop": 1, "ignore": 2}
needs_data = pytest.mark.skipif(not CLV.exists(), reason=f"{CLV} is not there; set CJ_TEST_DATA")


def ms(text, zone="UTC"):
    return (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) - oracle.EPOCH) // timedelta(milliseconds=1)


def table(store, function, **options):
    """The columns of a table by name, from a function with an options struct."""
    o = _ffi.sized(_ffi.ClvSummaryOptions)
    for name, value in options.items():
        setattr(o, name, value)
    return store._table(function, ctypes.byref(o))


def summary(store, **options):
    t = table(store, "cj_clv_summary", **options)
    return list(t.columns), [list(row) for row in t]


def expect_close(got, want, tolerance=1e-13):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert x == y or (isinstance(y, float) and abs(x - y) <= tolerance * max(1, abs(y))), (a, b)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    if not CLV.exists():
        pytest.skip(f"{CLV} is not there; set CJ_TEST_DATA")
    with open(CLV / "cdnow_sample.csv", encoding="utf-8", newline="") as f:
        lines = list(csv.DictReader(f))
    store = cjourney.Store(tmp_path_factory.mktemp("cdnow") / "shop.cj", currency="USD")
    events = [cjourney.Event(name="order", time=f"{line['date']}T{i % 24:02}:00:00Z", user_id=line["sample_id"],
                             value=Decimal(line["dollar_value"]) or Decimal("0"))
              for i, line in enumerate(lines)]
    store.record_many(events)
    yield store
    store.close()


CAL = {"as_of_ms": ms("1997-10-01"), "holdout_end_ms": ms("1998-07-01"), "include_free": 1}  # eight paid nothing


def test_cdnow_is_the_published_summary(cdnow):
    """Fader, Hardie and Lee (2005): 2,357 customers, 39 weeks, and 39 weeks of holdout."""
    with open(CLV / "cdnow_cbs_days.csv", encoding="utf-8", newline="") as f:
        want = {int(row["id"]): row for row in csv.DictReader(f)}
    names, rows = summary(cdnow, identifier=b"user_id", **CAL)
    assert names == ["profile", "user_id", "x", "tx_days", "t_days", "spend", "litt", "first_ms", "x_star", "spend_star",
                     "holdout_days"]
    assert len(rows) == len(want) == 2357
    for row in rows:
        who = want[int(row[1])]
        assert row[2:5] == [int(who["x"]), float(who["tx_days"]), float(who["T_days"])]
        assert math.isclose(row[5], float(who["zbar"]), rel_tol=1e-14)
        assert row[8] == int(who["x_star"]) and math.isclose(row[9], float(who["spend_star"]), rel_tol=1e-14)
        assert row[10] == 273
    assert sum(row[2] for row in rows) == 2457 and sum(row[8] for row in rows) == 1882
    assert sum(row[2] > 0 for row in rows) == 946
    assert len({tuple(row[2:5]) for row in rows}) == 1016


def test_cdnow_by_other_periods(cdnow):
    events = exported(cdnow)
    for period, refunds in itertools.product(PERIODS, REFUNDS):
        got = summary(cdnow, period=PERIODS[period], refunds=REFUNDS[refunds], threads=2, **CAL)[1]
        want = oracle.summary(events, ZoneInfo("UTC"), CAL["as_of_ms"], CAL["holdout_end_ms"], period, refunds, free=True)
        expect_close(got, want)


def bought(store, **options):
    t = table(store, "cj_clv_purchases", **options)
    assert list(t.columns) == ["profile", "days", "since_days", "value", "time_ms"]
    return [list(row) for row in t]


def test_cdnow_purchases_are_the_published_counts(cdnow):
    """REFERENCE 2.2: repeat purchases per week; a purchase of a day is there when the day is over (day + 1)."""
    rows = bought(cdnow, **CAL)
    assert [row[:1] + row[4:] for row in rows] == sorted(row[:1] + row[4:] for row in rows)
    repeats = [b for a, b in zip(rows, rows[1:]) if a[0] == b[0]]
    assert len(rows) == 6696 and len(repeats) == 2457 + 1882
    weeks = [0] * 79
    for row in repeats:
        weeks[math.ceil((row[2] + 1) / 7)] += 1
    assert weeks[20:26] == [73, 55, 70, 33, 56, 99]
    assert list(itertools.accumulate(weeks))[20:26] == [1359, 1414, 1484, 1517, 1573, 1672]
    calibration = bought(cdnow, as_of_ms=CAL["as_of_ms"], include_free=1)
    counts = {}
    for row in calibration:
        counts[row[0]] = counts.get(row[0], -1) + 1
    assert counts == {row[0]: row[1] for row in summary(cdnow, **CAL)[1]}
    assert calibration == [row for row in rows if row[4] < CAL["as_of_ms"]]


def test_cdnow_tracked_from_the_store(cdnow):
    """Two lines from a store to what Fader, Hardie and Lee plotted: 78 weeks, learned from 39."""
    cohort = {"as_of": "1997-10-01", "holdout_until": "1998-07-01", "include_free": True}
    past = cdnow.clv_summary(**cohort)
    model = cjourney.ValueModel.fit(past, "bgnbd", unit="week")
    track = model.tracking(past, purchase_days=cdnow.clv_purchases(**cohort), periods=78)
    assert track["actual_cumulative"][-1] == 2457 + 1882
    assert track["expected_cumulative"][19:25] == pytest.approx(
        (1312.458, 1387.346, 1460.392, 1531.713, 1601.418, 1669.600), abs=2e-2)
    off = [e / a - 1 for e, a in zip(track["expected_cumulative"], track["actual_cumulative"])]
    assert off[-1] == pytest.approx(-0.0399, abs=1e-4)
    assert max(map(abs, off[19:])) < 0.05  # before, the twelve weeks in which they came: it expects too little


def exported(store):
    """Orders and refunds as (profile, time, name, value), in the library's order."""
    return [(e.profile, e.time_ms, e.name, e.value_minor) for e in store.events() if e.name in ("order", "refund")]


@needs_data
def test_six_customers(tmp_path):
    """A log small enough to do by hand (REFERENCE 2.4), and in any order of its lines."""
    with open(CLV / "rfm_segments_fixture.csv", encoding="utf-8", newline="") as f:
        lines = list(csv.DictReader(f))
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        with cjourney.Store(tmp_path / f"{seed}.cj") as store:
            for who in "123456":
                store.identify(user_id=who)
            store.record_many([{"name": "order", "time": line["date"], "user_id": line["customer"],
                                "value": Decimal(line["value"])} for line in lines])
            rows = summary(store, as_of_ms=ms("2015-02-08"))[1]
            assert [row[1:5] for row in rows] == [
                [1, 36, 37, 2], [0, 0, 37, 0], [2, 4, 37, 3], [2, 20, 22, 6], [2, 2, 22, 4.5], [0, 0, 5, 0]]
            weeks = summary(store, as_of_ms=ms("2015-02-08"), period=1)[1]
            assert [[row[1], row[2] / 7, row[3] / 7] for row in weeks] == [
                [1, 5, 5], [0, 0, 5], [1, 1, 5], [1, 3, 3], [0, 0, 3], [0, 0, 0]]
            split = summary(store, as_of_ms=ms("2015-02-02"), holdout_end_ms=ms("2015-02-08"))[1]
            assert [row[-3] for row in split] == [1, 0, 0, 2, 0]  # the sixth comes in the holdout
            assert [row[-2] for row in split] == [2, 0, 0, 12, 0] and {row[-1] for row in split} == {6}
            assert [row[4] for row in split] == [0, 0, 3, 0, 4.5]


def random_shop(dice, zone, n):
    """Few customers, so that purchases share days and weeks; times cluster around midnight."""
    start = datetime(2011, 10, 20, tzinfo=zone)  # Apia lost a day, London and St John's change
    for i in range(n):
        moment = start + timedelta(days=dice.randrange(90), seconds=dice.choice((0, 1, 1800, 43200, 84600, 86399)))
        name = dice.choice(("order", "order", "order", "refund", "product_view"))
        value = {"order": dice.choice((0, 1, 999, 1001)), "refund": -dice.choice((1, 999, 1500))}.get(name)
        yield {"name": name, "time": moment + timedelta(milliseconds=dice.choice((0, 7))), "value_minor": value or 0,
               dice.choice(("user_id", "user_id", "guest")): f"c{int(dice.paretovariate(0.5)) % 60}"}


@pytest.mark.parametrize("zone_name", ["UTC", "Europe/London", "America/St_Johns", "Pacific/Apia"])
def test_random_shops(tmp_path, zone_name):
    dice, zone = random.Random(zone_name), ZoneInfo(zone_name)
    with cjourney.Store(tmp_path / "shop.cj", time_zone=zone_name) as store:
        import json

        store.record_json("\n".join(json.dumps({**e, "time": e["time"].isoformat()}) for e in random_shop(dice, zone, 2500)))
        events = exported(store)
        n = 0
        for i, (period, refunds, free) in enumerate(itertools.product(PERIODS, REFUNDS, (0, 1))):
            as_of = ms(("2011-12-15", "2011-11-06T00:30:00", "2011-12-31T12:00:00")[i % 3], zone_name)
            end = (0, ms("2012-01-09", zone_name))[i % 2]
            since = (0, ms("2011-10-25", zone_name))[i // 2 % 2]
            first = ((None, None), (since + 5 * oracle.DAY_MS, as_of - oracle.DAY_MS))[i // 4 % 2 if since else 0]
            got = summary(store, as_of_ms=as_of, holdout_end_ms=end, from_ms=since, period=PERIODS[period],
                          refunds=REFUNDS[refunds], include_free=free, include_guests=1, threads=1 + i % 3,
                          first_from_ms=first[0] or 0, first_until_ms=first[1] or 0)[1]
            want = oracle.summary(events, zone, as_of, end, period, refunds, since, first, free=bool(free))
            expect_close(got, want)
            n += len(got)
            rows = bought(store, as_of_ms=as_of, holdout_end_ms=end, from_ms=since, period=PERIODS[period],
                          refunds=REFUNDS[refunds], include_free=free, include_guests=1, threads=1 + i % 3,
                          first_from_ms=first[0] or 0, first_until_ms=first[1] or 0)
            expect_close(rows, oracle.purchase_rows(events, zone, as_of, end, period, refunds, since, first, bool(free)))
            assert len(rows) == sum(1 + row[1] + (row[7] if end else 0) for row in got)
        assert n > 300


def test_a_segment_chooses_customers(tmp_path):
    with cjourney.Store(tmp_path / "shop.cj") as store:
        for i in range(40):
            who = {"user_id": f"u{i}"}
            store.identify(**who, traits={"country": ("DE", "AT")[i % 2]}, time="2024-01-01")
            for k in range(1 + i % 3):
                store.record("order", **who, time=f"2024-02-{1 + 9 * k:02}", value_minor=100 * (1 + i))
        store.define_segment("austria", 'country = "AT"')
        every = summary(store, as_of_ms=ms("2024-03-01"))[1]
        assert len(every) == 40
        for source in ("austria", 'country = "AT"'):
            assert summary(store, as_of_ms=ms("2024-03-01"), segment=source.encode())[1] == every[1::2]
        # who is in it at as_of: nothing of the holdout decides
        early = {"as_of_ms": ms("2024-02-05"), "holdout_end_ms": ms("2024-03-01")}
        assert summary(store, segment=b"orders() >= 2", **early)[1] == []
        assert len(summary(store, segment=b"orders() >= 1", **early)[1]) == 40
        for wrong in (b"austri", b"orders( >"):
            with pytest.raises(cjourney.CJourneyError):
                summary(store, segment=wrong)


RETAIL = DATA / "retail" / "online_retail.csv.gz"


@pytest.mark.skipif(not RETAIL.exists(), reason=f"{RETAIL} is not there; set CJ_TEST_DATA")
def test_retail(tmp_path):
    """A year of a wholesaler with cancellations, London time: every customer, each policy of refunds."""
    with cjourney.Store(tmp_path / "shop.cj", time_zone="Europe/London", currency="GBP") as store:
        (tmp_path / "lines.csv").write_bytes(gzip.decompress(RETAIL.read_bytes()))
        store.import_file(tmp_path / "lines.csv", guest="InvoiceNo", time_zone="Europe/London",
                          map="time=InvoiceDate,order=InvoiceNo,product=StockCode,quantity=Quantity,"
                              "unit_price=UnitPrice,user_id=CustomerID,trait.country=Country")
        zone, as_of, end = ZoneInfo("Europe/London"), ms("2011-09-01", "Europe/London"), ms("2011-12-10", "Europe/London")
        guests = {e.profile for e in store.rfm(as_of=end, include_guests=True)} - {e.profile for e in store.rfm(as_of=end)}
        events = [e for e in exported(store) if e[0] not in guests]
        x = {}
        for refunds in REFUNDS:
            got = summary(store, as_of_ms=as_of, holdout_end_ms=end, refunds=REFUNDS[refunds])[1]
            rows = [row for row in oracle.summary(events, zone, as_of, end, "day", refunds)]
            mine = {row[0] for row in got}
            expect_close(got, [row for row in rows if row[0] in mine])
            assert {row[0] for row in rows} - mine <= guests
            assert all(0 <= row[2] <= row[3] <= 274 and (row[1] > 0) == (row[2] > 0) for row in got)
            x[refunds] = sum(row[1] for row in got)
        assert 3000 < len(got) < 4400 and x["drop"] < x["net"] == x["ignore"]
