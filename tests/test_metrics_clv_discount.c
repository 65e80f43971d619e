/* Discounted purchases, coming back, the next purchase, quantiles, intervals and
 * curves, against closed forms and brute force of the tiny model over a wide box of
 * parameters.
 */
#include "base_memory.h"
#include "clv_tiny.h"
#include "metrics/clv_answer.h"

#include <math.h>
#include <string.h>

enum { N_ROWS = 40 };

static base_memory memory;
static cj__allocator allocator;
static double row_x[N_ROWS], row_tx[N_ROWS], row_t[N_ROWS], answers[N_ROWS],
    more[N_ROWS];
static const cj__clv_rows all_rows = {row_x, row_tx, row_t, NULL, N_ROWS};
static cj__clv_at at;

static double between(uint64_t *dice, double low, double high)
{
    return low * pow(high / low, (double)(base_random(dice) >> 11) * 0x1p-53);
}

static cj__clv_ask tiny_begin(const cj__clv_model *model, const double *theta)
{
    uint64_t dice = 7;
    const cj__clv_ask ask = {.at = &at, .rows = &all_rows};

    memset(&memory, 0, sizeof memory);
    allocator = base_memory_allocator(&memory);
    ck_assert_int_eq(cj__clv_at_begin(&at, &allocator, model, 1, 100), CJ_OK);
    cj__clv_at_turn(&at, theta);
    for (int i = 0; i < N_ROWS; i++) {
        row_t[i] = i == 0 ? 0 : floor(between(&dice, 1, 300));
        row_x[i] = i % 3 == 0 ? 0 : floor(between(&dice, 1, 60));
        row_tx[i] = row_x[i] > 0 ? floor(row_t[i] * between(&dice, 0.2, 1)) : 0;
    }
    return ask;
}

static void tiny_end(void)
{
    cj__clv_at_end(&at);
    ck_assert_int_eq(memory.n_blocks, 0);
}

static clv_tiny_row row_at(int i)
{
    return (clv_tiny_row){row_x[i], row_tx[i], row_t[i], 0};
}

static void expect_near(double got, double want, double relative, const char *what)
{
    ck_assert_msg(fabs(got - want) <= relative * fabs(want) + 1e-300,
                  "%s: %.17g instead of %.17g (%.2g)", what, got, want, got / want - 1);
}

/* The integral of e^(-delta t) S(t) over (0, until) by Simpson in v, t = e^v - tiny. */
static double slow_discounted(const double *theta, double until, double delta)
{
    const int n = 40000;
    double s = theta[3] < until ? theta[3] : until, all = log1p(until / s), sum = 0;

    for (int i = 0; i <= n; i++) {
        double u = all * i / n, t = s * expm1(u);
        double weight = i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2;

        sum += weight * exp(-delta * t) * clv_tiny_survival(theta, t) * s * exp(u);
    }
    return sum * all / n / 3;
}

START_TEST(test_clv_discounted__is_the_integral)
{
    uint64_t dice = 11;

    for (int trial = 0; trial < 100; trial++) {
        const double theta[] = {between(&dice, 0.05, 20), between(&dice, 0.01, 500),
                                between(&dice, 1.01, 9), between(&dice, 0.01, 500)};
        cj__clv_ask ask = tiny_begin(&clv_tiny, theta);
        double slow;

        ask.until = between(&dice, 0.1, 3000);
        ask.delta = between(&dice, 1e-5, 20) / ask.until;
        slow = slow_discounted(theta, ask.until, ask.delta);
        ck_assert_int_eq(cj__clv_discounted(&ask, answers), CJ_OK);
        for (int i = 0; i < N_ROWS; i++) {
            const clv_tiny_row row = row_at(i);

            expect_near(answers[i],
                        clv_tiny_alive(theta, &row) * clv_tiny_rate(theta, &row) * slow,
                        1e-10, "discounted");
        }
        tiny_end();
    }
}
END_TEST

START_TEST(test_clv_discounted__without_a_rate_is_expected)
{
    const double theta[] = {0.5, 10, 1.5, 12};
    cj__clv_ask ask = tiny_begin(&clv_tiny, theta);

    ask.until = 52;
    ask.from = 3; /* is not looked at */
    ck_assert_int_eq(cj__clv_discounted(&ask, answers), CJ_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const clv_tiny_row row = row_at(i);

        expect_near(answers[i], clv_tiny_expected(theta, &row, 52), 1e-15, "plain");
    }
    tiny_end();
}
END_TEST

