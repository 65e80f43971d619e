/* Why: the truth or the value of one part, as a person would write it.  Runs the whole
 * first, so that what is explained is what was answered. */
#include "segment/program.h"

#include <string.h>

/* Parts of filters are about one event: they have no value here. */
static const cj__op *explain_op(const cj__program *p, const cj__seg_node *node)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        if (p->ops[i]->node == node)
            return p->ops[i];
    }
    return NULL;
}

static int explain_of_event(const cj__op *op)
{
    if (op->op == CJ__SEG_FIELD)
        return 1;
    for (uint32_t k = 0; k < op->n_kids; k++) {
        if (explain_of_event(op->kids[k]))
            return 1;
    }
    return 0;
}

static void explain_time(int64_t ms, cj__str *s)
{
    char text[25];

    cj__time_format(ms, text);
    cj__str_put_text(s, text);
}

static void explain_value(const cj__program *p, const cj__value *v, cj__str *s)
{
    switch (v->type) {
    case CJ__TYPE_BOOLEAN:
        cj__str_put_text(s, v->i != 0 ? "true" : "false");
        break;
    case CJ__TYPE_NUMBER:
        cj__str_put_double(s, v->d);
        break;
    case CJ__TYPE_MONEY:
        cj__decimal_put(s, v->i, p->env.currency_exponent);
        break;
    case CJ__TYPE_TIME:
        explain_time(v->i, s);
        break;
    case CJ__TYPE_DURATION:
        cj__str_put_double(s, (double)v->i / (double)CJ__MS_PER_DAY);
        cj__str_put_text(s, " days");
        break;
    case CJ__TYPE_TEXT:
        cj__str_put_json(s, v->text.data, v->text.n);
        break;
    case CJ__TYPE_LIST:
    case CJ__TYPE_DYNAMIC:
        cj__str_put(s, v->text.data, v->text.n);
        break;
    default:
        cj__str_put_text(s, "missing");
    }
}

/* How many events a selector selects up to now. */
static int32_t explain_selector(cj__program *p, const cj__seg_node *node, cj__str *s)
{
    cj__list list;
    uint32_t slot;
    int32_t rc = CJ_OK;

    if (!cj__selector_find(p, node, &slot))
        return CJ_OK;
    CJ_TRY(cj__list_of(p, slot, &list));
    cj__str_put_int64(s, cj__list_seen(p, &list));
    rc = cj__str_status(s);
out:
    return rc;
}

int32_t cj__program_explain(cj__program *p, const cj__seg_node *node,
                            const cj__facts *facts, int64_t now_ms,
                            cj__truth *truth_out, cj__str *value_out)
{
    const cj__op *op = explain_op(p, node);
    cj__value v;
    int32_t rc;

    *truth_out = CJ__UNKNOWN;
    p->thorough = p->coarse = 0;
    CJ_TRY(cj__program_load(p, facts));
    CJ_TRY(cj__program_at(p, now_ms, truth_out));
    *truth_out = CJ__UNKNOWN;
    if (node->op == CJ__SEG_SELECTOR)
        return explain_selector(p, node, value_out);
    if (op == NULL || explain_of_event(op))
        return CJ_OK;
    CJ_TRY(op->eval(p, op, &v));
    *truth_out = cj__truth_of(&v);
    if (v.type == CJ__TYPE_NONE && op->op <= CJ__SEG_NEAR)
        cj__str_put_text(value_out, "unknown");
    else
        explain_value(p, &v, value_out);
    rc = cj__str_status(value_out);
out:
    return rc;
}
