/* Special functions that libm has not, for positive arguments: what the value models
 * are made of.  Relative error about 1e-15 unless a line says otherwise; NaN in, NaN
 * out; nothing here allocates or fails. */
#ifndef CJ__BASE_SPECIAL_H
#define CJ__BASE_SPECIAL_H

#include <math.h>

/* ln(1+u) for finite u >= 0, to the last digits also for small u: the logarithm of the
 * rounded 1+u, and a correction by what rounding took (W. Kahan).  Half the time of
 * log1p(). */
static inline double cj__log1p(double u)
{
    const double w = 1 + u;

    return log(w) + (u - (w - 1)) / w;
}

/* ln Gamma(x).  (lgamma() of libm writes the process-wide signgam.) */
double cj__lgamma(double x);
/* psi(x) = d ln Gamma / dx, and its derivative. */
double cj__digamma(double x);
double cj__trigamma(double x);

/* The incomplete beta function I_x(a, b) without its factor x^a (1-x)^b / (a B(a, b)),
 * for x < (a+1) / (a+b+2); beyond use I_x(a, b) = 1 - I_(1-x)(b, a).  About sqrt(a + b)
 * steps. */
double cj__beta_fraction(double a, double b, double x);

/* e^z E_s(z) = int_1^inf e^(z - z t) t^-s dt, s > 0; at z = 0 it is 1 / (s-1), infinite
 * for s <= 1. */
double cj__expint(double s, double z);

#endif
