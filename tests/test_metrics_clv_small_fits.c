/* Gamma-Gamma, BG/BB, sBG and BdW through the library's own fit: what was published, in
 * any order and grouping, and honest ends where the data say too little. */
#include "metrics/clv_fit.h"

#include "clv_likelihood.h"

#include "harness.h"

#include <math.h>
#include <string.h>

#define MAX_ROWS 2400

static double column[4][MAX_ROWS], weight[MAX_ROWS];
static int64_t x[MAX_ROWS];

static void whole(int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (int64_t)column[0][i];
}

static cj_clv_data read_cdnow(void)
{
    static const int places[2] = {1, 4};
    double *columns[2] = {column[0], column[3]};
    const int64_t n = clv_read("cdnow_cbs_days.csv", 2, places, MAX_ROWS, columns);

    whole(n);
    return (cj_clv_data){
        .struct_size = sizeof(cj_clv_data), .n = n, .x = x, .spend = column[3]};
}

static cj_clv_data read_donors(void)
{
    static const int places[4] = {0, 1, 2, 3};
    double *columns[4] = {column[0], column[1], column[2], weight};
    const int64_t n = clv_read("donations_bgbb.csv", 4, places, MAX_ROWS, columns);

    whole(n);
    return (cj_clv_data){.struct_size = sizeof(cj_clv_data),
                         .n = n,
                         .x = x,
                         .tx = column[1],
                         .t = column[2],
                         .weight = weight};
}

/* which: the column of the file, 1 regular, 2 high end. */
static cj_clv_data read_contracts(int which, int periods)
{
    const int places[2] = {0, which};
    double *columns[2] = {column[2], column[3]};
    const double *left = column[3];

    if (clv_read("sbg_fader_hardie_2007.csv", 2, places, MAX_ROWS, columns) == 0)
        return (cj_clv_data){0};
    for (int i = 0; i <= periods; i++) {
        x[i] = i < periods;
        weight[i] = round(10 * (i < periods ? left[i] - left[i + 1] : left[i]));
        column[2][i] = i < periods ? i + 1 : periods;
    }
    return (cj_clv_data){.struct_size = sizeof(cj_clv_data),
                         .n = periods + 1,
                         .x = x,
                         .t = column[2],
                         .weight = weight};
}

static cj_clv *fit(const char *model, const cj_clv_data *data)
{
    const cj_clv_fit_options opts = {.struct_size = sizeof opts, .model = model};
    static cj__ctx context;
    cj_clv *clv;

    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__clv_fit(&context.allocator, data, &opts, &clv), CJ_OK);
    return clv;
}

static void expect_fit(const char *model, const cj_clv_data *data, const double *want,
                       const double *errors, double ll)
{
    cj_clv *clv;

    if (data->n == 0)
        return;
    clv = fit(model, data);
    ck_assert_str_eq(clv->status.name, "converged");
    ck_assert_close(clv->loglik, ll, 1e-12);
    for (int p = 0; p < clv->model->n_params; p++) {
        ck_assert_close(clv->theta[p], want[p], 1e-8);
        ck_assert_close(clv->theta[p] * sqrt(clv->covariance[p][p]), errors[p], 1e-6);
    }
    cj__clv_free(clv);
}

START_TEST(test_small_fits__gammagamma)
{
    static const double want[3] = {6.24957227132376, 3.74422466713202,
                                   15.4435209625892};
    static const double errors[3] = {1.19005533602, 0.290133065284, 4.15942275216};
    const cj_clv_data data = read_cdnow();

    expect_fit("gammagamma", &data, want, errors, -4055.91769480187398);
}
END_TEST

START_TEST(test_small_fits__bgbb)
{
    static const double want[4] = {1.20352235160191, 0.749716358172939,
                                   0.656718208441832, 2.78344223257738};
    static const double errors[4] = {0.0693913623889, 0.0294477166604, 0.0510098589564,
                                     0.320819003043};
    const cj_clv_data data = read_donors();

    expect_fit("bgbb", &data, want, errors, -33225.5812743470068);
}
END_TEST

START_TEST(test_small_fits__sbg)
{
    static const double high[2] = {0.668088351106446, 3.80609496405827};
    static const double high_errors[2] = {0.10373493115, 0.785531691776};
    static const double regular[2] = {0.704077298473516, 1.18204302620948};
    static const double regular_errors[2] = {0.065598964234, 0.152475631676};
    cj_clv_data data = read_contracts(2, 7);

    expect_fit("sbg", &data, high, high_errors, -1611.15814739115644);
    data = read_contracts(1, 7);
    expect_fit("sbg", &data, regular, regular_errors, -1680.26518846328699);
}
END_TEST

START_TEST(test_small_fits__bdw)
{
    static const double high[3] = {0.21425333928085, 1.4265748748601, 1.7235648487445};
    static const double high_errors[3] = {0.05957970644, 0.3814086147, 0.3010432817};
    static const double paper[3] = {0.52302931290884, 0.89428265891033, 1.196398711359};
    static const double paper_errors[3] = {0.3090380647, 0.524819761, 0.3740861476};
    cj_clv_data data = read_contracts(2, 7);

    expect_fit("bdw", &data, high, high_errors, -1605.314213214193);
    data = read_contracts(1, 4);
    expect_fit("bdw", &data, paper, paper_errors, -1401.383051678618);
}
END_TEST

