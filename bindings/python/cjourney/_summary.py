"""What clv_summary() and clv_purchases() have in common: their options."""

from __future__ import annotations

from typing import Any, Optional, TypedDict

from . import _ffi, _values
from ._base import choice
from ._values import Time
from .events import Context

_C = _ffi.CONSTANTS
PERIODS = {
    "day": _C["CJ_CLV_DAY"],
    "week": _C["CJ_CLV_WEEK"],
    "any": _C["CJ_CLV_ANY"],
}
REFUNDS = {
    "net": _C["CJ_CLV_REFUND_NET"],
    "drop": _C["CJ_CLV_REFUND_DROP"],
    "ignore": _C["CJ_CLV_REFUND_IGNORE"],
}
_TIMES = {
    "as_of": "as_of_ms",
    "holdout_until": "holdout_end_ms",
    "since": "from_ms",
    "acquired_since": "first_from_ms",
    "acquired_until": "first_until_ms",
}


class SummaryFields(TypedDict, total=False):
    """The options of Store.clv_summary(), which says what they mean."""

    as_of: Optional[Time]
    holdout_until: Optional[Time]
    since: Optional[Time]
    acquired_since: Optional[Time]
    acquired_until: Optional[Time]
    period: str
    refunds: str
    segment: Optional[str]
    identifier: Optional[str]
    include_guests: bool
    include_free: bool
    threads: int


def summary_options(fields: SummaryFields, context: Context) -> Any:
    unknown = sorted(set(fields) - set(SummaryFields.__annotations__))
    if unknown:
        raise TypeError(f"a summary has no option {unknown[0]!r}")
    get: Any = fields.get
    options = _ffi.sized(_ffi.ClvSummaryOptions)
    for name, field in _TIMES.items():
        time_ms = _values.time_ms(get(name), name, context.parse_time)
        setattr(options, field, time_ms)
    options.period = choice(PERIODS, "period", get("period", "day"))
    options.refunds = choice(REFUNDS, "refunds", get("refunds", "net"))
    options.segment = _values.text(get("segment"), "segment")
    options.identifier = _values.text(get("identifier"), "identifier")
    options.include_guests = int(get("include_guests", False))
    options.include_free = int(get("include_free", False))
    options.threads = _values.int32(get("threads", 0), "threads")
    return options
