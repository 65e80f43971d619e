/* Segments over everybody: one scan, all segments side by side.  Private to room
 * segment. */
#ifndef CJ__SEGMENT_EVERYONE_H
#define CJ__SEGMENT_EVERYONE_H

#include "scan/scan.h"
#include "segment/runner.h"

typedef struct cj__everyone {
    cj_db *db;
    cj__reader *reader;
    const cj__set *set;
    int64_t now_ms;
    int64_t give_up_ms; /* by the host's clock: CJ_ELIMIT after that; 0: never */
    uint32_t profile;   /* 0: everybody */
    int32_t threads, momentary;
    cj_progress_fn progress;
    void *progress_user;
    /* Called for each profile, in any thread, with a runner that is turned to it;
     * appends to partial what it wants to keep.  Partials come in order of profiles. */
    int32_t (*visit)(const struct cj__everyone *e, cj__runner *r, cj__str *partial);
    void *user;      /* of visit; shared by all threads */
    cj__str partial; /* out; cj__str_end it */
} cj__everyone;

int32_t cj__everyone_run(cj__everyone *e);

#endif
