/* cj_clv_predict: questions about customers become columns of a table.  Which question
 * a column asks is a row of measures[]; blocks of customers are independent of each
 * other, so that threads change nothing. */
#include "metrics/clv_predict.h"
#include "metrics/clv_columns.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/tasks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PREDICT_NEXT_YEARS 100 /* a purchase later than this comes never */
#define PREDICT_LONGEST 1e12   /* days */
#define PREDICT_PLAIN (CJ_CLV_NEXT | CJ_CLV_QUANTILES) /* columns without limits */

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

typedef struct predict_scratch {
    cj__clv_block block;
    cj__clv_pulse pulse;
    /* Of the rows of a part, spend of those of the block; NULL: not needed. */
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
    cj__clv_columns table;
    cj__clv_column measure[N_MEASURES], expected_spend, value, residual_value;
    cj__clv_column next_median, next_mean, purchases_low, purchases_high;
    predict_scratch *scratch;
    int32_t n_scratch;
    cj__clv_watch watch;
} predict;

/* ---- options ----------------------------------------------------------------------
 */

static int predict_answers(const cj__clv_model *model, size_t needs)
{
    int32_t (*function)(const cj__clv_ask *, double *);

    memcpy(&function, (const char *)model + needs, sizeof function);
    return function != NULL;
}

static int predict_has_money(const predict *p)
{
    return p->spend != NULL || p->data->spend != NULL || p->o.spend > 0;
}

