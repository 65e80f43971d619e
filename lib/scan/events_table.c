/* Events read back, with their texts and properties, as a table.  Folds do not carry
 * texts, so this is a walk of its own: window by window of profiles, in order, until
 * the limit is reached.  It keeps one window's rows at a time. */
#include "scan/internal.h"

#include <string.h>

#define EVENTS_LIMIT 1000000
#define EVENTS_WINDOW 65536 /* events; small limits get smaller windows */
#define EVENTS_WINDOW_LEAST 512

typedef struct events_walk {
    cj__plan plan;
    cj__events events;
    cj__bins bins;
    cj__windows windows;

    uint32_t lo, hi; /* the window */
    uint64_t *bits;  /* its nodes; NULL: none is foreign, so they are [lo, hi) */
    cj__arena block;
    cj__str core, props;
    cj__frame scout; /* node, time and name of a block */
    cj__row *decoded;
} events_walk;

static void events_mark(events_walk *w)
{
    const cj__plan *p = &w->plan;

    if (w->bits == NULL)
        return;
    memset(w->bits, 0, cj__bits_bytes(p->n_nodes));
    for (uint32_t node = w->lo; node <= p->n_nodes; node++) {
        if (p->profile_of[node] >= w->lo && p->profile_of[node] < w->hi)
            cj__bits_set(w->bits, node);
    }
}

static int events_overlaps(const events_walk *w, const cj__part_block *b)
{
    uint32_t n_nodes = w->plan.n_nodes;

    if (w->bits == NULL)
        return b->first_node < w->hi && b->last_node >= w->lo;
    if (b->first_node > n_nodes)
        return 0;
    return cj__bits_any(w->bits, b->first_node,
                        b->last_node < n_nodes ? b->last_node : n_nodes);
}

static int events_wants(const events_walk *w, uint32_t node, int64_t time_ms,
                        uint32_t name)
{
    const cj__plan *p = &w->plan;
    uint32_t root;

    if (node < 1 || node > p->n_nodes)
        return 0;
    root = p->profile_of[node];
    return root >= w->lo && root < w->hi && time_ms >= p->from_ms &&
           time_ms < p->until_ms && (w->events.name == 0 || name == w->events.name);
}

/* Whether a block holds a wanted row: properties are dear, names are not. */
static int32_t events_scout(events_walk *w, cj__text core, int64_t n, int *any)
{
    cj__columns view = cj__frame_view(&w->scout, 0);
    int32_t rc;

    *any = 0;
    rc = cj__block_columns(core, CJ__COL_TIME | CJ__COL_NAME, &view);
    for (int64_t i = 0; rc == CJ_OK && i < n && i < view.n && !*any; i++)
        *any = events_wants(w, view.node[i], view.time_ms[i], view.name[i]);
    return rc;
}

static int32_t events_block(events_walk *w, const cj__part_block *block)
{
    cj__text core, props;
    cj__block_header header;
    int64_t n;
    int any;
    int32_t rc;

    CJ_TRY(cj__interrupted(&w->plan.db->cx));
    CJ_TRY(cj__reader_block(w->plan.reader, block->id, &w->core, &w->props));
    core = (cj__text){w->core.data, w->core.n};
    props = (cj__text){w->props.data, w->props.n};
    CJ_TRY(cj__block_open(core, props, &header));
    if (header.n < 1 || header.n > CJ__BLOCK_EVENTS)
        return cj__fail(CJ_ECORRUPT, "block %lld holds a wrong number of events",
                        (long long)block->id);
    CJ_TRY(events_scout(w, core, header.n, &any));
    if (!any)
        goto out;
    cj__arena_reset(&w->block);
    CJ_TRY(cj__block_rows(core, props, &w->block, w->decoded, &n));
    for (int64_t i = 0; i < n; i++) {
        const cj__row *row = &w->decoded[i];

        if (events_wants(w, row->node, row->time_ms, row->name))
            CJ_TRY(cj__events_keep(&w->events, w->plan.profile_of[row->node], row));
    }
out:
    return rc;
}

static int32_t events_gather(events_walk *w)
{
    const cj__plan *p = &w->plan;
    int64_t first, end;
    int32_t rc = CJ_OK;

    events_mark(w);
    for (int64_t i = 0; i < p->n_parts; i++) {
        const cj__part *part = &p->parts[i];

        for (int64_t k = cj__plan_block(part, w->lo); k < part->n_blocks; k++) {
            if (events_overlaps(w, &part->blocks[k]))
                CJ_TRY(events_block(w, &part->blocks[k]));
            else if (w->bits == NULL)
                break;
        }
    }
    cj__plan_journal(p, w->lo, w->hi, &first, &end);
    for (int64_t i = first; i < end; i++) {
        const cj__row *row = &p->rows[p->journal[i] & 0xFFFFFFFF];

        if (w->events.name == 0 || row->name == w->events.name)
            CJ_TRY(cj__events_keep(&w->events, (uint32_t)(p->journal[i] >> 32), row));
    }
out:
    return rc;
}

