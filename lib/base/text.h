/* UTF-8 and numbers as text: exact, or refused. */
#ifndef CJ__BASE_TEXT_H
#define CJ__BASE_TEXT_H

#include "base/str.h"

/* 1 when valid UTF-8 (no surrogates, no overlong forms, <= U+10FFFF). */
int cj__utf8_valid(const char *bytes, size_t n);
/* 1 when all bytes are printable ASCII: most texts are, and need no closer look. */
int cj__text_is_plain(const char *bytes, size_t n);
/* Bytes of the valid character at bytes[0] (n > 0), or 0 when there is none. */
size_t cj__utf8_length(const char *bytes, size_t n);
/* A code point as 1 to 4 bytes; how many. */
size_t cj__utf8_encode(uint32_t code, char *to);
/* The code point of a valid character of that length. */
uint32_t cj__utf8_decode(const char *bytes, size_t length);
/* Columns a terminal needs (East Asian wide and emoji: 2, combining marks: 0; a
 * byte that is not UTF-8: 1). */
size_t cj__utf8_width(const char *bytes, size_t n);

/* May something be called so?  1 to CJ__MAX_NAME bytes of UTF-8 without control
 * characters; CJ_EINVAL says what of it ("a segment's name") is wrong. */
int32_t cj__name_check(const char *what, cj__text name);

/* A whole decimal int64 ("-12"; no blanks, no "+", no leading zeros); 0, or -1. */
int cj__int64_parse(const char *text, size_t n, int64_t *out);

/* Decimal money to minor units: an optional sign, digits with an optional point (".5"
 * and "5." too), optional exponent of JSON ("1e2"), exact; digits beyond the currency's
 * exponent are rounded half to even.  0; -1: not a number; -2: beyond int64. */
int cj__decimal_minor(const char *text, size_t n, int exponent, int64_t *out);

/* quantity (a whole number) x unit price (decimal text), rounded once, half to even.
 * Results as above. */
int cj__decimal_times(const char *price, size_t n, int64_t quantity, int exponent,
                      int64_t *out);

/* A whole number in any of these forms ("12.0", "1e3"); results as above, and -1 also
 * when a fraction is left. */
int cj__decimal_whole(const char *text, size_t n, int64_t *out);

/* number.c: a JSON number as the nearest double, whatever the locale; 0, or -1. */
int cj__number_read(const char *text, size_t n, double *out);

/* Minor units as decimal text, such as "-12.50". */
void cj__decimal_put(cj__str *s, int64_t minor, int exponent);

/* ISO 4217: digits after the point of a currency (any case), or -1 when unknown. */
int cj__currency_exponent(const char *code, size_t n);

/* a / b rounded half to even; b > 0. */
int64_t cj__divide_half_even(int64_t a, int64_t b);

#endif
