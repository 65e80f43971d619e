/* Snapshots: one moment, whatever happens beside; what they hand out, and again. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define START_MS INT64_C(1735689600000)

static void record(cj_db *db, int from, int until)
{
    for (int i = from; i < until; i++) {
        char user[16];
        cj_identifier id = {sizeof id, i % 3 == 2 ? "guest" : "user_id", user};
        cj_event e = {.struct_size = sizeof e, .identifiers = &id, .n_identifiers = 1};
        (void)snprintf(user, sizeof user, "u%d", i);
        e.name = i % 2 ? "order" : "page_view";
        e.time_ms = START_MS + i * INT64_C(86400000);
        e.channel = "web";
        ck_assert_int_eq(cj_record(db, &e), CJ_OK);
    }
}

START_TEST(test_store_reader__sees_one_moment)
{
    cj_db *db = people_open();
    const uint32_t *profile_of;
    const uint8_t *mask;
    cj__reader *r;
    const cj__row *rows;
    uint32_t n_nodes;
    int64_t n;

    record(db, 0, 10);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    record(db, 10, 25);
    ck_assert_int_eq(cj_merge(db, 1, 2, NULL), CJ_OK);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    ck_assert_int_eq(cj__reader_journal(r, &rows, &n), CJ_OK);
    ck_assert_int_eq(n, 10);
    for (int64_t i = 0; i < n; i++)
        ck_assert_int_eq(rows[i].time_ms, START_MS + i * INT64_C(86400000));
    ck_assert_int_eq(cj__reader_profiles(r, &profile_of, &mask, &n_nodes), CJ_OK);
    ck_assert_uint_eq(n_nodes, 10);
    ck_assert_uint_eq(profile_of[2], 2);
    ck_assert_uint_eq(mask[1] & CJ__MASK_KNOWN, CJ__MASK_KNOWN);
    ck_assert_uint_eq(mask[3] & CJ__MASK_KNOWN, 0);
    cj__reader_end(r);
    ck_assert_int_eq(cj__reader_open(db, &r),
                     CJ_OK); /* the same connection, a new moment */
    ck_assert_int_eq(cj__reader_journal(r, &rows, &n), CJ_OK);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(cj__reader_profiles(r, &profile_of, &mask, &n_nodes), CJ_OK);
    ck_assert_uint_eq(n_nodes, 25);
    ck_assert_uint_eq(profile_of[2], 1);
    cj__reader_end(r);
    people_close(db);
}
END_TEST

START_TEST(test_store_reader__parts_of_a_window)
{
    cj_db *db = people_open();
    cj__arena arena;
    cj__reader *r;
    cj__part *parts;
    int64_t n, last = INT64_MIN, events = 0;

    cj__arena_init(&arena, &db->cx.allocator);
    record(db, 0, 60); /* January and February */
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    ck_assert_int_eq(cj__reader_parts(r, CJ__FAMILY_CORE, (cj__slice){INT64_MIN, 0},
                                      &arena, &parts, &n),
                     CJ_OK);
    ck_assert_int_eq(n, 5 + 4 + 1);
    for (int64_t i = 0; i < n; i++) {
        ck_assert_int_ge(parts[i].from_ms, last);
        ck_assert_int_ge(parts[i].min_ms, parts[i].from_ms);
        ck_assert_int_lt(parts[i].max_ms, parts[i].until_ms);
        last = parts[i].until_ms;
        events += parts[i].n_events;
    }
    ck_assert_int_eq(events, 60);
    ck_assert_int_eq(cj__reader_parts(r, CJ__FAMILY_VALUE,
                                      (cj__slice){parts[2].from_ms, parts[3].from_ms},
                                      &arena, &parts, &n),
                     CJ_OK);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(parts[0].n_events,
                     3); /* the odd days of seven that begin with 14 */
    cj__reader_end(r);
    cj__arena_end(&arena);
    people_close(db);
}
END_TEST

