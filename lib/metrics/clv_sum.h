/* The log-likelihood of all customers with its derivatives: sums of what a model says
 * of chunks of rows, the same bits for any number of threads.  Private to the fit. */
#ifndef CJ__METRICS_CLV_SUM_H
#define CJ__METRICS_CLV_SUM_H

#include "metrics/clv_rows.h"

/* Where sums are taken: y holds the logarithms of the parameters (in units of the
 * groups), then of each group of effects one coefficient per covariate, of covariates
 * brought to mean 0 and standard deviation 1. */
typedef struct cj__clv_total {
    double loglik, weight;
    double gradient[CJ__CLV_FREE];
    double hessian[CJ__CLV_FREE * CJ__CLV_FREE]; /* n_free x n_free, both triangles */
} cj__clv_total;

typedef struct cj__clv_sum {
    const cj__allocator *allocator;
    const cj__clv_model *model;
    const cj__clv_groups *groups;
    int32_t k, threads, n_free;
    int32_t n_groups_of_effects; /* that act on anything, if there are covariates */
    int64_t n_rows;              /* the first ones only; groups->n: all */
    cj__clv_at *ats;             /* one per thread, or one for all */
    int32_t n_ats;
    void *blocks;
    size_t blocks_bytes;
    const double *y;
} cj__clv_sum;

int32_t cj__clv_sum_begin(cj__clv_sum *s, const cj__clv_groups *groups,
                          const cj__clv_model *model, int32_t k, int32_t threads);
void cj__clv_sum_at(cj__clv_sum *s, const double *y, cj__clv_total *out);
void cj__clv_sum_end(cj__clv_sum *s);

#endif
