/* BG/NBD and MBG/NBD: properties that hold whatever the formulas are, limits, the
 * derivatives against differences, and simulated customers.  Numbers:
 * test_metrics_clv_bgnbd.c, test_clv_bgnbd.py. */
#include "metrics/clv_bg_grid.h"

#include "clv_likelihood.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static const cj__clv_model *const models[] = {&cj__clv_bgnbd, &cj__clv_mbgnbd};
static cj__ctx context;

static void begin(cj__clv_at *at, const cj__clv_model *model, const double *theta)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__clv_at_begin(at, &context.allocator, model, 1, 100), CJ_OK);
    cj__clv_at_turn(at, theta);
}

/* Parameters over three decades, and a customer who may have such a history. */
typedef struct drawn {
    const cj__clv_model *model;
    double theta[4], x, tx, t, until;
    cj__clv_at at;
    cj__clv_rows rows;
} drawn;

static void draw(drawn *d, uint64_t *state, int64_t i)
{
    d->model = models[i % 2];
    d->theta[0] = clv_random_log(state, 0.03, 20);
    d->theta[1] = clv_random_log(state, 0.1, 500);
    d->theta[2] = clv_random_log(state, 0.03, 20);
    d->theta[3] = clv_random_log(state, 0.03, 50);
    d->x = clv_random(state) < 0.3 ? 0 : floor(clv_random_log(state, 1, 300));
    d->t = clv_random_log(state, 0.1, 1000);
    d->tx = d->x > 0 ? d->t * clv_random(state) : 0;
    d->until = (d->theta[1] + d->t) * clv_random_log(state, 1e-3, 3);
    d->rows = (cj__clv_rows){&d->x, &d->tx, &d->t, NULL, 1};
    begin(&d->at, d->model, d->theta);
}

static void drawn_end(drawn *d)
{
    cj__clv_at_end(&d->at);
}

static double asked(int32_t (*question)(const cj__clv_ask *, double *),
                    const cj__clv_ask *ask)
{
    double out = -1;

    ck_assert_int_eq(question(ask, &out), CJ_OK);
    return out;
}

static double expected(const drawn *d, double from, double until)
{
    const cj__clv_ask ask = {&d->at, &d->rows, from, until, 0, 0, NULL};

    return asked(cj__bg_expected, &ask);
}

static double counted(const drawn *d, double from, double until, int64_t n)
{
    const cj__clv_ask ask = {&d->at, &d->rows, from, until, n, 0, NULL};

    return asked(cj__bg_pmf, &ask);
}

/* ---- the likelihood -------------------------------------------------------------- */

START_TEST(derivatives_are_those_of_the_value)
{
    uint64_t state = 1;

    for (int64_t i = 0; i < 200; i++) {
        drawn d;

        draw(&d, &state, i);
        clv_check_derivatives(d.model, d.theta, &d.rows, 1e-6);
        drawn_end(&d);
    }
}
END_TEST

/* A row of the table and the same one worked out at once: x beyond the table. */
START_TEST(the_table_ends_nowhere)
{
    uint64_t state = 2;

    for (int64_t i = 0; i < 200; i++) {
        static double ll[2], g[2][4][CJ__CLV_CHUNK], h[2][10][CJ__CLV_CHUNK];
        drawn d;
        cj__clv_at small;

        draw(&d, &state, i);
        d.x = fmin(d.x, 100);
        ck_assert_int_eq(cj__clv_at_begin(&small, &context.allocator, d.model, 1, 0),
                         CJ_OK);
        cj__clv_at_turn(&small, d.theta);
        d.model->loglik(&d.at, &d.rows, &ll[0], g[0], h[0]);
        d.model->loglik(&small, &d.rows, &ll[1], g[1], h[1]);
        ck_assert_double_le(fabs(ll[0] - ll[1]), 1e-13 * (10 + d.x + fabs(ll[0])));
        for (int p = 0; p < 4; p++)
            ck_assert_double_le(fabs(g[0][p][0] - g[1][p][0]), 1e-12 * (1 + d.x));
        for (int p = 0; p < 10; p++)
            ck_assert_double_le(fabs(h[0][p][0] - h[1][p][0]), 1e-12 * (1 + d.x));
        cj__clv_at_end(&small);
        drawn_end(&d);
    }
}
END_TEST

