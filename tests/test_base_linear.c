/* Eigenvalues: of matrices that are known, and of random ones put together again. */
#include "base/linear.h"

#include "base_memory.h"

#include <math.h>
#include <string.h>

enum { MOST = 40 };

static double a[MOST * MOST], copy[MOST * MOST], values[MOST], vectors[MOST * MOST];

static double random_part(uint64_t *state) /* in (-1, 1) */
{
    return (double)(int64_t)base_random(state) * 0x1p-63;
}

/* V diag(values) V' is the matrix, V'V is one. */
static void expect_whole(int32_t n, double size)
{
    for (int32_t i = 0; i < n; i++) {
        ck_assert(i == 0 || values[i] >= values[i - 1]);
        for (int32_t j = 0; j < n; j++) {
            double whole = 0, one = 0;

            for (int32_t k = 0; k < n; k++) {
                whole += vectors[i * n + k] * values[k] * vectors[j * n + k];
                one += vectors[k * n + i] * vectors[k * n + j];
            }
            ck_assert_double_eq_tol(whole, copy[i * n + j], 1e-13 * size);
            ck_assert_double_eq_tol(one, i == j, 1e-13);
        }
    }
}

START_TEST(test_linear__known)
{
    const double two[4] = {2, 1, 1, 2};
    const double diagonal[9] = {3, 0, 0, 0, -1, 0, 0, 0, 2};

    memcpy(a, two, sizeof two);
    cj__eigen(2, a, values, vectors);
    ck_assert_double_eq_tol(values[0], 1, 1e-15);
    ck_assert_double_eq_tol(values[1], 3, 1e-15);
    ck_assert_double_eq_tol(fabs(vectors[0]), sqrt(.5), 1e-15);
    memcpy(a, diagonal, sizeof diagonal);
    cj__eigen(3, a, values, vectors);
    ck_assert(values[0] == -1 && values[1] == 2 && values[2] == 3);
    a[0] = 7;
    cj__eigen(1, a, values, vectors);
    ck_assert(values[0] == 7 && vectors[0] == 1);
    cj__eigen(0, a, values, vectors); /* nothing happens */
}
END_TEST

START_TEST(test_linear__random_ones_can_be_put_together_again)
{
    uint64_t state = 5;

    for (int32_t n = 1; n <= MOST; n += n < 6 ? 1 : 7) {
        for (int turn = 0; turn < 20; turn++) {
            for (int32_t i = 0; i < n; i++) {
                for (int32_t j = 0; j <= i; j++)
                    a[i * n + j] = a[j * n + i] = random_part(&state);
            }
            memcpy(copy, a, sizeof a);
            cj__eigen(n, a, values, vectors);
            expect_whole(n, n);
        }
    }
}
END_TEST

/* Small eigenvalues beside large ones keep their digits when the matrix says them. */
START_TEST(test_linear__graded)
{
    const double graded[9] = {1e20, 1e9, 1e-1, 1e9, 1, 1e-11, 1e-1, 1e-11, 1e-20};

    memcpy(a, graded, sizeof graded);
    memcpy(copy, a, sizeof a);
    cj__eigen(3, a, values, vectors);
    expect_whole(3, 1e20);
    ck_assert_double_eq_tol(values[2] / 1e20, 1, 1e-14);
    ck_assert_double_eq_tol(values[1], 1 - 1e-2, 1e-13);
}
END_TEST

START_TEST(test_linear__rank_one_and_none)
{
    for (int32_t i = 0; i < 16; i++)
        a[i] = copy[i] = 1;
    cj__eigen(4, a, values, vectors);
    expect_whole(4, 4);
    ck_assert_double_eq_tol(values[3], 4, 1e-14);
    memset(a, 0, sizeof a);
    memset(copy, 0, sizeof copy);
    cj__eigen(4, a, values, vectors);
    expect_whole(4, 1);
}
END_TEST

HARNESS_MAIN("base_linear", test_linear__known,
             test_linear__random_ones_can_be_put_together_again, test_linear__graded,
             test_linear__rank_one_and_none)
