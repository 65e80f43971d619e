/* JSON: what the grammar says and nothing more; numbers as written; a stream's values.
 */
#include "base_memory.h"

#include "base/json.h"
#include "base/limits.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static base_memory memory;
static cj__allocator allocator;

static void memory_begin(void)
{
    memset(&memory, 0, sizeof memory);
    allocator = base_memory_allocator(&memory);
}

static int32_t check_text(const char *text)
{
    char *exact = malloc(strlen(text) + 1); /* a sanitizer sees a step beyond */
    char *tight = realloc(exact, strlen(text) > 0 ? strlen(text) : 1);
    int32_t rc;

    memcpy(tight, text, strlen(text));
    rc = cj__json_check(tight, strlen(text));
    free(tight);
    return rc;
}

static struct cJSON *parse(const char *text)
{
    struct cJSON *root = NULL;

    memory_begin();
    ck_assert_msg(cj__json_parse(&allocator, text, strlen(text), &root) == CJ_OK,
                  "%s: %s", text, cj__error_text());
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(memory.n_blocks, 0);
    return root;
}

static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-12",
    "0.5",
    "1e5",
    "1E+5",
    "1.5e-10",
    "123456789012345678901234567890.123456789",
    "\"\"",
    "\"a\"",
    "[]",
    "{}",
    "[[]]",
    "[1,2]",
    " [ 1 , \"a\" , null ]\r\n\t",
    "{\"a\":1}",
    "{ \"a\" : { \"b\" : [ ] } }",
    "{\"a\":1,\"a\":2}",
    "{\"\":0}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u00e9\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\ud83d\\ude00x\"",
    "\"\xC3\xA9\xE2\x82\xAC\"",
    "\"\xF0\x9F\x98\x80\"",
    "\"\x7F\"",
    "\"\\u0001\"",
    "\"\\uFFFF\"",
    "1e999",
    "-1E-999",
};

static const struct {
    const char *text;
    int64_t position;
} bad[] = {
    {"",                     0},
    {" ",                    1},
    {"nul",                  0},
    {"nulll",                4},
    {"True",                 0},
    {"NaN",                  0},
    {"Infinity",             0},
    {"-",                    1},
    {"+1",                   0},
    {"01",                   1},
    {"-01",                  2},
    {".5",                   0},
    {"1.",                   2},
    {"1.e5",                 2},
    {"1e",                   2},
    {"1e+",                  3},
    {"0x10",                 1},
    {"1 2",                  2},
    {"1,",                   1},
    {"[",                    1},
    {"[1",                   2},
    {"[1,",                  3},
    {"[1,]",                 3},
    {"[,1]",                 1},
    {"[1 2]",                3},
    {"]",                    0},
    {"{",                    1},
    {"{a:1}",                1},
    {"{'a':1}",              1},
    {"{\"a\"}",              4},
    {"{\"a\":}",             5},
    {"{\"a\":1",             6},
    {"{\"a\":1,}",           7},
    {"{\"a\" 1}",            5},
    {"{1:2}",                1},
    {"{\"a\":1]",            6},
    {"[1}",                  2},
    {"\"",                   1},
    {"\"a",                  2},
    {"\"\\",                 2},
    {"\"\\x\"",              2},
    {"\"\\u12\"",            3},
    {"\"\\u12G4\"",          3},
    {"\"\\u0000\"",          3},
    {"{\"\\u0000\":1}",      4},
    {"\"\\uD800\"",          3},
    {"\"\\uD800x\"",         3},
    {"\"\\uD800\\u0041\"",   3},
    {"\"\\uDC00\"",          3},
    {"\"\\uDC00\\uD800\"",   3},
    {"\"\\uD800\\",          3},
    {"\"a\nb\"",             2},
    {"\"a\tb\"",             2},
    {"\"\x1F\"",             1},
    {"\"\xFF\"",             1},
    {"\"\xC3\"",             1},
    {"\"\xC0\xAF\"",         1},
    {"\"\xED\xA0\x80\"",     1},
    {"\"\xF4\x90\x80\x80\"", 1},
    {"'a'",                  0},
    {"// a\n1",              0},
    {"[1]//",                3},
    {"\xEF\xBB\xBF{}",       0},
    {"\"a\" \"b\"",          4},
    {"{}{}",                 2},
    {"\"\\u00e\"",           3},
    {"[\xC2\xA0 1]",         1},
};

START_TEST(test_json_check__accepts_the_grammar)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(check_text(good[i]) == CJ_OK, "%s: %s", good[i],
                      cj__error_text());
}
END_TEST

