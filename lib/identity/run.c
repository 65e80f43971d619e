/* Hash runs on disk: identifiers of a range of nodes, sorted by hash, in 2^bits buckets
 * by the hash's upper bits, 16 bytes each, so that a handle that has loaded nothing
 * finds one identifier with one row read per run.  Runs double in size as they are
 * merged (lookup.c), so there are few. */
#include "identity/internal.h"

#include <stdlib.h>
#include <string.h>

#define RUN_PER_BUCKET 200 /* 3,200 bytes: a bucket's row fits a page */
#define RUN_SHIFT 24       /* bucket id = run << 24 | index */

int32_t cj__ident_runs(cj_db *db, cj__conn *conn, cj__ident_run **runs, size_t *n,
                       size_t *capacity)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *n = 0;
    CJ_TRY(cj__query_begin(conn, STMT_RUN_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__array_grow(&db->cx.allocator, (void **)runs, capacity, *n + 1,
                              sizeof **runs, 1u << 16));
        (*runs)[(*n)++] =
            (cj__ident_run){.run = cj__query_get_int64(&q, 0),
                            .first_node = (uint32_t)cj__query_get_int64(&q, 1),
                            .last_node = (uint32_t)cj__query_get_int64(&q, 2),
                            .bits = cj__query_get_int64(&q, 3)};
    }
out:
    cj__query_end(&q);
    return rc;
}

static int64_t run_bucket(const cj__ident_run *run, uint64_t hash)
{
    return run->bits == 0 ? 0 : (int64_t)(hash >> (64 - run->bits));
}

int32_t cj__ident_run_find(cj__conn *conn, const cj__ident_run *run, cj__key key,
                           uint32_t *node_out)
{
    cj__query q = {0};
    cj__text bytes;
    int row;
    int32_t rc;

    *node_out = 0;
    CJ_TRY(cj__query_begin(conn, STMT_IDENTIFIER_BUCKET_GET, &q));
    cj__query_int64(&q, 1, run->run << RUN_SHIFT | run_bucket(run, key.hash));
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "identifier run %lld lacks a bucket",
                        (long long)run->run));
    bytes = cj__query_get_blob(&q, 0);
    for (size_t at = 0; at + sizeof key <= bytes.n; at += sizeof key) {
        cj__key e;
        memcpy(&e, bytes.data + at, sizeof e);
        if (e.hash == key.hash && e.hash2 == key.hash2)
            *node_out = e.id;
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__ident_run_read(cj__conn *conn, const cj__ident_run *run, cj__key *to,
                           size_t *n_out)
{
    size_t max = (size_t)(run->last_node - run->first_node) + 1;
    cj__query q = {0};
    cj__text bytes;
    int row;
    int32_t rc;

    *n_out = 0;
    CJ_TRY(cj__query_begin(conn, STMT_IDENTIFIER_BUCKET_RANGE, &q));
    cj__query_int64(&q, 1, run->run << RUN_SHIFT);
    cj__query_int64(&q, 2, (run->run + 1) << RUN_SHIFT);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        bytes = cj__query_get_blob(&q, 1);
        if (bytes.n / sizeof *to > max - *n_out)
            CJ_TRY(cj__fail(CJ_ECORRUPT, "identifier run %lld is too long",
                            (long long)run->run));
        if (bytes.n > 0)
            memcpy(to + *n_out, bytes.data, bytes.n);
        *n_out += bytes.n / sizeof *to;
    }
    if (*n_out != max)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "identifier run %lld is too short",
                        (long long)run->run));
out:
    cj__query_end(&q);
    return rc;
}

static int run_compare(const void *a, const void *b)
{
    const cj__key *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->hash2 < y->hash2 ? -1 : x->hash2 > y->hash2;
}

static int32_t run_add(cj_db *db, const cj__ident_run *run)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_RUN_ADD, &q));
    cj__query_int64(&q, 1, run->run);
    cj__query_int64(&q, 2, run->first_node);
    cj__query_int64(&q, 3, run->last_node);
    cj__query_int64(&q, 4, run->bits);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__ident_run_write(cj_db *db, cj__key *idents, size_t n, uint32_t first,
                            uint32_t last)
{
    cj__ident_run run = {.run = last, .first_node = first, .last_node = last};
    cj__query q = {0};
    size_t i = 0;
    int32_t rc;

    while (n >> run.bits > RUN_PER_BUCKET && run.bits < RUN_SHIFT)
        run.bits++;
    qsort(idents, n, sizeof *idents, run_compare);
    CJ_TRY(run_add(db, &run));
    for (int64_t bucket = 0; bucket < (int64_t)1 << run.bits; bucket++) {
        size_t from = i;
        while (i < n && run_bucket(&run, idents[i].hash) == bucket)
            i++;
        CJ_TRY(cj__query_begin(cj__writer(db), STMT_IDENTIFIER_BUCKET_ADD, &q));
        cj__query_int64(&q, 1, run.run << RUN_SHIFT | bucket);
        cj__query_blob(
            &q, 2,
            (cj__text){(const char *)(idents + from), (i - from) * sizeof *idents});
        CJ_TRY(cj__query_run(&q));
        cj__query_end(&q);
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__ident_run_delete(cj_db *db, const cj__ident_run *run)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_IDENTIFIER_BUCKET_DELETE, &q));
    cj__query_int64(&q, 1, run->run << RUN_SHIFT);
    cj__query_int64(&q, 2, (run->run + 1) << RUN_SHIFT);
    CJ_TRY(cj__query_run(&q));
    cj__query_end(&q);
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_RUN_DELETE, &q));
    cj__query_int64(&q, 1, run->run);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}
