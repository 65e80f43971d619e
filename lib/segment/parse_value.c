/* Values: sums and products, calls and traits, literals with their units.  A minus
 * before a literal belongs to it. */
#include "segment/parse.h"

#include "base/text.h"
#include "segment/word.h"

/* ---- literals
 * ------------------------------------------------------------------------ */

/* A word behind a number that is a currency, not one of the language (`5 AND`). */
static int value_is_currency(const cj__token *token)
{
    return token->kind == CJ__LEX_NAME && token->text.n == 3 &&
           !cj__seg_is_reserved(token->text) && cj__seg_unit_ms(token->text) == 0 &&
           cj__currency_exponent(token->text.data, 3) >= 0;
}

static int32_t value_money(cj__parser *p, const cj__token *number, cj__seg_node **out)
{
    const cj__token code = p->lex.token;
    int32_t rc;

    for (size_t i = 0; i < code.text.n; i++) {
        if (code.text.data[i] < 'A' || code.text.data[i] > 'Z')
            return cj__fail_at(code.begin, CJ_EINVAL,
                               "currencies are written in capitals: `200 EUR`");
    }
    CJ_TRY(cj__seg_money(p->make, number->begin, number->text, code.text, out));
    CJ_TRY(cj__parse_next(p));
out:
    return rc;
}

static int32_t value_unit(cj__parser *p, const cj__token *number, cj__seg_node **out)
{
    const int64_t unit_ms = cj__seg_unit_ms(p->lex.token.text);
    int32_t rc;

    CJ_TRY(cj__seg_duration(p->make, number->begin, number->text, unit_ms, out));
    CJ_TRY(cj__parse_next(p));
out:
    return rc;
}

static int32_t value_number(cj__parser *p, cj__seg_node **out)
{
    const cj__token number = p->lex.token;
    int32_t rc;

    CJ_TRY(cj__parse_next(p));
    if (cj__parse_is_sign(p, "%")) {
        CJ_TRY(cj__seg_percent(p->make, number.begin, number.text, out));
        CJ_TRY(cj__parse_next(p));
    } else if (value_is_currency(&p->lex.token)) {
        CJ_TRY(value_money(p, &number, out));
    } else if (p->lex.token.kind == CJ__LEX_NAME &&
               cj__seg_unit_ms(p->lex.token.text) > 0) {
        CJ_TRY(value_unit(p, &number, out));
    } else {
        CJ_TRY(cj__seg_number(p->make, number.begin, number.text, out));
    }
out:
    return rc;
}

/* A literal without a minus; *out NULL: there is none here. */
static int32_t value_literal(cj__parser *p, cj__seg_node **out)
{
    const cj__token token = p->lex.token;
    int32_t rc = CJ_OK;

    *out = NULL;
    if (token.kind == CJ__LEX_NUMBER) {
        CJ_TRY(value_number(p, out));
    } else if (token.kind == CJ__LEX_DATE || token.kind == CJ__LEX_TIME) {
        CJ_TRY(cj__seg_moment(p->make, token.begin, token.text, out));
        CJ_TRY(cj__parse_next(p));
    } else if (token.kind == CJ__LEX_TEXT) {
        CJ_TRY(cj__seg_text(p->make, token.begin, token.text, token.fold, out));
        CJ_TRY(cj__parse_next(p));
    } else if (cj__parse_is(p, "true") || cj__parse_is(p, "false")) {
        CJ_TRY(cj__seg_new(p->make,
                           cj__parse_is(p, "true") ? CJ__SEG_TRUE : CJ__SEG_FALSE,
                           token.begin, out));
        CJ_TRY(cj__parse_next(p));
    } else {
        return CJ_OK;
    }
    (*out)->end = p->end;
out:
    return rc;
}

static int32_t value_negative(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    int32_t rc;

    CJ_TRY(cj__parse_next(p));
    if (p->lex.token.kind != CJ__LEX_NUMBER)
        return cj__parse_expected(p, "a number");
    CJ_TRY(value_number(p, out));
    if ((*out)->op == CJ__SEG_DURATION)
        return cj__fail_at(begin, CJ_EINVAL, "a duration has no minus");
    CJ_TRY(cj__seg_negate(p->make, begin, *out, out));
    (*out)->end = p->end;
out:
    return rc;
}

