/* What cold profiles would else be read for again and again: the unsealed events, which
 * lie in the journal in order of arrival, by node; and the nodes that share a device.
 * Both follow what this handle writes, and are read anew when others have written, or
 * when the journal was sealed. */
#include "segment/live.h"

#include "identity/identity.h"

#include <string.h>

#define TAIL_ROWS ((size_t)UINT32_MAX - 1)

static int32_t tail_link(struct cj__live *l, int64_t row)
{
    const uint32_t node = l->tail.u32[CJ__FRAME_NODE][row];
    uint64_t before = 0;
    int32_t rc;

    CJ_TRY(cj__array_grow(l->allocator, (void **)&l->tail_before, &l->tail_capacity,
                          (size_t)row + 1, sizeof *l->tail_before, TAIL_ROWS));
    (void)cj__map_get(&l->tail_last, node, &before);
    l->tail_before[row] = (uint32_t)before;
    CJ_TRY(cj__map_put(&l->tail_last, node, (uint64_t)row + 1));
out:
    return rc;
}

void cj__live_tail_end(struct cj__live *l)
{
    l->has_tail = l->has_shared = 0;
    if (l->tail.allocator != NULL)
        cj__frame_end(&l->tail);
    cj__map_end(&l->tail_last);
    cj__map_end(&l->shared);
    cj__free(l->allocator, l->tail_before, l->tail_capacity * sizeof *l->tail_before);
    cj__free(l->allocator, l->tail_rows, l->tail_rows_capacity * sizeof *l->tail_rows);
    l->tail_before = l->tail_rows = NULL;
    l->tail_capacity = l->tail_rows_capacity = 0;
}

static int32_t tail_read(struct cj__live *l, cj__reader *reader)
{
    int32_t rc;

    if (l->tail.allocator != NULL)
        cj__frame_end(&l->tail);
    cj__frame_init(&l->tail, l->allocator, l->rows.columns);
    cj__map_clear(&l->tail_last);
    CJ_TRY(cj__scan_unsealed(reader, &l->tail));
    for (int64_t i = 0; i < l->tail.n; i++)
        CJ_TRY(tail_link(l, i));
out:
    return rc;
}

int32_t cj__live_shared_load(struct cj__live *l, cj__conn *conn)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    cj__map_clear(&l->shared);
    CJ_TRY(cj__query_begin(conn, STMT_EDGE_AFTER, &q));
    cj__query_int64(&q, 1, 0);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        if (cj__query_get_int64(&q, 5) != CJ__EDGE_REFUSED)
            continue;
        CJ_TRY(cj__map_put(&l->shared, (uint64_t)cj__query_get_int64(&q, 1), 1));
        CJ_TRY(cj__map_put(&l->shared, (uint64_t)cj__query_get_int64(&q, 2), 1));
    }
    l->has_shared = 1;
out:
    cj__query_end(&q);
    return rc;
}

int cj__live_shares(const struct cj__live *l, uint32_t node)
{
    uint64_t ignored;

    return cj__map_get(&l->shared, node, &ignored);
}

int32_t cj__live_tail_load(struct cj__live *l, cj__reader *reader)
{
    int64_t sealed;
    int32_t rc;

    CJ_TRY(cj__meta_get(cj__reader_conn(reader), "sealed_through", 0, &sealed));
    if (l->columns_read != 0 && (!l->has_tail || sealed != l->tail_sealed)) {
        l->has_tail = 0;
        CJ_TRY(tail_read(l, reader));
        l->tail_sealed = sealed;
        l->has_tail = 1;
    }
    if (l->set.reads_shared && !l->has_shared)
        CJ_TRY(cj__live_shared_load(l, cj__reader_conn(reader)));
out:
    return rc;
}

/* From the oldest on: of one time, they stay in order of arrival. */
int32_t cj__live_tail_take(struct cj__live *l, uint32_t node, cj__live_person *p)
{
    uint64_t row = 0;
    size_t n = 0;
    int32_t rc = CJ_OK;

    if (!l->has_tail)
        return CJ_OK;
    (void)cj__map_get(&l->tail_last, node, &row);
    for (; row != 0; row = l->tail_before[row - 1]) {
        CJ_TRY(cj__array_grow(l->allocator, (void **)&l->tail_rows,
                              &l->tail_rows_capacity, n + 1, sizeof *l->tail_rows,
                              TAIL_ROWS));
        l->tail_rows[n++] = (uint32_t)(row - 1);
    }
    while (n > 0)
        CJ_TRY(cj__live_put_row(p, &l->tail, l->tail_rows[--n]));
out:
    return rc;
}

int32_t cj__live_tail_add(struct cj__live *l)
{
    cj__frame *f = &l->tail;
    const int64_t first = f->n, n = l->rows.n;
    int32_t rc = CJ_OK;

    if (!l->has_tail || n == 0)
        return CJ_OK;
    CJ_TRY(cj__frame_reserve(f, first + n));
    cj__frame_move(f, first, &l->rows, 0, n);
    f->n += n;
    CJ_TRY(cj__frame_own(f, first, n));
    for (int64_t i = first; i < f->n; i++)
        CJ_TRY(tail_link(l, i));
out:
    return rc;
}
