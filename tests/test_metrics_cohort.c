/* Cohorts by hand: where customers came from, what they brought, what they cost, when
 * it had come back; costs that fit no cohort; many threads. */
#include "harness.h"
#include "history.h"
#include "shop.h"

#include "metrics/cohort.h"

#include <math.h>
#include <string.h>

/* ann comes by a mail of the spring campaign, buys later in the store; bob has no touch
 * but the till; cid comes by an ad two months later; dan never buys. */
static const char *const json =
    "{\"name\":\"page\",\"time\":\"2024-01-05\",\"user_id\":\"ann\"}\n"
    "{\"name\":\"page\",\"time\":\"2024-01-06\",\"user_id\":\"ann\",\"channel\":"
    "\"email\""
    ",\"campaign\":\"spring\"}\n"
    "{\"name\":\"page\",\"time\":\"2024-01-07\",\"user_id\":\"ann\",\"channel\":"
    "\"web\"}\n"
    "{\"name\":\"order\",\"time\":\"2024-01-31T23:30\",\"user_id\":\"ann\","
    "\"channel\":\"store\",\"value_minor\":1000}\n"
    "{\"name\":\"order\",\"time\":\"2024-03-05\",\"user_id\":\"ann\",\"value_minor\":"
    "3000}\n"
    "{\"name\":\"refund\",\"time\":\"2024-03-06\",\"user_id\":\"ann\","
    "\"value_minor\":-500}\n"
    "{\"name\":\"order\",\"time\":\"2024-01-10\",\"user_id\":\"bob\","
    "\"value_minor\":2000}\n"
    "{\"name\":\"page\",\"time\":\"2024-01-11\",\"user_id\":\"bob\",\"channel\":"
    "\"web\"}\n"
    "{\"name\":\"page\",\"time\":\"2024-01-12\",\"user_id\":\"cid\","
    "\"campaign\":\"ad\"}\n"
    "{\"name\":\"order\",\"time\":\"2024-03-10\",\"user_id\":\"cid\",\"channel\":"
    "\"web\","
    "\"value_minor\":4000}\n"
    "{\"name\":\"page\",\"time\":\"2024-01-12\",\"user_id\":\"dan\","
    "\"campaign\":\"ad\"}\n";

static void given(shop *s)
{
    cj_record_result r = {.struct_size = sizeof r};

    expect_ok(cj_record_json(s->db, json, -1, "json", &r));
    ck_assert_int_eq(r.n_recorded, 11);
}

static void expect_cohorts(shop *s, const cj_value_cohorts_options *o,
                           const cj_profile_values *clv, const char *want)
{
    cj_table *t;

    expect_ok(cj_value_cohorts(s->db, o, clv, &t));
    expect_table(t, want);
}

#define REST                                                                           \
    "customers orders value_minor scored clv cost_minor cac_minor value_cost_ratio "   \
    "clv_cost_ratio payback_months\n"

START_TEST(test_cohort__by_month_channel_and_campaign)
{
    cj_value_cohorts_options o = {.struct_size = sizeof o};
    shop s;

    shop_open(&s, "UTC", 0);
    given(&s);
    o.as_of_ms = shop_time(&s, "2024-06-01");
    expect_cohorts(&s, &o, NULL,
                   "month " REST "2024-01 2 3 5500 0 0 - - - - -\n"
                   "2024-03 1 1 4000 0 0 - - - - -\n");
    o.by = CJ_COHORT_CHANNEL;
    expect_cohorts(&s, &o, NULL,
                   "channel " REST "- 2 2 6000 0 0 - - - - -\n"
                   "email 1 2 3500 0 0 - - - - -\n");
    o.by = CJ_COHORT_CAMPAIGN | CJ_COHORT_MONTH;
    o.monetary = CJ_RFM_GROSS;
    expect_cohorts(&s, &o, NULL,
                   "month campaign " REST "2024-01 - 1 1 2000 0 0 - - - - -\n"
                   "2024-01 spring 1 2 4000 0 0 - - - - -\n"
                   "2024-03 ad 1 1 4000 0 0 - - - - -\n");
    o.by = CJ_COHORT_CAMPAIGN;
    o.segment = "orders() >= 2";
    expect_cohorts(&s, &o, NULL, "campaign " REST "spring 1 2 4000 0 0 - - - - -\n");
    o.segment = NULL;
    o.first_from_ms = shop_time(&s, "2024-01-31");
    o.first_until_ms = shop_time(&s, "2024-02-01");
    expect_cohorts(&s, &o, NULL, "campaign " REST "spring 1 2 4000 0 0 - - - - -\n");
    shop_close(&s);
}
END_TEST

