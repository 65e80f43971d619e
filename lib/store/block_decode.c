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
    cj__text steps, lengths;
    uint64_t rows = 0;

    if (cj__block_layout_nodes(&r->layout, &r->runs, &steps, &lengths) != 0 ||
        cj__pack_get(steps, r->runs, 0, r->runs, r->a) != 0 ||
        cj__pack_get(lengths, r->runs, 0, r->runs, r->b) != 0)
        return -1;
    for (uint32_t i = 0; i < r->runs; i++) {
        if (r->b[i] >= r->n)
            return -1;
        rows += ++r->b[i];
    }
    return rows == r->n ? 0 : -1;
}

/* From now on one node's run is the only one. */
static void nodes_narrow(block_reader *r, uint32_t node, uint32_t from, uint32_t count)
{
    r->from = from;
    r->count = count;
    r->a[0] = node - r->layout.header.first_node;
    r->b[0] = count;
    r->runs = 1;
}

/* Narrow the reader to one node's run; to none when it is not there.
 * Steps are read in parts, since half of them suffice on average. */
static int nodes_find(block_reader *r, uint32_t node)
{
    enum { PART = 512 };
    uint32_t value = r->layout.header.first_node, n, run = 0;
    cj__text steps, lengths;
    uint64_t rows = 0;
    int found = 0;

    if (cj__block_layout_nodes(&r->layout, &r->runs, &steps, &lengths) != 0)
        return -1;
    for (uint32_t at = 0; at < r->runs && !found; at += n) {
        n = r->runs - at < PART ? r->runs - at : PART;
        if (cj__pack_get(steps, r->runs, at, n, r->a) != 0)
            return -1;
        for (uint32_t i = 0; i < n && !found; i++, run += !found)
            found = (value += (uint32_t)r->a[i]) == node;
    }
    r->count = 0;
    if (!found)
        return 0;
    if (cj__pack_get(lengths, r->runs, 0, run + 1, r->b) != 0)
        return -1;
    for (uint32_t i = 0; i <= run; i++) {
        r->from = (uint32_t)rows;
        rows += r->b[i] + 1;
        if (r->b[i] >= r->n || rows > r->n)
            return -1;
    }
    nodes_narrow(r, node, r->from, (uint32_t)rows - r->from);
    return 0;
}

/* Most runs are short, and a loop's end that cannot be foretold costs more than storing
 * four nodes always: what is stored too much is stored again by the next run. */
static void nodes_fill(const block_reader *r, uint32_t *node)
{
    uint32_t value = r->layout.header.first_node, at = 0;

    for (uint32_t i = 0; i < r->runs; i++) {
        uint32_t end = at + (uint32_t)r->b[i];

        value += (uint32_t)r->a[i];
        if (at + 4 <= r->count) {
            node[at] = node[at + 1] = node[at + 2] = node[at + 3] = value;
            at += 4;
        }
        for (; at < end; at++)
            node[at] = value;
        at = end;
    }
}

/* Nodes and times in one go over the runs.  Each begins anew at the earliest time. */
static int nodes_times(const block_reader *r, uint32_t *node, int64_t *time_ms)
{
    uint64_t *times = (uint64_t *)time_ms, now; /* int64_t's own unsigned twin */
    uint32_t value = r->layout.header.first_node, at = 0;

    if (cj__pack_get(r->layout.sections[CJ__SECTION_TIMES], r->n, r->from, r->count,
                     times) != 0)
        return -1;
    for (uint32_t i = 0; i < r->runs; i++) {
        uint32_t end = at + (uint32_t)r->b[i];

        value += (uint32_t)r->a[i];
        now = (uint64_t)r->layout.header.min_ms;
        for (; at < end; at++) {
            now += times[at];
            times[at] = now;
            node[at] = value;
        }
    }
    return 0;
}

/* ---- names, channels, what is present ----------------------------------------------
 */

enum { CODES_CHUNK = 512 }; /* codes at a time: they stay in the fastest cache */

typedef struct block_codes {
    cj__text names, channels, presence, index; /* packs */
    uint32_t k;
    uint64_t mask;
} block_codes;

