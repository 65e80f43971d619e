/* Covariates: the sums against a slow one without chain rule, the truth found again in
 * simulated customers, and what a covariate cannot say. */
#include "metrics/clv_sum.h"

#include "clv_fits.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <string.h>

static const char *const models[] = {"nbd", "bgnbd", "mbgnbd", "paretonbd"};
enum { N_MODELS = 4 };

/* Customers of several kinds, whose parameters depend on z as the papers say. */
typedef struct kinds {
    clv_table t;
    double *z; /* two columns */
} kinds;

static const double truth[4][4] = {
    {.8, 30, 0,  0  },
    {.8, 30, .8, 2.5},
    {.8, 30, .8, 2.5},
    {.8, 30, .9, 60 }
};

static void kinds_make(kinds *k, int m, int64_t n, const double *purchase,
                       const double *dropout)
{
    const cj__clv_model *model;

    memset(k, 0, sizeof *k);
    ck_assert_int_eq(cj__clv_model_find(models[m], &model), CJ_OK);
    for (int kind = 0; kind < 6; kind++) {
        const double z[2] = {kind % 2, kind / 2 - 1};
        clv_story s = {.model = models[m],
                       .k = 1,
                       .n = n / 6,
                       .t_min = 100,
                       .t_max = 300,
                       .seed = (uint64_t)kind + 77};
        clv_cohort c;

        for (int p = 0; p < model->n_params; p++) {
            double log_theta = log(truth[m][p]);

            for (int j = 0; j < 2; j++)
                log_theta += z[j] * (model->effects[0][p] * purchase[j] +
                                     model->effects[1][p] * dropout[j]);
            s.theta[p] = exp(log_theta);
        }
        clv_simulate(&s, &c);
        for (int64_t i = 0; i < c.n; i++) {
            clv_table_add(&k->t, (double[4]){c.x[i], c.tx[i], c.t[i], 0});
            k->z = realloc(k->z, (size_t)k->t.n * 2 * sizeof *k->z);
            memcpy(k->z + 2 * (k->t.n - 1), z, sizeof z);
        }
        clv_cohort_end(&c);
    }
}

static void kinds_end(kinds *k)
{
    clv_table_end(&k->t);
    free(k->z);
}

static cj_clv *kinds_fit(const kinds *k, int m, int64_t n_covariates)
{
    const cj_clv_fit_options o = {.model = models[m], .unit_days = 1};
    cj_clv_data data = clv_table_data(&k->t);

    data.covariates = n_covariates > 0 ? k->z : NULL;
    data.n_covariates = n_covariates;
    return clv_fit(&data, &o);
}

/* The log-likelihood of a fit's parameters, customer by customer. */
static double slow_loglik(const kinds *k, const cj_clv *clv)
{
    double sum = 0, ll[CJ__CLV_CHUNK];
    cj__clv_at at;

    ck_assert_int_eq(cj__clv_at_begin(&at, clv_memory(), clv->model, 1, 0), CJ_OK);
    for (int64_t i = 0; i < k->t.n; i++) {
        const double x = (double)k->t.x[i];
        const cj__clv_rows row = {&x, &k->t.tx[i], &k->t.t[i], NULL, 1};
        double theta[CJ__CLV_PARAMS];

        cj__clv_theta_of(clv, k->z + 2 * i, theta);
        cj__clv_at_turn(&at, theta);
        clv->model->loglik(&at, &row, ll, NULL, NULL);
        sum += ll[0];
    }
    cj__clv_at_end(&at);
    return sum;
}

/* Nothing near the fit is more likely: it is the maximum, and its likelihood is right.
 */
