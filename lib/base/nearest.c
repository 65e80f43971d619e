/* Edit distance between short names: Levenshtein over bytes, one row of the table kept.
 * Bounded (64 bytes) because one of the two comes from outside. */
#include "base/nearest.h"

enum { NEAREST_MAX = 64, NEAREST_SAYABLE = 40 };

static int nearest_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t nearest_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cj__name_distance(cj__text a, cj__text b)
{
    size_t row[NEAREST_MAX + 1];
    size_t an = nearest_min(a.n, NEAREST_MAX), bn = nearest_min(b.n, NEAREST_MAX);

    for (size_t j = 0; j <= bn; j++)
        row[j] = j;
    for (size_t i = 1; i <= an; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t above = row[j];
            size_t same = nearest_lower(a.data[i - 1]) == nearest_lower(b.data[j - 1]);

            row[j] =
                nearest_min(diagonal + 1 - same, nearest_min(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[bn];
}

int cj__name_same(const char *a, const char *b)
{
    while (*a != '\0' && nearest_lower(*a) == nearest_lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

int cj__name_sayable(cj__text name)
{
    if (name.n == 0 || name.n > NEAREST_SAYABLE)
        return 0;
    for (size_t i = 0; i < name.n; i++) {
        int c = nearest_lower(name.data[i]);
        int letter = c >= 'a' && c <= 'z';
        int other = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
                    c == '$' || c == ' ';

        if (!letter && (i == 0 || !other))
            return 0;
    }
    return 1;
}
