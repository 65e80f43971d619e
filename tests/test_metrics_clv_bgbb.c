/* BG/BB against the donors of Fader, Hardie & Shang, their published tables, and what
 * must hold for any parameters. */
#include "base/special.h"
#include "clv_likelihood.h"
#include "clv_simulate.h"

#include "harness.h"

#include <math.h>
#include <string.h>

#define MODEL (&cj__clv_bgbb)
#define MAX_ROWS 32

static const double donors[4] = {1.20352235160191, 0.749716358172939, 0.656718208441832,
                                 2.78344223257738};
static const double page[4] = {1.20, 0.75, 0.66, 2.78}; /* the manual of BTYD */
static double x[MAX_ROWS], tx[MAX_ROWS], t[MAX_ROWS], weight[MAX_ROWS];

static cj__clv_rows read_donors(void)
{
    static const int places[4] = {0, 1, 2, 3};
    double *columns[4] = {x, tx, t, weight};

    return (cj__clv_rows){x, tx, t, NULL,
                          clv_read("donations_bgbb.csv", 4, places, MAX_ROWS, columns)};
}

static double ask(clv_question question, const double *theta, clv_customer who,
                  double from, double until)
{
    return clv_answer(question, MODEL, theta, who,
                      (cj__clv_ask){.from = from, .until = until});
}

static double dert(const double *theta, clv_customer who, double delta)
{
    return clv_answer(MODEL->dert, MODEL, theta, who, (cj__clv_ask){.delta = delta});
}

static double pmf(const double *theta, clv_customer who, double from, double until,
                  int64_t n)
{
    return clv_answer(MODEL->pmf, MODEL, theta, who,
                      (cj__clv_ask){.from = from, .until = until, .n_purchases = n});
}

static cj__clv_at at_of(const double *theta)
{
    cj__clv_at at = {.model = MODEL, .k = 1};

    memcpy(at.theta, theta, 4 * sizeof *theta);
    return at;
}

START_TEST(test_bgbb__finds_the_published_fit)
{
    static const double starts[3][4] = {
        {1,   1,   0.5, 4},
        {0.2, 3,   2,   2},
        {3,   0.5, 0.1, 9}
    };
    static const double errors_want[4] = {0.0693913623889, 0.0294477166604,
                                          0.0510098589564, 0.320819003043};
    const cj__clv_rows rows = read_donors();

    for (int s = 0; s < 3 && rows.n > 0; s++) {
        double theta[4], errors[4];
        clv_total total;

        memcpy(theta, starts[s], sizeof theta);
        clv_newton(MODEL, &rows, weight, theta, &total);
        clv_std_errors(MODEL, theta, &total, errors);
        ck_assert_close(total.ll, -33225.5812743470068, 1e-13);
        for (int p = 0; p < 4; p++) {
            ck_assert_close(theta[p], donors[p], 1e-9);
            ck_assert_close(errors[p], errors_want[p], 1e-7);
        }
    }
}
END_TEST

START_TEST(test_bgbb__the_first_guess_is_good_enough)
{
    const cj__clv_rows rows = read_donors();
    double theta[4];
    clv_total total;

    if (rows.n == 0)
        return;
    MODEL->start(&(cj__clv_means){.x = 2.3, .t = 6, .tx = 3}, theta);
    clv_newton(MODEL, &rows, weight, theta, &total);
    ck_assert_close(theta[3], donors[3], 1e-9);
}
END_TEST

/* x = 6..1 with tx = 6, 5..1 with 5, ... and nobody: PyMC-Marketing's order. */
START_TEST(test_bgbb__likelihood_of_the_22_patterns)
{
    /* BTYD's estimate, of which the table shows four digits */
    static const double theta[4] = {1.20352083040498, 0.749714243061896,
                                    0.656712169147878, 2.78340801635898};
    static const double want[22] = {
        -2.18167018824, -4.29485034929, -5.38473334360, -5.80915881601, -5.65172964525,
        -4.88370164695, -3.71682127437, -5.09558227343, -5.61576884108, -5.50636893346,
        -4.76723821904, -3.84829625138, -5.05936147828, -5.19562191019, -4.57070931973,
        -3.52745257839, -4.51620272962, -4.22465969453, -3.01199924784, -3.58817880928,
        -2.28882847451, -1.16751622367};
    int i = 0;
    double all = 0;

    for (int last = 6; last >= 0; last--) {
        for (int n = last; n >= (last > 0); n--, i++) {
            const double ll = clv_loglik(MODEL, theta, (clv_customer){n, last, 6, 0});
            /* the purchases before the last lie anywhere */
            const double ways = exp(cj__lgamma(fmax(last, 1)) - cj__lgamma(fmax(n, 1)) -
                                    cj__lgamma(fmax(last, 1) - fmax(n, 1) + 1));

            ck_assert_double_eq_tol(ll, want[i], 1e-9);
            all += ways * exp(ll);
        }
    }
    ck_assert_int_eq(i, 22);
    ck_assert_close(all, 1, 1e-14);
}
END_TEST

