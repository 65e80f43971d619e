/* Memory: everything comes from the handle's allocator, with sizes, so that a host can
 * count it.  Functions that return NULL have set CJ_ENOMEM's text. */
#ifndef CJ__BASE_ALLOC_H
#define CJ__BASE_ALLOC_H

#include "base/ctx.h"

void *cj__alloc(const cj__allocator *a, size_t bytes); /* not cleared; bytes > 0 */
void *cj__alloc_zero(const cj__allocator *a, size_t bytes);
void *cj__resize(const cj__allocator *a, void *p, size_t old_bytes, size_t new_bytes);
void cj__free(const cj__allocator *a, void *p, size_t bytes); /* NULL is fine */

/* count * size, or SIZE_MAX when that overflows (which no allocator grants). */
size_t cj__size_product(size_t count, size_t size);

/* Grow an array to hold at least `need` elements (doubling).  On failure it is as it
 * was.  max_elements bounds it: CJ_ELIMIT beyond. */
int32_t cj__array_grow(const cj__allocator *a, void **array, size_t *capacity,
                       size_t need, size_t element_bytes, size_t max_elements);

/* ---- arena: one call's scratch, freed at once ----------------------------------- */

typedef struct cj__arena_chunk cj__arena_chunk;
typedef struct cj__arena {
    const cj__allocator *allocator;
    cj__arena_chunk *chunks;
    size_t used, size; /* of the newest chunk */
} cj__arena;

void cj__arena_init(cj__arena *arena, const cj__allocator *a);
void *cj__arena_alloc(cj__arena *arena, size_t bytes); /* aligned to 16; NULL: failed */
char *cj__arena_text(cj__arena *arena, const char *bytes, size_t n); /* adds a NUL */
/* Everything of `from` (same allocator) becomes the arena's; `from` is empty. */
void cj__arena_join(cj__arena *arena, cj__arena *from);
void cj__arena_reset(cj__arena *arena); /* keeps one chunk (none in debug builds) */
void cj__arena_end(cj__arena *arena);   /* frees all; a zeroed arena is fine */

#endif
