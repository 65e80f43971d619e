/* Events read back as a table: every column, order, filter and limit, against histories
 * kept as plain arrays. */
#include "history.h"

#include "store/reader.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

enum {
    PROFILE,
    NODE,
    TIME,
    NAME,
    CHANNEL,
    SESSION,
    CAMPAIGN,
    CONTENT,
    PRODUCT,
    ORDER,
    QUANTITY,
    VALUE,
    CURRENCY,
    PROPERTIES,
    COLUMNS
};

static const char *const columns[COLUMNS] = {
    "profile",  "node",        "time_ms",  "name",      "channel",
    "session",  "campaign",    "content",  "product",   "order_id",
    "quantity", "value_minor", "currency", "properties"};

static int is_null(const cj_table *t, int column, int64_t row)
{
    const uint8_t *bits = cj_table_validity(t, column);

    return bits != NULL && (bits[row / 8] >> (row % 8) & 1) == 0;
}

/* want NULL: must be null. */
static void expect_text(const cj_table *t, int column, int64_t row, const char *want)
{
    const int64_t *at;
    const char *text = cj_table_text(t, column, &at);

    if (want == NULL) {
        ck_assert_msg(is_null(t, column, row), "%s is not null", columns[column]);
        return;
    }
    ck_assert_msg(!is_null(t, column, row), "%s is null", columns[column]);
    ck_assert_int_eq(at[row + 1] - at[row], (int64_t)strlen(want));
    ck_assert_mem_eq(text + at[row], want, strlen(want));
}

static void expect_number(const cj_table *t, int column, int64_t row, int present,
                          int64_t want)
{
    ck_assert_msg(is_null(t, column, row) == !present, "%s", columns[column]);
    if (present)
        ck_assert_int_eq(cj_table_int64(t, column)[row], want);
}

static const char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static void expect_event(const history *h, const cj_table *t, int64_t row,
                         const history_event *e)
{
    expect_number(t, PROFILE, row, 1, h->root[e->node]);
    expect_number(t, NODE, row, 1, e->node);
    expect_number(t, TIME, row, 1, e->time_ms);
    expect_text(t, NAME, row, history_names[e->name]);
    expect_text(t, CHANNEL, row, e->channel < 0 ? NULL : history_channels[e->channel]);
    expect_text(t, SESSION, row, text_or_null(e->session));
    expect_text(t, CAMPAIGN, row, NULL);
    expect_text(t, CONTENT, row, NULL);
    expect_text(t, PRODUCT, row, NULL);
    expect_text(t, ORDER, row, text_or_null(e->order));
    expect_number(t, QUANTITY, row, e->quantity != 0, e->quantity);
    expect_number(t, VALUE, row, e->has_value, e->value);
    expect_text(t, CURRENCY, row, e->has_value ? "EUR" : NULL);
    expect_text(t, PROPERTIES, row, text_or_null(e->properties));
}

