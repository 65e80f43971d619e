#!/usr/bin/env python3
"""The numbers that matter, reached beside required: bench.py BUILDDIR.

    BENCH_EVENTS     events of the large file (1,000,000); 10,000,000 for the full table
    BENCH_RACE       events of the race of recording (BENCH_EVENTS, at most 1,000,000)
    BENCH_CLV        customers of the value summary (BENCH_EVENTS, at most 1,000,000)
    BENCH_THREADS    threads of both sides when asking (all cores)

Contestants take turns within one run, and the figure is the median of the ratios of the
turns: a machine that is busy for a while disturbs both sides.  DuckDB takes part when
this Python can import it.  A goal that is missed is printed as short; it does not fail.
"""
import ctypes
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

import bench_clv
import bench_segments

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bindings/python"))
EVENTS = int(os.environ.get("BENCH_EVENTS", 1_000_000))
RACE = int(os.environ.get("BENCH_RACE", min(EVENTS, 1_000_000)))
THREADS = int(os.environ.get("BENCH_THREADS", os.cpu_count() or 1))
DAY_MS = 86_400_000
AS_OF_MS = 1704067200000 + 366 * DAY_MS
WARM_ROUNDS, COLD_ROUNDS = 7, 3

RFM_SQL = """
WITH o AS (
  SELECT person, max(CASE WHEN name = {order} AND value > 0 THEN time END) AS last,
         sum(CASE WHEN name = {order} AND value > 0 THEN 1 ELSE 0 END) AS f,
         sum(value) AS m
  FROM {table} WHERE name IN ({order}, {refund}) AND time < {as_of} GROUP BY person),
d AS (SELECT person, {as_of} / {day} - last / {day} AS days, f, m FROM o WHERE f > 0),
s AS (SELECT *,
  1 + 5 * (rank() OVER (ORDER BY days DESC) - 1) / count(*) OVER () AS rs,
  1 + 5 * (rank() OVER (ORDER BY f) - 1) / count(*) OVER () AS fs,
  1 + 5 * (rank() OVER (ORDER BY m) - 1) / count(*) OVER () AS ms FROM d)
SELECT person, days, f, m, rs, fs, ms, CASE {classes} END AS class FROM s
"""


class Report:
    """Rows as they are known, then the table."""

    def __init__(self):
        self.rows, self.notes = [], []

    def add(self, what, goal, reached, unit, at_most=False):
        ok = reached <= goal if at_most else reached >= goal
        sign = "<=" if at_most else ">="
        ratio = goal / reached if at_most else reached / goal
        self.rows.append((what, f"{sign} {figure(goal)} {unit}", f"{figure(reached)} {unit}",
                          f"{ratio:.2f}", "ok" if ok else "short"))

    def tell(self, what, reached):
        self.rows.append((what, "", reached, "", ""))

    def note(self, text):
        self.notes.append(text)

    def show(self):
        rows = [("what", "goal", "reached", "ratio", ""), *self.rows]
        widths = [max(len(r[i]) for r in rows) for i in range(5)]
        for row in rows:
            print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                            for i, (cell, w) in enumerate(zip(row, widths))).rstrip())
        for text in self.notes:
            print(f"note: {text}")


