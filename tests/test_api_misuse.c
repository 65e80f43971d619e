/* Callers that are wrong: NULL where something is needed, structs of other sizes,
 * arrays that are not there, options that do not exist.  Each gets the right code and a
 * text of one line. */
#include "api.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* What no error text may hold: parts of each value that is sent here. */
#define SECRET "s3cr3t"

typedef struct misuse {
    api_file file;
    cj_db *db;
} misuse;

static void misuse_begin(misuse *u)
{
    api_file_make(&u->file);
    u->db = api_open(u->file.path, 0, 0);
}

static void misuse_end(misuse *u)
{
    api_expect_sound(u->db);
    expect_ok(cj_close(u->db));
    api_file_remove(&u->file);
}

static void misuse_text(void)
{
    ck_assert_str_ne(cj_errmsg(), "");
    ck_assert_uint_le(strlen(cj_errmsg()), 100);
    ck_assert_ptr_null(strpbrk(cj_errmsg(), "\r\n"));
    ck_assert_msg(strstr(cj_errmsg(), SECRET) == NULL, "%s", cj_errmsg());
}

#define refuse(code, call)                                                             \
    do {                                                                               \
        expect_code(code, call);                                                       \
        misuse_text();                                                                 \
    } while (0)

/* ---- no handle ------------------------------------------------------------- */

START_TEST(test_api_misuse__no_handle)
{
    const cj_identifier id = {sizeof id, "user_id", "a"};
    cj_table *t = (cj_table *)(void *)&t;
    int64_t n = 77;
    api_message m;

    api_message_make(&m, 1, API_IN_ORDER);
    expect_ok(cj_close(NULL)); /* as free() */
    cj_table_free(NULL);
    cj_text_free(NULL);
    refuse(CJ_EMISUSE, cj_interrupt(NULL));
    refuse(CJ_EMISUSE, cj_flush(NULL));
    refuse(CJ_EMISUSE, cj_record(NULL, &m.event));
    refuse(CJ_EMISUSE, cj_record_many(NULL, &m.event, 1, 0, NULL));
    refuse(CJ_EMISUSE, cj_record_json(NULL, "{}", -1, "json", NULL));
    refuse(CJ_EMISUSE, cj_identify(NULL, &id, 1, NULL, 0, NULL, &n));
    ck_assert_int_eq(n, 0);
    refuse(CJ_EMISUSE, cj_alias(NULL, &id, &id));
    refuse(CJ_EMISUSE, cj_import_file(NULL, "x.csv", NULL, NULL));
    refuse(CJ_EMISUSE, cj_failed_retry(NULL, NULL));
    n = 77;
    refuse(CJ_EMISUSE, cj_profile_find(NULL, "user_id", "a", &n));
    ck_assert_int_eq(n, 0);
    n = 77;
    refuse(CJ_EMISUSE, cj_merge(NULL, 1, 2, &n));
    ck_assert_int_eq(n, 0);
    refuse(CJ_EMISUSE, cj_unmerge(NULL, 1));
    refuse(CJ_EMISUSE, cj_identifier_block(NULL, "user_id", "a"));
    refuse(CJ_EMISUSE, cj_segment_define(NULL, "a", "orders() = 1", 0));
    refuse(CJ_EMISUSE, cj_segment_define_list(NULL, "a", NULL, 0));
    refuse(CJ_EMISUSE, cj_segment_drop(NULL, "a"));
    n = 77;
    refuse(CJ_EMISUSE, cj_segment_count(NULL, "a", NULL, &n));
    ck_assert_int_eq(n, 0);
    refuse(CJ_EMISUSE, cj_compact(NULL, NULL, NULL));
    n = 77;
    refuse(CJ_EMISUSE, cj_time_parse(NULL, "2024-01-01", &n));
    ck_assert_int_eq(n, 0);
#define NO_TABLE(call)                                                                 \
    do {                                                                               \
        t = (cj_table *)(void *)&t;                                                    \
        refuse(CJ_EMISUSE, call);                                                      \
        ck_assert_ptr_null(t);                                                         \
    } while (0)
    NO_TABLE(cj_failed_events(NULL, &t));
    NO_TABLE(cj_profile_identifiers(NULL, 1, &t));
    NO_TABLE(cj_profile_traits(NULL, 1, 0, &t));
    NO_TABLE(cj_edges(NULL, 0, &t));
    NO_TABLE(cj_events(NULL, NULL, &t));
    NO_TABLE(cj_rfm(NULL, NULL, &t));
    NO_TABLE(cj_segment_evaluate(NULL, "orders() = 1", NULL, &t));
    NO_TABLE(cj_segment_members(NULL, "a", NULL, &t));
    NO_TABLE(cj_profile_segments(NULL, 1, NULL, &t));
    NO_TABLE(cj_segments(NULL, &t));
    NO_TABLE(cj_check(NULL, &t));
    NO_TABLE(cj_stats(NULL, &t));
}
END_TEST

