/* What the answers over fitted models share: a fitted model readied for questions, and
 * customers brought into its units, a few thousand at a time, those with the same
 * covariates together.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_PREDICT_H
#define CJ__METRICS_CLV_PREDICT_H

#include "metrics/clv_answer.h"
#include "metrics/clv_fit.h"

#define CJ__CLV_YEAR_DAYS 365.2425
#define CJ__CLV_BLOCK                                                                  \
    262144 /* rows of one task: results must not depend on threads, and                \
            * models work out once per question what rows share */

/* A rate per year as the continuous rate per unit of time. */
double cj__clv_delta(double ratio_per_year, double unit_days);
/* Does it count whole periods? */
int32_t cj__clv_is_whole(const cj_clv *clv);

/* CJ_EINVAL when the data have not the covariates that the model was fitted to. */
int32_t cj__clv_covariates_check(const cj_clv *clv, const cj_clv_data *data);
/* The covariates of row i; NULL: the model has none. */
const double *cj__clv_covariates(const cj_clv *clv, const cj_clv_data *data, int64_t i);

/* A fitted model ready for rows with x up to max_x and these covariates (NULL: all 0);
 * wide: also for intervals. */
int32_t cj__clv_ready(cj__clv_around *around, const cj_clv *clv,
                      const double *covariates, int64_t max_x, int wide);
int64_t cj__clv_max_x(const cj_clv_data *data);

/* Rows of data in the units of a model, in memory of their own. */
typedef struct cj__clv_block {
    cj__clv_rows rows;
    int64_t first;
    double *columns[3];  /* x, tx, t; of `room` rows */
    double *gathered[3]; /* the same, of one part */
    int32_t *order;      /* rows by covariates */
    size_t room, bytes;
} cj__clv_block;

/* For the rows of data that one block has at most. */
int32_t cj__clv_block_begin(cj__clv_block *block, const cj__allocator *a,
                            const cj_clv *clv, int64_t n);
void cj__clv_block_end(cj__clv_block *block, const cj__allocator *a);
int64_t cj__clv_n_blocks(int64_t n);
void cj__clv_block_fill(cj__clv_block *block, const cj_clv_data *data,
                        const cj_clv *clv, int64_t number);

/* Rows with equal covariates: which[i] is the row in the block of row i here (NULL: all
 * rows are one part).  Parts are walked with *at from 0; 0: there is no other. */
typedef struct cj__clv_part {
    cj__clv_rows rows;
    const int32_t *which;
} cj__clv_part;

void cj__clv_block_sort(cj__clv_block *block, const cj_clv_data *data,
                        const cj_clv *clv);
int cj__clv_block_part(cj__clv_block *block, const cj_clv_data *data, const cj_clv *clv,
                       int64_t *at, cj__clv_part *part);

#endif
