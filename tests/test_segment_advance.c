/* Time that passes for live segments: each change is at the exact moment, none is
 * missed or written twice, also when the process is killed on the way. */
#include "harness.h"
#include "live_shop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- exact moments --------------------------------------------------------------- */

static int advance_is_in(live_shop *s, const char *segment, int64_t n, int64_t profile,
                         int64_t at_ms)
{
    cj_segment_options o = {.struct_size = (int64_t)sizeof o, .as_of_ms = at_ms};
    const int64_t *offsets;
    const char *names;
    int is_in = -1;
    cj_table *t;

    expect_ok(cj_profile_segments(s->db, profile, &o, &t));
    names = cj_table_text(t, 0, &offsets);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        if (offsets[i + 1] - offsets[i] == n &&
            memcmp(names + offsets[i], segment, (size_t)n) == 0)
            is_in = cj_table_int64(t, 1)[i] == 1;
    }
    cj_table_free(t);
    ck_assert_int_ge(is_in, 0);
    return is_in;
}

/* Each row by the clock: a millisecond before it was otherwise.  In order of moment,
 * then profile. */
static int64_t advance_rows(live_shop *s, int64_t after)
{
    const int64_t *names, *whats, *causes;
    const char *name, *what, *cause;
    int64_t n;
    cj_table *t;

    expect_ok(cj_segment_feed(s->db, after, 0, &t));
    name = cj_table_text(t, 1, &names);
    what = cj_table_text(t, 4, &whats);
    cause = cj_table_text(t, 5, &causes);
    n = cj_table_rows(t);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = cj_table_int64(t, 3)[i], profile = cj_table_int64(t, 2)[i];
        const int entered = what[whats[i]] == 'e';

        ck_assert_int_eq(causes[i + 1] - causes[i], 5);
        ck_assert_int_eq(memcmp(cause + causes[i], "clock", 5), 0);
        ck_assert(i == 0 || at > cj_table_int64(t, 3)[i - 1] ||
                  (at == cj_table_int64(t, 3)[i - 1] &&
                   profile >= cj_table_int64(t, 2)[i - 1]));
        ck_assert_int_eq(
            advance_is_in(s, name + names[i], names[i + 1] - names[i], profile, at - 1),
            !entered);
        ck_assert_int_eq(
            advance_is_in(s, name + names[i], names[i + 1] - names[i], profile, at),
            entered);
    }
    cj_table_free(t);
    return n;
}

START_TEST(test_segment_advance__changes_are_at_their_moments)
{
    live_shop s;
    int64_t n_rows = 0, n;

    live_begin(&s, 77, 60);
    for (int round = 0; round < 12; round++) {
        int64_t middle;

        for (int i = 0; i < 12; i++)
            live_step(&s);
        expect_ok(cj_segment_advance(s.db, 0, NULL));
        live_replay(&s, INT64_MAX);
        middle = *live_now + 1 + live_random(&s, (int)(6 * DAY / 1000)) * 1000;
        *live_now += 6 * DAY;
        expect_ok(cj_segment_advance(s.db, 0, &n));
        ck_assert_int_eq(advance_rows(&s, s.cursor), n);
        n_rows += n;
        live_replay(&s, middle);
        live_compare(&s, middle, "on the way");
        live_replay(&s, INT64_MAX);
        live_compare(&s, *live_now + 1, "at the end");
    }
    ck_assert_int_gt(n_rows, 100);
    live_end(&s);
}
END_TEST

START_TEST(test_segment_advance__time_goes_forward_only)
{
    live_shop s;
    int64_t n;

    live_begin(&s, 5, 1000);
    live_record(&s, 8);
    live_record(&s, 8);
    expect_ok(cj_segment_advance(s.db, *live_now + 30 * DAY, &n));
    ck_assert_int_gt(n, 0);
    expect_ok(cj_segment_advance(s.db, *live_now + 30 * DAY, &n));
    ck_assert_int_eq(n, 0);
    expect_ok(cj_segment_advance(s.db, *live_now + DAY, &n));
    ck_assert_int_eq(n, 0);
    live_replay(&s, INT64_MAX);
    live_compare(&s, *live_now + 30 * DAY, "in a month");
    /* what is recorded now counts in a month, where the segments are */
    live_record(&s, 8);
    live_record(&s, 8);
    live_replay(&s, INT64_MAX);
    live_compare(&s, *live_now + 30 * DAY, "recorded after that");
    expect_code(CJ_EINVAL, cj_segment_advance(s.db, INT64_MAX, &n));
    ck_assert_int_eq(n, 0);
    live_end(&s);
}
END_TEST

/* ---- kill -9 ----------------------------------------------------------------------
 */

/* Ends by being killed: records, merges, redefines and lets time pass. */
static void advance_child(live_shop *s)
{
    s->db = live_open(s);
    for (;;) {
        live_step(s);
        if (live_random(s, 2) == 0)
            expect_ok(cj_segment_advance(s->db, 0, NULL));
    }
}

static void advance_kill(live_shop *s)
{
    const pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        advance_child(s);
        _exit(1);
    }
    (void)usleep((useconds_t)(2000 + live_random(s, 60000)));
    (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_segment_advance__kill_loses_and_doubles_nothing)
{
    const int n = API_TSAN ? 3 : 40;
    live_shop s;

    live_begin(&s, 99, 50);
    for (int round = 0; round < n; round += harness_stride(7)) {
        expect_ok(cj_close(s.db));
        s.dice += 1;
        advance_kill(&s);
        s.db = live_open(&s);
        expect_ok(cj_segment_advance(s.db, 0, NULL));
        live_replay(&s, INT64_MAX);
        live_compare(&s, *live_now + 1, "after a kill");
        if (round % 8 == 0)
            api_expect_sound(s.db);
    }
    live_end(&s);
}
END_TEST

HARNESS_MAIN("segment_advance", test_segment_advance__changes_are_at_their_moments,
             test_segment_advance__time_goes_forward_only,
             test_segment_advance__kill_loses_and_doubles_nothing)
