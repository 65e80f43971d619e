/* Events as columns that grow together, the unit in which a scan moves them.  A frame
 * knows nothing of files, profiles or threads.  Rooms scan and segment (its hot
 * profiles) use it. */
#ifndef CJ__SCAN_FRAME_H
#define CJ__SCAN_FRAME_H

#include "base/alloc.h"
#include "store/row.h"

enum {
    CJ__FRAME_NODE,
    CJ__FRAME_ROOT, /* the profile of the node */
    CJ__FRAME_NAME,
    CJ__FRAME_CHANNEL,
    CJ__FRAME_CAMPAIGN,
    CJ__FRAME_CONTENT,
    CJ__FRAME_PRODUCT,
    CJ__FRAME_CURRENCY,
    CJ__FRAME_N32
};

enum {
    CJ__FRAME_TIME,
    CJ__FRAME_VALUE,
    CJ__FRAME_QUANTITY,
    CJ__FRAME_SESSION,
    CJ__FRAME_ORDER,
    CJ__FRAME_N64
};

typedef struct cj__frame {
    const cj__allocator *allocator;
    uint32_t columns; /* CJ__COL_* it has beside node, root and time */
    int64_t n, capacity;
    uint32_t *u32[CJ__FRAME_N32]; /* NULL: not wanted */
    int64_t *i64[CJ__FRAME_N64];
    uint8_t *has_value;
    const cj__text **properties; /* borrowed, or in texts */
    void *memory;
    size_t bytes;
    cj__arena texts; /* properties that are the frame's: cj__frame_own */
} cj__frame;

/* A place in the order of a profile's events. */
typedef struct cj__sort_key {
    int64_t time_ms;
    uint32_t profile, node;
    uint32_t row; /* in order of arrival: no two keys are equal */
} cj__sort_key;

void cj__frame_init(cj__frame *f, const cj__allocator *a, uint32_t columns);
void cj__frame_end(cj__frame *f);
void cj__frame_clear(cj__frame *f); /* no rows, and no texts of its own */
size_t cj__frame_row_bytes(uint32_t columns);

/* Room for so many rows.  Errors: CJ_ENOMEM, CJ_ELIMIT; then it is as it was. */
int32_t cj__frame_reserve(cj__frame *f, int64_t rows);

/* Room for so many rows in memory that is not the frame's: a multiple of 8 of them,
 * each of cj__frame_row_bytes.  It has none yet; when it grows, that is its own. */
void cj__frame_lend(cj__frame *f, void *memory, int64_t rows);

/* The rows from `first` on, as folds and decoders see them. */
cj__columns cj__frame_view(const cj__frame *f, int64_t first);

/* to[at + i] = from[first + i]; the two may be one frame. */
void cj__frame_move(cj__frame *to, int64_t at, const cj__frame *from, int64_t first,
                    int64_t n);

/* to[at + i] = from[pick[i]]; in one frame when pick ascends and at <= pick[0]. */
void cj__frame_take(cj__frame *to, int64_t at, const cj__frame *from,
                    const uint32_t *pick, int64_t n);

/* to[place[i]] = from[first + i] in all columns but the root: whoever groups by it
 * knows it. */
void cj__frame_scatter(cj__frame *to, const cj__frame *from, int64_t first, int64_t n,
                       const uint32_t *place);

/* Append rows [first, first + n) of columns, borrowed for their properties; there is
 * room for them. */
void cj__frame_put_columns(cj__frame *f, const cj__columns *c, int64_t first,
                           int64_t n);

/* The row is borrowed for its properties. */
void cj__frame_put_row(cj__frame *f, const cj__row *row, uint32_t root);

/* Properties of rows [first, first + n): texts, borrowed, or none when NULL.  Nothing
 * happens when they are not wanted. */
void cj__frame_put_texts(cj__frame *f, int64_t first, int64_t n, const cj__text *texts);
/* Copy the properties of rows [first, first + n): from now on they last as long as the
 * frame, until it is cleared. */
int32_t cj__frame_own(cj__frame *f, int64_t first, int64_t n);
/* Give back what rows that are gone have owned; all others must be the frame's. */
int32_t cj__frame_repack(cj__frame *f);

/* The journal's events into an empty frame, in order of arrival; roots are nodes. */
struct cj__reader;
int32_t cj__scan_unsealed(struct cj__reader *reader, cj__frame *to);

/* Sort by (profile, time, node, row); both arrays hold n keys, the result is in keys.
 */
void cj__sort_keys(cj__sort_key *keys, cj__sort_key *spare, int64_t n);

/* Sort n keys of (32 bits << 32 | 32 bits) by their high half, stably; highest is the
 * largest high half. */
void cj__sort_pairs(uint64_t *keys, uint64_t *spare, int64_t n, uint32_t highest);

#endif
