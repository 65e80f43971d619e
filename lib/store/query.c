/* Statements: prepared on first use, kept until close, bound and stepped through a
 * sticky builder.  The only file that turns SQLite's codes into ours. */
#include "store/internal.h"

static const char *const query_sql[CJ__N_STMTS] = {
#define S(name, sql) sql,
#include "store/stmts.def"
#undef S
};

int32_t cj__sqlite_fail(int sqlite_rc, const char *doing)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_NOMEM:
        return cj__fail_nomem();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return cj__fail(CJ_EBUSY, "%s: another program holds the file; try again",
                        doing);
    case SQLITE_NOTADB:
        return cj__fail(CJ_EVERSION, "this is not a libcjourney file");
    case SQLITE_CORRUPT:
        return cj__fail(CJ_ECORRUPT,
                        "%s: the file is damaged (SQLite %d); run cj_check", doing,
                        sqlite_rc);
    case SQLITE_READONLY:
        return cj__fail(CJ_EREADONLY, "%s: the file or its folder is read-only", doing);
    case SQLITE_INTERRUPT:
        return cj__fail(CJ_EINTERRUPT, "interrupted");
    default:
        return cj__fail(CJ_EIO, "%s: SQLite answered %d (%s)", doing, sqlite_rc,
                        sqlite3_errstr(sqlite_rc));
    }
}

int32_t cj__query_begin(cj__conn *conn, int stmt, cj__query *q)
{
    int sqlite_rc;

    q->conn = conn;
    q->stmt = NULL;
    q->rc = CJ_OK;
    if (conn->stmts[stmt] == NULL) {
        sqlite_rc =
            sqlite3_prepare_v3(conn->sq, query_sql[stmt], -1, SQLITE_PREPARE_PERSISTENT,
                               &conn->stmts[stmt], NULL);
        if (sqlite_rc != SQLITE_OK) {
            q->rc = cj__sqlite_fail(sqlite_rc, "prepare");
            return q->rc;
        }
    }
    q->stmt = conn->stmts[stmt];
    return CJ_OK;
}

static void query_bound(cj__query *q, int sqlite_rc)
{
    if (sqlite_rc != SQLITE_OK)
        q->rc = cj__sqlite_fail(sqlite_rc, "bind");
}

void cj__query_int64(cj__query *q, int index, int64_t value)
{
    if (q->rc == CJ_OK)
        query_bound(q, sqlite3_bind_int64(q->stmt, index, value));
}

void cj__query_text(cj__query *q, int index, cj__text text)
{
    if (q->rc == CJ_OK)
        query_bound(q, sqlite3_bind_text64(q->stmt, index, text.data, text.n,
                                           SQLITE_STATIC, SQLITE_UTF8));
}

void cj__query_blob(cj__query *q, int index, cj__text bytes)
{
    if (q->rc != CJ_OK)
        return;
    if (bytes.n == 0)
        query_bound(q, sqlite3_bind_zeroblob(q->stmt, index, 0));
    else
        query_bound(
            q, sqlite3_bind_blob64(q->stmt, index, bytes.data, bytes.n, SQLITE_STATIC));
}

int32_t cj__query_step(cj__query *q, int *row_out)
{
    int sqlite_rc;

    *row_out = 0;
    if (q->rc != CJ_OK)
        return q->rc;
    sqlite_rc = sqlite3_step(q->stmt);
    if (sqlite_rc == SQLITE_ROW)
        *row_out = 1;
    else if (sqlite_rc != SQLITE_DONE)
        q->rc = cj__sqlite_fail(
            sqlite_rc, sqlite3_sql(q->stmt) == NULL ? "step" : "read or write");
    return q->rc;
}

int32_t cj__query_run(cj__query *q)
{
    int row;

    do {
        (void)cj__query_step(q, &row);
    } while (row != 0);
    return q->rc;
}

int32_t cj__query_insert(cj__query *q, int64_t *rowid_out)
{
    *rowid_out = 0;
    if (cj__query_run(q) == CJ_OK)
        *rowid_out = sqlite3_last_insert_rowid(q->conn->sq);
    return q->rc;
}

int64_t cj__query_get_int64(const cj__query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

cj__text cj__query_get_text(const cj__query *q, int column)
{
    cj__text t;

    t.data = (const char *)sqlite3_column_text(q->stmt, column);
    t.n = (size_t)sqlite3_column_bytes(q->stmt, column);
    return t;
}

cj__text cj__query_get_blob(const cj__query *q, int column)
{
    cj__text t;

    t.data = sqlite3_column_blob(q->stmt, column);
    t.n = (size_t)sqlite3_column_bytes(q->stmt, column);
    return t;
}

void cj__query_end(cj__query *q)
{
    if (q->stmt != NULL) {
        (void)sqlite3_reset(q->stmt); /* its error was reported by step */
        (void)sqlite3_clear_bindings(q->stmt);
    }
    q->stmt = NULL;
}

int32_t cj__query_one(cj__conn *conn, int stmt, int64_t *out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *out = 0;
    CJ_TRY(cj__query_begin(conn, stmt, &q));
    CJ_TRY(cj__query_step(&q, &row));
    if (row)
        *out = cj__query_get_int64(&q, 0);
out:
    cj__query_end(&q);
    return rc;
}
