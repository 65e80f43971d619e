"""cjourney.h as tables: every constant, struct and function, in the header's order.

tests/test_ffi.py parses the header and asks the C compiler, and fails where a row here
differs.  Nothing is loaded and nothing is called in this module.
"""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_int32,
    c_int64,
    c_uint8,
    c_uint64,
    c_void_p,
    sizeof,
)
from typing import Any, Dict, List, Tuple, Type

VERSION = "0.4.0"

CONSTANTS: Dict[str, int] = {
    "CJ_OK": 0,
    "CJ_EINVAL": -1,
    "CJ_ENOMEM": -2,
    "CJ_EIO": -3,
    "CJ_EBUSY": -4,
    "CJ_ECORRUPT": -5,
    "CJ_EVERSION": -6,
    "CJ_ENOTFOUND": -7,
    "CJ_EEXISTS": -8,
    "CJ_EFORK": -9,
    "CJ_EMISUSE": -10,
    "CJ_EINTERRUPT": -11,
    "CJ_ECURRENCY": -12,
    "CJ_EREJECT": -13,
    "CJ_ELIMIT": -14,
    "CJ_EREADONLY": -15,
    "CJ_ELOCK": -16,
    "CJ_OPEN_READONLY": 1,
    "CJ_OPEN_NOCREATE": 2,
    "CJ_OPEN_DEFERRED": 4,
    "CJ_SEGMENT_LIVE": 1,
    "CJ_RFM_DAYS": 0,
    "CJ_RFM_HOURS": 1,
    "CJ_RFM_ORDERS": 0,
    "CJ_RFM_REPEAT_DAYS": 1,
    "CJ_RFM_NET": 0,
    "CJ_RFM_GROSS": 1,
    "CJ_RFM_TOTAL": 0,
    "CJ_RFM_MEAN": 1,
    "CJ_CLV_DAY": 0,
    "CJ_CLV_WEEK": 1,
    "CJ_CLV_ANY": 2,
    "CJ_CLV_REFUND_NET": 0,
    "CJ_CLV_REFUND_DROP": 1,
    "CJ_CLV_REFUND_IGNORE": 2,
    "CJ_COHORT_MONTH": 1,
    "CJ_COHORT_CHANNEL": 2,
    "CJ_COHORT_CAMPAIGN": 4,
    "CJ_CLV_P_ALIVE": 1,
    "CJ_CLV_EXPECTED": 2,
    "CJ_CLV_PROBABILITY": 4,
    "CJ_CLV_BACK": 8,
    "CJ_CLV_DISCOUNTED": 16,
    "CJ_CLV_RESIDUAL": 32,
    "CJ_CLV_SPEND": 64,
    "CJ_CLV_VALUE": 128,
    "CJ_CLV_NEXT": 256,
    "CJ_CLV_QUANTILES": 512,
    "CJ_CLV_INTERVALS": 1024,
    "CJ_CLV_ALL": -1,
    "CJ_INT64": 1,
    "CJ_DOUBLE": 2,
    "CJ_TEXT": 3,
}

# ---- hooks -------------------------------------------------------------------------

ReallocHook = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_uint64, c_uint64)
LogHook = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
ClockHook = CFUNCTYPE(c_int64, c_void_p)
ProgressHook = CFUNCTYPE(c_int32, c_void_p, c_int64, c_int64)

HOOKS: Dict[str, Any] = {
    "cj_realloc_fn": ReallocHook,
    "cj_log_fn": LogHook,
    "cj_clock_fn": ClockHook,
    "cj_progress_fn": ProgressHook,
}

# ---- structs -----------------------------------------------------------------------


class OpenOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("flags", c_int64),
        ("currency", c_char_p),
        ("time_zone", c_char_p),
        ("busy_ms", c_int64),
        ("commit_ms", c_int64),
        ("seal_events", c_int64),
        ("realloc", ReallocHook),
        ("realloc_user", c_void_p),
        ("log", LogHook),
        ("log_user", c_void_p),
        ("clock", ClockHook),
        ("clock_user", c_void_p),
    ]


class Identifier(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("kind", c_char_p),
        ("value", c_char_p),
    ]


class Item(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("product", c_char_p),
        ("quantity", c_int64),
        ("value_minor", c_int64),
        ("properties", c_char_p),
    ]


