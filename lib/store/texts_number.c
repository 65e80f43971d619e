/* Numbers, hexadecimal digits and UUIDs as text, and back, for text columns.  Reading
 * refuses every text that writing would not give back byte for byte. */
#include "store/texts.h"

static const char number_pairs[] = "0001020304050607080910111213141516171819"
                                   "2021222324252627282930313233343536373839"
                                   "4041424344454647484950515253545556575859"
                                   "6061626364656667686970717273747576777879"
                                   "8081828384858687888990919293949596979899";

static const uint64_t number_powers[] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
};

/* ---- decimals ---------------------------------------------------------------------
 */

typedef struct number_decimal {
    int64_t value;            /* all its digits, without the point */
    uint32_t whole, fraction; /* digits before and after the point */
} number_decimal;

/* The number of eight digits, each in a byte, the first in the lowest. */
static uint64_t decimal_of_eight(uint64_t x)
{
    x = (x * 10 + (x >> 8)) & 0x00ff00ff00ff00ffu;
    x = (x * 100 + (x >> 16)) & 0x0000ffff0000ffffu;
    return (x * 10000 + (x >> 32)) & 0xffffffffu;
}

/* The n (1..8) bytes at p as the upper bytes of a word. */
static uint64_t decimal_load(const char *p, size_t n)
{
    uint32_t low, high;

    if (n < 4)
        return cj__load_part((const uint8_t *)p, n) << (64 - 8 * n);
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    return (uint64_t)high << 32 | (n == 4 ? 0 : (uint64_t)low << (64 - 8 * n));
}

/* Up to eight digits and a point, in a few steps for all of them: most numbers are
 * short, and of no length that could be foretold. */
static int decimal_read_short(cj__text t, number_decimal *out)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t x = (decimal_load(t.data, t.n) ^ (each * '0')) >> (64 - 8 * t.n)
                                                                   << (64 - 8 * t.n);
    uint64_t odd = ((x + each * 118) | x) & (each * 128);
    uint32_t point;

    out->whole = (uint32_t)t.n;
    out->fraction = 0;
    if (odd != 0) {
        point = (uint32_t)__builtin_ctzll(odd) / 8; /* its byte in the word */
        if ((odd & (odd - 1)) != 0 || (x >> (8 * point) & 255) != ('.' ^ '0'))
            return -1;
        out->fraction = 7 - point;
        out->whole = (uint32_t)t.n - out->fraction - 1;
        x = (x & ~cj__low_bits(8 * point + 8)) | (x & cj__low_bits(8 * point)) << 8;
        if (out->fraction == 0)
            return -1;
    }
    out->value = (int64_t)decimal_of_eight(x);
    return out->whole == 0 || (out->whole > 1 && t.data[0] == '0') ? -1 : 0;
}

/* "-12.50" and the like: as short as it can be before the point, at most 18 digits. */
static int decimal_read(cj__text t, number_decimal *out)
{
    size_t negative = t.n > 0 && t.data[0] == '-', i = negative, point = t.n;
    uint64_t value = 0;

    if (t.n - negative > 19 || t.n == negative)
        return -1;
    if (t.n <= 8 && !negative)
        return decimal_read_short(t, out);
    for (; i < t.n; i++) {
        uint32_t digit = (uint32_t)(unsigned char)t.data[i] - '0';

        if (digit > 9) {
            if (t.data[i] != '.' || point != t.n)
                return -1;
            point = i;
        } else {
            value = value * 10 + digit;
        }
    }
    out->whole = (uint32_t)(point - negative);
    out->fraction = point == t.n ? 0 : (uint32_t)(t.n - point - 1);
    if (out->whole == 0 || out->whole + out->fraction > 18 || out->fraction > 15 ||
        (out->whole > 1 && t.data[negative] == '0') ||
        (point != t.n && out->fraction == 0) || (negative && value == 0))
        return -1;
    out->value = negative ? -(int64_t)value : (int64_t)value;
    return 0;
}

int cj__decimals_read(cj__texter *t, const cj__text *texts, uint32_t m)
{
    uint32_t most = 0, least = 15, whole = 0, mode = 0;
    int stripped = 1, pointed = 1; /* modes 2 and 1 are possible */

    for (uint32_t i = 0; i < m; i++) {
        number_decimal d;

        if (decimal_read(texts[i], &d) != 0)
            return -1;
        t->numbers[i] = (uint64_t)d.value;
        t->fraction[i] = (uint8_t)d.fraction;
        most = d.fraction > most ? d.fraction : most;
        least = d.fraction < least ? d.fraction : least;
        whole = d.whole > whole ? d.whole : whole;
        stripped &= d.fraction == 0 || d.value % 10 != 0;
        pointed &= d.fraction == 1 || (d.fraction > 1 && d.value % 10 != 0);
    }
    if (least != most)
        mode = pointed ? 1 : 2;
    if (whole + most > 18 || (mode == 2 && !stripped))
        return -1;
    for (uint32_t i = 0; most != least && i < m; i++)
        t->numbers[i] *= number_powers[most - t->fraction[i]];
    return (int)(most + 16 * mode);
}

