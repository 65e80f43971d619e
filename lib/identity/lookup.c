/* From identifier to node.  A handle begins cold: it asks the hash runs on disk and
 * reads only the identifiers that came after the newest run.  Once it has asked as
 * often as loading everything would cost, it loads everything, and from then on a miss
 * in memory is an answer. */
#include "identity/internal.h"

#define LOOKUP_TAIL 8192           /* new identifiers before a run is written */
#define LOOKUP_KNOWN_EDGES 2000000 /* pairs remembered: 32 MiB */

int32_t cj__identity_open(cj_db *db)
{
    struct cj__identity *i = cj__alloc_zero(&db->cx.allocator, sizeof *i);

    if (i == NULL)
        return CJ_ENOMEM;
    cj__keys_init(&i->known, &db->cx.allocator);
    cj__map_init(&i->blocked, &db->cx.allocator);
    cj__map_init(&i->edges, &db->cx.allocator);
    db->identity = i;
    return CJ_OK;
}

void cj__identity_close(cj_db *db)
{
    struct cj__identity *i = db->identity;
    const cj__allocator *a = &db->cx.allocator;

    if (i == NULL)
        return;
    cj__keys_end(&i->known);
    cj__free(a, i->runs, i->runs_capacity * sizeof *i->runs);
    cj__map_end(&i->blocked);
    cj__map_end(&i->edges);
    cj__free(a, i, sizeof *i);
    db->identity = NULL;
}

/* ---- memory
 * --------------------------------------------------------------------------------- */

cj__key cj__ident_key(const cj_db *db, const cj__kind *kind, cj__text value)
{
    uint64_t secret = cj__store_seed(db) + (uint64_t)kind->id * 0x9E3779B97F4A7C15u;

    return cj__key_of(secret, value.data, value.n);
}

static void lookup_clear(struct cj__identity *i)
{
    cj__keys_clear(&i->known);
    i->complete = 0;
    i->n_nodes = i->tail_from = 0;
    cj__map_clear(&i->edges);
}

/* ---- keeping step with the file
 * ---------------------------------------------------------------- */

/* Identifiers after `after`, from their rows, into memory. */
static int32_t lookup_load_rows(cj_db *db, uint32_t after)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, after);
    for (;;) {
        const cj__kind *kind;
        cj__key key;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        kind = cj__kind_numbered(cj__query_get_int64(&q, 1));
        if (kind == NULL)
            CJ_TRY(cj__fail(CJ_ECORRUPT, "an identifier has an unknown kind"));
        key = cj__ident_key(db, kind, cj__query_get_text(&q, 2));
        key.id = (uint32_t)cj__query_get_int64(&q, 0);
        CJ_TRY(cj__keys_put(&db->identity->known, key));
    }
out:
    cj__query_end(&q);
    return rc;
}

static int32_t lookup_sync(cj_db *db)
{
    struct cj__identity *i = db->identity;
    int64_t n_nodes;
    uint32_t known;
    int32_t rc;

    if (i->generation == cj__write_generation(db))
        return CJ_OK;
    if (i->rollbacks != cj__write_rollbacks(db) || i->edges.n > LOOKUP_KNOWN_EDGES)
        lookup_clear(i);
    CJ_TRY(cj__query_one(cj__writer(db), STMT_IDENTIFIER_MAX, &n_nodes));
    CJ_TRY(cj__ident_runs(db, cj__writer(db), &i->runs, &i->n_runs, &i->runs_capacity));
    known = i->n_nodes;
    if (known == 0 && i->n_runs > 0) /* cold: only what no run holds */
        known = i->tail_from = i->runs[i->n_runs - 1].last_node;
    CJ_TRY(lookup_load_rows(db, known));
    i->n_nodes = (uint32_t)n_nodes;
    i->complete = i->complete || i->tail_from == 0;
    i->blocked_loaded = 0;
    i->probes = 0;
    i->rollbacks = cj__write_rollbacks(db);
    i->generation = cj__write_generation(db);
out:
    return rc;
}

static int32_t lookup_load_all(cj_db *db)
{
    struct cj__identity *i = db->identity;
    const cj__allocator *a = &db->cx.allocator;
    int32_t rc = CJ_OK;

    for (size_t r = 0; r < i->n_runs; r++) {
        const cj__ident_run *run = &i->runs[r];
        size_t n = (size_t)(run->last_node - run->first_node) + 1;
        cj__key *idents = cj__alloc(a, cj__size_product(n, sizeof *idents));
        size_t bytes = n * sizeof *idents;
        if (idents == NULL)
            return CJ_ENOMEM;
        rc = cj__ident_run_read(cj__writer(db), run, idents, &n);
        for (size_t at = 0; at < n && rc == CJ_OK; at++)
            rc = cj__keys_put(&i->known, idents[at]);
        cj__free(a, idents, bytes);
        if (rc != CJ_OK)
            return rc;
    }
    i->complete = 1;
    return CJ_OK;
}

