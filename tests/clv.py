"""The value models through cjourney.h for the Python tests: customers in numpy columns,
fitted models, tables as dictionaries of arrays."""

import ctypes
import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from cjourney import _ffi

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "clv"
WEEK = 7.0
YEAR = 365.2425


def library():
    c = ctypes.CDLL(os.environ.get("CJOURNEY_LIBRARY", "build/release/libcjourney.so"))
    for name, result, arguments in _ffi.FUNCTIONS:
        function = getattr(c, name)
        function.restype, function.argtypes = result, arguments
    return c


C = library()


def must(code):
    assert code == 0, C.cj_errmsg().decode()


def shared(name):
    """A file of the shared data, or the test is skipped, which is said."""
    path = DATA / name
    if not path.exists():
        print(f"SKIPPED: {path} is not there; set CJ_TEST_DATA", file=sys.stderr)
        pytest.skip(f"{path} is not there: set CJ_TEST_DATA")
    return path


def mp():
    """mpmath with 30 digits, or the test is skipped, which is said."""
    try:
        from mpmath import mp as found
    except ImportError:
        print("SKIPPED: mpmath is not there (python3-mpmath)", file=sys.stderr)
        pytest.skip("mpmath is not there (python3-mpmath)")
    found.dps = 30
    return found


def pointer(array, kind):
    return array.ctypes.data_as(ctypes.POINTER(kind)) if array is not None else None


def doubles(values):
    return None if values is None else np.ascontiguousarray(values, dtype=np.float64)


class Data:
    """cj_clv_data over arrays, which it keeps."""

    def __init__(self, x, tx=None, t=None, spend=None, weight=None):
        self.x = np.ascontiguousarray(x, dtype=np.int64)
        self.tx, self.t, self.spend, self.weight = map(doubles, (tx, t, spend, weight))
        self.c = _ffi.sized(_ffi.ClvData)
        self.c.n = len(self.x)
        self.c.x = pointer(self.x, ctypes.c_int64)
        for name in ("tx", "t", "spend", "weight"):
            setattr(self.c, name, pointer(getattr(self, name), ctypes.c_double))


def cdnow():
    """The CDNOW sample in days, and what happened in the 39 weeks behind it."""
    with open(shared("cdnow_cbs_days.csv"), encoding="ascii") as file:
        rows = list(csv.DictReader(file))

    def column(name):
        return np.array([float(row[name]) for row in rows])

    data = Data(column("x"), column("tx_days"), column("T_days"), column("zbar"))
    return data, column("x_star"), column("spend_star")


def options(struct, **fields):
    o = _ffi.sized(struct)
    for name, value in fields.items():
        setattr(o, name, value)
    return o


