/* The calls of test_api_faults.c, each with its arguments and with what must hold of
 * its out-parameters: NULL or 0 unless it answered CJ_OK. */
#include "faults.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- the calls ------------------------------------------------------------- */

/* A call leaves garbage in its out-parameter, unless it sets it. */
void *fault_garbage(void)
{
    static char garbage;
    return &garbage;
}

static int32_t fault_table(int32_t rc, cj_table *t)
{
    if (rc == CJ_OK)
        ck_assert_ptr_nonnull(t);
    else
        ck_assert_ptr_null(t);
    cj_table_free(t);
    return rc;
}

static int32_t fault_record(fault *f)
{
    return api_record(f->db, 100, API_IN_ORDER);
}

/* Enough that the journal is sealed: its failure is put off to the next commit. */
static int32_t fault_record_seal(fault *f)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r, .n_recorded = 77};
    int32_t rc = api_record_range(f->db, 100, 130, API_SCRAMBLED, &r);

    ck_assert_int_eq(r.n_recorded + r.n_duplicates, rc == CJ_OK ? 30 : 0);
    return rc;
}

static int32_t fault_record_reject(fault *f)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r, .n_rejected = 77};
    api_message m[3];
    int32_t rc;

    for (int i = 0; i < 3; i++)
        api_message_make(&m[i], 100 + i, API_IN_ORDER);
    m[1].event.currency = "XXQ";
    rc = cj_record_many(f->db, &m[0].event, 3, (int64_t)sizeof m[0], &r);
    ck_assert_int_eq(r.n_rejected, rc == CJ_OK ? 1 : 0);
    ck_assert_int_eq(r.first_reject, rc == CJ_OK ? 1 : 0);
    return rc;
}

static int32_t fault_record_json(fault *f)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r, .n_recorded = 77};
    const char text[] =
        "{\"name\":\"order\",\"time\":1700000000001,\"user_id\":\"j1\",\"message_id\":"
        "\"j1\","
        "\"order_id\":\"77\",\"items\":[{\"product\":\"P\",\"price\":12.5,\"quantity\":"
        "2}]}\n"
        "{\"type\":\"identify\",\"user_id\":\"j1\",\"email\":\"j1@example.com\","
        "\"time\":1700000000002,\"traits\":{\"city\":\"Bonn\",\"age\":33}}\n"
        "{\"name\":\"oops\"\n";
    int32_t rc = cj_record_json(f->db, text, -1, "json", &r);

    ck_assert_int_eq(r.n_recorded + r.n_duplicates, rc == CJ_OK ? 2 : 0);
    ck_assert_int_eq(r.n_rejected, rc == CJ_OK ? 1 : 0);
    return rc;
}

static int32_t fault_record_segment(fault *f)
{
    size_t n;
    char *text = api_read(f->segment, &n);
    int32_t rc = cj_record_json(f->db, text, (int64_t)n, "segment", NULL);

    free(text);
    return rc;
}

static int32_t fault_identify(fault *f)
{
    const cj_identifier ids[] = {
        {sizeof ids[0], "anonymous_id", "v3"             },
        {sizeof ids[0], "email",        "New@Example.com"}
    };
    int64_t profile = 77;
    int32_t rc = cj_identify(f->db, ids, 2, "{\"city\":\"Ulm\",\"vip\":true}", API_TIME,
                             "crm", &profile);

    ck_assert(rc == CJ_OK ? profile > 0 : profile == 0);
    return rc;
}

static int32_t fault_alias(fault *f)
{
    const cj_identifier a = {sizeof a, "email", "a@example.com"};
    const cj_identifier b = {sizeof b, "user_id", "u5"};

    return cj_alias(f->db, &a, &b);
}

static int32_t fault_import(fault *f, const char *path, const char *format)
{
    const cj_import_options o = {.struct_size = (int64_t)sizeof o, .format = format};
    cj_import_result r = {.struct_size = (int64_t)sizeof r, .n_lines = 77};
    int32_t rc = cj_import_file(f->db, path, &o, &r);

    ck_assert(rc == CJ_OK ? r.n_lines > 0 : r.n_lines == 0);
    return rc;
}

static int32_t fault_import_csv(fault *f)
{
    return fault_import(f, f->csv, NULL);
}

static int32_t fault_import_json(fault *f)
{
    return fault_import(f, f->ndjson, NULL);
}

