/* Every purchase behind the value models' summary: small shops by hand, and rows that
 * add up to the summary of the same options. */
#include "shop.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static const char *const orders = "ann 2024-01-01T10:00 order 10.00\n"
                                  "ann 2024-01-01T11:00 order 5.00\n"
                                  "bob 2024-01-03T12:00 order 7.50\n"
                                  "ann 2024-01-08T23:59 order 20.01\n"
                                  "ann 2024-01-10T09:00 refund -20.01\n"
                                  "ann 2024-01-11T09:00 order 8.00\n"
                                  "cid 2024-01-12T12:00 product_view\n"
                                  "guest:t1 2024-01-12T12:00 order 99.00\n"
                                  "bob 2024-01-14T08:00 order 0\n"
                                  "ann 2024-01-15T00:00 order 3.00\n"
                                  "ann 2024-01-15T09:00 refund -1.00\n"
                                  "dan 2024-01-15T00:00 order 1.00\n";

static cj_clv_summary_options options_of(shop *s, const char *as_of)
{
    return (cj_clv_summary_options){.struct_size = sizeof(cj_clv_summary_options),
                                    .as_of_ms = shop_time(s, as_of)};
}

static void expect_purchases(shop *s, const cj_clv_summary_options *opts,
                             const char *want)
{
    cj_table *t;

    expect_ok(cj_clv_purchases(s->db, opts, &t));
    expect_table(t, want);
}

#define COLUMNS "profile days since_days value time_ms\n"

START_TEST(test_purchases__by_hand)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = options_of(&s, "2024-01-15");
    expect_purchases(&s, &o,
                     COLUMNS "1 0 0 15 2024-01-01T10:00:00.000Z\n"
                             "1 7 7 0 2024-01-08T23:59:00.000Z\n"
                             "1 10 10 8 2024-01-11T09:00:00.000Z\n"
                             "2 0 2 7.5 2024-01-03T12:00:00.000Z\n");
    o.refunds = CJ_CLV_REFUND_DROP;
    o.include_guests = 1;
    expect_purchases(&s, &o,
                     COLUMNS "1 0 0 15 2024-01-01T10:00:00.000Z\n"
                             "1 10 10 8 2024-01-11T09:00:00.000Z\n"
                             "2 0 2 7.5 2024-01-03T12:00:00.000Z\n"
                             "4 0 11 99 2024-01-12T12:00:00.000Z\n");
    o.include_guests = 0;
    o.refunds = CJ_CLV_REFUND_IGNORE;
    o.period = CJ_CLV_WEEK; /* from Monday the 1st, the 8th, the 15th */
    expect_purchases(&s, &o,
                     COLUMNS "1 0 0 15 2024-01-01T10:00:00.000Z\n"
                             "1 7 7 28.01 2024-01-08T23:59:00.000Z\n"
                             "2 0 0 7.5 2024-01-03T12:00:00.000Z\n");
    o.period = CJ_CLV_ANY;
    o.from_ms = shop_time(&s, "2024-01-01T11:00");
    expect_purchases(&s, &o,
                     COLUMNS "1 0 0 5 2024-01-01T11:00:00.000Z\n"
                             "1 7.54097 7.54097 20.01 2024-01-08T23:59:00.000Z\n"
                             "1 9.91667 9.91667 8 2024-01-11T09:00:00.000Z\n"
                             "2 0 2.04167 7.5 2024-01-03T12:00:00.000Z\n");
    shop_close(&s);
}
END_TEST

/* Day 0 is the first purchase of those who are chosen, and the holdout's come too. */
START_TEST(test_purchases__of_the_chosen_and_their_holdout)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = options_of(&s, "2024-01-13");
    o.holdout_end_ms = shop_time(&s, "2024-01-16");
    o.include_free = 1;
    expect_purchases(&s, &o,
                     COLUMNS "1 0 0 15 2024-01-01T10:00:00.000Z\n"
                             "1 7 7 0 2024-01-08T23:59:00.000Z\n"
                             "1 10 10 8 2024-01-11T09:00:00.000Z\n"
                             "1 14 14 2 2024-01-15T00:00:00.000Z\n"
                             "2 0 2 7.5 2024-01-03T12:00:00.000Z\n"
                             "2 11 13 0 2024-01-14T08:00:00.000Z\n");
    o.first_from_ms = shop_time(&s, "2024-01-02");
    expect_purchases(&s, &o,
                     COLUMNS "2 0 0 7.5 2024-01-03T12:00:00.000Z\n"
                             "2 11 11 0 2024-01-14T08:00:00.000Z\n");
    o.first_from_ms = 0;
    o.first_until_ms = shop_time(&s, "2024-01-02");
    o.segment = "orders() >= 2";
    o.holdout_end_ms = 0;
    expect_purchases(&s, &o,
                     COLUMNS "1 0 0 15 2024-01-01T10:00:00.000Z\n"
                             "1 7 7 0 2024-01-08T23:59:00.000Z\n"
                             "1 10 10 8 2024-01-11T09:00:00.000Z\n");
    o.segment = "orders() >= 200";
    expect_purchases(&s, &o, COLUMNS);
    shop_close(&s);
}
END_TEST

