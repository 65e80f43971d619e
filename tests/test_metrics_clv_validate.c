/* cj_clv_validate: every number by hand for a handful of customers and by plain sums
 * for many; verdicts in words for predictions that are right, off, or noise. */
#include "base_memory.h"
#include "cjourney.h"
#include "clv_tiny.h"
#include "metrics/clv_predict.h"

#include <math.h>
#include <string.h>

enum { N = 3000 };

/* Nobody leaves within any time that matters: purchases are rate x days. */
static const double theta[] = {2, 100, 2, 1e12};
static int64_t x[N], x_star[N];
static double tx[N], t[N], spend[N], spend_star[N], weight[N];

static cj_clv_data people(uint64_t seed)
{
    for (int i = 0; i < N; i++) {
        t[i] = 100;
        x[i] = (int64_t)(base_random(&seed) % 10);
        tx[i] = x[i] > 0 ? 90 : 0;
        spend[i] = 5 + (double)(base_random(&seed) % 50);
        weight[i] = (double)(base_random(&seed) % 3);
    }
    return (cj_clv_data){.struct_size = sizeof(cj_clv_data),
                         .n = N,
                         .x = x,
                         .tx = tx,
                         .t = t,
                         .spend = spend};
}

static double expected(int i, double days)
{
    const clv_tiny_row row = {(double)x[i], tx[i], t[i], 0};

    return clv_tiny_expected(theta, &row, days);
}

/* What will happen: `times` what is expected, rounded, for customer i + shift. */
static cj_clv_holdout future(double times, int shift)
{
    for (int i = 0; i < N; i++) {
        x_star[i] = (int64_t)floor(times * expected((i + shift) % N, 100) + 0.5);
        spend_star[i] = (double)x_star[i] * spend[i];
    }
    return (cj_clv_holdout){.struct_size = sizeof(cj_clv_holdout),
                            .days = 100,
                            .x = x_star,
                            .spend = spend_star};
}

static cj_clv_validation validate(const cj_clv_data *data,
                                  const cj_clv_holdout *holdout, cj_table **bins)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 1);
    cj_clv_validation v = {.struct_size = sizeof v};

    ck_assert_int_eq(cj_clv_validate(&clv, NULL, data, holdout, &v, bins), CJ_OK);
    return v;
}

static void expect_near(double got, double want, double relative)
{
    ck_assert_msg(fabs(got - want) <= relative * fabs(want) + 1e-300,
                  "%.17g instead of %.17g", got, want);
}

START_TEST(test_clv_validate__errors_are_plain_means)
{
    cj_clv_data data = people(1);
    const cj_clv_holdout holdout = future(1.3, 7);
    cj_clv_validation v;

    for (int weighted = 0; weighted <= 1; weighted++) {
        double n = 0, abs = 0, square = 0, logs = 0, sum = 0, actual = 0, pace = 0,
               money = 0, real = 0;

        data.weight = weighted ? weight : NULL;
        v = validate(&data, &holdout, NULL);
        for (int i = 0; i < N; i++) {
            const double w = weighted ? weight[i] : 1, e = expected(i, 100);
            const double a = (double)x_star[i];

            n += w;
            abs += w * fabs(e - a);
            square += w * (e - a) * (e - a);
            logs += w * pow(log(1 + e) - log(1 + a), 2);
            sum += w * e;
            actual += w * a;
            pace += w * fabs((double)x[i] - a); /* x / 100 * 100 */
            money += w * e * spend[i];
            real += w * a * spend[i];
        }
        expect_near(v.n_customers, n, 1e-14);
        expect_near(v.mae, abs / n, 1e-12);
        expect_near(v.rmse, sqrt(square / n), 1e-12);
        expect_near(v.msle, logs / n, 1e-12);
        expect_near(v.own_pace_mae, pace / n, 1e-12);
        expect_near(v.expected_purchases, sum, 1e-12);
        expect_near(v.actual_purchases, actual, 1e-12);
        expect_near(v.bias_ratio, sum / actual - 1, 1e-9);
        expect_near(v.expected_value, money, 1e-12);
        expect_near(v.actual_value, real, 1e-12);
    }
}
END_TEST

/* Four customers: value 6, 3, 1, 0.  Shares held by the first 1, 2, 3, 4 of them: .6,
 * .9, 1, 1, so the area is (0 + .6) / 8 + (.6 + .9) / 8 + (.9 + 1) / 8 + 2 / 8 = .75.
 */
