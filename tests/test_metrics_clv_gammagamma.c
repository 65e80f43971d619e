/* Gamma-Gamma against its published fits and its own story; and the test that spend has
 * nothing to do with frequency. */
#include "metrics/clv_gammagamma.h"

#include "clv_likelihood.h"

#include "harness.h"

#include <math.h>

#define MAX_ROWS 2400

static const double cdnow[4] = {6.24957227132376, 3.74422466713202, 15.4435209625892};
static double x[MAX_ROWS], z[MAX_ROWS];

static cj__clv_rows read_cdnow(void)
{
    static const int places[2] = {1, 4};
    double *columns[2] = {x, z};

    return (cj__clv_rows){x, NULL, NULL, z,
                          clv_read("cdnow_cbs_days.csv", 2, places, MAX_ROWS, columns)};
}

START_TEST(test_gammagamma__finds_the_published_fit)
{
    const cj__clv_rows rows = read_cdnow();
    double theta[4], errors[4];
    clv_total total;
    const cj__clv_means means = {
        .x = 1, .z = 35, .z_variance = 900, .repeat_ratio = 0.4};

    if (rows.n == 0)
        return;
    cj__clv_gammagamma.start(&means, theta);
    clv_newton(&cj__clv_gammagamma, &rows, NULL, theta, &total);
    for (int p = 0; p < 3; p++)
        ck_assert_close(theta[p], cdnow[p], 1e-10);
    ck_assert_close(total.ll, -4055.91769480187398, 1e-13);
    clv_std_errors(&cj__clv_gammagamma, theta, &total, errors);
    ck_assert_close(errors[0], 1.19005533602, 1e-8);
    ck_assert_close(errors[1], 0.290133065284, 1e-8);
    ck_assert_close(errors[2], 4.15942275216, 1e-8);
}
END_TEST

START_TEST(test_gammagamma__any_money_and_any_start)
{
    cj__clv_rows rows = read_cdnow();
    double theta[4] = {0.3, 30, 1}, first;
    clv_total total;

    if (rows.n == 0)
        return;
    clv_newton(&cj__clv_gammagamma, &rows, NULL, theta, &total);
    ck_assert_close(total.ll, -4055.91769480187398, 1e-12);
    first = total.ll;
    /* in cents: v scales, and the density of each of 946 */
    for (int64_t i = 0; i < rows.n; i++)
        z[i] *= 100;
    clv_newton(&cj__clv_gammagamma, &rows, NULL, theta, &total);
    ck_assert_close(theta[0], cdnow[0], 1e-9);
    ck_assert_close(theta[2], 100 * cdnow[2], 1e-9);
    ck_assert_close(total.ll, first - 946 * log(100.0), 1e-12);
}
END_TEST

START_TEST(test_gammagamma__expected_spend_as_published)
{
    /* Hardie's 24.65 18.91 35.17 71.46, with more digits */
    static const struct {
        double x, z, want;
    } rows[] = {
        {2, 22.35, 24.658018561043629},
        {1, 11.77, 18.910018446791166},
        {0, 0,     35.170371265659534},
        {7, 73.74, 71.463361475155374}
    };
    const cj__clv_model *m = &cj__clv_gammagamma;
    cj__clv_rows all = read_cdnow();
    double sum = 0;

    for (size_t i = 0; i < 4; i++) {
        const clv_customer who = {rows[i].x, 0, 0, rows[i].z};

        ck_assert_close(clv_answer(m->expected, m, cdnow, who, (cj__clv_ask){0}),
                        rows[i].want, 1e-13);
    }
    for (int64_t i = 0; i < all.n; i++) {
        const clv_customer who = {all.x[i], 0, 0, all.z[i]};

        sum += clv_answer(m->expected, m, cdnow, who, (cj__clv_ask){0});
    }
    if (all.n > 0)
        ck_assert_close(sum / (double)all.n, 35.2522730682, 1e-11);
}
END_TEST

START_TEST(test_gammagamma__expected_spend_lies_between)
{
    const cj__clv_model *m = &cj__clv_gammagamma;
    uint64_t dice = 11;

    for (int i = 0; i < 2000; i += harness_stride(20)) {
        const double theta[4] = {clv_random_log(&dice, 1e-2, 1e3),
                                 1 + clv_random_log(&dice, 1e-3, 1e3),
                                 clv_random_log(&dice, 1e-2, 1e6)};
        const double everybody =
            clv_answer(m->expected, m, theta, (clv_customer){0}, (cj__clv_ask){0});
        double before = 0;

        ck_assert(isfinite(everybody) && everybody > 0);
        ck_assert_close(everybody, theta[0] * theta[2] / (theta[1] - 1), 1e-12);
        for (double n = 1; n < 1e5; n *= 10) { /* nearer to the own mean, the more */
            const clv_customer who = {n, 0, 0, 2 * everybody};
            const double got = clv_answer(m->expected, m, theta, who, (cj__clv_ask){0});

            ck_assert(got >= before && got >= everybody * (1 - 1e-12) &&
                      got <= who.z * (1 + 1e-12));
            before = got;
        }
    }
}
END_TEST

