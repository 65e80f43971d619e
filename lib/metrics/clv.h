/* The value models: what a model is (one row of models[]), what it is asked, and the
 * rows of customers that it sees.  A model knows nothing of stores, tables, units or
 * optimisers: it turns parameters and rows into numbers.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_H
#define CJ__METRICS_CLV_H

#include "metrics/clv_pulse.h"
#include "metrics/metrics.h"

#define CJ__CLV_PARAMS 4
#define CJ__CLV_GROUPS 2   /* of coefficients of covariates */
#define CJ__CLV_PAIRS 10   /* lower triangle by rows: 00 10 11 20 21 22 30 31 32 33 */
#define CJ__CLV_CHUNK 256  /* rows of one loglik call at most */
#define CJ__CLV_TABLE 4096 /* x up to which a model may keep numbers per x */
#define CJ__CLV_K 24       /* regularity at most; 12 is what peers try */

/* Customers in columns, in the papers' symbols; columns that a family does not name may
 * be NULL.
 *   continuous  x repeat purchases in (0, T], tx time of the last (0 if none), t = T;
 *               z: for (M)BG/CNBD-k alone, litt (clv_cnbd.h)
 *   discrete    x transactions in t = n opportunities, tx the last one's number
 *   spend       x transactions, z their mean value
 *   contract    t periods: lost in period t (x = 1), or still there after it (x = 0) */
typedef struct cj__clv_rows {
    const double *x, *tx, *t, *z;
    int64_t n;
} cj__clv_rows;

typedef struct cj__clv_model cj__clv_model;

/* A model at one point of its parameters, with what it works out once for all rows. */
typedef struct cj__clv_at {
    const cj__clv_model *model;
    double theta[CJ__CLV_PARAMS];
    int32_t k;     /* regularity of (M)BG/CNBD-k, 1..CJ__CLV_K; 1 elsewhere */
    int64_t max_x; /* table covers x in 0..max_x; others are worked out one by one */
    double *table; /* the model's own, (max_x + 1) * model->n_table doubles */
    const cj__allocator *allocator;
} cj__clv_at;

/* max_x beyond CJ__CLV_TABLE is cut to it.  turn: to other parameters. */
int32_t cj__clv_at_begin(cj__clv_at *at, const cj__allocator *a,
                         const cj__clv_model *model, int32_t k, int64_t max_x);
void cj__clv_at_turn(cj__clv_at *at, const double *theta);
void cj__clv_at_end(cj__clv_at *at);

/* What is asked of customers, all of them at once. */
typedef struct cj__clv_ask {
    const cj__clv_at *at;
    const cj__clv_rows *rows;
    double from, until;   /* time after T, in units of the rows: (from, until] */
    int64_t n_purchases;  /* of pmf */
    double delta;         /* continuous discount rate per unit of time, of dert */
    cj__clv_pulse *pulse; /* NULL: nobody waits for questions made of others */
} cj__clv_ask;

typedef enum cj__clv_family {
    CJ__CLV_CONTINUOUS = 1,
    CJ__CLV_DISCRETE,
    CJ__CLV_SPEND,
    CJ__CLV_CONTRACT
} cj__clv_family;

/* A limit of the parameters in which the likelihood goes flat: what it means. */
typedef struct cj__clv_limit {
    int32_t param;      /* index; the one that runs away */
    int32_t direction;  /* 1: to infinity, -1: to zero */
    const char *status; /* "dropout_not_identified", ... */
    const char *text;   /* in words, with the model that is the limit */
} cj__clv_limit;

/* Means of the data, for a first guess (weighted). */
typedef struct cj__clv_means {
    double x, t, tx, z; /* over all rows */
    double x_variance, z_variance;
    double repeat_ratio; /* share of rows with x > 0 */
} cj__clv_means;

struct cj__clv_model {
    const char *name;   /* "bgnbd" */
    const char *title;  /* "BG/NBD" */
    const char *source; /* paper and equations */
    const char *when;   /* when to use it, in words a shop owner understands */
    cj__clv_family family;
    int32_t n_params;
    int32_t n_table;                    /* doubles per x in at->table */
    int32_t max_k;                      /* regularities 1..max_k; 0: has none */
    const char *params[CJ__CLV_PARAMS]; /* the paper's symbols */
    /* Power of the unit of time (spend: of money) in each parameter: alpha 1, r 0. */
    int32_t power[CJ__CLV_PARAMS];
    const cj__clv_limit *limits; /* ends with status NULL */
    /* How covariates act: group g (0 purchase, 1 dropout) adds effects[g][p] times
     * coefficient times covariate to the logarithm of parameter p.  All 0: not at all.
     */
    int32_t effects[CJ__CLV_GROUPS][CJ__CLV_PARAMS];

    void (*start)(const cj__clv_means *means, double *theta);
    void (*prepare)(cj__clv_at *at); /* fills at->table for at->theta; NULL: nothing */

    /* Of each row (at most CJ__CLV_CHUNK) the log-likelihood, and its first and second
     * derivatives with respect to the logarithms of the parameters: grad[p][row],
     * hess[pair][row].  grad NULL: ll only.  Omits nothing that depends on data: the
     * papers' likelihood as it stands. */
    void (*loglik)(const cj__clv_at *at, const cj__clv_rows *rows, double *ll,
                   double (*grad)[CJ__CLV_CHUNK], double (*hess)[CJ__CLV_CHUNK]);

    /* One number per row, any number of rows; NULL: the family has no such question.
     * CJ_ENOMEM is the only error.  Infinite only where the question has no finite
     * answer: a mean spend that does not exist (Gamma-Gamma, q <= 1), dert without a
     * discount. */
    int32_t (*p_alive)(const cj__clv_ask *ask, double *out); /* at T */
    int32_t (*expected)(
        const cj__clv_ask *ask,
        double *out); /* purchases in (from, until]; spend: E[mean value] */
    int32_t (*pmf)(const cj__clv_ask *ask,
                   double *out); /* P(n_purchases in (from, until]) */
    int32_t (*dert)(const cj__clv_ask *ask, double *out); /* discounted, to eternity */
    /* The same of somebody who was acquired just now: until the unit t. */
    double (*expected_new)(const cj__clv_at *at, double t);
    double (*pmf_new)(const cj__clv_at *at, double from, double until, int64_t n);
};

/* Errors: CJ_ENOTFOUND, with the nearest known name. */
int32_t cj__clv_model_find(const char *name, const cj__clv_model **out);
/* All of them; ends with NULL. */
extern const cj__clv_model *const cj__clv_all[];

/* One file per model. */
extern const cj__clv_model cj__clv_nbd, cj__clv_bgnbd, cj__clv_mbgnbd, cj__clv_bgcnbd,
    cj__clv_mbgcnbd, cj__clv_paretonbd, cj__clv_bgbb, cj__clv_gammagamma, cj__clv_sbg,
    cj__clv_bdw;

#endif
