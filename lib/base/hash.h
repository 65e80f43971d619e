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
    uint64_t *slots; /* capacity pairs of key and value; key 0: empty */
    size_t n, capacity;
    uint64_t seed;
    uint64_t zero; /* the value of key 0, which no slot can hold */
    int has_zero;
} cj__map;

void cj__map_init(cj__map *m, const cj__allocator *a);
int cj__map_get(const cj__map *m, uint64_t key, uint64_t *value_out); /* 1: found */
int32_t cj__map_put(cj__map *m, uint64_t key, uint64_t value); /* replaces; CJ_ENOMEM */
void cj__map_clear(cj__map *m);                                /* empty, keeps memory */
void cj__map_end(cj__map *m);
/* A get or put of this key follows soon: ask for its memory now. */
void cj__map_expect(const cj__map *m, uint64_t key);

/* Texts -> ids from 1.  96 bits of a hash keyed by a secret stand for the text: among
 * 10^8 of them two are alike with probability 6e-14, and nobody outside can aim. */
typedef struct cj__key {
    uint64_t hash;
    uint32_t hash2;
    uint32_t id; /* 0: not known; in a slot: empty */
} cj__key;

typedef struct cj__keys {
    const cj__allocator *allocator;
    cj__key *slots;
    size_t n, capacity;
} cj__keys;

cj__key cj__key_of(uint64_t secret, const void *bytes, size_t n); /* id is 0 */
void cj__keys_init(cj__keys *k, const cj__allocator *a);
uint32_t cj__keys_get(const cj__keys *k, cj__key key); /* 0: not found */
int32_t cj__keys_put(cj__keys *k, cj__key key);        /* keeps what is there */
void cj__keys_clear(cj__keys *k);
void cj__keys_end(cj__keys *k);
void cj__keys_expect(const cj__keys *k, cj__key key);

#endif
