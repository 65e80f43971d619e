"""ValueModel: the papers' numbers through Python, and what Python adds to the library:
columns from anywhere, exact errors, models as values, threads and memory."""

from __future__ import annotations

import copy
import gc
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import tracemalloc
from dataclasses import FrozenInstanceError

import pytest
from conftest import PACKAGE, optional
from value_data import cdnow, cohort, needs_data

import cjourney
from cjourney import (
    InterruptError,
    InvalidError,
    NotFoundError,
    Table,
    ValueModel,
    compare_models,
    value_models,
)


@pytest.fixture(scope="module")
def data():
    return cohort()


@pytest.fixture(scope="module")
def model(data):
    return ValueModel.fit(data)


@pytest.fixture(scope="module")
def spend(data):
    return ValueModel.fit(data, "gammagamma")


def close(a, b, relative):
    return a == pytest.approx(b, rel=relative)


@pytest.fixture(scope="module")
def shop():
    return cdnow()


@pytest.fixture(scope="module")
def weekly(shop):
    return ValueModel.fit(shop, "bgnbd", unit="week")


@needs_data
class TestPapers:
    """docs/VALUE.md says where the numbers come from."""

    def test_bgnbd(self, weekly):
        assert weekly.parameters == pytest.approx(
            {
                "r": 0.242594522430,
                "alpha": 4.41360201901,
                "a": 0.792922017226,
                "b": 2.42590677683,
            },
            rel=1e-9,
        )
        assert weekly.std_errors == pytest.approx(
            {"r": 0.01255738, "alpha": 0.37822406, "a": 0.18573382, "b": 0.70541426},
            rel=1e-6,
        )
        assert close(weekly.loglik, -9582.429206673931, 1e-12)
        assert weekly.status == "converged"

    def test_days_and_weeks_are_one_model(self, shop, weekly):
        daily = ValueModel.fit(shop)
        assert (daily.unit_days, weekly.unit_days) == (1.0, 7.0)
        assert close(daily.parameters["alpha"], 7 * weekly.parameters["alpha"], 1e-9)
        assert close(daily.loglik, weekly.loglik - 2457 * math.log(7), 1e-12)
        for name in ("p_alive", "expected_purchases"):
            a, b = (list(m.predict(shop)[name]) for m in (daily, weekly))
            assert close(a, b, 1e-9)

    def test_paretonbd_and_gammagamma(self, shop):
        pareto = ValueModel.fit(shop, "paretonbd", unit="week")
        assert list(pareto.parameters) == ["r", "alpha", "s", "beta"]
        assert close(pareto.loglik, -9594.976178939543, 1e-12)
        gamma = ValueModel.fit(shop, "gammagamma")
        assert list(gamma.parameters.values()) == pytest.approx(
            [6.249572271324, 3.744224667132, 15.44352096259], rel=1e-9
        )

    def test_expected_spend(self, shop, weekly):
        gamma = ValueModel.fit(shop, "gammagamma")
        two = {"x": [2, 1], "tx": [9.0, 9.0], "t": [9.0, 9.0], "spend": [22.35, 11.77]}
        table = weekly.predict(two, gamma, columns="expected_spend")
        assert close(list(table["expected_spend"]), [24.65801856, 18.91001845], 1e-8)
        table = weekly.predict(shop, gamma, columns="expected_spend")
        assert close(sum(table["expected_spend"]) / 2357, 35.2522730682, 1e-10)

    def test_holdout(self, shop, weekly):
        found = weekly.validate(shop, holdout_days=273)
        assert close(found.mae, 0.7854542366, 1e-9)
        assert close(found.rmse, 1.6079820107, 1e-9)
        assert close(found.msle, 0.2342685056, 1e-8)
        assert close(found.bias_ratio, -0.1214619033, 1e-8)
        assert found.actual_purchases == 1882
        assert close(found.expected_purchases, 1653.4086979, 1e-9)
        assert found.verdict

    def test_tracking(self, shop, weekly):
        table = weekly.tracking(shop)
        assert list(table["period"]) == list(range(1, 40))
        expected = [1312.458, 1387.346, 1460.392, 1531.713, 1601.418, 1669.600]
        assert list(table["expected_cumulative"][19:25]) == pytest.approx(
            expected, abs=1e-2
        )

    def test_compare(self, shop):
        table = compare_models(
            shop, ["nbd", "mbgnbd", "bgnbd"], unit="week", holdout_days=273
        )
        assert table["model"] == ["mbgnbd", "bgnbd", "nbd"]
        assert close(list(table["mae"]), [0.7647789493, 0.7854542366, 1.04102], 1e-6)
        past = {name: shop[name] for name in ("x", "tx_days", "T_days")}
        by_bic = compare_models(past, ["nbd", "bgnbd"])
        assert by_bic["model"] == ["bgnbd", "nbd"]


