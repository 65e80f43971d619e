/* Scans that leave few rows: after names and products, or of few profiles.  They take
 * ways of their own, read what they have kept before, and must show what the histories
 * say, whatever was sealed, merged, compacted by another handle or came late. */
#include "history.h"

#include "store/reader.h"

#include "harness.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)

/* ---- what a fold sees, and what the history says --------------------------------- */

typedef struct seen {
    int64_t profile, node, time_ms, name, product, value; /* node 0: nothing is seen */
} seen;

static void seen_put(cj__str *s, seen what)
{
    cj__str_put(s, &what, sizeof what);
}

static int32_t fold_seen(const void *arg, cj__str *partial, uint32_t profile,
                         const cj__columns *c, int64_t first, int64_t n)
{
    const uint32_t columns = *(const uint32_t *)arg;

    if (n == 0)
        seen_put(partial, (seen){.profile = profile});
    for (int64_t i = first; i < first + n; i++) {
        seen_put(partial, (seen){profile, c->node[i], c->time_ms[i], c->name[i],
                                 columns & CJ__COL_PRODUCT ? c->product[i] : 0,
                                 c->has_value[i] ? c->value_minor[i] : -1});
        if (columns & CJ__COL_PROPERTIES && c->properties[i]->data != NULL)
            cj__str_put(partial, c->properties[i]->data, c->properties[i]->n);
    }
    return cj__str_status(partial);
}

/* Profiles without rows, when they are wanted too. */
static void told_idle(history *h, const cj__scan_options *opts, uint32_t from,
                      uint32_t until, cj__str *s)
{
    for (uint32_t i = from; opts->idle && i < until; i++) {
        if (h->root[i] == i && history_shows(h, opts, i))
            seen_put(s, (seen){.profile = i});
    }
}

static void told(history *h, const cj__scan_options *opts, uint32_t columns, cj__str *s)
{
    uint32_t next = 1;
    int n, *indices = history_select(h, opts, -1, &n);

    for (int i = 0; i < n; i++) {
        const history_event *e = &h->events[indices[i]];
        const uint32_t root = h->root[e->node];

        if (root >= next)
            told_idle(h, opts, next, root, s);
        next = root + 1;
        seen_put(s, (seen){root, e->node, e->time_ms, history_name_id(h, e->name),
                           columns & CJ__COL_PRODUCT && e->product > 0
                               ? history_product_id(h, e->product)
                               : 0,
                           e->has_value ? e->value : -1});
        if (columns & CJ__COL_PROPERTIES)
            cj__str_put_text(s, e->properties);
    }
    told_idle(h, opts, next, h->n_nodes + 1, s);
    free(indices);
}

/* Twice: the second time from what the first one has kept. */
static size_t expect_same(history *h, const cj__scan_options *opts, uint32_t columns)
{
    size_t n;
    cj__str want;

    cj__str_init(&want, &h->db->cx.allocator, SIZE_MAX / 4);
    told(h, opts, columns, &want);
    for (int again = 0; again < 2; again++) {
        cj__fold fold = {.columns = columns, .profile = fold_seen, .arg = &columns};

        ck_assert_msg(cj__scan(h->db, opts, &fold, 1) == CJ_OK, "%s", cj_errmsg());
        ck_assert_uint_eq(fold.partial.n, want.n);
        ck_assert(want.n == 0 || memcmp(fold.partial.data, want.data, want.n) == 0);
        cj__str_end(&fold.partial);
    }
    n = want.n / sizeof(seen);
    cj__str_end(&want);
    return n;
}

/* ---- after names and products ---------------------------------------------------- */

enum {
    SPARSE_COLUMNS = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE | CJ__COL_PRODUCT,
    VALUE_COLUMNS = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE
};