START_TEST(test_bgbb__published_questions)
{
    static const double dert_want[6] = {1.80204479861, 2.62115607071, 3.44026734281,
                                        4.25937861491, 5.07848988700, 5.89760115910};
    static const double pmf_want[7] = {.312683461442, .170395489877,  .121430220890,
                                       .100047151207, .0913243972260, .0920213485227,
                                       .112097930837};
    const clv_customer some = {3, 4, 6, 0};
    const cj__clv_at at = at_of(page);

    ck_assert_close(ask(MODEL->p_alive, page, some, 0, 0), .438343854585, 1e-11);
    ck_assert_close(ask(MODEL->expected, page, some, 0, 10), 1.84081270242, 1e-11);
    ck_assert_close(dert(page, some, log(1.1)), 1.62137918584, 1e-11);
    for (int n = 1; n <= 6; n++)
        ck_assert_close(dert(page, (clv_customer){n, 6, 6, 0}, log(1.1)),
                        dert_want[n - 1], 1e-11);
    for (int n = 0; n <= 6; n++)
        ck_assert_close(MODEL->pmf_new(&at, 0, 6, n), pmf_want[n], 1e-11);
}
END_TEST

START_TEST(test_bgbb__published_tables_of_the_donors)
{
    static const double new_want[11] = {.4985,  .9233,  1.2969, 1.6323, 1.9381, 2.2202,
                                        2.4826, 2.7285, 2.9603, 3.1798, 3.3887};
    const cj__clv_rows rows = read_donors();
    const cj__clv_at at = at_of(donors);
    double sum = 0, n = 0;

    for (int m = 1; m <= 11; m++)
        ck_assert_double_eq_tol(MODEL->expected_new(&at, m), new_want[m - 1], 5e-5);
    /* table 6: P(alive at 2002) */
    ck_assert_double_eq_tol(
        ask(MODEL->p_alive, donors, (clv_customer){0, 0, 6, 0}, 0, 0), .11, .005);
    ck_assert_double_eq_tol(
        ask(MODEL->p_alive, donors, (clv_customer){2, 4, 6, 0}, 0, 0), .59, .005);
    ck_assert_double_eq_tol(
        ask(MODEL->p_alive, donors, (clv_customer){6, 6, 6, 0}, 0, 0), .93, .005);
    for (int64_t i = 0; i < rows.n; i++) {
        const clv_customer who = {x[i], tx[i], t[i], 0};

        sum += weight[i] * ask(MODEL->expected, donors, who, 0, 5);
        n += weight[i];
    }
    if (rows.n > 0) {
        ck_assert_double_eq_tol(sum, 12884.2, 0.5);
        ck_assert_double_eq_tol(n * MODEL->pmf_new(&at, 0, 6, 0), 3454.9, 0.5);
        ck_assert_double_eq_tol(n * MODEL->pmf_new(&at, 0, 6, 6), 1253.1, 0.5);
    }
}
END_TEST

static void dice_theta(uint64_t *dice, double low, double high, double *theta)
{
    for (int p = 0; p < 4; p++)
        theta[p] = clv_random_log(dice, low, high);
}

static clv_customer dice_customer(uint64_t *dice, double most)
{
    clv_customer who = {0, 0, 0, 0};

    who.t = 1 + floor(clv_random(dice) * most);
    who.x = floor(clv_random(dice) * (who.t + 1));
    who.tx = who.x == 0 ? 0 : who.x + floor(clv_random(dice) * (who.t - who.x + 1));
    return who;
}

START_TEST(test_bgbb__derivatives_are_those_of_the_likelihood)
{
    uint64_t dice = 9;

    for (int i = 0; i < 300; i++) {
        clv_customer who = dice_customer(&dice, 30);
        const cj__clv_rows row = {&who.x, &who.tx, &who.t, NULL, 1};
        double theta[4];

        dice_theta(&dice, 1e-2, 1e2, theta);
        clv_check_derivatives(MODEL, theta, &row, 1e-7);
    }
}
END_TEST

