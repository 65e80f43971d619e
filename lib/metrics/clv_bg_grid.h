/* Answers that are dear for one customer, cheap for many: out = dead + P(alive) number,
 * where the number of a living customer depends on x and, smoothly, on alpha + T alone.
 * It is worked out at a few places per x and interpolated, to about 1e-13 relative;
 * where that cannot be had, row by row.  A customer's answer does not depend on who
 * else is asked for: not on order, company or threads. */
#ifndef CJ__METRICS_CLV_BG_GRID_H
#define CJ__METRICS_CLV_BG_GRID_H

#include "metrics/clv_bg.h"

typedef struct cj__bg_grid {
    const cj__clv_ask *ask;
    void *user;
    /* What follows is for x, and for scales from this one on. */
    void (*turn)(void *user, double x, double scale);
    double (*number)(void *user, double scale); /* > 0, of who is alive */
    double dead;                                /* number of the others: 0 or 1 */
    double reach; /* number * (scale + (r+x) reach) is nearly flat */
} cj__bg_grid;

/* CJ_ENOMEM is the only error. */
int32_t cj__bg_grid_answer(const cj__bg_grid *grid, double *out);
/* The answer for somebody who was acquired just now; the rows are not looked at. */
double cj__bg_grid_new(const cj__bg_grid *grid);

#endif
