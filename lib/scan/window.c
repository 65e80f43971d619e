/* One window: its profiles' events are gathered, brought together by profile with a
 * counting sort, put in order where they are not, and shown to the folds.  Parts are
 * visited in order of time, so most profiles come in order already. */
#include "scan/internal.h"

#include <string.h>

static int window_is_grouped(const cj__frame *f)
{
    const uint32_t *root = f->u32[CJ__FRAME_ROOT];

    for (int64_t i = 1; i < f->n; i++) {
        if (root[i] < root[i - 1])
            return 0;
    }
    return 1;
}

int32_t cj__window_room(cj__worker *w, size_t n_profiles, int64_t n_rows)
{
    const cj__allocator *a = w->core.allocator;
    void *counts = w->counts, *places = w->places;
    int32_t rc;

    rc = cj__array_grow(a, &counts, &w->counts_capacity, n_profiles, sizeof *w->counts,
                        SIZE_MAX);
    w->counts = counts;
    if (rc != CJ_OK)
        return rc;
    rc = cj__array_grow(a, &places, &w->places_capacity, (size_t)n_rows,
                        sizeof *w->places, SIZE_MAX);
    w->places = places;
    if (rc != CJ_OK)
        return rc;
    memset(w->counts, 0, n_profiles * sizeof *w->counts);
    return cj__frame_reserve(&w->sorted, n_rows);
}

void cj__window_starts(cj__worker *w, uint32_t n_profiles)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n_profiles; i++) {
        uint32_t here = w->counts[i];

        w->counts[i] = sum;
        sum += here;
    }
}

/* Bring each profile's events together, in the order in which they were gathered; then
 * those of profile lo + i end at counts[i]. */
static int32_t window_group(cj__worker *w, uint32_t lo, uint32_t hi)
{
    const uint32_t *root = w->gather.u32[CJ__FRAME_ROOT];
    int32_t rc;

    rc = cj__window_room(w, hi - lo, w->gather.n);
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < w->gather.n; i++)
        w->counts[root[i] - lo]++;
    cj__window_starts(w, hi - lo);
    for (int64_t i = 0; i < w->gather.n; i++)
        w->places[i] = w->counts[root[i] - lo]++;
    cj__frame_scatter(&w->sorted, &w->gather, 0, w->gather.n, w->places);
    w->sorted.n = w->gather.n;
    return CJ_OK;
}

static int32_t window_sort(cj__worker *w, cj__frame *f, int64_t first, int64_t n)
{
    const cj__allocator *a = w->core.allocator;
    void *keys = w->keys, *places = w->places;
    int32_t rc;

    rc = cj__array_grow(a, &keys, &w->keys_capacity, (size_t)n * 2, sizeof *w->keys,
                        SIZE_MAX);
    w->keys = keys;
    if (rc != CJ_OK)
        return rc;
    rc = cj__array_grow(a, &places, &w->places_capacity, (size_t)n, sizeof *w->places,
                        SIZE_MAX);
    w->places = places;
    if (rc != CJ_OK)
        return rc;
    rc = cj__frame_reserve(&w->spare, n);
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < n; i++)
        w->keys[i] = (cj__sort_key){.time_ms = f->i64[CJ__FRAME_TIME][first + i],
                                    .node = f->u32[CJ__FRAME_NODE][first + i],
                                    .row = (uint32_t)(first + i)};
    cj__sort_keys(w->keys, w->keys + n, n);
    for (int64_t i = 0; i < n; i++)
        w->places[i] = w->keys[i].row;
    cj__frame_take(&w->spare, 0, f, w->places, n);
    cj__frame_move(f, first, &w->spare, 0, n);
    return CJ_OK;
}

static int window_in_order(const cj__frame *f, int64_t first, int64_t end)
{
    const uint32_t *node = f->u32[CJ__FRAME_NODE];
    const int64_t *time_ms = f->i64[CJ__FRAME_TIME];

    for (int64_t i = first + 1; i < end; i++) {
        if (time_ms[i] < time_ms[i - 1] ||
            (time_ms[i] == time_ms[i - 1] && node[i] < node[i - 1]))
            return 0;
    }
    return 1;
}

static int32_t window_fold(cj__worker *w, uint32_t profile, int64_t first, int64_t n)
{
    const cj__walk *walk = w->walk;
    int32_t rc = CJ_OK;

    for (int k = 0; k < walk->n_folds; k++)
        CJ_TRY(walk->folds[k].profile(walk->folds[k].arg, &w->partial[k], profile,
                                      &w->view, first, n));
out:
    return rc;
}

/* Show rows [first, end) of a frame, one profile's, to the folds. */
static int32_t window_show(cj__worker *w, cj__frame *f, uint32_t profile, int64_t first,
                           int64_t end)
{
    int32_t rc = CJ_OK;

    if (!window_in_order(f, first, end))
        CJ_TRY(window_sort(w, f, first, end - first));
    CJ_TRY(window_fold(w, profile, first, end - first));
out:
    return rc;
}

/* Profiles [lo, hi) have no rows: show them to folds that want to know. */
static int32_t window_show_idle(cj__worker *w, uint32_t lo, uint32_t hi)
{
    const cj__plan *p = &w->walk->plan;
    int32_t rc = CJ_OK;

    for (uint32_t i = lo; p->opts.idle && i < hi; i++) {
        if (cj__plan_root(p, i) == i && cj__plan_wants(p, i))
            CJ_TRY(window_fold(w, i, 0, 0));
    }
out:
    return rc;
}

