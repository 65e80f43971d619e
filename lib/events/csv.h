/* CSV (RFC 4180) from a buffer, one record at a time.  Knows bytes and columns, nothing
 * of events. */
#ifndef CJ__EVENTS_CSV_H
#define CJ__EVENTS_CSV_H

#include "base/str.h"

typedef struct cj__csv {
    const cj__allocator *allocator;
    char delimiter;   /* ',' ';' or TAB; 0: taken from the first record */
    int skipping;     /* within a line that is too long: drop bytes up to its end */
    cj__text *fields; /* of the last record, until the next call; empty ones have n 0 */
    size_t n_fields, capacity;
    cj__str unquoted; /* bytes of fields in which quotes were doubled */
} cj__csv;

typedef struct cj__csv_record {
    size_t used;         /* bytes of the input that are done with */
    cj__text raw;        /* the record as it stands, without its line end */
    int64_t n_lines;     /* lines it spans */
    const char *problem; /* NULL, or why it cannot be read; then there are no fields */
} cj__csv_record;

enum { CJ__CSV_MORE = 0, CJ__CSV_RECORD = 1 };

void cj__csv_init(cj__csv *csv, const cj__allocator *a);

/* Read the next record of text[0, n).  last: no more bytes will follow.  What is
 * CJ__CSV_RECORD: *out holds one.  CJ__CSV_MORE: drop out->used bytes and come again
 * with more (at the end: none is left).  A quote that is never closed, or a line longer
 * than CJ__MAX_MESSAGE, costs its own line only.  Errors: CJ_ENOMEM. */
int32_t cj__csv_next(cj__csv *csv, cj__text text, int last, int *what,
                     cj__csv_record *out);

void cj__csv_end(cj__csv *csv); /* a zeroed one is fine */

#endif