class TestData:
    def test_names_of_columns(self, data, model):
        other = {
            "x": data["x"],
            "tx": data["tx_days"],
            "T": data["t_days"],
            "id": ["c"] * len(data["x"]),
        }
        assert ValueModel.fit(other) == model

    def test_numpy_and_pandas(self, data, model):
        np = optional("numpy")
        arrays = {name: np.array(values) for name, values in data.items()}
        assert ValueModel.fit(arrays) == model
        pandas = optional("pandas")
        frame = pandas.DataFrame(data)
        assert ValueModel.fit(frame) == model
        shuffled = frame.sample(frac=1, random_state=1)
        assert ValueModel.fit(shuffled).parameters == model.parameters
        assert len(model.predict(frame[frame.x > 3]).to_pandas()) == (frame.x > 3).sum()

    def test_a_summary_of_a_store(self, store, data):
        for i, day in enumerate((1, 2, 5, 9, 9, 20, 28)):
            for who in range(0, 40, 1 + i):
                time = f"2024-01-{1 + (day + who) % 28:02d}T12:00"
                store.record("order", user_id=1 + who, time=time, value_minor=100 + day)
        table = store.clv_summary(as_of="2024-03-01", holdout_until="2024-04-01")
        fitted = ValueModel.fit(table, "mbgnbd", unit="week")
        rows = {name: list(table[name]) for name in ("x", "tx_days", "t_days")}
        assert ValueModel.fit(rows, "mbgnbd", unit=7) == fitted
        assert len(fitted.predict(table)) == len(table) == 40
        assert fitted.validate(table).actual_purchases == 0

    def test_weights_are_customers(self):
        once = {"x": [0, 2, 5], "tx": [0.0, 20.0, 80.0], "t": [90.0] * 3}
        counts = [30, 12, 4]
        many = {
            k: [v for v, n in zip(values, counts) for _ in range(n)]
            for k, values in once.items()
        }
        weighted = ValueModel.fit({**once, "weight": counts}, "nbd")
        plain = ValueModel.fit(many, "nbd")
        assert weighted.parameters == plain.parameters
        assert weighted.facts.customers == plain.facts.customers == 46

    @pytest.mark.parametrize(
        "change, message, row",
        [
            ({"x": [1, 2, -1]}, "", 2),
            ({"tx": [1.0, math.nan, 1.0]}, "", 1),
            ({"tx": [1.0, 1.0, 31.0]}, "", 2),
            ({"t": [math.inf, 30.0, 30.0]}, "", 0),
            ({"x": [1, 2.5, 1]}, "x: a whole number is wanted, not float", 1),
            ({"t": [30.0, None, 30.0]}, "t: a value is missing", 1),
            ({"tx": ["1", "2", "3"]}, "tx: a number is wanted, not str", 0),
            ({"tx": [1.0]}, "tx: has 1 rows, and x has 3", None),
        ],
    )
    def test_wrong_values_have_their_row(self, model, change, message, row):
        good = {"x": [1, 2, 1], "tx": [1.0, 1.0, 1.0], "t": [30.0] * 3}
        for call in (ValueModel.fit, model.predict):
            with pytest.raises(InvalidError) as caught:
                call({**good, **change})
            assert caught.value.position == row
            assert message in caught.value.message

    @pytest.mark.parametrize("wrong", [None, 5, [1, 2], {}, {"y": [1]}])
    def test_no_data(self, wrong):
        with pytest.raises(InvalidError, match="^CJ_EINVAL: data: "):
            ValueModel.fit(wrong)

    def test_a_missing_column(self):
        with pytest.raises(InvalidError):
            ValueModel.fit({"x": [1]}, "bgnbd")


