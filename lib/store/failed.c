/* Rejected events: kept with their reason and bytes until they are retried or erased.
 * Equal bytes of one format are one row, so importing a bad file twice adds nothing. */
#include "store/internal.h"

#include <string.h>

int32_t cj__failed_add(cj_db *db, int64_t time_ms, const char *format, int32_t code,
                       const char *reason, cj__text bytes)
{
    cj__query q = {0};
    uint64_t seed = cj__hash64(cj__store_seed(db), format, strlen(format));
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_FAILED_ADD, &q));
    cj__query_int64(&q, 1, (int64_t)cj__hash64(seed, bytes.data, bytes.n));
    cj__query_int64(&q, 2, time_ms);
    cj__query_text(&q, 3, cj__text_of(format));
    cj__query_int64(&q, 4, code);
    cj__query_text(&q, 5, cj__text_of(reason));
    cj__query_blob(&q, 6, bytes);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t failed_row(const cj__query *q, cj__arena *arena, cj__failed *out)
{
    cj__text format = cj__query_get_text(q, 2);
    cj__text reason = cj__query_get_text(q, 4), bytes = cj__query_get_blob(q, 5);

    *out = (cj__failed){.id = cj__query_get_int64(q, 0),
                        .time_ms = cj__query_get_int64(q, 1),
                        .code = (int32_t)cj__query_get_int64(q, 3)};
    if (format.n >= sizeof out->format)
        return cj__fail(CJ_ECORRUPT, "rejected event %lld has no format",
                        (long long)out->id);
    memcpy(out->format, format.data, format.n);
    out->reason = (cj__text){cj__arena_text(arena, reason.data, reason.n), reason.n};
    out->bytes = (cj__text){cj__arena_text(arena, bytes.data, bytes.n), bytes.n};
    return out->reason.data == NULL || out->bytes.data == NULL ? CJ_ENOMEM : CJ_OK;
}

int32_t cj__failed_read(cj__conn *conn, int64_t after, cj__arena *arena,
                        cj__failed *rows, int64_t n, int64_t *n_out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *n_out = 0;
    CJ_TRY(cj__query_begin(conn, STMT_FAILED_AFTER, &q));
    cj__query_int64(&q, 1, after);
    cj__query_int64(&q, 2, n);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(failed_row(&q, arena, &rows[*n_out]));
        ++*n_out;
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__failed_delete(cj_db *db, int64_t id)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_FAILED_DELETE, &q));
    cj__query_int64(&q, 1, id);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}
