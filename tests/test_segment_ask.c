/* Questions about segments through cjourney.h: a name or an expression; every way of
 * asking wrongly; and the same answer to the last byte for any number of threads,
 * however the events lie in the file. */
#include "api.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000)
#define WHOLE                                                                          \
    "orders() >= 1 and (channels() >= 2 or city = \"Kiel\" or not "                    \
    "in_segment(\"views\"))"

/* 400 messages, a part of them sealed; two definitions and a list. */
static cj_db *ask_open(api_file *f, int64_t seal_events)
{
    const cj_identifier who = {sizeof who, "user_id", "u3"};
    int64_t some[2] = {1, 0};
    cj_db *db;

    api_file_make(f);
    db = api_open(f->path, 0, seal_events);
    for (int64_t i = 0; i < 400; i += 50)
        expect_ok(api_record_range(db, i, i + 50, API_SCRAMBLED, NULL));
    expect_ok(cj_identify(db, &who, 1, "{\"city\":\"Kiel\",\"n\":[1,2.5]}", API_TIME,
                          "crm", NULL));
    expect_ok(cj_profile_find(db, "user_id", "u3", &some[1]));
    expect_ok(cj_segment_define(db, "buyers", "orders() >= 1", 0));
    expect_ok(cj_segment_define(db, "views", "count(product_view) >= 2", 0));
    expect_ok(cj_segment_define_list(db, "first ones", some, 2));
    return db;
}

static void ask_close(cj_db *db, api_file *f)
{
    expect_ok(cj_close(db));
    api_file_remove(f);
}

static cj_segment_options ask_options(int32_t threads)
{
    return (cj_segment_options){.struct_size = sizeof(cj_segment_options),
                                .as_of_ms = API_TIME + DAY,
                                .threads = threads};
}

/* The answers to one question after the other, as CSV. */
static char *ask_all(cj_db *db, int32_t threads)
{
    static const char *const names[] = {"buyers", "first ones", "views"};
    const cj_segment_options o = ask_options(threads);
    api_text text = {0};
    cj_table *t;

    expect_ok(cj_segment_explain(db, WHOLE, &o, &t));
    api_put_table(&text, t);
    for (int user = 0; user < 5; user++) {
        char name[16];
        int64_t profile;

        (void)snprintf(name, sizeof name, "u%d", user);
        expect_ok(cj_profile_find(db, "user_id", name, &profile));
        expect_ok(cj_segment_why(db, profile, WHOLE, &o, &t));
        api_put_table(&text, t);
    }
    expect_ok(cj_segment_overlap(db, names, 3, &o, &t));
    api_put_table(&text, t);
    expect_ok(cj_segment_sizes(db, WHOLE, API_TIME - 3 * DAY, 1, &o, &t));
    api_put_table(&text, t);
    expect_ok(cj_segment_compare(db, "buyers", "orders() = 0", 1000, &o, &t));
    api_put_table(&text, t);
    return text.data;
}

/* What explain says of slices depends on how they were cut: not to be compared. */
static void ask_without_slices(char *text)
{
    char *line = strstr(text, "depth,clause,passes_alone"), *to = line;
    char *end = strstr(text, "depth,clause,truth");

    ck_assert(line != NULL && end != NULL);
    while (line < end) {
        char *next = strchr(line, '\n') + 1, *cut = next;

        for (int commas = 0; commas < 3; commas++) {
            while (*--cut != ',')
                ;
        }
        memmove(to, line, (size_t)(cut - line));
        to += cut - line;
        *to++ = '\n';
        line = next;
    }
    memmove(to, end, strlen(end) + 1);
}

