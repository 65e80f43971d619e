/* What stands for the texts of a column, without any memory: their row keys, or numbers
 * that are equal where texts are. */
#include "store/texts_read.h"

/* ---- keys -------------------------------------------------------------------------
 */

static int raw_keys(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    cj__text lengths = cj__bytes_sized(b);
    uint32_t end = range[1] + range[2], n;
    uint64_t chunk[CJ__READ_CHUNK];

    for (uint32_t at = 0; at < end && !b->bad; at += n) {
        n = end - at < CJ__READ_CHUNK ? end - at : CJ__READ_CHUNK;
        if (cj__pack_get(lengths, range[0], at, n, chunk) != 0)
            return -1;
        for (uint32_t i = 0; i < n; i++) {
            cj__text text = cj__bytes_take(b, chunk[i]);

            if (at + i >= range[1])
                out[at + i - range[1]] = cj__row_key(text);
        }
    }
    return b->bad ? -1 : 0;
}

static int decimal_keys(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    uint32_t form = cj__bytes_byte(b);
    char text[40];

    if (b->bad || form >> 4 > 2 ||
        cj__pack_get(cj__bytes_rest(b), range[0], range[1], range[2], out) != 0)
        return -1;
    for (uint32_t i = 0; i < range[2]; i++) {
        if ((form & 15) == 0 && out[i] < (uint64_t)1 << 62)
            out[i] = out[i] << 1 | 1;
        else
            out[i] = cj__row_key(
                (cj__text){text, cj__decimal_write(text, (int64_t)out[i], form)});
    }
    return 0;
}

/* The numbers are read to the end of out and used from there: key i is written when at
 * most i numbers have been used. */
static int pattern_keys(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    uint32_t m = range[0], count = range[2], k;
    int64_t before, within, after;
    uint64_t chunk[CJ__READ_CHUNK], *number;
    char text[CJ__TEXTS_MADE];
    cj__patterns p;

    if (cj__patterns_open(b, &p) != 0)
        return -1;
    before = cj__patterns_numbers(&p, m, 0, range[1]);
    within = cj__patterns_numbers(&p, m, range[1], count);
    after = cj__patterns_numbers(&p, m, range[1] + count, m - range[1] - count);
    if (before < 0 || within < 0 || after < 0)
        return -1;
    number = out + count - within;
    if (cj__pack_get(p.numbers, (uint32_t)(before + within + after), (uint32_t)before,
                     (uint32_t)within, number) != 0)
        return -1;
    for (uint32_t at = 0; at < count; at += k) {
        k = count - at < CJ__READ_CHUNK ? count - at : CJ__READ_CHUNK;
        if (cj__pack_get(p.index, m, range[1] + at, k, chunk) != 0)
            return -1;
        for (uint32_t i = 0; i < k; i++) {
            const cj__text_pattern *one = &p.list[chunk[i]];

            if (one->mode > 0)
                out[at + i] = cj__row_key(
                    (cj__text){text, cj__pattern_write(one, *number++, text)});
            else
                out[at + i] = cj__row_key(one->prefix);
        }
    }
    return 0;
}

static int hex_keys(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    char text[CJ__TEXTS_MADE];
    cj__hex_texts h;

    if (cj__hex_open(b, range[0], &h) != 0)
        return -1;
    for (uint32_t i = 0; i < range[2]; i++)
        out[i] = cj__row_key((cj__text){text, cj__hex_text(&h, range[1] + i, text)});
    return 0;
}

static int uuid_keys(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    cj__text bytes = cj__bytes_take(b, (uint64_t)16 * range[0]);
    char text[36];

    if (b->bad)
        return -1;
    for (uint32_t i = 0; i < range[2]; i++) {
        cj__uuid_write(text, (const uint8_t *)bytes.data + (size_t)16 * (range[1] + i));
        out[i] = cj__row_key((cj__text){text, sizeof text});
    }
    return 0;
}

static int front_keys(cj__bytes *b, const uint32_t range[3], uint64_t *out)
{
    cj__text shared = cj__bytes_sized(b), lengths = cj__bytes_sized(b), part;
    uint32_t end = range[1] + range[2], n;
    uint64_t same[CJ__READ_CHUNK], rest[CJ__READ_CHUNK];
    char text[CJ__TEXTS_FRONT_BYTES];
    size_t length = 0;

    for (uint32_t at = 0; at < end; at += n) {
        n = end - at < CJ__READ_CHUNK ? end - at : CJ__READ_CHUNK;
        if (b->bad || cj__pack_get(shared, range[0], at, n, same) != 0 ||
            cj__pack_get(lengths, range[0], at, n, rest) != 0)
            return -1;
        for (uint32_t i = 0; i < n; i++) {
            if (same[i] > length || rest[i] > CJ__TEXTS_FRONT_BYTES - same[i])
                return -1;
            part = cj__bytes_take(b, rest[i]);
            memcpy(text + same[i], part.data, part.n);
            length = (size_t)same[i] + part.n;
            if (at + i >= range[1])
                out[at + i - range[1]] = cj__row_key((cj__text){text, length});
        }
    }
    return b->bad ? -1 : 0;
}

