/* Text columns: up to CJ__BLOCK_EVENTS texts of any bytes, as numbers where they are
 * numbers, as a pattern with a number, as a dictionary, as hexadecimal digits, or as
 * they are (docs/FORMAT.md).  Sessions, orders and the slots of properties. */
#ifndef CJ__STORE_TEXTS_H
#define CJ__STORE_TEXTS_H

#include "store/pack.h"

#define CJ__TEXTS_PATTERNS 64     /* more are no patterns */
#define CJ__TEXTS_AFFIX 255       /* bytes of a prefix or suffix beside a number */
#define CJ__TEXTS_DIGITS 18       /* of a number in a pattern: always below 2^63 */
#define CJ__TEXTS_HEX 64          /* bytes of a hexadecimal text */
#define CJ__TEXTS_FRONT_BYTES 255 /* of a text in a column of kind front */
/* Bytes that a text made from a number can have. */
#define CJ__TEXTS_MADE (2 * CJ__TEXTS_AFFIX + 2 * CJ__TEXTS_HEX)

enum {
    CJ__TEXTS_RAW = 0,
    CJ__TEXTS_DICTIONARY = 1,
    CJ__TEXTS_DECIMAL = 2,
    CJ__TEXTS_PATTERN = 3,
    CJ__TEXTS_HEXADECIMAL = 4,
    CJ__TEXTS_UUID = 5,
    CJ__TEXTS_FRONT = 6,
    CJ__TEXTS_FOLLOWS = 7 /* only in properties */
};

/* A pattern: prefix, a number (or none), suffix. */
typedef struct cj__text_pattern {
    cj__text prefix, suffix;
    uint64_t mode; /* 0 no number, 1 as short as it can be, 1 + w: w digits */
} cj__text_pattern;

/* Encoder's scratch, made once for many columns, need not be cleared: 380 KiB. */
typedef struct cj__texter {
    cj__packer packer;
    uint64_t index[CJ__PACK_MAX];   /* of each text among the distinct ones */
    uint64_t sorted[CJ__PACK_MAX];  /* the same, when distinct[] is sorted */
    uint64_t numbers[CJ__PACK_MAX]; /* decimal, lengths: of each text */
    uint64_t others[CJ__PACK_MAX];
    uint64_t part_number[CJ__PACK_MAX]; /* pattern: of each distinct text */
    uint8_t part[CJ__PACK_MAX];
    uint8_t fraction[CJ__PACK_MAX];
    cj__text distinct[CJ__PACK_MAX];
    uint32_t tags[CJ__PACK_MAX]; /* of distinct texts: part of the hash */
    uint16_t slots[2 * CJ__PACK_MAX];
    cj__text_pattern patterns[CJ__TEXTS_PATTERNS];
    uint8_t pattern_slots[4 * CJ__TEXTS_PATTERNS];
    uint32_t n_patterns;
} cj__texter;

/* Append a column of texts[0 .. m), m <= CJ__PACK_MAX; m 0 appends nothing.  Returns
 * the number of distinct texts, and index[] is as after cj__texts_distinct; 0 when they
 * are decimals, of which that is not known. */
uint32_t cj__texts_put(cj__texter *t, cj__str *out, const cj__text *texts, uint32_t m);

/* Number the distinct texts in order of appearance: index[i] is the number of text i.
 * Returns how many there are. */
uint32_t cj__texts_distinct(cj__texter *t, const cj__text *texts, uint32_t m);

/* Keep the shorter of [first, second) and [second, end). */
void cj__str_keep_shorter(cj__str *out, size_t first, size_t second);

/* Read texts [from, from + count) of a column of m (m > 0); range is {m, from, count}.
 * They are borrowed from the column or made in the arena, and data is never NULL.
 * Errors: CJ_ECORRUPT, CJ_ENOMEM. */
int32_t cj__texts_get(cj__text column, const uint32_t range[3], cj__arena *arena,
                      cj__text *out);

/* Their row keys (cj__row_key); scratch has room for CJ__PACK_MAX numbers.  0, or -1
 * when damaged. */
int cj__texts_keys(cj__text column, const uint32_t range[3], uint64_t *scratch,
                   uint64_t *out);

/* A number for each of a column's m texts: equal ones for equal texts, and only for
 * those.  0; 1 when its kind does not tell without the texts themselves; -1 when
 * damaged. */
int cj__texts_ids(cj__text column, uint32_t m, uint64_t *ids);

/* ---- numbers as text (texts_number.c)
 * ------------------------------------------------ */

/* Read m texts as decimals into numbers[], all scaled to the same fraction digits.
 * Returns the description byte of kind decimal, or -1 when they are not such. */
int cj__decimals_read(cj__texter *t, const cj__text *texts, uint32_t m);

/* Write a decimal described by `form` to at least 40 bytes; returns the length. */
size_t cj__decimal_write(char *to, int64_t value, uint32_t form);

/* Write a number with at least `digits` digits (0: as short as it can be, at most 20).
 */
size_t cj__digits_write(char *to, uint64_t value, uint32_t digits);

/* Where the longest run of digits begins (the last among equals); its length. */
uint32_t cj__digits_find(cj__text text, size_t *at);
uint64_t cj__digits_value(const char *digits, size_t n);

/* Lower-case hexadecimal digits of n bytes, and back (0, or -1 for other digits). */
void cj__hex_write(char *to, const uint8_t *bytes, size_t n);
int cj__hex_read(uint8_t *to, const char *digits, size_t n);
void cj__uuid_write(char *to, const uint8_t *bytes); /* 36 characters */
int cj__uuid_read(uint8_t *to, cj__text text);

#endif
