/* Gamma-Gamma: what customers spend per purchase (Fader, Hardie & Lee 2005, "RFM and
 * CLV"; Fader & Hardie 2013, "The Gamma-Gamma model of monetary value", equations 1a
 * and 5).  A purchase of one customer is worth Gamma(p, nu), nu over customers is
 * Gamma(q, v), so that x z / (v + x z) is Beta(p x, q): with A = p x,
 *
 *   ln f(z | x) = -ln B(A, q) - A ln(1 + v / (x z)) - q ln(1 + x z / v) - ln z
 *
 * which holds its digits where p, q or v run away.  Rows with x = 0 or z <= 0 say
 * nothing about spend: their likelihood is 1. */
#include "metrics/clv_gammagamma.h"

#include "base/gamma_step.h"
#include "base/special.h"

#include <math.h>

enum { GG_P, GG_Q, GG_V };

/* -ln B(A, q) and its derivatives: what depends on x and the parameters alone. */
typedef struct gg_beta {
    double log, a, q, aa, qq, aq;
} gg_beta;

#define GG_TABLE ((int32_t)(sizeof(gg_beta) / sizeof(double)))

static gg_beta gg_beta_of(const double *theta, double x)
{
    const double a = theta[GG_P] * x, q = theta[GG_Q];
    const cj__gamma3 from_a = cj__gamma_step(a, q), from_q = cj__gamma_step(q, a);
    gg_beta b;

    b.log = a > q ? from_a.lgamma - cj__lgamma(q) : from_q.lgamma - cj__lgamma(a);
    b.a = from_a.digamma;
    b.q = from_q.digamma;
    b.aa = from_a.trigamma;
    b.qq = from_q.trigamma;
    b.aq = cj__trigamma(a + q);
    return b;
}

static void gg_prepare(cj__clv_at *at)
{
    gg_beta *table = (gg_beta *)(void *)at->table;

    for (int64_t x = 1; x <= at->max_x; x++)
        table[x] = gg_beta_of(at->theta, (double)x);
}

static gg_beta gg_beta_at(const cj__clv_at *at, double x)
{
    const gg_beta *table = (const gg_beta *)(const void *)at->table;

    if (table != NULL && x <= (double)at->max_x && x == floor(x))
        return table[(int64_t)x];
    return gg_beta_of(at->theta, x);
}

static int gg_counts(double x, double z)
{
    return x > 0 && z > 0 && isfinite(z);
}

/* One row's first and second derivatives in ln p, ln q, ln v; rest = v / (v + x z). */
static void gg_derivatives(const double *theta, double x, const gg_beta *b,
                           const double *logs, double *grad, double *hess)
{
    const double a = theta[GG_P] * x, q = theta[GG_Q];
    const double share = exp(-logs[0]), rest = exp(-logs[1]);

    grad[GG_P] = a * (b->a - logs[0]);
    grad[GG_Q] = q * (b->q - logs[1]);
    grad[GG_V] = q * share - a * rest;
    hess[0] = grad[GG_P] + a * a * b->aa;
    hess[1] = a * q * b->aq;
    hess[2] = grad[GG_Q] + q * q * b->qq;
    hess[3] = -a * rest;
    hess[4] = q * share;
    hess[5] = -(a + q) * share * rest;
}

static void gg_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                      double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK])
{
    for (int64_t i = 0; i < rows->n; i++) {
        const double x = rows->x[i], z = rows->z[i];
        double g[3] = {0}, h[6] = {0};

        ll[i] = 0;
        if (gg_counts(x, z)) {
            const double v = at->theta[GG_V], s = x * z;
            const gg_beta b = gg_beta_at(at, x);
            /* -ln of the share s / (v + s), and of the rest v / (v + s) */
            const double logs[2] = {log1p(v / s), log1p(s / v)};

            ll[i] = b.log - at->theta[GG_P] * x * logs[0] - at->theta[GG_Q] * logs[1] -
                    log(z);
            if (grad != NULL)
                gg_derivatives(at->theta, x, &b, logs, g, h);
        }
        for (int p = 0; grad != NULL && p < 3; p++)
            grad[p][i] = g[p];
        for (int pair = 0; grad != NULL && pair < 6; pair++)
            hess[pair][i] = h[pair];
    }
}

/* Customers as different as their spend, purchases half as different again: near enough
 * for Newton anywhere. */
static void gg_start(const cj__clv_means *means, double *theta)
{
    const double z = means->z > 0 ? means->z : 1;
    const double noise = means->z_variance > 0 ? means->z_variance / (z * z) : 1;

    theta[GG_Q] = fmin(fmax(2 + 2 / noise, 2.5), 50);
    theta[GG_P] = fmin(fmax(2 / noise, 1), 50);
    theta[GG_V] = z * (theta[GG_Q] - 1) / theta[GG_P];
}

/* E[M | x, z] = p (v + x z) / (p x + q - 1), equation 5: the customer's mean shrunk to
 * everybody's, p v / (q - 1), which is x = 0.  Where p x + q <= 1 there is no mean, and
 * the answer is infinity. */
