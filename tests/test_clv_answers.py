"""Answers over fitted models against slow second implementations (oracle/clv_answers.py)
and against the reference numbers of the CDNOW sample, where the data are there."""

import csv
import datetime
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "oracle"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import clv  # noqa: E402
import clv_answers as oracle  # noqa: E402
from cjourney._ffi import CONSTANTS as K  # noqa: E402

BG = {"r": 0.242594522430157, "alpha": 4.4136020190135, "a": 0.792922017225598, "b": 2.42590677682633}
ROWS = [(0, 0, 0), (0, 0, 272), (1, 12, 272), (2, 213, 272), (7, 150, 200), (26, 216, 217), (3, 30, 300), (40, 1, 90)]


def rows():
    x, tx, t = zip(*ROWS)
    return clv.Data(x, tx, t)


def bg(mp):
    return clv.Model.given("bgnbd", clv.WEEK, **BG), oracle.BgNbd(mp, **BG)


# ---- second implementations --------------------------------------------------------------


def test_expected_and_alive():
    mp = clv.mp()
    model, slow = bg(mp)
    got = model.predict(rows(), K["CJ_CLV_P_ALIVE"] | K["CJ_CLV_EXPECTED"] | K["CJ_CLV_BACK"], from_days=35,
                        until_days=364)
    back = model.predict(rows(), K["CJ_CLV_BACK"], until_days=364)["p_back"]
    for i, (x, tx, t) in enumerate(ROWS):
        at = (x, mp.mpf(tx) / 7, mp.mpf(t) / 7)
        want = slow.expected(*at, 52) - slow.expected(*at, 5)
        assert got["p_alive"][i] == pytest.approx(float(slow.p_alive(*at)), rel=1e-12)
        assert got["expected_purchases"][i] == pytest.approx(float(want), rel=1e-10)
        assert back[i] == pytest.approx(float(1 - slow.pmf_none(*at, 52)), rel=1e-10)


@pytest.mark.parametrize("horizon", [91, 365.2425, 5 * 365.2425])
@pytest.mark.parametrize("ratio", [0.1, 1.5])
def test_discounted_purchases(horizon, ratio):
    """The definition as an integral, of a formula that is not the library's."""
    mp = clv.mp()
    model, slow = bg(mp)
    got = model.predict(rows(), K["CJ_CLV_DISCOUNTED"], horizon_days=horizon, discount_ratio=ratio)
    delta = mp.log(1 + mp.mpf(ratio)) * 7 / mp.mpf(clv.YEAR)
    for i, (x, tx, t) in enumerate(ROWS):
        want = slow.discounted(x, mp.mpf(tx) / 7, mp.mpf(t) / 7, mp.mpf(horizon) / 7, delta)
        assert got["discounted_purchases"][i] == pytest.approx(float(want), rel=1e-10)


def test_next_purchase():
    mp = clv.mp()
    model, slow = bg(mp)
    got = model.predict(rows(), K["CJ_CLV_NEXT"], until_days=700)
    for i, (x, tx, t) in enumerate(ROWS):
        at = (x, mp.mpf(tx) / 7, mp.mpf(t) / 7)
        median = slow.next_median(*at)
        if median is None or 7 * median > 100 * clv.YEAR:
            assert np.isnan(got["next_median_days"][i])
        else:
            assert got["next_median_days"][i] == pytest.approx(float(7 * median), rel=1e-9)
        all_back = 1 - slow.pmf_none(*at, 100)
        if all_back < 1e-12:
            assert np.isnan(got["next_mean_days"][i])
            continue
        mean = 100 - mp.quad(lambda s, at=at: 1 - slow.pmf_none(*at, s), [0, 1, 10, 100], maxdegree=5) / all_back
        assert got["next_mean_days"][i] == pytest.approx(float(7 * mean), rel=1e-8)


