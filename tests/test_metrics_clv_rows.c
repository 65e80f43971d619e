/* Grouping against a slow and obvious one: the same groups whatever the order, weights
 * that add up, an order that is that of the content, and fair samples. */
#include "metrics/clv_rows.h"

#include "base_memory.h"
#include "clv_fits.h"

#include <math.h>
#include <string.h>

static cj__clv_groups grouped(const char *name, const cj_clv_data *data)
{
    const cj__clv_model *model;
    cj__clv_groups g;

    ck_assert_int_eq(cj__clv_model_find(name, &model), CJ_OK);
    ck_assert_int_eq(cj__clv_group(clv_memory(), model, data, &g), CJ_OK);
    return g;
}

/* Few different rows, so that most of them are there often. */
static void diced(clv_table *t, int64_t n, uint64_t *dice)
{
    memset(t, 0, sizeof *t);
    for (int64_t i = 0; i < n; i++) {
        const double end = 10 + (double)(base_random(dice) % 4);
        const double x = (double)(base_random(dice) % 3);
        const double tx = x > 0 ? 1 + (double)(base_random(dice) % 3) : 0;

        clv_table_add(t, (double[4]){x, tx, end, 1 + (double)(base_random(dice) % 3)});
        t->weight[i] = (double)(base_random(dice) % 4);
        if (base_random(dice) % 4 == 0 && tx <= 0)
            t->tx[i] = -0.0;
    }
}

/* The weight of all customers that are as group i. */
static double weight_of(const cj__clv_groups *g, int64_t i)
{
    const cj_clv_data *d = g->data;
    double weight = 0;

    for (int64_t j = 0; j < d->n; j++) {
        const int same_spend = g->z == NULL || d->spend[j] / g->scale == g->z[i];
        const int same_t = g->t == NULL || d->t[j] / g->scale == g->t[i];
        const int same_tx = g->tx == NULL || fabs(d->tx[j]) / g->scale == g->tx[i];

        if (d->x[j] == (int64_t)g->x[i] && same_spend && same_t && same_tx)
            weight += d->weight[j];
    }
    return weight;
}

START_TEST(test_rows__groups_are_what_they_are)
{
    static const char *const models[] = {"bgnbd", "gammagamma"};
    uint64_t dice = 1;

    for (int turn = 0; turn < 60; turn++) {
        for (int m = 0; m < 2; m++) {
            clv_table t;
            cj_clv_data data;
            cj__clv_groups g;
            double sum = 0, expected = 0;

            diced(&t, 1 + (int64_t)(base_random(&dice) % 300), &dice);
            data = clv_table_data(&t);
            g = grouped(models[m], &data);
            for (int64_t i = 0; i < g.n; i++) {
                ck_assert(g.weight[i] > 0 && g.weight[i] == weight_of(&g, i));
                sum += g.weight[i];
            }
            for (int64_t i = 0; i < t.n; i++)
                expected += m == 1 && t.x[i] == 0 ? 0 : t.weight[i];
            ck_assert(sum == expected && g.n_customers == expected);
            cj__clv_groups_end(&g);
            clv_table_end(&t);
        }
    }
}
END_TEST

START_TEST(test_rows__order_is_of_the_content)
{
    uint64_t dice = 2;

    for (int turn = 0; turn < 20; turn++) {
        clv_table t;
        cj_clv_data data;
        cj__clv_groups a, b;

        diced(&t, 500, &dice);
        data = clv_table_data(&t);
        a = grouped("paretonbd", &data);
        clv_table_shuffle(&t, dice);
        b = grouped("paretonbd", &data);
        ck_assert_int_eq(a.n, b.n);
        ck_assert_mem_eq(a.x, b.x, (size_t)a.n * sizeof *a.x);
        ck_assert_mem_eq(a.tx, b.tx, (size_t)a.n * sizeof *a.tx);
        ck_assert_mem_eq(a.t, b.t, (size_t)a.n * sizeof *a.t);
        ck_assert_mem_eq(a.weight, b.weight, (size_t)a.n * sizeof *a.weight);
        ck_assert_mem_eq(&a.means, &b.means, sizeof a.means);
        cj__clv_groups_end(&a);
        cj__clv_groups_end(&b);
        clv_table_end(&t);
    }
}
END_TEST

/* So many that 32 bits of hash collide: 300,000 rows have ten pairs. */
START_TEST(test_rows__collisions_do_not_join_rows)
{
    const int64_t n = 300000;
    clv_table t = {0};
    cj_clv_data data;
    cj__clv_groups a, b;
    double last = 0;

    for (int64_t i = 0; i < n; i++)
        clv_table_add(&t, (double[4]){1, 1, 2 + (double)i, 0});
    data = clv_table_data(&t);
    a = grouped("bgnbd", &data);
    ck_assert_int_eq(a.n, n);
    clv_table_shuffle(&t, 4);
    for (int64_t i = 0; i < n;
         i++) /* each twice, half of them with the other's weight */
        t.weight[i] = 2;
    b = grouped("bgnbd", &data);
    ck_assert_int_eq(b.n, n);
    ck_assert_mem_eq(a.t, b.t, (size_t)n * sizeof *a.t);
    for (int64_t i = 0; i < n; i++)
        last += b.weight[i];
    ck_assert(last == 2.0 * (double)n);
    cj__clv_groups_end(&a);
    cj__clv_groups_end(&b);
    clv_table_end(&t);
}
END_TEST

