/* Customers as the caller has them (whole numbers, days) in the units of a model, block
 * by block; those with equal covariates together, as they share parameters; and a
 * fitted model made ready for them. */
#include "metrics/clv_predict.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

double cj__clv_delta(double ratio_per_year, double unit_days)
{
    return log1p(ratio_per_year) * unit_days / CJ__CLV_YEAR_DAYS;
}

int32_t cj__clv_is_whole(const cj_clv *clv)
{
    return clv->model->family == CJ__CLV_DISCRETE ||
           clv->model->family == CJ__CLV_CONTRACT;
}

/* ---- ready ------------------------------------------------------------------------
 */

int32_t cj__clv_covariates_check(const cj_clv *clv, const cj_clv_data *data)
{
    if (clv->n_covariates > 0 && data->n > 0 &&
        (data->covariates == NULL || data->n_covariates != clv->n_covariates))
        return cj__fail(CJ_EINVAL,
                        "the model was fitted with %d covariates, these are %d",
                        (int)clv->n_covariates,
                        data->covariates == NULL ? 0 : (int)data->n_covariates);
    return CJ_OK;
}

const double *cj__clv_covariates(const cj_clv *clv, const cj_clv_data *data, int64_t i)
{
    return clv->n_covariates == 0 ? NULL : data->covariates + i * clv->n_covariates;
}

int32_t cj__clv_ready(cj__clv_around *around, const cj_clv *clv,
                      const double *covariates, int64_t max_x, int wide)
{
    const cj__clv_at like = {
        .model = clv->model,
        .k = clv->k,
        .max_x = max_x < CJ__CLV_TABLE ? max_x : CJ__CLV_TABLE,
        .allocator = &clv->allocator,
    };
    double theta[CJ__CLV_PARAMS], covariance[CJ__CLV_PARAMS][CJ__CLV_PARAMS];

    cj__clv_theta_of(clv, covariates, theta);
    if (wide)
        cj__clv_covariance_of(clv, covariates, covariance);
    return cj__clv_around_begin(around, &like, theta,
                                wide ? (const double(*)[CJ__CLV_PARAMS])covariance
                                     : NULL);
}

int64_t cj__clv_max_x(const cj_clv_data *data)
{
    int64_t largest = 0;

    for (int64_t i = 0; i < data->n; i++)
        largest = data->x[i] > largest ? data->x[i] : largest;
    return largest;
}

/* ---- blocks -----------------------------------------------------------------------
 */

int64_t cj__clv_n_blocks(int64_t n)
{
    return (n + CJ__CLV_BLOCK - 1) / CJ__CLV_BLOCK;
}

int32_t cj__clv_block_begin(cj__clv_block *block, const cj__allocator *a,
                            const cj_clv *clv, int64_t n)
{
    const size_t room = (size_t)(n < 1 ? 1 : n < CJ__CLV_BLOCK ? n : CJ__CLV_BLOCK);
    const int has_parts = clv->n_covariates > 0;
    double *memory;

    block->room = room;
    block->bytes = room * (has_parts ? 6 * sizeof *memory + sizeof *block->order
                                     : 3 * sizeof *memory);
    memory = cj__alloc(a, block->bytes);
    if (memory == NULL)
        return CJ_ENOMEM;
    for (size_t c = 0; c < 3; c++) {
        block->columns[c] = memory + c * room;
        block->gathered[c] = has_parts ? memory + (3 + c) * room : NULL;
    }
    block->order = has_parts ? (int32_t *)(void *)(memory + 6 * room) : NULL;
    return CJ_OK;
}

void cj__clv_block_end(cj__clv_block *block, const cj__allocator *a)
{
    cj__free(a, block->columns[0], block->bytes);
    block->columns[0] = NULL;
}

void cj__clv_block_fill(cj__clv_block *block, const cj_clv_data *data,
                        const cj_clv *clv, int64_t number)
{
    const int64_t first = number * CJ__CLV_BLOCK, left = data->n - first;
    double **c = block->columns;
    double *columns[4] = {c[0], c[1], c[2], NULL};

    block->first = first;
    block->rows = (cj__clv_rows){
        .x = c[0],
        .tx = c[1],
        .t = c[2],
        .n = left < CJ__CLV_BLOCK ? left : CJ__CLV_BLOCK,
    };
    cj__clv_rows_of(clv, data, first, block->rows.n, columns);
}

/* ---- parts ------------------------------------------------------------------------
 */

static int block_compare(const cj__clv_block *block, const cj_clv_data *data,
                         const cj_clv *clv, int32_t i, int32_t j)
{
    const double *a = cj__clv_covariates(clv, data, block->first + i);
    const double *b = cj__clv_covariates(clv, data, block->first + j);

    for (int32_t c = 0; c < clv->n_covariates; c++) {
        if (a[c] != b[c])
            return a[c] < b[c] ? -1 : 1;
    }
    return 0;
}

/* Shell's sort: enough for a block, and needs nothing. */
void cj__clv_block_sort(cj__clv_block *block, const cj_clv_data *data,
                        const cj_clv *clv)
{
    const int32_t n = (int32_t)block->rows.n;
    int32_t gap = 1;

    if (clv->n_covariates == 0)
        return;
    for (int32_t i = 0; i < n; i++)
        block->order[i] = i;
    while (gap < n / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3) {
        for (int32_t i = gap; i < n; i++) {
            const int32_t row = block->order[i];
            int32_t j = i;

            for (; j >= gap &&
                   block_compare(block, data, clv, row, block->order[j - gap]) < 0;
                 j -= gap)
                block->order[j] = block->order[j - gap];
            block->order[j] = row;
        }
    }
}

int cj__clv_block_part(cj__clv_block *block, const cj_clv_data *data, const cj_clv *clv,
                       int64_t *at, cj__clv_part *part)
{
    const int64_t from = *at, n = block->rows.n;
    double **g = block->gathered;
    int64_t until = from;

    if (from >= n)
        return 0;
    if (clv->n_covariates == 0) {
        *at = n;
        *part = (cj__clv_part){block->rows, NULL};
        return 1;
    }
    while (until < n && block_compare(block, data, clv, block->order[from],
                                      block->order[until]) == 0)
        until++;
    for (int c = 0; c < 3; c++) {
        for (int64_t i = from; i < until; i++)
            g[c][i - from] = block->columns[c][block->order[i]];
    }
    *at = until;
    *part = (cj__clv_part){
        {g[0], g[1], g[2], g[3], until - from},
        block->order + from
    };
    return 1;
}
