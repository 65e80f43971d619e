/* Special functions that libm has not, for positive arguments: what the value models
 * are made of.  Relative error about 1e-15 unless a line says otherwise; NaN in, NaN
 * out; nothing here allocates or fails. */
#ifndef CJ__BASE_SPECIAL_H
#define CJ__BASE_SPECIAL_H

/* ln Gamma(x).  (lgamma() of libm writes the process-wide signgam.) */
double cj__lgamma(double x);
/* psi(x) = d ln Gamma / dx, and its derivative. */
double cj__digamma(double x);
double cj__trigamma(double x);

/* ln (z)_m = ln Gamma(z+m) - ln Gamma(z) and its first two derivatives in z, where the
 * difference of two of the above would lose its digits. */
void cj__log_rising(double z, double m, double out[3]);

#endif
