/* Results on stdout.  People get aligned columns with local times, grouped numbers and
 * money with its point; programs get CSV, JSON or JSON lines with plain numbers.  Whole
 * results go to programs as the library writes them; a grid is for rows that the
 * program chose or made. */
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading a cj_table ---------------------------------------------------------- */

int64_t table_column(const cj_table *t, const char *name)
{
    for (int64_t c = 0; c < cj_table_columns(t); c++)
        if (strcmp(cj_table_name(t, c), name) == 0)
            return c;
    return -1;
}

int table_present(const cj_table *t, int64_t column, int64_t row)
{
    const uint8_t *bits = column < 0 ? NULL : cj_table_validity(t, column);

    return column >= 0 && (bits == NULL || (bits[row / 8] >> (row % 8) & 1) != 0);
}

int64_t table_int64(const cj_table *t, int64_t column, int64_t row)
{
    return table_present(t, column, row) ? cj_table_int64(t, column)[row] : 0;
}

double table_double(const cj_table *t, int64_t column, int64_t row)
{
    return table_present(t, column, row) ? cj_table_double(t, column)[row] : 0;
}

const char *table_text(const cj_table *t, int64_t column, int64_t row, size_t *n_out)
{
    const int64_t *offsets;
    const char *bytes;

    *n_out = 0;
    if (!table_present(t, column, row))
        return NULL;
    bytes = cj_table_text(t, column, &offsets);
    if (bytes == NULL)
        return NULL;
    *n_out = (size_t)(offsets[row + 1] - offsets[row]);
    return bytes + offsets[row];
}

/* ---- making a grid --------------------------------------------------------------- */

static char *grid_copy(const char *bytes, size_t n)
{
    char *copy = memory(NULL, n + 1);

    memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}

void grid_column_add(grid *g, const char *name, const char *title, cell_kind kind)
{
    g->columns = memory(g->columns, (g->n_columns + 1) * sizeof *g->columns);
    g->columns[g->n_columns].name = grid_copy(name, strlen(name));
    g->columns[g->n_columns].title = grid_copy(title, strlen(title));
    g->columns[g->n_columns++].kind = kind;
}

static cell *grid_add(grid *g)
{
    if (g->n_cells == g->capacity) {
        g->capacity = g->capacity == 0 ? 256 : g->capacity * 2;
        g->cells = memory(g->cells, g->capacity * sizeof *g->cells);
    }
    memset(&g->cells[g->n_cells], 0, sizeof *g->cells);
    return &g->cells[g->n_cells++];
}

void grid_number(grid *g, int64_t value)
{
    grid_add(g)->number = value;
}

void grid_real(grid *g, double value)
{
    grid_add(g)->real = value;
}

void grid_text(grid *g, const char *bytes, size_t n)
{
    cell *c = grid_add(g);

    c->absent = bytes == NULL;
    if (bytes != NULL)
        c->text = grid_copy(bytes, n);
}

void grid_null(grid *g)
{
    grid_add(g)->absent = 1;
}

void grid_end(grid *g)
{
    for (size_t i = 0; i < g->n_cells; i++)
        free(g->cells[i].text);
    for (size_t i = 0; i < g->n_columns; i++) {
        free(g->columns[i].name);
        free(g->columns[i].title);
    }
    free(g->cells);
    free(g->columns);
    memset(g, 0, sizeof *g);
}

