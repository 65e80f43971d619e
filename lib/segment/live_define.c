/* When definitions change: everybody is evaluated for the live segments that lead to
 * what has changed, and the difference to the membership there was is written. */
#include "segment/live.h"

#include "segment/everyone.h"

#include <string.h>

#define DEFINE_ROWS 500 /* states read at a time */

typedef struct define_answer { /* one that is worth keeping, in order of profiles */
    int64_t until_ms;
    uint32_t profile, at;
    int32_t is_in;
} define_answer;

typedef struct define_row {
    uint32_t profile;
    cj__text states;
} define_row;

typedef struct define {
    struct cj__live *l;
    int64_t at_ms;
    uint8_t *leads;  /* of each live segment: it is evaluated */
    cj__arena arena; /* of the rows at hand */
    define_row *rows;
    size_t n_rows, row;
    uint32_t last; /* profile that was read */
    int is_end;
    cj__str answers;
    size_t answer;
    cj__live_state *states;
} define;

/* ---- everybody
 * ------------------------------------------------------------------------- */

static int32_t define_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    const define *d = e->user;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < d->l->n; i++) {
        define_answer a = {.profile = (uint32_t)r->facts.profile, .at = (uint32_t)i};
        cj__answer answer;

        if (!d->leads[i])
            continue;
        CJ_TRY(cj__runner_answer(r, d->l->items[i], e->now_ms, &answer));
        a.is_in = answer.truth == CJ__TRUE;
        a.until_ms = answer.until_ms;
        if (a.is_in || a.until_ms != INT64_MAX)
            cj__str_put(partial, &a, sizeof a);
    }
out:
    return rc;
}

static int32_t define_everyone(define *d)
{
    cj__everyone e = {.db = d->l->db,
                      .set = &d->l->set,
                      .now_ms = d->at_ms,
                      .threads = 1,
                      .visit = define_visit,
                      .user = d};
    int32_t rc;

    CJ_TRY(cj__reader_open(d->l->db, &e.reader));
    rc = cj__everyone_run(&e);
    d->answers = e.partial;
out:
    cj__reader_end(e.reader);
    return rc;
}

/* ---- states
 * ------------------------------------------------------------------------------- */

static int32_t define_read(define *d)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    cj__arena_reset(&d->arena);
    d->row = d->n_rows = 0;
    d->rows = cj__arena_alloc(&d->arena, DEFINE_ROWS * sizeof *d->rows);
    if (d->rows == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__query_begin(cj__writer(d->l->db), STMT_STATE_AFTER, &q));
    cj__query_int64(&q, 1, d->last);
    cj__query_int64(&q, 2, DEFINE_ROWS);
    for (;;) {
        cj__text bytes;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        d->last = (uint32_t)cj__query_get_int64(&q, 0);
        bytes = cj__query_get_blob(&q, 2);
        bytes.data = cj__arena_text(&d->arena, bytes.data, bytes.n);
        if (bytes.data == NULL)
            CJ_TRY(CJ_ENOMEM);
        d->rows[d->n_rows++] = (define_row){d->last, bytes};
    }
    d->is_end = d->n_rows < DEFINE_ROWS;
out:
    cj__query_end(&q);
    return rc;
}

/* Out of segments that are live no longer. */
static int32_t define_leave(define *d, const define_row *row, int *changed)
{
    struct cj__live *l = d->l;
    cj__live_entry e = {0};
    size_t at = 0, i = 0;
    int more;
    int32_t rc = CJ_OK;

    while ((more = cj__live_entry_next(row->states, &at, &e)) > 0) {
        while (i < l->n && l->ids[i] < e.segment)
            i++;
        if (i < l->n && l->ids[i] == e.segment)
            continue;
        *changed = 1;
        if (e.is_in)
            CJ_TRY(cj__live_change(l, e.segment, row->profile, d->at_ms, 0,
                                   CJ__CHANGE_DEFINITION));
    }
    if (more < 0)
        rc = cj__fail(CJ_ECORRUPT, "the state of a profile's segments is damaged");
out:
    return rc;
}

