/* Segments taken apart: which clauses they have, each a segment of its own, and what
 * those read. */
#include "segment/clauses.h"

#include "harness.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

typedef struct clauses_case {
    shop s;
    cj__ask ask;
    cj__clauses clauses;
} clauses_case;

static void clauses_begin(clauses_case *c)
{
    memset(c, 0, sizeof *c);
    shop_open(&c->s, "Europe/Berlin", 0);
    shop_events(&c->s, "ann 2025-01-01T10:00 order 12.50 web\n");
    shop_define(&c->s, "vip = revenue() > 100 EUR\n"
                       "old = in_segment(\"vip\") and age > 60\n"
                       "both = in_segment(\"old\") or in_segment(\"vip\")\n");
    shop_list(&c->s, "staff", "ann");
}

static void clauses_end(clauses_case *c)
{
    shop_close(&c->s);
}

static void clauses_take(clauses_case *c, const char *source)
{
    uint32_t item;

    expect_ok(cj__ask_open(c->s.db, &c->ask));
    expect_ok(cj__ask_source(&c->ask, source, &item));
    expect_ok(cj__clauses_of(&c->ask, item, &c->clauses));
}

/* "0 the whole\n1 a clause\n": depth and text, and each names the clause it is in. */
static void expect_clauses(clauses_case *c, const char *source, const char *want)
{
    char got[4096] = "";

    clauses_take(c, source);
    for (uint32_t i = 0; i < c->clauses.n; i++) {
        const cj__clause *clause = &c->clauses.all[i];
        const cj__clause *parent = &c->clauses.all[clause->parent];
        const size_t n = strlen(got);

        (void)snprintf(got + n, sizeof got - n, "%d %.*s\n", clause->depth,
                       (int)clause->text.n, clause->text.data);
        ck_assert_int_eq(clause->depth, i == 0 ? 0 : parent->depth + 1);
        ck_assert(i == 0 || parent->logic != 0);
        ck_assert_ptr_eq(clause->node, c->ask.set.items[clause->item].tree->root);
    }
    ck_assert_str_eq(got, want);
    cj__ask_close(&c->ask);
}

START_TEST(test_segment_clauses__brackets_are_opened)
{
    clauses_case c;

    clauses_begin(&c);
    expect_clauses(&c, "a = 1", "0 a = 1\n");
    expect_clauses(&c, "not a = 1", "0 not a = 1\n");
    expect_clauses(&c, "a = 1 and b = 2 and c = 3",
                   "0 a = 1 and b = 2 and c = 3\n1 a = 1\n1 b = 2\n1 c = 3\n");
    expect_clauses(&c,
                   "a = 1 and (b = 2 and c = 3)", /* one bracket in canonical text */
                   "0 a = 1 and b = 2 and c = 3\n1 a = 1\n1 b = 2\n1 c = 3\n");
    expect_clauses(&c, "a = 1 and (b = 2 or not c = 3) or d = 4",
                   "0 a = 1 and (b = 2 or not c = 3) or d = 4\n"
                   "1 a = 1 and (b = 2 or not c = 3)\n"
                   "2 a = 1\n"
                   "2 b = 2 or not c = 3\n"
                   "3 b = 2\n"
                   "3 not c = 3\n"
                   "1 d = 4\n");
    clauses_end(&c);
}
END_TEST

START_TEST(test_segment_clauses__not_of_a_bracket_is_a_bracket)
{
    clauses_case c;

    clauses_begin(&c);
    expect_clauses(&c, "not (a = 1 or b = 2)",
                   "0 not (a = 1 or b = 2)\n1 a = 1 or b = 2\n2 a = 1\n2 b = 2\n");
    expect_clauses(&c, "not not (a = 1 or b = 2)",
                   "0 not not (a = 1 or b = 2)\n1 not (a = 1 or b = 2)\n"
                   "2 a = 1 or b = 2\n3 a = 1\n3 b = 2\n");
    expect_clauses(&c, "not not a = 1", "0 not not a = 1\n");
    clauses_end(&c);
}
END_TEST

