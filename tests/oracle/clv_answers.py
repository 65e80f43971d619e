"""Answers of value models, slowly: from the papers' formulas with mpmath, by integrals and
sums as they are defined.  One customer at a time, nothing shared with the library."""


class BgNbd:
    """BG/NBD: Fader, Hardie and Lee, Marketing Science 24(2), 2005, eqs. 6, 8, 10 and the
    note on P(alive) (Fader and Hardie, 2004)."""

    def __init__(self, mp, r, alpha, a, b):
        self.mp = mp
        self.r, self.alpha, self.a, self.b = (mp.mpf(v) for v in (r, alpha, a, b))

    def p_alive(self, x, tx, t):
        if x == 0:
            return self.mp.mpf(1)
        odds = self.a / (self.b + x - 1) * ((self.alpha + t) / (self.alpha + tx)) ** (self.r + x)
        return 1 / (1 + odds)

    def expected(self, x, tx, t, until):
        """Purchases in (t, t + until]."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        z = until / (alpha + t + until)
        f = self.mp.hyp2f1(r + x, b + x, a + b + x - 1, z)
        bought = (a + b + x - 1) / (a - 1) * (1 - ((alpha + t) / (alpha + t + until)) ** (r + x) * f)
        return bought * self.p_alive(x, tx, t)

    def rate(self, x, tx, t, at):
        """The derivative of expected: purchases per unit of time at t + at.

        Who buys at the rate l and drops out with p after a purchase still buys
        l e^(-l p at), averaged over Gamma(r + x, alpha + t) and Beta(a, b + x)."""
        shape, rate = self.r + x, self.alpha + t
        f = self.mp.hyp2f1(shape + 1, self.a, self.a + self.b + x, -at / rate)
        return self.p_alive(x, tx, t) * shape / rate * f

    def discounted(self, x, tx, t, until, delta):
        """The integral of e^(-delta s) dE(s), by its definition."""
        mp = self.mp
        parts = [0] + [until * mp.mpf(4) ** -i for i in range(3, -1, -1)]
        return mp.quad(lambda s: mp.e ** (-delta * s) * self.rate(x, tx, t, s), parts, maxdegree=4)

    def pmf_none(self, x, tx, t, until):
        """Nobody comes in (t, t + until]: gone already, or not come yet."""
        alive = self.p_alive(x, tx, t)
        return 1 - alive + alive * ((self.alpha + t) / (self.alpha + t + until)) ** (self.r + x)

    def next_median(self, x, tx, t):
        alive = self.p_alive(x, tx, t)
        if alive <= 0.5:
            return None
        return (self.alpha + t) * ((1 - 1 / (2 * alive)) ** (-1 / (self.r + x)) - 1)


def spend(p, q, v, x, z):
    """E[mean value of a purchase]: Fader, Hardie and Lee, "RFM and CLV", JMR 42, 2005."""
    return p * (v + x * z) / (p * x + q - 1)


def variance(mp, f, params, covariance, h="1e-8"):
    """Delta method in the logarithms of the parameters, differences with 30 digits."""
    h = mp.mpf(h)
    g = []
    for i in range(len(params)):
        up = [v * mp.e ** h if j == i else v for j, v in enumerate(params)]
        down = [v * mp.e ** -h if j == i else v for j, v in enumerate(params)]
        g.append((f(*up) - f(*down)) / (2 * h))
    return sum(g[i] * g[j] * covariance[i][j] for i in range(len(g)) for j in range(len(g)))


def gini(values, keys, weights=None):
    """Twice the area between the Lorenz curve of values in the order of keys (largest
    first, equal ones as one) and the diagonal."""
    import numpy as np
    weights = np.ones(len(values)) if weights is None else weights
    shares, people, area = [0.0], [0.0], 0.0
    for key in sorted(set(keys), reverse=True):
        chosen = keys == key
        shares.append(shares[-1] + float((values * weights)[chosen].sum()))
        people.append(people[-1] + float(weights[chosen].sum()))
    for i in range(1, len(shares)):
        area += (people[i] - people[i - 1]) * (shares[i] + shares[i - 1]) / 2
    return 2 * area / people[-1] / shares[-1] - 1
