/* The trapezoidal rule in y = ln(p / (1-p)).  There the density is e^(ay) /
 * (1+e^y)^(a+b) and everything is analytic for |Im y| < pi; moving the path up to Im y
 * = t wins e^(-2 pi t / h) and loses the density's growth (Trefethen & Weideman 2014,
 * th. 5.1).  The step below holds the best of both under e^-37 = 1e-16: pi / 18 for a,
 * b -> 0, pi^2 / 37 where b >> 1 >> a (e^(-b e^y) grows beyond pi/2), and by the width
 * of the density for large a and b.  Far out (p below nearest e^-19, 1-p below e^-19) f
 * and the density's second factor are straight lines to 1e-16: the rest of the infinite
 * sum is geometric, and becomes one place, where a line has its mean. */
#include "metrics/clv_beta.h"

#include <math.h>

#define BETA_REACH 19.0  /* of places */
#define BETA_LEAST -74.0 /* ln of the smallest weight, to the largest */

static void beta_place(cj__clv_beta *out, double y, double log_weight)
{
    if (out->n == CJ__CLV_BETA_PLACES)
        return;
    out->p[out->n] = 1 / (1 + exp(-y));
    out->s[out->n] = 1 / (1 + exp(y));
    out->weight[out->n++] = exp(log_weight);
}

static double beta_log_density(double a, double b, double y)
{
    return y < 0 ? a * y - (a + b) * log1p(exp(y)) : -b * y - (a + b) * log1p(exp(-y));
}

/* The places y, y + step, ... with density e^g there, as one: their weights fall by
 * e^-d (1 + k - k e^-h), k = (a+b) e^-|y|, and p (or 1-p) by e^-h. */
static void beta_rest(double a, double b, double step, double y, double g,
                      cj__clv_beta *out)
{
    const double h = fabs(step), d = h * (step < 0 ? a : b),
                 k = (a + b) * exp(-fabs(y));
    const double sum = -1 / expm1(-d), lines = -1 / expm1(-d - h);

    beta_place(out, y + copysign(log(sum / lines), step),
               g + log(sum + k * (sum - lines)));
}

/* Places beyond the centre in one direction. */
static void beta_side(double a, double b, double step, double end, cj__clv_beta *out)
{
    const double centre = log(a / b), top = beta_log_density(a, b, centre);

    for (double m = 1;; m++) {
        const double y = centre + m * step, g = beta_log_density(a, b, y) - top;

        if (g < BETA_LEAST)
            return;
        if ((y - end) * step > 0) {
            beta_rest(a, b, step, y, g, out);
            return;
        }
        beta_place(out, y, g);
    }
}

void cj__clv_beta_rule(double a, double b, double nearest, cj__clv_beta *out)
{
    const double centre = log(a / b);
    const double most = fmax(a, b);
    const double step = 1 / sqrt(3.6 + 10.5 * most / (most + 15) + 3 * a * b / (a + b));
    double sum = 0;

    out->n = 0;
    beta_place(out, centre, 0);
    beta_side(a, b, -step, fmin(centre, log(nearest)) - BETA_REACH, out);
    beta_side(a, b, step, fmax(centre, 0) + BETA_REACH, out);
    for (int32_t i = 0; i < out->n; i++)
        sum += out->weight[i];
    for (int32_t i = 0; i < out->n; i++)
        out->weight[i] /= sum;
}
