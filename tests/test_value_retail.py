"""Value models of the Online Retail set (CJ_TEST_DATA): on most windows nobody is seen to leave, and a fit has to say so;
whatever it says, it is as likely as NBD, and what it foretells is finite and sensible."""

import math

import pytest
from test_retail import DATA, shop  # noqa: F401

import cjourney
from cjourney import ValueModel

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"SKIP: {DATA} is not there; set CJ_TEST_DATA")

WINDOWS = ["2011-02-01", "2011-04-01", "2011-06-01", "2011-08-01", "2011-10-01"]
NAMED = {"converged", "dropout_not_identified", "dropout_alike", "rates_alike"}


@pytest.fixture(scope="module", params=WINDOWS)
def window(request, shop):  # noqa: F811
    with cjourney.open(shop) as store:
        return store.clv_summary(as_of=request.param, holdout_until="2011-12-10")


def sane(numbers):
    return all(math.isfinite(n) and n >= 0 for n in numbers)


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"])
def test_each_window_ends_with_a_name(window, model):
    fit, nbd = ValueModel.fit(window, model, unit="week"), ValueModel.fit(window, "nbd", unit="week")
    assert nbd.status == "converged"
    assert fit.status in NAMED, fit.status
    assert fit.facts.loglik >= nbd.facts.loglik - 1e-6 * abs(nbd.facts.loglik)
    assert sane(fit.parameters.values())

    rows = fit.predict(window, until_days=90)
    alive, expected = list(rows["p_alive"]), list(rows["expected_purchases"])
    assert sane(alive) and max(alive) <= 1 and sane(expected)
    # nobody is foretold more than three times their own pace
    for x, t, e in zip(window["x"], window["t_days"], expected):
        assert e <= 3 * 90 * (x + 1) / max(t, 30)


def test_the_holdout_is_foretold_within_reason(window):
    fit = ValueModel.fit(window, "mbgcnbd")
    facts = fit.validate(window)
    actual, expected = sum(window["x_star"]), facts.expected_purchases
    assert actual * 0.5 < expected < actual * 1.5
    assert facts.mae < facts.own_pace_mae * 1.05
    assert facts.gini_model > 0.5 * facts.gini_actual


def test_spend_of_a_shop_with_refunds(window):
    spend = ValueModel.fit(window, "gammagamma")
    assert spend.status == "converged"
    rows = ValueModel.fit(window, "mbgnbd").predict(window, spend=spend, until_days=90, discount=0.1,
                                                    columns=["expected_spend", "clv"])
    assert sane(rows["expected_spend"]) and sane(rows["clv"])
