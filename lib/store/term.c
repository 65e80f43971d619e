/* Terms: texts that repeat, as small numbers.  Rows are never changed or deleted, so
 * what this handle knows stays true whatever other processes do. */
#include "store/internal.h"

#include <string.h>

void cj__terms_reset(cj_db *db)
{
    cj__terms *t = &db->store->terms;

    cj__map_clear(&t->by_hash);
    cj__arena_reset(&t->texts);
    t->n = 0;
}

/* The row of a text, added when it is new. */
static int32_t term_row(cj_db *db, int space, cj__text text, int64_t *id_out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_TERM_FIND, &q));
    cj__query_int64(&q, 1, space);
    cj__query_text(&q, 2, text);
    CJ_TRY(cj__query_step(&q, &row));
    if (row) {
        *id_out = cj__query_get_int64(&q, 0);
    } else {
        cj__query_end(&q);
        CJ_TRY(cj__query_begin(cj__writer(db), STMT_TERM_ADD, &q));
        cj__query_int64(&q, 1, space);
        cj__query_text(&q, 2, text);
        CJ_TRY(cj__query_insert(&q, id_out));
    }
    if (*id_out <= 0 || *id_out > UINT32_MAX)
        CJ_TRY(cj__fail(CJ_ELIMIT, "the file holds 2^32 terms; no more fit"));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t term_remember(cj_db *db, uint64_t hash, int space, cj__text text,
                             uint32_t id)
{
    cj__terms *t = &db->store->terms;
    char *copy = cj__arena_text(&t->texts, text.data, text.n);
    int32_t rc;

    if (copy == NULL)
        return CJ_ENOMEM;
    rc = cj__array_grow(&db->cx.allocator, (void **)&t->entries, &t->capacity, t->n + 1,
                        sizeof *t->entries, UINT32_MAX);
    if (rc != CJ_OK)
        return rc;
    t->entries[t->n] =
        (cj__term_entry){.text = copy, .n = (uint32_t)text.n, .id = id, .space = space};
    rc = cj__map_put(&t->by_hash, hash, t->n);
    if (rc == CJ_OK)
        t->n++;
    return rc;
}

int32_t cj__term(cj_db *db, int space, cj__text text, uint32_t *id_out)
{
    cj__terms *t = &db->store->terms;
    uint64_t hash, at;
    int64_t id;
    int32_t rc;

    *id_out = 0;
    if (text.data == NULL)
        return CJ_OK;
    hash = cj__hash64((uint64_t)space, text.data, text.n);
    if (cj__map_get(&t->by_hash, hash, &at)) {
        const cj__term_entry *e = &t->entries[at];
        if (e->space == space && e->n == text.n &&
            memcmp(e->text, text.data, text.n) == 0) {
            *id_out = e->id;
            return CJ_OK;
        }
    }
    rc = term_row(db, space, text, &id);
    if (rc != CJ_OK)
        return rc;
    *id_out = (uint32_t)id;
    return term_remember(db, hash, space, text, *id_out);
}
