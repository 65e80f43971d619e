/* See check.h: one walk from the leaves up.  A node of type DYNAMIC (a trait or a
 * property, whatever it will be) fits everywhere where some value of JSON would. */
#include "segment/check.h"

#include "segment/word.h"
#include "store/store.h"

#include <string.h>

#define CHECK_DAY_MS INT64_C(86400000)

static int check_is(const cj__seg_node *node, int32_t type)
{
    return node->type == type || node->type == CJ__TYPE_DYNAMIC;
}

/* ---- conditions
 * ------------------------------------------------------------------------- */

static int32_t check_condition(const cj__seg_node *node)
{
    char called[CJ__CALLED];

    if (check_is(node, CJ__TYPE_BOOLEAN))
        return CJ_OK;
    return cj__fail_at(node->begin, CJ_EINVAL,
                       "%s is %s, not a condition: compare it, as in `%s`",
                       cj__seg_called(node, called), cj__seg_type_words(node->type),
                       node->type == CJ__TYPE_TEXT    ? "= \"text\""
                       : node->type == CJ__TYPE_TIME  ? "within last 30 days"
                       : node->type == CJ__TYPE_MONEY ? "> 200 EUR"
                                                      : "> 3");
}

static int32_t check_logic(const cj__seg_node *node)
{
    int32_t rc = CJ_OK;

    for (uint32_t k = 0; k < node->n_kids; k++)
        CJ_TRY(check_condition(node->kids[k]));
out:
    return rc;
}

/* ---- relations
 * ---------------------------------------------------------------------------- */

static int32_t check_left(const cj__seg_node *node, int fits, const char *needs)
{
    const cj__seg_node *left = node->kids[0];
    char called[CJ__CALLED];

    if (fits)
        return CJ_OK;
    return cj__fail_at(left->begin, CJ_EINVAL, "`%s` needs %s, and %s is %s",
                       cj__seg_relation_of(node->op)->text, needs,
                       cj__seg_called(left, called), cj__seg_type_words(left->type));
}

/* Of sessions and orders only keys are kept: the same or not the same. */
static int32_t check_key(const cj__seg_node *node)
{
    const cj__seg_node *left = node->kids[0];
    const cj__seg_field_row *row;

    if (left->op != CJ__SEG_FIELD || left->i != 0)
        return CJ_OK;
    row = cj__seg_field_named(left->text);
    if ((row->uses & CJ__USE_KEY_ONLY) == 0)
        return CJ_OK;
    if (node->op != CJ__SEG_EQ && node->op != CJ__SEG_NE && node->op != CJ__SEG_IN &&
        node->op != CJ__SEG_IS_MISSING && node->op != CJ__SEG_IS_KNOWN)
        return cj__fail_at(
            node->begin, CJ_EINVAL,
            "%s is kept as a key: it is only =, !=, in, missing or known", row->name);
    for (uint32_t k = 1; k < node->n_kids; k++) {
        const cj__seg_node *right = node->kids[k];
        const uint32_t n = right->op == CJ__SEG_LIST ? right->n_kids : 1;

        for (uint32_t i = 0; i < n; i++) {
            const cj__seg_node *text =
                right->op == CJ__SEG_LIST ? right->kids[i] : right;

            if (text->op == CJ__SEG_TEXT && text->i != 0)
                return cj__fail_at(text->begin, CJ_EINVAL,
                                   "%s is kept as a key: write it without i",
                                   row->name);
        }
    }
    return CJ_OK;
}

static int32_t check_list(const struct cj_db *db, const cj__seg_node *left,
                          const cj__seg_node *list)
{
    int32_t rc = CJ_OK;

    for (uint32_t k = 0; k < list->n_kids; k++)
        CJ_TRY(cj__seg_check_pair(db, left, list->kids[k], 0));
out:
    return rc;
}

