/* A tree as JSON: every part an object that says what it is, literals without a unit
 * as JSON has them.  What json_in.c reads from it is the same tree again. */
#include "segment/json.h"
#include "segment/word.h"

#include <string.h>

static void out_node(cj__str *s, const cj__seg_node *node);

static void out_text(cj__str *s, cj__text text)
{
    cj__str_put_json(s, text.data, text.n);
}

/* {"name": */
static void out_begin(cj__str *s, const char *name)
{
    cj__str_put_text(s, "{\"");
    cj__str_put_text(s, name);
    cj__str_put_text(s, "\":");
}

/* ,"name": */
static void out_more(cj__str *s, const char *name)
{
    cj__str_put_text(s, ",\"");
    cj__str_put_text(s, name);
    cj__str_put_text(s, "\":");
}

static void out_end(cj__str *s)
{
    cj__str_put_char(s, '}');
}

static void out_kids(cj__str *s, const cj__seg_node *node)
{
    cj__str_put_char(s, '[');
    for (uint32_t k = 0; k < node->n_kids; k++) {
        if (k > 0)
            cj__str_put_char(s, ',');
        out_node(s, node->kids[k]);
    }
    cj__str_put_char(s, ']');
}

static void out_one(cj__str *s, const char *name, const cj__seg_node *kid)
{
    out_begin(s, name);
    out_node(s, kid);
    out_end(s);
}

/* {"name": "text"} */
static void out_named(cj__str *s, const char *name, cj__text text)
{
    out_begin(s, name);
    out_text(s, text);
    out_end(s);
}

/* ---- literals and names
 * -------------------------------------------------------------------- */

static void out_money(cj__str *s, const cj__seg_node *node)
{
    out_begin(s, "money");
    cj__str_put_char(s, '"');
    cj__seg_put_money(s, node); /* digits and a currency: nothing to escape */
    cj__str_put_text(s, "\"}");
}

static void out_any_case(cj__str *s, const cj__seg_node *node)
{
    if (node->i == 0) {
        out_text(s, node->text);
        return;
    }
    out_begin(s, "text");
    out_text(s, node->text);
    cj__str_put_text(s, ",\"any_case\":true}");
}

static void out_percent(cj__str *s, const cj__seg_node *node)
{
    out_begin(s, "percent");
    cj__str_put(s, node->text.data, node->text.n);
    out_end(s);
}

/* A name is a text, a path the list of its parts. */
static void out_trait(cj__str *s, const cj__seg_node *node)
{
    const char *at = node->text.data, *end = at + node->text.n;

    out_begin(s, "trait");
    if (node->i != 0 || memchr(at, '.', node->text.n) == NULL) {
        out_text(s, node->text);
        out_end(s);
        return;
    }
    for (char before = '['; at < end; before = ',') {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const size_t n = (size_t)((dot != NULL ? dot : end) - at);

        cj__str_put_char(s, before);
        out_text(s, (cj__text){at, n});
        at += n + 1;
    }
    cj__str_put_text(s, "]}");
}

/* ---- arguments
 * -------------------------------------------------------------------------------- */

static void out_duration(cj__str *s, int64_t ms)
{
    char duration[CJ__DURATION];

    cj__seg_put_duration(ms, duration);
    out_text(s, cj__text_of(duration));
}

static void out_selector(cj__str *s, const cj__seg_node *node)
{
    const cj__text any = {"any", 3};
    const int special = cj__text_equal(node->text, any) ||
                        cj__text_equal(node->text, cj__text_of("orders")) ||
                        cj__text_equal(node->text, cj__text_of("refunds"));

    out_begin(s, "event");
    out_text(s, node->text.n == 0 ? any : node->text);
    if (node->i != 0 && special)
        cj__str_put_text(s, ",\"quoted\":true");
    if (node->n_kids > 0) {
        out_more(s, "where");
        out_node(s, node->kids[0]);
    }
    if (node->i2 > 0) {
        out_more(s, "within");
        out_duration(s, node->i2);
    }
    out_end(s);
}

static void out_pair(cj__str *s, const cj__seg_node *node, const char *first,
                     const char *second)
{
    out_begin(s, first);
    out_node(s, node->kids[0]);
    out_more(s, second);
    out_node(s, node->kids[1]);
    if (node->op == CJ__SEG_FOLLOW) {
        out_more(s, "within");
        out_duration(s, node->i);
    }
    out_end(s);
}

static void out_steps(cj__str *s, const cj__seg_node *node)
{
    out_begin(s, "steps");
    out_kids(s, node);
    if (node->text.n > 0) {
        out_more(s, "same");
        out_text(s, node->text);
    }
    out_end(s);
}

static void out_periods(cj__str *s, const cj__seg_node *node)
{
    out_begin(s, "at_least");
    cj__str_put_int64(s, node->i);
    out_more(s, "of_last");
    cj__str_put_int64(s, node->i2);
    out_more(s, "unit");
    out_text(s, node->text);
    out_end(s);
}

/* Where the key says what it is, the text alone. */
static void out_plain(cj__str *s, const cj__seg_node *node)
{
    out_text(s, node->text);
}

