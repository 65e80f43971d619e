/* A tree as canonical text: one spelling per tree, brackets only where they are needed.
 * What the parser reads from it is the same tree again. */
#include "base/text.h"
#include "segment/build.h"
#include "segment/word.h"

#include <string.h>

/* How tightly a node holds its parts together; a looser one within needs brackets. */
enum {
    PUT_OR = 1,
    PUT_AND,
    PUT_NOT,
    PUT_RELATION,
    PUT_SUM,
    PUT_PRODUCT,
    PUT_UNARY,
    PUT_VALUE
};

static void put_node(cj__str *s, const cj__seg_node *node, int tight);

static int put_tightness(const cj__seg_node *node)
{
    const cj__seg_relation *relation = cj__seg_relation_of(node->op);

    switch (node->op) {
    case CJ__SEG_OR:
        return PUT_OR;
    case CJ__SEG_AND:
        return PUT_AND;
    case CJ__SEG_NOT:
        return PUT_NOT;
    case CJ__SEG_ADD:
    case CJ__SEG_SUBTRACT:
        return PUT_SUM;
    case CJ__SEG_MULTIPLY:
    case CJ__SEG_DIVIDE:
        return PUT_PRODUCT;
    case CJ__SEG_NEGATE:
        return PUT_UNARY;
    default:
        return relation != NULL ? PUT_RELATION : PUT_VALUE;
    }
}

static void put_text(cj__str *s, cj__text text)
{
    cj__str_put(s, text.data, text.n);
}

/* ---- literals
 * ------------------------------------------------------------------------------ */

static void put_escaped(cj__str *s, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    cj__str_put_char(s, '\\');
    if (c == '"' || c == '\\') {
        cj__str_put_char(s, (char)c);
    } else if (c == '\n' || c == '\t') {
        cj__str_put_char(s, c == '\n' ? 'n' : 't');
    } else {
        cj__str_put_text(s, "u00");
        cj__str_put_char(s, hex[c >> 4]);
        cj__str_put_char(s, hex[c & 15]);
    }
}

static void put_quoted(cj__str *s, cj__text text)
{
    cj__str_put_char(s, '"');
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 || c == 0x7F || c == '"' || c == '\\')
            put_escaped(s, c);
        else
            cj__str_put_char(s, (char)c);
    }
    cj__str_put_char(s, '"');
}

/* "200 EUR", "19.90 EUR": a whole amount without its zeros. */
void cj__seg_put_money(cj__str *s, const cj__seg_node *node)
{
    const int exponent = cj__currency_exponent(node->text.data, node->text.n);
    int64_t one = 1;

    for (int i = 0; i < exponent; i++)
        one *= 10;
    if (node->i % one == 0)
        cj__str_put_int64(s, node->i / one);
    else
        cj__decimal_put(s, node->i, exponent);
    cj__str_put_char(s, ' ');
    put_text(s, node->text);
}

static void put_list(cj__str *s, const cj__seg_node *list)
{
    for (uint32_t k = 0; k < list->n_kids; k++) {
        cj__str_put_text(s, k == 0 ? "(" : ", ");
        put_node(s, list->kids[k], PUT_VALUE);
    }
    cj__str_put_char(s, ')');
}

static void put_trait(cj__str *s, const cj__seg_node *trait)
{
    if (trait->i == 0) {
        put_text(s, trait->text);
        return;
    }
    cj__str_put_text(s, "trait(");
    put_quoted(s, trait->text);
    cj__str_put_char(s, ')');
}

/* ---- arguments
 * ------------------------------------------------------------------------------ */

static void put_within(cj__str *s, int64_t ms)
{
    char duration[CJ__DURATION];

    cj__seg_put_duration(ms, duration);
    cj__str_put_text(s, " within ");
    cj__str_put_text(s, duration);
}

static void put_selector(cj__str *s, const cj__seg_node *selector)
{
    if (selector->text.n == 0)
        cj__str_put_text(s, "any");
    else if (selector->i != 0)
        put_quoted(s, selector->text);
    else
        put_text(s, selector->text);
    if (selector->n_kids > 0) {
        cj__str_put_text(s, " where ");
        put_node(s, selector->kids[0], PUT_OR);
    }
}

