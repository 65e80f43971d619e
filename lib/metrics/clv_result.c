/* What a fitted model says of itself: parameters with standard errors, how the fit
 * ended, and its parameters for one customer.  The names of statuses and labels stand
 * here, once; clv_json.c writes the same. */
#include "base/table.h"
#include "base/text.h"
#include "metrics/clv_fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RESULT_Z 1.959963984540054 /* of a 95 % interval */

const cj__clv_status cj__clv_ends[CJ__CLV_ENDS] = {
    [CJ__CLV_CONVERGED] = {"converged",                "the likelihood is at its maximum"         },
    [CJ__CLV_NO_CUSTOMERS] = {"no_customers",             "there is nobody to learn from"            },
    [CJ__CLV_TOO_FEW_REPEAT_CUSTOMERS] = {"too_few_repeat_customers",
                           "too few customers came back: the parameters "
                                          "are a guess; wait, or give priors"                     },
    [CJ__CLV_TOO_FEW_LOSSES] = {"too_few_losses",
                           "too few customers were lost: the parameters are a "
                                "guess; wait, or give priors"                                     },
    [CJ__CLV_NOT_IDENTIFIED] =
        {"not_identified",
                           "other parameters do as well as these: the data cannot tell them apart"},
    [CJ__CLV_COVARIATE_WITHOUT_BOUND] =
        {"covariate_without_bound",
                           "a covariate foretells too well: its coefficient grows without bound"  },
    [CJ__CLV_AT_BOUND] = {"parameter_at_bound",
                           "a parameter ran to its bound: the data do not hold it back"           },
    [CJ__CLV_NOT_CONVERGED] = {"not_converged",
                           "the search ended before the maximum: do not use"                      },
    [CJ__CLV_NOT_FINITE] = {"not_finite",
                           "the likelihood is beyond any number: do not use"                      },
};

cj__clv_status cj__clv_status_of(const cj__clv_model *model, const char *name,
                                 const char *text)
{
    cj__clv_status found = {NULL, NULL};

    for (int i = 0; i < CJ__CLV_ENDS; i++) {
        if (strcmp(cj__clv_ends[i].name, name) == 0)
            return cj__clv_ends[i];
    }
    for (const cj__clv_limit *l = model->limits; l != NULL && l->status != NULL; l++) {
        if (strcmp(l->status, name) == 0 &&
            (found.name == NULL || strcmp(l->text, text) == 0))
            found = (cj__clv_status){l->status, l->text};
    }
    return found;
}

/* ---- making one
 * ---------------------------------------------------------------------- */

int32_t cj__clv_new(const cj__allocator *a, const char *model, cj_clv **out)
{
    const cj__clv_model *m;
    int32_t rc = cj__clv_model_find(model, &m);
    cj_clv *clv;

    *out = NULL;
    if (rc != CJ_OK)
        return rc;
    clv = cj__alloc_zero(a, sizeof *clv);
    if (clv == NULL)
        return CJ_ENOMEM;
    clv->allocator = *a;
    clv->model = m;
    clv->k = 1;
    clv->unit_days = 1;
    clv->n_free = m->n_params;
    *out = clv;
    return CJ_OK;
}

void cj__clv_free(cj_clv *clv)
{
    if (clv != NULL) {
        const cj__allocator a = clv->allocator;

        cj__free(&a, clv, sizeof *clv);
    }
}

int32_t cj__clv_name_covariate(cj_clv *clv, int32_t c, const char *name)
{
    const size_t n = name != NULL ? strlen(name) : 0;

    if (name == NULL) {
        snprintf(clv->names[c], sizeof clv->names[c], "z%d", c + 1);
        return CJ_OK;
    }
    if (n == 0 || n >= sizeof clv->names[c] || !cj__utf8_valid(name, n))
        return cj__fail(CJ_EINVAL,
                        "the name of covariate %d is empty, too long or no UTF-8",
                        c + 1);
    memcpy(clv->names[c], name, n + 1);
    for (int32_t i = 0; i < c; i++) {
        if (strcmp(clv->names[i], name) == 0)
            return cj__fail(CJ_EINVAL, "covariates %d and %d have one name", i + 1,
                            c + 1);
    }
    return CJ_OK;
}

