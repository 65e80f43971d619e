/* A decimal text as the nearest double, half to even, with "." in every locale (strtod
 * follows the host's).  Short numbers take one exact multiplication or division
 * (W. Clinger, "How to Read Floating Point Numbers Accurately", 1990, section 4); the
 * others compare big integers, which is slow and obvious. */
#include "base/text.h"

#include <math.h>
#include <string.h>

enum {
    NUMBER_LIMBS = 200, /* 6,400 bits: 10^(800 + 345) shifted by 1,100 fits */
    NUMBER_DIGITS =
        780, /* what is behind cannot change how a tie breaks but as "more" */
    NUMBER_EXPONENT = 100000
};

typedef struct number_parts {
    char digits[NUMBER_DIGITS + 1]; /* without leading zeros */
    int n, exponent;                /* value = digits x 10^exponent */
    int negative;
} number_parts;

static int number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void number_digit(number_parts *parts, char digit, int is_fraction)
{
    if (parts->n == 0 && digit == '0') {
        parts->exponent -= is_fraction;
        return;
    }
    if (parts->n < NUMBER_DIGITS) {
        parts->digits[parts->n++] = digit;
        parts->exponent -= is_fraction;
        return;
    }
    parts->exponent += !is_fraction;
    if (digit != '0')
        parts->digits[NUMBER_DIGITS - 1] |= 1; /* more than nothing: '0' -> '1' ... */
}

static int number_exponent(const char *text, size_t n, int *out)
{
    int value = 0, negative;
    size_t at = 1;

    negative = n > 1 && text[1] == '-';
    at += n > 1 && (text[1] == '-' || text[1] == '+') ? 1 : 0;
    if (at == n)
        return -1;
    for (; at < n; at++) {
        if (!number_is_digit(text[at]))
            return -1;
        if (value < NUMBER_EXPONENT)
            value = value * 10 + (text[at] - '0');
    }
    *out += negative ? -value : value;
    return 0;
}

static int number_split(const char *text, size_t n, number_parts *parts)
{
    size_t at = 0, n_digits = 0;
    int is_fraction = 0;

    parts->n = parts->exponent = 0;
    parts->negative = n > 0 && text[0] == '-';
    at += (size_t)parts->negative;
    for (; at < n; at++) {
        if (text[at] == '.' && !is_fraction && n_digits > 0) {
            is_fraction = 1;
            continue;
        }
        if (!number_is_digit(text[at]))
            break;
        number_digit(parts, text[at], is_fraction);
        n_digits++;
    }
    if (n_digits == 0 || text[at - 1] == '.')
        return -1;
    if (at == n)
        return 0;
    return text[at] == 'e' || text[at] == 'E'
               ? number_exponent(text + at, n - at, &parts->exponent)
               : -1;
}

/* ---- big integers -------------------------------------------------------------------
 */

typedef struct number_big {
    int n; /* limbs used */
    uint32_t limb[NUMBER_LIMBS];
} number_big;

static void number_multiply(number_big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * factor;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0 && b->n < NUMBER_LIMBS)
        b->limb[b->n++] = (uint32_t)carry;
}

static void number_shift(number_big *b, int bits)
{
    for (; bits >= 31; bits -= 31)
        number_multiply(b, (uint32_t)1 << 31, 0);
    number_multiply(b, (uint32_t)1 << bits, 0);
}

static int number_bits(const number_big *b)
{
    return b->n == 0 ? 0 : b->n * 32 - __builtin_clz(b->limb[b->n - 1]);
}

