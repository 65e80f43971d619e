/* Numbers that a host brings for profiles, such as what cj_clv_predict says of them:
 * two columns, walked along beside a table in the same order. */
#include "metrics/rfm.h"

#include <math.h>
#include <string.h>

int32_t cj__values_read(const cj_profile_values *values, cj__values *out)
{
    const cj_profile_values *v = &out->v;
    int32_t rc;

    memset(out, 0, sizeof *out);
    rc = cj__sized_read(&out->v, sizeof out->v, values);
    if (rc != CJ_OK)
        return rc;
    if (v->n < 0 || (v->n > 0 && (v->profiles == NULL || v->values == NULL)))
        return cj__fail(CJ_EMISUSE, "profiles or values is NULL, or n is negative");
    for (int64_t i = 0; i < v->n; i++) {
        if (i > 0 && v->profiles[i] <= v->profiles[i - 1])
            return cj__fail_at(i, CJ_EINVAL, "profiles must ascend");
        if (!isfinite(v->values[i]))
            return cj__fail_at(i, CJ_EINVAL, "a value is not finite");
    }
    return CJ_OK;
}

int cj__values_of(cj__values *v, int64_t profile, double *out)
{
    while (v->at < v->v.n && v->v.profiles[v->at] < profile)
        v->at++;
    if (v->at >= v->v.n || v->v.profiles[v->at] != profile)
        return 0;
    *out = v->v.values[v->at];
    return 1;
}
