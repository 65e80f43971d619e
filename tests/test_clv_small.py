"""Gamma-Gamma, BG/BB, sBG and BdW against mpmath: the papers' formulas as they stand, with
50 digits, over parameters and customers spread wide.  tests/probe/clv_probe asks the library."""
import os
import random
import subprocess
from pathlib import Path

import pytest

mpmath = pytest.importorskip("mpmath", reason="mpmath is not installed: nothing is compared")
mp, mpf = mpmath.mp, mpmath.mpf

PROBE = Path(os.environ.get("BUILDDIR", "build/release")) / "tests/probe/clv_probe"
ANSWERS = ("loglik", "p_alive", "expected", "pmf", "dert", "expected_new", "pmf_new")

@pytest.fixture(autouse=True)
def digits():
    before, mp.dps = mp.dps, 50
    yield
    mp.dps = before


class Row:
    """A model's parameters, a customer and a question."""

    def __init__(self, model, theta, x=0, tx=0, t=0, z=0, begin=0, until=1, n=0, delta=0.1):
        self.model, self.theta = model, [float(v) for v in theta]
        self.numbers = [float(v) for v in (x, tx, t, z, begin, until, n, delta)]
        self.x, self.tx, self.t, self.n, self.begin, self.until = map(int, (x, tx, t, n, begin, until))
        self.z, self.delta = mpf(self.numbers[3]), mpf(self.numbers[7])

    def line(self):
        theta = self.theta + [1.0] * (4 - len(self.theta))
        return " ".join([self.model, "1", *(f"{v:.17g}" for v in theta + self.numbers)]) + "\n"

    def exact(self):
        return [mpf(v) for v in self.theta]


