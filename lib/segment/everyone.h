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
    int32_t members_only; /* 1: visit keeps nothing of who is not in item `root` */
    uint32_t root;
    const uint64_t *profiles; /* a bit for each that may be in it; NULL: anybody */
    const uint64_t *some;     /* when they are few: profile << 32 | node, ascending */
    int64_t n_some;
    int32_t nobody;         /* 1: nobody may be in it */
    uint32_t columns;       /* CJ__COL_* of all events; 0: what the segments look at */
    const cj__text *traits; /* known of too, beside what the segments look at */
    size_t n_traits;
    cj_progress_fn progress;
    void *progress_user;
    /* Called for each profile, in any thread, with a runner that is turned to it;
     * appends to partial what it wants to keep.  Partials come in order of profiles. */
    int32_t (*visit)(const struct cj__everyone *e, cj__runner *r, cj__str *partial);
    void *user;      /* of visit; shared by all threads */
    cj__str partial; /* out; cj__str_end it */
} cj__everyone;

/* The scan for what segments need. */
cj__scan_options cj__everyone_scan(const cj__everyone *e, const cj__needs *needs);

int32_t cj__everyone_run(cj__everyone *e);

/* A bit for each of n profiles (uint32_t, wherever they lie), in the arena. */
int32_t cj__everyone_bits(const cj__everyone *e, const void *profiles, size_t n,
                          cj__arena *arena, uint64_t **bits_out);

/* Who may be in item `root` at e->now_ms, by a clause that is quicker to ask than the
 * whole: e->profiles, and e->some, in the arena; as they are when no clause is. */
int32_t cj__candidates(cj__everyone *e, cj__runner *r, cj__arena *arena);

#endif
