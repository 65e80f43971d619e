"""BG/CNBD-k and MBG/CNBD-k against a slow and obvious second implementation: what one customer does
given lambda and p (Erlang times are runs of Poisson phases), with lambda integrated numerically in
mpmath.  Nothing here uses the library's formulas, only the story of the model.  Then CDNOW, whose
fits are published, and simulated cohorts whose k is known."""
import functools
import math
import os
import random
import subprocess
from pathlib import Path

import pytest

np = pytest.importorskip("numpy", reason="numpy is not installed: nothing is compared")
mp = pytest.importorskip("mpmath", reason="mpmath is not installed: nothing is compared").mp
from mpmath import mpf  # noqa: E402

PROBE = Path(os.environ.get("BUILDDIR", "build/release")) / "tests/probe/clv_probe"
DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "clv"
CHANCES = {"bgcnbd": 0, "mbgcnbd": 1}  # to drop out, before the first repeat purchase
TINY = mpf(10) ** -24

pytestmark = pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built")


@pytest.fixture(autouse=True)
def digits():
    before, mp.dps = mp.dps, 28
    yield
    mp.dps = before


def ask(lines, *arguments):
    """Each line (model, k, theta, x, tx, t, litt, from, until, n, delta): its answers."""
    text = "".join(
        f"{model} {k} {' '.join(repr(float(p)) for p in theta)} {' '.join(repr(float(v)) for v in rest)}\n"
        for model, k, theta, *rest in lines
    )
    run = subprocess.run([PROBE, *arguments], input=text, capture_output=True, text=True, check=True)
    return [[float(word) for word in line.split()] for line in run.stdout.splitlines()]


@functools.lru_cache(maxsize=None)
def poisson(mean):
    """P(N = 0, 1, ...) until the rest is negligible."""
    p, out = mp.exp(-mean), []
    while not out or len(out) < mean or p > TINY:
        out.append(p)
        p *= mean / len(out)
    return out


def at(distribution, n):
    return distribution[n] if n < len(distribution) else mpf(0)


