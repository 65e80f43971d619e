/* A store as the front end of the segment language sees it, and what segments become:
 * canonical text, JSON, errors with their byte.  No file, no SQLite. */
#ifndef CJ_TESTS_SEGMENT_FRONT_H
#define CJ_TESTS_SEGMENT_FRONT_H

#include "segment/tree.h"
#include "store/store.h"

typedef struct front_case {
    struct cj_db db; /* only what the front end reads: allocator, zone, currency */
    char *text;      /* the last answer */
} front_case;

void front_begin(front_case *c, const char *zone, const char *currency, int exponent);
void front_end(front_case *c);

/* NULL when it does not parse: then the error tells.  Until the next call. */
const char *front_canonical(front_case *c, cj__text segment);
const char *front_json(front_case *c, cj__text segment);
const char *front_from_json(front_case *c, cj__text json); /* as canonical text */

/* Canonical text is as expected; it is its own canonical text; JSON gives it back. */
void expect_canonical(front_case *c, const char *segment, const char *want);
/* "^" in the text marks the byte of the error, and is not part of it. */
void expect_error(front_case *c, const char *marked, int32_t code, const char *message);
void expect_json_error(front_case *c, const char *marked, int32_t code,
                       const char *message);

/* segment_random.c: a random segment that is right by grammar and types, of about that
 * many parts. */
void random_segment(cj__str *s, uint64_t *state, int parts);

#endif
