/* What Gamma-Gamma takes for granted, tested: that how much customers spend per
 * purchase has nothing to do with how often they buy.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_GAMMAGAMMA_H
#define CJ__METRICS_CLV_GAMMAGAMMA_H

#include "metrics/clv.h"

typedef struct cj__clv_independence {
    double n;           /* customers with x > 0 and z > 0 (sum of weights) */
    double correlation; /* Pearson's, of x and z; NaN: x or z does not vary, or n < 4 */
    double low, high;   /* its 95 % interval (Fisher's z) */
    double p_value;     /* of no correlation, two-sided (Fisher's z) */
    const char
        *status; /* independent, weak, dependent, too_few_customers, no_variation */
    const char *text; /* what that means for the value of customers */
} cj__clv_independence;

/* weight NULL: 1 each. */
void cj__clv_independence_test(const cj__clv_rows *rows, const double *weight,
                               cj__clv_independence *out);

#endif
