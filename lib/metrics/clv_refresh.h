/* What the files of a refresh of scores share.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_REFRESH_H
#define CJ__METRICS_CLV_REFRESH_H

#include "metrics/clv_state.h"
#include "profile/score.h"
#include "store/reader.h"

typedef struct cj__refresh {
    cj_db *db;
    const cj_clv_refresh_options *o;
    const cj__clv_scorer *scorer;
    cj__reader *reader;
    cj__clv_fold fold;
    cj__arena arena;
    int32_t months;
    int64_t batch, log, as_of_ms;             /* of the refresh before */
    int is_whole, is_other;                   /* by a scan; with other options */
    int is_ahead;                             /* something lies behind as_of */
    uint32_t name[CJ__SCORE_NUMBERS], source; /* terms */
    double minor;
    cj__scores scores;       /* those that there are */
    cj__score_writer writer; /* those that come */
    cj__str text, telling;
    /* Entries that wait to be written, and what their profiles are scored by. */
    struct cj__refresh_entry *entries;
    int64_t n_entries, n_scored;
    cj__str states; /* theirs, one after the other */
    int64_t *x;
    double *tx, *t, *spend, *score[CJ__SCORE_NUMBERS];
    cj_clv_refresh_result result;
} cj__refresh;

/* The state of a profile, and its scores as need be; was: it had a purchase at the
 * refresh before.  In ascending order of profiles; bytes are the state's. */
int32_t cj__refresh_put(cj__refresh *r, const cj__clv_state *s, cj__text bytes,
                        int was);

/* Nothing was put: a new run. */
int32_t cj__refresh_again(cj__refresh *r);

/* By the rows of the journal since (clv_refresh_journal.c); is_whole is set when that
 * cannot be done exactly.  By a scan of all orders (clv_refresh_scan.c). */
int32_t cj__refresh_journal(cj__refresh *r);
int32_t cj__refresh_scan(cj__refresh *r);

#endif
