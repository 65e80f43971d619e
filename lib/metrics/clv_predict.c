/* cj_clv_predict: questions about customers become columns of a table.  Which question
 * a column asks is a row of measures[]; blocks of customers are independent of each
 * other, so that threads change nothing. */
#include "metrics/clv_predict.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/table.h"
#include "base/tasks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PREDICT_NEXT_YEARS 100 /* a purchase later than this comes never */
#define PREDICT_LONGEST 1e12   /* days */
#define PREDICT_COLUMNS 1024   /* characters of all names */

/* The time that a question is about, and what kind of number answers it. */
enum { WINDOW, HORIZON };
enum { AMOUNT, PROBABILITY };

/* A column of the model: an answer to its own question. */
typedef struct predict_measure {
    int64_t bit;
    const char *name;
    cj__clv_question question;
    size_t needs; /* the function of the model's row that it asks */
    int32_t time, kind;
} predict_measure;

#define OF(function) offsetof(cj__clv_model, function)

static const predict_measure measures[] = {
    {CJ_CLV_P_ALIVE,     "p_alive",              cj__clv_p_alive,    OF(p_alive),  WINDOW, PROBABILITY},
    {CJ_CLV_EXPECTED,    "expected_purchases",   cj__clv_expected,   OF(expected), WINDOW, 0          },
    {CJ_CLV_PROBABILITY, "p_purchases",          cj__clv_pmf,        OF(pmf),      WINDOW, PROBABILITY},
    {CJ_CLV_BACK,        "p_back",               cj__clv_back,       OF(pmf),      WINDOW, PROBABILITY},
    {CJ_CLV_DISCOUNTED,  "discounted_purchases", cj__clv_discounted, OF(expected),
     HORIZON,                                                                              0          },
    {CJ_CLV_RESIDUAL,    "residual_purchases",   cj__clv_dert,       OF(dert),     WINDOW, 0          },
};
enum {
    N_MEASURES = sizeof measures / sizeof measures[0],
    DISCOUNTED = 4,
    RESIDUAL = 5
};

/* A column and its bounds: where they are in the table, -1: not asked for. */
typedef struct predict_column {
    int at;
    double *value, *low, *high;
} predict_column;

typedef struct predict_scratch {
    cj__clv_block block;
    /* CJ__CLV_BLOCK each; of the rows of a part, spend of those of the block */
    double *answer, *variance, *more, *spend, *spend_variance, *money_x, *money_z;
} predict_scratch;

typedef struct predict {
    cj_clv_predict_options o;
    const cj_clv *clv, *spend; /* spend NULL: data->spend, or o.spend */
    const cj_clv_data *data;
    const cj__allocator *allocator;
    cj__clv_around model, money;
    double unit, from, until, horizon, delta, z;
    int64_t has; /* CJ_CLV_* that are columns */
    cj_table *table;
    predict_column measure[N_MEASURES], expected_spend, value, residual_value;
    predict_column next_median, next_mean, purchases_low, purchases_high;
    predict_scratch *scratch;
    int32_t n_scratch;
} predict;

/* ---- options ----------------------------------------------------------------------
 */

static int predict_answers(const cj__clv_model *model, size_t needs)
{
    int32_t (*function)(const cj__clv_ask *, double *);

    memcpy(&function, (const char *)model + needs, sizeof function);
    return function != NULL;
}

/* What this model and these data can answer. */
static int64_t predict_possible(const predict *p)
{
    const cj__clv_model *m = p->clv->model;
    const int spends = p->spend != NULL || p->data->spend != NULL || p->o.spend > 0;
    int64_t possible = CJ_CLV_INTERVALS;

    for (int i = 0; i < N_MEASURES; i++) {
        if (predict_answers(m, measures[i].needs))
            possible |= measures[i].bit;
    }
    if (m->pmf != NULL)
        possible |= CJ_CLV_NEXT | CJ_CLV_QUANTILES;
    if (spends)
        possible |= CJ_CLV_SPEND | (m->expected != NULL ? CJ_CLV_VALUE : 0);
    if (p->o.discount_ratio <= 0)
        possible &= ~(int64_t)CJ_CLV_RESIDUAL;
    if (!p->clv->has_covariance)
        possible &= ~(int64_t)CJ_CLV_INTERVALS;
    return possible;
}

