"""What rfm(), rfm_distribution() and rfm_migrate() have in common: their options."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Iterable, Optional, TypedDict, Union

from . import _ffi, _values
from ._base import choice
from ._values import Time
from .events import Context, RfmClass, class_array, limit_array

_C = _ffi.CONSTANTS
_CHOICES = {
    "recency": {"days": _C["CJ_RFM_DAYS"], "hours": _C["CJ_RFM_HOURS"]},
    "frequency": {
        "orders": _C["CJ_RFM_ORDERS"],
        "repeat_days": _C["CJ_RFM_REPEAT_DAYS"],
    },
    "monetary": {"net": _C["CJ_RFM_NET"], "gross": _C["CJ_RFM_GROSS"]},
    "monetary_of": {"total": _C["CJ_RFM_TOTAL"], "mean": _C["CJ_RFM_MEAN"]},
}


class RfmFields(TypedDict, total=False):
    """The options of Store.rfm(), which says what they mean."""

    as_of: Optional[Time]
    since: Optional[Time]
    recency: str
    frequency: str
    monetary: str
    monetary_of: str
    bins: int
    threads: int
    r_limits: Optional[Iterable[int]]
    f_limits: Optional[Iterable[int]]
    m_limits: Optional[Iterable[Union[int, Decimal]]]
    classes: Optional[Iterable[RfmClass]]
    identifier: Optional[str]
    include_guests: bool


def rfm_options(fields: RfmFields, context: Context) -> Any:
    unknown = sorted(set(fields) - set(RfmFields.__annotations__))
    if unknown:
        raise TypeError(f"RFM has no option {unknown[0]!r}")
    get: Any = fields.get
    options = _ffi.sized(_ffi.RfmOptions)
    options.as_of_ms = _values.time_ms(get("as_of"), "as_of", context.parse_time)
    options.from_ms = _values.time_ms(get("since"), "since", context.parse_time)
    for name, choices in _CHOICES.items():
        if name in fields:
            setattr(options, name, choice(choices, name, get(name)))
    options.n_bins = _values.int32(get("bins"), "bins")
    options.threads = _values.int32(get("threads"), "threads")
    for name in ("r_limits", "f_limits", "m_limits"):
        array = limit_array(get(name), name, context)
        setattr(options, name, array)
        setattr(options, f"n_{name}", len(array))
    if get("classes") is not None:
        rows = class_array(get("classes"))
        options.classes, options.n_classes = rows, len(rows)
    options.identifier = _values.text(get("identifier"), "identifier")
    options.include_guests = int(get("include_guests", False))
    return options
