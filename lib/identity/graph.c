/* The identity graph: edges come, profiles join or refuse.  Adding an edge applies one
 * more step of the fold that identity.h describes; taking one out is unmerge.c. */
#include "identity/internal.h"

/* ---- the fold
 * ------------------------------------------------------------------------- */

/* All nodes of `other` become nodes of `kept`, and their rings one ring. */
static int32_t graph_join(const cj__nodes *nodes, uint32_t kept, uint32_t other)
{
    uint32_t at = other, last_next;
    cj__node node, head;
    int32_t rc;

    CJ_TRY(nodes->get(nodes->user, kept, &head));
    last_next = head.next;
    CJ_TRY(nodes->get(nodes->user, other, &node));
    head.mask |= node.mask;
    head.next = node.next;
    CJ_TRY(nodes->put(nodes->user, kept, &head));
    do { /* around the ring of `other`, whose end is led back into the ring of `kept` */
        uint32_t next;
        CJ_TRY(nodes->get(nodes->user, at, &node));
        next = node.next;
        node.profile = kept;
        if (at == other)
            node.next = last_next;
        CJ_TRY(nodes->put(nodes->user, at, &node));
        at = next;
    } while (at != other);
out:
    return rc;
}

int32_t cj__edge_apply(const cj__nodes *nodes, const cj__edge *edge, int32_t *state_out,
                       uint32_t *kept_out, uint32_t *other_out)
{
    cj__node a, b, root_a, root_b;
    int32_t rc;

    CJ_TRY(nodes->get(nodes->user, edge->a, &a));
    CJ_TRY(nodes->get(nodes->user, edge->b, &b));
    *kept_out = a.profile < b.profile ? a.profile : b.profile;
    *other_out = a.profile < b.profile ? b.profile : a.profile;
    *state_out = CJ__EDGE_JOINED;
    if (a.profile == b.profile)
        return CJ_OK;
    CJ_TRY(nodes->get(nodes->user, a.profile, &root_a));
    CJ_TRY(nodes->get(nodes->user, b.profile, &root_b));
    if (edge->cause != CJ__CAUSE_MERGE && (root_a.mask & root_b.mask & CJ__UNIQUE) != 0)
        *state_out = CJ__EDGE_REFUSED;
    else
        CJ_TRY(graph_join(nodes, *kept_out, *other_out));
out:
    return rc;
}

/* ---- adding
 * ------------------------------------------------------------------------------- */

static int32_t graph_get(void *user, uint32_t node, cj__node *out)
{
    return cj__node_get(user, node, out);
}

static int32_t graph_put(void *user, uint32_t node, const cj__node *in)
{
    return cj__node_put(user, node, in);
}

cj__nodes cj__nodes_of(cj_db *db)
{
    return (cj__nodes){graph_get, graph_put, db};
}

int32_t cj__merge_log(cj_db *db, int64_t edge, int32_t action, uint32_t kept,
                      uint32_t other, int64_t time_ms)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_LOG_ADD, &q));
    cj__query_int64(&q, 1, edge);
    cj__query_int64(&q, 2, action);
    cj__query_int64(&q, 3, kept);
    cj__query_int64(&q, 4, other);
    cj__query_int64(&q, 5, time_ms);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t graph_insert(cj_db *db, cj__edge *e)
{
    const cj__nodes nodes = cj__nodes_of(db);
    uint32_t kept, other;
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__edge_apply(&nodes, e, &e->state, &kept, &other));
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_EDGE_ADD, &q));
    cj__query_int64(&q, 1, e->a);
    cj__query_int64(&q, 2, e->b);
    cj__query_int64(&q, 3, e->cause);
    cj__query_int64(&q, 4, e->time_ms);
    cj__query_int64(&q, 5, e->state);
    CJ_TRY(cj__query_insert(&q, &e->edge));
    if (kept != other)
        CJ_TRY(cj__merge_log(db, e->edge, e->state, kept, other, e->time_ms));
    if (e->state == CJ__EDGE_REFUSED)
        CJ_TRY(db->observer->refused(db, e->a, e->b));