START_TEST(test_json_check__refuses_the_rest_at_its_byte)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(check_text(bad[i].text) == CJ_EINVAL, "%s", bad[i].text);
        ck_assert_msg(cj__error_position() == bad[i].position, "%s: %" PRId64,
                      bad[i].text, cj__error_position());
    }
    ck_assert_int_eq(cj__json_check("\"a\0b\"", 5), CJ_EINVAL);
    ck_assert_int_eq(cj__json_check("1\0", 2), CJ_EINVAL);
    ck_assert_int_eq(cj__json_check("\"\\\0\"", 4), CJ_EINVAL);
}
END_TEST

START_TEST(test_json_check__bounds_depth_and_size)
{
    char text[200];

    for (size_t depth = CJ__MAX_JSON_DEPTH; depth <= CJ__MAX_JSON_DEPTH + 1; depth++) {
        int32_t expected = depth > CJ__MAX_JSON_DEPTH ? CJ_ELIMIT : CJ_OK;

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        ck_assert_int_eq(cj__json_check(text, 2 * depth), expected);
    }
    ck_assert_int_eq(cj__error_position(), CJ__MAX_JSON_DEPTH);
    { /* beside each other is not below each other */
        char *wide = malloc(3 * 1000 + 1);

        for (int i = 0; i < 1000; i++)
            memcpy(wide + 3 * i, i == 0 ? "[[]" : ",[]", 3);
        wide[3000] = ']';
        ck_assert_int_eq(cj__json_check(wide, 3001), CJ_OK);
        free(wide);
    }
    {
        char *large = malloc(CJ__MAX_MESSAGE + 1);

        memset(large, ' ', CJ__MAX_MESSAGE + 1);
        large[5] = '1';
        ck_assert_int_eq(cj__json_check(large, CJ__MAX_MESSAGE), CJ_OK);
        ck_assert_int_eq(cj__json_check(large, CJ__MAX_MESSAGE + 1), CJ_ELIMIT);
        free(large);
    }
}
END_TEST

START_TEST(test_json_check_object__wants_an_object)
{
    ck_assert_int_eq(cj__json_check_object(" {\"a\":1} ", 9), CJ_OK);
    ck_assert_int_eq(cj__json_check_object(" [1]", 4), CJ_EINVAL);
    ck_assert_int_eq(cj__error_position(), 1);
    ck_assert_int_eq(cj__json_check_object("", 0), CJ_EINVAL);
    ck_assert_int_eq(cj__json_check_object("{\"a\":", 5), CJ_EINVAL);
    ck_assert_int_eq(cj__error_position(), 5);
}
END_TEST

/* ---- parse and print ------------------------------------------------------------ */

/* The text without blanks outside of strings: what a minified print must be, when every
 * string is written in the one way we write it. */
static void minify(const char *text, char *to)
{
    int in_string = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' && (p == text || p[-1] != '\\'))
            in_string = !in_string;
        if (in_string || strchr(" \t\r\n", *p) == NULL)
            *to++ = *p;
    }
    *to = '\0';
}

START_TEST(test_json_put__prints_numbers_as_written)
{
    static const char *const texts[] = {
        "12.50",
        "1e999",
        "-0",
        "0.10",
        "1E+05",
        "12345678901234567890.0000000001",
        " [ 1.0 , -0.0e0 , \"1.0\" , null , true , false ] ",
        "{\"price\": 19.90, \"n\": {\"x\": [1, 2, {\"y\": 3e0}]}, \"12\": \"12\"}",
        "[]",
        "{}",
        "{\"a\":[],\"b\":{}}",
        "\"\\u0001\"",
        "\"\\u0001\\u00015\"",
        "[\"\\u000112\",12]",
        "{\"\\u0001k\":\"\\u0001v\",\"k\":1}",
        "{ \"\\u0001\" : 5 }",
        "[\"\xC3\xA9 \xF0\x9F\x98\x80\"]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cJSON *root = parse(texts[i]);
        char expected[200], *by_cjson = cJSON_PrintUnformatted(root);
        cj__str s;

        minify(texts[i], expected);
        cj__str_init(&s, &allocator, 1000);
        cj__json_put(&s, root);
        ck_assert_str_eq(s.data, expected);
        ck_assert_str_eq(by_cjson, expected);
        cJSON_free(by_cjson);
        cj__str_end(&s);
        cj__json_free(root);
    }
}
END_TEST