START_TEST(test_segment_ask__threads_and_slices_make_no_difference)
{
    char *first = NULL;

    for (int64_t seal = 20; seal <= 2000; seal *= 10) {
        api_file f;
        cj_db *db = ask_open(&f, seal);
        char *one = ask_all(db, 1), *now;

        for (int32_t threads = 2; threads <= 4; threads++) {
            now = ask_all(db, threads);
            api_expect_same(now, one, "threads");
            free(now);
        }
        ask_without_slices(one);
        if (first == NULL)
            first = one;
        else
            api_expect_same(one, first, "seal_events");
        expect_ok(cj_compact(db, NULL, NULL));
        now = ask_all(db, 2);
        ask_without_slices(now);
        api_expect_same(now, first, "compacted");
        free(now);
        if (one != first)
            free(one);
        ask_close(db, &f);
    }
    free(first);
}
END_TEST

/* ---- names and expressions --------------------------------------------------------
 */

static char *ask_explained(cj_db *db, const char *source)
{
    const cj_segment_options o = ask_options(0);
    api_text text = {0};
    cj_table *t;

    expect_ok(cj_segment_explain(db, source, &o, &t));
    api_put_table(&text, t);
    return text.data;
}

static void expect_alike(cj_db *db, const char *source, const char *other)
{
    char *a = ask_explained(db, source), *b = ask_explained(db, other);

    api_expect_same(a, b, source);
    free(a);
    free(b);
}

static void expect_unknown(cj_db *db, const char *source, int32_t code,
                           const char *message)
{
    cj_table *t = (cj_table *)(uintptr_t)&code;

    expect_code(code, cj_segment_explain(db, source, NULL, &t));
    ck_assert_ptr_null(t);
    ck_assert_str_eq(cj_errmsg(), message);
}

START_TEST(test_segment_ask__a_name_is_its_expression)
{
    api_file f;
    cj_db *db = ask_open(&f, 100);

    expect_alike(db, "buyers", "orders() >= 1");
    expect_alike(db, "first ones", "in_list(\"first ones\")");
    expect_alike(db, " orders()>=1 -- with blanks", "buyers");
    expect_ok(cj_segment_define(db, "city is known", "in_segment(\"buyers\")", 0));
    expect_alike(db, "city is known", "in_segment(\"buyers\")");
    expect_ok(cj_segment_drop(db, "city is known"));
    expect_unknown(db, "buyer", CJ_ENOTFOUND,
                   "no such segment; did you mean `buyers`?");
    expect_unknown(db, "zebra", CJ_ENOTFOUND,
                   "no such segment; see the list of segments");
    expect_unknown(db, "first", CJ_ENOTFOUND,
                   "no such segment; see the list of segments");
    expect_unknown(db, "oders() > 1", CJ_EINVAL,
                   "unknown function `oders`, did you mean `orders`?");
    ck_assert_int_eq(cj_errpos(), 0);
    ask_close(db, &f);
}
END_TEST

/* ---- misuse -----------------------------------------------------------------------
 */

