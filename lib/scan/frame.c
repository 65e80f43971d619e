/* Frames: columns of events in one piece of memory each.  Columns are moved one by one:
 * a loop over one column of one width is what compilers and caches do best. */
#include "scan/frame.h"

#include <string.h>

#define FRAME_ROWS 0xFFFFFFF0 /* rows are counted in 32 bits */

static const uint32_t frame_bits32[CJ__FRAME_N32] = {
    [CJ__FRAME_NODE] = 0,
    [CJ__FRAME_ROOT] = 0,
    [CJ__FRAME_NAME] = CJ__COL_NAME,
    [CJ__FRAME_CHANNEL] = CJ__COL_CHANNEL,
    [CJ__FRAME_CAMPAIGN] = CJ__COL_CAMPAIGN,
    [CJ__FRAME_CONTENT] = CJ__COL_CONTENT,
    [CJ__FRAME_PRODUCT] = CJ__COL_PRODUCT,
    [CJ__FRAME_CURRENCY] = CJ__COL_CURRENCY,
};

static const uint32_t frame_bits64[CJ__FRAME_N64] = {
    [CJ__FRAME_TIME] = 0,
    [CJ__FRAME_VALUE] = CJ__COL_VALUE,
    [CJ__FRAME_QUANTITY] = CJ__COL_QUANTITY,
    [CJ__FRAME_SESSION] = CJ__COL_SESSION,
    [CJ__FRAME_ORDER] = CJ__COL_ORDER,
};

static int frame_has(uint32_t columns, uint32_t bit)
{
    return bit == 0 || (columns & bit) != 0;
}

void cj__frame_init(cj__frame *f, const cj__allocator *a, uint32_t columns)
{
    *f = (cj__frame){.allocator = a, .columns = columns};
    cj__arena_init(&f->texts, a);
}

void cj__frame_end(cj__frame *f)
{
    if (f->memory != NULL)
        cj__free(f->allocator, f->memory, f->bytes);
    cj__arena_end(&f->texts);
    cj__frame_init(f, f->allocator, f->columns);
}

void cj__frame_clear(cj__frame *f)
{
    f->n = 0;
    cj__arena_reset(&f->texts);
}

size_t cj__frame_row_bytes(uint32_t columns)
{
    size_t bytes = frame_has(columns, CJ__COL_VALUE) ? 1 : 0;

    bytes += frame_has(columns, CJ__COL_PROPERTIES) ? sizeof(cj__text *) : 0;
    for (int c = 0; c < CJ__FRAME_N32; c++)
        bytes += frame_has(columns, frame_bits32[c]) ? 4 : 0;
    for (int c = 0; c < CJ__FRAME_N64; c++)
        bytes += frame_has(columns, frame_bits64[c]) ? 8 : 0;
    return bytes;
}

/* Widest first, so that every column is aligned. */
static void frame_place(cj__frame *f)
{
    size_t rows = (size_t)f->capacity;
    char *at = f->memory;

    for (int c = 0; c < CJ__FRAME_N64; c++) {
        if (!frame_has(f->columns, frame_bits64[c]))
            continue;
        f->i64[c] = (int64_t *)(void *)at;
        at += rows * 8;
    }
    if (frame_has(f->columns, CJ__COL_PROPERTIES)) {
        f->properties = (const cj__text **)(void *)at;
        at += rows * sizeof *f->properties;
    }
    for (int c = 0; c < CJ__FRAME_N32; c++) {
        if (!frame_has(f->columns, frame_bits32[c]))
            continue;
        f->u32[c] = (uint32_t *)(void *)at;
        at += rows * 4;
    }
    if (frame_has(f->columns, CJ__COL_VALUE))
        f->has_value = (uint8_t *)at;
}

void cj__frame_lend(cj__frame *f, void *memory, int64_t rows)
{
    f->capacity = rows;
    f->memory = memory;
    frame_place(f);
    f->memory = NULL;
}

int32_t cj__frame_reserve(cj__frame *f, int64_t rows)
{
    cj__frame grown;

    if (rows <= f->capacity)
        return CJ_OK;
    if (rows > FRAME_ROWS)
        return cj__fail(CJ_ELIMIT, "a scan holds at most %lld events at once",
                        (long long)FRAME_ROWS);
    cj__frame_init(&grown, f->allocator, f->columns);
    grown.n = f->n;
    grown.capacity = 2 * f->capacity > rows ? 2 * f->capacity : rows;
    if (grown.capacity > FRAME_ROWS)
        grown.capacity = FRAME_ROWS;
    grown.bytes =
        cj__size_product((size_t)grown.capacity, cj__frame_row_bytes(f->columns));
    grown.memory = cj__alloc(f->allocator, grown.bytes);
    if (grown.memory == NULL)
        return CJ_ENOMEM;
    frame_place(&grown);
    if (f->n > 0)
        cj__frame_move(&grown, 0, f, 0, f->n);
    grown.texts = f->texts;
    cj__arena_init(&f->texts, f->allocator);
    cj__frame_end(f);
    *f = grown;
    return CJ_OK;
}

