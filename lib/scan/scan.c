/* A scan from end to end: a plan, rounds of windows, workers, and the folds' partials
 * in profile order.  What it gives depends neither on threads nor on memory nor on how
 * the events were sealed. */
#include "scan/internal.h"

#include <string.h>

#define SCAN_BYTES (64 << 20)
#define SCAN_WINDOW                                                                    \
    65536 /* events: a column of 8 bytes then takes half of an L2 cache */
#define SCAN_WINDOW_WHOLE 16384 /* its rows come from all over: they should fit L2 */
#define SCAN_WINDOW_LEAST 64
#define SCAN_TEXT 128 /* of an event's properties, about; they may be absent */
#define SCAN_RUN 8    /* windows in a row share the blocks at their cuts */

static uint32_t scan_columns(const cj__walk *walk, const cj__scan_options *opts)
{
    uint32_t want = CJ__COL_TIME;

    for (int i = 0; i < walk->n_folds; i++)
        want |=
            walk->by_states ? walk->folds[i].states->columns : walk->folds[i].columns;
    return want & (opts->value_only ? CJ__COL_PROJECTION : CJ__COL_ALL);
}

static int64_t scan_clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int64_t scan_bytes(const cj__walk *walk)
{
    int64_t bytes = walk->plan.opts.memory_bytes;

    return bytes > 0 ? bytes : SCAN_BYTES;
}

/* Share the memory out: foreign events, then per worker three frames of a window, its
 * events' properties, and the blocks at its cuts.  Properties of the whole would have
 * no owner. */
static void scan_share(cj__walk *walk, int64_t *n_slots)
{
    const cj__plan *p = &walk->plan;
    int64_t bytes = scan_bytes(walk);
    int64_t row = (int64_t)cj__frame_row_bytes(walk->want);
    int64_t text = walk->want & CJ__COL_PROPERTIES ? SCAN_TEXT : 0;
    int64_t in_window = 3 * row + 8 + text;
    int64_t each = (p->n_foreign > 0 ? bytes / 2 : bytes) / walk->n_workers;

    row += text;
    walk->is_whole = !walk->is_sparse && text == 0 && p->opts.profiles == NULL &&
                     p->n_foreign > 0 && cj__whole_fits(walk, bytes / 2);
    walk->window_events = scan_clamp(each / 2 / in_window, SCAN_WINDOW_LEAST,
                                     walk->is_whole ? SCAN_WINDOW_WHOLE : SCAN_WINDOW);
    *n_slots = walk->is_whole || walk->by_states || walk->is_sparse
                   ? 0
                   : scan_clamp(each / 3 / (row * CJ__BLOCK_EVENTS), 0, p->n_parts);
    each = walk->window_events * in_window + *n_slots * row * CJ__BLOCK_EVENTS;
    bytes -= each * walk->n_workers; /* the more rows, the fewer rounds */
    walk->foreign_rows =
        scan_clamp(bytes / row, 2 * CJ__BLOCK_EVENTS * walk->n_workers, UINT32_MAX);
}

static int32_t scan_worker(cj__walk *walk, cj__worker *w, int64_t n_slots)
{
    const cj__allocator *a = &walk->plan.db->cx.allocator;

    w->walk = walk;
    w->is_caller = w == walk->workers;
    cj__str_init(&w->core, a, CJ__CORE_BYTES);
    cj__str_init(&w->props, a, CJ__PROPS_BYTES);
    cj__frame_init(&w->gather, a, walk->want);
    cj__frame_init(&w->sorted, a, walk->want);
    cj__frame_init(&w->spare, a, walk->want);
    w->partial = cj__alloc_zero(a, (size_t)walk->n_folds * sizeof *w->partial);
    if (w->partial == NULL)
        return CJ_ENOMEM;
    for (int i = 0; i < walk->n_folds; i++)
        cj__str_init(&w->partial[i], a, CJ__PARTIAL_BYTES);
    if (n_slots == 0)
        return CJ_OK;
    w->slots = cj__alloc_zero(a, (size_t)n_slots * sizeof *w->slots);
    if (w->slots == NULL)
        return CJ_ENOMEM;
    w->n_slots = n_slots;
    for (int64_t i = 0; i < n_slots; i++)
        cj__frame_init(&w->slots[i].frame, a, walk->want);
    return CJ_OK;
}

