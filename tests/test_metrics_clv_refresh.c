/* Scores as traits: by hand; only of whom something new is known; and, whatever happens
 * to a random history, what is kept by the journal is what a scan of everything gives.
 */
#include "harness.h"
#include "history.h"
#include "shop.h"

#include "metrics/clv_state.h"
#include "profile/score.h"
#include "store/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* A model that a reader can follow. */
static int32_t score(void *user, const cj_clv_data *data, double *const scores[3])
{
    int64_t *n = user;

    for (int64_t i = 0; i < data->n; i++) {
        scores[0][i] = 1 / (1 + data->t[i] - data->tx[i]);
        scores[1][i] = (double)data->x[i] + data->t[i] / 1000;
        scores[2][i] = scores[1][i] * data->spend[i];
    }
    *n += data->n;
    return CJ_OK;
}

static int64_t n_scored;
static cj__clv_scorer scorer = {
    .score = score, .user = &n_scored, .key = 7, .has_value = 1};

static cj_clv_refresh_result refresh(cj_db *db, cj_clv_refresh_options o)
{
    cj_clv_refresh_result r = {0};

    o.struct_size = sizeof o;
    n_scored = 0;
    ck_assert_msg(cj__clv_refresh(db, &o, &scorer, &r) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_ge(n_scored, r.n_scored);
    return r;
}

/* Refresh; "3 scored, 1 forgotten, whole". */
static void expect_refresh(shop *s, const char *as_of, const char *want)
{
    const cj_clv_refresh_options o = {.as_of_ms = shop_time(s, as_of)};
    const cj_clv_refresh_result r = refresh(s->db, o);
    char got[80];

    (void)snprintf(got, sizeof got, "%lld scored, %lld forgotten%s",
                   (long long)r.n_scored, (long long)r.n_forgotten,
                   r.is_whole ? ", whole" : "");
    ck_assert_str_eq(got, want);
}

static void expect_traits(shop *s, const char *customer, const char *as_of,
                          const char *want)
{
    cj_table *t;

    expect_ok(cj_profile_traits(s->db, shop_who(s, customer), shop_time(s, as_of), &t));
    expect_table(t, want);
}

#define HEAD "name value source time_ms\n"

START_TEST(test_refresh__scores_are_traits_that_segments_read)
{
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n"
                    "ann 2024-01-11 order 20.00\n"
                    "bob 2024-01-05 order 5.00\n"
                    "cid 2024-01-05 product_view\n"
                    "guest:x 2024-01-05 order 5.00\n");
    expect_refresh(&s, "2024-01-21", "2 scored, 0 forgotten, whole");
    expect_traits(&s, "ann", "2024-02-01",
                  HEAD "clv_12m 20.38 clv 2024-01-20T23:59:59.999Z\n"
                       "expected_12m 1.019 clv 2024-01-20T23:59:59.999Z\n"
                       "p_alive 0.1 clv 2024-01-20T23:59:59.999Z\n");
    expect_traits(&s, "bob", "2024-02-01",
                  HEAD "clv_12m 0 clv 2024-01-20T23:59:59.999Z\n"
                       "expected_12m 0.015 clv 2024-01-20T23:59:59.999Z\n"
                       "p_alive 0.0625 clv 2024-01-20T23:59:59.999Z\n");
    expect_traits(&s, "cid", "2024-02-01", HEAD);
    ck_assert_int_gt(api_stat(s.db, "score_bytes"), 100);
    expect_traits(&s, "guest:x", "2024-02-01", HEAD);
    expect_in(&s, "2024-02-01", "clv_12m > 20", "1");
    expect_in(&s, "2024-02-01", "p_alive < 0.1", "2");
    expect_in(&s, "2024-01-20", "p_alive < 0.5", "");
    shop_close(&s);
}
END_TEST

