/* Segments over everybody against slow ones over each profile's events, taken from
 * histories kept as plain arrays: whatever was sealed, merged or split among threads.
 */
#include "segment/everyone.h"

#include "api.h"
#include "harness.h"
#include "history.h"
#include "segment_facts.h"

#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000)

/* They need all, some, one or no names; values only; windows of all kinds. */
static const char *const corpus[] = {
    "orders() >= 3",
    "orders(last 10 days) = 0 and revenue() > 200 EUR",
    "revenue(last 30 days) < 100 EUR",
    "count(search) > count(product_view)",
    "count(any, last 7 days) >= 1",
    "count(product_view where channel = \"web\", last 20 days) >= 1",
    "days_since(last(order)) >= 5",
    "count(\"no such event\") = 0",
    "count(order where value > 100 EUR) = 0 or count(refund) >= 2",
    "channels() = 3 and sessions(last 30 days) > 2",
    "first_channel() = \"app\" or last_channel() = \"store\"",
    "sequence(product_view -> order within 2 days)",
    "overdue(order, 3)",
    "not_followed(search by order within 1 day, last 30 days)",
    "average_order() > 90 EUR and not (refund_share() > 10 %)",
    "stopped(any, 10 days) or more(search, 14 days)",
    "top_channel() is known and median_days_between(order) < 10",
    "count(product_view, today) = 0 and count(search, this month) > 0",
    "has(guest) or identifiers() > 1",
    "identifiers(user_id) = 1 and in_list(\"some\")",
    "sample(50 %, \"a\")",
    "count(search, since last order) >= 1",
    "sum(quantity, any) > 20",
    /* a clause that reads less is asked first when only members are wanted */
    "count(any, last 3 days) >= 1 and revenue() > 10 EUR",
    "orders() >= 2 and (count(search, last 5 days) >= 1 or has(guest))",
    "count(search, last 6 days) >= 1 and in_list(\"some\") and orders(last 40 days) < "
    "9",
    "not (count(any, last 4 days) = 0) and count(product_view) >= 2",
    "count(any, last 4 days) = 0 and count(product_view, last 60 days) >= 2",
    "(count(order, last 5 days) = 0 or sample(30 %, \"b\")) and revenue() >= 0 EUR",
    "count(refund, last 7 days) > 0 and not shared_device() and gross() > 1 EUR",
};
enum { CORPUS = sizeof corpus / sizeof corpus[0] };

/* ---- slowly ---------------------------------------------------------------- */

/* A history's events of one profile as facts at hand. */
static void facts_of(facts_case *c, history *h, uint32_t profile)
{
    const cj__scan_options opts = {.profile = profile, .guests = 1};
    int n, *indices = history_select(h, &opts, -1, &n);
    char line[200];

    facts_clear(c);
    for (int i = 0; i < n; i++) {
        const history_event *e = &h->events[indices[i]];
        const int64_t minor = e->value < 0 ? -e->value : e->value;
        size_t at = (size_t)snprintf(line, sizeof line, "%s", history_names[e->name]);

        if (e->has_value)
            at += (size_t)snprintf(line + at, sizeof line - at, " value=%s%lld.%02d",
                                   e->value < 0 ? "-" : "", (long long)(minor / 100),
                                   (int)(minor % 100));
        if (e->channel >= 0)
            at += (size_t)snprintf(line + at, sizeof line - at, " channel=%s",
                                   history_channels[e->channel]);
        if (e->quantity > 0)
            at += (size_t)snprintf(line + at, sizeof line - at, " quantity=%lld",
                                   (long long)e->quantity);
        if (e->session[0] != '\0')
            at += (size_t)snprintf(line + at, sizeof line - at, " session=%s",
                                   e->session);
        if (e->order[0] != '\0')
            (void)snprintf(line + at, sizeof line - at, " order=%s", e->order);
        facts_event_at(c, e->time_ms, line);
    }
    free(indices);
    c->facts.profile = profile;
    memset(c->facts.n_identifiers, 0, sizeof c->facts.n_identifiers);
    for (uint32_t node = 1; node <= h->n_nodes; node++) {
        static const int kinds[] = {6, 1, 8}; /* device_id, user_id, guest */

        if (h->root[node] != profile)
            continue;
        c->facts.n_identifiers[0]++;
        c->facts.n_identifiers[kinds[h->user_of[node] % 3]]++;
    }
}

