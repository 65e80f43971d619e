/* Writing text columns.  The distinct texts are found first, and every form is tried on
 * them, so that its cost is paid once per distinct text; where two forms may win, both
 * are written and the longer one is taken back. */
#include "store/texts.h"

#include "base/hash.h"

#include <stdlib.h>

enum { TEXTS_SORTED = 1024 }; /* a larger dictionary is not sorted: time per event */

void cj__str_keep_shorter(cj__str *out, size_t first, size_t second)
{
    size_t a = second - first, b = out->n - second;

    if (out->rc != CJ_OK)
        return;
    if (b < a) {
        memmove(out->data + first, out->data + second, b);
        a = b;
    }
    out->n = first + a;
}

static void put_sized_text(cj__str *out, cj__text text)
{
    cj__str_put_varint(out, text.n);
    cj__str_put(out, text.data, text.n);
}

/* ---- distinct texts ---------------------------------------------------------------
 */

uint32_t cj__texts_distinct(cj__texter *t, const cj__text *texts, uint32_t m)
{
    enum { SLOTS = 2 * CJ__PACK_MAX };
    uint32_t k = 0;

    memset(t->slots, 0, sizeof t->slots);
    for (uint32_t i = 0; i < m; i++) {
        uint32_t slot, tag;
        uint64_t hash;

        if (i > 0 && cj__text_equal(texts[i], texts[i - 1])) {
            t->index[i] = t->index[i - 1];
            continue;
        }
        hash = cj__hash64(0, texts[i].data, texts[i].n);
        tag = (uint32_t)(hash >> 32);
        slot = (uint32_t)(hash % SLOTS);
        while (t->slots[slot] != 0 &&
               (t->tags[t->slots[slot] - 1] != tag ||
                !cj__text_equal(t->distinct[t->slots[slot] - 1], texts[i])))
            slot = (slot + 1) % SLOTS;
        if (t->slots[slot] == 0) {
            t->distinct[k] = texts[i];
            t->tags[k] = tag;
            t->slots[slot] = (uint16_t)++k;
        }
        t->index[i] = (uint64_t)t->slots[slot] - 1;
    }
    return k;
}

typedef struct texts_entry {
    cj__text text;
    uint32_t id;
} texts_entry;

