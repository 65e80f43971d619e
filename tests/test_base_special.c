/* Special functions: values from the Handbook (Abramowitz & Stegun), identities, and
 * sums that must come out. */
#include "base/special.h"

#include "clv_likelihood.h"
#include "harness.h"

#include <math.h>

START_TEST(logarithms_of_what_is_nearly_one)
{
    uint64_t dice = 1;

    ck_assert_double_eq(cj__log1p(0), 0);
    ck_assert_double_eq(cj__log1p(1e300), log(1e300));
    ck_assert_double_eq(cj__log1p(5e-324), 5e-324);
    for (int i = 0; i < 20000; i++) {
        const double u = clv_random_log(&dice, 1e-150, 1e150);

        ck_assert_close(cj__log1p(u), log1p(u), 4.5e-16);
    }
}
END_TEST

START_TEST(digamma_and_trigamma_have_their_values)
{
    ck_assert_close(cj__digamma(1), -0.57721566490153286, 1e-15);
    ck_assert_close(cj__digamma(0.5), -1.96351002602142348, 1e-15);
    ck_assert_close(cj__trigamma(1), 1.64493406684822644, 1e-15);
    ck_assert_close(cj__trigamma(0.5), 4.93480220054467931, 1e-15);
    ck_assert_close(cj__lgamma(0.5), 0.57236494292470009, 1e-15);
}
END_TEST

/* I_x(a, b), from the fraction. */
static double incomplete_beta(double a, double b, double x)
{
    const double factor = exp(a * log(x) + b * log(1 - x) + cj__lgamma(a + b) -
                              cj__lgamma(a) - cj__lgamma(b));

    if (x < (a + 1) / (a + b + 2))
        return factor / a * cj__beta_fraction(a, b, x);
    return 1 - factor / b * cj__beta_fraction(b, a, 1 - x);
}

/* I_q(m, n) = P(at least m failures before n successes), summed. */
START_TEST(the_incomplete_beta_is_a_tail)
{
    uint64_t dice = 3;

    for (int i = 0; i < 500; i++) {
        const double n = clv_random_log(&dice, 0.02, 300), q = clv_random(&dice);
        const int m = (int)clv_random_log(&dice, 1, 300);
        double below = 0, term = exp(n * log1p(-q));

        for (int k = 0; k < m; k++) {
            below += term;
            term *= q * (n + k) / (k + 1);
        }
        ck_assert_double_le(fabs(incomplete_beta(m, n, q) + below - 1), 1e-12);
    }
    ck_assert_close(incomplete_beta(1, 1, 0.3), 0.3, 1e-15);
    ck_assert_close(incomplete_beta(2, 3, 0.5), 0.6875, 1e-15);
    ck_assert_close(incomplete_beta(0.5, 0.5, 0.25), 1.0 / 3, 1e-14);
}
END_TEST

/* Far in the tail, where 1 - sum is nothing: the series with its first terms. */
START_TEST(small_tails_have_their_digits)
{
    const double m = 400, n = 2.5, q = 0.1;
    double sum = 0, term = 1;

    for (int k = 0; k < 60; k++) {
        sum += term;
        term *= q * (n + m + k) / (m + 1 + k);
    }
    ck_assert_close(cj__beta_fraction(m, n, q), sum, 1e-14);
    ck_assert_double_eq(cj__beta_fraction(3, 2, 0), 1);
}
END_TEST

HARNESS_MAIN("base_special", logarithms_of_what_is_nearly_one,
             digamma_and_trigamma_have_their_values, the_incomplete_beta_is_a_tail,
             small_tails_have_their_digits)
