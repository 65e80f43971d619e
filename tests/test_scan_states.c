/* Folds that do not care for order: what states keep must be, byte for byte, what the
 * same fold keeps when it is shown each profile's events, whatever was sealed, merged,
 * split among threads or cut by memory. */
#include "history.h"

#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* What the fold remembers: no order, no wrap, everything seen. */
typedef struct tally {
    uint64_t n, sum, mixed, last;
} tally;

typedef struct tally_arg {
    atomic_llong n_added, n_shown; /* which way the scan took */
    uint32_t fails_at;             /* profile; 0: never */
} tally_arg;

static void tally_row(tally *t, const cj__columns *c, int64_t i)
{
    uint64_t row = (uint64_t)c->time_ms[i] * 31 + c->name[i] * 7 +
                   (c->has_value[i] ? (uint64_t)c->value_minor[i] : 99);

    t->n++;
    t->sum += row;
    t->mixed ^= row * 0x9E3779B97F4A7C15u ^ (uint64_t)c->node[i] << 40;
    t->last = (uint64_t)c->time_ms[i] > t->last ? (uint64_t)c->time_ms[i] : t->last;
}

static int32_t tally_put(const tally_arg *arg, cj__str *partial, uint32_t profile,
                         const tally *t)
{
    if (arg->fails_at == profile)
        return cj__fail_at(7, CJ_ELIMIT, "the fold gives up");
    if (t->n % 5 == 1) /* a profile may have nothing worth keeping */
        return CJ_OK;
    cj__str_put(partial, &profile, sizeof profile);
    cj__str_put(partial, t, sizeof *t);
    return cj__str_status(partial);
}

static int32_t tally_profile(const void *arg, cj__str *partial, uint32_t profile,
                             const cj__columns *c, int64_t first, int64_t n)
{
    tally_arg *a = *(tally_arg *const *)arg;
    tally t = {0};

    atomic_fetch_add(&a->n_shown, n);
    for (int64_t i = first; i < first + n; i++)
        tally_row(&t, c, i);
    return tally_put(a, partial, profile, &t);
}

static void tally_add(const void *arg, void *states, const uint32_t *place,
                      const cj__columns *c)
{
    tally_arg *a = *(tally_arg *const *)arg;

    atomic_fetch_add(&a->n_added, c->n);
    for (int64_t i = 0; i < c->n; i++)
        tally_row((tally *)states + place[i], c, i);
}

static int32_t tally_keep(const void *arg, cj__str *partial, const void *states,
                          const uint32_t *profile, const uint32_t *place, int64_t n)
{
    const tally_arg *a = *(tally_arg *const *)arg;
    const tally *all = states;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; rc == CJ_OK && i < n; i++) {
        ck_assert(i == 0 || profile[i] > profile[i - 1]);
        ck_assert_uint_gt(all[place[i]].n, 0);
        rc = tally_put(a, partial, profile[i], &all[place[i]]);
    }
    return rc;
}

static const cj__fold_states tally_states = {
    .bytes = sizeof(tally),
    .kept_bytes = sizeof(uint32_t) + sizeof(tally),
    .columns = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE,
    .add = tally_add,
    .keep = tally_keep};

/* A fold whose argument is where *arg points to. */
static cj__fold tally_fold(tally_arg **arg, const cj__fold_states *states)
{
    return (cj__fold){.columns = tally_states.columns,
                      .profile = tally_profile,
                      .states = states,
                      .arg = arg};
}

