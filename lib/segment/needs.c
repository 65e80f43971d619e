/* What a program must be shown: which events, since when, which of their columns.  A
 * scan that is told reads less; what it leaves out makes no difference to any answer at
 * the moment asked for, nor to how long it holds. */
#include "segment/program.h"

#include <string.h>

/* Where a window begins, at p->now or any later moment; INT64_MIN: nowhere. */
static int64_t needs_window(cj__program *p, const cj__window *w)
{
    static const int32_t units[] = {
        [CJ__WIN_TODAY] = CJ__UNIT_DAY,
        [CJ__WIN_YESTERDAY] = CJ__UNIT_DAY,
        [CJ__WIN_THIS_WEEK] = CJ__UNIT_WEEK,
        [CJ__WIN_PREVIOUS_WEEK] = CJ__UNIT_WEEK,
        [CJ__WIN_THIS_MONTH] = CJ__UNIT_MONTH,
        [CJ__WIN_PREVIOUS_MONTH] = CJ__UNIT_MONTH,
        [CJ__WIN_THIS_YEAR] = CJ__UNIT_YEAR,
        [CJ__WIN_PREVIOUS_YEAR] = CJ__UNIT_YEAR,
    };

    switch (w->kind) {
    case CJ__WIN_LAST:
    case CJ__WIN_BETWEEN:
        return p->now - (w->kind == CJ__WIN_BETWEEN && w->b > w->a ? w->b : w->a);
    case CJ__WIN_SINCE:
    case CJ__WIN_FROM:
        return w->a;
    case CJ__WIN_TODAY:
    case CJ__WIN_THIS_WEEK:
    case CJ__WIN_THIS_MONTH:
    case CJ__WIN_THIS_YEAR:
        return cj__period_of(p, units[w->kind], p->now).start;
    case CJ__WIN_YESTERDAY:
    case CJ__WIN_PREVIOUS_WEEK:
    case CJ__WIN_PREVIOUS_MONTH:
    case CJ__WIN_PREVIOUS_YEAR:
        return cj__period_of(p, units[w->kind], p->now).before;
    default: /* ever, until, since last */
        return INT64_MIN;
    }
}

/* The earliest event that a call looks at: first_time asks for the first one ever. */
static int64_t needs_call(cj__program *p, const cj__op *op)
{
    if (op->call->n_selectors == 0)
        return INT64_MAX;
    if (strcmp(cj__seg_functions[op->node->i].name, "first_time") == 0)
        return INT64_MIN;
    return needs_window(p, &op->call->window);
}

static void needs_name(cj__needs *needs, uint32_t name)
{
    if (name == 0)
        return; /* no event ever had it */
    for (size_t i = 0; i < needs->n_names; i++) {
        if (needs->names[i] == name)
            return;
    }
    if (needs->n_names == CJ__NEEDS_NAMES)
        needs->any_name = 1;
    else
        needs->names[needs->n_names++] = name;
}

/* The part of a filter that says which products it must be; NULL: none does. */
static const cj__op *needs_product_filter(const cj__op *filter)
{
    if (filter == NULL)
        return NULL;
    if ((filter->op == CJ__SEG_EQ || filter->op == CJ__SEG_IN) &&
        filter->field.kind == CJ__FIELD_PRODUCT && filter->n_ids > 0)
        return filter;
    for (uint32_t i = 0; filter->op == CJ__SEG_AND && i < filter->n_kids; i++) {
        const cj__op *found = needs_product_filter(filter->kids[i]);

        if (found != NULL)
            return found;
    }
    return NULL;
}

static void needs_product(cj__needs *needs, const cj__selector *s)
{
    const cj__op *filter = needs_product_filter(s->filter);

    for (uint32_t i = 0; filter != NULL && i < filter->n_ids; i++) {
        if (needs->n_products == CJ__NEEDS_PRODUCTS)
            needs->any_product = 1;
        else if (filter->ids[i] != 0) /* 0: no event ever had it */
            needs->products[needs->n_products++] = filter->ids[i];
    }
    needs->any_product |= filter == NULL;
}

static void needs_selector(cj__needs *needs, const cj__selector *s)
{
    needs_product(needs, s);
    needs->valued &= s->pick == CJ__PICK_ORDERS || s->valued;
    if (s->pick != CJ__PICK_NAMES)
        needs_name(needs, CJ__NAME_ORDER);
    if (s->pick == CJ__PICK_REFUNDS)
        needs_name(needs, CJ__NAME_REFUND);
    if (s->pick != CJ__PICK_NAMES)
        return;
    needs->any_name |= s->n_names == 0;
    for (uint32_t i = 0; i < s->n_names; i++)
        needs_name(needs, s->names[i]);
}

void cj__needs_begin(cj__needs *needs)
{
    *needs = (cj__needs){.valued = 1, .from_ms = INT64_MAX, .idle = 1};
}

void cj__program_needs(cj__program *p, int64_t now_ms, cj__needs *needs)
{
    p->now = now_ms;
    needs->columns |= p->columns;
    for (size_t i = 0; i < p->n_selectors; i++)
        needs_selector(needs, &p->selectors[i]);
    for (size_t i = 0; i < p->n_ops; i++) {
        int64_t from = INT64_MAX;

        if (p->ops[i]->call != NULL)
            from = needs_call(p, p->ops[i]);
        if (from < needs->from_ms)
            needs->from_ms = from;
    }
    if ((needs->columns & ~(uint32_t)CJ__COL_PROJECTION) != 0)
        needs->valued = 0;
}