START_TEST(test_clv_validate__gini_by_hand)
{
    cj_clv_data data = people(1);
    cj_clv_holdout holdout = {.struct_size = sizeof holdout, .days = 100, .x = x_star};
    cj_clv_validation v;

    data.n = 4;
    data.spend = NULL;
    for (int i = 0; i < 4; i++) {
        x[i] = 9 - i;
        tx[i] = 50;
        x_star[i] = (const int64_t[]){6, 3, 1, 0}[i];
    }
    v = validate(&data, &holdout, NULL);
    expect_near(v.gini_actual, 0.5, 1e-15);
    expect_near(v.gini_model, 0.5, 1e-15); /* the right order */
    for (int i = 0; i < 4; i++)
        x[i] = 1 + i;
    v = validate(&data, &holdout, NULL);
    expect_near(v.gini_model, -0.5, 1e-15); /* the wrong one */
    for (int i = 0; i < 4; i++)
        x[i] = 3;
    v = validate(&data, &holdout, NULL);
    ck_assert(fabs(v.gini_model) < 1e-15); /* none */
    expect_near(v.gini_actual, 0.5, 1e-15);
    ck_assert_double_eq(v.actual_value, 0);
}
END_TEST

/* Weight 2 is somebody twice; weight 0 is nobody. */
START_TEST(test_clv_validate__weights_are_repetitions)
{
    cj_clv_data data = people(5);
    cj_clv_holdout holdout = future(1, 3);
    static int64_t more_x[3 * N], more_star[3 * N];
    static double more_tx[3 * N], more_t[3 * N], more_spend[3 * N], more_value[3 * N];
    int64_t n = 0;
    cj_clv_validation a, b;

    for (int i = 0; i < N; i++) {
        for (int w = 0; w < (int)weight[i]; w++, n++) {
            more_x[n] = x[i];
            more_tx[n] = tx[i];
            more_t[n] = t[i];
            more_spend[n] = spend[i];
            more_star[n] = x_star[i];
            more_value[n] = spend_star[i];
        }
    }
    data.weight = weight;
    a = validate(&data, &holdout, NULL);
    data = (cj_clv_data){.struct_size = sizeof data,
                         .n = n,
                         .x = more_x,
                         .tx = more_tx,
                         .t = more_t,
                         .spend = more_spend};
    holdout.x = more_star;
    holdout.spend = more_value;
    b = validate(&data, &holdout, NULL);
    expect_near(a.mae, b.mae, 1e-12);
    expect_near(a.gini_model, b.gini_model, 1e-10);
    expect_near(a.gini_actual, b.gini_actual, 1e-10);
    expect_near(a.brier, b.brier, 1e-12);
    expect_near(a.calibration, b.calibration, 1e-11);
}
END_TEST

START_TEST(test_clv_validate__bins_hold_everybody_once)
{
    const cj_clv_data data = people(2);
    const cj_clv_holdout holdout = future(1, 0);
    double n[3] = {0}, actual = 0, off = 0;
    const double *customers, *predicted, *real;
    const int64_t *offsets;
    const char *of;
    cj_clv_validation v;
    cj_table *bins;

    v = validate(&data, &holdout, &bins);
    of = cj_table_text(bins, 0, &offsets);
    customers = cj_table_double(bins, 2);
    predicted = cj_table_double(bins, 3);
    real = cj_table_double(bins, 4);
    ck_assert_str_eq(cj_table_name(bins, 1), "bin");
    for (int64_t i = 0; i < cj_table_rows(bins); i++) {
        const char *name = of + offsets[i];
        const int kind = name[0] == 'p' && name[1] == 'u' ? 0 : name[2] == 'a' ? 1 : 2;

        n[kind] += customers[i];
        if (kind == 0)
            actual += customers[i] * real[i];
        if (kind == 2)
            off += customers[i] * fabs(predicted[i] - real[i]);
        ck_assert(kind == 0 || (predicted[i] <= 1 && real[i] <= 1 && real[i] >= 0));
    }
    ck_assert_double_eq(n[0], N);
    ck_assert_double_eq(n[1], N);
    ck_assert_double_eq(n[2], N);
    expect_near(actual, v.actual_purchases, 1e-12);
    expect_near(off / N, v.calibration, 1e-12);
    cj_table_free(bins);
}
END_TEST

