/* The fold alone, over columns made by hand, and the bytes of its partial. */
#include "metrics/rfm.h"

#include "harness.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)

typedef struct fold_case {
    cj__ctx cx;
    cj__zone *zone;
    cj__rfm_fold fold;
    cj__str partial;
    uint32_t name[64];
    int64_t time_ms[64], value[64];
    uint8_t has_value[64];
    int64_t n;
} fold_case;

static void case_begin(fold_case *c, const char *zone)
{
    memset(c, 0, sizeof *c);
    cj__ctx_init(&c->cx, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__zone_open(&c->cx.allocator, zone, &c->zone), CJ_OK);
    ck_assert_int_eq(cj__days_init(&c->fold.days, &c->cx.allocator, c->zone, INT64_MIN,
                                   INT64_C(1735689600000)),
                     CJ_OK);
    cj__str_init(&c->partial, &c->cx.allocator, 1 << 20);
}

static void case_end(fold_case *c)
{
    cj__str_end(&c->partial);
    cj__days_end(&c->fold.days);
    cj__zone_end(c->zone);
}

static void case_add(fold_case *c, uint32_t name, int64_t time_ms, int64_t value)
{
    c->name[c->n] = name;
    c->time_ms[c->n] = time_ms;
    c->value[c->n] = value;
    c->has_value[c->n++] = 1;
}

static int32_t case_fold(fold_case *c, uint32_t profile, int64_t first, int64_t n)
{
    const cj__columns columns = {.n = c->n,
                                 .name = c->name,
                                 .time_ms = c->time_ms,
                                 .value_minor = c->value,
                                 .has_value = c->has_value};

    return cj__rfm_profile(&c->fold, &c->partial, profile, &columns, first, n);
}

static cj__rfm_fact case_fact(const fold_case *c, int64_t i)
{
    cj__rfm_fact fact;

    ck_assert_int_eq(cj__rfm_facts_read(&c->partial, i, 1, &fact), CJ_OK);
    return fact;
}

START_TEST(test_rfm_fold__bytes_of_version_1)
{
    static const uint8_t want[] = {
        0x04, 0x03, 0x02, 0x01, 1,    0, 0, 0, 2,    0,    0, 0, 1, 0, 0, 0,
        0x88, 0x77, 0x66, 0x55, 0x01, 0, 0, 0, 0x2c, 0x01, 0, 0, 0, 0, 0, 0};
    fold_case c;

    case_begin(&c, "UTC");
    c.fold.repeat_days = 1;
    case_add(&c, CJ__NAME_ORDER, 0x155667780, 100);
    case_add(&c, CJ__NAME_ORDER, 0x155667788, 200);
    ck_assert_int_eq(case_fold(&c, 0x01020304, 0, 2), CJ_OK);
    ck_assert_uint_eq(c.partial.n, sizeof want);
    ck_assert_mem_eq(c.partial.data, want, sizeof want);
    c.partial.data[4] = 2;
    ck_assert_int_eq(cj__rfm_facts_read(&c.partial, 0, 1, &(cj__rfm_fact){0}),
                     CJ_EVERSION);
    case_end(&c);
}
END_TEST

START_TEST(test_rfm_fold__what_counts)
{
    fold_case c;

    case_begin(&c, "UTC");
    case_add(&c, CJ__NAME_REFUND, 1000, -50);
    case_add(&c, CJ__NAME_ORDER, 2000, 300);
    case_add(&c, 9, 3000, 77); /* a view with a value is no purchase */
    case_add(&c, CJ__NAME_ORDER, 4000, 0);
    case_add(&c, CJ__NAME_ORDER, 5000, -20); /* negative: kept, no purchase */
    case_add(&c, CJ__NAME_ORDER, 6000, 40);
    c.has_value[5] = 0;
    case_add(&c, CJ__NAME_REFUND, 7000, -1);

    ck_assert_int_eq(case_fold(&c, 5, 0, c.n), CJ_OK);
    c.fold.net = 1;
    ck_assert_int_eq(case_fold(&c, 6, 0, c.n), CJ_OK);
    ck_assert_int_eq(case_fold(&c, 7, 0, 1), CJ_OK); /* only a refund: absent */
    ck_assert_int_eq(case_fold(&c, 8, 2, 5), CJ_OK); /* no positive order: absent */
    ck_assert_int_eq(case_fold(&c, 9, 1, 1), CJ_OK);
    ck_assert_uint_eq(c.partial.n, (size_t)3 * CJ__RFM_FACT_BYTES);

    ck_assert_uint_eq(case_fact(&c, 0).profile, 5);
    ck_assert_uint_eq(case_fact(&c, 0).n_orders, 1);
    ck_assert_int_eq(case_fact(&c, 0).last_ms, 2000);
    ck_assert_int_eq(case_fact(&c, 0).sum_minor, 300);
    ck_assert_uint_eq(case_fact(&c, 0).n_days, 0);
    ck_assert_int_eq(case_fact(&c, 1).sum_minor, 300 - 50 - 20 - 1);
    ck_assert_uint_eq(case_fact(&c, 2).profile, 9);
    case_end(&c);
}
END_TEST

