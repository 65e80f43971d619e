/* A row is its words one behind the other, lowest byte first, and then a foot: three
 * bits for each word from the lowest on.  They say how many bytes the word has: 0 (it
 * is 0) to 6, or 7 when it has all eight.  So neither side has a branch that nobody can
 * foretell, as varints have at each byte: words are copied eight bytes at a time, and
 * what is too much of them is overwritten by the next or masked. */
#include "base/words.h"

#include <string.h>

enum { WORDS_BITS = 3, WORDS_WHOLE = 7 };

_Static_assert(CJ__WORDS_ROOM >=
                   (WORDS_BITS * CJ__WORDS_MOST + 7) / 8 + 8 * CJ__WORDS_MOST + 8,
               "a row of whole words, and eight bytes more");

static uint64_t words_swap(uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static size_t words_foot(int n)
{
    return ((size_t)n * WORDS_BITS + 7) / 8;
}

size_t cj__words_put(uint8_t *to, const uint64_t *words, int n)
{
    const size_t foot_bytes = words_foot(n);
    uint8_t *at = to;
    uint64_t foot = 0;

    for (int i = 0; i < n; i++) {
        const uint64_t word = words_swap(words[i]);
        const uint64_t need =
            (words[i] != 0) + (63 ^ (uint64_t)__builtin_clzll(words[i] | 1)) / 8;
        const uint64_t bits = need - (need >> 3);

        memcpy(at, &word, sizeof word);
        at += bits + (bits == WORDS_WHOLE);
        foot |= bits << (WORDS_BITS * i);
    }
    for (size_t i = 0; i < foot_bytes; i++)
        *at++ = (uint8_t)(foot >> (8 * i));
    return (size_t)(at - to);
}

size_t cj__words_get(const uint8_t *end, uint64_t *words, int n)
{
    const size_t foot_bytes = words_foot(n);
    const uint8_t *at = end - foot_bytes;
    uint64_t foot = 0;

    for (size_t i = 0; i < foot_bytes; i++)
        foot |= (uint64_t)at[i] << (8 * i);
    for (int i = n - 1; i >= 0; i--) {
        const uint64_t bits = foot >> (WORDS_BITS * i) & WORDS_WHOLE;
        const uint64_t is_whole = bits == WORDS_WHOLE;
        uint64_t word;

        at -= bits + is_whole;
        memcpy(&word, at, sizeof word);
        words[i] =
            words_swap(word) & ((((uint64_t)1 << 8 * bits) - 1) | (0 - is_whole));
    }
    return (size_t)(end - at);
}
