/* E[f(p)] for p ~ Beta(a, b): places and weights for functions that are analytic off
 * the negative axis, however close to 0 their singularity is (mixtures of lifetimes are
 * such functions).  Error about 1e-14 of the largest |f|. */
#ifndef CJ__METRICS_CLV_BETA_H
#define CJ__METRICS_CLV_BETA_H

#include <stdint.h>

#define CJ__CLV_BETA_PLACES 640

typedef struct cj__clv_beta {
    int32_t n;
    double p[CJ__CLV_BETA_PLACES], s[CJ__CLV_BETA_PLACES]; /* s = 1 - p, exactly */
    double weight[CJ__CLV_BETA_PLACES];                    /* they sum to 1 */
} cj__clv_beta;

/* nearest: the size of p below which f is as at 0 (its singularity is at -nearest). */
void cj__clv_beta_rule(double a, double b, double nearest, cj__clv_beta *out);

#endif
