/* Events of nodes that joined an older node's profile.  They lie where their node lies,
 * which may be anywhere, so they are gathered ahead of the windows, as many as memory
 * allows: when there are more, the round ends at an earlier profile and the rest waits
 * for the next one.  Where rounds end depends on threads; what they give does not. */
#include "scan/internal.h"

#include <string.h>

#define FOREIGN_BINS 1024
#define FOREIGN_CHUNK 65536 /* rows grouped at once: they fit the cache */

/* A node has as many events as its bin has on average. */
static void foreign_expect(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    const cj__bins *b = &walk->bins;
    int64_t width = (int64_t)1 << b->shift;

    for (uint32_t node = 1; node <= p->n_nodes; node++) {
        uint32_t root = p->profile_of[node];

        if (root != node && cj__plan_wants(p, root))
            walk->expected[cj__bins_at(b, root)] +=
                b->count[cj__bins_at(b, node)] * 1000 / width;
    }
}

/* Where the round should end so that about 7/8 of the memory is used.  A wrong guess
 * costs time, not memory: see foreign_shrink. */
static uint32_t foreign_end(const cj__walk *walk)
{
    const cj__bins *b = &walk->bins;
    int64_t room = walk->foreign_rows * 875;
    size_t first = cj__bins_at(b, walk->first), bin = first;

    while (bin < b->n && (room -= walk->expected[bin]) > 0)
        bin++;
    if (bin == b->n || bin == first) /* all of it; or less than a bin: shrink it */
        return walk->plan.n_nodes + 1;
    return (uint32_t)((uint64_t)bin << b->shift) + 1;
}

/* Note the foreign nodes whose profile is at least lo. */
static void foreign_mark(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;

    memset(walk->bits, 0, cj__bits_bytes(p->n_nodes));
    walk->first = 0;
    for (uint32_t node = walk->lo; node <= p->n_nodes; node++) {
        uint32_t root = p->profile_of[node];

        if (root == node || root < walk->lo || !cj__plan_wants(p, root))
            continue;
        cj__bits_set(walk->bits, node);
        if (walk->first == 0 || root < walk->first)
            walk->first = root;
    }
    if (walk->first != 0)
        atomic_store(&walk->hi, foreign_end(walk));
}

static void foreign_lower(cj__walk *walk, uint32_t hi)
{
    uint32_t now = atomic_load(&walk->hi);

    while (hi < now && !atomic_compare_exchange_weak(&walk->hi, &now, hi))
        ;
}

/* Drop the rows of profiles from hi on. */
static void foreign_drop(cj__worker *w, cj__frame *f, uint32_t hi)
{
    int64_t kept = 0;

    for (int64_t from = 0; from < f->n; from += CJ__BLOCK_EVENTS) {
        int64_t end = f->n - from < CJ__BLOCK_EVENTS ? f->n : from + CJ__BLOCK_EVENTS;
        int64_t n = 0;

        for (int64_t i = from; i < end; i++) {
            w->pick[n] = (uint32_t)i;
            n += f->u32[CJ__FRAME_ROOT][i] < hi;
        }
        cj__frame_take(f, kept, f, w->pick, n);
        kept += n;
    }
    f->n = kept;
}

/* End the round at about the median profile of the rows, until they fit; one profile is
 * never cut. */
static int32_t foreign_shrink(cj__worker *w, cj__frame *f, int64_t max_rows)
{
    cj__walk *walk = w->walk;
    uint32_t lo = walk->first;

    if (atomic_load(&walk->hi) - lo > 1)
        foreign_drop(w, f, atomic_load(&walk->hi));
    while (f->n > max_rows && atomic_load(&walk->hi) - lo > 1) {
        uint32_t hi = atomic_load(&walk->hi);
        uint32_t width = (hi - lo - 1) / FOREIGN_BINS + 1, bin = 0;
        int64_t count[FOREIGN_BINS] = {0}, sum = 0;

        for (int64_t i = 0; i < f->n; i++) {
            uint32_t root = f->u32[CJ__FRAME_ROOT][i];

            if (root < hi) /* another worker may have lowered it since the drop */
                count[(root - lo) / width]++;
        }
        while (bin < FOREIGN_BINS - 1 && sum + count[bin] <= f->n / 2)
            sum += count[bin++];
        foreign_lower(walk, lo + (bin == 0 ? 1 : bin) * width);
        foreign_drop(w, f, atomic_load(&walk->hi));
    }
    return cj__frame_repack(f);
}

