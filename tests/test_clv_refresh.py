"""From orders to scores that segments read: the CDNOW sample through the library (CJ_TEST_DATA), its published models
saved, loaded and refreshed; P(alive) against the oracle, purchases and value against sums in this file."""

import csv
import ctypes
import math
import os
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

import cjourney
from cjourney import _ffi, _library

CLV = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "clv"
BGNBD = (0.242594522430, 4.41360201901, 0.792922017226, 2.42590677683)  # weeks; Fader, Hardie and Lee (2005)
GAMMAGAMMA = (6.249572271324, 3.744224667132, 15.44352096259)
pytestmark = pytest.mark.skipif(not CLV.exists(), reason=f"{CLV} is not there; set CJ_TEST_DATA")


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)


AS_OF = ms("1997-10-01")


def struct(kind, **fields):
    o = _ffi.sized(kind)
    for name, value in fields.items():
        setattr(o, name, value)
    return o


def summary(store, as_of=AS_OF):
    options = struct(_ffi.ClvSummaryOptions, as_of_ms=as_of, include_free=1)
    return list(store._table("cj_clv_summary", ctypes.byref(options)))


def fit(rows, model, unit_days=1.0):
    """A cj_clv; the caller frees it."""
    n = len(rows)
    columns = {"x": ctypes.c_int64, "tx": ctypes.c_double, "t": ctypes.c_double, "spend": ctypes.c_double}
    names = {"x": "x", "tx": "tx_days", "t": "t_days", "spend": "spend"}
    arrays = {c: (kind * n)(*(getattr(row, names[c]) for row in rows)) for c, kind in columns.items()}
    out = ctypes.c_void_p()
    _library.check(_library.load().cj_clv_fit(struct(_ffi.ClvData, n=n, **arrays),
                                              struct(_ffi.ClvFitOptions, model=model, unit_days=unit_days),
                                              ctypes.byref(out)))
    return out


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    """A store with the sample, and both models saved."""
    with open(CLV / "cdnow_sample.csv", encoding="utf-8", newline="") as f:
        lines = list(csv.DictReader(f))
    store = cjourney.Store(tmp_path_factory.mktemp("cdnow") / "shop.cj", currency="USD")
    store.record_many([cjourney.Event(name="order", time=line["date"], user_id=line["sample_id"],
                                      value=Decimal(line["dollar_value"])) for line in lines])
    rows = summary(store)
    for name, clv in ((b"buying", fit(rows, b"bgnbd", 7.0)),
                      (b"spending", fit([r for r in rows if r.x > 0], b"gammagamma"))):
        store._handle.call("cj_clv_save", name, clv)
        _library.load().cj_clv_free(clv)
    yield store
    store.close()


def refresh(store, **options):
    result = _ffi.sized(_ffi.ClvRefreshResult)
    options = {"model": b"buying", "spend": b"spending", "include_free": 1, "as_of_ms": AS_OF, **options}
    store._handle.call("cj_clv_refresh", struct(_ffi.ClvRefreshOptions, **options), ctypes.byref(result))
    return result.n_scored, result.n_forgotten, bool(result.is_whole)


def scores(store, profile, as_of=AS_OF):
    return {row.name: float(row.value) for row in store._table("cj_profile_traits", profile, as_of) if row.source == "clv"}


def estimates(store, name):
    out = ctypes.c_void_p()
    store._handle.call("cj_clv_load", name, ctypes.byref(out))
    table = ctypes.c_void_p()
    _library.check(_library.load().cj_clv_parameters(out, ctypes.byref(table)))
    _library.load().cj_clv_free(out)
    return [row.estimate for row in cjourney.Table(table.value)]


def test_models_are_kept_as_fitted(cdnow):
    assert estimates(cdnow, b"buying") == pytest.approx(BGNBD, rel=1e-6)
    assert estimates(cdnow, b"spending") == pytest.approx(GAMMAGAMMA, rel=1e-6)
    assert [(row.name, row.model) for row in cdnow._table("cj_clv_saved")] == [("buying", "bgnbd"),
                                                                              ("spending", "gammagamma")]
    with pytest.raises(cjourney.NotFoundError, match="did you mean `buying`"):
        estimates(cdnow, b"buyin")


def expected(x, tx, t, until):
    """BG/NBD, Fader, Hardie and Lee (2005) eq. 10, 2F1 by its series; weeks."""
    r, alpha, a, b = BGNBD
    z, term, total, k = until / (alpha + t + until), 1.0, 1.0, 0
    while abs(term) > 1e-16 * abs(total):
        term *= (r + x + k) * (b + x + k) / ((a + b + x - 1 + k) * (k + 1)) * z
        total += term
        k += 1
    above = (a + b + x - 1) / (a - 1) * (1 - ((alpha + t) / (alpha + t + until)) ** (r + x) * total)
    return above / (1 + (x > 0) * a / (b + x - 1) * ((alpha + t) / (alpha + tx)) ** (r + x)) if x else above


