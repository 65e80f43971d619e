/* POSIX TZ texts (IEEE 1003.1, section 8.3, with RFC 8536's wider hours).  The text
 * comes from a file: every number is bounded as it is read. */
#include "base/zone_rule.h"

#include "base/time.h"

#include <string.h>

typedef struct rule_reader {
    const char *at, *end;
} rule_reader;

static int rule_peek(const rule_reader *r)
{
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static int rule_take(rule_reader *r, int c)
{
    if (rule_peek(r) != c)
        return 0;
    r->at++;
    return 1;
}

/* A number of 1 to 3 digits within [least, most]; -1: none. */
static int rule_number(rule_reader *r, int least, int most)
{
    int value = 0, digits = 0;

    while (rule_peek(r) >= '0' && rule_peek(r) <= '9' && digits < 3) {
        value = value * 10 + (rule_peek(r) - '0');
        r->at++;
        digits++;
    }
    return digits > 0 && value >= least && value <= most ? value : -1;
}

static int rule_is_letter(int c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "CET" or "<+0330>": not kept. */
static int rule_skip_name(rule_reader *r)
{
    const int quoted = rule_take(r, '<');
    int n = 0;

    for (; r->at < r->end; r->at++, n++) {
        const int c = rule_peek(r);

        if (!rule_is_letter(c) &&
            !(quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-')))
            break;
    }
    if (quoted && !rule_take(r, '>'))
        return -1;
    return n >= 3 ? 0 : -1;
}

/* "[+-]h[h[h]][:mm[:ss]]" */
static int rule_clock(rule_reader *r, int most_hours, int32_t *seconds)
{
    int negative = 0, hours, part;

    if (!rule_take(r, '+'))
        negative = rule_take(r, '-');
    hours = rule_number(r, 0, most_hours);
    if (hours < 0)
        return -1;
    *seconds = hours * 3600;
    for (int32_t unit = 60; unit >= 1 && rule_take(r, ':'); unit /= 60) {
        part = rule_number(r, 0, 59);
        if (part < 0)
            return -1;
        *seconds += part * unit;
    }
    if (negative)
        *seconds = -*seconds;
    return 0;
}

/* Offsets are written the other way round: "CET-1" is east of Greenwich. */
static int rule_offset(rule_reader *r, int32_t *offset)
{
    int32_t west;

    if (rule_clock(r, 24, &west) != 0)
        return -1;
    *offset = -west;
    return 0;
}

static int rule_moment_day(rule_reader *r, cj__zone_moment *m)
{
    m->kind = 'n';
    if (rule_take(r, 'M')) {
        m->kind = 'M';
        m->month = rule_number(r, 1, 12);
        if (m->month < 0 || !rule_take(r, '.'))
            return -1;
        m->week = rule_number(r, 1, 5);
        if (m->week < 0 || !rule_take(r, '.'))
            return -1;
        m->day = rule_number(r, 0, 6);
    } else if (rule_take(r, 'J')) {
        m->kind = 'J';
        m->day = rule_number(r, 1, 365);
    } else {
        m->day = rule_number(r, 0, 365);
    }
    return m->day >= 0 ? 0 : -1;
}

/* ",M3.5.0/2" */
static int rule_moment(rule_reader *r, cj__zone_moment *m)
{
    if (!rule_take(r, ',') || rule_moment_day(r, m) != 0)
        return -1;
    m->seconds = 2 * 3600;
    return rule_take(r, '/') ? rule_clock(r, 167, &m->seconds) : 0;
}

int cj__zone_rule_parse(const char *text, size_t n, cj__zone_rule *out)
{
    rule_reader r = {text, text + n};

    memset(out, 0, sizeof *out);
    if (rule_skip_name(&r) != 0 || rule_offset(&r, &out->standard) != 0)
        return -1;
    if (r.at == r.end)
        return 0;
    out->has_daylight = 1;
    out->daylight = out->standard + 3600;
    if (rule_skip_name(&r) != 0)
        return -1;
    if (rule_peek(&r) != ',' && rule_offset(&r, &out->daylight) != 0)
        return -1;
    if (rule_moment(&r, &out->start) != 0 || rule_moment(&r, &out->end) != 0)
        return -1;
    return r.at == r.end ? 0 : -1;
}

/* ---- years ---------------------------------------------------------------------- */

static int rule_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t rule_floor_modulo(int64_t a, int64_t b)
{
    return (a % b + b) % b;
}

/* Day since 1970 on which a moment's rule falls in a year. */
static int64_t rule_day(const cj__zone_moment *m, int64_t year)
{
    const int64_t new_year = cj__civil_to_day(year, 1, 1);
    int64_t first, next_month, day;

    if (m->kind == 'n')
        return new_year + m->day;
    if (m->kind == 'J') /* J60 is 1 March in every year */
        return new_year + m->day - 1 + (rule_is_leap(year) && m->day >= 60 ? 1 : 0);
    first = cj__civil_to_day(year, m->month, 1);
    next_month = m->month == 12 ? cj__civil_to_day(year + 1, 1, 1)
                                : cj__civil_to_day(year, m->month + 1, 1);
    /* 1970-01-01 was a Thursday */
    day = first + rule_floor_modulo(m->day - (first + 4), 7) + 7 * (m->week - 1);
    return day < next_month ? day
                            : day - 7; /* week 5 is the last, even if it is the 4th */
}

void cj__zone_rule_changes(const cj__zone_rule *rule, int64_t year,
                           cj__zone_change out[2])
{
    const cj__zone_change start = {rule_day(&rule->start, year) * 86400 +
                                       rule->start.seconds - rule->standard,
                                   rule->standard, rule->daylight};
    const cj__zone_change end = {rule_day(&rule->end, year) * 86400 +
                                     rule->end.seconds - rule->daylight,
                                 rule->daylight, rule->standard};

    out[0] = start.at <= end.at ? start : end;
    out[1] = start.at <= end.at ? end : start;
}
