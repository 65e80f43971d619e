/* Is a fitted model any good?  Its predictions for a time that it has not seen beside
 * what happened then: errors, sums, the order of customers by value, and whether its
 * probabilities come true; and a verdict in words, by a table of rules. */
#include "metrics/clv_predict.h"

#include "base/alloc.h"
#include "base/sum.h"
#include "base/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALIDATE_X = 8, VALIDATE_DEGREES = 10 };

/* Customers with like predictions: how many, what was said, what was. */
typedef struct validate_bin {
    cj__sum n, predicted, actual;
} validate_bin;

typedef struct validate {
    const cj_clv_data *data;
    const cj_clv_holdout *holdout;
    const cj__allocator *allocator;
    cj_table *predicted;
    const double *expected, *p_alive, *p_back, *spend; /* columns of it, or NULL */
    validate_bin by_x[VALIDATE_X], by_alive[VALIDATE_DEGREES],
        by_back[VALIDATE_DEGREES];
    cj_clv_validation v;
} validate;

static double validate_weight(const validate *v, int64_t i)
{
    return v->data->weight == NULL ? 1 : v->data->weight[i];
}

/* ---- errors and bins --------------------------------------------------------------
 */

static void bin_add(validate_bin *bin, double weight, double predicted, double actual)
{
    cj__sum_add(&bin->n, weight);
    cj__sum_add(&bin->predicted, weight * predicted);
    cj__sum_add(&bin->actual, weight * actual);
}

static int64_t bin_of(double p)
{
    return p >= 1 ? VALIDATE_DEGREES - 1 : (int64_t)(p * VALIDATE_DEGREES);
}

static void validate_row_bins(validate *v, int64_t i)
{
    const double w = validate_weight(v, i), actual = (double)v->holdout->x[i];
    const int64_t x = v->data->x[i] < VALIDATE_X ? v->data->x[i] : VALIDATE_X - 1;

    bin_add(&v->by_x[x], w, v->expected[i], actual);
    if (v->p_alive != NULL)
        bin_add(&v->by_alive[bin_of(v->p_alive[i])], w, v->p_alive[i], actual > 0);
    if (v->p_back != NULL)
        bin_add(&v->by_back[bin_of(v->p_back[i])], w, v->p_back[i], actual > 0);
}

enum {
    SUM_N,
    SUM_ABS,
    SUM_SQUARE,
    SUM_LOG,
    SUM_ACTUAL,
    SUM_EXPECTED,
    SUM_OWN_PACE,
    SUM_VALUE,
    SUM_EXPECTED_VALUE,
    SUM_BRIER,
    N_SUMS
};

static void validate_row_sums(const validate *v, int64_t i, cj__sum *sums)
{
    const double w = validate_weight(v, i), e = v->expected[i];
    const double actual = (double)v->holdout->x[i], error = e - actual;
    const double ratio = log1p(e) - log1p(actual);
    const double pace = v->data->t[i] > 0 ? (double)v->data->x[i] / v->data->t[i] : 0;

    cj__sum_add(&sums[SUM_N], w);
    cj__sum_add(&sums[SUM_ABS], w * fabs(error));
    cj__sum_add(&sums[SUM_SQUARE], w * error * error);
    cj__sum_add(&sums[SUM_LOG], w * ratio * ratio);
    cj__sum_add(&sums[SUM_ACTUAL], w * actual);
    cj__sum_add(&sums[SUM_EXPECTED], w * e);
    cj__sum_add(&sums[SUM_OWN_PACE], w * fabs(pace * v->holdout->days - actual));
    if (v->holdout->spend != NULL)
        cj__sum_add(&sums[SUM_VALUE], w * v->holdout->spend[i]);
    if (v->spend != NULL)
        cj__sum_add(&sums[SUM_EXPECTED_VALUE], w * e * v->spend[i]);
    if (v->p_back != NULL)
        cj__sum_add(&sums[SUM_BRIER], w * pow(v->p_back[i] - (actual > 0), 2));
}

/* How far the bins' probabilities are from what happened, per customer. */
static double validate_calibration(const validate_bin *bins, double n)
{
    double sum = 0;

    for (int i = 0; i < VALIDATE_DEGREES; i++)
        sum += fabs(cj__sum_of(&bins[i].predicted) - cj__sum_of(&bins[i].actual));
    return sum / n;
}