int32_t cj__parse_literal(cj__parser *p, cj__seg_node **out)
{
    int32_t rc;

    if (cj__parse_is_sign(p, "-"))
        return value_negative(p, out);
    CJ_TRY(value_literal(p, out));
    if (*out == NULL)
        return cj__parse_expected(p, "a value such as 5, \"text\" or 2025-03-01");
out:
    return rc;
}

int32_t cj__parse_plain_number(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    const int negative = cj__parse_is_sign(p, "-");
    int32_t rc = CJ_OK;

    if (negative)
        CJ_TRY(cj__parse_next(p));
    if (p->lex.token.kind != CJ__LEX_NUMBER)
        return cj__parse_expected(p, "a number");
    CJ_TRY(cj__seg_number(p->make, begin, p->lex.token.text, out));
    CJ_TRY(cj__parse_next(p));
    if (negative)
        CJ_TRY(cj__seg_negate(p->make, begin, *out, out));
    (*out)->end = p->end;
out:
    return rc;
}

int32_t cj__parse_list(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    cj__seg_node *value;
    int32_t rc;

    if (!cj__parse_is_sign(p, "("))
        return cj__parse_expected(p, "a list such as (\"DE\", \"AT\")");
    CJ_TRY(cj__seg_new(p->make, CJ__SEG_LIST, begin, out));
    p->make->in_list = 1;
    do {
        CJ_TRY(cj__parse_next(p)); /* the bracket or comma */
        CJ_TRY(cj__parse_literal(p, &value));
        CJ_TRY(cj__seg_add(p->make, *out, value));
    } while (cj__parse_is_sign(p, ","));
    p->make->in_list = 0;
    if (!cj__parse_is_sign(p, ")"))
        return cj__parse_expected(p, "`,` or `)`");
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
out:
    return rc;
}

/* ---- names
 * ------------------------------------------------------------------------------- */

static int32_t value_touches(const cj__parser *p)
{
    if (p->lex.token.begin == p->end)
        return CJ_OK;
    return cj__fail_at(p->end, CJ_EINVAL, "a path has no blanks in it");
}

/* The slice from the first name to what is behind its last part. */
int32_t cj__parse_path(cj__parser *p, int brackets, cj__text *out)
{
    const cj__token first = p->lex.token;
    int32_t rc;

    CJ_TRY(cj__parse_next(p));
    while (cj__parse_is_sign(p, ".") || (brackets && cj__parse_is_sign(p, "["))) {
        const int is_dot = cj__parse_is_sign(p, ".");

        CJ_TRY(value_touches(p));
        CJ_TRY(cj__parse_next(p));
        CJ_TRY(value_touches(p));
        if (!is_dot)
            CJ_TRY(cj__parse_expect_sign(p, "]"));
        else if (p->lex.token.kind == CJ__LEX_NAME)
            CJ_TRY(cj__parse_next(p));
        else
            return cj__parse_expected(p, "a name behind the dot");
    }
    *out = (cj__text){first.text.data, p->end - first.begin};
out:
    return rc;
}

static int32_t value_trait(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    cj__text path;
    int32_t rc;

    CJ_TRY(cj__parse_path(p, 0, &path));
    CJ_TRY(cj__seg_trait(p->make, begin, path, 0, out));
    (*out)->end = p->end;
out:
    return rc;
}

/* trait("a name of any letters") */
static int32_t value_quoted_trait(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    int32_t rc;

    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_expect_sign(p, "("));
    if (p->lex.token.kind != CJ__LEX_TEXT || p->lex.token.fold)
        return cj__parse_expected(p, "the trait's name in \"quotes\"");
    CJ_TRY(cj__seg_trait(p->make, begin, p->lex.token.text, 1, out));
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_expect_sign(p, ")"));
    (*out)->end = p->end;
out:
    return rc;
}

