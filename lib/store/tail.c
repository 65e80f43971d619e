/* The journal's unsealed rows by node, for who asks for one profile again and again:
 * read once by a handle, then followed batch by batch.  A batch never changes and its
 * number never comes back, so what is known stays true; sealing spends all of it.  A
 * snapshot that is older than what is known, or a journal too large to keep, is read
 * as it always was. */
#include "store/internal.h"

#include <string.h>

struct cj__tail_row {
    int64_t batch;
    size_t at;          /* in bytes */
    uint32_t n, before; /* bytes; the node's row before it, + 1; 0: none */
};

void cj__tail_init(cj__tail *t, const cj__allocator *a)
{
    memset(t, 0, sizeof *t);
    t->allocator = a;
    t->given_up = -1;
    cj__str_init(&t->bytes, a, CJ__TAIL_BYTES);
    cj__map_init(&t->last, a);
    (void)pthread_mutex_init(&t->lock, NULL);
}

/* Nothing is known but that the batches up to `sealed` are spent. */
static void tail_forget(cj__tail *t, int64_t sealed)
{
    cj__str_end(&t->bytes);
    cj__str_init(&t->bytes, t->allocator, CJ__TAIL_BYTES);
    cj__map_end(&t->last);
    cj__map_init(&t->last, t->allocator);
    cj__free(t->allocator, t->rows, t->capacity * sizeof *t->rows);
    t->rows = NULL;
    t->n = t->capacity = 0;
    t->sealed = t->through = sealed;
}

void cj__tail_end(cj__tail *t)
{
    if (t->allocator == NULL)
        return;
    tail_forget(t, 0);
    (void)pthread_mutex_destroy(&t->lock);
    t->allocator = NULL;
}

static int32_t tail_row(cj__tail *t, int64_t batch, uint32_t node, cj__text bytes)
{
    cj__tail_row row = {.batch = batch, .at = t->bytes.n, .n = (uint32_t)bytes.n};
    uint64_t before = 0;
    int32_t rc;

    CJ_TRY(cj__array_grow(t->allocator, (void **)&t->rows, &t->capacity, t->n + 1,
                          sizeof *t->rows, UINT32_MAX - 1));
    cj__str_put(&t->bytes, bytes.data, bytes.n);
    CJ_TRY(cj__str_status(&t->bytes));
    (void)cj__map_get(&t->last, node, &before);
    row.before = (uint32_t)before;
    t->rows[t->n++] = row;
    CJ_TRY(cj__map_put(&t->last, node, t->n));
out:
    return rc;
}

static int32_t tail_batch(cj__tail *t, const cj__query *q)
{
    const int64_t batch = cj__query_get_int64(q, 0);
    cj__text messages, events;
    cj__row row;
    size_t at = 0;
    int32_t rc;

    CJ_TRY(cj__journal_blobs(q, &messages, &events));
    while (at < events.n) {
        const size_t from = at;

        CJ_TRY(cj__journal_next(events, &at, &row));
        CJ_TRY(tail_row(t, batch, row.node, (cj__text){events.data + from, at - from}));
    }
    t->through = batch;
out:
    return rc;
}

/* Read what has come since; the reader's lock is held. */
static int32_t tail_follow(cj__tail *t, cj__reader *r)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(&r->conn, STMT_JOURNAL_SINCE, &q));
    cj__query_int64(&q, 1, t->through);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(tail_batch(t, &q));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* Know the batches (sealed, last] of the snapshot; *known_out 0: that is not possible,
 * and no error. */
static int32_t tail_reach(cj__tail *t, cj__reader *r, int64_t sealed, int64_t last,
                          int *known_out)
{
    int32_t rc = CJ_OK;

    *known_out = 0;
    if (sealed < t->sealed || sealed == t->given_up)
        return CJ_OK;
    if (sealed > t->sealed)
        tail_forget(t, sealed);
    if (last > t->through)
        rc = tail_follow(t, r);
    if (rc == CJ_OK) {
        *known_out = 1;
        return CJ_OK;
    }
    tail_forget(t, sealed);
    if (rc != CJ_ELIMIT)
        return rc;
    t->given_up = sealed;
    return CJ_OK;
}

/* Count a node's rows up to a batch, and write them, the last one first, in front of
 * `end` when it is not NULL. */
