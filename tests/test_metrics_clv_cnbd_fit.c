/* Fits of simulated regular customers: k is found, the truth lies within the intervals
 * as often as it should, and an irregular cohort is told from a regular one. */
#include "cjourney.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static void fit(const clv_cohort *c, const char *model, int32_t k, cj_clv **out)
{
    int64_t *x = malloc((size_t)c->n * sizeof *x);
    const cj_clv_data data = {.struct_size = sizeof data,
                              .n = c->n,
                              .x = x,
                              .tx = c->tx,
                              .t = c->t,
                              .litt = c->litt};
    const cj_clv_fit_options opts = {
        .struct_size = sizeof opts, .model = model, .unit_days = 1, .k = k};

    for (int64_t i = 0; i < c->n; i++)
        x[i] = (int64_t)c->x[i];
    ck_assert_int_eq(cj_clv_fit(&data, &opts, out), CJ_OK);
    free(x);
}

static cj_clv_fit_facts facts_of(const cj_clv *clv)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};

    ck_assert_int_eq(cj_clv_facts(clv, &facts), CJ_OK);
    return facts;
}

static const double *column_of(const cj_table *t, const char *name)
{
    int64_t i = 0;

    while (strcmp(cj_table_name(t, i), name) != 0)
        i++;
    return cj_table_double(t, i);
}

START_TEST(test_metrics_clv_cnbd_fit__finds_k)
{
    static const char *const models[] = {"bgcnbd", "mbgcnbd"};

    for (int32_t k = 1; k <= 4; k++) {
        for (int m = 0; m < 2; m++) {
            const clv_story story = {
                models[m], k, {1.2, 20.0 / k, 0.8, 2.4},
                  1500, 200,
                300,       0, (uint64_t)(10 * k + m)
            };
            clv_cohort c;
            cj_clv *clv;

            clv_simulate(&story, &c);
            fit(&c, models[m], 0, &clv);
            ck_assert_int_eq(facts_of(clv).k, k);
            ck_assert_str_eq(facts_of(clv).status, "converged");
            cj_clv_free(clv);
            clv_cohort_end(&c);
        }
    }
}
END_TEST

/* 100 cohorts, four parameters each: the logarithms' 95 % intervals hold the truth in
 * 95 % of cases (binomially +- 4 deviations; parameters of a cohort depend on each
 * other, which widens that). */
START_TEST(test_metrics_clv_cnbd_fit__covers_the_truth)
{
    const double truth[] = {1.2, 10, 0.8, 2.4};
    int within = 0, all = 0;

    for (int cohort = 0; cohort < 100; cohort += harness_stride(20)) {
        const clv_story story = {
            "mbgcnbd", 2, {1.2, 10, 0.8, 2.4},
              2000, 250,
            300,       0, (uint64_t)cohort + 1000
        };
        cj_table *t = NULL;
        clv_cohort c;
        cj_clv *clv;

        clv_simulate(&story, &c);
        fit(&c, "mbgcnbd", 2, &clv);
        ck_assert_str_eq(facts_of(clv).status, "converged");
        ck_assert_int_eq(cj_clv_parameters(clv, &t), CJ_OK);
        for (int32_t p = 0; p < 4; p++) {
            const double estimate = column_of(t, "estimate")[p];
            const double error = column_of(t, "std_error")[p];

            within += fabs(log(estimate / truth[p])) < 1.96 * error / estimate;
            all++;
        }
        cj_table_free(t);
        cj_clv_free(clv);
        clv_cohort_end(&c);
    }
    ck_assert_msg(fabs(within - 0.95 * all) < 6 * sqrt(0.05 * 0.95 * all), "%d of %d",
                  within, all);
}
END_TEST

START_TEST(test_metrics_clv_cnbd_fit__k_1_is_bgnbd)
{
    const clv_story story = {
        "bgnbd", 1, {0.6, 30, 0.8, 2.4},
          3000, 200, 300, 0, 4
    };
    cj_clv *plain, *regular;
    clv_cohort c;

    clv_simulate(&story, &c);
    fit(&c, "bgnbd", 0, &plain);
    fit(&c, "bgcnbd", 1, &regular);
    ck_assert_double_eq_tol(facts_of(plain).loglik / facts_of(regular).loglik, 1,
                            1e-13);
    cj_clv_free(plain);
    cj_clv_free(regular);
    clv_cohort_end(&c);
}
END_TEST

/* The likelihood of these falls twice after k = 4, and is highest at 12. */
START_TEST(test_metrics_clv_cnbd_fit__finds_k_behind_a_valley)
{
    uint64_t dice = (uint64_t)542 * 104729 + 5;
    clv_story story = {.n = (int64_t)clv_dice_spread(&dice, 5, 3000)};
    double loglik[CJ__CLV_K + 1], most = -HUGE_VAL;
    int falls = 0, best = 0;
    clv_cohort c;
    cj_clv *clv;

    clv_story_draw(&story, "mbgcnbd", 10, 10, &dice);
    story.seed = dice;
    clv_simulate(&story, &c);
    for (int32_t k = 1; k <= 12; k++) {
        fit(&c, story.model, k, &clv);
        loglik[k] = facts_of(clv).loglik;
        falls += k > 2 && loglik[k] < loglik[k - 1] && loglik[k - 1] < loglik[k - 2];
        best = loglik[k] > most ? k : best;
        most = fmax(most, loglik[k]);
        cj_clv_free(clv);
    }
    ck_assert_int_gt(falls, 0);
    ck_assert_int_eq(best, 12);
    fit(&c, story.model, 0, &clv);
    ck_assert_int_eq(facts_of(clv).k, 12);
    cj_clv_free(clv);
    clv_cohort_end(&c);
}
END_TEST

HARNESS_MAIN("metrics_clv_cnbd_fit", test_metrics_clv_cnbd_fit__finds_k,
             test_metrics_clv_cnbd_fit__finds_k_behind_a_valley,
             test_metrics_clv_cnbd_fit__covers_the_truth,
             test_metrics_clv_cnbd_fit__k_1_is_bgnbd)
