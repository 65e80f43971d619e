/* Importing files through the public API: what they become, what is refused and why,
 * and that running a file again changes nothing. */
#include "harness.h"
#include "messages.h"
#include "people.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char import_path[64], import_rejects[80];

static void write_file(const char *bytes, size_t n)
{
    FILE *f;

    snprintf(import_path, sizeof import_path, "/tmp/cj_import_%d", (int)getpid());
    snprintf(import_rejects, sizeof import_rejects, "%s.rejects", import_path);
    f = fopen(import_path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void remove_files(void)
{
    unlink(import_path);
    unlink(import_rejects);
}

/* "lines recorded duplicates rejected events" */
static char *import_counts(cj_db *db, cj_import_options *o)
{
    cj_import_result r = {.struct_size = sizeof r};
    static char text[200];

    o->struct_size = sizeof *o;
    ck_assert_msg(cj_import_file(db, import_path, o, &r) == CJ_OK, "%s", cj_errmsg());
    snprintf(text, sizeof text, "%lld %lld %lld %lld %lld", (long long)r.n_lines,
             (long long)r.n_recorded, (long long)r.n_duplicates,
             (long long)r.n_rejected, (long long)r.n_events);
    return text;
}

static void import_text(cj_db *db, cj_import_options o, const char *text,
                        const char *counts)
{
    write_file(text, strlen(text));
    ck_assert_str_eq(import_counts(db, &o), counts);
    remove_files();
}

static void import_fails(cj_db *db, cj_import_options o, const char *text, int32_t code,
                         const char *message)
{
    write_file(text, strlen(text));
    o.struct_size = sizeof o;
    ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), code);
    ck_assert_str_eq(cj_errmsg(), message);
    remove_files();
}

static void put_cell(FILE *f, const cj_table *t, int64_t column, int64_t row)
{
    const uint8_t *valid = cj_table_validity(t, column);
    const int64_t *offsets;
    const char *bytes;

    if (valid != NULL && !(valid[row / 8] >> row % 8 & 1))
        return;
    fputc(' ', f);
    if (cj_table_type(t, column) == CJ_INT64) {
        fprintf(f, "%lld", (long long)cj_table_int64(t, column)[row]);
        return;
    }
    bytes = cj_table_text(t, column, &offsets);
    fprintf(f, "%.*s", (int)(offsets[row + 1] - offsets[row]), bytes + offsets[row]);
}

/* One line per event: profile, time, and the other columns that are present. */
static char *all_events(cj_db *db)
{
    cj_table *t = NULL;
    char *text = NULL, time[25];
    size_t n;
    FILE *f = open_memstream(&text, &n);

    ck_assert_msg(cj_events(db, NULL, &t) == CJ_OK, "%s", cj_errmsg());
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        cj__time_format(cj_table_int64(t, 2)[row], time);
        fprintf(f, "%lld %.16s", (long long)cj_table_int64(t, 0)[row], time);
        for (int64_t c = 3; c < cj_table_columns(t); c++)
            put_cell(f, t, c, row);
        fputc('\n', f);
    }
    cj_table_free(t);
    fclose(f);
    return text;
}

static void expect_events(cj_db *db, const char *expected)
{
    char *text = all_events(db);

    ck_assert_str_eq(text, expected);
    free(text);
}

