/* A segment taken apart: the whole, the clauses of its `and` or `or`, theirs, and so
 * on, in the order of the text.  Each is a segment of its own in the same set, so that
 * all that can be asked of segments can be asked of clauses.  Private to room segment.
 */
#ifndef CJ__SEGMENT_CLAUSES_H
#define CJ__SEGMENT_CLAUSES_H

#include "segment/ask.h"

typedef struct cj__clause {
    uint32_t item;            /* of the set */
    uint32_t parent;          /* the clause it is in; of the whole: itself */
    int32_t depth;            /* of the whole: 0 */
    int32_t logic;            /* CJ__SEG_AND, _OR, _NOT when it has clauses; else 0 */
    const cj__seg_node *node; /* the root of the item's own tree */
    cj__text text;            /* canonical */
} cj__clause;

typedef struct cj__clauses {
    cj__clause *all; /* in the set's arena */
    uint32_t n;
} cj__clauses;

int32_t cj__clauses_of(cj__ask *a, uint32_t item, cj__clauses *out);

/* What an item of a set needs, with all that it leads to, each counted once. */
typedef struct cj__reads {
    cj__needs needs;
    int64_t cost_ns; /* by what functions declare, for a usual profile */
    cj__str text;    /* "events: time, name; traits: country"; the caller ends it */
} cj__reads;

int32_t cj__reads_of(const cj__runner *r, uint32_t item, int64_t now_ms,
                     cj__reads *out);

#endif
