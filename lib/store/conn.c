/* One SQLite connection, set up the way DESIGN 10 asks: WAL, full durability, nothing
 * of the file trusted.  Knows nothing of what the file holds. */
#include "store/internal.h"

#include <string.h>
#include <time.h>

/* One millisecond at a time: SQLite's own back-off favours whoever holds the lock. */
static int conn_busy(void *user, int count)
{
    const cj_db *db = user;
    const struct timespec pause = {0, 1000000};

    if (count >= db->busy_ms)
        return 0;
    (void)nanosleep(&pause, NULL);
    return 1;
}

static int32_t conn_pragmas(cj__conn *conn)
{
    static const int pragmas[] = {
        STMT_TRUSTED_SCHEMA, STMT_CELL_SIZE_CHECK, STMT_NO_MMAP,   STMT_SYNC_FULL,
        STMT_SECURE_DELETE,  STMT_CACHE_SIZE,      STMT_TEMP_STORE};
    int64_t ignored;

    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        int32_t rc = cj__query_one(conn, pragmas[i], &ignored);
        if (rc != CJ_OK)
            return rc;
    }
    return CJ_OK;
}

int32_t cj__conn_open(cj_db *db, cj__conn *conn, int flags)
{
    int sqlite_rc;

    memset(conn, 0, sizeof *conn);
    conn->db = db;
    sqlite_rc = sqlite3_open_v2(db->store->path, &conn->sq,
                                flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                                    SQLITE_OPEN_PRIVATECACHE,
                                NULL);
    if (sqlite_rc != SQLITE_OK) {
        int32_t rc =
            (sqlite_rc & 0xff) == SQLITE_CANTOPEN
                ? cj__fail(CJ_EIO, "cannot open the file; check path and rights")
                : cj__sqlite_fail(sqlite_rc, "open");
        cj__conn_close(conn);
        return rc;
    }
    (void)sqlite3_extended_result_codes(conn->sq, 1);
    (void)sqlite3_busy_handler(conn->sq, conn_busy, db);
    (void)sqlite3_db_config(conn->sq, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(conn->sq, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(conn->sq, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return conn_pragmas(conn);
}

void cj__conn_close(cj__conn *conn)
{
    for (int i = 0; i < CJ__N_STMTS; i++)
        (void)sqlite3_finalize(conn->stmts[i]);
    (void)sqlite3_close(conn->sq);
    memset(conn, 0, sizeof *conn);
}