START_TEST(test_gammagamma__no_mean_is_infinity)
{
    const cj__clv_model *m = &cj__clv_gammagamma;
    const double theta[4] = {2, 0.8, 10};
    const clv_customer nobody = {0}, once = {1, 0, 0, 30};

    ck_assert(isinf(clv_answer(m->expected, m, theta, nobody, (cj__clv_ask){0})));
    ck_assert_close(clv_answer(m->expected, m, theta, once, (cj__clv_ask){0}),
                    2 * (10 + 30) / 1.8, 1e-14);
}
END_TEST

START_TEST(test_gammagamma__who_did_not_come_back_says_nothing)
{
    const cj__clv_model *m = &cj__clv_gammagamma;
    double few_x[5] = {0, 3, 0, 2, 4}, few_z[5] = {0, 20, 50, 0, -3};
    const cj__clv_rows rows = {few_x, NULL, NULL, few_z, 5},
                       one = {few_x + 1, NULL, NULL, few_z + 1, 1};
    clv_total all, single;

    clv_total_at(m, cdnow, &rows, NULL, &all);
    clv_total_at(m, cdnow, &one, NULL, &single);
    ck_assert(all.ll == single.ll && all.ll != 0);
    for (int p = 0; p < 3; p++)
        ck_assert(all.grad[p] == single.grad[p] && all.hess[p][p] == single.hess[p][p]);
}
END_TEST

START_TEST(test_gammagamma__derivatives_are_those_of_the_likelihood)
{
    uint64_t dice = 2;

    for (int i = 0; i < 300; i++) {
        const double theta[4] = {clv_random_log(&dice, 1e-2, 1e3),
                                 clv_random_log(&dice, 1e-2, 1e3),
                                 clv_random_log(&dice, 1e-2, 1e4)};
        double one_x = floor(clv_random_log(&dice, 1, 300));
        double one_z = clv_random_log(&dice, 0.1, 1e4);
        const cj__clv_rows row = {&one_x, NULL, NULL, &one_z, 1};

        clv_check_derivatives(&cj__clv_gammagamma, theta, &row, 1e-7);
    }
}
END_TEST

START_TEST(test_gammagamma__nothing_is_infinite_in_a_wide_box)
{
    uint64_t dice = 23;

    for (int i = 0; i < 20000; i += harness_stride(50)) {
        const double theta[4] = {clv_random_log(&dice, 1e-6, 1e8),
                                 clv_random_log(&dice, 1e-6, 1e8),
                                 clv_random_log(&dice, 1e-8, 1e12)};
        double one_x = floor(clv_random_log(&dice, 1, 1e5));
        double one_z = clv_random_log(&dice, 1e-6, 1e12);
        const cj__clv_rows row = {&one_x, NULL, NULL, &one_z, 1};
        clv_total total;

        clv_total_at(&cj__clv_gammagamma, theta, &row, NULL, &total);
        ck_assert(isfinite(total.ll));
        for (int p = 0; p < 3; p++) {
            ck_assert(isfinite(total.grad[p]));
            for (int q = 0; q < 3; q++)
                ck_assert(isfinite(total.hess[p][q]));
        }
        ck_assert(total.hess[2][2] <= 0);
    }
}
END_TEST

/* The density of z integrates to 1: Simpson in ln z. */
START_TEST(test_gammagamma__density_is_one)
{
    uint64_t dice = 31;

    for (int i = 0; i < 20; i++) {
        const double theta[4] = {clv_random_log(&dice, 0.3, 20),
                                 clv_random_log(&dice, 0.5, 20),
                                 clv_random_log(&dice, 0.1, 1e4)};
        const double buys = floor(clv_random_log(&dice, 1, 20));
        const double step = 0.04, middle = log(theta[2]);
        double sum = 0;

        for (double u = -120; u < 120; u += step) {
            const double value = exp(middle + u);
            const clv_customer who = {buys, 0, 0, value};

            sum += step * value * exp(clv_loglik(&cj__clv_gammagamma, theta, who));
        }
        ck_assert_double_eq_tol(sum, 1, 1e-9);
    }
}
END_TEST

/* Marsaglia and Tsang. */
static double dice_gamma(uint64_t *dice, double shape)
{
    const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);

    if (shape < 1)
        return dice_gamma(dice, shape + 1) * pow(clv_random(dice), 1 / shape);
    for (;;) {
        const double n = sqrt(-2 * log(clv_random(dice))) *
                         cos(6.283185307179586 * clv_random(dice));
        const double v = pow(1 + c * n, 3);

        if (v > 0 && log(clv_random(dice)) < n * n / 2 + d - d * v + d * log(v))
            return d * v;
    }
}

static cj__clv_rows simulate(const double *theta, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        const double nu = dice_gamma(&seed, theta[1]) / theta[2];

        x[i] = floor(clv_random_log(&seed, 1, 12));
        z[i] = dice_gamma(&seed, theta[0] * x[i]) / nu / x[i];
    }
    return (cj__clv_rows){x, NULL, NULL, z, n};
}

