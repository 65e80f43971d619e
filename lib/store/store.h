/* SQLite: the handle, transactions, statements; what the rooms above share of them.
 * The door of room store; no other room includes <sqlite3.h>. */
#ifndef CJ__STORE_STORE_H
#define CJ__STORE_STORE_H

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/table.h"
#include "base/text.h"
#include "base/time.h"
#include "store/row.h"

typedef struct cj__store cj__store; /* store/internal.h */
struct cj__identity;                /* caches of the rooms above; freed through */
struct cj__recorder;                /* their doors */
struct cj__live;

/* Who follows what happens to facts within a write transaction (room segment, which
 * stands above those that tell); installed by api.c at open.  What fails fails the
 * transaction. */
typedef struct cj__observer {
    int32_t (*row)(cj_db *db, const cj__row *row); /* an event is appended */
    int32_t (*trait)(cj_db *db, uint32_t node, uint32_t name, int64_t time_ms,
                     uint32_t source, cj__text value);
    /* A node's profile changes; from 0: the node is new.  Told each time. */
    int32_t (*moved)(cj_db *db, uint32_t node, uint32_t from);
    /* A new edge is refused; one that there was changes its state. */
    int32_t (*refused)(cj_db *db, uint32_t a, uint32_t b);
    int32_t (*regraphed)(cj_db *db, uint32_t a, uint32_t b);
    int32_t (*commit)(cj_db *db, int64_t now_ms); /* before it */
    void (*ended)(cj_db *db, int32_t rc);         /* committed, or rolled back */
} cj__observer;

struct cj_db {
    cj__ctx cx;
    uint64_t magic;
    int64_t pid;
    cj__store *store;
    struct cj__identity *identity;
    struct cj__recorder *recorder;
    struct cj__live *live;
    const cj__observer *observer; /* never NULL once open */
    cj__zone *zone;               /* the store's time zone; constant after open */
    char currency[4];             /* the store's currency; constant after open */
    char time_zone[64];
    int currency_exponent;
    int64_t flags, busy_ms, commit_ms, seal_events;
};

/* ---- handle (open.c) ----------------------------------------------------------- */

/* Open the file and fill db->store, zone, currency.  opts is complete (0: default).  On
 * failure everything is as before; cj__store_close accepts that. */
int32_t cj__store_open(cj_db *db, const char *path, const cj_open_options *opts);
int32_t cj__store_close(cj_db *db);

/* ---- write transactions (txn.c) ------------------------------------------------- */

/* Wait for the other writers (threads of this handle, then other processes), begin, and
 * notice what others have changed.  Errors: CJ_EBUSY, CJ_ELOCK, CJ_EREADONLY, CJ_EIO.
 */
int32_t cj__write_begin(cj_db *db);

/* Commit if rc is CJ_OK, else roll back; returns rc, or why the commit failed.  Ends
 * the transaction in any case.  CJ_OK: durable. */
int32_t cj__write_end(cj_db *db, int32_t rc);

/* Counts up whenever in-memory state must not be trusted any more: another process has
 * written, or a transaction was rolled back. */
uint64_t cj__write_generation(const cj_db *db);
uint64_t
cj__write_rollbacks(const cj_db *db); /* of them, those that were rolled back */

/* ---- statements (query.c) -------------------------------------------------------- */

enum {
#define S(name, sql) STMT_##name,
#include "store/stmts.def"
#undef S
    CJ__N_STMTS
};

typedef struct cj__conn cj__conn; /* one SQLite connection and its statements */

/* Builders are sticky: after an error binds do nothing and the last call reports it. */
typedef struct cj__query {
    cj__conn *conn;
    void *stmt;
    int32_t rc;
} cj__query;

cj__conn *cj__writer(cj_db *db); /* only within cj__write_begin .. cj__write_end */

int32_t cj__query_begin(cj__conn *conn, int stmt, cj__query *q);
void cj__query_int64(cj__query *q, int index, int64_t value); /* index from 1 */
void cj__query_text(cj__query *q, int index, cj__text text);  /* borrowed until step */
void cj__query_blob(cj__query *q, int index, cj__text bytes);
int32_t cj__query_step(cj__query *q, int *row_out); /* 1: a row, 0: done */
int32_t cj__query_run(cj__query *q);                /* to the end, rows ignored */
int32_t cj__query_insert(cj__query *q, int64_t *rowid_out);
int64_t cj__query_get_int64(const cj__query *q, int column); /* column from 0 */
cj__text cj__query_get_text(const cj__query *q, int column); /* until step or end */
cj__text cj__query_get_blob(const cj__query *q, int column);
void cj__query_end(cj__query *q); /* a zeroed one is fine */

/* One statement without binds that gives one number. */
int32_t cj__query_one(cj__conn *conn, int stmt, int64_t *out);

/* ---- facts about the file (meta.c) ------------------------------------------------
 */

