"""Pareto/NBD against a slow and obvious second implementation: the story of the model (rates
from gammas, purchases by chance until an exponential time), its integrals by quadrature,
20 digits.  Parameters over decades, derivatives by mpmath's differences."""
import functools
import os
import random
import subprocess
from pathlib import Path

import numpy
import pytest

mp = pytest.importorskip("mpmath", reason="mpmath is not installed: nothing is compared").mp
from mpmath import mpf  # noqa: E402

PROBE = Path(os.environ.get("BUILDDIR", "build/release")) / "tests/probe/clv_probe"

@pytest.fixture(autouse=True)
def digits():
    before, mp.dps = mp.dps, 20
    yield
    mp.dps = before


def ask(cases, *arguments):
    """Each case (theta, row, (from, until), n, delta): the library's answers."""
    text = "".join(
        f"paretonbd 1 {' '.join(map(repr, theta))} {' '.join(map(repr, row))} 0 {span[0]!r} {span[1]!r} {n} {delta!r}\n"
        for theta, row, span, n, delta in cases
    )
    out = subprocess.run([PROBE, *arguments], input=text, capture_output=True, text=True, check=True).stdout
    return [[float(word) for word in line.split()] for line in out.splitlines()]


NODES = [(mpf(float(t)), mpf(float(w))) for t, w in zip(*numpy.polynomial.legendre.leggauss(24))]


def integral(f, low, high):
    """Of a smooth f over times that may span decades: pieces that grow by the factor 4, 24 nodes
    each."""
    total, begin, step = mpf(0), low, (high - low) / mpf(2) ** 40
    while begin < high:
        half = min(step, high - begin) / 2
        total += half * sum(w * f(begin + half * (1 + t)) for t, w in NODES)
        begin, step = begin + 2 * half, 4 * step
    return total


class Customer:
    """lambda ~ Gamma(r, alpha), mu ~ Gamma(s, beta); the history x, tx, T."""

    def __init__(self, theta, row):
        self.r, self.alpha, self.s, self.beta = map(mpf, theta)
        self.x, self.tx, self.t = map(mpf, row)
        self.risen = mp.rf(self.r, self.x)

    def buys(self, y):
        """E[lambda^x e^(-lambda y)]: x purchases at their times, and none else until y."""
        return self.risen * (self.alpha / (self.alpha + y)) ** self.r / (self.alpha + y) ** self.x

    def stays(self, y):
        return (self.beta / (self.beta + y)) ** self.s

    def leaves(self, y):
        """Density of the time of dropout."""
        return self.s / (self.beta + y) * self.stays(y)

    def alive(self):
        return self.buys(self.t) * self.stays(self.t)

    @functools.lru_cache(maxsize=None)
    def likelihood(self):
        return self.alive() + integral(lambda y: self.buys(y) * self.leaves(y), self.tx, self.t)

    def p_alive(self):
        return self.alive() / self.likelihood()

    def later(self):
        """Who he is at T if alive: a newcomer with learned rates."""
        return Customer((self.r + self.x, self.alpha + self.t, self.s, self.beta + self.t), (0, 0, 0))

    def expected(self, low, high):
        return self.r / self.alpha * integral(self.stays, mpf(low), mpf(high))

    def n_in(self, n, time):
        """P(n purchases in so much time)."""
        share = time / (self.alpha + time)
        return mp.rf(self.r, n) / mp.factorial(n) * (1 - share) ** self.r * share ** n

    def chance(self, n, low, high):
        low, high = mpf(low), mpf(high)
        gone = 1 - self.stays(low) if n == 0 else 0
        during = integral(lambda v: self.n_in(n, v) * self.leaves(low + v), mpf(0), high - low)
        return gone + during + self.n_in(n, high - low) * self.stays(high)

    def discounted(self, delta):
        return self.r / self.alpha * integral(lambda y: self.stays(y) * mp.exp(-delta * y), mpf(0), 70 / mpf(delta))


def close(got, wanted, relative, absolute=1e-300):
    assert abs(mpf(got) - wanted) <= relative * abs(wanted) + absolute, (got, mp.nstr(wanted, 17))