START_TEST(test_clv_discounted__grows_with_the_horizon_and_falls_with_the_rate)
{
    const double theta[] = {0.25, 4.4, 1.9, 2.4};
    cj__clv_ask ask = tiny_begin(&clv_tiny, theta);
    double before[N_ROWS] = {0};

    ask.delta = 0.002;
    for (ask.until = 0; ask.until < 1e5; ask.until = ask.until * 1.3 + 0.25) {
        cj__clv_ask steep = ask;

        steep.delta = ask.delta * 1.5;
        ck_assert_int_eq(cj__clv_discounted(&ask, answers), CJ_OK);
        ck_assert_int_eq(cj__clv_discounted(&steep, more), CJ_OK);
        for (int i = 0; i < N_ROWS; i++) {
            ck_assert(answers[i] >= before[i] * (1 - 1e-13));
            ck_assert(more[i] >= 0 && more[i] <= answers[i]);
            before[i] = answers[i];
        }
    }
    tiny_end();
}
END_TEST

/* Ten periods by hand: each period's purchases at its end. */
START_TEST(test_clv_discounted__in_whole_periods)
{
    const double theta[] = {0.7, 3, 2.5, 4};
    cj__clv_ask ask = tiny_begin(&clv_tiny_discrete, theta);

    ask.until = 10.9; /* the eleventh is not over */
    ask.delta = 0.1;
    ck_assert_int_eq(cj__clv_discounted(&ask, answers), CJ_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const clv_tiny_row row = row_at(i);
        double sum = 0;

        for (int t = 1; t <= 10; t++)
            sum += exp(-0.1 * t) * (clv_tiny_expected(theta, &row, t) -
                                    clv_tiny_expected(theta, &row, t - 1));
        expect_near(answers[i], sum, 1e-13, "periods");
    }
    tiny_end();
}
END_TEST

/* F(t) = alive (1 - (a / (a + t))^r) has its half in closed form. */
START_TEST(test_clv_next_median__by_its_formula)
{
    uint64_t dice = 3;
    int n_never = 0, n_known = 0;

    for (int trial = 0; trial < 50; trial++) {
        const double theta[] = {between(&dice, 0.05, 20), between(&dice, 0.1, 500), 2,
                                between(&dice, 1, 5000)};
        cj__clv_ask ask = tiny_begin(&clv_tiny, theta);

        ask.until = 3000;
        ck_assert_int_eq(cj__clv_next_median(&ask, answers), CJ_OK);
        for (int i = 0; i < N_ROWS; i++) {
            const clv_tiny_row row = row_at(i);
            double alive = clv_tiny_alive(theta, &row);
            double want =
                (theta[1] + row.t) * expm1(-log1p(-0.5 / alive) / (theta[0] + row.x));

            if (alive <= 0.5 || want > 3000) {
                ck_assert(isnan(answers[i]));
                n_never++;
            } else {
                expect_near(answers[i], want, 1e-10, "median");
                n_known++;
            }
        }
        tiny_end();
    }
    ck_assert(n_never > 200 && n_known > 200);
}
END_TEST

START_TEST(test_clv_next_median__first_whole_period)
{
    const double theta[] = {0.6, 5, 2, 50};
    cj__clv_ask ask = tiny_begin(&clv_tiny_discrete, theta);

    ask.until = 200.5;
    ck_assert_int_eq(cj__clv_next_median(&ask, answers), CJ_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const clv_tiny_row row = row_at(i);
        double t = 1;

        while (t <= 200 && 1 - clv_tiny_pmf(theta, &row, t, 0) < 0.5)
            t++;
        if (t > 200)
            ck_assert(isnan(answers[i]));
        else
            ck_assert_double_eq(answers[i], t);
    }
    tiny_end();
}
END_TEST

/* The mean by parts from the same closed form, r != 1. */
START_TEST(test_clv_next_mean__by_its_formula)
{
    const double theta[] = {0.6, 5, 2, 50}, until = 70;
    cj__clv_ask ask = tiny_begin(&clv_tiny, theta);

    ask.until = until;
    ck_assert_int_eq(cj__clv_next_mean(&ask, answers), CJ_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const clv_tiny_row row = row_at(i);
        double r = theta[0] + row.x, a = theta[1] + row.t;
        double none = pow(a / (a + until), r);
        double area = until + a / (r - 1) * (pow(a / (a + until), r - 1) - 1);

        expect_near(answers[i], until - area / (1 - none), 1e-9, "mean");
        ck_assert(answers[i] > 0 && answers[i] < until);
    }
    tiny_end();
}
END_TEST

