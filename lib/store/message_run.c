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
#include "store/bits.h"
#include "store/internal.h"

#include <string.h>

#define RUN_PER_BUCKET 512
#define RUN_HASH_BITS 48

/* ---- sorting
 * ----------------------------------------------------------------------------- */

enum { RUN_DIGIT = 12, RUN_FEW = 64 };

static void run_sort_few(uint64_t *hashes, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t hash = hashes[i];
        size_t at = i;

        for (; at > 0 && hashes[at - 1] > hash; at--)
            hashes[at] = hashes[at - 1];
        hashes[at] = hash;
    }
}

/* Radix sort by the 48 bits that count, in four passes, back where it began. */
static int32_t run_sort(const cj__allocator *a, uint64_t *hashes, size_t n)
{
    uint64_t *from = hashes, *to, *spare;

    if (n < RUN_FEW) {
        run_sort_few(hashes, n);
        return CJ_OK;
    }
    if (n > UINT32_MAX)
        return cj__fail(CJ_ELIMIT, "a part holds at most 2^32 messages");
    spare = cj__alloc(a, cj__size_product(n, sizeof *spare));
    if (spare == NULL)
        return CJ_ENOMEM;
    to = spare;
    for (int shift = 64 - RUN_HASH_BITS; shift < 64; shift += RUN_DIGIT) {
        uint32_t starts[1 << RUN_DIGIT] = {0}, sum = 0;
        uint64_t *swap = from;

        for (size_t i = 0; i < n; i++)
            starts[from[i] >> shift & ((1 << RUN_DIGIT) - 1)]++;
        for (size_t d = 0; d < 1 << RUN_DIGIT; d++) {
            uint32_t count = starts[d];
            starts[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[starts[from[i] >> shift & ((1 << RUN_DIGIT) - 1)]++] = from[i];
        from = to;
        to = swap;
    }
    cj__free(a, spare, n * sizeof *spare);
    return CJ_OK;
}

/* ---- writing
 * ----------------------------------------------------------------------------- */

/* hashes[] are the bucket's, sorted; range: 2^48 / buckets. */
static void run_encode(cj__str *s, const uint64_t *hashes, size_t n, uint64_t begin,
                       uint64_t range, unsigned rice)
{
    uint64_t last = begin, least = n * (rice + 1u) + (range >> rice);
    cj__bit_writer w = {0};
    uint8_t *bytes;

    cj__str_put_varint(s, n);
    cj__str_put_char(s, (char)rice);
    bytes = cj__str_extend(s, (size_t)(least / 64 + 1) * 8);
    if (bytes == NULL)
        return;
    w.at = bytes;
    for (size_t i = 0; i < n; i++) {
        uint64_t gap = (hashes[i] >> 16) - last, q = gap >> rice;
        for (; q >= 32; q -= 32)
            cj__bits_put(&w, cj__low_bits(32), 32);
        cj__bits_put(&w, cj__low_bits((uint32_t)q), (uint32_t)q + 1);
        cj__bits_put(&w, gap & cj__low_bits(rice), rice);
        last = hashes[i] >> 16;
    }
    cj__bits_end(&w);
    s->n -= (size_t)(least / 64 + 1) * 8 - (size_t)(w.at - bytes);
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
    CJ_TRY(run_sort(&db->cx.allocator, hashes, (size_t)n));
    for (int64_t bucket = 0; bucket < (int64_t)1 << bits && n > 0; bucket++) {
        uint64_t range = (uint64_t)1 << (RUN_HASH_BITS - bits);
        uint64_t begin = (uint64_t)bucket * range;
        int64_t first = i;
        while (i < n && hashes[i] >> 16 < begin + range)
            i++;
        cj__str_clear(&s);
        run_encode(&s, hashes + first, (size_t)(i - first), begin, range,
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
    const uint8_t *bytes;
    size_t n, at; /* bytes; bits */
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
    c->bytes = at;
    c->n = (size_t)(end - at);
    c->at = 0;
    c->last = (uint64_t)bucket << (RUN_HASH_BITS - bits);
    return CJ_OK;
}

/* Up to 57 bits from where the cursor is; beyond the end there are zeros. */
static uint64_t run_look(const run_cursor *c)
{
    size_t byte = c->at / 8, left = byte < c->n ? c->n - byte : 0;

    if (left >= 8)
        return cj__load64(c->bytes + byte) >> (c->at % 8);
    return cj__load_part(c->bytes + c->n - left, left) >> (c->at % 8);
}

static uint64_t run_take(run_cursor *c, unsigned n)
{
    uint64_t bits = run_look(c) & cj__low_bits(n);

    c->at += n;
    return bits;
}

static uint64_t run_next(run_cursor *c)
{
    uint64_t gap = 0, ones;

    do { /* 32 ones at a time; where the bytes end, zeros end them */
        ones = (uint64_t)__builtin_ctzll(~run_look(c) | (uint64_t)1 << 32);
        gap += ones;
        c->at += (size_t)ones;
    } while (ones == 32);
    c->at++;
    gap = gap << c->rice | run_take(c, c->rice);
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