START_TEST(test_rfm_fold__distinct_days)
{
    const int64_t noon = INT64_C(1717243200000); /* 2024-06-01T12:00Z */
    fold_case c;

    case_begin(&c, "Europe/Berlin");
    c.fold.repeat_days = 1;
    case_add(&c, CJ__NAME_ORDER, noon, 1);
    case_add(&c, CJ__NAME_ORDER, noon + 9 * HOUR_MS, 1);      /* 23:00: the same */
    case_add(&c, CJ__NAME_ORDER, noon + 10 * HOUR_MS - 1, 1); /* the same */
    case_add(&c, CJ__NAME_ORDER, noon + 10 * HOUR_MS, 1);     /* midnight */
    case_add(&c, CJ__NAME_ORDER, noon + 34 * HOUR_MS, 0);     /* no purchase */
    case_add(&c, CJ__NAME_ORDER, noon + 240 * HOUR_MS, 1);
    ck_assert_int_eq(case_fold(&c, 1, 0, c.n), CJ_OK);
    ck_assert_uint_eq(case_fact(&c, 0).n_days, 3);
    ck_assert_uint_eq(case_fact(&c, 0).n_orders, 5);
    case_end(&c);
}
END_TEST

/* St John's set its clock back at 00:01 until 2011: 2010-11-07 began, the 6th came back
 * for 59 minutes, the 7th began again. */
START_TEST(test_rfm_fold__a_day_that_begins_twice)
{
    fold_case c;
    int64_t change, day;

    case_begin(&c, "America/St_Johns");
    day = cj__civil_to_day(2010, 11, 7);
    change = cj__zone_day_start(c.zone, day) + 60000; /* 00:01, back to 23:01 */
    ck_assert_int_eq(cj__zone_day(c.zone, change - 1), day);
    ck_assert_int_eq(cj__zone_day(c.zone, change), day - 1);
    ck_assert_int_eq(cj__zone_day(c.zone, change + HOUR_MS), day);
    c.fold.repeat_days = 1;
    case_add(&c, CJ__NAME_ORDER, change - HOUR_MS, 1);
    case_add(&c, CJ__NAME_ORDER, change - 1, 1);
    case_add(&c, CJ__NAME_ORDER, change, 1);
    case_add(&c, CJ__NAME_ORDER, change + HOUR_MS, 1);
    ck_assert_int_eq(case_fold(&c, 1, 0, c.n), CJ_OK);
    ck_assert_uint_eq(case_fact(&c, 0).n_days, 2);
    case_end(&c);
}
END_TEST

START_TEST(test_rfm_fold__sums_do_not_wrap)
{
    fold_case c;

    case_begin(&c, "UTC");
    case_add(&c, CJ__NAME_ORDER, 1, INT64_MAX);
    case_add(&c, CJ__NAME_REFUND, 2, -5);
    case_add(&c, CJ__NAME_ORDER, 3, 5);
    case_add(&c, CJ__NAME_ORDER, 4, 1);
    ck_assert_int_eq(case_fold(&c, 1, 0, 2), CJ_OK);
    ck_assert_int_eq(case_fold(&c, 2, 0, 3), CJ_ELIMIT); /* gross */
    c.fold.net = 1;
    ck_assert_int_eq(case_fold(&c, 3, 0, 3), CJ_OK);
    ck_assert_int_eq(case_fact(&c, 1).sum_minor, INT64_MAX);
    ck_assert_int_eq(case_fold(&c, 4, 0, 4), CJ_ELIMIT);
    ck_assert_str_eq(cj_errmsg(), "the orders of profile 4 sum up beyond int64");
    case_end(&c);
}
END_TEST

/* ---- events in any order ------------------------------------------------------------
 */

enum { N_STATES = 9 };

/* Add the case's events in two batches to the states at their places; of these, place 0
 * is nobody's, and the others are those of profiles 108, 107, ... 100. */
