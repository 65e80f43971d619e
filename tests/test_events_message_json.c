/* The own form: what each key becomes, what is refused and how it is said, and that an
 * event written and read again is the same event. */
#include "harness.h"
#include "messages.h"

#include <stdio.h>
#include <string.h>

static void expect(const char *json, const char *expected)
{
    cj_db db;
    char *text;

    messages_open(&db, "EUR");
    text = messages_describe(&db, "json", json);
    ck_assert_str_eq(text, expected);
    free(text);
    messages_close(&db);
}

START_TEST(test_events_message_json__an_event_with_everything)
{
    expect(
        "{\"type\":\"event\",\"time\":\"2024-03-01T10:00:00+01:00\",\"name\":\"order\","
        "\"channel\":\"web\",\"identifiers\":{\"user_id\":\"u1\",\"email\":\"a@x.de\"},"
        "\"phone\":\"+49 30 1\",\"message_id\":\"m1\",\"session\":\"s1\","
        "\"campaign\":\"spring\",\"content\":\"banner\",\"product\":\"p\","
        "\"order_id\":\"o1\",\"quantity\":3,\"value\":12.5,\"currency\":\"EUR\","
        "\"properties\":{\"a\": 1.50, \"b\":[true,null]},\"traits\":{\"vip\":true},"
        "\"source\":\"crm\"}",
        "order 2024-03-01T09:00:00.000Z web user_id=u1 email=a@x.de phone=+49 30 1 "
        "value=1250 EUR order=o1 product=p quantity=3 session=s1 campaign=spring "
        "content=banner id=m1 properties={\"a\":1.50,\"b\":[true,null]} "
        "traits={\"vip\":true} source=crm");
}
END_TEST

START_TEST(test_events_message_json__ids_may_be_numbers)
{
    expect("{\"name\":\"order\",\"user_id\":17850,\"order_id\":536365,\"session\":1.50,"
           "\"message_id\":9007199254740993}",
           "order user_id=17850 order=536365 session=1.50 id=9007199254740993");
}
END_TEST

START_TEST(test_events_message_json__absent_is_null_or_empty)
{
    expect(
        "{\"name\":\"page_view\",\"user_id\":\"u\",\"channel\":null,\"session\":\"\","
        "\"properties\":null,\"value\":null,\"items\":null,\"quantity\":null,"
        "\"time\":null,\"email\":null,\"traits\":null,\"identifiers\":null}",
        "page_view user_id=u");
}
END_TEST

START_TEST(test_events_message_json__times)
{
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"time\":1704067200123}",
           "x 2024-01-01T00:00:00.123Z user_id=u");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"time\":\"2024-01-01\"}",
           "x 2024-01-01T00:00:00.000Z user_id=u");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"time\":\"yesterday\"}",
           "rejected: time must be ISO 8601 or whole milliseconds");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"time\":1.5}",
           "rejected: time must be ISO 8601 or whole milliseconds");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"time\":true}",
           "rejected: time must be a time");
}
END_TEST

/* Money comes from the number's text: no double in between. */
START_TEST(test_events_message_json__money_is_exact)
{
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"value\":9007199254740.93}",
           "order user_id=u value=900719925474093 EUR");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"value\":\"-0.07\"}",
           "order user_id=u value=-7 EUR");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"value\":1.005}",
           "order user_id=u value=100 EUR");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"value\":1.015}",
           "order user_id=u value=102 EUR");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"value_minor\":1234}",
           "order user_id=u value=1234 EUR");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value\":0}", "x user_id=u value=0 EUR");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value\":\"12,50\"}",
           "rejected: value must be a number");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value\":1e30}",
           "rejected: value is too large");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value\":1,\"value_minor\":100}",
           "rejected: value and value_minor exclude each other");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value_minor\":1.5}",
           "rejected: value_minor must be a whole number");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value\":1,\"currency\":\"ABC\"}",
           "rejected: currency is not an ISO 4217 code");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"value\":1,\"currency\":\"USD\"}",
           "rejected: currency USD is not the store's EUR; convert it");
}
END_TEST

START_TEST(test_events_message_json__exponent_is_of_the_currency)
{
    cj_db db;
    char *text;

    messages_open(&db, "JPY");
    text = messages_describe(
        &db, "json", "{\"name\":\"order\",\"user_id\":\"u\",\"value\":\"1250\"}");
    ck_assert_str_eq(text, "order user_id=u value=1250 JPY");
    free(text);
    messages_close(&db);
    messages_open(&db, "KWD");
    text = messages_describe(&db, "json",
                             "{\"name\":\"order\",\"user_id\":\"u\",\"value\":1.25}");
    ck_assert_str_eq(text, "order user_id=u value=1250 KWD");
    free(text);
    messages_close(&db);
}
END_TEST

