/* Rows that no customer can have: each is refused with its number and the reason, and
 * what stands at the edge of what can be is not. */
#include "clv_fits.h"

#include "harness.h"

#include <math.h>
#include <string.h>

#define MUCH 1e300

static const struct {
    const char *model;
    double row[4]; /* x tx t spend */
    double weight;
    const char *wrong; /* NULL: it can be */
} rows[] = {
    {"bgnbd",      {0, 0, 0, 0},            1,           NULL                            },
    {"bgnbd",      {0, 0, 39, 0},           1,           NULL                            },
    {"bgnbd",      {3, 39, 39, 0},          .5,          NULL                            },
    {"bgnbd",      {2147483647, 1, 2, 0},   0,           NULL                            },
    {"bgnbd",      {-1, 0, 39, 0},          1,           "x is negative"                 },
    {"bgnbd",      {2147483648, 1, 2, 0},   1,           "beyond 2,147,483,647"          },
    {"bgnbd",      {0, 0, -1, 0},           1,           "T is negative"                 },
    {"bgnbd",      {0, 0, (double)NAN, 0},  1,           "T is negative, not a number"   },
    {"bgnbd",      {0, 0, HUGE_VAL, 0},     1,           "T is"                          },
    {"bgnbd",      {1, 40, 39, 0},          1,           "tx is not in [0, T]"           },
    {"bgnbd",      {1, -1, 39, 0},          1,           "tx is not in [0, T]"           },
    {"bgnbd",      {1, (double)NAN, 39, 0}, 1,           "tx is not in [0, T]"           },
    {"bgnbd",      {0, 3, 39, 0},           1,           "no repeat purchase has no time"},
    {"bgnbd",      {2, 0, 39, 0},           1,           "come after the first"          },
    {"bgnbd",      {2, 3, 39, 0},           -1,          "the weight is negative"        },
    {"bgnbd",      {2, 3, 39, 0},           (double)NAN, "the weight"                    },
    {"bgnbd",      {2, 3, 39, 0},           MUCH,        "beyond 1e12"                   },
    {"paretonbd",  {2, 0, 39, 0},           1,           "come after the first"          },
    {"nbd",        {1, 40, 39, 0},          1,           "tx is not in [0, T]"           },
    {"gammagamma", {0, 0, 0, -5},           1,           NULL                            },
    {"gammagamma", {2, 0, 0, 1e-9},         1,           NULL                            },
    {"gammagamma", {2, 0, 0, 0},            1,           "spend is not positive"         },
    {"gammagamma", {2, 0, 0, -3},           1,           "spend is not positive"         },
    {"gammagamma", {2, 0, 0, (double)NAN},  1,           "spend is not positive"         },
    {"bgbb",       {0, 0, 6, 0},            1,           NULL                            },
    {"bgbb",       {6, 6, 6, 0},            1,           NULL                            },
    {"bgbb",       {2, 1, 6, 0},            1,           "tx is not a whole number"      },
    {"bgbb",       {2, 7, 6, 0},            1,           "tx is not a whole number"      },
    {"bgbb",       {2, 2.5, 6, 0},          1,           "tx is not a whole number"      },
    {"bgbb",       {2, 3, 6.5, 0},          1,           "t is not a whole number"       },
    {"bgbb",       {0, 3, 6, 0},            1,           "no transaction has no time"    },
    {"sbg",        {0, 0, 0, 0},            1,           NULL                            },
    {"sbg",        {1, 0, 1, 0},            1,           NULL                            },
    {"sbg",        {2, 0, 7, 0},            1,           "neither 0 (still there) nor 1" },
    {"sbg",        {1, 0, 0, 0},            1,           "from 1 where x is 1"           },
    {"bdw",        {0, 0, 1.5, 0},          1,           "t is not a whole number"       },
};

static const cj__clv_model *model_of(const char *name)
{
    const cj__clv_model *model;

    ck_assert_int_eq(cj__clv_model_find(name, &model), CJ_OK);
    return model;
}

