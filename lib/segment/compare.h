/* What sets two segments apart: what each profile has of what many may have (marks),
 * and how much of what all have (numbers); and how many of either segment have it.
 * Private to compare.c and the files named after it. */
#ifndef CJ__SEGMENT_COMPARE_H
#define CJ__SEGMENT_COMPARE_H

#include "base/hash.h"
#include "segment/ask.h"

#include <pthread.h>

/* Dimensions; trait i of the comparison is CJ__COMPARE_TRAITS + i. */
enum {
    CJ__COMPARE_CAMPAIGN,
    CJ__COMPARE_CHANNEL,
    CJ__COMPARE_KPI,
    CJ__COMPARE_PRODUCT,
    CJ__COMPARE_TRAITS
};

/* A KPI is a condition, or a value that is compared with the median of both segments.
 */
typedef struct cj__compare_kpi {
    const char *text;
    int32_t type; /* CJ__TYPE_BOOLEAN: a condition; _NUMBER or _MONEY */
} cj__compare_kpi;

extern const cj__compare_kpi cj__compare_kpis[];
enum { CJ__COMPARE_KPIS = 16 };

typedef struct cj__mark {
    cj__key key;
    uint32_t dimension;
    uint32_t term; /* an event's text; of a condition: its place + 1; else 0 */
    cj__text text; /* of a trait; else without data */
    int32_t type;  /* CJ__TYPE_* of the text: the text "1" is not the number */
} cj__mark;

typedef struct cj__marks { /* of one profile */
    cj__arena arena;
    cj__mark *all;
    size_t n, capacity;
} cj__marks;

/* A number of one profile, as it stands in the partial. */
typedef struct cj__compare_number {
    double value;
    uint32_t which; /* a KPI's place, or CJ__COMPARE_KPIS + a trait's */
    uint32_t in;    /* 1: the first segment, 2: the second, 3: both */
} cj__compare_number;

typedef struct cj__mark_count {
    cj__mark mark;
    int64_t n[2]; /* profiles of either segment */
} cj__mark_count;

typedef struct cj__compare {
    cj_db *db;
    uint32_t items[2], kpis[CJ__COMPARE_KPIS]; /* of the set */
    cj__text *traits;                          /* all names there are, by their bytes */
    size_t n_traits;
    uint64_t secret;
    pthread_mutex_t lock; /* for what follows */
    cj__arena arena;
    cj__keys keys;
    cj__mark_count *counts; /* by id - 1 */
    size_t n_counts, capacity;
    uint32_t *n_values; /* of each trait; beyond CJ__MAX_COMPARE it says nothing */
    int64_t n[2];
} cj__compare;

/* compare_marks.c: what the profile at hand has; numbers are put with `in`. */
int32_t cj__compare_marks(const cj__compare *c, cj__runner *r, int64_t now_ms,
                          cj__marks *out);
int32_t cj__compare_numbers(const cj__compare *c, cj__runner *r, int64_t now_ms,
                            uint32_t in, cj__str *partial);
/* The newest value of each trait at a moment: *at begins at 0; 1: another one. */
int cj__compare_trait(const cj__facts *facts, int64_t now_ms, int64_t *at,
                      const cj__fact_trait **out);

/* compare_rows.c: the table. */
int32_t cj__compare_table(cj__compare *c, cj__reader *reader, const cj__str *numbers,
                          int64_t limit, cj_table **out);

#endif
