/* Any bytes as JSON: what the check accepts, the parser takes, and what is printed from
 * the tree is accepted again and prints the same; a stream of values always advances.
 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int ok)
{
    if (!ok)
        abort();
}

static int printed(const cj__allocator *a, const char *text, size_t n, cj__str *out)
{
    struct cJSON *root = NULL;
    int32_t rc = cj__json_parse(a, text, n, &root);

    if (rc == CJ_OK)
        cj__json_put(out, root);
    else
        must(root == NULL);
    cj__json_free(root);
    return rc == CJ_OK;
}

static void stream(const char *text, size_t n)
{
    size_t at = 0, begin, end;

    for (;;) {
        cj__json_next(text, n, at, &begin, &end);
        must(begin >= at && end >= begin && end <= n);
        if (begin == end)
            return;
        at = end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    cj__str once, twice;
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__str_init(&once, &cx.allocator, 1 << 24);
    cj__str_init(&twice, &cx.allocator, 1 << 24);
    stream(text, n);
    if (printed(&cx.allocator, text, n, &once)) {
        must(cj__json_check(text, n) == CJ_OK);
        must(cj__str_status(&once) == CJ_OK);
        must(printed(&cx.allocator, once.data, once.n, &twice));
        must(once.n == twice.n && memcmp(once.data, twice.data, once.n) == 0);
    }
    cj__str_end(&once);
    cj__str_end(&twice);
    return 0;
}
