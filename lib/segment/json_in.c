/* JSON to a tree: conditions, values, literals.  As strict as the grammar: a tree that
 * could not be written as text is refused here, at its byte. */
#include "segment/json_in.h"

#include "segment/parse.h"
#include "segment/word.h"

#include <string.h>

/* ---- objects
 * ---------------------------------------------------------------------------- */

int32_t cj__json_expected(const cj__json_value *v, const char *what)
{
    return cj__fail_at(v->begin, CJ_EINVAL, "expected %s", what);
}

int32_t cj__json_need(const cj__json_value *object, const char *name,
                      const cj__json_value **out)
{
    *out = cj__json_get(object, name);
    if (*out == NULL)
        return cj__fail_at(object->begin, CJ_EINVAL, "\"%s\" is missing", name);
    return CJ_OK;
}

int32_t cj__json_keys(const cj__json_value *object, const char *const *keys)
{
    uint32_t seen = 0;
    char said[CJ__SAID];

    for (const cj__json_value *v = object->first; v != NULL; v = v->next) {
        size_t k = 0;

        while (keys[k] != NULL && !cj__text_equal(v->name, cj__text_of(keys[k])))
            k++;
        if (keys[k] == NULL)
            return cj__fail_at(v->name_begin, CJ_EINVAL, "unknown key %s beside \"%s\"",
                               cj__seg_said(v->name, said), keys[0]);
        if ((seen & 1u << k) != 0)
            return cj__fail_at(v->name_begin, CJ_EINVAL, "\"%s\" stands twice",
                               keys[k]);
        seen |= 1u << k;
    }
    return CJ_OK;
}

/* ---- literals
 * --------------------------------------------------------------------------- */

/* A text of the language that is one literal: "200 EUR", "90 days", "2025-03-01". */
static int32_t json_read_literal(cj__json_in *r, const cj__json_value *v,
                                 cj__seg_node **out)
{
    cj__parser p = {.make = r->make};
    int32_t rc;

    if (v->kind != CJ__JSON_TEXT)
        return cj__json_expected(v, "a text in quotes");
    CJ_TRY(cj__lex_begin(&p.lex, r->make->arena, v->text));
    CJ_TRY(cj__parse_literal(&p, out));
    if (p.lex.token.kind != CJ__LEX_END)
        CJ_TRY(cj__parse_expected(&p, "one value"));
    (*out)->begin = (*out)->end = v->begin;
out:
    if (rc != CJ_OK && rc != CJ_ENOMEM) /* the place is one of the JSON */
        cj__fail_at(v->begin, rc, "%s", cj__error_text());
    return rc;
}

static int32_t json_read_literal_of(cj__json_in *r, const cj__json_value *v, int32_t op,
                                    const char *what, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(json_read_literal(r, v, out));
    if ((*out)->op != op)
        return cj__json_expected(v, what);
out:
    return rc;
}

int32_t cj__json_duration(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    return json_read_literal_of(r, v, CJ__SEG_DURATION,
                                "a duration such as \"90 days\"", out);
}

int32_t cj__json_moment(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(json_read_literal(r, v, out));
    if ((*out)->op != CJ__SEG_DATE && (*out)->op != CJ__SEG_TIME)
        return cj__json_expected(v, "a date such as \"2025-03-01\"");
out:
    return rc;
}

/* A JSON number, as NUMBER or PERCENT. */
static int32_t json_number(cj__json_in *r, const cj__json_value *v, int32_t op,
                           cj__seg_node **out)
{
    cj__text text = v->text;
    int negative;
    int32_t rc;

    if (v->kind != CJ__JSON_NUMBER)
        return cj__json_expected(v, "a number");
    if (memchr(text.data, 'e', text.n) != NULL ||
        memchr(text.data, 'E', text.n) != NULL)
        return cj__json_expected(v, "a number without an exponent");
    negative = text.data[0] == '-';
    text.data += negative;
    text.n -= (size_t)negative;
    if (op == CJ__SEG_NUMBER)
        CJ_TRY(cj__seg_number(r->make, v->begin, text, out));
    else
        CJ_TRY(cj__seg_percent(r->make, v->begin, text, out));
    if (negative)
        CJ_TRY(cj__seg_negate(r->make, v->begin, *out, out));
out:
    return rc;
}

