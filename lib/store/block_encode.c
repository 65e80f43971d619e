/* Rows to the bytes of a block.  Rows are expected sorted by (node, time), which makes
 * them small; any rows come back exactly.
 *
 * The layout in short (docs/FORMAT.md has every byte): a head with checksums and the
 * lengths of twelve sections, so that a reader skips what it does not want; runs of
 * nodes; times as ticks since the event before; one code per row for (name, channel,
 * which columns are present); and eight columns that hold present values only.  To
 * enter such a column at a row, a reader needs the number of values before it: the
 * ranks section has it for every 512th row, codes tell the rest. */
#include "base/hash.h"
#include "store/block_layout.h"

typedef struct block_code {
    uint32_t name, channel, presence;
} block_code;

typedef struct block_encoder {
    cj__texter texter;
    const cj__row *rows;
    uint32_t n, columns, optional; /* presence bits of the columns */
    int64_t min_ms, max_ms;
    uint32_t n_codes, n_ranks;
    uint64_t a[CJ__BLOCK_EVENTS], b[CJ__BLOCK_EVENTS];
    cj__text texts[CJ__BLOCK_EVENTS];
    uint8_t presence[CJ__BLOCK_EVENTS];
    block_code codes[CJ__BLOCK_EVENTS];
    uint16_t slots[2 * CJ__BLOCK_EVENTS];
    size_t sizes[CJ__BLOCK_SECTIONS];
} block_encoder;

static uint32_t row_presence(const cj__row *row)
{
    return (uint32_t)(row->has_value != 0) << CJ__OPT_VALUE |
           (uint32_t)(row->quantity != 0) << CJ__OPT_QUANTITY |
           (uint32_t)(row->campaign != 0) << CJ__OPT_CAMPAIGN |
           (uint32_t)(row->content != 0) << CJ__OPT_CONTENT |
           (uint32_t)(row->product != 0) << CJ__OPT_PRODUCT |
           (uint32_t)(row->currency != 0) << CJ__OPT_CURRENCY |
           (uint32_t)(row->session.data != NULL) << CJ__OPT_SESSION |
           (uint32_t)(row->order.data != NULL) << CJ__OPT_ORDER;
}

static uint64_t row_number(const cj__row *row, uint32_t column)
{
    switch (column) {
    case CJ__OPT_VALUE:
        return (uint64_t)row->value_minor;
    case CJ__OPT_QUANTITY:
        return (uint64_t)row->quantity;
    case CJ__OPT_CAMPAIGN:
        return row->campaign;
    case CJ__OPT_CONTENT:
        return row->content;
    case CJ__OPT_PRODUCT:
        return row->product;
    default:
        return row->currency;
    }
}

/* ---- sections ---------------------------------------------------------------------
 */

static void put_nodes(block_encoder *e, cj__str *out)
{
    uint32_t runs = 0, node = e->rows[0].node, start = 0;
    size_t before;

    e->a[0] = 0;
    for (uint32_t i = 1; i <= e->n; i++) {
        if (i < e->n && e->rows[i].node == node)
            continue;
        e->b[runs++] = i - start - 1;
        start = i;
        if (i < e->n) {
            e->a[runs] = (uint64_t)e->rows[i].node - node;
            node = e->rows[i].node;
        }
    }
    cj__str_put_varint(out, runs);
    before = out->n;
    cj__pack_put_fast(out, e->a, runs, 0);
    cj__str_size_since(out, before);
    cj__pack_put_fast(out, e->b, runs, 0);
}

static void put_times(block_encoder *e, cj__str *out)
{
    for (uint32_t i = 0; i < e->n; i++) {
        int64_t before = e->min_ms;

        if (i > 0 && e->rows[i].node == e->rows[i - 1].node)
            before = e->rows[i - 1].time_ms;
        e->a[i] = (uint64_t)e->rows[i].time_ms - (uint64_t)before;
    }
    cj__pack_put(&e->texter.packer, out, e->a, e->n);
}

