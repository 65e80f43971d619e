/* Relations: the words behind a left side, and what stands to the right of them, which
 * the table of relations in word.c says. */
#include "segment/parse.h"

#include "segment/word.h"

/* Signs of the words of a relation; more of them follow in parse_words. */
static int32_t relation_sign(const cj__parser *p)
{
    for (const cj__seg_relation *r = cj__seg_relations; r->op <= CJ__SEG_GE; r++) {
        if (cj__parse_is_sign(p, r->text))
            return r->op;
    }
    return 0;
}

static int32_t relation_has(cj__parser *p, int32_t *op)
{
    int32_t rc;

    if (cj__parse_is(p, "any"))
        *op = CJ__SEG_HAS_ANY;
    else if (cj__parse_is(p, "all"))
        *op = CJ__SEG_HAS_ALL;
    else if (cj__parse_is(p, "none"))
        *op = CJ__SEG_HAS_NONE;
    else
        return cj__parse_expected(p, "`any of`, `all of` or `none of`");
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(cj__parse_expect(p, "of"));
out:
    return rc;
}

static int32_t relation_is(cj__parser *p, int32_t *op, int *negated)
{
    int32_t rc = CJ_OK;

    if (cj__parse_is(p, "not")) {
        *negated = 1;
        CJ_TRY(cj__parse_next(p));
    }
    if (cj__parse_is(p, "missing"))
        *op = *negated ? CJ__SEG_IS_KNOWN : CJ__SEG_IS_MISSING;
    else if (cj__parse_is(p, "known"))
        *op = *negated ? CJ__SEG_IS_MISSING : CJ__SEG_IS_KNOWN;
    else if (cj__parse_is(p, "true"))
        *op = CJ__SEG_IS_TRUE;
    else if (cj__parse_is(p, "false"))
        *op = CJ__SEG_IS_FALSE;
    else if (cj__parse_is(p, "empty"))
        *op = CJ__SEG_IS_EMPTY;
    else
        return cj__parse_expected(
            p, "missing, known, true, false or empty (else write `=`)");
    if (*op == CJ__SEG_IS_KNOWN || *op == CJ__SEG_IS_MISSING)
        *negated = 0; /* neither is ever unknown: each is the other's contrary */
    CJ_TRY(cj__parse_next(p));
out:
    return rc;
}

static int32_t relation_within(cj__parser *p, int32_t *op)
{
    if (p->lex.token.kind == CJ__LEX_NUMBER) {
        *op = CJ__SEG_NEAR;
        return CJ_OK;
    }
    if (cj__parse_is(p, "last"))
        *op = CJ__SEG_WITHIN_LAST;
    else if (cj__parse_is(p, "next"))
        *op = CJ__SEG_WITHIN_NEXT;
    else
        return cj__parse_expected(p, "`last`, `next` or a distance such as `5 km`");
    return cj__parse_next(p);
}

/* `today` is left for the right side. */
static int32_t relation_anniversary(cj__parser *p, int32_t *op)
{
    int32_t rc;

    CJ_TRY(cj__parse_expect(p, "in"));
    *op = cj__parse_is(p, "last") ? CJ__SEG_ANNIVERSARY_LAST : CJ__SEG_ANNIVERSARY_NEXT;
    if (cj__parse_is(p, "today"))
        return CJ_OK;
    if (*op == CJ__SEG_ANNIVERSARY_NEXT && !cj__parse_is(p, "next"))
        return cj__parse_expected(p, "`today`, `next` or `last`");
    CJ_TRY(cj__parse_next(p));
out:
    return rc;
}

/* `in next 14 days` is the anniversary; `in last` could be either, so it is refused. */
static int32_t relation_in(cj__parser *p, int32_t *op)
{
    *op = CJ__SEG_IN;
    if (cj__parse_is(p, "last"))
        return cj__fail_at(p->lex.token.begin, CJ_EINVAL,
                           "write `within last` or `anniversary in last`");
    if (!cj__parse_is(p, "next"))
        return CJ_OK;
    *op = CJ__SEG_ANNIVERSARY_NEXT;
    return cj__parse_next(p);
}

static int32_t relation_begin(const cj__parser *p)
{
    static const struct {
        const char *word;
        int32_t op;
    } words[] = {
        {"between",     CJ__SEG_BETWEEN         },
        {"in",          CJ__SEG_IN              },
        {"contains",    CJ__SEG_CONTAINS        },
        {"starts",      CJ__SEG_STARTS          },
        {"ends",        CJ__SEG_ENDS            },
        {"like",        CJ__SEG_LIKE            },
        {"has",         CJ__SEG_HAS_ANY         },
        {"is",          CJ__SEG_IS_MISSING      },
        {"before",      CJ__SEG_BEFORE          },
        {"after",       CJ__SEG_AFTER           },
        {"on",          CJ__SEG_ON              },
        {"within",      CJ__SEG_WITHIN_LAST     },
        {"anniversary", CJ__SEG_ANNIVERSARY_NEXT},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (cj__parse_is(p, words[i].word))
            return words[i].op;
    }
    return relation_sign(p);
}

/* The words behind the first. */
static int32_t relation_rest(cj__parser *p, int32_t *op, int *negated)
{
    switch (*op) {
    case CJ__SEG_STARTS:
    case CJ__SEG_ENDS:
        return cj__parse_expect(p, "with");
    case CJ__SEG_HAS_ANY:
        return relation_has(p, op);
    case CJ__SEG_IS_MISSING:
        return relation_is(p, op, negated);
    case CJ__SEG_WITHIN_LAST:
        return relation_within(p, op);
    case CJ__SEG_ANNIVERSARY_NEXT:
        return relation_anniversary(p, op);
    case CJ__SEG_IN:
        return *negated ? CJ_OK : relation_in(p, op);
    default:
        return CJ_OK;
    }
}

