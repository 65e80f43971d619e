/* sBG, the shifted beta-geometric model of contracts (Fader & Hardie 2007, "How to
 * project customer retention"): at the end of each period a customer leaves with a
 * chance of his own, drawn from Beta(alpha, beta); retention rises with tenure because
 * the unsteady are gone. */
#include "metrics/clv_contract.h"

/* Most of the loyalty is a difference among customers, and the mean leaves after the
 * mean time. */
static void sbg_start(const cj__clv_means *means, double *theta)
{
    theta[0] = 1;
    theta[1] = means->t > 0 ? means->t : 1;
}

static const cj__clv_limit sbg_limits[] = {
    {0, -1, "churn_not_identified",
     "alpha -> 0: hardly anybody leaves; how long customers stay cannot be seen yet"},
    {0, 1,  "customers_alike",
     "alpha, beta -> infinity: all customers have one retention rate (geometric)"   },
    {1, 1,  "customers_alike",
     "alpha, beta -> infinity: all customers have one retention rate (geometric)"   },
    {1, -1, "nobody_renews",
     "beta -> 0: hardly anybody renews even once; there is no retention to project" },
    {0, 0,  NULL,                   NULL                                            }
};

const cj__clv_model cj__clv_sbg = {
    .name = "sbg",
    .title = "sBG",
    .source = "Fader & Hardie 2007, equations 5 to 8; Fader & Hardie 2010 (DERL)",
    .when = "contracts that are renewed or not at the end of each period: how many "
            "are still there in later ones",
    .family = CJ__CLV_CONTRACT,
    .n_params = 2,
    .params = {"alpha", "beta"},
    .limits = sbg_limits,
    .start = sbg_start,
    .loglik = cj__clv_contract_loglik,
    .p_alive = cj__clv_contract_p_alive,
    .expected = cj__clv_contract_expected,
    .pmf = cj__clv_contract_pmf,
    .dert = cj__clv_contract_dert,
    .expected_new = cj__clv_contract_expected_new,
    .pmf_new = cj__clv_contract_pmf_new,
};