static void expect_traits(cj_db *db, int64_t profile, const char *expected)
{
    cj_table *t = NULL;
    char *text = NULL;

    ck_assert_int_eq(cj_profile_traits(db, profile, 0, &t), CJ_OK);
    text = people_csv(t);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void expect_rejects(const char *expected)
{
    char *text = messages_file(import_rejects);

    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* ---- JSON
 * ---------------------------------------------------------------------------- */

static const char json_lines[] =
    "{\"name\":\"order\",\"time\":\"2024-01-02\",\"user_id\":\"a\",\"value\":5,"
    "\"message_id\":\"m\"}\n"
    "\n"
    "{\"name\":\"page_view\",\"time\":\"2024-01-01\",\"user_id\":\"a\"}\r\n"
    "{\"name\":\"page_view\",\"time\":\"2024-01-01\",\"user_id\":\"a\"}\n"
    "{\"type\":\"identify\",\"time\":\"2024-01-01\",\"user_id\":\"a\",\"traits\":{"
    "\"vip\":true}}\n"
    "{\"name\":\"page_view\",\"user_id\":\"a\"}\n"
    "not json";

START_TEST(test_events_import__json_lines)
{
    cj_db *db = people_open();

    import_text(db, (cj_import_options){.format = "json"}, json_lines, "6 4 0 2 3");
    expect_events(db, "1 2024-01-01T00:00 page_view\n"
                      "1 2024-01-01T00:00 page_view\n"
                      "1 2024-01-02T00:00 order 500 EUR\n");
    expect_traits(db, 1, "name,value,source,time_ms\nvip,true,import,1704067200000\n");
    people_sound(db);
    people_close(db);
}
END_TEST

/* Equal lines are different events; the same file is the same events. */
START_TEST(test_events_import__json_again_changes_nothing)
{
    cj_db *db = people_open();
    int64_t failed;
    char *before, *after;

    import_text(db, (cj_import_options){.format = "json"}, json_lines, "6 4 0 2 3");
    before = all_events(db);
    failed = people_count(db, "failed_events");
    import_text(db, (cj_import_options){.format = "json"}, json_lines, "6 0 4 2 0");
    after = all_events(db);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(people_count(db, "failed_events"), failed);
    free(before);
    free(after);
    people_close(db);
}
END_TEST

START_TEST(test_events_import__json_rejects_are_kept)
{
    cj_db *db = people_open();
    cj_import_options o = {.format = "json", .reject_path = import_rejects};

    write_file(json_lines, strlen(json_lines));
    ck_assert_str_eq(import_counts(db, &o), "6 4 0 2 3");
    expect_rejects("line,reason,raw\n"
                   "6,\"no time; a file's messages need one\","
                   "\"{\"\"name\"\":\"\"page_view\"\",\"\"user_id\"\":\"\"a\"\"}\"\n"
                   "7,\"JSON: a value was expected, at byte 0\",\"not json\"\n");
    remove_files();
    people_close(db);
}
END_TEST

/* A file may be an array, or objects over several lines. */
START_TEST(test_events_import__json_over_lines)
{
    static const char array[] =
        "  [ {\"name\":\"a\",\"time\":1704067200000,\"user_id\":\"u\"},\n"
        "    {\"name\":\"b\",\n \"time\":1704067200000,\"user_id\":\"u\"} "
        ",{\"name\":\"c\"} ]\n";
    static const char objects[] = "{\n \"name\":\"a\",\"time\":1704067200000,\n"
                                  "\"user_id\":\"u\"\n}\n{\n\"name\":\"}\"}\n";
    cj_import_options o = {.format = "json", .reject_path = import_rejects};
    cj_db *db = people_open();

    write_file(array, strlen(array));
    ck_assert_str_eq(import_counts(db, &o), "3 2 0 1 2");
    expect_rejects("line,reason,raw\n3,\"no time; a file's messages need one\","
                   "\"{\"\"name\"\":\"\"c\"\"}\"\n");
    import_text(db, (cj_import_options){.format = "json"}, objects, "2 1 0 1 1");
    import_text(db, (cj_import_options){.format = "json"}, "[]", "0 0 0 0 0");
    import_text(db, (cj_import_options){.format = "json"}, "", "0 0 0 0 0");
    people_close(db);
}
END_TEST

START_TEST(test_events_import__segment_file)
{
    cj_db *db = people_open();

    import_text(db, (cj_import_options){.format = "segment"},
                "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u\","
                "\"timestamp\":\"2024-01-01T10:00:00Z\",\"properties\":{\"total\":5,"
                "\"order_id\":\"o\",\"products\":[{\"sku\":\"s\",\"price\":2.5,"
                "\"quantity\":2}]}}\n",
                "1 1 0 0 2");
    expect_events(
        db, "1 2024-01-01T10:00 order o 500 EUR {\"total\":5,\"order_id\":\"o\"}\n"
            "1 2024-01-01T10:00 order_item s o 2 500 EUR "
            "{\"sku\":\"s\",\"price\":2.5,\"quantity\":2}\n");
    people_close(db);
}
END_TEST

START_TEST(test_events_import__a_line_over_the_limit_costs_itself)
{
    const size_t n_long = CJ__MAX_MESSAGE * 2;
    static const char good[] =
        "{\"name\":\"a\",\"time\":1704067200000,\"user_id\":\"u\"}\n";
    cj_import_options o = {.format = "json", .reject_path = import_rejects};
    cj_db *db = people_open();
    char *text = malloc(n_long + 200), *rejects;

    memcpy(text, good, sizeof good - 1);
    memset(text + sizeof good - 1, 'x', n_long);
    text[sizeof good - 1 + n_long] = '\n';
    memcpy(text + sizeof good + n_long, good, sizeof good - 1);
    write_file(text, 2 * (sizeof good - 1) + n_long + 1);
    ck_assert_str_eq(import_counts(db, &o), "3 2 0 1 2");
    rejects = messages_file(import_rejects);
    ck_assert_int_eq(
        strncmp(rejects, "line,reason,raw\n2,\"the line is longer than 1 MiB\"", 47),
        0);
    free(rejects);
    free(text);
    remove_files();
    people_close(db);
}
END_TEST

/* ---- CSV: orders
 * ------------------------------------------------------------------------ */

static const char shop_map[] =
    "time=When,order=No,product=Item,quantity=Qty,unit_price=Price,"
    "user_id=Customer,trait.country=Country,property.colour=Colour";
static const char shop_head[] = "No,Item,Qty,Price,Customer,Country,Colour,When\n";

static void import_shop(cj_db *db, cj_import_options o, const char *rows,
                        const char *counts)
{
    char *text = malloc(strlen(shop_head) + strlen(rows) + 1);

    strcpy(text, shop_head);
    strcat(text, rows);
    o.format = "csv";
    o.map = shop_map;
    import_text(db, o, text, counts);
    free(text);
}

START_TEST(test_events_import__lines_become_orders)
{
    cj_db *db = people_open();

    import_shop(db, (cj_import_options){.channel = "store"},
                "1,p1,2,1.25,ann,DE,red,2024-01-01 10:00\n"
                "1,p2,1,\"0.5\",ann,DE,,2024-01-01 10:01\n"
                "2,p1,1,1.25,bob,AT,\"b\"\"q\"\"\",2024-01-01 11:00\n",
                "3 2 0 0 5");
    expect_events(
        db, "1 2024-01-01T10:00 order store 1 300 EUR\n"
            "1 2024-01-01T10:00 order_item store p1 1 2 250 EUR {\"colour\":\"red\"}\n"
            "1 2024-01-01T10:00 order_item store p2 1 1 50 EUR\n"
            "2 2024-01-01T11:00 order store 2 125 EUR\n"
            "2 2024-01-01T11:00 order_item store p1 2 1 125 EUR "
            "{\"colour\":\"b\\\"q\\\"\"}\n");
    expect_traits(db, 2,
                  "name,value,source,time_ms\n"
                  "country,\"\"\"AT\"\"\",import,1704106800000\n");
    people_close(db);
}
END_TEST

/* Rounded once per line, half to even; then summed. */
START_TEST(test_events_import__money_of_lines)
{
    cj_db *db = people_open();

    import_shop(db, (cj_import_options){.format = NULL},
                "1,p,1,0.005,ann,,,2024-01-01\n1,p,1,0.015,ann,,,2024-01-01\n"
                "1,p,3,0.335,ann,,,2024-01-01\n1,,1,10,ann,,,2024-01-01\n"
                "C2,p,-2,1.5,ann,,,2024-01-02\n"
                "3,p,0,1.5,ann,,,2024-01-03\n3,p,5,0,ann,,,2024-01-03\n"
                "4,p,6.00,1e1,ann,,,2024-01-04\n",
                "8 4 0 0 11");
    expect_events(db, "1 2024-01-01T00:00 order 1 1102 EUR\n"
                      "1 2024-01-01T00:00 order_item p 1 1 0 EUR\n"
                      "1 2024-01-01T00:00 order_item p 1 1 2 EUR\n"
                      "1 2024-01-01T00:00 order_item p 1 3 100 EUR\n"
                      "1 2024-01-02T00:00 refund C2 -300 EUR\n"
                      "1 2024-01-02T00:00 order_item p C2 -2 -300 EUR\n"
                      "1 2024-01-03T00:00 order 3 0 EUR\n"
                      "1 2024-01-03T00:00 order_item p 3 1 0 EUR\n"
                      "1 2024-01-03T00:00 order_item p 3 5 0 EUR\n"
                      "1 2024-01-04T00:00 order 4 6000 EUR\n"
                      "1 2024-01-04T00:00 order_item p 4 6 6000 EUR\n");
    people_close(db);
}
END_TEST

START_TEST(test_events_import__orders_again_change_nothing)
{
    static const char rows[] = "1,p1,2,1.25,ann,DE,red,2024-01-01 10:00\n"
                               "2,p1,1,1.25,bob,AT,,2024-01-01 11:00\n"
                               "1,p2,1,0.5,ann,DE,,2024-01-01 10:01\n"
                               "3,p2,x,0.5,ann,DE,,2024-01-01 10:01\n";
    cj_db *db = people_open();
    char *before, *after;

    import_shop(db, (cj_import_options){.name = NULL}, rows, "4 2 0 1 5");
    before = all_events(db);
    import_shop(db, (cj_import_options){.name = NULL}, rows, "4 0 2 1 0");
    after = all_events(db);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    people_sound(db);
    people_close(db);
}
END_TEST

/* n orders of one line each, with ids from..; then a line of order 0. */
static char *many_orders(int n)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    for (int i = 0; i < n; i++)
        fprintf(f, "%d,p,1,1,ann,,,2024-01-01\n", i);
    fputs("0,late,1,1,ann,,,2024-01-01\n", f);
    fclose(f);
    return text;
}

/* The window: 1,024 orders are open, so the 1,025th closes the first. */
START_TEST(test_events_import__a_line_after_its_order_is_refused)
{
    cj_db *db = people_open();
    char *text = many_orders(1024), *bytes;
    cj_table *t = NULL;

    import_shop(db, (cj_import_options){.name = NULL}, text, "1025 1024 0 0 2049");
    free(text);
    people_close(db);
    db = people_open();
    text = many_orders(1025);
    import_shop(db, (cj_import_options){.name = NULL}, text, "1026 1025 0 1 2050");
    import_shop(db, (cj_import_options){.name = NULL}, text, "1026 0 1025 1 0");
    ck_assert_int_eq(cj_failed_events(db, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), 1);
    bytes = people_csv(t);
    ck_assert_ptr_nonnull(
        strstr(bytes, "csv,CJ_EINVAL,\"its order ended over 1,024 orders ago; "
                      "sort the file by order\",\"0,late,1,1,ann,,,2024-01-01\""));
    free(bytes);
    free(text);
    people_close(db);
}
END_TEST

START_TEST(test_events_import__an_order_may_be_too_large)
{
    cj_import_options o = {
        .format = "csv", .map = shop_map, .reject_path = import_rejects};
    cj_db *db = people_open();
    char *text = NULL, *rejects;
    size_t n, lines = 0;
    FILE *f = open_memstream(&text, &n);

    fputs(shop_head, f);
    for (int i = 0; i < CJ__MAX_ITEMS + 3; i++)
        fputs("big,p,1,1,ann,,,2024-01-01\n", f);
    for (int i = 0; i < CJ__MAX_ITEMS; i++)
        fputs("fits,p,1,1,ann,,,2024-01-01\n", f);
    fclose(f);
    write_file(text, n);
    ck_assert_str_eq(import_counts(db, &o), "20003 1 0 10003 10001");
    rejects = messages_file(import_rejects);
    for (const char *p = rejects;
         (p = strstr(p, "an order of over 10,000 lines")) != NULL; p++)
        lines++;
    ck_assert_uint_eq(lines, 10003);
    free(rejects);
    free(text);
    remove_files();
    people_close(db);
}
END_TEST

START_TEST(test_events_import__bad_lines_are_rejected_alone)
{
    cj_import_options o = {
        .format = "csv", .map = shop_map, .reject_path = import_rejects};
    static const char text[] = "No,Item,Qty,Price,Customer,Country,Colour,When\r\n"
                               "1,p,x,1,ann,,,2024-01-01\r\n"
                               "1,p,1,1,ann,,,2024-01-02\r\n"
                               "1,p,1.5,1,ann,,,2024-01-01\r\n"
                               "1,p,1,free,ann,,,2024-01-01\r\n"
                               "1,p,1,,ann,,,2024-01-01\r\n"
                               "1,p,1,1,ann,,,soon\r\n"
                               "1,p,1,1,ann,,,\r\n"
                               "1,p,1,1,ann,,2024-01-01\r\n"
                               "1,p,1,1,ann,,,2024-01-01,\r\n"
                               "1,\"p\"x,1,1,ann,,,2024-01-01\r\n"
                               "1,\"p\nq\",1,1,ann,,,2024-01-01\r\n"
                               "1,p\xff,1,1,ann,,,2024-01-01\r\n"
                               "1,p,1,99999999999999,ann,,,2024-01-01\r\n"
                               "2,p,1,1,,,,2024-01-01\r\n"
                               "2,q,1,1,null,,,2024-01-01\r\n"
                               "1,q,1,1,ann,,,2024-01-02\r\n"
                               ",p,1,1,ann,,,2024-01-02\r\n";
    cj_db *db = people_open();

    write_file(text, sizeof text - 1);
    ck_assert_str_eq(import_counts(db, &o), "17 1 0 15 3");
    expect_events(db, "1 2024-01-02T00:00 order 1 200 EUR\n"
                      "1 2024-01-02T00:00 order_item p 1 1 100 EUR\n"
                      "1 2024-01-02T00:00 order_item q 1 1 100 EUR\n");
    expect_rejects(
        "line,reason,raw\n"
        "2,\"the quantity is not a whole number\",\"1,p,x,1,ann,,,2024-01-01\"\n"
        "4,\"the quantity is not a whole number\",\"1,p,1.5,1,ann,,,2024-01-01\"\n"
        "5,\"the value or price is not a number\",\"1,p,1,free,ann,,,2024-01-01\"\n"
        "6,\"no value and no price\",\"1,p,1,,ann,,,2024-01-01\"\n"
        "7,\"the time cannot be read\",\"1,p,1,1,ann,,,soon\"\n"
        "8,\"no time\",\"1,p,1,1,ann,,,\"\n"
        "9,\"fewer fields than the header\",\"1,p,1,1,ann,,2024-01-01\"\n"
        "10,\"more fields than the header\",\"1,p,1,1,ann,,,2024-01-01,\"\n"
        "11,\"text after a closing quote\",\"1,\"\"p\"\"x,1,1,ann,,,2024-01-01\"\n"
        "12,\"the product holds a control character\","
        "\"1,\"\"p\nq\"\",1,1,ann,,,2024-01-01\"\n"
        "14,\"not valid UTF-8; save the file as "
        "UTF-8\",\"1,p\xff,1,1,ann,,,2024-01-01\"\n"
        "15,\"the value is too large\",\"1,p,1,99999999999999,ann,,,2024-01-01\"\n"
        "19,\"no name and no order id\",\",p,1,1,ann,,,2024-01-02\"\n"
        "16,\"no identifier that identifies anybody\",\"2,p,1,1,,,,2024-01-01\"\n"
        "17,\"no identifier that identifies anybody\",\"2,q,1,1,null,,,2024-01-01\"\n");
    remove_files();
    people_close(db);
}
END_TEST

START_TEST(test_events_import__guests)
{
    cj_db *db = people_open();
    char *who;

    import_shop(
        db, (cj_import_options){.guest = "No"},
        "1,p,1,1,,,,2024-01-01\n2,p,1,1,null,,,2024-01-01\n3,p,1,1,ann,,,2024-01-01\n",
        "3 3 0 0 6");
    who = people_all(db, 3);
    ck_assert_str_eq(who, "1:guest=1 2:guest=2 3:user_id=ann");
    free(who);
    people_close(db);
}
END_TEST

START_TEST(test_events_import__refunds_by_name)
{
    cj_db *db = people_open();
    cj_import_options o = {.format = "csv",
                           .map = "time=t,order=o,name=n,value=v,user_id=u,product=p"};

    import_text(
        db, o,
        "t,o,n,v,u,p\n2024-01-01,1,order,10,ann,x\n2024-01-02,1,refund,-10,ann,x\n"
        "2024-01-01,1,order_item,5,ann,y\n2024-01-03,1,checkout_start,3,ann,\n",
        "4 3 0 0 6");
    expect_events(db, "1 2024-01-01T00:00 order 1 1500 EUR\n"
                      "1 2024-01-01T00:00 order_item x 1 1 1000 EUR\n"
                      "1 2024-01-01T00:00 order_item y 1 1 500 EUR\n"
                      "1 2024-01-02T00:00 refund 1 -1000 EUR\n"
                      "1 2024-01-02T00:00 order_item x 1 1 -1000 EUR\n"
                      "1 2024-01-03T00:00 checkout_start 1 300 EUR\n");
    people_close(db);
}
END_TEST

/* Orders whose lines are mixed in every way, against sums made here. */
START_TEST(test_events_import__mixed_lines_keep_their_sums)
{
    enum { ORDERS = 300, LINES = 3000 };
    static int64_t sums[ORDERS], counts[ORDERS];
    const int64_t *offsets, *values;
    uint64_t state = 3;
    cj_db *db = people_open();
    cj_table *t = NULL;
    cj_import_options o = {.format = "csv", .map = shop_map};
    cj_events_options select = {.struct_size = sizeof select, .name = "order"};
    char *text = NULL;
    const char *ids;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    fputs(shop_head, f);
    for (int i = 0; i < LINES; i++) {
        int order, quantity, cents;

        state = state * 6364136223846793005u + 1442695040888963407u;
        order = (int)(state >> 33) % ORDERS;
        quantity = 1 + (int)(state >> 40) % 9;
        cents = (int)(state >> 44) % 5000;
        sums[order] += quantity * cents;
        counts[order]++;
        fprintf(f, "%d,p%d,%d,%d.%02d,u%d,,,2024-01-01\n", order, i, quantity,
                cents / 100, cents % 100, order % 50);
    }
    fclose(f);
    write_file(text, n);
    ck_assert_str_eq(import_counts(db, &o), "3000 300 0 0 3300");
    ck_assert_int_eq(cj_events(db, &select, &t), CJ_OK);
    ck_assert_int_eq(cj_table_rows(t), ORDERS);
    ids = cj_table_text(t, 9, &offsets);
    values = cj_table_int64(t, 11);
    for (int64_t row = 0; row < ORDERS; row++) {
        char id[8] = "";
        int order;

        memcpy(id, ids + offsets[row], (size_t)(offsets[row + 1] - offsets[row]));
        order = atoi(id);
        ck_assert_int_eq(values[row], sums[order]);
        ck_assert_int_gt(counts[order], 0);
    }
    cj_table_free(t);
    free(text);
    remove_files();
    people_close(db);
}
END_TEST

/* ---- CSV: other events
 * -------------------------------------------------------------------- */

START_TEST(test_events_import__rows_without_an_order)
{
    static const char text[] =
        "time,name,channel,session,campaign,content,product,quantity,value,currency,"
        "email,"
        "message_id,property.a,trait.b\n"
        "2024-01-01 "
        "08:00,page_view,web,s1,spring,banner,p,2,1.50,EUR,Ann@x.org,m1,1,x\n"
        "2024-01-01 09:00,cart_add,,,,,,,0,,ann@x.org,,\"a,b\",\n"
        "2024-01-01 09:00,cart_add,,,,,,,0,,ann@x.org,,\"a,b\",\n"
        "2024-01-01 10:00,search,,,,,,,,EUR,ann@x.org,,,\n"
        "2024-01-01 11:00,,,,,,,,,,ann@x.org,,,\n";
    cj_db *db = people_open();
    cj_import_options o = {.format = "csv", .channel = "app"};

    import_text(db, o, text, "5 4 0 1 4");
    expect_events(
        db,
        "1 2024-01-01T08:00 page_view web s1 spring banner p 2 150 EUR {\"a\":\"1\"}\n"
        "1 2024-01-01T09:00 cart_add app 0 EUR {\"a\":\"a,b\"}\n"
        "1 2024-01-01T09:00 cart_add app 0 EUR {\"a\":\"a,b\"}\n"
        "1 2024-01-01T10:00 search app\n");
    import_text(db, o, text, "5 0 4 1 0");
    o.name = "visit";
    import_text(db, o, text, "5 1 4 0 1");
    people_close(db);
}
END_TEST

/* Equal rows are counted, whatever stands between them. */
START_TEST(test_events_import__equal_rows_by_their_ordinal)
{
    cj_db *db = people_open();
    cj_import_options o = {.format = "csv"};

    import_text(db, o,
                "time,name,user_id\n2024-01-01,a,u\n2024-01-01,b,u\n2024-01-01,a,u\n",
                "3 3 0 0 3");
    import_text(db, o,
                "time,name,user_id\n2024-01-01,a,u\n2024-01-01,a,u\n2024-01-01,a,u\n",
                "3 1 2 0 1");
    people_close(db);
}
END_TEST

START_TEST(test_events_import__times_are_of_the_zone)
{
    cj_db *db = people_open();
    cj_import_options o = {.format = "csv", .time_zone = "Europe/London"};

    import_text(db, o,
                "time,name,user_id\n2011-07-01 08:26:00,a,u\n2011-12-01 08:26:00,a,u\n"
                "2011-12-01T08:26:00+05:00,a,u\n",
                "3 3 0 0 3");
    expect_events(db,
                  "1 2011-07-01T07:26 a\n1 2011-12-01T03:26 a\n1 2011-12-01T08:26 a\n");
    o.time_zone = "Europe/Londen";
    write_file("time\n", 5);
    ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), CJ_EMISUSE);
    o.struct_size = sizeof o;
    ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), CJ_EINVAL);
    remove_files();
    people_close(db);
}
END_TEST

