/* Group commit.  Callers put their messages into one queue; the first that finds nobody
 * at work becomes the leader, takes all that is queued, does it in one transaction and
 * wakes the others.  In deferred mode the caller leaves a copy and goes; a thread of
 * the handle leads every commit_ms. */
#include "events/apply.h"
#include "events/copy.h"
#include "identity/identity.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define RECORD_QUEUE_MAX 65536 /* messages a deferred queue holds */
#define RECORD_NAP_MS 5
#define RECORD_ROW_BYTES ((size_t)8 << 20) /* of a journal row, roughly */

typedef struct record_request {
    cj__message *messages;
    int64_t n, now_ms;
    int32_t rc;
    int done;
    char text[128]; /* the leader's error text: texts belong to threads */
    cj__copy *copy; /* deferred: owns the messages and this request */
    struct record_request *next;
} record_request;

struct cj__recorder {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    record_request *first, **last;
    int64_t n_queued; /* messages */
    int leading;      /* somebody is in a transaction */
    int stop, has_thread;
    pthread_t thread;
    int32_t deferred_rc; /* of the last commit that nobody waited for */
    char deferred_text[128];
    cj__ready ready; /* the leader's */
};

/* ---- one transaction
 * ------------------------------------------------------------------------ */

/* Rows that are enough for a row of the journal go there. */
static int32_t record_spill(cj_db *db, cj__batch *batch)
{
    int32_t rc = CJ_OK;

    if (batch->events.n < RECORD_ROW_BYTES)
        return CJ_OK;
    CJ_TRY(cj__journal_add(db, batch));
    cj__str_clear(&batch->events);
    cj__str_clear(&batch->messages);
    batch->n_events = 0;
out:
    return rc;
}

static int32_t record_request_rows(cj_db *db, record_request *r, cj__batch *batch)
{
    cj__ready *ready = &db->recorder->ready;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < r->n; i += CJ__READY) {
        int64_t n = r->n - i < CJ__READY ? r->n - i : CJ__READY;
        CJ_TRY(cj__messages_ready(db, r->messages + i, n, ready));
        for (int at = 0; at < n; at++) {
            CJ_TRY(cj__message_apply(db, &r->messages[i + at], ready, at, r->now_ms,
                                     batch));
            CJ_TRY(record_spill(db, batch));
        }
    }
out:
    return rc;
}

static int32_t record_transaction(cj_db *db, record_request *requests)
{
    cj__batch batch = {.n_events = 0};
    int64_t now_ms = requests->now_ms;
    int32_t rc = cj__write_begin(db);

    if (rc != CJ_OK)
        return rc;
    cj__str_init(&batch.events, &db->cx.allocator, (size_t)1 << 29);
    cj__str_init(&batch.messages, &db->cx.allocator, (size_t)1 << 29);
    for (record_request *r = requests; r != NULL; r = r->next) {
        CJ_TRY(record_request_rows(db, r, &batch));
        now_ms = r->now_ms > now_ms ? r->now_ms : now_ms;
    }
    CJ_TRY(cj__journal_add(db, &batch));
    CJ_TRY(cj__identity_flush(db));
    CJ_TRY(db->observer->commit(db, now_ms));
out:
    cj__str_end(&batch.events);
    cj__str_end(&batch.messages);
    return cj__write_end(db, rc);
}

/* The events are durable already: when sealing fails, they stay in the journal, the
 * next commit tries again, and the log hook hears of it. */
static void record_seal(cj_db *db)
{
    int32_t rc;

    if (cj__journal_size(db) < db->seal_events)
        return;
    rc = cj__write_begin(db);
    if (rc == CJ_OK)
        rc = cj__write_end(db, cj__seal(db, db->seal_events, 0));
    if (rc != CJ_OK && db->cx.log != NULL)
        db->cx.log(db->cx.log_user, rc, cj__error_text());
}

/* ---- leading
 * -----------------------------------------------------------------------------------
 */

static void record_text(char *to, size_t size, int32_t rc)
{
    const char *text = rc == CJ_OK ? "" : cj__error_text();
    size_t n = strlen(text);

    n = n < size ? n : size - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}

static void record_enqueue(struct cj__recorder *q, record_request *r)
{
    r->next = NULL;
    *q->last = r;
    q->last = &r->next;
    q->n_queued += r->n;
}

