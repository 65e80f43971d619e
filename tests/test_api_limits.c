/* Values at the limits and beyond, texts that are none, messages with what is not
 * allowed: each is rejected with a text that repeats nothing of it, and kept. */
#include "api.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* What no error text may hold: parts of each value that is sent here. */
#define SECRET "s3cr3t"

typedef struct limits {
    api_file file;
    cj_db *db;
} limits;

static void limits_begin(limits *u)
{
    api_file_make(&u->file);
    u->db = api_open(u->file.path, 0, 0);
}

static void limits_end(limits *u)
{
    api_expect_sound(u->db);
    expect_ok(cj_close(u->db));
    api_file_remove(&u->file);
}

static void limits_text(void)
{
    ck_assert_str_ne(cj_errmsg(), "");
    ck_assert_uint_le(strlen(cj_errmsg()), 100);
    ck_assert_ptr_null(strpbrk(cj_errmsg(), "\r\n"));
    ck_assert_msg(strstr(cj_errmsg(), SECRET) == NULL, "%s", cj_errmsg());
}

#define refuse(code, call)                                                             \
    do {                                                                               \
        expect_code(code, call);                                                       \
        limits_text();                                                                 \
    } while (0)

/* ---- limits ---------------------------------------------------------------- */

static char *limits_run(const char *begin, char c, size_t n, const char *end)
{
    char *text = malloc(n + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, c, n);
    memcpy(text, begin, strlen(begin));
    memcpy(text + n - strlen(end), end, strlen(end));
    text[n] = '\0';
    return text;
}

/* Fine at one less than the limit and at it, refused beyond. */
static void limits_length(cj_db *db, api_message *m, const char **field, size_t limit,
                          const char *begin, const char *end)
{
    for (size_t n = limit - 1; n <= limit + 1; n++) {
        char *text = limits_run(begin, 'x', n, end);
        *field = text;
        if (field == &m->event.message_id)
            text[0] = (char)('a' + n % 3); /* not a duplicate */
        if (n <= limit)
            expect_ok(cj_record(db, &m->event));
        else
            refuse(CJ_EREJECT, cj_record(db, &m->event));
        free(text);
    }
    *field = NULL;
}

START_TEST(test_api_limits__lengths)
{
    api_message m;
    limits u;

    limits_begin(&u);
    api_message_make(&m, 10, API_IN_ORDER);
    m.event.message_id = NULL;
    limits_length(u.db, &m, &m.event.message_id, 200, "", "");
    limits_length(u.db, &m, &m.event.channel, 200, "", "");
    limits_length(u.db, &m, &m.event.campaign, 200, "", "");
    limits_length(u.db, &m, &m.event.content, 200, "", "");
    limits_length(u.db, &m, &m.event.product, 200, "", "");
    limits_length(u.db, &m, &m.event.session, 200, "", "");
    limits_length(u.db, &m, &m.event.order_id, 200, "", "");
    limits_length(u.db, &m, &m.event.properties, 32768, "{\"a\":\"", "\"}");
    limits_length(u.db, &m, &m.items[0].product, 200, "", "");
    limits_length(u.db, &m, &m.items[0].properties, 32768, "{\"a\":\"", "\"}");
    m.event.n_items = 0;
    limits_length(u.db, &m, &m.event.name, 200, "", "");
    m.event.name = "x";
    limits_length(u.db, &m, &m.identifiers[1].value, 512, "", "");
    m.identifiers[1].value = "u";
    limits_length(u.db, &m, &m.identifiers[0].value, 512, "", "");
    limits_end(&u);
}
END_TEST

START_TEST(test_api_limits__numbers)
{
    static const struct {
        size_t offset;
        int64_t limit;
        int items, negative;
    } numbers[] = {
        {offsetof(api_message, event.quantity),       1000000000000,     0, 1},
        {offsetof(api_message, event.value_minor),    1000000000000000,  0, 1},
        {offsetof(api_message, items[1].quantity),    1000000000000,     1, 1},
        {offsetof(api_message, items[1].value_minor), 1000000000000000,  1, 1},
        {offsetof(api_message, event.time_ms),        4102444800000 - 1, 0, 0},
    };
    limits u;

    limits_begin(&u);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        for (int64_t by = -1; by <= 1; by++) {
            int64_t value = numbers[i].limit + by;
            api_message m;
            api_message_make(&m, 10, API_IN_ORDER);
            m.event.message_id = NULL;
            for (int sign = 0; sign <= numbers[i].negative; sign++) {
                memcpy((char *)&m + numbers[i].offset, &value, sizeof value);
                if (by <= 0)
                    expect_ok(cj_record(u.db, &m.event));
                else
                    refuse(CJ_EREJECT, cj_record(u.db, &m.event));
                value = -value;
            }
        }
    }
    limits_end(&u);
}
END_TEST