/* Nodes that are divisible by three are on the list. */
static void slow_put(facts_case *c, history *h, const char *expression, int64_t now_ms,
                     api_text *out)
{
    facts_program p = facts_compile(c, expression);
    char line[100];

    history_roots(h);
    for (uint32_t profile = 1; profile <= h->n_nodes; profile++) {
        cj__truth truth;
        int64_t until;

        if (h->root[profile] != profile)
            continue;
        facts_of(c, h, profile);
        c->members[0] = 0;
        for (uint32_t node = 3; node <= h->n_nodes; node += 3)
            c->members[0] |= h->root[node] == profile;
        expect_ok(cj__program_refresh(p.program));
        expect_ok(cj__program_valid(p.program, &c->facts, now_ms, &truth, &until));
        (void)snprintf(line, sizeof line, "%u %d %lld\n", profile, truth,
                       until == INT64_MAX ? -1 : (long long)until);
        api_put(out, line);
    }
    facts_drop(c, &p);
}

/* ---- as the library does --------------------------------------------------- */

static void fast_put(cj_db *db, const char *expression, const cj_segment_options *o,
                     api_text *out)
{
    const uint8_t *valid;
    char line[100];
    cj_table *t;

    if (cj_segment_evaluate(db, expression, o, &t) != CJ_OK)
        ck_abort_msg("%s: %s", expression, cj_errmsg());
    valid = cj_table_validity(t, 2);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        const int has = valid == NULL || (valid[i / 8] >> i % 8 & 1) != 0;

        (void)snprintf(line, sizeof line, "%lld %lld %lld\n",
                       (long long)cj_table_int64(t, 0)[i],
                       (long long)cj_table_int64(t, 1)[i],
                       has ? (long long)cj_table_int64(t, 2)[i] : -1);
        api_put(out, line);
    }
    cj_table_free(t);
}

static char *fast_text(cj_db *db, const cj_segment_options *o)
{
    api_text text = {0};

    for (int i = 0; i < CORPUS; i += harness_stride(3)) {
        api_put(&text, corpus[i]);
        api_put(&text, "\n");
        fast_put(db, corpus[i], o, &text);
    }
    return text.data;
}

static char *slow_text(history *h, int64_t now_ms)
{
    static facts_case c;
    api_text text = {0};

    facts_begin(&c, h->db->time_zone);
    for (int i = 0; i < CORPUS; i += harness_stride(3)) {
        api_put(&text, corpus[i]);
        api_put(&text, "\n");
        slow_put(&c, h, corpus[i], now_ms, &text);
    }
    facts_end(&c);
    return text.data;
}

static void everyone_list(history *h)
{
    int64_t profiles[200], n = 0;

    history_roots(h);
    for (uint32_t node = 3; node <= h->n_nodes; node += 3)
        profiles[n++] = h->root[node];
    expect_ok(cj_segment_define_list(h->db, "some", profiles, n));
}

/* Of rows "profile truth until" those whose truth is 1, and all other lines. */
static char *members_of(const char *text)
{
    api_text out = {0};
    char line[200];

    for (size_t n; *text != '\0'; text += n) {
        long long profile;
        int truth = 1;

        n = strcspn(text, "\n") + 1;
        (void)snprintf(line, sizeof line, "%.*s", (int)n, text);
        if (sscanf(line, "%lld %d", &profile, &truth) != 2 || truth == 1)
            api_put(&out, line);
    }
    return out.data;
}

static int64_t rows_of(const char *text, const char *expression)
{
    char line[200];
    const char *at;
    int64_t n = 0;

    (void)snprintf(line, sizeof line, "\n%s\n", expression);
    at = strncmp(text, line + 1, strlen(line + 1)) == 0 ? text : strstr(text, line) + 1;
    for (at += strlen(expression) + 1; *at >= '0' && *at <= '9'; n++)
        at += strcspn(at, "\n") + 1;
    return n;
}

/* How many there are of each. */
static void expect_counts(cj_db *db, const char *members, const cj_segment_options *o)
{
    for (int i = 0; i < CORPUS; i += harness_stride(3)) {
        int64_t n;

        expect_ok(cj_segment_define(db, "one", corpus[i], 0));
        expect_ok(cj_segment_count(db, "one", o, &n));
        ck_assert_msg(n == rows_of(members, corpus[i]), "%s: %lld", corpus[i],
                      (long long)n);
    }
}