static int32_t tail_node(const cj__tail *t, uint32_t node, int64_t last,
                         cj__arena *arena, cj__row *end, int64_t *n_out)
{
    uint64_t at = 0;
    int32_t rc = CJ_OK;

    (void)cj__map_get(&t->last, node, &at);
    for (; at != 0 && rc == CJ_OK; at = t->rows[at - 1].before) {
        const cj__tail_row *row = &t->rows[at - 1];
        cj__text bytes = {NULL, row->n};
        size_t from = 0;

        if (row->batch > last)
            continue;
        ++*n_out;
        if (end == NULL)
            continue;
        bytes.data = cj__arena_text(arena, t->bytes.data + row->at, row->n);
        if (bytes.data == NULL)
            return CJ_ENOMEM;
        rc = cj__journal_next(bytes, &from, end - *n_out);
    }
    return rc;
}

static int32_t tail_nodes(const cj__tail *t, const cj__node_list *nodes, int64_t last,
                          cj__arena *arena, cj__row **rows_out, int64_t *n_out)
{
    int64_t n = 0, at = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < nodes->n; i++)
        CJ_TRY(tail_node(t, nodes->at[i], last, arena, NULL, &n));
    if (n == 0)
        return CJ_OK;
    *rows_out = cj__arena_alloc(arena, cj__size_product((size_t)n, sizeof **rows_out));
    if (*rows_out == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < nodes->n; i++) {
        int64_t here = 0, filled = 0;

        CJ_TRY(tail_node(t, nodes->at[i], last, arena, NULL, &here));
        at += here;
        CJ_TRY(tail_node(t, nodes->at[i], last, arena, *rows_out + at, &filled));
    }
    *n_out = n;
out:
    return rc;
}

/* The reader's lock is held. */
static int32_t tail_find(cj__reader *r, const cj__node_list *nodes, cj__arena *arena,
                         cj__row **rows_out, int64_t *n_out, int *known_out)
{
    cj__tail *t = &r->conn.db->store->tail;
    int64_t sealed, last;
    int32_t rc;

    *known_out = 1;
    CJ_TRY(cj__meta_get(&r->conn, "sealed_through", 0, &sealed));
    CJ_TRY(cj__query_one(&r->conn, STMT_JOURNAL_MAX, &last));
    if (last <= sealed)
        return CJ_OK;
    (void)pthread_mutex_lock(&t->lock);
    rc = tail_reach(t, r, sealed, last, known_out);
    if (rc == CJ_OK && *known_out)
        rc = tail_nodes(t, nodes, last, arena, rows_out, n_out);
    (void)pthread_mutex_unlock(&t->lock);
out:
    return rc;
}

static int tail_is_among(uint32_t node, const cj__node_list *nodes)
{
    size_t low = 0, high = nodes->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (nodes->at[middle] < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < nodes->n && nodes->at[low] == node;
}

/* Of all rows of the journal. */
static int32_t tail_pick(cj__reader *r, const cj__node_list *nodes, cj__arena *arena,
                         cj__row **rows_out, int64_t *n_out)
{
    const cj__row *rows;
    int64_t n, kept = 0;
    int32_t rc;

    CJ_TRY(cj__reader_journal(r, &rows, &n));
    for (int64_t i = 0; i < n; i++)
        kept += tail_is_among(rows[i].node, nodes);
    *rows_out = cj__arena_alloc(arena, ((size_t)kept + 1) * sizeof **rows_out);
    if (*rows_out == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        if (tail_is_among(rows[i].node, nodes))
            (*rows_out)[(*n_out)++] = rows[i];
    }
out:
    return rc;
}

int32_t cj__reader_journal_of(cj__reader *r, const cj__node_list *nodes,
                              cj__arena *arena, cj__row **rows_out, int64_t *n_out)
{
    int known;
    int32_t rc;

    *rows_out = NULL;
    *n_out = 0;
    (void)pthread_mutex_lock(&r->lock);
    rc = tail_find(r, nodes, arena, rows_out, n_out, &known);
    (void)pthread_mutex_unlock(&r->lock);
    return rc == CJ_OK && !known ? tail_pick(r, nodes, arena, rows_out, n_out) : rc;
}
