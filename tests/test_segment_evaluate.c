/* Evaluating segments through the front door: what the tables hold, moments and their
 * edges, who is there, giving up, being interrupted, and others who write meanwhile. */
#include "harness.h"
#include "shop.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const small_shop = "ann 2025-01-01T10:00 order 10 web\n"
                                      "ann 2025-01-20T10:00 order 30 app\n"
                                      "bob 2025-01-05T10:00 order 5 web\n"
                                      "guest:t1 2025-01-06T12:00 order 99 store\n"
                                      "cid 2025-01-07T12:00 search\n";

static void small_open(shop *s, int64_t seal_events)
{
    shop_open(s, NULL, seal_events);
    shop_events(s, small_shop);
    shop_traits(s, "dan 2025-01-03 country \"DE\"\n" /* never did a thing */
                   "ann 2025-01-10 country \"AT\"\n");
}

/* ---- tables ---------------------------------------------------------------- */

START_TEST(test_evaluate__everybody_has_a_row)
{
    shop s;

    small_open(&s, 0);
    expect_evaluate(&s, "2025-01-10", "orders(last 7 days) >= 1",
                    "1 0 2025-01-20T10:00:00.001Z\n"
                    "2 1 2025-01-12T10:00:00.001Z\n"
                    "3 1 2025-01-13T12:00:00.001Z\n"
                    "4 0 never\n"
                    "5 0 never\n");
    expect_evaluate(&s, "2025-01-10", "country = \"DE\"",
                    "1 0 never\n2 2 never\n3 2 never\n4 2 never\n5 1 never\n");
    expect_evaluate(&s, "2025-01-02", "country = \"DE\"",
                    "1 2 never\n2 2 never\n3 2 never\n4 2 never\n"
                    "5 2 2025-01-03T00:00:00.000Z\n");
    /* before there was anything */
    expect_evaluate(&s, "2024-01-01", "orders() = 0 and has(user_id)",
                    "1 1 2025-01-01T10:00:00.001Z\n"
                    "2 1 2025-01-05T10:00:00.001Z\n"
                    "3 0 never\n4 1 never\n5 1 never\n");
    /* guests are people too */
    expect_in(&s, "2025-02-01", "revenue() > 50 EUR", "3");
    expect_in(&s, "2025-02-01", "has(guest)", "3");
    shop_close(&s);
}
END_TEST

START_TEST(test_evaluate__columns)
{
    cj_segment_options o;
    cj_table *t;
    char *rows;
    shop s;

    small_open(&s, 0);
    o = shop_options(&s, "2025-02-01");
    expect_ok(cj_segment_evaluate(s.db, "orders() >= 1", &o, &t));
    ck_assert_int_eq(cj_table_columns(t), 3);
    ck_assert_str_eq(cj_table_name(t, 0), "profile");
    ck_assert_str_eq(cj_table_name(t, 1), "truth");
    ck_assert_str_eq(cj_table_name(t, 2), "valid_until_ms");
    for (int64_t i = 0; i < 3; i++)
        ck_assert_int_eq(cj_table_type(t, i), CJ_INT64);
    cj_table_free(t);
    o.identifier = "user_id";
    expect_ok(cj_segment_evaluate(s.db, "orders() >= 1", &o, &t));
    ck_assert_int_eq(cj_table_columns(t), 4);
    ck_assert_str_eq(cj_table_name(t, 1), "user_id");
    ck_assert_int_eq(cj_table_type(t, 1), CJ_TEXT);
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "1 ann 1 never\n2 bob 1 never\n3 - 1 never\n"
                           "4 cid 0 never\n5 dan 0 never\n");
    free(rows);
    o.members_only = 1;
    o.identifier = "guest";
    expect_ok(cj_segment_evaluate(s.db, "orders() >= 1", &o, &t));
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "1 - 1 never\n2 - 1 never\n3 t1 1 never\n");
    free(rows);
    o.identifier = "";
    expect_ok(cj_segment_evaluate(s.db, "orders() >= 9", &o, &t)); /* nobody */
    ck_assert_int_eq(cj_table_columns(t), 3);
    ck_assert_int_eq(cj_table_rows(t), 0);
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