/* Both, at a moment, for any number of threads; free the text. */
static char *expect_equal(history *h, int64_t now_ms, int all_threads)
{
    static const int32_t threads[] = {1, 2, 3, 7};
    char *want = slow_text(h, now_ms), *members = members_of(want), *got;
    cj_segment_options o = {.struct_size = sizeof o, .as_of_ms = now_ms};

    for (int i = 0; i < (all_threads ? 4 : 1); i++) {
        o.threads = threads[i];
        o.members_only = 0;
        got = fast_text(h->db, &o);
        api_expect_same(got, want, "segments over everybody");
        free(got);
        o.members_only = 1;
        got = fast_text(h->db, &o);
        api_expect_same(got, members, "members of segments");
        free(got);
    }
    expect_counts(h->db, members, &o);
    free(members);
    return want;
}

/* ---- histories ------------------------------------------------------------- */

/* Before all, on an event, a moment after it, in the midst, and after all. */
static int64_t moment(const history *h, int which)
{
    const int64_t event = h->events[h->n_events / 2].time_ms;

    return which == 0   ? HISTORY_FROM_MS - DAY
           : which == 1 ? event
           : which == 2 ? event + 1
           : which == 3 ? HISTORY_FROM_MS + 30 * DAY
                        : HISTORY_UNTIL_MS + 20 * DAY;
}

START_TEST(test_everyone__equals_each_profile_alone)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        history h;

        history_open(&h, seed, 45, 60, seed == 2 ? "Europe/Berlin" : NULL);
        history_record(&h, 300);
        for (int step = 0; step < 4; step++) {
            for (int i = 0; i < 3; i++)
                history_merge(&h);
            if (step > 1)
                history_unmerge(&h);
            history_record(&h, 80);
            everyone_list(&h);
            free(expect_equal(&h, moment(&h, (step + (int)seed) % 5), step % 2 == 0));
        }
        expect_ok(cj_compact(h.db, NULL, NULL));
        for (int which = 0; which < 5; which++)
            free(expect_equal(&h, moment(&h, which), which == 3));
        history_end(&h);
    }
}
END_TEST

/* The same history, sealed never, seldom and all the time. */
START_TEST(test_everyone__sealing_changes_nothing)
{
    static const int64_t seal_events[] = {100000, 400, 9};
    char *first = NULL;

    for (int i = 0; i < 3; i++) {
        char *text;
        history h;

        history_open(&h, 77, 40, seal_events[i], NULL);
        history_record(&h, 500);
        for (int k = 0; k < 8; k++)
            history_merge(&h);
        history_record(&h, 200);
        everyone_list(&h);
        if (i == 0)
            ck_assert_int_eq(api_stat(h.db, "sealed_events"), 0);
        else
            ck_assert_int_gt(api_stat(h.db, "sealed_events"), 0);
        text = expect_equal(&h, moment(&h, 3), 0);
        if (first != NULL)
            api_expect_same(text, first, "another sealing");
        free(first);
        first = text;
        history_end(&h);
    }
    free(first);
}
END_TEST

/* Many events in few slices: several windows and threads that have work. */
START_TEST(test_everyone__many_events_on_many_threads)
{
    static const int32_t threads[] = {1, 2, 3, 7, 64};
    char *first = NULL;
    history h;

    history_open(&h, 5, 1500, 2000, NULL);
    h.span_hours = 100;
    history_record(&h, 9000);
    for (int i = 0; i < 200; i++)
        history_merge(&h);
    expect_ok(cj_segment_define_list(h.db, "some", (const int64_t[]){1}, 1));
    for (int i = 0; i < 5; i++) {
        const cj_segment_options o = {.struct_size = sizeof o,
                                      .as_of_ms = HISTORY_FROM_MS + 3 * DAY,
                                      .threads = threads[i]};
        char *text = fast_text(h.db, &o);

        if (first != NULL)
            api_expect_same(text, first, "another number of threads");
        free(first);
        first = text;
    }
    free(first);
    history_end(&h);
}
END_TEST

/* ---- the walk itself ------------------------------------------------------- */

typedef struct visits {
    int64_t fail_at; /* profile; 0: none */
} visits;

static int32_t visit_note(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    const visits *v = e->user;
    cj__answer answer;

    if (v->fail_at == r->facts.profile)
        return cj__fail_at(r->facts.profile, CJ_EEXISTS, "the visit gives up");
    if (cj__runner_answer(r, 0, e->now_ms, &answer) != CJ_OK)
        return CJ_ENOMEM;
    cj__str_put_int64(partial, r->facts.profile);
    cj__str_put_text(partial, answer.until_ms == e->now_ms + 1 ? "! " : " ");
    return cj__str_status(partial);
}