START_TEST(test_refresh__only_of_whom_something_is_new)
{
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n"
                    "bob 2024-01-05 order 5.00\n");
    expect_refresh(&s, "2024-01-21", "2 scored, 0 forgotten, whole");
    expect_refresh(&s, "2024-01-22", "0 scored, 0 forgotten");
    shop_events(&s, "bob 2024-01-25 order 5.00\n"
                    "eva 2024-01-25 order 7.00\n"
                    "ann 2024-01-25 product_view\n");
    expect_refresh(&s, "2024-01-30", "2 scored, 0 forgotten");
    expect_traits(&s, "bob", "2024-02-01",
                  HEAD "clv_12m 5.12 clv 2024-01-29T23:59:59.999Z\n"
                       "expected_12m 1.024 clv 2024-01-29T23:59:59.999Z\n"
                       "p_alive 0.2 clv 2024-01-29T23:59:59.999Z\n");
    expect_traits(&s, "ann", "2024-02-01",
                  HEAD "clv_12m 0 clv 2024-01-20T23:59:59.999Z\n"
                       "expected_12m 0.019 clv 2024-01-20T23:59:59.999Z\n"
                       "p_alive 0.05 clv 2024-01-20T23:59:59.999Z\n");
    /* A refund of the repeat purchase, and a late order. */
    shop_events(&s, "bob 2024-01-31 refund -1.00\n");
    expect_refresh(&s, "2024-02-01", "1 scored, 0 forgotten");
    shop_events(&s, "ann 2023-12-30 order 1.00\n");
    expect_refresh(&s, "2024-02-02", "1 scored, 0 forgotten, whole");
    /* Sealing moves rows out of the journal. */
    shop_events(&s, "ann 2024-02-02T12:00 order 1.00\n");
    expect_ok(cj_compact(s.db, NULL, NULL));
    expect_refresh(&s, "2024-02-03", "1 scored, 0 forgotten, whole");
    expect_refresh(&s, "2024-02-03", "0 scored, 0 forgotten");
    shop_close(&s);
}
END_TEST

START_TEST(test_refresh__people_are_joined_and_parted)
{
    int64_t edge;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "guest:x 2024-01-01 order 10.00\n"
                    "ann 2024-01-02 product_view\n"
                    "bob 2024-01-05 order 5.00\n"
                    "cid 2024-01-06 order 6.00\n");
    expect_refresh(&s, "2024-01-10", "2 scored, 0 forgotten, whole");
    edge = shop_merge(&s, "guest:x", "ann"); /* the guest is known now */
    expect_refresh(&s, "2024-01-11", "1 scored, 0 forgotten");
    expect_ok(cj_unmerge(s.db, edge));
    expect_refresh(&s, "2024-01-12", "0 scored, 0 forgotten, whole");
    edge = shop_merge(&s, "bob", "cid");
    expect_refresh(&s, "2024-01-13", "1 scored, 0 forgotten, whole");
    expect_traits(&s, "bob", "2024-02-01",
                  HEAD "clv_12m 6.04 clv 2024-01-12T23:59:59.999Z\n"
                       "expected_12m 1.007 clv 2024-01-12T23:59:59.999Z\n"
                       "p_alive 0.142857 clv 2024-01-12T23:59:59.999Z\n");
    expect_ok(cj_unmerge(s.db, edge));
    expect_refresh(&s, "2024-01-14", "2 scored, 0 forgotten, whole");
    shop_close(&s);
}
END_TEST

START_TEST(test_refresh__what_lies_ahead_counts_when_it_is_there)
{
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n"
                    "ann 2024-03-01 order 10.00\n");
    expect_refresh(&s, "2024-01-10", "1 scored, 0 forgotten, whole");
    shop_events(&s, "bob 2024-02-01 order 10.00\n");
    expect_refresh(&s, "2024-01-11", "0 scored, 0 forgotten, whole");
    expect_refresh(&s, "2024-02-02", "1 scored, 0 forgotten, whole");
    expect_refresh(&s, "2024-03-02", "1 scored, 0 forgotten, whole");
    expect_refresh(&s, "2024-03-03", "0 scored, 0 forgotten");
    shop_close(&s);
}
END_TEST

START_TEST(test_refresh__scores_without_a_purchase_are_forgotten)
{
    cj_clv_refresh_options o = {.refunds = CJ_CLV_REFUND_DROP};
    cj_clv_refresh_result r;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n");
    o.as_of_ms = shop_time(&s, "2024-01-10");
    ck_assert_int_eq(refresh(s.db, o).n_scored, 1);
    shop_events(&s, "ann 2024-01-15 refund -10.00\n");
    o.as_of_ms = shop_time(&s, "2024-01-20");
    r = refresh(s.db, o);
    ck_assert_int_eq(r.n_scored, 0);
    ck_assert_int_eq(r.n_forgotten, 1);
    ck_assert_int_eq(r.is_whole, 0);
    expect_traits(&s, "ann", "2024-02-01", HEAD);
    shop_close(&s);
}
END_TEST

