/* What a fitted model says of itself: tables, facts, and that a caller's mistakes are
 * answered with a code. */
#include "clv_fits.h"

#include "base/table.h"
#include "base_memory.h"

#include <math.h>
#include <string.h>

static clv_table some_customers(void)
{
    clv_table t = {0};
    uint64_t dice = 5;

    for (int i = 0; i < 600; i++) {
        const double end = 100 + (double)(base_random(&dice) % 60);
        const double x = (double)(base_random(&dice) % 7) - 3;
        const double tx = 1 + (double)(base_random(&dice) % (uint64_t)end);

        clv_table_add(&t, (double[4]){x > 0 ? x : 0, x > 0 ? tx : 0, end,
                                      5 + (double)(base_random(&dice) % 40)});
    }
    return t;
}

static const char *cell(const cj_table *t, int64_t column, int64_t row, size_t *n)
{
    const int64_t *offsets;
    const char *bytes = cj__table_text_data(t, column, &offsets);

    *n = (size_t)(offsets[row + 1] - offsets[row]);
    return bytes + offsets[row];
}

static void expect_cell(const cj_table *t, int64_t column, int64_t row,
                        const char *want)
{
    size_t n;
    const char *got = cell(t, column, row, &n);

    ck_assert_msg(n == strlen(want) && memcmp(got, want, n) == 0, "%.*s, not %s",
                  (int)n, got, want);
}

