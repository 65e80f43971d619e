/* One file, many writers: two processes of four threads each, readers and interrupts
 * beside them, deferred queues that are flushed and closed.  Nothing is lost, a message
 * sent by several counts once, nobody waits in vain.  Under the thread sanitizer there
 * is one process: it does not follow fork(). */
#include "api.h"
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    THREADS_N = 4,
    THREADS_OWN = 300,    /* messages that one thread sends alone */
    THREADS_SHARED = 200, /* and that every thread of every process sends */
    THREADS_ALL = THREADS_SHARED + 2 * THREADS_N * THREADS_OWN
};

typedef struct threads_job {
    cj_db *db;
    int index; /* of the thread, over both processes */
    int32_t rc;
    char text[128];
    _Atomic int *stop;
    int64_t n_calls;
} threads_job;

static void threads_note(threads_job *j, int32_t rc)
{
    if (rc == CJ_OK || j->rc != CJ_OK)
        return;
    j->rc = rc;
    (void)snprintf(j->text, sizeof j->text, "%s", cj_errmsg());
}

/* ---- writers and readers --------------------------------------------------- */

/* The shared messages in an order of its own among its own ones. */
static void *threads_record(void *arg)
{
    threads_job *j = arg;
    int64_t numbers[THREADS_SHARED + THREADS_OWN];
    uint64_t dice = (uint64_t)j->index + 1;

    for (int64_t i = 0; i < THREADS_SHARED; i++)
        numbers[i] = i;
    for (int64_t i = 0; i < THREADS_OWN; i++)
        numbers[THREADS_SHARED + i] = THREADS_SHARED + j->index * THREADS_OWN + i;
    api_shuffle(numbers, THREADS_SHARED + THREADS_OWN, &dice);
    for (int64_t i = 0; i < THREADS_SHARED + THREADS_OWN && j->rc == CJ_OK; i++)
        threads_note(j, api_record(j->db, numbers[i], API_SCRAMBLED));
    return NULL;
}

static void threads_rfm(threads_job *j, int32_t threads)
{
    const cj_rfm_options o = {.struct_size = (int64_t)sizeof o, .threads = threads};
    cj_table *t;

    threads_note(j, cj_rfm(j->db, &o, &t));
    cj_table_free(t);
}

/* Events never become fewer, and an order always has its items. */
static void threads_events(threads_job *j, int64_t *least)
{
    cj_events_options o = {.struct_size = (int64_t)sizeof o, .threads = 2};
    int64_t rows, orders;
    cj_table *t;

    o.name = "order_item";
    threads_note(j, cj_events(j->db, &o, &t));
    rows = cj_table_rows(t);
    cj_table_free(t);
    if (rows % 2 != 0)
        threads_note(j, -1000);
    o.name = "order";
    threads_note(j, cj_events(j->db, &o, &t));
    orders = cj_table_rows(t);
    cj_table_free(t);
    if (orders < rows / 2 || orders < *least)
        threads_note(j, -1001);
    *least = orders;
}

static void *threads_read(void *arg)
{
    threads_job *j = arg;
    int64_t least = 0, profile;
    cj_table *t;

    while (!*j->stop && j->rc == CJ_OK) {
        int32_t rc;
        threads_rfm(j, 1 + (int32_t)(j->n_calls % 2));
        threads_events(j, &least);
        threads_note(j, cj_stats(j->db, &t));
        cj_table_free(t);
        rc = cj_profile_find(j->db, "user_id", "u3", &profile);
        if (rc != CJ_ENOTFOUND)
            threads_note(j, rc);
        j->n_calls++;
    }
    return NULL;
}

/* ---- many at once ---------------------------------------------------------- */

/* Four writers and two readers on one handle.  0, or what went wrong. */
static int32_t threads_process(const char *path, int process, int64_t flags, char *text)
{
    cj_open_options o = api_options(flags, 500);
    threads_job jobs[THREADS_N + 2];
    pthread_t threads[THREADS_N + 2];
    _Atomic int stop = 0;
    cj_db *db;
    int32_t rc = cj_open(path, &o, &db);

    if (rc != CJ_OK)
        return rc;
    for (int i = 0; i < THREADS_N + 2; i++) {
        jobs[i] = (threads_job){
            .db = db, .index = process * THREADS_N + i, .rc = CJ_OK, .stop = &stop};
        if (pthread_create(&threads[i], NULL,
                           i < THREADS_N ? threads_record : threads_read,
                           &jobs[i]) != 0)
            return CJ_EIO;
    }
    for (int i = 0; i < THREADS_N; i++)
        (void)pthread_join(threads[i], NULL);
    stop = 1;
    for (int i = THREADS_N; i < THREADS_N + 2; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS_N + 2 && rc == CJ_OK; i++) {
        rc = jobs[i].rc;
        (void)snprintf(text, 128, "%s", jobs[i].text);
    }
    if (rc == CJ_OK)
        rc = cj_close(db);
    else
        (void)cj_close(db);
    return rc;
}

