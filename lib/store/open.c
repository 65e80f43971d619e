/* Opening and closing the file: identity of the file, migrations, and the facts that
 * stay constant while it is open. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/migrations.inc" /* made from store/migrations: cj__migrations[] */

static int32_t open_paths(cj_db *db, const char *path)
{
    cj__store *s = db->store;
    size_t n = strlen(path);

    s->path = cj__alloc(&db->cx.allocator, n + 1);
    if (s->path == NULL)
        return CJ_ENOMEM;
    memcpy(s->path, path, n + 1); /* its length tells that of the other */
    s->wal_path = cj__alloc(&db->cx.allocator, n + 5);
    if (s->wal_path == NULL)
        return CJ_ENOMEM;
    memcpy(s->wal_path, path, n);
    memcpy(s->wal_path + n, "-wal", 5);
    return CJ_OK;
}

/* Create with mode 0600 ourselves: SQLite would follow the umask.  Nobody ever deletes
 * the file again: if the rest of opening fails, another process may already be at it,
 * and an empty file is no less ours to make than a missing one. */
static int32_t open_create(cj_db *db)
{
    struct stat st;
    int fd;

    if (lstat(db->store->path, &st) == 0) {
        if (S_ISLNK(st.st_mode))
            return cj__fail(CJ_EINVAL,
                            "the path is a symbolic link; give the file itself");
        return CJ_OK;
    }
    if (errno != ENOENT)
        return cj__fail(CJ_EIO, "cannot look at the path: %s", strerror(errno));
    if (db->flags & (CJ_OPEN_READONLY | CJ_OPEN_NOCREATE))
        return cj__fail(CJ_ENOTFOUND, "no such file; open without NOCREATE to make it");
    fd = open(db->store->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return cj__fail(CJ_EIO, "cannot create the file: %s", strerror(errno));
    if (fd >= 0)
        (void)close(fd); /* new: nobody holds locks on it yet */
    return CJ_OK;
}

/* All three of one moment, unless the caller is in a transaction already. */
static int32_t open_versions(cj__conn *conn, int64_t *application, int64_t *version,
                             int64_t *objects)
{
    int alone = sqlite3_get_autocommit(conn->sq);
    int64_t ignored;
    int32_t rc = CJ_OK;

    if (alone)
        CJ_TRY(cj__query_one(conn, STMT_BEGIN_READ, &ignored));
    CJ_TRY(cj__query_one(conn, STMT_APPLICATION_ID, application));
    CJ_TRY(cj__query_one(conn, STMT_USER_VERSION, version));
    CJ_TRY(cj__query_one(conn, STMT_SCHEMA_COUNT, objects));
out:
    if (alone && !sqlite3_get_autocommit(conn->sq))
        (void)cj__rollback(conn);
    return rc;
}

/* Whose file is it?  Answered before anything is written. */
static int32_t open_recognise(cj__conn *conn, int64_t *version_out)
{
    int64_t application, objects;
    int32_t rc = open_versions(conn, &application, version_out, &objects);

    if (rc == CJ_ECORRUPT)
        return cj__fail(CJ_EVERSION, "this is not a libcjourney file");
    if (rc != CJ_OK)
        return rc;
    if (objects == 0 && application == 0 && *version_out == 0)
        return CJ_OK; /* empty: ours to make */
    if (application != CJ__APPLICATION_ID)
        return cj__fail(CJ_EVERSION, "this is not a libcjourney file");
    if (*version_out > CJ__SCHEMA_VERSION)
        return cj__fail(CJ_EVERSION,
                        "schema %lld is newer than this library's %d: update",
                        (long long)*version_out, CJ__SCHEMA_VERSION);
    return CJ_OK;
}

static int32_t open_exec(cj__conn *conn, const char *sql)
{
    int sqlite_rc = sqlite3_exec(conn->sq, sql, NULL, NULL, NULL);

    return sqlite_rc == SQLITE_OK ? CJ_OK : cj__sqlite_fail(sqlite_rc, "migrate");
}

/* Are the options good for a new file?  Asked before there is one. */
static int32_t open_options(cj_db *db, const cj_open_options *opts)
{
    cj__zone *known = NULL;
    int32_t rc = CJ_OK;

    if (opts->currency != NULL &&
        cj__currency_exponent(opts->currency, strlen(opts->currency)) < 0)
        return cj__fail(CJ_EINVAL,
                        "unknown currency: give an ISO 4217 code such as EUR");
    if (opts->time_zone == NULL)
        return CJ_OK;
    if (strlen(opts->time_zone) >= sizeof db->time_zone)
        return cj__fail(CJ_EINVAL, "time zone name longer than %d bytes",
                        (int)sizeof db->time_zone - 1);
    rc = cj__zone_open(&db->cx.allocator, opts->time_zone, &known);
    cj__zone_end(known);
    return rc;
}

/* Facts a new file is born with. */
static int32_t open_found(cj_db *db, const cj_open_options *opts)
{
    const char *currency = opts->currency != NULL ? opts->currency : "EUR";
    const char *zone = opts->time_zone != NULL ? opts->time_zone : "UTC";
    char code[4] = {0};
    int32_t rc;

    for (int i = 0; i < 3; i++)
        code[i] = (char)(currency[i] & ~0x20);
    CJ_TRY(cj__meta_set_text(&db->store->writer, "currency", code));
    CJ_TRY(cj__meta_set_text(&db->store->writer, "time_zone", zone));
    CJ_TRY(cj__meta_set(&db->store->writer, "seed", (int64_t)cj__random_seed()));
out:
    return rc;
}

/* Write-ahead logging from here on.  Who switches needs the file alone, and SQLite says
 * "busy" at once where two want that: each would wait for the other. */
static int32_t open_wal(cj_db *db)
{
    const struct timespec pause = {0, 1000000};
    int64_t ignored;
    int32_t rc = cj__query_one(&db->store->writer, STMT_WAL, &ignored);

    for (int64_t i = 0; rc == CJ_EBUSY && i < db->busy_ms; i++) {
        (void)nanosleep(&pause, NULL);
        rc = cj__query_one(&db->store->writer, STMT_WAL, &ignored);
    }
    return rc;
}

/* Bring the schema up to date, in one transaction. */
static int32_t open_migrate(cj_db *db, const cj_open_options *opts, int64_t version)
{
    cj__conn *conn = &db->store->writer;
    int64_t ignored;
    int32_t rc;

    CJ_TRY(open_wal(db));
    CJ_TRY(cj__query_one(conn, STMT_BEGIN_WRITE, &ignored));
    CJ_TRY(open_recognise(conn, &version)); /* another process may have been faster */
    if (version == 0) {
        CJ_TRY(open_exec(conn, cj__migrations[0]));
        CJ_TRY(open_found(db, opts));
        version = 1;
    }
    for (; version < CJ__SCHEMA_VERSION; version++)
        CJ_TRY(open_exec(conn, cj__migrations[version]));
    CJ_TRY(cj__query_one(conn, STMT_COMMIT, &ignored));
out:
    if (rc != CJ_OK && !sqlite3_get_autocommit(conn->sq))
        (void)cj__rollback(conn);
    return rc;
}

/* The facts of the file, and that the caller's idea of them is the file's. */
static int32_t open_facts(cj_db *db, const cj_open_options *opts)
{
    cj__conn *conn = &db->store->writer;
    int64_t seed;
    int32_t rc;

    CJ_TRY(cj__meta_get_text(conn, "currency", db->currency, sizeof db->currency));
    CJ_TRY(cj__meta_get_text(conn, "time_zone", db->time_zone, sizeof db->time_zone));
    CJ_TRY(cj__meta_get(conn, "seed", 0, &seed));
    db->store->seed = (uint64_t)seed;
    db->currency_exponent = cj__currency_exponent(db->currency, strlen(db->currency));
    if (db->currency_exponent < 0)
        CJ_TRY(cj__fail(CJ_ECORRUPT, "the file's currency is unknown"));
    if (opts->currency != NULL && strcmp(opts->currency, db->currency) != 0 &&
        (strlen(opts->currency) != 3 ||
         (opts->currency[0] & ~0x20) != db->currency[0] ||
         (opts->currency[1] & ~0x20) != db->currency[1] ||
         (opts->currency[2] & ~0x20) != db->currency[2]))
        CJ_TRY(cj__fail(CJ_EINVAL, "the file's currency is %s; open it without another",
                        db->currency));
    if (opts->time_zone != NULL && strcmp(opts->time_zone, db->time_zone) != 0)
        CJ_TRY(cj__fail(CJ_EINVAL,
                        "the file's time zone is %.40s; open it without another",
                        db->time_zone));
    CJ_TRY(cj__zone_open(&db->cx.allocator, db->time_zone, &db->zone));
out:
    return rc;
}

/* Remember which -wal file is ours (see txn.c). */
static int32_t open_wal_identity(cj_db *db)
{
    struct stat st;

    if (stat(db->store->wal_path, &st) != 0) {
        if (db->flags & CJ_OPEN_READONLY)
            return CJ_OK;
        return cj__fail(CJ_EIO, "the -wal file is missing: %s", strerror(errno));
    }
    db->store->wal_inode = st.st_ino;
    db->store->wal_device = st.st_dev;
    return CJ_OK;
}

static int open_wal_hook(void *user, sqlite3 *sq, const char *name, int frames)
{
    cj__store *s = user;

    (void)sq;
    (void)name;
    s->wal_frames = frames;
    return SQLITE_OK; /* and no automatic checkpoint: txn.c does it under the lock */
}

int32_t cj__store_open(cj_db *db, const char *path, const cj_open_options *opts)
{
    const cj__allocator *a = &db->cx.allocator;
    cj__store *s = cj__alloc_zero(a, sizeof *s);
    int64_t version, ignored;
    int32_t rc;

    if (s == NULL)
        return CJ_ENOMEM;
    db->store = s;
    s->lock_fd = -1;
    s->generation = 1;
    (void)pthread_mutex_init(&s->write_lock, NULL);
    (void)pthread_mutex_init(&s->reader_lock, NULL);
    cj__keys_init(&s->terms, a);
    cj__map_init(&s->messages.journal, a);
    cj__map_init(&s->messages.sealed, a);
    cj__kept_init(&s->kept[CJ__KEPT_CORES], a, CJ__KEPT_CORES_BYTES, CJ__PART_SHIFT);
    cj__kept_init(&s->kept[CJ__KEPT_ZONES], a, CJ__KEPT_ZONES_BYTES, CJ__PART_SHIFT);
    cj__kept_init(&s->kept[CJ__KEPT_NODES], a, CJ__KEPT_NODES_BYTES, CJ__PART_SHIFT);
    cj__kept_init(&s->kept[CJ__KEPT_ROWS], a, CJ__KEPT_ROWS_BYTES, CJ__ROWS_SHIFT);
    cj__tail_init(&s->tail, a);
    CJ_TRY(open_paths(db, path));
    CJ_TRY(open_options(db, opts));
    CJ_TRY(open_create(db));
    CJ_TRY(cj__conn_open(db, &s->writer,
                         (db->flags & CJ_OPEN_READONLY) ? SQLITE_OPEN_READONLY
                                                        : SQLITE_OPEN_READWRITE));
    CJ_TRY(cj__query_one(&s->writer, STMT_WRITER_CACHE_SIZE, &ignored));
    CJ_TRY(open_recognise(&s->writer, &version));
    if (version < CJ__SCHEMA_VERSION) {
        if (db->flags & CJ_OPEN_READONLY)
            CJ_TRY(cj__fail(CJ_EREADONLY,
                            "schema %lld must be migrated: open to write once",
                            (long long)version));
        CJ_TRY(open_migrate(db, opts, version));
    }
    (void)sqlite3_wal_hook(s->writer.sq, open_wal_hook, s);
    CJ_TRY(open_facts(db, opts));
    CJ_TRY(open_wal_identity(db));
out:
    return rc;
}

int32_t cj__store_close(cj_db *db)
{
    cj__store *s = db->store;
    const cj__allocator *a = &db->cx.allocator;

    if (s == NULL)
        return CJ_OK;
    for (int i = 0; i < CJ__READERS; i++)
        cj__reader_free(s->idle[i]);
    for (int i = 0; i < CJ__N_KEPT; i++)
        cj__kept_end(&s->kept[i]);
    cj__tail_end(&s->tail);
    cj__terms_reset(db);
    cj__nodes_reset(db);
    cj__messages_reset(db);
    cj__parts_reset(db);
    cj__keys_end(&s->terms);
    cj__map_end(&s->messages.journal);
    cj__map_end(&s->messages.sealed);
    cj__free(a, s->nodes.pages, s->nodes.capacity * sizeof *s->nodes.pages);
    cj__free(a, s->parts, s->parts_capacity * sizeof *s->parts);
    cj__conn_close(&s->writer);
    if (s->path != NULL)
        cj__free(a, s->wal_path, s->wal_path == NULL ? 0 : strlen(s->path) + 5);
    if (s->path != NULL)
        cj__free(a, s->path, strlen(s->path) + 1);
    (void)pthread_mutex_destroy(&s->write_lock);
    (void)pthread_mutex_destroy(&s->reader_lock);
    cj__free(a, s, sizeof *s);
    db->store = NULL;
    cj__zone_end(db->zone);
    db->zone = NULL;
    return CJ_OK;
}
