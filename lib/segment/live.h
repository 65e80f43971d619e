/* Live segments: what the files that keep membership share.  Everything here happens
 * within a write transaction and under its lock.  Private to room segment.
 *
 * A profile's state says of each live segment whether the profile is in it, since when,
 * and until when that surely holds; it may hold longer.  So a stored `until` may be
 * early, never late, and who looks again at that moment misses nothing. */
#ifndef CJ__SEGMENT_LIVE_H
#define CJ__SEGMENT_LIVE_H

#include "scan/frame.h"
#include "segment/runner.h"
#include "segment/segment.h"

enum { /* causes of a change, as stored */
       CJ__CHANGE_EVENT = 1,
       CJ__CHANGE_CLOCK = 2,
       CJ__CHANGE_DEFINITION = 3,
       CJ__CHANGE_IDENTITY = 4
};

typedef struct cj__live_state {
    int64_t since_ms, until_ms; /* since: when it was entered; of use when is_in */
    int32_t is_in;
} cj__live_state;

typedef struct cj__live_node {
    uint32_t node;
    uint8_t kind, shared;
} cj__live_node;

/* A hot profile: all that live segments read of it. */
typedef struct cj__live_person {
    uint32_t profile;
    int32_t has_row;  /* in segment_state */
    int32_t is_dirty; /* states are not as in its row */
    int64_t next_ms;  /* the least until */
    cj__frame events; /* in order */
    cj__fact_trait *traits;
    uint32_t *trait_nodes;
    size_t n_traits, traits_capacity, trait_nodes_capacity;
    cj__live_node *nodes;
    size_t n_nodes, nodes_capacity;
    cj__live_state *states; /* as live->ids */
    int64_t bytes;
    struct cj__live_person *newer, *older; /* in order of use */
} cj__live_person;

typedef struct cj__live_trait { /* told in this transaction */
    uint32_t node;
    cj__fact_trait trait;
} cj__live_trait;

/* What the transaction brings: rows, traits, nodes that are new. */
enum { CJ__LIVE_ROWS = 0, CJ__LIVE_TOLD, CJ__LIVE_BORN, CJ__LIVE_THINGS };

/* A profile that the transaction touches. */
typedef struct cj__live_touch {
    uint32_t profile;
    uint8_t existed, exists, identity, gains, loses, whole;
    cj__live_person *person;
    uint64_t *things[CJ__LIVE_THINGS]; /* their indices are the low halves */
    uint32_t n_things[CJ__LIVE_THINGS];
} cj__live_touch;

typedef struct cj__live_use { /* segment `at` reads events of a name, or a trait */
    uint32_t key, at;
} cj__live_use;

typedef struct cj__live_uses {
    cj__live_use *all; /* sorted, none twice */
    size_t n, capacity;
} cj__live_uses;

typedef struct cj__live_list { /* nodes of a static list of the set */
    cj__map nodes;
} cj__live_list;

struct cj__live {
    cj_db *db;
    const cj__allocator *allocator;

    /* the definitions, as of a generation of the file */
    int32_t is_loaded, is_synced;
    uint64_t generation, terms_made;
    int64_t version, now_ms; /* of meta */
    cj__set set;
    cj__runner *runner;
    uint32_t columns_read;
    int64_t *ids;    /* of live segments, ascending */
    uint32_t *items; /* of the set */
    size_t n;
    cj__live_uses names, traits; /* by term; by place in trait_names */
    uint8_t *need;               /* of each segment: it is to be looked at */
    uint8_t *any;                /* of each segment: reads events of any name */
    cj__text *trait_names;       /* in order of their bytes, none twice */
    size_t n_trait_names;
    cj__live_list *lists;
    size_t n_lists;
    cj__arena defined; /* what of the above is not freed by hand */
    cj__arena texts;   /* of terms */
    cj__map terms;     /* id -> cj__text * */

    /* hot profiles */
    cj__map persons; /* profile -> cj__live_person * */
    cj__live_person *newest, *oldest;
    int64_t bytes;

    /* unsealed events, those of a node from the newest back; and who shares a device */
    int32_t has_tail, has_shared;
    int64_t tail_sealed; /* sealed_through, when it was true */
    cj__frame tail;
    uint32_t *tail_before; /* 1 + row of the node's one before */
    uint32_t *tail_rows;   /* scratch */
    size_t tail_capacity, tail_rows_capacity;
    cj__map tail_last; /* node -> 1 + row */
    cj__map shared;    /* nodes */

    /* facts at hand, for the runner */
    cj__known known;
    cj__columns columns;
    uint32_t known_starts[2];
    uint32_t known_identifiers[1][9];
    uint8_t known_shared, *known_on, **known_lists;

    /* the transaction */
    int32_t is_touched, is_regraphed;
    cj__frame rows; /* root: the node */
    cj__live_trait *told;
    size_t n_told, told_capacity;
    cj__map moved; /* node -> profile before */
    uint32_t *movers;
    size_t n_movers, movers_capacity;
    uint32_t *refused;
    size_t n_refused, refused_capacity;
    cj__arena scratch;
    cj__map touch_at; /* profile -> 1 + index */
    cj__live_touch *touches;
    size_t n_touches, touches_capacity;
    int64_t n_changes; /* rows of the feed, counted up */
};

/* ---- live.c: what the transaction tells -------------------------------------------
 */

/* The profile of a node before this transaction; 0: there was no such node. */
int32_t cj__live_before(struct cj__live *l, uint32_t node, uint32_t *profile_out);

