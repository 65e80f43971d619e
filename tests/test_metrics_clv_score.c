/* Scores by saved models, from outside: what a model says is what is written; horizons
 * and discounts in order; lack of memory leaves nothing behind.  The numbers themselves
 * are checked against the oracle in test_clv_refresh.py. */
#include "harness.h"
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const orders = "ann 2024-01-01 order 10.00\n"
                                  "ann 2024-01-11 order 20.00\n"
                                  "ann 2024-02-11 order 30.00\n"
                                  "bob 2024-01-05 order 5.00\n"
                                  "cid 2024-02-05 order 5.00\n"
                                  "cid 2024-03-05 order 7.00\n"
                                  "dan 2024-01-02 order 50.00\n";

/* The rest of what a model says of itself, as if it had been fitted. */
#define REST                                                                           \
    ",\"std_errors\":{},\"loglik\":-10,\"status\":\"converged\",\"n_rows\":4,"         \
    "\"n_groups\":4,\"n_customers\":4,\"n_repeaters\":2}"

static void save(shop *s, const char *name, const char *json)
{
    cj_clv *clv;

    expect_ok(cj_clv_from_json(json, -1, &clv));
    expect_ok(cj_clv_save(s->db, name, clv));
    cj_clv_free(clv);
}

static void open_scored(shop *s)
{
    shop_open(s, "UTC", 0);
    shop_events(s, orders);
    save(s, "buying",
         "{\"format\":1,\"model\":\"bgnbd\",\"unit_days\":7,\"k\":1,\"params\":{\"r\":"
         "0.25,"
         "\"alpha\":4.5,\"a\":0.75,\"b\":2.5}" REST);
    save(
        s, "alive",
        "{\"format\":1,\"model\":\"nbd\",\"unit_days\":1,\"k\":1,\"params\":{\"r\":0.5,"
        "\"alpha\":30}" REST);
    save(s, "spending",
         "{\"format\":1,\"model\":\"gammagamma\",\"unit_days\":1,\"k\":1,\"params\":{"
         "\"p\":6,\"q\":4,\"v\":15}" REST);
}

static double trait(shop *s, const char *customer, const char *name)
{
    const int64_t *names, *values;
    double value = -1;
    cj_table *t;

    expect_ok(cj_profile_traits(s->db, shop_who(s, customer),
                                shop_time(s, "2099-01-01"), &t));
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        const char *text = cj_table_text(t, 0, &names);
        char digits[64];

        if (strncmp(text + names[i], name, strlen(name)) != 0)
            continue;
        text = cj_table_text(t, 1, &values);
        (void)snprintf(digits, sizeof digits, "%.*s", (int)(values[i + 1] - values[i]),
                       text + values[i]);
        value = strtod(digits, NULL);
    }
    cj_table_free(t);
    return value;
}

static cj_clv_refresh_options options(shop *s, const char *model, const char *spend)
{
    return (cj_clv_refresh_options){.struct_size = sizeof(cj_clv_refresh_options),
                                    .as_of_ms = shop_time(s, "2024-04-01"),
                                    .model = model,
                                    .spend = spend};
}

/* NBD has closed forms: everybody stays, and (r + x) / (alpha + T) purchases a day. */
START_TEST(test_score__by_a_model_that_is_known)
{
    cj_clv_refresh_options o;
    cj_clv_refresh_result r = {.struct_size = sizeof r};
    shop s;

    open_scored(&s);
    o = options(&s, "alive", "spending");
    expect_ok(cj_clv_refresh(s.db, &o, &r));
    ck_assert_int_eq(r.n_scored, 4);
    ck_assert_int_eq(r.is_whole, 1);
    /* ann: x 2, T 90 days; spend (25 * 2 + 15) * 6 / (6 * 2 + 3) */
    ck_assert_double_eq(trait(&s, "ann", "p_alive"), 1);
    ck_assert_double_eq_tol(trait(&s, "ann", "expected_12m"), 2.5 / 120 * 365.2425,
                            1e-6);
    ck_assert_double_eq_tol(trait(&s, "ann", "clv_12m"), 2.5 / 120 * 365.2425 * 26,
                            0.005);
    /* bob: nothing but the first purchase: the mean of all, 6 * 15 / 3 */
    ck_assert_double_eq_tol(trait(&s, "bob", "clv_12m"), 0.5 / 116 * 365.2425 * 30,
                            0.006);
    shop_close(&s);
}
END_TEST

