/* Cutting the profiles into windows that hold about as many events each, so that a
 * window's columns stay in the cache and workers finish together.  The estimate comes
 * from the parts' directories; results do not depend on where the cuts are. */
#include "scan/internal.h"

#define CUT_BINS 65536          /* finer cuts than 1/16 window do not help */
#define CUT_PROFILES (1u << 19) /* of a window at most: their counters take 2 MiB */

static void cut_spread(cj__bins *b, const cj__part_block *block, uint32_t n_nodes)
{
    uint32_t last = block->last_node < n_nodes ? block->last_node : n_nodes;
    size_t from, to;
    int64_t n = block->n_events, share;

    if (block->first_node < 1 || block->first_node > last)
        return; /* the reader of the block will complain */
    from = cj__bins_at(b, block->first_node);
    to = cj__bins_at(b, last);
    share = n / (int64_t)(to - from + 1);
    b->count[from] += n - share * (int64_t)(to - from);
    for (size_t i = from + 1; i <= to; i++)
        b->count[i] += share;
}

int32_t cj__bins_make(cj__bins *b, const cj__plan *p, int64_t window_events)
{
    int64_t bins = (p->n_events + p->n_journal) / (window_events / 16 + 1) + 1;

    *b = (cj__bins){.allocator = &p->db->cx.allocator, .window_events = window_events};
    if (bins < (int64_t)(p->n_nodes / (CUT_PROFILES / 16)))
        bins = (int64_t)(p->n_nodes / (CUT_PROFILES / 16));
    if (bins > CUT_BINS)
        bins = CUT_BINS;
    while (b->shift < 31 && (int64_t)((p->n_nodes - 1) >> b->shift) >= bins)
        b->shift++;
    b->n = cj__bins_at(b, p->n_nodes) + 1;
    b->count = cj__alloc_zero(b->allocator, b->n * sizeof *b->count);
    b->window = cj__alloc_zero(b->allocator, b->n * sizeof *b->window);
    if (b->count == NULL || b->window == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < p->n_parts; i++) {
        for (int64_t k = 0; k < p->parts[i].n_blocks; k++)
            cut_spread(b, &p->parts[i].blocks[k], p->n_nodes);
    }
    for (int64_t i = 0; i < p->n_journal; i++)
        b->count[cj__bins_at(b, (uint32_t)(p->journal[i] >> 32))]++;
    return CJ_OK;
}

void cj__bins_end(cj__bins *b)
{
    if (b->count != NULL)
        cj__free(b->allocator, b->count, b->n * sizeof *b->count);
    if (b->window != NULL)
        cj__free(b->allocator, b->window, b->n * sizeof *b->window);
    b->count = NULL;
    b->window = NULL;
}

int32_t cj__bins_cut(cj__bins *b, uint32_t lo, uint32_t hi, cj__windows *windows)
{
    uint64_t width = (uint64_t)1 << b->shift;
    size_t last = cj__bins_at(b, hi - 1);
    int64_t events = 0;
    uint32_t from = lo;
    void *array = windows->at;
    int32_t rc;

    windows->n = 0;
    for (size_t i = cj__bins_at(b, lo); i <= last; i++) {
        uint64_t end = i == last ? hi : (uint64_t)(i + 1) * width + 1;

        events += b->count[i];
        b->window[i] = (uint32_t)windows->n;
        if (i != last && events + b->count[i + 1] <= b->window_events &&
            end - from + width <= CUT_PROFILES)
            continue;
        rc = cj__array_grow(b->allocator, &array, &windows->capacity,
                            (size_t)windows->n + 1, sizeof(cj__window), SIZE_MAX);
        windows->at = array;
        if (rc != CJ_OK)
            return rc;
        windows->at[windows->n++] = (cj__window){.lo = from, .hi = (uint32_t)end};
        events = 0;
        from = (uint32_t)end;
    }
    return CJ_OK;
}