int32_t cj__clv_name_covariates(cj_clv *clv, const cj_clv_data *data)
{
    clv->n_covariates = (int32_t)data->n_covariates;
    for (int32_t c = 0; c < clv->n_covariates; c++) {
        const char *name =
            data->covariate_names != NULL ? data->covariate_names[c] : NULL;
        int32_t rc = cj__clv_name_covariate(clv, c, name);

        if (rc != CJ_OK)
            return rc;
    }
    return CJ_OK;
}

int32_t cj__clv_effect_groups(const cj__clv_model *model)
{
    int32_t n = 0;

    for (int32_t g = 0; g < CJ__CLV_GROUPS; g++) {
        for (int32_t p = 0; p < model->n_params; p++)
            n = model->effects[g][p] != 0 ? g + 1 : n;
    }
    return n;
}

int32_t cj__clv_n_free(const cj_clv *clv)
{
    return clv->model->n_params + cj__clv_effect_groups(clv->model) * clv->n_covariates;
}

/* ---- parameters
 * ------------------------------------------------------------------------ */

void cj__clv_label(const cj_clv *clv, int32_t i, char *to)
{
    static const char *const groups[CJ__CLV_GROUPS] = {"purchase", "dropout"};
    const int32_t c = i - clv->model->n_params;

    if (c < 0)
        snprintf(to, CJ__CLV_LABEL, "%s", clv->model->params[i]);
    else
        snprintf(to, CJ__CLV_LABEL, "%s:%s", groups[c / clv->n_covariates],
                 clv->names[c % clv->n_covariates]);
}

double cj__clv_estimate(const cj_clv *clv, int32_t i)
{
    const int32_t n_params = clv->model->n_params;

    return i < n_params ? clv->theta[i] : clv->coefficient[i - n_params];
}

double cj__clv_std_error(const cj_clv *clv, int32_t i)
{
    double error = sqrt(clv->covariance[i][i]);

    if (!clv->has_covariance || clv->held[i])
        return (double)NAN;
    if (i < clv->model->n_params) /* of the parameter, by the delta method */
        error *= clv->theta[i];
    return isfinite(error) ? error : (double)NAN;
}

/* Of a parameter the interval of its logarithm, which cannot leave the positive. */
static void result_interval(const cj_clv *clv, int32_t i, double interval[2])
{
    const double error = cj__clv_std_error(clv, i);

    for (int side = 0; side < 2; side++) {
        const double z = side == 0 ? -RESULT_Z : RESULT_Z;

        interval[side] = i < clv->model->n_params
                             ? clv->theta[i] * exp(z * error / clv->theta[i])
                             : clv->coefficient[i - clv->model->n_params] + z * error;
        if (!isfinite(interval[side]))
            interval[side] = (double)NAN;
    }
}

int32_t cj__clv_parameters(const cj_clv *clv, cj_table **out)
{
    const cj__allocator *a = &clv->allocator;
    cj_table *t;
    int32_t rc =
        cj__table_new(a, "parameter:t estimate:d std_error:d low:d high:d", &t);

    if (rc != CJ_OK)
        return rc;
    for (int32_t i = 0; i < clv->n_free; i++) {
        char label[CJ__CLV_LABEL];
        double interval[2];

        cj__clv_label(clv, i, label);
        result_interval(clv, i, interval);
        cj__table_put(t, 0, label);
        cj__table_double(t, 1, cj__clv_estimate(clv, i));
        cj__table_double(t, 2, cj__clv_std_error(clv, i));
        cj__table_double(t, 3, interval[0]);
        cj__table_double(t, 4, interval[1]);
    }
    for (int column = 1; column <= 4; column++)
        cj__table_null_nan(t, column);
    return cj__table_finish(t, out);
}

void cj__clv_facts(const cj_clv *clv, cj_clv_fit_facts *out)
{
    const double n_estimated = clv->n_free + clv->is_k_chosen;

    *out = (cj_clv_fit_facts){
        .struct_size = (int64_t)sizeof *out,
        .model = clv->model->name,
        .status = clv->status.name,
        .text = clv->status.text,
        .is_converged =
            strcmp(clv->status.name, cj__clv_ends[CJ__CLV_CONVERGED].name) == 0,
        .k = clv->k,
        .unit_days = clv->unit_days,
        .n_rows = clv->n_rows,
        .n_groups = clv->n_groups,
        .n_customers = clv->n_customers,
        .n_repeaters = clv->n_repeaters,
        .n_estimated = clv->n_free + clv->is_k_chosen,
        .n_iterations = clv->n_iterations,
        .loglik = clv->loglik,
        .aic = 2 * n_estimated - 2 * clv->loglik,
        .bic = n_estimated * log(fmax(clv->n_customers, 1)) - 2 * clv->loglik,
        .gradient_norm = clv->gradient_norm,
        .condition = clv->condition,
    };
}

