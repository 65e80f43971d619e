"""Plots draw, and what they draw is what the tables say (matplotlib's Agg)."""

from __future__ import annotations

import builtins
import sys

import pytest
from conftest import optional
from value_data import cohort

import cjourney
from cjourney import InvalidError, ValueModel, plot


@pytest.fixture(scope="module")
def plt():
    matplotlib = optional("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    yield pyplot
    pyplot.close("all")


@pytest.fixture
def ax(plt):
    figure, axes = plt.subplots()
    yield axes
    figure.canvas.draw()  # whatever is wrong with it comes out here at the latest
    plt.close(figure)


@pytest.fixture(scope="module")
def data():
    return cohort()


@pytest.fixture(scope="module")
def model(data):
    return ValueModel.fit(data, unit="week")


@pytest.fixture
def scores(store):
    for who in range(1, 31):
        for n in range(1 + who % 5):
            time = f"2024-{1 + who % 6:02d}-{1 + n:02d}T12:00"
            store.record("order", user_id=who, time=time, value_minor=100 * who)
    return store.rfm(as_of="2024-08-01")


def lines(ax) -> dict[str, tuple[list, list]]:
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
        for line in ax.get_lines()
    }


def words(ax) -> tuple[str, str, str]:
    return ax.get_title(), ax.get_xlabel(), ax.get_ylabel()


class TestTracking:
    @pytest.fixture
    def table(self, model, data):
        days = [3.0, 4.0, 40.0, 41.0, 42.0]
        return model.tracking(data, purchase_days=days, period_days=14, periods=6)

    def test_per_period(self, ax, table):
        assert plot.tracking(table, ax=ax) is ax
        drawn = lines(ax)
        assert drawn["actual"] == (list(table["until_days"]), list(table["actual"]))
        assert drawn["expected"][1] == list(table["expected"])
        assert words(ax) == (
            "Purchases",
            "Days since the first purchase of all",
            "Repeat purchases per 14 days",
        )
        assert ax.get_ylim()[0] == 0

    def test_cumulative(self, ax, table):
        plot.tracking(table, cumulative=True, holdout_from_days=42, ax=ax)
        drawn = lines(ax)
        assert drawn["actual"][1] == [2, 2, 5, 5, 5, 5]
        assert drawn["expected"][1] == list(table["expected_cumulative"])
        assert drawn["holdout"][0] == [42, 42]
        assert words(ax)[0] == "Cumulative purchases"
        assert words(ax)[2] == "Repeat purchases"
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["actual", "expected", "holdout"]

    def test_without_what_happened(self, ax, model, data):
        plot.tracking(model.tracking(data), ax=ax)
        assert set(lines(ax)) == {"expected"}

    def test_another_table(self, ax, model, data):
        with pytest.raises(KeyError, match="until_days"):
            plot.tracking(model.predict(data), ax=ax)


class TestPAlive:
    def test_history(self, ax, model):
        bought = [10.0, 20.0, 60.0]
        assert plot.p_alive(model, bought, 100, step_days=5, ax=ax) is ax
        history = model.history(bought, 100, 5)
        curve, *marks = ax.get_lines()
        assert list(curve.get_xdata()) == list(history["days"])
        assert list(curve.get_ydata()) == list(history["p_alive"])
        assert [mark.get_xdata()[0] for mark in marks] == bought
        assert words(ax)[1:] == ("Days since the first purchase", "P(alive)")
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["purchase"]

    def test_who_never_came_back(self, ax, model):
        plot.p_alive(model, [], 30, ax=ax)
        assert len(ax.get_lines()) == 1
        assert ax.get_legend() is None


