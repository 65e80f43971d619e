/* The export command: all events as our own JSON lines, which import reads back, or as
 * CSV.  Memory is bounded: events are read window by window of time; a window that
 * holds too many is halved.  An order and its items become one line again. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 100000 }; /* events of one window at most, some 40 MB */

static const int64_t END_OF_TIME_MS =
    4102444800000; /* 2100: the library takes no later */

typedef struct dump {
    program *p;
    const char *name;
    int64_t n_events;
    int has_header; /* of the CSV: written once, though there are many windows */
    uint8_t *told; /* a bit per profile whose identity is written */
    size_t n_told;
    cj_table *identifiers; /* of the profile at hand */
    int64_t profile;
} dump;

static void dump_member(const cj_table *t, const char *column, int64_t row,
                        const char *name)
{
    size_t n;
    const char *text = table_text(t, table_column(t, column), row, &n);

    if (text != NULL) {
        printf(",\"%s\":", name);
        json_put(stdout, text, n);
    }
}

static void dump_number(const cj_table *t, const char *column, int64_t row)
{
    int64_t c = table_column(t, column);

    if (table_present(t, c, row))
        printf(",\"%s\":%lld", column, (long long)table_int64(t, c, row));
}

static void dump_properties(const cj_table *t, int64_t row)
{
    size_t n;
    const char *text = table_text(t, table_column(t, "properties"), row, &n);

    if (text != NULL) {
        fputs(",\"properties\":", stdout);
        fwrite(text, 1, n, stdout);
    }
}

/* {"kind":"value"} of row i of a profile's identifiers. */
static void dump_identifier(const cj_table *ids, int64_t i)
{
    size_t n;
    const char *text = table_text(ids, table_column(ids, "kind"), i, &n);

    putchar('{');
    json_put(stdout, text, n);
    putchar(':');
    text = table_text(ids, table_column(ids, "value"), i, &n);
    json_put(stdout, text, n);
    putchar('}');
}

static void dump_time(int64_t ms)
{
    char stamp[28];

    time_utc(ms, stamp);
    printf("\"time\":\"%s\"", stamp);
}

static void dump_side(const cj_table *ids, int64_t i, const char *name)
{
    size_t n;
    const char *text = table_text(ids, table_column(ids, "kind"), i, &n);

    printf(",\"%s\":{\"kind\":", name);
    json_put(stdout, text, n);
    text = table_text(ids, table_column(ids, "value"), i, &n);
    fputs(",\"value\":", stdout);
    json_put(stdout, text, n);
    putchar('}');
}

static int32_t dump_traits(dump *d)
{
    cj_table *t = NULL;
    int32_t rc = cj_profile_traits(d->p->db, d->profile, END_OF_TIME_MS, &t);

    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        size_t n;
        const char *text;

        fputs("{\"type\":\"identify\",", stdout);
        dump_time(table_int64(t, table_column(t, "time_ms"), i));
        fputs(",\"identifiers\":", stdout);
        dump_identifier(d->identifiers, 0);
        dump_member(t, "source", i, "source");
        text = table_text(t, table_column(t, "name"), i, &n);
        fputs(",\"traits\":{", stdout);
        json_put(stdout, text, n);
        text = table_text(t, table_column(t, "value"), i, &n);
        putchar(':');
        fwrite(text, 1, n, stdout);
        fputs("}}\n", stdout);
    }
    cj_table_free(t);
    return CJ_OK;
}

/* The identity of a profile, before its first event: one alias per further identifier.
 */
static int32_t dump_identity(dump *d, int64_t time_ms)
{
    size_t byte = (size_t)d->profile / 8;

    if (byte >= d->n_told) {
        size_t bytes = byte * 2 + 1024;

        d->told = memory(d->told, bytes);
        memset(d->told + d->n_told, 0, bytes - d->n_told);
        d->n_told = bytes;
    }
    if ((d->told[byte] >> (d->profile % 8) & 1) != 0)
        return CJ_OK;
    d->told[byte] = (uint8_t)(d->told[byte] | 1 << (d->profile % 8));
    for (int64_t i = 1; i < cj_table_rows(d->identifiers); i++) {
        fputs("{\"type\":\"alias\",", stdout);
        dump_time(time_ms);
        dump_side(d->identifiers, 0, "from");
        dump_side(d->identifiers, i, "to");
        fputs("}\n", stdout);
    }
    return dump_traits(d);
}

static int32_t dump_profile(dump *d, int64_t profile, int64_t time_ms)
{
    int32_t rc;

    if (profile == d->profile)
        return CJ_OK;
    cj_table_free(d->identifiers);
    d->identifiers = NULL;
    rc = cj_profile_identifiers(d->p->db, profile, &d->identifiers);
    if (rc != CJ_OK)
        return rc;
    d->profile = profile;
    return dump_identity(d, time_ms);
}

static int dump_is(const cj_table *t, int64_t row, const char *name)
{
    size_t n;
    const char *text = table_text(t, table_column(t, "name"), row, &n);

    return text != NULL && n == strlen(name) && memcmp(text, name, n) == 0;
}

static int dump_same_text(const cj_table *t, const char *column, int64_t a, int64_t b)
{
    size_t n_a, n_b;
    const char *x = table_text(t, table_column(t, column), a, &n_a),
               *y = table_text(t, table_column(t, column), b, &n_b);

    return (x == NULL) == (y == NULL) && n_a == n_b &&
           (x == NULL || memcmp(x, y, n_a) == 0);
}