static int codes_open(const block_reader *r, block_codes *c)
{
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_CODES]);
    uint64_t k = cj__bytes_varint(&b);

    c->k = (uint32_t)k;
    c->names = cj__bytes_sized(&b);
    c->channels = cj__bytes_sized(&b);
    c->presence = cj__bytes_sized(&b);
    c->index = cj__bytes_rest(&b);
    return b.bad || k < 1 || k > r->n ? -1 : 0;
}

/* What codes mean: a[] becomes name << 32 | presence bits, b[] the channel.  Filled up
 * to the next power of two, so that any index can be cut to fit. */
static int codes_tables(block_reader *r, block_codes *c, uint32_t want)
{
    c->mask = cj__low_bits(cj__bit_length(c->k - 1));
    memset(r->a, 0, sizeof *r->a * (c->mask + 1));
    memset(r->b, 0, sizeof *r->b * (c->mask + 1));
    if (cj__pack_get(c->names, c->k, 0, c->k, r->a) != 0 ||
        cj__pack_get(c->presence, c->k, 0, c->k, r->b) != 0)
        return -1;
    for (uint32_t i = 0; i < c->k; i++)
        r->a[i] = r->a[i] << 32 | (uint8_t)r->b[i];
    return want & CJ__COL_CHANNEL ? cj__pack_get(c->channels, c->k, 0, c->k, r->b) : 0;
}

/* Values before row `from`, per column: the ranks at the 512 rows before, and the codes
 * from there. */
static int ranks_read(block_reader *r, const block_codes *c)
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
    uint64_t low = 0, high = 0, codes[CODES_CHUNK];

    _Static_assert((int)CODES_CHUNK >= (int)CJ__BLOCK_RANK_ROWS,
                   "codes of a rank's rows fit");
    if (cj__pack_get(c->index, r->n, start, r->from - start, codes) != 0)
        return -1;
    for (uint32_t i = 0; i < r->from - start; i++) {
        uint64_t bits = r->a[codes[i] & c->mask];

        low += lanes[bits & 15];
        high += lanes[bits >> 4 & 15];
    }
    for (uint32_t g = 0; g < group; g++) {
        for (uint32_t o = 0; o < CJ__BLOCK_OPTIONAL; o++) {
            if (r->layout.sections[CJ__SECTION_COLUMNS + o].n > 0) {
                r->ranks[o] = cj__bytes_byte(&b);
                r->ranks[o] |= (uint32_t)cj__bytes_byte(&b) << 8;
            }
        }
    }
    for (uint32_t o = 0; o < CJ__BLOCK_OPTIONAL; o++)
        r->ranks[o] += (uint32_t)((o < 4 ? low : high) >> (16 * (o & 3)) & 0xffff);
    return b.bad ? -1 : 0;
}

/* Overwrites a[] and b[]. */
static int codes_read(block_reader *r, uint32_t want, cj__columns *out)
{
    uint32_t *name = want & CJ__COL_NAME ? out->name : NULL, n;
    uint32_t *channel = want & CJ__COL_CHANNEL ? out->channel : NULL;
    uint64_t codes[CODES_CHUNK], outside = 0;
    block_codes c;

    if (codes_open(r, &c) != 0 || codes_tables(r, &c, want) != 0 ||
        (r->from > 0 && ranks_read(r, &c) != 0))
        return -1;
    for (uint32_t at = 0; at < r->count; at += n) {
        n = r->count - at < CODES_CHUNK ? r->count - at : CODES_CHUNK;
        if (cj__pack_get(c.index, r->n, r->from + at, n, codes) != 0)
            return -1;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t code = codes[i] & c.mask;

            outside |= codes[i];
            r->presence[at + i] = (uint8_t)r->a[code];
            if (name != NULL)
                name[at + i] = (uint32_t)(r->a[code] >> 32);
            if (channel != NULL)
                channel[at + i] = (uint32_t)r->b[code];
        }
    }
    return outside > c.mask ? -1 : 0;
}

/* ---- optional columns -------------------------------------------------------------
 */

static const uint64_t block_bytes = 0x0101010101010101u; /* a bit of each byte */

