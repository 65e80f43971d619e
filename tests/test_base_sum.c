/* Sums that forget nothing small, and the quick ones beside them. */
#include "base/sum.h"

#include "base_memory.h"

#include <math.h>

START_TEST(test_sum__what_rounding_takes_away_comes_back)
{
    cj__sum s = {0, 0};

    cj__sum_add(&s, 1);
    cj__sum_add(&s, 1e100);
    cj__sum_add(&s, 1);
    cj__sum_add(&s, -1e100);
    ck_assert(cj__sum_of(&s) == 2); /* Kahan's would say 0 */
}
END_TEST

START_TEST(test_sum__a_million_tenths)
{
    cj__sum s = {0, 0};
    double plain = 0;

    for (int i = 0; i < 1000000; i++) {
        cj__sum_add(&s, .1);
        plain += .1;
    }
    ck_assert_double_eq_tol(cj__sum_of(&s), 100000.00000000000555, 2e-11);
    ck_assert_double_gt(fabs(plain - 100000), 1e-7);
}
END_TEST

START_TEST(test_sum__what_is_not_finite_stays)
{
    cj__sum s = {0, 0};

    cj__sum_add(&s, HUGE_VAL);
    cj__sum_add(&s, 1);
    ck_assert(cj__sum_of(&s) > 0 && isinf(cj__sum_of(&s)));
    cj__sum_add(&s, -HUGE_VAL);
    ck_assert(isnan(cj__sum_of(&s)));
}
END_TEST

START_TEST(test_sum__columns_of_any_length)
{
    enum { N = 1500 };
    static double a[N], b[N];
    uint64_t state = 3;

    for (int i = 0; i < N; i++) { /* whole numbers: every way to add them is exact */
        a[i] = (double)(base_random(&state) % 1000) - 500;
        b[i] = (double)(base_random(&state) % 1000) - 500;
    }
    for (int64_t n = 0; n <= N; n += n < 20 ? 1 : 37) {
        double sum = 0, product = 0;

        for (int64_t i = 0; i < n; i++) {
            sum += a[i];
            product += a[i] * b[i];
        }
        ck_assert(cj__lanes(a, n) == sum);
        ck_assert(cj__sum_column(a, n) == sum);
        ck_assert(cj__lanes_product(a, b, n) == product);
        ck_assert(cj__sum_product(a, b, n) == product);
    }
}
END_TEST

HARNESS_MAIN("base_sum", test_sum__what_rounding_takes_away_comes_back,
             test_sum__a_million_tenths, test_sum__what_is_not_finite_stays,
             test_sum__columns_of_any_length)
