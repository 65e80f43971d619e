/* The contract models against Fader & Hardie's customers, high end and regular, and
 * against each other: sBG is BdW at c = 1. */
#include "metrics/clv_contract.h"

#include "clv_likelihood.h"
#include "metrics/clv_survival.h"

#include "harness.h"

#include <math.h>
#include <string.h>

#define SBG (&cj__clv_sbg)
#define BDW (&cj__clv_bdw)
#define MAX_ROWS 16

enum { REGULAR, HIGH_END };

static double x[MAX_ROWS], t[MAX_ROWS], weight[MAX_ROWS], percent[2][MAX_ROWS];

/* 1000 customers of whom so many per cent are left after each period: those who leave,
 * and those who are there at the end. */
static cj__clv_rows read_customers(int which, int periods)
{
    static const int places[3] = {0, 1, 2};
    double *columns[3] = {t, percent[REGULAR], percent[HIGH_END]};
    const int64_t n =
        clv_read("sbg_fader_hardie_2007.csv", 3, places, MAX_ROWS, columns);
    const double *left = percent[which];

    if (n == 0)
        return (cj__clv_rows){0};
    for (int i = 0; i < periods; i++) {
        t[i] = i + 1;
        x[i] = 1;
        weight[i] = round(10 * (left[i] - left[i + 1]));
    }
    t[periods] = periods;
    x[periods] = 0;
    weight[periods] = round(10 * left[periods]);
    return (cj__clv_rows){x, NULL, t, NULL, periods + 1};
}

static cj__clv_at at_of(const cj__clv_model *model, const double *theta)
{
    cj__clv_at at = {.model = model, .k = 1};

    memcpy(at.theta, theta, (size_t)model->n_params * sizeof *theta);
    return at;
}

static void expect_fit(const cj__clv_model *model, cj__clv_rows rows,
                       const double *want, const double *errors, double ll)
{
    double theta[4], got[4];
    clv_total total;

    if (rows.n == 0)
        return;
    model->start(&(cj__clv_means){.x = 0.5, .t = 4.5}, theta);
    clv_newton(model, &rows, weight, theta, &total);
    clv_std_errors(model, theta, &total, got);
    ck_assert_close(total.ll, ll, 1e-13);
    for (int p = 0; p < model->n_params; p++) {
        ck_assert_close(theta[p], want[p], 1e-9);
        ck_assert_close(got[p], errors[p], 1e-6);
    }
}

START_TEST(test_sbg__finds_the_published_fits)
{
    static const double high[2] = {0.668088351106446, 3.80609496405827};
    static const double high_errors[2] = {0.10373493115, 0.785531691776};
    static const double regular[2] = {0.704077298473516, 1.18204302620948};
    static const double regular_errors[2] = {0.065598964234, 0.152475631676};

    expect_fit(SBG, read_customers(HIGH_END, 7), high, high_errors,
               -1611.15814739115644);
    expect_fit(SBG, read_customers(REGULAR, 7), regular, regular_errors,
               -1680.26518846328699);
}
END_TEST

/* Seven renewals by mpmath.  Four are the paper's own calibration (2018): gamma .523
 * delta .894 c 1.196, and .259 1.722 1.584. */
START_TEST(test_bdw__finds_the_published_fits)
{
    static const double fits[4][3] = {
        {0.45561398937164, 0.77932550838796, 1.2834512857833},
        {0.21425333928085, 1.4265748748601,  1.7235648487445},
        {0.52302931290884, 0.89428265891033, 1.196398711359 },
        {0.25933573151117, 1.7225514880867,  1.5843615150229}
    };
    static const double errors[4][3] = {
        {0.1670414275,  0.2827099174, 0.2980950712},
        {0.05957970644, 0.3814086147, 0.3010432817},
        {0.3090380647,  0.524819761,  0.3740861476},
        {0.120169291,   0.7769416441, 0.353023297 }
    };

    expect_fit(BDW, read_customers(REGULAR, 7), fits[0], errors[0], -1679.602832907178);
    expect_fit(BDW, read_customers(HIGH_END, 7), fits[1], errors[1],
               -1605.314213214193);
    expect_fit(BDW, read_customers(REGULAR, 4), fits[2], errors[2], -1401.383051678618);
    expect_fit(BDW, read_customers(HIGH_END, 4), fits[3], errors[3],
               -1222.749318240822);
}
END_TEST

