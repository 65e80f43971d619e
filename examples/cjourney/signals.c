/* Ctrl-C, and the progress bar.  A thread waits for SIGINT and SIGTERM and calls
 * cj_interrupt(), so nothing happens inside a signal handler; the running call then
 * stops and leaves the file as it was before it.  A second signal, or a call that does
 * not come back (it may wait for a pipe), ends the process: what is committed is
 * committed. */
#include "program.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct watcher {
    pthread_t thread;
    cj_db *db;
    sigset_t signals;
    atomic_int interrupted, ended;
};

static void *watcher_run(void *argument)
{
    struct watcher *w = argument;
    const struct timespec patience = {.tv_sec = 3};
    int number;

    while (sigwait(&w->signals, &number) == 0) {
        if (atomic_load(&w->ended))
            return NULL;
        atomic_store(&w->interrupted, 1);
        cj_interrupt(w->db);
        if (sigtimedwait(&w->signals, NULL, &patience) < 0 || !atomic_load(&w->ended)) {
            static const char text[] = "\ncjourney: stopped; the file is sound\n";

            if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
                _exit(FAILED);
            _exit(INTERRUPTED);
        }
        return NULL;
    }
    return NULL;
}

void watcher_start(program *p)
{
    struct watcher *w = memory(NULL, sizeof *w);

    w->db = p->db;
    atomic_init(&w->interrupted, 0);
    atomic_init(&w->ended, 0);
    sigemptyset(&w->signals);
    sigaddset(&w->signals, SIGINT);
    sigaddset(&w->signals, SIGTERM);
    /* Blocked before the library may start threads, so that only ours receives them. */
    pthread_sigmask(SIG_BLOCK, &w->signals, NULL);
    if (pthread_create(&w->thread, NULL, watcher_run, w) != 0) {
        pthread_sigmask(SIG_UNBLOCK, &w->signals, NULL);
        free(w);
        return;
    }
    p->watcher = w;
}

void watcher_stop(program *p)
{
    struct watcher *w = p->watcher;

    if (w == NULL)
        return;
    p->watcher = NULL;
    atomic_store(&w->ended, 1);
    pthread_kill(w->thread,
                 SIGTERM); /* it is blocked everywhere and only wakes the wait */
    pthread_join(w->thread, NULL);
    free(w);
}

int interrupted(const program *p)
{
    return p->watcher != NULL && atomic_load(&p->watcher->interrupted);
}

/* ---- progress ---------------------------------------------------------------------
 */

static int64_t progress_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void progress_draw(program *p, int64_t done, int64_t total, int64_t elapsed_ms)
{
    enum { WIDTH = 30 };
    char count[32];

    if (total > 0 && done <= total) {
        double share = (double)done / (double)total;
        int filled = (int)(share * WIDTH);
        int64_t left_s =
            share > 0 ? (int64_t)((double)elapsed_ms * (1 / share - 1)) / 1000 : 0;

        fprintf(stderr, "\r%s [", p->command->name);
        for (int i = 0; i < WIDTH; i++)
            fputc(i < filled ? '#' : '.', stderr);
        fprintf(stderr, "] %3d %%, %lld s left \033[K", (int)(share * 100),
                (long long)left_s + 1);
    } else {
        /* An import counts bytes, everything else things. */
        number_text(p->command->run == run_import ? done / 1000000 : done, count);
        fprintf(stderr, "\r%s: %s%s so far, %lld s \033[K", p->command->name, count,
                p->command->run == run_import ? " MB" : "",
                (long long)(elapsed_ms / 1000));
    }
    fflush(stderr);
}

/* Only on a terminal, only for what takes longer than a second. */
int32_t progress(void *user, int64_t done, int64_t total)
{
    program *p = user;
    int64_t now;

    if (interrupted(p))
        return 1;
    if (!p->error_terminal || p->quiet)
        return 0;
    now = progress_now_ms();
    if (p->progress_from_ms == 0)
        p->progress_from_ms = now;
    if (now - p->progress_from_ms < 1000 || now - p->progress_last_ms < 100)
        return 0;
    p->progress_last_ms = now;
    p->progress_shown = 1;
    progress_draw(p, done, total, now - p->progress_from_ms);
    return 0;
}

void progress_end(program *p)
{
    if (p->progress_shown)
        fputs("\r\033[K", stderr);
    p->progress_shown = 0;
    p->progress_from_ms = 0;
}
