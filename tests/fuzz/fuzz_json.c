/* Fuzz target: what the checker accepts the parser accepts, and what is printed from
 * the tree checks, parses and prints the same again.  What it refuses has a place
 * within the text. */
#include "base/json.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_require(int is_so)
{
    if (!is_so)
        abort();
}

/* Print a text's tree; the caller ends s. */
static void fuzz_reprint(const cj__allocator *a, const char *text, size_t n, cj__str *s)
{
    struct cJSON *root = NULL;

    fuzz_require(cj__json_parse(a, text, n, &root) == CJ_OK && root != NULL);
    cj__str_init(s, a, (size_t)CJ__MAX_MESSAGE * 6);
    cj__json_put(s, root);
    fuzz_require(cj__str_status(s) == CJ_OK);
    cj__json_free(root);
}

static void fuzz_walk(const char *text, size_t n)
{
    size_t begin, end = 0, steps = 0;

    do {
        cj__json_next(text, n, end, &begin, &end);
        fuzz_require(begin <= end && end <= n && ++steps <= n + 1);
    } while (end > begin);
    fuzz_require(end == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    cj__str once, twice;
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    fuzz_walk(text, n);
    if (cj__json_check(text, n) != CJ_OK) {
        struct cJSON *root;

        fuzz_require(cj__error_position() <= (int64_t)n);
        fuzz_require(cj__json_parse(&cx.allocator, text, n, &root) != CJ_OK);
        return 0;
    }
    fuzz_reprint(&cx.allocator, text, n, &once);
    if (once.n <=
        CJ__MAX_MESSAGE) { /* escapes may have made it longer than a message */
        fuzz_require(cj__json_check(once.data, once.n) == CJ_OK);
        fuzz_reprint(&cx.allocator, once.data, once.n, &twice);
        fuzz_require(once.n == twice.n && memcmp(once.data, twice.data, once.n) == 0);
        cj__str_end(&twice);
    }
    cj__str_end(&once);
    return 0;
}
