/* The two forms of a segment through the front door: text and JSON, both canonical,
 * each giving the other back. */
#include "base/str.h"

#include "harness.h"
#include "segment_front.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

/* Free it. */
static char *convert(shop *s, const char *source, const char *from, const char *to)
{
    char *text, *copy;
    int64_t n = -1;

    if (cj_segment_format(s->db, source, from, to, &text, &n) != CJ_OK)
        ck_abort_msg("%s: %s at %lld", source, cj_errmsg(), (long long)cj_errpos());
    ck_assert_int_eq(n, (int64_t)strlen(text));
    copy = strdup(text);
    cj_text_free(text);
    return copy;
}

static void expect_convert(shop *s, const char *source, const char *from,
                           const char *to, const char *want)
{
    char *got = convert(s, source, from, to);

    if (strcmp(got, want) != 0)
        ck_abort_msg("%s:\n%s\n---- instead of\n%s", source, got, want);
    free(got);
}

static void expect_refused(shop *s, const char *source, const char *from,
                           const char *to, int64_t position, const char *message)
{
    char *text = (char *)s;
    int64_t n = 77;

    expect_error_is(cj_segment_format(s->db, source, from, to, &text, &n), CJ_EINVAL,
                    position, message);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(n, 0);
}

START_TEST(test_convert__text_comes_out_canonical)
{
    static const char *const pairs[][2] = {
        {"orders()=0",                                        "orders() = 0"               },
        {"  ORDERS( LAST 90 days ) = 0 AND (country=\"DE\")",
         "orders(last 90 days) = 0 and country = \"DE\""                                   },
        {"not not orders() = 1",                              "not not orders() = 1"       },
        {"orders() = 1 -- who came back\n or orders() = 2",
         "orders() = 1 or orders() = 2"                                                    },
        {"orders(last 2 weeks) > 1",                          "orders(last 14 days) > 1"   },
        {"revenue() > 200.00 EUR",                            "revenue() > 200 EUR"        },
        {"country in (\"AT\",\"DE\")",                        "country in (\"AT\", \"DE\")"},
        {"in_segment( \"a b\" )",                             "in_segment(\"a b\")"        },
        {"city = \"K\\u00f6ln\"",                             "city = \"K\xc3\xb6ln\""     },
    };
    shop s;

    shop_open(&s, NULL, 0);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        expect_convert(&s, pairs[i][0], "text", "text", pairs[i][1]);
        expect_convert(&s, pairs[i][1], "text", "text", pairs[i][1]);
    }
    shop_close(&s);
}
END_TEST

/* Forms that a browser fills in, and back. */
START_TEST(test_convert__text_to_json_and_back)
{
    static const char *const segments[] = {
        "orders() = 0",
        "orders(last 90 days) = 0 and revenue() > 200 EUR and country in (\"DE\", "
        "\"AT\")",
        "not (orders() = 1 or has(email))",
        "in_segment(\"say \\\"hi\\\"\") or in_list(\"vip\")",
        "count(product_view where channel = \"web\" and value > 10 EUR, today) >= 2",
        "sequence(search -> order within 2 days) and consent(\"email\", \"news\")",
        "trait(\"odd name\") is missing",
    };
    shop s;

    shop_open(&s, NULL, 0);
    for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++) {
        char *json = convert(&s, segments[i], "text", "json");

        ck_assert_int_eq(json[0], '{');
        expect_convert(&s, json, "json", "text", segments[i]);
        expect_convert(&s, json, "json", "json", json);
        free(json);
    }
    shop_close(&s);
}
END_TEST

START_TEST(test_convert__random_segments)
{
    uint64_t dice = 99;
    shop s;

    shop_open(&s, NULL, 0);
    for (int i = 0; i < 300; i++) {
        char *text, *json, *source;
        cj__str random;

        cj__str_init(&random, &s.db->cx.allocator, 1 << 20);
        random_segment(&random, &dice, 1 + i % 12);
        source = strndup(random.data, random.n);
        cj__str_end(&random);
        text = convert(&s, source, "text", "text");
        json = convert(&s, source, "text", "json");
        expect_convert(&s, text, "text", "text", text);
        expect_convert(&s, text, "text", "json", json);
        expect_convert(&s, json, "json", "text", text);
        expect_convert(&s, json, "json", "json", json);
        free(source);
        free(text);
        free(json);
    }
    shop_close(&s);
}
END_TEST

