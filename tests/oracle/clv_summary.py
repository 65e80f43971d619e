"""The summary of the value models a second time, slow and obvious: from (profile, time_ms, name, value_minor) rows."""

import math
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import groupby

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY_MS = 86400000


def local_day(time_ms, zone):
    return (EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone).date().toordinal() - 719163


def number(time_ms, period, zone):
    """The number of the period in which a moment lies."""
    if period == "any":
        return time_ms
    day = local_day(time_ms, zone)
    return day if period == "day" else (day + 3) // 7


def purchases(rows, period, refunds, zone, free=False):
    """[period, first moment, value, refunded?] of each purchase; rows of one customer in order of time."""
    found, latest = [], -(10**18)
    for time_ms, name, value in rows:
        if name == "order" and (value > 0 or (free and value == 0)):
            latest = max(latest, number(time_ms, period, zone))  # a clock set back brings no new day
            if found and found[-1][0] == latest:
                found[-1][2] += value
            else:
                found.append([latest, time_ms, value, False])
        elif value < 0 and name in ("order", "refund") and refunds != "ignore" and found:
            found[-1][2] += value
            found[-1][3] = True
    return [p for p in found if refunds != "drop" or not p[3] or p[2] > 0]


def customers(events, zone, as_of, holdout_end=0, period="day", refunds="net", since=0, first=(None, None), free=False):
    """(profile, purchases before as_of, those of the holdout) of each customer asked for."""
    events = sorted((e for e in events if e[1] >= since or since == 0), key=lambda e: (e[0], e[1]))
    for profile, mine in groupby(events, key=lambda e: e[0]):
        mine = [e[1:] for e in mine]
        known = purchases([e for e in mine if e[0] < as_of], period, refunds, zone, free)
        later = purchases([e for e in mine if as_of <= e[0] < holdout_end], period, refunds, zone, free)
        if known and (first[0] or -(10**18)) <= known[0][1] < (first[1] or 10**18):
            yield profile, known, later


LENGTHS = {"day": Fraction(1), "week": Fraction(7), "any": Fraction(1, DAY_MS)}


def purchase_rows(events, zone, as_of, holdout_end=0, period="day", *more, exponent=2, **options):
    """Rows of cj_clv_purchases."""
    found = list(customers(events, zone, as_of, holdout_end, period, *more, **options))
    zero = min((known[0][0] for _, known, _ in found), default=0)
    return [[profile, float((p[0] - known[0][0]) * LENGTHS[period]), float((p[0] - zero) * LENGTHS[period]),
             float(Fraction(p[2], 10**exponent)), p[1]]
            for profile, known, later in found for p in known + later]


def summary(events, zone, as_of, holdout_end=0, period="day", refunds="net", since=0, first=(None, None), exponent=2, free=False):
    """Rows as the library's table has them.  Money is an exact fraction until the end."""
    days = LENGTHS[period]
    rows = []

    def end(moment):
        return moment if period == "any" else number(moment - 1, period, zone)

    for profile, known, later in customers(events, zone, as_of, holdout_end, period, refunds, since, first, free):
        gaps = [(b[0] - a[0]) * days for a, b in zip(known, known[1:])]
        x, age = len(gaps), max(end(as_of) - known[0][0], known[-1][0] - known[0][0]) * days
        spend = Fraction(sum(p[2] for p in known[1:]), x * 10**exponent) if x else 0
        row = [profile, x, float(sum(gaps)), float(age), float(spend), math.fsum(map(math.log, gaps)), known[0][1]]
        if holdout_end:
            row += [len(later), float(Fraction(sum(p[2] for p in later), 10**exponent)),
                    float((end(holdout_end) - end(as_of)) * days)]
        rows.append(row)
    return rows
