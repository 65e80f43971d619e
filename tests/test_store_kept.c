/* What is kept of blocks: found again, by any thread; no more than fits; never what
 * somebody holds. */
#include "harness.h"
#include "store/internal.h"

#include <string.h>

enum { KEPT_BYTES = 1000, ROOM = 10 * (KEPT_BYTES + (int)sizeof(cj__kept_block)) };

static cj__ctx cx;
static cj__kept kept;

static void begin(size_t max_bytes)
{
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__kept_init(&kept, &cx.allocator, max_bytes, CJ__PART_SHIFT);
}

/* The id is in every byte. */
static cj__kept_block *made(int64_t id, size_t n)
{
    cj__kept_block *b = cj__kept_new(&kept, id, n);

    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(b->id, id);
    memset(b->bytes, (int)(id & 255), n);
    return b;
}

static void put(int64_t id)
{
    cj__kept_let_go(&kept, cj__kept_put(&kept, made(id, KEPT_BYTES)));
}

static int has(int64_t id)
{
    cj__kept_block *b = cj__kept_get(&kept, id);

    if (b == NULL)
        return 0;
    ck_assert_int_eq(b->id, id);
    for (size_t i = 0; i < b->n; i++)
        ck_assert_uint_eq(b->bytes[i], (uint8_t)id);
    cj__kept_let_go(&kept, b);
    return 1;
}

START_TEST(test_store_kept__what_was_put_is_found)
{
    begin(ROOM);
    ck_assert(!has(1));
    for (int64_t id = 1; id <= 10; id++)
        put(id << CJ__PART_SHIFT | (id * 7));
    for (int64_t id = 1; id <= 10; id++) {
        ck_assert(has(id << CJ__PART_SHIFT | (id * 7)));
        ck_assert(!has(id << CJ__PART_SHIFT | (id * 7 + 1)));
    }
    cj__kept_end(&kept);
    cj__kept_end(&kept); /* once more is fine */
}
END_TEST

START_TEST(test_store_kept__the_oldest_goes_first)
{
    begin(ROOM);
    for (int64_t id = 0; id < 10; id++)
        put(id);
    ck_assert(has(0)); /* asked for: now the newest */
    for (int64_t id = 10; id < 15; id++)
        put(id);
    ck_assert(has(0));
    for (int64_t id = 1; id <= 5; id++)
        ck_assert(!has(id));
    for (int64_t id = 6; id < 15; id++)
        ck_assert(has(id));
    ck_assert_uint_le(kept.bytes, kept.max_bytes);
    cj__kept_end(&kept);
    ck_assert_uint_eq(kept.bytes, 0);
}
END_TEST

START_TEST(test_store_kept__what_is_held_stays)
{
    cj__kept_block *held, *large;

    begin(ROOM);
    held = cj__kept_put(&kept, made(77, KEPT_BYTES));
    for (int64_t id = 100; id < 200; id++)
        put(id);
    ck_assert_uint_eq(held->bytes[KEPT_BYTES - 1], 77);
    large = cj__kept_put(&kept, made(78, 2 * ROOM)); /* larger than all there may be */
    ck_assert(!has(199));
    ck_assert_uint_eq(large->bytes[0], 78);
    cj__kept_let_go(&kept, held);
    cj__kept_let_go(&kept, large);
    cj__kept_let_go(&kept, NULL);
    put(300);
    ck_assert(!has(77) && !has(78) && has(300));
    ck_assert_uint_le(kept.bytes, kept.max_bytes);
    cj__kept_end(&kept);
}
END_TEST

