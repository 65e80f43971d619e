/* Tables: what is appended is what is read, whatever the order; failures are sticky and
 * leave nothing. */
#include "base_memory.h"

#include "base/table.h"

#include <string.h>

static base_memory memory;
static cj__allocator allocator;

static cj_table *table_begin(const char *columns)
{
    cj_table *t = NULL;

    memset(&memory, 0, sizeof memory);
    allocator = base_memory_allocator(&memory);
    ck_assert_int_eq(cj__table_new(&allocator, columns, &t), CJ_OK);
    return t;
}

START_TEST(test_table__three_types_and_their_names)
{
    cj_table *t = table_begin("profile:i share:d class:t");
    const int64_t *offsets;

    cj__table_int64(t, 0, 7);
    cj__table_double(t, 1, 0.5);
    cj__table_put(t, 2, "Lost");
    cj__table_int64(t, 0, -1);
    cj__table_double(t, 1, -2);
    cj__table_text(t, 2, "At Risk", 2);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_int_eq(cj__table_rows(t), 2);
    ck_assert_int_eq(cj__table_columns(t), 3);
    ck_assert_str_eq(cj__table_name(t, 0), "profile");
    ck_assert_str_eq(cj__table_name(t, 2), "class");
    ck_assert_int_eq(cj__table_type(t, 0), CJ_INT64);
    ck_assert_int_eq(cj__table_type(t, 1), CJ_DOUBLE);
    ck_assert_int_eq(cj__table_type(t, 2), CJ_TEXT);
    ck_assert(cj__table_int64_data(t, 0)[0] == 7 &&
              cj__table_int64_data(t, 0)[1] == -1);
    ck_assert(cj__table_double_data(t, 1)[1] == -2);
    ck_assert_int_eq(memcmp(cj__table_text_data(t, 2, &offsets), "LostAt", 6), 0);
    ck_assert(offsets[0] == 0 && offsets[1] == 4 && offsets[2] == 6);
    for (int64_t c = 0; c < 3; c++)
        ck_assert_ptr_null(cj__table_validity(t, c));
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_table__wrong_columns_answer_nothing)
{
    static const int64_t wrong[] = {-1, 2, INT64_MAX, INT64_MIN};
    cj_table *t = table_begin("a:i b:t");
    const int64_t *offsets = (const int64_t *)(const void *)&memory;

    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_ptr_null(cj__table_name(t, wrong[i]));
        ck_assert_int_eq(cj__table_type(t, wrong[i]), 0);
        ck_assert_ptr_null(cj__table_int64_data(t, wrong[i]));
        ck_assert_ptr_null(cj__table_validity(t, wrong[i]));
        ck_assert_ptr_null(cj__table_text_data(t, wrong[i], &offsets));
        ck_assert_ptr_null(offsets);
    }
    ck_assert_ptr_null(cj__table_int64_data(t, 1));
    ck_assert_ptr_null(cj__table_double_data(t, 0));
    ck_assert_ptr_null(cj__table_text_data(t, 0, NULL));
    ck_assert_int_eq(cj__table_rows(NULL), 0);
    ck_assert_int_eq(cj__table_columns(NULL), 0);
    ck_assert_ptr_null(cj__table_name(NULL, 0));
    cj__table_free(t);
    cj__table_free(NULL);
}
END_TEST

