/* cj_clv_compare: in the world of one model that model comes first; the order follows
 * the criterion; what cannot be fitted is told, and stands last. */
#include "cjourney.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static clv_cohort cohort;
static int64_t x[20000], later[20000];

static const clv_story story = {
    .model = "bgnbd",
    .k = 1,
    .theta = {0.6, 30, 0.8, 2.4},
    .n = 20000,
    .t_min = 250,
    .t_max = 400,
    .future = 200,
    .seed = 12
};

static cj_clv_data world(void)
{
    clv_simulate(&story, &cohort);
    for (int64_t i = 0; i < cohort.n; i++) {
        x[i] = (int64_t)cohort.x[i];
        later[i] = (int64_t)cohort.later[i];
    }
    return (cj_clv_data){.struct_size = sizeof(cj_clv_data),
                         .n = cohort.n,
                         .x = x,
                         .tx = cohort.tx,
                         .t = cohort.t};
}

static cj_clv_holdout future(void)
{
    return (cj_clv_holdout){
        .struct_size = sizeof(cj_clv_holdout), .days = 200, .x = later};
}

static int text_is(const cj_table *table, int64_t column, int64_t row, const char *want)
{
    const int64_t *offsets;
    const char *bytes = cj_table_text(table, column, &offsets);

    return (size_t)(offsets[row + 1] - offsets[row]) == strlen(want) &&
           memcmp(bytes + offsets[row], want, strlen(want)) == 0;
}

static const double *column(const cj_table *table, const char *name)
{
    for (int64_t i = 0; i < cj_table_columns(table); i++) {
        if (strcmp(cj_table_name(table, i), name) == 0)
            return cj_table_double(table, i);
    }
    ck_abort_msg("no column %s", name);
    return NULL;
}

START_TEST(test_clv_compare__its_own_world)
{
    const cj_clv_data data = world();
    const cj_clv_holdout holdout = future();
    static const char *const names[] = {"nbd", "mbgnbd", "bgnbd"};
    cj_clv_compare_options o = {.struct_size = sizeof o,
                                .models = names,
                                .n_models = 3,
                                .holdout = &holdout,
                                .criterion = "loglik"};
    cj_table *out;

    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 3);
    ck_assert(text_is(out, 0, 0, "bgnbd") && text_is(out, 1, 0, "BG/NBD"));
    ck_assert(text_is(out, 2, 0, "converged"));
    ck_assert(text_is(out, 0, 2, "nbd"));
    ck_assert_int_eq(cj_table_int64(out, 3)[0], 4);
    ck_assert_int_eq(cj_table_int64(out, 3)[2], 2);
    ck_assert(fabs(column(out, "bias_ratio")[0]) < 0.05);
    ck_assert(column(out, "bias_ratio")[2] > 0.3); /* nobody leaves, it thinks */
    for (int i = 0; i < 3; i++) {
        const double params = i < 2 ? 4 : 2, loglik = column(out, "loglik")[i];

        ck_assert_double_eq_tol(column(out, "aic")[i], 2 * params - 2 * loglik, 1e-6);
        ck_assert_double_eq_tol(column(out, "bic")[i], params * log(20000) - 2 * loglik,
                                1e-6);
    }
    cj_table_free(out);
    clv_cohort_end(&cohort);
}
END_TEST

/* Whatever the criterion, its column rises or falls over the rows. */
START_TEST(test_clv_compare__best_first)
{
    static const struct {
        const char *name, *column;
        double sign; /* 1: small is good */
    } cases[] = {
        {"mae",         "mae",         1 },
        {"rmse",        "rmse",        1 },
        {"msle",        "msle",        1 },
        {"gini",        "gini_ratio",  -1},
        {"calibration", "calibration", 1 },
        {"aic",         "aic",         1 },
        {"bic",         "bic",         1 },
        {"loglik",      "loglik",      -1},
        {NULL,          "mae",         1 },
    };
    cj_clv_data data = world();
    const cj_clv_holdout holdout = future();

    data.n = 3000;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        cj_clv_compare_options o = {.struct_size = sizeof o,
                                    .holdout = &holdout,
                                    .unit_days = 7,
                                    .criterion = cases[c].name};
        cj_table *out;
        const double *key;

        ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_OK);
        ck_assert_int_eq(cj_table_rows(out), 4);
        key = column(out, cases[c].column);
        for (int i = 1; i < 4; i++)
            ck_assert_msg(cases[c].sign * key[i - 1] <= cases[c].sign * key[i], "%s",
                          cases[c].column);
        cj_table_free(out);
    }
    clv_cohort_end(&cohort);
}
END_TEST

START_TEST(test_clv_compare__without_holdout_by_bic)
{
    cj_clv_data data = world();
    cj_table *out;

    data.n = 3000;
    ck_assert_int_eq(cj_clv_compare(&data, NULL, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 4);
    for (int i = 1; i < 4; i++)
        ck_assert(column(out, "bic")[i - 1] <= column(out, "bic")[i]);
    for (int64_t c = 7; c < cj_table_columns(out); c++)
        ck_assert_int_eq(cj_table_validity(out, c)[0] & 15, 0); /* all null */
    cj_table_free(out);
    data.litt = cohort.litt;
    data.n = 500;
    ck_assert_int_eq(cj_clv_compare(&data, NULL, &out), CJ_OK);
    ck_assert_int_eq(cj_table_rows(out), 6);
    cj_table_free(out);
    clv_cohort_end(&cohort);
}
END_TEST

/* BG/BB counts periods: these times are none. */
START_TEST(test_clv_compare__what_cannot_be_fitted_is_last)
{
    static const char *const names[] = {"bgbb", "nbd"};
    cj_clv_data data = world();
    const cj_clv_compare_options o = {
        .struct_size = sizeof o, .models = names, .n_models = 2};
    cj_table *out;

    data.n = 1000;
    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_OK);
    ck_assert(text_is(out, 0, 0, "nbd") && text_is(out, 0, 1, "bgbb"));
    ck_assert_int_eq(cj_table_validity(out, 4)[0] & 3, 1);
    ck_assert(!text_is(out, 2, 1, "converged"));
    cj_table_free(out);
    clv_cohort_end(&cohort);
}
END_TEST

START_TEST(test_clv_compare__refusals)
{
    static const char *const unknown[] = {"bgnbf"}, *const spend[] = {"gammagamma"};
    cj_clv_data data = world();
    cj_clv_compare_options o = {.struct_size = sizeof o, .criterion = "mae"};
    cj_table *out;

    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "mae needs a holdout");
    o.criterion = "beauty";
    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_EINVAL);
    o.criterion = NULL;
    o.models = unknown;
    o.n_models = 1;
    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_ENOTFOUND);
    o.models = spend;
    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_EINVAL);
    o.n_models = 0;
    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_EINVAL);
    o.models = NULL;
    o.threads = 1000;
    ck_assert_int_eq(cj_clv_compare(&data, &o, &out), CJ_EINVAL);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(cj_clv_compare(NULL, &o, &out), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_compare(&data, &o, NULL), CJ_EMISUSE);
    clv_cohort_end(&cohort);
}
END_TEST

HARNESS_MAIN("metrics_clv_compare", test_clv_compare__its_own_world,
             test_clv_compare__best_first, test_clv_compare__without_holdout_by_bic,
             test_clv_compare__what_cannot_be_fitted_is_last,
             test_clv_compare__refusals)