/* What this model and these data can answer. */
static int64_t predict_possible(const predict *p)
{
    const cj__clv_model *m = p->clv->model;
    const int spends = predict_has_money(p);
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

static int32_t cj__clv_columns_choose(predict *p)
{
    const int64_t possible = predict_possible(p), asked = p->o.columns;

    p->has = asked == CJ_CLV_ALL ? possible
             : asked == 0        ? CJ_CLV_P_ALIVE | CJ_CLV_EXPECTED
                                 : asked;
    if ((p->has & ~possible & CJ_CLV_RESIDUAL) != 0 && p->clv->model->dert != NULL)
        return cj__fail(CJ_EINVAL, "a residual value needs a discount_ratio per year");
    if ((p->has & (CJ_CLV_SPEND | CJ_CLV_VALUE)) != 0 && !predict_has_money(p))
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
    return cj__clv_columns_choose(p);
}

/* ---- the table --------------------------------------------------------------------
 */

static void predict_name(predict *p, const char *name, int64_t bits,
                         cj__clv_column *column)
{
    const int has_limits = (p->has & CJ_CLV_INTERVALS) != 0;

    if ((p->has & bits) == bits)
        cj__clv_columns_add(&p->table, name,
                            (bits & PREDICT_PLAIN) != 0 ? CJ__CLV_NULLS
                            : has_limits                ? CJ__CLV_LIMITS
                                                        : CJ__CLV_PLAIN,
                            column);
}

static int32_t predict_table_begin(predict *p)
{
    for (int i = 0; i < N_MEASURES; i++)
        predict_name(p, measures[i].name, measures[i].bit, &p->measure[i]);
    predict_name(p, "expected_spend", CJ_CLV_SPEND, &p->expected_spend);
    predict_name(p, "clv", CJ_CLV_VALUE, &p->value);
    predict_name(p, "residual_clv", CJ_CLV_RESIDUAL | CJ_CLV_VALUE, &p->residual_value);
    predict_name(p, "next_median_days", CJ_CLV_NEXT, &p->next_median);
    predict_name(p, "next_mean_days", CJ_CLV_NEXT, &p->next_mean);
    predict_name(p, "purchases_low", CJ_CLV_QUANTILES, &p->purchases_low);
    predict_name(p, "purchases_high", CJ_CLV_QUANTILES, &p->purchases_high);
    if (p->table.n == 0)
        return cj__fail(CJ_EINVAL, "columns are none but intervals: of what?");
    return cj__clv_columns_begin(&p->table, p->allocator, p->data->n);
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

static void predict_write(const predict_job *job, const cj__clv_column *column,
                          const double *answer, const double *variance, int kind)
{
    const int64_t first = job->s->block.first, n = job->part.rows.n;

    for (int64_t i = 0; answer != column->value + first && i < n; i++)
        column->value[first + predict_row(job, i)] = answer[i];
    for (int64_t i = 0; column->low != NULL && i < n; i++) {
        const int64_t row = first + predict_row(job, i);
        double bounds[2];

        cj__clv_bounds(answer[i], variance[i], job->p->z, kind == PROBABILITY, bounds);
        column->low[row] = bounds[0];
        column->high[row] = bounds[1];
    }
}

/* Where an answer goes: into its column at once, unless rows stand in another order. */
static double *predict_target(const predict_job *job, const cj__clv_column *column)
{
    return column->value != NULL && job->part.which == NULL
               ? column->value + job->s->block.first
               : job->s->answer;
}

/* The answer to a question and, for intervals, its variance. */
static int32_t predict_ask(const predict_job *job, const predict_measure *m,
                           double *answer)
{
    const predict *p = job->p;
    cj__clv_ask ask = job->ask;
    int32_t rc;

    if (m->time == HORIZON) {
        ask.from = 0;
        ask.until = p->horizon;
    }
    rc = m->question(&ask, answer);
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
            s->spend[i] = p->data->spend != NULL ? fmax(p->data->spend[first + i], 0)
                                                 : p->o.spend;
        return CJ_OK;
    }
    cj__clv_rows_of(p->spend, p->data, first, n, columns);
    rc = p->money.at.model->expected(&ask, s->spend);
    if (rc == CJ_OK && p->money.is_wide)
        rc = cj__clv_variance(&p->money, cj__clv_expected, &ask, s->spend_variance);
    return rc;
}

/* An answer times spend times margin.  The two models were fitted apart, so the
 * relative variances add up. */
static void predict_value(const predict_job *job, const cj__clv_column *column,
                          const double *answer)
{
    predict_scratch *s = job->s;

    for (int64_t i = 0; i < job->part.rows.n; i++) {
        const double count = answer[i], margin = job->p->o.margin_ratio;
        const int64_t row = predict_row(job, i);
        const double spend = s->spend[row] * margin;

        s->answer[i] = count * spend;
        if (column->low != NULL)
            s->variance[i] = s->variance[i] * spend * spend +
                             s->spend_variance[row] * pow(margin * count, 2);
    }
    predict_write(job, column, s->answer, s->variance, AMOUNT);
}

/* The value that is made of a measure, and is asked for. */
static const cj__clv_column *predict_value_of(const predict *p, int measure)
{
    const cj__clv_column *value = measure == DISCOUNTED ? &p->value
                                  : measure == RESIDUAL ? &p->residual_value
                                                        : NULL;

    return value != NULL && value->value != NULL ? value : NULL;
}

static int predict_asks(const predict *p, int measure)
{
    return p->measure[measure].value != NULL || predict_value_of(p, measure) != NULL;
}

/* One of watch.n_questions, of all customers of the part. */
static void predict_answered(const predict_job *job)
{
    atomic_fetch_add(&job->s->pulse.watch->n_answered, job->part.rows.n);
}

static int32_t predict_measures(const predict_job *job)
{
    const predict *p = job->p;

    for (int i = 0; i < N_MEASURES; i++) {
        const cj__clv_column *value = predict_value_of(p, i);
        double *answer = predict_target(job, &p->measure[i]);
        int32_t rc;

        if (!predict_asks(p, i))
            continue;
        rc = predict_ask(job, &measures[i], answer);
        if (rc != CJ_OK)
            return rc;
        if (p->measure[i].value != NULL)
            predict_write(job, &p->measure[i], answer, job->s->variance,
                          measures[i].kind);
        if (value != NULL)
            predict_value(job, value, answer);
        predict_answered(job);
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
    predict_answered(job);
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
    predict_answered(job);
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
        .pulse = &job->s->pulse,
    };
    CJ_TRY(predict_measures(job));
    if (p->next_median.value != NULL)
        CJ_TRY(predict_next(job));
    if (p->purchases_low.value != NULL)
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
    int32_t rc = cj__clv_report(&s->pulse);

    if (rc != CJ_OK)
        return rc;
    cj__clv_block_fill(&s->block, p->data, p->clv, number);
    cj__clv_block_sort(&s->block, p->data, p->clv);
    if ((p->has & (CJ_CLV_SPEND | CJ_CLV_VALUE)) != 0)
        rc = predict_spend(p, s);
    while (rc == CJ_OK &&
           cj__clv_block_part(&s->block, p->data, p->clv, &at, &job.part))
        rc = p->clv->n_covariates == 0 ? predict_part(&job) : predict_own(&job);
    if (rc == CJ_OK && p->expected_spend.value != NULL) {
        job.part = (cj__clv_part){s->block.rows, NULL};
        predict_write(&job, &p->expected_spend, s->spend, s->spend_variance, AMOUNT);
    }
    return rc;
}

/* ---- the call ---------------------------------------------------------------------
 */

/* Columns of scratch that these answers need: spend only with money. */
static size_t predict_scratch_bytes(const predict *p, const predict_scratch *s)
{
    const int has_money = (p->has & (CJ_CLV_SPEND | CJ_CLV_VALUE)) != 0;

    return (has_money ? 7 : 3) * s->block.room * sizeof(double);
}

static int32_t predict_scratch_begin(predict *p)
{
    const int64_t n_blocks = cj__clv_n_blocks(p->data->n);

    p->n_scratch = p->o.threads < 1 || n_blocks < 2 ? 1
                   : p->o.threads < n_blocks        ? p->o.threads
                                                    : (int32_t)n_blocks;
    p->scratch =
        cj__alloc_zero(p->allocator, (size_t)p->n_scratch * sizeof *p->scratch);
    if (p->scratch == NULL)
        return CJ_ENOMEM;
    for (int32_t i = 0; i < p->n_scratch; i++) {
        predict_scratch *s = &p->scratch[i];

        s->pulse = (cj__clv_pulse){&p->watch, i == 0, 0};
        if (cj__clv_block_begin(&s->block, p->allocator, p->clv, p->data->n) != CJ_OK)
            return CJ_ENOMEM;
        s->answer = cj__alloc(p->allocator, predict_scratch_bytes(p, s));
        if (s->answer == NULL)
            return CJ_ENOMEM;
        s->variance = s->answer + s->block.room;
        s->more = s->variance + s->block.room;
        s->spend = s->more + s->block.room; /* from here on with money only */
        s->spend_variance = s->spend + s->block.room;
        s->money_x = s->spend_variance + s->block.room;
        s->money_z = s->money_x + s->block.room;
    }
    return CJ_OK;
}

static void predict_end(predict *p)
{
    for (int32_t i = 0; p->scratch != NULL && i < p->n_scratch; i++) {
        cj__free(p->allocator, p->scratch[i].answer,
                 predict_scratch_bytes(p, &p->scratch[i]));
        cj__clv_block_end(&p->scratch[i].block, p->allocator);
    }
    cj__free(p->allocator, p->scratch, (size_t)p->n_scratch * sizeof *p->scratch);
    cj__clv_around_end(&p->model);
    cj__clv_around_end(&p->money);
    cj__clv_columns_end(&p->table);
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
        if (!isfinite(p->data->spend[i]))
            return cj__fail_at(i, CJ_EINVAL, "row %lld: spend is not an amount",
                               (long long)i);
    }
    return CJ_OK;
}