/* In days and in weeks: L has time to the power -x. */
START_TEST(the_unit_of_time_does_not_matter)
{
    uint64_t state = 3;

    for (int64_t i = 0; i < 200; i++) {
        drawn d;
        double weeks, days, bought, seen;

        draw(&d, &state, i);
        d.model->loglik(&d.at, &d.rows, &weeks, NULL, NULL);
        bought = expected(&d, d.until / 3, d.until);
        seen = counted(&d, d.until / 3, d.until, 1);
        d.theta[1] *= 7;
        d.tx *= 7;
        d.t *= 7;
        cj__clv_at_turn(&d.at, d.theta);
        d.model->loglik(&d.at, &d.rows, &days, NULL, NULL);
        ck_assert_double_le(fabs(days - weeks + d.x * log(7)),
                            1e-12 * (1 + d.x + fabs(days)));
        ck_assert_close(expected(&d, 7 * d.until / 3, 7 * d.until), bought, 1e-11);
        ck_assert_close(counted(&d, 7 * d.until / 3, 7 * d.until, 1), seen, 1e-11);
        drawn_end(&d);
    }
}
END_TEST

/* The models of the limits: nobody drops out, and NBD remains. */
START_TEST(without_dropout_nbd_remains)
{
    uint64_t state = 4;

    for (int64_t i = 0; i < 100; i++) {
        drawn d;
        double ll, nbd;

        draw(&d, &state, i);
        d.theta[i % 4 < 2 ? 2 : 3] = i % 4 < 2 ? 1e-13 : 1e15;
        d.x++; /* not even a silence says that they have gone */
        d.tx = d.t;
        cj__clv_at_turn(&d.at, d.theta);
        d.model->loglik(&d.at, &d.rows, &ll, NULL, NULL);
        nbd = clv_loglik(&cj__clv_nbd, d.theta, (clv_customer){d.x, d.tx, d.t, 0});
        ck_assert_double_le(fabs(ll - nbd), 1e-9 * (1 + fabs(nbd)));
        ck_assert_close(expected(&d, 0, d.until),
                        (d.theta[0] + d.x) * d.until / (d.theta[1] + d.t), 1e-9);
        drawn_end(&d);
    }
}
END_TEST

/* Each limit has a parameter, a direction, and words. */
START_TEST(limits_are_said_in_words)
{
    const cj__clv_limit *l = cj__clv_bgnbd.limits;

    for (; l->status != NULL; l++) {
        ck_assert(l->param >= 0 && l->param < 4);
        ck_assert(l->direction == 1 || l->direction == -1);
        ck_assert_uint_gt(strlen(l->text), 20);
        ck_assert_ptr_null(strchr(l->status, ' '));
    }
    ck_assert_int_ge((int)(l - cj__clv_bgnbd.limits), 6);
}
END_TEST

/* ---- customers ------------------------------------------------------------------- */

START_TEST(p_alive_is_a_probability_that_rises_with_recency)
{
    uint64_t state = 5;

    for (int64_t i = 0; i < 1000; i++) {
        drawn d;
        double last = 0;

        draw(&d, &state, i);
        for (int step = 0; step <= 20; step++) {
            const cj__clv_ask ask = {&d.at, &d.rows, 0, 0, 0, 0, NULL};
            double p;

            d.tx = d.x > 0 ? d.t * step / 20 : 0;
            p = asked(cj__bg_p_alive, &ask);
            ck_assert_msg(p >= last * (1 - 1e-12) && p <= 1, "%g after %g", p, last);
            last = p;
        }
        if (d.x == 0 && d.model == &cj__clv_bgnbd)
            ck_assert_double_eq(last, 1);
        drawn_end(&d);
    }
}
END_TEST

