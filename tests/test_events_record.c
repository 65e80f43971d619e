/* Recording: what an event becomes, shared commits, deferred ones, and copies that
 * stand on their own. */
#include "events/copy.h"
#include "harness.h"
#include "identity/identity.h"
#include "people.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define T0 INT64_C(1735689600000)

static char *events_of(cj_db *db, int64_t profile)
{
    cj_events_options o = {.struct_size = sizeof o, .profile = profile};
    cj_table *t;

    ck_assert_int_eq(cj_events(db, &o, &t), CJ_OK);
    return people_csv(t);
}

#define HEAD                                                                           \
    "profile,node,time_ms,name,channel,session,campaign,content,product,order_id,"     \
    "quantity,"                                                                        \
    "value_minor,currency,properties\n"

/* An order becomes one order and an order_item each, of the same time, order and touch.
 */
START_TEST(test_events_record__an_order_and_its_items)
{
    cj_db *db = people_open();
    cj_identifier ids[] = {
        {sizeof ids[0], "device_id", "d1" },
        {sizeof ids[0], "user_id",   "ann"}
    };
    cj_item items[] = {
        {sizeof items[0], "P-1", 2, 1998, "{\"size\":\"M\"}"},
        {sizeof items[0], "P-2", 0, 500,  NULL              }
    };
    cj_event e = {.struct_size = sizeof e,
                  .time_ms = T0,
                  .name = "order",
                  .channel = "web",
                  .identifiers = ids,
                  .n_identifiers = 2,
                  .session = "77",
                  .campaign = "spring",
                  .content = "banner",
                  .order_id = "A-1",
                  .value_minor = 2498,
                  .properties = "{ \"a\" : 1 }",
                  .items = items,
                  .n_items = 2};
    char *text;

    ck_assert_int_eq(cj_record(db, &e), CJ_OK);
    text = events_of(db, 1);
    ck_assert_str_eq(
        text, HEAD
        "1,2,1735689600000,order,web,77,spring,banner,,A-1,,2498,EUR,\"{ \"\"a\"\" : 1 "
        "}\"\n"
        "1,2,1735689600000,order_item,web,77,spring,banner,P-1,A-1,2,1998,EUR,"
        "\"{\"\"size\"\":\"\"M\"\"}\"\n"
        "1,2,1735689600000,order_item,web,77,spring,banner,P-2,A-1,1,500,EUR,\n");
    free(text);
    people_close(db);
}
END_TEST

/* A value is there when it is said, or when the name says so. */
START_TEST(test_events_record__values)
{
    cj_db *db = people_open();
    cj_identifier id = {sizeof id, "user_id", "ann"};
    cj_event e = {.struct_size = sizeof e, .identifiers = &id, .n_identifiers = 1};
    static const struct {
        const char *name;
        int64_t value;
        const char *currency, *expected;
    } cases[] = {
        {"page_view", 0,  NULL,  ",,,\n"     },
        {"page_view", 5,  NULL,  ",5,EUR,\n" },
        {"page_view", 0,  "EUR", ",0,EUR,\n" },
        {"order",     0,  NULL,  ",0,EUR,\n" },
        {"refund",    0,  NULL,  ",0,EUR,\n" },
        {"refund",    -5, "eur", ",-5,EUR,\n"}
    };
    const size_t n = sizeof cases / sizeof cases[0];
    char *text, *line;

    for (size_t i = 0; i < n; i++) {
        e.time_ms = T0 + (int64_t)i;
        e.name = cases[i].name;
        e.value_minor = cases[i].value;
        e.currency = cases[i].currency;
        ck_assert_int_eq(cj_record(db, &e), CJ_OK);
    }
    line = text = events_of(db, 1);
    for (size_t i = 0; i < n; i++) {
        line = strchr(line, '\n') + 1;
        ck_assert_msg(strncmp(strstr(line, cases[i].name) + strlen(cases[i].name) + 7,
                              cases[i].expected, strlen(cases[i].expected)) == 0,
                      "%zu: %s", i, line);
    }
    free(text);
    people_close(db);
}
END_TEST

