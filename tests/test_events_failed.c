/* Rejected messages: kept with their reason, tried again, and gone when recorded. */
#include "harness.h"
#include "people.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

static void record(cj_db *db, const char *format, const char *json)
{
    ck_assert_msg(cj_record_json(db, json, -1, format, NULL) == CJ_OK, "%s",
                  cj_errmsg());
}

/* "source code reason: bytes" per row, without ids and times. */
static void expect_failed(cj_db *db, const char *expected)
{
    cj_table *t = NULL;
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    ck_assert_int_eq(cj_failed_events(db, &t), CJ_OK);
    ck_assert_str_eq(cj_table_name(t, 0), "id");
    ck_assert_str_eq(cj_table_name(t, 1), "time_ms");
    for (int64_t row = 0; row < cj_table_rows(t); row++)
        for (int64_t c = 2; c < 6; c++) {
            const int64_t *offsets;
            const char *bytes = cj_table_text(t, c, &offsets);

            fprintf(f, "%.*s%c", (int)(offsets[row + 1] - offsets[row]),
                    bytes + offsets[row], c < 5 ? '|' : '\n');
        }
    fclose(f);
    cj_table_free(t);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* "recorded duplicates rejected" */
static void expect_retry(cj_db *db, const char *expected)
{
    cj_record_result r = {.struct_size = sizeof r};
    char counts[100];

    ck_assert_msg(cj_failed_retry(db, &r) == CJ_OK, "%s", cj_errmsg());
    snprintf(counts, sizeof counts, "%lld %lld %lld", (long long)r.n_recorded,
             (long long)r.n_duplicates, (long long)r.n_rejected);
    ck_assert_str_eq(counts, expected);
}

START_TEST(test_events_failed__kept_once_with_the_reason)
{
    cj_db *db = people_open();

    expect_failed(db, "");
    record(db, "json", "{\"nome\":1}");
    record(db, "json", "{\"nome\":1}");
    record(db, "segment", "{\"nome\":1}");
    record(db, "json", "{\"x\xff\":1}");
    expect_failed(
        db,
        "json|CJ_EINVAL|unknown key \"nome\"; the nearest is \"name\"|{\"nome\":1}\n"
        "segment|CJ_EINVAL|type must be track, identify, page, screen, alias, group "
        "or merge|{\"nome\":1}\n"
        "json|CJ_EINVAL|JSON: not valid UTF-8, at byte 3|{\"x\xef\xbf\xbd\":1}\n");
    people_close(db);
}
END_TEST

START_TEST(test_events_failed__wrong_stays_wrong)
{
    cj_db *db = people_open();

    record(db, "json", "{\"name\":\"a\",\"user_id\":\"u\",\"value\":\"much\"}");
    expect_retry(db, "0 0 1");
    expect_failed(db, "json|CJ_EINVAL|value must be a number|"
                      "{\"name\":\"a\",\"user_id\":\"u\",\"value\":\"much\"}\n");
    people_close(db);
}
END_TEST

/* As if it had been rejected by a library that knew less. */
static void was_rejected(cj_db *db, int64_t time_ms, const char *format,
                         const char *bytes)
{
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__write_end(db, cj__failed_add(db, time_ms, format, CJ_EINVAL,
                                                      "not yet", cj__text_of(bytes))),
                     CJ_OK);
}

static void expect_events(cj_db *db, const char *expected)
{
    cj_table *t = NULL;
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    ck_assert_int_eq(cj_events(db, NULL, &t), CJ_OK);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        const int64_t *offsets;
        const char *bytes = cj_table_text(t, 3, &offsets);

        fprintf(f, "%lld %.*s\n", (long long)cj_table_int64(t, 2)[row],
                (int)(offsets[row + 1] - offsets[row]), bytes + offsets[row]);
    }
    fclose(f);
    cj_table_free(t);
    ck_assert_str_eq(text, expected);
    free(text);
}

#define PLAIN "{\"name\":\"a\",\"user_id\":\"u\"}"

/* A message without a time happened when it was rejected, not when it is retried. */
START_TEST(test_events_failed__recorded_when_it_is_right)
{
    cj_db *db = people_open();

    was_rejected(db, 5000, "json", PLAIN);
    was_rejected(db, 6000, "record",
                 "{\"name\":\"b\",\"user_id\":\"u\",\"time\":7000}");
    was_rejected(db, 6000, "segment", "{\"type\":\"page\",\"userId\":\"u\"}");
    was_rejected(db, 6000, "csv", "a,b,c");
    was_rejected(db, 6000, "json", "{}");
    expect_retry(db, "3 0 1");
    expect_events(db, "5000 a\n6000 page_view\n7000 b\n");
    expect_failed(db, "csv|CJ_EINVAL|not yet|a,b,c\njson|CJ_EINVAL|not yet|{}\n");
    expect_retry(db, "0 0 1");
    people_sound(db);
    people_close(db);
}
END_TEST

/* As after a crash between recording it and forgetting it. */
START_TEST(test_events_failed__a_second_retry_doubles_nothing)
{
    cj_db *db = people_open();

    was_rejected(db, 5000, "json", PLAIN);
    expect_retry(db, "1 0 0");
    was_rejected(db, 5000, "json", PLAIN);
    expect_retry(db, "0 1 0");
    expect_events(db, "5000 a\n");
    expect_failed(db, "");
    was_rejected(db, 5001, "json",
                 PLAIN); /* the same said once more is another event */
    expect_retry(db, "1 0 0");
    expect_events(db, "5000 a\n5001 a\n");
    people_close(db);
}
END_TEST

/* More than one batch, of which some stay. */
START_TEST(test_events_failed__many)
{
    cj_db *db = people_open();
    cj_table *t = NULL;

    for (int i = 0; i < 700; i++) {
        char json[100];

        snprintf(json, sizeof json, "{\"name\":\"a\",\"user_id\":\"u%d\"%s}", i,
                 i % 7 == 0 ? ",\"bad\":1" : "");
        was_rejected(db, 1000 + i, "json", json);
    }
    expect_retry(db, "600 0 100");
    ck_assert_int_eq(cj_failed_events(db, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 100);
    cj_table_free(t);
    people_sound(db);
    people_close(db);
}
END_TEST

/* What cj_record rejected is written so that it can be read again. */
START_TEST(test_events_failed__events_come_back_as_they_were)
{
    cj_db *db = people_open();
    cj_identifier id = {sizeof id, "user_id", "u"};
    cj_event e = {.struct_size = sizeof e,
                  .time_ms = 1000,
                  .name = "order",
                  .identifiers = &id,
                  .n_identifiers = 1,
                  .value_minor = 5,
                  .currency = "USD"};

    ck_assert_int_eq(cj_record(db, &e), CJ_EREJECT);
    expect_failed(
        db, "record|CJ_ECURRENCY|currency USD is not the store's EUR; convert it|"
            "{\"time\":1000,\"name\":\"order\",\"identifiers\":{\"user_id\":\"u\"},"
            "\"value_minor\":5,\"currency\":\"USD\"}\n");
    expect_retry(db, "0 0 1");
    people_close(db);
}
END_TEST

HARNESS_MAIN("events_failed", test_events_failed__kept_once_with_the_reason,
             test_events_failed__wrong_stays_wrong,
             test_events_failed__recorded_when_it_is_right,
             test_events_failed__a_second_retry_doubles_nothing,
             test_events_failed__many,
             test_events_failed__events_come_back_as_they_were)