START_TEST(test_api_limits__counts)
{
    cj_item *items = calloc(10001, sizeof *items);
    cj_identifier ids[17];
    api_message m;
    limits u;

    limits_begin(&u);
    for (int i = 0; i < 17; i++)
        ids[i] =
            (cj_identifier){sizeof ids[i], i == 0 ? "user_id" : "anonymous_id", "a1"};
    for (int i = 0; i < 10001; i++)
        items[i] = (cj_item){.struct_size = sizeof items[i], .product = "p"};
    api_message_make(&m, 10, API_IN_ORDER);
    m.event.items = items;
    for (int64_t n = 9999; n <= 10001; n++) {
        m.event.n_items = n;
        m.event.message_id = NULL;
        if (n <= 10000)
            expect_ok(cj_record(u.db, &m.event));
        else
            refuse(CJ_EREJECT, cj_record(u.db, &m.event));
    }
    ck_assert_int_eq(api_n_events(u.db), 10000 + 10001);
    m.event.n_items = 0;
    m.event.identifiers = ids;
    for (int64_t n = 15; n <= 17; n++) {
        m.event.n_identifiers = n;
        if (n <= 16)
            expect_ok(cj_record(u.db, &m.event));
        else
            refuse(CJ_EREJECT, cj_record(u.db, &m.event));
    }
    refuse(CJ_EMISUSE, cj_identify(u.db, ids, 17, NULL, 0, NULL, NULL));
    expect_ok(cj_identify(u.db, ids, 16, NULL, 0, NULL, NULL));
    refuse(CJ_ELIMIT, cj_record_many(u.db, &m.event, 1000001, 0, NULL));
    free(items);
    limits_end(&u);
}
END_TEST

/* Objects within objects: 32 of them are enough. */
START_TEST(test_api_limits__depth)
{
    api_message m;
    limits u;

    limits_begin(&u);
    api_message_make(&m, 11, API_IN_ORDER);
    m.event.message_id = NULL;
    for (int depth = 31; depth <= 33; depth++) {
        char text[256] = "";
        for (int i = 0; i < depth - 1; i++)
            (void)strcat(text, "{\"a\":");
        (void)strcat(text, "{}");
        for (int i = 0; i < depth - 1; i++)
            (void)strcat(text, "}");
        m.event.properties = text;
        if (depth <= 32)
            expect_ok(cj_record(u.db, &m.event));
        else
            refuse(CJ_EREJECT, cj_record(u.db, &m.event));
    }
    limits_end(&u);
}
END_TEST

/* "x = 1" and blanks up to a length. */
static char *limits_segment(size_t n)
{
    char *text = limits_run("orders() = 1", ' ', n, "");

    ck_assert_uint_eq(strlen(text), n);
    return text;
}

/* A list of so many short values, without a blank: its canonical text is longer. */
static char *limits_values(int n, const char *value)
{
    api_text t = {0};

    api_put(&t, "a in (");
    for (int i = 0; i < n; i++) {
        api_put(&t, i > 0 ? "," : "");
        api_put(&t, value);
    }
    api_put(&t, ")");
    return t.data;
}

START_TEST(test_api_limits__segments)
{
    char *text;
    cj_table *t;
    limits u;

    limits_begin(&u);
    expect_ok(api_record(u.db, 1, API_IN_ORDER));
    for (size_t n = 65535; n <= 65537; n++) {
        text = limits_segment(n);
        if (n <= 65536) {
            expect_ok(cj_segment_evaluate(u.db, text, NULL, &t));
            cj_table_free(t);
            expect_ok(cj_segment_define(u.db, "a", text, 0));
        } else {
            refuse(CJ_ELIMIT, cj_segment_evaluate(u.db, text, NULL, &t));
            ck_assert_ptr_null(t);
            refuse(CJ_ELIMIT, cj_segment_define(u.db, "a", text, 0));
        }
        free(text);
    }
    for (int n = 9999; n <= 10001; n++) { /* as many values as a list may have */
        text = limits_values(n, "1");
        if (n <= 10000) {
            expect_ok(cj_segment_define(u.db, "list", text, 0));
            expect_ok(cj_segment_members(u.db, "list", NULL, &t));
            cj_table_free(t);
        } else {
            refuse(CJ_ELIMIT, cj_segment_define(u.db, "list", text, 0));
        }
        free(text);
    }
    text = limits_values(10000, "12345"); /* fits as written, but not as kept */
    ck_assert_uint_lt(strlen(text), 65536);
    refuse(CJ_ELIMIT, cj_segment_evaluate(u.db, text, NULL, &t));
    refuse(CJ_ELIMIT, cj_segment_define(u.db, "list", text, 0));
    free(text);
    expect_ok(cj_segments(u.db, &t));
    ck_assert_int_eq(cj_table_rows(t), 2);
    cj_table_free(t);
    limits_end(&u);
}
END_TEST

