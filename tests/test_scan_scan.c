/* Scans against histories kept as plain arrays: the folds must see exactly each wanted
 * profile's events, once, in order, whatever was sealed, merged, split among threads or
 * cut by memory. */
#include "history.h"

#include "store/reader.h"
#include "store/row.h"

#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SCAN_COLUMNS                                                                   \
    (CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE | CJ__COL_QUANTITY |                  \
     CJ__COL_SESSION | CJ__COL_ORDER)
#define SCAN_ALL ((uint32_t)SCAN_COLUMNS | CJ__COL_PROPERTIES)

/* ---- what a fold sees, as text --------------------------------------------------- */

static void line_put(cj__str *s, const char *what, int64_t value)
{
    cj__str_put_text(s, what);
    cj__str_put_int64(s, value);
}

static int32_t fold_text(const void *arg, cj__str *partial, uint32_t profile,
                         const cj__columns *c, int64_t first, int64_t n)
{
    const uint32_t *columns = arg;

    line_put(partial, "profile ", profile);
    line_put(partial, " of ", n);
    for (int64_t i = first; i < first + n; i++) {
        line_put(partial, "\n  node ", c->node[i]);
        line_put(partial, " time ", c->time_ms[i]);
        line_put(partial, " name ", c->name[i]);
        line_put(partial, " value ", c->has_value[i] ? c->value_minor[i] : -1);
        if (*columns & CJ__COL_QUANTITY) {
            line_put(partial, " quantity ", c->quantity[i]);
            line_put(partial, " session ", (int64_t)c->session[i]);
            line_put(partial, " order ", (int64_t)c->order[i]);
        }
        if (c->properties != NULL && c->properties[i]->data != NULL)
            cj__str_put(partial, c->properties[i]->data, c->properties[i]->n);
    }
    cj__str_put_char(partial, '\n');
    return cj__str_status(partial);
}

static int64_t key_of(const char *text)
{
    return text[0] == '\0' ? 0 : (int64_t)cj__row_key(cj__text_of(text));
}

/* Profiles [from, until) that the scan shows although they have no row. */
static void history_put_idle(history *h, const cj__scan_options *opts, uint32_t from,
                             uint32_t until, cj__str *s)
{
    for (uint32_t i = from; opts->idle && i < until; i++) {
        if (h->root[i] == i && history_shows(h, opts, i)) {
            line_put(s, "profile ", i);
            cj__str_put_text(s, " of 0\n");
        }
    }
}

/* The same from the history. */
static void history_put(history *h, const cj__scan_options *opts, uint32_t columns,
                        cj__str *s)
{
    uint32_t ids[HISTORY_NAMES], next = 1;
    int n, *indices = history_select(h, opts, -1, &n);

    for (int i = 0; i < HISTORY_NAMES; i++)
        ids[i] = history_name_id(h, i);
    for (int i = 0, end; i < n; i = end) {
        uint32_t root = h->root[h->events[indices[i]].node];

        for (end = i; end < n && h->root[h->events[indices[end]].node] == root;)
            end++;
        history_put_idle(h, opts, next, root, s);
        next = root + 1;
        line_put(s, "profile ", root);
        line_put(s, " of ", end - i);
        for (int k = i; k < end; k++) {
            const history_event *e = &h->events[indices[k]];

            line_put(s, "\n  node ", e->node);
            line_put(s, " time ", e->time_ms);
            line_put(s, " name ", ids[e->name]);
            line_put(s, " value ", e->has_value ? e->value : -1);
            if (columns & CJ__COL_QUANTITY) {
                line_put(s, " quantity ", e->quantity);
                line_put(s, " session ", key_of(e->session));
                line_put(s, " order ", key_of(e->order));
            }
            if (columns & CJ__COL_PROPERTIES)
                cj__str_put_text(s, e->properties);
        }
        cj__str_put_char(s, '\n');
    }
    history_put_idle(h, opts, next, h->n_nodes + 1, s);
    free(indices);
}

static void expect_equal(const cj__str *got, const cj__str *want)
{
    size_t at = 0, line = 0;

    while (at < got->n && at < want->n && got->data[at] == want->data[at]) {
        at++;
        if (got->data[at - 1] == '\n')
            line = at;
    }
    ck_assert_msg(
        got->n == want->n && at == want->n, "they differ in\n%.100s\nwanted\n%.100s",
        got->n == 0 ? "" : got->data + line, want->n == 0 ? "" : want->data + line);
}

