/* Reading blocks and the journal into a worker's frame: the events that a window of
 * profiles left at their own nodes.  Whatever bytes a block holds, the frames get nodes
 * that exist, in order. */
#include "scan/internal.h"

#include <string.h>

static int32_t gather_damaged(const cj__part_block *block)
{
    return cj__fail(CJ_ECORRUPT, "block %lld does not hold what its directory says",
                    (long long)block->id);
}

/* Whether the nodes of rows [first, first + n) exist and are in order. */
static int gather_is_sound(const cj__plan *p, const cj__frame *f, int64_t first,
                           int64_t n)
{
    const uint32_t *node = f->u32[CJ__FRAME_NODE] + first;
    uint32_t wrong = 0;

    for (int64_t i = 1; i < n; i++)
        wrong |= node[i] < node[i - 1];
    return !wrong && node[0] >= 1 && node[n - 1] <= p->n_nodes;
}

/* Fill in the profiles. */
static void gather_roots(const cj__plan *p, cj__frame *f, int64_t first, int64_t n)
{
    const uint32_t *node = f->u32[CJ__FRAME_NODE] + first;
    uint32_t *root = f->u32[CJ__FRAME_ROOT] + first;

    if (p->simple) {
        memcpy(root, node, (size_t)n * sizeof *root);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        root[i] = p->profile_of[node[i]];
}

/* They are decoded where nothing lies as long as events are gathered. */
int32_t cj__gather_texts(cj__worker *w, int64_t n, const cj__text **out)
{
    cj__arena *arena = &w->spare.texts;
    cj__text *texts;

    *out = NULL;
    cj__arena_reset(arena);
    if (w->props.n == 0)
        return CJ_OK;
    texts = cj__arena_alloc(arena, (size_t)n * sizeof *texts);
    if (texts == NULL)
        return CJ_ENOMEM;
    *out = texts;
    return cj__props_decode((cj__text){w->props.data, w->props.n},
                            (const uint32_t[3]){(uint32_t)n, 0, (uint32_t)n}, arena,
                            texts);
}

static int32_t gather_kept(cj__worker *w, int64_t id, cj__block_header *header)
{
    cj__reader *reader = w->walk->plan.reader;
    int32_t rc;

    cj__reader_let_go(reader, CJ__KEPT_CORES, w->held);
    w->held = NULL;
    CJ_TRY(cj__reader_core(reader, id, &w->held));
    w->bytes = (cj__text){(const char *)w->held->bytes, w->held->n};
    *header = w->held->header;
out:
    return rc;
}

/* Read a block's bytes: core, and properties when they are wanted. */
int32_t cj__gather_open(cj__worker *w, int64_t id, cj__block_header *header)
{
    int has_props = (w->walk->want & CJ__COL_PROPERTIES) != 0;
    cj__text props = {NULL, 0};
    int32_t rc;

    CJ_TRY(cj__walk_tick(w));
    if (w->walk->keeps && !has_props)
        return gather_kept(w, id, header);
    CJ_TRY(cj__reader_block(w->walk->plan.reader, id, &w->core,
                            has_props ? &w->props : NULL));
    if (has_props) /* none is checked, too */
        props = (cj__text){w->props.n == 0 ? "" : w->props.data, w->props.n};
    w->bytes = (cj__text){w->core.data, w->core.n};
    rc = cj__block_open(w->bytes, props, header);
out:
    return rc;
}

/* Rows [first, first + n) of a product: a loop without branches, since few rows have
 * it and nobody can foretell which. */
static int64_t gather_product(const uint32_t *product, int64_t first, int64_t n,
                              uint32_t wanted, uint32_t *pick)
{
    int64_t kept = 0;

    for (int64_t i = first; i < first + n; i++) {
        pick[kept] = (uint32_t)i;
        kept += product[i] == wanted;
    }
    return kept;
}

/* Pick, of n rows behind those of a frame, the ones that the folds read. */
static int64_t gather_read(cj__worker *w, const cj__frame *f, int64_t n)
{
    const cj__plan *p = &w->walk->plan;
    const int is_one = p->opts.n_products == 1;
    int64_t kept = 0;

    if (p->names == NULL && p->opts.n_products == 0)
        return n;
    if (is_one)
        n = gather_product(f->u32[CJ__FRAME_PRODUCT], f->n, n, p->opts.products[0],
                           w->pick);
    for (int64_t i = 0; i < n; i++) {
        const uint32_t row = is_one ? w->pick[i] : (uint32_t)(f->n + i);

        w->pick[kept] = row;
        kept += cj__plan_reads(p, f, row);
    }
    return kept;
}

/* Append a block to a frame: the rows of names that are wanted. */
int32_t cj__gather_block(cj__worker *w, const cj__part_block *block, cj__frame *to)
{
    const cj__plan *p = &w->walk->plan;
    cj__block_header header;
    const cj__text *texts;
    cj__columns view;
    int64_t n;
    int32_t rc;

    CJ_TRY(cj__gather_open(w, block->id, &header));
    if (header.n < 1 || header.n > CJ__BLOCK_EVENTS || header.n != block->n_events)
        return gather_damaged(block);
    CJ_TRY(cj__frame_reserve(to, to->n + header.n));
    view = cj__frame_view(to, to->n);
    CJ_TRY(cj__block_columns(w->bytes, w->walk->want, &view));
    if (view.n != header.n || !gather_is_sound(p, to, to->n, header.n))
        return gather_damaged(block);
    if (w->walk->is_sparse)
        CJ_TRY(cj__zone_keep(w, block->id, to, header.n));
    n = gather_read(w, to, header.n);
    if (n == 0)
        return CJ_OK;
    CJ_TRY(cj__gather_texts(w, header.n, &texts));
    cj__frame_put_texts(to, to->n, header.n, texts);
    if (n < header.n)
        cj__frame_take(to, to->n, to, w->pick, n);
    gather_roots(p, to, to->n, n);
    to->n += n;
out:
    return rc;
}

int32_t cj__walk_refs(cj__walk *walk)
{
    const cj__plan *p = &walk->plan;
    void *array = walk->refs;
    int32_t rc = CJ_OK;

    walk->n_refs = 0;
    for (int64_t i = 0; i < p->n_parts; i++) {
        for (int64_t k = 0; k < p->parts[i].n_blocks; k++) {
            const cj__part_block *b = &p->parts[i].blocks[k];

            if (b->first_node < 1 || b->last_node > p->n_nodes ||
                b->first_node > b->last_node)
                return cj__fail(CJ_ECORRUPT,
                                "block %lld names a node that is not there",
                                (long long)b->id);
            if (walk->bits != NULL &&
                !cj__bits_any(walk->bits, b->first_node, b->last_node))
                continue;
            rc = cj__array_grow(walk->bins.allocator, &array, &walk->refs_capacity,
                                (size_t)walk->n_refs + 1, sizeof(cj__block_ref),
                                SIZE_MAX);
            walk->refs = array;
            if (rc != CJ_OK)
                return rc;
            walk->refs[walk->n_refs++] = (cj__block_ref){(uint32_t)i, (uint32_t)k};
        }
    }
    return rc;
}

static int64_t gather_from(const uint32_t *node, int64_t n, uint32_t first)
{
    int64_t low = 0, high = n;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (node[middle] < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Rows [first, end) of a frame that are in the window and at their profile's own node.
 */
static int64_t gather_pick(const cj__plan *p, const cj__frame *f, int64_t first,
                           int64_t end, uint32_t *pick)
{
    const uint32_t *node = f->u32[CJ__FRAME_NODE], *root = f->u32[CJ__FRAME_ROOT];
    const int64_t *time_ms = f->i64[CJ__FRAME_TIME];
    int64_t n = 0;

    for (int64_t i = first; i < end; i++) {
        pick[n] = (uint32_t)i;
        n += root[i] == node[i] && time_ms[i] >= p->from_ms &&
             time_ms[i] < p->until_ms && cj__plan_wants(p, root[i]);
    }
    return n;
}

/* Keep of rows [from, from + n) of a frame those of nodes [lo, hi), at the end of the
 * gathered ones.  The frame may be the gathered one, its last n rows. */
static void gather_keep(cj__worker *w, const cj__part *part, cj__frame *from,
                        int64_t first, uint32_t lo, uint32_t hi)
{
    const cj__plan *p = &w->walk->plan;
    const uint32_t *node = from->u32[CJ__FRAME_NODE] + first;
    int64_t n = from->n - first;
    int64_t begin = first + gather_from(node, n, lo);
    int64_t end = first + gather_from(node, n, hi);
    int64_t at = from == &w->gather ? first : w->gather.n;

    if (p->simple && part->min_ms >= p->from_ms && part->max_ms < p->until_ms) {
        n = end - begin;
        if (from != &w->gather || begin != at)
            cj__frame_move(&w->gather, at, from, begin, n);
    } else {
        n = gather_pick(p, from, begin, end, w->pick);
        cj__frame_take(&w->gather, at, from, w->pick, n);
    }
    w->gather.n = at + n;
}

/* Rows that a part's slot may have to hold, up to a multiple of 8. */
static int64_t gather_slot_rows(const cj__part *part)
{
    return part->n_events >= CJ__BLOCK_EVENTS ? CJ__BLOCK_EVENTS
           : part->n_events < 8               ? 8
                                              : (part->n_events + 7) / 8 * 8;
}

/* One piece of memory for all slots: as many small ones they would be strewn among what
 * outlives the scan, and an allocator could not give them back to the system. */
static int32_t gather_slots(cj__worker *w)
{
    const cj__part *parts = w->walk->plan.parts;
    const size_t each = cj__frame_row_bytes(w->walk->want);
    size_t at = 0;

    if (w->slots_room != NULL)
        return CJ_OK;
    for (int64_t i = 0; i < w->n_slots; i++)
        w->slots_bytes += (size_t)gather_slot_rows(&parts[i]) * each;
    w->slots_room = cj__alloc(w->core.allocator, w->slots_bytes);
    if (w->slots_room == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < w->n_slots; i++) {
        const int64_t rows = gather_slot_rows(&parts[i]);

        cj__frame_lend(&w->slots[i].frame, (char *)w->slots_room + at, rows);
        at += (size_t)rows * each;
    }
    return CJ_OK;
}

static int32_t gather_some(cj__worker *w, int64_t part, const cj__part_block *block,
                           uint32_t lo, uint32_t hi)
{
    const cj__part *of = &w->walk->plan.parts[part];
    cj__slot *slot = part < w->n_slots ? &w->slots[part] : NULL;
    int64_t first = w->gather.n;
    int32_t rc;

    if (slot != NULL && (slot->block == block->id || block->last_node >= hi)) {
        CJ_TRY(gather_slots(w));
        if (slot->block != block->id) {
            slot->block = 0;
            cj__frame_clear(&slot->frame);
            CJ_TRY(cj__gather_block(w, block, &slot->frame));
            CJ_TRY(cj__frame_own(&slot->frame, 0, slot->frame.n));
            slot->block = block->id;
        }
        CJ_TRY(cj__frame_reserve(&w->gather, first + slot->frame.n));
        gather_keep(w, of, &slot->frame, 0, lo, hi);
    } else {
        CJ_TRY(cj__gather_block(w, block, &w->gather));
        gather_keep(w, of, &w->gather, first, lo, hi);
    }
    /* The window outlives what the slot holds, and all the more what is decoded. */
    rc = cj__frame_own(&w->gather, first, w->gather.n - first);
out:
    return rc;
}

/* Whether any node of [first, last] is a wanted profile. */
static int gather_any(const cj__plan *p, uint32_t first, uint32_t last)
{
    if (p->simple)
        return 1;
    if (last > p->n_nodes)
        last = p->n_nodes;
    if (p->opts.profiles != NULL && first <= last)
        return cj__bits_any(p->opts.profiles, first, last);
    for (uint32_t node = first; node >= 1 && node <= last; node++) {
        if (p->profile_of[node] == node && cj__plan_wants(p, node))
            return 1;
    }
    return 0;
}

int32_t cj__gather_part(cj__worker *w, int64_t part, uint32_t lo, uint32_t hi)
{
    const cj__plan *p = &w->walk->plan;
    const cj__part *of = &p->parts[part];

    for (int64_t i = cj__plan_block(of, lo); i < of->n_blocks; i++) {
        const cj__part_block *block = &of->blocks[i];
        int32_t rc;

        if (block->first_node >= hi)
            break;
        if (!gather_any(p, block->first_node > lo ? block->first_node : lo,
                        block->last_node < hi ? block->last_node : hi - 1))
            continue;
        rc = gather_some(w, part, block, lo, hi);
        if (rc != CJ_OK)
            return rc;
    }
    return CJ_OK;
}

int32_t cj__gather_journal(cj__worker *w, uint32_t lo, uint32_t hi)
{
    const cj__plan *p = &w->walk->plan;
    int64_t first, end;
    int32_t rc;

    cj__plan_journal(p, lo, hi, &first, &end);
    rc = cj__frame_reserve(&w->gather, w->gather.n + (end - first));
    for (int64_t i = first; rc == CJ_OK && i < end; i++)
        cj__frame_put_row(&w->gather, &p->rows[p->journal[i] & 0xFFFFFFFF],
                          (uint32_t)(p->journal[i] >> 32));
    return rc;
}
