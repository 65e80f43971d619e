/* The table of an answer while it is filled: columns of doubles, each with its limits
 * if there are any, all rows at once and from any thread.  Private to room metrics. */
#ifndef CJ__METRICS_CLV_COLUMNS_H
#define CJ__METRICS_CLV_COLUMNS_H

#include "base/table.h"

#define CJ__CLV_COLUMNS 16

/* Kinds of columns: numbers; with their limits beside them; some of them missing. */
enum { CJ__CLV_PLAIN, CJ__CLV_LIMITS, CJ__CLV_NULLS };

/* value NULL: not asked for; low NULL: without limits. */
typedef struct cj__clv_column {
    double *value, *low, *high;
} cj__clv_column;

typedef struct cj__clv_columns {
    cj_table *table;
    char names[1024];
    cj__clv_column *columns[CJ__CLV_COLUMNS];
    int32_t kind[CJ__CLV_COLUMNS];
    int n;
} cj__clv_columns;

/* Say what there will be, from the first column on: name, or name, name_low, name_high.
 */
void cj__clv_columns_add(cj__clv_columns *all, const char *name, int kind,
                         cj__clv_column *column);
/* Make the table; every column has room for n rows. */
int32_t cj__clv_columns_begin(cj__clv_columns *all, const cj__allocator *a, int64_t n);
/* In columns of the kind CJ__CLV_NULLS what is NaN becomes null. */
int32_t cj__clv_columns_finish(cj__clv_columns *all, cj_table **out);
void cj__clv_columns_end(cj__clv_columns *all);

#endif
