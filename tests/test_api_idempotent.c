/* The same messages twice, in any order, from two processes, sealed early or late,
 * compacted or not: the same content, counted once. */
#include "api.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IDEMPOTENT_MESSAGES = 400 };

/* All messages, once each, in one commit per few. */
static void idempotent_send(cj_db *db, const int64_t *numbers, int64_t n,
                            uint64_t *dice)
{
    for (int64_t i = 0; i < n;) {
        api_message m[16];
        int64_t k = 1 + (int64_t)(api_random(dice) % 16);
        k = k > n - i ? n - i : k;
        for (int64_t j = 0; j < k; j++)
            api_message_make(&m[j], numbers[i + j], API_SCRAMBLED);
        expect_ok(cj_record_many(db, &m[0].event, k, (int64_t)sizeof m[0], NULL));
        i += k;
    }
}

static void idempotent_numbers(int64_t *numbers)
{
    for (int64_t i = 0; i < IDEMPOTENT_MESSAGES; i++)
        numbers[i] = i;
}

static char *idempotent_expected(void)
{
    int64_t numbers[IDEMPOTENT_MESSAGES];
    uint64_t dice = 1;
    api_file f;
    char *content;
    cj_db *db;

    api_file_make(&f);
    idempotent_numbers(numbers);
    db = api_open(f.path, 0, 1000000);
    idempotent_send(db, numbers, IDEMPOTENT_MESSAGES, &dice);
    ck_assert_int_eq(api_stat(db, "sealed_events"), 0);
    content = api_content_sorted(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
    return content;
}

/* Any order, any part of it twice, with any sealing between. */
START_TEST(test_api_idempotent__any_order_any_sealing)
{
    static const int64_t seal_events[] = {1, 7, 50, 333, 1000000};
    char *expected = idempotent_expected();
    uint64_t dice = 20240302;

    for (size_t i = 0; i < sizeof seal_events / sizeof seal_events[0]; i++) {
        int64_t numbers[2 * IDEMPOTENT_MESSAGES];
        api_file f;
        cj_db *db;
        char *content;
        api_file_make(&f);
        idempotent_numbers(numbers);
        idempotent_numbers(numbers + IDEMPOTENT_MESSAGES);
        api_shuffle(numbers, 2 * IDEMPOTENT_MESSAGES, &dice);
        db = api_open(f.path, 0, seal_events[i]);
        idempotent_send(db, numbers, 2 * IDEMPOTENT_MESSAGES, &dice);
        content = api_content_sorted(db);
        api_expect_same(content, expected, "shuffled and doubled");
        free(content);
        expect_ok(cj_compact(db, NULL, NULL));
        idempotent_send(db, numbers, IDEMPOTENT_MESSAGES, &dice);
        expect_ok(cj_close(db));
        db = api_open(f.path, 0, seal_events[i]); /* cold: nothing in memory */
        idempotent_send(db, numbers, IDEMPOTENT_MESSAGES, &dice);
        content = api_content_sorted(db);
        api_expect_same(content, expected, "after compaction, sent again");
        api_expect_sound(db);
        free(content);
        expect_ok(cj_close(db));
        api_file_remove(&f);
    }
    free(expected);
}
END_TEST

/* Two processes send all messages, each in its own order, at the same time. */
START_TEST(test_api_idempotent__two_processes)
{
    int64_t numbers[IDEMPOTENT_MESSAGES];
    char *expected = idempotent_expected(), *content;
    uint64_t dice = 20240303;
    pid_t children[2];
    api_file f;
    cj_db *db;

    api_file_make(&f);
    for (int i = 0; i < 2; i++) {
        idempotent_numbers(numbers);
        api_shuffle(numbers, IDEMPOTENT_MESSAGES, &dice);
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0) {
            cj_open_options o = api_options(0, 60);
            int32_t rc = cj_open(f.path, &o, &db);
            for (int64_t n = 0; n < IDEMPOTENT_MESSAGES && rc == CJ_OK; n++)
                rc = api_record(db, numbers[n], API_SCRAMBLED);
            _exit(rc != CJ_OK || cj_close(db) != CJ_OK ? -rc : 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d: %s",
                      status, cj_error_name(-WEXITSTATUS(status)));
    }
    db = api_open(f.path, 0, 60);
    content = api_content_sorted(db);
    api_expect_same(content, expected, "two processes");
    api_expect_sound(db);
    free(content);
    free(expected);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

static int64_t idempotent_json(cj_db *db, const char *text)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r};

    expect_ok(cj_record_json(db, text, -1, "json", &r));
    ck_assert_msg(r.n_rejected == 0, "rejected: %s", text);
    return r.n_recorded;
}