/* A deferred commit failed and nothing was recorded: its messages stay queued, the
 * caller hears of it at the next flush or when the queue is full. */
static void record_again(struct cj__recorder *q, record_request *r, int32_t rc)
{
    q->deferred_rc = rc;
    record_text(q->deferred_text, sizeof q->deferred_text, rc);
    record_enqueue(q, r);
}

/* With the lock held: do what is queued.  Frees deferred requests that are done. */
static int32_t record_lead(cj_db *db)
{
    struct cj__recorder *q = db->recorder;
    record_request *requests = q->first, *next;
    int32_t rc;

    q->first = NULL;
    q->last = &q->first;
    q->n_queued = 0;
    q->leading = 1;
    (void)pthread_mutex_unlock(&q->lock);
    rc = record_transaction(db, requests);
    (void)pthread_mutex_lock(&q->lock);
    for (record_request *r = requests; r != NULL; r = next) {
        next = r->next;
        if (r->copy != NULL && rc != CJ_OK) {
            record_again(q, r, rc);
        } else if (r->copy != NULL) {
            cj__copy_free(r->copy);
        } else {
            r->rc = rc;
            record_text(r->text, sizeof r->text, rc);
            r->done = 1;
        }
    }
    (void)pthread_cond_broadcast(&q->changed);
    (void)pthread_mutex_unlock(&q->lock);
    if (rc == CJ_OK)
        record_seal(db);
    (void)pthread_mutex_lock(&q->lock);
    q->leading = 0;
    (void)pthread_cond_broadcast(&q->changed);
    return rc;
}