/* The month is the local one: in Auckland the 31st is over. */
START_TEST(test_cohort__months_are_those_of_the_store)
{
    cj_value_cohorts_options o = {.struct_size = sizeof o};
    shop s;

    shop_open(&s, "Pacific/Auckland", 0);
    shop_events(&s, "ann 2024-01-31T23:30:00Z order 10.00\n"
                    "bob 1970-01-31T11:30:00Z order 10.00\n"
                    "cid 1970-01-31T12:30:00Z order 10.00\n");
    o.as_of_ms = shop_time(&s, "2024-06-01");
    expect_cohorts(&s, &o, NULL,
                   "month " REST "1970-01 1 1 1000 0 0 - - - - -\n"
                   "1970-02 1 1 1000 0 0 - - - - -\n"
                   "2024-02 1 1 1000 0 0 - - - - -\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_cohort__costs_come_back)
{
    const int64_t profiles[] = {1, 3};
    const double values[] = {10, 5};
    const cj_profile_values clv = {
        .struct_size = sizeof clv, .n = 2, .profiles = profiles, .values = values};
    cj_cohort_cost costs[] = {
        {.struct_size = sizeof costs[0], .month = "2024-01", .cost_minor = 3000},
        {.struct_size = sizeof costs[0], .month = "2024-03", .cost_minor = 5000},
        {.struct_size = sizeof costs[0], .month = "2024-02", .cost_minor = 700 },
        {.struct_size = sizeof costs[0], .month = "2024-01", .cost_minor = 201 },
    };
    cj_value_cohorts_options o = {
        .struct_size = sizeof o, .costs = costs, .n_costs = 4};
    shop s;

    shop_open(&s, "UTC", 0);
    given(&s);
    o.as_of_ms = shop_time(&s, "2024-06-01");
    /* January: in the first month 3000 of two customers, less than 1600.5 each; in the
     * second 2500 more (33 days after the first): 2750.  CAC 1600.5 to the even. */
    expect_cohorts(&s, &o, &clv,
                   "month " REST "2024-01 2 3 5500 1 10 3201 1600 1.71821 2.03062 2\n"
                   "2024-02 0 0 0 0 0 700 - 0 0 -\n"
                   "2024-03 1 1 4000 1 5 5000 5000 0.8 0.9 -\n");
    o.margin_ratio = 0.5; /* 1375 have come of 1600.5 */
    expect_cohorts(&s, &o, &clv,
                   "month " REST "2024-01 2 3 5500 1 10 3201 1600 0.859107 1.17151 -\n"
                   "2024-02 0 0 0 0 0 700 - 0 0 -\n"
                   "2024-03 1 1 4000 1 5 5000 5000 0.4 0.5 -\n");
    /* While no month has been seen to its end, nothing has come back for sure. */
    o.margin_ratio = 0;
    o.as_of_ms = shop_time(&s, "2024-02-05");
    costs[0].cost_minor = 0;
    o.n_costs = 1;
    expect_cohorts(&s, &o, NULL, "month " REST "2024-01 2 2 3000 0 0 0 0 - - 0\n");
    costs[0].cost_minor = 1;
    expect_cohorts(&s, &o, NULL,
                   "month " REST "2024-01 2 2 3000 0 0 1 0 3000 3000 -\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_cohort__costs_of_channels)
{
    const cj_cohort_cost costs[] = {
        {.struct_size = sizeof costs[0], .channel = "email", .cost_minor = 1000},
        {.struct_size = sizeof costs[0], .cost_minor = 600 },
        {.struct_size = sizeof costs[0],            .channel = "radio",   .cost_minor = 90                  },
        {.struct_size = sizeof costs[0],            .channel = "radio",    .cost_minor = 9},
    };
    cj_value_cohorts_options o = {
        .struct_size = sizeof o, .by = CJ_COHORT_CHANNEL, .costs = costs, .n_costs = 4};
    shop s;

    shop_open(&s, "UTC", 0);
    given(&s);
    o.as_of_ms = shop_time(&s, "2024-06-01");
    expect_cohorts(&s, &o, NULL,
                   "channel " REST "- 2 2 6000 0 0 600 300 10 10 1\n"
                   "email 1 2 3500 0 0 1000 1000 3.5 3.5 1\n"
                   "radio 0 0 0 0 0 99 - 0 0 -\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_cohort__wrong_options_are_named)
{
    cj_cohort_cost costs[] = {
        {.struct_size = sizeof costs[0], .month = "2024-01"},
        {.struct_size = sizeof costs[0], .month = "2024-13"}
    };
    const cj_value_cohorts_options good = {.struct_size = sizeof good,
                                           .as_of_ms = 1700000000000,
                                           .costs = costs,
                                           .n_costs = 2};
    cj_value_cohorts_options o = good;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, 1,
                    "the month of a cost is not such as 2024-03");
    costs[1].month = NULL;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, 1,
                    "a cost is not by what cohorts are by");
    costs[1].month = "2024-02";
    costs[1].channel = "web";
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, 1,
                    "a cost is not by what cohorts are by");
    costs[1].channel = NULL;
    costs[1].cost_minor = -1;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, 1,
                    "a cost is negative");
    o = good, o.by = 8;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "by must be a sum of CJ_COHORT_* values, or 0");
    o = good, o.margin_ratio = 1.5;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "margin_ratio must be 0..1, and 0 is 1");
    o = good, o.margin_ratio = NAN;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "margin_ratio must be 0..1, and 0 is 1");
    o = good, o.costs = NULL;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "costs and n_costs do not belong together");
    o = good, o.n_costs = 10001;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_ELIMIT, -1,
                    "more than 10000 costs");
    o = good, o.monetary = 2;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "monetary must be CJ_RFM_NET or CJ_RFM_GROSS");
    o = good, o.threads = -1;
    expect_error_is(cj_value_cohorts(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "threads must be 0..64");
    ck_assert_ptr_null(t);
    shop_close(&s);
}
END_TEST

