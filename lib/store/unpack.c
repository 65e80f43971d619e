/* Reading packs, at any row, from bytes that may be damaged: every width, count and
 * offset is compared with the bytes there are before it is used, so the loops need no
 * checks.  Never allocates; at most 6 KiB of stack. */
#include "store/pack.h"

typedef struct pack_bits { /* `bytes` holds all the bits that will be read */
    const uint8_t *data;
    size_t bytes;
} pack_bits;

/* A number of width bits at a bit, near the end or wider than 57. */
static uint64_t bits_get(pack_bits b, uint64_t bit, uint32_t width)
{
    size_t at = (size_t)(bit >> 3), left = b.bytes - at;
    uint32_t shift = (uint32_t)(bit & 7);
    uint64_t v;

    if (width == 0)
        return 0;
    v = (left >= 8 ? cj__load64(b.data + at) : cj__load_part(b.data + at, left)) >>
        shift;
    if (shift + width > 64)
        v |= (uint64_t)b.data[at + 8] << (64 - shift);
    return v & cj__low_bits(width);
}

/* How many of count numbers can be read as a whole word within the bytes. */
static uint32_t bits_safe(pack_bits b, uint64_t bit, uint32_t width, uint32_t count)
{
    uint64_t last, n;

    if (b.bytes < 8 || width > 57)
        return 0;
    last = ((uint64_t)b.bytes - 8) * 8 + 7; /* the last bit such a word may start at */
    if (bit > last)
        return 0;
    n = (last - bit) / width + 1;
    return n < count ? (uint32_t)n : count;
}

/* What numbers mean: base + unit x number. */
typedef struct pack_scale {
    uint64_t base, unit;
} pack_scale;

/* out[i] = the scaled number at bit + i * width. */
static void bits_read(pack_bits b, uint64_t bit, uint32_t width, pack_scale scale,
                      uint32_t count, uint64_t *out)
{
    uint64_t mask = cj__low_bits(width), base = scale.base, unit = scale.unit;
    uint32_t i = 0, safe;

    if (width == 0) {
        for (; i < count; i++)
            out[i] = base;
        return;
    }
    safe = bits_safe(b, bit, width, count);
    if (width <=
        14) { /* four in a word, whatever bit of its byte the first starts at */
        for (; i + 4 <= safe; i += 4, bit += 4 * (uint64_t)width) {
            uint64_t word = cj__load64(b.data + (bit >> 3)) >> (bit & 7);

            out[i] = base + unit * (word & mask);
            out[i + 1] = base + unit * ((word >> width) & mask);
            out[i + 2] = base + unit * ((word >> (2 * width)) & mask);
            out[i + 3] = base + unit * ((word >> (3 * width)) & mask);
        }
    }
    for (; i < safe; i++, bit += width)
        out[i] = base + unit * ((cj__load64(b.data + (bit >> 3)) >> (bit & 7)) & mask);
    for (; i < count; i++, bit += width)
        out[i] = base + unit * bits_get(b, bit, width);
}

/* Take the bytes of n numbers of width bits. */
static pack_bits bits_take(cj__bytes *b, uint64_t n, uint32_t width)
{
    cj__text t = {"", 0};
    pack_bits bits;

    if (width > 64)
        b->bad = 1;
    else
        t = cj__bytes_take(b, (n * width + 7) / 8);
    bits.data = (const uint8_t *)t.data;
    bits.bytes = t.n;
    return bits;
}

/* Ones among the bits [0, n). */
static uint32_t bits_count(pack_bits b, uint32_t n)
{
    uint32_t ones = 0, i = 0;

    for (; i + 64 <= n; i += 64)
        ones += cj__count_bits(cj__load64(b.data + i / 8));
    if (i < n)
        ones += cj__count_bits(bits_get(b, i, n - i));
    return ones;
}

/* ---- kinds ------------------------------------------------------------------------
 */

static uint64_t take_zigzag(cj__bytes *b)
{
    return (uint64_t)cj__unzigzag(cj__bytes_varint(b));
}

static pack_scale take_scale(cj__bytes *b)
{
    pack_scale scale;

    scale.base = take_zigzag(b);
    scale.unit = cj__bytes_varint(b);
    return scale;
}

