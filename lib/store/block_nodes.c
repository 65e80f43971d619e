/* An index of a block's nodes, for who keeps it in memory: the packs of the section as
 * they are, a bit or three per node, and a mark every 64 runs, so that to find a node
 * is to search the marks and to unpack 64 steps.  Never stored.
 *
 * Bytes: head; per mark the node and, behind all of those, the first row of its run;
 * steps; lengths. */
#include "store/block_layout.h"

enum { NODES_RUNS = 64 }; /* between two marks */

typedef struct nodes_head {
    uint32_t runs, n_steps; /* n_steps: bytes */
} nodes_head;

typedef struct nodes_index {
    nodes_head head;
    uint32_t n_marks;
    const uint8_t *nodes, *rows; /* of the marks: 4 and 2 bytes each */
    cj__text steps, lengths;
} nodes_index;

static uint32_t nodes_marks(uint32_t runs)
{
    return (runs + NODES_RUNS - 1) / NODES_RUNS;
}

/* Steps and lengths of the runs, unpacked, must make the block's rows. */
static int nodes_marks_put(const cj__block_layout *l, uint32_t runs,
                           const uint64_t *steps, const uint64_t *lengths,
                           cj__str *index)
{
    uint16_t row[CJ__BLOCK_EVENTS / NODES_RUNS];
    uint32_t node = l->header.first_node;
    uint64_t rows = 0;

    for (uint32_t i = 0; i < runs; i++) {
        node += (uint32_t)steps[i];
        if (i % NODES_RUNS == 0) {
            row[i / NODES_RUNS] = (uint16_t)rows;
            cj__str_put(index, &node, sizeof node);
        }
        if (lengths[i] >= (uint64_t)l->header.n)
            return -1;
        rows += lengths[i] + 1;
    }
    cj__str_put(index, row, nodes_marks(runs) * sizeof *row);
    return rows == (uint64_t)l->header.n ? 0 : -1;
}

int32_t cj__block_nodes(cj__text core, cj__str *index)
{
    uint64_t unpacked[2][CJ__BLOCK_EVENTS];
    cj__text steps, lengths;
    cj__block_layout l;
    nodes_head head;

    if (cj__block_layout_read(core, &l) != 0 ||
        cj__block_layout_nodes(&l, &head.runs, &steps, &lengths) != 0 ||
        cj__pack_get(steps, head.runs, 0, head.runs, unpacked[0]) != 0 ||
        cj__pack_get(lengths, head.runs, 0, head.runs, unpacked[1]) != 0)
        return cj__block_corrupt();
    head.n_steps = (uint32_t)steps.n;
    cj__str_put(index, &head, sizeof head);
    if (nodes_marks_put(&l, head.runs, unpacked[0], unpacked[1], index) != 0)
        return cj__block_corrupt();
    cj__str_put(index, steps.data, steps.n);
    cj__str_put(index, lengths.data, lengths.n);
    return cj__str_status(index);
}

static nodes_index nodes_open(cj__text bytes)
{
    cj__bytes b = cj__bytes_of(bytes);
    nodes_index x;

    memcpy(&x.head, cj__bytes_take(&b, sizeof x.head).data, sizeof x.head);
    x.n_marks = nodes_marks(x.head.runs);
    x.nodes = b.at;
    x.rows = x.nodes + (size_t)x.n_marks * 4;
    (void)cj__bytes_take(&b, (uint64_t)x.n_marks * 6);
    x.steps = cj__bytes_take(&b, x.head.n_steps);
    x.lengths = cj__bytes_rest(&b);
    return x;
}

static uint32_t mark_node(const nodes_index *x, uint32_t mark)
{
    return (uint32_t)cj__load_part(x->nodes + (size_t)mark * 4, 4);
}

/* The last mark whose node is not behind this one; the first when all are. */
static uint32_t nodes_mark(const nodes_index *x, uint32_t node)
{
    uint32_t low = 0, high = x->n_marks;

    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;

        if (mark_node(x, middle) <= node)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int32_t cj__block_find(cj__text index, uint32_t node, uint32_t range[2])
{
    const nodes_index x = nodes_open(index);
    const uint32_t mark = nodes_mark(&x, node), from = mark * NODES_RUNS;
    const uint32_t left = x.head.runs - from;
    const uint32_t n = left < NODES_RUNS ? left : NODES_RUNS;
    uint32_t at = mark_node(&x, mark), run = 0;
    uint64_t values[NODES_RUNS];

    range[0] = range[1] = 0;
    if (cj__pack_get(x.steps, x.head.runs, from, n, values) != 0)
        return cj__block_corrupt();
    while (at < node && ++run < n)
        at += (uint32_t)values[run];
    if (at != node)
        return CJ_OK;
    if (cj__pack_get(x.lengths, x.head.runs, from, run + 1, values) != 0)
        return cj__block_corrupt();
    range[1] = (uint32_t)cj__load_part(x.rows + (size_t)mark * 2, 2);
    for (uint32_t i = 0; i <= run; i++) {
        range[0] = range[1];
        range[1] += (uint32_t)values[i] + 1;
    }
    return CJ_OK;
}