static int32_t predict_columns_choose(predict *p)
{
    const int64_t possible = predict_possible(p), asked = p->o.columns;

    p->has = asked == CJ_CLV_ALL ? possible
             : asked == 0        ? CJ_CLV_P_ALIVE | CJ_CLV_EXPECTED
                                 : asked;
    if ((p->has & ~possible & CJ_CLV_RESIDUAL) != 0 && p->clv->model->dert != NULL)
        return cj__fail(CJ_EINVAL, "a residual value needs a discount_ratio per year");
    if ((p->has & ~possible & (CJ_CLV_SPEND | CJ_CLV_VALUE)) != 0)
        return cj__fail(CJ_EINVAL, "value needs a spend model, data->spend or spend");
    if ((p->has & ~possible & CJ_CLV_INTERVALS) != 0)
        return cj__fail(CJ_EINVAL, "the fit has no covariance, so no intervals");
    if ((p->has & ~possible) != 0)
        return cj__fail(CJ_EINVAL, "%s has no answer for one of the columns",
                        p->clv->model->title);
    return CJ_OK;
}

static int predict_ratio_bad(double ratio)
{
    return !(ratio >= 0 && ratio < 1e6);
}

static int32_t predict_options_read(predict *p)
{
    cj_clv_predict_options *o = &p->o;
    if (o->until_days == 0)
        o->until_days = CJ__CLV_YEAR_DAYS;
    if (o->horizon_days == 0)
        o->horizon_days = o->until_days;
    if (o->level == 0)
        o->level = 0.95;
    if (o->margin_ratio == 0)
        o->margin_ratio = 1;
    if (!(o->from_days >= 0 && o->from_days <= o->until_days && o->horizon_days >= 0 &&
          fmax(o->until_days, o->horizon_days) <= PREDICT_LONGEST))
        return cj__fail(CJ_EINVAL, "0 <= from_days <= until_days <= 1e12 must hold");
    if (predict_ratio_bad(o->discount_ratio) || predict_ratio_bad(o->margin_ratio))
        return cj__fail(CJ_EINVAL, "a ratio is a number from 0 on: 0.1 is 10 %%");
    if (!(o->level > 0 && o->level < 1))
        return cj__fail(CJ_EINVAL, "level must be between 0 and 1: 0.95 is usual");
    if (!(o->spend >= 0 && o->spend < (double)INFINITY) || o->n_purchases < 0)
        return cj__fail(CJ_EINVAL, "spend and n_purchases must not be negative");
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS || o->reserved != 0)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d, reserved 0",
                        CJ__MAX_THREADS);
    return CJ_OK;
}

/* Days as units of the model; 5 years of 365.2425 days are 5 periods, not 4.9999. */
static double predict_units(const predict *p, double days)
{
    return cj__clv_is_whole(p->clv) ? floor(days / p->unit + 1e-9) : days / p->unit;
}

static int32_t predict_times(predict *p)
{
    const cj_clv_predict_options *o = &p->o;

    if (cj__clv_is_whole(p->clv) && !(o->period_days > 0 && o->period_days < 1e9))
        return cj__fail(CJ_EINVAL,
                        "%s counts periods: period_days must say how long one is",
                        p->clv->model->title);
    p->unit = cj__clv_is_whole(p->clv) ? o->period_days : p->clv->unit_days;
    p->from = predict_units(p, o->from_days);
    p->until = predict_units(p, o->until_days);
    p->horizon = predict_units(p, o->horizon_days);
    p->delta = cj__clv_delta(o->discount_ratio, p->unit);
    p->z = cj__clv_z(o->level);
    return predict_columns_choose(p);
}

/* ---- the table --------------------------------------------------------------------
 */