START_TEST(test_segment_ask__null_and_nonsense)
{
    static const char *const names[] = {"buyers", NULL};
    cj_segment_options o = ask_options(0);
    api_file f;
    cj_db *db = ask_open(&f, 100);
    cj_table *t;

    expect_code(CJ_EMISUSE, cj_segment_explain(NULL, "buyers", NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_explain(db, NULL, NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_explain(db, "buyers", NULL, NULL));
    expect_code(CJ_EMISUSE, cj_segment_why(db, 1, NULL, NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_why(db, 1, "buyers", NULL, NULL));
    expect_code(CJ_ENOTFOUND, cj_segment_why(db, 0, "buyers", NULL, &t));
    expect_code(CJ_ENOTFOUND, cj_segment_why(db, INT64_MAX, "buyers", NULL, &t));
    expect_code(CJ_ENOTFOUND, cj_segment_why(db, 99999, "buyers", NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_overlap(db, NULL, 1, NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_overlap(db, names, 2, NULL, &t));
    ck_assert_int_eq(cj_errpos(), 1);
    expect_code(CJ_EINVAL, cj_segment_overlap(db, names, 0, NULL, &t));
    expect_code(CJ_EINVAL, cj_segment_overlap(db, names, -1, NULL, &t));
    expect_code(CJ_EINVAL, cj_segment_overlap(db, names, INT64_MAX, NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_sizes(db, NULL, 0, 1, NULL, &t));
    expect_code(CJ_EINVAL, cj_segment_sizes(db, "buyers", 0, -1, &o, &t));
    expect_code(CJ_EINVAL, cj_segment_sizes(db, "buyers", INT64_MAX, 1, &o, &t));
    expect_code(CJ_EINVAL, cj_segment_sizes(db, "buyers", INT64_MIN, 1, &o, &t));
    expect_code(CJ_ELIMIT, cj_segment_sizes(db, "buyers", 0, 1, &o, &t));
    expect_code(CJ_EMISUSE, cj_segment_compare(db, NULL, "buyers", 0, NULL, &t));
    expect_code(CJ_EMISUSE, cj_segment_compare(db, "buyers", NULL, 0, NULL, &t));
    expect_code(CJ_EINVAL, cj_segment_compare(db, "buyers", "buyers", -1, NULL, &t));
    o.threads = 65;
    expect_code(CJ_EINVAL, cj_segment_compare(db, "buyers", "buyers", 0, &o, &t));
    o = ask_options(0);
    o.struct_size = -1;
    expect_code(CJ_EMISUSE, cj_segment_explain(db, "buyers", &o, &t));
    ck_assert_ptr_null(t);
    ask_close(db, &f);
}
END_TEST

/* ---- what is added up -------------------------------------------------------------
 */

static int64_t ask_sum(const cj_table *t, const char *name)
{
    int64_t sum = 0;

    for (int64_t column = 0; column < cj_table_columns(t); column++) {
        const int64_t *values = cj_table_int64(t, column);

        if (strcmp(cj_table_name(t, column), name) != 0)
            continue;
        for (int64_t row = 0; row < cj_table_rows(t); row++)
            sum += values[row];
    }
    return sum;
}

START_TEST(test_segment_ask__combinations_add_up_to_everybody)
{
    static const char *const names[] = {"buyers", "first ones", "views"};
    const cj_segment_options o = ask_options(2);
    api_file f;
    cj_db *db = ask_open(&f, 100);

    for (int64_t n = 1; n <= 3; n++) {
        cj_table *t;

        expect_ok(cj_segment_overlap(db, names, n, &o, &t));
        ck_assert_int_eq(cj_table_columns(t), n + 1);
        ck_assert_int_eq(ask_sum(t, "profiles"), api_stat(db, "profiles"));
        for (int64_t i = 0; i < n; i++)
            ck_assert_str_eq(cj_table_name(t, i), names[i]);
        cj_table_free(t);
    }
    ask_close(db, &f);
}
END_TEST

START_TEST(test_segment_ask__the_last_size_is_the_count)
{
    const cj_segment_options o = ask_options(2);
    int64_t n;
    api_file f;
    cj_db *db = ask_open(&f, 100);
    cj_segment_options last = o;
    cj_table *t;

    expect_ok(cj_segment_sizes(db, "buyers", API_TIME - 5 * DAY, 1, &o, &t));
    ck_assert_int_ge(cj_table_rows(t), 5);
    last.as_of_ms = cj_table_int64(t, 0)[cj_table_rows(t) - 1];
    expect_ok(cj_segment_count(db, "buyers", &last, &n));
    ck_assert_int_eq(cj_table_int64(t, 1)[cj_table_rows(t) - 1], n);
    ck_assert_int_eq(ask_sum(t, "entered") - ask_sum(t, "left"),
                     n - cj_table_int64(t, 1)[0]);
    cj_table_free(t);
    ask_close(db, &f);
}
END_TEST

HARNESS_MAIN("segment_ask", test_segment_ask__threads_and_slices_make_no_difference,
             test_segment_ask__a_name_is_its_expression,
             test_segment_ask__null_and_nonsense,
             test_segment_ask__combinations_add_up_to_everybody,
             test_segment_ask__the_last_size_is_the_count)
