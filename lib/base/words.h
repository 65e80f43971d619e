/* Rows of a few unsigned integers in about as many bytes as they need, for what a call
 * keeps in memory of very many things, most of them small or 0.  Not a format of files:
 * it trusts its bytes. */
#ifndef CJ__BASE_WORDS_H
#define CJ__BASE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define CJ__WORDS_MOST 8   /* of a row */
#define CJ__WORDS_BEYOND 8 /* bytes behind the last row that reading may touch */
#define CJ__WORDS_ROOM 80  /* bytes that writing a row may touch */

/* Write n words, 1..CJ__WORDS_MOST; returns how many bytes the row has. */
size_t cj__words_put(uint8_t *to, const uint64_t *words, int n);
/* Read a row that was written with the same n and ends there; returns how many bytes it
 * has.  So rows behind one another are read from the last to the first, and memory
 * behind those that are left can be given back. */
size_t cj__words_get(const uint8_t *end, uint64_t *words, int n);

#endif