class TestFrequencyRecency:
    def image(self, ax):
        (found,) = ax.get_images()
        return found

    @pytest.mark.parametrize("what", ["expected_purchases", "p_alive"])
    def test_every_cell_is_a_customer(self, ax, model, what):
        drawn = plot.frequency_recency(
            model, 200, what=what, largest_x=4, cells=10, until_days=90, ax=ax
        )
        assert drawn is ax
        image = self.image(ax)
        cells = image.get_array()
        assert cells.shape == (10, 4)
        for row, x in ((0, 1), (3, 4), (9, 2)):
            customer = {"x": [x], "tx": [200 - 20.0 * row], "t": [200.0]}
            wanted = model.predict(customer, until_days=90)[what][0]
            assert cells[row][x - 1] == pytest.approx(wanted, rel=1e-12)
        assert tuple(image.get_extent()) == (0.5, 4.5, -10.0, 190.0)
        assert words(ax)[1:] == ("Repeat purchases", "Days since the last purchase")

    def test_the_bar_has_units(self, plt, model):
        ax = plot.frequency_recency(model, 90, largest_x=3, cells=5, until_days=30)
        bar = self.image(ax).colorbar.ax
        assert bar.get_ylabel() == "Expected purchases in 30 days"
        ax = plot.frequency_recency(model, 90, largest_x=3, cells=5)
        assert self.image(ax).colorbar.ax.get_ylabel().endswith("in a year")
        plt.close("all")

    def test_whoever_was_here_lately_is_worth_more(self, ax, model):
        plot.frequency_recency(model, 200, what="p_alive", cells=10, ax=ax)
        cells = self.image(ax).get_array()
        assert all(a >= b for a, b in zip(cells[0], cells[9]))

    def test_what_is_not_there(self, ax, model):
        with pytest.raises(
            InvalidError, match="what: is one of expected_purchases, p_"
        ):
            plot.frequency_recency(model, 90, what="clv", ax=ax)


class TestRfm:
    def test_customers(self, ax, scores):
        assert plot.rfm(scores, ax=ax) is ax
        (image,) = ax.get_images()
        cells = image.get_array()
        assert cells.shape == (5, 5)
        assert cells.sum() == len(scores)
        for row in scores:
            assert cells[row["r"] - 1][row["f"] - 1] >= 1
        assert words(ax) == (
            "Customers by frequency and recency",
            "Frequency score (1 .. 5, 5 is best)",
            "Recency score (1 .. 5, 5 is best)",
        )
        written = sum(int(text.get_text()) for text in ax.texts)
        assert written == len(scores)

    def test_means(self, ax, scores):
        plot.rfm(scores, x="m", y="f", value="monetary_minor", ax=ax)
        cells = ax.get_images()[0].get_array()
        of = [row["monetary_minor"] for row in scores if (row["m"], row["f"]) == (5, 5)]
        assert cells[4][4] == pytest.approx(sum(of) / len(of))
        pairs = {(row["f"], row["m"]) for row in scores}
        drawn = {(j + 1, i + 1) for j, i in zip(*cells.nonzero())}
        assert drawn == pairs
        assert ax.get_title() == "Mean monetary_minor by monetary and frequency"

    def test_nobody(self, ax, store):
        plot.rfm(store.rfm(), ax=ax)
        assert ax.get_images()[0].get_array().sum() == 0

    def test_wrong_names(self, ax, scores):
        with pytest.raises(InvalidError, match="x and y"):
            plot.rfm(scores, x="frequency", ax=ax)
        with pytest.raises(InvalidError, match="value: is customers or one of profile"):
            plot.rfm(scores, value="clv", ax=ax)


def test_a_figure_of_its_own(plt, model):
    before = plt.get_fignums()
    ax = plot.p_alive(model, [], 10)
    assert ax.figure.number not in before
    plt.close(ax.figure)


def test_without_matplotlib(model, monkeypatch):
    real = builtins.__import__

    def lacking(name, *arguments, **keywords):
        if name.split(".")[0] == "matplotlib":
            raise ImportError("No module named 'matplotlib'")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(ImportError, match=r"pip install cjourney\[plot\]"):
        plot.p_alive(model, [], 10)


def test_the_package_does_not_load_it():
    """Neither with the package nor with the module: only a drawing does."""
    import subprocess

    code = "import cjourney.plot, sys; print('matplotlib' in sys.modules)"
    package = str(cjourney.__path__[0]).rsplit("/", 1)[0]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": package, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
