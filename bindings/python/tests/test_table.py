"""Tables: the same values in every form, and memory that outlives table and store."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import subprocess
import sys

import pytest
from conftest import PACKAGE, optional

import cjourney
from cjourney import _arrow, _library

N = 5000  # more than one chunk of an iteration

WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
import cjourney
t = cjourney.rfm_classes()
view = t["r_min"]
assert type(view) is memoryview and view.readonly and view.format == "q", view
before = list(view)
assert before == [row.r_min for row in t]
assert t.validity("r_min") is None
del t
assert list(view) == before
print("ok")
"""


def event(i: int) -> cjourney.Event:
    return cjourney.Event(
        "visit" if i % 3 else "zoë €\U0001f600",
        user_id=f"u{i % 7}",
        time=1_700_000_000_000 + i,
        channel="web" if i % 2 else None,
        value_minor=i if i % 5 else None,
        quantity=-i,
        properties={"i": i, "text": 'a "quoted", =text\n'} if i % 11 == 0 else None,
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "shop.db"
    with cjourney.open(path) as store:
        assert store.record_many(event(i) for i in range(N)).recorded == N
        return store.events()


def expected() -> list[dict]:
    rows = []
    for i in range(N):
        made = event(i)
        rows.append(
            {
                "time_ms": made.time,
                "name": made.name,
                "channel": made.channel,
                "quantity": made.quantity or None,
                "value_minor": made.value_minor,
                "properties": made.properties,
            }
        )
    return sorted(rows, key=lambda row: row["time_ms"])


def seen(rows) -> list[dict]:
    """Of rows as mappings, what expected() says, in its order."""
    some = []
    for row in rows:
        text = row["properties"]
        kept = {name: row[name] for name in list(expected_names())}
        some.append({**kept, "properties": json.loads(text) if text else None})
    return sorted(some, key=lambda row: row["time_ms"])


def expected_names():
    return ("time_ms", "name", "channel", "quantity", "value_minor", "properties")


def test_shape_and_names(table):
    assert table.shape == (N, 14) and len(table) == table.rows == N
    assert table.columns[:5] == ("profile", "node", "time_ms", "name", "channel")
    assert dict(zip(table.columns, table.types))["name"] == "text"
    assert dict(zip(table.columns, table.types))["value_minor"] == "int64"


def test_rows_have_names(table):
    row = table[0]
    profile, node, time_ms, *_ = row
    assert row.profile == row["profile"] == row[0] == profile
    assert row.keys() == table.columns and row.to_dict()["node"] == node
    assert f"time_ms={time_ms}" in repr(row)
    assert table[-1] == list(table)[-1]
    with pytest.raises(AttributeError, match="no column nothing"):
        row.nothing
    with pytest.raises(IndexError):
        table[N]
    with pytest.raises(KeyError, match="no column 'nothing'"):
        table["nothing"]


def test_a_keyword_is_an_attribute_with_an_underscore():
    row = cjourney.rfm_classes()[0]
    assert row.class_ == row["class"] == "Champions"


def test_every_way_to_read_gives_what_was_recorded(table):
    assert seen(table) == expected()
    assert seen(table.to_dicts()) == expected()
    columns = {name: table.column(name) for name in table.columns}
    present = {name: table.validity(name) for name in table.columns}
    rows = []
    for i in range(N):
        row = {}
        for name, values in columns.items():
            there = present[name] is None or present[name][i]
            row[name] = values[i] if there else None
        rows.append(row)
    assert seen(rows) == expected()


def test_formats_agree_with_the_rows(table):
    rows = json.loads(table.format("json"))
    assert rows == table.to_dicts() or seen(rows) == expected()
    lines = [json.loads(line) for line in table.format("jsonl").splitlines()]
    assert lines == rows
    read = list(csv.DictReader(io.StringIO(table.format("csv"), newline="")))
    assert [row["name"] for row in read] == table["name"]
    assert [int(row["time_ms"]) for row in read] == list(table["time_ms"])
    assert len(table.format("table").splitlines()) >= N
    with pytest.raises(cjourney.InvalidError):
        table.format("xlsx")


def test_views_look_at_the_librarys_memory(table):
    numpy = optional("numpy")
    a, b = table["time_ms"], table["time_ms"]
    assert a.dtype == numpy.int64 and not a.flags.writeable
    assert a.__array_interface__["data"] == b.__array_interface__["data"]
    with pytest.raises(ValueError):
        a[0] = 1
    offsets, data = table.text_view("name")
    cut = [bytes(data[x:y]).decode() for x, y in zip(offsets, offsets[1:])]
    assert cut == table["name"]


def test_views_outlive_table_and_store(path):
    optional("numpy")
    with cjourney.open(path) as store:
        store.record_many(event(i) for i in range(1000))
        table = store.events()
        view, before = table["quantity"], list(table["quantity"])
        offsets, data = table.text_view("name")
        names = table["name"]
        present = table.validity("channel")
    del table, store
    gc.collect()
    churn = [bytearray(1 << 16) for _ in range(64)]  # overwrite what was freed
    assert list(view) == before and len(churn) == 64
    assert bytes(data[: offsets[1]]).decode() == names[0]
    assert present.sum() == 500


def test_tables_are_freed_once_nothing_needs_them(path, monkeypatch):
    optional("numpy")
    freed = []
    library = _library.load()

    class Spy:
        def __getattr__(self, name):
            if name == "cj_table_free":
                return lambda p: (freed.append(p), library.cj_table_free(p))
            return getattr(library, name)

    with cjourney.open(path) as store:
        store.record("visit", user_id=1)
        monkeypatch.setattr("cjourney._library.load", Spy)
        table = store.events()
        monkeypatch.undo()
    view = table["time_ms"]
    del table
    gc.collect()
    assert freed == []
    del view
    gc.collect()
    assert len(freed) == 1


def test_an_empty_table_has_every_form(store):
    table = store.events()
    assert len(table) == 0 and list(table) == [] and table.to_dicts() == []
    assert list(table["time_ms"]) == [] and table["name"] == []
    assert table.validity("name") is None
    assert json.loads(table.format("json")) == []
    assert "[0 rows]" in repr(table) and "<table>" in table._repr_html_()


def test_reprs_show_the_first_rows_and_escape(store):
    store.record_many({"name": f"<b>{i}", "user_id": 1} for i in range(30))
    table = store.events()
    assert "[30 rows, the first 20 shown]" in repr(table)
    assert len(repr(table).splitlines()) == 22
    html = table._repr_html_()
    assert "&lt;b&gt;0" in html and "<b>" not in html
    assert html.count("<tr>") == 21


def test_without_numpy_columns_are_memoryviews():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMPY],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "ok\n", done.stderr