START_TEST(test_score__horizons_and_discounts_are_in_order)
{
    double expected = 0, value = 0, undiscounted;
    cj_clv_refresh_options o;
    char name[32];
    shop s;

    open_scored(&s);
    o = options(&s, "buying", "spending");
    o.discount_ratio = 0.2;
    for (o.months = 1; o.months <= 36; o.months += 5) {
        expect_ok(cj_clv_refresh(s.db, &o, NULL));
        (void)snprintf(name, sizeof name, "expected_%dm", o.months);
        ck_assert_double_gt(trait(&s, "ann", name), expected);
        expected = trait(&s, "ann", name);
        (void)snprintf(name, sizeof name, "clv_%dm", o.months);
        ck_assert_double_gt(trait(&s, "ann", name), value);
        value = trait(&s, "ann", name);
        ck_assert_double_ge(trait(&s, "bob", name), 0);
    }
    o.months = 36;
    o.discount_ratio = 0;
    expect_ok(cj_clv_refresh(s.db, &o, NULL));
    undiscounted = trait(&s, "ann", "clv_36m");
    o.discount_ratio = 0.2;
    expect_ok(cj_clv_refresh(s.db, &o, NULL));
    ck_assert_double_lt(trait(&s, "ann", "clv_36m"), undiscounted);
    ck_assert_double_gt(trait(&s, "ann", "clv_36m"), undiscounted / 1.728); /* 1.2^3 */
    ck_assert_double_gt(trait(&s, "ann", "p_alive"), 0);
    ck_assert_double_lt(trait(&s, "ann", "p_alive"), 1);
    o.spend = NULL;
    o.months = 7;
    expect_ok(cj_clv_refresh(s.db, &o, NULL));
    ck_assert_double_eq(trait(&s, "ann", "clv_7m"), -1); /* not there */
    shop_close(&s);
}
END_TEST

START_TEST(test_score__saving_a_model_again_scores_everybody)
{
    cj_clv_refresh_options o;
    cj_clv_refresh_result r = {.struct_size = sizeof r};
    double before;
    shop s;

    open_scored(&s);
    o = options(&s, "buying", NULL);
    expect_ok(cj_clv_refresh(s.db, &o, &r));
    expect_ok(cj_clv_refresh(s.db, &o, &r));
    ck_assert_int_eq(r.n_scored, 0);
    before = trait(&s, "ann", "p_alive");
    save(&s, "buying",
         "{\"format\":1,\"model\":\"bgnbd\",\"unit_days\":7,\"k\":1,\"params\":{\"r\":"
         "0.25,"
         "\"alpha\":4.5,\"a\":1.75,\"b\":2.5}" REST);
    expect_ok(cj_clv_refresh(s.db, &o, &r));
    ck_assert_int_eq(r.n_scored, 4);
    ck_assert_double_lt(trait(&s, "ann", "p_alive"), before); /* they drop out sooner */
    shop_close(&s);
}
END_TEST

START_TEST(test_score__survives_lack_of_memory)
{
    cj_clv_refresh_options o;
    int32_t rc = CJ_ENOMEM;
    shop s;

    open_scored(&s);
    o = options(&s, "buying", "spending");
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_clv_refresh(s.db, &o, NULL);
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || rc == CJ_ENOMEM);
        if (rc != CJ_OK)
            ck_assert_double_eq(trait(&s, "ann", "p_alive"), -1);
    }
    ck_assert_double_gt(trait(&s, "ann", "p_alive"), 0);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("metrics_clv_score", test_score__by_a_model_that_is_known,
             test_score__horizons_and_discounts_are_in_order,
             test_score__saving_a_model_again_scores_everybody,
             test_score__survives_lack_of_memory)
