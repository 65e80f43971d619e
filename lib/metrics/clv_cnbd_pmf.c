/* (M)BG/CNBD-k: P(X = n) in (T+from, T+until].  Alive at the beginning with m phases
 * behind (purchases at multiples of k) a customer goes through N more, N ~ NB(m', q),
 * and meets F = floor((m mod k + N) / k) occasions.  With g_i = P(no dropout at the
 * first i occasions after T) = (b)_i / (a+b)_i and i occasions before the beginning,
 *
 *   P(X = n) = g_{i+n-1} P(F = n) + (g_{i+n-1} - g_{i+n}) P(F > n),  n > 0,
 *
 * summed over the phases m reached by T+from.  P(F = n) and P(F > n) are sums of terms
 * of one sign, started in logarithms and taken where they are short. */
#include "metrics/clv_cnbd.h"

#include "base/special.h"

#include <math.h>

#define PMF_TINY 1e-18

/* N phases in a time: negative binomial with shape and ratio = time / scale. */
typedef struct pmf_phases {
    double shape, q, ratio;
} pmf_phases;

static double pmf_term(const pmf_phases *f, double n)
{
    if (n < 0)
        return 0;
    return exp(cj__lgamma(f->shape + n) - cj__lgamma(f->shape) - cj__lgamma(n + 1) +
               (n > 0 ? n * log(f->q) : 0) - f->shape * log1p(f->ratio));
}

/* P(N < n), from its last term downwards. */
static double pmf_below(const pmf_phases *f, double n)
{
    double sum = 0, v;

    if (n <= 0)
        return 0;
    for (v = pmf_term(f, n - 1); v > sum * PMF_TINY && n > 0; n--) {
        sum += v;
        if (n > 1)
            v *= (n - 1) / (f->q * (f->shape + n - 2));
    }
    return sum;
}

static double pmf_from(const pmf_phases *f, double n)
{
    double sum = 0, v;

    if (n <= 0)
        return 1;
    if (n < f->shape * f->ratio) /* below the mean: not small */
        return 1 - pmf_below(f, n);
    for (v = pmf_term(f, n);; n++) {
        const double next = f->q * (f->shape + n) / (n + 1);

        sum += v;
        if (next < 1 && v * next <= sum * PMF_TINY * (1 - next))
            return sum;
        v *= next;
    }
}

static double pmf_between(const pmf_phases *f, double first, double k)
{
    double sum = 0, v = pmf_term(f, fmax(first, 0));

    for (double n = fmax(first, 0); n < first + k; n++) {
        sum += v;
        v *= f->q * (f->shape + n) / (n + 1);
    }
    return sum;
}

/* What is asked about one customer. */
typedef struct pmf_ask {
    cj__cnbd_state s;
    int32_t k;
    double n, from, time; /* the interval is (from, from + time] */
} pmf_ask;

static double pmf_survive(const pmf_ask *a, double i)
{
    if (i <= 0)
        return 1;
    return exp(cj__lgamma(a->s.b + i) - cj__lgamma(a->s.b) +
               cj__lgamma(a->s.a + a->s.b) - cj__lgamma(a->s.a + a->s.b + i));
}

/* P(X = n; n = 0: P(X > 0)) of somebody alive with m phases since T at the beginning.
 */
static double pmf_given_phases(const pmf_ask *a, double m)
{
    const double i = floor(m / a->k), phase = m - i * a->k;
    const double ratio = a->time / (a->s.scale + a->from);
    const pmf_phases f = {a->s.shape + m, ratio / (1 + ratio), ratio};
    double g;

    if (a->n == 0)
        return pmf_survive(a, i) * pmf_from(&f, a->k - phase);
    g = pmf_survive(a, i + a->n - 1);
    return g * (pmf_between(&f, a->n * a->k - phase, a->k) +
                a->s.a / (a->s.a + a->s.b + i + a->n - 1) *
                    pmf_from(&f, (a->n + 1) * a->k - phase));
}

/* P(m phases at T+from), over the phases at T. */
static double pmf_reach(const pmf_ask *a, double m)
{
    const double ratio = a->from / a->s.scale;
    double sum = 0;

    if (!(a->from > 0))
        return m < a->k ? a->s.phase[(int)m] : 0;
    for (int32_t j = 0; j < a->k && j <= m; j++) {
        const pmf_phases f = {a->s.shape + j, ratio / (1 + ratio), ratio};

        sum += a->s.phase[j] * pmf_term(&f, m - j);
    }
    return sum;
}

/* The sum over m, from the mean outwards until the terms are negligible. */
static double pmf_mean(const pmf_ask *a)
{
    const double middle = floor(a->s.shape * a->from / a->s.scale);
    double sum = 0, reached = 0;

    for (double m = middle; m >= 0; m--) {
        const double w = pmf_reach(a, m);

        sum += w > 0 ? w * pmf_given_phases(a, m) : 0;
        reached += w;
        if (m + a->k < middle && w < reached * PMF_TINY)
            break;
    }
    for (double m = middle + 1;; m++) {
        const double w = pmf_reach(a, m);

        sum += w > 0 ? w * pmf_given_phases(a, m) : 0;
        reached += w;
        if (m > middle + a->k && w <= PMF_TINY * reached)
            return sum;
    }
}

static double pmf_one(const cj__clv_ask *ask, double x, double tx, double t)
{
    pmf_ask a;

    if (ask->n_purchases < 0)
        return 0;
    if (!(ask->until > ask->from))
        return ask->n_purchases == 0;
    cj__cnbd_state_of(ask->at, x, tx, t, &a.s);
    a.k = ask->at->k;
    a.n = (double)ask->n_purchases;
    a.from = ask->from;
    a.time = ask->until - ask->from;
    return a.n > 0 ? a.s.alive * pmf_mean(&a) : 1 - a.s.alive * pmf_mean(&a);
}

int32_t cj__cnbd_pmf(const cj__clv_ask *ask, double *out)
{
    const cj__clv_rows *r = ask->rows;

    for (int64_t i = 0; i < r->n; i++)
        out[i] = pmf_one(ask, r->x[i], r->tx[i], r->t[i]);
    return CJ_OK;
}

double cj__cnbd_pmf_new(const cj__clv_at *at, double from, double until, int64_t n)
{
    const cj__clv_ask ask = {at, NULL, from, until, n, 0, NULL};

    return pmf_one(&ask, 0, 0, 0);
}
