/* Cyclic Jacobi rotations (Golub & Van Loan, Matrix Computations, 8.5): slow for large
 * matrices, but the most accurate there is, and no case is special. */
#include "base/linear.h"

#include <math.h>

enum { LINEAR_SWEEPS = 60 }; /* it takes 6 to 10 */

/* Columns (and rows) p and q of a, columns of v, turned by the angle of (c, s). */
static void linear_rotate(int32_t n, double *a, double *v, const int32_t pq[2],
                          const double cs[2])
{
    const int32_t p = pq[0], q = pq[1];
    const double c = cs[0], s = cs[1];

    for (int32_t i = 0; i < n; i++) {
        const double ip = a[i * n + p], iq = a[i * n + q];
        const double vp = v[i * n + p], vq = v[i * n + q];

        a[i * n + p] = c * ip - s * iq;
        a[i * n + q] = s * ip + c * iq;
        v[i * n + p] = c * vp - s * vq;
        v[i * n + q] = s * vp + c * vq;
    }
    for (int32_t i = 0; i < n; i++) {
        const double pi = a[p * n + i], qi = a[q * n + i];

        a[p * n + i] = c * pi - s * qi;
        a[q * n + i] = s * pi + c * qi;
    }
    a[p * n + q] = a[q * n + p] = 0;
}

/* 1 when something was left to do. */
static int linear_sweep(int32_t n, double *a, double *v)
{
    int worked = 0;

    for (int32_t p = 0; p < n - 1; p++) {
        for (int32_t q = p + 1; q < n; q++) {
            const double off = a[p * n + q], pp = a[p * n + p], qq = a[q * n + q];
            const int32_t pq[2] = {p, q};
            double turn, t, cs[2];

            if (fabs(off) <= 1e-17 * sqrt(fabs(pp * qq)) || fabs(off) < 1e-300)
                continue;
            worked = 1;
            turn = (qq - pp) / (2 * off);
            t = (turn >= 0 ? 1 : -1) / (fabs(turn) + hypot(1, turn));
            cs[0] = 1 / hypot(1, t);
            cs[1] = t * cs[0];
            linear_rotate(n, a, v, pq, cs);
        }
    }
    return worked;
}

static void linear_swap_columns(int32_t n, double *v, int32_t i, int32_t j)
{
    for (int32_t row = 0; row < n; row++) {
        const double keep = v[row * n + i];

        v[row * n + i] = v[row * n + j];
        v[row * n + j] = keep;
    }
}

void cj__eigen(int32_t n, double *a, double *values, double *vectors)
{
    for (int32_t i = 0; i < n * n; i++)
        vectors[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < LINEAR_SWEEPS && linear_sweep(n, a, vectors); sweep++)
        ;
    for (int32_t i = 0; i < n; i++)
        values[i] = a[i * n + i];
    for (int32_t i = 0; i < n - 1; i++) {
        int32_t least = i;

        for (int32_t j = i + 1; j < n; j++) {
            if (values[j] < values[least])
                least = j;
        }
        if (least != i) {
            const double keep = values[i];

            values[i] = values[least];
            values[least] = keep;
            linear_swap_columns(n, vectors, i, least);
        }
    }
}
