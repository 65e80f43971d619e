/* Newton's method with exact Hessian in a trust region (Nocedal & Wright, Numerical
 * Optimization, 2nd ed., algorithms 4.1 and 4.3): the step minimises the quadratic
 * model within a ball, found in the eigenvectors of the Hessian, where no case is
 * special.  A variable at its bound whose gradient points outwards is held there.  Near
 * the end, where values differ by rounding only, steps are judged by what they leave to
 * gain. */
#include "metrics/clv_newton.h"

#include "base/ctx.h"
#include "base/linear.h"

#include <math.h>
#include <string.h>

#define NEWTON_ITERATIONS 300
#define NEWTON_FIRST_RADIUS 1.0
#define NEWTON_MAX_RADIUS 8.0
#define NEWTON_MIN_RADIUS 1e-9
#define NEWTON_SQUARE 1e-4    /* of the tolerance: smaller steps need no second one */
#define NEWTON_ROUNDING 1e-14 /* of a value, relative */

/* The quadratic model among the free variables, in its eigenvectors. */
typedef struct newton_model {
    int32_t n, which[CJ__NEWTON_MAX];
    double values[CJ__NEWTON_MAX], gradient[CJ__NEWTON_MAX];
    double vectors[CJ__NEWTON_MAX * CJ__NEWTON_MAX];
} newton_model;

int32_t cj__newton_free(const cj__newton *n, int32_t *which)
{
    int32_t m = 0;

    for (int32_t i = 0; i < n->n; i++) {
        if (!n->held[i])
            which[m++] = i;
    }
    return m;
}

static void newton_hold(cj__newton *n, const cj__newton_point *at)
{
    for (int32_t i = 0; i < n->n; i++)
        n->held[i] = (at->y[i] <= n->low[i] && at->gradient[i] > 0) ||
                     (at->y[i] >= n->high[i] && at->gradient[i] < 0);
}

static void newton_model_of(const cj__newton *n, const cj__newton_point *at,
                            newton_model *m)
{
    double h[CJ__NEWTON_MAX * CJ__NEWTON_MAX];

    m->n = cj__newton_free(n, m->which);
    for (int32_t i = 0; i < m->n; i++) {
        for (int32_t j = 0; j < m->n; j++)
            h[i * m->n + j] = at->hessian[m->which[i] * n->n + m->which[j]];
    }
    cj__eigen(m->n, h, m->values, m->vectors);
    for (int32_t j = 0; j < m->n; j++) {
        m->gradient[j] = 0;
        for (int32_t i = 0; i < m->n; i++)
            m->gradient[j] += m->vectors[i * m->n + j] * at->gradient[m->which[i]];
    }
}

static double newton_length(const newton_model *m, double shift)
{
    double square = 0;

    for (int32_t j = 0; j < m->n; j++) {
        const double s = m->gradient[j] / (m->values[j] + shift);

        if (m->gradient[j] != 0)
            square += s * s;
    }
    return sqrt(square);
}