START_TEST(test_refresh__other_options_and_everybody)
{
    cj_clv_refresh_options o = {.months = 3};
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n"
                    "bob 2024-01-05 order 5.00\n");
    expect_refresh(&s, "2024-01-21", "2 scored, 0 forgotten, whole");
    o.as_of_ms = shop_time(&s, "2024-01-20"); /* of other scores time may go back */
    ck_assert_int_eq(refresh(s.db, o).n_scored, 2);
    expect_in(&s, "2024-02-01", "expected_3m > 0.015", "1");
    o.as_of_ms++;
    ck_assert_int_eq(refresh(s.db, o).n_scored, 0);
    o.everybody = 1;
    ck_assert_int_eq(refresh(s.db, o).n_scored, 2);
    o.struct_size = sizeof o;
    o.as_of_ms--;
    expect_error_is(cj__clv_refresh(s.db, &o, &scorer, &(cj_clv_refresh_result){0}),
                    CJ_EINVAL, -1, "scores go forward only: as_of_ms is before theirs");
    scorer.has_value = 0; /* no model of spend */
    scorer.key++;
    ck_assert_int_eq(refresh(s.db, o).n_scored, 2);
    scorer.has_value = 1;
    scorer.key--;
    expect_ok(cj_profile_traits(s.db, 1, shop_time(&s, "2024-02-01"), &t));
    ck_assert_int_eq(cj_table_rows(t), 5);
    cj_table_free(t);
    o.months = 601;
    expect_error_is(cj__clv_refresh(s.db, &o, &scorer, &(cj_clv_refresh_result){0}),
                    CJ_EINVAL, -1, "months must be 1..600, or 0 for 12");
    shop_close(&s);
}
END_TEST

static char *members(shop *s, const char *name, const char *as_of)
{
    cj_segment_options o = shop_options(s, as_of);
    cj_table *t;

    expect_ok(cj_segment_members(s->db, name, &o, &t));
    return shop_rows(t);
}

/* Live segments follow scores as they are written: of hot profiles, of cold ones (a
 * handle that was just opened), of those that are forgotten. */
START_TEST(test_refresh__live_segments_follow)
{
    static const char *const days[] = {"2024-02-01", "2024-02-11", "2024-02-21",
                                       "2024-03-02"};
    static const char *const rules[] = {"expected_12m > 0.02", "p_alive < 0.1",
                                        "clv_12m >= 5 and source(clv_12m) = \"clv\"",
                                        "expected_3m > 0"};
    char name[20], line[80];
    int n_seen = 0;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\nann 2024-01-11 order 20.00\n"
                    "bob 2024-01-05 order 5.00\ncid 2024-01-05 product_view\n");
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "rule%d", i);
        expect_ok(cj_segment_define(s.db, name, rules[i], CJ_SEGMENT_LIVE));
    }
    for (int day = 0; day < 4; day++) {
        const cj_clv_refresh_options o = {.as_of_ms = shop_time(&s, days[day]),
                                          .refunds = CJ_CLV_REFUND_DROP,
                                          .months = day == 2 ? 3 : 12,
                                          .everybody = day % 2};

        s.now_ms = o.as_of_ms;
        if (day > 0)
            shop_reopen(&s, 0);
        (void)snprintf(line, sizeof line, "%s %s refund -5.00\ncid %s order %d.00\n",
                       day == 1 ? "bob" : "eva", days[day - (day > 0)],
                       days[day - (day > 0)], 7 + day);
        shop_events(&s, line);
        (void)refresh(s.db, o);
        for (int i = 0; i < 4; i++) {
            cj_segment_options so = shop_options(&s, days[day]);
            char *live, *asked;
            cj_table *t;

            (void)snprintf(name, sizeof name, "rule%d", i);
            so.members_only = 1;
            expect_ok(cj_segment_evaluate(s.db, rules[i], &so, &t));
            asked = shop_rows(t);
            live = members(&s, name, days[day]);
            n_seen += live[0] != '\0';
            ck_assert_str_eq(live, asked);
            free(live);
            free(asked);
        }
    }
    ck_assert_int_gt(n_seen, 10);
    shop_close(&s);
}
END_TEST

/* ---- by the journal as by a scan ---------------------------------------------------
 */

/* All states of a horizon as text; free it. */
static char *states(cj_db *db)
{
    cj__reader *reader;
    cj__scores scores = {0};
    cj__scored scored;
    cj__str text;
    int has = 0;
    char *copy;

    cj__str_init(&text, &db->cx.allocator, 1 << 24);
    ck_assert_int_eq(cj__reader_open(db, &reader), CJ_OK);
    ck_assert_int_eq(
        cj__scores_open(&scores, &db->cx.allocator, cj__reader_conn(reader), 12),
        CJ_OK);
    while (cj__scores_next(&scores, &scored, &has) == CJ_OK && has) {
        if (scored.state.n == 0)
            continue;
        cj__str_put_int64(&text, scored.profile);
        for (size_t i = 0; i < scored.state.n; i++) {
            cj__str_put_char(&text, ' ');
            cj__str_put_int64(&text, (unsigned char)scored.state.data[i]);
        }
        cj__str_put_char(&text, '\n');
    }
    cj__scores_end(&scores);
    cj__reader_end(reader);
    cj__str_put_char(&text, '\n');
    ck_assert_int_eq(cj__str_status(&text), CJ_OK);
    copy = strdup(text.data);
    cj__str_end(&text);
    return copy;
}

