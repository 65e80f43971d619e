/* NBD: customers buy at Poisson times with rate lambda ~ Gamma(r, alpha), and never
 * leave (Ehrenberg 1959; as a count in (0, T] with the times of the purchases, Fader &
 * Hardie 2005, note 3: without the factor T^x / x!, so that it compares with BG/NBD):
 *
 *   L = (r)_x alpha^r / (alpha + T)^(r + x)
 *
 * The limit of every model here in which nobody drops out.  What depends on x alone
 * stands in at->table. */
#include "base/gamma_step.h"
#include "base/special.h"
#include "metrics/clv.h"

#include <math.h>

/* ln (r)_x, and its derivatives in ln r. */
typedef struct nbd_entry {
    double value, r, rr;
} nbd_entry;

static const cj__clv_limit nbd_limits[] = {
    {0, 1,  "rates_alike",      "all customers buy at one rate: r and alpha grow together"},
    {0, -1, "rates_degenerate", "nearly nobody buys again: r goes to zero"                },
    {0, 0,  NULL,               NULL                                                      }
};

static void nbd_start(const cj__clv_means *means, double *theta)
{
    const double mean = means->x > 0 ? means->x : 0.1;
    const double more = means->x_variance - mean; /* than Poisson */
    double r = more > 0 ? mean * mean / more : 10;

    r = r < 0.01 ? 0.01 : r > 10 ? 10 : r;
    theta[0] = r;
    theta[1] = means->t > 0 ? r * means->t / mean : 1;
}

static void nbd_entry_of(double r, double x, nbd_entry *e)
{
    const cj__gamma3 f = cj__gamma_step(r, x);

    e->value = f.lgamma;
    e->r = r * f.digamma;
    e->rr = e->r + r * r * f.trigamma;
}

static void nbd_prepare(cj__clv_at *at)
{
    nbd_entry *table = (nbd_entry *)at->table;

    for (int64_t x = 0; x <= at->max_x; x++)
        nbd_entry_of(at->theta[0], (double)x, &table[x]);
}

static void nbd_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                       double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK])
{
    const double r = at->theta[0], alpha = at->theta[1], log_alpha = log(alpha);

    for (int64_t i = 0; i < rows->n; i++) {
        const double x = rows->x[i], t = rows->t[i], n = r + x;
        const double q = alpha / (alpha + t), lq = -log1p(t / alpha);
        const nbd_entry *e = (const nbd_entry *)at->table;
        nbd_entry own;

        if (x <= (double)at->max_x) {
            e += (int64_t)x;
        } else {
            nbd_entry_of(r, x, &own);
            e = &own;
        }
        ll[i] = e->value + n * lq - x * log_alpha;
        if (grad == NULL)
            continue;
        grad[0][i] = e->r + r * lq;
        grad[1][i] = r - n * q;
        hess[0][i] = e->rr + r * lq;
        hess[1][i] = r - r * q;
        hess[2][i] = -n * q * (1 - q);
    }
}

/* ---- questions: given (x, T), lambda ~ Gamma(r + x, alpha + T)
 * ----------------------- */

static int32_t nbd_p_alive(const cj__clv_ask *ask, double *out)
{
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = 1;
    return CJ_OK;
}

static int32_t nbd_expected(const cj__clv_ask *ask, double *out)
{
    const double *theta = ask->at->theta;

    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = (theta[0] + ask->rows->x[i]) / (theta[1] + ask->rows->t[i]) *
                 (ask->until - ask->from);
    return CJ_OK;
}

/* P(n purchases in a time) when lambda ~ Gamma(shape, rate): negative binomial. */
static double nbd_count(double shape, double rate, double time, double n)
{
    const double p = time / (rate + time);
    nbd_entry e;

    if (time <= 0)
        return n == 0;
    nbd_entry_of(shape, n, &e);
    return exp(e.value - cj__lgamma(n + 1) + n * log(p) - shape * log1p(time / rate));
}

static int32_t nbd_pmf(const cj__clv_ask *ask, double *out)
{
    const double *theta = ask->at->theta;

    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = nbd_count(theta[0] + ask->rows->x[i], theta[1] + ask->rows->t[i],
                           ask->until - ask->from, (double)ask->n_purchases);
    return CJ_OK;
}

static int32_t nbd_dert(const cj__clv_ask *ask, double *out)
{
    const double *theta = ask->at->theta;

    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] =
            (theta[0] + ask->rows->x[i]) / (theta[1] + ask->rows->t[i]) / ask->delta;
    return CJ_OK;
}

static double nbd_expected_new(const cj__clv_at *at, double t)
{
    return at->theta[0] / at->theta[1] * t;
}

static double nbd_pmf_new(const cj__clv_at *at, double from, double until, int64_t n)
{
    return nbd_count(at->theta[0], at->theta[1], until - from, (double)n);
}

const cj__clv_model cj__clv_nbd = {
    .name = "nbd",
    .title = "NBD",
    .source = "Ehrenberg 1959, Applied Statistics 8(1)",
    .when = "everyday goods that nobody stops buying, or a short time; the yardstick "
            "for the models in which customers leave",
    .family = CJ__CLV_CONTINUOUS,
    .n_params = 2,
    .n_table = sizeof(nbd_entry) / sizeof(double),
    .params = {"r", "alpha"},
    .power = {0,   1},
    .limits = nbd_limits,
    .effects = {{0, -1}},
    .start = nbd_start,
    .prepare = nbd_prepare,
    .loglik = nbd_loglik,
    .p_alive = nbd_p_alive,
    .expected = nbd_expected,
    .pmf = nbd_pmf,
    .dert = nbd_dert,
    .expected_new = nbd_expected_new,
    .pmf_new = nbd_pmf_new,
};
