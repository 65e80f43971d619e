/* Steps of ln Gamma and its derivatives: sums that must hold exactly, and where the
 * plain difference is already noise. */
#include "base/gamma_step.h"

#include "base/special.h"
#include "clv_likelihood.h"

#include "harness.h"

#include <math.h>

START_TEST(test_gamma_step__whole_steps_are_products)
{
    uint64_t dice = 17;

    for (int i = 0; i < 2000; i++) {
        const double x = clv_random_log(&dice, 1e-6, 1e9);
        const int n = (int)(clv_random(&dice) * 12);
        const cj__gamma3 got = cj__gamma_step(x, n);
        double product = 0, sum = 0, squares = 0;

        for (int j = 0; j < n; j++) {
            product += log(x + j);
            sum += 1 / (x + j);
            squares -= 1 / ((x + j) * (x + j));
        }
        ck_assert_double_le(fabs(got.lgamma - product), 4e-15 * n * (1 + fabs(log(x))));
        ck_assert_close(got.digamma, sum, 4e-15);
        ck_assert_close(got.trigamma, squares, 4e-15);
    }
}
END_TEST

START_TEST(test_gamma_step__many_whole_steps_are_products)
{
    uint64_t dice = 2;

    for (int i = 0; i < 500; i++) {
        const double z = clv_random_log(&dice, 1e-3, 1e6);
        const int m = (int)clv_random_log(&dice, 1, 300);
        const cj__gamma3 got = cj__gamma_step(z, m);
        double sum = 0, first = 0, second = 0;

        for (int k = 0; k < m; k++) {
            sum += log(z + k);
            first += 1 / (z + k);
            second -= 1 / ((z + k) * (z + k));
        }
        ck_assert_double_le(fabs(got.lgamma - sum),
                            1e-14 * (m * fabs(log(z)) + sum + 10));
        ck_assert_close(got.digamma, first, 1e-13);
        ck_assert_close(got.trigamma, second, 1e-13);
    }
}
END_TEST

START_TEST(test_gamma_step__is_the_difference_where_that_is_good)
{
    for (double x = 0.5; x < 20; x += 0.37) {
        for (double d = 0.25; d < 30; d *= 1.7) {
            const cj__gamma3 got = cj__gamma_step(x, d);

            ck_assert_double_eq_tol(got.lgamma, cj__lgamma(x + d) - cj__lgamma(x),
                                    1e-13);
            ck_assert_double_eq_tol(got.digamma, cj__digamma(x + d) - cj__digamma(x),
                                    1e-14);
            ck_assert_double_eq_tol(got.trigamma, cj__trigamma(x + d) - cj__trigamma(x),
                                    1e-14);
        }
    }
}
END_TEST

START_TEST(test_gamma_step__a_tiny_step_is_the_derivative)
{
    uint64_t dice = 3;

    for (int i = 0; i < 1000; i++) {
        const double x = clv_random_log(&dice, 2, 1e8), d = 1e-9 * x / (1 + x);
        const cj__gamma3 got = cj__gamma_step(x, d);

        ck_assert_close(got.lgamma, d * cj__digamma(x), 1e-8);
        ck_assert_close(got.digamma, d * cj__trigamma(x), 1e-8);
    }
    ck_assert(cj__gamma_step(3, 0).lgamma == 0);
    ck_assert(cj__gamma_step(3e7, 0).trigamma == 0);
}
END_TEST

START_TEST(test_gamma_cross__is_a_difference_of_steps)
{
    uint64_t dice = 5;

    for (int i = 0; i < 5000; i++) {
        const double x = clv_random_log(&dice, 1e-3, 1e3);
        const double a = clv_random_log(&dice, 1e-2, 1e3);
        const double b = clv_random_log(&dice, 1e-2, 1e3);
        const cj__gamma3 near = cj__gamma_step(x, a), far = cj__gamma_step(x + b, a);
        const cj__gamma3 got = cj__gamma_cross(x, a, b),
                         swap = cj__gamma_cross(x, b, a);

        ck_assert(got.lgamma == swap.lgamma && got.digamma == swap.digamma &&
                  got.trigamma == swap.trigamma);
        ck_assert(got.lgamma < 0 && got.digamma > 0 && got.trigamma < 0);
        ck_assert_double_le(fabs(got.lgamma - (near.lgamma - far.lgamma)),
                            1e-14 * (fabs(near.lgamma) + fabs(far.lgamma)) + 1e-14);
        ck_assert_double_le(fabs(got.digamma - (near.digamma - far.digamma)),
                            1e-14 * near.digamma);
        ck_assert_double_le(fabs(got.trigamma - (near.trigamma - far.trigamma)),
                            1e-14 * fabs(near.trigamma));
    }
}
END_TEST

START_TEST(test_gamma_cross__keeps_its_digits_far_out)
{
    uint64_t dice = 7;

    /* a = 1: ln Gamma's is ln(x / (x + b)), psi's 1/x - 1/(x + b) */
    for (int i = 0; i < 5000; i++) {
        const double x = clv_random_log(&dice, 1e-6, 1e9);
        const double b = clv_random_log(&dice, 1e-7, 1e8);
        const cj__gamma3 got = cj__gamma_cross(x, 1, b);

        ck_assert_close(got.lgamma, -log1p(b / x), 1e-13);
        ck_assert_close(got.digamma, b / x / (x + b), 1e-13);
        ck_assert_close(got.trigamma, -b / x / x / (x + b) * (1 + x / (x + b)), 1e-11);
    }
}
END_TEST

HARNESS_MAIN("base_gamma_step", test_gamma_step__whole_steps_are_products,
             test_gamma_step__many_whole_steps_are_products,
             test_gamma_step__is_the_difference_where_that_is_good,
             test_gamma_step__a_tiny_step_is_the_derivative,
             test_gamma_cross__is_a_difference_of_steps,
             test_gamma_cross__keeps_its_digits_far_out)