START_TEST(test_clv_validate__verdicts)
{
    cj_clv_data data = people(3);
    static const struct {
        double times;
        int shift;
        const char *begins;
    } cases[] = {
        {1,   0,  "Usable: totals"        },
        {1,   71, "Only totals agree"     },
        {0.2, 0,  "Far too many purchases"},
        {4,   0,  "Far too few purchases" },
        {1.5, 0,  "The order of customers"},
        {1.5, 71, "Doubtful:"             },
        {0,   0,  "Nobody bought"         },
    };

    data.spend = NULL; /* spend knows the order, too */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cj_clv_holdout holdout = future(cases[i].times, cases[i].shift);
        const cj_clv_validation v = validate(&data, &holdout, NULL);

        ck_assert_msg(strncmp(v.verdict, cases[i].begins, strlen(cases[i].begins)) == 0,
                      "%g %d: %s (bias %g, order %g, calibration %g)", cases[i].times,
                      cases[i].shift, v.verdict, v.bias_ratio,
                      v.gini_model / v.gini_actual, v.calibration);
    }
}
END_TEST

/* Purchases drawn from the model itself are what it calls good. */
START_TEST(test_clv_validate__its_own_world_is_good)
{
    const cj_clv_data data = people(9);
    cj_clv_holdout holdout = future(1, 0);
    uint64_t dice = 31;
    cj_clv_validation v;

    for (int i = 0; i < N; i++) {
        const clv_tiny_row row = {(double)x[i], tx[i], t[i], 0};
        double u = (double)(base_random(&dice) >> 11) * 0x1p-53;

        for (x_star[i] = 0; u > 0; x_star[i]++)
            u -= clv_tiny_pmf(theta, &row, 100, (double)x_star[i]);
        x_star[i]--;
        spend_star[i] = (double)x_star[i] * spend[i];
    }
    v = validate(&data, &holdout, NULL);
    ck_assert_msg(strncmp(v.verdict, "Good:", 5) == 0, "%s", v.verdict);
    ck_assert(fabs(v.bias_ratio) < 0.05 && v.calibration < 0.05);
    ck_assert(v.mae < v.own_pace_mae);
}
END_TEST

START_TEST(test_clv_validate__nobody_and_refusals)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 1);
    cj_clv_data data = people(3);
    cj_clv_holdout holdout = future(1, 0);
    cj_clv_validation v = {.struct_size = sizeof v};

    data.n = 0;
    v = validate(&data, &holdout, NULL);
    ck_assert_str_eq(v.verdict, "There are no customers to compare.");
    data.n = 5;
    x_star[2] = -1;
    ck_assert_int_eq(cj_clv_validate(&clv, NULL, &data, &holdout, &v, NULL), CJ_EINVAL);
    ck_assert_int_eq(cj_errpos(), 2);
    ck_assert_double_eq(v.mae, 0);
    ck_assert_ptr_null(v.verdict);
    holdout.days = 0;
    ck_assert_int_eq(cj_clv_validate(&clv, NULL, &data, &holdout, &v, NULL), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_validate(&clv, NULL, &data, NULL, &v, NULL), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_validate(NULL, NULL, &data, &holdout, &v, NULL),
                     CJ_EMISUSE);
}
END_TEST

static int32_t call(const cj__allocator *a)
{
    cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 1);
    cj_clv_data data = people(3);
    const cj_clv_holdout holdout = future(1, 0);
    cj_clv_validation v;
    cj_table *bins = NULL;
    int32_t rc;

    clv.allocator = *a;
    data.n = 20;
    rc = cj__clv_validate(&clv, NULL, &data, &holdout, &v, &bins);
    cj_table_free(bins);
    return rc;
}

START_TEST(test_clv_validate__out_of_memory)
{
    base_memory_faults(call);
}
END_TEST

HARNESS_MAIN("metrics_clv_validate", test_clv_validate__errors_are_plain_means,
             test_clv_validate__gini_by_hand,
             test_clv_validate__weights_are_repetitions,
             test_clv_validate__bins_hold_everybody_once, test_clv_validate__verdicts,
             test_clv_validate__its_own_world_is_good,
             test_clv_validate__nobody_and_refusals, test_clv_validate__out_of_memory)