START_TEST(test_bgbb__with_and_without_derivatives_is_the_same)
{
    uint64_t dice = 10;

    for (int i = 0; i < 2000; i += harness_stride(20)) {
        clv_customer who = dice_customer(&dice, 60);
        const cj__clv_rows row = {&who.x, &who.tx, &who.t, NULL, 1};
        double theta[4];
        clv_total total;

        dice_theta(&dice, 1e-3, 1e3, theta);
        clv_total_at(MODEL, theta, &row, NULL, &total);
        ck_assert(total.ll == clv_loglik(MODEL, theta, who));
        ck_assert(total.ll < 0);
    }
}
END_TEST

START_TEST(test_bgbb__nothing_is_infinite_in_a_wide_box)
{
    uint64_t dice = 21;

    for (int i = 0; i < 4000; i += harness_stride(20)) {
        clv_customer who = dice_customer(&dice, i % 50 == 0 ? 2000 : 60);
        const cj__clv_rows row = {&who.x, &who.tx, &who.t, NULL, 1};
        const double until = floor(clv_random_log(&dice, 1, 500));
        const double delta = clv_random_log(&dice, 1e-5, 3);
        double theta[4], p;
        clv_total total;

        dice_theta(&dice, 1e-6, 1e8, theta);
        clv_total_at(MODEL, theta, &row, NULL, &total);
        ck_assert(isfinite(total.ll) && total.ll <= 1e-12);
        for (int a = 0; a < 4; a++) {
            ck_assert(isfinite(total.grad[a]));
            for (int b = 0; b < 4; b++)
                ck_assert(isfinite(total.hess[a][b]));
        }
        p = ask(MODEL->p_alive, theta, who, 0, 0);
        ck_assert(p >= 0 && p <= 1);
        p = ask(MODEL->expected, theta, who, 0, until);
        ck_assert(p >= 0 && p <= until * (1 + 1e-12));
        ck_assert_double_le(dert(theta, who, delta), (1 + 1e-9) / expm1(delta));
        p = pmf(theta, who, 0, until, (int64_t)(until / 2));
        ck_assert(p >= 0 && p <= 1 + 1e-12);
    }
}
END_TEST

START_TEST(test_bgbb__counts_sum_to_one_and_to_their_mean)
{
    uint64_t dice = 13;

    for (int i = 0; i < 300; i++) {
        const clv_customer who = dice_customer(&dice, 20);
        const double from = floor(clv_random(&dice) * 4);
        const int m = 1 + (int)(clv_random(&dice) * 30);
        double theta[4], all = 0, mean = 0, none;

        dice_theta(&dice, 1e-2, 1e2, theta);
        for (int n = 0; n <= m; n++) {
            const double p = pmf(theta, who, from, from + m, n);

            all += p;
            mean += n * p;
        }
        ck_assert_close(all, 1, 1e-12);
        ck_assert_close(mean, ask(MODEL->expected, theta, who, from, from + m), 1e-11);
        ck_assert(pmf(theta, who, from, from + m, m + 1) == 0);
        ck_assert(pmf(theta, who, from, from + m, -1) == 0);
        none = pmf(theta, who, from, from, 0);
        ck_assert_close(none, 1, 1e-14);
    }
}
END_TEST

START_TEST(test_bgbb__expected_purchases_add_up)
{
    uint64_t dice = 14;

    for (int i = 0; i < 2000; i += harness_stride(20)) {
        const clv_customer who = dice_customer(&dice, 40);
        const double a = floor(clv_random(&dice) * 50);
        const double b = a + floor(clv_random(&dice) * 50);
        double theta[4], parts;

        dice_theta(&dice, 1e-2, 1e3, theta);
        parts = ask(MODEL->expected, theta, who, 0, a) +
                ask(MODEL->expected, theta, who, a, b);
        ck_assert_double_le(fabs(parts - ask(MODEL->expected, theta, who, 0, b)),
                            1e-12 * parts);
    }
}
END_TEST