class Customer:
    """Somebody with x purchases until tx, seen until t."""

    def __init__(self, model, k, theta, x, tx, t):
        self.k, self.x, self.tx, self.quiet_for = k, x, mpf(tx), mpf(t) - mpf(tx)
        self.r, self.alpha, self.a, self.b = map(mpf, theta)
        self.chances = x + CHANCES[model]

    def over_lambda(self, f):
        """The integral of f(lambda) times the densities of lambda and of the x Erlang times
        (without litt's part): trapezoidal in ln lambda, outwards until nothing is left."""
        r, alpha, n = self.r, self.alpha, self.r + self.k * self.x
        factor = r * mp.log(alpha) - mp.loggamma(r) - self.x * mp.loggamma(self.k)
        # Erlang times make waves in lambda: analytic for |Im ln lambda| < pi/k only.
        step = min(mpf("0.12"), mpf("0.3") / mp.sqrt(n + self.k), mpf("0.36") / self.k)
        middle, total = mp.log((n + self.k / 2) / (alpha + self.tx)), mpf(0)
        for side in (-1, 1):
            i, small = (-1 if side < 0 else 0), 0
            while small < 5:
                y = middle + i * step
                lam = mp.exp(y)
                term = mp.exp(factor + n * y - lam * (alpha + self.tx)) * f(lam)
                total += term
                small = small + 1 if abs(term) <= TINY * abs(total) else 0
                i += side
        return total * step

    def moment(self, died, lived):
        """E[p^died (1-p)^lived]"""
        return mp.beta(self.a + died, self.b + lived) / mp.beta(self.a, self.b)

    def phases(self, lam):
        """P(j phases went by since the last purchase), j < k: no purchase."""
        distribution = poisson(lam * self.quiet_for)
        return [at(distribution, j) for j in range(self.k)]

    def parts(self):
        alive = self.moment(0, self.chances) * self.over_lambda(lambda lam: sum(self.phases(lam)))
        if self.chances == 0:
            return alive, mpf(0)
        return alive, self.moment(1, self.chances - 1) * self.over_lambda(lambda lam: mpf(1))

    def loglik(self, litt):
        return mp.log(sum(self.parts())) + (self.k - 1) * mpf(litt)

    def p_alive(self):
        alive, dead = self.parts()
        return alive / (alive + dead)

    def if_alive(self, f):
        """P(alive) E[f(lambda, phase at T) | alive]"""
        joint = self.over_lambda(lambda lam: sum(p * f(lam, j) for j, p in enumerate(self.phases(lam)) if p))
        return self.moment(0, self.chances) * joint / sum(self.parts())

    def survive(self, i):
        """P(no dropout at i further occasions | alive)"""
        return self.moment(0, self.chances + i) / self.moment(0, self.chances)

    def expected(self, t):
        t, bought, survive = mpf(t), [mpf(0)], functools.lru_cache(maxsize=None)(self.survive)

        def with_occasions(f):
            while len(bought) <= f:
                bought.append(bought[-1] + survive(len(bought) - 1))
            return bought[f]

        return self.if_alive(
            lambda lam, j: sum(p * with_occasions((j + m) // self.k) for m, p in enumerate(poisson(lam * t)))
        )

    def pmf(self, start, until, n):
        wait, time = mpf(start), mpf(until) - mpf(start)
        survive = functools.lru_cache(maxsize=None)(self.survive)

        def given(lam, phases):
            """P(n purchases) of somebody alive with so many phases since T, i purchases since."""
            i, phase, total = phases // self.k, phases % self.k, mpf(0)
            for m, p in enumerate(poisson(lam * time)):
                occasions = (phase + m) // self.k
                if occasions == n:
                    total += p * survive(i + n - 1) if n else p * survive(i)
                elif occasions > n > 0:
                    total += p * (survive(i + n - 1) - survive(i + n))
            return total if n else total - survive(i)  # n = 0: less those who will have bought

        p = self.if_alive(
            lambda lam, j: sum(w * given(lam, j + m) for m, w in enumerate(poisson(lam * wait)))
        )
        return p if n else 1 + p

    def dert(self, delta):
        a, b, delta = self.a, self.b + self.chances, mpf(delta)

        def bought(lam, j):
            v = lam / (lam + delta)
            return v ** (self.k - j) * mp.hyp2f1(1, b, a + b, v**self.k)

        return self.if_alive(bought)


CDNOW = (0.5, 4.4, 0.8, 2.4)
ROWS = [  # model, k, theta, x, tx, t, litt, from, until, n, delta
    ("bgcnbd", 1, CDNOW, 2, 30.43, 38.86, 0, 0, 39, 1, 0.0027),
    ("mbgcnbd", 1, CDNOW, 2, 30.43, 38.86, 0, 0, 39, 1, 0.0027),
    ("bgcnbd", 2, CDNOW, 2, 30.43, 38.86, 5.1, 0, 39, 1, 0.0027),
    ("mbgcnbd", 2, CDNOW, 2, 30.43, 38.86, 5.1, 0, 39, 0, 0.0027),
    ("mbgcnbd", 3, CDNOW, 5, 30.43, 38.86, 8, 0, 10, 2, 0.0027),
    ("mbgcnbd", 3, CDNOW, 0, 0, 38.86, 0, 0, 10, 2, 0.0027),
    ("bgcnbd", 3, CDNOW, 0, 0, 38.86, 0, 3, 10, 0, 0.0027),
    ("mbgcnbd", 2, CDNOW, 1, 3, 9, 1.1, 2, 4, 1, 0.0027),
    ("bgcnbd", 5, (2, 1.5, 0.2, 0.1), 0, 0, 8.86, 0, 0, 10, 2, 0.1),
    ("bgcnbd", 4, (2, 1.5, 3.2, 1.1), 12, 8, 8.86, -6, 0, 1, 1, 0.1),
    ("bgcnbd", 2, (2, 1.5, 3.2, 1.1), 40, 8, 8.86, -66, 0, 0.01, 1, 0.1),
    ("mbgcnbd", 12, (1.2, 0.7, 0.6, 3), 6, 20, 26, 6, 0, 8, 3, 0.0027),
    ("mbgcnbd", 24, (8, 0.7, 0.6, 3), 2, 4, 5, 1, 0, 8, 4, 0.05),
    ("mbgcnbd", 2, (0.1, 0.7, 0.6, 3), 0, 0, 5, 0, 0, 8, 0, 0.05),
    ("bgcnbd", 2, (0.05, 1.5, 0.02, 21.1), 3, 2, 8.86, -1, 0, 1, 1, 0.001),
    ("mbgcnbd", 3, (20, 15, 50, 21.1), 3, 2, 8.86, -1, 0, 4, 1, 3),
    ("mbgcnbd", 12, (0.9, 0.02, 0.6, 3), 0, 0, 0, 0, 0, 2.2, 1, 0.01),  # by roots of unity
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-k{row[1]}-x{row[3]}")
def test_answers_equal_the_slow_ones(row):
    model, k, theta, x, tx, t, litt, start, until, n, delta = row
    c = Customer(model, k, theta, x, tx, t)
    slow = [
        c.loglik(litt),
        c.p_alive(),
        c.expected(until) - c.expected(start) if start else c.expected(until),
        c.pmf(start, until, n),
        c.dert(delta),
    ]
    fast = ask([row])[0]
    for name, wanted, got in zip(("loglik", "p_alive", "expected", "pmf", "dert"), slow, fast):
        assert got == pytest.approx(float(wanted), rel=2e-12, abs=1e-22), name
    poisson.cache_clear()


@pytest.mark.parametrize("row", ROWS[2:6], ids=lambda row: f"{row[0]}-k{row[1]}-x{row[3]}")
def test_derivatives_equal_those_of_the_slow_likelihood(row):
    model, k, theta, x, tx, t, litt, *_ = row
    h = mpf(10) ** -5

    def value(*shift):
        moved = [mpf(p) * mp.exp(h * s) for p, s in zip(theta, shift)]
        return Customer(model, k, moved, x, tx, t).loglik(litt)

    def unit(*where):
        return [sum((i == w) - (i == -w - 1) for w in where) for i in range(4)]

    got = ask([row], "derivatives")[0]
    middle = value(0, 0, 0, 0)
    for p in range(4):
        slope = (value(*unit(p)) - value(*unit(-p - 1))) / (2 * h)
        assert got[1 + p] == pytest.approx(float(slope), rel=1e-8, abs=1e-8)
        for q in range(p + 1):
            if p == q:
                bend = (value(*unit(p)) - 2 * middle + value(*unit(-p - 1))) / h**2
            else:
                bend = value(*unit(p, q)) - value(*unit(p, -q - 1)) - value(*unit(-p - 1, q))
                bend = (bend + value(*unit(-p - 1, -q - 1))) / (4 * h**2)
            assert got[5 + p * (p + 1) // 2 + q] == pytest.approx(float(bend), rel=1e-7, abs=1e-7)


def test_new_customers_are_customers_without_a_history():
    for model in CHANCES:
        for k in (1, 2, 3, 7):
            got = ask([(model, k, (1.3, 2.5, 0.7, 2.1), 0, 0, 0, 0, 0, 9, 2, 0.1)])[0]
            assert got[2] == pytest.approx(got[5], rel=1e-14)
            assert got[3] == pytest.approx(got[6], rel=1e-14)


def lines_of_both(n, seed):
    dice = random.Random(seed)
    for _ in range(n):
        theta = [math.exp(dice.uniform(math.log(low), math.log(high)))
                 for low, high in ((0.1, 20), (0.2, 90), (0.05, 20), (0.05, 20))]
        x = dice.choice((0, 0, 1, 2, 5, 30, 200))
        t = math.exp(dice.uniform(-1, 6))
        tx = t * dice.random() if x else 0
        yield theta, x, tx, t, 0, 0, t * dice.uniform(0.01, 3), dice.randrange(6), dice.uniform(0.002, 0.2)


@pytest.mark.parametrize("model", ("bg", "mbg"))
def test_k_1_is_the_poisson_model(model):
    rows = list(lines_of_both(300, 5))
    try:
        known = ask([(model + "nbd", 1, *row) for row in rows])
    except subprocess.CalledProcessError:
        pytest.skip(f"there is no {model}nbd yet: k = 1 is not compared with it")
    ours = ask([(model + "cnbd", 1, *row) for row in rows])
    for row, wanted, got in zip(rows, known, ours):
        for ours_, theirs in zip(got, wanted):  # nan: a question that it does not answer
            assert math.isnan(theirs) or ours_ == pytest.approx(theirs, rel=1e-12, abs=1e-15), row
    known = ask([(model + "nbd", 1, *row) for row in rows], "derivatives")
    ours = ask([(model + "cnbd", 1, *row) for row in rows], "derivatives")
    for row, wanted, got in zip(rows, known, ours):
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9), row


# ---- fits ------------------------------------------------------------------------------------


def totals(model, k, log_theta, rows):
    theta = [math.exp(v) for v in log_theta]
    sums = np.sum(ask([(model, k, theta, *row, 0, 0, 0, 0) for row in rows], "derivatives"), axis=0)
    hess = np.zeros((4, 4))
    hess[np.tril_indices(4)] = sums[5:]
    return sums[0], sums[1:5], hess + np.tril(hess, -1).T


def fit(model, k, rows, start=(1.0, 4.0, 1.0, 3.0)):
    """Newton's method with halved steps, in the logarithms: enough for good data."""
    theta = np.log(start)
    value, grad, hess = totals(model, k, theta, rows)
    for _ in range(60):
        vals, vecs = np.linalg.eigh(hess)
        step = vecs @ ((vecs.T @ grad) / np.maximum(np.abs(vals), 1e-8))
        step *= min(1, 1.5 / np.abs(step).max())
        while True:
            new = totals(model, k, theta + step, rows)
            if new[0] >= value - 1e-9 or np.abs(step).max() < 1e-12:
                break
            step /= 2
        theta, (value, grad, hess) = theta + step, new
        if np.abs(grad).max() < 1e-9 * len(rows):
            break
    return value, np.exp(theta), np.sqrt(np.diag(np.linalg.inv(-hess)))


def cdnow():
    """(x, tx, T, litt) in weeks of the sample's calibration, purchases of a day merged."""
    days = {}
    for line in (DATA / "cdnow_sample.csv").read_text().splitlines()[1:]:
        cells = line.split(",")
        days.setdefault(cells[0], set()).add(np.datetime64(cells[2]))
    end, rows = np.datetime64("1997-09-30"), []
    for dates in days.values():
        first = min(dates)
        times = sorted(int((d - first).astype(int)) / 7 for d in dates if d <= end)
        gaps = [b - a for a, b in zip(times, times[1:])]
        litt = sum(map(math.log, gaps))
        rows.append((len(gaps), times[-1], int((end - first).astype(int)) / 7, litt))
    return rows


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there; set CJ_TEST_DATA")
def test_cdnow_is_known_and_not_regular():
    rows = cdnow()
    assert len(rows) == 2357 and sum(row[0] for row in rows) == 2457
    value, theta, error = fit("bgcnbd", 1, rows)
    assert value == pytest.approx(-9582.429206673931, rel=1e-9)
    assert theta == pytest.approx([0.242594522430, 4.41360201901, 0.792922017226, 2.42590677683], rel=1e-6)
    assert error * theta == pytest.approx([0.01255738, 0.37822406, 0.18573382, 0.70541426], rel=1e-5)
    rounded = [(x, round(tx, 2), round(t, 2), litt) for x, tx, t, litt in rows]
    value, theta, _ = fit("mbgcnbd", 1, rounded)
    assert value == pytest.approx(-9582.132684899904, rel=1e-9)
    assert theta == pytest.approx([0.524837983666, 6.18299201967, 0.891356155332, 1.61399933473], rel=1e-6)
    for model in CHANCES:  # "k=1: no regularity detected for CDNow", BTYDplus
        values = [fit(model, k, rows)[0] for k in (1, 2, 3)]
        assert values[0] > values[1] + 100 and values[1] > values[2] + 100


def cohort(model, k, theta, n, t, seed):
    dice = np.random.default_rng(seed)
    r, alpha, a, b = theta
    rows = []
    for _ in range(n):
        rate, p = dice.gamma(r) / alpha, dice.beta(a, b)
        times, alive = [0.0], not (model[0] == "m" and dice.random() < p)
        while alive:
            now = times[-1] + dice.gamma(k) / rate
            if now > t:
                break
            times.append(now)
            alive = dice.random() >= p
        litt = sum(math.log(gap) for gap in np.diff(times))
        rows.append((len(times) - 1, times[-1], t, litt))
    return rows


@pytest.mark.parametrize("model", CHANCES)
@pytest.mark.parametrize("k", (2, 3))
def test_a_fit_recovers_k_and_the_parameters(model, k):
    truth = (0.85, 1.45, 0.79, 2.42)
    rows = cohort(model, k, truth, 1500, 52, 10 + k)
    fits = {tried: fit(model, tried, rows, (1, 2, 1, 3)) for tried in range(1, k + 3)}
    assert max(fits, key=lambda tried: fits[tried][0]) == k
    _, theta, error = fits[k]
    for p in range(4):  # errors are those of the logarithm
        assert abs(math.log(theta[p] / truth[p])) < 3.5 * error[p]
