/* Properties: any bytes come back byte for byte; shapes pay; damage is refused. */
#include "harness.h"
#include "random_rows.h"
#include "store/block.h"
#include "store/props_shape.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

static cj__row rows[CJ__BLOCK_EVENTS];
static cj__text texts[CJ__BLOCK_EVENTS];

typedef struct bench {
    cj__ctx cx;
    cj__arena made, read;
    cj__str out;
    random_rows r;
} bench;

static void bench_begin(bench *b, uint64_t seed)
{
    cj__ctx_init(&b->cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&b->made, &b->cx.allocator);
    cj__arena_init(&b->read, &b->cx.allocator);
    cj__str_init(&b->out, &b->cx.allocator, (size_t)1 << 28);
    b->r = (random_rows){seed, &b->made};
    memset(rows, 0, sizeof rows);
}

static void bench_end(bench *b)
{
    cj__arena_end(&b->made);
    cj__arena_end(&b->read);
    cj__str_end(&b->out);
}

static const uint32_t *all_of(uint32_t n)
{
    static uint32_t range[3];

    range[0] = range[2] = n;
    return range;
}

/* Some of the rows, as they come with all. */
static void expect_some(bench *b, cj__text bytes, uint32_t n)
{
    static cj__text some[CJ__BLOCK_EVENTS];

    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t from = random_below(&b->r, n);
        const uint32_t count = 1 + random_below(&b->r, i < 2 ? n - from : 1);
        const uint32_t range[3] = {n, from, count};

        ck_assert_int_eq(cj__props_decode(bytes, range, &b->read, some), CJ_OK);
        for (uint32_t k = 0; k < count; k++) {
            ck_assert_int_eq(some[k].data == NULL, texts[from + k].data == NULL);
            ck_assert_msg(cj__text_equal(some[k], texts[from + k]),
                          "row %u of [%u, %u) is '%.*s'", from + k, from, from + count,
                          (int)some[k].n, some[k].data);
        }
    }
    ck_assert_int_eq(cj__props_decode(bytes, (uint32_t[]){n, n, 0}, &b->read, some),
                     CJ_ECORRUPT);
    ck_assert_int_eq(cj__props_decode(bytes, (uint32_t[]){n, n - 1, 2}, &b->read, some),
                     CJ_ECORRUPT);
}

/* Encode the first n rows, decode, compare; returns the bytes they took. */
static size_t bench_round(bench *b, uint32_t n)
{
    cj__text bytes;

    cj__str_clear(&b->out);
    ck_assert_int_eq(cj__props_encode(&b->cx.allocator, rows, n, &b->out), CJ_OK);
    if (b->out.n == 0) {
        for (uint32_t i = 0; i < n; i++)
            ck_assert_ptr_null(rows[i].properties.data);
        return 0;
    }
    bytes = bytes_copy(b->out.data, b->out.n);
    ck_assert_int_eq(cj__props_decode(bytes, all_of(n), &b->read, texts), CJ_OK);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_int_eq(texts[i].data == NULL, rows[i].properties.data == NULL);
        ck_assert_msg(cj__text_equal(texts[i], rows[i].properties), "row %u is '%.*s'",
                      i, (int)texts[i].n, texts[i].data);
    }
    expect_some(b, bytes, n);
    bytes_free(bytes);
    cj__arena_reset(&b->read);
    return b->out.n;
}

static void given_properties(const char *const *lines, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        rows[i].properties = cj__text_of(lines[i]);
}

