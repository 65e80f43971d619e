/* What Pareto/NBD says of customers: against the reference numbers (CJ_TEST_DATA,
 * clv/oracle), against simulated cohorts, and its properties.  The likelihood:
 * test_metrics_clv_paretonbd.c. */
#include "clv_oracle.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>

static const double cdnow[] = {0.55327704685318, 10.5776834633023, 0.606239989127826,
                               11.668735288855};
static cj__ctx context;

typedef int32_t (*question)(const cj__clv_ask *ask, double *out);

static void begin(cj__clv_at *at, const double *theta)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__clv_at_begin(at, &context.allocator, &cj__clv_paretonbd, 1, 0),
                     CJ_OK);
    cj__clv_at_turn(at, theta);
}

/* A question about one customer. */
typedef struct one {
    const double *theta;
    double x, tx, t, from, until, delta;
    int64_t n;
} one;

static double ask(question q, const one *o)
{
    cj__clv_at at;
    const cj__clv_rows rows = {.x = &o->x, .tx = &o->tx, .t = &o->t, .n = 1};
    const cj__clv_ask asked = {&at, &rows, o->from, o->until, o->n, o->delta, NULL};
    double out = (double)NAN;

    begin(&at, o->theta);
    ck_assert_int_eq(q(&asked, &out), CJ_OK);
    cj__clv_at_end(&at);
    return out;
}

static double p_alive(const one *o)
{
    return ask(cj__clv_paretonbd.p_alive, o);
}

static double expected(const one *o)
{
    return ask(cj__clv_paretonbd.expected, o);
}

static double pmf(const one *o, double from, double until, int64_t n)
{
    one asked = *o;

    asked.from = from;
    asked.until = until;
    asked.n = n;
    return ask(cj__clv_paretonbd.pmf, &asked);
}

static double dert(const one *o)
{
    return ask(cj__clv_paretonbd.dert, o);
}

/* Relative; below the smallest double both are 0. */
static void expect_near(const char *what, double value, double wanted, double within)
{
    ck_assert_msg(fabs(value - wanted) <= within * fabs(wanted) + 1e-300,
                  "%s: %.17g instead of %.17g", what, value, wanted);
}

/* ---- reference numbers ----------------------------------------------------------- */

START_TEST(every_cdnow_row)
{
    FILE *file = clv_oracle_open("clv/oracle/cdnow_pnbd.csv");
    double v[7];

    if (file == NULL)
        return;
    while (clv_oracle_line(file, v, 7)) {
        const one o = {cdnow, v[0], v[1] / 7, v[2] / 7, 0, 39, 0.0027, 0};

        expect_near("P(alive)", p_alive(&o), v[4], 1e-11);
        expect_near("expected", expected(&o), v[5], 1e-11);
        expect_near("dert", dert(&o), v[6], 1e-11);
    }
    fclose(file);
}
END_TEST

START_TEST(every_row_under_stress)
{
    FILE *file = clv_oracle_open("clv/oracle/stress_pnbd.csv");
    double v[13];

    if (file == NULL)
        return;
    while (clv_oracle_line(file, v, 13)) {
        const one o = {v, v[4], v[5], v[6], 0, v[7], v[11], 0};

        expect_near("P(alive)", p_alive(&o), v[9], 1e-11);
        expect_near("expected", expected(&o), v[10], 1e-11);
        expect_near("dert", dert(&o), v[12], 1e-11);
    }
    fclose(file);
}
END_TEST

START_TEST(cdnow_in_total)
{
    FILE *file = clv_oracle_open("clv/cdnow_cbs_days.csv");
    double v[4], alive = 0, future = 0, weekly = 0, yearly = 0, high = 0;

    if (file == NULL)
        return;
    while (clv_oracle_line(file, v, 4)) {
        one o = {cdnow, v[1], v[2] / 7, v[3] / 7, 0, 39, 0.0027, 0};

        alive += p_alive(&o);
        future += expected(&o);
        weekly += dert(&o);
        o.delta = log(1.1);
        high += dert(&o);
        o.delta = log(1.1) / (365.2425 / 7);
        yearly += dert(&o);
    }
    fclose(file);
    expect_near("P(alive)", alive, 1051.8752472, 1e-10);
    expect_near("expected", future, 1665.5131072, 1e-10);
    expect_near("dert .0027", weekly, 7185.9722049, 1e-10);
    expect_near("dert 10 % a week", high, 490.846936, 1e-8);
    expect_near("dert 10 % a year", yearly, 9026.812700, 1e-4);
}
END_TEST