static int64_t foreign_pick(cj__worker *w, const cj__frame *f)
{
    const cj__walk *walk = w->walk;
    const cj__plan *p = &walk->plan;
    const uint32_t *node = f->u32[CJ__FRAME_NODE], *root = f->u32[CJ__FRAME_ROOT];
    const int64_t *time_ms = f->i64[CJ__FRAME_TIME];
    uint32_t hi = atomic_load(&w->walk->hi);
    int64_t n = 0;

    for (int64_t i = 0; i < f->n; i++) {
        w->pick[n] = (uint32_t)i;
        n += root[i] != node[i] && root[i] >= walk->lo && root[i] < hi &&
             time_ms[i] >= p->from_ms && time_ms[i] < p->until_ms &&
             cj__plan_wants(p, root[i]);
    }
    return n;
}

/* A task: an equal share of the blocks, in order. */
static int32_t foreign_task(cj__worker *w, int64_t task)
{
    cj__walk *walk = w->walk;
    cj__frame *f = &walk->foreign[task].frame;
    int64_t from = walk->n_refs * task / walk->n_foreign;
    int64_t end = walk->n_refs * (task + 1) / walk->n_foreign;
    int64_t max_rows = walk->foreign_rows / walk->n_foreign;
    int64_t room = (end - from) * CJ__BLOCK_EVENTS;
    int32_t rc = CJ_OK;

    /* At once, because growing holds the rows twice; what is not used costs nothing. */
    CJ_TRY(cj__frame_reserve(f, room < max_rows ? room : max_rows));
    for (int64_t i = from; i < end; i++) {
        const cj__part *part = &walk->plan.parts[walk->refs[i].part];
        int64_t n;

        w->spare.n = 0;
        CJ_TRY(cj__gather_block(w, &part->blocks[walk->refs[i].block], &w->spare));
        n = foreign_pick(w, &w->spare);
        CJ_TRY(cj__frame_reserve(f, f->n + n));
        cj__frame_take(f, f->n, &w->spare, w->pick, n);
        CJ_TRY(cj__frame_own(f, f->n, n));
        f->n += n;
        if (f->n > max_rows - CJ__BLOCK_EVENTS)
            CJ_TRY(foreign_shrink(w, f, max_rows - CJ__BLOCK_EVENTS));
    }
out:
    return rc;
}

void cj__foreign_end(cj__walk *walk)
{
    const cj__allocator *a = walk->bins.allocator;

    for (int64_t i = 0; walk->foreign != NULL && i < walk->n_workers; i++) {
        cj__foreign *f = &walk->foreign[i];

        cj__frame_end(&f->frame);
        cj__free(a, f->starts, f->starts_capacity * sizeof *f->starts);
    }
    if (walk->foreign != NULL)
        cj__free(a, walk->foreign, (size_t)walk->n_workers * sizeof *walk->foreign);
    cj__free(a, walk->bits, cj__bits_bytes(walk->plan.n_nodes));
    cj__free(a, walk->expected, walk->bins.n * sizeof *walk->expected);
    if (walk->refs != NULL)
        cj__free(a, walk->refs, walk->refs_capacity * sizeof *walk->refs);
    walk->foreign = NULL;
    walk->bits = NULL;
    walk->expected = NULL;
    walk->refs = NULL;
}

static int32_t foreign_begin(cj__walk *walk)
{
    const cj__allocator *a = walk->bins.allocator;

    if (walk->foreign != NULL)
        return CJ_OK;
    walk->bits = cj__alloc(a, cj__bits_bytes(walk->plan.n_nodes));
    walk->expected = cj__alloc_zero(a, walk->bins.n * sizeof *walk->expected);
    if (walk->bits == NULL || walk->expected == NULL)
        return CJ_ENOMEM;
    foreign_expect(walk);
    walk->foreign = cj__alloc_zero(a, (size_t)walk->n_workers * sizeof *walk->foreign);
    if (walk->foreign == NULL)
        return CJ_ENOMEM;
    for (int i = 0; i < walk->n_workers; i++)
        cj__frame_init(&walk->foreign[i].frame, a, walk->want);
    return CJ_OK;
}

int32_t cj__foreign_gather(cj__walk *walk)
{
    int32_t rc = CJ_OK;

    walk->n_foreign = 0;
    atomic_store(&walk->hi, walk->plan.n_nodes + 1);
    if (walk->plan.n_foreign == 0)
        return CJ_OK;
    CJ_TRY(foreign_begin(walk));
    foreign_mark(walk);
    if (walk->first == 0)
        return CJ_OK;
    CJ_TRY(cj__walk_refs(walk));
    walk->n_foreign = walk->n_refs < walk->n_workers ? walk->n_refs : walk->n_workers;
    for (int i = 0; i < walk->n_workers; i++)
        cj__frame_clear(&walk->foreign[i].frame);
    CJ_TRY(cj__walk_run(walk, walk->n_foreign, foreign_task));
    for (int64_t i = 0; i < walk->n_foreign; i++)
        foreign_drop(&walk->workers[0], &walk->foreign[i].frame,
                     atomic_load(&walk->hi));
    for (int64_t i = 0; i < walk->n_foreign; i++) {
        const cj__frame *f = &walk->foreign[i].frame;

        for (int64_t k = 0; k < f->n; k++)
            walk->bins.count[cj__bins_at(&walk->bins, f->u32[CJ__FRAME_ROOT][k])]++;
    }
out:
    return rc;
}