/* What a column of the library holds, by the unit in its name. */
static cell_kind grid_kind(const char *name, int32_t type, char *title, size_t size)
{
    static const struct {
        const char *ending;
        cell_kind kind;
        int keep; /* the ending stays in the title */
    } endings[] = {
        {"_minor",  CELL_MONEY, 0},
        {"_ms",     CELL_TIME,  0},
        {"profile", CELL_ID,    1},
        {"node",    CELL_ID,    1},
        {"node_a",  CELL_ID,    1},
        {"node_b",  CELL_ID,    1},
        {"edge",    CELL_ID,    1},
        {"id",      CELL_ID,    1}
    };
    size_t n = strlen(name);

    snprintf(title, size, "%s", name);
    if (type == CJ_DOUBLE)
        return n >= 5 && strcmp(name + n - 5, "ratio") == 0 ? CELL_RATIO : CELL_REAL;
    if (type != CJ_INT64)
        return CELL_TEXT;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t m = strlen(endings[i].ending);

        if (n >= m && strcmp(name + n - m, endings[i].ending) == 0) {
            if (!endings[i].keep && n - m < size)
                title[n - m] = '\0';
            return endings[i].kind;
        }
    }
    return CELL_COUNT;
}

static void grid_take_cell(grid *g, const cj_table *t, int64_t column, int64_t row)
{
    size_t n;
    const char *text;

    if (!table_present(t, column, row)) {
        grid_null(g);
    } else if (cj_table_type(t, column) == CJ_INT64) {
        grid_number(g, cj_table_int64(t, column)[row]);
    } else if (cj_table_type(t, column) == CJ_DOUBLE) {
        grid_real(g, cj_table_double(t, column)[row]);
    } else {
        text = table_text(t, column, row, &n);
        grid_text(g, text, n);
    }
}

void grid_take(grid *g, const cj_table *t, const int64_t *rows, int64_t n)
{
    for (int64_t c = 0; c < cj_table_columns(t); c++) {
        char title[80];
        const char *name = cj_table_name(t, c);
        cell_kind kind = grid_kind(name, cj_table_type(t, c), title, sizeof title);

        grid_column_add(g, name, title, kind);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < cj_table_columns(t); c++)
            grid_take_cell(g, t, c, rows == NULL ? i : rows[i]);
}

/* ---- for programs ---------------------------------------------------------------- */

