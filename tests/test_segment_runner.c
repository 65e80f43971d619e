/* Segments that lean on segments: the truth and how long it holds against a table of
 * every moment at which anything may change, worked out one by one; in any order of
 * questions, and for one profile after another. */
#include "segment/runner.h"

#include "harness.h"
#include "segment_facts.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000)

/* Definitions, traits and lists are in a file; events are facts at hand. */
typedef struct runner_case {
    shop s;
    facts_case facts;
    cj__reader *reader;
    cj__set set;
    cj__known known;
    cj__runner *runner;
} runner_case;

static void runner_open(runner_case *c)
{
    shop_open(&c->s, NULL, 0);
    facts_begin(&c->facts, "UTC");
}

static void runner_close(runner_case *c)
{
    facts_end(&c->facts);
    shop_close(&c->s);
}

/* A runner over all definitions. */
static void runner_begin(runner_case *c)
{
    cj__definition *all;
    cj__arena arena;
    cj__text *names;
    uint32_t index;
    size_t n;

    expect_ok(cj__reader_open(c->s.db, &c->reader));
    cj__set_begin(&c->set, c->s.db, cj__reader_conn(c->reader));
    cj__arena_init(&arena, &c->s.db->cx.allocator);
    expect_ok(cj__definitions(c->set.conn, &arena, &all, &n));
    for (size_t i = 0; i < n; i++) {
        if (all[i].kind == CJ__SEGMENT_EXPRESSION)
            expect_ok(cj__set_add_named(&c->set, all[i].name, &index));
    }
    expect_ok(cj__runner_new(&c->set, &c->facts.env, &c->runner));
    expect_ok(cj__runner_traits(c->runner, &arena, &names, &n));
    expect_ok(cj__known_load(&c->known, c->reader, &c->set, names, n, 0));
    cj__arena_end(&arena);
}

static void runner_end(runner_case *c)
{
    cj__runner_end(c->runner);
    cj__known_end(&c->known);
    cj__set_end(&c->set);
    cj__reader_end(c->reader);
}

static void runner_turn(runner_case *c, uint32_t profile, int64_t first, int64_t n)
{
    c->facts.facts.profile = profile;
    c->facts.facts.first = first;
    c->facts.facts.n = n;
    cj__runner_turn(c->runner, &c->known, profile, &c->facts.columns, first, n);
}

static uint32_t runner_item(const runner_case *c, const char *name)
{
    const int64_t at = cj__set_item_named(&c->set, cj__text_of(name));

    ck_assert_msg(at >= 0, "%s", name);
    return (uint32_t)at;
}

/* "true until 2025-01-03T10:00:00.001Z" */
static const char *runner_text(runner_case *c, const char *name, int64_t now_ms)
{
    static const char *const truths[] = {"false", "true", "unknown"};
    static char text[64];
    char until[25] = "never";
    cj__answer answer;

    expect_ok(cj__runner_answer(c->runner, runner_item(c, name), now_ms, &answer));
    if (answer.until_ms != INT64_MAX)
        cj__time_format(answer.until_ms, until);
    (void)snprintf(text, sizeof text, "%s until %s", truths[answer.truth], until);
    return text;
}

static void expect_runs(runner_case *c, const char *name, const char *now,
                        const char *want)
{
    const char *got = runner_text(c, name, facts_time(&c->facts, now));

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s at %s: %s, not %s", name, now, got, want);
}

/* ---- by hand --------------------------------------------------------------- */

START_TEST(test_runner__an_answer_lasts_as_long_as_what_it_leans_on)
{
    runner_case c;

    runner_open(&c);
    shop_events(&c.s, "ann 2024-01-01 x\n");
    facts_events(&c.facts, "2025-01-01T10:00 visit\n"
                           "2025-01-05T10:00 buy\n");
    shop_define(&c.s, "fresh = count(visit, last 2 days) >= 1\n"
                      "buyer = count(buy) >= 1\n"
                      "lost = not in_segment(\"fresh\") and not in_segment(\"buyer\")\n"
                      "call = in_segment(\"lost\")\n"
                      "quiet = not in_segment(\"call\")\n");
    runner_begin(&c);
    runner_turn(&c, 1, 0, c.facts.facts.n);
    expect_runs(&c, "fresh", "2025-01-02", "true until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "lost", "2025-01-02", "false until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "call", "2025-01-02", "false until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "quiet", "2025-01-02", "true until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "call", "2025-01-03T10:00", "false until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "call", "2025-01-03T10:00:00.001",
                "true until 2025-01-05T10:00:00.001Z");
    expect_runs(&c, "call", "2025-01-05T10:00:00.001", "false until never");
    expect_runs(&c, "quiet", "2025-01-05T10:00:00.001", "true until never");
    /* before all: the visit is still to come */
    expect_runs(&c, "call", "2024-12-01", "true until 2025-01-01T10:00:00.001Z");
    runner_end(&c);
    runner_close(&c);
}
END_TEST

