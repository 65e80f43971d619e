/* The journal's rows of some nodes: the same as all of its rows, picked, whatever the
 * handle knows already: other snapshots, other writers, sealing, too much to keep. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define START_MS INT64_C(1735689600000)

enum { USERS = 12 };

static uint64_t dice;

static uint32_t below(uint32_t n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33) % n;
}

/* One commit; node i + 1 is user i's, once all have been recorded in order. */
static void record(cj_db *db, const int *users, int n, const char *properties)
{
    char names[USERS * 2][16];
    cj_identifier ids[USERS * 2];
    cj_event events[USERS * 2];

    ck_assert_int_le(n, USERS * 2);
    for (int i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof names[i], "u%d", users[i]);
        ids[i] = (cj_identifier){sizeof ids[i], "user_id", names[i]};
        events[i] = (cj_event){.struct_size = sizeof events[i],
                               .identifiers = &ids[i],
                               .n_identifiers = 1,
                               .name = "page_view",
                               .channel = "web",
                               .time_ms = START_MS + (int64_t)below(1000) * 60000,
                               .properties = below(3) ? properties : NULL};
    }
    ck_assert_msg(cj_record_many(db, events, n, 0, NULL) == CJ_OK, "%s", cj_errmsg());
}

static void record_all(cj_db *db)
{
    int users[USERS];

    for (int i = 0; i < USERS; i++)
        users[i] = i;
    record(db, users, USERS, NULL);
}

static void record_some(cj_db *db, int n, const char *properties)
{
    int users[USERS * 2];

    for (int i = 0; i < n; i++)
        users[i] = (int)below(USERS);
    record(db, users, n, properties);
}

static void expect_row(const cj__row *got, const cj__row *want)
{
    ck_assert_uint_eq(got->node, want->node);
    ck_assert_int_eq(got->time_ms, want->time_ms);
    ck_assert_uint_eq(got->name, want->name);
    ck_assert_uint_eq(got->channel, want->channel);
    ck_assert_int_eq(got->properties.data == NULL, want->properties.data == NULL);
    ck_assert(cj__text_equal(got->properties, want->properties));
}

/* Each node's rows are those of the whole journal, in its order. */
static int64_t expect_nodes(cj__reader *r, const uint32_t *at, size_t n_nodes)
{
    const cj__node_list nodes = {at, n_nodes};
    int64_t n, n_all, found = 0;
    const cj__row *all;
    cj__arena arena;
    cj__row *rows;

    cj__arena_init(&arena, &cj__reader_db(r)->cx.allocator);
    ck_assert_msg(cj__reader_journal_of(r, &nodes, &arena, &rows, &n) == CJ_OK, "%s",
                  cj_errmsg());
    ck_assert_int_eq(cj__reader_journal(r, &all, &n_all), CJ_OK);
    for (size_t i = 0; i < n_nodes; i++) {
        int64_t k = 0;

        for (int64_t j = 0; j < n_all; j++) {
            if (all[j].node != at[i])
                continue;
            while (k < n && rows[k].node != at[i])
                k++;
            ck_assert_int_lt(k, n);
            expect_row(&rows[k++], &all[j]);
            found++;
        }
    }
    ck_assert_int_eq(found, n);
    cj__arena_end(&arena);
    return n;
}

static void expect_some(cj__reader *r)
{
    uint32_t at[USERS + 1];
    size_t n = 0;

    for (uint32_t node = 1; node <= USERS + 1; node++) {
        if (below(4) == 0)
            at[n++] = node;
    }
    (void)expect_nodes(r, at, n);
}

START_TEST(test_store_tail__follows_the_journal)
{
    cj_open_options opts = {.struct_size = sizeof opts, .seal_events = 50};

    dice = 7;
    for (int round = 0; round < 4; round++) {
        cj_db *db = people_open();
        cj_db *other; /* which seals */

        ck_assert_int_eq(cj_open(db->store->path, &opts, &other), CJ_OK);
        record_all(round % 2 ? db : other);
        for (int i = 0; i < 60; i++) {
            cj__reader *r, *old;

            ck_assert_int_eq(cj__reader_open(db, &old), CJ_OK);
            record_some(below(2) ? db : other, (int)below(9), "{\"a\":1}");
            record_some(below(2) ? db : other, (int)below(3), "{\"b\":\"long\"}");
            ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
            expect_some(below(2) ? r : old);
            expect_some(r);
            expect_some(old); /* of the moment it shows, before or after sealing */
            expect_some(r);
            cj__reader_end(r);
            cj__reader_end(old);
            if (below(20) == 0)
                ck_assert_int_eq(cj_compact(below(2) ? db : other, NULL, NULL), CJ_OK);
        }
        ck_assert_int_gt(people_count(db, "sealed_events"), 50);
        ck_assert_int_eq(cj_close(other), CJ_OK);
        people_close(db);
    }
}
END_TEST

START_TEST(test_store_tail__nobody_and_nothing)
{
    cj_db *db = people_open();
    const uint32_t everybody[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    cj__reader *r;

    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    ck_assert_int_eq(expect_nodes(r, everybody, USERS), 0);
    cj__reader_end(r);
    record_all(db);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    ck_assert_int_eq(expect_nodes(r, everybody, 0), 0);
    ck_assert_int_eq(expect_nodes(r, everybody, USERS), USERS);
    ck_assert_int_eq(expect_nodes(r, (uint32_t[]){9999}, 1), 0);
    cj__reader_end(r);
    people_close(db);
}
END_TEST

/* More than is kept: then it is read as it always was, until it is sealed. */
START_TEST(test_store_tail__a_journal_that_is_too_large)
{
    enum { BYTES = 32000, MANY = 20 };
    static char properties[BYTES + 8];
    cj_db *db = people_open();
    cj__reader *r;

    dice = 3;
    (void)snprintf(properties, sizeof properties, "{\"a\":\"%0*d\"}", BYTES - 9, 0);
    record_all(db);
    for (size_t bytes = 0; bytes < 2 * CJ__TAIL_BYTES; bytes += (size_t)BYTES * MANY)
        record_some(db, MANY, properties);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
        expect_some(r);
        ck_assert_int_eq(db->store->tail.given_up, 0);
        ck_assert_uint_eq(db->store->tail.n, 0); /* and nothing is held */
        cj__reader_end(r);
        record_some(db, 3, NULL);
    }
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    record_some(db, 20, NULL);
    ck_assert_int_eq(cj__reader_open(db, &r), CJ_OK);
    expect_some(r);
    ck_assert_uint_eq(db->store->tail.n, 20);
    cj__reader_end(r);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_tail", test_store_tail__follows_the_journal,
             test_store_tail__nobody_and_nothing,
             test_store_tail__a_journal_that_is_too_large)
