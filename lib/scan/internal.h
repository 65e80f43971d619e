/* What the files of room scan share and nobody else sees: the plan of a scan (what
 * there is to read), its windows, its workers. */
#ifndef CJ__SCAN_INTERNAL_H
#define CJ__SCAN_INTERNAL_H

#include "scan/frame.h"
#include "scan/scan.h"
#include "store/block.h"
#include "store/reader.h"

#include <pthread.h>
#include <stdatomic.h>

#define CJ__PARTIAL_BYTES                                                              \
    ((size_t)PTRDIFF_MAX / 2) /* the folds know their own bounds */
#define CJ__CORE_BYTES                                                                 \
    ((size_t)16 << 20) /* of a block: 4,096 events with long texts                     \
                        */

#define CJ__PROPS_BYTES ((size_t)256 << 20) /* 4,096 x CJ__MAX_PROPERTIES, and more */

/* ---- plan.c: one read snapshot and what of it is wanted -------------------------- */

typedef struct cj__plan {
    cj_db *db;
    cj__reader *reader;
    cj__arena arena; /* parts, which rows of the journal */
    cj__scan_options opts;
    int64_t from_ms, until_ms; /* of opts, open ends resolved */
    cj__part *parts;           /* by (from_ms, id) */
    int64_t n_parts, n_blocks, n_events;
    const uint32_t
        *profile_of; /* profile_of[node] <= node; NULL: one profile, or some */
    const uint8_t *mask;
    uint32_t n_nodes;
    const cj__row *rows; /* the journal, in arrival order */
    uint64_t *journal;   /* profile << 32 | row, of the rows wanted, sorted */
    int64_t n_journal;
    int64_t n_foreign; /* nodes that joined an older node's profile */
    uint32_t *nodes;   /* of opts.profile when it is one, ascending */
    int64_t n_nodes_of;
    size_t nodes_capacity;
    int32_t all_wanted; /* every profile is */
    int32_t simple;     /* and every node is a profile of its own */
    uint64_t *names;    /* a bit for each name that is wanted; NULL: all are */
    uint32_t n_name_bits;
} cj__plan;

int32_t cj__plan_open(cj__plan *p, cj_db *db, const cj__scan_options *opts);
void cj__plan_end(cj__plan *p);
/* Turn to the profile at opts.some[*at]: it becomes opts.profile; *at is the next. */
int32_t cj__plan_turn(cj__plan *p, int64_t *at);
/* The journal's rows of profiles [lo, hi): journal[*first .. *end). */
void cj__plan_journal(const cj__plan *p, uint32_t lo, uint32_t hi, int64_t *first,
                      int64_t *end);
/* The profile of a row of p->rows. */
static inline uint32_t cj__plan_root(const cj__plan *p, uint32_t node)
{
    return p->profile_of == NULL ? p->opts.profile : p->profile_of[node];
}
/* The first block of a part that may hold the node, or n_blocks. */
int64_t cj__plan_block(const cj__part *part, uint32_t node);

static inline int cj__plan_wants(const cj__plan *p, uint32_t root)
{
    return (p->opts.guests || (p->mask[root] & CJ__MASK_KNOWN) != 0) &&
           (p->opts.profile == 0 || p->opts.profile == root) &&
           (p->opts.profiles == NULL ||
            (p->opts.profiles[root >> 6] >> (root & 63) & 1) != 0);
}

static inline int cj__plan_names(const cj__plan *p, uint32_t name)
{
    return p->names == NULL ||
           (name < p->n_name_bits && (p->names[name >> 6] >> (name & 63) & 1) != 0);
}

static inline int cj__plan_products(const cj__plan *p, uint32_t product)
{
    int found = p->opts.n_products == 0;

    for (size_t i = 0; i < p->opts.n_products; i++)
        found |= p->opts.products[i] == product;
    return found;
}

/* Is a row of a frame one of those that the folds read? */
static inline int cj__plan_reads(const cj__plan *p, const cj__frame *f, int64_t row)
{
    return (p->names == NULL || cj__plan_names(p, f->u32[CJ__FRAME_NAME][row])) &&
           (p->opts.n_products == 0 ||
            cj__plan_products(p, f->u32[CJ__FRAME_PRODUCT][row]));
}

/* A set of nodes. */
static inline void cj__bits_set(uint64_t *bits, uint32_t node)
{
    bits[node >> 6] |= (uint64_t)1 << (node & 63);
}
int cj__bits_any(const uint64_t *bits, uint32_t first, uint32_t last);
static inline size_t cj__bits_bytes(uint32_t n_nodes)
{
    return ((size_t)(n_nodes >> 6) + 1) * sizeof(uint64_t);
}

/* ---- cut.c: profiles to windows of about as many events -------------------------- */

/* Events per run of 2^shift node ids, estimated from the parts' directories. */
typedef struct cj__bins {
    const cj__allocator *allocator;
    int64_t *count;
    uint32_t *window; /* of each bin, once cut */
    size_t n;
    int shift;
    int64_t window_events;
} cj__bins;