START_TEST(test_check__each_wrong_row_has_its_number_and_reason)
{
    static const double good[5][4] = {
        [CJ__CLV_CONTINUOUS] = {1, 2, 3, 4},
        [CJ__CLV_DISCRETE] = {1, 2, 3, 4},
        [CJ__CLV_SPEND] = {1, 2, 3, 4},
        [CJ__CLV_CONTRACT] = {1, 2, 3, 4}
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const cj__clv_model *model = model_of(rows[i].model);
        const int64_t place = (int64_t)(i % 4);
        clv_table t = {0};
        cj_clv_data data;
        int32_t rc;

        for (int64_t j = 0; j < 5; j++) {
            clv_table_add(&t, j == place ? rows[i].row : good[model->family]);
            if (j == place)
                t.weight[j] = rows[i].weight;
        }
        data = clv_table_data(&t);
        rc = cj__clv_data_check(model, &data);
        if (rows[i].wrong == NULL) {
            ck_assert_msg(rc == CJ_OK, "%zu: %s", i, cj__error_text());
        } else {
            ck_assert_msg(rc == CJ_EINVAL, "%zu: %s", i, rows[i].wrong);
            ck_assert_msg(strstr(cj__error_text(), rows[i].wrong) != NULL, "%s",
                          cj__error_text());
            ck_assert_int_eq(cj__error_position(), place);
        }
        clv_table_end(&t);
    }
}
END_TEST

/* A later row is not looked at before an earlier one. */
START_TEST(test_check__the_first_wrong_row)
{
    clv_table t = {0};
    cj_clv_data data;

    for (int i = 0; i < 100; i++)
        clv_table_add(&t, (double[4]){i == 40 || i == 70 ? -1 : 1, 1, 2, 0});
    data = clv_table_data(&t);
    ck_assert_int_eq(cj__clv_data_check(model_of("nbd"), &data), CJ_EINVAL);
    ck_assert_int_eq(cj__error_position(), 40);
    ck_assert_int_eq(strncmp(cj__error_text(), "row 40: ", 8), 0);
    clv_table_end(&t);
}
END_TEST

static void expect_column(const char *model, cj_clv_data data, int32_t code,
                          const char *text)
{
    ck_assert_int_eq(cj__clv_data_check(model_of(model), &data), code);
    if (code != CJ_OK)
        ck_assert_msg(strstr(cj__error_text(), text) != NULL, "%s", cj__error_text());
}

START_TEST(test_check__columns_that_are_not_there)
{
    const int64_t x[1] = {1};
    const double one[1] = {1}, wrong[1] = {(double)NAN};
    const cj_clv_data none = {.n = 1}, only_x = {.n = 1, .x = x};
    const cj_clv_data with_t = {.n = 1, .x = x, .t = one}, empty = {.n = 0};
    cj_clv_data all = {.n = 1, .x = x, .tx = one, .t = one, .spend = one};

    expect_column("bgnbd", empty, CJ_OK, "");
    expect_column("bgnbd", none, CJ_EINVAL, "bgnbd needs the column x");
    expect_column("bgnbd", only_x, CJ_EINVAL, "bgnbd needs the column tx");
    expect_column("bgbb", with_t, CJ_EINVAL, "bgbb needs the column tx");
    expect_column("sbg", only_x, CJ_EINVAL, "sbg needs the column t");
    expect_column("sbg", with_t, CJ_OK, "");
    expect_column("gammagamma", with_t, CJ_EINVAL, "gammagamma needs the column spend");
    expect_column("bgnbd", (cj_clv_data){.n = -1}, CJ_EMISUSE, "n is negative");
    expect_column("bgnbd", (cj_clv_data){.n = 4294967295}, CJ_ELIMIT, "the limit is");
    all.n_covariates = 1;
    expect_column("bgnbd", all, CJ_EMISUSE, "covariates");
    all.covariates = wrong;
    expect_column("bgnbd", all, CJ_EINVAL, "row 0: a covariate is not a number");
    all.n_covariates = 17;
    expect_column("bgnbd", all, CJ_ELIMIT, "17 covariates, the limit is 16");
    all.n_covariates = 0;
    all.litt = wrong;
    expect_column("bgnbd", all, CJ_EINVAL, "litt is not a finite number");
}
END_TEST

HARNESS_MAIN("metrics_clv_check", test_check__each_wrong_row_has_its_number_and_reason,
             test_check__the_first_wrong_row, test_check__columns_that_are_not_there)
