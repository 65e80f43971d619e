/* See clv_fits.h. */
#include "clv_fits.h"

#include "clv_oracle.h"
#include "clv_simulate.h"
#include "random_rows.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fits_grow(clv_table *t)
{
    t->room = t->room == 0 ? 64 : 2 * t->room;
    t->x = realloc(t->x, (size_t)t->room * sizeof *t->x);
    t->tx = realloc(t->tx, (size_t)t->room * sizeof *t->tx);
    t->t = realloc(t->t, (size_t)t->room * sizeof *t->t);
    t->spend = realloc(t->spend, (size_t)t->room * sizeof *t->spend);
    t->weight = realloc(t->weight, (size_t)t->room * sizeof *t->weight);
    t->litt = realloc(t->litt, (size_t)t->room * sizeof *t->litt);
}

void clv_table_add(clv_table *t, const double row[4])
{
    if (t->n == t->room)
        fits_grow(t);
    t->x[t->n] = (int64_t)row[0];
    t->tx[t->n] = row[1];
    t->t[t->n] = row[2];
    t->spend[t->n] = row[3];
    t->weight[t->n] = 1;
    t->litt[t->n] = row[0] > 0 ? row[0] * log(row[1] / row[0]) : 0;
    t->n++;
}

void clv_table_end(clv_table *t)
{
    free(t->x);
    free(t->tx);
    free(t->t);
    free(t->spend);
    free(t->weight);
    free(t->litt);
    memset(t, 0, sizeof *t);
}

int clv_table_cdnow(clv_table *t)
{
    FILE *file = clv_oracle_open("clv/cdnow_cbs_days.csv");
    double v[5];

    memset(t, 0, sizeof *t);
    if (file == NULL)
        return 0;
    while (clv_oracle_line(file, v, 5)) /* id, x, tx, T, zbar */
        clv_table_add(t, v + 1);
    fclose(file);
    return 1;
}

cj_clv_data clv_table_data(const clv_table *t)
{
    return (cj_clv_data){.struct_size = (int64_t)sizeof(cj_clv_data),
                         .n = t->n,
                         .x = t->x,
                         .tx = t->tx,
                         .t = t->t,
                         .spend = t->spend,
                         .weight = t->weight};
}

#define FITS_SWAP(column)                                                              \
    do {                                                                               \
        const double keep = (double)t->column[i];                                      \
        t->column[i] = t->column[j];                                                   \
        memcpy(&t->column[j],                                                          \
               &(__typeof__(t->column[j])){(__typeof__(t->column[j]))keep},            \
               sizeof t->column[j]);                                                   \
    } while (0)

void clv_table_shuffle(clv_table *t, uint64_t seed)
{
    random_rows dice = {seed, NULL};

    for (int64_t i = t->n - 1; i > 0; i--) {
        const int64_t j = (int64_t)(random_next(&dice) % (uint64_t)(i + 1));

        FITS_SWAP(x);
        FITS_SWAP(tx);
        FITS_SWAP(t);
        FITS_SWAP(spend);
        FITS_SWAP(weight);
        FITS_SWAP(litt);
    }
}

const cj__allocator *clv_memory(void)
{
    static cj__ctx context;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    return &context.allocator;
}

cj_clv *clv_fit(const cj_clv_data *data, const cj_clv_fit_options *opts)
{
    cj_clv *clv = NULL;
    const int32_t rc = cj__clv_fit(clv_memory(), data, opts, &clv);

    ck_assert_msg(rc == CJ_OK, "%s", cj__error_text());
    ck_assert_ptr_nonnull(clv);
    clv_expect_finite(clv);
    return clv;
}

cj_clv *clv_fit_model(const clv_table *t, const char *model, double unit_days)
{
    const cj_clv_data data = clv_table_data(t);
    const cj_clv_fit_options opts = {.model = model, .unit_days = unit_days, .k = 1};

    return clv_fit(&data, &opts);
}

cj_clv *clv_fit_cohort(const clv_story *s, const clv_cohort *c)
{
    const cj_clv_fit_options o = {.model = s->model, .k = s->k};
    int64_t *x = malloc((size_t)c->n * sizeof *x);
    const cj_clv_data data = {
        .n = c->n, .x = x, .tx = c->tx, .t = c->t, .litt = c->litt, .spend = c->litt};
    cj_clv *clv;

    for (int64_t i = 0; i < c->n; i++)
        x[i] = (int64_t)c->x[i];
    clv = clv_fit(&data, &o);
    free(x);
    return clv;
}

const char *clv_status(const cj_clv *clv)
{
    return clv->status.name;
}

void clv_expect_same(const cj_clv *a, const cj_clv *b)
{
    ck_assert_str_eq(a->status.name, b->status.name);
    ck_assert_int_eq(a->k, b->k);
    ck_assert_int_eq(a->n_free, b->n_free);
    ck_assert_int_eq(a->n_groups, b->n_groups);
    ck_assert_int_eq(a->n_iterations, b->n_iterations);
    ck_assert_mem_eq(a->theta, b->theta, sizeof a->theta);
    ck_assert_mem_eq(a->coefficient, b->coefficient, sizeof a->coefficient);
    ck_assert_mem_eq(a->covariance, b->covariance, sizeof a->covariance);
    ck_assert_mem_eq(a->held, b->held, sizeof a->held);
    ck_assert_mem_eq(&a->n_customers, &b->n_customers, sizeof a->n_customers);
    ck_assert_mem_eq(&a->n_repeaters, &b->n_repeaters, sizeof a->n_repeaters);
    ck_assert_mem_eq(&a->loglik, &b->loglik, sizeof a->loglik);
    ck_assert_mem_eq(&a->gradient_norm, &b->gradient_norm, sizeof a->loglik);
    ck_assert_mem_eq(&a->condition, &b->condition, sizeof a->loglik);
}

void clv_expect_finite(const cj_clv *clv)
{
    ck_assert_ptr_nonnull(clv->status.name);
    ck_assert_ptr_nonnull(clv->status.text);
    ck_assert(isfinite(clv->loglik) && isfinite(clv->gradient_norm));
    ck_assert(isfinite(clv->condition) && clv->condition >= 0);
    for (int32_t i = 0; i < clv->n_free; i++) {
        ck_assert_msg(isfinite(cj__clv_estimate(clv, i)), "%s: parameter %d",
                      clv->status.name, i);
        ck_assert(i >= clv->model->n_params || clv->theta[i] > 0);
        for (int32_t j = 0; j < clv->n_free; j++)
            ck_assert(isfinite(clv->covariance[i][j]));
    }
}