def ask(rows):
    done = subprocess.run([PROBE], input="".join(r.line() for r in rows), capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(rows)
    return [dict(zip(ANSWERS, map(float, line.split()))) for line in lines]


def compare(rows, wants, relative, absolute=0.0):
    """wants: for each row a dict of what mpmath says."""
    worst = {}
    for row, got, want in zip(rows, ask(rows), wants):
        for name, value in want.items():
            error = abs(got[name] - value)
            limit = relative * abs(value) + absolute
            assert error <= limit, f"{name} of {row.line()}: {got[name]!r}, not {mp.nstr(value, 17)}"
            worst[name] = max(worst.get(name, 0), float(error / (abs(value) + mpf(10) ** -300)))
    print({name: f"{error:.1e}" for name, error in worst.items()})


def log_uniform(dice, low, high):
    return low * (high / low) ** dice.random()


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


# ---- Gamma-Gamma -------------------------------------------------------------------


def gammagamma(row):
    """Fader & Hardie 2013, equations 1a and 5."""
    p, q, v = row.exact()
    x, z = row.x, row.z
    log = (mp.loggamma(p * x + q) - mp.loggamma(p * x) - mp.loggamma(q) + q * mp.log(v)
           + (p * x - 1) * mp.log(z) + p * x * mp.log(x) - (p * x + q) * mp.log(v + x * z))
    want = {"loglik": log}
    if p * x + q > 1:
        want["expected"] = p * (v + x * z) / (p * x + q - 1)
    if q > 1:
        want["expected_new"] = p * v / (q - 1)
    return want


def spend_rows(dice, n, low, high):
    for _ in range(n):
        theta = [log_uniform(dice, low, high) for _ in range(3)]
        yield Row("gammagamma", theta, x=int(log_uniform(dice, 1, 6000)), z=log_uniform(dice, 1e-2, 1e5))


def test_gammagamma_in_a_wide_box():
    rows = list(spend_rows(random.Random(1), 2000, 1e-2, 1e3))
    # the logarithm passes through 0: against the size of its parts
    compare(rows, map(gammagamma, rows), 1e-12, 1e-12)


def test_gammagamma_near_its_limits():
    rows = list(spend_rows(random.Random(2), 1000, 1e-6, 1e7))
    compare(rows, map(gammagamma, rows), 1e-10, 1e-7)


# ---- BG/BB -------------------------------------------------------------------------


def bgbb_pmf(theta, m, n):
    """FHS 2010, equation 8: n purchases at m opportunities of somebody alive."""
    a, b, g, d = theta
    if not 0 <= n <= m:
        return mpf(0)

    def term(i, more):
        return (mp.binomial(i, n) * mp.exp(log_beta(a + n, b + i - n) - log_beta(a, b))
                * mp.exp(log_beta(g + more, d + i) - log_beta(g, d)))
    return term(m, 0) + sum(term(i, 1) for i in range(n, m))


def survival(g, d, t):
    return mp.exp(log_beta(g, d + t) - log_beta(g, d))


def lives(g, d, first, last):
    s, total = survival(g, d, first), mpf(0)
    for t in range(first, last + 1):
        total, s = total + s, s * (d + t) / (g + d + t)
    return total


def lives_discounted(g, d, delta):
    """What the 2F1 of equation 14 stands for, added up (mpmath's own does not converge for all of them)."""
    total, term, s, z = mpf(0), mpf(1), 0, mp.exp(-delta)
    while term > total * mpf(10) ** -25:
        term *= (d + s) / (g + d + s) * z
        total += term
        s += 1
    return total


def bgbb(row):
    """FHS 2010, equations 5, 8, 11, 13, 14, as they stand."""
    a, b, g, d = theta = row.exact()
    x, tx, n = row.x, row.tx, row.t
    left = [mp.exp(log_beta(a + x, b + tx - x + i) - log_beta(a, b) + log_beta(g + 1, d + tx + i) - log_beta(g, d))
            for i in range(n - tx)]
    stayed = mp.exp(log_beta(a + x, b + n - x) - log_beta(a, b) + log_beta(g, d + n) - log_beta(g, d))
    likelihood = stayed + sum(left)
    alive, buys = stayed / likelihood, (a + x) / (a + b + n)
    periods = row.until - row.begin
    there = survival(g, d + n, row.begin)
    now = (a + x, b + n - x, g, d + n + row.begin)
    fresh, fresh_there = (a, b, g, d + row.begin), survival(g, d, row.begin)
    none = row.n == 0
    return {
        "loglik": mp.log(likelihood),
        "p_alive": alive * survival(g, d + n, 1),
        "expected": alive * buys * lives(g, d + n, row.begin + 1, row.until),
        "dert": alive * buys * lives_discounted(g, d + n, row.delta),
        "pmf": alive * there * bgbb_pmf(now, periods, row.n) + none * (1 - alive * there),
        "expected_new": a / (a + b) * lives(g, d, 1, row.until),
        "pmf_new": fresh_there * bgbb_pmf(fresh, periods, row.n) + none * (1 - fresh_there),
    }


def bgbb_rows(dice, count, low, high):
    for _ in range(count):
        t = dice.randrange(1, 41)
        x = dice.randrange(0, t + 1)
        tx = dice.randrange(x, t + 1) if x else 0
        begin = dice.choice([0, 0, 3, 20])
        yield Row("bgbb", [log_uniform(dice, low, high) for _ in range(4)], x=x, tx=tx, t=t, begin=begin,
                  until=begin + dice.choice([1, 2, 10, 17, 40]), n=dice.randrange(0, 12),
                  delta=log_uniform(dice, 1e-2, 2))


def test_bgbb_in_a_wide_box():
    rows = list(bgbb_rows(random.Random(3), 200, 1e-2, 1e3))
    compare(rows, map(bgbb, rows), 1e-11, 1e-15)


def test_bgbb_near_its_limits():
    rows = list(bgbb_rows(random.Random(4), 120, 1e-5, 1e6))
    compare(rows, map(bgbb, rows), 1e-10, 1e-14)


# ---- contracts ---------------------------------------------------------------------


def contract(row):
    """sBG and BdW: everything from S(t), by subtraction; 50 digits bear it."""
    g, d, c = (*row.exact(), mpf(1))[:3]

    def s(t):
        return mp.exp(log_beta(g, d + mpf(t) ** c) - log_beta(g, d)) if t else mpf(1)

    def count(t, n):
        first, last = t + row.begin, t + row.until
        if not 0 <= n <= last - first:
            return mpf(0)
        if n == last - first:
            return s(last) / s(t)
        return (s(first + n) * (n > 0) + s(t) * (n == 0) - s(first + n + 1)) / s(t)
    t, there = row.t, row.x == 0
    want = {
        "loglik": mp.log(s(t) if there else s(t - 1) - s(t)),
        "p_alive": mpf(there),
        "expected": there * sum(s(t + i) for i in range(row.begin + 1, row.until + 1)) / s(t),
        "pmf": count(t, row.n) if there else mpf(row.n == 0),
        "expected_new": sum(s(i) for i in range(1, row.until + 1)),
        "pmf_new": count(0, row.n),
    }
    if row.model == "sbg":
        want["dert"] = there * lives_discounted(g, d + t, row.delta)
    elif row.delta > 0.2:
        want["dert"] = there * sum(s(t + i) * mp.exp(-row.delta * i) for i in range(1, int(80 / row.delta))) / s(t)
    return want


def contract_rows(dice, count, low, high):
    for _ in range(count):
        begin = dice.choice([0, 0, 3, 20])
        model = dice.choice(["sbg", "bdw"])
        theta = [log_uniform(dice, low, high) for _ in range(2)]
        theta += [log_uniform(dice, 0.2, 5)] if model == "bdw" else []
        yield Row(model, theta, x=dice.randrange(2), t=dice.randrange(1, 41), begin=begin,
                  until=begin + dice.choice([1, 2, 10, 17, 40]), n=dice.randrange(0, 6),
                  delta=log_uniform(dice, 1e-2, 2))


def test_contracts_in_a_wide_box():
    rows = list(contract_rows(random.Random(5), 250, 1e-2, 1e3))
    compare(rows, map(contract, rows), 1e-11, 1e-300)


def test_contracts_near_their_limits():
    rows = list(contract_rows(random.Random(6), 150, 1e-5, 1e6))
    compare(rows, map(contract, rows), 1e-10, 1e-300)


def test_bdw_far_out():
    dice, rows = random.Random(9), []
    for _ in range(100):
        c = log_uniform(dice, 3, 60)
        rows.append(Row("bdw", [log_uniform(dice, 0.1, 10) / c, log_uniform(dice, 1e-2, 1e2), c], x=dice.randrange(2),
                        t=dice.randrange(1, 30), until=3, n=dice.randrange(4)))
    mp.dps = 150 # t^c has 90
    wants = [contract(row) for row in rows]
    mp.dps = 50
    compare(rows, wants, 1e-11, 1e-300)


def test_bdw_discounted_over_a_long_time():
    """Small discounts, where millions of renewals count."""
    dice, rows, wants = random.Random(7), [], []
    for delta in (1e-1, 3e-3, 1e-4, 1e-6):
        for c in (0.4, 0.9, 1.3, 2.5):
            g, d, t = log_uniform(dice, 0.3, 3), log_uniform(dice, 0.3, 30), dice.randrange(0, 20)
            row = Row("bdw", [g, d, c], t=t, delta=delta)
            g, d, c = row.exact()

            def log_s(time):
                return log_beta(g, d + time ** c)

            def value(s):
                return mp.exp(log_s(row.t + s) - (log_s(mpf(row.t)) if row.t else log_beta(g, d)) - row.delta * s)
            mp.dps = 25
            wants.append({"dert": bdw_sum(value)})
            mp.dps = 50
            rows.append(row)
    compare(rows, wants, 1e-11)


def bdw_sum(value, first=400):
    """The sum over s >= 1: plainly, then in blocks twice as long each by quadrature and both ends."""
    total = sum(value(mpf(s)) for s in range(1, first))
    edges = [mpf(first) * 2 ** i for i in range(60)]
    rest = mpf(0)
    for low, high in zip(edges, edges[1:]):
        part = mp.quad(value, [low, high])
        rest += part
        if part < total * mpf(10) ** -18:
            break
    d1 = mp.diff(value, first)
    return total + rest + value(mpf(first)) / 2 - d1 / 12 + mp.diff(value, first, 3) / 720


def test_discounts_near_zero():
    """sBG's sum as the integral of (1 - p) / (e^delta - 1 + p) over Beta(a, b), by the trapezoidal rule in logit p,
    whose error is e^(-2 pi^2 / step)."""
    dice, rows, wants = random.Random(8), [], []
    mp.dps = 25
    for delta in (1e-2, 1e-4, 1e-6, 1e-8):
        for _ in range(4):
            g, d, t = log_uniform(dice, 0.5, 5), log_uniform(dice, 0.3, 30), dice.randrange(0, 20)
            row = Row("sbg", [g, d], t=t, delta=delta)
            (g, d), low = row.exact(), mp.expm1(row.delta)
            d, step, total = d + t, mpf(3) / 10, mpf(0)
            for i in range(-int(300 / g), int(300 / d) + 100):
                u = i * step
                p, q = 1 / (1 + mp.exp(-u)), 1 / (1 + mp.exp(u))
                total += step * p ** g * q ** (d + 1) / (low + p)
            rows.append(row)
            wants.append({"dert": total / mp.beta(g, d)})
    mp.dps = 50
    compare(rows, wants, 1e-11)