/* Walks with those options; the text of partials, or NULL on failure. */
static char *everyone_walk(history *h, const char *expression, cj__everyone *e)
{
    const cj__text nameless = {NULL, 0};
    cj__reader *reader;
    cj__set set;
    uint32_t item;
    char *text = NULL;

    expect_ok(cj__reader_open(h->db, &reader));
    cj__set_begin(&set, h->db, cj__reader_conn(reader));
    expect_ok(cj__set_add(&set, nameless, cj__text_of(expression), &item));
    e->db = h->db;
    e->reader = reader;
    e->set = &set;
    e->now_ms = HISTORY_UNTIL_MS;
    e->visit = visit_note;
    if (cj__everyone_run(e) == CJ_OK)
        text = strndup(e->partial.n > 0 ? e->partial.data : "", e->partial.n);
    cj__str_end(&e->partial);
    cj__set_end(&set);
    cj__reader_end(reader);
    return text;
}

/* With and without events to read; with all, and one profile alone. */
START_TEST(test_everyone__visits_each_profile_once_in_order)
{
    static const char *const expressions[] = {"orders() >= 1", "has(user_id)",
                                              "count(\"no such event\") = 0"};
    history h;

    history_open(&h, 9, 30, 50, NULL);
    history_record(&h, 200);
    for (int i = 0; i < 6; i++)
        history_merge(&h);
    history_roots(&h);
    for (int i = 0; i < 3; i++) {
        char want[400] = "", one[16], *got;
        size_t n = 0;
        visits v = {0};

        for (uint32_t profile = 1; profile <= h.n_nodes; profile++) {
            cj__everyone alone = {.user = &v, .profile = profile};

            got = everyone_walk(&h, expressions[i], &alone);
            if (h.root[profile] != profile) {
                ck_assert_ptr_null(got);
                ck_assert_str_eq(cj_errmsg(), "there is no such profile");
                continue;
            }
            (void)snprintf(one, sizeof one, "%u ", profile);
            ck_assert_str_eq(got, one);
            free(got);
            n += (size_t)snprintf(want + n, sizeof want - n, "%s", one);
        }
        for (int32_t threads = 0; threads < 5; threads++) {
            cj__everyone e = {.user = &v, .threads = threads};

            got = everyone_walk(&h, expressions[i], &e);
            ck_assert_str_eq(got, want);
            free(got);
        }
    }
    history_end(&h);
}
END_TEST

START_TEST(test_everyone__momentary_answers_hold_a_millisecond)
{
    visits v = {0};
    cj__everyone e = {.user = &v, .momentary = 1};
    history h;
    char *got;

    history_open(&h, 2, 3, 50, NULL);
    history_record(&h, 20);
    got = everyone_walk(&h, "orders() >= 1", &e);
    ck_assert_str_eq(got, "1! 2! 3! ");
    free(got);
    history_end(&h);
}
END_TEST

/* The first error of any thread is the caller's, with its position. */
START_TEST(test_everyone__errors_of_a_visit)
{
    static const char *const expressions[] = {"orders() >= 1", "has(user_id)"};
    history h;

    history_open(&h, 4, 60, 40, NULL);
    history_record(&h, 600);
    for (int i = 0; i < 2; i++) {
        for (int32_t threads = 1; threads < 4; threads++) {
            visits v = {.fail_at = 7 * threads};
            cj__everyone e = {.user = &v, .threads = threads};

            ck_assert_ptr_null(everyone_walk(&h, expressions[i], &e));
            ck_assert_str_eq(cj_errmsg(), "the visit gives up");
            ck_assert_int_eq(cj_errpos(), 7 * threads);
            ck_assert_ptr_null(e.partial.data);
        }
    }
    history_end(&h);
}
END_TEST

START_TEST(test_everyone__nobody)
{
    visits v = {0};
    cj__everyone e = {.user = &v, .threads = 3}, one = {.user = &v, .profile = 1};
    history h;
    char *got;

    history_open(&h, 1, 5, 10, NULL);
    got = everyone_walk(&h, "orders() >= 1", &e);
    ck_assert_str_eq(got, "");
    free(got);
    got = everyone_walk(&h, "has(email)", &e);
    ck_assert_str_eq(got, "");
    free(got);
    ck_assert_ptr_null(everyone_walk(&h, "orders() >= 1", &one));
    ck_assert_str_eq(cj_errmsg(), "there is no such profile");
    history_end(&h);
}
END_TEST

HARNESS_MAIN("segment_everyone", test_everyone__equals_each_profile_alone,
             test_everyone__sealing_changes_nothing,
             test_everyone__many_events_on_many_threads,
             test_everyone__visits_each_profile_once_in_order,
             test_everyone__momentary_answers_hold_a_millisecond,
             test_everyone__errors_of_a_visit, test_everyone__nobody)
