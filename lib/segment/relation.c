/* Relations: one value against literals or another value.  A side that is missing makes
 * them unknown; of a number that ticks with time the exact moment of crossing counts.
 */
#include "segment/program.h"

#include <math.h>
#include <stdlib.h>

static cj__truth relation_truth(int is_true)
{
    return is_true ? CJ__TRUE : CJ__FALSE;
}

static cj__truth relation_not(cj__truth truth)
{
    return truth == CJ__UNKNOWN ? truth : truth == CJ__TRUE ? CJ__FALSE : CJ__TRUE;
}

/* ---- numbers that tick
 * ----------------------------------------------------------------- */

/* The moment at which a ticking number reaches, or passes, a constant; it only grows,
 * so there is one at most before it is below or above for good. */
static void relation_crossing(cj__program *p, const cj__value *ticking, double constant)
{
    double reach;
    int64_t moment;

    if (!(ticking->d <= constant))
        return;
    reach = ticking->d < constant ? ceil(constant) : ticking->d + 1;
    if (!(fabs(reach) < 9e15) ||
        __builtin_mul_overflow((int64_t)reach, ticking->unit, &moment) ||
        __builtin_add_overflow(moment, ticking->base, &moment))
        return;
    cj__later(p, moment);
}

static double relation_slope(const cj__value *a, const cj__value *b)
{
    return (a->ticks ? a->slope : 0) - (b->ticks ? b->slope : 0);
}

static int relation_parallel(const cj__value *a, const cj__value *b)
{
    return (a->ticks | b->ticks) != 0 && a->type == CJ__TYPE_NUMBER &&
           b->type == CJ__TYPE_NUMBER && !(fabs(relation_slope(a, b)) > 1e-15);
}

static int64_t relation_next_tick(const cj__value *a, const cj__value *b)
{
    return !b->ticks || (a->ticks && a->tick < b->tick) ? a->tick : b->tick;
}

/* Two sides of which one at least ticks: they can only meet where the line of their
 * difference is within its width of 0.  Parallel ones that are near: tick by tick. */
static void relation_lines(cj__program *p, const cj__value *a, const cj__value *b)
{
    const double slope = relation_slope(a, b);
    const double width = (a->ticks ? a->width : 0) + (b->ticks ? b->width : 0) +
                         1e-9 * (1 + fabs(a->d) + fabs(b->d));
    const double centre = -(a->d - b->d) / slope, half = width / fabs(slope);
    const int64_t tick = relation_next_tick(a, b);

    if (relation_parallel(a, b)) {
        if (fabs(a->d - b->d) <= width)
            cj__later(p, tick);
    } else if (centre + half >= 0 && centre - half < 1e15) {
        const int64_t meet = p->now + (int64_t)fmax(centre - half - 1, 0);

        cj__later(p, tick > meet ? tick : meet);
    }
}

static void relation_tick(cj__program *p, cj__value *a, cj__value *b)
{
    if (a->type != CJ__TYPE_NUMBER || b->type != CJ__TYPE_NUMBER)
        return;
    if (a->ticks == CJ__TICKS_PURE && !b->ticks)
        relation_crossing(p, a, b->d);
    else if (b->ticks == CJ__TICKS_PURE && !a->ticks)
        relation_crossing(p, b, a->d);
    else
        relation_lines(p, a, b);
}

/* ---- one relation each
 * ------------------------------------------------------------------- */

