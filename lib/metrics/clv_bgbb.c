/* BG/BB: who may buy at most once at each of n opportunities (Fader, Hardie & Shang
 * 2010).  Alive, a customer buys with a chance from Beta(alpha, beta); before each
 * opportunity he leaves for good with a chance from Beta(gamma, delta).  The likelihood
 * (equation 5) is a sum over the opportunity after which he left,
 *
 *   sum over i in 0 .. n - tx - 1 of B(alpha + x, beta + tx - x + i) / B(alpha, beta)
 *                                  * B(gamma + 1, delta + tx + i) / B(gamma, delta)
 *
 * and the term of having stayed.  Terms fall with i, so each is kept relative to the
 * first, whether that occurs (tx < n) or not. */
#include "base/gamma_step.h"
#include "metrics/clv_survival.h"

#include <math.h>
#include <string.h>

enum { BB_ALPHA, BB_BETA, BB_GAMMA, BB_DELTA };

/* x, tx and t of a customer, as opportunities with a purchase, without, and after. */
typedef struct bb_row {
    double x, missed, tx, n;
} bb_row;

static bb_row bb_row_of(const cj__clv_rows *rows, int64_t i)
{
    const double n = floor(rows->t[i]), tx = fmin(floor(rows->tx[i]), n);

    return (bb_row){rows->x[i], fmax(0, tx - rows->x[i]), tx, n};
}

/* The i-th term over the one before it. */
static double bb_fall(const double *theta, const bb_row *row, double i)
{
    const double buying = theta[BB_ALPHA] + theta[BB_BETA];
    const double leaving = theta[BB_GAMMA] + theta[BB_DELTA];

    return (theta[BB_BETA] + row->missed + i - 1) / (buying + row->tx + i - 1) *
           ((theta[BB_DELTA] + row->tx + i - 1) / (leaving + row->tx + i));
}

/* The term of having stayed over that of leaving after n, which the sum leaves out. */
static double bb_stayed(const double *theta, const bb_row *row)
{
    return (theta[BB_GAMMA] + theta[BB_DELTA] + row->n) / theta[BB_GAMMA];
}

/* The logarithm of the first term. */
static double bb_first(const double *theta, const bb_row *row)
{
    const double alpha = theta[BB_ALPHA], beta = theta[BB_BETA];
    const double gamma = theta[BB_GAMMA], delta = theta[BB_DELTA];

    /* B(alpha + x, beta + m) / B(alpha, beta): x purchases, then m misses */
    return cj__gamma_cross(alpha, beta, row->x).lgamma +
           cj__gamma_cross(beta, alpha + row->x, row->missed).lgamma +
           cj__clv_log_survival(gamma, delta, row->tx) -
           log1p((delta + row->tx) / gamma);
}

/* Both parts of the sum, over its first term. */
typedef struct bb_sum {
    double left, stayed;
} bb_sum;

static bb_sum bb_sum_of(const double *theta, const bb_row *row)
{
    const double last = row->n - row->tx;
    bb_sum s = {0, 0};
    double term = 1;

    for (double i = 1; i <= last; i++) {
        s.left += term;
        term *= bb_fall(theta, row, i);
    }
    s.stayed = term * bb_stayed(theta, row);
    return s;
}

/* ---- derivatives -------------------------------------------------------------------
 */

/* One term's logarithm, differentiated by the parameters; buying and leaving do not
 * mix. */
typedef struct bb_slope {
    double g[4];
    double h[CJ__CLV_PAIRS];
} bb_slope;

/* The parts of a term: sums of 1/(parameter + j), and of their squares. */
typedef struct bb_parts {
    cj__gamma3 x, missed, buying, stayed, leaving;
} bb_parts;

static void bb_grow(cj__gamma3 *sum, double at)
{
    sum->digamma += 1 / at;
    sum->trigamma -= 1 / (at * at);
}