static void expect_columns(history *h, const cj__scan_options *opts, uint32_t columns)
{
    cj__fold fold = {.columns = columns, .profile = fold_text, .arg = &columns};
    cj__str want;

    cj__str_init(&want, &h->db->cx.allocator, SIZE_MAX / 4);
    history_put(h, opts, columns, &want);
    ck_assert_msg(cj__scan(h->db, opts, &fold, 1) == CJ_OK, "%s", cj_errmsg());
    expect_equal(&fold.partial, &want);
    cj__str_end(&fold.partial);
    cj__str_end(&want);
}

/* Properties are their own way through a scan: with and without them. */
static void expect_scan(history *h, const cj__scan_options *opts)
{
    if (opts->value_only) {
        expect_columns(h, opts, CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE);
        return;
    }
    expect_columns(h, opts, SCAN_COLUMNS);
    expect_columns(h, opts, SCAN_ALL);
}

/* Every kind of scan of one state of the file. */
static void expect_scans(history *h)
{
    static const int32_t threads[] = {1, 2, 3, 7};
    static const int64_t memory[] = {0, 1, 300000};

    for (int i = 0; i < 4; i++) {
        cj__scan_options opts = {.threads = threads[i], .memory_bytes = memory[i % 3]};

        opts.guests = i % 2;
        expect_scan(h, &opts);
        opts.value_only = 1;
        expect_scan(h, &opts);
        opts.from_ms = HISTORY_FROM_MS + INT64_C(11) * 86400000;
        opts.until_ms = opts.from_ms + (1 + i * 9) * INT64_C(86400000);
        expect_scan(h, &opts);
        opts.value_only = 0;
        opts.guests = 1;
        expect_scan(h, &opts);
    }
    for (int i = 0; i < 6; i++) {
        cj__scan_options opts = {.guests = 1, .threads = i};

        opts.profile = 1 + history_random(h, h->n_nodes + 2);
        opts.value_only = i % 2;
        opts.from_ms = i > 3 ? HISTORY_FROM_MS + INT64_C(20) * 86400000 : 0;
        expect_scan(h, &opts);
    }
}

/* Names that are wanted, of which some no event has. */
static void expect_names(history *h)
{
    const uint32_t order = history_name_id(h, 0), other = history_name_id(h, 3);
    const uint32_t lists[][3] = {
        {order,   0,     1000000},
        {other,   order, other  },
        {0,       0,     0      },
        {1000000, 0,     70     }
    };

    for (int i = 0; i < 12; i += harness_stride(5)) {
        cj__scan_options opts = {.guests = 1, .threads = i % 4};

        opts.names = lists[i % 4];
        opts.n_names = 1 + (size_t)i % 3;
        opts.memory_bytes = i % 3 == 0 ? 1 : 0;
        opts.profile = i > 8 ? 1 + history_random(h, h->n_nodes) : 0;
        opts.from_ms = i % 5 == 0 ? HISTORY_FROM_MS + INT64_C(20) * 86400000 : 0;
        expect_scan(h, &opts);
    }
}

/* Profiles without rows too: all, those of a window in which few did anything, some
 * that are asked for by a bit, one alone. */
static void expect_idle(history *h)
{
    static const int64_t memory[] = {0, 1, 300000};
    uint64_t *bits = calloc((size_t)h->n_nodes / 64 + 1, sizeof *bits);

    for (uint32_t i = 1; i <= h->n_nodes; i++)
        bits[i >> 6] |= (uint64_t)(history_random(h, 3) == 0) << (i & 63);
    for (int i = 0; i < 18; i += harness_stride(5)) {
        cj__scan_options opts = {.idle = 1, .threads = i % 5};

        opts.memory_bytes = memory[i % 3];
        opts.guests = i % 2;
        opts.value_only = i % 7 == 0;
        opts.from_ms = i % 3 == 0 ? 0 : HISTORY_FROM_MS + (i + 20) * INT64_C(86400000);
        opts.until_ms = i % 4 == 0 ? 0 : opts.from_ms + INT64_C(7200000);
        opts.profiles = i % 4 == 1 ? bits : NULL;
        opts.profile = i > 11 ? 1 + history_random(h, h->n_nodes) : 0;
        expect_scan(h, &opts);
        opts.idle = 0;
        if (opts.profiles != NULL)
            expect_scan(h, &opts);
    }
    free(bits);
}

/* ---- histories ------------------------------------------------------------------- */

