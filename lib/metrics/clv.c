/* The models there are: one row each, the ones to try first before the others.  A new
 * one is a file clv_<name>.c and a row here. */
#include "metrics/clv.h"

#include "base/nearest.h"

#include <string.h>

/* clang-format off */
static const cj__clv_model *const models[] = {
    &cj__clv_bgnbd,
    &cj__clv_mbgnbd,
    &cj__clv_bgcnbd,
    &cj__clv_mbgcnbd,
    &cj__clv_bgbb,
    &cj__clv_gammagamma,
    &cj__clv_sbg,
    &cj__clv_bdw,
    NULL,
};
/* clang-format on */

int32_t cj__clv_model_find(const char *name, const cj__clv_model **out)
{
    for (size_t i = 0; models[i] != NULL; i++) {
        if (strcmp(models[i]->name, name) == 0) {
            *out = models[i];
            return CJ_OK;
        }
    }
    return cj__fail(CJ_ENOTFOUND, "there is no value model of this name");
}
