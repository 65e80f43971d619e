/* MBG/CNBD-k: one row of the models; everything is shared with its sibling
 * (clv_cnbd.h), they differ in the chances to drop out. */
#include "metrics/clv_bg.h"
#include "metrics/clv_cnbd.h"

const cj__clv_model cj__clv_mbgcnbd = {
    .name = "mbgcnbd",
    .title = "MBG/CNBD-k",
    .source = "Reutterer, Platzer & Schroeder 2021, IJRM 38(1)",
    .when = "customers buy at regular times (groceries, refills) and may leave after "
            "any order",
    .family = CJ__CLV_CONTINUOUS,
    .n_params = 4,
    .n_table = CJ__CLV_BG_TABLE,
    .max_k = CJ__CLV_K,
    .params = {"r", "alpha", "a", "b"},
    .power = {0,   1,       0,   0  },
    .limits = cj__bg_limits,
    .start = cj__bg_start,
    .prepare = cj__bg_prepare,
    .loglik = cj__cnbd_loglik,
    .p_alive = cj__cnbd_p_alive,
    .expected = cj__cnbd_expected,
    .pmf = cj__cnbd_pmf,
    .dert = cj__cnbd_dert,
    .expected_new = cj__cnbd_expected_new,
    .pmf_new = cj__cnbd_pmf_new,
};
