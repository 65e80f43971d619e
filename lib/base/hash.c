/* XXH3 and two tables by open addressing with linear probing: a map of uint64 to uint64
 * and one of keyed hashes to ids.  At most 3/4 full, nothing is ever removed, a lookup
 * touches one cache line.  Keys are spread by a secret or a random seed, so nobody
 * outside can choose keys that collide. */
#include "base/hash.h"

#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#if defined(__APPLE__)
#include <sys/random.h>
#endif

enum { MAP_FIRST = 64 }; /* slots; a power of two */

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

/* Slots are 16 bytes in both tables. */
static size_t map_bytes(size_t capacity)
{
    return cj__size_product(capacity, 2 * sizeof(uint64_t));
}

static void map_expect(const void *slot)
{
#if defined(__GNUC__)
    __builtin_prefetch(slot);
#else
    (void)slot;
#endif
}

/* ---- uint64 to uint64 --------------------------------------------------------------
 */

/* The finaliser of MurmurHash3: every bit of the key reaches every bit of the slot. */
static size_t map_home(const cj__map *m, uint64_t key)
{
    uint64_t h = key ^ m->seed;

    h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCDull;
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53ull;
    return (size_t)(h ^ (h >> 33)) & (m->capacity - 1);
}

/* The slot of key, or the empty one where it would go.  key is not 0. */
static uint64_t *map_find(const cj__map *m, uint64_t key)
{
    size_t at = map_home(m, key);

    while (m->slots[2 * at] != key && m->slots[2 * at] != 0)
        at = (at + 1) & (m->capacity - 1);
    return &m->slots[2 * at];
}

static int32_t map_grow(cj__map *m)
{
    cj__map grown = *m;

    grown.capacity = m->capacity == 0 ? MAP_FIRST : m->capacity * 2;
    if (m->capacity == 0)
        grown.seed = cj__random_seed();
    grown.slots = cj__alloc_zero(m->allocator, map_bytes(grown.capacity));
    if (grown.slots == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slots[2 * i] != 0)
            memcpy(map_find(&grown, m->slots[2 * i]), &m->slots[2 * i],
                   2 * sizeof *m->slots);
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
    const uint64_t *slot;

    if (key == 0 || m->capacity == 0) {
        if (key == 0 && m->has_zero)
            *value_out = m->zero;
        return key == 0 && m->has_zero;
    }
    slot = map_find(m, key);
    if (slot[0] == 0)
        return 0;
    *value_out = slot[1];
    return 1;
}

int32_t cj__map_put(cj__map *m, uint64_t key, uint64_t value)
{
    uint64_t *slot = NULL;

    if (key == 0) {
        m->n += !m->has_zero;
        m->has_zero = 1;
        m->zero = value;
        return CJ_OK;
    }
    if (m->capacity > 0)
        slot = map_find(m, key);
    if (slot == NULL || (slot[0] == 0 && m->n >= m->capacity / 4 * 3)) {
        if (map_grow(m) != CJ_OK)
            return CJ_ENOMEM;
        slot = map_find(m, key);
    }
    m->n += slot[0] == 0;
    slot[0] = key;
    slot[1] = value;
    return CJ_OK;
}

void cj__map_expect(const cj__map *m, uint64_t key)
{
    if (m->capacity > 0)
        map_expect(&m->slots[2 * map_home(m, key)]);
}

void cj__map_clear(cj__map *m)
{
    if (m->capacity > 0)
        memset(m->slots, 0, map_bytes(m->capacity));
    m->n = 0;
    m->has_zero = 0;
}

void cj__map_end(cj__map *m)
{
    cj__free(m->allocator, m->slots, map_bytes(m->capacity));
    cj__map_init(m, m->allocator);
}

/* ---- keyed hashes to ids -----------------------------------------------------------
 */

_Static_assert(sizeof(cj__key) == 16, "as map_bytes() counts, and as runs are stored");

cj__key cj__key_of(uint64_t secret, const void *bytes, size_t n)
{
    cj__hash128 h = cj__hash_128(secret, bytes, n);

    return (cj__key){.hash = h.low, .hash2 = (uint32_t)h.high, .id = 0};
}

/* The slot of key, or the empty one where it would go. */
static cj__key *keys_find(const cj__keys *k, cj__key key)
{
    size_t mask = k->capacity - 1, at = key.hash & mask;

    while (k->slots[at].id != 0 &&
           (k->slots[at].hash != key.hash || k->slots[at].hash2 != key.hash2))
        at = (at + 1) & mask;
    return &k->slots[at];
}

static int32_t keys_grow(cj__keys *k)
{
    cj__keys grown = *k;

    grown.capacity = k->capacity == 0 ? MAP_FIRST : k->capacity * 2;
    grown.slots = cj__alloc_zero(k->allocator, map_bytes(grown.capacity));
    if (grown.slots == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < k->capacity; i++)
        if (k->slots[i].id != 0)
            *keys_find(&grown, k->slots[i]) = k->slots[i];
    cj__free(k->allocator, k->slots, map_bytes(k->capacity));
    *k = grown;
    return CJ_OK;
}

void cj__keys_init(cj__keys *k, const cj__allocator *a)
{
    memset(k, 0, sizeof *k);
    k->allocator = a;
}

uint32_t cj__keys_get(const cj__keys *k, cj__key key)
{
    return k->capacity == 0 ? 0 : keys_find(k, key)->id;
}

int32_t cj__keys_put(cj__keys *k, cj__key key)
{
    cj__key *slot = NULL;

    if (k->capacity > 0)
        slot = keys_find(k, key);
    if (slot != NULL && slot->id != 0)
        return CJ_OK;
    if (k->n >= k->capacity / 4 * 3) {
        if (keys_grow(k) != CJ_OK)
            return CJ_ENOMEM;
        slot = keys_find(k, key);
    }
    *slot = key;
    k->n++;
    return CJ_OK;
}

void cj__keys_expect(const cj__keys *k, cj__key key)
{
    if (k->capacity > 0)
        map_expect(&k->slots[key.hash & (k->capacity - 1)]);
}

void cj__keys_clear(cj__keys *k)
{
    if (k->capacity > 0)
        memset(k->slots, 0, map_bytes(k->capacity));
    k->n = 0;
}

void cj__keys_end(cj__keys *k)
{
    cj__free(k->allocator, k->slots, map_bytes(k->capacity));
    cj__keys_init(k, k->allocator);
}
