/* CSV rows become messages: lines of an order through the window of open orders, any
 * other row as one event.  A row that cannot be read is rejected by itself, also when
 * it is a line of an order: the order goes on without it.  No JSON is parsed on this
 * path. */
#include "events/import.h"

#include <string.h>

typedef struct csv_import {
    cj__import *im;
    cj__csv csv;
    cj__arena arena; /* of the map */
    cj__columns_map map;
    cj__orders *orders;
    cj__str scratch;
    char time_text[40]; /* the last time read: lines of one order share it */
    size_t time_n;
    int64_t time_ms;
} csv_import;

cj__text cj__row_field(const cj__row_text *row, int field)
{
    int column = row->map->column[field];
    cj__text text = {NULL, 0};

    if (column < 0)
        return text;
    text = row->fields[column];
    while (text.n > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.n--;
    }
    while (text.n > 0 &&
           (text.data[text.n - 1] == ' ' || text.data[text.n - 1] == '\t'))
        text.n--;
    if (text.n == 0)
        text.data = NULL;
    return text;
}

void cj__row_extras(const cj__row_text *row, int traits, cj__str *out)
{
    size_t begin = out->n;

    for (size_t i = 0; i < row->map->n_extras; i++) {
        const cj__extra *extra = &row->map->extras[i];
        const cj__text *field = &row->fields[extra->column];

        if (extra->is_trait != traits || field->n == 0)
            continue;
        cj__str_put_char(out, out->n == begin ? '{' : ',');
        cj__str_put_text(out, extra->key);
        cj__str_put_json(out, field->data, field->n);
    }
    if (out->n > begin)
        cj__str_put_char(out, '}');
}

const char *cj__import_text(cj__import *im, cj__text text, int32_t *rc)
{
    char *copy;

    if (text.data == NULL || *rc != CJ_OK)
        return NULL;
    copy = cj__arena_text(&im->arena, text.data, text.n);
    if (copy == NULL)
        *rc = CJ_ENOMEM;
    return copy;
}

/* 1 unless it is a value that identifies nobody. */
static int csv_identifies(const cj__kind *kind, cj__text value)
{
    char to[CJ__MAX_IDENTIFIER + 1];
    size_t n;

    return value.n > CJ__MAX_IDENTIFIER || cj__kind_normalise(kind, value, to, &n) == 0;
}

int32_t cj__import_identifiers(cj__import *im, cj_event *e, const cj__text *kinds,
                               cj__text guest)
{
    cj_identifier *ids = cj__arena_alloc(&im->arena, (CJ__N_KINDS + 1) * sizeof *ids);
    int32_t rc = CJ_OK;
    int usable = 0;

    if (ids == NULL)
        return CJ_ENOMEM;
    for (int k = 0; k < CJ__N_KINDS; k++) {
        if (kinds[k].data == NULL)
            continue;
        ids[e->n_identifiers].kind = cj__kinds()[k].name;
        ids[e->n_identifiers++].value = cj__import_text(im, kinds[k], &rc);
        usable += csv_identifies(&cj__kinds()[k], kinds[k]);
    }
    if (usable == 0 && guest.data != NULL) {
        ids[e->n_identifiers].kind = "guest";
        ids[e->n_identifiers++].value = cj__import_text(im, guest, &rc);
    }
    for (int64_t i = 0; i < e->n_identifiers; i++)
        ids[i].struct_size = (int64_t)sizeof *ids;
    e->identifiers = ids;
    return rc;
}

/* ---- numbers of a row: each gives NULL, or why the row is rejected
 * ------------------------ */

static const char *csv_time(csv_import *c, cj__row_text *row)
{
    cj__text text = cj__row_field(row, CJ__FIELD_TIME);

    if (text.data == NULL)
        return "no time";
    if (text.n != c->time_n || memcmp(text.data, c->time_text, text.n) != 0) {
        c->time_n = 0;
        if (cj__time_parse(text.data, text.n, c->im->zone, &c->time_ms) != 0)
            return "the time cannot be read";
        if (text.n <= sizeof c->time_text) {
            memcpy(c->time_text, text.data, text.n);
            c->time_n = text.n;
        }
    }
    row->time_ms = c->time_ms;
    return row->time_ms > 0 && row->time_ms < CJ__MAX_TIME_MS
               ? NULL
               : "the time is not between 1970 and 2100";
}

/* In files with semicolons "2,55" is a decimal: those come from places that write so.
 */
static cj__text csv_decimal(const csv_import *c, cj__text text, char *to, size_t size)
{
    const char *comma = text.n < size ? memchr(text.data, ',', text.n) : NULL;

    if (c->csv.delimiter != ';' || comma == NULL ||
        memchr(text.data, '.', text.n) != NULL)
        return text;
    memcpy(to, text.data, text.n);
    to[comma - text.data] = '.';
    return (cj__text){to, text.n};
}