START_TEST(test_convert__what_is_wrong_is_named)
{
    static const char *const forms = "the form of a segment is \"text\" or \"json\"";
    char *text = NULL;
    shop s;

    shop_open(&s, NULL, 0);
    expect_refused(&s, "orders() = 1", "sql", "text", -1, forms);
    expect_refused(&s, "orders() = 1", "text", "", -1, forms);
    expect_refused(&s, "orders() = 1", "TEXT", "json", -1, forms);
    expect_refused(&s, "orders() = 1", "text", "json ", -1, forms);
    /* the byte of what does not parse, in either form */
    expect_code(CJ_EINVAL,
                cj_segment_format(s.db, "orders() = = 1", "text", "json", &text, NULL));
    ck_assert_ptr_null(text);
    ck_assert_int_eq(cj_errpos(), 11);
    expect_code(CJ_EINVAL,
                cj_segment_format(s.db, "{\"op\":", "json", "text", &text, NULL));
    ck_assert_int_ge(cj_errpos(), 0);
    expect_code(CJ_EINVAL, cj_segment_format(s.db, "", "text", "text", &text, NULL));
    expect_code(CJ_EINVAL, cj_segment_format(s.db, "", "json", "text", &text, NULL));
    expect_code(CJ_EINVAL,
                cj_segment_format(s.db, "[1,2]", "json", "text", &text, NULL));
    /* one form where the other was meant */
    expect_code(CJ_EINVAL,
                cj_segment_format(s.db, "orders() = 1", "json", "text", &text, NULL));
    expect_code(CJ_EINVAL,
                cj_segment_format(s.db, "{\"a\":1}", "text", "text", &text, NULL));
    ck_assert_ptr_null(text);
    shop_close(&s);
}
END_TEST

/* What a segment leads to need not be there, and who is in it is not asked. */
START_TEST(test_convert__names_need_not_exist)
{
    shop s;

    shop_open(&s, NULL, 0);
    expect_convert(&s, "in_segment(\"nowhere\")", "text", "text",
                   "in_segment(\"nowhere\")");
    shop_reopen(&s, CJ_OPEN_READONLY);
    expect_convert(&s, "in_list(\"nowhere\")", "text", "text", "in_list(\"nowhere\")");
    shop_close(&s);
}
END_TEST

/* Money is the store's. */
START_TEST(test_convert__in_the_stores_currency)
{
    cj_open_options o = api_options(0, 0);
    api_file f;
    char *text;
    cj_db *db;

    api_file_make(&f);
    o.currency = "JPY";
    expect_ok(cj_open(f.path, &o, &db));
    expect_ok(
        cj_segment_format(db, "revenue() > 200 JPY", "text", "text", &text, NULL));
    ck_assert_str_eq(text, "revenue() > 200 JPY");
    cj_text_free(text);
    expect_code(CJ_ECURRENCY, cj_segment_format(db, "revenue() > 200 EUR", "text",
                                                "text", &text, NULL));
    ck_assert_int_eq(cj_errpos(), 12); /* the amount */
    expect_code(CJ_EINVAL, cj_segment_format(db, "revenue() > 2.5 JPY", "text", "text",
                                             &text, NULL));
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* A text outlives its handle. */
START_TEST(test_convert__texts_outlive_the_handle)
{
    char *text;
    shop s;

    shop_open(&s, NULL, 0);
    expect_ok(cj_segment_format(s.db, "orders()=1", "text", "json", &text, NULL));
    expect_ok(cj_close(s.db));
    ck_assert_int_eq(text[0], '{');
    ck_assert_int_gt(s.heap.live_bytes, 0);
    cj_text_free(text);
    ck_assert_int_eq(s.heap.live_bytes, 0);
    s.db = NULL;
    shop_reopen(&s, 0);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("segment_convert", test_convert__text_comes_out_canonical,
             test_convert__text_to_json_and_back, test_convert__random_segments,
             test_convert__what_is_wrong_is_named, test_convert__names_need_not_exist,
             test_convert__in_the_stores_currency,
             test_convert__texts_outlive_the_handle)