/* A definition's name is the host's, but it may come from a form. */
START_TEST(test_api_limits__names_of_segments)
{
    cj_table *t;
    int64_t n;
    limits u;

    limits_begin(&u);
    for (size_t bytes = 199; bytes <= 201; bytes++) {
        char *name = limits_run(SECRET, 'x', bytes, "");

        if (bytes <= 200)
            expect_ok(cj_segment_define(u.db, name, "orders() = 1", 0));
        else
            refuse(CJ_EINVAL, cj_segment_define(u.db, name, "orders() = 1", 0));
        free(name);
    }
    refuse(CJ_EINVAL, cj_segment_define(u.db, SECRET "\n", "orders() = 1", 0));
    refuse(CJ_EINVAL, cj_segment_define_list(u.db, SECRET "\xff", NULL, 0));
    refuse(CJ_ENOTFOUND, cj_segment_count(u.db, SECRET, NULL, &n));
    refuse(CJ_ENOTFOUND, cj_segment_members(u.db, SECRET, NULL, &t));
    refuse(CJ_ENOTFOUND, cj_segment_drop(u.db, SECRET));
    refuse(CJ_ENOTFOUND,
           cj_segment_evaluate(u.db, "in_segment(\"" SECRET "\")", NULL, &t));
    refuse(CJ_EINVAL, cj_segment_format(u.db, "orders() = 1", SECRET, "json",
                                        &(char *){NULL}, &n));
    limits_end(&u);
}
END_TEST

/* ---- texts that are none --------------------------------------------------- */

START_TEST(test_api_limits__texts)
{
    static const char *const bad[] = {
        "",
        SECRET "\n",
        SECRET "\x01",
        SECRET "\x7f",
        SECRET "\xff",
        SECRET "\xc0\x80",     /* overlong */
        SECRET "\xed\xa0\x80", /* half a surrogate pair */
        SECRET "\xf4\x90\x80\x80",
        SECRET "\xe2\x82",
    };
    int64_t n_rejected = 0;
    limits u;

    limits_begin(&u);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        api_message m;
        const char **fields[] = {
            &m.event.name,       &m.event.channel,    &m.event.campaign,
            &m.event.content,    &m.event.product,    &m.event.session,
            &m.event.order_id,   &m.event.message_id, &m.items[1].product,
            &m.event.properties, &m.event.currency};
        for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
            cj_table *t;
            api_message_make(&m, 10, API_IN_ORDER);
            *fields[f] = bad[i];
            refuse(CJ_EREJECT, cj_record(u.db, &m.event));
            n_rejected++;
            expect_ok(cj_failed_events(u.db, &t)); /* and all are kept, bytes and all */
            ck_assert_int_eq(cj_table_rows(t), n_rejected);
            cj_table_free(t);
        }
    }
    ck_assert_int_eq(api_n_events(u.db), 0);
    limits_end(&u);
}
END_TEST