static bb_slope bb_slope_of(const double *theta, const bb_parts *p, int left)
{
    const double alpha = theta[BB_ALPHA], beta = theta[BB_BETA];
    const double gamma = theta[BB_GAMMA], delta = theta[BB_DELTA];
    bb_slope s = {{0}, {0}};

    s.g[BB_ALPHA] = alpha * (p->x.digamma - p->buying.digamma);
    s.g[BB_BETA] = beta * (p->missed.digamma - p->buying.digamma);
    s.g[BB_GAMMA] = left - gamma * p->leaving.digamma;
    s.g[BB_DELTA] = delta * (p->stayed.digamma - p->leaving.digamma);
    s.h[0] = s.g[BB_ALPHA] + alpha * alpha * (p->x.trigamma - p->buying.trigamma);
    s.h[1] = -alpha * beta * p->buying.trigamma;
    s.h[2] = s.g[BB_BETA] + beta * beta * (p->missed.trigamma - p->buying.trigamma);
    s.h[5] = -gamma * p->leaving.digamma - gamma * gamma * p->leaving.trigamma;
    s.h[8] = -gamma * delta * p->leaving.trigamma;
    s.h[9] = s.g[BB_DELTA] + delta * delta * (p->stayed.trigamma - p->leaving.trigamma);
    return s;
}

/* sum += weight * (what the second derivative of a sum of exponentials needs) */
static void bb_add(bb_slope *sum, double weight, const bb_slope *term)
{
    for (int p = 0, pair = 0; p < 4; p++) {
        sum->g[p] += weight * term->g[p];
        for (int q = 0; q <= p; q++, pair++)
            sum->h[pair] += weight * (term->h[pair] + term->g[p] * term->g[q]);
    }
}

static bb_slope bb_slopes(const double *theta, const bb_row *row, bb_sum *sum)
{
    const double buying = theta[BB_ALPHA] + theta[BB_BETA];
    const double leaving = theta[BB_GAMMA] + theta[BB_DELTA];
    const double last = row->n - row->tx;
    bb_parts p = {
        cj__gamma_step(theta[BB_ALPHA], row->x),
        cj__gamma_step(theta[BB_BETA], row->missed), cj__gamma_step(buying, row->tx),
        cj__gamma_step(theta[BB_DELTA], row->tx), cj__gamma_step(leaving, row->tx)};
    bb_slope total = {{0}, {0}}, term;
    double weight = 1, all;

    sum->left = 0;
    for (double i = 0; i < last; i++) {
        bb_grow(&p.leaving, leaving + row->tx + i);
        term = bb_slope_of(theta, &p, 1);
        bb_add(&total, weight, &term);
        sum->left += weight;
        weight *= bb_fall(theta, row, i + 1);
        bb_grow(&p.missed, theta[BB_BETA] + row->missed + i);
        bb_grow(&p.buying, buying + row->tx + i);
        bb_grow(&p.stayed, theta[BB_DELTA] + row->tx + i);
    }
    sum->stayed = weight * bb_stayed(theta, row);
    term = bb_slope_of(theta, &p, 0);
    bb_add(&total, sum->stayed, &term);
    all = sum->left + sum->stayed;
    for (int q = 0; q < 4; q++)
        total.g[q] /= all;
    for (int q = 0, pair = 0; q < 4; q++) {
        for (int r = 0; r <= q; r++, pair++)
            total.h[pair] = total.h[pair] / all - total.g[q] * total.g[r];
    }
    return total;
}

static void bb_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                      double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK])
{
    for (int64_t i = 0; i < rows->n; i++) {
        const bb_row row = bb_row_of(rows, i);
        bb_sum sum;

        if (grad != NULL) {
            const bb_slope slope = bb_slopes(at->theta, &row, &sum);

            for (int p = 0; p < 4; p++)
                grad[p][i] = slope.g[p];
            for (int pair = 0; pair < CJ__CLV_PAIRS; pair++)
                hess[pair][i] = slope.h[pair];
        } else {
            sum = bb_sum_of(at->theta, &row);
        }
        ll[i] = bb_first(at->theta, &row) + log(sum.left + sum.stayed);
    }
}

/* ---- questions ---------------------------------------------------------------------
 */

/* P(still a customer at n, after the opportunity), equation 11 without its next step.
 */
static double bb_alive(const cj__clv_ask *ask, int64_t i)
{
    const bb_row row = bb_row_of(ask->rows, i);
    const bb_sum sum = bb_sum_of(ask->at->theta, &row);

    return sum.stayed / (sum.left + sum.stayed);
}