static size_t expect_products(history *h)
{
    const int n_products = (int)h->n_products;
    const uint32_t names[3] = {history_name_id(h, 2), history_name_id(h, 0), 1000000};
    uint64_t *bits = calloc((size_t)h->n_nodes / 64 + 1, sizeof *bits);
    size_t n = 0;

    for (uint32_t i = 1; i <= h->n_nodes; i++)
        bits[i >> 6] |= (uint64_t)(history_random(h, 3) == 0) << (i & 63);
    for (int i = 0; i < 12; i += harness_stride(5)) {
        const uint32_t products[3] = {history_product_id(h, 1 + i % n_products),
                                      history_product_id(h, n_products), 4000000};
        cj__scan_options opts = {.names = names,
                                 .n_names = 1 + (size_t)i % 3,
                                 .products = products,
                                 .n_products = i % 4 == 0 ? 1 : 1 + (size_t)i % 3,
                                 .threads = i % 4,
                                 .guests = i % 2};

        opts.profiles = i % 5 == 3 ? bits : NULL;
        opts.from_ms = i % 3 == 1 ? HISTORY_FROM_MS + i * DAY_MS : 0;
        opts.until_ms = i % 3 == 1 ? opts.from_ms + 20 * DAY_MS : 0;
        n += expect_same(h, &opts, SPARSE_COLUMNS);
        opts.idle = 1;
        (void)expect_same(h, &opts, SPARSE_COLUMNS);
        opts.idle = 0;
        (void)expect_same(h, &opts, SPARSE_COLUMNS | CJ__COL_PROPERTIES);
    }
    free(bits);
    return n;
}

/* ---- of few profiles ------------------------------------------------------------- */

/* Some profiles with all their nodes, as scan options want them. */
static int64_t pick_some(history *h, uint64_t *some, uint64_t *bits)
{
    int64_t n = 0;

    history_roots(h);
    memset(bits, 0, ((size_t)h->n_nodes / 64 + 1) * sizeof *bits);
    for (uint32_t root = 1; root <= h->n_nodes; root++) {
        if (h->root[root] != root || history_random(h, 8) != 0)
            continue;
        bits[root >> 6] |= (uint64_t)1 << (root & 63);
        for (uint32_t node = root; node <= h->n_nodes; node++) {
            if (h->root[node] == root)
                some[n++] = (uint64_t)root << 32 | node;
        }
    }
    return n;
}

static size_t expect_some(history *h)
{
    uint64_t *some = calloc((size_t)h->n_nodes + 1, sizeof *some);
    uint64_t *bits = calloc((size_t)h->n_nodes / 64 + 1, sizeof *bits);
    size_t n = 0;

    for (int i = 0; i < 6; i += harness_stride(3)) {
        cj__scan_options opts = {.guests = 1, .unsealed = 1, .idle = i % 2};

        opts.n_some = pick_some(h, some, bits);
        opts.some = some;
        opts.profiles = bits;
        if (opts.n_some == 0)
            continue;
        opts.from_ms = i % 3 == 1 ? HISTORY_FROM_MS + i * 3 * DAY_MS : 0;
        n += expect_same(h, &opts, VALUE_COLUMNS);
        (void)expect_same(h, &opts, SPARSE_COLUMNS | CJ__COL_PROPERTIES);
        opts.value_only = 1;
        (void)expect_same(h, &opts, VALUE_COLUMNS);
    }
    free(some);
    free(bits);
    return n;
}

static void expect_both(history *h)
{
    ck_assert_uint_gt(expect_products(h), 0);
    ck_assert_uint_gt(expect_some(h), 0);
}

/* ---- histories ------------------------------------------------------------------- */

/* The file in another handle, as another process has it. */
static cj_db *second_handle(const history *h)
{
    const cj_open_options opts = {.struct_size = (int64_t)sizeof opts};
    cj_db *db;

    ck_assert_msg(cj_open(h->path, &opts, &db) == CJ_OK, "%s", cj_errmsg());
    return db;
}