out:
    cj__query_end(&q);
    return rc;
}

void cj__edge_read(const cj__query *q, cj__edge *e)
{
    *e = (cj__edge){.edge = cj__query_get_int64(q, 0),
                    .a = (uint32_t)cj__query_get_int64(q, 1),
                    .b = (uint32_t)cj__query_get_int64(q, 2),
                    .cause = (int32_t)cj__query_get_int64(q, 3),
                    .time_ms = cj__query_get_int64(q, 4),
                    .state = (int32_t)cj__query_get_int64(q, 5)};
}

/* Is this pair known by this cause?  Fills *e when it is. */
static int32_t graph_find(cj_db *db, cj__edge *e, int *found_out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_EDGE_FIND, &q));
    cj__query_int64(&q, 1, e->a);
    cj__query_int64(&q, 2, e->b);
    cj__query_int64(&q, 3, e->cause);
    CJ_TRY(cj__query_step(&q, &row));
    *found_out = row;
    if (row)
        cj__edge_read(&q, e);
out:
    cj__query_end(&q);
    return rc;
}

static uint64_t graph_pair(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

void cj__edge_expect(const cj_db *db, uint32_t x, uint32_t y)
{
    cj__map_expect(&db->identity->edges, x < y ? graph_pair(x, y) : graph_pair(y, x));
}

int32_t cj__edge_add(cj_db *db, uint32_t x, uint32_t y, int32_t cause, int64_t time_ms,
                     cj__edge *out)
{
    cj__edge e = {
        .a = x < y ? x : y, .b = x < y ? y : x, .cause = cause, .time_ms = time_ms};
    uint64_t key = graph_pair(e.a, e.b), causes = 0;
    int found = 0;
    int32_t rc;

    if (cj__map_get(&db->identity->edges, key, &causes) && (causes >> cause & 1) &&
        out == NULL)
        return CJ_OK; /* the common case: the same login on the same device again */
    CJ_TRY(graph_find(db, &e, &found));
    if (!found)
        CJ_TRY(graph_insert(db, &e));
    CJ_TRY(cj__map_put(&db->identity->edges, key, causes | (uint64_t)1 << cause));
    if (out != NULL)
        *out = e;
out:
    return rc;
}

/* ---- by hand
 * ---------------------------------------------------------------------------------- */

static int32_t graph_root(cj_db *db, int64_t profile, uint32_t *root_out)
{
    int64_t n_nodes;
    cj__node node;
    int32_t rc;

    CJ_TRY(cj__query_one(cj__writer(db), STMT_IDENTIFIER_MAX, &n_nodes));
    if (profile < 1 || profile > n_nodes)
        CJ_TRY(cj__fail(CJ_ENOTFOUND, "no profile %lld", (long long)profile));
    CJ_TRY(cj__node_get(db, (uint32_t)profile, &node));
    *root_out = node.profile;
out:
    return rc;
}

int32_t cj__merge(cj_db *db, int64_t profile_a, int64_t profile_b, int64_t now_ms,
                  int64_t *edge_out)
{
    uint32_t a, b;
    cj__edge e;
    int32_t rc;

    CJ_TRY(graph_root(db, profile_a, &a));
    CJ_TRY(graph_root(db, profile_b, &b));
    if (a == b)
        CJ_TRY(cj__fail(CJ_EEXISTS, "profiles %lld and %lld are already one",
                        (long long)profile_a, (long long)profile_b));
    e = (cj__edge){.a = a < b ? a : b,
                   .b = a < b ? b : a,
                   .cause = CJ__CAUSE_MERGE,
                   .time_ms = now_ms};
    CJ_TRY(graph_insert(db, &e));
    CJ_TRY(db->observer->commit(db, now_ms));
    *edge_out = e.edge; /* last: nothing below can fail */
out:
    return rc;
}