def test_quantiles_hold_what_they_say():
    """Adding up p_purchases by hand."""
    model = clv.Model.given("bgnbd", clv.WEEK, **BG)
    got = model.predict(rows(), K["CJ_CLV_QUANTILES"], until_days=364, level=0.9)
    below = np.zeros(len(ROWS))
    low, high = np.full(len(ROWS), np.nan), np.full(len(ROWS), np.nan)
    for n in range(400):
        below += model.predict(rows(), K["CJ_CLV_PROBABILITY"], until_days=364, n_purchases=n)["p_purchases"]
        low = np.where(np.isnan(low) & (below >= 0.05), n, low)
        high = np.where(np.isnan(high) & (below >= 0.95), n, high)
    assert (got["purchases_low"] == low).all() and (got["purchases_high"] == high).all()


# ---- fitted to the CDNOW sample ---------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow():
    return clv.cdnow()


@pytest.fixture(scope="module")
def fits(cdnow):
    """Models by name, as they are asked for."""
    kept = {}

    def fit(name):
        if name not in kept:
            kept[name] = clv.Model.fit(cdnow[0], name, clv.WEEK if name != "gammagamma" else 1.0)
        return kept[name]

    return fit


HOLDOUT = {  # REFERENCE 2.3: MAE, RMSE, MSLE, bias, sum
    "paretonbd": (0.7545233834, 1.6028479995, 0.2377370124, -0.1150302300, 1665.5131072),
    "mbgnbd": (0.7647789493, 1.6071826574, 0.2314351126, -0.1622060032, 1576.7283019),
    "bgnbd": (0.7854542366, 1.6079820107, 0.2342685056, -0.1214619033, 1653.4086979),
}
BINS = {
    "actual": (0.236712, 0.697039, 1.392523, 1.560000, 2.532258, 2.947368, 3.862069, 6.359375),
    "bgnbd": (0.225087, 0.523131, 1.044134, 1.520280, 2.163866, 2.653846, 3.504042, 6.157191),
    "paretonbd": (0.138447, 0.599471, 1.195837, 1.713843, 2.398308, 2.907208, 3.818559, 6.403067),
    "mbgnbd": (0.185161, 0.551358, 1.048952, 1.492933, 2.104309, 2.563553, 3.360821, 5.848509),
}


@pytest.mark.parametrize("name", HOLDOUT)
def test_holdout_of_cdnow(cdnow, fits, name):
    data, x_star, spend_star = cdnow
    facts, bins = fits(name).validate(data, 39 * 7, x_star, spend_star, fits("gammagamma"))
    mae, rmse, msle, bias, total = HOLDOUT[name]
    assert facts.mae == pytest.approx(mae, abs=1e-8)
    assert facts.rmse == pytest.approx(rmse, abs=1e-8)
    assert facts.msle == pytest.approx(msle, abs=1e-8)
    assert facts.bias_ratio == pytest.approx(bias, abs=1e-8)
    assert facts.expected_purchases == pytest.approx(total, abs=1e-5)
    assert facts.actual_purchases == 1882 and facts.n_customers == 2357
    chosen = [i for i, of in enumerate(bins["of"]) if of == "purchases"]
    assert [bins["bin"][i] for i in chosen] == [*"0123456", "7+"]
    assert list(bins["customers"][chosen]) == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert bins["actual"][chosen] == pytest.approx(BINS["actual"], abs=1e-6)
    assert bins["predicted"][chosen] == pytest.approx(BINS[name], abs=2e-6)
    assert facts.verdict.decode().startswith("Good:")


def test_holdout_of_cdnow_in_money(cdnow, fits):
    data, x_star, spend_star = cdnow
    for name, want in (("paretonbd", 60449), ("bgnbd", 59932)):
        facts, _ = fits(name).validate(data, 39 * 7, x_star, spend_star, fits("gammagamma"))
        assert facts.expected_value == pytest.approx(want, abs=1)
        assert facts.actual_value == pytest.approx(70976, abs=1)
        got = fits(name).predict(data, K["CJ_CLV_EXPECTED"] | K["CJ_CLV_SPEND"], fits("gammagamma"),
                                 until_days=39 * 7)
        value = got["expected_purchases"] * got["expected_spend"]
        assert facts.gini_actual == pytest.approx(oracle.gini(spend_star, spend_star), abs=1e-9)
        assert facts.gini_model == pytest.approx(oracle.gini(spend_star, value), abs=1e-9)


