/* When the next purchase comes: from P(at least one purchase until t), F(t), alone. Its
 * median is where F is 1/2, which for many customers is never; its mean exists only for
 * those who come back at all, so it is that of those who do within the time asked.
 *
 * A model is asked of many customers at one time, not of one at many: so time is cut
 * into panels of u = ln(1 + t / scale), all customers are asked at the ends of the
 * panels, and those whose F passes 1/2 within one together at its Chebyshev points,
 * between which F is a polynomial to about 1e-13.  So 16 questions and one per panel do
 * for all. */
#include "metrics/clv_answer.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

#define NEXT_NOBODY 1e-12 /* 1 - P(none) has no digits left below this */
#define NEXT_OFTEN                                                                     \
    1e-3               /* 1 / purchases of those whose next one comes so much sooner   \
                        */
#define NEXT_PANELS 60 /* ln(until / scale) at most: e^60 */
#define NEXT_POINTS 16
#define NEXT_ROWS 4096 /* at a time */
#define NEXT_PI 3.14159265358979323846

/* Rows of one panel side by side, and F - 1/2 of them at its points. */
typedef struct next_work {
    double column[4][NEXT_ROWS], excess[NEXT_POINTS][NEXT_ROWS];
    double point[NEXT_POINTS], weight[NEXT_POINTS]; /* in [-1, 1], barycentric */
    int32_t panel[NEXT_ROWS], row[NEXT_ROWS];
    double scale, width; /* panel k is u in [k width, (k + 1) width] */
    int32_t n_panels;
} next_work;

static double next_time(const next_work *w, double panel)
{
    return w->scale * expm1(panel * w->width);
}

static void next_panels(next_work *w, double scale, double until)
{
    double all;

    scale = fmin(scale, until);
    w->scale = fmax(scale, until * exp(-NEXT_PANELS + 1.0));
    all = log1p(until / w->scale);
    w->n_panels = (int32_t)ceil(all);
    w->width = all / w->n_panels;
    for (int j = 0; j < NEXT_POINTS; j++) {
        const double angle = NEXT_PI * (j + 0.5) / NEXT_POINTS;

        w->point[j] = -cos(angle);
        w->weight[j] = j % 2 == 0 ? sin(angle) : -sin(angle);
    }
}

/* The polynomial through a row's points (Berrut and Trefethen, SIAM Review 46, 2004).
 */
static double next_polynomial(const next_work *w, int64_t i, double x)
{
    double above = 0, below = 0;

    for (int j = 0; j < NEXT_POINTS; j++) {
        const double d = x - w->point[j];

        if (d == 0)
            return w->excess[j][i];
        above += w->weight[j] / d * w->excess[j][i];
        below += w->weight[j] / d;
    }
    return above / below;
}

/* Where it is 0: false position, the end that stays halved (the Illinois way). */
static double next_root(const next_work *w, int64_t i)
{
    double low = -1, high = 1, f_low = next_polynomial(w, i, low);
    double f_high = next_polynomial(w, i, high);
    int side = 0;

    if (f_low >= 0 || f_high <= 0) /* at an end, but for rounding */
        return f_low >= 0 ? low : high;
    for (int step = 0; step < 100 && high - low > 1e-13; step++) {
        const double x = (low * f_high - high * f_low) / (f_high - f_low);
        const double f = next_polynomial(w, i, x);

        if (f == 0)
            return x;
        if (f < 0) {
            low = x;
            f_low = f;
            f_high /= side < 0 ? 2 : 1;
            side = -1;
        } else {
            high = x;
            f_high = f;
            f_low /= side > 0 ? 2 : 1;
            side = 1;
        }
        if (fabs(f) < 1e-15)
            return x;
    }
    return high;
}

/* F - 1/2 of all rows. */
static int32_t next_excess(const cj__clv_ask *like, const cj__clv_rows *rows, double t,
                           double *out)
{
    cj__clv_ask ask = *like;
    int32_t rc;

    ask.rows = rows;
    ask.from = 0;
    ask.until = t;
    rc = cj__clv_back(&ask, out);
    for (int64_t i = 0; rc == CJ_OK && i < rows->n; i++)
        out[i] -= 0.5;
    return rc;
}

