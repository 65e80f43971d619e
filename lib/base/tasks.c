/* Tasks from one counter, in order.  Error texts belong to threads, so that of the
 * first failure is carried over to the caller's. */
#include "base/tasks.h"

#include "base/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

typedef struct tasks {
    int32_t (*task)(void *user, int worker, int64_t i);
    void *user;
    int64_t n;
    _Atomic int64_t next;
    _Atomic int32_t error;
    char error_text[CJ__MAX_NAME];
} tasks;

typedef struct tasks_worker {
    tasks *all;
    int number;
} tasks_worker;

static void *tasks_work(void *argument)
{
    tasks_worker *w = argument;
    tasks *all = w->all;

    while (atomic_load(&all->error) == CJ_OK) {
        int64_t i = atomic_fetch_add(&all->next, 1);
        int32_t rc, none = CJ_OK;

        if (i >= all->n)
            break;
        rc = all->task(all->user, w->number, i);
        if (rc != CJ_OK && atomic_compare_exchange_strong(&all->error, &none, rc))
            snprintf(all->error_text, sizeof all->error_text, "%s", cj__error_text());
    }
    return NULL;
}

int32_t cj__tasks_run(int32_t threads, int64_t n,
                      int32_t (*task)(void *user, int worker, int64_t i), void *user)
{
    tasks all = {.task = task, .user = user, .n = n};
    tasks_worker workers[CJ__MAX_THREADS];
    pthread_t ids[CJ__MAX_THREADS];
    int n_ids = 0;
    int32_t rc;

    workers[0] = (tasks_worker){&all, 0};
    /* When a thread cannot be had, the others do its work. */
    for (int i = 1; i < threads && i < n && i < CJ__MAX_THREADS; i++) {
        workers[i] = (tasks_worker){&all, i};
        if (pthread_create(&ids[n_ids], NULL, tasks_work, &workers[i]) != 0)
            break;
        n_ids++;
    }
    tasks_work(&workers[0]);
    for (int i = 0; i < n_ids; i++)
        pthread_join(ids[i], NULL);
    rc = atomic_load(&all.error);
    return rc == CJ_OK ? CJ_OK : cj__fail(rc, "%s", all.error_text);
}
