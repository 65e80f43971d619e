/* What is asked of contract models.  sBG has sums in closed form (clv_survival.h).  BdW
 * has none: the discounted sum is added up for 128 renewals, and the rest is the
 * integral of S(t + s) e^(-delta s) by Gauss-Legendre in ln(t + s), where t^c is
 * smooth, with the ends of Euler and Maclaurin's formula (Abramowitz & Stegun 3.6.28).
 */
#include "metrics/clv_contract.h"

#include "base/gauss.h"
#include "metrics/clv_survival.h"

#include <math.h>

#define ASK_FIRST 128.0 /* renewals added one by one */
#define ASK_NODES 16
#define ASK_PANEL 0.5 /* of ln(t + s), times c where that is more than 1 */
#define ASK_PANELS 20000
#define ASK_SMALL 1e-17

/* The chance of renewing s times more after t, discounted. */
typedef struct ask_future {
    const cj__clv_at *at;
    double t, delta;
} ask_future;

static double ask_value(const ask_future *f, double s)
{
    return exp(cj__clv_contract_log_ratio(f->at, f->t, f->t + s) - f->delta * s);
}

/* The integral over s from ASK_FIRST on, panel by panel until they no longer count next
 * to `sum`.  Without a discount the last ones follow a power of t. */
static double ask_tail(const ask_future *f, double sum)
{
    const double *theta = f->at->theta, c = cj__clv_contract_c(f->at);
    const double panel = ASK_PANEL / fmax(1, c);
    const cj__gauss *rule = cj__gauss_rule(ASK_NODES);
    double tail = 0, low = log(f->t + ASK_FIRST);

    for (int k = 0; k < ASK_PANELS; k++, low += panel) {
        double part = 0;

        for (int i = 0; i < ASK_NODES; i++) {
            const int node = i < ASK_NODES / 2 ? i : ASK_NODES - 1 - i;
            const double place =
                i < ASK_NODES / 2 ? rule->place[node] : 1 - rule->place[node];
            const double at = exp(low + panel * place);

            part += rule->weight[node] * panel * at * ask_value(f, at - f->t);
        }
        tail += part;
        if (!(part > ASK_SMALL * (sum + tail)))
            return tail;
        if (f->delta == 0 && (low + panel) * c > 250) {
            const double end = exp(low + panel);

            return tail +
                   end * ask_value(f, end - f->t) / (c * theta[CJ__CONTRACT_GAMMA] - 1);
        }
    }
    return tail;
}

static double ask_sum_bdw(const ask_future *f)
{
    double sum = 0, f0, f1, f2, b1, b2;

    for (double s = 1; s < ASK_FIRST; s++) {
        const double value = ask_value(f, s);

        sum += value;
        if (!(value > ASK_SMALL * sum))
            return sum;
    }
    f0 = ask_value(f, ASK_FIRST);
    f1 = ask_value(f, ASK_FIRST + 1), f2 = ask_value(f, ASK_FIRST + 2);
    b1 = ask_value(f, ASK_FIRST - 1), b2 = ask_value(f, ASK_FIRST - 2);
    /* - f' / 12 + f''' / 720 by differences */
    return sum + f0 / 2 - (8 * (f1 - b1) - (f2 - b2)) / 144 +
           ((f2 - b2) - 2 * (f1 - b1)) / 1440 + ask_tail(f, sum);
}

static double ask_dert(const cj__clv_ask *ask, double t)
{
    const double *theta = ask->at->theta, c = cj__clv_contract_c(ask->at);
    ask_future f = {ask->at, t, ask->delta};

    if (c == 1)
        return cj__clv_lives_discounted(theta[CJ__CONTRACT_GAMMA],
                                        theta[CJ__CONTRACT_DELTA] + t, ask->delta);
    if (f.delta == 0 && c * theta[CJ__CONTRACT_GAMMA] <= 1)
        return (double)INFINITY;
    return ask_sum_bdw(&f);
}

/* Renewals in (from, until] of somebody there after t. */
static double ask_expected(const cj__clv_ask *ask, double t)
{
    const double *theta = ask->at->theta, m = cj__clv_periods(ask);
    const double from = fmax(0, floor(ask->from));
    double sum = 0;

    if (cj__clv_contract_c(ask->at) == 1)
        return exp(cj__clv_contract_log_ratio(ask->at, t, t + from)) *
               cj__clv_lives(theta[CJ__CONTRACT_GAMMA],
                             theta[CJ__CONTRACT_DELTA] + t + from, m);
    for (double s = from + 1; s <= from + m; s++) {
        const double value = exp(cj__clv_contract_log_ratio(ask->at, t, t + s));

        sum += value;
        if (!(value > ASK_SMALL * sum))
            break;
    }
    return sum;
}

/* Exactly n renewals in (from, until]: it ends at the n + 1st, or all of them are
 * made. */
static double ask_pmf(const cj__clv_ask *ask, double t)
{
    const double from = fmax(0, floor(ask->from)), m = cj__clv_periods(ask);
    const double n = (double)ask->n_purchases, there = t + from + n;

    if (n < 0 || n > m)
        return 0;
    if (n == 0)
        return m > 0 ? -expm1(cj__clv_contract_log_ratio(ask->at, t, there + 1)) : 1;
    return exp(cj__clv_contract_log_ratio(ask->at, t, there)) *
           (n < m ? -expm1(cj__clv_contract_log_ratio(ask->at, there, there + 1)) : 1);
}

/* Nobody who left comes back. */
static int32_t ask_each(const cj__clv_ask *ask,
                        double (*of)(const cj__clv_ask *, double), double lost,
                        double *out)
{
    const int32_t rc = cj__clv_each_t(ask, of, out);

    for (int64_t i = 0; i < ask->rows->n; i++) {
        if (ask->rows->x[i] > 0)
            out[i] = lost;
    }
    return rc;
}

int32_t cj__clv_contract_p_alive(const cj__clv_ask *ask, double *out)
{
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = !(ask->rows->x[i] > 0);
    return CJ_OK;
}

int32_t cj__clv_contract_expected(const cj__clv_ask *ask, double *out)
{
    return ask_each(ask, ask_expected, 0, out);
}

int32_t cj__clv_contract_pmf(const cj__clv_ask *ask, double *out)
{
    return ask_each(ask, ask_pmf, ask->n_purchases == 0, out);
}

int32_t cj__clv_contract_dert(const cj__clv_ask *ask, double *out)
{
    return ask_each(ask, ask_dert, 0, out);
}

double cj__clv_contract_expected_new(const cj__clv_at *at, double t)
{
    return ask_expected(&(cj__clv_ask){.at = at, .until = t}, 0);
}

double cj__clv_contract_pmf_new(const cj__clv_at *at, double from, double until,
                                int64_t n)
{
    const cj__clv_ask ask = {.at = at, .from = from, .until = until, .n_purchases = n};

    return ask_pmf(&ask, 0);
}
