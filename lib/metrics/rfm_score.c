/* Values to scores.  Quantiles and fixed thresholds end in the same few limits, so that
 * scoring is one loop, and equal values cannot be scored apart. */
#include "metrics/rfm.h"

#include <string.h>

#define SCORE_BITS 11       /* 2,048 counters: they stay in L1 */
#define SCORE_BUCKETS 65536 /* at most: they stay in L2 */

int32_t cj__rfm_scale_fixed(cj__rfm_scale *s, const char *name, const int64_t *limits,
                            int64_t n_limits)
{
    if (n_limits < 0 || (n_limits > 0 && limits == NULL))
        return cj__fail(CJ_EINVAL, "%s and n_%s do not belong together", name, name);
    if (n_limits > CJ__RFM_LIMITS)
        return cj__fail(CJ_ELIMIT, "%s holds more than %d thresholds", name,
                        CJ__RFM_LIMITS);
    for (int64_t i = 1; i < n_limits; i++) {
        if (limits[i] <= limits[i - 1])
            return cj__fail(CJ_EINVAL, "%s must ascend: number %lld does not", name,
                            (long long)i + 1);
    }
    s->limits = limits;
    s->n_limits = n_limits;
    s->n_scores = n_limits + 1;
    return CJ_OK;
}

/* ---- quantiles ----------------------------------------------------------------------
 *
 * A value's key is its distance from the worst one.  Keys are counted in buckets of one
 * width.  Where a score begins between two buckets, any limit between their keys does;
 * only the keys of the few buckets in which one begins are sorted.  Days and orders
 * have few values, a bucket each, and nothing to sort. */

typedef struct score_bucket {
    uint32_t n, is_mixed; /* its values have more than one score */
} score_bucket;

typedef struct score_keys {
    cj__rfm_scale *scale;
    const int64_t *values;
    int64_t n;
    uint64_t worst, flip; /* flip: ~0 where less is better */
    score_bucket *buckets;
    uint64_t n_buckets;
    int shift; /* of a key to its bucket */
} score_keys;

static uint64_t key_of(const score_keys *k, int64_t value)
{
    return (((uint64_t)value - k->worst) ^ k->flip) - k->flip;
}

/* Whether a value with so many worse ones has a higher score than the n-th. */
static int key_is_above(const score_keys *k, int64_t n_worse, int64_t score)
{
    return k->scale->n_scores * n_worse >= score * k->n;
}

/* A key enters the scale where it is the first to have a higher score. */
static void key_enter(const score_keys *k, uint64_t key, int64_t n_worse)
{
    cj__rfm_scale *s = k->scale;

    while (key_is_above(k, n_worse, s->n_limits + 1))
        s->own[s->n_limits++] = (int64_t)(((key + k->flip) ^ k->flip) + k->worst);
}

static void keys_measure(score_keys *k)
{
    int64_t low = k->values[0], high = low,
            most = k->n < SCORE_BUCKETS ? k->n : SCORE_BUCKETS;
    uint64_t range;

    for (int64_t i = 0; i < k->n; i++) {
        low = k->values[i] < low ? k->values[i] : low;
        high = k->values[i] > high ? k->values[i] : high;
    }
    k->worst = (uint64_t)(k->flip ? high : low);
    range = (uint64_t)high - (uint64_t)low;
    while (range >> k->shift > (uint64_t)most)
        k->shift++;
    k->n_buckets = (range >> k->shift) + 1;
}

/* Count the keys of each bucket.  Returns how many are in mixed ones. */
static size_t keys_count(score_keys *k)
{
    int64_t n_worse = 0, score = 1;
    size_t n_mixed = 0;

    for (int64_t i = 0; i < k->n; i++)
        k->buckets[key_of(k, k->values[i]) >> k->shift].n++;
    for (uint64_t i = 0; k->shift > 0 && i < k->n_buckets; i++) {
        score_bucket *b = &k->buckets[i];

        while (key_is_above(k, n_worse, score))
            score++;
        b->is_mixed = b->n > 0 && key_is_above(k, n_worse + b->n - 1, score);
        n_mixed += b->is_mixed ? b->n : 0;
        n_worse += b->n;
    }
    return n_mixed;
}

