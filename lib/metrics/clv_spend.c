/* Customers' data asked whether spend depends on frequency: what clv_gammagamma.c
 * tests, with columns as callers have them. */
#include "metrics/clv_fit.h"
#include "metrics/clv_gammagamma.h"
#include "metrics/metrics.h"

#include <math.h>

static void spend_rows(const cj_clv_data *data, double *x)
{
    for (int64_t i = 0; i < data->n; i++)
        x[i] = cj__clv_has_spent(data, i) ? (double)data->x[i] : 0;
}

int32_t cj__clv_spend_dependence(const cj__allocator *a, const cj_clv_data *data,
                                 cj_clv_dependence *out)
{
    const size_t bytes = cj__size_product((size_t)data->n + 1, sizeof(double));
    cj__clv_independence found;
    double *x;
    int32_t rc = cj__clv_data_check(&cj__clv_gammagamma, data);

    if (rc != CJ_OK)
        return rc;
    x = cj__alloc(a, bytes);
    if (x == NULL)
        return CJ_ENOMEM;
    spend_rows(data, x);
    cj__clv_independence_test(&(cj__clv_rows){.x = x, .z = data->spend, .n = data->n},
                              data->weight, &found);
    cj__free(a, x, bytes);
    out->n_customers = found.n;
    out->status = found.status;
    out->text = found.text;
    out->correlation = out->low = out->high = out->p_value = 0;
    if (!isnan(found.correlation)) { /* else nothing can be said */
        out->correlation = found.correlation;
        out->low = found.low;
        out->high = found.high;
        out->p_value = found.p_value;
    }
    return CJ_OK;
}
