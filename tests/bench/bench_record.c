/* The race of recording: bench_record EVENTS FOLDER.  The same events in batches of
 * 1,000, each batch durable, in turn through the library, a plain SQLite table, a
 * SQLite schema that does by SQL what the library does (unique message id, identifiers,
 * aggregate), and a bare fwrite + fdatasync.  Prints a line per round: seconds of each,
 * so that a disturbance of the machine hits all.  Making the events is not counted. */
#include "shop.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 1000, ROUNDS = 10, PEER_SHARE = 4 };

typedef struct contest {
    shop shop;
    shop_event *events; /* one batch */
    cj_db *db;
    sqlite3 *plain, *peer;
    sqlite3_stmt *plain_add;
    sqlite3_stmt *peer_ident, *peer_find, *peer_add, *peer_total;
    int fd;
} contest;

static void must(int ok, sqlite3 *db, const char *doing)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s: %s\n", doing,
            db != NULL ? sqlite3_errmsg(db) : "failed");
    exit(1);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *out = NULL;

    must(sqlite3_prepare_v2(db, sql, -1, &out, NULL) == SQLITE_OK, db, sql);
    return out;
}

static sqlite3 *open_sqlite(const char *folder, const char *name, const char *schema)
{
    char path[4096];
    sqlite3 *db = NULL;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(sqlite3_open(path, &db) == SQLITE_OK, db, path);
    run_sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA cache_size=-65536");
    run_sql(db, schema);
    return db;
}

static void contest_open(contest *c, int64_t n, const char *folder)
{
    char path[4096];

    c->shop = shop_of(n);
    c->events = calloc(BATCH, sizeof *c->events);
    snprintf(path, sizeof path, "%s/race.cj", folder);
    if (c->events == NULL || cj_open(path, NULL, &c->db) != CJ_OK)
        shop_die(path);
    c->plain =
        open_sqlite(folder, "plain.db",
                    "CREATE TABLE event (profile INT, ts INT, name TEXT, channel "
                    "TEXT, value INT, properties TEXT);"
                    "CREATE INDEX event_of ON event (profile, ts)");
    c->plain_add = prepare(c->plain, "INSERT INTO event VALUES (?1,?2,?3,?4,?5,?6)");
    c->peer = open_sqlite(
        folder, "peer.db",
        "CREATE TABLE ident (kind TEXT, value TEXT, profile INT, PRIMARY KEY (kind, "
        "value)) WITHOUT ROWID;"
        "CREATE TABLE event (message TEXT UNIQUE, profile INT, ts INT, name TEXT, "
        "channel "
        "TEXT, session TEXT, campaign TEXT, product TEXT, order_id TEXT, value INT, "
        "properties TEXT); CREATE INDEX event_of ON event (profile, ts);"
        "CREATE TABLE total (profile INTEGER PRIMARY KEY, n INT, value INT, last INT)");
    c->peer_find =
        prepare(c->peer, "SELECT profile FROM ident WHERE kind=?1 AND value=?2");
    c->peer_ident = prepare(c->peer, "INSERT OR IGNORE INTO ident VALUES (?1,?2,?3)");
    c->peer_add = prepare(c->peer, "INSERT OR IGNORE INTO event VALUES "
                                   "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)");
    c->peer_total =
        prepare(c->peer,
                "INSERT INTO total VALUES (?1,1,?2,?3) ON CONFLICT (profile) DO UPDATE "
                "SET n = n + 1, value = value + excluded.value, "
                "last = max(last, excluded.last)");
    snprintf(path, sizeof path, "%s/bytes", folder);
    c->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(c->fd >= 0, NULL, path);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

static void step(sqlite3 *db, sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    must(rc == SQLITE_DONE || rc == SQLITE_ROW, db, "step");
    sqlite3_reset(s);
}

static void ours(contest *c, int64_t n)
{
    cj_record_result result = {.struct_size = sizeof result};

    if (cj_record_many(c->db, &c->events[0].event, n, sizeof *c->events, &result) !=
        CJ_OK)
        shop_die("cj_record_many");
    must(result.n_recorded == n, NULL, "an event was not recorded");
}

static void plain(contest *c, int64_t n)
{
    run_sql(c->plain, "BEGIN IMMEDIATE");
    for (int64_t i = 0; i < n; i++) {
        const shop_event *e = &c->events[i];

        sqlite3_bind_int64(c->plain_add, 1, e->person);
        sqlite3_bind_int64(c->plain_add, 2, e->event.time_ms);
        bind_text(c->plain_add, 3, e->event.name);
        bind_text(c->plain_add, 4, e->event.channel);
        sqlite3_bind_int64(c->plain_add, 5, e->event.value_minor);
        bind_text(c->plain_add, 6, e->event.properties);
        step(c->plain, c->plain_add);
    }
    run_sql(c->plain, "COMMIT");
}

static int64_t peer_profile(contest *c, const shop_event *e)
{
    int64_t profile = e->person;

    for (int64_t k = 0; k < e->event.n_identifiers; k++) {
        bind_text(c->peer_find, 1, e->identifiers[k].kind);
        bind_text(c->peer_find, 2, e->identifiers[k].value);
        if (sqlite3_step(c->peer_find) == SQLITE_ROW) {
            profile = sqlite3_column_int64(c->peer_find, 0);
        } else {
            bind_text(c->peer_ident, 1, e->identifiers[k].kind);
            bind_text(c->peer_ident, 2, e->identifiers[k].value);
            sqlite3_bind_int64(c->peer_ident, 3, profile);
            step(c->peer, c->peer_ident);
        }
        sqlite3_reset(c->peer_find);
    }
    return profile;
}

static void peer(contest *c, int64_t n)
{
    run_sql(c->peer, "BEGIN IMMEDIATE");
    for (int64_t i = 0; i < n; i++) {
        const shop_event *e = &c->events[i];
        int64_t profile = peer_profile(c, e);

        bind_text(c->peer_add, 1, e->event.message_id);
        sqlite3_bind_int64(c->peer_add, 2, profile);
        sqlite3_bind_int64(c->peer_add, 3, e->event.time_ms);
        bind_text(c->peer_add, 4, e->event.name);
        bind_text(c->peer_add, 5, e->event.channel);
        bind_text(c->peer_add, 6, e->event.session);
        bind_text(c->peer_add, 7, e->event.campaign);
        bind_text(c->peer_add, 8, e->event.product);
        bind_text(c->peer_add, 9, e->event.order_id);
        sqlite3_bind_int64(c->peer_add, 10, e->event.value_minor);
        bind_text(c->peer_add, 11, e->event.properties);
        step(c->peer, c->peer_add);
        if (sqlite3_changes(c->peer) == 0)
            continue;
        sqlite3_bind_int64(c->peer_total, 1, profile);
        sqlite3_bind_int64(c->peer_total, 2, e->event.value_minor);
        sqlite3_bind_int64(c->peer_total, 3, e->event.time_ms);
        step(c->peer, c->peer_total);
    }
    run_sql(c->peer, "COMMIT");
}

/* The bytes of the events as a log would hold them: texts with a length, numbers in
 * eight bytes. */
static size_t event_bytes(const shop_event *e, char *to)
{
    const char *const texts[] = {
        e->event.name,     e->event.channel, e->event.message_id, e->event.session,
        e->event.campaign, e->event.product, e->event.order_id,   e->event.properties,
        e->user,           e->anonymous};
    char *at = to;

    memcpy(at, &e->event.time_ms, 8);
    memcpy(at + 8, &e->event.value_minor, 8);
    at += 16;
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        size_t n = texts[k] != NULL ? strlen(texts[k]) : 0;

        *at++ = (char)n;
        if (n > 0)
            memcpy(at, texts[k], n);
        at += n;
    }
    return (size_t)(at - to);
}

