/* Segment's spec as Segment, RudderStack and Jitsu send it: identity, time, names,
 * money, items.  The table of names is compared with docs/EVENTS.md. */
#include "events/segment_names.h"
#include "harness.h"
#include "messages.h"

#include <stdio.h>
#include <string.h>

static void expect(const char *json, const char *expected)
{
    cj_db db;
    char *text;

    messages_open(&db, "USD");
    text = messages_describe(&db, "segment", json);
    ck_assert_str_eq(text, expected);
    free(text);
    messages_close(&db);
}

/* A track call of user u with these properties. */
static void expect_track(const char *event, const char *properties,
                         const char *expected)
{
    char json[4096];

    snprintf(json, sizeof json,
             "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"%s\",\"properties\":%s}",
             event, properties);
    expect(json, expected);
}

/* ---- who, when, where ------------------------------------------------------------ */

START_TEST(test_events_message_segment__identifiers)
{
    expect(
        "{\"type\":\"track\",\"event\":\"x\",\"userId\":97,\"anonymousId\":\"a\","
        "\"context\":"
        "{\"device\":{\"id\":\"d\"},\"traits\":{\"email\":\"e@x\",\"phone\":\"1\"}}}",
        "x user_id=97 anonymous_id=a device_id=d email=e@x phone=1");
    expect(
        "{\"type\":\"track\",\"event\":\"x\",\"userId\":null,\"anonymousId\":\"\","
        "\"traits\":{\"email\":\"e@x\"},\"context\":{\"traits\":{\"email\":\"e@x\"}}}",
        "x email=e@x");
    expect(
        "{\"type\":\"track\",\"event\":\"x\",\"properties\":{\"email\":\"friend@x\"},"
        "\"userId\":\"u\"}",
        "x user_id=u properties={\"email\":\"friend@x\"}");
}
END_TEST

