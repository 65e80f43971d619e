/* JSON, exact.  A strict checker of our own (RFC 8259, valid UTF-8, no \u0000, no lone
 * surrogate, bounded depth) stands before cJSON, which is lenient; and cJSON never sees
 * a number, because it would keep a double.  Invariant: in a tree from cj__json_parse
 * every number is a cJSON_Raw node with its text as written.  cJSON allocates by itself
 * (its hooks are process-wide and belong to the host). */
#include "base/json.h"

#include "base/limits.h"
#include "base/text.h"

#include <cjson/cJSON.h>
#include <string.h>

/* ---- check ---------------------------------------------------------------------- */

typedef struct json_reader {
    const char *text;
    size_t n, at;
    int depth, max_depth;
} json_reader;

static int32_t json_check_value(json_reader *r);

static int32_t json_bad(const json_reader *r, const char *what)
{
    return cj__fail_at((int64_t)r->at, CJ_EINVAL, "JSON: %s", what);
}

static int json_peek(const json_reader *r)
{
    return r->at < r->n ? (unsigned char)r->text[r->at] : -1;
}

static int json_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Mostly there are none, and one comparison tells. */
static inline void json_skip_blanks(json_reader *r)
{
    while (r->at < r->n && (unsigned char)r->text[r->at] <= ' ' &&
           json_is_blank(r->text[r->at]))
        r->at++;
}

static int json_take(json_reader *r, int c)
{
    if (json_peek(r) != c)
        return 0;
    r->at++;
    return 1;
}

static int json_is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static size_t json_digits(json_reader *r)
{
    size_t from = r->at;

    while (json_is_digit(json_peek(r)))
        r->at++;
    return r->at - from;
}

static int32_t json_check_number(json_reader *r)
{
    json_take(r, '-');
    if (!json_take(r, '0') && json_digits(r) == 0)
        return json_bad(r, "a value was expected");
    if (json_take(r, '.') && json_digits(r) == 0)
        return json_bad(r, "a digit must follow the point");
    if (json_peek(r) == 'e' || json_peek(r) == 'E') {
        r->at++;
        if (!json_take(r, '+'))
            json_take(r, '-');
        if (json_digits(r) == 0)
            return json_bad(r, "a digit must follow the e");
    }
    return CJ_OK;
}