/* The gathered rows are grouped as they are. */
static int32_t window_show_gathered(cj__worker *w, uint32_t lo, uint32_t hi)
{
    cj__frame *f = &w->gather;
    const uint32_t *root = f->u32[CJ__FRAME_ROOT];
    int32_t rc = CJ_OK;

    w->view = cj__frame_view(f, 0);
    for (int64_t i = 0, end; i < f->n; i = end) {
        for (end = i + 1; end < f->n && root[end] == root[i];)
            end++;
        CJ_TRY(window_show_idle(w, lo, root[i]));
        CJ_TRY(window_show(w, f, root[i], i, end));
        lo = root[i] + 1;
    }
    CJ_TRY(window_show_idle(w, lo, hi));
out:
    return rc;
}

static int32_t window_show_sorted(cj__worker *w, uint32_t lo, uint32_t hi)
{
    int64_t first = 0;
    int32_t rc = CJ_OK;

    w->view = cj__frame_view(&w->sorted, 0);
    for (uint32_t i = 0; i < hi - lo; i++) {
        int64_t end = w->counts[i];

        if (end > first)
            CJ_TRY(window_show(w, &w->sorted, lo + i, first, end));
        else
            CJ_TRY(window_show_idle(w, lo + i, lo + i + 1));
        first = end;
    }
out:
    return rc;
}

int32_t cj__window_emit(cj__worker *w, uint32_t lo, uint32_t hi)
{
    int32_t rc;

    if (w->walk->is_whole) {
        CJ_TRY(window_show_sorted(w, lo, hi));
    } else if (window_is_grouped(&w->gather)) {
        CJ_TRY(window_show_gathered(w, lo, hi));
    } else {
        CJ_TRY(window_group(w, lo, hi));
        CJ_TRY(window_show_sorted(w, lo, hi));
    }
    for (int k = 0; k < w->walk->n_folds; k++)
        CJ_TRY(cj__str_status(&w->partial[k]));
out:
    return rc;
}

static int32_t window_gather(cj__worker *w, int64_t at)
{
    const cj__walk *walk = w->walk;
    uint32_t lo = walk->windows.at[at].lo, hi = walk->windows.at[at].hi;
    int32_t rc = CJ_OK;

    cj__frame_clear(&w->gather);
    if (walk->is_whole)
        return cj__whole_take(w, at);
    for (int64_t i = 0; i < walk->plan.n_parts; i++)
        CJ_TRY(cj__gather_part(w, i, lo, hi));
    CJ_TRY(cj__foreign_take(w, at));
    CJ_TRY(cj__gather_journal(w, lo, hi));
out:
    return rc;
}

/* Append what is complete and whose turn it is; the caller holds the lock. */
static int32_t window_append(cj__walk *walk)
{
    int32_t rc = CJ_OK;

    while (walk->n_appended < walk->windows.n &&
           walk->windows.at[walk->n_appended].partial != NULL) {
        cj__window *window = &walk->windows.at[walk->n_appended++];

        for (int k = 0; k < walk->n_folds; k++) {
            cj__str *to = &walk->folds[k].partial;

            cj__str_put(to, window->partial[k].data, window->partial[k].n);
            if (cj__str_status(to) != CJ_OK)
                rc = cj__str_status(to);
        }
        cj__window_end(walk, window);
    }
    return rc;
}

int32_t cj__window_done(cj__worker *w, int64_t at)
{
    cj__walk *walk = w->walk;
    size_t bytes = (size_t)walk->n_folds * sizeof *w->partial;
    cj__str *partial;
    int32_t rc;

    if (walk->n_workers == 1)
        return CJ_OK;
    partial = cj__alloc(w->core.allocator, bytes);
    if (partial == NULL)
        return CJ_ENOMEM;
    memcpy(partial, w->partial, bytes);
    for (int k = 0; k < walk->n_folds; k++)
        cj__str_init(&w->partial[k], w->core.allocator, CJ__PARTIAL_BYTES);
    pthread_mutex_lock(&walk->lock);
    walk->windows.at[at].partial = partial;
    rc = window_append(walk);
    pthread_mutex_unlock(&walk->lock);
    return rc;
}

void cj__window_end(cj__walk *walk, cj__window *window)
{
    if (window->partial == NULL)
        return;
    for (int k = 0; k < walk->n_folds; k++)
        cj__str_end(&window->partial[k]);
    cj__free(walk->bins.allocator, window->partial,
             (size_t)walk->n_folds * sizeof *window->partial);
    window->partial = NULL;
}

int32_t cj__window_run(cj__worker *w, int64_t run)
{
    cj__walk *walk = w->walk;
    int64_t end = (run + 1) * walk->run_windows;
    int32_t rc = CJ_OK;

    for (int64_t i = run * walk->run_windows; i < end && i < walk->windows.n; i++) {
        CJ_TRY(window_gather(w, i));
        CJ_TRY(cj__window_emit(w, walk->windows.at[i].lo, walk->windows.at[i].hi));
        CJ_TRY(cj__window_done(w, i));
    }
out:
    return rc;
}