START_TEST(test_store_props__any_bytes_come_back)
{
    static const uint32_t sizes[] = {1, 2, 3, 10, 100, 1000, 4096};
    bench b;

    bench_begin(&b, 1);
    for (uint32_t round = 0; round < 20 * RANDOM_PROPERTIES; round++) {
        uint32_t n = sizes[round / RANDOM_PROPERTIES % 7];

        cj__arena_reset(&b.made);
        for (uint32_t i = 0; i < n; i++) {
            rows[i].name = random_below(&b.r, 70);
            rows[i].properties = (cj__text){NULL, 0};
            if (random_below(&b.r, 9) > 0)
                rows[i].properties = random_properties(&b.r, round % RANDOM_PROPERTIES);
        }
        bench_round(&b, n);
    }
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__none_take_no_bytes)
{
    bench b;

    bench_begin(&b, 2);
    ck_assert_uint_eq(bench_round(&b, CJ__BLOCK_EVENTS), 0);
    ck_assert_int_eq(cj__props_encode(&b.cx.allocator, rows, 0, &b.out), CJ_OK);
    ck_assert_uint_eq(b.out.n, 0);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__blanks_order_and_numbers_stay_as_written)
{
    static const char *const lines[] = {
        "{\"a\":1,\"b\":2}",         "{\"b\":2,\"a\":1}",
        "{ \"a\" : 1 , \"b\" : 2 }", "{\"a\":1.0,\"b\":2.00}",
        "{\"a\":1e2,\"b\":-0}",      "{\"a\":\"1\",\"b\":\"02\"}",
        "{\"a\":null,\"b\":true}",   "{\"a\":[1,[2,[\"x\"]]]}",
        "{\"a\":\"\\u00e9\"}",       "{\"\\\"a\\\"\":\"\\\\\"}",
        "{\"a\":\"b\"}\n",           " {\"a\":\"b\"}",
        "{\"a\":\"b\",\"a\":\"c\"}"};
    enum { N = sizeof lines / sizeof lines[0] };
    bench b;

    bench_begin(&b, 3);
    given_properties(lines, N);
    bench_round(&b, N);
    for (uint32_t i = 0; i < CJ__BLOCK_EVENTS; i++) /* often enough to be shapes */
        rows[i].properties = cj__text_of(lines[i * 7 % N]);
    bench_round(&b, CJ__BLOCK_EVENTS);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__shapes_cut_where_values_are)
{
    static const struct {
        const char *text;
        const char *slots[5];
    } cases[] = {
        {"{\"path\":\"/p/1\",\"n\":-2.5e3,\"t\":true}",    {"/p/1", "-2.5e3"}     },
        {"[\"a\", \"b\" ,3]",                              {"a", "b", "3"}        },
        {"{\"a\" : \"x\\\"y\"}",                           {"x\\\"y"}             },
        {"{\"a\":\"\"}",                                   {""}                   },
        {"{\"a\":{\"b\":{\"c\":1}}}",                      {"1"}                  },
        {"{\"a\":\"1234567\",\"b\":\"12345678\"}",         {"1234567", "12345678"}},
        {"{\"c\":\"123456\\\"9\",\"d\":\"1234567\\\"\"}",
         {"123456\\\"9", "1234567\\\""}                                           },
        {"[\"12345\\\\\",\"123456\\\\\",\"1234567\\\\\"]",
         {"12345\\\\", "123456\\\\", "1234567\\\\"}                               },
        {"{}",                                             {NULL}                 },
        {"12",                                             {"12"}                 },
    };
    static cj__shapes shapes;
    cj__slot slots[CJ__SHAPE_SLOTS];
    bench b;

    bench_begin(&b, 4);
    cj__arena_init(&shapes.arena, &b.cx.allocator);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t shape, n = 0;

        ck_assert_int_eq(
            cj__shape_of(&shapes, cj__text_of(cases[i].text), 1, slots, &shape), 0);
        ck_assert_uint_eq(shape, i);
        for (; n < 5 && cases[i].slots[n] != NULL; n++) {
            ck_assert_uint_eq(slots[n].n, strlen(cases[i].slots[n]));
            ck_assert_mem_eq(cases[i].text + slots[n].at, cases[i].slots[n],
                             slots[n].n);
        }
        ck_assert_uint_eq(shapes.list[shape].n_slots, n);
    }
    cj__arena_end(&shapes.arena);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__one_shape_for_texts_that_differ_in_values)
{
    static const char *const lines[] = {
        "{\"a\":\"x\",\"n\":1}", "{\"a\":\"\\\"\",\"n\":-2.5e9}",
        "{\"a\":\"\",\"n\":0}", "{\"a\":\",\",\"n\":33}"};
    static const char *const others[] = {"{\"a\":\"x\",\"n\":1 }",
                                         "{\"a\":\"x\",\"m\":1}",
                                         "{\"a\":\"x\",\"n\":\"1\"}",
                                         "{\"a\":5,\"n\":1}",
                                         "{\"a\":\"x\",\"n\":null}",
                                         "{\"a\":\"x\",\"n\":1",
                                         "x"};
    static cj__shapes shapes;
    cj__slot slots[CJ__SHAPE_SLOTS];
    uint32_t shape;
    bench b;

    bench_begin(&b, 5);
    cj__arena_init(&shapes.arena, &b.cx.allocator);
    for (uint32_t i = 0; i < 16; i++) {
        ck_assert_int_eq(
            cj__shape_of(&shapes, cj__text_of(lines[i % 4]), i % 3, slots, &shape),
            CJ_OK);
        ck_assert_uint_eq(shape, 0);
    }
    for (uint32_t i = 0; i < 14; i++) {
        ck_assert_int_eq(
            cj__shape_of(&shapes, cj__text_of(others[i % 7]), 0, slots, &shape), CJ_OK);
        ck_assert_uint_eq(shape, i % 7 + 1);
    }
    ck_assert_int_eq(cj__shape_of(&shapes, cj__text_of("{\"a\":\"b"), 0, slots, &shape),
                     CJ_OK);
    ck_assert_uint_eq(shape, CJ__SHAPE_NONE);
    cj__arena_end(&shapes.arena);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__too_many_shapes_or_slots_stay_whole)
{
    char text[4000];
    size_t n;
    bench b;

    bench_begin(&b, 6);
    for (uint32_t i = 0; i < 1000; i++) { /* more shapes than are counted */
        n = (size_t)snprintf(text, sizeof text, "{\"key%u\":%u}", i / 4, i);
        rows[i].properties = (cj__text){cj__arena_text(&b.made, text, n), n};
    }
    bench_round(&b, 1000);
    for (uint32_t i = 0; i < 50; i++) { /* 254 to 303 slots */
        for (n = 0; n < 2 * (254 + i); n += 2)
            memcpy(text + n, "7,", 2);
        rows[i].properties = (cj__text){cj__arena_text(&b.made, text, n), n};
    }
    bench_round(&b, 50);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__texts_of_the_greatest_size_and_beyond)
{
    bench b;

    bench_begin(&b, 7);
    for (uint32_t i = 0; i < 40; i++) {
        size_t n = CJ__MAX_PROPERTIES - 20 + i;
        char *text = cj__arena_alloc(&b.made, n);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', n);
        memcpy(text, "{\"a\":\"", 6);
        memcpy(text + n - 2, "\"}", 2);
        rows[i].properties = (cj__text){text, n};
    }
    bench_round(&b, 40);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__shredding_pays)
{
    size_t whole = 0, bytes;
    bench b;

    bench_begin(&b, 8);
    for (uint32_t i = 0; i < CJ__BLOCK_EVENTS; i++) {
        char text[160];
        int n = snprintf(text, sizeof text,
                         "{\"path\":\"/shop/p/%u\",\"ref\":\"search\",\"position\":%u,"
                         "\"price\":%u,\"variant\":\"blue-%c\"}",
                         10000 + random_below(&b.r, 16384), random_below(&b.r, 32),
                         random_below(&b.r, 4096), "sml"[random_below(&b.r, 3)]);

        rows[i].properties =
            (cj__text){cj__arena_text(&b.made, text, (size_t)n), (size_t)n};
        whole += (size_t)n;
    }
    bytes = bench_round(&b, CJ__BLOCK_EVENTS);
    /* 14 + 5 + 12 + 2 bits an event, and what is there once */
    ck_assert_uint_le(bytes, CJ__BLOCK_EVENTS * 33 / 8 + 400);
    ck_assert_uint_gt(whole, 15 * bytes);
    bench_end(&b);
}
END_TEST

