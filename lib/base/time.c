/* The calendar and times as text.  Pure arithmetic on the proleptic Gregorian calendar;
 * zones are in zone.c.  Invariant: what is not clearly a time is refused, not guessed.
 */
#include "base/time.h"

#include <string.h>

enum { DAY_MS = 86400000 };

/* ---- calendar ------------------------------------------------------------------- */

/* Years begin in March here, so that the leap day is the last of its year; 400 years
 * are an era of 146,097 days (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */

static int64_t time_floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

int64_t cj__civil_to_day(int64_t year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = time_floor_divide(y, 400);
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year =
        (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void cj__day_to_civil(int64_t day, int64_t *year, int *month, int *date)
{
    const int64_t z = day + 719468;
    const int64_t era = time_floor_divide(z, 146097);
    const int64_t day_of_era = z - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
        365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int from_march = (int)((5 * day_of_year + 2) / 153);

    *date = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

/* ---- reading -------------------------------------------------------------------- */

typedef struct time_reader {
    const char *text;
    size_t n, at;
} time_reader;

static int time_is_digit(const time_reader *r, size_t at)
{
    return at < r->n && r->text[at] >= '0' && r->text[at] <= '9';
}

/* Exactly `digits` digits; -1 when there are fewer. */
static int time_read_digits(time_reader *r, int digits)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        if (!time_is_digit(r, r->at))
            return -1;
        value = value * 10 + (r->text[r->at++] - '0');
    }
    return value;
}

static int time_take(time_reader *r, const char *any_of)
{
    if (r->at >= r->n || r->text[r->at] == '\0' ||
        strchr(any_of, r->text[r->at]) == NULL)
        return 0;
    r->at++;
    return 1;
}

static int time_read_date(time_reader *r, int64_t *day)
{
    int64_t year;
    int month, date, month_back, date_back;

    year = time_read_digits(r, 4);
    if (year < 0 || !time_take(r, "-"))
        return -1;
    month = time_read_digits(r, 2);
    if (month < 1 || month > 12 || !time_take(r, "-"))
        return -1;
    date = time_read_digits(r, 2);
    if (date < 1 || date > 31)
        return -1;
    *day = cj__civil_to_day(year, month, date);
    cj__day_to_civil(*day, &year, &month_back, &date_back);
    return date_back == date ? 0 : -1; /* there is no 30 February */
}

/* ".123456": milliseconds; what is finer is cut off. */
static int time_read_fraction(time_reader *r, int64_t *ms)
{
    int64_t scale = 100;

    if (!time_is_digit(r, r->at))
        return -1;
    for (; time_is_digit(r, r->at); r->at++, scale /= 10)
        *ms += (r->text[r->at] - '0') * scale;
    return 0;
}

/* "12:50", "8:26:00", "12:50:00.5" */
static int time_read_clock(time_reader *r, int64_t *ms)
{
    const int hour_digits = time_is_digit(r, r->at + 1) ? 2 : 1;
    const int hour = time_read_digits(r, hour_digits);
    int minute, second = 0;

    if (hour < 0 || hour > 23 || !time_take(r, ":"))
        return -1;
    minute = time_read_digits(r, 2);
    if (minute < 0 || minute > 59)
        return -1;
    if (time_take(r, ":")) {
        second = time_read_digits(r, 2);
        if (second < 0 || second > 60) /* a leap second is the next minute's first */
            return -1;
    }
    *ms = ((int64_t)hour * 3600 + minute * 60 + second) * 1000;
    if (time_take(r, ".,"))
        return time_read_fraction(r, ms);
    return 0;
}

/* "Z", "UTC", "+01:00", "-0500", "+01", also after a blank.  *has 0: none was there. */
static int time_read_offset(time_reader *r, int64_t *ms, int *has)
{
    int hour, minute = 0, negative;

    *has = 0;
    *ms = 0;
    if (r->at == r->n)
        return 0;
    *has = 1;
    time_take(r, " ");
    if (r->n - r->at == 3 && memcmp(r->text + r->at, "UTC", 3) == 0) {
        r->at = r->n;
        return 0;
    }
    if (time_take(r, "Zz"))
        return 0;
    negative = r->at < r->n && r->text[r->at] == '-';
    if (!time_take(r, "+-"))
        return -1;
    hour = time_read_digits(r, 2);
    if (hour < 0 || hour > 23)
        return -1;
    if (time_take(r, ":") || r->at < r->n)
        minute = time_read_digits(r, 2);
    if (minute < 0 || minute > 59)
        return -1;
    *ms = ((int64_t)hour * 60 + minute) * 60000 * (negative ? -1 : 1);
    return 0;
}

/* Seconds up to 11 digits (the year 5138), milliseconds up to 13 (2286): more digits
 * are microseconds or a date without dashes, which nobody should guess. */
static int time_read_number(const time_reader *r, int64_t *ms_out)
{
    int64_t value = 0;

    if (r->n == 0 || r->n > 13)
        return -1;
    for (size_t i = 0; i < r->n; i++) {
        if (!time_is_digit(r, i))
            return -1;
        value = value * 10 + (r->text[i] - '0');
    }
    *ms_out = r->n <= 11 ? value * 1000 : value;
    return 0;
}

int cj__time_parse(const char *text, size_t n, const cj__zone *zone, int64_t *ms_out)
{
    time_reader r = {text, n, 0};
    int64_t day, clock = 0, offset = 0;
    int has_offset = 0;

    if (time_read_number(&r, ms_out) == 0)
        return 0;
    if (time_read_date(&r, &day) != 0)
        return -1;
    if (r.at < n) {
        if (!time_take(&r, "Tt ") || time_read_clock(&r, &clock) != 0 ||
            time_read_offset(&r, &offset, &has_offset) != 0 || r.at < n)
            return -1;
    }
    clock += day * DAY_MS;
    *ms_out = has_offset ? clock - offset : cj__zone_to_utc(zone, clock);
    return 0;
}

/* ---- writing -------------------------------------------------------------------- */

static char *time_put(char *to, int64_t value, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    to[digits] = after;
    return to + digits + 1;
}

/* Four digits of year are all there is room for; what is outside is shown as the end.
 */
void cj__time_format(int64_t utc_ms, char *to)
{
    const int64_t first = cj__civil_to_day(0, 1, 1) * DAY_MS;
    const int64_t last = cj__civil_to_day(10000, 1, 1) * DAY_MS - 1;
    const int64_t ms = utc_ms < first ? first : utc_ms > last ? last : utc_ms;
    const int64_t day = time_floor_divide(ms, DAY_MS);
    const int64_t clock = ms - day * DAY_MS;
    int64_t year;
    int month, date;

    cj__day_to_civil(day, &year, &month, &date);
    to = time_put(to, year, 4, '-');
    to = time_put(to, month, 2, '-');
    to = time_put(to, date, 2, 'T');
    to = time_put(to, clock / 3600000, 2, ':');
    to = time_put(to, clock / 60000 % 60, 2, ':');
    to = time_put(to, clock / 1000 % 60, 2, '.');
    to = time_put(to, clock % 1000, 3, 'Z');
    *to = '\0';
}
