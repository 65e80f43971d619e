/* Paths into JSON text: skip what is not on the path, byte by byte, and hand out
 * slices. Invariant: no byte at or behind the end is read, whatever the text; where it
 * is not JSON, values are missing.  Of equal members the first counts. */
#include "segment/path.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

static size_t path_blank(cj__text json, size_t at)
{
    while (at < json.n && (json.data[at] == ' ' || json.data[at] == '\n' ||
                           json.data[at] == '\t' || json.data[at] == '\r'))
        at++;
    return at;
}

/* Behind the string that begins at `at`. */
static size_t path_skip_string(cj__text json, size_t at)
{
    for (at++; at < json.n && json.data[at] != '"'; at++) {
        if (json.data[at] == '\\')
            at++;
    }
    return at < json.n ? at + 1 : json.n;
}

/* Behind the value that begins at `at`. */
static size_t path_skip(cj__text json, size_t at)
{
    size_t depth = 0;

    do {
        const char c = at < json.n ? json.data[at] : '\0';

        if (at >= json.n)
            return json.n;
        if (c == '"') {
            at = path_skip_string(json, at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        else if (depth == 0) { /* number, true, false, null */
            while (at < json.n && memchr(" \n\t\r,]}", json.data[at], 7) == NULL)
                at++;
            return at;
        }
        at++;
    } while (depth > 0);
    return at;
}

static unsigned path_hex(const char *at)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        const char c = at[i];

        value = value * 16 + (unsigned)(c >= 'a'   ? c - 'a' + 10
                                        : c >= 'A' ? c - 'A' + 10
                                                   : c - '0');
    }
    return value & 0xFFFF;
}

/* One character of a string's inside at *at; its bytes in to[4]. */
static size_t path_char(cj__text inside, size_t *at, char *to)
{
    const char *p = inside.data + *at;
    const size_t left = inside.n - *at;
    const char *found;
    uint32_t code;

    if (p[0] != '\\' || left < 2) {
        to[0] = p[0];
        *at += 1;
        return 1;
    }
    if (p[1] != 'u' || left < 6) {
        static const char from[] = "nrtbf", as[] = "\n\r\t\b\f";

        found = p[1] == '\0' ? NULL : strchr(from, p[1]);
        to[0] = found != NULL ? as[found - from] : p[1];
        *at += 2;
        return 1;
    }
    code = path_hex(p + 2);
    *at += 6;
    if (code >= 0xD800 && code < 0xDC00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
        const uint32_t low = path_hex(p + 8);

        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            *at += 6;
        }
    }
    return cj__utf8_encode(code, to);
}

static cj__text path_inside(cj__text json)
{
    cj__text inside = {json.data + 1, json.n > 2 ? json.n - 2 : 0};

    return inside;
}

int cj__path_escaped(cj__text json)
{
    return json.n > 2 && memchr(json.data + 1, '\\', json.n - 2) != NULL;
}

/* An escape is longer than what it stands for: \u and 4 digits make 3 bytes at most. */
size_t cj__path_unescape(cj__text json, char *to)
{
    const cj__text inside = path_inside(json);
    size_t at = 0, n = 0;

    while (at < inside.n)
        n += path_char(inside, &at, to + n);
    return n;
}

static int path_key_is(cj__text key, cj__text name)
{
    const cj__text inside = path_inside(key);
    size_t at = 0, n = 0;
    char one[4];

    if (!cj__path_escaped(key))
        return inside.n == name.n && memcmp(inside.data, name.data, name.n) == 0;
    while (at < inside.n) {
        const size_t length = path_char(inside, &at, one);

        if (name.n - n < length || memcmp(name.data + n, one, length) != 0)
            return 0;
        n += length;
    }
    return n == name.n;
}

/* The value of a member; data NULL: none. */
static cj__text path_member(cj__text json, cj__text name)
{
    const cj__text none = {NULL, 0};
    size_t at = path_blank(json, 0);

    if (at >= json.n || json.data[at] != '{')
        return none;
    at = path_blank(json, at + 1);
    while (at < json.n && json.data[at] == '"') {
        const size_t key = at, key_end = path_skip_string(json, at);
        size_t value;

        at = path_blank(json, key_end);
        if (at >= json.n || json.data[at] != ':')
            return none;
        value = path_blank(json, at + 1);
        at = path_skip(json, value);
        if (path_key_is((cj__text){json.data + key, key_end - key}, name))
            return (cj__text){json.data + value, at - value};
        at = path_blank(json, at);
        if (at >= json.n || json.data[at] != ',')
            return none;
        at = path_blank(json, at + 1);
    }
    return none;
}

int cj__path_element(cj__text array, size_t *at, cj__text *out)
{
    size_t from;

    if (*at == 0) {
        from = path_blank(array, 0);
        if (from >= array.n || array.data[from] != '[')
            return 0;
    } else {
        from = path_blank(array, *at);
        if (from >= array.n || array.data[from] != ',')
            return 0;
    }
    from = path_blank(array, from + 1);
    if (from >= array.n || array.data[from] == ']')
        return 0;
    *at = path_skip(array, from);
    if (*at == from) /* no value: not JSON */
        return 0;
    *out = (cj__text){array.data + from, *at - from};
    return 1;
}

static int path_is_null(cj__text json)
{
    return json.n == 4 && memcmp(json.data, "null", 4) == 0;
}

/* As deep as the path has parts, so bounded by the depth limit of JSON. */
static int path_walk(const cj__path *path, uint32_t part, cj__text json,
                     cj__path_fn each, void *user)
{
    for (; part < path->n; part++) {
        if (path->parts[part].name.data == NULL) {
            cj__text element;
            size_t at = 0;
            int rc = 0;

            while (rc == 0 && cj__path_element(json, &at, &element))
                rc = path_walk(path, part + 1, element, each, user);
            return rc;
        }
        json = path_member(json, path->parts[part].name);
        if (json.data == NULL)
            return 0;
    }
    return json.n == 0 || path_is_null(json) ? 0 : each(user, json);
}

int cj__path_each(const cj__path *path, cj__text json, cj__path_fn each, void *user)
{
    return json.data == NULL ? 0 : path_walk(path, 0, json, each, user);
}

static int path_take(void *user, cj__text value)
{
    *(cj__text *)user = value;
    return 1;
}

cj__text cj__path_find(const cj__path *path, cj__text json)
{
    cj__text found = {NULL, 0};

    cj__path_each(path, json, path_take, &found);
    return found;
}

int32_t cj__path_make(cj__arena *arena, cj__text text, cj__path *out)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.data[i] == '.' || text.data[i] == '[';
    memset(out, 0, sizeof *out);
    out->text = text;
    if (text.n == 0)
        return CJ_OK;
    if (n > CJ__MAX_JSON_DEPTH)
        return cj__fail(CJ_ELIMIT, "a property path has more than %d parts",
                        CJ__MAX_JSON_DEPTH);
    out->parts = cj__arena_alloc(arena, n * sizeof *out->parts);
    if (out->parts == NULL)
        return CJ_ENOMEM;
    for (size_t at = 0; at < text.n;) {
        cj__path_part *part = &out->parts[out->n++];
        const size_t from = at;

        if (text.data[at] == '[') {
            part->name = (cj__text){NULL, 0};
            out->many = 1;
            at += 2;
        } else {
            while (at < text.n && text.data[at] != '.' && text.data[at] != '[')
                at++;
            part->name = (cj__text){text.data + from, at - from};
        }
        if (at < text.n && text.data[at] == '.')
            at++;
    }
    return CJ_OK;
}
