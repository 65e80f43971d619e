/* The optimiser on functions whose minimum is known: curved valleys, saddles, flat
 * ends, bounds, and what is not finite. */
#include "metrics/clv_newton.h"

#include "base/ctx.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static void clear(cj__newton_point *p)
{
    p->value = 0;
    memset(p->gradient, 0, sizeof p->gradient);
    memset(p->hessian, 0, sizeof p->hessian);
}

static void begin(cj__newton *n, int32_t size, int32_t (*f)(void *, cj__newton_point *))
{
    memset(n, 0, sizeof *n);
    n->n = size;
    n->evaluate = f;
    n->tolerance = 1e-5;
    for (int32_t i = 0; i < size; i++) {
        n->low[i] = -20;
        n->high[i] = 20;
    }
}

static void run(cj__newton *n, cj__newton_point *at, double y0, double y1)
{
    clear(at);
    memset(at->y, 0, sizeof at->y);
    at->y[0] = y0;
    at->y[1] = y1;
    ck_assert_int_eq(cj__newton_run(n, at), CJ_OK);
}

/* Rosenbrock's valley: (1 - x)^2 + 100 (y - x^2)^2. */
static int32_t valley(void *user, cj__newton_point *p)
{
    const double x = p->y[0], y = p->y[1], d = y - x * x;

    (void)user;
    p->value = (1 - x) * (1 - x) + 100 * d * d;
    p->gradient[0] = -2 * (1 - x) - 400 * x * d;
    p->gradient[1] = 200 * d;
    p->hessian[0] = 2 - 400 * d + 800 * x * x;
    p->hessian[1] = p->hessian[2] = -400 * x;
    p->hessian[3] = 200;
    return CJ_OK;
}

START_TEST(test_newton__a_curved_valley)
{
    cj__newton n;
    cj__newton_point at;

    for (double x = -3; x <= 3; x += .5) {
        for (double y = -3; y <= 3; y += .5) {
            begin(&n, 2, valley);
            run(&n, &at, x, y);
            ck_assert_int_eq(n.end, CJ__NEWTON_DONE);
            ck_assert_double_eq_tol(at.y[0], 1, 1e-14);
            ck_assert_double_eq_tol(at.y[1], 1, 1e-14);
            ck_assert_int_lt(n.n_iterations, 60);
        }
    }
}
END_TEST

START_TEST(test_newton__within_bounds)
{
    cj__newton n;
    cj__newton_point at;
    int32_t which[CJ__NEWTON_MAX];

    begin(&n, 2, valley);
    n.high[0] = .5;
    run(&n, &at, -2, 5);
    ck_assert_int_eq(n.end, CJ__NEWTON_DONE);
    ck_assert(at.y[0] == .5 && n.held[0] && !n.held[1]);
    ck_assert_double_eq_tol(at.y[1], .25, 1e-14);
    ck_assert_int_eq(cj__newton_free(&n, which), 1);
    ck_assert_int_eq(which[0], 1);
    begin(&n, 2, valley); /* held in a corner */
    n.high[0] = .5;
    n.high[1] = .1;
    run(&n, &at, .2, .05);
    ck_assert(at.y[1] == .1 && n.held[1]);
    begin(&n, 2, valley); /* a bound that is met on the way is left again */
    n.low[1] = 0;
    run(&n, &at, -2, 0);
    ck_assert_double_eq_tol(at.y[0], 1, 1e-12);
}
END_TEST

/* x^4 / 4 - x^2 / 2 + y^2: a saddle at 0, minima at -1 and 1. */
static int32_t saddle(void *user, cj__newton_point *p)
{
    const double x = p->y[0], y = p->y[1];

    (void)user;
    p->value = x * x * x * x / 4 - x * x / 2 + y * y;
    p->gradient[0] = x * x * x - x;
    p->gradient[1] = 2 * y;
    p->hessian[0] = 3 * x * x - 1;
    p->hessian[1] = p->hessian[2] = 0;
    p->hessian[3] = 2;
    return CJ_OK;
}

START_TEST(test_newton__a_saddle_is_no_minimum)
{
    static const double starts[][2] = {
        {0,     0 },
        {0,     3 },
        {1e-9,  -1},
        {-1e-9, 0 },
        {5,     5 }
    };
    cj__newton n;
    cj__newton_point at;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        begin(&n, 2, saddle);
        run(&n, &at, starts[i][0], starts[i][1]);
        ck_assert_int_eq(n.end, CJ__NEWTON_DONE);
        ck_assert_double_eq_tol(fabs(at.y[0]), 1, 1e-12);
        ck_assert_double_eq_tol(at.y[1], 0, 1e-12);
    }
}
END_TEST

