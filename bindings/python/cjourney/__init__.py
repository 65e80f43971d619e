"""libcjourney for Python: customer analytics in one SQLite file, in this process.

import cjourney

with cjourney.open("shop.db", currency="EUR") as store:
    store.record("order", email="ann@example.com", value=Decimal("25.90"))
    print(store.rfm(identifier="email").to_pandas())
"""

from __future__ import annotations

from ._ffi import VERSION as __version__
from ._store_value import concentration
from .errors import (
    BusyError,
    CJourneyError,
    CorruptError,
    CurrencyError,
    ExistsError,
    ForkError,
    InterruptError,
    InvalidError,
    LibraryNotFoundError,
    LimitError,
    LockError,
    MisuseError,
    NoMemoryError,
    NotFoundError,
    ReadOnlyError,
    RejectError,
    StorageError,
    VersionError,
)
from .events import Event, ImportResult, Item, RecordResult, RfmClass
from .store import Store, rfm_classes, version
from .table import Row, Table
from .value import FitFacts, Validation, ValueModel, compare_models, value_models

open = Store

__all__ = [
    "BusyError",
    "CJourneyError",
    "CorruptError",
    "CurrencyError",
    "Event",
    "ExistsError",
    "FitFacts",
    "ForkError",
    "ImportResult",
    "InterruptError",
    "InvalidError",
    "Item",
    "LibraryNotFoundError",
    "LimitError",
    "LockError",
    "MisuseError",
    "NoMemoryError",
    "NotFoundError",
    "ReadOnlyError",
    "RecordResult",
    "RejectError",
    "RfmClass",
    "Row",
    "StorageError",
    "Store",
    "Table",
    "Validation",
    "ValueModel",
    "VersionError",
    "__version__",
    "compare_models",
    "concentration",
    "open",
    "rfm_classes",
    "value_models",
    "version",
]