static int plain_keys(cj__text column, const uint32_t range[3], uint64_t *out)
{
    cj__bytes b = cj__bytes_of(column);

    switch (column.n > 0 ? cj__bytes_byte(&b) : 255) {
    case CJ__TEXTS_RAW:
        return raw_keys(&b, range, out);
    case CJ__TEXTS_DECIMAL:
        return decimal_keys(&b, range, out);
    case CJ__TEXTS_PATTERN:
        return pattern_keys(&b, range, out);
    case CJ__TEXTS_HEXADECIMAL:
        return hex_keys(&b, range, out);
    case CJ__TEXTS_UUID:
        return uuid_keys(&b, range, out);
    case CJ__TEXTS_FRONT:
        return front_keys(&b, range, out);
    default:
        return -1;
    }
}

/* Indexes in out become keys, each entry's made only when a row needs it. */
static int dictionary_few(cj__text texts, uint32_t k, uint32_t count, uint64_t *out)
{
    uint64_t last = UINT64_MAX, key = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t one[3] = {k, (uint32_t)out[i], 1};

        if (out[i] >= k)
            return -1;
        if (out[i] != last && plain_keys(texts, one, &key) != 0)
            return -1;
        last = out[i];
        out[i] = key;
    }
    return 0;
}

int cj__texts_keys(cj__text column, const uint32_t range[3], uint64_t *scratch,
                   uint64_t *out)
{
    uint32_t m = range[0], count = range[2], k;
    cj__bytes b = cj__bytes_of(column);
    cj__text texts;

    if (column.n == 0 || m == 0 || m > CJ__PACK_MAX || range[1] > m ||
        count > m - range[1])
        return -1;
    if (column.data[0] != CJ__TEXTS_DICTIONARY)
        return plain_keys(column, range, out);
    if (cj__dictionary_open(&b, m, &k, &texts) != 0 ||
        cj__pack_get(cj__bytes_rest(&b), m, range[1], count, out) != 0)
        return -1;
    if (count < k / 8)
        return dictionary_few(texts, k, count, out);
    if (plain_keys(texts, (const uint32_t[3]){k, 0, k}, scratch) != 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        if (out[i] >= k)
            return -1;
        out[i] = scratch[out[i]];
    }
    return 0;
}

/* ---- numbers that stand for texts ---------------------------------------------------
 */

static int is_prefix(cj__text a, cj__text b)
{
    return a.n <= b.n && memcmp(a.data, b.data, a.n) == 0;
}

static int is_suffix(cj__text a, cj__text b)
{
    return a.n <= b.n && memcmp(a.data, b.data + (b.n - a.n), a.n) == 0;
}

/* Can no two of the patterns make the same text?  Where one begins and ends as another
 * may, they might. */
static int patterns_differ(const cj__patterns *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const cj__text_pattern *a = &p->list[i], *b = &p->list[k];

            if ((is_prefix(a->prefix, b->prefix) || is_prefix(b->prefix, a->prefix)) &&
                (is_suffix(a->suffix, b->suffix) || is_suffix(b->suffix, a->suffix)))
                return 0;
        }
    }
    return 1;
}

/* Pattern and number.  The numbers are read to the end of ids and used from there. */
static int pattern_ids(cj__bytes *b, uint32_t m, uint64_t *ids)
{
    uint64_t chunk[CJ__READ_CHUNK], *number;
    cj__patterns p;
    uint32_t n;
    int64_t with;

    if (cj__patterns_open(b, &p) != 0)
        return -1;
    if (!patterns_differ(&p))
        return 1;
    if (p.n == 1 && p.list[0].mode > 0)
        return cj__pack_get(p.numbers, m, 0, m, ids);
    with = cj__patterns_numbers(&p, m, 0, m);
    number = ids + (with < 0 ? 0 : m - with);
    if (with < 0 ||
        cj__pack_get(p.numbers, (uint32_t)with, 0, (uint32_t)with, number) != 0)
        return -1;
    for (uint32_t at = 0; at < m; at += n) {
        n = m - at < CJ__READ_CHUNK ? m - at : CJ__READ_CHUNK;
        (void)cj__pack_get(p.index, m, at, n, chunk);
        for (uint32_t i = 0; i < n; i++) {
            const uint64_t has = p.list[chunk[i]].mode > 0, value = has ? *number : 0;

            if (value > UINT64_MAX / CJ__TEXTS_PATTERNS)
                return 1;
            ids[at + i] = value * p.n + chunk[i];
            number += has;
        }
    }
    return 0;
}

int cj__texts_ids(cj__text column, uint32_t m, uint64_t *ids)
{
    cj__bytes b = cj__bytes_of(column);

    if (column.n == 0 || m == 0 || m > CJ__PACK_MAX)
        return -1;
    switch (cj__bytes_byte(&b)) {
    case CJ__TEXTS_DECIMAL:
        cj__bytes_byte(&b);
        return cj__pack_get(cj__bytes_rest(&b), m, 0, m, ids);
    case CJ__TEXTS_PATTERN:
        return pattern_ids(&b, m, ids);
    default:
        return 1;
    }
}