START_TEST(test_json_parse__accepts_what_check_accepts)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct cJSON *root = parse(good[i]), *again;
        cj__str once, twice;

        cj__str_init(&once, &allocator, 1000);
        cj__str_init(&twice, &allocator, 1000);
        cj__json_put(&once, root);
        ck_assert_int_eq(cj__json_check(once.data, once.n), CJ_OK);
        ck_assert_int_eq(cj__json_parse(&allocator, once.data, once.n, &again), CJ_OK);
        cj__json_put(&twice, again);
        ck_assert_str_eq(once.data, twice.data);
        cj__str_end(&once);
        cj__str_end(&twice);
        cj__json_free(root);
        cj__json_free(again);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cJSON *root = (struct cJSON *)&memory;

        ck_assert_int_eq(
            cj__json_parse(&allocator, bad[i].text, strlen(bad[i].text), &root),
            CJ_EINVAL);
        ck_assert_ptr_null(root);
    }
    ck_assert_int_eq(memory.n_blocks, 0);
    cj__json_free(NULL);
}
END_TEST

START_TEST(test_json_member__exact_name_last_one)
{
    struct cJSON *root =
        parse("{\"a\":\"x\",\"A\":\"y\",\"a\":\"z\",\"n\":null,\"o\":{}}");

    ck_assert_str_eq(cj__json_string(cj__json_member(root, "a")), "z");
    ck_assert_str_eq(cj__json_string(cj__json_member(root, "A")), "y");
    ck_assert_ptr_nonnull(cj__json_member(root, "n"));
    ck_assert_ptr_null(cj__json_member(root, "b"));
    ck_assert_ptr_null(cj__json_member(root, ""));
    ck_assert_ptr_null(cj__json_member(NULL, "a"));
    ck_assert_ptr_null(cj__json_member(cj__json_member(root, "a"), "a"));
    ck_assert_ptr_null(cj__json_member(cj__json_member(root, "o"), "a"));
    cj__json_free(root);
}
END_TEST

START_TEST(test_json_scalar__kinds_of_nodes)
{
    struct cJSON *root =
        parse("{\"t\":\"a\\u00e9\\n\",\"d\":\"12\",\"n\":12.50,\"x\":true,\"l\":[1]}");

    ck_assert_str_eq(cj__json_string(cj__json_member(root, "t")), "a\xC3\xA9\n");
    ck_assert_str_eq(cj__json_scalar(cj__json_member(root, "d")), "12");
    ck_assert_str_eq(cj__json_string(cj__json_member(root, "d")), "12");
    ck_assert_str_eq(cj__json_scalar(cj__json_member(root, "n")), "12.50");
    ck_assert_ptr_null(cj__json_string(cj__json_member(root, "n")));
    ck_assert_ptr_null(cj__json_scalar(cj__json_member(root, "x")));
    ck_assert_ptr_null(cj__json_scalar(cj__json_member(root, "l")));
    ck_assert_ptr_null(cj__json_scalar(NULL));
    ck_assert_ptr_null(cj__json_string(NULL));
    cj__json_free(root);
}
END_TEST

START_TEST(test_json_int64__exact_or_refused)
{
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } rows[] = {
        {"0",                                       0,  0                },
        {"-0",                                      0,  0                },
        {"12",                                      0,  12               },
        {"-12",                                     0,  -12              },
        {"12.0",                                    0,  12               },
        {"1e3",                                     0,  1000             },
        {"1.5e1",                                   0,  15               },
        {"12000e-3",                                0,  12               },
        {"0.0",                                     0,  0                },
        {"0e999",                                   0,  0                },
        {"9007199254740992",                        0,  9007199254740992 },
        {"-9007199254740992",                       0,  -9007199254740992},
        {"9007199254740993",                        -1, 7                },
        {"-9007199254740993",                       -1, 7                },
        {"9007199254740992.0000000001",             -1, 7                },
        {"9223372036854775808",                     -1, 7                },
        {"1e999",                                   -1, 7                },
        {"1e-999",                                  -1, 7                },
        {"0.5",                                     -1, 7                },
        {"1.0000000000000000000000000000000000001", -1, 7                },
        {"12.5",                                    -1, 7                },
        {"\"12\"",                                  -1, 7                },
        {"true",                                    -1, 7                },
        {"null",                                    -1, 7                },
        {"[1]",                                     -1, 7                },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cJSON *root = parse(rows[i].text);
        int64_t value = 7;

        ck_assert_msg(cj__json_int64(root, &value) == rows[i].result, "%s",
                      rows[i].text);
        ck_assert_msg(value == rows[i].value, "%s", rows[i].text);
        cj__json_free(root);
    }
}
END_TEST

static int32_t parse_and_print(const cj__allocator *a)
{
    const char text[] =
        "{\"a\":[1,2,3],\"b\":\"a text that needs room\",\"c\":12345678}";
    struct cJSON *root = NULL;
    cj__str s;
    int32_t rc;

    cj__str_init(&s, a, 1000);
    CJ_TRY(cj__json_parse(a, text, strlen(text), &root));
    cj__json_put(&s, root);
    CJ_TRY(cj__str_status(&s));
    ck_assert_str_eq(s.data, text);
out:
    ck_assert(rc == CJ_OK || s.data == NULL || strlen(s.data) < strlen(text));
    cj__json_free(root);
    cj__str_end(&s);
    return rc;
}

