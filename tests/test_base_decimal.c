/* Money as text: exact to the last unit, rounded once, or refused. */
#include "harness.h"

#include "base/ctx.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NOT_A_NUMBER = -1, TOO_LARGE = -2 };

static const struct {
    const char *text;
    int exponent, result;
    int64_t minor;
} minors[] = {
    {"12.50",                                                   2, 0,            1250     },
    {"-12.5",                                                   2, 0,            -1250    },
    {"+3",                                                      2, 0,            300      },
    {"0.001",                                                   2, 0,            0        },
    {"0.005",                                                   2, 0,            0        },
    {"0.015",                                                   2, 0,            2        },
    {"0.025",                                                   2, 0,            2        },
    {"0.0250000000000000000000000000000000000000001",           2, 0,            3        },
    {"-0.015",                                                  2, 0,            -2       },
    {"-0.025",                                                  2, 0,            -2       },
    {"1e2",                                                     2, 0,            10000    },
    {"1E+2",                                                    0, 0,            100      },
    {"1.25e-1",                                                 2, 0,            12       },
    {"1.35e-1",                                                 2, 0,            14       },
    {"123456789e-7",                                            2, 0,            1235     },
    {"0e999999999999999999999",                                 2, 0,            0        },
    {"1e-999999999999999999999",                                2, 0,            0        },
    {"1e999999999999999999999",                                 2, TOO_LARGE,    0        },
    {"9.995",                                                   2, 0,            1000     },
    {"1",                                                       0, 0,            1        },
    {"1.5",                                                     0, 0,            2        },
    {"2.5",                                                     0, 0,            2        },
    {"1.2345",                                                  4, 0,            12345    },
    {"1.234",                                                   3, 0,            1234     },
    {".5",                                                      2, 0,            50       },
    {"5.",                                                      2, 0,            500      },
    {"0000000000000000000000000000000000000000000000000001.10", 2, 0,            110      },
    {"92233720368547758.07",                                    2, 0,            INT64_MAX},
    {"92233720368547758.075",                                   2, TOO_LARGE,    0        },
    {"92233720368547758.0749999999",                            2, 0,            INT64_MAX},
    {"-92233720368547758.08",                                   2, 0,            INT64_MIN},
    {"-92233720368547758.085",                                  2, 0,            INT64_MIN},
    {"-92233720368547758.09",                                   2, TOO_LARGE,    0        },
    {"100000000000000000000000000000000000000000000000000000",  2, TOO_LARGE,    0        },
    {"340282366920938463463374607431768211456.00",              2, TOO_LARGE,    0        },
    {"0.000000000000000000000000000000000000000000000001e48",   2, 0,            100      },
    {"1000000000000000000000000000000000000000000000000e-48",   2, 0,            100      },
    {"",                                                        2, NOT_A_NUMBER, 0        },
    {"-",                                                       2, NOT_A_NUMBER, 0        },
    {".",                                                       2, NOT_A_NUMBER, 0        },
    {"1.2.3",                                                   2, NOT_A_NUMBER, 0        },
    {"1,5",                                                     2, NOT_A_NUMBER, 0        },
    {" 1",                                                      2, NOT_A_NUMBER, 0        },
    {"1 ",                                                      2, NOT_A_NUMBER, 0        },
    {"--1",                                                     2, NOT_A_NUMBER, 0        },
    {"1e",                                                      2, NOT_A_NUMBER, 0        },
    {"1e+",                                                     2, NOT_A_NUMBER, 0        },
    {"e5",                                                      2, NOT_A_NUMBER, 0        },
    {"1e5x",                                                    2, NOT_A_NUMBER, 0        },
    {"0x10",                                                    2, NOT_A_NUMBER, 0        },
    {"NaN",                                                     2, NOT_A_NUMBER, 0        },
    {"inf",                                                     2, NOT_A_NUMBER, 0        },
};

START_TEST(test_decimal_minor__table)
{
    for (size_t i = 0; i < sizeof minors / sizeof minors[0]; i++) {
        int64_t got = 0;
        int result = cj__decimal_minor(minors[i].text, strlen(minors[i].text),
                                       minors[i].exponent, &got);

        ck_assert_msg(result == minors[i].result && got == minors[i].minor,
                      "%s: %d, %" PRId64, minors[i].text, result, got);
    }
}
END_TEST

