/* Growing text: caps, sticky errors, numbers that read back under any locale, escapes,
 * varints. */
#include "base_memory.h"

#include "base/json.h"
#include "base/str.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static base_memory memory;
static cj__allocator allocator;

static void str_begin(cj__str *s, size_t max)
{
    memset(&memory, 0, sizeof memory);
    allocator = base_memory_allocator(&memory);
    cj__str_init(s, &allocator, max);
}

START_TEST(test_str__grows_and_ends_with_a_nul)
{
    char expected[3001] = "";
    cj__str s;

    str_begin(&s, 100000);
    for (int i = 0; i < 1000; i++) {
        cj__str_put(&s, "abc", (size_t)(i % 4));
        memcpy(expected + strlen(expected), "abc", (size_t)(i % 4)); /* zeros follow */
        ck_assert_str_eq(s.data, expected);
        ck_assert_uint_eq(s.n, strlen(expected));
    }
    ck_assert_int_eq(cj__str_status(&s), CJ_OK);
    cj__str_clear(&s);
    ck_assert_str_eq(s.data, "");
    cj__str_put_char(&s, 'x');
    cj__str_put_text(&s, "yz");
    ck_assert_str_eq(s.data, "xyz");
    cj__str_cut(&s, 2);
    ck_assert_str_eq(s.data, "xy");
    ck_assert_uint_eq(s.n, 2);
    cj__str_end(&s);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_str__fits_when_asked)
{
    cj__str s;

    str_begin(&s, 1000);
    cj__str_fit(&s); /* there is nothing yet */
    ck_assert_ptr_null(s.data);
    for (int i = 0; i < 100; i++)
        cj__str_put_char(&s, 'a');
    ck_assert_int_gt(memory.n_bytes, 101);
    cj__str_fit(&s);
    ck_assert_int_eq(memory.n_bytes, 101);
    ck_assert_uint_eq(strlen(s.data), 100);
    memory.fail_from = memory.n_asked + 1;
    cj__str_fit(&s); /* nothing to do, so nothing is asked */
    ck_assert_int_eq(cj__str_status(&s), CJ_OK);
    memory.fail_from = 0;
    cj__str_put_char(&s, 'b');
    memory.fail_from = memory.n_asked + 1;
    cj__str_fit(&s);
    ck_assert_int_eq(cj__str_status(&s), CJ_ENOMEM);
    cj__str_end(&s);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_str__an_empty_put_makes_an_empty_text)
{
    cj__str s;

    str_begin(&s, 10);
    ck_assert_ptr_null(s.data);
    cj__str_put(&s, NULL, 0);
    ck_assert_str_eq(s.data, "");
    cj__str_end(&s);
}
END_TEST

START_TEST(test_str__the_cap_is_exact_and_sticky)
{
    cj__str s;

    str_begin(&s, 5);
    cj__str_put_text(&s, "12345");
    ck_assert_int_eq(cj__str_status(&s), CJ_OK);
    cj__str_put_char(&s, '6');
    ck_assert_int_eq(cj__str_status(&s), CJ_ELIMIT);
    ck_assert_str_eq(cj__error_text(), "a text is longer than 5 bytes");
    cj__str_put_text(&s, "");
    ck_assert_ptr_null(cj__str_extend(&s, 0));
    cj__str_clear(&s);
    ck_assert_int_eq(cj__str_status(&s), CJ_ELIMIT);
    cj__str_end(&s);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_str__reserved_bytes_do_not_move)
{
    const char *data;
    cj__str s;

    str_begin(&s, 5000);
    cj__str_put_text(&s, "head");
    ck_assert_int_eq(cj__str_reserve(&s, 1000), CJ_OK);
    ck_assert_uint_eq(s.n, 4);
    ck_assert_str_eq(s.data, "head");
    data = s.data;
    for (int i = 0; i < 1000; i++)
        cj__str_put_char(&s, 'x');
    ck_assert_ptr_eq(s.data, data);
    ck_assert_int_eq(cj__str_reserve(&s, 5000), CJ_ELIMIT);
    ck_assert_int_eq(cj__str_reserve(&s, 0), CJ_ELIMIT);
    cj__str_end(&s);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_str__sizes_near_the_end_of_memory)
{
    cj__str s;

    str_begin(&s, SIZE_MAX / 4);
    cj__str_put_char(&s, 'a');
    ck_assert_ptr_null(cj__str_extend(&s, SIZE_MAX));
    ck_assert_int_eq(cj__str_status(&s), CJ_ELIMIT);
    cj__str_end(&s);
}
END_TEST

