/* Neumaier's sum: the error of each addition is exact, whichever of the two was larger.
 * Infinity and NaN stay what they are. */
#include "base/sum.h"

#include <math.h>

enum { SUM_LANES = 4, SUM_CHUNK = 256 };

void cj__sum_add(cj__sum *s, double term)
{
    const double sum = s->high + term;

    if (fabs(s->high) >= fabs(term))
        s->low += s->high - sum + term;
    else
        s->low += term - sum + s->high;
    s->high = sum;
}

double cj__lanes(const double *a, int64_t n)
{
    double lane[SUM_LANES] = {0};
    int64_t i = 0;

    for (; i + SUM_LANES <= n; i += SUM_LANES) {
        for (int l = 0; l < SUM_LANES; l++)
            lane[l] += a[i + l];
    }
    for (; i < n; i++)
        lane[0] += a[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

double cj__lanes_product(const double *a, const double *b, int64_t n)
{
    double lane[SUM_LANES] = {0};
    int64_t i = 0;

    for (; i + SUM_LANES <= n; i += SUM_LANES) {
        for (int l = 0; l < SUM_LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    }
    for (; i < n; i++)
        lane[0] += a[i] * b[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

double cj__sum_column(const double *a, int64_t n)
{
    cj__sum s = {0, 0};

    for (int64_t i = 0; i < n; i += SUM_CHUNK)
        cj__sum_add(&s, cj__lanes(a + i, n - i < SUM_CHUNK ? n - i : SUM_CHUNK));
    return cj__sum_of(&s);
}

double cj__sum_product(const double *a, const double *b, int64_t n)
{
    cj__sum s = {0, 0};

    for (int64_t i = 0; i < n; i += SUM_CHUNK)
        cj__sum_add(
            &s, cj__lanes_product(a + i, b + i, n - i < SUM_CHUNK ? n - i : SUM_CHUNK));
    return cj__sum_of(&s);
}

double cj__sum_of(const cj__sum *s)
{
    return isfinite(s->high) ? s->high + s->low : s->high;
}
