/* Segments with all that they refer to: what is needed comes first and once, circles
 * and depths end with an error that shows the way, names gone wrong with the nearest.
 */
#include "segment/set.h"

#include "store/reader.h"

#include "harness.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

typedef struct set_case {
    shop s;
    cj__reader *reader;
    cj__set set;
} set_case;

static void set_open(set_case *c, const char *definitions)
{
    shop_open(&c->s, NULL, 0);
    shop_events(&c->s, "ann 2025-01-01 order 10\n");
    shop_define(&c->s, definitions);
}

static void set_begin(set_case *c)
{
    expect_ok(cj__reader_open(c->s.db, &c->reader));
    cj__set_begin(&c->set, c->s.db, cj__reader_conn(c->reader));
}

static void set_end(set_case *c)
{
    cj__set_end(&c->set);
    cj__reader_end(c->reader);
}

/* "a b (c)": items in order, the caller's own expression as "?", lists behind. */
static const char *set_text(const cj__set *set)
{
    static char text[2000];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < set->n; i++) {
        const cj__text name = set->items[i].name;

        ck_assert_ptr_nonnull(set->items[i].tree);
        ck_assert(name.data == NULL ? set->items[i].id == 0 : set->items[i].id > 0);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", i > 0 ? " " : "",
                              name.data != NULL ? (int)name.n : 1,
                              name.data != NULL ? name.data : "?");
    }
    for (size_t i = 0; i < set->n_lists; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, " (%.*s)",
                              (int)set->lists[i].name.n, set->lists[i].name.data);
    return text;
}

static void expect_set(set_case *c, const char *expression, const char *want)
{
    const cj__text nameless = {NULL, 0};
    uint32_t index = 777;

    set_begin(c);
    if (cj__set_add(&c->set, nameless, cj__text_of(expression), &index) != CJ_OK)
        ck_abort_msg("%s: %s", expression, cj_errmsg());
    ck_assert_uint_eq(index, c->set.n - 1); /* the last: all else comes before it */
    ck_assert_uint_eq(c->set.n_open, 0);
    if (strcmp(set_text(&c->set), want) != 0)
        ck_abort_msg("%s: %s, not %s", expression, set_text(&c->set), want);
    set_end(c);
}

static void expect_set_error(set_case *c, const char *expression, int32_t code,
                             int64_t position, const char *text)
{
    const cj__text nameless = {NULL, 0};
    uint32_t index;
    int32_t rc;

    set_begin(c);
    rc = cj__set_add(&c->set, nameless, cj__text_of(expression), &index);
    expect_error_is(rc, code, position, text);
    set_end(c);
}

/* ---- order ----------------------------------------------------------------- */

START_TEST(test_set__what_is_needed_comes_first_and_once)
{
    set_case c;

    set_open(&c, "buyers = orders() >= 1\n"
                 "many = orders() >= 3\n"
                 "good = in_segment(\"buyers\") and revenue() > 100 EUR\n"
                 "best = in_segment(\"good\") and in_segment(\"many\") and "
                 "in_segment(\"buyers\")\n"
                 "alone = country = \"DE\"\n");
    expect_set(&c, "orders() = 1", "?");
    expect_set(&c, "in_segment(\"buyers\")", "buyers ?");
    expect_set(&c, "in_segment(\"good\")", "buyers good ?");
    expect_set(&c, "in_segment(\"best\")", "buyers good many best ?");
    /* depth first, in the order in which they are written; each once */
    expect_set(&c, "in_segment(\"many\") or not in_segment(\"best\")",
               "many buyers good best ?");
    expect_set(&c, "in_segment(\"best\") or in_segment(\"many\")",
               "buyers good many best ?");
    expect_set(&c, "in_segment(\"alone\") and in_segment(\"alone\")", "alone ?");
    expect_set(&c,
               "not (not (in_segment(\"alone\") or orders() = 2)) and city is known",
               "alone ?");
    shop_close(&c.s);
}
END_TEST

