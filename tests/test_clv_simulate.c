/* The simulated cohorts themselves: dice against their moments, stories against what is
 * known about them without a model. */
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>

#define DRAWS 200000

static void expect_near(const char *what, double value, double wanted, double within)
{
    ck_assert_msg(fabs(value - wanted) <= within, "%s: %.6g instead of %.6g +- %.2g",
                  what, value, wanted, within);
}

START_TEST(dice_have_their_moments)
{
    static const double shapes[] = {0.05, 0.5, 1, 3.5, 40};
    uint64_t state = 7;
    double mean = 0, square = 0;

    for (int i = 0; i < DRAWS; i++) {
        const double z = clv_dice_normal(&state);

        mean += z / DRAWS;
        square += z * z / DRAWS;
    }
    expect_near("mean of normals", mean, 0, 4 / sqrt(DRAWS));
    expect_near("variance of normals", square, 1, 6 / sqrt(DRAWS));
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        const double a = shapes[s];

        mean = square = 0;
        for (int i = 0; i < DRAWS; i++) {
            const double g = exp(clv_dice_log_gamma(&state, a));

            mean += g / DRAWS;
            square += (g - a) * (g - a) / DRAWS;
        }
        expect_near("mean of gammas", mean, a, 4 * sqrt(a / DRAWS));
        expect_near("variance of gammas", square, a,
                    5 * sqrt((2 * a * a + 6 * a) / DRAWS));
    }
}
END_TEST

START_TEST(beta_dice_have_their_mean)
{
    static const double cases[][2] = {
        {0.8,  2.4 },
        {0.02, 0.05},
        {30,   7   },
        {1,    1   }
    };
    uint64_t state = 11;

    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const double a = cases[c][0], b = cases[c][1], m = a / (a + b);
        double mean = 0;

        for (int i = 0; i < DRAWS; i++) {
            const double p = clv_dice_beta(&state, a, b);

            ck_assert(p >= 0 && p <= 1);
            mean += p / DRAWS;
        }
        expect_near("mean of betas", mean, m,
                    4 * sqrt(m * (1 - m) / (a + b + 1) / DRAWS));
    }
}
END_TEST

/* Purchases of those who never leave: r/alpha t on average, of whatever regularity's
 * mean time k/lambda only in the long run. */
START_TEST(nbd_buys_at_its_rate)
{
    const clv_story story = {
        "nbd", 1, {0.8, 4},
          100000, 10, 10, 5, 3
    };
    clv_cohort c;
    double x = 0, later = 0, alive = 0;

    clv_simulate(&story, &c);
    for (int64_t i = 0; i < c.n; i++) {
        x += c.x[i] / (double)c.n;
        later += c.later[i] / (double)c.n;
        alive += c.alive[i] / (double)c.n;
    }
    expect_near("purchases", x, 2, 4 * sqrt(2 * (1 + 10 / 4.0) / 1e5));
    expect_near("later purchases", later, 1, 4 * sqrt(1 * (1 + 5 / 4.0) / 1e5));
    expect_near("alive", alive, 1, 1e-9);
    clv_cohort_end(&c);
}
END_TEST

/* MBG: b/(a+b) survive the first purchase; Pareto: (beta / (beta + t))^s live to t. */
START_TEST(survivors_are_as_many_as_they_should)
{
    const clv_story mbg = {
        "mbgcnbd", 3, {2, 1e6, 1, 3},
          50000, 1, 1, 1, 5
    };
    const clv_story pareto = {
        "paretonbd", 1, {1, 4, 0.6, 12},
          50000, 20, 20, 1, 6
    };
    clv_cohort c;
    double alive = 0;

    clv_simulate(&mbg, &c);
    for (int64_t i = 0; i < c.n; i++)
        alive += c.alive[i] / (double)c.n;
    expect_near("alive after the first", alive, 0.75, 4 * sqrt(0.75 * 0.25 / 5e4));
    clv_cohort_end(&c);
    clv_simulate(&pareto, &c);
    alive = 0;
    for (int64_t i = 0; i < c.n; i++)
        alive += c.alive[i] / (double)c.n;
    expect_near("alive at 20", alive, pow(12 / 32.0, 0.6), 4 * sqrt(0.25 / 5e4));
    clv_cohort_end(&c);
}
END_TEST

START_TEST(rows_are_consistent_and_repeatable)
{
    static const char *const models[] = {"nbd",    "bgnbd",   "mbgnbd",
                                         "bgcnbd", "mbgcnbd", "paretonbd"};

    for (size_t m = 0; m < 6; m++) {
        const clv_story story = {
            models[m], m == 3 || m == 4 ? 2 : 1, {0.5, 4, 0.8, 2.4},
                        3000, 27, 39, 20,
            m
        };
        clv_cohort c, again;

        clv_simulate(&story, &c);
        clv_simulate(&story, &again);
        for (int64_t i = 0; i < c.n; i++) {
            ck_assert(c.t[i] >= 27 && c.t[i] <= 39);
            ck_assert(c.tx[i] >= 0 && c.tx[i] <= c.t[i]);
            ck_assert((c.x[i] > 0) == (c.tx[i] > 0));
            ck_assert(c.alive[i] > 0 || c.later[i] == 0 || m == 0);
            ck_assert_msg(c.x[i] == 0 ||
                              c.litt[i] <= c.x[i] * log(c.tx[i] / c.x[i]) + 1e-9,
                          "the times between purchases sum to tx");
            ck_assert(c.x[i] == again.x[i] && c.litt[i] == again.litt[i]);
        }
        clv_cohort_end(&c);
        clv_cohort_end(&again);
    }
}
END_TEST

HARNESS_MAIN("clv_simulate", dice_have_their_moments, beta_dice_have_their_mean,
             nbd_buys_at_its_rate, survivors_are_as_many_as_they_should,
             rows_are_consistent_and_repeatable)