/* {"text": "x", "any_case": true} */
static int32_t json_text(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const char *const keys[] = {"text", "any_case", NULL};
    const cj__json_value *text, *any_case = cj__json_get(v, "any_case");
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__json_need(v, "text", &text));
    if (text->kind != CJ__JSON_TEXT)
        return cj__json_expected(text, "a text in quotes");
    if (any_case != NULL && any_case->kind != CJ__JSON_TRUE &&
        any_case->kind != CJ__JSON_FALSE)
        return cj__json_expected(any_case, "true or false");
    CJ_TRY(cj__seg_text(r->make, v->begin, text->text,
                        any_case != NULL && any_case->kind == CJ__JSON_TRUE, out));
out:
    return rc;
}

/* An object with one member: {"money": "200 EUR"} */
static int32_t json_unit(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const struct {
        const char *key;
        int32_t op;
        const char *what;
    } units[] = {
        {"percent",  CJ__SEG_PERCENT,  ""                                   },
        {"money",    CJ__SEG_MONEY,    "money such as \"200 EUR\""          },
        {"duration", CJ__SEG_DURATION, "a duration such as \"90 days\""     },
        {"date",     CJ__SEG_DATE,     "a date such as \"2025-03-01\""      },
        {"time",     CJ__SEG_TIME,     "a time such as \"2025-03-01T10:30\""},
    };
    int32_t rc;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const cj__json_value *value = cj__json_get(v, units[i].key);
        const char *const keys[] = {units[i].key, NULL};

        if (value == NULL)
            continue;
        CJ_TRY(cj__json_keys(v, keys));
        if (units[i].op == CJ__SEG_PERCENT)
            return json_number(r, value, CJ__SEG_PERCENT, out);
        return json_read_literal_of(r, value, units[i].op, units[i].what, out);
    }
    return cj__json_expected(v,
                             "a value such as 5, \"text\" or {\"money\": \"200 EUR\"}");
out:
    return rc;
}

int32_t cj__json_literal(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    switch (v->kind) {
    case CJ__JSON_NUMBER:
        return json_number(r, v, CJ__SEG_NUMBER, out);
    case CJ__JSON_TEXT:
        return cj__seg_text(r->make, v->begin, v->text, 0, out);
    case CJ__JSON_TRUE:
        return cj__seg_new(r->make, CJ__SEG_TRUE, v->begin, out);
    case CJ__JSON_FALSE:
        return cj__seg_new(r->make, CJ__SEG_FALSE, v->begin, out);
    default:
        return cj__json_get(v, "text") != NULL ? json_text(r, v, out)
                                               : json_unit(r, v, out);
    }
}

int32_t cj__json_literal_of(cj__json_in *r, const cj__json_value *v, int32_t op,
                            const char *what, cj__seg_node **out)
{
    int32_t rc;

    CJ_TRY(cj__json_literal(r, v, out));
    if ((*out)->op != op)
        return cj__json_expected(v, what);
out:
    return rc;
}

int32_t cj__json_list(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    cj__seg_node *value;
    int32_t rc;

    if (v->kind != CJ__JSON_ARRAY || v->n == 0)
        return cj__json_expected(v, "a list of at least one value");
    CJ_TRY(cj__seg_new(r->make, CJ__SEG_LIST, v->begin, out));
    r->make->in_list = 1;
    for (const cj__json_value *e = v->first; e != NULL; e = e->next) {
        CJ_TRY(cj__json_literal(r, e, &value));
        CJ_TRY(cj__seg_add(r->make, *out, value));
    }
    r->make->in_list = 0;
out:
    return rc;
}

