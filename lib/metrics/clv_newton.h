/* A minimum of a smooth function of a few variables within bounds, by Newton's method
 * in a trust region.  Knows nothing of models.  Private to the fit of the value models.
 */
#ifndef CJ__METRICS_CLV_NEWTON_H
#define CJ__METRICS_CLV_NEWTON_H

#include <stdint.h>

#define CJ__NEWTON_MAX 40 /* variables */

typedef struct cj__newton_point {
    double y[CJ__NEWTON_MAX];
    double value;
    double gradient[CJ__NEWTON_MAX];
    double hessian[CJ__NEWTON_MAX * CJ__NEWTON_MAX]; /* n x n */
} cj__newton_point;

typedef enum cj__newton_end {
    CJ__NEWTON_DONE = 1,   /* nothing is left to gain, some variables held maybe */
    CJ__NEWTON_STALLED,    /* rounding hides what is left to gain */
    CJ__NEWTON_ITERATIONS, /* too many */
    CJ__NEWTON_NOT_FINITE  /* the function is not finite at the start */
} cj__newton_end;

typedef struct cj__newton {
    int32_t n;
    double low[CJ__NEWTON_MAX], high[CJ__NEWTON_MAX];
    double tolerance; /* of the largest step but one */
    int is_rough;     /* then that one is the last, and not evaluated */
    /* Fill value, gradient and Hessian at out->y; an error stops everything. */
    int32_t (*evaluate)(void *user, cj__newton_point *out);
    void *user;
    int32_t n_iterations; /* evaluations so far; counts on */
    cj__newton_end end;
    uint8_t held[CJ__NEWTON_MAX]; /* at a bound, and would go further */
} cj__newton;

/* From at->y to the minimum.  at holds the derivatives of the last evaluation: one last
 * step, far below the tolerance, may have been made since. */
int32_t cj__newton_run(cj__newton *n, cj__newton_point *at);

/* The variables that are not held: how many, and which. */
int32_t cj__newton_free(const cj__newton *n, int32_t *which);

#endif