static int32_t fault_import_segment(fault *f)
{
    return fault_import(f, f->segment, "segment");
}

static int32_t fault_failed_events(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_failed_events(f->db, &t);

    return fault_table(rc, t);
}

static int32_t fault_failed_retry(fault *f)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r, .n_rejected = 77};
    int32_t rc = cj_failed_retry(f->db, &r);

    ck_assert(rc == CJ_OK ? r.n_rejected > 0 : r.n_rejected == 0);
    return rc;
}

static int32_t fault_profile_find(fault *f)
{
    int64_t profile = 77;
    int32_t rc = cj_profile_find(f->db, "user_id", "u5", &profile);

    ck_assert(rc == CJ_OK ? profile > 0 : profile == 0);
    return rc;
}

static int32_t fault_profile_identifiers(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_profile_identifiers(f->db, 1, &t);

    return fault_table(rc, t);
}

static int32_t fault_profile_traits(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_profile_traits(f->db, 1, 0, &t);

    return fault_table(rc, t);
}

static int32_t fault_merge(fault *f)
{
    int64_t edge = 77, other = 0;
    int32_t rc = cj_profile_find(f->db, "user_id", "u5", &other);

    if (rc == CJ_OK)
        rc = cj_merge(f->db, 1, other, &edge);
    if (rc == CJ_ENOMEM)
        ck_assert(edge == 0 || edge == 77);
    return rc;
}

static int32_t fault_unmerge(fault *f)
{
    return cj_unmerge(f->db, 1);
}

static int32_t fault_edges(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_edges(f->db, 1, &t);

    return fault_table(rc, t);
}

static int32_t fault_identifier_block(fault *f)
{
    return cj_identifier_block(f->db, "email", "till@example.com");
}