enum { FORMATS = 3 };

static int product_print(char *to, size_t n, size_t format, uint32_t product,
                         uint32_t price)
{
    if (format == 0)
        return snprintf(to, n, "{\"path\":\"/p/%u\",\"price\":%u,\"brand\":\"b%u\"}",
                        product, price, price % 7);
    if (format == 1)
        return snprintf(to, n,
                        "{\"product_id\":987654%03u,\"price\":%u,\"brand\":\"b%u\"}",
                        product, price, price % 7);
    return snprintf(to, n, "{\"name\":\"Shoe, no. %u\",\"name_de\":\"Schuh %u-%u\"}",
                    product, price, price % 7);
}

/* Products with their prices: 200 products, 14 bits of price, in rows of 4,096. */
static size_t products_round(bench *b, int price_is_the_products, size_t format)
{
    for (uint32_t i = 0; i < CJ__BLOCK_EVENTS; i++) {
        char text[160];
        uint32_t product = random_below(&b->r, 200);
        uint32_t price = price_is_the_products ? product * 2654435761u >> 18
                                               : random_below(&b->r, 16384);
        int n = product_print(text, sizeof text, format, product, price);

        rows[i].properties =
            (cj__text){cj__arena_text(&b->made, text, (size_t)n), (size_t)n};
    }
    return bench_round(b, CJ__BLOCK_EVENTS);
}

