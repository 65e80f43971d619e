/* Rows are cut into blocks, and those into chunks of one call of the model.  Within a
 * chunk four lanes are added up, chunks and blocks by a compensated sum in their order;
 * who works on which block does not matter.
 *
 * With covariates a row's parameters are theta_p exp(sum over g of effects[g][p]
 * c_g'z), so that rows of one pattern z share them, and by the chain rule the
 * derivative in a coefficient is effects[g][p] z_j times that in ln theta_p (Fader &
 * Hardie 2007, Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD
 * models). */
#include "metrics/clv_sum.h"

#include "base/limits.h"
#include "base/sum.h"
#include "base/tasks.h"

#include <math.h>
#include <string.h>

#define SUM_BLOCK ((int64_t)64 * CJ__CLV_CHUNK)      /* rows */
#define SUM_PATTERNS 4096                            /* of a block with covariates */
#define SUM_ONE (1 + CJ__CLV_PARAMS + CJ__CLV_PAIRS) /* numbers of a row */

typedef struct sum_scratch {
    double x[CJ__CLV_CHUNK], ll[CJ__CLV_CHUNK];
    double grad[CJ__CLV_PARAMS][CJ__CLV_CHUNK], hess[CJ__CLV_PAIRS][CJ__CLV_CHUNK];
} sum_scratch;

static int32_t sum_pairs(int32_t n)
{
    return n * (n + 1) / 2;
}

/* Numbers of a block: log-likelihood, weight, gradient, lower triangle. */
static size_t sum_width(const cj__clv_sum *s)
{
    return (size_t)(2 + s->n_free + sum_pairs(s->n_free));
}

/* ---- chunks
 * -------------------------------------------------------------------------- */

/* Rows [first, first + n) of one theta: adds to out[SUM_ONE] what `width` says. */
static void sum_rows(const cj__clv_sum *s, const cj__clv_at *at, int64_t first,
                     int64_t n, cj__sum *out)
{
    const cj__clv_groups *g = s->groups;
    const int32_t n_params = s->model->n_params, n_pairs = sum_pairs(n_params);
    sum_scratch scratch;

    for (int64_t end = first + n; first < end; first += CJ__CLV_CHUNK) {
        const int64_t m = end - first < CJ__CLV_CHUNK ? end - first : CJ__CLV_CHUNK;
        const double *weight = g->weight + first;
        const cj__clv_rows rows = {scratch.x, g->tx != NULL ? g->tx + first : NULL,
                                   g->t != NULL ? g->t + first : NULL,
                                   g->z != NULL ? g->z + first : NULL, m};

        for (int64_t i = 0; i < m; i++)
            scratch.x[i] = g->x[first + i];
        s->model->loglik(at, &rows, scratch.ll, scratch.grad, scratch.hess);
        cj__sum_add(&out[0], cj__lanes_product(weight, scratch.ll, m));
        for (int32_t p = 0; p < n_params; p++)
            cj__sum_add(&out[1 + p], cj__lanes_product(weight, scratch.grad[p], m));
        for (int32_t p = 0; p < n_pairs; p++)
            cj__sum_add(&out[1 + n_params + p],
                        cj__lanes_product(weight, scratch.hess[p], m));
    }
}

/* ---- covariates
 * ---------------------------------------------------------------------- */

/* Of a pattern: d ln theta_p / d y_j, a row of n_free per parameter. */
typedef struct sum_chain {
    double d[CJ__CLV_PARAMS][CJ__CLV_FREE];
} sum_chain;

static void sum_chain_of(const cj__clv_sum *s, int64_t pattern, sum_chain *chain)
{
    const cj__clv_groups *g = s->groups;
    const int64_t n = g->data->n_covariates;
    const double *z = g->data->covariates + (int64_t)g->who[pattern] * n;

    memset(chain, 0, sizeof *chain);
    for (int32_t p = 0; p < s->model->n_params; p++) {
        chain->d[p][p] = 1;
        for (int32_t e = 0; e < s->n_groups_of_effects; e++) {
            for (int64_t c = 0; c < n; c++)
                chain->d[p][s->model->n_params + e * n + c] =
                    s->model->effects[e][p] * (z[c] - g->centre[c]) / g->spread[c];
        }
    }
}

