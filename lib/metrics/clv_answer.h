/* Answers over a model at its parameters: questions put together from those of the
 * model, how sure they are, and curves over time.  Everything here works in the units
 * of the rows and knows neither tables nor options.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_ANSWER_H
#define CJ__METRICS_CLV_ANSWER_H

#include "metrics/clv.h"

/* One number per row, any number of rows.  Errors: CJ_ENOMEM, CJ_EINTERRUPT (by
 * ask->pulse, which every question to a model passes). */
typedef int32_t (*cj__clv_question)(const cj__clv_ask *ask, double *out);

/* The model's own, as questions. */
int32_t cj__clv_p_alive(const cj__clv_ask *ask, double *out);
int32_t cj__clv_expected(const cj__clv_ask *ask, double *out);
int32_t cj__clv_pmf(const cj__clv_ask *ask, double *out);
int32_t cj__clv_dert(const cj__clv_ask *ask, double *out);
/* P(at least one purchase in (from, until]). */
int32_t cj__clv_back(const cj__clv_ask *ask, double *out);
/* Purchases in (0, until], each worth e^(-delta t) at its time t; of discrete and
 * contract models at the end of its period. */
int32_t cj__clv_discounted(const cj__clv_ask *ask, double *out);
/* The same of a continuous model by four nodes in each `panel` of time, where a model
 * answers some thousand customers at once and each question costs it its preparation:
 * what it errs by is small against the integral, and that against the purchases.
 * expected: these, undiscounted. */
int32_t cj__clv_discounted_fast(const cj__clv_ask *ask, double panel, double *expected,
                                double *out);

/* The time after T until which P(at least one purchase) reaches 1/2: NaN when that is
 * later than ask->until.  Whole periods of a discrete model. */
int32_t cj__clv_next_median(const cj__clv_ask *ask, double *out);
/* Mean time to the next purchase of those who make one in (0, until]; NaN: nobody. */
int32_t cj__clv_next_mean(const cj__clv_ask *ask, double *out);

/* ---- integrals over time (clv_discount.c) ---------------------------------------- */

#define CJ__CLV_NODES 12 /* of one panel */
#define CJ__CLV_PANELS 64

/* Gauss-Legendre over t in (0, until), in panels of ln(1 + t / scale): what happens to
 * a customer is smooth in the logarithm of time since T. */
typedef struct cj__clv_nodes {
    int32_t n;
    double t[CJ__CLV_NODES * CJ__CLV_PANELS], weight[CJ__CLV_NODES * CJ__CLV_PANELS];
} cj__clv_nodes;

void cj__clv_nodes_make(cj__clv_nodes *nodes, double scale, double until, double delta);
/* A time in which nothing much changes for anybody: the smallest parameter that is a
 * time, by the largest that is an exponent. */
double cj__clv_scale(const cj__clv_at *at);

/* ---- how sure (clv_around.c) ------------------------------------------------------
 */

/* A model at its parameters and beside them, for derivatives by differences. */
typedef struct cj__clv_around {
    cj__clv_at at;
    cj__clv_at beside[CJ__CLV_PARAMS]
                     [4]; /* the logarithm of one moved by -2..2 steps */
    double covariance[CJ__CLV_PARAMS][CJ__CLV_PARAMS]; /* of the logarithms */
    int32_t n_params;
    int32_t is_wide; /* beside is there */
} cj__clv_around;

/* covariance (n_params rows of CJ__CLV_PARAMS) NULL: at only. */
int32_t cj__clv_around_begin(cj__clv_around *around, const cj__clv_at *like,
                             const double *theta,
                             const double (*covariance)[CJ__CLV_PARAMS]);
void cj__clv_around_end(cj__clv_around *around);

/* The variance of an answer by the delta method: g' C g, g the derivatives with respect
 * to the logarithms.  `ask` is at the estimate. */
int32_t cj__clv_variance(const cj__clv_around *around, cj__clv_question question,
                         const cj__clv_ask *ask, double *variance);

/* Bounds of an answer with this variance, z standard errors away, on the scale where
 * they cannot leave its range: logarithm for what is positive, logit for a probability.
 */
void cj__clv_bounds(double answer, double variance, double z, int is_probability,
                    double bounds[2]);
/* z with P(|N(0, 1)| < z) = level. */
double cj__clv_z(double level);

/* The smallest n with P(N <= n) >= q, for q = (1 - level) / 2 (low) and 1 - that
 * (high), of the purchases in (from, until].  NaN when it is more than
 * CJ__CLV_MAX_COUNT. */
#define CJ__CLV_MAX_COUNT 10000
int32_t cj__clv_quantiles(const cj__clv_ask *ask, double level, double *low,
                          double *high);

/* ---- curves (clv_series.c) ----------------------------------------------------------
 */

/* A smooth function of time on [0, until], looked up instead of worked out: polynomials
 * through Chebyshev points in panels of ln(1 + t / scale). */
#define CJ__CLV_SERIES_POINTS 20
typedef struct cj__clv_series {
    double scale, until, panel;
    int32_t n_panels;
    double value[CJ__CLV_PANELS][CJ__CLV_SERIES_POINTS]; /* coefficients */
} cj__clv_series;

void cj__clv_series_make(cj__clv_series *curve, double scale, double until,
                         double (*f)(const void *user, double t), const void *user);
double cj__clv_series_at(const cj__clv_series *curve, double t);

#endif
