"""ValueModel: what customers will buy, learned from when they bought.

A fitted model is immutable, needs no store, may be used from any thread and is pickled
as its JSON.  docs/VALUE.md says which model is for which shop; times are in days
wherever a name says so, and rates of discount are per year.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from . import _columns, _ffi, _library, _values
from ._customers import (
    Customers,
    Holdout,
    Prior,
    has_holdout,
    prior_arrays,
    text_array,
    unit_days,
)
from ._handle import Free, Progress, run_long
from .errors import InvalidError
from .table import Table

_C = _ffi.CONSTANTS
_COLUMNS = {
    "p_alive": _C["CJ_CLV_P_ALIVE"],
    "expected_purchases": _C["CJ_CLV_EXPECTED"],
    "p_purchases": _C["CJ_CLV_PROBABILITY"],
    "p_back": _C["CJ_CLV_BACK"],
    "discounted_purchases": _C["CJ_CLV_DISCOUNTED"],
    "residual_purchases": _C["CJ_CLV_RESIDUAL"],
    "expected_spend": _C["CJ_CLV_SPEND"],
    "clv": _C["CJ_CLV_VALUE"],
    "residual_clv": _C["CJ_CLV_VALUE"] + _C["CJ_CLV_RESIDUAL"],
    "next_purchase": _C["CJ_CLV_NEXT"],
    "quantiles": _C["CJ_CLV_QUANTILES"],
}


@dataclass(frozen=True)
class FitFacts:
    """How a fit ended: status is a name ("converged", or why not), text the same in
    words; loglik, aic and bic are in the unit asked for; condition is that of the
    Hessian in logarithms, 0 where there are no standard errors."""

    model: str
    status: str
    text: str
    converged: bool
    k: int
    unit_days: float
    rows: int
    groups: int
    customers: float
    repeaters: float
    estimated: int
    iterations: int
    loglik: float
    aic: float
    bic: float
    gradient_norm: float
    condition: float


@dataclass(frozen=True)
class Validation:
    """Predictions beside what happened; verdict is one line in plain words.  bins: of
    ("purchases", "p_alive", "p_back"), bin, customers, predicted, actual."""

    customers: float
    mae: float
    rmse: float
    msle: float
    own_pace_mae: float
    bias_ratio: float
    actual_purchases: float
    expected_purchases: float
    actual_value: float
    expected_value: float
    gini_actual: float
    gini_model: float
    brier: float
    calibration: float
    verdict: str
    bins: Table


def _repeat_days(purchases: Table) -> List[float]:
    """since_days of all but the first purchase of each customer."""
    who, days = purchases["profile"], purchases["since_days"]
    return [days[i] for i in range(1, len(who)) if who[i] == who[i - 1]]


class ValueModel:
    """A fitted value model.  ValueModel.fit() makes one, and so does from_json()."""

    __slots__ = ("_pointer", "_library", "_facts", "__weakref__")

    def __init__(self, pointer: int) -> None:
        """Takes over a cj_clv *."""
        self._pointer = pointer
        self._library = _library.load()
        self._facts: Optional[FitFacts] = None

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self._library.cj_clv_free(self._pointer)

    @classmethod
    def fit(
        cls,
        data: Any,
        model: str = "bgnbd",
        *,
        unit: Union[str, float] = "day",
        k: int = 0,
        prior: Optional[Prior] = None,
        covariates: Sequence[str] = (),
        threads: int = 0,
        progress: Optional[Progress] = None,
    ) -> ValueModel:
        """Fit a model (value_models() lists them) to customers.

        data: Store.clv_summary(), a data frame, or a mapping of columns, those of x,
        tx_days (tx), t_days (T_days, t, T), spend (zbar), weight (customers in a row)
        and litt that the model reads; others are not looked at.  unit: of time in the
        parameters, a word or days.  prior: {"r": (median, spread of the logarithm)}.
        covariates: names of more columns.  That the data do not say everything is no
        error: facts and status tell.  progress(iterations, 0): true stops.
        """
        customers = Customers(data, covariates)
        options = _ffi.sized(_ffi.ClvFitOptions)
        options.model = _values.required(model, "model")
        options.unit_days = unit_days(unit)
        options.k = _values.int32(k, "k")
        options.threads = _values.int32(threads, "threads")
        if prior is not None:
            medians, spreads = prior_arrays(prior, _parameters_of(model))
            options.prior_median, options.prior_spread = medians, spreads

        def work(hook: Any) -> ValueModel:
            options.progress = hook
            return cls._made("cj_clv_fit", customers.pointer, ctypes.byref(options))

        return run_long(Free(), work, progress)

    @classmethod
    def from_json(cls, text: Union[str, bytes]) -> ValueModel:
        """A model from the JSON of to_json(); every number is the same, bit by bit."""
        data = text.encode("utf-8") if isinstance(text, str) else text
        if not isinstance(data, bytes):
            raise InvalidError(f"text: JSON is wanted, not {type(text).__name__}")
        return cls._made("cj_clv_from_json", data, len(data))

    @classmethod
    def _made(cls, name: str, *arguments: Any) -> ValueModel:
        out = ctypes.c_void_p()
        library = _library.load()
        _library.check(getattr(library, name)(*arguments, ctypes.byref(out)))
        return cls(out.value or 0)

    def to_json(self) -> str:
        """The model as JSON (docs/FORMAT.md)."""
        out, size = ctypes.c_void_p(), ctypes.c_int64()
        _library.check(
            self._library.cj_clv_to_json(
                self._pointer, ctypes.byref(out), ctypes.byref(size)
            )
        )
        try:
            return ctypes.string_at(out.value or 0, size.value).decode("utf-8")
        finally:
            self._library.cj_text_free(out)

    # ---- what it is ----------------------------------------------------------------

    @property
    def facts(self) -> FitFacts:
        """How the fit ended."""
        if self._facts is None:
            struct = _ffi.sized(_ffi.ClvFitFacts)
            self._check("cj_clv_facts", ctypes.byref(struct))
            self._facts = FitFacts(*_fields(struct))
        return self._facts

    @property
    def model(self) -> str:
        """Its name, such as "bgnbd"."""
        return self.facts.model

    @property
    def status(self) -> str:
        """ "converged", or the name of what the data do not say; facts.text explains."""
        return self.facts.status

    @property
    def converged(self) -> bool:
        return self.facts.converged

    @property
    def loglik(self) -> float:
        return self.facts.loglik

    @property
    def unit_days(self) -> float:
        """Days that one unit of time of the parameters is."""
        return self.facts.unit_days

    @property
    def parameters(self) -> Dict[str, float]:
        """Estimates by the paper's symbols, and purchase:NAME and dropout:NAME of
        covariates."""
        return self._column_of_parameters("estimate")

    @property
    def std_errors(self) -> Dict[str, float]:
        """Standard errors; NaN where there is none."""
        return self._column_of_parameters("std_error")

    @property
    def covariates(self) -> Tuple[str, ...]:
        """The columns that it reads besides, in its order."""
        names = (name.partition(":") for name in self.parameters)
        return tuple(dict.fromkeys(name for _, colon, name in names if colon))

    def parameter_table(self) -> Table:
        """parameter, estimate, std_error, low, high (95 % interval)."""
        return Table._call("cj_clv_parameters", self._pointer)

    # ---- what it says --------------------------------------------------------------

    def predict(
        self,
        data: Any,
        spend: Union[ValueModel, float, None] = None,
        *,
        columns: Union[str, Iterable[str]] = (),
        intervals: bool = False,
        from_days: float = 0.0,
        until_days: float = 0.0,
        horizon_days: float = 0.0,
        discount: float = 0.10,
        margin: float = 1.0,
        purchases: int = 0,
        level: float = 0.95,
        period_days: float = 0.0,
        threads: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """What it says of customers, a row for each in their order, from the end of
        their data on.

        columns: of p_alive, expected_purchases (in (from_days, until_days], a year),
        p_purchases (of exactly so many purchases), p_back (of any),
        discounted_purchases, residual_purchases (for ever), expected_spend (per
        purchase), clv and residual_clv (money), next_purchase (next_median_days,
        next_mean_days), quantiles (purchases_low, purchases_high); "all": what there is
        an answer to; none: the first two.  intervals: NAME_low and NAME_high, confidence
        limits, at level.

        spend: a fitted "gammagamma", or money per purchase; None: data's spend as it is.
        discount: per YEAR, whatever the unit; margin: earned of what is spent;
        horizon_days: of clv (until_days).  period_days: for models of whole periods.
        progress(customers, of all): true stops.
        """
        customers = Customers(data, self.covariates)
        options = _ffi.sized(_ffi.ClvPredictOptions)
        options.columns = _column_flags(columns, intervals)
        options.from_days = _values.double(from_days, "from_days")
        options.until_days = _values.double(until_days, "until_days")
        options.horizon_days = _values.double(horizon_days, "horizon_days")
        options.discount_ratio = _values.double(discount, "discount")
        options.margin_ratio = _values.double(margin, "margin")
        options.level = _values.double(level, "level")
        options.n_purchases = _values.int64(purchases, "purchases")
        options.period_days = _values.double(period_days, "period_days")
        options.threads = _values.int32(threads, "threads")
        money = None
        if isinstance(spend, ValueModel):
            money = spend._pointer
        elif spend is not None:
            options.spend = _values.double(spend, "spend")
            customers.forget_spend()
        asked = self._pointer, money, customers.pointer
        return _long_table(options, progress, "cj_clv_predict", *asked)

    def validate(
        self,
        data: Any,
        spend: Optional[ValueModel] = None,
        *,
        holdout_days: Optional[float] = None,
    ) -> Validation:
        """Is it any good?  Its predictions beside what customers did afterwards: data
        have columns x_star (purchases) and, or not, spend_star and holdout_days, as of
        Store.clv_summary(holdout_until=...)."""
        customers = Customers(data, self.covariates)
        holdout = Holdout(data, customers.n, holdout_days)
        struct = _ffi.sized(_ffi.ClvValidation)
        bins = Table._call(
            "cj_clv_validate",
            self._pointer,
            model_pointer(spend, "spend"),
            customers.pointer,
            holdout.pointer,
            ctypes.byref(struct),
        )
        return Validation(*[*_fields(struct), bins])

    def tracking(
        self,
        data: Any,
        *,
        purchase_days: Any = None,
        period_days: float = 0.0,
        periods: int = 0,
        start_days: float = 0.0,
        threads: int = 0,
    ) -> Table:
        """Purchases of all customers together: period, until_days, expected,
        expected_cumulative, actual, actual_cumulative (None without purchase_days:
        every repeat purchase, in days since the first purchase of all, or since
        start_days before the end of the data; or the table of Store.clv_purchases()).
        period_days: 7; periods may go beyond the data."""
        customers = Customers(data, self.covariates)
        options = _ffi.sized(_ffi.ClvTrackOptions)
        options.period_days = _values.double(period_days, "period_days")
        options.n_periods = _values.int64(periods, "periods")
        options.start_days = _values.double(start_days, "start_days")
        options.threads = _values.int32(threads, "threads")
        if isinstance(purchase_days, Table):
            purchase_days = _repeat_days(purchase_days)
        if purchase_days is not None:
            days = _columns.column(purchase_days, "d", "purchase_days")
            options.purchase_days, options.n_purchases = days.pointer, days.n
        return Table._call(
            "cj_clv_tracking", self._pointer, customers.pointer, ctypes.byref(options)
        )

    def histogram(self, data: Any, largest: int = 0) -> Table:
        """Customers by their number of purchases: purchases (0 .. largest or more, 7),
        actual, expected."""
        customers = Customers(data, self.covariates)
        return Table._call(
            "cj_clv_histogram",
            self._pointer,
            customers.pointer,
            _values.int64(largest, "largest"),
        )

    def history(
        self, purchase_days: Any, until_days: float, step_days: float = 1.0
    ) -> Table:
        """P(alive) of one customer, as it was known day by day since the first purchase:
        days, purchases, p_alive.  purchase_days: of the repeat purchases, ascending."""
        days = _columns.column(purchase_days, "d", "purchase_days")
        return Table._call(
            "cj_clv_history",
            self._pointer,
            days.pointer,
            days.n,
            _values.double(until_days, "until_days"),
            _values.double(step_days, "step_days"),
        )

    # ---- as an object --------------------------------------------------------------

    def __reduce__(self) -> Any:
        return ValueModel.from_json, (self.to_json(),)

    def __copy__(self) -> ValueModel:
        return self

    def __deepcopy__(self, memo: Any) -> ValueModel:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ValueModel):
            return NotImplemented
        return self is other or self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        numbers = ", ".join(f"{k} {v:.6g}" for k, v in self.parameters.items())
        return f"<cjourney.ValueModel {self.model}: {numbers}; {self.status}>"

    def _column_of_parameters(self, column: str) -> Dict[str, float]:
        rows = self.parameter_table()
        return {
            row["parameter"]: float("nan") if row[column] is None else row[column]
            for row in rows
        }

    def _check(self, name: str, *arguments: Any) -> None:
        _library.check(getattr(self._library, name)(self._pointer, *arguments))


def value_models() -> Table:
    """The models there are: model, title, family, parameters, source, when."""
    return Table._call("cj_clv_models")


def compare_models(
    data: Any,
    models: Optional[Sequence[str]] = None,
    *,
    criterion: Optional[str] = None,
    unit: Union[str, float] = "day",
    holdout_days: Optional[float] = None,
    threads: int = 0,
    progress: Optional[Progress] = None,
) -> Table:
    """Which model?  Each is fitted to the data; the best is first: model, title, status,
    estimated, loglik, aic, bic, and with a holdout (columns as for
    ValueModel.validate()) mae, rmse, msle, bias_ratio, gini_ratio, calibration, verdict.

    criterion: mae (bic without a holdout), rmse, msle, bias, gini, calibration, aic,
    loglik.  progress(models, of all): true stops.
    """
    customers = Customers(data)
    options = _ffi.sized(_ffi.ClvCompareOptions)
    if models is not None:
        array = text_array(models, "models")
        options.models, options.n_models = array, len(array)
    if has_holdout(data):
        holdout = Holdout(data, customers.n, holdout_days)
        options.holdout = holdout.pointer
    options.criterion = _values.text(criterion, "criterion")
    options.unit_days = unit_days(unit)
    options.threads = _values.int32(threads, "threads")
    return _long_table(options, progress, "cj_clv_compare", customers.pointer)


def model_pointer(model: Optional[ValueModel], what: str) -> Optional[int]:
    """The cj_clv *, for a call of the library while the model is held; None stays."""
    if model is None or isinstance(model, ValueModel):
        return None if model is None else model._pointer
    raise InvalidError(f"{what}: a ValueModel is wanted, not {type(model).__name__}")


# ---- inside ------------------------------------------------------------------------


def _long_table(
    options: Any, progress: Optional[Progress], name: str, *arguments: Any
) -> Table:
    """A call with options last, which have a progress hook."""

    def work(hook: Any) -> Table:
        options.progress = hook
        return Table._call(name, *arguments, ctypes.byref(options))

    return run_long(Free(), work, progress)


def _parameters_of(model: str) -> Sequence[str]:
    for row in value_models():
        if row["model"] == model:
            return str(row["parameters"]).split()
    return ()


def _column_flags(columns: Union[str, Iterable[str]], intervals: bool) -> int:
    if columns == "all":
        return _C["CJ_CLV_ALL"]
    flags = _C["CJ_CLV_INTERVALS"] if intervals else 0
    for name in [columns] if isinstance(columns, str) else columns:
        if name not in _COLUMNS:
            raise InvalidError(f"columns: {name!r} is none of {', '.join(_COLUMNS)}")
        flags |= _COLUMNS[name]
    if flags in (0, _C["CJ_CLV_INTERVALS"]):
        flags |= _COLUMNS["p_alive"] | _COLUMNS["expected_purchases"]
    return flags


def _fields(struct: Any) -> Tuple[Any, ...]:
    """Every field of a struct of the library after its size: texts decoded, flags bool."""
    found = []
    for name, *_ in struct._fields_[1:]:
        value = getattr(struct, name)
        if isinstance(value, bytes):
            value = value.decode()
        found.append(bool(value) if name.startswith("is_") else value)
    return tuple(found)
