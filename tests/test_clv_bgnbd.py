"""BG/NBD and MBG/NBD against a second implementation with 50 digits: the papers' hypergeometric
forms where there are some (they cancel, so they need the digits), sums over what may happen
meanwhile where not.  The library uses neither: it takes means over p."""
import os
import random
import subprocess
from pathlib import Path

import pytest

mp = pytest.importorskip("mpmath", reason="mpmath is not installed: nothing is compared").mp
from mpmath import mpf  # noqa: E402

PROBE = Path(os.environ.get("BUILDDIR", "build/release")) / "tests/probe/clv_probe"
MODELS = {"bgnbd": 0, "mbgnbd": 1}
CDNOW = (0.242594522430157, 4.4136020190135, 0.792922017225598, 2.42590677682633)
ANSWERS = ("loglik", "p_alive", "expected", "pmf", "dert", "expected_new", "pmf_new")

@pytest.fixture(autouse=True)
def digits():
    before, mp.dps = mp.dps, 50
    yield
    mp.dps = before


def ask(lines, *arguments):
    """Each line (model, theta, x, tx, t, from, until, n, delta): its answers."""
    text = "".join(
        f"{m} 1 {' '.join(map(repr, th))} {x} {tx!r} {t!r} 0 {f!r} {u!r} {n} {d!r}\n"
        for m, th, x, tx, t, f, u, n, d in lines
    )
    out = subprocess.run([PROBE, *arguments], input=text, capture_output=True, text=True, check=True).stdout
    return [[float(word) for word in line.split()] for line in out.splitlines()]


class Alive:
    """Somebody alive, lambda ~ Gamma(n, scale), p ~ Beta(a, b)."""

    def __init__(self, n, scale, a, b):
        self.n, self.scale, self.a, self.b = n, scale, a, b

    def until(self, t):
        """Expected purchases: Fader, Hardie & Lee 2005, eq. 10, without P(alive)."""
        n, a, b = self.n, self.a, self.b
        return (a + b - 1) / (a - 1) * (1 - mp.hyp2f1(n, a - 1, a + b - 1, -t / self.scale))

    def survive(self, i):
        """P(no dropout at the next i chances)"""
        return mp.rf(self.b, i) / mp.rf(self.a + self.b, i)

    def chances(self, t, i):
        """P(i purchases in (0, t] if there were no dropout)"""
        q = t / (self.scale + t)
        return mp.rf(self.n, i) / mp.factorial(i) * q**i * (1 - q) ** self.n

    def tail(self, t, i):
        """P(at least i)"""
        if i == 0:
            return mpf(1)
        q = t / (self.scale + t)
        return self.chances(t, i) * mp.hyp2f1(self.n + i, 1, i + 1, q)

    def count(self, t, m):
        """P(m purchases in (0, t])"""
        if m == 0:
            return self.chances(t, 0)
        left = self.a / (self.a + self.b + m - 1) * self.survive(m - 1)
        return self.survive(m) * self.chances(t, m) + left * self.tail(t, m)

    def later(self, wait, t, m):
        """P(m > 0 purchases in (wait, wait + t]): over the i in (0, wait]"""
        total, i, reached = mpf(0), 0, mpf(0)
        while True:
            w = self.chances(wait, i)
            then = Alive(self.n + i, self.scale + wait, self.a, self.b + i)
            total += w * self.survive(i) * then.count(t, m)
            reached += w
            i += 1
            if 1 - reached < mpf(10) ** -25:
                return total

    def discounted(self, delta):
        """E[integral of e^(-delta t) dX(t)]: 2F1 given lambda, which mp.quad integrates."""
        n, a, b = self.n, self.a, self.b

        def f(y):
            v = mp.exp(y)  # lambda scale
            z = v / (delta * self.scale)
            return mp.exp(n * y - v) * z * mp.hyp2f1(1, a, a + b, -z)

        mid, width = mp.log(n + 1), 1 / mp.sqrt(n + 1)
        places = [mid - 70, *[mid + width * i for i in (-20, -10, -6, -3, 0, 3, 6, 12)]]
        return mp.quad(f, sorted(p for p in places if p >= mid - 70)) / mp.gamma(n)


class Customer:
    def __init__(self, model, theta, x, tx, t):
        self.r, self.alpha, self.a, self.b = map(mpf, theta)
        self.x, self.tx, self.t = x, mpf(tx), mpf(t)
        self.c = x + MODELS[model]
        self.alive = Alive(self.r + x, self.alpha + self.t, self.a, self.b + self.c)

    def parts(self):
        n, a, b = self.r + self.x, self.a, self.b
        first = mp.rf(b, self.c) / mp.rf(a + b, self.c) * (self.alpha + self.t) ** -n
        if self.c == 0:
            return first, mpf(0)
        left = a * mp.rf(b, self.c - 1) / mp.rf(a + b, self.c)
        return first, left * (self.alpha + self.tx) ** -n

    def loglik(self):
        return mp.log(mp.rf(self.r, self.x) * self.alpha**self.r * sum(self.parts()))

    def p_alive(self):
        alive, left = self.parts()
        return alive / (alive + left)

    def expected(self, start, until):
        return self.p_alive() * (self.alive.until(until) - self.alive.until(start))

    def pmf(self, start, until, m):
        if m == 0:
            return 1 - self.p_alive() * (1 - self.quiet(start, until))
        if start == 0:
            return self.p_alive() * self.alive.count(until, m)
        return self.p_alive() * self.alive.later(start, until - start, m)

    def quiet(self, start, until):
        """P(none in (start, until] | alive): 1 - P(some), E_p as a 2F1"""
        v = self.alive

        def there_and_silent(t):  # E[e^(-lambda p start) e^(-lambda (t - start))]
            z = start / (v.scale + t - start)
            base = (v.scale / (v.scale + t - start)) ** v.n
            return base * mp.hyp2f1(v.n, v.a, v.a + v.b, -z)

        return 1 - there_and_silent(start) + there_and_silent(until)

    def dert(self, delta):
        return self.p_alive() * self.alive.discounted(mpf(delta))