START_TEST(test_api_misuse__no_arguments)
{
    const cj_identifier id = {sizeof id, "user_id", "a"};
    misuse u;
    int64_t n;

    misuse_begin(&u);
    refuse(CJ_EMISUSE, cj_open(NULL, NULL, &(cj_db *){NULL}));
    refuse(CJ_EMISUSE, cj_open("", NULL, &(cj_db *){NULL}));
    refuse(CJ_EMISUSE, cj_open(u.file.path, NULL, NULL));
    refuse(CJ_EMISUSE, cj_record(u.db, NULL));
    refuse(CJ_EMISUSE, cj_record_many(u.db, NULL, 1, 0, NULL));
    refuse(CJ_EMISUSE, cj_record_many(u.db, NULL, -1, 0, NULL));
    expect_ok(cj_record_many(u.db, NULL, 0, 0, NULL));
    refuse(CJ_EMISUSE, cj_record_json(u.db, NULL, 0, "json", NULL));
    refuse(CJ_EMISUSE, cj_record_json(u.db, "{}", -1, NULL, NULL));
    refuse(CJ_EMISUSE, cj_record_json(u.db, "{}", -2, "json", NULL));
    refuse(CJ_EMISUSE, cj_identify(u.db, NULL, 1, NULL, 0, NULL, NULL));
    refuse(CJ_EREJECT, cj_identify(u.db, NULL, 0, NULL, 0, NULL, NULL));
    refuse(CJ_EMISUSE, cj_alias(u.db, NULL, &id));
    refuse(CJ_EMISUSE, cj_alias(u.db, &id, NULL));
    refuse(CJ_EMISUSE, cj_import_file(u.db, NULL, NULL, NULL));
    refuse(CJ_EMISUSE, cj_profile_find(u.db, "user_id", NULL, &n));
    refuse(CJ_EMISUSE, cj_profile_find(u.db, "user_id", "a", NULL));
    ck_assert_int_ne(cj_profile_find(u.db, NULL, "a", &n), CJ_OK);
    refuse(CJ_EMISUSE, cj_identifier_block(u.db, "email", NULL));
    ck_assert_int_ne(cj_identifier_block(u.db, NULL, "a@b.c"), CJ_OK);
    refuse(CJ_EMISUSE, cj_time_parse(u.db, NULL, &n));
    refuse(CJ_EMISUSE, cj_time_parse(u.db, "2024-01-01", NULL));
    refuse(CJ_EMISUSE, cj_events(u.db, NULL, NULL));
    refuse(CJ_EMISUSE, cj_rfm(u.db, NULL, NULL));
    refuse(CJ_EMISUSE, cj_rfm_classes(NULL));
    refuse(CJ_EMISUSE, cj_failed_events(u.db, NULL));
    refuse(CJ_EMISUSE, cj_profile_identifiers(u.db, 1, NULL));
    refuse(CJ_EMISUSE, cj_profile_traits(u.db, 1, 0, NULL));
    refuse(CJ_EMISUSE, cj_edges(u.db, 0, NULL));
    refuse(CJ_EMISUSE, cj_check(u.db, NULL));
    refuse(CJ_EMISUSE, cj_stats(u.db, NULL));
    misuse_end(&u);
}
END_TEST

