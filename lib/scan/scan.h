/* One scan, many folds (DESIGN 5).  A fold sees each profile's events once, whole and
 * in order (time, then node, then arrival); it keeps integers only, in a partial that
 * is plain bytes.  Partials of profile ranges are appended in profile order, so that
 * the result is the same for any number of threads, slices and partitions.  The door of
 * room scan, and the only room that reads event blocks. */
#ifndef CJ__SCAN_SCAN_H
#define CJ__SCAN_SCAN_H

#include "store/store.h"

/* What a fold that does not care for the order of events remembers of each profile
 * while they come: plain bytes, all 0 at first. */
typedef struct cj__fold_states {
    size_t bytes;      /* of one: a multiple of 8 */
    size_t kept_bytes; /* of one in the partial, at most */
    uint32_t columns;  /* CJ__COL_* that add reads */

    /* Add each row of columns to the state at its place.  There are also states for the
     * rows that nobody wants: adding cannot fail.  One thread at a time. */
    void (*add)(const void *arg, void *states, const uint32_t *place,
                const cj__columns *columns);
    /* Append to partial what n profiles (ascending) have in their states. */
    int32_t (*keep)(const void *arg, cj__str *partial, const void *states,
                    const uint32_t *profile, const uint32_t *place, int64_t n);
} cj__fold_states;

typedef struct cj__fold {
    uint32_t columns; /* CJ__COL_* it reads; others may be NULL */

    /* One profile's events: rows [first, first + n) of columns.  Rows outside the
     * scan's window are already gone; profiles without a row are not shown, unless
     * asked for (idle).  Appends what it wants to remember to partial.  arg is the
     * caller's, shared by all threads and read only. */
    int32_t (*profile)(const void *arg, cj__str *partial, uint32_t profile,
                       const cj__columns *columns, int64_t first, int64_t n);
    /* Or NULL: order matters.  The scan takes the way it likes: both give the same. */
    const cj__fold_states *states;
    const void *arg;
    cj__str partial; /* out: all partials in profile order; cj__str_end it */
} cj__fold;

typedef struct cj__scan_options {
    int64_t from_ms, until_ms; /* [from, until); until 0: no end */
    int32_t
        value_only; /* the folds read only events named order or refund that have a
                     * value, and only CJ__COL_PROJECTION: the value projection does */
    const uint32_t *names;    /* the folds read only events of these names, and */
    size_t n_names;           /* CJ__COL_NAME; 0: of any */
    const uint32_t *products; /* and of these products, and CJ__COL_PRODUCT; */
    size_t n_products;        /* 0: of any, or without one */
    uint32_t profile;         /* 0: all */
    const uint64_t *profiles; /* a bit for each that is wanted; NULL: all are */
    /* Or these, profile << 32 | node, ascending, with guests 1: their sealed events,
     * without a look at who else there is; with unsealed 1 also those of the journal
     * (profiles has the same ones then). */
    const uint64_t *some;
    int64_t n_some;
    int32_t unsealed;
    int32_t guests;            /* 0: skip profiles known only by a guest identifier */
    int32_t idle;              /* 1: profiles without a row too, with n 0 */
    int32_t threads;           /* 0: 1 */
    int64_t memory_bytes;      /* beyond the partials, about; 0: 64 MiB */
    struct cj__reader *reader; /* the snapshot, borrowed; NULL: one of its own */
    cj_progress_fn progress;
    void *progress_user;
} cj__scan_options;

/* Run the folds over one read snapshot. */
int32_t cj__scan(cj_db *db, const cj__scan_options *opts, cj__fold *folds, int n_folds);

/* For each of n profiles (ascending), its oldest identifier of a kind, appended to a
 * text column (null where it has none).  In the snapshot that gave the profiles: in
 * another one they may have been merged. */
int32_t cj__scan_identifiers(struct cj__reader *reader, const char *kind,
                             const int64_t *profiles, int64_t n, cj_table *table,
                             int column);

/* The slices of sealed events that a scan reads, and their blocks; none: all 0. */
typedef struct cj__scan_extent {
    int64_t from_ms, until_ms; /* [from, until) */
    int64_t n_blocks;
} cj__scan_extent;
int32_t cj__scan_extent_of(cj_db *db, const cj__scan_options *opts,
                           cj__scan_extent *out);

int32_t cj__events_table(cj_db *db, const cj_events_options *opts, cj_table **out);

#endif
