/* Fitted models as JSON and back: every bit, for every model and end; what is wrong in
 * a text is named, and no byte of it can do harm. */
#include "clv_fits.h"

#include "base/table.h"
#include "base_memory.h"
#include "random_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cj_clv *read_back(const char *json, size_t n)
{
    cj_clv *clv = NULL;
    const int32_t rc = cj__clv_from_json(clv_memory(), json, n, &clv);

    ck_assert_msg(rc == CJ_OK, "%s: %s", cj__error_text(), json);
    return clv;
}

static void expect_round_trip(const cj_clv *clv)
{
    char *text, *again;
    int64_t n, n_again;
    cj_clv *back;

    ck_assert_int_eq(cj__clv_to_json(clv, &text, &n), CJ_OK);
    ck_assert_int_eq((int64_t)strlen(text), n);
    back = read_back(text, (size_t)n);
    clv_expect_same(clv, back);
    ck_assert_int_eq(clv->n_rows, back->n_rows);
    ck_assert_int_eq(clv->is_k_chosen, back->is_k_chosen);
    ck_assert_int_eq(clv->has_covariance, back->has_covariance);
    ck_assert_mem_eq(clv->names, back->names, sizeof clv->names);
    ck_assert(clv->unit_days == back->unit_days && clv->model == back->model);
    ck_assert_int_eq(cj__clv_to_json(back, &again, &n_again), CJ_OK);
    ck_assert_int_eq(strcmp(text, again), 0);
    cj__text_free(text);
    cj__text_free(again);
    cj__clv_free(back);
}

/* Customers by dice; good: they come back often enough to learn something. */
static void diced(clv_table *t, const cj__clv_model *model, int good)
{
    uint64_t dice = 8;

    memset(t, 0, sizeof *t);
    for (int i = 0; i < 500; i++) {
        const double end = 20 + (double)(base_random(&dice) % 80);
        double x = (double)(base_random(&dice) % 9) - 4;
        double tx = floor(end * (double)(1 + base_random(&dice) % 100) / 100);

        x = !good || x < 0 ? 0 : fmin(x, model->family == CJ__CLV_CONTRACT ? 1 : 9);
        if (tx < x)
            tx = x;
        clv_table_add(t, (double[4]){x, x > 0 ? tx : 0, end,
                                     10 + (double)(base_random(&dice) % 90)});
    }
}

START_TEST(test_json__every_model_and_end_comes_back)
{
    for (size_t m = 0; cj__clv_all[m] != NULL; m++) {
        for (int good = 0; good < 2; good++) {
            clv_table t;
            cj_clv *clv;

            diced(&t, cj__clv_all[m], good);
            clv = clv_fit_model(&t, cj__clv_all[m]->name, 1.0 / 3);
            expect_round_trip(clv);
            for (const cj__clv_limit *l = clv->model->limits; l && l->status; l++) {
                clv->status = (cj__clv_status){l->status, l->text};
                expect_round_trip(clv);
            }
            for (int e = 0; e < CJ__CLV_ENDS; e++) {
                clv->status = cj__clv_ends[e];
                expect_round_trip(clv);
            }
            cj__clv_free(clv);
            clv_table_end(&t);
        }
    }
}
END_TEST

static cj_clv *with_covariates(void)
{
    static const char *const names[] = {"age", "\"quoted\", \xC3\xBC"};
    const cj__clv_model *model;
    double covariates[1000];
    clv_table t;
    cj_clv_data data;
    const cj_clv_fit_options o = {.model = "bgnbd", .unit_days = 7};
    cj_clv *clv;

    ck_assert_int_eq(cj__clv_model_find("bgnbd", &model), CJ_OK);
    diced(&t, model, 1);
    for (int i = 0; i < 1000; i++)
        covariates[i] = (i * 7919 % 13) / 3.0;
    data = clv_table_data(&t);
    data.covariates = covariates;
    data.n_covariates = 2;
    data.covariate_names = names;
    clv = clv_fit(&data, &o);
    clv_table_end(&t);
    return clv;
}

START_TEST(test_json__covariates_come_back)
{
    cj_clv *clv = with_covariates();
    char *text;

    ck_assert_int_eq(clv->n_free, 8);
    expect_round_trip(clv);
    ck_assert_int_eq(cj__clv_to_json(clv, &text, NULL), CJ_OK);
    ck_assert_ptr_nonnull(strstr(text, "\"covariates\":[\"age\",\"\\\"quoted\\\""));
    ck_assert_ptr_nonnull(strstr(text, "\"purchase:age\":"));
    ck_assert_ptr_nonnull(strstr(text, "\"dropout:age\":"));
    cj__text_free(text);
    cj__clv_free(clv);
}
END_TEST