/* The value of four hexadecimal digits, or -1. */
static int32_t json_hex4(const char *text, size_t n)
{
    int32_t value = 0;

    if (n < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        const char c = text[i];

        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value = value * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return value;
}

/* After "\u": one unit, or a pair of surrogates. */
static int32_t json_check_unit(json_reader *r)
{
    const char *p = r->text + r->at;
    const size_t left = r->n - r->at;
    int32_t unit = json_hex4(p, left), low;

    if (unit < 0)
        return json_bad(r, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return json_bad(r, "\\u0000 is not accepted in a text");
    if (unit < 0xD800 || unit > 0xDFFF) {
        r->at += 4;
        return CJ_OK;
    }
    low = left >= 10 && p[4] == '\\' && p[5] == 'u' ? json_hex4(p + 6, left - 6) : -1;
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return json_bad(r, "half of a surrogate pair");
    r->at += 10;
    return CJ_OK;
}

static int32_t json_check_escape(json_reader *r)
{
    const int c = json_peek(r);

    if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
        return json_bad(r, "no such escape");
    r->at++;
    return c == 'u' ? json_check_unit(r) : CJ_OK;
}

/* One character of a string, mostly one that is not plain. */
static int32_t json_check_odd(json_reader *r)
{
    const unsigned char c = (unsigned char)r->text[r->at];
    size_t length;

    if (c < 0x20)
        return json_bad(r, "a control character must be escaped");
    if (c == '\\') {
        r->at++;
        return json_check_escape(r);
    }
    length = c < 0x80 ? 1 : cj__utf8_length(r->text + r->at, r->n - r->at);
    if (length == 0)
        return json_bad(r, "not valid UTF-8");
    r->at += length;
    return CJ_OK;
}

/* Which of eight bytes end a run of plain ones in a string (quote, backslash, control
 * character, not ASCII), as their highest bits; exact up to and with the lowest. */
static uint64_t json_odd(uint64_t eight)
{
    const uint64_t each = 0x0101010101010101ull, high = 0x8080808080808080ull;
    const uint64_t quote = eight ^ (each * '"'), slash = eight ^ (each * '\\');

    return (eight | (eight - each * 0x20) | (quote - each) | (slash - each)) & high;
}

/* To the next byte that is not plain, or near to the end.  The first byte is the lowest
 * of a word: the file format asks for little-endian hosts anyway. */
static void json_skip_plain(json_reader *r)
{
    uint64_t eight, odd;

    while (r->n - r->at >= sizeof eight) {
        memcpy(&eight, r->text + r->at, sizeof eight);
        odd = json_odd(eight);
        if (odd != 0) {
            r->at += (size_t)__builtin_ctzll(odd) / 8;
            return;
        }
        r->at += sizeof eight;
    }
}

static int32_t json_check_string(json_reader *r)
{
    if (!json_take(r, '"'))
        return json_bad(r, "a text in quotes was expected");
    for (;;) {
        int32_t rc;

        json_skip_plain(r);
        if (r->at >= r->n)
            return json_bad(r, "the text ends inside a string");
        if (r->text[r->at] == '"') {
            r->at++;
            return CJ_OK;
        }
        rc = json_check_odd(r);
        if (rc != CJ_OK)
            return rc;
    }
}

static int32_t json_check_word(json_reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    const char first = r->text[r->at];

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t length = first == words[i][0] ? strlen(words[i]) : SIZE_MAX;

        if (r->n - r->at >= length && memcmp(r->text + r->at, words[i], length) == 0) {
            r->at += length;
            return CJ_OK;
        }
    }
    return json_check_number(r);
}

static int32_t json_check_member(json_reader *r)
{
    int32_t rc;

    json_skip_blanks(r);
    CJ_TRY(json_check_string(r));
    json_skip_blanks(r);
    if (!json_take(r, ':'))
        return json_bad(r, "a colon was expected");
    CJ_TRY(json_check_value(r));
out:
    return rc;
}

/* An object or an array: close is its last character. */
static int32_t json_check_nest(json_reader *r, char close)
{
    if (r->depth == r->max_depth)
        return cj__fail_at((int64_t)r->at, CJ_ELIMIT, "JSON: nested deeper than %d",
                           r->max_depth);
    r->depth++;
    r->at++;
    json_skip_blanks(r);
    if (!json_take(r, close)) {
        do {
            int32_t rc = close == '}' ? json_check_member(r) : json_check_value(r);

            if (rc != CJ_OK)
                return rc;
            json_skip_blanks(r);
        } while (json_take(r, ','));
        if (!json_take(r, close))
            return json_bad(r, "a comma or the closing bracket was expected");
    }
    r->depth--;
    return CJ_OK;
}

static int32_t json_check_value(json_reader *r)
{
    json_skip_blanks(r);
    switch (json_peek(r)) {
    case '{':
        return json_check_nest(r, '}');
    case '[':
        return json_check_nest(r, ']');
    case '"':
        return json_check_string(r);
    case -1:
        return json_bad(r, "a value was expected");
    default:
        return json_is_digit(json_peek(r)) ? json_check_number(r) : json_check_word(r);
    }
}

int32_t cj__json_check_to(const char *text, size_t n, int max_depth)
{
    json_reader r = {text, n, 0, 0, max_depth};
    int32_t rc;

    if (n > CJ__MAX_MESSAGE)
        return cj__fail(CJ_ELIMIT, "JSON: longer than %d bytes", CJ__MAX_MESSAGE);
    rc = json_check_value(&r);
    if (rc != CJ_OK)
        return rc;
    json_skip_blanks(&r);
    return r.at == n ? CJ_OK : json_bad(&r, "something follows the value");
}

int32_t cj__json_check(const char *text, size_t n)
{
    return cj__json_check_to(text, n, CJ__MAX_JSON_DEPTH);
}

int32_t cj__json_check_object(const char *text, size_t n)
{
    json_reader r = {text, n, 0, 0, CJ__MAX_JSON_DEPTH};

    json_skip_blanks(&r);
    if (json_peek(&r) != '{')
        return json_bad(&r, "an object was expected");
    return cj__json_check(text, n);
}

/* ---- parse ---------------------------------------------------------------------- */

/* What cJSON gets is a copy in which the number 12 is the string "\u000112".  A string
 * that begins with \u0001 itself gets one more, so that both can be told apart again;
 * member names are left alone, they are never numbers. */
#define JSON_MARK "\\u0001"
enum { JSON_MARK_BYTES = sizeof JSON_MARK - 1 };

static size_t json_string_length(const char *text, size_t n)
{
    size_t at = 1;

    while (at < n && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at < n ? at + 1 : n;
}

static int json_is_name(const char *text, size_t n, size_t after)
{
    while (after < n && json_is_blank(text[after]))
        after++;
    return after < n && text[after] == ':';
}

static size_t json_number_length(const char *text, size_t n)
{
    size_t at = 0;

    while (at < n && text[at] != '\0' && strchr("0123456789+-.eE", text[at]) != NULL)
        at++;
    return at;
}

/* text has been checked. */
static void json_mark_numbers(cj__str *s, const char *text, size_t n)
{
    for (size_t at = 0, length; at < n; at += length) {
        const char *p = text + at;

        if (*p == '"') {
            length = json_string_length(p, n - at);
            cj__str_put_char(s, '"');
            if (length > JSON_MARK_BYTES &&
                memcmp(p + 1, JSON_MARK, JSON_MARK_BYTES) == 0 &&
                !json_is_name(text, n, at + length))
                cj__str_put_text(s, JSON_MARK);
            cj__str_put(s, p + 1, length - 1);
        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            length = json_number_length(p, n - at);
            cj__str_put_text(s, "\"" JSON_MARK);
            cj__str_put(s, p, length);
            cj__str_put_char(s, '"');
        } else {
            length = 1;
            if (!json_is_blank(*p))
                cj__str_put_char(s, *p);
        }
    }
}

static void json_unmark(cJSON *node)
{
    for (; node != NULL; node = node->next) {
        char *text = node->valuestring;

        if (cJSON_IsString(node) && text[0] == '\1') {
            if (text[1] != '\1')
                node->type = (node->type & ~0xFF) | cJSON_Raw;
            memmove(text, text + 1, strlen(text));
        }
        json_unmark(node->child);
    }
}

int32_t cj__json_parse(const cj__allocator *a, const char *text, size_t n,
                       struct cJSON **out)
{
    cJSON *root = NULL;
    cj__str copy;
    int32_t rc;

    *out = NULL;
    cj__str_init(&copy, a, (size_t)CJ__MAX_MESSAGE * (JSON_MARK_BYTES + 4));
    CJ_TRY(cj__json_check(text, n));
    json_mark_numbers(&copy, text, n);
    CJ_TRY(cj__str_status(&copy));
    /* Checked text has one reason left to fail. */
    root = cJSON_ParseWithLength(copy.data, copy.n);
    if (root == NULL)
        CJ_TRY(cj__fail_nomem());
    json_unmark(root);
    *out = root;
out:
    cj__str_end(&copy);
    return rc;
}

void cj__json_free(struct cJSON *root)
{
    cJSON_Delete(root);
}

/* ---- read ----------------------------------------------------------------------- */

/* Of a name that is there twice the last one counts, as in JavaScript and Python. */
const struct cJSON *cj__json_member(const struct cJSON *object, const char *name)
{
    const cJSON *found = NULL;

    if (!cJSON_IsObject(object))
        return NULL;
    for (const cJSON *node = object->child; node != NULL; node = node->next) {
        if (strcmp(node->string, name) == 0)
            found = node;
    }
    return found;
}

const char *cj__json_string(const struct cJSON *node)
{
    return cJSON_IsString(node) ? node->valuestring : NULL;
}

const char *cj__json_scalar(const struct cJSON *node)
{
    return cJSON_IsString(node) || cJSON_IsRaw(node) ? node->valuestring : NULL;
}

int cj__json_int64(const struct cJSON *node, int64_t *out)
{
    const int64_t exact = (int64_t)1 << 53; /* beyond it other JSON readers round */
    int64_t value;

    if (!cJSON_IsRaw(node) ||
        cj__decimal_whole(node->valuestring, strlen(node->valuestring), &value) != 0)
        return -1;
    if (value > exact || value < -exact)
        return -1;
    *out = value;
    return 0;
}

void cj__json_put(cj__str *s, const struct cJSON *node)
{
    const int is_object = cJSON_IsObject(node);

    if (cJSON_IsString(node)) {
        cj__str_put_json(s, node->valuestring, strlen(node->valuestring));
    } else if (cJSON_IsRaw(node)) {
        cj__str_put_text(s, node->valuestring);
    } else if (is_object || cJSON_IsArray(node)) {
        cj__str_put_char(s, is_object ? '{' : '[');
        for (const cJSON *child = node->child; child != NULL; child = child->next) {
            if (child != node->child)
                cj__str_put_char(s, ',');
            if (is_object) {
                cj__str_put_json(s, child->string, strlen(child->string));
                cj__str_put_char(s, ':');
            }
            cj__json_put(s, child);
        }
        cj__str_put_char(s, is_object ? '}' : ']');
    } else {
        cj__str_put_text(s, cJSON_IsTrue(node)    ? "true"
                            : cJSON_IsFalse(node) ? "false"
                                                  : "null");
    }
}

/* ---- streams -------------------------------------------------------------------- */

/* The end of a value that begins with a bracket: where its nesting is closed. */
static size_t json_nest_end(const char *text, size_t n, size_t at)
{
    size_t depth = 0;

    while (at < n) {
        const char c = text[at];

        if (c == '"') {
            at += json_string_length(text + at, n - at);
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return at;
}

static int json_is_delimiter(char c)
{
    return json_is_blank(c) || c == ',' || c == ']' || c == '}';
}

void cj__json_next(const char *text, size_t n, size_t from, size_t *begin, size_t *end)
{
    size_t at = from;

    while (at < n && json_is_blank(text[at]))
        at++;
    *begin = at;
    if (at >= n) {
        *begin = *end = n;
    } else if (text[at] == '{' || text[at] == '[') {
        *end = json_nest_end(text, n, at);
    } else if (text[at] == '"') {
        *end = at + json_string_length(text + at, n - at);
    } else {
        /* A comma or a bracket stands for itself, so that a stream always moves on. */
        const int is_lone = json_is_delimiter(text[at]);

        at++;
        while (!is_lone && at < n && !json_is_delimiter(text[at]))
            at++;
        *end = at;
    }
}
