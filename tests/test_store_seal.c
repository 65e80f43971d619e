/* Sealing, merging and compacting: where events lie changes, what is read does not. */
#include "harness.h"
#include "people.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define START_MS INT64_C(1735689600000) /* 2025-01-01 */
#define DAY_MS INT64_C(86400000)

static cj_db *open_file(const char *path, int64_t seal_events)
{
    cj_open_options o = {.struct_size = sizeof o, .seal_events = seal_events};
    cj_db *db;

    ck_assert_msg(cj_open(path, &o, &db) == CJ_OK, "%s", cj_errmsg());
    return db;
}

static void temporary(char path[64])
{
    (void)snprintf(path, 64, "/tmp/cj_seal_%d.cj", (int)getpid());
    (void)unlink(path);
}

static uint32_t random_below(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

/* Message i of a shuffled year: views, orders with items, refunds; ties in time. */
static void record(cj_db *db, int i)
{
    uint32_t r = 77u + (uint32_t)i * 2654435761u;
    char user[16], message[16], order[16], properties[64];
    cj_identifier id = {sizeof id, "user_id", user};
    cj_item items[2] = {
        {sizeof items[0], "P-1", 1, 500,  "{\"size\":\"M\"}"},
        {sizeof items[0], "P-2", 3, 1500, NULL              }
    };
    cj_event e = {.struct_size = sizeof e,
                  .identifiers = &id,
                  .n_identifiers = 1,
                  .message_id = message,
                  .properties = properties};
    uint32_t kind = random_below(&r, 10);

    (void)snprintf(user, sizeof user, "u%u", random_below(&r, 40));
    (void)snprintf(message, sizeof message, "m%d", i);
    (void)snprintf(order, sizeof order, "o%d", i);
    (void)snprintf(properties, sizeof properties, "{\"n\":%d,\"page\":\"/p/%u\"}", i,
                   random_below(&r, 9));
    e.time_ms = START_MS + (int64_t)random_below(&r, 365) * DAY_MS +
                (int64_t)random_below(&r, 20) * 1000;
    e.name = kind < 7 ? "product_view" : kind < 9 ? "order" : "refund";
    e.channel = kind % 2 ? "web" : "store";
    if (kind == 7 || kind == 8) {
        e.order_id = order;
        e.value_minor = 2000;
        e.items = items;
        e.n_items = 2;
    } else if (kind == 9) {
        e.value_minor = -700;
    }
    ck_assert_msg(cj_record(db, &e) == CJ_OK, "%s", cj_errmsg());
}

static char *content(cj_db *db)
{
    cj_table *t;

    ck_assert_int_eq(cj_events(db, NULL, &t), CJ_OK);
    return people_csv(t);
}

static char *scores(cj_db *db)
{
    cj_rfm_options o = {.struct_size = sizeof o, .as_of_ms = START_MS + 400 * DAY_MS};
    cj_table *t;

    ck_assert_int_eq(cj_rfm(db, &o, &t), CJ_OK);
    return people_csv(t);
}

/* The same messages, sealed after every n events: the same answers. */
START_TEST(test_store_seal__answers_do_not_depend_on_it)
{
    static const int64_t seal_events[] = {1 << 30, 1, 10, 333};
    char *events[4], *rfm[4], path[64];

    for (int k = 0; k < 4; k++) {
        cj_db *db;
        temporary(path);
        db = open_file(path, seal_events[k]);
        for (int i = 0; i < 1500; i++)
            record(db, i);
        people_sound(db);
        events[k] = content(db);
        rfm[k] = scores(db);
        ck_assert_int_eq(cj_close(db), CJ_OK);
        ck_assert_str_eq(events[k], events[0]);
        ck_assert_str_eq(rfm[k], rfm[0]);
    }
    for (int k = 0; k < 4; k++) {
        free(events[k]);
        free(rfm[k]);
    }
    (void)unlink(path);
}
END_TEST

START_TEST(test_store_seal__compact_changes_no_answer)
{
    char path[64], *before, *after;
    cj_db *db;

    temporary(path);
    db = open_file(path, 50);
    for (int i = 0; i < 2000; i++)
        record(db, i);
    before = content(db);
    for (int k = 0; k < 2; k++) { /* and again */
        ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
        people_sound(db);
        after = content(db);
        ck_assert_str_eq(before, after);
        free(after);
        ck_assert_int_eq(people_count(db, "journal_events"), 0);
    }
    /* January to September lie 62 days and more behind: nine months; then fifteen
     * weeks. */
    ck_assert_int_eq(people_count(db, "parts"), 9 + 15);
    free(before);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* A journal that holds a year is sealed into months where they have no weeks yet, and
 * what comes of it is the same. */
START_TEST(test_store_seal__compacting_seals_into_months)
{
    static const int64_t seal_events[] = {50, 100, 1000, 1 << 30};
    char path[64], *events[4], *rfm[4];

    for (int k = 0; k < 4; k++) {
        cj_db *db;
        temporary(path);
        db = open_file(path, seal_events[k]);
        for (int i = 0; i < 1500; i++) /* k == 2: 1,000 in weeks, 500 in the journal */
            record(db, i);
        ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
        ck_assert_int_eq(people_count(db, "parts"), 9 + 15);
        people_sound(db);
        for (int i = 1400; i < 1600; i++)
            record(db, i);
        ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
        ck_assert_int_eq(people_count(db, "parts"), 9 + 15);
        people_sound(db);
        events[k] = content(db);
        rfm[k] = scores(db);
        ck_assert_int_eq(cj_close(db), CJ_OK);
        ck_assert_str_eq(events[k], events[0]);
        ck_assert_str_eq(rfm[k], rfm[0]);
    }
    for (int k = 0; k < 4; k++) {
        free(events[k]);
        free(rfm[k]);
    }
    (void)unlink(path);
}
END_TEST

/* After compaction a late event goes into its month, and a repeated one is known. */
START_TEST(test_store_seal__late_events_after_compaction)
{
    char path[64], *before, *after;
    int64_t n;
    cj_db *db;

    temporary(path);
    db = open_file(path, 20);
    for (int i = 0; i < 600; i++)
        record(db, i);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    before = content(db);
    n = people_count(db, "sealed_messages");
    for (int i = 0; i < 600; i++)
        record(db, i);
    after = content(db);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(people_count(db, "sealed_messages"), n);
    ck_assert_int_eq(people_count(db, "journal_events"), 0);
    for (int i = 600; i < 700; i++)
        record(db, i);
    people_sound(db);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    people_sound(db);
    ck_assert_int_eq(people_count(db, "sealed_messages"), 700);
    free(before);
    free(after);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* However many times a slice is sealed into, its parts stay few. */
START_TEST(test_store_seal__parts_of_a_slice_are_merged)
{
    char path[64];
    cj_identifier id = {sizeof id, "user_id", "ann"};
    cj_event e = {.struct_size = sizeof e,
                  .name = "page_view",
                  .identifiers = &id,
                  .n_identifiers = 1};
    cj_db *db;

    temporary(path);
    db = open_file(path, 1);
    for (int i = 0; i < 300; i++) {
        e.time_ms = START_MS + 1000;
        ck_assert_int_eq(cj_record(db, &e), CJ_OK);
        ck_assert_int_le(people_count(db, "parts"),
                         16); /* 3 of each size: 1, 4, 16 ... */
    }
    ck_assert_int_eq(people_count(db, "sealed_events"), 300);
    people_sound(db);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* Ties of one node keep their arrival through sealing and merging. */
START_TEST(test_store_seal__ties_keep_their_arrival)
{
    char path[64], name[16];
    cj_identifier id = {sizeof id, "user_id", "ann"};
    cj_event e = {.struct_size = sizeof e,
                  .name = name,
                  .time_ms = START_MS,
                  .identifiers = &id,
                  .n_identifiers = 1};
    const int64_t *offsets;
    const char *names;
    cj_table *t;
    cj_db *db;

    temporary(path);
    db = open_file(path, 7);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "e%03d", i);
        ck_assert_int_eq(cj_record(db, &e), CJ_OK);
    }
    ck_assert_int_eq(cj_events(db, NULL, &t), CJ_OK);
    names = cj_table_text(t, 3, &offsets);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "e%03d", i);
        ck_assert_int_eq(memcmp(names + offsets[i], name, 4), 0);
    }
    cj_table_free(t);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* A message that left traits only is known after sealing as before. */
START_TEST(test_store_seal__messages_without_events)
{
    char path[64];
    static const char message[] =
        "{\"type\":\"identify\",\"time\":1735689600000,\"message_id\":\"i1\","
        "\"identifiers\":{\"user_id\":\"ann\"},\"traits\":{\"country\":\"DE\"}}";
    cj_record_result r = {.struct_size = sizeof r};
    cj_db *db;

    temporary(path);
    db = open_file(path, 1);
    ck_assert_int_eq(cj_record_json(db, message, -1, "json", &r), CJ_OK);
    ck_assert_int_eq(r.n_recorded, 1);
    ck_assert_int_eq(people_count(db, "sealed_messages"), 1);
    people_sound(db);
    ck_assert_int_eq(cj_record_json(db, message, -1, "json", &r), CJ_OK);
    ck_assert_int_eq(r.n_duplicates, 1);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    people_sound(db);
    ck_assert_int_eq(cj_record_json(db, message, -1, "json", &r), CJ_OK);
    ck_assert_int_eq(r.n_duplicates, 1);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

static int32_t stop_at_once(void *user, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    ++*(int *)user;
    return 1;
}

START_TEST(test_store_seal__compact_can_be_stopped_and_resumed)
{
    char path[64], *before, *after;
    int calls = 0;
    cj_db *db;

    temporary(path);
    db = open_file(path, 100);
    for (int i = 0; i < 1000; i++)
        record(db, i);
    before = content(db);
    ck_assert_int_eq(cj_compact(db, stop_at_once, &calls), CJ_EINTERRUPT);
    ck_assert_int_eq(calls, 1);
    people_sound(db);
    after = content(db);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    free(before);
    free(after);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

HARNESS_MAIN("store_seal", test_store_seal__answers_do_not_depend_on_it,
             test_store_seal__compact_changes_no_answer,
             test_store_seal__compacting_seals_into_months,
             test_store_seal__late_events_after_compaction,
             test_store_seal__parts_of_a_slice_are_merged,
             test_store_seal__ties_keep_their_arrival,
             test_store_seal__messages_without_events,
             test_store_seal__compact_can_be_stopped_and_resumed)
