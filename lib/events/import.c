/* Import: a file becomes messages, in batches of one commit each.  Memory is constant
 * but for one hash per message without an id.  Invariant: what is counted was committed
 * or rejected, so an import that stops is resumed by running it again.  The formats
 * know how to read, this file knows how to batch. */
#include "events/import.h"

#include "base/json.h"

#include <string.h>

struct cj__import_batch {
    const cj__import_line *lines;
    size_t n;
};

static int32_t import_json(cj__import *im);

static const struct {
    const char *name;
    int32_t (*read)(cj__import *im);
} import_formats[] = {
    {"json",    import_json   },
    {"segment", import_json   },
    {"csv",     cj__import_csv},
};

static const struct {
    const char *ending, *format;
} import_endings[] = {
    {".ndjson", "json"},
    {".jsonl",  "json"},
    {".json",   "json"},
    {".csv",    "csv" },
};

/* ---- the batch ---------------------------------------------------------------------
 */

static int32_t import_count(cj__import *im, const cj__message *m,
                            const cj__import_batch *batch)
{
    cj_import_result *r = &im->result;
    int32_t rc = CJ_OK;

    if (m->outcome == CJ__RECORDED) {
        r->n_recorded++;
        r->n_events += m->n_events;
    } else if (m->outcome == CJ__DUPLICATE) {
        r->n_duplicates++;
    } else {
        r->n_rejected += (int64_t)batch->n;
        for (size_t i = 0; rc == CJ_OK && i < batch->n; i++)
            rc = cj__rejects_add(&im->rejects, batch->lines[i].line, m->reason,
                                 batch->lines[i].raw);
    }
    return rc;
}

static int32_t import_flush(cj__import *im)
{
    int32_t rc = CJ_OK;

    if (im->n_messages == 0)
        return CJ_OK;
    CJ_TRY(cj__interrupted(&im->db->cx));
    CJ_TRY(cj__record_wait(im->db, im->messages, (int64_t)im->n_messages, im->now_ms));
    for (size_t i = 0; i < im->n_messages; i++)
        CJ_TRY(import_count(im, &im->messages[i], &im->lines[i]));
    im->n_messages = im->n_events = im->n_bytes = 0;
    cj__arena_reset(&im->arena);
out:
    return rc;
}

int32_t cj__import_add(cj__import *im, const cj__message *m,
                       const cj__import_line *lines, size_t n_lines)
{
    cj__import_batch *batch = &im->lines[im->n_messages];
    cj__import_line *copy = cj__arena_alloc(&im->arena, n_lines * sizeof *copy);

    if (copy == NULL)
        return CJ_ENOMEM;
    memcpy(copy, lines, n_lines * sizeof *copy);
    batch->lines = copy;
    batch->n = n_lines;
    im->messages[im->n_messages] = *m;
    im->messages[im->n_messages++].place = lines[0].line;
    im->n_events += 1 + (size_t)m->event.n_items;
    im->n_bytes += m->raw.n;
    if (im->n_messages < CJ__IMPORT_MESSAGES && im->n_events < CJ__IMPORT_EVENTS &&
        im->n_bytes < CJ__IMPORT_BYTES)
        return CJ_OK;
    return import_flush(im);
}

int32_t cj__import_reject(cj__import *im, int64_t line, cj__text raw, int32_t code,
                          const char *reason)
{
    cj__import_line one = {
        line, {cj__arena_text(&im->arena, raw.data, raw.n), raw.n}
    };
    cj__message m;

    if (one.raw.data == NULL)
        return CJ_ENOMEM;
    memset(&m, 0, sizeof m);
    m.event.struct_size = (int64_t)sizeof m.event;
    m.format = im->format;
    m.raw = one.raw;
    cj__reject(&m, code, "%s", reason);
    return cj__import_add(im, &m, &one, 1);
}

static void import_hex(cj__str *s, uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        cj__str_put_char(s, "0123456789abcdef"[value >> shift & 15]);
}

int32_t cj__import_message_id(cj__import *im, cj__message *m, cj__text content)
{
    cj__hash128 hash = cj__hash_128(0, content.data, content.n);
    uint64_t ordinal = 0;
    cj__str id;
    int32_t rc;

    cj__str_init(&id, &im->db->cx.allocator, CJ__MAX_KEY);
    cj__map_get(&im->rows, hash.low, &ordinal);
    CJ_TRY(cj__map_put(&im->rows, hash.low, ordinal + 1));
    cj__str_put_text(&id, im->format);
    cj__str_put_char(&id, ':');
    import_hex(&id, hash.high);
    import_hex(&id, hash.low);
    if (ordinal > 0) {
        cj__str_put_char(&id, '-');
        cj__str_put_int64(&id, (int64_t)ordinal);
    }
    CJ_TRY(cj__str_status(&id));
    m->event.message_id = cj__arena_text(&im->arena, id.data, id.n);
    rc = m->event.message_id == NULL ? CJ_ENOMEM : CJ_OK;
out:
    cj__str_end(&id);
    return rc;
}

