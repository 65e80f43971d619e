/* A growing run of bytes with a cap.  Sticky: after an error every function is a no-op
 * and cj__str_status() tells.  Always NUL-terminated once something was put. */
#ifndef CJ__BASE_STR_H
#define CJ__BASE_STR_H

#include "base/alloc.h"

typedef struct cj__text { /* borrowed bytes; data NULL: absent */
    const char *data;
    size_t n;
} cj__text;

typedef struct cj__str {
    const cj__allocator *allocator;
    char *data;
    size_t n, capacity, max;
    int32_t rc;
} cj__str;

void cj__str_init(cj__str *s, const cj__allocator *a, size_t max_bytes);
void cj__str_put(cj__str *s, const void *bytes, size_t n);
void cj__str_put_text(cj__str *s, const char *text); /* up to the NUL */
void cj__str_put_char(cj__str *s, char c);
void cj__str_put_int64(cj__str *s, int64_t value); /* decimal */
void cj__str_put_double(cj__str *s,
                        double value); /* 15 to 17 digits, as many as
                                        * read back equal; not finite: null */
/* Quoted and escaped; bytes that are not UTF-8 become U+FFFD. */
void cj__str_put_json(cj__str *s, const char *bytes, size_t n);
void cj__str_put_varint(cj__str *s, uint64_t value); /* LEB128, 1..10 bytes */
int32_t cj__str_reserve(cj__str *s, size_t n);       /* room for n bytes more */
void *cj__str_extend(cj__str *s, size_t n); /* n uninitialised bytes; NULL: failed */
void cj__str_cut(cj__str *s, size_t n);     /* down to n bytes */
void cj__str_clear(cj__str *s);             /* n = 0, keeps memory and status */
void cj__str_fit(cj__str *s);               /* gives back what it has grown too much */
int32_t cj__str_status(const cj__str *s);
void cj__str_end(cj__str *s); /* frees; a zeroed one is fine */

/* Read a varint from [*at, end); advances *at.  Returns 0, or -1 when damaged. */
int cj__varint_read(const uint8_t **at, const uint8_t *end, uint64_t *out);
uint64_t cj__zigzag(int64_t value);
int64_t cj__unzigzag(uint64_t value);

int cj__text_equal(cj__text a, cj__text b);
cj__text cj__text_of(const char *nul_terminated); /* NULL: absent */

#endif
