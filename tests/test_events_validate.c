/* What a message may be: each rule and limit, at its edge and one beyond, with the
 * reason that a caller is told. */
#include "events/events.h"
#include "harness.h"
#include "identity/identity.h"
#include "people.h"

#include <stdint.h>
#include <string.h>

#define T0 INT64_C(1735689600000)

/* A good event of ann; tests spoil one thing. */
static cj_identifier ann = {sizeof ann, "user_id", "q9zz"};

static cj__message good(void)
{
    cj__message m = {.format = "record"};

    m.event = (cj_event){.struct_size = sizeof m.event,
                         .name = "page_view",
                         .time_ms = T0,
                         .identifiers = &ann,
                         .n_identifiers = 1};
    return m;
}

/* The reason of the rejection, "" when it is fine. */
static const char *judge(cj_db *db, cj__message *m)
{
    m->outcome = CJ__PENDING;
    m->code = 0;
    m->reason[0] = '\0';
    cj__message_validate(db, m, T0);
    ck_assert_int_eq(m->outcome == CJ__REJECTED, m->reason[0] != '\0');
    ck_assert_int_eq(m->outcome == CJ__REJECTED, m->code < 0);
    ck_assert_ptr_null(strstr(m->reason, "q9zz"));
    return m->reason;
}

#define EXPECT(part) ck_assert_msg(strstr(judge(db, &m), part) != NULL, "%s", m.reason)
#define FINE() ck_assert_str_eq(judge(db, &m), "")

static char *run_of(char c, size_t n)
{
    static char text[70000];

    memset(text, c, n);
    text[n] = '\0';
    return text;
}

START_TEST(test_events_validate__texts)
{
    cj_db *db = people_open();
    cj__message m = good();
    const char **texts[] = {&m.event.name,     &m.event.channel,   &m.event.campaign,
                            &m.event.content,  &m.event.product,   &m.event.session,
                            &m.event.order_id, &m.event.message_id};

    FINE();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *before = *texts[i];
        *texts[i] = run_of('x', 200);
        FINE();
        *texts[i] = run_of('x', 201);
        EXPECT("has 201 bytes, the limit is 200");
        *texts[i] = "";
        EXPECT(i == 0 ? "name is missing" : "is empty; leave it out");
        *texts[i] = "caf\xC3\xA9";
        FINE();
        *texts[i] = "caf\xC3";
        EXPECT("is not valid UTF-8");
        *texts[i] = "two\nlines";
        EXPECT("control character at byte 3");
        *texts[i] = before;
    }
    m.event.name = NULL;
    EXPECT("name is missing");
    people_close(db);
}
END_TEST

START_TEST(test_events_validate__times)
{
    cj_db *db = people_open();
    cj__message m = good();

    m.event.time_ms = 0;
    FINE();
    ck_assert_int_eq(m.event.time_ms, T0); /* now */
    m.event.time_ms = 1;
    FINE();
    m.event.time_ms = -1;
    EXPECT("1970");
    m.event.time_ms = CJ__MAX_TIME_MS - 1;
    FINE();
    m.event.time_ms = CJ__MAX_TIME_MS;
    EXPECT("2100");
    people_close(db);
}
END_TEST

START_TEST(test_events_validate__numbers)
{
    cj_db *db = people_open();
    cj__message m = good();

    m.event.quantity = CJ__MAX_QUANTITY;
    FINE();
    m.event.quantity++;
    EXPECT("quantity is beyond");
    m.event.quantity = -CJ__MAX_QUANTITY - 1;
    EXPECT("quantity is beyond");
    m = good();
    m.event.value_minor = -CJ__MAX_VALUE;
    FINE();
    m.event.value_minor = INT64_MIN;
    EXPECT("value is beyond");
    m.event.value_minor = CJ__MAX_VALUE + 1;
    EXPECT("value is beyond");
    people_close(db);
}
END_TEST

START_TEST(test_events_validate__currencies)
{
    cj_db *db = people_open();
    cj__message m = good();

    m.event.currency = "EUR";
    FINE();
    m.event.currency = "eur";
    FINE();
    m.event.currency = "USD";
    EXPECT("USD is not the store's EUR");
    ck_assert_int_eq(m.code, CJ_ECURRENCY);
    m.event.currency = "XYZ";
    EXPECT("unknown currency");
    m.event.currency = "";
    EXPECT("unknown currency");
    people_close(db);
}
END_TEST

