/* Traits: history in, the newest out; merge and unmerge move nothing. */
#include "harness.h"
#include "people.h"

#include <stdint.h>
#include <string.h>

#define T0 INT64_C(1735689600000)

static void learn(cj_db *db, const char *user, const char *traits, int64_t time_ms)
{
    cj_identifier id = {sizeof id, "user_id", user};

    ck_assert_msg(cj_identify(db, &id, 1, traits, time_ms, "crm", NULL) == CJ_OK, "%s",
                  cj_errmsg());
}

static void expect_traits(cj_db *db, int64_t profile, int64_t as_of_ms, const char *csv)
{
    cj_table *t;
    char *text;

    ck_assert_int_eq(cj_profile_traits(db, profile, as_of_ms, &t), CJ_OK);
    text = people_csv(t);
    ck_assert_str_eq(text, csv);
    free(text);
}

#define HEAD "name,value,source,time_ms\n"

START_TEST(test_profile_traits__newest_at_a_moment)
{
    cj_db *db = people_open();

    learn(db, "ann", "{\"country\":\"DE\",\"age\":41}", T0 + 10);
    learn(db, "ann", "{\"country\":\"AT\"}", T0 + 30);
    learn(db, "ann", "{\"country\":\"CH\"}", T0 + 20); /* late news */
    expect_traits(db, 1, T0 + 9, HEAD);
    expect_traits(db, 1, T0 + 10,
                  HEAD "age,41,crm,1735689600010\n"
                       "country,\"\"\"DE\"\"\",crm,1735689600010\n");
    expect_traits(db, 1, T0 + 29,
                  HEAD "age,41,crm,1735689600010\n"
                       "country,\"\"\"CH\"\"\",crm,1735689600020\n");
    expect_traits(db, 1, T0 + 30,
                  HEAD "age,41,crm,1735689600010\n"
                       "country,\"\"\"AT\"\"\",crm,1735689600030\n");
    people_close(db);
}
END_TEST

START_TEST(test_profile_traits__numbers_and_nesting_stay_exact)
{
    cj_db *db = people_open();

    learn(db, "ann",
          "{ \"big\" : 9007199254740993123, \"dec\":12.50, \"tags\":[ \"a\", "
          "{\"b\":null} ] }",
          T0);
    expect_traits(db, 1, T0,
                  HEAD "big,9007199254740993123,crm,1735689600000\n"
                       "dec,12.50,crm,1735689600000\n"
                       "tags,\"[\"\"a\"\",{\"\"b\"\":null}]\",crm,1735689600000\n");
    people_close(db);
}
END_TEST

START_TEST(test_profile_traits__null_forgets)
{
    cj_db *db = people_open();

    learn(db, "ann", "{\"phone_ok\":true}", T0);
    learn(db, "ann", "{\"phone_ok\":null}", T0 + 1);
    expect_traits(db, 1, T0, HEAD "phone_ok,true,crm,1735689600000\n");
    expect_traits(db, 1, T0 + 1, HEAD);
    people_close(db);
}
END_TEST

/* Told again later it is one more row, which a late value needs; told twice it is not.
 */
START_TEST(test_profile_traits__every_time_is_kept_once)
{
    cj_db *db = people_open();

    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < 5; i++)
            learn(db, "ann", "{\"country\":\"DE\"}", T0 + 2 * i);
    ck_assert_int_eq(people_count(db, "traits"), 5);
    learn(db, "ann", "{\"country\":\"AT\"}", T0 + 5);
    expect_traits(db, 1, T0 + 5, HEAD "country,\"\"\"AT\"\"\",crm,1735689600005\n");
    expect_traits(db, 1, T0 + 6, HEAD "country,\"\"\"DE\"\"\",crm,1735689600006\n");
    people_close(db);
}
END_TEST

START_TEST(test_profile_traits__merged_profiles_and_back)
{
    cj_db *db = people_open();
    int64_t edge;

    learn(db, "ann", "{\"country\":\"DE\",\"vip\":true}", T0 + 10);
    learn(db, "anne", "{\"country\":\"FR\",\"vip\":false}", T0 + 5);
    ck_assert_int_eq(cj_merge(db, 1, 2, &edge), CJ_OK);
    expect_traits(db, 2, T0 + 10,
                  HEAD "country,\"\"\"DE\"\"\",crm,1735689600010\n"
                       "vip,true,crm,1735689600010\n");
    ck_assert_int_eq(cj_unmerge(db, edge), CJ_OK);
    expect_traits(db, 2, T0 + 10,
                  HEAD "country,\"\"\"FR\"\"\",crm,1735689600005\n"
                       "vip,false,crm,1735689600005\n");
    people_close(db);
}
END_TEST

/* Of equal times the younger node's counts: not chance. */
START_TEST(test_profile_traits__ties)
{
    cj_db *db = people_open();

    learn(db, "ann", "{\"country\":\"DE\"}", T0);
    learn(db, "anne", "{\"country\":\"FR\"}", T0);
    ck_assert_int_eq(cj_merge(db, 1, 2, NULL), CJ_OK);
    expect_traits(db, 1, T0, HEAD "country,\"\"\"FR\"\"\",crm,1735689600000\n");
    people_close(db);
}
END_TEST

START_TEST(test_profile_traits__errors)
{
    cj_db *db = people_open();
    cj_identifier id = {sizeof id, "user_id", "ann"};
    cj_table *t;

    ck_assert_int_eq(cj_identify(db, &id, 1, "[1]", T0, NULL, NULL), CJ_EREJECT);
    ck_assert_int_eq(cj_identify(db, &id, 1, "{\"a\":1", T0, NULL, NULL), CJ_EREJECT);
    ck_assert_int_eq(people_count(db, "failed_events"), 2);
    ck_assert_int_eq(cj_profile_traits(db, 1, T0, &t), CJ_ENOTFOUND);
    ck_assert_ptr_null(t);
    people_close(db);
}
END_TEST

HARNESS_MAIN("profile_traits", test_profile_traits__newest_at_a_moment,
             test_profile_traits__numbers_and_nesting_stay_exact,
             test_profile_traits__null_forgets,
             test_profile_traits__every_time_is_kept_once,
             test_profile_traits__merged_profiles_and_back, test_profile_traits__ties,
             test_profile_traits__errors)
