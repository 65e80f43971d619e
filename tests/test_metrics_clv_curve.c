/* Interpolated answers equal those worked out one by one, for functions that are
 * smooth, hardly smooth, and not smooth at all; and memory that is not there is said.
 */
#include "metrics/clv_curve.h"

#include "base_memory.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>

#define ROWS 3000

static double x[ROWS], tx[ROWS], t[ROWS], out[ROWS];

typedef struct curve_user {
    int kind;
    int64_t asked;
} curve_user;

static double function(int kind, double x_, double scale)
{
    if (kind == 0)
        return (1 + x_) / (3 + scale);
    if (kind == 1) /* narrow for large x: pieces are halved */
        return 1 / (1 + 100 * (1 + x_) * pow(log(scale / 20), 2));
    return fabs(scale - 33); /* a corner: worked out one by one around it */
}

static void at(void *user, double x_, double scale, double *numbers)
{
    curve_user *u = user;

    u->asked++;
    numbers[0] = function(u->kind, x_, scale);
    numbers[1] = 2 * numbers[0];
}

static double row(void *user, int64_t i, const double *numbers)
{
    (void)user;
    return tx[i] + numbers[1] - numbers[0];
}

static void fill(void)
{
    uint64_t state = 3;

    for (int i = 0; i < ROWS; i++) {
        x[i] = floor(-2 * log(clv_dice(&state)));
        tx[i] = clv_dice(&state);
        t[i] = 10 + 60 * clv_dice(&state);
    }
}

static int64_t answer(int kind, int64_t n, const cj__allocator *a)
{
    cj__clv_at model = {
        .theta = {1, 2},
          .allocator = a
    };
    const cj__clv_rows rows = {x, tx, t, NULL, n};
    const cj__clv_ask ask = {&model, &rows, 0, 0, 0, 0, NULL};
    curve_user user = {kind, 0};
    const cj__clv_curve curve = {&ask, 2, &user, at, row};

    ck_assert_int_eq(cj__clv_curve_answer(&curve, out), CJ_OK);
    return user.asked;
}

static void expect_each(int kind, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const double wanted = tx[i] + function(kind, x[i], 2 + t[i]);

        ck_assert_msg(fabs(out[i] - wanted) < 1e-12 * (1 + fabs(wanted)) * 10,
                      "row %d of kind %d: %.15g instead of %.15g", (int)i, kind, out[i],
                      wanted);
    }
}

START_TEST(test_metrics_clv_curve__equals_one_by_one)
{
    cj__ctx context;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    fill();
    for (int kind = 0; kind < 3; kind++) {
        for (int64_t n = 0; n <= ROWS; n = n * 3 + 5) {
            answer(kind, n, &context.allocator);
            expect_each(kind, n);
        }
    }
}
END_TEST

START_TEST(test_metrics_clv_curve__asks_few_places_where_smooth)
{
    cj__ctx context;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    fill();
    ck_assert_int_lt(answer(0, ROWS, &context.allocator), ROWS / 3);
    ck_assert_int_lt(answer(1, ROWS, &context.allocator), ROWS * 5);
    ck_assert_int_eq(answer(0, 1, &context.allocator), 16);
}
END_TEST

START_TEST(test_metrics_clv_curve__neither_order_nor_company_matter)
{
    static double before[ROWS];
    cj__ctx context;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    fill();
    answer(1, ROWS, &context.allocator);
    for (int i = 0; i < ROWS; i++)
        before[i] = out[i];
    for (int i = 0; i < ROWS / 2; i++) {
        double *columns[] = {x, tx, t};

        for (int c = 0; c < 3; c++) {
            const double swap = columns[c][i];

            columns[c][i] = columns[c][ROWS - 1 - i];
            columns[c][ROWS - 1 - i] = swap;
        }
    }
    answer(1, ROWS, &context.allocator);
    for (int i = 0; i < ROWS; i++)
        ck_assert_double_eq(out[i], before[ROWS - 1 - i]);
    answer(1, ROWS / 3, &context.allocator); /* less company */
    for (int i = 0; i < ROWS / 3; i++)
        ck_assert_double_eq(out[i], before[ROWS - 1 - i]);
}
END_TEST

static int32_t without_memory(const cj__allocator *a)
{
    cj__clv_at model = {
        .theta = {1, 2},
          .allocator = a
    };
    const cj__clv_rows rows = {x, tx, t, NULL, ROWS};
    const cj__clv_ask ask = {&model, &rows, 0, 0, 0, 0, NULL};
    curve_user user = {0, 0};
    const cj__clv_curve curve = {&ask, 2, &user, at, row};

    return cj__clv_curve_answer(&curve, out);
}

START_TEST(test_metrics_clv_curve__says_when_memory_is_short)
{
    fill();
    base_memory_faults(without_memory);
    expect_each(0, ROWS);
}
END_TEST

HARNESS_MAIN("metrics_clv_curve", test_metrics_clv_curve__equals_one_by_one,
             test_metrics_clv_curve__asks_few_places_where_smooth,
             test_metrics_clv_curve__neither_order_nor_company_matter,
             test_metrics_clv_curve__says_when_memory_is_short)
