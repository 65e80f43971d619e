"""Columns of numbers from whatever holds them: seen where they lie, or copied exactly."""

from __future__ import annotations

import array
import gc
from decimal import Decimal
from fractions import Fraction

import pytest
from conftest import optional

import cjourney
from cjourney import InvalidError, _columns


def numbers(column: _columns.Column) -> list:
    return [column[row] for row in range(column.n)]


@pytest.fixture
def scores(store):
    """A Table with columns of int64, double and text."""
    for name, value in (("ann", 100), ("bob", 300), ("cid", 50)):
        store.record(
            "order", user_id=name, value_minor=value, time="2024-01-01", order_id=name
        )
    return store.clv_summary(as_of="2024-02-01", identifier="user_id")


@pytest.fixture(params=["numpy", "without numpy"])
def with_and_without_numpy(request, monkeypatch):
    if request.param == "numpy":
        optional("numpy")
    else:
        monkeypatch.setattr(_columns, "_np", None)


@pytest.mark.usefixtures("with_and_without_numpy")
@pytest.mark.parametrize(
    "values, letter, wanted",
    [
        ([1, 2, 3], "q", [1, 2, 3]),
        ((1, 2, 3), "d", [1.0, 2.0, 3.0]),
        ([1.0, -2.0], "q", [1, -2]),
        ([Decimal("0.5"), Fraction(1, 4), True], "d", [0.5, 0.25, 1.0]),
        ([2**63 - 1, -(2**63)], "q", [2**63 - 1, -(2**63)]),
        (range(4), "q", [0, 1, 2, 3]),
        (range(4), "d", [0.0, 1.0, 2.0, 3.0]),
        (array.array("d", [0.5, 1.5]), "d", [0.5, 1.5]),
        (array.array("q", [5, 6]), "q", [5, 6]),
        (array.array("i", [5, 6]), "q", [5, 6]),
        (array.array("f", [0.25]), "d", [0.25]),
        ([], "q", []),
        ([], "d", []),
    ],
)
def test_values_of_all_kinds_become_a_column(values, letter, wanted):
    column = _columns.column(values, letter, "x")
    assert column.letter == letter
    assert numbers(column) == wanted
    assert [type(v) for v in numbers(column)] == [type(v) for v in wanted]


@pytest.mark.usefixtures("with_and_without_numpy")
@pytest.mark.parametrize(
    "values, letter, message, row",
    [
        ([1, 2, None], "q", "x: a value is missing", 2),
        ([None], "d", "x: a value is missing", 0),
        ([1, "2"], "q", "x: a whole number is wanted, not str", 1),
        ([1.0, "2"], "d", "x: a number is wanted, not str", 1),
        ([1, 1.5], "q", "x: a whole number is wanted, not float", 1),
        ([1, float("nan")], "q", "x: a whole number is wanted, not float", 1),
        ([float("inf")], "q", "x: a whole number is wanted, not float", 0),
        ([0, 2**63], "q", "x: a whole number is wanted, not int", 1),
        ([Decimal(1)], "q", "x: a whole number is wanted, not Decimal", 0),
        ([1, [2]], "d", "x: a number is wanted, not list", 1),
    ],
)
def test_what_is_no_number_has_its_row(values, letter, message, row):
    with pytest.raises(InvalidError) as caught:
        _columns.column(values, letter, "x")
    assert (caught.value.message, caught.value.position) == (message, row)


@pytest.mark.parametrize("values", ["123", b"123", 5, None, iter([1])])
def test_what_is_no_column_is_refused(values):
    with pytest.raises(InvalidError, match="tx: a column of numbers is wanted, not"):
        _columns.column(values, "d", "tx")


class TestNumpy:
    @pytest.fixture(autouse=True)
    def numpy(self):
        self.np = optional("numpy")

    @pytest.mark.parametrize("letter, kind", [("q", "i8"), ("d", "f8")])
    def test_what_fits_is_not_copied(self, letter, kind):
        values = self.np.arange(1000).astype(kind)
        assert _columns.column(values, letter, "x").address == values.ctypes.data
        part = values[10:20]
        column = _columns.column(part, letter, "x")
        assert column.address == values.ctypes.data + 80
        assert column.n == 10

    @pytest.mark.parametrize(
        "values",
        [
            lambda np: np.arange(20)[::2],
            lambda np: np.arange(0, 20, 2, dtype="i2"),
            lambda np: np.arange(0, 20, 2, dtype=">i8"),
            lambda np: np.arange(0, 20, 2, dtype="u8"),
            lambda np: np.arange(0, 20, 2, dtype="f4"),
            lambda np: np.array([(0, i) for i in range(0, 20, 2)], "u1,i8")["f1"],
            lambda np: np.array(range(0, 20, 2), dtype=object),
        ],
        ids=["steps", "narrow", "swapped", "unsigned", "float", "unaligned", "objects"],
    )
    def test_other_layouts_are_copied(self, values):
        wanted = list(range(0, 20, 2))
        assert numbers(_columns.column(values(self.np), "q", "x")) == wanted
        column = _columns.column(values(self.np), "d", "x")
        assert numbers(column) == wanted
        assert column.address % 8 == 0

    def test_the_array_is_not_written_to(self):
        values = self.np.arange(5.0)
        values.setflags(write=False)
        assert _columns.column(values, "d", "x").address == values.ctypes.data

    @pytest.mark.parametrize(
        "values, row",
        [
            ([0.0, 1.5], 1),
            ([0.0, 1.0, float("nan")], 2),
            ([-float("inf")], 0),
            ([2.0**60], 0),
        ],
    )
    def test_no_whole_number_has_its_row(self, values, row):
        with pytest.raises(InvalidError, match="no whole number that fits") as caught:
            _columns.column(self.np.array(values), "q", "x")
        assert caught.value.position == row

    def test_large_unsigned_numbers_do_not_turn_negative(self):
        with pytest.raises(InvalidError) as caught:
            _columns.column(self.np.array([1, 2**63], dtype="u8"), "q", "x")
        assert caught.value.position == 1

    def test_two_dimensions_are_refused(self):
        with pytest.raises(InvalidError, match="has 2 dimensions"):
            _columns.column(self.np.zeros((2, 2)), "d", "x")

    @pytest.mark.parametrize("kind", ["U3", "M8[s]", "c16"])
    def test_other_types_are_refused(self, kind):
        with pytest.raises(InvalidError, match="a number is wanted"):
            _columns.column(self.np.zeros(2, dtype=kind), "d", "x")

    def test_the_column_keeps_the_array(self):
        column = _columns.column(self.np.full(100_000, 0.5), "d", "x")
        gc.collect()
        self.np.zeros(100_000)
        assert column[99_999] == 0.5