START_TEST(test_events_record__results_of_a_batch)
{
    cj_db *db = people_open();
    cj_identifier ann = {sizeof ann, "user_id", "ann"},
                  junk = {sizeof junk, "email", "null"};
    cj_event batch[5];
    cj_record_result r = {.struct_size = sizeof r};

    for (int i = 0; i < 5; i++)
        batch[i] = (cj_event){.struct_size = sizeof batch[i],
                              .name = "page_view",
                              .time_ms = T0,
                              .identifiers = &ann,
                              .n_identifiers = 1};
    batch[0].message_id = batch[1].message_id = "same"; /* twice in one batch */
    batch[2].identifiers = &junk;
    batch[3].name = NULL;
    ck_assert_int_eq(cj_record_many(db, batch, 5, 0, &r), CJ_OK);
    ck_assert_int_eq(r.n_recorded, 2);
    ck_assert_int_eq(r.n_duplicates, 1);
    ck_assert_int_eq(r.n_rejected, 2);
    ck_assert_int_eq(r.first_reject, 2);
    ck_assert_int_eq(cj_record_many(db, batch, 0, 0, &r), CJ_OK);
    ck_assert_int_eq(r.n_recorded, 0);
    ck_assert_int_eq(r.first_reject, -1);
    ck_assert_int_eq(people_count(db, "failed_events"), 2);
    people_sound(db);
    people_close(db);
}
END_TEST

typedef struct caller {
    cj_db *db;
    int number, n;
    pthread_t thread;
} caller;

static void *call(void *arg)
{
    caller *c = arg;

    for (int i = 0; i < c->n; i++) {
        char user[16], message[32];
        cj_identifier id = {sizeof id, "user_id", user};
        cj_event e = {.struct_size = sizeof e,
                      .name = "page_view",
                      .time_ms = T0 + i,
                      .identifiers = &id,
                      .n_identifiers = 1,
                      .message_id = message};
        (void)snprintf(user, sizeof user, "u%d", c->number);
        (void)snprintf(message, sizeof message, "m%d-%d", c->number, i);
        if (cj_record(c->db, &e) != CJ_OK)
            return c;
    }
    return NULL;
}

static void call_all(cj_db *db, int n_callers, int n)
{
    caller callers[8];
    void *failed;

    for (int i = 0; i < n_callers; i++) {
        callers[i] = (caller){.db = db, .number = i, .n = n};
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, call, &callers[i]),
                         0);
    }
    for (int i = 0; i < n_callers; i++) {
        ck_assert_int_eq(pthread_join(callers[i].thread, &failed), 0);
        ck_assert_ptr_null(failed);
    }
}

/* Callers that come together share commits: fewer journal rows than events. */
START_TEST(test_events_record__callers_share_commits)
{
    cj_db *db = people_open();

    call_all(db, 8, 50);
    ck_assert_int_eq(people_count(db, "journal_events"), 400);
    people_sound(db);
    people_close(db);
}
END_TEST

static cj_db *deferred(char path[64])
{
    cj_open_options o = {
        .struct_size = sizeof o, .flags = CJ_OPEN_DEFERRED, .commit_ms = 3};
    cj_db *db;

    (void)snprintf(path, 64, "/tmp/cj_deferred_%d.cj", (int)getpid());
    (void)unlink(path);
    ck_assert_int_eq(cj_open(path, &o, &db), CJ_OK);
    return db;
}

