/* Calls: which function, what its arguments mean, and what the groups of functions
 * (call_*.c) share.  A function is a row in the table of its group, under the name it
 * has in function.c. */
#include "segment/program.h"

#include "store/store.h"

#include <string.h>

static const cj__call_row *const call_groups[] = {
    cj__calls_events,  cj__calls_orders, cj__calls_sequence,
    cj__calls_session, cj__calls_time,   cj__calls_profile,
};

const cj__call_row *cj__call_named(const char *name)
{
    for (size_t g = 0; g < sizeof call_groups / sizeof call_groups[0]; g++) {
        for (const cj__call_row *row = call_groups[g]; row->name != NULL; row++) {
            if (strcmp(row->name, name) == 0)
                return row;
        }
    }
    return NULL;
}

/* ---- arguments ----------------------------------------------------------------------
 */

/* Room for every selector a call can have: its steps and those it adds. */
enum { CALL_SELECTORS = 20 };
enum { CALL_PERIODS = 1000000 }; /* longer ago than any event */

static int32_t call_add(cj__program *p, cj__call *call, uint32_t slot, int64_t within)
{
    if (call->selectors == NULL) {
        call->selectors =
            cj__arena_alloc(&p->arena, CALL_SELECTORS * sizeof *call->selectors);
        call->within =
            cj__arena_alloc(&p->arena, CALL_SELECTORS * sizeof *call->within);
        if (call->selectors == NULL || call->within == NULL)
            return CJ_ENOMEM;
    }
    if (call->n_selectors == CALL_SELECTORS)
        return cj__fail(CJ_ELIMIT, "a function takes at most %d selectors",
                        CALL_SELECTORS);
    call->within[call->n_selectors] = cj__span(within);
    call->selectors[call->n_selectors++] = slot;
    return CJ_OK;
}

int32_t cj__call_selector(cj__program *p, cj__op *op, uint32_t slot)
{
    return call_add(p, op->call, slot, 0);
}

static int32_t call_written(cj__program *p, cj__call *call, const cj__seg_node *node,
                            int64_t within)
{
    uint32_t slot;
    int32_t rc;

    CJ_TRY(cj__selector_slot(p, node, &slot));
    CJ_TRY(call_add(p, call, slot, within));
out:
    return rc;
}

static int32_t call_steps(cj__program *p, cj__call *call, const cj__seg_node *node)
{
    const cj__seg_node field = {.op = CJ__SEG_FIELD, .text = node->text};
    int32_t rc = CJ_OK;

    for (uint32_t k = 0; k < node->n_kids; k++)
        CJ_TRY(call_written(p, call, node->kids[k], node->kids[k]->i2));
    call->same = node->text.n > 0;
    if (call->same)
        CJ_TRY(cj__field_make(p, &field, &call->field));
out:
    return rc;
}

static int32_t call_pair(cj__program *p, cj__call *call, const cj__seg_node *node)
{
    int32_t rc;

    CJ_TRY(call_written(p, call, node->kids[0], 0));
    CJ_TRY(call_written(p, call, node->kids[1], node->i));
out:
    return rc;
}

static void call_periods(cj__call *call, const cj__seg_node *node)
{
    const char first = node->text.n > 0 ? node->text.data[0] : 'd';

    call->k = node->i;
    call->n = node->i2 < CALL_PERIODS ? node->i2 : CALL_PERIODS;
    call->unit = first == 'd'   ? CJ__UNIT_DAY
                 : first == 'w' ? CJ__UNIT_WEEK
                                : CJ__UNIT_MONTH;
}

/* A value: a literal, or an expression; the first text and duration are also kept by
 * name. */
static int32_t call_value(cj__program *p, cj__op *op, cj__op **kids,
                          const cj__seg_node *node)
{
    cj__call *call = op->call;
    int32_t rc;

    CJ_TRY(cj__op_compile(p, node, &kids[op->n_kids]));
    op->n_kids++;
    if (node->op == CJ__SEG_TEXT && call->word.data == NULL)
        call->word = node->text;
    else if (node->op == CJ__SEG_DURATION)
        call->duration = cj__span(node->i);
out:
    return rc;
}

