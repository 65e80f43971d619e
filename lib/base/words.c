/* A row is a head, three bits for each word from the lowest on, and then the words one
 * behind the other, lowest byte first.  The bits of a word say how many bytes it has:
 * 0 (the word is 0) to 6, or 7 when it has all eight.  So neither side has a branch
 * that nobody can foretell, as varints have at each byte: words are copied eight bytes
 * at a time, and what is too much of them is overwritten by the next or masked. */
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

static size_t words_head(int n)
{
    return ((size_t)n * WORDS_BITS + 7) / 8;
}

size_t cj__words_put(uint8_t *to, const uint64_t *words, int n)
{
    const size_t head_bytes = words_head(n);
    uint8_t *at = to + head_bytes;
    uint64_t head = 0;

    for (int i = 0; i < n; i++) {
        const uint64_t word = words_swap(words[i]);
        const uint64_t need =
            (words[i] != 0) + (63 ^ (uint64_t)__builtin_clzll(words[i] | 1)) / 8;
        const uint64_t bits = need - (need >> 3);

        memcpy(at, &word, sizeof word);
        at += bits + (bits == WORDS_WHOLE);
        head |= bits << (WORDS_BITS * i);
    }
    for (size_t i = 0; i < head_bytes; i++)
        to[i] = (uint8_t)(head >> (8 * i));
    return (size_t)(at - to);
}

size_t cj__words_get(const uint8_t *from, uint64_t *words, int n)
{
    const size_t head_bytes = words_head(n);
    const uint8_t *at = from + head_bytes;
    uint64_t head = 0;

    for (size_t i = 0; i < head_bytes; i++)
        head |= (uint64_t)from[i] << (8 * i);
    for (int i = 0; i < n; i++) {
        const uint64_t bits = head & WORDS_WHOLE, is_whole = bits == WORDS_WHOLE;
        uint64_t word;

        memcpy(&word, at, sizeof word);
        words[i] =
            words_swap(word) & ((((uint64_t)1 << 8 * bits) - 1) | (0 - is_whole));
        at += bits + is_whole;
        head >>= WORDS_BITS;
    }
    return (size_t)(at - from);
}