static int32_t record_now(cj_db *db, cj__message *messages, int64_t n, int64_t now_ms)
{
    struct cj__recorder *q = db->recorder;
    record_request r = {.messages = messages, .n = n, .now_ms = now_ms};

    (void)pthread_mutex_lock(&q->lock);
    record_enqueue(q, &r);
    while (!r.done) {
        if (q->leading)
            (void)pthread_cond_wait(&q->changed, &q->lock);
        else
            (void)record_lead(db);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return r.rc == CJ_OK ? CJ_OK : cj__fail(r.rc, "%s", r.text);
}

/* ---- deferred
 * ------------------------------------------------------------------------------------
 */

/* With the lock held: let others join for commit_ms, in short naps, so that a close or
 * a full queue need not wait. */
static void record_nap(cj_db *db)
{
    struct cj__recorder *q = db->recorder;

    for (int64_t left_ms = db->commit_ms;
         left_ms > 0 && !q->stop && q->first != NULL && q->n_queued <= RECORD_QUEUE_MAX;
         left_ms -= RECORD_NAP_MS) {
        int64_t ms = left_ms < RECORD_NAP_MS ? left_ms : RECORD_NAP_MS;
        const struct timespec pause = {0, (long)ms * 1000000};
        (void)pthread_mutex_unlock(&q->lock);
        (void)nanosleep(&pause, NULL);
        (void)pthread_mutex_lock(&q->lock);
    }
}

static void *record_thread(void *arg)
{
    cj_db *db = arg;
    struct cj__recorder *q = db->recorder;

    (void)pthread_mutex_lock(&q->lock);
    while (!q->stop) {
        if (q->first == NULL || q->leading) {
            (void)pthread_cond_wait(&q->changed, &q->lock);
            continue;
        }
        record_nap(db);
        if (q->first != NULL && !q->leading)
            (void)record_lead(db);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return NULL;
}

static int32_t record_later(cj_db *db, const cj__message *messages, int64_t n,
                            int64_t now_ms)
{
    struct cj__recorder *q = db->recorder;
    record_request *r;
    cj__copy *copy;
    int32_t rc;

    rc = cj__copy_messages(&db->cx.allocator, messages, n, sizeof *r, &copy);
    if (rc != CJ_OK)
        return rc;
    r = cj__copy_extra(copy);
    *r = (record_request){
        .messages = cj__copy_list(copy), .n = n, .now_ms = now_ms, .copy = copy};
    (void)pthread_mutex_lock(&q->lock);
    while (q->n_queued > RECORD_QUEUE_MAX && q->deferred_rc == CJ_OK)
        (void)pthread_cond_wait(&q->changed, &q->lock);
    if (q->n_queued > RECORD_QUEUE_MAX)
        rc = cj__fail(q->deferred_rc, "%s", q->deferred_text);
    else
        record_enqueue(q, r);
    (void)pthread_cond_broadcast(&q->changed);
    (void)pthread_mutex_unlock(&q->lock);
    if (rc != CJ_OK)
        cj__copy_free(copy);
    return rc;
}

int32_t cj__record_flush(cj_db *db)
{
    struct cj__recorder *q = db->recorder;
    int32_t rc = CJ_OK;

    (void)pthread_mutex_lock(&q->lock);
    while ((q->first != NULL || q->leading) && rc == CJ_OK) {
        if (q->leading)
            (void)pthread_cond_wait(&q->changed, &q->lock);
        else
            rc = record_lead(db);
    }
    if (rc == CJ_OK)
        q->deferred_rc = CJ_OK; /* what failed before is durable now */
    (void)pthread_mutex_unlock(&q->lock);
    return rc;
}

/* ---- door
 * --------------------------------------------------------------------------------------------
 */

static int32_t record_check(cj_db *db, cj__message *messages, int64_t n, int64_t now_ms)
{
    if (db->flags & CJ_OPEN_READONLY)
        return cj__fail(CJ_EREADONLY, "the handle was opened read-only");
    for (int64_t i = 0; i < n; i++)
        cj__message_validate(db, &messages[i], now_ms);
    return CJ_OK;
}

int32_t cj__record_wait(cj_db *db, cj__message *messages, int64_t n, int64_t now_ms)
{
    int32_t rc = record_check(db, messages, n, now_ms);

    return rc == CJ_OK && n > 0 ? record_now(db, messages, n, now_ms) : rc;
}

int32_t cj__record(cj_db *db, cj__message *messages, int64_t n, int64_t now_ms)
{
    int32_t rc;

    if (!(db->flags & CJ_OPEN_DEFERRED))
        return cj__record_wait(db, messages, n, now_ms);
    rc = record_check(db, messages, n, now_ms);
    if (rc == CJ_OK && n > 0)
        rc = record_later(db, messages, n, now_ms);
    for (int64_t i = 0; i < n && rc == CJ_OK; i++)
        if (messages[i].outcome == CJ__PENDING)
            messages[i].outcome = CJ__RECORDED; /* or found a duplicate, later */
    return rc;
}

void cj__record_count(const cj__message *messages, int64_t n, cj_record_result *result)
{
    for (int64_t i = 0; i < n; i++) {
        result->n_recorded += messages[i].outcome == CJ__RECORDED;
        result->n_duplicates += messages[i].outcome == CJ__DUPLICATE;
        if (messages[i].outcome == CJ__REJECTED && result->n_rejected++ == 0)
            result->first_reject = i;
    }
}

int32_t cj__recorder_open(cj_db *db)
{
    struct cj__recorder *q = cj__alloc_zero(&db->cx.allocator, sizeof *q);

    if (q == NULL)
        return CJ_ENOMEM;
    q->last = &q->first;
    cj__arena_init(&q->ready.texts, &db->cx.allocator);
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->changed, NULL);
    db->recorder = q;
    if ((db->flags & CJ_OPEN_DEFERRED) && !(db->flags & CJ_OPEN_READONLY)) {
        if (pthread_create(&q->thread, NULL, record_thread, db) != 0)
            return cj__fail(CJ_EIO,
                            "cannot start the thread that commits deferred events");
        q->has_thread = 1;
    }
    return CJ_OK;
}

int32_t cj__recorder_close(cj_db *db)
{
    struct cj__recorder *q = db->recorder;
    int32_t rc;

    if (q == NULL)
        return CJ_OK;
    rc = cj__record_flush(db);
    if (q->has_thread) {
        (void)pthread_mutex_lock(&q->lock);
        q->stop = 1;
        (void)pthread_cond_broadcast(&q->changed);
        (void)pthread_mutex_unlock(&q->lock);
        (void)pthread_join(q->thread, NULL);
    }
    for (record_request *r = q->first, *next; r != NULL;
         r = next) { /* rc tells of them */
        next = r->next;
        cj__copy_free(r->copy);
    }
    cj__arena_end(&q->ready.texts);
    (void)pthread_mutex_destroy(&q->lock);
    (void)pthread_cond_destroy(&q->changed);
    cj__free(&db->cx.allocator, q, sizeof *q);
    db->recorder = NULL;
    return rc;
}
