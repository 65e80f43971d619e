/* Every message of the real payloads of Segment, RudderStack and Jitsu, and what it
 * becomes: the list a shop manager can check.  The payloads stay where they are
 * (CJ_TEST_DATA); fragments of the documents have no person and no time, so the test
 * adds user "u" and 2024-01-01 to those. */
#include "harness.h"
#include "messages.h"

#include <stdio.h>
#include <string.h>

/* A fragment with what it lacks, put after its brace. */
static void payloads_complete(const char *line, size_t n, char *to, size_t size)
{
    char copy[8192];
    int bare;

    ck_assert_uint_lt(n, sizeof copy);
    memcpy(copy, line, n);
    copy[n] = '\0';
    bare = strstr(copy, "\"timestamp\"") == NULL &&
           strstr(copy, "\"originalTimestamp\"") == NULL;
    snprintf(to, size, "{%s%s%s",
             strstr(copy, "\"userId\"") || strstr(copy, "\"anonymousId\"")
                 ? ""
                 : "\"userId\":\"u\",",
             bare ? "\"timestamp\":\"2024-01-01T00:00:00Z\"," : "", copy + 1);
}

/* The properties of an event are long and kept as they are: only say how long. */
static void payloads_shorten(char *text)
{
    char *at = strstr(text, " properties="), *end;

    if (at == NULL)
        return;
    end = strstr(at, " traits=");
    at += sprintf(at, " +%zu", end != NULL ? (size_t)(end - at) - 12 : strlen(at) - 12);
    memmove(at, end != NULL ? end : "", end != NULL ? strlen(end) + 1 : 1);
}

/* An item's properties are its product as written: drop them, to see the money. */
static void payloads_shorten_items(char *text)
{
    char *at = strstr(text, " items=["), *to = at;
    int depth = 0;

    for (; at != NULL && *at != '\0'; at++) {
        depth += *at == '{';
        if (depth == 0 && !(at[0] == ' ' && at[1] == '{'))
            *to++ = *at;
        depth -= *at == '}';
        if (depth == 0 && *at == ']')
            break;
    }
    if (to != NULL && at != NULL && *at != '\0')
        memmove(to, at + 1, strlen(at));
}

static void expect_file(const char *name, const char *const *expected, size_t n)
{
    char path[512], json[9000];
    char *file, *line;
    size_t i = 0;
    cj_db db;

    if (messages_data(name, path, sizeof path) == NULL)
        return;
    file = messages_file(path);
    messages_open(&db, "USD");
    for (line = strtok(file, "\n"); line != NULL; line = strtok(NULL, "\n"), i++) {
        char *text;

        payloads_complete(line, strlen(line), json, sizeof json);
        text = messages_describe(&db, "segment", json);
        payloads_shorten_items(text);
        payloads_shorten(text);
        ck_assert_msg(i < n, "%s has more than %zu messages", name, n);
        ck_assert_msg(strcmp(text, expected[i]) == 0, "%s, message %zu:\n%s\nnot\n%s",
                      name, i + 1, text, expected[i]);
        free(text);
    }
    ck_assert_uint_eq(i, n);
    messages_close(&db);
    free(file);
}

#define EXPECT_FILE(name, list) expect_file(name, list, sizeof list / sizeof list[0])

