/* Neumaier's sum: the error of each addition is exact, whichever of the two was larger.
 * Infinity and NaN stay what they are. */
#include "base/sum.h"

#include <math.h>

void cj__sum_add(cj__sum *s, double term)
{
    const double sum = s->high + term;

    if (fabs(s->high) >= fabs(term))
        s->low += s->high - sum + term;
    else
        s->low += term - sum + s->high;
    s->high = sum;
}

double cj__sum_of(const cj__sum *s)
{
    return isfinite(s->high) ? s->high + s->low : s->high;
}