static int flat_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    pack_scale scale = take_scale(b);
    uint32_t width = cj__bytes_byte(b);
    pack_bits bits = bits_take(b, range[0], width);

    if (b->bad)
        return -1;
    bits_read(bits, (uint64_t)range[1] * width, width, scale, range[2], out);
    return 0;
}

/* Bits of the numbers that belong to classes [0, n). */
static uint64_t classes_width(pack_bits classes, uint32_t n, const uint32_t widths[4])
{
    uint64_t low = 0, high = 0, both = 0;

    for (uint32_t i = 0; i < n; i += 32) {
        uint32_t k = n - i < 32 ? n - i : 32;
        uint64_t word = bits_get(classes, 2 * (uint64_t)i, 2 * k);
        uint64_t a = word & 0x5555555555555555u, c = (word >> 1) & 0x5555555555555555u;

        low += cj__count_bits(a);
        high += cj__count_bits(c);
        both += cj__count_bits(a & c);
    }
    return (n - low - high + both) * widths[0] + (low - both) * widths[1] +
           (high - both) * widths[2] + both * widths[3];
}

typedef struct pack_classes {
    pack_bits classes, numbers;
    uint32_t widths[4];
    pack_scale scale;
} pack_classes;

/* The numbers of classes [from, from + count); the first starts at bit. */
static void classes_read(const pack_classes *p, uint64_t bit, uint32_t from,
                         uint32_t count, uint64_t *out)
{
    uint64_t masks[4], base = p->scale.base, unit = p->scale.unit;
    uint64_t last = p->numbers.bytes < 8 ? 0 : ((uint64_t)p->numbers.bytes - 8) * 8;
    const uint8_t *data = p->numbers.data;
    int narrow = p->numbers.bytes >= 8;

    for (uint32_t c = 0; c < 4; c++) {
        masks[c] = cj__low_bits(p->widths[c]);
        narrow &= p->widths[c] <= 57;
    }
    for (uint32_t i = 0; i < count;) {
        uint32_t n = count - i < 32 ? count - i : 32, end = i + n;
        uint64_t word = bits_get(p->classes, 2 * (uint64_t)(from + i), 2 * n);

        for (; i < end && narrow && bit <= last; i++, word >>= 2) {
            uint64_t number = cj__load64(data + (bit >> 3)) >> (bit & 7);

            out[i] = base + unit * (number & masks[word & 3]);
            bit += p->widths[word & 3];
        }
        for (; i < end; i++, word >>= 2) {
            out[i] = base + unit * bits_get(p->numbers, bit, p->widths[word & 3]);
            bit += p->widths[word & 3];
        }
    }
}

static int classes_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    uint64_t before, all;
    cj__text bytes;
    pack_classes p;

    p.scale = take_scale(b);
    bytes = cj__bytes_take(b, 4);
    p.classes = bits_take(b, range[0], 2);
    if (b->bad)
        return -1;
    for (uint32_t c = 0; c < 4; c++) {
        p.widths[c] = (uint8_t)bytes.data[c];
        if (p.widths[c] > 64)
            return -1;
    }
    bytes = cj__bytes_rest(b);
    p.numbers.data = (const uint8_t *)bytes.data;
    p.numbers.bytes = bytes.n;
    before = classes_width(p.classes, range[1], p.widths);
    all = classes_width(p.classes, range[1] + range[2], p.widths);
    if (all > (uint64_t)bytes.n * 8)
        return -1;
    classes_read(&p, before, range[1], range[2], out);
    return 0;
}

static int direct_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    switch (b->at < b->end ? cj__bytes_byte(b) : 255) {
    case CJ__PACK_FLAT:
        return flat_get(b, range, out);
    case CJ__PACK_CLASSES:
        return classes_get(b, range, out);
    default:
        return -1;
    }
}

