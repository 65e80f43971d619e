/* The feed as who polls it sees it: rows, causes, cursor, names of dropped segments;
 * and that a call which fails leaves definitions, membership and feed as they were. */
#include "harness.h"
#include "live_shop.h"

#include <stdio.h>
#include <string.h>

static api_file feed_file;
static cj_db *feed_db;
static int64_t feed_now;

static int64_t feed_clock(void *user)
{
    (void)user;
    return feed_now;
}

static void feed_open(api_heap *heap)
{
    cj_open_options o = api_options(0, 100000);

    o.clock = feed_clock;
    o.currency = "EUR";
    if (heap != NULL) {
        o.realloc = api_heap_realloc;
        o.realloc_user = heap;
    }
    expect_ok(cj_open(feed_file.path, &o, &feed_db));
}

static void feed_begin(void)
{
    api_file_make(&feed_file);
    feed_now = API_TIME;
    feed_open(NULL);
}

static void feed_end(void)
{
    api_expect_sound(feed_db);
    expect_ok(cj_close(feed_db));
    api_file_remove(&feed_file);
}

static int32_t feed_record_of(const char *kind, const char *who, const char *name,
                              int64_t value)
{
    const cj_identifier id = {sizeof id, kind, who};
    const cj_event e = {.struct_size = (int64_t)sizeof e,
                        .time_ms = feed_now,
                        .name = name,
                        .identifiers = &id,
                        .n_identifiers = 1,
                        .value_minor = value};

    return cj_record(feed_db, &e);
}

static void feed_record(const char *user, const char *name, int64_t value)
{
    expect_ok(feed_record_of("user_id", user, name, value));
}

/* The rows after a change, as lines "segment profile time what cause", times in
 * milliseconds since API_TIME. */
static void feed_expect(int64_t after, int64_t limit, const char *expected)
{
    const int64_t *names, *whats, *causes;
    const char *name, *what, *cause;
    char text[4096] = "";
    size_t n = 0;
    cj_table *t;

    expect_ok(cj_segment_feed(feed_db, after, limit, &t));
    name = cj_table_text(t, 1, &names);
    what = cj_table_text(t, 4, &whats);
    cause = cj_table_text(t, 5, &causes);
    for (int64_t i = 0; i < cj_table_rows(t); i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s %lld %lld %.*s %.*s\n",
                              (int)(names[i + 1] - names[i]), name + names[i],
                              (long long)cj_table_int64(t, 2)[i],
                              (long long)(cj_table_int64(t, 3)[i] - API_TIME),
                              (int)(whats[i + 1] - whats[i]), what + whats[i],
                              (int)(causes[i + 1] - causes[i]), cause + causes[i]);
    cj_table_free(t);
    ck_assert_str_eq(text, expected);
}

static void feed_define(const char *name, const char *text)
{
    expect_ok(cj_segment_define(feed_db, name, text, CJ_SEGMENT_LIVE));
}

START_TEST(test_segment_feed__tells_who_when_and_why)
{
    feed_begin();
    feed_record("ann", "order", 1000);
    feed_now += 10;
    feed_define("buyers", "orders(last 1 day) >= 1");
    feed_expect(0, 0, "buyers 1 11 entered definition\n");
    feed_record("bob", "order", 500);
    feed_record("bob", "order", 500);
    feed_expect(1, 0, "buyers 2 11 entered event\n");
    feed_now += 2 * DAY;
    /* recording lets time pass for those it touches, first */
    feed_record("bob", "order", 500);
    feed_expect(2, 0,
                "buyers 2 86400011 left clock\n"
                "buyers 2 172800011 entered event\n");
    expect_ok(cj_segment_advance(feed_db, 0, NULL));
    feed_expect(4, 0, "buyers 1 86400001 left clock\n");
    feed_end();
}
END_TEST