/* Scores of everybody by their summary. */
static void expect_scores(history *h, const cj_clv_refresh_options *o)
{
    const cj_clv_summary_options so = {.struct_size = sizeof so,
                                       .as_of_ms = o->as_of_ms,
                                       .period = o->period,
                                       .refunds = o->refunds};
    cj_table *t, *traits;

    ck_assert_int_eq(cj_clv_summary(h->db, &so, &t), CJ_OK);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        const int64_t *offsets;
        const char *text;
        char digits[40];
        double value;

        ck_assert_int_eq(
            cj_profile_traits(h->db, cj_table_int64(t, 0)[i], o->as_of_ms, &traits),
            CJ_OK);
        ck_assert_int_eq(cj_table_rows(traits), 3);
        text = cj_table_text(traits, 1, &offsets);
        (void)snprintf(digits, sizeof digits, "%.*s", (int)(offsets[2] - offsets[1]),
                       text + offsets[1]); /* expected_12m */
        value = strtod(digits, NULL);
        ck_assert_double_eq_tol(
            value, (double)cj_table_int64(t, 1)[i] + cj_table_double(t, 3)[i] / 1000,
            1e-6);
        cj_table_free(traits);
    }
    cj_table_free(t);
}

START_TEST(test_refresh__by_the_journal_as_by_a_scan)
{
    int n_whole = 0, n_part = 0;

    for (uint64_t seed = 1; seed <= 12; seed++) {
        cj_clv_refresh_options o = {.period = (int32_t)(seed % 3),
                                    .refunds = (int32_t)(seed / 3 % 3)};
        history_event e = {.has_value = 1, .channel = -1};
        history h;

        history_open(&h, seed, 40, seed % 4 == 0 ? 100 : 0, "Europe/Berlin");
        history_record(&h, 200);
        o.as_of_ms = HISTORY_FROM_MS + 60 * DAY_MS;
        for (int step = 0; step < 25; step++) {
            const int64_t now = o.as_of_ms;
            char *part, *whole;

            o.everybody = 0;
            for (int i = 0; i < 5; i++) { /* a few, in order of time */
                e.user = (int)history_random(&h, 40);
                e.name = history_random(&h, 3) == 0;
                e.value = (int64_t)history_random(&h, 2000) + 1;
                e.value = e.name == 1 ? -e.value : e.value;
                e.time_ms = now + i * 3600000 + history_random(&h, 3600000);
                if (history_random(&h, 60) == 0)
                    e.time_ms -= 20 * DAY_MS;
                history_add(&h, e);
            }
            if (step % 6 == 3)
                history_merge(&h);
            if (step % 11 == 10)
                history_unmerge(&h);
            o.as_of_ms += DAY_MS;
            if (refresh(h.db, o).is_whole)
                n_whole++;
            else
                n_part++;
            part = states(h.db);
            o.everybody = 1;
            (void)refresh(h.db, o);
            whole = states(h.db);
            ck_assert_str_eq(part, whole);
            expect_scores(&h, &o);
            free(part);
            free(whole);
        }
        history_end(&h);
    }
    ck_assert_int_gt(n_part, 100);
    ck_assert_int_gt(n_whole, 30);
}
END_TEST

/* Each allocation fails once: nothing has changed, or everything is there. */
START_TEST(test_refresh__is_whole_or_not_at_all)
{
    cj_clv_refresh_options o = {.struct_size = sizeof o};
    cj_clv_refresh_result r;
    int32_t rc = CJ_ENOMEM;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n"
                    "bob 2024-01-05 order 5.00\n");
    o.as_of_ms = shop_time(&s, "2024-02-01");
    for (int round = 0; round < 2; round++, rc = CJ_ENOMEM) {
        for (int64_t i = 1; rc != CJ_OK; i++) {
            api_heap_arm(&s.heap, i, (int)(i % 2));
            rc = cj__clv_refresh(s.db, &o, &scorer, &r);
            api_heap_disarm(&s.heap);
            ck_assert(rc == CJ_OK || rc == CJ_ENOMEM);
            if (rc != CJ_OK && round == 0)
                expect_traits(&s, "ann", "2024-03-01", HEAD);
        }
        ck_assert_int_eq(r.n_scored, round == 0 ? 2 : 1);
        shop_events(&s, "bob 2024-02-02 order 5.00\n");
        o.as_of_ms += 5 * DAY_MS;
    }
    shop_close(&s);
}
END_TEST