static int32_t walk_begin(events_walk *w)
{
    const cj__plan *p = &w->plan;
    const cj__allocator *a = &p->db->cx.allocator;
    int64_t window = w->events.limit;
    int32_t rc;

    window = window > EVENTS_WINDOW ? EVENTS_WINDOW : window;
    window = window < EVENTS_WINDOW_LEAST ? EVENTS_WINDOW_LEAST : window;
    CJ_TRY(cj__frame_reserve(&w->scout, CJ__BLOCK_EVENTS));
    w->decoded = cj__alloc(a, CJ__BLOCK_EVENTS * sizeof *w->decoded);
    if (w->decoded == NULL)
        return CJ_ENOMEM;
    if (p->n_foreign > 0) {
        w->bits = cj__alloc(a, cj__bits_bytes(p->n_nodes));
        if (w->bits == NULL)
            return CJ_ENOMEM;
    }
    CJ_TRY(cj__bins_make(&w->bins, p, window));
    CJ_TRY(cj__bins_cut(&w->bins, 1, p->n_nodes + 1, &w->windows));
out:
    return rc;
}

static void events_end(events_walk *w)
{
    const cj__allocator *a = &w->plan.db->cx.allocator;

    cj__free(a, w->decoded, CJ__BLOCK_EVENTS * sizeof *w->decoded);
    cj__free(a, w->bits, cj__bits_bytes(w->plan.n_nodes));
    cj__free(a, w->windows.at, w->windows.capacity * sizeof *w->windows.at);
    cj__frame_end(&w->scout);
    cj__str_end(&w->core);
    cj__str_end(&w->props);
    cj__arena_end(&w->block);
    cj__bins_end(&w->bins);
    cj__events_end(&w->events);
    cj__plan_end(&w->plan);
}

static int32_t events_of_all(events_walk *w)
{
    int32_t rc;

    CJ_TRY(walk_begin(w));
    for (int64_t i = 0; i < w->windows.n && w->events.limit > 0; i++) {
        w->lo = w->windows.at[i].lo;
        w->hi = w->windows.at[i].hi;
        CJ_TRY(events_gather(w));
        CJ_TRY(cj__events_emit(&w->events));
    }
out:
    return rc;
}

static int32_t events_check(const cj_events_options *opts)
{
    if (opts->profile < 0)
        return cj__fail(CJ_EINVAL, "profile must be the id of a profile, or 0 for all");
    if (opts->limit < 0)
        return cj__fail(CJ_EINVAL, "limit must be a number of rows, or 0 for %d",
                        EVENTS_LIMIT);
    if (opts->threads < 0 || opts->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
    return CJ_OK;
}

int32_t cj__events_table(cj_db *db, const cj_events_options *opts, cj_table **out)
{
    const cj__allocator *a = &db->cx.allocator;
    cj__scan_options scan = {
        .from_ms = opts->from_ms, .until_ms = opts->until_ms, .guests = 1};
    events_walk w;
    int32_t rc;

    *out = NULL;
    memset(&w, 0, sizeof w);
    w.plan.db = db;
    w.bins.allocator = a;
    cj__arena_init(&w.block, a);
    cj__str_init(&w.core, a, CJ__CORE_BYTES);
    cj__str_init(&w.props, a, CJ__PROPS_BYTES);
    cj__frame_init(&w.scout, a, CJ__COL_NAME);
    CJ_TRY(events_check(opts));
    scan.profile = (uint32_t)opts->profile;
    if (opts->profile > CJ__MAX_NODES)
        scan.profile = CJ__MAX_NODES; /* no more than that is there */
    CJ_TRY(cj__plan_open(&w.plan, db, &scan));
    CJ_TRY(cj__events_begin(&w.events, w.plan.reader,
                            opts->limit == 0 ? EVENTS_LIMIT : opts->limit));
    if (opts->name != NULL)
        CJ_TRY(cj__reader_term_id(w.plan.reader, CJ__SPACE_NAME,
                                  cj__text_of(opts->name), &w.events.name));
    if (w.plan.n_nodes > 0 && (opts->name == NULL || w.events.name != 0))
        CJ_TRY(opts->profile == 0 ? events_of_all(&w)
                                  : cj__events_of_one(&w.events, &w.plan));
    rc = cj__table_finish(w.events.table, out);
    w.events.table = NULL; /* it is out's, or freed */
out:
    events_end(&w);
    return rc;
}
