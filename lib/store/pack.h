/* Packs: up to CJ__BLOCK_EVENTS integers of 64 bits in the fewest bytes that one of six
 * layouts gives (docs/FORMAT.md).  Any values, exactly; the container knows how many
 * there are and how many bytes they take. */
#ifndef CJ__STORE_PACK_H
#define CJ__STORE_PACK_H

#include "store/bits.h"
#include "store/row.h"

#define CJ__PACK_MAX CJ__BLOCK_EVENTS
#define CJ__PACK_DICT                                                                  \
    512 /* entries of a pack's dictionary: 4 KiB on a reader's stack */

enum {
    CJ__PACK_FLAT = 0,
    CJ__PACK_STEPS = 1,
    CJ__PACK_CLASSES = 2,
    CJ__PACK_DICTIONARY = 3,
    CJ__PACK_REPEATS = 4,
    CJ__PACK_FREQUENT = 5
};

typedef struct cj__pack_entry {
    uint64_t value;
    uint32_t count;
} cj__pack_entry;

/* An encoder's scratch: about 110 KiB, made once for many packs, need not be cleared.
 */
typedef struct cj__packer {
    uint64_t changed[CJ__PACK_MAX]; /* kind repeats: its values */
    uint64_t steps[CJ__PACK_MAX];   /* kind steps: its steps */
    uint64_t index[CJ__PACK_MAX];   /* kind frequent: its indexes */
    cj__pack_entry entries[CJ__PACK_DICT];
    uint64_t sorted[CJ__PACK_DICT]; /* values of the entries */
    uint32_t n_entries;
    uint16_t slots[4 * CJ__PACK_DICT]; /* hash table: entry + 1, 0 free */
} cj__packer;

/* Append a pack of values[0 .. m), m <= CJ__PACK_MAX; m 0 appends nothing. */
void cj__pack_put(cj__packer *p, cj__str *out, const uint64_t *values, uint32_t m);

/* The same, m > 0, of a kind that is read fastest: flat, or if not only_flat, classes.
 */
void cj__pack_put_fast(cj__str *out, const uint64_t *values, uint32_t m, int only_flat);

/* As cj__pack_put, with its length in front. */
void cj__pack_put_sized(cj__packer *p, cj__str *out, const uint64_t *values,
                        uint32_t m);

/* Put the length of what was appended since `start` in front of it. */
void cj__str_size_since(cj__str *out, size_t start);

/* Read values [from, from + count) of a pack of m.  0, or -1 when the bytes are no such
 * pack. */
int cj__pack_get(cj__text pack, uint32_t m, uint32_t from, uint32_t count,
                 uint64_t *out);

#endif
