/* A scan that leaves few rows, as one after a product does: blocks are passed over by
 * their zone maps, the rows of all others are brought together, sorted as a whole and
 * shown in pieces.  No windows are cut, which for a million nodes take longer than the
 * rows. When there are more rows than a window holds, the ordinary scan begins anew:
 * both show the same. */
#include "scan/internal.h"

#define SPARSE_REFS 16    /* blocks of a task: fewer are not worth a thread */
#define SPARSE_ROWS 65536 /* those of a window */
#define SPARSE_PIECE 4096 /* rows that are shown at once, about */
#define SPARSE_KEPT 256   /* blocks of which the cores are kept */

static int sparse_is_full(cj__walk *walk)
{
    const int64_t n = atomic_load(&walk->n_rows);

    return n > SPARSE_ROWS || n > walk->foreign_rows;
}

int cj__sparse_suits(const cj__walk *walk, const cj__scan_options *opts)
{
    return opts->profile == 0 && opts->n_some == 0 && !opts->idle && !walk->by_states &&
           (walk->want & CJ__COL_PROPERTIES) == 0 && cj__zone_suits(opts);
}

/* The blocks that may have a row. */
static int32_t sparse_refs(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    int64_t n = 0;
    int32_t rc = cj__walk_refs(walk);

    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < walk->n_refs; i++) {
        const cj__block_ref ref = walk->refs[i];

        if (cj__zone_may_have(p, p->parts[ref.part].blocks[ref.block].id))
            walk->refs[n++] = ref;
    }
    walk->n_refs = n;
    return CJ_OK;
}

/* Rows [first, n) of the worker's, just read: those that are wanted stay. */
static void sparse_pick(cj__worker *w, int64_t first)
{
    const cj__plan *p = &w->walk->plan;
    cj__frame *f = &w->sorted;
    int64_t n = 0;

    for (int64_t i = first; i < f->n; i++) {
        const int64_t time_ms = f->i64[CJ__FRAME_TIME][i];

        w->pick[n] = (uint32_t)i;
        n += time_ms >= p->from_ms && time_ms < p->until_ms &&
             cj__plan_wants(p, f->u32[CJ__FRAME_ROOT][i]);
    }
    cj__frame_take(f, first, f, w->pick, n);
    f->n = first + n;
}

static int32_t sparse_task(cj__worker *w, int64_t task)
{
    cj__walk *walk = w->walk;
    const cj__plan *p = &walk->plan;
    int64_t end = (task + 1) * SPARSE_REFS;
    int32_t rc = CJ_OK;

    for (int64_t i = task * SPARSE_REFS; i < end && i < walk->n_refs; i++) {
        const cj__block_ref ref = walk->refs[i];
        const int64_t first = w->sorted.n;

        if (sparse_is_full(walk))
            break;
        CJ_TRY(cj__gather_block(w, &p->parts[ref.part].blocks[ref.block], &w->sorted));
        sparse_pick(w, first);
        walk->runs[i] = (cj__run){(uint32_t)(w - walk->workers), (uint32_t)first,
                                  (uint32_t)(w->sorted.n - first)};
        atomic_fetch_add(&walk->n_rows, w->sorted.n - first);
    }
out:
    return rc;
}

/* All rows into the first worker's frame, in order of arrival. */
static int32_t sparse_join(cj__walk *walk)
{
    cj__worker *w = &walk->workers[0];
    int32_t rc;

    cj__frame_clear(&w->gather);
    CJ_TRY(cj__frame_reserve(&w->gather, atomic_load(&walk->n_rows)));
    for (int64_t i = 0; i < walk->n_refs; i++) {
        const cj__run *run = &walk->runs[i];

        cj__frame_move(&w->gather, w->gather.n, &walk->workers[run->worker].sorted,
                       run->first, run->n);
        w->gather.n += run->n;
    }
    CJ_TRY(cj__gather_journal(w, 1, walk->plan.n_nodes + 1));
out:
    return rc;
}

