/* Distribution over scores and classes, and migration between classes, by small shops
 * whose numbers a reader can check by hand; the sums are those of cj_rfm. */
#include "harness.h"
#include "shop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Four customers; classes by frequency alone. */
static const char *const orders = "ann 2024-01-01 order 10.00\n"
                                  "ann 2024-01-05 order 10.00\n"
                                  "ann 2024-02-05 order 10.00\n"
                                  "bob 2024-01-02 order 5.00\n"
                                  "cid 2024-01-03 order 8.00\n"
                                  "cid 2024-02-10 order 2.00\n"
                                  "cid 2024-02-11 refund -1.00\n"
                                  "dan 2024-02-20 order 1.00\n";
static const int64_t two[] = {2}, three[] = {2, 3};
static const cj_rfm_class classes[] = {
    {.struct_size = sizeof classes[0], .name = "many", .f_min = 5},
    {.struct_size = sizeof classes[0], .name = "some", .f_min = 3},
    {.struct_size = sizeof classes[0], .name = "some", .f_min = 4},
};

static cj_rfm_options rfm_of(shop *s, const char *as_of)
{
    return (cj_rfm_options){.struct_size = sizeof(cj_rfm_options),
                            .as_of_ms = shop_time(s, as_of),
                            .f_limits = three,
                            .n_f_limits = 2,
                            .m_limits = two,
                            .n_m_limits = 1,
                            .n_bins = 2,
                            .classes = classes,
                            .n_classes = 3};
}

