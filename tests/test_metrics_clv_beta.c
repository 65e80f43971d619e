/* E[f(p)] under Beta densities of every shape: moments, which are known, and functions
 * with a singularity just below zero, against series and closed forms. */
#include "metrics/clv_beta.h"

#include "clv_simulate.h"
#include "harness.h"

#include <math.h>

static const double shapes[][2] = {
    {0.01, 0.01 },
    {0.02, 30   },
    {0.8,  2.4  },
    {1,    1    },
    {5,    0.05 },
    {3.2,  400  },
    {40,   40   },
    {1000, 3    },
    {2,    20000},
    {1e-3, 1e-3 },
    {50,   0.02 },
    {0.3,  1e5  }
};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static double mean_of(const cj__clv_beta *rule, double (*f)(double, double), double c)
{
    double sum = 0;

    for (int32_t i = 0; i < rule->n; i++)
        sum += rule->weight[i] * f(rule->p[i], c);
    return sum;
}

static double power(double p, double n)
{
    return pow(p, n);
}

static double pole(double p, double c)
{
    return c / (c + p);
}

START_TEST(test_metrics_clv_beta__moments)
{
    static cj__clv_beta rule;

    for (size_t i = 0; i < SHAPES; i++) {
        const double a = shapes[i][0], b = shapes[i][1];
        double wanted = 1;

        cj__clv_beta_rule(a, b, 1, &rule);
        ck_assert_int_lt(rule.n, CJ__CLV_BETA_PLACES);
        for (int m = 0; m <= 6; m++) {
            const double got = mean_of(&rule, power, m);

            ck_assert_msg(fabs(got - wanted) < 2e-14,
                          "E[p^%d] of Beta(%g, %g): %.15g instead of %.15g", m, a, b,
                          got, wanted);
            wanted *= (a + m) / (a + b + m);
        }
    }
}
END_TEST

START_TEST(test_metrics_clv_beta__mirrored)
{
    static cj__clv_beta rule;

    for (size_t i = 0; i < SHAPES; i++) {
        double sum = 0;

        cj__clv_beta_rule(shapes[i][0], shapes[i][1], 1, &rule);
        for (int32_t j = 0; j < rule.n; j++) {
            ck_assert_double_eq_tol(rule.p[j] + rule.s[j], 1, 1e-15);
            ck_assert(rule.weight[j] >= 0);
            sum += rule.weight[j] * rule.s[j];
        }
        ck_assert_double_eq_tol(sum, shapes[i][1] / (shapes[i][0] + shapes[i][1]),
                                1e-13);
    }
}
END_TEST

/* For p uniform E[c / (c+p)] = c ln(1 + 1/c), for Beta(2, 1) 2c (1 - c ln(1 + 1/c)),
 * for Beta(1/2, 1/2) sqrt(c / (1+c)): however small c. */
START_TEST(test_metrics_clv_beta__a_pole_near_zero)
{
    static cj__clv_beta rule;

    for (double c = 1; c > 1e-12; c /= 7) {
        const double l = c * log1p(1 / c);

        cj__clv_beta_rule(1, 1, c, &rule);
        ck_assert_double_eq_tol(mean_of(&rule, pole, c) / l, 1, 1e-12);
        cj__clv_beta_rule(2, 1, c, &rule);
        ck_assert_double_eq_tol(mean_of(&rule, pole, c) / (2 * c * (1 - l)), 1, 1e-12);
        cj__clv_beta_rule(0.5, 0.5, c, &rule);
        ck_assert_double_eq_tol(mean_of(&rule, pole, c) / sqrt(c / (1 + c)), 1, 1e-12);
    }
}
END_TEST

/* Random shapes: E[c/(c+p)] for c > 1 by its alternating moments. */
START_TEST(test_metrics_clv_beta__random_shapes)
{
    static cj__clv_beta rule;
    uint64_t state = 1;

    for (int i = 0; i < 2000; i += harness_stride(20)) {
        const double a = 0.01 * pow(1e6, clv_dice(&state));
        const double b = 0.01 * pow(1e6, clv_dice(&state));
        double wanted = 0, term = 1;

        for (int m = 0; m < 60; m++) {
            wanted += term;
            term *= -(a + m) / (a + b + m) / 8;
        }
        cj__clv_beta_rule(a, b, 1, &rule);
        ck_assert_int_lt(rule.n, CJ__CLV_BETA_PLACES);
        ck_assert_msg(fabs(mean_of(&rule, pole, 8) / wanted - 1) < 1e-13,
                      "Beta(%g, %g): %.15g instead of %.15g", a, b,
                      mean_of(&rule, pole, 8), wanted);
    }
}
END_TEST

HARNESS_MAIN("metrics_clv_beta", test_metrics_clv_beta__moments,
             test_metrics_clv_beta__mirrored, test_metrics_clv_beta__a_pole_near_zero,
             test_metrics_clv_beta__random_shapes)