/* How many of the rows that are read have a value; -1 when the section disagrees. */
static int64_t column_open(const block_reader *r, uint32_t column, uint32_t *m,
                           cj__text *values)
{
    cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_COLUMNS + column]);
    uint64_t n = b.at == b.end ? 0 : cj__bytes_varint(&b);
    uint32_t present = 0, i = 0;

    for (; i + 8 <= r->count; i += 8) {
        uint64_t bits = cj__load64(r->presence + i) >> column & block_bytes;

        present += (uint32_t)((bits * block_bytes) >> 56);
    }
    for (; i < r->count; i++)
        present += r->presence[i] >> column & 1;
    *values = cj__bytes_rest(&b);
    *m = (uint32_t)n;
    if (b.bad || n > r->n || r->ranks[column] > n || present > n - r->ranks[column])
        return -1;
    return present;
}

/* Spread the values at `value`, as many as rows are present, over out[0 .. count). */
static void column_spread(const block_reader *r, uint32_t column, const uint64_t *value,
                          uint64_t *out)
{
    const uint64_t *end = out + r->count;
    uint32_t i = 0;

    if (value == out) /* as many values as rows */
        return;
    for (; i + 8 <= r->count; i += 8) {
        uint64_t bits = cj__load64(r->presence + i) >> column & block_bytes;

        if (bits == 0)
            memset(out + i, 0, 8 * sizeof *out);
        else if (bits == block_bytes) {
            memmove(out + i, value, 8 * sizeof *out);
            value += 8;
        } else {
            for (uint32_t k = i; k < i + 8; k++, bits >>= 8) {
                out[k] = value < end ? *value & (0 - (bits & 1)) : 0;
                value += bits & 1;
            }
        }
    }
    for (; i < r->count; i++) {
        uint64_t there = r->presence[i] >> column & 1;

        out[i] = there ? *value : 0;
        value += there;
    }
}