static void scan_worker_end(cj__walk *walk, cj__worker *w)
{
    const cj__allocator *a = &walk->plan.db->cx.allocator;

    if (w->walk == NULL)
        return; /* not begun */
    cj__reader_let_go(walk->plan.reader, CJ__KEPT_CORES, w->held);
    cj__str_end(&w->core);
    cj__str_end(&w->props);
    cj__frame_end(&w->gather);
    cj__frame_end(&w->sorted);
    cj__frame_end(&w->spare);
    for (int i = 0; w->partial != NULL && i < walk->n_folds; i++)
        cj__str_end(&w->partial[i]);
    cj__free(a, w->partial, (size_t)walk->n_folds * sizeof *w->partial);
    for (int64_t i = 0; i < w->n_slots; i++)
        cj__frame_end(&w->slots[i].frame);
    cj__free(a, w->slots, (size_t)w->n_slots * sizeof *w->slots);
    cj__free(a, w->slots_room, w->slots_bytes);
    cj__free(a, w->counts, w->counts_capacity * sizeof *w->counts);
    cj__free(a, w->places, w->places_capacity * sizeof *w->places);
    cj__free(a, w->keys, w->keys_capacity * sizeof *w->keys);
}

static int32_t scan_begin(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    const cj__allocator *a = &p->db->cx.allocator;
    int64_t blocks = p->n_blocks + 1, n_slots;
    int32_t rc = CJ_OK;

    walk->n_workers = (int)scan_clamp(p->opts.threads, 1, CJ__MAX_THREADS);
    if (walk->n_workers > blocks) /* a thread without a block would only cost */
        walk->n_workers = (int)blocks;
    if (p->opts.profile != 0 || p->opts.n_some > 0)
        walk->n_workers = 1;
    scan_share(walk, &n_slots);
    walk->workers = cj__alloc_zero(a, (size_t)walk->n_workers * sizeof *walk->workers);
    if (walk->workers == NULL)
        return CJ_ENOMEM;
    for (int i = 0; i < walk->n_workers; i++)
        CJ_TRY(scan_worker(walk, &walk->workers[i], n_slots));
out:
    return rc;
}

/* Gather ahead what must be, and cut profiles [lo, *hi_out) into windows. */
static int32_t scan_cut(cj__walk *walk, uint32_t *hi_out)
{
    int32_t rc;

    *hi_out = walk->plan.n_nodes + 1;
    if (walk->is_whole) {
        CJ_TRY(cj__whole_gather(walk));
        CJ_TRY(cj__bins_cut(&walk->bins, walk->lo, *hi_out, &walk->windows));
        return cj__whole_arrange(walk);
    }
    CJ_TRY(cj__foreign_gather(walk));
    *hi_out = atomic_load(&walk->hi);
    CJ_TRY(cj__bins_cut(&walk->bins, walk->lo, *hi_out, &walk->windows));
    CJ_TRY(cj__foreign_arrange(walk));
out:
    return rc;
}

static int32_t scan_round(cj__walk *walk)
{
    uint32_t hi;
    int64_t runs;
    int32_t rc;

    CJ_TRY(scan_cut(walk, &hi));
    walk->n_appended = 0;
    walk->run_windows =
        walk->n_workers == 1
            ? walk->windows.n
            : scan_clamp(walk->windows.n / (walk->n_workers * 4), 1, SCAN_RUN);
    runs = (walk->windows.n + walk->run_windows - 1) / walk->run_windows;
    CJ_TRY(cj__walk_run(walk, runs, cj__window_run));
    walk->lo = hi;
out:
    return rc;
}