/* The mean chance to buy of somebody alive. */
static double bb_buys(const cj__clv_ask *ask, int64_t i)
{
    const double *theta = ask->at->theta;

    return (theta[BB_ALPHA] + ask->rows->x[i]) /
           (theta[BB_ALPHA] + theta[BB_BETA] + floor(ask->rows->t[i]));
}

/* At the next opportunity, n + 1: table 6. */
static int32_t bb_p_alive(const cj__clv_ask *ask, double *out)
{
    const double *theta = ask->at->theta;

    for (int64_t i = 0; i < ask->rows->n; i++) {
        const double delta = theta[BB_DELTA] + floor(ask->rows->t[i]);

        out[i] = bb_alive(ask, i) * (delta / (theta[BB_GAMMA] + delta));
    }
    return CJ_OK;
}

/* Opportunities in (from, until] that somebody alive at n lives to see. */
static double bb_lives(const cj__clv_ask *ask, double t)
{
    const double gamma = ask->at->theta[BB_GAMMA];
    const double delta = ask->at->theta[BB_DELTA] + floor(t);
    const double from = fmax(0, floor(ask->from));

    return exp(cj__clv_log_survival(gamma, delta, from)) *
           cj__clv_lives(gamma, delta + from, cj__clv_periods(ask));
}

static double bb_lives_discounted(const cj__clv_ask *ask, double t)
{
    return cj__clv_lives_discounted(ask->at->theta[BB_GAMMA],
                                    ask->at->theta[BB_DELTA] + floor(t), ask->delta);
}

static int32_t bb_purchases(const cj__clv_ask *ask,
                            double (*lives)(const cj__clv_ask *, double), double *out)
{
    const int32_t rc = cj__clv_each_t(ask, lives, out);

    for (int64_t i = 0; rc == CJ_OK && i < ask->rows->n; i++)
        out[i] *= bb_alive(ask, i) * bb_buys(ask, i);
    return rc;
}

/* Equation 13. */
static int32_t bb_expected(const cj__clv_ask *ask, double *out)
{
    return bb_purchases(ask, bb_lives, out);
}

/* Equation 14, 1 + d = e^delta: a purchase at n + s counts e^(-delta s). */
static int32_t bb_dert(const cj__clv_ask *ask, double *out)
{
    return bb_purchases(ask, bb_lives_discounted, out);
}

/* P(x purchases at m opportunities) of somebody alive before them, equation 8: the sum
 * over the opportunity i after which he left, and his having stayed. */
static double bb_pmf_alive(const double *theta, double m, double x)
{
    const double buying = theta[BB_ALPHA] + theta[BB_BETA];
    const double leaving = theta[BB_GAMMA] + theta[BB_DELTA];
    double log_scale, term = 1, sum = 0;

    if (x < 0 || x > m)
        return 0;
    log_scale = cj__gamma_cross(theta[BB_ALPHA], theta[BB_BETA], x).lgamma +
                cj__clv_log_survival(theta[BB_GAMMA], theta[BB_DELTA], x) -
                log1p((theta[BB_DELTA] + x) / theta[BB_GAMMA]);
    for (double i = x; i < m; i++) {
        sum += term;
        term *= (i + 1) / (i + 1 - x) *
                ((theta[BB_BETA] + i - x) / (buying + i) *
                 ((theta[BB_DELTA] + i) / (leaving + i + 1)));
        if (term > 1e100) { /* many ways to buy x times */
            log_scale += log(term);
            sum /= term;
            term = 1;
        }
    }
    sum += term * ((leaving + m) / theta[BB_GAMMA]);
    return exp(log_scale + log(sum));
}

/* The same in (from, until] of somebody alive at the beginning with probability p; what
 * does not happen is added up, not subtracted from 1. */
static double bb_pmf_of(const double *theta, const cj__clv_ask *ask, double p,
                        double not_p)
{
    const double from = fmax(0, floor(ask->from));
    const double log_s = cj__clv_log_survival(theta[BB_GAMMA], theta[BB_DELTA], from);
    double then[CJ__CLV_PARAMS], alive;

    memcpy(then, theta, sizeof then);
    then[BB_DELTA] += from;
    alive = bb_pmf_alive(then, cj__clv_periods(ask), (double)ask->n_purchases);
    return p * exp(log_s) * alive +
           (ask->n_purchases == 0 ? not_p - p * expm1(log_s) : 0);
}

