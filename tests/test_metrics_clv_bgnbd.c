/* BG/NBD and MBG/NBD against the reference numbers (CJ_TEST_DATA, clv/): every
 * likelihood, P(alive) and forecast of the oracle, and the maxima with their standard
 * errors by summing over the CDNOW customers.  Properties: test_metrics_clv_bg.c; other
 * values: test_clv_bgnbd.py. */
#include "metrics/clv_bg.h"

#include "clv_likelihood.h"
#include "clv_oracle.h"
#include "harness.h"

#include <math.h>

#define N_CDNOW 2357

static const double bg[] = {0.242594522430157, 4.4136020190135, 0.792922017225598,
                            2.42590677682633};
static const double mbg[] = {0.524843159106298, 6.183085279576, 0.891359390732216,
                             1.61400224017034};
static cj__ctx context;

static void begin(cj__clv_at *at, const cj__clv_model *model, const double *theta)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__clv_at_begin(at, &context.allocator, model, 1, 1000), CJ_OK);
    cj__clv_at_turn(at, theta);
}

/* Relative; what is below the smallest double is 0 on both sides. */
static void expect_near(const char *what, double value, double wanted, double within)
{
    ck_assert_msg(fabs(value - wanted) <= within * fabs(wanted) + 1e-300,
                  "%s: %.15g instead of %.15g", what, value, wanted);
}

/* ---- the likelihood -------------------------------------------------------------- */

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
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        const maximum *m = &maxima[i];
        cj__clv_at at;
        clv_point sum;

        begin(&at, m->model, m->theta);
        if (clv_point_cdnow(&at, m->days, &sum)) {
            expect_near("log-likelihood", sum.ll, m->ll, 1e-13);
            for (int p = 0; p < 4; p++) {
                ck_assert_double_lt(fabs(sum.grad[p]), 1e-9);
                expect_near("standard error", clv_point_error(&sum, m->theta, 4, p),
                            m->se[p], 1e-9);
            }
        }
        cj__clv_at_end(&at);
    }
}
END_TEST

START_TEST(published_customers_have_their_likelihood)
{
    const double theta[] = {0.25, 4, 0.8, 2.5}; /* Hardie, note 027 */
    cj__clv_at at;

    begin(&at, &cj__clv_bgnbd, theta);
    expect_near("x = 0", clv_point_of(&at, 0, 0, 40).ll, -0.59947381819959264, 1e-13);
    expect_near("x = 200", clv_point_of(&at, 200, 38, 40).ll, 100.79569309270645,
                1e-13);
    cj__clv_at_end(&at);
    begin(&at, &cj__clv_mbgnbd, theta);
    expect_near("x = 0", clv_point_of(&at, 0, 0, 40).ll, -0.41792826204498037, 1e-13);
    expect_near("x = 200", clv_point_of(&at, 200, 38, 40).ll, 100.78690976099133,
                1e-13);
    cj__clv_at_end(&at);
}
END_TEST

START_TEST(means_give_a_first_guess)
{
    const cj__clv_means none = {0};
    cj__clv_means shop = {0};
    double theta[4];

    shop.x = 2;
    shop.t = 30;
    cj__clv_bgnbd.start(&shop, theta);
    ck_assert_double_eq_tol(theta[0] / theta[1], 2.0 / 30, 1e-15);
    cj__clv_mbgnbd.start(&none, theta);
    for (int p = 0; p < 4; p++)
        ck_assert(theta[p] > 0 && theta[p] < 1e9);
}
END_TEST

/* ---- every row ------------------------------------------------------------------- */

static double ask_one(const cj__clv_at *at, const double *v, double until,
                      int32_t (*question)(const cj__clv_ask *, double *))
{
    const cj__clv_rows rows = {&v[0], &v[1], &v[2], NULL, 1};
    const cj__clv_ask ask = {at, &rows, 0, until, 0, 0, NULL};
    double out = -1;

    ck_assert_int_eq(question(&ask, &out), CJ_OK);
    return out;
}

START_TEST(cdnow_rows_agree)
{
    FILE *file = clv_oracle_open("clv/oracle/cdnow_bgnbd.csv");
    double v[6]; /* x, tx, T, log-likelihood, P(alive), purchases in 39 weeks */
    cj__clv_at at;

    if (file == NULL)
        return;
    begin(&at, &cj__clv_bgnbd, bg);
    while (clv_oracle_line(file, v, 6)) {
        v[1] /= 7;
        v[2] /= 7;
        expect_near("log-likelihood", clv_point_of(&at, v[0], v[1], v[2]).ll, v[3],
                    1e-11);
        expect_near("P(alive)", ask_one(&at, v, 0, cj__bg_p_alive), v[4], 1e-11);
        expect_near("expected", ask_one(&at, v, 39, cj__bg_expected), v[5], 1e-11);
    }
    cj__clv_at_end(&at);
    fclose(file);
}
END_TEST

START_TEST(stress_rows_agree)
{
    FILE *file = clv_oracle_open("clv/oracle/stress_bgnbd.csv");
    double v[11]; /* r, alpha, a, b, x, tx, T, t, and what is wanted */
    cj__clv_at at;

    if (file == NULL)
        return;
    while (clv_oracle_line(file, v, 11)) {
        begin(&at, &cj__clv_bgnbd, v);
        expect_near("log-likelihood", clv_point_of(&at, v[4], v[5], v[6]).ll, v[8],
                    1e-12);
        expect_near("P(alive)", ask_one(&at, v + 4, 0, cj__bg_p_alive), v[9], 1e-12);
        expect_near("expected", ask_one(&at, v + 4, v[7], cj__bg_expected), v[10],
                    1e-12);
        cj__clv_at_end(&at);
    }
    fclose(file);
}
END_TEST