def test_calibration_of_cdnow(cdnow, fits):
    """Brier score, bins and their distance by plain numpy."""
    data, x_star, _ = cdnow
    model = fits("paretonbd")
    facts, bins = model.validate(data, 39 * 7, x_star)
    got = model.predict(data, K["CJ_CLV_BACK"] | K["CJ_CLV_P_ALIVE"], until_days=39 * 7)
    was = x_star > 0
    assert facts.brier == pytest.approx(np.mean((got["p_back"] - was) ** 2), rel=1e-12)
    for of in ("p_alive", "p_back"):
        tenth = np.minimum((got[of] * 10).astype(int), 9)
        want = [(f"{i / 10:.1f}-{(i + 1) / 10:.1f}", np.sum(tenth == i), got[of][tenth == i].mean(),
                 was[tenth == i].mean()) for i in range(10) if (tenth == i).any()]
        chosen = [i for i, o in enumerate(bins["of"]) if o == of]
        assert [bins["bin"][i] for i in chosen] == [w[0] for w in want]
        for column, k in (("customers", 1), ("predicted", 2), ("actual", 3)):
            assert bins[column][chosen] == pytest.approx([w[k] for w in want], rel=1e-12)
    tenth = np.minimum((got["p_back"] * 10).astype(int), 9)
    off = sum(abs(np.sum(got["p_back"][tenth == i] - was[tenth == i])) for i in range(10)) / 2357
    assert facts.calibration == pytest.approx(off, rel=1e-10)
    assert facts.calibration < 0.1 and facts.brier < 0.2


@pytest.mark.parametrize("name, total", [("bgnbd", 1917.2776710), ("mbgnbd", 1057.6363705), ("paretonbd", 1051.8752472)])
def test_alive_of_cdnow(cdnow, fits, name, total):
    alive = fits(name).predict(cdnow[0], K["CJ_CLV_P_ALIVE"])["p_alive"]
    assert alive.sum() == pytest.approx(total, abs=1e-5)
    assert (alive >= 0).all() and (alive <= 1).all()


def per_year(weekly):
    """The rate per year with this continuous one per week."""
    return float(np.expm1(weekly * clv.YEAR / 7))


def test_residual_of_cdnow(cdnow, fits):
    """CLVTools applies ln(1.1) per week (490.8); here a rate is per year (9026.8)."""
    for weekly, total in ((0.0027, 7185.9722049), (np.log(1.1) / 52.18, 9026.812700), (np.log(1.1), 490.846936)):
        got = fits("paretonbd").predict(cdnow[0], K["CJ_CLV_RESIDUAL"], discount_ratio=per_year(weekly))
        assert got["residual_purchases"].sum() == pytest.approx(total, rel=2e-8)
    ours = fits("paretonbd").predict(cdnow[0], K["CJ_CLV_RESIDUAL"], discount_ratio=0.1)["residual_purchases"]
    assert ours.sum() == pytest.approx(9026.8127, rel=1e-4)  # years of 52.1775 weeks


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd", "paretonbd", "nbd"])
def test_a_long_horizon_becomes_the_residual(cdnow, fits, name):
    x, tx, t = zip(*ROWS[1:])
    data = clv.Data(x, tx, t)
    got = fits(name).predict(data, K["CJ_CLV_RESIDUAL"] | K["CJ_CLV_DISCOUNTED"], discount_ratio=0.3,
                             horizon_days=150 * clv.YEAR)
    assert got["discounted_purchases"] == pytest.approx(got["residual_purchases"], rel=1e-9)


def test_spend_of_cdnow(cdnow, fits):
    got = fits("paretonbd").predict(cdnow[0], K["CJ_CLV_SPEND"], fits("gammagamma"))["expected_spend"]
    assert got.mean() == pytest.approx(35.2522730682, rel=1e-7)
    few = clv.Data([2, 1, 0, 7], [1, 1, 0, 1], [2] * 4, [22.35, 11.77, 0, 73.74])
    got = fits("paretonbd").predict(few, K["CJ_CLV_SPEND"], fits("gammagamma"))["expected_spend"]
    assert got == pytest.approx([24.65801856, 18.91001845, 35.17037127, 71.46336148], rel=1e-7)


