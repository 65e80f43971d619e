/* Reading text columns, or some of their texts, from bytes that may be damaged, into an
 * arena.  What a text made from a number can take is bounded, so that no column makes
 * more than a few MB. */
#include "store/texts_read.h"

static int32_t read_corrupt(void)
{
    return cj__fail(CJ_ECORRUPT, "a text column of a block is damaged: run cj_check");
}

/* ---- patterns ---------------------------------------------------------------------
 */

int cj__patterns_open(cj__bytes *b, cj__patterns *p)
{
    uint64_t n = cj__bytes_varint(b);

    if (n < 1 || n > CJ__TEXTS_PATTERNS)
        return -1;
    p->n = (uint32_t)n;
    for (uint32_t i = 0; i < p->n; i++) {
        cj__text_pattern *one = &p->list[i];

        one->mode = cj__bytes_varint(b);
        one->prefix = cj__bytes_sized(b);
        one->suffix = cj__bytes_sized(b);
        if (one->mode > 1 + CJ__TEXTS_DIGITS ||
            (one->mode > 0 &&
             (one->prefix.n > CJ__TEXTS_AFFIX || one->suffix.n > CJ__TEXTS_AFFIX)) ||
            (one->mode == 0 && one->suffix.n > 0))
            return -1;
    }
    p->index = cj__bytes_sized(b);
    p->numbers = cj__bytes_rest(b);
    return b->bad ? -1 : 0;
}

size_t cj__pattern_write(const cj__text_pattern *p, uint64_t number, char *to)
{
    size_t n = p->prefix.n;

    memcpy(to, p->prefix.data, n);
    n += cj__digits_write(to + n, number, (uint32_t)p->mode - 1);
    memcpy(to + n, p->suffix.data, p->suffix.n);
    return n + p->suffix.n;
}

int cj__patterns_count(const cj__patterns *p, const uint64_t *index, uint32_t n,
                       uint32_t *numbers)
{
    for (uint32_t i = 0; i < n; i++) {
        if (index[i] >= p->n)
            return -1;
        *numbers += p->list[index[i]].mode > 0;
    }
    return 0;
}

int64_t cj__patterns_numbers(const cj__patterns *p, uint32_t m, uint32_t from,
                             uint32_t n)
{
    uint64_t chunk[CJ__READ_CHUNK];
    uint32_t numbers = 0, k;

    for (uint32_t at = 0; at < n; at += k) {
        k = n - at < CJ__READ_CHUNK ? n - at : CJ__READ_CHUNK;
        if (cj__pack_get(p->index, m, from + at, k, chunk) != 0 ||
            cj__patterns_count(p, chunk, k, &numbers) != 0)
            return -1;
    }
    return numbers;
}

/* Which pattern texts [from, from + count) are of, and the numbers of those that have
 * one; 0, or -1 when damaged. */
static int patterns_read(const cj__patterns *p, const uint32_t range[3],
                         uint64_t *index, uint64_t *numbers)
{
    const uint32_t m = range[0], end = range[1] + range[2];
    const int64_t before = cj__patterns_numbers(p, m, 0, range[1]);
    const int64_t after = cj__patterns_numbers(p, m, end, m - end);
    uint32_t n = 0;

    if (before < 0 || after < 0 ||
        cj__pack_get(p->index, m, range[1], range[2], index) != 0 ||
        cj__patterns_count(p, index, range[2], &n) != 0)
        return -1;
    return cj__pack_get(p->numbers, (uint32_t)(before + n + after), (uint32_t)before, n,
                        numbers);
}

/* ---- texts ------------------------------------------------------------------------
 */

static uint64_t *read_numbers(cj__arena *arena, uint32_t m)
{
    return cj__arena_alloc(arena, sizeof(uint64_t) * ((size_t)m + 1));
}

static int32_t raw_get(cj__bytes *b, const uint32_t range[3], cj__arena *arena,
                       cj__text *out)
{
    const uint32_t end = range[1] + range[2];
    cj__text lengths = cj__bytes_sized(b);
    uint64_t *n = read_numbers(arena, end);

    if (n == NULL)
        return CJ_ENOMEM;
    if (b->bad || cj__pack_get(lengths, range[0], 0, end, n) != 0)
        return read_corrupt();
    for (uint32_t i = 0; i < range[1]; i++)
        (void)cj__bytes_take(b, n[i]);
    for (uint32_t i = 0; i < range[2]; i++)
        out[i] = cj__bytes_take(b, n[range[1] + i]);
    return b->bad ? read_corrupt() : CJ_OK;
}

