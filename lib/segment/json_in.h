/* What the two halves of reading a segment's JSON share: conditions and values
 * (json_in.c), arguments of functions (json_call.c).  Private to the two. */
#ifndef CJ__SEGMENT_JSON_IN_H
#define CJ__SEGMENT_JSON_IN_H

#include "segment/json.h"

typedef struct cj__json_in {
    cj__seg_maker *make;
    int32_t in_filter;
} cj__json_in;

/* keys: those an object may have, NULL-terminated; others, and twice the same, fail. */
int32_t cj__json_keys(const cj__json_value *object, const char *const *keys);
/* A member that must be there. */
int32_t cj__json_need(const cj__json_value *object, const char *name,
                      const cj__json_value **out);
int32_t cj__json_expected(const cj__json_value *v, const char *what);

int32_t cj__json_condition(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);
int32_t cj__json_literal(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);
/* A literal of one op. */
int32_t cj__json_literal_of(cj__json_in *r, const cj__json_value *v, int32_t op,
                            const char *what, cj__seg_node **out);
/* "90 days" without the object around it. */
int32_t cj__json_duration(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);
/* "2025-03-01" or with a time of day. */
int32_t cj__json_moment(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);
int32_t cj__json_list(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);
int32_t cj__json_trait(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);
int32_t cj__json_field(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);

int32_t cj__json_call(cj__json_in *r, const cj__json_value *v, cj__seg_node **out);

#endif