START_TEST(test_events_message_segment__time)
{
    static const char *const cases[][2] = {
        {"\"timestamp\":\"2024-01-01T00:00:00Z\",\"originalTimestamp\":\"2023-01-01\"",
         "2024-01-01T00:00:00.000Z"                                                                               },
 /* the sender's clock is an hour late */
        {"\"originalTimestamp\":\"2024-01-01T00:00:00Z\",\"sentAt\":\"2024-01-01T00:00:"
         "10Z\","
         "\"receivedAt\":\"2024-01-01T01:00:10.5Z\"",                          "2024-01-01T01:00:00.500Z"},
        {"\"originalTimestamp\":\"2024-01-01T00:00:00Z\",\"sentAt\":\"2024-01-01T09:00:"
         "00Z\"",                                                              "2024-01-01T00:00:00.000Z"},
        {"\"sentAt\":\"2024-01-01T00:00:10Z\",\"receivedAt\":\"2024-01-01T01:00:10."
         "5Z\"",                                                               "2024-01-01T01:00:10.500Z"},
        {"\"sentAt\":\"2024-01-01T00:00:10+02:00\"",                                    "2023-12-31T22:00:10.000Z"},
        {"\"timestamp\":\"2024-01-01\",\"sentAt\":\"soon\"",
         "2024-01-01T00:00:00.000Z"                                                                               },
        {"\"timestamp\":1704067200123",                                                 "2024-01-01T00:00:00.123Z"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[512], expected[128];

        snprintf(json, sizeof json,
                 "{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u\",%s}",
                 cases[i][0]);
        snprintf(expected, sizeof expected, "x %s user_id=u", cases[i][1]);
        expect(json, expected);
    }
    expect(
        "{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u\",\"timestamp\":\"soon\"}",
        "rejected: timestamp must be ISO 8601 or whole milliseconds");
}
END_TEST

START_TEST(test_events_message_segment__channel)
{
    static const char *const cases[][2] = {
        {"\"channel\":\"browser\"",                                               "web"   },
        {"\"channel\":\"mobile\"",                                                "app"   },
        {"\"channel\":\"server\"",                                                "server"},
        {"\"channel\":\"kiosk\"",                                                 "kiosk" },
        {"\"context\":{\"channel\":\"Browser\"}",                                 "web"   },
        {"\"context\":{\"device\":{\"type\":\"iOS\"},\"page\":{\"path\":\"/\"}}",
         "app"                                                                            },
        {"\"context\":{\"device\":{\"type\":\"android\"}}",                       "app"   },
        {"\"context\":{\"page\":{\"path\":\"/\"}}",                               "web"   },
        {"\"channel\":\"server\",\"context\":{\"page\":{\"path\":\"/\"}}",        "server"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[512], expected[128];

        snprintf(json, sizeof json,
                 "{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u\",%s}",
                 cases[i][0]);
        snprintf(expected, sizeof expected, "x %s user_id=u", cases[i][1]);
        expect(json, expected);
    }
    expect(
        "{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u\",\"context\":{\"page\":{},"
        "\"library\":{\"name\":\"node\"}}}",
        "x user_id=u");
}
END_TEST

START_TEST(test_events_message_segment__session_and_campaign)
{
    expect(
        "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"m\",\"context\":{"
        "\"sessionId\":17,"
        "\"campaign\":{\"name\":\"spring\",\"content\":\"banner\",\"source\":\"g\"}}}",
        "page_view user_id=u session=17 campaign=spring content=banner id=m");
    expect("{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u\",\"context\":{"
           "\"session_id\":\"s\"},"
           "\"properties\":{\"session_id\":\"t\"}}",
           "x user_id=u session=s properties={\"session_id\":\"t\"}");
    expect("{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u\",\"properties\":{"
           "\"session_id\":\"t\"}}",
           "x user_id=u session=t properties={\"session_id\":\"t\"}");
}
END_TEST

/* ---- orders
 * -------------------------------------------------------------------------- */

START_TEST(test_events_message_segment__an_order_with_items)
{
    expect_track(
        "Order Completed",
        "{\"order_id\":50,\"total\":27.5,\"revenue\":22.50,\"value\":1,\"tax\":2,"
        "\"currency\":\"USD\",\"products\":[{\"product_id\":\"p1\",\"sku\":\"s1\","
        "\"price\":19,\"quantity\":1},{\"sku\":\"s2\",\"price\":3.335,\"quantity\":3}]"
        "}",
        "order user_id=u value=2750 USD order=50 items=[p1 x1 =1900 "
        "{\"product_id\":\"p1\",\"sku\":\"s1\",\"price\":19,\"quantity\":1}; s2 x3 "
        "=1000 "
        "{\"sku\":\"s2\",\"price\":3.335,\"quantity\":3}] properties={\"order_id\":50,"
        "\"total\":27.5,\"revenue\":22.50,\"value\":1,\"tax\":2,\"currency\":\"USD\"}");
}
END_TEST

START_TEST(test_events_message_segment__the_value_of_an_order)
{
    expect_track(
        "Order Completed", "{\"revenue\":22.5,\"value\":1}",
        "order user_id=u value=2250 USD properties={\"revenue\":22.5,\"value\":1}");
    expect_track("order completed", "{\"value\":\"1.00\"}",
                 "order user_id=u value=100 USD properties={\"value\":\"1.00\"}");
    expect_track(
        "Order Completed",
        "{\"products\":[{\"product_id\":1,\"price\":2,\"quantity\":2},"
        "{\"product_id\":2,\"price\":\"0.5\"}]}",
        "order user_id=u value=450 USD items=[1 x2 =400 {\"product_id\":1,\"price\":2,"
        "\"quantity\":2}; 2 x1 =50 {\"product_id\":2,\"price\":\"0.5\"}] "
        "properties={}");
    expect_track("Order Completed", "{\"order_id\":\"o\"}",
                 "order user_id=u order=o properties={\"order_id\":\"o\"}");
    expect_track("Order Completed", "{\"total\":\"a lot\"}",
                 "rejected: total must be a number");
    expect_track("Order Completed", "{\"total\":1,\"currency\":\"XXQ\"}",
                 "rejected: currency is not an ISO 4217 code");
    expect_track("Order Completed", "{\"total\":1,\"currency\":\"EUR\"}",
                 "rejected: currency EUR is not the store's USD; convert it");
    expect_track("Order Completed", "{\"products\":[{\"price\":1,\"quantity\":1.5}]}",
                 "rejected: quantity must be a whole number");
    expect_track("Order Completed", "{\"products\":[7]}",
                 "rejected: a product must be an object");
    expect_track("Order Completed", "{\"products\":\"none\"}",
                 "order user_id=u properties={\"products\":\"none\"}");
}
END_TEST

START_TEST(test_events_message_segment__a_refund_is_negative)
{
    expect_track(
        "Order Refunded",
        "{\"order_id\":\"o\",\"total\":30,\"products\":[{\"sku\":\"s\","
        "\"price\":15,\"quantity\":2}]}",
        "refund user_id=u value=-3000 USD order=o items=[s x-2 =-3000 {\"sku\":\"s\","
        "\"price\":15,\"quantity\":2}] properties={\"order_id\":\"o\",\"total\":30}");
    expect_track("Order Refunded", "{\"total\":-30}",
                 "refund user_id=u value=-3000 USD properties={\"total\":-30}");
    expect_track("Order Refunded",
                 "{\"products\":[{\"sku\":\"s\",\"price\":15,\"quantity\":-2}]}",
                 "refund user_id=u value=-3000 USD items=[s x-2 =-3000 {\"sku\":\"s\","
                 "\"price\":15,\"quantity\":-2}] properties={}");
}
END_TEST

/* ---- other events
 * ----------------------------------------------------------------------- */

START_TEST(test_events_message_segment__one_product)
{
    expect_track("Product Added",
                 "{\"product_id\":\"p\",\"sku\":\"s\",\"price\":18.99,\"quantity\":2}",
                 "cart_add user_id=u value=3798 USD product=p quantity=2 properties="
                 "{\"product_id\":\"p\",\"sku\":\"s\",\"price\":18.99,\"quantity\":2}");
    expect_track("Product Viewed",
                 "{\"sku\":\"s\",\"price\":18.99,\"value\":5,\"currency\":\"usd\"}",
                 "product_view user_id=u value=500 usd product=s properties="
                 "{\"sku\":\"s\",\"price\":18.99,\"value\":5,\"currency\":\"usd\"}");
    expect_track(
        "Product Viewed",
        "{\"price\":\"free\",\"quantity\":\"some\",\"currency\":\"USD\"}",
        "product_view user_id=u properties={\"price\":\"free\",\"quantity\":\"some\","
        "\"currency\":\"USD\"}");
}
END_TEST

/* "total" and "value" of an event that no spec names may mean anything. */
START_TEST(test_events_message_segment__free_events_keep_their_words)
{
    expect_track(
        "Survey Answered", "{\"value\":\"yes\",\"total\":5}",
        "Survey Answered user_id=u properties={\"value\":\"yes\",\"total\":5}");
    expect_track("Level Up", "{\"value\":5}",
                 "Level Up user_id=u properties={\"value\":5}");
    expect_track(
        "Tip", "{\"value\":5,\"currency\":\"USD\"}",
        "Tip user_id=u value=500 USD properties={\"value\":5,\"currency\":\"USD\"}");
    expect_track(
        "Renewed", "{\"revenue\":\"9.99\",\"order_id\":7,\"product_id\":{}}",
        "Renewed user_id=u value=999 USD order=7 properties={\"revenue\":\"9.99\","
        "\"order_id\":7,\"product_id\":{}}");
    expect("{\"type\":\"track\",\"userId\":\"u\",\"event\":\"x\",\"properties\":null}",
           "x user_id=u");
    expect("{\"type\":\"track\",\"userId\":\"u\"}", "rejected: track needs an event");
}
END_TEST

START_TEST(test_events_message_segment__numbers_stay_exact)
{
    expect_track(
        "x", "{\"a\":1.10,\"b\":12345678901234567890,\"c\":1e999}",
        "x user_id=u properties={\"a\":1.10,\"b\":12345678901234567890,\"c\":1e999}");
}
END_TEST

START_TEST(test_events_message_segment__page_and_screen)
{
    expect("{\"type\":\"page\",\"userId\":\"u\",\"name\":\"Home\",\"properties\":{"
           "\"url\":\"/\"}}",
           "page_view user_id=u properties={\"url\":\"/\",\"name\":\"Home\"}");
    expect("{\"type\":\"page\",\"userId\":\"u\",\"name\":\"Home\",\"properties\":{"
           "\"name\":\"N\"}}",
           "page_view user_id=u properties={\"name\":\"N\"}");
    expect(
        "{\"type\":\"screen\",\"userId\":\"u\",\"name\":\"Home\",\"category\":\"c\"}",
        "screen_view user_id=u properties={\"name\":\"Home\",\"category\":\"c\"}");
    expect("{\"type\":\"screen\",\"userId\":\"u\"}", "screen_view user_id=u");
}
END_TEST

START_TEST(test_events_message_segment__group)
{
    expect("{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"g\",\"traits\":{"
           "\"email\":\"info@g\"}}",
           "group user_id=u "
           "properties={\"group_id\":\"g\",\"traits\":{\"email\":\"info@g\"}}");
}
END_TEST

/* ---- persons
 * ------------------------------------------------------------------------------ */

START_TEST(test_events_message_segment__identify)
{
    expect("{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"email\":\"e@x\","
           "\"address\":"
           "{\"city\":\"B\"},\"n\":5}}",
           "identify user_id=u email=e@x "
           "traits={\"email\":\"e@x\",\"address\":{\"city\":\"B\"},"
           "\"n\":5}");
    expect("{\"type\":\"identify\",\"userId\":\"u\",\"context\":{\"traits\":{\"plan\":"
           "\"p\"}}}",
           "identify user_id=u traits={\"plan\":\"p\"}");
    expect("{\"type\":\"identify\",\"userId\":\"u\"}", "identify user_id=u traits={}");
    expect("{\"type\":\"identify\",\"userId\":\"u\",\"traits\":[1]}",
           "rejected: traits must be an object");
}
END_TEST

START_TEST(test_events_message_segment__alias_and_merge)
{
    expect("{\"type\":\"alias\",\"previousId\":\"a\",\"userId\":\"u\"}",
           "alias user_id=u anonymous_id=a");
    expect("{\"type\":\"alias\",\"userId\":\"u\"}",
           "rejected: alias needs a previousId and a userId");
    expect("{\"type\":\"merge\",\"mergeProperties\":[{\"type\":\"email\",\"value\":\"e@"
           "x\"},"
           "{\"type\":\"mobile\",\"value\":\"+1 2\"}]}",
           "alias email=e@x phone=+1 2");
    expect("{\"type\":\"merge\",\"mergeProperties\":[{\"type\":\"cookie\",\"value\":"
           "\"e\"}]}",
           "rejected: mergeProperties hold an unknown type");
    expect("{\"type\":\"merge\",\"userId\":\"u\"}",
           "rejected: merge needs two identifiers");
}
END_TEST

START_TEST(test_events_message_segment__unknown_types)
{
    const char *text =
        "rejected: type must be track, identify, page, screen, alias, group or merge";

    expect("{\"type\":\"delete\",\"userId\":\"u\"}", text);
    expect("{\"userId\":\"u\"}", text);
    expect("{\"type\":5}", text);
    expect("\"track\"", "rejected: a message must be a JSON object");
}
END_TEST

/* ---- the table of names
 * ------------------------------------------------------------------- */

START_TEST(test_events_message_segment__names_are_documented)
{
    char *text = messages_file("docs/EVENTS.md");
    size_t n = 0;

    ck_assert_msg(text != NULL,
                  "docs/EVENTS.md: run the tests in the project's folder");
    for (const cj__segment_pair *pair; (pair = cj__segment_pair_at(n)) != NULL; n++) {
        char row[200];

        snprintf(row, sizeof row, "| %s | `%s` |", pair->theirs, pair->ours);
        ck_assert_msg(strstr(text, row) != NULL, "docs/EVENTS.md lacks: %s", row);
        ck_assert_str_eq(cj__segment_name(pair->theirs), pair->ours);
        for (size_t i = 0; i < n; i++)
            ck_assert_str_ne(cj__segment_pair_at(i)->ours, pair->ours);
    }
    ck_assert_uint_eq(n, 28);
    ck_assert_ptr_null(cj__segment_name("Order Complete"));
    ck_assert_ptr_null(cj__segment_name("Order Completed "));
    free(text);
}
END_TEST

HARNESS_MAIN("events_message_segment", test_events_message_segment__identifiers,
             test_events_message_segment__time, test_events_message_segment__channel,
             test_events_message_segment__session_and_campaign,
             test_events_message_segment__an_order_with_items,
             test_events_message_segment__the_value_of_an_order,
             test_events_message_segment__a_refund_is_negative,
             test_events_message_segment__one_product,
             test_events_message_segment__free_events_keep_their_words,
             test_events_message_segment__numbers_stay_exact,
             test_events_message_segment__page_and_screen,
             test_events_message_segment__group, test_events_message_segment__identify,
             test_events_message_segment__alias_and_merge,
             test_events_message_segment__unknown_types,
             test_events_message_segment__names_are_documented)