START_TEST(test_covariates__a_maximum_customer_by_customer)
{
    static const double purchase[2] = {.5, -.3}, dropout[2] = {-.4, .6};

    for (int m = 0; m < N_MODELS; m++) {
        kinds k;
        cj_clv *clv;

        kinds_make(&k, m, 900, purchase, dropout);
        clv = kinds_fit(&k, m, 2);
        ck_assert_str_eq(clv_status(clv), "converged");
        ck_assert_int_eq(clv->n_free, m == 0 ? 4 : 8);
        ck_assert_double_eq_tol(slow_loglik(&k, clv) / clv->loglik, 1, 1e-12);
        for (int32_t i = 0; i < clv->n_free; i++) {
            for (int side = -1; side <= 1; side += 2) {
                cj_clv beside = *clv;

                if (i < clv->model->n_params)
                    beside.theta[i] *= 1 + side * .01;
                else
                    beside.coefficient[i - clv->model->n_params] += side * .01;
                ck_assert_msg(slow_loglik(&k, &beside) < clv->loglik, "%s, %d",
                              models[m], i);
            }
        }
        cj__clv_free(clv);
        kinds_end(&k);
    }
}
END_TEST

/* Derivatives of the sums against differences of their values. */
START_TEST(test_covariates__derivatives_of_the_sums)
{
    static const double purchase[2] = {.5, -.3}, dropout[2] = {-.4, .6};
    static cj__clv_total at, up, down;

    for (int m = 0; m < N_MODELS; m++) {
        double y[CJ__CLV_FREE] = {.1, -.2, .3, .4, .2, -.1, .3, .1};
        const cj__clv_model *model;
        cj__clv_groups g;
        cj__clv_sum s;
        cj_clv_data data;
        kinds k;

        kinds_make(&k, m, 300, purchase, dropout);
        data = clv_table_data(&k.t);
        data.covariates = k.z;
        data.n_covariates = 2;
        ck_assert_int_eq(cj__clv_model_find(models[m], &model), CJ_OK);
        ck_assert_int_eq(cj__clv_group(clv_memory(), model, &data, &g), CJ_OK);
        ck_assert_int_eq(cj__clv_sum_begin(&s, &g, model, 1, 1), CJ_OK);
        cj__clv_sum_at(&s, y, &at);
        for (int32_t i = 0; i < s.n_free; i++) {
            const double keep = y[i], step = 1e-5;

            y[i] = keep + step;
            cj__clv_sum_at(&s, y, &up);
            y[i] = keep - step;
            cj__clv_sum_at(&s, y, &down);
            y[i] = keep;
            ck_assert_double_eq_tol((up.loglik - down.loglik) / (2 * step),
                                    at.gradient[i], 1e-5 * (1 + fabs(at.gradient[i])));
            for (int32_t j = 0; j < s.n_free; j++)
                ck_assert_double_eq_tol(
                    (up.gradient[j] - down.gradient[j]) / (2 * step),
                    at.hessian[i * s.n_free + j],
                    1e-5 * (100 + fabs(at.hessian[i * s.n_free + j])));
        }
        cj__clv_sum_end(&s);
        cj__clv_groups_end(&g);
        kinds_end(&k);
    }
}
END_TEST

START_TEST(test_covariates__the_truth_is_found)
{
    static const double purchase[2] = {.5, -.3}, dropout[2] = {-.4, .6};

    for (int m = 0; m < N_MODELS; m++) {
        const double *const coefficients[2] = {purchase, dropout};
        kinds k;
        cj_clv *clv, *without;

        kinds_make(&k, m, 30000, purchase, dropout);
        clv = kinds_fit(&k, m, 2);
        without = kinds_fit(&k, m, 0);
        ck_assert_str_eq(clv_status(clv), "converged");
        ck_assert_double_gt(clv->loglik, without->loglik + 50);
        for (int32_t p = 0; p < clv->model->n_params; p++)
            ck_assert_double_lt(fabs(clv->theta[p] - truth[m][p]),
                                4 * cj__clv_std_error(clv, p));
        for (int32_t i = clv->model->n_params; i < clv->n_free; i++) {
            const int32_t c = i - clv->model->n_params;
            const double error = cj__clv_std_error(clv, i);

            ck_assert_double_lt(error, .2);
            ck_assert_double_lt(fabs(clv->coefficient[c] - coefficients[c / 2][c % 2]),
                                4 * error);
        }
        cj__clv_free(clv);
        cj__clv_free(without);
        kinds_end(&k);
    }
}
END_TEST