static uint32_t *frame_at32(const cj__frame *f, int column, int64_t first)
{
    return f->u32[column] == NULL ? NULL : f->u32[column] + first;
}

static int64_t *frame_at64(const cj__frame *f, int column, int64_t first)
{
    return f->i64[column] == NULL ? NULL : f->i64[column] + first;
}

cj__columns cj__frame_view(const cj__frame *f, int64_t first)
{
    return (cj__columns){
        .n = f->n - first,
        .node = frame_at32(f, CJ__FRAME_NODE, first),
        .time_ms = frame_at64(f, CJ__FRAME_TIME, first),
        .name = frame_at32(f, CJ__FRAME_NAME, first),
        .channel = frame_at32(f, CJ__FRAME_CHANNEL, first),
        .campaign = frame_at32(f, CJ__FRAME_CAMPAIGN, first),
        .content = frame_at32(f, CJ__FRAME_CONTENT, first),
        .product = frame_at32(f, CJ__FRAME_PRODUCT, first),
        .currency = frame_at32(f, CJ__FRAME_CURRENCY, first),
        .value_minor = frame_at64(f, CJ__FRAME_VALUE, first),
        .has_value = f->has_value == NULL ? NULL : f->has_value + first,
        .quantity = frame_at64(f, CJ__FRAME_QUANTITY, first),
        .session = (uint64_t *)frame_at64(f, CJ__FRAME_SESSION, first),
        .order = (uint64_t *)frame_at64(f, CJ__FRAME_ORDER, first),
        .properties = f->properties == NULL ? NULL : f->properties + first,
    };
}

void cj__frame_move(cj__frame *to, int64_t at, const cj__frame *from, int64_t first,
                    int64_t n)
{
    if (n == 0)
        return;
    for (int c = 0; c < CJ__FRAME_N32; c++) {
        if (to->u32[c] != NULL)
            memmove(to->u32[c] + at, from->u32[c] + first, (size_t)n * 4);
    }
    for (int c = 0; c < CJ__FRAME_N64; c++) {
        if (to->i64[c] != NULL)
            memmove(to->i64[c] + at, from->i64[c] + first, (size_t)n * 8);
    }
    if (to->properties != NULL)
        memmove(to->properties + at, from->properties + first,
                (size_t)n * sizeof *to->properties);
    if (to->has_value != NULL)
        memmove(to->has_value + at, from->has_value + first, (size_t)n);
}

void cj__frame_take(cj__frame *to, int64_t at, const cj__frame *from,
                    const uint32_t *pick, int64_t n)
{
    for (int c = 0; c < CJ__FRAME_N32; c++) {
        uint32_t *t = frame_at32(to, c, at);

        for (int64_t i = 0; t != NULL && i < n; i++)
            t[i] = from->u32[c][pick[i]];
    }
    for (int c = 0; c < CJ__FRAME_N64; c++) {
        int64_t *t = frame_at64(to, c, at);

        for (int64_t i = 0; t != NULL && i < n; i++)
            t[i] = from->i64[c][pick[i]];
    }
    for (int64_t i = 0; to->properties != NULL && i < n; i++)
        to->properties[at + i] = from->properties[pick[i]];
    for (int64_t i = 0; to->has_value != NULL && i < n; i++)
        to->has_value[at + i] = from->has_value[pick[i]];
}

void cj__frame_scatter(cj__frame *to, const cj__frame *from, int64_t first, int64_t n,
                       const uint32_t *place)
{
    for (int c = 0; c < CJ__FRAME_N32; c++) {
        const uint32_t *f = frame_at32(from, c, first);
        uint32_t *t = c == CJ__FRAME_ROOT ? NULL : to->u32[c];

        for (int64_t i = 0; t != NULL && i < n; i++)
            t[place[i]] = f[i];
    }
    for (int c = 0; c < CJ__FRAME_N64; c++) {
        const int64_t *f = frame_at64(from, c, first);
        int64_t *t = to->i64[c];

        for (int64_t i = 0; t != NULL && i < n; i++)
            t[place[i]] = f[i];
    }
    for (int64_t i = 0; to->properties != NULL && i < n; i++)
        to->properties[place[i]] = from->properties[first + i];
    for (int64_t i = 0; to->has_value != NULL && i < n; i++)
        to->has_value[place[i]] = from->has_value[first + i];
}