/* Adds a name, with its bounds when there are any, and says where it is. */
static void predict_name(predict *p, char *names, const char *name, int64_t bit,
                         int *next, predict_column *column)
{
    const size_t used = strlen(names);
    const int bounds = (p->has & CJ_CLV_INTERVALS) != 0;

    column->at = -1;
    if ((p->has & bit) != bit)
        return;
    column->at = *next;
    *next += bounds ? 3 : 1;
    snprintf(names + used, PREDICT_COLUMNS - used,
             bounds ? "%s:d %s_low:d %s_high:d " : "%s:d ", name, name, name);
}

static int32_t predict_room(predict *p, predict_column *column, int bounds)
{
    const size_t n = (size_t)p->data->n;

    if (column->at < 0)
        return CJ_OK;
    column->value = cj__table_double_extend(p->table, column->at, n);
    if (column->value == NULL)
        return CJ_ENOMEM;
    if (!bounds || (p->has & CJ_CLV_INTERVALS) == 0)
        return CJ_OK;
    column->low = cj__table_double_extend(p->table, column->at + 1, n);
    column->high = cj__table_double_extend(p->table, column->at + 2, n);
    return column->low == NULL || column->high == NULL ? CJ_ENOMEM : CJ_OK;
}

/* Names without bounds: the next purchase, and the quantiles, which are bounds. */
static void predict_names_plain(predict *p, char *names, int next)
{
    const size_t used = strlen(names);
    const int has_next = (p->has & CJ_CLV_NEXT) != 0;
    const int has_quantiles = (p->has & CJ_CLV_QUANTILES) != 0;

    p->next_median.at = has_next ? next : -1;
    p->next_mean.at = has_next ? next + 1 : -1;
    p->purchases_low.at = has_quantiles ? next + 2 * has_next : -1;
    p->purchases_high.at = has_quantiles ? next + 2 * has_next + 1 : -1;
    snprintf(names + used, PREDICT_COLUMNS - used, "%s%s",
             has_next ? "next_median_days:d next_mean_days:d " : "",
             has_quantiles ? "purchases_low:d purchases_high:d" : "");
}

static int32_t predict_table_begin(predict *p)
{
    const int64_t residual = CJ_CLV_RESIDUAL | CJ_CLV_VALUE;
    char names[PREDICT_COLUMNS] = "";
    int next = 0;
    int32_t rc;

    for (int i = 0; i < N_MEASURES; i++)
        predict_name(p, names, measures[i].name, measures[i].bit, &next,
                     &p->measure[i]);
    predict_name(p, names, "expected_spend", CJ_CLV_SPEND, &next, &p->expected_spend);
    predict_name(p, names, "clv", CJ_CLV_VALUE, &next, &p->value);
    predict_name(p, names, "residual_clv", residual, &next, &p->residual_value);
    predict_names_plain(p, names, next);
    if (names[0] == '\0')
        return cj__fail(CJ_EINVAL, "columns are none but intervals: of what?");
    CJ_TRY(cj__table_new(p->allocator, names, &p->table));
    for (int i = 0; i < N_MEASURES; i++)
        CJ_TRY(predict_room(p, &p->measure[i], 1));
    CJ_TRY(predict_room(p, &p->expected_spend, 1));
    CJ_TRY(predict_room(p, &p->value, 1));
    CJ_TRY(predict_room(p, &p->residual_value, 1));
    CJ_TRY(predict_room(p, &p->next_median, 0));
    CJ_TRY(predict_room(p, &p->next_mean, 0));
    CJ_TRY(predict_room(p, &p->purchases_low, 0));
    CJ_TRY(predict_room(p, &p->purchases_high, 0));
out:
    return rc;
}

/* ---- one block --------------------------------------------------------------------
 */

/* What a task works on: a part of a block, with the parameters of its customers. */
typedef struct predict_job {
    const predict *p;
    predict_scratch *s;
    const cj__clv_around *model;
    cj__clv_part part;
    cj__clv_ask ask;
} predict_job;

/* Row i of the part as a row of the block. */
static int64_t predict_row(const predict_job *job, int64_t i)
{
    return job->part.which == NULL ? i : job->part.which[i];
}