/* Two people who are one have one row, and the oldest identifier. */
START_TEST(test_evaluate__merged_people)
{
    cj_segment_options o;
    int64_t edge;
    cj_table *t;
    char *rows;
    shop s;

    small_open(&s, 0);
    o = shop_options(&s, "2025-02-01");
    o.identifier = "user_id";
    edge = shop_merge(&s, "guest:t1", "cid");
    expect_in(&s, "2025-02-01", "revenue() > 50 EUR and count(search) = 1", "3");
    expect_ok(cj_segment_evaluate(s.db, "orders() = 1", &o, &t));
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "1 ann 0 never\n2 bob 1 never\n3 cid 1 never\n"
                           "5 dan 0 never\n");
    free(rows);
    expect_ok(cj_unmerge(s.db, edge));
    expect_in(&s, "2025-02-01", "revenue() > 50 EUR and count(search) = 1", "");
    shop_close(&s);
}
END_TEST

/* ---- moments --------------------------------------------------------------- */

/* An event is a fact from the millisecond after it; a trait from its own. */
START_TEST(test_evaluate__edges_of_moments)
{
    shop s;

    small_open(&s, 0);
    expect_in(&s, "2025-01-05T09:59:59.999", "count(order) = 1", "1");
    expect_in(&s, "2025-01-05T10:00", "count(order) = 1", "1");
    expect_in(&s, "2025-01-05T10:00:00.001", "count(order) = 1", "1 2");
    expect_in(&s, "2025-01-08T10:00", "count(order, last 3 days) = 1", "2 3");
    expect_in(&s, "2025-01-08T10:00:00.001", "count(order, last 3 days) = 1", "3");
    expect_in(&s, "2025-01-02T23:59:59.999", "country is known", "");
    expect_in(&s, "2025-01-03", "country is known", "5");
    expect_in(&s, "2025-01-10", "country is known", "1 5");
    /* what is recorded for later is no fact yet */
    shop_events(&s, "bob 2027-01-01 order 5\n");
    expect_in(&s, "2026-01-01", "orders() = 2", "1");
    expect_in(&s, "2027-01-01T00:00:00.001", "orders() = 2", "1 2");
    shop_close(&s);
}
END_TEST

START_TEST(test_evaluate__without_as_of_it_is_now)
{
    const cj_identifier eve = {sizeof eve, "user_id", "eve"};
    const cj_event e = {.struct_size = sizeof e,
                        .name = "order",
                        .identifiers = &eve,
                        .n_identifiers = 1};
    cj_segment_options o = {.struct_size = sizeof o};
    int64_t n;
    shop s;

    small_open(&s, 0);
    s.now_ms = shop_time(&s, "2025-01-20T10:00");
    expect_ok(cj_segment_define(s.db, "two", "orders() = 2", 0));
    expect_ok(cj_segment_count(s.db, "two", NULL, &n));
    ck_assert_int_eq(n, 1); /* ann's second is of this very millisecond */
    expect_ok(cj_segment_count(s.db, "two", &o, &n));
    ck_assert_int_eq(n, 1);
    s.now_ms--;
    expect_ok(cj_segment_count(s.db, "two", NULL, &n));
    ck_assert_int_eq(n, 0);
    expect_ok(cj_segment_define(s.db, "today", "count(order, today) = 1", 0));
    expect_ok(cj_record(s.db, &e)); /* now */
    expect_ok(cj_segment_count(s.db, "today", NULL, &n));
    ck_assert_int_eq(n, 1);
    shop_close(&s);
}
END_TEST

/* The store's clock on the wall decides what today is. */
START_TEST(test_evaluate__days_are_local)
{
    shop s;

    shop_open(&s, "Europe/Berlin", 0);
    shop_events(&s, "ann 2025-01-04T22:59:59Z x\n" /* the 4th */
                    "bob 2025-01-04T23:00:00Z x\n" /* midnight */
                    "cid 2025-01-05T22:59:59Z x\n");
    expect_in(&s, "2025-01-05T23:59:59", "count(x, today) = 1", "2");
    expect_in(&s, "2025-01-06", "count(x, yesterday) = 1", "2 3");
    expect_evaluate(&s, "2025-01-05T12:00", "count(x, today) = 1",
                    "1 0 never\n"
                    "2 1 2025-01-05T23:00:00.000Z\n"
                    "3 0 2025-01-05T22:59:59.001Z\n");
    shop_close(&s);
}
END_TEST

