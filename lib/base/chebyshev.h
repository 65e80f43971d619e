/* Chebyshev series on [-1, 1]: a smooth function worked out at a few places, and its
 * sum everywhere else.  Whether the series is good enough, who uses it knows: its last
 * coefficients are about what is missing. */
#ifndef CJ__BASE_CHEBYSHEV_H
#define CJ__BASE_CHEBYSHEV_H

#include <stdint.h>

#define CJ__CHEBYSHEV_MAX 24

typedef struct cj__chebyshev {
    int32_t n;
    double cosine[4 * CJ__CHEBYSHEV_MAX]; /* cos(pi k / 2n), k < 4n */
} cj__chebyshev;

void cj__chebyshev_begin(cj__chebyshev *c, int32_t n);

/* Where the function is to be worked out: place i of n, descending. */
static inline double cj__chebyshev_place(const cj__chebyshev *c, int32_t i)
{
    return c->cosine[2 * i + 1];
}

/* The n coefficients from the values at the places; both lie `stride` numbers apart. */
void cj__chebyshev_fit(const cj__chebyshev *c, const double *values, int32_t stride,
                       double *coefs);

/* The sum at u, by Clenshaw's recurrence. */
static inline double cj__chebyshev_at(int32_t n, const double *coefs, int32_t stride,
                                      double u)
{
    double b1 = 0, b2 = 0;

    for (int32_t m = n - 1; m > 0; m--) {
        const double b = coefs[m * stride] + 2 * u * b1 - b2;

        b2 = b1;
        b1 = b;
    }
    return coefs[0] + u * b1 - b2;
}

#endif
