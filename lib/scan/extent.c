/* What a scan of everybody has to read: for those who want to say so beforehand.
 * It looks at the directory alone; the journal, which every scan reads, is in no slice.
 */
#include "scan/internal.h"

int32_t cj__scan_extent_of(cj_db *db, const cj__scan_options *opts,
                           cj__scan_extent *out)
{
    const cj__slice window = {opts->from_ms == 0 ? INT64_MIN : opts->from_ms,
                              opts->until_ms};
    const int32_t family = opts->value_only ? CJ__FAMILY_VALUE : CJ__FAMILY_CORE;
    cj__part *parts;
    cj__arena arena;
    int64_t n;
    int32_t rc;

    *out = (cj__scan_extent){0};
    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__reader_parts(opts->reader, family, window, &arena, &parts, &n));
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || parts[i].from_ms < out->from_ms)
            out->from_ms = parts[i].from_ms;
        if (i == 0 || parts[i].until_ms > out->until_ms)
            out->until_ms = parts[i].until_ms;
        out->n_blocks += parts[i].n_blocks;
    }
out:
    cj__arena_end(&arena);
    return rc;
}
