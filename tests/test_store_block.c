/* Blocks: rows come back, columns and single nodes agree with rows, checksums see every
 * damaged byte, and without checksums damage never leads outside. */
#include "harness.h"
#include "random_rows.h"
#include "store/block.h"

#include <stdio.h>
#include <string.h>

static cj__row rows[CJ__BLOCK_EVENTS], got[CJ__BLOCK_EVENTS];

typedef struct bench {
    cj__ctx cx;
    cj__arena made, read;
    cj__str core, props;
    random_rows r;
} bench;

static void bench_begin(bench *b, uint64_t seed)
{
    cj__ctx_init(&b->cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__arena_init(&b->made, &b->cx.allocator);
    cj__arena_init(&b->read, &b->cx.allocator);
    cj__str_init(&b->core, &b->cx.allocator, 1 << 24);
    cj__str_init(&b->props, &b->cx.allocator, 1 << 24);
    b->r = (random_rows){seed, &b->made};
}

static void bench_end(bench *b)
{
    cj__arena_end(&b->made);
    cj__arena_end(&b->read);
    cj__str_end(&b->core);
    cj__str_end(&b->props);
}

/* Encode n random rows; core and props alone on the heap. */
static void bench_encode(bench *b, uint32_t n, int wild, uint32_t columns,
                         cj__text *core, cj__text *props)
{
    cj__arena_reset(&b->made);
    cj__arena_reset(&b->read);
    random_fill(&b->r, rows, n, wild);
    cj__str_clear(&b->core);
    cj__str_clear(&b->props);
    ck_assert_int_eq(
        cj__block_encode(&b->cx.allocator, rows, n, columns, &b->core, &b->props),
        CJ_OK);
    *core = bytes_copy(b->core.data, b->core.n);
    *props = bytes_copy(b->props.data, b->props.n);
}

static void free_both(cj__text core, cj__text props)
{
    bytes_free(core);
    bytes_free(props);
}

/* The same, until there are properties. */
static void bench_encode_all(bench *b, uint32_t n, cj__text *core, cj__text *props)
{
    bench_encode(b, n, 0, CJ__COL_ALL, core, props);
    while (props->n == 0) {
        free_both(*core, *props);
        bench_encode(b, n, 0, CJ__COL_ALL, core, props);
    }
}

/* Columns with a canary behind the n-th row. */
typedef struct guarded {
    cj__columns c;
    uint32_t narrow[7][CJ__BLOCK_EVENTS + 1];
    int64_t wide[3][CJ__BLOCK_EVENTS + 1];
    uint64_t keys[2][CJ__BLOCK_EVENTS + 1];
    uint8_t has_value[CJ__BLOCK_EVENTS + 1];
} guarded;
static guarded out;

static void guarded_begin(uint32_t want)
{
    memset(&out, 0xa5, sizeof out);
    memset(&out.c, 0, sizeof out.c);
    out.c.node = out.narrow[0];
    out.c.name = want & CJ__COL_NAME ? out.narrow[1] : NULL;
    out.c.channel = want & CJ__COL_CHANNEL ? out.narrow[2] : NULL;
    out.c.campaign = want & CJ__COL_CAMPAIGN ? out.narrow[3] : NULL;
    out.c.content = want & CJ__COL_CONTENT ? out.narrow[4] : NULL;
    out.c.product = want & CJ__COL_PRODUCT ? out.narrow[5] : NULL;
    out.c.currency = want & CJ__COL_CURRENCY ? out.narrow[6] : NULL;
    out.c.time_ms = want & CJ__COL_TIME ? out.wide[0] : NULL;
    out.c.value_minor = want & CJ__COL_VALUE ? out.wide[1] : NULL;
    out.c.has_value = want & CJ__COL_VALUE ? out.has_value : NULL;
    out.c.quantity = want & CJ__COL_QUANTITY ? out.wide[2] : NULL;
    out.c.session = want & CJ__COL_SESSION ? out.keys[0] : NULL;
    out.c.order = want & CJ__COL_ORDER ? out.keys[1] : NULL;
}

static void guarded_check(size_t n)
{
    for (int i = 0; i < 7; i++)
        ck_assert_uint_eq(out.narrow[i][n], 0xa5a5a5a5u);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq((uint64_t)out.wide[i][n], 0xa5a5a5a5a5a5a5a5u);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(out.keys[i][n], 0xa5a5a5a5a5a5a5a5u);
    ck_assert_uint_eq(out.has_value[n], 0xa5);
}

/* Row i of the columns is `row`, as far as columns are wanted and kept. */
static void expect_row(uint32_t want, uint32_t kept, int64_t i, const cj__row *row)
{
    cj__row now = {.node = out.c.node[i]}, then = {.node = row->node};
    const char *field;

#define EXPECT(bit, member)                                                            \
    if (want & (bit)) {                                                                \
        now.member = out.c.member[i];                                                  \
        then.member = (kept | CJ__COL_TIME) & (bit) ? row->member : 0;                 \
    }
    EXPECT(CJ__COL_TIME, time_ms)
    EXPECT(CJ__COL_NAME, name)
    EXPECT(CJ__COL_CHANNEL, channel)
    EXPECT(CJ__COL_CAMPAIGN, campaign)
    EXPECT(CJ__COL_CONTENT, content)
    EXPECT(CJ__COL_PRODUCT, product)
    EXPECT(CJ__COL_CURRENCY, currency)
    EXPECT(CJ__COL_QUANTITY, quantity)
    EXPECT(CJ__COL_VALUE, value_minor)
    EXPECT(CJ__COL_VALUE, has_value)
#undef EXPECT
    field = rows_differ(&now, &then);
    ck_assert_msg(field == NULL, "row %d: %s differs", (int)i, field);
    if (want & CJ__COL_SESSION)
        ck_assert_uint_eq(out.c.session[i],
                          kept & CJ__COL_SESSION ? cj__row_key(row->session) : 0);
    if (want & CJ__COL_ORDER)
        ck_assert_uint_eq(out.c.order[i],
                          kept & CJ__COL_ORDER ? cj__row_key(row->order) : 0);
}

static const uint32_t sizes[] = {1, 2, 5, 64, 511, 512, 513, 1500, 4096};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

/* ---- tests --------------------------------------------------------------------------
 */

START_TEST(test_store_block__rows_come_back)
{
    bench b;

    bench_begin(&b, 1);
    for (uint32_t round = 0; round < 12 * N_SIZES; round++) {
        uint32_t n = sizes[round % N_SIZES];
        int64_t n_got;
        cj__block_header h;
        cj__text core, props;

        bench_encode(&b, n, round / N_SIZES % 2, CJ__COL_ALL, &core, &props);
        ck_assert_int_eq(cj__block_open(core, props, &h), CJ_OK);
        ck_assert_int_eq(h.n, n);
        ck_assert_uint_eq(h.first_node, rows[0].node);
        ck_assert_uint_eq(h.last_node, rows[n - 1].node);
        ck_assert_uint_eq(h.columns, CJ__COL_ALL);
        ck_assert_int_eq(cj__block_rows(core, props, &b.read, got, &n_got), CJ_OK);
        ck_assert_int_eq(n_got, n);
        for (uint32_t i = 0; i < n; i++) {
            const char *field = rows_differ(&got[i], &rows[i]);

            ck_assert_msg(field == NULL, "row %u of %u: %s differs", i, n, field);
            ck_assert(rows[i].time_ms >= h.min_ms && rows[i].time_ms <= h.max_ms);
        }
        free_both(core, props);
    }
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__columns_agree_with_rows)
{
    bench b;

    bench_begin(&b, 2);
    for (uint32_t round = 0; round < 20 * N_SIZES; round++) {
        uint32_t n = sizes[round % N_SIZES], want = random_below(&b.r, CJ__COL_ALL + 1);
        uint32_t kept = round % 3 ? CJ__COL_ALL : CJ__COL_PROJECTION;
        cj__text core, props;

        if (round % 5 == 0)
            want = CJ__COL_ALL;
        bench_encode(&b, n, round / N_SIZES % 2, kept, &core, &props);
        guarded_begin(want);
        ck_assert_int_eq(cj__block_columns(core, want, &out.c), CJ_OK);
        ck_assert_int_eq(out.c.n, n);
        guarded_check(n);
        for (uint32_t i = 0; i < n; i++)
            expect_row(want, kept, i, &rows[i]);
        free_both(core, props);
    }
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__a_node_is_that_part_of_all)
{
    bench b;

    bench_begin(&b, 3);
    for (uint32_t round = 0; round < 6 * N_SIZES; round++) {
        uint32_t n = sizes[round % N_SIZES], want = random_below(&b.r, CJ__COL_ALL + 1);
        cj__text core, props;
        int64_t first;

        bench_encode(&b, n, round / N_SIZES % 2, CJ__COL_ALL, &core, &props);
        for (uint32_t i = 0; i < n; i += 1 + random_below(&b.r, 100)) {
            uint32_t from = i, until = i;

            while (from > 0 && rows[from - 1].node == rows[i].node)
                from--;
            while (until < n && rows[until].node == rows[i].node)
                until++;
            guarded_begin(want);
            ck_assert_int_eq(cj__block_node(core, rows[i].node, want, &out.c, &first),
                             CJ_OK);
            ck_assert_int_eq(first, from);
            ck_assert_int_eq(out.c.n, until - from);
            guarded_check(until - from);
            for (uint32_t k = from; k < until; k++)
                expect_row(want, CJ__COL_ALL, k - from, &rows[k]);
        }
        ck_assert_int_eq(cj__block_node(core, 0, want, &out.c, &first), CJ_OK);
        ck_assert_int_eq(out.c.n, 0);
        ck_assert_int_eq(cj__block_node(core, UINT32_MAX - 7, want, &out.c, &first),
                         CJ_OK);
        ck_assert_int_eq(out.c.n, 0);
        free_both(core, props);
    }
    bench_end(&b);
}
END_TEST

/* A node's rows by where they are, too, as columns and as rows. */
static void expect_run(bench *b, cj__text core, cj__text props, uint32_t want,
                       const uint32_t range[2])
{
    static cj__row some[CJ__BLOCK_EVENTS];
    const uint32_t node = rows[range[0]].node;

    guarded_begin(want);
    ck_assert_int_eq(cj__block_run(core, node, range, want, &out.c), CJ_OK);
    ck_assert_int_eq(out.c.n, range[1] - range[0]);
    guarded_check(range[1] - range[0]);
    for (uint32_t k = range[0]; k < range[1]; k++)
        expect_row(want, CJ__COL_ALL, k - range[0], &rows[k]);
    ck_assert_int_eq(cj__block_run_rows(core, props, node, range, &b->read, some),
                     CJ_OK);
    for (uint32_t k = range[0]; k < range[1]; k++)
        ck_assert_msg(rows_differ(&some[k - range[0]], &rows[k]) == NULL, "row %u", k);
}

START_TEST(test_store_block__nodes_and_their_runs)
{
    bench b;

    bench_begin(&b, 11);
    for (uint32_t round = 0; round < 4 * N_SIZES; round++) {
        const uint32_t n = sizes[round % N_SIZES];
        const uint32_t want = (uint32_t)random_next(&b.r) & CJ__COL_ALL;
        uint32_t range[2], end;
        cj__text core, props, index;
        cj__str made;

        bench_encode(&b, n, round % 2 != 0, CJ__COL_ALL, &core, &props);
        cj__str_init(&made, &b.cx.allocator, 1 << 20);
        ck_assert_int_eq(cj__block_nodes(core, &made), CJ_OK);
        index = bytes_copy(made.data, made.n);
        for (uint32_t from = 0; from < n; from = end) {
            for (end = from + 1; end < n && rows[end].node == rows[from].node;)
                end++;
            ck_assert_int_eq(cj__block_find(index, rows[from].node, range), CJ_OK);
            ck_assert_uint_eq(range[0], from);
            ck_assert_uint_eq(range[1], end);
            if (random_below(&b.r, 7) == 0)
                expect_run(&b, core, props, want, range);
            if (end < n && rows[end].node == rows[from].node + 1)
                continue;
            ck_assert_int_eq(cj__block_find(index, rows[from].node + 1, range), CJ_OK);
            ck_assert_uint_eq(range[0], range[1]);
        }
        ck_assert_int_eq(cj__block_find(index, rows[0].node - 1, range), CJ_OK);
        ck_assert_uint_eq(range[0], range[1]);
        ck_assert_int_eq(cj__block_run(core, 1, (uint32_t[]){n, n}, want, &out.c),
                         CJ_ECORRUPT);
        ck_assert_int_eq(cj__block_run(core, 1, (uint32_t[]){0, n + 1}, want, &out.c),
                         CJ_ECORRUPT);
        bytes_free(index);
        cj__str_end(&made);
        cj__arena_reset(&b.read);
        free_both(core, props);
    }
    bench_end(&b);
}
END_TEST

/* Columns that are full are read without the codes, others beside them with. */
START_TEST(test_store_block__full_columns)
{
    static const uint32_t wants[] = {
        CJ__COL_VALUE, CJ__COL_VALUE | CJ__COL_TIME, CJ__COL_VALUE | CJ__COL_QUANTITY,
        CJ__COL_VALUE | CJ__COL_NAME, CJ__COL_VALUE | CJ__COL_CURRENCY | CJ__COL_TIME};
    int64_t n_read = 0, first;
    bench b;

    bench_begin(&b, 8);
    for (uint32_t round = 0; round < 5 * N_SIZES; round++) {
        uint32_t n = sizes[round % N_SIZES], want = wants[round / N_SIZES];
        cj__text core, props;

        bench_encode(&b, n, 0, CJ__COL_ALL, &core, &props);
        free_both(core, props);
        for (uint32_t i = 0; i < n; i++) {
            rows[i].has_value = 1;
            rows[i].quantity = round % 2 ? 3 : rows[i].quantity;
        }
        cj__str_clear(&b.core);
        ck_assert_int_eq(
            cj__block_encode(&b.cx.allocator, rows, n, CJ__COL_ALL, &b.core, &b.props),
            CJ_OK);
        core = bytes_copy(b.core.data, b.core.n);
        guarded_begin(want);
        ck_assert_int_eq(cj__block_columns(core, want, &out.c), CJ_OK);
        guarded_check(n);
        for (uint32_t i = 0; i < n; i++)
            expect_row(want, CJ__COL_ALL, i, &rows[i]);
        guarded_begin(want);
        ck_assert_int_eq(cj__block_node(core, rows[n / 2].node, want, &out.c, &first),
                         CJ_OK);
        for (int64_t i = 0; i < out.c.n; i++)
            expect_row(want, CJ__COL_ALL, i, &rows[first + i]);
        n_read += out.c.n;
        bytes_free(core);
    }
    ck_assert_int_ge(n_read, 5 * N_SIZES);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__rows_need_not_be_sorted)
{
    cj__text core, props;
    int64_t n_got;
    bench b;

    bench_begin(&b, 4);
    bench_encode(&b, 100, 1, CJ__COL_ALL, &core, &props);
    free_both(core, props);
    for (uint32_t i = 0; i < 50; i++) {
        cj__row row = rows[i];

        rows[i] = rows[99 - i];
        rows[99 - i] = row;
    }
    cj__str_clear(&b.core);
    cj__str_clear(&b.props);
    ck_assert_int_eq(
        cj__block_encode(&b.cx.allocator, rows, 100, CJ__COL_ALL, &b.core, &b.props),
        CJ_OK);
    core = (cj__text){b.core.data, b.core.n};
    props = (cj__text){b.props.data, b.props.n};
    ck_assert_int_eq(cj__block_rows(core, props, &b.read, got, &n_got), CJ_OK);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_ptr_null(rows_differ(&got[i], &rows[i]));
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__encoding_appends_and_is_deterministic)
{
    size_t n_core, n_props;
    cj__text core, props;
    bench b;

    bench_begin(&b, 5);
    bench_encode_all(&b, 300, &core, &props);
    n_core = b.core.n;
    n_props = b.props.n;
    ck_assert_int_eq(
        cj__block_encode(&b.cx.allocator, rows, 300, CJ__COL_ALL, &b.core, &b.props),
        CJ_OK);
    ck_assert_uint_eq(b.core.n, 2 * n_core);
    ck_assert_uint_eq(b.props.n, 2 * n_props);
    ck_assert_mem_eq(b.core.data + n_core, core.data, n_core);
    ck_assert_mem_eq(b.props.data + n_props, props.data, n_props);
    free_both(core, props);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__holds_1_to_4096_rows)
{
    bench b;

    bench_begin(&b, 6);
    ck_assert_int_eq(
        cj__block_encode(&b.cx.allocator, rows, 0, CJ__COL_ALL, &b.core, &b.props),
        CJ_EINVAL);
    ck_assert_int_eq(cj__block_encode(&b.cx.allocator, rows, CJ__BLOCK_EVENTS + 1,
                                      CJ__COL_ALL, &b.core, &b.props),
                     CJ_EINVAL);
    ck_assert_uint_eq(b.core.n + b.props.n, 0);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__checksums_see_every_byte)
{
    cj__text core, props;
    cj__block_header h;
    bench b;
    char *bytes;

    bench_begin(&b, 7);
    bench_encode_all(&b, 40, &core, &props);
    memcpy(&bytes, &core.data, sizeof bytes);
    for (size_t i = 0; i < core.n * 8; i++) {
        bytes[i / 8] ^= (char)(1 << i % 8);
        ck_assert_int_eq(cj__block_open(core, props, &h), CJ_ECORRUPT);
        ck_assert_int_eq(h.n, 0);
        bytes[i / 8] ^= (char)(1 << i % 8);
    }
    memcpy(&bytes, &props.data, sizeof bytes);
    for (size_t i = 0; i < props.n * 8; i++) {
        bytes[i / 8] ^= (char)(1 << i % 8);
        ck_assert_int_eq(cj__block_open(core, props, &h), CJ_ECORRUPT);
        bytes[i / 8] ^= (char)(1 << i % 8);
    }
    ck_assert_int_eq(cj__block_open(core, props, &h), CJ_OK);
    ck_assert_int_eq(cj__block_open(core, (cj__text){NULL, 0}, &h), CJ_OK);
    ck_assert_int_eq(cj__block_open(core, (cj__text){"", 0}, &h), CJ_ECORRUPT);
    for (size_t n = 0; n < core.n; n++)
        ck_assert_int_eq(cj__block_open((cj__text){core.data, n}, props, &h),
                         CJ_ECORRUPT);
    free_both(core, props);
    bench_end(&b);
}
END_TEST

START_TEST(test_store_block__damage_never_leads_outside)
{
    uint64_t refused = 0;
    bench b;

    bench_begin(&b, 8);
    for (uint32_t round = 0; round < 3 * N_SIZES; round++) {
        uint32_t n = sizes[round % N_SIZES];
        cj__text core, props;

        bench_encode(&b, n, round % 2, CJ__COL_ALL, &core, &props);
        for (int i = 0; i < 120; i++) {
            cj__text copy = bytes_copy(
                core.data, i % 5 ? core.n : random_below(&b.r, (uint32_t)core.n));
            int64_t first, n_got;
            char *bytes;

            memcpy(&bytes, &copy.data, sizeof bytes);
            for (int hit = i % 3; copy.n > 0 && hit >= 0; hit--)
                bytes[random_below(&b.r,
                                   i % 2 && copy.n > 90 ? 90 : (uint32_t)copy.n)] =
                    (char)random_next(&b.r);
            guarded_begin(CJ__COL_ALL);
            refused += cj__block_columns(copy, CJ__COL_ALL, &out.c) != CJ_OK;
            cj__block_node(copy, rows[n / 2].node, CJ__COL_ALL, &out.c, &first);
            guarded_check(CJ__BLOCK_EVENTS);
            cj__block_run(copy, rows[n / 2].node, (uint32_t[]){n / 3, n / 2 + 1},
                          CJ__COL_ALL, &out.c);
            guarded_check(CJ__BLOCK_EVENTS);
            refused += cj__block_rows(copy, props, &b.read, got, &n_got) != CJ_OK;
            ck_assert_int_le(n_got, CJ__BLOCK_EVENTS);
            bytes_free(copy);
            cj__arena_reset(&b.read);
        }
        free_both(core, props);
    }
    ck_assert_uint_gt(refused, 1000);
    bench_end(&b);
}
END_TEST

/* An allocator that fails from the n-th request on. */
typedef struct failing {
    cj__allocator plain;
    int64_t left, held;
} failing;

static void *failing_realloc(void *user, void *p, uint64_t old_bytes,
                             uint64_t new_bytes)
{
    failing *f = user;

    if (new_bytes > 0 && f->left-- <= 0)
        return NULL;
    f->held += (int64_t)new_bytes - (int64_t)old_bytes;
    return f->plain.realloc(f->plain.user, p, old_bytes, new_bytes);
}

START_TEST(test_store_block__every_failed_allocation_is_told)
{
    cj__text core_bytes, props_bytes;
    int failures = 0;
    bench b;

    bench_begin(&b, 9);
    bench_encode_all(&b, 700, &core_bytes, &props_bytes);
    for (int64_t n = 0;; n++) {
        failing f = {b.cx.allocator, n, 0};
        const cj__allocator a = {failing_realloc, &f};
        cj__str core, props;
        cj__arena arena;
        int64_t n_got;
        int32_t rc;

        cj__str_init(&core, &a, 1 << 20);
        cj__str_init(&props, &a, 1 << 20);
        cj__arena_init(&arena, &a);
        rc = cj__block_encode(&a, rows, 700, CJ__COL_ALL, &core, &props);
        if (rc == CJ_OK)
            rc = cj__block_rows(core_bytes, props_bytes, &arena, got, &n_got);
        cj__str_end(&core);
        cj__str_end(&props);
        cj__arena_end(&arena);
        ck_assert_int_eq(f.held, 0);
        if (rc == CJ_OK)
            break;
        ck_assert_int_eq(rc, CJ_ENOMEM);
        failures++;
    }
    ck_assert_int_gt(failures, 20);
    free_both(core_bytes, props_bytes);
    bench_end(&b);
}
END_TEST

HARNESS_MAIN("store_block", test_store_block__rows_come_back,
             test_store_block__columns_agree_with_rows,
             test_store_block__a_node_is_that_part_of_all,
             test_store_block__nodes_and_their_runs, test_store_block__full_columns,
             test_store_block__rows_need_not_be_sorted,
             test_store_block__encoding_appends_and_is_deterministic,
             test_store_block__holds_1_to_4096_rows,
             test_store_block__checksums_see_every_byte,
             test_store_block__damage_never_leads_outside,
             test_store_block__every_failed_allocation_is_told)
