"""The Python that the documents show runs, over a shop of two years."""

from __future__ import annotations

import datetime as dt
import random
import re

import pytest
from conftest import PACKAGE, ROOT, optional

import cjourney

DOCUMENTS = {
    "README": PACKAGE / "README.md",
    "VALUE": ROOT / "docs" / "VALUE.md",
}


def blocks(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", DOCUMENTS[name].read_text(), re.S)


@pytest.fixture
def shop(store):
    """300 customers who order at their own pace and leave after some order."""
    dice = random.Random(7)
    start = dt.datetime(2023, 6, 1, 12, tzinfo=dt.timezone.utc)
    events = []
    for who in range(1, 301):
        day = dice.uniform(0, 200)
        pace = dice.gammavariate(0.8, 1 / 20)
        while day < 760:
            at = start + dt.timedelta(days=int(day))
            value = 500 + 10 * who + dice.randrange(2000)
            events.append(
                {"name": "order", "user_id": who, "time": at, "value_minor": value}
            )
            if dice.random() < 0.2:
                break
            day += dice.expovariate(pace)
    store.record_many(events)
    return store


def test_there_are_examples():
    assert len(blocks("README")) == 2
    assert len(blocks("VALUE")) == 2


def test_readme_begins(tmp_path, monkeypatch):
    optional("pandas")
    monkeypatch.chdir(tmp_path)
    exec(blocks("README")[0], {})
    with cjourney.open("shop.db") as store:
        assert len(store.rfm(as_of="2024-06-01")) == 1


def test_readme_on_value(shop, capsys):
    optional("pandas")
    optional("matplotlib").use("Agg")
    known = {"store": shop}
    exec(blocks("README")[1], known)
    assert len(known["frame"]) == 300
    assert {"user_id", "p_alive", "clv"} <= set(known["frame"].columns)
    assert "converged" in capsys.readouterr().out


def test_value_page(shop, capsys):
    known = {"store": shop, "cjourney": cjourney}
    exec(blocks("VALUE")[0], known)
    said = capsys.readouterr().out
    assert "converged" in said
    assert known["model"].validate(known["past"]).verdict in said
    profile = shop.find_profile("user_id", 5)
    assert {"p_alive", "expected_12m"} <= set(shop.traits(profile)["name"])


def test_value_page_on_tracking(shop):
    optional("matplotlib").use("Agg")
    known = {"store": shop, "cjourney": cjourney}
    for block in blocks("VALUE"):
        exec(block, known)
    track, bought = known["track"], shop.clv_purchases(**known["cohort"])
    assert track["actual_cumulative"][-1] > 500 and len(track) == 78
    repeats = len(bought) - len(known["past"])
    later = sum(day > 78 * 7 for day in bought["since_days"])
    assert track["actual_cumulative"][-1] >= repeats - later
