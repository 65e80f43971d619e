/* Between the group commit and one message.  Private to room events. */
#ifndef CJ__EVENTS_APPLY_H
#define CJ__EVENTS_APPLY_H

#include "events/events.h"
#include "identity/identity.h"

/* What is looked up of a few messages before the first of them is applied: each lookup
 * would wait for memory, together they wait once. */
enum { CJ__READY = 32, CJ__READY_TERMS = CJ__SPACE_PRODUCT };
typedef struct cj__ready {
    struct {
        int first, n, strongest;              /* in ids */
        uint64_t hash;                        /* of the message id, if there is one */
        cj__term_text terms[CJ__READY_TERMS]; /* by space, from 1 */
    } of[CJ__READY];
    cj__identifier ids[CJ__READY * CJ__MAX_IDENTIFIERS];
    int n_ids;
    cj__arena texts; /* identifiers that are not written as they came */
} cj__ready;

/* Get n validated messages ready, at most CJ__READY, in the open transaction. */
int32_t cj__messages_ready(cj_db *db, const cj__message *messages, int64_t n,
                           cj__ready *ready);
/* Do number `at` of them; its event goes to the batch. */
int32_t cj__message_apply(cj_db *db, cj__message *m, cj__ready *ready, int at,
                          int64_t now_ms, cj__batch *batch);

#endif
