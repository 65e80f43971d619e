/* Rows are sorted by (x, y = ln scale); y is cut into pieces from one whole number to
 * the next (so that they do not depend on who else is asked for), each with NODES
 * Chebyshev places.  The functions are analytic for |Im y| < pi: on a piece the
 * Bernstein ellipse has rho = 12.6, and 16 places leave 12.6^-16 = 2e-18 of their size
 * there, which may be large: a piece whose last coefficients are not small is halved.
 */
#include "metrics/clv_curve.h"

#include <math.h>
#include <stdlib.h>

#define CURVE_NODES 16
#define CURVE_SHORT (1.0 / 64) /* pieces whose rows are worked out one by one */
#define CURVE_PI 3.14159265358979323846

typedef struct curve_row {
    double x, y;
    int64_t row;
} curve_row;

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

static void curve_one(const cj__clv_curve *c, int64_t row, double *out)
{
    double numbers[CJ__CLV_CURVE_WIDTH];

    c->at(c->user, c->ask->rows->x[row], curve_scale(c, row), numbers);
    out[row] = c->row(c->user, row, numbers);
}

/* Coefficients of every number for y in [low, low + width]; 0: not smooth enough. */
static int curve_fit(const cj__clv_curve *c, double x, double low, double width,
                     double coef[CURVE_NODES][CJ__CLV_CURVE_WIDTH])
{
    double f[CURVE_NODES][CJ__CLV_CURVE_WIDTH];

    for (int i = 0; i < CURVE_NODES; i++) {
        const double u = cos(CURVE_PI * (i + 0.5) / CURVE_NODES);

        c->at(c->user, x, exp(low + width * (u + 1) / 2), f[i]);
    }
    for (int w = 0; w < c->width; w++) {
        double most = 0;

        for (int m = 0; m < CURVE_NODES; m++) {
            double sum = 0;

            for (int i = 0; i < CURVE_NODES; i++)
                sum += f[i][w] * cos(CURVE_PI * m * (i + 0.5) / CURVE_NODES);
            coef[m][w] = sum * (m == 0 ? 1 : 2) / CURVE_NODES;
            most = fmax(most, fabs(coef[m][w]));
        }
        if (!(fabs(coef[CURVE_NODES - 1][w]) + fabs(coef[CURVE_NODES - 2][w]) <=
              1e-13 * most))
            return 0;
    }
    return 1;
}

/* Clenshaw, for all numbers at once. */
static void curve_value(const cj__clv_curve *c, double u,
                        double coef[CURVE_NODES][CJ__CLV_CURVE_WIDTH], double *numbers)
{
    for (int w = 0; w < c->width; w++) {
        double b1 = 0, b2 = 0;

        for (int m = CURVE_NODES - 1; m > 0; m--) {
            const double b = coef[m][w] + 2 * u * b1 - b2;

            b2 = b1;
            b1 = b;
        }
        numbers[w] = coef[0][w] + u * b1 - b2;
    }
}

/* The n rows of one x with y in [low, low + width]. */
static void curve_piece(const cj__clv_curve *c, const curve_row *rows, int64_t n,
                        double low, double width, double *out)
{
    double coef[CURVE_NODES][CJ__CLV_CURVE_WIDTH], numbers[CJ__CLV_CURVE_WIDTH];
    int64_t half = 0;

    if (n == 0)
        return;
    if (width < CURVE_SHORT) {
        for (int64_t i = 0; i < n; i++)
            curve_one(c, rows[i].row, out);
    } else if (curve_fit(c, rows->x, low, width, coef)) {
        for (int64_t i = 0; i < n; i++) {
            curve_value(c, 2 * (rows[i].y - low) / width - 1, coef, numbers);
            out[rows[i].row] = c->row(c->user, rows[i].row, numbers);
        }
    } else {
        while (half < n && rows[half].y < low + width / 2)
            half++;
        curve_piece(c, rows, half, low, width / 2, out);
        curve_piece(c, rows + half, n - half, low + width / 2, width / 2, out);
    }
}

int32_t cj__clv_curve_answer(const cj__clv_curve *c, double *out)
{
    const int64_t n = c->ask->rows->n;
    const cj__allocator *a = c->ask->at->allocator;
    curve_row *rows;

    if (n == 0)
        return CJ_OK;
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
        curve_piece(c, rows + i, end - i, low, 1, out);
    }
    cj__free(a, rows, (size_t)n * sizeof *rows);
    return CJ_OK;
}
