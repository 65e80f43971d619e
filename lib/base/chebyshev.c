/* See chebyshev.h.  Places and coefficients as in Numerical Recipes 5.8, the first
 * coefficient halved already.  All cosines are of one table: cos(pi m (2i+1) / 2n). */
#include "base/chebyshev.h"

#include <assert.h>
#include <math.h>

#define CHEBYSHEV_PI 3.14159265358979323846

void cj__chebyshev_begin(cj__chebyshev *c, int32_t n)
{
    assert(n > 0 && n <= CJ__CHEBYSHEV_MAX);
    c->n = n;
    for (int32_t k = 0; k < 4 * n; k++)
        c->cosine[k] = cos(CHEBYSHEV_PI * k / (2 * n));
}

void cj__chebyshev_fit(const cj__chebyshev *c, const double *values, int32_t stride,
                       double *coefs)
{
    const int32_t n = c->n;

    for (int32_t m = 0; m < n; m++) {
        double sum = 0;

        for (int32_t i = 0; i < n; i++)
            sum += values[i * stride] * c->cosine[m * (2 * i + 1) % (4 * n)];
        coefs[m * stride] = sum * (m == 0 ? 1 : 2) / n;
    }
}