# ---- data frames -------------------------------------------------------------------


def test_pandas(table):
    pandas = optional("pandas")
    frame = table.to_pandas()
    assert list(frame.columns) == list(table.columns) and len(frame) == N
    assert frame["time_ms"].tolist() == list(table["time_ms"])
    assert frame["value_minor"].dtype == "Int64"
    got = [None if v is pandas.NA else v for v in frame["value_minor"]]
    assert got == [row.value_minor for row in table]
    assert frame["name"].tolist() == table["name"]
    assert frame["channel"].isna().sum() == N // 2


def test_pandas_does_not_copy_numbers(table):
    optional("pandas")
    address = table["time_ms"].__array_interface__["data"][0]
    series = table.to_pandas()["time_ms"].to_numpy()
    assert series.__array_interface__["data"][0] == address


def test_arrow_stream_and_array(table):
    pyarrow = optional("pyarrow")
    for made in (pyarrow.table(table), pyarrow.Table.from_batches([batch(table)])):
        made.validate(full=True)
        assert made.to_pylist() == table.to_dicts()


def batch(table):
    return optional("pyarrow").record_batch(table)


def test_arrow_does_not_copy(table):
    optional("pyarrow")
    values = batch(table).column("time_ms").buffers()[1]
    assert values.address == table["time_ms"].__array_interface__["data"][0]


def test_arrow_outlives_table_and_store(path):
    pyarrow = optional("pyarrow")
    with cjourney.open(path) as store:
        store.record_many(event(i) for i in range(1000))
        table = store.events()
        wanted = table.to_dicts()
        made = pyarrow.table(table)
    del table, store
    gc.collect()
    churn = [bytearray(1 << 16) for _ in range(64)]
    assert made.to_pylist() == wanted and churn


def test_duckdb_reads_a_table(table):
    duckdb = optional("duckdb")
    events = table
    found = duckdb.sql("SELECT count(*), sum(quantity) FROM events").fetchall()
    assert found == [(len(events), -sum(range(N)))]


def test_polars_reads_a_table(table):
    polars = optional("polars")
    assert polars.DataFrame(table).to_dicts() == table.to_dicts()


def test_capsules_are_what_the_protocol_says(table):
    assert '"arrow_array_stream"' in repr(table.__arrow_c_stream__())
    schema, array = table.__arrow_c_array__()
    assert '"arrow_schema"' in repr(schema) and '"arrow_array"' in repr(array)


def test_capsules_nobody_takes_are_released(path):
    with cjourney.open(path) as store:
        store.record("visit", user_id=1)
        capsules = [store.events().__arrow_c_stream__() for _ in range(10)]
        capsules += store.events().__arrow_c_array__()
    _arrow.sweep()
    assert len(_arrow._held) >= 12
    released = []
    original = _arrow.release
    _arrow.release = lambda struct: (released.append(struct.release), original(struct))
    try:
        del capsules
        _arrow.sweep()
    finally:
        _arrow.release = original
    assert len(_arrow._held) == 0
    assert len([r for r in released if r]) >= 12


def test_a_capsule_dropped_by_an_exception_does_no_harm(store):
    def taken(_capsules, _):
        raise AssertionError("not reached")

    store.record("visit", user_id=1)
    for _ in range(200):
        with pytest.raises(ZeroDivisionError):
            taken(store.events().__arrow_c_stream__(), 1 / 0)
        with pytest.raises(ZeroDivisionError):
            taken(store.events().__arrow_c_array__(), 1 / 0)
    _arrow.sweep()
    assert len(_arrow._held) == 0


def test_a_consumer_that_fails_does_no_harm(table):
    pyarrow = optional("pyarrow")
    wrong = pyarrow.schema([("nothing", pyarrow.int64())])
    for _ in range(50):
        with pytest.raises((ValueError, TypeError, pyarrow.ArrowException)):
            pyarrow.table(table, schema=wrong)
    assert pyarrow.table(table).num_rows == N