/* The steps before the range are added up in parts. */
static int steps_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    uint64_t value = take_zigzag(b), skipped[256];
    uint32_t at = 0, n;

    if (b->bad || range[0] < 2)
        return -1;
    for (; at < range[1]; at += n) {
        cj__bytes steps = *b;

        n = range[1] - at < 256 ? range[1] - at : 256;
        if (direct_get(&steps, (const uint32_t[3]){range[0] - 1, at, n}, skipped) != 0)
            return -1;
        for (uint32_t i = 0; i < n; i++)
            value += skipped[i];
    }
    if (range[2] == 0)
        return 0;
    if (direct_get(b, (const uint32_t[3]){range[0] - 1, range[1], range[2] - 1},
                   out + 1) != 0)
        return -1;
    out[0] = value;
    for (uint32_t i = 1; i < range[2]; i++)
        out[i] += out[i - 1];
    return 0;
}

static int plain_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    if (b->at == b->end || *b->at != CJ__PACK_STEPS)
        return direct_get(b, range, out);
    cj__bytes_byte(b);
    return steps_get(b, range, out);
}

/* Indexes in out become the entries of a plain pack of k values. */
static int entries_apply(cj__bytes *b, uint32_t k, uint32_t count, uint64_t *out)
{
    const uint32_t range[3] = {k, 0, k};
    uint64_t entries[CJ__PACK_DICT], bad = 0;

    if (plain_get(b, range, entries) != 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        bad |= out[i] >= k;
        out[i] = entries[out[i] % CJ__PACK_DICT];
    }
    return bad ? -1 : 0;
}

static int dictionary_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    uint32_t kind = cj__bytes_byte(b), width;
    uint64_t k = cj__bytes_varint(b);
    pack_bits bits;

    if (b->bad || k < 1 || k > CJ__PACK_DICT)
        return -1;
    if (kind == CJ__PACK_DICTIONARY) {
        width = cj__bit_length(k - 1);
        bits = bits_take(b, range[0], width);
        if (b->bad)
            return -1;
        bits_read(bits, (uint64_t)range[1] * width, width, (pack_scale){0, 1}, range[2],
                  out);
    } else {
        cj__bytes index = cj__bytes_of(cj__bytes_sized(b));

        if (b->bad || direct_get(&index, range, out) != 0)
            return -1;
    }
    return entries_apply(b, (uint32_t)k, range[2], out);
}

static int steady_get(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    if (b->at < b->end &&
        (*b->at == CJ__PACK_DICTIONARY || *b->at == CJ__PACK_FREQUENT))
        return dictionary_get(b, range, out);
    return plain_get(b, range, out);
}

/* The changed values are read to the end of out and spread from the front: a value is
 * never overwritten before it is read, since as many rows as values are still to come
 * at least. */
static int repeats_get(cj__bytes *b, uint32_t m, uint32_t from, uint32_t count,
                       uint64_t *out)
{
    pack_bits bits = bits_take(b, m - 1, 1);
    uint32_t range[3], at;
    uint64_t word = 0;

    if (b->bad)
        return -1;
    if (count == 0)
        return 0;
    range[0] = 1 + bits_count(bits, m - 1);
    range[1] = bits_count(bits, from);
    range[2] = 1 + bits_count(bits, from + count - 1) - range[1];
    at = count - range[2];
    if (steady_get(b, range, out + at) != 0)
        return -1;
    out[0] = out[at];
    for (uint32_t i = 1; i < count; i++, word >>= 1) {
        if ((i - 1) % 64 == 0)
            word = bits_get(bits, from + i - 1, count - i < 64 ? count - i : 64);
        at += word & 1;
        out[i] = out[at];
    }
    return 0;
}

int cj__pack_get(cj__text pack, uint32_t m, uint32_t from, uint32_t count,
                 uint64_t *out)
{
    cj__bytes b = cj__bytes_of(pack);
    const uint32_t range[3] = {m, from, count};

    if (m == 0)
        return from == 0 && count == 0 && pack.n == 0 ? 0 : -1;
    if (m > CJ__PACK_MAX || from > m || count > m - from || pack.n == 0)
        return -1;
    if (pack.data[0] == CJ__PACK_REPEATS) {
        cj__bytes_byte(&b);
        return repeats_get(&b, m, from, count, out);
    }
    return steady_get(&b, range, out);
}
