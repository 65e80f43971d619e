/* BdW, the beta-discrete-Weibull model of contracts (Fader, Hardie, Liu, Davin &
 * Steenburgh 2018, "How to project customer retention revisited: the role of duration
 * dependence"): a customer's own chance to leave, from Beta(gamma, delta), rises with
 * tenure where c > 1 and falls where c < 1; c = 1 is sBG. */
#include "metrics/clv_contract.h"

/* At c = 1: a fit that only climbs never ends below sBG's start. */
static void bdw_start(const cj__clv_means *means, double *theta)
{
    cj__clv_sbg.start(means, theta);
    theta[CJ__CONTRACT_C] = 1;
}

static const cj__clv_limit bdw_limits[] = {
    {CJ__CONTRACT_C,     1,  "later_losses_a_power",
     "c -> infinity, gamma -> 0: after period 1, who is left falls as a power of time"},
    {CJ__CONTRACT_C,     -1, "nobody_leaves_later",
     "c -> 0: who renews once renews for ever; the first renewal decides"             },
    {CJ__CONTRACT_GAMMA, -1, "churn_not_identified",
     "gamma -> 0: hardly anybody leaves; how long customers stay cannot be seen yet"  },
    {CJ__CONTRACT_GAMMA, 1,  "customers_alike",
     "gamma, delta -> infinity: all customers are alike (discrete Weibull)"           },
    {CJ__CONTRACT_DELTA, 1,  "customers_alike",
     "gamma, delta -> infinity: all customers are alike (discrete Weibull)"           },
    {CJ__CONTRACT_DELTA, -1, "nobody_renews",
     "delta -> 0: hardly anybody renews even once; there is no retention to project"  },
    {0,                  0,  NULL,                   NULL                             }
};

const cj__clv_model cj__clv_bdw = {
    .name = "bdw",
    .title = "BdW",
    .source = "Fader, Hardie, Liu, Davin & Steenburgh 2018",
    .when = "contracts, where a customer's own readiness to leave changes with tenure: "
            "when sBG's projections are too high or too low",
    .family = CJ__CLV_CONTRACT,
    .n_params = 3,
    .params = {"gamma", "delta", "c"},
    .limits = bdw_limits,
    .start = bdw_start,
    .loglik = cj__clv_contract_loglik,
    .p_alive = cj__clv_contract_p_alive,
    .expected = cj__clv_contract_expected,
    .pmf = cj__clv_contract_pmf,
    .dert = cj__clv_contract_dert,
    .expected_new = cj__clv_contract_expected_new,
    .pmf_new = cj__clv_contract_pmf_new,
};