static int32_t check_moment(const cj__seg_node *node)
{
    const cj__seg_node *right = node->n_kids > 1 ? node->kids[1] : NULL;
    int32_t rc;

    CJ_TRY(check_left(node, check_is(node->kids[0], CJ__TYPE_TIME), "a time"));
    if ((node->op == CJ__SEG_BEFORE || node->op == CJ__SEG_AFTER) &&
        !check_is(right, CJ__TYPE_TIME))
        return cj__fail_at(right->begin, CJ_EINVAL,
                           "`%s` needs a time such as 2025-03-01",
                           cj__seg_relation_of(node->op)->text);
    if ((node->op == CJ__SEG_ANNIVERSARY_NEXT ||
         node->op == CJ__SEG_ANNIVERSARY_LAST) &&
        right->i % CHECK_DAY_MS != 0)
        return cj__fail_at(right->begin, CJ_EINVAL,
                           "anniversaries are whole days: write days or weeks");
out:
    return rc;
}

static int32_t check_place(const cj__seg_node *node)
{
    static const double most[] = {0, 21000, 90, 180};
    static const char *const wrong[] = {"", "a distance is from 0 to 21000 km",
                                        "a latitude is from -90 to 90",
                                        "a longitude is from -180 to 180"};

    if (node->kids[0]->type != CJ__TYPE_DYNAMIC)
        return check_left(node, 0, "a place");
    for (int k = 1; k <= 3; k++) {
        const double d = node->kids[k]->d;

        if (!(d <= most[k]) || !(d >= (k == 1 ? 0 : -most[k])))
            return cj__fail_at(node->kids[k]->begin, CJ_EINVAL, "%s", wrong[k]);
    }
    return CJ_OK;
}

static int32_t check_is_what(const cj__seg_node *node)
{
    const cj__seg_node *left = node->kids[0];

    switch (node->op) {
    case CJ__SEG_IS_TRUE:
    case CJ__SEG_IS_FALSE:
        return check_left(node, check_is(left, CJ__TYPE_BOOLEAN), "true or false");
    case CJ__SEG_IS_EMPTY:
        return check_left(node, check_is(left, CJ__TYPE_TEXT), "a text or list");
    default:
        return check_left(node, left->type != CJ__TYPE_DURATION, "a value");
    }
}

static int32_t check_compare(const struct cj_db *db, const cj__seg_node *node)
{
    const int ordered = node->op != CJ__SEG_EQ && node->op != CJ__SEG_NE;
    int32_t rc = CJ_OK;

    for (uint32_t k = 1; k < node->n_kids; k++)
        CJ_TRY(cj__seg_check_pair(db, node->kids[0], node->kids[k], ordered));
out:
    return rc;
}

static int32_t check_relation(const struct cj_db *db, const cj__seg_node *node)
{
    const cj__seg_node *left = node->kids[0];
    int32_t rc;

    CJ_TRY(check_key(node));
    switch (cj__seg_relation_of(node->op)->right) {
    case CJ__RIGHT_VALUE:
    case CJ__RIGHT_TWO:
        return check_compare(db, node);
    case CJ__RIGHT_LIST:
        return check_list(db, left, node->kids[1]);
    case CJ__RIGHT_TEXT:
        return check_left(node, check_is(left, CJ__TYPE_TEXT), "a text");
    case CJ__RIGHT_NONE:
        return check_is_what(node);
    case CJ__RIGHT_PLACE:
        return check_place(node);
    default:
        return check_moment(node);
    }
out:
    return rc;
}

/* ---- arithmetic
 * ----------------------------------------------------------------------------- */

static int32_t check_cannot(const cj__seg_node *node, const char *what)
{
    return cj__fail_at(node->begin, CJ_EINVAL, "%s", what);
}

static int check_counts(const cj__seg_node *node)
{
    return check_is(node, CJ__TYPE_NUMBER) || node->type == CJ__TYPE_MONEY;
}

