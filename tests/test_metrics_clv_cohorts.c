/* Fits of simulated cohorts, parameters spread over two decades and sizes over four:
 * each ends with a name, no maximum is missed that the truth would beat, and where a
 * fit converged its 95 % intervals cover the truth about 95 times in 100.  All 500 of
 * them with CJ_NIGHTLY=1, else a sample. */
#include "clv_fits.h"

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

/* Evenly in the logarithm. */
static double spread(uint64_t *state, double low, double high)
{
    return low * pow(high / low, clv_dice(state));
}

/* Customers who buy now and then in the time that is seen, and leave or stay. */
static void story_of(int i, clv_story *s)
{
    uint64_t dice = (uint64_t)i * 7919 + 1;
    const double largest = is_nightly() ? (i % 100 == 0 ? 1e6 : 1e5) : 8000;

    memset(s, 0, sizeof *s);
    s->model = models[i % N_MODELS].model;
    s->k = models[i % N_MODELS].k;
    s->n = (int64_t)spread(&dice, 50, largest);
    s->t_min = 20;
    s->t_max = spread(&dice, 25, 200);
    s->theta[0] = spread(&dice, .1, 10);
    s->theta[1] = spread(&dice, .05, 5) * s->t_max * s->theta[0] / s->k;
    s->theta[2] = spread(&dice, .1, 10);
    s->theta[3] = strcmp(s->model, "paretonbd") == 0 ? spread(&dice, .1, 10) * s->t_max
                                                     : spread(&dice, .3, 30);
    s->seed = dice;
}

static cj_clv *fit_cohort(const clv_story *s, const clv_cohort *c, cj_clv_data *data)
{
    const cj_clv_fit_options o = {.model = s->model, .k = s->k};
    int64_t *x = malloc((size_t)s->n * sizeof *x);
    cj_clv *clv;

    for (int64_t i = 0; i < s->n; i++)
        x[i] = (int64_t)c->x[i];
    *data = (cj_clv_data){.n = s->n, .x = x, .tx = c->tx, .t = c->t, .litt = c->litt};
    clv = clv_fit(data, &o);
    free(x);
    return clv;
}

static double loglik_of(const clv_story *s, const clv_cohort *c)
{
    const cj__clv_rows all = clv_cohort_rows(c);
    double ll[CJ__CLV_CHUNK], sum = 0;
    const cj__clv_model *model;
    cj__clv_at at;

    ck_assert_int_eq(cj__clv_model_find(s->model, &model), CJ_OK);
    ck_assert_int_eq(cj__clv_at_begin(&at, clv_memory(), model, s->k, 500), CJ_OK);
    cj__clv_at_turn(&at, s->theta);
    for (int64_t i = 0; i < all.n; i += CJ__CLV_CHUNK) {
        const int64_t n = all.n - i < CJ__CLV_CHUNK ? all.n - i : CJ__CLV_CHUNK;
        const cj__clv_rows rows = {all.x + i, all.tx + i, all.t + i, all.z + i, n};

        model->loglik(&at, &rows, ll, NULL, NULL);
        for (int64_t j = 0; j < n; j++)
            sum += ll[j];
    }
    cj__clv_at_end(&at);
    return sum;
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
        cj_clv_data data;
        cj_clv *clv;

        story_of(i, &s);
        clv_simulate(&s, &c);
        clv = fit_cohort(&s, &c, &data);
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