static void scan_history(uint64_t seed, int n_users, int64_t seal_events)
{
    history h;

    history_open(&h, seed, n_users, seal_events, NULL);
    for (int round = 0; round < 4; round++) {
        history_record(&h, 400);
        for (int i = 0; i < n_users / 6; i++)
            history_merge(&h);
        for (int i = 0; i < n_users / 12; i++)
            history_unmerge(&h);
        expect_scans(&h);
        expect_names(&h);
        expect_idle(&h);
        if (round == 2) {
            ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
            expect_scans(&h);
        }
    }
    history_end(&h);
}

START_TEST(test_scan__equals_the_history_for_any_sealing)
{
    static const int64_t seals[] = {1, 7, 100, 65536};

    for (int i = 0; i < 4; i++)
        scan_history(1, 60, seals[i]);
}
END_TEST

START_TEST(test_scan__equals_random_histories)
{
    for (uint64_t seed = 2; seed < 12; seed += (uint64_t)harness_stride(3))
        scan_history(seed, 3 + (int)(seed * seed) * 2, 50 + (int64_t)seed * 37);
}
END_TEST

START_TEST(test_scan__nothing_is_foreign)
{
    history h;

    history_open(&h, 77, 500, 700, NULL);
    history_record(&h, 3000);
    expect_scans(&h);
    history_end(&h);
}
END_TEST

START_TEST(test_scan__many_blocks_of_one_slice)
{
    history h;

    history_open(&h, 13, 400, 12000, NULL);
    h.span_hours = 140;
    history_record(&h, 14000);
    expect_scans(&h);
    for (int i = 0; i < 200; i++)
        history_merge(&h);
    expect_scans(&h);
    history_end(&h);
}
END_TEST

/* More events of merged nodes than a small memory takes: several rounds. */
START_TEST(test_scan__rounds_give_the_same)
{
    static const int64_t memory[] = {0, 1, 400000, 1000000};
    history h;

    history_open(&h, 5, 900, 6000, NULL);
    history_record(&h, 40000);
    for (int i = 0; i < 1200; i++)
        history_merge(&h);
    for (int i = 0; i < 40; i++)
        history_unmerge(&h);
    for (int i = 0; i < 4; i++) {
        cj__scan_options opts = {.guests = 1, .threads = i, .memory_bytes = memory[i]};

        expect_scan(&h, &opts);
    }
    history_end(&h);
}
END_TEST

/* One person owns nearly everything: it is never cut. */
START_TEST(test_scan__one_profile_may_exceed_the_memory)
{
    cj__scan_options opts = {.guests = 1, .threads = 2, .memory_bytes = 1};
    history h;

    history_open(&h, 6, 40, 5000, NULL);
    history_record(&h, 25000);
    for (int i = 0; i < 400; i++)
        history_merge(&h);
    expect_scan(&h, &opts);
    opts.value_only = 1;
    expect_scan(&h, &opts);
    history_end(&h);
}
END_TEST

START_TEST(test_scan__empty_file_and_unknown_profile)
{
    cj__scan_options opts = {.guests = 1, .threads = 3};
    uint32_t columns = CJ__COL_TIME;
    cj__fold fold = {.columns = columns, .profile = fold_text, .arg = &columns};
    history h;

    history_open(&h, 1, 5, 10, NULL);
    ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_OK);
    ck_assert_uint_eq(fold.partial.n, 0);
    cj__str_end(&fold.partial);
    history_record(&h, 50);
    opts.profile = 4000000000u;
    expect_scan(&h, &opts);
    opts.idle = 1;
    expect_scan(&h, &opts);
    history_end(&h);
}
END_TEST

/* ---- a borrowed snapshot --------------------------------------------------------- */

/* Scans that borrow a reader see the moment at which it was opened, again and again. */
START_TEST(test_scan__a_borrowed_reader_is_one_moment)
{
    cj__scan_options opts = {.guests = 1, .idle = 1};
    uint32_t columns = SCAN_COLUMNS;
    history h;

    history_open(&h, 21, 60, 90, NULL);
    history_record(&h, 500);
    for (int round = 0; round < 3; round++) {
        cj__reader *reader;
        cj__str want;

        for (int i = 0; i < 5; i++)
            history_merge(&h);
        cj__str_init(&want, &h.db->cx.allocator, SIZE_MAX / 4);
        history_put(&h, &opts, columns, &want);
        ck_assert_int_eq(cj__reader_open(h.db, &reader), CJ_OK);
        history_record(&h, 300); /* sealed, merged, and moved beside it */
        history_merge(&h);
        history_unmerge(&h);
        for (int32_t threads = 1; threads < 4; threads++) {
            cj__scan_options borrowed = opts;
            cj__fold fold = {.columns = columns, .profile = fold_text, .arg = &columns};

            borrowed.reader = reader;
            borrowed.threads = threads;
            ck_assert_int_eq(cj__scan(h.db, &borrowed, &fold, 1), CJ_OK);
            expect_equal(&fold.partial, &want);
            cj__str_end(&fold.partial);
            expect_columns(&h, &opts, columns); /* and its own sees all */
        }
        cj__reader_end(reader);
        cj__str_end(&want);
    }
    history_end(&h);
}
END_TEST

