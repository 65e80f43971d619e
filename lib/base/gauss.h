/* Gauss-Legendre quadrature on (0, 1): exact for polynomials up to degree 2n - 1. */
#ifndef CJ__BASE_GAUSS_H
#define CJ__BASE_GAUSS_H

#include <stdint.h>

#define CJ__GAUSS_MOST 20

/* n is even and the rule is symmetric: place[i] + place[n-1-i] = 1, equal weights.  Only
 * the lower half is here; the weights of both halves sum to 1. */
typedef struct cj__gauss {
    int32_t n;
    const double *place, *weight; /* n / 2 each */
} cj__gauss;

/* n: one of 6, 8, 10, 12, 16, 20; NULL for others. */
const cj__gauss *cj__gauss_rule(int32_t n);

#endif
