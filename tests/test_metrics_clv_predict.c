/* cj_clv_predict over the tiny model, whose answers are formulas: columns asked for and
 * no others, units and years, money from each of its sources, limits of intervals, and
 * every refusal. */
#include "base_memory.h"
#include "cjourney.h"
#include "clv_tiny.h"
#include "metrics/clv_predict.h"

#include <math.h>
#include <string.h>

enum { N = 20000 };

static const double theta[] = {0.6, 5, 2.2, 50}, spend_theta[] = {3, 35};
static const double covariance[4][CJ__CLV_PARAMS] = {
    {0.04, 0.02, 0,    0   },
    {0.02, 0.09, 0,    0.01},
    {0,    0,    0.16, 0.1 },
    {0,    0.01, 0.1,  0.25},
};
static const double spend_covariance[4][CJ__CLV_PARAMS] = {
    {0.01,  0.002},
    {0.002, 0.03 }
};
static int64_t x[N];
static double tx[N], t[N], spend[N];

static cj_clv_data people(int64_t n)
{
    uint64_t dice = 4;

    for (int i = 0; i < N; i++) {
        t[i] = 1 + (double)(base_random(&dice) % 500);
        x[i] = (int64_t)(base_random(&dice) % 12) * (i % 3 > 0);
        tx[i] =
            x[i] > 0 ? ceil(t[i] * (double)(1 + base_random(&dice) % 1000) / 1000) : 0;
        spend[i] = x[i] > 0 ? (double)(1 + base_random(&dice) % 10000) / 100 : 0;
    }
    return (cj_clv_data){.struct_size = sizeof(cj_clv_data),
                         .n = n,
                         .x = x,
                         .tx = tx,
                         .t = t,
                         .spend = spend};
}

static cj_clv_predict_options options(int64_t columns)
{
    return (cj_clv_predict_options){.struct_size = sizeof(cj_clv_predict_options),
                                    .columns = columns};
}

static const double *column(const cj_table *table, const char *name)
{
    for (int64_t i = 0; i < cj_table_columns(table); i++) {
        if (strcmp(cj_table_name(table, i), name) == 0)
            return cj_table_double(table, i);
    }
    ck_abort_msg("no column %s", name);
    return NULL;
}

static void expect_names(const cj_table *table, const char *names)
{
    char got[1024] = "";

    for (int64_t i = 0; i < cj_table_columns(table); i++) {
        strcat(got, i > 0 ? " " : "");
        strcat(got, cj_table_name(table, i));
    }
    ck_assert_str_eq(got, names);
}

static void expect_near(double got, double want, double relative)
{
    ck_assert_msg(fabs(got - want) <= relative * fabs(want) + 1e-300,
                  "%.17g instead of %.17g (%.2g)", got, want, got / want - 1);
}

static clv_tiny_row row_in(double unit, int i)
{
    return (clv_tiny_row){(double)x[i], tx[i] / unit, t[i] / unit, spend[i]};
}

START_TEST(test_clv_predict__by_default_two_columns_for_a_year)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 1);
    const cj_clv_data data = people(N);
    cj_table *out;

    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, NULL, &out), CJ_OK);
    expect_names(out, "p_alive expected_purchases");
    ck_assert_int_eq(cj_table_rows(out), N);
    for (int i = 0; i < N; i++) {
        const clv_tiny_row row = row_in(1, i);

        expect_near(column(out, "p_alive")[i], clv_tiny_alive(theta, &row), 1e-15);
        expect_near(column(out, "expected_purchases")[i],
                    clv_tiny_expected(theta, &row, 365.2425), 1e-13);
    }
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_predict__counts_in_the_unit_of_the_model)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(1000);
    cj_clv_predict_options o = options(CJ_CLV_EXPECTED | CJ_CLV_PROBABILITY);
    cj_table *out;

    o.from_days = 70;
    o.until_days = 273;
    o.n_purchases = 2;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    expect_names(out, "expected_purchases p_purchases");
    for (int i = 0; i < 1000; i++) {
        const clv_tiny_row row = row_in(7, i);

        expect_near(column(out, "expected_purchases")[i],
                    clv_tiny_expected(theta, &row, 39) -
                        clv_tiny_expected(theta, &row, 10),
                    1e-12);
        expect_near(column(out, "p_purchases")[i], clv_tiny_pmf(theta, &row, 39, 2),
                    1e-12);
    }
    cj_table_free(out);
}
END_TEST