/* REFERENCE 2.2: the values, and the man page of BTYD. */
START_TEST(published_numbers)
{
    static const double btyd[] = {0.5629966, 12.5590370, 0.4081095, 10.5148048};
    static const double table[] = {2.1991554497049606,  2.8435344060657326,
                                   2.8671283912061646,  2.4454100786073589,
                                   1.8405019244774937,  1.2624164717438557,
                                   0.80961811945383835, 0.49480361937544931,
                                   0.29202470156979856, 0.16792750856605333};
    const one early = {cdnow, 26, 216.0 / 7, 31, 0, 52, 0, 0},
              man = {btyd, 7, 35, 77.86, 0, 0, 0.0027, 0};
    cj__clv_at at;

    expect_near("P(alive)", p_alive(&early), 0.99787340471499778, 1e-12);
    expect_near("expected", expected(&early), 25.455183503527674, 1e-12);
    expect_near("dert", dert(&man), 1.8641833280713296, 1e-12);
    for (int x = 1; x <= 10; x++) {
        const one o = {btyd, x, 30, 77.86, 0, 0, 0.0027, 0};

        expect_near("dert", dert(&o), table[x - 1], 1e-12);
    }
    begin(&at, cdnow);
    expect_near("E[X(52)]", cj__clv_paretonbd.expected_new(&at, 52), 1.4734342882548344,
                1e-11);
    cj__clv_at_end(&at);
}
END_TEST

START_TEST(published_chances)
{
    static const double theta[] = {0.55, 10.56, 0.61, 11.64};
    cj__clv_at at;

    begin(&at, theta);
    /* The reference says ...595 in its last digits; mpmath with 30 digits says this. */
    expect_near("P(X(2)=10)", cj__clv_paretonbd.pmf_new(&at, 0, 2, 10),
                1.89370759668251392e-9, 1e-13);
    expect_near("P(X(39)=0)", cj__clv_paretonbd.pmf_new(&at, 0, 39, 0), 0.595938069598,
                1e-11);
    expect_near("P(X(30)=11)", cj__clv_paretonbd.pmf_new(&at, 0, 30, 11),
                1.88994147309e-3, 1e-11);
    cj__clv_at_end(&at);
}
END_TEST

/* Customers that made other programs overflow. */
START_TEST(heavy_buyers_stay_finite)
{
    static const double sample[] =
        {
            0.55, 10.58, 0.61, 11.67
    },
                        clvtools[] = {0.5143, 2.8845, 0.2856, 14.1087},
                        rows[][3] = {{221, 103.42857, 103.57143},
                                     {254, 97.14286, 97.28571},
                                     {161, 94.71429, 98},
                                     {204, 98.57143, 99.42857}};
    const one many = {sample, 132, 200, 200, 0, 10, 0, 0},
              more = {sample, 133, 200, 200, 0, 10, 0, 0};

    expect_near("expected", expected(&many), 6.20605, 1e-5);
    expect_near("expected", expected(&more), 6.25287, 1e-5);
    for (int i = 0; i < 4; i++) {
        const one o = {clvtools, rows[i][0], rows[i][1], rows[i][2], 0, 52, 0.01, 0};

        ck_assert(p_alive(&o) >= 0 && p_alive(&o) <= 1);
        ck_assert(isfinite(expected(&o)) && isfinite(dert(&o)));
        ck_assert(pmf(&o, 0, 1, 300) >= 0 && pmf(&o, 0, 1, 300) < 1);
    }
}
END_TEST

/* ---- properties ------------------------------------------------------------------ */

static const double thetas[][4] = {
    {0.55, 10.6, 0.6, 11.7},
    {3,    2,    0.1, 0.05},
    {0.05, 0.1,  8,   60  },
    {12,   90,   4,   0.2 },
    {1,    4,    1,   4   }
};
#define THETAS 5

START_TEST(recent_buyers_are_more_alive)
{
    for (int i = 0; i < THETAS; i++) {
        for (double x = 1; x < 500; x *= 3) {
            double before = 0;

            for (double tx = 0; tx <= 40; tx++) {
                const one o = {thetas[i], x, tx, 40, 0, 0, 0, 0};
                const double p = p_alive(&o);

                ck_assert(p >= before && p <= 1);
                before = p;
            }
            ck_assert(before == 1); /* bought at T: sure */
        }
    }
}
END_TEST

START_TEST(expected_is_additive_and_grows)
{
    for (int i = 0; i < THETAS; i++) {
        one o = {thetas[i], 4, 30, 40, 0, 0, 0, 0};
        double sum = 0, before = 0;

        for (double from = 0; from < 100; from = o.until) {
            o.from = from;
            o.until = from * 1.5 + 1;
            sum += expected(&o);
            ck_assert(sum > before);
            before = sum;
        }
        o.from = 0;
        expect_near("sum of parts", sum, expected(&o), 1e-13);
        o.from = o.until;
        ck_assert(expected(&o) == 0);
    }
}
END_TEST