/* Two that change at one moment, each the other way: nothing changes. */
START_TEST(test_runner__changes_that_cancel_out_are_passed_over)
{
    runner_case c;

    runner_open(&c);
    shop_events(&c.s, "ann 2024-01-01 x\n");
    facts_events(&c.facts, "2025-01-01T10:00 visit\n"
                           "2025-01-09T10:00 visit\n");
    shop_define(&c.s, "early = count(visit, last 2 days) >= 1\n"
                      "late = count(visit, between 4 days and 2 days ago) >= 1\n"
                      "either = in_segment(\"early\") or in_segment(\"late\")\n"
                      "neither = not in_segment(\"either\")\n"
                      "always = in_segment(\"either\") or in_segment(\"neither\")\n"
                      "still = count(any, today) = 0\n"
                      "too = in_segment(\"still\") or not (count(any, today) = 0)\n");
    runner_begin(&c);
    runner_turn(&c, 1, 0, c.facts.facts.n);
    expect_runs(&c, "early", "2025-01-02", "true until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "late", "2025-01-02", "false until 2025-01-03T10:00:00.001Z");
    expect_runs(&c, "either", "2025-01-02", "true until 2025-01-05T10:00:00.001Z");
    expect_runs(&c, "neither", "2025-01-02", "false until 2025-01-05T10:00:00.001Z");
    expect_runs(&c, "always", "2025-01-02", "true until never");
    expect_runs(&c, "neither", "2025-01-06", "true until 2025-01-09T10:00:00.001Z");
    /* its own part and the other's, at one moment */
    expect_runs(&c, "still", "2025-01-09", "true until 2025-01-09T10:00:00.001Z");
    expect_runs(&c, "too", "2025-01-09", "true until never");
    expect_runs(&c, "too", "2025-01-09T11:00", "true until never");
    runner_end(&c);
    runner_close(&c);
}
END_TEST

/* Who is not in a segment is out of it, whether that is false or unknown. */
START_TEST(test_runner__unknown_is_not_in)
{
    runner_case c;

    runner_open(&c);
    shop_traits(&c.s, "ann 2025-01-10 country \"DE\"\n");
    shop_define(&c.s, "german = country = \"DE\"\n"
                      "other = not in_segment(\"german\")\n"
                      "not german = not (country = \"DE\")\n");
    runner_begin(&c);
    runner_turn(&c, 1, 0, 0);
    expect_runs(&c, "german", "2025-01-01", "unknown until 2025-01-10T00:00:00.000Z");
    expect_runs(&c, "other", "2025-01-01", "true until 2025-01-10T00:00:00.000Z");
    expect_runs(&c, "not german", "2025-01-01", "unknown until never");
    expect_runs(&c, "german", "2025-01-10", "true until never");
    expect_runs(&c, "other", "2025-01-10", "false until never");
    expect_runs(&c, "not german", "2025-01-10", "false until never");
    runner_end(&c);
    runner_close(&c);
}
END_TEST

START_TEST(test_runner__lists_hold_for_ever)
{
    runner_case c;

    runner_open(&c);
    shop_events(&c.s, "ann 2024-01-01 x\n"
                      "bob 2024-01-01 x\n");
    shop_list(&c.s, "vip", "bob");
    shop_define(&c.s,
                "vips = in_list(\"vip\")\n"
                "plain = not in_segment(\"vips\") and count(x, last 7 days) = 0\n");
    facts_events(&c.facts, "2025-01-01 x\n");
    runner_begin(&c);
    runner_turn(&c, 1, 0, 1);
    expect_runs(&c, "vips", "2025-01-02", "false until never");
    expect_runs(&c, "plain", "2025-01-02", "false until 2025-01-08T00:00:00.001Z");
    runner_turn(&c, 2, 0, 1);
    expect_runs(&c, "vips", "2025-01-02", "true until never");
    expect_runs(&c, "plain", "2025-01-02", "false until never");
    runner_turn(&c, 1, 0, 0); /* without events */
    expect_runs(&c, "plain", "2025-01-02", "true until never");
    runner_turn(&c, 2, 1, 0);
    expect_runs(&c, "plain", "2025-01-02", "false until never");
    runner_end(&c);
    runner_close(&c);
}
END_TEST

/* The same question of two people, and the same person at two times, in between. */
START_TEST(test_runner__nothing_is_carried_over)
{
    runner_case c;

    runner_open(&c);
    shop_traits(&c.s, "ann 2025-01-01 n 1\n"
                      "bob 2025-01-01 n 2\n");
    shop_define(&c.s, "one = n = 1\n"
                      "via = in_segment(\"one\")\n"
                      "seen = count(visit) >= 1\n"
                      "both = in_segment(\"via\") and in_segment(\"seen\")\n");
    facts_events(&c.facts, "2025-01-02T12:00 visit\n");
    runner_begin(&c);
    for (int i = 0; i < 3; i++) {
        runner_turn(&c, 1, 0, 1);
        expect_runs(&c, "both", "2025-01-03", "true until never");
        expect_runs(&c, "both", "2025-01-02", "false until 2025-01-02T12:00:00.001Z");
        expect_runs(&c, "via", "2025-01-02", "true until never");
        expect_runs(&c, "via", "2024-01-02", "false until 2025-01-01T00:00:00.000Z");
        runner_turn(&c, 2, 0, 1);
        expect_runs(&c, "both", "2025-01-03", "false until never");
        expect_runs(&c, "seen", "2025-01-02", "false until 2025-01-02T12:00:00.001Z");
        runner_turn(&c, 1, 0, 0);
        expect_runs(&c, "both", "2025-01-03", "false until never");
        expect_runs(&c, "via", "2025-01-03", "true until never");
    }
    runner_end(&c);
    runner_close(&c);
}
END_TEST

START_TEST(test_runner__names_the_traits_that_are_read)
{
    char text[200] = "";
    cj__arena arena;
    cj__text *names;
    runner_case c;
    size_t n;

    runner_open(&c);
    shop_define(&c.s, "a = country = \"DE\" and city is known\n"
                      "b = in_segment(\"a\") or trait(\"odd name\") = 1\n"
                      "c = country = \"AT\" or consent(\"email\", \"news\")\n"
                      "d = orders() = 1\n");
    runner_begin(&c);
    cj__arena_init(&arena, &c.s.db->cx.allocator);
    expect_ok(cj__runner_traits(c.runner, &arena, &names, &n));
    ck_assert_uint_ge(n, 4);
    for (size_t i = 0; i < n; i++) {
        char name[64];

        (void)snprintf(name, sizeof name, "<%.*s>", (int)names[i].n, names[i].data);
        if (strstr(text, name) == NULL)
            strncat(text, name, sizeof text - strlen(text) - 1);
    }
    cj__arena_end(&arena);
    ck_assert_str_eq(text, "<country><city><odd name><consent.email.news>");
    runner_end(&c);
    runner_close(&c);
}
END_TEST

/* ---- against all moments --------------------------------------------------- */

enum { RUNNER_ITEMS = 9, RUNNER_MOMENTS = 4000, RUNNER_PROFILES = 3 };

/* What may change with time, at most six days after an event, or at a midnight. */
static const char *const atoms[] = {
    "count(a, last 2 days) >= 1",
    "count(b) >= 2",
    "count(a, last 3 days) > count(b, last 1 day)",
    "days_since(last(b)) >= 3",
    "stopped(a, 2 days)",
    "not_followed(a by b within 1 day)",
    "count(any, today) = 0",
    "last(a) after first(b)",
    "more(b, 3 days)",
    "sequence(a -> b within 2 days, last 4 days)",
    "level >= 2",
    "in_list(\"vip\")",
};
static const int64_t spans[] = {0, 1, 2, 3, 4, 6};

typedef struct runner_table {
    facts_program programs[RUNNER_ITEMS];
    int64_t at[RUNNER_MOMENTS];
    size_t n;
    int8_t truth[RUNNER_ITEMS][RUNNER_MOMENTS];
    int8_t is_vip[RUNNER_PROFILES + 1];
} runner_table;

static int moments_order(const void *x, const void *y)
{
    const int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

/* Each moment at which something may change, the one before, and the one after. */
static void table_moments(runner_table *t, const runner_case *c, int64_t from)
{
    const cj__facts *f = &c->facts.facts;

    t->n = 0;
    for (int64_t i = f->first; i < f->first + f->n; i++)
        for (size_t s = 0; s < sizeof spans / sizeof spans[0]; s++)
            for (int64_t ms = -1; ms <= 1; ms++)
                t->at[t->n++] = c->facts.columns.time_ms[i] + spans[s] * DAY + ms;
    for (int64_t day = 0; day < 24; day++)
        for (int64_t ms = -1; ms <= 1; ms++)
            t->at[t->n++] = from + day * DAY + ms;
    for (int64_t i = 0; i < f->n_traits; i++)
        for (int64_t ms = -1; ms <= 1; ms++)
            t->at[t->n++] = c->facts.traits[i].time_ms + ms;
    ck_assert_uint_lt(t->n, RUNNER_MOMENTS);
    qsort(t->at, t->n, sizeof t->at[0], moments_order);
}

/* Of one moment: every item from those before it. */
static void table_fill_moment(runner_table *t, runner_case *c, size_t moment)
{
    for (uint32_t i = 0; i < RUNNER_ITEMS; i++) {
        const cj__seg_node *call;

        for (int32_t k = 0;
             (call = cj__program_reference(t->programs[i].program, k)) != NULL; k++) {
            const int64_t to = cj__set_item_named(&c->set, call->kids[0]->text);

            c->facts.members[k] = to < 0 ? t->is_vip[c->facts.facts.profile]
                                         : t->truth[to][moment] == CJ__TRUE;
        }
        t->truth[i][moment] =
            (int8_t)facts_run(&c->facts, &t->programs[i], t->at[moment], NULL);
    }
}

static void expect_entry(const runner_table *t, runner_case *c, uint32_t item,
                         size_t moment)
{
    const int8_t truth = t->truth[item][moment];
    int64_t until = INT64_MAX;
    cj__answer answer;

    for (size_t i = moment + 1; i < t->n && until == INT64_MAX; i++)
        if ((t->truth[item][i] == CJ__TRUE) != (truth == CJ__TRUE))
            until = t->at[i];
    expect_ok(cj__runner_answer(c->runner, item, t->at[moment], &answer));
    ck_assert_msg(answer.truth == (cj__truth)truth &&
                      (c->runner->momentary || answer.until_ms == until),
                  "%.*s at %lld: %d until %lld, not %d until %lld",
                  (int)c->set.items[item].name.n, c->set.items[item].name.data,
                  (long long)t->at[moment], answer.truth, (long long)answer.until_ms,
                  truth, (long long)until);
}

/* Parts of an expression, joined at random: what leads on leads to earlier ones. */
static void random_definitions(runner_case *c, uint64_t *dice)
{
    char text[1000], name[16];

    for (int i = 0; i < RUNNER_ITEMS; i++) {
        const int n_parts = 1 + (int)(api_random(dice) % 3);
        size_t n = 0;

        for (int k = 0; k < n_parts; k++) {
            const char *join = k == 0                      ? ""
                               : api_random(dice) % 2 == 0 ? " and "
                                                           : " or ";
            const char *negation = api_random(dice) % 3 == 0 ? "not " : "";

            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", join, negation);
            if (i > 0 && api_random(dice) % 3 != 0)
                n += (size_t)snprintf(text + n, sizeof text - n, "in_segment(\"d%d\")",
                                      (int)(api_random(dice) % (uint64_t)i));
            else
                n += (size_t)snprintf(
                    text + n, sizeof text - n, "(%s)",
                    atoms[api_random(dice) % (sizeof atoms / sizeof atoms[0])]);
        }
        (void)snprintf(name, sizeof name, "d%d", i);
        if (cj_segment_define(c->s.db, name, text, 0) != CJ_OK)
            ck_abort_msg("%s: %s", text, cj_errmsg());
    }
}

/* Some events of ten days, and one trait's values, in the file and at hand. */
static void random_events(runner_case *c, uint64_t *dice, int64_t from)
{
    char line[64], time[25];

    facts_clear(&c->facts);
    for (int i = 0; i < 24; i++)
        facts_event_at(&c->facts,
                       from + (int64_t)(api_random(dice) % 240) * 3600000 +
                           (int64_t)(api_random(dice) % 2),
                       api_random(dice) % 2 == 0 ? "a" : "b");
    for (int i = 0; i < 3; i++) {
        const int64_t ms = from + (4 * i + (int64_t)(api_random(dice) % 4)) * DAY;

        cj__time_format(ms, time);
        (void)snprintf(line, sizeof line, "ann %s level %d\n", time, i + 1);
        shop_traits(&c->s, line);
        (void)snprintf(line, sizeof line, "level %d", i + 1);
        facts_trait_at(&c->facts, ms, line);
    }
}

/* Questions in any order: of any item, at any moment. */
static void runner_ask(const runner_table *t, runner_case *c, uint64_t *dice, int n)
{
    for (int i = 0; i < n; i++)
        expect_entry(t, c, (uint32_t)(api_random(dice) % RUNNER_ITEMS),
                     api_random(dice) % t->n);
}

static void runner_profile(runner_table *t, runner_case *c, uint64_t *dice,
                           int64_t from, uint32_t profile)
{
    const int64_t n_all = c->facts.columns.n, n_traits = c->facts.facts.n_traits;
    const int64_t first = (int64_t)(profile - 1) * n_all / RUNNER_PROFILES;
    const int64_t n = (int64_t)profile * n_all / RUNNER_PROFILES - first;

    runner_turn(c, profile, first, n);
    c->facts.facts.n_traits = profile == 1 ? n_traits : 0;
    table_moments(t, c, from);
    for (size_t i = 0; i < t->n; i++)
        table_fill_moment(t, c, i);
    c->runner->momentary = 0;
    runner_ask(t, c, dice, 60);
    runner_turn(c, profile, first, n); /* a new load: nothing is remembered */
    c->runner->momentary = 1;
    runner_ask(t, c, dice, 60);
    for (size_t i = 0; i < t->n; i += 7) /* up in time, all items side by side */
        for (uint32_t k = 0; k < RUNNER_ITEMS; k++)
            expect_entry(t, c, k, i);
    c->runner->momentary = 0;
    runner_turn(c, profile, first, n);
    for (size_t i = 0; i < t->n; i += 11)
        expect_entry(t, c, RUNNER_ITEMS - 1, t->n - 1 - i); /* and down */
    c->facts.facts.n_traits = n_traits;
}

START_TEST(test_runner__random_segments_against_all_moments)
{
    static runner_table t;
    uint64_t dice = 20250101;

    for (int round = 0; round < 60; round += harness_stride(5)) {
        runner_case c;
        int64_t from;

        runner_open(&c);
        from = facts_time(&c.facts, "2025-01-01");
        shop_traits(&c.s, "ann 2024-01-01 x 1\nbob 2024-01-01 x 1\n"
                          "cid 2024-01-01 x 1\n");
        shop_list(&c.s, "vip", "bob");
        t.is_vip[2] = 1;
        random_definitions(&c, &dice);
        random_events(&c, &dice, from);
        runner_begin(&c);
        ck_assert_uint_eq(c.set.n, RUNNER_ITEMS);
        for (uint32_t i = 0; i < RUNNER_ITEMS; i++) {
            cj__definition d;

            expect_ok(cj__definition_get(c.s.db, c.set.conn, c.set.items[i].name,
                                         &c.set.arena, &d));
            t.programs[i] = facts_compile(&c.facts, d.source.data);
        }
        for (uint32_t profile = 1; profile <= RUNNER_PROFILES; profile++)
            runner_profile(&t, &c, &dice, from, profile);
        for (uint32_t i = 0; i < RUNNER_ITEMS; i++)
            facts_drop(&c.facts, &t.programs[i]);
        runner_end(&c);
        runner_close(&c);
    }
}
END_TEST

/* ---- memory ---------------------------------------------------------------- */

START_TEST(test_runner__memory_runs_out)
{
    int32_t rc = CJ_ENOMEM;
    runner_case c;

    runner_open(&c);
    shop_events(&c.s, "ann 2024-01-01 x\n");
    shop_list(&c.s, "vip", "ann");
    shop_define(&c.s, "a = count(x, last 2 days) = 0 and in_list(\"vip\")\n"
                      "b = in_segment(\"a\") and country in (\"DE\", \"AT\")\n"
                      "c = in_segment(\"a\") or in_segment(\"b\")\n");
    runner_begin(&c);
    for (int64_t n = 1; rc != CJ_OK; n++) {
        cj__runner *r = NULL;

        api_heap_arm(&c.s.heap, n, n % 2 == 0);
        rc = cj__runner_new(&c.set, &c.facts.env, &r);
        api_heap_disarm(&c.s.heap);
        ck_assert(rc == CJ_OK || (rc == CJ_ENOMEM && r == NULL));
        ck_assert_int_eq(rc == CJ_OK, c.s.heap.n_failed == 0);
        cj__runner_end(r);
    }
    cj__runner_end(NULL);
    runner_end(&c);
    runner_close(&c);
}
END_TEST

HARNESS_MAIN("segment_runner", test_runner__an_answer_lasts_as_long_as_what_it_leans_on,
             test_runner__changes_that_cancel_out_are_passed_over,
             test_runner__unknown_is_not_in, test_runner__lists_hold_for_ever,
             test_runner__nothing_is_carried_over,
             test_runner__names_the_traits_that_are_read,
             test_runner__random_segments_against_all_moments,
             test_runner__memory_runs_out)
