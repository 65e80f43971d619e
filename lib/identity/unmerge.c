/* Taking an edge out.  The state is a fold over the edges in order; an edge can only
 * have influenced nodes that some chain of edges (joined or refused, not removed)
 * connects with it.  So: mark it removed, collect that region, set its nodes back to
 * themselves and fold the region's edges again, in order. */
#include "identity/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct region {
    cj_db *db;
    uint32_t *nodes;
    size_t n_nodes, nodes_capacity;
    cj__edge *edges;
    size_t n_edges, edges_capacity;
    cj__map seen_nodes, seen_edges;
} region;

static int32_t region_node(region *r, uint32_t node)
{
    uint64_t ignored;
    int32_t rc = CJ_OK;

    if (cj__map_get(&r->seen_nodes, node, &ignored))
        return CJ_OK;
    CJ_TRY(cj__map_put(&r->seen_nodes, node, 1));
    CJ_TRY(cj__array_grow(&r->db->cx.allocator, (void **)&r->nodes, &r->nodes_capacity,
                          r->n_nodes + 1, sizeof *r->nodes, CJ__MAX_NODES));
    r->nodes[r->n_nodes++] = node;
out:
    return rc;
}

static int32_t region_edge(region *r, const cj__edge *e)
{
    uint64_t ignored;
    int32_t rc = CJ_OK;

    if (e->state == CJ__EDGE_REMOVED ||
        cj__map_get(&r->seen_edges, (uint64_t)e->edge, &ignored))
        return CJ_OK;
    CJ_TRY(cj__map_put(&r->seen_edges, (uint64_t)e->edge, 1));
    CJ_TRY(cj__array_grow(&r->db->cx.allocator, (void **)&r->edges, &r->edges_capacity,
                          r->n_edges + 1, sizeof *r->edges,
                          SIZE_MAX / sizeof *r->edges));
    r->edges[r->n_edges++] = *e;
    CJ_TRY(region_node(r, e->a));
    CJ_TRY(region_node(r, e->b));
out:
    return rc;
}

static int32_t region_edges_of(region *r, int stmt, uint32_t node)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(r->db), stmt, &q));
    cj__query_int64(&q, 1, node);
    for (;;) {
        cj__edge e;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        cj__edge_read(&q, &e);
        CJ_TRY(region_edge(r, &e));
    }
out:
    cj__query_end(&q);
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
    for (size_t i = 0; i < r->n_nodes; i++) {
        CJ_TRY(cj__interrupted(&r->db->cx));
        CJ_TRY(region_edges_of(r, STMT_EDGE_OF_A, r->nodes[i]));
        CJ_TRY(region_edges_of(r, STMT_EDGE_OF_B, r->nodes[i]));
    }
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

static int32_t unmerge_get(void *user, uint32_t node, cj__node *out)
{
    return cj__node_get(user, node, out);
}

static int32_t unmerge_put(void *user, uint32_t node, const cj__node *in)
{
    return cj__node_put(user, node, in);
}

static int32_t unmerge_fold(region *r, int64_t now_ms)
{
    const cj__nodes nodes = {unmerge_get, unmerge_put, r->db};
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

    cj__map_init(&r.seen_nodes, a);
    cj__map_init(&r.seen_edges, a);
    CJ_TRY(unmerge_find(db, edge, &removed));
    CJ_TRY(unmerge_state(db, edge, CJ__EDGE_REMOVED));
    CJ_TRY(cj__merge_log(db, edge, CJ__EDGE_REMOVED, removed.a, removed.b, now_ms));
    CJ_TRY(region_collect(&r, &removed));
    CJ_TRY(unmerge_fold(&r, now_ms));
out:
    cj__map_end(&r.seen_nodes);
    cj__map_end(&r.seen_edges);
    cj__free(a, r.nodes, r.nodes_capacity * sizeof *r.nodes);
    cj__free(a, r.edges, r.edges_capacity * sizeof *r.edges);
    return rc;
}
