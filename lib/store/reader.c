/* Read snapshots.  Connections are kept, with what they have learned that stays true:
 * the texts of terms, profile_of[] as long as no node and no merge has come since, the
 * directory as long as no part has; and with what holds for a snapshot, the journal's
 * rows, until it ends. */
#include "store/internal.h"

#include <string.h>

void cj__reader_free(cj__reader *r)
{
    const cj__allocator *a;

    if (r == NULL)
        return;
    a = &r->conn.db->cx.allocator;
    cj__free(a, r->profile_of, r->nodes_capacity * sizeof *r->profile_of);
    cj__free(a, r->mask, r->nodes_capacity);
    cj__free(a, r->terms, r->terms_capacity * sizeof *r->terms);
    cj__arena_end(&r->texts);
    cj__arena_end(&r->directory);
    cj__arena_end(&r->journal);
    cj__conn_close(&r->conn);
    (void)pthread_mutex_destroy(&r->lock);
    cj__free(a, r, sizeof *r);
}

static int32_t reader_new(cj_db *db, cj__reader **out)
{
    cj__reader *r = cj__alloc_zero(&db->cx.allocator, sizeof *r);
    int64_t ignored;
    int32_t rc;

    *out = NULL;
    if (r == NULL)
        return CJ_ENOMEM;
    r->n_nodes = r->n_parts = -1;
    (void)pthread_mutex_init(&r->lock, NULL);
    cj__arena_init(&r->texts, &db->cx.allocator);
    cj__arena_init(&r->directory, &db->cx.allocator);
    cj__arena_init(&r->journal, &db->cx.allocator);
    rc = cj__conn_open(db, &r->conn,
                       (db->flags & CJ_OPEN_READONLY) ? SQLITE_OPEN_READONLY
                                                      : SQLITE_OPEN_READWRITE);
    r->conn.db = db;
    if (rc == CJ_OK)
        rc = cj__query_one(&r->conn, STMT_QUERY_ONLY, &ignored);
    if (rc == CJ_OK)
        *out = r;
    else
        cj__reader_free(r);
    return rc;
}

int32_t cj__reader_open(cj_db *db, cj__reader **out)
{
    cj__store *s = db->store;
    cj__reader *r = NULL;
    int64_t ignored;
    int32_t rc = CJ_OK;

    *out = NULL;
    (void)pthread_mutex_lock(&s->reader_lock);
    for (int i = 0; i < CJ__READERS && r == NULL; i++) {
        r = s->idle[i];
        s->idle[i] = NULL;
    }
    (void)pthread_mutex_unlock(&s->reader_lock);
    if (r == NULL)
        rc = reader_new(db, &r);
    if (rc != CJ_OK)
        return rc;
    CJ_TRY(cj__query_one(&r->conn, STMT_BEGIN_READ, &ignored));
    CJ_TRY(cj__query_one(&r->conn, STMT_PART_MAX, &r->last_part)); /* the snapshot */
    r->nodes_are_known = 0;
out:
    if (rc == CJ_OK)
        *out = r;
    else
        cj__reader_free(r);
    return rc;
}

void cj__reader_end(cj__reader *r)
{
    cj__store *s;

    if (r == NULL)
        return;
    s = r->conn.db->store;
    (void)cj__rollback(&r->conn);
    cj__arena_end(&r->journal);
    r->rows = NULL;
    (void)pthread_mutex_lock(&s->reader_lock);
    for (int i = 0; i < CJ__READERS && r != NULL; i++) {
        if (s->idle[i] == NULL) {
            s->idle[i] = r;
            r = NULL;
        }
    }
    (void)pthread_mutex_unlock(&s->reader_lock);
    cj__reader_free(r);
}

cj__conn *cj__reader_conn(cj__reader *r)
{
    return &r->conn;
}

cj_db *cj__reader_db(cj__reader *r)
{
    return r->conn.db;
}

/* ---- journal
 * --------------------------------------------------------------------------------- */

static int32_t reader_batch(const cj__query *q, cj__arena *arena, cj__row *rows,
                            int64_t max, int64_t *n)
{
    cj__text messages, events;
    size_t at = 0;
    int32_t checked = cj__journal_blobs(q, &messages, &events);

    if (checked != CJ_OK)
        return checked;
    events.data = cj__arena_text(arena, events.data, events.n);
    if (events.data == NULL)
        return CJ_ENOMEM;
    while (at < events.n) {
        int32_t rc;
        if (*n == max)
            return cj__fail(CJ_ECORRUPT,
                            "a journal row holds more events than it says");
        rc = cj__journal_next(events, &at, &rows[*n]);
        if (rc != CJ_OK)
            return rc;
        ++*n;
    }
    return CJ_OK;
}