static int entry_by_text(const void *a, const void *b)
{
    const cj__text *x = &((const texts_entry *)a)->text;
    const cj__text *y = &((const texts_entry *)b)->text;
    int order = memcmp(x->data, y->data, x->n < y->n ? x->n : y->n);

    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* Sort distinct[0 .. k), k <= TEXTS_SORTED, and fill sorted[0 .. m). */
static void texts_sort(cj__texter *t, uint32_t k, uint32_t m)
{
    texts_entry entries[TEXTS_SORTED];
    uint16_t place[TEXTS_SORTED];

    for (uint32_t i = 0; i < k; i++) {
        entries[i].text = t->distinct[i];
        entries[i].id = i;
    }
    qsort(entries, k, sizeof entries[0], entry_by_text);
    for (uint32_t i = 0; i < k; i++) {
        t->distinct[i] = entries[i].text;
        place[entries[i].id] = (uint16_t)i;
    }
    for (uint32_t i = 0; i < m; i++)
        t->sorted[i] = place[t->index[i]];
}

/* ---- patterns ---------------------------------------------------------------------
 */

/* The pattern of these parts, new ones included; CJ__TEXTS_PATTERNS when full. */
static uint32_t pattern_find(cj__texter *t, cj__text prefix, cj__text suffix,
                             uint32_t mode)
{
    enum { SLOTS = 4 * CJ__TEXTS_PATTERNS };
    uint64_t hash = cj__hash64(mode, prefix.data, prefix.n) * 31 +
                    cj__hash64(0, suffix.data, suffix.n);
    uint32_t slot = (uint32_t)(hash % SLOTS), at;

    for (; t->pattern_slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        const cj__text_pattern *p = &t->patterns[t->pattern_slots[slot] - 1];

        if (cj__text_equal(p->prefix, prefix) && cj__text_equal(p->suffix, suffix) &&
            (p->mode > 0) == (mode > 0))
            return t->pattern_slots[slot] - 1u;
    }
    at = t->n_patterns;
    if (at == CJ__TEXTS_PATTERNS)
        return at;
    t->patterns[at].prefix = prefix;
    t->patterns[at].suffix = suffix;
    t->patterns[at].mode = 0;
    t->pattern_slots[slot] = (uint8_t)++t->n_patterns;
    return at;
}

/* Cut a text into prefix, number, suffix; returns the digits of the number, or 0. */
static uint32_t pattern_cut(cj__text text, cj__text *prefix, cj__text *suffix)
{
    size_t at = 0;
    uint32_t n = cj__digits_find(text, &at);

    *prefix = text;
    suffix->data = text.data + text.n;
    suffix->n = 0;
    if (n == 0 || n > CJ__TEXTS_DIGITS || at > CJ__TEXTS_AFFIX ||
        text.n - at - n > CJ__TEXTS_AFFIX)
        return 0;
    prefix->n = at;
    suffix->data = text.data + at + n;
    suffix->n = text.n - at - n;
    return n;
}

/* Fill patterns[], part[] and part_number[] for k texts; 0 when they have no patterns.
 */
static int patterns_collect(cj__texter *t, const cj__text *texts, uint32_t k)
{
    enum { SHORT = 1, FIXED = 2 };
    uint8_t can[CJ__TEXTS_PATTERNS], width[CJ__TEXTS_PATTERNS];

    memset(t->pattern_slots, 0, sizeof t->pattern_slots);
    t->n_patterns = 0;
    for (uint32_t i = 0; i < k; i++) {
        cj__text prefix, suffix;
        uint32_t n = pattern_cut(texts[i], &prefix, &suffix), known = t->n_patterns;
        uint32_t at = pattern_find(t, prefix, suffix, n > 0);

        if (at == CJ__TEXTS_PATTERNS)
            return 0;
        t->part[i] = (uint8_t)at;
        if (n == 0)
            continue;
        t->part_number[i] = cj__digits_value(prefix.data + prefix.n, n);
        if (at == known) {
            t->patterns[at].mode = 1;
            can[at] = SHORT | FIXED;
            width[at] = (uint8_t)n;
        }
        if (n != width[at])
            can[at] &= SHORT;
        if (n > 1 && prefix.data[prefix.n] == '0')
            can[at] &= FIXED;
    }
    for (uint32_t i = 0; i < t->n_patterns; i++) {
        if (t->patterns[i].mode == 0)
            continue;
        if (can[i] == 0)
            return 0; /* some with leading zeros, and not of one width */
        t->patterns[i].mode = can[i] & SHORT ? 1 : 1u + width[i];
    }
    return 1;
}

/* After patterns_collect: m texts, text i being the distinct text index[i]. */
static void put_pattern(cj__texter *t, cj__str *out, const uint64_t *index, uint32_t m)
{
    uint32_t n = 0;

    cj__str_put_char(out, CJ__TEXTS_PATTERN);
    cj__str_put_varint(out, t->n_patterns);
    for (uint32_t i = 0; i < t->n_patterns; i++) {
        cj__str_put_varint(out, t->patterns[i].mode);
        put_sized_text(out, t->patterns[i].prefix);
        put_sized_text(out, t->patterns[i].suffix);
    }
    for (uint32_t i = 0; i < m; i++) {
        uint64_t at = index == NULL ? i : index[i];

        t->others[i] = t->part[at];
        if (t->patterns[t->part[at]].mode > 0)
            t->numbers[n++] = t->part_number[at];
    }
    cj__pack_put_sized(&t->packer, out, t->others, m);
    cj__pack_put(&t->packer, out, t->numbers, n);
}

/* ---- hexadecimal ------------------------------------------------------------------
 */

static int put_uuids(cj__str *out, const cj__text *texts, uint32_t m)
{
    size_t start = out->n;
    uint8_t bytes[16];

    if (cj__uuid_read(bytes, texts[0]) != 0)
        return 0;
    cj__str_put_char(out, CJ__TEXTS_UUID);
    for (uint32_t i = 0; i < m; i++) {
        if (cj__uuid_read(bytes, texts[i]) != 0) {
            if (out->rc == CJ_OK)
                out->n = start;
            return 0;
        }
        cj__str_put(out, bytes, sizeof bytes);
    }
    return 1;
}

/* Bytes that all texts begin (or, from_end, end) with, at most max. */
static size_t texts_common(const cj__text *texts, uint32_t m, size_t max, int from_end)
{
    for (uint32_t i = 1; i < m; i++) {
        const char *a = texts[0].data, *b = texts[i].data;
        size_t n = 0;

        if (from_end) {
            while (n < max && a[texts[0].n - 1 - n] == b[texts[i].n - 1 - n])
                n++;
        } else {
            while (n < max && a[n] == b[n])
                n++;
        }
        max = n;
    }
    return max;
}

/* Texts of one length that differ in lower-case hexadecimal digits only. */
static int put_hexadecimal(cj__str *out, const cj__text *texts, uint32_t m)
{
    size_t n = texts[0].n, start = out->n, prefix, suffix, digits;
    uint8_t bytes[CJ__TEXTS_HEX];
    int rc = 0;

    for (uint32_t i = 1; i < m; i++) {
        if (texts[i].n != n)
            return 0;
    }
    if (n > CJ__TEXTS_AFFIX || m < 2)
        return 0;
    prefix = texts_common(texts, m, n, 0);
    suffix = texts_common(texts, m, n - prefix, 1);
    digits = n - prefix - suffix;
    if (digits % 2 == 1 && prefix > 0)
        prefix--, digits++;
    if (digits < 4 || digits % 2 == 1 || digits > 2 * CJ__TEXTS_HEX)
        return 0;
    cj__str_put_char(out, CJ__TEXTS_HEXADECIMAL);
    cj__str_put_varint(out, digits / 2);
    put_sized_text(out, (cj__text){texts[0].data, prefix});
    put_sized_text(out, (cj__text){texts[0].data + n - suffix, suffix});
    for (uint32_t i = 0; i < m && rc == 0; i++) {
        rc = cj__hex_read(bytes, texts[i].data + prefix, digits / 2);
        cj__str_put(out, bytes, digits / 2);
    }
    if (rc != 0 && out->rc == CJ_OK)
        out->n = start;
    return rc == 0;
}

/* ---- columns ----------------------------------------------------------------------
 */

static void put_raw(cj__texter *t, cj__str *out, const cj__text *texts, uint32_t m)
{
    cj__str_put_char(out, CJ__TEXTS_RAW);
    for (uint32_t i = 0; i < m; i++)
        t->numbers[i] = texts[i].n;
    cj__pack_put_sized(&t->packer, out, t->numbers, m);
    for (uint32_t i = 0; i < m; i++)
        cj__str_put(out, texts[i].data, texts[i].n);
}

/* Sorted texts by what they do not share with the one before. */
static void put_front(cj__texter *t, cj__str *out, const cj__text *texts, uint32_t m)
{
    for (uint32_t i = 0; i < m; i++) {
        size_t n = texts[i].n;

        if (i > 0 && texts[i - 1].n < n)
            n = texts[i - 1].n;
        t->numbers[i] = i == 0 ? 0 : texts_common(texts + i - 1, 2, n, 0);
        t->others[i] = texts[i].n - t->numbers[i];
    }
    cj__str_put_char(out, CJ__TEXTS_FRONT);
    cj__pack_put_sized(&t->packer, out, t->numbers, m);
    cj__pack_put_sized(&t->packer, out, t->others, m);
    for (uint32_t i = 0; i < m; i++)
        cj__str_put(out, texts[i].data + t->numbers[i], texts[i].n - t->numbers[i]);
}

/* Whether sorting k texts may pay: they are many, short enough, and no numbers. */
static int texts_fit_front(const cj__text *texts, uint32_t k)
{
    size_t sum = 0;

    for (uint32_t i = 0; i < k; i++) {
        if (texts[i].n > CJ__TEXTS_FRONT_BYTES)
            return 0;
        sum += texts[i].n;
    }
    return k > 8 && k <= TEXTS_SORTED && sum > 4 * (size_t)k;
}

/* A column without a dictionary; returns its kind. */
static int put_plain(cj__texter *t, cj__str *out, const cj__text *texts, uint32_t m)
{
    size_t first = out->n, second;

    if (put_uuids(out, texts, m))
        return CJ__TEXTS_UUID;
    if (patterns_collect(t, texts, m)) {
        put_pattern(t, out, NULL, m);
        if (m <= CJ__TEXTS_PATTERNS) {
            second = out->n;
            put_raw(t, out, texts, m);
            cj__str_keep_shorter(out, first, second);
        }
        return CJ__TEXTS_PATTERN;
    }
    if (put_hexadecimal(out, texts, m))
        return CJ__TEXTS_HEXADECIMAL;
    put_raw(t, out, texts, m);
    return CJ__TEXTS_RAW;
}

/* distinct[0 .. k) and index[0 .. m); front: the texts are sorted.  Returns the kind of
 * the texts within. */
static int put_dictionary(cj__texter *t, cj__str *out, uint32_t k, uint32_t m,
                          int front)
{
    int kind = CJ__TEXTS_FRONT;
    size_t start;

    cj__str_put_char(out, CJ__TEXTS_DICTIONARY);
    cj__str_put_varint(out, k);
    start = out->n;
    if (front)
        put_front(t, out, t->distinct, k);
    else
        kind = put_plain(t, out, t->distinct, k);
    cj__str_size_since(out, start);
    cj__pack_put(&t->packer, out, front ? t->sorted : t->index, m);
    return kind;
}

uint32_t cj__texts_put(cj__texter *t, cj__str *out, const cj__text *texts, uint32_t m)
{
    size_t first = out->n, second;
    int form = m > 0 ? cj__decimals_read(t, texts, m) : -1;
    uint32_t k;

    if (m == 0)
        return 0;
    if (form >= 0) {
        cj__str_put_char(out, CJ__TEXTS_DECIMAL);
        cj__str_put_char(out, (char)form);
        cj__pack_put(&t->packer, out, t->numbers, m);
        return 0;
    }
    k = cj__texts_distinct(t, texts, m);
    if (k == m) {
        put_plain(t, out, texts, m);
        return k;
    }
    form = put_dictionary(t, out, k, m, 0);
    second = out->n;
    if (form == CJ__TEXTS_PATTERN) {
        put_pattern(t, out, t->index, m);
        cj__str_keep_shorter(out, first, second);
    } else if (form == CJ__TEXTS_RAW && texts_fit_front(t->distinct, k)) {
        texts_sort(t, k, m);
        put_dictionary(t, out, k, m, 1);
        cj__str_keep_shorter(out, first, second);
    } else if (k > m / 2) {
        put_plain(t, out, texts, m);
        cj__str_keep_shorter(out, first, second);
    }
    return k;
}