static void threads_expect(const char *path, int n_processes)
{
    cj_db *db = api_open(path, 0, 0);
    int *seen = api_numbers(db, THREADS_ALL);

    for (int i = 0; i < THREADS_ALL; i++)
        ck_assert_msg(seen[i] ==
                          (i < THREADS_SHARED + n_processes * THREADS_N * THREADS_OWN),
                      "message %d is there %d times", i, seen[i]);
    free(seen);
    api_expect_sound(db);
    expect_ok(cj_close(db));
}

static void threads_one_process(int64_t flags)
{
    char text[128] = "";
    api_file f;
    int32_t rc;

    api_file_make(&f);
    rc = threads_process(f.path, 0, flags, text);
    ck_assert_msg(rc == CJ_OK, "%d: %s", rc, text);
    threads_expect(f.path, 1);
    api_file_remove(&f);
}

START_TEST(test_api_threads__four_writers_and_readers)
{
    threads_one_process(0);
}
END_TEST

START_TEST(test_api_threads__four_deferred_writers_and_readers)
{
    threads_one_process(CJ_OPEN_DEFERRED);
}
END_TEST

#if !API_TSAN
static void threads_child(const char *path, int process, int64_t flags)
{
    char text[128] = "";
    int32_t rc = threads_process(path, process, flags, text);

    if (rc != CJ_OK)
        (void)fprintf(stderr, "process %d: %d %s\n", process, rc, text);
    _exit(rc == CJ_OK ? 0 : 1);
}

START_TEST(test_api_threads__two_processes_of_four)
{
    pid_t children[2];
    api_file f;

    api_file_make(&f);
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            threads_child(f.path, i, i == 0 ? 0 : CJ_OPEN_DEFERRED);
    }
    for (int i = 0; i < 2; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                      "process %d: status %d", i, status);
    }
    threads_expect(f.path, 2);
    api_file_remove(&f);
}
END_TEST
#else
START_TEST(test_api_threads__two_processes_of_four)
{
}
END_TEST
#endif

/* ---- one writer, scores on two threads beside it --------------------------- */

START_TEST(test_api_threads__scores_while_recording)
{
    threads_job job = {.index = 0};
    pthread_t thread;
    int64_t least = 0;
    api_file f;

    api_file_make(&f);
    job.db = api_open(f.path, 0, 100);
    expect_ok(api_record(job.db, 0, API_SCRAMBLED));
    ck_assert_int_eq(pthread_create(&thread, NULL, threads_record, &job), 0);
    for (int i = 0; i < 40; i++) {
        const cj_rfm_options o = {.struct_size = (int64_t)sizeof o, .threads = 2};
        cj_table *t;
        expect_ok(cj_rfm(job.db, &o, &t));
        ck_assert_int_ge(cj_table_rows(t), least); /* customers never become fewer */
        least = cj_table_rows(t);
        cj_table_free(t);
    }
    (void)pthread_join(thread, NULL);
    ck_assert_int_eq(job.rc, CJ_OK);
    expect_ok(cj_close(job.db));
    api_file_remove(&f);
}
END_TEST

/* ---- segments on one handle, while it records and definitions change ------- */

/* An order has two items: whoever sees one without the other saw half a commit. */
static void threads_evaluate(threads_job *j, int32_t threads)
{
    cj_segment_options o = {
        .struct_size = (int64_t)sizeof o, .threads = threads, .identifier = "user_id"};
    cj_table *t;

    o.as_of_ms = API_TIME + INT64_C(100) * 365 * 86400000 / 4;
    o.members_only = 1;
    threads_note(
        j, cj_segment_evaluate(j->db, "2 * count(order) != count(order_item)", &o, &t));
    if (cj_table_rows(t) != 0)
        threads_note(j, -1000);
    cj_table_free(t);
}

