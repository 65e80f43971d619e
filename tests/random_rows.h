/* Random rows and texts for the codecs' suites: realistic, adversarial and plain noise,
 * the same for the same seed.  Knows nothing of how anything is encoded. */
#ifndef CJ_TESTS_RANDOM_ROWS_H
#define CJ_TESTS_RANDOM_ROWS_H

#include "store/row.h"

typedef struct random_rows {
    uint64_t state; /* the seed */
    cj__arena *arena;
} random_rows;

uint64_t random_next(random_rows *r);
uint32_t random_below(random_rows *r, uint32_t n);

/* A text of a family of texts: 0 .. RANDOM_FAMILIES - 1; i tells its place. */
enum { RANDOM_FAMILIES = 18 };
cj__text random_text(random_rows *r, uint32_t family, uint32_t i);

/* Properties: mostly JSON of a few shapes, sometimes anything.  kind 0: a shop's;
 * 1: many shapes; 2: broken JSON; 3: noise; 4: all of them. */
enum { RANDOM_PROPERTIES = 5 };
cj__text random_properties(random_rows *r, uint32_t kind);

/* n rows sorted by (node, time).  wild: fields take any value a row may hold. */
void random_fill(random_rows *r, cj__row *rows, uint32_t n, int wild);

/* The first field in which two rows differ, or NULL. */
const char *rows_differ(const cj__row *a, const cj__row *b);

/* An exact copy on the heap, so that a sanitizer sees a byte too far. */
cj__text bytes_copy(const void *bytes, size_t n);
void bytes_free(cj__text copy);

#endif
