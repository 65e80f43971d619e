/* (M)BG/NBD: expected purchases and their discounted residual sum.  Given lambda and p
 * a living customer stays for an exponential time of rate lambda p, and so buys
 * (1 - e^(-lambda p t)) / p times until t.  Over lambda ~ Gamma(n, s), s = alpha + T:
 *
 *   E[purchases in (f, u]] = P(alive) E_p[ ((1 + p f/s)^-n - (1 + p u/s)^-n) / p ]
 *   DERT = P(alive) E_p E_lambda[ lambda / (lambda p + delta) ]
 *
 * with p ~ Beta(a, b + c).  The first is 2F1 in the papers (Fader, Hardie & Lee 2005,
 * eq. 10), which cancels near a = 1; the mean over p (clv_beta.h) has terms of one sign
 * for all parameters.  DERT has no published form: the mean over lambda is taken by the
 * trapezoidal rule, too. */
#include "metrics/clv_beta.h"
#include "metrics/clv_bg_grid.h"

#include "base/special.h"

#include <math.h>

#define EXPECT_REACH 37.0 /* e^-37 = 1e-16 */
#define EXPECT_LAMBDAS 256
#define EXPECT_TERMS 6
#define EXPECT_SMALL 5e-3 /* to the 7th 1e-16 */

/* ---- expected purchases ---------------------------------------------------------- */

/* The rule for p, of customers with x purchases and all scales from the one given on.
 */
typedef struct expect_p {
    const cj__clv_ask *ask;
    double n;                   /* r + x */
    double ratio[EXPECT_TERMS]; /* of the binomial series of (1+y)^-n */
    cj__clv_beta rule;
} expect_p;

/* nearest: of clv_beta.h, for the smallest scale. */
static void expect_rule(expect_p *e, double x, double nearest)
{
    const cj__clv_at *at = e->ask->at;

    cj__clv_beta_rule(at->theta[2], at->theta[3] + cj__bg_chances(at, x),
                      fmin(1, nearest), &e->rule);
}

static void expect_turn(void *user, double x, double scale)
{
    expect_p *e = user;

    e->n = e->ask->at->theta[0] + x;
    for (int k = 0; k < EXPECT_TERMS; k++)
        e->ratio[k] = (e->n + k + 1) / (k + 2);
    expect_rule(e, x, 1 / (1 + (e->n + 1) * e->ask->until / scale));
}

/* (1 - (1+y)^-n) / (n y) for small y: the binomial series up to ((n+1) y)^7. */
static double expect_small(const double *ratio, double y)
{
    double sum = 1;

    for (int k = EXPECT_TERMS - 1; k >= 0; k--)
        sum = 1 - y * ratio[k] * sum;
    return sum;
}

/* Purchases in (from, until], both times over the scale. */
static double expect_given_p(const expect_p *e, double p, double from, double until)
{
    double value, power;

    if (!(from > 0) && (e->n + 1) * p * until < EXPECT_SMALL)
        return e->n * until * expect_small(e->ratio, p * until);
    power = e->n * cj__log1p(p * (until - from) / (1 + p * from));
    value = power > 0.5 ? 1 - exp(-power) : -expm1(-power); /* exp() is faster */
    if (from > 0)
        value *= exp(-e->n * cj__log1p(p * from));
    return value / p;
}

static double expect_number(void *user, double scale)
{
    const expect_p *e = user;
    const double from = e->ask->from / scale, until = e->ask->until / scale;
    double sum = 0;

    for (int32_t i = 0; i < e->rule.n; i++)
        sum += e->rule.weight[i] * expect_given_p(e, e->rule.p[i], from, until);
    return sum;
}

static cj__bg_grid expect_grid(expect_p *user)
{
    const cj__clv_ask *ask = user->ask;

    return (cj__bg_grid){ask, user, expect_turn, expect_number, 0, ask->until};
}