static int32_t scan_all(cj__walk *walk)
{
    int32_t rc = CJ_OK;

    if (walk->by_states)
        return cj__states_scan(walk, scan_bytes(walk) / 4 * 3 + 1);
    CJ_TRY(cj__bins_make(&walk->bins, &walk->plan, walk->window_events));
    for (walk->lo = 1; walk->lo <= walk->plan.n_nodes;)
        CJ_TRY(scan_round(walk));
out:
    return rc;
}

static int32_t scan_many(cj__walk *walk)
{
    int32_t rc = CJ_OK;

    for (int64_t at = 0; at < walk->plan.opts.n_some;) {
        CJ_TRY(cj__plan_turn(&walk->plan, &at));
        CJ_TRY(cj__scan_one(&walk->workers[0]));
    }
out:
    return rc;
}

static void scan_end(cj__walk *walk)
{
    const cj__allocator *a = &walk->plan.db->cx.allocator;

    for (int64_t i = 0; i < walk->windows.n; i++)
        cj__window_end(walk, &walk->windows.at[i]);
    cj__free(a, walk->windows.at, walk->windows.capacity * sizeof *walk->windows.at);
    cj__foreign_end(walk);
    cj__whole_end(walk);
    cj__states_end(walk);
    cj__sparse_end(walk);
    cj__bins_end(&walk->bins);
    for (int i = 0; walk->workers != NULL && i < walk->n_workers; i++)
        scan_worker_end(walk, &walk->workers[i]);
    cj__free(a, walk->workers, (size_t)walk->n_workers * sizeof *walk->workers);
    cj__plan_end(&walk->plan);
    pthread_mutex_destroy(&walk->lock);
}

/* A worker that is alone has written the whole result. */
static void scan_hand_over(cj__walk *walk)
{
    for (int i = 0; walk->n_workers == 1 && i < walk->n_folds; i++) {
        cj__str *partial = &walk->workers[0].partial[i];

        walk->folds[i].partial = *partial;
        cj__str_init(partial, partial->allocator, CJ__PARTIAL_BYTES);
    }
}

/* Sparse when it may be; then it may turn out to be dense. */
static int32_t scan_run(cj__walk *walk, const cj__scan_options *opts, int may_be_sparse)
{
    cj_db *db = walk->plan.db;
    int32_t rc;

    walk->bins.allocator = &db->cx.allocator;
    walk->by_states = cj__states_suffice(walk->folds, walk->n_folds, opts);
    walk->want = scan_columns(walk, opts);
    walk->is_sparse = may_be_sparse && cj__sparse_suits(walk, opts);
    walk->keeps = opts->n_some > 0 || opts->profile != 0;
    CJ_TRY(cj__plan_open(&walk->plan, db, opts));
    if (walk->plan.n_nodes == 0 && opts->n_some == 0)
        goto out;
    CJ_TRY(scan_begin(walk));
    CJ_TRY(opts->n_some > 0     ? scan_many(walk)
           : opts->profile != 0 ? cj__scan_one(&walk->workers[0])
           : walk->is_sparse    ? cj__sparse_scan(walk)
                                : scan_all(walk));
    scan_hand_over(walk);
out:
    return rc;
}

int32_t cj__scan(cj_db *db, const cj__scan_options *opts, cj__fold *folds, int n_folds)
{
    int may_be_sparse = 1;
    int32_t rc = CJ_OK;

    for (int i = 0; i < n_folds; i++)
        cj__str_init(&folds[i].partial, &db->cx.allocator, CJ__PARTIAL_BYTES);
    for (int again = 1; again && rc == CJ_OK; may_be_sparse = 0) {
        cj__walk walk;

        memset(&walk, 0, sizeof walk);
        walk.plan.db = db;
        walk.folds = folds;
        walk.n_folds = n_folds;
        pthread_mutex_init(&walk.lock, NULL);
        rc = scan_run(&walk, opts, may_be_sparse);
        again = walk.is_dense;
        scan_end(&walk);
    }
    for (int i = 0; rc != CJ_OK && i < n_folds; i++)
        cj__str_end(&folds[i].partial);
    return rc;
}