int32_t cj__import_fill(cj__import *im)
{
    const cj_import_options *o = im->opts;
    int32_t rc;

    CJ_TRY(cj__interrupted(&im->db->cx));
    CJ_TRY(cj__input_fill(&im->input));
    if (o->progress != NULL &&
        o->progress(o->progress_user, im->input.n_read, im->input.n_total) != 0)
        rc = cj__fail(CJ_EINTERRUPT, "the import was stopped by its progress hook");
out:
    return rc;
}

/* ---- JSON
 * ---------------------------------------------------------------------------- */

/* One message: text is borrowed from the input. */
static int32_t import_json_message(cj__import *im, cj__text text)
{
    cj__import_line one = {
        im->line, {cj__arena_text(&im->arena, text.data, text.n), text.n}
    };
    cj__message m;
    int32_t rc;

    im->result.n_lines++;
    if (one.raw.data == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__message_parse(im->db, im->format, one.raw, &im->arena, &m));
    if (m.source == NULL)
        m.source = im->opts->source != NULL ? im->opts->source : "import";
    if (m.outcome != CJ__REJECTED && m.event.time_ms == 0)
        cj__reject(&m, CJ_EINVAL, "no time; a file's messages need one");
    if (m.outcome != CJ__REJECTED && m.event.message_id == NULL)
        CJ_TRY(cj__import_message_id(im, &m, one.raw));
    CJ_TRY(cj__import_add(im, &m, &one, 1));
out:
    return rc;
}

static int import_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static cj__text import_trim(const char *data, size_t n)
{
    while (n > 0 && import_blank(data[n - 1]))
        n--;
    while (n > 0 && import_blank(*data)) {
        data++;
        n--;
    }
    return (cj__text){data, n};
}

/* The next line into *out without its end; 0 at the end of the input.  A line beyond
 * the limit is rejected with its first bytes, the rest is skipped. */
static int32_t import_line(cj__import *im, cj__text *out, int *got)
{
    cj__text rest = cj__input_rest(&im->input);
    const char *newline = memchr(rest.data, '\n', rest.n);
    int too_long = 0;
    int32_t rc = CJ_OK;

    *got = 0;
    while (newline == NULL && !im->input.at_end) {
        if (rest.n > CJ__MAX_MESSAGE) {
            if (!too_long)
                CJ_TRY(cj__import_reject(im, im->line + 1, (cj__text){rest.data, 1024},
                                         CJ_ELIMIT, "the line is longer than 1 MiB"));
            im->result.n_lines += !too_long;
            too_long = 1;
            im->input.from = im->input.n;
        }
        CJ_TRY(cj__import_fill(im));
        rest = cj__input_rest(&im->input);
        newline = memchr(rest.data, '\n', rest.n);
    }
    if (rest.n == 0)
        goto out;
    out->data = rest.data;
    out->n = newline != NULL ? (size_t)(newline - rest.data) : rest.n;
    im->input.from += out->n + (newline != NULL);
    im->line++;
    out->n = too_long ? 0 : out->n;
    *got = 1;
out:
    return rc;
}

static int32_t import_json_lines(cj__import *im)
{
    cj__text line;
    int got;
    int32_t rc;

    for (;;) {
        CJ_TRY(import_line(im, &line, &got));
        if (!got)
            break;
        line = import_trim(line.data, line.n);
        if (line.n > 0)
            CJ_TRY(import_json_message(im, line));
    }
out:
    return rc;
}

/* Skip blanks, and between the elements of an array its punctuation. */
static void import_skip(cj__import *im, int array)
{
    cj__input *in = &im->input;

    while (in->from < in->n) {
        char c = in->data[in->from];

        if (!import_blank(c) && !(array && (c == ',' || c == '[' || c == ']')))
            break;
        im->line += c == '\n';
        in->from++;
    }
}

/* Values that span lines: the elements of an array, or one object after the other. */
static int32_t import_json_values(cj__import *im, int array)
{
    size_t begin, end;
    int32_t rc = CJ_OK;

    im->line++;
    for (;;) {
        cj__text rest;

        import_skip(im, array);
        rest = cj__input_rest(&im->input);
        cj__json_next(rest.data, rest.n, 0, &begin, &end);
        if (end == rest.n && !im->input.at_end) {
            if (rest.n > CJ__MAX_MESSAGE)
                CJ_TRY(cj__fail_at(im->line, CJ_ELIMIT, "a message is over 1 MiB"));
            CJ_TRY(cj__import_fill(im));
            continue;
        }
        if (begin == end)
            break;
        CJ_TRY(import_json_message(im, (cj__text){rest.data + begin, end - begin}));
        for (size_t i = 0; i < end; i++)
            im->line += rest.data[i] == '\n';
        im->input.from += end;
    }
out:
    return rc;
}

