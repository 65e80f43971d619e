/* Local dates from the table of days are those of the zone itself, everywhere. */
#include "metrics/days.h"

#include "harness.h"

#define DAY_MS INT64_C(86400000)

static cj__ctx context;

static void expect_days(const char *name, int64_t from_ms, int64_t until_ms)
{
    const cj__allocator *a = &context.allocator;
    uint64_t random = 88172645463325252u;
    cj__zone *zone;
    cj__days days;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__zone_open(a, name, &zone), CJ_OK);
    ck_assert_int_eq(cj__days_init(&days, a, zone, from_ms, until_ms), CJ_OK);
    for (int i = 0; i < 20000; i++) {
        int64_t ms;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ms = until_ms - (int64_t)(random >> 20) % (50 * 365 * DAY_MS) + 30 * DAY_MS;
        if (i % 2 == 0) /* where a date begins, and just before */
            ms = cj__zone_day_start(zone, ms / DAY_MS) - (i % 4 == 0);
        ck_assert_int_eq(cj__days_local(&days, ms), cj__zone_day(zone, ms));
    }
    /* every hour of two years with their clock changes */
    for (int64_t ms = until_ms - 730 * DAY_MS; ms < until_ms; ms += 3600000)
        ck_assert_int_eq(cj__days_local(&days, ms), cj__zone_day(zone, ms));
    cj__days_end(&days);
    cj__zone_end(zone);
}

START_TEST(test_days__equal_the_zone)
{
    static const char *const zones[] = {"UTC",
                                        "Europe/London",
                                        "Europe/Berlin",
                                        "America/New_York",
                                        "America/St_Johns", /* changed at 00:01 */
                                        "America/Sao_Paulo",
                                        "Asia/Kathmandu",
                                        "Australia/Lord_Howe", /* half an hour */
                                        "Pacific/Apia",        /* left a day out */
                                        "Pacific/Kiritimati"};

    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        expect_days(zones[i], INT64_MIN, INT64_C(1735689600000));
}
END_TEST

START_TEST(test_days__any_range_is_right)
{
    const int64_t until_ms = INT64_C(1328054400000); /* after Apia's lost day */

    expect_days("Pacific/Apia", until_ms - 400 * DAY_MS, until_ms);
    expect_days("Pacific/Apia", until_ms - 1, until_ms);
    expect_days("Pacific/Apia", until_ms, until_ms);
    expect_days("Pacific/Apia", INT64_MAX, until_ms);
    expect_days("Pacific/Apia", 0, -DAY_MS * 365);
}
END_TEST

HARNESS_MAIN("metrics_days", test_days__equal_the_zone, test_days__any_range_is_right)
