/* Reading values out of JSON text by path, without building anything: bytes in, slices
 * of them out.  Safe on any bytes; exact on valid JSON.  Private to room segment. */
#ifndef CJ__SEGMENT_PATH_H
#define CJ__SEGMENT_PATH_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct cj__path_part {
    cj__text name; /* data NULL: every element of an array */
} cj__path_part;

typedef struct cj__path {
    cj__text text; /* "a.b[].c" */
    cj__path_part *parts;
    uint32_t n;
    int32_t many; /* holds [] */
} cj__path;

/* Split "a.b[].c"; the text is borrowed. */
int32_t cj__path_make(cj__arena *arena, cj__text text, cj__path *out);

/* The first value at the path; data NULL: there is none (null is none). */
cj__text cj__path_find(const cj__path *path, cj__text json);

/* Call back with each value, in order, until it returns non-zero; returns that. */
typedef int (*cj__path_fn)(void *user, cj__text value);
int cj__path_each(const cj__path *path, cj__text json, cj__path_fn each, void *user);

/* The elements of an array: *at begins at 0; 1: another one. */
int cj__path_element(cj__text array, size_t *at, cj__text *out);

/* Does a JSON string (with its quotes) hold an escape? */
int cj__path_escaped(cj__text json);
/* Its text without them; to must hold json.n bytes. */
size_t cj__path_unescape(cj__text json, char *to);

#endif