/* The shift of the Hessian at which the step has the radius's length. */
static double newton_shift(const newton_model *m, double radius)
{
    const double size = fmax(fabs(m->values[0]), fabs(m->values[m->n - 1]));
    double low = m->values[0] > 0 ? 0 : -m->values[0], high, norm = 0;

    low += 1e-14 * size + 1e-300;
    for (int32_t j = 0; j < m->n; j++)
        norm = hypot(norm, m->gradient[j]);
    high = low + norm / radius;
    for (int i = 0; i < 80 && high - low > 1e-6 * high; i++) {
        const double middle = (low + high) / 2;

        if (newton_length(m, middle) > radius)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The step within the radius, in the variables; 1 when it is Newton's own. */
static int newton_step(const newton_model *m, double radius, double *step)
{
    const double largest = m->n > 0 ? m->values[m->n - 1] : 0;
    const int is_convex = m->n > 0 && m->values[0] > 1e-15 * largest;
    const int is_newton = is_convex && newton_length(m, 0) <= radius;
    const double shift = is_newton || m->n == 0 ? 0 : newton_shift(m, radius);
    double along[CJ__NEWTON_MAX], square = 0;

    for (int32_t j = 0; j < m->n; j++) {
        along[j] = m->gradient[j] == 0 ? 0 : -m->gradient[j] / (m->values[j] + shift);
        square += along[j] * along[j];
    }
    /* The hard case: downhill along an eigenvector that the gradient does not see. */
    if (m->n > 0 && m->values[0] < 0 && square < 0.98 * radius * radius)
        along[0] += (along[0] < 0 ? -1 : 1) * sqrt(radius * radius - square);
    memset(step, 0, CJ__NEWTON_MAX * sizeof *step);
    for (int32_t i = 0; i < m->n; i++) {
        for (int32_t j = 0; j < m->n; j++)
            step[m->which[i]] += m->vectors[i * m->n + j] * along[j];
    }
    return is_newton;
}

/* At a bound, and the step would lead beyond. */
static int newton_hold_more(cj__newton *n, const cj__newton_point *at,
                            const double *step)
{
    int more = 0;

    for (int32_t i = 0; i < n->n; i++) {
        if ((at->y[i] <= n->low[i] && step[i] < 0) ||
            (at->y[i] >= n->high[i] && step[i] > 0))
            more = n->held[i] = 1;
    }
    return more;
}

/* The step of this iteration, among the variables that can move. */
static int newton_plan(cj__newton *n, const cj__newton_point *at, double radius,
                       newton_model *m, double *step)
{
    int is_newton;

    newton_hold(n, at);
    do {
        newton_model_of(n, at, m);
        is_newton = newton_step(m, radius, step);
    } while (newton_hold_more(n, at, step));
    return is_newton;
}

/* What the quadratic model gains by a step. */
static double newton_gain(const cj__newton *n, const cj__newton_point *at,
                          const double *step)
{
    double gain = 0;

    for (int32_t i = 0; i < n->n; i++) {
        double row = 0;

        for (int32_t j = 0; j < n->n; j++)
            row += at->hessian[i * n->n + j] * step[j];
        gain -= step[i] * (at->gradient[i] + row / 2);
    }
    return gain;
}

/* Keep within the bounds: each variable for itself, or all of them shorter, whichever
 * gains more. */
static double newton_clip(const cj__newton *n, const cj__newton_point *at, double *step)
{
    double shorter[CJ__NEWTON_MAX], share = 1, gain, other;

    memcpy(shorter, step, sizeof shorter);
    for (int32_t i = 0; i < n->n; i++) {
        const double room = step[i] > 0 ? n->high[i] - at->y[i] : n->low[i] - at->y[i];

        if (step[i] != 0 && fabs(step[i]) > fabs(room)) {
            share = fmin(share, fabs(room / step[i]));
            step[i] = room;
        }
    }
    gain = newton_gain(n, at, step);
    if (share >= 1)
        return gain;
    for (int32_t i = 0; i < n->n; i++) /* who meets the bound is to be there, exactly */
        shorter[i] *= share * (1 + 1e-12);
    other = newton_gain(n, at, shorter);
    if (gain >= other)
        return gain;
    memcpy(step, shorter, sizeof shorter);
    return other;
}

static double newton_largest(const double *v, int32_t n)
{
    double largest = 0;

    for (int32_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(v[i]));
    return largest;
}

static int newton_is_finite(const cj__newton *n, const cj__newton_point *at)
{
    int is = isfinite(at->value);

    for (int32_t i = 0; i < n->n; i++)
        is = is && isfinite(at->gradient[i]);
    for (int32_t i = 0; i < n->n * n->n; i++)
        is = is && isfinite(at->hessian[i]);
    return is;
}

static int32_t newton_evaluate(cj__newton *n, cj__newton_point *at)
{
    n->n_iterations++;
    return n->evaluate(n->user, at);
}

static void newton_move(const cj__newton *n, const cj__newton_point *at,
                        const double *step, double *y)
{
    for (int32_t i = 0; i < n->n; i++)
        y[i] = fmin(fmax(at->y[i] + step[i], n->low[i]), n->high[i]);
}

/* Is the trial to be taken, and how far may the next one go? */
static int newton_judge(const cj__newton_point *at, const cj__newton_point *trial,
                        double gain, double length, double *radius)
{
    const double real = at->value - trial->value;
    const double rounding = NEWTON_ROUNDING * (1 + fabs(at->value));

    if (gain < rounding && fabs(real) < 4 * rounding)
        return 1; /* the loop looks whether there is less and less to gain */
    if (!(real >= 0.25 * gain))
        *radius = length / 4;
    else if (real > 0.75 * gain && length > 0.9 * *radius)
        *radius = fmin(2 * *radius, NEWTON_MAX_RADIUS);
    return real > 1e-4 * gain;
}

/* One step tried; *gain is what was promised. */
static int32_t newton_try(cj__newton *n, cj__newton_point *at, cj__newton_point *trial,
                          const double *step, double *radius)
{
    const double gain = newton_gain(n, at, step);
    double square = 0;
    int32_t rc;

    for (int32_t i = 0; i < n->n; i++)
        square += step[i] * step[i];
    newton_move(n, at, step, trial->y);
    rc = newton_evaluate(n, trial);
    if (rc != CJ_OK)
        return rc;
    if (!newton_is_finite(n, trial))
        *radius = sqrt(square) / 8;
    else if (newton_judge(at, trial, gain, sqrt(square), radius))
        *at = *trial;
    return CJ_OK;
}

/* The step is small, so the next one is its square: made from derivatives at the end of
 * this one, but not evaluated any more. */
static int32_t newton_finish(cj__newton *n, cj__newton_point *at, const double *step,
                             double size)
{
    double last[CJ__NEWTON_MAX];
    newton_model m;
    int32_t rc;

    newton_move(n, at, step, at->y);
    if (n->is_rough || size <= NEWTON_SQUARE * n->tolerance)
        return CJ_OK;
    rc = newton_evaluate(n, at);
    if (rc != CJ_OK || !newton_is_finite(n, at))
        return rc;
    newton_model_of(n, at, &m);
    if (newton_step(&m, n->tolerance, last))
        newton_move(n, at, last, at->y);
    return CJ_OK;
}

int32_t cj__newton_run(cj__newton *n, cj__newton_point *at)
{
    double radius = NEWTON_FIRST_RADIUS, last_gain = HUGE_VAL;
    const int32_t until = n->n_iterations + NEWTON_ITERATIONS;
    cj__newton_point trial;
    int32_t rc = newton_evaluate(n, at);

    n->end = CJ__NEWTON_NOT_FINITE;
    if (rc != CJ_OK || !newton_is_finite(n, at))
        return rc;
    memset(&trial, 0, sizeof trial);
    while (n->n_iterations < until) {
        double step[CJ__NEWTON_MAX], gain, size;
        newton_model m;
        int is_newton;

        is_newton = newton_plan(n, at, radius, &m, step);
        gain = newton_clip(n, at, step);
        size = newton_largest(step, n->n);
        n->end = CJ__NEWTON_DONE;
        if (m.n == 0 || (size <= n->tolerance && is_newton))
            return newton_finish(n, at, step, size);
        n->end = CJ__NEWTON_STALLED;
        if (radius < NEWTON_MIN_RADIUS || !(gain > 0))
            return CJ_OK;
        if (gain < NEWTON_ROUNDING * (1 + fabs(at->value))) {
            if (gain > 0.7 * last_gain) {
                n->end = is_newton ? CJ__NEWTON_DONE : CJ__NEWTON_STALLED;
                return CJ_OK;
            }
            last_gain = gain;
        }
        rc = newton_try(n, at, &trial, step, &radius);
        if (rc != CJ_OK)
            return rc;
    }
    n->end = CJ__NEWTON_ITERATIONS;
    return CJ_OK;
}
