/* Fits of simulated cohorts, parameters spread over two decades and sizes over four:
 * each ends with a name, and no maximum is missed that the truth would beat.  Of those
 * that converged with some hundred repeaters the 95 % intervals cover the truth a
 * little less often (92 of 100), as Wald's do where samples are small, dropout is
 * hardly seen and who converges is chosen by its outcome; test_metrics_clv_coverage.c
 * shows exactly 95 where the truth is identified.  All 500 of them with CJ_NIGHTLY=1,
 * else a sample. */
#include "clv_fits.h"

#include "clv_likelihood.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *model;
    int32_t k;
} models[] = {
    {"nbd",       1},
    {"bgnbd",     1},
    {"mbgnbd",    1},
    {"paretonbd", 1},
    {"bgcnbd",    2},
    {"mbgcnbd",   3},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

static int is_nightly(void)
{
    return getenv("CJ_NIGHTLY") != NULL;
}

static void story_of(int i, clv_story *s)
{
    uint64_t dice = (uint64_t)i * 7919 + 1;
    const double largest = is_nightly() ? (i % 100 == 0 ? 1e6 : 1e5) : 8000;

    memset(s, 0, sizeof *s);
    s->n = (int64_t)clv_dice_spread(&dice, 50, largest);
    clv_story_draw(s, models[i % N_MODELS].model, models[i % N_MODELS].k, 10, &dice);
    s->seed = dice;
}

/* What the truth itself would have. */
static double loglik_of(const clv_story *s, const clv_cohort *c)
{
    const cj__clv_rows rows = clv_cohort_rows(c);
    const cj__clv_model *model;
    clv_total total;

    ck_assert_int_eq(cj__clv_model_find(s->model, &model), CJ_OK);
    clv_total_k(model, s->k, s->theta, &rows, &total);
    return total.ll;
}

static void count_covered(const clv_story *s, const cj_clv *clv, int *seen,
                          int *covered)
{
    for (int32_t p = 0; p < clv->n_free; p++) {
        const double z = log(clv->theta[p] / s->theta[p]) / sqrt(clv->covariance[p][p]);

        *seen += 1;
        *covered += fabs(z) < 1.959964;
    }
}

START_TEST(test_cohorts__each_ends_with_a_name_and_covers_the_truth)
{
    const int n = is_nightly() ? 500 : 90, step = harness_stride(29);
    int seen = 0, covered = 0, converged = 0, done = 0;
    int64_t iterations = 0;

    for (int i = 0; i < n; i += step) {
        clv_story s;
        clv_cohort c;
        cj_clv *clv;

        story_of(i, &s);
        clv_simulate(&s, &c);
        clv = clv_fit_cohort(&s, &c);
        if (getenv("CJ_TEST_SHOW") != NULL)
            printf("%d %s n %lld: %s, %lld\n", i, s.model, (long long)s.n,
                   clv_status(clv), (long long)clv->n_iterations);
        ck_assert_str_ne(clv_status(clv), "not_converged");
        ck_assert_str_ne(clv_status(clv), "not_finite");
        if (strcmp(clv_status(clv), "too_few_repeat_customers") != 0)
            ck_assert_msg(clv->loglik >= loglik_of(&s, &c) - 1e-6,
                          "cohort %d, %s, %s: %.9f is less than the truth's %.9f", i,
                          s.model, clv_status(clv), clv->loglik, loglik_of(&s, &c));
        if (strcmp(clv_status(clv), "converged") == 0) {
            converged++;
            if (clv->n_repeaters > 500 && clv->condition < 1e5)
                count_covered(&s, clv, &seen, &covered);
        }
        iterations += clv->n_iterations;
        done++;
        cj__clv_free(clv);
        clv_cohort_end(&c);
    }
    printf("%d cohorts, %d converged, %d of %d intervals cover, %.1f iterations\n",
           done, converged, covered, seen, (double)iterations / done);
    if (step == 1) {
        const double sd = sqrt(.95 * .05 * seen);

        ck_assert_int_gt(converged, n / 2);
        ck_assert(fabs(covered - .95 * seen) < 4 * sd); /* they depend on each other */
    }
}
END_TEST

HARNESS_MAIN("metrics_clv_cohorts",
             test_cohorts__each_ends_with_a_name_and_covers_the_truth)