static uint32_t code_find(block_encoder *e, block_code code)
{
    enum { SLOTS = 2 * CJ__BLOCK_EVENTS };
    uint64_t hash =
        ((uint64_t)code.name << 40 ^ (uint64_t)code.channel << 8 ^ code.presence) *
        0x9e3779b97f4a7c15u;
    uint32_t slot = (uint32_t)(hash >> 40) % SLOTS;

    for (; e->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        const block_code *known = &e->codes[e->slots[slot] - 1];

        if (known->name == code.name && known->channel == code.channel &&
            known->presence == code.presence)
            return e->slots[slot] - 1u;
    }
    e->codes[e->n_codes] = code;
    e->slots[slot] = (uint16_t)++e->n_codes;
    return e->n_codes - 1;
}

static void put_codes(block_encoder *e, cj__str *out)
{
    cj__packer *packer = &e->texter.packer;
    uint32_t k;

    for (uint32_t i = 0; i < e->n; i++) {
        const cj__row *row = &e->rows[i];
        block_code code = {row->name, row->channel, row_presence(row) & e->optional};

        if (!(e->columns & CJ__COL_NAME))
            code.name = 0;
        if (!(e->columns & CJ__COL_CHANNEL))
            code.channel = 0;
        e->presence[i] = (uint8_t)code.presence;
        e->a[i] = code_find(e, code);
    }
    k = e->n_codes;
    cj__str_put_varint(out, k);
    for (uint32_t i = 0; i < k; i++)
        e->b[i] = e->codes[i].name;
    cj__pack_put_sized(packer, out, e->b, k);
    for (uint32_t i = 0; i < k; i++)
        e->b[i] = e->codes[i].channel;
    cj__pack_put_sized(packer, out, e->b, k);
    for (uint32_t i = 0; i < k; i++)
        e->b[i] = e->codes[i].presence;
    cj__pack_put_sized(packer, out, e->b, k);
    cj__pack_put_fast(out, e->a, e->n, 1);
}

/* Presence bits of eight rows at a time: a column is a bit of each byte. */
static void put_ranks(block_encoder *e, cj__str *out)
{
    const uint64_t each = 0x0101010101010101u;
    uint32_t ranks[CJ__BLOCK_OPTIONAL] = {0}, any = 0;

    _Static_assert(CJ__BLOCK_RANK_ROWS % 8 == 0, "ranks stand at whole words");
    for (uint32_t i = 0; i < e->n; i++)
        any |= e->presence[i];
    for (uint32_t at = 0; at + CJ__BLOCK_RANK_ROWS < e->n; at += CJ__BLOCK_RANK_ROWS) {
        for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++) {
            uint8_t bytes[2];

            for (uint32_t i = at; i < at + CJ__BLOCK_RANK_ROWS; i += 8)
                ranks[c] += cj__count_bits(cj__load64(e->presence + i) >> c & each);
            bytes[0] = (uint8_t)ranks[c];
            bytes[1] = (uint8_t)(ranks[c] >> 8);
            if (any >> c & 1)
                cj__str_put(out, bytes, sizeof bytes);
        }
    }
}

static void put_column(block_encoder *e, cj__str *out, uint32_t column)
{
    uint32_t m = 0;

    for (uint32_t i = 0; i < e->n; i++) {
        const cj__row *row = &e->rows[i];

        if (!(e->presence[i] >> column & 1))
            continue;
        if (column < CJ__OPT_SESSION)
            e->a[m++] = row_number(row, column);
        else
            e->texts[m++] = column == CJ__OPT_SESSION ? row->session : row->order;
    }
    if (m == 0)
        return;
    cj__str_put_varint(out, m);
    if (column < CJ__OPT_SESSION)
        cj__pack_put(&e->texter.packer, out, e->a, m);
    else
        cj__texts_put(&e->texter, out, e->texts, m);
}