static int relation_holds(int32_t op, int order)
{
    switch (op) {
    case CJ__SEG_EQ:
        return order == 0;
    case CJ__SEG_NE:
        return order != 0;
    case CJ__SEG_LT:
        return order < 0;
    case CJ__SEG_LE:
        return order <= 0;
    case CJ__SEG_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* What ticks alike repeats itself every day: look through one. */
static int32_t relation_day(cj__program *p, const cj__op *op, const cj__value *left,
                            const cj__value *right)
{
    const int64_t now = p->now, next = p->next;
    int64_t changes = CJ__NEVER, at = relation_next_tick(left, right);
    int order, later;
    cj__value a, b;
    int32_t rc = CJ_OK;

    if (!cj__value_order(p, left, right, &order))
        return CJ_OK;
    for (; at <= now + CJ__MS_PER_DAY && changes == CJ__NEVER;
         at = relation_next_tick(&a, &b)) {
        p->now = at;
        CJ_TRY(op->kids[0]->eval(p, op->kids[0], &a));
        CJ_TRY(op->kids[1]->eval(p, op->kids[1], &b));
        if (!relation_parallel(&a, &b) || !cj__value_order(p, &a, &b, &later) ||
            relation_holds(op->op, later) != relation_holds(op->op, order))
            changes = at;
    }
out:
    p->now = now;
    p->next = next;
    cj__later(p, changes);
    return rc;
}

static int32_t relation_compare(cj__program *p, const cj__op *op, cj__value *left,
                                cj__truth *out)
{
    cj__value right;
    int order;
    int32_t rc;

    CJ_TRY(op->kids[1]->eval(p, op->kids[1], &right));
    if ((left->ticks | right.ticks) != 0) {
        if (relation_parallel(left, &right))
            CJ_TRY(relation_day(p, op, left, &right));
        else
            relation_tick(p, left, &right);
    }
    if (!cj__value_order(p, left, &right, &order)) {
        *out = CJ__UNKNOWN;
        return CJ_OK;
    }
    *out = relation_truth(relation_holds(op->op, order));
out:
    return rc;
}

/* As `left >= kid 1 and left <= kid 2`. */
static int32_t relation_between(cj__program *p, const cj__op *op, cj__value *left,
                                cj__truth *out)
{
    cj__truth sides[2] = {CJ__UNKNOWN, CJ__UNKNOWN};
    cj__value right;
    int order;
    int32_t rc = CJ_OK;

    for (uint32_t k = 0; k < 2; k++) {
        CJ_TRY(op->kids[k + 1]->eval(p, op->kids[k + 1], &right));
        if (left->ticks | right.ticks)
            relation_tick(p, left, &right);
        if (cj__value_order(p, left, &right, &order))
            sides[k] = relation_truth(k == 0 ? order >= 0 : order <= 0);
    }
    if (sides[0] == CJ__FALSE || sides[1] == CJ__FALSE)
        *out = CJ__FALSE;
    else
        *out = sides[0] == CJ__UNKNOWN ? sides[0] : sides[1];
out:
    return rc;
}

static int relation_text_order(const void *a, const void *b)
{
    const cj__op *const *x = a, *const *y = b;

    return cj__text_order((*x)->constant.text, (*y)->constant.text, 0);
}

int32_t cj__relation_sort(cj__program *p, cj__op *op)
{
    const cj__op *list = op->kids[1];

    for (uint32_t k = 0; k < list->n_kids; k++) {
        const cj__value *v = &list->kids[k]->constant;

        if (v->type != CJ__TYPE_TEXT || v->i != 0)
            return CJ_OK;
    }
    if (list->n_kids <= 8) /* as fast one by one */
        return CJ_OK;
    op->sorted = cj__arena_alloc(&p->arena, list->n_kids * sizeof *op->sorted);
    if (op->sorted == NULL)
        return CJ_ENOMEM;
    for (uint32_t k = 0; k < list->n_kids; k++)
        op->sorted[k] = list->kids[k];
    qsort(op->sorted, list->n_kids, sizeof *op->sorted, relation_text_order);
    return CJ_OK;
}

static cj__truth relation_search(const cj__op *op, cj__text text)
{
    uint32_t lo = 0, n = op->kids[1]->n_kids;

    while (n > 0) {
        const uint32_t half = n / 2;
        const int order = cj__text_order(op->sorted[lo + half]->constant.text, text, 0);

        if (order == 0)
            return CJ__TRUE;
        if (order < 0) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return CJ__FALSE;
}

/* As `left = a or left = b or ...`. */
static int32_t relation_in(cj__program *p, const cj__op *op, cj__value *left,
                           cj__truth *out)
{
    const cj__op *list = op->kids[1];
    cj__value right;

    if (op->sorted != NULL && left->type == CJ__TYPE_TEXT && left->i == 0) {
        *out = relation_search(op, left->text);
        return CJ_OK;
    }
    *out = CJ__UNKNOWN;
    if (left->type == CJ__TYPE_NONE)
        return CJ_OK;
    *out = CJ__FALSE;
    for (uint32_t k = 0; k < list->n_kids && *out != CJ__TRUE; k++) {
        cj__truth equal;

        right = list->kids[k]->constant;
        if (left->ticks)
            relation_tick(p, left, &right);
        equal = cj__value_equal(p, left, &right);
        if (equal != CJ__FALSE)
            *out = equal;
    }
    return CJ_OK;
}

/* ---- texts and lists
 * ------------------------------------------------------------------------ */

/* 1 in *found when an element of a list, or a scalar itself, equals a literal. */
static int32_t relation_member(cj__program *p, const cj__value *left,
                               const cj__value *literal, int *found)
{
    cj__value element;
    cj__text json;
    size_t at = 0;
    int32_t rc = CJ_OK;

    *found = 0;
    if (left->type != CJ__TYPE_LIST) {
        *found = cj__value_equal(p, left, literal) == CJ__TRUE;
        return CJ_OK;
    }
    CJ_TRY(cj__program_work(p, (int64_t)left->text.n));
    while (!*found && cj__path_element(left->text, &at, &json)) {
        CJ_TRY(cj__value_json(p, json, &element));
        *found = cj__value_equal(p, &element, literal) == CJ__TRUE;
    }
out:
    return rc;
}

static int relation_is_scalar(const cj__value *v)
{
    return v->type != CJ__TYPE_NONE && v->type != CJ__TYPE_LIST &&
           v->type != CJ__TYPE_DYNAMIC;
}

static int32_t relation_text(cj__program *p, const cj__op *op, cj__value *left,
                             cj__truth *out)
{
    const cj__value *part = &op->kids[1]->constant;
    const int fold = part->i != 0;
    int64_t work = 0;
    int found;
    int32_t rc = CJ_OK;

    *out = CJ__UNKNOWN;
    if (left->type == CJ__TYPE_LIST && op->op == CJ__SEG_CONTAINS) {
        CJ_TRY(relation_member(p, left, part, &found));
        *out = relation_truth(found);
        return CJ_OK;
    }
    if (left->type != CJ__TYPE_TEXT || part->type != CJ__TYPE_TEXT)
        return CJ_OK;
    if (op->op == CJ__SEG_CONTAINS)
        found = cj__text_contains(left->text, part->text, fold, &work);
    else if (op->op == CJ__SEG_STARTS)
        found = cj__text_starts(left->text, part->text, fold);
    else if (op->op == CJ__SEG_ENDS)
        found = cj__text_ends(left->text, part->text, fold);
    else
        found = cj__text_like(left->text, part->text, fold, &work);
    CJ_TRY(cj__program_work(p, work));
    *out = relation_truth(found);
out:
    return rc;
}

static int32_t relation_has(cj__program *p, const cj__op *op, cj__value *left,
                            cj__truth *out)
{
    const cj__op *list = op->kids[1];
    uint32_t n_found = 0;
    int found;
    int32_t rc = CJ_OK;

    *out = CJ__UNKNOWN;
    cj__value_settle(p, left);
    if (left->type != CJ__TYPE_LIST && !relation_is_scalar(left))
        return CJ_OK;
    for (uint32_t k = 0; k < list->n_kids; k++) {
        CJ_TRY(relation_member(p, left, &list->kids[k]->constant, &found));
        n_found += (uint32_t)found;
    }
    if (op->op == CJ__SEG_HAS_ANY)
        *out = relation_truth(n_found > 0);
    else if (op->op == CJ__SEG_HAS_ALL)
        *out = relation_truth(n_found == list->n_kids);
    else
        *out = relation_truth(n_found == 0);
out:
    return rc;
}

static int32_t relation_is(cj__program *p, const cj__op *op, cj__value *left,
                           cj__truth *out)
{
    const cj__truth truth = cj__truth_of(left);
    cj__text element;
    size_t at = 0;

    (void)p;
    switch (op->op) {
    case CJ__SEG_IS_MISSING:
    case CJ__SEG_IS_KNOWN:
        *out = relation_truth((left->type == CJ__TYPE_NONE) ==
                              (op->op == CJ__SEG_IS_MISSING));
        break;
    case CJ__SEG_IS_TRUE:
        *out = truth;
        break;
    case CJ__SEG_IS_FALSE:
        *out = relation_not(truth);
        break;
    default:
        if (left->type == CJ__TYPE_NONE)
            *out = CJ__UNKNOWN;
        else if (left->type == CJ__TYPE_LIST)
            *out = relation_truth(!cj__path_element(left->text, &at, &element));
        else
            *out = relation_truth(left->type == CJ__TYPE_TEXT && left->text.n == 0);
    }
    return CJ_OK;
}

/* ---- which one
 * ------------------------------------------------------------------------------- */

typedef int32_t (*relation_fn)(cj__program *p, const cj__op *op, cj__value *left,
                               cj__truth *out);

static relation_fn relation_of(int32_t op)
{
    if (op >= CJ__SEG_EQ && op <= CJ__SEG_GE)
        return relation_compare;
    if (op == CJ__SEG_BETWEEN)
        return relation_between;
    if (op == CJ__SEG_IN)
        return relation_in;
    if (op >= CJ__SEG_CONTAINS && op <= CJ__SEG_LIKE)
        return relation_text;
    if (op >= CJ__SEG_HAS_ANY && op <= CJ__SEG_HAS_NONE)
        return relation_has;
    if (op >= CJ__SEG_IS_MISSING && op <= CJ__SEG_IS_EMPTY)
        return relation_is;
    if (op >= CJ__SEG_BEFORE && op <= CJ__SEG_NEAR)
        return cj__relation_moment;
    return NULL;
}

int32_t cj__relation_with(cj__program *p, const cj__op *op, cj__value *left,
                          cj__truth *out)
{
    return relation_of(op->op)(p, op, left, out);
}

static int32_t relation_eval(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__truth truth;
    cj__value left;
    int32_t rc;

    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &left));
    CJ_TRY(relation_of(op->op)(p, op, &left, &truth));
    cj__value_truth(out, truth);
out:
    return rc;
}

/* The commonest, without the detour. */
static int32_t relation_eval_compare(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__truth truth;
    cj__value left;
    int32_t rc;

    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &left));
    CJ_TRY(relation_compare(p, op, &left, &truth));
    cj__value_truth(out, truth);
out:
    return rc;
}

cj__eval_fn cj__relation_eval(int32_t op)
{
    const relation_fn relation = relation_of(op);

    if (relation == relation_compare)
        return relation_eval_compare;
    return relation != NULL ? relation_eval : NULL;
}
