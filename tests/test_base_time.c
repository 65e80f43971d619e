/* The calendar against counting days, and times as text against a table. */
#include "harness.h"

#include "base/time.h"

#include <string.h>

static cj__ctx cx;

static cj__zone *zone_of(const char *name)
{
    cj__zone *zone = NULL;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_msg(cj__zone_open(&cx.allocator, name, &zone) == CJ_OK, "%s: %s", name,
                  cj__error_text());
    return zone;
}

/* ---- calendar ------------------------------------------------------------------- */

static int days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

START_TEST(test_time_civil__counts_every_day_of_600_years)
{
    int64_t day = cj__civil_to_day(1600, 1, 1);

    ck_assert_int_eq(cj__civil_to_day(1970, 1, 1), 0);
    ck_assert_int_eq(cj__civil_to_day(2000, 3, 1), 11017);
    for (int64_t year = 1600; year < 2200; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int date = 1; date <= days_in(year, month); date++, day++) {
                int64_t y;
                int m, d;

                ck_assert_int_eq(cj__civil_to_day(year, month, date), day);
                cj__day_to_civil(day, &y, &m, &d);
                ck_assert(y == year && m == month && d == date);
            }
        }
    }
}
END_TEST

START_TEST(test_time_civil__goes_back_before_year_0)
{
    for (int64_t day = -1000000; day < 4000000; day += 37) {
        int64_t y;
        int m, d;

        cj__day_to_civil(day, &y, &m, &d);
        ck_assert_int_eq(cj__civil_to_day(y, m, d), day);
        ck_assert(m >= 1 && m <= 12 && d >= 1 && d <= days_in(y, m));
    }
}
END_TEST

/* ---- texts ---------------------------------------------------------------------- */

START_TEST(test_time_parse__what_shops_write)
{
    static const struct {
        const char *text, *utc; /* utc NULL: not a time */
    } rows[] = {
        {"2011-12-09",                   "2011-12-09T00:00:00.000Z"},
        {"2011-07-09",                   "2011-07-08T23:00:00.000Z"}, /* local: British summer */
        {"2011-12-09 12:50",             "2011-12-09T12:50:00.000Z"},
        {"2011-07-09 12:50",             "2011-07-09T11:50:00.000Z"},
        {"2010-12-01 8:26",              "2010-12-01T08:26:00.000Z"},
        {"2010-12-01 08:26:09",          "2010-12-01T08:26:09.000Z"},
        {"2011-12-09T12:50:00.123Z",     "2011-12-09T12:50:00.123Z"},
        {"2011-07-09T12:50:00Z",         "2011-07-09T12:50:00.000Z"},
        {"2011-07-09t12:50z",            "2011-07-09T12:50:00.000Z"},
        {"2011-12-09T12:50:00.1",        "2011-12-09T12:50:00.100Z"},
        {"2011-12-09T12:50:00,1239999Z", "2011-12-09T12:50:00.123Z"},
        {"2011-12-09T12:50:00+01:00",    "2011-12-09T11:50:00.000Z"},
        {"2011-12-09T12:50:00-0530",     "2011-12-09T18:20:00.000Z"},
        {"2011-12-09T12:50:00.5+01",     "2011-12-09T11:50:00.500Z"},
        {"2011-12-09 12:50:00 UTC",      "2011-12-09T12:50:00.000Z"},
        {"2011-07-09 12:50:00 +0000",    "2011-07-09T12:50:00.000Z"},
        {"2016-12-31T23:59:60Z",         "2017-01-01T00:00:00.000Z"},
        {"2024-02-29",                   "2024-02-29T00:00:00.000Z"},
        {"1969-12-31T23:59:59.999Z",     "1969-12-31T23:59:59.999Z"},
        {"0001-01-01T00:00:00Z",         "0001-01-01T00:00:00.000Z"},
        {"0",                            "1970-01-01T00:00:00.000Z"},
        {"1323435000",                   "2011-12-09T12:50:00.000Z"},
        {"1323435000123",                "2011-12-09T12:50:00.123Z"},
        {"",                             NULL                      },
        {"2023-02-29",                   NULL                      },
        {"2011-13-01",                   NULL                      },
        {"2011-00-01",                   NULL                      },
        {"2011-12-00",                   NULL                      },
        {"2011-12-32",                   NULL                      },
        {"2011-12",                      NULL                      },
        {"2011-1-9",                     NULL                      },
        {"11-12-09",                     NULL                      },
        {"9/12/2011",                    NULL                      },
        {"2011-12-09 ",                  NULL                      },
        {" 2011-12-09",                  NULL                      },
        {"2011-12-09T",                  NULL                      },
        {"2011-12-09T12",                NULL                      },
        {"2011-12-09T24:00",             NULL                      },
        {"2011-12-09T12:60",             NULL                      },
        {"2011-12-09T12:50:61",          NULL                      },
        {"2011-12-09T12:50:00.",         NULL                      },
        {"2011-12-09T12:50:00X",         NULL                      },
        {"2011-12-09T12:50:00+",         NULL                      },
        {"2011-12-09T12:50:00+1",        NULL                      },
        {"2011-12-09T12:50:00+24:00",    NULL                      },
        {"2011-12-09T12:50:00+01:60",    NULL                      },
        {"2011-12-09T12:50:00+01:00x",   NULL                      },
        {"2011-12-09T12:50:00Zx",        NULL                      },
        {"20111209125000",               NULL                      },
        {"1323435000123456",             NULL                      },
        {"-1",                           NULL                      },
        {"1.5",                          NULL                      },
        {"yesterday",                    NULL                      },
    };
    cj__zone *london = zone_of("Europe/London");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;
        int rc = cj__time_parse(rows[i].text, strlen(rows[i].text), london, &ms);
        char got[25];

        ck_assert_msg(rc == (rows[i].utc != NULL ? 0 : -1), "%s", rows[i].text);
        if (rc != 0)
            continue;
        cj__time_format(ms, got);
        ck_assert_str_eq(got, rows[i].utc);
    }
    cj__zone_end(london);
}
END_TEST