START_TEST(test_sbg__projects_as_published)
{
    static const double high[2] = {0.668088351106446, 3.80609496405827};
    static const double regular[2] = {0.704077298473516, 1.18204302620948};
    static const double high_want[5] = {.4604396718, .4357795900, .4141723979,
                                        .3950553432, .3779990716};
    static const double regular_want[5] = {.2200849665, .2044107866, .1911901910,
                                           .1798649924, .1700374528};
    const cj__clv_at a = at_of(SBG, high), b = at_of(SBG, regular);

    ck_assert_double_eq_tol(cj__clv_survival(&a, 7), .4889064197, 6e-11);
    for (int i = 0; i < 5; i++) {
        ck_assert_double_eq_tol(cj__clv_survival(&a, 8 + i), high_want[i], 6e-11);
        ck_assert_double_eq_tol(cj__clv_survival(&b, 8 + i), regular_want[i], 6e-11);
    }
    /* retention: (beta + t - 1) / (alpha + beta + t - 1), equation 8 */
    for (int i = 1; i < 20; i++)
        ck_assert_close(cj__clv_retention(&a, i),
                        (high[1] + i - 1) / (high[0] + high[1] + i - 1), 1e-14);
}
END_TEST

START_TEST(test_sbg__derl_as_published)
{
    static const double high[2] = {0.668088351106446, 3.80609496405827};
    static const double regular[2] = {0.704077298473516, 1.18204302620948};
    static const double high_want[4] = {5.41447884536, 5.90137759381, 6.89670668143,
                                        7.52962805557};
    static const double regular_want[4] = {2.96439927026, 4.10313977508, 5.89409536138,
                                           6.84231494826};
    static const double just_before[4] = {1, 2, 5, 8};

    for (int i = 0; i < 4; i++) { /* before renewal n: n - 1 were made */
        const clv_customer who = {0, 0, just_before[i] - 1, 0};
        const cj__clv_ask ask = {.delta = log(1.1)};

        ck_assert_close(1.1 * clv_answer(SBG->dert, SBG, high, who, ask), high_want[i],
                        1e-11);
        ck_assert_close(1.1 * clv_answer(SBG->dert, SBG, regular, who, ask),
                        regular_want[i], 1e-11);
    }
}
END_TEST

START_TEST(test_bdw__discounts_and_projects)
{
    static const double regular[3] = {0.45561398937164, 0.77932550838796,
                                      1.2834512857833};
    static const double want[3][2] = {
        {0, 2.72913594944},
        {4, 5.62326869316},
        {7, 6.52856874918}
    };
    const cj__clv_at at = at_of(BDW, regular);

    for (int i = 0; i < 3; i++)
        ck_assert_close(clv_answer(BDW->dert, BDW, regular,
                                   (clv_customer){0, 0, want[i][0], 0},
                                   (cj__clv_ask){.delta = log(1.1)}),
                        want[i][1], 1e-11);
    ck_assert_double_eq_tol(cj__clv_survival(&at, 8), .2233531737, 6e-11);
    ck_assert_double_eq_tol(cj__clv_survival(&at, 12), .1773313983, 6e-11);
}
END_TEST

static void dice_theta(uint64_t *dice, double low, double high, double *theta)
{
    theta[0] = clv_random_log(dice, low, high);
    theta[1] = clv_random_log(dice, low, high);
    theta[2] = clv_random_log(dice, 0.1, 6);
}

static double ask(clv_question question, const cj__clv_model *model,
                  const double *theta, clv_customer who, cj__clv_ask a)
{
    return clv_answer(question, model, theta, who, a);
}

START_TEST(test_contract__bdw_at_one_is_sbg)
{
    uint64_t dice = 4;

    for (int i = 0; i < 300; i++) {
        clv_customer who = {i % 2, 0, 1 + floor(clv_random(&dice) * 40), 0};
        const cj__clv_rows row = {&who.x, NULL, &who.t, NULL, 1};
        const cj__clv_ask a = {.from = i % 3,
                               .until = 20,
                               .n_purchases = i % 7,
                               .delta = clv_random_log(&dice, 1e-4, 1)};
        double theta[4], near[4];
        clv_total one, two;

        dice_theta(&dice, 1e-2, 1e3, theta);
        theta[2] = 1;
        memcpy(near, theta, sizeof near);
        near[2] = 1 + 1e-13; /* the sums of BdW, not those of sBG */
        clv_total_at(SBG, theta, &row, NULL, &one);
        clv_total_at(BDW, theta, &row, NULL, &two);
        ck_assert(one.ll == two.ll && one.grad[1] == two.grad[1]);
        ck_assert(one.hess[1][0] == two.hess[1][0]);
        ck_assert(fabs(ask(SBG->expected, SBG, theta, who, a) -
                       ask(BDW->expected, BDW, near, who, a)) < 1e-9);
        ck_assert(fabs(ask(SBG->pmf, SBG, theta, who, a) -
                       ask(BDW->pmf, BDW, near, who, a)) < 1e-9);
        if (who.x == 0)
            ck_assert_close(ask(BDW->dert, BDW, near, who, a),
                            ask(SBG->dert, SBG, theta, who, a), 1e-9);
    }
}
END_TEST

