/* UTF-8 and whole numbers as text: exact, or refused.  Everything here accepts any
 * bytes. Decimal money is in decimal.c, widths on a terminal in width.c. */
#include "base/text.h"

#include "base/ctx.h"
#include "base/limits.h"

#include <string.h>

/* The well-formed sequences of Unicode table 3-7: bytes after the second are always
 * 80..BF. */
size_t cj__utf8_length(const char *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    unsigned char low = 0x80, high = 0xBF;
    size_t length;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (length > n)
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0; /* overlong */
    else if (p[0] == 0xED)
        high = 0x9F; /* surrogates */
    else if (p[0] == 0xF0)
        low = 0x90; /* overlong */
    else if (p[0] == 0xF4)
        high = 0x8F; /* beyond U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return length;
}

size_t cj__utf8_encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3F));
        to[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

uint32_t cj__utf8_decode(const char *bytes, size_t length)
{
    const unsigned char *p = (const unsigned char *)bytes;
    uint32_t code;

    if (length <= 1)
        return p[0];
    code = p[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (p[i] & 0x3Fu);
    return code;
}

int cj__utf8_valid(const char *bytes, size_t n)
{
    size_t at = 0;

    while (at < n) {
        uint64_t eight;
        size_t length;

        if (n - at >= sizeof eight) { /* most of what shops send is ASCII */
            memcpy(&eight, bytes + at, sizeof eight);
            if ((eight & 0x8080808080808080ull) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        length = cj__utf8_length(bytes + at, n - at);
        if (length == 0)
            return 0;
        at += length;
    }
    return 1;
}

/* Of eight bytes, those that are no printable ASCII, as their highest bits; exact up to
 * and with the lowest of them (a borrow can make a later one look so). */
static uint64_t text_unprintable(uint64_t eight)
{
    const uint64_t each = 0x0101010101010101ull, high = 0x8080808080808080ull;
    const uint64_t del = eight ^ (each * 0x7F);

    return (eight | (eight - each * 0x20) | (del - each)) & high;
}

int cj__text_is_plain(const char *bytes, size_t n)
{
    char last[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    uint64_t eight;

    for (; n >= sizeof eight; bytes += sizeof eight, n -= sizeof eight) {
        memcpy(&eight, bytes, sizeof eight);
        if (text_unprintable(eight) != 0)
            return 0;
    }
    for (size_t i = 0; i < n; i++)
        last[i] = bytes[i];
    memcpy(&eight, last, sizeof eight);
    return text_unprintable(eight) == 0;
}

int cj__int64_parse(const char *text, size_t n, int64_t *out)
{
    const int negative = n > 0 && text[0] == '-';
    const uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    const size_t first = negative ? 1 : 0;
    uint64_t value = 0;

    if (n == first || (text[first] == '0' && n > 1))
        return -1;
    for (size_t i = first; i < n; i++) {
        uint64_t digit = (uint64_t)((unsigned char)text[i] - '0');

        if (digit > 9 || value > (limit - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    *out = (int64_t)(negative ? 0 - value : value);
    return 0;
}

int32_t cj__name_check(const char *what, cj__text name)
{
    if (name.n == 0 || name.n > CJ__MAX_NAME)
        return cj__fail(CJ_EINVAL, "%s has 1 to %d bytes", what, CJ__MAX_NAME);
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.data[i] < 0x20 || name.data[i] == 0x7F)
            return cj__fail_at((int64_t)i, CJ_EINVAL, "%s holds no control characters",
                               what);
    }
    if (!cj__utf8_valid(name.data, name.n))
        return cj__fail(CJ_EINVAL, "%s is UTF-8 text", what);
    return CJ_OK;
}
