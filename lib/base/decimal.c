/* Money: decimal text to int64 minor units and back, exact with integers of 128 bits;
 * never a double.  Invariant: a value is rounded once, half to even, or refused. */
#include "base/text.h"

#include <string.h>

__extension__ typedef unsigned __int128 decimal_wide;

/* A decimal as written: value = digits x 10^(point - number of digits), where digits
 * are the characters 0-9 among text. */
typedef struct decimal {
    const char *text; /* the digits and at most one point */
    size_t n;         /* characters of text */
    int64_t n_digits;
    int64_t point; /* digits before the point, exponent included */
    int negative;
    int is_zero;
} decimal;

static int decimal_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits and the point of text; what follows them is left to the caller. */
static size_t decimal_read_digits(const char *text, size_t n, decimal *d)
{
    size_t at = 0;
    int has_point = 0;

    d->text = text;
    d->is_zero = 1;
    for (; at < n; at++) {
        if (text[at] == '.' && !has_point) {
            has_point = 1;
            d->point = d->n_digits;
        } else if (decimal_is_digit(text[at])) {
            d->n_digits++;
            d->is_zero &= text[at] == '0';
        } else {
            break;
        }
    }
    if (!has_point)
        d->point = d->n_digits;
    d->n = at;
    return at;
}

/* "e+12"; saturates, since no text is long enough to bring such a number back. */
static int decimal_read_exponent(const char *text, size_t n, decimal *d)
{
    const int64_t bound = INT64_MAX / 16;
    int64_t exponent = 0;
    int negative = 0;
    size_t at = 1;

    if (n < 2 || (text[0] != 'e' && text[0] != 'E'))
        return -1;
    if (text[at] == '+' || text[at] == '-')
        negative = text[at++] == '-';
    if (at == n)
        return -1;
    for (; at < n; at++) {
        if (!decimal_is_digit(text[at]))
            return -1;
        if (exponent < bound / 10)
            exponent = exponent * 10 + (text[at] - '0');
    }
    d->point += negative ? -exponent : exponent;
    return 0;
}

static int decimal_read(const char *text, size_t n, decimal *d)
{
    size_t at = 0;

    memset(d, 0, sizeof *d);
    if (n > 0 && (text[0] == '-' || text[0] == '+')) {
        d->negative = text[0] == '-';
        at = 1;
    }
    at += decimal_read_digits(text + at, n - at, d);
    if (d->n_digits == 0)
        return -1;
    return at == n ? 0 : decimal_read_exponent(text + at, n - at, d);
}

/* A magnitude under way, built from its lowest digit up. */
typedef struct decimal_sum {
    decimal_wide carry;
    decimal_wide whole, place; /* digits before the point so far; 10^(their number) */
    int half;                  /* the first digit after the point */
    int below;                 /* 1 when any digit after that one is not 0 */
    int overflow;
} decimal_sum;

static void decimal_add_whole(decimal_sum *s, unsigned digit)
{
    const decimal_wide bound = (decimal_wide)1 << 100; /* > 2^63, and room to add */

    if (s->place > bound)
        s->overflow |= digit != 0;
    else {
        s->whole += s->place * digit;
        s->place *= 10;
    }
}

/* One digit of the price, times the quantity, in schoolbook multiplication. */
static void decimal_step(decimal_sum *s, unsigned digit, uint64_t quantity,
                         int is_whole)
{
    unsigned product;

    s->carry += (decimal_wide)digit * quantity;
    product = (unsigned)(s->carry % 10);
    s->carry /= 10;
    if (is_whole) {
        decimal_add_whole(s, product);
    } else {
        s->below |= s->half != 0;
        s->half = (int)product;
    }
}

static int decimal_finish(decimal_sum *s, int negative, int64_t *out)
{
    const decimal_wide limit = (decimal_wide)INT64_MAX + (negative ? 1 : 0);

    while (s->carry > 0) {
        decimal_add_whole(s, (unsigned)(s->carry % 10));
        s->carry /= 10;
    }
    if (s->half > 5 || (s->half == 5 && (s->below || (s->whole & 1) != 0)))
        s->whole++;
    if (s->overflow || s->whole > limit)
        return -2;
    *out = (int64_t)(negative ? 0 - (uint64_t)s->whole : (uint64_t)s->whole);
    return 0;
}