static int32_t reader_journal_count(cj__reader *r, int64_t after, int64_t *out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *out = 0;
    CJ_TRY(cj__query_begin(&r->conn, STMT_JOURNAL_SINCE_COUNT, &q));
    cj__query_int64(&q, 1, after);
    CJ_TRY(cj__query_step(&q, &row));
    *out = row ? cj__query_get_int64(&q, 0) : 0;
out:
    cj__query_end(&q);
    return rc;
}

static int32_t reader_journal(cj__reader *r, int64_t after, cj__arena *arena,
                              cj__row **rows_out, int64_t *n_out)
{
    cj__query q = {0};
    int64_t max, n = 0;
    cj__row *rows;
    int row;
    int32_t rc;

    CJ_TRY(reader_journal_count(r, after, &max));
    rows = cj__arena_alloc(arena, cj__size_product((size_t)max + 1, sizeof(cj__row)));
    if (rows == NULL)
        CJ_TRY(CJ_ENOMEM);
    CJ_TRY(cj__query_begin(&r->conn, STMT_JOURNAL_SINCE, &q));
    cj__query_int64(&q, 1, after);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(reader_batch(&q, arena, rows, max, &n));
    }
    *rows_out = rows;
    *n_out = n;
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__reader_journal_after(cj__reader *r, int64_t after, cj__arena *arena,
                                 cj__row **rows_out, int64_t *n_out)
{
    int32_t rc;

    *rows_out = NULL;
    *n_out = 0;
    (void)pthread_mutex_lock(&r->lock);
    rc = reader_journal(r, after, arena, rows_out, n_out);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

int32_t cj__reader_journal(cj__reader *r, const cj__row **rows_out, int64_t *n_out)
{
    int64_t sealed;
    int32_t rc = CJ_OK;

    *rows_out = NULL;
    *n_out = 0;
    (void)pthread_mutex_lock(&r->lock);
    if (r->rows == NULL) {
        cj__arena_reset(&r->journal);
        CJ_TRY(cj__meta_get(&r->conn, "sealed_through", 0, &sealed));
        CJ_TRY(reader_journal(r, sealed, &r->journal, &r->rows, &r->n_rows));
    }
    *rows_out = r->rows;
    *n_out = r->n_rows;
out:
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

/* ---- profiles and terms
 * ---------------------------------------------------------------------- */

static int32_t reader_nodes_room(cj__reader *r, size_t n)
{
    const cj__allocator *a = &r->conn.db->cx.allocator;
    uint32_t *profile_of;
    uint8_t *mask;

    if (n <= r->nodes_capacity)
        return CJ_OK;
    n += n / 4;
    profile_of = cj__alloc(a, cj__size_product(n, sizeof *profile_of));
    mask = cj__alloc(a, n);
    if (profile_of == NULL || mask == NULL) {
        cj__free(a, profile_of, n * sizeof *profile_of);
        cj__free(a, mask, n);
        return CJ_ENOMEM;
    }
    cj__free(a, r->profile_of, r->nodes_capacity * sizeof *profile_of);
    cj__free(a, r->mask, r->nodes_capacity);
    r->profile_of = profile_of;
    r->mask = mask;
    r->nodes_capacity = n;
    return CJ_OK;
}

static int32_t reader_nodes_load(cj__reader *r, int64_t n_nodes)
{
    size_t n_pages = (size_t)(n_nodes + CJ__NODE_PAGE - 1) / CJ__NODE_PAGE;
    cj__query q = {0};
    int64_t index = 0;
    int row;
    int32_t rc;

    CJ_TRY(reader_nodes_room(r, n_pages * CJ__NODE_PAGE + 1));
    CJ_TRY(cj__query_begin(&r->conn, STMT_NODE_PAGE_ALL, &q));
    for (;; index++) {
        cj__text page;
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        page = cj__query_get_blob(&q, 1);
        if (cj__query_get_int64(&q, 0) != index || page.n != CJ__NODE_PAGE_BYTES ||
            index >= (int64_t)n_pages)
            CJ_TRY(
                cj__fail(CJ_ECORRUPT, "node page %lld is damaged", (long long)index));
        memcpy(r->profile_of + 1 + index * CJ__NODE_PAGE, page.data, CJ__NODE_PAGE * 4);
        memcpy(r->mask + 1 + index * CJ__NODE_PAGE, page.data + CJ__NODE_PAGE * 8,
               CJ__NODE_PAGE);
    }
    if (index != (int64_t)n_pages)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "%lld of %lld node pages are missing",
                        (long long)((int64_t)n_pages - index), (long long)n_pages));
out:
    cj__query_end(&q);
    return rc;
}

/* No profile outside [1, n_nodes], and none newer than its node: readers index by it.
 */