START_TEST(test_bgbb__later_purchases_are_a_better_sign)
{
    uint64_t dice = 15;

    for (int i = 0; i < 500; i++) {
        clv_customer who = dice_customer(&dice, 30);
        double theta[4], before = 0;

        if (who.x == 0)
            continue;
        dice_theta(&dice, 1e-2, 1e2, theta);
        for (who.tx = who.x; who.tx <= who.t; who.tx++) {
            const double alive = ask(MODEL->p_alive, theta, who, 0, 0);

            ck_assert_double_ge(alive, before * (1 - 1e-12));
            before = alive;
        }
    }
}
END_TEST

START_TEST(test_bgbb__dert_is_the_discounted_sum)
{
    uint64_t dice = 16;

    for (int i = 0; i < 200; i++) {
        const clv_customer who = dice_customer(&dice, 20);
        const double delta = clv_random_log(&dice, 0.05, 1);
        double theta[4], sum = 0;

        dice_theta(&dice, 1e-1, 1e2, theta);
        for (double s = 0; s * delta < 40; s++)
            sum += ask(MODEL->expected, theta, who, s, s + 1) * exp(-delta * (s + 1));
        ck_assert_close(dert(theta, who, delta), sum, 1e-12);
    }
}
END_TEST

START_TEST(test_bgbb__without_discount_the_sum_may_be_infinite)
{
    const double stay[4] = {1, 1, 1, 3}, leave[4] = {1, 1, 3, 3};
    const clv_customer who = {2, 3, 4, 0};

    ck_assert(isinf(dert(stay, who, 0)));
    ck_assert_close(dert(leave, who, 0), ask(MODEL->expected, leave, who, 0, 1e9),
                    1e-8);
    ck_assert_close(dert(leave, who, 1e-8), dert(leave, who, 0), 1e-6);
}
END_TEST

/* The story: a chance to buy and one to leave, then n opportunities. */
static void simulate(const double *theta, int n, int64_t customers, uint64_t *dice,
                     double *counts)
{
    memset(counts, 0, 64 * sizeof *counts);
    for (int64_t i = 0; i < customers; i++) {
        const double buys = clv_dice_beta(dice, theta[0], theta[1]);
        const double leaves = clv_dice_beta(dice, theta[2], theta[3]);
        int bought = 0, last = 0;

        for (int k = 1; k <= n; k++) {
            if (clv_dice(dice) < leaves)
                break;
            if (clv_dice(dice) < buys) {
                bought++;
                last = k;
            }
        }
        counts[last * 8 + bought]++;
    }
}

START_TEST(test_bgbb__finds_the_truth_again)
{
    uint64_t dice = 4711;
    int inside = 0;

    for (int run = 0; run < 50; run++) {
        double truth[4], theta[4], errors[4], counts[64];
        const cj__clv_rows rows = {x, tx, t, NULL, 29};
        clv_total total;
        int n = 0;

        dice_theta(&dice, 0.5, 2, truth);
        truth[3] += 1;
        simulate(truth, 7, 40000, &dice, counts);
        for (int last = 0; last <= 7; last++) {
            for (int bought = last > 0; bought <= last; bought++, n++) {
                x[n] = bought;
                tx[n] = last;
                t[n] = 7;
                weight[n] = counts[last * 8 + bought];
            }
        }
        ck_assert_int_eq(n, 29);
        memcpy(theta, truth, sizeof theta);
        clv_newton(MODEL, &rows, weight, theta, &total);
        clv_std_errors(MODEL, theta, &total, errors);
        for (int p = 0; p < 4; p++)
            inside += fabs(log(theta[p] / truth[p])) < 1.96 * errors[p] / theta[p];
    }
    ck_assert_int_ge(inside, 178); /* of 200 intervals of 95 % */
    ck_assert_int_le(inside, 199);
}
END_TEST

HARNESS_MAIN("metrics_clv_bgbb", test_bgbb__finds_the_published_fit,
             test_bgbb__the_first_guess_is_good_enough,
             test_bgbb__likelihood_of_the_22_patterns, test_bgbb__published_questions,
             test_bgbb__published_tables_of_the_donors,
             test_bgbb__derivatives_are_those_of_the_likelihood,
             test_bgbb__with_and_without_derivatives_is_the_same,
             test_bgbb__nothing_is_infinite_in_a_wide_box,
             test_bgbb__counts_sum_to_one_and_to_their_mean,
             test_bgbb__expected_purchases_add_up,
             test_bgbb__later_purchases_are_a_better_sign,
             test_bgbb__dert_is_the_discounted_sum,
             test_bgbb__without_discount_the_sum_may_be_infinite,
             test_bgbb__finds_the_truth_again)
