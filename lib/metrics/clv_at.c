/* A model at one point of its parameters: its table per x, filled anew at each turn.
 * Larger x have no place in it and are worked out by the model, row by row. */
#include "metrics/clv.h"

#include <string.h>

static size_t at_table_bytes(const cj__clv_at *at)
{
    return (size_t)(at->max_x + 1) * (size_t)at->model->n_table * sizeof *at->table;
}

int32_t cj__clv_at_begin(cj__clv_at *at, const cj__allocator *a,
                         const cj__clv_model *model, int32_t k, int64_t max_x)
{
    memset(at, 0, sizeof *at);
    at->model = model;
    at->k = k;
    at->max_x = max_x < CJ__CLV_TABLE ? max_x : CJ__CLV_TABLE;
    at->allocator = a;
    if (model->n_table == 0)
        return CJ_OK;
    at->table = cj__alloc(a, at_table_bytes(at));
    return at->table == NULL ? CJ_ENOMEM : CJ_OK;
}

void cj__clv_at_turn(cj__clv_at *at, const double *theta)
{
    memcpy(at->theta, theta, (size_t)at->model->n_params * sizeof *theta);
    if (at->model->prepare != NULL)
        at->model->prepare(at);
}

void cj__clv_at_end(cj__clv_at *at)
{
    if (at->table != NULL)
        cj__free(at->allocator, at->table, at_table_bytes(at));
    at->table = NULL;
}