/* What somebody may write by hand, from a paper. */
START_TEST(test_json__the_least_there_must_be)
{
    const char *json =
        "{\"format\":1, \"model\":\"bgnbd\", \"unit_days\":7, \"params\":"
        "{\"r\":0.243,\"alpha\":4.414,\"a\":0.793,\"b\":2.426},"
        "\"loglik\":-9582.4, \"status\":\"converged\", \"by\":\"FHL\"}";
    cj_clv *clv = read_back(json, strlen(json));

    ck_assert(clv->theta[0] == 0.243 && clv->theta[3] == 2.426 && clv->unit_days == 7);
    ck_assert_int_eq(clv->has_covariance, 0);
    ck_assert_int_eq(clv->k, 1);
    ck_assert(isnan(cj__clv_std_error(clv, 0)));
    cj__clv_free(clv);
}
END_TEST

#define P "\"params\":{\"r\":1,\"alpha\":2}"
#define E "\"loglik\":-1,\"status\":\"converged\""
#define F "{\"format\":1,\"model\":\"nbd\","

static const struct {
    const char *json, *text;
    int32_t code;
} wrong[] = {
    {"",                                                   "",                     CJ_EINVAL   },
    {"{",                                                  "",                     CJ_EINVAL   },
    {"[]",                                                 "an object",            CJ_EINVAL   },
    {"null",                                               "an object",            CJ_EINVAL   },
    {"{}",                                                 "format: 1",            CJ_EINVAL   },
    {"{\"format\":\"1\"}",                                 "format: 1",            CJ_EINVAL   },
    {"{\"format\":0}",                                     "format: 1",            CJ_EINVAL   },
    {"{\"format\":1.5}",                                   "format: 1",            CJ_EINVAL   },
    {"{\"format\":2}",                                     "format 2 of a model",  CJ_EVERSION },
    {"{\"format\":1}",                                     "model: a name",        CJ_EINVAL   },
    {"{\"format\":1,\"model\":7}",                         "model: a name",        CJ_EINVAL   },
    {"{\"format\":1,\"model\":\"mbd\"}",                   "did you mean nbd",     CJ_ENOTFOUND},
    {F E "}",                                              "r: a finite number",   CJ_EINVAL   },
    {F E ",\"params\":[1,2]}",                             "r: a finite number",   CJ_EINVAL   },
    {F E ",\"params\":{\"r\":1}}",                         "alpha: a finite",      CJ_EINVAL   },
    {F E ",\"params\":{\"r\":1,\"alpha\":\"2\"}}",         "alpha: a finite",      CJ_EINVAL   },
    {F E ",\"params\":{\"r\":1,\"alpha\":null}}",          "alpha: a finite",      CJ_EINVAL   },
    {F E ",\"params\":{\"r\":1,\"alpha\":1e999}}",         "alpha: a finite",      CJ_EINVAL   },
    {F E ",\"params\":{\"r\":1,\"alpha\":0}}",             "alpha is not in",      CJ_EINVAL   },
    {F E ",\"params\":{\"r\":-1,\"alpha\":1}}",            "r is not in",          CJ_EINVAL   },
    {F P "}",                                              "status: no fit",       CJ_EINVAL   },
    {F P ",\"status\":\"converged\"}",                     "loglik: a finite",     CJ_EINVAL   },
    {F P ",\"loglik\":-1,\"status\":\"splendid\"}",        "no fit of nbd ends",   CJ_EINVAL   },
    {F P ",\"loglik\":-1,\"status\":\"dropout_at_once\"}", "no fit of nbd ends",
     CJ_EINVAL                                                                                 },
    {F P "," E ",\"unit_days\":0}",                        "unit_days is not in",  CJ_EINVAL   },
    {F P "," E ",\"unit_days\":\"week\"}",                 "unit_days: a finite",  CJ_EINVAL   },
    {F P "," E ",\"k\":2}",                                "k is not in [1, 1]",   CJ_EINVAL   },
    {F P "," E ",\"k\":0}",                                "k is not in",          CJ_EINVAL   },
    {F P "," E ",\"n_rows\":-1}",                          "n_rows: a whole",      CJ_EINVAL   },
    {F P "," E ",\"n_rows\":1.5}",                         "n_rows: a whole",      CJ_EINVAL   },
    {F P "," E ",\"n_customers\":-1}",                     "n_customers is not",   CJ_EINVAL   },
    {F P "," E ",\"condition\":-1}",                       "condition is not in",  CJ_EINVAL   },
    {F P "," E ",\"covariates\":3}",                       "covariates: an array", CJ_EINVAL   },
    {F P "," E ",\"covariates\":[3]}",                     "covariates: a name",   CJ_EINVAL   },
    {F P "," E ",\"covariates\":[\"\"]}",                  "name of covariate 1",  CJ_EINVAL   },
    {F P "," E ",\"covariates\":[\"a\",\"a\"]}",           "have one name",        CJ_EINVAL   },
    {F P "," E ",\"covariates\":[\"a\"]}",                 "purchase:a: a finite", CJ_EINVAL   },
    {F P "," E ",\"covariance\":7}",                       "covariance: null",     CJ_EINVAL   },
    {F P "," E ",\"covariance\":[]}",                      "covariance: null",     CJ_EINVAL   },
    {F P "," E ",\"covariance\":[1,2]}",                   "covariance: one num",  CJ_EINVAL   },
    {F P "," E ",\"covariance\":[[1],[1]]}",               "covariance: one num",  CJ_EINVAL   },
    {F P "," E ",\"covariance\":[[1,0,0],[0,1]]}",         "covariance: no more",  CJ_EINVAL   },
    {F P "," E ",\"covariance\":[[-1,0],[0,1]]}",          "a diagonal without",   CJ_EINVAL   },
    {F P "," E ",\"covariance\":[[1,0.1],[0.2,1]]}",       "a symmetric matrix",   CJ_EINVAL   },
    {F P "," E ",\"covariance\":[[1,2],[2,1]]}",           "a symmetric matrix",   CJ_EINVAL   },
    {F P "," E ",\"covariance\":[[1,null],[0,1]]}",        "covariance: a finite", CJ_EINVAL   },
    {F P "," E ",\"held\":[1]}",                           "held: one number",     CJ_EINVAL   },
    {F P "," E ",\"held\":[1,0,0]}",                       "held: no more",        CJ_EINVAL   },
    {F P "," E "} x",                                      "",                     CJ_EINVAL   },
};

