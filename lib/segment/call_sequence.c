/* Functions over the order of events: what came after what, and what did not.  Each
 * walks its lists once, side by side; events of one moment are ordered as they came. */
#include "segment/program.h"

/* ---- sequence
 * --------------------------------------------------------------------------- */

/* Rows at which a step can end so that all steps before it were made. */
typedef struct sequence_ends {
    const uint32_t *rows;
    uint32_t n;
} sequence_ends;

static int sequence_near(const cj__program *p, uint32_t before, uint32_t row,
                         int64_t within)
{
    return within == 0 || p->time[row] - p->time[before] <= within;
}

/* Of the ends before an event the latest is the nearest, so only that one is tried. */
static uint32_t sequence_step(const cj__program *p, sequence_ends ends,
                              const cj__list *list, int64_t within, uint32_t *to)
{
    uint32_t at = 0, n = 0;

    for (uint32_t i = cj__list_row(list, (int64_t)ends.rows[0] + 1); i < list->n; i++) {
        const uint32_t row = list->rows[i];

        while (at < ends.n && ends.rows[at] < row)
            at++;
        if (sequence_near(p, ends.rows[at - 1], row, within))
            to[n++] = row;
    }
    return n;
}

/* One step of a walk: from the ends of the one before to those of this one. */
typedef struct sequence_walk {
    sequence_ends ends;
    cj__list list; /* the facts among the step's events */
    int64_t within;
    const cj__field *same; /* NULL: none */
    uint32_t *to;          /* room for list.n */
} sequence_walk;

/* Where a field must stay the same: the latest end of each of its values.  A mark is
 * row + 1, so that 0 is none. */
static int32_t sequence_step_same(cj__program *p, const sequence_walk *w,
                                  uint32_t *n_out)
{
    uint32_t at = 0, n = 0;
    uint64_t key;
    int32_t rc;

    CJ_TRY(cj__keys_begin(p, (size_t)w->ends.n + w->list.n));
    for (uint32_t i = 0; i < w->list.n; i++) {
        const uint32_t row = w->list.rows[i];
        int64_t mark;

        for (; at < w->ends.n && w->ends.rows[at] < row; at++) {
            CJ_TRY(cj__field_key(p, w->same, w->ends.rows[at], &key));
            if (key != 0)
                *cj__keys_at(p, key) = (int64_t)w->ends.rows[at] + 1;
        }
        CJ_TRY(cj__field_key(p, w->same, row, &key));
        mark = key == 0 ? 0 : *cj__keys_at(p, key);
        if (mark != 0 && sequence_near(p, (uint32_t)(mark - 1), row, w->within))
            w->to[n++] = row;
    }
    *n_out = n;
out:
    return rc;
}

/* Lists beyond the first count as far as they are facts; each fact to come may add. */
static int32_t sequence_next(cj__program *p, const cj__op *op, uint32_t step,
                             sequence_ends *ends)
{
    cj__buffer *buffer = step % 2 == 0 ? &p->rows_a : &p->rows_b;
    sequence_walk w = {.ends = *ends,
                       .within = op->call->within[step],
                       .same = op->call->same ? &op->call->field : NULL};
    uint32_t n;
    int32_t rc;

    CJ_TRY(cj__list_of(p, op->call->selectors[step], &w.list));
    w.list.n = cj__list_seen(p, &w.list);
    CJ_TRY(cj__program_work(p, (int64_t)w.list.n + ends->n));
    CJ_TRY(cj__buffer_need(p, buffer, w.list.n, sizeof *w.to));
    w.to = buffer->data;
    if (w.same != NULL)
        CJ_TRY(sequence_step_same(p, &w, &n));
    else
        n = sequence_step(p, w.ends, &w.list, w.within, w.to);
    *ends = (sequence_ends){w.to, n};
out:
    return rc;
}