def test_value_beside_lifetimes(cdnow, fits):
    """lifetimes discounts month by month, each at its end, in months of 4.345 weeks: from
    our purchases that is 71,509.90; within each month ours is worth a little more."""
    data, months = cdnow[0], np.arange(1, 13)
    money = fits("gammagamma")
    spend = fits("bgnbd").predict(data, K["CJ_CLV_SPEND"], money)["expected_spend"]
    total, before = 0, 0
    for month in months:
        until = fits("bgnbd").predict(data, K["CJ_CLV_EXPECTED"], until_days=month * 4.345 * 7)["expected_purchases"]
        total += ((until - before) * spend).sum() / 1.01 ** month
        before = until
    assert total == pytest.approx(71509.899, rel=5e-4)
    ours = fits("bgnbd").predict(data, K["CJ_CLV_VALUE"], money, horizon_days=12 * 4.345 * 7,
                                 discount_ratio=per_year(np.log(1.01) / 4.345))["clv"].sum()
    assert 1.004 * total < ours < 1.006 * total


MODELS = ["bgnbd", "mbgnbd", "paretonbd", "nbd"]


@pytest.mark.parametrize("name", MODELS)
def test_properties_of_all(cdnow, fits, name):
    """Value grows with the horizon and is never negative; purchases add up."""
    data, before = cdnow[0], 0
    for horizon in (1, 30, 365, 1000, 10000):
        got = fits(name).predict(data, K["CJ_CLV_VALUE"], fits("gammagamma"), horizon_days=horizon,
                                 discount_ratio=0.1)["clv"]
        assert (got >= before).all()
        before = got
    parts = [fits(name).predict(data, K["CJ_CLV_EXPECTED"], from_days=a, until_days=b)["expected_purchases"]
             for a, b in ((0, 10), (10, 100), (100, 700))]
    whole = fits(name).predict(data, K["CJ_CLV_EXPECTED"], until_days=700)["expected_purchases"]
    assert sum(parts) == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd", "paretonbd"])
def test_alive_rises_with_recency(fits, name):
    t = np.full(300, 300.0)
    for x in (1, 3, 20):
        alive = fits(name).predict(clv.Data(np.full(300, x), np.arange(1, 301.0), t), K["CJ_CLV_P_ALIVE"])["p_alive"]
        assert (np.diff(alive) >= 0).all() and alive[-1] > alive[0]


# ---- intervals ----------------------------------------------------------------------------


def covariance_of(model):
    """Of the logarithms of the parameters, in their order."""
    found = model.json()
    return list(found["params"]), list(found["params"].values()), np.array(found["covariance"])


def test_intervals_by_hand(cdnow, fits):
    mp = clv.mp()
    model = fits("bgnbd")
    names, params, cov = covariance_of(model)
    assert names == ["r", "alpha", "a", "b"]
    got = model.predict(rows(), K["CJ_CLV_P_ALIVE"] | K["CJ_CLV_EXPECTED"] | K["CJ_CLV_INTERVALS"],
                        until_days=39 * 7, level=0.9)
    z = mp.sqrt(2) * mp.erfinv(mp.mpf("0.9"))
    for i, (x, tx, t) in enumerate(ROWS):
        at = (x, mp.mpf(tx) / 7, mp.mpf(t) / 7)

        def expected(*p, at=at):
            return oracle.BgNbd(mp, *p).expected(*at, 39)

        def alive(*p, at=at):
            return oracle.BgNbd(mp, *p).p_alive(*at)

        e, p = expected(*params), alive(*params)
        width = z * mp.sqrt(oracle.variance(mp, expected, params, cov)) / e
        assert got["expected_purchases_low"][i] == pytest.approx(float(e * mp.e ** -width), rel=1e-7)
        assert got["expected_purchases_high"][i] == pytest.approx(float(e * mp.e ** width), rel=1e-7)
        if x > 0:
            width = z * mp.sqrt(oracle.variance(mp, alive, params, cov)) / (p * (1 - p))
            low, high = (1 / (1 + (1 - p) / p * mp.e ** (s * width)) for s in (1, -1))
            assert got["p_alive_low"][i] == pytest.approx(float(low), rel=1e-7)
            assert got["p_alive_high"][i] == pytest.approx(float(high), rel=1e-7)
        else:
            assert got["p_alive_low"][i] == got["p_alive_high"][i] == 1


