/* A scan of one profile: only the rows of its nodes are decoded, and no windows are
 * made.  For shops that look at one customer while he waits. */
#include "scan/internal.h"

#include <string.h>

typedef struct one_block { /* the block that the worker holds */
    int64_t id;            /* 0: none */
    int64_t n;
    const cj__text *texts; /* its properties, */
    int has_texts;         /* decoded for the first node that has rows */
} one_block;

static int32_t one_open(cj__worker *w, int64_t id, one_block *b)
{
    cj__block_header header;
    int32_t rc;

    memset(b, 0, sizeof *b);
    CJ_TRY(cj__gather_open(w, id, &header));
    if (header.n < 1 || header.n > CJ__BLOCK_EVENTS)
        return cj__fail(CJ_ECORRUPT, "block %lld is too large", (long long)id);
    b->id = id;
    b->n = header.n;
out:
    return rc;
}

static int32_t one_texts(cj__worker *w, one_block *b, int64_t first_row, int64_t n)
{
    int32_t rc = CJ_OK;

    if (!b->has_texts && n > 0)
        CJ_TRY(cj__gather_texts(w, b->n, &b->texts));
    b->has_texts |= n > 0;
    cj__frame_put_texts(&w->gather, w->gather.n, n,
                        b->texts == NULL ? NULL : b->texts + first_row);
out:
    return rc;
}

/* Rows [first, first + n) of the block, decoded behind the gathered ones: keep those
 * within the time. */
static int32_t one_take(cj__worker *w, uint32_t node, one_block *b,
                        const cj__columns *view, int64_t first_row)
{
    const cj__plan *p = &w->walk->plan;
    cj__frame *f = &w->gather;
    int64_t n = 0;
    int32_t rc;

    CJ_TRY(one_texts(w, b, first_row, view->n));
    for (int64_t i = 0; i < view->n; i++) {
        f->u32[CJ__FRAME_NODE][f->n + i] = node;
        f->u32[CJ__FRAME_ROOT][f->n + i] = p->opts.profile;
        w->pick[n] = (uint32_t)(f->n + i);
        n += view->time_ms[i] >= p->from_ms && view->time_ms[i] < p->until_ms &&
             cj__plan_reads(p, f, f->n + i);
    }
    cj__frame_take(f, f->n, f, w->pick, n);
    CJ_TRY(cj__frame_own(f, f->n, n));
    f->n += n;
out:
    return rc;
}

/* Some rows of the block at hand, a node's. */
static int32_t one_run(cj__worker *w, uint32_t node, one_block *b,
                       const uint32_t range[2])
{
    cj__frame *f = &w->gather;
    cj__columns view;
    int32_t rc;

    CJ_TRY(cj__frame_reserve(f, f->n + (range[1] - range[0])));
    view = cj__frame_view(f, f->n);
    CJ_TRY(cj__block_run(w->bytes, node, range, w->walk->want, &view));
    CJ_TRY(one_take(w, node, b, &view, range[0]));
out:
    return rc;
}

int32_t cj__one_find(cj__reader *reader, int64_t block, uint32_t node,
                     uint32_t range[2], int *known_out)
{
    cj__kept_block *nodes = cj__reader_kept(reader, CJ__KEPT_NODES, block);
    int32_t rc;

    *known_out = nodes != NULL;
    if (nodes == NULL)
        return CJ_OK;
    rc = cj__block_find((cj__text){(const char *)nodes->bytes, nodes->n}, node, range);
    cj__reader_let_go(reader, CJ__KEPT_NODES, nodes);
    return rc;
}

/* Of few profiles many blocks have nobody: what nodes a block has is kept. */
int32_t cj__one_learn(cj__reader *reader, int64_t block, cj__text core, uint32_t node,
                      uint32_t range[2])
{
    cj__text bytes;
    cj__str index;
    int32_t rc;

    cj__str_init(&index, &cj__reader_db(reader)->cx.allocator, CJ__CORE_BYTES);
    CJ_TRY(cj__block_nodes(core, &index));
    bytes = (cj__text){index.data, index.n};
    CJ_TRY(cj__block_find(bytes, node, range));
    CJ_TRY(cj__reader_keep(reader, CJ__KEPT_NODES, block, bytes));
out:
    cj__str_end(&index);
    return rc;
}

/* A node's rows of a block that it may be in. */
static int32_t one_rows(cj__worker *w, uint32_t node, int64_t block, one_block *b)
{
    cj__reader *reader = w->walk->plan.reader;
    uint32_t range[2];
    int known;
    int32_t rc;

    CJ_TRY(cj__one_find(reader, block, node, range, &known));
    if (!known) {
        if (b->id != block)
            CJ_TRY(one_open(w, block, b));
        CJ_TRY(cj__one_learn(reader, block, w->bytes, node, range));
    }
    if (range[0] == range[1])
        return CJ_OK;
    if (b->id != block)
        CJ_TRY(one_open(w, block, b));
    CJ_TRY(one_run(w, node, b, range));
out:
    return rc;
}

static int32_t one_part(cj__worker *w, const cj__part *part)
{
    const cj__plan *p = &w->walk->plan;
    one_block b = {0};
    int32_t rc = CJ_OK;

    for (int64_t k = 0; k < p->n_nodes_of; k++) {
        uint32_t node = p->nodes[k];

        for (int64_t i = cj__plan_block(part, node);
             i < part->n_blocks && part->blocks[i].first_node <= node; i++)
            CJ_TRY(one_rows(w, node, part->blocks[i].id, &b));
    }
out:
    return rc;
}

int32_t cj__scan_one(cj__worker *w)
{
    const cj__plan *p = &w->walk->plan;
    uint32_t profile = p->opts.profile;
    int32_t rc = CJ_OK;

    cj__frame_clear(&w->gather);
    if (p->n_nodes_of == 0 || !cj__plan_wants(p, profile))
        return CJ_OK;
    for (int64_t i = 0; i < p->n_parts; i++)
        CJ_TRY(one_part(w, &p->parts[i]));
    CJ_TRY(cj__gather_journal(w, profile, profile + 1));
    CJ_TRY(cj__window_emit(w, profile, profile + 1));
out:
    return rc;
}