START_TEST(test_api_misuse__tables)
{
    const int64_t *offsets = (const int64_t *)(const void *)&offsets;
    char *text = (char *)&text;
    char room[512];
    cj_table *t;
    misuse u;

    misuse_begin(&u);
    expect_ok(cj_stats(u.db, &t)); /* name, value, unit, meaning */
    ck_assert(cj_table_rows(NULL) == 0 && cj_table_columns(NULL) == 0);
    for (int64_t column = -1; column <= 4; column += 5) {
        ck_assert_ptr_null(cj_table_name(t, column));
        ck_assert_int_eq(cj_table_type(t, column), 0);
        ck_assert_ptr_null(cj_table_int64(t, column));
        ck_assert_ptr_null(cj_table_double(t, column));
        ck_assert_ptr_null(cj_table_text(t, column, &offsets));
        ck_assert_ptr_null(offsets);
        ck_assert_ptr_null(cj_table_validity(t, column));
    }
    ck_assert(cj_table_name(NULL, 0) == NULL && cj_table_type(NULL, 0) == 0);
    ck_assert(cj_table_int64(NULL, 0) == NULL && cj_table_double(NULL, 0) == NULL);
    ck_assert(cj_table_int64(t, 0) == NULL && cj_table_double(t, 1) == NULL);
    ck_assert(cj_table_text(t, 1, &offsets) == NULL && offsets == NULL);
    ck_assert_ptr_null(cj_table_text(t, 0, NULL));
    refuse(CJ_EMISUSE, cj_table_export_arrow(NULL, room, room + 256));
    refuse(CJ_EMISUSE, cj_table_export_arrow(t, NULL, room));
    refuse(CJ_EMISUSE, cj_table_export_arrow(t, room, NULL));
    refuse(CJ_EMISUSE, cj_table_export_stream(t, NULL));
    refuse(CJ_EMISUSE, cj_table_format(t, "csv", NULL, NULL));
    refuse(CJ_EMISUSE, cj_table_format(t, NULL, &text, NULL));
    ck_assert_ptr_null(text);
    refuse(CJ_EINVAL, cj_table_format(t, "xml", &text, NULL));
    ck_assert_ptr_null(text);
    cj_table_free(t);
    misuse_end(&u);
}
END_TEST

/* NULL for each argument of the calls of segments in turn. */
START_TEST(test_api_misuse__segments)
{
    static const char *const some = "orders() = 1";
    const int64_t one = 1;
    char *text = (char *)&text;
    cj_table *t;
    misuse u;
    int64_t n = 77;

    misuse_begin(&u);
#define NO_SEGMENT_TABLE(call)                                                         \
    do {                                                                               \
        t = (cj_table *)(void *)&t;                                                    \
        refuse(CJ_EMISUSE, call);                                                      \
        ck_assert_ptr_null(t);                                                         \
    } while (0)
    NO_SEGMENT_TABLE(cj_segment_evaluate(u.db, NULL, NULL, &t));
    NO_SEGMENT_TABLE(cj_segment_members(u.db, NULL, NULL, &t));
    refuse(CJ_EMISUSE, cj_segment_evaluate(u.db, some, NULL, NULL));
    refuse(CJ_EMISUSE, cj_segment_members(u.db, "a", NULL, NULL));
    refuse(CJ_EMISUSE, cj_profile_segments(u.db, 1, NULL, NULL));
    refuse(CJ_EMISUSE, cj_segments(u.db, NULL));
    refuse(CJ_EMISUSE, cj_segment_count(u.db, NULL, NULL, &n));
    ck_assert_int_eq(n, 0);
    refuse(CJ_EMISUSE, cj_segment_count(u.db, "a", NULL, NULL));
    refuse(CJ_EMISUSE, cj_segment_define(u.db, NULL, some, 0));
    refuse(CJ_EMISUSE, cj_segment_define(u.db, "a", NULL, 0));
    refuse(CJ_EMISUSE, cj_segment_define_list(u.db, NULL, &one, 1));
    refuse(CJ_EMISUSE, cj_segment_define_list(u.db, "a", NULL, 1));
    refuse(CJ_EMISUSE, cj_segment_define_list(u.db, "a", &one, -1));
    refuse(CJ_EMISUSE, cj_segment_define_list(u.db, "a", NULL, INT64_MIN));
    refuse(CJ_EMISUSE, cj_segment_drop(u.db, NULL));
    refuse(CJ_EMISUSE, cj_segment_format(u.db, NULL, "text", "json", &text, &n));
    ck_assert(text == NULL && n == 0);
    refuse(CJ_EMISUSE, cj_segment_format(u.db, some, NULL, "json", &text, NULL));
    refuse(CJ_EMISUSE, cj_segment_format(u.db, some, "text", NULL, &text, NULL));
    refuse(CJ_EMISUSE, cj_segment_format(u.db, some, "text", "json", NULL, &n));
    refuse(CJ_ENOTFOUND, cj_segment_define_list(u.db, "a", &one, 1)); /* nobody yet */
    expect_ok(cj_segments(u.db, &t));
    ck_assert_int_eq(cj_table_rows(t), 0);
    cj_table_free(t);
    misuse_end(&u);
}
END_TEST