static void out_window(cj__str *s, const cj__seg_node *node)
{
    const char *words = cj__seg_window_words((int32_t)node->i);

    if (words != NULL) {
        out_text(s, cj__text_of(words));
        return;
    }
    switch (node->i) {
    case CJ__WIN_BETWEEN:
        out_begin(s, "between");
        cj__str_put_char(s, '[');
        out_plain(s, node->kids[0]);
        cj__str_put_char(s, ',');
        out_plain(s, node->kids[1]);
        cj__str_put_char(s, ']');
        break;
    case CJ__WIN_FROM:
        out_begin(s, "from");
        out_plain(s, node->kids[0]);
        out_more(s, "to");
        out_plain(s, node->kids[1]);
        break;
    case CJ__WIN_SINCE_LAST:
        out_begin(s, "since_last");
        out_node(s, node->kids[0]);
        break;
    default:
        out_begin(s, node->i == CJ__WIN_LAST    ? "last"
                     : node->i == CJ__WIN_SINCE ? "since"
                                                : "until");
        out_plain(s, node->kids[0]);
    }
    out_end(s);
}

static void out_argument(cj__str *s, char letter, const cj__seg_node *node)
{
    if (letter == 'b' && node->op == CJ__SEG_SELECTOR)
        out_one(s, "where", node->kids[0]);
    else
        out_node(s, node);
}

static void out_call(cj__str *s, const cj__seg_node *node)
{
    const cj__seg_function *row = &cj__seg_functions[node->i];
    const cj__seg_node *window = NULL;
    uint32_t n = node->n_kids;

    if (n > 0 && node->kids[n - 1]->op == CJ__SEG_WINDOW)
        window = node->kids[--n];
    out_begin(s, "call");
    out_text(s, cj__text_of(row->name));
    for (uint32_t k = 0; k < n; k++) {
        if (k == 0)
            out_more(s, "args");
        cj__str_put_char(s, k == 0 ? '[' : ',');
        out_argument(s, row->arguments[k], node->kids[k]);
    }
    if (n > 0)
        cj__str_put_char(s, ']');
    if (window != NULL) {
        out_more(s, "window");
        out_window(s, window);
    }
    out_end(s);
}

/* ---- conditions
 * -------------------------------------------------------------------------------- */

static void out_right(cj__str *s, const cj__seg_node *node, int32_t right)
{
    static const char *const place[] = {"km", "latitude", "longitude"};

    if (right == CJ__RIGHT_PLACE) {
        for (uint32_t k = 1; k <= 3; k++) {
            out_more(s, place[k - 1]);
            out_node(s, node->kids[k]);
        }
    } else if (right == CJ__RIGHT_TWO) {
        out_more(s, "low");
        out_node(s, node->kids[1]);
        out_more(s, "high");
        out_node(s, node->kids[2]);
    } else if (right != CJ__RIGHT_NONE) {
        out_more(s, right == CJ__RIGHT_LIST ? "list" : "right");
        out_node(s, node->kids[1]);
    }
}

/* Relations, and arithmetic of two sides. */
static void out_op(cj__str *s, const cj__seg_node *node)
{
    const cj__seg_relation *relation = cj__seg_relation_of(node->op);

    out_begin(s, "op");
    out_text(s,
             cj__text_of(relation != NULL ? relation->text : cj__seg_sign(node->op)));
    out_more(s, "left");
    out_node(s, node->kids[0]);
    out_right(s, node, relation != NULL ? relation->right : CJ__RIGHT_VALUE);
    out_end(s);
}

static void out_leaf(cj__str *s, const cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_NUMBER:
        cj__str_put(s, node->text.data, node->text.n);
        break;
    case CJ__SEG_PERCENT:
        out_percent(s, node);
        break;
    case CJ__SEG_MONEY:
        out_money(s, node);
        break;
    case CJ__SEG_DURATION:
        out_named(s, "duration", node->text);
        break;
    case CJ__SEG_DATE:
        out_named(s, "date", node->text);
        break;
    case CJ__SEG_TIME:
        out_named(s, "time", node->text);
        break;
    case CJ__SEG_TEXT:
        out_any_case(s, node);
        break;
    case CJ__SEG_TRUE:
    case CJ__SEG_FALSE:
        cj__str_put_text(s, node->op == CJ__SEG_TRUE ? "true" : "false");
        break;
    case CJ__SEG_TRAIT:
        out_trait(s, node);
        break;
    case CJ__SEG_FIELD:
        out_named(s, node->i == 1 ? "property" : "field", node->text);
        break;
    default: /* a bare word */
        out_text(s, node->text);
    }
}

static void out_node(cj__str *s, const cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_OR:
    case CJ__SEG_AND:
        out_begin(s, node->op == CJ__SEG_OR ? "or" : "and");
        out_kids(s, node);
        out_end(s);
        break;
    case CJ__SEG_NOT:
        out_one(s, "not", node->kids[0]);
        break;
    case CJ__SEG_NEGATE:
        out_one(s, "negate", node->kids[0]);
        break;
    case CJ__SEG_LIST:
        out_kids(s, node);
        break;
    case CJ__SEG_CALL:
        out_call(s, node);
        break;
    case CJ__SEG_SELECTOR:
        out_selector(s, node);
        break;
    case CJ__SEG_SHARE:
        out_pair(s, node, "part", "whole");
        break;
    case CJ__SEG_FOLLOW:
        out_pair(s, node, "first", "second");
        break;
    case CJ__SEG_STEPS:
        out_steps(s, node);
        break;
    case CJ__SEG_PERIODS:
        out_periods(s, node);
        break;
    default:
        if (cj__seg_relation_of(node->op) != NULL || cj__seg_sign(node->op) != NULL)
            out_op(s, node);
        else
            out_leaf(s, node);
    }
}

void cj__segment_put_json(cj__str *s, const cj__seg_node *node)
{
    out_node(s, node);
}
