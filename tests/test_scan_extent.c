/* What a scan has to read, told beforehand: its blocks are those of the parts whose
 * slice meets the window, of the family that it reads; and none that it leaves out
 * would have shown it an event. */
#include "history.h"

#include "store/reader.h"

#include "harness.h"

#include <string.h>

static cj__scan_extent extent_of(history *h, cj__scan_options opts)
{
    cj__scan_extent extent;
    cj__reader *reader;

    ck_assert_int_eq(cj__reader_open(h->db, &reader), CJ_OK);
    opts.reader = reader;
    ck_assert_int_eq(cj__scan_extent_of(h->db, &opts, &extent), CJ_OK);
    cj__reader_end(reader);
    return extent;
}

/* The same from the directory, part by part. */
static cj__scan_extent extent_slow(history *h, const cj__scan_options *opts)
{
    cj__scan_extent extent = {0};
    cj__arena arena;
    cj__part *parts;
    cj__reader *reader;
    int64_t n;

    cj__arena_init(&arena, &h->db->cx.allocator);
    ck_assert_int_eq(cj__reader_open(h->db, &reader), CJ_OK);
    ck_assert_int_eq(
        cj__reader_parts(reader, opts->value_only ? CJ__FAMILY_VALUE : CJ__FAMILY_CORE,
                         (cj__slice){INT64_MIN, 0}, &arena, &parts, &n),
        CJ_OK);
    for (int64_t i = 0; i < n; i++) {
        if ((opts->from_ms != 0 && parts[i].max_ms < opts->from_ms) ||
            (opts->until_ms != 0 && parts[i].min_ms >= opts->until_ms))
            continue;
        if (extent.n_blocks == 0 || parts[i].from_ms < extent.from_ms)
            extent.from_ms = parts[i].from_ms;
        if (extent.n_blocks == 0 || parts[i].until_ms > extent.until_ms)
            extent.until_ms = parts[i].until_ms;
        extent.n_blocks += parts[i].n_blocks;
    }
    cj__reader_end(reader);
    cj__arena_end(&arena);
    return extent;
}

START_TEST(test_scan_extent__of_an_unsealed_file_is_nothing)
{
    cj__scan_extent extent;
    history h;

    history_open(&h, 1, 20, 100000, NULL);
    extent = extent_of(&h, (cj__scan_options){0});
    ck_assert(extent.from_ms == 0 && extent.until_ms == 0 && extent.n_blocks == 0);
    history_record(&h, 50);
    extent = extent_of(&h, (cj__scan_options){0});
    ck_assert(extent.from_ms == 0 && extent.until_ms == 0 && extent.n_blocks == 0);
    history_end(&h);
}
END_TEST

START_TEST(test_scan_extent__of_windows)
{
    history h;

    history_open(&h, 2, 60, 100, NULL);
    history_record(&h, 3000);
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    for (int i = 0; i < 300; i++) {
        const int64_t span = HISTORY_UNTIL_MS - HISTORY_FROM_MS;
        const int64_t a =
            HISTORY_FROM_MS + (int64_t)history_random(&h, 1000) * (span / 1000);
        const cj__scan_options opts = {
            .from_ms = i % 3 == 0 ? 0 : a,
            .until_ms = i % 5 == 0
                            ? 0
                            : a + (int64_t)history_random(&h, 500) * (span / 1000) + 1,
            .value_only = i % 2,
        };
        const cj__scan_extent got = extent_of(&h, opts), want = extent_slow(&h, &opts);

        ck_assert_int_eq(got.n_blocks, want.n_blocks);
        ck_assert_int_eq(got.from_ms, want.from_ms);
        ck_assert_int_eq(got.until_ms, want.until_ms);
    }
    history_end(&h);
}
END_TEST

START_TEST(test_scan_extent__the_projection_is_smaller)
{
    cj__scan_extent all, values, late;
    history h;

    history_open(&h, 3, 60, 200, NULL);
    history_record(&h, 4000);
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    all = extent_of(&h, (cj__scan_options){0});
    values = extent_of(&h, (cj__scan_options){.value_only = 1});
    late = extent_of(
        &h, (cj__scan_options){.from_ms = HISTORY_FROM_MS + INT64_C(45) * 86400000});
    ck_assert_int_gt(all.n_blocks, 0);
    ck_assert_int_gt(values.n_blocks, 0);
    ck_assert_int_le(values.n_blocks, all.n_blocks);
    ck_assert_int_lt(late.n_blocks, all.n_blocks);
    ck_assert_int_gt(late.from_ms, all.from_ms);
    ck_assert_int_eq(late.until_ms, all.until_ms);
    history_end(&h);
}
END_TEST

HARNESS_MAIN("scan_extent", test_scan_extent__of_an_unsealed_file_is_nothing,
             test_scan_extent__of_windows, test_scan_extent__the_projection_is_smaller)
