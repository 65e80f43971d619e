/* See word.h.  A word that is added here is known to every part of the front end: it
 * is parsed, checked, printed, and named in errors when something like it is written.
 */
#include "segment/word.h"

#include "base/nearest.h"
#include "identity/identity.h"

#include <stdio.h>
#include <string.h>

static const char *const word_reserved[] = {
    "and",      "or",       "not",    "true",        "false", "between", "in",
    "contains", "starts",   "ends",   "like",        "has",   "is",      "before",
    "after",    "on",       "within", "anniversary", "where", "any",     "of",
    "by",       "same",     "last",   "next",        "ever",  "today",   "yesterday",
    "this",     "previous", "since",  "until",       "from",
};

static char word_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

int cj__seg_same(cj__text name, const char *word)
{
    for (size_t i = 0; i < name.n; i++) {
        if (word[i] == '\0' || word_lower(name.data[i]) != word_lower(word[i]))
            return 0;
    }
    return word[name.n] == '\0';
}

int cj__seg_is_letters(cj__text text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = word_lower(text.data[i]);
        const int letter = (c >= 'a' && c <= 'z') || c == '_';

        if (!letter && (i == 0 || c < '0' || c > '9'))
            return 0;
    }
    return text.n > 0;
}

const char *cj__seg_reserved(size_t i)
{
    return i < sizeof word_reserved / sizeof word_reserved[0] ? word_reserved[i] : NULL;
}

int cj__seg_is_reserved(cj__text name)
{
    return cj__seg_find(name, cj__seg_reserved) != NULL;
}

int cj__seg_is_name(cj__text text)
{
    return cj__seg_is_letters(text) && !cj__seg_is_reserved(text);
}

const char *cj__seg_find(cj__text name, cj__seg_names names)
{
    const char *found;

    for (size_t i = 0; (found = names(i)) != NULL; i++) {
        if (cj__seg_same(name, found))
            return found;
    }
    return NULL;
}

/* ---- what was probably meant ------------------------------------------------------
 */

/* "adn": two neighbours that changed places are one slip, not two. */
static int word_is_swapped(cj__text a, cj__text b)
{
    size_t i = 0;

    if (a.n != b.n || a.n < 2)
        return 0;
    while (i + 2 < a.n && word_lower(a.data[i]) == word_lower(b.data[i]))
        i++;
    return word_lower(a.data[i]) == word_lower(b.data[i + 1]) &&
           word_lower(a.data[i + 1]) == word_lower(b.data[i]) &&
           cj__text_equal((cj__text){a.data + i + 2, a.n - i - 2},
                          (cj__text){b.data + i + 2, b.n - i - 2});
}

/* Of short words one letter may be wrong, of longer ones a third. */
static size_t word_tolerance(size_t n)
{
    return n < 4 ? 1 : n < 6 ? 2 : n / 3;
}

const char *cj__seg_nearest(cj__text said, cj__seg_names names)
{
    size_t least = word_tolerance(said.n) + 1;
    const char *name, *nearest = NULL;

    for (size_t i = 0; (name = names(i)) != NULL; i++) {
        const cj__text known = cj__text_of(name);
        const size_t distance =
            word_is_swapped(said, known) ? 1 : cj__name_distance(said, known);

        if (distance < least) {
            least = distance;
            nearest = name;
        }
    }
    return nearest;
}

const char *cj__seg_said(cj__text name, char said[CJ__SAID])
{
    if (cj__name_sayable(name))
        snprintf(said, CJ__SAID, "`%.*s`", (int)name.n, name.data);
    else
        memcpy(said, "...", 4);
    return said;
}

int32_t cj__seg_unknown(int64_t position, const char *what, cj__text said,
                        cj__seg_names names)
{
    const char *nearest = cj__seg_nearest(said, names);
    char name[CJ__SAID];

    cj__seg_said(said, name);
    if (nearest == NULL)
        return cj__fail_at(position, CJ_EINVAL, "unknown %s %s", what, name);
    return cj__fail_at(position, CJ_EINVAL, "unknown %s %s, did you mean `%s`?", what,
                       name, nearest);
}

/* ---- relations and arithmetic ------------------------------------------------------
 */