START_TEST(test_decimal_minor__looks_only_at_its_bytes)
{
    int64_t got = 0;

    ck_assert_int_eq(cj__decimal_minor("12345", 2, 2, &got), 0);
    ck_assert_int_eq(got, 1200);
    ck_assert_int_eq(cj__decimal_minor("1e5", 2, 2, &got), NOT_A_NUMBER);
}
END_TEST

static const struct {
    const char *price;
    int64_t quantity;
    int exponent, result;
    int64_t minor;
} products[] = {
    {"2.55",                                            6,                   2, 0,            1530     },
    {"0.333",                                           3,                   2, 0,            100      }, /* 0.999, not 3 x 0.33 */
    {"0.005",                                           3,                   2, 0,            2        }, /* 0.015: the even neighbour is 0.02 */
    {"0.005",                                           5,                   2, 0,            2        }, /* 0.025 */
    {"-1.25",                                           2,                   2, 0,            -250     },
    {"-1.25",                                           -2,                  2, 0,            250      },
    {"1.25",                                            -2,                  2, 0,            -250     },
    {"1.25",                                            0,                   2, 0,            0        },
    {"92233720368547758.07",                            1,                   2, 0,            INT64_MAX},
    {"92233720368547758.07",                            2,                   2, TOO_LARGE,    0        },
    {"1",                                               INT64_MAX,           0, 0,            INT64_MAX},
    {"1",                                               INT64_MIN,           0, 0,            INT64_MIN},
    {"-1",                                              INT64_MIN,           0, TOO_LARGE,    0        },
    {"0.00000000000000000001",                          1000000000000000000, 2, 0,            1        },
    {"0.000000000000000000005",                         1000000000000000000, 2, 0,            0        }, /* half: even is 0 */
    {"0.000000000000000000005000000000000000000000001", 1000000000000000000, 2, 0,            1        },
    {"x",                                               0,                   2, NOT_A_NUMBER, 0        },
};

START_TEST(test_decimal_times__rounds_the_product_once)
{
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        int64_t got = 0;
        int result =
            cj__decimal_times(products[i].price, strlen(products[i].price),
                              products[i].quantity, products[i].exponent, &got);

        ck_assert_msg(result == products[i].result && got == products[i].minor,
                      "%s x %" PRId64 ": %d, %" PRId64, products[i].price,
                      products[i].quantity, result, got);
    }
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

/* A second opinion for numbers small enough for int64: scale to 10^-6 and divide. */
static int64_t slow_times(int64_t millionths, int64_t quantity, int64_t unit)
{
    int64_t product = millionths * quantity, floor_, rest;

    floor_ = product / unit;
    if (product % unit < 0)
        floor_--;
    rest = product - floor_ * unit;
    if (2 * rest > unit || (2 * rest == unit && floor_ % 2 != 0))
        floor_++;
    return floor_;
}

START_TEST(test_decimal_times__agrees_with_plain_arithmetic)
{
    const int64_t unit[] = {1000000, 100000, 10000, 1000, 100};
    uint64_t state = 7;

    for (int round = 0; round < 200000; round++) {
        int64_t price = (int64_t)(next_random(&state) % 20000001) - 10000000;
        int64_t quantity = (int64_t)(next_random(&state) % 2001) - 1000;
        int exponent = (int)(next_random(&state) % 5);
        int64_t magnitude = price < 0 ? -price : price, got = 0;
        char text[64];

        /* few digits, so that ties are common */
        if (round % 2 == 0) {
            price = price / 1000 * 1000;
            magnitude = price < 0 ? -price : price;
        }
        snprintf(text, sizeof text, "%s%" PRId64 ".%06" PRId64, price < 0 ? "-" : "",
                 magnitude / 1000000, magnitude % 1000000);
        ck_assert_int_eq(
            cj__decimal_times(text, strlen(text), quantity, exponent, &got), 0);
        ck_assert_msg(got == slow_times(price, quantity, unit[exponent]),
                      "%s x %" PRId64 " at %d: %" PRId64, text, quantity, exponent,
                      got);
    }
}
END_TEST

