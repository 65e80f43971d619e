/* Terms: texts that repeat, as small numbers.  Rows are never changed or deleted, so
 * what this handle knows (under a hash keyed by the file's secret, not by the text)
 * stays true whatever other processes do. */
#include "store/internal.h"

void cj__terms_reset(cj_db *db)
{
    cj__keys_clear(&db->store->terms);
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
        db->store->terms_made++;
    }
    if (*id_out <= 0 || *id_out > UINT32_MAX)
        CJ_TRY(cj__fail(CJ_ELIMIT, "the file holds 2^32 terms; no more fit"));
out:
    cj__query_end(&q);
    return rc;
}

cj__term_text cj__term_expect(const cj_db *db, int space, cj__text text)
{
    /* its own secret: identifiers add a number of 1 to 8 times the constant */
    uint64_t secret = db->store->seed - (uint64_t)space * 0x9E3779B97F4A7C15u;
    cj__term_text t = {.text = text};

    if (text.data != NULL) {
        t.key = cj__key_of(secret, text.data, text.n);
        cj__keys_expect(&db->store->terms, t.key);
    }
    return t;
}

int32_t cj__term_get(cj_db *db, int space, const cj__term_text *t, uint32_t *id_out)
{
    cj__key key = t->key;
    int64_t id;
    int32_t rc;

    *id_out = 0;
    if (t->text.data == NULL)
        return CJ_OK;
    *id_out = cj__keys_get(&db->store->terms, key);
    if (*id_out != 0)
        return CJ_OK;
    rc = term_row(db, space, t->text, &id);
    if (rc != CJ_OK)
        return rc;
    *id_out = key.id = (uint32_t)id;
    return cj__keys_put(&db->store->terms, key);
}

int32_t cj__term(cj_db *db, int space, cj__text text, uint32_t *id_out)
{
    cj__term_text t = cj__term_expect(db, space, text);

    return cj__term_get(db, space, &t, id_out);
}

int32_t cj__term_find(cj_db *db, int space, cj__text text, uint32_t *id_out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *id_out = 0;
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_TERM_FIND, &q));
    cj__query_int64(&q, 1, space);
    cj__query_text(&q, 2, text);
    CJ_TRY(cj__query_step(&q, &row));
    if (row)
        *id_out = (uint32_t)cj__query_get_int64(&q, 0);
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__term_read(cj_db *db, uint32_t id, cj__arena *arena, cj__text *out)
{
    cj__query q = {0};
    cj__text text;
    int row;
    int32_t rc;

    *out = (cj__text){NULL, 0};
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_TERM_TEXT, &q));
    cj__query_int64(&q, 1, id);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        goto out;
    text = cj__query_get_text(&q, 0);
    *out = (cj__text){cj__arena_text(arena, text.data, text.n), text.n};
    rc = out->data == NULL ? CJ_ENOMEM : CJ_OK;
out:
    cj__query_end(&q);
    return rc;
}

uint64_t cj__terms_made(const cj_db *db)
{
    return db->store->terms_made;
}