static int32_t bb_pmf(const cj__clv_ask *ask, double *out)
{
    for (int64_t i = 0; i < ask->rows->n; i++) {
        const double *theta = ask->at->theta;
        const bb_row row = bb_row_of(ask->rows, i);
        const bb_sum sum = bb_sum_of(theta, &row);
        const double all = sum.left + sum.stayed;
        /* what a customer alive at n has become */
        const double then[CJ__CLV_PARAMS] = {theta[BB_ALPHA] + row.x,
                                             theta[BB_BETA] + row.n - row.x,
                                             theta[BB_GAMMA], theta[BB_DELTA] + row.n};

        out[i] = bb_pmf_of(then, ask, sum.stayed / all, sum.left / all);
    }
    return CJ_OK;
}

static double bb_expected_new(const cj__clv_at *at, double t)
{
    const double *theta = at->theta;

    return theta[BB_ALPHA] / (theta[BB_ALPHA] + theta[BB_BETA]) *
           cj__clv_lives(theta[BB_GAMMA], theta[BB_DELTA], floor(t));
}

static double bb_pmf_new(const cj__clv_at *at, double from, double until, int64_t n)
{
    const cj__clv_ask ask = {.at = at, .from = from, .until = until, .n_purchases = n};

    return bb_pmf_of(at->theta, &ask, 1, 0);
}

/* ---- the model ---------------------------------------------------------------------
 */

/* Half of the missed opportunities are of those who left. */
static void bb_start(const cj__clv_means *means, double *theta)
{
    const double buys =
        means->t > 0 ? fmin(fmax(1.5 * means->x / means->t, 0.05), 0.9) : 0.5;

    theta[BB_ALPHA] = 2 * buys;
    theta[BB_BETA] = 2 * (1 - buys);
    theta[BB_GAMMA] = 0.5;
    theta[BB_DELTA] = 0.5 + 0.5 * fmax(means->t, 1);
}

static const cj__clv_limit bb_limits[] = {
    {BB_GAMMA, -1, "dropout_not_identified",
     "gamma -> 0: nobody is seen to leave; the limit is the beta-binomial model"},
    {BB_GAMMA, 1,  "dropout_alike",
     "gamma, delta -> infinity: all customers leave with one chance"            },
    {BB_DELTA, 1,  "dropout_not_identified",
     "delta -> infinity: nobody is seen to leave; the limit is beta-binomial"   },
    {BB_DELTA, -1, "dropout_at_once",
     "delta -> 0: customers leave before the first opportunity or never"        },
    {BB_ALPHA, 1,  "buyers_alike",
     "alpha, beta -> infinity: all who are there buy with one chance"           },
    {BB_BETA,  1,  "buyers_alike",
     "alpha, beta -> infinity: all who are there buy with one chance"           },
    {BB_ALPHA, -1, "too_few_buyers",
     "alpha -> 0: hardly anybody buys; take longer periods or more customers"   },
    {BB_BETA,  -1, "all_heavy_users",
     "beta -> 0: who is there buys at every opportunity; use a contract model"  },
    {0,        0,  NULL,                     NULL                               }
};

const cj__clv_model cj__clv_bgbb = {
    .name = "bgbb",
    .title = "BG/BB",
    .source = "Fader, Hardie & Shang 2010, equations 5 to 14",
    .when = "at most one purchase per period, or only whether there was one: yearly "
            "donations, events, bookings of a season",
    .family = CJ__CLV_DISCRETE,
    .n_params = 4,
    .params = {"alpha", "beta", "gamma", "delta"},
    .limits = bb_limits,
    .start = bb_start,
    .loglik = bb_loglik,
    .p_alive = bb_p_alive,
    .expected = bb_expected,
    .pmf = bb_pmf,
    .dert = bb_dert,
    .expected_new = bb_expected_new,
    .pmf_new = bb_pmf_new,
};
