/* Fits of Pareto/NBD to simulated customers: worlds at the edge of what data can say
 * end with the name of that edge, likelihood is never below NBD's, and intervals hold
 * the truth as often as they should. */
#include "cjourney.h"
#include "clv_fits.h"
#include "clv_simulate.h"
#include "harness.h"

#include <math.h>
#include <string.h>

typedef struct world {
    const char *model;
    double theta[4]; /* days */
    int64_t n;
    uint64_t seed;
    const char *status; /* NULL: any but a failure */
} world;

static void simulate(const world *w, clv_table *out)
{
    const clv_story story = {
        .model = w->model,
        .k = 1,
        .theta = {w->theta[0], w->theta[1], w->theta[2], w->theta[3]},
        .n = w->n,
        .t_min = 189,
        .t_max = 273,
        .future = 1,
        .seed = w->seed
    };
    clv_cohort c;

    memset(out, 0, sizeof *out);
    clv_simulate(&story, &c);
    for (int64_t i = 0; i < c.n; i++) {
        const double row[4] = {c.x[i], c.tx[i], c.t[i], 0};

        clv_table_add(out, row);
    }
    clv_cohort_end(&c);
}

static cj_clv_fit_facts facts_of(const cj_clv *clv)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};

    ck_assert_int_eq(cj_clv_facts(clv, &facts), CJ_OK);
    return facts;
}

/* Of one parameter: is the truth within the 95 % interval of its logarithm? */
static int within(const cj_table *t, int32_t p, double truth)
{
    const double *estimate = NULL, *error = NULL;

    for (int64_t i = 0; i < cj_table_columns(t); i++) {
        if (strcmp(cj_table_name(t, i), "estimate") == 0)
            estimate = cj_table_double(t, i);
        if (strcmp(cj_table_name(t, i), "std_error") == 0)
            error = cj_table_double(t, i);
    }
    ck_assert(estimate != NULL && error != NULL);
    return fabs(log(estimate[p] / truth)) < 1.96 * error[p] / estimate[p];
}

/* ---- edges ------------------------------------------------------------------------
 */

static const world edges[] = {
    {"nbd",       {2, 60, 0, 0},        300,   1, "dropout_not_identified"},
    {"nbd",       {0.5, 40, 0, 0},      2000,  3, "dropout_not_identified"},
    {"paretonbd", {0.5, 70, 0.6, 80},   200,   3, "dropout_alike"         },
    {"paretonbd", {0.5, 70, 0.6, 80},   50,    1, "rates_alike"           },
    {"paretonbd", {0.05, 7, 0.6, 80},   2000,  1, "converged"             },
    {"paretonbd", {1, 1, 1, 1},         20000, 1, "converged"             },
    {"paretonbd", {10, 1, 0.1, 1},      2000,  1, "converged"             },
    {"bgnbd",     {0.25, 30, 0.8, 2.4}, 5000,  1, "converged"             },
    {"mbgnbd",    {0.5, 40, 0.9, 1.6},  5000,  1, "converged"             },
    {"paretonbd", {0.5, 70, 0.3, 3000}, 3000,  3, NULL                    },
    {"paretonbd", {0.5, 70, 50, 5000},  5000,  1, NULL                    },
    {"paretonbd", {0.1, 100, 5, 10},    50000, 2, NULL                    },
};

START_TEST(edges_have_names)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        clv_table t;
        cj_clv *clv, *nbd;

        simulate(&edges[i], &t);
        clv = clv_fit_model(&t, "paretonbd", 7);
        nbd = clv_fit_model(&t, "nbd", 7);
        if (edges[i].status != NULL)
            ck_assert_msg(strcmp(facts_of(clv).status, edges[i].status) == 0,
                          "world %zu ends with %s", i, facts_of(clv).status);
        ck_assert_msg(facts_of(clv).loglik >= facts_of(nbd).loglik - 1e-6,
                      "world %zu: NBD is better", i);
        ck_assert(facts_of(clv).gradient_norm < 1e-7);
        clv_expect_finite(clv);
        cj_clv_free(clv);
        cj_clv_free(nbd);
        clv_table_end(&t);
    }
}
END_TEST

/* Every limit of the model has words, and names one of its parameters. */
START_TEST(limits_are_well_formed)
{
    const cj__clv_model *m = &cj__clv_paretonbd;

    for (const cj__clv_limit *l = m->limits; l->status != NULL; l++) {
        ck_assert(l->param >= 0 && l->param < m->n_params);
        ck_assert(l->direction == 1 || l->direction == -1);
        ck_assert(strlen(l->text) > 20 && strlen(l->text) <= 100);
    }
}
END_TEST

/* ---- intervals --------------------------------------------------------------------
 */

/* 100 cohorts of 4 parameters, which depend on each other: 6 binomial deviations. */
START_TEST(intervals_cover_the_truth)
{
    int hits = 0, all = 0;

    for (int cohort = 0; cohort < 100; cohort += harness_stride(20)) {
        const world w = {
            "paretonbd", {0.8, 40, 1.2, 120},
             4000, (uint64_t)cohort + 500, NULL
        };
        cj_table *parameters = NULL;
        clv_table t;
        cj_clv *clv;

        simulate(&w, &t);
        clv = clv_fit_model(&t, "paretonbd", 1);
        ck_assert_str_eq(facts_of(clv).status, "converged");
        ck_assert_int_eq(cj_clv_parameters(clv, &parameters), CJ_OK);
        for (int32_t p = 0; p < 4; p++, all++)
            hits += within(parameters, p, w.theta[p]);
        cj_table_free(parameters);
        cj_clv_free(clv);
        clv_table_end(&t);
    }
    ck_assert_msg(fabs(hits - 0.95 * all) < 6 * sqrt(0.05 * 0.95 * all), "%d of %d",
                  hits, all);
}
END_TEST

/* ---- units ------------------------------------------------------------------------
 */

/* In days, weeks and seconds: the same r and s, alpha and beta in that unit. */
START_TEST(units_agree)
{
    static const double units[] = {7, 1.0 / 86400, 365.2425};
    const world w = {
        "paretonbd", {0.6, 50, 0.9, 90},
         1500, 8, NULL
    };
    clv_table t;
    cj_clv *days;

    simulate(&w, &t);
    days = clv_fit_model(&t, "paretonbd", 1);
    for (int i = 0; i < 3; i++) {
        cj_clv *other = clv_fit_model(&t, "paretonbd", units[i]);

        for (int p = 0; p < 4; p++)
            ck_assert_double_eq_tol(other->theta[p] * (p % 2 == 1 ? units[i] : 1) /
                                        days->theta[p],
                                    1, 1e-12);
        cj_clv_free(other);
    }
    cj_clv_free(days);
    clv_table_end(&t);
}
END_TEST

HARNESS_MAIN("clv_pareto_fit", edges_have_names, limits_are_well_formed,
             intervals_cover_the_truth, units_agree)
