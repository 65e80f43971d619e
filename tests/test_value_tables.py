"""Customers together: distribution, migration, concentration and cohorts against second implementations in a few lines
each, over random shops in zones with odd clocks."""

import ctypes
import json
import random
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest

import cjourney
from cjourney import _ffi

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY_MS = 86400000
MONTH_MS = Fraction(3652425, 120000) * DAY_MS
NAMES = [row[0] for row in cjourney.rfm_classes()]


def ms(moment):
    return (moment - EPOCH) // timedelta(milliseconds=1)


def rows_of(table):
    return [tuple(row) for row in table]


def struct(kind, **fields):
    o = _ffi.sized(kind)
    for name, value in fields.items():
        setattr(o, name, value)
    return o


def numbers(kind, values):
    return (kind * len(values))(*values)


def profile_values(pairs):
    return struct(_ffi.ProfileValues, n=len(pairs), profiles=numbers(ctypes.c_int64, [p for p, _ in pairs]),
                  values=numbers(ctypes.c_double, [v for _, v in pairs]))


def message(dice, start):
    name = dice.choice(("order", "order", "page", "page", "refund"))
    out = {"name": name, "time": (start + timedelta(seconds=dice.randrange(400 * 86400))).isoformat(),
           dice.choice(("user_id", "user_id", "guest")): f"c{int(dice.paretovariate(0.6)) % 150}"}
    if name != "page":
        out["value_minor"] = -dice.randrange(1, 900) if name == "refund" else dice.choice((0, dice.randrange(9999)))
    if dice.random() < 0.4:
        out["channel"] = dice.choice(("web", "app", "store"))
    if dice.random() < 0.2:
        out["campaign"] = dice.choice(("spring", "autumn", "ä"))
    return out


@pytest.fixture(scope="module", params=["UTC", "America/St_Johns", "Pacific/Apia"])
def shop(request, tmp_path_factory):
    """A store, its zone, its events."""
    dice, zone = random.Random(request.param), ZoneInfo(request.param)
    start = datetime(2011, 3, 1, tzinfo=zone)
    store = cjourney.Store(tmp_path_factory.mktemp("shop") / "shop.cj", time_zone=request.param)
    store.record_json("\n".join(json.dumps(message(dice, start)) for _ in range(4000)))
    yield store, zone, rows_of(store.events())
    store.close()


def rfm(store, as_of, since=0):
    return {row.profile: row for row in store.rfm(as_of=as_of, since=since or None)}


def test_distribution(shop):
    store, zone, _ = shop
    as_of = ms(datetime(2012, 2, 1, tzinfo=zone))
    people = rfm(store, as_of)
    dice = random.Random(1)
    clv = {p: dice.randrange(4000) / 8 for p in people if p % 3}
    got = rows_of(store._table("cj_rfm_distribution", struct(_ffi.RfmOptions, as_of_ms=as_of),
                               profile_values(sorted(clv.items()))))
    want, total = [], sum(r.monetary_minor for r in people.values())

    def put(dimension, score, name, inside, value=None):
        found = [value(r) for r in inside] if value and inside else [None]
        minor = sum(r.monetary_minor for r in inside)
        scored = [clv[r.profile] for r in inside if r.profile in clv]
        want.append((dimension, score, name, min(found), max(found), len(inside), len(inside) / len(people), minor,
                     minor / total, len(scored), sum(scored), sum(scored) / sum(clv.values())))

    for k, value in (("r", "recency_days"), ("f", "frequency"), ("m", "monetary_minor")):
        for score in range(1, 6):
            put(k, score, None, [r for r in people.values() if getattr(r, k) == score], lambda r, v=value: getattr(r, v))
    for name in NAMES:
        put("class", None, name, [r for r in people.values() if getattr(r, "class") == name])
    put("all", None, None, list(people.values()))
    assert got == want and len(people) > 50


@pytest.mark.parametrize("days", [0, 90])
def test_migration(shop, days):
    store, zone, _ = shop
    then, now = (ms(datetime(*d, tzinfo=zone)) for d in ((2011, 8, 1), (2011, 12, 1)))
    since = [moment - days * DAY_MS if days else 0 for moment in (then, now)]
    a, b = rfm(store, then, since[0]), rfm(store, now, since[1])
    cells = defaultdict(lambda: [0, 0, 0])
    for profile in a.keys() | b.keys():
        cell = cells[(getattr(a[profile], "class") if profile in a else "(new)",
                      getattr(b[profile], "class") if profile in b else "(gone)")]
        cell[0] += 1
        cell[1] += a[profile].monetary_minor if profile in a else 0
        cell[2] += b[profile].monetary_minor if profile in b else 0
    order = {name: i for i, name in enumerate([*NAMES, "(new)", "(gone)"])}
    of = defaultdict(int)
    for (x, _), cell in cells.items():
        of[x] += cell[0]
    want = [(x, y, n, n / of[x], before, after) for (x, y), (n, before, after) in
            sorted(cells.items(), key=lambda item: (order[item[0][0]], order[item[0][1]]))]
    got = store._table("cj_rfm_migrate", struct(_ffi.RfmOptions, as_of_ms=now, from_ms=since[1]), then)
    assert rows_of(got) == want
    assert any(y == "(gone)" for _, y, *_ in want) == bool(days)