static void bytes(contest *c, int64_t n)
{
    static char buffer[BATCH * 512];
    size_t used = 0;

    for (int64_t i = 0; i < n; i++)
        used += event_bytes(&c->events[i], buffer + used);
    must(write(c->fd, buffer, used) == (ssize_t)used, NULL, "write");
    must(fdatasync(c->fd) == 0, NULL, "fdatasync");
}

typedef void (*contestant)(contest *c, int64_t n);

static double timed(contest *c, contestant run, int64_t n)
{
    double start = shop_seconds();

    run(c, n);
    return shop_seconds() - start;
}

int main(int argc, char **argv)
{
    static const contestant all[] = {ours, plain, peer, bytes};
    contest c = {0};
    int64_t n = argc == 3 ? strtoll(argv[1], NULL, 10) : 0, at = 0;

    if (n < BATCH * ROUNDS) {
        fprintf(stderr, "usage: bench_record EVENTS FOLDER, at least %d events\n",
                BATCH * ROUNDS);
        return 2;
    }
    contest_open(&c, n, argv[2]);
    for (int round = 0; round < ROUNDS; round++) {
        double seconds[4] = {0};
        int64_t end = n * (round + 1) / ROUNDS, n_peer = 0, first = at;

        for (int batch = 0; at < end; batch++) {
            int64_t take = end - at < BATCH ? end - at : BATCH;

            for (int64_t k = 0; k < take; k++)
                shop_make(&c.shop, at + k, &c.events[k]);
            for (int k = 0; k < 4; k++) {
                int who = (k + batch) % 4; /* each goes first as often */

                if (who == 2 && batch % PEER_SHARE != 0)
                    continue; /* it is slow: a share of the batches tells */
                seconds[who] += timed(&c, all[who], take);
                n_peer += who == 2 ? take : 0;
            }
            at += take;
        }
        printf("round %lld %lld %.6f %.6f %.6f %.6f\n", (long long)(at - first),
               (long long)n_peer, seconds[0], seconds[1], seconds[2], seconds[3]);
        fflush(stdout);
    }
    if (cj_close(c.db) != CJ_OK)
        shop_die("cj_close");
    sqlite3_finalize(c.plain_add);
    sqlite3_close(c.plain);
    return 0;
}
