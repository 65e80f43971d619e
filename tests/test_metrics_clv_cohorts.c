/* Fits of simulated cohorts, parameters spread over two decades and sizes over four:
 * each ends with a name, and no maximum is missed that the truth would beat.  Each
 * model has a cohort of the smallest size and one of the largest, exactly.  Of those
 * that converged with some hundred repeaters the 95 % intervals cover the truth a
 * little less often (92 of 100), as Wald's do where samples are small, dropout is
 * hardly seen and who converges is chosen by its outcome; test_metrics_clv_coverage.c
 * shows exactly 95 where the truth is identified.  With CJ_NIGHTLY=1 there are 500 of
 * 50 to 1,000,000 customers; else 90 of 50 to 8,000, which is a sample in both. */
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

/* Of every 83 cohorts one is as large as any and one as small; 83 is prime, so that all
 * models have their turn. */
#define EXTREMES 83
#define SMALLEST 50

static int is_nightly(void)
{
    return getenv("CJ_NIGHTLY") != NULL;
}

static int64_t largest(void)
{
    return is_nightly() ? 1000000 : 8000;
}

static void story_of(int i, clv_story *s)
{
    uint64_t dice = (uint64_t)i * 7919 + 1;
    const double many = is_nightly() ? 1e5 : (double)largest();

    memset(s, 0, sizeof *s);
    s->n = (int64_t)clv_dice_spread(&dice, SMALLEST, many);
    if (i % EXTREMES == 0)
        s->n = largest();
    if (i % EXTREMES == 1)
        s->n = SMALLEST;
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

typedef struct tally {
    int done, converged, seen, covered;
    int64_t iterations, smallest, largest;
    int extremes[2][N_MODELS]; /* cohorts of the smallest size, of the largest */
} tally;

static void count_covered(tally *t, const clv_story *s, const cj_clv *clv)
{
    for (int32_t p = 0; p < clv->n_free; p++) {
        const double z = log(clv->theta[p] / s->theta[p]) / sqrt(clv->covariance[p][p]);

        t->seen += 1;
        t->covered += fabs(z) < 1.959964;
    }
}

static void count_size(tally *t, int i, int64_t n)
{
    t->smallest = t->done == 0 || n < t->smallest ? n : t->smallest;
    t->largest = n > t->largest ? n : t->largest;
    t->extremes[0][i % N_MODELS] += n == SMALLEST;
    t->extremes[1][i % N_MODELS] += n == largest();
}

static void expect_named_fit(int i, tally *t)
{
    clv_story s;
    clv_cohort c;
    cj_clv *clv;

    story_of(i, &s);
    clv_simulate(&s, &c);
    ck_assert_int_eq(c.n, s.n);
    clv = clv_fit_cohort(&s, &c);
    ck_assert_int_eq(clv->n_rows, s.n);
    if (getenv("CJ_TEST_SHOW") != NULL)
        printf("%d %s n %lld: %s, %lld\n", i, s.model, (long long)s.n, clv_status(clv),
               (long long)clv->n_iterations);
    ck_assert_str_ne(clv_status(clv), "not_converged");
    ck_assert_str_ne(clv_status(clv), "not_finite");
    if (strcmp(clv_status(clv), "too_few_repeat_customers") != 0)
        ck_assert_msg(clv->loglik >= loglik_of(&s, &c) - 1e-6,
                      "cohort %d, %s, %s: %.9f is less than the truth's %.9f", i,
                      s.model, clv_status(clv), clv->loglik, loglik_of(&s, &c));
    if (strcmp(clv_status(clv), "converged") == 0) {
        t->converged++;
        if (clv->n_repeaters > 500 && clv->condition < 1e5)
            count_covered(t, &s, clv);
    }
    count_size(t, i, c.n);
    t->iterations += clv->n_iterations;
    t->done++;
    cj__clv_free(clv);
    clv_cohort_end(&c);
}

static void expect_extremes(const tally *t)
{
    ck_assert_int_eq(t->smallest, 50);
    ck_assert_int_eq(t->largest, is_nightly() ? 1000000 : 8000);
    for (int m = 0; is_nightly() && m < N_MODELS; m++) {
        ck_assert_int_ge(t->extremes[0][m], 1);
        ck_assert_int_ge(t->extremes[1][m], 1);
    }
}

START_TEST(test_cohorts__each_ends_with_a_name_and_covers_the_truth)
{
    const int n = is_nightly() ? 500 : 90, step = harness_stride(29);
    tally t = {0};

    for (int i = 0; i < n; i += step)
        expect_named_fit(i, &t);
    printf("%d cohorts of %lld to %lld customers, %d converged, %d of %d intervals "
           "cover, %.1f iterations\n",
           t.done, (long long)t.smallest, (long long)t.largest, t.converged, t.covered,
           t.seen, (double)t.iterations / t.done);
    if (step == 1) {
        const double sd = sqrt(.95 * .05 * t.seen);

        ck_assert_int_gt(t.converged, n / 2);
        ck_assert(fabs(t.covered - .95 * t.seen) < 4 * sd); /* not independent */
        expect_extremes(&t);
    }
}
END_TEST

HARNESS_MAIN("metrics_clv_cohorts",
             test_cohorts__each_ends_with_a_name_and_covers_the_truth)
