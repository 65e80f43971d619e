/* See clv_simulate.h.  Gamma by Marsaglia & Tsang 2000; dice by splitmix64. */
#include "clv_simulate.h"

#include "random_rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double clv_dice(uint64_t *state)
{
    random_rows r = {*state, NULL};
    const double u = ((double)(random_next(&r) >> 11) + 0.5) * 0x1p-53;

    *state = r.state;
    return u;
}

double clv_dice_spread(uint64_t *state, double low, double high)
{
    return low * pow(high / low, clv_dice(state));
}

double clv_dice_normal(uint64_t *state)
{
    const double size = sqrt(-2 * log(clv_dice(state)));

    return size * cos(6.28318530717958647693 * clv_dice(state));
}

double clv_dice_log_gamma(uint64_t *state, double shape)
{
    const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);

    if (shape < 1) { /* Gamma(shape + 1) U^(1 / shape) */
        const double u = clv_dice(state);

        return clv_dice_log_gamma(state, shape + 1) + log(u) / shape;
    }
    for (;;) {
        const double z = clv_dice_normal(state), v = pow(1 + c * z, 3);

        if (v > 0 && log(clv_dice(state)) < z * z / 2 + d * (1 - v + log(v)))
            return log(d * v);
    }
}

double clv_dice_beta(uint64_t *state, double a, double b)
{
    const double g = clv_dice_log_gamma(state, a);

    return 1 / (1 + exp(clv_dice_log_gamma(state, b) - g));
}

/* ---- one customer ---------------------------------------------------------------- */

typedef struct customer {
    double lambda, p, death; /* p after a purchase, death at a time */
    int modified;            /* may drop out after the first purchase */
} customer;

static customer customer_drawn(const clv_story *s, uint64_t *state)
{
    customer c = {exp(clv_dice_log_gamma(state, s->theta[0])) / s->theta[1], 0,
                  HUGE_VAL, s->model[0] == 'm'};

    if (strcmp(s->model, "paretonbd") == 0)
        c.death = -log(clv_dice(state)) * s->theta[3] /
                  exp(clv_dice_log_gamma(state, s->theta[2]));
    else if (strcmp(s->model, "nbd") != 0)
        c.p = clv_dice_beta(state, s->theta[2], s->theta[3]);
    return c;
}

static void customer_lives(const clv_story *s, const customer *c, uint64_t *state,
                           clv_cohort *out, int64_t i)
{
    const double t = out->t[i], end = t + s->future;
    double now = 0, alive = !(c->modified && clv_dice(state) < c->p);

    out->alive[i] = alive > 0 && c->death > t;
    while (alive > 0) {
        double gap = 0;

        for (int32_t phase = 0; phase < s->k; phase++)
            gap -= log(clv_dice(state)) / c->lambda;
        now += gap;
        if (now > end || now > c->death)
            return;
        alive = clv_dice(state) >= c->p;
        if (now > t) {
            out->later[i]++;
            continue;
        }
        out->x[i]++;
        out->tx[i] = now;
        out->litt[i] += log(gap);
        out->alive[i] = alive > 0 && c->death > t;
    }
}

/* Gamma-Gamma: each value is Gamma(p, nu), nu is Gamma(q, gamma). */
static void customer_spends(const clv_story *s, uint64_t *state, clv_cohort *out,
                            int64_t i)
{
    const double log_nu = clv_dice_log_gamma(state, s->theta[1]) - log(s->theta[2]);

    out->x[i] = 1;
    while (clv_dice(state) > 1. / 3)
        out->x[i]++;
    out->litt[i] =
        exp(clv_dice_log_gamma(state, s->theta[0] * out->x[i]) - log_nu) / out->x[i];
}

/* ---- cohorts --------------------------------------------------------------------- */

static double *cohort_column(int64_t n)
{
    double *column = calloc((size_t)n, sizeof *column);

    assert(column != NULL);
    return column;
}

void clv_simulate(const clv_story *story, clv_cohort *out)
{
    uint64_t state = story->seed;

    out->n = story->n;
    out->x = cohort_column(story->n);
    out->tx = cohort_column(story->n);
    out->t = cohort_column(story->n);
    out->litt = cohort_column(story->n);
    out->later = cohort_column(story->n);
    out->alive = cohort_column(story->n);
    for (int64_t i = 0; i < story->n; i++) {
        customer c;

        if (strcmp(story->model, "gammagamma") == 0) {
            customer_spends(story, &state, out, i);
            continue;
        }
        c = customer_drawn(story, &state);
        out->t[i] = story->t_min + (story->t_max - story->t_min) * clv_dice(&state);
        customer_lives(story, &c, &state, out, i);
    }
}

void clv_cohort_end(clv_cohort *cohort)
{
    free(cohort->x);
    free(cohort->tx);
    free(cohort->t);
    free(cohort->litt);
    free(cohort->later);
    free(cohort->alive);
    memset(cohort, 0, sizeof *cohort);
}

cj__clv_rows clv_cohort_rows(const clv_cohort *c)
{
    return (cj__clv_rows){c->x, c->tx, c->t, c->litt, c->n};
}

void clv_story_draw(clv_story *s, const char *model, int32_t k, double wide,
                    uint64_t *state)
{
    s->model = model;
    s->k = k;
    s->t_min = 20;
    s->t_max = clv_dice_spread(state, 25, 200);
    for (int p = 0; p < CJ__CLV_PARAMS; p++)
        s->theta[p] = clv_dice_spread(state, 1 / wide, wide);
    if (strcmp(model, "gammagamma") == 0) { /* spread of a customer, of all of them */
        s->theta[0] *= 3;
        s->theta[1] *= 3;
        return;
    }
    s->theta[1] *= s->t_max * s->theta[0] / k / 2;
    s->theta[3] *= strcmp(model, "paretonbd") == 0 ? s->t_max : 3;
}