class TestFit:
    def test_facts(self, data, model):
        facts = model.facts
        assert (facts.model, facts.status, facts.converged) == (
            *("bgnbd", "converged"),
            True,
        )
        assert facts.rows == facts.customers == len(data["x"])
        assert facts.repeaters == sum(x > 0 for x in data["x"])
        assert close(facts.aic, 2 * 4 - 2 * facts.loglik, 1e-12)
        assert facts.gradient_norm < 1e-8
        assert facts.text and facts.iterations > 0
        with pytest.raises(FrozenInstanceError):
            facts.k = 2

    def test_the_truth_is_recovered(self, model):
        truth = {"r": 0.8, "alpha": 20.0, "a": 0.8, "b": 2.5}
        for name, value in truth.items():
            error = model.std_errors[name]
            assert abs(model.parameters[name] - value) < 4 * error, name

    def test_units(self, data, model):
        for unit, days in (("week", 7), ("month", 30.436875), (365.2425, 365.2425)):
            other = ValueModel.fit(data, unit=unit)
            assert close(
                other.parameters["alpha"] * days, model.parameters["alpha"], 1e-9
            )
            assert close(other.parameters["b"], model.parameters["b"], 1e-9)

    def test_threads_do_not_matter(self, data, model):
        assert ValueModel.fit(data, threads=3).to_json() == model.to_json()

    def test_k(self, data):
        fitted = ValueModel.fit(data, "mbgcnbd", k=2)
        assert fitted.facts.k == 2

    def test_a_prior_pulls(self, data, model):
        pulled = ValueModel.fit(data, prior={"b": (50.0, 0.01)})
        assert close(pulled.parameters["b"], 50.0, 0.05)
        free = ValueModel.fit(data, prior={"b": (50.0, 0.0)})
        assert close(
            list(free.parameters.values()), list(model.parameters.values()), 1e-6
        )

    def test_covariates(self, data):
        z = [x % 2 for x in range(len(data["x"]))]
        fitted = ValueModel.fit({**data, "channel": z}, covariates=["channel"])
        assert fitted.covariates == ("channel",)
        assert set(fitted.parameters) > {"purchase:channel", "dropout:channel"}
        assert len(fitted.predict({**data, "channel": z})) == len(z)
        with pytest.raises(
            InvalidError, match="no column channel, which is a covariate"
        ):
            fitted.predict(data)
        with pytest.raises(InvalidError, match="a list of names"):
            ValueModel.fit({**data, "z": z}, covariates="z")
        with pytest.raises(InvalidError, match="z: has 1 rows"):
            ValueModel.fit({**data, "z": [1]}, covariates=["z"])

    def test_what_the_data_do_not_say_is_no_error(self):
        fitted = ValueModel.fit({"x": [0] * 5, "tx": [0.0] * 5, "t": [9.0] * 5})
        assert not fitted.converged
        assert fitted.status != "converged" and fitted.facts.text
        assert all(v > 0 and math.isfinite(v) for v in fitted.parameters.values())

    @pytest.mark.parametrize(
        "options, error, message",
        [
            ({"model": "bgnb"}, NotFoundError, "bgnbd"),
            ({"model": None}, InvalidError, "model: is missing"),
            (
                {"unit": "fortnight"},
                InvalidError,
                "unit: is a number of days or one of",
            ),
            ({"unit": -1}, InvalidError, ""),
            ({"unit": math.nan}, InvalidError, "unit: is not a finite number"),
            ({"k": 1.5}, InvalidError, "k: a whole number is wanted"),
            (
                {"prior": {"s": (1, 1)}},
                InvalidError,
                "no parameter s, but r, alpha, a, b",
            ),
            ({"prior": {"r": (-1, 1)}}, InvalidError, ""),
            ({"prior": {"r": ("1", 1)}}, InvalidError, "r: a number is wanted"),
        ],
    )
    def test_wrong_options(self, data, options, error, message):
        with pytest.raises(error) as caught:
            ValueModel.fit(data, **options)
        assert message in str(caught.value)

    def test_progress_sees_and_stops_it(self, data):
        seen = []
        ValueModel.fit(data, progress=lambda done, total: seen.append((done, total)))
        assert seen and {total for _, total in seen} == {0}
        with pytest.raises(InterruptError):
            ValueModel.fit(data, progress=lambda done, total: True)

    def test_an_error_of_progress_comes_out(self, data):
        def fail(done, total):
            raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough"):
            ValueModel.fit(data, progress=fail)

    def test_every_model_there_is(self, data):
        discrete = {"x": [0, 1, 3, 4], "tx": [0, 2, 4, 6], "t": [6] * 4}
        contract = {"x": [1, 1, 0, 1], "t": [1, 2, 6, 4], "weight": [50, 20, 40, 5]}
        sources = {"continuous": data, "spend": data}
        sources.update(discrete=discrete, contract=contract)
        for row in value_models():
            options = {"k": 2} if "cnbd" in row["model"] else {}
            fitted = ValueModel.fit(sources[row["family"]], row["model"], **options)
            assert list(fitted.parameters) == row["parameters"].split()
            assert row["title"] and row["source"] and row["when"]