/* Group a chunk's rows by window, keeping their order within it; starts gets where each
 * window begins. */
static void foreign_chunk(cj__walk *walk, cj__frame *f, int64_t first, int64_t n,
                          uint32_t *starts)
{
    cj__worker *w = &walk->workers[0];
    uint32_t *root = f->u32[CJ__FRAME_ROOT] + first, sum = (uint32_t)first;

    memset(starts, 0, (size_t)(walk->windows.n + 1) * sizeof *starts);
    for (int64_t i = 0; i < n; i++)
        starts[walk->bins.window[cj__bins_at(&walk->bins, root[i])]]++;
    for (int64_t i = 0; i <= walk->windows.n; i++) {
        uint32_t here = starts[i];

        starts[i] = sum;
        sum += here;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t window = walk->bins.window[cj__bins_at(&walk->bins, root[i])];

        w->places[i] = starts[window]++ - (uint32_t)first;
        w->spare.u32[CJ__FRAME_ROOT][w->places[i]] = root[i];
    }
    cj__frame_scatter(&w->spare, f, first, n, w->places);
    cj__frame_move(f, first, &w->spare, 0, n);
    for (int64_t i = walk->windows.n; i > 0; i--) /* they have moved on by one */
        starts[i] = starts[i - 1];
    starts[0] = (uint32_t)first;
}

/* Chunks, because one pass over all rows would miss the cache at every row, and sorting
 * them all needs the memory twice. */
static int32_t foreign_group(cj__walk *walk, cj__foreign *f)
{
    cj__worker *w = &walk->workers[0];
    void *places = w->places, *starts = f->starts;
    size_t per_chunk = (size_t)walk->windows.n + 1;
    int32_t rc;

    f->n_chunks = (f->frame.n + FOREIGN_CHUNK - 1) / FOREIGN_CHUNK;
    rc = cj__array_grow(walk->bins.allocator, &starts, &f->starts_capacity,
                        (size_t)f->n_chunks * per_chunk, sizeof *f->starts, SIZE_MAX);
    f->starts = starts;
    if (rc != CJ_OK)
        return rc;
    rc = cj__array_grow(walk->bins.allocator, &places, &w->places_capacity,
                        FOREIGN_CHUNK, sizeof *w->places, SIZE_MAX);
    w->places = places;
    if (rc != CJ_OK)
        return rc;
    w->spare.n = 0;
    rc = cj__frame_reserve(&w->spare, FOREIGN_CHUNK);
    for (int64_t i = 0; rc == CJ_OK && i < f->n_chunks; i++) {
        int64_t first = i * FOREIGN_CHUNK, n = f->frame.n - first;

        foreign_chunk(walk, &f->frame, first, n < FOREIGN_CHUNK ? n : FOREIGN_CHUNK,
                      f->starts + (size_t)i * per_chunk);
    }
    return rc;
}

int32_t cj__foreign_arrange(cj__walk *walk)
{
    int32_t rc = CJ_OK;

    for (int64_t i = 0; rc == CJ_OK && i < walk->n_foreign; i++)
        rc = foreign_group(walk, &walk->foreign[i]);
    return rc;
}

int32_t cj__foreign_take(cj__worker *w, int64_t window)
{
    const cj__walk *walk = w->walk;
    size_t per_chunk = (size_t)walk->windows.n + 1;

    for (int64_t i = 0; i < walk->n_foreign; i++) {
        const cj__foreign *f = &walk->foreign[i];

        for (int64_t k = 0; k < f->n_chunks; k++) {
            const uint32_t *starts = f->starts + (size_t)k * per_chunk + window;
            int64_t n = (int64_t)starts[1] - (int64_t)starts[0];
            int32_t rc = cj__frame_reserve(&w->gather, w->gather.n + n);

            if (rc != CJ_OK)
                return rc;
            cj__frame_move(&w->gather, w->gather.n, &f->frame, starts[0], n);
            w->gather.n += n;
        }
    }
    return CJ_OK;
}