START_TEST(test_events_payloads__segment_calls)
{
    static const char *const expected[] = {
        "search 2024-01-01T00:00:00.000Z user_id=u +22",
        "product_list_view 2024-01-01T00:00:00.000Z user_id=u +414",
        "product_list_filter 2024-01-01T00:00:00.000Z user_id=u +544",
        "promotion_view 2024-01-01T00:00:00.000Z user_id=u +115",
        "promotion_click 2024-01-01T00:00:00.000Z user_id=u +115",
        "product_click 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 quantity=1 +304",
        "product_view 2024-01-01T00:00:00.000Z user_id=u value=1899 usd "
        "product=507f1f77bcf86cd799439011 quantity=1 +335",
        "cart_add 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 quantity=1 +333",
        "cart_remove 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 quantity=1 +335",
        "cart_view 2024-01-01T00:00:00.000Z user_id=u +407",
        "checkout_start 2024-01-01T00:00:00.000Z user_id=u value=2500 USD "
        "order=50314b8e9bcf000000000000 +534",
        "checkout_step_view 2024-01-01T00:00:00.000Z user_id=u +101",
        "checkout_step_complete 2024-01-01T00:00:00.000Z user_id=u +101",
        "payment_info 2024-01-01T00:00:00.000Z user_id=u "
        "order=dkfsjidfjsdifsdfksdjfkdsfjsdfkdsf +91",
        "order_update 2024-01-01T00:00:00.000Z user_id=u value=2750 USD "
        "order=50314b8e9bcf000000000000 +536",
        "order 2024-01-01T00:00:00.000Z user_id=u value=2750 USD "
        "order=50314b8e9bcf000000000000 items=[507f1f77bcf86cd799439011 x1 "
        "=1900; 505bd76785ebb509fc183733 x2 =600] +224",
        "refund 2024-01-01T00:00:00.000Z user_id=u value=-3000 USD "
        "order=50314b8e9bcf000000000000 items=[507f1f77bcf86cd799439011 x-1 "
        "=-1900; 505bd76785ebb509fc183733 x-2 =-600] +67",
        "order_cancel 2024-01-01T00:00:00.000Z user_id=u value=3000 USD "
        "order=50314b8e9bcf000000000000 +534",
        "coupon_enter 2024-01-01T00:00:00.000Z user_id=u "
        "order=50314b8e9bcf000000000000 +107",
        "wishlist_add 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 quantity=1 +367",
        "wishlist_remove 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 quantity=1 +367",
        "wishlist_to_cart 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 quantity=1 +400",
        "product_share 2024-01-01T00:00:00.000Z user_id=u value=1899 USD "
        "product=507f1f77bcf86cd799439011 +354",
        "cart_share 2024-01-01T00:00:00.000Z user_id=u +230",
        "product_review 2024-01-01T00:00:00.000Z user_id=u "
        "product=507f1f77bcf86cd799439011 +120",
        "identify 2024-01-01T00:00:00.000Z user_id=97980cfea0067 "
        "email=peter@example.com traits={\"name\":\"Peter "
        "Gibbons\",\"email\":\"peter@example.com\",\"plan\":\"premium\",\"log"
        "ins\":5}",
        "identify 2024-01-01T00:00:00.000Z user_id=u "
        "traits={\"subscriptionStatus\":\"inactive\"}",
    };

    EXPECT_FILE("payloads/segment_docs_ccby4/ecommerce_v2_calls.ndjson", expected);
}
END_TEST

START_TEST(test_events_payloads__segment_messages)
{
    static const char *const expected[] = {
        "Report Submitted 2015-12-10T04:08:31.905Z app user_id=97980cfea0067 "
        "anonymous_id=507f191e810c19729de860ea "
        "device_id=B5372DB0-C21E-11E4-8DFC-AA07A5B093DB campaign=TPS "
        "Innovation Newsletter content=image link "
        "id=022bb90c-bbac-11e4-8dfc-aa07a5b093db",
        "group 2024-01-01T00:00:00.000Z user_id=u +146",
        "identify 2024-01-01T00:00:00.000Z user_id=97980cfea0067 "
        "email=peter@example.com traits={\"name\":\"Peter "
        "Gibbons\",\"email\":\"peter@example.com\",\"plan\":\"premium\",\"log"
        "ins\":5}",
        "identify 2015-02-23T22:28:55.111Z web user_id=97980cfea0067 "
        "anonymous_id=507f191e810c19729de860ea email=peter@example.com "
        "id=022bb90c-bbac-11e4-8dfc-aa07a5b093db traits={\"name\":\"Peter "
        "Gibbons\",\"email\":\"peter@example.com\",\"plan\":\"premium\",\"log"
        "ins\":5,\"address\":{\"street\":\"6th St\",\"city\":\"San "
        "Francisco\",\"state\":\"CA\",\"postalCode\":\"94103\",\"country\":\""
        "USA\"}}",
        "page_view 2024-01-01T00:00:00.000Z user_id=u +74",
        "page_view 2015-02-23T22:28:55.111Z web user_id=97980cfea0067 "
        "anonymous_id=507f191e810c19729de860ea "
        "id=022bb90c-bbac-11e4-8dfc-aa07a5b093db +74",
        "User Registered 2024-01-01T00:00:00.000Z user_id=u +46",
        "Course Clicked 2015-12-12T19:11:01.249Z web user_id=AiUGstSDIg "
        "anonymous_id=23adfd82-aa0f-45a7-a756-24f2a7a4c895 "
        "id=ajs-f8ca1e4de5024d9430b3928bd8ac6b96 +30",
    };

    EXPECT_FILE("payloads/segment_docs_ccby4/messages.ndjson", expected);
}
END_TEST

