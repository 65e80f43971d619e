/* Each limit of the segment language one below it, at it and one above; texts that are
 * made to hurt; memory that runs out. */
#include "base_memory.h"
#include "harness.h"
#include "segment_front.h"

#include <stdio.h>
#include <string.h>

/* ---- making segments of a size
 * --------------------------------------------------------
 */

typedef struct limit_case {
    front_case front;
    cj__str text;
} limit_case;

static void limit_begin(limit_case *l)
{
    front_begin(&l->front, "Europe/Berlin", "EUR", 2);
    cj__str_init(&l->text, &l->front.db.cx.allocator, 1 << 22);
}

static void limit_end(limit_case *l)
{
    cj__str_end(&l->text);
    front_end(&l->front);
}

static void put(limit_case *l, const char *text)
{
    cj__str_put_text(&l->text, text);
}

static void put_times(limit_case *l, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(l, text);
}

static void put_number(limit_case *l, size_t n)
{
    cj__str_put_int64(&l->text, (int64_t)n);
}

/* What was put parses, and so does all that is made of it. */
static void expect_fits(limit_case *l)
{
    const cj__text text = {l->text.data, l->text.n};
    char *canonical;
    const char *got = front_canonical(&l->front, text);

    ck_assert_msg(got != NULL, "%.60s...: %s at %lld", text.data, cj__error_text(),
                  (long long)cj__error_position());
    canonical = strdup(got);
    got = front_canonical(&l->front, cj__text_of(canonical));
    ck_assert_msg(got != NULL, "again: %s", cj__error_text());
    ck_assert_str_eq(got, canonical);
    got = front_json(&l->front, text);
    l->text.n = 0;
    put(l, got);
    got = front_from_json(&l->front, (cj__text){l->text.data, l->text.n});
    ck_assert_msg(got != NULL, "as JSON: %s at %lld", cj__error_text(),
                  (long long)cj__error_position());
    ck_assert_str_eq(got, canonical);
    free(canonical);
    cj__str_clear(&l->text);
}

static void expect_over(limit_case *l, const char *message)
{
    cj__segment_tree *tree;
    const int32_t rc =
        cj__segment_parse(&l->front.db, (cj__text){l->text.data, l->text.n}, &tree);

    ck_assert_msg(rc == CJ_ELIMIT, "%.60s...: %s %s", l->text.data, cj__error_name(rc),
                  cj__error_text());
    ck_assert_str_eq(cj__error_text(), message);
    ck_assert_ptr_null(tree);
    cj__str_clear(&l->text);
}

/* one(l, n) puts a segment of size n. */
static void expect_limit(void (*one)(limit_case *l, size_t n), size_t limit,
                         const char *message)
{
    limit_case l;

    limit_begin(&l);
    one(&l, limit - 1);
    expect_fits(&l);
    one(&l, limit);
    expect_fits(&l);
    one(&l, limit + 1);
    expect_over(&l, message);
    one(&l, limit * 2);
    expect_over(&l, message);
    limit_end(&l);
}

/* ---- sizes
 * ------------------------------------------------------------------------------ */

static void of_bytes(limit_case *l, size_t n)
{
    put(l, "a = \"");
    put_times(l, "x", n - 6);
    put(l, "\"");
    ck_assert_uint_eq(l->text.n, n);
}

START_TEST(test_limits__bytes)
{
    expect_limit(of_bytes, 65536, "a segment has at most 65536 bytes");
    ck_assert_int_eq(cj__error_position(), 65536);
}
END_TEST

/* Blanks and comments count in what is written, not in what it is. */
START_TEST(test_limits__bytes_that_say_nothing)
{
    limit_case l;

    limit_begin(&l);
    put(&l, "a = 1 --");
    put_times(&l, "-", 65528);
    expect_fits(&l);
    put(&l, "a = 1");
    put_times(&l, " ", 65532);
    expect_over(&l, "a segment has at most 65536 bytes");
    limit_end(&l);
}
END_TEST

/* A byte that becomes six when it is escaped: what is written would fit, the same in
 * canonical text does not. */
static void of_escapes(limit_case *l, size_t n)
{
    put(l, "a in (\"");
    put_times(l, "\x7f", n);
    put(l, "\")");
}

