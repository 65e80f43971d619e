/* Tracking, histogram and the history of one customer: sums written out, cohorts cut
 * and joined, and what refuses. */
#include "base_memory.h"
#include "cjourney.h"
#include "clv_tiny.h"
#include "metrics/clv_predict.h"

#include <math.h>
#include <string.h>

enum { N = 20000 };

static const double theta[] = {0.6, 5, 2.2, 50};
static int64_t x[N];
static double tx[N], t[N], weight[N];

static cj_clv_data people(int64_t n)
{
    uint64_t dice = 4;

    for (int i = 0; i < N; i++) {
        t[i] = 200 + (double)(base_random(&dice) % 100000) / 1000;
        x[i] = (int64_t)(base_random(&dice) % 12) * (i % 3 > 0);
        tx[i] = x[i] > 0 ? 100 : 0;
        weight[i] = (double)(base_random(&dice) % 4);
    }
    return (cj_clv_data){
        .struct_size = sizeof(cj_clv_data), .n = n, .x = x, .tx = tx, .t = t};
}

static cj_clv_track_options options(double period_days, int64_t n_periods)
{
    return (cj_clv_track_options){.struct_size = sizeof(cj_clv_track_options),
                                  .period_days = period_days,
                                  .n_periods = n_periods};
}

static void expect_near(double got, double want, double relative)
{
    ck_assert_msg(fabs(got - want) <= relative * fabs(want) + 1e-300,
                  "%.17g instead of %.17g (%.2g)", got, want, got / want - 1);
}

START_TEST(test_clv_tracking__is_the_sum_over_customers)
{
    static const double units[] = {1, 7, 365.2425};
    cj_clv_data data = people(500);

    for (int u = 0; u < 3; u++) {
        const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, units[u]);
        cj_clv_track_options o = options(10, 60);
        double before = 0;
        cj_table *out;

        data.weight = u == 1 ? weight : NULL;
        o.start_days = 310;
        ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_OK);
        ck_assert_int_eq(cj_table_rows(out), 60);
        for (int p = 0; p < 60; p++) {
            const clv_tiny_row fresh = {0, 0, 0, 0};
            double sum = 0;

            for (int i = 0; i < 500; i++) {
                const double age = 10 * (p + 1) - (310 - t[i]);

                if (age > 0)
                    sum += (u == 1 ? weight[i] : 1) *
                           clv_tiny_expected(theta, &fresh, age / units[u]);
            }
            ck_assert_int_eq(cj_table_int64(out, 0)[p], p + 1);
            ck_assert_double_eq(cj_table_double(out, 1)[p], 10 * (p + 1));
            ck_assert_double_eq_tol(cj_table_double(out, 3)[p], sum, 1e-9);
            ck_assert_double_eq_tol(cj_table_double(out, 2)[p], sum - before, 1e-9);
            ck_assert_int_eq(cj_table_validity(out, 4)[p / 8] >> (p % 8) & 1, 0);
            before = sum;
        }
        cj_table_free(out);
    }
}
END_TEST

START_TEST(test_clv_tracking__counts_purchases_until_the_end_of_a_period)
{
    static const double days[] = {7, 0.5, 7.001, 14, 20, 13.999, 28.5, 0, -3};
    static const int64_t actual[] = {2, 3, 1, 0}, cumulative[] = {2, 5, 6, 6};
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv_data data = people(10);
    cj_clv_track_options o = options(0, 4);
    cj_table *out;

    o.purchase_days = days;
    o.n_purchases = sizeof days / sizeof days[0];
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_OK);
    for (int p = 0; p < 4; p++) {
        ck_assert_int_eq(cj_table_int64(out, 4)[p], actual[p]);
        ck_assert_int_eq(cj_table_int64(out, 5)[p], cumulative[p]);
    }
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_tracking__the_same_for_any_threads_and_by_default_to_the_end)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv_data data = people(N);
    cj_clv_track_options o = options(0, 0);
    cj_table *one, *many;

    ck_assert_int_eq(cj_clv_tracking(&clv, &data, NULL, &one), CJ_OK);
    ck_assert_int_eq(cj_table_rows(one), 43); /* 300 days */
    o.threads = 3;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &many), CJ_OK);
    ck_assert_int_eq(
        memcmp(cj_table_double(one, 3), cj_table_double(many, 3), 43 * sizeof(double)),
        0);
    cj_table_free(one);
    cj_table_free(many);
}
END_TEST