/* ---- several folds, errors, interruption ----------------------------------------- */

static int32_t fold_count(const void *arg, cj__str *partial, uint32_t profile,
                          const cj__columns *c, int64_t first, int64_t n)
{
    (void)arg;
    (void)c;
    (void)first;
    cj__str_put(partial, &profile, sizeof profile);
    cj__str_put(partial, &n, sizeof n);
    return cj__str_status(partial);
}

START_TEST(test_scan__several_folds_share_a_pass)
{
    uint32_t columns = SCAN_COLUMNS;
    history h;

    history_open(&h, 8, 100, 300, NULL);
    history_record(&h, 2000);
    for (int i = 0; i < 20; i++)
        history_merge(&h);
    for (int32_t threads = 1; threads < 4; threads++) {
        cj__scan_options opts = {.guests = 1, .threads = threads, .memory_bytes = 1};
        cj__fold both[2] = {
            {.columns = SCAN_COLUMNS, .profile = fold_text, .arg = &columns},
            {.columns = CJ__COL_TIME,                       .profile = fold_count                    },
        };
        cj__fold one = both[1];
        cj__str want;

        cj__str_init(&want, &h.db->cx.allocator, SIZE_MAX / 4);
        history_put(&h, &opts, columns, &want);
        ck_assert_int_eq(cj__scan(h.db, &opts, both, 2), CJ_OK);
        ck_assert_int_eq(cj__scan(h.db, &opts, &one, 1), CJ_OK);
        expect_equal(&both[0].partial, &want);
        ck_assert_uint_gt(one.partial.n, 0);
        ck_assert_uint_eq(one.partial.n, both[1].partial.n);
        ck_assert_mem_eq(one.partial.data, both[1].partial.data, one.partial.n);
        cj__str_end(&want);
        cj__str_end(&one.partial);
        cj__str_end(&both[0].partial);
        cj__str_end(&both[1].partial);
    }
    history_end(&h);
}
END_TEST

static int32_t fold_fails(const void *arg, cj__str *partial, uint32_t profile,
                          const cj__columns *c, int64_t first, int64_t n)
{
    (void)c;
    (void)first;
    (void)n;
    cj__str_put_char(partial, 'x');
    if (profile > *(const uint32_t *)arg)
        return cj__fail_at(7, CJ_ELIMIT, "the fold gives up");
    return CJ_OK;
}

START_TEST(test_scan__error_of_any_thread_reaches_the_caller)
{
    history h;

    history_open(&h, 9, 200, 300, NULL);
    history_record(&h, 3000);
    for (int32_t threads = 1; threads < 6; threads++) {
        cj__scan_options opts = {.guests = 1, .threads = threads, .memory_bytes = 1};
        uint32_t last = 50;
        cj__fold fold = {.columns = CJ__COL_TIME, .profile = fold_fails, .arg = &last};

        cj__error_clear();
        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_ELIMIT);
        ck_assert_str_eq(cj__error_text(), "the fold gives up");
        ck_assert_int_eq(cj__error_position(), 7);
        ck_assert_ptr_null(fold.partial.data);
    }
    history_end(&h);
}
END_TEST

typedef struct progress_log {
    int64_t calls, last, stop_after;
    pthread_t thread;
    int wrong;
} progress_log;

static int32_t progress_note(void *user, int64_t done, int64_t total)
{
    progress_log *log = user;

    log->wrong |= !pthread_equal(log->thread, pthread_self()) || done > total ||
                  done < log->last || total <= 0;
    log->last = done;
    return ++log->calls == log->stop_after;
}

START_TEST(test_scan__progress_comes_from_the_caller_and_can_stop)
{
    history h;

    history_open(&h, 10, 100, 100, NULL);
    history_record(&h, 3000);
    for (int32_t threads = 1; threads < 4; threads++) {
        progress_log log = {.thread = pthread_self()};
        cj__scan_options opts = {.guests = 1,
                                 .threads = threads,
                                 .progress = progress_note,
                                 .progress_user = &log};
        cj__fold fold = {.columns = CJ__COL_TIME, .profile = fold_count};

        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_OK);
        cj__str_end(&fold.partial);
        ck_assert_int_eq(log.wrong, 0);
        if (threads == 1)
            ck_assert_int_gt(log.calls, 2);
    }
    {
        progress_log log = {.thread = pthread_self(), .stop_after = 2};
        cj__scan_options opts = {
            .guests = 1, .progress = progress_note, .progress_user = &log};
        cj__fold fold = {.columns = CJ__COL_TIME, .profile = fold_count};

        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_EINTERRUPT);
        ck_assert_ptr_null(fold.partial.data);
    }
    history_end(&h);
}
END_TEST