/* ---- CDNOW ----------------------------------------------------------------------- */

/* Sums over the customers, all asked at once. */
static double cdnow_sum(const cj__clv_at *at, double until,
                        int32_t (*question)(const cj__clv_ask *, double *))
{
    static double x[N_CDNOW], tx[N_CDNOW], t[N_CDNOW], out[N_CDNOW];
    double *columns[] = {x, tx, t};
    const int places[] = {1, 2, 3};
    const cj__clv_rows rows = {x, tx, t, NULL, N_CDNOW};
    const cj__clv_ask ask = {at, &rows, 0, until, 0, 0, NULL};
    double sum = 0;

    if (clv_read("cdnow_cbs_days.csv", 3, places, N_CDNOW, columns) == 0)
        return -1;
    for (int i = 0; i < N_CDNOW; i++) {
        tx[i] /= 7;
        t[i] /= 7;
    }
    ck_assert_int_eq(question(&ask, out), CJ_OK);
    for (int i = 0; i < N_CDNOW; i++)
        sum += out[i];
    return sum;
}

static void expect_sum(const char *what, double sum, double wanted)
{
    if (sum >= 0) /* with the data */
        expect_near(what, sum, wanted, 1e-9);
}

START_TEST(cdnow_sums_agree)
{
    cj__clv_at at;

    begin(&at, &cj__clv_bgnbd, bg);
    expect_sum("alive", cdnow_sum(&at, 0, cj__bg_p_alive), 1917.2776710);
    expect_sum("39 weeks", cdnow_sum(&at, 39, cj__bg_expected), 1653.4086979);
    cj__clv_at_end(&at);
    begin(&at, &cj__clv_mbgnbd, mbg);
    expect_sum("alive", cdnow_sum(&at, 0, cj__bg_p_alive), 1057.6363705);
    expect_sum("39 weeks", cdnow_sum(&at, 39, cj__bg_expected), 1576.7283019);
    cj__clv_at_end(&at);
}
END_TEST

/* ---- somebody new ---------------------------------------------------------------- */

START_TEST(new_customers_buy_as_published)
{
    static const double purchases[][2] = {
        {0.1429,  0.0078160004012894},
        {1,       0.0531842915032250},
        {3,       0.1506308392142685},
        {31.8571, 1.0404891411078616},
        {32,      1.0437320427564190},
        {52,      1.4440123973401088},
        {78,      1.8579583901135262},
    };
    cj__clv_at at;

    begin(&at, &cj__clv_bgnbd, bg);
    for (size_t i = 0; i < sizeof purchases / sizeof purchases[0]; i++)
        expect_near("expected", cj__bg_expected_new(&at, purchases[i][0]),
                    purchases[i][1], 1e-12);
    cj__clv_at_end(&at);
}
END_TEST

START_TEST(counts_are_those_of_the_paper_and_of_a_simulation)
{
    const double theta[] = {0.243, 4.414, 0.793, 2.426};
    static const double month[] = {.00199952144748,  .00151702362996,  .00116331500666,
                                   .000900314789644, .000702363765887, .000551790242649,
                                   .000436191280898, .000346717139624, .000276961264840,
                                   .000222226048007};
    cj__clv_at at;

    begin(&at, &cj__clv_bgnbd, theta);
    expect_near("t = 2", cj__bg_pmf_new(&at, 0, 2, 10), 1.0786896403691474e-7, 1e-12);
    expect_near("t = 39", cj__bg_pmf_new(&at, 0, 39, 0), 0.57378635209600941, 1e-12);
    for (int n = 0; n < 10; n++)
        expect_near("t = 30", cj__bg_pmf_new(&at, 0, 30, 11 + n), month[n], 1e-11);
    /* BTYD's bgnbd.pmf.General has 0.573786 here; 4 million simulated customers .75399
     */
    expect_near("(39, 78]", cj__bg_pmf_new(&at, 39, 78, 0), 0.754001146121, 1e-11);
    cj__clv_at_end(&at);
}
END_TEST

START_TEST(residual_purchases_are_those_of_the_reference)
{
    static const double rows[][5] = {
        {2, 30.43, 38.86, .0027, 5.156361786723},
        {0, 0,     38.86, .0027, 1.014213268542},
        {7, 30,    38.86, .0027, 13.211336855  },
        {2, 30.43, 38.86, .01,   2.261474570969},
    };
    cj__clv_at at;

    begin(&at, &cj__clv_bgnbd, bg);
    for (int i = 0; i < 4; i++) {
        const double *v = rows[i];
        const cj__clv_rows row = {&v[0], &v[1], &v[2], NULL, 1};
        const cj__clv_ask ask = {&at, &row, 0, 0, 0, v[3], NULL};
        double out;

        ck_assert_int_eq(cj__bg_dert(&ask, &out), CJ_OK);
        expect_near("DERT", out, v[4], 1e-11);
    }
    cj__clv_at_end(&at);
}
END_TEST

HARNESS_MAIN("metrics_clv_bgnbd", the_maxima_are_where_they_were_published,
             published_customers_have_their_likelihood, means_give_a_first_guess,
             cdnow_rows_agree, stress_rows_agree, cdnow_sums_agree,
             new_customers_buy_as_published,
             counts_are_those_of_the_paper_and_of_a_simulation,
             residual_purchases_are_those_of_the_reference)
