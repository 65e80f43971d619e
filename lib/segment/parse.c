/* Tokens taken one by one, and conditions: or, and, not, brackets.  Filters of events
 * have the same logic, over their fields. */
#include "segment/parse.h"

#include "segment/word.h"

#include <stdio.h>

/* ---- tokens ------------------------------------------------------------------------
 */

int32_t cj__parse_next(cj__parser *p)
{
    p->end = p->lex.token.end;
    return cj__lex_next(&p->lex);
}

int cj__parse_is(const cj__parser *p, const char *word)
{
    return p->lex.token.kind == CJ__LEX_NAME && cj__seg_same(p->lex.token.text, word);
}

int cj__parse_is_sign(const cj__parser *p, const char *sign)
{
    return cj__lex_is_sign(&p->lex, sign);
}

static void parse_found(const cj__token *token, char *to, size_t size)
{
    char said[CJ__SAID];

    switch (token->kind) {
    case CJ__LEX_END:
        snprintf(to, size, "the end");
        break;
    case CJ__LEX_TEXT:
        snprintf(to, size, "a text");
        break;
    case CJ__LEX_NAME:
        snprintf(to, size, "%s", cj__seg_said(token->text, said));
        break;
    default:
        snprintf(to, size, "`%.*s`", token->text.n < 30 ? (int)token->text.n : 30,
                 token->text.data);
    }
}

/* Words that may follow something, for telling which of them was meant. */
static const char *parse_word(size_t i)
{
    static const char *const others[] = {"missing", "known", "empty", "with", "ago",
                                         "to",      "all",   "none",  "km"};
    const char *word = cj__seg_reserved(i);
    size_t n = 0;

    if (word != NULL)
        return word;
    while (cj__seg_reserved(n) != NULL)
        n++;
    i -= n;
    if (i < sizeof others / sizeof others[0])
        return others[i];
    return cj__seg_unit_name(i - sizeof others / sizeof others[0]);
}

int32_t cj__parse_expected(const cj__parser *p, const char *what)
{
    const cj__token *token = &p->lex.token;
    char found[CJ__SAID];

    if (token->kind == CJ__LEX_NAME && token->text.n > 2 &&
        cj__seg_find(token->text, parse_word) == NULL &&
        cj__seg_nearest(token->text, parse_word) != NULL)
        return cj__seg_unknown(token->begin, "word", token->text, parse_word);
    parse_found(token, found, sizeof found);
    return cj__fail_at(token->begin, CJ_EINVAL, "expected %s, found %s", what, found);
}

int32_t cj__parse_expect(cj__parser *p, const char *word)
{
    char quoted[40];

    if (cj__parse_is(p, word))
        return cj__parse_next(p);
    snprintf(quoted, sizeof quoted, "`%s`", word);
    return cj__parse_expected(p, quoted);
}

int32_t cj__parse_expect_sign(cj__parser *p, const char *sign)
{
    char quoted[8];

    if (cj__parse_is_sign(p, sign))
        return cj__parse_next(p);
    snprintf(quoted, sizeof quoted, "`%s`", sign);
    return cj__parse_expected(p, quoted);
}

int32_t cj__parse_enter(cj__parser *p)
{
    if (p->depth == CJ__MAX_SEGMENT_DEPTH)
        return cj__fail_at(p->lex.token.begin, CJ_ELIMIT,
                           "a segment is nested at most %d deep",
                           CJ__MAX_SEGMENT_DEPTH);
    p->depth++;
    return CJ_OK;
}

/* ---- conditions
 * ---------------------------------------------------------------------- */

/* `weekend` alone says that it is so. */
static int32_t parse_bare_field(cj__parser *p, cj__seg_node *field, cj__seg_node **out)
{
    cj__seg_node *yes;
    int32_t rc;

    if (field->i != 0 || !cj__seg_same(field->text, "weekend"))
        return cj__parse_expected(p, "a comparison such as `= \"text\"`");
    CJ_TRY(cj__seg_new(p->make, CJ__SEG_TRUE, field->begin, &yes));
    yes->end = field->end;
    CJ_TRY(cj__seg_over(p->make, CJ__SEG_EQ, field, yes, out));
out:
    return rc;
}

static int32_t parse_filter_condition(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *field;
    int32_t rc;

    if (cj__parse_is_sign(p, "(")) {
        CJ_TRY(cj__parse_enter(p));
        CJ_TRY(cj__parse_next(p));
        CJ_TRY(cj__parse_or(p, out));
        CJ_TRY(cj__parse_expect_sign(p, ")"));
        p->depth--;
        return CJ_OK;
    }
    CJ_TRY(cj__parse_field(p, &field));
    CJ_TRY(cj__parse_relation(p, field, out));
    if (*out == field)
        CJ_TRY(parse_bare_field(p, field, out));
out:
    return rc;
}

static int32_t parse_condition(cj__parser *p, cj__seg_node **out)
{
    cj__seg_node *left;
    int32_t rc;

    if (p->in_filter)
        return parse_filter_condition(p, out);
    CJ_TRY(cj__parse_sum(p, &left));
    CJ_TRY(cj__parse_relation(p, left, out));
out:
    return rc;
}

static int32_t parse_not(cj__parser *p, cj__seg_node **out)
{
    const uint32_t begin = p->lex.token.begin;
    cj__seg_node *kid;
    int32_t rc;

    if (!cj__parse_is(p, "not"))
        return parse_condition(p, out);
    CJ_TRY(cj__parse_enter(p));
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(parse_not(p, &kid));
    CJ_TRY(cj__seg_over(p->make, CJ__SEG_NOT, kid, NULL, out));
    (*out)->begin = begin;
    p->depth--;
out:
    return rc;
}

static int32_t parse_part(cj__parser *p, int32_t op, cj__seg_node **out);

static int32_t parse_chain(cj__parser *p, int32_t op, cj__seg_node **out)
{
    const char *word = op == CJ__SEG_OR ? "or" : "and";
    const uint32_t begin = p->lex.token.begin;
    cj__seg_node *chain, *part;
    int32_t rc;

    CJ_TRY(parse_part(p, op, out));
    if (!cj__parse_is(p, word))
        return CJ_OK;
    CJ_TRY(cj__seg_new(p->make, op, begin, &chain));
    CJ_TRY(cj__seg_join(p->make, chain, *out));
    while (cj__parse_is(p, word)) {
        CJ_TRY(cj__parse_next(p));
        CJ_TRY(parse_part(p, op, &part));
        CJ_TRY(cj__seg_join(p->make, chain, part));
    }
    chain->end = p->end;
    *out = chain;
out:
    return rc;
}

static int32_t parse_part(cj__parser *p, int32_t op, cj__seg_node **out)
{
    return op == CJ__SEG_OR ? parse_chain(p, CJ__SEG_AND, out) : parse_not(p, out);
}

int32_t cj__parse_or(cj__parser *p, cj__seg_node **out)
{
    return parse_chain(p, CJ__SEG_OR, out);
}
