/* Pareto/NBD's likelihood: against the reference numbers (CJ_TEST_DATA, clv/oracle) and
 * against itself: derivatives against differences, units, limits, and parameters that
 * make other programs overflow.  Answers about customers:
 * test_metrics_clv_pareto_ask.c. */
#include "clv_oracle.h"
#include "harness.h"

#include <math.h>

static const double cdnow[] = {0.55327704685318, 10.5776834633023, 0.606239989127826,
                               11.668735288855};
static cj__ctx context;

static void begin(cj__clv_at *at, const double *theta, int64_t max_x)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(
        cj__clv_at_begin(at, &context.allocator, &cj__clv_paretonbd, 1, max_x), CJ_OK);
    cj__clv_at_turn(at, theta);
}

static clv_point point(const double *theta, double x, double tx, double t)
{
    cj__clv_at at;
    clv_point p;

    begin(&at, theta, (int64_t)x);
    p = clv_point_of(&at, x, tx, t);
    cj__clv_at_end(&at);
    return p;
}

static void expect_near(const char *what, double value, double wanted, double within)
{
    ck_assert_msg(fabs(value - wanted) <= within, "%s: %.17g instead of %.17g", what,
                  value, wanted);
}

static void expect_finite(const clv_point *p)
{
    ck_assert(isfinite(p->ll));
    for (int i = 0; i < CJ__CLV_PARAMS; i++)
        ck_assert(isfinite(p->grad[i]));
    for (int i = 0; i < CJ__CLV_PAIRS; i++)
        ck_assert(isfinite(p->hess[i]));
}

/* ---- reference numbers ----------------------------------------------------------- */

START_TEST(likelihood_of_every_cdnow_row)
{
    FILE *file = clv_oracle_open("clv/oracle/cdnow_pnbd.csv");
    cj__clv_at at;
    double v[4];

    if (file == NULL)
        return;
    begin(&at, cdnow, 29);
    while (clv_oracle_line(file, v, 4))
        expect_near("loglik", clv_point_of(&at, v[0], v[1] / 7, v[2] / 7).ll, v[3],
                    1e-11 * fabs(v[3]));
    cj__clv_at_end(&at);
    fclose(file);
}
END_TEST

/* Parameters over four decades, x up to 1000, likelihoods from e^-1146 to e^5520. */
START_TEST(likelihood_under_stress)
{
    FILE *file = clv_oracle_open("clv/oracle/stress_pnbd.csv");
    double v[9];

    if (file == NULL)
        return;
    while (clv_oracle_line(file, v, 9)) {
        const clv_point p = point(v, v[4], v[5], v[6]);

        expect_near("loglik", p.ll, v[8], 1e-11 * fabs(v[8]));
        expect_finite(&p);
    }
    fclose(file);
}
END_TEST

START_TEST(maximum_of_cdnow)
{
    static const double errors[] = {0.0476279259792, 0.842722533817, 0.187281342312,
                                    6.21111359062};
    cj__clv_at at;
    clv_point p;

    begin(&at, cdnow, 29);
    if (clv_point_cdnow(&at, 7, &p)) {
        expect_near("loglik", p.ll, -9594.97617893954311, 1e-9);
        for (int i = 0; i < 4; i++) {
            expect_near("gradient", p.grad[i], 0, 1e-9);
            expect_near("std error", clv_point_error(&p, cdnow, 4, i), errors[i],
                        1e-8 * errors[i]);
        }
    }
    cj__clv_at_end(&at);
}
END_TEST

/* With alpha and beta in days the likelihood loses ln 7 per purchase, and nothing else
 * changes. */
START_TEST(unit_of_time_is_immaterial)
{
    const double days[] = {cdnow[0], 7 * cdnow[1], cdnow[2], 7 * cdnow[3]};
    const clv_point week = point(cdnow, 3, 11, 32), day = point(days, 3, 77, 224);

    expect_near("loglik", day.ll, week.ll - 3 * log(7), 1e-12);
    for (int i = 0; i < 4; i++)
        expect_near("gradient", day.grad[i], week.grad[i], 1e-12);
    for (int i = 0; i < 10; i++)
        expect_near("Hessian", day.hess[i], week.hess[i], 1e-12);
}
END_TEST

