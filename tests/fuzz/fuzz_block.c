/* Blocks from foreign bytes.  The first byte chooses: bytes read as a block (columns,
 * single nodes and rows without looking at checksums first), bytes read as a pack or as
 * a text column, or bytes made into rows, which must come back. */
#include "store/block.h"
#include "store/texts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct fuzz_out {
    uint32_t narrow[7][CJ__BLOCK_EVENTS];
    int64_t wide[3][CJ__BLOCK_EVENTS];
    uint64_t keys[2][CJ__BLOCK_EVENTS];
    uint8_t has_value[CJ__BLOCK_EVENTS];
    cj__row rows[CJ__BLOCK_EVENTS], got[CJ__BLOCK_EVENTS];
    cj__text texts[CJ__BLOCK_EVENTS];
    cj__texter texter;
} fuzz_out;

static void fuzz_expect(int holds)
{
    if (!holds)
        abort();
}

static cj__columns fuzz_columns(fuzz_out *o)
{
    return (cj__columns){0,
                         o->narrow[0],
                         o->wide[0],
                         o->narrow[1],
                         o->narrow[2],
                         o->narrow[3],
                         o->narrow[4],
                         o->narrow[5],
                         o->narrow[6],
                         o->wide[1],
                         o->has_value,
                         o->wide[2],
                         o->keys[0],
                         o->keys[1],
                         NULL};
}

/* The index of nodes, and the rows that it finds. */
static void fuzz_nodes(fuzz_out *o, cj__arena *arena, cj__text core, cj__text props)
{
    cj__columns c = fuzz_columns(o);
    cj__str index;
    uint32_t range[2];

    cj__str_init(&index, arena->allocator, 1 << 20);
    if (cj__block_nodes(core, &index) == CJ_OK) {
        for (uint32_t node = 0; node < 9; node++) {
            if (cj__block_find((cj__text){index.data, index.n}, node, range) != CJ_OK ||
                range[0] == range[1])
                continue;
            fuzz_expect(range[0] < range[1] && range[1] <= CJ__BLOCK_EVENTS);
            cj__block_run_rows(core, props, node, range, arena, o->got);
            if (cj__block_run(core, node, range, CJ__COL_ALL, &c) == CJ_OK)
                fuzz_expect(c.n == range[1] - range[0]);
        }
    }
    cj__str_end(&index);
}

static void fuzz_read(fuzz_out *o, cj__arena *arena, cj__text bytes)
{
    cj__columns c = fuzz_columns(o);
    cj__block_header h;
    int64_t first, rows;
    size_t split = bytes.n > 2 ? (size_t)(uint8_t)bytes.data[1] * 8 : 0;
    cj__text core = bytes, props = {bytes.data, 0};

    if (split < bytes.n) {
        props.n = split;
        core.data += split;
        core.n -= split;
    }
    cj__block_open(core, props, &h);
    if (cj__block_columns(core, CJ__COL_ALL, &c) == CJ_OK)
        fuzz_expect(c.n > 0 && c.n <= CJ__BLOCK_EVENTS);
    for (uint32_t node = 0; node < 6; node++)
        if (cj__block_node(core, node, CJ__COL_ALL, &c, &first) == CJ_OK)
            fuzz_expect(first + c.n <= CJ__BLOCK_EVENTS);
    fuzz_nodes(o, arena, core, props);
    cj__block_rows(core, props, arena, o->got, &rows);
}

static void fuzz_pack(fuzz_out *o, cj__arena *arena, cj__text bytes)
{
    uint32_t m, from, count;
    uint64_t *out;

    if (bytes.n < 6)
        return;
    m = (uint32_t)cj__load_part((const uint8_t *)bytes.data, 2) %
        (CJ__BLOCK_EVENTS + 2);
    from = (uint32_t)cj__load_part((const uint8_t *)bytes.data + 2, 2) % (m + 1);
    count =
        (uint32_t)cj__load_part((const uint8_t *)bytes.data + 4, 2) % (m - from + 1);
    bytes.data += 6;
    bytes.n -= 6;
    out = malloc(sizeof *out * (count + 1)); /* its own size: too far is seen */
    if (out == NULL)
        return;
    cj__pack_get(bytes, m, from, count, out);
    cj__texts_keys(bytes, (const uint32_t[3]){m, from, count}, o->keys[0], out);
    if (cj__texts_get(bytes, (const uint32_t[3]){m, from, count}, arena, o->texts) ==
        CJ_OK)
        for (uint32_t i = 0; i < count; i++)
            cj__row_key(o->texts[i]);
    free(out);
}

