/* Reading the properties of a block back to texts.  Bytes may be damaged: no text is
 * longer than an event's properties may be unless it was stored whole, so that at most
 * CJ__BLOCK_EVENTS x CJ__MAX_PROPERTIES are ever made of them. */
#include "base/hash.h"
#include "store/block_layout.h"
#include "store/props_shape.h"

#define PROPS_TABLE 16384 /* 32 KiB: it should stay in the fastest cache */

typedef struct props_decoder {
    cj__arena *arena;
    cj__text *texts; /* of the rows that are wanted: [from, from + count) */
    uint32_t n, from, count, n_shapes;
    uint32_t total[CJ__SHAPES_KEPT + 2];  /* rows of each group; the first has none */
    uint32_t before[CJ__SHAPES_KEPT + 2]; /* of them, before `from` */
    uint32_t bounds[CJ__SHAPES_KEPT + 3]; /* of the groups' rows in order[] */
    uint32_t order[CJ__BLOCK_EVENTS];     /* rows that are wanted, less `from` */
    uint32_t m, base, k;               /* total, before, wanted of the shape at hand */
    cj__text columns[CJ__SHAPE_SLOTS]; /* its slots */
    cj__text *whole[CJ__SHAPE_SLOTS];  /* all texts of a slot; NULL: not made */
    uint32_t leader, n_led;            /* the slot whose distinct texts are numbered */
    uint16_t led[CJ__BLOCK_EVENTS];    /* the number of each row's text */
    uint16_t first[CJ__BLOCK_EVENTS];  /* a row that has it */
    uint64_t *ids;                     /* of its texts, while they are numbered */
    uint16_t *table;                   /* what numbers them, of PROPS_TABLE */
    cj__shape shapes[CJ__SHAPES_KEPT + 1];
} props_decoder;

static int32_t props_corrupt(void)
{
    return cj__fail(CJ_ECORRUPT, "properties of a block are damaged: run cj_check");
}

/* Add how many of n rows are of each group; 0, or -1 when one is of none.  Most blocks
 * have one shape: then it is a sum. */
static int order_count(const props_decoder *d, const uint64_t *group, uint32_t n,
                       uint32_t *counts)
{
    uint64_t sum = 0, outside = 0;

    if (d->n_shapes > 1) {
        for (uint32_t i = 0; i < n; i++) {
            if (group[i] > d->n_shapes)
                return -1;
            counts[group[i]]++;
        }
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += group[i] & 1;
        outside |= group[i];
    }
    counts[0] += n - (uint32_t)sum;
    counts[1] += (uint32_t)sum;
    return outside > 1 ? -1 : 0;
}