/* A rate per year is that in any unit: days, weeks, months, seconds. */
START_TEST(test_clv_predict__a_year_is_a_year_in_every_unit)
{
    static const double units[] = {1, 7, 30.436875, 365.2425, 1 / 86400.};
    const cj_clv_data data = people(500);
    double first[500], residual[500];

    for (int u = 0; u < 5; u++) {
        const double scaled[] = {theta[0], theta[1] / units[u], theta[2],
                                 theta[3] / units[u]};
        const cj_clv clv = clv_tiny_fitted(&clv_tiny, scaled, covariance, units[u]);
        cj_clv_predict_options o = options(CJ_CLV_DISCOUNTED | CJ_CLV_RESIDUAL);
        cj_table *out;

        o.horizon_days = 3 * 365.2425;
        o.discount_ratio = 0.1;
        ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
        for (int i = 0; i < 500; i++) {
            if (u == 0) {
                first[i] = column(out, "discounted_purchases")[i];
                residual[i] = column(out, "residual_purchases")[i];
            }
            expect_near(column(out, "discounted_purchases")[i], first[i], 1e-9);
            expect_near(column(out, "residual_purchases")[i], residual[i], 1e-9);
        }
        cj_table_free(out);
    }
    expect_near(cj__clv_delta(0.1, 7), log(1.1) / (365.2425 / 7), 1e-15);
    expect_near(cj__clv_delta(0.1, 365.2425), log(1.1), 1e-15);
}
END_TEST

/* Without discount and with the same for all, value is purchases times money. */
START_TEST(test_clv_predict__money_from_three_sources)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 1);
    const cj_clv money =
        clv_tiny_fitted(&clv_tiny_spend, spend_theta, spend_covariance, 1);
    cj_clv_data data = people(1000);
    cj_clv_predict_options o =
        options(CJ_CLV_EXPECTED | CJ_CLV_SPEND | CJ_CLV_VALUE | CJ_CLV_DISCOUNTED);

    o.margin_ratio = 0.25;
    o.spend = 12;
    for (int source = 0; source < 3; source++) {
        cj_table *out;

        if (source == 2)
            data.spend = NULL;
        ck_assert_int_eq(
            cj_clv_predict(&clv, source == 0 ? &money : NULL, &data, &o, &out), CJ_OK);
        expect_names(out, "expected_purchases discounted_purchases expected_spend clv");
        for (int i = 0; i < 1000; i++) {
            const double xi = (double)x[i];
            const double want = source == 0   ? (3 * 35 + xi * spend[i]) / (3 + xi)
                                : source == 1 ? spend[i]
                                              : 12;

            expect_near(column(out, "expected_spend")[i], want, 1e-14);
            expect_near(column(out, "discounted_purchases")[i],
                        column(out, "expected_purchases")[i], 1e-14);
            expect_near(column(out, "clv")[i],
                        column(out, "expected_purchases")[i] * want * 0.25, 1e-13);
        }
        cj_table_free(out);
    }
}
END_TEST

START_TEST(test_clv_predict__value_grows_with_the_horizon_and_is_not_negative)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(1000);
    static double before[1000];

    memset(before, 0, sizeof before);
    for (double days = 1; days < 5000; days *= 1.7) {
        cj_clv_predict_options o = options(CJ_CLV_VALUE);
        cj_table *out;

        o.horizon_days = days;
        o.discount_ratio = 0.12;
        ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
        for (int i = 0; i < 1000; i++) {
            ck_assert(column(out, "clv")[i] >= before[i]);
            before[i] = column(out, "clv")[i];
        }
        cj_table_free(out);
    }
}
END_TEST

START_TEST(test_clv_predict__expected_purchases_add_up_over_time)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(1000);
    static const double cuts[] = {0, 10, 100, 101.5, 400};
    static double sum[1000];
    cj_clv_predict_options o = options(CJ_CLV_EXPECTED);
    cj_table *out;

    memset(sum, 0, sizeof sum);
    for (int c = 0; c < 4; c++) {
        o.from_days = cuts[c];
        o.until_days = cuts[c + 1];
        ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
        for (int i = 0; i < 1000; i++)
            sum[i] += column(out, "expected_purchases")[i];
        cj_table_free(out);
    }
    o.from_days = 0;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    for (int i = 0; i < 1000; i++)
        expect_near(column(out, "expected_purchases")[i], sum[i], 1e-12);
    cj_table_free(out);
}
END_TEST

