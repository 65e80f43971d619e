/* The functions of the segment language, a row each: how it is called, what it gives,
 * what it means.  Parser, check, printer, evaluator, tests and docs/SEGMENTS.md walk
 * this table; what a function does is in the call_*.c of the evaluator, by its name. */
#include "segment/word.h"

#define NONE CJ__TYPE_NONE
#define BOOLEAN CJ__TYPE_BOOLEAN
#define NUMBER CJ__TYPE_NUMBER
#define MONEY CJ__TYPE_MONEY
#define TIME CJ__TYPE_TIME
#define TEXT CJ__TYPE_TEXT

/* As columns a row would be 250 characters wide. */
/* clang-format off */
const cj__seg_function cj__seg_functions[] = {
    /* name, arguments, window, type, meaning, example */
    {"count", "s", 1, NUMBER,
     "how many events match",
     "count(product_view, last 7 days) >= 3"},
    {"sum", "fs", 1, NONE,
     "sum of a field over the matching events that have it: value (money), quantity "
     "or a property that is a number",
     "sum(quantity, order_item where product = \"SKU-1\") > 10"},
    {"avg", "fs", 1, NONE,
     "mean of a field over the matching events that have it; money is rounded half "
     "to even",
     "avg(properties.rating, review) >= 4"},
    {"min", "fs", 1, NONE,
     "smallest value of a field",
     "min(value, orders, last 365 days) >= 20 EUR"},
    {"max", "fs", 1, NONE,
     "largest value of a field",
     "max(value, orders) > 500 EUR"},
    {"distinct", "fs", 1, NUMBER,
     "how many different values a field has",
     "distinct(product, product_view, last 30 days) >= 5"},
    {"share", "h", 1, NUMBER,
     "matching events of the first kind divided by those of the second",
     "share(orders where channel = \"app\" of orders) > 50 %"},
    {"first", "s", 1, TIME,
     "when the first matching event happened",
     "first(order) before 2024-01-01"},
    {"last", "s", 1, TIME,
     "when the last matching event happened",
     "last(order) within last 30 days"},
    {"first_value", "fs", 1, NONE,
     "the field in the first matching event that has it",
     "first_value(campaign, any) = \"spring\""},
    {"last_value", "fs", 1, NONE,
     "the field in the last matching event that has it",
     "last_value(properties.plan, subscribe) = \"gold\""},
    {"days_since", "e", 0, NUMBER,
     "whole times 24 hours since a moment, rounded down",
     "days_since(last(order)) > 90"},
    {"hours_since", "e", 0, NUMBER,
     "whole hours since a moment, rounded down",
     "hours_since(last(cart_add)) between 1 and 48"},
    {"first_time", "s", 1, BOOLEAN,
     "the first matching event ever lies in the window",
     "first_time(order, last 30 days)"},
    {"regularly", "sp", 0, BOOLEAN,
     "some matching event in at least K of the last N complete calendar days, weeks "
     "(from Monday) or months",
     "regularly(orders, 3 of last 6 months)"},
    {"stopped", "sd", 0, BOOLEAN,
     "none in the last D, some in the D before",
     "stopped(app_open, 14 days)"},
    {"restarted", "sd", 0, BOOLEAN,
     "some in the last D, none in the D before, some before that",
     "restarted(orders, 180 days)"},
    {"more", "sd", 0, BOOLEAN,
     "more in the last D than in the D before",
     "more(page_view, 7 days)"},
    {"less", "sd", 0, BOOLEAN,
     "fewer in the last D than in the D before",
     "less(orders, 90 days)"},
    {"trend", "sd", 0, NUMBER,
     "events in the last D divided by those in the D before; missing when there "
     "were none",
     "trend(page_view, 30 days) < 50 %"},
    {"median_days_between", "s", 1, NUMBER,
     "median of the gaps between neighbouring events, in days; missing below 2 events",
     "median_days_between(orders) <= 30"},
    {"overdue", "sn", 0, BOOLEAN,
     "longer since the last event than so many times the usual gap; unknown below 2 "
     "events",
     "overdue(orders, 2)"},
    {"sequence", "q", 1, BOOLEAN,
     "these events one after the other, each within its time of the one before, the "
     "first in the window; `same product`, `order`, `session` or `campaign`: it is "
     "the same in all",
     "sequence(product_view -> cart_add within 1 day -> order within 7 days, same "
     "session)"},
    {"not_followed", "w", 1, BOOLEAN,
     "some first event in the window whose time is over without the second",
     "not_followed(cart_add by order within 1 day, last 7 days)"},
    {"without", "us", 1, BOOLEAN,
     "the first event in the window, later the second, and no third kind between them",
     "without(cart_add -> order, coupon_apply)"},
    {"orders", "", 1, NUMBER,
     "orders with a positive total",
     "orders(last 90 days) = 0"},
    {"items", "", 1, NUMBER,
     "pieces bought: the quantities of order items",
     "items() >= 10"},
    {"revenue", "", 1, MONEY,
     "values of orders less refunds",
     "revenue(last 365 days) > 200 EUR"},
    {"gross", "", 1, MONEY,
     "values of orders",
     "gross(this year) >= 1000 EUR"},
    {"average_order", "", 1, MONEY,
     "gross divided by orders, rounded half to even; missing without orders",
     "average_order() < 30 EUR"},
    {"largest_order", "", 1, MONEY,
     "the largest order; missing without orders",
     "largest_order(last 365 days) >= 250 EUR"},
    {"refund_share", "", 1, NUMBER,
     "values of refunds divided by gross",
     "refund_share(last 365 days) > 30 %"},
    {"bought", "b", 1, BOOLEAN,
     "an order item of this product, of one of these, or that passes the filter",
     "bought((\"SKU-1\", \"SKU-2\"), last 90 days)"},
    {"bought_together", "tt", 1, BOOLEAN,
     "both products in one order",
     "bought_together(\"SKU-1\", \"SKU-2\")"},
    {"sessions", "", 1, NUMBER,
     "different sessions",
     "sessions(last 7 days) >= 3"},
    {"session_minutes", "", 1, NUMBER,
     "mean minutes from the first to the last event of a session",
     "session_minutes(last 30 days) > 5"},
    {"pages_per_session", "", 1, NUMBER,
     "page_view events of sessions divided by sessions",
     "pages_per_session() >= 4"},
    {"channels", "", 1, NUMBER,
     "different channels",
     "channels(last 365 days) >= 2"},
    {"channel_share", "c", 1, NUMBER,
     "events of the channel divided by events that have one",
     "channel_share(store, last 365 days) > 50 %"},
    {"first_channel", "", 1, TEXT,
     "channel of the first event that has one",
     "first_channel() = \"email\""},
    {"last_channel", "", 1, TEXT,
     "channel of the last event that has one",
     "last_channel(last 30 days) = \"app\""},
    {"top_channel", "", 1, TEXT,
     "the channel of most events; of equals the first in byte order",
     "top_channel(last 90 days) in (\"web\", \"app\")"},
    {"touched", "t", 1, BOOLEAN,
     "an event of this campaign",
     "touched(\"spring-sale\", last 30 days)"},
    {"seen", "t", 1, BOOLEAN,
     "an event with this content",
     "seen(\"hero-banner\", last 7 days)"},
    {"responded", "td", 0, BOOLEAN,
     "an event of this campaign, and an order after it within the time",
     "responded(\"spring-sale\", 14 days)"},
    {"stage", "g", 0, BOOLEAN,
     "the stage of the journey was reached: awareness, consideration, purchase, "
     "retention, advocacy",
     "stage(consideration) and not stage(purchase)"},
    {"has", "k", 0, BOOLEAN,
     "an identifier of this kind is known",
     "has(email)"},
    {"identifiers", "k?", 0, NUMBER,
     "how many identifiers, of all kinds or of one",
     "identifiers(device_id) >= 3"},
    {"shared_device", "", 0, BOOLEAN,
     "a device of the profile also belongs to somebody else",
     "not shared_device()"},
    {"source", "r", 0, TEXT,
     "where the newest value of a trait came from",
     "source(country) = \"crm\""},
    {"score", "x", 0, NUMBER,
     "the trait of that name, if it is a number",
     "score(\"churn_risk\") >= 0.7"},
    {"consent", "xx", 0, BOOLEAN,
     "consent given for a channel and a purpose; unknown when never asked",
     "consent(\"email\", \"newsletter\")"},
    {"in_segment", "x", 0, BOOLEAN,
     "in another segment",
     "in_segment(\"vip\") and orders(last 90 days) = 0"},
    {"in_list", "x", 0, BOOLEAN,
     "in a static list of profiles",
     "not in_list(\"employees\")"},
    {"sample", "%x", 0, BOOLEAN,
     "a stable random share of all profiles, drawn by the text",
     "sample(10 %, \"test-a\")"},
};
/* clang-format on */

const int32_t cj__seg_n_functions =
    sizeof cj__seg_functions / sizeof cj__seg_functions[0];

int32_t cj__seg_function_named(cj__text name)
{
    for (int32_t i = 0; i < cj__seg_n_functions; i++) {
        if (cj__seg_same(name, cj__seg_functions[i].name))
            return i;
    }
    return -1;
}

const char *cj__seg_function_name(size_t i)
{
    return i < (size_t)cj__seg_n_functions ? cj__seg_functions[i].name : NULL;
}
