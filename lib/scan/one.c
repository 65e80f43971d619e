/* A scan of one profile: only the rows of its nodes are decoded, and no windows are
 * made.  For shops that look at one customer while he waits. */
#include "scan/internal.h"

/* Decode a node's rows behind the gathered ones and keep those within the time. */
static int32_t one_rows(cj__worker *w, cj__text core, uint32_t node, int64_t room)
{
    const cj__plan *p = &w->walk->plan;
    cj__frame *f = &w->gather;
    cj__columns view;
    int64_t first_row, n = 0;
    int32_t rc;

    CJ_TRY(cj__frame_reserve(f, f->n + room));
    view = cj__frame_view(f, f->n);
    CJ_TRY(cj__block_node(core, node, w->walk->want, &view, &first_row));
    for (int64_t i = 0; i < view.n && i < room; i++) {
        f->u32[CJ__FRAME_NODE][f->n + i] = node;
        f->u32[CJ__FRAME_ROOT][f->n + i] = p->opts.profile;
        w->pick[n] = (uint32_t)(f->n + i);
        n += view.time_ms[i] >= p->from_ms && view.time_ms[i] < p->until_ms;
    }
    cj__frame_take(f, f->n, f, w->pick, n);
    f->n += n;
out:
    return rc;
}

static int32_t one_part(cj__worker *w, const cj__part *part)
{
    const cj__plan *p = &w->walk->plan;
    int64_t in_core = 0; /* id of the block that w->core holds */
    cj__block_header header = {0};
    cj__text core = {NULL, 0};
    int32_t rc = CJ_OK;

    for (int64_t k = 0; k < p->n_nodes_of; k++) {
        uint32_t node = p->nodes[k];

        for (int64_t i = cj__plan_block(part, node);
             i < part->n_blocks && part->blocks[i].first_node <= node; i++) {
            int64_t id = part->blocks[i].id;

            if (in_core != id) {
                CJ_TRY(cj__walk_tick(w));
                CJ_TRY(cj__reader_block(p->reader, id, &w->core, NULL));
                core = (cj__text){w->core.data, w->core.n};
                CJ_TRY(cj__block_open(core, (cj__text){NULL, 0}, &header));
                in_core = id;
            }
            if (header.n < 1 || header.n > CJ__BLOCK_EVENTS)
                return cj__fail(CJ_ECORRUPT, "block %lld is too large", (long long)id);
            CJ_TRY(one_rows(w, core, node, header.n));
        }
    }
out:
    return rc;
}

int32_t cj__scan_one(cj__worker *w)
{
    const cj__plan *p = &w->walk->plan;
    uint32_t profile = p->opts.profile;
    int32_t rc = CJ_OK;

    if (p->n_nodes_of == 0 || !cj__plan_wants(p, profile))
        return CJ_OK;
    for (int64_t i = 0; i < p->n_parts; i++)
        CJ_TRY(one_part(w, &p->parts[i]));
    CJ_TRY(cj__gather_journal(w, profile, profile + 1));
    CJ_TRY(cj__window_emit(w, profile, profile + 1));
out:
    return rc;
}