size_t cj__digits_write(char *to, uint64_t value, uint32_t digits)
{
    char text[20];
    size_t at = sizeof text;

    while (value >= 100) {
        at -= 2;
        memcpy(text + at, number_pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(text + at, number_pairs + 2 * value, 2);
    } else {
        text[--at] = (char)('0' + value);
    }
    while (sizeof text - at < digits && at > 0)
        text[--at] = '0';
    memcpy(to, text + at, sizeof text - at);
    return sizeof text - at;
}

size_t cj__decimal_write(char *to, int64_t value, uint32_t form)
{
    uint32_t fraction = form & 15, mode = form >> 4, least = mode == 1;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value, part;
    size_t n = 0;

    if (value < 0)
        to[n++] = '-';
    if (fraction == 0)
        return n + cj__digits_write(to + n, rest, 0);
    part = rest % number_powers[fraction];
    n += cj__digits_write(to + n, rest / number_powers[fraction], 0);
    for (; mode != 0 && fraction > least && part % 10 == 0; fraction--)
        part /= 10;
    if (fraction == 0)
        return n;
    to[n++] = '.';
    return n + cj__digits_write(to + n, part, fraction);
}

/* ---- a number within a text -------------------------------------------------------
 */

uint32_t cj__digits_find(cj__text text, size_t *at)
{
    uint32_t best = 0, run = 0;

    for (size_t i = 0; i < text.n; i++) {
        run = (unsigned char)(text.data[i] - '0') <= 9 ? run + 1 : 0;
        if (run >= best && run > 0) {
            best = run;
            *at = i + 1 - run;
        }
    }
    return best;
}

uint64_t cj__digits_value(const char *digits, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value * 10 + (uint64_t)(digits[i] - '0');
    return value;
}

/* ---- hexadecimal ------------------------------------------------------------------
 */

/* Eight digits at a time, a digit in each byte of a word; what is left goes through a
 * word of its own. */
static const uint64_t number_each = 0x0101010101010101u;

static uint64_t hex_of_four(uint64_t bytes)
{
    uint64_t x = (bytes | bytes << 16) & 0x0000ffff0000ffffu;

    x = (x | x << 8) & 0x00ff00ff00ff00ffu;
    x = (x >> 4 | x << 8) & (number_each * 15); /* the high half of a byte first */
    return x + number_each * '0' + ((x + number_each * 6) >> 4 & number_each) * 39;
}

void cj__hex_write(char *to, const uint8_t *bytes, size_t n)
{
    uint8_t last[8];

    for (; n >= 4; to += 8, bytes += 4, n -= 4)
        cj__store64((uint8_t *)to, hex_of_four(cj__load_part(bytes, 4)));
    cj__store64(last, hex_of_four(cj__load_part(bytes, n)));
    memcpy(to, last, 2 * n);
}

/* The four bytes of eight digits; *bad gets bits when some are none. */
static uint32_t hex_to_four(uint64_t digits, uint64_t *bad)
{
    uint64_t letters = digits >> 6 & number_each;
    uint64_t x = (digits & (number_each * 15)) + letters * 9;

    *bad |=
        (x & (number_each * 16)) | (digits ^ (x + number_each * '0' + letters * 39));
    *bad |= ((x + number_each * 6) >> 4 & number_each) ^ letters;
    x = (x << 4 | x >> 8) & 0x00ff00ff00ff00ffu;
    x = (x | x >> 8) & 0x0000ffff0000ffffu;
    return (uint32_t)(x | x >> 16);
}

int cj__hex_read(uint8_t *to, const char *digits, size_t n)
{
    uint8_t last[8];
    uint64_t bad = 0;
    uint32_t four;

    for (; n >= 4; to += 4, digits += 8, n -= 4) {
        four = hex_to_four(cj__load64((const uint8_t *)digits), &bad);
        memcpy(to, &four, 4);
    }
    memset(last, '0', sizeof last);
    memcpy(last, digits, 2 * n);
    four = hex_to_four(cj__load64(last), &bad);
    memcpy(to, &four, n);
    return bad ? -1 : 0;
}

static const uint8_t uuid_groups[] = {4, 2, 2, 2, 6};

void cj__uuid_write(char *to, const uint8_t *bytes)
{
    for (size_t i = 0; i < sizeof uuid_groups; i++) {
        if (i > 0)
            *to++ = '-';
        cj__hex_write(to, bytes, uuid_groups[i]);
        to += (size_t)2 * uuid_groups[i];
        bytes += uuid_groups[i];
    }
}

int cj__uuid_read(uint8_t *to, cj__text text)
{
    const char *at = text.data;

    if (text.n != 36)
        return -1;
    for (size_t i = 0; i < sizeof uuid_groups; i++) {
        if ((i > 0 && *at++ != '-') || cj__hex_read(to, at, uuid_groups[i]) != 0)
            return -1;
        at += (size_t)2 * uuid_groups[i];
        to += uuid_groups[i];
    }
    return 0;
}
