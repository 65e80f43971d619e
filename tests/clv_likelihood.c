/* See clv_likelihood.h. */
#include "clv_likelihood.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t begin(cj__clv_at *at, const cj__clv_model *model, int32_t k,
                     const double *theta, const cj__clv_rows *rows)
{
    static cj__ctx context;
    double max_x = 0;
    int32_t rc;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    for (int64_t i = 0; i < rows->n; i++)
        max_x = fmax(max_x, rows->x[i]);
    rc = cj__clv_at_begin(at, &context.allocator, model, k, (int64_t)max_x);
    cj__clv_at_turn(at, theta);
    return rc;
}

static cj__clv_rows rows_from(const cj__clv_rows *rows, int64_t from)
{
    cj__clv_rows r = *rows;

    r.x += from;
    r.tx = r.tx == NULL ? NULL : r.tx + from;
    r.t = r.t == NULL ? NULL : r.t + from;
    r.z = r.z == NULL ? NULL : r.z + from;
    r.n = rows->n - from < CJ__CLV_CHUNK ? rows->n - from : CJ__CLV_CHUNK;
    return r;
}

static void total_of(cj__clv_at *at, const cj__clv_rows *rows, const double *weight,
                     clv_total *out)
{
    static double ll[CJ__CLV_CHUNK], grad[CJ__CLV_PARAMS][CJ__CLV_CHUNK],
        hess[CJ__CLV_PAIRS][CJ__CLV_CHUNK];
    const cj__clv_model *model = at->model;

    memset(out, 0, sizeof *out);
    for (int64_t from = 0; from < rows->n; from += CJ__CLV_CHUNK) {
        const cj__clv_rows chunk = rows_from(rows, from);

        model->loglik(at, &chunk, ll, grad, hess);
        for (int64_t i = 0; i < chunk.n; i++) {
            const double w = weight == NULL ? 1 : weight[from + i];

            out->ll += w * ll[i];
            for (int p = 0, pair = 0; p < model->n_params; p++) {
                out->grad[p] += w * grad[p][i];
                for (int q = 0; q <= p; q++, pair++)
                    out->hess[p][q] += w * hess[pair][i];
            }
        }
    }
    for (int p = 0; p < model->n_params; p++) {
        for (int q = p + 1; q < model->n_params; q++)
            out->hess[p][q] = out->hess[q][p];
    }
}

void clv_total_at(const cj__clv_model *model, const double *theta,
                  const cj__clv_rows *rows, const double *weight, clv_total *out)
{
    cj__clv_at at;

    ck_assert_int_eq(begin(&at, model, 1, theta, rows), CJ_OK);
    total_of(&at, rows, weight, out);
    cj__clv_at_end(&at);
}

void clv_total_k(const cj__clv_model *model, int32_t k, const double *theta,
                 const cj__clv_rows *rows, clv_total *out)
{
    cj__clv_at at;

    ck_assert_int_eq(begin(&at, model, k, theta, rows), CJ_OK);
    total_of(&at, rows, NULL, out);
    cj__clv_at_end(&at);
}

/* Solves (ridge - hess) x = b for several b at once by Gauss-Jordan; 0: not definite.
 */
static int solve(const clv_total *total, int n, double ridge, int n_b,
                 double b[][CJ__CLV_PARAMS])
{
    double a[CJ__CLV_PARAMS][CJ__CLV_PARAMS];

    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            a[i][j] = (i == j ? ridge : 0) - total->hess[i][j];
    }
    for (int i = 0; i < n; i++) {
        const double pivot = a[i][i];

        if (!(pivot > 0))
            return 0;
        for (int j = 0; j < n; j++)
            a[i][j] /= pivot;
        for (int k = 0; k < n_b; k++)
            b[k][i] /= pivot;
        for (int row = 0; row < n; row++) {
            const double factor = a[row][i];

            if (row == i)
                continue;
            for (int j = 0; j < n; j++)
                a[row][j] -= factor * a[i][j];
            for (int k = 0; k < n_b; k++)
                b[k][row] -= factor * b[k][i];
        }
    }
    return 1;
}

void clv_newton(const cj__clv_model *model, const cj__clv_rows *rows,
                const double *weight, double *theta, clv_total *out)
{
    double ridge = 0;

    clv_total_at(model, theta, rows, weight, out);
    for (int step = 0; step < 200; step++) {
        const int n = model->n_params;
        double move[1][CJ__CLV_PARAMS], next[CJ__CLV_PARAMS], size = 0;
        clv_total there;

        memcpy(move[0], out->grad, sizeof move[0]);
        if (!solve(out, n, ridge, 1, move)) {
            ridge = 4 * ridge + 1;
            continue;
        }
        for (int p = 0; p < n; p++)
            size = fmax(size, fabs(move[0][p]));
        for (int p = 0; p < n; p++)
            next[p] = theta[p] * exp(move[0][p] / fmax(1, size));
        clv_total_at(model, next, rows, weight, &there);
        if (size < 1e-9)
            return;
        if (!(there.ll > out->ll - 1e-9)) {
            ridge = 4 * ridge + 1;
            continue;
        }
        memcpy(theta, next, (size_t)n * sizeof *next);
        *out = there;
        ridge /= 8;
    }
    ck_abort_msg("%s: no maximum", model->name);
}