/* A whole number, also as "6.00". */
static int csv_whole(const csv_import *c, cj__text text, int64_t *out)
{
    char buffer[48];
    const char *point;
    size_t n;

    text = csv_decimal(c, text, buffer, sizeof buffer);
    point = memchr(text.data, '.', text.n);
    n = point != NULL ? (size_t)(point - text.data) : text.n;
    for (size_t i = n + 1; i < text.n; i++)
        if (text.data[i] != '0')
            return -1;
    return cj__int64_parse(text.data, n, out);
}

static int csv_beyond(int64_t value, int64_t max)
{
    return value > max || value < -max;
}

static const char *csv_quantity(const csv_import *c, cj__row_text *row)
{
    cj__text text = cj__row_field(row, CJ__FIELD_QUANTITY);

    row->quantity = 0;
    if (text.data == NULL)
        return NULL;
    if (csv_whole(c, text, &row->quantity) != 0)
        return "the quantity is not a whole number";
    return csv_beyond(row->quantity, CJ__MAX_QUANTITY) ? "the quantity is too large"
                                                       : NULL;
}

/* value_minor, else value, else unit_price x quantity. */
static const char *csv_money(const csv_import *c, cj__row_text *row)
{
    cj__text minor = cj__row_field(row, CJ__FIELD_VALUE_MINOR);
    cj__text value = cj__row_field(row, CJ__FIELD_VALUE);
    cj__text price = cj__row_field(row, CJ__FIELD_UNIT_PRICE);
    cj__text currency = cj__row_field(row, CJ__FIELD_CURRENCY);
    int exponent = c->im->db->currency_exponent, bad = 0;
    int has_quantity = cj__row_field(row, CJ__FIELD_QUANTITY).data != NULL;
    char buffer[64];

    row->has_value = minor.data != NULL || value.data != NULL || price.data != NULL;
    row->value_minor = 0;
    if (currency.data != NULL)
        exponent = cj__currency_exponent(currency.data, currency.n);
    if (exponent < 0)
        return "the currency is not an ISO 4217 code";
    if (minor.data != NULL) {
        bad = csv_whole(c, minor, &row->value_minor);
    } else if (value.data != NULL) {
        value = csv_decimal(c, value, buffer, sizeof buffer);
        bad = cj__decimal_minor(value.data, value.n, exponent, &row->value_minor);
    } else if (price.data != NULL) {
        price = csv_decimal(c, price, buffer, sizeof buffer);
        bad = cj__decimal_times(price.data, price.n, has_quantity ? row->quantity : 1,
                                exponent, &row->value_minor);
    }
    if (bad == -1)
        return "the value or price is not a number";
    return bad != 0 || csv_beyond(row->value_minor, CJ__MAX_VALUE)
               ? "the value is too large"
               : NULL;
}

/* ---- rows
 * -----------------------------------------------------------------------------------
 */

/* Every mapped field with its number: what tells one row from another. */
static int32_t csv_content(csv_import *c, const cj__row_text *row, cj__message *m)
{
    cj__str_clear(&c->scratch);
    for (int f = 0; f < CJ__N_FIELDS; f++) {
        cj__text text = cj__row_field(row, f);

        if (text.data == NULL)
            continue;
        cj__str_put_varint(&c->scratch, (uint64_t)f);
        cj__str_put_varint(&c->scratch, text.n);
        cj__str_put(&c->scratch, text.data, text.n);
    }
    cj__row_extras(row, 0, &c->scratch);
    cj__str_put_char(&c->scratch, '\n');
    cj__row_extras(row, 1, &c->scratch);
    if (cj__str_status(&c->scratch) != CJ_OK)
        return cj__str_status(&c->scratch);
    return cj__import_message_id(c->im, m, (cj__text){c->scratch.data, c->scratch.n});
}

static const char *csv_extras(csv_import *c, const cj__row_text *row, int traits,
                              int32_t *rc)
{
    cj__text text;

    cj__str_clear(&c->scratch);
    cj__row_extras(row, traits, &c->scratch);
    if (*rc == CJ_OK)
        *rc = cj__str_status(&c->scratch);
    text = (cj__text){c->scratch.n > 0 ? c->scratch.data : NULL, c->scratch.n};
    return cj__import_text(c->im, text, rc);
}