/* Consumers get pointers, never NULL, also for no rows. */
START_TEST(test_table__without_rows_has_buffers)
{
    cj_table *t = table_begin("a:i b:d c:t");
    const int64_t *offsets;

    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_int_eq(cj__table_rows(t), 0);
    ck_assert_ptr_nonnull(cj__table_int64_data(t, 0));
    ck_assert_ptr_nonnull(cj__table_double_data(t, 1));
    ck_assert_ptr_nonnull(cj__table_text_data(t, 2, &offsets));
    ck_assert_int_eq(offsets[0], 0);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

enum { N_ROWS = 3000 };

static int is_absent(uint64_t seed, int64_t row, int64_t first_null)
{
    uint64_t state = seed + (uint64_t)row * 77;

    return row >= first_null && base_random(&state) % 3 == 0;
}

/* Row by row or column by column, with nulls from some row on: the same table. */
START_TEST(test_table__nulls_anywhere)
{
    static const int64_t first_nulls[] = {0, 1, 7, 8, 9, 64, N_ROWS - 1, N_ROWS};

    for (size_t k = 0; k < sizeof first_nulls / sizeof first_nulls[0]; k++) {
        cj_table *t = table_begin("i:i d:d t:t");
        int64_t nulls = 0;
        const int64_t *offsets;
        const char *bytes;

        for (int64_t i = 0; i < N_ROWS; i++) {
            if (is_absent(k, i, first_nulls[k])) {
                nulls++;
                cj__table_null(t, 0);
                cj__table_null(t, 1);
                cj__table_put(t, 2, NULL);
            } else {
                cj__table_int64(t, 0, i);
                cj__table_double(t, 1, (double)i / 4);
                cj__table_text(t, 2, "0123456789", (size_t)(i % 11));
            }
        }
        ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
        bytes = cj__table_text_data(t, 2, &offsets);
        for (int64_t c = 0; c < 3; c++) {
            ck_assert((cj__table_validity(t, c) != NULL) == (nulls > 0));
            ck_assert_int_eq(cj__table_nulls(t, c), nulls);
        }
        for (int64_t i = 0; i < N_ROWS; i++) {
            const int absent = is_absent(k, i, first_nulls[k]);

            ck_assert_int_eq(cj__table_is_null(t, 0, i), absent);
            ck_assert_int_eq(cj__table_is_null(t, 1, i), absent);
            ck_assert_int_eq(cj__table_is_null(t, 2, i), absent);
            ck_assert_int_eq(cj__table_int64_data(t, 0)[i], absent ? 0 : i);
            ck_assert(cj__table_double_data(t, 1)[i] == (absent ? 0 : (double)i / 4));
            ck_assert_int_eq(offsets[i + 1] - offsets[i], absent ? 0 : i % 11);
            ck_assert_int_eq(memcmp(bytes + offsets[i], "0123456789",
                                    (size_t)(offsets[i + 1] - offsets[i])),
                             0);
        }
        cj__table_free(t);
        ck_assert_int_eq(memory.n_blocks, 0);
    }
}
END_TEST

START_TEST(test_table__extend_is_many_appends)
{
    cj_table *t = table_begin("a:i");
    int64_t *to;

    cj__table_null(t, 0);
    to = cj__table_int64_extend(t, 0, 1000);
    ck_assert_ptr_nonnull(to);
    for (int64_t i = 0; i < 1000; i++)
        to[i] = i;
    cj__table_null(t, 0);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_int_eq(cj__table_rows(t), 1002);
    for (int64_t i = 0; i < 1002; i++)
        ck_assert_int_eq(cj__table_is_null(t, 0, i), i == 0 || i == 1001);
    ck_assert_int_eq(cj__table_int64_data(t, 0)[1000], 999);
    cj__table_free(t);
}
END_TEST

/* Rows up to the room take no further memory; those beyond it move their column out. */
START_TEST(test_table__room_is_one_piece_and_no_limit)
{
    for (int n = 0; n < 300; n += 13) {
        cj_table *t = table_begin("a:i b:d c:t");
        const int64_t *offsets;
        int64_t asked;

        cj__table_room(t, 100);
        asked = memory.n_asked;
        for (int i = 0; i < n; i++) {
            cj__table_int64(t, 0, i);
            cj__table_double(t, 1, i);
            cj__table_text(t, 2, "", 0);
        }
        if (n <= 100)
            ck_assert_int_eq(memory.n_asked, asked);
        cj__table_put(t, 2, "last");
        cj__table_int64(t, 0, -1);
        cj__table_null(t, 1);
        ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
        ck_assert_int_eq(cj__table_rows(t), n + 1);
        ck_assert_int_eq(memcmp(cj__table_text_data(t, 2, &offsets), "last", 4), 0);
        for (int i = 0; i < n; i++) {
            ck_assert_int_eq(cj__table_int64_data(t, 0)[i], i);
            ck_assert(cj__table_double_data(t, 1)[i] == i);
            ck_assert_int_eq(offsets[i + 1], 0);
        }
        ck_assert_int_eq(offsets[n + 1], 4);
        ck_assert(cj__table_is_null(t, 1, n));
        cj__table_free(t);
        ck_assert_int_eq(memory.n_blocks, 0);
    }
}
END_TEST

START_TEST(test_table__room_comes_once_and_first)
{
    for (int k = 0; k < 3; k++) {
        cj_table *t = table_begin("a:i");

        if (k == 0)
            cj__table_int64(t, 0, 1);
        cj__table_room(t, k == 2 ? SIZE_MAX : 10);
        if (k == 1)
            cj__table_room(t, 10);
        ck_assert_int_eq(cj__table_finish(t, &t), CJ_EMISUSE);
        ck_assert_str_eq(cj__error_text(), "a table gets room once, before its rows");
        ck_assert_int_eq(memory.n_blocks, 0);
    }
}
END_TEST

/* Words of every length, with and without absent ones, against rows one by one. */
START_TEST(test_table__words_are_many_texts)
{
    char bytes[64];
    cj__text words[140];
    uint8_t which[1000];
    uint64_t state = 7;

    memset(bytes, 'w', sizeof bytes);
    for (size_t n_words = 1; n_words <= 140; n_words += 23) {
        for (size_t longest = 0; longest < 64; longest += 16) {
            cj_table *t = table_begin("got:t want:t");
            const int64_t *got, *want;
            const char *a, *b;

            for (size_t i = 0; i < n_words; i++)
                words[i] = (cj__text){bytes + i % 3, (i + longest / 2) % (longest + 1)};
            if (n_words > 90 && longest == 16)
                words[5].data = NULL, words[5].n = 0;
            cj__table_put(t, 0, "first");
            cj__table_put(t, 1, "first");
            for (size_t i = 0; i < 1000; i++) {
                const cj__text *word = &words[base_random(&state) % n_words];

                which[i] = (uint8_t)(word - words);
                if (word->data == NULL)
                    cj__table_null(t, 1);
                else
                    cj__table_text(t, 1, word->data, word->n);
            }
            cj__table_words(t, 0, words, n_words, which, 600);
            cj__table_words(t, 0, words, n_words, which + 600, 400);
            ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
            a = cj__table_text_data(t, 0, &got);
            b = cj__table_text_data(t, 1, &want);
            ck_assert_mem_eq(got, want, 1002 * sizeof *got);
            ck_assert_mem_eq(a, b, (size_t)want[1001]);
            for (int64_t i = 0; i < 1001; i++)
                ck_assert_int_eq(cj__table_is_null(t, 0, i),
                                 cj__table_is_null(t, 1, i));
            cj__table_free(t);
            ck_assert_int_eq(memory.n_blocks, 0);
        }
    }
}
END_TEST

START_TEST(test_table__a_column_may_have_any_name)
{
    cj_table *t = table_begin("a:i b:i c:t");
    char name[] = "two words: \"ü\"";

    cj__table_rename(t, 1, name);
    name[0] = 'x'; /* it was copied */
    cj__table_rename(t, 2, "first");
    cj__table_rename(t, 2, "");
    cj__table_int64(t, 0, 1);
    cj__table_int64(t, 1, 2);
    cj__table_put(t, 2, "three");
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_str_eq(cj__table_name(t, 0), "a");
    ck_assert_str_eq(cj__table_name(t, 1), "two words: \"ü\"");
    ck_assert_str_eq(cj__table_name(t, 2), "");
    ck_assert_int_eq(cj__table_type(t, 1), CJ_INT64);
    ck_assert_int_eq(cj__table_int64_data(t, 1)[0], 2);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_table__misuse_is_sticky)
{
    cj_table *t = table_begin("a:i b:t");

    cj__table_put(t, 0, "not a number");
    cj__table_int64(t, 0, 1);
    cj__table_put(t, 1, "x");
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_EMISUSE);
    ck_assert_ptr_null(t);
    ck_assert_int_eq(memory.n_blocks, 0);

    t = table_begin("a:i b:t");
    cj__table_int64(t, 2, 1);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_EMISUSE);

    t = table_begin("a:i b:t");
    cj__table_int64(t, 0, 1); /* b has no row */
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_EMISUSE);
    ck_assert_int_eq(memory.n_blocks, 0);

    t = table_begin("a:i");
    ck_assert_ptr_null(cj__table_int64_extend(t, 0, SIZE_MAX));
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_ENOMEM);
    ck_assert_int_eq(cj__table_finish(NULL, &t), CJ_ENOMEM);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_table__finished_is_immutable)
{
    cj_table *t = table_begin("a:i");

    cj__table_int64(t, 0, 1);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    cj__table_int64(t, 0, 2);
    ck_assert_int_eq(cj__table_rows(t), 1);
    cj__table_free(t);
}
END_TEST