START_TEST(test_limits__canonical_bytes)
{
    limit_case l;

    limit_begin(&l);
    of_escapes(&l, (65536 - 9) / 6);
    expect_fits(&l);
    of_escapes(&l, (65536 - 9) / 6 + 1);
    expect_over(&l, "as canonical text the segment has over 65536 bytes");
    limit_end(&l);
}
END_TEST

/* ---- depth: of the tree, whatever makes it
 * -------------------------------------------------- */

static void of_nots(limit_case *l, size_t n)
{
    put_times(l, "not ", n - 3); /* then =, and its sides */
    put(l, "(a + 1) = 1");
}

static void of_brackets(limit_case *l, size_t n)
{
    put_times(l, "(", n);
    put(l, "a = 1");
    put_times(l, ")", n);
}

static void of_minuses(limit_case *l, size_t n)
{
    put_times(l, "- ", n - 2);
    put(l, "a = 1");
}

static void of_sums(limit_case *l, size_t n)
{
    put(l, "a");
    put_times(l, " + a", n - 2);
    put(l, " = 1");
}

static void of_rights(limit_case *l, size_t n)
{
    put(l, "1 = a");
    put_times(l, " * (a", n - 2);
    put_times(l, ")", n - 2);
}

static void of_conditions(limit_case *l, size_t n)
{
    put_times(l, "(", n - 2);
    put(l, "a");
    put_times(l, " = true)", n - 2);
    put(l, " is known");
}

/* `and` in `or` in `and` ...: the letter at the end of each stands one deeper. */
static void of_layers(limit_case *l, size_t n)
{
    for (size_t i = 2; i < n; i++)
        put(l, i % 2 == 0 ? "a and (" : "a or (");
    put(l, n % 2 == 0 ? "a and a" : "a or a");
    put_times(l, ")", n - 2);
}

static void of_filters(limit_case *l, size_t n)
{
    put(l, "count(a where "); /* >, count, its event, and the comparison at the end */
    put_times(l, "not ", n - 5);
    put(l, "hour = 1) > 1");
}

START_TEST(test_limits__depth)
{
    static const char message[] = "a segment is nested at most 32 deep";

    expect_limit(of_nots, 32, message);
    expect_limit(of_brackets, 32, message);
    expect_limit(of_minuses, 32, message);
    expect_limit(of_sums, 32, message);
    expect_limit(of_rights, 32, message);
    expect_limit(of_conditions, 32, message);
    expect_limit(of_filters, 32, message);
    expect_limit(of_layers, 32, message);
}
END_TEST

/* ---- counts
 * -------------------------------------------------------------------------------- */

/* An `and`, then 3 for each comparison. */
static void of_nodes(limit_case *l, size_t n)
{
    for (size_t i = 0; i < (n - 1) / 3; i++)
        put(l, i == 0 ? "a = 1" : " and a = 1");
    put_times(l, " and a", (n - 1) % 3);
}

START_TEST(test_limits__nodes)
{
    expect_limit(of_nodes, 1024, "a segment has at most 1024 parts");
}
END_TEST

/* Brackets, joined `and`s and values of lists are no parts of their own. */
START_TEST(test_limits__what_is_no_node)
{
    limit_case l;

    limit_begin(&l);
    for (size_t i = 0; i < 341; i++) {
        put(&l, i == 0 ? "" : " and ");
        put(&l, i % 5 == 0 ? "((a in (1, 2, -3, 4, 5 EUR)))" : "(a = -1)");
    }
    expect_fits(&l);
    limit_end(&l);
}
END_TEST

static void of_list(limit_case *l, size_t n)
{
    put(l, "a in (");
    for (size_t i = 0; i < n; i++) {
        put(l, i == 0 ? "" : ",");
        put_number(l, i % 10);
    }
    put(l, ")");
}

static void of_products(limit_case *l, size_t n)
{
    put(l, "bought((");
    put_times(l, "\"\",", n - 1);
    put(l, "\"\"))");
}

START_TEST(test_limits__list)
{
    static const char message[] =
        "a list has at most 10000 values: make a static list of it";

    expect_limit(of_list, 10000, message);
    expect_limit(of_products, 10000, message);
}
END_TEST