class TestPredict:
    def test_progress_sees_and_stops_it(self, data, model):
        seen = []
        table = model.predict(data, progress=lambda *now: seen.append(now))
        assert seen and {total for _, total in seen} == {len(data["x"])}
        assert list(table["p_alive"]) == list(model.predict(data)["p_alive"])
        with pytest.raises(InterruptError):
            model.predict(data, progress=lambda done, total: True)

    def test_the_first_two_columns(self, data, model):
        table = model.predict(data)
        assert table.columns == ("p_alive", "expected_purchases")
        assert len(table) == len(data["x"])
        assert all(0 <= p <= 1 for p in table["p_alive"])

    def test_names_give_columns(self, data, model, spend):
        names = ["p_back", "clv", "residual_clv", "next_purchase", "quantiles"]
        table = model.predict(data, spend, columns=names)
        assert set(table.columns) == {
            *("p_back", "clv", "residual_purchases", "residual_clv"),
            *("next_median_days", "next_mean_days"),
            *("purchases_low", "purchases_high"),
        }
        everything = model.predict(data, spend, columns="all").columns
        assert set(everything) > set(table.columns)

    def test_intervals(self, data, model):
        table = model.predict(data, intervals=True, level=0.8)
        wide = model.predict(data, intervals=True, level=0.99)
        for row, other in zip(table, wide):
            assert row.p_alive_low <= row.p_alive <= row.p_alive_high
            assert other.expected_purchases_low <= row.expected_purchases_low
            assert other.expected_purchases_high >= row.expected_purchases_high

    def test_purchases_add_up_over_time(self, data, model):
        name = "expected_purchases"
        whole = model.predict(data, until_days=100)[name]
        parts = [
            model.predict(data, from_days=a, until_days=b)[name]
            for a, b in ((0, 30), (30, 100))
        ]
        assert close([a + b for a, b in zip(*parts)], list(whole), 1e-9)

    def test_discount_is_per_year(self, data, model):
        def total(discount, fitted=model, days=3 * 365.2425):
            table = fitted.predict(
                data, 1.0, columns="clv", until_days=days, discount=discount
            )
            return sum(table["clv"])

        free, some = total(0.0), total(0.10)
        name = "expected_purchases"
        expected = model.predict(data, until_days=3 * 365.2425)[name]
        assert close(free, sum(expected), 1e-9)
        assert free / 1.1**3 < some < free
        weekly = ValueModel.fit(data, unit="week")
        assert close(total(0.10, weekly), some, 1e-9)

    def test_where_money_comes_from(self, data, model, spend):
        flat = model.predict(data, columns="clv", margin=0.5)
        plain = model.predict(data, columns="clv")
        fixed = model.predict(
            {k: v for k, v in data.items() if k != "spend"}, 20.0, columns="clv"
        )
        learned = model.predict(data, spend, columns=["clv", "expected_spend"])
        assert close([2 * v for v in flat["clv"]], list(plain["clv"]), 1e-12)
        assert len(fixed) == len(learned) == len(data["x"])
        assert all(v > 0 for v in learned["expected_spend"])
        newcomer = data["x"].index(0)
        assert plain["clv"][newcomer] == 0 < learned["clv"][newcomer]

    def test_threads_do_not_matter(self, data, model, spend):
        one, four = (
            model.predict(data, spend, columns="all", threads=n).format("csv")
            for n in (1, 4)
        )
        assert one == four

    def test_probabilities_add_up(self, data, model):
        few = {name: values[:20] for name, values in data.items()}
        total = [0.0] * 20
        for n in range(200):
            table = model.predict(
                few, columns="p_purchases", purchases=n, until_days=30
            )
            total = [a + b for a, b in zip(total, table["p_purchases"])]
        assert total == pytest.approx([1.0] * 20, abs=1e-6)

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"columns": "alive"}, "columns: 'alive' is none of p_alive"),
            ({"columns": ["p_alive", "p"]}, "columns: 'p' is none of"),
            ({"until_days": -1}, ""),
            ({"from_days": 400}, ""),
            ({"discount": "10%"}, "discount: a number is wanted, not str"),
            ({"columns": "residual_purchases", "discount": 0}, ""),
            ({"level": 1.5}, ""),
            ({"spend": "9"}, "spend: a number is wanted, not str"),
        ],
    )
    def test_wrong_options(self, data, model, options, message):
        with pytest.raises(InvalidError) as caught:
            model.predict(data, **options)
        assert message in str(caught.value)

    def test_nobody(self, model):
        assert len(model.predict({"x": [], "tx": [], "t": []})) == 0


