/* How segments overlap: every profile is in one combination of them, a number with a
 * bit for each segment, the first the highest.  Counts are sums, so threads add to them
 * in any order. */
#include "segment/ask.h"
#include "segment/segment.h"

#include "base/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct overlap {
    uint32_t items[CJ__MAX_OVERLAP];
    int32_t n;
    _Atomic int64_t *counts; /* of each combination */
} overlap;

typedef struct overlap_row {
    uint32_t combination;
    int64_t n_profiles;
} overlap_row;

static int32_t overlap_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    overlap *v = e->user;
    uint32_t combination = 0;
    cj__answer answer;
    int32_t rc = CJ_OK;

    (void)partial;
    for (int32_t i = 0; i < v->n; i++) {
        CJ_TRY(cj__runner_answer(r, v->items[i], e->now_ms, &answer));
        combination = combination << 1 | (answer.truth == CJ__TRUE);
    }
    (void)atomic_fetch_add_explicit(&v->counts[combination], 1, memory_order_relaxed);
out:
    return rc;
}

static int32_t overlap_names(const char *const *names, int64_t n)
{
    if (n < 1 || n > CJ__MAX_OVERLAP)
        return cj__fail(CJ_EINVAL, "n must be 1..%d", CJ__MAX_OVERLAP);
    for (int64_t i = 0; i < n; i++) {
        if (names[i] == NULL)
            return cj__fail_at(i, CJ_EMISUSE, "a name is NULL");
        if (strcmp(names[i], "profiles") == 0)
            return cj__fail_at(
                i, CJ_EINVAL,
                "a column is called profiles; define the segment by another name");
        for (int64_t k = 0; k < i; k++) {
            if (strcmp(names[i], names[k]) == 0)
                return cj__fail_at(i, CJ_EINVAL, "a name is there twice");
        }
    }
    return CJ_OK;
}

/* ---- the table
 * --------------------------------------------------------------------------------- */

static int overlap_order(const void *a, const void *b)
{
    const overlap_row *x = a, *y = b;

    if (x->n_profiles != y->n_profiles)
        return x->n_profiles > y->n_profiles ? -1 : 1;
    return x->combination > y->combination ? -1 : x->combination < y->combination;
}

static int32_t overlap_columns(const cj__allocator *a, const char *const *names,
                               int32_t n, cj_table **out)
{
    char columns[CJ__MAX_OVERLAP * 4 + 16] = "";
    int32_t rc = CJ_OK;

    for (int32_t i = 0; i < n; i++)
        (void)strcat(columns, "s:i ");
    (void)strcat(columns, "profiles:i");
    CJ_TRY(cj__table_new(a, columns, out));
    for (int32_t i = 0; i < n; i++)
        cj__table_rename(*out, i, names[i]);
out:
    return rc;
}

static int32_t overlap_table(cj__ask *a, const overlap *v, const char *const *names,
                             cj_table **out)
{
    const uint32_t n_combinations = UINT32_C(1) << v->n;
    overlap_row *rows;
    cj_table *t = NULL;
    size_t n = 0;
    int32_t rc;

    rows = cj__arena_alloc(&a->set.arena, n_combinations * sizeof *rows);
    if (rows == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (uint32_t i = 0; i < n_combinations; i++) {
        if (v->counts[i] > 0)
            rows[n++] = (overlap_row){i, v->counts[i]};
    }
    if (n > 0)
        qsort(rows, n, sizeof *rows, overlap_order);
    CJ_TRY(overlap_columns(&a->set.db->cx.allocator, names, v->n, &t));
    for (size_t i = 0; i < n; i++) {
        for (int32_t k = 0; k < v->n; k++)
            cj__table_int64(t, k, rows[i].combination >> (v->n - 1 - k) & 1);
        cj__table_int64(t, v->n, rows[i].n_profiles);
    }
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    return rc;
}

static int32_t overlap_begin(cj__ask *a, const char *const *names, int64_t n,
                             overlap *v)
{
    const size_t n_combinations = (size_t)1 << n;
    int32_t rc = CJ_OK;

    v->n = (int32_t)n;
    for (int64_t i = 0; i < n; i++)
        CJ_TRY(cj__ask_name(a, cj__text_of(names[i]), &v->items[i]));
    v->counts = cj__arena_alloc(&a->set.arena, n_combinations * sizeof *v->counts);
    if (v->counts == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (size_t i = 0; i < n_combinations; i++)
        atomic_init(&v->counts[i], 0);
out:
    return rc;
}

int32_t cj__segment_overlap(cj_db *db, const char *const *names, int64_t n,
                            const cj_segment_options *opts, cj_table **out)
{
    cj__ask ask = {0};
    cj__everyone e = {0};
    overlap v;
    int32_t rc;

    CJ_TRY(cj__ask_options(opts));
    CJ_TRY(overlap_names(names, n));
    CJ_TRY(cj__ask_open(db, &ask));
    CJ_TRY(overlap_begin(&ask, names, n, &v));
    cj__ask_everyone(&ask, opts, &v, &e);
    e.visit = overlap_visit;
    e.momentary = 1;
    CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(overlap_table(&ask, &v, names, out));
out:
    cj__str_end(&e.partial);
    cj__ask_close(&ask);
    return rc;
}