START_TEST(test_tables__distribution_counts_customers_and_value)
{
    const int64_t profiles[] = {1, 3, 4, 9};
    const double values[] = {20, 5, 15, 1000};
    const cj_profile_values clv = {
        .struct_size = sizeof clv, .n = 4, .profiles = profiles, .values = values};
    cj_rfm_options o;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = rfm_of(&s, "2024-03-01");
    expect_ok(cj_rfm_distribution(s.db, &o, &clv, &t));
    /* recency: ann 25, bob 59, cid 20, dan 10; f: 3 1 2 1; m: 30.00 5.00 9.00 1.00 */
    expect_table(t,
                 "dimension score class low high customers customers_ratio value_minor "
                 "value_ratio scored clv clv_ratio\n"
                 "r 1 - 25 59 2 0.5 3500 0.777778 1 20 0.5\n"
                 "r 2 - 10 20 2 0.5 1000 0.222222 2 20 0.5\n"
                 "f 1 - 1 1 2 0.5 600 0.133333 1 15 0.375\n"
                 "f 2 - 2 2 1 0.25 900 0.2 1 5 0.125\n"
                 "f 3 - 3 3 1 0.25 3000 0.666667 1 20 0.5\n"
                 "m 1 - - - 0 0 0 0 0 0 0\n"
                 "m 2 - 100 3000 4 1 4500 1 3 40 1\n"
                 "class - many - - 1 0.25 3000 0.666667 1 20 0.5\n"
                 "class - some - - 1 0.25 900 0.2 1 5 0.125\n"
                 "class - - - - 2 0.5 600 0.133333 1 15 0.375\n"
                 "all - - - - 4 1 4500 1 3 40 1\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_tables__nobody_has_no_ratios)
{
    cj_rfm_options o;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    o = rfm_of(&s, "2024-03-01");
    o.n_classes = 1;
    expect_ok(cj_rfm_distribution(s.db, &o, NULL, &t));
    expect_table(t, "dimension score class low high customers customers_ratio "
                    "value_minor value_ratio scored clv clv_ratio\n"
                    "r 1 - - - 0 - 0 - 0 0 -\n"
                    "r 2 - - - 0 - 0 - 0 0 -\n"
                    "f 1 - - - 0 - 0 - 0 0 -\n"
                    "f 2 - - - 0 - 0 - 0 0 -\n"
                    "f 3 - - - 0 - 0 - 0 0 -\n"
                    "m 1 - - - 0 - 0 - 0 0 -\n"
                    "m 2 - - - 0 - 0 - 0 0 -\n"
                    "class - many - - 0 - 0 - 0 0 -\n"
                    "all - - - - 0 - 0 - 0 0 -\n");
    expect_ok(cj_rfm_migrate(s.db, &o, o.as_of_ms - 1, &t));
    expect_table(t, "from_class to_class customers from_ratio from_minor to_minor\n");
    expect_ok(cj_rfm_distribution(s.db, NULL, NULL, &t)); /* the usual eleven */
    ck_assert_int_eq(cj_table_rows(t), 15 + 11 + 1);
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

START_TEST(test_tables__migration_tells_who_moved)
{
    cj_rfm_options o;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = rfm_of(&s, "2024-03-01");
    /* Then: ann 2 orders, bob 1, cid 1; now: ann 3, bob 1, cid 2, dan 1. */
    expect_ok(cj_rfm_migrate(s.db, &o, shop_time(&s, "2024-02-01"), &t));
    expect_table(t, "from_class to_class customers from_ratio from_minor to_minor\n"
                    "some many 1 1 2000 3000\n"
                    "(none) some 1 0.5 800 900\n"
                    "(none) (none) 1 0.5 500 500\n"
                    "(new) (none) 1 1 0 100\n");
    /* Windows of 30 days: bob is gone. */
    o.from_ms = shop_time(&s, "2024-01-31");
    expect_ok(cj_rfm_migrate(s.db, &o, shop_time(&s, "2024-01-31"), &t));
    expect_table(t, "from_class to_class customers from_ratio from_minor to_minor\n"
                    "some (none) 1 1 2000 1000\n"
                    "(none) (none) 1 0.5 800 100\n"
                    "(none) (gone) 1 0.5 500 0\n"
                    "(new) (none) 1 1 0 100\n");
    shop_close(&s);
}
END_TEST

/* Rows and columns of the matrix add up to the two distributions. */
START_TEST(test_tables__margins_are_those_of_rfm)
{
    static const char *const names[] = {"ann", "bob", "cid", "dan", "eva",
                                        "fay", "gus", "hal", "ian", "joe"};
    cj_rfm_options o = {.struct_size = sizeof o};
    char line[80];
    int64_t before, n = 0, from_minor = 0, to_minor = 0, all[2] = {0};
    uint64_t dice = 7;
    cj_table *t, *r;
    shop s;

    shop_open(&s, "UTC", 0);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(line, sizeof line, "%s 2024-%02d-%02d order %d.%02d\n",
                       names[api_random(&dice) % 10], 1 + (int)(api_random(&dice) % 6),
                       1 + (int)(api_random(&dice) % 28), (int)(api_random(&dice) % 50),
                       1 + (int)(api_random(&dice) % 90));
        shop_events(&s, line);
    }
    before = shop_time(&s, "2024-02-10");
    o.as_of_ms = shop_time(&s, "2024-06-01");
    expect_ok(cj_rfm_migrate(s.db, &o, before, &t));
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        n += cj_table_int64(t, 2)[i];
        from_minor += cj_table_int64(t, 4)[i];
        to_minor += cj_table_int64(t, 5)[i];
    }
    for (int k = 0; k < 2; k++) {
        cj_rfm_options one = o;

        one.as_of_ms = k == 0 ? before : o.as_of_ms;
        expect_ok(cj_rfm(s.db, &one, &r));
        for (int64_t i = 0; i < cj_table_rows(r); i++)
            all[k] += cj_table_int64(r, 3)[i];
        if (k == 1)
            ck_assert_int_eq(n, cj_table_rows(r));
        cj_table_free(r);
    }
    ck_assert_int_eq(from_minor, all[0]);
    ck_assert_int_eq(to_minor, all[1]);
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

START_TEST(test_tables__wrong_questions_are_named)
{
    const int64_t falls[] = {1, 3, 3}, rises[] = {1, 2, 3};
    const double odd[] = {1, NAN, 2}, even[] = {1, 2, 3};
    cj_profile_values v = {
        .struct_size = sizeof v, .n = 3, .profiles = falls, .values = even};
    cj_rfm_options o = {.struct_size = sizeof o, .as_of_ms = 1700000000000};
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    expect_error_is(cj_rfm_distribution(s.db, &o, &v, &t), CJ_EINVAL, 2,
                    "profiles must ascend");
    v.profiles = rises;
    v.values = odd;
    expect_error_is(cj_rfm_distribution(s.db, &o, &v, &t), CJ_EINVAL, 1,
                    "a value is not finite");
    v.values = NULL;
    expect_error_is(cj_rfm_distribution(s.db, &o, &v, &t), CJ_EMISUSE, -1,
                    "profiles or values is NULL, or n is negative");
    expect_error_is(cj_rfm_migrate(s.db, &o, o.as_of_ms, &t), CJ_EINVAL, -1,
                    "before_ms must be a time before as_of_ms");
    o.monetary_of = CJ_RFM_MEAN;
    expect_error_is(cj_rfm_distribution(s.db, &o, NULL, &t), CJ_EINVAL, -1,
                    "values are added up: monetary_of CJ_RFM_TOTAL only");
    expect_error_is(cj_rfm_migrate(s.db, &o, 1, &t), CJ_EINVAL, -1,
                    "values are added up: monetary_of CJ_RFM_TOTAL only");
    ck_assert_ptr_null(t);
    shop_close(&s);
}
END_TEST

START_TEST(test_tables__survive_lack_of_memory)
{
    int32_t rc = CJ_ENOMEM;
    cj_rfm_options o;
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = rfm_of(&s, "2024-03-01");
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_rfm_distribution(s.db, &o, NULL, &t);
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || (rc == CJ_ENOMEM && t == NULL));
    }
    cj_table_free(t);
    rc = CJ_ENOMEM;
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_rfm_migrate(s.db, &o, shop_time(&s, "2024-02-01"), &t);
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || (rc == CJ_ENOMEM && t == NULL));
    }
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("metrics_rfm_tables", test_tables__distribution_counts_customers_and_value,
             test_tables__nobody_has_no_ratios, test_tables__migration_tells_who_moved,
             test_tables__margins_are_those_of_rfm,
             test_tables__wrong_questions_are_named,
             test_tables__survive_lack_of_memory)
