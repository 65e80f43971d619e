/* The size of a segment over time, at local midnights: one walk over everybody for all
 * moments.  An answer says until when it holds, so of a profile only those moments are
 * evaluated that lie behind a change.  What is counted are steps; the sizes follow. */
#include "segment/ask.h"
#include "segment/segment.h"

#include "base/table.h"

#include <stdatomic.h>

typedef struct sizes_moment {
    int64_t at_ms;
    _Atomic int64_t entered, left; /* since the moment before; at the first: members */
} sizes_moment;

typedef struct sizes {
    sizes_moment *moments;
    int64_t n;
    uint32_t item;
} sizes;

static int32_t sizes_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    sizes *v = e->user;
    int was_in = 0;
    cj__answer answer = {CJ__UNKNOWN, INT64_MIN};
    int32_t rc = CJ_OK;

    (void)partial;
    for (int64_t i = 0; i < v->n; i++) {
        sizes_moment *m = &v->moments[i];
        int is_in;

        if (m->at_ms < answer.until_ms)
            continue;
        CJ_TRY(cj__runner_answer(r, v->item, m->at_ms, &answer));
        is_in = answer.truth == CJ__TRUE;
        if (is_in != was_in)
            (void)atomic_fetch_add_explicit(is_in ? &m->entered : &m->left, 1,
                                            memory_order_relaxed);
        was_in = is_in;
    }
out:
    return rc;
}

static void sizes_moment_add(sizes *v, int64_t at_ms)
{
    if (v->n > 0 && at_ms <= v->moments[v->n - 1].at_ms)
        return; /* a date that a zone has left out: Apia had no 2011-12-30 */
    v->moments[v->n].at_ms = at_ms;
    atomic_init(&v->moments[v->n].entered, 0);
    atomic_init(&v->moments[v->n].left, 0);
    v->n++;
}

/* Every step_days-th local midnight in [from, to]. */
static int32_t sizes_moments(cj__ask *a, sizes *v, const int64_t window_ms[2],
                             int64_t step_days)
{
    const cj__zone *zone = a->set.db->zone;
    int64_t day = cj__zone_day(zone, window_ms[0]);

    if (cj__zone_day_start(zone, day) < window_ms[0])
        day++;
    v->moments = cj__arena_alloc(&a->set.arena, CJ__MAX_SIZES * sizeof *v->moments);
    if (v->moments == NULL)
        return CJ_ENOMEM;
    for (; cj__zone_day_start(zone, day) <= window_ms[1]; day += step_days) {
        if (v->n == CJ__MAX_SIZES)
            return cj__fail(CJ_ELIMIT, "more than %d moments; take longer steps",
                            CJ__MAX_SIZES);
        sizes_moment_add(v, cj__zone_day_start(zone, day));
    }
    return CJ_OK;
}

static int32_t sizes_table(const cj_db *db, const sizes *v, cj_table **out)
{
    int64_t n_members = 0;
    cj_table *t = NULL;
    int32_t rc;

    CJ_TRY(
        cj__table_new(&db->cx.allocator, "time_ms:i members:i entered:i left:i", &t));
    for (int64_t i = 0; i < v->n; i++) {
        const sizes_moment *m = &v->moments[i];

        n_members += m->entered - m->left;
        cj__table_int64(t, 0, m->at_ms);
        cj__table_int64(t, 1, n_members);
        if (i == 0) {
            cj__table_null(t, 2);
            cj__table_null(t, 3);
        } else {
            cj__table_int64(t, 2, m->entered);
            cj__table_int64(t, 3, m->left);
        }
    }
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    return rc;
}

static int32_t sizes_options(const cj_segment_options *opts, int64_t from_ms,
                             int64_t step_days)
{
    int32_t rc;

    CJ_TRY(cj__ask_options(opts));
    if (from_ms > opts->as_of_ms || from_ms < -CJ__MAX_TIME_MS)
        CJ_TRY(cj__fail(CJ_EINVAL, "from_ms is no time, or later than as_of_ms"));
    if (step_days < 0 || step_days > CJ__MAX_SEGMENT_DAYS)
        CJ_TRY(cj__fail(CJ_EINVAL, "step_days must be 1..%d, or 0 for 1",
                        CJ__MAX_SEGMENT_DAYS));
out:
    return rc;
}

int32_t cj__segment_sizes(cj_db *db, const char *source, int64_t from_ms,
                          int64_t step_days, const cj_segment_options *opts,
                          cj_table **out)
{
    cj__ask ask = {0};
    cj__everyone e = {0};
    sizes v = {0};
    int32_t rc;

    CJ_TRY(sizes_options(opts, from_ms, step_days));
    CJ_TRY(cj__ask_open(db, &ask));
    CJ_TRY(cj__ask_source(&ask, source, &v.item));
    CJ_TRY(sizes_moments(&ask, &v, (int64_t[]){from_ms, opts->as_of_ms},
                         step_days == 0 ? 1 : step_days));
    cj__ask_everyone(&ask, opts, &v, &e);
    e.visit = sizes_visit;
    e.now_ms = v.n > 0 ? v.moments[0].at_ms : from_ms; /* and what comes after it */
    if (v.n > 0)
        CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(sizes_table(db, &v, out));
out:
    cj__str_end(&e.partial);
    cj__ask_close(&ask);
    return rc;
}
