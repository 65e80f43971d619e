"""A segment over the Online Retail set against an independent computation straight from its
lines: customers of Germany or France who bought at least three times in 2011 but not in the
60 days before 2011-12-10, worth over 500 GBP.  Then several segments, at several moments,
against the second opinion for every customer of the two countries.  The set is found through
CJ_TEST_DATA."""

import csv
import gzip
import os
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import cjourney  # noqa: E402
from segment_moments import NEVER, flips, valid_until  # noqa: E402
from segment_text import DAY, EPOCH, Shop, iso_time, parse  # noqa: E402
from segments import Event, Profile, Trait, truth  # noqa: E402

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "retail" / "online_retail.csv.gz"
LONDON = ZoneInfo("Europe/London")
SHOP = Shop("Europe/London", "GBP")
SEGMENT = (
    'country in ("Germany", "France") and orders(since 2011-01-01) >= 3 and orders(last 60 days) = 0'
    " and revenue() > 500 GBP"
)
OTHERS = [
    'bought("22423", last 180 days) and not bought("22423", last 30 days)',
    "overdue(orders, 1.5) and orders() >= 3",
    "refund_share(last 365 days) > 5 % or largest_order() > 1000 GBP",
    "regularly(orders, 3 of last 6 months)",
    'sequence(order_item where product = "POST" -> orders within 30 days, previous year)',
    "days_since(last order) > 2 * median_days_between(orders)",
    'bought_together("22326", "22328") or stopped(orders, 60 days)',
    "average_order(last 200 days) >= 250 GBP and items() > 100 and count(orders where hour < 10) > 0",
]

pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there; set CJ_TEST_DATA"),
    pytest.mark.skipif(not hasattr(cjourney.Store, "segment_evaluate"), reason="this library has no segments yet"),
]


def pence(line):
    value = Decimal(line["UnitPrice"]) * int(line["Quantity"])
    return int(value.quantize(Decimal("0.01"), ROUND_HALF_EVEN) * 100)


def local_ms(text):
    return (datetime.fromisoformat(text).replace(tzinfo=LONDON) - EPOCH) // timedelta(milliseconds=1)


def read_orders():
    """Order number: its lines, in the order of the file."""
    found = defaultdict(list)
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as f:
        for line in csv.DictReader(f):
            found[line["InvoiceNo"]].append(line)
    return found


@pytest.fixture(scope="module")
def orders():
    return read_orders()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retail")
    (folder / "retail.csv").write_bytes(gzip.decompress(DATA.read_bytes()))
    with cjourney.Store(folder / "shop.db", currency="GBP", time_zone="Europe/London") as opened:
        columns = {"time": "InvoiceDate", "order": "InvoiceNo", "product": "StockCode", "quantity": "Quantity",
                   "unit_price": "UnitPrice", "user_id": "CustomerID", "trait.country": "Country"}
        opened.import_file(folder / "retail.csv", map=columns, guest="InvoiceNo")
        yield opened


def customer_of(lines):
    return next((line["CustomerID"] for line in lines if line["CustomerID"]), "")


def independent(orders):
    """The customers, from the lines alone."""
    as_of, year = local_ms("2011-12-10"), local_ms("2011-01-01")
    country, bought, lately, worth = {}, defaultdict(int), defaultdict(int), defaultdict(int)
    for lines in sorted(orders.values(), key=lambda lines: local_ms(lines[0]["InvoiceDate"])):
        who, when = customer_of(lines), local_ms(lines[0]["InvoiceDate"])
        total = sum(pence(line) for line in lines)
        if who and when < as_of:
            country[who] = lines[0]["Country"]
            worth[who] += total
            bought[who] += total > 0 and when >= year
            lately[who] += total > 0 and when >= as_of - 60 * DAY
    return {
        who for who in country
        if country[who] in ("Germany", "France") and bought[who] >= 3 and lately[who] == 0 and worth[who] > 50000
    }


def user_of(store, profile):
    return next((row["value"] for row in store.identifiers(profile) if row["kind"] == "user_id"), None)