START_TEST(test_segment_feed__a_cursor_walks_it)
{
    char expected[64];
    cj_table *t;

    feed_begin();
    feed_define("all", "count(any) >= 1");
    for (int i = 0; i < 25; i++) {
        char user[16];

        (void)snprintf(user, sizeof user, "u%d", i);
        feed_record(user, "view", 0);
    }
    for (int i = 0; i < 25; i++) {
        (void)snprintf(expected, sizeof expected, "all %d 1 entered event\n", i + 1);
        feed_expect(i, 1, expected);
    }
    feed_expect(25, 1, "");
    feed_expect(1000, 0, "");
    expect_code(CJ_EINVAL, cj_segment_feed(feed_db, -1, 0, &t));
    ck_assert_ptr_null(t);
    expect_code(CJ_EINVAL, cj_segment_feed(feed_db, 0, -1, &t));
    expect_code(CJ_EINVAL, cj_segment_feed(feed_db, 0, 1000001, &t));
    expect_ok(cj_segment_feed(feed_db, 0, 1000000, &t));
    ck_assert_int_eq(cj_table_rows(t), 25);
    cj_table_free(t);
    feed_end();
}
END_TEST

START_TEST(test_segment_feed__dropped_and_defined_anew)
{
    feed_begin();
    feed_record("ann", "view", 0);
    feed_define("a", "count(view) >= 1");
    feed_define("b", "in_segment(\"a\")");
    expect_code(CJ_EEXISTS, cj_segment_drop(feed_db, "a"));
    expect_ok(cj_segment_drop(feed_db, "b"));
    expect_ok(cj_segment_drop(feed_db, "a"));
    feed_define("a", "count(view) >= 1"); /* another, of the same name */
    feed_define("a", "count(view) >= 2");
    expect_ok(cj_segment_define(feed_db, "a", "count(view) >= 1", 0));
    feed_define("a", "count(view) >= 1");
    expect_ok(cj_segment_define(feed_db, "a", "count(view) >= 1", 0));
    feed_expect(0, 0,
                "a 1 1 entered definition\n"
                "b 1 1 entered definition\n"
                "b 1 1 left definition\n"
                "a 1 1 left definition\n"
                "a 1 1 entered definition\n"
                "a 1 1 left definition\n"
                "a 1 1 entered definition\n"
                "a 1 1 left definition\n");
    expect_code(CJ_EINVAL, cj_segment_define(feed_db, "a", "count(view) >= 1", 2));
    feed_end();
}
END_TEST

START_TEST(test_segment_feed__merging_and_taking_apart)
{
    int64_t edge;

    feed_begin();
    feed_define("two", "count(view) >= 2");
    feed_define("one", "count(view) = 1");
    feed_record("ann", "view", 0);
    feed_record("bob", "view", 0);
    expect_ok(cj_merge(feed_db, 1, 2, &edge));
    expect_ok(cj_unmerge(feed_db, edge));
    feed_expect(0, 0,
                "one 1 1 entered event\n"
                "one 2 1 entered event\n"
                "two 1 1 entered identity\n"
                "one 1 1 left identity\n"
                "one 2 1 left identity\n"
                "two 1 1 left identity\n"
                "one 1 1 entered identity\n"
                "one 2 1 entered identity\n");
    feed_end();
}
END_TEST

START_TEST(test_segment_feed__what_another_leans_on_is_redefined)
{
    const int64_t bob = 2;

    feed_begin();
    feed_record("ann", "view", 0);
    feed_record("bob", "order", 100);
    expect_ok(cj_segment_define(feed_db, "base", "count(view) >= 1", 0));
    expect_ok(cj_segment_define_list(feed_db, "hand", NULL, 0));
    feed_define("top", "in_segment(\"base\") or in_list(\"hand\")");
    expect_ok(cj_segment_define(feed_db, "base", "orders() >= 1", 0));
    expect_ok(cj_segment_define(feed_db, "base", "orders() >= 5", 0));
    expect_ok(cj_segment_define_list(feed_db, "hand", &bob, 1));
    expect_ok(cj_segment_define_list(feed_db, "hand", NULL, 0));
    feed_expect(0, 0,
                "top 1 1 entered definition\n"
                "top 1 1 left definition\n"
                "top 2 1 entered definition\n"
                "top 2 1 left definition\n"
                "top 2 1 entered definition\n"
                "top 2 1 left definition\n");
    feed_end();
}
END_TEST

