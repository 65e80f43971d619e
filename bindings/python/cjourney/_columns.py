"""Columns of numbers as C wants them: int64 or double, in a row, at an address.

What is so already is looked at where it lies (a Table's column, a numpy array, a pandas
Series); what is not is copied, exactly or not at all.
"""

from __future__ import annotations

import array
import ctypes
import math
from typing import Any, Iterable, List, Optional, Sequence, Tuple

from .errors import InvalidError
from .table import Table, _np

_CTYPES: Any = {"q": ctypes.c_int64, "d": ctypes.c_double}
_NO_NUMBERS = (str, bytes, bytearray, complex)  # though float() takes some of them
_EXACT = 2.0**53  # up to here a double is the whole number it says


class Column:
    """n numbers at an address, and what keeps them there."""

    __slots__ = ("address", "n", "letter", "_keep")

    def __init__(self, address: int, n: int, letter: str, keep: Any) -> None:
        self.address = address
        self.n = n
        self.letter = letter
        self._keep = keep

    @property
    def pointer(self) -> Any:
        """For a field of a struct; the column must be kept until the call is over."""
        return ctypes.cast(self.address, ctypes.POINTER(_CTYPES[self.letter]))

    def __getitem__(self, row: int) -> Any:
        return _CTYPES[self.letter].from_address(self.address + 8 * row).value


def names(data: Any) -> List[str]:
    """The columns of a Table, a data frame (pandas, polars, Arrow) or a mapping."""
    for attribute in ("column_names", "columns"):
        found = getattr(data, attribute, None)
        if found is not None:
            return [str(name) for name in found]
    if hasattr(data, "keys"):
        return [str(name) for name in data.keys()]
    raise InvalidError(
        "data: a Table, a data frame or a mapping of columns is wanted, "
        f"not {type(data).__name__}"
    )


def find(data: Any, wanted: Sequence[str], letter: str) -> Optional[Column]:
    """The first of these columns that the data have, as int64 ("q") or double ("d")."""
    have = names(data)
    for name in wanted:
        if name in have:
            return of(data, name, letter)
    return None


def of(data: Any, name: str, letter: str) -> Column:
    if isinstance(data, Table):
        return _of_table(data, name, letter)
    return column(data[name], letter, name)


def column(values: Any, letter: str, what: str) -> Column:
    """Values of any kind as a column.  InvalidError has the row of what is no number."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise InvalidError(
            f"{what}: a column of numbers is wanted, not {type(values).__name__}"
        )
    if _np is not None:
        found = _of_numpy(values, letter, what)
        if found is not None:
            return found
    elif isinstance(values, array.array) and values.typecode == letter:
        return _of_array(values)
    return _of_objects(values, letter, what)


def rows(columns: Sequence[Column], what: Sequence[str]) -> int:
    """How long they all are."""
    for one, name in zip(columns, what):
        if one.n != columns[0].n:
            raise InvalidError(
                f"{name}: has {one.n} rows, and {what[0]} has {columns[0].n}"
            )
    return columns[0].n if columns else 0


def matrix(columns: Sequence[Column]) -> Column:
    """Columns of doubles side by side: row after row, a copy."""
    n, width = columns[0].n, len(columns)
    if _np is not None:
        out = _np.empty((n, width))
        for i, one in enumerate(columns):
            out[:, i] = _np.ctypeslib.as_array(one.pointer, (n,)) if n else []
        return Column(out.ctypes.data, n * width, "d", out)
    flat = array.array("d", bytes(8 * n * width))
    for i, one in enumerate(columns):
        flat[i::width] = array.array("d", (one[row] for row in range(n)))
    return _of_array(flat)


# ---- inside ------------------------------------------------------------------------


def _of_table(table: Table, name: str, letter: str) -> Column:
    place = table._place(name)
    kind = table.types[place]
    if kind == "text":
        raise InvalidError(f"{name}: is a column of text")
    present = table.validity(name)
    if present is not None and not all(present):
        raise InvalidError(f"{name}: a value is missing", list(present).index(False))
    if (kind == "double") == (letter == "d"):
        address, _ = table._number_address(place)
        return Column(address, len(table), letter, table)
    return column(table.column(name), letter, name)


def _of_numpy(values: Any, letter: str, what: str) -> Optional[Column]:
    """What numpy sees as numbers; None: it does not, and each is looked at."""
    if isinstance(values, (list, tuple)):
        return None
    plain = values.to_numpy() if hasattr(values, "to_numpy") else values
    plain = _np.asarray(plain)
    if plain.ndim != 1:
        raise InvalidError(f"{what}: has {plain.ndim} dimensions, and 1 is wanted")
    if plain.dtype.kind not in "iuf":
        return None
    if letter == "q":
        plain = _whole(plain, what)
    plain = _np.require(plain, "i8" if letter == "q" else "f8", ["C", "A"])
    return Column(plain.ctypes.data, len(plain), letter, plain)


def _whole(values: Any, what: str) -> Any:
    """Refuses what an int64 cannot hold."""
    if values.dtype.kind == "f":
        good = (_np.floor(values) == values) & (_np.abs(values) <= _EXACT)
    elif values.dtype.kind == "u":
        good = values < 2**63
    else:
        return values
    if not good.all():
        row = int(_np.argmin(good))
        raise InvalidError(f"{what}: is no whole number that fits", row)
    return values


def _of_array(values: Any) -> Column:
    memory = (_CTYPES[values.typecode] * len(values)).from_buffer(values)
    return Column(ctypes.addressof(memory), len(values), values.typecode, memory)


def _of_objects(values: Iterable[Any], letter: str, what: str) -> Column:
    one = _as_whole if letter == "q" else _as_double
    out: Any = array.array(letter)
    for row, value in enumerate(values):
        try:
            out.append(one(value))
        except (TypeError, ValueError, OverflowError):
            raise InvalidError(_wrong(value, letter, what), row) from None
    return _of_array(out)


def _as_whole(value: Any) -> int:
    if isinstance(value, float) and math.floor(value) == value and abs(value) <= _EXACT:
        return int(value)
    return int(value.__index__()) if hasattr(value, "__index__") else _refuse()


def _as_double(value: Any) -> float:
    return _refuse() if isinstance(value, _NO_NUMBERS) else float(value)


def _refuse() -> Any:
    raise TypeError


def _wrong(value: Any, letter: str, what: str) -> str:
    if value is None:
        return f"{what}: a value is missing"
    wanted = "a whole number" if letter == "q" else "a number"
    return f"{what}: {wanted} is wanted, not {type(value).__name__}"
