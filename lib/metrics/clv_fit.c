/* A fit from beginning to end: check, group, look for the maximum of the mean
 * log-likelihood over the logarithms of the parameters, say how it ended, and bring all
 * to the unit asked for.  Within, time is measured in mean T, so no unit matters; of
 * many customers a fair sample is fitted first, so that all of them are looked at three
 * or four times only. */
#include "metrics/clv_fit.h"

#include "base/linear.h"
#include "metrics/clv_newton.h"
#include "metrics/clv_sum.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define FIT_LOW (-27.6)      /* of the logarithm of a parameter: 1e-12 */
#define FIT_HIGH 18.4        /* 1e8: beyond, rounding hides what is left to gain */
#define FIT_FAR 9.2          /* 1e4: where a search that does not end is running away */
#define FIT_VERY_FAR 13.8    /* 1e6: one that ends there has run away, too */
#define FIT_COEFFICIENT 30.0 /* per standard deviation of its covariate */
#define FIT_TOLERANCE 1e-5   /* of the last step but one: the last is its square */
#define FIT_FLAT 1e-13  /* smallest by largest eigenvalue: no maximum but a ridge */
#define FIT_UNFELT 1e-6 /* curvature by the largest: of what a limit leaves free */
#define FIT_SAMPLE_FROM 32768
#define FIT_SAMPLE 16     /* of so many customers one is in the sample, */
#define FIT_SAMPLE_ROWS 4 /* but not more than one per so many rows */
#define FIT_SAMPLE_TOLERANCE 1e-3
#define FIT_MAX_K 12 /* to choose from: BTYDplus */

typedef struct fit {
    cj_clv *clv;
    const cj_clv_fit_options *opts;
    cj__clv_groups groups;
    cj__clv_sum sum;
    cj__newton newton;
    cj__newton_point at, best;
    int is_stale;        /* at is not where total was evaluated */
    cj__clv_total total; /* of the last evaluation */
    /* What leaves the house (logarithms of parameters in the unit, coefficients) is
     * shift + lines * y. */
    double shift[CJ__CLV_FREE], lines[CJ__CLV_FREE][CJ__CLV_FREE];
    double prior_centre[CJ__CLV_PARAMS], prior_weight[CJ__CLV_PARAMS];
} fit;

static_assert(CJ__CLV_FREE <= CJ__NEWTON_MAX, "the optimiser has room for all");

/* ---- from within to the unit
 * --------------------------------------------------------- */

static double fit_unit(const fit *f)
{
    return f->clv->model->family == CJ__CLV_CONTINUOUS ? f->clv->unit_days : 1;
}

static void fit_lines(fit *f)
{
    const cj__clv_model *m = f->clv->model;
    const cj__clv_groups *g = &f->groups;
    const int32_t n_covariates = f->clv->n_covariates;

    memset(f->lines, 0, sizeof f->lines);
    memset(f->shift, 0, sizeof f->shift);
    for (int32_t p = 0; p < m->n_params; p++) {
        f->lines[p][p] = 1;
        f->shift[p] = m->power[p] * log(g->scale / fit_unit(f));
    }
    for (int32_t e = 0; e < f->sum.n_groups_of_effects; e++) {
        for (int32_t c = 0; c < n_covariates; c++) {
            const int32_t j = m->n_params + e * n_covariates + c;

            f->lines[j][j] = 1 / g->spread[c];
            for (int32_t p = 0; p < m->n_params; p++)
                f->lines[p][j] = -m->effects[e][p] * g->centre[c] / g->spread[c];
        }
    }
}

static double fit_out(const fit *f, int32_t i)
{
    double out = f->shift[i];

    for (int32_t j = 0; j < f->clv->n_free; j++)
        out += f->lines[i][j] * f->at.y[j];
    return out;
}

/* The density of a time (a value) has the unit of 1 / time: per purchase, of k phases
 * each where the times between are not known; of spend per customer. */
