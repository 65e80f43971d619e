/* The summary of the value models: small shops whose numbers a reader can check by
 * hand, and a slow second implementation over histories kept as plain arrays. */
#include "history.h"
#include "shop.h"

#include "metrics/clv_summary.h"

#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* ---- small shops ----------------------------------------------------------------- */

static void expect_summary(shop *s, const cj_clv_summary_options *opts,
                           const char *want)
{
    cj_table *t;

    expect_ok(cj_clv_summary(s->db, opts, &t));
    expect_table(t, want);
}

static cj_clv_summary_options summary_of(shop *s, const char *as_of)
{
    return (cj_clv_summary_options){.struct_size = sizeof(cj_clv_summary_options),
                                    .as_of_ms = shop_time(s, as_of)};
}

static const char *const orders = "ann 2024-01-01T10:00 order 10.00\n"
                                  "ann 2024-01-01T11:00 order 5.00\n"
                                  "bob 2024-01-03T12:00 order 7.50\n"
                                  "ann 2024-01-08T23:59 order 20.01\n"
                                  "ann 2024-01-10T09:00 refund -4.00\n"
                                  "ann 2024-01-11T09:00 order 8.00\n"
                                  "cid 2024-01-12T12:00 product_view\n"
                                  "guest:t1 2024-01-12T12:00 order 99.00\n"
                                  "bob 2024-01-14T08:00 order 0\n"
                                  "dan 2024-01-15T00:00 order 1.00\n";

START_TEST(test_summary__days_merge_and_the_first_is_no_repeat)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = summary_of(&s, "2024-01-15"); /* dan's order is not before it */
    /* ann: 15.00 on the 1st; 20.01 - 4.00 on the 8th; 8.00 on the 11th.
     * litt = ln 7 + ln 3. */
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 2 10 13 12.005 3.04452 2024-01-01T10:00:00.000Z\n"
                   "2 0 0 11 0 0 2024-01-03T12:00:00.000Z\n");
    o.as_of_ms++;
    o.include_guests = 1;
    o.identifier = "user_id";
    o.first_from_ms = shop_time(&s, "2024-01-02");
    expect_summary(&s, &o,
                   "profile user_id x tx_days t_days spend litt first_ms\n"
                   "2 bob 0 0 12 0 0 2024-01-03T12:00:00.000Z\n"
                   "4 - 0 0 3 0 0 2024-01-12T12:00:00.000Z\n"
                   "5 dan 0 0 0 0 0 2024-01-15T00:00:00.000Z\n");
    o.include_guests = 0;
    o.first_until_ms = shop_time(&s, "2024-01-15");
    o.include_free = 1;
    expect_summary(&s, &o,
                   "profile user_id x tx_days t_days spend litt first_ms\n"
                   "2 bob 1 11 12 0 2.3979 2024-01-03T12:00:00.000Z\n");
    o.from_ms = shop_time(&s, "2024-01-03T12:00:00.001");
    expect_summary(&s, &o,
                   "profile user_id x tx_days t_days spend litt first_ms\n"
                   "1 ann 1 3 7 8 1.09861 2024-01-08T23:59:00.000Z\n"
                   "2 bob 0 0 1 0 0 2024-01-14T08:00:00.000Z\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_summary__weeks_begin_on_monday_and_any_is_exact)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-07T23:59 order 1.00\n" /* a Sunday */
                    "ann 2024-01-08T00:00 order 2.00\n" /* another week */
                    "ann 2024-01-14T12:00 order 3.00\n" /* the same */
                    "bob 2024-01-08T00:00 order 2.00\n"
                    "bob 2024-01-08T12:00 order 4.00\n"
                    "bob 2024-01-08T12:00 order 6.00\n");
    o = summary_of(&s, "2024-01-22");
    o.period = CJ_CLV_WEEK;
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 1 7 14 5 1.94591 2024-01-07T23:59:00.000Z\n"
                   "2 0 0 7 0 0 2024-01-08T00:00:00.000Z\n");
    o.period = CJ_CLV_ANY;
    o.first_from_ms = shop_time(&s, "2024-01-08");
    expect_summary(&s, &o, /* two in one millisecond are one: 10.00 */
                   "profile x tx_days t_days spend litt first_ms\n"
                   "2 1 0.5 14 10 -0.693147 2024-01-08T00:00:00.000Z\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_summary__refunds_by_policy)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 refund -1.00\n" /* of nothing that we know */
                    "ann 2024-01-02 order 10.00\n"
                    "ann 2024-01-03 refund -10.00\n"
                    "ann 2024-01-05 order 20.00\n"
                    "ann 2024-01-06 order 30.00\n"
                    "ann 2024-01-20 refund -25.00\n"
                    "ann 2024-01-20T01:00 order 5.00\n"
                    "bob 2024-01-02 order 3.00\n"
                    "bob 2024-01-03 refund -3.00\n");
    o = summary_of(&s, "2024-01-21");
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 3 18 18 10 3.73767 2024-01-02T00:00:00.000Z\n" /* 20 5 5 */
                   "2 0 0 18 0 0 2024-01-02T00:00:00.000Z\n");
    o.refunds = CJ_CLV_REFUND_DROP; /* the first purchase is the one of the 5th */
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 2 15 15 5 2.63906 2024-01-05T00:00:00.000Z\n");
    o.refunds = CJ_CLV_REFUND_IGNORE;
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 3 18 18 18.3333 3.73767 2024-01-02T00:00:00.000Z\n"
                   "2 0 0 18 0 0 2024-01-02T00:00:00.000Z\n");
    shop_close(&s);
}
END_TEST