static void predict_write(const predict_job *job, const predict_column *column,
                          const double *answer, const double *variance, int kind)
{
    const int64_t first = job->s->block.first, n = job->part.rows.n;

    for (int64_t i = 0; i < n; i++)
        column->value[first + predict_row(job, i)] = answer[i];
    for (int64_t i = 0; column->low != NULL && i < n; i++) {
        const int64_t row = first + predict_row(job, i);
        double bounds[2];

        cj__clv_bounds(answer[i], variance[i], job->p->z, kind == PROBABILITY, bounds);
        column->low[row] = bounds[0];
        column->high[row] = bounds[1];
    }
}

/* Answer and, for intervals, variance of a question, into the scratch. */
static int32_t predict_ask(const predict_job *job, const predict_measure *m)
{
    const predict *p = job->p;
    cj__clv_ask ask = job->ask;
    int32_t rc;

    if (m->time == HORIZON) {
        ask.from = 0;
        ask.until = p->horizon;
    }
    rc = m->question(&ask, job->s->answer);
    if (rc == CJ_OK && (p->has & CJ_CLV_INTERVALS) != 0)
        rc = cj__clv_variance(job->model, m->question, &ask, job->s->variance);
    return rc;
}

/* What a purchase of each customer of the block is worth: by the spend model, as the
 * caller says per customer, or one number for all. */
static int32_t predict_spend(const predict *p, predict_scratch *s)
{
    const int64_t n = s->block.rows.n, first = s->block.first;
    double *columns[4] = {s->money_x, NULL, NULL, s->money_z};
    const cj__clv_rows rows = {.x = s->money_x, .z = s->money_z, .n = n};
    const cj__clv_ask ask = {.at = &p->money.at, .rows = &rows};
    int32_t rc;

    memset(s->spend_variance, 0, (size_t)n * sizeof *s->spend_variance);
    if (p->spend == NULL) {
        for (int64_t i = 0; i < n; i++)
            s->spend[i] =
                p->data->spend != NULL ? p->data->spend[first + i] : p->o.spend;
        return CJ_OK;
    }
    cj__clv_rows_of(p->spend, p->data, first, n, columns);
    rc = p->money.at.model->expected(&ask, s->spend);
    if (rc == CJ_OK && p->money.is_wide)
        rc = cj__clv_variance(&p->money, cj__clv_expected, &ask, s->spend_variance);
    return rc;
}

/* The answer in the scratch times spend times margin.  The two models were fitted
 * apart, so the relative variances add up. */
static void predict_value(const predict_job *job, const predict_column *column)
{
    predict_scratch *s = job->s;

    if (column->at < 0)
        return;
    for (int64_t i = 0; i < job->part.rows.n; i++) {
        const double answer = s->answer[i], margin = job->p->o.margin_ratio;
        const double spend = s->spend[predict_row(job, i)] * margin;
        const double doubt = s->spend_variance[predict_row(job, i)] * margin * margin;

        s->answer[i] = answer * spend;
        s->variance[i] = s->variance[i] * spend * spend + doubt * answer * answer;
    }
    predict_write(job, column, s->answer, s->variance, AMOUNT);
}

static int32_t predict_measures(const predict_job *job)
{
    const predict *p = job->p;
    const predict_column *values[N_MEASURES] = {
        [DISCOUNTED] = &p->value,
        [RESIDUAL] = &p->residual_value,
    };

    for (int i = 0; i < N_MEASURES; i++) {
        int32_t rc;

        if (p->measure[i].at < 0 && (values[i] == NULL || values[i]->at < 0))
            continue;
        rc = predict_ask(job, &measures[i]);
        if (rc != CJ_OK)
            return rc;
        if (p->measure[i].at >= 0)
            predict_write(job, &p->measure[i], job->s->answer, job->s->variance,
                          measures[i].kind);
        if (values[i] != NULL)
            predict_value(job, values[i]);
    }
    return CJ_OK;
}

static int32_t predict_next(const predict_job *job)
{
    const predict *p = job->p;
    double *median = job->s->answer, *mean = job->s->more;
    cj__clv_ask ask = job->ask;
    int32_t rc;

    ask.until = predict_units(p, PREDICT_NEXT_YEARS * CJ__CLV_YEAR_DAYS);
    CJ_TRY(cj__clv_next_median(&ask, median));
    ask.until = p->horizon;
    CJ_TRY(cj__clv_next_mean(&ask, mean));
    for (int64_t i = 0; i < job->part.rows.n; i++) {
        median[i] *= p->unit;
        mean[i] *= p->unit;
    }
    predict_write(job, &p->next_median, median, NULL, AMOUNT);
    predict_write(job, &p->next_mean, mean, NULL, AMOUNT);
out:
    return rc;
}