static double fit_loglik(const fit *f)
{
    const cj_clv *clv = f->clv;
    const cj__clv_groups *g = &f->groups;
    double loglik = f->total.loglik;

    if (g->family == CJ__CLV_SPEND)
        return loglik - g->n_customers * log(g->scale);
    if (g->family != CJ__CLV_CONTINUOUS)
        return loglik;
    loglik += clv->k * g->sum_x * log(clv->unit_days / g->scale);
    if (g->data->litt != NULL)
        loglik += (clv->k - 1) * (g->sum_litt - g->sum_x * log(clv->unit_days));
    return loglik;
}

/* ---- the function to be minimised
 * ------------------------------------------------------ */

/* A log-normal prior is half a square in what leaves the house. */
static void fit_add_prior(const fit *f, cj__newton_point *at, double weight)
{
    const int32_t n = f->clv->n_free;

    for (int32_t p = 0; p < f->clv->model->n_params; p++) {
        const double *line = f->lines[p], w = f->prior_weight[p] / weight;
        double off = f->shift[p] - f->prior_centre[p];

        if (w <= 0)
            continue;
        for (int32_t j = 0; j < n; j++)
            off += line[j] * at->y[j];
        at->value += w * off * off / 2;
        for (int32_t i = 0; i < n; i++) {
            at->gradient[i] += w * off * line[i];
            for (int32_t j = 0; j < n; j++)
                at->hessian[i * n + j] += w * line[i] * line[j];
        }
    }
}

static int32_t fit_evaluate(void *user, cj__newton_point *at)
{
    fit *f = user;
    const int32_t n = f->clv->n_free;
    const cj__clv_total *t = &f->total;

    if (f->opts->progress != NULL &&
        f->opts->progress(f->opts->progress_user, f->newton.n_iterations, 0) != 0)
        return cj__fail(CJ_EINTERRUPT, "stopped by the progress function");
    cj__clv_sum_at(&f->sum, at->y, &f->total);
    at->value = -t->loglik / t->weight;
    for (int32_t i = 0; i < n; i++)
        at->gradient[i] = -t->gradient[i] / t->weight;
    for (int32_t i = 0; i < n * n; i++)
        at->hessian[i] = -t->hessian[i] / t->weight;
    fit_add_prior(f, at, t->weight);
    return CJ_OK;
}

/* ---- searching
 * ----------------------------------------------------------------------- */

static void fit_start(const fit *f, double *y)
{
    const cj__clv_model *m = f->clv->model;
    double theta[CJ__CLV_PARAMS];

    for (int32_t p = 0; p < m->n_params; p++)
        theta[p] = 1;
    m->start(&f->groups.means, theta);
    memset(y, 0, CJ__NEWTON_MAX * sizeof *y);
    for (int32_t p = 0; p < m->n_params; p++) {
        y[p] = theta[p] > 0 ? log(theta[p]) : 0;
        y[p] = isfinite(y[p]) ? fmin(fmax(y[p], -FIT_FAR), FIT_FAR) : 0;
        if (f->prior_weight[p] > 0)
            y[p] = fmin(fmax(f->prior_centre[p] - f->shift[p], FIT_LOW), FIT_HIGH);
    }
}

static void fit_bounds(fit *f)
{
    for (int32_t i = 0; i < f->clv->n_free; i++) {
        const int is_param = i < f->clv->model->n_params;

        f->newton.low[i] = is_param ? FIT_LOW : -FIT_COEFFICIENT;
        f->newton.high[i] = is_param ? FIT_HIGH : FIT_COEFFICIENT;
    }
}

/* Rough, over a fair sample of the customers; with covariates over the first rows. */
static int32_t fit_search_sample(fit *f)
{
    const cj__clv_groups *all = &f->groups;
    const int64_t some =
        (int64_t)fmin((double)all->n / FIT_SAMPLE_ROWS, all->n_customers / FIT_SAMPLE);
    cj__clv_groups sample = {0};
    cj__clv_sum sum = f->sum;
    int32_t rc = CJ_OK;

    f->newton.tolerance = FIT_SAMPLE_TOLERANCE;
    f->newton.is_rough = 1;
    if (all->first != NULL || some < FIT_SAMPLE_FROM / FIT_SAMPLE) {
        f->sum.n_rows = all->n / FIT_SAMPLE;
        rc = cj__newton_run(&f->newton, &f->at);
        f->sum.n_rows = all->n;
        return rc;
    }
    memset(&f->sum, 0, sizeof f->sum);
    CJ_TRY(cj__clv_groups_sample(all, some, &sample));
    CJ_TRY(cj__clv_sum_begin(&f->sum, &sample, sum.model, sum.k, sum.threads));
    CJ_TRY(cj__newton_run(&f->newton, &f->at));
out:
    cj__clv_sum_end(&f->sum);
    cj__clv_groups_end(&sample);
    f->sum = sum;
    return rc;
}

