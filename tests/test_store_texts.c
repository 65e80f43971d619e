/* Text columns: every family of texts comes back byte for byte, keys are those of the
 * texts, and damaged bytes are refused or give some texts, never a crash. */
#include "harness.h"
#include "random_rows.h"
#include "store/texts.h"

#include <string.h>

static cj__texter texter;
static cj__text texts[CJ__PACK_MAX], got[CJ__PACK_MAX];
static uint64_t keys[CJ__PACK_MAX + 1], scratch[CJ__PACK_MAX];

typedef struct bench {
    cj__ctx cx;
    cj__arena made, read;
    cj__str out;
    random_rows r;
} bench;

static void bench_begin(bench *b, uint64_t seed)
{
    cj__ctx_init(&b->cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&b->made, &b->cx.allocator);
    cj__arena_init(&b->read, &b->cx.allocator);
    cj__str_init(&b->out, &b->cx.allocator, 1 << 24);
    b->r = (random_rows){seed, &b->made};
}

static void bench_end(bench *b)
{
    cj__arena_end(&b->made);
    cj__arena_end(&b->read);
    cj__str_end(&b->out);
}

/* A column of m texts of a family, alone on the heap. */
static cj__text bench_column(bench *b, uint32_t family, uint32_t m)
{
    cj__arena_reset(&b->made);
    for (uint32_t i = 0; i < m; i++)
        texts[i] = random_text(&b->r, family, i);
    cj__str_clear(&b->out);
    cj__texts_put(&texter, &b->out, texts, m);
    ck_assert_int_eq(cj__str_status(&b->out), CJ_OK);
    return bytes_copy(b->out.data, b->out.n);
}

static const uint32_t sizes[] = {1, 2, 3, 9, 65, 300, 1030, 4096};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static void expect_some(bench *b, cj__text column, uint32_t m)
{
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t from = random_below(&b->r, m);
        const uint32_t count = random_below(&b->r, i == 0 ? m - from + 1 : 2);
        const uint32_t range[3] = {m, from, count};

        ck_assert_int_eq(cj__texts_get(column, range, &b->read, got), CJ_OK);
        for (uint32_t k = 0; k < count; k++)
            ck_assert_msg(cj__text_equal(got[k], texts[from + k]),
                          "text %u of [%u, %u) is '%.*s'", from + k, from, from + count,
                          (int)got[k].n, got[k].data);
    }
    ck_assert_int_eq(cj__texts_get(column, (uint32_t[]){m, m, 1}, &b->read, got),
                     CJ_ECORRUPT);
}

START_TEST(test_store_texts__come_back_byte_for_byte)
{
    int seen[7] = {0};
    bench b;

    bench_begin(&b, 1);
    for (uint32_t round = 0; round < 2 * RANDOM_FAMILIES * N_SIZES; round++) {
        uint32_t family = round % RANDOM_FAMILIES;
        uint32_t m = sizes[round / RANDOM_FAMILIES % N_SIZES];
        cj__text column = bench_column(&b, family, m);
        cj__bytes inner = cj__bytes_of(column);

        seen[(uint8_t)column.data[0] % 7]++;
        if (cj__bytes_byte(&inner) == CJ__TEXTS_DICTIONARY) {
            cj__bytes_varint(&inner);
            seen[(uint8_t)cj__bytes_sized(&inner).data[0] % 7]++;
        }
        expect_some(&b, column, m);
        memset(got, 0, sizeof got);
        ck_assert_int_eq(
            cj__texts_get(column, (const uint32_t[3]){m, 0, m}, &b.read, got), CJ_OK);
        for (uint32_t i = 0; i < m; i++) {
            ck_assert_ptr_nonnull(got[i].data);
            ck_assert_msg(cj__text_equal(got[i], texts[i]),
                          "family %u of %u: text %u is '%.*s', not '%.*s'", family, m,
                          i, (int)got[i].n, got[i].data, (int)texts[i].n,
                          texts[i].data);
        }
        bytes_free(column);
        cj__arena_reset(&b.read);
    }
    for (int kind = 0; kind < 7; kind++)
        ck_assert_msg(seen[kind] > 0, "no column was of kind %d", kind);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_texts__keys_are_those_of_the_texts)
{
    bench b;

    bench_begin(&b, 2);
    for (uint32_t round = 0; round < RANDOM_FAMILIES * N_SIZES; round++) {
        uint32_t m = sizes[round / RANDOM_FAMILIES];
        cj__text column = bench_column(&b, round % RANDOM_FAMILIES, m);

        for (int i = 0; i < 12; i++) {
            uint32_t from = i == 0 ? 0 : random_below(&b.r, m + 1);
            uint32_t count = i == 0 ? m : random_below(&b.r, m - from + 1);
            const uint32_t range[3] = {m, from, i % 2 && count > 5 ? 5 : count};

            keys[range[2]] = 0xfeed;
            ck_assert_int_eq(cj__texts_keys(column, range, scratch, keys), 0);
            ck_assert_uint_eq(keys[range[2]], 0xfeed);
            for (uint32_t k = 0; k < range[2]; k++)
                ck_assert_msg(keys[k] == cj__row_key(texts[from + k]),
                              "family %u: key of '%.*s'", round % RANDOM_FAMILIES,
                              (int)texts[from + k].n, texts[from + k].data);
        }
        bytes_free(column);
    }
    bench_end(&b);
}
END_TEST

