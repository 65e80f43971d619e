/* Types and units of a tree: what the grammar allows and makes no sense is an error
 * here, with its place and what to write instead.  Private to the front end. */
#ifndef CJ__SEGMENT_CHECK_H
#define CJ__SEGMENT_CHECK_H

#include "segment/tree.h"

/* Sets every node's type.  Errors: CJ_EINVAL, CJ_ELIMIT (depth). */
int32_t cj__seg_check(const struct cj_db *db, cj__seg_node *root);

/* Do both sides compare, as far as is known?  ordered: by < and >, not only by =. */
int32_t cj__seg_check_pair(const struct cj_db *db, const cj__seg_node *left,
                           const cj__seg_node *right, int ordered);

/* "a number", "money", ... */
const char *cj__seg_type_words(int32_t type);
/* How a message calls a node: its function or field, or "this"; to holds CJ__CALLED. */
enum { CJ__CALLED = 40 };
const char *cj__seg_called(const cj__seg_node *node, char *to);

#endif
