/* The grid of slices: covers every moment once, weeks nest in months. */
#include "harness.h"
#include "store/internal.h"

#include <stdint.h>

#define DAY_MS INT64_C(86400000)

static int64_t at(int64_t year, int month, int day)
{
    return cj__civil_to_day(year, month, day) * DAY_MS;
}

START_TEST(test_store_slice__weeks_of_a_month)
{
    static const int from[] = {1, 8, 15, 22, 29};

    for (int day = 1; day <= 31; day++) {
        int week = (day - 1) / 7;
        cj__slice s = cj__slice_week(at(2025, 3, day) + 12345678);
        ck_assert_int_eq(s.from_ms, at(2025, 3, from[week]));
        ck_assert_int_eq(s.until_ms,
                         week == 4 ? at(2025, 4, 1) : at(2025, 3, from[week + 1]));
    }
}
END_TEST

START_TEST(test_store_slice__february_has_four_weeks_or_a_day_more)
{
    ck_assert_int_eq(cj__slice_week(at(2025, 2, 28)).until_ms, at(2025, 3, 1));
    ck_assert_int_eq(cj__slice_week(at(2024, 2, 29)).from_ms, at(2024, 2, 29));
    ck_assert_int_eq(cj__slice_week(at(2024, 2, 29)).until_ms, at(2024, 3, 1));
    ck_assert_int_eq(cj__slice_month(at(2024, 12, 31)).until_ms, at(2025, 1, 1));
}
END_TEST

/* Every instant of a century: inside its slices, and the next slice begins where one
 * ends; at the edges to the millisecond. */
START_TEST(test_store_slice__no_gaps_no_overlaps)
{
    int64_t t = 0;

    while (t < CJ__MAX_TIME_MS) {
        cj__slice week = cj__slice_week(t), month = cj__slice_month(t);
        ck_assert_int_eq(week.from_ms, t);
        ck_assert_int_gt(week.until_ms, t);
        ck_assert_int_le(week.until_ms - week.from_ms, 7 * DAY_MS);
        ck_assert_int_le(month.from_ms, week.from_ms);
        ck_assert_int_ge(month.until_ms, week.until_ms);
        ck_assert_int_eq(cj__slice_week(week.until_ms - 1).from_ms, week.from_ms);
        ck_assert_int_eq(cj__slice_month(month.until_ms - 1).from_ms, month.from_ms);
        ck_assert_int_lt(month.until_ms - month.from_ms, INT64_C(1) << 32); /* seal.c */
        t = week.until_ms;
    }
}
END_TEST

HARNESS_MAIN("store_slice", test_store_slice__weeks_of_a_month,
             test_store_slice__february_has_four_weeks_or_a_day_more,
             test_store_slice__no_gaps_no_overlaps)
