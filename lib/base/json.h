/* JSON, exact: checked before cJSON sees it (depth, size, UTF-8, grammar, no \u0000),
 * and numbers keep their text, so that nothing passes through a double. */
#ifndef CJ__BASE_JSON_H
#define CJ__BASE_JSON_H

#include "base/str.h"

struct cJSON;

/* Check one JSON value that fills [text, text + n) up to blanks.  Errors: CJ_EINVAL at
 * the byte (cj_errpos), CJ_ELIMIT (depth, size). */
int32_t cj__json_check(const char *text, size_t n);
/* The same for JSON that may be nested otherwise than CJ__MAX_JSON_DEPTH. */
int32_t cj__json_check_to(const char *text, size_t n, int max_depth);
int32_t cj__json_check_object(const char *text, size_t n); /* and it is an object */

/* Parse into a cJSON tree; numbers become cJSON_Raw nodes that hold their text (exactly
 * as written), so printing a node gives exact JSON back.  Free with cj__json_free. */
int32_t cj__json_parse(const cj__allocator *a, const char *text, size_t n,
                       struct cJSON **out);
void cj__json_free(struct cJSON *root);

/* Member of an object by exact name, or NULL (also when object is NULL or none). */
const struct cJSON *cj__json_member(const struct cJSON *object, const char *name);
/* Text of a string node, NULL for anything else. */
const char *cj__json_string(const struct cJSON *node);
/* Text of a number node (as written), or of a string node; NULL for anything else. */
const char *cj__json_scalar(const struct cJSON *node);
/* A whole number within +-2^53, also as 12.0 or 1e3; 0, or -1. */
int cj__json_int64(const struct cJSON *node, int64_t *out);
/* Append a node as minified JSON. */
void cj__json_put(cj__str *s, const struct cJSON *node);

/* Where the next value of a stream of values begins and ends: for arrays and NDJSON.
 * Skips blanks; *begin == *end at the end of input. Strings and nesting are respected,
 * nothing else is checked. */
void cj__json_next(const char *text, size_t n, size_t from, size_t *begin, size_t *end);

#endif