START_TEST(test_rows__numbers_about_them)
{
    clv_table t = {0};
    cj_clv_data data;
    cj__clv_groups g;

    clv_table_add(&t, (double[4]){0, 0, 10, 0});
    clv_table_add(&t, (double[4]){2, 4, 20, 30});
    clv_table_add(&t, (double[4]){4, 15, 30, 50});
    t.weight[2] = 2;
    data = clv_table_data(&t);
    data.litt = t.litt;
    g = grouped("bgcnbd", &data);
    ck_assert(g.scale == 22.5 && g.n_customers == 4 && g.n_repeaters == 3);
    ck_assert(g.sum_x == 10 && g.max_x == 4);
    ck_assert_double_eq_tol(g.sum_litt, 2 * log(2) + 2 * 4 * log(15.0 / 4), 1e-10);
    ck_assert_double_eq_tol(g.means.t, 1, 1e-15);
    ck_assert_double_eq_tol(g.means.x, 2.5, 1e-15);
    ck_assert_double_eq_tol(g.means.x_variance, 2.75, 1e-15);
    ck_assert_double_eq_tol(g.means.tx, (4 + 2 * 15) / 4.0 / 22.5, 1e-15);
    ck_assert_double_eq_tol(g.means.repeat_ratio, .75, 1e-15);
    cj__clv_groups_end(&g);
    g = grouped("gammagamma", &data);
    ck_assert_int_eq(g.n, 2);
    ck_assert_double_eq_tol(g.scale, cbrt(30. * 50 * 50), 1e-13); /* geometric */
    cj__clv_groups_end(&g);
    clv_table_end(&t);
}
END_TEST

/* Rows of one pattern lie together, and patterns are what the covariates say. */
START_TEST(test_rows__patterns)
{
    enum { N = 400 };
    uint64_t dice = 6;
    double z[2 * N];
    clv_table t;
    cj_clv_data data;
    cj__clv_groups g;
    double weight[9] = {0}, wanted[9] = {0};

    diced(&t, N, &dice);
    for (int i = 0; i < 2 * N; i++)
        z[i] = (double)(base_random(&dice) % 3);
    data = clv_table_data(&t);
    data.covariates = z;
    data.n_covariates = 2;
    g = grouped("bgnbd", &data);
    ck_assert_int_eq(g.n_patterns, 9);
    ck_assert_int_eq(g.first[0], 0);
    ck_assert_int_eq(g.first[9], g.n);
    for (int64_t i = 0; i < N; i++)
        wanted[(int)(z[2 * i] * 3 + z[2 * i + 1])] += t.weight[i];
    for (int64_t p = 0; p < 9; p++) {
        const double *at = &z[2 * g.who[p]];

        for (uint32_t i = g.first[p]; i < g.first[p + 1]; i++)
            weight[(int)(at[0] * 3 + at[1])] += g.weight[i];
    }
    ck_assert_mem_eq(weight, wanted, sizeof weight);
    ck_assert_double_eq_tol(g.centre[0], 1, .2);
    ck_assert_double_eq_tol(g.spread[0], sqrt(2 / 3.0), .1);
    cj__clv_groups_end(&g);
    clv_table_end(&t);
}
END_TEST

/* A sample has the customers it should have, spread as all of them. */
START_TEST(test_rows__samples_are_fair)
{
    clv_table t = {0};
    cj_clv_data data;
    cj__clv_groups g, s;
    double sum = 0, zeros = 0;

    for (int i = 0; i < 3000; i++) {
        clv_table_add(&t, (double[4]){i % 3, i % 3 > 0 ? 1 : 0, 2 + i, 0});
        t.weight[i] = i % 3 == 0 ? 100 : 1; /* heavy groups of x = 0 */
    }
    data = clv_table_data(&t);
    g = grouped("nbd", &data);
    ck_assert_int_eq(cj__clv_groups_sample(&g, 6800, &s), CJ_OK);
    for (int64_t i = 0; i < s.n; i++) {
        sum += s.weight[i];
        zeros += s.x[i] == 0 ? s.weight[i] : 0;
    }
    ck_assert_double_eq_tol(sum, 6800, 1.5);
    ck_assert_double_eq_tol(zeros / sum, 100 / 102.0, .003);
    cj__clv_groups_end(&s);
    cj__clv_groups_end(&g);
    clv_table_end(&t);
}
END_TEST

static int32_t call_group(const cj__allocator *a)
{
    static const double z[3] = {1, 2, 2};
    const cj__clv_model *model;
    clv_table t = {0};
    cj__clv_groups g, s = {0};
    cj_clv_data data;
    int32_t rc;

    for (int i = 0; i < 3; i++)
        clv_table_add(&t, (double[4]){i, i, 10, 0});
    data = clv_table_data(&t);
    data.covariates = z;
    data.n_covariates = 1;
    ck_assert_int_eq(cj__clv_model_find("bgnbd", &model), CJ_OK);
    rc = cj__clv_group(a, model, &data, &g);
    cj__clv_groups_end(&g);
    data.n_covariates = 0;
    if (rc == CJ_OK)
        rc = cj__clv_group(a, model, &data, &g);
    if (rc == CJ_OK)
        rc = cj__clv_groups_sample(&g, 2, &s);
    cj__clv_groups_end(&s);
    cj__clv_groups_end(&g);
    clv_table_end(&t);
    return rc;
}

START_TEST(test_rows__no_memory)
{
    base_memory_faults(call_group);
}
END_TEST

HARNESS_MAIN("metrics_clv_rows", test_rows__groups_are_what_they_are,
             test_rows__order_is_of_the_content, test_rows__collisions_do_not_join_rows,
             test_rows__numbers_about_them, test_rows__patterns,
             test_rows__samples_are_fair, test_rows__no_memory)