def figure(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def program(build, name, *arguments):
    done = subprocess.run([build / "tests/bench" / name, *map(str, arguments)],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {name} {' '.join(map(str, arguments))} failed")
    return done.stdout


def values(text):
    return {k: float(v) for k, v in (line.split() for line in text.splitlines())}


# ---- recording ---------------------------------------------------------------------


def race(build, folder, report):
    progress(f"recording {RACE:,} events: the library, two SQLite schemas, bare writes")
    rounds = [[float(x) for x in line.split()[1:]]
              for line in program(build, "bench_record", RACE, folder).splitlines()]
    rate = statistics.median(n / ours for n, _, ours, *_ in rounds)
    plain = statistics.median(plain / ours for _, _, ours, plain, *_ in rounds)
    peer = statistics.median((peer / k) / (ours / n) for n, k, ours, _, peer, _ in rounds)
    bare = statistics.median(bare / ours for _, _, ours, _, _, bare in rounds)
    report.tell("record_many, batch 1,000, durable, with sealing", f"{rate:,.0f} events/s")
    report.add("record against plain SQLite, same batch", 6, plain, "x")
    report.add("record against SQLite with ids, identifiers, totals", 15, peer, "x")
    report.add("record against fwrite + fdatasync of the bytes", 0.35, bare, "x")
    size = (folder / "plain.db").stat().st_size / RACE
    report.tell("a plain SQLite table and its index", f"{size:.1f} B/event")


def latency(build, folder, report):
    n = min(EVENTS, 200_000)
    progress(f"cj_record one by one, {n:,} events")
    got = values(program(build, "bench_store", "latency", folder / "latency.cj", n))
    report.add("cj_record, deferred, p50", 1, got["record_p50_seconds"] * 1e6, "us", True)
    report.add("cj_record, deferred, p99", 20, got["record_p99_seconds"] * 1e6, "us", True)


def seal(build, folder, report):
    n = min(EVENTS, 500_000)
    progress(f"sealing a journal of {n:,} events")
    got = values(program(build, "bench_store", "seal", folder / "seal.cj", n))
    report.add("cj_compact (seal, merge), CPU per event", 1, got["seal_cpu_seconds"] / n * 1e6, "us", True)


def live(build, folder, report):
    n = min(EVENTS, 160_000)
    progress(f"100 live segments, {n:,} events")
    lines = program(build, "bench_segment", n, folder).splitlines()
    rounds = [[float(x) for x in line.split()[1:]] for line in lines if line.startswith("round")]
    got = values("\n".join(line for line in lines if not line.startswith("round")))
    cost = statistics.median((with_ - without) / n for n, without, with_ in rounds)
    report.add("100 live segments per recorded event, hot, CPU", 20, cost * 1e6, "us", True)
    report.add("one hot profile x one segment", 0.5, got["hot_ns"] / 1e3, "us", True)
    report.tell("  100 live segments, one event of a cold profile", f"{got['cold_us']:,.0f} us")


def fill(build, folder, report):
    progress(f"a file of {EVENTS:,} events")
    file = folder / "large.cj"
    got = values(program(build, "bench_store", "fill", file, EVENTS))
    report.tell(f"record {EVENTS:,} events, alone (making them included)",
                f"{EVENTS / got['fill_seconds']:,.0f} events/s")
    report.tell("compact after that", f"{got['compact_seconds']:.2f} s")
    report.tell("memory of the recording process, at most", f"{got['peak_bytes'] / 1e6:.0f} MB")
    report.tell("the whole file", f"{file.stat().st_size / EVENTS:.1f} B/event")
    return file


def sizes(library, file, report):
    """Bytes per event as the library counts them."""
    stats = library.stats(file)
    n = stats["sealed_events"]
    sealed = stats["core_bytes"] + stats["property_bytes"]
    report.add("sealed bytes per event, 83 B of JSON", 20, sealed / n, "B/event", True)
    for name, what in (("core_bytes", "  core and value projection"),
                       ("property_bytes", "  properties"),
                       ("message_bytes", "  besides: message ids, for idempotency")):
        report.tell(what, f"{stats[name] / n:.2f} B/event")
    used = (stats["pages"] - stats["free_pages"]) * stats["page_bytes"]
    report.tell("  besides: all else, identifiers and edges above all",
                f"{(used - sealed - stats['message_bytes']) / n:.2f} B/event")
    report.tell("  free pages left in the file after compact",
                f"{stats['free_pages'] * stats['page_bytes'] / n:.2f} B/event")


def opening(build, file, report):
    progress("opening, one profile, memory")
    got = values(program(build, "bench_store", "open", file))
    report.add(f"cj_open of {EVENTS:,} events", 2, got["open_seconds"] * 1e3, "ms", True)
    report.tell("  the first one of a process", f"{got['open_first_seconds'] * 1e3:.2f} ms")
    got = values(program(build, "bench_store", "profile", file))
    report.add("the events of one profile, never asked for", 60, got["profile_new_seconds"] * 1e6, "us", True)
    report.add("  asked for before", 60, got["profile_again_seconds"] * 1e6, "us", True)
    report.tell("  the first question of a handle", f"{got['profile_cold_seconds'] * 1e6:,.0f} us")
    report.tell("  events of such a profile", f"{got['profile_rows']:.1f}")
    got = values(program(build, "bench_store", "rfm", file, THREADS))
    report.add("memory of a scan beyond its result", 64, got["rfm_scan_bytes"] / 1e6, "MB", True)


def value(build, folder, report):
    """BENCH_CLV customers, 2.77 orders each; lifetimes takes 3.65 s in memory for a million."""
    n = int(os.environ.get("BENCH_CLV", min(EVENTS, 1_000_000)))
    progress(f"the value summary of {n:,} customers")
    orders = values(program(build, "bench_clv", "fill", folder / "orders.cj", n))["orders"]
    got = values(program(build, "bench_clv", "summary", folder / "orders.cj", 5))
    seconds = statistics.median(got[f"round{i}_seconds"] for i in range(5))
    report.add("value summary of 1M customers, 2.77M orders, 1 core", 1, seconds * 1e6 / n, "s", True)
    report.tell("  orders per customer", f"{orders / got['customers']:.2f}")
    report.add("  memory beyond the result, per customer", 32, got["bytes_per_customer"], "B", True)
    got = values(program(build, "bench_clv", "summary", folder / "orders.cj", 1, 1, 200))
    report.add("  the same with a holdout of 200 days", 32, got["bytes_per_customer"], "B", True)
    got = values(program(build, "bench_clv", "summary", folder / "orders.cj", 1, THREADS))
    report.tell(f"  the same on {THREADS} threads, and their windows", f"{got['bytes_per_customer']:.1f} B")
    shops = sorted({min(n, 10_000), min(n, 100_000), n})
    for customers in shops:
        file = folder / f"shop{customers}.cj"
        if customers < n:
            program(build, "bench_clv", "fill", file, customers)
        got = values(program(build, "bench_clv", "refresh", file if customers < n else folder / "orders.cj", customers))
        new = statistics.median(got[f"round{i}_seconds"] for i in range(5))
        report.add(f"1,000 new orders into the scores of {customers:,}, CPU", 5, new * 1e3, "ms", True)
    report.tell("  scores of everybody, CPU per customer", f"{got['all_seconds'] / n * 1e6:.2f} us")


# ---- asking ------------------------------------------------------------------------


class Library:
    """cjourney.h through ctypes: the prototypes of the binding, none of its comfort."""

    def __init__(self, path):
        from cjourney import _ffi
        self.ffi, self.c = _ffi, ctypes.CDLL(path)
        for name, result, arguments in _ffi.FUNCTIONS:
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments

    def must(self, code):
        if code != 0:
            sys.exit(f"bench: {self.c.cj_errmsg().decode()}")

    def open(self, file):
        db = ctypes.c_void_p()
        self.must(self.c.cj_open(str(file).encode(), None, ctypes.byref(db)))
        return db

    def close(self, db):
        self.must(self.c.cj_close(db))

    def rfm(self, db, threads=1):
        options = self.ffi.RfmOptions(struct_size=ctypes.sizeof(self.ffi.RfmOptions),
                                      as_of_ms=AS_OF_MS, threads=threads)
        table = ctypes.c_void_p()
        self.must(self.c.cj_rfm(db, ctypes.byref(options), ctypes.byref(table)))
        return table

    def column(self, table, name):
        rows = self.c.cj_table_rows(table)
        names = [self.c.cj_table_name(table, i) for i in range(self.c.cj_table_columns(table))]
        return self.c.cj_table_int64(table, names.index(name.encode()))[:rows]

    def texts(self, table, column):
        offsets = ctypes.POINTER(ctypes.c_int64)()
        self.c.cj_table_text.restype = ctypes.c_void_p
        at = self.c.cj_table_text(table, column, ctypes.byref(offsets))
        self.c.cj_table_text.restype = ctypes.c_char_p
        return [ctypes.string_at(at + offsets[i], offsets[i + 1] - offsets[i]).decode()
                for i in range(self.c.cj_table_rows(table))]

    def stats(self, file):
        db, table = self.open(file), ctypes.c_void_p()
        self.must(self.c.cj_stats(db, ctypes.byref(table)))
        found = dict(zip(self.texts(table, 0), self.column(table, "value")))
        self.c.cj_table_free(table)
        self.close(db)
        return found

    def classes_sql(self):
        """The class table as the WHENs of a CASE."""
        table = ctypes.c_void_p()
        self.must(self.c.cj_rfm_classes(ctypes.byref(table)))
        limits = [self.column(table, f"{c}_{end}") for c in "rfm" for end in ("min", "max")]
        rows = []
        for i, name in enumerate(self.texts(table, 0)):
            tests = [f"{score} {sign} {limits[k][i]}" for k, (score, sign) in enumerate(
                (s, o) for s in ("rs", "fs", "ms") for o in (">=", "<=")) if limits[k][i]]
            rows.append(f"WHEN {' AND '.join(tests) or 'true'} THEN '{name}'")
        self.c.cj_table_free(table)
        return " ".join(rows)

    def sums(self, table):
        columns = ("recency_days", "frequency", "monetary_minor", "r", "f", "m")
        return (self.c.cj_table_rows(table), *(sum(self.column(table, c)) for c in columns))


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def duel(ours, theirs, rounds):
    """Median of theirs / ours over rounds in turns, and the median seconds of each."""
    pairs = [(timed(ours)[0], timed(theirs)[0]) for _ in range(rounds)]
    return (statistics.median(b / a for a, b in pairs),
            statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs))


def forget(*files):
    """Drop the pages of these files from the system's cache."""
    for name in files:
        for file in Path(name).parent.glob(Path(name).name + "*"):
            with open(file, "rb") as f:
                os.fsync(f.fileno())
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def same(library, table, row, report, who):
    ours = library.sums(table)
    if tuple(int(x) for x in row) != ours:
        report.note(f"RFM of {who} differs: {row}, ours {ours}")


SUMS = "SELECT count(*), sum(days), sum(f), sum(m), sum(rs), sum(fs), sum(ms) FROM ({})"


def rfm_sqlite(library, folder, report):
    progress("RFM against SQLite")
    db = library.open(folder / "race.cj")
    plain = sqlite3.connect(folder / "plain.db")
    sql = RFM_SQL.format(table="(SELECT profile AS person, ts AS time, name, value FROM event)",
                         order="'order'", refund="'refund'", as_of=AS_OF_MS, day=DAY_MS,
 classes=library.classes_sql())
    table = library.rfm(db)
    same(library, table, plain.execute(SUMS.format(sql)).fetchone(), report, "SQLite")
    library.c.cj_table_free(table)
    # The result stays in SQLite: making Python objects of it is not SQLite's fault.
    ratio, _, _ = duel(lambda: library.c.cj_table_free(library.rfm(db)),
                       lambda: plain.execute(SUMS.format(sql)).fetchone(), 3)
    report.tell(f"RFM against SQLite, {RACE:,} events", f"{ratio:.0f} x")
    library.close(db)


def duckdb_tables(duckdb, folder):
    """The same events, in the two orders that DuckDB could like."""
    import numpy as np
    kinds = {"person": "i8", "time": "i8", "name": "i4", "channel": "i4", "value": "i8", "product": "i4"}
    data = {k: np.fromfile(folder / f"{k}.col", dtype=d) for k, d in kinds.items()}
    con = duckdb.connect(str(folder / "events.duckdb"))
    for table, order in (("by_name", "name, person, time"), ("by_person", "person, time")):
        con.execute(f"CREATE TABLE {table} AS SELECT person, time, name::UTINYINT AS name, "
                    f"channel::UTINYINT AS channel, value, product::SMALLINT AS product FROM data ORDER BY {order}")
    con.execute("CHECKPOINT")
    con.close()
    return ("by_name", "by_person")


def rfm_duckdb(build, library, file, folder, report):
    try:
        import duckdb
        import numpy  # noqa: F401
    except ImportError as error:
        report.note(f"no DuckDB in the comparison: {error} (pip install duckdb numpy)")
        return
    progress(f"RFM against DuckDB {duckdb.__version__}")
    program(build, "bench_store", "columns", folder, EVENTS)
    names, store = duckdb_tables(duckdb, folder), folder / "events.duckdb"
    sql = {n: RFM_SQL.format(table=n, order=0, refund=1, as_of=AS_OF_MS, day=f"{DAY_MS}",
 classes=library.classes_sql()).replace(" / ", " // ")
           for n in names}

    def connect(threads):
        return duckdb.connect(str(store), config={"threads": threads})

    # Two orders of the table, two ways to hand out the result: DuckDB gets its best.
    ways = [(n, numpy) for n in names for numpy in (True, False)]

    def ask(con, way):
        name, as_numpy = way
        if as_numpy:
            con.execute(sql[name]).fetchnumpy()
        else:
            con.execute(f"CREATE OR REPLACE TEMP TABLE result AS {sql[name]}")

    for threads in sorted({1, THREADS}):
        con, db = connect(threads), library.open(file)
        table = library.rfm(db, threads)
        same(library, table, con.execute(SUMS.format(sql[names[0]])).fetchone(), report, "DuckDB")
        library.c.cj_table_free(table)
        best = min(ways, key=lambda way: statistics.median(timed(lambda: ask(con, way))[0]
                                                           for _ in range(3)))
        ratio, ours, theirs = duel(lambda: library.c.cj_table_free(library.rfm(db, threads)),
                                   lambda: ask(con, best), WARM_ROUNDS)
        report.add(f"RFM of {EVENTS:,} against DuckDB, warm, {threads} thread(s)", 7, ratio, "x")
        report.tell("  seconds, ours and theirs", f"{ours:.4f} {theirs:.4f}")
        con.close()
        library.close(db)

        bench_segments.against_duckdb(library, file, store, connect, duel, threads, report)

    def cold_ours():
        db = library.open(file)
        library.c.cj_table_free(library.rfm(db, THREADS))
        library.close(db)

    def cold_theirs():
        con = connect(THREADS)
        ask(con, best)
        con.close()

    pairs = []
    for _ in range(COLD_ROUNDS):
        forget(file, store)
        pairs.append((timed(cold_ours)[0], timed(cold_theirs)[0]))
    report.tell(f"  cold (opened, nothing cached), {THREADS} thread(s)",
                f"{statistics.median(b / a for a, b in pairs):.1f} x, "
                f"{statistics.median(a for a, _ in pairs):.3f} s")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1]).resolve()
    folder = build / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    report, library = Report(), Library(str(build / "libcjourney.so"))
    try:
        race(build, folder, report)
        latency(build, folder, report)
        seal(build, folder, report)
        live(build, folder, report)
        file = fill(build, folder, report)
        sizes(library, file, report)
        opening(build, file, report)
        value(build, folder, report)
        progress("100 segments over everybody")
        bench_segments.all_hundred(library, file, EVENTS, AS_OF_MS, report)
        progress("value models")
        bench_clv.all_of_it(library, report)
        rfm_sqlite(library, folder, report)
        rfm_duckdb(build, library, file, folder, report)
    finally:
        report.show()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
