/* The models there are: one row each, the ones to try first before the others.  A new
 * one is a file clv_<name>.c and a row here. */
#include "metrics/clv.h"

#include "base/nearest.h"

#include <string.h>

/* clang-format off */
const cj__clv_model *const cj__clv_all[] = {
    &cj__clv_bgnbd,
    &cj__clv_mbgnbd,
    &cj__clv_bgcnbd,
    &cj__clv_mbgcnbd,
    &cj__clv_paretonbd,
    &cj__clv_nbd,
    &cj__clv_bgbb,
    &cj__clv_gammagamma,
    &cj__clv_sbg,
    &cj__clv_bdw,
    NULL,
};
/* clang-format on */

static const char *models_nearest(const char *name)
{
    const cj__text asked = {name, strlen(name)};
    const char *nearest = cj__clv_all[0]->name;
    size_t least = SIZE_MAX;

    for (size_t i = 0; cj__clv_all[i] != NULL; i++) {
        const cj__text known = {cj__clv_all[i]->name, strlen(cj__clv_all[i]->name)};
        const size_t distance = cj__name_distance(asked, known);

        if (distance < least) {
            least = distance;
            nearest = cj__clv_all[i]->name;
        }
    }
    return nearest;
}

int32_t cj__clv_model_find(const char *name, const cj__clv_model **out)
{
    for (size_t i = 0; cj__clv_all[i] != NULL; i++) {
        if (strcmp(cj__clv_all[i]->name, name) == 0) {
            *out = cj__clv_all[i];
            return CJ_OK;
        }
    }
    return cj__fail(CJ_ENOTFOUND,
                    "there is no value model of this name; did you mean %s?",
                    models_nearest(name));
}