/* ---- the models
 * ------------------------------------------------------------------------ */

static void result_put_params(cj_table *t, int column, const cj__clv_model *m)
{
    char all[128];
    size_t n = 0;

    for (int32_t p = 0; p < m->n_params; p++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", p > 0 ? " " : "",
                              m->params[p]);
    cj__table_put(t, column, all);
}

int32_t cj__clv_models(const cj__allocator *a, cj_table **out)
{
    static const char *const families[] = {NULL, "continuous", "discrete", "spend",
                                           "contract"};
    cj_table *t;
    int32_t rc =
        cj__table_new(a, "model:t title:t family:t parameters:t source:t when:t", &t);

    if (rc != CJ_OK)
        return rc;
    for (size_t i = 0; cj__clv_all[i] != NULL; i++) {
        const cj__clv_model *m = cj__clv_all[i];

        cj__table_put(t, 0, m->name);
        cj__table_put(t, 1, m->title);
        cj__table_put(t, 2, families[m->family]);
        result_put_params(t, 3, m);
        cj__table_put(t, 4, m->source);
        cj__table_put(t, 5, m->when);
    }
    return cj__table_finish(t, out);
}

/* ---- for answers
 * ----------------------------------------------------------------------- */

/* The derivative of ln theta_p in parameter or coefficient i. */
static double result_derivative(const cj_clv *clv, const double *z, int32_t p,
                                int32_t i)
{
    const int32_t c = i - clv->model->n_params;

    if (c < 0)
        return p == i;
    if (z == NULL)
        return 0;
    return clv->model->effects[c / clv->n_covariates][p] * z[c % clv->n_covariates];
}

void cj__clv_theta_of(const cj_clv *clv, const double *covariates, double *theta)
{
    const int32_t n_params = clv->model->n_params;

    for (int32_t p = 0; p < n_params; p++) {
        double more = 0;

        for (int32_t i = n_params; i < clv->n_free; i++)
            more += clv->coefficient[i - n_params] *
                    result_derivative(clv, covariates, p, i);
        theta[p] = more != 0 ? clv->theta[p] * exp(fmin(fmax(more, -300), 300))
                             : clv->theta[p];
    }
}

void cj__clv_covariance_of(const cj_clv *clv, const double *covariates,
                           double out[CJ__CLV_PARAMS][CJ__CLV_PARAMS])
{
    const int32_t n_params = clv->model->n_params;

    memset(out, 0, sizeof(double) * CJ__CLV_PARAMS * CJ__CLV_PARAMS);
    for (int32_t p = 0; p < n_params; p++) {
        for (int32_t q = 0; q < n_params; q++) {
            for (int32_t i = 0; i < clv->n_free; i++) {
                const double d = result_derivative(clv, covariates, p, i);

                for (int32_t j = 0; d != 0 && j < clv->n_free; j++)
                    out[p][q] += d * clv->covariance[i][j] *
                                 result_derivative(clv, covariates, q, j);
            }
        }
    }
}

double cj__clv_unit(const cj_clv *clv)
{
    return clv->model->family == CJ__CLV_CONTINUOUS ? clv->unit_days : 1;
}

void cj__clv_rows_of(const cj_clv *clv, const cj_clv_data *data, int64_t first,
                     int64_t n, double *columns[4])
{
    const double unit = cj__clv_unit(clv);
    const int spends = clv->model->family == CJ__CLV_SPEND;
    const double *const from[4] = {NULL, data->tx, data->t,
                                   spends ? data->spend : NULL};

    for (int64_t i = 0; columns[0] != NULL && i < n; i++)
        columns[0][i] = spends && !cj__clv_has_spent(data, first + i)
                            ? 0
                            : (double)data->x[first + i];
    for (int c = 1; c < 4; c++) {
        for (int64_t i = 0; columns[c] != NULL && from[c] != NULL && i < n; i++)
            columns[c][i] = c < 3 ? from[c][first + i] / unit : from[c][first + i];
    }
}