START_TEST(test_events_import__files_as_they_are)
{
    cj_db *db = people_open();
    cj_import_options o = {.format = "csv"};

    /* byte order mark, semicolons, decimal comma, CR LF, blank lines, no last line end
     */
    import_text(db, o,
                "\xEF\xBB\xBFtime;name;user_id;value;quantity\r\n\r\n"
                "2024-01-01;a;u;2,55;6,00\r\n\r\n2024-01-02;b;u;1.5;",
                "2 2 0 0 2");
    expect_events(db, "1 2024-01-01T00:00 a 6 255 EUR\n1 2024-01-02T00:00 b 150 EUR\n");
    import_text(db, o, "time\tname\tuser_id\n2024-01-03\tc\tu\n", "1 1 0 0 1");
    import_text(db, o, "time,name,user_id\n", "0 0 0 0 0");
    import_text(db, o, "time,name,user_id,value\n2024-01-03,c,u,\"1,234.50\"\n",
                "1 0 0 1 0");
    import_fails(db, o, "\xFF\xFEt\0", CJ_EINVAL,
                 "the file is UTF-16; save it as UTF-8");
    import_fails(db, o, "", CJ_EINVAL, "the file has no header line");
    import_fails(db, o, "\"time\"x\n", CJ_EINVAL,
                 "the header: text after a closing quote");
    import_fails(db, o, "time,na\xff\n", CJ_EINVAL,
                 "the header is not valid UTF-8; save it as UTF-8");
    people_close(db);
}
END_TEST

