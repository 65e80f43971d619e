/* cj_record_json: where one message ends and the next begins, and that a broken one
 * costs itself only. */
#include "harness.h"
#include "people.h"

#include <stdio.h>
#include <string.h>

#define A "{\"name\":\"a\",\"time\":1704067200000,\"user_id\":\"u\"}"
#define B "{\"name\":\"b\",\"time\":1704067200000,\"user_id\":\"u\"}"

/* "recorded duplicates rejected first_reject" */
static void expect(cj_db *db, const char *text, const char *expected)
{
    cj_record_result r = {.struct_size = sizeof r};
    char counts[100];

    ck_assert_msg(cj_record_json(db, text, -1, "json", &r) == CJ_OK, "%s", cj_errmsg());
    snprintf(counts, sizeof counts, "%lld %lld %lld %lld", (long long)r.n_recorded,
             (long long)r.n_duplicates, (long long)r.n_rejected,
             (long long)r.first_reject);
    ck_assert_msg(strcmp(counts, expected) == 0, "%s\nis %s, not %s", text, counts,
                  expected);
}

START_TEST(test_events_record_json__one_many_lines)
{
    cj_db *db = people_open();

    expect(db, A, "1 0 0 -1");
    expect(db, "\n  " A "  \n", "1 0 0 -1");
    expect(db, "[" A "," B "]", "2 0 0 -1");
    expect(db, " [ " A "\n,\n" B " ] ", "2 0 0 -1");
    expect(db, A "\n" B, "2 0 0 -1");
    expect(db, A "\r\n\r\n" B "\r\n", "2 0 0 -1");
    expect(db, "{\n \"name\": \"a\",\n \"user_id\": \"u\"\n}", "1 0 0 -1");
    expect(db, "{\"name\":\"a\",\"user_id\":\"u\",\"properties\":\n{\"x\":1}\n}",
           "1 0 0 -1");
    expect(db, "\xEF\xBB\xBF" A, "1 0 0 -1");
    expect(db, "", "0 0 0 -1");
    expect(db, " \n", "0 0 0 -1");
    expect(db, "[]", "0 0 0 -1");
    people_sound(db);
    people_close(db);
}
END_TEST

START_TEST(test_events_record_json__a_broken_one_costs_itself)
{
    cj_db *db = people_open();

    expect(db, A "\n{\"name\":\n" B, "2 0 1 1");
    expect(db, "{\"name\":\"a\"\n" A "\n" B, "2 0 1 0");
    expect(db, A "\nnot json\n" B, "2 0 1 1");
    expect(db, "[" A ",17," B "]", "2 0 1 1");
    expect(db, "[" A ",{\"name\":}," B "]", "2 0 1 1");
    expect(db, "[" A, "1 0 0 -1"); /* what is whole is recorded */
    expect(db, A " " B, "0 0 1 0");
    expect(db, "{\n \"name\": \"a\",\n \"user_id\": 1,,\n}", "0 0 1 0");
    expect(db, "17", "0 0 1 0");
    people_close(db);
}
END_TEST

START_TEST(test_events_record_json__by_message_id)
{
    cj_db *db = people_open();
    static const char twice[] =
        "[{\"name\":\"a\",\"time\":5000,\"user_id\":\"u\",\"message_id\":\"m\"},"
        "{\"name\":\"a\",\"time\":5000,\"user_id\":\"u\",\"message_id\":\"m\"}]";

    expect(db, twice, "1 1 0 -1");
    expect(db, twice, "0 2 0 -1");
    people_close(db);
}
END_TEST

/* A length in bytes is taken as it is, whatever follows it. */
START_TEST(test_events_record_json__n_bytes)
{
    cj_record_result r = {.struct_size = sizeof r};
    cj_db *db = people_open();

    ck_assert_int_eq(cj_record_json(db, A "garbage", (int64_t)strlen(A), "json", &r),
                     CJ_OK);
    ck_assert_int_eq(r.n_recorded, 1);
    ck_assert_int_eq(r.n_rejected, 0);
    ck_assert_int_eq(cj_record_json(db, A, -2, "json", &r), CJ_EMISUSE);
    ck_assert_int_eq(r.n_recorded, 0);
    ck_assert_int_eq(cj_record_json(db, A, -1, "xml", NULL), CJ_EINVAL);
    ck_assert_int_eq(cj_record_json(db, A, -1, "json", NULL), CJ_OK);
    people_close(db);
}
END_TEST

/* Without a time it happens now. */
START_TEST(test_events_record_json__now)
{
    cj_db *db = people_open();
    cj_table *t = NULL;

    expect(db, "{\"name\":\"a\",\"user_id\":\"u\"}", "1 0 0 -1");
    ck_assert_int_eq(cj_events(db, NULL, &t), CJ_OK);
    ck_assert_int_gt(cj_table_int64(t, 2)[0], INT64_C(1700000000000));
    cj_table_free(t);
    people_close(db);
}
END_TEST

HARNESS_MAIN("events_record_json", test_events_record_json__one_many_lines,
             test_events_record_json__a_broken_one_costs_itself,
             test_events_record_json__by_message_id, test_events_record_json__n_bytes,
             test_events_record_json__now)
