/* What is known of a profile: traits with source, time and history.  The door of room
 * profile.
 *
 * A trait belongs to the node that brought it and never moves; what a profile's trait
 * is at a moment is a fold over its nodes: the newest value (of equal times, the
 * younger node's). So merging and unmerging move no data. */
#ifndef CJ__PROFILE_PROFILE_H
#define CJ__PROFILE_PROFILE_H

#include "store/store.h"

/* Record the members of a checked JSON object as traits of a node; a value that the
 * trait already has at that time adds nothing.  In a write transaction. */
int32_t cj__traits_add(cj_db *db, uint32_t node, cj__text traits, int64_t time_ms,
                       const char *source);

int32_t cj__profile_traits(cj_db *db, int64_t profile, int64_t as_of_ms,
                           cj_table **out);

#endif