class Event(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("time_ms", c_int64),
        ("name", c_char_p),
        ("channel", c_char_p),
        ("identifiers", POINTER(Identifier)),
        ("n_identifiers", c_int64),
        ("message_id", c_char_p),
        ("session", c_char_p),
        ("campaign", c_char_p),
        ("content", c_char_p),
        ("product", c_char_p),
        ("order_id", c_char_p),
        ("quantity", c_int64),
        ("value_minor", c_int64),
        ("currency", c_char_p),
        ("properties", c_char_p),
        ("items", POINTER(Item)),
        ("n_items", c_int64),
    ]


class RecordResult(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n_recorded", c_int64),
        ("n_duplicates", c_int64),
        ("n_rejected", c_int64),
        ("first_reject", c_int64),
    ]


class ImportOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("format", c_char_p),
        ("map", c_char_p),
        ("guest", c_char_p),
        ("time_zone", c_char_p),
        ("currency", c_char_p),
        ("name", c_char_p),
        ("channel", c_char_p),
        ("source", c_char_p),
        ("reject_path", c_char_p),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ImportResult(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n_lines", c_int64),
        ("n_recorded", c_int64),
        ("n_duplicates", c_int64),
        ("n_rejected", c_int64),
        ("n_events", c_int64),
    ]


class EventsOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("profile", c_int64),
        ("from_ms", c_int64),
        ("until_ms", c_int64),
        ("name", c_char_p),
        ("limit", c_int64),
        ("threads", c_int64),
    ]


class RfmClass(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("name", c_char_p),
        ("r_min", c_int64),
        ("r_max", c_int64),
        ("f_min", c_int64),
        ("f_max", c_int64),
        ("m_min", c_int64),
        ("m_max", c_int64),
    ]


class RfmOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("as_of_ms", c_int64),
        ("from_ms", c_int64),
        ("recency", c_int32),
        ("frequency", c_int32),
        ("monetary", c_int32),
        ("monetary_of", c_int32),
        ("n_bins", c_int32),
        ("threads", c_int32),
        ("r_limits", POINTER(c_int64)),
        ("n_r_limits", c_int64),
        ("f_limits", POINTER(c_int64)),
        ("n_f_limits", c_int64),
        ("m_limits", POINTER(c_int64)),
        ("n_m_limits", c_int64),
        ("classes", POINTER(RfmClass)),
        ("n_classes", c_int64),
        ("identifier", c_char_p),
        ("include_guests", c_int32),
        ("reserved", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ClvSummaryOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("as_of_ms", c_int64),
        ("holdout_end_ms", c_int64),
        ("from_ms", c_int64),
        ("first_from_ms", c_int64),
        ("first_until_ms", c_int64),
        ("period", c_int32),
        ("refunds", c_int32),
        ("segment", c_char_p),
        ("identifier", c_char_p),
        ("include_guests", c_int32),
        ("include_free", c_int32),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ClvRefreshOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("as_of_ms", c_int64),
        ("model", c_char_p),
        ("spend", c_char_p),
        ("discount_ratio", c_double),
        ("months", c_int32),
        ("period", c_int32),
        ("refunds", c_int32),
        ("include_free", c_int32),
        ("include_guests", c_int32),
        ("everybody", c_int32),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ClvRefreshResult(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n_scored", c_int64),
        ("n_forgotten", c_int64),
        ("is_whole", c_int64),
    ]


class ProfileValues(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n", c_int64),
        ("profiles", POINTER(c_int64)),
        ("values", POINTER(c_double)),
    ]


class CohortCost(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("month", c_char_p),
        ("channel", c_char_p),
        ("campaign", c_char_p),
        ("cost_minor", c_int64),
    ]


class ValueCohortsOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("as_of_ms", c_int64),
        ("first_from_ms", c_int64),
        ("first_until_ms", c_int64),
        ("by", c_int32),
        ("monetary", c_int32),
        ("margin_ratio", c_double),
        ("costs", POINTER(CohortCost)),
        ("n_costs", c_int64),
        ("segment", c_char_p),
        ("include_guests", c_int32),
        ("threads", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ClvData(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n", c_int64),
        ("x", POINTER(c_int64)),
        ("tx", POINTER(c_double)),
        ("t", POINTER(c_double)),
        ("spend", POINTER(c_double)),
        ("weight", POINTER(c_double)),
        ("covariates", POINTER(c_double)),
        ("n_covariates", c_int64),
        ("covariate_names", POINTER(c_char_p)),
        ("litt", POINTER(c_double)),
    ]


class ClvFitOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("model", c_char_p),
        ("unit_days", c_double),
        ("k", c_int32),
        ("threads", c_int32),
        ("prior_median", POINTER(c_double)),
        ("prior_spread", POINTER(c_double)),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ClvFitFacts(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("model", c_char_p),
        ("status", c_char_p),
        ("text", c_char_p),
        ("is_converged", c_int32),
        ("k", c_int32),
        ("unit_days", c_double),
        ("n_rows", c_int64),
        ("n_groups", c_int64),
        ("n_customers", c_double),
        ("n_repeaters", c_double),
        ("n_estimated", c_int64),
        ("n_iterations", c_int64),
        ("loglik", c_double),
        ("aic", c_double),
        ("bic", c_double),
        ("gradient_norm", c_double),
        ("condition", c_double),
    ]


class ClvPredictOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("columns", c_int64),
        ("from_days", c_double),
        ("until_days", c_double),
        ("horizon_days", c_double),
        ("discount_ratio", c_double),
        ("margin_ratio", c_double),
        ("spend", c_double),
        ("level", c_double),
        ("n_purchases", c_int64),
        ("period_days", c_double),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class ClvHoldout(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("days", c_double),
        ("x", POINTER(c_int64)),
        ("spend", POINTER(c_double)),
    ]


class ClvValidation(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n_customers", c_double),
        ("mae", c_double),
        ("rmse", c_double),
        ("msle", c_double),
        ("own_pace_mae", c_double),
        ("bias_ratio", c_double),
        ("actual_purchases", c_double),
        ("expected_purchases", c_double),
        ("actual_value", c_double),
        ("expected_value", c_double),
        ("gini_actual", c_double),
        ("gini_model", c_double),
        ("brier", c_double),
        ("calibration", c_double),
        ("verdict", c_char_p),
    ]


class ClvTrackOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("period_days", c_double),
        ("n_periods", c_int64),
        ("start_days", c_double),
        ("purchase_days", POINTER(c_double)),
        ("n_purchases", c_int64),
        ("threads", c_int32),
        ("reserved", c_int32),
    ]


class ClvDependence(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("n_customers", c_double),
        ("correlation", c_double),
        ("low", c_double),
        ("high", c_double),
        ("p_value", c_double),
        ("status", c_char_p),
        ("text", c_char_p),
    ]


class ClvCompareOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("models", POINTER(c_char_p)),
        ("n_models", c_int64),
        ("holdout", POINTER(ClvHoldout)),
        ("criterion", c_char_p),
        ("unit_days", c_double),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


class SegmentOptions(Structure):
    _fields_ = [
        ("struct_size", c_int64),
        ("as_of_ms", c_int64),
        ("deadline_ms", c_int64),
        ("identifier", c_char_p),
        ("threads", c_int32),
        ("members_only", c_int32),
        ("progress", ProgressHook),
        ("progress_user", c_void_p),
    ]


STRUCTS: Dict[str, Type[Structure]] = {
    "cj_open_options": OpenOptions,
    "cj_identifier": Identifier,
    "cj_item": Item,
    "cj_event": Event,
    "cj_record_result": RecordResult,
    "cj_import_options": ImportOptions,
    "cj_import_result": ImportResult,
    "cj_events_options": EventsOptions,
    "cj_rfm_class": RfmClass,
    "cj_rfm_options": RfmOptions,
    "cj_clv_data": ClvData,
    "cj_clv_fit_options": ClvFitOptions,
    "cj_clv_fit_facts": ClvFitFacts,
    "cj_clv_summary_options": ClvSummaryOptions,
    "cj_clv_refresh_options": ClvRefreshOptions,
    "cj_clv_refresh_result": ClvRefreshResult,
    "cj_profile_values": ProfileValues,
    "cj_cohort_cost": CohortCost,
    "cj_value_cohorts_options": ValueCohortsOptions,
    "cj_clv_predict_options": ClvPredictOptions,
    "cj_clv_holdout": ClvHoldout,
    "cj_clv_validation": ClvValidation,
    "cj_clv_track_options": ClvTrackOptions,
    "cj_clv_dependence": ClvDependence,
    "cj_clv_compare_options": ClvCompareOptions,
    "cj_segment_options": SegmentOptions,
}

SIZES: Dict[Type[Structure], int] = {
    struct: sizeof(struct) for struct in STRUCTS.values()
}

# ---- functions ---------------------------------------------------------------------

# cj_db * and cj_table * are c_void_p, so their ** are POINTER(c_void_p); text that comes
# out without a NUL, or that has to be freed, is c_void_p too.
_db = c_void_p
_table = c_void_p
_clv = c_void_p
_out = POINTER(c_void_p)
_int64_out = POINTER(c_int64)

FUNCTIONS: List[Tuple[str, Any, List[Any]]] = [
    # name, result, arguments
    ("cj_version", c_char_p, []),
    ("cj_errmsg", c_char_p, []),
    ("cj_errpos", c_int64, []),
    ("cj_error_name", c_char_p, [c_int32]),
    ("cj_open", c_int32, [c_char_p, POINTER(OpenOptions), _out]),
    ("cj_close", c_int32, [_db]),
    ("cj_interrupt", c_int32, [_db]),
    ("cj_flush", c_int32, [_db]),
    ("cj_record", c_int32, [_db, POINTER(Event)]),
    (
        "cj_record_many",
        c_int32,
        [_db, POINTER(Event), c_int64, c_int64, POINTER(RecordResult)],
    ),
    (
        "cj_record_json",
        c_int32,
        [_db, c_char_p, c_int64, c_char_p, POINTER(RecordResult)],
    ),
    (
        "cj_identify",
        c_int32,
        [_db, POINTER(Identifier), c_int64, c_char_p, c_int64, c_char_p, _int64_out],
    ),
    ("cj_alias", c_int32, [_db, POINTER(Identifier), POINTER(Identifier)]),
    (
        "cj_import_file",
        c_int32,
        [_db, c_char_p, POINTER(ImportOptions), POINTER(ImportResult)],
    ),
    ("cj_failed_events", c_int32, [_db, _out]),
    ("cj_failed_retry", c_int32, [_db, POINTER(RecordResult)]),
    ("cj_profile_find", c_int32, [_db, c_char_p, c_char_p, _int64_out]),
    ("cj_profile_identifiers", c_int32, [_db, c_int64, _out]),
    ("cj_profile_traits", c_int32, [_db, c_int64, c_int64, _out]),
    ("cj_merge", c_int32, [_db, c_int64, c_int64, _int64_out]),
    ("cj_unmerge", c_int32, [_db, c_int64]),
    ("cj_edges", c_int32, [_db, c_int64, _out]),
    ("cj_identifier_block", c_int32, [_db, c_char_p, c_char_p]),
    ("cj_events", c_int32, [_db, POINTER(EventsOptions), _out]),
    ("cj_rfm", c_int32, [_db, POINTER(RfmOptions), _out]),
    ("cj_rfm_classes", c_int32, [_out]),
    ("cj_clv_models", c_int32, [_out]),
    ("cj_clv_fit", c_int32, [POINTER(ClvData), POINTER(ClvFitOptions), _out]),
    ("cj_clv_free", None, [_clv]),
    ("cj_clv_parameters", c_int32, [_clv, _out]),
    ("cj_clv_facts", c_int32, [_clv, POINTER(ClvFitFacts)]),
    ("cj_clv_to_json", c_int32, [_clv, _out, _int64_out]),
    ("cj_clv_from_json", c_int32, [c_char_p, c_int64, _out]),
    ("cj_clv_summary", c_int32, [_db, POINTER(ClvSummaryOptions), _out]),
    ("cj_clv_purchases", c_int32, [_db, POINTER(ClvSummaryOptions), _out]),
    ("cj_clv_save", c_int32, [_db, c_char_p, _clv]),
    ("cj_clv_load", c_int32, [_db, c_char_p, _out]),
    ("cj_clv_saved", c_int32, [_db, _out]),
    ("cj_clv_drop", c_int32, [_db, c_char_p]),
    (
        "cj_clv_refresh",
        c_int32,
        [_db, POINTER(ClvRefreshOptions), POINTER(ClvRefreshResult)],
    ),
    (
        "cj_rfm_distribution",
        c_int32,
        [_db, POINTER(RfmOptions), POINTER(ProfileValues), _out],
    ),
    ("cj_rfm_migrate", c_int32, [_db, POINTER(RfmOptions), c_int64, _out]),
    (
        "cj_value_concentration",
        c_int32,
        [POINTER(c_int64), POINTER(c_double), c_int64, _out],
    ),
    (
        "cj_value_cohorts",
        c_int32,
        [_db, POINTER(ValueCohortsOptions), POINTER(ProfileValues), _out],
    ),
    (
        "cj_clv_predict",
        c_int32,
        [_clv, _clv, POINTER(ClvData), POINTER(ClvPredictOptions), _out],
    ),
    (
        "cj_clv_validate",
        c_int32,
        [
            _clv,
            _clv,
            POINTER(ClvData),
            POINTER(ClvHoldout),
            POINTER(ClvValidation),
            _out,
        ],
    ),
    (
        "cj_clv_tracking",
        c_int32,
        [_clv, POINTER(ClvData), POINTER(ClvTrackOptions), _out],
    ),
    (
        "cj_clv_spend_dependence",
        c_int32,
        [POINTER(ClvData), POINTER(ClvDependence)],
    ),
    ("cj_clv_histogram", c_int32, [_clv, POINTER(ClvData), c_int64, _out]),
    (
        "cj_clv_history",
        c_int32,
        [_clv, POINTER(c_double), c_int64, c_double, c_double, _out],
    ),
    (
        "cj_clv_compare",
        c_int32,
        [POINTER(ClvData), POINTER(ClvCompareOptions), _out],
    ),
    (
        "cj_segment_evaluate",
        c_int32,
        [_db, c_char_p, POINTER(SegmentOptions), _out],
    ),
    ("cj_segment_define", c_int32, [_db, c_char_p, c_char_p, c_int64]),
    (
        "cj_segment_define_list",
        c_int32,
        [_db, c_char_p, POINTER(c_int64), c_int64],
    ),
    ("cj_segment_drop", c_int32, [_db, c_char_p]),
    ("cj_segment_advance", c_int32, [_db, c_int64, _int64_out]),
    ("cj_segment_feed", c_int32, [_db, c_int64, c_int64, _out]),
    ("cj_segments", c_int32, [_db, _out]),
    (
        "cj_segment_members",
        c_int32,
        [_db, c_char_p, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_count",
        c_int32,
        [_db, c_char_p, POINTER(SegmentOptions), _int64_out],
    ),
    (
        "cj_profile_segments",
        c_int32,
        [_db, c_int64, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_explain",
        c_int32,
        [_db, c_char_p, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_why",
        c_int32,
        [_db, c_int64, c_char_p, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_overlap",
        c_int32,
        [_db, POINTER(c_char_p), c_int64, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_sizes",
        c_int32,
        [_db, c_char_p, c_int64, c_int64, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_compare",
        c_int32,
        [_db, c_char_p, c_char_p, c_int64, POINTER(SegmentOptions), _out],
    ),
    (
        "cj_segment_format",
        c_int32,
        [_db, c_char_p, c_char_p, c_char_p, _out, _int64_out],
    ),
    ("cj_table_rows", c_int64, [_table]),
    ("cj_table_columns", c_int64, [_table]),
    ("cj_table_name", c_char_p, [_table, c_int64]),
    ("cj_table_type", c_int32, [_table, c_int64]),
    ("cj_table_int64", POINTER(c_int64), [_table, c_int64]),
    ("cj_table_double", POINTER(c_double), [_table, c_int64]),
    ("cj_table_text", c_void_p, [_table, c_int64, POINTER(POINTER(c_int64))]),
    ("cj_table_validity", POINTER(c_uint8), [_table, c_int64]),
    ("cj_table_export_arrow", c_int32, [_table, c_void_p, c_void_p]),
    ("cj_table_export_stream", c_int32, [_table, c_void_p]),
    ("cj_table_format", c_int32, [_table, c_char_p, _out, _int64_out]),
    ("cj_text_free", None, [c_void_p]),
    ("cj_table_free", None, [_table]),
    ("cj_time_parse", c_int32, [_db, c_char_p, _int64_out]),
    ("cj_compact", c_int32, [_db, ProgressHook, c_void_p]),
    ("cj_check", c_int32, [_db, _out]),
    ("cj_stats", c_int32, [_db, _out]),
]


def sized(struct: Type[Structure]) -> Any:
    """A zeroed struct that says its size, as every struct of the header must."""
    return struct(SIZES[struct])
