/* Rows of words: what is written is read again, in as many bytes as the foot says and
 * no more, and nothing beyond the room is touched. */
#include "base_memory.h"

#include "base/words.h"

#include <string.h>

/* A word of 0 to 64 bits, all of them equally often. */
static uint64_t words_random(uint64_t *state)
{
    const uint64_t bits = base_random(state) % 65;

    return bits == 0 ? 0 : base_random(state) >> (64 - bits);
}

/* Bytes of a word, and of a row, by counting. */
static size_t slow_word(uint64_t word)
{
    size_t n = 0;

    for (; word != 0; word >>= 8)
        n++;
    return n == 7 ? 8 : n;
}

static size_t slow_row(const uint64_t *words, int n)
{
    size_t bytes = n <= 2 ? 1 : n <= 5 ? 2 : 3;

    for (int i = 0; i < n; i++)
        bytes += slow_word(words[i]);
    return bytes;
}

static void expect_row(const uint64_t *words, int n, size_t bytes)
{
    uint8_t row[CJ__WORDS_ROOM + 16];
    uint64_t read[CJ__WORDS_MOST];

    memset(row, 0xA5, sizeof row);
    ck_assert_uint_eq(cj__words_put(row, words, n), bytes);
    for (size_t i = CJ__WORDS_ROOM; i < sizeof row; i++)
        ck_assert_uint_eq(row[i], 0xA5);
    ck_assert_uint_eq(cj__words_get(row + bytes, read, n), bytes);
    for (int i = 0; i < n; i++)
        ck_assert_uint_eq(read[i], words[i]);
}

START_TEST(test_words__zeros_cost_the_foot_only)
{
    const uint64_t zeros[CJ__WORDS_MOST] = {0};

    expect_row(zeros, 1, 1);
    expect_row(zeros, 2, 1);
    expect_row(zeros, 3, 2);
    expect_row(zeros, 5, 2);
    expect_row(zeros, 6, 3);
    expect_row(zeros, 8, 3);
}
END_TEST

START_TEST(test_words__each_has_the_bytes_it_needs)
{
    uint64_t all[CJ__WORDS_MOST];

    expect_row((uint64_t[]){1}, 1, 2);
    expect_row((uint64_t[]){255, 256}, 2, 1 + 1 + 2);
    expect_row((uint64_t[]){0xFFFF, 0x10000, 0xFFFFFF}, 3, 2 + 2 + 3 + 3);
    expect_row((uint64_t[]){0xFFFFFFFFFFFF}, 1, 1 + 6);
    expect_row((uint64_t[]){0x1000000000000}, 1, 1 + 8); /* seven would do */
    expect_row((uint64_t[]){UINT64_MAX, 0, UINT64_MAX}, 3, 2 + 16);
    memset(all, 0xFF, sizeof all);
    expect_row(all, CJ__WORDS_MOST, 3 + 64);
}
END_TEST

START_TEST(test_words__every_width_beside_every_other)
{
    for (int a = 0; a <= 64; a++) {
        for (int b = 0; b <= 64; b++) {
            const uint64_t words[3] = {a == 0 ? 0 : UINT64_MAX >> (64 - a),
                                       b == 0 ? 0 : (uint64_t)1 << (b - 1), 7};

            expect_row(words, 3, slow_row(words, 3));
        }
    }
}
END_TEST

/* Behind one another, as they are kept; the bytes behind the last may be anything. */
START_TEST(test_words__rows_follow_one_another)
{
    enum { ROWS = 2000 };
    uint64_t state = 1;

    for (int n = 1; n <= CJ__WORDS_MOST; n++) {
        uint8_t *bytes = malloc(ROWS * CJ__WORDS_ROOM), *kept;
        uint64_t(*rows)[CJ__WORDS_MOST] = calloc(ROWS, sizeof *rows);
        size_t end = 0;

        for (int i = 0; i < ROWS; i++) {
            for (int k = 0; k < n; k++)
                rows[i][k] = words_random(&state);
            end += cj__words_put(bytes + end, rows[i], n);
        }
        kept = malloc(end + CJ__WORDS_BEYOND); /* a checker knows where it ends */
        memcpy(kept, bytes, end);
        memset(kept + end, n, CJ__WORDS_BEYOND);
        for (int i = ROWS - 1; i >= 0; i--) {
            uint64_t words[CJ__WORDS_MOST];
            const size_t took = cj__words_get(kept + end, words, n);

            ck_assert_uint_eq(took, slow_row(rows[i], n));
            ck_assert_mem_eq(words, rows[i], (size_t)n * sizeof *words);
            end -= took;
        }
        ck_assert_uint_eq(end, 0);
        free(kept);
        free(rows);
        free(bytes);
    }
}
END_TEST

HARNESS_MAIN("base_words", test_words__zeros_cost_the_foot_only,
             test_words__each_has_the_bytes_it_needs,
             test_words__every_width_beside_every_other,
             test_words__rows_follow_one_another)
