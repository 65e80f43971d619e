/* A set of 64-bit keys with a number each, made anew for every use: open addressing in
 * scratch that is kept.  Clearing costs what this use needs, not what the largest one
 * ever needed. */
#include "segment/program.h"

#include <string.h>

typedef struct keys_slot {
    uint64_t key; /* 0: free */
    int64_t value;
} keys_slot;

int32_t cj__keys_begin(cj__program *p, size_t n)
{
    size_t slots = 16;
    int32_t rc;

    while (slots < n * 2)
        slots *= 2;
    CJ_TRY(cj__buffer_need(p, &p->keys, slots, sizeof(keys_slot)));
    memset(p->keys.data, 0, slots * sizeof(keys_slot));
    p->keys_mask = slots - 1;
out:
    return rc;
}

/* The finaliser of MurmurHash3: term ids are small and dense, keys of numbers too;
 * the seed keeps those who choose order ids from choosing where they collide. */
int64_t *cj__keys_at(cj__program *p, uint64_t key)
{
    keys_slot *slots = p->keys.data;
    uint64_t h = key ^ p->keys_seed;
    size_t at;

    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCDull;
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53ull;
    at = (size_t)(h ^ (h >> 33)) & p->keys_mask;
    while (slots[at].key != 0 && slots[at].key != key)
        at = (at + 1) & p->keys_mask;
    slots[at].key = key;
    return &slots[at].value;
}
