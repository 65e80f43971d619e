/* UTF-8 against a slow decoder that follows the definition; whole numbers against
 * printf. */
#include "base_memory.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* By the definition: decode, then ask whether this is the shortest form of a code point
 * that is no surrogate. */
static size_t slow_length(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80         ? 1
                    : (p[0] >> 5) == 6  ? 2
                    : (p[0] >> 4) == 14 ? 3
                    : (p[0] >> 3) == 30 ? 4
                                        : 0;
    uint32_t code;

    if (length <= 1 || length > n)
        return length == 1;
    code = p[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        code = code * 64 + (p[i] & 63u);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return 0;
    return length;
}

START_TEST(test_utf8_length__every_two_bytes_and_their_edges)
{
    static const unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90,
                                          0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    const size_t k = sizeof edges;
    int64_t wrong = 0;

    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t rest = 0; rest < k * k; rest++) {
                unsigned char p[4] = {(unsigned char)first, (unsigned char)second,
                                      edges[rest / k], edges[rest % k]};
                size_t n = 1 + rest % 4;

                wrong += cj__utf8_length((char *)p, 4) != slow_length(p, 4);
                wrong += cj__utf8_length((char *)p, n) != slow_length(p, n);
            }
        }
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

static size_t encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 63));
        to[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 63));
    to[2] = (char)(0x80 | (code >> 6 & 63));
    to[3] = (char)(0x80 | (code & 63));
    return 4;
}

START_TEST(test_utf8_decode__every_code_point)
{
    int64_t wrong = 0;

    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        const int surrogate = code >= 0xD800 && code < 0xE000;
        char bytes[4], again[4];
        size_t n = encode(code, bytes);

        wrong += cj__utf8_valid(bytes, n) == surrogate;
        wrong +=
            !surrogate && cj__utf8_decode(bytes, cj__utf8_length(bytes, n)) != code;
        wrong += cj__utf8_encode(code, again) != n || memcmp(bytes, again, n) != 0;
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/* A wrong byte is found at every place of texts of every length (eight bytes are looked
 * at together). */
START_TEST(test_utf8_valid__wherever_the_wrong_byte_is)
{
    ck_assert(cj__utf8_valid("", 0));
    ck_assert(cj__utf8_valid(NULL, 0));
    for (size_t n = 1; n <= 40; n++) {
        char *text = malloc(n);

        memset(text, 'a', n);
        ck_assert(cj__utf8_valid(text, n));
        for (size_t at = 0; at < n; at++) {
            text[at] = '\x80';
            ck_assert(!cj__utf8_valid(text, n));
            text[at] = '\xC3'; /* cut off, or followed by a letter */
            ck_assert(!cj__utf8_valid(text, n));
            text[at] = 'a';
            if (at + 1 < n) {
                memcpy(text + at, "\xC3\xA9", 2);
                ck_assert(cj__utf8_valid(text, n));
                memcpy(text + at, "aa", 2);
            }
        }
        free(text);
    }
}
END_TEST

START_TEST(test_int64_parse__reads_what_printf_writes)
{
    uint64_t state = 9;

    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(base_random(&state) >> (base_random(&state) % 64)),
                got;
        char text[32];

        value = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i % 2 == 0 ? value : -value;
        snprintf(text, sizeof text, "%" PRId64, value);
        ck_assert_int_eq(cj__int64_parse(text, strlen(text), &got), 0);
        ck_assert_int_eq(got, value);
    }
}
END_TEST

START_TEST(test_int64_parse__refuses_everything_else)
{
    static const char *const texts[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "-0",
        "-01",
        "1.0",
        "1e2",
        "0x1",
        "1,0",
        "--1",
        "1-",
        "a",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "18446744073709551616",
        "\xD9\xA1",
    };
    int64_t got = 5;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(cj__int64_parse(texts[i], strlen(texts[i]), &got) == -1, "%s",
                      texts[i]);
    ck_assert_int_eq(got, 5);
    ck_assert_int_eq(cj__int64_parse("123", 2, &got), 0);
    ck_assert_int_eq(got, 12);
}
END_TEST

/* Every byte at every place of a text of every length up to three words. */
START_TEST(test_text_is_plain__every_byte_at_every_place)
{
    char text[25];
    int64_t wrong = 0;

    for (size_t n = 0; n <= sizeof text; n++) {
        memset(text, '~', sizeof text);
        wrong += !cj__text_is_plain(text, n);
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                text[at] = (char)c;
                wrong += cj__text_is_plain(text, n) != (c >= 0x20 && c <= 0x7E);
                wrong += !cj__text_is_plain(text, at);
            }
            text[at] = ' ';
        }
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

HARNESS_MAIN("base_text", test_utf8_length__every_two_bytes_and_their_edges,
             test_utf8_decode__every_code_point,
             test_utf8_valid__wherever_the_wrong_byte_is,
             test_int64_parse__reads_what_printf_writes,
             test_int64_parse__refuses_everything_else,
             test_text_is_plain__every_byte_at_every_place)