static int32_t check_sum(cj__seg_node *node)
{
    const cj__seg_node *a = node->kids[0], *b = node->kids[1];
    const int money = (a->type == CJ__TYPE_MONEY) + (b->type == CJ__TYPE_MONEY);

    node->type = money > 0 ? CJ__TYPE_MONEY : CJ__TYPE_NUMBER;
    if (node->op == CJ__SEG_SUBTRACT && check_is(a, CJ__TYPE_TIME) &&
        check_is(b, CJ__TYPE_TIME))
        return CJ_OK; /* a number of days */
    if (!check_counts(a) || !check_counts(b))
        return check_cannot(!check_counts(a) ? a : b,
                            "only numbers, money and two times can be reckoned with");
    if (money == 1 && (a->type == CJ__TYPE_NUMBER || b->type == CJ__TYPE_NUMBER))
        return check_cannot(a->type == CJ__TYPE_NUMBER ? a : b,
                            "money and a number do not add up: give it a currency");
    return CJ_OK;
}

static int32_t check_product(cj__seg_node *node)
{
    const cj__seg_node *a = node->kids[0], *b = node->kids[1];
    const int a_money = a->type == CJ__TYPE_MONEY, b_money = b->type == CJ__TYPE_MONEY;

    if (!check_counts(a) || !check_counts(b))
        return check_cannot(!check_counts(a) ? a : b,
                            "only numbers and money can be multiplied and divided");
    if (node->op == CJ__SEG_MULTIPLY) {
        if (a_money && b_money)
            return check_cannot(b, "money times money is nothing");
        node->type = a_money || b_money ? CJ__TYPE_MONEY : CJ__TYPE_NUMBER;
        return CJ_OK;
    }
    if (b_money && a->type == CJ__TYPE_NUMBER)
        return check_cannot(b, "a number cannot be divided by money");
    node->type = a_money && !b_money ? CJ__TYPE_MONEY : CJ__TYPE_NUMBER;
    return CJ_OK;
}

static int32_t check_negate(cj__seg_node *node)
{
    const cj__seg_node *kid = node->kids[0];

    if (!check_counts(kid))
        return check_cannot(kid, "only numbers and money have a minus");
    node->type = kid->type == CJ__TYPE_MONEY ? CJ__TYPE_MONEY : CJ__TYPE_NUMBER;
    return CJ_OK;
}

/* ---- calls
 * ------------------------------------------------------------------------------------
 */

static int32_t check_use(const char *function)
{
    static const struct {
        const char *function;
        int32_t use;
    } uses[] = {
        {"distinct",    CJ__USE_COUNTS},
        {"first_value", CJ__USE_GIVES },
        {"last_value",  CJ__USE_GIVES }
    };

    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (strcmp(uses[i].function, function) == 0)
            return uses[i].use;
    }
    return CJ__USE_SUMS;
}

static int32_t check_field(cj__seg_node *call, const cj__seg_node *field)
{
    const char *function = cj__seg_functions[call->i].name;
    const int32_t use = check_use(function);

    if (field->i == 1 && memchr(field->text.data, '[', field->text.n) != NULL)
        return cj__fail_at(field->begin, CJ_EINVAL,
                           "a path with [] is for filters only");
    if (field->i != 1 && (cj__seg_field_named(field->text)->uses & use) == 0)
        return cj__fail_at(field->begin, CJ_EINVAL, "%s does not take %.*s: %s",
                           function, (int)field->text.n, field->text.data,
                           use == CJ__USE_SUMS ? "value, quantity or a property"
                           : use == CJ__USE_COUNTS
                               ? "channel, product, ... or a property"
                               : "all but session and order");
    if (call->type == CJ__TYPE_NONE)
        call->type = field->type == CJ__TYPE_DYNAMIC && use == CJ__USE_SUMS
                         ? CJ__TYPE_NUMBER
                         : field->type;
    return CJ_OK;
}