def test_intervals_by_drawing_parameters(fits):
    """4,000 draws of the parameters from their asymptotic law leave about as much open."""
    model = fits("bgnbd")
    names, params, cov = covariance_of(model)
    ask = K["CJ_CLV_P_ALIVE"] | K["CJ_CLV_EXPECTED"]
    got = model.predict(rows(), ask | K["CJ_CLV_INTERVALS"], until_days=39 * 7, level=0.8)
    dice = np.random.default_rng(5)
    draws = np.exp(np.log(params) + dice.multivariate_normal(np.zeros(4), cov, 4000))
    seen = [clv.Model.given("bgnbd", clv.WEEK, **dict(zip(names, d))).predict(rows(), ask, until_days=39 * 7)
            for d in draws]
    for column in ("p_alive", "expected_purchases"):
        low, high = np.quantile([s[column] for s in seen], [0.1, 0.9], axis=0)
        width = got[column + "_high"] - got[column + "_low"]
        for i in range(len(ROWS)):
            if width[i] > 0:
                assert got[column + "_low"][i] == pytest.approx(low[i], abs=0.12 * width[i])
                assert got[column + "_high"][i] == pytest.approx(high[i], abs=0.12 * width[i])


# ---- over time ------------------------------------------------------------------------------


def repeat_days():
    """Days of every repeat purchase since 1997-01-01; a day counts once per customer."""
    days = {}
    with open(clv.shared("cdnow_sample.csv"), encoding="ascii") as file:
        for row in csv.DictReader(file):
            day = (datetime.date.fromisoformat(row["date"]) - datetime.date(1997, 1, 1)).days
            days.setdefault(row["sample_id"], set()).add(day)
    return np.array(sorted(day for found in days.values() for day in sorted(found)[1:]), dtype=float)


TRACKED = {
    "paretonbd": (1308.856, 1385.275, 1459.923, 1532.906, 1604.320, 1674.253),
    "bgnbd": (1312.458, 1387.346, 1460.392, 1531.713, 1601.418, 1669.600),
}


@pytest.mark.parametrize("name", TRACKED)
def test_tracking_of_cdnow(cdnow, fits, name):
    # A purchase of a day is there when the day is over: as the published counts have it.
    got = fits(name).tracking(cdnow[0], repeat_days() + 1, n_periods=78)
    # BTYD's Pareto/NBD parameters, from which its vignette tracks, are 1e-3 off.
    assert got["expected_cumulative"][19:25] == pytest.approx(TRACKED[name], rel=5e-5 if name == "paretonbd" else 7e-6)
    assert got["expected"][20:25] == pytest.approx(np.diff(TRACKED[name]), abs=2e-2)
    assert list(got["actual_cumulative"][19:25]) == [1359, 1414, 1484, 1517, 1573, 1672]
    assert list(got["actual"][19:25]) == [73, 55, 70, 33, 56, 99]
    assert got["actual"].sum() == 2457 + 1882


def test_tracking_by_the_formula(cdnow, fits):
    """Pareto/NBD E[X(t)] in closed form (Fader, Hardie and Lee 2005, eq. 17), summed over
    customers; 200 periods of 30 days, far beyond the data, and weights."""
    data = cdnow[0]
    weighted = clv.Data(data.x, data.tx, data.t, None, np.arange(2357) % 5)
    p = fits("paretonbd").json()["params"]
    got = fits("paretonbd").tracking(weighted, n_periods=200, period_days=30.0, start_days=300.0)
    for period in (1, 2, 10, 200):
        age = (period * 30 - (300 - data.t)) / 7
        each = p["r"] * p["beta"] / p["alpha"] / (p["s"] - 1) * (1 - (p["beta"] / (p["beta"] + age)) ** (p["s"] - 1))
        want = (weighted.weight * each)[age > 0].sum()
        assert got["expected_cumulative"][period - 1] == pytest.approx(want, rel=1e-11)
    assert np.isnan(got["actual"]).all()


