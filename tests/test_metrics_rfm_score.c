/* Scores against counting who is worse, by hand and over random values of every kind
 * that takes another path: few values, wide values, negative ones, extremes. */
#include "metrics/rfm.h"

#include "base_memory.h"

#include <string.h>

static cj__ctx context;

static const cj__allocator *allocator(void)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    return &context.allocator;
}

static void expect_scores(const int64_t *values, int64_t n, int64_t n_bins, int less,
                          const int64_t *want)
{
    int64_t *got = calloc((size_t)n + 1, sizeof *got);
    cj__rfm_scale s = {.less_is_better = less};

    ck_assert_int_eq(cj__rfm_scale_quantile(&s, allocator(), values, n, n_bins), CJ_OK);
    ck_assert_int_eq(s.n_scores, n_bins);
    ck_assert_int_lt(s.n_limits, n_bins);
    cj__rfm_scores(&s, values, n, got);
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(got[i] == want[i], "value %lld of %lld: %lld instead of %lld",
                      (long long)values[i], (long long)n, (long long)got[i],
                      (long long)want[i]);
    free(got);
}

START_TEST(test_rfm_score__by_hand)
{
    const int64_t ten[] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
    const int64_t up[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    const int64_t down[] = {5, 5, 4, 4, 3, 3, 2, 2, 1, 1};
    const int64_t ties[] = {1, 1, 1, 1, 1, 1, 1, 1, 7, 9};
    const int64_t ties_up[] = {1, 1, 1, 1, 1, 1, 1, 1, 5, 5};
    const int64_t ties_down[] = {2, 2, 2, 2, 2, 2, 2, 2, 1, 1};
    const int64_t one[] = {-3}, one_score[] = {1};

    expect_scores(ten, 10, 5, 0, up);
    expect_scores(ten, 10, 5, 1, down);
    expect_scores(ties, 10, 5, 0, ties_up);
    expect_scores(ties, 10, 5, 1, ties_down);
    expect_scores(one, 1, 10, 0, one_score);
    expect_scores(one, 1, 2, 1, one_score);
    expect_scores(one, 0, 5, 1, one_score);
}
END_TEST

/* Six customers: as many as are worse, in fourths of all, whole ones only. */
START_TEST(test_rfm_score__quartiles_of_six_customers)
{
    const int64_t days[] = {1, 37, 33, 2, 20, 5};
    const int64_t orders[] = {2, 1, 3, 3, 3, 1};
    const int64_t money[] = {150, 200, 300, 600, 400, 500};
    const int64_t r[] = {4, 1, 1, 3, 2, 3}, m[] = {1, 1, 2, 4, 3, 3};
    const int64_t f[] = {2, 1, 3, 3, 3, 1};

    expect_scores(days, 6, 4, 1, r);
    expect_scores(orders, 6, 4, 0, f);
    expect_scores(money, 6, 4, 0, m);
}
END_TEST

START_TEST(test_rfm_score__equals_counting_who_is_worse)
{
    static const uint64_t masks[] = {1, 15, 1023, 65535, 1 << 20, ~0ull};
    uint64_t random = 88172645463325252u;
    int64_t values[300], want[300];

    for (int round = 0; round < 400; round++) {
        int64_t n = 1 + round % 300, n_bins = 2 + round % 9;
        uint64_t mask = masks[round % 6];
        int less = round / 6 % 2;

        for (int64_t i = 0; i < n; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            values[i] = (int64_t)((random >> 3) & mask) - (round % 5) * 100;
            if (round % 60 == 5)
                values[i] = i % 3 == 0 ? INT64_MIN : i % 3 == 1 ? INT64_MAX : i;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t worse = 0;

            for (int64_t k = 0; k < n; k++)
                worse += less ? values[k] > values[i] : values[k] < values[i];
            want[i] = 1 + n_bins * worse / n;
        }
        expect_scores(values, n, n_bins, less, want);
    }
}
END_TEST

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* More values than buckets, most of them close together, a few very far: scores begin
 * within buckets, between them, and several in one. */
START_TEST(test_rfm_score__equals_ranks_of_many_skewed_values)
{
    enum { N = 200000 };
    int64_t *values = calloc(N, sizeof *values), *sorted = calloc(N, sizeof *sorted);
    int64_t *want = calloc(N, sizeof *want);
    uint64_t random = 88172645463325252u;

    for (int round = 0; round < 12; round++) {
        int64_t n_bins = 2 + round % 9, width = (int64_t)1 << (4 * (round % 6));
        int less = round % 2;

        for (int64_t i = 0; i < N; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            values[i] = (int64_t)(random >> 33) % width * (round % 3 + 1) - 1000;
            if (random >> 40 == 7)
                values[i] = (round % 4 == 0 ? INT64_MIN : INT64_MAX) / (1 + i % 5);
        }
        memcpy(sorted, values, N * sizeof *values);
        qsort(sorted, N, sizeof *sorted, by_value);
        for (int64_t i = 0; i < N; i++) {
            int64_t low = 0, high = N;

            while (low < high) { /* values below, or not above, this one */
                int64_t middle = (low + high) / 2;

                if (less ? sorted[middle] <= values[i] : sorted[middle] < values[i])
                    low = middle + 1;
                else
                    high = middle;
            }
            want[i] = 1 + n_bins * (less ? N - low : low) / N;
        }
        expect_scores(values, N, n_bins, less, want);
    }
    free(values);
    free(sorted);
    free(want);
}
END_TEST

static int32_t scale_once(const cj__allocator *a)
{
    int64_t values[500];
    cj__rfm_scale s = {0};

    for (int64_t i = 0; i < 500; i++)
        values[i] = i * i * i;
    return cj__rfm_scale_quantile(&s, a, values, 500, 5);
}

START_TEST(test_rfm_score__out_of_memory)
{
    base_memory_faults(scale_once);
}
END_TEST

START_TEST(test_rfm_score__fixed_thresholds)
{
    const int64_t limits[] = {10, 20, 30};
    const int64_t values[] = {-5, 9, 10, 11, 19, 20, 29, 30, 31, 1000};
    const int64_t up[] = {1, 1, 2, 2, 2, 3, 3, 4, 4, 4};
    const int64_t down[] = {4, 4, 4, 3, 3, 3, 2, 2, 1, 1};
    cj__rfm_scale s = {0};
    int64_t got[10];

    ck_assert_int_eq(cj__rfm_scale_fixed(&s, "f_limits", limits, 3), CJ_OK);
    ck_assert_int_eq(s.n_scores, 4);
    cj__rfm_scores(&s, values, 10, got);
    ck_assert_mem_eq(got, up, sizeof up);
    s.less_is_better = 1;
    cj__rfm_scores(&s, values, 10, got);
    ck_assert_mem_eq(got, down, sizeof down);
}
END_TEST

START_TEST(test_rfm_score__scores_come_to_fifths)
{
    for (int64_t n = 2; n <= 10; n++) {
        int last = -1;

        for (int64_t score = 1; score <= n; score++) {
            int fifth = cj__rfm_fifth(score, n);

            ck_assert_int_ge(fifth, last);
            ck_assert_int_le(fifth, 4);
            ck_assert_int_eq(fifth + 1, (score * 5 + n - 1) / n);
            last = fifth;
        }
        ck_assert_int_eq(last, 4);
    }
    for (int64_t score = 1; score <= 5; score++)
        ck_assert_int_eq(cj__rfm_fifth(score, 5), score - 1);
}
END_TEST

HARNESS_MAIN("metrics_rfm_score", test_rfm_score__by_hand,
             test_rfm_score__quartiles_of_six_customers,
             test_rfm_score__equals_counting_who_is_worse,
             test_rfm_score__equals_ranks_of_many_skewed_values,
             test_rfm_score__out_of_memory, test_rfm_score__fixed_thresholds,
             test_rfm_score__scores_come_to_fifths)
