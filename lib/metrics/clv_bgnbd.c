/* BG/NBD: one row of the models; everything is shared with its sibling (clv_bg.h), they
 * differ in the chances to drop out. */
#include "metrics/clv_bg.h"

const cj__clv_model cj__clv_bgnbd = {
    .name = "bgnbd",
    .title = "BG/NBD",
    .source = "Fader, Hardie & Lee 2005, Marketing Science 24(2), eq. 6",
    .when = "a shop without contracts; the usual first choice: nobody leaves before a "
            "second order",
    .family = CJ__CLV_CONTINUOUS,
    .n_params = 4,
    .n_table = CJ__CLV_BG_TABLE,
    .params = {"r",  "alpha", "a", "b"},
    .power = {0, 1,        0, 0},
    .effects = {{0, -1, 0, 0},   {0, 0, 1, 1} },
    .limits = cj__bg_limits,
    .start = cj__bg_start,
    .prepare = cj__bg_prepare,
    .loglik = cj__bg_loglik,
    .p_alive = cj__bg_p_alive,
    .expected = cj__bg_expected,
    .pmf = cj__bg_pmf,
    .dert = cj__bg_dert,
    .expected_new = cj__bg_expected_new,
    .pmf_new = cj__bg_pmf_new,
};
