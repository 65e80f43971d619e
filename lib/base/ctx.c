/* The context of a handle: default hooks, the clock, the interrupt flag, and the
 * reading of versioned option structs.  Constant after cj__ctx_init except the flag,
 * which is only touched atomically.  One of the two files that may call the C library's
 * allocator. */
#include "base/ctx.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define CTX_HUGE_BYTES ((uint64_t)4 << 20)

/* Blocks of several megabytes are filled once and soon given back: their page faults
 * are a quarter of an analysis.  Ask for huge pages; a kernel that has none says no. */
static void ctx_advise(void *ptr, uint64_t bytes)
{
#ifdef MADV_HUGEPAGE
    uintptr_t begin = ((uintptr_t)ptr + 4095) & ~(uintptr_t)4095;
    uintptr_t end = ((uintptr_t)ptr + (uintptr_t)bytes) & ~(uintptr_t)4095;

    if (ptr != NULL && bytes >= CTX_HUGE_BYTES)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)ptr;
    (void)bytes;
#endif
}

static void *ctx_realloc(void *user, void *ptr, uint64_t old_bytes, uint64_t new_bytes)
{
    (void)user;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    if (new_bytes > SIZE_MAX)
        return NULL;
    ptr = realloc(ptr, (size_t)new_bytes);
    ctx_advise(ptr, new_bytes);
    return ptr;
}

static int64_t ctx_clock(void *user)
{
    struct timespec now = {0};

    (void)user;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + (int64_t)now.tv_nsec / 1000000;
}

void cj__ctx_init(cj__ctx *cx, cj_realloc_fn allocate, void *realloc_user,
                  cj_log_fn log, void *log_user, cj_clock_fn clock_fn, void *clock_user)
{
    memset(cx, 0, sizeof *cx);
    cx->allocator.realloc = allocate != NULL ? allocate : ctx_realloc;
    cx->allocator.user = realloc_user;
    cx->log = log;
    cx->log_user = log_user;
    cx->clock = clock_fn != NULL ? clock_fn : ctx_clock;
    cx->clock_user = clock_user;
}

int64_t cj__now_ms(const cj__ctx *cx)
{
    return cx->clock(cx->clock_user);
}

int64_t cj__deadline(const cj__ctx *cx, int64_t in_ms)
{
    const int64_t now_ms = in_ms == 0 ? 0 : cj__now_ms(cx);

    return now_ms > 0 && in_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + in_ms;
}

int32_t cj__deadline_check(const cj__ctx *cx, int64_t deadline_ms)
{
    if (deadline_ms == 0 || cj__now_ms(cx) <= deadline_ms)
        return CJ_OK;
    return cj__fail(CJ_ELIMIT, "the deadline has passed; ask for less, or wait longer");
}

int32_t cj__interrupted(cj__ctx *cx)
{
    if (__atomic_load_n(&cx->interrupt, __ATOMIC_RELAXED) == 0)
        return CJ_OK;
    return cj__fail(CJ_EINTERRUPT, "interrupted by cj_interrupt");
}

void cj__interrupt_set(cj__ctx *cx, int32_t on)
{
    __atomic_store_n(&cx->interrupt, on, __ATOMIC_RELAXED);
}

/* A newer caller's struct is accepted only while it asks for nothing we do not know. */
static int ctx_tail_is_zero(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0)
            return 0;
    }
    return 1;
}

int32_t cj__sized_read(void *to, size_t size, const void *from)
{
    int64_t theirs = 0;

    memset(to, 0, size);
    if (from == NULL)
        return CJ_OK;
    memcpy(&theirs, from, sizeof theirs);
    if (theirs < (int64_t)sizeof theirs)
        return cj__fail(CJ_EMISUSE, "struct_size is %lld: set it to sizeof the struct",
                        (long long)theirs);
    if (theirs > CJ__MAX_STRUCT)
        return cj__fail(CJ_EMISUSE, "struct_size is above %d: is it initialised?",
                        CJ__MAX_STRUCT);
    if ((size_t)theirs > size &&
        !ctx_tail_is_zero((const unsigned char *)from + size, (size_t)theirs - size))
        return cj__fail(CJ_EMISUSE, "an option is newer than this library: update it");
    memcpy(to, from, (size_t)theirs < size ? (size_t)theirs : size);
    return CJ_OK;
}

int32_t cj__sized_write(void *to, const void *from, size_t size, int32_t rc)
{
    int64_t theirs = 0;
    size_t n;

    if (to == NULL)
        return rc;
    memcpy(&theirs, to, sizeof theirs);
    if (theirs < (int64_t)sizeof theirs || theirs > CJ__MAX_STRUCT)
        return rc != CJ_OK ? rc
                           : cj__fail(CJ_EMISUSE,
                                      "struct_size of the result is %lld: set "
                                      "it to sizeof the struct",
                                      (long long)theirs);
    n = (size_t)theirs < size ? (size_t)theirs : size;
    memset((char *)to + sizeof theirs, 0, (size_t)theirs - sizeof theirs);
    if (rc == CJ_OK)
        memcpy((char *)to + sizeof theirs, (const char *)from + sizeof theirs,
               n - sizeof theirs);
    return rc;
}

void cj__call_begin(cj__ctx *cx)
{
    if (__atomic_fetch_add(&cx->n_calls, 1, __ATOMIC_ACQ_REL) == 0)
        cj__interrupt_set(cx, 0);
}

void cj__call_end(cj__ctx *cx)
{
    (void)__atomic_sub_fetch(&cx->n_calls, 1, __ATOMIC_ACQ_REL);
}
