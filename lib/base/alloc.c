/* Memory through the handle's allocator, with sizes, and the arena of one call.  Every
 * failure has set the thread's text to CJ_ENOMEM's.  Sizes above PTRDIFF_MAX never
 * reach an allocator: they are what an overflow looks like. */
#include "base/alloc.h"

#include <stdint.h>
#include <string.h>

static void *alloc_ask(const cj__allocator *a, void *p, size_t old_bytes, size_t bytes)
{
    void *got = NULL;

    if (bytes <= PTRDIFF_MAX)
        got = a->realloc(a->user, p, old_bytes, bytes);
    if (got == NULL)
        cj__fail_nomem();
    return got;
}

void *cj__alloc(const cj__allocator *a, size_t bytes)
{
    return alloc_ask(a, NULL, 0, bytes);
}

void *cj__alloc_zero(const cj__allocator *a, size_t bytes)
{
    void *p = alloc_ask(a, NULL, 0, bytes);

    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

void *cj__resize(const cj__allocator *a, void *p, size_t old_bytes, size_t new_bytes)
{
    return alloc_ask(a, p, old_bytes, new_bytes);
}

void cj__free(const cj__allocator *a, void *p, size_t bytes)
{
    if (p != NULL)
        a->realloc(a->user, p, bytes, 0);
}

size_t cj__size_product(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return SIZE_MAX;
    return count * size;
}

int32_t cj__array_grow(const cj__allocator *a, void **array, size_t *capacity,
                       size_t need, size_t element_bytes, size_t max_elements)
{
    size_t grown = *capacity < 8 ? 8 : *capacity;
    void *p;

    if (need <= *capacity)
        return CJ_OK;
    if (need > max_elements)
        return cj__fail(CJ_ELIMIT, "more than %zu elements", max_elements);
    while (grown < need)
        grown = grown > max_elements / 2 ? max_elements : grown * 2;
    if (grown > max_elements)
        grown = max_elements;
    p = cj__resize(a, *array, *capacity * element_bytes,
                   cj__size_product(grown, element_bytes));
    if (p == NULL)
        return CJ_ENOMEM;
    *array = p;
    *capacity = grown;
    return CJ_OK;
}

/* ---- arena ---------------------------------------------------------------------- */

/* Chunks double from 4 KiB to 256 KiB; what is larger gets a chunk of its own behind
 * the newest, so that the newest one's free space stays usable.  With CJ__DEBUG_ARENA
 * each object is such a chunk, and a sanitizer sees its exact bounds. */
struct cj__arena_chunk {
    cj__arena_chunk *next;
    size_t size; /* of the bytes that follow */
};

enum { ARENA_ALIGN = 16, ARENA_FIRST = 4096, ARENA_LARGEST = 256 * 1024 };

_Static_assert(sizeof(cj__arena_chunk) % ARENA_ALIGN == 0 || sizeof(void *) < 8,
               "objects follow the header aligned");

#define ARENA_HEADER                                                                   \
    ((sizeof(cj__arena_chunk) + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN)

#if defined(CJ__DEBUG_ARENA)
#define ARENA_PLAIN 1
#else
#define ARENA_PLAIN 0
#endif

static char *arena_bytes(cj__arena_chunk *chunk)
{
    return (char *)chunk + ARENA_HEADER;
}

static cj__arena_chunk *arena_chunk_new(cj__arena *arena, size_t size)
{
    cj__arena_chunk *chunk;

    if (size > PTRDIFF_MAX - ARENA_HEADER) {
        cj__fail_nomem();
        return NULL;
    }
    chunk = cj__alloc(arena->allocator, ARENA_HEADER + size);
    if (chunk == NULL)
        return NULL;
    chunk->next = NULL;
    chunk->size = size;
    return chunk;
}

static void arena_chunks_free(cj__arena *arena, cj__arena_chunk *chunk)
{
    while (chunk != NULL) {
        cj__arena_chunk *next = chunk->next;

        cj__free(arena->allocator, chunk, ARENA_HEADER + chunk->size);
        chunk = next;
    }
}

void cj__arena_init(cj__arena *arena, const cj__allocator *a)
{
    memset(arena, 0, sizeof *arena);
    arena->allocator = a;
}

/* An object that has a chunk for itself. */
static void *arena_alloc_alone(cj__arena *arena, size_t bytes)
{
    cj__arena_chunk *chunk = arena_chunk_new(arena, bytes);

    if (chunk == NULL)
        return NULL;
    if (arena->chunks == NULL) {
        arena->chunks = chunk;
        arena->used = arena->size = bytes;
    } else {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    }
    return arena_bytes(chunk);
}

void *cj__arena_alloc(cj__arena *arena, size_t bytes)
{
    size_t rounded = bytes == 0 ? ARENA_ALIGN : bytes;
    cj__arena_chunk *chunk;
    size_t size;

    if (ARENA_PLAIN || rounded > ARENA_LARGEST / 4)
        return arena_alloc_alone(arena, rounded);
    rounded = (rounded + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (arena->chunks == NULL || arena->size - arena->used < rounded) {
        size = arena->size < ARENA_FIRST ? ARENA_FIRST : arena->size * 2;
        size = size > ARENA_LARGEST ? ARENA_LARGEST : size;
        size = size < rounded ? rounded : size;
        chunk = arena_chunk_new(arena, size);
        if (chunk == NULL)
            return NULL;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->used = 0;
        arena->size = size;
    }
    arena->used += rounded;
    return arena_bytes(arena->chunks) + arena->used - rounded;
}

char *cj__arena_text(cj__arena *arena, const char *bytes, size_t n)
{
    char *to = n < SIZE_MAX ? cj__arena_alloc(arena, n + 1) : NULL;

    if (to == NULL)
        return NULL;
    if (n > 0)
        memcpy(to, bytes, n);
    to[n] = '\0';
    return to;
}

void cj__arena_join(cj__arena *arena, cj__arena *from)
{
    cj__arena_chunk **end = &arena->chunks;

    if (arena->chunks == NULL) {
        arena->used = from->used;
        arena->size = from->size;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = from->chunks;
    from->chunks = NULL;
    from->used = from->size = 0;
}

void cj__arena_reset(cj__arena *arena)
{
    if (ARENA_PLAIN || arena->chunks == NULL) {
        cj__arena_end(arena);
        return;
    }
    arena_chunks_free(arena, arena->chunks->next);
    arena->chunks->next = NULL;
    arena->used = 0;
}

void cj__arena_end(cj__arena *arena)
{
    arena_chunks_free(arena, arena->chunks);
    arena->chunks = NULL;
    arena->used = arena->size = 0;
}