/* ---- lookup
 * -----------------------------------------------------------------------------------------
 */

static int32_t lookup_on_disk(cj_db *db, cj__key *key)
{
    struct cj__identity *i = db->identity;
    int32_t rc = CJ_OK;

    if (i->complete)
        return CJ_OK;
    if (i->probes++ > 32 + i->n_nodes / 400) {
        rc = lookup_load_all(db);
        key->id = cj__keys_get(&i->known, *key);
        return rc;
    }
    for (size_t r = i->n_runs; r-- > 0 && key->id == 0 && rc == CJ_OK;)
        rc = cj__ident_run_find(cj__writer(db), &i->runs[r], *key, &key->id);
    return rc == CJ_OK && key->id != 0 ? cj__keys_put(&i->known, *key) : rc;
}

static int32_t lookup_create(cj_db *db, const cj__kind *kind, cj__text value,
                             cj__key *key)
{
    struct cj__identity *i = db->identity;
    cj__query q = {0};
    cj__node node = {0};
    int32_t rc;

    if (i->n_nodes >= CJ__MAX_NODES)
        return cj__fail(CJ_ELIMIT, "the file holds %u identifiers; no more fit",
                        CJ__MAX_NODES);
    key->id = i->n_nodes + 1;
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_IDENTIFIER_ADD, &q));
    cj__query_int64(&q, 1, key->id);
    cj__query_int64(&q, 2, kind->id);
    cj__query_text(&q, 3, value);
    CJ_TRY(cj__query_run(&q));
    node.profile = node.next = key->id;
    node.mask = node.own = kind->mask;
    CJ_TRY(cj__node_put(db, key->id, &node));
    CJ_TRY(cj__keys_put(&i->known, *key));
    i->n_nodes++;
out:
    cj__query_end(&q);
    return rc;
}

cj__identifier cj__identifier_of(const cj_db *db, const cj__kind *kind, cj__text value)
{
    cj__identifier id = {kind, value, cj__ident_key(db, kind, value)};

    cj__keys_expect(&db->identity->known, id.key);
    return id;
}

int32_t cj__identifier_look(cj_db *db, cj__identifier *id)
{
    int32_t rc = lookup_sync(db);

    if (rc == CJ_OK)
        id->key.id = cj__keys_get(&db->identity->known, id->key);
    return rc;
}

int32_t cj__identifier_node(cj_db *db, cj__identifier *id, int create)
{
    int32_t rc = CJ_OK;

    if (id->key.id == 0)
        CJ_TRY(cj__identifier_look(db, id));
    if (id->key.id == 0)
        CJ_TRY(lookup_on_disk(db, &id->key));
    if (id->key.id == 0 && create)
        CJ_TRY(lookup_create(db, id->kind, id->value, &id->key));
out:
    return rc;
}

/* In a snapshot, with nothing in memory: the runs, then the rows that no run holds. */
int32_t cj__identifier_find(cj_db *db, cj__conn *conn, const cj__kind *kind,
                            cj__text value, uint32_t *node_out)
{
    cj__key key = cj__ident_key(db, kind, value);
    cj__ident_run *runs = NULL;
    size_t n = 0, capacity = 0;
    cj__query q = {0};
    int row = 1;
    int32_t rc;

    *node_out = 0;
    CJ_TRY(cj__ident_runs(db, conn, &runs, &n, &capacity));
    for (size_t r = n; r-- > 0 && *node_out == 0;)
        CJ_TRY(cj__ident_run_find(conn, &runs[r], key, node_out));
    CJ_TRY(cj__query_begin(conn, STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, n == 0 ? 0 : runs[n - 1].last_node);
    while (*node_out == 0) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        if (cj__query_get_int64(&q, 1) == kind->id &&
            cj__text_equal(cj__query_get_text(&q, 2), value))
            *node_out = (uint32_t)cj__query_get_int64(&q, 0);
    }
out:
    cj__query_end(&q);
    cj__free(&db->cx.allocator, runs, capacity * sizeof *runs);
    return rc;
}

/* ---- runs
 * ---------------------------------------------------------------------------------------------
 */

/* The new run takes in older runs that are no larger than what it has so far: sizes
 * double, so there are few, and each identifier is rewritten log2(n / LOOKUP_TAIL)
 * times. */
