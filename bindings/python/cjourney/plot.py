"""Plots of value models and scores, on matplotlib: pip install cjourney[plot].

Each takes tables or models and draws on ax (None: a figure of its own), whose Axes it
returns; what is drawn can be read from there, and nothing is shown or saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple

from .errors import InvalidError
from .table import Table
from .value import ValueModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACTUAL, _EXPECTED = "#333333", "#1f77b4"
_WHAT = {
    "expected_purchases": "Expected purchases",
    "p_alive": "P(alive)",
}


def tracking(
    table: Table,
    *,
    cumulative: bool = False,
    holdout_from_days: Optional[float] = None,
    ax: Optional[Axes] = None,
) -> Axes:
    """Purchases of all customers per period, or cumulative: what happened beside what
    the model expected.  table: of ValueModel.tracking().  holdout_from_days: where what
    the model was fitted to ends."""
    ax = _axes(ax)
    suffix = "_cumulative" if cumulative else ""
    days = _floats(table, "until_days")
    actual = _floats(table, f"actual{suffix}")
    if any(value == value for value in actual):
        ax.plot(days, actual, color=_ACTUAL, label="actual")
    ax.plot(
        days,
        _floats(table, f"expected{suffix}"),
        color=_EXPECTED,
        linestyle="--",
        label="expected",
    )
    if holdout_from_days is not None:
        ax.axvline(holdout_from_days, color="gray", linestyle=":", label="holdout")
    ax.set_ylim(bottom=0)
    length = days[0] if days else 0.0
    per = "" if cumulative else f" per {length:g} days"
    _name(
        ax,
        "Cumulative purchases" if cumulative else "Purchases",
        "Days since the first purchase of all",
        f"Repeat purchases{per}",
    )
    ax.legend()
    return ax


def p_alive(
    model: ValueModel,
    purchase_days: Sequence[float],
    until_days: float,
    *,
    step_days: float = 1.0,
    ax: Optional[Axes] = None,
) -> Axes:
    """P(alive) of one customer day by day, and a line at each repeat purchase
    (purchase_days since the first one)."""
    ax = _axes(ax)
    table = model.history(purchase_days, until_days, step_days)
    ax.plot(_floats(table, "days"), _floats(table, "p_alive"), color=_EXPECTED)
    for i, day in enumerate(purchase_days):
        label = "purchase" if i == 0 else "_nolegend_"
        ax.axvline(day, color=_ACTUAL, linestyle=":", linewidth=0.8, label=label)
    ax.set_ylim(0, 1.02)
    _name(
        ax, "Is this customer still one?", "Days since the first purchase", "P(alive)"
    )
    if len(purchase_days):
        ax.legend()
    return ax


def frequency_recency(
    model: ValueModel,
    t_days: float,
    *,
    what: str = "expected_purchases",
    largest_x: int = 20,
    until_days: float = 0.0,
    cells: int = 40,
    ax: Optional[Axes] = None,
) -> Axes:
    """What a model says of customers who first bought t_days ago, by how often they came
    back and how long ago they were last there: a heat map of "expected_purchases" (in
    the next until_days, a year) or "p_alive"."""
    if what not in _WHAT:
        raise InvalidError(f"what: is one of {', '.join(_WHAT)}")
    ax = _axes(ax)
    since = [t_days * i / cells for i in range(cells)]  # the last purchase, days ago
    grid = [(x, t_days - ago) for ago in since for x in range(1, largest_x + 1)]
    data = {
        "x": [x for x, _ in grid],
        "tx_days": [tx for _, tx in grid],
        "t_days": [t_days] * len(grid),
    }
    table = model.predict(data, columns=[what], until_days=until_days)
    values = _floats(table, what)
    rows = [values[i * largest_x : (i + 1) * largest_x] for i in range(cells)]
    step = t_days / cells
    extent = (0.5, largest_x + 0.5, -step / 2, t_days - step / 2)
    _heat(ax, rows, extent, _what_label(what, until_days))
    title = f"{_WHAT[what]} by frequency and recency"
    _name(ax, title, "Repeat purchases", "Days since the last purchase")
    ax.locator_params(axis="x", integer=True)
    return ax


def rfm(
    table: Table,
    *,
    x: str = "f",
    y: str = "r",
    value: str = "customers",
    ax: Optional[Axes] = None,
) -> Axes:
    """A heat map of scores, table being of Store.rfm(): how many "customers" have both,
    or their mean "recency_days", "frequency" or "monetary_minor"."""
    for name in (x, y):
        if name not in ("r", "f", "m"):
            raise InvalidError("x and y: are two of r, f, m")
    if value != "customers" and value not in table.columns:
        raise InvalidError(f"value: is customers or one of {', '.join(table.columns)}")
    ax = _axes(ax)
    best = max([5, *_floats(table, x), *_floats(table, y)])
    rows = _means(table, x, y, value, int(best))
    label = "Customers" if value == "customers" else f"Mean {value}"
    _heat(ax, rows, (0.5, best + 0.5, 0.5, best + 0.5), label)
    _annotate(ax, rows)
    ax.set_xticks(range(1, int(best) + 1))
    ax.set_yticks(range(1, int(best) + 1))
    axis = f"{{}} score (1 .. {int(best)}, {int(best)} is best)"
    title = f"{label} by {_SCORES[x].lower()} and {_SCORES[y].lower()}"
    _name(ax, title, axis.format(_SCORES[x]), axis.format(_SCORES[y]))
    return ax


# ---- inside ------------------------------------------------------------------------

_SCORES = {"r": "Recency", "f": "Frequency", "m": "Monetary"}
_Extent = Tuple[float, float, float, float]


def _axes(ax: Optional[Axes]) -> Axes:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError(
            "plots need matplotlib: pip install cjourney[plot]", name="matplotlib"
        ) from None
    axes: Axes = plt.subplots()[1]
    return axes


def _name(ax: Axes, title: str, x: str, y: str) -> None:
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def _floats(table: Table, name: str) -> List[float]:
    """A column of numbers, nulls as NaN."""
    present = table.validity(name)
    values = [float(value) for value in table.column(name)]
    if present is None:
        return values
    return [v if there else float("nan") for v, there in zip(values, present)]


def _what_label(what: str, until_days: float) -> str:
    if what == "p_alive":
        return _WHAT[what]
    return f"{_WHAT[what]} in {f'{until_days:g} days' if until_days else 'a year'}"


def _heat(ax: Axes, rows: Sequence[Sequence[float]], extent: _Extent, name: str) -> Any:
    image = ax.imshow(
        rows, origin="lower", aspect="auto", extent=extent, interpolation="nearest"
    )
    figure: Any = ax.figure
    figure.colorbar(image, ax=ax, label=name)
    return image


def _means(table: Table, x: str, y: str, value: str, best: int) -> List[List[float]]:
    """[y - 1][x - 1]: customers, or the mean of a column; NaN where nobody is."""
    counts = [[0] * best for _ in range(best)]
    sums = [[0.0] * best for _ in range(best)]
    counting = value == "customers"
    column = [1.0] * len(table) if counting else _floats(table, value)
    for i, j, v in zip(_floats(table, x), _floats(table, y), column):
        counts[int(j) - 1][int(i) - 1] += 1
        sums[int(j) - 1][int(i) - 1] += v
    if counting:
        return sums
    return [
        [s / n if n else float("nan") for s, n in zip(*row)]
        for row in zip(sums, counts)
    ]


def _annotate(ax: Axes, rows: Sequence[Sequence[float]]) -> None:
    for j, row in enumerate(rows):
        for i, value in enumerate(row):
            if value == value:
                ax.text(
                    i + 1,
                    j + 1,
                    f"{value:.0f}",
                    ha="center",
                    va="center",
                    color="white",
                    path_effects=_outline(),
                )


def _outline() -> Any:
    """So that a number can be read on any colour."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=2, foreground="black")]