START_TEST(test_gammagamma__finds_the_truth_again)
{
    const int step = harness_stride(20); /* under valgrind: few, and no statistics */
    int inside = 0;

    for (uint64_t run = 0; run < 200; run += (uint64_t)step) {
        uint64_t dice = 88172645463325252u + run * 7919;
        const double truth[4] = {clv_random_log(&dice, 1, 10),
                                 clv_random_log(&dice, 1.5, 8),
                                 clv_random_log(&dice, 1, 100)};
        const cj__clv_rows rows = simulate(truth, 2000, dice);
        double theta[4], errors[4];
        clv_total total;

        cj__clv_gammagamma.start(&(cj__clv_means){.z = 30, .z_variance = 900}, theta);
        clv_newton(&cj__clv_gammagamma, &rows, NULL, theta, &total);
        clv_std_errors(&cj__clv_gammagamma, theta, &total, errors);
        for (int p = 0; p < 3; p++)
            inside += fabs(log(theta[p] / truth[p])) < 1.96 * errors[p] / theta[p];
    }
    /* 600 intervals of 95 %, three of a run going together: 570 and some */
    ck_assert(step > 1 || (inside >= 545 && inside <= 592));
}
END_TEST

/* ---- independence ------------------------------------------------------------------
 */

static cj__clv_independence test_of(cj__clv_rows rows, const double *weight)
{
    cj__clv_independence out;

    cj__clv_independence_test(&rows, weight, &out);
    ck_assert_ptr_nonnull(out.text);
    return out;
}

START_TEST(test_independence__cdnow_is_weak)
{
    const cj__clv_rows rows = read_cdnow();
    cj__clv_independence out;

    if (rows.n == 0)
        return;
    out = test_of(rows, NULL); /* Fader, Hardie & Lee 2005: 0.11 */
    ck_assert_double_eq(out.n, 946);
    ck_assert_double_eq_tol(out.correlation, 0.1137, 0.0005);
    ck_assert(out.low < out.correlation && out.correlation < out.high && out.low > 0);
    ck_assert(out.p_value > 1e-4 && out.p_value < 1e-3);
    ck_assert_str_eq(out.status, "weak");
}
END_TEST

START_TEST(test_independence__by_hand)
{
    double by_x[5] = {1, 2, 3, 4, 0}, up[5] = {10, 20, 30, 50, 900},
           down[5] = {50, 30, 20, 10, 900}, same[5] = {7, 7, 7, 7, 8},
           twice[5] = {20, 20, 20, 20, 5};
    cj__clv_independence out = test_of((cj__clv_rows){by_x, 0, 0, up, 5}, NULL);

    /* r = 65 / sqrt(5 * 875) */
    ck_assert_close(out.correlation, 65 / sqrt(5 * 875.0), 1e-14);
    ck_assert_double_eq(out.n, 4);
    ck_assert_close(out.low, tanh(atanh(out.correlation) - 1.959963984540054), 1e-14);
    out = test_of((cj__clv_rows){by_x, 0, 0, up, 5}, twice);
    ck_assert_close(out.correlation, 65 / sqrt(5 * 875.0), 1e-14);
    ck_assert_double_eq(out.n, 80);
    ck_assert_str_eq(out.status, "dependent");
    out = test_of((cj__clv_rows){by_x, 0, 0, down, 5}, twice);
    ck_assert_str_eq(out.status, "dependent");
    ck_assert(out.correlation < 0 && out.high < 0);
    out = test_of((cj__clv_rows){by_x, 0, 0, same, 5}, NULL);
    ck_assert_str_eq(out.status, "no_variation");
    out = test_of((cj__clv_rows){by_x, 0, 0, up, 3}, NULL);
    ck_assert_str_eq(out.status, "too_few_customers");
    ck_assert(isnan(out.correlation) && isnan(out.p_value));
}
END_TEST

START_TEST(test_independence__is_right_in_nineteen_of_twenty)
{
    static const double theta[4] = {6, 4, 15};
    int rejected = 0;

    for (uint64_t run = 1; run <= 400; run++) {
        const cj__clv_rows rows = simulate(theta, 500, run * 104729);

        rejected += test_of(rows, NULL).p_value < 0.05;
    }
    ck_assert_int_ge(rejected, 5); /* 20 expected; z is skewed */
    ck_assert_int_le(rejected, 36);
}
END_TEST

HARNESS_MAIN("metrics_clv_gammagamma", test_gammagamma__finds_the_published_fit,
             test_gammagamma__any_money_and_any_start,
             test_gammagamma__expected_spend_as_published,
             test_gammagamma__expected_spend_lies_between,
             test_gammagamma__no_mean_is_infinity,
             test_gammagamma__who_did_not_come_back_says_nothing,
             test_gammagamma__derivatives_are_those_of_the_likelihood,
             test_gammagamma__nothing_is_infinite_in_a_wide_box,
             test_gammagamma__density_is_one, test_gammagamma__finds_the_truth_again,
             test_independence__cdnow_is_weak, test_independence__by_hand,
             test_independence__is_right_in_nineteen_of_twenty)
