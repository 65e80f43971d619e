/* RFM against a slow second implementation over histories kept as plain arrays, and by
 * small shops whose numbers a reader can check by hand. */
#include "history.h"

#include "metrics/metrics.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* ---- small shops --------------------------------------------------------------------
 */

static int64_t at(const history *h, const char *time)
{
    int64_t ms;

    ck_assert_msg(cj__time_parse(time, strlen(time), h->db->zone, &ms) == 0, "%s",
                  time);
    return ms;
}

/* "customer time name value" per line; the customer is a user_id, or "guest:...". */
static void given(history *h, const char *lines)
{
    char customer[32], time[32], name[32], value[32];
    int n;

    for (;
         sscanf(lines, " %31s %31s %31s %31s%n", customer, time, name, value, &n) == 4;
         lines += n) {
        int is_guest = strncmp(customer, "guest:", 6) == 0;
        cj_identifier id = {.struct_size = sizeof id,
                            .kind = is_guest ? "guest" : "user_id",
                            .value = customer};
        cj_event e = {.struct_size = sizeof e,
                      .time_ms = at(h, time),
                      .name = name,
                      .identifiers = &id,
                      .n_identifiers = 1};

        ck_assert_int_eq(cj__decimal_minor(value, strlen(value), 2, &e.value_minor), 0);
        ck_assert_msg(cj_record(h->db, &e) == CJ_OK, "%s", cj_errmsg());
    }
}

