/* The journal: what is sealed stays in it as spent rows until new ones take their room,
 * and nobody reads, counts or checks them; compacting deletes them. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEAL = 400, BATCH = 20 };

static void path_of(char path[64])
{
    (void)snprintf(path, 64, "/tmp/cj_journal_%d.cj", (int)getpid());
}

static cj_db *open_file(int64_t seal_events)
{
    cj_open_options o = {.struct_size = sizeof o, .seal_events = seal_events};
    char path[64];
    cj_db *db;

    path_of(path);
    ck_assert_msg(cj_open(path, &o, &db) == CJ_OK, "%s", cj_errmsg());
    return db;
}

static cj_db *open_new(int64_t seal_events)
{
    char path[64];

    path_of(path);
    (void)unlink(path);
    return open_file(seal_events);
}

static void close_remove(cj_db *db)
{
    char path[64];

    path_of(path);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}

/* Events [from, until) in one batch, each with `bytes` bytes of properties. */
static int32_t record(cj_db *db, int from, int until, int bytes)
{
    cj_identifier id = {sizeof id, "user_id", "ann"};
    char messages[BATCH][16], properties[2048];
    cj_event events[BATCH];

    (void)snprintf(properties, sizeof properties, "{\"secret\":\"%0*d\"}", bytes, 7);
    for (int i = from; i < until; i++) {
        char *message = messages[i - from];
        (void)snprintf(message, sizeof messages[0], "m%d", i);
        events[i - from] = (cj_event){.struct_size = sizeof(cj_event),
                                      .name = "page_view",
                                      .time_ms = INT64_C(1735689600000) + i,
                                      .message_id = message,
                                      .properties = properties,
                                      .identifiers = &id,
                                      .n_identifiers = 1};
    }
    return cj_record_many(db, events, until - from, sizeof events[0], NULL);
}

static void record_all(cj_db *db, int from, int until, int bytes)
{
    for (int i = from; i < until; i += BATCH)
        ck_assert_int_eq(record(db, i, i + BATCH, bytes), CJ_OK);
}

static int64_t ask(cj_db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n;

    ck_assert_int_eq(sqlite3_prepare_v2(db->store->writer.sq, sql, -1, &stmt, NULL), 0);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int64(stmt, 0);
    ck_assert_int_eq(sqlite3_finalize(stmt), SQLITE_OK);
    return n;
}

static int64_t n_rows(cj_db *db)
{
    return ask(db, "SELECT count(*) FROM journal");
}

static int64_t n_events(cj_db *db)
{
    cj_events_options o = {.struct_size = sizeof o, .profile = 1};
    cj_table *t = NULL;
    int64_t n;

    ck_assert_msg(cj_events(db, &o, &t) == CJ_OK, "%s", cj_errmsg());
    n = cj_table_rows(t);
    cj_table_free(t);
    return n;
}

static void expect(cj_db *db, int64_t rows, int64_t journal, int64_t events)
{
    ck_assert_int_eq(n_rows(db), rows);
    ck_assert_int_eq(people_count(db, "journal_events"), journal);
    ck_assert_int_eq(n_events(db), events);
    people_sound(db);
}

START_TEST(test_store_journal__spent_rows_are_not_read)
{
    cj_db *db = open_new(SEAL), *other = open_file(SEAL);

    record_all(db, 0, SEAL - BATCH, 50);
    expect(db, SEAL / BATCH - 1, SEAL - BATCH, SEAL - BATCH);
    record_all(db, SEAL - BATCH, SEAL, 50);
    expect(db, SEAL / BATCH, 0, SEAL);
    expect(other, SEAL / BATCH, 0, SEAL);
    /* known as messages of the part */
    record_all(other, 0, SEAL, 50);
    expect(other, SEAL / BATCH, 0, SEAL);
    ck_assert_int_eq(cj_close(other), CJ_OK);
    close_remove(db);
}
END_TEST

/* Commits of like size: each takes the room of one spent row, whoever commits, and the
 * file grows by nothing but parts. */