static int32_t decimal_get(cj__bytes *b, const uint32_t range[3], cj__arena *arena,
                           cj__text *out)
{
    enum { LONGEST = 40 };
    uint32_t form = cj__bytes_byte(b);
    uint64_t *numbers = read_numbers(arena, range[2]);
    char *to = cj__arena_alloc(arena, (size_t)LONGEST * range[2]);

    if (numbers == NULL || to == NULL)
        return CJ_ENOMEM;
    if (form >> 4 > 2 ||
        cj__pack_get(cj__bytes_rest(b), range[0], range[1], range[2], numbers) != 0)
        return read_corrupt();
    for (uint32_t i = 0; i < range[2]; i++) {
        out[i].data = to;
        out[i].n = cj__decimal_write(to, (int64_t)numbers[i], form);
        to += out[i].n;
    }
    return CJ_OK;
}

static int32_t pattern_get(cj__bytes *b, const uint32_t range[3], cj__arena *arena,
                           cj__text *out)
{
    uint64_t *index = read_numbers(arena, range[2]);
    uint64_t *numbers = read_numbers(arena, range[2]);
    size_t bytes = 0;
    cj__patterns p;
    char *to;

    if (index == NULL || numbers == NULL)
        return CJ_ENOMEM;
    if (cj__patterns_open(b, &p) != 0 || patterns_read(&p, range, index, numbers) != 0)
        return read_corrupt();
    for (uint32_t i = 0; i < range[2]; i++) {
        const cj__text_pattern *one = &p.list[index[i]];

        if (one->mode > 0)
            bytes += one->prefix.n + one->suffix.n + 20;
    }
    to = cj__arena_alloc(arena, bytes);
    if (to == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < range[2]; i++) {
        const cj__text_pattern *one = &p.list[index[i]];

        out[i] = one->prefix;
        if (one->mode > 0) {
            out[i].data = to;
            out[i].n = cj__pattern_write(one, *numbers++, to);
            to += out[i].n;
        }
    }
    return CJ_OK;
}

int cj__hex_open(cj__bytes *b, uint32_t m, cj__hex_texts *h)
{
    h->n = (size_t)cj__bytes_varint(b);
    h->prefix = cj__bytes_sized(b);
    h->suffix = cj__bytes_sized(b);
    if (h->n < 1 || h->n > CJ__TEXTS_HEX || h->prefix.n > CJ__TEXTS_AFFIX ||
        h->suffix.n > CJ__TEXTS_AFFIX)
        return -1;
    h->bytes = cj__bytes_take(b, (uint64_t)m * h->n);
    return b->bad ? -1 : 0;
}

size_t cj__hex_text(const cj__hex_texts *h, uint32_t i, char *to)
{
    size_t n = h->prefix.n;

    memcpy(to, h->prefix.data, n);
    cj__hex_write(to + n, (const uint8_t *)h->bytes.data + i * h->n, h->n);
    n += 2 * h->n;
    memcpy(to + n, h->suffix.data, h->suffix.n);
    return n + h->suffix.n;
}

static int32_t hex_get(cj__bytes *b, const uint32_t range[3], cj__arena *arena,
                       cj__text *out)
{
    cj__hex_texts h;
    char *to;

    if (cj__hex_open(b, range[0], &h) != 0)
        return read_corrupt();
    to = cj__arena_alloc(arena, (h.prefix.n + h.suffix.n + 2 * h.n) * range[2]);
    if (to == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < range[2]; i++) {
        out[i].data = to;
        out[i].n = cj__hex_text(&h, range[1] + i, to);
        to += out[i].n;
    }
    return CJ_OK;
}

static int32_t uuid_get(cj__bytes *b, const uint32_t range[3], cj__arena *arena,
                        cj__text *out)
{
    cj__text bytes = cj__bytes_take(b, (uint64_t)16 * range[0]);
    char *to = cj__arena_alloc(arena, (size_t)36 * range[2]);

    if (to == NULL)
        return CJ_ENOMEM;
    if (b->bad)
        return read_corrupt();
    for (uint32_t i = 0; i < range[2]; i++, to += 36) {
        cj__uuid_write(to, (const uint8_t *)bytes.data + (size_t)16 * (range[1] + i));
        out[i].data = to;
        out[i].n = 36;
    }
    return CJ_OK;
}

/* A text is made from the one before it: all of [0, end) are. */
static int32_t front_make(cj__bytes *b, uint32_t end, const uint64_t *numbers,
                          cj__arena *arena, cj__text *out)
{
    const uint64_t *same = numbers, *rest = numbers + end;
    size_t bytes = 0;
    cj__text part;
    char *to;

    for (uint32_t i = 0; i < end; i++) {
        if (same[i] > (i == 0 ? 0 : out[i - 1].n) || rest[i] > CJ__TEXTS_FRONT_BYTES ||
            same[i] + rest[i] > CJ__TEXTS_FRONT_BYTES)
            return read_corrupt();
        out[i].n = (size_t)(same[i] + rest[i]);
        bytes += out[i].n;
    }
    to = cj__arena_alloc(arena, bytes);
    if (to == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < end; i++, to += out[i - 1].n) {
        part = cj__bytes_take(b, rest[i]);
        if (i > 0)
            memcpy(to, out[i - 1].data, (size_t)same[i]);
        memcpy(to + same[i], part.data, part.n);
        out[i].data = to;
    }
    return b->bad ? read_corrupt() : CJ_OK;
}

