/* Rejected messages: read as a table, and tried again.  A retried message is recorded
 * first and leaves the list after; should the process die in between, the next retry
 * finds it recorded, because one without an id gets an id made of its bytes and its
 * time. */
#include "events/events.h"
#include "store/reader.h"

#include <string.h>

enum { FAILED_ROWS = 256 };

/* The next rows after an id, from a snapshot of their own; texts in the arena. */
static int32_t failed_next(cj_db *db, int64_t after, cj__arena *arena, cj__failed *rows,
                           int64_t *n_out)
{
    cj__reader *r = NULL;
    int32_t rc;

    *n_out = 0;
    CJ_TRY(cj__reader_open(db, &r));
    CJ_TRY(cj__failed_read(cj__reader_conn(r), after, arena, rows, FAILED_ROWS, n_out));
out:
    cj__reader_end(r);
    return rc;
}

/* ---- as a table ------------------------------------------------------------------ */

/* A table's text is UTF-8; what was rejected may not be. */
static void failed_put_bytes(cj_table *t, cj__str *s, cj__text bytes)
{
    size_t at = 0;

    cj__str_clear(s);
    while (at < bytes.n) {
        size_t n = cj__utf8_length(bytes.data + at, bytes.n - at);

        if (n == 0)
            cj__str_put_text(s, "\xEF\xBF\xBD");
        else
            cj__str_put(s, bytes.data + at, n);
        at += n == 0 ? 1 : n;
    }
    cj__table_text(t, 5, s->n > 0 ? s->data : "", s->n);
}

static void failed_put(cj_table *t, cj__str *s, const cj__failed *row)
{
    cj__table_int64(t, 0, row->id);
    cj__table_int64(t, 1, row->time_ms);
    cj__table_put(t, 2, row->format);
    cj__table_put(t, 3, cj__error_name(row->code));
    cj__table_text(t, 4, row->reason.data, row->reason.n);
    failed_put_bytes(t, s, row->bytes);
}

int32_t cj__failed_events(cj_db *db, cj_table **out)
{
    cj__failed rows[FAILED_ROWS];
    cj_table *t = NULL;
    cj__reader *r = NULL;
    cj__arena arena;
    cj__str s;
    int64_t n, after = 0;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    cj__str_init(&s, &db->cx.allocator, (size_t)CJ__MAX_MESSAGE * 64);
    CJ_TRY(cj__table_new(&db->cx.allocator,
                         "id:i time_ms:i source:t code:t reason:t bytes:t", &t));
    CJ_TRY(cj__reader_open(db, &r));
    do {
        CJ_TRY(
            cj__failed_read(cj__reader_conn(r), after, &arena, rows, FAILED_ROWS, &n));
        for (int64_t i = 0; i < n; i++)
            failed_put(t, &s, &rows[i]);
        after = n > 0 ? rows[n - 1].id : after;
        cj__arena_reset(&arena);
        CJ_TRY(cj__str_status(&s));
    } while (n == FAILED_ROWS);
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__reader_end(r);
    cj__str_end(&s);
    cj__arena_end(&arena);
    return rc;
}

/* ---- once more ---------------------------------------------------------------------
 */

static const struct {
    const char *source, *format;
} failed_formats[] = {
    {"record",  "json"   },
    {"json",    "json"   },
    {"segment", "segment"},
};

static const char *failed_format(const cj__failed *row)
{
    for (size_t i = 0; i < sizeof failed_formats / sizeof failed_formats[0]; i++)
        if (strcmp(failed_formats[i].source, row->format) == 0)
            return failed_formats[i].format;
    return NULL;
}

static int32_t failed_message_id(cj_db *db, cj__arena *arena, const cj__failed *row,
                                 cj__message *m)
{
    cj__hash128 hash =
        cj__hash_128((uint64_t)row->time_ms, row->bytes.data, row->bytes.n);
    cj__str s;
    int32_t rc;

    cj__str_init(&s, &db->cx.allocator, CJ__MAX_KEY);
    cj__str_put_text(&s, "failed:");
    cj__str_put_int64(&s, (int64_t)hash.high);
    cj__str_put_int64(&s, (int64_t)hash.low);
    CJ_TRY(cj__str_status(&s));
    m->event.message_id = cj__arena_text(arena, s.data, s.n);
    rc = m->event.message_id != NULL ? CJ_OK : CJ_ENOMEM;
out:
    cj__str_end(&s);
    return rc;
}

static int32_t failed_message(cj_db *db, cj__arena *arena, const cj__failed *row,
                              cj__message *m)
{
    int32_t rc;

    CJ_TRY(cj__message_parse(db, failed_format(row), row->bytes, arena, m));
    m->format = row->format; /* rejected again, it is the same row */
    if (m->event.time_ms == 0)
        m->event.time_ms = row->time_ms;
    if (m->event.message_id == NULL)
        CJ_TRY(failed_message_id(db, arena, row, m));
out:
    return rc;
}

/* Forget the rows whose messages are recorded now. */
static int32_t failed_forget(cj_db *db, const cj__message *messages, int64_t n)
{
    int32_t rc = cj__write_begin(db);

    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < n && rc == CJ_OK; i++)
        if (messages[i].outcome != CJ__REJECTED)
            rc = cj__failed_delete(db, messages[i].place);
    return cj__write_end(db, rc);
}

static int32_t failed_retry_rows(cj_db *db, cj__arena *arena, const cj__failed *rows,
                                 int64_t n_rows, int64_t now_ms,
                                 cj_record_result *result)
{
    cj__message *messages = cj__arena_alloc(arena, (size_t)n_rows * sizeof *messages);
    int64_t n = 0;
    int32_t rc = CJ_OK;

    if (messages == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n_rows; i++) {
        if (failed_format(&rows[i]) == NULL)
            continue;
        CJ_TRY(failed_message(db, arena, &rows[i], &messages[n]));
        messages[n++].place = rows[i].id;
    }
    if (n > 0)
        CJ_TRY(cj__record_wait(db, messages, n, now_ms));
    if (n > 0)
        CJ_TRY(failed_forget(db, messages, n));
    for (int64_t i = 0; i < n; i++) {
        result->n_recorded += messages[i].outcome == CJ__RECORDED;
        result->n_duplicates += messages[i].outcome == CJ__DUPLICATE;
        result->n_rejected += messages[i].outcome == CJ__REJECTED;
    }
out:
    return rc;
}

int32_t cj__failed_retry(cj_db *db, int64_t now_ms, cj_record_result *result)
{
    cj_record_result sum = {.first_reject = -1};
    cj__failed rows[FAILED_ROWS];
    cj__arena arena;
    int64_t n, after = 0;
    int32_t rc;

    cj__arena_init(&arena, &db->cx.allocator);
    do {
        CJ_TRY(cj__interrupted(&db->cx));
        CJ_TRY(failed_next(db, after, &arena, rows, &n));
        if (n == 0)
            break;
        CJ_TRY(failed_retry_rows(db, &arena, rows, n, now_ms, &sum));
        after = rows[n - 1].id;
        cj__arena_reset(&arena);
    } while (n == FAILED_ROWS);
    if (result != NULL) {
        sum.struct_size = result->struct_size;
        *result = sum;
    }
out:
    cj__arena_end(&arena);
    return rc;
}