/* Sort by counting digits from the lowest. */
static void keys_sort(uint64_t *keys, uint64_t *spare, size_t n, uint64_t highest)
{
    uint64_t *from = keys, *to = spare, *swap;

    for (int shift = 0; shift < 64 && highest >> shift != 0; shift += SCORE_BITS) {
        size_t start[(1 << SCORE_BITS) + 1] = {0};

        for (size_t i = 0; i < n; i++)
            start[(from[i] >> shift & ((1 << SCORE_BITS) - 1)) + 1]++;
        for (int d = 0; d < 1 << SCORE_BITS; d++)
            start[d + 1] += start[d];
        for (size_t i = 0; i < n; i++)
            to[start[from[i] >> shift & ((1 << SCORE_BITS) - 1)]++] = from[i];
        swap = from;
        from = to;
        to = swap;
    }
    if (from != keys)
        memcpy(keys, from, n * sizeof *keys);
}

/* The keys of mixed buckets, sorted; the array has room for one more. */
static void keys_pick(const score_keys *k, uint64_t *keys, size_t n_mixed)
{
    uint64_t highest = 0;
    size_t n = 0;

    for (int64_t i = 0; i < k->n; i++) {
        keys[n] = key_of(k, k->values[i]);
        n += k->buckets[keys[n] >> k->shift].is_mixed;
    }
    for (size_t i = 0; i < n; i++)
        highest |= keys[i];
    keys_sort(keys, keys + n_mixed + 1, n, highest);
}

static void keys_limits(const score_keys *k, const uint64_t *sorted)
{
    int64_t n_worse = 0;

    for (uint64_t i = 0; i < k->n_buckets; i++) {
        const score_bucket *b = &k->buckets[i];

        if (!b->is_mixed && b->n > 0)
            key_enter(k, i << k->shift, n_worse);
        for (uint32_t j = 0; b->is_mixed && j < b->n; j++, sorted++) {
            if (j == 0 || sorted[0] != sorted[-1])
                key_enter(k, *sorted, n_worse + j);
        }
        n_worse += b->n;
    }
}

static int32_t keys_scale(score_keys *k, const cj__allocator *a)
{
    size_t bucket_bytes, sort_bytes, n_mixed;
    uint64_t *sorted;

    keys_measure(k);
    bucket_bytes = (size_t)k->n_buckets * sizeof *k->buckets;
    k->buckets = cj__alloc_zero(a, bucket_bytes);
    if (k->buckets == NULL)
        return CJ_ENOMEM;
    n_mixed = keys_count(k);
    sort_bytes = cj__size_product(n_mixed + 1, 2 * sizeof *sorted);
    sorted = cj__alloc(a, sort_bytes);
    if (sorted != NULL) {
        if (n_mixed > 0)
            keys_pick(k, sorted, n_mixed);
        keys_limits(k, sorted);
        cj__free(a, sorted, sort_bytes);
    }
    cj__free(a, k->buckets, bucket_bytes);
    return sorted == NULL ? CJ_ENOMEM : CJ_OK;
}

int32_t cj__rfm_scale_quantile(cj__rfm_scale *s, const cj__allocator *a,
                               const int64_t *values, int64_t n, int64_t n_bins)
{
    score_keys keys = {.scale = s,
                       .values = values,
                       .n = n,
                       .flip = s->less_is_better ? ~(uint64_t)0 : 0};
    int32_t rc;

    s->limits = s->own;
    s->n_limits = 0;
    s->n_scores = n_bins;
    if (n == 0)
        return CJ_OK;
    rc = keys_scale(&keys, a);
    for (int64_t i = 0, k = s->n_limits - 1; s->less_is_better && i < k; i++, k--) {
        int64_t swap = s->own[i];

        s->own[i] = s->own[k];
        s->own[k] = swap;
    }
    return rc;
}

/* ---- scores -------------------------------------------------------------------------
 */

/* a <= b is ~a >= ~b, so one comparison does for both directions; four limits at a
 * time, because a loop of a few rounds for every value costs more than comparing. */
void cj__rfm_scores(const cj__rfm_scale *s, const int64_t *values, int64_t n,
                    int64_t *scores)
{
    int64_t flip = s->less_is_better ? -1 : 0, k = 0;

    for (int64_t i = 0; i < n; i++)
        scores[i] = 1;
    for (; k + 4 <= s->n_limits; k += 4) {
        int64_t at[4] = {s->limits[k] ^ flip, s->limits[k + 1] ^ flip,
                         s->limits[k + 2] ^ flip, s->limits[k + 3] ^ flip};

        for (int64_t i = 0; i < n; i++) {
            int64_t v = values[i] ^ flip;

            scores[i] += (v >= at[0]) + (v >= at[1]) + (v >= at[2]) + (v >= at[3]);
        }
    }
    for (; k < s->n_limits; k++) {
        int64_t at = s->limits[k] ^ flip;

        for (int64_t i = 0; i < n; i++)
            scores[i] += (values[i] ^ flip) >= at;
    }
}
