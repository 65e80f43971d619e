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

enum cj__clv_end {
    CJ__CLV_CONVERGED,
    CJ__CLV_NO_CUSTOMERS,
    CJ__CLV_TOO_FEW_REPEAT_CUSTOMERS,
    CJ__CLV_TOO_FEW_LOSSES,
    CJ__CLV_NOT_IDENTIFIED,
    CJ__CLV_COVARIATE_WITHOUT_BOUND,
    CJ__CLV_AT_BOUND,
    CJ__CLV_NOT_CONVERGED,
    CJ__CLV_NOT_FINITE,
    CJ__CLV_ENDS
};
extern const cj__clv_status cj__clv_ends[CJ__CLV_ENDS];

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
    int32_t has_covariance, is_k_chosen;
    cj__clv_status status; /* static texts */
    int64_t n_rows, n_groups, n_iterations;
    double n_customers, n_repeaters;
    double loglik, gradient_norm, condition;
};

/* ---- for those who make one
 * ---------------------------------------------------------- */

/* An empty one of this model.  Errors: CJ_ENOTFOUND, CJ_ENOMEM. */
int32_t cj__clv_new(const cj__allocator *a, const char *model, cj_clv **out);
/* name NULL: z1, z2, ...  Errors: CJ_EINVAL (empty, too long, no UTF-8, there twice).
 */
int32_t cj__clv_name_covariate(cj_clv *clv, int32_t c, const char *name);
int32_t cj__clv_name_covariates(cj_clv *clv, const cj_clv_data *data); /* all */
/* Groups of coefficients that a model has; parameters and coefficients. */
int32_t cj__clv_effect_groups(const cj__clv_model *model);
int32_t cj__clv_n_free(const cj_clv *clv);
/* What parameter or coefficient i is called; to has room for CJ__CLV_LABEL bytes. */
#define CJ__CLV_LABEL (CJ__CLV_COVARIATE_NAME + 16)
void cj__clv_label(const cj_clv *clv, int32_t i, char *to);
/* Parameter or coefficient i, and its standard error (NaN: none). */
double cj__clv_estimate(const cj_clv *clv, int32_t i);
double cj__clv_std_error(const cj_clv *clv, int32_t i);
/* The status of this name, and of several that with this text; its name is NULL when no
 * fit of the model ends so. */
cj__clv_status cj__clv_status_of(const cj__clv_model *model, const char *name,
                                 const char *text);
void cj__clv_put_json(const cj_clv *clv, cj__str *to);

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

/* What spend models learn from: purchases whose mean value is positive.  Others, such
 * as those that were all refunded, are as if there were none. */
static inline int cj__clv_has_spent(const cj_clv_data *data, int64_t i)
{
    return data->x[i] > 0 && data->spend[i] > 1e-100;
}

#endif