typedef struct cj__window {
    uint32_t lo, hi;  /* profiles [lo, hi) */
    cj__str *partial; /* per fold; NULL: not complete, or appended already */
} cj__window;

typedef struct cj__windows {
    cj__window *at;
    size_t capacity;
    int64_t n;
} cj__windows;

int32_t cj__bins_make(cj__bins *b, const cj__plan *p, int64_t window_events);
void cj__bins_end(cj__bins *b);
static inline size_t cj__bins_at(const cj__bins *b, uint32_t node)
{
    return (size_t)((node - 1) >> b->shift);
}
/* Cut [lo, hi) into windows of about window_events; those of before are forgotten. */
int32_t cj__bins_cut(cj__bins *b, uint32_t lo, uint32_t hi, cj__windows *windows);

/* ---- a walk: workers take tasks in order ----------------------------------------- */

typedef struct cj__slot { /* the last block of a part: two windows may share it */
    int64_t block;        /* id; 0: none */
    cj__frame frame;
} cj__slot;

struct cj__walk;
typedef struct cj__worker {
    struct cj__walk *walk;
    int is_caller; /* its thread called the scan: it reports progress */
    cj__str core, props;
    cj__kept_block *held; /* instead of core, when the scan keeps what it reads */
    cj__text bytes;       /* of the core at hand, in either */
    cj__str *partial;     /* per fold, of the window at hand */
    cj__frame gather, sorted, spare;
    cj__columns view; /* of the frame that is shown to the folds */
    cj__slot *slots;
    int64_t n_slots;
    void *slots_room; /* of all of them, once one is needed */
    size_t slots_bytes;
    uint32_t *counts, *places;
    size_t counts_capacity, places_capacity;
    cj__sort_key *keys;
    size_t keys_capacity;
    uint32_t pick[CJ__BLOCK_EVENTS];
} cj__worker;

typedef struct cj__foreign { /* events gathered ahead for the profiles they joined */
    cj__frame frame;
    uint32_t *starts; /* per chunk of rows: where each window begins, and the end */
    size_t starts_capacity;
    int64_t n_chunks;
} cj__foreign;

typedef struct cj__whole_block { /* a block, and its first row in the frame of all */
    const cj__part_block *block;
    int64_t row;
} cj__whole_block;

typedef struct cj__block_ref {
    uint32_t part, block;
} cj__block_ref;

typedef struct cj__run { /* the rows of one block among a worker's */
    uint32_t worker, first, n;
} cj__run;

typedef struct cj__walk {
    cj__plan plan;
    cj__fold *folds;
    int n_folds;
    uint32_t want; /* columns of all folds */
    int64_t window_events, foreign_rows;
    cj__worker *workers;
    int n_workers;
    cj__bins bins;

    uint32_t lo;       /* the round: profiles [lo, hi) */
    atomic_uint hi;    /* foreign events beyond the memory wait for the next round */
    uint64_t *bits;    /* foreign nodes of profiles >= lo */
    int64_t *expected; /* foreign events per bin of profiles, in thousandths */
    uint32_t first;    /* the first profile that has one */
    cj__block_ref *refs;
    size_t refs_capacity;
    int64_t n_refs;
    cj__foreign *foreign;
    int64_t n_foreign;
    cj__windows windows;
    int64_t n_appended, run_windows;

    int is_whole; /* all events are read at once: whole.c, and none of the above but */
    cj__frame whole; /* bins and windows */
    cj__whole_block *whole_blocks;
    uint32_t *order; /* rows of the whole by window */
    int64_t *order_starts;
    size_t n_starts;

    int keeps;     /* cores stay in memory for the next scan */
    int is_sparse; /* sparse.c; of the above it needs refs */
    int is_dense;  /* it was a mistake */
    cj__run *runs; /* of each of refs */
    int64_t n_runs;
    atomic_llong n_rows;

    int by_states; /* states.c; of the above it needs lo, hi, bits, refs, windows */
    char *places;  /* per fold: states; then place_of */
    size_t places_bytes, n_states, n_place_of;
    uint64_t *by_node; /* first node << 32 | index of refs, of each block, sorted */
    uint32_t *place_of, n_places; /* both and the states: behind the lock */

    int32_t (*task)(cj__worker *w, int64_t task); /* parallel.c */
    int64_t n_tasks;
    atomic_llong next_task, n_read; /* blocks */
    atomic_int stop;
    pthread_mutex_t lock; /* of what follows, windows.at[].partial and n_appended */
    int32_t error;
    int64_t error_position;
    char error_text[104];
} cj__walk;

/* Run tasks 0 .. n on all workers; the first error, with its text, is the caller's. */
int32_t cj__walk_run(cj__walk *walk, int64_t n,
                     int32_t (*task)(cj__worker *w, int64_t task));