START_TEST(test_events_message_json__items)
{
    expect(
        "{\"name\":\"order\",\"user_id\":\"u\",\"items\":[{\"product\":\"p1\","
        "\"quantity\":3,"
        "\"price\":0.335},{\"product\":22,\"value\":\"1.50\",\"properties\":{\"c\":1}},"
        "{\"product\":\"p3\",\"quantity\":2,\"value_minor\":7}]}",
        "order user_id=u value=257 EUR items=[p1 x3 =100; 22 x0 =150 {\"c\":1}; p3 x2 "
        "=7]");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"value\":9,\"items\":[{\"product\":"
           "\"p\"}]}",
           "order user_id=u value=900 EUR items=[p x0 =0]");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"items\":[]}", "order user_id=u");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"items\":{}}",
           "rejected: items must be an array");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"items\":[1]}",
           "rejected: an item must be an object");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"items\":[{\"prise\":1}]}",
           "rejected: unknown key \"prise\" of an item; the nearest is \"price\"");
    expect(
        "{\"name\":\"order\",\"user_id\":\"u\",\"items\":[{\"price\":1,\"value\":1}]}",
        "rejected: price and value exclude each other");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"items\":[{\"product\":\"p\"}]}",
           "rejected: only an order or a refund has items");
    expect("{\"name\":\"order\",\"user_id\":\"u\",\"items\":[{\"value_minor\":"
           "9000000000000000},"
           "{\"value_minor\":9000000000000000}]}",
           "rejected: value is beyond +-1000000000000000");
}
END_TEST

START_TEST(test_events_message_json__too_many_items)
{
    char *json = malloc(200000);
    size_t n;

    n = (size_t)sprintf(json, "{\"name\":\"order\",\"user_id\":\"u\",\"items\":[{}");
    for (int i = 1; i < 10001; i++) {
        memcpy(json + n, ",{}", 4);
        n += 3;
    }
    memcpy(json + n, "]}", 3);
    expect(json, "rejected: items are more than 10,000");
    free(json);
}
END_TEST

START_TEST(test_events_message_json__an_unknown_key_names_the_nearest)
{
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"oder_id\":\"7\"}",
           "rejected: unknown key \"oder_id\"; the nearest is \"order_id\"");
    expect("{\"name\":\"x\",\"userid\":\"u\"}",
           "rejected: unknown key \"userid\"; the nearest is \"user_id\"");
    expect("{\"name\":\"x\",\"Time\":1}",
           "rejected: unknown key \"Time\"; the nearest is \"time\"");
}
END_TEST

/* A key may be a customer's: then it is not repeated. */
START_TEST(test_events_message_json__keys_that_may_be_customers_are_not_said)
{
    expect("{\"name\":\"x\",\"ann@example.org\":1}",
           "rejected: unknown key; the nearest is \"name\"");
    expect("{\"name\":\"x\",\"004930123\":1}",
           "rejected: unknown key; the nearest is \"type\"");
}
END_TEST

START_TEST(test_events_message_json__what_is_no_message)
{
    expect("[1]", "rejected: a message must be a JSON object");
    expect("{\"name\":\"x\"",
           "rejected: JSON: a comma or the closing bracket was expected, at byte 11");
    expect("", "rejected: JSON: a value was expected, at byte 0");
    expect("{\"user_id\":\"u\"}", "rejected: an event needs a name");
    expect("{\"type\":\"track\",\"name\":\"x\"}",
           "rejected: type must be event, identify or alias");
    expect("{\"type\":1,\"name\":\"x\"}",
           "rejected: type must be event, identify or alias");
    expect("{\"name\":{},\"user_id\":\"u\"}",
           "rejected: name must be a text or a number");
    expect("{\"name\":\"x\",\"user_id\":[\"u\"]}",
           "rejected: user_id must be a text or a number");
    expect("{\"name\":\"x\",\"properties\":[1]}",
           "rejected: properties must be an object");
    expect("{\"name\":\"x\",\"identifiers\":\"u\"}",
           "rejected: identifiers must be an object of kind: value");
    expect("{\"name\":\"x\",\"identifiers\":{\"cookie\":\"u\"}}",
           "rejected: identifiers hold an unknown kind");
    expect("{\"name\":\"x\",\"user_id\":\"u\",\"quantity\":0.5}",
           "rejected: quantity must be a whole number");
}
END_TEST