/* ---- structs of other sizes ------------------------------------------------ */

START_TEST(test_api_misuse__struct_sizes)
{
    static const int64_t wrong[] = {0, -8, 7, 1 << 20, INT64_MAX, INT64_MIN};
    const cj_identifier good = {sizeof good, "user_id", "a"};
    misuse u;

    misuse_begin(&u);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cj_open_options open_options = {.struct_size = wrong[i]};
        cj_events_options events = {.struct_size = wrong[i]};
        cj_rfm_options rfm = {.struct_size = wrong[i]};
        cj_segment_options segment = {.struct_size = wrong[i]};
        cj_import_options import = {.struct_size = wrong[i]};
        cj_record_result result = {.struct_size = wrong[i], .n_recorded = 77};
        cj_identifier id = {wrong[i], "user_id", SECRET};
        api_message m;
        cj_table *t;
        cj_db *db;
        refuse(CJ_EMISUSE, cj_open(u.file.path, &open_options, &db));
        ck_assert_ptr_null(db);
        refuse(CJ_EMISUSE, cj_events(u.db, &events, &t));
        refuse(CJ_EMISUSE, cj_rfm(u.db, &rfm, &t));
        refuse(CJ_EMISUSE, cj_segment_evaluate(u.db, "orders() = 1", &segment, &t));
        refuse(CJ_EMISUSE, cj_segment_members(u.db, "a", &segment, &t));
        refuse(CJ_EMISUSE, cj_segment_count(u.db, "a", &segment, &(int64_t){0}));
        refuse(CJ_EMISUSE, cj_profile_segments(u.db, 1, &segment, &t));
        ck_assert_ptr_null(t);
        refuse(CJ_EMISUSE, cj_import_file(u.db, u.file.path, &import, NULL));
        refuse(CJ_EMISUSE, cj_identify(u.db, &id, 1, NULL, 0, NULL, NULL));
        refuse(CJ_EMISUSE, cj_alias(u.db, &id, &good));
        refuse(CJ_EMISUSE, cj_alias(u.db, &good, &id));
        api_message_make(&m, 1, API_IN_ORDER);
        m.event.struct_size = wrong[i];
        refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
        refuse(CJ_EMISUSE, cj_record_many(u.db, &m.event, 1, sizeof m.event, NULL));
        api_message_make(&m, 5, API_IN_ORDER);
        m.identifiers[0].struct_size = wrong[i];
        refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
        api_message_make(&m, 5, API_IN_ORDER);
        m.items[1].struct_size = wrong[i];
        refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
        refuse(CJ_EMISUSE, cj_record_many(u.db, NULL, 0, 0, &result));
    }
    ck_assert_int_eq(api_n_events(u.db), 0);
    ck_assert_int_eq(api_stat(u.db, "failed_events"), 0);
    misuse_end(&u);
}
END_TEST

/* A caller compiled against an older header has shorter structs, and a newer longer
 * ones: fine while what this library does not know is 0. */