def test_concentration_is_gini_s():
    dice = random.Random(2)
    for n in (1, 2, 7, 100, 333):
        values = [dice.choice((0, 1, 5, dice.randrange(10**6))) + 1 for _ in range(n)]
        table = ctypes.c_void_p()
        cjourney._library.check(cjourney._library.load().cj_value_concentration(
            numbers(ctypes.c_int64, values), None, n, ctypes.byref(table)))
        rows = {row[0]: row for row in cjourney.Table(table.value)}
        apart = Fraction(sum(abs(a - b) for a in values for b in values), 2 * n * sum(values))
        assert abs(rows["gini"][4] - apart) < 1e-12
        best = sorted(values, reverse=True)
        for percent in (1, 5, 10, 20, 50):
            k = -(-n * percent // 100)
            assert rows[f"top {percent} %"] == (f"top {percent} %", k, sum(best[:k]), sum(best[:k]),
                                               sum(best[:k]) / sum(best))


def customers(events, as_of, net):
    """(first, channel, campaign, [(time, value)]) of each with a purchase."""
    for profile, mine in groupby(events, key=lambda e: e[0]):
        mine = [e for e in mine if e[2] < as_of]
        paid = [i for i, e in enumerate(mine) if e[3] == "order" and e[11] > 0]
        if not paid:
            continue
        touch = next((e for e in mine[: paid[0] + 1] if e[4] or e[6]), None)
        value = [(e[2], e[11]) for e in mine[paid[0]:] if e[3] in ("order", "refund") and (e[11] > 0 or net)]
        yield profile, mine[paid[0]][2], touch and touch[4], touch and touch[6], value, len(paid)


@pytest.mark.parametrize("by", range(1, 8))
def test_cohorts(shop, by):
    store, zone, events = shop
    guests = {row.profile for row in store.rfm(include_guests=True)} - {row.profile for row in store.rfm()}
    as_of, net, margin = ms(datetime(2012, 2, 10, tzinfo=zone)), by % 2, (0.5, 1)[by % 3 == 0]
    cohorts = defaultdict(list)
    for profile, first, channel, campaign, value, n in customers([e for e in events if e[0] not in guests], as_of, net):
        local = (EPOCH + timedelta(milliseconds=first)).astimezone(zone)
        key = (f"{local:%Y-%m}", channel, campaign)
        cohorts[tuple(k for i, k in enumerate(key) if by >> i & 1)].append((profile, first, value, n))
    dice, clv = random.Random(by), {}
    want, costs, kept = [], [], []
    for key in sorted(cohorts, key=lambda key: [(k is not None, (k or "").encode()) for k in key]):
        people = cohorts[key]
        minor = sum(v for _, _, value, _ in people for _, v in value)
        cost = dice.randrange(0, 20000) * len(people)
        for profile, *_ in people:
            clv[profile] = dice.randrange(1000) / 4
        scored = sum(clv[p[0]] for p in people)
        names = dict(zip([n for i, n in enumerate(("month", "channel", "campaign")) if by >> i & 1], key))
        kept.append({n: k.encode() for n, k in names.items() if k is not None})
        costs.append(struct(_ffi.CohortCost, cost_minor=cost, **kept[-1]))
        payback, mean = (0 if cost == 0 else None), Fraction(0)
        for month in range(60):
            whole = [p for p in people if (as_of - p[1]) // MONTH_MS > month]
            if payback is not None or not whole:
                break
            mean += Fraction(margin) * sum(v for _, first, value, _ in whole for t, v in value
                                           if (t - first) // MONTH_MS == month) / len(whole)
            payback = month + 1 if mean * len(people) >= cost else None
        earned = margin * minor
        cac = round(Fraction(cost, len(people)))  # half to even
        want.append((*key, len(people), sum(p[3] for p in people), minor, len(people), scored, cost, cac,
                     earned / cost if cost else None, (earned + scored * 100) / cost if cost else None, payback))
    options = struct(_ffi.ValueCohortsOptions, as_of_ms=as_of, by=by, monetary=0 if net else 1, margin_ratio=margin,
                     costs=(_ffi.CohortCost * len(costs))(*costs), n_costs=len(costs), threads=1 + by % 3)
    got = rows_of(store._table("cj_value_cohorts", options, profile_values(sorted(clv.items()))))
    assert got == want and len(want) > 2
    assert len({row[-1] for row in want}) > 1  # some have paid back, some not yet
