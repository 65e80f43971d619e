/* The bytes of a block to columns and rows, all of them or one node's.  Reads bytes
 * that may be damaged; writes only to what the caller gave and needs no memory but 70
 * KiB of stack (cj__block_rows: an arena).
 *
 * Present values are unpacked to the end of the caller's array and spread from its
 * front: a value is never overwritten before it is read, since as many rows as values
 * are still to come at least. */
#include "store/block_layout.h"

typedef struct block_reader {
    cj__block_layout layout;
    uint32_t n, from, count; /* rows of the block; rows that are read */
    uint32_t runs;           /* of nodes that are read */
    uint32_t ranks[CJ__BLOCK_OPTIONAL];
    uint64_t a[CJ__BLOCK_EVENTS], b[CJ__BLOCK_EVENTS];
    uint8_t presence[CJ__BLOCK_EVENTS]; /* of the rows that are read */
} block_reader;

static int reader_open(block_reader *r, cj__text core)
{
    if (cj__block_layout_read(core, &r->layout) != 0)
        return -1;
    r->n = (uint32_t)r->layout.header.n;
    r->from = 0;
    r->count = r->n;
    memset(r->ranks, 0, sizeof r->ranks);
    return 0;
}

/* ---- nodes ------------------------------------------------------------------------
 */

/* Runs into a[] (steps) and b[] (lengths, made 1 higher). */
static int nodes_read(block_reader *r)
{
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_NODES]);
    uint64_t runs = cj__bytes_varint(&b), rows = 0;
    cj__text steps = cj__bytes_sized(&b), lengths = cj__bytes_rest(&b);

    if (b.bad || runs < 1 || runs > r->n)
        return -1;
    r->runs = (uint32_t)runs;
    if (cj__pack_get(steps, r->runs, 0, r->runs, r->a) != 0 ||
        cj__pack_get(lengths, r->runs, 0, r->runs, r->b) != 0)
        return -1;
    for (uint32_t i = 0; i < r->runs; i++) {
        if (r->b[i] >= r->n)
            return -1;
        rows += ++r->b[i];
    }
    return rows == r->n ? 0 : -1;
}

static void nodes_fill(const block_reader *r, uint32_t *node)
{
    uint64_t value = r->layout.header.first_node;

    for (uint32_t i = 0; i < r->runs; i++) {
        value += r->a[i];
        for (uint64_t k = r->b[i]; k > 0; k--)
            *node++ = (uint32_t)value;
    }
}

/* Narrow the reader to one node's rows; none when it is not there. */
static void nodes_select(block_reader *r, uint32_t node)
{
    uint64_t value = r->layout.header.first_node, from = 0;

    for (uint32_t i = 0; i < r->runs; i++) {
        value += r->a[i];
        if ((uint32_t)value == node) {
            r->from = (uint32_t)from;
            r->count = (uint32_t)r->b[i];
            r->a[0] = value - r->layout.header.first_node;
            r->b[0] = r->count;
            r->runs = 1;
            return;
        }
        from += r->b[i];
    }
    r->runs = r->count = 0;
}

/* ---- times ------------------------------------------------------------------------
 */

/* Each run of a[] and b[] begins anew at the earliest time. */
static int times_read(const block_reader *r, int64_t *time_ms)
{
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_TIMES]);
    uint64_t unit = cj__bytes_varint(&b), now;
    uint64_t *to = (uint64_t *)time_ms; /* int64_t's own unsigned twin */

    if (b.bad || cj__pack_get(cj__bytes_rest(&b), r->n, r->from, r->count, to) != 0)
        return -1;
    for (uint32_t run = 0; run < r->runs; run++) {
        now = (uint64_t)r->layout.header.min_ms;
        for (uint64_t k = r->b[run]; k > 0; k--) {
            now += *to * unit;
            *to++ = now;
        }
    }
    return 0;
}

/* ---- names, channels, what is present ----------------------------------------------
 */

/* out[i] = entry of code a[i]; the entries are a pack of k in b[]. */
static int codes_apply(block_reader *r, cj__text entries, uint32_t k, uint32_t *out)
{
    if (cj__pack_get(entries, k, 0, k, r->b) != 0)
        return -1;
    for (uint32_t i = 0; i < r->count; i++)
        out[i] = (uint32_t)r->b[r->a[i]];
    return 0;
}

