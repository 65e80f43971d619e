/* What the demo's reports share: looking into a result, and numbers as people read
 * them. Knows cjourney.h only. */
#ifndef DEMO_SHOW_H
#define DEMO_SHOW_H

#include "cjourney.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline int show_column(const cj_table *t, const char *name)
{
    int c = 0;

    while (strcmp(cj_table_name(t, c), name) != 0)
        c++;
    return c;
}

static inline int64_t show_int64(const cj_table *t, const char *name, int64_t row)
{
    return cj_table_int64(t, show_column(t, name))[row];
}

static inline void show_text(const cj_table *t, const char *name, int64_t row,
                             char to[40])
{
    int c = show_column(t, name);
    const int64_t *at;
    const char *bytes = cj_table_text(t, c, &at);

    snprintf(to, 40, "%.*s", (int)(at[row + 1] - at[row]), bytes + at[row]);
}

static inline void show_number(int64_t value, char to[40])
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value), at = 0;

    for (int i = 0; i < n; i++) {
        if (i > 0 && digits[i - 1] != '-' && (n - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = digits[i];
    }
    to[at] = '\0';
}

#endif