START_TEST(test_set__lists_stand_apart_and_once)
{
    set_case c;

    set_open(&c, "buyers = orders() >= 1\n");
    shop_list(&c.s, "vip", "ann");
    shop_list(&c.s, "staff", "");
    shop_define(&c.s, "served = in_list(\"vip\") and not in_list(\"staff\")\n"
                      "both = in_segment(\"served\") or in_list(\"staff\")\n");
    expect_set(&c, "in_list(\"vip\")", "? (vip)");
    expect_set(&c, "in_list(\"vip\") or in_list(\"vip\")", "? (vip)");
    expect_set(&c, "in_segment(\"both\") and in_list(\"vip\")",
               "served both ? (vip) (staff)");
    expect_set(&c, "in_list(\"staff\") or in_segment(\"served\")",
               "served ? (staff) (vip)");
    shop_close(&c.s);
}
END_TEST

/* One set for many: what is there already is not added again. */
START_TEST(test_set__a_set_grows)
{
    const cj__text nameless = {NULL, 0};
    uint32_t index;
    set_case c;

    set_open(&c, "a = orders() = 1\n"
                 "b = in_segment(\"a\")\n"
                 "c = in_segment(\"b\")\n");
    shop_list(&c.s, "vip", "ann");
    set_begin(&c);
    expect_ok(cj__set_add_named(&c.set, cj__text_of("b"), &index));
    ck_assert_uint_eq(index, 1);
    expect_ok(cj__set_add_named(&c.set, cj__text_of("a"), &index));
    ck_assert_uint_eq(index, 0);
    expect_ok(cj__set_add_named(&c.set, cj__text_of("c"), &index));
    ck_assert_uint_eq(index, 2);
    expect_ok(cj__set_add_list(&c.set, cj__text_of("vip")));
    expect_ok(cj__set_add_list(&c.set, cj__text_of("vip")));
    expect_ok(cj__set_add(&c.set, nameless, cj__text_of("in_segment(\"b\")"), &index));
    ck_assert_uint_eq(index, 3);
    expect_ok(cj__set_add(&c.set, nameless, cj__text_of("in_segment(\"b\")"), &index));
    ck_assert_uint_eq(index, 4); /* the caller's own are as many as he adds */
    ck_assert_str_eq(set_text(&c.set), "a b c ? ? (vip)");
    ck_assert_int_eq(cj__set_item_named(&c.set, cj__text_of("b")), 1);
    ck_assert_int_eq(cj__set_item_named(&c.set, cj__text_of("B")), -1);
    ck_assert_int_eq(cj__set_item_named(&c.set, cj__text_of("")), -1);
    ck_assert_int_eq(cj__set_item_named(&c.set, cj__text_of("vip")), -1);
    ck_assert_int_eq(cj__set_list_named(&c.set, cj__text_of("vip")), 0);
    ck_assert_int_eq(cj__set_list_named(&c.set, cj__text_of("a")), -1);
    set_end(&c);
    cj__set_end(&c.set); /* again: nothing */
    shop_close(&c.s);
}
END_TEST

START_TEST(test_set__says_what_is_read_besides_events)
{
    static const struct {
        const char *expression;
        int identifiers, shared;
    } cases[] = {
        {"orders() = 1",                               0, 0},
        {"has(email)",                                 1, 0},
        {"identifiers() > 1 and orders() = 1",         1, 0},
        {"identifiers(phone) > 1",                     1, 0},
        {"shared_device()",                            0, 1},
        {"not (orders() = 1 or shared_device())",      0, 1},
        {"in_segment(\"reachable\")",                  1, 0},
        {"in_segment(\"odd\") or in_segment(\"odd\")", 1, 1},
    };
    const cj__text nameless = {NULL, 0};
    uint32_t index;
    set_case c;

    set_open(&c, "reachable = has(email) or has(phone)\n"
                 "odd = in_segment(\"reachable\") and shared_device()\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_begin(&c);
        expect_ok(
            cj__set_add(&c.set, nameless, cj__text_of(cases[i].expression), &index));
        ck_assert_msg(c.set.reads_identifiers == cases[i].identifiers &&
                          c.set.reads_shared == cases[i].shared,
                      "%s", cases[i].expression);
        set_end(&c);
    }
    shop_close(&c.s);
}
END_TEST

/* ---- circles --------------------------------------------------------------- */

/* Where an expression names what the way goes to next. */
static int64_t circle_place(const char *expression, const char *way)
{
    const char *next = strstr(way, " -> "), *end, *at;
    char quoted[64];

    ck_assert_ptr_nonnull(next);
    next += 4;
    end = strstr(next, " -> ");
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"",
                   end == NULL ? (int)strlen(next) : (int)(end - next), next);
    at = strstr(expression, quoted);
    ck_assert_ptr_nonnull(at);
    return at - expression;
}