static int32_t csv_event(csv_import *c, const cj__row_text *row, cj__message *m)
{
    cj__import *im = c->im;
    cj_event *e = &m->event;
    cj__text kinds[CJ__N_KINDS];
    int32_t rc = CJ_OK;

    e->time_ms = row->time_ms;
    e->name = cj__import_text(im, cj__row_field(row, CJ__FIELD_NAME), &rc);
    e->channel = cj__import_text(im, cj__row_field(row, CJ__FIELD_CHANNEL), &rc);
    e->message_id = cj__import_text(im, cj__row_field(row, CJ__FIELD_MESSAGE_ID), &rc);
    e->session = cj__import_text(im, cj__row_field(row, CJ__FIELD_SESSION), &rc);
    e->campaign = cj__import_text(im, cj__row_field(row, CJ__FIELD_CAMPAIGN), &rc);
    e->content = cj__import_text(im, cj__row_field(row, CJ__FIELD_CONTENT), &rc);
    e->product = cj__import_text(im, cj__row_field(row, CJ__FIELD_PRODUCT), &rc);
    e->order_id = cj__import_text(im, cj__row_field(row, CJ__FIELD_ORDER), &rc);
    e->currency = cj__import_text(im, cj__row_field(row, CJ__FIELD_CURRENCY), &rc);
    if (e->name == NULL)
        e->name = im->opts->name;
    if (e->channel == NULL)
        e->channel = im->opts->channel;
    e->quantity = row->quantity;
    e->value_minor = row->value_minor;
    if (!row->has_value)
        e->currency = NULL; /* of no money */
    else if (e->currency == NULL)
        e->currency = im->db->currency; /* it has a value, also when that is 0 */
    e->properties = csv_extras(c, row, 0, &rc);
    m->traits = csv_extras(c, row, 1, &rc);
    CJ_TRY(rc);
    for (int k = 0; k < CJ__N_KINDS; k++)
        kinds[k] = cj__row_field(row, CJ__FIELD_KINDS + k);
    CJ_TRY(cj__import_identifiers(im, e, kinds,
                                  cj__row_field(row, CJ__FIELD_GUEST_COLUMN)));
    if (e->message_id == NULL)
        CJ_TRY(csv_content(c, row, m));
out:
    return rc;
}

static int32_t csv_add_event(csv_import *c, const cj__row_text *row)
{
    cj__import_line one = {
        row->line, {NULL, row->raw.n}
    };
    cj__message m;
    int32_t rc;

    memset(&m, 0, sizeof m);
    m.event.struct_size = (int64_t)sizeof m.event;
    m.format = c->im->format;
    m.source = c->im->opts->source != NULL ? c->im->opts->source : "import";
    one.raw.data = cj__arena_text(&c->im->arena, row->raw.data, row->raw.n);
    if (one.raw.data == NULL)
        return CJ_ENOMEM;
    m.raw = one.raw;
    CJ_TRY(csv_event(c, row, &m));
    if (m.event.name == NULL)
        cj__reject(&m, CJ_EINVAL, "no name and no order id");
    CJ_TRY(cj__import_add(c->im, &m, &one, 1));
out:
    return rc;
}

/* A line of an order: it has an order id, and no name that says otherwise. */
static int csv_is_order(const csv_import *c, const cj__row_text *row)
{
    static const char *const names[] = {"order", "refund", "order_item"};
    cj__text name = cj__row_field(row, CJ__FIELD_NAME);

    if (cj__row_field(row, CJ__FIELD_ORDER).data == NULL)
        return 0;
    if (name.data == NULL)
        name = cj__text_of(c->im->opts->name);
    for (size_t i = 0; name.data != NULL && i < 3; i++)
        if (cj__text_equal(name, cj__text_of(names[i])))
            return 1;
    return name.data == NULL;
}

/* A line's product is checked here, because a wrong one would reject the whole order.
 */
static const char *csv_product(const cj__row_text *row)
{
    cj__text text = cj__row_field(row, CJ__FIELD_PRODUCT);

    if (text.n > CJ__MAX_NAME)
        return "the product is longer than 200 bytes";
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return "the product holds a control character";
    return NULL;
}

static const char *csv_check(csv_import *c, const cj__csv_record *record,
                             cj__row_text *row)
{
    const char *reason = record->problem;

    if (reason == NULL && !cj__utf8_valid(record->raw.data, record->raw.n))
        reason = "not valid UTF-8; save the file as UTF-8";
    if (reason == NULL && memchr(record->raw.data, '\0', record->raw.n) != NULL)
        reason = "a zero byte";
    if (reason == NULL && c->csv.n_fields != c->map.n_columns)
        reason = c->csv.n_fields < c->map.n_columns ? "fewer fields than the header"
                                                    : "more fields than the header";
    if (reason == NULL)
        reason = csv_time(c, row);
    if (reason == NULL)
        reason = csv_quantity(c, row);
    return reason != NULL ? reason : csv_money(c, row);
}