static int column_wide(block_reader *r, uint32_t column, uint64_t *out)
{
    uint32_t m;
    cj__text values;
    int64_t present = column_open(r, column, &m, &values);
    const uint32_t range[3] = {m, r->ranks[column], (uint32_t)present};
    uint64_t *value;

    if (present < 0)
        return -1;
    value = out + r->count - present;
    if (present > 0 &&
        (column < CJ__OPT_SESSION ? cj__pack_get(values, m, range[1], range[2], value)
                                  : cj__texts_keys(values, range, r->b, value)) != 0)
        return -1;
    column_spread(r, column, value, out);
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

static void column_flags(const block_reader *r, uint32_t column, uint8_t *out)
{
    uint32_t i = 0;

    for (; i + 8 <= r->count; i += 8)
        cj__store64(out + i, cj__load64(r->presence + i) >> column & block_bytes);
    for (; i < r->count; i++)
        out[i] = r->presence[i] >> column & 1;
}

static int column_read(block_reader *r, uint32_t column, cj__columns *out)
{
    switch (column) {
    case CJ__OPT_VALUE:
        column_flags(r, column, out->has_value);
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

/* When all the wanted columns have a value in every row, as those of the value
 * projection have, the codes say nothing new.  Returns 1, or 0: they must be read. */
static int codes_skip(block_reader *r, uint32_t want)
{
    if (want & (CJ__COL_NAME | CJ__COL_CHANNEL))
        return 0;
    for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++) {
        cj__bytes b = cj__bytes_of(r->layout.sections[CJ__SECTION_COLUMNS + c]);

        if (want & cj__block_optional[c] && cj__bytes_varint(&b) != r->n)
            return 0;
    }
    for (uint32_t c = 0; c < CJ__BLOCK_OPTIONAL; c++)
        r->ranks[c] = r->from;
    memset(r->presence, 0xff, r->count);
    return 1;
}

/* After nodes_read: everything that is wanted of the rows [from, from + count). */
static int reader_columns(block_reader *r, uint32_t want, cj__columns *out)
{
    const uint32_t optional =
        CJ__COL_ALL & ~(uint32_t)(CJ__COL_TIME | CJ__COL_PROPERTIES);

    if (!(want & CJ__COL_TIME))
        nodes_fill(r, out->node);
    else if (nodes_times(r, out->node, out->time_ms) != 0)
        return -1;
    if (want & optional && !codes_skip(r, want) && codes_read(r, want, out) != 0)
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
    if (reader_open(&r, core) != 0 || nodes_find(&r, node) != 0)
        return cj__block_corrupt();
    if (r.count == 0)
        return CJ_OK;
    if (reader_columns(&r, want, out) != 0)
        return cj__block_corrupt();
    *first_row_out = r.from;
    return CJ_OK;
}

int32_t cj__block_run(cj__text core, uint32_t node, const uint32_t range[2],
                      uint32_t want, cj__columns *out)
{
    block_reader r;

    out->n = 0;
    if (reader_open(&r, core) != 0 || range[0] >= range[1] || range[1] > r.n)
        return cj__block_corrupt();
    nodes_narrow(&r, node, range[0], range[1] - range[0]);
    return reader_columns(&r, want, out) != 0 ? cj__block_corrupt() : CJ_OK;
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
    const uint32_t range[3] = {m, r->ranks[column], (uint32_t)present};
    int32_t rc;

    if (present < 0 || (r->count == r->n && present != m))
        return cj__block_corrupt();
    if (present == 0)
        return CJ_OK;
    rc = cj__texts_get(values, range, arena, to);
    for (uint32_t i = 0; rc == CJ_OK && i < r->count; i++) {
        if (r->presence[i] >> column & 1)
            *(column == CJ__OPT_SESSION ? &rows[i].session : &rows[i].order) = to[at++];
    }
    return rc;
}

/* All columns but the texts of the rows that are read. */
static int32_t rows_numbers(block_reader *r, cj__arena *arena, cj__row *rows)
{
    const uint32_t want =
        CJ__COL_ALL & ~(uint32_t)(CJ__COL_SESSION | CJ__COL_ORDER | CJ__COL_PROPERTIES);
    cj__columns c = {0};

    if (rows_columns(arena, r->count, &c) != CJ_OK)
        return CJ_ENOMEM;
    if (reader_columns(r, want, &c) != 0)
        return cj__block_corrupt();
    for (uint32_t i = 0; i < r->count; i++)
        rows[i] = (cj__row){
            c.time_ms[i], c.quantity[i], c.value_minor[i], c.node[i],
            c.name[i],    c.channel[i],  c.campaign[i],    c.content[i],
            c.product[i], c.currency[i], c.has_value[i],   {NULL, 0},
            {NULL, 0},
                 {NULL, 0}
        };
    return CJ_OK;
}

/* After nodes_read, or narrowed. */
static int32_t reader_rows(block_reader *r, cj__text props, cj__arena *arena,
                           cj__row *rows)
{
    cj__text *texts = cj__arena_alloc(arena, sizeof *texts * r->count);
    int32_t rc;

    if (texts == NULL)
        return CJ_ENOMEM;
    rc = rows_numbers(r, arena, rows);
    if (rc == CJ_OK)
        rc = rows_texts(r, CJ__OPT_SESSION, arena, texts, rows);
    if (rc == CJ_OK)
        rc = rows_texts(r, CJ__OPT_ORDER, arena, texts, rows);
    if (rc != CJ_OK || props.n == 0)
        return rc;
    rc = cj__props_decode(props, (const uint32_t[3]){r->n, r->from, r->count}, arena,
                          texts);
    for (uint32_t i = 0; rc == CJ_OK && i < r->count; i++)
        rows[i].properties = texts[i];
    return rc;
}

int32_t cj__block_rows(cj__text core, cj__text props, cj__arena *arena, cj__row *rows,
                       int64_t *n_out)
{
    block_reader r;
    int32_t rc;

    *n_out = 0;
    if (reader_open(&r, core) != 0 || nodes_read(&r) != 0)
        return cj__block_corrupt();
    rc = reader_rows(&r, props, arena, rows);
    if (rc == CJ_OK)
        *n_out = r.n;
    return rc;
}

int32_t cj__block_run_rows(cj__text core, cj__text props, uint32_t node,
                           const uint32_t range[2], cj__arena *arena, cj__row *rows)
{
    block_reader r;

    if (reader_open(&r, core) != 0 || range[0] >= range[1] || range[1] > r.n)
        return cj__block_corrupt();
    nodes_narrow(&r, node, range[0], range[1] - range[0]);
    return reader_rows(&r, props, arena, rows);
}
