/* Lifetimes in whole periods of somebody who leaves at each with a chance drawn from
 * Beta(a, b): S(t) = B(a, b + t) / B(a, b).  What BG/BB says of leaving and what sBG
 * is. After t periods of staying, b is b + t.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_SURVIVAL_H
#define CJ__METRICS_CLV_SURVIVAL_H

#include "metrics/clv.h"

/* ln S(t), relative error about 1e-14 even where S is 1 to many digits. */
double cj__clv_log_survival(double a, double b, double t);
/* S(1) + ... + S(m): periods lived through of the next m. */
double cj__clv_lives(double a, double b, double m);
/* The sum of S(s) e^(-delta s) over s = 1, 2, ...: infinite where delta = 0 and a <= 1.
 * A delta below 1e-9 (and not 0) is taken as that. */
double cj__clv_lives_discounted(double a, double b, double delta);

/* f of each row's t, worked out once for each of them: t are few.  CJ_ENOMEM. */
int32_t cj__clv_each_t(const cj__clv_ask *ask,
                       double (*f)(const cj__clv_ask *ask, double t), double *out);
/* Whole periods in (from, until]. */
double cj__clv_periods(const cj__clv_ask *ask);

#endif