/* One message per line, unless the file begins as an array, or its first object goes on
 * in the next line. */
static int32_t import_json(cj__import *im)
{
    cj__text rest;
    const char *newline;
    int spans;

    import_skip(im, 0); /* counts the lines it skips */
    rest = cj__input_rest(&im->input);
    if (rest.n > 0 && rest.data[0] == '[')
        return import_json_values(im, 1);
    newline = rest.n > 0 ? memchr(rest.data, '\n', rest.n) : NULL;
    spans = newline != NULL && newline + 1 < rest.data + rest.n && newline[1] != '{';
    if (spans) {
        size_t begin, end;

        cj__json_next(rest.data, rest.n, 0, &begin, &end);
        spans = end > (size_t)(newline - rest.data);
    }
    return spans ? import_json_values(im, 0) : import_json_lines(im);
}

/* ---- begin and end
 * ----------------------------------------------------------------------- */

static int32_t import_format(cj__import *im, const char *path, size_t *row_out)
{
    const char *format = im->opts->format;
    size_t n_path = strlen(path);

    for (size_t i = 0; format == NULL && i < 4; i++) {
        size_t n = strlen(import_endings[i].ending);

        if (n_path > n && strcmp(path + n_path - n, import_endings[i].ending) == 0)
            format = import_endings[i].format;
    }
    if (format == NULL)
        return cj__fail(CJ_EINVAL, "the format must be named: json, segment or csv");
    for (size_t i = 0; i < sizeof import_formats / sizeof import_formats[0]; i++)
        if (strcmp(import_formats[i].name, format) == 0) {
            im->format = import_formats[i].name;
            *row_out = i;
            return CJ_OK;
        }
    return cj__fail(CJ_EINVAL, "no such format; there are json, segment and csv");
}

/* Money in another currency would be rejected line by line: say so once. */
static int32_t import_currency(const cj_db *db, const char *currency)
{
    if (currency == NULL)
        return CJ_OK;
    if (strlen(currency) != 3 || cj__currency_exponent(currency, 3) < 0)
        return cj__fail(CJ_EINVAL, "the currency is not an ISO 4217 code");
    for (int i = 0; i < 3; i++)
        if ((currency[i] & ~0x20) != db->currency[i])
            return cj__fail(CJ_ECURRENCY, "the store's currency is %s, not %s",
                            db->currency, currency);
    return CJ_OK;
}

static int32_t import_run(cj__import *im, const char *path)
{
    const cj__allocator *a = &im->db->cx.allocator;
    size_t row = 0;
    int32_t rc;

    CJ_TRY(import_format(im, path, &row));
    CJ_TRY(import_currency(im->db, im->opts->currency));
    im->messages = cj__alloc(a, CJ__IMPORT_MESSAGES * sizeof *im->messages);
    im->lines = cj__alloc(a, CJ__IMPORT_MESSAGES * sizeof *im->lines);
    if (im->messages == NULL || im->lines == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__input_open(&im->input, a, path));
    CJ_TRY(cj__rejects_open(&im->rejects, a, im->opts->reject_path, &im->input));
    rc = import_formats[row].read(im);
    if (rc == CJ_OK)
        rc = import_flush(im);
    rc = cj__rejects_end(&im->rejects, rc);
out:
    return rc;
}

int32_t cj__import_file(cj_db *db, const char *path, const cj_import_options *opts,
                        int64_t now_ms, cj_import_result *result)
{
    const cj__allocator *a = &db->cx.allocator;
    cj__import im = {.db = db, .opts = opts, .now_ms = now_ms, .zone = db->zone};
    cj__zone *zone = NULL;
    int32_t rc = CJ_OK;

    if (path == NULL)
        return cj__fail(CJ_EINVAL, "the path to import is missing");
    im.rejects.fd = -1;
    cj__arena_init(&im.arena, a);
    cj__map_init(&im.rows, a);
    if (opts->time_zone != NULL) {
        CJ_TRY(cj__zone_open(a, opts->time_zone, &zone));
        im.zone = zone;
    }
    CJ_TRY(import_run(&im, path));
    if (result != NULL) {
        im.result.struct_size = result->struct_size;
        *result = im.result;
    }
out:
    cj__input_end(&im.input);
    cj__free(a, im.messages, CJ__IMPORT_MESSAGES * sizeof *im.messages);
    cj__free(a, im.lines, CJ__IMPORT_MESSAGES * sizeof *im.lines);
    cj__map_end(&im.rows);
    cj__arena_end(&im.arena);
    cj__zone_end(zone);
    return rc;
}
