/* The events of one profile are those of everybody, picked: for any history, merged or
 * not, sealed or not, by a handle that has long known other profiles, while others
 * write and seal, from several threads, and when memory fails. */
#include "history.h"
#include "shop.h"

#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void expect_same_column(const cj_table *all, int64_t first, const cj_table *one,
                               int64_t column)
{
    const int64_t n = cj_table_rows(one), *at_all, *at_one;
    const uint8_t *valid_all = cj_table_validity(all, column);
    const uint8_t *valid_one = cj_table_validity(one, column);
    const char *text_all = cj_table_text(all, column, &at_all);
    const char *text_one = cj_table_text(one, column, &at_one);

    for (int64_t i = 0; i < n; i++) {
        const int64_t k = first + i;
        const int null_all = valid_all != NULL && !(valid_all[k / 8] >> (k % 8) & 1);
        const int null_one = valid_one != NULL && !(valid_one[i / 8] >> (i % 8) & 1);

        ck_assert_msg(null_all == null_one, "%s of row %d is null, or is not",
                      cj_table_name(all, column), (int)i);
        if (text_all == NULL) {
            ck_assert_int_eq(cj_table_int64(one, column)[i],
                             cj_table_int64(all, column)[k]);
            continue;
        }
        ck_assert_int_eq(at_one[i + 1] - at_one[i], at_all[k + 1] - at_all[k]);
        ck_assert_mem_eq(text_one + at_one[i], text_all + at_all[k],
                         (size_t)(at_one[i + 1] - at_one[i]));
    }
}

/* Rows [first, end) of all are what one handle tells of their profile. */
static void expect_profile(cj_db *db, cj_events_options o, const cj_table *all,
                           int64_t first, int64_t end)
{
    cj_table *one;

    o.profile = cj_table_int64(all, 0)[first];
    ck_assert_msg(cj_events(db, &o, &one) == CJ_OK, "%s", cj_errmsg());
    ck_assert_msg(cj_table_rows(one) == end - first, "%d rows of profile %d, not %d",
                  (int)cj_table_rows(one), (int)o.profile, (int)(end - first));
    for (int64_t c = 0; c < cj_table_columns(all); c++)
        expect_same_column(all, first, one, c);
    cj_table_free(one);
}

/* About one profile in `some` is asked for by each handle. */
static void expect_profiles(history *h, cj_db *const *handles, int n_handles,
                            const cj_events_options *o, uint32_t some)
{
    const int64_t *profile;
    int64_t end;
    cj_table *all;

    ck_assert_int_eq(cj_events(h->db, o, &all), CJ_OK);
    profile = cj_table_int64(all, 0);
    for (int64_t first = 0; first < cj_table_rows(all); first = end) {
        for (end = first + 1;
             end < cj_table_rows(all) && profile[end] == profile[first];)
            end++;
        for (int i = 0; i < n_handles; i++) {
            if (history_random(h, some) == 0)
                expect_profile(handles[i], *o, all, first, end);
        }
    }
    cj_table_free(all);
}

static void expect_questions(history *h, cj_db *const *handles, int n, uint32_t some)
{
    cj_events_options o = {.struct_size = sizeof o};

    expect_profiles(h, handles, n, &o, some);
    o.name = history_names[history_random(h, HISTORY_NAMES)];
    expect_profiles(h, handles, n, &o, 2 * some);
    o.name = NULL;
    o.from_ms = HISTORY_FROM_MS + (int64_t)history_random(h, 90) * 86400000;
    o.until_ms = o.from_ms + (int64_t)history_random(h, 30) * 86400000 + 1;
    expect_profiles(h, handles, n, &o, some);
}

/* Nodes that have joined another are no profiles, and nobody is beyond the last. */
static void expect_nobody(history *h, cj_db *db)
{
    history_roots(h);
    for (uint32_t node = 1; node <= h->n_nodes + 2; node++) {
        cj_events_options o = {.struct_size = sizeof o, .profile = node};
        cj_table *t;

        if (node <= h->n_nodes && h->root[node] == node)
            continue;
        ck_assert_int_eq(cj_events(db, &o, &t), CJ_OK);
        ck_assert_int_eq(cj_table_rows(t), 0);
        cj_table_free(t);
    }
}

START_TEST(test_events_one__is_everybody_picked)
{
    static const int64_t seals[] = {1, 90, 400, 65536};

    for (uint64_t seed = 1; seed <= 4; seed++) {
        cj_db *handles[2];
        history h;

        history_open(&h, seed, 20 + 60 * (int)seed, seals[seed - 1], NULL);
        handles[0] = h.db;
        ck_assert_int_eq(cj_open(h.path, NULL, &handles[1]), CJ_OK);
        for (int round = 0; round < 8; round++) {
            h.span_hours = round % 3 == 0 ? 140 : 2400; /* late, and many in one slice */
            history_record(&h, 150);
            expect_questions(&h, handles, 2, 4);
            for (int i = 0; i < 6; i++)
                history_merge(&h);
            for (int i = 0; i < 2; i++)
                history_unmerge(&h);
            expect_questions(&h, handles, 2, 4);
            expect_nobody(&h, handles[round % 2]);
            if (round % 3 == 1)
                ck_assert_int_eq(cj_compact(handles[round / 3 % 2], NULL, NULL), CJ_OK);
        }
        ck_assert_int_eq(cj_close(handles[1]), CJ_OK);
        history_end(&h);
    }
}
END_TEST

