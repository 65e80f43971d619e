/* XXH3 and a map of uint64 to uint64: open addressing with linear probing, a bit per
 * slot for "used" so that any key is allowed, at most 3/4 full, nothing is ever
 * removed.  The seed is random per map, so nobody outside can choose keys that collide.
 */
#include "base/hash.h"

#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#if defined(__APPLE__)
#include <sys/random.h>
#endif

enum { MAP_FIRST = 64 }; /* slots; a power of two, and a whole word of used-bits */

uint64_t cj__hash64(uint64_t seed, const void *bytes, size_t n)
{
    return XXH3_64bits_withSeed(bytes, n, seed);
}

cj__hash128 cj__hash_128(uint64_t seed, const void *bytes, size_t n)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(bytes, n, seed);
    cj__hash128 out = {h.low64, h.high64};

    return out;
}

uint64_t cj__random_seed(void)
{
    uint64_t seed = 0;
    struct timespec now = {0};

    if (getentropy(&seed, sizeof seed) == 0)
        return seed;
    /* No entropy device (a bare chroot): time and an address are what is left. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    seed = (uint64_t)now.tv_nsec ^ ((uint64_t)now.tv_sec << 30) ^ (uintptr_t)&now;
    return XXH3_64bits(&seed, sizeof seed);
}

static size_t map_bytes(size_t capacity)
{
    size_t slots = cj__size_product(capacity, 2 * sizeof(uint64_t));

    return slots > PTRDIFF_MAX ? SIZE_MAX : slots + capacity / 8;
}

static uint64_t *map_used(const cj__map *m)
{
    return m->slots + 2 * m->capacity;
}

/* The finaliser of MurmurHash3: every bit of the key reaches every bit of the slot. */
static size_t map_home(const cj__map *m, uint64_t key)
{
    uint64_t h = key ^ m->seed;

    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCDull;
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53ull;
    return (size_t)(h ^ (h >> 33)) & (m->capacity - 1);
}

/* The slot of key, or the empty one where it would go. */
static size_t map_find(const cj__map *m, uint64_t key, int *found)
{
    const uint64_t *used = map_used(m);
    size_t at = map_home(m, key);

    while ((used[at / 64] >> (at % 64) & 1) != 0) {
        if (m->slots[2 * at] == key) {
            *found = 1;
            return at;
        }
        at = (at + 1) & (m->capacity - 1);
    }
    *found = 0;
    return at;
}

static void map_set(cj__map *m, size_t at, uint64_t key, uint64_t value)
{
    m->slots[2 * at] = key;
    m->slots[2 * at + 1] = value;
    map_used(m)[at / 64] |= (uint64_t)1 << (at % 64);
}

static int32_t map_grow(cj__map *m)
{
    cj__map grown = *m;
    int found;

    grown.capacity = m->capacity == 0 ? MAP_FIRST : m->capacity * 2;
    if (m->capacity == 0)
        grown.seed = cj__random_seed();
    grown.slots = cj__alloc(m->allocator, map_bytes(grown.capacity));
    if (grown.slots == NULL)
        return CJ_ENOMEM;
    memset(map_used(&grown), 0, grown.capacity / 8);
    for (size_t i = 0; i < m->capacity; i++) {
        if ((map_used(m)[i / 64] >> (i % 64) & 1) != 0)
            map_set(&grown, map_find(&grown, m->slots[2 * i], &found), m->slots[2 * i],
                    m->slots[2 * i + 1]);
    }
    cj__free(m->allocator, m->slots, map_bytes(m->capacity));
    *m = grown;
    return CJ_OK;
}

void cj__map_init(cj__map *m, const cj__allocator *a)
{
    memset(m, 0, sizeof *m);
    m->allocator = a;
}

int cj__map_get(const cj__map *m, uint64_t key, uint64_t *value_out)
{
    int found = 0;
    size_t at;

    if (m->n == 0)
        return 0;
    at = map_find(m, key, &found);
    if (found)
        *value_out = m->slots[2 * at + 1];
    return found;
}

int32_t cj__map_put(cj__map *m, uint64_t key, uint64_t value)
{
    int found = 0;
    size_t at = 0;

    if (m->capacity > 0)
        at = map_find(m, key, &found);
    if (found) {
        m->slots[2 * at + 1] = value;
        return CJ_OK;
    }
    if (m->n >= m->capacity / 4 * 3) {
        if (map_grow(m) != CJ_OK)
            return CJ_ENOMEM;
        at = map_find(m, key, &found);
    }
    map_set(m, at, key, value);
    m->n++;
    return CJ_OK;
}

void cj__map_clear(cj__map *m)
{
    if (m->capacity > 0)
        memset(map_used(m), 0, m->capacity / 8);
    m->n = 0;
}

void cj__map_end(cj__map *m)
{
    cj__free(m->allocator, m->slots, map_bytes(m->capacity));
    m->slots = NULL;
    m->n = m->capacity = 0;
}