/* Late messages of slices that are weeks, months and more than one part by now. */
START_TEST(test_api_idempotent__late_messages_of_old_slices)
{
    static const int64_t days[] = {0, 1, 8, 40, 41, 100, 200, 300, 301, 365};
    const size_t n_days = sizeof days / sizeof days[0];
    cj_record_result r = {.struct_size = (int64_t)sizeof r};
    api_message m[20];
    api_file f;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, 0, 5);
    for (size_t i = 0; i < n_days; i++) {
        api_message_make(&m[i], (int64_t)i * 5 + 1, API_IN_ORDER);
        m[i].event.time_ms = API_TIME + days[i] * 86400000;
        expect_ok(cj_record(db, &m[i].event));
    }
    expect_ok(cj_compact(db, NULL, NULL));
    ck_assert_int_eq(api_n_events(db), (int64_t)n_days);
    for (size_t i = 0; i < n_days; i++) { /* beside each, another one */
        api_message_make(&m[n_days + i], (int64_t)i * 5 + 2, API_IN_ORDER);
        m[n_days + i].event.time_ms = m[i].event.time_ms + 1;
    }
    for (int round = 0; round < 3; round++) {
        expect_ok(cj_record_many(db, &m[0].event, (int64_t)(2 * n_days),
                                 (int64_t)sizeof m[0], &r));
        ck_assert_int_eq(r.n_recorded, round == 0 ? (int64_t)n_days : 0);
        ck_assert_int_eq(api_n_events(db), 2 * (int64_t)n_days);
        if (round == 1)
            expect_ok(cj_compact(db, NULL, NULL));
        expect_ok(cj_close(db));
        db = api_open(f.path, 0, 5);
    }
    api_expect_sound(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* A message that leaves no event has an id all the same. */
START_TEST(test_api_idempotent__traits_only)
{
    const char *message =
        "{\"type\":\"identify\",\"time\":1700000000000,\"message_id\":\"t1\","
        "\"user_id\":\"ann\",\"traits\":{\"city\":\"Bonn\"}}";
    api_file f;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, 0, 1); /* sealed at once */
    ck_assert_int_eq(idempotent_json(db, message), 1);
    ck_assert_int_eq(idempotent_json(db, message), 0);
    expect_ok(cj_compact(db, NULL, NULL));
    expect_ok(cj_close(db));
    db = api_open(f.path, 0, 1);
    ck_assert_int_eq(idempotent_json(db, message), 0);
    ck_assert_int_eq(api_stat(db, "traits"), 1);
    ck_assert_int_eq(api_n_events(db), 0);
    api_expect_sound(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* What a trait is at a time does not depend on when it was told. */
START_TEST(test_api_idempotent__traits_in_any_order)
{
    static const char *const cities[] = {"Bonn", "Rome", "Bonn",
                                         "Oslo", "Rome", "Rome"};
    uint64_t dice = 20240304;

    for (int round = 0; round < 30; round++) {
        int64_t numbers[] = {0, 1, 2, 3, 4, 5}, profile = 0;
        cj_identifier id = {sizeof id, "user_id", "ann"};
        api_file f;
        cj_db *db;
        api_file_make(&f);
        if (round > 0)
            api_shuffle(numbers, 6, &dice);
        db = api_open(f.path, 0, 0);
        for (int i = 0; i < (round % 2 + 1) * 6; i++) {
            char traits[64];
            int64_t n = numbers[i % 6];
            (void)snprintf(traits, sizeof traits, "{\"city\":\"%s\"}", cities[n]);
            expect_ok(
                cj_identify(db, &id, 1, traits, API_TIME + n * 1000, NULL, &profile));
        }
        for (int64_t n = 0; n < 6; n++) {
            api_text t = {0};
            cj_table *table;
            expect_ok(cj_profile_traits(db, profile, API_TIME + n * 1000, &table));
            api_put_table(&t, table);
            ck_assert_msg(strstr(t.data, cities[n]) != NULL, "round %d: %s is not %s",
                          round, t.data, cities[n]);
            free(t.data);
        }
        expect_ok(cj_close(db));
        api_file_remove(&f);
    }
}
END_TEST

START_TEST(test_api_idempotent__within_one_batch)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r};
    api_message m[4];
    api_file f;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, 0, 0);
    for (int i = 0; i < 4; i++)
        api_message_make(&m[i], i / 2 * 5, API_IN_ORDER); /* 0 0 5 5 */
    expect_ok(cj_record_many(db, &m[0].event, 4, (int64_t)sizeof m[0], &r));
    ck_assert_int_eq(r.n_recorded, 2);
    ck_assert_int_eq(r.n_duplicates, 2);
    ck_assert_int_eq(api_n_events(db), 6);
    for (int i = 0; i < 4; i++)
        m[i].event.message_id = NULL; /* without one, nothing is compared */
    expect_ok(cj_record_many(db, &m[0].event, 4, (int64_t)sizeof m[0], &r));
    ck_assert_int_eq(r.n_recorded, 4);
    api_expect_sound(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* Rejected ones too are kept once. */
START_TEST(test_api_idempotent__rejects)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r};
    api_file f;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, 0, 0);
    for (int i = 0; i < 3; i++) {
        expect_ok(cj_record_json(db, "{\"name\":7}\n{\"name\":\"x\"}\n{\"name\":7}", -1,
                                 "json", &r));
        ck_assert_int_eq(r.n_rejected, 3);
        ck_assert_int_eq(api_stat(db, "failed_events"), 2);
    }
    expect_ok(cj_failed_retry(db, &r));
    ck_assert_int_eq(r.n_rejected, 2);
    ck_assert_int_eq(api_stat(db, "failed_events"), 2);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

HARNESS_MAIN("api_idempotent", test_api_idempotent__any_order_any_sealing,
             test_api_idempotent__two_processes,
             test_api_idempotent__late_messages_of_old_slices,
             test_api_idempotent__traits_only, test_api_idempotent__traits_in_any_order,
             test_api_idempotent__within_one_batch, test_api_idempotent__rejects)