START_TEST(test_events_payloads__rudderstack_calls)
{
    static const char *const expected[] = {
        "search 2024-01-01T00:00:00.000Z user_id=u +22",
        "product_list_view 2024-01-01T00:00:00.000Z user_id=u +434",
        "product_list_filter 2024-01-01T00:00:00.000Z user_id=u +530",
        "coupon_enter 2024-01-01T00:00:00.000Z user_id=u order=12345 +61",
        "identify 2024-01-01T00:00:00.000Z user_id=hashed_user_id "
        "email=sample@example.com traits={\"name\":\"Name "
        "Surname\",\"email\":\"sample@example.com\"}",
        "identify 2024-01-01T00:00:00.000Z user_id=user-id "
        "traits={\"name\":\"username\",\"gender\":\"male\"}",
        "product_click 2024-01-01T00:00:00.000Z user_id=u value=14839 USD "
        "product=123 quantity=11 +258",
        "product_view 2024-01-01T00:00:00.000Z user_id=u value=14839 USD "
        "product=123 quantity=11 +275",
        "cart_add 2024-01-01T00:00:00.000Z user_id=u value=14839 USD "
        "product=123 quantity=11 +258",
        "cart_remove 2024-01-01T00:00:00.000Z user_id=u value=14839 USD "
        "product=123 quantity=11 +258",
        "cart_view 2024-01-01T00:00:00.000Z user_id=u +319",
        "checkout_start 2024-01-01T00:00:00.000Z user_id=u value=1500 USD "
        "order=1234 +444",
        "checkout_step_view 2024-01-01T00:00:00.000Z user_id=u +84",
        "checkout_step_complete 2024-01-01T00:00:00.000Z user_id=u +84",
        "payment_info 2024-01-01T00:00:00.000Z user_id=u order=123 +40",
        "order_update 2024-01-01T00:00:00.000Z user_id=u value=1500 USD "
        "order=1234 +444",
        "order 2024-01-01T00:00:00.000Z user_id=u value=2000 USD order=1234 "
        "items=[123 x1 =1400; 345 x2 =690] +166",
        "refund 2024-01-01T00:00:00.000Z user_id=u value=-2000 USD order=1234 "
        "items=[123 x-1 =-1700; 345 x-1 =-300] +47",
        "order_cancel 2024-01-01T00:00:00.000Z user_id=u value=2000 USD "
        "order=1234 +444",
        "promotion_view 2024-01-01T00:00:00.000Z user_id=u +82",
        "promotion_click 2024-01-01T00:00:00.000Z user_id=u +82",
        "product_review 2024-01-01T00:00:00.000Z user_id=u product=12345 +121",
        "product_share 2024-01-01T00:00:00.000Z user_id=u value=1599 USD "
        "product=12345872254426 +331",
        "cart_share 2024-01-01T00:00:00.000Z user_id=u +165",
        "product_review 2024-01-01T00:00:00.000Z user_id=u product=123 +104",
        "Video Playback Started 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +293",
        "Video Content Started 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +353",
        "Video Content Playing 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +354",
        "Video Playback Paused 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +265",
        "Video Playback Resumed 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +265",
        "Video Ad Started 2024-01-01T00:00:00.000Z user_id=u session=12345 +173",
        "Video Ad Playing 2024-01-01T00:00:00.000Z user_id=u session=12345 +174",
        "Video Ad Completed 2024-01-01T00:00:00.000Z user_id=u session=12345 "
        "+174",
        "Video Content Playing 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +354",
        "Video Content Completed 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +355",
        "Video Playback Completed 2024-01-01T00:00:00.000Z user_id=u "
        "session=12345 +268",
        "wishlist_add 2024-01-01T00:00:00.000Z user_id=u value=899 USD "
        "product=235564423234 quantity=1 +308",
        "wishlist_remove 2024-01-01T00:00:00.000Z user_id=u value=899 USD "
        "product=235564423234 quantity=1 +308",
        "wishlist_to_cart 2024-01-01T00:00:00.000Z user_id=u value=899 USD "
        "product=235564423234 quantity=1 +308",
    };

    EXPECT_FILE("payloads/rudderstack_docs_mit/calls.ndjson", expected);
}
END_TEST