START_TEST(test_store_texts__row_keys)
{
    static const struct {
        const char *text;
        uint64_t key; /* 0: some hash */
    } cases[] = {
        {"0",                    1                 },
        {"1",                    3                 },
        {"42",                   85                },
        {"4611686018427387903",  0x7fffffffffffffff},
        {"4611686018427387904",  0                 },
        {"9999999999999999999",  0                 },
        {"00",                   0                 },
        {"01",                   0                 },
        {"",                     0                 },
        {"-1",                   0                 },
        {"1a",                   0                 },
        {" 1",                   0                 },
        {"s-1",                  0                 },
        {"1.0",                  0                 },
        {"18446744073709551617", 0                 },
    };

    ck_assert_uint_eq(cj__row_key((cj__text){NULL, 0}), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t key = cj__row_key((cj__text){cases[i].text, strlen(cases[i].text)});

        if (cases[i].key != 0)
            ck_assert_uint_eq(key, cases[i].key);
        else
            ck_assert_msg(key != 0 && key % 2 == 0, "key of '%s'", cases[i].text);
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(
                key, cj__row_key((cj__text){cases[j].text, strlen(cases[j].text)}));
    }
}
END_TEST

START_TEST(test_store_texts__are_as_small_as_promised)
{
    static const struct {
        uint32_t family;
        double most_bytes; /* per text, of 4,096 */
    } cases[] = {
        {0,  2.2 },
        {1,  0.2 },
        {2,  2.2 },
        {3,  3.1 },
        {4,  3.2 },
        {6,  2.2 },
        {7,  2.2 },
        {8,  2.2 },
        {9,  0.6 },
        {10, 16.1},
        {11, 8.1 }
    };
    bench b;

    bench_begin(&b, 3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj__text column = bench_column(&b, cases[i].family, CJ__PACK_MAX);

        ck_assert_msg((double)column.n / CJ__PACK_MAX <= cases[i].most_bytes,
                      "family %u takes %.2f bytes", cases[i].family,
                      (double)column.n / CJ__PACK_MAX);
        bytes_free(column);
    }
    bench_end(&b);
}
END_TEST

