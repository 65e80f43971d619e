/* cj_table: columns in the Arrow memory layout.  Built with a sticky builder, row by
 * row and column by column in any order, then immutable.  A finished table is reference
 * counted, so that an Arrow export can outlive cj_table_free. */
#ifndef CJ__BASE_TABLE_H
#define CJ__BASE_TABLE_H

#include "base/str.h"

/* columns: "profile:i class:t share:d", one letter type each (i int64, d double, t
 * text); names are copied.  On failure *out is NULL. */
int32_t cj__table_new(const cj__allocator *a, const char *columns, cj_table **out);

/* Room for as many rows in one piece of memory, which large pages suit; to be asked for
 * before the first row.  Sticky. */
void cj__table_room(cj_table *t, size_t rows);

/* Another name for a column, with any characters; copied.  Sticky. */
void cj__table_rename(cj_table *t, int column, const char *name);

/* Append to one column (0-based).  Sticky: the first error stays. */
void cj__table_int64(cj_table *t, int column, int64_t value);
void cj__table_double(cj_table *t, int column, double value);
void cj__table_text(cj_table *t, int column, const char *bytes, size_t n);
void cj__table_put(cj_table *t, int column,
                   const char *nul_terminated); /* NULL: null */
void cj__table_null(cj_table *t, int column);

/* A text that may be absent: then null. */
static inline void cj__table_some(cj_table *t, int column, cj__text text)
{
    if (text.data == NULL)
        cj__table_null(t, column);
    else
        cj__table_text(t, column, text.data, text.n);
}

/* n uninitialised values of an int64 or double column at once; NULL: failed. */
int64_t *cj__table_int64_extend(cj_table *t, int column, size_t n);
double *cj__table_double_extend(cj_table *t, int column, size_t n);

/* Rows of a double column that are NaN become null.  Sticky. */
void cj__table_null_nan(cj_table *t, int column);

/* Append words[which[i]] for each of n rows; a word without data is null. */
void cj__table_words(cj_table *t, int column, const cj__text *words, size_t n_words,
                     const uint8_t *which, size_t n);

/* Check that all columns have the same number of rows and hand out; frees on failure.
 */
int32_t cj__table_finish(cj_table *t, cj_table **out);

/* The public accessors live in table.c under these names; api.c forwards to them. */
int64_t cj__table_rows(const cj_table *t);
int64_t cj__table_columns(const cj_table *t);
const char *cj__table_name(const cj_table *t, int64_t column);
int32_t cj__table_type(const cj_table *t, int64_t column);
const int64_t *cj__table_int64_data(const cj_table *t, int64_t column);
const double *cj__table_double_data(const cj_table *t, int64_t column);
const char *cj__table_text_data(const cj_table *t, int64_t column,
                                const int64_t **offsets_out);
const uint8_t *cj__table_validity(const cj_table *t, int64_t column);
void cj__table_free(cj_table *t); /* drops one reference */

/* For those who share a finished table: one more reference, to drop with
 * cj__table_free; how many rows of a column are null; the column's buffers in Arrow's
 * order (validity or NULL, then values, or offsets and bytes), valid as long as t. */
cj_table *cj__table_retain(cj_table *t);
int64_t cj__table_nulls(const cj_table *t, int64_t column);
const void **cj__table_buffers(cj_table *t, int64_t column);
const cj__allocator *cj__table_allocator(const cj_table *t);
/* 1 when a row of a column is null. */
int cj__table_is_null(const cj_table *t, int64_t column, int64_t row);

/* table_arrow.c, table_format.c */
int32_t cj__table_export_arrow(cj_table *t, void *array_out, void *schema_out);
int32_t cj__table_export_stream(cj_table *t, void *stream_out);
int32_t cj__table_format(const cj_table *t, const char *format, char **text_out,
                         int64_t *n_bytes_out);
/* A text for the caller: what is put between the two calls.  When the second fails,
 * nothing is owned. */
void cj__text_begin(cj__str *s, const cj__allocator *a);
int32_t cj__text_hand_over(cj__str *s, char **text_out, int64_t *n_bytes_out);
void cj__text_free(char *text);

#endif
