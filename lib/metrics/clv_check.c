/* What a customer of each family can be, and nothing else: the papers' likelihoods are
 * defined for these rows only, and answer others with numbers that mean nothing. */
#include "metrics/clv_fit.h"

#include <math.h>

#define CHECK_MAX_X 2147483647     /* purchases of one customer: 68 years of seconds */
#define CHECK_MAX_T 1e15           /* days, periods: beyond, T and T + 1 are one */
#define CHECK_MAX_WEIGHT 1e12      /* customers behind a row: sums stay exact */
#define CHECK_MAX_ROWS 4294967295u /* rows are numbered in 32 bits */

static int check_in(double v, double low, double high)
{
    return v >= low && v <= high; /* NaN: no */
}

static const char *check_continuous(const cj_clv_data *d, int64_t i)
{
    const double t = d->t[i], tx = d->tx[i];

    if (!check_in(t, 0, CHECK_MAX_T))
        return "T is negative, not a number or beyond 1e15 days";
    if (!check_in(tx, 0, t))
        return "tx is not in [0, T]";
    if (d->x[i] == 0 && tx > 0)
        return "tx is not 0, although x is: no repeat purchase has no time";
    if (d->x[i] > 0 && tx <= 0)
        return "tx is 0, although x is not: repeat purchases come after the first";
    if (d->litt != NULL && !isfinite(d->litt[i]))
        return "litt is not a finite number";
    return NULL;
}

static const char *check_discrete(const cj_clv_data *d, int64_t i)
{
    const double t = d->t[i], tx = d->tx[i];

    if (!check_in(t, 0, CHECK_MAX_X) || t != floor(t))
        return "t is not a whole number of opportunities";
    if (!check_in(tx, (double)d->x[i], t) || tx != floor(tx))
        return "tx is not a whole number in [x, t]";
    if (d->x[i] == 0 && tx > 0)
        return "tx is not 0, although x is: no transaction has no time";
    return NULL;
}

static const char *check_spend(const cj_clv_data *d, int64_t i)
{
    if (d->x[i] > 0 && !check_in(d->spend[i], -1e100, 1e100))
        return "spend is not an amount of money";
    return NULL;
}

static const char *check_contract(const cj_clv_data *d, int64_t i)
{
    const double t = d->t[i];

    if (d->x[i] > 1)
        return "x is neither 0 (still there) nor 1 (lost)";
    if (!check_in(t, (double)d->x[i], CHECK_MAX_X) || t != floor(t))
        return "t is not a whole number of periods, from 1 where x is 1";
    return NULL;
}

static const struct {
    int needs_tx, needs_t, needs_spend;
    const char *(*row)(const cj_clv_data *d, int64_t i);
} check_families[] = {
    [CJ__CLV_CONTINUOUS] = {1, 1, 0, check_continuous},
    [CJ__CLV_DISCRETE] = {1, 1, 0, check_discrete  },
    [CJ__CLV_SPEND] = {0, 0, 1, check_spend     },
    [CJ__CLV_CONTRACT] = {0, 1, 0, check_contract  },
};

static const char *check_common(const cj_clv_data *d, int64_t i)
{
    if (d->x[i] < 0 || d->x[i] > CHECK_MAX_X)
        return "x is negative or beyond 2,147,483,647";
    if (d->weight != NULL && !check_in(d->weight[i], 0, CHECK_MAX_WEIGHT))
        return "the weight is negative, not a number or beyond 1e12";
    for (int64_t j = 0; d->covariates != NULL && j < d->n_covariates; j++) {
        if (!check_in(d->covariates[i * d->n_covariates + j], -1e100, 1e100))
            return "a covariate is not a number in [-1e100, 1e100]";
    }
    return NULL;
}

static int32_t check_columns(const cj__clv_model *m, const cj_clv_data *d)
{
    const char *missing = NULL;

    if (d->n < 0)
        return cj__fail(CJ_EMISUSE, "n is negative");
    if (d->n >= CHECK_MAX_ROWS)
        return cj__fail(CJ_ELIMIT, "%lld customers, the limit is %u", (long long)d->n,
                        CHECK_MAX_ROWS);
    if (d->x == NULL)
        missing = "x";
    else if (d->tx == NULL && check_families[m->family].needs_tx)
        missing = "tx";
    else if (d->t == NULL && check_families[m->family].needs_t)
        missing = "t";
    else if (d->spend == NULL && check_families[m->family].needs_spend)
        missing = "spend";
    if (missing != NULL && d->n > 0)
        return cj__fail(CJ_EINVAL, "%s needs the column %s", m->name, missing);
    if (d->n_covariates < 0 || (d->n_covariates > 0 && d->covariates == NULL))
        return cj__fail(CJ_EMISUSE, "covariates: NULL, or n_covariates is negative");
    if (d->n_covariates > CJ__CLV_COVARIATES)
        return cj__fail(CJ_ELIMIT, "%lld covariates, the limit is %d",
                        (long long)d->n_covariates, CJ__CLV_COVARIATES);
    return CJ_OK;
}

/* check_common and check_continuous without a branch, for the many who are as they
 * should be: 1 when every row is.  0 is no verdict. */
static int check_all_continuous(const cj_clv_data *d)
{
    int good = 1;

    if (d->weight != NULL || d->covariates != NULL || d->litt != NULL)
        return 0;
    for (int64_t i = 0; i < d->n; i++) {
        const double t = d->t[i], tx = d->tx[i];
        const int64_t x = d->x[i];

        good &= (x >= 0) & (x <= CHECK_MAX_X) & (t <= CHECK_MAX_T) & (tx >= 0) &
                (tx <= t) & ((x == 0) == (tx <= 0));
    }
    return good;
}

int32_t cj__clv_data_check(const cj__clv_model *model, const cj_clv_data *data)
{
    int32_t rc = check_columns(model, data);

    if (rc == CJ_OK && model->family == CJ__CLV_CONTINUOUS &&
        check_all_continuous(data))
        return CJ_OK;
    for (int64_t i = 0; i < data->n && rc == CJ_OK; i++) {
        const char *wrong = check_common(data, i);

        if (wrong == NULL)
            wrong = check_families[model->family].row(data, i);
        if (wrong != NULL)
            rc = cj__fail_at(i, CJ_EINVAL, "row %lld: %s", (long long)i, wrong);
    }
    return rc;
}
