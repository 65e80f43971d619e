/* When the next purchase comes: from P(at least one purchase until t), F(t), alone. Its
 * median is where F is 1/2, which for many customers is never; its mean exists only for
 * those who come back at all, so it is that of those who do within the time asked. */
#include "metrics/clv_answer.h"

#include "base/alloc.h"

#include <math.h>

#define NEXT_MAX_STEPS 60
#define NEXT_NOBODY 1e-12 /* 1 - P(none) has no digits left below this */
#define NEXT_SOON 1e-12   /* of the time asked: sooner than this is now */
#define NEXT_OFTEN                                                                     \
    1e-3 /* 1 / purchases of those whose next one comes so much sooner                 \
          */

/* F(t) - 1/2 of one row. */
static int32_t next_excess(cj__clv_ask *one, double t, double *out)
{
    int32_t rc;

    one->until = t;
    rc = cj__clv_back(one, out);
    *out -= 0.5;
    return rc;
}

/* Ridders' method (IEEE Trans. Circuits Syst. 26, 1979) in u = ln t; low and high are
 * its bracket, f_low < 0 <= f_high. */
static int32_t next_solve(cj__clv_ask *one, double f_high, double *t)
{
    double high = log(*t), low = high + log(NEXT_SOON), f_low;
    int32_t rc = next_excess(one, exp(low), &f_low);

    if (rc != CJ_OK || f_low >= 0)
        high = low;
    for (int i = 0; rc == CJ_OK && high - low > 1e-12 && i < NEXT_MAX_STEPS; i++) {
        double middle = (low + high) / 2, f_middle, f_new, next;

        CJ_TRY(next_excess(one, exp(middle), &f_middle));
        next = middle -
               (middle - low) * f_middle / sqrt(f_middle * f_middle - f_low * f_high);
        CJ_TRY(next_excess(one, exp(next), &f_new));
        if (f_middle < 0 && middle > low) {
            low = middle;
            f_low = f_middle;
        } else if (f_middle >= 0 && middle < high) {
            high = middle;
            f_high = f_middle;
        }
        if (f_new < 0 && next > low && next < high) {
            low = next;
            f_low = f_new;
        } else if (f_new >= 0 && next < high && next > low) {
            high = next;
            f_high = f_new;
        }
        if (fabs(f_new) < 1e-14) {
            high = low = next;
        }
    }
out:
    *t = exp(high);
    return rc;
}

/* The first whole period with F >= 1/2. */
static int32_t next_period(cj__clv_ask *one, double *t)
{
    double low = 0, high = *t, f;

    while (high - low > 1) {
        const double middle = floor((low + high) / 2);
        const int32_t rc = next_excess(one, middle, &f);

        if (rc != CJ_OK)
            return rc;
        if (f >= 0)
            high = middle;
        else
            low = middle;
    }
    *t = high;
    return CJ_OK;
}

static cj__clv_rows next_row(const cj__clv_rows *rows, int64_t i)
{
    const cj__clv_rows one = {
        .x = rows->x + i,
        .tx = rows->tx == NULL ? NULL : rows->tx + i,
        .t = rows->t + i,
        .z = rows->z == NULL ? NULL : rows->z + i,
        .n = 1,
    };

    return one;
}

int32_t cj__clv_next_median(const cj__clv_ask *ask, double *out)
{
    const int continuous = ask->at->model->family == CJ__CLV_CONTINUOUS;
    cj__clv_ask own = *ask;
    int32_t rc;

    own.from = 0;
    if (!continuous)
        own.until = floor(ask->until);
    rc = cj__clv_back(&own, out);
    for (int64_t i = 0; rc == CJ_OK && i < ask->rows->n; i++) {
        const cj__clv_rows row = next_row(ask->rows, i);
        const double f_high = out[i] - 0.5;
        cj__clv_ask one = own;

        one.rows = &row;
        out[i] = continuous ? ask->until : floor(ask->until);
        if (!(f_high >= 0))
            out[i] = (double)NAN;
        else
            rc = continuous ? next_solve(&one, f_high, &out[i])
                            : next_period(&one, &out[i]);
    }
    return rc;
}

/* ---- mean ---------------------------------------------------------------------------
 */

/* out[i] += weight * F(t). */
static int32_t next_add(cj__clv_ask *ask, double t, double weight, double *each,
                        double *out)
{
    int32_t rc;

    ask->until = t;
    rc = cj__clv_back(ask, each);
    for (int64_t i = 0; rc == CJ_OK && i < ask->rows->n; i++)
        out[i] += weight * each[i];
    return rc;
}

/* The integral of F over (0, until), or its sum over the periods before the last. */
static int32_t next_area(cj__clv_ask *ask, double until, double *each, double *area)
{
    cj__clv_nodes nodes;
    int32_t rc = CJ_OK;

    if (ask->at->model->family == CJ__CLV_CONTINUOUS) {
        cj__clv_nodes_make(&nodes, cj__clv_scale(ask->at) * NEXT_OFTEN, until, 0);
        for (int32_t i = 0; rc == CJ_OK && i < nodes.n; i++)
            rc = next_add(ask, nodes.t[i], nodes.weight[i], each, area);
    } else {
        for (double t = 1; rc == CJ_OK && t < until; t++)
            rc = next_add(ask, t, 1, each, area);
    }
    return rc;
}

/* E[t; t <= H] / F(H) = H - (integral of F) / F(H). */
int32_t cj__clv_next_mean(const cj__clv_ask *ask, double *out)
{
    const size_t n = (size_t)ask->rows->n, bytes = (2 * n + 1) * sizeof(double);
    const double until =
        ask->at->model->family == CJ__CLV_CONTINUOUS ? ask->until : floor(ask->until);
    double *each = cj__alloc_zero(ask->at->allocator, bytes);
    cj__clv_ask own = *ask;
    int32_t rc;

    if (each == NULL)
        return CJ_ENOMEM;
    own.from = 0;
    CJ_TRY(next_area(&own, until, each, each + n));
    own.until = until;
    CJ_TRY(cj__clv_back(&own, out));
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] > NEXT_NOBODY ? until - each[n + i] / out[i] : (double)NAN;
out:
    cj__free(ask->at->allocator, each, bytes);
    return rc;
}