/* ---- derivatives ----------------------------------------------------------------- */

/* The points of a five-point difference in ln theta[p]. */
static void expect_slopes(const double *theta, const double row[3], int p)
{
    static const double step = 2e-3, weights[] = {8, -8, -1, 1}, at[] = {1, -1, 2, -2};
    const clv_point here = point(theta, row[0], row[1], row[2]);
    double slope = 0, slopes[4] = {0}, size = 1e-3;

    for (int i = 0; i < 4; i++) {
        double moved[] = {theta[0], theta[1], theta[2], theta[3]};
        clv_point there;

        moved[p] *= exp(at[i] * step);
        there = point(moved, row[0], row[1], row[2]);
        slope += weights[i] * there.ll / (12 * step);
        for (int q = 0; q < 4; q++)
            slopes[q] += weights[i] * there.grad[q] / (12 * step);
        size += fabs(here.grad[i]) + fabs(here.hess[i * (i + 3) / 2]);
    }
    expect_near("gradient", here.grad[p], slope, 2e-8 * (size + fabs(here.ll)));
    for (int q = 0; q < 4; q++) {
        const int pair = q < p ? p * (p + 1) / 2 + q : q * (q + 1) / 2 + p;

        expect_near("Hessian", here.hess[pair], slopes[q], 2e-8 * size);
    }
}

START_TEST(derivatives_are_slopes)
{
    static const double thetas[][4] = {
        {0.55, 10.6, 0.6, 11.7},
        {3,    2,    0.1, 0.05},
        {0.05, 0.1,  8,   60  },
        {12,   90,   4,   0.2 },
        {0.3,  5,    9,   0.06},
        {1,    4,    1,   4   },
        {40,   3,    25,  70  }
    };
    static const double rows[][3] = {
        {0,   0,   0  },
        {0,   0,   30 },
        {1,   3,   30 },
        {2,   30,  30 },
        {7,   0.1, 200},
        {150, 38,  40 },
        {900, 1,   5  }
    };

    for (size_t i = 0; i < sizeof thetas / sizeof *thetas; i++)
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++)
            for (int p = 0; p < 4; p++)
                expect_slopes(thetas[i], rows[j], p);
}
END_TEST

