/* Time passes for live segments: at each moment at which somebody may enter or leave by
 * the clock alone, in order, he is looked at, exactly then.  In transactions of bounded
 * size; what is not yet done is still due, so a crash loses and doubles nothing. */
#include "segment/live.h"

#include <stdlib.h>

#define ADVANCE_PROFILES 1000 /* of one transaction */
#define ADVANCE_LOOKS 20000

typedef struct advance_due {
    int64_t at_ms;
    uint32_t profile;
} advance_due;

typedef struct advance {
    struct cj__live *l;
    int64_t until_ms;
    advance_due *heap; /* the next first */
    size_t n;
    advance_due last; /* nothing behind it may be looked at yet */
    int is_done;
} advance;

static int advance_before(advance_due a, advance_due b)
{
    return a.at_ms < b.at_ms || (a.at_ms == b.at_ms && a.profile < b.profile);
}

/* What is at the top goes where it belongs. */
static void advance_sink(advance *a)
{
    size_t at = 0, kid;

    while ((kid = 2 * at + 1) < a->n) {
        const advance_due due = a->heap[at];

        if (kid + 1 < a->n && advance_before(a->heap[kid + 1], a->heap[kid]))
            kid++;
        if (!advance_before(a->heap[kid], due))
            return;
        a->heap[at] = a->heap[kid];
        a->heap[kid] = due;
        at = kid;
    }
}

/* Those that are due first; in order, which is a heap. */
static int32_t advance_read(advance *a)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(a->l->db), STMT_STATE_DUE, &q));
    cj__query_int64(&q, 1, a->until_ms);
    cj__query_int64(&q, 2, ADVANCE_PROFILES);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        a->heap[a->n++] =
            (advance_due){.at_ms = cj__query_get_int64(&q, 1),
                          .profile = (uint32_t)cj__query_get_int64(&q, 0)};
    }
    a->is_done = a->n < ADVANCE_PROFILES;
    a->last = a->is_done ? (advance_due){a->until_ms, UINT32_MAX} : a->heap[a->n - 1];
out:
    cj__query_end(&q);
    return rc;
}

static int advance_by_profile(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int32_t advance_warm(advance *a, uint32_t *profiles)
{
    for (size_t i = 0; i < a->n; i++)
        profiles[i] = a->heap[i].profile;
    if (a->n > 0)
        qsort(profiles, a->n, sizeof *profiles, advance_by_profile);
    return cj__live_warm(a->l, profiles, a->n);
}

/* The next moment of the next profile. */
static int32_t advance_one(advance *a)
{
    advance_due *top = &a->heap[0];
    cj__live_person *p = cj__live_hot(a->l, top->profile);
    int32_t rc = CJ_OK;

    if (p == NULL)
        return cj__fail(CJ_ECORRUPT, "a profile with segments is gone; run cj_check");
    CJ_TRY(cj__live_clock(a->l, p, top->at_ms));
    top->at_ms = p->next_ms;
    if (top->at_ms > a->until_ms)
        *top = a->heap[--a->n];
    advance_sink(a);
out:
    return rc;
}

/* One transaction's worth. */
static int32_t advance_step(advance *a)
{
    struct cj__live *l = a->l;
    uint32_t profiles[ADVANCE_PROFILES];
    advance_due heap[ADVANCE_PROFILES];
    int64_t reached_ms = a->until_ms;
    size_t n;
    int32_t rc;

    l->is_touched = 1;
    a->heap = heap;
    a->n = 0;
    CJ_TRY(cj__live_refresh(l));
    CJ_TRY(advance_read(a));
    n = a->n;
    CJ_TRY(advance_warm(a, profiles));
    for (int64_t looks = 0; a->n > 0 && !advance_before(a->last, heap[0]); looks++) {
        if (looks == ADVANCE_LOOKS) {
            a->is_done = 0;
            break;
        }
        reached_ms = heap[0].at_ms;
        CJ_TRY(cj__interrupted(&l->db->cx));
        CJ_TRY(advance_one(a));
    }
    for (size_t i = 0; i < n; i++) {
        cj__live_person *p = cj__live_hot(l, profiles[i]);

        if (p->is_dirty)
            CJ_TRY(cj__live_states_write(l, p));
    }
    CJ_TRY(cj__live_mark(l, a->is_done ? a->until_ms : reached_ms));
out:
    a->heap = NULL;
    return rc;
}

int32_t cj__live_mark(struct cj__live *l, int64_t now_ms)
{
    int32_t rc = CJ_OK;

    if (now_ms <= l->now_ms)
        return CJ_OK;
    CJ_TRY(cj__meta_set(cj__writer(l->db), "segments_now_ms", now_ms));
    l->now_ms = now_ms;
out:
    return rc;
}

int32_t cj__live_advance_all(struct cj__live *l, int64_t until_ms)
{
    advance a = {.l = l, .until_ms = until_ms};
    int32_t rc = CJ_OK;

    while (!a.is_done) {
        CJ_TRY(advance_step(&a));
        cj__live_cool(l, CJ__LIVE_CACHE);
    }
out:
    return rc;
}

static int32_t advance_transaction(advance *a, int64_t *n_changes)
{
    int64_t before;
    int active = 0;
    int32_t rc = cj__write_begin(a->l->db);

    if (rc != CJ_OK)
        return rc;
    before = a->l->n_changes;
    rc = cj__live_sync(a->l, &active);
    a->is_done = !active;
    if (rc == CJ_OK && active)
        rc = advance_step(a);
    *n_changes += a->l->n_changes - before;
    return cj__write_end(a->l->db, rc);
}

int32_t cj__segment_advance(cj_db *db, int64_t now_ms, int64_t *n_changes_out)
{
    advance a = {.l = db->live, .until_ms = now_ms};
    int64_t n_changes = 0;
    int32_t rc = CJ_OK;

    *n_changes_out = 0;
    if (now_ms > CJ__MAX_TIME_MS || now_ms < -CJ__MAX_TIME_MS)
        return cj__fail(CJ_EINVAL, "now_ms is not a time in milliseconds since 1970");
    while (!a.is_done)
        CJ_TRY(advance_transaction(&a, &n_changes));
    *n_changes_out = n_changes;
out:
    return rc;
}
