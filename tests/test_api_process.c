/* What happens around the file: fork(), other processes, another SQLite, files that are
 * not ours, files that were damaged.  Nothing acknowledged is lost, nothing of others
 * is touched, nothing crashes. */
#include "api.h"
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- fork ------------------------------------------------------------------ */

/* In the child: every call refuses the inherited handle; its own one works. */
static int process_in_child(cj_db *inherited, const char *path)
{
    cj_open_options o = api_options(0, 0);
    int64_t value = 77;
    cj_table *t;
    cj_db *db;

    if (api_record(inherited, 2, API_IN_ORDER) != CJ_EFORK ||
        cj_flush(inherited) != CJ_EFORK || cj_stats(inherited, &t) != CJ_EFORK ||
        t != NULL || cj_profile_find(inherited, "user_id", "u1", &value) != CJ_EFORK ||
        value != 0 || cj_compact(inherited, NULL, NULL) != CJ_EFORK ||
        cj_interrupt(inherited) == CJ_OK || cj_close(inherited) != CJ_EFORK)
        return 1;
    if (cj_open(path, &o, &db) != CJ_OK || api_record(db, 3, API_IN_ORDER) != CJ_OK ||
        cj_close(db) != CJ_OK)
        return 2;
    return 0;
}

/* A child that inherited a handle cannot free it, and a leak checker would count that
 * against its exit code: all went well when it killed itself. */
static void process_end(int code)
{
    if (code == 0)
        (void)raise(SIGKILL);
    _exit(code);
}