START_TEST(test_segment_feed__properties_and_traits)
{
    const cj_identifier ann = {sizeof ann, "user_id", "ann"};
    cj_event e = {.struct_size = (int64_t)sizeof e,
                  .name = "view",
                  .identifiers = &ann,
                  .n_identifiers = 1,
                  .properties = "{\"size\":\"M\"}"};

    feed_begin();
    feed_define("m", "count(view where properties.size = \"M\") >= 2");
    feed_define("de", "country = \"DE\"");
    for (int i = 0; i < 3; i++) { /* hot, then cold: as it was recorded */
        expect_ok(cj_record(feed_db, &e));
        expect_ok(cj_close(feed_db));
        feed_open(NULL);
    }
    expect_ok(cj_identify(feed_db, &ann, 1, "{\"country\":\"DE\"}", 0, NULL, NULL));
    expect_ok(cj_compact(feed_db, NULL, NULL));
    expect_ok(cj_close(feed_db));
    feed_open(NULL);
    feed_now += 5;
    expect_ok(cj_identify(feed_db, &ann, 1, "{\"country\":null}", 0, NULL, NULL));
    feed_expect(0, 0,
                "m 1 1 entered event\n"
                "de 1 1 entered event\n"
                "de 1 6 left event\n");
    feed_end();
}
END_TEST

/* ---- many at once
 * -------------------------------------------------------------------- */

enum { FEED_MANY = 9000 };

static int64_t feed_sum(const char *segment)
{
    const int64_t *names, *whats;
    const char *name, *what;
    int64_t sum = 0;
    cj_table *t;

    expect_ok(cj_segment_feed(feed_db, 0, 1000000, &t));
    name = cj_table_text(t, 1, &names);
    what = cj_table_text(t, 4, &whats);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        if ((size_t)(names[i + 1] - names[i]) == strlen(segment) &&
            memcmp(name + names[i], segment, strlen(segment)) == 0)
            sum += what[whats[i]] == 'e' ? 1 : -1;
    }
    cj_table_free(t);
    return sum;
}

/* One commit: everybody's event, whose e-mail address is told too for every step-th. */
static void feed_many(const char *name, int step)
{
    cj_event *events = calloc(FEED_MANY, sizeof *events);
    cj_identifier *ids = calloc((size_t)FEED_MANY * 2, sizeof *ids);
    char(*texts)[2][24] = calloc(FEED_MANY, sizeof *texts);

    ck_assert(events != NULL && ids != NULL && texts != NULL);
    for (int i = 0; i < FEED_MANY; i++) {
        (void)snprintf(texts[i][0], sizeof texts[i][0], "d%d", i);
        (void)snprintf(texts[i][1], sizeof texts[i][1], "m%d@a.de", i % 7000);
        ids[2 * i] = (cj_identifier){sizeof *ids, "device_id", texts[i][0]};
        ids[2 * i + 1] = (cj_identifier){sizeof *ids, "email", texts[i][1]};
        events[i] = (cj_event){.struct_size = (int64_t)sizeof *events,
                               .time_ms = feed_now,
                               .name = name,
                               .identifiers = &ids[2 * i],
                               .n_identifiers = step != 0 && i % step == 0 ? 2 : 1};
    }
    expect_ok(
        cj_record_many(feed_db, events, FEED_MANY, (int64_t)sizeof *events, NULL));
    free(events);
    free(ids);
    free(texts);
}