def test_histogram_of_cdnow(cdnow, fits):
    """Expected numbers add up over customers, one by one."""
    data = cdnow[0]
    got = fits("bgnbd").histogram(data)
    assert list(got["actual"]) == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert got["expected"].sum() == pytest.approx(2357, abs=1e-8)
    mp = clv.mp()
    params = fits("bgnbd").json()["params"]
    none = sum(n * (params["alpha"] / (params["alpha"] + t / 7)) ** params["r"]
               for t, n in zip(*np.unique(data.t, return_counts=True)))
    assert got["expected"][0] == pytest.approx(float(mp.mpf(none)), rel=1e-10)
    assert abs(got["expected"] - got["actual"]).max() < 60


def test_history_of_one(fits):
    got = fits("paretonbd").history([10, 20, 30, 100], 200)
    alive, purchases = got["p_alive"], got["purchases"]
    assert list(np.flatnonzero(np.diff(purchases))) == [9, 19, 29, 99]
    for day in range(1, 201):
        if purchases[day] == purchases[day - 1]:
            assert alive[day] < alive[day - 1]
        else:
            assert alive[day] > alive[day - 1]
    want = fits("paretonbd").predict(clv.Data([4], [100], [200]), K["CJ_CLV_P_ALIVE"])["p_alive"][0]
    assert alive[200] == pytest.approx(want, rel=1e-13)


# ---- periods -----------------------------------------------------------------------------


def donors():
    with open(clv.shared("donations_bgbb.csv"), encoding="ascii") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return clv.Data(*([row[name] for row in rows] for name in ("frequency", "recency", "periods")), None,
                    [row["weights"] for row in rows])


def test_donations():
    """BG/BB: REFERENCE 2.2; a period is a year."""
    data = donors()
    model = clv.Model.fit(data, "bgbb")
    year = {"period_days": clv.YEAR}
    got = model.predict(data, K["CJ_CLV_EXPECTED"], until_days=5 * clv.YEAR, **year)["expected_purchases"]
    assert (got * data.weight).sum() == pytest.approx(12884.2, abs=0.1)
    histogram = model.histogram(data, 6)
    assert histogram["expected"][[0, 6]] == pytest.approx([3454.9, 1253.1], abs=0.1)
    assert histogram["actual"].sum() == 11104
    tracked = model.tracking(data)
    per_donor = tracked["expected_cumulative"] / 11104
    assert per_donor == pytest.approx([0.4985, 0.9233, 1.2969, 1.6323, 1.9381, 2.2202], abs=6e-5)


def test_donations_discounted():
    """A long horizon is the residual; each year's donations count at its end."""
    data = donors()
    model = clv.Model.fit(data, "bgbb")
    year = {"period_days": clv.YEAR, "discount_ratio": 0.1}
    got = model.predict(data, K["CJ_CLV_RESIDUAL"] | K["CJ_CLV_DISCOUNTED"], horizon_days=400 * clv.YEAR, **year)
    assert got["discounted_purchases"] == pytest.approx(got["residual_purchases"], rel=1e-8)
    short = model.predict(data, K["CJ_CLV_DISCOUNTED"], horizon_days=3 * clv.YEAR, **year)["discounted_purchases"]
    until = [model.predict(data, K["CJ_CLV_EXPECTED"], until_days=i * clv.YEAR, **year)["expected_purchases"]
             for i in (1, 2, 3)]
    want = until[0] / 1.1 + (until[1] - until[0]) / 1.21 + (until[2] - until[1]) / 1.331
    assert short == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("name", ["sbg", "bdw"])