static int codes_load(block_reader *r, cj__text index, uint32_t k, uint32_t from,
                      uint32_t count)
{
    uint64_t bad = 0;

    if (cj__pack_get(index, r->n, from, count, r->a) != 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        bad |= r->a[i] >= k;
    return bad ? -1 : 0;
}

/* Values before row `from`, per column: the ranks at the 512 rows before, and the codes
 * from there.  b[] holds the presence bits of codes. */
static int ranks_read(block_reader *r, cj__text index, uint32_t k)
{
    static const uint64_t lanes[16] = {
        0x0000000000000000u, 0x0000000000000001u, 0x0000000000010000u,
        0x0000000000010001u, 0x0000000100000000u, 0x0000000100000001u,
        0x0000000100010000u, 0x0000000100010001u, 0x0001000000000000u,
        0x0001000000000001u, 0x0001000000010000u, 0x0001000000010001u,
        0x0001000100000000u, 0x0001000100000001u, 0x0001000100010000u,
        0x0001000100010001u,
    };
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_RANKS]);
    uint32_t group = r->from / CJ__BLOCK_RANK_ROWS, start = group * CJ__BLOCK_RANK_ROWS;
    uint64_t low = 0, high = 0;

    if (codes_load(r, index, k, start, r->from - start) != 0)
        return -1;
    for (uint32_t i = 0; i < r->from - start; i++) {
        low += lanes[r->b[r->a[i]] & 15];
        high += lanes[r->b[r->a[i]] >> 4 & 15];
    }
    for (uint32_t g = 0; g < group; g++) {
        for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++) {
            if (r->layout.sections[CJ__SECTION_COLUMNS + c].n > 0) {
                r->ranks[c] = cj__bytes_byte(&b);
                r->ranks[c] |= (uint32_t)cj__bytes_byte(&b) << 8;
            }
        }
    }
    for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++)
        r->ranks[c] += (uint32_t)((c < 4 ? low : high) >> (16 * (c & 3)) & 0xffff);
    return b.bad ? -1 : 0;
}

static int codes_read(block_reader *r, uint32_t want, cj__columns *out)
{
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_CODES]);
    uint64_t codes = cj__bytes_varint(&b);
    cj__text names = cj__bytes_sized(&b), channels = cj__bytes_sized(&b);
    cj__text presence = cj__bytes_sized(&b), index = cj__bytes_rest(&b);
    uint32_t k = (uint32_t)codes;

    if (b.bad || codes < 1 || codes > r->n)
        return -1;
    if (r->from > 0) {
        if (cj__pack_get(presence, k, 0, k, r->b) != 0 || ranks_read(r, index, k) != 0)
            return -1;
    }
    if (codes_load(r, index, k, r->from, r->count) != 0)
        return -1;
    if (want & CJ__COL_NAME && codes_apply(r, names, k, out->name) != 0)
        return -1;
    if (want & CJ__COL_CHANNEL && codes_apply(r, channels, k, out->channel) != 0)
        return -1;
    if (cj__pack_get(presence, k, 0, k, r->b) != 0)
        return -1;
    for (uint32_t i = 0; i < r->count; i++)
        r->presence[i] = (uint8_t)r->b[r->a[i]];
    return 0;
}

/* ---- optional columns -------------------------------------------------------------
 */

/* How many of the rows that are read have a value; -1 when the section disagrees. */
static int64_t column_open(const block_reader *r, uint32_t column, uint32_t *m,
                           cj__text *values)
{
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_COLUMNS + column]);
    uint64_t n = b.at == b.end ? 0 : cj__bytes_varint(&b);
    uint32_t present = 0;

    for (uint32_t i = 0; i < r->count; i++)
        present += r->presence[i] >> column & 1;
    *values = cj__bytes_rest(&b);
    *m = (uint32_t)n;
    if (b.bad || n > r->n || r->ranks[column] > n || present > n - r->ranks[column])
        return -1;
    return present;
}

static int column_wide(block_reader *r, uint32_t column, uint64_t *out)
{
    uint32_t m, bit = 1u << column;
    cj__text values;
    int64_t present = column_open(r, column, &m, &values);
    uint64_t *value = out + r->count - (present < 0 ? 0 : present);
    const uint32_t range[3] = {m, r->ranks[column], (uint32_t)present};

    if (present < 0)
        return -1;
    if (present > 0 &&
        (column < CJ__OPT_SESSION ? cj__pack_get(values, m, range[1], range[2], value)
                                  : cj__texts_keys(values, range, r->b, value)) != 0)
        return -1;
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t there = (r->presence[i] & bit) != 0;

        out[i] = there ? *value : 0;
        value += there;
    }
    return 0;
}

static int column_narrow(block_reader *r, uint32_t column, uint32_t *out)
{
    if (column_wide(r, column, r->a) != 0)
        return -1;
    for (uint32_t i = 0; i < r->count; i++)
        out[i] = (uint32_t)r->a[i];
    return 0;
}

static int column_read(block_reader *r, uint32_t column, cj__columns *out)
{
    switch (column) {
    case CJ__OPT_VALUE:
        for (uint32_t i = 0; i < r->count; i++)
            out->has_value[i] = r->presence[i] & 1;
        return column_wide(r, column, (uint64_t *)out->value_minor);
    case CJ__OPT_QUANTITY:
        return column_wide(r, column, (uint64_t *)out->quantity);
    case CJ__OPT_CAMPAIGN:
        return column_narrow(r, column, out->campaign);
    case CJ__OPT_CONTENT:
        return column_narrow(r, column, out->content);
    case CJ__OPT_PRODUCT:
        return column_narrow(r, column, out->product);
    case CJ__OPT_CURRENCY:
        return column_narrow(r, column, out->currency);
    case CJ__OPT_SESSION:
        return column_wide(r, column, out->session);
    default:
        return column_wide(r, column, out->order);
    }
}

