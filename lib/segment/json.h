/* The JSON form of a segment, for forms in a browser: what put.c says in words.  Its
 * shape is described in docs/SEGMENTS.md.  Private to the front end. */
#ifndef CJ__SEGMENT_JSON_H
#define CJ__SEGMENT_JSON_H

#include "segment/build.h"

/* ---- read: any JSON as values with their places (json_read.c) -----------------------
 */

typedef enum cj__json_kind {
    CJ__JSON_NULL = 0,
    CJ__JSON_TRUE,
    CJ__JSON_FALSE,
    CJ__JSON_NUMBER, /* text: as written */
    CJ__JSON_TEXT,   /* text: without escapes */
    CJ__JSON_ARRAY,
    CJ__JSON_OBJECT
} cj__json_kind;

typedef struct cj__json_value cj__json_value;
struct cj__json_value {
    cj__json_kind kind;
    uint32_t begin;
    cj__text text;
    cj__text name; /* as a member of an object */
    uint32_t name_begin;
    cj__json_value *first, *next; /* members, elements */
    uint32_t n;
};

/* In the arena.  Errors: CJ_EINVAL at the byte, CJ_ELIMIT. */
int32_t cj__json_values(cj__arena *arena, cj__text json, cj__json_value **out);
/* NULL: it has no such member (also when it is no object). */
const cj__json_value *cj__json_get(const cj__json_value *object, const char *name);

/* ---- in (json_in.c): to a tree that is still to be checked
 * --------------------------- */

int32_t cj__seg_json_read(cj__seg_maker *m, cj__text json, cj__seg_node **out);

#endif
