/* Between which numbers the purchases of a time will fall: quantiles of their
 * distribution, by adding up P(N = n) from 0 on.  The parameters are taken as they are:
 * this is the chance of customers, not the doubt about the model. */
#include "metrics/clv_answer.h"

#include "base/alloc.h"

#include <math.h>

/* Rows still looked for, closed up as they are found. */
typedef struct quantile_rows {
    double *x, *tx, *t, *z, *below, *p; /* below: P(N < n) */
    int64_t *row;
    int64_t n;
} quantile_rows;

static void quantile_rows_fill(quantile_rows *q, const cj__clv_rows *rows, double *to)
{
    const double *from[4] = {rows->x, rows->tx, rows->t, rows->z};
    double **columns[4] = {&q->x, &q->tx, &q->t, &q->z};

    q->n = rows->n;
    for (int c = 0; c < 4; c++, to += q->n) {
        *columns[c] = to;
        for (int64_t i = 0; i < q->n; i++)
            to[i] = from[c] != NULL ? from[c][i] : 0;
    }
    q->below = to;
    q->p = to + q->n;
    for (int64_t i = 0; i < q->n; i++) {
        q->below[i] = 0;
        q->row[i] = i;
    }
}

/* With P(n) in q->p: note what is reached, keep the others. */
static void quantile_rows_step(quantile_rows *q, double n, double tail, double *low,
                               double *high)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < q->n; i++) {
        const int64_t row = q->row[i];
        const double sum = q->below[i] + q->p[i];

        if (q->below[i] < tail && sum >= tail)
            low[row] = n;
        if (sum >= 1 - tail) {
            high[row] = n;
            continue;
        }
        q->x[kept] = q->x[i];
        q->tx[kept] = q->tx[i];
        q->t[kept] = q->t[i];
        q->z[kept] = q->z[i];
        q->below[kept] = sum;
        q->row[kept++] = row;
    }
    q->n = kept;
}

static int32_t quantile_walk(quantile_rows *q, const cj__clv_ask *ask, double tail,
                             double *low, double *high)
{
    for (int64_t n = 0; q->n > 0 && n <= CJ__CLV_MAX_COUNT; n++) {
        const cj__clv_rows rows = {q->x, q->tx, q->t, q->z, q->n};
        cj__clv_ask own = *ask;
        int32_t rc;

        own.rows = &rows;
        own.n_purchases = n;
        rc = cj__clv_pmf(&own, q->p);
        if (rc != CJ_OK)
            return rc;
        quantile_rows_step(q, (double)n, tail, low, high);
    }
    return CJ_OK;
}

int32_t cj__clv_quantiles(const cj__clv_ask *ask, double level, double *low,
                          double *high)
{
    const cj__allocator *a = ask->at->allocator;
    const size_t n = (size_t)ask->rows->n + 1;
    const size_t bytes = cj__size_product(n, 6 * sizeof(double) + sizeof(int64_t));
    void *scratch = cj__alloc(a, bytes);
    quantile_rows q;
    int32_t rc;

    if (scratch == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < ask->rows->n; i++)
        low[i] = high[i] = (double)NAN;
    q.row = scratch;
    quantile_rows_fill(&q, ask->rows, (double *)scratch + n);
    rc = quantile_walk(&q, ask, (1 - level) / 2, low, high);
    cj__free(a, scratch, bytes);
    return rc;
}
