/* The rule that says how a zone goes on after its last recorded transition: the POSIX
 * TZ text in the footer of a TZif file.  Only zone.c and zone_rule.c know it. */
#ifndef CJ__BASE_ZONE_RULE_H
#define CJ__BASE_ZONE_RULE_H

#include <stddef.h>
#include <stdint.h>

/* A moment of each year, in local time. */
typedef struct cj__zone_moment {
    char kind; /* 'M' month-week-weekday, 'J' 1..365 without leap day, 'n' 0..365 */
    int month, week, day; /* day: weekday from Sunday 0, or the number of J and n */
    int32_t seconds;      /* after that day's midnight; -167 to 167 hours */
} cj__zone_moment;

typedef struct cj__zone_rule {
    int32_t standard, daylight; /* seconds, local - UTC */
    int has_daylight;
    cj__zone_moment start,
        end; /* of daylight time; start in standard time, end in it */
} cj__zone_rule;

/* Parse a text such as "CET-1CEST,M3.5.0,M10.5.0/3".  0, or -1. */
int cj__zone_rule_parse(const char *text, size_t n, cj__zone_rule *out);

/* One change of the offset. */
typedef struct cj__zone_change {
    int64_t at;            /* seconds UTC */
    int32_t before, after; /* offsets */
} cj__zone_change;

/* The two changes of a year (of which has_daylight is set), in order of time. */
void cj__zone_rule_changes(const cj__zone_rule *rule, int64_t year,
                           cj__zone_change out[2]);

#endif