static void validate_errors(validate *v)
{
    cj__sum sums[N_SUMS] = {{0}};
    double n;

    for (int64_t i = 0; i < v->data->n; i++) {
        validate_row_bins(v, i);
        validate_row_sums(v, i, sums);
    }
    n = cj__sum_of(&sums[SUM_N]);
    v->v.n_customers = n;
    v->v.mae = cj__sum_of(&sums[SUM_ABS]) / n;
    v->v.rmse = sqrt(cj__sum_of(&sums[SUM_SQUARE]) / n);
    v->v.msle = cj__sum_of(&sums[SUM_LOG]) / n;
    v->v.own_pace_mae = cj__sum_of(&sums[SUM_OWN_PACE]) / n;
    v->v.actual_purchases = cj__sum_of(&sums[SUM_ACTUAL]);
    v->v.expected_purchases = cj__sum_of(&sums[SUM_EXPECTED]);
    v->v.bias_ratio = v->v.expected_purchases / v->v.actual_purchases - 1;
    v->v.actual_value = cj__sum_of(&sums[SUM_VALUE]);
    v->v.expected_value = cj__sum_of(&sums[SUM_EXPECTED_VALUE]);
    v->v.brier = cj__sum_of(&sums[SUM_BRIER]) / n;
    v->v.calibration = validate_calibration(v->by_back, n);
}

/* ---- the order of customers -------------------------------------------------------
 */

typedef struct gini_row {
    double key, value, weight;
} gini_row;

/* Larger keys first; equal ones are one step of the curve, whatever their order. */
static int gini_compare(const void *a, const void *b)
{
    const double ka = ((const gini_row *)a)->key, kb = ((const gini_row *)b)->key;

    return (ka < kb) - (ka > kb);
}

/* Twice the area between the diagonal and the share of all value that the first so many
 * customers hold. */
static double gini_of(gini_row *rows, int64_t n)
{
    double all_n = 0, all = 0, at_n = 0, at = 0, area = 0;

    for (int64_t i = 0; i < n; i++) {
        all_n += rows[i].weight;
        all += rows[i].weight * rows[i].value;
    }
    for (int64_t i = 0, j; i < n; i = j) {
        double step_n = 0, step = 0;

        for (j = i; j < n && rows[j].key == rows[i].key; j++) {
            step_n += rows[j].weight;
            step += rows[j].weight * rows[j].value;
        }
        area += step_n / all_n * (2 * at + step) / all; /* twice a trapezium */
        at_n += step_n;
        at += step;
    }
    return all > 0 ? area - 1 : 0;
}

/* Value is money where both sides have it, else purchases. */
static int32_t validate_gini(validate *v)
{
    const int money = v->spend != NULL && v->holdout->spend != NULL;
    const size_t bytes = cj__size_product((size_t)v->data->n + 1, sizeof(gini_row));
    gini_row *rows = cj__alloc(v->allocator, bytes);

    if (rows == NULL)
        return CJ_ENOMEM;
    for (int by_model = 0; by_model <= 1; by_model++) {
        for (int64_t i = 0; i < v->data->n; i++) {
            const double actual =
                money ? v->holdout->spend[i] : (double)v->holdout->x[i];
            const double expected = v->expected[i] * (money ? v->spend[i] : 1);

            rows[i] =
                (gini_row){by_model ? expected : actual, actual, validate_weight(v, i)};
        }
        qsort(rows, (size_t)v->data->n, sizeof *rows, gini_compare);
        *(by_model ? &v->v.gini_model : &v->v.gini_actual) = gini_of(rows, v->data->n);
    }
    cj__free(v->allocator, rows, bytes);
    return CJ_OK;
}

/* ---- verdict ----------------------------------------------------------------------
 */

/* The first that holds: bias within (from, to), the order at least so good, and
 * probabilities at most so far off.  BG/NBD on the CDNOW sample (bias -0.12, order
 * 0.66, calibration 0.04) is what good looks like; NBD there is 0.56 off. */
static const struct {
    double bias_from, bias_to, order_from, calibration_to;
    const char *verdict;
} verdicts[] = {
    {-0.2,      0.2,      0.5, 0.1,
     "Good: totals, the order of customers and probabilities agree with the holdout." },
    {-0.3,      0.3,      0.3, 1,
     "Usable: totals agree with the holdout; single customers are less certain."      },
    {-0.2,      0.2,      -2,  1,
     "Only totals agree with the holdout: do not choose customers by this model."     },
    {0.4,       HUGE_VAL, -2,  1,
     "Far too many purchases predicted: customers leave that this model keeps."       },
    {-HUGE_VAL, -0.4,     -2,  1,
     "Far too few purchases predicted: the holdout differs from the time before it."  },
    {-0.4,      0.4,      0.5, 1,
     "The order of customers is good, the totals are off: look for seasons or growth."},
    {-HUGE_VAL, HUGE_VAL, -2,  2,
     "Doubtful: totals and the order of customers differ from the holdout."           },
};