void clv_std_errors(const cj__clv_model *model, const double *theta,
                    const clv_total *total, double *out)
{
    double inverse[CJ__CLV_PARAMS][CJ__CLV_PARAMS] = {
        {1, 0, 0, 0},
        {0, 1, 0, 0},
        {0, 0, 1, 0},
        {0, 0, 0, 1}
    };

    ck_assert(solve(total, model->n_params, 0, model->n_params, inverse));
    for (int p = 0; p < model->n_params; p++)
        out[p] = theta[p] * sqrt(inverse[p][p]);
}

static void expect_slope(const char *what, const double *f, double step, double got,
                         double tolerance)
{
    /* f at -2, -1, 1, 2 steps */
    const double want = (f[0] - f[3] + 8 * (f[2] - f[1])) / (12 * step);
    const double size = fmax(fabs(got), fabs(f[0]) + 1e-3);

    ck_assert_msg(fabs(got - want) <= tolerance * size, "%s: %.12g, difference %.12g",
                  what, got, want);
}

void clv_check_derivatives(const cj__clv_model *model, const double *theta,
                           const cj__clv_rows *rows, double tolerance)
{
    static const double places[4] = {-2, -1, 1, 2};
    const double step = 1e-3;

    for (int64_t i = 0; i < rows->n; i++) {
        cj__clv_rows row = rows_from(rows, i);
        clv_total here, near[4];

        row.n = 1;
        clv_total_at(model, theta, &row, NULL, &here);
        for (int p = 0; p < model->n_params; p++) {
            double f[4], moved[CJ__CLV_PARAMS];

            memcpy(moved, theta, sizeof moved);
            for (int k = 0; k < 4; k++) {
                moved[p] = theta[p] * exp(places[k] * step);
                clv_total_at(model, moved, &row, NULL, &near[k]);
                f[k] = near[k].ll;
            }
            expect_slope(model->params[p], f, step, here.grad[p], tolerance);
            for (int q = 0; q < model->n_params; q++) {
                for (int k = 0; k < 4; k++)
                    f[k] = near[k].grad[q];
                expect_slope(model->params[p], f, step, here.hess[p][q], tolerance);
            }
        }
    }
}

double clv_loglik(const cj__clv_model *model, const double *theta, clv_customer who)
{
    const cj__clv_rows rows = {&who.x, &who.tx, &who.t, &who.z, 1};
    cj__clv_at at;
    double ll;

    ck_assert_int_eq(begin(&at, model, 1, theta, &rows), CJ_OK);
    model->loglik(&at, &rows, &ll, NULL, NULL);
    cj__clv_at_end(&at);
    return ll;
}

double clv_answer(clv_question question, const cj__clv_model *model,
                  const double *theta, clv_customer who, cj__clv_ask ask)
{
    const cj__clv_rows rows = {&who.x, &who.tx, &who.t, &who.z, 1};
    cj__clv_at at;
    double out;

    ck_assert_int_eq(begin(&at, model, 1, theta, &rows), CJ_OK);
    ask.at = &at;
    ask.rows = &rows;
    ck_assert_int_eq(question(&ask, &out), CJ_OK);
    cj__clv_at_end(&at);
    return out;
}

double clv_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return ((double)(*state >> 11) + 0.5) * 0x1p-53;
}

double clv_random_log(uint64_t *state, double low, double high)
{
    return low * exp(clv_random(state) * log(high / low));
}

int64_t clv_read(const char *name, int n_columns, const int *places, int64_t max,
                 double **columns)
{
    const char *data = getenv("CJ_TEST_DATA");
    char path[4096], line[512];
    int64_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/clv/%s", data == NULL ? "../shared/data" : data,
             name);
    f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof line, f) == NULL) {
        fprintf(stderr, "SKIPPED: %s is not there; set CJ_TEST_DATA\n", path);
        return 0;
    }
    while (n < max && fgets(line, sizeof line, f) != NULL) {
        for (int c = 0; c < n_columns; c++) {
            const char *at = line;

            for (int skip = 0; skip < places[c]; skip++)
                at = strchr(at, ',') + 1;
            columns[c][n] = strtod(at, NULL);
        }
        n++;
    }
    fclose(f);
    return n;
}