START_TEST(test_time_parse__looks_only_at_its_bytes)
{
    const char text[] = "2011-12-09T12:50:00.123Z";
    cj__zone *utc = zone_of("UTC");

    for (size_t n = 0; n <= strlen(text); n++) {
        char *exact = malloc(n + 1); /* a sanitizer sees a step beyond */
        char *tight = realloc(exact, n > 0 ? n : 1);
        int64_t ms;
        int good = n == 10 || n == 16 || n == 19 || (n >= 21 && n <= 24);

        if (n == 4)
            good = 1; /* "2011": whole digits are seconds */
        if (n < 4 && n > 0)
            good = 1;
        memcpy(tight, text, n);
        ck_assert_msg(cj__time_parse(tight, n, utc, &ms) == (good ? 0 : -1), "%zu", n);
        free(tight);
    }
    cj__zone_end(utc);
}
END_TEST

START_TEST(test_time_format__reads_back)
{
    cj__zone *utc = zone_of("UTC");

    for (int64_t ms = -62135596800000; ms < 253402300799999;
         ms += 86400000LL * 997 + 12345) {
        char text[25];
        int64_t back;

        cj__time_format(ms, text);
        ck_assert_uint_eq(strlen(text), 24);
        ck_assert_int_eq(cj__time_parse(text, 24, utc, &back), 0);
        ck_assert_int_eq(back, ms);
    }
    cj__zone_end(utc);
}
END_TEST

START_TEST(test_time_format__never_more_than_24_characters)
{
    char text[25];

    cj__time_format(INT64_MAX, text);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    cj__time_format(INT64_MIN, text);
    ck_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
}
END_TEST

HARNESS_MAIN("base_time", test_time_civil__counts_every_day_of_600_years,
             test_time_civil__goes_back_before_year_0,
             test_time_parse__what_shops_write,
             test_time_parse__looks_only_at_its_bytes, test_time_format__reads_back,
             test_time_format__never_more_than_24_characters)
