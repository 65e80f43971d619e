/* A fitted model beside what was, over time: purchases per period, customers by number
 * of purchases, and the history of one customer.  What is expected of a customer not
 * looked at yet depends on how long they were there alone: a curve per call, looked up
 * for each customer. */
#include "metrics/clv_predict.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/sum.h"
#include "base/table.h"
#include "base/tasks.h"

#include <math.h>
#include <string.h>

#define TRACK_MAX_PERIODS 100000
#define TRACK_BLOCK 8192 /* customers of one task */

/* A function of time that is asked of every customer: by a series, where time is
 * continuous and parameters are the same for all, or as it is, remembering the last
 * answer. */
typedef struct track_function {
    const cj_clv *clv;
    const cj_clv_data *data;
    cj__clv_around around;
    int64_t n; /* of pmf_new; -1: expected_new */
    int32_t is_smooth;
    cj__clv_series series;
} track_function;

static double track_exact(const void *user, double t)
{
    const track_function *f = user;
    const cj__clv_at *at = &f->around.at;

    return f->n < 0 ? at->model->expected_new(at, t)
                    : at->model->pmf_new(at, 0, t, f->n);
}

static int32_t track_function_begin(track_function *f, const cj_clv *clv,
                                    const cj_clv_data *data, int64_t n, double until)
{
    int32_t rc;

    memset(f, 0, sizeof *f);
    f->clv = clv;
    f->data = data;
    f->n = n;
    rc = cj__clv_ready(&f->around, clv, NULL, 0, 0);
    f->is_smooth =
        !cj__clv_is_whole(clv) && clv->n_covariates == 0 && until > 0 && rc == CJ_OK;
    if (f->is_smooth)
        cj__clv_series_make(&f->series, cj__clv_scale(&f->around.at), until,
                            track_exact, f);
    return rc;
}

/* The same in a thread of its own, which may turn it to other parameters. */
static int32_t track_function_copy(track_function *to, const track_function *from)
{
    *to = *from;
    return cj__clv_ready(&to->around, from->clv, NULL, 0, 0);
}

static void track_function_end(track_function *f)
{
    cj__clv_around_end(&f->around);
}

/* From here on asked of customer i. */
static void track_function_turn(track_function *f, int64_t i)
{
    double theta[CJ__CLV_PARAMS];

    if (f->clv->n_covariates == 0)
        return;
    cj__clv_theta_of(f->clv, cj__clv_covariates(f->clv, f->data, i), theta);
    cj__clv_at_turn(&f->around.at, theta);
}

static double track_value(const track_function *f, double t)
{
    return f->is_smooth ? cj__clv_series_at(&f->series, t) : track_exact(f, t);
}

static double track_weight(const cj_clv_data *data, int64_t i)
{
    return data->weight == NULL ? 1 : data->weight[i];
}

static double track_longest(const cj_clv_data *data)
{
    double longest = 0;

    for (int64_t i = 0; i < data->n; i++)
        longest = data->t[i] > longest ? data->t[i] : longest;
    return longest;
}

/* ---- purchases per period ---------------------------------------------------------
 */

typedef struct track {
    cj_clv_track_options o;
    const cj_clv_data *data;
    double unit, longest;
    track_function expected;
    double *sums; /* per block and period: E[purchases until its end] */
} track;

static int64_t track_n_blocks(const track *t)
{
    return (t->data->n + TRACK_BLOCK - 1) / TRACK_BLOCK;
}

static int32_t track_block(void *user, int worker, int64_t block)
{
    track *t = user;
    const int64_t from = block * TRACK_BLOCK, n = t->o.n_periods;
    const int64_t until =
        from + TRACK_BLOCK < t->data->n ? from + TRACK_BLOCK : t->data->n;
    double *sums = t->sums + block * n;
    track_function f;
    int32_t rc = track_function_copy(&f, &t->expected);

    (void)worker;
    for (int64_t i = from; rc == CJ_OK && i < until; i++) {
        const double born = t->o.start_days - t->data->t[i];
        const double weight = track_weight(t->data, i);

        track_function_turn(&f, i);
        for (int64_t p = 0; p < n; p++) {
            const double age = (double)(p + 1) * t->o.period_days - born;

            if (age > 0)
                sums[p] += weight * track_value(&f, age / t->unit);
        }
    }
    track_function_end(&f);
    return rc;
}