START_TEST(test_table_new__refuses_other_column_lists)
{
    static const char *const lists[] = {
        "", " ", "a", "a:", ":i", "a:x", "a:ii", "a:i b"};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        cj_table *t = (cj_table *)(void *)&memory;

        memset(&memory, 0, sizeof memory);
        allocator = base_memory_allocator(&memory);
        ck_assert_msg(cj__table_new(&allocator, lists[i], &t) == CJ_EMISUSE, "%s",
                      lists[i]);
        ck_assert_ptr_null(t);
        ck_assert_int_eq(memory.n_blocks, 0);
    }
}
END_TEST

START_TEST(test_table__lives_until_its_last_reference)
{
    cj_table *t = table_begin("a:i");

    cj__table_int64(t, 0, 42);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_ptr_eq(cj__table_retain(t), t);
    cj__table_free(t);
    ck_assert_int_eq(cj__table_int64_data(t, 0)[0], 42);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

static int32_t build(const cj__allocator *a)
{
    cj_table *t = NULL;
    int32_t rc = cj__table_new(a, "a:i b:d c:t", &t);

    if (rc != CJ_OK)
        return rc;
    cj__table_room(t, 50);
    for (int i = 0; i < 98; i++) {
        cj__table_int64(t, 0, i);
        cj__table_double(t, 1, i);
        cj__table_put(t, 2, i % 7 == 3 ? NULL : "twenty bytes of text");
    }
    cj__table_int64_extend(t, 0, 2);
    cj__table_null(t, 1);
    cj__table_null(t, 1);
    cj__table_rename(t, 1, "a longer name");
    cj__table_words(t, 2, &(cj__text){"word", 4}, 1, (const uint8_t[]){0, 0}, 2);
    rc = cj__table_finish(t, &t);
    ck_assert((rc == CJ_OK) == (t != NULL));
    cj__table_free(t);
    return rc;
}

START_TEST(test_table__out_of_memory)
{
    base_memory_faults(build);
}
END_TEST

/* Values come at once, then those that are not numbers turn into nulls; a row that is
 * null already stays the only one, and later rows are appended as ever. */
START_TEST(test_table__a_column_of_doubles_at_once)
{
    cj_table *t = table_begin("a:d b:d");
    double *a = cj__table_double_extend(t, 0, 11), *b;

    ck_assert_ptr_nonnull(a);
    for (int i = 0; i < 11; i++)
        a[i] = i == 3 || i == 9 ? strtod("nan", NULL) : i / 2.0;
    cj__table_null(t, 1);
    b = cj__table_double_extend(t, 1, 9);
    ck_assert_ptr_nonnull(b);
    for (int i = 0; i < 9; i++)
        b[i] = i == 8 ? strtod("nan", NULL) : -i;
    cj__table_null_nan(t, 0);
    cj__table_null_nan(t, 1);
    cj__table_double(t, 1, 42);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_int_eq(cj__table_rows(t), 11);
    ck_assert_int_eq(cj__table_nulls(t, 0), 2);
    ck_assert_int_eq(cj__table_nulls(t, 1), 2);
    for (int i = 0; i < 11; i++) {
        ck_assert_int_eq(cj__table_is_null(t, 0, i), i == 3 || i == 9);
        ck_assert_int_eq(cj__table_is_null(t, 1, i), i == 0 || i == 9);
        ck_assert(cj__table_double_data(t, 0)[i] == (i == 3 || i == 9 ? 0 : i / 2.0));
    }
    ck_assert(cj__table_double_data(t, 1)[10] == 42);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_table__nothing_is_null_without_nan)
{
    cj_table *t = table_begin("a:d n:i");

    cj__table_double_extend(t, 0, 1)[0] = 1;
    cj__table_int64(t, 1, 1);
    cj__table_null_nan(t, 0);
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    ck_assert_ptr_null(cj__table_validity(t, 0));
    cj__table_free(t);
    t = table_begin("a:d n:i");
    cj__table_null_nan(t, 1);                             /* not a column of doubles */
    ck_assert_ptr_null(cj__table_double_extend(t, 0, 1)); /* sticky */
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_EMISUSE);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

HARNESS_MAIN("base_table", test_table__three_types_and_their_names,
             test_table__wrong_columns_answer_nothing,
             test_table__without_rows_has_buffers, test_table__nulls_anywhere,
             test_table__extend_is_many_appends,
             test_table__room_is_one_piece_and_no_limit,
             test_table__room_comes_once_and_first, test_table__words_are_many_texts,
             test_table__a_column_may_have_any_name, test_table__misuse_is_sticky,
             test_table__finished_is_immutable,
             test_table_new__refuses_other_column_lists,
             test_table__lives_until_its_last_reference, test_table__out_of_memory,
             test_table__a_column_of_doubles_at_once,
             test_table__nothing_is_null_without_nan)
