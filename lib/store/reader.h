/* A read snapshot of the file: its own connection in one read transaction, so that an
 * analysis sees one moment and blocks nobody.  Only room scan reads through it.
 * Functions may be called from several threads (a mutex inside). */
#ifndef CJ__STORE_READER_H
#define CJ__STORE_READER_H

#include "store/block.h"
#include "store/store.h"

typedef struct cj__reader cj__reader;

enum { CJ__FAMILY_CORE = 0, CJ__FAMILY_VALUE = 1 };

typedef struct cj__slice { /* [from, until) */
    int64_t from_ms, until_ms;
} cj__slice;

typedef struct cj__part_block { /* directory entry of one block, in node order */
    int64_t id;                 /* of its row */
    uint32_t first_node, last_node;
    uint32_t n_events;
} cj__part_block;

/* A part: events of one slice of time, sorted by (node, time, arrival), in blocks.
 * Several parts may cover one slice until they are merged; of two parts of one slice,
 * the one with the lower id holds the earlier arrivals.  Slices do not overlap, except
 * that a month covers the weeks it has replaced. */
typedef struct cj__part {
    int64_t id;
    int64_t from_ms, until_ms; /* of the slice */
    int64_t min_ms, max_ms;    /* of its events */
    int64_t n_events, n_blocks;
    int32_t family;
    cj__part_block *blocks;
} cj__part;

/* A part's id is higher than any before it, and whatever replaces parts is a new one:
 * so ids never come back, and the directory is as it was while the highest id is. */
int32_t cj__reader_open(cj_db *db, cj__reader **out);
void cj__reader_end(cj__reader *r); /* NULL is fine */

/* For statements of the rooms above, in this snapshot and on one thread. */
cj__conn *cj__reader_conn(cj__reader *r);
cj_db *cj__reader_db(cj__reader *r);

/* The parts of a family that hold events in the window (until_ms 0: no end), by
 * (from_ms, id); memory is the arena's, of their blocks the reader's until its end. */
int32_t cj__reader_parts(cj__reader *r, int32_t family, cj__slice window,
                         cj__arena *arena, cj__part **parts_out, int64_t *n_out);

/* A block's bytes; core and props are cleared first; props may be NULL (not read). */
int32_t cj__reader_block(cj__reader *r, int64_t block_id, cj__str *core,
                         cj__str *props);

/* What is kept in memory of a block, or of a node in a part, for all readers of the
 * handle. */
typedef struct cj__kept_block {
    struct cj__kept_block *next, *newer, *older; /* kept.c's */
    int64_t id, n_holders;
    cj__block_header header; /* of a core */
    size_t n;
    uint8_t bytes[];
} cj__kept_block;
enum { CJ__KEPT_CORES, CJ__KEPT_ZONES, CJ__KEPT_NODES, CJ__KEPT_ROWS, CJ__N_KEPT };

/* The rows of a node in a part are kept by part << 32 | node, as the journal packs
 * them; no id (0) for parts that are too many. */
enum { CJ__ROWS_SHIFT = 32 };
static inline int64_t cj__rows_id(int64_t part, uint32_t node)
{
    return part >= (int64_t)1 << 31 ? 0 : part << CJ__ROWS_SHIFT | node;
}

/* A block's core, checked, and kept for the next question.  For who asks for few blocks
 * again and again; a scan of everything would only push those out.  Held until it is
 * let go. */
int32_t cj__reader_core(cj__reader *r, int64_t block_id, cj__kept_block **out);
/* What somebody has kept of a block, held; NULL: nothing. */
cj__kept_block *cj__reader_kept(cj__reader *r, int kind, int64_t block_id);
int32_t cj__reader_keep(cj__reader *r, int kind, int64_t block_id, cj__text bytes);
void cj__reader_let_go(cj__reader *r, int kind, cj__kept_block *b); /* NULL is fine */

/* The unsealed events, in arrival order: the reader's, until its end. */
int32_t cj__reader_journal(cj__reader *r, const cj__row **rows_out, int64_t *n_out);
/* Those of some nodes, each one's in arrival order: without a look at the others, since
 * the handle follows the journal from one question to the next.  Memory is the arena's,
 * or the reader's. */
typedef struct cj__node_list {
    const uint32_t *at; /* ascending */
    size_t n;
} cj__node_list;
int32_t cj__reader_journal_of(cj__reader *r, const cj__node_list *nodes,
                              cj__arena *arena, cj__row **rows_out, int64_t *n_out);
/* Those of the batches after a number that are still there: spent ones may be gone. */
int32_t cj__reader_journal_after(cj__reader *r, int64_t after, cj__arena *arena,
                                 cj__row **rows_out, int64_t *n_out);

/* profile_of[1 .. n_nodes] (index 0 is unused) and, per node, the kinds of its profile
 * (CJ__MASK_*, valid at the profile's id).  Borrowed until cj__reader_end. */
enum { CJ__MASK_KNOWN = 128 }; /* has an identifier other than guest */
int32_t cj__reader_profiles(cj__reader *r, const uint32_t **profile_of_out,
                            const uint8_t **mask_out, uint32_t *n_nodes_out);

/* Of those nodes: how many are not the oldest of their profile, and how many profiles
 * are known by nothing but a guest identifier. */
int32_t cj__reader_profile_counts(cj__reader *r, int64_t *n_merged_out,
                                  int64_t *n_guests_out);

/* The text of a term (id from 1), borrowed until cj__reader_end; 0 or unknown: absent.
 */
int32_t cj__reader_term(cj__reader *r, uint32_t id, cj__text *out);
/* The id of a text in a space (CJ__SPACE_*); 0 when nothing ever had it. */
int32_t cj__reader_term_id(cj__reader *r, int space, cj__text text, uint32_t *id_out);

/* Walk the identifiers of one kind by node: calls back with (node, value). */
int32_t cj__reader_identifiers(cj__reader *r, int32_t kind,
                               int32_t (*each)(void *user, uint32_t node,
                                               cj__text value),
                               void *user);

#endif
