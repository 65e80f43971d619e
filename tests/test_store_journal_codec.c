/* Journal rows: they come back, one behind the other; damage is refused. */
#include "harness.h"
#include "random_rows.h"
#include "store/block.h"

#include <string.h>

static cj__row rows[CJ__BLOCK_EVENTS];

static void rows_make(uint64_t seed, cj__ctx *cx, cj__arena *arena, cj__str *out,
                      uint32_t n)
{
    random_rows r = {seed, arena};

    cj__ctx_init(cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(arena, &cx->allocator);
    cj__str_init(out, &cx->allocator, 1 << 24);
    random_fill(&r, rows, n, seed % 2 == 0);
    for (uint32_t i = 0; i < n; i++)
        cj__journal_put(out, &rows[i]);
    ck_assert_int_eq(cj__str_status(out), CJ_OK);
}

START_TEST(test_store_journal_codec__rows_come_back_in_order)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        cj__ctx cx;
        cj__arena arena;
        cj__str out;
        size_t at = 0;
        cj__row row;

        rows_make(seed, &cx, &arena, &out, 500);
        cj__text bytes = bytes_copy(out.data, out.n);
        for (uint32_t i = 0; i < 500; i++) {
            ck_assert_int_eq(cj__journal_next(bytes, &at, &row), CJ_OK);
            const char *field = rows_differ(&row, &rows[i]);
            ck_assert_msg(field == NULL, "row %u: %s differs", i, field);
        }
        ck_assert_uint_eq(at, bytes.n);
        ck_assert_int_eq(cj__journal_next(bytes, &at, &row), CJ_ECORRUPT);
        ck_assert_uint_eq(at, bytes.n);
        bytes_free(bytes);
        cj__arena_end(&arena);
        cj__str_end(&out);
    }
}
END_TEST

START_TEST(test_store_journal_codec__bytes_are_as_written_down)
{
    static const struct {
        const char *what;
        cj__row row;
        size_t n;
        const char *bytes;
    } cases[] = {
        {"the least",   {.node = 1, .name = 2, .time_ms = 3},    4, "\0\1\6\2"              },
        {"before 1970", {.node = 300, .name = 2, .time_ms = -1}, 5, "\0\xac\2\1\2"          },
        {"a refund",
         {.node = 1,
          .name = 2,
          .channel = 4,
          .has_value = 1,
          .value_minor = -500,
          .currency = 7},
         9,                                                         "\xa1\4\1\0\2\4\xe7\7\7"},
        {"a visit",
         {.node = 1,
          .name = 2,
          .quantity = 2,
          .campaign = 3,
          .content = 4,
          .product = 5,
          .session = {"s1", 2},
          .order = {"9", 1},
          .properties = {"{}", 2}},
         17,                                                        "\xde\3\1\0\2\4\3\4\5\2s1\1"
         "9\2{}"                                                                },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj__ctx cx;
        cj__str out;
        cj__row row;
        size_t at = 0;

        cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
        cj__str_init(&out, &cx.allocator, 1000);
        cj__journal_put(&out, &cases[i].row);
        ck_assert_msg(out.n == cases[i].n, "%s took %zu bytes", cases[i].what, out.n);
        ck_assert_mem_eq(out.data, cases[i].bytes, out.n);
        ck_assert_int_eq(cj__journal_next((cj__text){out.data, out.n}, &at, &row),
                         CJ_OK);
        ck_assert_ptr_null(rows_differ(&row, &cases[i].row));
        cj__str_end(&out);
    }
}
END_TEST

START_TEST(test_store_journal_codec__refuses_what_is_no_row)
{
    static const struct {
        const char *what;
        size_t n;
        const char *bytes;
    } cases[] = {
        {"nothing",                  0,  ""                                            },
        {"a cut row",                3,  "\0\1\6"                                      },
        {"an unknown bit",           6,  "\x80\x8\1\6\2\0"                             },
        {"a node beyond 32 bits",    8,  "\0\xff\xff\xff\xff\x1f\6\2"                  },
        {"a present channel of 0",   6,  "\x80\4\1\6\2\0"                              },
        {"a present quantity of 0",  5,  "\2\1\6\2\0"                                  },
        {"a session beyond the end", 7,  "\xc0\0\1\6\2\5s"                             },
        {"a varint of 11 bytes",     12, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0"},
    };
    cj__row row;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t at = 0;
        int32_t rc =
            cj__journal_next((cj__text){cases[i].bytes, cases[i].n}, &at, &row);

        ck_assert_msg(rc == CJ_ECORRUPT && at == 0, "%s was read", cases[i].what);
        ck_assert_uint_eq(row.node, 0);
    }
}
END_TEST

START_TEST(test_store_journal_codec__a_place_beyond_the_end_is_refused)
{
    size_t at = 5;
    cj__row row;

    ck_assert_int_eq(cj__journal_next((cj__text){"\0\1\6\2", 4}, &at, &row),
                     CJ_ECORRUPT);
    at = SIZE_MAX;
    ck_assert_int_eq(cj__journal_next((cj__text){"\0\1\6\2", 4}, &at, &row),
                     CJ_ECORRUPT);
}
END_TEST

START_TEST(test_store_journal_codec__survives_damage)
{
    uint64_t refused = 0;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        random_rows r = {seed + 1000, NULL};
        cj__ctx cx;
        cj__arena arena;
        cj__str out;

        rows_make(seed, &cx, &arena, &out, 20);
        for (int i = 0; i < 400; i++) {
            cj__text copy =
                bytes_copy(out.data, i % 4 ? out.n : random_below(&r, (uint32_t)out.n));
            size_t at = 0;
            char *bytes;
            cj__row row;

            memcpy(&bytes, &copy.data, sizeof bytes);
            if (copy.n > 0)
                bytes[random_below(&r, (uint32_t)copy.n)] = (char)random_next(&r);
            while (at < copy.n && cj__journal_next(copy, &at, &row) == CJ_OK)
                ck_assert(row.session.data == NULL ||
                          row.session.data + row.session.n <= copy.data + copy.n);
            refused += at < copy.n;
            bytes_free(copy);
        }
        cj__arena_end(&arena);
        cj__str_end(&out);
    }
    ck_assert_uint_gt(refused, 500);
}
END_TEST

HARNESS_MAIN("store_journal_codec", test_store_journal_codec__rows_come_back_in_order,
             test_store_journal_codec__bytes_are_as_written_down,
             test_store_journal_codec__refuses_what_is_no_row,
             test_store_journal_codec__a_place_beyond_the_end_is_refused,
             test_store_journal_codec__survives_damage)