START_TEST(test_events_payloads__rudderstack_messages)
{
    static const char *const expected[] = {
        "Application Installed 2024-01-01T00:00:00.000Z user_id=u +20",
        "Application Opened 2024-01-01T00:00:00.000Z user_id=1hKOmRA4el9Z +124",
        "Application Updated 2024-01-01T00:00:00.000Z user_id=1hKOmRA4el9Z +48",
        "Application Backgrounded 2024-01-01T00:00:00.000Z "
        "user_id=1hKOmRA4el9Z +2",
        "product_review 2020-01-09T10:01:53.558Z web "
        "anonymous_id=78c53c15-32a1-4b65-adac-bec2d7bb8fab "
        "product=product_id_1 campaign=sales campaign content=Make sense of "
        "the modern data stack "
        "id=1578564113557-af022c68-429e-4af4-b99b-2b9174056383 +103",
        "alias 2024-01-01T00:00:00.000Z user_id=1hKOmRA4GRlm "
        "email=alex@example.com phone=+1-202-555-0146",
    };

    EXPECT_FILE("payloads/rudderstack_docs_mit/messages.ndjson", expected);
}
END_TEST

START_TEST(test_events_payloads__jitsu_messages)
{
    static const char *const expected[] = {
        "page_view 2022-11-14T08:56:34.395Z web user_id=userId2 "
        "anonymous_id=6638caf0-d2c2-4bc0-aecf-8b290b559a37 "
        "email=john.doe3@gmail.com campaign=campaign "
        "id=d0c6abf6-97f7-487a-a197-8f236c728fa8 +299",
        "identify 2022-11-14T08:56:34.387Z web user_id=userId2 "
        "anonymous_id=6638caf0-d2c2-4bc0-aecf-8b290b559a37 "
        "email=john.doe2@gmail.com campaign=campaign "
        "id=a6c09b16-c2bc-4193-990f-5e2b694ae610 "
        "traits={\"caseName\":\"basic-identify\",\"CaseLastName\":\"Doe\",\"U"
        "ser_Name\":\"jj\",\"email\":\"john.doe2@gmail.com\"}",
        "testEvent 2022-11-14T08:56:34.395Z web user_id=user@example.com "
        "anonymous_id=6638caf0-d2c2-4bc0-aecf-8b290b559a37 "
        "email=user@example.com campaign=example "
        "id=d0c6abf6-97f7-487a-a197-8f236c728fa8 +69",
        "group 2024-04-08T10:39:20.764Z "
        "anonymous_id=fab18d01-fb6a-4845-b9ca-300b9db35527 "
        "id=17dnlr6evs61jakjuz1xt6 +202",
    };

    EXPECT_FILE("payloads/jitsu_mit/messages.ndjson", expected);
}
END_TEST

HARNESS_MAIN("events_payloads", test_events_payloads__segment_calls,
             test_events_payloads__segment_messages,
             test_events_payloads__rudderstack_calls,
             test_events_payloads__rudderstack_messages,
             test_events_payloads__jitsu_messages)
