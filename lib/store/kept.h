/* Bytes about sealed blocks that are kept in memory from one question to the next, by
 * block id, or by another that has the part in its high bits: a block never changes,
 * and its id is never given to another (reader.h).  Up to a number of bytes; what was
 * not asked for the longest goes first.  Any thread may call.  It knows nothing of what
 * the bytes mean. */
#ifndef CJ__STORE_KEPT_H
#define CJ__STORE_KEPT_H

#include "store/reader.h"

#include <pthread.h>

#define CJ__KEPT_BUCKET_BITS 12

typedef struct cj__kept {
    const cj__allocator *allocator;
    pthread_mutex_t lock;
    cj__kept_block *buckets[1 << CJ__KEPT_BUCKET_BITS];
    cj__kept_block *newest, *oldest;
    size_t bytes, max_bytes; /* with what the entries take themselves */
    int part_shift;          /* the part is id >> part_shift */
} cj__kept;

void cj__kept_init(cj__kept *k, const cj__allocator *a, size_t max_bytes,
                   int part_shift);
void cj__kept_end(cj__kept *k); /* nothing is held any more */

/* What is kept of a block, held until it is let go; NULL: nothing. */
cj__kept_block *cj__kept_get(cj__kept *k, int64_t id);
/* Room for n bytes, not yet kept; NULL: CJ_ENOMEM. */
cj__kept_block *cj__kept_new(const cj__kept *k, int64_t id, size_t n);
/* Keep it, held; when another thread was quicker, what that one has kept. */
cj__kept_block *cj__kept_put(cj__kept *k, cj__kept_block *b);
void cj__kept_drop(const cj__kept *k, cj__kept_block *b); /* it was not put */
void cj__kept_let_go(cj__kept *k, cj__kept_block *b);     /* NULL is fine */
/* Forget the blocks of parts that are not among these (ids, ascending): they have been
 * replaced, or erased. */
void cj__kept_only(cj__kept *k, const int64_t *parts, size_t n);

#endif
