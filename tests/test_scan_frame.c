/* Frames and the two sorts against the C library's, over random rows. */
#include "scan/internal.h"

#include "harness.h"

#include <string.h>

#define ROWS 500

static cj__ctx context;
static uint64_t random_state = 88172645463325252u;

static const cj__allocator *allocator(void)
{
    cj__ctx_init(&context, NULL, NULL, NULL, NULL, NULL, NULL);
    return &context.allocator;
}

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 13) % below);
}

/* ---- frames ---------------------------------------------------------------------- */

/* Rows that stay where they are: frames borrow their properties. */
static const cj__row *row_of(uint32_t i)
{
    static const char *const texts[] = {"77", "s-1", "x"};
    static cj__row rows[ROWS];

    rows[i] = (cj__row){.time_ms = INT64_C(1704067200000) + i * 1000,
                        .quantity = i % 7,
                        .value_minor = (int64_t)i * 3 - 50,
                        .node = i + 1,
                        .name = i % 5 + 1,
                        .channel = i % 3,
                        .campaign = i % 11,
                        .content = i % 13,
                        .product = i % 17,
                        .currency = i % 2,
                        .has_value = i % 4 == 0,
                        .session = cj__text_of(i % 4 == 3 ? NULL : texts[i % 4]),
                        .order = cj__text_of(i % 4 == 0 ? NULL : texts[(i + 1) % 3]),
                        .properties = cj__text_of(i % 3 == 0 ? NULL : texts[i % 3])};
    return &rows[i];
}

static void expect_row(const cj__frame *f, int64_t at, uint32_t i)
{
    cj__columns c = cj__frame_view(f, 0);
    const cj__row row = *row_of(i);
    uint32_t has = f->columns;

    ck_assert_uint_eq(c.node[at], row.node);
    ck_assert_int_eq(c.time_ms[at], row.time_ms);
    ck_assert((c.name != NULL) == ((has & CJ__COL_NAME) != 0));
    ck_assert((c.order != NULL) == ((has & CJ__COL_ORDER) != 0));
    ck_assert((c.has_value != NULL) == ((has & CJ__COL_VALUE) != 0));
    ck_assert((c.properties != NULL) == ((has & CJ__COL_PROPERTIES) != 0));
    ck_assert(c.name == NULL || c.name[at] == row.name);
    ck_assert(c.channel == NULL || c.channel[at] == row.channel);
    ck_assert(c.campaign == NULL || c.campaign[at] == row.campaign);
    ck_assert(c.content == NULL || c.content[at] == row.content);
    ck_assert(c.product == NULL || c.product[at] == row.product);
    ck_assert(c.currency == NULL || c.currency[at] == row.currency);
    ck_assert(c.value_minor == NULL || c.value_minor[at] == row.value_minor);
    ck_assert(c.has_value == NULL || c.has_value[at] == row.has_value);
    ck_assert(c.quantity == NULL || c.quantity[at] == row.quantity);
    ck_assert(c.session == NULL || c.session[at] == cj__row_key(row.session));
    ck_assert(c.order == NULL || c.order[at] == cj__row_key(row.order));
    ck_assert(c.properties == NULL ||
              cj__text_equal(*c.properties[at], row.properties));
}

static void frame_fill(cj__frame *f, uint32_t columns)
{
    cj__frame_init(f, allocator(), columns);
    for (uint32_t i = 0; i < ROWS; i++) {
        const cj__row *row = row_of(i);

        ck_assert_int_eq(cj__frame_reserve(f, f->n + 1), CJ_OK);
        cj__frame_put_row(f, row, row->node / 2);
    }
}

static const uint32_t column_sets[] = {0,
                                       CJ__COL_TIME,
                                       CJ__COL_VALUE,
                                       CJ__COL_PROJECTION,
                                       CJ__COL_NAME | CJ__COL_ORDER,
                                       CJ__COL_PROPERTIES,
                                       CJ__COL_ALL};