static void of_steps(limit_case *l, size_t n)
{
    put(l, "sequence(a");
    put_times(l, " -> b within 1 day", n - 1);
    put(l, ", same product)");
}

START_TEST(test_limits__steps)
{
    expect_limit(of_steps, 16, "a sequence has at most 16 steps");
}
END_TEST

static void of_digits(limit_case *l, size_t n)
{
    put(l, "a = 0.");
    put_times(l, "7", n - 2);
}

static void of_path(limit_case *l, size_t n)
{
    put(l, "a");
    put_times(l, ".b", n - 1);
    put(l, " = 1");
}

static void of_property(limit_case *l, size_t n)
{
    put(l, "count(x where properties.a");
    put_times(l, n % 2 == 0 ? ".b[]" : "[].b", (n - 1) / 2);
    put(l, n % 2 == 0 ? ".c = 1) = 1" : " = 1) = 1");
}

static void of_name(limit_case *l, size_t n)
{
    put(l, "count(");
    put_times(l, "n", n);
    put(l, ") = 1");
}

static void of_days(limit_case *l, size_t n)
{
    put(l, "orders(last ");
    put_number(l, n);
    put(l, " days) = 1");
}

static void of_seconds(limit_case *l, size_t n)
{
    put(l, "orders(last ");
    put_number(l, n);
    put(l, " seconds) = 1");
}

START_TEST(test_limits__small_ones)
{
    expect_limit(of_digits, 40, "a number has at most 40 digits");
    expect_limit(of_path, 32, "a path has at most 32 parts");
    expect_limit(of_property, 32, "a path has at most 32 parts");
    expect_limit(of_name, 200, "the name of an event has at most 200 bytes");
    expect_limit(of_days, 47482, "a duration has at most 47482 days");
    expect_limit(of_seconds, (size_t)47482 * 86400,
                 "a duration has at most 47482 days");
}
END_TEST

/* ---- JSON that is over a limit
 * ---------------------------------------------------------------- */

static void expect_json_over(limit_case *l, const char *message)
{
    cj__segment_tree *tree;
    const int32_t rc =
        cj__segment_from_json(&l->front.db, (cj__text){l->text.data, l->text.n}, &tree);

    ck_assert_msg(rc == CJ_ELIMIT, "%s: %s", cj__error_name(rc), cj__error_text());
    ck_assert_str_eq(cj__error_text(), message);
    ck_assert_ptr_null(tree);
    cj__str_clear(&l->text);
}

START_TEST(test_limits__json)
{
    limit_case l;

    limit_begin(&l);
    put_times(&l, "{\"not\":", 40);
    put(&l, "true");
    put_times(&l, "}", 40);
    expect_json_over(&l, "a segment is nested at most 32 deep");
    put_times(&l, "[", 101);
    expect_json_over(&l, "JSON: nested deeper than 100");
    put(&l, "{\"and\":[true");
    put_times(&l, ",true", 1023);
    put(&l, "]}");
    expect_json_over(&l, "a segment has at most 1024 parts");
    put(&l, "{\"op\":\"in\",\"left\":{\"trait\":\"a\"},\"list\":[1");
    put_times(&l, ",1", 10000);
    put(&l, "]}");
    expect_json_over(&l, "a list has at most 10000 values: make a static list of it");
    put(&l, "{\"call\":\"sequence\",\"args\":[{\"steps\":[{\"event\":\"a\"}");
    put_times(&l, ",{\"event\":\"a\"}", 16);
    put(&l, "]}]}");
    expect_json_over(&l, "these are at most 16 steps");
    put(&l, "{\"op\":\"=\",\"left\":{\"trait\":\"a\"},\"right\":\"");
    put_times(&l, "x", 65536);
    put(&l, "\"}");
    expect_json_over(&l, "as canonical text the segment has over 65536 bytes");
    put_times(&l, " ", 1 << 20);
    put(&l, "true");
    expect_json_over(&l, "JSON: longer than 1048576 bytes");
    limit_end(&l);
}
END_TEST

/* ---- made to hurt
 * ------------------------------------------------------------------------------- */

