/* A refresh by what the journal has got since: profiles that were joined to others, and
 * orders and refunds, added to the states that are kept; profile by profile. */
#include "metrics/clv_refresh.h"

#include <stdlib.h>

/* What brings a profile up: an order or refund, or (row NULL) that somebody was joined
 * to it, or it to somebody. */
typedef struct journal_row {
    uint32_t profile, node;
    int64_t time_ms, at; /* in order of arrival */
    const cj__row *row;
} journal_row;

typedef struct journal {
    cj__refresh *r;
    cj__map moved;    /* profiles whose state is another's, or nobody's any more ... */
    cj__text *states; /* ... this one */
    size_t n_states, states_capacity;
    journal_row *rows;
    size_t n_rows, rows_capacity;
} journal;

#define JOURNAL_MAX ((size_t)UINT32_MAX)

static int32_t journal_put(journal *j, journal_row row)
{
    int32_t rc;

    CJ_TRY(cj__array_grow(j->r->arena.allocator, (void **)&j->rows, &j->rows_capacity,
                          j->n_rows + 1, sizeof *j->rows, JOURNAL_MAX));
    j->rows[j->n_rows++] = row;
out:
    return rc;
}

/* ---- states: kept, but for those that moved since -----------------------------------
 */

static int32_t journal_state(journal *j, uint32_t profile, cj__text *out)
{
    uint64_t at;

    if (!cj__map_get(&j->moved, profile, &at))
        return cj__scores_state(&j->r->scores, profile, out);
    *out = j->states[at];
    return CJ_OK;
}

static int32_t journal_move(journal *j, uint32_t profile, cj__text state)
{
    int32_t rc;

    state.data = cj__arena_text(&j->r->arena, state.data, state.n);
    if (state.data == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__array_grow(j->r->arena.allocator, (void **)&j->states,
                          &j->states_capacity, j->n_states + 1, sizeof *j->states,
                          JOURNAL_MAX));
    CJ_TRY(cj__map_put(&j->moved, profile, j->n_states));
    j->states[j->n_states++] = state;
    CJ_TRY(journal_put(j, (journal_row){.profile = profile, .time_ms = INT64_MIN}));
out:
    return rc;
}

/* One entry of the log of merges since. */
static int32_t journal_merge(journal *j, int64_t action, uint32_t kept, uint32_t other)
{
    cj__text a, b;
    size_t has_a;
    int32_t rc;

    if (action != 1) { /* refused: nothing moved; removed: who knows what */
        j->r->is_whole |= action != 2;
        return CJ_OK;
    }
    CJ_TRY(journal_state(j, kept, &a));
    has_a = a.n;
    CJ_TRY(journal_state(j, other, &b));
    j->r->is_whole |= has_a > 0 && b.n > 0;
    if (j->r->is_whole)
        return CJ_OK;
    if (b.n > 0) {
        CJ_TRY(journal_move(j, kept, b));
        CJ_TRY(journal_move(j, other, (cj__text){"", 0}));
    } else if (has_a > 0) {
        CJ_TRY(journal_put(j, (journal_row){.profile = kept, .time_ms = INT64_MIN}));
    }
out:
    return rc;
}

static int32_t journal_merges(journal *j)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(j->r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, j->r->log);
    while (!j->r->is_whole) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(journal_merge(j, cj__query_get_int64(&q, 1),
                             (uint32_t)cj__query_get_int64(&q, 2),
                             (uint32_t)cj__query_get_int64(&q, 3)));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* ---- rows ---------------------------------------------------------------------------
 */

static int journal_order(const void *a, const void *b)
{
    const journal_row *x = a, *y = b;

    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Orders and refunds since, too; all by profile. */
static int32_t journal_rows(journal *j)
{
    cj__refresh *r = j->r;
    cj__row *rows;
    cj__node node;
    int64_t n;
    int32_t rc;

    CJ_TRY(cj__reader_journal_after(r->reader, r->batch, &r->arena, &rows, &n));
    for (int64_t i = 0; i < n; i++) {
        if (!cj__row_is_value(&rows[i]))
            continue;
        r->is_ahead |= rows[i].time_ms >= r->o->as_of_ms;
        if (rows[i].time_ms >= r->o->as_of_ms)
            continue;
        CJ_TRY(cj__node_get(r->db, rows[i].node, &node));
        CJ_TRY(journal_put(j, (journal_row){.profile = node.profile,
                                            .node = rows[i].node,
                                            .time_ms = rows[i].time_ms,
                                            .at = i,
                                            .row = &rows[i]}));
    }
    if (j->n_rows > 0)
        qsort(j->rows, j->n_rows, sizeof *j->rows, journal_order);
out:
    return rc;
}

static void journal_add(cj__clv_state *s, const cj__row *row)
{
    int64_t time_ms = row->time_ms, value = row->value_minor;
    uint32_t name = row->name;
    uint8_t has_value = 1;
    const cj__columns one = {.n = 1,
                             .time_ms = &time_ms,
                             .name = &name,
                             .value_minor = &value,
                             .has_value = &has_value};

    cj__clv_state_rows(s, &one, 0, 1);
}

/* What came of one profile.  A row that is not behind all that was seen changes what
 * came after it. */
static int32_t journal_profile(journal *j, const journal_row *rows, size_t n)
{
    cj__refresh *r = j->r;
    const uint32_t profile = rows->profile;
    cj__clv_state s;
    cj__text state;
    int was;
    cj__clv_fact ignored;
    int32_t rc;

    CJ_TRY(journal_state(j, profile, &state));
    cj__clv_state_begin(&s, &r->fold, profile);
    if (state.n > 0)
        CJ_TRY(cj__clv_state_read(&s, &r->fold, profile, state));
    was = cj__clv_state_fact(&s, &ignored);
    while (n > 0 && rows->row == NULL)
        rows++, n--;
    if (n > 0 && state.n > 0 && rows->time_ms <= s.seen_ms) {
        r->is_whole = 1;
        return CJ_OK;
    }
    for (size_t i = 0; i < n; i++)
        journal_add(&s, rows[i].row);
    cj__str_clear(&r->text);
    if (n > 0 || state.n > 0)
        cj__clv_state_write(&r->text, &s);
    CJ_TRY(cj__str_status(&r->text));
    CJ_TRY(cj__refresh_put(r, &s, (cj__text){r->text.data, r->text.n}, was));
out:
    return rc;
}

static int32_t journal_run(journal *j)
{
    int32_t rc;

    CJ_TRY(journal_merges(j));
    if (j->r->is_whole)
        return CJ_OK;
    CJ_TRY(journal_rows(j));
    for (size_t i = 0, next; i < j->n_rows && !j->r->is_whole; i = next) {
        for (next = i + 1;
             next < j->n_rows && j->rows[next].profile == j->rows[i].profile;)
            next++;
        CJ_TRY(journal_profile(j, j->rows + i, next - i));
    }
out:
    return rc;
}

int32_t cj__refresh_journal(cj__refresh *r)
{
    const cj__allocator *a = r->arena.allocator;
    journal j = {.r = r};
    int32_t rc;

    cj__map_init(&j.moved, a);
    rc = journal_run(&j);
    cj__map_end(&j.moved);
    cj__free(a, j.states, j.states_capacity * sizeof *j.states);
    cj__free(a, j.rows, j.rows_capacity * sizeof *j.rows);
    return rc;
}
