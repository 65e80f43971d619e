/* A long answer that tells how far it is, and can be stopped: every question that is
 * asked of a model is a beat.  Only the thread that made the call reports, as in a
 * scan; the others stop when it does.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_PULSE_H
#define CJ__METRICS_CLV_PULSE_H

#include "metrics/metrics.h"

#include <stdatomic.h>

/* Of one call: what its threads share. */
typedef struct cj__clv_watch {
    cj_progress_fn progress; /* NULL: nobody wants to know */
    void *progress_user;
    int64_t n_customers, n_questions; /* of each customer */
    _Atomic int64_t n_answered;       /* of their product */
    _Atomic int32_t is_stopped;
} cj__clv_watch;

/* Of one thread. */
typedef struct cj__clv_pulse {
    cj__clv_watch *watch;
    int is_caller;
    int64_t n_rows; /* asked since the last report */
} cj__clv_pulse;

/* A model is asked of so many customers; pulse NULL: unwatched.  A report now and then.
 * Errors: CJ_EINTERRUPT. */
int32_t cj__clv_beat(cj__clv_pulse *pulse, int64_t n_rows);
/* A report now, if it is this thread's. */
int32_t cj__clv_report(cj__clv_pulse *pulse);

#endif