/* The rows of panel k side by side, and whose they are in w->row. */
static cj__clv_rows next_gather(next_work *w, const cj__clv_rows *rows, int32_t k)
{
    const double *from[4] = {rows->x, rows->tx, rows->t, rows->z};
    cj__clv_rows some = {
        .x = w->column[0],
        .tx = rows->tx == NULL ? NULL : w->column[1],
        .t = w->column[2],
        .z = rows->z == NULL ? NULL : w->column[3],
    };

    for (int64_t i = 0; i < rows->n; i++) {
        if (w->panel[i] != k)
            continue;
        for (int c = 0; c < 4; c++)
            w->column[c][some.n] = from[c] == NULL ? 0 : from[c][i];
        w->row[some.n++] = (int32_t)i;
    }
    return some;
}

/* In which panel each row passes 1/2: at first in the one behind the last, and one
 * further ahead as long as it has passed at its beginning. */
static int32_t next_find(next_work *w, const cj__clv_ask *ask, const cj__clv_rows *rows)
{
    for (int64_t i = 0; i < rows->n; i++)
        w->panel[i] = w->n_panels;
    for (int32_t k = w->n_panels; k > 0; k--) {
        const double begin = k == w->n_panels ? ask->until : next_time(w, k);
        const cj__clv_rows some = next_gather(w, rows, k);
        int32_t rc = some.n == 0 ? CJ_OK : next_excess(ask, &some, begin, w->excess[0]);

        if (rc != CJ_OK || some.n == 0)
            return rc;
        for (int64_t i = 0; i < some.n; i++)
            w->panel[w->row[i]] = w->excess[0][i] >= 0 ? k - 1 : k;
    }
    return CJ_OK;
}

/* The rows of panel k: asked and solved. */
static int32_t next_panel(next_work *w, const cj__clv_ask *ask,
                          const cj__clv_rows *rows, int32_t k, double *out)
{
    const cj__clv_rows some = next_gather(w, rows, k);

    for (int j = 0; j < NEXT_POINTS && some.n > 0; j++) {
        const double t = next_time(w, k + (1 + w->point[j]) / 2);
        int32_t rc = next_excess(ask, &some, t, w->excess[j]);

        if (rc != CJ_OK)
            return rc;
    }
    for (int64_t i = 0; i < some.n; i++)
        out[w->row[i]] = next_time(w, k + (1 + next_root(w, i)) / 2);
    return CJ_OK;
}

static cj__clv_rows next_rows(const cj__clv_rows *rows, int64_t first, int64_t n)
{
    const cj__clv_rows some = {
        .x = rows->x + first,
        .tx = rows->tx == NULL ? NULL : rows->tx + first,
        .t = rows->t + first,
        .z = rows->z == NULL ? NULL : rows->z + first,
        .n = rows->n - first < n ? rows->n - first : n,
    };

    return some;
}

static int32_t next_continuous(next_work *w, const cj__clv_ask *ask, double *out)
{
    if (!(ask->until > 0))
        return CJ_OK;
    next_panels(w, cj__clv_scale(ask->at) * NEXT_OFTEN, ask->until);
    for (int64_t first = 0; first < ask->rows->n; first += NEXT_ROWS) {
        const cj__clv_rows rows = next_rows(ask->rows, first, NEXT_ROWS);
        int32_t rc = next_find(w, ask, &rows);

        for (int32_t k = 0; rc == CJ_OK && k < w->n_panels; k++)
            rc = next_panel(w, ask, &rows, k, out + first);
        if (rc != CJ_OK)
            return rc;
    }
    return CJ_OK;
}

/* The first whole period with F >= 1/2, of one row after the other: there are few
 * different ones. */
static int32_t next_periods(const cj__clv_ask *ask, double *out)
{
    const double until = floor(ask->until);

    for (int64_t i = 0; i < ask->rows->n; i++) {
        const cj__clv_rows row = next_rows(ask->rows, i, 1);
        double low = 0, high = until + 1, f;

        while (high - low > 1) {
            const double middle = floor((low + high) / 2);
            int32_t rc = next_excess(ask, &row, middle, &f);

            if (rc != CJ_OK)
                return rc;
            *(f >= 0 ? &high : &low) = middle;
        }
        if (high <= until)
            out[i] = high;
    }
    return CJ_OK;
}

int32_t cj__clv_next_median(const cj__clv_ask *ask, double *out)
{
    const cj__allocator *a = ask->at->allocator;
    next_work *w;
    int32_t rc;

    for (int64_t i = 0; i < ask->rows->n; i++)
        out[i] = (double)NAN;
    if (ask->at->model->family != CJ__CLV_CONTINUOUS)
        return next_periods(ask, out);
    w = cj__alloc(a, sizeof *w);
    if (w == NULL)
        return CJ_ENOMEM;
    rc = next_continuous(w, ask, out);
    cj__free(a, w, sizeof *w);
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
