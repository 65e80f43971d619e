/* Concentration of value by hand, and its properties: shares rise with the share of
 * customers, the unit and the order do not matter. */
#include "harness.h"
#include "shop.h"

#include <math.h>
#include <string.h>

START_TEST(test_concentration__by_hand)
{
    const int64_t minor[] = {100, 400, 200, 100, 200};
    const double same[] = {2.5, 2.5, 2.5, 2.5};
    cj_table *t;

    expect_ok(cj_value_concentration(minor, NULL, 5, &t));
    /* sorted 400 200 200 100 100: 1 4 6 -> W = 400 + 400 + 600 + 400 + 500 = 2300;
     * G = (6 - 2 * 2300 / 1000) / 5 */
    expect_table(t, "measure customers value_minor value ratio\n"
                    "top 1 % 1 400 400 0.4\n"
                    "top 5 % 1 400 400 0.4\n"
                    "top 10 % 1 400 400 0.4\n"
                    "top 20 % 1 400 400 0.4\n"
                    "top 50 % 3 800 800 0.8\n"
                    "all 5 1000 1000 1\n"
                    "half of the value 2 600 600 0.6\n"
                    "gini 5 - - 0.28\n");
    expect_ok(cj_value_concentration(NULL, same, 4, &t));
    expect_table(t, "measure customers value_minor value ratio\n"
                    "top 1 % 1 - 2.5 0.25\n"
                    "top 5 % 1 - 2.5 0.25\n"
                    "top 10 % 1 - 2.5 0.25\n"
                    "top 20 % 1 - 2.5 0.25\n"
                    "top 50 % 2 - 5 0.5\n"
                    "all 4 - 10 1\n"
                    "half of the value 2 - 5 0.5\n"
                    "gini 4 - - 0\n");
}
END_TEST

START_TEST(test_concentration__of_nobody_and_nothing)
{
    const int64_t zero[] = {0, 0};
    cj_table *t;

    expect_ok(cj_value_concentration(zero, NULL, 0, &t));
    expect_table(t, "measure customers value_minor value ratio\n"
                    "top 1 % 0 0 0 -\n"
                    "top 5 % 0 0 0 -\n"
                    "top 10 % 0 0 0 -\n"
                    "top 20 % 0 0 0 -\n"
                    "top 50 % 0 0 0 -\n"
                    "all 0 0 0 -\n"
                    "half of the value 0 0 0 -\n"
                    "gini 0 - - -\n");
    expect_ok(cj_value_concentration(zero, NULL, 2, &t));
    ck_assert(cj_table_validity(t, 4) != NULL);
    ck_assert_int_eq(cj_table_int64(t, 1)[5], 2);
    cj_table_free(t);
}
END_TEST

START_TEST(test_concentration__properties)
{
    enum { N = 1000 };
    int64_t minor[N], other[N];
    double value[N];
    uint64_t dice = 3;
    cj_table *a, *b, *c;

    for (int i = 0; i < N; i++)
        minor[i] = (int64_t)(api_random(&dice) % 100000) * (i % 7 == 0 ? 50 : 1);
    for (int i = 0; i < N; i++) {
        other[N - 1 - i] = minor[i];
        value[i] = (double)minor[i] / 100;
    }
    expect_ok(cj_value_concentration(minor, NULL, N, &a));
    expect_ok(cj_value_concentration(other, NULL, N, &b));
    expect_ok(cj_value_concentration(NULL, value, N, &c));
    for (int64_t i = 0; i < cj_table_rows(a); i++) {
        ck_assert_double_eq(cj_table_double(a, 4)[i], cj_table_double(b, 4)[i]);
        ck_assert_double_eq_tol(cj_table_double(a, 4)[i], cj_table_double(c, 4)[i],
                                1e-12);
        ck_assert_int_eq(cj_table_int64(a, 1)[i], cj_table_int64(c, 1)[i]);
        if (i > 0 && i < 6)
            ck_assert_double_ge(cj_table_double(a, 4)[i], cj_table_double(a, 4)[i - 1]);
    }
    ck_assert_int_eq(cj_table_int64(a, 1)[0], 10);
    ck_assert_int_eq(cj_table_int64(a, 1)[3], 200);
    ck_assert_double_ge(cj_table_double(a, 4)[6], 0.5);
    cj_table_free(a);
    cj_table_free(b);
    cj_table_free(c);
}
END_TEST

START_TEST(test_concentration__wrong_questions)
{
    const int64_t much[] = {INT64_MAX, 1};
    const double odd[] = {1, INFINITY};
    cj_table *t;

    expect_error_is(cj_value_concentration(much, NULL, 2, &t), CJ_ELIMIT, -1,
                    "the value of all customers is beyond int64");
    expect_error_is(cj_value_concentration(NULL, odd, 2, &t), CJ_EINVAL, 1,
                    "a value is not finite");
    expect_error_is(cj_value_concentration(much, odd, 2, &t), CJ_EMISUSE, -1,
                    "give minor or value, and n of it");
    expect_error_is(cj_value_concentration(NULL, NULL, 0, &t), CJ_EMISUSE, -1,
                    "give minor or value, and n of it");
    expect_error_is(cj_value_concentration(much, NULL, -1, &t), CJ_EMISUSE, -1,
                    "give minor or value, and n of it");
    expect_error_is(cj_value_concentration(much, NULL, 1, NULL), CJ_EMISUSE, -1,
                    "out is NULL");
    ck_assert_ptr_null(t);
}
END_TEST

HARNESS_MAIN("metrics_concentration", test_concentration__by_hand,
             test_concentration__of_nobody_and_nothing, test_concentration__properties,
             test_concentration__wrong_questions)
