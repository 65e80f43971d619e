/* Gauss-Legendre rules: what they are exact for, and what they are symmetric in. */
#include "harness.h"

#include "base/gauss.h"

#include <math.h>
#include <stddef.h>

static const int32_t sizes[] = {6, 8, 10, 12, 16, 20};

/* Integral of t^power over (0, 1). */
static double integral(const cj__gauss *rule, int power)
{
    double sum = 0;

    for (int32_t i = 0; i < rule->n / 2; i++)
        sum += rule->weight[i] *
               (pow(rule->place[i], power) + pow(1 - rule->place[i], power));
    return sum;
}

START_TEST(polynomials_are_exact)
{
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const cj__gauss *rule = cj__gauss_rule(sizes[s]);

        ck_assert_ptr_nonnull(rule);
        ck_assert_int_eq(rule->n, sizes[s]);
        ck_assert_int_le(rule->n, CJ__GAUSS_MOST);
        for (int power = 0; power < 2 * rule->n; power++)
            ck_assert_double_eq_tol(integral(rule, power), 1.0 / (power + 1), 4e-16);
        /* One degree more is not: the error that theory says, (n!)^4 / ((2n+1)
         * (2n)!^2). */
        ck_assert_double_eq_tol(
            1.0 / (2 * rule->n + 1) - integral(rule, 2 * rule->n),
            exp(4 * lgamma(rule->n + 1) - 2 * lgamma(2 * rule->n + 1)) /
                (2 * rule->n + 1),
            1e-15);
    }
}
END_TEST

START_TEST(places_rise_within_the_lower_half)
{
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const cj__gauss *rule = cj__gauss_rule(sizes[s]);

        for (int32_t i = 0; i < rule->n / 2; i++) {
            ck_assert(rule->place[i] > (i == 0 ? 0 : rule->place[i - 1]));
            ck_assert(rule->place[i] < 0.5);
            ck_assert(rule->weight[i] > 0);
        }
    }
}
END_TEST

START_TEST(other_sizes_are_not_there)
{
    ck_assert_ptr_null(cj__gauss_rule(7));
    ck_assert_ptr_null(cj__gauss_rule(0));
    ck_assert_ptr_null(cj__gauss_rule(22));
}
END_TEST

HARNESS_MAIN("gauss", polynomials_are_exact, places_rise_within_the_lower_half,
             other_sizes_are_not_there)
