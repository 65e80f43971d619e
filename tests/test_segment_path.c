/* Reading JSON by path, numbers as text, and comparing texts: against strtod, against
 * slow definitions, and on every prefix of a text. */
#include "base/text.h"
#include "harness.h"
#include "random_rows.h"
#include "segment/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cj__ctx cx_of_test(void)
{
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cx;
}

/* ---- paths
 * ------------------------------------------------------------------------------- */

static int collect(void *user, cj__text value)
{
    char *to = user;

    snprintf(to + strlen(to), 200 - strlen(to), "%.*s|", (int)value.n, value.data);
    return 0;
}

static const char *all(const char *path, const char *json)
{
    static char found[200];
    cj__ctx cx = cx_of_test();
    const cj__text copy = bytes_copy(json, strlen(json)); /* a byte too far is seen */
    cj__arena arena;
    cj__path p;

    found[0] = '\0';
    cj__arena_init(&arena, &cx.allocator);
    ck_assert_int_eq(cj__path_make(&arena, cj__text_of(path), &p), CJ_OK);
    cj__path_each(&p, copy, collect, found);
    cj__arena_end(&arena);
    bytes_free(copy);
    return found;
}

START_TEST(test_path__finds)
{
    ck_assert_str_eq(all("a", "{\"a\":1}"), "1|");
    ck_assert_str_eq(all("a", " { \"b\" : [1,{\"a\":2}] , \"a\" : \"x\\\"}\" } "),
                     "\"x\\\"}\"|");
    ck_assert_str_eq(all("a.b.c", "{\"a\":{\"x\":{},\"b\":{\"c\":[1,2]}}}"), "[1,2]|");
    ck_assert_str_eq(all("a[]", "{\"a\":[1, \"]\" ,{\"b\":2}]}"), "1|\"]\"|{\"b\":2}|");
    ck_assert_str_eq(all("a[].b", "{\"a\":[{\"b\":1},{},3,{\"b\":null},{\"b\":2}]}"),
                     "1|2|");
    ck_assert_str_eq(
        all("a[].b[].c", "{\"a\":[{\"b\":[{\"c\":1},{\"c\":2}]},{\"b\":[]}]}"), "1|2|");
    ck_assert_str_eq(all("a", "{\"\\u0061\":7}"), "7|");
    ck_assert_str_eq(all("a", "{\"a\":null}"), "");
    ck_assert_str_eq(all("a", "{\"a\":1,\"a\":2}"), "1|"); /* the first counts */
    ck_assert_str_eq(all("a", "[{\"a\":1}]"), "");
    ck_assert_str_eq(all("a[]", "{\"a\":{}}"), "");
    ck_assert_str_eq(all("a", "\"a\""), "");
    ck_assert_str_eq(all("a", ""), "");
}
END_TEST

/* Whatever the text, nothing is read behind it. */
START_TEST(test_path__any_bytes)
{
    static const char json[] =
        "{\"b\":\"\\u00e9\\\"\",\"a\":[{\"b\":[1,true,null]},2]}";
    random_rows r = {.state = 5};
    char text[80];

    for (size_t n = 0; n <= strlen(json); n++) {
        snprintf(text, sizeof text, "%.*s", (int)n, json);
        all("a[].b[]", text);
        all("b", text);
    }
    for (int round = 0; round < 20000; round++) {
        static const char alphabet[] = "{}[],:\"\\ua1e- ";
        const size_t n = random_below(&r, 24);

        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[random_below(&r, sizeof alphabet - 1)];
        text[n] = '\0';
        all("a", text);
        all("a[].u[]", text);
    }
}
END_TEST

START_TEST(test_path__unescapes)
{
    static const char *const cases[][2] = {
        {"\"\"",                            ""                     },
        {"\"plain\"",                       "plain"                },
        {"\"a\\n\\t\\r\\b\\f\\/\\\\\\\"\"", "a\n\t\r\b\f/\\\""     },
        {"\"\\u0041\\u00e9\\u20ac\"",       "A\xc3\xa9\xe2\x82\xac"},
        {"\"\\uD83D\\uDE00!\"",             "\xf0\x9f\x98\x80!"    },
    };
    char to[80];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cj__text json = cj__text_of(cases[i][0]);

        to[cj__path_unescape(json, to)] = '\0';
        ck_assert_str_eq(to, cases[i][1]);
    }
}
END_TEST

/* ---- numbers
 * ------------------------------------------------------------------------------ */

static void expect_number(const char *text)
{
    const double want = strtod(text, NULL);
    const cj__text copy = bytes_copy(text, strlen(text));
    double got = 0;

    ck_assert_msg(cj__number_read(copy.data, copy.n, &got) == 0, "%s is refused", text);
    ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%s: %.17g, not %.17g", text,
                  got, want);
    bytes_free(copy);
}