START_TEST(test_events_import__the_map_is_strict)
{
    static const char head[] = "When,Customer,Qty,Qty,\"A,b\"\n2024-01-01,u,1,2,x\n";
    static const struct {
        const char *map, *guest, *message;
    } cases[] = {
        {"time=Wenn",                                     NULL,     "the file has no column \"Wenn\"; the nearest is \"When\""},
        {"time=When,user_id=customer",                    NULL,
         "the file has no column \"customer\"; the nearest is \"Customer\""                                                   },
        {"tyme=When",                                     NULL,     "map: \"tyme\" is unknown; the nearest is time"           },
        {"user_id=Customer",                              NULL,     "map: no column for time (time=...)"                      },
        {"time=When,quantity=Qty",                        NULL,     "the file has two columns \"Qty\""                        },
        {"time=When,time=Customer",                       NULL,     "map: time is named twice"                                },
        {"time=When,order=Customer,order_id=When",        NULL,
         "map: order_id is named twice"                                                                                       },
        {"time=When,property.a=When,property.a=Customer", NULL,
         "map: a property or trait is named twice"                                                                            },
        {"time",                                          NULL,     "map: after \"time\" a = and a column are missing"        },
        {"time=\"When",                                   NULL,     "map: a quote is not closed before the comma"             },
        {"time=When",                                     "Nobody",
         "the file has no column \"Nobody\"; the nearest is \"Qty\""                                                          },
        {NULL,                                            NULL,     "column 1 of the file has none of our names; give a map"  },
        {"time=When,=Customer",                           NULL,     "map: an unknown name; the nearest is time"               },
    };
    cj_db *db = people_open();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        import_fails(db,
                     (cj_import_options){
                         .format = "csv", .map = cases[i].map, .guest = cases[i].guest},
                     head, CJ_EINVAL, cases[i].message);
    import_text(
        db,
        (cj_import_options){.format = "csv",
                            .name = "n",
                            .map = "time=When,user_id=Customer,property.x y=\"A,b\""},
        head, "1 1 0 0 1");
    expect_events(db, "1 2024-01-01T00:00 n {\"x y\":\"x\"}\n");
    people_close(db);
}
END_TEST

