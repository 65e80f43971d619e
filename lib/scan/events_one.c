/* The events of one profile for cj_events: of each block that may hold a node of his,
 * what is kept says which rows are the node's, and no others are decoded. */
#include "scan/internal.h"

typedef struct one_events {
    cj__events *events;
    const cj__plan *plan;
    cj__str core, props; /* of the block at hand */
    int64_t block;       /* 0: none */
    cj__arena decoded;
} one_events;

static int32_t one_open(one_events *o, int64_t block)
{
    cj__block_header header;
    int32_t rc;

    if (o->block == block)
        return CJ_OK;
    o->block = 0;
    CJ_TRY(cj__interrupted(&o->plan->db->cx));
    CJ_TRY(cj__reader_block(o->plan->reader, block, &o->core, &o->props));
    CJ_TRY(cj__block_open((cj__text){o->core.data, o->core.n},
                          (cj__text){o->props.n == 0 ? "" : o->props.data, o->props.n},
                          &header));
    o->block = block;
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
        CJ_TRY(one_keep(o, &rows[i]));
out:
    return rc;
}

/* A node's rows of a block that it may be in. */
static int32_t one_block(one_events *o, uint32_t node, int64_t block)
{
    cj__reader *reader = o->plan->reader;
    uint32_t range[2];
    int known;
    int32_t rc;

    CJ_TRY(cj__one_find(reader, block, node, range, &known));
    if (!known) {
        CJ_TRY(one_open(o, block));
        CJ_TRY(cj__one_learn(reader, block, (cj__text){o->core.data, o->core.n}, node,
                             range));
    }
    if (range[0] == range[1])
        return CJ_OK;
    CJ_TRY(one_open(o, block));
    CJ_TRY(one_decode(o, node, range));
out:
    return rc;
}

static int32_t one_sealed(one_events *o)
{
    const cj__plan *p = o->plan;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < p->n_parts; i++) {
        const cj__part *part = &p->parts[i];

        for (int64_t k = 0; k < p->n_nodes_of; k++) {
            for (int64_t b = cj__plan_block(part, p->nodes[k]);
                 b < part->n_blocks && part->blocks[b].first_node <= p->nodes[k]; b++)
                CJ_TRY(one_block(o, p->nodes[k], part->blocks[b].id));
        }
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
    CJ_TRY(one_sealed(&o));
    for (int64_t i = 0; i < p->n_journal; i++)
        CJ_TRY(one_keep(&o, &p->rows[p->journal[i] & 0xFFFFFFFF]));
    CJ_TRY(cj__events_emit(e));
out:
    cj__str_end(&o.core);
    cj__str_end(&o.props);
    cj__arena_end(&o.decoded);
    return rc;
}