START_TEST(test_events_record__deferred_is_durable_at_flush)
{
    char path[64];
    cj_db *db = deferred(path), *other;

    call_all(db, 4, 100);
    ck_assert_int_eq(cj_flush(db), CJ_OK);
    ck_assert_int_eq(cj_open(path, NULL, &other), CJ_OK);
    ck_assert_int_eq(people_count(other, "journal_events"), 400);
    ck_assert_int_eq(cj_close(other), CJ_OK);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* What nobody flushed: durable soon by itself, and at the latest at close. */
START_TEST(test_events_record__deferred_without_flush)
{
    char path[64];
    cj_db *db = deferred(path), *other;

    call_all(db, 1, 10);
    ck_assert_int_eq(cj_open(path, NULL, &other), CJ_OK);
    for (int i = 0; i < 5000 && people_count(other, "journal_events") < 10; i++)
        (void)usleep(1000);
    ck_assert_int_eq(people_count(other, "journal_events"), 10);
    call_all(db, 2, 20); /* m0-0 .. m0-9 were there */
    ck_assert_int_eq(cj_close(db), CJ_OK);
    ck_assert_int_eq(people_count(other, "journal_events"), 40);
    ck_assert_int_eq(cj_close(other), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* A deferred commit that cannot be made keeps its events until it can. */
START_TEST(test_events_record__deferred_waits_out_another_writer)
{
    cj_open_options o = {
        .struct_size = sizeof o, .flags = CJ_OPEN_DEFERRED, .busy_ms = 20};
    char path[64];
    cj_db *db = deferred(path), *slow;

    ck_assert_int_eq(cj_open(path, &o, &slow), CJ_OK);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK); /* somebody writes for long */
    call_all(slow, 1, 5);
    ck_assert_int_eq(cj_flush(slow), CJ_EBUSY);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj_flush(slow), CJ_OK);
    ck_assert_int_eq(people_count(slow, "journal_events"), 5);
    ck_assert_int_eq(cj_close(slow), CJ_OK);
    ck_assert_int_eq(cj_close(db), CJ_OK);
    (void)unlink(path);
}
END_TEST

/* A copy does not look at what it was made from. */
START_TEST(test_events_record__copies_stand_alone)
{
    cj_db *db = people_open();
    char name[] = "order", kind[] = "user_id", value[] = "ann", product[] = "P";
    char traits[] = "{\"a\":1}", raw[] = "raw text";
    cj_identifier id = {sizeof id, kind, value};
    cj_item item = {sizeof item, product, 1, 5, NULL};
    cj__message m = {
        .traits = traits, .raw = {raw, 3}
    };
    cj__message *list;
    cj__copy *copy;

    m.event = (cj_event){.struct_size = sizeof m.event,
                         .name = name,
                         .identifiers = &id,
                         .n_identifiers = 1,
                         .items = &item,
                         .n_items = 1};
    ck_assert_int_eq(cj__copy_messages(&db->cx.allocator, &m, 1, 8, &copy), CJ_OK);
    memset(name, 'x', 5);
    memset(kind, 'x', 7);
    memset(value, 'x', 3);
    memset(product, 'x', 1);
    memset(traits, 'x', 7);
    memset(raw, 'x', 8);
    memset(&id, 0, sizeof id);
    memset(&item, 0, sizeof item);
    list = cj__copy_list(copy);
    ck_assert_str_eq(list->event.name, "order");
    ck_assert_str_eq(list->event.identifiers[0].kind, "user_id");
    ck_assert_str_eq(list->event.identifiers[0].value, "ann");
    ck_assert_str_eq(list->event.items[0].product, "P");
    ck_assert_str_eq(list->traits, "{\"a\":1}");
    ck_assert(cj__text_equal(list->raw, cj__text_of("raw")));
    ck_assert_ptr_null(list->event.channel);
    cj__copy_free(copy);
    people_close(db);
}
END_TEST

HARNESS_MAIN("events_record", test_events_record__an_order_and_its_items,
             test_events_record__values, test_events_record__results_of_a_batch,
             test_events_record__callers_share_commits,
             test_events_record__deferred_is_durable_at_flush,
             test_events_record__deferred_without_flush,
             test_events_record__deferred_waits_out_another_writer,
             test_events_record__copies_stand_alone)