const cj__seg_relation cj__seg_relations[] = {
    {CJ__SEG_EQ,               CJ__RIGHT_VALUE,    "=",                   NULL,              1},
    {CJ__SEG_NE,               CJ__RIGHT_VALUE,    "!=",                  NULL,              1},
    {CJ__SEG_LT,               CJ__RIGHT_VALUE,    "<",                   NULL,              1},
    {CJ__SEG_LE,               CJ__RIGHT_VALUE,    "<=",                  NULL,              1},
    {CJ__SEG_GT,               CJ__RIGHT_VALUE,    ">",                   NULL,              1},
    {CJ__SEG_GE,               CJ__RIGHT_VALUE,    ">=",                  NULL,              1},
    {CJ__SEG_BETWEEN,          CJ__RIGHT_TWO,      "between",             "not between",     1},
    {CJ__SEG_IN,               CJ__RIGHT_LIST,     "in",                  "not in",          1},
    {CJ__SEG_CONTAINS,         CJ__RIGHT_TEXT,     "contains",            "not contains",    1},
    {CJ__SEG_STARTS,           CJ__RIGHT_TEXT,     "starts with",         "not starts with", 1},
    {CJ__SEG_ENDS,             CJ__RIGHT_TEXT,     "ends with",           "not ends with",   1},
    {CJ__SEG_LIKE,             CJ__RIGHT_TEXT,     "like",                "not like",        1},
    {CJ__SEG_HAS_ANY,          CJ__RIGHT_LIST,     "has any of",          NULL,              0},
    {CJ__SEG_HAS_ALL,          CJ__RIGHT_LIST,     "has all of",          NULL,              0},
    {CJ__SEG_HAS_NONE,         CJ__RIGHT_LIST,     "has none of",         NULL,              0},
    {CJ__SEG_IS_MISSING,       CJ__RIGHT_NONE,     "is missing",          NULL,              1},
    {CJ__SEG_IS_KNOWN,         CJ__RIGHT_NONE,     "is known",            NULL,              1},
    {CJ__SEG_IS_TRUE,          CJ__RIGHT_NONE,     "is true",             "is not true",     1},
    {CJ__SEG_IS_FALSE,         CJ__RIGHT_NONE,     "is false",            "is not false",    1},
    {CJ__SEG_IS_EMPTY,         CJ__RIGHT_NONE,     "is empty",            "is not empty",    0},
    {CJ__SEG_BEFORE,           CJ__RIGHT_TIME,     "before",              NULL,              0},
    {CJ__SEG_AFTER,            CJ__RIGHT_TIME,     "after",               NULL,              0},
    {CJ__SEG_ON,               CJ__RIGHT_DATE,     "on",                  NULL,              0},
    {CJ__SEG_WITHIN_LAST,      CJ__RIGHT_DURATION, "within last",         NULL,              0},
    {CJ__SEG_WITHIN_NEXT,      CJ__RIGHT_DURATION, "within next",         NULL,              0},
    {CJ__SEG_ANNIVERSARY_NEXT, CJ__RIGHT_DAYS,     "anniversary in next", NULL,              0},
    {CJ__SEG_ANNIVERSARY_LAST, CJ__RIGHT_DAYS,     "anniversary in last", NULL,              0},
    {CJ__SEG_NEAR,             CJ__RIGHT_PLACE,    "within km of",        NULL,              0},
    {0,                        0,                  NULL,                  NULL,              0},
};

const cj__seg_relation *cj__seg_relation_of(int32_t op)
{
    for (const cj__seg_relation *r = cj__seg_relations; r->op != 0; r++) {
        if (r->op == op)
            return r;
    }
    return NULL;
}

const char *cj__seg_relation_name(size_t i)
{
    return cj__seg_relations[i].text;
}

const char *cj__seg_sign(int32_t op)
{
    switch (op) {
    case CJ__SEG_ADD:
        return "+";
    case CJ__SEG_SUBTRACT:
        return "-";
    case CJ__SEG_MULTIPLY:
        return "*";
    case CJ__SEG_DIVIDE:
        return "/";
    default:
        return NULL;
    }
}

/* ---- fields -------------------------------------------------------------------------
 */

static const cj__seg_field_row word_fields[] = {
    {"channel",  CJ__TYPE_TEXT,    CJ__USE_COUNTS | CJ__USE_GIVES                  },
    {"session",  CJ__TYPE_TEXT,    CJ__USE_COUNTS | CJ__USE_SAME | CJ__USE_KEY_ONLY},
    {"campaign", CJ__TYPE_TEXT,    CJ__USE_COUNTS | CJ__USE_GIVES | CJ__USE_SAME   },
    {"content",  CJ__TYPE_TEXT,    CJ__USE_COUNTS | CJ__USE_GIVES                  },
    {"product",  CJ__TYPE_TEXT,    CJ__USE_COUNTS | CJ__USE_GIVES | CJ__USE_SAME   },
    {"order",    CJ__TYPE_TEXT,    CJ__USE_COUNTS | CJ__USE_SAME | CJ__USE_KEY_ONLY},
    {"quantity", CJ__TYPE_NUMBER,  CJ__USE_SUMS | CJ__USE_GIVES                    },
    {"value",    CJ__TYPE_MONEY,   CJ__USE_SUMS | CJ__USE_GIVES                    },
    {"currency", CJ__TYPE_TEXT,    CJ__USE_GIVES                                   },
    {"hour",     CJ__TYPE_NUMBER,  CJ__USE_GIVES                                   },
    {"weekday",  CJ__TYPE_NUMBER,  CJ__USE_GIVES                                   },
    {"weekend",  CJ__TYPE_BOOLEAN, CJ__USE_GIVES                                   },
};
enum { WORD_FIELDS = sizeof word_fields / sizeof word_fields[0] };