static void put_section(block_encoder *e, cj__str *out, uint32_t section)
{
    size_t start = out->n;

    switch (section) {
    case CJ__SECTION_NODES:
        put_nodes(e, out);
        break;
    case CJ__SECTION_TIMES:
        put_times(e, out);
        break;
    case CJ__SECTION_CODES:
        put_codes(e, out);
        break;
    case CJ__SECTION_RANKS:
        put_ranks(e, out);
        break;
    default:
        put_column(e, out, section - CJ__SECTION_COLUMNS);
    }
    e->sizes[section] = out->n - start;
}

/* ---- the whole --------------------------------------------------------------------
 */

static void put_fields(const block_encoder *e, cj__str *out)
{
    uint32_t first = e->rows[0].node, last = e->rows[e->n - 1].node;

    cj__str_put_varint(out, e->n);
    cj__str_put_varint(out, e->columns);
    cj__str_put_varint(out, first);
    cj__str_put_varint(out, last < first ? 0 : last - first);
    cj__str_put_varint(out, cj__zigzag(e->min_ms));
    cj__str_put_varint(out, (uint64_t)e->max_ms - (uint64_t)e->min_ms);
    for (uint32_t i = 0; i < CJ__BLOCK_SECTIONS; i++)
        cj__str_put_varint(out, e->sizes[i]);
}

static void encoder_begin(block_encoder *e, const cj__row *rows, uint32_t n,
                          uint32_t columns)
{
    e->rows = rows;
    e->n = n;
    e->columns = (columns & CJ__COL_ALL) | CJ__COL_TIME;
    e->n_codes = 0;
    e->optional = 0;
    for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++)
        e->optional |= (uint32_t)((columns & cj__block_optional[c]) != 0) << c;
    memset(e->slots, 0, sizeof e->slots);
    e->min_ms = e->max_ms = rows[0].time_ms;
    for (uint32_t i = 1; i < n; i++) {
        e->min_ms = rows[i].time_ms < e->min_ms ? rows[i].time_ms : e->min_ms;
        e->max_ms = rows[i].time_ms > e->max_ms ? rows[i].time_ms : e->max_ms;
    }
}

int32_t cj__block_encode(const cj__allocator *a, const cj__row *rows, int64_t n,
                         uint32_t columns, cj__str *core, cj__str *props)
{
    static const uint8_t head[CJ__BLOCK_FIELDS] = {CJ__BLOCK_MARK};
    size_t start = core->n, props_start = props->n;
    block_encoder *e = NULL;
    uint8_t *bytes;
    cj__str body;
    int32_t rc;

    cj__str_init(&body, a, core->max);
    if (n < 1 || n > CJ__BLOCK_EVENTS)
        CJ_TRY(cj__fail(CJ_EINVAL, "a block holds 1 to %d events", CJ__BLOCK_EVENTS));
    e = cj__alloc(a, sizeof *e);
    if (e == NULL)
        CJ_TRY(CJ_ENOMEM);
    encoder_begin(e, rows, (uint32_t)n, columns);
    for (uint32_t i = 0; i < CJ__BLOCK_SECTIONS; i++)
        put_section(e, &body, i);
    CJ_TRY(cj__str_status(&body));
    if (columns & CJ__COL_PROPERTIES)
        CJ_TRY(cj__props_encode(a, rows, n, props));
    CJ_TRY(cj__str_status(props));
    cj__str_put(core, head, sizeof head);
    put_fields(e, core);
    cj__str_put(core, body.data, body.n);
    CJ_TRY(cj__str_status(core));
    bytes = (uint8_t *)core->data + start;
    if (props->n > props_start)
        cj__store64(bytes + CJ__BLOCK_PROPS_SUM,
                    cj__hash64(0, props->data + props_start, props->n - props_start));
    cj__store64(bytes + CJ__BLOCK_SUM,
                cj__hash64(0, bytes + CJ__BLOCK_PROPS_SUM,
                           core->n - start - CJ__BLOCK_PROPS_SUM));
out:
    cj__free(a, e, sizeof *e);
    cj__str_end(&body);
    return rc;
}
