/* Reference numbers of the value models (CJ_TEST_DATA, clv/), and sums over their
 * customers. */
#ifndef CJ_TESTS_CLV_ORACLE_H
#define CJ_TESTS_CLV_ORACLE_H

#include "metrics/clv.h"

#include <stdio.h>

/* The file behind its heading; NULL, and a loud line, without the data. */
FILE *clv_oracle_open(const char *name);
/* The first n numbers of the next line; 0 at the end. */
int clv_oracle_line(FILE *file, double *numbers, int n);

/* One row's log-likelihood and derivatives. */
typedef struct clv_point {
    double ll, grad[CJ__CLV_PARAMS], hess[CJ__CLV_PAIRS];
} clv_point;

clv_point clv_point_of(const cj__clv_at *at, double x, double tx, double t);
/* Sums over cdnow_cbs_days.csv, times divided by days; 0 without the data. */
int clv_point_cdnow(const cj__clv_at *at, double days, clv_point *out);
/* Standard error of theta[p], from the Hessian in the logarithms. */
double clv_point_error(const clv_point *point, const double *theta, int n, int p);

#endif