START_TEST(test_frame__keeps_rows_as_it_grows)
{
    for (size_t s = 0; s < sizeof column_sets / sizeof column_sets[0]; s++) {
        cj__frame f;

        frame_fill(&f, column_sets[s]);
        ck_assert_int_eq(f.n, ROWS);
        for (uint32_t i = 0; i < ROWS; i++) {
            expect_row(&f, i, i);
            ck_assert_uint_eq(f.u32[CJ__FRAME_ROOT][i], (i + 1) / 2);
        }
        ck_assert_uint_le(cj__frame_row_bytes(column_sets[s]) * ROWS, f.bytes);
        ck_assert_int_eq(cj__frame_view(&f, 10).n, ROWS - 10);
        cj__frame_end(&f);
        cj__frame_end(&f); /* twice is fine */
    }
}
END_TEST

/* Frames beside one another in one piece of memory; one that outgrows its share. */
START_TEST(test_frame__may_be_lent_its_memory)
{
    enum { LENT = 496 };

    for (size_t s = 0; s < sizeof column_sets / sizeof column_sets[0]; s++) {
        const size_t bytes = LENT * cj__frame_row_bytes(column_sets[s]);
        char *room = malloc(2 * bytes); /* not more: a checker knows */
        cj__frame f, to[2];

        frame_fill(&f, column_sets[s]);
        for (size_t k = 0; k < 2; k++) {
            cj__frame_init(&to[k], allocator(), column_sets[s]);
            cj__frame_lend(&to[k], room + k * bytes, LENT);
            ck_assert_int_eq(cj__frame_reserve(&to[k], LENT), CJ_OK);
            ck_assert_ptr_null(to[k].memory);
        }
        for (size_t k = 0; k < 2; k++) {
            cj__frame_move(&to[k], 0, &f, (int64_t)k, LENT);
            to[k].n = LENT;
        }
        ck_assert_int_eq(cj__frame_reserve(&to[1], ROWS), CJ_OK);
        ck_assert_ptr_nonnull(to[1].memory);
        memset(room + bytes, 'x', bytes);
        for (uint32_t i = 0; i < LENT; i++) {
            expect_row(&to[0], i, i);
            expect_row(&to[1], i, i + 1);
        }
        cj__frame_end(&to[0]);
        cj__frame_end(&to[1]);
        cj__frame_end(&f);
        free(room);
    }
}
END_TEST

START_TEST(test_frame__moves_takes_and_scatters)
{
    for (size_t s = 0; s < sizeof column_sets / sizeof column_sets[0]; s++) {
        cj__frame f, to;
        uint32_t pick[ROWS], n = 0;

        frame_fill(&f, column_sets[s]);
        cj__frame_init(&to, allocator(), column_sets[s]);
        ck_assert_int_eq(cj__frame_reserve(&to, 2 * ROWS), CJ_OK);
        cj__frame_move(&to, 5, &f, 100, 50);
        for (uint32_t i = 0; i < 50; i++)
            expect_row(&to, 5 + i, 100 + i);
        for (uint32_t i = 0; i < ROWS; i++)
            pick[i] = (i * 7 + 3) % ROWS; /* 500 and 7 have no common divisor */
        cj__frame_scatter(&to, &f, 0, ROWS, pick);
        for (uint32_t i = 0; i < ROWS; i++)
            expect_row(&to, pick[i], i);
        cj__frame_take(&to, 10, &f, pick, ROWS);
        for (uint32_t i = 0; i < ROWS; i++)
            expect_row(&to, 10 + i, pick[i]);
        for (uint32_t i = 0; i < ROWS; i++) {
            pick[n] = i;
            n += random_below(3) == 0;
        }
        cj__frame_take(&f, 0, &f, pick, n); /* in place */
        for (uint32_t i = 0; i < n; i++)
            expect_row(&f, i, pick[i]);
        cj__frame_move(&f, 0, &f, 1, 0);
        cj__frame_end(&f);
        cj__frame_end(&to);
    }
}
END_TEST