static void sparse_history(uint64_t seed, int n_users, int64_t seal_events)
{
    history h;

    history_open(&h, seed, n_users, seal_events, NULL);
    h.n_products = 3 + (uint32_t)seed % 40;
    for (int round = 0; round < 3; round++) {
        history_record(&h, 400); /* late ones among them: times are random */
        expect_both(&h);
        for (int i = 0; i < n_users / 6; i++)
            history_merge(&h);
        expect_both(&h);
        if (round == 1) {
            cj_db *other = second_handle(&h);

            ck_assert_int_eq(cj_compact(other, NULL, NULL), CJ_OK);
            expect_both(&h); /* the blocks of before are gone */
            history_record(&h, 100);
            for (int i = 0; i < n_users / 12; i++)
                history_unmerge(&h);
            ck_assert_int_eq(cj_compact(other, NULL, NULL), CJ_OK);
            ck_assert_int_eq(cj_close(other), CJ_OK);
            expect_both(&h);
        }
    }
    history_end(&h);
}

START_TEST(test_scan_sparse__equals_the_history_for_any_sealing)
{
    static const int64_t seals[] = {1, 7, 100, 65536};

    for (int i = 0; i < 4; i += harness_stride(3))
        sparse_history(21 + (uint64_t)i, 60, seals[i]);
}
END_TEST

START_TEST(test_scan_sparse__equals_random_histories)
{
    const uint64_t step = getenv("CJ_NIGHTLY") != NULL ? 1 : 2;

    for (uint64_t seed = 2; seed < 8; seed += step * (uint64_t)harness_stride(3))
        sparse_history(seed, 40 + (int)(seed * seed) * 5, 50 + (int64_t)seed * 37);
}
END_TEST

/* Blocks that are full, read by several threads. */
START_TEST(test_scan_sparse__many_blocks)
{
    history h;

    history_open(&h, 31, 3000, 12000, NULL);
    h.span_hours = 500;
    h.n_products = 2000;
    history_record(&h, 45000);
    expect_both(&h);
    for (int i = 0; i < 500; i++)
        history_merge(&h);
    expect_both(&h);
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    expect_both(&h);
    history_end(&h);
}
END_TEST

/* More rows than the memory takes: the ordinary scan shows them. */
START_TEST(test_scan_sparse__many_rows_are_dense)
{
    history h;
    uint32_t names[2], product;

    history_open(&h, 33, 500, 7000, NULL);
    h.n_products = 1;
    history_record(&h, 30000);
    for (int i = 0; i < 100; i++)
        history_merge(&h);
    names[0] = history_name_id(&h, 0);
    names[1] = history_name_id(&h, 2);
    product = history_product_id(&h, 1);
    for (int i = 0; i < 4; i++) {
        const cj__scan_options opts = {.names = names,
                                       .n_names = 2,
                                       .products = &product,
                                       .n_products = 1,
                                       .guests = 1,
                                       .threads = 1 + i / 2,
                                       .memory_bytes = i % 2};

        ck_assert_uint_gt(expect_same(&h, &opts, SPARSE_COLUMNS), 2 * 4096);
    }
    history_end(&h);
}
END_TEST

/* ---- what is read ---------------------------------------------------------------- */

static int32_t count_blocks(void *user, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    ++*(int64_t *)user;
    return 0;
}

static int64_t blocks_read(history *h, cj__scan_options opts)
{
    uint32_t columns = SPARSE_COLUMNS;
    cj__fold fold = {.columns = columns, .profile = fold_seen, .arg = &columns};
    int64_t n = 0;

    opts.progress = count_blocks;
    opts.progress_user = &n;
    ck_assert_int_eq(cj__scan(h->db, &opts, &fold, 1), CJ_OK);
    cj__str_end(&fold.partial);
    return n;
}

/* One event of a product among many of others: the second question, which may be for
 * another product, passes over the blocks that have it not. */
