/* Comparing texts: by bytes, or with ASCII letters of any case (i"...").  Wildcards
 * without backtracking beyond the last star. */
#include "segment/program.h"

#include <string.h>

static unsigned char match_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int match_bytes(const char *a, const char *b, size_t n, int fold)
{
    if (!fold)
        return memcmp(a, b, n);
    for (size_t i = 0; i < n; i++) {
        const int order = match_lower(a[i]) - match_lower(b[i]);

        if (order != 0)
            return order;
    }
    return 0;
}

int cj__text_order(cj__text a, cj__text b, int fold)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int order = n == 0 ? 0 : match_bytes(a.data, b.data, n, fold);

    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

int cj__text_contains(cj__text text, cj__text part, int fold, int64_t *work)
{
    *work += (int64_t)text.n;
    if (part.n == 0)
        return 1;
    if (part.n > text.n)
        return 0;
    if (!fold)
        return memmem(text.data, text.n, part.data, part.n) != NULL;
    for (size_t at = 0; at + part.n <= text.n; at++) {
        size_t n = 0;

        while (n < part.n &&
               match_lower(text.data[at + n]) == match_lower(part.data[n]))
            n++;
        *work += (int64_t)n;
        if (n == part.n)
            return 1;
    }
    return 0;
}

int cj__text_starts(cj__text text, cj__text part, int fold)
{
    return part.n <= text.n &&
           (part.n == 0 || match_bytes(text.data, part.data, part.n, fold) == 0);
}

int cj__text_ends(cj__text text, cj__text part, int fold)
{
    return part.n <= text.n &&
           (part.n == 0 ||
            match_bytes(text.data + (text.n - part.n), part.data, part.n, fold) == 0);
}

/* Bytes of the character at p: "?" stands for one character, not for one byte. */
static size_t match_character(const char *p, const char *end)
{
    const unsigned char c = (unsigned char)*p;
    const size_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    const size_t left = (size_t)(end - p);

    return n < left ? n : left;
}

/* Only the last star can have to take more: what stands before it has matched as early
 * as it can.  So two places to return to are enough, and the work is at most the
 * product of what is behind a star and the text, for ordinary patterns linear. */
int cj__text_like(cj__text text, cj__text pattern, int fold, int64_t *work)
{
    const char *t = text.data, *t_end = t + text.n;
    const char *p = pattern.data, *p_end = p + pattern.n;
    const char *star = NULL, *resume = NULL;

    for (; t < t_end; ++*work) {
        if (p < p_end && *p == '*') {
            star = ++p;
            resume = t;
        } else if (p < p_end && *p == '?') {
            t += match_character(t, t_end);
            p++;
        } else if (p < p_end && match_bytes(t, p, 1, fold) == 0) {
            t++;
            p++;
        } else if (star != NULL) {
            resume += match_character(resume, t_end);
            t = resume;
            p = star;
        } else {
            return 0;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}