START_TEST(test_segment_clauses__filters_and_arguments_stay_whole)
{
    clauses_case c;

    clauses_begin(&c);
    expect_clauses(
        &c, "count(view where channel = \"web\" and (hour < 9 or weekend)) = 1",
        "0 count(view where channel = \"web\" and (hour < 9 or weekend = true)) = 1\n");
    clauses_end(&c);
}
END_TEST

START_TEST(test_segment_clauses__a_name_stands_for_what_it_says)
{
    clauses_case c;

    clauses_begin(&c);
    expect_clauses(&c, "vip", "0 revenue() > 100 EUR\n");
    expect_clauses(&c, "staff", "0 in_list(\"staff\")\n");
    expect_clauses(&c, "both",
                   "0 in_segment(\"old\") or in_segment(\"vip\")\n"
                   "1 in_segment(\"old\")\n1 in_segment(\"vip\")\n");
    clauses_end(&c);
}
END_TEST

/* ---- what they read
 * ------------------------------------------------------------------------ */

static void expect_reads(clauses_case *c, const char *source, const char *want,
                         uint32_t columns)
{
    cj__eval_env env;
    cj__runner *r;
    cj__reads reads;

    clauses_take(c, source);
    env = cj__runner_env(c->s.db, c->ask.reader);
    expect_ok(cj__runner_new(&c->ask.set, &env, &r));
    expect_ok(cj__reads_of(r, c->clauses.all[0].item, c->s.now_ms, &reads));
    ck_assert_str_eq(reads.text.n == 0 ? "" : reads.text.data, want);
    ck_assert_uint_eq(reads.needs.columns, columns);
    ck_assert_int_gt(reads.cost_ns, 0);
    cj__str_end(&reads.text);
    cj__runner_end(r);
    cj__ask_close(&c->ask);
}

START_TEST(test_segment_reads__all_that_it_leads_to)
{
    const uint32_t money = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE;
    clauses_case c;

    clauses_begin(&c);
    expect_reads(&c, "vip", "value projection: time, name, value", money);
    expect_reads(&c, "old",
                 "value projection: time, name, value; traits: age; segments: vip",
                 money);
    expect_reads(&c, "both",
                 "value projection: time, name, value; traits: age; segments: vip, old",
                 money);
    expect_reads(&c, "age > 3 or age < 1 or size = 2 and in_list(\"staff\")",
                 "traits: age, size; lists: staff", 0);
    expect_reads(&c, "has(email) or identifiers() > 3 or shared_device()",
                 "identifiers; shared devices", 0);
    expect_reads(&c, "trait(\"a, b\") = 1", "traits: a, b", 0);
    expect_reads(&c, "count(any where product = \"x\") > 1", "events: time, product",
                 CJ__COL_TIME | CJ__COL_PRODUCT);
    clauses_end(&c);
}
END_TEST

START_TEST(test_segment_reads__a_diamond_is_not_walked_twice)
{
    char line[80];
    clauses_case c;

    clauses_begin(&c);
    shop_define(&c.s, "a0 = age > 1\nb0 = size > 1\n");
    for (int i = 1; i < 15; i++) { /* 2^14 ways lead down */
        (void)snprintf(line, sizeof line,
                       "a%d = in_segment(\"a%d\") or in_segment(\"b%d\")\n", i, i - 1,
                       i - 1);
        shop_define(&c.s, line);
        line[0] = 'b';
        shop_define(&c.s, line);
    }
    clauses_take(&c, "a14");
    ck_assert_uint_eq(c.clauses.n, 3);
    cj__ask_close(&c.ask);
    clauses_end(&c);
}
END_TEST

HARNESS_MAIN("segment_clauses", test_segment_clauses__brackets_are_opened,
             test_segment_clauses__not_of_a_bracket_is_a_bracket,
             test_segment_clauses__filters_and_arguments_stay_whole,
             test_segment_clauses__a_name_stands_for_what_it_says,
             test_segment_reads__all_that_it_leads_to,
             test_segment_reads__a_diamond_is_not_walked_twice)