START_TEST(test_str__out_of_memory_is_sticky)
{
    cj__str s;

    str_begin(&s, 1000);
    cj__str_put_text(&s, "kept");
    memory.fail_from = memory.n_asked + 1;
    for (int i = 0; i < 20; i++)
        cj__str_put_text(&s, "0123456789");
    ck_assert_int_eq(cj__str_status(&s), CJ_ENOMEM);
    memory.fail_from = 0;
    cj__str_put_text(&s, "more");
    ck_assert_int_eq(memcmp(s.data, "kept", 4), 0);
    ck_assert(strstr(s.data, "more") == NULL);
    cj__str_end(&s);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_str_end__a_zeroed_one)
{
    cj__str s = {0};

    cj__str_end(&s);
}
END_TEST

/* ---- numbers -------------------------------------------------------------------- */

START_TEST(test_str_put_int64__as_printf)
{
    uint64_t state = 3;
    cj__str s;

    str_begin(&s, 100);
    for (int i = 0; i < 5000; i++) {
        int64_t value = (int64_t)(base_random(&state) >> (base_random(&state) % 64));
        char expected[32];

        if (i == 0)
            value = INT64_MIN;
        if (i % 2 == 1)
            value = -value;
        snprintf(expected, sizeof expected, "%" PRId64, value);
        cj__str_clear(&s);
        cj__str_put_int64(&s, value);
        ck_assert_str_eq(s.data, expected);
    }
    cj__str_end(&s);
}
END_TEST

static void check_doubles(cj__str *s)
{
    uint64_t state = 4;

    for (int i = 0; i < 5000; i++) {
        uint64_t bits = base_random(&state);
        double value, back;

        memcpy(&value, &bits, sizeof value);
        if (i % 2 == 0)
            value = (double)(int64_t)(bits % 100000) / 100;
        if (!isfinite(value))
            continue;
        cj__str_clear(s);
        cj__str_put_double(s, value);
        ck_assert_int_eq(cj__json_check(s->data, s->n), CJ_OK);
        ck_assert_uint_eq(strspn(s->data, "0123456789+-.e"), s->n);
        ck_assert(strchr(s->data, '.') == strrchr(s->data, '.'));
        back = strtod(s->data, NULL);
        ck_assert(memcmp(&back, &value, sizeof value) == 0);
    }
}

START_TEST(test_str_put_double__reads_back_equal)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0,            "0"                  },
        {-0.0,         "-0"                 },
        {0.1,          "0.1"                },
        {1.5,          "1.5"                },
        {-2,           "-2"                 },
        {1e20,         "1e+20"              },
        {1e-7,         "1e-07"              },
        {123456789012, "123456789012"       },
        {0.1 + 0.2,    "0.30000000000000004"},
        {INFINITY,     "null"               },
        {-INFINITY,    "null"               },
        {(double)NAN,  "null"               },
    };
    cj__str s;

    str_begin(&s, 100);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__str_clear(&s);
        cj__str_put_double(&s, rows[i].value);
        ck_assert_str_eq(s.data, rows[i].text);
    }
    check_doubles(&s);
    cj__str_end(&s);
}
END_TEST

/* Where such a locale is installed, a host may have chosen it. */
START_TEST(test_str_put_double__with_a_decimal_comma)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                          "nl_NL.UTF-8", "pt_BR.UTF-8"};
    cj__str s;

    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
        if (setlocale(LC_ALL, locales[i]) == NULL)
            continue;
        str_begin(&s, 100);
        cj__str_put_double(&s, 0.5);
        setlocale(LC_ALL, "C");
        ck_assert_str_eq(s.data, "0.5");
        cj__str_end(&s);
    }
}
END_TEST

/* ---- JSON texts ----------------------------------------------------------------- */

