/* Series of functions that are known: polynomials are exact, analytic functions as good
 * as their ellipse says, and series side by side are each their own. */
#include "base/chebyshev.h"
#include "harness.h"

#include <math.h>

enum { N = 20, WIDE = 3 };

static double function(int which, double u)
{
    return which == 0 ? exp(u) : which == 1 ? 1 / (2 + u) : cos(3 * u);
}

START_TEST(test_chebyshev__a_polynomial_is_itself)
{
    for (int32_t n = 1; n <= CJ__CHEBYSHEV_MAX; n++) {
        double values[CJ__CHEBYSHEV_MAX], coefs[CJ__CHEBYSHEV_MAX];
        cj__chebyshev c;

        cj__chebyshev_begin(&c, n);
        for (int32_t i = 0; i < n; i++)
            values[i] = cos((n - 1) * acos(cj__chebyshev_place(&c, i))); /* T_(n-1) */
        cj__chebyshev_fit(&c, values, 1, coefs);
        for (int32_t m = 0; m < n; m++)
            ck_assert_double_eq_tol(coefs[m], m == n - 1, 1e-14);
        for (double u = -1; u <= 1; u += 0.125)
            ck_assert_double_eq_tol(cj__chebyshev_at(n, coefs, 1, u),
                                    cos((n - 1) * acos(u)), 1e-13);
    }
}
END_TEST

START_TEST(test_chebyshev__functions_side_by_side)
{
    static const double within[WIDE] = {2e-15, 1e-11, 1e-13}; /* 1/(2+u): 3.7^-20 */
    double values[N][WIDE], coefs[N][WIDE];
    cj__chebyshev c;

    cj__chebyshev_begin(&c, N);
    for (int32_t i = 0; i < N; i++) {
        ck_assert(i == 0 ||
                  cj__chebyshev_place(&c, i) < cj__chebyshev_place(&c, i - 1));
        for (int w = 0; w < WIDE; w++)
            values[i][w] = function(w, cj__chebyshev_place(&c, i));
    }
    for (int w = 0; w < WIDE; w++) {
        cj__chebyshev_fit(&c, &values[0][w], WIDE, &coefs[0][w]);
        for (double u = -1; u <= 1; u += 0.0625)
            ck_assert_double_eq_tol(cj__chebyshev_at(N, &coefs[0][w], WIDE, u),
                                    function(w, u), within[w]);
        ck_assert_double_le(fabs(coefs[N - 1][w]), 1e-10);
    }
}
END_TEST

HARNESS_MAIN("base_chebyshev", test_chebyshev__a_polynomial_is_itself,
             test_chebyshev__functions_side_by_side)
