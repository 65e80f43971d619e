/* Reading packs, at any row, from bytes that may be damaged: every width, count and
 * offset is compared with the bytes there are before it is used, so the loops need no
 * checks.  Never allocates; at most 4 KiB of stack. */
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

/* out[i] = base + the number at bit + i * width. */
static void bits_read(pack_bits b, uint64_t bit, uint32_t width, uint64_t base,
                      uint32_t count, uint64_t *out)
{
    uint64_t mask = cj__low_bits(width);
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

            out[i] = base + (word & mask);
            out[i + 1] = base + ((word >> width) & mask);
            out[i + 2] = base + ((word >> (2 * width)) & mask);
            out[i + 3] = base + ((word >> (3 * width)) & mask);
        }
    }
    for (; i < safe; i++, bit += width)
        out[i] = base + ((cj__load64(b.data + (bit >> 3)) >> (bit & 7)) & mask);
    for (; i < count; i++, bit += width)
        out[i] = base + bits_get(b, bit, width);
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

static int flat_get(cj__bytes *b, uint32_t m, uint32_t from, uint32_t count,
                    uint64_t *out)
{
    uint64_t base = take_zigzag(b);
    uint32_t width = cj__bytes_byte(b);
    pack_bits bits = bits_take(b, m, width);

    if (b->bad)
        return -1;
    bits_read(bits, (uint64_t)from * width, width, base, count, out);
    return 0;
}

