/* What the readers of text columns share: the heads of kinds that texts_read.c makes
 * texts of and texts_keys.c keys.  Functions that answer int: 0, or -1 when damaged. */
#ifndef CJ__STORE_TEXTS_READ_H
#define CJ__STORE_TEXTS_READ_H

#include "store/texts.h"

enum { CJ__READ_CHUNK = 256 }; /* lengths read at once: 2 KiB of stack */

typedef struct cj__patterns {
    cj__text_pattern list[CJ__TEXTS_PATTERNS];
    uint32_t n;
    cj__text index, numbers; /* packs */
} cj__patterns;

int cj__patterns_open(cj__bytes *b, cj__patterns *p);
/* Add those of index[0 .. n) that have a number; -1 when one is no pattern. */
int cj__patterns_count(const cj__patterns *p, const uint64_t *index, uint32_t n,
                       uint32_t *numbers);
/* Numbers of the patterned texts [from, from + n); -1 when damaged. */
int64_t cj__patterns_numbers(const cj__patterns *p, uint32_t m, uint32_t from,
                             uint32_t n);
/* The text of a pattern with a number, at most CJ__TEXTS_MADE bytes. */
size_t cj__pattern_write(const cj__text_pattern *p, uint64_t number, char *to);

typedef struct cj__hex_texts {
    cj__text prefix, suffix, bytes;
    size_t n; /* bytes of a text */
} cj__hex_texts;

int cj__hex_open(cj__bytes *b, uint32_t m, cj__hex_texts *h);
size_t cj__hex_text(const cj__hex_texts *h, uint32_t i, char *to); /* its length */

/* Open a dictionary's head: k texts. */
int cj__dictionary_open(cj__bytes *b, uint32_t m, uint32_t *k, cj__text *texts);

#endif
