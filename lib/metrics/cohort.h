/* What the files of cohorts share: what the fold remembers of each customer.  Private
 * to room metrics. */
#ifndef CJ__METRICS_COHORT_H
#define CJ__METRICS_COHORT_H

#include "metrics/metrics.h"

#define CJ__COHORT_MONTH_MS INT64_C(2629746000) /* 365.2425 / 12 days */
#define CJ__COHORT_MONTHS 600                   /* of age at most: fifty years */

typedef struct cj__cohort_fold {
    int32_t net; /* less refunds */
} cj__cohort_fold;

typedef struct cj__cohort_fact {
    uint32_t profile, channel, campaign; /* terms; 0: none */
    uint32_t n_orders;                   /* with a positive total */
    int64_t first_ms;                    /* of them */
    int64_t minor;
    const char *ages; /* in the partial: n_ages pairs */
    uint32_t n_ages;
} cj__cohort_fact;

/* A cj__fold's function; arg is a cj__cohort_fold. */
int32_t cj__cohort_profile(const void *arg, cj__str *partial, uint32_t profile,
                           const cj__columns *columns, int64_t first, int64_t n);
/* The fact at *at, which then is that of the next.  0: there is none. */
int cj__cohort_next(const cj__str *partial, size_t *at, cj__cohort_fact *out);
/* Pair number i of its ages: a month of the customer's life, and the value in it. */
void cj__cohort_age(const cj__cohort_fact *fact, uint32_t i, int64_t *month,
                    int64_t *minor);

#endif
