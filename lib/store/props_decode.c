/* Reading the properties of a block back to texts.  Bytes may be damaged: no text is
 * longer than an event's properties may be unless it was stored whole, so that at most
 * CJ__BLOCK_EVENTS x CJ__MAX_PROPERTIES are ever made of them. */
#include "base/hash.h"
#include "store/block_layout.h"
#include "store/props_shape.h"

typedef struct props_decoder {
    cj__arena *arena;
    cj__text *texts; /* of all rows */
    uint32_t n, n_shapes;
    uint32_t bounds[CJ__SHAPES_KEPT + 3]; /* of the shapes' rows in order[]; the first
                                           * group has no properties */
    uint32_t order[CJ__BLOCK_EVENTS];
    uint32_t leader, n_led;           /* the slot whose distinct texts are numbered */
    uint16_t led[CJ__BLOCK_EVENTS];   /* the number of each row's text */
    uint16_t first[CJ__BLOCK_EVENTS]; /* a row that has it */
    uint32_t tags[CJ__BLOCK_EVENTS];
    uint16_t slots[2 * CJ__BLOCK_EVENTS];
    cj__shape shapes[CJ__SHAPES_KEPT + 1];
} props_decoder;

static int32_t props_corrupt(void)
{
    return cj__fail(CJ_ECORRUPT, "properties of a block are damaged: run cj_check");
}

/* Which rows have which shape. */
static int32_t order_read(props_decoder *d, cj__text pack)
{
    uint32_t at[CJ__SHAPES_KEPT + 3] = {0}, sum = 0;
    uint64_t *numbers = cj__arena_alloc(d->arena, sizeof *numbers * d->n);

    if (numbers == NULL)
        return CJ_ENOMEM;
    if (cj__pack_get(pack, d->n, 0, d->n, numbers) != 0)
        return props_corrupt();
    for (uint32_t i = 0; i < d->n; i++) {
        if (numbers[i] > d->n_shapes)
            return props_corrupt();
        at[numbers[i]]++;
    }
    for (uint32_t g = 0; g <= d->n_shapes; g++) {
        d->bounds[g] = sum;
        sum += at[g];
        at[g] = d->bounds[g];
    }
    d->bounds[d->n_shapes + 1] = sum;
    for (uint32_t i = 0; i < d->n; i++)
        d->order[at[numbers[i]]++] = i;
    return CJ_OK;
}

static int32_t shape_read(props_decoder *d, cj__bytes *b, cj__shape *shape)
{
    uint64_t n = cj__bytes_varint(b);

    if (b->bad || n > CJ__SHAPE_SLOTS)
        return props_corrupt();
    shape->n_slots = (uint32_t)n;
    shape->pieces = cj__arena_alloc(d->arena, sizeof *shape->pieces * (n + 1));
    if (shape->pieces == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i <= n; i++)
        shape->pieces[i] = cj__bytes_sized(b);
    return b->bad ? props_corrupt() : CJ_OK;
}