START_TEST(test_scan_sparse__blocks_are_passed_over)
{
    history_event e = {.user = 1, .name = 2, .product = 900, .channel = -1};
    uint32_t view, search, common, rare;
    cj__scan_options opts = {.n_names = 1, .n_products = 1, .guests = 1, .threads = 1};
    int64_t all;
    history h;

    history_open(&h, 35, 2000, 10000, NULL);
    h.n_products = 800;
    h.span_hours = 600;
    history_record(&h, 20000);
    e.time_ms = HISTORY_FROM_MS + 9 * DAY_MS;
    history_add(&h, e);
    ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
    h.n_products = 900; /* those that may be looked up */
    view = history_name_id(&h, 2);
    search = history_name_id(&h, 3);
    common = history_product_id(&h, 5);
    rare = history_product_id(&h, 900);
    opts.names = &view;
    opts.products = &common;
    all = blocks_read(&h, opts);
    ck_assert_int_ge(all, 6);
    opts.products = &rare;
    ck_assert_int_ge(blocks_read(&h, opts), 1);
    ck_assert_int_le(blocks_read(&h, opts), 2);
    ck_assert_uint_eq(expect_same(&h, &opts, SPARSE_COLUMNS), 1);
    opts.names = &search; /* the product is there, but not searched for */
    ck_assert_int_le(blocks_read(&h, opts), 1);
    ck_assert_uint_eq(expect_same(&h, &opts, SPARSE_COLUMNS), 0);
    opts.n_names = 0; /* of any name: nothing is known of it */
    ck_assert_int_eq(blocks_read(&h, opts), all);
    history_end(&h);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------- */

typedef struct failing {
    void *(*realloc)(void *user, void *p, uint64_t old_bytes, uint64_t new_bytes);
    void *user;
    int64_t left;
} failing;

static void *failing_realloc(void *user, void *p, uint64_t old_bytes,
                             uint64_t new_bytes)
{
    failing *f = user;

    if (new_bytes > 0 && f->left-- <= 0)
        return NULL;
    return f->realloc(f->user, p, old_bytes, new_bytes);
}

/* Each time cold: nothing is kept, not even a connection. */
static void sparse_fails(history *h, const cj__scan_options *opts)
{
    const cj_open_options open = {.struct_size = (int64_t)sizeof open};
    uint32_t columns = SPARSE_COLUMNS;
    int32_t rc = CJ_ENOMEM;
    int64_t n;

    for (n = 0; rc == CJ_ENOMEM; n++) {
        cj__fold fold = {.columns = columns, .profile = fold_seen, .arg = &columns};
        cj__allocator before;
        failing f;

        ck_assert_int_eq(cj_close(h->db), CJ_OK);
        ck_assert_int_eq(cj_open(h->path, &open, &h->db), CJ_OK);
        before = h->db->cx.allocator;
        f = (failing){before.realloc, before.user, n};
        h->db->cx.allocator = (cj__allocator){failing_realloc, &f};
        rc = cj__scan(h->db, opts, &fold, 1);
        cj__str_end(&fold.partial);
        h->db->cx.allocator = before;
        ck_assert_msg(rc == CJ_OK || rc == CJ_ENOMEM, "%s", cj__error_text());
        (void)expect_same(h, opts, columns);
    }
    ck_assert_int_gt(n, 10);
}

START_TEST(test_scan_sparse__every_allocation_may_fail)
{
    uint64_t some[100], bits[2];
    uint32_t name, product;
    cj__scan_options opts = {.guests = 1};
    history h;

    history_open(&h, 37, 40, 100, NULL);
    h.n_products = 5;
    history_record(&h, 450);
    for (int i = 0; i < 8; i++)
        history_merge(&h);
    name = history_name_id(&h, 2);
    product = history_product_id(&h, 3);
    opts.names = &name;
    opts.products = &product;
    opts.n_names = opts.n_products = 1;
    sparse_fails(&h, &opts);
    opts = (cj__scan_options){.guests = 1, .unsealed = 1};
    opts.n_some = pick_some(&h, some, bits);
    opts.some = some;
    opts.profiles = bits;
    ck_assert_int_gt(opts.n_some, 0);
    sparse_fails(&h, &opts);
    history_end(&h);
}
END_TEST

HARNESS_MAIN("scan_sparse", test_scan_sparse__equals_the_history_for_any_sealing,
             test_scan_sparse__equals_random_histories, test_scan_sparse__many_blocks,
             test_scan_sparse__many_rows_are_dense,
             test_scan_sparse__blocks_are_passed_over,
             test_scan_sparse__every_allocation_may_fail)
