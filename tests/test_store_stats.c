/* cj_stats: every fact has its name, unit and meaning, and is right. */
#include "harness.h"
#include "people.h"

#include <stdint.h>
#include <string.h>

START_TEST(test_store_stats__counts_what_is_there)
{
    cj_db *db = people_open();
    cj_identifier ann = {sizeof ann, "user_id", "ann"},
                  junk = {sizeof junk, "user_id", "0"};
    cj_event e = {.struct_size = sizeof e,
                  .name = "order",
                  .time_ms = 1735689600000,
                  .identifiers = &ann,
                  .n_identifiers = 1,
                  .message_id = "m1",
                  .channel = "web",
                  .value_minor = 5};

    ck_assert_int_eq(people_count(db, "profiles"), 0);
    ck_assert_int_eq(cj_record(db, &e), CJ_OK);
    e.identifiers = &junk;
    ck_assert_int_eq(cj_record(db, &e), CJ_EREJECT);
    people_say(db, "user_id=ann email=a@x.org");
    ck_assert_int_eq(cj_identify(db, &ann, 1, "{\"a\":1,\"b\":2}", 0, NULL, NULL),
                     CJ_OK);
    ck_assert_int_eq(people_count(db, "profiles"), 1);
    ck_assert_int_eq(people_count(db, "identifiers"), 2);
    ck_assert_int_eq(people_count(db, "edges"), 2); /* by event, by identify */
    ck_assert_int_eq(people_count(db, "traits"), 2);
    ck_assert_int_eq(people_count(db, "journal_events"), 2);
    ck_assert_int_eq(people_count(db, "failed_events"), 1);
    ck_assert_int_eq(people_count(db, "schema_version"), 4);
    ck_assert_int_eq(people_count(db, "currency_exponent"), 2);
    ck_assert_int_eq(cj_compact(db, NULL, NULL), CJ_OK);
    ck_assert_int_eq(people_count(db, "journal_events"), 0);
    ck_assert_int_eq(people_count(db, "sealed_events"), 2);
    ck_assert_int_eq(people_count(db, "sealed_values"), 1);
    ck_assert_int_eq(people_count(db, "sealed_messages"), 1);
    ck_assert_int_eq(people_count(db, "blocks"), 2); /* its events, and its order again */
    ck_assert_int_gt(people_count(db, "core_bytes"), 50);
    ck_assert_int_gt(people_count(db, "message_bytes"), 2);
    people_close(db);
}
END_TEST

START_TEST(test_store_stats__every_fact_is_explained)
{
    cj_db *db = people_open();
    cj_table *t;

    ck_assert_int_eq(cj_stats(db, &t), CJ_OK);
    ck_assert_int_gt(cj_table_rows(t), 15);
    for (int64_t column = 0; column < 4; column++) {
        const int64_t *offsets;
        if (column == 1)
            continue;
        ck_assert_ptr_nonnull(cj_table_text(t, column, &offsets));
        for (int64_t i = 0; i < cj_table_rows(t); i++)
            ck_assert_int_gt(offsets[i + 1], offsets[i]);
    }
    cj_table_free(t);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_stats", test_store_stats__counts_what_is_there,
             test_store_stats__every_fact_is_explained)