START_TEST(test_store_props__what_a_product_decides_is_there_once)
{
    bench b;

    bench_begin(&b, 10);
    for (size_t format = 0; format < FORMATS; format++) {
        size_t any = products_round(&b, 0, format);
        size_t decided = products_round(&b, 1, format);

        /* 8 bits of product an event, and for each product a price and a brand */
        ck_assert_uint_le(decided, CJ__BLOCK_EVENTS + 200 * 4 + 300);
        ck_assert_uint_gt(any, decided + CJ__BLOCK_EVENTS);
        cj__arena_reset(&b.made);
    }
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__one_exception_and_it_does_not_follow)
{
    bench b;

    bench_begin(&b, 11);
    products_round(&b, 1, 0);
    rows[CJ__BLOCK_EVENTS - 1].properties =
        cj__text_of("{\"path\":\"/p/7\",\"price\":16500,\"brand\":\"b9\"}");
    bench_round(&b, CJ__BLOCK_EVENTS);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__a_slot_follows_an_earlier_one_only)
{
    /* one shape of 2 slots around "a" "b" "c", one row */
    static const char head[] = "\xd1\1\1\4\0\2\1\0\2\1a\1b\1c";
    static const char first[] = "\6\2\0\0\12\1\0";        /* 5 */
    static const char follows[] = "\10\7\0\2\0\0\14\1\0"; /* slot 0, 6 */
    char bytes[sizeof head + sizeof first + sizeof follows];
    size_t at = sizeof head - 1, n = at + sizeof first + sizeof follows - 2;
    bench b;

    bench_begin(&b, 12);
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + at, first, sizeof first);
    memcpy(bytes + at + sizeof first - 1, follows, sizeof follows);
    ck_assert_int_eq(cj__props_decode((cj__text){bytes, n}, all_of(1), &b.read, texts),
                     CJ_OK);
    ck_assert_uint_eq(texts[0].n, 5);
    ck_assert_mem_eq(texts[0].data, "a5b6c", 5);
    bytes[at + sizeof first + 1] = 1; /* itself */
    ck_assert_int_eq(cj__props_decode((cj__text){bytes, n}, all_of(1), &b.read, texts),
                     CJ_ECORRUPT);
    bytes[at + sizeof first + 1] = 0;
    bytes[at + sizeof first + 2] = 7; /* a column that follows a column that follows */
    ck_assert_int_eq(cj__props_decode((cj__text){bytes, n}, all_of(1), &b.read, texts),
                     CJ_ECORRUPT);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_props__survive_damage)
{
    uint64_t refused = 0;
    bench b;

    bench_begin(&b, 9);
    for (uint32_t round = 0; round < 10 * RANDOM_PROPERTIES; round++) {
        uint32_t n = round % 2 ? 40 : 400;

        cj__arena_reset(&b.made);
        for (uint32_t i = 0; i < n; i++)
            rows[i].properties = random_properties(&b.r, round % RANDOM_PROPERTIES);
        cj__str_clear(&b.out);
        ck_assert_int_eq(cj__props_encode(&b.cx.allocator, rows, n, &b.out), CJ_OK);
        for (int i = 0; i < 100; i++) {
            cj__text copy = bytes_copy(
                b.out.data, i % 4 ? b.out.n : random_below(&b.r, (uint32_t)b.out.n));
            char *bytes;

            memcpy(&bytes, &copy.data, sizeof bytes);
            for (int hit = i % 3; copy.n > 0 && hit >= 0; hit--)
                bytes[random_below(&b.r, (uint32_t)copy.n)] = (char)random_next(&b.r);
            refused +=
                cj__props_decode(copy, i % 3 ? all_of(n) : (uint32_t[]){n, n / 2, 2},
                                 &b.read, texts) != CJ_OK;
            bytes_free(copy);
            cj__arena_reset(&b.read);
        }
        ck_assert_int_eq(cj__props_decode((cj__text){b.out.data, b.out.n},
                                          all_of(n + 1), &b.read, texts),
                         CJ_ECORRUPT);
        cj__arena_reset(&b.read);
    }
    ck_assert_uint_gt(refused, 1000);
    bench_end(&b);
}
END_TEST

HARNESS_MAIN("store_props", test_store_props__any_bytes_come_back,
             test_store_props__none_take_no_bytes,
             test_store_props__blanks_order_and_numbers_stay_as_written,
             test_store_props__shapes_cut_where_values_are,
             test_store_props__one_shape_for_texts_that_differ_in_values,
             test_store_props__too_many_shapes_or_slots_stay_whole,
             test_store_props__texts_of_the_greatest_size_and_beyond,
             test_store_props__shredding_pays,
             test_store_props__what_a_product_decides_is_there_once,
             test_store_props__one_exception_and_it_does_not_follow,
             test_store_props__a_slot_follows_an_earlier_one_only,
             test_store_props__survive_damage)
