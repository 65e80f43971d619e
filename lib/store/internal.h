/* What the files of room store share and nobody else sees. */
#ifndef CJ__STORE_INTERNAL_H
#define CJ__STORE_INTERNAL_H

#include "store/block.h"
#include "store/kept.h"
#include "store/reader.h"
#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the file format is little-endian; this host is not"
#endif

#define CJ__APPLICATION_ID 1667920462 /* "cjrN" */
#define CJ__SCHEMA_VERSION 4
#define CJ__NODE_PAGE                                                                  \
    400 /* nodes: a page is 4,000 bytes, a row fits a 4,096-byte page */
#define CJ__NODE_PAGE_BYTES ((size_t)CJ__NODE_PAGE * 10)
#define CJ__PART_SHIFT 21 /* block id = part << 21 | family << 20 | index */
#define CJ__FAMILY_SHIFT 20
#define CJ__DIRECTORY_ENTRY 12 /* bytes: first node, last node, events: uint32 each */
#define CJ__KEEP_WEEKS_MS ((int64_t)62 * 86400000) /* younger weeks stay weeks */
#define CJ__READERS 4                              /* connections kept for analyses */

struct cj__conn {
    cj_db *db;
    sqlite3 *sq;
    sqlite3_stmt *stmts[CJ__N_STMTS];
};

/* Pages of profile_of[] that this handle has read. */
typedef struct cj__node_pages {
    struct cj__node_page {
        uint8_t *data; /* NULL: not read */
        int dirty;
    } * pages;
    size_t n, capacity;
} cj__node_pages;

/* A part as the writer knows it. */
typedef struct cj__part_info {
    int64_t part, from_ms, until_ms, min_ms, max_ms;
    int64_t n_events, n_values, n_messages, bits;
    int64_t n_core, n_projection; /* blocks */
    int64_t probes;               /* of its messages, on disk, by this handle */
    int cached;                   /* its messages are in messages.sealed */
} cj__part_info;

/* Which messages are where, for recording. */
typedef struct cj__messages {
    cj__map journal; /* hashes of unsealed messages */
    int64_t last_batch;
    int loaded;
    cj__map sealed; /* hashes, cut to 48 bits, of the parts that are `cached` */
} cj__messages;

/* tail.c: the journal's unsealed rows by node. */
typedef struct cj__tail_row cj__tail_row;
typedef struct cj__tail {
    const cj__allocator *allocator;
    pthread_mutex_t lock;
    int64_t sealed, through; /* the batches behind the one and up to the other */
    int64_t given_up;        /* a `sealed` of which there is too much; -1: none */
    cj__str bytes;           /* the rows as the journal has them */
    cj__tail_row *rows;
    size_t n, capacity;
    cj__map last; /* of each node: its last row, + 1 */
} cj__tail;
void cj__tail_init(cj__tail *t, const cj__allocator *a);
void cj__tail_end(cj__tail *t); /* a zeroed one is fine */

struct cj__store {
    char *path, *wal_path;
    cj__conn writer;
    pthread_mutex_t write_lock;
    int lock_fd;  /* on the -wal file, while a transaction runs */
    int in_write; /* a transaction is open */
    ino_t wal_inode;
    dev_t wal_device;
    int64_t data_version; /* as this connection saw it last */
    uint64_t generation;  /* cj__write_generation */
    uint64_t rollbacks;   /* cj__write_rollbacks */
    uint64_t seed;
    int wal_frames; /* since the last checkpoint */
    int64_t journal_events, journal_messages, next_batch;
    int64_t sealed_through; /* last batch that is in parts */
    int64_t spent_room;     /* bytes that new rows may still take from spent ones */
    int spent;              /* there may be spent rows */

    uint64_t terms_made;
    cj__keys terms; /* texts with their space -> terms known to this handle */
    cj__node_pages nodes;
    cj__messages messages;
    cj__part_info *parts; /* by (from_ms, part) */
    size_t n_parts, parts_capacity;
    int64_t parts_max_ms; /* of all parts: most messages are newer */
    int parts_loaded;

