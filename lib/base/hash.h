/* Hashes (XXH3, whose output is stable and may be stored) and open-addressing maps. */
#ifndef CJ__BASE_HASH_H
#define CJ__BASE_HASH_H

#include "base/alloc.h"

uint64_t cj__hash64(uint64_t seed, const void *bytes, size_t n);
typedef struct cj__hash128 {
    uint64_t low, high;
} cj__hash128;
cj__hash128 cj__hash_128(uint64_t seed, const void *bytes, size_t n);
uint64_t cj__random_seed(void); /* from the operating system; for in-memory tables */

/* uint64 -> uint64.  Any key is allowed. */
typedef struct cj__map {
    const cj__allocator *allocator;
    uint64_t *slots; /* capacity pairs of key and value, then capacity/8 used-bits */
    size_t n, capacity;
    uint64_t seed;
} cj__map;

void cj__map_init(cj__map *m, const cj__allocator *a);
int cj__map_get(const cj__map *m, uint64_t key, uint64_t *value_out); /* 1: found */
int32_t cj__map_put(cj__map *m, uint64_t key, uint64_t value); /* replaces; CJ_ENOMEM */
void cj__map_clear(cj__map *m);                                /* empty, keeps memory */
void cj__map_end(cj__map *m);

#endif