START_TEST(test_frame__owns_properties)
{
    static const char *const texts[] = {"{}", "{\"a\":1}", NULL};
    const uint32_t pick[] = {1, 2, 3, 499};
    char bytes[16];
    cj__text scratch[3];
    cj__frame f, to;

    frame_fill(&f, CJ__COL_PROPERTIES);
    cj__frame_put_texts(&f, 7, 2, NULL);
    ck_assert_ptr_null(f.properties[7]->data);
    ck_assert_ptr_null(f.properties[8]->data);
    for (int i = 0; i < 3; i++)
        scratch[i] = cj__text_of(texts[i]);
    scratch[1].data = strcpy(bytes, texts[1]);
    cj__frame_put_texts(&f, 1, 3, scratch);
    ck_assert_int_eq(cj__frame_own(&f, 0, f.n), CJ_OK);
    memset(scratch, 'x', sizeof scratch);
    memset(bytes, 'x', sizeof bytes);
    ck_assert_int_eq(cj__frame_reserve(&f, 5000), CJ_OK); /* moves no text */
    cj__frame_take(&f, 0, &f, pick, 4);
    f.n = 4;
    ck_assert_int_eq(cj__frame_repack(&f), CJ_OK);
    ck_assert(cj__text_equal(*f.properties[0], cj__text_of("{}")));
    ck_assert(cj__text_equal(*f.properties[1], cj__text_of("{\"a\":1}")));
    ck_assert_ptr_null(f.properties[2]->data);
    expect_row(&f, 3, 499);
    cj__frame_init(&to, allocator(), CJ__COL_TIME);
    cj__frame_put_texts(&to, 0, 3, scratch); /* not wanted: nothing is touched */
    ck_assert_int_eq(cj__frame_own(&to, 0, 3), CJ_OK);
    cj__frame_clear(&f);
    ck_assert_int_eq(f.n, 0);
    cj__frame_end(&f);
    cj__frame_end(&to);
}
END_TEST

START_TEST(test_frame__too_many_rows_are_refused)
{
    cj__frame f;

    cj__frame_init(&f, allocator(), CJ__COL_ALL);
    ck_assert_int_eq(cj__frame_reserve(&f, INT64_C(1) << 33), CJ_ELIMIT);
    ck_assert_ptr_null(f.memory);
    cj__frame_end(&f);
}
END_TEST

/* ---- sorts ----------------------------------------------------------------------- */

