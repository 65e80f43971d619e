/* Who may be in a segment: asking a clause first must never change who is in it, and is
 * done exactly where it can pay. */
#include "history.h"

#include "harness.h"
#include "segment/ask.h"

#define DAY_MS INT64_C(86400000)

/* In turn with as-of times from before the first event to after the last. */
static const char *const candidates_segments[] = {
    "orders() >= 1 and count(product_view, last 5 days) >= 1",
    "orders(last 40 days) >= 2 and count(any, last 3 days) >= 1",
    "orders(last 30 days) = 0 and orders() >= 1 and revenue() > 1 EUR",
    "count(order where channel = \"web\", last 20 days) >= 1 and "
    "not count(refund, last 60 days) >= 1",
    "sequence(product_view -> order within 3 days, last 9 days) and sessions() >= 2",
    "channels(last 2 days) >= 1 and days_since(first(any)) > 20",
    "orders(today) >= 1 and orders() >= 2",
    "count(any where channel = \"app\", between 9 days and 2 days ago) >= 1 and "
    "count(any) >= 3",
    "(orders(last 7 days) >= 1 or count(refund, last 7 days) >= 1) and "
    "average_order() > 1 EUR",
    "has(user_id) and orders(last 12 days) >= 1 and orders() > 1",
    "sample(50 %, \"x\") and count(any, last 6 days) >= 1 and count(any) >= 2",
    "orders(last 60 days) >= 1 and "
    "count(product_view where product = \"P3\", last 40 days) >= 1 and "
    "not sequence(product_view where product = \"P3\" -> orders, last 40 days)",
    "orders() >= 1 and count(refund where product in (\"P1\", \"P4\")) >= 1 and "
    "sessions() >= 1",
    "count(product_view where product = \"P2\", last 30 days) >= 1 and "
    "not count(search, last 9 days) >= 1 and revenue(last 50 days) >= 0 EUR",
    "orders(last 30 days) = 0 and count(any where product = \"P5\") >= 1",
};
enum { CANDIDATES_SEGMENTS = sizeof candidates_segments / sizeof *candidates_segments };

static cj_table *asked(history *h, const char *segment, int64_t as_of_ms,
                       int32_t threads, int32_t members_only)
{
    const cj_segment_options o = {.struct_size = (int64_t)sizeof o,
                                  .as_of_ms = as_of_ms,
                                  .threads = threads,
                                  .members_only = members_only};
    cj_table *t;

    ck_assert_msg(cj_segment_evaluate(h->db, segment, &o, &t) == CJ_OK, "%s: %s",
                  segment, cj_errmsg());
    return t;
}

/* The members, and until when, are those of the table of everybody. */
static int64_t expect_members(history *h, const char *segment, int64_t as_of_ms,
                              int32_t threads)
{
    cj_table *all = asked(h, segment, as_of_ms, 1, 0);
    cj_table *members = asked(h, segment, as_of_ms, threads, 1);
    const int64_t *profile = cj_table_int64(all, 0), *truth = cj_table_int64(all, 1);
    const int64_t *until = cj_table_int64(all, 2);
    int64_t n = 0;

    for (int64_t i = 0; i < cj_table_rows(all); i++) {
        if (truth[i] != 1)
            continue;
        ck_assert_msg(n < cj_table_rows(members), "%s misses %lld", segment,
                      (long long)profile[i]);
        ck_assert_int_eq(cj_table_int64(members, 0)[n], profile[i]);
        ck_assert_int_eq(cj_table_int64(members, 1)[n], 1);
        ck_assert_int_eq(cj_table_int64(members, 2)[n], until[i]);
        n++;
    }
    ck_assert_int_eq(cj_table_rows(members), n);
    cj_table_free(all);
    cj_table_free(members);
    return n;
}

static int64_t expect_all(history *h)
{
    int64_t n = 0;

    for (int i = 0; i < CANDIDATES_SEGMENTS; i += harness_stride(3)) {
        for (int day = -5; day < 110; day += 9 + i) {
            const int64_t as_of = HISTORY_FROM_MS + day * DAY_MS + i * 7;

            n += expect_members(h, candidates_segments[i], as_of, 1 + i % 3);
        }
    }
    return n;
}

START_TEST(test_candidates__members_are_the_same)
{
    static const int64_t seals[] = {3, 60, 65536};
    int64_t n = 0;

    for (int i = 0; i < 3; i++) {
        history h;

        history_open(&h, 41 + (uint64_t)i, 60, seals[i],
                     i == 1 ? "Europe/Berlin" : NULL);
        h.n_products = 6;
        history_record(&h, 900);
        n += expect_all(&h);
        for (int k = 0; k < 15; k++)
            history_merge(&h);
        history_record(&h, 100);
        n += expect_all(&h);
        for (int k = 0; k < 6; k++)
            history_unmerge(&h);
        ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
        n += expect_all(&h);
        history_end(&h);
    }
    ck_assert_int_gt(n, 500 / harness_stride(3)); /* there were some */
}
END_TEST

static int32_t visit_nothing(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    (void)e;
    (void)r;
    (void)partial;
    return CJ_OK;
}

