/* Growing bytes with a cap, sticky after the first error.  The buffer always has room
 * for one byte more than n, which is a NUL.  Numbers are written the same under every
 * locale: a host may have called setlocale. */
#include "base/str.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cj__str_init(cj__str *s, const cj__allocator *a, size_t max_bytes)
{
    memset(s, 0, sizeof *s);
    s->allocator = a;
    s->max = max_bytes;
}

/* Room for n bytes more and the NUL. */
static int str_reserve(cj__str *s, size_t n)
{
    size_t need, grown;
    char *data;

    if (s->rc != CJ_OK)
        return 0;
    if (n > s->max - s->n || s->max >= SIZE_MAX / 2) {
        s->rc = cj__fail(CJ_ELIMIT, "a text is longer than %zu bytes", s->max);
        return 0;
    }
    need = s->n + n + 1;
    if (need <= s->capacity)
        return 1;
    grown = s->capacity < 32 ? 32 : s->capacity;
    while (grown < need)
        grown *= 2;
    if (grown > s->max + 1)
        grown = s->max + 1;
    data = cj__resize(s->allocator, s->data, s->capacity, grown);
    if (data == NULL) {
        s->rc = CJ_ENOMEM;
        return 0;
    }
    s->data = data;
    s->capacity = grown;
    return 1;
}

int32_t cj__str_reserve(cj__str *s, size_t n)
{
    (void)str_reserve(s, n);
    return s->rc;
}

void *cj__str_extend(cj__str *s, size_t n)
{
    if (!str_reserve(s, n))
        return NULL;
    s->n += n;
    s->data[s->n] = '\0';
    return s->data + s->n - n;
}

void cj__str_put(cj__str *s, const void *bytes, size_t n)
{
    void *to = cj__str_extend(s, n);

    if (to != NULL && n > 0)
        memcpy(to, bytes, n);
}

void cj__str_put_text(cj__str *s, const char *text)
{
    cj__str_put(s, text, strlen(text));
}

void cj__str_put_char(cj__str *s, char c)
{
    cj__str_put(s, &c, 1);
}

void cj__str_put_int64(cj__str *s, int64_t value)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--at] = '-';
    cj__str_put(s, digits + at, sizeof digits - at);
}

void cj__str_put_double(cj__str *s, double value)
{
    char text[64];
    int foreign = 0;

    if (!isfinite(value)) {
        cj__str_put_text(s, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        /* equal, not close: only then is the shorter text as good */
        if (memcmp(&(double){strtod(text, NULL)}, &value, sizeof value) == 0)
            break;
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr("0123456789+-e", *p) != NULL) {
            cj__str_put_char(s, *p);
            foreign = 0;
        } else if (!foreign) { /* the locale's point, of one or more bytes */
            cj__str_put_char(s, '.');
            foreign = 1;
        }
    }
}

static void str_put_escape(cj__str *s, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\b\f\n\r\t\"\\";
    static const char letter[] = "bfnrt\"\\";
    const char *at = memchr(plain, c, sizeof plain - 1);

    if (at != NULL) {
        cj__str_put_char(s, '\\');
        cj__str_put_char(s, letter[at - plain]);
        return;
    }
    cj__str_put_text(s, "\\u00");
    cj__str_put_char(s, hex[c >> 4]);
    cj__str_put_char(s, hex[c & 15]);
}

void cj__str_put_json(cj__str *s, const char *bytes, size_t n)
{
    size_t from = 0, at = 0;

    cj__str_put_char(s, '"');
    while (at < n) {
        unsigned char c = (unsigned char)bytes[at];
        size_t length = c < 0x80 ? 1 : cj__utf8_length(bytes + at, n - at);

        if (c >= 0x20 && c != '"' && c != '\\' && length > 0) {
            at += length;
            continue;
        }
        cj__str_put(s, bytes + from, at - from);
        if (length == 0)
            cj__str_put_text(s, "\xEF\xBF\xBD");
        else
            str_put_escape(s, c);
        from = ++at;
    }
    cj__str_put(s, bytes + from, at - from);
    cj__str_put_char(s, '"');
}

void cj__str_put_varint(cj__str *s, uint64_t value)
{
    unsigned char bytes[10];
    size_t n = 0;

    while (value >= 0x80) {
        bytes[n++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    bytes[n++] = (unsigned char)value;
    cj__str_put(s, bytes, n);
}

void cj__str_cut(cj__str *s, size_t n)
{
    s->n = n;
    if (s->data != NULL)
        s->data[n] = '\0';
}

void cj__str_clear(cj__str *s)
{
    cj__str_cut(s, 0);
}

void cj__str_fit(cj__str *s)
{
    char *data;

    if (s->rc != CJ_OK || s->capacity <= s->n + 1)
        return;
    data = cj__resize(s->allocator, s->data, s->capacity, s->n + 1);
    if (data == NULL) {
        s->rc = CJ_ENOMEM;
        return;
    }
    s->data = data;
    s->capacity = s->n + 1;
}

int32_t cj__str_status(const cj__str *s)
{
    return s->rc;
}

void cj__str_end(cj__str *s)
{
    cj__free(s->allocator, s->data, s->capacity);
    s->data = NULL;
    s->n = s->capacity = 0;
}

/* Ten bytes hold 70 bits: the tenth may only add the one that is left. */
int cj__varint_read(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    const uint8_t *p = *at;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
        uint64_t bits = *p & 0x7F;

        if (shift == 63 && bits > 1)
            return -1;
        value |= bits << shift;
        if ((*p++ & 0x80) == 0) {
            *at = p;
            *out = value;
            return 0;
        }
    }
    return -1;
}

uint64_t cj__zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

int64_t cj__unzigzag(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

int cj__text_equal(cj__text a, cj__text b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data == b.data;
    return a.n == b.n && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}

cj__text cj__text_of(const char *nul_terminated)
{
    cj__text t = {nul_terminated, nul_terminated != NULL ? strlen(nul_terminated) : 0};

    return t;
}