START_TEST(test_str_put_json__escapes)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *json;
    } rows[] = {
        {"",                                          0,  "\"\""                                    },
        {"plain",                                     5,  "\"plain\""                               },
        {"a\"b\\c/d",                                 7,  "\"a\\\"b\\\\c/d\""                       },
        {"\b\f\n\r\t",                                5,  "\"\\b\\f\\n\\r\\t\""                     },
        {"\x01\x1F\x7F",                              3,  "\"\\u0001\\u001f\x7F\""                  },
        {"a\0b",                                      3,  "\"a\\u0000b\""                           },
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", 14,
         "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""                                            },
        {"\xFF",                                      1,  "\"\xEF\xBF\xBD\""                        },
        {"a\xC3",                                     2,  "\"a\xEF\xBF\xBD\""                       },
        {"\xC3(",                                     2,  "\"\xEF\xBF\xBD(\""                       },
        {"\xED\xA0\x80",                              3,  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    cj__str s;

    str_begin(&s, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__str_clear(&s);
        cj__str_put_json(&s, rows[i].bytes, rows[i].n);
        ck_assert_str_eq(s.data, rows[i].json);
    }
    cj__str_end(&s);
}
END_TEST

START_TEST(test_str_put_json__any_bytes_become_valid_json)
{
    uint64_t state = 5;
    cj__str s;

    str_begin(&s, 10000);
    for (int i = 0; i < 3000; i++) {
        char bytes[40];
        size_t n = base_random(&state) % sizeof bytes;

        for (size_t k = 0; k < n; k++) /* not 0: \u0000 is refused on the way back */
            bytes[k] = (char)(1 + base_random(&state) % 255);
        cj__str_clear(&s);
        cj__str_put_json(&s, bytes, n);
        ck_assert_int_eq(cj__json_check(s.data, s.n), CJ_OK);
    }
    cj__str_end(&s);
}
END_TEST

/* ---- varints -------------------------------------------------------------------- */

START_TEST(test_varint__reads_back)
{
    uint64_t state = 6;
    cj__str s;

    str_begin(&s, 100);
    for (int i = 0; i < 20000; i++) {
        uint64_t value = base_random(&state) >> (base_random(&state) % 64), back;
        const uint8_t *at, *end;
        size_t n = 1;

        if (i == 0)
            value = UINT64_MAX;
        for (uint64_t rest = value; rest >= 128; rest >>= 7)
            n++;
        cj__str_clear(&s);
        cj__str_put_varint(&s, value);
        ck_assert_uint_eq(s.n, n);
        at = (const uint8_t *)s.data;
        end = at + s.n;
        ck_assert_int_eq(cj__varint_read(&at, end, &back), 0);
        ck_assert(at == end && back == value);
        for (size_t cut = 0; cut < n; cut++) {
            at = (const uint8_t *)s.data;
            ck_assert_int_eq(cj__varint_read(&at, at + cut, &back), -1);
            ck_assert(at == (const uint8_t *)s.data);
        }
    }
    cj__str_end(&s);
}
END_TEST

START_TEST(test_varint__refuses_more_than_64_bits)
{
    static const uint8_t most[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    static const uint8_t over[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
    static const uint8_t longer[] = {128, 128, 128, 128, 128, 128,
                                     128, 128, 128, 128, 0};
    const uint8_t *at = most;
    uint64_t value;

    ck_assert_int_eq(cj__varint_read(&at, most + sizeof most, &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
    at = over;
    ck_assert_int_eq(cj__varint_read(&at, over + sizeof over, &value), -1);
    at = longer;
    ck_assert_int_eq(cj__varint_read(&at, longer + sizeof longer, &value), -1);
}
END_TEST

START_TEST(test_zigzag__small_numbers_stay_small)
{
    uint64_t state = 7;

    ck_assert_uint_eq(cj__zigzag(0), 0);
    ck_assert_uint_eq(cj__zigzag(-1), 1);
    ck_assert_uint_eq(cj__zigzag(1), 2);
    ck_assert_uint_eq(cj__zigzag(INT64_MAX), UINT64_MAX - 1);
    ck_assert_uint_eq(cj__zigzag(INT64_MIN), UINT64_MAX);
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)base_random(&state);

        ck_assert_int_eq(cj__unzigzag(cj__zigzag(value)), value);
    }
    ck_assert_int_eq(cj__unzigzag(cj__zigzag(INT64_MIN)), INT64_MIN);
}
END_TEST

START_TEST(test_text_equal__absent_is_not_empty)
{
    const cj__text absent = cj__text_of(NULL), empty = cj__text_of("");
    const cj__text a = cj__text_of("a"), b = cj__text_of("b"), a_again = {"axx", 1};

    ck_assert(absent.data == NULL && absent.n == 0);
    ck_assert(cj__text_equal(absent, absent) && cj__text_equal(empty, empty));
    ck_assert(!cj__text_equal(absent, empty) && !cj__text_equal(empty, absent));
    ck_assert(cj__text_equal(a, a_again) && !cj__text_equal(a, b));
    ck_assert(!cj__text_equal(a, cj__text_of("ab")));
}
END_TEST

HARNESS_MAIN("base_str", test_str__grows_and_ends_with_a_nul, test_str__fits_when_asked,
             test_str__an_empty_put_makes_an_empty_text,
             test_str__the_cap_is_exact_and_sticky,
             test_str__reserved_bytes_do_not_move,
             test_str__sizes_near_the_end_of_memory, test_str__out_of_memory_is_sticky,
             test_str_end__a_zeroed_one, test_str_put_int64__as_printf,
             test_str_put_double__reads_back_equal,
             test_str_put_double__with_a_decimal_comma, test_str_put_json__escapes,
             test_str_put_json__any_bytes_become_valid_json, test_varint__reads_back,
             test_varint__refuses_more_than_64_bits,
             test_zigzag__small_numbers_stay_small,
             test_text_equal__absent_is_not_empty)