START_TEST(test_number__known)
{
    static const char *const numbers[] = {
        "0",
        "-0",
        "1",
        "-1.5",
        "0.1",
        "0.30000000000000004",
        "19.990000000000002",
        "123456789012345678",
        "9007199254740993",
        "9007199254740992.5",
        "1e22",
        "1e23",
        "8.5e-23",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-400",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e400",
        "-1e400",
        "1E+5",
        "0.000000000000000000000000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000000000000000",
        "9007199254740992.99999999999999999999999999999999999999999999999999999",
        "9007199254740993.00000000000000000000000000000000000000000000000000001",
        "6929495644600919.5",
        "3.518437208883201171875e13"};
    static const char *const refused[] = {"",    "-",  ".",    ".5",  "1.",    "1e",
                                          "1e+", "1x", "null", "--1", "1.2.3", "e5"};
    double d;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        expect_number(numbers[i]);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ck_assert_int_eq(cj__number_read(refused[i], strlen(refused[i]), &d), -1);
}
END_TEST

START_TEST(test_number__random_against_strtod)
{
    random_rows r = {.state = 99};
    char text[900];

    for (int round = 0; round < 30000; round++) {
        uint64_t bits = random_next(&r);
        double d;

        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d))
            continue;
        snprintf(text, sizeof text, "%.*e", (int)random_below(&r, 20), d);
        expect_number(text);
        snprintf(text, sizeof text, "%u.%0*u", random_below(&r, 1u << 31),
                 1 + (int)random_below(&r, 12), random_below(&r, 1u << 31));
        expect_number(text);
    }
    for (int round = 0; round < 200; round++) { /* longer than is kept */
        size_t n = 700 + random_below(&r, 150);

        for (size_t i = 0; i < n; i++)
            text[i] = (char)('0' + (round % 2 ? random_below(&r, 10) : i == 0));
        snprintf(text + n, sizeof text - n, "%ue-%u", random_below(&r, 10),
                 700 + random_below(&r, 400));
        text[1 + random_below(&r, 30)] = '.';
        expect_number(text);
    }
}
END_TEST

/* Half way between two doubles, exactly, and one digit far behind more or less. */
START_TEST(test_number__ties)
{
    random_rows r = {.state = 3};
    char text[1200];

    for (int round = 0; round < 300; round++) {
        const uint64_t whole = (1ull << 52) + random_next(&r) % (1ull << 52);

        snprintf(text, sizeof text, "%llu.5", (unsigned long long)whole * 2);
        text[strlen(text) - 2] = '\0';
        snprintf(text, sizeof text, "%llu", (unsigned long long)(whole * 2 + 1));
        expect_number(text);
        memset(text + strlen(text), '0', 900);
        text[16] = '.';
        text[850] = round % 2 ? '1' : '0';
        memcpy(text + 851, "e1", 3);
        expect_number(text);
    }
}
END_TEST

/* ---- texts
 * -----------------------------------------------------------------------------------
 */

/* By definition, and exponential. */
static int slow_like(const char *t, const char *p)
{
    if (*p == '\0')
        return *t == '\0';
    if (*p == '*')
        return slow_like(t, p + 1) || (*t != '\0' && slow_like(t + 1, p));
    return *t != '\0' && (*p == '?' || *p == *t) && slow_like(t + 1, p + 1);
}

START_TEST(test_match__like_against_its_definition)
{
    random_rows r = {.state = 17};
    char text[16], pattern[16];

    for (int round = 0; round < 200000; round++) {
        const size_t n = random_below(&r, 9), m = random_below(&r, 8);
        int64_t work = 0;

        for (size_t i = 0; i < n; i++)
            text[i] = "ab"[random_below(&r, 2)];
        for (size_t i = 0; i < m; i++)
            pattern[i] = "ab*?*"[random_below(&r, 5)];
        text[n] = pattern[m] = '\0';
        ck_assert_msg(cj__text_like((cj__text){text, n}, (cj__text){pattern, m}, 0,
                                    &work) == slow_like(text, pattern),
                      "%s like %s", text, pattern);
        ck_assert_int_le(work, (int64_t)((n + 1) * (m + 1)));
    }
}
END_TEST

START_TEST(test_match__letters_of_any_case)
{
    const cj__text text = cj__text_of("Stra\xc3\x9f"
                                      "e \xc3\x84");
    int64_t work = 0;

    ck_assert(cj__text_contains(text, cj__text_of("TRA"), 1, &work));
    ck_assert(!cj__text_contains(text, cj__text_of("TRA"), 0, &work));
    ck_assert(!cj__text_contains(text, cj__text_of("\xc3\xa4"), 1, &work)); /* ASCII */
    ck_assert(cj__text_starts(text, cj__text_of("sTRA"), 1));
    ck_assert(!cj__text_starts(text, cj__text_of("sTRA"), 0));
    ck_assert(cj__text_ends(text, cj__text_of("E \xc3\x84"), 1));
    ck_assert(cj__text_like(text, cj__text_of("stra?e *"), 1, &work));
    ck_assert_int_eq(cj__text_order(cj__text_of("a"), cj__text_of("B"), 0), 1);
    ck_assert_int_eq(cj__text_order(cj__text_of("a"), cj__text_of("B"), 1), -1);
    ck_assert_int_eq(cj__text_order(cj__text_of("a"), cj__text_of("A"), 1), 0);
    ck_assert_int_eq(cj__text_order(cj__text_of("a"), cj__text_of("ab"), 0), -1);
}
END_TEST

HARNESS_MAIN("segment_path", test_path__finds, test_path__any_bytes,
             test_path__unescapes, test_number__known,
             test_number__random_against_strtod, test_number__ties,
             test_match__like_against_its_definition, test_match__letters_of_any_case)