/* Purchases in each period; those before the first and after the last are left out. */
static void track_count(const track *t, int64_t *counts)
{
    for (int64_t i = 0; i < t->o.n_purchases; i++) {
        const double p = ceil(t->o.purchase_days[i] / t->o.period_days);

        if (p >= 1 && p <= (double)t->o.n_periods)
            counts[(int64_t)p - 1]++;
    }
}

static void track_rows(const track *t, cj_table *table, const int64_t *counts)
{
    const int64_t n_blocks = track_n_blocks(t);
    double before = 0;
    int64_t all = 0;

    for (int64_t p = 0; p < t->o.n_periods; p++) {
        double sum = 0;

        for (int64_t b = 0; b < n_blocks; b++)
            sum += t->sums[b * t->o.n_periods + p];
        cj__table_int64(table, 0, p + 1);
        cj__table_double(table, 1, (double)(p + 1) * t->o.period_days);
        cj__table_double(table, 2, sum - before);
        cj__table_double(table, 3, sum);
        before = sum;
        if (t->o.purchase_days == NULL) {
            cj__table_null(table, 4);
            cj__table_null(table, 5);
            continue;
        }
        all += counts[p];
        cj__table_int64(table, 4, counts[p]);
        cj__table_int64(table, 5, all);
    }
}

/* A model of whole periods knows no days: what is not whole was meant to be some. */
static int32_t track_whole_check(const cj_clv_track_options *o, const cj_clv *clv)
{
    const char *title = clv->model->title;

    if (!cj__clv_is_whole(clv))
        return CJ_OK;
    if (o->period_days != floor(o->period_days) ||
        o->start_days != floor(o->start_days))
        return cj__fail(
            CJ_EINVAL,
            "%s counts periods, not days: a time of the options is not whole", title);
    for (int64_t i = 0; i < o->n_purchases; i++) {
        if (o->purchase_days[i] != floor(o->purchase_days[i]))
            return cj__fail_at(
                i, CJ_EINVAL, "%s counts periods, not days: purchase %lld is not whole",
                title, (long long)i);
    }
    return CJ_OK;
}

static int32_t track_options_read(track *t, const cj_clv *clv)
{
    cj_clv_track_options *o = &t->o;

    t->unit = cj__clv_unit(clv);
    t->longest = track_longest(t->data);
    if (o->period_days == 0)
        o->period_days = cj__clv_is_whole(clv) ? 1 : 7;
    if (o->start_days == 0)
        o->start_days = t->longest;
    if (!(o->period_days > 0) || !(o->start_days >= t->longest) ||
        !(o->start_days < (double)INFINITY))
        return cj__fail(CJ_EINVAL, "start_days must be at least the largest t");
    if (o->n_periods == 0)
        o->n_periods = (int64_t)fmin(ceil(o->start_days / o->period_days), 1e9);
    if (o->n_periods < 0 || o->n_periods > TRACK_MAX_PERIODS)
        return cj__fail(CJ_ELIMIT, "there are at most %d periods", TRACK_MAX_PERIODS);
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS || o->reserved != 0)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d, reserved 0",
                        CJ__MAX_THREADS);
    if (o->n_purchases < 0 || (o->n_purchases > 0 && o->purchase_days == NULL))
        return cj__fail(CJ_EINVAL, "n_purchases must be those of purchase_days");
    if (clv->model->expected_new == NULL)
        return cj__fail(CJ_EINVAL, "%s does not say what new customers buy",
                        clv->model->title);
    return track_whole_check(o, clv);
}