/* Definitions that follow one another, then one that must be refused with that way. */
static void expect_circle(const char *definitions, const char *name,
                          const char *expression, const char *way)
{
    char text[128];
    cj_table *t;
    char *before, *after;
    set_case c;

    set_open(&c, definitions);
    expect_ok(cj_segments(c.s.db, &t));
    before = shop_rows(t);
    (void)snprintf(text, sizeof text, "segments in a circle: %s", way);
    expect_error_is(cj_segment_define(c.s.db, name, expression, 0), CJ_EINVAL,
                    circle_place(expression, way), text);
    expect_ok(cj_segments(c.s.db, &t));
    after = shop_rows(t);
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
    shop_close(&c.s);
}

START_TEST(test_set__circles_are_refused_with_the_way)
{
    expect_circle("", "a", "in_segment(\"a\")", "a -> a");
    expect_circle("a = orders() = 1\n", "a", "not in_segment(\"a\")", "a -> a");
    expect_circle("a = orders() = 1\n"
                  "b = in_segment(\"a\")\n",
                  "a", "orders() = 2 or in_segment(\"b\")", "a -> b -> a");
    expect_circle("a = orders() = 1\n"
                  "b = in_segment(\"a\")\n"
                  "c = orders() = 7 or not in_segment(\"b\")\n",
                  "a", "in_segment(\"c\")", "a -> c -> b -> a");
    /* of two ways the one that is met first */
    expect_circle("a = orders() = 1\n"
                  "b = in_segment(\"a\")\n"
                  "c = in_segment(\"a\")\n"
                  "d = in_segment(\"c\") and in_segment(\"b\")\n",
                  "a", "in_segment(\"d\")", "a -> d -> c -> a");
    expect_circle("win back = orders() = 1\n"
                  "caf\xc3\xa9 = in_segment(\"win back\")\n",
                  "win back", "in_segment(\"caf\xc3\xa9\")",
                  "win back -> caf\xc3\xa9 -> win back");
}
END_TEST

/* A diamond is no circle, and neither is taking the way back. */
START_TEST(test_set__what_is_no_circle)
{
    set_case c;

    set_open(&c, "a = orders() = 1\n"
                 "b = in_segment(\"a\")\n"
                 "c = in_segment(\"a\")\n"
                 "d = in_segment(\"b\") and in_segment(\"c\")\n");
    expect_set(&c, "in_segment(\"d\") or in_segment(\"a\")", "a b c d ?");
    shop_define(&c.s, "b = orders() = 3\n" /* turn a and b round */
                      "a = in_segment(\"b\")\n");
    expect_set(&c, "in_segment(\"d\")", "b a c d ?");
    shop_close(&c.s);
}
END_TEST

/* A long way is cut, and the text stays one line that can be shown. */
START_TEST(test_set__a_long_way_is_cut)
{
    char names[8][64], expression[128];
    set_case c;

    set_open(&c, "");
    for (int i = 0; i < 8; i++) {
        (void)snprintf(names[i], sizeof names[i], "customers of the shop number %d", i);
        (void)snprintf(expression, sizeof expression, "in_segment(\"%s\")",
                       i > 0 ? names[i - 1] : "");
        expect_ok(cj_segment_define(c.s.db, names[i],
                                    i > 0 ? expression : "orders() = 1", 0));
    }
    (void)snprintf(expression, sizeof expression, "in_segment(\"%s\")", names[7]);
    expect_error_is(cj_segment_define(c.s.db, names[0], expression, 0), CJ_EINVAL, 11,
                    "segments in a circle: customers of the shop number 0 -> "
                    "customers of the shop number 7 ...");
    shop_close(&c.s);
}
END_TEST