static int32_t predict_quantiles(const predict_job *job)
{
    const predict *p = job->p;
    int32_t rc = cj__clv_quantiles(&job->ask, p->o.level, job->s->answer, job->s->more);

    if (rc != CJ_OK)
        return rc;
    predict_write(job, &p->purchases_low, job->s->answer, NULL, AMOUNT);
    predict_write(job, &p->purchases_high, job->s->more, NULL, AMOUNT);
    return CJ_OK;
}

static int32_t predict_part(predict_job *job)
{
    const predict *p = job->p;
    int32_t rc;

    job->ask = (cj__clv_ask){
        .at = &job->model->at,
        .rows = &job->part.rows,
        .from = p->from,
        .until = p->until,
        .n_purchases = p->o.n_purchases,
        .delta = p->delta,
    };
    CJ_TRY(predict_measures(job));
    if (p->next_median.at >= 0)
        CJ_TRY(predict_next(job));
    if (p->purchases_low.at >= 0)
        CJ_TRY(predict_quantiles(job));
out:
    return rc;
}

/* A part with covariates has parameters of its own. */
static int32_t predict_own(predict_job *job)
{
    const predict *p = job->p;
    const int64_t row = job->s->block.first + predict_row(job, 0);
    cj__clv_around own;
    int64_t max_x = 0;
    int32_t rc;

    for (int64_t i = 0; i < job->part.rows.n; i++)
        max_x =
            job->part.rows.x[i] > (double)max_x ? (int64_t)job->part.rows.x[i] : max_x;
    rc = cj__clv_ready(&own, p->clv, cj__clv_covariates(p->clv, p->data, row), max_x,
                       (p->has & CJ_CLV_INTERVALS) != 0);
    if (rc != CJ_OK)
        return rc;
    job->model = &own;
    rc = predict_part(job);
    cj__clv_around_end(&own);
    return rc;
}

static int32_t predict_block(void *user, int worker, int64_t number)
{
    predict *p = user;
    predict_scratch *s = &p->scratch[worker];
    predict_job job = {.p = p, .s = s, .model = &p->model};
    int64_t at = 0;
    int32_t rc = CJ_OK;

    cj__clv_block_fill(&s->block, p->data, p->clv, number);
    cj__clv_block_sort(&s->block, p->data, p->clv);
    if ((p->has & (CJ_CLV_SPEND | CJ_CLV_VALUE)) != 0)
        rc = predict_spend(p, s);
    while (rc == CJ_OK &&
           cj__clv_block_part(&s->block, p->data, p->clv, &at, &job.part))
        rc = p->clv->n_covariates == 0 ? predict_part(&job) : predict_own(&job);
    if (rc == CJ_OK && p->expected_spend.at >= 0) {
        job.part = (cj__clv_part){s->block.rows, NULL};
        predict_write(&job, &p->expected_spend, s->spend, s->spend_variance, AMOUNT);
    }
    return rc;
}

/* ---- the call ---------------------------------------------------------------------
 */

#define SCRATCH_BYTES (7 * CJ__CLV_BLOCK * sizeof(double))

static int32_t predict_scratch_begin(predict *p)
{
    p->n_scratch = p->o.threads > 1 ? p->o.threads : 1;
    p->scratch =
        cj__alloc_zero(p->allocator, (size_t)p->n_scratch * sizeof *p->scratch);
    if (p->scratch == NULL)
        return CJ_ENOMEM;
    for (int32_t i = 0; i < p->n_scratch; i++) {
        predict_scratch *s = &p->scratch[i];

        if (cj__clv_block_begin(&s->block, p->allocator) != CJ_OK)
            return CJ_ENOMEM;
        s->answer = cj__alloc(p->allocator, SCRATCH_BYTES);
        if (s->answer == NULL)
            return CJ_ENOMEM;
        s->variance = s->answer + CJ__CLV_BLOCK;
        s->more = s->variance + CJ__CLV_BLOCK;
        s->spend = s->more + CJ__CLV_BLOCK;
        s->spend_variance = s->spend + CJ__CLV_BLOCK;
        s->money_x = s->spend_variance + CJ__CLV_BLOCK;
        s->money_z = s->money_x + CJ__CLV_BLOCK;
    }
    return CJ_OK;
}

