"""Results: immutable columns in the library's memory, looked at without copying.

Whatever looks at that memory (a numpy view, an Arrow export) keeps it alive, so a Table
may be dropped, and its Store closed, while views of it are in use.
"""

from __future__ import annotations

import array
import ctypes
import functools
import html
import sys
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Type,
    Union,
    overload,
)

from . import _arrow, _ffi, _library, _values
from .errors import InvalidError

if TYPE_CHECKING:
    import pandas

try:
    import numpy as _numpy

    _np: Any = _numpy
except ImportError:
    _np = None

_TYPES = {
    _ffi.CONSTANTS["CJ_INT64"]: "int64",
    _ffi.CONSTANTS["CJ_DOUBLE"]: "double",
    _ffi.CONSTANTS["CJ_TEXT"]: "text",
}
_ORDER = "<" if sys.byteorder == "little" else ">"
_INT, _FLOAT = _ORDER + "i8", _ORDER + "f8"  # as numpy writes them
_CTYPES: Dict[str, Any] = {_INT: ctypes.c_int64, _FLOAT: ctypes.c_double}
_CHUNK = 4096  # rows turned into Python objects at a time while iterating
_SHOWN = 20  # rows of a repr


class Row(tuple[Any, ...]):
    """One row: a tuple whose fields have names, row["class"] or row.frequency.

    A name that is a Python keyword is an attribute with an underscore: row.class_.
    """

    __slots__ = ()
    _fields: Tuple[str, ...] = ()
    _places: Dict[str, int] = {}

    @overload  # type: ignore[override]
    def __getitem__(self, key: Union[int, str]) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> Tuple[Any, ...]: ...
    def __getitem__(self, key: Union[int, str, slice]) -> Any:
        if isinstance(key, str):
            key = self._places[key]
        return tuple.__getitem__(self, key)

    def __getattr__(self, name: str) -> Any:
        place = self._places.get(name, self._places.get(name.rstrip("_")))
        if place is None:
            raise AttributeError(f"the row has no column {name}")
        return tuple.__getitem__(self, place)

    def keys(self) -> Tuple[str, ...]:
        return self._fields

    def to_dict(self) -> Dict[str, Any]:
        return dict(zip(self._fields, self))

    def __repr__(self) -> str:
        fields = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self))
        return f"Row({fields})"


class _Owner:
    """A cj_table *, freed when the last that needs it is gone."""

    __slots__ = ("pointer", "_free", "_sweep")

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        self._free = _library.load().cj_table_free
        self._sweep = _arrow.sweep

    def __del__(self) -> None:
        self._free(self.pointer)
        self._sweep()