def some_cases(seed, n, decades):
    dice = random.Random(seed)
    cases = []
    while len(cases) < n:
        theta = [10 ** dice.uniform(-decades, decades) for _ in range(4)]
        theta[0], theta[2] = min(theta[0], 20.0), min(theta[2], 20.0)
        t = 10 ** dice.uniform(-1, decades)
        x = dice.choice([0, 0, 1, 2, 5, 12, 80])
        tx = 0.0 if x == 0 else t * (1 - dice.random() ** dice.choice([1, 3]))
        span = (dice.choice([0.0, t / 3]), t * 10 ** dice.uniform(-1, 1))
        if span[1] > span[0]:
            cases.append((theta, (float(x), tx, t), span, dice.choice([0, 1, 2, 7, 30]), 10 ** dice.uniform(-3, 0)))
    return cases


@pytest.mark.parametrize("decades", [1, 2.5])
def test_answers(decades):
    cases = some_cases(3, 16, decades)
    for (theta, row, span, n, delta), got in zip(cases, ask(cases)):
        loglik, p_alive, expected, pmf, dert, expected_new, pmf_new = got
        c = Customer(theta, row)
        new, later, alive = Customer(theta, (0, 0, 0)), c.later(), c.p_alive()
        close(loglik, mp.log(c.likelihood()), 1e-11, 1e-13)
        close(p_alive, alive, 1e-11)
        close(expected, alive * later.expected(*span), 1e-11)
        close(pmf, alive * later.chance(n, *span) + (1 - alive if n == 0 else 0), 1e-11)
        close(dert, alive * later.discounted(delta), 1e-11)
        close(expected_new, new.expected(0, span[1]), 1e-11)
        close(pmf_new, new.chance(n, *span), 1e-11)


def test_one_customer_by_both_rates():
    """Nothing integrated by hand: quadrature over lambda and mu."""
    theta, row = (1.5, 4.0, 0.8, 6.0), (2.0, 3.0, 9.0)
    r, alpha, s, beta = map(mpf, theta)
    x, tx, t = map(mpf, row)
    mp.dps, before = 15, mp.dps

    def story(lam, mu):
        both = lam + mu
        alive = mp.exp(-both * t)
        rate = alpha ** r * lam ** (r - 1) * mp.exp(-alpha * lam) / mp.gamma(r)
        leave = beta ** s * mu ** (s - 1) * mp.exp(-beta * mu) / mp.gamma(s)
        return lam ** x * (alive + mu / both * (mp.exp(-both * tx) - alive)) * rate * leave

    # mu = w^5: no singularity at 0
    total = mp.quad(lambda lam, w: story(lam, w ** 5) * 5 * w ** 4, [0, 0.4, 1, 6], [0, 0.5, 0.8, 1.6])
    mp.dps = before
    close(ask([(theta, row, (0.0, 1.0), 0, 0.1)])[0][0], mp.log(total), 1e-9)


def slopes(theta, row):
    """Gradient, then the Hessian's lower triangle, in the logarithms of the parameters."""

    def at(*logs):
        return mp.log(Customer([mp.exp(v) for v in logs], row).likelihood())

    logs = [mp.log(mpf(v)) for v in theta]
    orders = [[int(i == p) for i in range(4)] for p in range(4)]
    orders += [[int(i == p) + int(i == q) for i in range(4)] for p in range(4) for q in range(p + 1)]
    return [mp.diff(at, tuple(logs), tuple(order)) for order in orders]


def test_derivatives():
    cases = some_cases(11, 2, 1) + some_cases(12, 2, 2)
    for (theta, row, *_), got in zip(cases, ask(cases, "derivatives")):
        wanted = slopes(theta, row)
        size = max(abs(v) for v in wanted)
        for value, slope in zip(got[1:], wanted):
            close(value, slope, 1e-10, 1e-10 * size)


def test_a_grid_where_hypergeometric_differences_fail():
    """alpha and beta far apart, x large or tx near T: answers that two 2F1 do not give."""
    cases = [
        ((r, alpha, s, beta), (x, tx, 39.0), (0.0, 26.0), 1, 0.01)
        for r, s in [(0.3, 9.0), (15.0, 0.05)]
        for alpha, beta in [(0.02, 900.0), (900.0, 0.02), (5.0, 5.0), (5.0, 5.0000001)]
        for x, tx in [(1.0, 38.999999), (150.0, 20.0), (150.0, 38.9), (3.0, 0.5)]
    ]
    for (theta, row, span, n, delta), got in zip(cases, ask(cases)):
        c = Customer(theta, row)
        close(got[0], mp.log(c.likelihood()), 1e-11)
        close(got[1], c.p_alive(), 1e-11)
        close(got[2], c.p_alive() * c.later().expected(*span), 1e-11)