int32_t cj__meta_get(cj__conn *conn, const char *name, int64_t fallback, int64_t *out);
int32_t cj__meta_get_text(cj__conn *conn, const char *name, char *to, size_t size);
int32_t cj__meta_set(cj__conn *conn, const char *name, int64_t value);
int32_t cj__meta_set_text(cj__conn *conn, const char *name, const char *value);
uint64_t cj__store_seed(const cj_db *db); /* of the hashes this file stores */

/* ---- terms (term.c)
 * ------------------------------------------------------------------ */

enum {
    CJ__SPACE_NAME = 1,
    CJ__SPACE_CHANNEL = 2,
    CJ__SPACE_CAMPAIGN = 3,
    CJ__SPACE_CONTENT = 4,
    CJ__SPACE_PRODUCT = 5,
    CJ__SPACE_CURRENCY = 6,
    CJ__SPACE_TRAIT = 7,
    CJ__SPACE_SOURCE = 8
};

/* The id of a text, made if new.  text absent: 0.  Within a write transaction. */
int32_t cj__term(cj_db *db, int space, cj__text text, uint32_t *id_out);
/* The same, but nothing is made: 0 when there is none. */
int32_t cj__term_find(cj_db *db, int space, cj__text text, uint32_t *id_out);
/* The text of a term, in the arena; absent when there is none. */
int32_t cj__term_read(cj_db *db, uint32_t id, cj__arena *arena, cj__text *out);
uint64_t cj__terms_made(const cj_db *db); /* counts up when this handle makes one */

/* The same in two steps, so that several can wait for memory together. */
typedef struct cj__term_text {
    cj__text text; /* borrowed */
    cj__key key;
} cj__term_text;
cj__term_text cj__term_expect(const cj_db *db, int space, cj__text text);
int32_t cj__term_get(cj_db *db, int space, const cj__term_text *text, uint32_t *id_out);

/* ---- nodes: profile_of[] in pages (node.c), within a write transaction
 * ---------------- */

typedef struct cj__node {
    uint32_t profile; /* the oldest node of its profile */
    uint32_t next;    /* ring of the profile's nodes */
    uint8_t mask;     /* of its own identifier; at the profile's node: of all of them */
    uint8_t own;
} cj__node;

int32_t cj__node_get(cj_db *db, uint32_t node, cj__node *out);
int32_t cj__node_put(cj_db *db, uint32_t node, const cj__node *in);
/* In a snapshot, straight from the node's page. */
int32_t cj__node_read(cj__conn *conn, uint32_t node, cj__node *out);

/* ---- journal (journal.c)
 * ------------------------------------------------------------- */

/* Where the events of one commit are put together. */
typedef struct cj__batch {
    cj__str events;   /* rows by cj__journal_put */
    cj__str messages; /* pairs: uint64 message hash, int64 its time */
    int64_t n_events;
} cj__batch;

/* The hash of a message id; a cj__message_seen of it follows soon. */
uint64_t cj__message_hash(const cj_db *db, const char *id);
/* 1 in *known_out when a message was recorded before: in the journal, in a slice that
 * covers its time, or in this batch (it is added to the batch otherwise). */
int32_t cj__message_seen(cj_db *db, cj__batch *batch, uint64_t hash, int64_t time_ms,
                         int *known_out);
void cj__batch_row(cj__batch *batch, const cj__row *row); /* sticky, in batch->events */
int32_t cj__journal_add(cj_db *db, cj__batch *batch);

/* ---- sealing (seal.c, merge.c)
 * ---------------------------------------------------------- */

/* Seal the journal when cj__journal_size is at least min_size.  Within a write
 * transaction.  compacting: what would be brought together next goes there at once. */
int32_t cj__seal(cj_db *db, int64_t min_size, int compacting);
/* Unsealed events, or messages when they are more, as of the last write. */
int64_t cj__journal_size(const cj_db *db);

/* Seal, merge slices to weeks and months, give pages back; its own transactions. */
int32_t cj__compact(cj_db *db, cj_progress_fn progress, void *progress_user);

/* ---- care (check.c, stats.c)
 * -------------------------------------------------------------- */

/* Add a row to the table of problems that cj_check returns. */
void cj__problem(cj_table *t, const char *place, const char *format, ...)
    CJ__PRINTF(3, 4);
/* The file itself, terms, journal, parts, blocks, messages. */
int32_t cj__store_check(cj_db *db, cj__conn *conn, cj_table *problems);
int32_t cj__stats(cj_db *db, int64_t now_ms, cj_table **out);

/* ---- rejected events (failed.c)
 * ------------------------------------------------------------ */

/* Keep one, once: equal bytes of one format are one row.  In a write transaction. */
int32_t cj__failed_add(cj_db *db, int64_t time_ms, const char *format, int32_t code,
                       const char *reason, cj__text bytes);

typedef struct cj__failed {
    int64_t id, time_ms;
    char format[16];
    int32_t code;
    cj__text reason, bytes;
} cj__failed;

/* The next at most n rejected events after an id, in the arena. */
int32_t cj__failed_read(cj__conn *conn, int64_t after, cj__arena *arena,
                        cj__failed *rows, int64_t n, int64_t *n_out);
int32_t cj__failed_delete(cj_db *db, int64_t id);

#endif