START_TEST(test_scan__interrupt_stops_all_threads)
{
    history h;

    history_open(&h, 11, 100, 100, NULL);
    history_record(&h, 1000);
    for (int32_t threads = 1; threads < 4; threads++) {
        cj__scan_options opts = {.guests = 1, .threads = threads};
        cj__fold fold = {.columns = CJ__COL_TIME, .profile = fold_count};

        cj__interrupt_set(&h.db->cx, 1);
        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_EINTERRUPT);
        cj__interrupt_set(&h.db->cx, 0);
        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_OK);
        cj__str_end(&fold.partial);
        /* a reader that was lent survives it */
        ck_assert_int_eq(cj__reader_open(h.db, &opts.reader), CJ_OK);
        cj__interrupt_set(&h.db->cx, 1);
        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_EINTERRUPT);
        cj__interrupt_set(&h.db->cx, 0);
        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_OK);
        cj__str_end(&fold.partial);
        cj__reader_end(opts.reader);
    }
    history_end(&h);
}
END_TEST

/* ---- memory runs out ------------------------------------------------------------- */

typedef struct failing {
    cj_realloc_fn realloc;
    void *user;
    int64_t left, balance; /* allocations until one fails; bytes in use */
} failing;

static void *failing_realloc(void *user, void *p, uint64_t old_bytes,
                             uint64_t new_bytes)
{
    failing *f = user;
    void *got;

    if (new_bytes > 0 && f->left-- <= 0)
        return NULL;
    got = f->realloc(f->user, p, old_bytes, new_bytes);
    f->balance += (int64_t)new_bytes - (int64_t)old_bytes;
    return got;
}

static void scan_fails(const cj__scan_options *opts, uint32_t columns)
{
    cj__allocator before;
    failing f = {0};
    history h;
    int64_t n;
    int32_t rc = CJ_ENOMEM;

    history_open(&h, 12, 40, 100, NULL);
    history_record(&h, 500);
    for (int i = 0; i < 10; i++)
        history_merge(&h);
    expect_columns(&h, opts, columns); /* the reader keeps what it has learned */
    before = h.db->cx.allocator;
    f.realloc = before.realloc;
    f.user = before.user;
    for (n = 0; rc == CJ_ENOMEM; n++) {
        cj__fold fold = {.columns = columns, .profile = fold_text, .arg = &columns};

        f.left = n;
        f.balance = 0;
        h.db->cx.allocator = (cj__allocator){failing_realloc, &f};
        rc = cj__scan(h.db, opts, &fold, 1);
        cj__str_end(&fold.partial);
        h.db->cx.allocator = before;
        ck_assert_msg(rc == CJ_OK || rc == CJ_ENOMEM, "%s", cj__error_text());
        /* a failed read may drop its connection: then less is in use than before */
        ck_assert_int_le(f.balance, 0);
    }
    ck_assert_int_gt(n, 10);
    expect_columns(&h, opts, columns);
    history_end(&h);
}

START_TEST(test_scan__every_allocation_may_fail)
{
    cj__scan_options opts = {.guests = 1, .memory_bytes = 1};

    scan_fails(&opts, SCAN_COLUMNS);
    scan_fails(&opts, SCAN_ALL);
    opts.memory_bytes = 0;
    scan_fails(&opts, SCAN_ALL);
    opts.profile = 1;
    scan_fails(&opts, SCAN_ALL);
}
END_TEST

HARNESS_MAIN("scan_scan", test_scan__equals_the_history_for_any_sealing,
             test_scan__equals_random_histories, test_scan__nothing_is_foreign,
             test_scan__many_blocks_of_one_slice, test_scan__rounds_give_the_same,
             test_scan__one_profile_may_exceed_the_memory,
             test_scan__empty_file_and_unknown_profile,
             test_scan__a_borrowed_reader_is_one_moment,
             test_scan__several_folds_share_a_pass,
             test_scan__error_of_any_thread_reaches_the_caller,
             test_scan__progress_comes_from_the_caller_and_can_stop,
             test_scan__interrupt_stops_all_threads,
             test_scan__every_allocation_may_fail)
