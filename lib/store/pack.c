/* Writing packs: plan each layout, that is, compute what it would take, then write the
 * cheapest.  Plans are exact, so the choice never loses.  Knows nothing of what the
 * numbers mean.
 *
 * Why these six: flat (frame of reference) gives entry at any row; steps fit numbers
 * that rise, such as the ids of a sorted dictionary; classes fit times between events,
 * whose logarithm is spread (four widths, the best four found exactly); dictionary and
 * frequent fit prices and products; repeats fit what stays during a visit. */
#include "store/pack.h"

#include <stdlib.h>

typedef struct pack_plan {
    uint32_t kind;
    uint32_t inner;    /* steps: the kind of its steps */
    uint32_t width;    /* flat: of a number; dictionary: of an index */
    uint64_t base;     /* flat, classes: the smallest value */
    uint64_t unit;     /* all values are base plus a multiple of it */
    uint8_t widths[4]; /* classes; frequent: of its indexes */
    size_t bytes;
} pack_plan;

typedef struct pack_histogram {
    uint32_t counts[65]; /* by bit length */
} pack_histogram;

static size_t pack_bit_bytes(uint64_t bits)
{
    return (size_t)((bits + 7) / 8);
}

static size_t pack_zigzag_size(uint64_t v)
{
    return cj__varint_size(cj__zigzag((int64_t)v));
}

static size_t pack_sized(size_t bytes)
{
    return cj__varint_size(bytes) + bytes;
}

/* ---- the four widths of kind classes --------------------------------------------- */

/* The cheapest four widths for numbers of these bit lengths, by dynamic programming
 * over the lengths that occur.  Returns the bits of all numbers without their classes.
 */
static uint64_t pack_class_widths(const pack_histogram *h, uint8_t widths[4])
{
    uint32_t length[65], upto[65], n = 0, total = 0;
    uint64_t cost[4][65];
    uint8_t from[4][65];

    for (uint32_t i = 0; i <= 64; i++) {
        total += h->counts[i];
        if (h->counts[i] > 0) {
            length[n] = i;
            upto[n++] = total;
        }
    }
    for (uint32_t j = 0; j < n; j++)
        cost[0][j] = (uint64_t)upto[j] * length[j];
    for (uint32_t c = 1; c < 4; c++) {
        for (uint32_t j = 0; j < n; j++) {
            cost[c][j] = cost[c - 1][j];
            from[c][j] = (uint8_t)j; /* this class stays empty */
            for (uint32_t i = 0; i < j; i++) {
                uint64_t sum =
                    cost[c - 1][i] + (uint64_t)(upto[j] - upto[i]) * length[j];

                if (sum < cost[c][j]) {
                    cost[c][j] = sum;
                    from[c][j] = (uint8_t)i;
                }
            }
        }
    }
    for (uint32_t c = 4, j = n - 1; c-- > 0;) {
        widths[c] = (uint8_t)length[j];
        j = c > 0 ? from[c][j] : j;
    }
    return cost[3][n - 1];
}

/* ---- plans ------------------------------------------------------------------------
 */

static void plan_better(pack_plan *best, const pack_plan *other)
{
    if (other->bytes < best->bytes)
        *best = *other;
}

