/* Message hashes of a part: what goes in is found, what does not is not, whatever their
 * number; and damaged buckets are told. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <string.h>

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return (x > y) - (x < y);
}

/* Write n hashes as part 7, read them back and look some up. */
static void round_trip(cj_db *db, int64_t n)
{
    uint64_t *hashes = malloc(((size_t)n + 1) * sizeof *hashes);
    uint64_t *again = malloc(((size_t)n + 1) * sizeof *again);
    cj__part_info part = {.part = 7, .n_messages = n};
    int found;

    for (int64_t i = 0; i < n; i++)
        hashes[i] = mix((uint64_t)i + 1);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__message_run_write(db, 7, hashes, n, &part.bits), CJ_OK);
    ck_assert_int_eq(cj__message_run_read(cj__writer(db), &part, again), CJ_OK);
    qsort(hashes, (size_t)n, sizeof *hashes, by_value);
    for (int64_t i = 0; i < n; i++)
        ck_assert_uint_eq(again[i], hashes[i] & CJ__MESSAGE_MASK);
    for (int64_t i = 0; i < n; i += 1 + n / 300) {
        ck_assert_int_eq(
            cj__message_run_find(cj__writer(db), &part, mix((uint64_t)i + 1), &found),
            CJ_OK);
        ck_assert_int_eq(found, 1);
        ck_assert_int_eq(cj__message_run_find(cj__writer(db), &part,
                                              mix((uint64_t)(i + n) + 1), &found),
                         CJ_OK);
        ck_assert_int_eq(found, 0);
    }
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT); /* roll back */
    free(hashes);
    free(again);
}

START_TEST(test_store_message_run__what_goes_in_is_found)
{
    static const int64_t sizes[] = {1,   2,   3,   63,   64,   65,
                                    511, 512, 513, 1024, 5000, 100000};
    cj_db *db = people_open();

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        round_trip(db, sizes[i]);
    people_close(db);
}
END_TEST

START_TEST(test_store_message_run__extreme_hashes)
{
    uint64_t hashes[] = {0,       UINT64_MAX,           1,         0xFFFF,
                         0x10000, UINT64_MAX - 0x10000, UINT64_MAX};
    const int64_t n = sizeof hashes / sizeof hashes[0];
    cj__part_info part = {.part = 3, .n_messages = n};
    cj_db *db = people_open();
    uint64_t again[8];
    int found;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__message_run_write(db, 3, hashes, n, &part.bits), CJ_OK);
    ck_assert_int_eq(cj__message_run_read(cj__writer(db), &part, again), CJ_OK);
    for (int64_t i = 0; i < n; i++) {
        ck_assert_uint_eq(again[i], hashes[i] & CJ__MESSAGE_MASK);
        ck_assert_int_eq(cj__message_run_find(cj__writer(db), &part, hashes[i], &found),
                         CJ_OK);
        ck_assert_int_eq(found, 1);
    }
    (void)cj__write_end(db, CJ_EINTERRUPT);
    people_close(db);
}
END_TEST

/* Hashes that stand close together and one far away: a gap of many ones. */
START_TEST(test_store_message_run__clusters)
{
    enum { N = 512 };
    uint64_t hashes[N], again[N];
    cj_db *db = people_open();
    int found;

    for (int far = 1; far < N; far += 17) {
        cj__part_info part = {.part = 3, .n_messages = N};
        for (uint64_t i = 0; i < N; i++)
            hashes[N - 1 - i] = (i % 7 * 100 + i) << 16;
        for (int i = 0; i < far; i++)
            hashes[i] = UINT64_MAX - ((uint64_t)i << 16);
        ck_assert_int_eq(cj__write_begin(db), CJ_OK);
        ck_assert_int_eq(cj__message_run_write(db, 3, hashes, N, &part.bits), CJ_OK);
        ck_assert_int_eq(cj__message_run_read(cj__writer(db), &part, again), CJ_OK);
        qsort(hashes, N, sizeof *hashes, by_value);
        for (int i = 0; i < N; i++)
            ck_assert_uint_eq(again[i], hashes[i] & CJ__MESSAGE_MASK);
        ck_assert_int_eq(
            cj__message_run_find(cj__writer(db), &part, hashes[N - 1], &found), CJ_OK);
        ck_assert_int_eq(found, 1);
        (void)cj__write_end(db, CJ_EINTERRUPT);
    }
    people_close(db);
}
END_TEST

START_TEST(test_store_message_run__size_per_message)
{
    const int64_t n = 50000;
    uint64_t *hashes = malloc((size_t)n * sizeof *hashes);
    cj_db *db = people_open();
    int64_t bits, bytes;

    for (int64_t i = 0; i < n; i++)
        hashes[i] = mix((uint64_t)i);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__message_run_write(db, 1, hashes, n, &bits), CJ_OK);
    ck_assert_int_eq(cj__query_one(cj__writer(db), STMT_MESSAGE_SIZES, &bytes), CJ_OK);
    ck_assert_int_le(bytes, n * 43 / 10); /* 48 - log2(n) + 1.5 bits, and heads */
    (void)cj__write_end(db, CJ_EINTERRUPT);
    free(hashes);
    people_close(db);
}
END_TEST

/* Any bytes in a bucket: an error or an answer, never a crash. */
START_TEST(test_store_message_run__damaged_buckets)
{
    cj__part_info part = {.part = 1, .n_messages = 300};
    cj_db *db = people_open();
    uint64_t again[300];
    uint64_t random = 1;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (int i = 0; i < 500; i++) {
        char bytes[64];
        cj__query q = {0};
        int found;
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (char)(random = mix(random + k));
        if (i % 3 == 0)
            bytes[0] = (char)(i % 100);
        ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_BUCKET_ADD, &q), CJ_OK);
        cj__query_int64(&q, 1, (int64_t)1 << CJ__PART_SHIFT);
        cj__query_blob(&q, 2, (cj__text){bytes, (size_t)(i % 65)});
        ck_assert_int_eq(cj__query_run(&q), CJ_OK);
        cj__query_end(&q);
        (void)cj__message_run_find(cj__writer(db), &part, random, &found);
        ck_assert_int_eq(cj__message_run_read(cj__writer(db), &part, again),
                         CJ_ECORRUPT);
        ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_BUCKET_DELETE, &q),
                         CJ_OK);
        cj__query_int64(&q, 1, 0);
        cj__query_int64(&q, 2, INT64_MAX);
        ck_assert_int_eq(cj__query_run(&q), CJ_OK);
        cj__query_end(&q);
    }
    (void)cj__write_end(db, CJ_EINTERRUPT);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_message_run", test_store_message_run__what_goes_in_is_found,
             test_store_message_run__extreme_hashes,
             test_store_message_run__size_per_message,
             test_store_message_run__damaged_buckets, test_store_message_run__clusters)
