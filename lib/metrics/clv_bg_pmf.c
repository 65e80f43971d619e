/* (M)BG/NBD: P(m purchases in (f, u] after T).  A living customer is still there at f
 * with e^(-lambda p f); from there on N ~ Poisson(lambda (u-f)) chances come, of which
 * the i-th is taken with (1-p)^(i-1), and m of them are
 *
 *   m > 0   (1-p)^m P(N = m) + p (1-p)^(m-1) P(N >= m)   (left at the m-th, or not yet)
 *   m = 0   (gone by f) + (there at f) P(N = 0).
 *
 * Over lambda ~ Gamma(n, s) P(N) is negative binomial of shape n and scale s + p f, and
 * its tail an incomplete beta function.  (1-p)^(m-1) goes into p's Beta(a, b+c), so
 * that for f = 0 the mean over p is closed (Fader, Hardie & Lee 2005, eq. 8, with its
 * sum as the tail); otherwise by clv_beta.h.  All terms are positive: small
 * probabilities have their digits, too. */
#include "metrics/clv_beta.h"
#include "metrics/clv_bg_grid.h"

#include "base/gamma_step.h"
#include "base/special.h"

#include <math.h>

typedef struct pmf_user {
    const cj__clv_ask *ask;
    double n, m;
    double a, b;         /* of p, behind the first m-1 chances */
    double log_survive;  /* ln P(m-1 chances are survived) */
    double log_constant; /* and ln (n)_m / m! */
    cj__clv_beta rule;
} pmf_user;

static void pmf_turn(void *user, double x, double scale)
{
    pmf_user *u = user;
    const cj__clv_at *at = u->ask->at;
    const double b = at->theta[3] + cj__bg_chances(at, x);

    u->n = at->theta[0] + x;
    u->a = at->theta[2];
    u->b = b + fmax(0, u->m - 1);
    if (u->ask->from > 0)
        cj__clv_beta_rule(
            u->a, u->b, 1 / (1 + (u->n + u->m + 1) * u->ask->until / scale), &u->rule);
    if (u->m == 0)
        return;
    u->log_survive = cj__gamma_cross(b, u->a, u->m - 1).lgamma;
    u->log_constant = cj__gamma_step(u->n, u->m).lgamma -
                      cj__gamma_step(1, u->m).lgamma + u->log_survive;
}

/* P(N = m) and P(N >= m), times (1-p)^(m-1) and e^log_there; ratio = time / scale. */
static void pmf_chances(const pmf_user *u, double ratio, double log_there, double *just,
                        double *more)
{
    const double n = u->n, m = u->m, q = ratio / (1 + ratio);
    const double log_one = cj__log1p(ratio), log_rest = -n * log_one;
    const double log_q = ratio < 1 ? log(ratio) - log_one : -cj__log1p(1 / ratio);

    *just = exp(u->log_constant + m * log_q + log_rest + log_there);
    if (q < (m + 1) / (m + n + 2))
        *more = *just * cj__beta_fraction(m, n, q);
    else
        *more = exp(u->log_survive + log_there) -
                *just * (m / n) * cj__beta_fraction(n, m, 1 / (1 + ratio));
}

static double pmf_some(const pmf_user *u, double scale)
{
    const double from = u->ask->from, time = u->ask->until - from;
    double just, more, sum = 0;

    if (!(from > 0)) {
        pmf_chances(u, time / scale, 0, &just, &more);
        return (u->b * just + u->a * more) / (u->a + u->b);
    }
    for (int32_t i = 0; i < u->rule.n; i++) {
        const double p = u->rule.p[i];

        pmf_chances(u, time / (scale + p * from), -u->n * cj__log1p(p * from / scale),
                    &just, &more);
        sum += u->rule.weight[i] * (u->rule.s[i] * just + p * more);
    }
    return sum;
}

static double pmf_none(const pmf_user *u, double scale)
{
    const double from = u->ask->from / scale, until = u->ask->until / scale;
    double sum = 0;

    if (!(from > 0))
        return exp(-u->n * cj__log1p(until));
    for (int32_t i = 0; i < u->rule.n; i++) {
        const double gone = u->rule.p[i] * from;

        sum += u->rule.weight[i] * (exp(-u->n * cj__log1p(gone + until - from)) -
                                    expm1(-u->n * cj__log1p(gone)));
    }
    return sum;
}

static double pmf_number(void *user, double scale)
{
    const pmf_user *u = user;

    return u->m > 0 ? pmf_some(u, scale) : pmf_none(u, scale);
}

static cj__bg_grid pmf_grid(pmf_user *user)
{
    return (cj__bg_grid){user->ask, user, pmf_turn, pmf_number, user->m == 0, 0};
}

/* Nothing happens in no time. */
static int pmf_is_plain(const cj__clv_ask *ask)
{
    return ask->n_purchases < 0 || !(ask->until > ask->from);
}

int32_t cj__bg_pmf(const cj__clv_ask *ask, double *out)
{
    pmf_user user = {.ask = ask, .m = (double)ask->n_purchases};
    const cj__bg_grid grid = pmf_grid(&user);

    if (!pmf_is_plain(ask))
        return cj__bg_grid_answer(&grid, out);
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = ask->n_purchases == 0;
    return CJ_OK;
}

double cj__bg_pmf_new(const cj__clv_at *at, double from, double until, int64_t n)
{
    const cj__clv_ask ask = {at, NULL, from, until, n, 0, NULL};
    pmf_user user = {.ask = &ask, .m = (double)n};
    const cj__bg_grid grid = pmf_grid(&user);

    return pmf_is_plain(&ask) ? n == 0 : cj__bg_grid_new(&grid);
}