START_TEST(expected_purchases_add_up)
{
    uint64_t state = 6;

    for (int64_t i = 0; i < 200; i += harness_stride(20)) {
        drawn d;
        double sum = 0;

        draw(&d, &state, i);
        for (int k = 0; k < 5; k++) {
            const double part = expected(&d, d.until * k / 5, d.until * (k + 1) / 5);

            ck_assert_double_ge(part, 0);
            sum += part;
        }
        ck_assert_double_le(fabs(sum - expected(&d, 0, d.until)), 1e-11 * sum);
        ck_assert_double_eq(expected(&d, d.until, d.until), 0);
        ck_assert_double_eq(expected(&d, d.until, 0), 0);
        drawn_end(&d);
    }
}
END_TEST

/* sum P(n) = 1 and sum n P(n) = what is expected, for intervals from now and later. */
START_TEST(the_distribution_sums_to_one_and_has_the_mean)
{
    uint64_t state = 7;

    for (int64_t i = 0; i < 60; i += harness_stride(20)) {
        const double from_share = i % 3 == 0 ? 0 : 0.3;
        double sum = 0, mean = 0, most;
        drawn d;

        draw(&d, &state, i);
        d.x = fmin(d.x, 20);
        d.theta[0] = fmax(d.theta[0], 0.5); /* few purchases, light tails */
        d.until = fmin(1, 20 / (d.theta[0] + d.x)) * (d.theta[1] + d.t);
        cj__clv_at_turn(&d.at, d.theta);
        most = 1;
        for (int64_t n = 0; n < 3000 && (n < 10 || most > 1e-17 * mean); n++) {
            const double p = counted(&d, from_share * d.until, d.until, n);

            ck_assert(p >= 0 && p <= 1 + 1e-14);
            sum += p;
            mean += (double)n * p;
            most = (double)n * p;
        }
        ck_assert_double_le(fabs(sum - 1), 1e-12);
        ck_assert_close(mean, expected(&d, from_share * d.until, d.until), 1e-11);
        ck_assert_double_eq(counted(&d, 0, d.until, -1), 0);
        ck_assert_double_eq(counted(&d, 1, 1, 0), 1);
        ck_assert_double_eq(counted(&d, 1, 1, 1), 0);
        drawn_end(&d);
    }
}
END_TEST

/* By parts: delta times the integral of e^(-delta t) E(t), by Simpson's rule in w = 1 -
 * e^(-delta t / 2). */
START_TEST(dert_is_the_discounted_sum_of_what_is_expected)
{
    uint64_t state = 8;

    for (int64_t i = 0; i < 12; i += harness_stride(5)) {
        const int steps = 400;
        double sum = 0;
        drawn d;

        draw(&d, &state, i);
        {
            const double delta = clv_random_log(&state, 0.5, 5) / (d.theta[1] + d.t);
            const cj__clv_ask ask = {&d.at, &d.rows, 0, 0, 0, delta, NULL};

            for (int k = 0; k < steps; k++) { /* at the end the integrand is 0 */
                const double w = (double)k / steps;
                const double e = expected(&d, 0, -2 / delta * log1p(-w));

                sum += (k == 0 ? 1 : k % 2 ? 4 : 2) * 2 * (1 - w) * e / steps / 3;
            }
            ck_assert_close(asked(cj__bg_dert, &ask), sum, 1e-5);
        }
        drawn_end(&d);
    }
}
END_TEST

START_TEST(without_a_discount_the_lifetime_counts)
{
    const double theta[] = {0.5, 5, 2, 3}, x = 2, tx = 20, t = 30;
    const cj__clv_rows rows = {&x, &tx, &t, NULL, 1};
    cj__clv_at at;
    cj__clv_ask ask = {&at, &rows, 0, 0, 0, 0, NULL};
    double all;

    begin(&at, &cj__clv_bgnbd, theta);
    all = asked(cj__bg_dert, &ask);
    ck_assert_close(all, 6 * asked(cj__bg_p_alive, &ask), 1e-14); /* (a+b+x-1)/(a-1) */
    ask.until = 1e12;
    ck_assert_close(asked(cj__bg_expected, &ask), all, 1e-8);
    ask.delta = 1e-13;
    ck_assert_close(asked(cj__bg_dert, &ask), all, 1e-8);
    cj__clv_at_end(&at);
    begin(&at, &cj__clv_bgnbd, (const double[]){0.5, 5, 0.9, 3}); /* E[1/p] is none */
    ask.delta = 0;
    ck_assert_double_eq(asked(cj__bg_dert, &ask), HUGE_VAL);
    cj__clv_at_end(&at);
}
END_TEST

