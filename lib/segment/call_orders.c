/* Functions over orders, refunds and their items.  An order counts when its value is
 * positive; what a refund takes back is negative. */
#include "segment/program.h"

static int32_t orders_select(cj__program *p, cj__op *op, const char *word)
{
    uint32_t slot;
    int32_t rc;

    CJ_TRY(cj__selector_word(p, word, &slot));
    CJ_TRY(cj__call_selector(p, op, slot));
out:
    return rc;
}

static int32_t orders_prepare(cj__program *p, cj__op *op)
{
    p->columns |= CJ__COL_VALUE;
    return orders_select(p, op, "orders");
}

static int32_t orders_prepare_items(cj__program *p, cj__op *op)
{
    p->columns |= CJ__COL_QUANTITY;
    return orders_select(p, op, "order_item");
}

static int32_t orders_prepare_net(cj__program *p, cj__op *op)
{
    static const char *const names[] = {"order", "refund", NULL};
    uint32_t slot;
    int32_t rc;

    p->columns |= CJ__COL_VALUE;
    CJ_TRY(cj__selector_names(p, names, &slot));
    p->selectors[slot].valued = 1;
    CJ_TRY(cj__call_selector(p, op, slot));
out:
    return rc;
}

static int32_t orders_prepare_both(cj__program *p, cj__op *op)
{
    int32_t rc;

    CJ_TRY(orders_prepare(p, op));
    CJ_TRY(orders_select(p, op, "refunds"));
out:
    return rc;
}

static int32_t orders_count(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    cj__value_number(out, (double)(range.hi - range.lo));
out:
    return rc;
}

static int32_t orders_items_of(cj__program *p, const cj__op *op, const cj__list *list,
                               cj__range range, cj__value *out)
{
    const int64_t *quantity = range.lo < range.hi ? cj__columns_of(p)->quantity : NULL;
    double sum = 0;

    (void)op;
    for (uint32_t i = range.lo; i < range.hi; i++)
        sum += (double)quantity[cj__row_at(p, list->rows[i])];
    cj__value_number(out, sum);
    return CJ_OK;
}

static int32_t orders_items(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, orders_items_of, out);
}

static int32_t orders_sum_of(cj__program *p, const cj__op *op, const cj__list *list,
                             cj__range range, cj__value *out)
{
    int64_t sum;
    int32_t rc;

    (void)op;
    CJ_TRY(cj__call_sum_value(p, list, range, &sum));
    cj__value_typed(out, CJ__TYPE_MONEY, sum);
out:
    return rc;
}

static int32_t orders_sum(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, orders_sum_of, out);
}

static int32_t orders_average_of(cj__program *p, const cj__op *op, const cj__list *list,
                                 cj__range range, cj__value *out)
{
    int32_t rc;

    CJ_TRY(orders_sum_of(p, op, list, range, out));
    if (range.lo == range.hi)
        cj__value_missing(out);
    else
        out->i = cj__divide_half_even(out->i, range.hi - range.lo);
out:
    return rc;
}

static int32_t orders_average(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, orders_average_of, out);
}

static int32_t orders_largest_of(cj__program *p, const cj__op *op, const cj__list *list,
                                 cj__range range, cj__value *out)
{
    const int64_t *value = range.lo < range.hi ? cj__columns_of(p)->value_minor : NULL;
    int64_t largest = 0; /* those listed are positive */

    (void)op;
    for (uint32_t i = range.lo; i < range.hi; i++) {
        const int64_t v = value[cj__row_at(p, list->rows[i])];

        largest = v > largest ? v : largest;
    }
    if (range.lo == range.hi)
        cj__value_missing(out);
    else
        cj__value_typed(out, CJ__TYPE_MONEY, largest);
    return CJ_OK;
}

static int32_t orders_largest(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, orders_largest_of, out);
}

static int32_t orders_refund_share(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value gross;
    cj__range range;
    cj__list list;
    int64_t refunds;
    int32_t rc;

    CJ_TRY(cj__call_kept(p, op, orders_sum_of, &gross));
    CJ_TRY(cj__call_range(p, op, 1, &list, &range));
    CJ_TRY(cj__program_work(p, range.hi - range.lo));
    CJ_TRY(cj__call_sum_value(p, &list, range, &refunds));
    if (gross.i == 0)
        cj__value_missing(out);
    else
        cj__value_number(out, (double)-refunds / (double)gross.i);
out:
    return rc;
}

/* ---- products
 * ------------------------------------------------------------------------------ */

static int32_t orders_of_product(cj__program *p, cj__op *op, cj__seg_node *product)
{
    const int32_t relation = product->op == CJ__SEG_LIST ? CJ__SEG_IN : CJ__SEG_EQ;
    uint32_t slot;
    int32_t rc;

    CJ_TRY(cj__selector_where(p, "order_item", "product", relation, product, &slot));
    CJ_TRY(cj__call_selector(p, op, slot));
out:
    return rc;
}

/* The filter form is a selector of order_item in the tree already. */
static int32_t orders_prepare_bought(cj__program *p, cj__op *op)
{
    cj__seg_node *first = op->node->kids[0];

    return op->call->n_selectors > 0 ? CJ_OK : orders_of_product(p, op, first);
}

static int32_t orders_prepare_together(cj__program *p, cj__op *op)
{
    int32_t rc;

    p->columns |= CJ__COL_ORDER;
    CJ_TRY(orders_of_product(p, op, op->node->kids[0]));
    CJ_TRY(orders_of_product(p, op, op->node->kids[1]));
out:
    return rc;
}

static int32_t orders_bought(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    cj__value_truth(out, range.lo < range.hi ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

static int32_t orders_bought_together(cj__program *p, const cj__op *op, cj__value *out)
{
    const uint64_t *order;
    cj__range first, second;
    cj__list a, b;
    int found = 0;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &a, &first));
    CJ_TRY(cj__call_range(p, op, 1, &b, &second));
    cj__value_truth(out, CJ__FALSE);
    if (first.lo == first.hi || second.lo == second.hi)
        return CJ_OK;
    CJ_TRY(cj__program_work(p, (int64_t)first.hi - first.lo + second.hi - second.lo));
    CJ_TRY(cj__keys_begin(p, (size_t)(first.hi - first.lo) + second.hi - second.lo));
    order = cj__columns_of(p)->order + p->facts->first;
    for (uint32_t i = first.lo; i < first.hi; i++) {
        if (order[a.rows[i]] != 0)
            *cj__keys_at(p, order[a.rows[i]]) = 1;
    }
    for (uint32_t i = second.lo; i < second.hi && !found; i++)
        found = order[b.rows[i]] != 0 && *cj__keys_at(p, order[b.rows[i]]) == 1;
    cj__value_truth(out, found ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

const cj__call_row cj__calls_orders[] = {
    {"orders",          orders_count,           orders_prepare,          50,  0},
    {"items",           orders_items,           orders_prepare_items,    90,  0},
    {"revenue",         orders_sum,             orders_prepare_net,      90,  0},
    {"gross",           orders_sum,             orders_prepare,          90,  0},
    {"average_order",   orders_average,         orders_prepare,          90,  0},
    {"largest_order",   orders_largest,         orders_prepare,          90,  0},
    {"refund_share",    orders_refund_share,    orders_prepare_both,     120, 0},
    {"bought",          orders_bought,          orders_prepare_bought,   60,  1},
    {"bought_together", orders_bought_together, orders_prepare_together, 150, 1},
    {NULL,              NULL,                   NULL,                    0,   0},
};
