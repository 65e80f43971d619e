/* Values: what ops give, how two of them compare, how they are reckoned with.  Types
 * never mix: what does not compare is unknown, what cannot be reckoned is missing. */
#include "base/text.h"
#include "segment/program.h"

#include <math.h>
#include <string.h>

void cj__value_missing(cj__value *out)
{
    out->type = CJ__TYPE_NONE;
    out->ticks = 0;
}

void cj__value_typed(cj__value *out, int32_t type, int64_t i)
{
    out->type = type;
    out->ticks = 0;
    out->i = i;
}

void cj__value_truth(cj__value *out, cj__truth truth)
{
    cj__value_typed(out, truth == CJ__UNKNOWN ? CJ__TYPE_NONE : CJ__TYPE_BOOLEAN,
                    truth == CJ__TRUE);
}

cj__truth cj__truth_of(const cj__value *v)
{
    if (v->type != CJ__TYPE_BOOLEAN)
        return CJ__UNKNOWN;
    return v->i != 0 ? CJ__TRUE : CJ__FALSE;
}

void cj__value_number(cj__value *out, double d)
{
    cj__value_typed(out, CJ__TYPE_NUMBER, 0);
    out->d = d;
}

void cj__value_text(cj__value *out, cj__text text)
{
    cj__value_typed(out, CJ__TYPE_TEXT, 0);
    out->text = text;
}

static int64_t value_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

void cj__value_ticking(cj__value *out, const cj__program *p, int64_t base, int64_t unit)
{
    const int64_t n = value_floor(p->now - cj__span(base), unit);

    cj__value_number(out, (double)n);
    out->ticks = CJ__TICKS_PURE;
    out->i = n;
    out->base = cj__span(base);
    out->unit = unit;
    out->tick = out->base + (n + 1) * unit;
    out->slope = 1 / (double)unit;
    out->width = 1;
}

void cj__value_settle(cj__program *p, cj__value *v)
{
    if (v->ticks)
        cj__later(p, v->tick);
    v->ticks = CJ__TICKS_NOT;
}

/* ---- JSON -------------------------------------------------------------------------
 */

static int32_t value_json_text(cj__program *p, cj__text json, cj__value *out)
{
    char *to;

    if (json.n < 2) {
        cj__value_missing(out);
        return CJ_OK;
    }
    if (!cj__path_escaped(json)) {
        cj__value_text(out, (cj__text){json.data + 1, json.n - 2});
        return CJ_OK;
    }
    to = cj__arena_alloc(p->texts, json.n);
    if (to == NULL)
        return CJ_ENOMEM;
    cj__value_text(out, (cj__text){to, cj__path_unescape(json, to)});
    return CJ_OK;
}

int32_t cj__value_json(cj__program *p, cj__text json, cj__value *out)
{
    double d;

    cj__value_missing(out);
    if (json.data == NULL || json.n == 0)
        return CJ_OK;
    switch (json.data[0]) {
    case '"':
        return value_json_text(p, json, out);
    case '[':
        cj__value_typed(out, CJ__TYPE_LIST, 0);
        out->text = json;
        break;
    case '{':
        cj__value_typed(out, CJ__TYPE_DYNAMIC, 0);
        out->text = json;
        break;
    case 't':
    case 'f':
        cj__value_truth(out, json.data[0] == 't' ? CJ__TRUE : CJ__FALSE);
        break;
    default: /* a number, or null */
        if (cj__number_read(json.data, json.n, &d) == 0)
            cj__value_number(out, d);
    }
    return CJ_OK;
}

/* ---- comparing --------------------------------------------------------------------
 */

/* "2025-03-01...": a text that is only digits is a number of something, not a time. */
int cj__value_time(const cj__program *p, const cj__value *v, int64_t *ms_out)
{
    if (v->type == CJ__TYPE_TIME) {
        *ms_out = v->i;
        return 1;
    }
    return v->type == CJ__TYPE_TEXT && v->text.n >= 10 && v->text.data[4] == '-' &&
           cj__time_parse(v->text.data, v->text.n, p->env.zone, ms_out) == 0;
}

static int value_integers(int64_t a, int64_t b, int *order_out)
{
    *order_out = a < b ? -1 : a > b;
    return 1;
}

int cj__value_order(const cj__program *p, const cj__value *a, const cj__value *b,
                    int *order_out)
{
    int64_t x, y;

    if ((a->type == CJ__TYPE_TIME || b->type == CJ__TYPE_TIME) &&
        cj__value_time(p, a, &x) && cj__value_time(p, b, &y))
        return value_integers(x, y, order_out);
    if (a->type != b->type)
        return 0;
    switch (a->type) {
    case CJ__TYPE_NUMBER:
        if (isnan(a->d) || isnan(b->d))
            return 0;
        *order_out = a->d < b->d ? -1 : a->d > b->d;
        return 1;
    case CJ__TYPE_BOOLEAN:
    case CJ__TYPE_MONEY:
    case CJ__TYPE_DURATION:
        return value_integers(a->i, b->i, order_out);
    case CJ__TYPE_TEXT:
        *order_out = cj__text_order(a->text, b->text, (a->i | b->i) != 0);
        return 1;
    default: /* missing, lists, objects */
        return 0;
    }
}

cj__truth cj__value_equal(const cj__program *p, const cj__value *a, const cj__value *b)
{
    int order;

    if (!cj__value_order(p, a, b, &order))
        return CJ__UNKNOWN;
    return order == 0 ? CJ__TRUE : CJ__FALSE;
}

/* ---- arithmetic ---------------------------------------------------------------------
 */

static void value_finite(double d, cj__value *out)
{
    if (isfinite(d))
        cj__value_number(out, d);
}

