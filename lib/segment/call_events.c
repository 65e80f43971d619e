/* Functions over the events of a selector in a window: how many, how much, first, last.
 */
#include "segment/program.h"

static int32_t events_count(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    cj__value_number(out, (double)(range.hi - range.lo));
out:
    return rc;
}

/* What sum, avg, min, max need of a field: all in one pass. */
typedef struct events_sum {
    int64_t n, minor;
    double d;
    cj__value least, most;
} events_sum;

static int32_t events_add(const cj__program *p, events_sum *sum, const cj__value *v)
{
    int order;

    if (v->type == CJ__TYPE_MONEY) {
        if (__builtin_add_overflow(sum->minor, v->i, &sum->minor))
            return cj__fail(CJ_ELIMIT, "the values of a profile sum up beyond int64");
    } else if (v->type == CJ__TYPE_NUMBER) {
        sum->d += v->d;
    } else {
        return CJ_OK;
    }
    if (sum->n == 0)
        sum->least = sum->most = *v;
    else if (cj__value_order(p, v, &sum->least, &order) && order < 0)
        sum->least = *v;
    else if (cj__value_order(p, v, &sum->most, &order) && order > 0)
        sum->most = *v;
    sum->n++;
    return CJ_OK;
}

static int32_t events_fold(cj__program *p, const cj__field *field, const cj__list *list,
                           cj__range range, events_sum *sum)
{
    cj__value v;
    int32_t rc = CJ_OK;

    *sum = (events_sum){0};
    for (uint32_t i = range.lo; i < range.hi; i++) {
        CJ_TRY(cj__field_value(p, field, list->rows[i], &v));
        CJ_TRY(events_add(p, sum, &v));
    }
out:
    return rc;
}

static int32_t events_sum_of(cj__program *p, const cj__op *op, const cj__list *list,
                             cj__range range, cj__value *out)
{
    events_sum sum;
    int64_t minor;
    int32_t rc;

    if (op->call->field.kind == CJ__FIELD_VALUE) {
        CJ_TRY(cj__call_sum_value(p, list, range, &minor));
        cj__value_typed(out, CJ__TYPE_MONEY, minor);
        return CJ_OK;
    }
    CJ_TRY(events_fold(p, &op->call->field, list, range, &sum));
    cj__value_number(out, sum.d);
out:
    return rc;
}

static int32_t events_average_of(cj__program *p, const cj__op *op, const cj__list *list,
                                 cj__range range, cj__value *out)
{
    events_sum sum;
    int32_t rc;

    CJ_TRY(events_fold(p, &op->call->field, list, range, &sum));
    if (sum.n == 0)
        cj__value_missing(out);
    else if (sum.least.type == CJ__TYPE_MONEY)
        cj__value_typed(out, CJ__TYPE_MONEY, cj__divide_half_even(sum.minor, sum.n));
    else
        cj__value_number(out, sum.d / (double)sum.n);
out:
    return rc;
}

static int32_t events_least_of(cj__program *p, const cj__op *op, const cj__list *list,
                               cj__range range, cj__value *out)
{
    events_sum sum;
    int32_t rc;

    CJ_TRY(events_fold(p, &op->call->field, list, range, &sum));
    *out = sum.least; /* zero: missing */
out:
    return rc;
}

static int32_t events_most_of(cj__program *p, const cj__op *op, const cj__list *list,
                              cj__range range, cj__value *out)
{
    events_sum sum;
    int32_t rc;

    CJ_TRY(events_fold(p, &op->call->field, list, range, &sum));
    *out = sum.most;
out:
    return rc;
}

static int32_t events_distinct_of(cj__program *p, const cj__op *op,
                                  const cj__list *list, cj__range range, cj__value *out)
{
    int64_t n;
    int32_t rc;

    CJ_TRY(cj__call_distinct(p, &op->call->field, list, range, &n));
    cj__value_number(out, (double)n);
out:
    return rc;
}

static int32_t events_first_value_of(cj__program *p, const cj__op *op,
                                     const cj__list *list, cj__range range,
                                     cj__value *out)
{
    int32_t rc = CJ_OK;

    cj__value_missing(out);
    for (uint32_t i = range.lo; i < range.hi && out->type == CJ__TYPE_NONE; i++)
        CJ_TRY(cj__field_value(p, &op->call->field, list->rows[i], out));
out:
    return rc;
}

static int32_t events_last_value_of(cj__program *p, const cj__op *op,
                                    const cj__list *list, cj__range range,
                                    cj__value *out)
{
    int32_t rc = CJ_OK;

    cj__value_missing(out);
    for (uint32_t i = range.hi; i > range.lo && out->type == CJ__TYPE_NONE; i--)
        CJ_TRY(cj__field_value(p, &op->call->field, list->rows[i - 1], out));
out:
    return rc;
}

static int32_t events_sum_call(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_sum_of, out);
}

static int32_t events_average(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_average_of, out);
}

static int32_t events_least(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_least_of, out);
}

static int32_t events_most(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_most_of, out);
}

static int32_t events_distinct(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_distinct_of, out);
}

static int32_t events_first_value(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_first_value_of, out);
}

static int32_t events_last_value(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, events_last_value_of, out);
}

static int32_t events_time(cj__program *p, const cj__op *op, int last, cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__call_range(p, op, 0, &list, &range));
    if (range.lo == range.hi)
        cj__value_missing(out);
    else
        cj__value_typed(out, CJ__TYPE_TIME,
                        p->time[list.rows[last ? range.hi - 1 : range.lo]]);
out:
    return rc;
}

static int32_t events_first(cj__program *p, const cj__op *op, cj__value *out)
{
    return events_time(p, op, 0, out);
}

static int32_t events_last(cj__program *p, const cj__op *op, cj__value *out)
{
    return events_time(p, op, 1, out);
}

const cj__call_row cj__calls_events[] = {
    {"count",       events_count,       NULL, 50,  0},
    {"sum",         events_sum_call,    NULL, 100, 0},
    {"avg",         events_average,     NULL, 120, 0},
    {"min",         events_least,       NULL, 120, 0},
    {"max",         events_most,        NULL, 120, 0},
    {"distinct",    events_distinct,    NULL, 200, 0},
    {"share",       cj__call_share,     NULL, 100, 0},
    {"first",       events_first,       NULL, 50,  0},
    {"last",        events_last,        NULL, 50,  0},
    {"first_value", events_first_value, NULL, 60,  0},
    {"last_value",  events_last_value,  NULL, 60,  0},
    {NULL,          NULL,               NULL, 0,   0},
};
