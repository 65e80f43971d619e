/* See clv_pulse.h.  A question of few customers takes a microsecond, so that beats are
 * gathered until a report costs nothing beside them. */
#include "metrics/clv_pulse.h"

#define PULSE_ROWS 4096 /* 0.1 to 100 ms, by model and question */

int32_t cj__clv_report(cj__clv_pulse *pulse)
{
    cj__clv_watch *w = pulse->watch;
    const int64_t done =
        w->n_questions > 0 ? atomic_load(&w->n_answered) / w->n_questions : 0;

    pulse->n_rows = 0;
    if (pulse->is_caller && w->progress != NULL &&
        w->progress(w->progress_user, done, w->n_customers) != 0)
        atomic_store(&w->is_stopped, 1);
    return atomic_load(&w->is_stopped)
               ? cj__fail(CJ_EINTERRUPT, "stopped by the progress function")
               : CJ_OK;
}

int32_t cj__clv_beat(cj__clv_pulse *pulse, int64_t n_rows)
{
    if (pulse == NULL)
        return CJ_OK;
    pulse->n_rows += n_rows;
    return pulse->n_rows < PULSE_ROWS ? CJ_OK : cj__clv_report(pulse);
}
