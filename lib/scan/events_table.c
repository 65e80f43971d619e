/* Events read back, with their texts and properties, as a table.  Folds do not carry
 * texts, so this is a walk of its own: window by window of profiles, in order, until
 * the limit is reached.  It keeps one window's rows at a time. */
#include "scan/internal.h"

#include <string.h>

#define EVENTS_LIMIT 1000000
#define EVENTS_WINDOW 65536 /* events; small limits get smaller windows */
#define EVENTS_WINDOW_LEAST 512

enum {
    EVENTS_PROFILE,
    EVENTS_NODE,
    EVENTS_TIME,
    EVENTS_NAME,
    EVENTS_CHANNEL,
    EVENTS_SESSION,
    EVENTS_CAMPAIGN,
    EVENTS_CONTENT,
    EVENTS_PRODUCT,
    EVENTS_ORDER,
    EVENTS_QUANTITY,
    EVENTS_VALUE,
    EVENTS_CURRENCY,
    EVENTS_PROPERTIES
};
#define EVENTS_COLUMNS                                                                 \
    "profile:i node:i time_ms:i name:t channel:t session:t campaign:t content:t "      \
    "product:t order_id:t quantity:i value_minor:i currency:t properties:t"

typedef struct events_walk {
    cj__plan plan;
    uint32_t name; /* 0: all */
    int64_t limit;
    cj_table *table;
    cj__bins bins;
    cj__windows windows;

    uint32_t lo, hi; /* the window */
    uint64_t *bits;  /* its nodes; NULL: none is foreign, so they are [lo, hi) */
    cj__arena block, kept;
    cj__str core, props;
    cj__frame scout; /* node, time and name of a block */
    cj__row *decoded;
    cj__row *rows; /* wanted, in order of arrival within a slice */
    size_t rows_capacity;
    int64_t n_rows;
    cj__sort_key *keys;
    size_t keys_capacity;
} events_walk;

static void events_mark(events_walk *w)
{
    const cj__plan *p = &w->plan;

    if (w->bits == NULL)
        return;
    memset(w->bits, 0, cj__bits_bytes(p->n_nodes));
    for (int64_t i = 0; i < p->n_nodes_of; i++)
        cj__bits_set(w->bits, p->nodes[i]);
    for (uint32_t node = w->lo; p->opts.profile == 0 && node <= p->n_nodes; node++) {
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
           time_ms < p->until_ms && (w->name == 0 || name == w->name);
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

static int32_t events_copy(events_walk *w, cj__text *text)
{
    if (text->data == NULL)
        return CJ_OK;
    text->data = cj__arena_text(&w->kept, text->data, text->n);
    return text->data == NULL ? CJ_ENOMEM : CJ_OK;
}

static int32_t events_keep(events_walk *w, const cj__row *row)
{
    void *rows = w->rows;
    cj__row *to;
    int32_t rc;

    rc = cj__array_grow(&w->plan.db->cx.allocator, &rows, &w->rows_capacity,
                        (size_t)w->n_rows + 1, sizeof *w->rows, UINT32_MAX);
    w->rows = rows;
    if (rc != CJ_OK)
        return rc;
    to = &w->rows[w->n_rows];
    *to = *row;
    CJ_TRY(events_copy(w, &to->session));
    CJ_TRY(events_copy(w, &to->order));
    CJ_TRY(events_copy(w, &to->properties));
    w->n_rows++;
out:
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
            CJ_TRY(events_keep(w, row));
    }
out:
    return rc;
}

static int32_t events_gather(events_walk *w)
{
    const cj__plan *p = &w->plan;
    int64_t first, end;
    int32_t rc = CJ_OK;

    w->n_rows = 0;
    cj__arena_reset(&w->kept);
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

        if (w->name == 0 || row->name == w->name)
            CJ_TRY(events_keep(w, row));
    }
out:
    return rc;
}

static int32_t events_term(events_walk *w, int column, uint32_t id)
{
    cj__text text;
    int32_t rc = cj__reader_term(w->plan.reader, id, &text);

    if (rc == CJ_OK && text.data != NULL)
        cj__table_text(w->table, column, text.data, text.n);
    else if (rc == CJ_OK)
        cj__table_null(w->table, column);
    return rc;
}

static void events_text(events_walk *w, int column, cj__text text)
{
    if (text.data != NULL)
        cj__table_text(w->table, column, text.data, text.n);
    else
        cj__table_null(w->table, column);
}

/* An event without a currency of its own is in the store's. */
static int32_t events_money(events_walk *w, const cj__row *row)
{
    if (!row->has_value) {
        cj__table_null(w->table, EVENTS_VALUE);
        cj__table_null(w->table, EVENTS_CURRENCY);
        return CJ_OK;
    }
    cj__table_int64(w->table, EVENTS_VALUE, row->value_minor);
    if (row->currency != 0)
        return events_term(w, EVENTS_CURRENCY, row->currency);
    cj__table_put(w->table, EVENTS_CURRENCY, w->plan.db->currency);
    return CJ_OK;
}