/* Rows of a customer from row *at on, against the summary's row; *at goes behind them.
 */
static void expect_customer(const cj_table *sum, int64_t row, const cj_table *all,
                            int64_t *at)
{
    const int64_t *who = cj_table_int64(all, 0);
    const int64_t first = *at, x = cj_table_int64(sum, 1)[row];
    const double *days = cj_table_double(all, 1), *value = cj_table_double(all, 3);
    double spend = 0;

    ck_assert_int_eq(cj_table_int64(all, 4)[first], cj_table_int64(sum, 6)[row]);
    ck_assert_double_eq(days[first], 0);
    while (*at < cj_table_rows(all) && who[*at] == cj_table_int64(sum, 0)[row]) {
        if (*at > first) {
            ck_assert_double_gt(days[*at], days[*at - 1]);
            spend += value[*at];
        }
        ++*at;
    }
    ck_assert_int_eq(*at - first, x + 1);
    ck_assert_double_eq(days[*at - 1], cj_table_double(sum, 2)[row]);
    ck_assert_double_eq_tol(spend, (double)x * cj_table_double(sum, 4)[row], 1e-9);
}

START_TEST(test_purchases__add_up_to_the_summary)
{
    shop s;

    shop_open(&s, "UTC", 0);
    for (int i = 0; i < 12; i++)
        shop_events(&s, orders); /* the same moments: values grow, days do not */
    expect_ok(cj_compact(s.db, NULL, NULL));
    for (int i = 0; i < 18; i++) {
        cj_clv_summary_options o = options_of(&s, "2024-01-16");
        cj_table *sum, *all;
        int64_t at = 0;

        o.period = i % 3;
        o.refunds = i / 3 % 3;
        o.include_free = o.include_guests = i / 9;
        o.threads = 1 + i % 4;
        expect_ok(cj_clv_summary(s.db, &o, &sum));
        expect_ok(cj_clv_purchases(s.db, &o, &all));
        for (int64_t row = 0; row < cj_table_rows(sum); row++)
            expect_customer(sum, row, all, &at);
        ck_assert_int_eq(at, cj_table_rows(all));
        ck_assert_int_gt(at, 3);
        cj_table_free(sum);
        cj_table_free(all);
    }
    shop_close(&s);
}
END_TEST

START_TEST(test_purchases__refuses_what_the_summary_refuses)
{
    cj_clv_summary_options o;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    ck_assert_int_eq(cj_clv_purchases(s.db, NULL, NULL), CJ_EMISUSE);
    expect_ok(cj_clv_purchases(s.db, NULL, &t)); /* now, and nothing is there */
    expect_table(t, COLUMNS);
    o = options_of(&s, "2024-01-15");
    o.period = 3;
    ck_assert_int_eq(cj_clv_purchases(s.db, &o, &t), CJ_EINVAL);
    ck_assert_ptr_null(t);
    o.period = 0;
    o.segment = "orders( >";
    ck_assert_int_eq(cj_clv_purchases(s.db, &o, &t), CJ_EINVAL);
    ck_assert_ptr_null(t);
    shop_close(&s);
}
END_TEST

/* Every allocation fails once: nothing leaks, and the next time it works. */
START_TEST(test_purchases__survives_lack_of_memory)
{
    cj_clv_summary_options o;
    cj_table *t;
    shop s;
    int32_t rc = CJ_ENOMEM;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = options_of(&s, "2024-01-16");
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_clv_purchases(s.db, &o, &t);
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || (rc == CJ_ENOMEM && t == NULL));
        ck_assert_int_lt(i, 5000);
    }
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("metrics_clv_purchases", test_purchases__by_hand,
             test_purchases__of_the_chosen_and_their_holdout,
             test_purchases__add_up_to_the_summary,
             test_purchases__refuses_what_the_summary_refuses,
             test_purchases__survives_lack_of_memory)