def test_the_customers_are_those_of_an_independent_computation(store, orders):
    rows = list(store.segment_evaluate(SEGMENT, as_of="2011-12-10"))
    got = {user_of(store, row["profile"]) for row in rows if row["truth"] == 1}
    assert got == independent(orders)
    assert len(got) == 13
    known = store.segment_evaluate("country is known and has(user_id)", as_of="2011-12-10")
    assert sum(row["truth"] == 1 for row in known) == 4372


@pytest.fixture(scope="module")
def profiles(store, orders):
    """The facts of each customer who ever ordered in Germany or France."""
    numbers, events, traits = {}, defaultdict(list), defaultdict(list)
    for lines in orders.values():
        who = customer_of(lines)
        if who and any(line["Country"] in ("Germany", "France") for line in lines):
            numbers[who] = store.find_profile("user_id", who)
    for number, lines in orders.items():
        who, when = customer_of(lines), local_ms(lines[0]["InvoiceDate"])
        if who in numbers:
            total = sum(pence(line) for line in lines)
            name = "refund" if total < 0 else "order"
            events[who].append(Event(when, name, order=number, value=total, currency="GBP"))
            events[who] += [Event(when, "order_item", product=line["StockCode"] or None, order=number,
                                  quantity=int(line["Quantity"]), value=pence(line), currency="GBP") for line in lines]
            traits[who].append(Trait(when, "country", f'"{lines[0]["Country"]}"', "import"))
    return [
        Profile(numbers[who], sorted(events[who], key=lambda event: event.time),
                sorted(traits[who], key=lambda trait: trait.time), {"user_id": 1})
        for who in sorted(numbers)
    ]


@pytest.mark.parametrize("text", [SEGMENT, *OTHERS])
def test_every_customer_of_two_countries_by_the_second_opinion(store, profiles, text):
    segment = parse(text, SHOP)
    begin = local_ms("2010-12-01")
    turns = {profile.number: flips(segment, profile, SHOP, begin, ticks=800) for profile in profiles}
    some = sorted({turn for each in turns.values() for turn in each if turn < local_ms("2012-06-01")})
    moments = [iso_time("2011-12-10", LONDON)]
    moments += [turn + away for turn in some[:: max(1, len(some) // 4)][:4] for away in (-1, 0)]
    for now in moments:
        found = {row["profile"]: row for row in store.segment_evaluate(text, as_of=now)}
        for profile in profiles:
            row, wanted = found[profile.number], truth(segment, profile, SHOP, now)
            until = NEVER if row["valid_until_ms"] is None else row["valid_until_ms"]
            assert {0: False, 1: True, 2: None}[row["truth"]] is wanted, (profile.number, now)
            assert until == valid_until(turns[profile.number], now), (profile.number, now)


def test_what_each_clause_lets_pass(store, orders):
    """In order, as the independent computation would narrow it down."""
    rows = list(store.segment_explain(SEGMENT, as_of="2011-12-10"))
    assert rows[0]["passes_alone"] == rows[-1]["passes_in_order"] == len(independent(orders)) == 13
    assert [row["passes_in_order"] for row in rows[1:]] == [185, 94, 15, 13]
    # the window of 60 days spares most of the file
    lately, ever = rows[3], rows[4]
    assert ever["from_ms"] < lately["from_ms"] <= local_ms("2011-12-10") - 53 * DAY
    assert lately["blocks"] < ever["blocks"] or ever["blocks"] == 0


def test_products_that_set_two_countries_apart(store, orders):
    """How many customers of each bought each product, straight from the lines."""
    home, bought = {}, defaultdict(set)
    for lines in sorted(orders.values(), key=lambda lines: local_ms(lines[0]["InvoiceDate"])):
        who = customer_of(lines)
        if who:
            home[who] = lines[0]["Country"]
            for line in lines:
                bought[line["StockCode"]].add(who)
    german, french = ({who for who in home if home[who] == name} for name in ("Germany", "France"))
    rows = store.segment_compare('has(user_id) and country = "Germany"', 'has(user_id) and country = "France"',
                                 as_of="2011-12-10", limit=100_000)
    found = {row["value"]: (row["n_a"], row["n_b"]) for row in rows if row["dimension"] == "product"}
    wanted = {product: (len(who & german), len(who & french)) for product, who in bought.items()}
    assert found == {product: both for product, both in wanted.items() if both != (0, 0)}
    assert len(found) > 1500