static int32_t gg_expected(const cj__clv_ask *ask, double *out)
{
    const double *theta = ask->at->theta;

    for (int64_t i = 0; i < ask->rows->n; i++) {
        const double x = ask->rows->x[i], z = ask->rows->z[i];
        const int counts = gg_counts(x, z);
        const double shape = (counts ? theta[GG_P] * x : 0) + (theta[GG_Q] - 1);

        out[i] = shape > 0 ? theta[GG_P] * (theta[GG_V] + (counts ? x * z : 0)) / shape
                           : (double)INFINITY;
    }
    return CJ_OK;
}

static double gg_expected_new(const cj__clv_at *at, double t)
{
    const double shape = at->theta[GG_Q] - 1;

    (void)t;
    return shape > 0 ? at->theta[GG_P] * at->theta[GG_V] / shape : (double)INFINITY;
}

static const cj__clv_limit gg_limits[] = {
    {GG_P, 1,  "spend_per_customer_constant",
     "p -> infinity: a customer's purchases are all worth the same; z is the mean"    },
    {GG_Q, 1,  "customers_spend_alike",
     "q -> infinity: all customers have one mean value of a purchase; use the average"},
    {GG_V, 1,  "customers_spend_alike",
     "q, v -> infinity: all customers have one mean value of a purchase; use the "
     "average"                                                                        },
    {GG_V, -1, "spend_per_customer_constant",
     "p -> infinity, v -> 0: a customer's purchases are all worth the same; z is the "
     "mean"                                                                           },
    {GG_Q, -1, "mean_spend_infinite",
     "q -> 0: a few customers spend without bound; the population has no mean"        },
    {GG_P, -1, "purchases_too_unequal",
     "p -> 0: the values of purchases differ without bound; look for wrong prices"    },
    {0,    0,  NULL,                          NULL                                    }
};

const cj__clv_model cj__clv_gammagamma = {
    .name = "gammagamma",
    .title = "Gamma-Gamma",
    .source = "Fader, Hardie & Lee 2005; Fader & Hardie 2013, equations 1a and 5",
    .when = "what a customer spends per purchase, beside a model of how often; holds "
            "only if big spenders buy neither more nor less often than others",
    .family = CJ__CLV_SPEND,
    .n_params = 3,
    .n_table = GG_TABLE,
    .params = {"p", "q", "v"},
    .power = {0,   0,   1  },
    .limits = gg_limits,
    .start = gg_start,
    .prepare = gg_prepare,
    .loglik = gg_loglik,
    .expected = gg_expected,
    .expected_new = gg_expected_new,
};

/* ---- is spend independent of frequency? ------------------------------------------ */

#define GG_95 1.959963984540054
#define GG_WEAK 0.2 /* below it less than 4 % of the variance is shared */

typedef struct gg_moments {
    double n, x, z, xx, xz, zz; /* weight, means, sums about the means */
} gg_moments;

/* Two passes, so that large amounts lose nothing. */
static gg_moments gg_moments_of(const cj__clv_rows *rows, const double *weight)
{
    gg_moments m = {0};

    for (int64_t i = 0; i < rows->n; i++) {
        const double w = weight == NULL ? 1 : weight[i];

        if (!gg_counts(rows->x[i], rows->z[i]) || !(w > 0))
            continue;
        m.n += w;
        m.x += (rows->x[i] - m.x) * (w / m.n);
        m.z += (rows->z[i] - m.z) * (w / m.n);
    }
    for (int64_t i = 0; i < rows->n; i++) {
        const double w = weight == NULL ? 1 : weight[i], dx = rows->x[i] - m.x,
                     dz = rows->z[i] - m.z;

        if (!gg_counts(rows->x[i], rows->z[i]) || !(w > 0))
            continue;
        m.xx += w * dx * dx;
        m.xz += w * dx * dz;
        m.zz += w * dz * dz;
    }
    return m;
}

static void gg_judge(cj__clv_independence *out)
{
    if (out->p_value >= 0.05) {
        out->status = "independent";
        out->text = "spend per purchase does not depend on how often customers buy";
    } else if (fabs(out->correlation) < GG_WEAK) {
        out->status = "weak";
        out->text = "spend depends on frequency, but weakly: values stay usable";
    } else if (out->correlation > 0) {
        out->status = "dependent";
        out->text = "frequent buyers spend more each time: rare ones are overstated";
    } else {
        out->status = "dependent";
        out->text = "frequent buyers spend less each time: rare ones are understated";
    }
}

void cj__clv_independence_test(const cj__clv_rows *rows, const double *weight,
                               cj__clv_independence *out)
{
    const gg_moments m = gg_moments_of(rows, weight);
    const double none = (double)NAN;

    *out = (cj__clv_independence){m.n, none, none, none, none, NULL, NULL};
    if (!(m.n >= 4)) {
        out->status = "too_few_customers";
        out->text = "fewer than four customers came back: nothing can be said";
        return;
    }
    if (!(m.xx > 0) || !(m.zz > 0)) {
        out->status = "no_variation";
        out->text = "all repeat customers bought as often or spent the same";
        return;
    }
    out->correlation = fmax(-1, fmin(1, m.xz / sqrt(m.xx) / sqrt(m.zz)));
    {
        const double z = atanh(out->correlation), step = 1 / sqrt(m.n - 3);

        out->low = tanh(z - GG_95 * step);
        out->high = tanh(z + GG_95 * step);
        out->p_value = erfc(fabs(z) / step / sqrt(2.0));
    }
    gg_judge(out);
}