class TestAnswers:
    def test_validate(self, data, model, spend):
        n = len(data["x"])
        star = {"x_star": [1] * n, "spend_star": [9.0] * n, "holdout_days": [30.0] * n}
        found = model.validate({**data, **star}, spend)
        assert (found.actual_purchases, found.actual_value) == (n, 9.0 * n)
        assert isinstance(found.bins, Table)
        assert found.bins.columns == ("of", "bin", "customers", "predicted", "actual")
        assert found.mae <= found.rmse
        assert found.verdict and isinstance(found.verdict, str)

    def test_validate_needs_a_holdout(self, data, model):
        with pytest.raises(InvalidError, match="no column x_star"):
            model.validate(data)
        star = [1] * len(data["x"])
        with pytest.raises(InvalidError, match="holdout_days: is missing"):
            model.validate({**data, "x_star": star})
        with pytest.raises(
            InvalidError, match="spend: a ValueModel is wanted, not float"
        ):
            model.validate({**data, "x_star": star}, 9.0, holdout_days=9)
        with pytest.raises(InvalidError, match="x_star: has 1 rows, and x has"):
            model.validate({**data, "x_star": [1]}, holdout_days=9)

    def test_tracking(self, data, model):
        days = [10.0, 12.0, 100.0]
        table = model.tracking(data, purchase_days=days, period_days=30, periods=4)
        assert [row.actual for row in table] == [2, 0, 0, 1]
        assert [row.actual_cumulative for row in table] == [2, 2, 2, 3]
        assert list(table["until_days"]) == [30.0, 60.0, 90.0, 120.0]
        unknown = model.tracking(data, periods=2)
        assert {row.actual for row in unknown} == {None}

    def test_histogram(self, data, model):
        table = model.histogram(data, 3)
        counts = [data["x"].count(n) for n in range(3)]
        counts.append(len(data["x"]) - sum(counts))
        assert list(table["actual"]) == counts
        assert close(sum(table["expected"]), len(data["x"]), 1e-9)

    def test_history(self, model):
        table = model.history([10.0, 20.0], 40, 10)
        assert list(table["days"]) == [0.0, 10.0, 20.0, 30.0, 40.0]
        assert list(table["purchases"]) == [0, 1, 2, 2, 2]
        last = model.predict({"x": [2], "tx": [20.0], "t": [40.0]})["p_alive"][0]
        assert close(table["p_alive"][-1], last, 1e-12)
        with pytest.raises(InvalidError):
            model.history([20.0, 10.0], 40)

    def test_compare(self, data):
        table = compare_models(data, ["nbd", "bgnbd"])
        assert sorted(table["model"]) == ["bgnbd", "nbd"]
        assert table["bic"][0] <= table["bic"][1]
        assert {row.mae for row in table} == {None}
        with pytest.raises(NotFoundError):
            compare_models(data, ["bgnb"])
        with pytest.raises(InvalidError, match="models: a list"):
            compare_models(data, "bgnbd")

    def test_progress_of_a_comparison_counts_models(self, data):
        seen = []
        hook = lambda *now: seen.append(now)  # noqa: E731
        table = compare_models(data, ["nbd", "bgnbd"], progress=hook)
        assert len(table) == 2 and sorted(set(seen)) == [(0, 2), (1, 2), (2, 2)]
        with pytest.raises(InterruptError):
            compare_models(data, progress=lambda done, total: done == 1)