static int32_t call_argument(cj__program *p, cj__op *op, const cj__call_row *row,
                             const cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_SELECTOR:
        return call_written(p, op->call, node, 0);
    case CJ__SEG_FIELD:
        return cj__field_make(p, node, &op->call->field);
    case CJ__SEG_SHARE:
        return call_pair(p, op->call, node);
    case CJ__SEG_FOLLOW:
        return call_pair(p, op->call, node);
    case CJ__SEG_STEPS:
        return call_steps(p, op->call, node);
    case CJ__SEG_PERIODS:
        call_periods(op->call, node);
        return CJ_OK;
    case CJ__SEG_WORD:
        op->call->word = node->text;
        return CJ_OK;
    case CJ__SEG_WINDOW:
        return cj__window_make(p, node, &op->call->window);
    default:
        return row->by_name ? CJ_OK : call_value(p, op, op->kids, node);
    }
}

int32_t cj__call_compile(cj__program *p, cj__op *op)
{
    const cj__seg_node *node = op->node;
    const cj__call_row *row = NULL;
    int32_t rc = CJ_OK;

    if (node->i >= 0 && node->i < cj__seg_n_functions)
        row = cj__call_named(cj__seg_functions[node->i].name);
    if (row == NULL)
        return cj__fail_at(node->begin, CJ_EINVAL, "the function has no evaluator");
    op->call = cj__arena_alloc(&p->arena, sizeof *op->call);
    op->kids = cj__arena_alloc(&p->arena, (node->n_kids + 1) * sizeof *op->kids);
    if (op->call == NULL || op->kids == NULL)
        return CJ_ENOMEM;
    memset(op->call, 0, sizeof *op->call);
    for (uint32_t k = 0; k < node->n_kids; k++)
        CJ_TRY(call_argument(p, op, row, node->kids[k]));
    op->eval = row->eval;
    op->cost = row->cost;
    if (row->prepare != NULL)
        CJ_TRY(row->prepare(p, op));
out:
    return rc;
}

cj__text cj__call_text(const cj__op *op, uint32_t k)
{
    return op->kids[k]->constant.text;
}

/* ---- what functions share
 * ----------------------------------------------------------------- */

int32_t cj__call_range(cj__program *p, const cj__op *op, uint32_t k, cj__list *list,
                       cj__range *range)
{
    int32_t rc;

    CJ_TRY(cj__list_of(p, op->call->selectors[k], list));
    CJ_TRY(cj__window_range(p, &op->call->window, list, range));
out:
    return rc;
}

int32_t cj__call_kept(cj__program *p, const cj__op *op, cj__kept_fn compute,
                      cj__value *out)
{
    cj__call *call = op->call;
    cj__arena *texts = p->texts;
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    if (call->kept_load != p->load || call->kept.lo != range.lo ||
        call->kept.hi != range.hi) {
        call->kept_load = 0;
        p->texts = &p->per_profile;
        CJ_TRY(cj__program_work(p, range.hi - range.lo));
        CJ_TRY(compute(p, op, &list, range, &call->result));
        call->kept = range;
        call->kept_load = p->load;
    }
    *out = call->result;
out:
    p->texts = texts;
    return rc;
}

int32_t cj__call_distinct(cj__program *p, const cj__field *field, const cj__list *list,
                          cj__range range, int64_t *n_out)
{
    uint64_t key;
    int32_t rc;

    *n_out = 0;
    CJ_TRY(cj__keys_begin(p, range.hi - range.lo));
    for (uint32_t i = range.lo; i < range.hi; i++) {
        CJ_TRY(cj__field_key(p, field, list->rows[i], &key));
        if (key != 0) {
            int64_t *seen = cj__keys_at(p, key);

            *n_out += *seen == 0;
            *seen = 1;
        }
    }
out:
    return rc;
}

int32_t cj__call_sum_value(cj__program *p, const cj__list *list, cj__range range,
                           int64_t *sum_out)
{
    const cj__columns *c = cj__columns_of(p);

    *sum_out = 0;
    for (uint32_t i = range.lo; i < range.hi; i++) {
        const int64_t at = cj__row_at(p, list->rows[i]);

        if (c->has_value[at] &&
            __builtin_add_overflow(*sum_out, c->value_minor[at], sum_out))
            return cj__fail(CJ_ELIMIT, "the values of a profile sum up beyond int64");
    }
    return CJ_OK;
}

int32_t cj__call_share(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__range part, whole;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &part));
    CJ_TRY(cj__call_range(p, op, 1, &list, &whole));
    if (whole.lo == whole.hi)
        cj__value_missing(out);
    else
        cj__value_number(out,
                         (double)(part.hi - part.lo) / (double)(whole.hi - whole.lo));
out:
    return rc;
}
