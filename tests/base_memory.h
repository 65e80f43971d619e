/* An allocator for the suites of base: it counts, fails on demand, and checks that
 * every block comes back with the size it was asked for.  Shared as a header, because
 * each suite keeps its own. */
#ifndef CJ_TESTS_BASE_MEMORY_H
#define CJ_TESTS_BASE_MEMORY_H

#include "base/alloc.h"
#include "harness.h"

#include <stdlib.h>

typedef struct base_memory {
    int64_t n_blocks, n_bytes; /* in use */
    int64_t n_asked;           /* allocations and growths so far */
    int64_t fail_from;  /* from this one on (1 is the first) they fail; 0: never */
    int64_t fail_until; /* the last that fails; 0: all later ones */
} base_memory;

enum { BASE_MEMORY_HEADER = 16 };

static inline void *base_memory_realloc(void *user, void *ptr, uint64_t old_bytes,
                                        uint64_t new_bytes)
{
    base_memory *m = user;
    char *block = ptr != NULL ? (char *)ptr - BASE_MEMORY_HEADER : NULL;

    if (ptr != NULL)
        ck_assert_uint_eq(*(uint64_t *)(void *)block, old_bytes);
    else
        ck_assert_uint_eq(old_bytes, 0);
    if (new_bytes == 0) {
        m->n_blocks -= ptr != NULL;
        m->n_bytes -= (int64_t)old_bytes;
        free(block);
        return NULL;
    }
    m->n_asked++;
    if (m->fail_from > 0 && m->n_asked >= m->fail_from &&
        (m->fail_until == 0 || m->n_asked <= m->fail_until))
        return NULL;
    block = realloc(block, (size_t)new_bytes + BASE_MEMORY_HEADER);
    ck_assert_ptr_nonnull(block);
    *(uint64_t *)(void *)block = new_bytes;
    m->n_blocks += ptr == NULL;
    m->n_bytes += (int64_t)(new_bytes - old_bytes);
    return block + BASE_MEMORY_HEADER;
}

static inline cj__allocator base_memory_allocator(base_memory *m)
{
    const cj__allocator a = {base_memory_realloc, m};

    return a;
}

/* Run a call with its n-th allocation failing, then with that and all later ones, for
 * n = 1, 2, ... until it succeeds: each time CJ_ENOMEM and nothing left behind. */
static inline void base_memory_faults(int32_t (*call)(const cj__allocator *a))
{
    for (int only_one = 0; only_one <= 1; only_one++) {
        int32_t rc = CJ_ENOMEM;

        for (int64_t n = 1; rc != CJ_OK; n++) {
            base_memory m = {.fail_from = n, .fail_until = only_one ? n : 0};
            const cj__allocator a = base_memory_allocator(&m);

            rc = call(&a);
            ck_assert_msg(rc == CJ_OK || rc == CJ_ENOMEM, "%d: %s", rc,
                          cj__error_text());
            if (rc != CJ_OK)
                ck_assert_str_eq(cj__error_text(), "out of memory");
            ck_assert_int_eq(m.n_blocks, 0);
            ck_assert_int_lt(n, 10000);
        }
    }
}

static inline uint64_t base_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

#endif
