"""The segment part of bench.py: one selective question against DuckDB's best SQL, and a
hundred segments over everybody on one core."""
import statistics
import time

DAY_MS = 86_400_000
PRODUCT = 42

# Bought twice in 90 days, looked at a product in the last 7, and has not bought since.
QUESTION = (f'orders(last 90 days) >= 2 and count(product_view where product = "P{PRODUCT}", last 7 days) >= 1 '
            f'and not sequence(product_view where product = "P{PRODUCT}" -> orders, last 7 days)')

# The same in SQL, two ways: one pass, or the rare side first.
ONE_PASS = """
SELECT person FROM (
  SELECT person, count(*) FILTER (name = 0 AND value > 0) AS n,
         min(time) FILTER (name = 3 AND product = {product} AND time >= {week}) AS seen,
         max(time) FILTER (name = 0 AND value > 0) AS bought
  FROM {table} WHERE time < {now} AND time >= {quarter} AND (name = 0 OR (name = 3 AND product = {product}))
  GROUP BY person) WHERE n >= 2 AND bought <= seen"""
RARE_FIRST = """
WITH v AS (SELECT person, min(time) AS seen FROM {table}
           WHERE name = 3 AND product = {product} AND time < {now} AND time >= {week} GROUP BY person)
SELECT person FROM v JOIN (
  SELECT person, count(*) AS n, max(time) AS bought FROM {table}
  WHERE name = 0 AND value > 0 AND time < {now} AND time >= {quarter} GROUP BY person) USING (person)
WHERE n >= 2 AND bought <= seen"""


def sql(table, now):
    return [text.format(table=table, now=now, week=now - 7 * DAY_MS, quarter=now - 90 * DAY_MS, product=PRODUCT)
            for text in (ONE_PASS, RARE_FIRST)]


def members(library, db, source, now, threads):
    """The profiles that are in it, as a table."""
    import ctypes
    options = library.ffi.SegmentOptions(struct_size=ctypes.sizeof(library.ffi.SegmentOptions), as_of_ms=now,
                                         threads=threads, members_only=1)
    table = ctypes.c_void_p()
    library.must(library.c.cj_segment_evaluate(db, source.encode(), ctypes.byref(options), ctypes.byref(table)))
    return table


def hundred():
    """A hundred segments as a shop has them: the same dozen questions with other numbers."""
    names = ("page_view", "product_view", "search", "cart_add", "email_opened", "ad_clicked", "store_visit")
    kinds = (
        lambda i: f"orders(last {30 + i} days) >= {1 + i % 3}",
        lambda i: f"orders(last {60 + i} days) = 0 and orders() >= 2",
        lambda i: f"revenue(last {90 + i} days) > {50 + i} EUR",
        lambda i: f"count({names[i % 7]}, last {7 + i} days) >= {1 + i % 4}",
        lambda i: f'count(product_view where product = "P{i}", last 30 days) >= 1 and orders(last 30 days) = 0',
        lambda i: f"sequence(cart_add -> orders within {1 + i % 5} days)",
        lambda i: f"not_followed(cart_add by orders within {1 + i % 5} days, last {20 + i} days)",
        lambda i: f"days_since(last(orders)) > {20 + i}",
        lambda i: f"overdue(orders, {1 + i % 4})",
        lambda i: f"average_order() > {30 + i} EUR and refund_share() < {5 + i % 20} %",
        lambda i: f"channel_share(store, last {100 + i} days) > {10 + i % 50} %",
        lambda i: f"sessions(last {30 + i} days) >= {2 + i % 5}",
    )
    return [kinds[i % len(kinds)](i) for i in range(100)]


def all_hundred(library, file, events, now, report):
    """Every segment asked of everybody, one after the other, on one core."""
    db = library.open(file)
    start, found = time.perf_counter(), 0
    for source in hundred():
        table = members(library, db, source, now, 1)
        found += library.c.cj_table_rows(table)
        library.c.cj_table_free(table)
    seconds = time.perf_counter() - start
    report.add(f"100 segments over {events:,} events, one core", 60 * events / 1e7, seconds, "s", True)
    report.tell("  members found", f"{found:,}")
    library.close(db)


def against_duckdb(library, file, store, connect, duel, threads, report):
    """`store` holds the tables by_name and by_person; the best way and order count."""
    from bench import AS_OF_MS
    con, db = connect(threads), library.open(file)
    ways = [text for table in ("by_name", "by_person") for text in sql(table, AS_OF_MS)]

    def timed(text):
        start = time.perf_counter()
        con.execute(text).fetchnumpy()
        return time.perf_counter() - start

    best = min(ways, key=lambda text: statistics.median(timed(text) for _ in range(3)))
    table = members(library, db, QUESTION, AS_OF_MS, threads)
    theirs = len(con.execute(best).fetchall())
    if theirs != library.c.cj_table_rows(table):
        report.note(f"the segment differs: {theirs} people, ours {library.c.cj_table_rows(table)}")
    library.c.cj_table_free(table)
    ratio, ours, other = duel(
        lambda: library.c.cj_table_free(members(library, db, QUESTION, AS_OF_MS, threads)),
        lambda: con.execute(best).fetchnumpy(), 7)
    report.add(f"a segment against DuckDB, warm, {threads} thread(s)", 6, ratio, "x")
    report.tell("  seconds, ours and theirs", f"{ours:.4f} {other:.4f}")
    con.close()
    library.close(db)

    def first_ours():
        fresh = library.open(file)
        library.c.cj_table_free(members(library, fresh, QUESTION, AS_OF_MS, threads))
        library.close(fresh)

    def first_theirs():
        fresh = connect(threads)
        fresh.execute(best).fetchnumpy()
        fresh.close()

    ratio, ours, other = duel(first_ours, first_theirs, 7)
    report.tell("  the first question of a handle", f"{ratio:.1f} x, {ours:.4f} and {other:.4f} s")