/* ---- the file and the call
 * ------------------------------------------------------------------ */

START_TEST(test_events_import__formats_and_paths)
{
    cj_import_options o = {.struct_size = sizeof o, .format = "xml"};
    cj_db *db = people_open();
    char path[80];
    FILE *f;

    ck_assert_int_eq(cj_import_file(db, "/nowhere/x.csv", NULL, NULL), CJ_ENOTFOUND);
    ck_assert_int_eq(cj_import_file(db, "/tmp", &o, NULL), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "no such format; there are json, segment and csv");
    ck_assert_int_eq(cj_import_file(db, "-", NULL, NULL), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "the format must be named: json, segment or csv");
    o.format = "csv";
    ck_assert_int_eq(cj_import_file(db, "/tmp", &o, NULL), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "what is to be imported is a folder, not a file");
    o.currency = "USD";
    ck_assert_int_eq(cj_import_file(db, "/tmp", &o, NULL), CJ_ECURRENCY);
    ck_assert_str_eq(cj_errmsg(), "the store's currency is EUR, not USD");
    snprintf(path, sizeof path, "/tmp/cj_import_%d.ndjson", (int)getpid());
    f = fopen(path, "w");
    fputs("{\"name\":\"a\",\"time\":1704067200000,\"user_id\":\"u\"}", f);
    fclose(f);
    ck_assert_int_eq(cj_import_file(db, path, NULL, NULL), CJ_OK);
    unlink(path);
    ck_assert_int_eq(people_count(db, "journal_events"), 1);
    people_close(db);
}
END_TEST