/* Ended where the likelihood is curved, not on its way to a limit. */
static int fit_is_clean(const fit *f)
{
    int is = f->newton.end == CJ__NEWTON_DONE;

    for (int32_t i = 0; i < f->clv->n_free; i++)
        is = is && !f->newton.held[i] &&
             (i >= f->clv->model->n_params || fabs(f->at.y[i]) < FIT_FAR);
    return is;
}

/* From at.y on: first over a sample where there are many, then over all.  A sample that
 * runs away leads nowhere: all of them may have a maximum, far from there. */
static int32_t fit_search(fit *f)
{
    double from[CJ__NEWTON_MAX];

    memcpy(from, f->at.y, sizeof from);
    if (f->groups.n >= FIT_SAMPLE_FROM) {
        int32_t rc = fit_search_sample(f);

        if (rc != CJ_OK)
            return rc;
        if (!fit_is_clean(f))
            memcpy(f->at.y, from, sizeof from);
    }
    f->newton.tolerance = FIT_TOLERANCE;
    f->newton.is_rough = 0;
    f->is_stale = 0;
    return cj__newton_run(&f->newton, &f->at);
}

/* A search that ran away may have gone the wrong way from its start: another one from
 * beside it, and the better of the two. */
static int32_t fit_search_again(fit *f)
{
    static const double beside[CJ__CLV_PARAMS] = {1.5, 1.5, -1.5, -1.5};

    for (int turn = 1; turn >= -1 && !fit_is_clean(f); turn -= 2) {
        const cj__newton first = f->newton;
        int32_t rc;

        f->best = f->at;
        fit_start(f, f->at.y);
        for (int32_t p = 0; p < f->clv->model->n_params; p++)
            f->at.y[p] += turn * beside[p];
        rc = fit_search(f);
        if (rc != CJ_OK)
            return rc;
        if (f->newton.end == CJ__NEWTON_NOT_FINITE ||
            (first.end != CJ__NEWTON_NOT_FINITE && !(f->at.value < f->best.value))) {
            f->newton.end = first.end;
            memcpy(f->newton.held, first.held, sizeof first.held);
            f->at = f->best;
            f->is_stale = 1;
        }
    }
    return CJ_OK;
}

/* ---- how it ended
 * -------------------------------------------------------------------- */

static int fit_limit(const fit *f, const cj__clv_limit *limit, double far)
{
    const double y = f->at.y[limit->param];

    return limit->direction > 0 ? y > far : y < -far;
}

/* The limit that a parameter has reached, or that it is on its way to. */
static int fit_find_limit(const fit *f, double far, cj__clv_status *out)
{
    for (const cj__clv_limit *l = f->clv->model->limits; l != NULL && l->status; l++) {
        if (f->newton.held[l->param] ? fit_limit(f, l, 0) : fit_limit(f, l, far)) {
            out->name = l->status;
            out->text = l->text;
            return 1;
        }
    }
    return 0;
}