/* As long as may be, of one thing; whatever the answer, it comes, and at once. */
START_TEST(test_limits__adversarial)
{
    static const char *const things[] = {
        "(",          ")",
        "not ",       "-",
        "- ",         "a.",
        "a and ",     "a or ",
        "count(",     "count(a where ",
        "a = \"",     "\\",
        "\"\\",       "1",
        "1.",         "a in (",
        "(a in (1),", ",",
        "->",         "a -> ",
        "same ",      "last ",
        "0",          "2025-03-01",
        "i\"",        "\"a\",",
        "[]",         "a[]",
        "trait(",     "--\n",
        "a + ",       "a * (",
        "--",         "5 EUR ",
        "1 day ",     "sequence(a -> ",
        "a < ",       "{\"not\":",
        "[",          "{\"and\":[",
        "\"",         "x",
    };
    limit_case l;

    limit_begin(&l);
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        cj__str_clear(&l.text);
        put_times(&l, things[i], 65536 / strlen(things[i]));
        ck_assert_uint_le(l.text.n, 65536);
        front_canonical(&l.front, (cj__text){l.text.data, l.text.n});
        put_times(&l, things[i], 900000 / strlen(things[i]));
        front_from_json(&l.front, (cj__text){l.text.data, l.text.n});
    }
    limit_end(&l);
}
END_TEST

/* One character less at either end of random segments: an error with a place in it, or
 * another segment. */
START_TEST(test_limits__cut_short)
{
    uint64_t state = 99;
    limit_case l;

    limit_begin(&l);
    for (int round = 0; round < 60; round++) {
        cj__str_clear(&l.text);
        random_segment(&l.text, &state, 4);
        for (size_t n = 0; n <= l.text.n; n++) {
            if (front_canonical(&l.front, (cj__text){l.text.data, n}) == NULL)
                ck_assert_int_le(cj__error_position(), (int64_t)n);
            if (front_canonical(&l.front, (cj__text){l.text.data + n, l.text.n - n}) ==
                NULL)
                ck_assert_int_ge(cj__error_position(), 0);
        }
    }
    limit_end(&l);
}
END_TEST

/* ---- without memory
 * ------------------------------------------------------------------------------ */

static const char a_lot[] = "a in (1, 2, 3, \"x\\n\") and not (b.c + 1) * -d > -5 and "
                            "trait(\"x y\") = 5 EUR and "
                            "sequence(a where properties.x[].y = \"z\" or weekend -> b "
                            "within 2 days, last 90 days) "
                            "and bought(where value > 5 EUR) and regularly(a, 1 of "
                            "last 2 days) and born in next 7 "
                            "days and home within 5 km of (1, -2)";

static int32_t parse_in(const cj__allocator *a)
{
    cj__segment_tree *tree;
    front_case c;
    int32_t rc;

    front_begin(&c, "UTC", "EUR", 2);
    c.db.cx.allocator = *a;
    rc = cj__segment_parse(&c.db, cj__text_of(a_lot), &tree);
    cj__segment_free(&c.db, tree);
    cj__ctx_init(&c.db.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    front_end(&c);
    return rc;
}

static int32_t json_in(const cj__allocator *a)
{
    cj__segment_tree *tree;
    front_case c;
    int32_t rc;

    front_begin(&c, "UTC", "EUR", 2);
    front_json(&c, cj__text_of(a_lot));
    c.db.cx.allocator = *a;
    rc = cj__segment_from_json(&c.db, cj__text_of(c.text), &tree);
    cj__segment_free(&c.db, tree);
    cj__ctx_init(&c.db.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    front_end(&c);
    return rc;
}

START_TEST(test_limits__out_of_memory)
{
    base_memory_faults(parse_in);
    base_memory_faults(json_in);
}
END_TEST

HARNESS_MAIN("segment_limits", test_limits__bytes, test_limits__bytes_that_say_nothing,
             test_limits__canonical_bytes, test_limits__depth, test_limits__nodes,
             test_limits__what_is_no_node, test_limits__list, test_limits__steps,
             test_limits__small_ones, test_limits__json, test_limits__adversarial,
             test_limits__cut_short, test_limits__out_of_memory)
