/* What every question about segments begins with: options, one read snapshot and a set
 * of segments in it.  Private to room segment. */
#ifndef CJ__SEGMENT_ASK_H
#define CJ__SEGMENT_ASK_H

#include "segment/everyone.h"

typedef struct cj__ask {
    cj__reader *reader;
    cj__set set;
} cj__ask;

int32_t cj__ask_options(const cj_segment_options *o);
int32_t cj__ask_open(cj_db *db, cj__ask *a);
void cj__ask_close(cj__ask *a); /* a zeroed one is fine */

/* Add a definition; a list's profiles are as those of in_list("name"). */
int32_t cj__ask_name(cj__ask *a, cj__text name, uint32_t *item_out);
/* Add the definition that has exactly this name, or else the text as an expression. */
int32_t cj__ask_source(cj__ask *a, const char *source, uint32_t *item_out);

/* A walk over everybody: the caller sets visit. */
void cj__ask_everyone(const cj__ask *a, const cj_segment_options *o, const void *user,
                      cj__everyone *e);

/* A profile's number from outside. */
int32_t cj__ask_profile(int64_t profile, uint32_t *out);

/* A time until which something holds; INT64_MAX is null. */
void cj__ask_until(cj_table *t, int column, int64_t until_ms);

#endif
