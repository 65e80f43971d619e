/* Who is who: identifiers, the graph that connects them, merge and unmerge.  The door
 * of room identity.
 *
 * The state is a fold over the edges that have not been removed, in the order in which
 * they came: an edge joins two profiles unless both hold a unique identifier of one
 * kind.  So it depends on nothing but that list, and taking an edge out of it gives
 * exactly the state as if it had never been.  Everything here runs in the caller's
 * write transaction, except what takes a cj__conn. */
#ifndef CJ__IDENTITY_IDENTITY_H
#define CJ__IDENTITY_IDENTITY_H

#include "store/store.h"

/* ---- kinds (kind.c)
 * ------------------------------------------------------------------- */

typedef struct cj__kind {
    const char *name;
    int32_t id;   /* stored; never changes */
    uint8_t mask; /* CJ__UNIQUE_* and CJ__KNOWN */
    int32_t (*normalise)(cj__text value, char *to, size_t *n_out); /* -1: not one */
    const char *meaning;
} cj__kind;

enum {
    CJ__UNIQUE_USER = 1,
    CJ__UNIQUE_CRM = 2,
    CJ__UNIQUE = 3,  /* a profile holds one of each of these kinds at most */
    CJ__KNOWN = 128, /* anything but a guest */
    CJ__N_KINDS = 8
};

/* All kinds, from the strongest: an event belongs to the strongest it carries. */
const cj__kind *cj__kinds(void);
const cj__kind *cj__kind_named(const char *name); /* NULL: no such kind */
const cj__kind *cj__kind_numbered(int64_t id);

/* Normalise into to[CJ__MAX_IDENTIFIER + 1].  0; -1: not such an identifier (an e-mail
 * without @, ...); -2: a value that never identifies anybody (null, 0000, guest, ...).
 */
int32_t cj__kind_normalise(const cj__kind *kind, cj__text value, char *to,
                           size_t *n_out);

/* ---- identifiers (lookup.c, run.c)
 * --------------------------------------------------------- */

int32_t cj__identity_open(cj_db *db);
void cj__identity_close(cj_db *db);

/* A normalised identifier on its way to its node.  The steps may be taken for many at
 * a time, so that none waits for memory: of (asks for it), look, node. */
typedef struct cj__identifier {
    const cj__kind *kind;
    cj__text value; /* borrowed */
    cj__key key;    /* its id is the node; 0: not known (yet) */
} cj__identifier;

cj__identifier cj__identifier_of(const cj_db *db, const cj__kind *kind, cj__text value);
int32_t cj__identifier_look(cj_db *db, cj__identifier *id); /* in memory only */
/* Find it, or make it when create is not 0. */
int32_t cj__identifier_node(cj_db *db, cj__identifier *id, int create);
/* 1 when the host has blocked it. */
int32_t cj__identifier_blocked(cj_db *db, const cj__identifier *id, int *blocked_out);
int32_t cj__identifier_block(cj_db *db, const char *kind, const char *value);

/* Before the commit: write a hash run when enough identifiers are new. */
int32_t cj__identity_flush(cj_db *db);

/* The same lookup in a snapshot, without this handle's memory; 0: unknown. */
int32_t cj__identifier_find(cj_db *db, cj__conn *conn, const cj__kind *kind,
                            cj__text value, uint32_t *node_out);

/* ---- the graph (graph.c, unmerge.c)
 * ----------------------------------------------------------- */

enum {
    CJ__CAUSE_EVENT = 1,
    CJ__CAUSE_IDENTIFY = 2,
    CJ__CAUSE_ALIAS = 3,
    CJ__CAUSE_MERGE = 4 /* by hand: also against a unique conflict */
};
enum { CJ__EDGE_JOINED = 1, CJ__EDGE_REFUSED = 2, CJ__EDGE_REMOVED = 3 };

typedef struct cj__edge {
    int64_t edge, time_ms;
    uint32_t a, b; /* a is the older */
    int32_t cause, state;
} cj__edge;

/* Say that two nodes are one person.  *out is the edge, new or known, with its state.
 */
int32_t cj__edge_add(cj_db *db, uint32_t x, uint32_t y, int32_t cause, int64_t time_ms,
                     cj__edge *out);
void cj__edge_expect(const cj_db *db, uint32_t x, uint32_t y); /* soon to be added */

int32_t cj__merge(cj_db *db, int64_t profile_a, int64_t profile_b, int64_t now_ms,
                  int64_t *edge_out);
int32_t cj__unmerge(cj_db *db, int64_t edge, int64_t now_ms);

/* Apply one edge to nodes as the fold does; *state_out is joined or refused.  Nodes are
 * reached through get and put, so that checking can replay the graph in memory. */
typedef struct cj__nodes {
    int32_t (*get)(void *user, uint32_t node, cj__node *out);
    int32_t (*put)(void *user, uint32_t node, const cj__node *in);
    void *user;
} cj__nodes;
int32_t cj__edge_apply(const cj__nodes *nodes, const cj__edge *edge, int32_t *state_out,
                       uint32_t *kept_out, uint32_t *other_out);

/* ---- reading (tables.c) and checking (check.c), in a snapshot
 * ------------------------------------ */

int32_t cj__profile_find(cj_db *db, const char *kind, const char *value,
                         int64_t *profile_out);
int32_t cj__profile_identifiers(cj_db *db, int64_t profile, cj_table **out);
int32_t cj__edges(cj_db *db, int64_t profile, cj_table **out);
/* The nodes of a profile, in the arena; CJ_ENOTFOUND when there is no such profile. */
int32_t cj__profile_nodes(cj__conn *conn, int64_t profile, cj__arena *arena,
                          uint32_t **nodes_out, size_t *n_out);
int32_t cj__identity_check(cj_db *db, cj__conn *conn, cj_table *problems);

#endif
