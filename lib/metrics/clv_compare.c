/* Which model?  Each is fitted to the same customers and put in order by one criterion:
 * a row of criteria[].  A model that cannot be fitted is a row, too, behind the others:
 * to be told why is part of the answer. */
#include "metrics/clv_predict.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COMPARE_MAX 32 /* models: there are ten */

typedef struct compare_row {
    const char *model, *title;
    char status[CJ__MAX_NAME];
    int32_t is_fitted, is_seen; /* seen: in the holdout */
    int64_t n_estimated;
    double loglik, aic, bic;
    double key; /* smaller is better */
    cj_clv_validation v;
} compare_row;

static double key_loglik(const compare_row *r)
{
    return -r->loglik;
}

static double key_aic(const compare_row *r)
{
    return r->aic;
}

static double key_bic(const compare_row *r)
{
    return r->bic;
}

static double key_mae(const compare_row *r)
{
    return r->v.mae;
}

static double key_rmse(const compare_row *r)
{
    return r->v.rmse;
}

static double key_msle(const compare_row *r)
{
    return r->v.msle;
}

static double key_bias(const compare_row *r)
{
    return fabs(r->v.bias_ratio);
}

static double key_gini(const compare_row *r)
{
    return -r->v.gini_model;
}

static double key_calibration(const compare_row *r)
{
    return r->v.calibration;
}

static const struct compare_criterion {
    const char *name;
    int32_t needs_holdout;
    double (*key)(const compare_row *r);
} criteria[] = {
    {"mae",         1, key_mae        },
    {"rmse",        1, key_rmse       },
    {"msle",        1, key_msle       },
    {"bias",        1, key_bias       },
    {"gini",        1, key_gini       },
    {"calibration", 1, key_calibration},
    {"bic",         0, key_bic        },
    {"aic",         0, key_aic        },
    {"loglik",      0, key_loglik     },
};
enum { N_CRITERIA = sizeof criteria / sizeof criteria[0], CRITERION_BIC = 6 };

/* The last two choose k, for which litt is needed. */
static const char *const compare_usual[] = {"nbd",       "bgnbd",  "mbgnbd",
                                            "paretonbd", "bgcnbd", "mbgcnbd"};
enum { COMPARE_USUAL = 4, COMPARE_USUAL_LITT = 6 };

typedef struct compare {
    cj_clv_compare_options o;
    const cj_clv_holdout *holdout;
    const cj_clv_data *data;
    const struct compare_criterion *criterion;
    const cj__allocator *allocator;
    compare_row *rows;
    int64_t n_done; /* models */
} compare;

/* ---- options ----------------------------------------------------------------------
 */

static int32_t compare_criterion_find(compare *c)
{
    const char *name = c->o.criterion;

    c->criterion = &criteria[c->holdout != NULL ? 0 : CRITERION_BIC];
    if (name == NULL)
        return CJ_OK;
    for (int i = 0; i < N_CRITERIA; i++) {
        if (strcmp(criteria[i].name, name) == 0) {
            c->criterion = &criteria[i];
            if (criteria[i].needs_holdout && c->holdout == NULL)
                return cj__fail(CJ_EINVAL, "%s needs a holdout", criteria[i].name);
            return CJ_OK;
        }
    }
    return cj__fail(CJ_EINVAL, "criterion must be mae, rmse, msle, bias, gini, "
                               "calibration, bic, aic or loglik");
}

static int32_t compare_options_read(compare *c)
{
    cj_clv_compare_options *o = &c->o;

    if (o->models == NULL) {
        o->models = compare_usual;
        o->n_models = c->data->litt == NULL ? COMPARE_USUAL : COMPARE_USUAL_LITT;
    }
    if (o->n_models < 1 || o->n_models > COMPARE_MAX)
        return cj__fail(CJ_EINVAL, "n_models must be 1..%d", COMPARE_MAX);
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS || o->reserved != 0)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d, reserved 0",
                        CJ__MAX_THREADS);
    for (int64_t i = 0; i < o->n_models; i++) {
        const cj__clv_model *model;
        int32_t rc = cj__clv_model_find(o->models[i], &model);

        if (rc != CJ_OK)
            return rc;
        if (model->family == CJ__CLV_SPEND)
            return cj__fail(CJ_EINVAL, "%s is a spend model", model->title);
        c->rows[i].model = model->name;
        c->rows[i].title = model->title;
        c->rows[i].n_estimated = model->n_params;
    }
    return compare_criterion_find(c);
}

/* ---- rows -------------------------------------------------------------------------
 */

/* A cj_progress_fn of fits: how many models are done, not how many iterations. */
static int32_t compare_progress(void *user, int64_t done, int64_t total)
{
    const compare *c = user;

    (void)done;
    (void)total;
    return c->o.progress == NULL
               ? 0
               : c->o.progress(c->o.progress_user, c->n_done, c->o.n_models);
}

static int32_t compare_is_stopped(compare *c)
{
    return compare_progress(c, 0, 0) == 0
               ? CJ_OK
               : cj__fail(CJ_EINTERRUPT, "stopped by the progress function");
}

