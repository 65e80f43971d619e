/* Long answers tell how far they are, and can be stopped at any report: predictions and
 * comparisons, by one thread and by several; who does not ask sees no difference. */
#include "cjourney.h"
#include "clv_tiny.h"
#include "harness.h"
#include "metrics/clv_predict.h"

#include <stddef.h>
#include <string.h>

enum { N = CJ__CLV_BLOCK + 6000 };

static const double theta[] = {0.6, 5, 2.2, 50};
static const double covariance[4][CJ__CLV_PARAMS] = {
    {0.04, 0,    0,    0   },
    {0,    0.09, 0,    0   },
    {0,    0,    0.16, 0   },
    {0,    0,    0,    0.25}
};
static int64_t x[N], later[N];
static double tx[N], t[N];

static cj_clv_data people(int64_t n)
{
    for (int i = 0; i < N; i++) {
        t[i] = 100 + (double)(i * 7 % 300);
        x[i] = (int64_t)(i % 3 * (i % 5));
        tx[i] = x[i] > 0 ? t[i] / (1 + i % 4) : 0;
        later[i] = i % 2 * (i % 3);
    }
    return (cj_clv_data){
        .struct_size = sizeof(cj_clv_data), .n = n, .x = x, .tx = tx, .t = t};
}

/* What was reported; stops at call `stop`, from 1. */
typedef struct reports {
    int64_t n, stop, last, total;
} reports;

static int32_t listen(void *user, int64_t done, int64_t total)
{
    reports *r = user;

    ck_assert_int_ge(done, r->last); /* it never goes back */
    ck_assert_int_le(done, total);
    r->last = done;
    r->total = total;
    r->n++;
    return r->n == r->stop;
}

static cj_clv_predict_options wanted(int64_t columns, reports *r)
{
    return (cj_clv_predict_options){.struct_size = sizeof(cj_clv_predict_options),
                                    .columns = columns,
                                    .discount_ratio = 0.1,
                                    .progress = listen,
                                    .progress_user = r};
}

static void expect_same(const cj_table *a, const cj_table *b)
{
    ck_assert_int_eq(cj_table_columns(a), cj_table_columns(b));
    for (int64_t c = 0; c < cj_table_columns(a); c++)
        ck_assert_mem_eq(cj_table_double(a, c), cj_table_double(b, c),
                         (size_t)cj_table_rows(a) * sizeof(double));
}

START_TEST(test_clv_predict__tells_how_far_it_is)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(20000);
    reports r = {0};
    cj_clv_predict_options o = wanted(
        CJ_CLV_P_ALIVE | CJ_CLV_DISCOUNTED | CJ_CLV_QUANTILES | CJ_CLV_INTERVALS, &r);
    cj_table *told, *silent;

    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &told), CJ_OK);
    /* not once for all: a question of questions may take half a minute */
    ck_assert_int_gt(r.n, 400);
    ck_assert_int_eq(r.total, 20000);
    ck_assert_int_ge(r.last, 2 * 20000 / 3); /* while it asked the third */
    o.progress = NULL;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &silent), CJ_OK);
    expect_same(told, silent);
    cj_table_free(told);
    cj_table_free(silent);
}
END_TEST

START_TEST(test_clv_predict__can_be_stopped_at_any_report)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(5000);
    const int step = harness_stride(11);
    int32_t rc = CJ_EINTERRUPT;
    int64_t stop = 1 - step;

    while (rc == CJ_EINTERRUPT) {
        reports r = {.stop = stop += step};
        cj_clv_predict_options o = wanted(CJ_CLV_EXPECTED | CJ_CLV_BACK | CJ_CLV_NEXT |
                                              CJ_CLV_QUANTILES | CJ_CLV_INTERVALS,
                                          &r);
        cj_table *out;

        rc = cj_clv_predict(&clv, NULL, &data, &o, &out);
        if (rc == CJ_EINTERRUPT) {
            ck_assert_int_eq(r.n, stop); /* and no report after it */
            ck_assert_str_eq(cj_errmsg(), "stopped by the progress function");
            ck_assert_ptr_null(out);
        }
        cj_table_free(out);
    }
    ck_assert_int_eq(rc, CJ_OK);
    ck_assert_int_gt(stop, 30);
}
END_TEST

