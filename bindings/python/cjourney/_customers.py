"""Customers as value models read them: columns of whatever the caller has, as a
cj_clv_data."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from . import _columns, _ffi, _values
from .errors import InvalidError

UNITS = {
    "day": 1.0,
    "week": 7.0,
    "month": 30.436875,
    "year": 365.2425,
    "hour": 1 / 24,
    "minute": 1 / 1440,
    "second": 1 / 86400,
}

# Field of cj_clv_data, the names its column may have (the first that is there), kind.
_FIELDS: Tuple[Tuple[str, Tuple[str, ...], str], ...] = (
    ("x", ("x",), "q"),
    ("tx", ("tx_days", "tx"), "d"),
    ("t", ("t_days", "T_days", "t", "T"), "d"),
    ("spend", ("spend", "zbar"), "d"),
    ("weight", ("weight",), "d"),
    ("litt", ("litt",), "d"),
)


class Customers:
    """A cj_clv_data, and what keeps its columns where they are."""

    def __init__(self, data: Any, covariates: Sequence[str] = ()) -> None:
        self.struct = _ffi.sized(_ffi.ClvData)
        self._columns: Dict[str, _columns.Column] = {}
        for field, names, letter in _FIELDS:
            column = _columns.find(data, names, letter)
            if column is not None:
                self._columns[field] = column
                setattr(self.struct, field, column.pointer)
        if not self._columns:
            raise InvalidError(
                "data: has none of the columns x, tx_days, t_days, spend"
            )
        self.n = _columns.rows(list(self._columns.values()), list(self._columns))
        self.struct.n = self.n
        if covariates:
            self._add_covariates(data, covariates)

    @property
    def pointer(self) -> Any:
        return ctypes.byref(self.struct)

    def forget_spend(self) -> None:
        """So that the library takes the number that it is told."""
        self.struct.spend = None

    def _add_covariates(self, data: Any, names: Sequence[str]) -> None:
        have = _columns.names(data)
        for name in names:
            if name not in have:
                raise InvalidError(f"data: has no column {name}, which is a covariate")
        columns = [_columns.of(data, name, "d") for name in names]
        for column, name in zip(columns, names):
            if column.n != self.n:
                raise InvalidError(f"{name}: has {column.n} rows, and x has {self.n}")
        self._matrix = _columns.matrix(columns)
        self._names = text_array(names, "covariates")
        self.struct.covariates = self._matrix.pointer
        self.struct.n_covariates = len(names)
        self.struct.covariate_names = self._names


class Holdout:
    """A cj_clv_holdout of the columns x_star, spend_star and holdout_days, which
    Store.clv_summary(holdout_until=...) gives."""

    def __init__(self, data: Any, n: int, days: Optional[float]) -> None:
        x = _columns.find(data, ("x_star",), "q")
        if x is None:
            raise InvalidError(
                "data: has no column x_star, the purchases to compare with"
            )
        spend = _columns.find(data, ("spend_star",), "d")
        self._columns = [x] if spend is None else [x, spend]
        for column, name in zip(self._columns, ("x_star", "spend_star")):
            if column.n != n:
                raise InvalidError(f"{name}: has {column.n} rows, and x has {n}")
        self.struct = _ffi.sized(_ffi.ClvHoldout)
        self.struct.x = x.pointer
        if spend is not None:
            self.struct.spend = spend.pointer
        self.struct.days = _holdout_days(data, days)

    @property
    def pointer(self) -> Any:
        return ctypes.pointer(self.struct)


def _holdout_days(data: Any, days: Optional[float]) -> float:
    if days is not None:
        return _values.double(days, "holdout_days")
    column = _columns.find(data, ("holdout_days",), "d")
    if column is None:
        raise InvalidError("holdout_days: is missing, in the data and as an argument")
    return float(column[0]) if column.n else 0.0


def has_holdout(data: Any) -> bool:
    return "x_star" in _columns.names(data)


def text_array(texts: Sequence[str], what: str) -> Any:
    if isinstance(texts, str):
        raise InvalidError(f"{what}: a list of names is wanted, not one text")
    encoded = [_values.required(text, what) for text in texts]
    return (ctypes.c_char_p * len(encoded))(*encoded)


def unit_days(unit: Any) -> float:
    """Days of a unit of time: a word, or a number of days."""
    if not isinstance(unit, str):
        return _values.double(unit, "unit")
    if unit not in UNITS:
        raise InvalidError(f"unit: is a number of days or one of {', '.join(UNITS)}")
    return UNITS[unit]


Prior = Mapping[str, Tuple[float, float]]


def prior_arrays(prior: Prior, parameters: Sequence[str]) -> Tuple[Any, Any]:
    """Medians and spreads in the model's order; a spread of 0 is no prior."""
    for name in prior:
        if name not in parameters:
            raise InvalidError(
                f"prior: the model has no parameter {name}, but {', '.join(parameters)}"
            )
    pairs: List[Tuple[float, float]] = []
    for name in parameters:
        median, spread = prior.get(name, (1.0, 0.0))
        pairs.append((_values.double(median, name), _values.double(spread, name)))
    array = ctypes.c_double * len(pairs)
    return array(*(m for m, _ in pairs)), array(*(s for _, s in pairs))