static void sum_chain_theta(const cj__clv_sum *s, const sum_chain *chain, double *theta)
{
    for (int32_t p = 0; p < s->model->n_params; p++) {
        double log_theta = 0;

        for (int32_t j = 0; j < s->n_free; j++)
            log_theta += chain->d[p][j] * s->y[j];
        theta[p] = exp(fmin(fmax(log_theta, -300), 300));
    }
}

static double sum_pair_of(const double *pairs, int32_t p, int32_t q)
{
    return p >= q ? pairs[sum_pairs(p) + q] : pairs[sum_pairs(q) + p];
}

/* d' H, then times d: the derivatives of one pattern in y. */
static void sum_chain_add(const cj__clv_sum *s, const sum_chain *chain,
                          const cj__sum *one, cj__sum *out)
{
    const int32_t n_params = s->model->n_params, n = s->n_free;
    double grad[CJ__CLV_PARAMS], pairs[CJ__CLV_PAIRS];

    for (int32_t p = 0; p < n_params; p++)
        grad[p] = cj__sum_of(&one[1 + p]);
    for (int32_t p = 0; p < sum_pairs(n_params); p++)
        pairs[p] = cj__sum_of(&one[1 + n_params + p]);
    cj__sum_add(&out[0], cj__sum_of(&one[0]));
    for (int32_t j = 0; j < n; j++) {
        double row[CJ__CLV_PARAMS] = {0}, gradient = 0;

        for (int32_t p = 0; p < n_params; p++) {
            gradient += chain->d[p][j] * grad[p];
            for (int32_t q = 0; q < n_params; q++)
                row[q] += chain->d[p][j] * sum_pair_of(pairs, p, q);
        }
        cj__sum_add(&out[2 + j], gradient);
        for (int32_t i = 0; i <= j; i++) {
            double h = 0;

            for (int32_t q = 0; q < n_params; q++)
                h += row[q] * chain->d[q][i];
            cj__sum_add(&out[2 + n + sum_pairs(j) + i], h);
        }
    }
}

/* A table per x pays where many rows share it. */
static int64_t sum_table(const cj__clv_groups *g, int64_t first, int64_t n)
{
    uint32_t max_x = 0;

    for (int64_t i = 0; i < n; i++)
        max_x = g->x[first + i] > max_x ? g->x[first + i] : max_x;
    return max_x < n ? max_x : n;
}

static void sum_pattern(const cj__clv_sum *s, int worker, int64_t pattern, cj__sum *out)
{
    const cj__clv_groups *g = s->groups;
    const int64_t first = g->first[pattern], n = g->first[pattern + 1] - first;
    cj__clv_at at = s->ats[worker]; /* shares the table */
    const int64_t table = sum_table(g, first, n);
    cj__sum one[SUM_ONE] = {
        {0, 0}
    };
    double theta[CJ__CLV_PARAMS];
    sum_chain chain;

    sum_chain_of(s, pattern, &chain);
    sum_chain_theta(s, &chain, theta);
    at.max_x = table < at.max_x ? table : at.max_x;
    cj__clv_at_turn(&at, theta);
    sum_rows(s, &at, first, n, one);
    sum_chain_add(s, &chain, one, out);
    cj__sum_add(&out[1], cj__sum_column(g->weight + first, n));
}

/* ---- blocks
 * -------------------------------------------------------------------------- */

static int64_t sum_n_blocks(const cj__clv_sum *s, int64_t n_rows)
{
    return s->groups->first != NULL
               ? (s->groups->n_patterns + SUM_PATTERNS - 1) / SUM_PATTERNS
               : (n_rows + SUM_BLOCK - 1) / SUM_BLOCK;
}

