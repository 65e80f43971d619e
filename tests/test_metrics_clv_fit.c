/* Fits against the reference numbers (CJ_TEST_DATA, clv/oracle/mle.csv), the same bits
 * for any order, grouping, threads and unit, ends with a name where the data say
 * nothing, and no memory left behind. */
#include "clv_fits.h"

#include "base_memory.h"
#include "clv_oracle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define expect_close(got, want, relative)                                              \
    do {                                                                               \
        const double got_ = (got), want_ = (want);                                     \
        ck_assert_msg(fabs(got_ - want_) <= (relative)*fabs(want_),                    \
                      "%s is %.17g, not %.17g", #got, got_, want_);                    \
    } while (0)

/* ---- against the oracle
 * -------------------------------------------------------------- */

static double rounded(double days,
                      int is_rounded) /* weeks with two decimals, as days */
{
    return is_rounded ? round(days / 7 * 100) / 100 * 7 : days;
}

/* The customers of a data set of mle.csv, by its name. */
static int oracle_table(const char *name, clv_table *t)
{
    const int is_rounded = strstr(name, "rounded") != NULL;
    FILE *file;
    double v[4];

    if (strstr(name, "cdnow") != NULL) {
        if (!clv_table_cdnow(t))
            return 0;
        for (int64_t i = 0; i < t->n; i++) {
            t->tx[i] = rounded(t->tx[i], is_rounded);
            t->t[i] = rounded(t->t[i], is_rounded);
            if (is_rounded)
                t->spend[i] = floor(t->spend[i] * 100 + .5 + 1e-6) / 100;
        }
        return 1;
    }
    if (strstr(name, "donations") == NULL)
        return 0;
    memset(t, 0, sizeof *t);
    file = clv_oracle_open("clv/donations_bgbb.csv");
    while (file != NULL && clv_oracle_line(file, v, 4)) {
        const double row[4] = {v[0], v[1], v[2], 0};

        clv_table_add(t, row);
        t->weight[t->n - 1] = v[3];
    }
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

/* Survivors in percent (twice: regular, high end) as customers who were lost or not. */
static int oracle_contract(const char *name, clv_table *t)
{
    FILE *file = clv_oracle_open("clv/sbg_fader_hardie_2007.csv");
    const int column = strstr(name, "Regular") != NULL ? 1 : 2;
    double last = 100, v[3];

    memset(t, 0, sizeof *t);
    while (file != NULL && clv_oracle_line(file, v, 3) && v[0] <= 7) {
        const double lost[4] = {1, 0, v[0], 0};

        if (v[0] > 0) {
            clv_table_add(t, lost);
            t->weight[t->n - 1] = rint((last - v[column]) * 10);
        }
        last = v[column];
    }
    if (file == NULL)
        return 0;
    fclose(file);
    clv_table_add(t, (double[4]){0, 0, 7, 0});
    t->weight[t->n - 1] = rint(last * 10);
    return 1;
}

static const struct {
    const char *name, *model;
    double unit;
} oracle_models[] = {
    {"BG/NBD cdnow days", "bgnbd",      1},
    {"BG/NBD",            "bgnbd",      7},
    {"MBG/NBD",           "mbgnbd",     7},
    {"Pareto/NBD",        "paretonbd",  7},
    {"GG",                "gammagamma", 1},
    {"BG/BB",             "bgbb",       1},
    {"sBG",               "sbg",        1},
};

static cj_clv *oracle_fit(const char *name)
{
    const cj__clv_model *known;
    cj_clv *clv = NULL;
    clv_table t;
    size_t i = 0;

    while (strncmp(name, oracle_models[i].name, strlen(oracle_models[i].name)) != 0)
        i++;
    if (cj__clv_model_find(oracle_models[i].model, &known) != CJ_OK) {
        fprintf(stderr, "SKIPPED: %s is not there yet\n", oracle_models[i].model);
        return NULL;
    }
    if (i == 6 ? oracle_contract(name, &t) : oracle_table(name, &t))
        clv = clv_fit_model(&t, oracle_models[i].model, oracle_models[i].unit);
    if (clv != NULL)
        clv_table_end(&t);
    return clv;
}

START_TEST(test_fit__every_maximum_of_the_oracle)
{
    FILE *file = clv_oracle_open("clv/oracle/mle.csv");
    char line[512], last[128] = "";
    cj_clv *clv = NULL;
    int32_t p = 0, n_seen = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char name[128], param[32];
        double loglik, estimate, error;

        ck_assert_int_eq(sscanf(line, "%127[^,],%lf,%31[^,],%lf,%lf", name, &loglik,
                                param, &estimate, &error),
                         5);
        if (strcmp(name, last) != 0) {
            cj__clv_free(clv);
            clv = oracle_fit(name);
            snprintf(last, sizeof last, "%s", name);
            p = 0;
        }
        if (clv == NULL)
            continue;
        ck_assert_str_eq(clv_status(clv), "converged");
        ck_assert_double_lt(clv->gradient_norm, 1e-9);
        ck_assert_str_eq(clv->model->params[p], param);
        expect_close(clv->loglik, loglik, 1e-12);
        expect_close(clv->theta[p], estimate, 1e-9);
        expect_close(cj__clv_std_error(clv, p), error, 1e-7);
        p++;
        n_seen++;
    }
    cj__clv_free(clv);
    if (file != NULL) {
        ck_assert_int_ge(n_seen, 26);
        fclose(file);
    }
}
END_TEST

START_TEST(test_fit__nbd_and_regular_times_of_cdnow)
{
    clv_table t;
    cj_clv *clv;

    if (!clv_table_cdnow(&t))
        return;
    clv = clv_fit_model(&t, "nbd", 7);
    expect_close(clv->loglik, -9763.65761467, 1e-11);
    expect_close(clv->theta[0], .3847658753, 2e-6); /* BTYDplus stops early */
    expect_close(clv->theta[1], 12.0720137, 2e-6);
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

/* ---- the same bits
 * ------------------------------------------------------------------- */

static const char *const continuous[] = {"nbd",       "bgnbd",  "mbgnbd",
                                         "paretonbd", "bgcnbd", "mbgcnbd"};
enum { N_CONTINUOUS = sizeof continuous / sizeof continuous[0] };

/* Customers by dice, in whole days: many are alike. */
static void diced(clv_table *t, int64_t n, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    for (int64_t i = 0; i < n; i++) {
        const double end = 100 + (double)(base_random(&seed) % 60);
        const double x = (double)(base_random(&seed) % 7) - 3;
        const double tx = 1 + (double)(base_random(&seed) % (uint64_t)end);
        const double row[4] = {x > 0 ? x : 0, x > 0 ? tx : 0, end,
                               5 + (double)(base_random(&seed) % 40)};

        clv_table_add(t, row);
    }
}

START_TEST(test_fit__order_does_not_matter)
{
    for (int m = 0; m < N_CONTINUOUS; m++) {
        clv_table t;
        cj_clv *first, *other;

        diced(&t, 5000, 3);
        first = clv_fit_model(&t, continuous[m], 7);
        for (uint64_t seed = 1; seed <= 3; seed++) {
            clv_table_shuffle(&t, seed);
            other = clv_fit_model(&t, continuous[m], 7);
            clv_expect_same(first, other);
            cj__clv_free(other);
        }
        cj__clv_free(first);
        clv_table_end(&t);
    }
}
END_TEST

/* Each row into up to three, which together weigh as much. */
static void split(const clv_table *from, clv_table *to, uint64_t seed)
{
    memset(to, 0, sizeof *to);
    for (int64_t i = 0; i < from->n; i++) {
        double left = from->weight[i];

        while (left > 0) {
            const double some = 1 + (double)(base_random(&seed) % (uint64_t)left);
            const double row[4] = {(double)from->x[i], from->tx[i], from->t[i],
                                   from->spend[i]};

            clv_table_add(to, row);
            to->weight[to->n - 1] = some;
            left -= some;
        }
        if (base_random(&seed) % 8 == 0) { /* weighs nothing, and changes nothing */
            clv_table_add(to, (double[4]){3, 2, 1000, 77});
            to->weight[to->n - 1] = 0;
        }
    }
    clv_table_shuffle(to, seed);
}

START_TEST(test_fit__grouping_does_not_matter)
{
    static const char *const models[] = {"bgnbd", "paretonbd", "gammagamma"};

    for (int m = 0; m < 3; m++) {
        clv_table t, other;
        cj_clv *first, *again;

        diced(&t, 2000, 4);
        for (int64_t i = 0; i < t.n; i++)
            t.weight[i] = 1 + (double)(i % 5);
        first = clv_fit_model(&t, models[m], 1);
        for (uint64_t seed = 1; seed <= 3; seed++) {
            split(&t, &other, seed);
            again = clv_fit_model(&other, models[m], 1);
            clv_expect_same(first, again);
            cj__clv_free(again);
            clv_table_end(&other);
        }
        cj__clv_free(first);
        clv_table_end(&t);
    }
}
END_TEST

START_TEST(test_fit__threads_do_not_matter)
{
    clv_table t;
    double *covariates;
    uint64_t seed = 9;

    memset(&t, 0, sizeof t);
    for (int64_t i = 0; i < 60000; i++) { /* distinct: several blocks, and a sample */
        const double end = 50 + (double)(base_random(&seed) % 1000000) * 1e-4;
        const double x = (double)(base_random(&seed) % 6) - 3;
        const double tx = end * (double)(1 + base_random(&seed) % 999) * 1e-3;

        clv_table_add(&t, (double[4]){x > 0 ? x : 0, x > 0 ? tx : 0, end, 0});
    }
    covariates = malloc((size_t)t.n * sizeof *covariates);
    for (int64_t i = 0; i < t.n; i++)
        covariates[i] = (double)(base_random(&seed) % 5000);
    for (int with = 0; with < 2; with++) {
        cj_clv_data data = clv_table_data(&t);
        cj_clv *first = NULL;

        data.covariates = with ? covariates : NULL;
        data.n_covariates = with;
        for (int32_t threads = 1; threads <= 5; threads += 2) {
            const cj_clv_fit_options o = {.model = "bgnbd", .threads = threads};
            cj_clv *clv = clv_fit(&data, &o);

            ck_assert_int_gt(clv->n_groups, 50000);
            if (first != NULL)
                clv_expect_same(first, clv);
            else
                first = clv;
            if (clv != first)
                cj__clv_free(clv);
        }
        cj__clv_free(first);
    }
    free(covariates);
    clv_table_end(&t);
}
END_TEST

/* ---- units
 * --------------------------------------------------------------------------- */

START_TEST(test_fit__the_unit_is_only_a_unit)
{
    static const double units[] = {7, 30.436875, 365.2425, 1 / 24.0, 1 / 86400.0};

    for (int m = 0; m < N_CONTINUOUS; m++) {
        clv_table t;
        cj_clv *days;

        diced(&t, 1000, 5);
        days = clv_fit_model(&t, continuous[m], 1);
        for (int u = 0; u < 5; u++) {
            cj_clv *clv = clv_fit_model(&t, continuous[m], units[u]);
            double sum_x = 0;

            for (int64_t i = 0; i < t.n; i++)
                sum_x += (double)t.x[i];
            for (int32_t p = 0; p < clv->n_free; p++) {
                const double scale = pow(units[u], -clv->model->power[p]);

                expect_close(clv->theta[p], days->theta[p] * scale, 1e-12);
                if (days->has_covariance && !days->held[p])
                    expect_close(cj__clv_std_error(clv, p),
                                 cj__clv_std_error(days, p) * scale, 1e-12);
            }
            expect_close(clv->loglik, days->loglik + sum_x * log(units[u]), 1e-12);
            cj__clv_free(clv);
        }
        cj__clv_free(days);
        clv_table_end(&t);
    }
}
END_TEST

/* Data in other units (seconds said to be days) are fitted as well. */
START_TEST(test_fit__data_in_any_unit)
{
    for (int m = 0; m < N_CONTINUOUS; m++) {
        clv_table t;
        cj_clv *days, *seconds;

        diced(&t, 1000, 6);
        days = clv_fit_model(&t, continuous[m], 1);
        for (int64_t i = 0; i < t.n; i++) {
            t.tx[i] *= 86400;
            t.t[i] *= 86400;
        }
        seconds = clv_fit_model(&t, continuous[m], 86400);
        ck_assert_str_eq(clv_status(days), clv_status(seconds));
        expect_close(seconds->loglik, days->loglik, 1e-9);
        for (int32_t p = 0; p < days->n_free; p++) {
            if (strcmp(clv_status(days), "converged") == 0)
                expect_close(seconds->theta[p], days->theta[p], 1e-9);
        }
        cj__clv_free(days);
        cj__clv_free(seconds);
        clv_table_end(&t);
    }
}
END_TEST

START_TEST(test_fit__money_in_any_currency)
{
    clv_table t;
    cj_clv *euros, *yen;

    diced(&t, 1000, 7);
    euros = clv_fit_model(&t, "gammagamma", 1);
    for (int64_t i = 0; i < t.n; i++)
        t.spend[i] *= 128;
    yen = clv_fit_model(&t, "gammagamma", 1);
    for (int32_t p = 0; p < 3; p++)
        expect_close(yen->theta[p], euros->theta[p] * (p == 2 ? 128 : 1), 1e-12);
    expect_close(yen->loglik, euros->loglik - yen->n_customers * log(128), 1e-12);
    cj__clv_free(euros);
    cj__clv_free(yen);
    clv_table_end(&t);
}
END_TEST

/* ---- data that say little
 * -------------------------------------------------------------- */

typedef struct degenerate {
    const char *what;
    double rows[8][4];    /* the first with t < 0 ends them; each 50 times */
    const char *statuses; /* that may be: the first for x = 0 everywhere and so on */
} degenerate;

static const degenerate degenerates[] = {
    {"nobody came back",
     {{0, 0, 100, 0}, {0, 0, 50, 0}, {0, 0, -1, 0}},
     "too_few_repeat_customers"                                                                               },
    {"everybody is the same",
     {{3, 80, 100, 9}, {0, 0, -1, 0}},
     "rates_alike dropout_not_identified not_identified"                                                      },
    {"nobody was there",      {{0, 0, 0, 0}, {0, 0, -1, 0}},                        "too_few_repeat_customers"},
    {"very many purchases",
     {{2000000000, 99, 100, 9}, {1000, 90, 100, 8}, {1, 1, 100, 7}, {0, 0, -1, 0}},
     ""                                                                                                       },
    {"until the last day",
     {{1, 100, 100, 4}, {2, 90, 90, 5}, {0, 0, 80, 0}, {0, 0, -1, 0}},
     ""                                                                                                       },
    {"a moment",
     {{1, 1e-9, 1e-9, 4}, {2, 1e-9, 1e-9, 5}, {0, 0, 1e-9, 0}, {0, 0, -1, 0}},
     ""                                                                                                       },
    {"aeons",
     {{1, 1e14, 1e15, 4}, {2, 1e3, 1e15, 5}, {0, 0, 1e15, 0}, {0, 0, -1, 0}},
     ""                                                                                                       },
};

START_TEST(test_fit__what_says_little_ends_with_a_name)
{
    for (size_t d = 0; d < sizeof degenerates / sizeof degenerates[0]; d++) {
        const degenerate *what = &degenerates[d];

        for (int m = 0; m < N_CONTINUOUS; m++) {
            clv_table t = {0};
            cj_clv *clv;

            for (int i = 0; what->rows[i][2] >= 0; i++) {
                clv_table_add(&t, what->rows[i]);
                t.weight[t.n - 1] = 50;
            }
            clv = clv_fit_model(&t, continuous[m], 1);
            if (what->statuses[0] != '\0')
                ck_assert_msg(strstr(what->statuses, clv_status(clv)) != NULL,
                              "%s, %s: %s", what->what, continuous[m], clv_status(clv));
            cj__clv_free(clv);
            clv_table_end(&t);
        }
    }
}
END_TEST

START_TEST(test_fit__one_customer_or_none)
{
    const cj_clv_fit_options o = {.model = "bgnbd"};
    const cj_clv_data none = {.n = 0};
    clv_table t = {0};
    cj_clv *clv = clv_fit(&none, &o);

    ck_assert_str_eq(clv_status(clv), "no_customers");
    ck_assert_int_eq(clv->has_covariance, 0);
    cj__clv_free(clv);
    clv_table_add(&t, (double[4]){2, 30.43, 38.86, 22});
    clv = clv_fit_model(&t, "bgnbd", 1);
    ck_assert_str_eq(clv_status(clv), "too_few_repeat_customers");
    cj__clv_free(clv);
    t.weight[0] = 0;
    clv = clv_fit_model(&t, "gammagamma", 1);
    ck_assert_str_eq(clv_status(clv), "no_customers");
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

/* Customers who never leave: the models in which they could say so, and are not worse
 * than the model in which they cannot. */
START_TEST(test_fit__nested_models_lose_no_likelihood)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        clv_table t = {0};
        uint64_t dice = seed;
        cj_clv *nbd;

        for (int i = 0; i < 400;
             i++) { /* two kinds; the last purchase is near the end */
            const double rate = i % 3 == 0 ? 8 : 1;
            const double x = floor(rate * (double)(base_random(&dice) % 3));

            clv_table_add(&t, (double[4]){x, x > 0 ? 100 - 10 / x : 0, 100, 0});
        }
        nbd = clv_fit_model(&t, "nbd", 1);
        ck_assert_str_eq(clv_status(nbd), "converged");
        for (int m = 1; m < 4; m++) {
            cj_clv *clv = clv_fit_model(&t, continuous[m], 1);

            ck_assert_msg(strcmp(clv_status(clv), "dropout_not_identified") == 0 ||
                              strcmp(clv_status(clv), "converged") == 0,
                          "%s: %s", continuous[m], clv_status(clv));
            ck_assert_msg(clv->loglik >= nbd->loglik - 1e-6, "%s: %.9f < %.9f",
                          continuous[m], clv->loglik, nbd->loglik);
            if (strcmp(clv_status(clv), "dropout_not_identified") == 0) {
                for (int p = 0; p < 2;
                     p++) { /* the limit is that model, errors and all */
                    expect_close(clv->theta[p], nbd->theta[p], 1e-3);
                    expect_close(cj__clv_std_error(clv, p), cj__clv_std_error(nbd, p),
                                 1e-2);
                }
            }
            cj__clv_free(clv);
        }
        cj__clv_free(nbd);
        clv_table_end(&t);
    }
}
END_TEST

/* ---- options
 * ------------------------------------------------------------------------- */

START_TEST(test_fit__priors_pull_and_let_go)
{
    static const double median[4] = {1, 2, 3, 4}, narrow[4] = {1e-4, 1e-4, 1e-4, 1e-4},
                        wide[4] = {1e5, 1e5, 1e5, 1e5}, half[4] = {0, .1, 0, 0};
    clv_table t;
    cj_clv_data data;
    cj_clv *free_of_it, *clv;
    cj_clv_fit_options o = {.model = "bgnbd", .unit_days = 7, .prior_median = median};

    diced(&t, 1000, 11);
    data = clv_table_data(&t);
    free_of_it = clv_fit_model(&t, "bgnbd", 7);
    o.prior_spread = wide;
    clv = clv_fit(&data, &o);
    expect_close(clv->loglik, free_of_it->loglik, 1e-6);
    cj__clv_free(clv);
    o.prior_spread = narrow;
    clv = clv_fit(&data, &o);
    for (int p = 0; p < 4; p++)
        expect_close(clv->theta[p], median[p], 1e-2);
    ck_assert_double_lt(clv->loglik, free_of_it->loglik);
    cj__clv_free(clv);
    o.prior_spread = half;
    clv = clv_fit(&data, &o); /* alpha is between its median and the maximum */
    ck_assert((clv->theta[1] - median[1]) * (free_of_it->theta[1] - clv->theta[1]) > 0);
    cj__clv_free(clv);
    cj__clv_free(free_of_it);
    clv_table_end(&t);
}
END_TEST

/* With priors even one customer is enough, and nobody at all leaves the prior. */
START_TEST(test_fit__priors_help_small_data)
{
    static const double median[4] = {.5, 10, .8, 2.5}, spread[4] = {.5, .5, .5, .5};
    const cj_clv_fit_options o = {
        .model = "bgnbd", .prior_median = median, .prior_spread = spread};
    clv_table t = {0};
    cj_clv_data data;
    cj_clv *clv;

    clv_table_add(&t, (double[4]){0, 0, 1, 0});
    data = clv_table_data(&t);
    clv = clv_fit(&data, &o);
    ck_assert_str_eq(clv_status(clv), "converged");
    expect_close(clv->theta[0], median[0], .05);
    expect_close(cj__clv_std_error(clv, 1), 10 * .5, .05);
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

START_TEST(test_fit__k_is_found)
{
    clv_table t = {0};
    uint64_t dice = 21;
    cj_clv_data data;
    cj_clv_fit_options o = {.model = "mbgcnbd"};
    cj_clv *clv, *third;

    for (int i = 0; i < 1500; i++) { /* every 20 days or so, for a while */
        const double rate = 1.0 / (15 + (double)(base_random(&dice) % 15));
        const int lives = (int)(base_random(&dice) % 8);
        double now = 0, litt = 0, last = 0;
        int x = 0;

        while (x < lives) {
            double gap = 0; /* Erlang-3 */

            for (int j = 0; j < 3; j++)
                gap -=
                    log(((double)(base_random(&dice) >> 11) + .5) * 0x1p-53) / 3 / rate;
            if (now + gap > 120)
                break;
            now += gap;
            litt += log(gap);
            last = now;
            x++;
        }
        clv_table_add(&t, (double[4]){x, last, 120, 0});
        t.litt[t.n - 1] = litt;
    }
    data = clv_table_data(&t);
    data.litt = t.litt;
    clv = clv_fit(&data, &o);
    ck_assert_int_eq(clv->k, 3);
    ck_assert_int_eq(clv->is_k_chosen, 1);
    o.k = 3;
    third = clv_fit(&data, &o);
    expect_close(third->loglik, clv->loglik, 1e-12);
    o.unit_days = 7; /* all k in one unit, too */
    o.k = 0;
    cj__clv_free(third);
    third = clv_fit(&data, &o);
    ck_assert_int_eq(third->k, 3);
    cj__clv_free(third);
    cj__clv_free(clv);
    clv_table_end(&t);
}
END_TEST

static void expect_refused(const cj_clv_fit_options *o, const cj_clv_data *d,
                           int32_t code, const char *text)
{
    cj_clv *clv = (cj_clv *)(uintptr_t)1;

    ck_assert_int_eq(cj__clv_fit(clv_memory(), d, o, &clv), code);
    ck_assert_ptr_null(clv);
    ck_assert_msg(strstr(cj__error_text(), text) != NULL, "%s", cj__error_text());
}

START_TEST(test_fit__options_that_cannot_be)
{
    static const double one[4] = {1, 1, 1, 1}, minus[4] = {1, -1, 1, 1}, zero[4] = {0};
    const char *same[] = {"a", "a"}, *empty[] = {"", "b"};
    double covariates[2] = {1, 1};
    clv_table t = {0};
    cj_clv_data d;

    clv_table_add(&t, (double[4]){1, 2, 3, 4});
    d = clv_table_data(&t);
#define REFUSED(code, text, ...)                                                       \
    expect_refused(&(cj_clv_fit_options){__VA_ARGS__}, &d, code, text)
    REFUSED(CJ_ENOTFOUND, "did you mean bgnbd", .model = "bgndb");
    REFUSED(CJ_EINVAL, "unit_days", .unit_days = -1);
    REFUSED(CJ_EINVAL, "unit_days", .unit_days = (double)NAN);
    REFUSED(CJ_EINVAL, "threads", .threads = -1);
    REFUSED(CJ_EINVAL, "k of bgnbd is in 1..1", .k = 2);
    REFUSED(CJ_EINVAL, "k of bgcnbd is in 1..24", .model = "bgcnbd", .k = 25);
    REFUSED(CJ_EINVAL, "litt", .model = "bgcnbd");
    REFUSED(CJ_EINVAL, "needs prior_median and", .prior_median = one);
    REFUSED(CJ_EINVAL, "prior_spread of alpha", .prior_median = one,
            .prior_spread = minus);
    REFUSED(CJ_EINVAL, "the prior of r", .prior_median = zero, .prior_spread = one);
    d.covariates = covariates;
    d.n_covariates = 1;
    REFUSED(CJ_EINVAL, "gammagamma takes no covariates", .model = "gammagamma");
    REFUSED(CJ_EINVAL, "covariate 1 (z1) is the same for everybody", .k = 1);
    d.n_covariates = 2;
    d.covariate_names = same;
    REFUSED(CJ_EINVAL, "covariates 1 and 2 have one name", .k = 1);
    d.covariate_names = empty;
    REFUSED(CJ_EINVAL, "the name of covariate 1", .k = 1);
    clv_table_end(&t);
}
END_TEST

/* ---- memory and stopping
 * ----------------------------------------------------------------- */

static int32_t call_fit(const cj__allocator *a)
{
    static const double covariates[4] = {0, 1, 2, 4};
    clv_table t = {0};
    cj_clv_data data;
    cj_clv_fit_options o = {.model = "mbgnbd", .threads = 2};
    cj_clv *clv;
    int32_t rc;

    for (int i = 0; i < 4; i++)
        clv_table_add(&t, (double[4]){i, i * 10, 30 + i, 0});
    for (int64_t i = 0; i < 4; i++)
        t.weight[i] = 10;
    data = clv_table_data(&t);
    data.covariates = covariates;
    data.n_covariates = 1;
    rc = cj__clv_fit(a, &data, &o, &clv);
    ck_assert((rc == CJ_OK) == (clv != NULL));
    cj__clv_free(clv);
    clv_table_end(&t);
    return rc;
}

static int32_t call_fit_sample(const cj__allocator *a)
{
    static clv_table t;
    cj_clv_data data;
    const cj_clv_fit_options o = {.model = "nbd"};
    cj_clv *clv;
    int32_t rc;

    if (t.n == 0) {
        for (int i = 0; i < 40000; i++)
            clv_table_add(&t, (double[4]){i % 4, i % 4 > 0 ? 1 : 0, 30 + i * 1e-3, 0});
    }
    data = clv_table_data(&t);
    rc = cj__clv_fit(a, &data, &o, &clv);
    cj__clv_free(clv);
    return rc;
}

START_TEST(test_fit__no_memory)
{
    base_memory_faults(call_fit);
    base_memory_faults(call_fit_sample);
}
END_TEST

static void *counting(void *user, void *ptr, uint64_t old_bytes, uint64_t new_bytes)
{
    int64_t *bytes = user; /* now, at most */

    bytes[0] += (int64_t)new_bytes - (int64_t)old_bytes;
    if (bytes[0] > bytes[1])
        bytes[1] = bytes[0];
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, (size_t)new_bytes);
}

START_TEST(test_fit__32_bytes_per_customer)
{
    const cj_clv_fit_options o = {.model = "bgnbd"};
    int64_t bytes[2] = {0, 0};
    const cj__allocator a = {counting, bytes};
    clv_table t = {0};
    cj_clv_data data;
    cj_clv *clv;

    for (int i = 0; i < 300000; i++)
        clv_table_add(
            &t, (double[4]){i % 4, i % 4 > 0 ? 1 + i * 1e-6 : 0, 30 + i * 1e-5, 0});
    data = clv_table_data(&t);
    ck_assert_int_eq(cj__clv_fit(&a, &data, &o, &clv), CJ_OK);
    ck_assert_int_eq(clv->n_groups, t.n);
    ck_assert_msg(bytes[1] <= 32 * t.n, "%.2f bytes", (double)bytes[1] / (double)t.n);
    cj__clv_free(clv);
    ck_assert_int_eq(bytes[0], 0);
    clv_table_end(&t);
}
END_TEST

static int32_t stop_at(void *user, int64_t done, int64_t total)
{
    ck_assert_int_eq(total, 0);
    return done >= *(int *)user;
}

START_TEST(test_fit__can_be_stopped)
{
    clv_table t;
    cj_clv_data data;

    diced(&t, 1000, 31);
    data = clv_table_data(&t);
    for (int at = 1; at <= 5; at++)
        expect_refused(&(cj_clv_fit_options){.progress = stop_at, .progress_user = &at},
                       &data, CJ_EINTERRUPT, "stopped");
    clv_table_end(&t);
}
END_TEST

HARNESS_MAIN("metrics_clv_fit", test_fit__every_maximum_of_the_oracle,
             test_fit__nbd_and_regular_times_of_cdnow, test_fit__order_does_not_matter,
             test_fit__grouping_does_not_matter, test_fit__threads_do_not_matter,
             test_fit__the_unit_is_only_a_unit, test_fit__data_in_any_unit,
             test_fit__money_in_any_currency,
             test_fit__what_says_little_ends_with_a_name,
             test_fit__one_customer_or_none, test_fit__nested_models_lose_no_likelihood,
             test_fit__priors_pull_and_let_go, test_fit__priors_help_small_data,
             test_fit__k_is_found, test_fit__options_that_cannot_be,
             test_fit__no_memory, test_fit__32_bytes_per_customer,
             test_fit__can_be_stopped)