static int key_compare(const void *x, const void *y)
{
    const cj__sort_key *a = x, *b = y;

    if (a->profile != b->profile)
        return a->profile < b->profile ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

START_TEST(test_sort__keys_as_the_c_library)
{
    for (int round = 0; round < 200; round++) {
        int64_t n = round < 40 ? round : (int64_t)random_below(3000);
        size_t bytes = ((size_t)n + 1) * sizeof(cj__sort_key);
        cj__sort_key *keys = calloc(1, 2 * bytes), *want = calloc(1, bytes);

        for (int64_t i = 0; i < n; i++)
            keys[i] = (cj__sort_key){.profile = random_below(1 + (uint32_t)round % 3),
                                     .time_ms = (int64_t)random_below(20) - 10,
                                     .node = random_below(3),
                                     .row = (uint32_t)i};
        if (n > 0)
            memcpy(want, keys, (size_t)n * sizeof *keys);
        qsort(want, (size_t)n, sizeof *want, key_compare);
        cj__sort_keys(keys, keys + n, n);
        for (int64_t i = 0; i < n; i++)
            ck_assert_mem_eq(&keys[i], &want[i], sizeof *keys);
        free(keys);
        free(want);
    }
}
END_TEST

static int pair_compare(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return a < b ? -1 : a > b;
}

START_TEST(test_sort__pairs_as_the_c_library)
{
    static const uint32_t highest[] = {1,       2047,          2048,
                                       1 << 22, (1 << 22) + 5, UINT32_MAX};

    for (int round = 0; round < 120; round++) {
        int64_t n = round < 10 ? round : (int64_t)random_below(4000);
        uint32_t most = highest[round % 6];
        uint64_t *keys = calloc(2 * (size_t)n + 1, 8), *want = calloc((size_t)n + 1, 8);

        for (int64_t i = 0; i < n; i++) {
            uint32_t high = random_below(most) + (i % 9 == 0);

            keys[i] = (uint64_t)high << 32 | (uint64_t)i;
            want[i] = keys[i];
        }
        qsort(want, (size_t)n, 8, pair_compare);
        cj__sort_pairs(keys, keys + n, n, most);
        for (int64_t i = 0; i < n; i++)
            ck_assert_uint_eq(keys[i], want[i]);
        free(keys);
        free(want);
    }
}
END_TEST

/* ---- sets of nodes, searches in a directory -------------------------------------- */

START_TEST(test_bits__any_of_a_range)
{
    for (int round = 0; round < 300; round++) {
        uint64_t bits[6] = {0};
        uint8_t slow[384] = {0};

        for (int i = 0; i < round % 5; i++) {
            uint32_t node = random_below(384);

            cj__bits_set(bits, node);
            slow[node] = 1;
        }
        for (int i = 0; i < 200; i++) {
            uint32_t first = random_below(384),
                     last = first + random_below(384 - first);
            int any = 0;

            for (uint32_t k = first; k <= last; k++)
                any |= slow[k];
            ck_assert_int_eq(cj__bits_any(bits, first, last), any);
        }
    }
    ck_assert_uint_eq(cj__bits_bytes(63), 8);
    ck_assert_uint_eq(cj__bits_bytes(64), 16);
}
END_TEST

START_TEST(test_plan__first_block_of_a_node)
{
    cj__part_block blocks[] = {
        {1, 2,  5,  9},
        {2, 5,  5,  9},
        {3, 5,  9,  9},
        {4, 12, 12, 9}
    };
    const cj__part part = {.n_blocks = 4, .blocks = blocks};
    static const int64_t want[] = {0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 3, 3, 3, 4, 4};

    for (uint32_t node = 0; node < 15; node++)
        ck_assert_int_eq(cj__plan_block(&part, node), want[node]);
}
END_TEST

/* ---- cutting --------------------------------------------------------------------- */

START_TEST(test_cut__windows_cover_all_profiles_in_order)
{
    for (int round = 0; round < 60; round++) {
        uint32_t n_nodes = 1 + random_below(round < 20 ? 50 : 3000000);
        int64_t window_events = 64 + random_below(5000);
        cj__part_block blocks[200];
        cj__part part = {.n_blocks = 200, .blocks = blocks};
        cj_db db = {0};
        cj__plan plan = {.db = &db, .parts = &part, .n_parts = 1, .n_nodes = n_nodes};
        cj__bins bins;
        cj__windows windows = {0};
        int64_t sum = 0;
        uint32_t lo = 1 + random_below(n_nodes), at = lo;
        uint32_t hi = lo + 1 + random_below(n_nodes + 1 - lo);

        db.cx.allocator = *allocator();
        for (int i = 0; i < 200; i++) {
            uint32_t first = 1 + random_below(n_nodes);
            uint32_t last = first + random_below(n_nodes + 1 - first);

            blocks[i] = (cj__part_block){i + 1, first, last, 1 + random_below(4096)};
            plan.n_events += blocks[i].n_events;
        }
        ck_assert_int_eq(cj__bins_make(&bins, &plan, window_events), CJ_OK);
        for (size_t i = 0; i < bins.n; i++)
            sum += bins.count[i];
        ck_assert_int_eq(sum, plan.n_events);
        ck_assert_int_eq(cj__bins_cut(&bins, lo, hi, &windows), CJ_OK);
        for (int64_t i = 0; i < windows.n; i++) {
            ck_assert_uint_eq(windows.at[i].lo, at);
            ck_assert_uint_gt(windows.at[i].hi, at);
            at = windows.at[i].hi;
            ck_assert_int_eq(bins.window[cj__bins_at(&bins, windows.at[i].lo)], i);
            ck_assert_int_eq(bins.window[cj__bins_at(&bins, at - 1)], i);
            ck_assert_uint_le(at - windows.at[i].lo, 1u << 19);
        }
        ck_assert_uint_eq(at, hi);
        cj__free(allocator(), windows.at, windows.capacity * sizeof *windows.at);
        cj__bins_end(&bins);
    }
}
END_TEST

HARNESS_MAIN("scan_frame", test_frame__keeps_rows_as_it_grows,
             test_frame__may_be_lent_its_memory, test_frame__moves_takes_and_scatters,
             test_frame__owns_properties, test_frame__too_many_rows_are_refused,
             test_sort__keys_as_the_c_library, test_sort__pairs_as_the_c_library,
             test_bits__any_of_a_range, test_plan__first_block_of_a_node,
             test_cut__windows_cover_all_profiles_in_order)
