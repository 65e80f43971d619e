/* Memory runs out: every exported call that allocates, with the n-th allocation failing
 * for n = 1, 2, ... until none is left to fail, and again with all later ones failing
 * too.  Each time: CJ_ENOMEM, out-parameters NULL or 0, nothing leaked, the content of
 * the file as before, and the same handle does the call when there is memory again. */
#include "faults.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the file they work on ------------------------------------------------- */

static const char fault_csv[] =
    "time,name,user_id,order_id,product,quantity,unit_price,trait.city\n"
    "2023-12-01,order,c1,900,A,2,9.99,Rome\n"
    "2023-12-01,order,c1,900,B,1,5.00,Rome\n"
    "2023-12-02,product_view,c2,,A,,,Oslo\n"
    "not a time,product_view,c2,,A,,,Oslo\n";
static const char fault_ndjson[] =
    "{\"name\":\"order\",\"time\":\"2023-12-01T10:00:00Z\",\"user_id\":\"k1\","
    "\"order_id\":\"n1\",\"items\":[{\"product\":\"P\",\"price\":12.5}]}\n"
    "{\"name\":\"page_view\",\"time\":\"2023-12-02T10:00:00Z\",\"anonymous_id\":\"k2\","
    "\"properties\":{\"a\":[1,2,{\"b\":null}]}}\n"
    "{\"name\":17}\n";
static const char fault_segment[] =
    "{\"type\":\"track\",\"event\":\"Order "
    "Completed\",\"messageId\":\"s1\",\"userId\":\"s1\","
    "\"timestamp\":\"2023-12-01T10:00:00.000Z\",\"properties\":{\"order_id\":\"s9\","
    "\"total\":30.5,\"currency\":\"EUR\",\"products\":[{\"sku\":\"A\",\"price\":30.5,"
    "\"quantity\":1}]}}\n"
    "{\"type\":\"identify\",\"messageId\":\"s2\",\"userId\":\"s1\",\"anonymousId\":"
    "\"sa\","
    "\"timestamp\":\"2023-12-01T11:00:00.000Z\",\"traits\":{\"email\":\"s@example."
    "com\"}}\n"
    "{\"type\":\"page\",\"messageId\":\"s3\",\"anonymousId\":\"sa\",\"name\":\"Home\","
    "\"timestamp\":\"2023-12-01T09:00:00.000Z\"}\n";

typedef struct fault_paths {
    char shop[112], csv[112], ndjson[112], segment[112];
} fault_paths;

/* One file for all: sealed parts, a journal, edges, traits and rejects. */
static void fault_template(const api_file *f, fault_paths *p)
{
    const cj_identifier till = {sizeof till, "email", "a@example.com"};
    cj_record_result r = {.struct_size = (int64_t)sizeof r};
    cj_db *db = api_open(f->path, 0, 40);

    (void)snprintf(p->shop, sizeof p->shop, "%s/template", f->folder);
    (void)snprintf(p->csv, sizeof p->csv, "%s/rows.csv", f->folder);
    (void)snprintf(p->ndjson, sizeof p->ndjson, "%s/rows.ndjson", f->folder);
    (void)snprintf(p->segment, sizeof p->segment, "%s/rows.segment", f->folder);
    api_write(p->csv, fault_csv, sizeof fault_csv - 1);
    api_write(p->ndjson, fault_ndjson, sizeof fault_ndjson - 1);
    api_write(p->segment, fault_segment, sizeof fault_segment - 1);
    for (int64_t i = 0; i < 40; i += 20)
        expect_ok(api_record_range(db, i, i + 20, API_SCRAMBLED, NULL));
    expect_ok(cj_identify(db, &till, 1, "{\"city\":\"Kiel\"}", API_TIME, NULL, NULL));
    expect_ok(cj_identify(db, &(cj_identifier){sizeof till, "user_id", "u0"}, 1,
                          "{\"city\":\"Kiel\",\"n\":1}", API_TIME, NULL, NULL));
    expect_ok(cj_record_json(db, "{\"name\":17}", -1, "json", &r));
    ck_assert_int_eq(r.n_rejected, 1);
    ck_assert_int_gt(api_stat(db, "sealed_events"), 0);
    expect_ok(cj_segment_define(db, "sold", "orders() >= 1", 0));
    expect_ok(cj_segment_define_list(db, "a list", (const int64_t[]){1}, 1));
    expect_ok(api_record_range(db, 40, 45, API_IN_ORDER, NULL));
    ck_assert_int_gt(api_stat(db, "journal_events"), 0);
    expect_ok(cj_close(db));
    api_copy(f->path, p->shop);
}

static cj_open_options fault_options(fault *f, int64_t flags)
{
    cj_open_options o = api_options(flags, 40);

    o.realloc = api_heap_realloc;
    o.realloc_user = &f->heap;
    return o;
}

