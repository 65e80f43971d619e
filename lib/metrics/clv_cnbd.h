/* BG/CNBD-k and MBG/CNBD-k: what both share (Reutterer, Platzer & Schroeder 2021).
 *
 * A living customer buys after Erlang-k times: k phases of rate lambda each, lambda ~
 * Gamma(r, alpha) over customers (k = 1: Poisson purchases, BG/NBD and MBG/NBD).  After
 * a purchase (MBG: the first one, too) the customer drops out with probability p ~
 * Beta(a, b).  k is given, at->k; the mean time between purchases is k / lambda. */
#ifndef CJ__METRICS_CLV_CNBD_H
#define CJ__METRICS_CLV_CNBD_H

#include "metrics/clv.h"

/* rows->z is `litt`: the sum of ln(time between purchases) over the x of them, in the
 * unit of tx (in another unit u: litt - x ln u); 0 if x = 0.  The log-likelihood has
 * (k-1) litt - x ln Gamma(k): nothing to the parameters, but it decides which k is
 * likely. z NULL leaves litt out: then log-likelihoods of different k do not compare,
 * and k cannot be chosen by them.  It is linear in litt: equal (x, tx, T) may share
 * their mean. */

/* A customer who is alive at T: phase j of the running time between purchases (0 right
 * after one) has probability phase[j]; then lambda ~ Gamma(shape + j, scale). */
typedef struct cj__cnbd_state {
    double shape, scale, alive;
    double a, b; /* of p given alive: Beta(a, b + chances) */
    double phase[CJ__CLV_K];
} cj__cnbd_state;
void cj__cnbd_state_of(const cj__clv_at *at, double x, double tx, double t,
                       cj__cnbd_state *out);

void cj__cnbd_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                     double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK]);
int32_t cj__cnbd_p_alive(const cj__clv_ask *ask, double *out);
int32_t cj__cnbd_expected(const cj__clv_ask *ask, double *out);
int32_t cj__cnbd_pmf(const cj__clv_ask *ask, double *out);
int32_t cj__cnbd_dert(const cj__clv_ask *ask, double *out);
double cj__cnbd_expected_new(const cj__clv_at *at, double t);
double cj__cnbd_pmf_new(const cj__clv_at *at, double from, double until, int64_t n);

#endif
