/* What the files of the value models' summary share: the fold over a customer's orders
 * and refunds, and what it remembers.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_SUMMARY_H
#define CJ__METRICS_CLV_SUMMARY_H

#include "metrics/days.h"
#include "metrics/metrics.h"

/* Purchases of one period are one purchase.  A period has a number: local days since
 * 1970, local weeks (they begin on Monday), or the millisecond itself. */
typedef struct cj__clv_periods {
    cj__days days;
    int32_t period; /* CJ_CLV_DAY, _WEEK, _ANY */
} cj__clv_periods;

int64_t cj__clv_period(const cj__clv_periods *p, int64_t utc_ms);
double cj__clv_days(const cj__clv_periods *p, int64_t n); /* how long n of them are */

typedef struct cj__clv_fold {
    cj__clv_periods periods;
    int64_t as_of_ms;                      /* what comes later is holdout */
    int64_t first_from_ms, first_until_ms; /* of the first purchase */
    int32_t refunds;                       /* CJ_CLV_REFUND_* */
    int32_t include_free, holdout;
} cj__clv_fold;

/* The period at which what is known ends; a customer's age there, in periods. */
struct cj__clv_fact;
int64_t cj__clv_end(const cj__clv_fold *fold, int64_t end_ms);
int64_t cj__clv_age(const cj__clv_fold *fold, const struct cj__clv_fact *fact,
                    int64_t end);

typedef struct cj__clv_fact {
    uint32_t profile, x;  /* x: repeat purchases */
    int64_t first_ms;     /* of the first purchase */
    int64_t gap;          /* periods from the first purchase to the last */
    int64_t repeat_minor; /* value of the repeat purchases */
    double litt;          /* sum of ln(days between purchases) */
    int64_t x_star;       /* purchases in the holdout */
    int64_t star_minor;   /* their value */
} cj__clv_fact;

/* One purchase: its period and first moment, its value. */
typedef struct cj__clv_purchase {
    int64_t profile, period, time_ms, minor;
} cj__clv_purchase;

/* The purchases of a customer so far; the latest is open: what is of its period, and
 * refunds that come before the next one, still change it.  Begins with fold, profile
 * and latest INT64_MIN, all else 0. */
typedef struct cj__clv_buyer {
    const cj__clv_fold *fold;
    cj__clv_fact fact;   /* of the purchases that are closed */
    int64_t first, last; /* their first and last period */
    int64_t latest;      /* period of all orders */
    int64_t open, open_ms, open_minor;
    int is_open, is_refunded, is_star, is_closed, overflow;
    cj__str *list; /* NULL, or where each cj__clv_purchase that is closed goes too */
} cj__clv_buyer;

/* Rows in order of time, after those before. */
void cj__clv_buyer_rows(cj__clv_buyer *b, const cj__columns *columns, int64_t from,
                        int64_t until);
void cj__clv_buyer_end(cj__clv_buyer *b); /* nothing more comes: fact is all of them */

/* All rows of a customer, calibration and holdout.  *chosen_out: there is a purchase,
 * and the first one is when the fold wants it.  CJ_ELIMIT. */
int32_t cj__clv_buyer_all(cj__clv_buyer *b, const cj__columns *columns, int64_t first,
                          int64_t n, int *chosen_out);

/* A cj__fold's function; arg is a cj__clv_fold. */
int32_t cj__clv_profile(const void *arg, cj__str *partial, uint32_t profile,
                        const cj__columns *columns, int64_t first, int64_t n);

/* The facts of a partial, from the last to the first. */
typedef struct cj__clv_reading {
    const cj__clv_fold *fold;
    cj__str *partial;
    size_t end;       /* of what is not read yet */
    uint32_t n_left;  /* of a run: clv_fold.c */
    uint32_t profile; /* of the next one */
} cj__clv_reading;

/* Returns how many there are.  What is read is given back: the partial grows smaller
 * and is of no use to anybody else.  Sticky: cj__str_status() of it tells. */
int64_t cj__clv_reading_begin(cj__clv_reading *r, const cj__clv_fold *fold,
                              cj__str *partial);
void cj__clv_reading_next(cj__clv_reading *r, cj__clv_fact *out);

/* One scan by the options of a summary, once they are checked.  fold is made from them,
 * and ended by cj__days_end() whatever happens; scan's function has fold for arg. */
int32_t cj__clv_scan(struct cj__reader *reader, const cj_clv_summary_options *opts,
                     const uint64_t *profiles, cj__clv_fold *fold, cj__fold *scan);
double cj__clv_minor(const cj_db *db); /* minor units in one of the currency */

#endif
