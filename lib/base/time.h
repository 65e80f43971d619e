/* Calendar time.  A zone is read from the system's zoneinfo (TZif 2+, with the POSIX
 * rule of its footer for later years); instants are ms since 1970 UTC. */
#ifndef CJ__BASE_TIME_H
#define CJ__BASE_TIME_H

#include "base/alloc.h"

typedef struct cj__zone cj__zone;

/* name: an IANA name ("UTC" needs no file).  Looks in $TZDIR, then /usr/share/zoneinfo.
 * Errors: CJ_EINVAL for names that are absolute, hold "..", or do not exist. */
int32_t cj__zone_open(const cj__allocator *a, const char *name, cj__zone **out);
void cj__zone_end(cj__zone *zone); /* NULL is fine */

int64_t cj__zone_offset_ms(const cj__zone *zone, int64_t utc_ms); /* local - UTC */

/* Local wall time (as if it were UTC) to an instant: in a gap the later reading (the
 * clock moved forward past it), in an overlap the earlier instant. */
int64_t cj__zone_to_utc(const cj__zone *zone, int64_t local_ms);

/* Days since 1970-01-01 of the local date at an instant. */
int64_t cj__zone_day(const cj__zone *zone, int64_t utc_ms);
/* The instant at which a local date begins. */
int64_t cj__zone_day_start(const cj__zone *zone, int64_t day);

int64_t cj__civil_to_day(int64_t year, int month, int day); /* proleptic Gregorian */
void cj__day_to_civil(int64_t day, int64_t *year, int *month, int *date);

/* ISO 8601 / RFC 3339 and what shops write: "2011-12-09", "2011-12-09 12:50",
 * "2011-12-09T12:50:00.123Z", "...+01:00", or whole digits: seconds (up to 11 digits)
 * or milliseconds.  Without an offset it is local to zone.  0; -1: not a time. */
int cj__time_parse(const char *text, size_t n, const cj__zone *zone, int64_t *ms_out);

/* "2011-12-09T12:50:00.123Z" (24 characters and a NUL) into to[25]. */
void cj__time_format(int64_t utc_ms, char *to);

#endif