START_TEST(test_events_message_json__identify)
{
    expect("{\"type\":\"identify\",\"time\":1704067200000,\"user_id\":\"u\",\"email\":"
           "\"a@x.de\","
           "\"traits\":{\"country\":\"DE\",\"age\":null},\"source\":\"crm\"}",
           "identify 2024-01-01T00:00:00.000Z user_id=u email=a@x.de "
           "traits={\"country\":\"DE\",\"age\":null} source=crm");
    expect("{\"type\":\"identify\",\"user_id\":\"u\",\"name\":\"x\"}",
           "rejected: identify takes no name");
    expect("{\"type\":\"identify\",\"user_id\":\"u\",\"traits\":[]}",
           "rejected: traits must be an object");
    expect("{\"type\":\"identify\",\"user_id\":\"u\"}", "identify user_id=u traits={}");
}
END_TEST

START_TEST(test_events_message_json__alias)
{
    expect("{\"type\":\"alias\",\"identifiers\":{\"anonymous_id\":\"a\",\"user_id\":"
           "\"u\"}}",
           "alias anonymous_id=a user_id=u");
    expect("{\"type\":\"alias\",\"from\":{\"kind\":\"user_id\",\"value\":\"a\"},"
           "\"to\":{\"kind\":\"user_id\",\"value\":2}}",
           "alias user_id=a user_id=2");
    expect("{\"type\":\"alias\",\"user_id\":\"u\"}",
           "rejected: alias needs two different identifiers");
    expect("{\"type\":\"alias\",\"identifiers\":{\"user_id\":\"u\",\"email\":\"a\","
           "\"phone\":\"1\"}}",
           "rejected: alias needs two different identifiers");
    expect("{\"type\":\"alias\",\"from\":{\"kind\":\"user_id\",\"value\":\"a\"},"
           "\"to\":{\"kind\":\"user_id\",\"value\":\"a\"}}",
           "rejected: alias needs two different identifiers");
    expect(
        "{\"type\":\"alias\",\"from\":{\"kind\":\"cookie\",\"value\":\"a\"},\"to\":{}}",
        "rejected: from needs a known kind, and a value");
}
END_TEST

START_TEST(test_events_message_json__an_unknown_format_is_an_error)
{
    cj__arena arena;
    cj__message m;
    cj_db db;

    messages_open(&db, "EUR");
    cj__arena_init(&arena, &db.cx.allocator);
    ck_assert_int_eq(cj__message_parse(&db, "xml", cj__text_of("{}"), &arena, &m),
                     CJ_EINVAL);
    ck_assert_int_eq(cj__message_parse(&db, NULL, cj__text_of("{}"), &arena, &m),
                     CJ_EINVAL);
    cj__arena_end(&arena);
    messages_close(&db);
}
END_TEST

/* ---- written and read again ---------------------------------------------------------
 */

static void put_and_expect(const cj__message *m, const char *json)
{
    cj__str s;
    cj_db db;

    messages_open(&db, "EUR");
    cj__str_init(&s, &db.cx.allocator, 1 << 20);
    cj__message_put(&s, m);
    ck_assert_int_eq(cj__str_status(&s), CJ_OK);
    ck_assert_str_eq(s.data, json);
    cj__str_end(&s);
    messages_close(&db);
}

START_TEST(test_events_message_json__put)
{
    cj_identifier ids[] = {
        {sizeof ids[0], "user_id", "u\"1"},
        {sizeof ids[0], "email",   "e"   }
    };
    cj_item items[] = {
        {sizeof items[0], "p",  2, 300, "{\"a\":1}"},
        {sizeof items[0], NULL, 0, 0,   NULL       }
    };
    cj__message m = {
        .event = {.time_ms = 5,
                  .name = "order",
                  .channel = "web",
                  .items = items,
                  .identifiers = ids,
                  .n_identifiers = 2,
                  .n_items = 2,
                  .properties = "{ \"x\":1}"}
    };
    cj__message identify = {.traits = "{\"a\":1}", .source = "crm"};
    cj__message nothing = {.source = NULL};

    put_and_expect(
        &m, "{\"time\":5,\"name\":\"order\",\"channel\":\"web\",\"identifiers\":"
            "{\"user_id\":\"u\\\"1\",\"email\":\"e\"},\"value_minor\":0,"
            "\"properties\":{ \"x\":1},\"items\":[{\"product\":\"p\",\"quantity\":2,"
            "\"value_minor\":300,\"properties\":{\"a\":1}},{}]}");
    put_and_expect(&identify,
                   "{\"type\":\"identify\",\"traits\":{\"a\":1},\"source\":\"crm\"}");
    put_and_expect(&nothing, "{}");
}
END_TEST

