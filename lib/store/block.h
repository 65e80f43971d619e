/* A sealed block: up to CJ__BLOCK_EVENTS rows of one slice, sorted by (node, time,
 * arrival), as two runs of bytes: core columns and properties.  Pure functions: bytes
 * in, bytes out; nothing here knows SQLite.  The layout is described in docs/FORMAT.md
 * and above the encoder.  Decoders accept any bytes and answer CJ_ECORRUPT, never
 * crash. */
#ifndef CJ__STORE_BLOCK_H
#define CJ__STORE_BLOCK_H

#include "store/row.h"

typedef struct cj__block_header {
    int64_t n; /* rows */
    uint32_t first_node, last_node;
    int64_t min_ms, max_ms;
    uint32_t columns; /* CJ__COL_* kept in this block */
} cj__block_header;

/* Encode n rows (1..CJ__BLOCK_EVENTS, already sorted), keeping the given columns.  Core
 * and props are appended to; props stays empty when no row has properties or the column
 * is not kept.  Errors: CJ_ENOMEM. */
int32_t cj__block_encode(const cj__allocator *a, const cj__row *rows, int64_t n,
                         uint32_t columns, cj__str *core, cj__str *props);

/* Check the header, its checksum over the whole core (and of props when props.data is
 * not NULL) and fill *out. */
int32_t cj__block_open(cj__text core, cj__text props, cj__block_header *out);

/* Decode the wanted columns of all rows into arrays of the caller that hold at least n
 * rows each; the node column is always written.  Does not verify the checksum (open
 * does), yet stays within bounds for any bytes. */
int32_t cj__block_columns(cj__text core, uint32_t want, cj__columns *out);

/* Decode only the rows of one node, as above; out->n is 0 when it is not in the block.
 */
int32_t cj__block_node(cj__text core, uint32_t node, uint32_t want, cj__columns *out,
                       int64_t *first_row_out);

/* Decode rows [first, end), the node's as cj__block_find says. */
int32_t cj__block_run(cj__text core, uint32_t node, const uint32_t range[2],
                      uint32_t want, cj__columns *out);

/* Append an index of a block's nodes, some bits each: for who keeps it in memory to
 * look for many.  (block_nodes.c) */
int32_t cj__block_nodes(cj__text core, cj__str *index);
/* The rows of a node, by such an index; none: range[0] == range[1]. */
int32_t cj__block_find(cj__text index, uint32_t node, uint32_t range[2]);

/* Decode everything back to rows (texts in the arena or borrowed from the bytes):
 * rows[] has room for header.n.  props.data NULL: rows come without properties. */
int32_t cj__block_rows(cj__text core, cj__text props, cj__arena *arena, cj__row *rows,
                       int64_t *n_out);
/* Rows [first, end) alone, as many, of the node as cj__block_find says. */
int32_t cj__block_run_rows(cj__text core, cj__text props, uint32_t node,
                           const uint32_t range[2], cj__arena *arena, cj__row *rows);

/* ---- properties (props.c): JSON texts shredded by shape, byte-exact ----------------
 */

int32_t cj__props_encode(const cj__allocator *a, const cj__row *rows, int64_t n,
                         cj__str *out);
/* texts[i] for rows [from, from + count) of n (data NULL: absent), in the arena; range
 * is {n, from, count}. */
int32_t cj__props_decode(cj__text bytes, const uint32_t range[3], cj__arena *arena,
                         cj__text *texts);

/* ---- journal: rows as varints, in arrival order (journal_codec.c) ------------------
 */

void cj__journal_put(cj__str *s, const cj__row *row);
/* Read one row at *at; texts are borrowed from the bytes.  Advances *at.  Errors:
 * CJ_ECORRUPT. */
int32_t cj__journal_next(cj__text bytes, size_t *at, cj__row *out);

#endif
