/* Differences of ln Gamma and its derivatives, as exact for small steps and large
 * arguments as for others: lgamma(x + d) - lgamma(x) loses nine digits at x = 1e8, and
 * the likelihood of a model near one of its limits is made of such differences. */
#ifndef CJ__BASE_GAMMA_STEP_H
#define CJ__BASE_GAMMA_STEP_H

/* Of ln Gamma, psi and psi', in this order. */
typedef struct cj__gamma3 {
    double lgamma, digamma, trigamma;
} cj__gamma3;

/* f(x + d) - f(x) for x > 0, d >= 0: relative error about 1e-15, for ln Gamma relative
 * to d |ln x| where the difference changes its sign. */
cj__gamma3 cj__gamma_step(double x, double d);

/* f(x + a) + f(x + b) - f(x) - f(x + a + b) for x > 0, a, b >= 0; ln Gamma's is the
 * logarithm of B(x + a, b) / B(x, b), never positive.  Relative error about 1e-14, of
 * psi and psi' growing as 1 / max(a, b) where both steps are tiny. */
cj__gamma3 cj__gamma_cross(double x, double a, double b);

#endif