/* What was wrong stays wrong: a retry must not record something else. */
START_TEST(test_events_message_json__put_keeps_what_is_wrong)
{
    cj_identifier ids[] = {
        {sizeof ids[0], NULL, NULL}
    };
    cj__message m = {
        .event = {.name = "a\xff",
                  .properties = "{},\"name\":\"b\"",
                  .identifiers = ids,
                  .n_identifiers = 1}
    };

    put_and_expect(&m, "{\"name\":{\"hex\":\"61ff\"},\"identifiers\":{\"\":\"\"},"
                       "\"properties\":\"{},\\\"name\\\":\\\"b\\\"\"}");
    expect("{\"name\":{\"hex\":\"61ff\"},\"user_id\":\"u\"}",
           "rejected: name must be a text or a number");
    expect("{\"name\":\"b\",\"user_id\":\"u\",\"properties\":\"{}\"}",
           "rejected: properties must be an object");
}
END_TEST

static const char *pick(uint64_t *state, const char *const *list, size_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return list[(*state >> 33) % n];
}

/* Random events survive being written and read, whatever is in their texts. */
START_TEST(test_events_message_json__put_and_parse_are_inverse)
{
    static const char *const texts[] = {NULL,     "a",   "\xc3\xa4\xf0\x9f\x98\x80",
                                        "q\"\\/", "1e5", "x y"};
    static const char *const objects[] = {NULL, "{}", "{\"a\":1.10}",
                                          "{\"n\":{\"m\":[1,\"\"]}}"};
    uint64_t state = 7;

    for (int round = 0; round < 500; round++) {
        cj_identifier ids[2] = {
            {sizeof ids[0], "user_id", pick(&state, texts + 1, 5)},
            {sizeof ids[0], "email",   pick(&state, texts + 1, 5)}
        };
        cj_item items[1] = {
            {sizeof items[0], pick(&state, texts, 6), (int64_t)(state >> 60),
             (int64_t)(state >> 50) - 8000, pick(&state, objects, 4)}
        };
        cj__message m = {
            .event = {.name = round % 3 ? "order" : "refund", .identifiers = ids}
        };
        cj_event *e = &m.event;
        cj__message back;
        cj__arena arena;
        cj__str s;
        cj_db db;
        char *one, *two;

        messages_open(&db, "EUR");
        cj__arena_init(&arena, &db.cx.allocator);
        cj__str_init(&s, &db.cx.allocator, 1 << 20);
        e->n_identifiers = 1 + round % 2;
        e->time_ms = (int64_t)(state >> 24);
        e->channel = pick(&state, texts, 6);
        e->session = pick(&state, texts, 6);
        e->order_id = pick(&state, texts, 6);
        e->product = pick(&state, texts, 6);
        e->message_id = pick(&state, texts, 6);
        e->properties = pick(&state, objects, 4);
        e->quantity = (int64_t)(state >> 62);
        e->currency = "EUR";
        e->value_minor = -(int64_t)(state >> 40);
        e->items = items;
        e->n_items = round % 2;
        m.traits = pick(&state, objects, 4);
        m.source = pick(&state, texts, 6);
        cj__message_put(&s, &m);
        ck_assert_int_eq(
            cj__message_parse(&db, "json", (cj__text){s.data, s.n}, &arena, &back),
            CJ_OK);
        one = messages_describe_one(&m);
        two = messages_describe_one(&back);
        ck_assert_str_eq(one, two);
        free(one);
        free(two);
        cj__str_end(&s);
        cj__arena_end(&arena);
        messages_close(&db);
    }
}
END_TEST

HARNESS_MAIN("events_message_json", test_events_message_json__an_event_with_everything,
             test_events_message_json__ids_may_be_numbers,
             test_events_message_json__absent_is_null_or_empty,
             test_events_message_json__times, test_events_message_json__money_is_exact,
             test_events_message_json__exponent_is_of_the_currency,
             test_events_message_json__items, test_events_message_json__too_many_items,
             test_events_message_json__an_unknown_key_names_the_nearest,
             test_events_message_json__keys_that_may_be_customers_are_not_said,
             test_events_message_json__what_is_no_message,
             test_events_message_json__identify, test_events_message_json__alias,
             test_events_message_json__an_unknown_format_is_an_error,
             test_events_message_json__put,
             test_events_message_json__put_keeps_what_is_wrong,
             test_events_message_json__put_and_parse_are_inverse)