static void predict_watch(predict *p)
{
    cj__clv_watch *w = &p->watch;

    w->progress = p->o.progress;
    w->progress_user = p->o.progress_user;
    w->n_customers = p->data->n;
    w->n_questions = (p->next_median.value != NULL) + (p->purchases_low.value != NULL);
    for (int i = 0; i < N_MEASURES; i++)
        w->n_questions += predict_asks(p, i);
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
    predict_watch(p);
    CJ_TRY(predict_scratch_begin(p));
out:
    return rc;
}

int32_t cj__clv_predict(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                        const cj_clv_predict_options *opts, cj_table **out)
{
    predict p = {.o = *opts, .clv = clv, .spend = spend, .data = data};
    int32_t rc;

    p.allocator = &clv->allocator;
    CJ_TRY(predict_models_check(&p));
    CJ_TRY(predict_options_read(&p));
    CJ_TRY(predict_times(&p));
    CJ_TRY(cj__clv_data_check(clv->model, data));
    CJ_TRY(cj__clv_covariates_check(clv, data));
    CJ_TRY(predict_ready(&p));
    CJ_TRY(cj__tasks_run(p.n_scratch, cj__clv_n_blocks(data->n), predict_block, &p));
    CJ_TRY(cj__clv_columns_finish(&p.table, out));
out:
    predict_end(&p);
    return rc;
}