static int32_t sparse_sort(cj__worker *w)
{
    cj__frame *f = &w->gather;
    void *keys = w->keys, *places = w->places;
    int32_t rc;

    rc = cj__array_grow(f->allocator, &keys, &w->keys_capacity, (size_t)f->n * 2,
                        sizeof *w->keys, SIZE_MAX);
    w->keys = keys;
    if (rc != CJ_OK)
        return rc;
    rc = cj__array_grow(f->allocator, &places, &w->places_capacity, (size_t)f->n,
                        sizeof *w->places, SIZE_MAX);
    w->places = places;
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < f->n; i++)
        w->keys[i] = (cj__sort_key){.time_ms = f->i64[CJ__FRAME_TIME][i],
                                    .profile = f->u32[CJ__FRAME_ROOT][i],
                                    .node = f->u32[CJ__FRAME_NODE][i],
                                    .row = (uint32_t)i};
    cj__sort_keys(w->keys, w->keys + f->n, f->n);
    for (int64_t i = 0; i < f->n; i++)
        w->places[i] = w->keys[i].row;
    rc = cj__frame_reserve(&w->sorted, f->n);
    if (rc != CJ_OK)
        return rc;
    cj__frame_take(&w->sorted, 0, f, w->places, f->n);
    w->sorted.n = f->n;
    return CJ_OK;
}

/* Where a piece begins: with a profile. */
static int64_t sparse_begin(const cj__frame *f, int64_t piece)
{
    const uint32_t *root = f->u32[CJ__FRAME_ROOT];
    int64_t row = piece * SPARSE_PIECE;

    while (row > 0 && row < f->n && root[row] == root[row - 1])
        row++;
    return row < f->n ? row : f->n;
}

static int32_t sparse_show(cj__worker *w, int64_t piece)
{
    const cj__frame *all = &w->walk->workers[0].sorted;
    const int64_t begin = sparse_begin(all, piece), end = sparse_begin(all, piece + 1);
    const uint32_t *root = all->u32[CJ__FRAME_ROOT];
    int32_t rc;

    cj__frame_clear(&w->gather);
    CJ_TRY(cj__frame_reserve(&w->gather, end - begin));
    cj__frame_move(&w->gather, 0, all, begin, end - begin);
    w->gather.n = end - begin;
    if (begin < end) /* else a profile is longer than a piece */
        CJ_TRY(cj__window_emit(w, root[begin], root[end - 1] + 1));
    CJ_TRY(cj__window_done(w, piece));
out:
    return rc;
}

static int32_t sparse_pieces(cj__walk *walk)
{
    const int64_t n = (walk->workers[0].sorted.n + SPARSE_PIECE - 1) / SPARSE_PIECE;
    void *at = walk->windows.at;
    int32_t rc;

    CJ_TRY(cj__array_grow(walk->bins.allocator, &at, &walk->windows.capacity, (size_t)n,
                          sizeof(cj__window), SIZE_MAX));
    walk->windows.at = at;
    for (walk->windows.n = 0; walk->windows.n < n; walk->windows.n++)
        walk->windows.at[walk->windows.n] = (cj__window){0};
    CJ_TRY(cj__walk_run(walk, n, sparse_show));
out:
    return rc;
}

int32_t cj__sparse_scan(cj__walk *walk)
{
    int32_t rc;

    CJ_TRY(sparse_refs(walk));
    walk->keeps = walk->n_refs <= SPARSE_KEPT;
    walk->n_runs = walk->n_refs;
    walk->runs = cj__alloc_zero(walk->bins.allocator,
                                ((size_t)walk->n_runs + 1) * sizeof *walk->runs);
    if (walk->runs == NULL)
        return CJ_ENOMEM;
    atomic_store(&walk->n_rows, walk->plan.n_journal);
    CJ_TRY(cj__walk_run(walk, (walk->n_refs + SPARSE_REFS - 1) / SPARSE_REFS,
                        sparse_task));
    walk->is_dense = sparse_is_full(walk);
    if (walk->is_dense)
        goto out;
    CJ_TRY(sparse_join(walk));
    CJ_TRY(sparse_sort(&walk->workers[0]));
    CJ_TRY(sparse_pieces(walk));
out:
    return rc;
}

void cj__sparse_end(cj__walk *walk)
{
    cj__free(walk->bins.allocator, walk->runs,
             ((size_t)walk->n_runs + 1) * sizeof *walk->runs);
}