/* e^-x + y^2: the minimum is at infinity. */
static int32_t endless(void *user, cj__newton_point *p)
{
    const double e = exp(-p->y[0]);

    (void)user;
    p->value = e + p->y[1] * p->y[1];
    p->gradient[0] = -e;
    p->gradient[1] = 2 * p->y[1];
    p->hessian[0] = e;
    p->hessian[1] = p->hessian[2] = 0;
    p->hessian[3] = 2;
    return CJ_OK;
}

START_TEST(test_newton__a_minimum_at_infinity_ends_at_the_bound)
{
    cj__newton n;
    cj__newton_point at;

    begin(&n, 2, endless);
    run(&n, &at, -2, 3);
    ck_assert_int_eq(n.end, CJ__NEWTON_DONE);
    ck_assert(at.y[0] == 20 && n.held[0]);
    ck_assert_double_eq_tol(at.y[1], 0, 1e-12);
    ck_assert_int_lt(n.n_iterations, 60);
}
END_TEST

/* Finite left of 1 only; the minimum of -ln(1 - x) + 1 / (x + 2) is near the wall. */
static int32_t wall(void *user, cj__newton_point *p)
{
    const double x = p->y[0], left = 1 - x;

    (void)user;
    p->value = left > 0 ? -log(left) - 5 * x : (double)NAN;
    p->gradient[0] = 1 / left - 5;
    p->hessian[0] = 1 / (left * left);
    return CJ_OK;
}

START_TEST(test_newton__what_is_not_finite_is_stepped_back_from)
{
    cj__newton n;
    cj__newton_point at;

    begin(&n, 1, wall);
    run(&n, &at, -15, 0);
    ck_assert_int_eq(n.end, CJ__NEWTON_DONE);
    ck_assert_double_eq_tol(at.y[0], .8, 1e-12);
    begin(&n, 1, wall);
    run(&n, &at, 2, 0);
    ck_assert_int_eq(n.end, CJ__NEWTON_NOT_FINITE);
    ck_assert_int_eq(n.n_iterations, 1);
}
END_TEST

/* A valley with the noise of rounding: the search ends, and near the minimum. */
static int32_t noisy(void *user, cj__newton_point *p)
{
    uint64_t *state = user;

    (void)valley(NULL, p);
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    p->value = 1e6 + p->value + (double)(*state >> 40) * 1e-18;
    return CJ_OK;
}

START_TEST(test_newton__noise_does_not_keep_it)
{
    cj__newton n;
    cj__newton_point at;
    uint64_t state = 1;

    begin(&n, 2, noisy);
    n.user = &state;
    run(&n, &at, -1.2, 1);
    ck_assert_int_eq(n.end, CJ__NEWTON_DONE);
    ck_assert_double_eq_tol(at.y[0], 1, 1e-6);
}
END_TEST

static int32_t failing(void *user, cj__newton_point *p)
{
    int *left = user;

    return --*left < 0 ? cj__fail(CJ_EINTERRUPT, "enough") : valley(NULL, p);
}

START_TEST(test_newton__an_error_comes_through)
{
    for (int most = 0; most < 8; most++) {
        cj__newton n;
        cj__newton_point at;
        int left = most;

        begin(&n, 2, failing);
        n.user = &left;
        clear(&at);
        at.y[0] = at.y[1] = -3;
        ck_assert_int_eq(cj__newton_run(&n, &at), CJ_EINTERRUPT);
    }
}
END_TEST

/* A rough search stops earlier, and not far away. */
START_TEST(test_newton__rough)
{
    cj__newton fine, rough;
    cj__newton_point at;

    begin(&fine, 2, valley);
    run(&fine, &at, -1.2, 1);
    begin(&rough, 2, valley);
    rough.is_rough = 1;
    rough.tolerance = 1e-2;
    run(&rough, &at, -1.2, 1);
    ck_assert_int_lt(rough.n_iterations, fine.n_iterations);
    ck_assert_double_eq_tol(at.y[0], 1, 1e-2);
}
END_TEST

HARNESS_MAIN("metrics_clv_newton", test_newton__a_curved_valley,
             test_newton__within_bounds, test_newton__a_saddle_is_no_minimum,
             test_newton__a_minimum_at_infinity_ends_at_the_bound,
             test_newton__what_is_not_finite_is_stepped_back_from,
             test_newton__noise_does_not_keep_it, test_newton__an_error_comes_through,
             test_newton__rough)