static void expect_same(history *h, const cj__scan_options *opts)
{
    tally_arg counts = {0}, *arg = &counts;
    cj__fold shown = tally_fold(&arg, NULL), added = tally_fold(&arg, &tally_states);

    ck_assert_msg(cj__scan(h->db, opts, &shown, 1) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_eq(counts.n_added, 0);
    counts.n_shown = 0;
    ck_assert_msg(cj__scan(h->db, opts, &added, 1) == CJ_OK, "%s", cj_errmsg());
    ck_assert(opts->profile != 0 || counts.n_shown == 0);
    ck_assert(opts->profile != 0 || counts.n_added > 0 || shown.partial.n == 0);
    ck_assert_uint_eq(added.partial.n, shown.partial.n);
    if (shown.partial.n > 0)
        ck_assert_mem_eq(added.partial.data, shown.partial.data, shown.partial.n);
    cj__str_end(&shown.partial);
    cj__str_end(&added.partial);
}

/* Every kind of scan of one state of the file. */
static void expect_all_same(history *h)
{
    static const int64_t memory[] = {0, 1, 30000};

    for (int i = 0; i < 12; i++) {
        cj__scan_options opts = {.threads = 1 + i % 4, .memory_bytes = memory[i % 3]};

        opts.guests = i / 3 % 2;
        expect_same(h, &opts);
        opts.value_only = i / 6;
        expect_same(h, &opts);
        opts.from_ms = HISTORY_FROM_MS + INT64_C(11) * 86400000;
        opts.until_ms = opts.from_ms + (1 + i * 3) * INT64_C(86400000);
        expect_same(h, &opts);
        opts.profile = 1 + history_random(h, h->n_nodes + 2);
        expect_same(h, &opts);
    }
}

START_TEST(test_scan_states__equal_what_profiles_are_shown)
{
    for (uint64_t seed = 1; seed < 9; seed += (uint64_t)harness_stride(3)) {
        int n_users = 3 + (int)(seed * seed) * 12;
        history h;

        history_open(&h, seed, n_users, seed % 3 == 0 ? 7 : 40 * (int64_t)seed, NULL);
        for (int round = 0; round < 3; round++) {
            history_record(&h, 600);
            for (int i = 0; i < n_users / 6; i++)
                history_merge(&h);
            for (int i = 0; i < n_users / 12; i++)
                history_unmerge(&h);
            expect_all_same(&h);
        }
        ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
        expect_all_same(&h);
        history_end(&h);
    }
}
END_TEST

START_TEST(test_scan_states__nothing_is_merged)
{
    history h;

    history_open(&h, 77, 1500, 700, NULL);
    expect_all_same(&h); /* no node at all */
    history_record(&h, 4000);
    expect_all_same(&h);
    history_end(&h);
}
END_TEST

/* A round takes 256 profiles at least: some ten rounds, over blocks that hold the nodes
 * of several of them, and a journal of more than a block's rows. */
START_TEST(test_scan_states__rounds_give_the_same)
{
    history h;

    history_open(&h, 5, 2600, 20000, NULL);
    h.span_hours = 300;
    history_record(&h, 35000);
    for (int i = 0; i < 700; i++)
        history_merge(&h);
    for (int32_t threads = 1; threads < 8; threads += 2) {
        cj__scan_options opts = {.threads = threads, .memory_bytes = 1};

        expect_same(&h, &opts);
        opts.memory_bytes = 200000;
        opts.guests = 1;
        expect_same(&h, &opts);
        opts.memory_bytes = 0;
        expect_same(&h, &opts);
    }
    history_end(&h);
}
END_TEST

/* Two folds in one pass; and one that needs order, which decides for both. */
START_TEST(test_scan_states__several_folds_share_a_pass)
{
    history h;

    history_open(&h, 8, 100, 300, NULL);
    history_record(&h, 2000);
    for (int i = 0; i < 20; i++)
        history_merge(&h);
    for (int k = 0; k < 6; k++) {
        cj__scan_options opts = {.guests = 1, .threads = 1 + k % 3, .memory_bytes = 1};
        tally_arg counts[3] = {{0}}, *arg[3] = {&counts[0], &counts[1], &counts[2]};
        cj__fold folds[2] = {tally_fold(&arg[0], &tally_states),
                             tally_fold(&arg[1], k < 3 ? &tally_states : NULL)};
        cj__fold alone = tally_fold(&arg[2], &tally_states);

        ck_assert_int_eq(cj__scan(h.db, &opts, folds, 2), CJ_OK);
        ck_assert_int_eq(cj__scan(h.db, &opts, &alone, 1), CJ_OK);
        ck_assert(k < 3 ? counts[0].n_shown == 0 : counts[0].n_added == 0);
        ck_assert_int_eq(counts[0].n_added, counts[1].n_added);
        for (int i = 0; i < 2; i++) {
            ck_assert_uint_eq(folds[i].partial.n, alone.partial.n);
            ck_assert_mem_eq(folds[i].partial.data, alone.partial.data,
                             alone.partial.n);
            cj__str_end(&folds[i].partial);
        }
        cj__str_end(&alone.partial);
    }
    history_end(&h);
}
END_TEST

START_TEST(test_scan_states__error_of_any_thread_reaches_the_caller)
{
    history h;

    history_open(&h, 9, 300, 300, NULL);
    history_record(&h, 5000);
    for (int32_t threads = 1; threads < 5; threads++) {
        cj__scan_options opts = {.guests = 1, .threads = threads};
        tally_arg counts = {.fails_at = 150}, *arg = &counts;
        cj__fold fold = tally_fold(&arg, &tally_states);

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

    log->wrong |=
        !pthread_equal(log->thread, pthread_self()) || done > total || done < log->last;
    log->last = done;
    return ++log->calls == log->stop_after;
}

START_TEST(test_scan_states__progress_and_interruption)
{
    history h;

    history_open(&h, 10, 800, 300, NULL);
    history_record(&h, 5000);
    for (int k = 0; k < 6; k++) {
        progress_log log = {.thread = pthread_self(), .stop_after = k < 3 ? 0 : 2};
        cj__scan_options opts = {.guests = 1,
                                 .threads = k < 3 ? 1 + k : 1,
                                 .memory_bytes = k % 2,
                                 .progress = progress_note,
                                 .progress_user = &log};
        tally_arg counts = {0}, *arg = &counts;
        cj__fold fold = tally_fold(&arg, &tally_states);

        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1),
                         k < 3 ? CJ_OK : CJ_EINTERRUPT);
        ck_assert_int_eq(log.wrong, 0);
        cj__str_end(&fold.partial);
        cj__interrupt_set(&h.db->cx, 1);
        opts.progress = NULL;
        ck_assert_int_eq(cj__scan(h.db, &opts, &fold, 1), CJ_EINTERRUPT);
        ck_assert_ptr_null(fold.partial.data);
        cj__interrupt_set(&h.db->cx, 0);
    }
    history_end(&h);
}
END_TEST