START_TEST(test_set__a_long_name_leads_to_itself)
{
    char name[202] = "n", expression[256];
    set_case c;

    for (int i = 1; i < 200; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[199] = '\0';
    set_open(&c, "");
    (void)snprintf(expression, sizeof expression, "in_segment(\"%s\")", name);
    expect_code(CJ_EINVAL, cj_segment_define(c.s.db, name, expression, 0));
    ck_assert_uint_le(strlen(cj_errmsg()), 100);
    ck_assert_int_eq(strncmp(cj_errmsg(), "segments in a circle: n\xc3\xa9", 25), 0);
    ck_assert_str_eq(strrchr(cj_errmsg(), '\xa9'), "\xa9 ..."); /* no half of it */
    shop_close(&c.s);
}
END_TEST

/* ---- depth ----------------------------------------------------------------- */

/* s0, and each after it leads to the one before. */
static int32_t define_chain(shop *s, const char *letter, int from, int until)
{
    char name[32], expression[64];
    int32_t rc = CJ_OK;

    for (int i = from; i <= until && rc == CJ_OK; i++) {
        (void)snprintf(name, sizeof name, "%s%d", letter, i);
        (void)snprintf(expression, sizeof expression, "in_segment(\"%s%d\")", letter,
                       i - 1);
        rc = cj_segment_define(s->db, name, i > 0 ? expression : "orders() = 1", 0);
    }
    return rc;
}

static const char *const too_deep = "segments lead to segments more than 32 deep";

START_TEST(test_set__depth_has_a_limit)
{
    set_case c;
    int64_t n;

    ck_assert_int_eq(CJ__MAX_SEGMENT_DEPTH, 32);
    set_open(&c, "");
    expect_ok(define_chain(&c.s, "s", 0, 30)); /* 31 of them */
    expect_ok(define_chain(&c.s, "s", 31, 31));
    expect_error_is(define_chain(&c.s, "s", 32, 32), CJ_ELIMIT, 11, too_deep);
    expect_ok(cj_segment_count(c.s.db, "s31", NULL, &n));
    ck_assert_int_eq(n, 1);
    expect_in(&c.s, "2026-01-01", "in_segment(\"s31\") and not in_segment(\"s31\")",
              "");
    expect_in(&c.s, "2026-01-01", "in_segment(\"s31\")", "1");
    expect_error_is(cj_segment_count(c.s.db, "s32", NULL, &n), CJ_ENOTFOUND, -1,
                    "no such segment; did you mean `s12`?");
    shop_close(&c.s);
}
END_TEST

/* What leads to a segment must still stand when that is defined anew. */
START_TEST(test_set__depth_through_redefinition)
{
    cj_table *t;
    set_case c;

    set_open(&c, "");
    expect_ok(define_chain(&c.s, "s", 0, 31));
    expect_ok(define_chain(&c.s, "t", 0, 0));
    expect_error_is(cj_segment_define(c.s.db, "s0", "in_segment(\"t0\")", 0), CJ_ELIMIT,
                    -1, too_deep);
    expect_in(&c.s, "2026-01-01", "in_segment(\"s31\")", "1");
    expect_ok(cj_segment_define(c.s.db, "s1", "in_segment(\"t0\")", 0)); /* as deep */
    expect_in(&c.s, "2026-01-01", "in_segment(\"s31\")", "1");
    expect_ok(cj_profile_segments(c.s.db, 1, NULL, &t));
    ck_assert_int_eq(cj_table_rows(t), 33);
    cj_table_free(t);
    /* a second chain whose names come first, hung below: each alone is fine */
    expect_ok(define_chain(&c.s, "a", 0, 20));
    expect_error_is(cj_segment_define(c.s.db, "t0", "in_segment(\"a20\")", 0),
                    CJ_ELIMIT, -1, too_deep);
    expect_ok(cj_segment_define(c.s.db, "s21", "in_segment(\"a20\")", 0));
    expect_ok(cj_profile_segments(c.s.db, 1, NULL, &t));
    ck_assert_int_eq(cj_table_rows(t), 54);
    cj_table_free(t);
    shop_close(&c.s);
}
END_TEST

/* ---- names gone wrong ------------------------------------------------------ */

START_TEST(test_set__lists_and_expressions_are_not_the_same)
{
    int64_t n;
    set_case c;

    set_open(&c, "buyers = orders() >= 1\n");
    shop_list(&c.s, "vip", "ann");
    expect_set_error(&c, "in_segment(\"vip\")", CJ_EINVAL, 11,
                     "that is a list; write in_list(\"...\")");
    expect_set_error(&c, "in_list(\"buyers\")", CJ_EINVAL, 8,
                     "that is no list; write in_segment(\"...\")");
    /* also when the other one is already there */
    expect_set_error(&c, "in_list(\"vip\") or in_segment(\"vip\")", CJ_EINVAL, 29,
                     "that is a list; write in_list(\"...\")");
    expect_set_error(&c, "in_segment(\"buyers\") or in_list(\"buyers\")", CJ_EINVAL, 32,
                     "that is no list; write in_segment(\"...\")");
    expect_ok(cj_segment_count(c.s.db, "vip", NULL, &n)); /* who is on it */
    ck_assert_int_eq(n, 1);
    shop_close(&c.s);
}
END_TEST

START_TEST(test_set__an_unknown_name_meets_the_nearest)
{
    set_case c;

    set_open(&c, "");
    expect_set_error(&c, "in_segment(\"buyers\")", CJ_ENOTFOUND, 11,
                     "no such segment; see the list of segments");
    shop_define(&c.s, "buyers = orders() >= 1\n"
                      "lapsed buyers = orders(last 90 days) = 0\n"
                      "a segment with a name that is much too long for an error text = "
                      "orders() = 1\n");
    shop_list(&c.s, "vip 2025", "");
    expect_set_error(&c, "in_segment(\"byers\")", CJ_ENOTFOUND, 11,
                     "no such segment; did you mean `buyers`?");
    expect_set_error(&c, "in_segment(\"lapsed buyer\")", CJ_ENOTFOUND, 11,
                     "no such segment; did you mean `lapsed buyers`?");
    expect_set_error(&c, "in_list(\"vip2025\")", CJ_ENOTFOUND, 8,
                     "no such segment; did you mean `vip 2025`?");
    expect_set_error(&c, "in_segment(\"something else entirely\")", CJ_ENOTFOUND, 11,
                     "no such segment; see the list of segments");
    expect_set_error(&c, "in_segment(\"\")", CJ_ENOTFOUND, 11,
                     "no such segment; see the list of segments");
    expect_set_error(
        &c, "in_segment(\"a segment with a name that is much too long for an error\")",
        CJ_ENOTFOUND, 11, "no such segment; see the list of segments");
    shop_close(&c.s);
}
END_TEST

START_TEST(test_set__what_does_not_parse_gives_its_byte)
{
    cj_table *t;
    set_case c;

    set_open(&c, "buyers = orders() >= 1\n");
    expect_set_error(&c, "in_segment(\"buyers\") and orders( = 1", CJ_EINVAL, 33,
                     "expected a window such as `last 90 days`, found `=`");
    expect_code(CJ_EINVAL, cj_segment_evaluate(c.s.db, "orders() == 1", NULL, &t));
    ck_assert_int_eq(cj_errpos(), 9);
    expect_code(CJ_EINVAL, cj_segment_define(c.s.db, "x", "orders() >= ", 0));
    ck_assert_int_eq(cj_errpos(), 12);
    expect_code(CJ_EINVAL, cj_segment_define(c.s.db, "x", "", 0));
    ck_assert_int_eq(cj_errpos(), 0);
    expect_code(CJ_EINVAL, cj_segment_define(c.s.db, "x", "revenue() > 3", 0));
    ck_assert_int_eq(cj_errpos(), 12);
    expect_set(&c, "in_segment(\"buyers\")", "buyers ?");
    shop_close(&c.s);
}
END_TEST

/* ---- definitions ----------------------------------------------------------- */

START_TEST(test_set__definitions_as_the_file_has_them)
{
    cj__definition *all, one;
    cj__arena arena;
    size_t n;
    set_case c;

    set_open(&c, "b = orders()>=1\n");
    c.s.now_ms = shop_time(&c.s, "2026-02-03");
    shop_list(&c.s, "a", "ann");
    cj__arena_init(&arena, &c.s.db->cx.allocator);
    set_begin(&c);
    expect_ok(cj__definitions(c.set.conn, &arena, &all, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert(cj__text_equal(all[0].name, cj__text_of("a")));
    ck_assert_int_eq(all[0].kind, CJ__SEGMENT_LIST);
    ck_assert_int_eq(all[0].time_ms, shop_time(&c.s, "2026-02-03"));
    ck_assert_uint_eq(all[0].source.n, 0);
    ck_assert(cj__text_equal(all[1].name, cj__text_of("b")));
    ck_assert_int_eq(all[1].kind, CJ__SEGMENT_EXPRESSION);
    ck_assert(cj__text_equal(all[1].source, cj__text_of("orders() >= 1")));
    expect_ok(cj__definition_get(c.s.db, c.set.conn, cj__text_of("b"), &arena, &one));
    ck_assert_int_eq(one.id, all[1].id);
    ck_assert(cj__text_equal(one.name, all[1].name));
    ck_assert(cj__text_equal(one.source, all[1].source));
    ck_assert_int_ne(all[0].id, all[1].id);
    set_end(&c);
    cj__arena_end(&arena);
    shop_close(&c.s);
}
END_TEST

/* ---- random trees ---------------------------------------------------------- */

/* Definitions that lead only to earlier ones: each set holds exactly what can be
 * reached, each once, and after all that it needs. */
START_TEST(test_set__random_references)
{
    enum { N = 24 };
    uint8_t reach[N][N] = {{0}};
    uint64_t dice = 7;
    char name[16], text[512];
    set_case c;

    set_open(&c, "");
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "orders() = %d", i);

        for (int k = 0; k < 3 && i > 0; k++) {
            const int to = (int)(api_random(&dice) % (uint64_t)i);

            if (api_random(&dice) % 3 == 0)
                continue;
            n += (size_t)snprintf(text + n, sizeof text - n, " or in_segment(\"n%d\")",
                                  to);
            reach[i][to] = 1;
            for (int j = 0; j < to; j++)
                reach[i][j] |= reach[to][j];
        }
        (void)snprintf(name, sizeof name, "n%d", i);
        expect_ok(cj_segment_define(c.s.db, name, text, 0));
    }
    for (int i = 0; i < N; i++) {
        size_t n_reached = 0;
        uint32_t index;

        set_begin(&c);
        (void)snprintf(name, sizeof name, "n%d", i);
        expect_ok(cj__set_add_named(&c.set, cj__text_of(name), &index));
        for (int j = 0; j < i; j++) {
            int64_t at;

            (void)snprintf(name, sizeof name, "n%d", j);
            at = cj__set_item_named(&c.set, cj__text_of(name));
            ck_assert_int_eq(at >= 0, reach[i][j]);
            n_reached += reach[i][j];
            for (int k = 0; k < j && at >= 0; k++) {
                (void)snprintf(name, sizeof name, "n%d", k);
                if (reach[j][k])
                    ck_assert_int_lt(cj__set_item_named(&c.set, cj__text_of(name)), at);
            }
        }
        ck_assert_uint_eq(c.set.n, n_reached + 1);
        ck_assert_uint_eq(index, n_reached);
        set_end(&c);
    }
    shop_close(&c.s);
}
END_TEST

/* Every allocation may fail: the set ends, and nothing is left. */
START_TEST(test_set__memory_runs_out)
{
    const cj__text nameless = {NULL, 0};
    const cj__text text =
        cj__text_of("in_segment(\"c\") or in_list(\"vip\") or in_segment(\"b\")");
    uint32_t index;
    int32_t rc = CJ_ENOMEM;
    set_case c;

    set_open(&c, "a = orders() = 1\n"
                 "b = in_segment(\"a\") and shared_device()\n"
                 "c = in_segment(\"b\")\n");
    shop_list(&c.s, "vip", "ann");
    for (int64_t n = 1; rc != CJ_OK; n++) {
        set_begin(&c);
        api_heap_arm(&c.s.heap, n, n % 2 == 0);
        rc = cj__set_add(&c.set, nameless, text, &index);
        api_heap_disarm(&c.s.heap);
        ck_assert_msg(rc == CJ_OK || rc == CJ_ENOMEM, "%s", cj_errmsg());
        ck_assert_int_eq(rc == CJ_OK, c.s.heap.n_failed == 0);
        set_end(&c);
        ck_assert_int_lt(n, 10000);
    }
    expect_set(&c, "in_segment(\"c\") or in_list(\"vip\")", "a b c ? (vip)");
    shop_close(&c.s);
}
END_TEST

HARNESS_MAIN("segment_set", test_set__what_is_needed_comes_first_and_once,
             test_set__lists_stand_apart_and_once, test_set__a_set_grows,
             test_set__says_what_is_read_besides_events,
             test_set__circles_are_refused_with_the_way, test_set__what_is_no_circle,
             test_set__a_long_way_is_cut, test_set__a_long_name_leads_to_itself,
             test_set__depth_has_a_limit, test_set__depth_through_redefinition,
             test_set__lists_and_expressions_are_not_the_same,
             test_set__an_unknown_name_meets_the_nearest,
             test_set__what_does_not_parse_gives_its_byte,
             test_set__definitions_as_the_file_has_them, test_set__random_references,
             test_set__memory_runs_out)
