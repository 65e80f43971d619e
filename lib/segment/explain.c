/* Explaining a segment: what each clause lets pass, alone and after those before it,
 * and what it reads.  Counts are sums, so threads add to them in any order. */
#include "segment/clauses.h"
#include "segment/segment.h"

#include "base/table.h"

#include <stdatomic.h>

#define EXPLAIN_COLUMNS                                                                \
    "depth:i clause:t passes_alone:i unknown:i passes_in_order:i share:d cost_ns:i "   \
    "reads:t from_ms:i until_ms:i blocks:i"

typedef struct explain_count {
    _Atomic int64_t alone, unknown, in_order;
} explain_count;

typedef struct explain {
    cj__clauses clauses;
    explain_count *counts; /* of each clause */
    _Atomic int64_t n_profiles;
} explain;

static void explain_add(_Atomic int64_t *count)
{
    (void)atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

/* Does a profile pass a clause and those before it in its bracket?  so_far: of each
 * bracket, whether it has passed until here. */
static int explain_in_order(const cj__clause *c, int32_t logic, int passes,
                            uint8_t *so_far)
{
    if (c->depth == 0 || logic == CJ__SEG_NOT)
        return passes;
    if (logic == CJ__SEG_AND)
        so_far[c->parent] = so_far[c->parent] && passes;
    else
        so_far[c->parent] = so_far[c->parent] || passes;
    return so_far[c->parent];
}

static int32_t explain_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    uint8_t so_far[CJ__MAX_SEGMENT_NODES];
    explain *x = e->user;
    const cj__clause *all = x->clauses.all;
    cj__answer answer;
    int32_t rc = CJ_OK;

    (void)partial;
    explain_add(&x->n_profiles);
    for (uint32_t i = 0; i < x->clauses.n; i++) {
        const cj__clause *c = &all[i];

        CJ_TRY(cj__runner_answer(r, c->item, e->now_ms, &answer));
        so_far[i] = c->logic == CJ__SEG_AND;
        if (answer.truth == CJ__TRUE)
            explain_add(&x->counts[i].alone);
        if (answer.truth == CJ__UNKNOWN)
            explain_add(&x->counts[i].unknown);
        if (explain_in_order(c, all[c->parent].logic, answer.truth == CJ__TRUE, so_far))
            explain_add(&x->counts[i].in_order);
    }
out:
    return rc;
}

/* ---- the table
 * --------------------------------------------------------------------------------- */

static void explain_reads(cj_table *t, const cj__reads *reads,
                          const cj__scan_extent *extent)
{
    const int is_scanned = extent->n_blocks > 0;

    cj__table_int64(t, 6, reads->cost_ns);
    if (reads->text.n > 0)
        cj__table_text(t, 7, reads->text.data, reads->text.n);
    else
        cj__table_null(t, 7);
    if (is_scanned) {
        cj__table_int64(t, 8, extent->from_ms);
        cj__table_int64(t, 9, extent->until_ms);
    } else {
        cj__table_null(t, 8);
        cj__table_null(t, 9);
    }
    cj__table_int64(t, 10, is_scanned ? extent->n_blocks : 0);
}

/* What counting a clause alone reads. */
static int32_t explain_extent(const cj__everyone *e, const cj__reads *reads,
                              cj__scan_extent *out)
{
    const cj__scan_options opts = cj__everyone_scan(e, &reads->needs);

    *out = (cj__scan_extent){0};
    return reads->needs.columns == 0 ? CJ_OK : cj__scan_extent_of(e->db, &opts, out);
}

static int32_t explain_row(cj_table *t, const cj__everyone *e, uint32_t i,
                           const cj__runner *r)
{
    const explain *x = e->user;
    const cj__clause *c = &x->clauses.all[i];
    const int64_t n = x->n_profiles, alone = x->counts[i].alone;
    cj__scan_extent extent;
    cj__reads reads;
    int32_t rc;

    CJ_TRY(cj__reads_of(r, c->item, e->now_ms, &reads));
    CJ_TRY(explain_extent(e, &reads, &extent));
    cj__table_int64(t, 0, c->depth);
    cj__table_text(t, 1, c->text.data, c->text.n);
    cj__table_int64(t, 2, alone);
    cj__table_int64(t, 3, x->counts[i].unknown);
    cj__table_int64(t, 4, x->counts[i].in_order);
    if (n > 0)
        cj__table_double(t, 5, (double)alone / (double)n);
    else
        cj__table_null(t, 5);
    explain_reads(t, &reads, &extent);
out:
    cj__str_end(&reads.text);
    return rc;
}

static int32_t explain_table(const cj__everyone *e, cj_table **out)
{
    const cj__eval_env env = cj__runner_env(e->db, e->reader);
    const explain *x = e->user;
    cj__runner *r = NULL;
    cj_table *t = NULL;
    int32_t rc;

    CJ_TRY(cj__table_new(&e->db->cx.allocator, EXPLAIN_COLUMNS, &t));
    CJ_TRY(cj__runner_new(e->set, &env, &r));
    for (uint32_t i = 0; i < x->clauses.n; i++)
        CJ_TRY(explain_row(t, e, i, r));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__runner_end(r);
    cj__table_free(t);
    return rc;
}

static int32_t explain_counts(cj__ask *a, explain *x)
{
    x->counts = cj__arena_alloc(&a->set.arena, x->clauses.n * sizeof *x->counts);
    if (x->counts == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < x->clauses.n; i++) {
        atomic_init(&x->counts[i].alone, 0);
        atomic_init(&x->counts[i].unknown, 0);
        atomic_init(&x->counts[i].in_order, 0);
    }
    atomic_init(&x->n_profiles, 0);
    return CJ_OK;
}

int32_t cj__segment_explain(cj_db *db, const char *source,
                            const cj_segment_options *opts, cj_table **out)
{
    cj__ask ask = {0};
    cj__everyone e = {0};
    explain x;
    uint32_t item;
    int32_t rc;

    CJ_TRY(cj__ask_options(opts));
    CJ_TRY(cj__ask_open(db, &ask));
    CJ_TRY(cj__ask_source(&ask, source, &item));
    CJ_TRY(cj__clauses_of(&ask, item, &x.clauses));
    CJ_TRY(explain_counts(&ask, &x));
    cj__ask_everyone(&ask, opts, &x, &e);
    e.visit = explain_visit;
    e.momentary = 1;
    CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(explain_table(&e, out));
out:
    cj__str_end(&e.partial);
    cj__ask_close(&ask);
    return rc;
}
