/* Properties from foreign bytes.  An even first byte: bytes decoded as the properties
 * of as many rows as the second and third say; an odd one: lines that must come back.
 */
#include "base/limits.h"
#include "store/block.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct fuzz_out {
    cj__row rows[CJ__BLOCK_EVENTS];
    cj__text texts[CJ__BLOCK_EVENTS];
} fuzz_out;

static void fuzz_decode(fuzz_out *o, cj__arena *arena, const char *bytes, size_t n)
{
    int64_t rows = (uint8_t)bytes[0] | (int64_t)(uint8_t)bytes[1] << 8;
    uint64_t sum = 0;

    if (rows > CJ__BLOCK_EVENTS)
        return;
    const uint32_t m = (uint32_t)rows, few[3] = {m, m / 3, 2};
    (void)cj__props_decode((cj__text){bytes + 2, n - 2}, few, arena, o->texts);
    if (cj__props_decode((cj__text){bytes + 2, n - 2}, (uint32_t[]){m, 0, m}, arena,
                         o->texts) != CJ_OK)
        return;
    for (int64_t i = 0; i < rows;
         i++) { /* every byte can be read, and they are bounded */
        for (size_t k = 0; k < o->texts[i].n; k += 1 + o->texts[i].n / 64)
            sum += (uint8_t)o->texts[i].data[k];
        if (o->texts[i].data != NULL && o->texts[i].n > CJ__MAX_PROPERTIES + n)
            abort();
    }
    if (sum == 1)
        o->rows[0].node = 1; /* the sum is used */
}

static void fuzz_round(fuzz_out *o, const cj__allocator *a, cj__arena *arena,
                       const char *bytes, size_t n)
{
    const char *end = bytes + n;
    uint32_t rows = 0;
    cj__str out;

    memset(o->rows, 0, sizeof o->rows);
    while (bytes < end && rows < CJ__BLOCK_EVENTS) {
        const char *line = memchr(bytes, '\n', (size_t)(end - bytes));

        line = line == NULL ? end : line;
        o->rows[rows].name = rows % 3;
        if (line > bytes)
            o->rows[rows].properties = (cj__text){bytes, (size_t)(line - bytes)};
        rows++;
        bytes = line == end ? end : line + 1;
    }
    cj__str_init(&out, a, 1 << 24);
    if (cj__props_encode(a, o->rows, rows, &out) != CJ_OK)
        abort();
    memset(o->texts, 0, sizeof o->texts);
    if (out.n > 0 &&
        cj__props_decode((cj__text){out.data, out.n}, (uint32_t[]){rows, 0, rows},
                         arena, o->texts) != CJ_OK)
        abort();
    for (uint32_t i = 0; i < rows; i++)
        if ((o->texts[i].data == NULL) != (o->rows[i].properties.data == NULL) ||
            !cj__text_equal(o->texts[i], o->rows[i].properties))
            abort();
    cj__str_end(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_out *o = n < 3 ? NULL : malloc(sizeof *o);
    cj__arena arena;
    cj__ctx cx;

    if (o == NULL)
        return 0;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&arena, &cx.allocator);
    if (data[0] % 2 == 0)
        fuzz_decode(o, &arena, (const char *)data + 1, n - 1);
    else
        fuzz_round(o, &cx.allocator, &arena, (const char *)data + 1, n - 1);
    cj__arena_end(&arena);
    free(o);
    return 0;
}
