/* The identity graph as tables: each call opens a snapshot of its own, so that it sees
 * one moment and holds nobody up. */
#include "identity/internal.h"
#include "store/reader.h"

#include <string.h>

/* Keep them ascending by insertion: rings are short. */
static int32_t tables_node(cj__arena *arena, uint32_t **nodes, size_t *n, uint32_t node)
{
    size_t i = *n;

    if ((i & (i - 1)) == 0) { /* 0, 1, 2, 4, ...: room for as many again */
        uint32_t *grown = cj__arena_alloc(arena, (2 * i + 1) * sizeof *grown);

        if (grown == NULL)
            return CJ_ENOMEM;
        if (i > 0)
            memcpy(grown, *nodes, i * sizeof *grown);
        *nodes = grown;
    }
    for (; i > 0 && (*nodes)[i - 1] > node; i--)
        (*nodes)[i] = (*nodes)[i - 1];
    (*nodes)[i] = node;
    ++*n;
    return i > 0 && (*nodes)[i - 1] == node
               ? cj__fail(CJ_ECORRUPT, "the ring of node %u is broken", node)
               : CJ_OK;
}

int32_t cj__profile_nodes(cj__conn *conn, int64_t profile, cj__arena *arena,
                          uint32_t **nodes_out, size_t *n_out)
{
    int64_t n_nodes;
    cj__node node;
    uint32_t root, at;
    int32_t rc;

    *nodes_out = NULL;
    *n_out = 0;
    CJ_TRY(cj__query_one(conn, STMT_IDENTIFIER_MAX, &n_nodes));
    if (profile < 1 || profile > n_nodes)
        CJ_TRY(cj__fail(CJ_ENOTFOUND, "no profile %lld", (long long)profile));
    CJ_TRY(cj__node_read(conn, (uint32_t)profile, &node));
    root = node.profile;
    at = (uint32_t)profile;
    do {
        CJ_TRY(tables_node(arena, nodes_out, n_out, at));
        at = node.next;
        if (at == 0 || at > n_nodes || node.profile != root)
            CJ_TRY(cj__fail(CJ_ECORRUPT, "the ring of profile %u is broken", root));
        if (at != profile)
            CJ_TRY(cj__node_read(conn, at, &node));
    } while (at != profile);
out:
    return rc;
}

int32_t cj__profile_find(cj_db *db, const char *kind_name, const char *value,
                         int64_t *profile_out)
{
    const cj__kind *kind = cj__kind_named(kind_name);
    char text[CJ__MAX_IDENTIFIER + 1];
    cj__reader *r = NULL;
    cj__node entry;
    uint32_t node;
    size_t n;
    int32_t rc;

    *profile_out = 0;
    if (kind == NULL)
        return cj__fail(CJ_EINVAL,
                        "unknown identifier kind; kinds are user_id ... guest");
    if (cj__kind_normalise(kind, cj__text_of(value), text, &n) != 0)
        return cj__fail(CJ_ENOTFOUND, "no profile can have that %s", kind->name);
    CJ_TRY(cj__reader_open(db, &r));
    CJ_TRY(
        cj__identifier_find(db, cj__reader_conn(r), kind, (cj__text){text, n}, &node));
    if (node == 0)
        CJ_TRY(cj__fail(CJ_ENOTFOUND, "no profile has that %s", kind->name));
    CJ_TRY(cj__node_read(cj__reader_conn(r), node, &entry));
    *profile_out = entry.profile;
out:
    cj__reader_end(r);
    return rc;
}

static int32_t tables_identifier(cj__conn *conn, uint32_t node, cj_table *t)
{
    const cj__kind *kind;
    cj__query q = {0};
    cj__text value;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_IDENTIFIER_GET, &q));
    cj__query_int64(&q, 1, node);
    CJ_TRY(cj__query_step(&q, &row));
    kind = row ? cj__kind_numbered(cj__query_get_int64(&q, 0)) : NULL;
    if (kind == NULL)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "node %u has no identifier", node));
    value = cj__query_get_text(&q, 1);
    cj__table_int64(t, 0, node);
    cj__table_put(t, 1, kind->name);
    cj__table_text(t, 2, value.data, value.n);
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__profile_identifiers(cj_db *db, int64_t profile, cj_table **out)
{
    cj__reader *r = NULL;
    cj_table *t = NULL;
    cj__arena arena;
    uint32_t *nodes;
    size_t n;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__reader_open(db, &r));
    CJ_TRY(cj__profile_nodes(cj__reader_conn(r), profile, &arena, &nodes, &n));
    CJ_TRY(cj__table_new(&db->cx.allocator, "node:i kind:t value:t", &t));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(tables_identifier(cj__reader_conn(r), nodes[i], t));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__arena_end(&arena);
    cj__reader_end(r);
    return rc;
}

/* ---- edges
 * ------------------------------------------------------------------------------- */

static const char *tables_cause(int32_t cause)
{
    static const char *const names[] = {"", "event", "identify", "alias", "merge"};

    return cause >= 1 && cause <= 4 ? names[cause] : "unknown";
}

static const char *tables_state(int32_t state)
{
    static const char *const names[] = {"", "joined", "refused", "removed"};

    return state >= 1 && state <= 3 ? names[state] : "unknown";
}

static int32_t tables_edge_rows(cj__query *q, cj__map *nodes, cj_table *t)
{
    uint64_t ignored;
    int row;
    int32_t rc;

    for (;;) {
        cj__edge e;
        CJ_TRY(cj__query_step(q, &row));
        if (!row)
            break;
        cj__edge_read(q, &e);
        if (nodes->n > 0 && !cj__map_get(nodes, e.a, &ignored) &&
            !cj__map_get(nodes, e.b, &ignored))
            continue;
        cj__table_int64(t, 0, e.edge);
        cj__table_int64(t, 1, e.a);
        cj__table_int64(t, 2, e.b);
        cj__table_int64(t, 3, e.time_ms);
        cj__table_put(t, 4, tables_cause(e.cause));
        cj__table_put(t, 5, tables_state(e.state));
        cj__table_put(t, 6,
                      e.state == CJ__EDGE_REFUSED
                          ? "both profiles hold a unique identifier of one kind"
                          : NULL);
    }
out:
    return rc;
}

/* Of one profile: walks all edges, since an edge may only be ordered by its number. */
int32_t cj__edges(cj_db *db, int64_t profile, cj_table **out)
{
    cj__reader *r = NULL;
    cj_table *t = NULL;
    cj__query q = {0};
    cj__arena arena;
    cj__map nodes;
    uint32_t *list;
    size_t n = 0;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    cj__map_init(&nodes, &db->cx.allocator);
    CJ_TRY(cj__reader_open(db, &r));
    if (profile != 0)
        CJ_TRY(cj__profile_nodes(cj__reader_conn(r), profile, &arena, &list, &n));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(cj__map_put(&nodes, list[i], 1));
    CJ_TRY(cj__table_new(&db->cx.allocator,
                         "edge:i node_a:i node_b:i time_ms:i cause:t state:t reason:t",
                         &t));
    CJ_TRY(cj__query_begin(cj__reader_conn(r), STMT_EDGE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    CJ_TRY(tables_edge_rows(&q, &nodes, t));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__query_end(&q);
    cj__map_end(&nodes);
    cj__arena_end(&arena);
    cj__reader_end(r);
    return rc;
}
