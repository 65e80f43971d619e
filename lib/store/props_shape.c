/* Finding the shape of a JSON text.  Most events of one name have the shape that the
 * last one had, so that shape is tried first, piece by piece, which is twice as fast as
 * cutting the text anew. */
#include "store/props_shape.h"

#include "base/hash.h"

static int number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' ||
           c == 'E';
}

/* Which of eight bytes are a quote or a backslash, as their highest bits; exact up to
 * and with the lowest. */
static uint64_t string_ends(uint64_t eight)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t quote = eight ^ (each * '"'), slash = eight ^ (each * '\\');

    return (((quote - each) & ~quote) | ((slash - each) & ~slash)) & (each * 128);
}

/* Where the string whose inside begins at `at` ends: its closing quote, or n. */
static size_t string_end(const char *text, size_t at, size_t n)
{
    for (;;) {
        uint64_t ends = 0;

        while (n - at >= 8 && ends == 0) {
            ends = string_ends(cj__load64((const uint8_t *)text + at));
            at += ends == 0 ? 8 : (size_t)__builtin_ctzll(ends) / 8;
        }
        while (at < n && text[at] != '"' && text[at] != '\\')
            at++;
        if (at == n || text[at] == '"')
            return at;
        at = n - at < 2 ? n : at + 2; /* what is escaped */
    }
}

static size_t number_end(const char *text, size_t at, size_t n)
{
    while (at < n && number_char(text[at]))
        at++;
    return at;
}

/* Whether the string that ended before `at` is a member's name. */
static int is_name(const char *text, size_t at, size_t n)
{
    while (at < n && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' ||
                      text[at] == '\r'))
        at++;
    return at < n && text[at] == ':';
}

/* Cut a text into slots; returns how many, or CJ__SHAPE_SLOTS + 1 when it cannot be. */
static uint32_t shape_cut(cj__text text, cj__slot *slots, uint8_t *strings)
{
    const char *p = text.data;
    size_t at = 0, end;
    uint32_t n = 0;

    if (text.n > CJ__MAX_PROPERTIES)
        return CJ__SHAPE_SLOTS + 1;
    while (at < text.n) {
        int string = p[at] == '"';

        if (!string && p[at] != '-' && !(p[at] >= '0' && p[at] <= '9')) {
            at++;
            continue;
        }
        at += string ? 1 : 0;
        end = string ? string_end(p, at, text.n) : number_end(p, at, text.n);
        if (string && end == text.n)
            return CJ__SHAPE_SLOTS + 1; /* no end: not JSON */
        if (!string || !is_name(p, end + 1, text.n)) {
            if (n == CJ__SHAPE_SLOTS)
                return CJ__SHAPE_SLOTS + 1;
            slots[n].at = (uint32_t)at;
            slots[n].n = (uint32_t)(end - at);
            strings[n++] = (uint8_t)string;
        }
        at = end + (string ? 1 : 0);
    }
    return n;
}

/* 1 when the text has this shape; fills slots. */
static int shape_fits(const cj__shape *shape, cj__text text, cj__slot *slots)
{
    size_t at = 0, end;

    for (uint32_t i = 0;; i++) {
        cj__text piece = shape->pieces[i];

        if (text.n - at < piece.n || memcmp(text.data + at, piece.data, piece.n) != 0)
            return 0;
        at += piece.n;
        if (i == shape->n_slots)
            return at == text.n;
        end = shape->strings[i] ? string_end(text.data, at, text.n)
                                : number_end(text.data, at, text.n);
        slots[i].at = (uint32_t)at;
        slots[i].n = (uint32_t)(end - at);
        at = end;
    }
}

static cj__text piece_of(cj__text text, const cj__slot *slots, uint32_t n, uint32_t i)
{
    size_t from = i == 0 ? 0 : slots[i - 1].at + slots[i - 1].n;
    size_t until = i == n ? text.n : slots[i].at;

    return (cj__text){text.data + from, until - from};
}

static uint64_t shape_hash(const cj__shapes *s, cj__text text, const cj__slot *slots,
                           uint32_t n)
{
    uint64_t hash = cj__hash64(n, s->strings, n);

    for (uint32_t i = 0; i <= n; i++) {
        cj__text piece = piece_of(text, slots, n, i);

        hash = cj__hash64(hash, piece.data, piece.n);
    }
    return hash;
}

static int32_t shape_add(cj__shapes *s, cj__text text, const cj__slot *slots,
                         uint32_t n)
{
    cj__shape *shape = &s->list[s->n];

    shape->pieces = cj__arena_alloc(&s->arena, sizeof *shape->pieces * (n + 1));
    shape->strings = cj__arena_alloc(&s->arena, n + 1);
    if (shape->pieces == NULL || shape->strings == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i <= n; i++)
        shape->pieces[i] = piece_of(text, slots, n, i);
    memcpy(shape->strings, s->strings, n);
    shape->n_slots = n;
    shape->n_rows = 0;
    s->n++;
    return CJ_OK;
}

/* The text has been cut: its shape among those known, or a new one. */
static int32_t shape_find(cj__shapes *s, cj__text text, cj__slot *slots, uint32_t n,
                          uint32_t *out)
{
    uint64_t hash = shape_hash(s, text, slots, n);
    uint32_t slot = (uint32_t)(hash % sizeof s->hashed);

    for (; s->hashed[slot] != 0; slot = (slot + 1) % sizeof s->hashed) {
        *out = s->hashed[slot] - 1u;
        if (s->list[*out].hash == hash && shape_fits(&s->list[*out], text, slots))
            return CJ_OK;
    }
    *out = s->n;
    if (s->n == CJ__SHAPES_SEEN)
        return CJ_OK;
    s->hashed[slot] = (uint8_t)(s->n + 1);
    s->list[s->n].hash = hash;
    return shape_add(s, text, slots, n);
}

int32_t cj__shape_of(cj__shapes *s, cj__text text, uint32_t hint, cj__slot *slots,
                     uint32_t *shape_out)
{
    uint8_t *guess = &s->hint[hint % sizeof s->hint];
    uint32_t n;
    int32_t rc;

    *shape_out = CJ__SHAPE_NONE;
    if (text.n > CJ__MAX_PROPERTIES)
        return CJ_OK;
    if (*guess != 0 && shape_fits(&s->list[*guess - 1], text, slots)) {
        *shape_out = *guess - 1u;
        return CJ_OK;
    }
    n = shape_cut(text, slots, s->strings);
    if (n > CJ__SHAPE_SLOTS)
        return CJ_OK;
    rc = shape_find(s, text, slots, n, shape_out);
    if (rc == CJ_OK && *shape_out != CJ__SHAPE_NONE)
        *guess = (uint8_t)(*shape_out + 1);
    return rc;
}