/* ---- live_commit.c ------------------------------------------------------------------
 */

int32_t cj__live_commit(cj_db *db, int64_t now_ms);
/* The touch of a profile, made if there is none. */
int32_t cj__live_touch_of(struct cj__live *l, uint32_t profile, cj__live_touch **out);

/* ---- live_move.c
 * ---------------------------------------------------------------------- */

/* Facts of profiles that lose nodes go to where those are now. */
int32_t cj__live_part(struct cj__live *l);
/* Who shares a device, after edges were refused or taken out. */
int32_t cj__live_reshare(struct cj__live *l);

/* ---- live_set.c: definitions ------------------------------------------------------
 */

/* Be up to date with the file; *active_out: there is a live segment. */
int32_t cj__live_sync(struct cj__live *l, int *active_out);
/* Names may have come: give programs another look. */
int32_t cj__live_refresh(struct cj__live *l);
void cj__live_unload(struct cj__live *l);
int32_t cj__live_term(struct cj__live *l, uint32_t id, cj__text *out);
/* The place of a trait that is read; -1: nobody does. */
int64_t cj__live_trait_place(const struct cj__live *l, cj__text name);
/* The definitions have changed: the next sync reads them, here and elsewhere. */
int32_t cj__live_changed(struct cj__live *l);
/* Does segment `at` lead to a name, itself included? */
int cj__live_leads(const struct cj__live *l, size_t at, cj__text name);

/* ---- live_person.c: hot profiles ---------------------------------------------------
 */

cj__live_person *cj__live_hot(struct cj__live *l, uint32_t profile); /* NULL: not */
int32_t cj__live_person_new(struct cj__live *l, uint32_t profile,
                            cj__live_person **out);
void cj__live_person_drop(struct cj__live *l, cj__live_person *p);
void cj__live_cool(struct cj__live *l, int64_t bytes); /* down to so many */
int32_t cj__live_put_row(cj__live_person *p, const cj__frame *from, int64_t row);
int32_t cj__live_put_trait(struct cj__live *l, cj__live_person *p, uint32_t node,
                           const cj__fact_trait *trait);
int32_t cj__live_put_node(struct cj__live *l, cj__live_person *p, cj__live_node node);
void cj__live_weigh(struct cj__live *l, cj__live_person *p);
/* Let the runner look at a profile. */
void cj__live_turn(struct cj__live *l, const cj__live_person *p);

/* ---- live_load.c: cold profiles -----------------------------------------------------
 */

/* Make those of n profiles (ascending) hot that are not, as they were before this
 * transaction. */
int32_t cj__live_warm(struct cj__live *l, const uint32_t *profiles, size_t n);

/* ---- live_tail.c: what is not sealed, and who shares
 * ---------------------------------- */

/* Have both; from a snapshot that does not show the open transaction. */
int32_t cj__live_tail_load(struct cj__live *l, cj__reader *reader);
/* A node's unsealed events, to its profile. */
int32_t cj__live_tail_take(struct cj__live *l, uint32_t node, cj__live_person *p);
/* The transaction's own rows are unsealed ones too. */
int32_t cj__live_tail_add(struct cj__live *l);
void cj__live_tail_end(struct cj__live *l);
/* Read refused edges again, over a connection. */
int32_t cj__live_shared_load(struct cj__live *l, cj__conn *conn);
int cj__live_shares(const struct cj__live *l, uint32_t node);

/* ---- live_state.c: state and feed
 * ----------------------------------------------------
 */

int32_t cj__live_states_read(const struct cj__live *l, cj__text bytes,
                             cj__live_state *states);
int32_t cj__live_states_write(struct cj__live *l, cj__live_person *p);
int32_t cj__live_state_row(struct cj__live *l, uint32_t profile, int has_row,
                           const cj__live_state *states, int *has_out,
                           int64_t *next_out);
int32_t cj__live_change(struct cj__live *l, int64_t segment, uint32_t profile,
                        int64_t time_ms, int is_in, int32_t cause);
/* Walk a state's bytes, whatever segments there are; 0: done, -1: damaged. */
typedef struct cj__live_entry {
    int64_t segment, since_ms, until_ms;
    int32_t is_in;
} cj__live_entry;
int cj__live_entry_next(cj__text bytes, size_t *at, cj__live_entry *e);

/* ---- live_eval.c
 * --------------------------------------------------------------------- */

/* Look at the segments of a profile whose until has come, moment by moment, up to and
 * with until_ms. */
int32_t cj__live_clock(struct cj__live *l, cj__live_person *p, int64_t until_ms);
/* Look at those that are needed, or at all, and write what is not as in its row. */
int32_t cj__live_look(struct cj__live *l, cj__live_person *p, const uint8_t *need,
                      int64_t at_ms, int32_t cause, int all);

/* ---- advance.c
 * ------------------------------------------------------------------------ */

/* In the open transaction: everything that is due by a moment. */
int32_t cj__live_advance_all(struct cj__live *l, int64_t until_ms);
int32_t cj__live_mark(struct cj__live *l, int64_t now_ms);

/* ---- live_define.c
 * --------------------------------------------------------------------- */

/* The definition of a name has changed, in the open transaction: evaluate everybody for
 * the live segments that lead to it, and let those leave that are live no longer. */
int32_t cj__live_redefined(struct cj__live *l, cj__text name, int was_live,
                           int64_t at_ms);

#endif