/* With k = 1 the phases of BG/CNBD-k are purchases: sums over them instead of means
 * over p. */
START_TEST(one_phase_is_a_purchase)
{
    static const cj__clv_model *const phases[] = {&cj__clv_bgcnbd, &cj__clv_mbgcnbd};
    uint64_t state = 9;

    for (int64_t i = 0; i < 100; i += harness_stride(20)) {
        drawn d;
        cj__clv_at other;

        draw(&d, &state, i);
        d.x = fmin(d.x, 30);
        ck_assert_int_eq(
            cj__clv_at_begin(&other, &context.allocator, phases[i % 2], 1, 100), CJ_OK);
        cj__clv_at_turn(&other, d.theta);
        {
            const cj__clv_ask bg = {&d.at, &d.rows,     0,   d.until,
                                    i % 5, 1 / d.until, NULL};
            cj__clv_ask cnbd = bg;

            cnbd.at = &other;
            ck_assert_close(asked(cj__bg_expected, &bg),
                            asked(other.model->expected, &cnbd), 1e-10);
            ck_assert_close(asked(cj__bg_dert, &bg), asked(other.model->dert, &cnbd),
                            1e-10);
            ck_assert_double_le(
                fabs(asked(cj__bg_pmf, &bg) - asked(other.model->pmf, &cnbd)), 1e-12);
        }
        cj__clv_at_end(&other);
        drawn_end(&d);
    }
}
END_TEST

START_TEST(somebody_new_is_a_customer_without_a_past)
{
    uint64_t state = 10;

    for (int64_t i = 0; i < 100; i++) {
        drawn d;

        draw(&d, &state, i);
        d.x = d.tx = d.t = 0;
        d.until = d.theta[1] * clv_random_log(&state, 1e-3, 100);
        ck_assert_close(expected(&d, 0, d.until), cj__bg_expected_new(&d.at, d.until),
                        1e-12);
        ck_assert_close(counted(&d, d.until / 2, d.until, i % 4),
                        cj__bg_pmf_new(&d.at, d.until / 2, d.until, i % 4), 1e-11);
        ck_assert_double_eq(cj__bg_expected_new(&d.at, 0), 0);
        ck_assert_double_eq(cj__bg_pmf_new(&d.at, 1, 1, 0), 1);
        drawn_end(&d);
    }
}
END_TEST

/* ---- many ------------------------------------------------------------------------ */

#define N_MANY 3000

/* x is mostly small and sometimes beyond every table; T over five octaves. */
static void many(double *x, double *tx, double *t)
{
    uint64_t state = 11;

    for (int i = 0; i < N_MANY; i++) {
        x[i] = floor(-3 * log(clv_random(&state)));
        if (i % 100 == 99)
            x[i] = floor(clv_random_log(&state, 100, 10000));
        t[i] = clv_random_log(&state, 1, 300);
        tx[i] = x[i] > 0 ? t[i] * clv_random(&state) : 0;
    }
}

/* To the last bit: neither order nor chunks nor threads can be seen. */
START_TEST(an_answer_does_not_depend_on_company)
{
    static double x[N_MANY], tx[N_MANY], t[N_MANY], all[N_MANY];
    int32_t (*const questions[])(const cj__clv_ask *,
                                 double *) = {cj__bg_expected, cj__bg_pmf, cj__bg_dert};
    const double theta[] = {0.25, 4.5, 0.8, 2.5};
    const cj__clv_rows rows = {x, tx, t, NULL, N_MANY};
    cj__clv_at at;

    many(x, tx, t);
    begin(&at, &cj__clv_mbgnbd, theta);
    for (int q = 0; q < 3; q++) {
        cj__clv_ask ask = {&at, &rows, 10, 39, 2, 0.01, NULL};

        ck_assert_int_eq(questions[q](&ask, all), CJ_OK);
        for (int i = 0; i < N_MANY; i += harness_stride(q == 2 ? 100 : 20)) {
            const cj__clv_rows one = {x + i, tx + i, t + i, NULL, 1};
            double alone;

            ask.rows = &one;
            alone = asked(questions[q], &ask);
            ck_assert_msg(memcmp(&alone, &all[i], sizeof alone) == 0,
                          "question %d, row %d: %.17g, alone %.17g", q, i, all[i],
                          alone);
        }
    }
    cj__clv_at_end(&at);
}
END_TEST

