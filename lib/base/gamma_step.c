/* Stirling's series (Abramowitz & Stegun 6.1.41, 6.3.18, 6.4.12) taken at both ends of
 * the step, difference by difference: logarithms by log1p of the ratio, powers of 1/x
 * by the divided difference of their polynomial, so that nothing large cancels.
 * Arguments below 10 are shifted up by the recurrences, whose factors are gathered as 1
 * + e. */
#include "base/gamma_step.h"

#include "base/special.h"

#include <math.h>

#define STEP_FROM 10.0 /* the series is good to 1e-17 from here on */
#define STEP_TERMS 8
#define STEP_FAR 1e20

/* ln Gamma: r * LGAMMA(r^2); psi: -r^2 * DIGAMMA(r^2); psi': r^3 * TRIGAMMA(r^2). */
static const double lgamma_series[STEP_TERMS] = {
    1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
    1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400};
static const double digamma_series[STEP_TERMS] = {
    1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
    1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};
static const double trigamma_series[STEP_TERMS] = {
    1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
    5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510};

/* P(a) and (P(b) - P(a)) / (b - a), together by Horner's rule. */
static double step_divided(const double *c, double a, double b, double *value)
{
    double p = c[STEP_TERMS - 1], slope = 0;

    for (int i = STEP_TERMS - 2; i >= 0; i--) {
        slope = slope * b + p;
        p = p * a + c[i];
    }
    *value = p;
    return slope;
}

/* The steps of the three series from 1/r to 1/s, and of the squares beside them; psi's
 * -1/2x and psi's derivative's 1/x are the callers'. */
static cj__gamma3 step_tail(double r, double s, double change)
{
    const double y = r * r, z = s * s, change2 = change * (r + s);
    cj__gamma3 out;
    double p, slope;

    slope = step_divided(lgamma_series, z, y, &p);
    out.lgamma = change * p + r * change2 * slope;
    slope = step_divided(digamma_series, z, y, &p);
    out.digamma = -change2 * (p + y * slope);
    slope = step_divided(trigamma_series, z, y, &p);
    /* r y T(y): the step of r times s y T, and r times that of y T */
    out.trigamma = 0.5 * change2 + change * z * p + r * change2 * (p + y * slope);
    return out;
}

/* Ten factors of d / x are no double, and the difference is nothing but its end. */
static cj__gamma3 step_far(double x, double d)
{
    return (cj__gamma3){cj__lgamma(x + d) - cj__lgamma(x),
                        cj__digamma(x + d) - cj__digamma(x),
                        cj__trigamma(x + d) - cj__trigamma(x)};
}

cj__gamma3 cj__gamma_step(double x, double d)
{
    cj__gamma3 out, shift = {0, 0, 0};
    double r, s, change, log_ratio;

    if (d > STEP_FAR)
        return step_far(x, d);
    for (; x < STEP_FROM; x++) {
        const double e = d / x, q = 1 / (x * (x + d));

        shift.lgamma += e + shift.lgamma * e;
        shift.digamma += d * q;
        shift.trigamma += d * q * ((1 / x) + 1 / (x + d));
    }
    r = 1 / x;
    s = 1 / (x + d);
    change = -d * r * s;
    log_ratio = log1p(d * r);
    out = step_tail(r, s, change);
    out.lgamma += (x - 0.5) * log_ratio + d * (log(x + d) - 1) - log1p(shift.lgamma);
    out.digamma += log_ratio - 0.5 * change + shift.digamma;
    out.trigamma += change - shift.trigamma;
    return out;
}

/* The second difference of (t - 1/2) ln t at t = x, x + a, x + b, x + a + b, negated as
 * the cross is; b <= a.  With A = a/x, B = b/x and l = ln((1+A)(1+B) / (1+A+B)), that
 * of t ln t is x ((1+B) l - B ln(1+A) - A ln(1 + B/(1+A))). */
static double cross_logarithm(double x, double a, double b, double l)
{
    return (x + b - 0.5) * l - b * log1p(a / x) - a * log1p(b / (x + a));
}

cj__gamma3 cj__gamma_cross(double x, double a, double b)
{
    cj__gamma3 out, near, far, shift = {0, 0, 0};
    double l, r, s, r2, s2, change;

    if (b > a)
        return cj__gamma_cross(x, b, a);
    for (; x < STEP_FROM; x++) {
        const double q = 1 / (x * (x + a + b)), e = (a * q) * b,
                     p = 1 / ((x + a) * (x + b));

        shift.lgamma += e + shift.lgamma * e;
        shift.digamma += e * p * (2 * x + a + b);
        shift.trigamma +=
            b * (2 * x + b) * (1 / (x * x * (x + b) * (x + b))) -
            b * (2 * (x + a) + b) * (q * x) * (q * x) * (1 / ((x + a) * (x + a)));
    }
    l = log1p(a / x * (b / (x + a + b)));
    r = 1 / x;
    s = 1 / (x + b);
    r2 = 1 / (x + a);
    s2 = 1 / (x + a + b);
    change = -(a * r2) * (b * s) * ((2 * x + a + b) * s2) * r; /* of 1/x */
    near = step_tail(r, s, -b * r * s);
    far = step_tail(r2, s2, -b * r2 * s2);
    out.lgamma =
        cross_logarithm(x, a, b, l) + (near.lgamma - far.lgamma) - log1p(shift.lgamma);
    out.digamma = l - 0.5 * change + (near.digamma - far.digamma) + shift.digamma;
    out.trigamma = change + (near.trigamma - far.trigamma) - shift.trigamma;
    return out;
}
