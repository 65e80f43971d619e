/* Random segments that are right by grammar and types: every function, relation, window
 * and literal, with names and texts that need care, in spellings that are not
 * canonical. */
#include "segment_front.h"

#include <string.h>

typedef struct random_dice {
    cj__str *s;
    uint64_t *state;
    int left; /* parts that may still be made */
} random_dice;

static uint32_t random_below(random_dice *d, uint32_t n)
{
    *d->state = *d->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*d->state >> 33) % n;
}

static void random_put(random_dice *d, const char *text)
{
    cj__str_put_text(d->s, text);
}

#define RANDOM_ONE_OF(d, ...)                                                          \
    random_one_of(d, (const char *const[]){__VA_ARGS__},                               \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void random_one_of(random_dice *d, const char *const *texts, size_t n)
{
    random_put(d, texts[random_below(d, (uint32_t)n)]);
}

static void random_condition(random_dice *d);
static void random_number(random_dice *d);

/* Any character that a text may have, often those that need care. */
static void random_text(random_dice *d)
{
    const uint32_t n = random_below(d, 6);

    random_put(d, random_below(d, 5) == 0 ? "i\"" : "\"");
    for (uint32_t i = 0; i < n; i++)
        RANDOM_ONE_OF(d, "a", "B", " ", "*", "?", "--", "(", "\\\"", "\\\\", "\\n",
                      "\\t", "\\u0001", "\\u00e9", "\\ud83d\\ude00", "\xc3\xa9", "1",
                      ",", "\xe2\x82\xac", "\x7f", "and");
    random_put(d, "\"");
}

static void random_duration(random_dice *d)
{
    RANDOM_ONE_OF(d, "1 day", "90 days", "0 seconds", "36 hours", "24 hours", "2 weeks",
                  "90 seconds", "61 seconds", "47482 days", "007 Days", "1 MINUTE");
}

static void random_some_duration(random_dice *d)
{
    RANDOM_ONE_OF(d, "1 day", "90 days", "1 second", "36 hours", "2 weeks");
}

static void random_date(random_dice *d)
{
    RANDOM_ONE_OF(d, "2025-03-01", "2024-02-29", "1900-12-31", "2025-03-30T02:30",
                  "2025-03-01T10:30:15", "2025-03-01T10:30Z",
                  "2025-03-01T10:30:15+01:00", "2025-03-01T10:30:15.250-05:30");
}

static void random_window(random_dice *d, const char *before)
{
    const uint32_t kind = random_below(d, 9);

    if (kind == 0)
        return;
    random_put(d, before);
    if (kind < 3) {
        random_put(d, "last ");
        random_duration(d);
    } else if (kind == 3) {
        random_put(d, "between ");
        random_duration(d);
        random_put(d, " and ");
        random_duration(d);
        random_put(d, " ago");
    } else if (kind == 4) {
        RANDOM_ONE_OF(d, "since last order", "since last \"any\"", "since last orders",
                      "since last any", "since last \"x y\"");
    } else if (kind == 5) {
        RANDOM_ONE_OF(d, "since ", "until ");
        random_date(d);
    } else if (kind == 6) {
        random_put(d, "from ");
        random_date(d);
        random_put(d, " to ");
        random_date(d);
    } else {
        RANDOM_ONE_OF(d, "ever", "today", "yesterday", "this week", "THIS month",
                      "this year", "previous week", "previous month", "previous year");
    }
}

static void random_list(random_dice *d, const char *first, const char *second)
{
    const uint32_t n = 1 + random_below(d, 4);

    for (uint32_t i = 0; i < n; i++) {
        random_put(d, i == 0 ? "(" : ",");
        random_put(d, random_below(d, 2) == 0 ? first : second);
    }
    random_put(d, ")");
}

static void random_filter(random_dice *d, int depth)
{
    const uint32_t kind = random_below(d, depth < 3 ? 14 : 10);

    switch (kind) {
    case 0:
    case 1:
        RANDOM_ONE_OF(d, "channel", "campaign", "content", "product", "currency",
                      "properties.a", "properties.last.b[].c", "properties.x[]");
        RANDOM_ONE_OF(d, " = ", " != ", " < ", " like ", " contains ", " not like ",
                      " starts with ", " not ends with ", ">=");
        random_text(d);
        break;
    case 2:
        RANDOM_ONE_OF(d, "session", "order", "Order");
        RANDOM_ONE_OF(d, " = \"1\"", " != \"x\"", " in (\"1\", \"2\")", " is known",
                      " is not known", " not in (\"1\")");
        break;
    case 3:
        RANDOM_ONE_OF(d, "quantity", "hour", "weekday", "properties.n");
        RANDOM_ONE_OF(d, " between 1 and 5", " not between -1 and 5", "=-2",
                      " in (1, -2.50)", " <= 50 %", " is missing");
        break;
    case 4:
        RANDOM_ONE_OF(d, "value > 5 EUR", "value between 0 EUR and 19.90 EUR",
                      "value not in (1 EUR, -2.05 EUR)",
                      "properties.when < 2025-01-01");
        break;
    case 5:
        RANDOM_ONE_OF(d, "weekend", "weekend is false", "weekend is not true",
                      "weekend = true", "properties.ok is true");
        break;
    case 6:
        random_put(d, "properties.p in ");
        random_list(d, "\"a\"", "5 EUR");
        break;
    case 7:
    case 8:
    case 9:
        random_put(d, "not ");
        random_filter(d, depth + 1);
        break;
    default:
        random_put(d, "(");
        random_filter(d, depth + 1);
        RANDOM_ONE_OF(d, " and ", " or ");
        random_filter(d, depth + 1);
        random_put(d, ")");
    }
}

static void random_selector(random_dice *d)
{
    RANDOM_ONE_OF(d, "order", "orders", "refunds", "any", "\"orders\"", "\"any\"",
                  "\"a b\"", "\"order\"", "view", "\"last\"", "_x", "\"\\u00fc\"");
    if (random_below(d, 4) == 0) {
        random_put(d, " where ");
        random_filter(d, 0);
    }
}

static void random_selector_call(random_dice *d, const char *name, const char *before,
                                 void (*after)(random_dice *d))
{
    random_put(d, name);
    random_put(d, "(");
    random_put(d, before);
    random_selector(d);
    if (after != NULL) {
        random_put(d, ", ");
        after(d);
    } else {
        random_window(d, ", ");
    }
    random_put(d, ")");
}

static void random_trait(random_dice *d)
{
    RANDOM_ONE_OF(d, "a", "country", "address.city", "x.last.in", "trait(\"a b\")",
                  "trait(\"a.b\")", "trait(\"last\")", "trait(\"plain\")", "first",
                  "all");
}

static void random_time(random_dice *d)
{
    switch (random_below(d, 4)) {
    case 0:
        random_selector_call(d, random_below(d, 2) == 0 ? "first" : "LAST", "", NULL);
        break;
    case 1:
        RANDOM_ONE_OF(d, "last order", "first any");
        break;
    case 2:
        random_date(d);
        break;
    default:
        random_trait(d);
    }
}

static void random_money(random_dice *d)
{
    switch (random_below(d, 4)) {
    case 0:
        RANDOM_ONE_OF(d, "200 EUR", "19.99 EUR", "-5 EUR", "0.10 EUR", "1.00 EUR");
        break;
    case 1:
        RANDOM_ONE_OF(d, "revenue", "gross", "average_order", "largest_order");
        random_put(d, "(");
        random_window(d, "");
        random_put(d, ")");
        break;
    case 2:
        RANDOM_ONE_OF(d, "sum", "avg", "min", "max", "first_value", "last_value");
        random_selector_call(d, "", "value, ", NULL);
        break;
    default:
        RANDOM_ONE_OF(d, "gross() * ", "2 * gross() - 1 EUR + revenue() / ",
                      "-gross() / ");
        random_number(d);
    }
}

static void random_number_call(random_dice *d)
{
    switch (random_below(d, 8)) {
    case 0:
        RANDOM_ONE_OF(d, "orders", "items", "sessions", "channels", "pages_per_session",
                      "refund_share", "session_minutes");
        random_put(d, "(");
        random_window(d, "");
        random_put(d, ")");
        break;
    case 1:
        RANDOM_ONE_OF(d, "sum", "avg", "MIN", "max");
        random_selector_call(
            d, "", random_below(d, 2) ? "quantity, " : "properties.a.b, ", NULL);
        break;
    case 2:
        random_selector_call(d, random_below(d, 2) ? "count" : "median_days_between",
                             "", NULL);
        break;
    case 3:
        random_put(d, random_below(d, 2) ? "days_since(" : "hours_since(");
        random_time(d);
        random_put(d, ")");
        break;
    case 4:
        random_selector_call(d, "trend", "", random_some_duration);
        break;
    case 5:
        random_put(d, "share(");
        random_selector(d);
        random_put(d, " of ");
        random_selector(d);
        random_window(d, ", ");
        random_put(d, ")");
        break;
    case 6:
        RANDOM_ONE_OF(d, "identifiers()", "identifiers(email)", "score(\"x\")",
                      "1 * channel_share(web)",
                      "(0 + channel_share(\"e-mail\", today))");
        break;
    default:
        random_selector_call(d, "distinct", "properties.x.y, ", NULL);
    }
}

static void random_number(random_dice *d)
{
    const uint32_t kind = random_below(d, d->left-- > 0 ? 8 : 4);

    if (kind < 2) {
        RANDOM_ONE_OF(d, "0", "1", "-5", "12.50", "007", "50 %", "-0", "0.1 %");
    } else if (kind < 4) {
        random_number_call(d);
    } else if (kind == 4) {
        random_trait(d);
    } else if (kind == 5) {
        random_put(d, "-");
        random_put(d, " (");
        random_number(d);
        random_put(d, ")");
    } else {
        random_put(d, "(");
        random_number(d);
        RANDOM_ONE_OF(d, " + ", " - ", "*", "/", " - - ", " / - ");
        random_number(d);
        random_put(d, ")");
    }
}

/* ---- conditions --------------------------------------------------------------------
 */

static void random_boolean_call(random_dice *d)
{
    switch (random_below(d, 12)) {
    case 0:
        random_selector_call(d, "first_time", "", NULL);
        break;
    case 1:
        random_selector_call(d, "Stopped", "", random_some_duration);
        break;
    case 2:
        random_selector_call(d, random_below(d, 2) ? "more" : "restarted", "",
                             random_some_duration);
        break;
    case 3:
        random_put(d, "regularly(");
        random_selector(d);
        RANDOM_ONE_OF(d, ", 1 of last 1 day)", ", 3 of last 6 months)",
                      ", 2 of last 1000000 weeks)");
        break;
    case 4:
        random_put(d, "overdue(");
        random_selector(d);
        RANDOM_ONE_OF(d, ", 2)", ", 0.50)", ", -1)");
        break;
    case 5:
        random_put(d, "sequence(");
        random_selector(d);
        for (uint32_t i = 0, n = 1 + random_below(d, 4); i < n; i++) {
            random_put(d, " -> ");
            random_selector(d);
            if (random_below(d, 2) == 0) {
                random_put(d, " within ");
                random_some_duration(d);
            }
        }
        RANDOM_ONE_OF(d, "", "", ", same product", ", SAME order", ", same campaign");
        random_window(d, ", ");
        random_put(d, ")");
        break;
    case 6:
        random_put(d, "not_followed(");
        random_selector(d);
        random_put(d, " by ");
        random_selector(d);
        random_put(d, " within ");
        random_some_duration(d);
        random_window(d, ", ");
        random_put(d, ")");
        break;
    case 7:
        random_put(d, "without(");
        random_selector(d);
        random_put(d, " -> ");
        random_selector(d);
        random_put(d, ", ");
        random_selector(d);
        random_window(d, ", ");
        random_put(d, ")");
        break;
    case 8:
        random_put(d, "bought(");
        if (random_below(d, 2) == 0) {
            random_put(d, "where ");
            random_filter(d, 0);
        } else {
            RANDOM_ONE_OF(d, "\"A\"", "i\"a\"", "(\"A\")", "(\"A\", i\"b\", \"\")");
        }
        random_window(d, ", ");
        random_put(d, ")");
        break;
    case 9:
        RANDOM_ONE_OF(d, "touched(", "seen(", "bought_together(i\"x\", ");
        random_text(d);
        random_window(d, ", ");
        random_put(d, ")");
        break;
    case 10:
        random_put(d, "responded(");
        random_text(d);
        random_put(d, ", ");
        random_some_duration(d);
        random_put(d, ")");
        break;
    default:
        RANDOM_ONE_OF(d, "has(email)", "HAS(Guest)", "shared_device()",
                      "stage(purchase)", "in_segment(\"a\\\"b\")", "in_list(\"x\")",
                      "consent(\"a\", \"b\")", "sample(10 %, \"s\")",
                      "sample(0.5 %, \"\")", "vip", "x.last",
                      "channel_share(i\"WEB\") > 50 %", "channel_share(not) = 1");
    }
}

static void random_text_condition(random_dice *d)
{
    if (random_below(d, 2) == 0)
        random_trait(d);
    else
        RANDOM_ONE_OF(d, "first_channel()", "top_channel(today)", "source(country)",
                      "source(trait(\"a.b\"))", "source(x.y)",
                      "first_value(product, any)", "last_value(properties.x, order)");
    if (random_below(d, 4) == 0) {
        RANDOM_ONE_OF(d, " in ", " not in ", " has any of ", " has all of ",
                      " has none of ");
        random_list(d, "\"a\"", "i\"B\"");
    } else if (random_below(d, 4) == 0) {
        RANDOM_ONE_OF(d, " is missing", " is not missing", " is empty", " is not empty",
                      " IS NOT known");
    } else {
        RANDOM_ONE_OF(d, " = ", "!=", " < ", " contains ", " not contains ", " like ",
                      " starts with ", " not starts with ", " ends with ", ">=");
        random_text(d);
    }
}

static void random_time_condition(random_dice *d)
{
    const uint32_t kind = random_below(d, 7);

    random_time(d);
    if (kind == 0) {
        RANDOM_ONE_OF(d, " within last ", " within next ");
        random_duration(d);
    } else if (kind == 1) {
        RANDOM_ONE_OF(d, " anniversary in today", " anniversary in last 0 days",
                      " anniversary in next 1 week", " anniversary in last 3 days",
                      " in next 14 days", " on 2025-03-01");
    } else if (kind == 2) {
        random_put(d, " between ");
        random_time(d);
        random_put(d, " and ");
        random_time(d);
    } else if (kind == 3) {
        random_put(d, " - ");
        random_time(d);
        random_put(d, " > 3");
    } else {
        RANDOM_ONE_OF(d, " before ", " after ", " = ", " >= ");
        random_time(d);
    }
}

static void random_compared(random_dice *d)
{
    switch (random_below(d, 5)) {
    case 0:
    case 1:
        random_number(d);
        RANDOM_ONE_OF(d, " = ", " != ", "<", " <= ", ">", ">=");
        random_number(d);
        break;
    case 2:
        random_number(d);
        RANDOM_ONE_OF(d, " between ", " not between ");
        random_number(d);
        random_put(d, " and ");
        random_number(d);
        break;
    case 3:
        random_money(d);
        RANDOM_ONE_OF(d, " > ", " = ", " <= ");
        random_money(d);
        break;
    default:
        random_trait(d);
        RANDOM_ONE_OF(d, " within 5 km of (52.52, -13.405)", " in (1, \"a\", true)",
                      " within 0.50 km of (-0, 180)", " is not false", " = FALSE",
                      " in (2025-01-01, -1 EUR, 5 %, 2025-03-01T10:30Z)");
    }
}

static void random_chain(random_dice *d)
{
    const char *word = random_below(d, 2) == 0 ? " and " : " or ";
    const uint32_t n = 2 + random_below(d, 3);
    const int brackets = random_below(d, 3) > 0;

    random_put(d, brackets ? "(" : "");
    for (uint32_t i = 0; i < n; i++) {
        random_put(d, i == 0 ? "" : word);
        random_condition(d);
    }
    random_put(d, brackets ? ")" : "");
}

static void random_condition(random_dice *d)
{
    switch (random_below(d, d->left-- > 0 ? 12 : 7)) {
    case 0:
    case 1:
        random_compared(d);
        break;
    case 2:
    case 3:
        random_boolean_call(d);
        break;
    case 4:
        random_text_condition(d);
        break;
    case 5:
    case 6:
        random_time_condition(d);
        break;
    case 7:
        random_put(d, "NOT ");
        random_condition(d);
        break;
    case 8:
        random_put(d, "(");
        random_condition(d);
        RANDOM_ONE_OF(d, ") is known", ") is true", ") = false", ") is not true",
                      ") -- \"comment\" (\n is missing", ")");
        break;
    default:
        random_chain(d);
    }
}

void random_segment(cj__str *s, uint64_t *state, int parts)
{
    random_dice d = {s, state, parts};

    random_condition(&d);
}
