/* Answers that are dear for one customer, cheap for many: numbers of customers with
 * equal x depend smoothly on ln(alpha + T), so that they are worked out at a few places
 * and interpolated (Chebyshev), each piece checked by its last coefficients.  Errors
 * are about 1e-13 of the largest number in a piece.  A customer's answer does not
 * depend on who else is asked for: not on order, company or threads. */
#ifndef CJ__METRICS_CLV_CURVE_H
#define CJ__METRICS_CLV_CURVE_H

#include "metrics/clv.h"

#define CJ__CLV_CURVE_WIDTH CJ__CLV_K /* numbers per customer at most */

typedef struct cj__clv_curve {
    const cj__clv_ask *ask;
    int32_t width; /* numbers at one place */
    void *user;
    /* The numbers of customers with x purchases at scale = alpha + T. */
    void (*at)(void *user, double x, double scale, double *numbers);
    /* The answer for one row, from its numbers. */
    double (*row)(void *user, int64_t row, const double *numbers);
} cj__clv_curve;

/* CJ_ENOMEM is the only error. */
int32_t cj__clv_curve_answer(const cj__clv_curve *curve, double *out);

#endif