static cj__text fuzz_text(cj__bytes *b)
{
    return cj__bytes_take(b, cj__bytes_byte(b) % 40);
}

/* Rows from bytes: as many as there are bytes for. */
static uint32_t fuzz_rows(fuzz_out *o, cj__text bytes)
{
    cj__bytes b = cj__bytes_of(bytes);
    uint32_t n = 0;

    while (!b.bad && b.at < b.end && n < CJ__BLOCK_EVENTS) {
        uint8_t bits = cj__bytes_byte(&b), more = cj__bytes_byte(&b);
        cj__row *row = &o->rows[n++];

        memset(row, 0, sizeof *row);
        row->node = (n > 1 ? o->rows[n - 2].node : 0) + (more & 3);
        row->time_ms = cj__unzigzag(cj__bytes_varint(&b));
        row->name = more >> 2 & 7;
        row->channel = more >> 5;
        row->has_value = bits & 1;
        row->value_minor = bits & 1 ? cj__unzigzag(cj__bytes_varint(&b)) : 0;
        row->quantity = bits & 2 ? cj__unzigzag(cj__bytes_varint(&b)) : 0;
        row->campaign = bits & 4 ? (uint32_t)cj__bytes_varint(&b) : 0;
        row->content = bits & 8 ? (uint32_t)cj__bytes_varint(&b) : 0;
        row->product = bits & 16 ? (uint32_t)cj__bytes_varint(&b) : 0;
        row->currency = bits & 1 ? more & 1 : 0;
        if (bits & 32)
            row->session = fuzz_text(&b);
        if (bits & 64)
            row->order = fuzz_text(&b);
        if (bits & 128)
            row->properties = fuzz_text(&b);
    }
    return n;
}

static int fuzz_same(cj__text a, cj__text b)
{
    return (a.data == NULL) == (b.data == NULL) && cj__text_equal(a, b);
}

static void fuzz_round(fuzz_out *o, const cj__allocator *a, cj__arena *arena,
                       cj__text bytes)
{
    uint32_t n = fuzz_rows(o, bytes);
    cj__columns c = fuzz_columns(o);
    cj__block_header h;
    cj__str core, props;
    int64_t n_got;

    cj__str_init(&core, a, 1 << 24);
    cj__str_init(&props, a, 1 << 24);
    if (n > 0) {
        fuzz_expect(cj__block_encode(a, o->rows, n, CJ__COL_ALL, &core, &props) ==
                    CJ_OK);
        const cj__text core_text = {core.data, core.n};
        const cj__text props_text = {props.n > 0 ? props.data : "", props.n};

        fuzz_expect(cj__block_open(core_text, props_text, &h) == CJ_OK && h.n == n);
        fuzz_expect(cj__block_rows(core_text, props_text, arena, o->got, &n_got) ==
                    CJ_OK);
        fuzz_expect(cj__block_columns(core_text, CJ__COL_ALL, &c) == CJ_OK && c.n == n);
    }
    for (uint32_t i = 0; i < n; i++) {
        const cj__row *x = &o->rows[i], *y = &o->got[i];

        fuzz_expect(x->time_ms == y->time_ms && x->node == y->node &&
                    x->name == y->name && x->channel == y->channel &&
                    x->has_value == y->has_value && x->value_minor == y->value_minor &&
                    x->quantity == y->quantity && x->campaign == y->campaign &&
                    x->content == y->content && x->product == y->product &&
                    x->currency == y->currency && fuzz_same(x->session, y->session) &&
                    fuzz_same(x->order, y->order) &&
                    fuzz_same(x->properties, y->properties));
        fuzz_expect(c.node[i] == x->node && c.time_ms[i] == x->time_ms &&
                    c.session[i] == cj__row_key(x->session) &&
                    c.order[i] == cj__row_key(x->order) && c.product[i] == x->product);
    }
    cj__str_end(&core);
    cj__str_end(&props);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_out *o = malloc(sizeof *o);
    cj__arena arena;
    cj__ctx cx;

    if (o == NULL || n == 0) {
        free(o);
        return 0;
    }
    const cj__text rest = {(const char *)data + 1, n - 1};
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&arena, &cx.allocator);
    if (data[0] % 3 == 0)
        fuzz_read(o, &arena, rest);
    else if (data[0] % 3 == 1)
        fuzz_pack(o, &arena, rest);
    else
        fuzz_round(o, &cx.allocator, &arena, rest);
    cj__arena_end(&arena);
    free(o);
    return 0;
}