/* Two threads read the same block: the first one's stays, and both hold it. */
START_TEST(test_store_kept__the_quicker_one_wins)
{
    cj__kept_block *first, *second;
    size_t bytes;

    begin(ROOM);
    first = cj__kept_put(&kept, made(5, 10));
    bytes = kept.bytes;
    second = cj__kept_put(&kept, made(5, 20));
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(first->n_holders, 2);
    ck_assert_uint_eq(kept.bytes, bytes);
    cj__kept_let_go(&kept, first);
    cj__kept_let_go(&kept, second);
    cj__kept_drop(&kept, made(6, 10)); /* it was not put after all */
    cj__kept_drop(&kept, NULL);
    ck_assert(!has(6));
    cj__kept_end(&kept);
}
END_TEST

START_TEST(test_store_kept__blocks_of_other_parts_are_forgotten)
{
    static const int64_t parts[] = {2, 5, 6};
    cj__kept_block *held;

    begin(ROOM);
    for (int64_t part = 1; part < 8; part++)
        put(part << CJ__PART_SHIFT | 1);
    held = cj__kept_get(&kept, (int64_t)3 << CJ__PART_SHIFT | 1);
    cj__kept_only(&kept, parts, 3);
    for (int64_t part = 1; part < 8; part++)
        ck_assert_int_eq(has(part << CJ__PART_SHIFT | 1),
                         part == 2 || part == 5 || part == 6 || part == 3);
    cj__kept_let_go(&kept, held);
    cj__kept_only(&kept, parts, 3);
    ck_assert(!has((int64_t)3 << CJ__PART_SHIFT | 1));
    cj__kept_only(&kept, parts, 0);
    ck_assert_uint_eq(kept.bytes, 0);
    cj__kept_end(&kept);
}
END_TEST

/* Ids that have the part elsewhere. */
START_TEST(test_store_kept__rows_of_other_parts_are_forgotten)
{
    static const int64_t parts[] = {2, 5};

    begin(ROOM);
    kept.part_shift = CJ__ROWS_SHIFT;
    for (int64_t part = 1; part < 8; part++)
        put(cj__rows_id(part, UINT32_MAX - (uint32_t)part));
    cj__kept_only(&kept, parts, 2);
    for (int64_t part = 1; part < 8; part++)
        ck_assert_int_eq(has(cj__rows_id(part, UINT32_MAX - (uint32_t)part)),
                         part == 2 || part == 5);
    ck_assert_int_gt(cj__rows_id(INT32_MAX, UINT32_MAX), 0);
    ck_assert_int_eq(cj__rows_id((int64_t)INT32_MAX + 1, 1), 0);
    cj__kept_end(&kept);
}
END_TEST

static void *work(void *argument)
{
    uint64_t random = (uint64_t)(uintptr_t)argument;

    for (int i = 0; i < 20000; i += harness_stride(9)) {
        int64_t id;
        cj__kept_block *b;

        random = random * 6364136223846793005u + 1442695040888963407u;
        id = (int64_t)(random >> 33) % 30;
        b = cj__kept_get(&kept, id);
        if (b == NULL) {
            b = cj__kept_new(&kept, id, KEPT_BYTES);
            if (b == NULL)
                return argument;
            memset(b->bytes, (int)id, KEPT_BYTES);
            b = cj__kept_put(&kept, b);
        }
        if (b->bytes[(size_t)i % KEPT_BYTES] != id)
            return argument;
        cj__kept_let_go(&kept, b);
    }
    return NULL;
}

START_TEST(test_store_kept__threads)
{
    pthread_t threads[3];

    begin(ROOM);
    for (uintptr_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    for (int i = 0; i < 3; i++) {
        void *failed;

        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    ck_assert_uint_le(kept.bytes, kept.max_bytes);
    for (int64_t id = 0; id < 30; id++)
        (void)has(id);
    cj__kept_end(&kept);
}
END_TEST

HARNESS_MAIN("store_kept", test_store_kept__what_was_put_is_found,
             test_store_kept__the_oldest_goes_first,
             test_store_kept__what_is_held_stays, test_store_kept__the_quicker_one_wins,
             test_store_kept__blocks_of_other_parts_are_forgotten,
             test_store_kept__rows_of_other_parts_are_forgotten,
             test_store_kept__threads)