static int32_t define_state(define *d, uint32_t profile, size_t i, int is_in,
                            int64_t until_ms, int *changed)
{
    cj__live_state *s = &d->states[i];
    const int was_in = s->is_in;
    int32_t rc = CJ_OK;

    *changed |= was_in != is_in || s->until_ms != until_ms;
    s->until_ms = until_ms;
    s->is_in = is_in;
    if (was_in == is_in)
        return CJ_OK;
    s->since_ms = is_in ? d->at_ms : 0;
    CJ_TRY(cj__live_change(d->l, d->l->ids[i], profile, d->at_ms, is_in,
                           CJ__CHANGE_DEFINITION));
out:
    return rc;
}

static int define_peek(const define *d, define_answer *a)
{
    if (d->answer == d->answers.n)
        return 0;
    memcpy(a, d->answers.data + d->answer, sizeof *a);
    return 1;
}

/* The states of one profile: what its row says, or none. */
static int32_t define_profile(define *d, uint32_t profile, const define_row *row)
{
    const cj__text none = {"\1", 1};
    define_answer a;
    int changed = 0, has_row;
    int64_t next_ms;
    int32_t rc;

    CJ_TRY(cj__live_states_read(d->l, row != NULL ? row->states : none, d->states));
    if (row != NULL)
        CJ_TRY(define_leave(d, row, &changed));
    for (size_t i = 0; i < d->l->n; i++) {
        int is_in = 0;
        int64_t until_ms = INT64_MAX;

        if (!d->leads[i])
            continue;
        if (define_peek(d, &a) && a.profile == profile && a.at == i) {
            is_in = a.is_in;
            until_ms = a.until_ms;
            d->answer += sizeof a;
        }
        CJ_TRY(define_state(d, profile, i, is_in, until_ms, &changed));
    }
    if (changed)
        CJ_TRY(cj__live_state_row(d->l, profile, row != NULL, d->states, &has_row,
                                  &next_ms));
out:
    return rc;
}

/* Rows and answers side by side, each profile once. */
static int32_t define_walk(define *d)
{
    define_answer a;
    int32_t rc;

    CJ_TRY(define_read(d));
    for (;;) {
        const define_row *row = NULL;
        const int is_answer = define_peek(d, &a);

        if (d->row == d->n_rows && !d->is_end)
            CJ_TRY(define_read(d));
        if (d->row < d->n_rows && (!is_answer || d->rows[d->row].profile <= a.profile))
            row = &d->rows[d->row++];
        if (row == NULL && !is_answer)
            break;
        CJ_TRY(define_profile(d, row != NULL ? row->profile : a.profile, row));
        CJ_TRY(cj__interrupted(&d->l->db->cx));
    }
out:
    return rc;
}

/* ---- the whole
 * ----------------------------------------------------------------------------- */

int32_t cj__live_redefined(struct cj__live *l, cj__text name, int was_live,
                           int64_t at_ms)
{
    define d = {.l = l, .at_ms = at_ms};
    int active, any = 0;
    int32_t rc;

    cj__arena_init(&d.arena, l->allocator);
    CJ_TRY(cj__live_changed(l));
    CJ_TRY(cj__live_sync(l, &active));
    if (l->n > CJ__MAX_LIVE)
        CJ_TRY(cj__fail(CJ_ELIMIT, "%d segments are live; no more fit", CJ__MAX_LIVE));
    l->is_touched = 1;
    d.leads = cj__arena_alloc(&l->scratch, l->n + 1);
    d.states = cj__arena_alloc(&l->scratch, (l->n + 1) * sizeof *d.states);
    if (d.leads == NULL || d.states == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (size_t i = 0; i < l->n; i++) {
        d.leads[i] = (uint8_t)cj__live_leads(l, i, name);
        any |= d.leads[i];
    }
    if (any)
        CJ_TRY(define_everyone(&d));
    if (any || was_live)
        CJ_TRY(define_walk(&d));
    cj__live_cool(l, 0); /* states are not what they were */
out:
    cj__str_end(&d.answers);
    cj__arena_end(&d.arena);
    return rc;
}
