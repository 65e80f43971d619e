/* Writing the properties of a block: rows by shape, and a text column for each slot of
 * each shape.  Rows whose shape is rare are kept whole, as the one slot of a shape with
 * nothing around it. */
#include "store/block_layout.h"
#include "store/props_shape.h"

enum {
    PROPS_LEAST_ROWS = 3, /* of a shape: below, its columns take more than they save */
    PROPS_MOST_SLOTS = CJ__BLOCK_EVENTS * CJ__SHAPE_SLOTS,
    PROPS_AHEAD = 8,     /* rows whose texts are asked for in advance */
    PROPS_LEADERS = 4,   /* slots of a shape that others may follow */
    PROPS_LEAST_LED = 16 /* distinct texts of such a slot: fewer save nothing */
};

/* A slot whose text may decide those of later slots: a product its price. */
typedef struct props_leader {
    uint32_t slot, k;                 /* distinct texts */
    uint16_t index[CJ__BLOCK_EVENTS]; /* of each row among them */
} props_leader;

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
    cj__text led[CJ__BLOCK_EVENTS];
    props_leader leaders[PROPS_LEADERS];
    uint32_t n_leaders;
    cj__texter texter;
} props_encoder;

/* Rows are sorted, their texts lie anywhere: waiting for memory is most of the work. */
static void props_prefetch(const char *text)
{
    cj__prefetch(text);
    cj__prefetch((const void *)((uintptr_t)text + 64));
}

/* Shape and slots of every row. */
static int32_t props_scan(props_encoder *e)
{
    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t shape;

        e->shape[i] = CJ__SHAPE_NONE;
        if (i + PROPS_AHEAD < e->n)
            props_prefetch(e->rows[i + PROPS_AHEAD].properties.data);
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

/* The texts of a group's rows at one slot, or whole, into texts[]; returns how many. */
static uint32_t slot_collect(props_encoder *e, uint32_t group, uint32_t slot)
{
    uint32_t m = 0;

    for (uint32_t i = e->bounds[group]; i < e->bounds[group + 1]; i++) {
        uint32_t row = e->order[i];
        cj__text text = e->rows[row].properties;

        if (group < e->n_kept) {
            const cj__slot *s = &e->slots[e->first[row] + slot];

            text.data += s->at;
            text.n = s->n;
            props_prefetch(text.data);
        }
        e->texts[m++] = text;
    }
    return m;
}

/* 1 when equal texts of the leader always come with equal texts here; then led[] has
 * one for each distinct text of the leader.  Mostly the first few rows tell. */
static int slot_follows(props_encoder *e, const props_leader *leader, uint32_t m)
{
    uint32_t known = 0;

    for (uint32_t i = 0; i < m; i++) {
        uint32_t at = leader->index[i];

        if (at == known) /* numbered in order of appearance */
            e->led[known++] = e->texts[i];
        else if (!cj__text_equal(e->led[at], e->texts[i]))
            return 0;
    }
    return 1;
}

/* After the column of texts[0 .. m) was written from `start`: write it as one that
 * follows an earlier slot, if that is shorter.  1: it could follow. */
static int slot_follow(props_encoder *e, cj__str *out, size_t start, uint32_t m)
{
    size_t second = out->n;

    for (uint32_t i = 0; second - start > m / 8 && i < e->n_leaders; i++) {
        if (!slot_follows(e, &e->leaders[i], m))
            continue;
        cj__str_put_char(out, CJ__TEXTS_FOLLOWS);
        cj__str_put_varint(out, e->leaders[i].slot);
        cj__texts_put(&e->texter, out, e->led, e->leaders[i].k);
        cj__str_keep_shorter(out, start, second);
        return 1;
    }
    return 0;
}

/* Make a slot a leader, if it has many distinct texts, but fewer than rows.  k: how
 * many; 0: numbers, not known. */
static void slot_lead(props_encoder *e, uint32_t slot, uint32_t k, uint32_t m)
{
    props_leader *leader = &e->leaders[e->n_leaders];

    if (k == 0)
        k = cj__texts_distinct(&e->texter, e->texts, m);
    if (k < PROPS_LEAST_LED || k > m / 4 * 3)
        return;
    leader->slot = slot;
    leader->k = k;
    for (uint32_t i = 0; i < m; i++)
        leader->index[i] = (uint16_t)e->texter.index[i];
    e->n_leaders++;
}

static void put_slot(props_encoder *e, uint32_t group, uint32_t slot, cj__str *out)
{
    uint32_t m = slot_collect(e, group, slot), k;
    size_t start = out->n;

    if (slot == 0)
        e->n_leaders = 0;
    k = cj__texts_put(&e->texter, out, e->texts, m);
    /* numbers of less than a byte decide nothing: they are not looked at */
    if (!slot_follow(e, out, start, m) && e->n_leaders < PROPS_LEADERS &&
        group < e->n_kept && slot + 1 < e->shapes.list[e->list[group]].n_slots &&
        (k > 0 || out->n - start > m))
        slot_lead(e, slot, k, m);
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
