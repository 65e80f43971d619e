/* BG/NBD and MBG/NBD: what both share, and the table of (M)BG/CNBD-k.
 *
 * A living customer buys at random times with rate lambda ~ Gamma(r, alpha) and has c
 * chances to drop out, each with probability p ~ Beta(a, b): after every repeat
 * purchase (BG, c = x; Fader, Hardie & Lee 2005), MBG: after the first one, too (c = x
 * + 1; Batislam, Denizel & Filiztekin 2007, Hoppe & Wagner 2007).  Nothing else
 * differs: alive at T, lambda ~ Gamma(r + x, alpha + T) and p ~ Beta(a, b + c). */
#ifndef CJ__METRICS_CLV_BG_H
#define CJ__METRICS_CLV_BG_H

#include "metrics/clv.h"

/* What depends on x alone, one row of at->table: the likelihood's factor before the
 * braces of clv_bg.c (logarithm, gradient, Hessian; what is missing is 0), and
 * ln(a / (b+c-1)) with its derivatives in ln b (-infinity without a chance). */
typedef struct cj__bg_entry {
    double n, dead; /* n = r + k x; k = 1 but for (M)BG/CNBD-k (clv_cnbd.h) */
    double value, r, a, b, rr, aa, ab, bb;
    double dead_b, dead_bb;
} cj__bg_entry;

#define CJ__CLV_BG_TABLE ((int32_t)(sizeof(cj__bg_entry) / sizeof(double)))

/* Chances to drop out after x repeat purchases. */
double cj__bg_chances(const cj__clv_at *at, double x);
/* The table's row, or *own filled when x is beyond it. */
const cj__bg_entry *cj__bg_find(const cj__clv_at *at, double x, cj__bg_entry *own);
/* (1 - P(alive)) / P(alive); infinite where that is beyond doubles. */
double cj__bg_odds(const cj__clv_at *at, const cj__bg_entry *e, double tx, double t);

extern const cj__clv_limit cj__bg_limits[];
void cj__bg_start(const cj__clv_means *means, double *theta);
void cj__bg_prepare(cj__clv_at *at);
void cj__bg_loglik(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                   double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK]);
int32_t cj__bg_p_alive(const cj__clv_ask *ask, double *out);
int32_t cj__bg_expected(const cj__clv_ask *ask, double *out);
int32_t cj__bg_pmf(const cj__clv_ask *ask, double *out);
int32_t cj__bg_dert(const cj__clv_ask *ask, double *out);
double cj__bg_expected_new(const cj__clv_at *at, double t);
double cj__bg_pmf_new(const cj__clv_at *at, double from, double until, int64_t n);

#endif
