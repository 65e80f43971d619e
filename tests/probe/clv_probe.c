/* What the value models say, for second implementations to compare with.  One question
 * per line of standard input, numbers as C reads them:
 *
 *   model k  p1 p2 p3 p4  x tx t z  from until n delta
 *
 * (unused parameters: any number), and one line of answers with 17 digits:
 *
 *   loglik p_alive expected pmf dert expected_new(until) pmf_new(from, until, n)
 *
 * nan where the model has no such question; behind them, with the argument
 * "derivatives", the gradient and the Hessian's lower triangle in the logarithms of the
 * parameters. */
#include "metrics/clv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct probe_line {
    char model[32];
    int k;
    double theta[CJ__CLV_PARAMS], x, tx, t, z, from, until, n, delta;
} probe_line;

static int probe_read(probe_line *l)
{
    return scanf("%31s %d %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", l->model,
                 &l->k, &l->theta[0], &l->theta[1], &l->theta[2], &l->theta[3], &l->x,
                 &l->tx, &l->t, &l->z, &l->from, &l->until, &l->n, &l->delta) == 14;
}

static double probe_one(int32_t (*question)(const cj__clv_ask *, double *),
                        const cj__clv_ask *ask)
{
    double out = (double)NAN;

    if (question != NULL && question(ask, &out) != CJ_OK)
        exit(1);
    return out;
}

static void probe_loglik(const cj__clv_at *at, const cj__clv_rows *rows,
                         int derivatives)
{
    static double ll[CJ__CLV_CHUNK], grad[CJ__CLV_PARAMS][CJ__CLV_CHUNK],
        hess[CJ__CLV_PAIRS][CJ__CLV_CHUNK];
    const int n = at->model->n_params;

    at->model->loglik(at, rows, ll, derivatives ? grad : NULL,
                      derivatives ? hess : NULL);
    printf("%.17g", ll[0]);
    for (int i = 0; derivatives && i < n; i++)
        printf(" %.17g", grad[i][0]);
    for (int i = 0; derivatives && i < n * (n + 1) / 2; i++)
        printf(" %.17g", hess[i][0]);
}

static void probe_answers(const cj__clv_ask *ask)
{
    const cj__clv_model *m = ask->at->model;
    const double none = (double)NAN;

    printf(" %.17g %.17g %.17g %.17g", probe_one(m->p_alive, ask),
           probe_one(m->expected, ask), probe_one(m->pmf, ask),
           probe_one(m->dert, ask));
    printf(" %.17g %.17g\n",
           m->expected_new == NULL ? none : m->expected_new(ask->at, ask->until),
           m->pmf_new == NULL
               ? none
               : m->pmf_new(ask->at, ask->from, ask->until, ask->n_purchases));
}

int main(int argc, char **argv)
{
    const int derivatives = argc > 1 && strcmp(argv[1], "derivatives") == 0;
    cj__ctx context;
    probe_line l;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    while (probe_read(&l)) {
        const cj__clv_rows rows = {&l.x, &l.tx, &l.t, &l.z, 1};
        const cj__clv_model *model;
        cj__clv_at at;
        cj__clv_ask ask = {&at, &rows, l.from, l.until, (int64_t)l.n, l.delta, NULL};

        if (cj__clv_model_find(l.model, &model) != CJ_OK ||
            cj__clv_at_begin(&at, &context.allocator, model, l.k, (int64_t)l.x) !=
                CJ_OK) {
            fprintf(stderr, "%s: no such model\n", l.model);
            return 1;
        }
        cj__clv_at_turn(&at, l.theta);
        if (derivatives) {
            probe_loglik(&at, &rows, 1);
            printf("\n");
        } else {
            probe_loglik(&at, &rows, 0);
            probe_answers(&ask);
        }
        cj__clv_at_end(&at);
    }
    return 0;
}