static int32_t front_get(cj__bytes *b, const uint32_t range[3], cj__arena *arena,
                         cj__text *out)
{
    cj__text shared = cj__bytes_sized(b), lengths = cj__bytes_sized(b);
    const uint32_t m = range[0], end = range[1] + range[2];
    uint64_t *numbers = read_numbers(arena, 2 * end);
    cj__text *texts = out;
    int32_t rc;

    if (range[1] > 0)
        texts = cj__arena_alloc(arena, sizeof *texts * end);
    if (numbers == NULL || texts == NULL)
        return CJ_ENOMEM;
    if (b->bad || cj__pack_get(shared, m, 0, end, numbers) != 0 ||
        cj__pack_get(lengths, m, 0, end, numbers + end) != 0)
        return read_corrupt();
    rc = front_make(b, end, numbers, arena, texts);
    if (rc == CJ_OK && range[1] > 0)
        memcpy(out, texts + range[1], sizeof *out * range[2]);
    return rc;
}

static int32_t plain_get(cj__text column, const uint32_t range[3], cj__arena *arena,
                         cj__text *out)
{
    cj__bytes b = cj__bytes_of(column);

    switch (column.n > 0 ? cj__bytes_byte(&b) : 255) {
    case CJ__TEXTS_RAW:
        return raw_get(&b, range, arena, out);
    case CJ__TEXTS_DECIMAL:
        return decimal_get(&b, range, arena, out);
    case CJ__TEXTS_PATTERN:
        return pattern_get(&b, range, arena, out);
    case CJ__TEXTS_HEXADECIMAL:
        return hex_get(&b, range, arena, out);
    case CJ__TEXTS_UUID:
        return uuid_get(&b, range, arena, out);
    case CJ__TEXTS_FRONT:
        return front_get(&b, range, arena, out);
    default:
        return read_corrupt();
    }
}

int cj__dictionary_open(cj__bytes *b, uint32_t m, uint32_t *k, cj__text *texts)
{
    uint64_t n;

    cj__bytes_byte(b);
    n = cj__bytes_varint(b);
    *texts = cj__bytes_sized(b);
    *k = (uint32_t)n;
    return b->bad || n < 1 || n > m ? -1 : 0;
}

/* Of few rows, each entry alone: most are of no row. */
static int32_t entries_get(cj__text texts, uint32_t k, const uint64_t *index,
                           uint32_t count, cj__arena *arena, cj__text *out)
{
    cj__text *entries;
    int32_t rc = CJ_OK;

    for (uint32_t i = 0; count < k / 8 && i < count && rc == CJ_OK; i++)
        rc = plain_get(texts, (const uint32_t[3]){k, (uint32_t)index[i], 1}, arena,
                       &out[i]);
    if (count < k / 8)
        return rc;
    entries = cj__arena_alloc(arena, sizeof *entries * k);
    if (entries == NULL)
        return CJ_ENOMEM;
    rc = plain_get(texts, (const uint32_t[3]){k, 0, k}, arena, entries);
    for (uint32_t i = 0; rc == CJ_OK && i < count; i++)
        out[i] = entries[index[i]];
    return rc;
}

int32_t cj__texts_get(cj__text column, const uint32_t range[3], cj__arena *arena,
                      cj__text *out)
{
    uint32_t m = range[0], count = range[2], k;
    cj__bytes b = cj__bytes_of(column);
    cj__text texts;
    uint64_t *index;

    if (column.n == 0 || m == 0 || m > CJ__PACK_MAX || range[1] > m ||
        count > m - range[1])
        return read_corrupt();
    if (count == 0)
        return CJ_OK;
    if (column.data[0] != CJ__TEXTS_DICTIONARY)
        return plain_get(column, range, arena, out);
    if (cj__dictionary_open(&b, m, &k, &texts) != 0)
        return read_corrupt();
    index = read_numbers(arena, count);
    if (index == NULL)
        return CJ_ENOMEM;
    if (cj__pack_get(cj__bytes_rest(&b), m, range[1], count, index) != 0)
        return read_corrupt();
    for (uint32_t i = 0; i < count; i++) {
        if (index[i] >= k)
            return read_corrupt();
    }
    return entries_get(texts, k, index, count, arena, out);
}