/* Minor units from a double, rounded half to even (the processor's mode). */
static void value_rounded(double d, cj__value *out)
{
    d = nearbyint(d);
    if (d > -9.2e18 && d < 9.2e18)
        cj__value_typed(out, CJ__TYPE_MONEY, (int64_t)d);
}

static double value_real(const cj__value *v)
{
    return v->type == CJ__TYPE_NUMBER ? v->d : (double)v->i;
}

static void value_add(const cj__value *a, const cj__value *b, int sign, cj__value *out)
{
    int64_t sum;

    if (a->type == CJ__TYPE_NUMBER && b->type == CJ__TYPE_NUMBER) {
        value_finite(sign > 0 ? a->d + b->d : a->d - b->d, out);
        return;
    }
    if (sign > 0 ? __builtin_add_overflow(a->i, b->i, &sum)
                 : __builtin_sub_overflow(a->i, b->i, &sum))
        return;
    if (a->type == CJ__TYPE_MONEY && b->type == CJ__TYPE_MONEY)
        cj__value_typed(out, CJ__TYPE_MONEY, sum);
    else if (a->type == CJ__TYPE_TIME && b->type == CJ__TYPE_TIME && sign < 0)
        cj__value_number(out, (double)sum / (double)CJ__MS_PER_DAY);
}

static void value_multiply(const cj__value *a, const cj__value *b, cj__value *out)
{
    const int n_money = (a->type == CJ__TYPE_MONEY) + (b->type == CJ__TYPE_MONEY);
    const int n_number = (a->type == CJ__TYPE_NUMBER) + (b->type == CJ__TYPE_NUMBER);

    if (n_number == 2)
        value_finite(a->d * b->d, out);
    else if (n_money == 1 && n_number == 1)
        value_rounded(value_real(a) * value_real(b), out);
}

static void value_divide(const cj__value *a, const cj__value *b, cj__value *out)
{
    const double by = value_real(b);

    if ((b->type != CJ__TYPE_NUMBER && b->type != CJ__TYPE_MONEY) ||
        !(by < 0 || by > 0))
        return;
    if (a->type == b->type)
        value_finite(value_real(a) / by, out);
    else if (a->type == CJ__TYPE_MONEY && b->type == CJ__TYPE_NUMBER)
        value_rounded((double)a->i / by, out);
}

static void value_negate(const cj__value *a, cj__value *out)
{
    if (a->type == CJ__TYPE_NUMBER)
        cj__value_number(out, -a->d);
    else if (a->type == CJ__TYPE_MONEY && a->i != INT64_MIN)
        cj__value_typed(out, CJ__TYPE_MONEY, -a->i);
}

static void value_line_sum(const cj__value *a, const cj__value *b, int sign,
                           cj__value *out)
{
    const double slope_a = a->ticks ? a->slope : 0, slope_b = b->ticks ? b->slope : 0;

    out->ticks = CJ__TICKS_LINEAR;
    out->slope = sign > 0 ? slope_a + slope_b : slope_a - slope_b;
    out->width = (a->ticks ? a->width : 0) + (b->ticks ? b->width : 0);
    out->tick = !b->ticks || (a->ticks && a->tick < b->tick) ? a->tick : b->tick;
}

static void value_line_times(const cj__value *a, double factor, cj__value *out)
{
    out->ticks = CJ__TICKS_LINEAR;
    out->slope = a->slope * factor;
    out->width = a->width * fabs(factor);
    out->tick = a->tick;
}

/* Carry on what ticks through numbers; anything else settles it. */
static void value_line(cj__program *p, int32_t op, cj__value *a, cj__value *b,
                       cj__value *out)
{
    const int numbers = out->type == CJ__TYPE_NUMBER && a->type == CJ__TYPE_NUMBER &&
                        (op == CJ__SEG_NEGATE || b->type == CJ__TYPE_NUMBER);

    if (numbers && (op == CJ__SEG_ADD || op == CJ__SEG_SUBTRACT)) {
        value_line_sum(a, b, op == CJ__SEG_ADD ? 1 : -1, out);
    } else if (numbers && op == CJ__SEG_NEGATE) {
        value_line_times(a, -1, out);
    } else if (numbers && op == CJ__SEG_MULTIPLY && a->ticks != b->ticks &&
               (!a->ticks || !b->ticks)) {
        value_line_times(a->ticks ? a : b, a->ticks ? b->d : a->d, out);
    } else if (numbers && op == CJ__SEG_DIVIDE && !b->ticks) {
        value_line_times(a, 1 / b->d, out);
    } else {
        cj__value_settle(p, a);
        cj__value_settle(p, b);
    }
}

/* Typed values set i and d only where they have one: the others are not read. */
int32_t cj__eval_arithmetic(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value a = {0}, b = {0};
    int32_t rc;

    cj__value_missing(out);
    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &a));
    if (op->n_kids > 1)
        CJ_TRY(op->kids[1]->eval(p, op->kids[1], &b));
    switch (op->op) {
    case CJ__SEG_ADD:
        value_add(&a, &b, 1, out);
        break;
    case CJ__SEG_SUBTRACT:
        value_add(&a, &b, -1, out);
        break;
    case CJ__SEG_MULTIPLY:
        value_multiply(&a, &b, out);
        break;
    case CJ__SEG_DIVIDE:
        value_divide(&a, &b, out);
        break;
    default:
        value_negate(&a, out);
    }
    /* beside what is missing nothing that ticks is seen */
    if ((a.ticks | b.ticks) != 0 && a.type != CJ__TYPE_NONE &&
        (op->n_kids == 1 || b.type != CJ__TYPE_NONE))
        value_line(p, op->op, &a, &b, out);
out:
    return rc;
}
