/* A fitted value model: what is behind cj_clv, how it comes to be, and what others of
 * the room ask of it.  Plain values in one piece of memory.  Private to room metrics.
 */
#ifndef CJ__METRICS_CLV_FIT_H
#define CJ__METRICS_CLV_FIT_H

#include "base/str.h"
#include "metrics/clv.h"

#define CJ__CLV_COVARIATES 16
#define CJ__CLV_COEFFICIENTS (CJ__CLV_GROUPS * CJ__CLV_COVARIATES)
#define CJ__CLV_FREE (CJ__CLV_PARAMS + CJ__CLV_COEFFICIENTS)
#define CJ__CLV_COVARIATE_NAME 64 /* bytes with the NUL */

/* How a fit can end; a model's limits (clv.h) are further statuses. */
typedef struct cj__clv_status {
    const char *name, *text;
} cj__clv_status;

struct cj_clv {
    cj__allocator allocator;
    const cj__clv_model *model;
    int32_t k;
    int32_t n_covariates;
    double unit_days;
    double theta[CJ__CLV_PARAMS]; /* in the unit; of a customer with covariates 0 */
    /* Of group g and covariate j: coefficient[g * n_covariates + j]. */
    double coefficient[CJ__CLV_COEFFICIENTS];
    char names[CJ__CLV_COVARIATES][CJ__CLV_COVARIATE_NAME];
    /* Of the logarithms of theta, then of the coefficients; n_free x n_free.  A row of
     * what is held at a bound is 0, with held[i] 1. */
    int32_t n_free; /* n_params + coefficients */
    double covariance[CJ__CLV_FREE][CJ__CLV_FREE];
    uint8_t held[CJ__CLV_FREE];
    int32_t has_covariance;
    int32_t is_k_chosen;
    cj__clv_status status; /* static texts */
    int64_t n_rows, n_groups, n_iterations;
    double n_customers, n_repeaters;
    double loglik, gradient_norm, condition;
};

/* ---- the calls of cjourney.h ------------------------------------------------------
 */

/* opts and data are of this library's size (api.c). */
int32_t cj__clv_fit(const cj__allocator *a, const cj_clv_data *data,
                    const cj_clv_fit_options *opts, cj_clv **out);
void cj__clv_free(cj_clv *clv);
int32_t cj__clv_models(const cj__allocator *a, cj_table **out);
int32_t cj__clv_parameters(const cj_clv *clv, cj_table **out);
void cj__clv_facts(const cj_clv *clv, cj_clv_fit_facts *out);
void cj__clv_put_json(const cj_clv *clv, cj__str *to);
int32_t cj__clv_to_json(const cj_clv *clv, char **text_out, int64_t *n_bytes_out);
int32_t cj__clv_from_json(const cj__allocator *a, const char *json, size_t n,
                          cj_clv **out);

/* ---- for answers ------------------------------------------------------------------
 */

/* The parameters of a customer with these covariates (NULL: all 0). */
void cj__clv_theta_of(const cj_clv *clv, const double *covariates, double *theta);
/* The covariance of their logarithms, n_params x n_params. */
void cj__clv_covariance_of(const cj_clv *clv, const double *covariates,
                           double out[CJ__CLV_PARAMS][CJ__CLV_PARAMS]);
/* Days (periods, money: 1) that one unit of the rows of this model is. */
double cj__clv_unit(const cj_clv *clv);
/* Data as rows in the unit of the model, for `n` rows from `first` on, in the caller's
 * columns (x, tx, t, z with room for n; NULL columns are left out).  Not checked. */
void cj__clv_rows_of(const cj_clv *clv, const cj_clv_data *data, int64_t first,
                     int64_t n, double *columns[4]);
/* Is every value one that a customer of this family can have?  CJ_EINVAL with the row
 * as cj_errpos().  What a family does not use is not looked at. */
int32_t cj__clv_data_check(const cj__clv_model *model, const cj_clv_data *data);

#endif