static int32_t sequence_call(cj__program *p, const cj__op *op, cj__value *out)
{
    sequence_ends ends;
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    ends = (sequence_ends){list.rows + range.lo, range.hi - range.lo};
    if (range.lo == range.hi)
        ends.rows = NULL;
    for (uint32_t step = 1; step < op->call->n_selectors && ends.n > 0; step++)
        CJ_TRY(sequence_next(p, op, step, &ends));
    cj__value_truth(out, ends.n > 0 ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

/* ---- not followed, without
 * ----------------------------------------------------------------- */

/* Is there a first event in the range, older than the time it was given, that no second
 * event followed in that time? */
static int sequence_unfollowed(const cj__program *p, const cj__list *first,
                               cj__range range, const cj__list *second, int64_t within)
{
    uint32_t at = 0;

    for (uint32_t i = range.lo; i < range.hi; i++) {
        const uint32_t row = first->rows[i];

        if (p->time[row] > p->now - within)
            return 0; /* its time is not over, nor that of those behind it */
        while (at < second->n && second->rows[at] <= row)
            at++;
        if (at == second->n || p->time[second->rows[at]] - p->time[row] > within)
            return 1;
    }
    return 0;
}

static int32_t sequence_not_followed(cj__program *p, const cj__op *op, cj__value *out)
{
    const int64_t within = op->call->within[1];
    cj__list first, second;
    cj__range range;
    uint32_t waiting;
    int found;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &first, &range));
    CJ_TRY(cj__list_of(p, op->call->selectors[1], &second));
    second.n = cj__list_seen(p, &second);
    CJ_TRY(cj__program_work(p, (int64_t)range.hi - range.lo + second.n));
    waiting = cj__list_at(p, &first, p->now - within + 1);
    waiting = waiting < range.lo ? range.lo : waiting;
    if (waiting < range.hi)
        cj__later(p, p->time[first.rows[waiting]] + within);
    found = sequence_unfollowed(p, &first, range, &second, within);
    cj__value_truth(out, found ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

/* For each second event the latest first one before it is the nearest, so nothing lies
 * between any pair if nothing lies between those. */
static int sequence_undisturbed(const cj__program *p, const cj__list *first,
                                const cj__list *second, const cj__list *between,
                                int64_t within)
{
    uint32_t a = 0, c = 0;

    for (uint32_t i = 0; i < second->n; i++) {
        const uint32_t row = second->rows[i];

        while (a < first->n && first->rows[a] < row)
            a++;
        while (c < between->n && between->rows[c] < row)
            c++;
        if (a > 0 && sequence_near(p, first->rows[a - 1], row, within) &&
            (c == 0 || between->rows[c - 1] <= first->rows[a - 1]))
            return 1;
    }
    return 0;
}

static int32_t sequence_without(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__list first, second, between;
    cj__range range;
    int found = 0;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &first, &range));
    CJ_TRY(cj__list_of(p, op->call->selectors[1], &second));
    CJ_TRY(cj__list_of(p, op->call->selectors[2], &between));
    second.n = cj__list_seen(p, &second);
    between.n = cj__list_at(p, &between, p->now); /* one to come is behind all pairs */
    if (range.lo < range.hi) {
        first = (cj__list){first.rows + range.lo, range.hi - range.lo};
        CJ_TRY(cj__program_work(p, (int64_t)first.n + second.n + between.n));
        found = sequence_undisturbed(p, &first, &second, &between, op->call->within[1]);
    }
    cj__value_truth(out, found ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

/* ---- responded
 * -------------------------------------------------------------------------------- */

static int32_t sequence_prepare_responded(cj__program *p, cj__op *op)
{
    uint32_t slot;
    int32_t rc;

    CJ_TRY(
        cj__selector_where(p, NULL, "campaign", CJ__SEG_EQ, op->node->kids[0], &slot));
    CJ_TRY(cj__call_selector(p, op, slot));
    CJ_TRY(cj__selector_word(p, "orders", &slot));
    CJ_TRY(cj__call_selector(p, op, slot));
    op->call->within[1] = op->call->duration;
out:
    return rc;
}

const cj__call_row cj__calls_sequence[] = {
    {"sequence",     sequence_call,         NULL,                       300, 0},
    {"not_followed", sequence_not_followed, NULL,                       200, 0},
    {"without",      sequence_without,      NULL,                       300, 0},
    {"responded",    sequence_call,         sequence_prepare_responded, 200, 0},
    {NULL,           NULL,                  NULL,                       0,   0},
};