/* The states of the golden file go on: seven orders came after its refresh. */
START_TEST(test_refresh__states_of_schema_3_go_on)
{
    const cj__clv_scorer then = {
        .score = score, .user = &n_scored, .key = 1, .has_value = 1};
    cj_clv_refresh_options o = {.struct_size = sizeof o, .as_of_ms = 1798900000000};
    cj_clv_refresh_result r;
    char *part, *whole;
    api_file file;
    cj_db *db;

    api_file_make(&file);
    api_copy("tests/golden/schema_3.cj", file.path);
    db = api_open(file.path, 0, 0);
    expect_ok(cj__clv_refresh(db, &o, &then, &r));
    ck_assert_int_eq(r.is_whole, 0);
    ck_assert_int_eq(r.n_scored, 7);
    part = states(db);
    o.everybody = 1;
    expect_ok(cj__clv_refresh(db, &o, &then, &r));
    ck_assert_int_eq(r.n_scored, 43);
    whole = states(db);
    ck_assert_str_eq(part, whole);
    free(part);
    free(whole);
    expect_ok(cj_close(db));
    api_file_remove(&file);
}
END_TEST

/* Bytes that no version ever wrote are refused. */
START_TEST(test_refresh__damaged_states_are_refused)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"",           0},
        {"\2",         1},
        {"\1",         1},
        {"\1\1\2\3",   4},
        {"\1\20\2",    3},
        {"\1\0\2\2\2", 5},
        {"\1\2\2\4\4", 5}
    };
    const cj__clv_fold fold = {0};
    cj__clv_state s;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int32_t rc =
            cj__clv_state_read(&s, &fold, 7, (cj__text){bad[i].bytes, bad[i].n});

        ck_assert_msg(rc == (i < 2 ? CJ_EVERSION : CJ_ECORRUPT), "%zu: %d", i, rc);
    }
}
END_TEST

static int32_t put_state(cj_db *db, uint32_t profile, cj__text state)
{
    const cj__score_entry entry = {
        .profile = profile, .state = state, .tellings = {"", 0}
    };
    cj__score_writer w = {0};
    int32_t rc = cj__score_begin(&w, db, 12);

    rc = rc == CJ_OK ? cj__score_add(&w, &entry) : rc;
    rc = rc == CJ_OK ? cj__score_commit(&w) : rc;
    cj__score_end(&w);
    return rc;
}

/* cj_check reads them all, and says which it cannot. */
START_TEST(test_refresh__a_check_reads_the_states)
{
    cj_table *t;
    shop s;

    shop_open(&s, "UTC", 0);
    shop_events(&s, "ann 2024-01-01 order 10.00\n"
                    "bob 2024-01-05 order 5.00\n");
    expect_refresh(&s, "2024-01-21", "2 scored, 0 forgotten, whole");
    api_expect_sound(s.db);
    ck_assert_int_eq(cj__write_begin(s.db), CJ_OK);
    ck_assert_int_eq(cj__write_end(s.db, put_state(s.db, 2, (cj__text){"\1\77", 2})),
                     CJ_OK);
    expect_ok(cj_check(s.db, &t));
    expect_table(t, "place problem\n"
                    "clv_score the state of profile 2 cannot be read\n");
    /* A scan of everything mends it. */
    scorer.key++;
    expect_refresh(&s, "2024-01-22", "2 scored, 0 forgotten, whole");
    scorer.key--;
    api_expect_sound(s.db);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("metrics_clv_refresh", test_refresh__scores_are_traits_that_segments_read,
             test_refresh__only_of_whom_something_is_new,
             test_refresh__people_are_joined_and_parted,
             test_refresh__what_lies_ahead_counts_when_it_is_there,
             test_refresh__scores_without_a_purchase_are_forgotten,
             test_refresh__other_options_and_everybody,
             test_refresh__live_segments_follow,
             test_refresh__by_the_journal_as_by_a_scan,
             test_refresh__is_whole_or_not_at_all,
             test_refresh__states_of_schema_3_go_on,
             test_refresh__damaged_states_are_refused,
             test_refresh__a_check_reads_the_states)