START_TEST(test_clv_tracking__whole_periods)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny_discrete, theta, NULL, 1);
    static const int64_t times[] = {0, 1};
    static const double last[] = {0, 2}, until[] = {6, 4};
    const cj_clv_data data = {
        .struct_size = sizeof data, .n = 2, .x = times, .tx = last, .t = until};
    const clv_tiny_row fresh = {0, 0, 0, 0};
    cj_table *out;

    ck_assert_int_eq(cj_clv_tracking(&clv, &data, NULL, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 6);
    for (int p = 0; p < 6; p++)
        expect_near(cj_table_double(out, 3)[p],
                    clv_tiny_expected(theta, &fresh, p + 1) +
                        (p > 1 ? clv_tiny_expected(theta, &fresh, p - 1) : 0),
                    1e-13);
    cj_table_free(out);
}
END_TEST

/* BG/BB of a year, asked in days. */
START_TEST(test_clv_tracking__whole_periods_are_no_days)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny_discrete, theta, NULL, 1);
    static const int64_t times[] = {0, 1};
    static const double last[] = {0, 2}, until[] = {6, 4}, bought[] = {4, 2.5};
    const cj_clv_data data = {
        .struct_size = sizeof data, .n = 2, .x = times, .tx = last, .t = until};
    cj_clv_track_options o = options(1.5, 3);
    cj_table *out;

    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "Tiny counts periods, not days: "
                                  "a time of the options is not whole");
    o = options(2, 3);
    o.start_days = 7.25;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    o.start_days = 7;
    o.purchase_days = bought;
    o.n_purchases = 2;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(),
                     "Tiny counts periods, not days: purchase 1 is not whole");
    ck_assert_int_eq(cj_errpos(), 1);
    ck_assert_ptr_null(out);
    o.n_purchases = 1;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_OK);
    ck_assert_int_eq(cj_table_int64(out, 4)[1], 1);
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_histogram__is_the_sum_over_customers)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    cj_clv_data data = people(500);
    double all = 0;
    cj_table *out;

    data.weight = weight;
    ck_assert_int_eq(cj_clv_histogram(&clv, &data, 0, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 8);
    for (int n = 0; n < 8; n++) {
        const clv_tiny_row fresh = {0, 0, 0, 0};
        double actual = 0, expected = 0;

        for (int i = 0; i < 500; i++) {
            actual += (n < 7 ? x[i] == n : x[i] >= 7) * weight[i];
            all += n == 0 ? weight[i] : 0;
            expected += weight[i] * clv_tiny_pmf(theta, &fresh, t[i] / 7, n);
        }
        ck_assert_int_eq(cj_table_int64(out, 0)[n], n);
        ck_assert_double_eq(cj_table_double(out, 1)[n], actual);
        if (n < 7)
            expect_near(cj_table_double(out, 2)[n], expected, 1e-11);
        all -= cj_table_double(out, 2)[n];
    }
    ck_assert_double_eq_tol(all, 0, 1e-9);
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_history__falls_in_silence_and_rises_with_a_purchase)
{
    static const double days[] = {10, 11, 30, 30, 95.5};
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    cj_table *out;

    ck_assert_int_eq(cj_clv_history(&clv, days, 5, 120, 0, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 121);
    for (int d = 0; d <= 120; d++) {
        const double last = d < 10 ? 0 : d < 11 ? 10 : d < 30 ? 11 : d < 96 ? 30 : 95.5;
        const int64_t n = d < 10 ? 0 : d < 11 ? 1 : d < 30 ? 2 : d < 96 ? 4 : 5;
        const double *p = cj_table_double(out, 2);

        ck_assert_double_eq(cj_table_double(out, 0)[d], d);
        ck_assert_int_eq(cj_table_int64(out, 1)[d], n);
        expect_near(p[d], 50 / (50 + (d - last) / 7), 1e-14);
    }
    cj_table_free(out);
    ck_assert_int_eq(cj_clv_history(&clv, NULL, 0, 70, 7, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 11);
    cj_table_free(out);
}
END_TEST

/* With covariates everybody has their own alpha: sums as if each were alone. */
START_TEST(test_clv_track__each_with_their_covariates)
{
    enum { FEW = 40 };
    cj__clv_model model = clv_tiny;
    cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    cj_clv_data data = people(FEW);
    cj_clv_track_options o = options(10, 35);
    const clv_tiny_row fresh = {0, 0, 0, 0};
    double z[2 * FEW], sum = 0, none = 0;
    cj_table *out;

    model.effects[0][1] = -1;
    clv.model = &model;
    clv.n_covariates = 1;
    clv.n_free = 5;
    clv.coefficient[0] = 0.5;
    for (int i = 0; i < 2 * FEW; i++)
        z[i] = (i * 7) % 5;
    data.covariates = z;
    data.n_covariates = 1;
    o.start_days = 310;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_OK);
    for (int i = 0; i < FEW; i++) {
        const double own[] = {theta[0], theta[1] * exp(-0.5 * z[i]), theta[2],
                              theta[3]};

        sum += clv_tiny_expected(own, &fresh, (350 - 310 + t[i]) / 7);
        none += clv_tiny_pmf(own, &fresh, t[i] / 7, 0);
    }
    expect_near(cj_table_double(out, 3)[34], sum, 1e-12);
    cj_table_free(out);
    ck_assert_int_eq(cj_clv_histogram(&clv, &data, 0, &out), CJ_OK);
    expect_near(cj_table_double(out, 2)[0], none, 1e-12);
    cj_table_free(out);
    data.n_covariates = 2;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_histogram(&clv, &data, 0, &out), CJ_EINVAL);
}
END_TEST