static size_t csv_extras_bytes(csv_import *c, const cj__row_text *row)
{
    size_t properties;

    cj__str_clear(&c->scratch);
    cj__row_extras(row, 0, &c->scratch);
    properties = c->scratch.n;
    cj__str_clear(&c->scratch);
    cj__row_extras(row, 1, &c->scratch);
    return properties > c->scratch.n ? properties : c->scratch.n;
}

/* A map with money, and a line without: what is missing must not count as nothing. */
static const char *csv_check_line(csv_import *c, const cj__row_text *row)
{
    int maps_money = c->map.column[CJ__FIELD_VALUE] >= 0 ||
                     c->map.column[CJ__FIELD_VALUE_MINOR] >= 0 ||
                     c->map.column[CJ__FIELD_UNIT_PRICE] >= 0;

    if (maps_money && !row->has_value)
        return "no value and no price";
    if (row->raw.n > CJ__MAX_PROPERTIES / 8 &&
        csv_extras_bytes(c, row) > CJ__MAX_PROPERTIES)
        return "more than 32,768 bytes of properties or traits";
    return csv_product(row);
}

static int32_t csv_row(csv_import *c, const cj__csv_record *record)
{
    cj__row_text row = {.map = &c->map,
                        .fields = c->csv.fields,
                        .raw = record->raw,
                        .line = c->im->line};
    const char *reason = csv_check(c, record, &row);
    int32_t rc;

    c->im->result.n_lines++;
    if (reason == NULL && !csv_is_order(c, &row))
        return csv_add_event(c, &row);
    if (reason == NULL)
        reason = csv_check_line(c, &row);
    if (reason == NULL)
        CJ_TRY(cj__orders_add(c->orders, &row, &reason));
    if (reason != NULL)
        CJ_TRY(cj__import_reject(c->im, row.line, row.raw, CJ_EINVAL, reason));
    rc = CJ_OK;
out:
    return rc;
}

/* ---- the file
 * --------------------------------------------------------------------------------- */

/* The next record that is not a blank line; *got 0 at the end. */
static int32_t csv_read(csv_import *c, cj__csv_record *record, int *got)
{
    cj__import *im = c->im;
    int what;
    int32_t rc;

    for (*got = 0; !*got;) {
        CJ_TRY(cj__csv_next(&c->csv, cj__input_rest(&im->input), im->input.at_end,
                            &what, record));
        im->input.from += record->used;
        if (what == CJ__CSV_RECORD) {
            *got = record->raw.n > 0;
            im->line += *got ? 0 : record->n_lines;
        } else if (im->input.at_end && im->input.from == im->input.n) {
            break;
        } else if (!im->input.at_end) {
            CJ_TRY(cj__import_fill(im));
        }
    }
out:
    return rc;
}

static int32_t csv_header(csv_import *c)
{
    const cj_import_options *o = c->im->opts;
    cj__csv_record record;
    int got;
    int32_t rc;

    CJ_TRY(csv_read(c, &record, &got));
    if (!got)
        CJ_TRY(cj__fail(CJ_EINVAL, "the file has no header line"));
    if (record.problem != NULL)
        CJ_TRY(cj__fail(CJ_EINVAL, "the header: %s", record.problem));
    if (!cj__utf8_valid(record.raw.data, record.raw.n))
        CJ_TRY(cj__fail(CJ_EINVAL, "the header is not valid UTF-8; save it as UTF-8"));
    CJ_TRY(cj__columns_match(&c->arena, o->map, o->guest, c->csv.fields,
                             c->csv.n_fields, &c->map));
    c->im->line += record.n_lines;
out:
    return rc;
}

static int32_t csv_rows(csv_import *c)
{
    cj__csv_record record;
    int got;
    int32_t rc;

    CJ_TRY(csv_header(c));
    CJ_TRY(cj__orders_new(c->im, &c->orders));
    for (;;) {
        CJ_TRY(csv_read(c, &record, &got));
        if (!got)
            break;
        c->im->line++;
        CJ_TRY(csv_row(c, &record));
        c->im->line += record.n_lines - 1;
    }
    rc = cj__orders_finish(c->orders);
out:
    return rc;
}

int32_t cj__import_csv(cj__import *im)
{
    const cj__allocator *a = &im->db->cx.allocator;
    csv_import c = {.im = im};
    int32_t rc;

    cj__csv_init(&c.csv, a);
    cj__arena_init(&c.arena, a);
    cj__str_init(&c.scratch, a, (size_t)CJ__MAX_MESSAGE * 8);
    rc = csv_rows(&c);
    cj__orders_end(c.orders);
    cj__str_end(&c.scratch);
    cj__arena_end(&c.arena);
    cj__csv_end(&c.csv);
    return rc;
}
