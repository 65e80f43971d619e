"""RFM a second time, slowly and obviously: from exported events and the words of
include/cjourney.h, with Python's own calendar.  Shares no line with the library.

    cjourney -d shop.db events --format csv > events.csv
    cjourney rfm --classes --format csv > classes.csv
    python3 tests/oracle/rfm.py events.csv classes.csv 2026-01-01 Europe/London

prints what `cjourney -d shop.db rfm --guests --as-of 2026-01-01` must say.
"""

import csv
import sys
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def local_date(ms, zone):
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(zone).date()


def half_even(amount, n):
    return round(Fraction(amount, n))  # Python rounds halves to even


def customer(events, as_of_ms, zone, recency, frequency, monetary, of):
    """(recency, frequency, monetary) of one profile's (time, name, value), or None."""
    orders = [(time, value) for time, name, value in events if name == "order" and value is not None and value > 0]
    refunds = [value for _, name, value in events if name == "refund" and value is not None]
    others = [value for _, name, value in events if name == "order" and value is not None and value <= 0]
    if not orders:
        return None
    last = max(time for time, _ in orders)
    if recency == "hours":
        gone = (as_of_ms - last) // 3600000
    else:
        gone = (local_date(as_of_ms, zone) - local_date(last, zone)).days
    if frequency == "orders":
        often = len(orders)
    else:
        often = len({local_date(time, zone) for time, _ in orders}) - 1
    money = sum(value for _, value in orders)
    if monetary == "net":
        money += sum(refunds) + sum(others)
    if of == "mean":
        money = half_even(money, len(orders))
    return gone, often, money


def quantile_scores(values, n_bins, less_is_better):
    """1 + floor(n_bins * those that are worse / all), for each value."""
    n = len(values)
    score = {}
    for value in set(values):
        if less_is_better:
            worse = sum(1 for other in values if other > value)
        else:
            worse = sum(1 for other in values if other < value)
        score[value] = 1 + n_bins * worse // n
    return [score[value] for value in values]


def fixed_scores(values, limits, less_is_better):
    if less_is_better:
        return [len(limits) + 1 - sum(value > limit for limit in limits) for value in values]
    return [1 + sum(value >= limit for limit in limits) for value in values]


def fifth(score, n_scores):
    return -(-score * 5 // n_scores)


def classify(classes, r, f, m):
    for row in classes:
        fits = True
        for name, score in (("r", r), ("f", f), ("m", m)):
            least, most = int(row[name + "_min"]), int(row[name + "_max"])
            fits = fits and (least == 0 or score >= least) and (most == 0 or score <= most)
        if fits:
            return row["class"]
    return None


def rfm(events, classes, as_of_ms, zone, from_ms=None, recency="days", frequency="orders", monetary="net", of="total",
        bins=5, limits=(None, None, None)):
    """Rows (profile, recency, frequency, monetary, r, f, m, class) by profile; events are
    (profile, time_ms, name, value or None)."""
    by_profile = {}
    for profile, time, name, value in events:
        if time < as_of_ms and (from_ms is None or time >= from_ms):
            by_profile.setdefault(profile, []).append((time, name, value))
    found = []
    for profile in sorted(by_profile):
        values = customer(by_profile[profile], as_of_ms, zone, recency, frequency, monetary, of)
        if values is not None:
            found.append((profile, *values))
    scores, n_scores = [], []
    for k in range(3):
        values = [row[1 + k] for row in found]
        if limits[k]:
            scores.append(fixed_scores(values, limits[k], k == 0))
            n_scores.append(len(limits[k]) + 1)
        else:
            scores.append(quantile_scores(values, bins, k == 0))
            n_scores.append(bins)
    rows = []
    for i, row in enumerate(found):
        three = [scores[k][i] for k in range(3)]
        name = classify(classes, *(fifth(three[k], n_scores[k]) for k in range(3)))
        rows.append((*row, *three, name))
    return rows


def read_events(lines):
    for row in csv.DictReader(lines):
        value = row["value_minor"]
        yield int(row["profile"]), int(row["time_ms"]), row["name"], int(value) if value != "" else None


def main(events, classes, as_of, zone_name="UTC"):
    zone = ZoneInfo(zone_name)
    moment = datetime.fromisoformat(as_of).replace(tzinfo=zone)
    with open(events, newline="", encoding="utf-8") as e, open(classes, newline="", encoding="utf-8") as c:
        rows = rfm(read_events(e), list(csv.DictReader(c)), (moment - EPOCH) // timedelta(milliseconds=1), zone)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow("profile recency_days frequency monetary_minor r f m class".split())
    out.writerows(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