/* ---- definitions ----------------------------------------------------------- */

static char *members_text(shop *s, const char *name, const cj_segment_options *o)
{
    cj_table *t;

    if (cj_segment_members(s->db, name, o, &t) != CJ_OK)
        ck_abort_msg("%s: %s", name, cj_errmsg());
    return shop_rows(t);
}

START_TEST(test_evaluate__members_are_those_whose_truth_is_one)
{
    cj_segment_options o;
    char *rows;
    int64_t n;
    shop s;

    small_open(&s, 0);
    shop_list(&s, "vip", "dan ann");
    shop_define(&s, "buyers = orders(last 30 days) >= 1\n"
                    "german = country = \"DE\"\n");
    o = shop_options(&s, "2025-02-01");
    o.identifier = "user_id";
    rows = members_text(&s, "buyers", &o);
    ck_assert_str_eq(rows, "1 ann 1 2025-02-19T10:00:00.001Z\n"
                           "2 bob 1 2025-02-04T10:00:00.001Z\n"
                           "3 - 1 2025-02-05T12:00:00.001Z\n");
    free(rows);
    expect_ok(cj_segment_count(s.db, "buyers", &o, &n));
    ck_assert_int_eq(n, 3);
    rows = members_text(&s, "german", &o);
    ck_assert_str_eq(rows, "5 dan 1 never\n");
    free(rows);
    rows = members_text(&s, "vip", &o);
    ck_assert_str_eq(rows, "1 ann 1 never\n5 dan 1 never\n");
    free(rows);
    shop_close(&s);
}
END_TEST

START_TEST(test_evaluate__one_profile_and_all_definitions)
{
    cj_segment_options o;
    cj_table *t;
    char *rows;
    shop s;

    small_open(&s, 0);
    o = shop_options(&s, "2025-02-01");
    expect_ok(cj_profile_segments(s.db, 1, &o, &t));
    ck_assert_str_eq(cj_table_name(t, 0), "segment");
    ck_assert_int_eq(cj_table_rows(t), 0);
    cj_table_free(t);
    shop_list(&s, "vip", "ann");
    shop_define(&s, "z = orders() >= 1\n"
                    "a = in_segment(\"z\") and orders(last 30 days) >= 1\n"
                    "german = country = \"DE\"\n"
                    "Zoo = not in_list(\"vip\")\n");
    expect_ok(cj_profile_segments(s.db, 1, &o, &t));
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "Zoo 0 never\n"
                           "a 1 2025-02-19T10:00:00.001Z\n"
                           "german 0 never\n"
                           "vip 1 never\n"
                           "z 1 never\n");
    free(rows);
    expect_ok(cj_profile_segments(s.db, 3, &o, &t));
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "Zoo 1 never\n"
                           "a 1 2025-02-05T12:00:00.001Z\n"
                           "german 2 never\n"
                           "vip 0 never\n"
                           "z 1 never\n");
    free(rows);
    shop_close(&s);
}
END_TEST

START_TEST(test_evaluate__profiles_that_do_not_exist)
{
    static const int64_t wrong[] = {0,          -1,         6,         4294967294,
                                    4294967295, 4294967297, INT64_MAX, INT64_MIN};
    shop s;

    small_open(&s, 0);
    shop_define(&s, "z = orders() >= 1\n");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cj_table *t = (cj_table *)(void *)&s;

        expect_error_is(cj_profile_segments(s.db, wrong[i], NULL, &t), CJ_ENOTFOUND, -1,
                        "there is no such profile");
        ck_assert_ptr_null(t);
    }
    (void)shop_merge(&s, "ann", "bob");
    expect_code(CJ_ENOTFOUND, cj_profile_segments(s.db, 2, NULL, &(cj_table *){NULL}));
    shop_close(&s);
}
END_TEST

/* Every definition over everybody, and over each profile: the same; members and counts
 * too. */
