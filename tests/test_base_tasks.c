/* Tasks: each is done once, whoever does it; the first failure stops the rest. */
#include "base/tasks.h"

#include "base/limits.h"
#include "harness.h"

#include <stdatomic.h>
#include <string.h>

enum { N_TASKS = 1000 };

typedef struct tasks_seen {
    _Atomic int times[N_TASKS];
    _Atomic int busy[CJ__MAX_THREADS]; /* a worker does one task at a time */
    int64_t fail_at;
} tasks_seen;

static int32_t task_mark(void *user, int worker, int64_t i)
{
    tasks_seen *seen = user;

    ck_assert_int_eq(atomic_fetch_add(&seen->busy[worker], 1), 0);
    if (i == seen->fail_at)
        return cj__fail(CJ_ELIMIT, "task %d is one too many", (int)i);
    atomic_fetch_add(&seen->times[i], 1);
    atomic_fetch_sub(&seen->busy[worker], 1);
    return CJ_OK;
}

START_TEST(test_tasks__each_is_done_once)
{
    static const int32_t threads[] = {0, 1, 2, 7, CJ__MAX_THREADS};

    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        for (int64_t n = 0; n <= N_TASKS; n = n * 3 + 1) {
            static tasks_seen seen;

            memset(&seen, 0, sizeof seen);
            seen.fail_at = -1;
            ck_assert_int_eq(cj__tasks_run(threads[t], n, task_mark, &seen), CJ_OK);
            for (int64_t i = 0; i < N_TASKS; i++)
                ck_assert_int_eq(seen.times[i], i < n);
        }
    }
}
END_TEST

START_TEST(test_tasks__a_failure_comes_to_the_caller_with_its_text)
{
    for (int32_t threads = 1; threads <= 3; threads++) {
        static tasks_seen seen;

        memset(&seen, 0, sizeof seen);
        seen.fail_at = 5;
        cj__error_clear();
        ck_assert_int_eq(cj__tasks_run(threads, N_TASKS, task_mark, &seen), CJ_ELIMIT);
        ck_assert_str_eq(cj__error_text(), "task 5 is one too many");
        for (int64_t i = 0; i < 5; i++)
            ck_assert_int_eq(seen.times[i], 1); /* they were begun before */
        if (threads == 1)
            ck_assert_int_eq(seen.times[6], 0);
    }
}
END_TEST

HARNESS_MAIN("base_tasks", test_tasks__each_is_done_once,
             test_tasks__a_failure_comes_to_the_caller_with_its_text)