/* A number that bends within a cell, or has no size to speak of, is not interpolated.
 */
static void plain_turn(void *user, double x, double scale)
{
    (void)user;
    (void)x;
    (void)scale;
}

static double bent(void *user, double scale)
{
    (void)user;
    return 2 + sin(40 * scale);
}

static double tiny(void *user, double scale)
{
    (void)user;
    return 1e-260 / scale;
}

START_TEST(what_is_not_smooth_is_worked_out_row_by_row)
{
    static double x[N_MANY], tx[N_MANY], t[N_MANY], out[N_MANY];
    const double theta[] = {0.25, 4.5, 0.8, 2.5};
    const cj__clv_rows rows = {x, tx, t, NULL, N_MANY};
    cj__clv_at at;
    const cj__clv_ask ask = {&at, &rows, 0, 1, 0, 0, NULL};
    const cj__bg_grid bends = {&ask, NULL, plain_turn, bent, 0, 1};
    const cj__bg_grid small = {&ask, NULL, plain_turn, tiny, 0, 1};

    many(x, tx, t);
    memset(x, 0, sizeof x); /* so that all are alive */
    begin(&at, &cj__clv_bgnbd, theta);
    ck_assert_int_eq(cj__bg_grid_answer(&bends, out), CJ_OK);
    for (int i = 0; i < N_MANY; i++)
        ck_assert_close(out[i], bent(NULL, 4.5 + t[i]), 1e-12);
    ck_assert_int_eq(cj__bg_grid_answer(&small, out), CJ_OK);
    for (int i = 0; i < N_MANY; i++)
        ck_assert_close(out[i], tiny(NULL, 4.5 + t[i]), 1e-15);
    cj__clv_at_end(&at);
}
END_TEST

/* An allocator that grants only so many. */
static void *scarce(void *user, void *p, size_t old_bytes, size_t new_bytes)
{
    int *left = user;

    (void)old_bytes;
    if (new_bytes == 0) {
        free(p);
        return NULL;
    }
    return (*left)-- > 0 ? realloc(p, new_bytes) : NULL;
}

START_TEST(without_memory_there_is_no_answer)
{
    static double x[N_MANY], tx[N_MANY], t[N_MANY], out[N_MANY];
    const double theta[] = {0.25, 4.5, 0.8, 2.5};
    const cj__clv_rows rows = {x, tx, t, NULL, N_MANY};
    const cj__clv_rows none = {x, tx, t, NULL, 0};
    cj__clv_at at;
    cj__clv_ask ask = {&at, &rows, 0, 10, 0, 0.1, NULL};
    int32_t rc = CJ_ENOMEM;
    int left;

    many(x, tx, t);
    begin(&at, &cj__clv_bgnbd, theta);
    context.allocator.realloc = scarce;
    context.allocator.user = &left;
    for (int n = 0; rc != CJ_OK; n++) {
        ck_assert_int_lt(n, 1000);
        left = n;
        rc = cj__bg_expected(&ask, out);
        ck_assert(rc == CJ_OK || rc == CJ_ENOMEM);
    }
    ask.rows = &none;
    left = 0;
    ck_assert_int_eq(cj__bg_expected(&ask, out), CJ_OK);
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__clv_at_end(&at);
}
END_TEST

/* ---- anything -------------------------------------------------------------------- */

/* Parameters and histories beyond reason: numbers all the same, probabilities in [0,
 * 1], purchases never negative. */