/* Chances sum to 1, and their mean is what is expected. */
START_TEST(chances_and_expectation_agree)
{
    static const double spans[][2] = {
        {0,  3 },
        {2,  2 },
        {20, 40}
    };

    for (int i = 0; i < THETAS; i++) {
        for (size_t j = 0; j < sizeof spans / sizeof *spans; j++) {
            one o = {thetas[i], 2, 39, 40, spans[j][0], spans[j][1], 0, 0};
            double sum = 0, mean = 0;

            for (int64_t n = 0; n < 400; n++) {
                const double p = pmf(&o, o.from, o.until, n);

                ck_assert(p >= 0 && p <= 1 + 1e-15);
                sum += p;
                mean += (double)n * p;
            }
            expect_near("sum of chances", sum, 1, 1e-11);
            expect_near("mean", mean, expected(&o), 1e-10);
        }
    }
}
END_TEST

/* To the model a customer who was acquired just now is a row with nothing in it. */
START_TEST(newcomers_are_empty_rows)
{
    for (int i = 0; i < THETAS; i++) {
        one o = {thetas[i], 0, 0, 0, 0, 17, 0, 0};
        cj__clv_at at;

        begin(&at, thetas[i]);
        expect_near("expected", cj__clv_paretonbd.expected_new(&at, 17), expected(&o),
                    1e-15);
        for (int64_t n = 0; n < 9; n++)
            expect_near("chance", cj__clv_paretonbd.pmf_new(&at, 3, 17, n),
                        pmf(&o, 3, 17, n), 1e-15);
        cj__clv_at_end(&at);
    }
}
END_TEST

/* dert = delta int E[purchases until t] e^(-delta t) dt (by parts): Simpson in ln t. */
START_TEST(dert_is_discounted_expectation)
{
    static const double deltas[] = {0.002, 0.1, 3};

    for (int i = 0; i < THETAS; i++) {
        for (int j = 0; j < 3; j++) {
            one o = {thetas[i], 3, 20, 40, 0, 0, deltas[j], 0};
            const double step = 0.02;
            double sum = 0, sign = 4;

            for (double z = -30; z < 4; z += step, sign = 6 - sign) {
                const double t = exp(z) / o.delta;

                o.until = t;
                sum += sign * step / 3 * o.delta * t * exp(-o.delta * t) * expected(&o);
            }
            expect_near("dert", dert(&o), sum, 1e-8);
        }
    }
}
END_TEST

START_TEST(edges)
{
    const one o = {cdnow, 0, 0, 0, 0, 0, 0, 0},
              gone = {cdnow, 900, 1, 4000, 0, 9, 0, 0};

    ck_assert(p_alive(&o) == 1);
    ck_assert(expected(&o) == 0);
    ck_assert(pmf(&o, 5, 5, 0) == 1);
    ck_assert(pmf(&o, 5, 5, 1) == 0);
    ck_assert(pmf(&o, 0, 5, -1) == 0);
    ck_assert(isinf(dert(&o))); /* nothing discounted, s < 1: it never ends */
    ck_assert(p_alive(&gone) == 0 && expected(&gone) == 0 && dert(&gone) == 0);
    ck_assert(pmf(&gone, 0, 9, 0) == 1 && pmf(&gone, 0, 9, 1) == 0);
}
END_TEST

/* beta's way to infinity ends at NBD: nobody leaves. */
START_TEST(without_dropout_all_stay)
{
    static const double stay[] = {0.4, 12, 0.5, 1e14};
    const one o = {stay, 3, 5, 39, 0, 26, 0.01, 0};
    const double rate = (0.4 + 3) / (12 + 39);

    expect_near("P(alive)", p_alive(&o), 1, 1e-11);
    expect_near("expected", expected(&o), 26 * rate, 1e-11);
    expect_near("dert", dert(&o), rate / 0.01, 1e-11);
}
END_TEST

/* Where an optimiser may have been: answers stay within their bounds. */
START_TEST(wild_parameters_are_answered)
{
    static const double sizes[] =
        {
            1e-15, 1e-7, 1, 1e7, 1e15
    },
                        rows[][3] = {
                            {0, 0, 0.01}, {0, 0, 5e7}, {7, 1e-3, 40}, {3000, 39.9, 40}};

    for (int i = 0; i < 5 * 5 * 5 * 5; i++) {
        const double theta[] = {sizes[i % 5], sizes[i / 5 % 5], sizes[i / 25 % 5],
                                sizes[i / 125]};

        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            const one o = {theta, rows[j][0], rows[j][1], rows[j][2], 0, 30, 0.01, 0};

            ck_assert(p_alive(&o) >= 0 && p_alive(&o) <= 1);
            ck_assert(expected(&o) >= 0 && isfinite(expected(&o)));
            ck_assert(dert(&o) >= 0 && isfinite(dert(&o)));
            for (int64_t n = 0; n < 3; n++)
                ck_assert(pmf(&o, 0, 30, n) >= 0 && pmf(&o, 0, 30, n) <= 1 + 1e-14);
        }
    }
}
END_TEST

