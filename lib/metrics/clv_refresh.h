/* What the files of a refresh of scores share.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_REFRESH_H
#define CJ__METRICS_CLV_REFRESH_H

#include "metrics/clv_state.h"
#include "store/reader.h"

#define CJ__REFRESH_TRAITS 3 /* p_alive, expected, clv */

typedef struct cj__refresh {
    cj_db *db;
    const cj_clv_refresh_options *o;
    const cj__clv_scorer *scorer;
    cj__reader *reader;
    cj__clv_fold fold;
    cj__arena arena;
    cj__str bytes;                /* of one state */
    cj__map joined;               /* profiles that others were joined to since */
    int64_t batch, log, as_of_ms; /* of the refresh before */
    int is_whole, is_other;       /* by a scan; with other options */
    int is_ahead;                 /* something lies behind as_of */
    uint32_t name[CJ__REFRESH_TRAITS], source; /* terms */
    double minor;
    int64_t n; /* waiting to be scored */
    uint32_t *profile;
    int64_t *x;
    double *tx, *t, *spend, *score[CJ__REFRESH_TRAITS];
    cj_clv_refresh_result result;
} cj__refresh;

/* Score this profile; was: it had a purchase at the refresh before. */
int32_t cj__refresh_touch(cj__refresh *r, const cj__clv_state *s, int was);
int32_t cj__refresh_keep(cj__refresh *r, const cj__clv_state *s);

/* By the rows of the journal since (clv_refresh_journal.c); is_whole is set when that
 * cannot be done exactly.  By a scan of all orders (clv_refresh_scan.c). */
int32_t cj__refresh_journal(cj__refresh *r);
int32_t cj__refresh_scan(cj__refresh *r);

#endif
