/* BG/NBD and MBG/NBD against the reference numbers (CJ_TEST_DATA, clv/oracle): every
 * likelihood, P(alive) and forecast, and the maxima with their standard errors by
 * summing over the CDNOW customers.  Properties: test_metrics_clv_bg.c. */
#include "metrics/clv_bg.h"

#include "harness.h"
#include "messages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double cdnow[] = {0.242594522430157, 4.4136020190135, 0.792922017225598,
                               2.42590677682633};
static cj__ctx context;

static void begin(cj__clv_at *at, const cj__clv_model *model, const double *theta)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__clv_at_begin(at, &context.allocator, model, 1, 1000), CJ_OK);
    cj__clv_at_turn(at, theta);
}

/* The file's lines behind its heading; NULL (and a loud line) without the data. */
static FILE *oracle_open(const char *name)
{
    char path[512], line[512];
    const char *found = messages_data(name, path, sizeof path);
    FILE *file = found == NULL ? NULL : fopen(found, "r");

    if (file != NULL)
        ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    return file;
}

/* The numbers of one line, up to n; 0 at the end. */
static int oracle_line(FILE *file, double *numbers, int n)
{
    char line[512], *at = line;

    if (fgets(line, sizeof line, file) == NULL)
        return 0;
    for (int i = 0; i < n; i++, at++)
        numbers[i] = strtod(at, &at);
    return 1;
}

/* Relative; below the smallest double both are 0. */
static void expect_near(const char *what, double value, double wanted, double within)
{
    ck_assert_msg(fabs(value - wanted) <= within * fabs(wanted) + 1e-300,
                  "%s: %.15g instead of %.15g", what, value, wanted);
}

/* ---- the likelihood -------------------------------------------------------------- */

static double ll[CJ__CLV_CHUNK], grad[4][CJ__CLV_CHUNK], hess[10][CJ__CLV_CHUNK];

static double loglik(const cj__clv_at *at, double x, double tx, double t)
{
    const cj__clv_rows rows = {&x, &tx, &t, NULL, 1};

    at->model->loglik(at, &rows, ll, NULL, NULL);
    return ll[0];
}

/* Sums over the CDNOW customers; days is the unit of time. */
typedef struct totals {
    double ll, grad[4], hess[10];
} totals;

static void totals_of(const cj__clv_at *at, FILE *file, double days, totals *out)
{
    double v[4];

    memset(out, 0, sizeof *out);
    while (oracle_line(file, v, 4)) { /* id, x, tx, T */
        const double tx = v[2] / days, t = v[3] / days;
        const cj__clv_rows rows = {&v[1], &tx, &t, NULL, 1};

        at->model->loglik(at, &rows, ll, grad, hess);
        out->ll += ll[0];
        for (int p = 0; p < 4; p++)
            out->grad[p] += grad[p][0];
        for (int p = 0; p < 10; p++)
            out->hess[p] += hess[p][0];
    }
}

/* Standard error of ln theta[p]: root of the p-th diagonal number of (-H)^-1, by
 * Gauss-Jordan. */
static double std_error(const double *hess10, int p)
{
    double m[4][4], y[4] = {0};

    for (int i = 0; i < 4; i++)
        for (int j = 0; j <= i; j++)
            m[i][j] = m[j][i] = -hess10[i * (i + 1) / 2 + j];
    y[p] = 1;
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 4; k++) {
            const double f = m[k][i] / m[i][i];

            if (k == i)
                continue;
            for (int j = 0; j < 4; j++)
                m[k][j] -= f * m[i][j];
            y[k] -= f * y[i];
        }
    }
    return sqrt(y[p] / m[p][p]);
}

typedef struct maximum {
    const cj__clv_model *model;
    double days, ll, theta[4], se[4];
} maximum;