START_TEST(test_clv_predict__few_customers_are_told_of_too)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv_data data = people(3);
    reports r = {.stop = 1};
    const cj_clv_predict_options o = wanted(CJ_CLV_P_ALIVE, &r);
    cj_table *out;

    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_EINTERRUPT);
    ck_assert_int_eq(r.total, 3);
}
END_TEST

START_TEST(test_clv_predict__several_threads_stop_together)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, covariance, 7);
    const cj_clv_data data = people(N);
    cj_table *out, *alone;
    reports r = {0};
    cj_clv_predict_options o = wanted(CJ_CLV_P_ALIVE | CJ_CLV_BACK, &r);

    o.threads = 2;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    ck_assert_int_eq(r.total, N);
    o.threads = 1;
    o.progress = NULL;
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &alone), CJ_OK);
    expect_same(out, alone);
    cj_table_free(alone);
    cj_table_free(out);
    for (int64_t stop = 1; stop < 4; stop++) {
        r = (reports){.stop = stop};
        o = wanted(CJ_CLV_DISCOUNTED | CJ_CLV_INTERVALS, &r);
        o.threads = 2;
        ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_EINTERRUPT);
        ck_assert_str_eq(cj_errmsg(), "stopped by the progress function");
        ck_assert_int_eq(r.n, stop);
    }
}
END_TEST

/* A program of before these options had a hook: what stands behind is not its own. */
START_TEST(test_clv_options__of_an_older_program_have_no_hook)
{
    const cj_clv clv = clv_tiny_fitted(&clv_tiny, theta, NULL, 7);
    const cj_clv_data data = people(500);
    reports r = {.stop = 1};
    cj_clv_predict_options o = wanted(0, &r);
    cj_clv_compare_options c = {.progress = listen, .progress_user = &r};
    cj_table *out;

    o.struct_size = (int64_t)offsetof(cj_clv_predict_options, progress);
    ck_assert_int_eq(cj_clv_predict(&clv, NULL, &data, &o, &out), CJ_OK);
    cj_table_free(out);
    c.struct_size = (int64_t)offsetof(cj_clv_compare_options, progress);
    ck_assert_int_eq(cj_clv_compare(&data, &c, &out), CJ_OK);
    cj_table_free(out);
    ck_assert_int_eq(r.n, 0);
}
END_TEST

START_TEST(test_clv_compare__counts_models_and_can_be_stopped_at_any_report)
{
    static const char *const models[] = {"nbd", "bgnbd"};
    const cj_clv_data data = people(400);
    const cj_clv_holdout holdout = {
        .struct_size = sizeof holdout, .days = 90, .x = later};
    cj_clv_compare_options o = {.struct_size = sizeof o,
                                .models = models,
                                .n_models = 2,
                                .holdout = &holdout,
                                .progress = listen};
    int32_t rc = CJ_EINTERRUPT;
    int64_t stop = 0;
    cj_table *out;

    while (rc == CJ_EINTERRUPT) {
        reports r = {.stop = ++stop};

        o.progress_user = &r;
        rc = cj_clv_compare(&data, &o, &out);
        ck_assert_int_eq(r.total, 2);
        if (rc == CJ_EINTERRUPT) {
            ck_assert_int_eq(r.n, stop);
            ck_assert_ptr_null(out);
        } else {
            ck_assert_int_eq(r.last, 2);
        }
    }
    ck_assert_int_eq(rc, CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 2);
    ck_assert_int_gt(stop, 10); /* of a fit each look at the data is one */
    cj_table_free(out);
}
END_TEST

HARNESS_MAIN("metrics_clv_pulse", test_clv_predict__tells_how_far_it_is,
             test_clv_predict__can_be_stopped_at_any_report,
             test_clv_predict__few_customers_are_told_of_too,
             test_clv_predict__several_threads_stop_together,
             test_clv_options__of_an_older_program_have_no_hook,
             test_clv_compare__counts_models_and_can_be_stopped_at_any_report)