START_TEST(test_segment_feed__many_in_one_commit)
{
    static const char *const segments[] = {"two", "known", "half"};
    static const char *const texts[] = {"count(view) >= 2", "has(email)",
                                        "sample(50 %, \"x\") and count(view) >= 3"};
    int64_t n;

    feed_begin();
    for (int i = 0; i < 3; i++)
        feed_define(segments[i], texts[i]);
    feed_many("view", 0);
    ck_assert_int_eq(feed_sum("two"), 0);
    feed_many("view", 3);  /* some are new by e-mail, some join by one */
    feed_many("click", 2); /* more of them */
    expect_ok(cj_compact(feed_db, NULL, NULL));
    expect_ok(cj_close(feed_db));
    feed_open(NULL);
    feed_many("view", 1);
    for (int i = 0; i < 3; i++) {
        expect_ok(cj_segment_count(feed_db, segments[i], NULL, &n));
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(feed_sum(segments[i]), n);
    }
    feed_end();
}
END_TEST

/* ---- failures ----------------------------------------------------------------------
 */

static int32_t feed_call(int which)
{
    static const int64_t ann = 1;
    int64_t ignored;

    switch (which) {
    case 0:
        return feed_record_of("user_id", "ann", "order", 700);
    case 1:
        return feed_record_of("email", "new@a.de", "view", 0);
    case 2:
        return cj_merge(feed_db, 1, 2, &ignored);
    case 3:
        return cj_segment_define(feed_db, "c", "orders() >= 1", CJ_SEGMENT_LIVE);
    case 4:
        return cj_segment_define_list(feed_db, "hand", &ann, 1);
    case 5:
        return cj_segment_advance(feed_db, feed_now + 40 * DAY, NULL);
    case 6:
        return cj_unmerge(feed_db, 1);
    default:
        return cj_segment_drop(feed_db, "c");
    }
}

static char *feed_content(void)
{
    api_text text = {0};
    cj_table *t;

    expect_ok(cj_segment_feed(feed_db, 0, 0, &t));
    api_put_table(&text, t);
    expect_ok(cj_segments(feed_db, &t));
    api_put_table(&text, t);
    expect_ok(cj_stats(feed_db, &t));
    cj_table_free(t);
    return text.data;
}

/* One call with its n-th allocation failing, n = 1, 2, ...; cold: in a handle that has
 * just been opened. */
static void feed_faults(int which, int cold, api_heap *heap)
{
    for (int64_t n = 1;; n += harness_stride(13)) {
        char *before, *after;
        int32_t rc;

        if (cold) {
            expect_ok(cj_close(feed_db));
            feed_open(heap);
        }
        before = feed_content();
        api_heap_arm(heap, n, 0);
        rc = feed_call(which);
        api_heap_disarm(heap);
        if (heap->n_failed == 0) {
            expect_ok(rc);
            free(before);
            return;
        }
        expect_code(CJ_ENOMEM, rc);
        after = feed_content();
        api_expect_same(before, after, "a failed call changed something");
        free(before);
        free(after);
    }
}

START_TEST(test_segment_feed__failures_leave_all_as_it_was)
{
    for (int cold = 0; cold < 2; cold++) {
        api_heap heap = {0};

        feed_begin();
        expect_ok(cj_close(feed_db));
        feed_open(&heap);
        feed_record("ann", "order", 300);
        feed_record("bob", "view", 0);
        expect_ok(cj_segment_define_list(feed_db, "hand", NULL, 0));
        feed_define("a", "orders(last 20 days) >= 1 or in_list(\"hand\")");
        feed_define("b", "count(any) >= 2 or has(email) or shared_device()");
        for (int which = 0; which <= 7; which++)
            feed_faults(which, cold, &heap);
        feed_end();
        ck_assert_int_eq(heap.live_bytes, 0);
        ck_assert_int_eq(heap.n_wrong, 0);
    }
}
END_TEST

HARNESS_MAIN("segment_feed", test_segment_feed__tells_who_when_and_why,
             test_segment_feed__a_cursor_walks_it,
             test_segment_feed__dropped_and_defined_anew,
             test_segment_feed__merging_and_taking_apart,
             test_segment_feed__what_another_leans_on_is_redefined,
             test_segment_feed__properties_and_traits,
             test_segment_feed__many_in_one_commit,
             test_segment_feed__failures_leave_all_as_it_was)
