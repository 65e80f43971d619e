/* Do confidence regions cover the truth as often as they say?  Wald's are right in
 * large samples only, so the rule of which cohorts are large enough looks at the truth
 * and never at a fit: parameters are drawn over two decades, Fisher's information at
 * them is measured on a pilot of other customers, and the size is what it needs for
 * standard errors (of logarithms) that are small.  Stories that would need more
 * customers than we can pay for are left out, unseen.  Parameters of one cohort depend
 * on each other: a cohort is one trial for the whole vector, and one for each of its
 * parameters by itself.  Many more of them with CJ_NIGHTLY=1. */
#include "clv_fits.h"

#include "base/linear.h"
#include "clv_likelihood.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PILOT 2000
#define SMALLEST .04 /* the largest standard error of a cohort is between these */
#define LARGEST .1
#define BUSIER 8  /* than in the cohorts' suite */
#define SHORTER 5 /* lifetimes */
#define SDS 3.3

static const struct {
    const char *model;
    int32_t k, n_stories;
} models[] = {
    {"nbd",        1, 80 },
    {"bgnbd",      1, 150},
    {"mbgnbd",     1, 150},
    {"bgcnbd",     2, 120},
    {"mbgcnbd",    3, 100},
    {"paretonbd",  1, 200},
    {"gammagamma", 1, 150},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

/* Chi-square's 95 % with 0..4 degrees of freedom. */
static const double quantiles[] = {0, 3.841459, 5.991465, 7.814728, 9.487729};

typedef struct tally {
    int stories, trials, whole, each[CJ__CLV_PARAMS], n_params;
    double distance, freedom; /* sums of chi-squares, and of what they should be */
} tally;

static int is_nightly(void)
{
    return getenv("CJ_NIGHTLY") != NULL;
}

/* v' A^-1 v of a symmetric matrix, infinite if that is not positive definite. */
static double distance(int32_t n, double a[][CJ__CLV_PARAMS], const double *v)
{
    double flat[CJ__CLV_PARAMS * CJ__CLV_PARAMS], values[CJ__CLV_PARAMS], sum = 0;
    double vectors[CJ__CLV_PARAMS * CJ__CLV_PARAMS];

    for (int32_t i = 0; i < n * n; i++)
        flat[i] = a[i / n][i % n];
    cj__eigen(n, flat, values, vectors);
    if (!(values[0] > 0))
        return HUGE_VAL;
    for (int32_t e = 0; e < n; e++) {
        double along = 0;

        for (int32_t i = 0; i < n; i++)
            along += vectors[i * n + e] * v[i];
        sum += along * along / values[e];
    }
    return sum;
}

/* The largest variance of a parameter's logarithm that one customer of the story would
 * have, as if information were that of the pilot's customers; infinite: none. */
static double variance_of_one(const clv_story *story)
{
    clv_story s = *story;
    const cj__clv_model *model;
    double most = 0;
    clv_cohort c;
    clv_total total;
    cj__clv_rows rows;

    s.n = PILOT;
    s.seed = ~s.seed;
    ck_assert_int_eq(cj__clv_model_find(s.model, &model), CJ_OK);
    clv_simulate(&s, &c);
    rows = clv_cohort_rows(&c);
    clv_total_k(model, s.k, s.theta, &rows, &total);
    clv_cohort_end(&c);
    for (int32_t p = 0; p < model->n_params; p++) {
        for (int32_t q = 0; q < model->n_params; q++)
            total.hess[p][q] /= -PILOT;
    }
    for (int32_t p = 0; p < model->n_params; p++) {
        double unit[CJ__CLV_PARAMS] = {0};

        unit[p] = 1;
        most = fmax(most, distance(model->n_params, total.hess, unit));
    }
    return most;
}

static void count(const clv_story *s, const cj_clv *clv, tally *t)
{
    double v[CJ__CLV_PARAMS][CJ__CLV_PARAMS], away[CJ__CLV_PARAMS], d;
    const int32_t n = clv->n_free;

    for (int32_t p = 0; p < n; p++) {
        away[p] = log(clv->theta[p] / s->theta[p]);
        t->each[p] += fabs(away[p]) < 1.959964 * sqrt(clv->covariance[p][p]);
        for (int32_t q = 0; q < n; q++)
            v[p][q] = clv->covariance[p][q];
    }
    d = distance(n, v, away);
    t->n_params = n;
    t->trials++;
    t->whole += d < quantiles[n];
    t->distance += d;
    t->freedom += n;
    if (getenv("CJ_TEST_SHOW") != NULL)
        printf("n %lld: %.3f\n", (long long)s->n, d);
}

/* Customers who buy often and of whom many leave, so that a few thousand say when. */
static void story_drawn(clv_story *s, const char *model, int32_t k, uint64_t *dice)
{
    clv_story_draw(s, model, k, is_nightly() ? 10 : 3, dice);
    if (strcmp(model, "gammagamma") != 0)
        s->theta[1] /= BUSIER;
    if (strcmp(model, "paretonbd") == 0)
        s->theta[3] /= SHORTER;
}

/* Of the stories of a model those that are identified well enough. */
static void cover(const char *model, int32_t k, tally *t)
{
    const double max_n = is_nightly() ? 40000 : 10000;
    uint64_t dice = (uint64_t)k * 1000 + (uint8_t)model[0] + 256 * (uint8_t)model[1];

    for (int i = 0; i < t->stories; i += harness_stride(29)) {
        clv_story s = {0};
        clv_cohort c;
        cj_clv *clv;
        double se, n;

        story_drawn(&s, model, k, &dice);
        se = clv_dice_spread(&dice, SMALLEST, LARGEST);
        s.seed = (uint64_t)(clv_dice(&dice) * 0x1p63); /* far from the others' dice */
        n = ceil(variance_of_one(&s) / (se * se));
        if (!(n <= max_n))
            continue;
        s.n = (int64_t)n;
        clv_simulate(&s, &c);
        clv = clv_fit_cohort(&s, &c);
        ck_assert_msg(strcmp(clv_status(clv), "converged") == 0,
                      "%s, n %.0f, truth %g %g %g %g: %s, %g %g %g %g", model, n,
                      s.theta[0], s.theta[1], s.theta[2], s.theta[3], clv_status(clv),
                      clv->theta[0], clv->theta[1], clv->theta[2], clv->theta[3]);
        count(&s, clv, t);
        cj__clv_free(clv);
        clv_cohort_end(&c);
    }
}

/* ---- what must hold -------------------------------------------------------------- */

static void show(const char *what, const tally *t)
{
    printf("%s: %d of %d cohorts are identified, %d cover; by parameter", what,
           t->trials, t->stories, t->whole);
    for (int p = 0; p < t->n_params; p++)
        printf(" %d", t->each[p]);
    printf("; chi-square %.0f of %.0f\n", t->distance, t->freedom);
    fflush(stdout);
}

static void expect_95(const char *what, int covered, int trials)
{
    const double sd = sqrt(.95 * .05 * trials);

    ck_assert_msg(fabs(covered - .95 * trials) < SDS * sd + .5,
                  "%s: %d of %d cover, not 95 %%", what, covered, trials);
}

/* A covariance that is wrong by a factor changes the sum of chi-squares by it. */
static void expect_covers(const char *what, const tally *t)
{
    expect_95(what, t->whole, t->trials);
    for (int p = 0; p < t->n_params; p++)
        expect_95(what, t->each[p], t->trials);
    ck_assert_msg(fabs(t->distance - t->freedom) < SDS * sqrt(2 * t->freedom),
                  "%s: chi-squares are %.1f together, not %.0f", what, t->distance,
                  t->freedom);
}

START_TEST(regions_of_identified_cohorts_cover_the_truth)
{
    tally all = {0};

    for (int m = 0; m < N_MODELS; m++) {
        tally t = {.stories = models[m].n_stories * (is_nightly() ? 4 : 1)};

        cover(models[m].model, models[m].k, &t);
        show(models[m].model, &t);
        if (harness_stride(29) > 1)
            continue;
        ck_assert_int_ge(t.trials, 20);
        expect_covers(models[m].model, &t);
        all.stories += t.stories;
        all.trials += t.trials;
        all.whole += t.whole;
        all.distance += t.distance;
        all.freedom += t.freedom;
    }
    show("all", &all);
    if (harness_stride(29) > 1)
        return;
    expect_covers("all", &all);
}
END_TEST

/* q < 1: the mean is that of a few customers who spend millions of times as much. */
START_TEST(spend_without_a_mean_is_no_limit)
{
    const clv_story s = {
        .model = "gammagamma", .k = 1, .theta = {1.5, .2, 4},
                .n = 5000, .seed = 3
    };
    clv_cohort c;
    cj_clv *clv;

    clv_simulate(&s, &c);
    clv = clv_fit_cohort(&s, &c);
    ck_assert_str_eq(clv_status(clv), "converged");
    for (int p = 0; p < 3; p++)
        ck_assert(fabs(log(clv->theta[p] / s.theta[p])) <
                  4 * sqrt(clv->covariance[p][p]));
    cj__clv_free(clv);
    clv_cohort_end(&c);
}
END_TEST

HARNESS_MAIN("metrics_clv_coverage", regions_of_identified_cohorts_cover_the_truth,
             spend_without_a_mean_is_no_limit)
