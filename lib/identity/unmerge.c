/* Taking an edge out.  The state is a fold over the edges in order; an edge can only
 * have influenced nodes that some chain of edges (joined or refused, not removed)
 * connects with it.  So: mark it removed, collect that region, set its nodes back to
 * themselves and fold the region's edges again, in order. */
#include "identity/internal.h"

#include <stdlib.h>

typedef struct region {
    cj_db *db;
    cj__edge
        *edges; /* all that are not removed; the region's are brought to the front */
    size_t n_all, edges_capacity, n_edges;
    uint32_t *nodes;
    size_t n_nodes, nodes_capacity;
    cj__map seen; /* nodes */
} region;

static int32_t region_node(region *r, uint32_t node)
{
    uint64_t ignored;
    int32_t rc = CJ_OK;

    if (cj__map_get(&r->seen, node, &ignored))
        return CJ_OK;
    CJ_TRY(cj__map_put(&r->seen, node, 1));
    CJ_TRY(cj__array_grow(&r->db->cx.allocator, (void **)&r->nodes, &r->nodes_capacity,
                          r->n_nodes + 1, sizeof *r->nodes, CJ__MAX_NODES));
    r->nodes[r->n_nodes++] = node;
out:
    return rc;
}

/* Every edge, read once.  An index by the older node would find the region's alone, and
 * would cost a random page with every new edge; taking one out is rare. */
static int32_t region_read(region *r)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_EDGE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__array_grow(&r->db->cx.allocator, (void **)&r->edges,
                              &r->edges_capacity, r->n_all + 1, sizeof *r->edges,
                              SIZE_MAX / sizeof *r->edges));
        cj__edge_read(&q, &r->edges[r->n_all]);
        r->n_all += r->edges[r->n_all].state != CJ__EDGE_REMOVED;
        if ((r->n_all & 1023) == 0)
            CJ_TRY(cj__interrupted(&r->db->cx));
    }
out:
    cj__query_end(&q);
    return rc;
}

static int region_touches(const region *r, const cj__edge *e)
{
    uint64_t ignored;

    return cj__map_get(&r->seen, e->a, &ignored) ||
           cj__map_get(&r->seen, e->b, &ignored);
}

/* Take in what touches the region until nothing more does: one pass per step of
 * distance, and distances are short. */
static int32_t region_grow(region *r)
{
    size_t before;
    int32_t rc = CJ_OK;

    do {
        before = r->n_edges;
        CJ_TRY(cj__interrupted(&r->db->cx));
        for (size_t i = r->n_edges; i < r->n_all; i++) {
            cj__edge e = r->edges[i];
            if (!region_touches(r, &e))
                continue;
            CJ_TRY(region_node(r, e.a));
            CJ_TRY(region_node(r, e.b));
            r->edges[i] = r->edges[r->n_edges];
            r->edges[r->n_edges++] = e;
        }
    } while (r->n_edges > before);
out:
    return rc;
}

static int region_order(const void *a, const void *b)
{
    const cj__edge *x = a, *y = b;

    return (x->edge > y->edge) - (x->edge < y->edge);
}

static int32_t region_collect(region *r, const cj__edge *removed)
{
    int32_t rc;

    CJ_TRY(region_node(r, removed->a));
    CJ_TRY(region_node(r, removed->b));
    CJ_TRY(region_read(r));
    CJ_TRY(region_grow(r));
    if (r->n_edges > 0)
        qsort(r->edges, r->n_edges, sizeof *r->edges, region_order);
out:
    return rc;
}

static int32_t unmerge_state(cj_db *db, int64_t edge, int32_t state)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_EDGE_STATE, &q));
    cj__query_int64(&q, 1, edge);
    cj__query_int64(&q, 2, state);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t unmerge_fold(region *r, int64_t now_ms)
{
    const cj__nodes nodes = cj__nodes_of(r->db);
    uint32_t kept, other;
    int32_t state, rc = CJ_OK;

    for (size_t i = 0; i < r->n_nodes; i++) {
        cj__node node;
        CJ_TRY(cj__node_get(r->db, r->nodes[i], &node));
        node.profile = node.next = r->nodes[i];
        node.mask = node.own;
        CJ_TRY(cj__node_put(r->db, r->nodes[i], &node));
    }
    for (size_t i = 0; i < r->n_edges; i++) {
        CJ_TRY(cj__edge_apply(&nodes, &r->edges[i], &state, &kept, &other));
        if (state == r->edges[i].state)
            continue;
        CJ_TRY(unmerge_state(r->db, r->edges[i].edge, state));
        CJ_TRY(cj__merge_log(r->db, r->edges[i].edge, state, kept, other, now_ms));
        CJ_TRY(r->db->observer->regraphed(r->db, r->edges[i].a, r->edges[i].b));
    }
out:
    return rc;
}

static int32_t unmerge_find(cj_db *db, int64_t edge, cj__edge *out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_EDGE_GET, &q));
    cj__query_int64(&q, 1, edge);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(cj__fail(CJ_ENOTFOUND, "no edge %lld", (long long)edge));
    cj__edge_read(&q, out);
    if (out->state == CJ__EDGE_REMOVED)
        CJ_TRY(cj__fail(CJ_ENOTFOUND, "edge %lld is removed already", (long long)edge));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__unmerge(cj_db *db, int64_t edge, int64_t now_ms)
{
    const cj__allocator *a = &db->cx.allocator;
    region r = {.db = db};
    cj__edge removed;
    int32_t rc;

    cj__map_init(&r.seen, a);
    CJ_TRY(unmerge_find(db, edge, &removed));
    CJ_TRY(unmerge_state(db, edge, CJ__EDGE_REMOVED));
    CJ_TRY(cj__merge_log(db, edge, CJ__EDGE_REMOVED, removed.a, removed.b, now_ms));
    CJ_TRY(region_collect(&r, &removed));
    CJ_TRY(unmerge_fold(&r, now_ms));
    CJ_TRY(db->observer->regraphed(db, removed.a, removed.b));
    CJ_TRY(db->observer->commit(db, now_ms));
out:
    cj__map_end(&r.seen);
    cj__free(a, r.nodes, r.nodes_capacity * sizeof *r.nodes);
    cj__free(a, r.edges, r.edges_capacity * sizeof *r.edges);
    return rc;
}