START_TEST(test_decimal_put__reads_back)
{
    const int64_t values[] = {0, 1, -1, 9, 10, 99, 100, -1250, INT64_MAX, INT64_MIN};
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (int exponent = 0; exponent <= 4; exponent++) {
            cj__str s;
            int64_t got = 0;

            cj__str_init(&s, &cx.allocator, 100);
            cj__decimal_put(&s, values[i], exponent);
            ck_assert_int_eq(cj__str_status(&s), CJ_OK);
            ck_assert_int_eq(cj__decimal_minor(s.data, s.n, exponent, &got), 0);
            ck_assert_int_eq(got, values[i]);
            cj__str_end(&s);
        }
    }
}
END_TEST

START_TEST(test_decimal_put__has_all_digits_of_the_currency)
{
    static const struct {
        int64_t minor;
        int exponent;
        const char *text;
    } rows[] = {
        {0,         2, "0.00"                 },
        {5,         2, "0.05"                 },
        {-5,        2, "-0.05"                },
        {1250,      2, "12.50"                },
        {-1250,     2, "-12.50"               },
        {1250,      0, "1250"                 },
        {0,         0, "0"                    },
        {1,         3, "0.001"                },
        {INT64_MIN, 2, "-92233720368547758.08"},
    };
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj__str s;

        cj__str_init(&s, &cx.allocator, 100);
        cj__decimal_put(&s, rows[i].minor, rows[i].exponent);
        ck_assert_str_eq(s.data, rows[i].text);
        cj__str_end(&s);
    }
}
END_TEST

START_TEST(test_divide_half_even__agrees_with_the_definition)
{
    for (int64_t b = 1; b <= 24; b++) {
        for (int64_t a = -200; a <= 200; a++) {
            int64_t got = cj__divide_half_even(a, b), away = 2 * (a - got * b);

            ck_assert(away <= b && away >= -b);
            ck_assert((away != b && away != -b) || got % 2 == 0);
        }
    }
    ck_assert_int_eq(cj__divide_half_even(INT64_MAX, INT64_MAX), 1);
    ck_assert_int_eq(cj__divide_half_even(INT64_MIN, INT64_MAX), -1);
    ck_assert_int_eq(cj__divide_half_even(INT64_MIN, 1), INT64_MIN);
    ck_assert_int_eq(cj__divide_half_even(INT64_MAX, 2), INT64_MAX / 2 + 1);
}
END_TEST

START_TEST(test_currency_exponent__iso_4217)
{
    static const struct {
        const char *code;
        int exponent;
    } rows[] = {
        {"EUR",    2 },
        {"eur",    2 },
        {"Gbp",    2 },
        {"USD",    2 },
        {"JPY",    0 },
        {"KWD",    3 },
        {"CLF",    4 },
        {"CLP",    0 },
        {"AED",    2 },
        {"ZWL",    2 },
        {"UYW",    4 },
        {"XPF",    0 },
        {"BIF",    0 },
        {"BHD",    3 },
        {"TND",    3 },
        {"XXX",    -1},
        {"EU",     -1},
        {"EURO",   -1},
        {"",       -1},
        {"E R",    -1},
        {"AL ",    -1},
        {"\0\0\0", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(cj__currency_exponent(rows[i].code, strlen(rows[i].code)) ==
                          rows[i].exponent,
                      "%s", rows[i].code);
    ck_assert_int_eq(cj__currency_exponent("\0\0\0", 3), -1);
}
END_TEST

HARNESS_MAIN("base_decimal", test_decimal_minor__table,
             test_decimal_minor__looks_only_at_its_bytes,
             test_decimal_times__rounds_the_product_once,
             test_decimal_times__agrees_with_plain_arithmetic,
             test_decimal_put__reads_back,
             test_decimal_put__has_all_digits_of_the_currency,
             test_divide_half_even__agrees_with_the_definition,
             test_currency_exponent__iso_4217)
