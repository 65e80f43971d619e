/* Two sorts: a merge sort for events in a profile's order, and a counting sort for
 * pairs of numbers.  Both run in memory that the caller brings, so neither can fail. */
#include "scan/frame.h"

#include <string.h>

#define SORT_RUN 12  /* shorter runs are inserted: most profiles have few events */
#define SORT_BITS 11 /* 2,048 counters: they stay in L1 */

static int sort_before(const cj__sort_key *a, const cj__sort_key *b)
{
    if (a->profile != b->profile)
        return a->profile < b->profile;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms;
    if (a->node != b->node)
        return a->node < b->node;
    return a->row < b->row;
}

static void sort_insert(cj__sort_key *keys, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        cj__sort_key key = keys[i];
        int64_t at = i;

        while (at > 0 && sort_before(&key, &keys[at - 1])) {
            keys[at] = keys[at - 1];
            at--;
        }
        keys[at] = key;
    }
}

static void sort_merge(const cj__sort_key *a, int64_t n_a, const cj__sort_key *b,
                       int64_t n_b, cj__sort_key *to)
{
    while (n_a > 0 && n_b > 0) {
        if (sort_before(b, a)) {
            *to++ = *b++;
            n_b--;
        } else {
            *to++ = *a++;
            n_a--;
        }
    }
    memcpy(to, a, (size_t)n_a * sizeof *a);
    memcpy(to + n_a, b, (size_t)n_b * sizeof *b);
}

void cj__sort_keys(cj__sort_key *keys, cj__sort_key *spare, int64_t n)
{
    cj__sort_key *from = keys, *to = spare, *swap;

    for (int64_t i = 0; i < n; i += SORT_RUN)
        sort_insert(keys + i, n - i < SORT_RUN ? n - i : SORT_RUN);
    for (int64_t width = SORT_RUN; width < n; width *= 2) {
        for (int64_t i = 0; i < n; i += 2 * width) {
            int64_t n_a = n - i < width ? n - i : width;
            int64_t n_b = n - i - n_a < width ? n - i - n_a : width;

            sort_merge(from + i, n_a, from + i + n_a, n_b, to + i);
        }
        swap = from;
        from = to;
        to = swap;
    }
    if (from != keys && n > 0)
        memcpy(keys, from, (size_t)n * sizeof *keys);
}

void cj__sort_pairs(uint64_t *keys, uint64_t *spare, int64_t n, uint32_t highest)
{
    uint64_t *from = keys, *to = spare, *swap;

    for (int shift = 32; shift < 64 && highest >> (shift - 32) != 0;
         shift += SORT_BITS) {
        uint32_t count[1 << SORT_BITS] = {0};
        uint32_t sum = 0;

        for (int64_t i = 0; i < n; i++)
            count[from[i] >> shift & ((1 << SORT_BITS) - 1)]++;
        for (int c = 0; c < 1 << SORT_BITS; c++) {
            uint32_t here = count[c];

            count[c] = sum;
            sum += here;
        }
        for (int64_t i = 0; i < n; i++)
            to[count[from[i] >> shift & ((1 << SORT_BITS) - 1)]++] = from[i];
        swap = from;
        from = to;
        to = swap;
    }
    if (from != keys && n > 0)
        memcpy(keys, from, (size_t)n * sizeof *keys);
}