class TestValue:
    """A model is a value: it can be written, sent, copied and compared."""

    def test_json_round_trip(self, model, data):
        again = ValueModel.from_json(model.to_json())
        assert again.to_json() == model.to_json()
        assert again == model and hash(again) == hash(model)
        assert again.facts == model.facts
        assert list(again.predict(data)["p_alive"]) == list(
            model.predict(data)["p_alive"]
        )
        assert ValueModel.from_json(model.to_json().encode()) == model

    def test_json_says_what_it_is(self, model):
        written = json.loads(model.to_json())
        assert (written["format"], written["model"]) == (1, "bgnbd")
        assert written["params"] == model.parameters
        assert written["loglik"] == model.loglik
        assert written["status"] == "converged"

    def test_pickle_and_copy(self, model):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(model, protocol)) == model
        assert copy.copy(model) is model
        assert copy.deepcopy([model])[0] is model

    def test_differences(self, model, spend):
        assert model != spend
        assert model != "bgnbd"
        assert len({model, spend, ValueModel.from_json(model.to_json())}) == 2

    def test_it_cannot_be_changed(self, model):
        for name in ("model", "parameters", "status", "anything"):
            with pytest.raises(AttributeError):
                setattr(model, name, 1)
        model.parameters["r"] = 5.0
        assert model.parameters["r"] != 5.0

    def test_repr(self, model):
        assert repr(model).startswith("<cjourney.ValueModel bgnbd: r 0.")
        assert repr(model).endswith("; converged>")

    @pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"format":1}', "\0"])
    def test_wrong_json(self, text):
        with pytest.raises(cjourney.CJourneyError):
            ValueModel.from_json(text)
        with pytest.raises(InvalidError, match="JSON is wanted, not int"):
            ValueModel.from_json(5)

    def test_wrong_pieces_of_json(self, model):
        text = model.to_json()
        for end in range(0, len(text), 7):
            with pytest.raises(cjourney.CJourneyError):
                ValueModel.from_json(text[:end])
        later = text.replace('"format":1', '"format":99', 1)
        with pytest.raises(cjourney.VersionError):
            ValueModel.from_json(later)