START_TEST(test_store_texts__decimals_are_exact_or_refused)
{
    static const char *const refused[] = {"",
                                          "-",
                                          "-0",
                                          "-0.0",
                                          "00",
                                          "01",
                                          "1.",
                                          ".1",
                                          "1.2.3",
                                          "1e5",
                                          "+1",
                                          " 1",
                                          "1 ",
                                          "1234567890123456789",
                                          "0.1234567890123456",
                                          "1-2",
                                          "--1",
                                          "0x1",
                                          "1,5"};
    static const struct {
        const char *a, *b, *c;
        int form;
    } forms[] = {
        {"1",                 "20",   "-300",  0     },
        {"1.5",               "2.0",  "3.5",   1     },
        {"1.50",              "2.00", "-3.25", 2     },
        {"1.0",               "2.25", "3.5",   2 + 16},
        {"1",                 "2.25", "3.5",   2 + 32},
        {"0",                 "-0.5", "100",   1 + 32},
        {"1",                 "2.0",  "3.5",   -1    },
        {"1.00",              "2.5",  "3",     -1    },
        {"10000000000000000", "0.5",  "1",     1 + 32},
        {"10000000000000000", "0.55", "1",     -1    },
    };
    char text[40];

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        texts[0] = (cj__text){refused[i], strlen(refused[i])};
        ck_assert_msg(cj__decimals_read(&texter, texts, 1) < 0, "'%s'", refused[i]);
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        texts[0] = cj__text_of(forms[i].a);
        texts[1] = cj__text_of(forms[i].b);
        texts[2] = cj__text_of(forms[i].c);
        ck_assert_int_eq(cj__decimals_read(&texter, texts, 3), forms[i].form);
        for (int k = 0; forms[i].form >= 0 && k < 3; k++) {
            size_t n = cj__decimal_write(text, (int64_t)texter.numbers[k],
                                         (uint32_t)forms[i].form);

            ck_assert_uint_eq(n, texts[k].n);
            ck_assert_mem_eq(text, texts[k].data, n);
        }
    }
}
END_TEST

/* Digits, a point and sometimes something else, of every length, alone on the heap:
 * read in steps of eight they are what a loop over their characters says. */
START_TEST(test_store_texts__short_decimals_as_by_a_loop)
{
    static const char letters[] = "00123456789.5.:/-";
    uint64_t n_read = 0;
    bench b;

    bench_begin(&b, 7);
    for (uint32_t round = 0; round < 200000; round++) {
        uint32_t n = 1 + random_below(&b.r, 9), points = 0, point = n, others = 0;
        char bytes[9], back[40];
        cj__text text;
        int form, plain;

        for (uint32_t i = 0; i < n; i++) {
            bytes[i] = letters[random_below(&b.r, round % 2 ? 12 : sizeof letters - 1)];
            point = bytes[i] == '.' ? i : point;
            points += bytes[i] == '.';
            others += bytes[i] != '.' && (bytes[i] < '0' || bytes[i] > '9');
        }
        if (bytes[0] == '-')
            continue;
        plain = others == 0 && points <= 1 && point > 0 && point + 1 != n &&
                (bytes[0] != '0' || point == 1);
        text = bytes_copy(bytes, n);
        form = cj__decimals_read(&texter, &text, 1);
        ck_assert_msg((form >= 0) == plain, "'%.*s'", (int)n, bytes);
        if (form >= 0) {
            ck_assert_uint_eq(
                cj__decimal_write(back, (int64_t)texter.numbers[0], (uint32_t)form), n);
            ck_assert_mem_eq(back, bytes, n);
            n_read++;
        }
        bytes_free(text);
    }
    ck_assert_uint_gt(n_read, 10000);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_texts__hexadecimal_of_any_length)
{
    static const char digits[] = "0123456789abcdef";
    char text[64], back[64];
    uint8_t bytes[32];

    for (size_t n = 1; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < 2 * n; i++)
            text[i] = digits[(i * 7 + n) % 16];
        ck_assert_int_eq(cj__hex_read(bytes, text, n), 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(bytes[i],
                              (2 * i * 7 + n) % 16 * 16 + ((2 * i + 1) * 7 + n) % 16);
        cj__hex_write(back, bytes, n);
        ck_assert_mem_eq(back, text, 2 * n);
    }
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 14; at++) { /* in whole words and in what is left */
            memset(text, '7', sizeof text);
            text[at] = (char)c;
            ck_assert_int_eq(cj__hex_read(bytes, text, 7),
                             c != 0 && strchr(digits, c) != NULL ? 0 : -1);
        }
    }
}
END_TEST