/* How many profiles a segment's members are looked for among; -1: everybody. */
static int64_t candidates_of(history *h, const char *segment, int64_t as_of_ms)
{
    const cj_segment_options o = {.as_of_ms = as_of_ms, .threads = 1};
    const cj__text nameless = {NULL, 0};
    cj__runner *runner;
    cj__eval_env env;
    cj__everyone e;
    cj__arena arena;
    cj__ask ask;
    int64_t n = -1;

    cj__arena_init(&arena, &h->db->cx.allocator);
    ck_assert_int_eq(cj__ask_open(h->db, &ask), CJ_OK);
    cj__ask_everyone(&ask, &o, NULL, &e);
    ck_assert_int_eq(cj__set_add(&ask.set, nameless, cj__text_of(segment), &e.root),
                     CJ_OK);
    env = cj__runner_env(h->db, ask.reader);
    ck_assert_int_eq(cj__runner_new(&ask.set, &env, &runner), CJ_OK);
    e.members_only = 1;
    e.visit = visit_nothing;
    ck_assert_msg(cj__candidates(&e, runner, &arena) == CJ_OK, "%s", cj_errmsg());
    for (uint32_t i = 0; e.profiles != NULL && i <= h->n_nodes; i++)
        n = (n < 0 ? 0 : n) + (int64_t)(e.profiles[i >> 6] >> (i & 63) & 1);
    cj__runner_end(runner);
    cj__ask_close(&ask);
    cj__arena_end(&arena);
    return n;
}

#define VIEWED "count(product_view where product = \"P1\") >= 1"

START_TEST(test_candidates__only_where_it_pays)
{
    static const struct {
        const char *segment;
        int64_t n; /* -1: everybody */
    } cases[] = {
        {"orders(last 10 days) >= 1",                                               -1},
        {"orders(last 10 days) >= 1 or orders() >= 5",                              -1},
        {"orders(last 10 days) = 0 and orders() >= 1",                              -1},
        {"orders(last 10 days) >= 1 and orders() >= 1",                             2 },
        {"orders() >= 1 and orders(last 10 days) >= 1",                             2 },
        {"orders(last 10 days) >= 1 and orders(last 12 days) >= 1",                 -1},
        {"orders(last 10 days) >= 1 and orders(last 20 days) >= 1",                 2 },
        {"orders(last 5 days) >= 1 and orders(last 10 days) >= 1 and orders() > 0", 1 },
        {"not orders(last 10 days) = 0 and orders() >= 1",                          2 },
        {"country = \"DE\" and has(user_id)",                                       -1},
        {"orders(since 2024-03-25) >= 1 and orders() > 1",                          1 },
        {"in_segment(\"recent\") and orders() >= 1",                                -1},
 /* after a product, whatever the window; then of those few, what reads less */
        {VIEWED " and " VIEWED,                                                     -1},
        {VIEWED " and count(any) >= 1",                                             3 },
        {VIEWED " and orders() >= 2 and count(any) >= 1",                           2 },
        {VIEWED " and orders(last 10 days) = 0 and count(any) >= 1",                2 },
        {VIEWED " and orders() >= 5 and count(any) >= 1",                           0 },
        {VIEWED " and country = \"DE\" and count(any) >= 1",                        3 },
    };
    history h;

    history_open(&h, 5, 10, 4, NULL);
    for (int user = 0; user < 6; user++) {
        const int64_t days = (int64_t[]){3, 8, 15, 30, 70, 90}[user];
        history_event e = {.user = user, .value = 100, .has_value = 1, .channel = -1};

        e.time_ms = HISTORY_FROM_MS + (90 - days) * DAY_MS;
        history_add(&h, e);
        if (user % 2) { /* 8, 30 and 90 days ago; two of them order again */
            history_event view = {.user = user, .name = 2, .product = 1, .channel = -1};

            view.time_ms = e.time_ms + DAY_MS / 2;
            history_add(&h, view);
            e.time_ms += DAY_MS;
            if (user > 1)
                history_add(&h, e);
        }
    }
    ck_assert_int_eq(cj_segment_define(h.db, "recent", "orders(last 10 days) >= 1", 0),
                     CJ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t as_of = HISTORY_FROM_MS + 90 * DAY_MS;
        const int64_t n = candidates_of(&h, cases[i].segment, as_of);

        ck_assert_msg(n == cases[i].n, "%s: %lld candidates", cases[i].segment,
                      (long long)n);
        (void)expect_members(&h, cases[i].segment, as_of, 1);
    }
    history_end(&h);
}
END_TEST

/* Nobody without events is visited when nobody of them can be in it. */
START_TEST(test_candidates__who_has_no_events)
{
    static const struct {
        const char *segment;
        int64_t n;
    } cases[] = {
        {"orders() = 0",                             2},
        {"orders() >= 1",                            1},
        {"country = \"DE\" and orders() = 0",        1},
        {"orders() = 0 or country = \"DE\"",         2},
        {"count(any) = 0 and in_list(\"known\")",    1},
        {"orders(last 5 days) = 0 and has(user_id)", 3},
    };
    const cj_identifier ids[2] = {
        {sizeof *ids, "user_id", "silent"},
        {sizeof *ids, "user_id", "german"}
    };
    history_event e = {.user = 1, .value = 100, .has_value = 1, .channel = -1};
    int64_t profiles[2];
    history h;

    history_open(&h, 6, 10, 4, NULL);
    e.time_ms = HISTORY_FROM_MS;
    history_add(&h, e);
    ck_assert_int_eq(cj_identify(h.db, &ids[0], 1, "{}", 1, NULL, &profiles[0]), CJ_OK);
    ck_assert_int_eq(
        cj_identify(h.db, &ids[1], 1, "{\"country\":\"DE\"}", 1, NULL, &profiles[1]),
        CJ_OK);
    ck_assert_int_eq(cj_segment_define_list(h.db, "known", profiles, 1), CJ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t as_of = HISTORY_FROM_MS + 90 * DAY_MS;
        const int64_t n = expect_members(&h, cases[i].segment, as_of, 2);

        ck_assert_msg(n == cases[i].n, "%s: %lld members", cases[i].segment,
                      (long long)n);
    }
    history_end(&h);
}
END_TEST

HARNESS_MAIN("segment_candidates", test_candidates__members_are_the_same,
             test_candidates__only_where_it_pays, test_candidates__who_has_no_events)