static void expect_rfm(history *h, const cj_rfm_options *opts, const char *want)
{
    cj_table *t;
    char *text;

    ck_assert_msg(cj_rfm(h->db, opts, &t) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_eq(cj_table_format(t, "csv", &text, NULL), CJ_OK);
    for (char *c = text, *to = text;; c++) { /* whatever ends its lines */
        if (*c != '\r')
            *to++ = *c;
        if (*c == '\0')
            break;
    }
    ck_assert_str_eq(text, want);
    cj_text_free(text);
    cj_table_free(t);
}

static const char *const shop = "ann    2024-01-01T10:00  order         10.00\n"
                                "ann    2024-01-01T11:00  order          5.00\n"
                                "ann    2024-01-31T23:30  order         20.01\n"
                                "ann    2024-02-02T09:00  refund        -4.00\n"
                                "bob    2024-02-10T12:00  order          7.50\n"
                                "bob    2024-02-11T12:00  order          0\n"
                                "cid    2024-02-11T12:00  product_view   0\n"
                                "guest:t1 2024-02-12T12:00 order        99.00\n"
                                "dan    2024-02-13T00:00  order          1.00\n";

START_TEST(test_rfm__recency_counts_local_days)
{
    cj_rfm_options opts = {.struct_size = sizeof opts};
    history h;

    history_open(&h, 1, 1, 0, NULL);
    given(&h, shop);
    opts.as_of_ms = at(&h, "2024-02-13"); /* dan's order is not before it */
    expect_rfm(&h, &opts,
               "profile,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "1,13,3,3101,1,3,3,At Risk\n"
               "2,3,1,750,3,1,1,About to Sleep\n");
    opts.as_of_ms = at(&h, "2024-02-13T00:01");
    expect_rfm(&h, &opts,
               "profile,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "1,13,3,3101,1,4,4,Cannot Lose\n"
               "2,3,1,750,2,1,2,Hibernating\n"
               "5,0,1,100,4,1,1,Promising\n");
    history_end(&h);
}
END_TEST

START_TEST(test_rfm__every_definition_can_be_chosen)
{
    cj_rfm_options opts = {.struct_size = sizeof opts};
    history h;

    history_open(&h, 1, 1, 0, NULL);
    given(&h, shop);
    opts.as_of_ms = at(&h, "2024-02-12T11:30");
    opts.recency = CJ_RFM_HOURS;
    opts.frequency = CJ_RFM_REPEAT_DAYS;
    opts.monetary = CJ_RFM_GROSS;
    opts.monetary_of = CJ_RFM_MEAN;
    opts.n_bins = 2;
    expect_rfm(&h, &opts,
               "profile,recency_hours,frequency,monetary_minor,r,f,m,class\n"
               "1,276,1,1167,1,2,2,Loyal\n"
               "2,47,0,750,2,1,1,Potential Loyalist\n");
    history_end(&h);
}
END_TEST

START_TEST(test_rfm__guests_window_and_identifier)
{
    cj_rfm_options opts = {.struct_size = sizeof opts, .identifier = "user_id"};
    history h;

    history_open(&h, 1, 1, 0, NULL);
    given(&h, shop);
    opts.as_of_ms = at(&h, "2024-03-01");
    opts.from_ms = at(&h, "2024-02-10T12:00"); /* bob's first order is in it */
    opts.include_guests = 1;
    expect_rfm(&h, &opts,
               "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "2,bob,20,1,750,1,1,2,Lost\n"
               "4,,18,1,9900,2,1,4,Hibernating\n"
               "5,dan,17,1,100,4,1,1,Promising\n");
    opts.include_guests = 0;
    opts.from_ms++;
    expect_rfm(&h, &opts,
               "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "5,dan,17,1,100,1,1,1,Lost\n");
    opts.from_ms = opts.as_of_ms;
    expect_rfm(&h, &opts,
               "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class\n");
    history_end(&h);
}
END_TEST

START_TEST(test_rfm__a_merged_person_shows_the_oldest_identifier)
{
    cj_rfm_options opts = {.struct_size = sizeof opts, .identifier = "user_id"};
    int64_t edge;
    history h;

    history_open(&h, 1, 1, 0, NULL);
    given(&h, "guest:x 2024-01-01 order 1.00\n"
              "ann     2024-01-02 order 2.00\n"
              "bob     2024-01-03 order 4.00\n");
    ck_assert_int_eq(cj_merge(h.db, 3, 2, &edge), CJ_OK);
    ck_assert_int_eq(cj_merge(h.db, 1, 2, &edge), CJ_OK);
    opts.as_of_ms = at(&h, "2024-01-04");
    expect_rfm(&h, &opts,
               "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "1,ann,1,3,700,1,1,1,Lost\n");
    ck_assert_int_eq(cj_unmerge(h.db, edge), CJ_OK);
    expect_rfm(&h, &opts,
               "profile,user_id,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "2,ann,1,2,600,1,1,1,Lost\n");
    history_end(&h);
}
END_TEST

/* Berlin: summer time begins on 2024-03-31, ends on 2024-10-27. */
START_TEST(test_rfm__days_are_those_of_the_store)
{
    cj_rfm_options opts = {.struct_size = sizeof opts, .frequency = CJ_RFM_REPEAT_DAYS};
    history h;

    history_open(&h, 1, 1, 0, "Europe/Berlin");
    given(&h, "ann 2024-03-30T22:59:59Z order 1.00\n"   /* the 30th */
              "ann 2024-03-30T23:00:00Z order 1.00\n"   /* the 31st, a short day */
              "ann 2024-03-31T21:59:59Z order 1.00\n"   /* the 31st */
              "ann 2024-03-31T22:00:00Z order 1.00\n"   /* the 1st */
              "bob 2024-10-26T22:00:00Z order 1.00\n"   /* the 27th, a long day */
              "bob 2024-10-27T22:59:59Z order 1.00\n"   /* the 27th */
              "bob 2024-10-27T23:00:00Z order 1.00\n"); /* the 28th */
    opts.as_of_ms = at(&h, "2024-10-29T00:00");
    expect_rfm(&h, &opts,
               "profile,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "1,211,2,400,1,3,3,At Risk\n"
               "2,1,1,300,3,1,1,About to Sleep\n");
    history_end(&h);
}
END_TEST

START_TEST(test_rfm__fixed_thresholds_and_own_classes)
{
    static const int64_t r_limits[] = {7, 13}, f_limits[] = {2},
                         m_limits[] = {750, 3102};
    const cj_rfm_class classes[] = {
        {.struct_size = sizeof classes[0], .name = "best", .r_min = 3, .f_max = 4},
        {.struct_size = sizeof classes[0], .name = "slow", .r_max = 4, .m_min = 4},
    };
    cj_rfm_options opts = {.struct_size = sizeof opts,
                           .r_limits = r_limits,
                           .n_r_limits = 2,
                           .f_limits = f_limits,
                           .n_f_limits = 1,
                           .m_limits = m_limits,
                           .n_m_limits = 2,
                           .classes = classes,
                           .n_classes = 2};
    history h;

    history_open(&h, 1, 1, 0, NULL);
    given(&h, shop);
    opts.as_of_ms = at(&h, "2024-02-13T00:01");
    /* ann: 13 days do not exceed 13: 2 of 3, as 4 of 5; frequency 2 of 2, as 5. */
    expect_rfm(&h, &opts,
               "profile,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "1,13,3,3101,2,2,2,slow\n"
               "2,3,1,750,3,1,2,best\n"
               "5,0,1,100,3,1,1,best\n");
    opts.n_classes = 1;
    expect_rfm(&h, &opts,
               "profile,recency_days,frequency,monetary_minor,r,f,m,class\n"
               "1,13,3,3101,2,2,2,\n"
               "2,3,1,750,3,1,2,best\n"
               "5,0,1,100,3,1,1,best\n");
    history_end(&h);
}
END_TEST

/* ---- wrong options
 * -------------------------------------------------------------------- */

static void expect_wrong(history *h, const cj_rfm_options *opts, int32_t code,
                         const char *text)
{
    cj_table *t = (cj_table *)h;

    ck_assert_int_eq(cj_rfm(h->db, opts, &t), code);
    ck_assert_str_eq(cj_errmsg(), text);
    ck_assert_ptr_null(t);
}

START_TEST(test_rfm__wrong_options_are_named)
{
    static const int64_t falls[] = {1, 3, 3}, rises[] = {1, 2};
    cj_rfm_class c = {.struct_size = sizeof c, .name = "x"};
    const cj_rfm_options good = {.struct_size = sizeof good, .as_of_ms = 1700000000000};
    cj_rfm_options o;
    history h;

    history_open(&h, 1, 1, 0, NULL);
    o = good, o.recency = 2;
    expect_wrong(&h, &o, CJ_EINVAL, "recency must be one of the two CJ_RFM_* values");
    o = good, o.frequency = -1;
    expect_wrong(&h, &o, CJ_EINVAL, "frequency must be one of the two CJ_RFM_* values");
    o = good, o.monetary = 7;
    expect_wrong(&h, &o, CJ_EINVAL, "monetary must be one of the two CJ_RFM_* values");
    o = good, o.monetary_of = 7;
    expect_wrong(&h, &o, CJ_EINVAL,
                 "monetary_of must be one of the two CJ_RFM_* values");
    o = good, o.n_bins = 1;
    expect_wrong(&h, &o, CJ_EINVAL, "n_bins must be 2..10, or 0 for 5");
    o = good, o.n_bins = 11;
    expect_wrong(&h, &o, CJ_EINVAL, "n_bins must be 2..10, or 0 for 5");
    o = good, o.threads = 65;
    expect_wrong(&h, &o, CJ_EINVAL, "threads must be 0..64");
    o = good, o.reserved = 1;
    expect_wrong(&h, &o, CJ_EINVAL, "reserved must be 0");
    o = good, o.as_of_ms = INT64_MAX;
    expect_wrong(&h, &o, CJ_EINVAL,
                 "as_of_ms is not a time in milliseconds since 1970");
    o = good, o.f_limits = falls, o.n_f_limits = 3;
    expect_wrong(&h, &o, CJ_EINVAL, "f_limits must ascend: number 3 does not");
    o = good, o.m_limits = NULL, o.n_m_limits = 3;
    expect_wrong(&h, &o, CJ_EINVAL, "m_limits and n_m_limits do not belong together");
    o = good, o.r_limits = rises, o.n_r_limits = 100;
    expect_wrong(&h, &o, CJ_ELIMIT, "r_limits holds more than 99 thresholds");
    o = good, o.identifier = "colour";
    expect_wrong(&h, &o, CJ_EINVAL, "identifier must be a kind, such as user_id");
    o = good, o.identifier = "user_id:t x";
    expect_wrong(&h, &o, CJ_EINVAL, "identifier must be a kind, such as user_id");
    o = good, o.classes = &c;
    expect_wrong(&h, &o, CJ_EINVAL, "classes and n_classes do not belong together");
    o.n_classes = 1, c.f_max = 6;
    expect_wrong(&h, &o, CJ_EINVAL, "class 1: f must lie in 1..5, or 0: open");
    c.f_max = 2, c.f_min = 3;
    expect_wrong(&h, &o, CJ_EINVAL, "class 1: f_min is above f_max");
    c.f_max = 0, c.name = "";
    expect_wrong(&h, &o, CJ_EINVAL, "class 1 has no name");
    history_end(&h);
}
END_TEST

START_TEST(test_rfm__a_sum_beyond_int64_is_refused)
{
    cj_rfm_options opts = {.struct_size = sizeof opts, .as_of_ms = 1800000000000};
    history_event e = {
        .value = INT64_C(1000000000000000), .has_value = 1, .channel = -1};
    cj_table *t;
    history h;

    history_open(&h, 1, 2, 0, NULL);
    e.user = 1;
    e.time_ms = HISTORY_FROM_MS;
    history_add_many(&h, e, 9223);
    ck_assert_int_eq(cj_rfm(h.db, &opts, &t), CJ_OK);
    ck_assert_int_eq(cj_table_int64(t, 3)[0], INT64_C(9223000000000000000));
    cj_table_free(t);
    history_add_many(&h, e, 1);
    expect_wrong(&h, &opts, CJ_ELIMIT, "the orders of profile 1 sum up beyond int64");
    opts.monetary_of = CJ_RFM_MEAN;
    expect_wrong(&h, &opts, CJ_ELIMIT, "the orders of profile 1 sum up beyond int64");
    history_end(&h);
}
END_TEST

/* ---- the second implementation
 * ---------------------------------------------------------- */

typedef struct slow_row {
    uint32_t profile;
    int64_t value[3]; /* recency, frequency, monetary */
    int64_t score[3];
    int n_orders;
} slow_row;

static int64_t slow_mean(int64_t sum, int64_t n)
{
    int64_t down = sum / n - (sum % n < 0), rest = sum - down * n;

    if (2 * rest > n || (2 * rest == n && down % 2 != 0))
        down++;
    return down;
}

/* One customer from all events that are his. */
static void slow_customer(const history *h, const cj_rfm_options *o, const int *indices,
                          int n, slow_row *row)
{
    int64_t last = 0, sum = 0, days = 0;

    for (int i = 0; i < n; i++) {
        const history_event *e = &h->events[indices[i]];
        int is_new = 1;

        if (e->name == 0 && e->value > 0) {
            row->n_orders++;
            last = e->time_ms > last ? e->time_ms : last;
            for (int k = 0; k < i; k++) {
                const history_event *f = &h->events[indices[k]];

                if (f->name == 0 && f->value > 0 &&
                    cj__zone_day(h->db->zone, f->time_ms) ==
                        cj__zone_day(h->db->zone, e->time_ms))
                    is_new = 0;
            }
            days += is_new;
        }
        if (o->monetary == CJ_RFM_NET || (e->name == 0 && e->value > 0))
            sum += e->value;
    }
    if (row->n_orders == 0)
        return;
    row->value[0] =
        o->recency == CJ_RFM_HOURS
            ? (o->as_of_ms - last) / 3600000
            : cj__zone_day(h->db->zone, o->as_of_ms) - cj__zone_day(h->db->zone, last);
    row->value[1] = o->frequency == CJ_RFM_ORDERS ? row->n_orders : days - 1;
    row->value[2] =
        o->monetary_of == CJ_RFM_TOTAL ? sum : slow_mean(sum, row->n_orders);
}

static void slow_scores(slow_row *rows, int n, int n_bins)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            int worse = 0;

            for (int other = 0; other < n; other++)
                worse += k == 0 ? rows[other].value[k] > rows[i].value[k]
                                : rows[other].value[k] < rows[i].value[k];
            rows[i].score[k] = 1 + n_bins * worse / n;
        }
    }
}

static slow_row *slow_rfm(history *h, const cj_rfm_options *o, int *n_out)
{
    cj__scan_options scan = {.from_ms = o->from_ms,
                             .until_ms = o->as_of_ms,
                             .value_only = 1,
                             .guests = o->include_guests};
    int n, *indices = history_select(h, &scan, -1, &n), n_rows = 0;
    slow_row *rows = calloc((size_t)n + 1, sizeof *rows);

    for (int i = 0, end; i < n; i = end) {
        uint32_t root = h->root[h->events[indices[i]].node];

        for (end = i; end < n && h->root[h->events[indices[end]].node] == root;)
            end++;
        rows[n_rows] = (slow_row){.profile = root};
        slow_customer(h, o, indices + i, end - i, &rows[n_rows]);
        n_rows += rows[n_rows].n_orders > 0;
    }
    slow_scores(rows, n_rows, o->n_bins == 0 ? 5 : o->n_bins);
    free(indices);
    *n_out = n_rows;
    return rows;
}

/* The first class of the public table that fits. */
static void slow_class(const slow_row *row, int n_bins, char name[64])
{
    cj_table *t;
    const int64_t *offsets;
    const char *text;

    ck_assert_int_eq(cj_rfm_classes(&t), CJ_OK);
    text = cj_table_text(t, 0, &offsets);
    name[0] = '\0';
    for (int64_t i = cj_table_rows(t) - 1; i >= 0; i--) {
        int fits = 1;

        for (int k = 0; k < 3; k++) {
            int64_t score = (row->score[k] * 5 + n_bins - 1) / n_bins;
            int64_t least = cj_table_int64(t, 1 + 2 * k)[i];
            int64_t most = cj_table_int64(t, 2 + 2 * k)[i];

            fits &= (least == 0 || score >= least) && (most == 0 || score <= most);
        }
        if (fits)
            snprintf(name, 64, "%.*s", (int)(offsets[i + 1] - offsets[i]),
                     text + offsets[i]);
    }
    cj_table_free(t);
}

static void expect_slow(history *h, const cj_rfm_options *o)
{
    int n, n_bins = o->n_bins == 0 ? 5 : o->n_bins;
    slow_row *rows = slow_rfm(h, o, &n);
    const int64_t *offsets;
    cj_table *t;

    ck_assert_msg(cj_rfm(h->db, o, &t) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_eq(cj_table_rows(t), n);
    for (int i = 0; i < n; i++) {
        const char *text = cj_table_text(t, 7, &offsets);
        char name[64];

        ck_assert_int_eq(cj_table_int64(t, 0)[i], rows[i].profile);
        for (int k = 0; k < 3; k++) {
            ck_assert_int_eq(cj_table_int64(t, 1 + k)[i], rows[i].value[k]);
            ck_assert_int_eq(cj_table_int64(t, 4 + k)[i], rows[i].score[k]);
        }
        slow_class(&rows[i], n_bins, name);
        ck_assert_int_eq(offsets[i + 1] - offsets[i], (int64_t)strlen(name));
        ck_assert_mem_eq(text + offsets[i], name, strlen(name));
    }
    cj_table_free(t);
    free(rows);
}

static void expect_slow_all(history *h)
{
    for (int32_t choice = 0; choice < 16; choice++) {
        cj_rfm_options o = {.struct_size = sizeof o,
                            .as_of_ms = HISTORY_UNTIL_MS - 40 * DAY_MS * (choice % 3),
                            .recency = choice & 1,
                            .frequency = choice >> 1 & 1,
                            .monetary = choice >> 2 & 1,
                            .monetary_of = choice >> 3 & 1,
                            .n_bins = choice % 5 == 0 ? 0 : 2 + choice % 9,
                            .threads = choice % 4,
                            .include_guests = choice % 3 == 1};

        o.from_ms = choice % 4 == 2 ? HISTORY_FROM_MS + 9 * DAY_MS : 0;
        expect_slow(h, &o);
    }
}

START_TEST(test_rfm__equals_the_second_implementation)
{
    static const char *const zones[] = {NULL, "Europe/Berlin", "America/St_Johns",
                                        "Pacific/Apia"};
    static const int64_t seals[] = {1, 7, 100, 65536};

    for (uint64_t seed = 1; seed <= 8; seed++) {
        history h;

        history_open(&h, seed, 40 * (int)seed, seals[seed % 4], zones[seed / 2 % 4]);
        for (int round = 0; round < 3; round++) {
            history_record(&h, 400);
            for (int i = 0; i < 8; i++)
                history_merge(&h);
            for (int i = 0; i < 5; i++)
                history_unmerge(&h);
            if (round == 1)
                ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
            expect_slow_all(&h);
        }
        history_end(&h);
    }
}
END_TEST

static char *rfm_text(history *h, const cj_rfm_options *o)
{
    cj_table *t;
    char *text;

    ck_assert_int_eq(cj_rfm(h->db, o, &t), CJ_OK);
    ck_assert_int_eq(cj_table_format(t, "csv", &text, NULL), CJ_OK);
    cj_table_free(t);
    return text;
}

START_TEST(test_rfm__merging_and_unmerging_is_the_identity)
{
    cj_rfm_options o = {
        .struct_size = sizeof o, .as_of_ms = HISTORY_UNTIL_MS, .identifier = "user_id"};
    history h;

    history_open(&h, 3, 200, 700, NULL);
    history_record(&h, 3000);
    for (int i = 0; i < 30; i++)
        history_merge(&h);
    for (int round = 0; round < 5; round++) {
        char *before = rfm_text(&h, &o), *merged, *after;
        int first = h.n_edges, n;

        for (int i = 0; i < 20; i++)
            history_merge(&h);
        merged = rfm_text(&h, &o);
        ck_assert_str_ne(before, merged);
        n = h.n_edges - first;
        for (int i = 0; i < n; i++) { /* in another order than they came */
            history_edge *e = &h.edges[first + (i * 7 + 3) % n];

            for (int k = 0; !e->live && k < n; k++)
                e = &h.edges[first + k];
            ck_assert_int_eq(cj_unmerge(h.db, e->edge), CJ_OK);
            e->live = 0;
        }
        after = rfm_text(&h, &o);
        ck_assert_str_eq(before, after);
        cj_text_free(before);
        cj_text_free(merged);
        cj_text_free(after);
    }
    history_end(&h);
}
END_TEST

START_TEST(test_rfm__threads_sealing_and_compaction_do_not_show)
{
    static const int64_t seals[] = {1, 7, 100, 65536};
    cj_rfm_options o = {
        .struct_size = sizeof o, .as_of_ms = HISTORY_UNTIL_MS, .identifier = "user_id"};
    char *want = NULL;

    for (int s = 0; s < 4; s++) {
        history h;

        history_open(&h, 4, 150, seals[s], "Europe/London");
        history_record(&h, 2500);
        for (int i = 0; i < 20; i++)
            history_merge(&h);
        for (int i = 0; i < 8; i++) {
            char *got;

            o.threads = (const int32_t[]){1, 2, 3, 7}[i % 4];
            got = rfm_text(&h, &o);
            if (want == NULL)
                want = rfm_text(&h, &o);
            ck_assert_str_eq(got, want);
            cj_text_free(got);
            if (i == 3)
                ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
        }
        history_end(&h);
    }
    cj_text_free(want);
}
END_TEST

/* ---- the order of recording does not matter
 * ---------------------------------------------- */

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows without their profile, sorted: "user_id,recency,...". */
static char *rfm_by_user(history *h, const cj_rfm_options *o)
{
    char *text = rfm_text(h, o), *lines[1000], *at_line = text;
    char *sorted = calloc(1, strlen(text) + 1);
    size_t n = 0;

    for (char *end; (end = strchr(at_line, '\n')) != NULL; at_line = end + 1) {
        *end = '\0';
        lines[n++] = strchr(at_line, ',');
    }
    qsort(lines, n, sizeof lines[0], text_compare);
    for (size_t i = 0; i < n; i++)
        strcat(sorted, lines[i]);
    cj_text_free(text);
    return sorted;
}

START_TEST(test_rfm__the_order_of_recording_does_not_matter)
{
    cj_rfm_options o = {
        .struct_size = sizeof o, .as_of_ms = HISTORY_UNTIL_MS, .identifier = "user_id"};
    history h, shuffled;
    char *want, *got;
    int *order;

    history_open(&h, 5, 120, 300, NULL);
    history_record(&h, 1200);
    want = rfm_by_user(&h, &o);
    order = calloc((size_t)h.n_events, sizeof *order);
    for (int round = 0; round < 3; round++) {
        history_open(&shuffled, 6 + (uint64_t)round, 120, 1 + 200 * round, NULL);
        for (int i = 0; i < h.n_events; i++)
            order[i] = i;
        for (int i = h.n_events - 1; i > 0; i--) {
            int k = (int)history_random(&shuffled, (uint32_t)i + 1), swap = order[i];

            order[i] = order[k];
            order[k] = swap;
        }
        history_copy(&shuffled, &h, order);
        got = rfm_by_user(&shuffled, &o);
        ck_assert_str_eq(got, want);
        free(got);
        history_end(&shuffled);
    }
    free(order);
    free(want);
    history_end(&h);
}
END_TEST

HARNESS_MAIN("metrics_rfm", test_rfm__recency_counts_local_days,
             test_rfm__every_definition_can_be_chosen,
             test_rfm__guests_window_and_identifier,
             test_rfm__a_merged_person_shows_the_oldest_identifier,
             test_rfm__days_are_those_of_the_store,
             test_rfm__fixed_thresholds_and_own_classes,
             test_rfm__wrong_options_are_named, test_rfm__a_sum_beyond_int64_is_refused,
             test_rfm__equals_the_second_implementation,
             test_rfm__merging_and_unmerging_is_the_identity,
             test_rfm__threads_sealing_and_compaction_do_not_show,
             test_rfm__the_order_of_recording_does_not_matter)
