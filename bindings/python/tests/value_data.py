"""Customers for the tests of value models: a small cohort that is made here, and CDNOW's,
which is found through CJ_TEST_DATA."""

from __future__ import annotations

import csv
import os
import random
from pathlib import Path

import pytest

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "clv"
needs_data = pytest.mark.skipif(
    not DATA.exists(), reason=f"{DATA} is not there; set CJ_TEST_DATA"
)


def cohort(n: int = 600, seed: int = 4, days: float = 365.0) -> dict[str, list]:
    """Customers who behave as BG/NBD says (r 0.8, alpha 20 days, a 0.8, b 2.5)."""
    dice = random.Random(seed)
    data: dict[str, list] = {k: [] for k in ("x", "tx_days", "t_days", "spend")}
    for _ in range(n):
        t = days - dice.randrange(60)
        rate, leaves = dice.gammavariate(0.8, 1 / 20), dice.betavariate(0.8, 2.5)
        x, last, now = 0, 0.0, dice.expovariate(rate)
        while now <= t:
            x, last = x + 1, now
            now = now + dice.expovariate(rate) if dice.random() > leaves else t + 1
        mean = dice.gammavariate(6.0, 1 / dice.gammavariate(4.0, 1 / 15.0))
        spend = dice.gammavariate(6.0 * x, mean / (6.0 * x)) if x else 0.0
        for name, value in zip(data, (x, last, t, spend)):
            data[name].append(value)
    return data


def cdnow() -> dict[str, list]:
    """2,357 customers of CDNOW, 39 weeks, with the 39 weeks after."""
    with open(DATA / "cdnow_cbs_days.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = ("x", "x_star")
    names = ("x", "tx_days", "T_days", "zbar", "x_star", "spend_star")
    data = {n: [(int if n in whole else float)(r[n]) for r in rows] for n in names}
    return data