static void fault_begin(fault *f, const fault_paths *p, int64_t flags)
{
    cj_open_options o = fault_options(f, flags);

    (void)unlink(f->file.wal);
    (void)unlink(f->file.shm);
    api_copy(p->shop, f->file.path);
    f->csv = p->csv;
    f->ndjson = p->ndjson;
    f->segment = p->segment;
    expect_ok(cj_open(f->file.path, &o, &f->db));
    expect_ok(cj_stats(f->db, &f->table));
}

static void fault_end(fault *f, const char *name, int64_t n)
{
    api_heap_disarm(&f->heap);
    expect_ok(cj_close(f->db));
    cj_table_free(f->table);
    ck_assert_msg(f->heap.live_bytes == 0, "%s: %lld bytes leaked after failure %lld",
                  name, (long long)f->heap.live_bytes, (long long)n);
    ck_assert_msg(f->heap.n_wrong == 0, "%s: an old size was told wrong", name);
}

/* ---- the loops ------------------------------------------------------------- */

/* The call with its n-th allocation failing.  1: there was no such allocation. */
static int fault_once(fault *f, const fault_call *call, int64_t n, int on)
{
    int32_t rc;

    api_heap_arm(&f->heap, n, on);
    rc = call->run(f);
    api_heap_disarm(&f->heap);
    if (f->heap.n_failed == 0) {
        expect_ok(rc);
        return 1;
    }
    if (!(call->lenient && rc == CJ_OK))
        ck_assert_msg(rc == CJ_ENOMEM, "%s: allocation %lld failed%s: %s: %s",
                      call->name, (long long)n, on ? ", and all later ones" : "",
                      cj_error_name(rc), cj_errmsg());
    if (rc == CJ_ENOMEM)
        ck_assert_str_eq(cj_errmsg(), "out of memory");
    return 0;
}

/* The content of a file: in full, and what is quick to tell of it. */
typedef struct fault_content {
    char *full, *brief;
} fault_content;

static char *fault_brief(cj_db *db)
{
    static const char *const names[] = {"profiles", "identifiers", "traits", "terms"};
    api_text t = {0};
    char number[64];
    cj_table *table;

    for (int i = 0; i < 4; i++) {
        (void)snprintf(number, sizeof number, "%s %lld\n", names[i],
                       (long long)api_stat(db, names[i]));
        api_put(&t, number);
    }
    expect_ok(cj_events(db, NULL, &table));
    api_put_table(&t, table);
    expect_ok(cj_edges(db, 0, &table));
    api_put_table(&t, table);
    expect_ok(cj_failed_events(db, &table));
    api_put_table(&t, table);
    return t.data;
}

static void fault_expect(fault *f, const fault_call *call,
                         const fault_content *expected, int64_t n)
{
    char *now = n % 16 == 0 ? api_content(f->db) : fault_brief(f->db);

    api_expect_same(now, n % 16 == 0 ? expected->full : expected->brief, call->name);
    free(now);
    if (n % 32 == 0)
        api_expect_sound(f->db);
}

/* A new handle for each n: cold caches, and the leak shows at once. */
static void fault_cold(fault *f, const fault_paths *p, const fault_call *call, int on,
                       const fault_content *before, const fault_content *after)
{
    for (int64_t n = 1, done = 0; !done; n += harness_stride(13)) {
        fault_begin(f, p, 0);
        done = fault_once(f, call, n, on);
        if (!call->lenient) /* else its success is another call's matter */
            fault_expect(f, call, done ? after : before, n);
        expect_code(done ? call->again : CJ_OK, call->run(f));
        fault_expect(f, call, after, done ? 0 : n);
        fault_end(f, call->name, n);
    }
}

/* One handle that fails again and again: caches warm up, and stay right. */
static void fault_warm(fault *f, const fault_paths *p, const fault_call *call,
                       const fault_content *before, const fault_content *after)
{
    fault_begin(f, p, 0);
    for (int64_t n = 1; !fault_once(f, call, n, n % 2 == 0); n += harness_stride(13))
        if (!call->lenient)
            fault_expect(f, call, before, n);
    fault_expect(f, call, after, 0);
    fault_end(f, call->name, 0);
}

/* What the call makes of the file when memory lasts. */
static void fault_contents(fault *f, const fault_paths *p, const fault_call *call,
                           fault_content *before, fault_content *after)
{
    fault_begin(f, p, 0);
    *before = (fault_content){api_content(f->db), fault_brief(f->db)};
    expect_ok(call->run(f));
    *after = (fault_content){api_content(f->db), fault_brief(f->db)};
    fault_end(f, call->name, 0);
}

static void fault_loops(const fault_call *call)
{
    fault_content before, after;
    fault f = {0};
    fault_paths p;

    api_file_make(&f.file);
    fault_template(&f.file, &p);
    fault_contents(&f, &p, call, &before, &after);
    fault_cold(&f, &p, call, 0, &before, &after);
    fault_cold(&f, &p, call, 1, &before, &after);
    fault_warm(&f, &p, call, &before, &after);
    free(before.full);
    free(before.brief);
    free(after.full);
    free(after.brief);
    api_file_remove(&f.file);
}

