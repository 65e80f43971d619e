"""BG/CNBD-k and MBG/CNBD-k against a slow and obvious second implementation: one customer's
purchases given lambda and p (Erlang times, Poisson phases), lambda integrated by mpmath's
quadrature.  No formula of the library's is used, only the story of the model."""
import os
import subprocess
from pathlib import Path

import pytest

mp = pytest.importorskip("mpmath", reason="mpmath is not installed: nothing is compared").mp
from mpmath import mpf  # noqa: E402

PROBE = Path(os.environ.get("BUILDDIR", "build/release")) / "tests/probe/clv_probe"
MODELS = {"bgcnbd": 0, "mbgcnbd": 1}
mp.dps = 25


def ask(lines, *arguments):
    """Each line (model, k, theta, x, tx, t, litt, from, until, n, delta): its answers."""
    text = "".join(f"{m} {k} {' '.join(map(repr, th))} {' '.join(map(repr, rest))}\n" for m, k, th, *rest in lines)
    out = subprocess.run([PROBE, *arguments], input=text, capture_output=True, text=True, check=True).stdout
    return [[float(word) for word in line.split()] for line in out.splitlines()]


class Customer:
    """The history x, tx, t of somebody with Gamma(r, alpha), Beta(a, b)."""

    def __init__(self, model, k, theta, x, tx, t):
        self.k, self.x, self.u = k, x, mpf(t) - mpf(tx)
        self.r, self.alpha, self.a, self.b = map(mpf, theta)
        self.tx = mpf(tx)
        self.chances = x + MODELS[model]

    def over_lambda(self, f):
        """Integral of f(lambda) * the density of lambda and of the x Erlang times (without
        litt's terms), in ln lambda around the peak."""
        k, n = self.k, self.r + self.k * self.x
        scale = self.alpha + self.tx
        log_c = (self.r * mp.log(self.alpha) - mp.loggamma(self.r) - self.x * mp.loggamma(k)
                 + mp.loggamma(n) - n * mp.log(scale))

        def g(y):
            lam = mp.exp(y)
            return mp.exp(n * (y + mp.log(scale)) - lam * scale - mp.loggamma(n)) * f(lam)

        mid, width = mp.log(n / scale), 1 / mp.sqrt(n) + 1
        low = mid - 60 / n - 12 * width
        total = mp.quad(g, [low, *[mid + width * i for i in range(-8, 6)], mid + 12 * width])
        return mp.exp(log_c) * total

    def moment(self, died, lived):
        """E[p^died (1-p)^lived]"""
        return mp.beta(self.a + died, self.b + lived) / mp.beta(self.a, self.b)

    def quiet(self, lam):
        """P(no purchase in (tx, T] | alive, lambda): fewer than k phases."""
        return sum(self.phase(lam, j) for j in range(self.k))

    def phase(self, lam, j):
        return mp.exp(-lam * self.u) * (lam * self.u) ** j / mp.factorial(j)

    def parts(self):
        alive = self.moment(0, self.chances) * self.over_lambda(self.quiet)
        if self.chances == 0:
            return alive, mpf(0)
        return alive, self.moment(1, self.chances - 1) * self.over_lambda(lambda lam: mpf(1))

    def loglik(self, litt):
        return mp.log(sum(self.parts())) + (self.k - 1) * mpf(litt)

    def p_alive(self):
        alive, dead = self.parts()
        return alive / (alive + dead)

    def if_alive(self, f):
        """P(alive) E[f(lambda, phase at T) | alive]: times survival given separately."""
        joint = self.over_lambda(lambda lam: sum(self.phase(lam, j) * f(lam, j) for j in range(self.k)))
        return self.moment(0, self.chances) * joint / sum(self.parts())

    def survive(self, i):
        """P(no dropout at i further occasions | alive)"""
        return self.moment(0, self.chances + i) / self.moment(0, self.chances)

    def expected(self, t):
        t = mpf(t)
        chance = [self.survive(i) for i in range(400)]

        def bought(lam, j):
            total = mpf(0)
            for i in range(400):
                p = mp.gammainc((i + 1) * self.k - j, 0, lam * t, regularized=True)
                total += chance[i] * p
                if p < mpf(10) ** -22 and (i + 1) * self.k > lam * t:
                    break
            return total

        return self.if_alive(bought) if t > 0 else mpf(0)

    def pmf(self, start, until, n):
        wait, time = mpf(start), mpf(until) - mpf(start)

        def count(mean, m):
            return mp.exp(-mean) * mean**m / mp.factorial(m)

        def exactly(lam, phase, i):
            """P(n purchases | alive with i occasions since T); n = 0: P(some)"""
            first = self.k - phase
            if n == 0:
                return self.survive(i) * mp.gammainc(first, 0, lam * time, regularized=True)
            low, high = first + (n - 1) * self.k, first + n * self.k
            just = sum(count(lam * time, m) for m in range(low, high))
            more = mp.gammainc(high, 0, lam * time, regularized=True)
            return self.survive(i + n - 1) * just + (self.survive(i + n - 1) - self.survive(i + n)) * more

        def over_wait(lam, j):
            if wait == 0:
                return exactly(lam, j, 0)
            total, m = mpf(0), 0
            while m < 4000:
                w = count(lam * wait, m)
                total += w * exactly(lam, (j + m) % self.k, (j + m) // self.k)
                m += 1
                if m > lam * wait and w < mpf(10) ** -22:
                    break
            return total

        p = self.if_alive(over_wait)
        return 1 - p if n == 0 else p

    def dert(self, delta):
        a, b, delta = self.a, self.b + self.chances, mpf(delta)

        def bought(lam, j):
            v = lam / (lam + delta)
            return v ** (self.k - j) * mp.hyp2f1(1, b, a + b, v**self.k)

        return self.if_alive(bought)