/* The whole relation's words; *op 0: there is none here. */
static int32_t relation_words(cj__parser *p, int32_t *op, int *negated)
{
    const uint32_t begin = p->lex.token.begin;
    int32_t rc = CJ_OK;

    *negated = cj__parse_is(p, "not");
    if (*negated)
        CJ_TRY(cj__parse_next(p));
    *op = relation_begin(p);
    if (p->in_filter && *op == CJ__SEG_WITHIN_LAST)
        *op = 0; /* that of a step: `a where weekend within 2 days` */
    if (*negated && (*op < CJ__SEG_BETWEEN || *op > CJ__SEG_LIKE))
        return cj__parse_expected(
            p, "`between`, `in`, `contains`, `starts`, `ends` or `like`");
    if (*op == 0)
        return CJ_OK;
    CJ_TRY(cj__parse_next(p));
    CJ_TRY(relation_rest(p, op, negated));
    if (p->in_filter && !cj__seg_relation_of(*op)->in_filters)
        return cj__fail_at(begin, CJ_EINVAL, "`%s` is not for the fields of events",
                           cj__seg_relation_of(*op)->text);
out:
    return rc;
}

/* ---- right sides
 * -------------------------------------------------------------------------
 */

static int32_t relation_value(cj__parser *p, cj__seg_node **out)
{
    return p->in_filter ? cj__parse_literal(p, out) : cj__parse_sum(p, out);
}

static int32_t relation_text(cj__parser *p, cj__seg_node **out)
{
    if (p->lex.token.kind != CJ__LEX_TEXT)
        return cj__parse_expected(p, "a text in \"quotes\"");
    return cj__parse_literal(p, out);
}

static int32_t relation_date(cj__parser *p, cj__seg_node **out)
{
    if (p->lex.token.kind != CJ__LEX_DATE)
        return cj__parse_expected(p, "a date such as 2025-03-01");
    return cj__parse_literal(p, out);
}

static int32_t relation_days(cj__parser *p, cj__seg_node **out)
{
    int32_t rc;

    if (!cj__parse_is(p, "today"))
        return cj__parse_duration(p, out);
    CJ_TRY(cj__seg_duration_of(p->make, p->lex.token.begin, 0, out));
    CJ_TRY(cj__parse_next(p));
    (*out)->end = p->end;
out:
    return rc;
}

static int32_t relation_one(cj__parser *p, int32_t right, cj__seg_node **out)
{
    switch (right) {
    case CJ__RIGHT_LIST:
        return cj__parse_list(p, out);
    case CJ__RIGHT_TEXT:
        return relation_text(p, out);
    case CJ__RIGHT_DATE:
        return relation_date(p, out);
    case CJ__RIGHT_DURATION:
        return cj__parse_duration(p, out);
    case CJ__RIGHT_DAYS:
        return relation_days(p, out);
    default:
        return relation_value(p, out);
    }
}

static int32_t relation_two(cj__parser *p, cj__seg_node *node)
{
    cj__seg_node *kid;
    int32_t rc;

    CJ_TRY(relation_value(p, &kid));
    CJ_TRY(cj__seg_add(p->make, node, kid));
    CJ_TRY(cj__parse_expect(p, "and"));
    CJ_TRY(relation_value(p, &kid));
    CJ_TRY(cj__seg_add(p->make, node, kid));
out:
    return rc;
}

/* "5 km of (52.52, 13.405)" */
static int32_t relation_place(cj__parser *p, cj__seg_node *node)
{
    static const char *const before[] = {NULL, "(", ","};
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    for (int i = 0; i < 3; i++) {
        if (before[i] != NULL)
            CJ_TRY(cj__parse_expect_sign(p, before[i]));
        CJ_TRY(cj__parse_plain_number(p, &kid));
        CJ_TRY(cj__seg_add(p->make, node, kid));
        if (i == 0) {
            CJ_TRY(cj__parse_expect(p, "km"));
            CJ_TRY(cj__parse_expect(p, "of"));
        }
    }
    CJ_TRY(cj__parse_expect_sign(p, ")"));
out:
    return rc;
}

static int32_t relation_right(cj__parser *p, int32_t right, cj__seg_node *node)
{
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    if (right == CJ__RIGHT_TWO)
        return relation_two(p, node);
    if (right == CJ__RIGHT_PLACE)
        return relation_place(p, node);
    if (right == CJ__RIGHT_NONE)
        return CJ_OK;
    CJ_TRY(relation_one(p, right, &kid));
    CJ_TRY(cj__seg_add(p->make, node, kid));
out:
    return rc;
}

/* An anniversary of no days has one form, whichever side it was written from. */
static void relation_today(cj__seg_node *node)
{
    if (node->op == CJ__SEG_ANNIVERSARY_LAST && node->kids[1]->i == 0)
        node->op = CJ__SEG_ANNIVERSARY_NEXT;
}

int32_t cj__parse_relation(cj__parser *p, cj__seg_node *left, cj__seg_node **out)
{
    int32_t op;
    int negated;
    int32_t rc;

    *out = left;
    CJ_TRY(relation_words(p, &op, &negated));
    if (op == 0)
        return CJ_OK;
    CJ_TRY(cj__seg_over(p->make, op, left, NULL, out));
    CJ_TRY(relation_right(p, cj__seg_relation_of(op)->right, *out));
    (*out)->end = p->end;
    relation_today(*out);
    if (negated)
        CJ_TRY(cj__seg_over(p->make, CJ__SEG_NOT, *out, NULL, out));
out:
    return rc;
}