    pthread_mutex_t reader_lock;
    cj__reader *idle[CJ__READERS]; /* connections to use again */
    cj__kept kept[CJ__N_KEPT];
    cj__tail tail;
};

/* A connection in a read transaction: reader.c, and reader_blocks.c for `directory`. */
struct cj__reader {
    cj__conn conn;
    pthread_mutex_t lock;
    uint32_t *profile_of; /* index 0 unused */
    uint8_t *mask;
    size_t nodes_capacity;
    int64_t n_nodes, n_log; /* what profile_of stands for; n_nodes -1: nothing */
    int64_t n_merged, n_guests;
    int nodes_are_known;     /* in this snapshot */
    int64_t last_part, part; /* of the snapshot; of what `parts` stands for */
    cj__part *parts[2];      /* by family, in directory */
    int64_t n_parts;         /* -1: not read */
    cj__arena directory, journal;
    cj__row *rows; /* of the journal; NULL: not read */
    int64_t n_rows;
    cj__text *terms; /* by id; data NULL: not read */
    size_t terms_capacity;
    cj__arena texts;
};

int32_t cj__sqlite_fail(int sqlite_rc, const char *doing);
int32_t cj__conn_open(cj_db *db, cj__conn *conn, int flags);
void cj__conn_close(cj__conn *conn);
/* Roll back, keeping the thread's error text. */
int32_t cj__rollback(cj__conn *conn);

void cj__terms_reset(cj_db *db);
void cj__nodes_reset(cj_db *db);
int32_t cj__nodes_flush(cj_db *db);
void cj__messages_reset(cj_db *db);
void cj__parts_reset(cj_db *db);
int32_t cj__parts_load(cj_db *db);
cj__part_info cj__part_info_read(const cj__query *q);
void cj__reader_free(cj__reader *r);

/* journal.c: the rows up to sealed_through are spent: delete those left. */
int32_t cj__journal_forget_spent(cj_db *db);
/* The blobs of a row of JOURNAL_ALL or _EVERY, when its checksum is right. */
int32_t cj__journal_blobs(const cj__query *q, cj__text *messages_out,
                          cj__text *events_out);

/* message_run.c: the message hashes of a part, cut to 48 bits, in buckets. */
int32_t cj__message_run_write(cj_db *db, int64_t part, uint64_t *hashes, int64_t n,
                              int64_t *bits_out);
int32_t cj__message_run_read(cj__conn *conn, const cj__part_info *part,
                             uint64_t *hashes);
int32_t cj__message_run_find(cj__conn *conn, const cj__part_info *part, uint64_t hash,
                             int *found_out);
#define CJ__MESSAGE_MASK 0xFFFFFFFFFFFF0000u

/* slice.c: the grid of time: weeks of a month, or the month, in UTC. */
cj__slice cj__slice_week(int64_t time_ms);
cj__slice cj__slice_month(int64_t time_ms);

/* part_write.c: rows in order to blocks. */
typedef struct cj__part_writer cj__part_writer;
int32_t cj__part_begin(cj_db *db, cj__slice slice, cj__part_writer **out);
/* The row's texts are borrowed until the part ends, or until they are let go. */
int32_t cj__part_row(cj__part_writer *w, const cj__row *row);
/* Take over the texts of rows that were given, until they are no longer needed. */
void cj__part_let_go(cj__part_writer *w, cj__arena *texts);
/* Messages of [min_ms, max_ms] belong to the part, whether or not they left an event.
 */
void cj__part_cover(cj__part_writer *w, int64_t min_ms, int64_t max_ms);
/* Write the last blocks, the message hashes (which it sorts) and the part's row. */
int32_t cj__part_finish(cj__part_writer *w, uint64_t *hashes, int64_t n);
void cj__part_end(cj__part_writer *w); /* NULL is fine */
int32_t cj__part_delete(cj_db *db, const cj__part_info *part);

/* merge.c */
int32_t cj__merge_parts(cj_db *db, const cj__part_info *parts, size_t n,
                        cj__slice slice);
int32_t cj__merge_slice(cj_db *db, int64_t from_ms);

#endif