START_TEST(test_evaluate__all_ways_to_ask_agree)
{
    static const char *const names[] = {"a", "b", "c", "d", "vip"};
    cj_segment_options o;
    shop s;

    small_open(&s, 3);
    shop_list(&s, "vip", "bob dan");
    shop_define(&s, "a = orders(last 20 days) >= 1\n"
                    "b = not in_segment(\"a\") and country is known\n"
                    "c = in_list(\"vip\") or in_segment(\"b\")\n"
                    "d = channel_share(web) > 50 %\n");
    for (int day = 0; day < 60; day += 3) {
        o = shop_options(&s, "2024-12-25");
        o.as_of_ms += day * INT64_C(86400000);
        for (int i = 0; i < 5; i++) {
            char expression[64], *members, *all;
            int64_t n, n_true = 0;
            cj_table *t;

            (void)snprintf(expression, sizeof expression, "%s(\"%s\")",
                           i == 4 ? "in_list" : "in_segment", names[i]);
            o.members_only = 1;
            expect_ok(cj_segment_evaluate(s.db, expression, &o, &t));
            all = shop_rows(t);
            members = members_text(&s, names[i], &o);
            ck_assert_str_eq(members, all);
            expect_ok(cj_segment_count(s.db, names[i], &o, &n));
            for (const char *c = members; *c != '\0'; c++)
                n_true += *c == '\n';
            ck_assert_int_eq(n, n_true);
            for (int64_t profile = 1; profile <= 5; profile++) {
                char line[64];
                const int64_t *truth;

                expect_ok(cj_profile_segments(s.db, profile, &o, &t));
                truth = cj_table_int64(t, 1);
                (void)snprintf(line, sizeof line, "%s%lld 1 ", "\n",
                               (long long)profile);
                ck_assert_int_eq(truth[i] == 1,
                                 strncmp(members, line + 1, strlen(line + 1)) == 0 ||
                                     strstr(members, line) != NULL);
                cj_table_free(t);
            }
            free(members);
            free(all);
        }
    }
    shop_close(&s);
}
END_TEST

/* What all definitions say of a profile at a moment: in or not, and until when. */
static int64_t life_at(shop *s, int64_t profile, int64_t at_ms, uint8_t in[8],
                       int64_t until[8])
{
    cj_segment_options o = {.struct_size = (int64_t)sizeof o, .as_of_ms = at_ms};
    const uint8_t *valid;
    cj_table *t;
    int64_t n;

    expect_ok(cj_profile_segments(s->db, profile, &o, &t));
    n = cj_table_rows(t);
    ck_assert_int_le(n, 8);
    valid = cj_table_validity(t, 2);
    for (int64_t i = 0; i < n; i++) {
        const int is_known = valid == NULL || (valid[i / 8] >> i % 8 & 1) != 0;

        in[i] = cj_table_int64(t, 1)[i] == 1;
        until[i] = is_known ? cj_table_int64(t, 2)[i] : INT64_MAX;
        ck_assert_int_gt(until[i], at_ms);
    }
    cj_table_free(t);
    return n;
}

/* From moment to moment through a profile's life: what was said to hold until then
 * holds to the last millisecond, and not any longer. */
static int64_t life_follow(shop *s, int64_t profile, int64_t from_ms, int64_t which)
{
    uint8_t in[8], later[8];
    int64_t until[8], ignored[8], n_changes = 0;
    uint64_t dice = (uint64_t)(profile * 8 + which);

    for (int64_t at = from_ms;; at = until[which], n_changes++) {
        const int64_t n = life_at(s, profile, at, in, until);

        ck_assert_int_lt(which, n);
        if (until[which] == INT64_MAX)
            break;
        (void)life_at(s, profile, until[which] - 1, later, ignored);
        ck_assert_int_eq(later[which], in[which]);
        ck_assert_int_eq(ignored[which], until[which]);
        (void)life_at(s, profile, until[which], later, ignored);
        ck_assert_int_ne(later[which], in[which]);
        for (int i = 0; i < 3; i++) { /* and somewhere in between */
            const int64_t span = until[which] - at;

            (void)life_at(s, profile,
                          at + (int64_t)(api_random(&dice) % (uint64_t)span), later,
                          ignored);
            ck_assert_int_eq(later[which], in[which]);
            ck_assert_int_eq(ignored[which], until[which]);
        }
        ck_assert_int_lt(n_changes, 200);
    }
    return n_changes;
}