/* With as few digits as read back to the same number; JSON knows no infinity. */
static void grid_json_real(double value, FILE *out)
{
    char text[40] = "null";

    for (int digits = 15; digits <= 17 && isfinite(value); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

static void grid_json_cell(const grid *g, size_t i, FILE *out)
{
    const cell *c = &g->cells[i];
    cell_kind kind = g->columns[i % g->n_columns].kind;

    if (c->absent)
        fputs("null", out);
    else if (kind == CELL_JSON)
        fputs(c->text, out);
    else if (kind == CELL_TEXT)
        json_put(out, c->text, strlen(c->text));
    else if (kind == CELL_REAL || kind == CELL_RATIO)
        grid_json_real(c->real, out);
    else if (kind == CELL_SHARE)
        fprintf(out, "%.4f", (double)c->number / 10000.0);
    else
        fprintf(out, "%lld", (long long)c->number);
}

static void grid_json_row(const grid *g, size_t row, FILE *out)
{
    for (size_t c = 0; c < g->n_columns; c++) {
        fputs(c == 0 ? "{" : ",", out);
        json_put(out, g->columns[c].name, strlen(g->columns[c].name));
        fputc(':', out);
        grid_json_cell(g, row * g->n_columns + c, out);
    }
    fputc('}', out);
}

/* A spreadsheet runs text that looks like a formula: a leading ' makes it text, as
 * cj_table_format does. */
static void grid_csv_text(const char *text, FILE *out)
{
    int defuse = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

    if (text[0] != '\0' && strpbrk(text, ",\"\r\n") == NULL) {
        fprintf(out, "%s%s", defuse ? "'" : "", text);
        return;
    }
    fputs(defuse ? "\"'" : "\"", out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void grid_csv(const grid *g, FILE *out)
{
    for (size_t c = 0; c < g->n_columns; c++)
        fprintf(out, "%s%s", c == 0 ? "" : ",", g->columns[c].name);
    fputc('\n', out);
    for (size_t i = 0; i < g->n_cells; i++) {
        size_t c = i % g->n_columns;

        if (c > 0)
            fputc(',', out);
        if (g->cells[i].text != NULL)
            grid_csv_text(g->cells[i].text, out);
        else if (!g->cells[i].absent)
            grid_json_cell(g, i, out);
        if (c + 1 == g->n_columns)
            fputc('\n', out);
    }
}

/* ---- for people ------------------------------------------------------------------ */

size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* The cell as it will stand there; the caller frees it. */
static char *grid_shown(program *p, const grid *g, size_t i)
{
    const cell *c = &g->cells[i];
    char text[40] = "";

    if (c->absent)
        return grid_copy("", 0);
    if (c->text != NULL)
        return visible(c->text, strlen(c->text));
    switch (g->columns[i % g->n_columns].kind) {
    case CELL_MONEY:
        currency_learn(p);
        money_text(c->number, p->exponent, text);
        break;
    case CELL_TIME:
        time_local(p, c->number, text);
        break;
    case CELL_SHARE:
        snprintf(text, sizeof text, "%.1f%%", (double)c->number / 100.0);
        break;
    case CELL_COUNT:
        number_text(c->number, text);
        break;
    case CELL_RATIO:
        snprintf(text, sizeof text, "%.1f%%", c->real * 100);
        break;
    case CELL_REAL:
        if (fabs(c->real) >= 1000 && fabs(c->real) < 1e15)
            number_text(llround(c->real), text);
        else
            snprintf(text, sizeof text, "%.4g", c->real);
        break;
    case CELL_ID:
    case CELL_TEXT:
    case CELL_JSON:
        snprintf(text, sizeof text, "%lld", (long long)c->number);
        break;
    }
    return grid_copy(text, strlen(text));
}

/* Bytes of the UTF-8 character there, and its code; 1 and 0 when it is none. */
static size_t grid_character(const unsigned char *at, size_t n, uint32_t *code_out)
{
    size_t length = *at < 0x80   ? 1
                    : *at < 0xC2 ? 0
                    : *at < 0xE0 ? 2
                    : *at < 0xF0 ? 3
                                 : 4;
    uint32_t code = length < 2 ? *at : *at & (0xFFu >> (length + 1));

    *code_out = 0;
    if (length == 0 || length > n)
        return 1;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 1;
        code = code << 6 | (at[i] & 0x3F);
    }
    *code_out = code;
    return length;
}

char *visible(const char *bytes, size_t n)
{
    char *to = memory(NULL, n + 1);
    size_t m = 0;

    for (size_t i = 0, length; i < n; i += length) {
        uint32_t code;

        length = grid_character((const unsigned char *)bytes + i, n - i, &code);
        /* controls, line separators, and marks that reorder a line */
        if (code < 0x20 || (code >= 0x7F && code < 0xA0) ||
            (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069)) {
            to[m++] = '?';
        } else {
            memcpy(to + m, bytes + i, length);
            m += length;
        }
    }
    to[m] = '\0';
    return to;
}

static int grid_is_text(const grid *g, size_t column)
{
    cell_kind kind = g->columns[column].kind;

    return kind == CELL_TEXT || kind == CELL_JSON || kind == CELL_TIME;
}

/* A text of at most `room` columns, on a terminal that would break the line. */
static void grid_put(FILE *out, const char *text, size_t room)
{
    size_t width = text_width(text), seen = 0;

    if (width <= room) {
        fputs(text, out);
        return;
    }
    for (; *text != '\0' && (seen < room - 1 || ((unsigned char)*text & 0xC0) == 0x80);
         text++) {
        seen += ((unsigned char)*text & 0xC0) != 0x80;
        if (seen > room - 1)
            break;
        fputc(*text, out);
    }
    fputc('>', out);
}

typedef struct layout {
    char **shown;   /* every cell */
    size_t *widths; /* of the columns; 0: nothing in it, not shown */
    char **titles;
    size_t last; /* column */
} layout;

static void grid_line(program *p, const grid *g, const layout *l, char **cells,
                      FILE *out)
{
    int first = 1, bold = cells == l->titles && p->out_terminal && p->colour;
    size_t at = 0;

    fputs(bold ? "\033[1m" : "", out);
    for (size_t c = 0; c < g->n_columns; c++) {
        size_t width = l->widths[c], own = text_width(cells[c]), room = width;

        if (width == 0)
            continue;
        at += first ? 0 : 2;
        if (p->out_terminal && c == l->last && at + 8 < (size_t)p->width)
            room = (size_t)p->width - at;
        fprintf(out, "%s", first ? "" : "  ");
        if (!grid_is_text(g, c))
            fprintf(out, "%*s", (int)(width - own), "");
        grid_put(out, cells[c], room < width ? room : width);
        if (grid_is_text(g, c) && c != l->last)
            fprintf(out, "%*s", (int)(width - own), "");
        at += width;
        first = 0;
    }
    fputs(bold ? "\033[0m\n" : "\n", out);
}

static void grid_table(program *p, const grid *g, FILE *out)
{
    layout l = {memory(NULL, (g->n_cells + 1) * sizeof *l.shown),
                memory(NULL, (g->n_columns + 1) * sizeof *l.widths), NULL, 0};

    l.titles = memory(NULL, (g->n_columns + 1) * sizeof *l.titles);
    memset(l.widths, 0, (g->n_columns + 1) * sizeof *l.widths);
    for (size_t i = 0; i < g->n_cells; i++) {
        size_t width;

        l.shown[i] = grid_shown(p, g, i);
        width = text_width(l.shown[i]);
        if (width > l.widths[i % g->n_columns])
            l.widths[i % g->n_columns] = width;
    }
    for (size_t c = 0; c < g->n_columns; c++) {
        size_t width = text_width(g->columns[c].title);

        l.titles[c] = g->columns[c].title;
        if (width == 0)
            l.widths[c] = 0;
        if (l.widths[c] == 0 && (g->n_cells > 0 || width == 0))
            continue;
        l.last = c;
        if (width > l.widths[c])
            l.widths[c] = width;
    }
    grid_line(p, g, &l, l.titles, out);
    for (size_t i = 0; i + g->n_columns <= g->n_cells; i += g->n_columns)
        grid_line(p, g, &l, l.shown + i, out);
    for (size_t i = 0; i < g->n_cells; i++)
        free(l.shown[i]);
    free(l.shown);
    free(l.widths);
    free(l.titles);
}

void grid_print(program *p, const grid *g, FILE *out)
{
    size_t n_rows = g->n_columns == 0 ? 0 : g->n_cells / g->n_columns;

    if (p->format == AS_TABLE) {
        grid_table(p, g, out);
        return;
    }
    if (p->format == AS_CSV) {
        grid_csv(g, out);
        return;
    }
    if (p->format == AS_JSON)
        fputc('[', out);
    for (size_t row = 0; row < n_rows; row++) {
        if (p->format == AS_JSON && row > 0)
            fputs(",\n ", out);
        grid_json_row(g, row, out);
        if (p->format == AS_JSONL)
            fputc('\n', out);
    }
    if (p->format == AS_JSON)
        fputs("]\n", out);
}

int table_print(program *p, cj_table *t)
{
    static const char *const names[] = {"table", "csv", "json", "jsonl"};
    char *text = NULL;
    int64_t n_bytes = 0;
    int32_t rc = CJ_OK;

    if (p->format == AS_TABLE) {
        grid g = {0};

        grid_take(&g, t, NULL, cj_table_rows(t));
        grid_print(p, &g, stdout);
        grid_end(&g);
    } else {
        rc = cj_table_format(t, names[p->format], &text, &n_bytes);
        if (rc == CJ_OK)
            fwrite(text, 1, (size_t)n_bytes, stdout);
        cj_text_free(text);
    }
    cj_table_free(t);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}
