/* Scores of value models: what they said of a profile and when, and the state that the
 * next refresh goes on from.  Written by a refresh (room metrics), read as traits.
 *
 * A horizon's scores are sorted runs, newest first, of small chunks: a refresh
 * appends what it has instead of writing to a page per profile.  Of a profile
 * in several runs the newest state counts; its tellings are those of all.  Runs that
 * are not much larger than a newer one are joined with it, so that there are few. */
#ifndef CJ__PROFILE_SCORE_H
#define CJ__PROFILE_SCORE_H

#include "profile/profile.h"

#define CJ__SCORE_NUMBERS 3
#define CJ__SCORE_SOURCE "clv"
#define CJ__SCORE_NULL INT64_MIN
#define CJ__SCORE_RUNS 40 /* each at least twice as large as the next newer one */
#define CJ__SCORE_NAME 24 /* bytes of a name, with its NUL */

enum { CJ__SCORE_ALIVE, CJ__SCORE_EXPECTED, CJ__SCORE_VALUE };

/* One telling: probability and purchases in millionths, value in minor units. */
typedef struct cj__score {
    int64_t time_ms, number[CJ__SCORE_NUMBERS];
} cj__score;

/* ---- bytes (score.c) ------------------------------------------------------------- */

/* An entry of a chunk. */
typedef struct cj__score_entry {
    uint32_t profile;
    cj__text state;    /* n 0: there is none (any more) */
    cj__text tellings; /* newest first */
} cj__score_entry;

void cj__score_put(cj__str *to, const cj__score *score); /* one telling */
/* Take the first telling off; 0: there is none, -1: damaged. */
int cj__score_take(cj__text *tellings, cj__score *out);
void cj__score_entry_put(cj__str *to, uint32_t before, const cj__score_entry *entry);
int cj__score_entry_take(cj__text *entries, uint32_t before, cj__score_entry *out);

/* "p_alive", "expected_12m", "clv_12m". */
void cj__score_name(char name[CJ__SCORE_NAME], int number, int64_t months);
int cj__score_is_name(cj__text name);
/* The value of a trait: JSON. */
void cj__score_text(cj__str *to, int number, int64_t value, int currency_exponent);

/* Of a chunk with this key; never 0, which says that none is known. */
int64_t cj__score_checksum(int64_t chunk, cj__text entries);

/* ---- reading (score_runs.c) ------------------------------------------------------ */

typedef struct cj__score_run {
    int64_t run, n_bytes; /* a row of clv_run */
    int64_t chunk;        /* the one at hand; 0: none yet */
    uint32_t asked;       /* for this profile, last */
    uint32_t covers;      /* no other chunk begins behind it up to this profile */
    cj__str bytes;        /* of the chunk */
    cj__text rest;        /* of them, behind the entry */
    int has;              /* an entry is at hand */
    cj__score_entry entry;
} cj__score_run;

typedef struct cj__scores {
    cj__conn *conn;
    int is_taken; /* by cj__scores_next: chunks that were read are deleted */
    int n;        /* runs, the newest first */
    cj__score_run runs[CJ__SCORE_RUNS];
} cj__scores;

/* What all runs say of a profile. */
typedef struct cj__scored {
    uint32_t profile;
    cj__text state;
    int n;
    cj__text tellings[CJ__SCORE_RUNS]; /* of each run */
    cj__score head[CJ__SCORE_RUNS];    /* taken off it already ... */
    int has[CJ__SCORE_RUNS];           /* ... if 1 */
} cj__scored;

/* The runs of a horizon as the connection sees them.  End it whatever happens. */
int32_t cj__scores_open(cj__scores *s, const cj__allocator *a, cj__conn *conn,
                        int64_t months);
void cj__scores_end(cj__scores *s);

/* The newest state of a profile, n 0: none; it lasts until the next call.  Cheap in
 * ascending order of profiles. */
int32_t cj__scores_state(cj__scores *s, uint32_t profile, cj__text *out);
int32_t cj__scores_of(cj__scores *s, uint32_t profile, cj__scored *out); /* n 0: none */
/* All profiles in order, from the first after open on. */
int32_t cj__scores_next(cj__scores *s, cj__scored *out, int *has_out);
/* Its tellings, from the newest to the oldest; of one moment the one told last. */
int32_t cj__scored_next(cj__scored *scored, cj__score *out, int *has_out);

/* ---- writing (score_write.c), in a write transaction ------------------------------
 */

typedef struct cj__score_writer {
    cj__conn *conn;
    const cj__allocator *allocator;
    int64_t run, n_bytes;
    int64_t chunk; /* being made; 0: none */
    uint32_t last; /* profile */
    cj__str bytes;
} cj__score_writer;

/* Chunks from key to key. */
int32_t cj__score_chunks_delete(cj__conn *conn, int64_t first, int64_t last);

/* A new run of a horizon; what was begun and not ended before is gone. */
int32_t cj__score_begin(cj__score_writer *w, cj_db *db, int64_t months);
/* Entries in ascending order of profiles. */
int32_t cj__score_add(cj__score_writer *w, const cj__score_entry *entry);
/* The run counts from here on; runs are joined as need be. */
int32_t cj__score_commit(cj__score_writer *w);
void cj__score_end(cj__score_writer *w); /* a zeroed one is fine */

/* ---- as traits (score_told.c) -----------------------------------------------------
 */

typedef struct cj__told {
    uint32_t node;
    int number;
    int64_t time_ms, value;
    cj__text name;
} cj__told;

typedef int32_t (*cj__told_fn)(void *user, const cj__told *told);

/* Each number of each telling of a node (0: of everybody). */
int32_t cj__scores_told(cj_db *db, cj__conn *conn, uint32_t node, cj__told_fn fn,
                        void *user);
/* Something was told of this node at that very time (in a write transaction). */
int32_t cj__score_is_told(cj_db *db, uint32_t node, int64_t time_ms, int *told_out);

/* Runs and chunks that cannot be read are told as problems, and states that are not
 * sound. */
int32_t cj__scores_check(cj_db *db, cj__conn *conn,
                         int (*is_sound)(uint32_t profile, cj__text state),
                         cj_table *problems);

#endif