/* Years as they are, or counted from 2000: alpha differs, and nothing else. */
START_TEST(test_covariates__where_zero_is_does_not_matter)
{
    static const double purchase[2] = {.5, -.3}, dropout[2] = {-.4, .6};
    cj_clv *near, *far;
    kinds k;

    kinds_make(&k, 1, 3000, purchase, dropout);
    near = kinds_fit(&k, 1, 2);
    for (int64_t i = 0; i < k.t.n; i++)
        k.z[2 * i] = 2000 + 10 * k.z[2 * i];
    far = kinds_fit(&k, 1, 2);
    ck_assert_double_eq_tol(far->loglik / near->loglik, 1, 1e-12);
    ck_assert_double_eq_tol(far->coefficient[0] * 10 / near->coefficient[0], 1, 1e-7);
    ck_assert_double_eq_tol(far->coefficient[1] / near->coefficient[1], 1, 1e-7);
    ck_assert_double_eq_tol(cj__clv_std_error(far, 4) * 10 / cj__clv_std_error(near, 4),
                            1, 1e-7);
    cj__clv_free(near);
    cj__clv_free(far);
    kinds_end(&k);
}
END_TEST

/* Two columns that say the same: neither can be told. */
START_TEST(test_covariates__that_say_the_same)
{
    static const double purchase[2] = {.5, 0}, dropout[2] = {-.4, 0};
    cj_clv *clv;
    kinds k;

    kinds_make(&k, 1, 1200, purchase, dropout);
    for (int64_t i = 0; i < k.t.n; i++)
        k.z[2 * i + 1] = 3 - 2 * k.z[2 * i];
    clv = kinds_fit(&k, 1, 2);
    ck_assert_str_eq(clv_status(clv), "not_identified");
    ck_assert_int_eq(clv->has_covariance, 0);
    cj__clv_free(clv);
    kinds_end(&k);
}
END_TEST

/* The covariance of a customer's parameters is that of sums of logarithms. */
START_TEST(test_covariates__covariance_of_a_customer)
{
    static const double purchase[2] = {.5, -.3}, dropout[2] = {-.4, .6}, z[2] = {1, -1};
    double c[CJ__CLV_PARAMS][CJ__CLV_PARAMS], theta[CJ__CLV_PARAMS];
    cj_clv *clv;
    kinds k;

    kinds_make(&k, 1, 3000, purchase, dropout);
    clv = kinds_fit(&k, 1, 2);
    cj__clv_covariance_of(clv, NULL, c);
    for (int p = 0; p < 4; p++) {
        for (int q = 0; q < 4; q++)
            ck_assert(c[p][q] == clv->covariance[p][q]);
    }
    cj__clv_covariance_of(clv, z, c);
    ck_assert_double_eq_tol(c[1][1],
                            clv->covariance[1][1] + clv->covariance[4][4] +
                                clv->covariance[5][5] - 2 * clv->covariance[1][4] +
                                2 * clv->covariance[1][5] - 2 * clv->covariance[4][5],
                            1e-12);
    cj__clv_theta_of(clv, z, theta);
    ck_assert_double_eq_tol(theta[1] / clv->theta[1],
                            exp(-clv->coefficient[0] + clv->coefficient[1]), 1e-12);
    ck_assert_double_eq_tol(theta[3] / clv->theta[3],
                            exp(clv->coefficient[2] - clv->coefficient[3]), 1e-12);
    ck_assert(theta[0] == clv->theta[0]);
    cj__clv_free(clv);
    kinds_end(&k);
}
END_TEST

HARNESS_MAIN("metrics_clv_covariates", test_covariates__a_maximum_customer_by_customer,
             test_covariates__derivatives_of_the_sums,
             test_covariates__the_truth_is_found,
             test_covariates__where_zero_is_does_not_matter,
             test_covariates__that_say_the_same,
             test_covariates__covariance_of_a_customer)