START_TEST(test_clv_next_mean__in_whole_periods)
{
    const double theta[] = {0.6, 5, 2, 50};
    cj__clv_ask ask = tiny_begin(&clv_tiny_discrete, theta);

    ask.until = 12.7;
    ck_assert_int_eq(cj__clv_next_mean(&ask, answers), CJ_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const clv_tiny_row row = row_at(i);
        double sum = 0, until = 1 - clv_tiny_pmf(theta, &row, 12, 0);

        for (int t = 1; t <= 12; t++)
            sum += t * (clv_tiny_pmf(theta, &row, t - 1, 0) -
                        clv_tiny_pmf(theta, &row, t, 0));
        expect_near(answers[i], sum / until, 1e-12, "mean of periods");
    }
    tiny_end();
}
END_TEST

START_TEST(test_clv_quantiles__count_up_the_distribution)
{
    static const double levels[] = {0.5, 0.8, 0.95, 0.999};
    const double theta[] = {0.6, 5, 2, 50};
    cj__clv_ask ask = tiny_begin(&clv_tiny, theta);

    ask.until = 39;
    for (int l = 0; l < 4; l++) {
        ck_assert_int_eq(cj__clv_quantiles(&ask, levels[l], answers, more), CJ_OK);
        for (int i = 0; i < N_ROWS; i++) {
            const clv_tiny_row row = row_at(i);
            double tail = (1 - levels[l]) / 2, sum = 0, n = -1, low = -1;

            while (sum < 1 - tail) {
                sum += clv_tiny_pmf(theta, &row, 39, ++n);
                if (low < 0 && sum >= tail)
                    low = n;
            }
            ck_assert_double_eq(answers[i], low);
            ck_assert_double_eq(more[i], n);
        }
    }
    tiny_end();
}
END_TEST

START_TEST(test_clv_quantiles__end_somewhere)
{
    const double theta[] = {20, 0.1, 2, 1e9}; /* very many purchases */
    cj__clv_ask ask = tiny_begin(&clv_tiny, theta);
    const cj__clv_rows first = {row_x, row_tx, row_t, NULL, 1};

    ask.rows = &first;
    ask.until = 1e5;
    ck_assert_int_eq(cj__clv_quantiles(&ask, 0.95, answers, more), CJ_OK);
    ck_assert(isnan(answers[0]) && isnan(more[0]));
    tiny_end();
}
END_TEST

/* ---- intervals --------------------------------------------------------------------
 */

static const double covariance[4][CJ__CLV_PARAMS] = {
    {0.04,  0.02, 0.001, 0   },
    {0.02,  0.09, 0,     0.01},
    {0.001, 0,    0.16,  0.1 },
    {0,     0.01, 0.1,   0.25},
};

/* The derivative of ln E(t) by hand: with respect to ln r, ln alpha; those of s and
 * beta by a fine difference of the closed form. */
static void slow_gradient(const double *theta, const clv_tiny_row *row, double t,
                          double *g)
{
    double e = clv_tiny_expected(theta, row, t);

    g[0] = e * theta[0] / (theta[0] + row->x);
    g[1] = -e * theta[1] / (theta[1] + row->t);
    for (int p = 2; p < 4; p++) {
        double up[4], down[4], h = 1e-5;

        memcpy(up, theta, sizeof up);
        memcpy(down, theta, sizeof down);
        up[p] *= exp(h);
        down[p] *= exp(-h);
        g[p] =
            (clv_tiny_expected(up, row, t) - clv_tiny_expected(down, row, t)) / (2 * h);
    }
}

START_TEST(test_clv_variance__is_the_delta_method)
{
    const double theta[] = {0.6, 5, 2.2, 50};
    cj__clv_ask ask = tiny_begin(&clv_tiny, theta);
    cj__clv_around around;

    ck_assert_int_eq(cj__clv_around_begin(&around, &at, theta, covariance), CJ_OK);
    ask.at = &around.at;
    ask.until = 39;
    ck_assert_int_eq(cj__clv_variance(&around, cj__clv_expected, &ask, answers), CJ_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const clv_tiny_row row = row_at(i);
        double g[4], want = 0;

        slow_gradient(theta, &row, 39, g);
        for (int p = 0; p < 4; p++) {
            for (int q = 0; q < 4; q++)
                want += g[p] * covariance[p][q] * g[q];
        }
        expect_near(answers[i], want, 1e-7, "variance");
    }
    cj__clv_around_end(&around);
    tiny_end();
}
END_TEST