def test_contracts(name):
    """sBG, High End (Fader and Hardie 2007): who is there renews with S(t+1)/S(t); a long
    horizon is the residual; who has left is worth nothing."""
    with open(clv.shared("sbg_fader_hardie_2007.csv"), encoding="ascii") as file:
        left = [float(row["highend_pct"]) * 10 for row in csv.DictReader(file) if row["use"] == "calibration"]
    periods = list(range(1, len(left)))
    lost = [left[i - 1] - left[i] for i in periods]
    data = clv.Data([1] * len(lost) + [0], None, periods + [periods[-1]], None, lost + [left[-1]])
    model = clv.Model.fit(data, name)
    got = model.predict(data, K["CJ_CLV_P_ALIVE"] | K["CJ_CLV_RESIDUAL"] | K["CJ_CLV_DISCOUNTED"] | K["CJ_CLV_VALUE"],
                        period_days=clv.YEAR, horizon_days=600 * clv.YEAR, discount_ratio=0.2, money=100.0)
    assert list(got["p_alive"]) == [0] * len(lost) + [1]
    assert (got["clv"][:-1] == 0).all() and got["clv"][-1] > 100
    assert got["discounted_purchases"][-1] == pytest.approx(got["residual_purchases"][-1], rel=1e-6)


# ---- covariates ----------------------------------------------------------------------------


def test_covariates_of_random_customers(cdnow):
    """Each half of the customers is answered as if it alone were asked for, with the
    parameters that its covariate makes."""
    data, ask = cdnow[0], K["CJ_CLV_EXPECTED"] | K["CJ_CLV_P_ALIVE"]
    names = (clv.ctypes.c_char_p * 1)(b"coin")
    z = np.ascontiguousarray(np.arange(2357) % 2, dtype=float)
    data.c.covariates, data.c.n_covariates = clv.pointer(z, clv.ctypes.c_double), 1
    data.c.covariate_names = names
    try:
        model = clv.Model.fit(data, "bgnbd", clv.WEEK)
        found = model.json()
        got = model.predict(data, ask, until_days=273)
        for value in (0, 1):
            some = np.flatnonzero(z == value)
            effects = {label.split(":")[0]: c * value for label, c in found["coefficients"].items()}
            p = dict(found["params"])
            p["alpha"] *= np.exp(-effects["purchase"])
            p["a"] *= np.exp(effects["dropout"])
            p["b"] *= np.exp(effects["dropout"])
            alone = clv.Data(data.x[some], data.tx[some], data.t[some])
            want = clv.Model.given("bgnbd", clv.WEEK, **p).predict(alone, ask, until_days=273)
            for column in want:
                assert got[column][some] == pytest.approx(want[column], rel=1e-9)
    finally:
        data.c.covariates, data.c.n_covariates, data.c.covariate_names = None, 0, None


# ---- choice --------------------------------------------------------------------------------


def test_compare_on_cdnow(cdnow, fits):
    data, x_star, _ = cdnow
    got = clv.compare(data, ["nbd", "bgnbd", "mbgnbd", "paretonbd"], clv.WEEK, 39 * 7, x_star)
    assert got["model"] == ["paretonbd", "mbgnbd", "bgnbd", "nbd"]
    assert got["mae"][:3] == pytest.approx([HOLDOUT[name][0] for name in got["model"][:3]], abs=1e-8)
    assert got["mae"][3] == pytest.approx(1.041020, abs=1e-6)
    loglik = dict(zip(got["model"], got["loglik"]))
    assert loglik["bgnbd"] == pytest.approx(-9582.429206673931, abs=1e-7)
    assert loglik["paretonbd"] == pytest.approx(-9594.976178939543, abs=1e-7)
    by_bic = clv.compare(data, ["nbd", "bgnbd", "mbgnbd", "paretonbd"], clv.WEEK)
    assert by_bic["model"][0] == "mbgnbd" and by_bic["model"][-1] == "nbd"
    assert by_bic["bic"] == pytest.approx(np.log(2357) * by_bic["estimated"] - 2 * by_bic["loglik"], rel=1e-12)
