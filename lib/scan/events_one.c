/* The events of one profile for cj_events: of each block that may hold a node of his,
 * what is kept says which rows are the node's, and no others are decoded.  They are
 * kept in turn: whoever is asked for is soon asked for again. */
#include "scan/internal.h"

#define ONE_KEPT_BYTES (CJ__KEPT_ROWS_BYTES / 16) /* of a node in a part */

typedef struct one_events {
    cj__events *events;
    const cj__plan *plan;
    cj__str core, props; /* of the block at hand */
    int64_t block;       /* 0: none */
    int has_props;
    cj__str found; /* rows of a node in a part */
    cj__arena decoded;
} one_events;

/* Read a block, with its properties or without. */
static int32_t one_open(one_events *o, int64_t block, int with_props)
{
    cj__text core, props = {NULL, 0};
    cj__block_header header;
    int32_t rc;

    if (o->block == block && o->has_props >= with_props)
        return CJ_OK;
    o->block = 0;
    CJ_TRY(cj__interrupted(&o->plan->db->cx));
    CJ_TRY(cj__reader_block(o->plan->reader, block, &o->core,
                            with_props ? &o->props : NULL));
    core = (cj__text){o->core.data, o->core.n};
    if (with_props) /* none is checked, too */
        props = (cj__text){o->props.n == 0 ? "" : o->props.data, o->props.n};
    CJ_TRY(cj__block_open(core, props, &header));
    o->block = block;
    o->has_props = with_props;
out:
    return rc;
}

static int32_t one_keep(one_events *o, const cj__row *row)
{
    const cj__plan *p = o->plan;

    if (row->time_ms < p->from_ms || row->time_ms >= p->until_ms ||
        (o->events->name != 0 && row->name != o->events->name))
        return CJ_OK;
    return cj__events_keep(o->events, p->opts.profile, row);
}

static int32_t one_decode(one_events *o, uint32_t node, const uint32_t range[2])
{
    const uint32_t n = range[1] - range[0];
    cj__row *rows;
    int32_t rc;

    cj__arena_reset(&o->decoded);
    rows = cj__arena_alloc(&o->decoded, n * sizeof *rows);
    if (rows == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__block_run_rows((cj__text){o->core.data, o->core.n},
                              (cj__text){o->props.data, o->props.n}, node, range,
                              &o->decoded, rows));
    for (uint32_t i = 0; i < n; i++)
        cj__journal_put(&o->found, &rows[i]);
    rc = cj__str_status(&o->found);
out:
    return rc;
}

/* Which rows of a block are the node's?  *opened: it had to be read. */
static int32_t one_find(one_events *o, uint32_t node, int64_t block, uint32_t range[2])
{
    int known;
    int32_t rc;

    CJ_TRY(cj__one_find(o->plan->reader, block, node, range, &known));
    if (known)
        return CJ_OK;
    CJ_TRY(one_open(o, block, 0));
    CJ_TRY(cj__one_learn(o->plan->reader, block, (cj__text){o->core.data, o->core.n},
                         node, range));
out:
    return rc;
}

/* Rows as the journal packs them. */
static int32_t one_take(one_events *o, cj__text bytes)
{
    size_t at = 0;
    cj__row row;
    int32_t rc = CJ_OK;

    while (at < bytes.n) {
        CJ_TRY(cj__journal_next(bytes, &at, &row));
        CJ_TRY(one_keep(o, &row));
    }
out:
    return rc;
}

/* What is kept of the node in the part, if anything. */
static int32_t one_kept(one_events *o, int64_t id, int *known_out)
{
    cj__kept_block *rows = cj__reader_kept(o->plan->reader, CJ__KEPT_ROWS, id);
    int32_t rc = CJ_OK;

    *known_out = rows != NULL;
    if (rows != NULL)
        rc = one_take(o, (cj__text){(const char *)rows->bytes, rows->n});
    cj__reader_let_go(o->plan->reader, CJ__KEPT_ROWS, rows);
    return rc;
}

static int32_t one_flush(one_events *o)
{
    const int32_t rc = one_take(o, (cj__text){o->found.data, o->found.n});

    cj__str_clear(&o->found);
    return rc;
}

/* All rows of a node in a part, from the blocks that may have some, and keep what there
 * is, also that there is nothing. */
static int32_t one_read(one_events *o, const cj__part *part, int64_t at, uint32_t node)
{
    int64_t id = cj__rows_id(part->id, node);
    uint32_t range[2];
    int32_t rc = CJ_OK;

    cj__str_clear(&o->found);
    for (; at < part->n_blocks && part->blocks[at].first_node <= node; at++) {
        CJ_TRY(one_find(o, node, part->blocks[at].id, range));
        if (range[0] == range[1])
            continue;
        CJ_TRY(one_open(o, part->blocks[at].id, 1));
        CJ_TRY(one_decode(o, node, range));
        if (o->found.n > ONE_KEPT_BYTES) {
            CJ_TRY(one_flush(o));
            id = 0;
        }
    }
    if (id != 0)
        CJ_TRY(cj__reader_keep(o->plan->reader, CJ__KEPT_ROWS, id,
                               (cj__text){o->found.data, o->found.n}));
    CJ_TRY(one_flush(o));
out:
    return rc;
}

/* Is it known of all blocks that the node could be in that he is not? */
static int32_t one_is_absent(one_events *o, const cj__part *part, int64_t at,
                             uint32_t node, int *absent_out)
{
    uint32_t range[2];
    int known;
    int32_t rc = CJ_OK;

    *absent_out = 1;
    for (; *absent_out && at < part->n_blocks && part->blocks[at].first_node <= node;
         at++) {
        CJ_TRY(cj__one_find(o->plan->reader, part->blocks[at].id, node, range, &known));
        *absent_out = known && range[0] == range[1];
    }
out:
    return rc;
}

static int32_t one_part(one_events *o, const cj__part *part, uint32_t node)
{
    const int64_t at = cj__plan_block(part, node);
    int known;
    int32_t rc;

    CJ_TRY(one_is_absent(o, part, at, node, &known));
    if (known)
        return CJ_OK;
    CJ_TRY(one_kept(o, cj__rows_id(part->id, node), &known));
    if (!known)
        CJ_TRY(one_read(o, part, at, node));
out:
    return rc;
}

static int32_t one_sealed(one_events *o)
{
    const cj__plan *p = o->plan;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < p->n_parts; i++) {
        for (int64_t k = 0; k < p->n_nodes_of; k++)
            CJ_TRY(one_part(o, &p->parts[i], p->nodes[k]));
    }
out:
    return rc;
}

int32_t cj__events_of_one(cj__events *e, const cj__plan *p)
{
    const cj__allocator *a = &p->db->cx.allocator;
    one_events o = {.events = e, .plan = p};
    int32_t rc;

    cj__arena_init(&o.decoded, a);
    cj__str_init(&o.core, a, CJ__CORE_BYTES);
    cj__str_init(&o.props, a, CJ__PROPS_BYTES);
    cj__str_init(&o.found, a, CJ__PROPS_BYTES);
    CJ_TRY(one_sealed(&o));
    for (int64_t i = 0; i < p->n_journal; i++)
        CJ_TRY(one_keep(&o, &p->rows[p->journal[i] & 0xFFFFFFFF]));
    CJ_TRY(cj__events_emit(e));
out:
    cj__str_end(&o.core);
    cj__str_end(&o.props);
    cj__str_end(&o.found);
    cj__arena_end(&o.decoded);
    return rc;
}