START_TEST(test_evaluate__valid_until_is_kept)
{
    int64_t n_changes = 0;
    shop s;

    shop_open(&s, "Europe/Berlin", 4);
    shop_events(&s, small_shop);
    shop_events(&s, "ann 2025-01-02T10:00 search\n"
                    "ann 2025-03-29T23:30 search\n" /* the night of the short day */
                    "bob 2025-01-31T00:00 search\n"
                    "bob 2025-02-05T10:00 refund -5 web\n");
    shop_traits(&s, "ann 2025-01-10 birthday \"1990-02-28\"\n"
                    "bob 2025-01-10 country \"AT\"\n"
                    "ann 2025-02-01 country \"DE\"\n"
                    "ann 2025-02-20 country null\n");
    shop_list(&s, "vip", "bob");
    shop_define(&s,
                "a = count(any, last 7 days) >= 1\n"
                "b = not in_segment(\"a\") and orders() >= 1\n"
                "c = in_segment(\"b\") or (country = \"DE\" and in_segment(\"a\"))\n"
                "d = not in_segment(\"c\") and not in_list(\"vip\") or "
                "count(search, this month) = 1\n"
                "e = in_segment(\"d\") and count(order, today) = 0 and "
                "in_segment(\"a\")\n"
                "f = days_since(last(order)) between 3 and 20 and not "
                "in_segment(\"e\")\n");
    for (int64_t profile = 1; profile <= 4; profile++)
        for (int64_t which = 0; which < 7; which++)
            n_changes += life_follow(&s, profile, shop_time(&s, "2024-12-20"), which);
    ck_assert_int_gt(n_changes, 40);
    shop_close(&s);
}
END_TEST

/* ---- wrong options --------------------------------------------------------- */

static void expect_wrong(shop *s, const cj_segment_options *o, const char *text)
{
    cj_table *t = (cj_table *)(void *)s;
    int64_t n = 77;

    expect_error_is(cj_segment_evaluate(s->db, "orders() = 1", o, &t), CJ_EINVAL, -1,
                    text);
    ck_assert_ptr_null(t);
    t = (cj_table *)(void *)s;
    expect_error_is(cj_segment_members(s->db, "a", o, &t), CJ_EINVAL, -1, text);
    ck_assert_ptr_null(t);
    expect_error_is(cj_segment_count(s->db, "a", o, &n), CJ_EINVAL, -1, text);
    ck_assert_int_eq(n, 0);
    t = (cj_table *)(void *)s;
    expect_error_is(cj_profile_segments(s->db, 1, o, &t), CJ_EINVAL, -1, text);
    ck_assert_ptr_null(t);
}

START_TEST(test_evaluate__wrong_options_are_named)
{
    static const char *const kinds[] = {"colour", "user_id ", "user_id:t x:i",
                                        "a kind that has a very long name indeed",
                                        "USER_ID"};
    static const char *const time_text =
        "as_of_ms is not a time in milliseconds since 1970";
    cj_segment_options good, o;
    shop s;

    small_open(&s, 0);
    shop_define(&s, "a = orders() >= 1\n");
    good = shop_options(&s, "2025-02-01");
    o = good, o.threads = -1;
    expect_wrong(&s, &o, "threads must be 0..64");
    o = good, o.threads = 65;
    expect_wrong(&s, &o, "threads must be 0..64");
    o = good, o.as_of_ms = INT64_MAX;
    expect_wrong(&s, &o, time_text);
    o = good, o.as_of_ms = INT64_MIN;
    expect_wrong(&s, &o, time_text);
    o = good, o.as_of_ms = INT64_C(4102444800001);
    expect_wrong(&s, &o, time_text);
    o = good, o.deadline_ms = -1;
    expect_wrong(&s, &o, "deadline_ms is not a number of milliseconds");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        o = good, o.identifier = kinds[i];
        expect_wrong(&s, &o, "identifier must be a kind, such as user_id");
    }
    /* as far away as may be */
    o = good, o.as_of_ms = INT64_C(4102444800000), o.threads = 64;
    expect_ok(cj_segment_count(s.db, "a", &o, &(int64_t){0}));
    o.as_of_ms = -o.as_of_ms;
    expect_ok(cj_segment_count(s.db, "a", &o, &(int64_t){0}));
    shop_close(&s);
}
END_TEST

/* ---- giving up ------------------------------------------------------------- */

static void many_people(shop *s, int n)
{
    char line[64];

    for (int i = 0; i < n; i++) {
        (void)snprintf(line, sizeof line, "u%d 2025-01-%02d order %d.50 web\n", i,
                       1 + i % 28, i);
        shop_events(s, line);
    }
}

