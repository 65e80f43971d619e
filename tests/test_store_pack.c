/* Packs against a second reader written from docs/FORMAT.md alone, bit by bit; and
 * against damaged bytes. */
#include "harness.h"
#include "store/pack.h"

#include <stdio.h>

/* ---- a slow reader ------------------------------------------------------------------
 */

typedef struct slow_bits {
    const uint8_t *bytes;
    size_t n, bit;
} slow_bits;

static uint64_t slow_number(slow_bits *b, uint32_t width)
{
    uint64_t v = 0;

    for (uint32_t i = 0; i < width; i++, b->bit++) {
        ck_assert_uint_lt(b->bit / 8, b->n);
        v |= (uint64_t)(b->bytes[b->bit / 8] >> (b->bit % 8) & 1) << i;
    }
    return v;
}

static uint64_t slow_varint(slow_bits *b)
{
    uint64_t v = 0, byte;
    uint32_t shift = 0;

    do {
        byte = slow_number(b, 8);
        v |= (byte & 127) << shift;
        shift += 7;
    } while (byte > 127);
    return v;
}

static uint64_t slow_zigzag(slow_bits *b)
{
    uint64_t v = slow_varint(b);

    return v % 2 ? ~(v / 2) : v / 2;
}

static void slow_align(slow_bits *b)
{
    b->bit = (b->bit + 7) / 8 * 8;
}

static void slow_pack(slow_bits *b, uint32_t m, uint64_t *out)
{
    uint64_t kind = slow_number(b, 8), base, unit, k, entries[CJ__PACK_DICT];
    uint32_t widths[4], classes[CJ__PACK_MAX], n = 0;
    int changed[CJ__PACK_MAX] = {0};
    slow_bits index;

    switch (kind) {
    case 0:
        base = slow_zigzag(b);
        unit = slow_varint(b);
        widths[0] = (uint32_t)slow_number(b, 8);
        for (uint32_t i = 0; i < m; i++)
            out[i] = base + unit * slow_number(b, widths[0]);
        break;
    case 1:
        out[0] = slow_zigzag(b);
        slow_pack(b, m - 1, out + 1);
        for (uint32_t i = 1; i < m; i++)
            out[i] += out[i - 1];
        break;
    case 2:
        base = slow_zigzag(b);
        unit = slow_varint(b);
        for (int c = 0; c < 4; c++)
            widths[c] = (uint32_t)slow_number(b, 8);
        for (uint32_t i = 0; i < m; i++)
            classes[i] = (uint32_t)slow_number(b, 2);
        slow_align(b);
        for (uint32_t i = 0; i < m; i++)
            out[i] = base + unit * slow_number(b, widths[classes[i]]);
        break;
    case 3:
        k = slow_varint(b);
        while (((uint64_t)1 << n) < k)
            n++;
        for (uint32_t i = 0; i < m; i++)
            out[i] = slow_number(b, n);
        slow_align(b);
        slow_pack(b, (uint32_t)k, entries);
        for (uint32_t i = 0; i < m; i++)
            out[i] = entries[out[i]];
        break;
    case 4:
        for (uint32_t i = 1; i < m; i++)
            n += (uint32_t)(changed[i] = (int)slow_number(b, 1));
        slow_align(b);
        uint64_t values[CJ__PACK_MAX];
        slow_pack(b, n + 1, values);
        for (uint32_t i = 0, at = 0; i < m; i++)
            out[i] = values[at += (uint32_t)changed[i]];
        break;
    default:
        ck_assert_uint_eq(kind, 5);
        k = slow_varint(b);
        index = (slow_bits){b->bytes, 0, 0};
        index.n = (size_t)slow_varint(b);
        index.n += b->bit / 8;
        index.bit = b->bit;
        slow_pack(&index, m, out);
        slow_align(&index);
        ck_assert_uint_eq(index.bit, index.n * 8);
        b->bit = index.bit;
        slow_pack(b, (uint32_t)k, entries);
        for (uint32_t i = 0; i < m; i++)
            out[i] = entries[out[i]];
    }
    slow_align(b);
}

/* ---- data ---------------------------------------------------------------------------
 */

static uint64_t dice_state;

