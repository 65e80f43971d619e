/* Several numbers at a place, of any sign and size: an error is small beside the
 * largest of a piece.  (clv_bg_grid.c has one positive number, and each answer's own
 * digits; so it can do without sorting, and without a logarithm per row.)
 *
 * Rows are sorted by (x, y = ln scale); y is cut into pieces from one whole number to
 * the next (so that they do not depend on who else is asked for), each with NODES
 * Chebyshev places.  The functions are analytic for |Im y| < pi: on a piece the
 * Bernstein ellipse has rho = 12.6, and 16 places leave 12.6^-16 = 2e-18 of their size
 * there, which may be large: a piece whose last coefficients are not small is halved.
 */
#include "metrics/clv_curve.h"

#include "base/chebyshev.h"

#include <math.h>
#include <stdlib.h>

#define CURVE_NODES 16
#define CURVE_SHORT (1.0 / 64) /* pieces whose rows are worked out one by one */

typedef struct curve_row {
    double x, y;
    int64_t row;
} curve_row;

typedef struct curve_state {
    const cj__clv_curve *curve;
    cj__chebyshev places;
    double *out;
} curve_state;

static int curve_compare(const void *p, const void *q)
{
    const curve_row *a = p, *b = q;

    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->y < b->y ? -1 : a->y > b->y;
}

static double curve_scale(const cj__clv_curve *c, int64_t row)
{
    return c->ask->at->theta[1] + c->ask->rows->t[row];
}

static void curve_one(const curve_state *s, int64_t row)
{
    const cj__clv_curve *c = s->curve;
    double numbers[CJ__CLV_CURVE_WIDTH];

    c->at(c->user, c->ask->rows->x[row], curve_scale(c, row), numbers);
    s->out[row] = c->row(c->user, row, numbers);
}

/* Coefficients of every number for y in [low, low + width]; 0: not smooth enough. */
static int curve_fit(const curve_state *s, double x, double low, double width,
                     double coef[CURVE_NODES][CJ__CLV_CURVE_WIDTH])
{
    const cj__clv_curve *c = s->curve;
    double f[CURVE_NODES][CJ__CLV_CURVE_WIDTH];

    for (int i = 0; i < CURVE_NODES; i++) {
        const double u = cj__chebyshev_place(&s->places, i);

        c->at(c->user, x, exp(low + width * (u + 1) / 2), f[i]);
    }
    for (int w = 0; w < c->width; w++) {
        double most = 0;

        cj__chebyshev_fit(&s->places, &f[0][w], CJ__CLV_CURVE_WIDTH, &coef[0][w]);
        for (int m = 0; m < CURVE_NODES; m++)
            most = fmax(most, fabs(coef[m][w]));
        if (!(fabs(coef[CURVE_NODES - 1][w]) + fabs(coef[CURVE_NODES - 2][w]) <=
              1e-13 * most))
            return 0;
    }
    return 1;
}

/* The answer for a row at u of a piece. */
static void curve_value(const curve_state *s, const curve_row *row, double u,
                        double coef[CURVE_NODES][CJ__CLV_CURVE_WIDTH])
{
    const cj__clv_curve *c = s->curve;
    double numbers[CJ__CLV_CURVE_WIDTH];

    for (int w = 0; w < c->width; w++)
        numbers[w] = cj__chebyshev_at(CURVE_NODES, &coef[0][w], CJ__CLV_CURVE_WIDTH, u);
    s->out[row->row] = c->row(c->user, row->row, numbers);
}

/* The n rows of one x with y in [low, low + width]. */
static void curve_piece(const curve_state *s, const curve_row *rows, int64_t n,
                        double low, double width)
{
    double coef[CURVE_NODES][CJ__CLV_CURVE_WIDTH];
    int64_t half = 0;

    if (n == 0)
        return;
    if (width < CURVE_SHORT) {
        for (int64_t i = 0; i < n; i++)
            curve_one(s, rows[i].row);
    } else if (curve_fit(s, rows->x, low, width, coef)) {
        for (int64_t i = 0; i < n; i++)
            curve_value(s, &rows[i], 2 * (rows[i].y - low) / width - 1, coef);
    } else {
        while (half < n && rows[half].y < low + width / 2)
            half++;
        curve_piece(s, rows, half, low, width / 2);
        curve_piece(s, rows + half, n - half, low + width / 2, width / 2);
    }
}

int32_t cj__clv_curve_answer(const cj__clv_curve *c, double *out)
{
    const int64_t n = c->ask->rows->n;
    const cj__allocator *a = c->ask->at->allocator;
    curve_state s = {.curve = c, .out = out};
    curve_row *rows;

    if (n == 0)
        return CJ_OK;
    cj__chebyshev_begin(&s.places, CURVE_NODES);
    rows = cj__alloc(a, cj__size_product((size_t)n, sizeof *rows));
    if (rows == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        rows[i].x = c->ask->rows->x[i];
        rows[i].y = log(curve_scale(c, i));
        rows[i].row = i;
    }
    qsort(rows, (size_t)n, sizeof *rows, curve_compare);
    for (int64_t i = 0, end; i < n; i = end) {
        const double low = floor(rows[i].y);

        for (end = i + 1; end < n && rows[end].x == rows[i].x && rows[end].y < low + 1;)
            end++;
        curve_piece(&s, rows + i, end - i, low, 1);
    }
    cj__free(a, rows, (size_t)n * sizeof *rows);
    return CJ_OK;
}