/* What comes after as_of changes nothing of what was known then. */
START_TEST(test_summary__the_holdout_is_for_itself)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01T10:00 order 10.00\n"
                    "ann 2024-01-05T10:00 order 20.00\n"
                    "ann 2024-01-05T14:00 refund -5.00\n" /* of the calibration's */
                    "ann 2024-01-05T15:00 order 7.00\n"
                    "ann 2024-01-06T10:00 order 1.00\n"
                    "ann 2024-01-06T11:00 refund -0.50\n"
                    "ann 2024-01-09T00:00 order 1.00\n" /* not before the end */
                    "bob 2024-01-06T00:00 order 1.00\n");
    o = summary_of(&s, "2024-01-05T12:00");
    o.holdout_end_ms = shop_time(&s, "2024-01-09");
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms x_star spend_star "
                   "holdout_days\n"
                   "1 1 4 4 20 1.38629 2024-01-01T10:00:00.000Z 2 7.5 3\n");
    o.period = CJ_CLV_ANY;
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms x_star spend_star "
                   "holdout_days\n"
                   "1 1 4 4.08333 20 1.38629 "
                   "2024-01-01T10:00:00.000Z 2 7.5 3.5\n");
    shop_close(&s);
}
END_TEST

/* Berlin: summer time begins on 2024-03-31, ends on 2024-10-27; Apia left out
 * 2011-12-30. Yen have no smaller unit. */
START_TEST(test_summary__days_are_those_of_the_store)
{
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "Europe/Berlin", 0);
    shop_events(&s, "ann 2024-03-30T22:59:59Z order 1.00\n"   /* the 30th */
                    "ann 2024-03-30T23:00:00Z order 2.00\n"   /* the 31st, short */
                    "ann 2024-03-31T21:59:59Z order 2.00\n"   /* the 31st */
                    "ann 2024-10-27T22:59:59Z order 1.00\n"); /* the 27th */
    o = summary_of(&s, "2024-10-28T00:00");
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 2 211 211 2.5 5.34711 2024-03-30T22:59:59.000Z\n");
    shop_close(&s);
    shop_open(&s, "Pacific/Apia", 0);
    shop_events(&s, "ann 2011-12-29T12:00 order 1.00\n"
                    "ann 2011-12-31T12:00 order 1.00\n");
    o = summary_of(&s, "2012-01-01");
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "1 1 2 2 1 0.693147 2011-12-29T22:00:00.000Z\n");
    shop_close(&s);
}
END_TEST