static void predict_end(predict *p)
{
    for (int32_t i = 0; p->scratch != NULL && i < p->n_scratch; i++) {
        cj__clv_block_end(&p->scratch[i].block, p->allocator);
        cj__free(p->allocator, p->scratch[i].answer, SCRATCH_BYTES);
    }
    cj__free(p->allocator, p->scratch, (size_t)p->n_scratch * sizeof *p->scratch);
    cj__clv_around_end(&p->model);
    cj__clv_around_end(&p->money);
    cj__table_free(p->table);
}

static int32_t predict_models_check(const predict *p)
{
    if (p->clv->model->family == CJ__CLV_SPEND)
        return cj__fail(CJ_EINVAL, "%s is a spend model: pass it as spend",
                        p->clv->model->title);
    if (p->spend != NULL && p->spend->model->family != CJ__CLV_SPEND)
        return cj__fail(CJ_EINVAL, "%s is not a spend model", p->spend->model->title);
    return CJ_OK;
}

/* Money as the caller says it, when no model is there to ask. */
static int32_t predict_spend_check(const predict *p)
{
    if (p->spend != NULL)
        return cj__clv_data_check(p->spend->model, p->data);
    for (int64_t i = 0; p->data->spend != NULL && i < p->data->n; i++) {
        if (!(p->data->spend[i] >= 0 && p->data->spend[i] < (double)INFINITY))
            return cj__fail_at(i, CJ_EINVAL,
                               "row %lld: spend is not an amount from 0 on",
                               (long long)i);
    }
    return CJ_OK;
}

static int32_t predict_ready(predict *p)
{
    const int has_money = (p->has & (CJ_CLV_SPEND | CJ_CLV_VALUE)) != 0;
    const int wide = (p->has & CJ_CLV_INTERVALS) != 0;
    const int64_t max_x = cj__clv_max_x(p->data);
    int32_t rc = CJ_OK;

    if (has_money)
        CJ_TRY(predict_spend_check(p));
    if (p->clv->n_covariates == 0)
        CJ_TRY(cj__clv_ready(&p->model, p->clv, NULL, max_x, wide));
    if (has_money && p->spend != NULL)
        CJ_TRY(cj__clv_ready(&p->money, p->spend, NULL, max_x,
                             wide && p->spend->has_covariance));
    CJ_TRY(predict_table_begin(p));
    CJ_TRY(predict_scratch_begin(p));
out:
    return rc;
}

int32_t cj__clv_predict(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                        const cj_clv_predict_options *opts, cj_table **out)
{
    predict p = {.o = *opts, .clv = clv, .spend = spend, .data = data};
    const predict_column *const may_be_null[] = {&p.next_median, &p.next_mean,
                                                 &p.purchases_low, &p.purchases_high};
    int32_t rc;

    p.allocator = &clv->allocator;
    CJ_TRY(predict_models_check(&p));
    CJ_TRY(predict_options_read(&p));
    CJ_TRY(predict_times(&p));
    CJ_TRY(cj__clv_data_check(clv->model, data));
    CJ_TRY(cj__clv_covariates_check(clv, data));
    CJ_TRY(predict_ready(&p));
    CJ_TRY(cj__tasks_run(p.o.threads, cj__clv_n_blocks(data->n), predict_block, &p));
    for (size_t i = 0; i < sizeof may_be_null / sizeof may_be_null[0]; i++) {
        if (may_be_null[i]->at >= 0)
            cj__table_null_nan(p.table, may_be_null[i]->at);
    }
    rc = cj__table_finish(p.table, out);
    p.table = NULL;
out:
    predict_end(&p);
    return rc;
}