/* What a fit says of itself, and what became of it in the holdout. */
static int32_t compare_fitted(const compare *c, const cj_clv *clv, compare_row *row)
{
    cj_clv_fit_facts facts;
    int32_t rc;

    cj__clv_facts(clv, &facts);
    snprintf(row->status, sizeof row->status, "%s", facts.status);
    row->is_fitted = 1;
    row->n_estimated = facts.n_estimated;
    row->loglik = facts.loglik;
    row->aic = facts.aic;
    row->bic = facts.bic;
    if (c->holdout == NULL)
        return CJ_OK;
    rc = cj__clv_validate(clv, NULL, c->data, c->holdout, &row->v, NULL);
    row->is_seen = rc == CJ_OK;
    return rc == CJ_EINVAL ? CJ_OK : rc; /* it has no answers, but is fitted */
}

static int32_t compare_one(compare *c, compare_row *row)
{
    const cj_clv_fit_options o = {.struct_size = sizeof o,
                                  .model = row->model,
                                  .unit_days = c->o.unit_days,
                                  .threads = c->o.threads,
                                  .progress = compare_progress,
                                  .progress_user = c};
    cj_clv *clv = NULL;
    int32_t rc = compare_is_stopped(c);

    if (rc == CJ_OK)
        rc = cj__clv_fit(c->allocator, c->data, &o, &clv);
    if (rc == CJ_ENOMEM || rc == CJ_EINTERRUPT)
        return rc;
    if (rc != CJ_OK) { /* the text says why; the others go on */
        snprintf(row->status, sizeof row->status, "%s", cj__error_text());
        return CJ_OK;
    }
    rc = compare_fitted(c, clv, row);
    row->key = row->is_seen || !c->criterion->needs_holdout ? c->criterion->key(row)
                                                            : (double)INFINITY;
    cj__clv_free(clv);
    return rc;
}

static int compare_is_better(const compare_row *a, const compare_row *b)
{
    if (a->is_fitted != b->is_fitted)
        return a->is_fitted;
    return a->key < b->key; /* of equals the first that was asked for */
}

static void compare_sort(compare_row *rows, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        const compare_row row = rows[i];
        int64_t j = i;

        for (; j > 0 && compare_is_better(&row, &rows[j - 1]); j--)
            rows[j] = rows[j - 1];
        rows[j] = row;
    }
}

/* ---- the table --------------------------------------------------------------------
 */

static void compare_put(cj_table *t, int column, double value, int is_known)
{
    if (is_known && value == value)
        cj__table_double(t, column, value);
    else
        cj__table_null(t, column);
}

static int32_t compare_table(const compare *c, cj_table **out)
{
    cj_table *t;
    int32_t rc = cj__table_new(c->allocator,
                               "model:t title:t status:t estimated:i loglik:d aic:d "
                               "bic:d mae:d rmse:d msle:d bias_ratio:d gini_ratio:d "
                               "calibration:d verdict:t",
                               &t);

    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < c->o.n_models; i++) {
        const compare_row *r = &c->rows[i];
        const int seen = r->is_seen;

        cj__table_put(t, 0, r->model);
        cj__table_put(t, 1, r->title);
        cj__table_put(t, 2, r->status);
        cj__table_int64(t, 3, r->n_estimated);
        compare_put(t, 4, r->loglik, r->is_fitted);
        compare_put(t, 5, r->aic, r->is_fitted);
        compare_put(t, 6, r->bic, r->is_fitted);
        compare_put(t, 7, r->v.mae, seen);
        compare_put(t, 8, r->v.rmse, seen);
        compare_put(t, 9, r->v.msle, seen);
        compare_put(t, 10, r->v.bias_ratio, seen);
        compare_put(t, 11, r->v.gini_model / r->v.gini_actual, seen);
        compare_put(t, 12, r->v.calibration, seen);
        cj__table_put(t, 13, seen ? r->v.verdict : NULL);
    }
    return cj__table_finish(t, out);
}

int32_t cj__clv_compare(const cj__allocator *a, const cj_clv_data *data,
                        const cj_clv_compare_options *opts,
                        const cj_clv_holdout *holdout, cj_table **out)
{
    compare c = {.o = *opts, .holdout = holdout, .data = data, .allocator = a};
    int32_t rc;

    c.rows = cj__alloc_zero(a, COMPARE_MAX * sizeof *c.rows);
    if (c.rows == NULL)
        return CJ_ENOMEM;
    CJ_TRY(compare_options_read(&c));
    for (; c.n_done < c.o.n_models; c.n_done++)
        CJ_TRY(compare_one(&c, &c.rows[c.n_done]));
    CJ_TRY(compare_is_stopped(&c));
    compare_sort(c.rows, c.o.n_models);
    CJ_TRY(compare_table(&c, out));
out:
    cj__free(a, c.rows, COMPARE_MAX * sizeof *c.rows);
    return rc;
}