static cj__clv_status fit_ending(const fit *f, double condition)
{
    const int32_t n_params = f->clv->model->n_params;
    int held = 0, held_coefficient = 0;
    cj__clv_status end;

    for (int32_t i = 0; i < f->clv->n_free; i++) {
        held += i < n_params && f->newton.held[i];
        held_coefficient += i >= n_params && f->newton.held[i];
    }
    if (f->newton.end == CJ__NEWTON_NOT_FINITE)
        return cj__clv_ends[CJ__CLV_NOT_FINITE];
    if (fit_find_limit(f, FIT_VERY_FAR, &end))
        return end;
    if (held > 0)
        return cj__clv_ends[CJ__CLV_AT_BOUND];
    if (held_coefficient > 0)
        return cj__clv_ends[CJ__CLV_COVARIATE_WITHOUT_BOUND];
    if (f->newton.end == CJ__NEWTON_DONE && condition > 0)
        return cj__clv_ends[CJ__CLV_CONVERGED];
    if (fit_find_limit(f, FIT_FAR, &end))
        return end;
    return cj__clv_ends[condition > 0 ? CJ__CLV_NOT_CONVERGED : CJ__CLV_NOT_IDENTIFIED];
}

/* The inverse of the Hessian among what is not held, brought outside; returns its
 * condition, or 0 where it is none of a maximum. */
static double fit_covariance(fit *f)
{
    cj_clv *clv = f->clv;
    const int32_t n = clv->n_free;
    double h[CJ__CLV_FREE * CJ__CLV_FREE], values[CJ__CLV_FREE];
    double vectors[CJ__CLV_FREE * CJ__CLV_FREE];
    int32_t which[CJ__NEWTON_MAX], m = cj__newton_free(&f->newton, which);

    for (int32_t i = 0; i < m; i++) {
        for (int32_t j = 0; j < m; j++)
            h[i * m + j] = f->at.hessian[which[i] * n + which[j]];
    }
    cj__eigen(m, h, values, vectors);
    if (m == 0 || !(values[0] > FIT_FLAT * values[m - 1]))
        return 0;
    for (int32_t e = 0; e < m; e++) { /* column by column: M v v' M' / (value n) */
        double out[CJ__CLV_FREE];

        for (int32_t i = 0; i < n; i++) {
            out[i] = 0;
            for (int32_t j = 0; j < m; j++)
                out[i] += f->lines[i][which[j]] * vectors[j * m + e];
        }
        for (int32_t i = 0; i < n; i++) {
            for (int32_t j = 0; j < n; j++)
                clv->covariance[i][j] +=
                    out[i] * out[j] / values[e] / f->groups.n_customers;
        }
    }
    clv->has_covariance = 1;
    return values[m - 1] / values[0];
}

/* At a limit, what the likelihood does not feel is held as well, so that the others
 * have standard errors: those of the model that is the limit. */
static int fit_hold_flat(fit *f)
{
    const int32_t n = f->clv->n_free;
    int32_t which[CJ__NEWTON_MAX], m = cj__newton_free(&f->newton, which), held = 0;
    double most = 0;

    for (int32_t i = 0; i < m; i++)
        most = fmax(most, f->at.hessian[which[i] * n + which[i]]);
    for (int32_t i = 0; i < m; i++) {
        if (f->at.hessian[which[i] * n + which[i]] < FIT_UNFELT * most)
            held = f->newton.held[which[i]] = 1;
    }
    return held;
}

static void fit_finish(fit *f)
{
    cj_clv *clv = f->clv;
    cj__clv_status limit;
    const int32_t n_params = clv->model->n_params;

    memset(clv->covariance, 0, sizeof clv->covariance);
    clv->has_covariance = 0;
    for (int32_t i = 0; i < clv->n_free; i++) {
        if (i < n_params)
            clv->theta[i] = exp(fit_out(f, i));
        else
            clv->coefficient[i - n_params] = fit_out(f, i);
        clv->held[i] = f->newton.held[i];
    }
    clv->loglik = fit_loglik(f);
    clv->gradient_norm = 0;
    for (int32_t i = 0; i < clv->n_free; i++) {
        if (!f->newton.held[i])
            clv->gradient_norm = fmax(clv->gradient_norm, fabs(f->at.gradient[i]));
    }
    clv->n_iterations = f->newton.n_iterations;
    clv->condition = f->newton.end == CJ__NEWTON_NOT_FINITE ? 0 : fit_covariance(f);
    clv->status = fit_ending(f, clv->condition);
    if (clv->condition <= 0 && fit_find_limit(f, FIT_FAR, &limit) && fit_hold_flat(f)) {
        clv->condition = fit_covariance(f);
        memcpy(clv->held, f->newton.held, sizeof clv->held);
    }
}

