/* The tiny model of clv_tiny.h: plain formulas, one row at a time.  Parameters: r,
 * alpha, s, beta; alpha and beta are times. */
#include "clv_tiny.h"

#include "base/special.h"

#include <math.h>
#include <string.h>

double clv_tiny_rate(const double *theta, const clv_tiny_row *row)
{
    return (theta[0] + row->x) / (theta[1] + row->t);
}

double clv_tiny_alive(const double *theta, const clv_tiny_row *row)
{
    return theta[3] / (theta[3] + row->t - row->tx);
}

double clv_tiny_survival(const double *theta, double t)
{
    return pow(theta[3] / (theta[3] + t), theta[2]);
}

double clv_tiny_expected(const double *theta, const clv_tiny_row *row, double t)
{
    return clv_tiny_alive(theta, row) * clv_tiny_rate(theta, row) * theta[3] /
           (theta[2] - 1) * -expm1((1 - theta[2]) * log1p(t / theta[3]));
}

/* Who is there buys as NBD, without leaving. */
double clv_tiny_pmf(const double *theta, const clv_tiny_row *row, double t, double n)
{
    const double r = theta[0] + row->x, a = theta[1] + row->t;
    const double alive = clv_tiny_alive(theta, row);
    const double buys = exp(cj__lgamma(r + n) - cj__lgamma(r) - cj__lgamma(n + 1) +
                            r * log(a / (a + t)) + (n > 0 ? n * log(t / (a + t)) : 0));

    return alive * buys + (n > 0 ? 0 : 1 - alive);
}

static clv_tiny_row tiny_row(const cj__clv_rows *rows, int64_t i)
{
    return (clv_tiny_row){rows->x[i], rows->tx[i], rows->t[i], 0};
}

#define TINY_EACH(answer)                                                              \
    for (int64_t i = 0; i < ask->rows->n; i++) {                                       \
        const clv_tiny_row row = tiny_row(ask->rows, i);                               \
        const double *theta = ask->at->theta;                                          \
                                                                                       \
        out[i] = (answer);                                                             \
    }                                                                                  \
    return CJ_OK

static int32_t tiny_p_alive(const cj__clv_ask *ask, double *out)
{
    TINY_EACH(clv_tiny_alive(theta, &row));
}

static int32_t tiny_expected(const cj__clv_ask *ask, double *out)
{
    TINY_EACH(clv_tiny_expected(theta, &row, ask->until) -
              clv_tiny_expected(theta, &row, ask->from));
}

static int32_t tiny_pmf(const cj__clv_ask *ask, double *out)
{
    TINY_EACH(clv_tiny_pmf(theta, &row, ask->until, (double)ask->n_purchases));
}

static double tiny_expected_new(const cj__clv_at *at, double t)
{
    const clv_tiny_row fresh = {0, 0, 0, 0};

    return clv_tiny_expected(at->theta, &fresh, t);
}

static int32_t tiny_dert(const cj__clv_ask *ask, double *out)
{
    TINY_EACH(clv_tiny_alive(theta, &row) * clv_tiny_rate(theta, &row) / ask->delta);
}

static double tiny_pmf_new(const cj__clv_at *at, double from, double until, int64_t n)
{
    const clv_tiny_row fresh = {0, 0, 0, 0};

    return clv_tiny_pmf(at->theta, &fresh, until - from, (double)n);
}

static int32_t tiny_mean(const cj__clv_ask *ask, double *out)
{
    const double *theta = ask->at->theta;

    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = (theta[0] * theta[1] + ask->rows->x[i] * ask->rows->z[i]) /
                 (theta[0] + ask->rows->x[i]);
    return CJ_OK;
}

#define TINY_ROW(kind)                                                                 \
    {                                                                                  \
        .name = "tiny", .title = "Tiny", .family = (kind), .n_params = 4,              \
        .params = {"r", "alpha", "s", "beta"}, .power = {0, 1, 0, 1},                  \
        .p_alive = tiny_p_alive, .expected = tiny_expected, .pmf = tiny_pmf,           \
        .dert = tiny_dert, .expected_new = tiny_expected_new, .pmf_new = tiny_pmf_new  \
    }

const cj__clv_model clv_tiny = TINY_ROW(CJ__CLV_CONTINUOUS);
const cj__clv_model clv_tiny_discrete = TINY_ROW(CJ__CLV_DISCRETE);

const cj__clv_model clv_tiny_spend = {
    .name = "tiny_spend",
    .title = "Tiny spend",
    .family = CJ__CLV_SPEND,
    .n_params = 2,
    .params = {"q", "m"},
    .power = {0,   1  },
    .expected = tiny_mean,
};

cj_clv clv_tiny_fitted(const cj__clv_model *model, const double *theta,
                       const double (*covariance)[CJ__CLV_PARAMS], double unit_days)
{
    cj_clv clv = {
        .model = model, .k = 1, .unit_days = unit_days, .n_free = model->n_params};
    cj__ctx context;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    clv.allocator = context.allocator;
    memcpy(clv.theta, theta, (size_t)model->n_params * sizeof *theta);
    clv.has_covariance = covariance != NULL;
    for (int p = 0; covariance != NULL && p < model->n_params; p++)
        memcpy(clv.covariance[p], covariance[p], sizeof covariance[p]);
    return clv;
}
