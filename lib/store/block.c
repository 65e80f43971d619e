/* The head of a block: what encoder and decoder agree on, and its checksums.  Knows
 * nothing of what the sections hold. */
#include "base/hash.h"
#include "store/block_layout.h"

const uint32_t cj__block_optional[CJ__BLOCK_OPTIONAL] = {
    CJ__COL_VALUE,   CJ__COL_QUANTITY, CJ__COL_CAMPAIGN, CJ__COL_CONTENT,
    CJ__COL_PRODUCT, CJ__COL_CURRENCY, CJ__COL_SESSION,  CJ__COL_ORDER,
};

int32_t cj__block_corrupt(void)
{
    return cj__fail(CJ_ECORRUPT, "a block of events is damaged: run cj_check");
}

int cj__block_layout_read(cj__text core, cj__block_layout *out)
{
    cj__bytes b = cj__bytes_of(core);
    uint64_t n, columns, first, nodes, sizes[CJ__BLOCK_SECTIONS];

    if (cj__bytes_byte(&b) != CJ__BLOCK_MARK)
        return -1;
    cj__bytes_take(&b, CJ__BLOCK_FIELDS - 1);
    n = cj__bytes_varint(&b);
    columns = cj__bytes_varint(&b);
    first = cj__bytes_varint(&b);
    nodes = cj__bytes_varint(&b);
    if (n < 1 || n > CJ__BLOCK_EVENTS || columns > CJ__COL_ALL || first > UINT32_MAX ||
        nodes > UINT32_MAX - first)
        return -1;
    out->header.n = (int64_t)n;
    out->header.columns = (uint32_t)columns;
    out->header.first_node = (uint32_t)first;
    out->header.last_node = (uint32_t)(first + nodes);
    out->header.min_ms = cj__unzigzag(cj__bytes_varint(&b));
    out->header.max_ms = (int64_t)((uint64_t)out->header.min_ms + cj__bytes_varint(&b));
    for (int i = 0; i < CJ__BLOCK_SECTIONS; i++)
        sizes[i] = cj__bytes_varint(&b);
    for (int i = 0; i < CJ__BLOCK_SECTIONS; i++)
        out->sections[i] = cj__bytes_take(&b, sizes[i]);
    return b.bad || b.at != b.end ? -1 : 0;
}

int cj__block_layout_nodes(const cj__block_layout *layout, uint32_t *runs,
                           cj__text *steps, cj__text *lengths)
{
    cj__bytes b = cj__bytes_of(layout->sections[CJ__SECTION_NODES]);
    uint64_t n = cj__bytes_varint(&b);

    *steps = cj__bytes_sized(&b);
    *lengths = cj__bytes_rest(&b);
    *runs = (uint32_t)n;
    return b.bad || n < 1 || n > (uint64_t)layout->header.n ? -1 : 0;
}

int32_t cj__block_open(cj__text core, cj__text props, cj__block_header *out)
{
    cj__block_layout layout;
    const uint8_t *bytes = (const uint8_t *)core.data;
    uint64_t sum;

    memset(out, 0, sizeof *out);
    if (core.n < CJ__BLOCK_FIELDS ||
        cj__load64(bytes + CJ__BLOCK_SUM) !=
            cj__hash64(0, bytes + CJ__BLOCK_PROPS_SUM, core.n - CJ__BLOCK_PROPS_SUM) ||
        cj__block_layout_read(core, &layout) != 0)
        return cj__block_corrupt();
    if (props.data != NULL) {
        sum = props.n == 0 ? 0 : cj__hash64(0, props.data, props.n);
        if (sum != cj__load64(bytes + CJ__BLOCK_PROPS_SUM))
            return cj__fail(CJ_ECORRUPT,
                            "properties of a block are damaged: run cj_check");
    }
    *out = layout.header;
    return CJ_OK;
}
