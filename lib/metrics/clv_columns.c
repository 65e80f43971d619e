/* Columns of doubles in place, for a table whose rows are known from the beginning. The
 * names are put together first, as a table wants them in one text. */
#include "metrics/clv_columns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void cj__clv_columns_add(cj__clv_columns *all, const char *name, int kind,
                         cj__clv_column *column)
{
    const size_t used = strlen(all->names);

    assert(all->n < CJ__CLV_COLUMNS);
    snprintf(all->names + used, sizeof all->names - used,
             kind == CJ__CLV_LIMITS ? "%s:d %s_low:d %s_high:d " : "%s:d ", name, name,
             name);
    all->columns[all->n] = column;
    all->kind[all->n++] = kind;
}

int32_t cj__clv_columns_begin(cj__clv_columns *all, const cj__allocator *a, int64_t n)
{
    const size_t rows = (size_t)n;
    int at = 0;
    int32_t rc = cj__table_new(a, all->names, &all->table);

    if (rc == CJ_OK)
        cj__table_room(all->table, rows);
    for (int i = 0; rc == CJ_OK && i < all->n; i++) {
        cj__clv_column *c = all->columns[i];

        c->value = cj__table_double_extend(all->table, at++, rows);
        if (all->kind[i] == CJ__CLV_LIMITS) {
            c->low = cj__table_double_extend(all->table, at++, rows);
            c->high = cj__table_double_extend(all->table, at++, rows);
        }
        if (c->value == NULL || (all->kind[i] == CJ__CLV_LIMITS && c->high == NULL))
            rc = CJ_ENOMEM; /* sticky: low, too, if it is that */
    }
    return rc;
}

int32_t cj__clv_columns_finish(cj__clv_columns *all, cj_table **out)
{
    cj_table *table = all->table;
    int at = 0;

    for (int i = 0; i < all->n; i++) {
        if (all->kind[i] == CJ__CLV_NULLS)
            cj__table_null_nan(table, at);
        at += all->kind[i] == CJ__CLV_LIMITS ? 3 : 1;
    }
    all->table = NULL;
    return cj__table_finish(table, out);
}

void cj__clv_columns_end(cj__clv_columns *all)
{
    cj__table_free(all->table);
    all->table = NULL;
}