static const char *validate_verdict(const cj_clv_validation *v)
{
    const double order = v->gini_actual > 0 ? v->gini_model / v->gini_actual : 0;

    if (!(v->n_customers > 0))
        return "There are no customers to compare.";
    if (!(v->actual_purchases > 0))
        return "Nobody bought in the holdout: there is nothing to compare with.";
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        if (v->bias_ratio >= verdicts[i].bias_from &&
            v->bias_ratio <= verdicts[i].bias_to && order >= verdicts[i].order_from &&
            v->calibration <= verdicts[i].calibration_to)
            return verdicts[i].verdict;
    }
    return "The predictions are not numbers: do not use this fit.";
}

/* ---- bins as a table --------------------------------------------------------------
 */

static void validate_bins_put(cj_table *t, const char *of, const validate_bin *bins,
                              int n_bins)
{
    for (int i = 0; i < n_bins; i++) {
        const double n = cj__sum_of(&bins[i].n);
        const int by_x = n_bins == VALIDATE_X;
        char name[32];

        if (!(n > 0))
            continue;
        if (by_x)
            snprintf(name, sizeof name, "%d%s", i, i == n_bins - 1 ? "+" : "");
        else
            snprintf(name, sizeof name, "%.1f-%.1f", i / 10., (i + 1) / 10.);
        cj__table_put(t, 0, of);
        cj__table_put(t, 1, name);
        cj__table_double(t, 2, n);
        cj__table_double(t, 3, cj__sum_of(&bins[i].predicted) / n);
        cj__table_double(t, 4, cj__sum_of(&bins[i].actual) / n);
    }
}

static int32_t validate_table(const validate *v, cj_table **out)
{
    cj_table *t;
    int32_t rc =
        cj__table_new(v->allocator, "of:t bin:t customers:d predicted:d actual:d", &t);

    if (rc != CJ_OK)
        return rc;
    validate_bins_put(t, "purchases", v->by_x, VALIDATE_X);
    validate_bins_put(t, "p_alive", v->by_alive, VALIDATE_DEGREES);
    validate_bins_put(t, "p_back", v->by_back, VALIDATE_DEGREES);
    return cj__table_finish(t, out);
}

/* ---- the call ---------------------------------------------------------------------
 */

static const double *validate_column(const validate *v, const char *name)
{
    for (int64_t i = 0; i < cj__table_columns(v->predicted); i++) {
        if (strcmp(cj__table_name(v->predicted, i), name) == 0)
            return cj__table_double_data(v->predicted, i);
    }
    return NULL;
}

static int32_t validate_holdout_check(const cj_clv_data *data,
                                      const cj_clv_holdout *holdout)
{
    if (!(holdout->days > 0) || (data->n > 0 && holdout->x == NULL))
        return cj__fail(CJ_EINVAL, "a holdout has days and x: purchases per customer");
    for (int64_t i = 0; i < data->n; i++) {
        if (holdout->x[i] < 0)
            return cj__fail_at(i, CJ_EINVAL, "row %lld: x of the holdout is negative",
                               (long long)i);
        if (data->weight != NULL && !(data->weight[i] >= 0))
            return cj__fail_at(i, CJ_EINVAL, "row %lld: weight is negative",
                               (long long)i);
    }
    return CJ_OK;
}

static int32_t validate_predict(validate *v, const cj_clv *clv, const cj_clv *spend)
{
    const int32_t has_money = spend != NULL || v->data->spend != NULL;
    const cj_clv_predict_options o = {
        .struct_size = sizeof o,
        .columns = CJ_CLV_EXPECTED |
                   (clv->model->p_alive != NULL ? CJ_CLV_P_ALIVE : 0) |
                   (clv->model->pmf != NULL ? CJ_CLV_BACK : 0) |
                   (has_money ? CJ_CLV_SPEND : 0),
        .until_days = v->holdout->days,
        .period_days = 1,
    };
    int32_t rc = cj__clv_predict(clv, spend, v->data, &o, &v->predicted);

    if (rc != CJ_OK)
        return rc;
    v->expected = validate_column(v, "expected_purchases");
    v->p_alive = validate_column(v, "p_alive");
    v->p_back = validate_column(v, "p_back");
    v->spend = validate_column(v, "expected_spend");
    return CJ_OK;
}

int32_t cj__clv_validate(const cj_clv *clv, const cj_clv *spend,
                         const cj_clv_data *data, const cj_clv_holdout *holdout,
                         cj_clv_validation *facts, cj_table **bins)
{
    validate v = {.data = data, .holdout = holdout, .allocator = &clv->allocator};
    int32_t rc;

    CJ_TRY(validate_holdout_check(data, holdout));
    CJ_TRY(validate_predict(&v, clv, spend));
    validate_errors(&v);
    CJ_TRY(validate_gini(&v));
    v.v.verdict = validate_verdict(&v.v);
    if (bins != NULL)
        CJ_TRY(validate_table(&v, bins));
    *facts = v.v;
out:
    cj__table_free(v.predicted);
    return rc;
}
