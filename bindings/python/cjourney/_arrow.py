"""The Arrow PyCapsule interface: structs of the C data interface and their capsules.

A capsule's destructor runs wherever its last reference goes, also while an exception is
in flight; Python code run from there loses the exception and can crash the interpreter.
So the capsules have none: a list here holds each with its struct, and what nobody else
refers to any more is released at the next export and at the end of each table.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from ctypes import CFUNCTYPE, Structure, addressof, c_char_p, c_int64, c_void_p
from typing import Any, List, Tuple

_Release = CFUNCTYPE(None, c_void_p)


class ArrowSchema(Structure):
    _fields_ = [
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_void_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class ArrowArray(Structure):
    _fields_ = [
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class ArrowArrayStream(Structure):
    _fields_ = [
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


# PyCapsule_New keeps the pointer to a name, not the name.
_NAMES = {
    ArrowSchema: ctypes.create_string_buffer(b"arrow_schema"),
    ArrowArray: ctypes.create_string_buffer(b"arrow_array"),
    ArrowArrayStream: ctypes.create_string_buffer(b"arrow_array_stream"),
}

_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_void_p, c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)

_lock = threading.Lock()
_held: List[Tuple[Any, Structure]] = []


def capsule(struct: Structure) -> Any:
    """A capsule of a filled struct, which is released once the capsule is gone."""
    name = addressof(_NAMES[type(struct)])
    made = _new_capsule(addressof(struct), name, None)
    with _lock:
        _held.append((made, struct))
    return made


def sweep() -> None:
    """Release what belongs to capsules that nobody holds any more."""
    # Not reentrant: a garbage collection in here may end a table, which sweeps too.
    if not _held or not _lock.acquire(blocking=False):
        return
    try:
        gone = [entry for entry in _held if _references(entry) <= _IDLE]
        if gone:
            ids = {id(entry) for entry in gone}
            _held[:] = [entry for entry in _held if id(entry) not in ids]
    finally:
        _lock.release()
    for _, struct in gone:
        release(struct)


def release(struct: Structure) -> None:
    """Call a struct's release function, unless its consumer has taken it over."""
    if struct.release:
        _Release(struct.release)(addressof(struct))


def _references(entry: Tuple[Any, Structure]) -> int:
    return sys.getrefcount(entry[0])


# How many references an object has that only one entry holds, counted the same way.
_IDLE = _references((object(), ArrowSchema()))