/* Everything that has an answer; its limits around it, wider for a higher level. */
START_TEST(test_clv_predict__everything_with_its_limits)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv money =
        clv_tiny_fitted(&clv_tiny_spend, spend_theta, spend_covariance, 1);
    const cj_clv_data data = people(300);
    cj_clv_predict_options o = options(CJ_CLV_ALL);
    cj_table *wide, *narrow;

    o.discount_ratio = 0.1;
    o.level = 0.99;
    ck_assert_int_eq(cj_clv_predict(&clv, &money, &data, &o, &wide), CJ_OK);
    o.level = 0.5;
    ck_assert_int_eq(cj_clv_predict(&clv, &money, &data, &o, &narrow), CJ_OK);
    ck_assert_int_eq(cj_table_columns(wide), 3 * 9 + 4);
    for (int64_t c = 0; c < 27; c += 3) {
        const double *value = cj_table_double(wide, c);
        const double *bounds[] = {
            cj_table_double(wide, c + 1), cj_table_double(narrow, c + 1),
            cj_table_double(narrow, c + 2), cj_table_double(wide, c + 2)};

        for (int i = 0; i < 300; i++) {
            ck_assert_msg(bounds[0][i] <= bounds[1][i] && bounds[1][i] <= value[i] &&
                              value[i] <= bounds[2][i] && bounds[2][i] <= bounds[3][i],
                          "%s of %d", cj_table_name(wide, c), i);
            ck_assert(bounds[0][i] >= 0 && isfinite(bounds[3][i]));
            ck_assert(c > 9 || c == 3 || bounds[3][i] <= 1);
        }
    }
    for (int i = 0; i < 300; i++)
        ck_assert(
            column(wide, "purchases_low")[i] <= column(narrow, "purchases_low")[i] &&
            column(narrow, "purchases_low")[i] <= column(narrow, "purchases_high")[i] &&
            column(narrow, "purchases_high")[i] <= column(wide, "purchases_high")[i]);
    cj_table_free(wide);
    cj_table_free(narrow);
}
END_TEST

/* ln clv = ln purchases + ln spend, and the spend's doubt is by hand. */
START_TEST(test_clv_predict__doubt_of_both_models_adds_up)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv money =
        clv_tiny_fitted(&clv_tiny_spend, spend_theta, spend_covariance, 1);
    const cj_clv_data data = people(300);
    cj_clv_predict_options o =
        options(CJ_CLV_DISCOUNTED | CJ_CLV_SPEND | CJ_CLV_VALUE | CJ_CLV_INTERVALS);
    cj_table *out;

    o.discount_ratio = 0.1;
    o.margin_ratio = 0.3;
    ck_assert_int_eq(cj_clv_predict(&clv, &money, &data, &o, &out), CJ_OK);
    for (int i = 0; i < 300; i++) {
        const double d = log(column(out, "discounted_purchases_high")[i] /
                             column(out, "discounted_purchases")[i]);
        const double s = log(column(out, "expected_spend_high")[i] /
                             column(out, "expected_spend")[i]);
        const double v = log(column(out, "clv_high")[i] / column(out, "clv")[i]);
        const double m = column(out, "expected_spend")[i], n = 3 + (double)x[i];
        const double gq = 3 * (35 - m) / n, gm = 3 * 35 / n;
        const double variance = gq * gq * 0.01 + 2 * gq * gm * 0.002 + gm * gm * 0.03;

        expect_near(v * v, d * d + s * s, 1e-9);
        expect_near(s, 1.9599639845400542 * sqrt(variance) / m, 1e-8);
    }
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_predict__next_purchase_in_days_or_never)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(2000);
    cj_clv_predict_options o = options(CJ_CLV_NEXT);
    int n_never = 0;
    cj_table *out;

    o.horizon_days = 700;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    expect_names(out, "next_median_days next_mean_days");
    for (int i = 0; i < 2000; i++) {
        const clv_tiny_row row = row_in(7, i);
        const double alive = clv_tiny_alive(theta, &row);
        const double want =
            7 * (5 + row.t) * expm1(-log1p(-0.5 / alive) / (0.6 + row.x));
        const int is_null = !(cj_table_validity(out, 0)[i / 8] >> (i % 8) & 1);

        ck_assert_int_eq(is_null, alive <= 0.5 || want > 36524.25);
        if (!is_null)
            ck_assert_double_eq_tol(
                clv_tiny_pmf(theta, &row, column(out, "next_median_days")[i] / 7, 0),
                0.5, 1e-12);
        ck_assert(column(out, "next_mean_days")[i] > 0 &&
                  column(out, "next_mean_days")[i] < 700);
        n_never += is_null;
    }
    ck_assert(n_never > 10 && n_never < 1990);
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_predict__whole_periods_are_counted_as_such)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny_discrete, theta, NULL, 1);
    static const int64_t times[] = {0, 2, 3};
    static const double last[] = {0, 4, 6}, until[] = {6, 6, 6};
    const cj_clv_data data = {
        .struct_size = sizeof data, .n = 3, .x = times, .tx = last, .t = until};
    cj_clv_predict_options o =
        options(CJ_CLV_EXPECTED | CJ_CLV_DISCOUNTED | CJ_CLV_NEXT);
    cj_table *out;

    o.until_days = 5 * 365.2425;
    o.period_days = 365.2425;
    o.discount_ratio = 0.1;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    for (int i = 0; i < 3; i++) {
        const clv_tiny_row row = {(double)times[i], last[i], until[i], 0};
        double sum = 0;

        for (int p = 1; p <= 5; p++)
            sum += pow(1.1, -p) * (clv_tiny_expected(theta, &row, p) -
                                   clv_tiny_expected(theta, &row, p - 1));
        expect_near(column(out, "expected_purchases")[i],
                    clv_tiny_expected(theta, &row, 5), 1e-13);
        expect_near(column(out, "discounted_purchases")[i], sum, 1e-13);
        ck_assert(fabs(remainder(column(out, "next_median_days")[i], 365.2425)) < 1e-9);
    }
    cj_table_free(out);
}
END_TEST

