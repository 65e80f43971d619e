/* Memory: sizes that come back right, caps, failures that change nothing, and an arena
 * whose objects do not touch. */
#include "base_memory.h"

#include <string.h>

START_TEST(test_alloc__hands_sizes_back)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    char *p = cj__alloc(&a, 10), *q = cj__alloc_zero(&a, 1000);

    ck_assert_int_eq(m.n_bytes, 1010);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(q[i], 0);
    memcpy(p, "ten bytes", 10);
    p = cj__resize(&a, p, 10, 5000);
    ck_assert_str_eq(p, "ten bytes");
    cj__free(&a, p, 5000);
    cj__free(&a, q, 1000);
    cj__free(&a, NULL, 0);
    ck_assert_int_eq(m.n_blocks, 0);
    ck_assert_int_eq(m.n_bytes, 0);
}
END_TEST

START_TEST(test_alloc__an_overflow_never_reaches_the_allocator)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);

    cj__error_clear();
    ck_assert_ptr_null(cj__alloc(&a, SIZE_MAX));
    ck_assert_str_eq(cj__error_text(), "out of memory");
    ck_assert_ptr_null(cj__alloc_zero(&a, cj__size_product(SIZE_MAX / 2, 3)));
    ck_assert_ptr_null(cj__resize(&a, NULL, 0, (size_t)PTRDIFF_MAX + 1));
    ck_assert_int_eq(m.n_asked, 0);
}
END_TEST

START_TEST(test_size_product__is_exact_or_the_largest)
{
    ck_assert_uint_eq(cj__size_product(0, 5), 0);
    ck_assert_uint_eq(cj__size_product(5, 0), 0);
    ck_assert_uint_eq(cj__size_product(1000, 1000), 1000000);
    ck_assert_uint_eq(cj__size_product(SIZE_MAX, 1), SIZE_MAX);
    ck_assert_uint_eq(cj__size_product(SIZE_MAX / 2 + 1, 2), SIZE_MAX);
    ck_assert_uint_eq(cj__size_product(2, SIZE_MAX / 2 + 1), SIZE_MAX);
    ck_assert_uint_eq(cj__size_product((size_t)1 << 32, (size_t)1 << 32), SIZE_MAX);
}
END_TEST

START_TEST(test_array_grow__keeps_what_is_there)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    int64_t *array = NULL;
    size_t capacity = 0;

    for (size_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(
            cj__array_grow(&a, (void **)&array, &capacity, i + 1, sizeof *array, 1000),
            CJ_OK);
        ck_assert_uint_ge(capacity, i + 1);
        ck_assert_uint_le(capacity, 1000);
        array[i] = (int64_t)(i * i);
    }
    for (size_t i = 0; i < 1000; i++)
        ck_assert_int_eq(array[i], (int64_t)(i * i));
    ck_assert_int_lt(m.n_asked, 12); /* doubling, not one by one */
    ck_assert_int_eq(
        cj__array_grow(&a, (void **)&array, &capacity, 1001, sizeof *array, 1000),
        CJ_ELIMIT);
    ck_assert_uint_eq(capacity, 1000);
    m.fail_from = 1;
    ck_assert_int_eq(
        cj__array_grow(&a, (void **)&array, &capacity, 1001, sizeof *array, 2000),
        CJ_ENOMEM);
    ck_assert_int_eq(array[999], 999 * 999);
    cj__free(&a, array, capacity * sizeof *array);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

START_TEST(test_array_grow__a_small_cap_and_a_huge_need)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    char *array = NULL;
    size_t capacity = 0;

    ck_assert_int_eq(cj__array_grow(&a, (void **)&array, &capacity, 2, 1, 3), CJ_OK);
    ck_assert_uint_eq(capacity, 3);
    ck_assert_int_eq(
        cj__array_grow(&a, (void **)&array, &capacity, SIZE_MAX / 2, 16, SIZE_MAX),
        CJ_ENOMEM);
    ck_assert_uint_eq(capacity, 3);
    cj__free(&a, array, capacity);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

/* ---- arena ---------------------------------------------------------------------- */

enum { N_OBJECTS = 4000 };

static size_t object_bytes(uint64_t *state)
{
    const uint64_t r = base_random(state);

    return r % 200 == 0 ? r % 300000 : r % 200; /* some larger than any chunk */
}

