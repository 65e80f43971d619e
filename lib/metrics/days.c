/* One zone offset per UTC day.  A day on which the clock changes asks the zone itself;
 * no zone has ever changed its clock twice between two UTC midnights and come back. */
#include "metrics/days.h"

#define DAYS_MS 86400000
#define DAYS_MOST 11000 /* thirty years before the end: what shops have */
#define DAYS_CHANGE INT32_MIN

static int64_t days_floor(int64_t ms)
{
    return ms / DAYS_MS - (ms % DAYS_MS < 0);
}

int32_t cj__days_init(cj__days *d, const cj__allocator *a, const cj__zone *zone,
                      int64_t from_ms, int64_t until_ms)
{
    int64_t last = days_floor(until_ms), offset;

    *d = (cj__days){.allocator = a, .zone = zone, .first = last - DAYS_MOST + 1};
    if (days_floor(from_ms) > d->first)
        d->first = from_ms < until_ms ? days_floor(from_ms) : last;
    d->n = last - d->first + 1;
    d->offset_ms = cj__alloc(a, (size_t)d->n * sizeof *d->offset_ms);
    if (d->offset_ms == NULL)
        return CJ_ENOMEM;
    offset = cj__zone_offset_ms(zone, d->first * DAYS_MS);
    for (int64_t i = 0; i < d->n; i++) {
        int64_t next = cj__zone_offset_ms(zone, (d->first + i + 1) * DAYS_MS);

        d->offset_ms[i] = next == offset ? (int32_t)offset : DAYS_CHANGE;
        offset = next;
    }
    return CJ_OK;
}

void cj__days_end(cj__days *d)
{
    if (d->offset_ms != NULL)
        cj__free(d->allocator, d->offset_ms, (size_t)d->n * sizeof *d->offset_ms);
    d->offset_ms = NULL;
    d->n = 0;
}

int64_t cj__days_local(const cj__days *d, int64_t utc_ms)
{
    int64_t at = days_floor(utc_ms) - d->first;

    if (at < 0 || at >= d->n || d->offset_ms[at] == DAYS_CHANGE)
        return cj__zone_day(d->zone, utc_ms);
    return days_floor(utc_ms + d->offset_ms[at]);
}