/* ---- memory runs out ------------------------------------------------------------- */

typedef struct failing {
    cj__allocator real;
    int64_t left, balance; /* allocations until one fails; bytes in use */
} failing;

static void *failing_realloc(void *user, void *p, uint64_t old_bytes,
                             uint64_t new_bytes)
{
    failing *f = user;
    void *got;

    if (new_bytes > 0 && f->left-- <= 0)
        return NULL;
    got = f->real.realloc(f->real.user, p, old_bytes, new_bytes);
    f->balance += (int64_t)new_bytes - (int64_t)old_bytes;
    return got;
}

START_TEST(test_scan_states__every_allocation_may_fail)
{
    history h;

    history_open(&h, 12, 600, 100, NULL);
    history_record(&h, 1500);
    for (int i = 0; i < 10; i++)
        history_merge(&h);
    for (int k = 0; k < 2; k++) {
        cj__scan_options opts = {.guests = 1, .memory_bytes = k};
        failing f = {.real = h.db->cx.allocator};
        int32_t rc = CJ_ENOMEM;
        int64_t n;

        expect_same(&h, &opts); /* the reader keeps what it has learned */
        for (n = 0; rc == CJ_ENOMEM; n++) {
            tally_arg counts = {0}, *arg = &counts;
            cj__fold fold = tally_fold(&arg, &tally_states);

            f.left = n;
            f.balance = 0;
            h.db->cx.allocator = (cj__allocator){failing_realloc, &f};
            rc = cj__scan(h.db, &opts, &fold, 1);
            cj__str_end(&fold.partial);
            h.db->cx.allocator = f.real;
            ck_assert_msg(rc == CJ_OK || rc == CJ_ENOMEM, "%s", cj__error_text());
            ck_assert_int_le(f.balance, 0);
        }
        ck_assert_int_gt(n, 8);
        expect_same(&h, &opts);
    }
    history_end(&h);
}
END_TEST

HARNESS_MAIN("scan_states", test_scan_states__equal_what_profiles_are_shown,
             test_scan_states__nothing_is_merged,
             test_scan_states__rounds_give_the_same,
             test_scan_states__several_folds_share_a_pass,
             test_scan_states__error_of_any_thread_reaches_the_caller,
             test_scan_states__progress_and_interruption,
             test_scan_states__every_allocation_may_fail)