void cj__frame_put_row(cj__frame *f, const cj__row *row, uint32_t root)
{
    const uint32_t u32[CJ__FRAME_N32] = {row->node,    root,          row->name,
                                         row->channel, row->campaign, row->content,
                                         row->product, row->currency};
    int64_t i64[CJ__FRAME_N64] = {row->time_ms, row->value_minor, row->quantity, 0, 0};

    if (f->i64[CJ__FRAME_SESSION] != NULL)
        i64[CJ__FRAME_SESSION] = (int64_t)cj__row_key(row->session);
    if (f->i64[CJ__FRAME_ORDER] != NULL)
        i64[CJ__FRAME_ORDER] = (int64_t)cj__row_key(row->order);
    for (int c = 0; c < CJ__FRAME_N32; c++) {
        if (f->u32[c] != NULL)
            f->u32[c][f->n] = u32[c];
    }
    for (int c = 0; c < CJ__FRAME_N64; c++) {
        if (f->i64[c] != NULL)
            f->i64[c][f->n] = i64[c];
    }
    if (f->has_value != NULL)
        f->has_value[f->n] = row->has_value != 0;
    if (f->properties != NULL)
        f->properties[f->n] = &row->properties;
    f->n++;
}

/* ---- properties: texts that somebody must own ------------------------------------ */

static const cj__text frame_absent; /* data NULL */

void cj__frame_put_texts(cj__frame *f, int64_t first, int64_t n, const cj__text *texts)
{
    for (int64_t i = 0; f->properties != NULL && i < n; i++)
        f->properties[first + i] = texts == NULL ? &frame_absent : &texts[i];
}

static int32_t frame_own(cj__frame *f, int64_t row)
{
    const cj__text *from = f->properties[row];
    cj__text *to;
    char *bytes;

    f->properties[row] = &frame_absent;
    if (from->data == NULL)
        return CJ_OK;
    to = cj__arena_alloc(&f->texts, sizeof *to + from->n);
    if (to == NULL)
        return CJ_ENOMEM;
    bytes = (char *)(to + 1);
    memcpy(bytes, from->data, from->n);
    *to = (cj__text){bytes, from->n};
    f->properties[row] = to;
    return CJ_OK;
}

int32_t cj__frame_own(cj__frame *f, int64_t first, int64_t n)
{
    int32_t rc = CJ_OK;

    for (int64_t i = 0; f->properties != NULL && rc == CJ_OK && i < n; i++)
        rc = frame_own(f, first + i);
    return rc;
}

int32_t cj__frame_repack(cj__frame *f)
{
    cj__arena before = f->texts;
    int32_t rc;

    cj__arena_init(&f->texts, f->allocator);
    rc = cj__frame_own(f, 0, f->n);
    if (rc != CJ_OK)
        f->n = 0;
    cj__arena_end(&before);
    return rc;
}

static void frame_copy(void *to, const void *from, int64_t first, int64_t n,
                       size_t bytes)
{
    if (to != NULL && from != NULL)
        memcpy(to, (const char *)from + (size_t)first * bytes, (size_t)n * bytes);
}

void cj__frame_put_columns(cj__frame *f, const cj__columns *c, int64_t first, int64_t n)
{
    const cj__columns to = cj__frame_view(f, f->n);

    frame_copy(to.node, c->node, first, n, sizeof *to.node);
    frame_copy(to.time_ms, c->time_ms, first, n, sizeof *to.time_ms);
    frame_copy(to.name, c->name, first, n, sizeof *to.name);
    frame_copy(to.channel, c->channel, first, n, sizeof *to.channel);
    frame_copy(to.campaign, c->campaign, first, n, sizeof *to.campaign);
    frame_copy(to.content, c->content, first, n, sizeof *to.content);
    frame_copy(to.product, c->product, first, n, sizeof *to.product);
    frame_copy(to.currency, c->currency, first, n, sizeof *to.currency);
    frame_copy(to.value_minor, c->value_minor, first, n, sizeof *to.value_minor);
    frame_copy(to.has_value, c->has_value, first, n, sizeof *to.has_value);
    frame_copy(to.quantity, c->quantity, first, n, sizeof *to.quantity);
    frame_copy(to.session, c->session, first, n, sizeof *to.session);
    frame_copy(to.order, c->order, first, n, sizeof *to.order);
    if (to.properties != NULL)
        frame_copy(to.properties, c->properties, first, n, sizeof *to.properties);
    f->n += n;
}
