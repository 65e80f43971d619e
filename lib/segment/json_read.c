/* Any JSON as values with their places.  It has been checked before, so reading it only
 * looks for where things end; cJSON is not used, because it forgets places. */
#include "segment/json.h"

#include "base/json.h"
#include "segment/path.h"

#include <string.h>

typedef struct json_reader {
    cj__arena *arena;
    cj__text json;
    uint32_t at;
} json_reader;

static char read_peek(json_reader *r)
{
    while (r->at < r->json.n && strchr(" \t\r\n", r->json.data[r->at]) != NULL)
        r->at++;
    return r->at < r->json.n ? r->json.data[r->at] : '\0';
}

/* 1 when it was there. */
static int read_take(json_reader *r, char c)
{
    if (read_peek(r) != c)
        return 0;
    r->at++;
    return 1;
}

static int32_t read_string(json_reader *r, cj__text *out)
{
    const uint32_t begin = r->at;
    cj__text json;
    char *to;

    for (r->at++; r->json.data[r->at] != '"'; r->at++)
        r->at += r->json.data[r->at] == '\\';
    r->at++;
    json = (cj__text){r->json.data + begin, r->at - begin};
    *out = (cj__text){json.data + 1, json.n - 2};
    if (!cj__path_escaped(json))
        return CJ_OK;
    to = cj__arena_alloc(r->arena, json.n);
    if (to == NULL)
        return CJ_ENOMEM;
    *out = (cj__text){to, cj__path_unescape(json, to)};
    return CJ_OK;
}

/* A number, true, false or null. */
static void read_scalar(json_reader *r, cj__json_value *v)
{
    const uint32_t begin = r->at;
    const char first = r->json.data[begin];

    while (r->at < r->json.n && r->json.data[r->at] != '\0' &&
           strchr(",]} \t\r\n", r->json.data[r->at]) == NULL)
        r->at++;
    v->text = (cj__text){r->json.data + begin, r->at - begin};
    v->kind = first == 't'   ? CJ__JSON_TRUE
              : first == 'f' ? CJ__JSON_FALSE
              : first == 'n' ? CJ__JSON_NULL
                             : CJ__JSON_NUMBER;
}

static int32_t read_value(json_reader *r, cj__json_value **out);

static int32_t read_member(json_reader *r, int is_object, cj__json_value **out)
{
    cj__text name = {NULL, 0};
    uint32_t name_begin = 0;
    int32_t rc;

    if (is_object) {
        read_peek(r);
        name_begin = r->at;
        CJ_TRY(read_string(r, &name));
        read_take(r, ':');
    }
    CJ_TRY(read_value(r, out));
    (*out)->name = name;
    (*out)->name_begin = name_begin;
out:
    return rc;
}

static int32_t read_members(json_reader *r, cj__json_value *v)
{
    const int is_object = v->kind == CJ__JSON_OBJECT;
    cj__json_value **last = &v->first;
    int32_t rc = CJ_OK;

    r->at++;
    if (read_take(r, is_object ? '}' : ']'))
        return CJ_OK;
    do {
        CJ_TRY(read_member(r, is_object, last));
        last = &(*last)->next;
        v->n++;
    } while (read_take(r, ','));
    read_take(r, is_object ? '}' : ']');
out:
    return rc;
}

static int32_t read_value(json_reader *r, cj__json_value **out)
{
    const char c = read_peek(r);
    cj__json_value *v = cj__arena_alloc(r->arena, sizeof *v);
    int32_t rc = CJ_OK;

    if (v == NULL)
        return CJ_ENOMEM;
    memset(v, 0, sizeof *v);
    v->begin = r->at;
    if (c == '{' || c == '[') {
        v->kind = c == '{' ? CJ__JSON_OBJECT : CJ__JSON_ARRAY;
        CJ_TRY(read_members(r, v));
    } else if (c == '"') {
        v->kind = CJ__JSON_TEXT;
        CJ_TRY(read_string(r, &v->text));
    } else {
        read_scalar(r, v);
    }
    *out = v;
out:
    return rc;
}

int32_t cj__json_values(cj__arena *arena, cj__text json, cj__json_value **out)
{
    json_reader r = {arena, json, 0};
    int32_t rc;

    CJ_TRY(cj__json_check_to(json.data, json.n, CJ__MAX_SEGMENT_JSON));
    CJ_TRY(read_value(&r, out));
out:
    return rc;
}

const cj__json_value *cj__json_get(const cj__json_value *object, const char *name)
{
    if (object->kind != CJ__JSON_OBJECT)
        return NULL;
    for (const cj__json_value *v = object->first; v != NULL; v = v->next) {
        if (cj__text_equal(v->name, cj__text_of(name)))
            return v;
    }
    return NULL;
}