static int32_t track_table(track *t, const cj__allocator *a, cj_table **out)
{
    const int64_t n_blocks = track_n_blocks(t);
    const size_t rows = (size_t)t->o.n_periods + 1;
    const size_t bytes =
        cj__size_product(rows, (size_t)(n_blocks + 1) * sizeof(double));
    cj_table *table = NULL;
    int32_t rc;

    t->sums = cj__alloc_zero(a, bytes); /* the last part is for the counts */
    if (t->sums == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__table_new(a,
                         "period:i until_days:d expected:d expected_cumulative:d "
                         "actual:i actual_cumulative:i",
                         &table));
    CJ_TRY(cj__tasks_run(t->o.threads, n_blocks, track_block, t));
    track_count(t, (int64_t *)(void *)(t->sums + n_blocks * t->o.n_periods));
    track_rows(t, table, (int64_t *)(void *)(t->sums + n_blocks * t->o.n_periods));
    rc = cj__table_finish(table, out);
    table = NULL;
out:
    cj__table_free(table);
    cj__free(a, t->sums, bytes);
    return rc;
}

int32_t cj__clv_tracking(const cj_clv *clv, const cj_clv_data *data,
                         const cj_clv_track_options *opts, cj_table **out)
{
    track t = {.o = *opts, .data = data};
    double until;
    int32_t rc;

    CJ_TRY(cj__clv_data_check(clv->model, data));
    CJ_TRY(cj__clv_covariates_check(clv, data));
    CJ_TRY(track_options_read(&t, clv));
    until = (double)t.o.n_periods * t.o.period_days - t.o.start_days + t.longest;
    CJ_TRY(track_function_begin(&t.expected, clv, data, -1, until / t.unit));
    CJ_TRY(track_table(&t, &clv->allocator, out));
out:
    track_function_end(&t.expected);
    return rc;
}

/* ---- customers by number of purchases ---------------------------------------------
 */

#define HISTOGRAM_MAX 1000

/* Customers expected to have bought f->n times. */
static double histogram_expected(track_function *f)
{
    const double unit = cj__clv_unit(f->clv);
    double last = 0, last_t = -1;
    cj__sum sum = {0, 0};

    for (int64_t i = 0; i < f->data->n; i++) {
        track_function_turn(f, i);
        if (f->data->t[i] != last_t || f->clv->n_covariates > 0)
            last = track_value(f, f->data->t[i] / unit);
        last_t = f->data->t[i];
        cj__sum_add(&sum, track_weight(f->data, i) * last);
    }
    return cj__sum_of(&sum);
}

static double histogram_actual(const cj_clv_data *data, int64_t from, int64_t until)
{
    double sum = 0;

    for (int64_t i = 0; i < data->n; i++) {
        if (data->x[i] >= from && data->x[i] <= until)
            sum += track_weight(data, i);
    }
    return sum;
}

static int32_t histogram_rows(cj_table *table, const cj_clv *clv,
                              const cj_clv_data *data, int64_t largest)
{
    const double longest = track_longest(data) / cj__clv_unit(clv);
    double rest = histogram_actual(data, 0, INT64_MAX);

    for (int64_t n = 0; n <= largest; n++) {
        const int64_t until = n < largest ? n : INT64_MAX;
        double expected = rest; /* the last row has all that are left */

        if (n < largest) {
            track_function f;
            int32_t rc = track_function_begin(&f, clv, data, n, longest);

            if (rc != CJ_OK)
                return rc;
            expected = histogram_expected(&f);
            track_function_end(&f);
        }
        rest -= expected;
        cj__table_int64(table, 0, n);
        cj__table_double(table, 1, histogram_actual(data, n, until));
        cj__table_double(table, 2, expected);
    }
    return CJ_OK;
}