/* ---- traits and fields
 * ---------------------------------------------------------------------- */

static int32_t json_path(cj__json_in *r, const cj__json_value *v, cj__text *out)
{
    size_t n = 0;
    char *to;

    for (const cj__json_value *e = v->first; e != NULL; e = e->next) {
        if (e->kind != CJ__JSON_TEXT || !cj__seg_is_letters(e->text) ||
            (e == v->first && cj__seg_is_reserved(e->text)))
            return cj__json_expected(e, "a part of a path: letters, digits and _");
        n += e->text.n + 1;
    }
    to = cj__arena_alloc(r->make->arena, n);
    if (to == NULL)
        return CJ_ENOMEM;
    *out = (cj__text){to, n - 1};
    for (const cj__json_value *e = v->first; e != NULL; e = e->next) {
        memcpy(to, e->text.data, e->text.n);
        to += e->text.n;
        *to++ = '.';
    }
    return CJ_OK;
}

/* {"trait": "country"}, a path: {"trait": ["address", "city"]} */
int32_t cj__json_trait(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    static const char *const keys[] = {"trait", NULL};
    const cj__json_value *name;
    cj__text path;
    int32_t rc;

    CJ_TRY(cj__json_need(v, "trait", &name));
    CJ_TRY(cj__json_keys(v, keys));
    if (name->kind == CJ__JSON_TEXT)
        return cj__seg_trait(r->make, v->begin, name->text, 1, out);
    if (name->kind != CJ__JSON_ARRAY || name->n < 1)
        return cj__json_expected(name, "a trait's name, or its path as a list");
    CJ_TRY(json_path(r, name, &path));
    CJ_TRY(cj__seg_trait(r->make, v->begin, path, 0, out));
out:
    return rc;
}

/* a.b[].c */
static int json_is_property(cj__text text)
{
    size_t at = 0;

    for (;;) {
        size_t from = at;

        while (at < text.n && text.data[at] != '.' && text.data[at] != '[')
            at++;
        if (!cj__seg_is_letters((cj__text){text.data + from, at - from}))
            return 0;
        while (text.n - at >= 2 && memcmp(text.data + at, "[]", 2) == 0)
            at += 2;
        if (at == text.n)
            return 1;
        if (text.data[at++] != '.')
            return 0;
    }
}

/* {"field": "channel"}, {"property": "cart.total"} */
int32_t cj__json_field(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    const int property = cj__json_get(v, "field") == NULL;
    const char *const keys[] = {property ? "property" : "field", NULL};
    const cj__json_value *name = cj__json_get(v, keys[0]);
    int32_t rc;

    if (name == NULL || name->kind != CJ__JSON_TEXT)
        return cj__json_expected(v, "{\"field\": ...} or {\"property\": ...}");
    CJ_TRY(cj__json_keys(v, keys));
    if (property && !json_is_property(name->text))
        return cj__json_expected(name,
                                 "a path such as \"cart.total\" or \"items[].sku\"");
    CJ_TRY(cj__seg_field(r->make, name->begin, name->text, property, out));
out:
    return rc;
}

/* ---- relations and arithmetic
 * ------------------------------------------------------------------ */

static int32_t json_side(cj__json_in *r, const cj__json_value *v, const char *name,
                         cj__seg_node **out)
{
    const cj__json_value *side;
    int32_t rc;

    CJ_TRY(cj__json_need(v, name, &side));
    if (!r->in_filter)
        return cj__json_condition(r, side, out);
    if (strcmp(name, "left") == 0)
        return cj__json_field(r, side, out);
    return cj__json_literal(r, side, out);
out:
    return rc;
}

static int32_t json_add_side(cj__json_in *r, const cj__json_value *v, const char *name,
                             cj__seg_node *node)
{
    cj__seg_node *kid;
    int32_t rc;

    CJ_TRY(json_side(r, v, name, &kid));
    CJ_TRY(cj__seg_add(r->make, node, kid));
out:
    return rc;
}