const cj__seg_field_row *cj__seg_field_named(cj__text name)
{
    for (size_t i = 0; i < WORD_FIELDS; i++) {
        if (cj__seg_same(name, word_fields[i].name))
            return &word_fields[i];
    }
    return NULL;
}

/* "properties" is behind the others: it is a field with a path. */
const char *cj__seg_field_name(size_t i)
{
    return i < WORD_FIELDS    ? word_fields[i].name
           : i == WORD_FIELDS ? "properties"
                              : NULL;
}

const char *cj__seg_same_name(size_t i)
{
    for (size_t k = 0; k < WORD_FIELDS; k++) {
        if ((word_fields[k].uses & CJ__USE_SAME) != 0 && i-- == 0)
            return word_fields[k].name;
    }
    return NULL;
}

/* ---- other names
 * --------------------------------------------------------------------- */

const char *cj__seg_stage_name(size_t i)
{
    static const char *const names[] = {"awareness", "consideration", "purchase",
                                        "retention", "advocacy"};

    return i < sizeof names / sizeof names[0] ? names[i] : NULL;
}

const char *cj__seg_kind_name(size_t i)
{
    return i < CJ__N_KINDS ? cj__kinds()[i].name : NULL;
}

const char *cj__seg_period_name(size_t i)
{
    static const char *const names[] = {"days", "weeks", "months"};

    return i < sizeof names / sizeof names[0] ? names[i] : NULL;
}

const char *cj__seg_period_named(cj__text name)
{
    static const char *const one[] = {"day", "week", "month"};

    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++) {
        if (cj__seg_same(name, one[i]))
            return cj__seg_period_name(i);
    }
    return cj__seg_find(name, cj__seg_period_name);
}

static const struct {
    const char *name;
    int64_t ms;
} word_units[] = {
    {"second",  1000     },
    {"minute",  60000    },
    {"hour",    3600000  },
    {"day",     86400000 },
    {"week",    604800000},
    {"seconds", 1000     },
    {"minutes", 60000    },
    {"hours",   3600000  },
    {"days",    86400000 },
    {"weeks",   604800000},
};

int64_t cj__seg_unit_ms(cj__text name)
{
    for (size_t i = 0; i < sizeof word_units / sizeof word_units[0]; i++) {
        if (cj__seg_same(name, word_units[i].name))
            return word_units[i].ms;
    }
    return 0;
}

const char *cj__seg_unit_name(size_t i)
{
    return i < sizeof word_units / sizeof word_units[0] ? word_units[i].name : NULL;
}

static const struct {
    int32_t window;
    const char *first, *second, *text;
} word_windows[] = {
    {CJ__WIN_EVER,           "ever",      "",      "ever"          },
    {CJ__WIN_TODAY,          "today",     "",      "today"         },
    {CJ__WIN_YESTERDAY,      "yesterday", "",      "yesterday"     },
    {CJ__WIN_THIS_WEEK,      "this",      "week",  "this week"     },
    {CJ__WIN_THIS_MONTH,     "this",      "month", "this month"    },
    {CJ__WIN_THIS_YEAR,      "this",      "year",  "this year"     },
    {CJ__WIN_PREVIOUS_WEEK,  "previous",  "week",  "previous week" },
    {CJ__WIN_PREVIOUS_MONTH, "previous",  "month", "previous month"},
    {CJ__WIN_PREVIOUS_YEAR,  "previous",  "year",  "previous year" },
};

const char *cj__seg_window_words(int32_t window)
{
    for (size_t i = 0; i < sizeof word_windows / sizeof word_windows[0]; i++) {
        if (word_windows[i].window == window)
            return word_windows[i].text;
    }
    return NULL;
}

int32_t cj__seg_window_named(cj__text first, cj__text second)
{
    for (size_t i = 0; i < sizeof word_windows / sizeof word_windows[0]; i++) {
        if (cj__seg_same(first, word_windows[i].first) &&
            cj__seg_same(second, word_windows[i].second))
            return word_windows[i].window;
    }
    return -1;
}
