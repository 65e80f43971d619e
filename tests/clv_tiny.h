/* A model small enough to know every answer in closed form: buying is NBD (rate gamma
 * with r + x and alpha + T), leaving is Lomax with s and beta and does not learn from
 * the data; whom we see is there with probability beta / (beta + T - tx). */
#ifndef CJ_TESTS_CLV_TINY_H
#define CJ_TESTS_CLV_TINY_H

#include "metrics/clv_fit.h"

extern const cj__clv_model clv_tiny;          /* continuous */
extern const cj__clv_model clv_tiny_discrete; /* the same in whole periods */

extern const cj__clv_model clv_tiny_spend; /* E[mean] = (q m + x z) / (q + x) */

typedef struct clv_tiny_row {
    double x, tx, t, z;
} clv_tiny_row;

double clv_tiny_rate(const double *theta, const clv_tiny_row *row);
double clv_tiny_alive(const double *theta, const clv_tiny_row *row);
double clv_tiny_survival(const double *theta, double t);
/* Purchases until t. */
double clv_tiny_expected(const double *theta, const clv_tiny_row *row, double t);
double clv_tiny_pmf(const double *theta, const clv_tiny_row *row, double t, double n);

/* As if it had been fitted, with a covariance of the logarithms or without (NULL). */
cj_clv clv_tiny_fitted(const cj__clv_model *model, const double *theta,
                       const double (*covariance)[CJ__CLV_PARAMS], double unit_days);

#endif
