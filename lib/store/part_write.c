/* Rows in order become a part: blocks of core columns and properties, blocks of the
 * value projection beside them, message hashes, one row of the directory.  Each block
 * is decoded and compared with what went in before anything that it replaces may be
 * deleted. */
#include "store/internal.h"

#include <string.h>

typedef struct part_family {
    cj__row *rows; /* CJ__BLOCK_EVENTS of them */
    int64_t n, n_blocks, n_events;
    cj__str directory;
} part_family;

struct cj__part_writer {
    cj_db *db;
    cj__slice slice;
    int64_t part, min_ms, max_ms;
    part_family families[2];
    cj__arena texts; /* that were let go while rows of the core need them */
    cj__row *check;  /* CJ__BLOCK_EVENTS rows to compare with */
    cj__arena check_texts;
    cj__str core, properties;
};

#define PART_ROWS_BYTES ((size_t)CJ__BLOCK_EVENTS * sizeof(cj__row))
#define PART_BLOCK_MAX ((size_t)1 << 30) /* SQLite's own limit of a value */

int32_t cj__part_begin(cj_db *db, cj__slice slice, cj__part_writer **out)
{
    const cj__allocator *a = &db->cx.allocator;
    cj__part_writer *w = cj__alloc_zero(a, sizeof *w);
    int32_t rc = CJ_OK;

    *out = NULL;
    if (w == NULL)
        return CJ_ENOMEM;
    w->db = db;
    w->slice = slice;
    w->min_ms = INT64_MAX;
    w->max_ms = INT64_MIN;
    cj__str_init(&w->core, a, PART_BLOCK_MAX);
    cj__str_init(&w->properties, a, PART_BLOCK_MAX);
    cj__arena_init(&w->check_texts, a);
    cj__arena_init(&w->texts, a);
    w->check = cj__alloc(a, PART_ROWS_BYTES);
    for (int f = 0; f < 2; f++) {
        cj__str_init(&w->families[f].directory, a, PART_BLOCK_MAX);
        w->families[f].rows = cj__alloc(a, PART_ROWS_BYTES);
        if (w->families[f].rows == NULL)
            rc = CJ_ENOMEM;
    }
    if (w->check == NULL)
        rc = CJ_ENOMEM;
    if (rc == CJ_OK)
        rc = cj__query_one(cj__writer(db), STMT_PART_MAX, &w->part);
    w->part++;
    if (rc == CJ_OK)
        *out = w;
    else
        cj__part_end(w);
    return rc;
}

void cj__part_end(cj__part_writer *w)
{
    const cj__allocator *a;

    if (w == NULL)
        return;
    a = &w->db->cx.allocator;
    for (int f = 0; f < 2; f++) {
        cj__free(a, w->families[f].rows, PART_ROWS_BYTES);
        cj__str_end(&w->families[f].directory);
    }
    cj__free(a, w->check, PART_ROWS_BYTES);
    cj__arena_end(&w->check_texts);
    cj__arena_end(&w->texts);
    cj__str_end(&w->core);
    cj__str_end(&w->properties);
    cj__free(a, w, sizeof *w);
}

static int part_same(const cj__row *a, const cj__row *b, int family)
{
    int same = a->time_ms == b->time_ms && a->node == b->node && a->name == b->name &&
               a->channel == b->channel && a->campaign == b->campaign &&
               a->has_value == b->has_value && a->value_minor == b->value_minor &&
               a->currency == b->currency;

    if (family == CJ__FAMILY_VALUE)
        return same;
    return same && a->quantity == b->quantity && a->content == b->content &&
           a->product == b->product && cj__text_equal(a->session, b->session) &&
           cj__text_equal(a->order, b->order) &&
           cj__text_equal(a->properties, b->properties);
}

static int32_t part_verify(cj__part_writer *w, int family)
{
    const part_family *f = &w->families[family];
    int64_t n;
    int32_t rc;

    cj__arena_reset(&w->check_texts);
    rc = cj__block_rows((cj__text){w->core.data, w->core.n},
                        (cj__text){w->properties.data, w->properties.n},
                        &w->check_texts, w->check, &n);
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < f->n; i++)
        if (n != f->n || !part_same(&f->rows[i], &w->check[i], family))
            return cj__fail(CJ_ECORRUPT,
                            "a block did not decode to what it was made of "
                            "(row %lld); nothing was sealed",
                            (long long)i);
    return CJ_OK;
}