/* Standard input, as a pipe that delivers a few bytes at a time. */
START_TEST(test_events_import__standard_input)
{
    static const char text[] =
        "time,name,user_id\n2024-01-01,a,u\n2024-01-02,\"b\",u\n";
    cj_import_options o = {.struct_size = sizeof o, .format = "csv"};
    cj_import_result r = {.struct_size = sizeof r};
    cj_db *db = people_open();
    int ends[2], kept = dup(0);
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        for (size_t i = 0; i < sizeof text - 1; i++)
            if (write(ends[1], text + i, 1) != 1 || usleep(200) != 0)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    ck_assert_int_eq(dup2(ends[0], 0), 0);
    ck_assert_int_eq(cj_import_file(db, "-", &o, &r), CJ_OK);
    ck_assert_int_eq(dup2(kept, 0), 0);
    close(kept);
    close(ends[0]);
    ck_assert_int_eq(r.n_recorded, 2);
    expect_events(db, "1 2024-01-01T00:00 a\n1 2024-01-02T00:00 b\n");
    people_close(db);
}
END_TEST

START_TEST(test_events_import__the_reject_file_overwrites_nothing_else)
{
    static const char text[] = "time,name,user_id\nsoon,a,u\n";
    cj_import_options o = {
        .struct_size = sizeof o, .format = "csv", .reject_path = import_rejects};
    cj_db *db = people_open();
    struct stat st;
    FILE *f;

    write_file(text, sizeof text - 1);
    ck_assert_str_eq(import_counts(db, &o), "1 0 0 1 0");
    ck_assert_int_eq(stat(import_rejects, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_str_eq(import_counts(db, &o), "1 0 0 1 0");
    expect_rejects("line,reason,raw\n2,\"the time cannot be read\",\"soon,a,u\"\n");
    f = fopen(import_rejects, "w");
    fputs("my thesis, the only copy", f);
    fclose(f);
    ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), CJ_EINVAL);
    expect_rejects("my thesis, the only copy");
    o.reject_path = import_path;
    ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), CJ_EINVAL);
    ck_assert_str_eq(cj_errmsg(), "the reject file is the file to import");
    o.reject_path = "/nowhere/rejects.csv";
    ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), CJ_EIO);
    remove_files();
    people_close(db);
}
END_TEST