START_TEST(test_evaluate__a_deadline)
{
    static const char *const expressions[] = {"orders() = 1", "has(user_id)"};
    static const char *const text =
        "the deadline has passed; ask for less, or wait longer";
    cj_segment_options o;
    cj_table *t;
    int64_t n;
    shop s;

    shop_open(&s, NULL, 20);
    many_people(&s, 200);
    shop_define(&s, "a = orders() = 1\n");
    o = shop_options(&s, "2026-01-01");
    for (int i = 0; i < 2; i++) {
        s.tick_ms = 1000; /* each look takes a second: there are four and one */
        for (o.threads = 1; o.threads < 4; o.threads++) {
            o.deadline_ms = 2500;
            t = (cj_table *)(void *)&s;
            expect_error_is(cj_segment_evaluate(s.db, expressions[i], &o, &t),
                            CJ_ELIMIT, -1, text);
            ck_assert_ptr_null(t);
            o.deadline_ms = 60000;
            expect_ok(cj_segment_evaluate(s.db, expressions[i], &o, &t));
            ck_assert_int_eq(cj_table_rows(t), 200);
            cj_table_free(t);
        }
        s.tick_ms = 0; /* no time passes at all */
        o.deadline_ms = 1;
        expect_ok(cj_segment_evaluate(s.db, expressions[i], &o, &t));
        cj_table_free(t);
    }
    s.tick_ms = 1000;
    o.threads = 2;
    o.deadline_ms = 500;
    n = 77;
    expect_error_is(cj_segment_count(s.db, "a", &o, &n), CJ_ELIMIT, -1, text);
    ck_assert_int_eq(n, 0);
    expect_error_is(cj_segment_members(s.db, "a", &o, &t), CJ_ELIMIT, -1, text);
    expect_error_is(cj_profile_segments(s.db, 1, &o, &t), CJ_ELIMIT, -1, text);
    o.deadline_ms = INT64_MAX; /* as long as it takes */
    expect_ok(cj_segment_count(s.db, "a", &o, &n));
    ck_assert_int_eq(n, 200);
    s.tick_ms = 0;
    shop_close(&s);
}
END_TEST

typedef struct progress {
    shop *s;
    cj_db *other;
    int64_t n, stop_at, total;
    void (*act)(struct progress *p);
} progress;

static int32_t progress_note(void *user, int64_t done, int64_t total)
{
    progress *p = user;

    ck_assert(done >= 0 && done <= total);
    p->total = total;
    if (++p->n == 1 && p->act != NULL)
        p->act(p);
    return p->n == p->stop_at;
}

static void act_interrupt(progress *p)
{
    expect_ok(cj_interrupt(p->s->db));
}

START_TEST(test_evaluate__progress_and_interruption)
{
    cj_segment_options o;
    progress p = {0};
    cj_table *t;
    int64_t n;
    shop s;

    shop_open(&s, NULL, 10);
    many_people(&s, 100);
    shop_define(&s, "a = orders() = 1\n");
    p.s = &s;
    o = shop_options(&s, "2026-01-01");
    o.progress = progress_note;
    o.progress_user = &p;
    for (o.threads = 1; o.threads < 4; o.threads++) {
        p = (progress){.s = &s};
        expect_ok(cj_segment_evaluate(s.db, "orders() = 1", &o, &t));
        cj_table_free(t);
        ck_assert_int_gt(p.n, 0);
        p = (progress){.s = &s, .stop_at = 1};
        t = (cj_table *)(void *)&s;
        expect_code(CJ_EINTERRUPT, cj_segment_evaluate(s.db, "orders() = 1", &o, &t));
        ck_assert_ptr_null(t);
        p = (progress){.s = &s, .stop_at = 1};
        n = 77;
        expect_code(CJ_EINTERRUPT, cj_segment_count(s.db, "a", &o, &n));
        ck_assert_int_eq(n, 0);
        p = (progress){.s = &s, .act = act_interrupt};
        expect_code(CJ_EINTERRUPT, cj_segment_members(s.db, "a", &o, &t));
        p = (progress){.s = &s};
        expect_ok(cj_segment_count(s.db, "a", &o, &n)); /* the next call goes on */
        ck_assert_int_eq(n, 100);
    }
    shop_close(&s);
}
END_TEST