/* "all" is defined anew again and again, always as everybody: they never become fewer.
 */
static void *threads_segments(void *arg)
{
    threads_job *j = arg;
    cj_segment_options o = {.struct_size = (int64_t)sizeof o};
    int64_t least = 0, n;
    cj_table *t;

    while (!*j->stop && j->rc == CJ_OK) {
        o.threads = 1 + (int32_t)(j->n_calls++ % 3);
        threads_evaluate(j, o.threads);
        threads_note(j, cj_segment_count(j->db, "all", &o, &n));
        if (n < least)
            threads_note(j, -1001);
        least = n;
        threads_note(j, cj_segment_members(j->db, "leads on", &o, &t));
        if (cj_table_rows(t) < least)
            threads_note(j, -1002);
        cj_table_free(t);
        threads_note(j, cj_profile_segments(j->db, 1, NULL, &t));
        cj_table_free(t);
        threads_note(j, cj_segments(j->db, &t));
        if (cj_table_rows(t) < 2)
            threads_note(j, -1003);
        cj_table_free(t);
    }
    return NULL;
}

static void *threads_define(void *arg)
{
    static const char *const all[] = {"has(user_id)", "identifiers(user_id) >= 1",
                                      "has(user_id) and orders() >= 0"};
    threads_job *j = arg;
    char name[32];

    (void)snprintf(name, sizeof name, "own %d", j->index);
    for (; !*j->stop && j->rc == CJ_OK; j->n_calls++) {
        threads_note(j, cj_segment_define(j->db, "all", all[j->n_calls % 3], 0));
        threads_note(j, cj_segment_define_list(j->db, name, (const int64_t[]){1},
                                               j->n_calls % 2));
        if (j->n_calls % 4 == 3)
            threads_note(j, cj_segment_drop(j->db, name));
    }
    return NULL;
}

START_TEST(test_api_threads__segments_while_recording)
{
    void *(*const work[])(void *) = {threads_segments, threads_segments, threads_define,
                                     threads_define};
    _Atomic int stop = 0;
    threads_job recorder = {.index = 0}, jobs[4];
    pthread_t threads[4], record;
    api_file f;

    api_file_make(&f);
    recorder.db = api_open(f.path, 0, 100);
    expect_ok(api_record(recorder.db, 0, API_SCRAMBLED));
    expect_ok(cj_segment_define(recorder.db, "all", "has(user_id)", 0));
    expect_ok(cj_segment_define(recorder.db, "leads on", "in_segment(\"all\")", 0));
    for (int i = 0; i < 4; i++) {
        jobs[i] = (threads_job){.db = recorder.db, .index = i, .stop = &stop};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work[i], &jobs[i]), 0);
    }
    ck_assert_int_eq(pthread_create(&record, NULL, threads_record, &recorder), 0);
    (void)pthread_join(record, NULL);
    stop = 1;
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        ck_assert_msg(jobs[i].rc == CJ_OK, "%d: %d %s", i, jobs[i].rc, jobs[i].text);
        ck_assert_int_gt(jobs[i].n_calls, 0);
    }
    ck_assert_int_eq(recorder.rc, CJ_OK);
    api_expect_sound(recorder.db);
    expect_ok(cj_close(recorder.db));
    api_file_remove(&f);
}
END_TEST

/* ---- interrupts ------------------------------------------------------------ */

static void *threads_interrupt(void *arg)
{
    threads_job *j = arg;

    while (!*j->stop)
        threads_note(j, cj_interrupt(j->db));
    return NULL;
}

/* Whatever is interrupted answers so, and has changed nothing; a call after it works.
 */