static void expect_events(history *h, const cj_events_options *o, int name)
{
    cj__scan_options scan = {.from_ms = o->from_ms,
                             .until_ms = o->until_ms,
                             .profile = (uint32_t)o->profile,
                             .guests = 1};
    int n, *indices = history_select(h, &scan, name, &n);
    int64_t limit = o->limit == 0 ? 1000000 : o->limit, rows = n < limit ? n : limit;
    cj_table *t;

    ck_assert_msg(cj_events(h->db, o, &t) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_eq(cj_table_columns(t), COLUMNS);
    ck_assert_int_eq(cj_table_rows(t), rows);
    for (int i = 0; i < rows; i++)
        expect_event(h, t, i, &h->events[indices[i]]);
    cj_table_free(t);
    free(indices);
}

static void expect_all_questions(history *h)
{
    cj_events_options o = {.struct_size = sizeof o};

    expect_events(h, &o, -1);
    for (int i = 0; i < HISTORY_NAMES; i++) {
        o.name = history_names[i];
        expect_events(h, &o, i);
    }
    o.name = NULL;
    o.from_ms = HISTORY_FROM_MS + INT64_C(10) * 86400000;
    expect_events(h, &o, -1);
    o.until_ms = o.from_ms + INT64_C(3) * 86400000;
    expect_events(h, &o, -1);
    o.from_ms = 0;
    o.threads = 3;
    expect_events(h, &o, -1);
    o = (cj_events_options){.struct_size = sizeof o};
    for (int i = 0; i < 8; i++) {
        o.limit = 1 + history_random(h, i < 4 ? 30 : 1500);
        o.profile = i % 2 == 0 ? 0 : 1 + history_random(h, h->n_nodes + 1);
        expect_events(h, &o, -1);
    }
}

START_TEST(test_events_table__equals_the_history)
{
    static const int64_t seals[] = {1, 90, 400, 65536};

    for (uint64_t seed = 1; seed <= 4; seed++) {
        history h;

        history_open(&h, seed, 20 + 60 * (int)seed, seals[seed - 1], NULL);
        for (int round = 0; round < 3; round++) {
            history_record(&h, 500);
            expect_all_questions(&h);
            for (int i = 0; i < 12; i++)
                history_merge(&h);
            for (int i = 0; i < 3; i++)
                history_unmerge(&h);
            expect_all_questions(&h);
            if (round == 1)
                ck_assert_int_eq(cj_compact(h.db, NULL, NULL), CJ_OK);
        }
        history_end(&h);
    }
}
END_TEST

/* Parts of several blocks: which blocks are read matters. */
START_TEST(test_events_table__many_blocks_of_one_slice)
{
    history h;

    history_open(&h, 9, 300, 12000, NULL);
    h.span_hours = 140;
    history_record(&h, 14000);
    for (int i = 0; i < 250; i++)
        history_merge(&h);
    for (int i = 0; i < 30; i++) {
        cj_events_options o = {.struct_size = sizeof o};

        o.profile = 1 + history_random(&h, h.n_nodes);
        o.limit = i % 3 == 0 ? 50 : 0;
        expect_events(&h, &o, -1);
    }
    expect_all_questions(&h);
    history_end(&h);
}
END_TEST

START_TEST(test_events_table__an_order_and_its_items)
{
    const cj_identifier id = {
        .struct_size = sizeof id, .kind = "email", .value = "ann@example.org"};
    const cj_item items[] = {
        {.struct_size = sizeof items[0],
         .product = "tea",
         .quantity = 2,
         .value_minor = 790                    },
        {.struct_size = sizeof items[0],
         .product = "cup",
         .value_minor = 450,
         .properties = "{\"colour\": \"blue\"}"},
    };
    const cj_event e = {.struct_size = sizeof e,
                        .time_ms = 1704067200000,
                        .name = "order",
                        .channel = "web",
                        .identifiers = &id,
                        .n_identifiers = 1,
                        .session = "s9",
                        .campaign = "new-year",
                        .content = "banner-2",
                        .order_id = "A-17",
                        .value_minor = 1240,
                        .properties = "{\"coupon\":null}",
                        .items = items,
                        .n_items = 2};
    cj_events_options o = {.struct_size = sizeof o};
    history h;
    cj_table *t;

    history_open(&h, 1, 1, 1, NULL);
    ck_assert_msg(cj_record(h.db, &e) == CJ_OK, "%s", cj_errmsg());
    ck_assert_int_eq(cj_events(h.db, &o, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 3);
    for (int64_t row = 0; row < 3; row++) {
        expect_text(t, NAME, row, row == 0 ? "order" : "order_item");
        expect_text(t, ORDER, row, "A-17");
        expect_number(t, TIME, row, 1, 1704067200000);
    }
    expect_text(t, CAMPAIGN, 0, "new-year");
    expect_text(t, CONTENT, 0, "banner-2");
    expect_text(t, CHANNEL, 0, "web");
    expect_text(t, SESSION, 0, "s9");
    expect_text(t, PROPERTIES, 0, "{\"coupon\":null}");
    expect_number(t, VALUE, 0, 1, 1240);
    expect_text(t, PRODUCT, 1, "tea");
    expect_number(t, QUANTITY, 1, 1, 2);
    expect_number(t, VALUE, 1, 1, 790);
    expect_text(t, PRODUCT, 2, "cup");
    expect_number(t, QUANTITY, 2, 1, 1);
    expect_text(t, PROPERTIES, 2, "{\"colour\": \"blue\"}");
    cj_table_free(t);
    history_end(&h);
}
END_TEST

START_TEST(test_events_table__nothing_to_read)
{
    cj_events_options o = {.struct_size = sizeof o};
    history h;
    cj_table *t;

    history_open(&h, 1, 5, 10, NULL);
    ck_assert_int_eq(cj_events(h.db, &o, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 0);
    for (int i = 0; i < COLUMNS; i++)
        ck_assert_str_eq(cj_table_name(t, i), columns[i]);
    cj_table_free(t);
    history_record(&h, 30);
    o.name = "never_seen";
    ck_assert_int_eq(cj_events(h.db, &o, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 0);
    cj_table_free(t);
    o.name = NULL;
    o.profile = INT64_MAX;
    ck_assert_int_eq(cj_events(h.db, &o, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 0);
    cj_table_free(t);
    history_end(&h);
}
END_TEST

START_TEST(test_events_table__wrong_options)
{
    history h;
    cj_table *t;

    history_open(&h, 1, 5, 10, NULL);
    ck_assert_int_eq(
        cj_events(h.db, &(cj_events_options){.struct_size = 56, .limit = -1}, &t),
        CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "limit must be a number of rows, or 0 for 1000000");
    ck_assert_int_eq(
        cj_events(h.db, &(cj_events_options){.struct_size = 56, .profile = -1}, &t),
        CJ_EINVAL);
    ck_assert_int_eq(
        cj_events(h.db, &(cj_events_options){.struct_size = 56, .threads = 65}, &t),
        CJ_EINVAL);
    ck_assert_ptr_null(t);
    history_end(&h);
}
END_TEST

/* ---- identifiers beside a result ------------------------------------------------- */

START_TEST(test_identifiers__the_oldest_of_a_kind)
{
    history h;
    cj_table *t, *done;
    const char *kinds[] = {"user_id", "device_id", "guest", "email"};

    history_open(&h, 4, 60, 100, NULL);
    history_record(&h, 400);
    for (int i = 0; i < 15; i++)
        history_merge(&h);
    history_roots(&h);
    for (int k = 0; k < 4; k++) {
        int64_t profiles[64], n = 0;
        cj__reader *reader;

        for (uint32_t node = 1; node <= h.n_nodes; node++) {
            if (h.root[node] == node)
                profiles[n++] = node;
        }
        ck_assert_int_eq(cj__table_new(&h.db->cx.allocator, "value:t", &t), CJ_OK);
        ck_assert_int_eq(cj__reader_open(h.db, &reader), CJ_OK);
        ck_assert_int_eq(cj__scan_identifiers(reader, kinds[k], profiles, n, t, 0),
                         CJ_OK);
        cj__reader_end(reader);
        ck_assert_int_eq(cj__table_finish(t, &done), CJ_OK);
        ck_assert_int_eq(cj_table_rows(done), n);
        for (int64_t i = 0; i < n; i++) {
            const char *kind = "";
            char value[32];
            int found = 0;

            for (uint32_t node = 1; node <= h.n_nodes && !found; node++) {
                history_user(h.user_of[node], &kind, value);
                found = h.root[node] == profiles[i] && strcmp(kind, kinds[k]) == 0;
            }
            expect_text(done, 0, i, found ? value : NULL);
        }
        cj_table_free(done);
    }
    history_end(&h);
}
END_TEST

START_TEST(test_identifiers__unknown_kind)
{
    cj__reader *reader;
    history h;
    cj_table *t;

    history_open(&h, 1, 5, 10, NULL);
    ck_assert_int_eq(cj__reader_open(h.db, &reader), CJ_OK);
    ck_assert_int_eq(cj__table_new(&h.db->cx.allocator, "value:t", &t), CJ_OK);
    ck_assert_int_eq(cj__scan_identifiers(reader, "colour", NULL, 0, t, 0), CJ_EINVAL);
    ck_assert_int_eq(cj__scan_identifiers(reader, "email", NULL, 0, t, 0), CJ_OK);
    cj__reader_end(reader);
    cj_table_free(t);
    history_end(&h);
}
END_TEST

HARNESS_MAIN("scan_events_table", test_events_table__equals_the_history,
             test_events_table__many_blocks_of_one_slice,
             test_events_table__an_order_and_its_items,
             test_events_table__nothing_to_read, test_events_table__wrong_options,
             test_identifiers__the_oldest_of_a_kind, test_identifiers__unknown_kind)