/* sBG's own formulas: products instead of Gamma functions. */
START_TEST(test_sbg__likelihood_is_the_product)
{
    uint64_t dice = 6;

    for (int i = 0; i < 2000; i += harness_stride(20)) {
        const clv_customer who = {i % 2, 0, 1 + floor(clv_random(&dice) * 40), 0};
        const double low = i % 4 < 2 ? 1e-2 : 1e-7, high = i % 4 < 2 ? 1e2 : 1e7;
        double theta[4], ll = 0;

        dice_theta(&dice, low, high, theta);
        for (double j = 1; j <= who.t - who.x; j++)
            ll -= log1p(theta[0] / (theta[1] + (j - 1)));
        if (who.x > 0)
            ll -= log1p((theta[1] + (who.t - 1)) / theta[0]);
        ck_assert_double_eq_tol(clv_loglik(SBG, theta, who), ll,
                                1e-13 * fabs(ll) + 1e-15);
    }
}
END_TEST

START_TEST(test_contract__derivatives_are_those_of_the_likelihood)
{
    uint64_t dice = 8;

    for (int i = 0; i < 600; i += harness_stride(20)) {
        clv_customer who = {i % 2, 0, 1 + floor(clv_random(&dice) * 20), 0};
        const cj__clv_rows row = {&who.x, NULL, &who.t, NULL, 1};
        double theta[4];

        dice_theta(&dice, 1e-2, 1e2, theta);
        theta[2] = clv_random_log(&dice, 0.3, 3);
        clv_check_derivatives(i % 4 < 2 ? SBG : BDW, theta, &row, 1e-6);
    }
}
END_TEST

/* gamma -> 0 with c -> infinity: t^c is no double any more, the likelihood goes on. */
START_TEST(test_bdw__far_out_losses_follow_a_power)
{
    uint64_t dice = 18;

    for (int i = 0; i < 300; i++) {
        clv_customer who = {i % 2, 0, 2 + floor(clv_random(&dice) * 20), 0};
        const cj__clv_rows row = {&who.x, NULL, &who.t, NULL, 1};
        const double c = clv_random_log(&dice, 10, 3000);
        const double theta[4] = {clv_random_log(&dice, 0.3, 3) / c,
                                 clv_random_log(&dice, 1e-2, 1e2), c};
        const cj__clv_at at = at_of(BDW, theta);

        clv_check_derivatives(BDW, theta, &row, 1e-6);
        /* S(2t) / S(t) = 2^(-gamma c) */
        if (c > 200)
            ck_assert_close(cj__clv_survival(&at, 2 * who.t),
                            cj__clv_survival(&at, who.t) * pow(2, -theta[0] * c),
                            1e-12);
    }
}
END_TEST

START_TEST(test_contract__nothing_is_infinite_in_a_wide_box)
{
    uint64_t dice = 24;

    for (int i = 0; i < 10000; i += harness_stride(20)) {
        const cj__clv_model *model = i % 4 < 2 ? SBG : BDW;
        clv_customer who = {i % 2, 0, floor(clv_random_log(&dice, 1, 300)), 0};
        const cj__clv_rows row = {&who.x, NULL, &who.t, NULL, 1};
        const cj__clv_ask a = {.until = floor(clv_random_log(&dice, 1, 100)),
                               .n_purchases = 1,
                               .delta = clv_random_log(&dice, 1e-5, 3)};
        double theta[4], p;
        clv_total total;

        dice_theta(&dice, 1e-6, 1e8, theta);
        clv_total_at(model, theta, &row, NULL, &total);
        ck_assert(isfinite(total.ll) && total.ll <= 0);
        ck_assert_double_eq_tol(total.ll, clv_loglik(model, theta, who),
                                1e-12 * fabs(total.ll));
        for (int k = 0; k < model->n_params; k++) {
            ck_assert(isfinite(total.grad[k]));
            for (int j = 0; j < model->n_params; j++)
                ck_assert(isfinite(total.hess[k][j]));
        }
        p = ask(model->expected, model, theta, who, a);
        ck_assert(p >= 0 && p <= a.until * (1 + 1e-12));
        p = ask(model->pmf, model, theta, who, a);
        ck_assert(p >= 0 && p <= 1);
        p = ask(model->dert, model, theta, who, a);
        ck_assert(p >= 0 && p <= 1 / expm1(a.delta) * (1 + 1e-9));
    }
}
END_TEST