static int32_t value_function(cj__parser *p, cj__seg_node **out)
{
    const cj__token *name = &p->lex.token;
    const int32_t function = cj__seg_function_named(name->text);

    if (function >= 0)
        return cj__parse_call(p, function, out);
    if (cj__seg_same(name->text, "trait"))
        return value_quoted_trait(p, out);
    if (cj__seg_is_reserved(name->text))
        return cj__parse_expected(p, "a value");
    return cj__seg_unknown(name->begin, "function", name->text, cj__seg_function_name);
}

/* `last order` is `last(order)`; 1 when the token is followed by such a name. */
static int value_is_short(const cj__parser *p)
{
    cj__lexer ahead = p->lex;
    const char c = cj__lex_ahead(&p->lex);

    if ((!cj__parse_is(p, "first") && !cj__parse_is(p, "last")) || c < 'A')
        return 0;
    return cj__lex_next(&ahead) == CJ_OK && ahead.token.kind == CJ__LEX_NAME &&
           (cj__seg_is_name(ahead.token.text) || cj__seg_same(ahead.token.text, "any"));
}

static int32_t value_short(cj__parser *p, cj__seg_node **out)
{
    const cj__token name = p->lex.token;
    cj__seg_node *event;
    int32_t rc;

    CJ_TRY(cj__seg_new(p->make, CJ__SEG_CALL, name.begin, out));
    (*out)->i = cj__seg_function_named(name.text);
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_event(p, &event));
    CJ_TRY(cj__seg_add(p->make, *out, event));
    (*out)->end = p->end;
out:
    return rc;
}

/* ---- expressions
 * --------------------------------------------------------------------------- */

static int32_t value_brackets(cj__parser *p, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__parse_enter(p));
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_or(p, out));
    if (cj__parse_is_sign(p, ","))
        return cj__fail_at(p->lex.token.begin, CJ_EINVAL,
                           "a list stands behind `in` or `has any of`");
    CJ_TRY(cj__parse_expect_sign(p, ")"));
    p->depth--;
out:
    return rc;
}

static int32_t value_primary(cj__parser *p, cj__seg_node **out)
{
    const cj__token *token = &p->lex.token;
    int32_t rc;

    CJ_TRY(value_literal(p, out));
    if (*out != NULL)
        return CJ_OK;
    if (cj__parse_is_sign(p, "("))
        return value_brackets(p, out);
    if (token->kind != CJ__LEX_NAME)
        return cj__parse_expected(p, "a condition or value");
    if (cj__lex_ahead(&p->lex) == '(')
        return value_function(p, out);
    if (value_is_short(p))
        return value_short(p, out);
    if (cj__seg_is_reserved(token->text))
        return cj__parse_expected(p, "a condition or value");
    return value_trait(p, out);
out:
    return rc;
}

static int32_t value_unary(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    int32_t rc;

    if (!cj__parse_is_sign(p, "-"))
        return value_primary(p, out);
    CJ_TRY(cj__parse_enter(p));
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(value_unary(p, out));
    if ((*out)->op == CJ__SEG_DURATION)
        return cj__fail_at(begin, CJ_EINVAL, "a duration has no minus");
    CJ_TRY(cj__seg_negate(p->make, begin, *out, out));
    p->depth--;
out:
    return rc;
}

static int32_t value_product(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *right;
    int32_t rc;

    CJ_TRY(value_unary(p, out));
    while (cj__parse_is_sign(p, "*") || cj__parse_is_sign(p, "/")) {
        const int32_t op =
            cj__parse_is_sign(p, "*") ? CJ__SEG_MULTIPLY : CJ__SEG_DIVIDE;

        CJ_TRY(cj__parse_next(p));
        CJ_TRY(value_unary(p, &right));
        CJ_TRY(cj__seg_over(p->make, op, *out, right, out));
    }
out:
    return rc;
}

int32_t cj__parse_sum(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *right;
    int32_t rc;

    CJ_TRY(value_product(p, out));
    while (cj__parse_is_sign(p, "+") || cj__parse_is_sign(p, "-")) {
        const int32_t op = cj__parse_is_sign(p, "+") ? CJ__SEG_ADD : CJ__SEG_SUBTRACT;

        CJ_TRY(cj__parse_next(p));
        CJ_TRY(value_product(p, &right));
        CJ_TRY(cj__seg_over(p->make, op, *out, right, out));
    }
out:
    return rc;
}
