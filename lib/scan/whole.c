/* A scan whose events all fit into memory at once, as those of the value projection
 * mostly do: every block is read once, by any worker, into its place in one frame; the
 * rows are then dealt out to windows of profiles by their index.  So it makes no
 * difference whether an event lies at its profile's own node, and nothing is gathered
 * twice.  What a window shows is what gather.c and foreign.c would have shown it: rows
 * in order of parts, blocks and journal. */
#include "scan/internal.h"

#include <string.h>

/* Rows, and an index of each. */
int cj__whole_fits(const cj__walk *walk, int64_t bytes)
{
    const cj__plan *p = &walk->plan;
    int64_t rows = p->n_events + p->n_journal;
    int64_t each = (int64_t)(cj__frame_row_bytes(walk->want) + sizeof *walk->order);

    return p->opts.profile == 0 && rows <= bytes / each;
}

/* A block, read into the rows that are its own. */
static int32_t whole_block(cj__worker *w, int64_t task)
{
    const cj__walk *walk = w->walk;
    const cj__whole_block *b = &walk->whole_blocks[task];
    const int64_t end = b->row + b->block->n_events;
    cj__frame place = walk->whole;
    int32_t rc;

    place.n = b->row;
    CJ_TRY(cj__gather_block(w, b->block, &place));
    for (int64_t i = place.n; i < end; i++) /* of other names: nobody's */
        walk->whole.u32[CJ__FRAME_ROOT][i] = 0;
out:
    return rc;
}

static int32_t whole_list(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    size_t bytes =
        cj__size_product((size_t)p->n_blocks + 1, sizeof *walk->whole_blocks);
    int64_t n = 0, row = 0;

    walk->whole_blocks = cj__alloc(walk->bins.allocator, bytes);
    if (walk->whole_blocks == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < p->n_parts; i++) {
        for (int64_t k = 0; k < p->parts[i].n_blocks; k++) {
            const cj__part_block *block = &p->parts[i].blocks[k];
            walk->whole_blocks[n++] = (cj__whole_block){block, row};
            row += block->n_events;
        }
    }
    return CJ_OK;
}

int32_t cj__whole_gather(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    int64_t rows = p->n_events + p->n_journal;
    int32_t rc;

    cj__frame_init(&walk->whole, walk->bins.allocator, walk->want);
    CJ_TRY(cj__frame_reserve(&walk->whole, rows + 1));
    CJ_TRY(whole_list(walk));
    CJ_TRY(cj__walk_run(walk, p->n_blocks, whole_block));
    walk->whole.n = p->n_events;
    for (int64_t i = 0; i < p->n_journal; i++)
        cj__frame_put_row(&walk->whole, &p->rows[p->journal[i] & 0xFFFFFFFF],
                          (uint32_t)(p->journal[i] >> 32));
out:
    return rc;
}

/* The window of a row, or n_windows when the scan does not want it. */
static int64_t whole_window(const cj__walk *walk, int64_t row)
{
    const cj__plan *p = &walk->plan;
    uint32_t root = walk->whole.u32[CJ__FRAME_ROOT][row];
    int64_t time_ms = walk->whole.i64[CJ__FRAME_TIME][row];

    if (root == 0 || time_ms < p->from_ms || time_ms >= p->until_ms ||
        !cj__plan_wants(p, root))
        return walk->windows.n;
    return walk->bins.window[cj__bins_at(&walk->bins, root)];
}

int32_t cj__whole_arrange(cj__walk *walk)
{
    const cj__allocator *a = walk->bins.allocator;
    size_t n_windows = (size_t)walk->windows.n;
    int64_t sum = 0;

    walk->order = cj__alloc(a, (size_t)(walk->whole.n + 1) * sizeof *walk->order);
    walk->order_starts =
        cj__alloc_zero(a, (n_windows + 2) * sizeof *walk->order_starts);
    walk->n_starts = n_windows + 2;
    if (walk->order == NULL || walk->order_starts == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < walk->whole.n; i++)
        walk->order_starts[whole_window(walk, i) + 1]++;
    for (size_t i = 0; i < n_windows + 2; i++) {
        sum += walk->order_starts[i];
        walk->order_starts[i] = sum;
    }
    for (int64_t i = 0; i < walk->whole.n; i++)
        walk->order[walk->order_starts[whole_window(walk, i)]++] = (uint32_t)i;
    /* Each start has moved to the next one's place. */
    memmove(walk->order_starts + 1, walk->order_starts,
            (n_windows + 1) * sizeof *walk->order_starts);
    walk->order_starts[0] = 0;
    return CJ_OK;
}

/* The rows of a window, brought together by profile: indices first, then each row is
 * copied once. */
int32_t cj__whole_take(cj__worker *w, int64_t window)
{
    const cj__walk *walk = w->walk;
    const uint32_t *root = walk->whole.u32[CJ__FRAME_ROOT];
    const uint32_t *order = walk->order + walk->order_starts[window];
    int64_t n = walk->order_starts[window + 1] - walk->order_starts[window];
    uint32_t lo = walk->windows.at[window].lo, hi = walk->windows.at[window].hi;
    int32_t rc = cj__window_room(w, hi - lo, n);

    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < n; i++)
        w->counts[root[order[i]] - lo]++;
    cj__window_starts(w, hi - lo);
    for (int64_t i = 0; i < n; i++)
        w->places[w->counts[root[order[i]] - lo]++] = order[i];
    cj__frame_take(&w->sorted, 0, &walk->whole, w->places, n);
    w->sorted.n = n;
    return CJ_OK;
}

void cj__whole_end(cj__walk *walk)
{
    const cj__allocator *a = walk->bins.allocator;

    cj__free(a, walk->whole_blocks,
             ((size_t)walk->plan.n_blocks + 1) * sizeof *walk->whole_blocks);
    cj__free(a, walk->order, (size_t)(walk->whole.n + 1) * sizeof *walk->order);
    cj__free(a, walk->order_starts, walk->n_starts * sizeof *walk->order_starts);
    if (walk->whole.allocator != NULL)
        cj__frame_end(&walk->whole);
}