static int32_t lookup_write_run(cj_db *db, uint32_t tail_from)
{
    struct cj__identity *i = db->identity;
    const cj__allocator *a = &db->cx.allocator;
    uint32_t first = tail_from + 1;
    size_t from = i->n_runs, n, got, bytes;
    cj__key *idents;
    cj__query q = {0};
    int row;
    int32_t rc = CJ_OK;

    while (from > 0 && i->runs[from - 1].last_node - i->runs[from - 1].first_node <=
                           i->n_nodes - first)
        first = i->runs[--from].first_node;
    n = (size_t)(i->n_nodes - first) + 1;
    bytes = cj__size_product(n, sizeof *idents);
    idents = cj__alloc(a, bytes);
    if (idents == NULL)
        return CJ_ENOMEM;
    n = 0;
    for (size_t r = from; r < i->n_runs; r++) {
        CJ_TRY(cj__ident_run_read(cj__writer(db), &i->runs[r], idents + n, &got));
        CJ_TRY(cj__ident_run_delete(db, &i->runs[r]));
        n += got;
    }
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, tail_from);
    for (;;) {
        const cj__kind *kind;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        kind = cj__kind_numbered(cj__query_get_int64(&q, 1));
        if (kind == NULL || n == bytes / sizeof *idents)
            CJ_TRY(
                cj__fail(CJ_ECORRUPT, "the identifiers are not numbered without gaps"));
        idents[n] = cj__ident_key(db, kind, cj__query_get_text(&q, 2));
        idents[n++].id = (uint32_t)cj__query_get_int64(&q, 0);
    }
    CJ_TRY(cj__ident_run_write(db, idents, n, first, i->n_nodes));
    CJ_TRY(cj__ident_runs(db, cj__writer(db), &i->runs, &i->n_runs, &i->runs_capacity));
out:
    cj__query_end(&q);
    cj__free(a, idents, bytes);
    return rc;
}

int32_t cj__identity_flush(cj_db *db)
{
    struct cj__identity *i = db->identity;
    uint32_t covered;
    int32_t rc = lookup_sync(db);

    if (rc != CJ_OK)
        return rc;
    covered = i->n_runs == 0 ? 0 : i->runs[i->n_runs - 1].last_node;
    return i->n_nodes - covered < LOOKUP_TAIL ? CJ_OK : lookup_write_run(db, covered);
}

/* ---- what the host has blocked
 * --------------------------------------------------------------------------- */

static int32_t lookup_load_blocked(cj_db *db)
{
    struct cj__identity *i = db->identity;
    cj__query q = {0};
    int row;
    int32_t rc;

    cj__map_clear(&i->blocked);
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_BLOCKED_ALL, &q));
    for (;;) {
        const cj__kind *kind;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        kind = cj__kind_numbered(cj__query_get_int64(&q, 0));
        if (kind != NULL)
            CJ_TRY(cj__map_put(&i->blocked,
                               cj__ident_key(db, kind, cj__query_get_text(&q, 1)).hash,
                               1));
    }
    i->blocked_loaded = 1;
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__identifier_blocked(cj_db *db, const cj__identifier *id, int *blocked_out)
{
    struct cj__identity *i = db->identity;
    uint64_t ignored;
    int32_t rc;

    *blocked_out = 0;
    CJ_TRY(lookup_sync(db));
    if (!i->blocked_loaded)
        CJ_TRY(lookup_load_blocked(db));
    *blocked_out = i->blocked.n > 0 && cj__map_get(&i->blocked, id->key.hash, &ignored);
out:
    return rc;
}

int32_t cj__identifier_block(cj_db *db, const char *kind_name, const char *value)
{
    const cj__kind *kind = cj__kind_named(kind_name);
    char text[CJ__MAX_IDENTIFIER + 1];
    cj__identifier id;
    cj__query q = {0};
    int blocked;
    size_t n;
    int32_t rc;

    if (kind == NULL)
        return cj__fail(CJ_EINVAL,
                        "unknown identifier kind; kinds are user_id ... guest");
    if (cj__kind_normalise(kind, cj__text_of(value), text, &n) != 0)
        return cj__fail(CJ_EINVAL, "the value is no %s, or identifies nobody already",
                        kind->name);
    id = cj__identifier_of(db, kind, (cj__text){text, n});
    CJ_TRY(cj__identifier_blocked(db, &id, &blocked));
    if (blocked)
        CJ_TRY(cj__fail(CJ_EEXISTS, "the %s is blocked already", kind->name));
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_BLOCKED_ADD, &q));
    cj__query_int64(&q, 1, kind->id);
    cj__query_text(&q, 2, (cj__text){text, n});
    CJ_TRY(cj__query_run(&q));
    db->identity->blocked_loaded = 0;
out:
    cj__query_end(&q);
    return rc;
}