class TestMemory:
    def test_data_may_go_while_it_is_fitted(self):
        np = optional("numpy")
        n = 200_000
        dice = np.random.default_rng(1)

        def data():
            x = dice.integers(0, 6, n)
            return {"x": x, "tx": np.where(x > 0, x * 10.0, 0), "t": np.full(n, 99.0)}

        def churn():
            while not done.is_set():
                gc.collect()
                np.full(n, -1.0)

        done = threading.Event()
        thread = threading.Thread(target=churn)
        thread.start()
        try:
            fitted = [ValueModel.fit(data(), "nbd") for _ in range(3)]
        finally:
            done.set()
            thread.join()
        assert all(f.facts.rows == n and f.parameters["r"] > 0 for f in fitted)

    def test_columns_of_doubles_are_not_copied(self):
        np = optional("numpy")
        n = 500_000
        data = {
            "x": np.ones(n, dtype="i8"),
            "tx": np.full(n, 5.0),
            "t": np.full(n, 90.0),
        }
        model = ValueModel.fit({k: v[:100] for k, v in data.items()}, "nbd")
        tracemalloc.start()
        try:
            model.predict(data, columns="expected_purchases")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < n  # bytes; one copied column would be 8 n

    def test_answers_outlive_the_model(self, data):
        table = ValueModel.fit(data).predict(data)
        gc.collect()
        assert len(list(table["p_alive"])) == len(data["x"])

    def test_models_are_freed(self, data):
        few = {name: values[:50] for name, values in data.items()}
        text = ValueModel.fit(few).to_json()

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096

        for _ in range(2000):
            ValueModel.from_json(text)
        before = resident()
        for _ in range(20_000):
            ValueModel.from_json(text)
        assert resident() - before < 8 << 20

    def test_many_threads(self, data, model, spend):
        wanted = model.predict(data, spend, columns="clv").format("csv")
        found = []

        def ask():
            for _ in range(5):
                found.append(model.predict(data, spend, columns="clv").format("csv"))
                found.append(
                    ValueModel.fit(data)
                    .predict(data, spend, columns="clv")
                    .format("csv")
                )

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 40 and set(found) == {wanted}


class TestProcess:
    def test_a_child_may_use_it(self, data, model):
        """A model holds no lock and no file: fork() does it no harm."""
        wanted = model.predict(data).format("csv")
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            same = model.predict(data).format("csv") == wanted
            os.write(write, b"same" if same else b"other")
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 10) == b"same"
        os.close(read)
        os.close(write)

    def test_another_process_gets_it(self, data, model):
        code = (
            "import pickle, sys; m = pickle.load(sys.stdin.buffer); "
            "print(m.predict({'x': [2], 'tx': [9.0], 't': [30.0]})['p_alive'][0].hex())"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(model),
            env={**os.environ, "PYTHONPATH": str(PACKAGE)},
            capture_output=True,
            check=True,
        )
        mine = model.predict({"x": [2], "tx": [9.0], "t": [30.0]})["p_alive"][0]
        assert float.fromhex(done.stdout.decode().strip()) == mine

    def test_ctrl_c_stops_a_fit(self):
        np = optional("numpy")
        n = 500_000
        dice = np.random.default_rng(1)
        x = dice.integers(0, 9, n)
        data = {
            "x": x,
            "tx": np.where(x > 0, dice.random(n) * 90, 0),
            "t": 90 + 0.0 * x,
        }
        ring = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
        ring.start()
        with pytest.raises(KeyboardInterrupt):
            while True:
                ValueModel.fit(data)
        ring.join()
        few = {name: values[:1000] for name, values in data.items()}
        assert ValueModel.fit(few).facts.rows == 1000


def test_value_models():
    table = value_models()
    assert table.columns == ("model", "title", "family", "parameters", "source", "when")
    assert {"bgnbd", "paretonbd", "gammagamma", "bgbb", "sbg"} <= set(table["model"])
