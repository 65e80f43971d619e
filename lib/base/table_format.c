/* A table as text: JSON, JSON lines, CSV, aligned columns.  Each writer sees cells only
 * through the accessors.  The text carries its allocator in front of it, because
 * cj_text_free gets nothing else. */
#include "base/table.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* In front of every text handed out; 32 bytes keep the text aligned. */
typedef union format_header {
    struct {
        cj__allocator allocator;
        size_t bytes; /* header, text and what is spare */
    } of;
    char room[32];
} format_header;

static cj__text format_text_at(const cj_table *t, int64_t column, int64_t row)
{
    const int64_t *offsets;
    const char *bytes = cj__table_text_data(t, column, &offsets);
    cj__text text = {bytes + offsets[row], (size_t)(offsets[row + 1] - offsets[row])};

    return text;
}

/* A number that is there; an infinity or NaN has no text in any of these formats. */
static int format_is_blank(const cj_table *t, int64_t column, int64_t row)
{
    if (cj__table_is_null(t, column, row))
        return 1;
    return cj__table_type(t, column) == CJ_DOUBLE &&
           !isfinite(cj__table_double_data(t, column)[row]);
}

static void format_number(cj__str *s, const cj_table *t, int64_t column, int64_t row)
{
    if (cj__table_type(t, column) == CJ_INT64)
        cj__str_put_int64(s, cj__table_int64_data(t, column)[row]);
    else
        cj__str_put_double(s, cj__table_double_data(t, column)[row]);
}

/* ---- JSON ----------------------------------------------------------------------- */

static void format_object(cj__str *s, const cj_table *t, int64_t row)
{
    for (int64_t c = 0; c < cj__table_columns(t); c++) {
        const char *name = cj__table_name(t, c);

        cj__str_put_char(s, c == 0 ? '{' : ',');
        cj__str_put_json(s, name, strlen(name));
        cj__str_put_char(s, ':');
        if (format_is_blank(t, c, row)) {
            cj__str_put_text(s, "null");
        } else if (cj__table_type(t, c) == CJ_TEXT) {
            cj__text text = format_text_at(t, c, row);

            cj__str_put_json(s, text.data, text.n);
        } else {
            format_number(s, t, c, row);
        }
    }
    cj__str_put_char(s, '}');
}

static void format_json(cj__str *s, const cj_table *t)
{
    cj__str_put_char(s, '[');
    for (int64_t row = 0; row < cj__table_rows(t); row++) {
        if (row > 0)
            cj__str_put_text(s, ",\n ");
        format_object(s, t, row);
    }
    cj__str_put_text(s, "]\n");
}

static void format_jsonl(cj__str *s, const cj_table *t)
{
    for (int64_t row = 0; row < cj__table_rows(t); row++) {
        format_object(s, t, row);
        cj__str_put_char(s, '\n');
    }
}

/* ---- CSV: RFC 4180, but lines end as Unix tools expect -------------------------- */

static int format_has_any(cj__text text, const char *characters)
{
    for (const char *c = characters; *c != '\0'; c++) {
        if (text.n > 0 && memchr(text.data, *c, text.n) != NULL)
            return 1;
    }
    return 0;
}

/* A spreadsheet runs a cell that begins like a formula: an apostrophe makes it text. */
static void format_csv_text(cj__str *s, cj__text text)
{
    const char *formula = "=+-@\t\r";
    const int defuse =
        text.n > 0 && strchr(formula, text.data[0]) != NULL && text.data[0] != '\0';

    if (text.n > 0 && !format_has_any(text, ",\"\r\n")) {
        cj__str_put_text(s, defuse ? "'" : "");
        cj__str_put(s, text.data, text.n);
        return;
    }
    cj__str_put_text(s, defuse ? "\"'" : "\""); /* also "": empty, not null */
    for (size_t i = 0; i < text.n; i++) {
        if (text.data[i] == '"')
            cj__str_put_char(s, '"');
        cj__str_put_char(s, text.data[i]);
    }
    cj__str_put_char(s, '"');
}

static void format_csv_row(cj__str *s, const cj_table *t, int64_t row)
{
    for (int64_t c = 0; c < cj__table_columns(t); c++) {
        if (c > 0)
            cj__str_put_char(s, ',');
        if (format_is_blank(t, c, row)) {
            /* readers skip an empty line */
            cj__str_put_text(s, cj__table_columns(t) == 1 ? "\"\"" : "");
        } else if (cj__table_type(t, c) == CJ_TEXT) {
            format_csv_text(s, format_text_at(t, c, row));
        } else {
            format_number(s, t, c, row);
        }
    }
    cj__str_put_char(s, '\n');
}

static void format_csv(cj__str *s, const cj_table *t)
{
    for (int64_t c = 0; c < cj__table_columns(t); c++) {
        if (c > 0)
            cj__str_put_char(s, ',');
        format_csv_text(s, cj__text_of(cj__table_name(t, c)));
    }
    cj__str_put_char(s, '\n');
    for (int64_t row = 0; row < cj__table_rows(t); row++)
        format_csv_row(s, t, row);
}

/* ---- aligned text --------------------------------------------------------------- */

/* What could move a cursor, hide text or reorder a line is shown instead of obeyed:
 * controls as their pictures (U+2400..), the rest as U+FFFD. */