int32_t cj__clv_histogram(const cj_clv *clv, const cj_clv_data *data, int64_t largest,
                          cj_table **out)
{
    cj_table *table = NULL;
    int32_t rc;

    largest = largest == 0 ? 7 : largest;
    if (clv->model->pmf_new == NULL)
        return cj__fail(CJ_EINVAL, "%s has no distribution of new customers",
                        clv->model->title);
    if (largest < 1 || largest > HISTOGRAM_MAX)
        return cj__fail(CJ_EINVAL, "largest must be 1..%d, or 0 for 7", HISTOGRAM_MAX);
    CJ_TRY(cj__clv_data_check(clv->model, data));
    CJ_TRY(cj__clv_covariates_check(clv, data));
    CJ_TRY(cj__table_new(&clv->allocator, "purchases:i actual:d expected:d", &table));
    CJ_TRY(histogram_rows(table, clv, data, largest));
    rc = cj__table_finish(table, out);
    table = NULL;
out:
    cj__table_free(table);
    return rc;
}

/* ---- one customer -----------------------------------------------------------------
 */

#define HISTORY_MAX 1000000

/* Rows of one customer as they were at the end of each step. */
static void history_rows(const double *purchase_days, int64_t n, double step_days,
                         int64_t n_steps, double *x)
{
    double *tx = x + n_steps, *t = tx + n_steps;
    int64_t bought = 0;

    for (int64_t i = 0; i < n_steps; i++) {
        t[i] = (double)i * step_days;
        while (bought < n && purchase_days[bought] <= t[i])
            bought++;
        x[i] = (double)bought;
        tx[i] = bought > 0 ? purchase_days[bought - 1] : 0;
    }
}

static int32_t history_check(const cj_clv *clv, const double *purchase_days, int64_t n,
                             double until_days, double step_days)
{
    if (clv->model->family != CJ__CLV_CONTINUOUS || clv->model->p_alive == NULL)
        return cj__fail(CJ_EINVAL, "%s has no history of P(alive)", clv->model->title);
    if (!(step_days > 0) || !(until_days >= 0) ||
        !(until_days / step_days < HISTORY_MAX))
        return cj__fail(CJ_EINVAL, "until_days and step_days make at most %d steps",
                        HISTORY_MAX);
    for (int64_t i = 0; i < n; i++) {
        if (!(purchase_days[i] >= (i > 0 ? purchase_days[i - 1] : 0)))
            return cj__fail_at(i, CJ_EINVAL, "purchase_days must ascend from 0 on");
    }
    return CJ_OK;
}

int32_t cj__clv_history(const cj_clv *clv, const double *purchase_days, int64_t n,
                        double until_days, double step_days, cj_table **out)
{
    const cj__allocator *a = &clv->allocator;
    cj__clv_around around = {0};
    cj_table *table = NULL;
    double *x = NULL, *p_alive;
    size_t bytes = 0;
    int64_t n_steps;
    int32_t rc;

    step_days = step_days == 0 ? 1 : step_days;
    CJ_TRY(history_check(clv, purchase_days, n, until_days, step_days));
    n_steps = (int64_t)floor(until_days / step_days + 1e-9) + 1;
    bytes = cj__size_product((size_t)n_steps, 3 * sizeof *x);
    x = cj__alloc(a, bytes);
    if (x == NULL)
        CJ_TRY(CJ_ENOMEM);
    CJ_TRY(cj__clv_ready(&around, clv, NULL, n, 0));
    CJ_TRY(cj__table_new(a, "days:d purchases:i p_alive:d", &table));
    history_rows(purchase_days, n, step_days, n_steps, x);
    for (int64_t i = 0; i < n_steps; i++) {
        cj__table_double(table, 0, x[2 * n_steps + i]);
        cj__table_int64(table, 1, (int64_t)x[i]);
    }
    for (int64_t i = n_steps; i < 3 * n_steps; i++)
        x[i] /= clv->unit_days;
    p_alive = cj__table_double_extend(table, 2, (size_t)n_steps);
    if (p_alive != NULL) {
        const cj__clv_rows rows = {x, x + n_steps, x + 2 * n_steps, NULL, n_steps};
        const cj__clv_ask ask = {.at = &around.at, .rows = &rows};

        CJ_TRY(clv->model->p_alive(&ask, p_alive));
    }
    rc = cj__table_finish(table, out);
    table = NULL;
out:
    cj__table_free(table);
    cj__free(a, x, bytes);
    cj__clv_around_end(&around);
    return rc;
}