/* After nodes_read: everything that is wanted of the rows [from, from + count). */
static int reader_columns(block_reader *r, uint32_t want, cj__columns *out)
{
    const uint32_t optional =
        CJ__COL_ALL & ~(uint32_t)(CJ__COL_TIME | CJ__COL_PROPERTIES);

    nodes_fill(r, out->node);
    if (want & CJ__COL_TIME && times_read(r, out->time_ms) != 0)
        return -1;
    if (want & optional && codes_read(r, want, out) != 0)
        return -1;
    for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++) {
        if (want & cj__block_optional[c] && column_read(r, c, out) != 0)
            return -1;
    }
    out->n = r->count;
    return 0;
}

/* ---- the doors --------------------------------------------------------------------
 */

int32_t cj__block_columns(cj__text core, uint32_t want, cj__columns *out)
{
    block_reader r;

    out->n = 0;
    if (reader_open(&r, core) != 0 || nodes_read(&r) != 0 ||
        reader_columns(&r, want, out) != 0)
        return cj__block_corrupt();
    return CJ_OK;
}

int32_t cj__block_node(cj__text core, uint32_t node, uint32_t want, cj__columns *out,
                       int64_t *first_row_out)
{
    block_reader r;

    out->n = 0;
    *first_row_out = 0;
    if (reader_open(&r, core) != 0 || nodes_read(&r) != 0)
        return cj__block_corrupt();
    nodes_select(&r, node);
    if (r.count == 0)
        return CJ_OK;
    if (reader_columns(&r, want, out) != 0)
        return cj__block_corrupt();
    *first_row_out = r.from;
    return CJ_OK;
}

/* Arrays of n rows for every column but the texts. */
static int32_t rows_columns(cj__arena *arena, uint32_t n, cj__columns *out)
{
    uint32_t *narrow = cj__arena_alloc(arena, sizeof *narrow * 7 * n);
    int64_t *wide = cj__arena_alloc(arena, sizeof *wide * 3 * n);

    out->has_value = cj__arena_alloc(arena, n);
    if (narrow == NULL || wide == NULL || out->has_value == NULL)
        return CJ_ENOMEM;
    out->node = narrow;
    out->name = narrow + n;
    out->channel = narrow + (size_t)2 * n;
    out->campaign = narrow + (size_t)3 * n;
    out->content = narrow + (size_t)4 * n;
    out->product = narrow + (size_t)5 * n;
    out->currency = narrow + (size_t)6 * n;
    out->time_ms = wide;
    out->value_minor = wide + n;
    out->quantity = wide + (size_t)2 * n;
    return CJ_OK;
}

/* Sessions or orders of the rows that have one. */
static int32_t rows_texts(const block_reader *r, uint32_t column, cj__arena *arena,
                          cj__text *to, cj__row *rows)
{
    uint32_t m, at = 0;
    cj__text values;
    int64_t present = column_open(r, column, &m, &values);
    int32_t rc;

    if (present != m)
        return cj__block_corrupt();
    if (m == 0)
        return CJ_OK;
    rc = cj__texts_get(values, m, arena, to);
    for (uint32_t i = 0; rc == CJ_OK && i < r->n; i++) {
        if (r->presence[i] >> column & 1)
            *(column == CJ__OPT_SESSION ? &rows[i].session : &rows[i].order) = to[at++];
    }
    return rc;
}

int32_t cj__block_rows(cj__text core, cj__text props, cj__arena *arena, cj__row *rows,
                       int64_t *n_out)
{
    const uint32_t want =
        CJ__COL_ALL & ~(uint32_t)(CJ__COL_SESSION | CJ__COL_ORDER | CJ__COL_PROPERTIES);
    cj__columns c = {0};
    block_reader r;
    cj__text *texts;

    *n_out = 0;
    if (reader_open(&r, core) != 0 || nodes_read(&r) != 0)
        return cj__block_corrupt();
    texts = cj__arena_alloc(arena, sizeof *texts * r.n);
    if (texts == NULL || rows_columns(arena, r.n, &c) != CJ_OK)
        return CJ_ENOMEM;
    if (reader_columns(&r, want, &c) != 0)
        return cj__block_corrupt();
    for (uint32_t i = 0; i < r.n; i++)
        rows[i] = (cj__row){
            c.time_ms[i], c.quantity[i], c.value_minor[i], c.node[i],
            c.name[i],    c.channel[i],  c.campaign[i],    c.content[i],
            c.product[i], c.currency[i], c.has_value[i],   {NULL, 0},
            {NULL, 0},
                 {NULL, 0}
        };
    int32_t rc = rows_texts(&r, CJ__OPT_SESSION, arena, texts, rows);
    if (rc == CJ_OK)
        rc = rows_texts(&r, CJ__OPT_ORDER, arena, texts, rows);
    if (rc == CJ_OK && props.n > 0)
        rc = cj__props_decode(props, arena, r.n, texts);
    for (uint32_t i = 0; rc == CJ_OK && props.n > 0 && i < r.n; i++)
        rows[i].properties = texts[i];
    if (rc == CJ_OK)
        *n_out = r.n;
    return rc;
}
