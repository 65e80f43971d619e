/* CSV as RFC 4180 has it, read in place: fields point into the input, and only those
 * with doubled quotes are copied.  Lenient where files are: LF or CR LF, quotes inside
 * an unquoted field are ordinary, and the delimiter is what the first record uses most.
 * Invariant: a call either consumes bytes or asks for more, and the input never
 * changes. */
#include "events/csv.h"

#include "base/limits.h"

#include <string.h>

void cj__csv_init(cj__csv *csv, const cj__allocator *a)
{
    memset(csv, 0, sizeof *csv);
    csv->allocator = a;
    cj__str_init(&csv->unquoted, a, CJ__MAX_MESSAGE * 2);
}

void cj__csv_end(cj__csv *csv)
{
    if (csv->fields != NULL)
        cj__free(csv->allocator, csv->fields, csv->capacity * sizeof *csv->fields);
    cj__str_end(&csv->unquoted);
    memset(csv, 0, sizeof *csv);
}

/* The candidate that stands most often outside quotes in the first line; "," for none.
 * 0: the line's end has not come yet. */
static char csv_detect(cj__text text, int last)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t count[3] = {0, 0, 0}, best = 0;
    size_t i = 0;
    int quoted = 0;

    for (; i < text.n && (quoted || text.data[i] != '\n'); i++) {
        if (text.data[i] == '"')
            quoted = !quoted;
        for (size_t k = 0; !quoted && k < 3; k++)
            count[k] += text.data[i] == candidates[k];
    }
    if (i == text.n && !last && text.n <= CJ__MAX_MESSAGE)
        return 0;
    for (size_t k = 1; k < 3; k++)
        if (count[k] > count[best])
            best = k;
    return candidates[best];
}

static int32_t csv_add(cj__csv *csv, const char *data, size_t n)
{
    if (csv->n_fields == csv->capacity) {
        void *fields = csv->fields;
        int32_t rc =
            cj__array_grow(csv->allocator, &fields, &csv->capacity, csv->n_fields + 1,
                           sizeof *csv->fields, CJ__MAX_MESSAGE + 1);

        if (rc != CJ_OK)
            return rc;
        csv->fields = fields;
    }
    csv->fields[csv->n_fields].data = data;
    csv->fields[csv->n_fields++].n = n;
    return CJ_OK;
}

/* Take "" as " in the quoted fields, into one run of bytes that does not move. */
static int32_t csv_unquote(cj__csv *csv, const char *begin, size_t n)
{
    char *to;

    cj__str_clear(&csv->unquoted);
    to = cj__str_extend(&csv->unquoted, n + 1);
    if (to == NULL)
        return cj__str_status(&csv->unquoted);
    for (size_t f = 0; f < csv->n_fields; f++) {
        cj__text *field = &csv->fields[f];
        const char *from = field->data, *end = from + field->n;

        if (from == begin || from[-1] != '"' || memchr(from, '"', field->n) == NULL)
            continue;
        field->data = to;
        while (from < end) {
            from += *from == '"'; /* the first of two */
            *to++ = *from++;
        }
        field->n = (size_t)(to - field->data);
    }
    return CJ_OK;
}

/* Where the scan of one record stands. */
typedef struct csv_scan {
    const char *begin, *at, *end;
    int last, doubled;
    enum { CSV_FIELD, CSV_DONE, CSV_SHORT, CSV_UNCLOSED, CSV_STRAY } state;
} csv_scan;

/* Past a field: a delimiter, the end of the record, or bytes that do not belong. */
static void csv_after(cj__csv *csv, csv_scan *s)
{
    int cr = s->at < s->end && *s->at == '\r';

    if (s->at + cr == s->end) {
        s->state = s->last ? CSV_DONE : CSV_SHORT;
        s->at = s->end;
    } else if (s->at[cr] == '\n') {
        s->state = CSV_DONE;
        s->at += cr + 1;
    } else if (*s->at == csv->delimiter) {
        s->state = CSV_FIELD;
        s->at++;
    } else {
        s->state = CSV_STRAY;
    }
}