static int steps_get(cj__bytes *b, uint32_t m, uint32_t from, uint32_t count,
                     uint64_t *out)
{
    uint64_t value = take_zigzag(b), base = take_zigzag(b), skipped[64];
    uint32_t width = cj__bytes_byte(b), at = 0, n;
    pack_bits bits = bits_take(b, m - 1, width);

    if (b->bad)
        return -1;
    for (; at < from; at += n) {
        n = from - at < 64 ? from - at : 64;
        bits_read(bits, (uint64_t)at * width, width, base, n, skipped);
        for (uint32_t i = 0; i < n; i++)
            value += skipped[i];
    }
    if (count == 0)
        return 0;
    bits_read(bits, (uint64_t)from * width, width, base, count - 1, out + 1);
    out[0] = value;
    for (uint32_t i = 1; i < count; i++)
        out[i] += out[i - 1];
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

/* The numbers of classes [from, from + count); the first starts at bit. */
static void classes_read(pack_bits classes, pack_bits bits, uint64_t bit, uint32_t from,
                         uint32_t count, const uint32_t widths[4], uint64_t *out)
{
    uint64_t masks[4], last = bits.bytes < 8 ? 0 : ((uint64_t)bits.bytes - 8) * 8;
    uint32_t i = 0;
    int narrow = bits.bytes >= 8;

    for (uint32_t c = 0; c < 4; c++) {
        masks[c] = cj__low_bits(widths[c]);
        narrow &= widths[c] <= 57;
    }
    while (i < count) {
        uint32_t n = count - i < 32 ? count - i : 32;
        uint64_t word = bits_get(classes, 2 * (uint64_t)(from + i), 2 * n);

        for (uint32_t end = i + n; i < end; i++, word >>= 2) {
            uint32_t c = word & 3;

            if (narrow && bit <= last)
                out[i] = (cj__load64(bits.data + (bit >> 3)) >> (bit & 7)) & masks[c];
            else
                out[i] = bits_get(bits, bit, widths[c]);
            bit += widths[c];
        }
    }
}

static int classes_get(cj__bytes *b, uint32_t m, uint32_t from, uint32_t count,
                       uint64_t *out)
{
    uint64_t base = take_zigzag(b), before, all;
    cj__text bytes = cj__bytes_take(b, 4);
    pack_bits classes = bits_take(b, m, 2), bits;
    uint32_t widths[4];

    if (b->bad)
        return -1;
    for (uint32_t c = 0; c < 4; c++)
        widths[c] = (uint8_t)bytes.data[c];
    bytes = cj__bytes_rest(b);
    bits.data = (const uint8_t *)bytes.data;
    bits.bytes = bytes.n;
    before = classes_width(classes, from, widths);
    all = classes_width(classes, from + count, widths);
    if (all > (uint64_t)bits.bytes * 8 || widths[0] > 64 || widths[1] > 64 ||
        widths[2] > 64 || widths[3] > 64)
        return -1;
    classes_read(classes, bits, before, from, count, widths, out);
    for (uint32_t i = 0; base != 0 && i < count; i++)
        out[i] += base;
    return 0;
}

static int plain_get(cj__bytes *b, uint32_t kind, const uint32_t range[3],
                     uint64_t *out)
{
    switch (kind) {
    case CJ__PACK_FLAT:
        return flat_get(b, range[0], range[1], range[2], out);
    case CJ__PACK_STEPS:
        return steps_get(b, range[0], range[1], range[2], out);
    case CJ__PACK_CLASSES:
        return classes_get(b, range[0], range[1], range[2], out);
    default:
        return -1;
    }
}

/* Indexes in out become the entries of a plain pack of k values. */
static int entries_apply(cj__bytes *b, uint32_t k, uint32_t count, uint64_t *out)
{
    uint32_t kind = cj__bytes_byte(b), range[3] = {k, 0, k};
    uint64_t entries[CJ__PACK_DICT], bad = 0;

    if (b->bad || plain_get(b, kind, range, entries) != 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        bad |= out[i] >= k;
        out[i] = entries[out[i] % CJ__PACK_DICT];
    }
    return bad ? -1 : 0;
}

static int dictionary_get(cj__bytes *b, uint32_t kind, const uint32_t range[3],
                          uint64_t *out)
{
    uint64_t k = cj__bytes_varint(b);
    uint32_t width;
    pack_bits bits;

    if (b->bad || k < 1 || k > CJ__PACK_DICT)
        return -1;
    if (kind == CJ__PACK_DICTIONARY) {
        width = cj__bit_length(k - 1);
        bits = bits_take(b, range[0], width);
        if (b->bad)
            return -1;
        bits_read(bits, (uint64_t)range[1] * width, width, 0, range[2], out);
    } else {
        cj__bytes index = cj__bytes_of(cj__bytes_sized(b));

        if (b->bad || cj__bytes_byte(&index) != CJ__PACK_CLASSES ||
            classes_get(&index, range[0], range[1], range[2], out) != 0)
            return -1;
    }
    return entries_apply(b, (uint32_t)k, range[2], out);
}

static int steady_get(cj__bytes *b, uint32_t kind, const uint32_t range[3],
                      uint64_t *out)
{
    if (kind == CJ__PACK_DICTIONARY || kind == CJ__PACK_FREQUENT)
        return dictionary_get(b, kind, range, out);
    return plain_get(b, kind, range, out);
}

/* The changed values are read to the end of out and spread from the front: a value is
 * never overwritten before it is read, since as many rows as values are still to come
 * at least. */
static int repeats_get(cj__bytes *b, uint32_t m, uint32_t from, uint32_t count,
                       uint64_t *out)
{
    pack_bits bits = bits_take(b, m - 1, 1);
    uint32_t kind = cj__bytes_byte(b), range[3], at;
    uint64_t word = 0;

    if (b->bad)
        return -1;
    if (count == 0)
        return 0;
    range[0] = 1 + bits_count(bits, m - 1);
    range[1] = bits_count(bits, from);
    range[2] = 1 + bits_count(bits, from + count - 1) - range[1];
    at = count - range[2];
    if (steady_get(b, kind, range, out + at) != 0)
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
    uint32_t kind;

    if (m == 0)
        return from == 0 && count == 0 && pack.n == 0 ? 0 : -1;
    if (m > CJ__PACK_MAX || from > m || count > m - from)
        return -1;
    kind = cj__bytes_byte(&b);
    if (b.bad)
        return -1;
    if (kind == CJ__PACK_REPEATS)
        return repeats_get(&b, m, from, count, out);
    return steady_get(&b, kind, range, out);
}