START_TEST(test_summary__a_segment_and_merged_people)
{
    cj_clv_summary_options o;
    int64_t edge;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "guest:x 2024-01-01 order 1.00\n"
                    "ann     2024-01-02 order 2.00\n"
                    "bob     2024-01-04 order 4.00\n");
    shop_traits(&s, "bob 2024-01-01 country \"AT\"\n");
    shop_define(&s, "austria = country = \"AT\"\n");
    o = summary_of(&s, "2024-01-05");
    o.segment = "austria";
    expect_summary(&s, &o,
                   "profile x tx_days t_days spend litt first_ms\n"
                   "3 0 0 0 0 0 2024-01-04T00:00:00.000Z\n");
    shop_merge(&s, "bob", "ann");
    edge = shop_merge(&s, "guest:x", "bob");
    o.segment = "country = \"AT\"";
    o.identifier = "user_id";
    expect_summary(&s, &o,
                   "profile user_id x tx_days t_days spend litt first_ms\n"
                   "1 ann 2 3 3 3 0.693147 2024-01-01T00:00:00.000Z\n");
    expect_ok(cj_unmerge(s.db, edge));
    expect_summary(&s, &o,
                   "profile user_id x tx_days t_days spend litt first_ms\n"
                   "2 ann 1 2 2 4 0.693147 2024-01-02T00:00:00.000Z\n");
    o.segment = "country = \"DE\"";
    expect_summary(&s, &o, "profile user_id x tx_days t_days spend litt first_ms\n");
    shop_close(&s);
}
END_TEST

/* ---- wrong options --------------------------------------------------------------- */

static void expect_wrong(shop *s, const cj_clv_summary_options *o, int32_t code,
                         const char *text)
{
    cj_table *t = (cj_table *)s;

    expect_error_is(cj_clv_summary(s->db, o, &t), code, -1, text);
    ck_assert_ptr_null(t);
}

START_TEST(test_summary__wrong_options_are_named)
{
    const cj_clv_summary_options good = {.struct_size = sizeof good,
                                         .as_of_ms = 1700000000000};
    cj_clv_summary_options o;
    shop s;

    shop_open(&s, "UTC", 0);
    o = good, o.period = 3;
    expect_wrong(&s, &o, CJ_EINVAL, "period must be one of the three CJ_CLV_* values");
    o = good, o.refunds = -1;
    expect_wrong(&s, &o, CJ_EINVAL, "refunds must be one of the three CJ_CLV_* values");
    o = good, o.holdout_end_ms = o.as_of_ms;
    expect_wrong(&s, &o, CJ_EINVAL, "holdout_end_ms must be after as_of_ms");
    o = good, o.holdout_end_ms = INT64_MAX;
    expect_wrong(&s, &o, CJ_EINVAL,
                 "holdout_end_ms is not a time in milliseconds since 1970");
    o = good, o.first_from_ms = INT64_MIN;
    expect_wrong(&s, &o, CJ_EINVAL,
                 "first_from_ms is not a time in milliseconds since 1970");
    o = good, o.threads = 65;
    expect_wrong(&s, &o, CJ_EINVAL, "threads must be 0..64");
    o = good, o.reserved = 1;
    expect_wrong(&s, &o, CJ_EINVAL, "reserved must be 0");
    o = good, o.identifier = "colour";
    expect_wrong(&s, &o, CJ_EINVAL, "identifier must be a kind, such as user_id");
    o = good, o.identifier = "a:t b";
    expect_wrong(&s, &o, CJ_EINVAL, "identifier must be a kind, such as user_id");
    shop_close(&s);
}
END_TEST

START_TEST(test_summary__a_sum_beyond_int64_is_refused)
{
    cj_clv_summary_options o = {.struct_size = sizeof o, .as_of_ms = 1800000000000};
    history_event e = {.value = 1, .has_value = 1, .channel = -1, .user = 1};
    cj_table *t;
    history h;

    history_open(&h, 1, 2, 0, NULL);
    e.time_ms = HISTORY_FROM_MS;
    history_add(&h, e);
    e.time_ms += DAY_MS;
    e.value = INT64_C(1000000000000000);
    history_add_many(&h, e, 9223);
    ck_assert_int_eq(cj_clv_summary(h.db, &o, &t), CJ_OK);
    ck_assert_double_eq(cj_table_double(t, 4)[0], 9223e13);
    cj_table_free(t);
    history_add_many(&h, e, 1);
    ck_assert_int_eq(cj_clv_summary(h.db, &o, &t), CJ_ELIMIT);
    ck_assert_str_eq(cj_errmsg(), "the orders of profile 1 sum up beyond int64");
    ck_assert_int_eq(cj_clv_purchases(h.db, &o, &t), CJ_ELIMIT);
    ck_assert_ptr_null(t);
    history_end(&h);
}
END_TEST

