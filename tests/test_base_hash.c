/* Hashes whose values may be stored, and the map against a plain list. */
#include "base_memory.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

/* Values that XXH3 has had since 0.8.0: a file written today must be read for ever. */
START_TEST(test_hash__values_never_change)
{
    const cj__hash128 empty = cj__hash_128(0, "", 0);

    ck_assert_uint_eq(cj__hash64(0, "", 0), 0x2D06800538D394C2u);
    ck_assert_uint_eq(empty.low, 0x6001C324468D497Fu);
    ck_assert_uint_eq(empty.high, 0x99AA06D3014798D8u);
}
END_TEST

START_TEST(test_hash__depends_on_seed_length_and_every_byte)
{
    char text[300];
    const cj__hash128 wide = cj__hash_128(1, "order-1", 7);

    memset(text, 'a', sizeof text);
    ck_assert(cj__hash64(1, text, 10) != cj__hash64(2, text, 10));
    ck_assert(cj__hash_128(2, "order-1", 7).low != wide.low);
    for (size_t i = 0; i < sizeof text; i++) {
        uint64_t before = cj__hash64(1, text, sizeof text);

        text[i] = 'b';
        ck_assert(cj__hash64(1, text, sizeof text) != before);
        ck_assert(i == 0 || cj__hash64(1, text, i) != cj__hash64(1, text, i + 1));
    }
}
END_TEST

START_TEST(test_random_seed__differs_each_time)
{
    uint64_t seen[16];

    for (int i = 0; i < 16; i++) {
        seen[i] = cj__random_seed();
        for (int k = 0; k < i; k++)
            ck_assert(seen[i] != seen[k]);
    }
}
END_TEST

enum { N_KEYS = 3000 };

/* Few keys and many rounds, so that replacing is as common as adding. */
START_TEST(test_map__agrees_with_a_list)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    static uint64_t keys[N_KEYS], values[N_KEYS];
    static int present[N_KEYS];
    uint64_t state = 8, value;
    size_t n = 0;
    cj__map map;

    cj__map_init(&map, &a);
    for (size_t i = 0; i < N_KEYS; i++) /* dense ones, spread ones, the extremes */
        keys[i] = i % 3 == 0 ? i : i % 3 == 1 ? base_random(&state) : i << 40;
    keys[0] = 0;
    keys[1] = UINT64_MAX;
    for (int round = 0; round < 20000; round++) {
        size_t i = base_random(&state) % N_KEYS;

        cj__map_expect(&map, keys[i]);
        ck_assert_int_eq(cj__map_get(&map, keys[i], &value), present[i]);
        ck_assert(!present[i] || value == values[i]);
        values[i] = base_random(&state);
        n += !present[i];
        present[i] = 1;
        ck_assert_int_eq(cj__map_put(&map, keys[i], values[i]), CJ_OK);
        ck_assert_uint_eq(map.n, n);
    }
    for (size_t i = 0; i < N_KEYS; i++) {
        ck_assert_int_eq(cj__map_get(&map, keys[i], &value), present[i]);
        ck_assert(!present[i] || value == values[i]);
    }
    cj__map_clear(&map);
    for (size_t i = 0; i < N_KEYS; i++)
        ck_assert(!cj__map_get(&map, keys[i], &value));
    ck_assert_int_eq(cj__map_put(&map, 5, 6), CJ_OK);
    ck_assert(cj__map_get(&map, 5, &value) && value == 6);
    cj__map_end(&map);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

START_TEST(test_map__an_empty_one_needs_no_memory)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    uint64_t value = 7;
    cj__map map;

    cj__map_init(&map, &a);
    ck_assert(!cj__map_get(&map, 0, &value));
    ck_assert_uint_eq(value, 7);
    cj__map_clear(&map);
    cj__map_end(&map);
    ck_assert_int_eq(m.n_asked, 0);
}
END_TEST