START_TEST(nothing_is_ever_not_a_number)
{
    static double g[4][CJ__CLV_CHUNK], h[10][CJ__CLV_CHUNK];
    uint64_t state = 12;

    for (int64_t i = 0; i < 3000; i += harness_stride(50)) {
        drawn d;
        double ll, p[4];

        draw(&d, &state, i);
        for (int q = 0; q < 4; q++)
            d.theta[q] = clv_random_log(&state, 1e-8, 1e8);
        d.x = clv_random(&state) < 0.3 ? 0 : floor(clv_random_log(&state, 1, 1e5));
        d.t = clv_random(&state) < 0.1 ? 0 : clv_random_log(&state, 1e-6, 1e9);
        d.tx = d.x > 0 ? d.t * clv_random(&state) : 0;
        d.until = clv_random_log(&state, 1e-6, 1e9);
        cj__clv_at_turn(&d.at, d.theta);
        d.model->loglik(&d.at, &d.rows, &ll, g, h);
        ck_assert_msg(isfinite(ll), "ll %g", ll);
        for (int q = 0; q < 4; q++)
            ck_assert(isfinite(g[q][0]));
        for (int q = 0; q < 10; q++)
            ck_assert(isfinite(h[q][0]));
        {
            const double from = i % 2 ? 0 : d.until * clv_random(&state);
            const cj__clv_ask ask = {&d.at, &d.rows,     from, d.until,
                                     i % 7, 1 / d.until, NULL};

            p[0] = asked(cj__bg_p_alive, &ask);
            p[1] = asked(cj__bg_pmf, &ask);
            p[2] = asked(cj__bg_expected, &ask);
            p[3] = asked(cj__bg_dert, &ask);
            for (int q = 0; q < 4; q++)
                ck_assert_msg(p[q] >= 0 && isfinite(p[q]) && (q > 1 || p[q] <= 1.0001),
                              "answer %d is %g (case %d)", q, p[q], (int)i);
        }
        drawn_end(&d);
    }
}
END_TEST

/* ---- simulated customers --------------------------------------------------------- */

START_TEST(simulated_customers_do_what_was_expected)
{
    for (int m = 0; m < 2; m++) {
        const clv_story story = {
            models[m]->name, 1, {0.8, 6, 0.7, 2.5},
              40000, 20, 60, 30,
            99 + (unsigned)m
        };
        clv_cohort c;
        double wanted = 0, bought = 0, alive = 0, living = 0;
        static double out[40000];
        cj__clv_at at;

        clv_simulate(&story, &c);
        begin(&at, models[m], story.theta);
        {
            const cj__clv_rows rows = clv_cohort_rows(&c);
            const cj__clv_ask ask = {&at, &rows, 0, story.future, 0, 0, NULL};

            ck_assert_int_eq(cj__bg_expected(&ask, out), CJ_OK);
            for (int64_t i = 0; i < c.n; i++) {
                wanted += out[i];
                bought += c.later[i];
            }
            ck_assert_int_eq(cj__bg_p_alive(&ask, out), CJ_OK);
            for (int64_t i = 0; i < c.n; i++) {
                alive += out[i];
                living += c.alive[i];
            }
        }
        ck_assert_close(bought, wanted, 0.03); /* five standard errors */
        ck_assert_close(living, alive, 0.02);
        cj__clv_at_end(&at);
        clv_cohort_end(&c);
    }
}
END_TEST

HARNESS_MAIN("metrics_clv_bg", derivatives_are_those_of_the_value,
             the_table_ends_nowhere, the_unit_of_time_does_not_matter,
             without_dropout_nbd_remains, limits_are_said_in_words,
             p_alive_is_a_probability_that_rises_with_recency,
             expected_purchases_add_up, the_distribution_sums_to_one_and_has_the_mean,
             dert_is_the_discounted_sum_of_what_is_expected,
             without_a_discount_the_lifetime_counts, one_phase_is_a_purchase,
             somebody_new_is_a_customer_without_a_past,
             an_answer_does_not_depend_on_company,
             what_is_not_smooth_is_worked_out_row_by_row,
             without_memory_there_is_no_answer, nothing_is_ever_not_a_number,
             simulated_customers_do_what_was_expected)