START_TEST(test_clv_track__refusals)
{
    static const double back[] = {5, 4};
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv whole = clv_tiny_fitted(&clv_tiny_discrete, theta, NULL, 7);
    const cj_clv money = clv_tiny_fitted(&clv_tiny_spend, theta, NULL, 7);
    cj_clv_data data = people(10);
    cj_clv_track_options o = options(7, 200000);
    cj_table *out;

    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_ELIMIT);
    o = options(-1, 0);
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    o = options(0, 0);
    o.start_days = 100; /* some were there before day 0 */
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    o = options(0, 0);
    o.n_purchases = 3;
    ck_assert_int_eq(cj_clv_tracking(&clv, &data, &o, &out), CJ_EINVAL);
    ck_assert_ptr_null(out);
    data.spend = t;
    ck_assert_int_eq(cj_clv_tracking(&money, &data, NULL, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_histogram(&money, &data, 0, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_histogram(&clv, &data, -1, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_history(&clv, back, 2, 10, 1, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_errpos(), 1);
    ck_assert_int_eq(cj_clv_history(&clv, back, 1, 10, 1e-9, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_history(&whole, back, 1, 10, 1, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_history(NULL, back, 1, 10, 1, &out), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_tracking(NULL, &data, NULL, &out), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_histogram(&clv, NULL, 0, &out), CJ_EMISUSE);
}
END_TEST

static int32_t call(const cj__allocator *a)
{
    static const double days[] = {3, 4};
    cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv_data data = people(20);
    const cj_clv_track_options o = options(7, 10);
    cj_table *tables[3] = {NULL, NULL, NULL};
    int32_t rc;

    clv.allocator = *a;
    rc = cj__clv_tracking(&clv, &data, &o, &tables[0]);
    if (rc == CJ_OK)
        rc = cj__clv_histogram(&clv, &data, 3, &tables[1]);
    if (rc == CJ_OK)
        rc = cj__clv_history(&clv, days, 2, 10, 1, &tables[2]);
    for (int i = 0; i < 3; i++)
        cj_table_free(tables[i]);
    return rc;
}

START_TEST(test_clv_track__out_of_memory)
{
    base_memory_faults(call);
}
END_TEST

HARNESS_MAIN("metrics_clv_track", test_clv_tracking__is_the_sum_over_customers,
             test_clv_tracking__counts_purchases_until_the_end_of_a_period,
             test_clv_tracking__the_same_for_any_threads_and_by_default_to_the_end,
             test_clv_tracking__whole_periods,
             test_clv_tracking__whole_periods_are_no_days,
             test_clv_histogram__is_the_sum_over_customers,
             test_clv_history__falls_in_silence_and_rises_with_a_purchase,
             test_clv_track__each_with_their_covariates, test_clv_track__refusals,
             test_clv_track__out_of_memory)