static int process_wait(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return 0;
    ck_assert_msg(WIFEXITED(status), "the child was killed by signal %d",
                  WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void process_fork(int64_t flags)
{
    api_file f;
    int *seen;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, flags, 0);
    expect_ok(api_record(db, 1, API_IN_ORDER));
    for (int i = 0; i < 3; i++) {
        pid_t child;

        expect_ok(cj_flush(db)); /* or the committer's locks in SQLite are inherited */
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            process_end(process_in_child(db, f.path));
        expect_ok(api_record(db, 10 + i, API_IN_ORDER)); /* beside the child */
        ck_assert_int_eq(process_wait(child), 0);
        expect_ok(api_record(db, 20 + i, API_IN_ORDER));
    }
    expect_ok(cj_close(db));
    db = api_open(f.path, 0, 0);
    seen = api_numbers(db, 30);
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(seen[i],
                         i == 1 || i == 3 || i / 10 >= 1 ? i % 10 < 3 || i == 3 : 0);
    free(seen);
    api_expect_sound(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}

START_TEST(test_api_process__fork)
{
    process_fork(0);
}
END_TEST

START_TEST(test_api_process__fork_beside_a_committer)
{
    process_fork(CJ_OPEN_DEFERRED);
}
END_TEST

/* ---- another SQLite, other writers ----------------------------------------- */

static void process_sql(const char *path, const char *sql)
{
    sqlite3 *sq;

    ck_assert_int_eq(sqlite3_open(path, &sq), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(sq, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(sq), SQLITE_OK);
}

/* 0: deleted; 1: deleted and made again; 2: replaced by a copy of itself. */
static void process_replace_wal(const api_file *f, int how)
{
    size_t n;
    char *bytes = api_read(f->wal, &n);

    ck_assert_int_eq(unlink(f->wal), 0);
    if (how == 1)
        api_write(f->wal, "", 0);
    if (how == 2)
        api_write(f->wal, bytes, n);
    free(bytes);
}

/* The -wal file goes away under an open handle: from then on nothing is acknowledged.
 * What was acknowledged before is there as far as the files that are left can tell. */
START_TEST(test_api_process__the_wal_is_replaced)
{
    for (int how = 0; how < 3; how++) {
        api_file f;
        cj_db *db;
        api_file_make(&f);
        db = api_open(f.path, 0, 0);
        expect_ok(api_record_range(db, 0, 10, API_IN_ORDER, NULL));
        expect_ok(cj_compact(db, NULL, NULL)); /* all of it is in the file itself */
        process_replace_wal(&f, how);
        for (int i = 0; i < 3; i++)
            expect_code(CJ_ELOCK, api_record(db, 100, API_IN_ORDER));
        expect_code(CJ_ELOCK, cj_compact(db, NULL, NULL));
        expect_code(CJ_ELOCK, cj_unmerge(db, 1));
        (void)cj_close(db);
        db = api_open(f.path, 0, 0);
        ck_assert_int_eq(api_n_events(db), 14);
        expect_ok(api_record(db, 100, API_IN_ORDER));
        api_expect_sound(db);
        expect_ok(cj_close(db));
        api_file_remove(&f);
    }
}
END_TEST

/* Another copy of SQLite in this process opens and closes the file: that drops the
 * POSIX locks of ours.  Here it is the same copy, so the locks survive; the file must
 * too. */
START_TEST(test_api_process__sqlite_looks_at_the_file)
{
    api_file f;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, 0, 0);
    for (int i = 0; i < 5; i++) {
        expect_ok(api_record(db, i * 5 + 1, API_IN_ORDER));
        process_sql(f.path, "SELECT count(*) FROM journal");
    }
    ck_assert_int_eq(api_n_events(db), 5);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* Hold the write lock in a child until told to let go. */
static pid_t process_hold(const char *path, int *let_go)
{
    int ready[2], go[2];
    char c;
    pid_t child;

    ck_assert(pipe(ready) == 0 && pipe(go) == 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        sqlite3 *sq;
        (void)close(go[1]);
        if (sqlite3_open(path, &sq) != SQLITE_OK ||
            sqlite3_exec(sq, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
            _exit(1);
        (void)!write(ready[1], "r", 1);
        (void)!read(go[0], &c, 1);
        process_end(sqlite3_exec(sq, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                                : 2);
    }
    (void)close(go[0]);
    (void)close(ready[1]);
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    (void)close(ready[0]);
    *let_go = go[1];
    return child;
}

START_TEST(test_api_process__another_writer)
{
    cj_open_options o = api_options(0, 0);
    int let_go;
    pid_t child;
    api_file f;
    cj_db *db;

    api_file_make(&f);
    o.busy_ms = 30;
    expect_ok(cj_open(f.path, &o, &db));
    expect_ok(api_record(db, 1, API_IN_ORDER));
    child = process_hold(f.path, &let_go);
    expect_code(CJ_EBUSY, api_record(db, 2, API_IN_ORDER));
    expect_code(CJ_EBUSY, cj_compact(db, NULL, NULL));
    expect_code(CJ_EBUSY, cj_identifier_block(db, "email", "a@b.c"));
    ck_assert_int_eq(api_n_events(db), 1); /* reading does not wait */
    ck_assert_int_eq(write(let_go, "g", 1), 1);
    ck_assert_int_eq(process_wait(child), 0);
    (void)close(let_go);
    expect_ok(api_record(db, 2, API_IN_ORDER)); /* nothing of the refused one is left */
    ck_assert_int_eq(api_n_events(db), 2);
    api_expect_sound(db);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* Deferred messages outlive the other writer: a flush that fails can be done again. */
START_TEST(test_api_process__another_writer_and_deferred)
{
    cj_open_options o = api_options(CJ_OPEN_DEFERRED, 0);
    int let_go;
    pid_t child;
    api_file f;
    cj_db *db;

    api_file_make(&f);
    o.busy_ms = 30;
    expect_ok(cj_open(f.path, &o, &db));
    child = process_hold(f.path, &let_go);
    expect_ok(api_record(db, 1, API_IN_ORDER));
    expect_code(CJ_EBUSY, cj_flush(db));
    ck_assert_int_eq(write(let_go, "g", 1), 1);
    ck_assert_int_eq(process_wait(child), 0);
    (void)close(let_go);
    expect_ok(cj_flush(db));
    ck_assert_int_eq(api_n_events(db), 1);
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

/* ---- files that are not ours ----------------------------------------------- */

/* Refused with the code in every mode, and not a byte of it or beside it has changed.
 */
static void process_refused(const api_file *f, int32_t code)
{
    static const int64_t flags[] = {0, CJ_OPEN_READONLY, CJ_OPEN_NOCREATE,
                                    CJ_OPEN_DEFERRED};
    char copy[112];

    (void)snprintf(copy, sizeof copy, "%s/copy", f->folder);
    api_copy(f->path, copy);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        cj_open_options o = api_options(flags[i], 0);
        cj_db *db = (cj_db *)(void *)&o;
        expect_code(code, cj_open(f->path, &o, &db));
        ck_assert_ptr_null(db);
        ck_assert(api_same_bytes(f->path, copy));
        /* Who may not write cannot take away what SQLite put beside the file. */
        if (flags[i] & CJ_OPEN_READONLY)
            ck_assert_int_le(api_size(f->wal), 0);
        else
            ck_assert(!api_exists(f->wal) && !api_exists(f->shm));
        (void)unlink(f->wal);
        (void)unlink(f->shm);
    }
    (void)unlink(copy);
}

START_TEST(test_api_process__a_newer_schema)
{
    api_file f;
    cj_db *db;

    api_file_make(&f);
    db = api_open(f.path, 0, 0);
    expect_ok(api_record_range(db, 0, 20, API_IN_ORDER, NULL));
    expect_ok(cj_close(db));
    process_sql(f.path, "PRAGMA user_version = 99");
    process_refused(&f, CJ_EVERSION);
    ck_assert_msg(strstr(cj_errmsg(), "99") != NULL, "%s", cj_errmsg());
    api_file_remove(&f);
}
END_TEST

START_TEST(test_api_process__foreign_files)
{
    static const char text[] = "Dear shop, this is not a database but a letter.\n";
    char long_text[8192];
    api_file f;

    api_file_make(&f);
    process_sql(f.path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    process_refused(&f, CJ_EVERSION);
    process_sql(f.path, "PRAGMA journal_mode = WAL");
    process_refused(&f, CJ_EVERSION);
    (void)unlink(f.path);
    process_sql(f.path, "PRAGMA user_version = 7");
    process_refused(&f, CJ_EVERSION);
    api_write(f.path, text, sizeof text - 1);
    process_refused(&f, CJ_EVERSION);
    memset(long_text, 'x', sizeof long_text);
    api_write(f.path, long_text, sizeof long_text);
    process_refused(&f, CJ_EVERSION);
    api_write(f.path, "SQLite format 3", 16);
    process_refused(&f, CJ_EVERSION);
    api_file_remove(&f);
}
END_TEST

/* An empty file is a new one: a tool that makes temporary files has made it. */
START_TEST(test_api_process__an_empty_file)
{
    cj_open_options o = api_options(CJ_OPEN_READONLY, 0);
    api_file f;
    cj_db *db;

    api_file_make(&f);
    api_write(f.path, "", 0);
    ck_assert_int_ne(cj_open(f.path, &o, &db), CJ_OK); /* there is nothing to read */
    ck_assert_int_eq(api_size(f.path), 0);
    db = api_open(f.path, CJ_OPEN_NOCREATE, 0);
    expect_ok(api_record(db, 1, API_IN_ORDER));
    expect_ok(cj_close(db));
    api_file_remove(&f);
}
END_TEST

START_TEST(test_api_process__places)
{
    cj_open_options o = api_options(0, 0);
    char other[112], below[128];
    struct stat st;
    api_file f;
    cj_db *db;

    api_file_make(&f);
    (void)snprintf(other, sizeof other, "%s/link", f.folder);
    (void)snprintf(below, sizeof below, "%s/none/shop.db", f.folder);
    ck_assert_int_ne(cj_open(f.folder, &o, &db), CJ_OK);
    ck_assert_ptr_null(db);
    ck_assert_int_ne(cj_open(below, &o, &db), CJ_OK);
    o.flags = CJ_OPEN_NOCREATE;
    expect_code(CJ_ENOTFOUND, cj_open(f.path, &o, &db));
    o.flags = CJ_OPEN_READONLY;
    expect_code(CJ_ENOTFOUND, cj_open(f.path, &o, &db));
    ck_assert(!api_exists(f.path));
    db = api_open(f.path, 0, 0);
    ck_assert_int_eq(stat(f.path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600); /* whatever the umask */
    expect_ok(cj_close(db));
    ck_assert_int_eq(symlink(f.path, other), 0);
    o.flags = 0;
    expect_code(CJ_EINVAL, cj_open(other, &o, &db));
    ck_assert_ptr_null(db);
    api_file_remove(&f);
}
END_TEST

/* ---- read-only ------------------------------------------------------------- */

static void process_writes_refused(cj_db *db)
{
    const cj_identifier id = {sizeof id, "user_id", "u1"};
    cj_record_result r = {.struct_size = (int64_t)sizeof r};

    expect_code(CJ_EREADONLY, api_record(db, 1, API_IN_ORDER));
    expect_code(CJ_EREADONLY, api_record_range(db, 1, 5, API_IN_ORDER, &r));
    expect_code(CJ_EREADONLY, cj_record_json(db, "{\"name\":\"x\",\"user_id\":\"a\"}",
                                             -1, "json", &r));
    expect_code(CJ_EREADONLY, cj_identify(db, &id, 1, NULL, 0, NULL, NULL));
    expect_code(CJ_EREADONLY, cj_alias(db, &id, &id));
    expect_code(CJ_EREADONLY, cj_merge(db, 1, 2, NULL));
    expect_code(CJ_EREADONLY, cj_unmerge(db, 1));
    expect_code(CJ_EREADONLY, cj_identifier_block(db, "email", "a@b.c"));
    expect_code(CJ_EREADONLY, cj_compact(db, NULL, NULL));
}

START_TEST(test_api_process__read_only)
{
    char copy[112], *content, *read_only;
    api_file f;
    cj_db *db;

    api_file_make(&f);
    (void)snprintf(copy, sizeof copy, "%s/copy", f.folder);
    db = api_open(f.path, 0, 30);
    expect_ok(api_record_range(db, 0, 50, API_SCRAMBLED, NULL));
    content = api_content(db);
    expect_ok(cj_close(db));
    api_copy(f.path, copy);
    for (int i = 0; i < 2; i++) { /* 1: and the file may not be written */
        ck_assert_int_eq(chmod(f.path, i == 0 ? 0600 : 0400), 0);
        db = api_open(f.path, CJ_OPEN_READONLY, 0);
        process_writes_refused(db);
        read_only = api_content(db);
        api_expect_same(read_only, content, "read-only");
        api_expect_sound(db);
        free(read_only);
        expect_ok(cj_flush(db));
        expect_ok(cj_close(db));
        ck_assert(api_same_bytes(f.path, copy));
    }
    free(content);
    api_file_remove(&f);
}
END_TEST

/* ---- many make the file at once --------------------------------------------- */

enum { PROCESS_MAKERS = 6, PROCESS_BIRTHS = 20 };

/* Waits for the gate, makes or finds the file, records one message. */
static void process_maker(const char *path, int gate, int index)
{
    cj_open_options o = api_options(0, 0);
    char byte;
    cj_db *db;

    if (read(gate, &byte, 1) < 0 || cj_open(path, &o, &db) != CJ_OK) {
        (void)fprintf(stderr, "maker %d: %s\n", index, cj_errmsg());
        _exit(1);
    }
    if (api_record(db, index, API_IN_ORDER) != CJ_OK || cj_close(db) != CJ_OK)
        _exit(2);
    _exit(0);
}

START_TEST(test_api_process__a_birth_in_company)
{
    for (int round = 0; round < PROCESS_BIRTHS; round++) {
        pid_t makers[PROCESS_MAKERS];
        int gate[2], *seen;
        api_file f;
        cj_db *db;

        api_file_make(&f);
        ck_assert_int_eq(pipe(gate), 0);
        for (int i = 0; i < PROCESS_MAKERS; i++) {
            makers[i] = fork();
            ck_assert_int_ge(makers[i], 0);
            if (makers[i] == 0) {
                (void)close(gate[1]);
                process_maker(f.path, gate[0], i);
            }
        }
        (void)close(gate[1]); /* all of them read the end at the same moment */
        (void)close(gate[0]);
        for (int i = 0; i < PROCESS_MAKERS; i++)
            ck_assert_int_eq(process_wait(makers[i]), 0);
        db = api_open(f.path, 0, 0);
        seen = api_numbers(db, PROCESS_MAKERS);
        for (int i = 0; i < PROCESS_MAKERS; i++)
            ck_assert_int_eq(seen[i], 1);
        free(seen);
        expect_ok(cj_close(db));
        api_file_remove(&f);
    }
}
END_TEST

/* Options that no file can have leave no file behind. */
START_TEST(test_api_process__a_birth_refused)
{
    cj_open_options o = api_options(0, 0);
    api_file f;
    cj_db *db;

    api_file_make(&f);
    o.currency = "EURO";
    ck_assert_int_eq(cj_open(f.path, &o, &db), CJ_EINVAL);
    o.currency = NULL;
    o.time_zone = "Europe/Atlantis";
    ck_assert_int_ne(cj_open(f.path, &o, &db), CJ_OK);
    ck_assert_int_ne(access(f.path, F_OK), 0);
    api_file_remove(&f);
}
END_TEST

HARNESS_MAIN("api_process", test_api_process__fork,
             test_api_process__fork_beside_a_committer,
             test_api_process__the_wal_is_replaced,
             test_api_process__sqlite_looks_at_the_file,
             test_api_process__another_writer,
             test_api_process__another_writer_and_deferred,
             test_api_process__a_newer_schema, test_api_process__foreign_files,
             test_api_process__an_empty_file, test_api_process__places,
             test_api_process__read_only, test_api_process__a_birth_in_company,
             test_api_process__a_birth_refused)