START_TEST(test_store_reader__terms)
{
    cj_db *db = people_open();
    cj__reader *r;
    cj__text text;
    uint32_t id;

    record(db, 0, 2);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    ck_assert_int_eq(cj__reader_term_id(r, CJ__SPACE_NAME, cj__text_of("order"), &id),
                     CJ_OK);
    ck_assert_uint_eq(id, CJ__NAME_ORDER);
    ck_assert_int_eq(
        cj__reader_term_id(r, CJ__SPACE_NAME, cj__text_of("page_view"), &id), CJ_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(cj__reader_term(r, id, &text), CJ_OK);
        ck_assert(cj__text_equal(text, cj__text_of("page_view")));
    }
    ck_assert_int_eq(cj__reader_term_id(r, CJ__SPACE_NAME, cj__text_of("web"), &id),
                     CJ_OK); /* a channel is no name */
    ck_assert_uint_eq(id, 0);
    ck_assert_int_eq(cj__reader_term(r, 0, &text), CJ_OK);
    ck_assert_ptr_null(text.data);
    ck_assert_int_eq(cj__reader_term(r, 999, &text), CJ_ECORRUPT);
    cj__reader_end(r);
    people_close(db);
}
END_TEST

/* More at once than are kept: all work, and all are given back. */
START_TEST(test_store_reader__many_at_once)
{
    cj_db *db = people_open();
    cj__reader *readers[CJ__READERS + 3];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CJ__READERS + 3; i++)
            ck_assert_int_eq(cj__reader_open(db, &readers[i]), CJ_OK);
        for (int i = 0; i < CJ__READERS + 3; i++)
            cj__reader_end(readers[i]);
    }
    cj__reader_end(NULL);
    people_close(db);
}
END_TEST

START_TEST(test_store_reader__a_missing_block_is_damage)
{
    cj_db *db = people_open();
    cj__reader *r;
    cj__str core;

    cj__str_init(&core, &db->cx.allocator, 1 << 20);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    ck_assert_int_eq(cj__reader_block(r, 12345, &core, NULL), CJ_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(cj_errmsg(), "12345"));
    cj__reader_end(r);
    cj__str_end(&core);
    people_close(db);
}
END_TEST

/* ---- what is kept
 * ------------------------------------------------------------------------- */

static cj__part *parts_of(cj__reader *r, cj__arena *arena, int64_t *n_out)
{
    cj__part *parts;

    ck_assert_int_eq(cj__reader_parts(r, CJ__FAMILY_CORE, (cj__slice){INT64_MIN, 0},
                                      arena, &parts, n_out),
                     CJ_OK);
    return parts;
}

static int64_t newest_part(const cj__part *parts, int64_t n)
{
    int64_t id = 0;

    for (int64_t i = 0; i < n; i++)
        id = parts[i].id > id ? parts[i].id : id;
    return id;
}

/* The directory is that of the snapshot, whichever handle has sealed or merged parts;
 * and each time one has, there is a part with a higher number than any before: so what
 * is known of a block by its number never is another one's. */
START_TEST(test_store_reader__the_directory_follows)
{
    const cj_open_options opts = {.struct_size = (int64_t)sizeof opts};
    cj_db *db = people_open(), *other;
    int64_t highest = 0, n, events;
    char path[512];
    cj__arena arena;
    cj__reader *r;

    cj__arena_init(&arena, &db->cx.allocator);
    (void)snprintf(path, sizeof path, "%s", db->store->path);
    ck_assert_int_eq(cj_open(path, &opts, &other), CJ_OK);
    for (int round = 0; round < 6; round++) {
        cj_db *one = round % 2 ? other : db;
        cj__part *parts;

        record(one, round * 40, round * 40 + 60); /* 20 of them late */
        ck_assert_int_eq(cj_compact(round % 3 ? other : db, NULL, NULL), CJ_OK);
        ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
        parts = parts_of(r, &arena, &n);
        events = 0;
        for (int64_t i = 0; i < n; i++)
            events += parts[i].n_events;
        ck_assert_int_eq(events, (round + 1) * 60);
        ck_assert_int_gt(newest_part(parts, n), highest);
        highest = newest_part(parts, n);
        ck_assert_int_eq(parts_of(r, &arena, &n)[0].id, parts[0].id); /* from memory */
        cj__reader_end(r);
    }
    ck_assert_int_eq(cj_close(other), CJ_OK);
    cj__arena_end(&arena);
    people_close(db);
}
END_TEST

