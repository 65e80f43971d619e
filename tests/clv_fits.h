/* What the suites of fitted value models share: data in columns, fits that must
 * succeed, and comparing fits bit by bit. */
#ifndef CJ_TESTS_CLV_FITS_H
#define CJ_TESTS_CLV_FITS_H

#include "metrics/clv_fit.h"

typedef struct clv_table {
    int64_t n, room;
    int64_t *x;
    double *tx, *t, *spend, *weight, *litt;
} clv_table;

void clv_table_add(clv_table *t, const double row[4]); /* x tx t spend; weight 1 */
void clv_table_end(clv_table *t);
/* The CDNOW sample in days; 0, said loudly, without the shared data. */
int clv_table_cdnow(clv_table *t);
cj_clv_data clv_table_data(const clv_table *t); /* borrowed; weights as they are */
void clv_table_shuffle(clv_table *t, uint64_t seed);

const cj__allocator *clv_memory(void); /* the C library's */
/* Fits, and fails the test where that fails. */
cj_clv *clv_fit(const cj_clv_data *data, const cj_clv_fit_options *opts);
cj_clv *clv_fit_model(const clv_table *t, const char *model, double unit_days);
struct clv_story;
struct clv_cohort;
/* A simulated cohort under the model that it is of. */
cj_clv *clv_fit_cohort(const struct clv_story *story, const struct clv_cohort *cohort);
const char *clv_status(const cj_clv *clv);
/* Every bit but n_rows is the same. */
void clv_expect_same(const cj_clv *a, const cj_clv *b);
/* Nothing in it is NaN or infinite. */
void clv_expect_finite(const cj_clv *clv);

#endif
