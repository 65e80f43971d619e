/* cj_record_json: one message, an array of messages, or one per line, recorded in one
 * commit.  Decides only where each message begins and ends; a message that is broken
 * costs itself and not its neighbours, as far as its end can be told. */
#include "base/json.h"
#include "events/events.h"

#include <string.h>

typedef struct json_batch {
    cj_db *db;
    const char *format;
    cj__arena arena;
    cj__message *messages;
    size_t n, capacity;
} json_batch;

static int32_t json_add(json_batch *b, const char *text, size_t n)
{
    void *messages = b->messages;
    int32_t rc;

    CJ_TRY(cj__array_grow(&b->db->cx.allocator, &messages, &b->capacity, b->n + 1,
                          sizeof *b->messages, CJ__MAX_BATCH));
    b->messages = messages;
    CJ_TRY(cj__message_parse(b->db, b->format, (cj__text){text, n}, &b->arena,
                             &b->messages[b->n]));
    b->messages[b->n].place = (int64_t)b->n;
    b->n++;
out:
    return rc;
}

/* The elements of an array; commas are taken as they come, each element is checked. */
static int32_t json_add_array(json_batch *b, const char *text, size_t n)
{
    size_t at = 1, begin, end;
    int32_t rc = CJ_OK;

    while (rc == CJ_OK) {
        while (at < n && text[at] != ']' && strchr(" \t\r\n,", text[at]) != NULL)
            at++;
        if (at >= n || text[at] == ']')
            break;
        cj__json_next(text, n, at, &begin, &end);
        if (begin == end)
            break;
        rc = json_add(b, text + begin, end - begin);
        at = end;
    }
    return rc;
}

static int32_t json_add_lines(json_batch *b, const char *text, size_t n)
{
    int32_t rc = CJ_OK;

    while (rc == CJ_OK && n > 0) {
        const char *newline = memchr(text, '\n', n);
        size_t line = newline != NULL ? (size_t)(newline - text) : n;
        size_t kept = line;

        while (kept > 0 && strchr(" \t\r", text[kept - 1]) != NULL)
            kept--;
        if (kept > 0)
            rc = json_add(b, text, kept);
        line += newline != NULL;
        text += line;
        n -= line;
    }
    return rc;
}

/* A later line that begins as a message does: then it is one per line, and a broken
 * line must not take the others with it. */
static int json_has_lines(const char *text, size_t n)
{
    const char *newline = text;

    while ((newline = memchr(newline, '\n', n - (size_t)(newline - text))) != NULL)
        if (++newline < text + n && *newline == '{')
            return 1;
    return 0;
}

static int32_t json_split(json_batch *b, cj__text text)
{
    static const char bom[] = "\xEF\xBB\xBF";
    size_t begin, end;

    if (text.n >= 3 && memcmp(text.data, bom, 3) == 0) {
        text.data += 3;
        text.n -= 3;
    }
    while (text.n > 0 && strchr(" \t\r\n", text.data[0]) != NULL) {
        text.data++;
        text.n--;
    }
    while (text.n > 0 && strchr(" \t\r\n", text.data[text.n - 1]) != NULL)
        text.n--;
    if (text.n == 0)
        return CJ_OK;
    cj__json_next(text.data, text.n, 0, &begin, &end);
    if (text.data[0] == '[' && end == text.n)
        return json_add_array(b, text.data, text.n);
    if (end == text.n && (!json_has_lines(text.data, text.n) ||
                          cj__json_check(text.data, text.n) == CJ_OK))
        return json_add(b, text.data, text.n);
    return json_add_lines(b, text.data, text.n);
}

int32_t cj__record_json(cj_db *db, cj__text text, const char *format, int64_t now_ms,
                        cj_record_result *result)
{
    json_batch b = {.db = db, .format = format};
    int32_t rc;

    cj__arena_init(&b.arena, &db->cx.allocator);
    CJ_TRY(json_split(&b, text));
    if (b.n > 0)
        CJ_TRY(cj__record(db, b.messages, (int64_t)b.n, now_ms));
    if (result != NULL) {
        result->n_recorded = result->n_duplicates = result->n_rejected = 0;
        result->first_reject = -1;
        cj__record_count(b.messages, (int64_t)b.n, result);
    }
out:
    if (b.messages != NULL)
        cj__free(&db->cx.allocator, b.messages, b.capacity * sizeof *b.messages);
    cj__arena_end(&b.arena);
    return rc;
}