static int number_compare(const number_big *a, const number_big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

/* a -= b; a >= b */
static void number_subtract(number_big *a, const number_big *b)
{
    uint64_t borrow = 0;

    for (int i = 0; i < a->n; i++) {
        const uint64_t take = (i < b->n ? b->limb[i] : 0) + borrow;

        borrow = a->limb[i] < take;
        a->limb[i] = (uint32_t)(a->limb[i] - take);
    }
    while (a->n > 0 && a->limb[a->n - 1] == 0)
        a->n--;
}

/* floor(a / b), which is below 2^56; a becomes the rest. */
static uint64_t number_divide(number_big *a, number_big *b)
{
    uint64_t quotient = 0;
    int shift = number_bits(a) - number_bits(b);
    number_big part;

    for (; shift >= 0; shift--) {
        part = *b;
        number_shift(&part, shift);
        quotient <<= 1;
        if (number_compare(a, &part) >= 0) {
            number_subtract(a, &part);
            quotient |= 1;
        }
    }
    return quotient;
}

/* q has one bit or more below the last place of a double: scale it so, and round. */
static double number_round(uint64_t q, int exponent, int is_more)
{
    const int bits = 64 - __builtin_clzll(q | 1);
    int drop = bits - 53;
    uint64_t half, rest;

    if (exponent + drop < -1074)
        drop = -1074 - exponent;
    if (drop > 63)
        return 0;
    half = (uint64_t)1 << (drop - 1);
    rest = q & (half * 2 - 1);
    q = drop == 63 ? q >> 62 >> 1 : q >> drop;
    if (rest > half || (rest == half && (is_more || (q & 1) != 0)))
        q++;
    return ldexp((double)q, exponent + drop);
}

__extension__ typedef unsigned __int128 number_wide;

/* 19 digits at most, behind a point that moves by 21 at most: what is written by
 * programs that print doubles.  One division of 128 bits. */
static double number_divided(uint64_t whole, int places)
{
    number_wide by = 1, a = whole, quotient;
    int shift, bits = 0;

    for (int i = 0; i < places; i++)
        by *= 10;
    for (number_wide rest = by; rest > 0; rest >>= 1)
        bits++;
    shift =
        55 - (64 - __builtin_clzll(whole) - bits); /* a << shift: 127 bits at most */
    if (shift > 0)
        a <<= shift;
    else
        by <<= -shift;
    quotient = a / by;
    return number_round((uint64_t)quotient, -shift, a % by != 0);
}

static double number_exact(const number_parts *parts)
{
    number_big a = {0}, b = {.n = 1, .limb = {1}};
    uint64_t quotient;
    int shift;

    for (int i = 0; i < parts->n; i++) {
        if (a.n == 0)
            a.limb[a.n++] = (uint32_t)(parts->digits[i] - '0');
        else
            number_multiply(&a, 10, (uint32_t)(parts->digits[i] - '0'));
    }
    for (int i = parts->exponent; i > 0; i--)
        number_multiply(&a, 10, 0);
    for (int i = parts->exponent; i < 0; i++)
        number_multiply(&b, 10, 0);
    shift = 55 - (number_bits(&a) - number_bits(&b)); /* 55 or 56 bits of quotient */
    if (shift > 0)
        number_shift(&a, shift);
    else
        number_shift(&b, -shift);
    quotient = number_divide(&a, &b);
    return number_round(quotient, -shift, a.n > 0);
}

int cj__number_read(const char *text, size_t n, double *out)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    number_parts parts;
    uint64_t whole = 0;
    double d;

    if (number_split(text, n, &parts) != 0)
        return -1;
    for (int i = 0; i < parts.n && i < 19; i++)
        whole = whole * 10 + (uint64_t)(parts.digits[i] - '0');
    if (parts.n == 0 || parts.n + parts.exponent < -330) {
        d = 0;
    } else if (parts.n + parts.exponent > 310) {
        d = (double)INFINITY;
    } else if (parts.n <= 15 && parts.exponent >= -22 && parts.exponent <= 22) {
        d = parts.exponent < 0 ? (double)whole / tens[-parts.exponent]
                               : (double)whole * tens[parts.exponent];
    } else if (parts.n <= 19 && parts.exponent >= -21 && parts.exponent < 0) {
        d = number_divided(whole, -parts.exponent);
    } else {
        d = number_exact(&parts);
    }
    *out = parts.negative ? -d : d;
    return 0;
}
