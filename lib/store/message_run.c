/* The message hashes of one part: sorted, cut to their upper 48 bits, in 2^bits buckets
 * by their upper bits, so that one message costs one row read.
 *
 * Why 48 bits: a new late event is taken for a repeated one with probability n / 2^48
 * (n: messages of the part), 4e-9 at a million; each bit less saves n/8 bytes.  The
 * hash is seeded per file, so nobody outside can aim for a collision.
 *
 * A bucket: a varint of the count, one byte r, then the gaps between neighbours (the
 * first from the bucket's begin), each as its quotient by 2^r in unary (ones, then a
 * zero) and r low bits (Rice code), least significant bit first.  Uniform hashes need
 * about 48 - log2(n) + 1.5 bits each: 4 bytes. */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#define RUN_PER_BUCKET 512
#define RUN_HASH_BITS 48

/* ---- bits
 * ---------------------------------------------------------------------------- */

typedef struct run_bits {
    const uint8_t *bytes;
    size_t n, at; /* bytes; bits */
} run_bits;

static uint64_t run_read(run_bits *b, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++, b->at++)
        if (b->at / 8 < b->n)
            value |= (uint64_t)(b->bytes[b->at / 8] >> (b->at % 8) & 1) << i;
    return value;
}

static void run_put(cj__str *s, uint64_t *word, unsigned *used, uint64_t value,
                    unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        *word |= (value >> i & 1) << *used;
        if (++*used == 8) {
            cj__str_put_char(s, (char)*word);
            *word = 0;
            *used = 0;
        }
    }
}

/* ---- writing
 * ----------------------------------------------------------------------------- */

/* hashes[] are the bucket's, sorted, as offsets from its begin. */
static void run_encode(cj__str *s, const uint64_t *hashes, size_t n, uint64_t begin,
                       unsigned rice)
{
    uint64_t word = 0, last = begin;
    unsigned used = 0;

    cj__str_put_varint(s, n);
    cj__str_put_char(s, (char)rice);
    for (size_t i = 0; i < n; i++) {
        uint64_t gap = (hashes[i] >> 16) - last;
        for (uint64_t q = gap >> rice; q > 0; q--)
            run_put(s, &word, &used, 1, 1);
        run_put(s, &word, &used, 0, 1);
        run_put(s, &word, &used, gap, rice);
        last = hashes[i] >> 16;
    }
    if (used > 0)
        cj__str_put_char(s, (char)word);
}

static int run_compare(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return (x > y) - (x < y);
}

static unsigned run_rice(int64_t bits, size_t n)
{
    unsigned rice = (unsigned)(RUN_HASH_BITS - bits);

    for (size_t i = 1; i < n && rice > 0; i *= 2)
        rice--;
    return rice;
}

static int32_t run_write_bucket(cj_db *db, int64_t id, cj__str *s)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__str_status(s));
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_BUCKET_ADD, &q));
    cj__query_int64(&q, 1, id);
    cj__query_blob(&q, 2, (cj__text){s->data, s->n});
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__message_run_write(cj_db *db, int64_t part, uint64_t *hashes, int64_t n,
                              int64_t *bits_out)
{
    cj__str s;
    int64_t bits = 0, i = 0;
    int32_t rc = CJ_OK;

    cj__str_init(&s, &db->cx.allocator, (size_t)1 << 24);
    while (n >> bits > RUN_PER_BUCKET && bits < CJ__FAMILY_SHIFT)
        bits++;
    *bits_out = bits;
    qsort(hashes, (size_t)n, sizeof *hashes, run_compare);
    for (int64_t bucket = 0; bucket < (int64_t)1 << bits && n > 0; bucket++) {
        uint64_t begin = (uint64_t)bucket << (RUN_HASH_BITS - bits);
        uint64_t end = begin + ((uint64_t)1 << (RUN_HASH_BITS - bits));
        int64_t first = i;
        while (i < n && hashes[i] >> 16 < end)
            i++;
        cj__str_clear(&s);
        run_encode(&s, hashes + first, (size_t)(i - first), begin,
                   run_rice(bits, (size_t)(i - first)));
        CJ_TRY(run_write_bucket(db, part << CJ__PART_SHIFT | bucket, &s));
    }
out:
    cj__str_end(&s);
    return rc;
}

/* ---- reading
 * ------------------------------------------------------------------------------ */

typedef struct run_cursor {
    run_bits bits;
    uint64_t left, last;
    unsigned rice;
} run_cursor;

static int32_t run_open(run_cursor *c, cj__text bytes, int64_t bucket, int64_t bits)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.n;

    if (bytes.n < 2 || cj__varint_read(&at, end, &c->left) != 0 || at == end ||
        *at > RUN_HASH_BITS || c->left > bytes.n * 8)
        return cj__fail(CJ_ECORRUPT, "message bucket %lld is damaged",
                        (long long)bucket);
    c->rice = *at++;
    c->bits = (run_bits){at, (size_t)(end - at), 0};
    c->last = (uint64_t)bucket << (RUN_HASH_BITS - bits);
    return CJ_OK;
}

static uint64_t run_next(run_cursor *c)
{
    uint64_t gap = 0;

    while (c->bits.at < c->bits.n * 8 && run_read(&c->bits, 1) == 1)
        gap++;
    gap = gap << c->rice | run_read(&c->bits, c->rice);
    c->last += gap;
    c->left--;
    return c->last << 16;
}

int32_t cj__message_run_read(cj__conn *conn, const cj__part_info *part,
                             uint64_t *hashes)
{
    int64_t base = part->part << CJ__PART_SHIFT, n = 0;
    cj__query q = {0};
    run_cursor c;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_BUCKET_RANGE, &q));
    cj__query_int64(&q, 1, base);
    cj__query_int64(&q, 2, (part->part + 1) << CJ__PART_SHIFT);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(run_open(&c, cj__query_get_blob(&q, 1),
                        cj__query_get_int64(&q, 0) - base, part->bits));
        if ((int64_t)c.left > part->n_messages - n)
            CJ_TRY(cj__fail(CJ_ECORRUPT, "part %lld has more messages than it says",
                            (long long)part->part));
        while (c.left > 0)
            hashes[n++] = run_next(&c);
    }
    if (n != part->n_messages)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "part %lld has fewer messages than it says",
                        (long long)part->part));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__message_run_find(cj__conn *conn, const cj__part_info *part, uint64_t hash,
                             int *found_out)
{
    int64_t bucket = part->bits == 0 ? 0 : (int64_t)(hash >> (64 - part->bits));
    cj__query q = {0};
    run_cursor c;
    int row;
    int32_t rc;

    *found_out = 0;
    hash &= CJ__MESSAGE_MASK;
    CJ_TRY(cj__query_begin(conn, STMT_BUCKET_GET, &q));
    cj__query_int64(&q, 1, part->part << CJ__PART_SHIFT | bucket);
    CJ_TRY(cj__query_step(&q, &row));
    if (!row)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "message bucket %lld of part %lld is missing",
                        (long long)bucket, (long long)part->part));
    CJ_TRY(run_open(&c, cj__query_get_blob(&q, 0), bucket, part->bits));
    while (c.left > 0 && !*found_out) {
        uint64_t next = run_next(&c);
        *found_out = next == hash;
        if (next > hash)
            break;
    }
out:
    cj__query_end(&q);
    return rc;
}
