/* What every call carries: allocator, clock, log, interrupt flag; and how it fails.
 * One cj__ctx lives in each handle and is constant after cj_open except `interrupt`. */
#ifndef CJ__BASE_CTX_H
#define CJ__BASE_CTX_H

#include "cjourney.h"

#include <stddef.h>

typedef struct cj__allocator {
    cj_realloc_fn realloc;
    void *user;
} cj__allocator;

typedef struct cj__ctx {
    cj__allocator allocator; /* first: results copy it and outlive the handle */
    cj_log_fn log;
    void *log_user;
    cj_clock_fn clock;
    void *clock_user;
    volatile int32_t interrupt; /* set by cj_interrupt; use the functions below */
    volatile int32_t n_calls;   /* running on this handle */
} cj__ctx;

/* Fill a context; NULL hooks become the C library's allocator and the system clock. */
void cj__ctx_init(cj__ctx *cx, cj_realloc_fn realloc, void *realloc_user, cj_log_fn log,
                  void *log_user, cj_clock_fn clock, void *clock_user);

int64_t
cj__now_ms(const cj__ctx *cx); /* only api.c asks; below it, time is an argument */
/* A deadline so many ms from now (0: none, which is 0), and whether it has passed:
 * CJ_OK, or CJ_ELIMIT. */
int64_t cj__deadline(const cj__ctx *cx, int64_t in_ms);
int32_t cj__deadline_check(const cj__ctx *cx, int64_t deadline_ms);
int32_t cj__interrupted(cj__ctx *cx); /* CJ_OK, or fails with CJ_EINTERRUPT */
void cj__interrupt_set(cj__ctx *cx, int32_t on);

/* Around each call: an interrupt is for the calls that run when it comes, so the first
 * call after none forgets an older one. */
void cj__call_begin(cj__ctx *cx);
void cj__call_end(cj__ctx *cx);

/* ---- errors: the thread's text, written where the values are known ------------- */

#if defined(__GNUC__)
#define CJ__PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define CJ__PRINTF(a, b)
#endif

/* Set the thread's text (at most 100 characters, no customer data) and return code. */
int32_t cj__fail(int32_t code, const char *format, ...) CJ__PRINTF(2, 3);
int32_t cj__fail_at(int64_t position, int32_t code, const char *format, ...)
    CJ__PRINTF(3, 4);
int32_t cj__fail_nomem(void); /* "out of memory" */
void cj__error_clear(void);
const char *cj__error_text(void);
int64_t cj__error_position(void);
const char *cj__error_name(int32_t code);

/* Set rc and go to out on failure. */
#define CJ_TRY(call)                                                                   \
    do {                                                                               \
        rc = (call);                                                                   \
        if (rc != CJ_OK)                                                               \
            goto out;                                                                  \
    } while (0)

/* Copy an options struct of a caller that may be older (shorter: the rest is 0) or
 * newer (longer: its tail must be 0).  NULL: all 0. */
int32_t cj__sized_read(void *to, size_t size, const void *from);

/* Fill a result struct of a caller (NULL: none wanted) as far as its struct_size
 * reaches, or with zeros when rc is not CJ_OK; returns rc, or CJ_EMISUSE for a wrong
 * size. */
int32_t cj__sized_write(void *to, const void *from, size_t size, int32_t rc);

#endif