/* d x times in minor units; *is_exact: nothing was rounded away. */
static int decimal_compute(const decimal *d, uint64_t times, int negative, int64_t *out,
                           int *is_exact)
{
    decimal_sum sum = {.place = 1};

    *is_exact = 1;
    *out = 0;
    if (d->is_zero || times == 0)
        return 0;
    /* The lowest digit that is not 0 stands above 10^40; or all of the product is below
     * 10^-40 x 2^63, which no rounding makes one. */
    if (d->point > d->n_digits + 40)
        return -2;
    *is_exact = 0;
    if (d->point < -40)
        return 0;
    for (int64_t i = d->point; i > d->n_digits; i--)
        decimal_step(&sum, 0, times, 1);
    for (int64_t i = d->n_digits, at = (int64_t)d->n - 1; at >= 0; at--) {
        if (d->text[at] != '.')
            decimal_step(&sum, (unsigned)(d->text[at] - '0'), times, --i < d->point);
    }
    for (int64_t i = d->point; i < 0; i++)
        decimal_step(&sum, 0, times, 0);
    *is_exact = sum.half == 0 && !sum.below;
    return decimal_finish(&sum, negative, out);
}

int cj__decimal_times(const char *price, size_t n, int64_t quantity, int exponent,
                      int64_t *out)
{
    const uint64_t times = quantity < 0 ? 0 - (uint64_t)quantity : (uint64_t)quantity;
    int64_t value;
    int is_exact, result;
    decimal d;

    if (decimal_read(price, n, &d) != 0)
        return -1;
    d.point += exponent;
    result =
        decimal_compute(&d, times, d.negative != (quantity < 0), &value, &is_exact);
    if (result == 0)
        *out = value;
    return result;
}

int cj__decimal_minor(const char *text, size_t n, int exponent, int64_t *out)
{
    return cj__decimal_times(text, n, 1, exponent, out);
}

int cj__decimal_whole(const char *text, size_t n, int64_t *out)
{
    int64_t value;
    int is_exact, result;
    decimal d;

    if (decimal_read(text, n, &d) != 0)
        return -1;
    result = decimal_compute(&d, 1, d.negative, &value, &is_exact);
    if (result == 0 && !is_exact)
        return -1;
    if (result == 0)
        *out = value;
    return result;
}

void cj__decimal_put(cj__str *s, int64_t minor, int exponent)
{
    uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    char text[64];
    size_t at = sizeof text;

    for (int i = 0; i < exponent || rest > 0 || i == exponent; i++) {
        if (i == exponent && exponent > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (minor < 0)
        text[--at] = '-';
    cj__str_put(s, text + at, sizeof text - at);
}

int64_t cj__divide_half_even(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    uint64_t rest, other;

    if (a % b == 0)
        return quotient;
    rest = a < 0 ? 0 - (uint64_t)(a % b) : (uint64_t)(a % b);
    other = (uint64_t)b - rest; /* what is missing to the next whole */
    if (rest > other || (rest == other && (quotient & 1) != 0))
        quotient += a < 0 ? -1 : 1;
    return quotient;
}

/* ISO 4217, by code: the active ones, and those withdrawn since 2015 because older
 * orders carry them.  Metals and funds without minor units are not money here. */
static const char currencies_2[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD "
    "BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD "
    "EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS "
    "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT "
    "MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN "
    "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VEF VES WST "
    "XAD XCD XCG YER ZAR ZMW ZWG ZWL";
static const char currencies_0[] =
    "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
static const char currencies_3[] = "BHD IQD JOD KWD LYD OMR TND";
static const char currencies_4[] = "CLF UYW";

static const struct {
    const char *codes; /* of three letters and a blank each */
    size_t bytes;
    int exponent;
} currencies[] = {
    {currencies_2, sizeof currencies_2, 2},
    {currencies_0, sizeof currencies_0, 0},
    {currencies_3, sizeof currencies_3, 3},
    {currencies_4, sizeof currencies_4, 4},
};

int cj__currency_exponent(const char *code, size_t n)
{
    char upper[3];

    if (n != 3)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        upper[i] = code[i] >= 'a' && code[i] <= 'z' ? (char)(code[i] - 32) : code[i];
        if (upper[i] < 'A' || upper[i] > 'Z')
            return -1;
    }
    for (size_t k = 0; k < sizeof currencies / sizeof currencies[0]; k++) {
        for (size_t at = 0; at < currencies[k].bytes; at += 4) {
            if (memcmp(currencies[k].codes + at, upper, 3) == 0)
                return currencies[k].exponent;
        }
    }
    return -1;
}