START_TEST(test_events_validate__identifiers)
{
    cj_identifier many[CJ__MAX_IDENTIFIERS + 1];
    cj_db *db = people_open();
    cj__message m = good();

    for (int i = 0; i <= CJ__MAX_IDENTIFIERS; i++)
        many[i] = ann;
    m.event.identifiers = many;
    m.event.n_identifiers = CJ__MAX_IDENTIFIERS;
    FINE();
    m.event.n_identifiers++;
    EXPECT("17 identifiers, the limit is 16");
    m.event.n_identifiers = -1;
    EXPECT("identifiers, the limit");
    m.event.n_identifiers = 2;
    many[1].kind = "userid";
    EXPECT("identifier 1 is of no known kind");
    many[1].kind = NULL;
    EXPECT("identifier 1 is of no known kind");
    many[1].kind = "email";
    many[1].value = NULL;
    EXPECT("email is missing or longer");
    many[1].value = run_of('x', CJ__MAX_IDENTIFIER + 1);
    EXPECT("email is missing or longer than 512");
    many[1].value = "\xff";
    EXPECT("email is not valid UTF-8");
    people_close(db);
}
END_TEST

START_TEST(test_events_validate__objects)
{
    cj_db *db = people_open();
    cj__message m = good();
    char *big = run_of(' ', CJ__MAX_PROPERTIES);

    m.event.properties = "{}";
    FINE();
    m.event.properties = "[]";
    EXPECT("properties are no JSON object");
    m.event.properties = "{\"a\":tru}";
    EXPECT("properties are no JSON object (byte 5)");
    big[0] = '{';
    big[CJ__MAX_PROPERTIES - 1] = '}';
    m.event.properties = big;
    FINE();
    big[CJ__MAX_PROPERTIES - 1] = ' ';
    big[CJ__MAX_PROPERTIES] = '}';
    big[CJ__MAX_PROPERTIES + 1] = '\0';
    EXPECT("properties have 32769 bytes, the limit is 32768");
    m = good();
    m.traits = "7";
    EXPECT("traits are no JSON object");
    m.traits = "{\"a\":7}";
    FINE();
    m.event.name = NULL; /* traits alone are a message */
    FINE();
    people_close(db);
}
END_TEST

START_TEST(test_events_validate__items_and_refunds)
{
    cj_item *items = calloc(CJ__MAX_ITEMS + 1, sizeof *items);
    cj_db *db = people_open();
    cj__message m = good();

    m.event.items = items;
    m.event.n_items = 1;
    EXPECT("only an order or a refund has items");
    m.event.name = "order";
    m.event.n_items = CJ__MAX_ITEMS;
    FINE();
    m.event.n_items++;
    EXPECT("items, the limit is 10000");
    m.event.n_items = 2;
    items[1].properties = "x";
    EXPECT("properties of an item are no JSON object");
    items[1].properties = NULL;
    items[1].quantity = CJ__MAX_QUANTITY + 1;
    EXPECT("quantity of an item");
    items[1].quantity = 0;
    items[1].product = run_of('p', 201);
    EXPECT("product of an item has 201 bytes");
    items[1].product = "P";
    FINE();
    m.event.name = "refund";
    m.event.value_minor = 1;
    EXPECT("a refund's value is negative or 0");
    m.event.value_minor = 0;
    FINE();
    free(items);
    people_close(db);
}
END_TEST

/* Whatever a parser found first stays. */
START_TEST(test_events_validate__a_rejection_stays)
{
    cj_db *db = people_open();
    cj__message m = good();

    ck_assert_int_eq(cj__reject(&m, CJ_ELIMIT, "line %d is too long", 7), CJ_OK);
    m.event.name = NULL;
    cj__message_validate(db, &m, T0);
    ck_assert_int_eq(m.code, CJ_ELIMIT);
    ck_assert_str_eq(m.reason, "line 7 is too long");
    people_close(db);
}
END_TEST

HARNESS_MAIN("events_validate", test_events_validate__texts,
             test_events_validate__times, test_events_validate__numbers,
             test_events_validate__currencies, test_events_validate__identifiers,
             test_events_validate__objects, test_events_validate__items_and_refunds,
             test_events_validate__a_rejection_stays)