START_TEST(test_json_parse__out_of_memory)
{
    base_memory_faults(parse_and_print);
}
END_TEST

/* ---- streams -------------------------------------------------------------------- */

static void expect_next(const char *text, const char *const *values)
{
    size_t n = strlen(text), begin, end, from = 0;
    char *tight = malloc(n > 0 ? n : 1);

    memcpy(tight, text, n);
    for (; *values != NULL; values++) {
        cj__json_next(tight, n, from, &begin, &end);
        ck_assert_msg(end - begin == strlen(*values) &&
                          memcmp(tight + begin, *values, end - begin) == 0,
                      "%s: not %s", text, *values);
        from = end;
    }
    cj__json_next(tight, n, from, &begin, &end);
    ck_assert(begin == n && end == n);
    free(tight);
}

START_TEST(test_json_next__walks_values)
{
    expect_next("", (const char *const[]){NULL});
    expect_next(" \n\t", (const char *const[]){NULL});
    expect_next("{\"a\":1}\n{\"b\":\"}\"}\n",
                (const char *const[]){"{\"a\":1}", "{\"b\":\"}\"}", NULL});
    expect_next("{\"a\":\"\\\"}\"}{}",
                (const char *const[]){"{\"a\":\"\\\"}\"}", "{}", NULL});
    expect_next("[1,[2,3]] \"a b\" 12 null",
                (const char *const[]){"[1,[2,3]]", "\"a b\"", "12", "null", NULL});
    expect_next("1,2]", (const char *const[]){"1", ",", "2", "]", NULL});
    expect_next("x:y", (const char *const[]){"x:y", NULL});
    expect_next("{\"a\":[", (const char *const[]){"{\"a\":[", NULL});
    expect_next("\"abc", (const char *const[]){"\"abc", NULL});
    expect_next("\"abc\\", (const char *const[]){"\"abc\\", NULL});
    expect_next("}}", (const char *const[]){"}", "}", NULL});
}
END_TEST

/* Whatever the bytes are, the walk moves on and ends. */
START_TEST(test_json_next__any_bytes)
{
    static const char alphabet[] = "{}[]\",: \\1a\n";
    uint64_t state = 11;

    for (int i = 0; i < 20000; i++) {
        size_t n = base_random(&state) % 24, from = 0, begin = 0, end = 0, steps = 0;
        char *text = malloc(n > 0 ? n : 1);

        for (size_t k = 0; k < n; k++)
            text[k] = alphabet[base_random(&state) % (sizeof alphabet - 1)];
        do {
            from = end;
            cj__json_next(text, n, from, &begin, &end);
            ck_assert(begin >= from && end >= begin && end <= n);
            ck_assert(end > begin || begin == n);
        } while (end > begin && ++steps <= n);
        ck_assert_uint_le(steps, n);
        free(text);
    }
}
END_TEST

/* What a byte in a string is does not depend on where it stands. */
START_TEST(test_json_check__every_byte_at_every_place_of_a_string)
{
    char text[32];

    for (size_t n = 1; n <= 20; n++) {
        for (size_t at = 1; at <= n; at++) {
            for (int c = 1; c < 256; c++) {
                int plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

                memset(text, 'x', sizeof text);
                text[0] = text[n + 1] = '"';
                text[n + 2] = '\0';
                text[at] = (char)c;
                if (c == '"' && at == n)
                    text[n + 1] = ' ';
                ck_assert_msg((check_text(text) == CJ_OK) ==
                                  (plain || (c == '"' && at == n)),
                              "byte %d at %zu of %zu", c, at, n);
                if (!plain && c != '"' && c != '\\')
                    ck_assert_int_eq(cj__error_position(), (int64_t)at);
            }
        }
    }
}
END_TEST

HARNESS_MAIN("base_json", test_json_check__accepts_the_grammar,
             test_json_check__refuses_the_rest_at_its_byte,
             test_json_check__bounds_depth_and_size,
             test_json_check_object__wants_an_object,
             test_json_put__prints_numbers_as_written,
             test_json_parse__accepts_what_check_accepts,
             test_json_member__exact_name_last_one, test_json_scalar__kinds_of_nodes,
             test_json_int64__exact_or_refused, test_json_parse__out_of_memory,
             test_json_next__walks_values, test_json_next__any_bytes,
             test_json_check__every_byte_at_every_place_of_a_string)