START_TEST(test_api_misuse__callers_of_other_ages)
{
    struct {
        cj_event event;
        int64_t later[2];
    } newer[2];
    cj_record_result r = {.struct_size = 2 * sizeof(int64_t), .n_duplicates = 77};
    cj_events_options old = {.struct_size = offsetof(cj_events_options, name)};
    cj_segment_options segment = {.struct_size =
                                      offsetof(cj_segment_options, identifier)};
    api_message m, n;
    cj_table *t;
    misuse u;

    misuse_begin(&u);
    api_message_make(&m, 2, API_IN_ORDER);
    m.event.struct_size = offsetof(cj_event, session); /* the rest is garbage to it */
    m.event.session = m.event.properties = (const char *)(uintptr_t)16;
    m.event.n_items = 99;
    expect_ok(cj_record(u.db, &m.event));
    api_message_make(&m, 3, API_IN_ORDER);
    api_message_make(&n, 4, API_IN_ORDER);
    memset(newer, 0, sizeof newer);
    newer[0].event = m.event;
    newer[1].event = n.event;
    newer[0].event.struct_size = newer[1].event.struct_size = (int64_t)sizeof newer[0];
    expect_ok(
        cj_record_many(u.db, &newer[0].event, 2, 0, &r)); /* stride: the first's */
    ck_assert_int_eq(r.n_recorded, 2);
    ck_assert_int_eq(r.n_duplicates, 77); /* beyond what the caller has */
    newer[1].later[1] = 1;
    refuse(CJ_EMISUSE, cj_record_many(u.db, &newer[0].event, 2, 0, &r));
    old.name = (const char *)(uintptr_t)16;
    expect_ok(cj_events(u.db, &old, &t));
    ck_assert_int_eq(cj_table_rows(t), 3);
    cj_table_free(t);
    segment.identifier = (const char *)(uintptr_t)16;
    segment.threads = -7;
    expect_ok(cj_segment_evaluate(u.db, "count(any) >= 0", &segment, &t));
    ck_assert_int_eq(cj_table_columns(t), 3);
    cj_table_free(t);
    misuse_end(&u);
}
END_TEST

/* ---- arrays within an event ------------------------------------------------ */

static void misuse_arrays(int64_t flags)
{
    cj_identifier many[17];
    api_message m;
    misuse u;

    api_file_make(&u.file);
    u.db = api_open(u.file.path, flags, 0);
    for (int i = 0; i < 17; i++)
        many[i] = (cj_identifier){sizeof many[i], "user_id", "a"};
    api_message_make(&m, 5, API_IN_ORDER);
    m.event.identifiers = NULL;
    refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
    m.event.n_identifiers = -1;
    refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
    m.event.identifiers = many;
    m.event.n_identifiers = INT64_MAX;
    refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
    m.event.n_identifiers = 17;
    refuse(CJ_EREJECT, cj_record(u.db, &m.event));
    m.event.time_ms = -5; /* wrong before its identifiers are looked at */
    many[16].kind = many[15].value = NULL;
    many[14].value = many[14].kind = "\xff";
    refuse(CJ_EREJECT, cj_record(u.db, &m.event));
    m.event.n_identifiers = 16;
    m.event.time_ms = 0;
    refuse(CJ_EREJECT, cj_record(u.db, &m.event));
    api_message_make(&m, 5, API_IN_ORDER);
    m.event.items = NULL;
    refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
    m.event.n_items = INT64_MIN;
    refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
    m.event.items = m.items;
    m.event.n_items = INT64_MAX / 2;
    refuse(CJ_EMISUSE, cj_record(u.db, &m.event));
    expect_ok(cj_flush(u.db));
    ck_assert_int_eq(api_stat(u.db, "failed_events"), 3);
    misuse_end(&u);
}

START_TEST(test_api_misuse__arrays)
{
    misuse_arrays(0);
    misuse_arrays(CJ_OPEN_DEFERRED);
}
END_TEST

/* ---- options --------------------------------------------------------------- */

