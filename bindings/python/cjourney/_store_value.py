"""Store's questions about what customers are worth: summaries for value models, models
kept in the file, and customers together.  cjourney.h says more of each."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Union,
)

from . import _columns, _ffi, _values
from ._base import StoreBase, choice
from ._handle import Progress, run_long
from ._rfm import RfmFields, rfm_options
from ._summary import PERIODS, REFUNDS, SummaryFields, summary_options
from ._values import Time
from .errors import InvalidError
from .events import Context
from .table import Table
from .value import ValueModel, model_pointer

if TYPE_CHECKING:
    from typing_extensions import Unpack

_C = _ffi.CONSTANTS
_COHORTS = {
    "month": _C["CJ_COHORT_MONTH"],
    "channel": _C["CJ_COHORT_CHANNEL"],
    "campaign": _C["CJ_COHORT_CAMPAIGN"],
}
_MONETARY = {"net": _C["CJ_RFM_NET"], "gross": _C["CJ_RFM_GROSS"]}


@dataclass(frozen=True)
class RefreshResult:
    """What refresh_values() did: profiles scored, profiles that have no purchase any
    more, and whether all orders were read, or the new ones alone."""

    scored: int
    forgotten: int
    whole: bool


class ValueMethods(StoreBase):
    def clv_summary(
        self,
        *,
        progress: Optional[Progress] = None,
        **options: Unpack[SummaryFields],
    ) -> Table:
        """What value models read of each customer with a purchase before as_of (now):
        profile, [identifier,] x (repeat purchases), tx_days, t_days (from the first
        purchase to the last, and to as_of), spend (mean value of the repeat purchases,
        in units of the currency), litt (sum of ln(days between purchases)), first_ms;
        with holdout_until also x_star, spend_star (purchases from as_of to then, and
        their value together) and holdout_days.

        since: only orders since.  acquired_since, acquired_until: only who first bought
        then.  period: orders of one "day" (if not said) or "week" are one purchase;
        "any": each is.  refunds: "net" (they lower the purchase before; if not said),
        "drop" (and what is worth nothing then is no purchase), "ignore".  segment: only
        who is in it at as_of.  identifier: a kind, and a column of that name.
        include_guests: also who is known only by a guest order.  include_free: orders
        of value 0 are purchases.  threads.
        """
        chosen = summary_options(options, self._context)
        return self._options_table(chosen, progress, "cj_clv_summary")

    def clv_purchases(
        self,
        *,
        progress: Optional[Progress] = None,
        **options: Unpack[SummaryFields],
    ) -> Table:
        """Every purchase that clv_summary() counts with the same options: profile, days
        (since the customer's first purchase, which is 0), since_days (since the first
        purchase of all), value (in units of the currency), time_ms; by profile, then
        time.  ValueModel.tracking() takes it as purchase_days."""
        chosen = summary_options(options, self._context)
        return self._options_table(chosen, progress, "cj_clv_purchases")

    # ---- models in the file --------------------------------------------------------

    def save_model(self, name: str, model: ValueModel) -> None:
        """Keep a fitted model in the file; one of that name is replaced."""
        encoded = _values.required(name, "name")
        self._handle.call("cj_clv_save", encoded, model_pointer(model, "model"))

    def load_model(self, name: str) -> ValueModel:
        """A saved model, as it was fitted.  NotFoundError."""
        out = ctypes.c_void_p()
        encoded = _values.required(name, "name")
        self._handle.call("cj_clv_load", encoded, ctypes.byref(out))
        return ValueModel(out.value or 0)

    def saved_models(self) -> Table:
        """The models in the file: name, model, saved_ms, fit (JSON)."""
        return self._table("cj_clv_saved")

    def drop_model(self, name: str) -> None:
        """Forget a saved model.  NotFoundError."""
        self._handle.call("cj_clv_drop", _values.required(name, "name"))

    def refresh_values(
        self,
        model: str,
        spend: Optional[str] = None,
        *,
        as_of: Optional[Time] = None,
        months: int = 12,
        discount: float = 0.10,
        everybody: bool = False,
        period: str = "day",
        refunds: str = "net",
        include_guests: bool = False,
        include_free: bool = False,
        threads: int = 0,
        progress: Optional[Progress] = None,
    ) -> RefreshResult:
        """Write scores by saved models as traits, so that segments read them: p_alive,
        expected_12m (purchases in so many months) and, with a saved model of spend,
        clv_12m (in units of the currency, discounted per YEAR).

        Only who has something new since the refresh before is scored, or everybody (now
        and then: P(alive) falls while nobody buys).  period, refunds, include_guests and
        include_free are those of the clv_summary() that the model was fitted to.
        """
        options = _ffi.sized(_ffi.ClvRefreshOptions)
        options.model = _values.required(model, "model")
        options.spend = _values.text(spend, "spend")
        options.as_of_ms = self._time(as_of, "as_of")
        options.months = _values.int32(months, "months")
        options.discount_ratio = _values.double(discount, "discount")
        options.everybody = int(everybody)
        options.period = choice(PERIODS, "period", period)
        options.refunds = choice(REFUNDS, "refunds", refunds)
        options.include_guests = int(include_guests)
        options.include_free = int(include_free)
        options.threads = _values.int32(threads, "threads")
        result = _ffi.sized(_ffi.ClvRefreshResult)

        def work(hook: Any) -> RefreshResult:
            options.progress = hook
            self._handle.call(
                "cj_clv_refresh", ctypes.byref(options), ctypes.byref(result)
            )
            return RefreshResult(
                scored=result.n_scored,
                forgotten=result.n_forgotten,
                whole=bool(result.is_whole),
            )

        return run_long(self._handle, work, progress)

    # ---- customers together --------------------------------------------------------

    def rfm_distribution(
        self,
        values: Any = None,
        *,
        progress: Optional[Progress] = None,
        **options: Unpack[RfmFields],
    ) -> Table:
        """How customers and their value are spread over the scores and classes of rfm(),
        whose options these are: dimension (r, f, m, class, all), score, class, low,
        high, customers, customers_ratio, value_minor, value_ratio, scored, clv,
        clv_ratio.

        values: columns profile (ascending) and clv, to be added up in each.
        """
        chosen = rfm_options(options, self._context)
        held = _ProfileValues(values)
        return self._options_table(
            chosen, progress, "cj_rfm_distribution", after=(held.pointer,)
        )

    def rfm_migrate(
        self,
        before: Time,
        *,
        progress: Optional[Progress] = None,
        **options: Unpack[RfmFields],
    ) -> Table:
        """Who moved from which class to which between before and as_of, by the options
        of rfm(): from_class, to_class ("(new)", "(gone)", "(none)"), customers,
        from_ratio, from_minor, to_minor."""
        chosen = rfm_options(options, self._context)
        at = self._time(before, "before")
        return self._options_table(chosen, progress, "cj_rfm_migrate", after=(at,))

    def value_cohorts(
        self,
        by: Union[str, Iterable[str]] = "month",
        values: Any = None,
        *,
        as_of: Optional[Time] = None,
        acquired_since: Optional[Time] = None,
        acquired_until: Optional[Time] = None,
        monetary: str = "net",
        margin: float = 0.0,
        costs: Sequence[Mapping[str, Any]] = (),
        segment: Optional[str] = None,
        include_guests: bool = False,
        threads: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """Customers by when and from where they came, and whether they paid off: the
        columns of by ("month", "channel", "campaign"), customers, orders, value_minor,
        scored, clv, cost_minor, cac_minor (per customer), value_cost_ratio,
        clv_cost_ratio (CLV:CAC), payback_months.

        values: columns profile (ascending) and clv, what each is still to bring.
        margin: earned of each amount spent (all of it).  costs: {"month": "2024-03",
        "channel": "ads", "cost": Decimal("1200")}, of the columns of by; or cost_minor.
        """
        options = _ffi.sized(_ffi.ValueCohortsOptions)
        options.as_of_ms = self._time(as_of, "as_of")
        options.first_from_ms = self._time(acquired_since, "acquired_since")
        options.first_until_ms = self._time(acquired_until, "acquired_until")
        wanted = {by} if isinstance(by, str) else set(by)
        options.by = sum(choice(_COHORTS, "by", one) for one in wanted)
        options.monetary = choice(_MONETARY, "monetary", monetary)
        options.margin_ratio = _values.double(margin, "margin")
        array = _cost_array(costs, self._context)
        options.costs, options.n_costs = array, len(array)
        options.segment = _values.text(segment, "segment")
        options.include_guests = int(include_guests)
        options.threads = _values.int32(threads, "threads")
        held = _ProfileValues(values)
        return self._options_table(
            options, progress, "cj_value_cohorts", after=(held.pointer,)
        )


class _ProfileValues:
    """A cj_profile_values of the columns profile and clv, and their memory."""

    def __init__(self, data: Any) -> None:
        self.pointer: Any = None
        if data is None:
            return
        self._columns = [_columns.of(data, n, c) for n, c in _PROFILE_COLUMNS]
        self._struct = _ffi.sized(_ffi.ProfileValues)
        self._struct.n = _columns.rows(self._columns, ("profile", "clv"))
        self._struct.profiles = self._columns[0].pointer
        self._struct.values = self._columns[1].pointer
        self.pointer = ctypes.byref(self._struct)


_PROFILE_COLUMNS = (("profile", "q"), ("clv", "d"))
_COST_FIELDS = ("month", "channel", "campaign", "cost", "cost_minor")


def _cost_array(costs: Sequence[Mapping[str, Any]], context: Context) -> Any:
    """An array of cj_cohort_cost."""
    array = (_ffi.CohortCost * len(costs))()
    for row, (target, cost) in enumerate(zip(array, costs)):
        try:
            _put_cost(target, cost, context)
        except InvalidError as error:
            raise InvalidError(error.message, row) from None
    return array


def _put_cost(target: Any, cost: Mapping[str, Any], context: Context) -> None:
    unknown = sorted(set(cost) - set(_COST_FIELDS))
    if unknown:
        raise InvalidError(f"costs: a cost has no field {unknown[0]!r}")
    if ("cost" in cost) == ("cost_minor" in cost):
        raise InvalidError("costs: cost or cost_minor is wanted, one of them")
    target.struct_size = _ffi.SIZES[_ffi.CohortCost]
    for name in _COST_FIELDS[:3]:
        setattr(target, name, _values.text(cost.get(name), name))
    if "cost" in cost:
        target.cost_minor = _values.minor(cost["cost"], context.exponent(), "cost")
    else:
        target.cost_minor = _values.int64(cost["cost_minor"], "cost_minor")


def concentration(
    *, minor: Optional[Iterable[int]] = None, value: Optional[Iterable[float]] = None
) -> Table:
    """How much of the value the best customers have: measure ("top 1 %" .. "top 50 %",
    "all", "half of the value", "gini"), customers, value_minor, value, ratio (the share).

    One of them: minor, money such as monetary_minor of Store.rfm(); or value, such as
    clv of ValueModel.predict().
    """
    columns: List[Optional[_columns.Column]] = [
        None if values is None else _columns.column(values, letter, what)
        for values, letter, what in ((minor, "q", "minor"), (value, "d", "value"))
    ]
    given = [one for one in columns if one is not None]
    if len(given) != 1:
        raise InvalidError("concentration: minor or value is wanted, one of them")
    pointers = [None if one is None else one.pointer for one in columns]
    return Table._call("cj_value_concentration", *pointers, given[0].n)
