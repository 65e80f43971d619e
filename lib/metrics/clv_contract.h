/* What sBG and BdW share: S(t) = B(gamma, delta + t^c) / B(gamma, delta), with c = 1 in
 * the former.  Parameters stand in this order in both.  A row with x = 0 has renewed t
 * times and is there; with x = 1 it failed to renew at the end of period t, and nothing
 * is expected of it any more.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_CONTRACT_H
#define CJ__METRICS_CLV_CONTRACT_H

#include "metrics/clv.h"

enum { CJ__CONTRACT_GAMMA, CJ__CONTRACT_DELTA, CJ__CONTRACT_C };

/* ln(S(until) / S(from)): relative error about 1e-14 even where both are nearly 1. */
double cj__clv_contract_log_ratio(const cj__clv_at *at, double from, double until);
double cj__clv_contract_c(const cj__clv_at *at);
/* P(there after t periods), and of those who were there after t - 1 the share. */
double cj__clv_survival(const cj__clv_at *at, double t);
double cj__clv_retention(const cj__clv_at *at, double t);

void cj__clv_contract_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                             double (*grad)[CJ__CLV_CHUNK],
                             double (*hess)[CJ__CLV_CHUNK]);

/* Renewals are the purchases.  dert discounts from T on, so that the next renewal, one
 * period away, counts e^(-delta): the papers' DERL, said just before that renewal is
 * due, is e^delta times it, with 1 + d = e^delta. */
int32_t cj__clv_contract_p_alive(const cj__clv_ask *ask, double *out);
int32_t cj__clv_contract_expected(const cj__clv_ask *ask, double *out);
int32_t cj__clv_contract_pmf(const cj__clv_ask *ask, double *out);
int32_t cj__clv_contract_dert(const cj__clv_ask *ask, double *out);
double cj__clv_contract_expected_new(const cj__clv_at *at, double t);
double cj__clv_contract_pmf_new(const cj__clv_at *at, double from, double until,
                                int64_t n);

#endif
