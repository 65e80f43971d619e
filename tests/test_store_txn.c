/* Write transactions: one at a time over handles, all or nothing, and caches that
 * notice what others did. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of(char to[64])
{
    (void)snprintf(to, 64, "/tmp/cj_people_%d.cj", (int)getpid());
}

static cj_db *another(int64_t busy_ms)
{
    cj_open_options o = {.struct_size = sizeof o, .busy_ms = busy_ms};
    char path[64];
    cj_db *db;

    path_of(path);
    ck_assert_int_eq(cj_open(path, &o, &db), CJ_OK);
    return db;
}

static int64_t fact(cj_db *db)
{
    int64_t value;

    ck_assert_int_eq(cj__meta_get(cj__writer(db), "fact", 0, &value), CJ_OK);
    return value;
}

START_TEST(test_store_txn__all_or_nothing)
{
    cj_db *db = people_open();

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__meta_set(cj__writer(db), "fact", 1), CJ_OK);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__meta_set(cj__writer(db), "fact", 2), CJ_OK);
    ck_assert_int_eq(cj__write_end(db, CJ_ENOMEM), CJ_ENOMEM);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(fact(db), 1);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

/* While one handle writes, another waits busy_ms and no longer. */
START_TEST(test_store_txn__one_writer_at_a_time)
{
    cj_db *a = people_open(), *b = another(20);

    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_int_eq(cj__write_begin(b), CJ_EBUSY);
    ck_assert_ptr_nonnull(strstr(cj_errmsg(), "20 ms"));
    ck_assert_int_eq(cj__write_end(a, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(b), CJ_OK);
    ck_assert_int_eq(cj__write_end(b, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj_close(b), CJ_OK);
    people_close(a);
}
END_TEST

/* The generation moves when another handle has written, or something was rolled back,
 * and only then. */
START_TEST(test_store_txn__generations)
{
    cj_db *a = people_open(), *b = another(100);
    uint64_t before, rollbacks;

    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_int_eq(cj__write_end(a, CJ_OK), CJ_OK);
    before = cj__write_generation(a);
    rollbacks = cj__write_rollbacks(a);
    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_int_eq(cj__meta_set(cj__writer(a), "fact", 1), CJ_OK);
    ck_assert_int_eq(cj__write_end(a, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_uint_eq(cj__write_generation(a), before);
    ck_assert_int_eq(cj__write_end(a, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(b), CJ_OK);
    ck_assert_int_eq(cj__meta_set(cj__writer(b), "fact", 2), CJ_OK);
    ck_assert_int_eq(cj__write_end(b, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(a), CJ_OK);
    ck_assert_uint_gt(cj__write_generation(a), before);
    ck_assert_uint_eq(cj__write_rollbacks(a), rollbacks);
    ck_assert_int_eq(cj__write_end(a, CJ_EINTERRUPT), CJ_EINTERRUPT);
    ck_assert_uint_eq(cj__write_rollbacks(a), rollbacks + 1);
    ck_assert_int_eq(cj_close(b), CJ_OK);
    people_close(a);
}
END_TEST

/* Batches count up for ever, also over handles and after the journal was emptied. */
START_TEST(test_store_txn__batches_only_rise)
{
    cj_db *a = people_open(), *b = another(100);
    int64_t last = 0;

    for (int i = 0; i < 30; i++) {
        cj_db *db = i % 2 ? a : b;
        cj_identifier id = {sizeof id, "user_id", "ann"};
        cj_event e = {.struct_size = sizeof e,
                      .name = "page_view",
                      .identifiers = &id,
                      .n_identifiers = 1};
        ck_assert_int_eq(cj_record(db, &e), CJ_OK);
        ck_assert_int_gt(db->store->next_batch, last);
        last = db->store->next_batch;
        if (i % 7 == 6)
            ck_assert_int_eq(cj_compact(i % 3 ? a : b, NULL, NULL), CJ_OK);
    }
    ck_assert_int_eq(cj_close(b), CJ_OK);
    people_sound(a);
    people_close(a);
}
END_TEST

/* The -wal file is copied back before it grows without end, though nothing else asks
 * for it. */
START_TEST(test_store_txn__the_wal_stays_bounded)
{
    char path[64], wal[80];
    cj_db *db = people_open();
    char *bytes = calloc(1, 1 << 20);
    struct stat st;

    path_of(path);
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    for (int i = 0; i < 120; i++) {
        cj__query q = {0};
        ck_assert_int_eq(cj__write_begin(db), CJ_OK);
        ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_NODE_PAGE_PUT, &q),
                         CJ_OK);
        cj__query_int64(&q, 1, i % 2);
        cj__query_blob(&q, 2, (cj__text){bytes, (size_t)1 << 20});
        ck_assert_int_eq(cj__query_run(&q), CJ_OK);
        cj__query_end(&q);
        ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    }
    ck_assert_int_eq(stat(wal, &st), 0);
    ck_assert_int_lt(st.st_size, (off_t)40 << 20); /* of 120 MiB written */
    free(bytes);
    people_close(db);
}
END_TEST

START_TEST(test_store_txn__read_only_does_not_write)
{
    cj_open_options o = {.struct_size = sizeof o, .flags = CJ_OPEN_READONLY};
    char path[64];
    cj_db *db = people_open(), *reader;

    path_of(path);
    ck_assert_int_eq(cj_open(path, &o, &reader), CJ_OK);
    ck_assert_int_eq(cj__write_begin(reader), CJ_EREADONLY);
    ck_assert_int_eq(cj_compact(reader, NULL, NULL), CJ_EREADONLY);
    ck_assert_int_eq(cj_merge(reader, 1, 2, NULL), CJ_EREADONLY);
    people_sound(reader);
    ck_assert_int_eq(cj_close(reader), CJ_OK);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_txn", test_store_txn__all_or_nothing,
             test_store_txn__one_writer_at_a_time, test_store_txn__generations,
             test_store_txn__batches_only_rise, test_store_txn__the_wal_stays_bounded,
             test_store_txn__read_only_does_not_write)