/* Two blocks: who works on which must not show. */
START_TEST(test_clv_predict__the_same_bytes_for_any_threads)
{
    enum { MANY = CJ__CLV_BLOCK + 5000 };
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    cj_clv_data data = people(N);
    int64_t *mx = calloc(MANY, sizeof *mx);
    double *times = calloc(2 * MANY, sizeof *times);
    cj_clv_predict_options o =
        options(CJ_CLV_P_ALIVE | CJ_CLV_VALUE | CJ_CLV_INTERVALS);
    cj_table *one, *many;

    for (int i = 0; i < MANY; i++) {
        mx[i] = x[i % N];
        times[i] = tx[i % N];
        times[MANY + i] = t[i % N] + i / N;
    }
    data = (cj_clv_data){
        .struct_size = sizeof data, .n = MANY, .x = mx, .tx = times, .t = times + MANY};
    o.spend = 10;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &one), CJ_OK);
    for (o.threads = 2; o.threads <= 5; o.threads += 3) {
        ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &many), CJ_OK);
        for (int64_t c = 0; c < cj_table_columns(one); c++)
            ck_assert_int_eq(memcmp(cj_table_double(one, c), cj_table_double(many, c),
                                    MANY * sizeof(double)),
                             0);
        cj_table_free(many);
    }
    for (int i = 0; i < N;
         i++) { /* the last of the first block, the first of the next */
        const int row = CJ__CLV_BLOCK - 2500 + i % 5000;
        const clv_tiny_row r = {(double)mx[row], times[row] / 7, times[MANY + row] / 7,
                                0};

        expect_near(column(one, "p_alive")[row], clv_tiny_alive(theta, &r), 1e-14);
    }
    cj_table_free(one);
    free(mx);
    free(times);
}
END_TEST

START_TEST(test_clv_predict__nobody)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = {.struct_size = sizeof data};
    cj_table *out;
    cj_clv_predict_options o = options(CJ_CLV_ALL);

    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 0);
    cj_table_free(out);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------
 */

static void expect_refused(const cj_clv *clv, const cj_clv *money,
                           const cj_clv_data *data, const cj_clv_predict_options *o,
                           const char *text)
{
    cj_table *out = NULL;

    ck_assert_int_eq(cj_clv_predict(clv, money, data, o, &out), CJ_EINVAL);
    ck_assert_ptr_null(out);
    ck_assert_str_eq(cj_errmsg(), text);
}

