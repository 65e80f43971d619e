/* Little-endian words and lengths of numbers, for the codecs of blocks.  Inline,
 * because each is a few instructions in loops that run for every value of a block. */
#ifndef CJ__STORE_BITS_H
#define CJ__STORE_BITS_H

#include "base/str.h"

#include <stdint.h>
#include <string.h>

static inline uint64_t cj__load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void cj__store64(uint8_t *p, uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, sizeof v);
}

/* The first n (0..8) bytes at p. */
static inline uint64_t cj__load_part(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Bits that v needs: 0 for 0. */
static inline uint32_t cj__bit_length(uint64_t v)
{
    return v == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(v);
}

static inline uint64_t cj__low_bits(uint32_t n)
{
    return n >= 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1;
}

static inline size_t cj__varint_size(uint64_t v)
{
    return v < 128 ? 1 : (cj__bit_length(v) + 6) / 7;
}

/* Ask for the memory at p, which will be read soon. */
static inline void cj__prefetch(const void *p)
{
#if defined(__GNUC__)
    __builtin_prefetch(p);
#else
    (void)p;
#endif
}

/* Write a varint to where there is room for 10 bytes; returns its end. */
static inline uint8_t *cj__varint_write(uint8_t *to, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to++ = (uint8_t)v;
    return to;
}

/* By hand: without a processor's own instruction the compiler's is a call. */
static inline uint32_t cj__count_bits(uint64_t v)
{
    v -= (v >> 1) & 0x5555555555555555u;
    v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (uint32_t)((v * 0x0101010101010101u) >> 56);
}

/* Numbers of given widths, one behind the other; nothing is written beyond the byte of
 * the last bit. */
typedef struct cj__bit_writer {
    uint8_t *at;
    uint64_t word;
    uint32_t fill;
} cj__bit_writer;

/* value < 2^width, width 0..64. */
static inline void cj__bits_put(cj__bit_writer *w, uint64_t value, uint32_t width)
{
    w->word |= value << w->fill;
    if (w->fill + width >= 64) {
        cj__store64(w->at, w->word);
        w->at += 8;
        w->word = w->fill == 0 ? 0 : value >> (64 - w->fill);
        w->fill += width - 64;
    } else {
        w->fill += width;
    }
}

/* Write the bytes that are not full words. */
static inline void cj__bits_end(cj__bit_writer *w)
{
    for (uint32_t done = 0; done < w->fill; done += 8)
        *w->at++ = (uint8_t)(w->word >> done);
    w->word = 0;
    w->fill = 0;
}

/* ---- reading fields of untrusted bytes: sticky, an error leaves everything empty ----
 */

typedef struct cj__bytes {
    const uint8_t *at, *end;
    int bad;
} cj__bytes;

static inline cj__bytes cj__bytes_of(cj__text text)
{
    cj__bytes b = {(const uint8_t *)text.data, (const uint8_t *)text.data, 0};

    if (text.n > 0)
        b.end += text.n;
    return b;
}

static inline uint64_t cj__bytes_varint(cj__bytes *b)
{
    uint64_t v = 0;

    if (!b->bad && b->at < b->end && *b->at < 128)
        return *b->at++;
    if (b->bad || cj__varint_read(&b->at, b->end, &v) != 0) {
        b->bad = 1;
        return 0;
    }
    return v;
}

/* The next n bytes. */
static inline cj__text cj__bytes_take(cj__bytes *b, uint64_t n)
{
    cj__text t = {"", 0};

    if (b->bad || n > (uint64_t)(b->end - b->at)) {
        b->bad = 1;
        return t;
    }
    if (n > 0)
        t.data = (const char *)b->at;
    t.n = (size_t)n;
    b->at += n;
    return t;
}

static inline uint8_t cj__bytes_byte(cj__bytes *b)
{
    cj__text t = cj__bytes_take(b, 1);

    return t.n == 1 ? (uint8_t)t.data[0] : 0;
}

static inline cj__text cj__bytes_sized(cj__bytes *b)
{
    return cj__bytes_take(b, cj__bytes_varint(b));
}

static inline cj__text cj__bytes_rest(cj__bytes *b)
{
    return cj__bytes_take(b, b->bad ? 0 : (uint64_t)(b->end - b->at));
}

#endif