class _View:
    """What numpy needs to look at memory; the array keeps this, and this the owner."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, owner: _Owner, address: int, kind: str, n: int) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "version": 3,
            "data": (address, True),  # True: read only
            "typestr": kind,
            "shape": (n,),
        }


class Table:
    """An immutable result: named columns of int64, double or text.

    len(table) rows; table["frequency"] a column, table[0] a row; iterating gives rows.
    """

    def __init__(self, pointer: int) -> None:
        """Takes over a cj_table *; tables come from the methods of a Store."""
        self._owner = _Owner(pointer)
        library = _library.load()
        self._library = library
        self._rows: int = library.cj_table_rows(pointer)
        count: int = library.cj_table_columns(pointer)
        self._columns = tuple(
            library.cj_table_name(pointer, i).decode() for i in range(count)
        )
        self._types = tuple(
            _TYPES[library.cj_table_type(pointer, i)] for i in range(count)
        )

    @classmethod
    def _call(cls, name: str, *arguments: Any) -> Table:
        """The table of a function of the library that needs no store."""
        out = ctypes.c_void_p()
        library = _library.load()
        _library.check(getattr(library, name)(*arguments, ctypes.byref(out)))
        return cls(out.value or 0)

    # ---- shape ---------------------------------------------------------------------

    @property
    def columns(self) -> Tuple[str, ...]:
        """The names of the columns."""
        return self._columns

    @property
    def types(self) -> Tuple[str, ...]:
        """One of "int64", "double", "text" for each column."""
        return self._types

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._rows

    @property
    def shape(self) -> Tuple[int, int]:
        return self._rows, len(self._columns)

    def __len__(self) -> int:
        return self._rows

    # ---- columns -------------------------------------------------------------------

    def column(self, name: str) -> Any:
        """A column: a read-only numpy view of the library's memory (without numpy, a
        memoryview) for numbers, a list for text, where None is null.

        In a view, a null is 0 or NaN; validity() tells them apart.
        """
        place = self._place(name)
        if self._types[place] == "text":
            return self._texts(place, 0, self._rows)
        return self._numbers(place)

    def validity(self, name: str) -> Any:
        """Which rows of a column are present: a numpy array of bool (without numpy, a
        list), or None when all are."""
        bits = self._bits(self._place(name))
        if bits is None:
            return None
        if _np is None:
            return [flag == "1" for flag in _flags(bits, 0, self._rows)]
        packed = _np.asarray(self._view(bits, "|u1", (self._rows + 7) // 8))
        unpacked = _np.unpackbits(packed, count=self._rows, bitorder="little")
        return unpacked.astype(bool)

    def text_view(self, name: str) -> Tuple[Any, Any]:
        """A text column without copying: (offsets, bytes) as numpy views; row i is
        bytes[offsets[i]:offsets[i + 1]] in UTF-8."""
        if _np is None:
            raise InvalidError("text_view: needs numpy")
        place = self._place(name)
        if self._types[place] != "text":
            raise InvalidError(f"{name}: is no text column")
        data, offsets = self._text_memory(place)
        ends = _np.asarray(self._view(offsets, _INT, self._rows + 1))
        return ends, self._array(data, "|u1", int(ends[-1]))

    def _place(self, name: str) -> int:
        try:
            return self._columns.index(name)
        except ValueError:
            raise KeyError(
                f"no column {name!r}; there are {', '.join(self._columns)}"
            ) from None

    def _view(self, address: int, kind: str, n: int) -> _View:
        return _View(self._owner, address, kind, n)

    def _array(self, address: int, kind: str, n: int) -> Any:
        if n == 0:
            return _np.empty(0, dtype=kind)
        return _np.asarray(self._view(address, kind, n))

    def _number_address(self, place: int) -> Tuple[int, str]:
        double = self._types[place] == "double"
        get = self._library.cj_table_double if double else self._library.cj_table_int64
        found = get(self._owner.pointer, place)
        address = ctypes.cast(found, ctypes.c_void_p).value or 0
        return address, _FLOAT if double else _INT

    def _numbers(self, place: int) -> Any:
        address, kind = self._number_address(place)
        if _np is not None:
            return self._array(address, kind, self._rows)
        letter = "d" if kind == _FLOAT else "q"
        if not self._rows:
            return memoryview(array.array(letter)).toreadonly()
        memory = (_CTYPES[kind] * self._rows).from_address(address)
        memory.owner = self._owner
        view: Any = memoryview(memory).cast("B")
        return view.cast(letter).toreadonly()

    def _bits(self, place: int) -> Optional[int]:
        found = self._library.cj_table_validity(self._owner.pointer, place)
        return ctypes.cast(found, ctypes.c_void_p).value if self._rows else None

    def _text_memory(self, place: int) -> Tuple[int, int]:
        offsets = ctypes.POINTER(ctypes.c_int64)()
        data = self._library.cj_table_text(
            self._owner.pointer, place, ctypes.byref(offsets)
        )
        return data or 0, ctypes.cast(offsets, ctypes.c_void_p).value or 0

    def _texts(self, place: int, first: int, end: int) -> List[Optional[str]]:
        """Rows [first, end) of a text column as Python objects."""
        if first == end:
            return []
        data, offsets = self._text_memory(place)
        count = end - first + 1
        ends = (ctypes.c_int64 * count).from_address(offsets + 8 * first)[:]
        start = ends[0]
        whole = ctypes.string_at(data + start, ends[-1] - start)
        texts: List[Optional[str]]
        if whole.isascii():  # then a character is a byte, and one decoding does
            plain = whole.decode("ascii")
            texts = [plain[a - start : b - start] for a, b in zip(ends, ends[1:])]
        else:
            texts = [
                whole[a - start : b - start].decode("utf-8", "replace")
                for a, b in zip(ends, ends[1:])
            ]
        return self._with_nulls(place, first, texts)

    def _with_nulls(self, place: int, first: int, values: List[Any]) -> List[Any]:
        bits = self._bits(place)
        if bits is None:
            return values
        flags = _flags(bits, first, len(values))
        return [v if flag == "1" else None for v, flag in zip(values, flags)]

    def _objects(self, place: int, first: int, end: int) -> List[Any]:
        if self._types[place] == "text":
            return self._texts(place, first, end)
        if first == end:
            return []
        address, kind = self._number_address(place)
        count = end - first
        values = (_CTYPES[kind] * count).from_address(address + 8 * first)[:]
        return self._with_nulls(place, first, values)

    # ---- rows ----------------------------------------------------------------------

    def _row_type(self) -> Type[Row]:
        return _row_type(self._columns)

    def _tuples(self, first: int, end: int) -> Iterator[Tuple[Any, ...]]:
        places = range(len(self._columns))
        return zip(*(self._objects(place, first, end) for place in places))

    def __iter__(self) -> Iterator[Row]:
        make = self._row_type()
        for first in range(0, self._rows, _CHUNK):
            end = min(first + _CHUNK, self._rows)
            for values in self._tuples(first, end):
                yield make(values)

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: Union[int, str]) -> Any:
        if isinstance(key, str):
            return self.column(key)
        place = key.__index__()
        if place < 0:
            place += self._rows
        if not 0 <= place < self._rows:
            raise IndexError(f"row {key} of {self._rows}")
        return self._row_type()(next(self._tuples(place, place + 1)))

    def to_dicts(self) -> List[Dict[str, Any]]:
        """All rows as dictionaries; a null is None."""
        names = self._columns
        return [dict(zip(names, values)) for values in self._tuples(0, self._rows)]

    # ---- other forms ---------------------------------------------------------------

    def format(self, format: str = "csv") -> str:
        """As "json", "jsonl", "csv" (formulas defused) or "table" (aligned text)."""
        out = ctypes.c_void_p()
        size = ctypes.c_int64()
        _library.check(
            self._library.cj_table_format(
                self._owner.pointer,
                _values.required(format, "format"),
                ctypes.byref(out),
                ctypes.byref(size),
            )
        )
        try:
            return ctypes.string_at(out.value or 0, size.value).decode("utf-8")
        finally:
            self._library.cj_text_free(out)

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas DataFrame; columns of numbers without nulls are not copied."""
        import pandas as pd

        frame = {name: self._series(pd, i) for i, name in enumerate(self._columns)}
        return pd.DataFrame(frame, copy=False)

    def _series(self, pd: Any, place: int) -> Any:
        name = self._columns[place]
        values = self.column(name)
        if self._types[place] == "text":
            return pd.Series(values, dtype=object)
        present = self.validity(name)
        if present is None:
            return pd.Series(values, copy=False)
        if self._types[place] == "double":
            return pd.Series(_np.where(present, values, _np.nan))
        return pd.Series(pd.arrays.IntegerArray(values.copy(), ~present))

    def __arrow_c_array__(self, requested_schema: Any = None) -> Tuple[Any, Any]:
        """Capsules of an ArrowSchema and an ArrowArray (a struct of the columns), which
        look at this table's memory.  A requested schema is not converted to."""
        _arrow.sweep()
        schema, batch = _arrow.ArrowSchema(), _arrow.ArrowArray()
        _library.check(
            self._library.cj_table_export_arrow(
                self._owner.pointer, ctypes.addressof(batch), ctypes.addressof(schema)
            )
        )
        return _arrow.capsule(schema), _arrow.capsule(batch)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """A capsule of an ArrowArrayStream of one batch, as __arrow_c_array__."""
        _arrow.sweep()
        stream = _arrow.ArrowArrayStream()
        _library.check(
            self._library.cj_table_export_stream(
                self._owner.pointer, ctypes.addressof(stream)
            )
        )
        return _arrow.capsule(stream)

    # ---- for people ----------------------------------------------------------------

    def __repr__(self) -> str:
        lines = _aligned(self._columns, self._types, self._head())
        return "\n".join([*lines, self._summary()])

    def _repr_html_(self) -> str:
        def cells(tag: str, values: Sequence[Any]) -> str:
            return "".join(
                f"<{tag}{_align(kind)}>{html.escape(_shown(value))}</{tag}>"
                for kind, value in zip(self._types, values)
            )

        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self._head())
        return (
            f"<table><thead><tr>{cells('th', self._columns)}</tr></thead>"
            f"<tbody>{body}</tbody></table><p>{html.escape(self._summary())}</p>"
        )

    def _head(self) -> List[Tuple[Any, ...]]:
        return list(self._tuples(0, min(self._rows, _SHOWN)))

    def _summary(self) -> str:
        rows = f"{self._rows} row{'' if self._rows == 1 else 's'}"
        shown = f", the first {_SHOWN} shown" if self._rows > _SHOWN else ""
        return f"[{rows}{shown}]"


@functools.lru_cache(maxsize=256)
def _row_type(columns: Tuple[str, ...]) -> Type[Row]:
    places = {name: i for i, name in enumerate(columns)}
    return type("Row", (Row,), {"__slots__": (), "_fields": columns, "_places": places})


def _flags(bits: int, first: int, n: int) -> str:
    """n bits of a validity bitmap from bit first on, as "0" and "1"."""
    begin, end = first // 8, (first + n + 7) // 8
    packed = int.from_bytes(ctypes.string_at(bits + begin, end - begin), "little")
    skip = first % 8
    # A 1 above the last bit keeps leading zeros; reversed, the lowest bit comes first.
    return bin(packed | 1 << (8 * (end - begin)))[:2:-1][skip : skip + n]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _align(kind: str) -> str:
    return "" if kind == "text" else ' style="text-align: right"'


def _aligned(
    columns: Sequence[str], types: Sequence[str], rows: List[Tuple[Any, ...]]
) -> List[str]:
    cells = [[_shown(value) for value in row] for row in [tuple(columns), *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return [
        "  ".join(
            text.ljust(width) if kind == "text" else text.rjust(width)
            for text, width, kind in zip(line, widths, types)
        ).rstrip()
        for line in cells
    ]