/* Without events to read: the clock is looked at, and interrupts on its second look. */
static int64_t clock_interrupts(void *user)
{
    progress *p = user;

    if (++p->n == p->stop_at)
        (void)cj_interrupt(p->other);
    return INT64_C(1767225600000);
}

START_TEST(test_evaluate__interruption_without_events)
{
    cj_open_options open = api_options(0, 0);
    cj_segment_options o;
    progress p = {0};
    cj_table *t;
    shop s;

    shop_open(&s, NULL, 0);
    many_people(&s, 130);
    open.clock = clock_interrupts;
    open.clock_user = &p;
    expect_ok(cj_open(s.file.path, &open, &p.other));
    o = shop_options(&s, "2026-01-01");
    o.deadline_ms = 1000;
    p.n = 0, p.stop_at = 3; /* the first is for the deadline, then each 64 profiles */
    expect_code(CJ_EINTERRUPT, cj_segment_evaluate(p.other, "has(user_id)", &o, &t));
    ck_assert_ptr_null(t);
    p.n = 0, p.stop_at = 0;
    expect_ok(cj_segment_evaluate(p.other, "has(user_id)", &o, &t));
    ck_assert_int_eq(cj_table_rows(t), 130);
    cj_table_free(t);
    expect_ok(cj_close(p.other));
    shop_close(&s);
}
END_TEST

/* ---- others who write meanwhile -------------------------------------------- */

/* Everything changes through another handle while the first one reads. */
static void act_change(progress *p)
{
    const cj_identifier ids[] = {
        {sizeof ids[0], "user_id", "new"      },
        {sizeof ids[0], "email",   "new@x.org"}
    };
    int64_t edge;

    expect_ok(cj_segment_define(p->other, "a", "orders() = 7", 0));
    expect_ok(cj_segment_define_list(p->other, "vip", NULL, 0));
    expect_ok(cj_identify(p->other, ids, 2, "{\"country\":\"DE\"}", 1735689600000, NULL,
                          NULL));
    expect_ok(cj_merge(p->other, 1, 2, &edge));
    expect_ok(cj_merge(p->other, 3, 5, &edge));
    for (int64_t i = 0; i < 8; i++) /* what was in the journal is sealed, and moved */
        expect_ok(api_record(p->other, i, API_SCRAMBLED));
}

START_TEST(test_evaluate__one_snapshot_from_end_to_end)
{
    cj_segment_options o;
    char *before, *during, *after;
    progress p = {0};
    shop s;

    shop_open(&s, NULL, 10);
    many_people(&s, 60);
    shop_list(&s, "vip", "u1 u2 u3");
    shop_define(&s, "a = orders() = 1\n"
                    "b = in_segment(\"a\") and not in_list(\"vip\") and "
                    "country is missing\n");
    o = shop_options(&s, "2026-01-01");
    o.identifier = "user_id";
    before = members_text(&s, "b", &o);
    p.s = &s;
    p.other = api_open(s.file.path, 0, 10);
    p.act = act_change;
    o.progress = progress_note;
    o.progress_user = &p;
    during = members_text(&s, "b", &o);
    ck_assert_int_gt(p.n, 0);
    api_expect_same(during, before, "evaluated while others wrote");
    o.progress = NULL;
    after = members_text(&s, "b", &o);
    ck_assert_str_eq(after, "");
    free(before);
    free(during);
    free(after);
    expect_ok(cj_close(p.other));
    shop_close(&s);
}
END_TEST

/* Each commit brings an a and a b of one person: nobody ever has one of them alone. */
typedef struct pairs {
    const char *path;
    _Atomic int32_t is_done;
} pairs;

static void *pairs_write(void *user)
{
    pairs *p = user;
    cj_db *db = api_open(p->path, 0, 50);
    char name[16];

    for (int i = 0; i < 150; i++) {
        const cj_identifier id = {sizeof id, "user_id", name};
        cj_event e[2] = {
            {.struct_size = sizeof e[0], .time_ms = 1735689600000, .name = "a"},
            {.struct_size = sizeof e[0], .time_ms = 1735689600000, .name = "b"}
        };

        (void)snprintf(name, sizeof name, "u%d", i % 20);
        e[0].identifiers = e[1].identifiers = &id;
        e[0].n_identifiers = e[1].n_identifiers = 1;
        expect_ok(cj_record_many(db, e, 2, 0, NULL));
        if (i % 50 == 49)
            expect_ok(cj_compact(db, NULL, NULL));
    }
    expect_ok(cj_close(db));
    p->is_done = 1;
    return NULL;
}

