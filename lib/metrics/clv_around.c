/* How sure an answer is: what the uncertainty of the parameters makes of it, by the
 * delta method.
 *
 * Derivatives are five-point differences in the logarithms of the parameters: with a
 * step of 1e-4 their own error is (x h)^4 / 30 for a customer with x purchases, and
 * that of an answer good to 1e-13 becomes 1e-9.  So every question, also one made of
 * others, has an interval without a line of its own. */
#include "metrics/clv_answer.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

#define AROUND_STEP 1e-4

static const double around_steps[4] = {-2, -1, 1, 2};
static const double around_weights[4] = {1. / 12, -8. / 12, 8. / 12, -1. / 12};

static int32_t around_beside(cj__clv_around *around, int p, int s, const double *theta)
{
    double moved[CJ__CLV_PARAMS];
    cj__clv_at *at = &around->beside[p][s];
    int32_t rc;

    rc = cj__clv_at_begin(at, around->at.allocator, around->at.model, around->at.k,
                          around->at.max_x);
    if (rc != CJ_OK)
        return rc;
    memcpy(moved, theta, (size_t)around->n_params * sizeof *moved);
    moved[p] *= exp(around_steps[s] * AROUND_STEP);
    cj__clv_at_turn(at, moved);
    return CJ_OK;
}

int32_t cj__clv_around_begin(cj__clv_around *around, const cj__clv_at *like,
                             const double *theta,
                             const double (*covariance)[CJ__CLV_PARAMS])
{
    int32_t rc;

    memset(around, 0, sizeof *around);
    around->n_params = like->model->n_params;
    CJ_TRY(cj__clv_at_begin(&around->at, like->allocator, like->model, like->k,
                            like->max_x));
    cj__clv_at_turn(&around->at, theta);
    around->is_wide = covariance != NULL;
    for (int p = 0; covariance != NULL && p < around->n_params; p++) {
        memcpy(around->covariance[p], covariance[p], sizeof around->covariance[p]);
        for (int s = 0; s < 4; s++)
            CJ_TRY(around_beside(around, p, s, theta));
    }
out:
    if (rc != CJ_OK)
        cj__clv_around_end(around);
    return rc;
}

void cj__clv_around_end(cj__clv_around *around)
{
    if (around->at.allocator != NULL)
        cj__clv_at_end(&around->at);
    for (int p = 0; p < CJ__CLV_PARAMS; p++) {
        for (int s = 0; s < 4; s++) {
            if (around->beside[p][s].allocator != NULL)
                cj__clv_at_end(&around->beside[p][s]);
        }
    }
}

/* ---- the delta method --------------------------------------------------------------
 */

/* The derivative with respect to the logarithm of parameter p. */
static int32_t around_derivative(const cj__clv_around *around, int p,
                                 cj__clv_question question, const cj__clv_ask *ask,
                                 double *each, double *out)
{
    const int64_t n = ask->rows->n;

    memset(out, 0, (size_t)n * sizeof *out);
    for (int s = 0; s < 4; s++) {
        cj__clv_ask beside = *ask;
        int32_t rc;

        beside.at = &around->beside[p][s];
        rc = question(&beside, each);
        if (rc != CJ_OK)
            return rc;
        for (int64_t i = 0; i < n; i++)
            out[i] += around_weights[s] / AROUND_STEP * each[i];
    }
    return CJ_OK;
}

int32_t cj__clv_variance(const cj__clv_around *around, cj__clv_question question,
                         const cj__clv_ask *ask, double *variance)
{
    const int64_t n = ask->rows->n;
    const size_t bytes =
        cj__size_product((size_t)n + 1, (CJ__CLV_PARAMS + 1) * sizeof(double));
    double *scratch = cj__alloc(around->at.allocator, bytes);
    double *g = scratch == NULL ? NULL : scratch + n;
    int32_t rc = CJ_OK;

    if (scratch == NULL)
        return CJ_ENOMEM;
    for (int p = 0; p < around->n_params; p++)
        CJ_TRY(around_derivative(around, p, question, ask, scratch, g + p * n));
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;

        for (int p = 0; p < around->n_params; p++) {
            for (int q = 0; q < around->n_params; q++)
                sum += g[p * n + i] * around->covariance[p][q] * g[q * n + i];
        }
        variance[i] = sum > 0 ? sum : 0;
    }
out:
    cj__free(around->at.allocator, scratch, bytes);
    return rc;
}

void cj__clv_bounds(double answer, double variance, double z, int is_probability,
                    double bounds[2])
{
    const double slope = is_probability ? answer * (1 - answer) : answer;
    const double width = z * sqrt(variance) / slope;

    if (!(variance > 0) || !(slope > 0)) {
        bounds[0] = bounds[1] = answer;
    } else if (is_probability) {
        bounds[0] = answer / (answer + (1 - answer) * exp(width));
        bounds[1] = answer / (answer + (1 - answer) * exp(-width));
    } else {
        bounds[0] = answer * exp(-width);
        bounds[1] = answer * exp(width);
    }
}

/* Newton on erf, from Winitzki's approximation: two steps give all digits. */
double cj__clv_z(double level)
{
    const double root_2_over_pi = 0.79788456080286535588;
    double l = log1p(-level * level), a = 0.147,
           b = 2 / (3.14159265358979324 * a) + l / 2;
    double z = sqrt(2 * (sqrt(b * b - l / a) - b));

    for (int i = 0; i < 4; i++) {
        double error = erfc(z / sqrt(2.0)) - (1 - level);

        z += error / (root_2_over_pi * exp(-z * z / 2));
    }
    return z;
}