static int32_t reader_nodes_check(cj__reader *r, int64_t n_nodes)
{
    r->n_merged = r->n_guests = 0;
    for (int64_t i = 1; i <= n_nodes; i++) {
        uint32_t profile = r->profile_of[i];
        if (profile == 0 || profile > i || r->profile_of[profile] != profile)
            return cj__fail(CJ_ECORRUPT, "node %lld has no right profile; run cj_check",
                            (long long)i);
        r->n_merged += profile != i;
        r->n_guests += profile == i && (r->mask[i] & CJ__MASK_KNOWN) == 0;
    }
    return CJ_OK;
}

static int32_t reader_nodes(cj__reader *r)
{
    int64_t n_nodes, n_log;
    int32_t rc;

    CJ_TRY(cj__query_one(&r->conn, STMT_IDENTIFIER_MAX, &n_nodes));
    CJ_TRY(cj__query_one(&r->conn, STMT_LOG_MAX, &n_log));
    if (n_nodes != r->n_nodes || n_log != r->n_log) {
        r->n_nodes = -1;
        CJ_TRY(reader_nodes_load(r, n_nodes));
        CJ_TRY(reader_nodes_check(r, n_nodes));
        r->n_nodes = n_nodes;
        r->n_log = n_log;
    }
    r->nodes_are_known = 1;
out:
    return rc;
}

int32_t cj__reader_profiles(cj__reader *r, const uint32_t **profile_of_out,
                            const uint8_t **mask_out, uint32_t *n_nodes_out)
{
    int32_t rc = CJ_OK;

    *profile_of_out = NULL;
    *mask_out = NULL;
    *n_nodes_out = 0;
    (void)pthread_mutex_lock(&r->lock);
    if (!r->nodes_are_known)
        CJ_TRY(reader_nodes(r));
    *profile_of_out = r->profile_of;
    *mask_out = r->mask;
    *n_nodes_out = (uint32_t)r->n_nodes;
out:
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

int32_t cj__reader_profile_counts(cj__reader *r, int64_t *n_merged_out,
                                  int64_t *n_guests_out)
{
    const uint32_t *profile_of;
    const uint8_t *mask;
    uint32_t n_nodes;
    int32_t rc = cj__reader_profiles(r, &profile_of, &mask, &n_nodes);

    *n_merged_out = rc == CJ_OK ? r->n_merged : 0;
    *n_guests_out = rc == CJ_OK ? r->n_guests : 0;
    return rc;
}

static int32_t reader_term_read(cj__reader *r, uint32_t id)
{
    size_t old = r->terms_capacity;
    cj__query q = {0};
    cj__text text;
    int row;
    int32_t rc;

    CJ_TRY(cj__array_grow(&r->conn.db->cx.allocator, (void **)&r->terms,
                          &r->terms_capacity, (size_t)id + 1, sizeof *r->terms,
                          UINT32_MAX));
    if (r->terms_capacity > old)
        memset(r->terms + old, 0, (r->terms_capacity - old) * sizeof *r->terms);
    CJ_TRY(cj__query_begin(&r->conn, STMT_TERM_TEXT, &q));
    cj__query_int64(&q, 1, id);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "term %u is missing; run cj_check", id));
    text = cj__query_get_text(&q, 0);
    r->terms[id].data = cj__arena_text(&r->texts, text.data, text.n);
    r->terms[id].n = text.n;
    if (r->terms[id].data == NULL)
        CJ_TRY(CJ_ENOMEM);
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__reader_term(cj__reader *r, uint32_t id, cj__text *out)
{
    int32_t rc = CJ_OK;

    *out = (cj__text){NULL, 0};
    if (id == 0)
        return CJ_OK;
    (void)pthread_mutex_lock(&r->lock);
    if (id >= r->terms_capacity || r->terms[id].data == NULL)
        rc = reader_term_read(r, id);
    if (rc == CJ_OK)
        *out = r->terms[id];
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

int32_t cj__reader_term_id(cj__reader *r, int space, cj__text text, uint32_t *id_out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *id_out = 0;
    (void)pthread_mutex_lock(&r->lock);
    CJ_TRY(cj__query_begin(&r->conn, STMT_TERM_FIND, &q));
    cj__query_int64(&q, 1, space);
    cj__query_text(&q, 2, text);
    CJ_TRY(cj__query_step(&q, &row));
    if (row)
        *id_out = (uint32_t)cj__query_get_int64(&q, 0);
out:
    cj__query_end(&q);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

int32_t cj__reader_identifiers(cj__reader *r, int32_t kind,
                               int32_t (*each)(void *user, uint32_t node,
                                               cj__text value),
                               void *user)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    (void)pthread_mutex_lock(&r->lock);
    CJ_TRY(cj__query_begin(&r->conn, STMT_IDENTIFIER_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        if (cj__query_get_int64(&q, 1) == kind)
            CJ_TRY(each(user, (uint32_t)cj__query_get_int64(&q, 0),
                        cj__query_get_text(&q, 2)));
    }
out:
    cj__query_end(&q);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}