static pack_plan plan_classes(const pack_histogram *h, uint32_t m, uint64_t base,
                              uint64_t unit)
{
    pack_plan plan = {.kind = CJ__PACK_CLASSES, .base = base, .unit = unit};
    uint64_t bits = pack_class_widths(h, plan.widths);

    plan.bytes = 1 + pack_zigzag_size(base) + cj__varint_size(unit) + 4 +
                 pack_bit_bytes(2 * (uint64_t)m) + pack_bit_bytes(bits);
    return plan;
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The greatest unit in which all values are whole numbers from base; most columns are
 * done after a few values, when it is 1. */
static uint64_t plan_unit(const uint64_t *v, uint32_t m, uint64_t base)
{
    uint64_t unit = 0;

    for (uint32_t i = 0; i < m && unit != 1; i++)
        unit = greatest_divisor(v[i] - base, unit);
    return unit == 0 ? 1 : unit;
}

static uint64_t pack_number(uint64_t value, uint64_t base, uint64_t unit)
{
    return unit == 1 ? value - base : (value - base) / unit;
}

static pack_plan plan_flat(const uint64_t *v, uint32_t m)
{
    pack_plan plan = {.kind = CJ__PACK_FLAT};
    int64_t low = (int64_t)v[0], high = low;

    for (uint32_t i = 1; i < m; i++) {
        int64_t x = (int64_t)v[i];

        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    plan.base = (uint64_t)low;
    plan.unit = plan_unit(v, m, plan.base);
    plan.width = cj__bit_length(((uint64_t)high - plan.base) / plan.unit);
    plan.bytes = 2 + pack_zigzag_size(plan.base) + cj__varint_size(plan.unit) +
                 pack_bit_bytes((uint64_t)m * plan.width);
    return plan;
}

/* Kinds flat and classes. */
static pack_plan plan_direct(const uint64_t *v, uint32_t m)
{
    pack_plan best = plan_flat(v, m), classes;
    pack_histogram h = {{0}};

    if (best.width <= 2 || m < 16)
        return best;
    for (uint32_t i = 0; i < m; i++)
        h.counts[cj__bit_length(pack_number(v[i], best.base, best.unit))]++;
    classes = plan_classes(&h, m, best.base, best.unit);
    plan_better(&best, &classes);
    return best;
}

/* Into steps[0 .. m - 1). */
static void steps_collect(cj__packer *p, const uint64_t *v, uint32_t m)
{
    for (uint32_t i = 1; i < m; i++)
        p->steps[i - 1] = v[i] - v[i - 1];
}

/* Kinds flat, steps and classes.  *changes: values that differ from the one before. */
static pack_plan plan_plain(cj__packer *p, const uint64_t *v, uint32_t m,
                            uint32_t *changes)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    pack_plan best = plan_direct(v, m), steps;

    *changes = 0;
    if (best.kind == CJ__PACK_FLAT && best.width == 0)
        return best;
    for (uint32_t i = 1; i < m; i++) {
        int64_t step = (int64_t)(v[i] - v[i - 1]);

        low = step < low ? step : low;
        high = step > high ? step : high;
        *changes += step != 0;
    }
    /* steps that reach further than the values do are no gain */
    if (cj__bit_length(((uint64_t)high - (uint64_t)low) / best.unit) >
        (best.kind == CJ__PACK_FLAT ? best.width : best.widths[3]))
        return best;
    steps_collect(p, v, m);
    steps = plan_direct(p->steps, m - 1);
    steps.inner = steps.kind;
    steps.kind = CJ__PACK_STEPS;
    steps.bytes += 1 + pack_zigzag_size(v[0]);
    plan_better(&best, &steps);
    return best;
}

/* ---- dictionaries -----------------------------------------------------------------
 */

static uint32_t dictionary_slot(const cj__packer *p, uint64_t value)
{
    uint32_t slot = (uint32_t)((value * 0x9e3779b97f4a7c15u) >> 53);

    _Static_assert(4 * CJ__PACK_DICT == 1 << (64 - 53), "a slot number has 11 bits");
    while (p->slots[slot] != 0 && p->entries[p->slots[slot] - 1].value != value)
        slot = (slot + 1) % (4 * CJ__PACK_DICT);
    return slot;
}

/* Distinct values with their counts; 0 when there are more than max. */
static int dictionary_collect(cj__packer *p, const uint64_t *v, uint32_t m,
                              uint32_t max)
{
    memset(p->slots, 0, sizeof p->slots);
    p->n_entries = 0;
    for (uint32_t i = 0; i < m; i++) {
        uint32_t slot = dictionary_slot(p, v[i]);

        if (p->slots[slot] == 0) {
            if (p->n_entries == max)
                return 0;
            p->entries[p->n_entries].value = v[i];
            p->entries[p->n_entries].count = 0;
            p->slots[slot] = (uint16_t)++p->n_entries;
        }
        p->entries[p->slots[slot] - 1].count++;
    }
    return 1;
}

static int entry_by_value(const void *a, const void *b)
{
    int64_t x = (int64_t)((const cj__pack_entry *)a)->value;
    int64_t y = (int64_t)((const cj__pack_entry *)b)->value;

    return (x > y) - (x < y);
}

static int entry_by_count(const void *a, const void *b)
{
    const cj__pack_entry *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return entry_by_value(a, b);
}

/* Sort the entries and number them anew; fills sorted[]. */
static void dictionary_sort(cj__packer *p, uint32_t kind)
{
    qsort(p->entries, p->n_entries, sizeof p->entries[0],
          kind == CJ__PACK_FREQUENT ? entry_by_count : entry_by_value);
    memset(p->slots, 0, sizeof p->slots);
    for (uint32_t i = 0; i < p->n_entries; i++) {
        p->slots[dictionary_slot(p, p->entries[i].value)] = (uint16_t)(i + 1);
        p->sorted[i] = p->entries[i].value;
    }
}

static pack_plan plan_frequent(cj__packer *p, uint32_t m)
{
    pack_plan plan = {.kind = CJ__PACK_FREQUENT};
    pack_histogram h = {{0}};
    uint32_t changes;
    pack_plan index;

    dictionary_sort(p, CJ__PACK_FREQUENT);
    for (uint32_t i = 0; i < p->n_entries; i++)
        h.counts[cj__bit_length(i)] += p->entries[i].count;
    index = plan_classes(&h, m, 0, 1);
    memcpy(plan.widths, index.widths, sizeof plan.widths);
    plan.bytes = 1 + cj__varint_size(p->n_entries) + pack_sized(index.bytes) +
                 plan_plain(p, p->sorted, p->n_entries, &changes).bytes;
    return plan;
}

/* Kinds dictionary and frequent, when they beat `best`. */
static void plan_dictionaries(cj__packer *p, const uint64_t *v, uint32_t m,
                              pack_plan *best)
{
    pack_plan plan = {.kind = CJ__PACK_DICTIONARY};
    uint32_t max = CJ__PACK_DICT, changes;

    /* an index takes a bit at least, an entry about a byte */
    if (best->bytes < 8 + m / 8)
        return;
    if (best->bytes - m / 8 < max)
        max = (uint32_t)(best->bytes - m / 8);
    if (!dictionary_collect(p, v, m, max))
        return;
    dictionary_sort(p, CJ__PACK_DICTIONARY);
    plan.width = cj__bit_length(p->n_entries - 1);
    plan.bytes = 1 + cj__varint_size(p->n_entries) +
                 pack_bit_bytes((uint64_t)m * plan.width) +
                 plan_plain(p, p->sorted, p->n_entries, &changes).bytes;
    plan_better(best, &plan);
    if (p->n_entries > 4) {
        plan = plan_frequent(p, m);
        plan_better(best, &plan);
    }
}

static pack_plan plan_steady(cj__packer *p, const uint64_t *v, uint32_t m,
                             uint32_t *changes)
{
    pack_plan best = plan_plain(p, v, m, changes);

    if (m >= 8)
        plan_dictionaries(p, v, m, &best);
    return best;
}

/* The values that differ from the one before, into changed[]; returns their number. */
static uint32_t repeats_collect(cj__packer *p, const uint64_t *v, uint32_t m)
{
    uint32_t n = 0;

    p->changed[n++] = v[0];
    for (uint32_t i = 1; i < m; i++) {
        if (v[i] != v[i - 1])
            p->changed[n++] = v[i];
    }
    return n;
}

static pack_plan plan_any(cj__packer *p, const uint64_t *v, uint32_t m)
{
    uint32_t changes, n;
    pack_plan best = plan_steady(p, v, m, &changes);
    pack_plan plan;

    if (changes == 0 || changes > m / 4 * 3)
        return best;
    n = repeats_collect(p, v, m);
    plan = plan_steady(p, p->changed, n, &changes);
    plan.bytes += 1 + pack_bit_bytes(m - 1);
    plan.kind = CJ__PACK_REPEATS;
    plan_better(&best, &plan);
    return best;
}

/* ---- writing ----------------------------------------------------------------------
 */

static void put_zigzag(cj__str *out, uint64_t v)
{
    cj__str_put_varint(out, cj__zigzag((int64_t)v));
}

/* Flat numbers, that is (v[i] - base) / unit. */
static void put_bits(cj__str *out, const uint64_t *v, uint32_t m, const pack_plan *plan)
{
    cj__bit_writer w = {0};

    w.at = cj__str_extend(out, pack_bit_bytes((uint64_t)m * plan->width));
    if (w.at == NULL || plan->width == 0)
        return;
    for (uint32_t i = 0; i < m; i++)
        cj__bits_put(&w, pack_number(v[i], plan->base, plan->unit), plan->width);
    cj__bits_end(&w);
}

static void put_classes(cj__str *out, const uint64_t *v, uint32_t m,
                        const pack_plan *plan)
{
    cj__bit_writer classes = {0}, w = {0};
    uint8_t class_of[65];
    uint64_t bits = 0;

    for (uint32_t length = 0, c = 0; length <= 64; length++) {
        while (c < 3 && plan->widths[c] < length)
            c++;
        class_of[length] = (uint8_t)c;
    }
    cj__str_put(out, plan->widths, 4);
    classes.at = cj__str_extend(out, pack_bit_bytes(2 * (uint64_t)m));
    if (classes.at == NULL)
        return;
    for (uint32_t i = 0; i < m; i++) {
        uint64_t x = pack_number(v[i], plan->base, plan->unit);
        uint32_t c = class_of[cj__bit_length(x)];

        cj__bits_put(&classes, c, 2);
        bits += plan->widths[c];
    }
    cj__bits_end(&classes);
    w.at = cj__str_extend(out, pack_bit_bytes(bits));
    if (w.at == NULL)
        return;
    for (uint32_t i = 0; i < m; i++) {
        uint64_t x = pack_number(v[i], plan->base, plan->unit);

        cj__bits_put(&w, x, plan->widths[class_of[cj__bit_length(x)]]);
    }
    cj__bits_end(&w);
}

static void put_direct(cj__str *out, const uint64_t *v, uint32_t m,
                       const pack_plan *plan)
{
    cj__str_put_char(out, (char)plan->kind);
    put_zigzag(out, plan->base);
    cj__str_put_varint(out, plan->unit);
    if (plan->kind == CJ__PACK_FLAT) {
        cj__str_put_char(out, (char)plan->width);
        put_bits(out, v, m, plan);
    } else {
        put_classes(out, v, m, plan);
    }
}

static void put_plain(cj__packer *p, cj__str *out, const uint64_t *v, uint32_t m,
                      const pack_plan *plan)
{
    pack_plan inner = *plan;

    if (plan->kind != CJ__PACK_STEPS) {
        put_direct(out, v, m, plan);
        return;
    }
    cj__str_put_char(out, CJ__PACK_STEPS);
    put_zigzag(out, v[0]);
    steps_collect(p, v, m);
    inner.kind = plan->inner;
    put_direct(out, p->steps, m - 1, &inner);
}

static void put_dictionary(cj__packer *p, cj__str *out, const uint64_t *v, uint32_t m,
                           const pack_plan *plan)
{
    pack_plan index = {.kind = CJ__PACK_CLASSES, .unit = 1}, entries;
    uint32_t changes;
    size_t start;

    dictionary_collect(p, v, m, CJ__PACK_DICT);
    dictionary_sort(p, plan->kind);
    for (uint32_t i = 0; i < m; i++)
        p->index[i] = (uint64_t)p->slots[dictionary_slot(p, v[i])] - 1;
    cj__str_put_char(out, (char)plan->kind);
    cj__str_put_varint(out, p->n_entries);
    if (plan->kind == CJ__PACK_DICTIONARY) {
        index.width = plan->width;
        put_bits(out, p->index, m, &index);
    } else {
        start = out->n;
        memcpy(index.widths, plan->widths, sizeof index.widths);
        put_direct(out, p->index, m, &index);
        cj__str_size_since(out, start);
    }
    entries = plan_plain(p, p->sorted, p->n_entries, &changes);
    put_plain(p, out, p->sorted, p->n_entries, &entries);
}

static void put_steady(cj__packer *p, cj__str *out, const uint64_t *v, uint32_t m,
                       const pack_plan *plan)
{
    if (plan->kind == CJ__PACK_DICTIONARY || plan->kind == CJ__PACK_FREQUENT)
        put_dictionary(p, out, v, m, plan);
    else
        put_plain(p, out, v, m, plan);
}

static void put_repeats(cj__packer *p, cj__str *out, const uint64_t *v, uint32_t m)
{
    uint32_t n = repeats_collect(p, v, m), changes;
    pack_plan plan = plan_steady(p, p->changed, n, &changes);
    cj__bit_writer w = {0};

    cj__str_put_char(out, CJ__PACK_REPEATS);
    w.at = cj__str_extend(out, pack_bit_bytes(m - 1));
    if (w.at == NULL)
        return;
    for (uint32_t i = 1; i < m; i++)
        cj__bits_put(&w, v[i] != v[i - 1], 1);
    cj__bits_end(&w);
    put_steady(p, out, p->changed, n, &plan);
}

void cj__pack_put(cj__packer *p, cj__str *out, const uint64_t *values, uint32_t m)
{
    pack_plan plan;

    if (m == 0)
        return;
    plan = plan_any(p, values, m);
    if (plan.kind == CJ__PACK_REPEATS)
        put_repeats(p, out, values, m);
    else
        put_steady(p, out, values, m, &plan);
}

void cj__pack_put_fast(cj__str *out, const uint64_t *values, uint32_t m, int only_flat)
{
    const pack_plan plan = only_flat ? plan_flat(values, m) : plan_direct(values, m);

    put_direct(out, values, m, &plan);
}

void cj__pack_put_sized(cj__packer *p, cj__str *out, const uint64_t *values, uint32_t m)
{
    size_t start = out->n;

    cj__pack_put(p, out, values, m);
    cj__str_size_since(out, start);
}

void cj__str_size_since(cj__str *out, size_t start)
{
    size_t n = out->n - start, size = cj__varint_size(n);
    uint8_t *at;

    cj__str_put_varint(out, n); /* makes the room; its bytes then move to the front */
    if (out->rc != CJ_OK)
        return;
    at = (uint8_t *)out->data + start;
    memmove(at + size, at, n);
    for (size_t i = 0; i < size; i++, n >>= 7)
        at[i] = (uint8_t)((n & 127) | (i + 1 < size ? 128u : 0u));
}