START_TEST(test_api_threads__interrupt)
{
    const cj_rfm_options rfm = {.struct_size = (int64_t)sizeof rfm, .threads = 2};
    _Atomic int stop = 0;
    threads_job job = {.stop = &stop};
    pthread_t thread;
    int n_interrupted = 0;
    char *before, *after;
    api_file f;

    api_file_make(&f);
    job.db = api_open(f.path, 0, 100000);
    for (int64_t i = 0; i < 2000; i += 500)
        expect_ok(api_record_range(job.db, i, i + 500, API_SCRAMBLED, NULL));
    before = api_content_sorted(job.db);
    ck_assert_int_eq(pthread_create(&thread, NULL, threads_interrupt, &job), 0);
    for (int i = 0; i < 60; i++) {
        cj_table *t;
        int32_t rc = i % 3 == 0   ? cj_rfm(job.db, &rfm, &t)
                     : i % 3 == 1 ? cj_check(job.db, &t)
                                  : cj_compact(job.db, NULL, NULL);
        ck_assert_msg(rc == CJ_OK || rc == CJ_EINTERRUPT, "%s: %s", cj_error_name(rc),
                      cj_errmsg());
        if (i % 3 != 2 && rc != CJ_OK)
            ck_assert_ptr_null(t);
        if (i % 3 != 2)
            cj_table_free(t);
        n_interrupted += rc == CJ_EINTERRUPT;
    }
    stop = 1;
    (void)pthread_join(thread, NULL);
    ck_assert_int_eq(job.rc, CJ_OK);
    ck_assert_int_gt(n_interrupted, 0);
    after = api_content_sorted(job.db); /* no call inherits an old interrupt */
    api_expect_same(after, before, "after interrupts");
    api_expect_sound(job.db);
    free(before);
    free(after);
    expect_ok(cj_close(job.db));
    api_file_remove(&f);
}
END_TEST

/* ---- deferred -------------------------------------------------------------- */

static void *threads_flush(void *arg)
{
    threads_job *j = arg;

    while (!*j->stop)
        threads_note(j, cj_flush(j->db));
    return NULL;
}

/* A flush means: what this thread has recorded before is durable. */
START_TEST(test_api_threads__flush)
{
    _Atomic int stop = 0;
    threads_job job = {.stop = &stop};
    pthread_t thread;
    api_file f;
    cj_db *other;

    api_file_make(&f);
    job.db = api_open(f.path, CJ_OPEN_DEFERRED, 50);
    other = api_open(f.path, 0, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, threads_flush, &job), 0);
    for (int64_t i = 0; i < 40; i++) {
        expect_ok(api_record(job.db, i * 5 + 1, API_IN_ORDER));
        expect_ok(cj_flush(job.db));
        ck_assert_int_eq(api_n_events(other), i + 1);
    }
    stop = 1;
    (void)pthread_join(thread, NULL);
    ck_assert_int_eq(job.rc, CJ_OK);
    expect_ok(cj_close(other));
    expect_ok(cj_close(job.db));
    api_file_remove(&f);
}
END_TEST

START_TEST(test_api_threads__close_while_events_are_queued)
{
    cj_open_options o = api_options(CJ_OPEN_DEFERRED, 50);
    api_file f;
    cj_db *db;

    api_file_make(&f);
    o.commit_ms = 100000; /* nobody but the close commits */
    for (int64_t round = 0; round < 10; round++) {
        expect_ok(cj_open(f.path, &o, &db));
        for (int64_t i = 0; i < 30; i++)
            expect_ok(api_record(db, round * 30 + i, API_SCRAMBLED));
        if (round % 2 == 0)
            (void)usleep(2000); /* the committer has noticed, and waits for more */
        expect_ok(cj_close(db));
        db = api_open(f.path, 0, 0);
        free(api_numbers(db, (round + 1) * 30));
        expect_ok(cj_close(db));
    }
    db = api_open(f.path, 0, 0);
    ck_assert_int_eq(api_n_events(db), 300 + 2 * 60);
    api_expect_sound(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* Without a flush they are durable soon. */
START_TEST(test_api_threads__deferred_events_come_by_themselves)
{
    int64_t waited_ms = 0;
    api_file f;
    cj_db *db, *other;

    api_file_make(&f);
    db = api_open(f.path, CJ_OPEN_DEFERRED, 50);
    other = api_open(f.path, 0, 0);
    expect_ok(api_record(db, 1, API_IN_ORDER));
    for (; api_n_events(other) == 0 && waited_ms < 20000; waited_ms++)
        (void)usleep(1000);
    ck_assert_int_eq(api_n_events(other), 1);
    expect_ok(cj_close(other));
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

HARNESS_MAIN("api_threads", test_api_threads__two_processes_of_four,
             test_api_threads__four_writers_and_readers,
             test_api_threads__four_deferred_writers_and_readers,
             test_api_threads__scores_while_recording,
             test_api_threads__segments_while_recording, test_api_threads__interrupt,
             test_api_threads__flush, test_api_threads__close_while_events_are_queued,
             test_api_threads__deferred_events_come_by_themselves)
