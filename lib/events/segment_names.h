/* The names of Segment's e-commerce spec, v2, and what we call them. */
#ifndef CJ__EVENTS_SEGMENT_NAMES_H
#define CJ__EVENTS_SEGMENT_NAMES_H

#include <stddef.h>

typedef struct cj__segment_pair {
    const char *theirs, *ours;
} cj__segment_pair;

/* Our name of a track event (ASCII case is ignored), or NULL: it keeps its own. Static.
 */
const char *cj__segment_name(const char *event);

/* The i-th row of the table, NULL after the last; for tests and documents. */
const cj__segment_pair *cj__segment_pair_at(size_t i);

#endif