/* A text of a few bytes, without a call. */
static char *put_text(char *to, cj__text text)
{
    const char *from = text.data;
    size_t n = text.n;

    if (n > 16) {
        memcpy(to, from, n);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
    return to + n;
}

/* Put the m rows of a shape together: values[slot * m + row]. */
static int32_t rows_build(props_decoder *d, const cj__shape *shape,
                          const uint32_t *order, uint32_t m, const cj__text *values)
{
    uint32_t slots = shape->n_slots;
    size_t around = 0, bytes = 0;
    char *to;

    for (uint32_t s = 0; s <= slots; s++)
        around += shape->pieces[s].n;
    for (uint32_t i = 0; i < m; i++) {
        size_t n = around;

        for (uint32_t s = 0; s < slots && n <= CJ__MAX_PROPERTIES; s++)
            n += values[(size_t)s * m + i].n;
        if (n > CJ__MAX_PROPERTIES)
            return props_corrupt();
        bytes += n;
    }
    to = cj__arena_alloc(d->arena, bytes);
    if (to == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < m; i++) {
        cj__text *text = &d->texts[order[i]];

        text->data = to;
        for (uint32_t s = 0; s < slots; s++) {
            to = put_text(to, shape->pieces[s]);
            to = put_text(to, values[(size_t)s * m + i]);
        }
        to = put_text(to, shape->pieces[slots]);
        text->n = (size_t)(to - text->data);
    }
    return CJ_OK;
}

/* Texts that were kept whole need no copy. */
static int shape_is_whole(const cj__shape *shape)
{
    return shape->n_slots == 1 && shape->pieces[0].n == 0 && shape->pieces[1].n == 0;
}

/* Number the distinct ones of m texts in order of appearance. */
static void leader_number(props_decoder *d, uint32_t m, const cj__text *texts)
{
    enum { SLOTS = 2 * CJ__BLOCK_EVENTS };

    memset(d->slots, 0, sizeof d->slots);
    d->n_led = 0;
    for (uint32_t i = 0; i < m; i++) {
        uint64_t hash = cj__hash64(0, texts[i].data, texts[i].n);
        uint32_t slot = (uint32_t)(hash % SLOTS), tag = (uint32_t)(hash >> 32), at;

        for (;; slot = (slot + 1) % SLOTS) {
            at = d->slots[slot];
            if (at == 0 || (d->tags[at - 1] == tag &&
                            cj__text_equal(texts[d->first[at - 1]], texts[i])))
                break;
        }
        if (at == 0) {
            d->first[d->n_led] = (uint16_t)i;
            d->tags[d->n_led] = tag;
            at = d->slots[slot] = (uint16_t)++d->n_led;
        }
        d->led[i] = (uint16_t)(at - 1);
    }
}

/* A column of kind follows, of slot s: values[slot * m + row]. */
static int32_t follows_read(props_decoder *d, cj__bytes b, uint32_t s, uint32_t m,
                            cj__text *values)
{
    uint64_t leader;
    cj__text *led;
    int32_t rc;

    cj__bytes_byte(&b);
    leader = cj__bytes_varint(&b);
    if (b.bad || leader >= s)
        return props_corrupt();
    if (d->leader != leader)
        leader_number(d, m, values + (size_t)leader * m);
    d->leader = (uint32_t)leader;
    led = cj__arena_alloc(d->arena, sizeof *led * d->n_led);
    if (led == NULL)
        return CJ_ENOMEM;
    rc = cj__texts_get(cj__bytes_rest(&b), d->n_led, d->arena, led);
    for (uint32_t i = 0; rc == CJ_OK && i < m; i++)
        values[(size_t)s * m + i] = led[d->led[i]];
    return rc;
}

static int32_t slot_read(props_decoder *d, cj__bytes *b, uint32_t s, uint32_t m,
                         cj__text *values)
{
    cj__text column = cj__bytes_sized(b);

    if (b->bad || column.n == 0)
        return props_corrupt();
    if (column.data[0] == CJ__TEXTS_FOLLOWS)
        return follows_read(d, cj__bytes_of(column), s, m, values);
    return cj__texts_get(column, m, d->arena, values + (size_t)s * m);
}

static int32_t rows_read(props_decoder *d, cj__bytes *b, uint32_t group)
{
    const cj__shape *shape = &d->shapes[group];
    const uint32_t *order = d->order + d->bounds[group + 1];
    uint32_t m = d->bounds[group + 2] - d->bounds[group + 1];
    cj__text *values;
    int32_t rc;

    if (m == 0)
        return props_corrupt();
    values = cj__arena_alloc(d->arena, sizeof *values * m * (shape->n_slots + 1));
    if (values == NULL)
        return CJ_ENOMEM;
    d->leader = CJ__SHAPE_SLOTS;
    for (uint32_t s = 0; s < shape->n_slots; s++) {
        rc = slot_read(d, b, s, m, values);
        if (rc != CJ_OK)
            return rc;
    }
    if (!shape_is_whole(shape))
        return rows_build(d, shape, order, m, values);
    for (uint32_t i = 0; i < m; i++)
        d->texts[order[i]] = values[i];
    return CJ_OK;
}

int32_t cj__props_decode(cj__text bytes, cj__arena *arena, int64_t n, cj__text *texts)
{
    cj__bytes b = cj__bytes_of(bytes);
    props_decoder *d = cj__arena_alloc(arena, sizeof *d);
    int mark = cj__bytes_byte(&b) == CJ__PROPS_MARK;
    uint64_t rows = cj__bytes_varint(&b), shapes = cj__bytes_varint(&b);
    cj__text order = cj__bytes_sized(&b);
    int32_t rc;

    if (d == NULL)
        return CJ_ENOMEM;
    if (b.bad || !mark || n < 1 || n > CJ__BLOCK_EVENTS || rows != (uint64_t)n ||
        shapes < 1 || shapes > CJ__SHAPES_KEPT + 1)
        return props_corrupt();
    d->arena = arena;
    d->texts = texts;
    d->n = (uint32_t)n;
    d->n_shapes = (uint32_t)shapes;
    memset(texts, 0, sizeof *texts * (size_t)n);
    rc = order_read(d, order);
    for (uint32_t g = 0; rc == CJ_OK && g < d->n_shapes; g++)
        rc = shape_read(d, &b, &d->shapes[g]);
    for (uint32_t g = 0; rc == CJ_OK && g < d->n_shapes; g++)
        rc = rows_read(d, &b, g);
    return rc == CJ_OK && b.at != b.end ? props_corrupt() : rc;
}
