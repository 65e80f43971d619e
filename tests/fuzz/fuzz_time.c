/* Any bytes as a time: what is read, written out and read again is the same instant. */
#include "base/time.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int64_t day_ms = 86400000, year_9999_ms = INT64_C(253402300800000);
    int64_t ms = 0, again = 0;
    cj__zone *zone = NULL;
    char text[25];
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    if (cj__zone_open(&cx.allocator, "Europe/London", &zone) != CJ_OK)
        abort();
    if (cj__time_parse((const char *)data, n, zone, &ms) == 0 && ms >= 0 &&
        ms < year_9999_ms) {
        cj__time_format(ms, text);
        if (cj__time_parse(text, 24, zone, &again) != 0 || again != ms)
            abort();
        if (llabs(cj__zone_offset_ms(zone, ms)) > day_ms)
            abort();
    }
    cj__zone_end(zone);
    return 0;
}