START_TEST(without_derivatives_the_same_likelihood)
{
    const double x[] = {0, 2, 30}, tx[] = {0, 5, 36}, t[] = {20, 39, 39};
    const cj__clv_rows rows = {.x = x, .tx = tx, .t = t, .n = 3};
    double ll[CJ__CLV_CHUNK];
    cj__clv_at at;

    begin(&at, cdnow, 30);
    cj__clv_paretonbd.loglik(&at, &rows, ll, NULL, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert(ll[i] == clv_point_of(&at, x[i], tx[i], t[i]).ll);
    cj__clv_at_end(&at);
}
END_TEST

/* ---- edges ----------------------------------------------------------------------- */

START_TEST(nobody_has_been_seen_yet)
{
    const clv_point p = point(cdnow, 0, 0, 0);

    expect_near("loglik of certainty", p.ll, 0, 0);
    for (int i = 0; i < 4; i++)
        expect_near("gradient", p.grad[i], 0, 0);
}
END_TEST

/* alpha below, at and above beta are worked out differently. */
START_TEST(alpha_and_beta_may_pass_each_other)
{
    static const double rows[][3] = {
        {0,  0,  39},
        {4,  12, 39},
        {60, 38, 39}
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double below[] = {0.7, 8 * (1 - 1e-9), 0.9, 8}, at[] = {0.7, 8, 0.9, 8},
                     above[] = {0.7, 8 * (1 + 1e-9), 0.9, 8};
        const double *r = rows[i];
        const clv_point a = point(below, r[0], r[1], r[2]),
                        b = point(at, r[0], r[1], r[2]),
                        c = point(above, r[0], r[1], r[2]);

        expect_near("loglik", (a.ll + c.ll) / 2, b.ll, 1e-12 * fabs(b.ll));
        expect_near("step", (c.ll - a.ll) / 2e-9, b.grad[1], 1e-4);
        for (int p = 0; p < 10; p++)
            expect_near("Hessian", (a.hess[p] + c.hess[p]) / 2, b.hess[p], 1e-11);
    }
}
END_TEST

/* x beyond the table: worked out from Gamma functions, with the same result. */
START_TEST(table_ends_anywhere)
{
    cj__clv_at small, large;

    begin(&small, cdnow, 3);
    begin(&large, cdnow, 4000);
    for (double x = 1; x < 4000; x *= 1.9) {
        const clv_point a = clv_point_of(&small, floor(x), 30, 39),
                        b = clv_point_of(&large, floor(x), 30, 39);

        expect_near("loglik", a.ll, b.ll, 1e-13 * (1 + fabs(b.ll)));
        for (int i = 0; i < 4; i++)
            expect_near("gradient", a.grad[i], b.grad[i], 1e-12);
        for (int i = 0; i < 10; i++)
            expect_near("Hessian", a.hess[i], b.hess[i], 1e-11);
    }
    cj__clv_at_end(&small);
    cj__clv_at_end(&large);
}
END_TEST

/* s -> 0, and beta -> infinity: nobody leaves, the NBD limit. */
START_TEST(without_dropout_it_is_nbd)
{
    static const double stay[][4] = {
        {0.4, 12, 1e-13, 10  },
        {0.4, 12, 0.5,   1e15}
    };
    const double x = 5, t = 39;
    const double nbd =
        lgamma(0.4 + x) - lgamma(0.4) + 0.4 * log(12 / (12 + t)) - x * log(12 + t);

    for (int i = 0; i < 2; i++) {
        const clv_point p = point(stay[i], x, 20, t);

        expect_near("loglik", p.ll, nbd, 1e-10);
        expect_finite(&p);
    }
}
END_TEST

/* r, alpha -> infinity together: everybody buys at one rate; s, beta -> infinity:
 * everybody leaves at one rate.  L of lambda, mu: Fader & Hardie 2005, eq. 2. */
START_TEST(limits_of_equal_customers)
{
    const double lambda = 0.2, mu = 0.05, x = 4, tx = 11, t = 39, many = 1e8;
    const double alike[] = {many * lambda, many, many * mu, many};
    const double sum = lambda + mu;
    const double wanted =
        x * log(lambda) + log(lambda / sum * exp(-sum * t) + mu / sum * exp(-sum * tx));
    const clv_point p = point(alike, x, tx, t);

    expect_near("loglik", p.ll, wanted, 1e-5);
    expect_finite(&p);
}
END_TEST

START_TEST(nothing_overflows)
{
    static const double sizes[] = {1e-12, 1e-6, 1e-3, 1, 1e3, 1e6, 1e12};
    static const double rows[][3] = {
        {0,    0,         0        },
        {0,    0,         4e8      },
        {1,    1e-6,      3000     },
        {221,  103.42857, 103.57143},
        {4000, 2,         9e4      }
    };

    for (size_t i = 0; i < 7 * 7 * 7 * 7; i++) {
        const double theta[] = {sizes[i % 7], sizes[i / 7 % 7], sizes[i / 49 % 7],
                                sizes[i / 343]};

        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            const clv_point p = point(theta, rows[j][0], rows[j][1], rows[j][2]);

            expect_finite(&p);
        }
    }
}
END_TEST

HARNESS_MAIN("clv_paretonbd", likelihood_of_every_cdnow_row, likelihood_under_stress,
             maximum_of_cdnow, unit_of_time_is_immaterial, derivatives_are_slopes,
             without_derivatives_the_same_likelihood, nobody_has_been_seen_yet,
             alpha_and_beta_may_pass_each_other, table_ends_anywhere,
             without_dropout_it_is_nbd, limits_of_equal_customers, nothing_overflows)
