/* Numbers, hexadecimal digits and UUIDs as text, and back, for text columns.  Reading
 * refuses every text that writing would not give back byte for byte. */
#include "store/texts.h"

static const char number_pairs[] = "0001020304050607080910111213141516171819"
                                   "2021222324252627282930313233343536373839"
                                   "4041424344454647484950515253545556575859"
                                   "6061626364656667686970717273747576777879"
                                   "8081828384858687888990919293949596979899";
static const char number_hex[] = "0123456789abcdef";

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

/* "-12.50" and the like: as short as it can be before the point, at most 18 digits. */
static int decimal_read(cj__text t, number_decimal *out)
{
    size_t negative = t.n > 0 && t.data[0] == '-', i = negative, point = t.n;
    uint64_t value = 0;

    if (t.n - negative > 19 || t.n == negative)
        return -1;
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

void cj__hex_write(char *to, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = number_hex[bytes[i] >> 4];
        to[2 * i + 1] = number_hex[bytes[i] & 15];
    }
}

static uint32_t hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10 : 16;
}

int cj__hex_read(uint8_t *to, const char *digits, size_t n)
{
    uint32_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);

        bad |= (high | low) & 16;
        to[i] = (uint8_t)(high << 4 | (low & 15));
    }
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
