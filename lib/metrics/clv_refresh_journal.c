/* A refresh by what the journal has got since: profiles that were joined to others,
 * then orders and refunds, added to the states that are kept. */
#include "metrics/clv_refresh.h"

#include <stdlib.h>

/* One entry of the log of merges since. */
static int32_t journal_merge(cj__refresh *r, int64_t action, uint32_t kept,
                             uint32_t other)
{
    cj__clv_state a, b;
    int has_a, has_b;
    int32_t rc;

    if (action != 1) { /* refused: nothing moved; removed: who knows what */
        r->is_whole |= action != 2;
        return CJ_OK;
    }
    CJ_TRY(cj__clv_state_get(r->db, &r->fold, kept, &a, &has_a));
    CJ_TRY(cj__clv_state_get(r->db, &r->fold, other, &b, &has_b));
    r->is_whole |= has_a && has_b;
    if (r->is_whole || (!has_a && !has_b))
        return CJ_OK;
    if (has_b) {
        CJ_TRY(cj__clv_state_drop(r->db, other));
        b.buyer.fact.profile = kept;
        CJ_TRY(cj__refresh_keep(r, &b));
    }
    CJ_TRY(cj__map_put(&r->joined, kept, 1));
out:
    return rc;
}

static int32_t journal_merges(cj__refresh *r)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, r->log);
    while (!r->is_whole) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(journal_merge(r, cj__query_get_int64(&q, 1),
                             (uint32_t)cj__query_get_int64(&q, 2),
                             (uint32_t)cj__query_get_int64(&q, 3)));
    }
out:
    cj__query_end(&q);
    return rc;
}

typedef struct refresh_row {
    uint32_t profile, node;
    int64_t time_ms, at; /* in order of arrival */
    const cj__row *row;
} refresh_row;

static int journal_order(const void *a, const void *b)
{
    const refresh_row *x = a, *y = b;

    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Orders and refunds since, and all who were joined since, by profile. */
static int32_t journal_rows(cj__refresh *r, refresh_row **rows_out, int64_t *n_out)
{
    cj__row *rows;
    refresh_row *to;
    cj__node node;
    int64_t n, n_kept = 0;
    int32_t rc;

    CJ_TRY(cj__reader_journal_after(r->reader, r->batch, &r->arena, &rows, &n));
    to = cj__arena_alloc(&r->arena, ((size_t)n + 1) * sizeof *to);
    if (to == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (int64_t i = 0; i < n; i++) {
        if (!cj__row_is_value(&rows[i]))
            continue;
        r->is_ahead |= rows[i].time_ms >= r->o->as_of_ms;
        if (rows[i].time_ms >= r->o->as_of_ms)
            continue;
        CJ_TRY(cj__node_get(r->db, rows[i].node, &node));
        to[n_kept++] = (refresh_row){.profile = node.profile,
                                     .node = rows[i].node,
                                     .time_ms = rows[i].time_ms,
                                     .at = i,
                                     .row = &rows[i]};
    }
    qsort(to, (size_t)n_kept, sizeof *to, journal_order);
    *rows_out = to;
    *n_out = n_kept;
out:
    return rc;
}

/* The rows of one profile.  One that is not behind all that was seen changes what came
 * after it. */
static int32_t journal_profile(cj__refresh *r, const refresh_row *rows, int64_t n)
{
    cj__clv_state s;
    int known, was;
    cj__clv_fact ignored;
    int32_t rc;

    CJ_TRY(cj__clv_state_get(r->db, &r->fold, rows->profile, &s, &known));
    was = cj__clv_state_fact(&s, &ignored);
    if (known && rows->time_ms <= s.seen_ms) {
        r->is_whole = 1;
        return CJ_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t time_ms = rows[i].time_ms, value = rows[i].row->value_minor;
        uint32_t name = rows[i].row->name;
        uint8_t has_value = 1;
        const cj__columns one = {.n = 1,
                                 .time_ms = &time_ms,
                                 .name = &name,
                                 .value_minor = &value,
                                 .has_value = &has_value};

        cj__clv_state_rows(&s, &one, 0, 1);
    }
    CJ_TRY(cj__refresh_keep(r, &s));
    CJ_TRY(cj__refresh_touch(r, &s, was));
out:
    return rc;
}

static int32_t journal_joined(cj__refresh *r, const refresh_row *rows, int64_t n)
{
    cj__clv_state s;
    uint64_t ignored;
    cj__query q = {0};
    int row, known;
    int32_t rc;

    for (int64_t i = 0; i < n; i++) /* those were looked at */
        CJ_TRY(cj__map_put(&r->joined, rows[i].profile, 0));
    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, r->log);
    for (;;) {
        uint32_t kept;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        kept = (uint32_t)cj__query_get_int64(&q, 2);
        if (!cj__map_get(&r->joined, kept, &ignored) || ignored == 0)
            continue;
        CJ_TRY(cj__map_put(&r->joined, kept, 0));
        CJ_TRY(cj__clv_state_get(r->db, &r->fold, kept, &s, &known));
        if (known)
            CJ_TRY(cj__refresh_touch(r, &s, 0));
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__refresh_journal(cj__refresh *r)
{
    refresh_row *rows;
    int64_t n;
    int32_t rc;

    CJ_TRY(journal_merges(r));
    if (r->is_whole)
        return CJ_OK;
    CJ_TRY(journal_rows(r, &rows, &n));
    for (int64_t i = 0, next; i < n && !r->is_whole; i = next) {
        for (next = i + 1; next < n && rows[next].profile == rows[i].profile;)
            next++;
        CJ_TRY(journal_profile(r, rows + i, next - i));
    }
    if (!r->is_whole)
        CJ_TRY(journal_joined(r, rows, n));
out:
    return rc;
}