static uint64_t dice(void)
{
    uint64_t z = (dice_state += 0x9e3779b97f4a7c15u); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

enum { SHAPES = 12 };

/* Values of one of twelve kinds, so that every layout wins somewhere. */
static void values_make(uint32_t shape, uint64_t *v, uint32_t m)
{
    for (uint32_t i = 0; i < m; i++) {
        uint64_t before = i > 0 ? v[i - 1] : dice() % 1000;

        switch (shape) {
        case 0: /* constant */
            v[i] = i > 0 ? before : dice();
            break;
        case 1: /* narrow around a negative */
            v[i] = (uint64_t)-500000 + dice() % 1000;
            break;
        case 2: /* rising */
            v[i] = before + 100000 + dice() % 7;
            break;
        case 3: /* times between events */
            v[i] = dice() >> (20 + dice() % 44);
            break;
        case 4: /* prices */
            v[i] = (dice() % 40) * 9973 + 95;
            break;
        case 5: /* few, some frequent */
            v[i] = cj__bit_length(dice() % 65536) * 1234567;
            break;
        case 6: /* sessions */
            v[i] = dice() % 6 ? before : dice() >> 40;
            break;
        case 7: /* any 64 bits */
            v[i] = dice();
            break;
        case 8: /* the ends of int64 */
            v[i] = dice() % 2 ? (uint64_t)INT64_MIN : (uint64_t)INT64_MAX;
            break;
        case 9: /* a session number per visit, rising */
            v[i] = dice() % 5 ? before : before + 1;
            break;
        case 10: /* exactly at the dictionary's bound */
            v[i] = (i % (CJ__PACK_DICT + dice() % 2)) * 0x123456789abu;
            break;
        default: /* wide steps that wrap around */
            v[i] = before + ((uint64_t)1 << 63) + dice() % 3;
        }
    }
}

static const uint32_t sizes[] = {1,  2,  3,  7,   8,   9,   16,   17,
                                 63, 64, 65, 100, 511, 513, 1000, 4096};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static cj__packer packer;
static uint64_t values[CJ__PACK_MAX], got[CJ__PACK_MAX + 1];

/* A pack of its own size on the heap: one byte too far is seen by a sanitizer. */
static cj__text pack_of(cj__str *s, const uint64_t *v, uint32_t m)
{
    cj__str_clear(s);
    cj__pack_put(&packer, s, v, m);
    ck_assert_int_eq(cj__str_status(s), CJ_OK);
    uint8_t *copy = malloc(s->n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, s->data, s->n);
    return (cj__text){(char *)copy, s->n};
}

static void pack_free(cj__text pack)
{
    char *bytes;

    memcpy(&bytes, &pack.data, sizeof bytes);
    free(bytes);
}

/* ---- tests --------------------------------------------------------------------------
 */

START_TEST(test_store_pack__values_come_back_by_both_readers)
{
    cj__ctx cx;
    cj__str s;
    int seen[6] = {0};

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__str_init(&s, &cx.allocator, 1 << 20);
    for (uint32_t round = 0; round < 3 * SHAPES * N_SIZES; round++) {
        uint32_t m = sizes[round / SHAPES % N_SIZES];
        cj__text pack;
        slow_bits slow;

        values_make(round % SHAPES, values, m);
        pack = pack_of(&s, values, m);
        seen[(uint8_t)pack.data[0] % 6]++;
        got[m] = 0xfeed;
        ck_assert_int_eq(cj__pack_get(pack, m, 0, m, got), 0);
        ck_assert_mem_eq(got, values, m * sizeof *got);
        ck_assert_uint_eq(got[m], 0xfeed);
        slow = (slow_bits){(const uint8_t *)pack.data, pack.n, 0};
        slow_pack(&slow, m, got);
        ck_assert_mem_eq(got, values, m * sizeof *got);
        ck_assert_uint_eq(slow.bit, pack.n * 8);
        pack_free(pack);
    }
    for (int kind = 0; kind < 6; kind++)
        ck_assert_msg(seen[kind] > 0, "no pack was of kind %d", kind);
    cj__str_end(&s);
}
END_TEST

START_TEST(test_store_pack__any_range_is_that_part_of_all)
{
    cj__ctx cx;
    cj__str s;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__str_init(&s, &cx.allocator, 1 << 20);
    for (uint32_t round = 0; round < SHAPES * N_SIZES; round++) {
        uint32_t m = sizes[round / SHAPES];
        cj__text pack;

        values_make(round % SHAPES, values, m);
        pack = pack_of(&s, values, m);
        for (int i = 0; i < 40; i++) {
            uint32_t from = (uint32_t)(dice() % (m + 1));
            uint32_t count = (uint32_t)(dice() % (m - from + 1));

            got[count] = 0xfeed;
            ck_assert_int_eq(cj__pack_get(pack, m, from, count, got), 0);
            ck_assert_mem_eq(got, values + from, count * sizeof *got);
            ck_assert_uint_eq(got[count], 0xfeed);
        }
        pack_free(pack);
    }
    cj__str_end(&s);
}
END_TEST

START_TEST(test_store_pack__is_as_small_as_promised)
{
    static const struct {
        uint32_t shape, most_bytes; /* of 4,096 values */
    } cases[] = {
        {0, 13  }, /* kind, a base of 10 bytes, unit, width: FORMAT.md since units came */
        {1, 5130},
        {2, 1600},
        {4, 3200},
        {5, 1700},
        {6, 2900},
        {9, 560 }
    };
    cj__ctx cx;
    cj__str s;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__str_init(&s, &cx.allocator, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        values_make(cases[i].shape, values, CJ__PACK_MAX);
        cj__str_clear(&s);
        cj__pack_put(&packer, &s, values, CJ__PACK_MAX);
        ck_assert_msg(s.n <= cases[i].most_bytes, "shape %u took %zu bytes",
                      cases[i].shape, s.n);
    }
    cj__str_end(&s);
}
END_TEST

START_TEST(test_store_pack__refuses_what_is_no_pack)
{
    static const struct {
        const char *what;
        uint32_t m, from, count;
        size_t n;
        const char *bytes;
    } cases[] = {
        {"no bytes",            1,    0, 1, 0,  ""                            },
        {"bytes for nothing",   0,    0, 0, 1,  "\0"                          },
        {"an unknown kind",     1,    0, 1, 4,  "\6\0\1\0"                    },
        {"too many values",     4097, 0, 1, 4,  "\0\0\1\0"                    },
        {"a range from beyond", 2,    3, 0, 4,  "\0\0\1\0"                    },
        {"a range to beyond",   2,    1, 2, 4,  "\0\0\1\0"                    },
        {"a width of 65",       1,    0, 1, 13, "\0\0\1\x41........."         },
        {"too few bits",        9,    0, 9, 5,  "\0\0\1\1\xff"                },
        {"a cut varint",        1,    0, 1, 2,  "\0\x80"                      },
        {"steps of one value",  1,    0, 1, 6,  "\1\0\0\0\1\0"                },
        {"steps of steps",      3,    0, 3, 8,  "\1\0\1\0\0\0\1\0"            },
        {"a class of 65 bits",  1,    0, 1, 18, "\2\0\1\x41\0\0\0\0.........."},
        {"no numbers",          4,    0, 4, 8,  "\2\0\1\10\10\10\10\0"        },
        {"no dictionary",       1,    0, 1, 6,  "\3\0\0\0\1\0"                },
        {"a dictionary of 513", 1,    0, 1, 9,  "\3\x81\4......"              },
        {"an index too high",   4,    0, 4, 7,  "\3\3\xff\0\0\1\0"            },
        {"a nested dictionary", 1,    0, 1, 7,  "\3\1\3\1\0\1\0"              },
        {"repeats of repeats",  2,    0, 2, 7,  "\4\1\4\1\0\1\0"              },
        {"an index of indexes", 1,    0, 1, 11, "\5\1\4\3\0\1\0\0\0\1\0"      },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cj__text pack = {cases[i].bytes, cases[i].n};

        ck_assert_msg(
            cj__pack_get(pack, cases[i].m, cases[i].from, cases[i].count, got) != 0,
            "%s was accepted", cases[i].what);
    }
}
END_TEST

START_TEST(test_store_pack__survives_damage)
{
    cj__ctx cx;
    cj__str s;
    uint64_t refused = 0;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__str_init(&s, &cx.allocator, 1 << 20);
    for (uint32_t round = 0; round < SHAPES * N_SIZES; round++) {
        uint32_t m = sizes[round / SHAPES];
        cj__text pack;

        values_make(round % SHAPES, values, m);
        pack = pack_of(&s, values, m);
        for (int i = 0; i < 60; i++) {
            size_t n = dice() % 3 ? pack.n : (size_t)(dice() % (pack.n + 1));
            uint8_t *copy = malloc(n > 0 ? n : 1);

            ck_assert_ptr_nonnull(copy);
            memcpy(copy, pack.data, n);
            if (n > 0)
                copy[dice() % 2 ? dice() % n : dice() % (n < 12 ? n : 12)] =
                    (uint8_t)dice();
            refused += cj__pack_get((cj__text){(char *)copy, n}, m, 0, m, got) != 0;
            refused +=
                cj__pack_get((cj__text){(char *)copy, n}, m, m / 2, m / 4, got) != 0;
            free(copy);
        }
        pack_free(pack);
    }
    ck_assert_uint_gt(refused, 1000);
    cj__str_end(&s);
}
END_TEST

START_TEST(test_store_pack__length_goes_in_front)
{
    cj__ctx cx;
    cj__str s;
    cj__bytes b;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    for (size_t n = 0; n < 40000; n = n * 2 + 1) {
        cj__str_init(&s, &cx.allocator, 1 << 20);
        cj__str_put_text(&s, "before");
        size_t start = s.n;
        for (size_t i = 0; i < n; i++)
            cj__str_put_char(&s, (char)(i * 7));
        cj__str_size_since(&s, start);
        ck_assert_int_eq(cj__str_status(&s), CJ_OK);
        b = cj__bytes_of((cj__text){s.data, s.n});
        ck_assert_mem_eq(cj__bytes_take(&b, 6).data, "before", 6);
        cj__text within = cj__bytes_sized(&b);
        ck_assert_uint_eq(within.n, n);
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq((uint8_t)within.data[i], (uint8_t)(i * 7));
        ck_assert(!b.bad && b.at == b.end);
        cj__str_end(&s);
    }
}
END_TEST

HARNESS_MAIN("store_pack", test_store_pack__values_come_back_by_both_readers,
             test_store_pack__any_range_is_that_part_of_all,
             test_store_pack__is_as_small_as_promised,
             test_store_pack__refuses_what_is_no_pack, test_store_pack__survives_damage,
             test_store_pack__length_goes_in_front)
