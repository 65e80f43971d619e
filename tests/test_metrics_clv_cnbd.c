/* BG/CNBD-k and MBG/CNBD-k: properties that hold whatever the formulas are, derivatives
 * against differences, and simulated customers.  Values: tests/test_clv_cnbd.py. */
#include "metrics/clv_cnbd.h"

#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static const cj__clv_model *const models[] = {&cj__clv_bgcnbd, &cj__clv_mbgcnbd};
static cj__ctx context;

static void begin(cj__clv_at *at, const cj__clv_model *model, int32_t k,
                  const double *theta)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__clv_at_begin(at, &context.allocator, model, k, 100), CJ_OK);
    cj__clv_at_turn(at, theta);
}

static double between(uint64_t *state, double low, double high) /* in logarithms */
{
    return low * exp(clv_dice(state) * log(high / low));
}

/* Parameters over four decades, and a customer who may have such a history. */
typedef struct case_drawn {
    const cj__clv_model *model;
    int32_t k;
    double theta[4], x, tx, t, z;
} case_drawn;

static case_drawn draw(uint64_t *state, int64_t i)
{
    case_drawn c = {
        models[i % 2], 1 + (int32_t)(clv_dice(state) * 12), {0}, 0, 0, 0, 0};

    c.theta[0] = between(state, 0.02, 30);
    c.theta[1] = between(state, 0.1, 100);
    c.theta[2] = between(state, 0.02, 50);
    c.theta[3] = between(state, 0.02, 50);
    c.x = clv_dice(state) < 0.3 ? 0 : floor(between(state, 1, 400));
    c.t = between(state, 0.1, 1000);
    c.tx = c.x > 0 ? c.t * clv_dice(state) : 0;
    c.z = c.x > 0 ? c.x * log(c.tx / c.x) - 1 : 0;
    return c;
}

static cj__clv_rows one_row(const case_drawn *c)
{
    return (cj__clv_rows){&c->x, &c->tx, &c->t, &c->z, 1};
}

static double ask_one(int32_t (*question)(const cj__clv_ask *, double *),
                      const cj__clv_ask *ask)
{
    double out = -1;

    ck_assert_int_eq(question(ask, &out), CJ_OK);
    return out;
}

static void expect_close(const char *what, double value, double wanted, double within)
{
    ck_assert_msg(fabs(value - wanted) <= within, "%s: %.15g instead of %.15g", what,
                  value, wanted);
}

/* ---- the likelihood -------------------------------------------------------------- */

static double ll[CJ__CLV_CHUNK], grad[4][CJ__CLV_CHUNK], hess[10][CJ__CLV_CHUNK];

static double loglik(const cj__clv_at *at, const case_drawn *c, int derivatives)
{
    const cj__clv_rows rows = one_row(c);

    at->model->loglik(at, &rows, ll, derivatives ? grad : NULL,
                      derivatives ? hess : NULL);
    return ll[0];
}

