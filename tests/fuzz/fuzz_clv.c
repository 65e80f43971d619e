/* Any bytes as a fitted model's JSON: what is accepted is written again as the same
 * bytes each time, and answers questions about customers, whatever its parameters;
 * what is not leaves nothing behind and says why. */
#include "cjourney.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int ok)
{
    if (!ok)
        abort();
}

/* Customers that each family can have: few and many purchases, lost and there. */
static const int64_t x[] = {0, 1, 0, 1};
static const double tx[] = {0, 2, 0, 30}, t[] = {3, 9, 400, 30},
                    spend[] = {0, 5, 0, 80};

static int32_t ask(const cj_clv *clv, int64_t n_covariates)
{
    static const double z[] = {0, 1, -1e3, 0.5};
    const cj_clv_data people = {.struct_size = sizeof people,
                                .n = 4,
                                .x = x,
                                .tx = tx,
                                .t = t,
                                .spend = spend,
                                .covariates = n_covariates > 0 ? z : NULL,
                                .n_covariates = n_covariates};
    const cj_clv_predict_options o = {
        .struct_size = sizeof o,
        /* each customer's own model is dear */
        .columns = n_covariates == 0 ? CJ_CLV_ALL : CJ_CLV_P_ALIVE | CJ_CLV_INTERVALS,
        .until_days = 30,
        .discount_ratio = 0.1,
        .period_days = 1};
    cj_table *out;
    const int32_t rc = cj_clv_predict(clv, NULL, &people, &o, &out);

    must((rc == CJ_OK) == (out != NULL));
    cj_table_free(out);
    return rc;
}

/* What it says is refused only where such models have no answer. */
static void read_all(const cj_clv *clv)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};
    cj_table *table;
    int32_t rc;

    must(cj_clv_facts(clv, &facts) == CJ_OK && facts.status[0] != '\0');
    must(cj_clv_parameters(clv, &table) == CJ_OK);
    cj_table_free(table);
    for (int64_t n_covariates = 0; n_covariates <= 1; n_covariates++) {
        rc = ask(clv, n_covariates);
        must(rc == CJ_OK || rc == CJ_EINVAL);
    }
}

/* The JSON of a model, which is freed; owned. */
static char *written(cj_clv *clv, int64_t *n)
{
    char *text = NULL;

    must(cj_clv_to_json(clv, &text, n) == CJ_OK && text[*n] == '\0');
    cj_clv_free(clv);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *json = n > 0 ? (const char *)data : "";
    int64_t n_once, n_twice;
    cj_clv *clv = NULL;
    char *once, *twice;
    const int32_t rc = cj_clv_from_json(json, (int64_t)n, &clv);

    must((rc == CJ_OK) == (clv != NULL));
    if (rc != CJ_OK) {
        must(rc == CJ_EINVAL || rc == CJ_EVERSION || rc == CJ_ENOTFOUND ||
             rc == CJ_ELIMIT);
        must(cj_errmsg()[0] != '\0');
        return 0;
    }
    read_all(clv);
    once = written(clv, &n_once);
    must(cj_clv_from_json(once, n_once, &clv) == CJ_OK);
    twice = written(clv, &n_twice);
    must(n_once == n_twice && memcmp(once, twice, (size_t)n_once) == 0);
    cj_text_free(once);
    cj_text_free(twice);
    return 0;
}