START_TEST(test_api_misuse__options)
{
    cj_open_options o = api_options(8, 0);
    api_file f;
    cj_db *db;

    api_file_make(&f);
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    o.flags = 0;
    o.currency = "XXQ";
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    o.currency = "EU";
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    o.currency = "jpy";
    o.time_zone = "Middle/Earth";
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    o.time_zone = "../../etc/passwd";
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    ck_assert(!api_exists(f.path) && !api_exists(f.wal) && !api_exists(f.shm));
    o.time_zone = "Asia/Tokyo";
    o.busy_ms = o.commit_ms = o.seal_events = -1; /* defaults */
    expect_ok(cj_open(f.path, &o, &db));
    expect_ok(cj_close(db));
    o.currency = "EUR";
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    o.currency = "JPY";
    o.time_zone = "Europe/Berlin";
    refuse(CJ_EINVAL, cj_open(f.path, &o, &db));
    ck_assert_ptr_null(db);
    api_file_remove(&f);
}
END_TEST

START_TEST(test_api_misuse__scores)
{
    const int64_t falling[] = {9, 3};
    cj_rfm_options o = {.struct_size = (int64_t)sizeof o};
    cj_table *t;
    misuse u;

    misuse_begin(&u);
#define RFM_WRONG(member, value)                                                       \
    do {                                                                               \
        cj_rfm_options wrong = o;                                                      \
        wrong.member = value;                                                          \
        refuse(CJ_EINVAL, cj_rfm(u.db, &wrong, &t));                                   \
        ck_assert_ptr_null(t);                                                         \
    } while (0)
    RFM_WRONG(recency, 2);
    RFM_WRONG(recency, -1);
    RFM_WRONG(frequency, 2);
    RFM_WRONG(monetary, 7);
    RFM_WRONG(monetary_of, -1);
    RFM_WRONG(n_bins, 1);
    RFM_WRONG(n_bins, 11);
    RFM_WRONG(n_bins, -1);
    RFM_WRONG(identifier, "shoe_size");
    o.r_limits = falling;
    RFM_WRONG(n_r_limits, 2);
    expect_ok(cj_rfm(u.db, NULL, &t)); /* nobody is there: a table of no rows */
    ck_assert_int_eq(cj_table_rows(t), 0);
    cj_table_free(t);
    misuse_end(&u);
}
END_TEST

/* ---- texts of errors ------------------------------------------------------- */

START_TEST(test_api_misuse__error_texts)
{
    cj_record_result r = {.struct_size = (int64_t)sizeof r};
    misuse u;

    ck_assert_str_eq(cj_version(), CJ_VERSION);
    ck_assert_str_eq(cj_error_name(CJ_OK), "CJ_OK");
    for (int32_t code = CJ_ELOCK; code < 0; code++) {
        ck_assert_str_ne(cj_error_name(code), "CJ_E?");
        for (int32_t other = CJ_ELOCK; other < code; other++)
            ck_assert_str_ne(cj_error_name(code), cj_error_name(other));
    }
    ck_assert_str_eq(cj_error_name(1), "CJ_E?");
    ck_assert_str_eq(cj_error_name(CJ_ELOCK - 1), "CJ_E?");
    misuse_begin(&u);
    refuse(CJ_EMISUSE, cj_record(u.db, NULL));
    expect_ok(cj_flush(u.db)); /* the next call forgets it */
    ck_assert_str_eq(cj_errmsg(), "");
    ck_assert_int_eq(cj_errpos(), -1);
    expect_ok(cj_record_json(u.db, "{\"name\":\"x\",\"user_id\":\"a\"}\n{\"name\":}",
                             -1, "json", &r));
    ck_assert_int_eq(r.n_recorded, 1);
    ck_assert_int_eq(r.first_reject, 1);
    misuse_end(&u);
}
END_TEST

HARNESS_MAIN("api_misuse", test_api_misuse__no_handle, test_api_misuse__no_arguments,
             test_api_misuse__tables, test_api_misuse__segments,
             test_api_misuse__struct_sizes, test_api_misuse__callers_of_other_ages,
             test_api_misuse__arrays, test_api_misuse__options, test_api_misuse__scores,
             test_api_misuse__error_texts)
