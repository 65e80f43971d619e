/* What is known of profiles besides their events: traits with history, identifiers,
 * shared devices, static lists.  Loaded for everybody or for one, as far as the
 * segments at hand read it; then shared by all threads.  Private to room segment. */
#ifndef CJ__SEGMENT_KNOWN_H
#define CJ__SEGMENT_KNOWN_H

#include "segment/eval.h"
#include "segment/set.h"
#include "store/reader.h"

typedef struct cj__known {
    cj__arena arena;
    uint32_t only; /* 0: everybody */
    const uint32_t *profile_of;
    uint32_t n_nodes;
    size_t n_slots; /* by profile; of one: 1 */
    cj__fact_trait *traits;
    size_t n_traits, traits_capacity;
    uint32_t *starts; /* of each slot's traits, and the end; NULL: none are read */
    uint32_t (*identifiers)[9]; /* NULL: not read */
    uint8_t *shared;
    uint8_t **lists; /* by the set's lists, then by slot */
} cj__known;

/* names: the traits that are read, n of them. */
int32_t cj__known_load(cj__known *k, cj__reader *reader, const cj__set *set,
                       const cj__text *names, size_t n_names, uint32_t only);
void cj__known_end(cj__known *k); /* a zeroed one is fine */

/* A profile's part of facts: all but its events and members. */
void cj__known_facts(const cj__known *k, uint32_t profile, cj__facts *facts);
/* 1: on the set's list number `list`. */
int8_t cj__known_on_list(const cj__known *k, size_t list, uint32_t profile);

#endif
