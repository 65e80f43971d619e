/* Write transactions: one writer at a time, over threads (a mutex), processes (a lock)
 * and foreign programs (BEGIN IMMEDIATE).
 *
 * The lock between processes is an OFD lock on the first byte of the -wal file, held
 * from before BEGIN until after COMMIT and the checkpoint.  So no commit ever runs
 * beside a checkpoint: SQLite 3.7.0 to 3.51.2 have a rare race there.  Why that file:
 * SQLite places no POSIX locks on it (closing any descriptor of the database file
 * itself would drop SQLite's locks on that one), it lives exactly as long as somebody
 * has the file open, and its inode tells whether it is still ours: a second copy of
 * SQLite in this process that opens and closes the file drops our locks and may delete
 * the -wal, after which commits would be acknowledged and lost.  Why a new descriptor
 * each time: after fork() a child shares descriptors, and would keep a dead parent's
 * lock. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TXN_CHECKPOINT_FRAMES                                                          \
    8192 /* 32 MiB of -wal: pages written often are copied once */

int32_t cj__rollback(cj__conn *conn)
{
    cj__query q = {0};

    if (cj__query_begin(conn, STMT_ROLLBACK, &q) == CJ_OK)
        (void)sqlite3_step(q.stmt);
    cj__query_end(&q);
    return CJ_OK;
}

static void txn_unlock(cj__store *s)
{
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    s->lock_fd = -1;
}

static int32_t txn_lock(cj_db *db)
{
    cj__store *s = db->store;
    const struct timespec pause = {0, 1000000};
    struct flock lock = {0};
    struct stat st;

    s->lock_fd = open(s->wal_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (s->lock_fd < 0 || fstat(s->lock_fd, &st) != 0 || st.st_ino != s->wal_inode ||
        st.st_dev != s->wal_device) {
        txn_unlock(s);
        return cj__fail(CJ_ELOCK,
                        "the -wal file was replaced behind us (another SQLite in "
                        "this process?): reopen");
    }
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_len = 1;
    for (int64_t waited_ms = 0; fcntl(s->lock_fd, F_OFD_SETLK, &lock) != 0;
         waited_ms++) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            int32_t rc = cj__fail(CJ_EIO, "cannot lock the -wal file: errno %d", errno);
            txn_unlock(s);
            return rc;
        }
        if (waited_ms >= db->busy_ms) {
            txn_unlock(s);
            return cj__fail(CJ_EBUSY,
                            "another process wrote for %lld ms: try again, or "
                            "raise busy_ms",
                            (long long)db->busy_ms);
        }
        (void)nanosleep(&pause, NULL);
    }
    return CJ_OK;
}

/* In-memory state that no longer stands for the file. */
static void txn_forget(cj_db *db)
{
    cj__store *s = db->store;

    s->generation++;
    cj__nodes_reset(db);
    cj__parts_reset(db);
    cj__messages_reset(db);
}

/* What does the file say about the journal, now that it is ours? */
static int32_t txn_catch_up(cj_db *db)
{
    cj__store *s = db->store;
    int64_t last, sealed;
    int32_t rc;

    CJ_TRY(cj__query_one(&s->writer, STMT_JOURNAL_COUNT, &s->journal_events));
    CJ_TRY(cj__query_one(&s->writer, STMT_JOURNAL_MESSAGES, &s->journal_messages));
    s->journal_messages /= 16;
    CJ_TRY(cj__query_one(&s->writer, STMT_JOURNAL_MAX, &last));
    CJ_TRY(cj__meta_get(&s->writer, "sealed_through", 0, &sealed));
    s->next_batch = (last > sealed ? last : sealed) + 1;
    s->sealed_through = sealed;
    s->spent = 1;
    s->spent_room = 0;
out:
    return rc;
}

static int32_t txn_begin_locked(cj_db *db)
{
    cj__store *s = db->store;
    int64_t version, ignored;
    int32_t rc;

    CJ_TRY(txn_lock(db));
    CJ_TRY(cj__query_one(&s->writer, STMT_BEGIN_WRITE, &ignored));
    s->in_write = 1;
    CJ_TRY(cj__query_one(&s->writer, STMT_DATA_VERSION, &version));
    if (version != s->data_version || s->next_batch == 0) {
        txn_forget(db);
        CJ_TRY(txn_catch_up(db));
        s->data_version = version;
    }
out:
    return rc;
}

int32_t cj__write_begin(cj_db *db)
{
    cj__store *s = db->store;
    int32_t rc;

    if (db->flags & CJ_OPEN_READONLY)
        return cj__fail(CJ_EREADONLY, "the handle was opened read-only");
    (void)pthread_mutex_lock(&s->write_lock);
    rc = txn_begin_locked(db);
    if (rc != CJ_OK) {
        if (s->in_write)
            (void)cj__rollback(&s->writer);
        s->in_write = 0;
        txn_unlock(s);
        (void)pthread_mutex_unlock(&s->write_lock);
    }
    return rc;
}

static void txn_checkpoint(cj__store *s)
{
    int frames, copied;

    if (s->wal_frames < TXN_CHECKPOINT_FRAMES)
        return;
    /* PASSIVE never waits for readers; what it leaves, a later one copies. */
    if (sqlite3_wal_checkpoint_v2(s->writer.sq, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                  &frames, &copied) == SQLITE_OK &&
        frames == copied)
        s->wal_frames = 0;
}

int32_t cj__write_end(cj_db *db, int32_t rc)
{
    cj__store *s = db->store;
    int64_t ignored;

    if (rc == CJ_OK)
        rc = cj__nodes_flush(db);
    if (rc == CJ_OK)
        rc = cj__query_one(&s->writer, STMT_COMMIT, &ignored);
    if (rc != CJ_OK) {
        (void)cj__rollback(&s->writer);
        s->rollbacks++;
        txn_forget(db);
        cj__terms_reset(db);
        s->next_batch = 0; /* catch up at the next begin */
    } else {
        txn_checkpoint(s);
    }
    db->observer->ended(db, rc);
    s->in_write = 0;
    txn_unlock(s);
    (void)pthread_mutex_unlock(&s->write_lock);
    return rc;
}

uint64_t cj__write_generation(const cj_db *db)
{
    return db->store->generation;
}

uint64_t cj__write_rollbacks(const cj_db *db)
{
    return db->store->rollbacks;
}

cj__conn *cj__writer(cj_db *db)
{
    return &db->store->writer;
}

int64_t cj__journal_size(const cj_db *db)
{
    const cj__store *s = db->store;

    return s->journal_events > s->journal_messages ? s->journal_events
                                                   : s->journal_messages;
}