/* Equal rows, near and far apart, get equal answers, however many lie between. */
START_TEST(memory_does_not_matter)
{
    enum { N = 6000 };
    static double x[N], tx[N], t[N], many[N];
    const cj__clv_rows rows = {.x = x, .tx = tx, .t = t, .n = N};
    cj__clv_at at;
    const cj__clv_ask asked = {&at, &rows, 0, 39, 0, 0.01, NULL};

    for (int i = 0; i < N; i++) {
        x[i] = i % 3;
        tx[i] = x[i] == 0 ? 0 : i * 37 % 200 / 7.0;
        t[i] = 29 + i * 11 % 80 / 7.0;
    }
    begin(&at, cdnow);
    ck_assert_int_eq(cj__clv_paretonbd.expected(&asked, many), CJ_OK);
    cj__clv_at_end(&at);
    for (int i = 0; i < N; i += 7) {
        const one o = {cdnow, x[i], tx[i], t[i], 0, 39, 0.01, 0};

        ck_assert(many[i] == expected(&o));
    }
}
END_TEST

/* ---- simulated customers --------------------------------------------------------- */

/* Sums of what the model says of a cohort that it made, and of what happened. */
typedef struct sums {
    double alive, later, chance[3];
} sums;

static void sums_of(const clv_cohort *c, const double *theta, sums *said, sums *true_)
{
    const cj__clv_rows rows = clv_cohort_rows(c);
    double *out = calloc((size_t)c->n, sizeof *out);
    cj__clv_at at;
    cj__clv_ask asked = {&at, &rows, 0, 26, 0, 0, NULL};

    ck_assert_ptr_nonnull(out);
    *said = *true_ = (sums){0};
    begin(&at, theta);
    cj__clv_paretonbd.p_alive(&asked, out);
    for (int64_t i = 0; i < c->n; i++) {
        said->alive += out[i];
        true_->alive += c->alive[i];
    }
    cj__clv_paretonbd.expected(&asked, out);
    for (int64_t i = 0; i < c->n; i++) {
        said->later += out[i];
        true_->later += c->later[i];
    }
    for (asked.n_purchases = 0; asked.n_purchases < 3; asked.n_purchases++) {
        cj__clv_paretonbd.pmf(&asked, out);
        for (int64_t i = 0; i < c->n; i++) {
            said->chance[asked.n_purchases] += out[i];
            true_->chance[asked.n_purchases] +=
                c->later[i] == (double)asked.n_purchases;
        }
    }
    cj__clv_at_end(&at);
    free(out);
}

START_TEST(simulated_cohorts_do_as_is_said)
{
    static const double worlds[][4] = {
        {0.55, 10.6, 0.6, 11.7},
        {2,    5,    1.5, 30  },
        {1,    20,   3,   20  }
    };

    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        const clv_story story = {
            .model = "paretonbd",
            .k = 1,
            .theta = {worlds[i][0], worlds[i][1], worlds[i][2], worlds[i][3]},
            .n = 20000,
            .t_min = 27,
            .t_max = 39,
            .future = 26,
            .seed = 5 + i
        };
        clv_cohort c;
        sums said, was;

        clv_simulate(&story, &c);
        sums_of(&c, worlds[i], &said, &was);
        clv_cohort_end(&c);
        /* Four standard errors of a count are below 2 sqrt(n). */
        ck_assert_double_eq_tol(said.alive, was.alive, 2 * sqrt(20000));
        ck_assert_double_eq_tol(said.later, was.later, 0.03 * was.later + 60);
        for (int n = 0; n < 3; n++)
            ck_assert_double_eq_tol(said.chance[n], was.chance[n], 2 * sqrt(20000));
    }
}
END_TEST

HARNESS_MAIN("clv_pareto_ask", every_cdnow_row, every_row_under_stress, cdnow_in_total,
             published_numbers, published_chances, heavy_buyers_stay_finite,
             recent_buyers_are_more_alive, expected_is_additive_and_grows,
             chances_and_expectation_agree, newcomers_are_empty_rows,
             dert_is_discounted_expectation, edges, without_dropout_all_stay,
             wild_parameters_are_answered, memory_does_not_matter,
             simulated_cohorts_do_as_is_said)