static const maximum maxima[] = {
    {&cj__clv_bgnbd,
     7, -9582.42920667393063,
     {0.242594522430157, 4.4136020190135, 0.792922017225598, 2.42590677682633},
     {0.0125573780679, 0.378224059854, 0.185733821372, 0.705414259795}},
    {&cj__clv_bgnbd,
     1, -14363.5304429028354,
     {0.242594522430157, 30.8952141330945, 0.792922017225598, 2.42590677682633},
     {0.0125573780679, 2.64756841898, 0.185733821372, 0.705414259795} },
    {&cj__clv_mbgnbd,
     7, -9582.13571555374954,
     {0.524843159106298, 6.183085279576, 0.891359390732216, 1.61400224017034},
     {0.0832682065801, 0.695620642511, 0.154789927778, 0.537494798242}},
};

START_TEST(the_maxima_are_where_they_were_published)
{
    for (const maximum *m = maxima; m < maxima + 3; m++) {
        FILE *file = oracle_open("clv/cdnow_cbs_days.csv");
        cj__clv_at at;
        totals sum;

        if (file == NULL)
            return;
        begin(&at, m->model, m->theta);
        totals_of(&at, file, m->days, &sum);
        expect_near("log-likelihood", sum.ll, m->ll, 1e-13);
        for (int p = 0; p < 4; p++) {
            ck_assert_double_lt(fabs(sum.grad[p]), 1e-9);
            expect_near("standard error", m->theta[p] * std_error(sum.hess, p),
                        m->se[p], 1e-9);
        }
        cj__clv_at_end(&at);
        fclose(file);
    }
}
END_TEST

START_TEST(published_customers_have_their_likelihood)
{
    const double theta[] = {0.25, 4, 0.8, 2.5}; /* Hardie, note 027 */
    cj__clv_at at;

    begin(&at, &cj__clv_bgnbd, theta);
    expect_near("x = 0", loglik(&at, 0, 0, 40), -0.59947381819959264, 1e-13);
    expect_near("x = 200", loglik(&at, 200, 38, 40), 100.79569309270645, 1e-13);
    cj__clv_at_end(&at);
    begin(&at, &cj__clv_mbgnbd, theta);
    expect_near("x = 0", loglik(&at, 0, 0, 40), -0.41792826204498037, 1e-13);
    expect_near("x = 200", loglik(&at, 200, 38, 40), 100.78690976099133, 1e-13);
    cj__clv_at_end(&at);
}
END_TEST

/* ---- every row ------------------------------------------------------------------- */

static double ask_one(const cj__clv_at *at, const double *v, double until,
                      int32_t (*question)(const cj__clv_ask *, double *))
{
    const cj__clv_rows rows = {&v[0], &v[1], &v[2], NULL, 1};
    const cj__clv_ask ask = {at, &rows, 0, until, 0, 0};
    double out = -1;

    ck_assert_int_eq(question(&ask, &out), CJ_OK);
    return out;
}

START_TEST(cdnow_rows_agree)
{
    FILE *file = oracle_open("clv/oracle/cdnow_bgnbd.csv");
    double v[6];
    cj__clv_at at;

    if (file == NULL)
        return;
    begin(&at, &cj__clv_bgnbd, cdnow);
    while (oracle_line(file, v, 6)) {
        v[1] /= 7;
        v[2] /= 7;
        expect_near("log-likelihood", loglik(&at, v[0], v[1], v[2]), v[3], 1e-11);
        expect_near("P(alive)", ask_one(&at, v, 0, cj__bg_p_alive), v[4], 1e-11);
    }
    cj__clv_at_end(&at);
    fclose(file);
}
END_TEST

START_TEST(stress_rows_agree)
{
    FILE *file = oracle_open("clv/oracle/stress_bgnbd.csv");
    double v[11];
    cj__clv_at at;

    if (file == NULL)
        return;
    while (oracle_line(file, v, 11)) { /* r alpha a b x tx T t loglik p_alive cet */
        begin(&at, &cj__clv_bgnbd, v);
        expect_near("log-likelihood", loglik(&at, v[4], v[5], v[6]), v[8], 1e-12);
        expect_near("P(alive)", ask_one(&at, v + 4, 0, cj__bg_p_alive), v[9], 1e-12);
        cj__clv_at_end(&at);
    }
    fclose(file);
}
END_TEST

HARNESS_MAIN("metrics_clv_bgnbd", the_maxima_are_where_they_were_published,
             published_customers_have_their_likelihood, cdnow_rows_agree,
             stress_rows_agree)
