/* See kept.h.  A list from the newest to the oldest, and chains of a hash table through
 * the same entries.  What somebody holds is passed over when room is made, so the limit
 * may be exceeded by a block per thread. */
#include "store/kept.h"

#include "store/internal.h"

#include <string.h>

void cj__kept_init(cj__kept *k, const cj__allocator *a, size_t max_bytes,
                   int part_shift)
{
    memset(k, 0, sizeof *k);
    k->allocator = a;
    k->max_bytes = max_bytes;
    k->part_shift = part_shift;
    (void)pthread_mutex_init(&k->lock, NULL);
}

static size_t kept_bytes(const cj__kept_block *b)
{
    return sizeof *b + b->n;
}

static cj__kept_block **kept_bucket(cj__kept *k, int64_t id)
{
    /* Fibonacci hashing: the low bits of ids, counted up within a part, would do, but
     * blocks of different parts would meet. */
    const uint64_t mixed = (uint64_t)id * 0x9E3779B97F4A7C15u;

    return &k->buckets[mixed >> (64 - CJ__KEPT_BUCKET_BITS)];
}

static void kept_unlink(cj__kept *k, cj__kept_block *b)
{
    *(b->newer != NULL ? &b->newer->older : &k->newest) = b->older;
    *(b->older != NULL ? &b->older->newer : &k->oldest) = b->newer;
    b->newer = b->older = NULL;
}

static void kept_link(cj__kept *k, cj__kept_block *b)
{
    b->older = k->newest;
    *(k->newest != NULL ? &k->newest->newer : &k->oldest) = b;
    k->newest = b;
}

static cj__kept_block *kept_find(cj__kept *k, int64_t id)
{
    cj__kept_block *b = *kept_bucket(k, id);

    while (b != NULL && b->id != id)
        b = b->next;
    return b;
}

/* Nobody holds it. */
static void kept_remove(cj__kept *k, cj__kept_block *b)
{
    cj__kept_block **at = kept_bucket(k, b->id);

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    kept_unlink(k, b);
    k->bytes -= kept_bytes(b);
    cj__free(k->allocator, b, kept_bytes(b));
}

static void kept_make_room(cj__kept *k)
{
    cj__kept_block *b = k->oldest;

    while (b != NULL && k->bytes > k->max_bytes) {
        cj__kept_block *newer = b->newer;

        if (b->n_holders == 0)
            kept_remove(k, b);
        b = newer;
    }
}

void cj__kept_end(cj__kept *k)
{
    if (k->allocator == NULL)
        return;
    while (k->oldest != NULL)
        kept_remove(k, k->oldest);
    (void)pthread_mutex_destroy(&k->lock);
    k->allocator = NULL;
}

cj__kept_block *cj__kept_get(cj__kept *k, int64_t id)
{
    cj__kept_block *b;

    (void)pthread_mutex_lock(&k->lock);
    b = kept_find(k, id);
    if (b != NULL) {
        b->n_holders++;
        kept_unlink(k, b);
        kept_link(k, b);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return b;
}

cj__kept_block *cj__kept_new(const cj__kept *k, int64_t id, size_t n)
{
    cj__kept_block *b = cj__alloc(k->allocator, sizeof *b + n);

    if (b == NULL)
        return NULL;
    memset(b, 0, sizeof *b);
    b->id = id;
    b->n = n;
    return b;
}

cj__kept_block *cj__kept_put(cj__kept *k, cj__kept_block *b)
{
    cj__kept_block *there;

    (void)pthread_mutex_lock(&k->lock);
    there = kept_find(k, b->id);
    if (there != NULL) {
        cj__kept_drop(k, b);
        b = there;
    } else {
        cj__kept_block **bucket = kept_bucket(k, b->id);

        b->next = *bucket;
        *bucket = b;
        kept_link(k, b);
        k->bytes += kept_bytes(b);
    }
    b->n_holders++;
    kept_make_room(k);
    (void)pthread_mutex_unlock(&k->lock);
    return b;
}

void cj__kept_drop(const cj__kept *k, cj__kept_block *b)
{
    cj__free(k->allocator, b, b == NULL ? 0 : kept_bytes(b));
}

void cj__kept_let_go(cj__kept *k, cj__kept_block *b)
{
    if (b == NULL)
        return;
    (void)pthread_mutex_lock(&k->lock);
    b->n_holders--;
    (void)pthread_mutex_unlock(&k->lock);
}

static int kept_is_among(int64_t part, const int64_t *parts, size_t n)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (parts[middle] < part)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && parts[low] == part;
}

void cj__kept_only(cj__kept *k, const int64_t *parts, size_t n)
{
    cj__kept_block *older;

    (void)pthread_mutex_lock(&k->lock);
    for (cj__kept_block *b = k->newest; b != NULL; b = older) {
        older = b->older;
        if (b->n_holders == 0 && !kept_is_among(b->id >> k->part_shift, parts, n))
            kept_remove(k, b);
    }
    (void)pthread_mutex_unlock(&k->lock);
}