int32_t cj__bg_expected(const cj__clv_ask *ask, double *out)
{
    expect_p user = {.ask = ask};
    const cj__bg_grid grid = expect_grid(&user);

    if (ask->until > ask->from)
        return cj__bg_grid_answer(&grid, out);
    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = 0;
    return CJ_OK;
}

double cj__bg_expected_new(const cj__clv_at *at, double t)
{
    const cj__clv_ask ask = {.at = at, .until = t};
    expect_p user = {.ask = &ask};
    const cj__bg_grid grid = expect_grid(&user);

    return t > 0 ? cj__bg_grid_new(&grid) : 0;
}

/* ---- discounted ------------------------------------------------------------------ */

/* lambda/scale ~ Gamma(n+1), which takes the numerator's lambda in: n E[1 / (lambda p +
 * delta scale)].  In y = ln(lambda) the density grows off the real axis as
 * cos(t)^-(n+1); the step makes cos(t)^-(n+1) e^(-2 pi t / step) < 1e-16 for the best t
 * (Trefethen & Weideman 2014, th. 5.1). */
typedef struct expect_delta {
    expect_p p;
    int32_t n_lambda;
    double lambda[EXPECT_LAMBDAS], weight[EXPECT_LAMBDAS];
} expect_delta;

static void expect_lambda(expect_delta *d, double n)
{
    const double step = 1 / sqrt(17.1 + 3 * n), centre = log(n + 1);
    double sum = 0;

    d->n_lambda = 0;
    for (int side = -1; side <= 1; side += 2) {
        for (double m = side < 0 ? -1 : 0; d->n_lambda < EXPECT_LAMBDAS; m += side) {
            const double z = m * step;
            const double g = (n + 1) * (z - expm1(z)); /* ln density, 0 at the centre */

            if (g < -EXPECT_REACH)
                break;
            d->lambda[d->n_lambda] = exp(centre + z);
            d->weight[d->n_lambda] = exp(g);
            sum += d->weight[d->n_lambda++];
        }
    }
    for (int32_t i = 0; i < d->n_lambda; i++)
        d->weight[i] *= n / sum;
}

static void expect_delta_turn(void *user, double x, double scale)
{
    expect_delta *d = user;

    d->p.n = d->p.ask->at->theta[0] + x;
    expect_rule(&d->p, x, d->p.ask->delta * scale / (d->p.n + 40));
    expect_lambda(d, d->p.n);
}

static double expect_delta_number(void *user, double scale)
{
    const expect_delta *d = user;
    const double u = d->p.ask->delta * scale;
    double sum = 0;

    for (int32_t i = 0; i < d->p.rule.n; i++) {
        const double p = d->p.rule.p[i];
        double mean = 0;

        for (int32_t j = 0; j < d->n_lambda; j++)
            mean += d->weight[j] / (d->lambda[j] * p + u);
        sum += d->p.rule.weight[i] * mean;
    }
    return sum;
}

/* Without a discount everybody buys until dropping out: E[1/p] purchases. */
static void expect_undiscounted(const cj__clv_ask *ask, double *out)
{
    const double a = ask->at->theta[2], b = ask->at->theta[3];
    const cj__clv_rows *rows = ask->rows;
    cj__bg_entry own;

    for (int64_t i = 0; i < rows->n; i++) {
        const double c = cj__bg_chances(ask->at, rows->x[i]);
        const double odds = cj__bg_odds(ask->at, cj__bg_find(ask->at, rows->x[i], &own),
                                        rows->tx[i], rows->t[i]);

        out[i] = a > 1 ? (a + b + c - 1) / (a - 1) / (1 + odds) : HUGE_VAL;
    }
}

int32_t cj__bg_dert(const cj__clv_ask *ask, double *out)
{
    expect_delta user = {.p = {.ask = ask}};
    const cj__bg_grid grid = {
        ask, &user, expect_delta_turn, expect_delta_number, 0, 1 / ask->delta};

    if (!(ask->delta > 0)) {
        expect_undiscounted(ask, out);
        return CJ_OK;
    }
    return cj__bg_grid_answer(&grid, out);
}
