/* What the files of RFM share: what the fold remembers, scales that turn a value into a
 * score, the grid of classes.  Private to room metrics. */
#ifndef CJ__METRICS_RFM_H
#define CJ__METRICS_RFM_H

#include "metrics/days.h"
#include "metrics/metrics.h"

/* ---- rfm_fold.c: a customer's purchases in five integers
 * ----------------------------- */

typedef struct cj__rfm_fold {
    cj__days days;
    int32_t repeat_days; /* count days (costs a little) */
    int32_t net;         /* less refunds */
} cj__rfm_fold;

typedef struct cj__rfm_fact {
    uint32_t profile;
    uint32_t n_orders, n_days; /* with a positive total; n_days 0: not counted */
    int64_t last_ms;           /* of the last such order */
    int64_t sum_minor;
} cj__rfm_fact;

#define CJ__RFM_FACT_BYTES 32

/* What is remembered while events come in any order; 0: none came. */
typedef struct cj__rfm_state {
    int64_t sum_minor; /* less n_wraps times 2^64: sums may wrap on their way */
    uint64_t last;     /* of the last order, counted from -2^63 ms */
    int32_t n_wraps;
    uint32_t n_orders;
} cj__rfm_state;

extern const cj__fold_states cj__rfm_states; /* unless repeat days are counted */

/* A cj__fold's function; arg is a cj__rfm_fold. */
int32_t cj__rfm_profile(const void *arg, cj__str *partial, uint32_t profile,
                        const cj__columns *columns, int64_t first, int64_t n);
/* n facts of a partial, from number `first`.  Errors: CJ_EVERSION. */
int32_t cj__rfm_facts_read(const cj__str *partial, int64_t first, int64_t n,
                           cj__rfm_fact *out);

/* ---- rfm_score.c
 * ------------------------------------------------------------------------ */

#define CJ__RFM_BINS 10   /* of quantile scoring at most */
#define CJ__RFM_LIMITS 99 /* fixed thresholds at most: nobody reads more scores */

/* Limits ascend.  A value's score is 1 + how many it reaches or, where less is better,
 * 1 + how many there are that it does not exceed. */
typedef struct cj__rfm_scale {
    int32_t less_is_better;
    int64_t n_scores; /* scores are 1..n_scores */
    int64_t n_limits;
    const int64_t *limits; /* the caller's, or own */
    int64_t own[CJ__RFM_BINS];
} cj__rfm_scale;

/* The caller's thresholds; name is the option's, for the error. */
int32_t cj__rfm_scale_fixed(cj__rfm_scale *s, const char *name, const int64_t *limits,
                            int64_t n_limits);
/* Score of v: 1 + floor(n_bins * (values worse than v) / n). */
int32_t cj__rfm_scale_quantile(cj__rfm_scale *s, const cj__allocator *a,
                               const int64_t *values, int64_t n, int64_t n_bins);
void cj__rfm_scores(const cj__rfm_scale *s, const int64_t *values, int64_t n,
                    int64_t *scores);

/* ---- rfm_class.c
 * ------------------------------------------------------------------------ */

/* The class of every combination of scores brought to 1..5. */
typedef struct cj__rfm_grid {
    cj__text name[5][5][5]; /* by r - 1, f - 1, m - 1; absent: none fits */
} cj__rfm_grid;

/* classes NULL: the usual eleven.  Names stay the caller's. */
int32_t cj__rfm_grid_make(cj__rfm_grid *g, const cj_rfm_class *classes, int64_t n);

/* ceil(score * 5 / n_scores), from 0. */
static inline int cj__rfm_fifth(int64_t score, int64_t n_scores)
{
    return (int)((score * 5 + n_scores - 1) / n_scores) - 1;
}

/* Name number i in order of precedence, of the caller's classes or the usual ones;
 * absent: there are no more. */
cj__text cj__rfm_class_name(const cj_rfm_class *classes, int64_t n, int64_t i);

/* ---- rfm.c ------------------------------------------------------------------------
 */

/* cj__rfm in a snapshot. */
int32_t cj__rfm_at(struct cj__reader *reader, const cj_rfm_options *opts,
                   cj_table **out);

/* ---- values.c: numbers that a host brings for profiles ------------------------------
 */

/* One walk along profiles that ascend, as the rows of a table do. */
typedef struct cj__values {
    cj_profile_values v;
    int64_t at;
} cj__values;

/* NULL: nobody has a value.  Errors: CJ_EINVAL unless profiles ascend and values are
 * finite. */
int32_t cj__values_read(const cj_profile_values *values, cj__values *out);
/* 1 when a profile has one; profiles are asked for in order. */
int cj__values_of(cj__values *v, int64_t profile, double *out);

#endif