START_TEST(test_clv_predict__refuses_options)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv money = clv_tiny_fitted(&clv_tiny_spend, spend_theta, NULL, 1);
    cj_clv_data data = people(10);
    cj_clv_predict_options o = options(CJ_CLV_RESIDUAL);

    expect_refused(&clv, NULL, &data, &o,
                   "a residual value needs a discount_ratio per year");
    o.columns = CJ_CLV_P_ALIVE | CJ_CLV_INTERVALS;
    expect_refused(&clv, NULL, &data, &o, "the fit has no covariance, so no intervals");
    o.columns = 1 << 20;
    expect_refused(&clv, NULL, &data, &o, "Tiny has no answer for one of the columns");
    data.spend = NULL;
    o.columns = CJ_CLV_VALUE;
    expect_refused(&clv, NULL, &data, &o,
                   "value needs a spend model, data->spend or spend");
    expect_refused(&clv, &money, &data, &o, "tiny_spend needs the column spend");
    expect_refused(&clv, &clv, &data, &o, "Tiny is not a spend model");
    expect_refused(&money, NULL, &data, &o,
                   "Tiny spend is a spend model: pass it as spend");
    o = options(0);
    o.from_days = 10;
    o.until_days = 5;
    expect_refused(&clv, NULL, &data, &o,
                   "0 <= from_days <= until_days <= 1e12 must hold");
    o = options(0);
    o.discount_ratio = -0.1;
    expect_refused(&clv, NULL, &data, &o, "a ratio is a number from 0 on: 0.1 is 10 %");
    o = options(0);
    o.level = 95;
    expect_refused(&clv, NULL, &data, &o,
                   "level must be between 0 and 1: 0.95 is usual");
    o = options(0);
    o.threads = -1;
    expect_refused(&clv, NULL, &data, &o, "threads must be 0..64, reserved 0");
    o = options(0);
    o.n_purchases = -1;
    expect_refused(&clv, NULL, &data, &o, "spend and n_purchases must not be negative");
}
END_TEST

START_TEST(test_clv_predict__refuses_rows_that_cannot_be)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv whole = clv_tiny_fitted(&clv_tiny_discrete, theta, NULL, 7);
    cj_clv_data data = people(10);
    const cj_clv_predict_options o = options(0), money = options(CJ_CLV_VALUE);
    cj_table *out;

    x[3] = -1;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_errpos(), 3);
    people(10);
    tx[4] = t[4] + 0.5;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_errpos(), 4);
    people(10);
    spend[7] = -1; /* is not looked at, unless money is asked for */
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    cj_table_free(out);
    expect_refused(&clv, NULL, &data, &money,
                   "row 7: spend is not an amount from 0 on");
    expect_refused(&whole, NULL, &data, &o,
                   "Tiny counts periods: period_days must say how long one is");
    data.t = NULL;
    expect_refused(&clv, NULL, &data, &o, "tiny needs the column t");
}
END_TEST

/* ---- covariates -------------------------------------------------------------------
 */

/* Purchases double with each unit of the first, dropout halves with the second. */
static cj_clv with_covariates(void)
{
    static cj__clv_model model;
    cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);

    model = clv_tiny;
    model.effects[0][1] = -1; /* alpha */
    model.effects[1][3] = 1;  /* beta */
    clv.model = &model;
    clv.n_covariates = 2;
    clv.n_free = 8;
    clv.coefficient[0] = log(2);
    clv.coefficient[3] = log(2);
    clv.covariance[4][4] = 0.01;
    clv.covariance[7][7] = 0.02;
    return clv;
}

START_TEST(test_clv_predict__each_with_their_covariates)
{
    const cj_clv clv = with_covariates();
    cj_clv_data data = people(N);
    static double z[2 * N];
    cj_clv_predict_options o =
        options(CJ_CLV_P_ALIVE | CJ_CLV_EXPECTED | CJ_CLV_VALUE | CJ_CLV_INTERVALS);
    cj_table *out, *threads;

    for (int i = 0; i < N; i++) {
        z[2 * i] = (i * 7) % 3;
        z[2 * i + 1] = (i * 5) % 2;
    }
    data.covariates = z;
    data.n_covariates = 2;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    o.threads = 2;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &threads), CJ_OK);
    for (int i = 0; i < N; i++) {
        const double own[] = {theta[0], theta[1] * pow(0.5, z[2 * i]), theta[2],
                              theta[3] * pow(2, z[2 * i + 1])};
        const clv_tiny_row row = row_in(7, i);
        const double e = clv_tiny_expected(own, &row, 365.2425 / 7);

        expect_near(column(out, "p_alive")[i], clv_tiny_alive(own, &row), 1e-14);
        expect_near(column(out, "expected_purchases")[i], e, 1e-12);
        expect_near(column(out, "clv")[i], e * spend[i], 1e-12);
        ck_assert(column(out, "expected_purchases_high")[i] > e);
    }
    ck_assert_int_eq(
        memcmp(column(out, "clv_low"), column(threads, "clv_low"), N * sizeof(double)),
        0);
    cj_table_free(threads);
    cj_table_free(out);
}
END_TEST