START_TEST(test_contract__survival_falls_and_retention_of_sbg_rises)
{
    uint64_t dice = 25;

    for (int i = 0; i < 500; i++) {
        double theta[4], before = 1, kept = 0;
        cj__clv_at sbg, bdw;

        dice_theta(&dice, 1e-2, 1e2, theta);
        sbg = at_of(SBG, theta);
        bdw = at_of(BDW, theta);
        for (double s = 1; s < 60; s++) {
            const double now = cj__clv_survival(&bdw, s);

            ck_assert(now <= before && now >= 0);
            before = now;
            ck_assert(cj__clv_retention(&sbg, s) >= kept);
            kept = cj__clv_retention(&sbg, s);
        }
    }
}
END_TEST

START_TEST(test_contract__counts_sum_to_one_and_to_their_mean)
{
    uint64_t dice = 26;

    for (int i = 0; i < 400; i++) {
        const cj__clv_model *model = i % 2 ? SBG : BDW;
        const clv_customer who = {0, 0, floor(clv_random(&dice) * 20), 0};
        const cj__clv_at at = {0};
        const int m = 1 + (int)(clv_random(&dice) * 30);
        cj__clv_ask a = {.at = &at, .from = i % 5, .until = i % 5 + m};
        double theta[4], all = 0, mean = 0, parts;

        dice_theta(&dice, 1e-2, 1e2, theta);
        for (a.n_purchases = 0; a.n_purchases <= m; a.n_purchases++) {
            const double p = ask(model->pmf, model, theta, who, a);

            all += p;
            mean += (double)a.n_purchases * p;
        }
        ck_assert_close(all, 1, 1e-12);
        ck_assert_close(ask(model->expected, model, theta, who, a), mean, 1e-11);
        ck_assert(ask(model->pmf, model, theta, who, a) == 0); /* m + 1 */
        /* (from, until] and what is before it */
        parts = mean;
        a.until = a.from;
        a.from = 0;
        parts += ask(model->expected, model, theta, who, a);
        a.until += m;
        ck_assert_close(ask(model->expected, model, theta, who, a), parts, 1e-11);
    }
}
END_TEST

START_TEST(test_contract__nobody_who_left_comes_back)
{
    static const double theta[4] = {0.5, 2, 1.3};
    const clv_customer gone = {1, 0, 3, 0}, there = {0, 0, 3, 0};
    cj__clv_ask a = {.until = 5, .delta = 0.1};

    for (int i = 0; i < 2; i++) {
        const cj__clv_model *model = i ? SBG : BDW;

        ck_assert(ask(model->p_alive, model, theta, gone, a) == 0);
        ck_assert(ask(model->p_alive, model, theta, there, a) == 1);
        ck_assert(ask(model->expected, model, theta, gone, a) == 0);
        ck_assert(ask(model->dert, model, theta, gone, a) == 0);
        ck_assert(ask(model->pmf, model, theta, gone, a) == 1);
        ck_assert(ask(model->pmf, model, theta, there, a) < 1);
    }
}
END_TEST

START_TEST(test_contract__a_new_customer_is_one_of_tenure_zero)
{
    static const double theta[4] = {0.5, 2, 1.3};
    const clv_customer fresh = {0, 0, 0, 0};

    for (int i = 0; i < 2; i++) {
        const cj__clv_model *model = i ? SBG : BDW;
        const cj__clv_at at = at_of(model, theta);
        const cj__clv_ask a = {.from = 2, .until = 9, .n_purchases = 3};

        ck_assert(model->pmf_new(&at, 2, 9, 3) ==
                  ask(model->pmf, model, theta, fresh, a));
        ck_assert_close(model->expected_new(&at, 2) +
                            ask(model->expected, model, theta, fresh, a),
                        model->expected_new(&at, 9), 1e-14);
        ck_assert_close(model->pmf_new(&at, 0, 4, 4), cj__clv_survival(&at, 4), 1e-14);
        ck_assert(isinf(ask(model->dert, model, theta, fresh, (cj__clv_ask){0})));
    }
}
END_TEST