/* List the blocks that hold a node of walk->bits; NULL: all. */
int32_t cj__walk_refs(cj__walk *walk);
/* Once per block: stop on interruption, report progress. */
int32_t cj__walk_tick(cj__worker *w);

/* gather.c */
/* The properties of a block's n rows, if wanted, from w->props: NULL when it has none.
 * Borrowed until the worker's next block. */
int32_t cj__gather_texts(cj__worker *w, int64_t n, const cj__text **out);
int32_t cj__gather_open(cj__worker *w, int64_t id, cj__block_header *header);
/* Rows' properties are borrowed likewise: cj__frame_own. */
int32_t cj__gather_block(cj__worker *w, const cj__part_block *block, cj__frame *to);
int32_t cj__gather_part(cj__worker *w, int64_t part, uint32_t lo, uint32_t hi);
int32_t cj__gather_journal(cj__worker *w, uint32_t lo, uint32_t hi);

/* foreign.c */
int32_t cj__foreign_gather(cj__walk *walk);  /* for profiles >= lo; sets hi */
int32_t cj__foreign_arrange(cj__walk *walk); /* by window */
int32_t cj__foreign_take(cj__worker *w, int64_t window);
void cj__foreign_end(cj__walk *walk);

/* whole.c */
int cj__whole_fits(const cj__walk *walk, int64_t bytes);
int32_t cj__whole_gather(cj__walk *walk);
int32_t cj__whole_arrange(cj__walk *walk);             /* by window */
int32_t cj__whole_take(cj__worker *w, int64_t window); /* grouped, in w->sorted */
void cj__whole_end(cj__walk *walk);

/* sparse.c */
int cj__sparse_suits(const cj__walk *walk, const cj__scan_options *opts);
int32_t cj__sparse_scan(cj__walk *walk); /* or is_dense is set, and nothing shown */
void cj__sparse_end(cj__walk *walk);

/* zone.c */
int cj__zone_suits(const cj__scan_options *opts); /* can blocks be passed over? */
int cj__zone_may_have(const cj__plan *p, int64_t block);
/* Of a block whose n rows stand behind those of the frame. */
int32_t cj__zone_keep(cj__worker *w, int64_t block, const cj__frame *f, int64_t n);

/* states.c */
int cj__states_suffice(const cj__fold *folds, int n_folds,
                       const cj__scan_options *opts);
int32_t cj__states_scan(cj__walk *walk, int64_t bytes);
void cj__states_end(cj__walk *walk);

/* window.c */
int32_t cj__window_run(cj__worker *w, int64_t run); /* a task: a run of windows */
/* Room for a window in `sorted` and `places`, and in `counts`, zeroed, for its
 * profiles; counts become the place where each begins. */
int32_t cj__window_room(cj__worker *w, size_t n_profiles, int64_t n_rows);
void cj__window_starts(cj__worker *w, uint32_t n_profiles);
/* Show the gathered events of profiles [lo, hi) to the folds. */
int32_t cj__window_emit(cj__worker *w, uint32_t lo, uint32_t hi);
/* Hand a window's partials over.  A worker that is alone writes to the result itself.
 */
int32_t cj__window_done(cj__worker *w, int64_t at);
void cj__window_end(cj__walk *walk, cj__window *window);

/* one.c */
int32_t cj__scan_one(cj__worker *w);
/* The rows of a node in a block, by what is kept of it; *known_out 0: nothing is. */
int32_t cj__one_find(cj__reader *reader, int64_t block, uint32_t node,
                     uint32_t range[2], int *known_out);
/* The same, of a core at hand, and keep what nodes it has. */
int32_t cj__one_learn(cj__reader *reader, int64_t block, cj__text core, uint32_t node,
                      uint32_t range[2]);

/* ---- events_put.c: events on their way to a table -----------------------------------
 */

typedef struct cj__event_row {
    cj__row row;
    uint32_t profile;
} cj__event_row;

typedef struct cj__events {
    cj__reader *reader; /* NULL: not begun */
    cj_table *table;
    uint32_t name; /* 0: all */
    int64_t limit; /* rows that it still takes */
    cj__arena texts;
    cj__event_row *rows; /* in order of arrival within a slice */
    size_t rows_capacity;
    int64_t n_rows;
    cj__sort_key *keys;
    size_t keys_capacity;
} cj__events;

int32_t cj__events_begin(cj__events *e, cj__reader *reader, int64_t limit);
void cj__events_end(cj__events *e); /* before the reader's end */
/* A copy of the row, for the next emit. */
int32_t cj__events_keep(cj__events *e, uint32_t profile, const cj__row *row);
/* Put what is kept into the table in order, as far as the limit allows. */
int32_t cj__events_emit(cj__events *e);

/* events_one.c: put those of the plan's one profile into the table. */
int32_t cj__events_of_one(cj__events *e, const cj__plan *p);

#endif