START_TEST(test_evaluate__beside_a_writer)
{
    cj_segment_options o;
    pthread_t thread;
    pairs p = {0};
    cj_table *t;
    int64_t n;
    shop s;

    shop_open(&s, NULL, 0);
    p.path = s.file.path;
    o = shop_options(&s, "2026-01-01");
    o.members_only = 1;
    o.threads = 2;
    expect_ok(cj_segment_define(s.db, "all", "count(a) >= 1", 0));
    ck_assert_int_eq(pthread_create(&thread, NULL, pairs_write, &p), 0);
    while (!p.is_done) {
        expect_ok(cj_segment_evaluate(s.db, "count(a) != count(b)", &o, &t));
        ck_assert_int_eq(cj_table_rows(t), 0);
        cj_table_free(t);
        expect_ok(cj_segment_count(s.db, "all", &o, &n));
        ck_assert(n >= 0 && n <= 20);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    expect_ok(cj_segment_count(s.db, "all", &o, &n));
    ck_assert_int_eq(n, 20);
    shop_close(&s);
}
END_TEST

START_TEST(test_evaluate__a_read_only_handle)
{
    cj_table *t;
    char *rows;
    shop s;

    small_open(&s, 0);
    shop_define(&s, "a = orders() >= 1\n");
    shop_reopen(&s, CJ_OPEN_READONLY);
    expect_in(&s, "2025-02-01", "in_segment(\"a\")", "1 2 3");
    expect_ok(cj_profile_segments(s.db, 4, NULL, &t));
    rows = shop_rows(t);
    ck_assert_str_eq(rows, "a 0 never\n");
    free(rows);
    shop_close(&s);
}
END_TEST

static int evaluate_in_child(cj_db *db)
{
    char *text = (char *)&text;
    cj_table *t = (cj_table *)(void *)&text;
    int64_t n = 77;

    if (cj_segment_evaluate(db, "orders() = 1", NULL, &t) != CJ_EFORK || t != NULL ||
        cj_segment_members(db, "a", NULL, &t) != CJ_EFORK ||
        cj_profile_segments(db, 1, NULL, &t) != CJ_EFORK ||
        cj_segments(db, &t) != CJ_EFORK ||
        cj_segment_count(db, "a", NULL, &n) != CJ_EFORK || n != 0)
        return 1;
    if (cj_segment_define(db, "b", "orders() = 1", 0) != CJ_EFORK ||
        cj_segment_define_list(db, "b", NULL, 0) != CJ_EFORK ||
        cj_segment_drop(db, "a") != CJ_EFORK)
        return 2;
    if (cj_segment_format(db, "orders() = 1", "text", "json", &text, &n) != CJ_EFORK ||
        text != NULL)
        return 3;
    return 0;
}

START_TEST(test_evaluate__a_handle_after_fork)
{
    int status;
    pid_t child;
    shop s;

    small_open(&s, 0);
    shop_define(&s, "a = orders() >= 1\n");
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (evaluate_in_child(s.db) == 0)
            (void)raise(SIGKILL); /* what it inherited, it cannot free */
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_in(&s, "2025-02-01", "in_segment(\"a\")", "1 2 3");
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("segment_evaluate", test_evaluate__everybody_has_a_row,
             test_evaluate__columns, test_evaluate__merged_people,
             test_evaluate__edges_of_moments, test_evaluate__without_as_of_it_is_now,
             test_evaluate__days_are_local,
             test_evaluate__members_are_those_whose_truth_is_one,
             test_evaluate__one_profile_and_all_definitions,
             test_evaluate__profiles_that_do_not_exist,
             test_evaluate__all_ways_to_ask_agree, test_evaluate__valid_until_is_kept,
             test_evaluate__wrong_options_are_named, test_evaluate__a_deadline,
             test_evaluate__progress_and_interruption,
             test_evaluate__interruption_without_events,
             test_evaluate__one_snapshot_from_end_to_end,
             test_evaluate__beside_a_writer, test_evaluate__a_read_only_handle,
             test_evaluate__a_handle_after_fork)
