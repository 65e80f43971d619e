/* Cohorts of simulated customers, for the value models' suites: the story of each
 * continuous model told event by event, without any of its formulas.  The same seed
 * gives the same cohort. */
#ifndef CJ_TESTS_CLV_SIMULATE_H
#define CJ_TESTS_CLV_SIMULATE_H

#include "metrics/clv.h"

/* Customers acquired at time 0, observed until t, and on to t + future. */
typedef struct clv_cohort {
    int64_t n;
    double *x, *tx, *t; /* repeat purchases in (0, t], time of the last, end */
    double *litt;       /* sum of ln(times between purchases); spend: mean value */
    double *later;      /* purchases in (t, t + future] */
    double *alive;      /* 1: still a customer at t */
} clv_cohort;

typedef struct clv_story {
    /* nbd bgnbd mbgnbd bgcnbd mbgcnbd paretonbd, or gammagamma: x from 1 on, geometric
     * with mean 3 */
    const char *model;
    int32_t k;       /* Erlang-k times; 1 but for (m)bgcnbd */
    double theta[4]; /* the paper's parameters, in the unit of t */
    int64_t n;
    double t_min, t_max; /* t is uniform between them */
    double future;
    uint64_t seed;
} clv_story;

void clv_simulate(const clv_story *story, clv_cohort *out);
void clv_cohort_end(clv_cohort *cohort);
/* Borrowed; z is litt. */
cj__clv_rows clv_cohort_rows(const clv_cohort *cohort);

/* Customers who buy now and then in the time that is seen, and leave or stay: each
 * parameter up to `wide` times its middle, and down to that part of it.  n, future and
 * seed are left as they are. */
void clv_story_draw(clv_story *story, const char *model, int32_t k, double wide,
                    uint64_t *state);

/* The dice, one by one. */
double clv_dice(uint64_t *state); /* uniform in (0, 1) */
double clv_dice_spread(uint64_t *state, double low, double high); /* in the logarithm */
double clv_dice_normal(uint64_t *state);
/* The logarithm: Gamma(0.01) is often below the smallest double. */
double clv_dice_log_gamma(uint64_t *state, double shape); /* rate 1 */
double clv_dice_beta(uint64_t *state, double a, double b);

#endif