def reference(line):
    model, theta, x, tx, t, start, until, m, delta = line
    start, until = mpf(start), mpf(until)
    old, new = Customer(model, theta, x, tx, t), Customer(model, theta, 0, 0, 0)
    return (
        old.loglik(),
        old.p_alive(),
        old.expected(start, until),
        old.pmf(start, until, m),
        old.dert(delta) if delta else None,
        new.expected(mpf(0), until),
        new.pmf(start, until, m),
    )


def expect_agreement(lines, within):
    for line, got in zip(lines, ask(lines)):
        for name, value, wanted in zip(ANSWERS, got, reference(line)):
            if wanted is not None and wanted > 1e-290 or name == "loglik":
                assert abs(value - wanted) <= within * abs(wanted), (name, line, value, mp.nstr(wanted, 17))


def spread(dice, low, high):
    return float(f"{low * (high / low) ** dice.random():.6g}")


def history(dice, most):
    x = dice.choice([0, 0, 1, 2, 3, 5, 10, 30, 100, 1000])
    x = min(x, most)
    t = spread(dice, 0.1, 1000)
    silent = dice.choice([dice.random(), spread(dice, 1e-4, 1)])
    return x, (t * (1 - silent) if x else 0.0), t


@pytest.mark.parametrize("seed", range(2))
def test_a_wide_box_agrees(seed):
    dice, lines = random.Random(seed), []
    for i in range(40):
        theta = tuple(spread(dice, low, high) for low, high in ((0.03, 20), (0.05, 700), (0.03, 6), (0.03, 30)))
        x, tx, t = history(dice, 1000)
        until = (theta[1] + t) * spread(dice, 1e-4, 5)
        m = dice.choice([0, 1, 2, 7, 40])
        lines.append((("bgnbd", "mbgnbd")[i % 2], theta, x, tx, t, 0.0, until, m, 0.0))
    expect_agreement(lines, 1e-11)


@pytest.mark.parametrize("seed", range(2))
def test_later_intervals_and_discounts_agree(seed):
    dice, lines = random.Random(100 + seed), []
    for i in range(6):
        theta = tuple(spread(dice, low, high) for low, high in ((0.1, 10), (0.5, 100), (0.1, 5), (0.1, 20)))
        x, tx, t = history(dice, 10)
        start = (theta[1] + t) * spread(dice, 0.01, 1)
        until = start + (theta[1] + t) * spread(dice, 0.01, 1)
        lines.append((("bgnbd", "mbgnbd")[i % 2], theta, x, tx, t, start, until, i % 4, spread(dice, 1e-4, 1)))
    expect_agreement(lines, 1e-11)


def derivatives(model, theta, x, tx, t):
    """Gradient and Hessian (lower triangle) in the logarithms, by differences with 50 digits."""
    h, unit = mpf(10) ** -12, [[int(i == j) for j in range(4)] for i in range(4)]

    def f(*steps):
        moved = [mpf(v) * mp.exp(h * sum(s)) for v, s in zip(theta, zip(*steps))]
        return Customer(model, moved, x, tx, t).loglik()

    def minus(v):
        return [-w for w in v]

    first = [(f(u) - f(minus(u))) / (2 * h) for u in unit]
    second = [
        (f(u, v) - f(u, minus(v)) - f(minus(u), v) + f(minus(u), minus(v))) / (4 * h * h)
        for i, u in enumerate(unit)
        for v in unit[: i + 1]
    ]
    return first + second


def test_derivatives_agree():
    dice, lines = random.Random(7), []
    for i in range(60):
        theta = tuple(spread(dice, 0.01, 100) for _ in range(4))
        x, tx, t = history(dice, 300)
        lines.append((("bgnbd", "mbgnbd")[i % 2], theta, x, tx, t, 0.0, 1.0, 0, 0.0))
    for line, got in zip(lines, ask(lines, "derivatives")):
        for value, wanted in zip(got[1:], derivatives(*line[:5])):
            assert abs(value - wanted) <= 1e-12 * max(1, line[2], abs(wanted)), (line, value, mp.nstr(wanted, 17))


def test_published_numbers():
    lee = (0.243, 4.414, 0.793, 2.426)  # Fader, Hardie & Lee 2005
    new = [
        (lee, 0.0, 2.0, 10, 6, 1.0786896403691e-7),
        (lee, 0.0, 39.0, 0, 6, 0.573786352096),
        (lee, 39.0, 78.0, 0, 6, 0.754001146121),  # BTYD says 0.573786
        (CDNOW, 0.0, 52.0, 0, 5, 1.4440123973401),
    ]
    lines = [("bgnbd", th, 0, 0.0, 0.0, f, u, n, 0.1) for th, f, u, n, _, _ in new]
    for got, (*_, which, wanted) in zip(ask(lines), new):
        assert got[which] == pytest.approx(wanted, rel=1e-11)
    dert = [
        (2, 30.43, 38.86, 0.0027, 5.156361786723),
        (0, 0.0, 38.86, 0.0027, 1.014213268542),
        (7, 30.0, 38.86, 0.0027, 13.211336855),
        (2, 30.43, 38.86, 0.01, 2.261474570969),
    ]
    lines = [("bgnbd", CDNOW, x, tx, t, 0.0, 39.0, 0, d) for x, tx, t, d, _ in dert]
    for got, (*_, wanted) in zip(ask(lines), dert):
        assert got[4] == pytest.approx(wanted, rel=1e-11)