START_TEST(test_result__parameters)
{
    clv_table t = some_customers();
    cj_clv *clv = clv_fit_model(&t, "nbd", 7);
    cj_table *table;

    ck_assert_int_eq(cj__clv_parameters(clv, &table), CJ_OK);
    ck_assert_int_eq(cj__table_rows(table), 2);
    ck_assert_int_eq(cj__table_columns(table), 5);
    expect_cell(table, 0, 0, "r");
    expect_cell(table, 0, 1, "alpha");
    for (int64_t i = 0; i < 2; i++) {
        const double estimate = cj__table_double_data(table, 1)[i];
        const double error = cj__table_double_data(table, 2)[i];
        const double low = cj__table_double_data(table, 3)[i];
        const double high = cj__table_double_data(table, 4)[i];

        ck_assert(estimate == clv->theta[i]);
        ck_assert(0 < low && low < estimate && estimate < high);
        ck_assert_double_eq_tol(sqrt(low * high), estimate, 1e-12 * estimate);
        ck_assert_double_eq_tol(log(high / low) / (2 * 1.959963985) * estimate, error,
                                1e-9 * error);
    }
    cj__table_free(table);
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

/* Where the data say nothing there is no error, and no number in its place. */
START_TEST(test_result__what_is_not_known_is_null)
{
    clv_table t = {0};
    cj_clv *clv;
    cj_table *table;

    clv_table_add(&t, (double[4]){0, 0, 10, 0});
    clv = clv_fit_model(&t, "bgnbd", 1);
    ck_assert_int_eq(cj__clv_parameters(clv, &table), CJ_OK);
    for (int64_t row = 0; row < 4; row++) {
        ck_assert(!cj__table_is_null(table, 1, row));
        for (int64_t column = 2; column < 5; column++)
            ck_assert(cj__table_is_null(table, column, row));
    }
    cj__table_free(table);
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

START_TEST(test_result__facts)
{
    clv_table t = some_customers();
    cj_clv *clv = clv_fit_model(&t, "nbd", 7);
    cj_clv_fit_facts f;

    cj__clv_facts(clv, &f);
    ck_assert_str_eq(f.model, "nbd");
    ck_assert_str_eq(f.status, "converged");
    ck_assert_int_eq(f.is_converged, 1);
    ck_assert_int_gt((int)strlen(f.text), 10);
    ck_assert(f.unit_days == 7 && f.k == 1 && f.n_rows == 600 && f.n_customers == 600);
    ck_assert(f.n_groups < 600 && f.n_groups > 100);
    ck_assert(f.n_estimated == 2 && f.n_iterations > 1 && f.n_iterations < 50);
    ck_assert_double_eq_tol(f.aic, 4 - 2 * f.loglik, 1e-9);
    ck_assert_double_eq_tol(f.bic, 2 * log(600) - 2 * f.loglik, 1e-9);
    ck_assert(f.condition >= 1 && f.gradient_norm < 1e-9);
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

START_TEST(test_result__models)
{
    cj_table *table;
    int64_t n = 0;

    ck_assert_int_eq(cj_clv_models(&table), CJ_OK);
    while (cj__clv_all[n] != NULL) {
        const cj__clv_model *m = cj__clv_all[n], *found;
        size_t length;

        expect_cell(table, 0, n, m->name);
        expect_cell(table, 1, n, m->title);
        for (int64_t column = 0; column < 6; column++) {
            cell(table, column, n, &length);
            ck_assert_int_gt((int)length, 0);
        }
        ck_assert_int_eq(cj__clv_model_find(m->name, &found), CJ_OK);
        ck_assert_ptr_eq(found, m);
        n++;
    }
    ck_assert_int_eq(cj_table_rows(table), n);
    expect_cell(table, 3, 0, "r alpha a b");
    cj_table_free(table);
}
END_TEST

/* Every limit a model names is one of its parameters, and every status has words. */
START_TEST(test_result__limits_are_of_parameters)
{
    for (size_t i = 0; cj__clv_all[i] != NULL; i++) {
        const cj__clv_model *m = cj__clv_all[i];

        for (const cj__clv_limit *l = m->limits; l != NULL && l->status != NULL; l++) {
            ck_assert(l->param >= 0 && l->param < m->n_params);
            ck_assert(l->direction == 1 || l->direction == -1);
            ck_assert_int_gt((int)strlen(l->text), 10);
            ck_assert_ptr_nonnull(cj__clv_status_of(m, l->status, "").name);
        }
        ck_assert_ptr_null(cj__clv_status_of(m, "splendid", "").name);
    }
    for (int i = 0; i < CJ__CLV_ENDS; i++)
        ck_assert_int_gt((int)strlen(cj__clv_ends[i].text), 10);
}
END_TEST

/* ---- the calls from outside
 * ------------------------------------------------------------ */

START_TEST(test_result__mistakes_have_a_code)
{
    clv_table t = some_customers();
    cj_clv_data data = clv_table_data(&t);
    const cj_clv_fit_options o = {.struct_size = (int64_t)sizeof o, .model = "nbd"};
    cj_clv_fit_facts facts = {.struct_size = (int64_t)sizeof facts};
    cj_clv_fit_facts older = {.struct_size = 24};
    cj_table *table;
    cj_clv *clv = (cj_clv *)(uintptr_t)1;
    char *text;
    int64_t n;

    ck_assert_int_eq(cj_clv_fit(NULL, NULL, &clv), CJ_EMISUSE);
    ck_assert_ptr_null(clv);
    ck_assert_int_eq(cj_clv_fit(&data, NULL, NULL), CJ_EMISUSE);
    data.struct_size = 3;
    ck_assert_int_eq(cj_clv_fit(&data, NULL, &clv), CJ_EMISUSE);
    data.struct_size = (int64_t)sizeof data;
    ck_assert_int_eq(cj_clv_fit(&data, &o, &clv), CJ_OK);
    ck_assert_int_eq(cj_clv_facts(clv, NULL), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_facts(NULL, &facts), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_facts(clv, &facts), CJ_OK);
    ck_assert_str_eq(facts.status, "converged");
    ck_assert_int_eq(cj_clv_facts(clv, &older), CJ_OK);
    ck_assert_str_eq(older.model, "nbd");
    ck_assert_ptr_null(older.text); /* beyond what an older caller knows */
    ck_assert_int_eq(cj_clv_parameters(NULL, &table), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_parameters(clv, NULL), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_models(NULL), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_to_json(clv, NULL, NULL), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_to_json(NULL, &text, &n), CJ_EMISUSE);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(cj_clv_to_json(clv, &text, &n), CJ_OK);
    cj_clv_free(clv);
    ck_assert_int_eq(cj_clv_from_json(text, -2, &clv), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_from_json(NULL, 0, &clv), CJ_EMISUSE);
    ck_assert_int_eq(cj_clv_from_json(text, n - 1, &clv), CJ_EINVAL);
    ck_assert_int_eq(cj_clv_from_json(text, -1, &clv), CJ_OK);
    cj_clv_free(clv);
    cj_clv_free(NULL);
    cj_text_free(text);
    clv_table_end(&t);
}
END_TEST

static int32_t call_tables(const cj__allocator *a)
{
    cj_table *models = NULL, *parameters = NULL;
    cj_clv *clv = NULL;
    int32_t rc = cj__clv_models(a, &models);

    if (rc == CJ_OK)
        rc = cj__clv_new(a, "bgnbd", &clv);
    if (rc == CJ_OK)
        rc = cj__clv_parameters(clv, &parameters);
    cj__table_free(models);
    cj__table_free(parameters);
    cj__clv_free(clv);
    return rc;
}

START_TEST(test_result__no_memory)
{
    base_memory_faults(call_tables);
}
END_TEST

HARNESS_MAIN("metrics_clv_result", test_result__parameters,
             test_result__what_is_not_known_is_null, test_result__facts,
             test_result__models, test_result__limits_are_of_parameters,
             test_result__mistakes_have_a_code, test_result__no_memory)
