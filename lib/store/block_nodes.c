/* An index of a block's nodes, for who keeps it in memory: marks every 64 runs, and of
 * the runs behind each their steps and lengths as small packs, some bits a node.  To
 * find a node is to search the marks and to unpack 64 steps; the section's own packs
 * add up all widths before a place.  Never stored.
 *
 * Bytes: runs (4); of all marks the nodes (4 each), of all the first rows (2), of all
 * where their packs are (2); the packs, sized: steps, lengths. */
#include "store/block_layout.h"

enum { NODES_RUNS = 64, NODES_MARKS = CJ__BLOCK_EVENTS / NODES_RUNS };

static uint32_t nodes_marks(uint32_t runs)
{
    return (runs + NODES_RUNS - 1) / NODES_RUNS;
}

typedef struct nodes_maker {
    uint64_t steps[CJ__BLOCK_EVENTS], lengths[CJ__BLOCK_EVENTS];
    uint32_t node[NODES_MARKS];
    uint16_t row[NODES_MARKS], at[NODES_MARKS];
} nodes_maker;

/* Steps and lengths of the runs must make the block's rows. */
static int nodes_mark_all(nodes_maker *m, const cj__block_layout *l, uint32_t runs)
{
    uint32_t node = l->header.first_node;
    uint64_t rows = 0;

    for (uint32_t i = 0; i < runs; i++) {
        node += (uint32_t)m->steps[i];
        if (i % NODES_RUNS == 0) {
            m->node[i / NODES_RUNS] = node;
            m->row[i / NODES_RUNS] = (uint16_t)rows;
        }
        if (m->lengths[i] >= (uint64_t)l->header.n)
            return -1;
        rows += m->lengths[i] + 1;
    }
    return rows == (uint64_t)l->header.n ? 0 : -1;
}

static void nodes_pack(cj__str *packs, const uint64_t *values, uint32_t n)
{
    const size_t start = packs->n;

    cj__pack_put_fast(packs, values, n, 0);
    cj__str_size_since(packs, start);
}

static int32_t nodes_put(nodes_maker *m, uint32_t runs, cj__str *index)
{
    const uint32_t n = nodes_marks(runs);
    cj__str packs;
    int32_t rc;

    cj__str_init(&packs, index->allocator, 1 << 16);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t from = i * NODES_RUNS, left = runs - from;
        const uint32_t count = left < NODES_RUNS ? left : NODES_RUNS;

        m->at[i] = (uint16_t)packs.n;
        m->steps[from] = count > 1 ? m->steps[from + 1] : 0; /* the mark has it */
        nodes_pack(&packs, m->steps + from, count);
        nodes_pack(&packs, m->lengths + from, count);
    }
    cj__str_put(index, &runs, sizeof runs);
    cj__str_put(index, m->node, n * sizeof *m->node);
    cj__str_put(index, m->row, n * sizeof *m->row);
    cj__str_put(index, m->at, n * sizeof *m->at);
    rc = cj__str_status(&packs);
    if (rc == CJ_OK)
        cj__str_put(index, packs.data, packs.n);
    cj__str_end(&packs);
    return rc == CJ_OK ? cj__str_status(index) : rc;
}

int32_t cj__block_nodes(cj__text core, cj__str *index)
{
    cj__text steps, lengths;
    cj__block_layout l;
    nodes_maker m;
    uint32_t runs;

    if (cj__block_layout_read(core, &l) != 0 ||
        cj__block_layout_nodes(&l, &runs, &steps, &lengths) != 0 ||
        cj__pack_get(steps, runs, 0, runs, m.steps) != 0 ||
        cj__pack_get(lengths, runs, 0, runs, m.lengths) != 0 ||
        nodes_mark_all(&m, &l, runs) != 0)
        return cj__block_corrupt();
    return nodes_put(&m, runs, index);
}

/* Number `at` of those of so many bytes. */
static uint32_t nodes_number(const uint8_t *numbers, uint32_t at, size_t bytes)
{
    return (uint32_t)cj__load_part(numbers + at * bytes, bytes);
}

/* The last mark whose node is not behind this one; the first when all are. */
static uint32_t nodes_mark(const uint8_t *nodes, uint32_t n, uint32_t node)
{
    uint32_t low = 0, high = n;

    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;

        if (nodes_number(nodes, middle, 4) <= node)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int32_t cj__block_find(cj__text index, uint32_t node, uint32_t range[2])
{
    cj__bytes b = cj__bytes_of(index);
    const uint32_t runs =
        nodes_number((const uint8_t *)cj__bytes_take(&b, 4).data, 0, 4);
    const uint32_t n = nodes_marks(runs), mark = nodes_mark(b.at, n, node);
    const uint8_t *rows = b.at + (size_t)n * 4, *places = rows + (size_t)n * 2;
    const uint32_t left = runs - mark * NODES_RUNS;
    const uint32_t count = left < NODES_RUNS ? left : NODES_RUNS;
    uint32_t at = nodes_number(b.at, mark, 4), run = 0;
    uint64_t values[NODES_RUNS];

    range[0] = range[1] = 0;
    (void)cj__bytes_take(&b, (uint64_t)n * 8 + nodes_number(places, mark, 2));
    if (cj__pack_get(cj__bytes_sized(&b), count, 0, count, values) != 0)
        return cj__block_corrupt();
    while (at < node && ++run < count)
        at += (uint32_t)values[run];
    if (at != node)
        return CJ_OK;
    if (cj__pack_get(cj__bytes_sized(&b), count, 0, run + 1, values) != 0)
        return cj__block_corrupt();
    range[1] = nodes_number(rows, mark, 2);
    for (uint32_t i = 0; i <= run; i++) {
        range[0] = range[1];
        range[1] += (uint32_t)values[i] + 1;
    }
    return CJ_OK;
}