/* The right side that is one literal. */
static int32_t json_right_literal(cj__json_in *r, const cj__json_value *right,
                                  int32_t kind, cj__seg_node **out)
{
    if (kind == CJ__RIGHT_TEXT)
        return cj__json_literal_of(r, right, CJ__SEG_TEXT, "a text in quotes", out);
    if (kind == CJ__RIGHT_DATE)
        return cj__json_literal_of(r, right, CJ__SEG_DATE, "{\"date\": \"2025-03-01\"}",
                                   out);
    return cj__json_literal_of(r, right, CJ__SEG_DURATION,
                               "{\"duration\": \"90 days\"}", out);
}

static int32_t json_place(cj__json_in *r, const cj__json_value *v, cj__seg_node *node)
{
    static const char *const names[] = {"km", "latitude", "longitude"};
    const cj__json_value *value;
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < 3; i++) {
        CJ_TRY(cj__json_need(v, names[i], &value));
        CJ_TRY(json_number(r, value, CJ__SEG_NUMBER, &kid));
        CJ_TRY(cj__seg_add(r->make, node, kid));
    }
out:
    return rc;
}

static int32_t json_right(cj__json_in *r, const cj__json_value *v,
                          const cj__seg_relation *relation, cj__seg_node *node)
{
    const cj__json_value *right;
    cj__seg_node *kid;
    int32_t rc = CJ_OK;

    switch (relation->right) {
    case CJ__RIGHT_NONE:
        return CJ_OK;
    case CJ__RIGHT_VALUE:
    case CJ__RIGHT_TIME:
        return json_add_side(r, v, "right", node);
    case CJ__RIGHT_TWO:
        CJ_TRY(json_add_side(r, v, "low", node));
        return json_add_side(r, v, "high", node);
    case CJ__RIGHT_PLACE:
        return json_place(r, v, node);
    case CJ__RIGHT_LIST:
        CJ_TRY(cj__json_need(v, "list", &right));
        CJ_TRY(cj__json_list(r, right, &kid));
        break;
    default:
        CJ_TRY(cj__json_need(v, "right", &right));
        CJ_TRY(json_right_literal(r, right, relation->right, &kid));
    }
    CJ_TRY(cj__seg_add(r->make, node, kid));
    if (node->op == CJ__SEG_ANNIVERSARY_LAST && kid->i == 0)
        node->op = CJ__SEG_ANNIVERSARY_NEXT;
out:
    return rc;
}

static int32_t json_relation(cj__json_in *r, const cj__json_value *v,
                             const cj__seg_relation *relation, cj__seg_node **out)
{
    static const char *const value[] = {"op", "left", "right", NULL};
    static const char *const two[] = {"op", "left", "low", "high", NULL};
    static const char *const list[] = {"op", "left", "list", NULL};
    static const char *const none[] = {"op", "left", NULL};
    static const char *const place[] = {"op",       "left",      "km",
                                        "latitude", "longitude", NULL};
    const char *const *keys = relation->right == CJ__RIGHT_TWO     ? two
                              : relation->right == CJ__RIGHT_LIST  ? list
                              : relation->right == CJ__RIGHT_NONE  ? none
                              : relation->right == CJ__RIGHT_PLACE ? place
                                                                   : value;
    int32_t rc;

    if (r->in_filter && !relation->in_filters)
        return cj__fail_at(v->begin, CJ_EINVAL, "`%s` is not for the fields of events",
                           relation->text);
    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__seg_new(r->make, relation->op, v->begin, out));
    CJ_TRY(json_add_side(r, v, "left", *out));
    CJ_TRY(json_right(r, v, relation, *out));
out:
    return rc;
}

static int32_t json_arithmetic(cj__json_in *r, const cj__json_value *v, int32_t op,
                               cj__seg_node **out)
{
    static const char *const keys[] = {"op", "left", "right", NULL};
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__seg_new(r->make, op, v->begin, out));
    CJ_TRY(json_add_side(r, v, "left", *out));
    CJ_TRY(json_add_side(r, v, "right", *out));
