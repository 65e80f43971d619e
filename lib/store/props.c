/* Writing the properties of a block: rows by shape, and a text column for each slot of
 * each shape.  Rows whose shape is rare are kept whole, as the one slot of a shape with
 * nothing around it. */
#include "store/block_layout.h"
#include "store/props_shape.h"

enum {
    PROPS_LEAST_ROWS = 3, /* of a shape: below, its columns take more than they save */
    PROPS_MOST_SLOTS = CJ__BLOCK_EVENTS * CJ__SHAPE_SLOTS
};

typedef struct props_encoder {
    const cj__allocator *allocator;
    const cj__row *rows;
    uint32_t n;
    cj__shapes shapes;
    cj__slot *slots; /* of all rows, one after the other */
    size_t n_slots, capacity;
    uint32_t first[CJ__BLOCK_EVENTS];  /* a row's first slot */
    uint8_t shape[CJ__BLOCK_EVENTS];   /* a row's shape, or CJ__SHAPE_NONE */
    uint8_t kept[CJ__SHAPES_SEEN + 1]; /* shape -> number in the block + 1; 0: whole */
    uint8_t list[CJ__SHAPES_KEPT];     /* and back */
    uint32_t n_kept;
    uint32_t bounds[CJ__SHAPES_KEPT + 2]; /* of the shapes' rows in order[] */
    uint16_t order[CJ__BLOCK_EVENTS];     /* rows by shape */
    uint64_t numbers[CJ__BLOCK_EVENTS];
    cj__text texts[CJ__BLOCK_EVENTS];
    cj__texter texter;
} props_encoder;

/* Shape and slots of every row. */
static int32_t props_scan(props_encoder *e)
{
    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t shape;

        e->shape[i] = CJ__SHAPE_NONE;
        if (e->rows[i].properties.data == NULL)
            continue;
        if (cj__array_grow(e->allocator, (void **)&e->slots, &e->capacity,
                           e->n_slots + CJ__SHAPE_SLOTS, sizeof *e->slots,
                           PROPS_MOST_SLOTS) != CJ_OK ||
            cj__shape_of(&e->shapes, e->rows[i].properties, e->rows[i].name,
                         e->slots + e->n_slots, &shape) != CJ_OK)
            return CJ_ENOMEM;
        e->first[i] = (uint32_t)e->n_slots;
        e->shape[i] = (uint8_t)shape;
        if (shape != CJ__SHAPE_NONE) {
            e->shapes.list[shape].n_rows++;
            e->n_slots += e->shapes.list[shape].n_slots;
        }
    }
    return CJ_OK;
}

/* Which shapes to keep: all that have enough rows, or if they are too many, those that
 * have more. */
static void props_choose(props_encoder *e)
{
    uint32_t least = PROPS_LEAST_ROWS, n;

    do {
        n = 0;
        for (uint32_t i = 0; i < e->shapes.n; i++)
            n += e->shapes.list[i].n_rows >= least;
        least++;
    } while (n > CJ__SHAPES_KEPT);
    memset(e->kept, 0, sizeof e->kept);
    e->n_kept = 0;
    for (uint32_t i = 0; i < e->shapes.n; i++) {
        if (e->shapes.list[i].n_rows >= least - 1) {
            e->list[e->n_kept] = (uint8_t)i;
            e->kept[i] = (uint8_t)++e->n_kept;
        }
    }
}

/* Number the rows' shapes (0: no properties; whole texts come last) and order the rows
 * by them. */
static void props_order(props_encoder *e)
{
    uint32_t at[CJ__SHAPES_KEPT + 2] = {0}, groups = e->n_kept + 1;

    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t kept = e->kept[e->shape[i]];

        e->numbers[i] = kept > 0 ? kept : groups;
        if (e->rows[i].properties.data == NULL)
            e->numbers[i] = 0;
        else
            at[e->numbers[i]]++;
    }
    for (uint32_t g = 1, sum = 0, k; g <= groups; g++, sum += k) {
        k = at[g];
        e->bounds[g - 1] = at[g] = sum;
        e->bounds[g] = sum + k;
    }
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->numbers[i] > 0)
            e->order[at[e->numbers[i]]++] = (uint16_t)i;
    }
}

static void put_shape(const cj__shape *shape, cj__str *out)
{
    cj__str_put_varint(out, shape->n_slots);
    for (uint32_t i = 0; i <= shape->n_slots; i++) {
        cj__str_put_varint(out, shape->pieces[i].n);
        cj__str_put(out, shape->pieces[i].data, shape->pieces[i].n);
    }
}

/* The rows of a group: their texts at one slot, or whole. */
static void put_slot(props_encoder *e, uint32_t group, uint32_t slot, cj__str *out)
{
    uint32_t m = 0;
    size_t start = out->n;

    for (uint32_t i = e->bounds[group]; i < e->bounds[group + 1]; i++) {
        uint32_t row = e->order[i];
        cj__text text = e->rows[row].properties;

        if (group < e->n_kept) {
            const cj__slot *s = &e->slots[e->first[row] + slot];

            text.data += s->at;
            text.n = s->n;
        }
        e->texts[m++] = text;
    }
    cj__texts_put(&e->texter, out, e->texts, m);
    cj__str_size_since(out, start);
}

static void props_write(props_encoder *e, cj__str *out)
{
    const cj__text nothing[2] = {
        {"", 0},
        {"", 0}
    };
    uint32_t whole = e->bounds[e->n_kept + 1] > e->bounds[e->n_kept];
    cj__shape any = {0};

    memcpy(&any.pieces, &(const cj__text *){nothing}, sizeof any.pieces);
    any.n_slots = 1;
    cj__str_put_char(out, (char)CJ__PROPS_MARK);
    cj__str_put_varint(out, e->n);
    cj__str_put_varint(out, e->n_kept + whole);
    cj__pack_put_sized(&e->texter.packer, out, e->numbers, e->n);
    for (uint32_t g = 0; g < e->n_kept; g++)
        put_shape(&e->shapes.list[e->list[g]], out);
    if (whole)
        put_shape(&any, out);
    for (uint32_t g = 0; g < e->n_kept; g++) {
        for (uint32_t i = 0; i < e->shapes.list[e->list[g]].n_slots; i++)
            put_slot(e, g, i, out);
    }
    if (whole)
        put_slot(e, e->n_kept, 0, out);
}

int32_t cj__props_encode(const cj__allocator *a, const cj__row *rows, int64_t n,
                         cj__str *out)
{
    props_encoder *e;
    int64_t some = 0;
    int32_t rc;

    while (some < n && rows[some].properties.data == NULL)
        some++;
    if (some == n)
        return CJ_OK;
    if (n > CJ__BLOCK_EVENTS)
        return cj__fail(CJ_EINVAL, "a block holds 1 to %d events", CJ__BLOCK_EVENTS);
    e = cj__alloc(a, sizeof *e);
    if (e == NULL)
        return CJ_ENOMEM;
    e->allocator = a;
    e->rows = rows;
    e->n = (uint32_t)n;
    e->slots = NULL;
    e->n_slots = e->capacity = 0;
    memset(&e->shapes, 0, sizeof e->shapes);
    cj__arena_init(&e->shapes.arena, a);
    CJ_TRY(props_scan(e));
    props_choose(e);
    props_order(e);
    props_write(e, out);
    CJ_TRY(cj__str_status(out));
out:
    cj__arena_end(&e->shapes.arena);
    cj__free(a, e->slots, e->capacity * sizeof *e->slots);
    cj__free(a, e, sizeof *e);
    return rc;
}