/* Fill each object with its own byte; overlapping ones would spoil each other. */
START_TEST(test_arena__objects_are_aligned_and_apart)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    static unsigned char *objects[N_OBJECTS];
    static size_t sizes[N_OBJECTS];
    cj__arena arena;
    uint64_t state = 1;

    cj__arena_init(&arena, &a);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N_OBJECTS; i++) {
            sizes[i] = object_bytes(&state);
            objects[i] = cj__arena_alloc(&arena, sizes[i]);
            ck_assert_ptr_nonnull(objects[i]);
            ck_assert_uint_eq((uintptr_t)objects[i] % 16, 0);
            memset(objects[i], i % 251, sizes[i]);
        }
        for (int i = 0; i < N_OBJECTS; i++) {
            size_t same = 0;

            while (same < sizes[i] && objects[i][same] == i % 251)
                same++;
            ck_assert_uint_eq(same, sizes[i]);
        }
        cj__arena_reset(&arena);
        ck_assert_int_le(m.n_blocks, 1);
    }
    cj__arena_end(&arena);
    ck_assert_int_eq(m.n_blocks, 0);
    cj__arena_end(&arena);
}
END_TEST

START_TEST(test_arena__two_objects_of_size_0_differ)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    cj__arena arena;
    void *p, *q;

    cj__arena_init(&arena, &a);
    p = cj__arena_alloc(&arena, 0);
    q = cj__arena_alloc(&arena, 0);
    ck_assert(p != NULL && q != NULL && p != q);
    cj__arena_end(&arena);
}
END_TEST

START_TEST(test_arena__a_zeroed_one_can_be_ended)
{
    cj__arena arena = {0};

    cj__arena_reset(&arena);
    cj__arena_end(&arena);
}
END_TEST

START_TEST(test_arena__goes_on_after_a_failure)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    cj__arena arena;
    char *text;

    cj__arena_init(&arena, &a);
    text = cj__arena_text(&arena, "kept", 4);
    m.fail_from = m.n_asked + 1;
    ck_assert_ptr_null(cj__arena_alloc(&arena, 1000000));
    ck_assert_ptr_null(cj__arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(cj__arena_alloc(&arena, SIZE_MAX - 8));
    ck_assert_ptr_null(cj__arena_text(&arena, text, SIZE_MAX));
    m.fail_from = 0;
    ck_assert_ptr_nonnull(cj__arena_alloc(&arena, 1000000));
    ck_assert_str_eq(text, "kept");
    cj__arena_end(&arena);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

START_TEST(test_arena_text__adds_a_nul)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    cj__arena arena;

    cj__arena_init(&arena, &a);
    ck_assert_str_eq(cj__arena_text(&arena, "orders", 5), "order");
    ck_assert_str_eq(cj__arena_text(&arena, NULL, 0), "");
    cj__arena_end(&arena);
}
END_TEST

/* Objects stay where they are when an arena joins another; both go on. */
START_TEST(test_arena_join__keeps_every_object)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    static char *texts[3000];
    cj__arena arenas[3];
    int64_t k = 0;

    for (int i = 0; i < 3; i++)
        cj__arena_init(&arenas[i], &a);
    cj__arena_join(&arenas[0], &arenas[1]); /* nothing to nothing */
    for (int i = 0; i < 3000; i++) {
        char text[32] = {0};

        text[0] = (char)('a' + i % 26);
        texts[i] = cj__arena_text(&arenas[i % 3], text, (size_t)(i % 31) + 1);
        if (i % 400 == 399) {
            cj__arena_join(&arenas[k % 3], &arenas[(k + 1) % 3]);
            ck_assert_ptr_null(arenas[(k + 1) % 3].chunks);
            k++;
        }
    }
    for (int i = 0; i < 3000; i++)
        ck_assert_int_eq(texts[i][0], 'a' + i % 26);
    for (int i = 0; i < 3; i++)
        cj__arena_reset(&arenas[i]);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(cj__arena_alloc(&arenas[i], 100));
    for (int i = 0; i < 3; i++)
        cj__arena_end(&arenas[i]);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

HARNESS_MAIN("base_alloc", test_alloc__hands_sizes_back,
             test_alloc__an_overflow_never_reaches_the_allocator,
             test_size_product__is_exact_or_the_largest,
             test_array_grow__keeps_what_is_there,
             test_array_grow__a_small_cap_and_a_huge_need,
             test_arena__objects_are_aligned_and_apart,
             test_arena__two_objects_of_size_0_differ,
             test_arena__a_zeroed_one_can_be_ended, test_arena__goes_on_after_a_failure,
             test_arena_text__adds_a_nul, test_arena_join__keeps_every_object)