def table_of(out):
    """A table as {column: array}; rows that are null are NaN, text is a list."""
    n, found = C.cj_table_rows(out), {}
    for i in range(C.cj_table_columns(out)):
        name, kind = C.cj_table_name(out, i).decode(), C.cj_table_type(out, i)
        if kind == 3:
            offsets = ctypes.POINTER(ctypes.c_int64)()
            at = C.cj_table_text(out, i, ctypes.byref(offsets))
            found[name] = [ctypes.string_at(at + offsets[r], offsets[r + 1] - offsets[r]).decode() for r in range(n)]
            continue
        get = C.cj_table_int64 if kind == 1 else C.cj_table_double
        values = np.ctypeslib.as_array(get(out, i), (n,)).astype(float) if n else np.zeros(0)
        bits = C.cj_table_validity(out, i)
        if bits and n:
            present = np.unpackbits(np.ctypeslib.as_array(bits, ((n + 7) // 8,)), bitorder="little")[:n]
            values = np.where(present == 1, values, np.nan)
        found[name] = values
    C.cj_table_free(out)
    return found


class Model:
    """A cj_clv, freed with this object."""

    def __init__(self, handle):
        self.handle = handle

    def __del__(self):
        C.cj_clv_free(self.handle)

    @classmethod
    def fit(cls, data, model, unit_days=1.0, **more):
        handle = ctypes.c_void_p()
        o = options(_ffi.ClvFitOptions, model=model.encode(), unit_days=unit_days, **more)
        must(C.cj_clv_fit(ctypes.byref(data.c), ctypes.byref(o), ctypes.byref(handle)))
        return cls(handle)

    @classmethod
    def given(cls, model, unit_days=1.0, **params):
        """A model at parameters that nobody fitted."""
        text = json.dumps({"format": 1, "model": model, "unit_days": unit_days, "params": params,
                           "status": "converged", "loglik": 0}).encode()
        handle = ctypes.c_void_p()
        must(C.cj_clv_from_json(text, len(text), ctypes.byref(handle)))
        return cls(handle)

    def json(self):
        text, n = ctypes.c_void_p(), ctypes.c_int64()
        must(C.cj_clv_to_json(self.handle, ctypes.byref(text), ctypes.byref(n)))
        found = json.loads(ctypes.string_at(text, n.value))
        C.cj_text_free(text)
        return found

    def predict(self, data, columns=0, spend=None, money=0.0, **more):
        """spend: a spend model; money: the option of that name."""
        out = ctypes.c_void_p()
        o = options(_ffi.ClvPredictOptions, columns=columns, spend=money, **more)
        must(C.cj_clv_predict(self.handle, spend.handle if spend else None, ctypes.byref(data.c), ctypes.byref(o),
                              ctypes.byref(out)))
        return table_of(out)

    def validate(self, data, days, x_star, spend_star=None, spend=None):
        """(facts, bins)"""
        x_star, spend_star = np.ascontiguousarray(x_star, dtype=np.int64), doubles(spend_star)
        h = options(_ffi.ClvHoldout, days=days, x=pointer(x_star, ctypes.c_int64),
                    spend=pointer(spend_star, ctypes.c_double))
        facts, bins = _ffi.sized(_ffi.ClvValidation), ctypes.c_void_p()
        must(C.cj_clv_validate(self.handle, spend.handle if spend else None, ctypes.byref(data.c), ctypes.byref(h),
                               ctypes.byref(facts), ctypes.byref(bins)))
        return facts, table_of(bins)

    def tracking(self, data, purchase_days=None, **more):
        out, days = ctypes.c_void_p(), doubles(purchase_days)
        o = options(_ffi.ClvTrackOptions, purchase_days=pointer(days, ctypes.c_double),
                    n_purchases=0 if days is None else len(days), **more)
        must(C.cj_clv_tracking(self.handle, ctypes.byref(data.c), ctypes.byref(o), ctypes.byref(out)))
        return table_of(out)

    def histogram(self, data, largest=0):
        out = ctypes.c_void_p()
        must(C.cj_clv_histogram(self.handle, ctypes.byref(data.c), largest, ctypes.byref(out)))
        return table_of(out)

    def history(self, purchase_days, until_days, step_days=0.0):
        out, days = ctypes.c_void_p(), doubles(purchase_days)
        must(C.cj_clv_history(self.handle, pointer(days, ctypes.c_double), len(days), until_days, step_days,
                              ctypes.byref(out)))
        return table_of(out)


def compare(data, models, unit_days=1.0, days=0.0, x_star=None, criterion=None):
    """cj_clv_compare; with a holdout where x_star is given."""
    names = (ctypes.c_char_p * len(models))(*(name.encode() for name in models))
    out, o = ctypes.c_void_p(), options(_ffi.ClvCompareOptions, models=names, n_models=len(models), unit_days=unit_days)
    if x_star is not None:
        x_star = np.ascontiguousarray(x_star, dtype=np.int64)
        holdout = options(_ffi.ClvHoldout, days=days, x=pointer(x_star, ctypes.c_int64))
        o.holdout = ctypes.pointer(holdout)
    if criterion:
        o.criterion = criterion.encode()
    must(C.cj_clv_compare(ctypes.byref(data.c), ctypes.byref(o), ctypes.byref(out)))
    return table_of(out)
