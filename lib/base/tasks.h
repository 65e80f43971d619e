/* Independent tasks for several threads.  What a task writes must not depend on who
 * runs it or when: then results are the same bytes for any number of threads. */
#ifndef CJ__BASE_TASKS_H
#define CJ__BASE_TASKS_H

#include "base/ctx.h"

/* Run task(user, worker, i) for each i in [0, n), from the first on; worker is in
 * [0, threads), and one worker does one task at a time.  threads 0: 1; the caller is
 * worker 0.  When one fails, no other is begun, and its code and text are returned. */
int32_t cj__tasks_run(int32_t threads, int64_t n,
                      int32_t (*task)(void *user, int worker, int64_t i), void *user);

#endif
