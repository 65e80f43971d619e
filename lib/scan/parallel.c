/* Workers: threads that take tasks from one counter, in order.  Worker 0 is the calling
 * thread; it alone reports progress.  Error texts belong to threads, so the first one
 * is carried over to the caller's. */
#include "scan/internal.h"

#include <stdio.h>

static void parallel_fail(cj__walk *walk, int32_t rc)
{
    pthread_mutex_lock(&walk->lock);
    if (walk->error == CJ_OK) {
        walk->error = rc;
        walk->error_position = cj__error_position();
        snprintf(walk->error_text, sizeof walk->error_text, "%s", cj__error_text());
    }
    pthread_mutex_unlock(&walk->lock);
    atomic_store(&walk->stop, 1);
}

static void *parallel_work(void *argument)
{
    cj__worker *w = argument;
    cj__walk *walk = w->walk;

    while (!atomic_load(&walk->stop)) {
        int64_t task = atomic_fetch_add(&walk->next_task, 1);
        int32_t rc = CJ_OK;

        if (task >= walk->n_tasks)
            break;
        rc = walk->task(w, task);
        if (rc != CJ_OK)
            parallel_fail(walk, rc);
    }
    return NULL;
}

int32_t cj__walk_run(cj__walk *walk, int64_t n,
                     int32_t (*task)(cj__worker *w, int64_t task))
{
    pthread_t threads[CJ__MAX_THREADS];
    int n_threads = 0;

    walk->task = task;
    walk->n_tasks = n;
    atomic_store(&walk->next_task, 0);
    /* When a thread cannot be had, the others do its work. */
    for (int i = 1; i < walk->n_workers && i < n; i++) {
        if (pthread_create(&threads[n_threads], NULL, parallel_work,
                           &walk->workers[i]) != 0)
            break;
        n_threads++;
    }
    parallel_work(&walk->workers[0]);
    for (int i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    if (walk->error == CJ_OK)
        return CJ_OK;
    return walk->error_position < 0
               ? cj__fail(walk->error, "%s", walk->error_text)
               : cj__fail_at(walk->error_position, walk->error, "%s", walk->error_text);
}

int32_t cj__walk_tick(cj__worker *w)
{
    cj__walk *walk = w->walk;
    const cj__scan_options *opts = &walk->plan.opts;
    int64_t read = atomic_fetch_add(&walk->n_read, 1), total = walk->plan.n_blocks;

    if (atomic_load(&walk->stop))
        return CJ_EINTERRUPT; /* another worker has said why */
    if (w->is_caller && opts->progress != NULL &&
        opts->progress(opts->progress_user, read < total ? read : total, total) != 0)
        return cj__fail(CJ_EINTERRUPT, "the progress function stopped the call");
    return cj__interrupted(&walk->plan.db->cx);
}
