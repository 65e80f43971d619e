/* Local dates of many instants: the zone's rules looked up once per day instead of once
 * per event.  Read only after it is made, so threads may share it.  Private to room
 * metrics. */
#ifndef CJ__METRICS_DAYS_H
#define CJ__METRICS_DAYS_H

#include "base/time.h"

typedef struct cj__days {
    const cj__allocator *allocator;
    const cj__zone *zone;
    int64_t first, n;   /* UTC days since 1970 */
    int32_t *offset_ms; /* local - UTC all day long, or DAYS_CHANGE */
} cj__days;

/* For instants in [from, until); others are right too, only slower. */
int32_t cj__days_init(cj__days *d, const cj__allocator *a, const cj__zone *zone,
                      int64_t from_ms, int64_t until_ms);
void cj__days_end(cj__days *d); /* a zeroed one is fine */

/* Days since 1970-01-01 of the local date, as cj__zone_day. */
int64_t cj__days_local(const cj__days *d, int64_t utc_ms);

#endif