/* ---- what cannot be fitted
 * --------------------------------------------------------------- */

static int fit_has_priors(const fit *f)
{
    int has = 1;

    for (int32_t p = 0; p < f->clv->model->n_params; p++)
        has = has && f->prior_weight[p] > 0;
    return has;
}

/* NULL: there is something to learn from. */
static const cj__clv_status *fit_hopeless(const fit *f)
{
    const cj__clv_groups *g = &f->groups;
    const double least = f->clv->model->n_params;

    if (!(g->n_customers > 0))
        return &cj__clv_ends[CJ__CLV_NO_CUSTOMERS];
    if (g->n_repeaters >= least || fit_has_priors(f))
        return NULL;
    return &cj__clv_ends[g->family == CJ__CLV_CONTRACT
                             ? CJ__CLV_TOO_FEW_LOSSES
                             : CJ__CLV_TOO_FEW_REPEAT_CUSTOMERS];
}

/* The first guess, and what it is worth. */
static void fit_guess(fit *f, const cj__clv_status *why)
{
    memset(&f->total, 0, sizeof f->total);
    if (f->groups.n > 0)
        cj__clv_sum_at(&f->sum, f->at.y, &f->total);
    if (!isfinite(f->total.loglik))
        f->total.loglik = 0;
    f->newton.end = CJ__NEWTON_NOT_FINITE; /* no derivatives */
    memset(f->at.gradient, 0, sizeof f->at.gradient);
    fit_finish(f);
    f->clv->status = *why;
}

/* ---- k
 * ------------------------------------------------------------------------------- */

static int32_t fit_one_k(fit *f, int32_t k)
{
    const cj__clv_status *hopeless = fit_hopeless(f);
    int32_t rc = CJ_OK;

    f->clv->k = k;
    f->clv->n_free = cj__clv_n_free(f->clv);
    cj__clv_sum_end(&f->sum);
    if (f->groups.n > 0)
        CJ_TRY(
            cj__clv_sum_begin(&f->sum, &f->groups, f->clv->model, k, f->opts->threads));
    fit_lines(f);
    fit_bounds(f);
    f->newton.n = f->clv->n_free;
    fit_start(f, f->at.y);
    if (hopeless != NULL) {
        fit_guess(f, hopeless);
        return CJ_OK;
    }
    CJ_TRY(fit_search(f));
    CJ_TRY(fit_search_again(f));
    if (f->is_stale || f->newton.end != CJ__NEWTON_DONE) /* tried last, but not kept */
        cj__clv_sum_at(&f->sum, f->at.y, &f->total);
    fit_finish(f);
out:
    return rc;
}

/* All of them: of few customers the likelihood has several hills in k.  To stop after
 * two falls in a row missed the highest in 1 of 1,158 cohorts, after one in 5. */
static int32_t fit_choose_k(fit *f)
{
    const int32_t max_k = f->clv->model->max_k;
    cj_clv best = *f->clv;
    int32_t rc;

    if (f->opts->k > 0 || max_k == 0)
        return fit_one_k(f, f->opts->k > 0 ? f->opts->k : 1);
    for (int32_t k = 1; k <= FIT_MAX_K && k <= max_k; k++) {
        rc = fit_one_k(f, k);
        if (rc != CJ_OK)
            return rc;
        if (k == 1 || f->clv->loglik > best.loglik)
            best = *f->clv;
        if (fit_hopeless(f) != NULL)
            break;
    }
    best.n_iterations = f->clv->n_iterations;
    best.is_k_chosen = 1;
    *f->clv = best;
    return CJ_OK;
}

/* ---- options
 * --------------------------------------------------------------------------- */

