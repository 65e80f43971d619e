/* The two forms of a segment: text for people, JSON for forms in a browser.  Both come
 * out canonical, so that equal segments are equal bytes. */
#include "segment/segment.h"
#include "segment/tree.h"

#include <string.h>

int32_t cj__segment_format(cj_db *db, const char *source, const char *from,
                           const char *to, cj__str *out)
{
    const int from_json = strcmp(from, "json") == 0;
    const int to_json = strcmp(to, "json") == 0;
    cj__segment_tree *tree = NULL;
    int32_t rc;

    if ((!from_json && strcmp(from, "text") != 0) ||
        (!to_json && strcmp(to, "text") != 0))
        return cj__fail(CJ_EINVAL, "the form of a segment is \"text\" or \"json\"");
    CJ_TRY(from_json ? cj__segment_from_json(db, cj__text_of(source), &tree)
                     : cj__segment_parse(db, cj__text_of(source), &tree));
    if (to_json)
        cj__segment_put_json(out, tree->root);
    else
        cj__segment_put(out, tree->root);
    CJ_TRY(cj__str_status(out));
out:
    cj__segment_free(db, tree);
    return rc;
}
