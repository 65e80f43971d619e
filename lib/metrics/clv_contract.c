/* Survival and likelihood of the contract models (Fader & Hardie 2007 appendix B;
 * Fader, Hardie, Liu, Davin & Steenburgh 2018).  With u = t^c every quantity is a ratio
 * S(t + s) / S(t) = B(gamma, delta + u(t + s)) / B(gamma, delta + u(t)), taken as one
 * cross difference of ln Gamma; who left in period t has the likelihood
 *
 *   S(t - 1) - S(t) = S(t - 1) (1 - e^rho),  rho = ln(S(t) / S(t - 1))
 *
 * so that no two survivals are subtracted. */
#include "metrics/clv_contract.h"

#include "base/gamma_step.h"
#include "base/special.h"

#include <math.h>

#define CONTRACT_MAX_LOG_U 300.0 /* its square is a double, too */

double cj__clv_contract_c(const cj__clv_at *at)
{
    return at->model->n_params > CJ__CONTRACT_C ? at->theta[CJ__CONTRACT_C] : 1;
}

static double contract_u(double c, double t)
{
    if (!(t > 0))
        return 0;
    return c == 1 ? t : exp(fmin(c * log(t), CONTRACT_MAX_LOG_U));
}

double cj__clv_contract_log_ratio(const cj__clv_at *at, double from, double until)
{
    const double c = cj__clv_contract_c(at), u = contract_u(c, from);
    const double step = contract_u(c, until) - u;

    if (!(step > 0))
        return 0;
    return cj__gamma_cross(at->theta[CJ__CONTRACT_DELTA] + u,
                           at->theta[CJ__CONTRACT_GAMMA], step)
        .lgamma;
}

double cj__clv_survival(const cj__clv_at *at, double t)
{
    return exp(cj__clv_contract_log_ratio(at, 0, t));
}

double cj__clv_retention(const cj__clv_at *at, double t)
{
    return exp(cj__clv_contract_log_ratio(at, t - 1, t));
}

/* ---- likelihood --------------------------------------------------------------------
 */

/* A function of gamma, delta and ln c with its derivatives in them. */
typedef struct contract_slope {
    double value, g[3], h[6];
} contract_slope;

/* ln S(until) - ln S(from): the cross difference at delta + u(from) of gamma and the
 * step of u. */
static contract_slope contract_ratio(const cj__clv_at *at, double from, double until)
{
    const double c = cj__clv_contract_c(at), gamma = at->theta[CJ__CONTRACT_GAMMA];
    const double log0 = from > 0 ? c * log(from) : 0, u0 = contract_u(c, from);
    const double log1 = until > 0 ? c * log(until) : 0, u1 = contract_u(c, until);
    const double y0 = at->theta[CJ__CONTRACT_DELTA] + u0, step = u1 - u0;
    const double y1 = y0 + step;
    /* at the upper end of the step and at the lower: what changes with u */
    const cj__gamma3 all = cj__gamma_cross(y0, gamma, step);
    const cj__gamma3 top = cj__gamma_step(y1, gamma), low = cj__gamma_step(y0, gamma);
    const cj__gamma3 both = cj__gamma_step(gamma + y0, step);
    const double d1 = u1 * log1, d0 = u0 * log0; /* du / d ln c */
    contract_slope s;

    s.value = all.lgamma;
    s.g[0] = -both.digamma;
    s.g[1] = all.digamma;
    s.g[2] = low.digamma * d0 - top.digamma * d1;
    s.h[0] = -both.trigamma;
    s.h[1] = -both.trigamma;
    s.h[2] = all.trigamma;
    s.h[3] = cj__trigamma(gamma + y0) * d0 - cj__trigamma(gamma + y1) * d1;
    s.h[4] = low.trigamma * d0 - top.trigamma * d1;
    s.h[5] = low.trigamma * d0 * d0 - top.trigamma * d1 * d1 +
             low.digamma * (d0 + d0 * log0) - top.digamma * (d1 + d1 * log1);
    return s;
}

/* ln(1 - e^rho) of a slope: with k = 1 / (e^-rho - 1) its derivatives are -k rho' and
 * -k rho'' - k (k + 1) rho' rho'. */
static void contract_lost(contract_slope *s)
{
    const double k = 1 / expm1(-s->value);

    s->value = log(-expm1(s->value));
    for (int p = 0, pair = 0; p < 3; p++) {
        for (int q = 0; q <= p; q++, pair++)
            s->h[pair] = -k * s->h[pair] - (k * s->g[p]) * ((k + 1) * s->g[q]);
    }
    for (int p = 0; p < 3; p++)
        s->g[p] *= -k;
}

/* From gamma and delta to their logarithms. */
static void contract_logarithms(const cj__clv_at *at, contract_slope *s)
{
    const double scale[3] = {at->theta[CJ__CONTRACT_GAMMA],
                             at->theta[CJ__CONTRACT_DELTA], 1};

    for (int p = 0, pair = 0; p < 3; p++) {
        for (int q = 0; q <= p; q++, pair++)
            s->h[pair] *= scale[p] * scale[q];
    }
    for (int p = 0; p < 3; p++)
        s->g[p] *= scale[p];
    s->h[0] += s->g[0];
    s->h[2] += s->g[1];
}

static double contract_value(const cj__clv_at *at, double x, double t)
{
    if (!(x > 0))
        return cj__clv_contract_log_ratio(at, 0, t);
    return cj__clv_contract_log_ratio(at, 0, t - 1) +
           log(-expm1(cj__clv_contract_log_ratio(at, t - 1, t)));
}

static contract_slope contract_row(const cj__clv_at *at, double x, double t)
{
    contract_slope row, lost;

    row = contract_ratio(at, 0, x > 0 ? t - 1 : t);
    if (x > 0) {
        lost = contract_ratio(at, t - 1, t);
        contract_lost(&lost);
        row.value += lost.value;
        for (int p = 0; p < 3; p++)
            row.g[p] += lost.g[p];
        for (int pair = 0; pair < 6; pair++)
            row.h[pair] += lost.h[pair];
    }
    contract_logarithms(at, &row);
    return row;
}

void cj__clv_contract_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                             double (*grad)[CJ__CLV_CHUNK],
                             double (*hess)[CJ__CLV_CHUNK])
{
    const int n = at->model->n_params;

    for (int64_t i = 0; i < rows->n; i++) {
        /* nobody is lost before the first period ends */
        const double x = rows->x[i], t = fmax(rows->t[i], x > 0);

        if (grad != NULL) {
            const contract_slope row = contract_row(at, x, t);

            ll[i] = row.value;
            for (int p = 0; p < n; p++)
                grad[p][i] = row.g[p];
            for (int pair = 0; pair < n * (n + 1) / 2; pair++)
                hess[pair][i] = row.h[pair];
        } else {
            ll[i] = contract_value(at, x, t);
        }
    }
}