START_TEST(test_bdw__without_discount_where_the_sum_exists)
{
    uint64_t dice = 27;

    for (int i = 0; i < 40; i++) { /* sBG's closed form is BdW's sum at c -> 1 */
        const clv_customer who = {0, 0, floor(clv_random(&dice) * 10), 0};
        double theta[4] = {clv_random_log(&dice, 1.2, 10),
                           clv_random_log(&dice, 0.1, 20), 1 + 1e-13};

        ck_assert_close(ask(BDW->dert, BDW, theta, who, (cj__clv_ask){0}),
                        (theta[1] + who.t) / (theta[0] - 1), 1e-9);
    }
}
END_TEST

START_TEST(test_bdw__never_fits_worse_than_sbg)
{
    for (uint64_t run = 1; run <= 60; run++) {
        uint64_t dice = run * 2654435761u;
        const double truth[4] = {clv_random_log(&dice, 0.4, 2),
                                 clv_random_log(&dice, 1, 6),
                                 clv_random_log(&dice, 0.6, 1.8)};
        const cj__clv_at at = at_of(BDW, truth);
        double left = 3000, theta[4];
        const cj__clv_rows rows = {x, NULL, t, NULL, 9};
        clv_total sbg, bdw;

        for (int i = 0; i < 8; i++) { /* a cohort, some luck in it */
            const double p = 1 - cj__clv_retention(&at, i + 1);
            const double luck = 1 + 0.1 * (clv_random(&dice) - 0.5);

            x[i] = 1;
            t[i] = i + 1;
            weight[i] = floor(left * fmin(p * luck, 1));
            left -= weight[i];
        }
        x[8] = 0;
        t[8] = 8;
        weight[8] = left;
        SBG->start(&(cj__clv_means){.t = 5}, theta);
        clv_newton(SBG, &rows, weight, theta, &sbg);
        theta[2] = 1;
        clv_newton(BDW, &rows, weight, theta, &bdw);
        ck_assert_double_ge(bdw.ll, sbg.ll - 1e-9);
    }
}
END_TEST

START_TEST(test_survival__sums)
{
    uint64_t dice = 28;

    for (int i = 0; i < 500; i++) {
        const double a = i % 5 ? clv_random_log(&dice, 1e-3, 1e3) : 1 + 1e-9 * (i % 3);
        const double b = clv_random_log(&dice, 1e-3, 1e4);
        const double delta = clv_random_log(&dice, 0.02, 2);
        const double m = floor(clv_random_log(&dice, 1, 2000));
        double sum = 0, discounted = 0, s = 1;

        for (double k = 1; k <= 3000; k++) {
            s *= (b + (k - 1)) / (a + b + (k - 1));
            sum += k <= m ? s : 0;
            discounted += s * exp(-delta * k);
            if (k == m)
                ck_assert_double_eq_tol(exp(cj__clv_log_survival(a, b, m)), s,
                                        1e-11 * s + 1e-300);
        }
        ck_assert_close(cj__clv_lives(a, b, m), sum, 1e-11);
        ck_assert_close(cj__clv_lives_discounted(a, b, delta), discounted, 1e-11);
    }
    ck_assert(cj__clv_lives(1, 2, 0) == 0);
    ck_assert(cj__clv_log_survival(1, 2, 0) == 0);
}
END_TEST

HARNESS_MAIN("metrics_clv_contract", test_sbg__finds_the_published_fits,
             test_bdw__finds_the_published_fits, test_sbg__projects_as_published,
             test_sbg__derl_as_published, test_bdw__discounts_and_projects,
             test_contract__bdw_at_one_is_sbg, test_sbg__likelihood_is_the_product,
             test_contract__derivatives_are_those_of_the_likelihood,
             test_bdw__far_out_losses_follow_a_power,
             test_contract__nothing_is_infinite_in_a_wide_box,
             test_contract__survival_falls_and_retention_of_sbg_rises,
             test_contract__counts_sum_to_one_and_to_their_mean,
             test_contract__nobody_who_left_comes_back,
             test_contract__a_new_customer_is_one_of_tenure_zero,
             test_bdw__without_discount_where_the_sum_exists,
             test_bdw__never_fits_worse_than_sbg, test_survival__sums)