static int32_t sum_task(void *user, int worker, int64_t i)
{
    const cj__clv_sum *s = user;
    const cj__clv_groups *g = s->groups;
    cj__sum *out = (cj__sum *)s->blocks + (size_t)i * sum_width(s);

    if (g->first == NULL) {
        const int64_t first = i * SUM_BLOCK, left = s->n_rows - first;
        const int64_t n = left < SUM_BLOCK ? left : SUM_BLOCK;
        cj__sum one[SUM_ONE] = {
            {0, 0}
        };

        sum_rows(s, &s->ats[0], first, n, one);
        out[0] = one[0];
        cj__sum_add(&out[1], cj__sum_column(g->weight + first, n));
        memcpy(out + 2, one + 1, (sum_width(s) - 2) * sizeof *out);
        return CJ_OK;
    }
    for (int64_t p = i * SUM_PATTERNS; p < (i + 1) * SUM_PATTERNS; p++) {
        if (p < g->n_patterns && g->first[p] < s->n_rows)
            sum_pattern(s, worker, p, out);
    }
    return CJ_OK;
}

static void sum_unpack(const cj__clv_sum *s, const cj__sum *total, cj__clv_total *out)
{
    const int32_t n = s->n_free;

    out->loglik = cj__sum_of(&total[0]);
    out->weight = cj__sum_of(&total[1]);
    for (int32_t i = 0; i < n; i++) {
        out->gradient[i] = cj__sum_of(&total[2 + i]);
        for (int32_t j = 0; j <= i; j++)
            out->hessian[i * n + j] = out->hessian[j * n + i] =
                cj__sum_of(&total[2 + n + sum_pairs(i) + j]);
    }
}

void cj__clv_sum_at(cj__clv_sum *s, const double *y, cj__clv_total *out)
{
    const int64_t n_blocks = sum_n_blocks(s, s->n_rows);
    const size_t width = sum_width(s);
    cj__sum *blocks = s->blocks;

    s->y = y;
    memset(blocks, 0, s->blocks_bytes);
    if (s->groups->first == NULL) {
        double theta[CJ__CLV_PARAMS];

        for (int32_t p = 0; p < s->model->n_params; p++)
            theta[p] = exp(y[p]);
        cj__clv_at_turn(&s->ats[0], theta);
    }
    (void)cj__tasks_run(s->threads, n_blocks, sum_task, s); /* they cannot fail */
    for (int64_t b = 1; b < n_blocks; b++) {
        for (size_t i = 0; i < width; i++) {
            const cj__sum *from = &blocks[(size_t)b * width + i];

            cj__sum_add(&blocks[i], from->high);
            blocks[i].low += from->low;
        }
    }
    sum_unpack(s, blocks, out);
}

int32_t cj__clv_sum_begin(cj__clv_sum *s, const cj__clv_groups *groups,
                          const cj__clv_model *model, int32_t k, int32_t threads)
{
    const int is_plain = groups->first == NULL;
    int32_t rc = CJ_OK;

    memset(s, 0, sizeof *s);
    s->allocator = groups->allocator;
    s->model = model;
    s->groups = groups;
    s->k = k;
    s->threads = threads < 1                 ? 1
                 : threads < CJ__MAX_THREADS ? threads
                                             : CJ__MAX_THREADS;
    s->n_rows = groups->n;
    s->n_groups_of_effects = is_plain ? 0 : cj__clv_effect_groups(model);
    s->n_free =
        model->n_params + s->n_groups_of_effects * (int32_t)groups->data->n_covariates;
    s->blocks_bytes =
        (size_t)sum_n_blocks(s, groups->n) * sum_width(s) * sizeof(cj__sum);
    s->blocks = cj__alloc(s->allocator, s->blocks_bytes);
    if (s->blocks == NULL)
        return CJ_ENOMEM;
    s->ats = cj__alloc_zero(s->allocator, (size_t)s->threads * sizeof *s->ats);
    if (s->ats == NULL)
        return CJ_ENOMEM;
    for (int32_t i = 0; i < (is_plain ? 1 : s->threads) && rc == CJ_OK; i++) {
        rc = cj__clv_at_begin(&s->ats[i], s->allocator, model, k, groups->max_x);
        s->n_ats = i + 1;
    }
    return rc;
}

void cj__clv_sum_end(cj__clv_sum *s)
{
    if (s->allocator == NULL)
        return;
    for (int32_t i = 0; i < s->n_ats; i++)
        cj__clv_at_end(&s->ats[i]);
    cj__free(s->allocator, s->ats, (size_t)s->threads * sizeof *s->ats);
    cj__free(s->allocator, s->blocks, s->blocks_bytes);
    memset(s, 0, sizeof *s);
}
