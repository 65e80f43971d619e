/* A process that records is killed at a random moment, two hundred times over: while it
 * opens, records, seals, merges slices, writes identifier runs or compacts.  What it
 * was told is durable must be there; what it had sent must be there whole or not at
 * all; and sending the last messages again doubles none. */
#include "api.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CRASH_ROUNDS = 100,   /* for each of two orders of messages */
    CRASH_BATCH = 24,     /* messages of one commit at most */
    CRASH_AGAIN = 60,     /* messages sent again after a crash */
    CRASH_FULL_CHECK = 10 /* rounds from one full check to the next */
};

typedef struct crash {
    api_file file;
    int order;
    int64_t acknowledged; /* messages [0, this) */
    int64_t delay_us;     /* the longest */
    uint64_t dice;
} crash;

static int64_t crash_now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the child: ends only by being killed, or with the line where it failed  */

#define CRASH_TRY(call)                                                                \
    do {                                                                               \
        if ((call) != CJ_OK)                                                           \
            _exit(__LINE__ % 200 + 1);                                                 \
    } while (0)

static void crash_child(const crash *c, uint64_t dice, int acknowledge)
{
    cj_open_options o = api_options(0, 64);
    int64_t at = c->acknowledged > CRASH_AGAIN ? c->acknowledged - CRASH_AGAIN : 0;
    cj_record_result r = {.struct_size = (int64_t)sizeof r};
    cj_db *db;

    CRASH_TRY(cj_open(c->file.path, &o, &db));
    for (;;) {
        int64_t until = at + 1 + (int64_t)(api_random(&dice) % CRASH_BATCH);
        CRASH_TRY(api_record_range(db, at, until, c->order, &r));
        if (r.n_recorded + r.n_duplicates != until - at)
            _exit(201);
        if (write(acknowledge, &until, sizeof until) != (ssize_t)sizeof until)
            _exit(202);
        at = until;
        if (api_random(&dice) % 24 == 0)
            CRASH_TRY(cj_compact(db, NULL, NULL));
        while (at + CRASH_BATCH >= API_MAX_NUMBER)
            (void)pause(); /* a fast machine has shown enough */
    }
}

/* ---- the parent ------------------------------------------------------------ */

static void crash_kill(crash *c, pid_t child, int64_t delay_us)
{
    int status;

    (void)usleep((useconds_t)(api_random(&c->dice) % (uint64_t)delay_us));
    (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "the child ended by itself: status %d", WEXITSTATUS(status));
}

/* Start a child, kill it within delay_us, learn what it was told. */
static void crash_once(crash *c)
{
    uint64_t dice = api_random(&c->dice);
    int64_t until;
    int ends[2];
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)close(ends[0]);
        crash_child(c, dice, ends[1]);
    }
    (void)close(ends[1]);
    crash_kill(c, child, c->delay_us);
    while (read(ends[0], &until, sizeof until) == (ssize_t)sizeof until)
        if (until > c->acknowledged)
            c->acknowledged = until;
    (void)close(ends[0]);
}

/* The messages that are there are [0, n) for an n from the acknowledged ones to one
 * commit more. */
static void crash_check_quick(crash *c, cj_db *db)
{
    int64_t n_events = api_n_events(db), expected = 0;

    for (int64_t i = 0; i < c->acknowledged; i++)
        expected += api_message_events(i);
    for (int64_t i = c->acknowledged;
         expected < n_events && i < c->acknowledged + CRASH_BATCH; i++)
        expected += api_message_events(i);
    ck_assert_msg(n_events == expected,
                  "%lld events, of %lld acknowledged messages: nearest is %lld",
                  (long long)n_events, (long long)c->acknowledged, (long long)expected);
}

static void crash_check_full(crash *c, cj_db *db)
{
    int64_t n = c->acknowledged + CRASH_BATCH;
    int *seen = api_numbers(db, n), gone = 0;

    for (int64_t i = 0; i < n; i++) {
        ck_assert_msg(seen[i] <= 1, "message %lld is there %d times", (long long)i,
                      seen[i]);
        ck_assert_msg(seen[i] == 1 || i >= c->acknowledged,
                      "acknowledged message %lld of %lld is lost", (long long)i,
                      (long long)c->acknowledged);
        ck_assert_msg(!(seen[i] == 1 && gone), "half a commit is there");
        gone = seen[i] == 0;
    }
    free(seen);
    api_expect_sound(db);
}

