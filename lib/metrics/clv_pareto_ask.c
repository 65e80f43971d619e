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
#include <string.h>

/* int_from^until (beta/(beta+y))^s dy */
static double ask_lifetime(double s, double beta, double from, double until)
{
    const double begun = beta + from, w = log1p((until - from) / begun);

    return begun * exp(-s * log1p(from / beta)) *
           (s == 1 ? w : expm1((1 - s) * w) / (1 - s));
}

/* P(alive) of a customer, and the parameters of the newcomer that he is then. */
static double ask_newcomer(const cj__clv_ask *ask, const double customer[3],
                           double *newcomer)
{
    const double *theta = ask->at->theta;
    cj__pareto_row row;

    cj__pareto_row_set(&row, theta, customer, NULL);
    newcomer[0] = theta[0] + customer[0];
    newcomer[1] = theta[1] + customer[2];
    newcomer[2] = theta[2];
    newcomer[3] = theta[3] + customer[2];
    return row.alive / (row.alive + row.gone);
}

static double ask_p_alive(const cj__clv_ask *ask, const double customer[3])
{
    double who[CJ__CLV_PARAMS];

    return ask_newcomer(ask, customer, who);
}

static double ask_expected(const cj__clv_ask *ask, const double customer[3])
{
    double who[CJ__CLV_PARAMS];
    const double alive = ask_newcomer(ask, customer, who);

    return alive * who[0] / who[1] *
           ask_lifetime(who[2], who[3], ask->from, ask->until);
}

static double ask_pmf(const cj__clv_ask *ask, const double customer[3])
{
    double who[CJ__CLV_PARAMS];
    const double alive = ask_newcomer(ask, customer, who),
                 p = cj__pareto_chance(who, ask->from, ask->until, ask->n_purchases);

    return alive * p + (ask->n_purchases == 0 ? 1 - alive : 0);
}

static double ask_dert(const cj__clv_ask *ask, const double customer[3])
{
    double who[CJ__CLV_PARAMS];
    const double alive = ask_newcomer(ask, customer, who);

    if (alive == 0)
        return 0;
    return alive * who[0] / who[1] * who[3] * cj__expint(who[2], ask->delta * who[3]);
}

/* ---- many customers
 * ------------------------------------------------------------------ */

/* Most customers never came back, and have a T in common with many: their answers are
 * remembered, the last one in each of a few places. */
#define ASK_PLACES 512

typedef struct ask_memory {
    double customer[3], answer;
} ask_memory;

static ask_memory *ask_place(ask_memory *memory, const double customer[3])
{
    uint64_t bits[3], mixed;

    memcpy(bits, customer, sizeof bits);
    mixed = (bits[0] * 31 + bits[1]) * 31 + bits[2];
    return &memory[mixed * 0x9e3779b97f4a7c15u >> 55]; /* of 2^9 */
}

static int32_t ask_all(const cj__clv_ask *ask,
                       double (*one)(const cj__clv_ask *, const double[3]), double *out)
{
    const cj__clv_rows *rows = ask->rows;
    ask_memory memory[ASK_PLACES];

    for (int i = 0; i < ASK_PLACES; i++)
        memory[i].customer[0] = -1; /* nobody */
    for (int64_t i = 0; i < rows->n; i++) {
        const double c[] = {rows->x[i], rows->tx[i], rows->t[i]};
        ask_memory *m = ask_place(memory, c);

        if (m->customer[0] != c[0] || m->customer[1] != c[1] ||
            m->customer[2] != c[2]) {
            memcpy(m->customer, c, sizeof c);
            m->answer = one(ask, c);
        }
        out[i] = m->answer;
    }
    return CJ_OK;
}

int32_t cj__pareto_p_alive(const cj__clv_ask *ask, double *out)
{
    return ask_all(ask, ask_p_alive, out);
}

int32_t cj__pareto_expected(const cj__clv_ask *ask, double *out)
{
    return ask_all(ask, ask_expected, out);
}

int32_t cj__pareto_pmf(const cj__clv_ask *ask, double *out)
{
    return ask_all(ask, ask_pmf, out);
}

int32_t cj__pareto_dert(const cj__clv_ask *ask, double *out)
{
    return ask_all(ask, ask_dert, out);
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
