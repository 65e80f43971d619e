/* What is kept of each customer between two refreshes of scores, so that a new order
 * costs a row and not a history.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_STATE_H
#define CJ__METRICS_CLV_STATE_H

#include "metrics/clv_summary.h"

#define CJ__CLV_STATE_BYTES 128 /* a state is shorter */

/* A buyer as of some event, and when that was. */
typedef struct cj__clv_state {
    cj__clv_buyer buyer;
    int64_t seen_ms;
} cj__clv_state;

void cj__clv_state_begin(cj__clv_state *s, const cj__clv_fold *fold, uint32_t profile);
/* A customer's rows in order of time, the first not before seen_ms. */
void cj__clv_state_rows(cj__clv_state *s, const cj__columns *columns, int64_t from,
                        int64_t until);
/* What value models read: the open purchase counts.  0: there is none. */
int cj__clv_state_fact(const cj__clv_state *s, cj__clv_fact *out);

void cj__clv_state_write(cj__str *to, const cj__clv_state *s);
/* Errors: CJ_ECORRUPT, CJ_EVERSION. */
int32_t cj__clv_state_read(cj__clv_state *s, const cj__clv_fold *fold, uint32_t profile,
                           cj__text bytes);

#endif