START_TEST(test_store_texts__survive_damage)
{
    uint64_t refused = 0;
    bench b;

    bench_begin(&b, 4);
    for (uint32_t round = 0; round < RANDOM_FAMILIES * N_SIZES; round++) {
        uint32_t m = sizes[round / RANDOM_FAMILIES];
        cj__text column = bench_column(&b, round % RANDOM_FAMILIES, m);

        for (int i = 0; i < 40; i++) {
            size_t n = i % 4 ? column.n : random_below(&b.r, (uint32_t)column.n + 1);
            const uint32_t range[3] = {m, m / 3, m / 2};
            cj__text copy = bytes_copy(column.data, n);
            char *bytes;

            memcpy(&bytes, &copy.data, sizeof bytes);
            for (int hit = i % 3; n > 0 && hit >= 0; hit--)
                bytes[random_below(&b.r, i % 2 && n > 24 ? 24 : (uint32_t)n)] =
                    (char)random_next(&b.r);
            refused += cj__texts_get(copy, (const uint32_t[3]){m, 0, m}, &b.read,
                                     got) != CJ_OK;
            refused += cj__texts_keys(copy, range, scratch, keys) != 0;
            bytes_free(copy);
            cj__arena_reset(&b.read);
        }
        bytes_free(column);
    }
    ck_assert_uint_gt(refused, 1000);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_texts__refuse_what_is_no_column)
{
    static const struct {
        const char *what;
        uint32_t m;
        size_t n;
        const char *bytes;
    } cases[] = {
        {"no bytes",                  1, 0,  ""                             },
        {"an unknown kind",           1, 2,  "\7\0"                         },
        {"a length beyond the bytes", 1, 6,  "\0\4\0\12\1\0"                },
        {"a dictionary of none",      1, 7,  "\1\0\0\0\0\1\0"               },
        {"more entries than texts",   1, 15, "\1\2\10\0\4\0\2\1\0ab\0\0\1\0"},
        {"a nested dictionary",       1, 14, "\1\1\7\1\1\0\0\0\1\0\0\0\1\0" },
        {"an index too high",         1, 13, "\1\1\6\0\4\0\0\1\0\0\2\1\0"   },
        {"a decimal of mode 3",       1, 6,  "\2\60\0\0\1\0"                },
        {"no patterns",               1, 7,  "\3\0\4\0\0\1\0"               },
        {"65 patterns",               1, 7,  "\3\101\4\0\0\1\0"             },
        {"a pattern of 19 digits",    1, 14, "\3\1\24\0\0\4\0\0\1\0\0\0\1\0"},
        {"no such pattern",           1, 14, "\3\1\1\0\0\4\0\2\1\0\0\0\1\0" },
        {"hexadecimal of no bytes",   1, 4,  "\4\0\0\0"                     },
        {"uuids that are cut",        1, 16, "\5..............."            },
        {"the first shares",          1, 12, "\6\4\0\2\1\0\4\0\2\1\0a"      },
    };
    bench b;

    bench_begin(&b, 5);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cj__text column = {cases[i].bytes, cases[i].n};
        const uint32_t range[3] = {cases[i].m, 0, cases[i].m};

        ck_assert_msg(cj__texts_get(column,
                                    (const uint32_t[3]){cases[i].m, 0, cases[i].m},
                                    &b.read, got) == CJ_ECORRUPT,
                      "%s was read", cases[i].what);
        ck_assert_msg(cj__texts_keys(column, range, scratch, keys) != 0, "%s has keys",
                      cases[i].what);
    }
    bench_end(&b);
}
END_TEST

HARNESS_MAIN("store_texts", test_store_texts__come_back_byte_for_byte,
             test_store_texts__keys_are_those_of_the_texts, test_store_texts__row_keys,
             test_store_texts__are_as_small_as_promised,
             test_store_texts__decimals_are_exact_or_refused,
             test_store_texts__short_decimals_as_by_a_loop,
             test_store_texts__hexadecimal_of_any_length,
             test_store_texts__survive_damage,
             test_store_texts__refuse_what_is_no_column)