static char *cohorts_text(history *h, const cj_value_cohorts_options *o)
{
    cj_table *t;
    char *text;

    ck_assert_msg(cj_value_cohorts(h->db, o, NULL, &t) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_eq(cj_table_format(t, "csv", &text, NULL), CJ_OK);
    cj_table_free(t);
    return text;
}

/* Cohorts add up to RFM of the same events; threads and sealing do not matter. */
START_TEST(test_cohort__adds_up_to_rfm_for_any_threads)
{
    cj_value_cohorts_options o = {.struct_size = sizeof o,
                                  .as_of_ms = HISTORY_UNTIL_MS,
                                  .by = CJ_COHORT_MONTH | CJ_COHORT_CHANNEL};
    cj_rfm_options r = {.struct_size = sizeof r, .as_of_ms = HISTORY_UNTIL_MS};

    for (uint64_t seed = 1; seed < 5; seed++) {
        int64_t n[2] = {0}, orders[2] = {0}, minor[2] = {0};
        cj_table *t;
        history h;
        char *one, *more;

        history_open(&h, seed, 80, 300, seed % 2 ? NULL : "America/St_Johns");
        history_record(&h, 3000);
        history_merge(&h);
        o.monetary = r.monetary = CJ_RFM_GROSS;
        ck_assert_int_eq(cj_value_cohorts(h.db, &o, NULL, &t), CJ_OK);
        for (int64_t i = 0; i < cj_table_rows(t); i++) {
            n[0] += cj_table_int64(t, 2)[i];
            orders[0] += cj_table_int64(t, 3)[i];
            minor[0] += cj_table_int64(t, 4)[i];
        }
        cj_table_free(t);
        ck_assert_int_eq(cj_rfm(h.db, &r, &t), CJ_OK);
        n[1] = cj_table_rows(t);
        for (int64_t i = 0; i < n[1]; i++) {
            orders[1] += cj_table_int64(t, 2)[i];
            minor[1] += cj_table_int64(t, 3)[i];
        }
        cj_table_free(t);
        ck_assert_int_eq(n[0], n[1]);
        ck_assert_int_eq(orders[0], orders[1]);
        ck_assert_int_eq(minor[0], minor[1]);
        o.monetary = CJ_RFM_NET;
        one = cohorts_text(&h, &o);
        ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
        o.threads = 3;
        more = cohorts_text(&h, &o);
        ck_assert_str_eq(one, more);
        cj_text_free(one);
        cj_text_free(more);
        history_end(&h);
    }
}
END_TEST

START_TEST(test_cohort__survives_lack_of_memory)
{
    const cj_cohort_cost cost = {
        .struct_size = sizeof cost, .month = "2024-02", .cost_minor = 1};
    cj_value_cohorts_options o = {.struct_size = sizeof o,
                                  .costs = &cost,
                                  .n_costs = 1,
                                  .segment = "orders() >= 1"};
    int32_t rc = CJ_ENOMEM;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    given(&s);
    o.as_of_ms = shop_time(&s, "2024-06-01");
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_value_cohorts(s.db, &o, NULL, &t);
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || (rc == CJ_ENOMEM && t == NULL));
    }
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("metrics_cohort", test_cohort__by_month_channel_and_campaign,
             test_cohort__months_are_those_of_the_store, test_cohort__costs_come_back,
             test_cohort__costs_of_channels, test_cohort__wrong_options_are_named,
             test_cohort__adds_up_to_rfm_for_any_threads,
             test_cohort__survives_lack_of_memory)