static int32_t states_keep(const fold_case *c, const uint32_t *place, cj__str *partial)
{
    cj__rfm_state states[N_STATES + 1];
    uint32_t profile[N_STATES], at[N_STATES];

    memset(states, 0, sizeof states);
    for (int64_t half = 1; half >= 0; half--) { /* the later events first */
        int64_t from = half * (c->n / 2), n = half ? c->n - c->n / 2 : c->n / 2;
        int64_t time_ms[64], value[64];

        memcpy(time_ms, c->time_ms + from, (size_t)n * sizeof *time_ms);
        memcpy(value, c->value + from, (size_t)n * sizeof *value);
        cj__rfm_states.add(
            &c->fold, states, place + from,
            &(cj__columns){.n = n, .time_ms = time_ms, .value_minor = value});
    }
    for (uint32_t i = 0; i < N_STATES; i++) {
        profile[i] = 100 + i;
        at[i] = N_STATES - i;
    }
    return cj__rfm_states.keep(&c->fold, partial, states, profile, at, N_STATES);
}

static void case_random(fold_case *c, uint64_t *random)
{
    c->n = 0;
    for (int i = 0; i < 64; i++) {
        uint64_t dice = *random = *random * 6364136223846793005u + 1442695040888963407u;
        int is_refund = dice >> 60 < 4;
        int64_t value = (int64_t)(dice >> 40 & 0xFFF);

        if (dice >> 50 % 16 == 3)
            value = INT64_MAX / 3;
        case_add(c, is_refund ? CJ__NAME_REFUND : CJ__NAME_ORDER, i * 1000 - 20000,
                 is_refund || dice >> 36 % 8 == 0 ? -value : value);
    }
}

START_TEST(test_rfm_fold__states_keep_what_profiles_do)
{
    uint64_t random = 5;
    fold_case c;

    case_begin(&c, "UTC");
    for (int round = 0; round < 500; round++) {
        uint32_t place[64];
        int32_t rc = CJ_OK, got;
        cj__str partial;
        fold_case one;

        case_random(&c, &random);
        c.fold.net = round % 2;
        cj__str_clear(&c.partial);
        for (int i = 0; i < 64; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            place[i] = (uint32_t)(random >> 33) % (N_STATES + 1);
        }
        for (uint32_t k = 0; k < N_STATES && rc == CJ_OK; k++) {
            one = c;
            one.n = 0;
            for (int i = 0; i < 64; i++) {
                if (place[i] == N_STATES - k)
                    case_add(&one, c.name[i], c.time_ms[i], c.value[i]);
            }
            rc = case_fold(&one, 100 + k, 0, one.n);
            c.partial = one.partial;
        }
        cj__str_init(&partial, &c.cx.allocator, 1 << 20);
        got = states_keep(&c, place, &partial);
        ck_assert_int_eq(got, rc);
        if (rc == CJ_OK) {
            ck_assert_uint_eq(partial.n, c.partial.n);
            ck_assert_int_eq(memcmp(partial.data, c.partial.data, partial.n), 0);
        }
        cj__str_end(&partial);
    }
    case_end(&c);
}
END_TEST

/* A sum may leave int64 and come back, in any order. */
START_TEST(test_rfm_fold__states_may_wrap_on_their_way)
{
    static const uint32_t place[64] = {0};
    cj__rfm_state state = {0};
    const uint32_t profile = 4, first = 0;
    fold_case c;

    case_begin(&c, "UTC");
    c.fold.net = 1;
    for (int i = 0; i < 8; i++)
        case_add(&c, CJ__NAME_ORDER, -5000 + i, INT64_MAX);
    for (int i = 0; i < 8; i++)
        case_add(&c, CJ__NAME_REFUND, 1, -INT64_MAX);
    case_add(&c, CJ__NAME_ORDER, -9000, 17);
    cj__rfm_states.add(
        &c.fold, &state, place,
        &(cj__columns){.n = c.n, .time_ms = c.time_ms, .value_minor = c.value});
    ck_assert_int_eq(
        cj__rfm_states.keep(&c.fold, &c.partial, &state, &profile, &first, 1), CJ_OK);
    ck_assert_int_eq(case_fact(&c, 0).sum_minor, 17);
    ck_assert_int_eq(case_fact(&c, 0).last_ms, -4993);
    ck_assert_uint_eq(case_fact(&c, 0).n_orders, 9);
    cj__rfm_states.add(
        &c.fold, &state, place,
        &(cj__columns){.n = 1, .time_ms = c.time_ms, .value_minor = c.value});
    ck_assert_int_eq(
        cj__rfm_states.keep(&c.fold, &c.partial, &state, &profile, &first, 1),
        CJ_ELIMIT);
    ck_assert_str_eq(cj_errmsg(), "the orders of profile 4 sum up beyond int64");
    case_end(&c);
}
END_TEST

HARNESS_MAIN("metrics_rfm_fold", test_rfm_fold__bytes_of_version_1,
             test_rfm_fold__what_counts, test_rfm_fold__distinct_days,
             test_rfm_fold__a_day_that_begins_twice, test_rfm_fold__sums_do_not_wrap,
             test_rfm_fold__states_keep_what_profiles_do,
             test_rfm_fold__states_may_wrap_on_their_way)