/* FAULT names one call, for a debugger. */
START_TEST(test_api_faults__every_call)
{
    const char *only = getenv("FAULT");

    for (size_t i = 0; i < fault_n_calls; i++)
        if (only == NULL || strcmp(only, fault_calls[i].name) == 0)
            fault_loops(&fault_calls[i]);
}
END_TEST

/* ---- opening --------------------------------------------------------------- */

static void fault_open(fault *f, int64_t flags, int is_new, int on)
{
    for (int64_t n = 1;; n += harness_stride(13)) {
        cj_open_options o = fault_options(f, flags);
        cj_db *db = fault_garbage();
        int32_t rc;
        if (is_new)
            (void)unlink(f->file.path);
        api_heap_arm(&f->heap, n, on);
        rc = cj_open(f->file.path, &o, &db);
        api_heap_disarm(&f->heap);
        if (rc == CJ_OK) {
            ck_assert_int_eq(f->heap.n_failed, 0);
            expect_ok(cj_close(db));
            ck_assert_int_eq(f->heap.live_bytes, 0);
            return;
        }
        ck_assert_msg(rc == CJ_ENOMEM, "allocation %lld: %s: %s", (long long)n,
                      cj_error_name(rc), cj_errmsg());
        ck_assert_ptr_null(db);
        ck_assert_int_eq(f->heap.live_bytes, 0);
        ck_assert_int_eq(f->heap.n_wrong, 0);
        if (api_exists(f->file.path)) { /* as it was, or new and good */
            expect_ok(cj_open(f->file.path, NULL, &db));
            expect_ok(cj_close(db));
        } else {
            ck_assert(is_new);
        }
        ck_assert(!api_exists(f->file.wal) && !api_exists(f->file.shm));
    }
}

START_TEST(test_api_faults__open)
{
    fault f = {0};
    fault_paths p;

    api_file_make(&f.file);
    fault_open(&f, 0, 1, 0);
    fault_open(&f, CJ_OPEN_DEFERRED, 1, 1);
    (void)unlink(f.file.path);
    fault_template(&f.file, &p);
    fault_open(&f, 0, 0, 0);
    fault_open(&f, CJ_OPEN_READONLY, 0, 1);
    ck_assert(api_same_bytes(f.file.path, p.shop));
    api_file_remove(&f.file);
}
END_TEST

/* ---- deferred mode --------------------------------------------------------- */

/* The failure meets the caller's copy, or whoever commits: then the message stays
 * queued, and a flush that fails can be done again. */
START_TEST(test_api_faults__deferred)
{
    fault f = {0};
    fault_paths p;

    api_file_make(&f.file);
    fault_template(&f.file, &p);
    for (int64_t n = 1, done = 0; !done; n += harness_stride(13)) {
        int32_t queued, flushed;
        int64_t before;
        fault_begin(&f, &p, CJ_OPEN_DEFERRED);
        before = api_n_events(f.db);
        api_heap_arm(&f.heap, n, n % 2 == 0);
        queued = api_record(f.db, 100, API_IN_ORDER);
        flushed = cj_flush(f.db);
        api_heap_disarm(&f.heap);
        done = f.heap.n_failed == 0;
        ck_assert(queued == CJ_OK || queued == CJ_ENOMEM);
        ck_assert(flushed == CJ_OK || flushed == CJ_ENOMEM);
        ck_assert(!done || (queued == CJ_OK && flushed == CJ_OK));
        expect_ok(cj_flush(f.db));
        ck_assert_int_eq(api_n_events(f.db), before + (queued == CJ_OK ? 3 : 0));
        expect_ok(api_record(f.db, 100, API_IN_ORDER));
        expect_ok(cj_flush(f.db));
        ck_assert_int_eq(api_n_events(f.db), before + 3);
        api_expect_sound(f.db);
        fault_end(&f, "deferred", n);
    }
    api_file_remove(&f.file);
}
END_TEST

/* Without a handle there is no hook: the table of classes is the C library's. */
START_TEST(test_api_faults__tables_outlive_their_handle)
{
    fault f = {0};
    fault_paths p;
    cj_table *t;
    char *text;

    api_file_make(&f.file);
    fault_template(&f.file, &p);
    fault_begin(&f, &p, 0);
    expect_ok(cj_events(f.db, NULL, &t));
    expect_ok(cj_close(f.db));
    expect_ok(cj_table_format(t, "csv", &text, NULL));
    cj_table_free(t);
    cj_table_free(f.table);
    ck_assert_int_gt(f.heap.live_bytes, 0); /* the text */
    cj_text_free(text);
    ck_assert_int_eq(f.heap.live_bytes, 0);
    api_file_remove(&f.file);
}
END_TEST

HARNESS_MAIN("api_faults", test_api_faults__every_call, test_api_faults__open,
             test_api_faults__deferred, test_api_faults__tables_outlive_their_handle)