static int32_t check_call(cj__seg_node *node)
{
    const cj__seg_function *row = &cj__seg_functions[node->i];
    int32_t rc = CJ_OK;

    node->type = row->type;
    for (uint32_t k = 0; k < node->n_kids && row->arguments[k] != '\0'; k++) {
        const cj__seg_node *kid = node->kids[k];

        if (row->arguments[k] == 'f')
            CJ_TRY(check_field(node, kid));
        if (row->arguments[k] == 'e' && !check_is(kid, CJ__TYPE_TIME))
            return cj__fail_at(kid->begin, CJ_EINVAL,
                               "%s needs a time, such as last(order)", row->name);
        if (row->arguments[k] == 'p' && kid->i > kid->i2)
            return cj__fail_at(kid->begin, CJ_EINVAL, "more periods than there are");
        if (row->arguments[k] == 'b' && kid->op == CJ__SEG_LIST)
            for (uint32_t i = 0; i < kid->n_kids; i++) {
                if (kid->kids[i]->op != CJ__SEG_TEXT)
                    return cj__fail_at(kid->kids[i]->begin, CJ_EINVAL,
                                       "products are texts in \"quotes\"");
            }
    }
out:
    return rc;
}

/* ---- the walk
 * -----------------------------------------------------------------------------------
 */

static int32_t check_literal(const cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_NUMBER:
    case CJ__SEG_PERCENT:
        return CJ__TYPE_NUMBER;
    case CJ__SEG_MONEY:
        return CJ__TYPE_MONEY;
    case CJ__SEG_DURATION:
        return CJ__TYPE_DURATION;
    case CJ__SEG_DATE:
    case CJ__SEG_TIME:
        return CJ__TYPE_TIME;
    case CJ__SEG_TEXT:
    case CJ__SEG_WORD:
        return CJ__TYPE_TEXT;
    case CJ__SEG_TRUE:
    case CJ__SEG_FALSE:
        return CJ__TYPE_BOOLEAN;
    case CJ__SEG_LIST:
        return CJ__TYPE_LIST;
    case CJ__SEG_TRAIT:
        return CJ__TYPE_DYNAMIC;
    case CJ__SEG_FIELD:
        return node->i == 1 ? CJ__TYPE_DYNAMIC : cj__seg_field_named(node->text)->type;
    default:
        return CJ__TYPE_NONE;
    }
}

static int32_t check_node(const struct cj_db *db, cj__seg_node *node)
{
    switch (node->op) {
    case CJ__SEG_OR:
    case CJ__SEG_AND:
    case CJ__SEG_NOT:
        node->type = CJ__TYPE_BOOLEAN;
        return check_logic(node);
    case CJ__SEG_ADD:
    case CJ__SEG_SUBTRACT:
        return check_sum(node);
    case CJ__SEG_MULTIPLY:
    case CJ__SEG_DIVIDE:
        return check_product(node);
    case CJ__SEG_NEGATE:
        return check_negate(node);
    case CJ__SEG_CALL:
        return check_call(node);
    case CJ__SEG_SELECTOR:
        return check_logic(node);
    default:
        break;
    }
    if (cj__seg_relation_of(node->op) != NULL) {
        node->type = CJ__TYPE_BOOLEAN;
        return check_relation(db, node);
    }
    node->type = check_literal(node);
    return CJ_OK;
}

static int32_t check_walk(const struct cj_db *db, cj__seg_node *node, int32_t depth)
{
    int32_t rc = CJ_OK;

    if (depth > CJ__MAX_SEGMENT_DEPTH)
        return cj__fail_at(node->begin, CJ_ELIMIT,
                           "a segment is nested at most %d deep",
                           CJ__MAX_SEGMENT_DEPTH);
    for (uint32_t k = 0; k < node->n_kids; k++)
        CJ_TRY(check_walk(db, node->kids[k], depth + 1));
    CJ_TRY(check_node(db, node));
out:
    return rc;
}

int32_t cj__seg_check(const struct cj_db *db, cj__seg_node *root)
{
    int32_t rc;

    CJ_TRY(check_walk(db, root, 1));
    CJ_TRY(check_condition(root));
out:
    return rc;
}
