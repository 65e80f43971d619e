/* The grid of time slices, in UTC: a month, cut into weeks of seven days from its first
 * (1-7, 8-14, 15-21, 22-28, 29-end), so that weeks nest in months. */
#include "store/internal.h"

#define SLICE_DAY_MS 86400000

static int64_t slice_day(int64_t time_ms)
{
    return time_ms >= 0 ? time_ms / SLICE_DAY_MS
                        : -((-time_ms + SLICE_DAY_MS - 1) / SLICE_DAY_MS);
}

cj__slice cj__slice_month(int64_t time_ms)
{
    int64_t year, day = slice_day(time_ms);
    int month, date;
    cj__slice s;

    cj__day_to_civil(day, &year, &month, &date);
    s.from_ms = (day - date + 1) * SLICE_DAY_MS;
    s.until_ms = month == 12 ? cj__civil_to_day(year + 1, 1, 1)
                             : cj__civil_to_day(year, month + 1, 1);
    s.until_ms *= SLICE_DAY_MS;
    return s;
}

cj__slice cj__slice_week(int64_t time_ms)
{
    cj__slice month = cj__slice_month(time_ms), s;
    int64_t week = (time_ms - month.from_ms) / (7 * (int64_t)SLICE_DAY_MS);

    s.from_ms = month.from_ms + week * 7 * SLICE_DAY_MS;
    s.until_ms = s.from_ms + 7 * (int64_t)SLICE_DAY_MS;
    if (s.until_ms > month.until_ms)
        s.until_ms = month.until_ms;
    return s;
}