static int32_t csv_quoted(cj__csv *csv, csv_scan *s)
{
    const char *from = s->at + 1, *q = from;

    for (;;) {
        q = memchr(q, '"', (size_t)(s->end - q));
        if (q == NULL || (q + 1 == s->end && !s->last)) {
            s->state = s->last ? CSV_UNCLOSED : CSV_SHORT;
            return CJ_OK;
        }
        if (q + 1 == s->end || q[1] != '"')
            break;
        s->doubled = 1;
        q += 2;
    }
    s->at = q + 1;
    csv_after(csv, s);
    return csv_add(csv, from, (size_t)(q - from));
}

static int32_t csv_plain(cj__csv *csv, csv_scan *s)
{
    const char *from = s->at, *p = from, *end = s->end;
    char delimiter = csv->delimiter;

    while (p < end && *p != delimiter && *p != '\n')
        p++;
    if (p == end && !s->last) {
        s->state = CSV_SHORT;
        return CJ_OK;
    }
    if ((p == end || *p == '\n') && p > from && p[-1] == '\r')
        p--;
    s->at = p;
    csv_after(csv, s);
    return csv_add(csv, from, (size_t)(p - from));
}

/* The first line of text, as a record that cannot be read. */
static void csv_bad_line(cj__csv *csv, cj__text text, const char *problem,
                         cj__csv_record *out)
{
    const char *newline = memchr(text.data, '\n', text.n);
    size_t n = newline != NULL ? (size_t)(newline - text.data) : text.n;

    csv->n_fields = 0;
    csv->skipping = newline == NULL;
    out->used = newline != NULL ? n + 1 : n;
    out->raw.data = text.data;
    out->raw.n = n > 0 && text.data[n - 1] == '\r' ? n - 1 : n;
    out->n_lines = 1;
    out->problem = problem;
}

static void csv_good(const csv_scan *s, cj__csv_record *out)
{
    const char *p = s->begin;

    out->used = (size_t)(s->at - s->begin);
    out->raw.data = s->begin;
    out->raw.n = out->used;
    if (out->raw.n > 0 && s->begin[out->raw.n - 1] == '\n')
        out->raw.n--;
    if (out->raw.n > 0 && s->begin[out->raw.n - 1] == '\r')
        out->raw.n--;
    out->n_lines = 1;
    while ((p = memchr(p, '\n', (size_t)(s->begin + out->raw.n - p))) != NULL) {
        out->n_lines++;
        p++;
    }
}

/* The rest of a line that was too long. */
static void csv_skip(cj__csv *csv, cj__text text, cj__csv_record *out)
{
    const char *newline = memchr(text.data, '\n', text.n);

    out->used = newline != NULL ? (size_t)(newline - text.data) + 1 : text.n;
    csv->skipping = newline == NULL;
}

int32_t cj__csv_next(cj__csv *csv, cj__text text, int last, int *what,
                     cj__csv_record *out)
{
    csv_scan s = {text.data, text.data, text.data + text.n, last, 0, CSV_FIELD};
    int32_t rc = CJ_OK;

    memset(out, 0, sizeof *out);
    csv->n_fields = 0;
    *what = CJ__CSV_MORE;
    if (text.n == 0)
        return CJ_OK;
    if (csv->skipping) {
        csv_skip(csv, text, out);
        return CJ_OK;
    }
    if (csv->delimiter == 0)
        csv->delimiter = csv_detect(text, last);
    if (csv->delimiter == 0)
        return CJ_OK;
    while (rc == CJ_OK && s.state == CSV_FIELD)
        rc = s.at < s.end && *s.at == '"' ? csv_quoted(csv, &s) : csv_plain(csv, &s);
    if (s.state == CSV_STRAY && !last && memchr(text.data, '\n', text.n) == NULL)
        s.state = CSV_SHORT; /* the line's end has not come yet */
    if (rc != CJ_OK || (s.state == CSV_SHORT && text.n <= CJ__MAX_MESSAGE))
        return rc;
    *what = CJ__CSV_RECORD;
    if (s.state == CSV_STRAY)
        csv_bad_line(csv, text, "text after a closing quote", out);
    else if (s.state == CSV_UNCLOSED)
        csv_bad_line(csv, text, "a quote is never closed", out);
    else if (s.state == CSV_SHORT || (size_t)(s.at - s.begin) > CJ__MAX_MESSAGE)
        csv_bad_line(csv, text, "a quote is never closed, or the line is over 1 MiB",
                     out);
    else
        csv_good(&s, out);
    return out->problem == NULL && s.doubled ? csv_unquote(csv, s.begin, out->raw.n)
                                             : CJ_OK;
}