/* ---- the second implementation --------------------------------------------------- */

typedef struct slow_row {
    int64_t profile, x, first_ms, last, first, minor, x_star, star_minor;
    double litt;
} slow_row;

static int64_t slow_period(const history *h, int32_t period, int64_t ms)
{
    int64_t day = cj__zone_day(h->db->zone, ms), week = 0;

    if (period == CJ_CLV_ANY)
        return ms;
    if (period == CJ_CLV_DAY)
        return day;
    for (int64_t monday = 4; monday + 7 * week <= day;) /* 1970-01-05 */
        week++;
    return week;
}

/* The purchases among the first n events, as (period, time, value, refunded) lines. */
static int slow_purchases(const history *h, const cj_clv_summary_options *o,
                          const int *indices, int n, int64_t (*out)[4])
{
    int n_out = 0, n_kept = 0;

    for (int i = 0; i < n; i++) {
        const history_event *e = &h->events[indices[i]];
        const int64_t period = slow_period(h, o->period, e->time_ms);

        if (e->name == 0 && (e->value > 0 || (o->include_free && e->value == 0))) {
            if (n_out == 0 || out[n_out - 1][0] != period)
                memcpy(out[n_out++], (int64_t[4]){period, e->time_ms, 0, 0},
                       sizeof out[0]);
            out[n_out - 1][2] += e->value;
        } else if (e->name == 1 && n_out > 0 && o->refunds != CJ_CLV_REFUND_IGNORE) {
            out[n_out - 1][2] += e->value;
            out[n_out - 1][3] = 1;
        }
    }
    for (int i = 0; i < n_out; i++) {
        if (o->refunds == CJ_CLV_REFUND_DROP && out[i][3] && out[i][2] <= 0)
            continue;
        memmove(out[n_kept++], out[i], sizeof out[0]);
    }
    return n_kept;
}

static int slow_customer(const history *h, const cj_clv_summary_options *o,
                         const int *indices, int n, slow_row *row)
{
    int64_t(*p)[4] = calloc((size_t)n + 1, sizeof *p);
    int split = 0, n_p;

    while (split < n && h->events[indices[split]].time_ms < o->as_of_ms)
        split++;
    n_p = slow_purchases(h, o, indices, split, p);
    if (n_p > 0) {
        const double per_day = o->period == CJ_CLV_ANY    ? 1.0 / DAY_MS
                               : o->period == CJ_CLV_WEEK ? 7
                                                          : 1;

        row->x = n_p - 1;
        row->first = p[0][0];
        row->first_ms = p[0][1];
        row->last = p[n_p - 1][0];
        for (int i = 1; i < n_p; i++) {
            row->minor += p[i][2];
            row->litt += log((double)(p[i][0] - p[i - 1][0]) * per_day);
        }
        row->x_star = slow_purchases(h, o, indices + split, n - split, p);
        for (int64_t i = 0; i < row->x_star; i++)
            row->star_minor += p[i][2];
    }
    free(p);
    return n_p > 0;
}

static void slow_check(history *h, const cj_clv_summary_options *o, const cj_table *t)
{
    const int64_t end = o->period == CJ_CLV_ANY
                            ? o->as_of_ms
                            : slow_period(h, o->period, o->as_of_ms - 1);
    const double days = o->period == CJ_CLV_ANY    ? 1.0 / DAY_MS
                        : o->period == CJ_CLV_WEEK ? 7
                                                   : 1;
    cj__scan_options scan = {.from_ms = o->from_ms,
                             .until_ms = o->holdout_end_ms,
                             .value_only = 1,
                             .guests = o->include_guests};
    int n, *indices = history_select(h, &scan, -1, &n);
    int64_t at = 0;

    for (int i = 0, next; i < n; i = next) {
        const uint32_t root = h->root[h->events[indices[i]].node];
        slow_row row = {.profile = root};

        for (next = i; next < n && h->root[h->events[indices[next]].node] == root;)
            next++;
        if (!slow_customer(h, o, indices + i, next - i, &row))
            continue;
        ck_assert_int_eq(cj_table_int64(t, 0)[at], root);
        ck_assert_int_eq(cj_table_int64(t, 1)[at], row.x);
        ck_assert_double_eq_tol(cj_table_double(t, 2)[at],
                                (double)(row.last - row.first) * days, 1e-9);
        ck_assert_double_eq_tol(cj_table_double(t, 3)[at],
                                (double)(end - row.first) * days, 1e-9);
        ck_assert_double_eq_tol(
            cj_table_double(t, 4)[at],
            row.x == 0 ? 0 : (double)row.minor / 100 / (double)row.x, 1e-9);
        ck_assert_double_eq_tol(cj_table_double(t, 5)[at], row.litt, 1e-9);
        ck_assert_int_eq(cj_table_int64(t, 6)[at], row.first_ms);
        ck_assert_int_eq(cj_table_int64(t, 7)[at], row.x_star);
        ck_assert_double_eq_tol(cj_table_double(t, 8)[at], (double)row.star_minor / 100,
                                1e-9);
        at++;
    }
    ck_assert_int_eq(cj_table_rows(t), at);
    free(indices);
}

