/* Statements: sticky builders, numbers and texts and blobs that come back as they went,
 * and the facts of a file. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <stdint.h>
#include <string.h>

START_TEST(test_store_query__facts_by_name)
{
    cj_db *db = people_open();
    cj__conn *conn;
    int64_t value;
    char text[8];

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    conn = cj__writer(db);
    ck_assert_int_eq(cj__meta_get(conn, "nothing", -7, &value), CJ_OK);
    ck_assert_int_eq(value, -7);
    ck_assert_int_eq(cj__meta_set(conn, "least", INT64_MIN), CJ_OK);
    ck_assert_int_eq(cj__meta_set(conn, "least", INT64_MIN), CJ_OK); /* again */
    ck_assert_int_eq(cj__meta_get(conn, "least", 0, &value), CJ_OK);
    ck_assert_int_eq(value, INT64_MIN);
    ck_assert_int_eq(cj__meta_get_text(conn, "currency", text, sizeof text), CJ_OK);
    ck_assert_str_eq(text, "EUR");
    ck_assert_int_eq(cj__meta_set_text(conn, "long", "longer than it"), CJ_OK);
    ck_assert_int_eq(cj__meta_get_text(conn, "long", text, sizeof text), CJ_ECORRUPT);
    ck_assert_int_eq(cj__meta_get_text(conn, "nothing", text, sizeof text), CJ_OK);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

START_TEST(test_store_query__bytes_come_back)
{
    static const char bytes[] = {0, 1, (char)0xff, 'x', 0};
    cj_db *db = people_open();
    cj__query q = {0};
    cj__text got;
    int64_t id;
    int row;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_BLOCK_ADD, &q), CJ_OK);
        cj__query_int64(&q, 1, (int64_t)n + 1);
        cj__query_blob(&q, 2, (cj__text){bytes, n});
        cj__query_blob(&q, 3, (cj__text){NULL, 0});
        ck_assert_int_eq(cj__query_insert(&q, &id), CJ_OK);
        ck_assert_int_eq(id, (int64_t)n + 1);
        cj__query_end(&q);
        ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_BLOCK_GET, &q), CJ_OK);
        cj__query_int64(&q, 1, (int64_t)n + 1);
        ck_assert_int_eq(cj__query_step(&q, &row), CJ_OK);
        ck_assert_int_eq(row, 1);
        got = cj__query_get_blob(&q, 0);
        ck_assert_uint_eq(got.n, n);
        ck_assert(n == 0 || memcmp(got.data, bytes, n) == 0);
        cj__query_end(&q);
    }
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    people_close(db);
}
END_TEST

/* A bind that fails shows up in the last call, and the ones between do nothing. */
START_TEST(test_store_query__errors_stick)
{
    cj_db *db = people_open();
    cj__query q = {0};
    int64_t id;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_META_SET, &q), CJ_OK);
    cj__query_int64(&q, 99, 1); /* no such parameter */
    cj__query_text(&q, 1, cj__text_of("name"));
    ck_assert_int_eq(cj__query_insert(&q, &id), CJ_EIO);
    ck_assert_int_eq(id, 0);
    cj__query_end(&q);
    cj__query_end(&q); /* twice is fine */
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    people_close(db);
}
END_TEST

/* Every statement of stmts.def prepares on a file as it is made. */
START_TEST(test_store_query__every_statement_prepares)
{
    cj_db *db = people_open();

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (int i = 0; i < CJ__N_STMTS; i++) {
        cj__query q = {0};
        ck_assert_msg(cj__query_begin(cj__writer(db), i, &q) == CJ_OK,
                      "statement %d: %s", i, cj_errmsg());
        cj__query_end(&q);
    }
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

START_TEST(test_store_query__sqlite_codes_become_ours)
{
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_NOMEM, "x"), CJ_ENOMEM);
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_BUSY_SNAPSHOT, "x"), CJ_EBUSY);
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_CORRUPT_INDEX, "x"), CJ_ECORRUPT);
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_READONLY_DBMOVED, "x"), CJ_EREADONLY);
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_INTERRUPT, "x"), CJ_EINTERRUPT);
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_IOERR_WRITE, "x"), CJ_EIO);
    ck_assert_int_eq(cj__sqlite_fail(SQLITE_FULL, "write"), CJ_EIO);
    ck_assert_ptr_nonnull(strstr(cj_errmsg(), "write"));
}
END_TEST

HARNESS_MAIN("store_query", test_store_query__facts_by_name,
             test_store_query__bytes_come_back, test_store_query__errors_stick,
             test_store_query__every_statement_prepares,
             test_store_query__sqlite_codes_become_ours)
