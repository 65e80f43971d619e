/* Pareto/NBD: what customers will do.  Whoever is alive at T has lambda ~ Gamma(r+x,
 * alpha+T) and mu ~ Gamma(s, beta+T), independent of each other (Fader & Hardie 2005,
 * "A Note on Deriving the Pareto/NBD Model"): to the rest of time he is a newcomer with
 * these parameters.  So every question is P(alive) times that of a newcomer:
 *
 *   purchases     (r/alpha) int (beta/(beta+y))^s dy
 *   discounted    (r/alpha) beta e^z E_s(z), z = delta beta (Fader, Hardie & Lee 2005,
 *                 "RFM and CLV", eq. 4, with its U(s,s,z) = z^(1-s) e^z E_s(z))
 *   n purchases   clv_pareto_pmf.c */
#include "metrics/clv_pareto.h"

#include "base/special.h"

#include <math.h>

/* int_from^until (beta/(beta+y))^s dy */
static double ask_lifetime(double s, double beta, double from, double until)
{
    const double begun = beta + from, w = log1p((until - from) / begun);

    return begun * exp(-s * log1p(from / beta)) *
           (s == 1 ? w : expm1((1 - s) * w) / (1 - s));
}

/* P(alive) of a row, and the parameters of the newcomer that he is then. */
static double ask_row(const cj__clv_ask *ask, int64_t row, double *newcomer)
{
    const double *theta = ask->at->theta;
    const double customer[] = {ask->rows->x[row], ask->rows->tx[row],
                               ask->rows->t[row]};
    cj__pareto_row r;

    cj__pareto_row_set(&r, theta, customer, NULL);
    newcomer[0] = theta[0] + customer[0];
    newcomer[1] = theta[1] + customer[2];
    newcomer[2] = theta[2];
    newcomer[3] = theta[3] + customer[2];
    return r.alive / (r.alive + r.gone);
}

int32_t cj__pareto_p_alive(const cj__clv_ask *ask, double *out)
{
    double newcomer[CJ__CLV_PARAMS];

    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = ask_row(ask, i, newcomer);
    return CJ_OK;
}

int32_t cj__pareto_expected(const cj__clv_ask *ask, double *out)
{
    double who[CJ__CLV_PARAMS];

    for (int64_t i = 0; i < ask->rows->n; i++) {
        const double alive = ask_row(ask, i, who);

        out[i] = alive * who[0] / who[1] *
                 ask_lifetime(who[2], who[3], ask->from, ask->until);
    }
    return CJ_OK;
}

int32_t cj__pareto_pmf(const cj__clv_ask *ask, double *out)
{
    double who[CJ__CLV_PARAMS];

    for (int64_t i = 0; i < ask->rows->n; i++) {
        const double alive = ask_row(ask, i, who),
                     p = cj__pareto_chance(who, ask->from, ask->until,
                                           ask->n_purchases);

        out[i] = alive * p + (ask->n_purchases == 0 ? 1 - alive : 0);
    }
    return CJ_OK;
}

int32_t cj__pareto_dert(const cj__clv_ask *ask, double *out)
{
    double who[CJ__CLV_PARAMS];

    for (int64_t i = 0; i < ask->rows->n; i++) {
        const double alive = ask_row(ask, i, who);

        out[i] = alive == 0 ? 0
                            : alive * who[0] / who[1] * who[3] *
                                  cj__expint(who[2], ask->delta * who[3]);
    }
    return CJ_OK;
}

double cj__pareto_expected_new(const cj__clv_at *at, double t)
{
    const double *theta = at->theta;

    return theta[0] / theta[1] * ask_lifetime(theta[2], theta[3], 0, t);
}

double cj__pareto_pmf_new(const cj__clv_at *at, double from, double until, int64_t n)
{
    return cj__pareto_chance(at->theta, from, until, n);
}