/* Whatever the data: a maximum, or a name for why not; finite numbers; and BdW never
 * below the sBG that it contains. */
START_TEST(test_small_fits__odd_contracts_end_with_a_name)
{
    uint64_t dice = 1234567;

    for (int run = 0; run < 300; run++) {
        const int periods = 2 + (int)(clv_random(&dice) * 7);
        cj_clv_data data = {.struct_size = sizeof data,
                            .n = periods + 1,
                            .x = x,
                            .t = column[2],
                            .weight = weight};
        double left = floor(clv_random_log(&dice, 5, 20000));
        cj_clv *sbg, *bdw;

        for (int i = 0; i < periods; i++) {
            x[i] = 1;
            column[2][i] = i + 1;
            weight[i] = floor(left * pow(clv_random(&dice), run % 3 ? 2 : 20));
            left -= weight[i];
        }
        x[periods] = 0;
        column[2][periods] = periods;
        weight[periods] = left;
        sbg = fit("sbg", &data);
        bdw = fit("bdw", &data);
        ck_assert(isfinite(sbg->loglik) && isfinite(bdw->loglik));
        ck_assert_ptr_nonnull(sbg->status.text);
        ck_assert_ptr_nonnull(bdw->status.text);
        ck_assert_str_ne(sbg->status.name, "not_converged");
        ck_assert_str_ne(bdw->status.name, "not_converged");
        /* too few losses for three parameters is said, and nothing is fitted */
        ck_assert_msg(strncmp(bdw->status.name, "too_few", 7) == 0 ||
                          bdw->loglik >= sbg->loglik - 1e-6 * (1 + fabs(sbg->loglik)),
                      "run %d: %.12g (%s: %g %g) %.12g (%s: %g %g %g)", run,
                      sbg->loglik, sbg->status.name, sbg->theta[0], sbg->theta[1],
                      bdw->loglik, bdw->status.name, bdw->theta[0], bdw->theta[1],
                      bdw->theta[2]);
        cj__clv_free(sbg);
        cj__clv_free(bdw);
    }
}
END_TEST

static const char *status_of(const char *model, const cj_clv_data *data)
{
    cj_clv *clv = fit(model, data);
    const char *name = clv->status.name;

    ck_assert(isfinite(clv->loglik));
    for (int p = 0; p < clv->model->n_params; p++)
        ck_assert(isfinite(clv->theta[p]) && clv->theta[p] > 0);
    cj__clv_free(clv);
    return name;
}

static int is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

START_TEST(test_small_fits__limits_have_names)
{
    static const char *const alike[] = {"customers_spend_alike", NULL};
    static const char *const constant[] = {"spend_per_customer_constant", NULL};
    static const char *const geometric[] = {"customers_alike", NULL};
    uint64_t dice = 99;
    cj_clv_data data = {
        .struct_size = sizeof data, .n = 500, .x = x, .spend = column[3]};

    for (int i = 0; i < 500; i++) { /* everybody's purchases are Gamma(2) about 30 */
        x[i] = 1 + i % 6;
        column[3][i] = 0;
        for (int k = 0; k < 2 * x[i]; k++)
            column[3][i] -= 15 * log(clv_random(&dice)) / (double)x[i];
    }
    ck_assert_msg(is_one_of(status_of("gammagamma", &data), alike) ||
                      strcmp(status_of("gammagamma", &data), "converged") == 0,
                  "%s", status_of("gammagamma", &data));
    for (int i = 0; i < 500; i++) /* x does not matter: z is the customer's own price */
        column[3][i] = exp(3 + clv_random(&dice) + clv_random(&dice));
    ck_assert_msg(is_one_of(status_of("gammagamma", &data), constant), "%s",
                  status_of("gammagamma", &data));
    data = (cj_clv_data){
        .struct_size = sizeof data, .n = 6, .x = x, .t = column[2], .weight = weight};
    for (int i = 0; i < 6; i++) { /* a tenth leaves, later a little more: no mixture */
        x[i] = i < 5;
        column[2][i] = i < 5 ? i + 1 : 5;
        weight[i] = (double[]){100, 95, 85, 80, 75, 565}[i];
    }
    ck_assert_msg(is_one_of(status_of("sbg", &data), geometric), "%s",
                  status_of("sbg", &data));
}
END_TEST

START_TEST(test_small_fits__few_steps)
{
    const cj_clv_data data = read_cdnow();
    cj_clv *clv;

    if (data.n == 0)
        return;
    clv = fit("gammagamma", &data);
    ck_assert_int_le(clv->n_iterations, 15);
    ck_assert_int_eq((int)clv->n_customers,
                     946); /* who did not come back is not counted */
    cj__clv_free(clv);
}
END_TEST

HARNESS_MAIN("metrics_clv_small_fits", test_small_fits__gammagamma,
             test_small_fits__bgbb, test_small_fits__sbg, test_small_fits__bdw,
             test_small_fits__odd_contracts_end_with_a_name,
             test_small_fits__limits_have_names, test_small_fits__few_steps)
