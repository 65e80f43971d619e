/* Pareto/NBD: P(n purchases in (from, until]) of a newcomer (Fader & Hardie 2006,
 * "Deriving an Expression for P(X(t, t+tau) = n) Under the Pareto/NBD Model"), again
 * without 2F1: with d = until - from, b = beta + from and the negative binomial NB(n;
 * v),
 *
 *   gone before from [n = 0]
 *   + alive at from { NB(n; d) (b/(b+d))^s + s b^s int_0^d NB(n; v) (b+v)^-(s+1) dv }
 *
 * In z = ln v the integrand is smooth, log-concave, and its slope vanishes at the root
 * of a quadratic: panels go from the peak to both sides until nothing is left. */
#include "metrics/clv_pareto.h"

#include "base/gamma_step.h"
#include "base/special.h"

#include <math.h>

#define PMF_LENGTH 4.0 /* of a panel at most, and the fall of the logarithm in it */
#define PMF_FALL 16.0

typedef struct pmf_integrand {
    double r, alpha, s, b, n;
    double peak; /* the logarithm there */
} pmf_integrand;

static double pmf_log(const pmf_integrand *f, double z)
{
    const double v = exp(z);

    return z - f->n * log1p(f->alpha / v) - f->r * log1p(v / f->alpha) -
           (f->s + 1) * log1p(v / f->b);
}

static double pmf_slope(const pmf_integrand *f, double z)
{
    const double v = exp(z);

    return 1 + (f->n * f->alpha - f->r * v) / (f->alpha + v) -
           (f->s + 1) * v / (f->b + v);
}

/* Where the slope is zero, with w = v / alpha and q = b / alpha: (r+s) w^2 - linear w -
 * q (n+1) = 0. */
static double pmf_peak(const pmf_integrand *f)
{
    const double q = f->b / f->alpha, linear = f->n - f->s + q * (1 - f->r),
                 root = hypot(linear, 2 * sqrt(f->r + f->s) * sqrt(q * (f->n + 1))),
                 w = linear > 0 ? (linear + root) / (2 * (f->r + f->s))
                                : 2 * q * (f->n + 1) / (root - linear);

    return log(f->alpha) + log(w);
}

/* One panel: the integral over e^peak. */
static double pmf_panel(const pmf_integrand *f, double z, double length, double fall)
{
    const cj__gauss *rule = cj__pareto_rule(length, fall);
    double sum = 0;

    for (int32_t i = 0; i < rule->n / 2; i++) {
        const double step = length * rule->place[i];

        sum += rule->weight[i] * (exp(pmf_log(f, z + step) - f->peak) +
                                  exp(pmf_log(f, z + length - step) - f->peak));
    }
    return sum * length;
}

/* Panels from z on to `end`, upwards (sign 1) or downwards (-1). */
static double pmf_side(const pmf_integrand *f, double z, double end, double sign)
{
    double sum = 0;

    while (sign * (end - z) > 0) {
        const double least = 1e-12 * (1 + fabs(z));
        double length = fmin(PMF_LENGTH, sign * (end - z)), fall, slope;

        for (;;) {
            slope = fabs(pmf_slope(f, z + sign * length));
            fall = length * fmax(slope, fabs(pmf_slope(f, z)));
            if (!(fall > PMF_FALL && length > least)) /* or NaN */
                break;
            length *= fmax(0.95 * PMF_FALL / fall, 0.25);
        }
        sum += pmf_panel(f, sign > 0 ? z : z - length, length, fall);
        z += sign * length;
        if (!(exp(pmf_log(f, z) - f->peak) > 1e-17 * slope * sum))
            break;
    }
    return sum;
}

/* ln of int_0^d (v/(alpha+v))^n (alpha/(alpha+v))^r (b/(b+v))^(s+1) dv */
static double pmf_gone(pmf_integrand *f, double d)
{
    const double top = log(d), peak = fmin(pmf_peak(f), top);

    f->peak = pmf_log(f, peak);
    return f->peak + log(pmf_side(f, peak, top, 1) + pmf_side(f, peak, -1e4, -1));
}

static double pmf_some(const double *theta, double b, double d, double n)
{
    pmf_integrand f = {theta[0], theta[1], theta[2], b, n, 0};
    const double choose = cj__gamma_step(f.r, n).lgamma - cj__lgamma(n + 1);
    const double alive =
        choose - n * log1p(f.alpha / d) - f.r * log1p(d / f.alpha) - f.s * log1p(d / b);

    return fmin(1, exp(alive) + exp(choose + log(f.s / b) + pmf_gone(&f, d)));
}

double cj__pareto_chance(const double *theta, double from, double until, int64_t n)
{
    const double d = until - from, log_stay = -theta[2] * log1p(from / theta[3]);
    const double here[] = {theta[0], theta[1], theta[2], theta[3] + from},
                 quiet[] = {0, 0, d};
    cj__pareto_row row;

    if (n < 0 || (n > 0 && d <= 0))
        return 0;
    if (n > 0)
        return exp(log_stay) * pmf_some(theta, here[3], d, (double)n);
    cj__pareto_row_set(&row, here, quiet, NULL); /* a row that did not buy in d */
    return exp(log_stay) * (row.alive + row.gone) - expm1(log_stay);
}