/* Every refusal of a value leaves the value out of its text, and in failed_event. */
START_TEST(test_api_limits__values)
{
    static const char *const messages[] = {
        "{\"name\":\"x\",\"user_id\":\"" SECRET "\",\"time\":\"" SECRET "\"}",
        "{\"name\":\"order\",\"user_id\":\"a\",\"value\":\"" SECRET "\"}",
        "{\"name\":\"order\",\"user_id\":\"a\",\"value\":1,\"currency\":\"" SECRET
        "\"}",
        "{\"name\":\"x\",\"email\":\"" SECRET "\"}",
        "{\"name\":\"x\",\"user_id\":{\"" SECRET "\":1}}",
        "{\"name\":\"x\",\"user_id\":\"a\",\"quantity\":\"" SECRET "\"}",
        "{\"name\":\"x\",\"user_id\":\"a\",\"properties\":\"" SECRET "\"}",
        "{\"name\":\"x\",\"user_id\":\"a\",\"items\":\"" SECRET "\"}",
        "{\"type\":\"" SECRET "\",\"user_id\":\"a\"}",
        SECRET,
        "{\"" SECRET,
        "[1,\"" SECRET "\"]",
    };
    limits u;

    limits_begin(&u);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        cj_record_result r = {.struct_size = (int64_t)sizeof r};
        api_text t = {0};
        cj_table *table;
        expect_ok(cj_record_json(u.db, messages[i], -1, "json", &r));
        ck_assert_msg(r.n_rejected >= 1 && r.first_reject == 0, "%s", messages[i]);
        expect_ok(cj_failed_events(u.db, &table));
        for (int64_t row = 0; row < cj_table_rows(table); row++) {
            const int64_t *at;
            const char *reason = cj_table_text(table, 4, &at);
            char text[128] = "";
            ck_assert_int_le(at[row + 1] - at[row], 103);
            memcpy(text, reason + at[row], (size_t)(at[row + 1] - at[row]));
            ck_assert_msg(strstr(text, SECRET) == NULL, "%s", text);
        }
        api_put_table(&t, table);
        ck_assert_ptr_nonnull(strstr(t.data, SECRET));
        free(t.data);
    }
    ck_assert_int_eq(api_n_events(u.db), 0);
    limits_end(&u);
}
END_TEST

START_TEST(test_api_limits__refusals_without_the_value)
{
    const cj_identifier email = {sizeof email, "email", SECRET};
    const cj_identifier kind = {sizeof kind, SECRET, "a"};
    const cj_identifier user = {sizeof user, "user_id", "a"};
    cj_rfm_options rfm = {.struct_size = (int64_t)sizeof rfm, .identifier = SECRET};
    int64_t n = 77;
    cj_table *t;
    limits u;

    limits_begin(&u);
    refuse(CJ_EREJECT, cj_identify(u.db, &email, 1, NULL, 0, NULL, NULL));
    refuse(CJ_EREJECT, cj_identify(u.db, &kind, 1, NULL, 0, NULL, NULL));
    refuse(CJ_EREJECT, cj_identify(u.db, &user, 1, SECRET, 0, NULL, NULL));
    refuse(CJ_EREJECT, cj_identify(u.db, &user, 1, "{\"a\":\"" SECRET, 0, NULL, &n));
    ck_assert_int_eq(n, 0);
    refuse(CJ_ENOTFOUND, cj_profile_find(u.db, "user_id", SECRET, &n));
    ck_assert_int_ne(cj_profile_find(u.db, "email", SECRET, &n), CJ_OK);
    limits_text();
    ck_assert_int_ne(cj_profile_find(u.db, SECRET, "a", &n), CJ_OK);
    limits_text();
    ck_assert_int_ne(cj_identifier_block(u.db, "email", SECRET), CJ_OK);
    limits_text();
    refuse(CJ_EINVAL, cj_time_parse(u.db, SECRET, &n));
    refuse(CJ_EINVAL, cj_rfm(u.db, &rfm, &t));
    ck_assert_ptr_null(t);
    refuse(CJ_EINVAL, cj_record_json(u.db, "{}", -1, SECRET, NULL));
    refuse(CJ_ENOTFOUND, cj_import_file(u.db, "/none/" SECRET ".csv", NULL, NULL));
    refuse(CJ_ENOTFOUND, cj_profile_identifiers(u.db, 77, &t));
    refuse(CJ_ENOTFOUND, cj_profile_identifiers(u.db, INT64_MIN, &t));
    refuse(CJ_ENOTFOUND, cj_profile_traits(u.db, -1, 0, &t));
    refuse(CJ_ENOTFOUND, cj_merge(u.db, 1, INT64_MAX, &n));
    refuse(CJ_ENOTFOUND, cj_unmerge(u.db, -1));
    limits_end(&u);
}
END_TEST

HARNESS_MAIN("api_limits", test_api_limits__lengths, test_api_limits__numbers,
             test_api_limits__counts, test_api_limits__depth, test_api_limits__segments,
             test_api_limits__names_of_segments, test_api_limits__texts,
             test_api_limits__values, test_api_limits__refusals_without_the_value)