static int32_t fault_events(fault *f)
{
    const cj_events_options o = {.struct_size = (int64_t)sizeof o, .threads = 2};
    cj_table *t = fault_garbage();
    int32_t rc = cj_events(f->db, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_rfm_threads(fault *f, int32_t threads)
{
    const cj_rfm_options o = {.struct_size = (int64_t)sizeof o,
                              .threads = threads,
                              .frequency = CJ_RFM_REPEAT_DAYS,
                              .identifier = "user_id"};
    cj_table *t = fault_garbage();
    int32_t rc = cj_rfm(f->db, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_rfm(fault *f)
{
    return fault_rfm_threads(f, 1);
}

static int32_t fault_rfm_3(fault *f)
{
    return fault_rfm_threads(f, 3);
}

static int32_t fault_stats(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_stats(f->db, &t);

    return fault_table(rc, t);
}

static int32_t fault_check(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_check(f->db, &t);

    if (rc == CJ_OK)
        ck_assert_int_eq(cj_table_rows(t), 0);
    return fault_table(rc, t);
}

static int32_t fault_compact(fault *f)
{
    return cj_compact(f->db, NULL, NULL);
}

static int32_t fault_time_parse(fault *f)
{
    int64_t ms = 77;
    int32_t rc = cj_time_parse(f->db, "2024-02-29 12:00", &ms);

    ck_assert_int_eq(ms, rc == CJ_OK ? 1709208000000 : 0);
    return rc;
}

static int32_t fault_format(fault *f)
{
    static const char *const formats[] = {"table", "csv", "json", "jsonl"};
    int32_t rc = CJ_OK;

    for (int i = 0; i < 4 && rc == CJ_OK; i++) {
        char *text = fault_garbage();
        int64_t n = 77;
        rc = cj_table_format(f->table, formats[i], &text, &n);
        ck_assert(rc == CJ_OK ? text != NULL && n > 0 : text == NULL && n == 0);
        cj_text_free(text);
    }
    return rc;
}

/* The C data interface, as its specification gives it. */
struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

static int32_t fault_export_arrow(fault *f)
{
    struct ArrowArray array = {0};
    struct ArrowSchema schema = {0};
    int32_t rc = cj_table_export_arrow(f->table, &array, &schema);

    if (rc != CJ_OK) {
        ck_assert(array.release == NULL && schema.release == NULL);
        return rc;
    }
    array.release(&array);
    schema.release(&schema);
    return rc;
}

static int32_t fault_export_stream(fault *f)
{
    struct ArrowArrayStream stream = {0};
    struct ArrowArray array = {0};
    struct ArrowSchema schema = {0};
    int32_t rc = cj_table_export_stream(f->table, &stream);

    if (rc != CJ_OK) {
        ck_assert(stream.release == NULL);
        return rc;
    }
    if (stream.get_schema(&stream, &schema) != 0)
        rc = CJ_ENOMEM;
    else
        schema.release(&schema);
    if (rc == CJ_OK && stream.get_next(&stream, &array) != 0)
        rc = CJ_ENOMEM;
    else if (rc == CJ_OK)
        array.release(&array);
    stream.release(&stream);
    return rc;
}

/* ---- segments -------------------------------------------------------------- */

static int32_t fault_evaluate_threads(fault *f, const char *expression, int32_t threads)
{
    const cj_segment_options o = {.struct_size = (int64_t)sizeof o,
                                  .as_of_ms = API_TIME + 1000000,
                                  .threads = threads,
                                  .identifier = "user_id"};
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_evaluate(f->db, expression, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_evaluate(fault *f)
{
    return fault_evaluate_threads(
        f,
        "in_segment(\"kiel\") or orders(last 90 days) = 0 or has(email) or "
        "shared_device() or count(any where channel like \"*e*\") > 1",
        1);
}

static int32_t fault_evaluate_3(fault *f)
{
    return fault_evaluate_threads(
        f, "in_segment(\"buyers\") and count(any, last 7 days) >= 1", 3);
}

static int32_t fault_evaluate_traits(fault *f)
{
    return fault_evaluate_threads(f, "city = \"Kiel\" and in_list(\"vip\")", 1);
}

static int32_t fault_members(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_members(f->db, "vip", NULL, &t);

    return fault_table(rc, t);
}

static int32_t fault_segment_count(fault *f)
{
    int64_t n = 77;
    int32_t rc = cj_segment_count(f->db, "kiel", NULL, &n);

    ck_assert_int_eq(n, rc == CJ_OK ? 1 : 0);
    return rc;
}

static int32_t fault_profile_segments(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_profile_segments(f->db, 1, NULL, &t);

    return fault_table(rc, t);
}

static int32_t fault_define(fault *f)
{
    return cj_segment_define(f->db, "new",
                             "in_segment(\"kiel\") and not in_list(\"vip\")", 0);
}

static int32_t fault_redefine(fault *f)
{
    return cj_segment_define(f->db, "buyers", "orders(last 30 days) >= 2", 0);
}

static int32_t fault_define_list(fault *f)
{
    int64_t profiles[] = {1, 0, 1};
    int32_t rc = cj_profile_find(f->db, "user_id", "u5", &profiles[1]);

    return rc == CJ_OK ? cj_segment_define_list(f->db, "vip", profiles, 3) : rc;
}

static int32_t fault_drop(fault *f)
{
    return cj_segment_drop(f->db, "kiel");
}

static int32_t fault_segments(fault *f)
{
    cj_table *t = fault_garbage();
    int32_t rc = cj_segments(f->db, &t);

    return fault_table(rc, t);
}

static int32_t fault_segment_format(fault *f)
{
    char *json = fault_garbage(), *text = fault_garbage();
    int64_t n = 77;
    int32_t rc = cj_segment_format(
        f->db,
        "orders(last 90 days) = 0 and (country in (\"DE\", \"AT\") or a.b is known)",
        "text", "json", &json, &n);

    ck_assert(rc == CJ_OK ? json != NULL && n > 0 : json == NULL && n == 0);
    if (rc != CJ_OK)
        return rc;
    rc = cj_segment_format(f->db, json, "json", "text", &text, NULL);
    ck_assert(rc == CJ_OK ? text != NULL : text == NULL);
    cj_text_free(json);
    cj_text_free(text);
    return rc;
}

/* ---- questions about segments --------------------------------------------------- */

#define FAULT_SEGMENT                                                                  \
    "city = \"Kiel\" or not (orders() = 0 and count(any, last 9000 days) > 1)"

static cj_segment_options fault_segment_options(int32_t threads)
{
    return (cj_segment_options){.struct_size = sizeof(cj_segment_options),
                                .as_of_ms = API_TIME,
                                .threads = threads};
}

static int32_t fault_segment_explain(fault *f)
{
    const cj_segment_options o = fault_segment_options(1);
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_explain(f->db, FAULT_SEGMENT, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_segment_why(fault *f)
{
    const cj_segment_options o = fault_segment_options(1);
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_why(f->db, 1, FAULT_SEGMENT, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_segment_overlap(fault *f)
{
    static const char *const names[] = {"buyers", "vip"};
    const cj_segment_options o = fault_segment_options(1);
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_overlap(f->db, names, 2, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_segment_sizes(fault *f)
{
    const cj_segment_options o = fault_segment_options(1);
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_sizes(f->db, FAULT_SEGMENT,
                                  API_TIME - INT64_C(20) * 86400000, 2, &o, &t);

    return fault_table(rc, t);
}

static int32_t fault_segment_compare(fault *f)
{
    const cj_segment_options o = fault_segment_options(2);
    cj_table *t = fault_garbage();
    int32_t rc = cj_segment_compare(f->db, "orders() > 0", "city is known", 0, &o, &t);

    return fault_table(rc, t);
}

const fault_call fault_calls[] = {
    {"record",                        fault_record,              CJ_OK,        0},
    {"record and seal",               fault_record_seal,         CJ_OK,        1},
    {"record and reject",             fault_record_reject,       CJ_OK,        0},
    {"record_json",                   fault_record_json,         CJ_OK,        0},
    {"record_json segment",           fault_record_segment,      CJ_OK,        0},
    {"identify",                      fault_identify,            CJ_OK,        0},
    {"alias",                         fault_alias,               CJ_OK,        0},
    {"import csv",                    fault_import_csv,          CJ_OK,        0},
    {"import json",                   fault_import_json,         CJ_OK,        0},
    {"import segment",                fault_import_segment,      CJ_OK,        0},
    {"failed_events",                 fault_failed_events,       CJ_OK,        0},
    {"failed_retry",                  fault_failed_retry,        CJ_OK,        0},
    {"profile_find",                  fault_profile_find,        CJ_OK,        0},
    {"profile_identifiers",           fault_profile_identifiers, CJ_OK,        0},
    {"profile_traits",                fault_profile_traits,      CJ_OK,        0},
    {"merge",                         fault_merge,               CJ_EEXISTS,   0},
    {"unmerge",                       fault_unmerge,             CJ_ENOTFOUND, 0},
    {"edges",                         fault_edges,               CJ_OK,        0},
    {"identifier_block",              fault_identifier_block,    CJ_EEXISTS,   0},
    {"events",                        fault_events,              CJ_OK,        0},
    {"rfm",                           fault_rfm,                 CJ_OK,        0},
    {"rfm on 3 threads",              fault_rfm_3,               CJ_OK,        0},
    {"stats",                         fault_stats,               CJ_OK,        0},
    {"check",                         fault_check,               CJ_OK,        0},
    {"compact",                       fault_compact,             CJ_OK,        0},
    {"time_parse",                    fault_time_parse,          CJ_OK,        0},
    {"segment evaluate",              fault_evaluate,            CJ_OK,        0},
    {"segment evaluate on 3 threads", fault_evaluate_3,          CJ_OK,        0},
    {"segment evaluate traits",       fault_evaluate_traits,     CJ_OK,        0},
    {"segment members",               fault_members,             CJ_OK,        0},
    {"segment count",                 fault_segment_count,       CJ_OK,        0},
    {"profile_segments",              fault_profile_segments,    CJ_OK,        0},
    {"segment define",                fault_define,              CJ_OK,        0},
    {"segment define again",          fault_redefine,            CJ_OK,        0},
    {"segment define_list",           fault_define_list,         CJ_OK,        0},
    {"segment drop",                  fault_drop,                CJ_ENOTFOUND, 0},
    {"segments",                      fault_segments,            CJ_OK,        0},
    {"segment format",                fault_segment_format,      CJ_OK,        0},
    {"table_format",                  fault_format,              CJ_OK,        0},
    {"table_export_arrow",            fault_export_arrow,        CJ_OK,        0},
    {"table_export_stream",           fault_export_stream,       CJ_OK,        0},
    {"segment_explain",               fault_segment_explain,     CJ_OK,        0},
    {"segment_why",                   fault_segment_why,         CJ_OK,        0},
    {"segment_overlap",               fault_segment_overlap,     CJ_OK,        0},
    {"segment_sizes",                 fault_segment_sizes,       CJ_OK,        0},
    {"segment_compare",               fault_segment_compare,     CJ_OK,        0},
};

const size_t fault_n_calls = sizeof fault_calls / sizeof fault_calls[0];