/* P(alive) = b / (b + s), b = 50 * 2^z: its logit has derivative 1 in ln b. */
START_TEST(test_clv_predict__doubt_of_coefficients_counts)
{
    const cj_clv clv = with_covariates();
    cj_clv_data data = people(1);
    double z[2] = {0, 3};
    cj_clv_predict_options o = options(CJ_CLV_P_ALIVE | CJ_CLV_INTERVALS);
    cj_table *out;
    double p, high;

    x[0] = 2;
    tx[0] = 70;
    t[0] = 700;
    data.covariates = z;
    data.n_covariates = 2;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    p = column(out, "p_alive")[0];
    high = column(out, "p_alive_high")[0];
    expect_near(p, 400. / (400 + 90), 1e-14);
    expect_near(log(high / (1 - high)) - log(p / (1 - p)),
                1.9599639845400542 * sqrt(0.25 + 9 * 0.02), 1e-8);
    cj_table_free(out);
}
END_TEST

START_TEST(test_clv_predict__refuses_other_covariates)
{
    const cj_clv clv = with_covariates();
    cj_clv_data data = people(10);
    const cj_clv_predict_options o = options(0);

    expect_refused(&clv, NULL, &data, &o,
                   "the model was fitted with 2 covariates, these are 0");
    data.covariates = t;
    data.n_covariates = 1;
    expect_refused(&clv, NULL, &data, &o,
                   "the model was fitted with 2 covariates, these are 1");
}
END_TEST

START_TEST(test_clv_predict__misuse)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    cj_clv_data data = people(10);
    cj_table *out;

    ck_assert_int_eq(cj_clv_predict(NULL, NULL, &data, NULL, &out), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, NULL, NULL, &out), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, NULL, NULL), CJ_EMISUSE);
    data.struct_size = 3;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, NULL, &out), CJ_EMISUSE);
    ck_assert_ptr_null(out);
}
END_TEST

static int32_t everything(const cj__allocator *a)
{
    cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv money =
        clv_tiny_fitted(&clv_tiny_spend, spend_theta, spend_covariance, 1);
    const cj_clv_data data = people(10);
    cj_clv_predict_options o = options(CJ_CLV_ALL);
    cj_table *out;
    int32_t rc;

    clv.allocator = *a;
    o.discount_ratio = 0.1;
    o.until_days = o.horizon_days = 20;
    rc = cj__clv_predict(&clv, &money, &data, &o, &out);
    if (rc == CJ_OK)
        cj_table_free(out);
    return rc;
}

START_TEST(test_clv_predict__out_of_memory)
{
    base_memory_faults(everything);
}
END_TEST

HARNESS_MAIN("metrics_clv_predict", test_clv_predict__by_default_two_columns_for_a_year,
             test_clv_predict__counts_in_the_unit_of_the_model,
             test_clv_predict__a_year_is_a_year_in_every_unit,
             test_clv_predict__money_from_three_sources,
             test_clv_predict__value_grows_with_the_horizon_and_is_not_negative,
             test_clv_predict__expected_purchases_add_up_over_time,
             test_clv_predict__everything_with_its_limits,
             test_clv_predict__doubt_of_both_models_adds_up,
             test_clv_predict__next_purchase_in_days_or_never,
             test_clv_predict__whole_periods_are_counted_as_such,
             test_clv_predict__the_same_bytes_for_any_threads, test_clv_predict__nobody,
             test_clv_predict__refuses_options,
             test_clv_predict__refuses_rows_that_cannot_be,
             test_clv_predict__each_with_their_covariates,
             test_clv_predict__doubt_of_coefficients_counts,
             test_clv_predict__refuses_other_covariates, test_clv_predict__misuse,
             test_clv_predict__out_of_memory)