/* Whether row b is an item of the order or refund in row a. */
static int dump_is_item(const cj_table *t, int64_t a, int64_t b)
{
    int64_t time_ms = table_column(t, "time_ms"), node = table_column(t, "node");

    return dump_is(t, b, "order_item") &&
           table_int64(t, time_ms, a) == table_int64(t, time_ms, b) &&
           table_int64(t, node, a) == table_int64(t, node, b) &&
           dump_same_text(t, "order_id", a, b);
}

static void dump_item(const cj_table *t, int64_t row, int first)
{
    size_t n;
    const char *product = table_text(t, table_column(t, "product"), row, &n);

    fputs(first ? ",\"items\":[{\"product\":" : ",{\"product\":", stdout);
    if (product == NULL)
        fputs("null", stdout);
    else
        json_put(stdout, product, n);
    dump_number(t, "quantity", row);
    dump_number(t, "value_minor", row);
    dump_properties(t, row);
    putchar('}');
}

/* One event, with the items that follow it; *row moves behind them. */
static void dump_event(dump *d, const cj_table *t, int64_t *row)
{
    static const char *const texts[] = {"name",    "channel", "session", "campaign",
                                        "content", "product", "order_id"};
    int64_t at = (*row)++, node = table_int64(t, table_column(t, "node"), at), i = 0;
    int orders = dump_is(t, at, "order") || dump_is(t, at, "refund"), first = 1;

    while (i + 1 < cj_table_rows(d->identifiers) &&
           cj_table_int64(d->identifiers, 0)[i] != node)
        i++;
    fputs("{\"type\":\"event\",", stdout);
    dump_time(table_int64(t, table_column(t, "time_ms"), at));
    for (size_t c = 0; c < sizeof texts / sizeof texts[0]; c++)
        dump_member(t, texts[c], at, texts[c]);
    fputs(",\"identifiers\":", stdout);
    dump_identifier(d->identifiers, i);
    dump_number(t, "quantity", at);
    dump_number(t, "value_minor", at);
    dump_member(t, "currency", at, "currency");
    dump_properties(t, at);
    for (; orders && *row < cj_table_rows(t) && dump_is_item(t, at, *row); (*row)++) {
        dump_item(t, *row, first);
        first = 0;
    }
    fputs(first ? "}\n" : "]}\n", stdout);
}

static int32_t dump_lines(dump *d, const cj_table *t)
{
    int64_t profile = table_column(t, "profile"), time_ms = table_column(t, "time_ms"),
            row = 0;

    while (row < cj_table_rows(t)) {
        int32_t rc =
            dump_profile(d, table_int64(t, profile, row), table_int64(t, time_ms, row));

        if (rc != CJ_OK)
            return rc;
        dump_event(d, t, &row);
    }
    return CJ_OK;
}

static int32_t dump_csv(dump *d, const cj_table *t)
{
    char *text, *from;
    int64_t n = 0;
    int32_t rc = cj_table_format(t, "csv", &text, &n);

    if (rc != CJ_OK)
        return rc;
    from = d->has_header ? strchr(text, '\n') + 1 : text;
    d->has_header = 1;
    fwrite(from, 1, (size_t)(text + n - from), stdout);
    cj_text_free(text);
    return CJ_OK;
}

static int32_t dump_window(dump *d, int64_t from_ms, int64_t until_ms)
{
    cj_events_options o = {.struct_size = sizeof o};
    cj_table *t;
    int32_t rc;

    if (interrupted(d->p))
        return CJ_EINTERRUPT;
    o.from_ms = from_ms;
    o.until_ms = until_ms;
    o.name = d->name;
    /* A millisecond cannot be halved: then take all there is. */
    o.limit = until_ms - from_ms > 1 ? CHUNK + 1 : INT32_MAX;
    rc = cj_events(d->p->db, &o, &t);
    if (rc != CJ_OK)
        return rc;
    if (cj_table_rows(t) > CHUNK && until_ms - from_ms > 1) {
        int64_t middle = from_ms + (until_ms - from_ms) / 2;

        cj_table_free(t);
        rc = dump_window(d, from_ms, middle == 0 ? 1 : middle);
        return rc == CJ_OK ? dump_window(d, middle == 0 ? 1 : middle, until_ms) : rc;
    }
    rc = option_choice(d->p, "format") == 1 ? dump_csv(d, t) : dump_lines(d, t);
    d->n_events += cj_table_rows(t);
    cj_table_free(t);
    progress(d->p, d->n_events, 0);
    return rc;
}

int run_export(program *p)
{
    dump d = {.p = p, .name = option_text(p, "name")};
    int64_t from_ms = 0, until_ms = END_OF_TIME_MS;
    int code = option_time(p, "from", &from_ms);
    int32_t rc;

    if (code == DONE)
        code = option_time(p, "until", &until_ms);
    if (code != DONE)
        return code;
    rc = dump_window(&d, from_ms, until_ms);
    progress_end(p);
    cj_table_free(d.identifiers);
    free(d.told);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (d.n_events == 0)
        return complain(p, NOTHING, NULL, "no event in this time");
    note(p, "%lld events", (long long)d.n_events);
    return DONE;
}