/* The messages of the last commits, sent again by the parent: all are duplicates. */
static void crash_check_again(crash *c, cj_db *db)
{
    int64_t from = c->acknowledged > CRASH_AGAIN ? c->acknowledged - CRASH_AGAIN : 0;
    int64_t before = api_n_events(db);
    cj_record_result r = {.struct_size = (int64_t)sizeof r};

    expect_ok(api_record_range(db, from, c->acknowledged, c->order, &r));
    ck_assert_int_eq(r.n_duplicates, c->acknowledged - from);
    ck_assert_int_eq(api_n_events(db), before);
}

/* How long opening and a first commit take here, under whatever watches us. */
static int64_t crash_measure(const crash *c)
{
    api_file f;
    int64_t begin;
    cj_db *db;

    api_file_make(&f);
    begin = crash_now_us();
    db = api_open(f.path, 0, 64);
    expect_ok(api_record_range(db, 0, 100, c->order, NULL));
    expect_ok(cj_close(db));
    begin = crash_now_us() - begin;
    api_file_remove(&f);
    return begin;
}

static void crash_rounds(int order)
{
    const char *seed = getenv("CRASH_SEED");
    const uint64_t dice = seed != NULL ? strtoull(seed, NULL, 10) : 20240229;
    crash c = {.order = order, .dice = dice + (uint64_t)order};
    const int64_t started = crash_now_us();

    api_file_make(&c.file);
    c.delay_us = 30000;
    if (crash_measure(&c) * 3 > c.delay_us)
        c.delay_us = crash_measure(&c) * 3;
    for (int round = 1; round <= CRASH_ROUNDS; round++) {
        cj_db *db;
        crash_once(&c);
        (void)fprintf(stderr, "seed %llu round %d: %lld acknowledged\n",
                      (unsigned long long)dice, round, (long long)c.acknowledged);
        db = api_open(c.file.path, 0, 64);
        crash_check_quick(&c, db);
        crash_check_again(&c, db);
        if (round % CRASH_FULL_CHECK == 0)
            crash_check_full(&c, db);
        expect_ok(cj_close(db));
        if (round >= 20 && crash_now_us() - started > 60000000)
            break; /* under a sanitizer, say: enough too */
    }
    ck_assert_int_gt(c.acknowledged, 500);
    api_file_remove(&c.file);
}

/* Killed while the file is made: what is left can be opened, and is a good file. */
START_TEST(test_api_crash__creation)
{
    crash c = {.dice = 20240301};

    api_file_make(&c.file);
    c.delay_us = crash_measure(&c) / 2 + 1;
    for (int round = 0; round < 40; round++) {
        cj_open_options o = api_options(0, 64);
        pid_t child = fork();
        cj_db *db;
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            CRASH_TRY(cj_open(c.file.path, &o, &db));
            for (;;)
                (void)pause();
        }
        crash_kill(&c, child, c.delay_us);
        db = api_open(c.file.path, 0, 64);
        expect_ok(api_record(db, 1, API_IN_ORDER));
        api_expect_sound(db);
        expect_ok(cj_close(db));
        ck_assert_int_eq(unlink(c.file.path), 0);
        ck_assert(!api_exists(c.file.wal) && !api_exists(c.file.shm));
    }
    api_file_remove(&c.file);
}
END_TEST

START_TEST(test_api_crash__messages_in_order_of_time)
{
    crash_rounds(API_IN_ORDER);
}
END_TEST

START_TEST(test_api_crash__messages_all_over_the_years)
{
    crash_rounds(API_SCRAMBLED);
}
END_TEST

HARNESS_MAIN("api_crash", test_api_crash__creation,
             test_api_crash__messages_in_order_of_time,
             test_api_crash__messages_all_over_the_years)