static void put_field(cj__str *s, const cj__seg_node *field)
{
    if (field->i == 1)
        cj__str_put_text(s, "properties.");
    put_text(s, field->text);
}

static void put_steps(cj__str *s, const cj__seg_node *steps)
{
    for (uint32_t k = 0; k < steps->n_kids; k++) {
        if (k > 0)
            cj__str_put_text(s, " -> ");
        put_selector(s, steps->kids[k]);
        if (steps->kids[k]->i2 > 0)
            put_within(s, steps->kids[k]->i2);
    }
    if (steps->text.n > 0) {
        cj__str_put_text(s, ", same ");
        put_text(s, steps->text);
    }
}

static void put_pair(cj__str *s, const cj__seg_node *pair, const char *between)
{
    put_selector(s, pair->kids[0]);
    cj__str_put_text(s, between);
    put_selector(s, pair->kids[1]);
    if (pair->op == CJ__SEG_FOLLOW)
        put_within(s, pair->i);
}

static void put_periods(cj__str *s, const cj__seg_node *periods)
{
    cj__str_put_int64(s, periods->i);
    cj__str_put_text(s, " of last ");
    cj__str_put_int64(s, periods->i2);
    cj__str_put_char(s, ' ');
    put_text(s, periods->text);
}

static void put_window(cj__str *s, const cj__seg_node *window)
{
    static const struct {
        int32_t window;
        const char *before, *between, *after;
    } forms[] = {
        {CJ__WIN_LAST,       "last ",       "",      ""    },
        {CJ__WIN_BETWEEN,    "between ",    " and ", " ago"},
        {CJ__WIN_SINCE,      "since ",      "",      ""    },
        {CJ__WIN_SINCE_LAST, "since last ", "",      ""    },
        {CJ__WIN_UNTIL,      "until ",      "",      ""    },
        {CJ__WIN_FROM,       "from ",       " to ",  ""    },
    };
    const char *words = cj__seg_window_words((int32_t)window->i);

    if (words != NULL)
        cj__str_put_text(s, words);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].window != window->i)
            continue;
        cj__str_put_text(s, forms[i].before);
        put_node(s, window->kids[0], PUT_VALUE);
        if (window->n_kids > 1) {
            cj__str_put_text(s, forms[i].between);
            put_node(s, window->kids[1], PUT_VALUE);
        }
        cj__str_put_text(s, forms[i].after);
    }
}

/* Of bought(where ...) the selector is its filter: the event goes without saying. */
static void put_argument(cj__str *s, char letter, const cj__seg_node *node)
{
    if (letter == 'b' && node->op == CJ__SEG_SELECTOR) {
        cj__str_put_text(s, "where ");
        put_node(s, node->kids[0], PUT_OR);
    } else {
        put_node(s, node, PUT_OR);
    }
}

static void put_call(cj__str *s, const cj__seg_node *call)
{
    const cj__seg_function *row = &cj__seg_functions[call->i];
    const char *letter = row->arguments;

    cj__str_put_text(s, row->name);
    cj__str_put_char(s, '(');
    for (uint32_t k = 0; k < call->n_kids; k++) {
        if (k > 0)
            cj__str_put_text(s, ", ");
        put_argument(s, *letter, call->kids[k]);
        letter += *letter != '\0';
    }
    cj__str_put_char(s, ')');
}

/* ---- conditions
 * ------------------------------------------------------------------------------ */

static void put_chain(cj__str *s, const cj__seg_node *chain)
{
    const int tight = put_tightness(chain) + 1;

    for (uint32_t k = 0; k < chain->n_kids; k++) {
        if (k > 0)
            cj__str_put_text(s, chain->op == CJ__SEG_OR ? " or " : " and ");
        put_node(s, chain->kids[k], tight);
    }
}

static void put_right(cj__str *s, const cj__seg_node *node)
{
    for (uint32_t k = 1; k < node->n_kids; k++) {
        cj__str_put_text(s, k == 1 ? " " : " and ");
        put_node(s, node->kids[k], PUT_SUM);
    }
}