static int32_t part_flush(cj__part_writer *w, int family)
{
    part_family *f = &w->families[family];
    cj__query q = {0};
    uint32_t entry[3];
    int64_t id =
        w->part << CJ__PART_SHIFT | (int64_t)family << CJ__FAMILY_SHIFT | f->n_blocks;
    int32_t rc = CJ_OK;

    if (f->n == 0)
        return CJ_OK;
    if (f->n_blocks >> CJ__FAMILY_SHIFT != 0)
        return cj__fail(CJ_ELIMIT, "a part holds at most 2^20 blocks");
    cj__str_clear(&w->core);
    cj__str_clear(&w->properties);
    CJ_TRY(
        cj__block_encode(&w->db->cx.allocator, f->rows, f->n,
                         family == CJ__FAMILY_VALUE ? CJ__COL_PROJECTION : CJ__COL_ALL,
                         &w->core, &w->properties));
    CJ_TRY(part_verify(w, family));
    CJ_TRY(cj__query_begin(cj__writer(w->db), STMT_BLOCK_ADD, &q));
    cj__query_int64(&q, 1, id);
    cj__query_blob(&q, 2, (cj__text){w->core.data, w->core.n});
    cj__query_blob(&q, 3, (cj__text){w->properties.data, w->properties.n});
    CJ_TRY(cj__query_run(&q));
    entry[0] = f->rows[0].node;
    entry[1] = f->rows[f->n - 1].node;
    entry[2] = (uint32_t)f->n;
    cj__str_put(&f->directory, entry, sizeof entry);
    CJ_TRY(cj__str_status(&f->directory));
    f->n_blocks++;
    f->n_events += f->n;
    f->n = 0;
    if (family == CJ__FAMILY_CORE) /* the projection has no texts */
        cj__arena_reset(&w->texts);
out:
    cj__query_end(&q);
    return rc;
}

static int32_t part_push(cj__part_writer *w, int family, const cj__row *row)
{
    part_family *f = &w->families[family];
    cj__row *to;

    if (f->n == CJ__BLOCK_EVENTS) {
        int32_t rc = part_flush(w, family);
        if (rc != CJ_OK)
            return rc;
    }
    to = &f->rows[f->n];
    *to = *row;
    if (family == CJ__FAMILY_VALUE) {
        to->session.data = to->order.data = to->properties.data = NULL;
        to->session.n = to->order.n = to->properties.n = 0;
    }
    f->n++;
    return CJ_OK;
}

void cj__part_let_go(cj__part_writer *w, cj__arena *texts)
{
    cj__arena_join(&w->texts, texts);
}

void cj__part_cover(cj__part_writer *w, int64_t min_ms, int64_t max_ms)
{
    if (min_ms < w->min_ms)
        w->min_ms = min_ms;
    if (max_ms > w->max_ms)
        w->max_ms = max_ms;
}

int32_t cj__part_row(cj__part_writer *w, const cj__row *row)
{
    int32_t rc = part_push(w, CJ__FAMILY_CORE, row);

    cj__part_cover(w, row->time_ms, row->time_ms);
    if (rc == CJ_OK && cj__row_is_value(row))
        rc = part_push(w, CJ__FAMILY_VALUE, row);
    return rc;
}

int32_t cj__part_finish(cj__part_writer *w, uint64_t *hashes, int64_t n)
{
    const part_family *core = &w->families[0], *value = &w->families[1];
    cj__query q = {0};
    int64_t bits;
    int32_t rc;

    CJ_TRY(part_flush(w, CJ__FAMILY_CORE));
    CJ_TRY(part_flush(w, CJ__FAMILY_VALUE));
    CJ_TRY(cj__message_run_write(w->db, w->part, hashes, n, &bits));
    CJ_TRY(cj__query_begin(cj__writer(w->db), STMT_PART_ADD, &q));
    cj__query_int64(&q, 1, w->part);
    cj__query_int64(&q, 2, w->slice.from_ms);
    cj__query_int64(&q, 3, w->slice.until_ms);
    cj__query_int64(&q, 4, w->min_ms);
    cj__query_int64(&q, 5, w->max_ms);
    cj__query_int64(&q, 6, core->n_events);
    cj__query_int64(&q, 7, value->n_events);
    cj__query_int64(&q, 8, n);
    cj__query_int64(&q, 9, bits);
    cj__query_blob(&q, 10, (cj__text){core->directory.data, core->directory.n});
    cj__query_blob(&q, 11, (cj__text){value->directory.data, value->directory.n});
    CJ_TRY(cj__query_run(&q));
    w->db->store->parts_loaded = 0;
out:
    cj__query_end(&q);
    return rc;
}