static int32_t fit_priors(fit *f)
{
    const double *median = f->opts->prior_median, *spread = f->opts->prior_spread;
    const cj__clv_model *m = f->clv->model;

    if ((median == NULL) != (spread == NULL))
        return cj__fail(CJ_EINVAL, "a prior needs prior_median and prior_spread");
    for (int32_t p = 0; median != NULL && p < m->n_params; p++) {
        if (!(spread[p] >= 0 && spread[p] <= 1e6))
            return cj__fail(CJ_EINVAL, "prior_spread of %s is not in [0, 1e6]",
                            m->params[p]);
        if (spread[p] <= 0)
            continue;
        if (!(median[p] >= 1e-100 && median[p] <= 1e100 && spread[p] >= 1e-6))
            return cj__fail(CJ_EINVAL, "the prior of %s is not positive, or too narrow",
                            m->params[p]);
        f->prior_centre[p] = log(median[p]);
        f->prior_weight[p] = 1 / (spread[p] * spread[p]);
    }
    return CJ_OK;
}

static int32_t fit_options(fit *f, const cj_clv_data *data)
{
    const cj_clv_fit_options *o = f->opts;
    cj_clv *clv = f->clv;

    clv->unit_days = o->unit_days != 0 ? o->unit_days : 1; /* NaN stays */
    if (!(clv->unit_days >= 1e-9 && clv->unit_days <= 1e9))
        return cj__fail(CJ_EINVAL, "unit_days is not in [1e-9, 1e9]");
    if (o->threads < 0)
        return cj__fail(CJ_EINVAL, "threads is negative");
    if (o->k < 0 || (o->k > 1 && o->k > clv->model->max_k))
        return cj__fail(CJ_EINVAL, "k of %s is in 1..%d", clv->model->name,
                        clv->model->max_k > 0 ? clv->model->max_k : 1);
    if (o->k == 0 && clv->model->max_k > 0 && data->litt == NULL)
        return cj__fail(CJ_EINVAL, "choosing k needs the column litt; or give a k");
    if (data->n_covariates > 0 && cj__clv_effect_groups(clv->model) == 0)
        return cj__fail(CJ_EINVAL, "%s takes no covariates", clv->model->name);
    return fit_priors(f);
}

/* A covariate that is the same for everybody says nothing. */
static int32_t fit_check_covariates(const fit *f)
{
    for (int32_t c = 0; c < f->clv->n_covariates && f->groups.n > 0; c++) {
        const double size = fabs(f->groups.centre[c]);

        if (!(f->groups.spread[c] > 1e-12 * size))
            return cj__fail(CJ_EINVAL, "covariate %d (%s) is the same for everybody",
                            c + 1, f->clv->names[c]);
    }
    return CJ_OK;
}

static int32_t fit_all(fit *f, const cj_clv_data *data)
{
    cj_clv *clv = f->clv;
    int32_t rc;

    CJ_TRY(fit_options(f, data));
    CJ_TRY(cj__clv_data_check(clv->model, data));
    CJ_TRY(cj__clv_name_covariates(clv, data));
    CJ_TRY(cj__clv_group(&clv->allocator, clv->model, data, &f->groups));
    CJ_TRY(fit_check_covariates(f));
    clv->n_rows = data->n;
    clv->n_groups = f->groups.n;
    clv->n_customers = f->groups.n_customers;
    clv->n_repeaters = f->groups.n_repeaters;
    f->newton.evaluate = fit_evaluate;
    f->newton.user = f;
    CJ_TRY(fit_choose_k(f));
out:
    cj__clv_sum_end(&f->sum);
    cj__clv_groups_end(&f->groups);
    return rc;
}

int32_t cj__clv_fit(const cj__allocator *a, const cj_clv_data *data,
                    const cj_clv_fit_options *opts, cj_clv **out)
{
    cj_clv *clv = NULL;
    fit *f = NULL;
    int32_t rc;

    *out = NULL;
    CJ_TRY(cj__clv_new(a, opts->model != NULL ? opts->model : "bgnbd", &clv));
    f = cj__alloc_zero(a, sizeof *f);
    if (f == NULL) {
        rc = CJ_ENOMEM;
        goto out;
    }
    f->clv = clv;
    f->opts = opts;
    CJ_TRY(fit_all(f, data));
    *out = clv;
    clv = NULL;
out:
    cj__free(a, f, sizeof *f);
    cj__clv_free(clv);
    return rc;
}
