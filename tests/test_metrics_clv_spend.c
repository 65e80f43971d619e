/* Whether spend depends on frequency, asked with columns as callers have them: against
 * sums by hand, and where nothing can be said. */
#include "api.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static cj_clv_dependence ask(const int64_t *x, const double *spend, int64_t n)
{
    const cj_clv_data data = {
        .struct_size = sizeof data, .n = n, .x = x, .spend = spend};
    cj_clv_dependence out = {.struct_size = sizeof out};

    expect_ok(cj_clv_spend_dependence(&data, &out));
    return out;
}

START_TEST(test_clv_spend__by_hand)
{
    /* x and z of six; the two in the middle have not spent and are left out */
    const int64_t x[] = {1, 2, 0, 5, 3, 4};
    const double spend[] = {10, 20, 99, -5, 20, 50};
    const double n = 4, mean_x = 2.5, mean_z = 25;
    double xx = 0, xz = 0, zz = 0, r;
    const cj_clv_dependence d = ask(x, spend, 6);

    for (int i = 0; i < 6; i++) {
        if (i == 2 || i == 3)
            continue;
        xx += ((double)x[i] - mean_x) * ((double)x[i] - mean_x);
        xz += ((double)x[i] - mean_x) * (spend[i] - mean_z);
        zz += (spend[i] - mean_z) * (spend[i] - mean_z);
    }
    r = xz / sqrt(xx * zz);
    ck_assert_double_eq(d.n_customers, n);
    ck_assert_double_eq_tol(d.correlation, r, 1e-14);
    ck_assert_double_eq_tol(d.low, tanh(atanh(r) - 1.959963984540054), 1e-12);
    ck_assert_double_eq_tol(d.high, tanh(atanh(r) + 1.959963984540054), 1e-12);
    ck_assert_double_eq_tol(d.p_value, erfc(atanh(r) / sqrt(2)), 1e-12);
    ck_assert_str_eq(d.status, "independent"); /* of four nothing is sure */
}
END_TEST

START_TEST(test_clv_spend__dependent_and_not)
{
    enum { N = 400 };
    int64_t x[N];
    double more[N], other[N];

    for (int i = 0; i < N; i++) {
        x[i] = 1 + i % 10;
        more[i] = 10.0 * (double)x[i] + i % 7;
        other[i] = 50 + i * 37 % 11;
    }
    ck_assert_str_eq(ask(x, more, N).status, "dependent");
    ck_assert_double_gt(ask(x, more, N).low, 0.9);
    ck_assert_str_eq(ask(x, other, N).status, "independent");
}
END_TEST

START_TEST(test_clv_spend__nothing_can_be_said)
{
    const int64_t x[] = {1, 1, 1, 1, 1};
    const double spend[] = {1, 2, 3, 4, 5};
    cj_clv_dependence d = ask(x, spend, 5);

    ck_assert_str_eq(d.status, "no_variation");
    ck_assert_double_eq(d.correlation, 0);
    ck_assert_double_eq(d.p_value, 0);
    ck_assert_str_eq(ask(x, spend, 3).status, "too_few_customers");
    ck_assert_str_eq(ask(x, spend, 0).status, "too_few_customers");
}
END_TEST

START_TEST(test_clv_spend__bad_rows)
{
    const int64_t x[] = {1, 2};
    const double spend[] = {1, (double)NAN};
    cj_clv_data data = {.struct_size = sizeof data, .n = 2, .x = x, .spend = spend};
    cj_clv_dependence out = {.struct_size = sizeof out};

    ck_assert_int_eq(cj_clv_spend_dependence(&data, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_errpos(), 1);
    data.spend = NULL;
    ck_assert_int_eq(cj_clv_spend_dependence(&data, &out), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_spend_dependence(NULL, &out), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_spend_dependence(&data, NULL), CJ_EMISUSE);
}
END_TEST

HARNESS_MAIN("metrics_clv_spend", test_clv_spend__by_hand,
             test_clv_spend__dependent_and_not, test_clv_spend__nothing_can_be_said,
             test_clv_spend__bad_rows)