/* A core is read once, and forgotten when its part has been replaced; a snapshot of
 * before still reads it. */
START_TEST(test_store_reader__cores_are_kept)
{
    cj_db *db = people_open();
    cj__kept_block *core, *again, *nothing;
    cj__reader *old, *r;
    cj__arena arena;
    cj__str bytes;
    int64_t n, block;

    cj__arena_init(&arena, &db->cx.allocator);
    cj__str_init(&bytes, &db->cx.allocator, 1 << 20);
    record(db, 0, 30);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    ck_assert_int_eq(cj__reader_open(db, &old), CJ_OK);
    block = parts_of(old, &arena, &n)[0].blocks[0].id;
    ck_assert_ptr_null(cj__reader_kept(old, CJ__KEPT_CORES, block));
    ck_assert_int_eq(cj__reader_core(old, block, &core), CJ_OK);
    ck_assert_int_eq(cj__reader_block(old, block, &bytes, NULL), CJ_OK);
    ck_assert_uint_eq(core->n, bytes.n);
    ck_assert_mem_eq(core->bytes, bytes.data, bytes.n);
    ck_assert_int_eq(core->header.n, parts_of(old, &arena, &n)[0].n_events);
    ck_assert_int_eq(cj__reader_core(old, block, &again), CJ_OK);
    ck_assert_ptr_eq(core, again);
    cj__reader_let_go(old, CJ__KEPT_CORES, core);
    cj__reader_let_go(old, CJ__KEPT_CORES, again);
    ck_assert_int_eq(cj__reader_keep(old, CJ__KEPT_ZONES, block, (cj__text){"abc", 3}),
                     CJ_OK);
    again = cj__reader_kept(old, CJ__KEPT_ZONES, block);
    ck_assert_mem_eq(again->bytes, "abc", 3);
    cj__reader_let_go(old, CJ__KEPT_ZONES, again);
    record(db, 5, 9);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    (void)parts_of(r, &arena, &n);
    for (int kind = 0; kind < CJ__N_KEPT; kind++)
        ck_assert_ptr_null(cj__reader_kept(r, kind, block));
    ck_assert_int_eq(cj__reader_core(r, block, &nothing), CJ_ECORRUPT);
    ck_assert_ptr_null(nothing);
    ck_assert_int_eq(cj__reader_core(old, block, &core), CJ_OK);
    ck_assert_mem_eq(core->bytes, bytes.data, bytes.n);
    cj__reader_let_go(old, CJ__KEPT_CORES, core);
    cj__reader_end(old);
    cj__reader_end(r);
    cj__str_end(&bytes);
    cj__arena_end(&arena);
    people_close(db);
}
END_TEST

/* What is damaged is told each time, and never kept. */
START_TEST(test_store_reader__damage_is_not_kept)
{
    cj_db *db = people_open();
    cj__kept_block *core;
    cj__reader *r;
    cj__arena arena;
    int64_t n, block;

    cj__arena_init(&arena, &db->cx.allocator);
    record(db, 0, 5);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    block = parts_of(r, &arena, &n)[0].blocks[0].id;
    cj__reader_end(r);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(sqlite3_exec(db->store->writer.sq,
                                  "UPDATE block SET core = x'c100112233445566'", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(cj__reader_core(r, block, &core), CJ_ECORRUPT);
        ck_assert_ptr_null(core);
        ck_assert_ptr_null(cj__reader_kept(r, CJ__KEPT_CORES, block));
    }
    cj__reader_end(r);
    cj__arena_end(&arena);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_reader", test_store_reader__sees_one_moment,
             test_store_reader__parts_of_a_window, test_store_reader__terms,
             test_store_reader__many_at_once,
             test_store_reader__a_missing_block_is_damage,
             test_store_reader__the_directory_follows,
             test_store_reader__cores_are_kept, test_store_reader__damage_is_not_kept)