START_TEST(test_store_journal__new_rows_take_the_room_of_spent_ones)
{
    cj_db *db = open_new(SEAL), *other;
    int64_t pages;

    record_all(db, 0, SEAL, 900);
    expect(db, SEAL / BATCH, 0, SEAL);
    pages = ask(db, "PRAGMA page_count");
    record_all(db, SEAL, SEAL + 5 * BATCH, 900);
    expect(db, SEAL / BATCH, 5 * BATCH, SEAL + 5 * BATCH);
    other = open_file(SEAL);
    record_all(other, SEAL + 5 * BATCH, 2 * SEAL - BATCH, 900);
    ck_assert_int_le(ask(other, "PRAGMA page_count"), pages + 2);
    ck_assert_int_le(n_rows(other), SEAL / BATCH + 1);
    record_all(db, 2 * SEAL - BATCH, 2 * SEAL, 900);
    ck_assert_int_le(n_rows(db), SEAL / BATCH + 1);
    ck_assert_int_eq(n_events(db), 2 * SEAL);
    people_sound(db);
    ck_assert_int_eq(cj_close(other), CJ_OK);
    close_remove(db);
}
END_TEST

/* Small commits leave large spent rows alone until they make up for one; a large one
 * takes many small ones. */
START_TEST(test_store_journal__room_is_taken_by_bytes)
{
    cj_db *db = open_new(SEAL);

    record_all(db, 0, SEAL, 1000);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(record(db, SEAL + i, SEAL + i + 1, 10), CJ_OK);
    expect(db, SEAL / BATCH + 10, 10, SEAL + 10);
    record_all(db, SEAL + 10, SEAL + 10 + BATCH, 1000);
    expect(db, SEAL / BATCH + 10, 10 + BATCH, SEAL + 10 + BATCH);
    close_remove(db);

    db = open_new(SEAL);
    for (int i = 0; i < SEAL; i++)
        ck_assert_int_eq(record(db, i, i + 1, 10), CJ_OK);
    expect(db, SEAL, 0, SEAL);
    record_all(db, SEAL, SEAL + BATCH, 1900);
    ck_assert_int_lt(n_rows(db), 1 + SEAL / 2);
    expect(db, n_rows(db), BATCH, SEAL + BATCH);
    close_remove(db);
}
END_TEST

START_TEST(test_store_journal__a_rollback_takes_no_room)
{
    cj_db *db = open_new(SEAL);
    cj__batch batch = {.n_events = 0};

    record_all(db, 0, SEAL, 100);
    cj__str_init(&batch.events, &db->cx.allocator, 1 << 20);
    cj__str_init(&batch.messages, &db->cx.allocator, 1 << 20);
    for (int i = 0; i < 100; i++)
        cj__batch_row(&batch, &(cj__row){.node = 1, .name = 1, .time_ms = i});
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(cj__journal_add(db, &batch), CJ_OK);
    ck_assert_int_lt(n_rows(db), SEAL / BATCH + 20); /* seen from within */
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    expect(db, SEAL / BATCH, 0, SEAL);
    record_all(db, SEAL, SEAL + BATCH, 100);
    expect(db, SEAL / BATCH, BATCH, SEAL + BATCH);
    cj__str_end(&batch.events);
    cj__str_end(&batch.messages);
    close_remove(db);
}
END_TEST

START_TEST(test_store_journal__compacting_leaves_no_spent_row)
{
    cj_db *db = open_new(SEAL);

    record_all(db, 0, SEAL, 100);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    expect(db, 0, 0, SEAL);
    record_all(db, SEAL, SEAL + 3 * BATCH, 100);
    expect(db, 3, 3 * BATCH, SEAL + 3 * BATCH);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK); /* seals them first */
    expect(db, 0, 0, SEAL + 3 * BATCH);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    expect(db, 0, 0, SEAL + 3 * BATCH);
    close_remove(db);
}
END_TEST

HARNESS_MAIN("store_journal", test_store_journal__spent_rows_are_not_read,
             test_store_journal__new_rows_take_the_room_of_spent_ones,
             test_store_journal__room_is_taken_by_bytes,
             test_store_journal__a_rollback_takes_no_room,
             test_store_journal__compacting_leaves_no_spent_row)
