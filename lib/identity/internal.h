/* What the files of room identity share. */
#ifndef CJ__IDENTITY_INTERNAL_H
#define CJ__IDENTITY_INTERNAL_H

#include "identity/identity.h"

typedef struct cj__ident_run {
    int64_t run, bits;
    uint32_t first_node, last_node;
} cj__ident_run;

struct cj__identity {
    uint64_t generation, rollbacks; /* of the store, when this was true */
    cj__keys known;                 /* identifier -> node */
    uint32_t n_nodes;               /* identifiers in the file */
    uint32_t tail_from; /* nodes after it are in memory, whatever `complete` says */
    int complete;       /* all nodes are in memory */
    int64_t probes;     /* of runs on disk, since the last sync */
    cj__ident_run *runs;
    size_t n_runs, runs_capacity;
    cj__map blocked; /* hash of what the host blocked */
    int blocked_loaded;
    cj__map edges; /* (a << 32 | b) -> bits of causes that are known */
};

cj__key cj__ident_key(const cj_db *db, const cj__kind *kind, cj__text value);

/* run.c */
int32_t cj__ident_runs(cj_db *db, cj__conn *conn, cj__ident_run **runs, size_t *n,
                       size_t *capacity);
int32_t cj__ident_run_find(cj__conn *conn, const cj__ident_run *run, cj__key key,
                           uint32_t *node_out);
int32_t cj__ident_run_read(cj__conn *conn, const cj__ident_run *run, cj__key *to,
                           size_t *n_out); /* room for last - first + 1 */
int32_t cj__ident_run_write(cj_db *db, cj__key *idents, size_t n, uint32_t first,
                            uint32_t last);
int32_t cj__ident_run_delete(cj_db *db, const cj__ident_run *run);

/* graph.c */
cj__nodes cj__nodes_of(cj_db *db); /* those of the open transaction */
void cj__edge_read(const cj__query *q, cj__edge *e);
int32_t cj__merge_log(cj_db *db, int64_t edge, int32_t action, uint32_t kept,
                      uint32_t other, int64_t time_ms);

#endif
