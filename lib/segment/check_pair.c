/* Two sides of a comparison: when their types differ, the error shows the right side as
 * it was probably meant.  Traits and properties may be anything: they pass. */
#include "segment/check.h"

#include "segment/build.h"
#include "segment/word.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

const char *cj__seg_type_words(int32_t type)
{
    switch (type) {
    case CJ__TYPE_BOOLEAN:
        return "true or false";
    case CJ__TYPE_NUMBER:
        return "a number";
    case CJ__TYPE_MONEY:
        return "money";
    case CJ__TYPE_TIME:
        return "a time";
    case CJ__TYPE_DURATION:
        return "a duration";
    case CJ__TYPE_TEXT:
        return "a text";
    default:
        return "something";
    }
}

const char *cj__seg_called(const cj__seg_node *node, char *to)
{
    if (node->op == CJ__SEG_CALL)
        snprintf(to, CJ__CALLED, "%s", cj__seg_functions[node->i].name);
    else if (node->op == CJ__SEG_FIELD && node->i == 0)
        snprintf(to, CJ__CALLED, "%.*s", (int)node->text.n, node->text.data);
    else
        snprintf(to, CJ__CALLED, "this");
    return to;
}

static const char *pair_function(const cj__seg_node *node)
{
    return node->op == CJ__SEG_CALL ? cj__seg_functions[node->i].name : "";
}

/* ---- what was meant
 * --------------------------------------------------------------------- */

/* A literal of the type of the left side, as it would be written; "": cannot be told.
 */
typedef struct pair_hint {
    char text[60];
} pair_hint;

/* What one of a number is, in the right side's ms or minor units; 0: cannot be told. */
static int64_t pair_one(const cj__seg_node *left, const cj__seg_node *right,
                        int exponent)
{
    static const struct {
        const char *function;
        int64_t ms;
    } units[] = {
        {"days_since",          86400000},
        {"median_days_between", 86400000},
        {"hours_since",         3600000 },
        {"session_minutes",     60000   }
    };
    int64_t one = 1;

    if (right->op == CJ__SEG_MONEY) {
        for (int i = 0; i < exponent; i++)
            one *= 10;
        return one;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].function, pair_function(left)) == 0)
            return right->op == CJ__SEG_DURATION ? units[i].ms : 0;
    }
    return 0;
}

static void pair_hint_number(const cj__seg_node *left, const cj__seg_node *right,
                             int exponent, pair_hint *hint)
{
    const int64_t one = pair_one(left, right, exponent);

    if (one > 0 && right->i % one == 0)
        snprintf(hint->text, sizeof hint->text, "`%lld`", (long long)(right->i / one));
}

static void pair_hint_time(const cj__seg_node *right, pair_hint *hint)
{
    const cj__text text = right->text;

    if (right->op == CJ__SEG_DURATION)
        snprintf(hint->text, sizeof hint->text, "`within last %.*s`", (int)text.n,
                 text.data);
    else if (right->op == CJ__SEG_TEXT && text.n == 10 && text.data[4] == '-' &&
             text.data[7] == '-')
        snprintf(hint->text, sizeof hint->text, "`%.*s` without quotes", (int)text.n,
                 text.data);
}

static void pair_hint_of(const struct cj_db *db, const cj__seg_node *left,
                         const cj__seg_node *right, pair_hint *hint)
{
    hint->text[0] = '\0';
    if (left->type == CJ__TYPE_MONEY && right->op == CJ__SEG_NUMBER)
        snprintf(hint->text, sizeof hint->text, "`%.*s %s`", (int)right->text.n,
                 right->text.data, db->currency);
    else if (left->type == CJ__TYPE_TEXT && right->op == CJ__SEG_NUMBER)
        snprintf(hint->text, sizeof hint->text, "`\"%.*s\"`", (int)right->text.n,
                 right->text.data);
    else if (left->type == CJ__TYPE_NUMBER)
        pair_hint_number(left, right, db->currency_exponent, hint);
    else if (left->type == CJ__TYPE_TIME)
        pair_hint_time(right, hint);
}

/* ---- the check
 * ----------------------------------------------------------------------------- */

static int32_t pair_differ(const struct cj_db *db, const cj__seg_node *left,
                           const cj__seg_node *right)
{
    char called[CJ__CALLED];
    pair_hint hint;

    pair_hint_of(db, left, right, &hint);
    cj__seg_called(left, called);
    if (hint.text[0] != '\0')
        return cj__fail_at(right->begin, CJ_EINVAL, "%s is %s: write %s", called,
                           cj__seg_type_words(left->type), hint.text);
    return cj__fail_at(right->begin, CJ_EINVAL, "%s is %s and does not compare with %s",
                       called, cj__seg_type_words(left->type),
                       cj__seg_type_words(right->type));
}

/* A channel's share of a profile's events is between 0 and 1. */
static int pair_is_no_share(const cj__seg_node *left, const cj__seg_node *right)
{
    return strcmp(pair_function(left), "channel_share") == 0 &&
           right->op == CJ__SEG_NUMBER && right->d > 1;
}

int32_t cj__seg_check_pair(const struct cj_db *db, const cj__seg_node *left,
                           const cj__seg_node *right, int ordered)
{
    const cj__seg_node *duration = right->type == CJ__TYPE_DURATION ? right : left;

    if (pair_is_no_share(left, right))
        return cj__fail_at(right->begin, CJ_EINVAL,
                           "%.*s is not a share: write `%.*s %%`", (int)right->text.n,
                           right->text.data, (int)right->text.n, right->text.data);
    if (duration->type == CJ__TYPE_DURATION &&
        (left->type == CJ__TYPE_DYNAMIC || right->type == CJ__TYPE_DYNAMIC ||
         left->type == right->type))
        return cj__fail_at(duration->begin, CJ_EINVAL,
                           "a duration compares with nothing: `within last %.*s`?",
                           (int)duration->text.n, duration->text.data);
    if (left->type == CJ__TYPE_DYNAMIC || right->type == CJ__TYPE_DYNAMIC)
        return CJ_OK;
    if (left->type != right->type) {
        /* the literal is what is to be written otherwise */
        if (left->op >= CJ__SEG_NUMBER && left->op <= CJ__SEG_FALSE &&
            (right->op == CJ__SEG_CALL || right->op == CJ__SEG_FIELD))
            return pair_differ(db, right, left);
        return pair_differ(db, left, right);
    }
    if (ordered && left->type == CJ__TYPE_BOOLEAN)
        return cj__fail_at(right->begin, CJ_EINVAL, "true and false have no order");
    return CJ_OK;
}