out:
    return rc;
}

static int32_t json_op(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    const cj__json_value *name = cj__json_get(v, "op");

    if (name->kind != CJ__JSON_TEXT)
        return cj__json_expected(name, "a text such as \"=\"");
    for (const cj__seg_relation *s = cj__seg_relations; s->op != 0; s++) {
        if (cj__text_equal(name->text, cj__text_of(s->text)))
            return json_relation(r, v, s, out);
    }
    for (int32_t op = CJ__SEG_ADD; op <= CJ__SEG_DIVIDE && !r->in_filter; op++) {
        if (cj__text_equal(name->text, cj__text_of(cj__seg_sign(op))))
            return json_arithmetic(r, v, op, out);
    }
    return cj__seg_unknown(name->begin, "op", name->text, cj__seg_relation_name);
}

/* ---- conditions
 * ------------------------------------------------------------------------------- */

static int32_t json_chain(cj__json_in *r, const cj__json_value *v, int32_t op,
                          cj__seg_node **out)
{
    const char *const keys[] = {op == CJ__SEG_OR ? "or" : "and", NULL};
    const cj__json_value *parts = cj__json_get(v, keys[0]);
    cj__seg_node *part;
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    if (parts->kind != CJ__JSON_ARRAY || parts->n == 0)
        return cj__json_expected(parts, "a list of at least one condition");
    if (parts->n == 1)
        return cj__json_condition(r, parts->first, out);
    CJ_TRY(cj__seg_new(r->make, op, v->begin, out));
    for (const cj__json_value *e = parts->first; e != NULL; e = e->next) {
        CJ_TRY(cj__json_condition(r, e, &part));
        CJ_TRY(cj__seg_join(r->make, *out, part));
    }
out:
    return rc;
}

/* {"not": ...}, {"negate": ...} */
static int32_t json_one(cj__json_in *r, const cj__json_value *v, const char *name,
                        cj__seg_node **out)
{
    const char *const keys[] = {name, NULL};
    cj__seg_node *kid;
    int32_t rc;

    CJ_TRY(cj__json_keys(v, keys));
    CJ_TRY(cj__json_condition(r, cj__json_get(v, name), &kid));
    if (strcmp(name, "negate") == 0)
        CJ_TRY(cj__seg_negate(r->make, v->begin, kid, out));
    else
        CJ_TRY(cj__seg_over(r->make, CJ__SEG_NOT, kid, NULL, out));
    (*out)->begin = v->begin;
out:
    return rc;
}

int32_t cj__json_condition(cj__json_in *r, const cj__json_value *v, cj__seg_node **out)
{
    if (cj__json_get(v, "op") != NULL)
        return json_op(r, v, out);
    if (cj__json_get(v, "and") != NULL)
        return json_chain(r, v, CJ__SEG_AND, out);
    if (cj__json_get(v, "or") != NULL)
        return json_chain(r, v, CJ__SEG_OR, out);
    if (cj__json_get(v, "not") != NULL)
        return json_one(r, v, "not", out);
    if (r->in_filter)
        return cj__json_expected(v, "a condition of an event: {\"op\": ...}");
    if (cj__json_get(v, "call") != NULL)
        return cj__json_call(r, v, out);
    if (cj__json_get(v, "trait") != NULL)
        return cj__json_trait(r, v, out);
    if (cj__json_get(v, "negate") != NULL)
        return json_one(r, v, "negate", out);
    return cj__json_literal(r, v, out);
}

int32_t cj__seg_json_read(cj__seg_maker *m, cj__text json, cj__seg_node **out)
{
    cj__json_in r = {.make = m};
    cj__json_value *root;
    int32_t rc;

    CJ_TRY(cj__json_values(m->arena, json, &root));
    CJ_TRY(cj__json_condition(&r, root, out));
out:
    return rc;
}