static void put_place(cj__str *s, const cj__seg_node *node)
{
    cj__str_put_text(s, " within ");
    put_text(s, node->kids[1]->text);
    cj__str_put_text(s, " km of (");
    put_text(s, node->kids[2]->text);
    cj__str_put_text(s, ", ");
    put_text(s, node->kids[3]->text);
    cj__str_put_char(s, ')');
}

static void put_relation(cj__str *s, const cj__seg_node *node, const char *words)
{
    put_node(s, node->kids[0], PUT_SUM);
    if (node->op == CJ__SEG_NEAR) {
        put_place(s, node);
    } else if (node->op == CJ__SEG_ANNIVERSARY_NEXT && node->kids[1]->i == 0) {
        cj__str_put_text(s, " anniversary in today");
    } else {
        cj__str_put_char(s, ' ');
        cj__str_put_text(s, words);
        put_right(s, node);
    }
}

static void put_not(cj__str *s, const cj__seg_node *node)
{
    const cj__seg_node *kid = node->kids[0];
    const cj__seg_relation *relation = cj__seg_relation_of(kid->op);

    if (relation != NULL && relation->negated != NULL) {
        put_relation(s, kid, relation->negated);
    } else {
        cj__str_put_text(s, "not ");
        put_node(s, kid, PUT_NOT);
    }
}

static void put_arithmetic(cj__str *s, const cj__seg_node *node)
{
    const int tight = put_tightness(node);

    put_node(s, node->kids[0], tight);
    cj__str_put_char(s, ' ');
    cj__str_put_text(s, cj__seg_sign(node->op));
    cj__str_put_char(s, ' ');
    put_node(s, node->kids[1], tight + 1);
}

/* Two minuses side by side would begin a comment. */
static void put_negate(cj__str *s, const cj__seg_node *node)
{
    cj__str_put_text(s, node->kids[0]->op == CJ__SEG_NEGATE ? "- " : "-");
    put_node(s, node->kids[0], PUT_UNARY);
}

static void put_leaf(cj__str *s, const cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_PERCENT:
        put_text(s, node->text);
        cj__str_put_text(s, " %");
        break;
    case CJ__SEG_MONEY:
        cj__seg_put_money(s, node);
        break;
    case CJ__SEG_TEXT:
        if (node->i != 0)
            cj__str_put_char(s, 'i');
        put_quoted(s, node->text);
        break;
    case CJ__SEG_TRUE:
    case CJ__SEG_FALSE:
        cj__str_put_text(s, node->op == CJ__SEG_TRUE ? "true" : "false");
        break;
    case CJ__SEG_TRAIT:
        put_trait(s, node);
        break;
    case CJ__SEG_FIELD:
        put_field(s, node);
        break;
    default:
        put_text(s, node->text);
    }
}

static void put_part(cj__str *s, const cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_OR:
    case CJ__SEG_AND:
        put_chain(s, node);
        break;
    case CJ__SEG_NOT:
        put_not(s, node);
        break;
    case CJ__SEG_NEGATE:
        put_negate(s, node);
        break;
    case CJ__SEG_LIST:
        put_list(s, node);
        break;
    case CJ__SEG_CALL:
        put_call(s, node);
        break;
    case CJ__SEG_SELECTOR:
        put_selector(s, node);
        break;
    case CJ__SEG_SHARE:
        put_pair(s, node, " of ");
        break;
    case CJ__SEG_FOLLOW:
        put_pair(s, node, " by ");
        break;
    case CJ__SEG_STEPS:
        put_steps(s, node);
        break;
    case CJ__SEG_PERIODS:
        put_periods(s, node);
        break;
    case CJ__SEG_WINDOW:
        put_window(s, node);
        break;
    default:
        if (cj__seg_relation_of(node->op) != NULL)
            put_relation(s, node, cj__seg_relation_of(node->op)->text);
        else if (cj__seg_sign(node->op) != NULL)
            put_arithmetic(s, node);
        else
            put_leaf(s, node);
    }
}

static void put_node(cj__str *s, const cj__seg_node *node, int tight)
{
    const int brackets = put_tightness(node) < tight;

    if (brackets)
        cj__str_put_char(s, '(');
    put_part(s, node);
    if (brackets)
        cj__str_put_char(s, ')');
}

void cj__segment_put(cj__str *s, const cj__seg_node *node)
{
    put_node(s, node, PUT_OR);
}
