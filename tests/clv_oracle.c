/* Reads the reference numbers; sums likelihoods plainly, row by row. */
#include "clv_oracle.h"
#include "messages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

FILE *clv_oracle_open(const char *name)
{
    char path[512], heading[512];
    const char *found = messages_data(name, path, sizeof path);
    FILE *file = found == NULL ? NULL : fopen(found, "r");

    if (file != NULL && fgets(heading, sizeof heading, file) == NULL) {
        fclose(file);
        return NULL;
    }
    return file;
}

int clv_oracle_line(FILE *file, double *numbers, int n)
{
    char line[512], *at = line;

    if (fgets(line, sizeof line, file) == NULL)
        return 0;
    for (int i = 0; i < n; i++, at++)
        numbers[i] = strtod(at, &at);
    return 1;
}

clv_point clv_point_of(const cj__clv_at *at, double x, double tx, double t)
{
    static double ll[CJ__CLV_CHUNK], grad[CJ__CLV_PARAMS][CJ__CLV_CHUNK],
        hess[CJ__CLV_PAIRS][CJ__CLV_CHUNK];
    const cj__clv_rows rows = {.x = &x, .tx = &tx, .t = &t, .n = 1};
    clv_point p;

    at->model->loglik(at, &rows, ll, grad, hess);
    p.ll = ll[0];
    for (int i = 0; i < CJ__CLV_PARAMS; i++)
        p.grad[i] = grad[i][0];
    for (int i = 0; i < CJ__CLV_PAIRS; i++)
        p.hess[i] = hess[i][0];
    return p;
}

int clv_point_cdnow(const cj__clv_at *at, double days, clv_point *out)
{
    FILE *file = clv_oracle_open("clv/cdnow_cbs_days.csv");
    double v[4]; /* id, x, tx, T */

    memset(out, 0, sizeof *out);
    if (file == NULL)
        return 0;
    while (clv_oracle_line(file, v, 4)) {
        const clv_point p = clv_point_of(at, v[1], v[2] / days, v[3] / days);

        out->ll += p.ll;
        for (int i = 0; i < CJ__CLV_PARAMS; i++)
            out->grad[i] += p.grad[i];
        for (int i = 0; i < CJ__CLV_PAIRS; i++)
            out->hess[i] += p.hess[i];
    }
    fclose(file);
    return 1;
}

double clv_point_error(const clv_point *point, const double *theta, int n, int p)
{
    double m[CJ__CLV_PARAMS][CJ__CLV_PARAMS], y[CJ__CLV_PARAMS] = {0};

    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            m[i][j] = m[j][i] = -point->hess[i * (i + 1) / 2 + j];
    y[p] = 1; /* Gauss-Jordan: the p-th column of the inverse */
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            const double f = m[k][i] / m[i][i];

            if (k == i)
                continue;
            for (int j = 0; j < n; j++)
                m[k][j] -= f * m[i][j];
            y[k] -= f * y[i];
        }
    }
    return theta[p] * sqrt(y[p] / m[p][p]);
}
