/* Customers who are alike as one row with a weight, in an order that depends on what
 * the rows hold and on nothing else.  Private to the fit of the value models. */
#ifndef CJ__METRICS_CLV_ROWS_H
#define CJ__METRICS_CLV_ROWS_H

#include "metrics/clv_fit.h"

typedef struct cj__clv_groups {
    const cj__allocator *allocator;
    const cj_clv_data *data;
    cj__clv_family family;
    int64_t n, room; /* rows there are, and were asked for */
    uint32_t *x;
    double *tx, *t, *z; /* in units of `scale`; NULL: not of this family */
    double *weight;
    /* Rows of one covariate pattern lie together: pattern p is rows first[p] to
     * first[p + 1], its covariates are those of customer who[p].  NULL: none. */
    int64_t n_patterns, pattern_room;
    uint32_t *first, *who;
    double centre[CJ__CLV_COVARIATES], spread[CJ__CLV_COVARIATES];
    double scale; /* unit of the rows: mean T, geometric mean of z (spend); else 1 */
    double n_customers, n_repeaters, sum_x, sum_litt; /* weighted; litt in days */
    int64_t max_x;
    cj__clv_means means; /* in units of scale */
} cj__clv_groups;

/* The data were checked.  *out is to be ended also after a failure. */
int32_t cj__clv_group(const cj__allocator *a, const cj__clv_model *model,
                      const cj_clv_data *data, cj__clv_groups *out);
/* A fair sample of so many customers, without covariates; to be ended by itself. */
int32_t cj__clv_groups_sample(const cj__clv_groups *from, int64_t n_customers,
                              cj__clv_groups *out);
void cj__clv_groups_end(cj__clv_groups *groups);

#endif
