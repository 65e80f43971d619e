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

/* From here on u is all there is of delta + u, and ln(Gamma(gamma + u) / Gamma(u)) is
 * gamma ln u to 15 digits.  As gamma -> 0 and c -> infinity together, a limit that data
 * can have, u is soon no double. */
#define CONTRACT_FAR 69.0

double cj__clv_contract_c(const cj__clv_at *at)
{
    return at->model->n_params > CJ__CONTRACT_C ? at->theta[CJ__CONTRACT_C] : 1;
}

static double contract_log_u(double c, double t)
{
    return t > 0 ? c * log(t) : 0;
}

static double contract_u(double c, double t)
{
    if (!(t > 0))
        return 0;
    return c == 1 ? t : exp(c * log(t));
}

double cj__clv_contract_log_ratio(const cj__clv_at *at, double from, double until)
{
    const double c = cj__clv_contract_c(at), gamma = at->theta[CJ__CONTRACT_GAMMA];
    const double log0 = contract_log_u(c, from), log1 = contract_log_u(c, until);
    double y, step;

    if (log0 > CONTRACT_FAR)
        return -gamma * (log1 - log0);
    y = at->theta[CJ__CONTRACT_DELTA] + contract_u(c, from);
    if (log1 > CONTRACT_FAR)
        return cj__gamma_step(y, gamma).lgamma - gamma * log1;
    step = contract_u(c, until) - contract_u(c, from);
    return step > 0 ? cj__gamma_cross(y, gamma, step).lgamma : 0;
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

/* The same far out: of S(t) only -gamma ln u(t) is left. */
static contract_slope contract_far(double gamma, double log_u)
{
    return (contract_slope){
        -gamma * log_u,
        {-log_u,  0, -gamma * log_u},
        { 0, 0, 0, -log_u, 0, -gamma * log_u}
    };
}

/* ln(Gamma(delta + u) / Gamma(gamma + delta + u)): S(t) but for a constant. */
static contract_slope contract_end(const cj__clv_at *at, double log_u, double u)
{
    const double gamma = at->theta[CJ__CONTRACT_GAMMA];
    const double y = at->theta[CJ__CONTRACT_DELTA] + u, d = u * log_u; /* du / d ln c */
    const cj__gamma3 step = cj__gamma_step(y, gamma);
    const double trigamma = cj__trigamma(gamma + y);

    if (log_u > CONTRACT_FAR)
        return contract_far(gamma, log_u);
    return (contract_slope){
        -step.lgamma,
        {-cj__digamma(gamma + y), -step.digamma, -step.digamma * d},
        { -trigamma, -trigamma, -step.trigamma,   -trigamma * d, -step.trigamma * d,
                     -step.trigamma * d * d - step.digamma * d * (1 + log_u)}
    };
}

/* ln S(until) - ln S(from): value and slopes in gamma and delta by the cross difference
 * at delta + u(from) of gamma and the step of u, where both ends are near. */
static contract_slope contract_ratio(const cj__clv_at *at, double from, double until)
{
    const double c = cj__clv_contract_c(at);
    const double log0 = contract_log_u(c, from), log1 = contract_log_u(c, until);
    const double u0 = contract_u(c, from), u1 = contract_u(c, until);
    const contract_slope low = contract_end(at, log0, u0);
    contract_slope s = contract_end(at, log1, u1);

    s.value -= low.value;
    for (int p = 0; p < 3; p++)
        s.g[p] -= low.g[p];
    for (int pair = 0; pair < 6; pair++)
        s.h[pair] -= low.h[pair];
    if (log1 <= CONTRACT_FAR) {
        const double gamma = at->theta[CJ__CONTRACT_GAMMA];
        const double y = at->theta[CJ__CONTRACT_DELTA] + u0;
        const cj__gamma3 cross = cj__gamma_cross(y, gamma, u1 - u0);
        const cj__gamma3 both = cj__gamma_step(gamma + y, u1 - u0);

        s.value = cross.lgamma;
        s.g[0] = -both.digamma;
        s.g[1] = cross.digamma;
        s.h[0] = s.h[1] = -both.trigamma;
        s.h[2] = cross.trigamma;
    }
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