static int32_t events_put(events_walk *w, uint32_t profile, const cj__row *row)
{
    cj_table *t = w->table;
    int32_t rc;

    cj__table_int64(t, EVENTS_PROFILE, profile);
    cj__table_int64(t, EVENTS_NODE, row->node);
    cj__table_int64(t, EVENTS_TIME, row->time_ms);
    CJ_TRY(events_term(w, EVENTS_NAME, row->name));
    CJ_TRY(events_term(w, EVENTS_CHANNEL, row->channel));
    events_text(w, EVENTS_SESSION, row->session);
    CJ_TRY(events_term(w, EVENTS_CAMPAIGN, row->campaign));
    CJ_TRY(events_term(w, EVENTS_CONTENT, row->content));
    CJ_TRY(events_term(w, EVENTS_PRODUCT, row->product));
    events_text(w, EVENTS_ORDER, row->order);
    if (row->quantity != 0)
        cj__table_int64(t, EVENTS_QUANTITY, row->quantity);
    else
        cj__table_null(t, EVENTS_QUANTITY);
    CJ_TRY(events_money(w, row));
    events_text(w, EVENTS_PROPERTIES, row->properties);
out:
    return rc;
}

/* Put the window's rows into the table in order, as far as the limit allows. */
static int32_t events_emit(events_walk *w)
{
    void *keys = w->keys;
    int64_t room = w->limit;
    int32_t rc;

    rc = cj__array_grow(&w->plan.db->cx.allocator, &keys, &w->keys_capacity,
                        (size_t)w->n_rows * 2, sizeof *w->keys, SIZE_MAX);
    w->keys = keys;
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < w->n_rows; i++)
        w->keys[i] = (cj__sort_key){.time_ms = w->rows[i].time_ms,
                                    .profile = w->plan.profile_of[w->rows[i].node],
                                    .node = w->rows[i].node,
                                    .row = (uint32_t)i};
    cj__sort_keys(w->keys, w->keys + w->n_rows, w->n_rows);
    for (int64_t i = 0; i < w->n_rows && i < room; i++)
        CJ_TRY(events_put(w, w->keys[i].profile, &w->rows[w->keys[i].row]));
    w->limit -= w->n_rows < room ? w->n_rows : room;
out:
    return rc;
}

static int32_t events_begin(events_walk *w, const cj_events_options *opts)
{
    const cj__plan *p = &w->plan;
    const cj__allocator *a = &p->db->cx.allocator;
    int64_t window = opts->limit == 0 ? EVENTS_LIMIT : opts->limit;
    int32_t rc;

    w->limit = window;
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
    if (opts->profile == 0)
        CJ_TRY(cj__bins_cut(&w->bins, 1, p->n_nodes + 1, &w->windows));
    else
        CJ_TRY(
            cj__bins_cut(&w->bins, p->opts.profile, p->opts.profile + 1, &w->windows));
out:
    return rc;
}

static void events_end(events_walk *w)
{
    const cj__allocator *a = &w->plan.db->cx.allocator;

    cj__free(a, w->keys, w->keys_capacity * sizeof *w->keys);
    cj__free(a, w->rows, w->rows_capacity * sizeof *w->rows);
    cj__free(a, w->decoded, CJ__BLOCK_EVENTS * sizeof *w->decoded);
    cj__free(a, w->bits, cj__bits_bytes(w->plan.n_nodes));
    cj__free(a, w->windows.at, w->windows.capacity * sizeof *w->windows.at);
    cj__frame_end(&w->scout);
    cj__str_end(&w->core);
    cj__str_end(&w->props);
    cj__arena_end(&w->block);
    cj__arena_end(&w->kept);
    cj__bins_end(&w->bins);
    cj__plan_end(&w->plan);
    cj__table_free(w->table);
}

static int32_t events_walk_all(events_walk *w, const cj_events_options *opts)
{
    int32_t rc;

    CJ_TRY(events_begin(w, opts));
    for (int64_t i = 0; i < w->windows.n && w->limit > 0; i++) {
        w->lo = w->windows.at[i].lo;
        w->hi = w->windows.at[i].hi;
        CJ_TRY(events_gather(w));
        CJ_TRY(events_emit(w));
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
    cj__arena_init(&w.kept, a);
    cj__str_init(&w.core, a, CJ__CORE_BYTES);
    cj__str_init(&w.props, a, CJ__PROPS_BYTES);
    cj__frame_init(&w.scout, a, CJ__COL_NAME);
    CJ_TRY(events_check(opts));
    CJ_TRY(cj__table_new(a, EVENTS_COLUMNS, &w.table));
    if (opts->profile <= (int64_t)UINT32_MAX - 1)
        scan.profile = (uint32_t)opts->profile;
    CJ_TRY(cj__plan_open(&w.plan, db, &scan));
    if (opts->name != NULL)
        CJ_TRY(cj__reader_term_id(w.plan.reader, CJ__SPACE_NAME,
                                  cj__text_of(opts->name), &w.name));
    if (w.plan.n_nodes > 0 && opts->profile <= w.plan.n_nodes &&
        (opts->name == NULL || w.name != 0))
        CJ_TRY(events_walk_all(&w, opts));
    rc = cj__table_finish(w.table, out);
    w.table = NULL; /* it is out's, or freed */
out:
    events_end(&w);
    return rc;
}