/* A node of more rows than a block has, beside many of few. */
START_TEST(test_events_one__more_than_a_block)
{
    history_event e = {.time_ms = HISTORY_FROM_MS, .user = 1, .channel = -1};
    history h;

    history_open(&h, 5, 300, 12000, NULL);
    h.span_hours = 140;
    history_record(&h, 3000);
    history_add_many(&h, e, 9000);
    history_record(&h, 3000);
    for (int i = 0; i < 100; i++)
        history_merge(&h);
    for (int i = 0; i < 2; i++)
        expect_questions(&h, &h.db, 1, 5);
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    expect_questions(&h, &h.db, 1, 5);
    history_end(&h);
}
END_TEST

/* ---- while others write
 * --------------------------------------------------------------------- */

enum { THREADS = 3, SECONDS_ROUNDS = 40 };

typedef struct asker {
    pthread_t thread;
    history *h;
    uint32_t n_nodes;
    _Atomic int *stop;
    int64_t n_asked;
} asker;

/* Whatever comes beside: rows of one profile, in order, none twice. */
static void expect_ordered(const cj_table *t, int64_t profile)
{
    const int64_t *node = cj_table_int64(t, 1), *time_ms = cj_table_int64(t, 2);

    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        ck_assert_int_eq(cj_table_int64(t, 0)[i], profile);
        ck_assert(i == 0 || time_ms[i] > time_ms[i - 1] ||
                  (time_ms[i] == time_ms[i - 1] && node[i] >= node[i - 1]));
    }
}

static void *ask(void *user)
{
    asker *a = user;
    uint64_t dice = (uint64_t)(uintptr_t)a;

    while (!*a->stop) {
        cj_events_options o = {.struct_size = sizeof o};
        int64_t rows;
        cj_table *t;

        o.profile = 1 + (int64_t)(api_random(&dice) % a->n_nodes);
        ck_assert_msg(cj_events(a->h->db, &o, &t) == CJ_OK, "%s", cj_errmsg());
        expect_ordered(t, o.profile);
        rows = cj_table_rows(t);
        cj_table_free(t);
        ck_assert_int_eq(cj_events(a->h->db, &o, &t), CJ_OK);
        ck_assert_int_ge(cj_table_rows(t), rows); /* nothing is merged here */
        cj_table_free(t);
        a->n_asked++;
    }
    return NULL;
}

START_TEST(test_events_one__while_others_write)
{
    _Atomic int stop = 0;
    asker askers[THREADS];
    cj_db *handles[2];
    history h;

    history_open(&h, 11, 60, 300, NULL);
    history_record(&h, 400);
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (asker){.h = &h, .n_nodes = h.n_nodes, .stop = &stop};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    ck_assert_int_eq(cj_open(h.path, NULL, &handles[1]), CJ_OK);
    handles[0] = h.db;
    for (int i = 0; i < SECONDS_ROUNDS; i++) {
        history_record(&h, 40);
        if (i % 7 == 3)
            ck_assert_int_eq(cj_compact(handles[i % 2], NULL, NULL), CJ_OK);
        expect_profiles(&h, handles, 2, &(cj_events_options){.struct_size = 56}, 9);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
        ck_assert_int_gt(askers[i].n_asked, 0);
    }
    expect_questions(&h, handles, 2, 1);
    ck_assert_int_eq(cj_close(handles[1]), CJ_OK);
    history_end(&h);
}
END_TEST

/* ---- when memory fails
 * ---------------------------------------------------------------------- */

static char *rows_of(shop *s, int64_t profile)
{
    cj_events_options o = {.struct_size = sizeof o, .profile = profile};
    cj_table *t;

    expect_ok(cj_events(s->db, &o, &t));
    return shop_rows(t);
}

/* Each allocation fails once, cold and warm; then the answer is as if nothing had been.
 */
static void fail_each(shop *s, int64_t profile, const char *want, int fail_on)
{
    for (int64_t i = 1, failed = 1; failed; i++) {
        cj_events_options o = {.struct_size = sizeof o, .profile = profile};
        cj_table *t = NULL;
        char *rows;
        int32_t rc;

        if (i % 3 != 0)
            shop_reopen(s, 0);
        api_heap_arm(&s->heap, i, fail_on);
        rc = cj_events(s->db, &o, &t);
        failed = s->heap.n_failed > 0;
        api_heap_disarm(&s->heap);
        ck_assert_int_eq(rc, failed ? CJ_ENOMEM : CJ_OK);
        ck_assert(failed == (t == NULL));
        cj_table_free(t);
        rows = rows_of(s, profile);
        ck_assert_str_eq(rows, want);
        free(rows);
    }
}

START_TEST(test_events_one__when_memory_fails)
{
    int64_t profile;
    char *want;
    shop s;

    shop_open(&s, NULL, 0);
    shop_events(&s, "ann+email:a@x.org 2025-01-01 order 12.50 web\n"
                    "guest:t1 2025-01-02 page_view\n"
                    "bob 2025-01-03 page_view\n"
                    "ann 2025-02-01 refund -2.50 web\n"
                    "guest:t1 2025-02-02 order 7.00\n");
    expect_ok(cj_compact(s.db, NULL, NULL));
    shop_merge(&s, "ann", "guest:t1");
    shop_events(&s, "ann 2025-01-01 page_view\n"
                    "bob 2025-03-03 page_view\n"
                    "guest:t1 2025-03-02 order 3.00\n");
    profile = shop_who(&s, "ann");
    want = rows_of(&s, profile);
    fail_each(&s, profile, want, 0);
    fail_each(&s, profile, want, 1);
    free(want);
    shop_close(&s);
}
END_TEST

HARNESS_MAIN("scan_events_one", test_events_one__is_everybody_picked,
             test_events_one__more_than_a_block, test_events_one__while_others_write,
             test_events_one__when_memory_fails)