START_TEST(test_clv_bounds__stay_where_answers_can_be)
{
    double b[2];

    for (double p = 1e-9; p < 1; p = p * 1.5 + 0.001) {
        for (double v = 1e-12; v < 1e3; v *= 10) {
            cj__clv_bounds(p, v, 1.96, 1, b);
            ck_assert(0 <= b[0] && b[0] < p && p < b[1] && b[1] <= 1);
            cj__clv_bounds(p * 40, v, 1.96, 0, b);
            ck_assert(0 <= b[0] && b[0] < p * 40 && p * 40 < b[1]);
        }
    }
    cj__clv_bounds(10, 0.01, 2, 0, b); /* small variance: 10 -+ 2 * 0.1, nearly */
    expect_near(b[0], 10 * exp(-0.02), 1e-15, "low");
    expect_near(b[1], 10 * exp(0.02), 1e-15, "high");
    cj__clv_bounds(1, 0, 2, 1, b); /* certain */
    ck_assert(b[0] == 1 && b[1] == 1);
    cj__clv_bounds(0, 0.5, 2, 0, b);
    ck_assert(b[0] == 0 && b[1] == 0);
}
END_TEST

START_TEST(test_clv_z__known_quantiles)
{
    expect_near(cj__clv_z(0.95), 1.9599639845400542, 1e-14, "95 %");
    expect_near(cj__clv_z(0.8), 1.2815515655446004, 1e-14, "80 %");
    expect_near(cj__clv_z(0.99), 2.5758293035489004, 1e-14, "99 %");
    expect_near(cj__clv_z(0.5), 0.6744897501960817, 1e-14, "50 %");
    for (double level = 0.001; level < 0.9999; level += 0.0017)
        expect_near(erf(cj__clv_z(level) / sqrt(2.0)), level, 1e-13, "level");
}
END_TEST

/* ---- curves
 * -------------------------------------------------------------------------- */

static double curve_of_tiny(const void *user, double t)
{
    return clv_tiny.expected_new(user, t);
}

START_TEST(test_clv_series__is_the_function)
{
    uint64_t dice = 5;

    for (int trial = 0; trial < 100; trial++) {
        const double theta[] = {between(&dice, 0.05, 20), between(&dice, 0.001, 500),
                                between(&dice, 1.01, 9), between(&dice, 0.001, 500)};
        double until = between(&dice, 0.01, 1e6), largest;
        cj__clv_series curve;

        tiny_begin(&clv_tiny, theta);
        cj__clv_series_make(&curve, cj__clv_scale(&at), until, curve_of_tiny, &at);
        largest = clv_tiny.expected_new(&at, until);
        for (double t = 0; t <= until; t += until / 977) {
            double want = clv_tiny.expected_new(&at, t);

            ck_assert_double_le(fabs(cj__clv_series_at(&curve, t) - want),
                                2e-13 * largest);
        }
        ck_assert_double_le(fabs(cj__clv_series_at(&curve, until) - largest),
                            2e-13 * largest);
        tiny_end();
    }
}
END_TEST

/* ---- memory
 * ---------------------------------------------------------------------------- */

static int32_t everything(const cj__allocator *a)
{
    const double theta[] = {0.6, 5, 2.2, 50};
    cj__clv_at own;
    cj__clv_around around;
    cj__clv_ask ask = {.rows = &all_rows, .until = 20, .delta = 0.01};
    int32_t rc = cj__clv_at_begin(&own, a, &clv_tiny, 1, 10);

    if (rc != CJ_OK)
        return rc;
    rc = cj__clv_around_begin(&around, &own, theta, covariance);
    ask.at = &around.at;
    if (rc == CJ_OK)
        rc = cj__clv_variance(&around, cj__clv_discounted, &ask, answers);
    if (rc == CJ_OK)
        rc = cj__clv_quantiles(&ask, 0.9, answers, more);
    if (rc == CJ_OK)
        rc = cj__clv_next_mean(&ask, answers);
    cj__clv_around_end(&around);
    cj__clv_at_end(&own);
    return rc;
}

START_TEST(test_clv_answers__out_of_memory)
{
    const double theta[] = {0.6, 5, 2.2, 50};

    tiny_begin(&clv_tiny, theta);
    base_memory_faults(everything);
    tiny_end();
}
END_TEST

HARNESS_MAIN("metrics_clv_discount", test_clv_discounted__is_the_integral,
             test_clv_discounted__without_a_rate_is_expected,
             test_clv_discounted__grows_with_the_horizon_and_falls_with_the_rate,
             test_clv_discounted__in_whole_periods,
             test_clv_next_median__by_its_formula,
             test_clv_next_median__first_whole_period,
             test_clv_next_mean__by_its_formula, test_clv_next_mean__in_whole_periods,
             test_clv_quantiles__count_up_the_distribution,
             test_clv_quantiles__end_somewhere, test_clv_variance__is_the_delta_method,
             test_clv_bounds__stay_where_answers_can_be, test_clv_z__known_quantiles,
             test_clv_series__is_the_function, test_clv_answers__out_of_memory)