typedef struct stopper {
    int64_t calls, stop_at, done, total;
} stopper;

static int32_t stop_progress(void *user, int64_t done, int64_t total)
{
    stopper *s = user;

    ck_assert_int_ge(done, s->done);
    s->done = done;
    s->total = total;
    return ++s->calls == s->stop_at;
}

static char *random_shop(size_t *n_out)
{
    char *text = NULL;
    uint64_t state = 9;
    FILE *f = open_memstream(&text, n_out);

    fputs(shop_head, f);
    for (int i = 0; i < 30000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        fprintf(f, "%d,p%d,%d,%d.5,u%d,,,2024-01-%02d\n",
                i / 3 + (int)(state >> 33) % 50, (int)(state >> 35) % 100,
                1 + (int)(state >> 40) % 3, (int)(state >> 50) % 9, i / 100,
                1 + (int)(state >> 45) % 28);
    }
    fclose(f);
    return text;
}

/* Stopped anywhere and run again, it is as if it had never been stopped. */
START_TEST(test_events_import__a_stopped_import_is_resumed)
{
    cj_import_options o = {.format = "csv", .map = shop_map};
    stopper s = {.stop_at = 0};
    cj_db *db = people_open();
    char *text, *whole, *resumed;
    size_t n;

    text = random_shop(&n);
    write_file(text, n);
    import_counts(db, &o);
    whole = all_events(db);
    people_close(db);

    db = people_open();
    o.progress = stop_progress;
    o.progress_user = &s;
    for (s.stop_at = 1; s.stop_at < 4; s.stop_at++) {
        s.calls = s.done = 0;
        ck_assert_int_eq(cj_import_file(db, import_path, &o, NULL), CJ_EINTERRUPT);
        ck_assert_int_eq(s.total, (int64_t)n);
    }
    s.stop_at = -1;
    s.done = 0;
    import_counts(db, &o);
    ck_assert_int_eq(s.done, (int64_t)n);
    resumed = all_events(db);
    ck_assert_str_eq(whole, resumed);
    people_sound(db);
    free(text);
    free(whole);
    free(resumed);
    remove_files();
    people_close(db);
}
END_TEST