class TestTable:
    def test_a_column_is_seen_where_it_lies(self, scores):
        np = optional("numpy")
        for name, letter in (("x", "q"), ("t_days", "d")):
            view = np.asarray(scores[name])
            column = _columns.of(scores, name, letter)
            assert (column.address, column.n) == (view.ctypes.data, 3)

    def test_it_needs_no_numpy(self, scores, monkeypatch):
        monkeypatch.setattr(_columns, "_np", None)
        monkeypatch.setattr(cjourney.table, "_np", None)
        assert numbers(_columns.of(scores, "t_days", "d")) == [30.0] * 3
        assert numbers(_columns.of(scores, "x", "d")) == [0.0] * 3

    def test_it_outlives_the_table(self, scores, store):
        column = _columns.of(scores, "t_days", "d")
        store.close()
        del scores
        gc.collect()
        assert numbers(column) == [30.0] * 3

    def test_text_is_no_number(self, scores):
        with pytest.raises(InvalidError, match="user_id: is a column of text"):
            _columns.of(scores, "user_id", "d")

    @pytest.mark.parametrize("numpy", [True, False])
    def test_a_null_has_its_row(self, store, monkeypatch, numpy):
        if not numpy:
            monkeypatch.setattr(_columns, "_np", None)
            monkeypatch.setattr(cjourney.table, "_np", None)
        store.define_segment("all", "orders() >= 0")
        table = store.segment_sizes("all", since="2024-01-01", as_of="2024-01-04")
        with pytest.raises(InvalidError, match="entered: a value is missing") as caught:
            _columns.of(table, "entered", "q")
        assert caught.value.position == 0


class TestFrames:
    def test_pandas_is_not_copied(self):
        pandas = optional("pandas")
        frame = pandas.DataFrame({"x": [1, 2], "t": [0.5, 1.5]})
        column = _columns.of(frame, "t", "d")
        assert column.address == frame["t"].to_numpy().ctypes.data
        assert numbers(_columns.of(frame, "x", "q")) == [1, 2]

    def test_missing_values_of_pandas_have_their_row(self):
        pandas = optional("pandas")
        series = pandas.Series([1, None, 3], dtype="Int64")
        with pytest.raises(InvalidError) as caught:
            _columns.column(series, "q", "x")
        assert caught.value.position == 1

    def test_names_of_frames_tables_and_mappings(self, scores):
        assert _columns.names({"x": [], "t": []}) == ["x", "t"]
        assert _columns.names(scores)[:2] == ["profile", "user_id"]
        pandas = optional("pandas")
        assert _columns.names(pandas.DataFrame({"x": [], "t": []})) == ["x", "t"]

    def test_what_has_no_columns_is_refused(self):
        with pytest.raises(InvalidError, match="data: .* is wanted, not list"):
            _columns.names([1, 2])


def test_the_first_of_several_names_is_taken():
    data = {"T": [3.0], "t_days": [1.0], "t": [2.0]}
    found = _columns.find(data, ("t_days", "t", "T"), "d")
    assert found is not None and numbers(found) == [1.0]
    assert _columns.find(data, ("weight",), "d") is None


def test_columns_are_of_one_length():
    a = _columns.column([1, 2], "q", "x")
    b = _columns.column([1.0], "d", "tx")
    assert _columns.rows([a], ["x"]) == 2
    with pytest.raises(InvalidError, match="tx: has 1 rows, and x has 2"):
        _columns.rows([a, b], ["x", "tx"])


@pytest.mark.usefixtures("with_and_without_numpy")
def test_columns_side_by_side():
    columns = [_columns.column(v, "d", "z") for v in ([1.0, 2.0], [10.0, 20.0])]
    assert numbers(_columns.matrix(columns)) == [1.0, 10.0, 2.0, 20.0]
    empty = [_columns.column([], "d", "z")] * 2
    assert numbers(_columns.matrix(empty)) == []
