/* Values to scores.  Quantiles and fixed thresholds end in the same few limits, so that
 * scoring is one loop, and equal values cannot be scored apart. */
#include "metrics/rfm.h"

#include <string.h>

#define SCORE_BITS 11       /* 2,048 counters: they stay in L1 */
#define SCORE_COUNTED 65536 /* values this close together are counted, not sorted */

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

/* Sort by counting digits from the lowest: values lie close together (days, orders), so
 * one to three rounds do.  A comparison sort took ten times as long for 350,000 values.
 */
static void score_sort(uint64_t *values, uint64_t *spare, int64_t n, uint64_t highest)
{
    uint64_t *from = values, *to = spare, *swap;

    for (int shift = 0; shift < 64 && highest >> shift != 0; shift += SCORE_BITS) {
        int64_t start[(1 << SCORE_BITS) + 1] = {0};

        for (int64_t i = 0; i < n; i++)
            start[(from[i] >> shift & ((1 << SCORE_BITS) - 1)) + 1]++;
        for (int d = 0; d < 1 << SCORE_BITS; d++)
            start[d + 1] += start[d];
        for (int64_t i = 0; i < n; i++)
            to[start[from[i] >> shift & ((1 << SCORE_BITS) - 1)]++] = from[i];
        swap = from;
        from = to;
        to = swap;
    }
    if (from != values)
        memcpy(values, from, (size_t)n * sizeof *values);
}

static int64_t score_value(int64_t low, uint64_t above)
{
    return (int64_t)((uint64_t)low + above);
}

/* A value enters the scale where it is the first to have a higher score. */
static void score_enter(cj__rfm_scale *s, int64_t value, int64_t n_worse, int64_t n)
{
    int64_t score = 1 + s->n_scores * n_worse / n;

    while (s->n_limits < score - 1)
        s->own[s->n_limits++] = value;
}

static void score_limits(cj__rfm_scale *s, const uint64_t *sorted, int64_t n,
                         int64_t low)
{
    if (!s->less_is_better) {
        for (int64_t i = 0; i < n; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1])
                score_enter(s, score_value(low, sorted[i]), i, n);
        }
        return;
    }
    for (int64_t i = n; i > 0; i--) {
        if (i == n || sorted[i - 1] != sorted[i])
            score_enter(s, score_value(low, sorted[i - 1]), n - i, n);
    }
}

static int32_t score_by_sorting(cj__rfm_scale *s, const cj__allocator *a,
                                const int64_t *values, int64_t n, int64_t low,
                                uint64_t range)
{
    size_t bytes = cj__size_product((size_t)n, 2 * sizeof(uint64_t));
    uint64_t *sorted = cj__alloc(a, bytes);

    if (sorted == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        sorted[i] = (uint64_t)values[i] - (uint64_t)low;
    score_sort(sorted, sorted + n, n, range);
    score_limits(s, sorted, n, low);
    cj__free(a, sorted, bytes);
    return CJ_OK;
}

/* Days and orders take few values: counting them saves the sort. */
static int32_t score_by_counting(cj__rfm_scale *s, const cj__allocator *a,
                                 const int64_t *values, int64_t n, int64_t low,
                                 uint64_t range)
{
    size_t bytes = ((size_t)range + 1) * sizeof(int64_t);
    int64_t *count = cj__alloc_zero(a, bytes), n_worse = 0;

    if (count == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        count[(uint64_t)values[i] - (uint64_t)low]++;
    for (uint64_t i = 0; i <= range; i++) {
        uint64_t at = s->less_is_better ? range - i : i;

        if (count[at] > 0)
            score_enter(s, score_value(low, at), n_worse, n);
        n_worse += count[at];
    }
    cj__free(a, count, bytes);
    return CJ_OK;
}

int32_t cj__rfm_scale_quantile(cj__rfm_scale *s, const cj__allocator *a,
                               const int64_t *values, int64_t n, int64_t n_bins)
{
    int64_t low = n > 0 ? values[0] : 0, high = low;
    uint64_t range;
    int32_t rc;

    s->limits = s->own;
    s->n_limits = 0;
    s->n_scores = n_bins;
    if (n == 0)
        return CJ_OK;
    for (int64_t i = 0; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    range = (uint64_t)high - (uint64_t)low;
    rc = range < SCORE_COUNTED ? score_by_counting(s, a, values, n, low, range)
                               : score_by_sorting(s, a, values, n, low, range);
    for (int64_t i = 0, k = s->n_limits - 1; s->less_is_better && i < k; i++, k--) {
        int64_t swap = s->own[i];

        s->own[i] = s->own[k];
        s->own[k] = swap;
    }
    return rc;
}

void cj__rfm_scores(const cj__rfm_scale *s, const int64_t *values, int64_t n,
                    int64_t *scores)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t score = 1;

        if (s->less_is_better) {
            for (int64_t k = 0; k < s->n_limits; k++)
                score += values[i] <= s->limits[k];
        } else {
            for (int64_t k = 0; k < s->n_limits; k++)
                score += values[i] >= s->limits[k];
        }
        scores[i] = score;
    }
}