/* Five-point differences in ln theta[p]: of the value, and of the gradient. */
static void expect_derivatives(cj__clv_at *at, const case_drawn *c, int p)
{
    static const double factor[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
    static const double place[] = {-2, -1, 1, 2};
    const double h = 1e-3;
    double value = 0, slope[4] = {0}, g, row[4], size = 1;

    for (int i = 0; i < 4; i++) {
        double theta[4];

        memcpy(theta, c->theta, sizeof theta);
        theta[p] *= exp(place[i] * h);
        cj__clv_at_turn(at, theta);
        value += factor[i] * loglik(at, c, 1) / h;
        for (int q = 0; q < 4; q++)
            slope[q] += factor[i] * grad[q][0] / h;
        size = fmax(size, fabs(ll[0]));
    }
    cj__clv_at_turn(at, c->theta);
    loglik(at, c, 1);
    g = grad[p][0];
    expect_close("gradient", g, value, 1e-8 * size);
    for (int q = 0; q < 4; q++) {
        row[q] = p >= q ? hess[p * (p + 1) / 2 + q][0] : hess[q * (q + 1) / 2 + p][0];
        expect_close("Hessian", row[q], slope[q], 1e-8 * size);
    }
}

START_TEST(derivatives_are_those_of_the_value)
{
    uint64_t state = 1;

    for (int64_t i = 0; i < 2000; i += harness_stride(50)) {
        const case_drawn c = draw(&state, i);
        cj__clv_at at;
        double value;

        begin(&at, c.model, c.k, c.theta);
        value = loglik(&at, &c, 0);
        expect_close("with derivatives", loglik(&at, &c, 1), value,
                     1e-14 * fabs(value));
        for (int p = 0; p < 4; p++)
            expect_derivatives(&at, &c, p);
        cj__clv_at_end(&at);
    }
}
END_TEST

/* x beyond the table is worked out on the spot: the same. */
START_TEST(the_table_ends_nowhere)
{
    case_drawn c = {
        &cj__clv_mbgcnbd, 3, {0.7, 5, 0.8, 2.5},
          90, 30, 39, 7
    };
    cj__clv_at at, small;
    double g[4];

    begin(&at, c.model, c.k, c.theta);
    ck_assert_int_eq(cj__clv_at_begin(&small, &context.allocator, c.model, 3, 5),
                     CJ_OK);
    cj__clv_at_turn(&small, c.theta);
    expect_close("value", loglik(&at, &c, 1), loglik(&small, &c, 0), 1e-11);
    for (int p = 0; p < 4; p++)
        g[p] = grad[p][0];
    loglik(&small, &c, 1);
    for (int p = 0; p < 4; p++)
        expect_close("gradient", g[p], grad[p][0], 1e-12 * (1 + fabs(g[p])));
    cj__clv_at_end(&at);
    cj__clv_at_end(&small);
}
END_TEST

/* In another unit of time each of the x densities is divided by the factor. */
START_TEST(the_unit_of_time_does_not_matter)
{
    uint64_t state = 2;

    for (int64_t i = 0; i < 500; i += harness_stride(20)) {
        case_drawn c = draw(&state, i);
        cj__clv_at at;
        double before;

        begin(&at, c.model, c.k, c.theta);
        before = loglik(&at, &c, 0);
        c.theta[1] *= 7;
        c.tx *= 7;
        c.t *= 7;
        c.z += c.x * log(7);
        cj__clv_at_turn(&at, c.theta);
        expect_close("in days", loglik(&at, &c, 0), before - c.x * log(7),
                     1e-12 * (1 + fabs(before) + c.x * c.k * 10));
        cj__clv_at_end(&at);
    }
}
END_TEST

/* Every history of two purchases, integrated over their times, and those of none and
 * one and more: probabilities sum to one.  (Simpson in both times; k = 2.) */
START_TEST(the_density_of_histories_is_the_pmf)
{
    static const double theta[] = {1.3, 2, 0.9, 1.7}, t = 3;
    const int steps = 200;

    for (size_t m = 0; m < 2; m++) {
        cj__clv_at at;
        double sum = 0;

        begin(&at, models[m], 2, theta);
        for (int i = 1; i < steps; i++) { /* tx, and the first purchase within it */
            const double tx = t * i / steps;
            double inner = 0;

            for (int j = 1; j < steps; j++) {
                const double first = tx * j / steps;
                const case_drawn c = {
                    models[m], 2, {0}, 2, tx, t, log(first) + log(tx - first)};

                inner += (j % 2 ? 4.0 : 2.0) * exp(loglik(&at, &c, 0)) * tx / steps / 3;
            }
            sum += (i % 2 ? 4.0 : 2.0) * inner * t / steps / 3;
        }
        { /* the end of Simpson's rule: tx = t */
            double inner = 0;

            for (int j = 1; j < steps; j++) {
                const double first = t * j / steps;
                const case_drawn c = {
                    models[m], 2, {0}, 2, t, t, log(first) + log(t - first)};

                inner += (j % 2 ? 4.0 : 2.0) * exp(loglik(&at, &c, 0)) * t / steps / 3;
            }
            sum += inner * t / steps / 3;
        }
        expect_close("P(X = 2)", sum, at.model->pmf_new(&at, 0, t, 2), 1e-8);
        cj__clv_at_end(&at);
    }
}
END_TEST

/* ---- customers ------------------------------------------------------------------- */

START_TEST(p_alive_is_a_probability_that_rises_with_recency)
{
    uint64_t state = 3;

    for (int64_t i = 0; i < 2000; i += harness_stride(20)) {
        case_drawn c = draw(&state, i);
        const cj__clv_rows rows = one_row(&c);
        cj__clv_at at;
        const cj__clv_ask ask = {&at, &rows, 0, 1, 0, 0, NULL};
        double last = 0;

        begin(&at, c.model, c.k, c.theta);
        for (int step = 0; step <= 20; step++) {
            double p;

            c.tx = c.x > 0 ? c.t * step / 20 : 0;
            p = ask_one(at.model->p_alive, &ask);
            ck_assert_msg(p >= 0 && p <= 1, "%g", p);
            ck_assert_msg(p >= last * (1 - 1e-12), "%g after %g", p, last);
            last = p;
        }
        if (c.x == 0 && c.model == &cj__clv_bgcnbd)
            ck_assert_double_eq(last, 1);
        cj__clv_at_end(&at);
    }
}
END_TEST

START_TEST(expected_purchases_add_up_and_grow)
{
    uint64_t state = 4;

    for (int64_t i = 0; i < 200; i += harness_stride(20)) {
        const case_drawn c = draw(&state, i);
        const cj__clv_rows rows = one_row(&c);
        cj__clv_at at;
        cj__clv_ask ask = {&at, &rows, 0, 0, 0, 0, NULL};
        double all, sum = 0, some = 0;

        begin(&at, c.model, c.k, c.theta);
        ask.until = c.t;
        all = ask_one(at.model->expected, &ask);
        for (int part = 0; part < 4; part++) {
            ask.from = c.t * part / 4;
            ask.until = c.t * (part + 1) / 4;
            some = ask_one(at.model->expected, &ask);
            ck_assert_msg(some >= 0 && isfinite(some), "%g", some);
            sum += some;
        }
        expect_close("sum of quarters", sum, all, 1e-11 * all);
        ask.from = ask.until;
        ck_assert_double_eq(ask_one(at.model->expected, &ask), 0);
        cj__clv_at_end(&at);
    }
}
END_TEST

/* sum P(n) = 1, sum n P(n) = E[X], in intervals that begin later, too. */
START_TEST(the_distribution_sums_to_one_and_has_the_mean)
{
    static const double theta[] = {2.5, 4, 1.2, 2.6};

    for (int32_t k = 1; k <= 5; k++) {
        for (int i = 0; i < 8; i += harness_stride(3)) {
            const case_drawn c = {models[i % 2],     k, {0}, i / 2 * 2.0,
                                  i / 2 ? 5.0 : 0.0, 7, 0};
            const cj__clv_rows rows = one_row(&c);
            cj__clv_at at;
            cj__clv_ask ask = {&at, &rows, 0, 6, 0, 0, NULL};
            double sum, mean;

            begin(&at, c.model, k, theta);
            for (ask.from = 0; ask.from < 6; ask.from += 2.5) {
                sum = mean = 0;
                for (ask.n_purchases = 0; ask.n_purchases < 200; ask.n_purchases++) {
                    const double p = ask_one(at.model->pmf, &ask);

                    ck_assert(p >= 0 && p <= 1);
                    sum += p;
                    mean += p * (double)ask.n_purchases;
                }
                expect_close("all", sum, 1, 1e-9);
                expect_close("mean", mean, ask_one(at.model->expected, &ask), 1e-7);
            }
            cj__clv_at_end(&at);
        }
    }
}
END_TEST

/* DERT is the sum over small intervals of discounted expected purchases; it falls with
 * the rate, and without one it is E[1/p], finite for a > 1 only. */
START_TEST(dert_is_the_discounted_sum_of_what_is_expected)
{
    static const double theta[] = {1.5, 4, 1.8, 2.6}, delta = 0.05;

    for (int i = 0; i < 12; i += 3 * harness_stride(1)) {
        const case_drawn c = {models[i % 2],     1 + i / 4, {0}, i / 2 % 2 * 3.0,
                              i / 2 % 2 ? 5 : 0, 7,         0};
        const cj__clv_rows rows = one_row(&c);
        cj__clv_at at;
        cj__clv_ask ask = {&at, &rows, 0, 0, 0, delta, NULL};
        double sum = 0, without;
        const double h = 0.5;

        begin(&at, c.model, c.k, theta);
        for (double t = 0; t < 400; t += h) { /* delta E e^-delta t dt, Simpson */
            double e[3];

            for (int s = 0; s < 3; s++) {
                ask.until = t + s * h / 2;
                e[s] = ask_one(at.model->expected, &ask) * exp(-delta * ask.until);
            }
            sum += delta * h * (e[0] + 4 * e[1] + e[2]) / 6;
        }
        expect_close("dert", ask_one(at.model->dert, &ask), sum, 1e-5 * sum);
        ask.delta = 0;
        without = ask_one(at.model->dert, &ask);
        ask.delta = 1e-9;
        ck_assert_double_lt(sum, without);
        expect_close("nearly undiscounted", ask_one(at.model->dert, &ask), without,
                     1e-3 * without);
        cj__clv_at_end(&at);
    }
}
END_TEST

START_TEST(nothing_is_ever_not_a_number)
{
    uint64_t state = 5;

    for (int64_t i = 0; i < 1000; i += harness_stride(50)) {
        const case_drawn c = draw(&state, i);
        const cj__clv_rows rows = one_row(&c);
        cj__clv_at at;
        const cj__clv_ask ask = {&at,
                                 &rows,
                                 i % 3 ? 0 : between(&state, 1e-3, 10),
                                 between(&state, 11, 1e6),
                                 (int64_t)between(&state, 0.5, 50),
                                 between(&state, 1e-6, 10),
                                 NULL};
        double e, d, p;

        begin(&at, c.model, c.k, c.theta);
        e = ask_one(at.model->expected, &ask);
        d = ask_one(at.model->dert, &ask);
        p = i % 3 ? ask_one(at.model->pmf, &ask) : 0;
        ck_assert_msg(isfinite(loglik(&at, &c, 1)) && isfinite(e) && e >= 0, "%g", e);
        ck_assert_msg(isfinite(d) && d >= 0, "dert %g", d);
        ck_assert_msg(p >= -1e-15 && p <= 1 + 1e-12, "pmf %g", p);
        for (int q = 0; q < 10; q++)
            ck_assert(isfinite(hess[q][0]) && isfinite(grad[q % 4][0]));
        cj__clv_at_end(&at);
    }
}
END_TEST

/* Horizons at which the sum over phases gives way to the closed form: no step. */
START_TEST(long_horizons_join_smoothly)
{
    for (int32_t k = 1; k <= 4; k++) {
        static const double theta[] = {0.4, 0.01, 0.8, 2.4};
        const case_drawn c = {&cj__clv_mbgcnbd, k, {0}, 0, 0, 0.02, 0};
        const cj__clv_rows rows = one_row(&c);
        cj__clv_at at;
        cj__clv_ask ask = {&at, &rows, 0, 5, 0, 0, NULL};
        double before = 0, ratio = 0;

        begin(&at, c.model, k, theta);
        for (int step = 0; step < 60; step++) { /* 20000 phases are within */
            double e, now;

            ask.until *= 1.05;
            e = ask_one(at.model->expected, &ask);
            now = e / before;
            if (step > 1)
                expect_close("growth", now, ratio, 1e-3);
            if (step > 1)
                ck_assert_double_gt(e, before);
            before = e;
            ratio = now;
        }
        cj__clv_at_end(&at);
    }
}
END_TEST

/* ---- many customers -------------------------------------------------------------- */

/* To the last bit, so that threads and chunks do not matter. */
START_TEST(many_customers_get_what_each_would_alone)
{
    for (int32_t k = 1; k <= 12; k += k > 2 ? 9 : 1) {
        const clv_story story = {
            "mbgcnbd", k, {0.6, 4.4 / k, 0.8, 2.4},
              4000, 5, 39, 0, 17
        };
        clv_cohort c;
        cj__clv_at at;
        double *out, one;
        int32_t (*questions[2])(const cj__clv_ask *, double *) = {cj__cnbd_expected,
                                                                  cj__cnbd_dert};

        clv_simulate(&story, &c);
        out = malloc((size_t)c.n * sizeof *out);
        begin(&at, &cj__clv_mbgcnbd, k, story.theta);
        for (int q = 0; q < 2; q++) {
            const cj__clv_rows rows = clv_cohort_rows(&c);
            const cj__clv_ask ask = {&at, &rows, 2.0 * k, 26, 0, 0.0027, NULL};

            ck_assert_int_eq(questions[q](&ask, out), CJ_OK);
            for (int64_t i = 0; i < c.n; i += 7 * harness_stride(30)) {
                const cj__clv_rows row = {c.x + i, c.tx + i, c.t + i, NULL, 1};
                const cj__clv_ask alone = {&at, &row, 2.0 * k, 26, 0, 0.0027, NULL};

                one = ask_one(questions[q], &alone);
                ck_assert_double_eq(out[i], one);
            }
        }
        free(out);
        cj__clv_at_end(&at);
        clv_cohort_end(&c);
    }
}
END_TEST

/* What happened to simulated customers, against what was said about them at T. */
static void expect_cohort(const clv_story *story, const cj__clv_model *model)
{
    clv_cohort c;
    cj__clv_at at;
    double *alive, *expected, *zero, wanted[3] = {0}, got[3] = {0}, spread[3] = {0};

    clv_simulate(story, &c);
    c.n /= harness_stride(20);
    begin(&at, model, story->k, story->theta);
    alive = calloc((size_t)c.n * 3, sizeof *alive);
    expected = alive + c.n;
    zero = expected + c.n;
    {
        const cj__clv_rows rows = clv_cohort_rows(&c);
        const cj__clv_ask ask = {&at, &rows, 0, story->future, 0, 0, NULL};

        ck_assert_int_eq(model->p_alive(&ask, alive), CJ_OK);
        ck_assert_int_eq(model->expected(&ask, expected), CJ_OK);
        ck_assert_int_eq(model->pmf(&ask, zero), CJ_OK);
    }
    for (int64_t i = 0; i < c.n; i++) {
        const double said[] = {alive[i], expected[i], zero[i]};
        const double was[] = {c.alive[i], c.later[i], c.later[i] == 0};

        for (int q = 0; q < 3; q++) {
            wanted[q] += said[q];
            got[q] += was[q];
            spread[q] += (was[q] - said[q]) * (was[q] - said[q]);
        }
    }
    expect_close("alive", got[0], wanted[0], 4 * sqrt(spread[0]) + 1e-6);
    expect_close("purchases", got[1], wanted[1], 4 * sqrt(spread[1]));
    expect_close("none", got[2], wanted[2], 4 * sqrt(spread[2]));
    free(alive);
    cj__clv_at_end(&at);
    clv_cohort_end(&c);
}

START_TEST(simulated_customers_do_what_was_expected)
{
    for (int32_t k = 1; k <= 4; k++) {
        const clv_story bg = {
            "bgcnbd", k,  {0.9, 5.0 / k, 0.8, 2.4},
               40000, 20,
            39,       26, 40u + (uint64_t)k
        };
        const clv_story mbg = {
            "mbgcnbd", k,  {0.9, 5.0 / k, 0.8, 2.4},
               40000, 20,
            39,        26, 50u + (uint64_t)k
        };

        expect_cohort(&bg, &cj__clv_bgcnbd);
        expect_cohort(&mbg, &cj__clv_mbgcnbd);
    }
}
END_TEST

/* New customers: counts in (0, t] and in (from, t] of a simulated cohort. */
START_TEST(new_customers_buy_as_simulated)
{
    const clv_story story = {
        "mbgcnbd", 3, {0.85, 1.45, 0.79, 2.42},
          100000, 12, 12, 20, 9
    };
    clv_cohort c;
    cj__clv_at at;
    double mean = 0, spread = 0, seen[5] = {0}, seen_later[5] = {0};
    const double n = 100000;

    clv_simulate(&story, &c);
    begin(&at, &cj__clv_mbgcnbd, 3, story.theta);
    for (int64_t i = 0; i < c.n; i++) {
        mean += c.x[i] / n;
        spread += c.x[i] * c.x[i] / n;
        if (c.x[i] < 5)
            seen[(int)c.x[i]] += 1 / n;
        if (c.later[i] < 5)
            seen_later[(int)c.later[i]] += 1 / n;
    }
    expect_close("E[X(12)]", at.model->expected_new(&at, 12), mean,
                 4 * sqrt(spread / n));
    for (int i = 0; i < 5; i++) {
        expect_close("P(X(12) = n)", at.model->pmf_new(&at, 0, 12, i), seen[i],
                     4 * sqrt(seen[i] / n));
        expect_close("P(X(12, 32) = n)", at.model->pmf_new(&at, 12, 32, i),
                     seen_later[i], 4 * sqrt(seen_later[i] / n));
    }
    cj__clv_at_end(&at);
    clv_cohort_end(&c);
}
END_TEST

/* With litt the likelihood tells the k of a simulated cohort, at its true parameters.
 */
START_TEST(litt_tells_the_regularity)
{
    for (int32_t truth = 1; truth <= 3; truth++) {
        const clv_story story = {
            "mbgcnbd", truth, {1.2, 3.0 / truth, 0.8, 2.4},
              1500, 39, 39, 0, 77
        };
        clv_cohort c;
        double most = -HUGE_VAL;
        int32_t best = 0;

        clv_simulate(&story, &c);
        for (int32_t k = 1; k <= 5; k++) {
            const double theta[] = {1.2, 3.0 / k, 0.8, 2.4};
            cj__clv_at at;
            double sum = 0;

            begin(&at, &cj__clv_mbgcnbd, k, theta);
            for (int64_t i = 0; i < c.n; i++) {
                const cj__clv_rows row = {c.x + i, c.tx + i, c.t + i, c.litt + i, 1};

                at.model->loglik(&at, &row, ll, NULL, NULL);
                sum += ll[0];
            }
            cj__clv_at_end(&at);
            if (sum > most) {
                most = sum;
                best = k;
            }
        }
        ck_assert_int_eq(best, truth);
        clv_cohort_end(&c);
    }
}
END_TEST

HARNESS_MAIN("metrics_clv_cnbd", derivatives_are_those_of_the_value,
             the_table_ends_nowhere, the_unit_of_time_does_not_matter,
             the_density_of_histories_is_the_pmf,
             p_alive_is_a_probability_that_rises_with_recency,
             expected_purchases_add_up_and_grow,
             the_distribution_sums_to_one_and_has_the_mean,
             dert_is_the_discounted_sum_of_what_is_expected,
             nothing_is_ever_not_a_number, long_horizons_join_smoothly,
             many_customers_get_what_each_would_alone,
             simulated_customers_do_what_was_expected, new_customers_buy_as_simulated,
             litt_tells_the_regularity)