def spend(x, z):
    p, q, v = GAMMAGAMMA
    return p * (v + x * z) / (p * x + q - 1)


def test_scores_are_those_of_the_models(cdnow):
    assert refresh(cdnow, discount_ratio=0.1) == (2357, 0, True)
    with open(CLV / "oracle" / "cdnow_bgnbd.csv", encoding="utf-8", newline="") as f:
        alive = {(int(r["x"]), int(r["tx_days"]), int(r["T_days"])): float(r["p_alive"]) for r in csv.DictReader(f)}
    year, delta, n = 365.2425 / 7, math.log(1.1) * 7 / 365.2425, 64
    for row in summary(cdnow)[::7]:
        got = scores(cdnow, row.profile)
        assert got["p_alive"] == pytest.approx(alive[row.x, round(row.tx_days), round(row.t_days)], abs=2e-6)
        until = [expected(row.x, row.tx_days / 7, row.t_days / 7, k * year / n) if k else 0 for k in range(n + 1)]
        assert got["expected_12m"] == pytest.approx(until[n], rel=1e-5, abs=2e-6)
        weights = [1 if k in (0, n) else 4 if k % 2 else 2 for k in range(n + 1)]  # Simpson
        integral = year / n / 3 * sum(w * math.exp(-delta * k * year / n) * until[k] for k, w in enumerate(weights))
        value = math.exp(-delta * year) * until[n] + delta * integral
        assert got["clv_12m"] == pytest.approx(value * spend(row.x, row.spend), rel=1e-5, abs=0.0051)
    assert set(got) == {"p_alive", "expected_12m", "clv_12m"}


def test_segments_read_them(cdnow):
    refresh(cdnow, discount_ratio=0.1)
    all_scores = {row.profile: scores(cdnow, row.profile) for row in summary(cdnow)}
    for source, keep in (("clv_12m > 200", lambda s: s["clv_12m"] > 200), ("p_alive < 0.5", lambda s: s["p_alive"] < 0.5),
                         ("clv_12m > 100 and p_alive >= 0.9", lambda s: s["clv_12m"] > 100 and s["p_alive"] >= 0.9)):
        got = {row.profile for row in cdnow.segment_evaluate(source, as_of="1997-10-01", members_only=True)}
        assert got == {profile for profile, s in all_scores.items() if keep(s)} and got


def test_new_orders_move_their_customers_alone(cdnow, tmp_path):
    refresh(cdnow, discount_ratio=0.1)
    before = {row.profile: scores(cdnow, row.profile) for row in summary(cdnow)}
    chosen = sorted(before)[:1000:10]
    who = {row.profile: row.user_id for row in cdnow.rfm(identifier="user_id", as_of="1997-10-01")}
    later = ms("1997-10-05")
    who = {p: who[p] for p in chosen if p in who}
    cdnow.record_many([cjourney.Event(name="order", time="1997-10-04T10:00:00Z", user_id=user, value_minor=2500)
                       for user in who.values()])
    # the sample goes on after as_of, so what lies ahead is looked at again by a scan
    n, _, whole = refresh(cdnow, discount_ratio=0.1, as_of_ms=later)
    moved = {row.profile for row in summary(cdnow, later) if row.t_days - row.tx_days <= 3 and
             (row.x > 0 or row.t_days <= 3)}
    assert whole and n == len(moved) >= len(who)
    for row in summary(cdnow, later):
        if row.profile in who:
            r, alpha, a, b = BGNBD
            odds = a / (b + row.x - 1) * ((alpha + row.t_days / 7) / (alpha + row.tx_days / 7)) ** (r + row.x)
            assert scores(cdnow, row.profile, later)["p_alive"] == pytest.approx(1 / (1 + odds), abs=2e-6)
        elif row.profile not in moved:
            assert scores(cdnow, row.profile, later) == before[row.profile]


@pytest.mark.parametrize("options, text", [
    ({"model": b"spending"}, "a model of purchases in time is needed, not gammagamma"),
    ({"spend": b"buying"}, "a model of spend is needed, not bgnbd"),
    ({"discount_ratio": -0.1}, "discount_ratio must be 0..100"),
    ({"discount_ratio": math.nan}, "discount_ratio must be 0..100"),
    ({"months": 700}, "months must be 1..600"),
    ({"reserved": 1}, "reserved must be 0"),
    ({"model": b"nobody"}, "no such value model"),
    ({"model": None}, "opts->model is NULL"),
])
def test_wrong_questions(cdnow, options, text):
    with pytest.raises(cjourney.CJourneyError, match=text.replace(".", r"\.")):
        refresh(cdnow, **options)
