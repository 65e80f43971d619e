/* What the files of Pareto/NBD share: one customer's two stories (alive at T, or gone
 * at some y in (tx, T)) and the integral over the second. */
#ifndef CJ__METRICS_CLV_PARETO_H
#define CJ__METRICS_CLV_PARETO_H

#include "metrics/clv.h"

#include "base/gauss.h"

#define CJ__PARETO_TABLE                                                               \
    3 /* per x: ln Gamma(r+x)/Gamma(r) and its derivatives in r                        \
       */

/* Means over the time of dropout y, given that it is in (tx, T): of la = ln((alpha+y) /
 * (alpha+tx)), ca = 1 - (alpha+tx) / (alpha+y), lb and cb the same with beta; then of
 * their products, lower triangle by rows: la la, ca la, ca ca, lb la, ... */
typedef struct cj__pareto_gone {
    double mean[4];
    double product[10];
} cj__pareto_gone;

typedef struct cj__pareto_row {
    double r, alpha, s, beta;
    double x, tx, t;
    double la, lb; /* ln((alpha+T) / (alpha+tx)), the same with beta */
    /* Their likelihoods over (alpha+tx)^-(r+x) (beta+tx)^-s. */
    double alive, gone;
} cj__pareto_row;

/* means: NULL if nobody asks for them. */
void cj__pareto_row_set(cj__pareto_row *row, const double *theta,
                        const double customer[3], cj__pareto_gone *means);

/* A quadrature rule for a panel of ln(time) of this length, in which the logarithm of
 * what is integrated falls by so much. */
const cj__gauss *cj__pareto_rule(double length, double fall);

/* P(n purchases in (from, until]) of a newcomer. */
double cj__pareto_chance(const double *theta, double from, double until, int64_t n);

int32_t cj__pareto_p_alive(const cj__clv_ask *ask, double *out);
int32_t cj__pareto_expected(const cj__clv_ask *ask, double *out);
int32_t cj__pareto_pmf(const cj__clv_ask *ask, double *out);
int32_t cj__pareto_dert(const cj__clv_ask *ask, double *out);
double cj__pareto_expected_new(const cj__clv_at *at, double t);
double cj__pareto_pmf_new(const cj__clv_at *at, double from, double until, int64_t n);

#endif