START_TEST(test_events_import__read_only_handles_do_not_import)
{
    cj_open_options r = {.struct_size = sizeof r, .flags = CJ_OPEN_READONLY};
    cj_import_options o = {.struct_size = sizeof o, .format = "csv"};
    char path[64];
    cj_db *db = people_open(), *reader;

    snprintf(path, sizeof path, "/tmp/cj_people_%d.cj", (int)getpid());
    people_say(db, "user_id=u");
    ck_assert_int_eq(cj_open(path, &r, &reader), CJ_OK);
    write_file("time,name,user_id\n2024-01-01,a,u\n", 33);
    ck_assert_int_eq(cj_import_file(reader, import_path, &o, NULL), CJ_EREADONLY);
    cj_close(reader);
    remove_files();
    people_close(db);
}
END_TEST

HARNESS_MAIN("events_import", test_events_import__json_lines,
             test_events_import__json_again_changes_nothing,
             test_events_import__json_rejects_are_kept,
             test_events_import__json_over_lines, test_events_import__segment_file,
             test_events_import__a_line_over_the_limit_costs_itself,
             test_events_import__lines_become_orders,
             test_events_import__money_of_lines,
             test_events_import__orders_again_change_nothing,
             test_events_import__a_line_after_its_order_is_refused,
             test_events_import__an_order_may_be_too_large,
             test_events_import__bad_lines_are_rejected_alone,
             test_events_import__guests, test_events_import__refunds_by_name,
             test_events_import__mixed_lines_keep_their_sums,
             test_events_import__rows_without_an_order,
             test_events_import__equal_rows_by_their_ordinal,
             test_events_import__times_are_of_the_zone,
             test_events_import__files_as_they_are,
             test_events_import__the_map_is_strict,
             test_events_import__formats_and_paths, test_events_import__standard_input,
             test_events_import__the_reject_file_overwrites_nothing_else,
             test_events_import__a_stopped_import_is_resumed,
             test_events_import__read_only_handles_do_not_import)