/* Which rows have which shape. */
static int32_t order_read(props_decoder *d, cj__text pack)
{
    uint32_t at[CJ__SHAPES_KEPT + 2] = {0}, sum = 0;
    const uint32_t end = d->from + d->count;
    uint64_t *group = cj__arena_alloc(d->arena, sizeof *group * d->n);

    if (group == NULL)
        return CJ_ENOMEM;
    memset(d->before, 0, sizeof d->before);
    if (cj__pack_get(pack, d->n, 0, d->n, group) != 0 ||
        order_count(d, group, d->from, d->before) != 0 ||
        order_count(d, group + d->from, d->count, at) != 0)
        return props_corrupt();
    for (uint32_t g = 0; g <= d->n_shapes; g++) {
        d->bounds[g] = sum;
        sum += at[g];
        d->total[g] = d->before[g] + at[g];
        at[g] = d->bounds[g];
    }
    d->bounds[d->n_shapes + 1] = sum;
    if (order_count(d, group + end, d->n - end, d->total) != 0)
        return props_corrupt();
    for (uint32_t i = 0; i < d->count; i++)
        d->order[at[group[d->from + i]]++] = i;
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

/* Put the wanted rows of a shape together: values[slot * k + row]. */
static int32_t rows_build(props_decoder *d, const cj__shape *shape,
                          const uint32_t *order, const cj__text *values)
{
    const uint32_t slots = shape->n_slots, k = d->k;
    size_t around = 0, bytes = 0;
    char *to;

    for (uint32_t s = 0; s <= slots; s++)
        around += shape->pieces[s].n;
    for (uint32_t i = 0; i < k; i++) {
        size_t n = around;

        for (uint32_t s = 0; s < slots && n <= CJ__MAX_PROPERTIES; s++)
            n += values[(size_t)s * k + i].n;
        if (n > CJ__MAX_PROPERTIES)
            return props_corrupt();
        bytes += n;
    }
    to = cj__arena_alloc(d->arena, bytes);
    if (to == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < k; i++) {
        cj__text *text = &d->texts[order[i]];

        text->data = to;
        for (uint32_t s = 0; s < slots; s++) {
            to = put_text(to, shape->pieces[s]);
            to = put_text(to, values[(size_t)s * k + i]);
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

/* Number the distinct ones of a slot's texts in order of appearance.  Their ids are
 * equal for equal texts; those of different texts may be, when texts are given. */
static void leader_number(props_decoder *d, const cj__text *texts)
{
    enum { SLOTS = 2 * CJ__BLOCK_EVENTS };
    const uint64_t *ids = d->ids;
    uint16_t *slots = d->table;

    memset(slots, 0, SLOTS * sizeof *slots);
    d->n_led = 0;
    for (uint32_t i = 0; i < d->m; i++) {
        uint32_t slot = (uint32_t)(ids[i] * 0x9E3779B97F4A7C15u >> 40), at;

        for (slot %= SLOTS;; slot = (slot + 1) % SLOTS) {
            at = slots[slot];
            if (at == 0 ||
                (ids[d->first[at - 1]] == ids[i] &&
                 (texts == NULL || cj__text_equal(texts[d->first[at - 1]], texts[i]))))
                break;
        }
        if (at == 0) {
            d->first[d->n_led] = (uint16_t)i;
            at = slots[slot] = (uint16_t)++d->n_led;
        }
        d->led[i] = (uint16_t)(at - 1);
    }
}

/* The same of ids below PROPS_TABLE, without a branch: nobody can foretell which text
 * is a new one. */
static void leader_number_small(props_decoder *d, uint64_t highest)
{
    uint32_t n = 0;

    memset(d->table, 0, ((size_t)highest + 1) * sizeof *d->table);
    for (uint32_t i = 0; i < d->m; i++) {
        const uint32_t id = (uint32_t)d->ids[i], at = d->table[id];
        const uint32_t number = at == 0 ? n + 1 : at;

        n += at == 0;
        d->table[id] = (uint16_t)number;
        d->led[i] = (uint16_t)(number - 1);
    }
    d->n_led = n;
}

static void leader_number_ids(props_decoder *d)
{
    uint64_t highest = 0;

    for (uint32_t i = 0; i < d->m; i++)
        highest = d->ids[i] > highest ? d->ids[i] : highest;
    if (highest < PROPS_TABLE)
        leader_number_small(d, highest);
    else
        leader_number(d, NULL);
}

/* Texts [from, from + count) of a slot's m. */
static int32_t slot_get(props_decoder *d, uint32_t s, uint32_t from, uint32_t count,
                        cj__text *out);

/* All texts of a slot. */
static int32_t slot_whole(props_decoder *d, uint32_t s)
{
    if (d->whole[s] != NULL)
        return CJ_OK;
    d->whole[s] = cj__arena_alloc(d->arena, sizeof **d->whole * d->m);
    return d->whole[s] == NULL ? CJ_ENOMEM : slot_get(d, s, 0, d->m, d->whole[s]);
}

/* Number the texts of a slot that another follows: it takes all of them, or what stands
 * for them, which is a tenth of the work. */
static int32_t leader_read(props_decoder *d, uint32_t s)
{
    int is_known;
    int32_t rc;

    if (d->leader == s)
        return CJ_OK;
    d->leader = CJ__SHAPE_SLOTS;
    d->ids = cj__arena_alloc(d->arena, sizeof *d->ids * d->m);
    d->table = cj__arena_alloc(d->arena, sizeof *d->table * PROPS_TABLE);
    if (d->ids == NULL || d->table == NULL)
        return CJ_ENOMEM;
    is_known = cj__texts_ids(d->columns[s], d->m, d->ids);
    if (is_known < 0)
        return props_corrupt();
    if (is_known == 0) {
        leader_number_ids(d);
    } else {
        uint64_t *ids = d->ids;

        rc = slot_whole(d, s); /* may number another one */
        if (rc != CJ_OK)
            return rc;
        d->ids = ids;
        for (uint32_t i = 0; i < d->m; i++)
            ids[i] = cj__hash64(0, d->whole[s][i].data, d->whole[s][i].n);
        leader_number(d, d->whole[s]);
    }
    d->leader = s;
    return CJ_OK;
}

/* A column of kind follows, of slot s.  Of few rows, each text alone. */
static int32_t follows_get(props_decoder *d, uint32_t s, uint32_t from, uint32_t count,
                           cj__text *out)
{
    cj__bytes b = cj__bytes_of(d->columns[s]);
    uint64_t leader;
    cj__text rest, *led;
    int32_t rc;

    cj__bytes_byte(&b);
    leader = cj__bytes_varint(&b);
    if (b.bad || leader >= s)
        return props_corrupt();
    rc = leader_read(d, (uint32_t)leader);
    rest = cj__bytes_rest(&b);
    if (count < d->n_led / 8) {
        for (uint32_t i = 0; rc == CJ_OK && i < count; i++)
            rc = cj__texts_get(rest, (const uint32_t[3]){d->n_led, d->led[from + i], 1},
                               d->arena, &out[i]);
        return rc;
    }
    led = cj__arena_alloc(d->arena, sizeof *led * (d->n_led + 1));
    if (led == NULL)
        return CJ_ENOMEM;
    if (rc == CJ_OK)
        rc = cj__texts_get(rest, (const uint32_t[3]){d->n_led, 0, d->n_led}, d->arena,
                           led);
    for (uint32_t i = 0; rc == CJ_OK && i < count; i++)
        out[i] = led[d->led[from + i]];
    return rc;
}

static int32_t slot_get(props_decoder *d, uint32_t s, uint32_t from, uint32_t count,
                        cj__text *out)
{
    if (d->columns[s].data[0] == CJ__TEXTS_FOLLOWS)
        return follows_get(d, s, from, count, out);
    return cj__texts_get(d->columns[s], (const uint32_t[3]){d->m, from, count},
                         d->arena, out);
}

static int32_t columns_read(props_decoder *d, cj__bytes *b, uint32_t slots)
{
    for (uint32_t s = 0; s < slots; s++) {
        d->columns[s] = cj__bytes_sized(b);
        d->whole[s] = NULL;
        if (b->bad || d->columns[s].n == 0)
            return props_corrupt();
    }
    d->leader = CJ__SHAPE_SLOTS;
    return CJ_OK;
}

static int32_t rows_read(props_decoder *d, cj__bytes *b, uint32_t group)
{
    const cj__shape *shape = &d->shapes[group];
    const uint32_t *order = d->order + d->bounds[group + 1];
    cj__text *values;
    int32_t rc;

    d->m = d->total[group + 1];
    d->base = d->before[group + 1];
    d->k = d->bounds[group + 2] - d->bounds[group + 1];
    if (d->m == 0)
        return props_corrupt();
    rc = columns_read(d, b, shape->n_slots);
    if (rc != CJ_OK || d->k == 0)
        return rc;
    values =
        cj__arena_alloc(d->arena, sizeof *values * d->k * ((size_t)shape->n_slots + 1));
    if (values == NULL)
        return CJ_ENOMEM;
    for (uint32_t s = 0; s < shape->n_slots; s++) {
        rc = slot_get(d, s, d->base, d->k, values + (size_t)s * d->k);
        if (rc != CJ_OK)
            return rc;
        if (d->k == d->m)
            d->whole[s] = values + (size_t)s * d->k;
    }
    if (!shape_is_whole(shape))
        return rows_build(d, shape, order, values);
    for (uint32_t i = 0; i < d->k; i++)
        d->texts[order[i]] = values[i];
    return CJ_OK;
}

int32_t cj__props_decode(cj__text bytes, const uint32_t range[3], cj__arena *arena,
                         cj__text *texts)
{
    const uint32_t n = range[0], from = range[1], count = range[2];
    cj__bytes b = cj__bytes_of(bytes);
    props_decoder *d = cj__arena_alloc(arena, sizeof *d);
    int mark = cj__bytes_byte(&b) == CJ__PROPS_MARK;
    uint64_t rows = cj__bytes_varint(&b), shapes = cj__bytes_varint(&b);
    cj__text order = cj__bytes_sized(&b);
    int32_t rc;

    if (d == NULL)
        return CJ_ENOMEM;
    if (b.bad || !mark || n < 1 || n > CJ__BLOCK_EVENTS || from >= n || count < 1 ||
        count > n - from || rows != n || shapes < 1 || shapes > CJ__SHAPES_KEPT + 1)
        return props_corrupt();
    d->arena = arena;
    d->texts = texts;
    d->n = n;
    d->from = from;
    d->count = count;
    d->n_shapes = (uint32_t)shapes;
    memset(texts, 0, sizeof *texts * count);
    rc = order_read(d, order);
    for (uint32_t g = 0; rc == CJ_OK && g < d->n_shapes; g++)
        rc = shape_read(d, &b, &d->shapes[g]);
    for (uint32_t g = 0; rc == CJ_OK && g < d->n_shapes; g++)
        rc = rows_read(d, &b, g);
    return rc == CJ_OK && b.at != b.end ? props_corrupt() : rc;
}
