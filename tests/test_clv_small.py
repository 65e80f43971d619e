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
mp.dps = 50


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