START_TEST(test_map__a_failed_put_changes_nothing)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    uint64_t value, n = 0;
    cj__map map;

    cj__map_init(&map, &a);
    for (uint64_t key = 0; key < 1000; key++) {
        m.fail_from = m.n_asked + 1;
        if (cj__map_put(&map, key, key * 2) != CJ_OK) {
            ck_assert(!cj__map_get(&map, key, &value));
            n++;
            m.fail_from = 0;
            ck_assert_int_eq(cj__map_put(&map, key, key * 2), CJ_OK);
        }
        for (uint64_t k = 0; k <= key; k++)
            ck_assert(cj__map_get(&map, k, &value) && value == k * 2);
    }
    ck_assert_uint_ge(n, 5);
    cj__map_end(&map);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

/* Keys whose hashes begin alike stand in one run of slots: id and both hashes decide.
 */
START_TEST(test_keys__agree_with_a_list)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    static cj__key keys[N_KEYS];
    uint64_t state = 3;
    cj__keys table;

    cj__keys_init(&table, &a);
    for (uint32_t i = 0; i < N_KEYS; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "text %u", i);
        keys[i] = cj__key_of(7, text, strlen(text));
        ck_assert_uint_eq(keys[i].id, 0);
        ck_assert(keys[i].hash != cj__key_of(8, text, strlen(text)).hash);
        if (i % 3 == 1) /* the same slot as the one before */
            keys[i].hash = keys[i - 1].hash ^ (uint64_t)1 << 63;
        if (i % 3 == 2)
            keys[i] = (cj__key){keys[i - 1].hash, keys[i - 1].hash2 + 1, 0};
    }
    for (uint32_t i = 0; i < N_KEYS; i++) {
        cj__key key = keys[i];

        cj__keys_expect(&table, key);
        ck_assert_uint_eq(cj__keys_get(&table, key), 0);
        key.id = i + 1;
        ck_assert_int_eq(cj__keys_put(&table, key), CJ_OK);
        key.id = UINT32_MAX; /* what is there stays */
        ck_assert_int_eq(cj__keys_put(&table, key), CJ_OK);
        ck_assert_uint_eq(table.n, i + 1);
        key = keys[base_random(&state) % N_KEYS];
        ck_assert_uint_le(cj__keys_get(&table, key), i + 1);
    }
    for (uint32_t i = 0; i < N_KEYS; i++)
        ck_assert_uint_eq(cj__keys_get(&table, keys[i]), i + 1);
    cj__keys_clear(&table);
    for (uint32_t i = 0; i < N_KEYS; i++)
        ck_assert_uint_eq(cj__keys_get(&table, keys[i]), 0);
    cj__keys_end(&table);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

START_TEST(test_keys__a_failed_put_changes_nothing)
{
    base_memory m = {0};
    const cj__allocator a = base_memory_allocator(&m);
    uint64_t n = 0;
    cj__keys table;

    cj__keys_init(&table, &a);
    for (uint32_t i = 1; i < 1000; i++) {
        cj__key key = cj__key_of(1, &i, sizeof i);

        key.id = i;
        m.fail_from = m.n_asked + 1;
        if (cj__keys_put(&table, key) != CJ_OK) {
            ck_assert_uint_eq(cj__keys_get(&table, key), 0);
            n++;
            m.fail_from = 0;
            ck_assert_int_eq(cj__keys_put(&table, key), CJ_OK);
        }
        for (uint32_t k = 1; k <= i; k++)
            ck_assert_uint_eq(cj__keys_get(&table, cj__key_of(1, &k, sizeof k)), k);
    }
    ck_assert_uint_ge(n, 5);
    cj__keys_end(&table);
    ck_assert_int_eq(m.n_blocks, 0);
}
END_TEST

HARNESS_MAIN("base_hash", test_hash__values_never_change,
             test_hash__depends_on_seed_length_and_every_byte,
             test_random_seed__differs_each_time, test_map__agrees_with_a_list,
             test_map__an_empty_one_needs_no_memory,
             test_map__a_failed_put_changes_nothing, test_keys__agree_with_a_list,
             test_keys__a_failed_put_changes_nothing)