static char *summary_text(history *h, const cj_clv_summary_options *o)
{
    cj_table *t;
    char *text;

    ck_assert_msg(cj_clv_summary(h->db, o, &t) == CJ_OK, "%s", cj_errmsg());
    slow_check(h, o, t);
    ck_assert_int_eq(cj_table_format(t, "csv", &text, NULL), CJ_OK);
    cj_table_free(t);
    return text;
}

/* Byte by byte the same for any threads, sealed or not, whatever was merged. */
START_TEST(test_summary__equals_a_slow_one_for_any_threads_and_sealing)
{
    static const char *const zones[] = {NULL, "Europe/Berlin", "America/St_Johns"};

    for (uint64_t seed = 1; seed <= 6; seed++) {
        cj_clv_summary_options o = {.struct_size = sizeof o,
                                    .as_of_ms = HISTORY_FROM_MS + 40 * DAY_MS,
                                    .holdout_end_ms = HISTORY_FROM_MS + 55 * DAY_MS};
        history h;

        history_open(&h, seed, 60, (int64_t)(seed % 3) * 500, zones[seed % 3]);
        for (int round = 0; round < 3; round++) {
            history_record(&h, 900);
            history_merge(&h);
            if (round == 2)
                history_unmerge(&h);
            history_roots(&h);
            for (int i = 0; i < 9; i++) {
                char *one, *more;

                o.period = i % 3;
                o.refunds = i / 3;
                o.include_free = (i + round) % 2;
                o.include_guests = round == 1;
                o.threads = 1;
                one = summary_text(&h, &o);
                o.threads = 2 + i % 3;
                more = summary_text(&h, &o);
                ck_assert_str_eq(one, more);
                cj_text_free(more);
                if (i == 4)
                    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
                more = summary_text(&h, &o);
                ck_assert_str_eq(one, more);
                cj_text_free(one);
                cj_text_free(more);
            }
        }
        history_end(&h);
    }
}
END_TEST

/* Every allocation fails once: nothing leaks, and the next time it works. */
START_TEST(test_summary__survives_lack_of_memory)
{
    cj_clv_summary_options o;
    cj_table *t;
    shop s;
    int32_t rc = CJ_ENOMEM;

    shop_open(&s, "UTC", 0);
    shop_events(&s, orders);
    o = summary_of(&s, "2024-01-16");
    o.segment = "orders() >= 1";
    o.identifier = "user_id";
    for (int64_t i = 1; rc != CJ_OK; i++) {
        api_heap_arm(&s.heap, i, 0);
        rc = cj_clv_summary(s.db, &o, &t);
        api_heap_disarm(&s.heap);
        ck_assert(rc == CJ_OK || (rc == CJ_ENOMEM && t == NULL));
        ck_assert_int_lt(i, 5000);
    }
    cj_table_free(t);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("metrics_clv_summary", test_summary__days_merge_and_the_first_is_no_repeat,
             test_summary__weeks_begin_on_monday_and_any_is_exact,
             test_summary__refunds_by_policy, test_summary__the_holdout_is_for_itself,
             test_summary__days_are_those_of_the_store,
             test_summary__a_segment_and_merged_people,
             test_summary__wrong_options_are_named,
             test_summary__a_sum_beyond_int64_is_refused,
             test_summary__equals_a_slow_one_for_any_threads_and_sealing,
             test_summary__survives_lack_of_memory)