START_TEST(test_json__what_is_wrong_is_named)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cj_clv *clv = (cj_clv *)(uintptr_t)1;
        const int32_t rc =
            cj__clv_from_json(clv_memory(), wrong[i].json, strlen(wrong[i].json), &clv);

        ck_assert_msg(rc == wrong[i].code, "%s: %d, %s", wrong[i].json, rc,
                      cj__error_text());
        ck_assert_msg(strstr(cj__error_text(), wrong[i].text) != NULL, "%s: %s",
                      wrong[i].json, cj__error_text());
        ck_assert_ptr_null(clv);
    }
}
END_TEST

/* A byte changed here and there: refused, or a model without anything that is not
 * finite. */
START_TEST(test_json__changed_bytes)
{
    static const char letters[] = "0123456789-+.eE{}[],:\"\\nul \x01\xFF";
    cj_clv *clv = with_covariates();
    random_rows dice = {17, NULL};
    int n_read = 0;
    char *text;
    int64_t n;

    ck_assert_int_eq(cj__clv_to_json(clv, &text, &n), CJ_OK);
    for (int turn = 0; turn < 20000; turn += harness_stride(100)) {
        char changed[8192];
        cj_clv *back;

        ck_assert_int_lt(n, (int64_t)sizeof changed);
        memcpy(changed, text, (size_t)n);
        for (uint64_t c = random_next(&dice) % 3 + 1; c > 0; c--)
            changed[random_next(&dice) % (uint64_t)n] =
                letters[random_next(&dice) % (sizeof letters - 1)];
        if (cj__clv_from_json(clv_memory(), changed, (size_t)n, &back) == CJ_OK) {
            clv_expect_finite(back);
            n_read++;
        }
        cj__clv_free(back);
    }
    ck_assert_int_gt(n_read, 0);
    cj__text_free(text);
    cj__clv_free(clv);
}
END_TEST

static int32_t call_json(const cj__allocator *a)
{
    const char *json = F P "," E ",\"covariance\":[[1,0],[0,1]]}";
    cj_clv *clv;
    char *text = NULL;
    int64_t n;
    int32_t rc = cj__clv_from_json(a, json, strlen(json), &clv);

    ck_assert((rc == CJ_OK) == (clv != NULL));
    if (rc == CJ_OK) {
        rc = cj__clv_to_json(clv, &text, &n);
        if (rc == CJ_OK)
            cj__text_free(text);
    }
    cj__clv_free(clv);
    return rc;
}

START_TEST(test_json__no_memory)
{
    base_memory_faults(call_json);
}
END_TEST

HARNESS_MAIN("metrics_clv_json", test_json__every_model_and_end_comes_back,
             test_json__covariates_come_back, test_json__the_least_there_must_be,
             test_json__what_is_wrong_is_named, test_json__changed_bytes,
             test_json__no_memory)