static void format_visible(cj__str *s, cj__text text)
{
    size_t at = 0;

    while (at < text.n) {
        const char *p = text.data + at;
        size_t length = cj__utf8_length(p, text.n - at);
        uint32_t code = length > 0 ? cj__utf8_decode(p, length) : 0xFFFD;

        if (code < 0x20 || code == 0x7F) {
            const char picture[3] = {'\xE2', '\x90',
                                     (char)(0x80 | (code == 0x7F ? 0x21 : code))};
            cj__str_put(s, picture, sizeof picture);
        } else if (length == 0 || (code >= 0x80 && code < 0xA0) || code == 0x2028 ||
                   code == 0x2029 || (code >= 0x202A && code <= 0x202E) ||
                   (code >= 0x2066 && code <= 0x2069)) {
            cj__str_put_text(s, "\xEF\xBF\xBD");
        } else {
            cj__str_put(s, p, length);
        }
        at += length > 0 ? length : 1;
    }
}

/* One cell, or with row -1 the header, as it will stand there, without padding. */
static void format_cell(cj__str *cell, const cj_table *t, int64_t column, int64_t row)
{
    cj__str_clear(cell);
    if (row < 0)
        format_visible(cell, cj__text_of(cj__table_name(t, column)));
    else if (format_is_blank(t, column, row))
        return;
    else if (cj__table_type(t, column) == CJ_TEXT)
        format_visible(cell, format_text_at(t, column, row));
    else
        format_number(cell, t, column, row);
}

static size_t format_cell_width(const cj__str *cell)
{
    return cell->n > 0 ? cj__utf8_width(cell->data, cell->n) : 0;
}

static void format_repeat(cj__str *s, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        cj__str_put_text(s, text);
}

static void format_aligned_row(cj__str *s, cj__str *cell, const cj_table *t,
                               const size_t *widths, int64_t row)
{
    const int64_t n = cj__table_columns(t);

    for (int64_t c = 0; c < n; c++) {
        size_t pad;

        format_cell(cell, t, c, row);
        pad = widths[c] - format_cell_width(cell);
        if (cj__table_type(t, c) != CJ_TEXT)
            format_repeat(s, " ", pad);
        if (cell->n > 0)
            cj__str_put(s, cell->data, cell->n);
        if (cj__table_type(t, c) == CJ_TEXT && c + 1 < n)
            format_repeat(s, " ", pad); /* the last column needs none */
        if (c + 1 < n)
            cj__str_put_text(s, "  ");
    }
    cj__str_put_char(s, '\n');
}

static void format_aligned(cj__str *s, const cj_table *t)
{
    const int64_t n = cj__table_columns(t);
    const size_t bytes = cj__size_product((size_t)n, sizeof(size_t));
    size_t *widths = cj__alloc_zero(s->allocator, bytes);
    cj__str cell;

    if (widths == NULL) {
        s->rc = CJ_ENOMEM;
        return;
    }
    cj__str_init(&cell, s->allocator, s->max);
    for (int64_t row = -1; row < cj__table_rows(t); row++) {
        for (int64_t c = 0; c < n; c++) {
            size_t width;

            format_cell(&cell, t, c, row);
            width = format_cell_width(&cell);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (int64_t row = -1; row < cj__table_rows(t) && cell.rc == CJ_OK; row++) {
        format_aligned_row(s, &cell, t, widths, row);
        for (int64_t c = 0; row < 0 && c < n; c++) {
            format_repeat(s, "\xE2\x94\x80", widths[c]);
            cj__str_put_text(s, c + 1 < n ? "  " : "\n");
        }
    }
    if (s->rc == CJ_OK)
        s->rc = cell.rc;
    cj__str_end(&cell);
    cj__free(s->allocator, widths, bytes);
}

/* ---- door ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*write)(cj__str *s, const cj_table *t);
} formats[] = {
    {"json",  format_json   },
    {"jsonl", format_jsonl  },
    {"csv",   format_csv    },
    {"table", format_aligned},
};

void cj__text_begin(cj__str *s, const cj__allocator *a)
{
    const format_header header = {0};

    cj__str_init(s, a, PTRDIFF_MAX / 2);
    cj__str_put(s, &header, sizeof header);
}

int32_t cj__text_hand_over(cj__str *s, char **text_out, int64_t *n_bytes_out)
{
    format_header header = {0};
    int32_t rc = cj__str_status(s);

    if (rc != CJ_OK) {
        cj__str_end(s);
        return rc;
    }
    header.of.allocator = *s->allocator;
    header.of.bytes = s->capacity;
    memcpy(s->data, &header, sizeof header);
    *text_out = s->data + sizeof header;
    if (n_bytes_out != NULL)
        *n_bytes_out = (int64_t)(s->n - sizeof header);
    return CJ_OK;
}

int32_t cj__table_format(const cj_table *t, const char *format, char **text_out,
                         int64_t *n_bytes_out)
{
    size_t kind = 0;
    cj__str s;

    if (text_out != NULL)
        *text_out = NULL;
    if (n_bytes_out != NULL)
        *n_bytes_out = 0;
    if (t == NULL || format == NULL || text_out == NULL)
        return cj__fail(CJ_EMISUSE, "table, format and text_out must not be NULL");
    while (kind < sizeof formats / sizeof formats[0] &&
           strcmp(formats[kind].name, format) != 0)
        kind++;
    if (kind == sizeof formats / sizeof formats[0])
        return cj__fail(CJ_EINVAL, "unknown format: use json, jsonl, csv or table");
    cj__text_begin(&s, cj__table_allocator(t));
    formats[kind].write(&s, t);
    return cj__text_hand_over(&s, text_out, n_bytes_out);
}

void cj__text_free(char *text)
{
    format_header header;

    if (text == NULL)
        return;
    memcpy(&header, text - sizeof header, sizeof header);
    cj__free(&header.of.allocator, text - sizeof header, header.of.bytes);
}
