/* What the suites of value models share: sums over customers, derivatives against
 * differences, and the slowest honest Newton, so that a model can be held against
 * published fits without the library's own optimiser. */
#ifndef CJ_TESTS_CLV_LIKELIHOOD_H
#define CJ_TESTS_CLV_LIKELIHOOD_H

#include "metrics/clv.h"

typedef struct clv_total {
    double ll;
    double grad[CJ__CLV_PARAMS], hess[CJ__CLV_PARAMS][CJ__CLV_PARAMS];
} clv_total;

/* weight NULL: 1 each. */
void clv_total_at(const cj__clv_model *model, const double *theta,
                  const cj__clv_rows *rows, const double *weight, clv_total *out);
/* With regularity k; weights 1. */
void clv_total_k(const cj__clv_model *model, int32_t k, const double *theta,
                 const cj__clv_rows *rows, clv_total *out);
/* From theta to the maximum; theta becomes the estimate.  Fails the test if it is not
 * there after 200 steps. */
void clv_newton(const cj__clv_model *model, const cj__clv_rows *rows,
                const double *weight, double *theta, clv_total *out);
/* Standard errors of the parameters from the Hessian in their logarithms. */
void clv_std_errors(const cj__clv_model *model, const double *theta,
                    const clv_total *total, double *out);

/* Gradient and Hessian of each row against differences; to this part of their size. */
void clv_check_derivatives(const cj__clv_model *model, const double *theta,
                           const cj__clv_rows *rows, double tolerance);

/* One customer's answers. */
typedef int32_t (*clv_question)(const cj__clv_ask *ask, double *out);
typedef struct clv_customer {
    double x, tx, t, z;
} clv_customer;
double clv_loglik(const cj__clv_model *model, const double *theta, clv_customer who);
double clv_answer(clv_question question, const cj__clv_model *model,
                  const double *theta, clv_customer who, cj__clv_ask ask);

/* Dice: uniform in (0, 1), and spread evenly in the logarithm. */
double clv_random(uint64_t *state);
double clv_random_log(uint64_t *state, double low, double high);

/* Columns of a file of the shared data by their place (0: the first), after one line of
 * names: returns rows read; 0, said loudly, if the file is not there. */
int64_t clv_read(const char *name, int n_columns, const int *places, int64_t max,
                 double **columns);

#define ck_assert_close(got, want, relative)                                           \
    do {                                                                               \
        const double got_ = (got), want_ = (want);                                     \
        ck_assert_msg(fabs(got_ - want_) <= (relative)*fabs(want_),                    \
                      "%s is %.17g, not %.17g", #got, got_, want_);                    \
    } while (0)

#endif
