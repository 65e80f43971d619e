/* Does the stored state equal the fold over the edges?  A second fold, in memory, and
 * each identifier looked up through the runs.  Reads one snapshot and writes nothing.
 */
#include "identity/internal.h"
#include "store/reader.h"

#include <string.h>

typedef struct check_state {
    cj__node *nodes; /* 1 .. n */
    uint32_t n;
} check_state;

static int32_t check_get(void *user, uint32_t node, cj__node *out)
{
    const check_state *s = user;

    if (node < 1 || node > s->n)
        return cj__fail(CJ_ECORRUPT, "an edge names node %u, of %u", node, s->n);
    *out = s->nodes[node];
    return CJ_OK;
}

static int32_t check_put(void *user, uint32_t node, const cj__node *in)
{
    check_state *s = user;

    s->nodes[node] = *in;
    return CJ_OK;
}

/* Each identifier: numbered without gaps, of a known kind.  A node that is missing
 * keeps a profile of 0. */
static int32_t check_identifiers(cj_db *db, cj__conn *conn, check_state *s, cj_table *t)
{
    cj__query q = {0};
    int64_t expected = 1;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (;; expected++) {
        const cj__kind *kind;
        int64_t node;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        node = cj__query_get_int64(&q, 0);
        kind = cj__kind_numbered(cj__query_get_int64(&q, 1));
        if (node != expected || kind == NULL) {
            cj__problem(t, "identifier",
                        "row %lld is out of number or of an unknown kind",
                        (long long)node);
            expected = node;
        }
        if (kind == NULL || node < 1 || node > s->n)
            continue;
        s->nodes[node] = (cj__node){.profile = (uint32_t)node,
                                    .next = (uint32_t)node,
                                    .mask = kind->mask,
                                    .own = kind->mask};
        if ((node & 1023) == 0)
            CJ_TRY(cj__interrupted(&db->cx));
    }
out:
    cj__query_end(&q);
    return rc;
}

static int check_edge_possible(const check_state *s, const cj__edge *e)
{
    return e->a >= 1 && e->a < e->b && e->b <= s->n && s->nodes[e->a].profile != 0 &&
           s->nodes[e->b].profile != 0;
}

static int32_t check_edges(cj__conn *conn, check_state *s, cj_table *t)
{
    const cj__nodes nodes = {check_get, check_put, s};
    uint32_t kept, other;
    cj__query q = {0};
    int32_t state, rc;
    int row;

    CJ_TRY(cj__query_begin(conn, STMT_EDGE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (;;) {
        cj__edge e;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        cj__edge_read(&q, &e);
        if (e.state == CJ__EDGE_REMOVED)
            continue;
        if (!check_edge_possible(s, &e)) {
            cj__problem(t, "edge", "edge %lld names nodes that cannot be",
                        (long long)e.edge);
            continue;
        }
        CJ_TRY(cj__edge_apply(&nodes, &e, &state, &kept, &other));
        if (state != e.state)
            cj__problem(t, "edge", "edge %lld has state %d, and should have %d",
                        (long long)e.edge, e.state, state);
    }
out:
    cj__query_end(&q);
    return rc;
}

/* The nodes of each profile are one ring.  Uses up `own`: the nodes that were met. */
static void check_rings(check_state *s, cj_table *t)
{
    enum { MET = 255 };

    for (uint32_t root = 1; root <= s->n; root++) {
        uint32_t at = root;
        if (s->nodes[root].profile != root)
            continue;
        do {
            s->nodes[at].own = MET;
            at = s->nodes[at].next;
        } while (at >= 1 && at <= s->n && s->nodes[at].profile == root &&
                 s->nodes[at].own != MET);
        if (at != root)
            cj__problem(t, "node_page", "the ring of profile %u is broken", root);
    }
    for (uint32_t i = 1; i <= s->n; i++)
        if (s->nodes[i].profile != 0 && s->nodes[i].own != MET)
            cj__problem(t, "node_page", "node %u is not in the ring of profile %u", i,
                        s->nodes[i].profile);
}

static int32_t check_pages(cj__conn *conn, check_state *s, cj_table *t)
{
    cj__node stored;
    int32_t rc = CJ_OK;

    for (uint32_t i = 1; i <= s->n; i++) {
        cj__node *right = &s->nodes[i];
        CJ_TRY(cj__node_read(conn, i, &stored));
        right->next = stored.next; /* rings may begin and turn as they like */
        if (right->profile == 0)
            continue; /* said already */
        if (stored.profile != right->profile || stored.own != right->own ||
            (right->profile == i && stored.mask != right->mask))
            cj__problem(t, "node_page", "node %u is in profile %u, and should be in %u",
                        i, stored.profile, right->profile);
    }
    check_rings(s, t);
out:
    return rc;
}

/* Every run bucket: sorted into place, and every entry the hash of its identifier. */
static int32_t check_runs(cj_db *db, cj__conn *conn, cj_table *t)
{
    cj__ident_run *runs = NULL;
    size_t n = 0, capacity = 0;
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__ident_runs(db, conn, &runs, &n, &capacity));
    CJ_TRY(cj__query_begin(conn, STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (size_t r = 0; r < n;) {
        const cj__kind *kind;
        cj__key key;
        uint32_t node, found;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        node = (uint32_t)cj__query_get_int64(&q, 0);
        kind = cj__kind_numbered(cj__query_get_int64(&q, 1));
        while (r < n && runs[r].last_node < node)
            r++;
        if (r == n || kind == NULL)
            continue;
        key = cj__ident_key(db, kind, cj__query_get_text(&q, 2));
        CJ_TRY(cj__ident_run_find(conn, &runs[r], key, &found));
        if (found != node)
            cj__problem(t, "identifier_run", "run %lld does not find node %u",
                        (long long)runs[r].run, node);
    }
out:
    cj__query_end(&q);
    cj__free(&db->cx.allocator, runs, capacity * sizeof *runs);
    return rc;
}

int32_t cj__identity_check(cj_db *db, cj__conn *conn, cj_table *problems)
{
    const cj__allocator *a = &db->cx.allocator;
    check_state s = {0};
    int64_t n;
    size_t bytes;
    int32_t rc;

    rc = cj__query_one(conn, STMT_IDENTIFIER_MAX, &n);
    if (rc != CJ_OK)
        return rc;
    bytes = cj__size_product((size_t)n + 2, sizeof *s.nodes);
    s.nodes = cj__alloc_zero(a, bytes);
    s.n = (uint32_t)n;
    if (s.nodes == NULL)
        return CJ_ENOMEM;
    CJ_TRY(check_identifiers(db, conn, &s, problems));
    CJ_TRY(check_edges(conn, &s, problems));
    CJ_TRY(check_pages(conn, &s, problems));
    CJ_TRY(check_runs(db, conn, problems));
out:
    cj__free(a, s.nodes, bytes);
    return rc;
}
