/* Facts about the file itself, by name: few, small, read at open or with a transaction.
 * docs/FORMAT.md lists them. */
#include "store/internal.h"

#include <string.h>

int32_t cj__meta_get(cj__conn *conn, const char *name, int64_t fallback, int64_t *out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *out = fallback;
    CJ_TRY(cj__query_begin(conn, STMT_META_GET, &q));
    cj__query_text(&q, 1, cj__text_of(name));
    CJ_TRY(cj__query_step(&q, &row));
    if (row)
        *out = cj__query_get_int64(&q, 0);
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__meta_get_text(cj__conn *conn, const char *name, char *to, size_t size)
{
    cj__query q = {0};
    cj__text text;
    int row;
    int32_t rc;

    to[0] = '\0';
    CJ_TRY(cj__query_begin(conn, STMT_META_GET, &q));
    cj__query_text(&q, 1, cj__text_of(name));
    CJ_TRY(cj__query_step(&q, &row));
    if (row) {
        text = cj__query_get_text(&q, 0);
        if (text.data == NULL || text.n >= size)
            CJ_TRY(cj__fail(CJ_ECORRUPT, "meta row %s is not a short text", name));
        memcpy(to, text.data, text.n);
        to[text.n] = '\0';
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__meta_set(cj__conn *conn, const char *name, int64_t value)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_META_SET, &q));
    cj__query_text(&q, 1, cj__text_of(name));
    cj__query_int64(&q, 2, value);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__meta_set_text(cj__conn *conn, const char *name, const char *value)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_META_SET, &q));
    cj__query_text(&q, 1, cj__text_of(name));
    cj__query_text(&q, 2, cj__text_of(value));
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

uint64_t cj__store_seed(const cj_db *db)
{
    return db->store->seed;
}
