/* See set.h.  References are followed depth first, so an item is added when all that it
 * needs is there; a name that is met again while it is open closes a circle. */
#include "segment/set.h"

#include "base/nearest.h"

#include <string.h>

#define SET_DEFINITIONS 100000 /* far more than anybody keeps apart */
#define SET_PATH 70            /* characters of a circle that are shown */

/* ---- definitions
 * ------------------------------------------------------------------------- */

static int32_t set_definition(const cj__query *q, cj__text name, cj__arena *arena,
                              cj__definition *d)
{
    cj__text source = cj__query_get_text(q, 4);

    d->id = cj__query_get_int64(q, 0);
    d->kind = cj__query_get_int64(q, 1);
    d->live = cj__query_get_int64(q, 2);
    d->time_ms = cj__query_get_int64(q, 3);
    d->source = (cj__text){cj__arena_text(arena, source.data, source.n), source.n};
    d->name = (cj__text){cj__arena_text(arena, name.data, name.n), name.n};
    return d->source.data == NULL || d->name.data == NULL ? CJ_ENOMEM : CJ_OK;
}

int32_t cj__definitions(cj__conn *conn, cj__arena *arena, cj__definition **out,
                        size_t *n_out)
{
    cj__query q = {0};
    cj__definition *all = NULL;
    size_t n = 0, capacity = 0;
    int row;
    int32_t rc;

    *out = NULL;
    *n_out = 0;
    CJ_TRY(cj__query_begin(conn, STMT_SEGMENT_ALL, &q));
    for (;; n++) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__array_grow(arena->allocator, (void **)&all, &capacity, n + 1,
                              sizeof *all, SET_DEFINITIONS));
        CJ_TRY(set_definition(&q, cj__query_get_text(&q, 5), arena, &all[n]));
    }
    *out = cj__arena_alloc(arena, (n + 1) * sizeof **out);
    if (*out == NULL)
        CJ_TRY(CJ_ENOMEM);
    if (n > 0)
        memcpy(*out, all, n * sizeof *all);
    *n_out = n;
out:
    cj__query_end(&q);
    cj__free(arena->allocator, all, capacity * sizeof *all);
    return rc;
}

static int32_t set_unknown(cj_db *db, cj__conn *conn, cj__text name)
{
    cj__definition *all;
    const cj__definition *best = NULL;
    size_t n, least = name.n / 2 + 1;
    cj__arena arena;
    int32_t rc;

    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__definitions(conn, &arena, &all, &n));
    for (size_t i = 0; i < n; i++) {
        size_t distance = cj__name_distance(name, all[i].name);

        if (distance >= least)
            continue;
        least = distance;
        best = &all[i];
    }
    if (best != NULL && best->name.n < 40)
        rc = cj__fail(CJ_ENOTFOUND, "no such segment; did you mean `%.*s`?",
                      (int)best->name.n, best->name.data);
    else
        rc = cj__fail(CJ_ENOTFOUND, "no such segment; see the list of segments");
out:
    cj__arena_end(&arena);
    return rc;
}

int32_t cj__definition_get(cj_db *db, cj__conn *conn, cj__text name, cj__arena *arena,
                           cj__definition *out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_SEGMENT_GET, &q));
    cj__query_text(&q, 1, name);
    CJ_TRY(cj__query_step(&q, &row));
    rc = row ? set_definition(&q, name, arena, out) : CJ_ENOTFOUND;
out:
    cj__query_end(&q);
    return rc == CJ_ENOTFOUND ? set_unknown(db, conn, name) : rc;
}

/* ---- the set
 * ----------------------------------------------------------------------------- */

void cj__set_begin(cj__set *s, cj_db *db, cj__conn *conn)
{
    memset(s, 0, sizeof *s);
    s->db = db;
    s->conn = conn;
    cj__arena_init(&s->arena, &db->cx.allocator);
}

void cj__set_end(cj__set *s)
{
    const cj__allocator *a;

    if (s->db == NULL)
        return;
    a = &s->db->cx.allocator;
    for (size_t i = 0; i < s->n; i++)
        cj__segment_free(s->db, s->items[i].tree);
    cj__free(a, s->items, s->capacity * sizeof *s->items);
    cj__free(a, s->lists, s->lists_capacity * sizeof *s->lists);
    cj__free(a, s->open, s->open_capacity * sizeof *s->open);
    cj__arena_end(&s->arena);
    s->db = NULL;
}

int64_t cj__set_item_named(const cj__set *s, cj__text name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->items[i].name.data != NULL && cj__text_equal(s->items[i].name, name))
            return (int64_t)i;
    }
    return -1;
}

int64_t cj__set_list_named(const cj__set *s, cj__text name)
{
    for (size_t i = 0; i < s->n_lists; i++) {
        if (cj__text_equal(s->lists[i].name, name))
            return (int64_t)i;
    }
    return -1;
}

/* As much of a text as fits, without half a character. */
static size_t set_cut(cj__text text, size_t most)
{
    size_t n = text.n < most ? text.n : most;

    while (n < text.n && n > 0 && ((unsigned char)text.data[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static int32_t set_circle(const cj__set *s, size_t from, cj__text name)
{
    const int first = (int)set_cut(s->open[from], SET_PATH);
    char path[SET_PATH + 1] = "";
    size_t n = 0;

    for (size_t i = from; i <= s->n_open; i++) {
        cj__text part = i < s->n_open ? s->open[i] : name;

        if (n + part.n + 4 > SET_PATH)
            return cj__fail(CJ_EINVAL, "segments in a circle: %.*s ...",
                            n > 0 ? (int)n : first, n > 0 ? path : s->open[from].data);
        if (n > 0) {
            memcpy(path + n, " -> ", 4);
            n += 4;
        }
        memcpy(path + n, part.data, part.n);
        n += part.n;
    }
    return cj__fail(CJ_EINVAL, "segments in a circle: %.*s", (int)n, path);
}

static int32_t set_list(cj__set *s, const cj__definition *d)
{
    int32_t rc;

    if (d->kind != CJ__SEGMENT_LIST)
        return cj__fail(CJ_EINVAL, "that is no list; write in_segment(\"...\")");
    rc = cj__array_grow(&s->db->cx.allocator, (void **)&s->lists, &s->lists_capacity,
                        s->n_lists + 1, sizeof *s->lists, SET_DEFINITIONS);
    if (rc == CJ_OK)
        s->lists[s->n_lists++] = (cj__set_list){.name = d->name, .id = d->id};
    return rc;
}

int32_t cj__set_add_list(cj__set *s, cj__text name)
{
    cj__definition d;
    int32_t rc = CJ_OK;

    if (cj__set_list_named(s, name) >= 0)
        return CJ_OK;
    CJ_TRY(cj__definition_get(s->db, s->conn, name, &s->arena, &d));
    CJ_TRY(set_list(s, &d));
out:
    return rc;
}

/* What went wrong behind a reference is told where the source refers to it, so that in
 * the end the place is one in the source that was asked; none in a definition. */
static int32_t set_place(int64_t place, int32_t rc)
{
    if (rc != CJ_EINVAL && rc != CJ_ENOTFOUND && rc != CJ_ELIMIT)
        return rc;
    return cj__fail_at(place, rc, "%s", cj__error_text());
}

/* What a function needs besides events and traits. */
static int32_t set_function(cj__set *s, const cj__seg_node *node)
{
    const cj__text name = cj__text_of(cj__seg_functions[node->i].name);
    uint32_t ignored;

    if (cj__text_equal(name, cj__text_of("has")) ||
        cj__text_equal(name, cj__text_of("identifiers")))
        s->reads_identifiers = 1;
    else if (cj__text_equal(name, cj__text_of("shared_device")))
        s->reads_shared = 1;
    else if (cj__text_equal(name, cj__text_of("sample")))
        s->reads_number = 1;
    else if (cj__text_equal(name, cj__text_of("in_segment")))
        return set_place(node->kids[0]->begin,
                         cj__set_add_named(s, node->kids[0]->text, &ignored));
    else if (cj__text_equal(name, cj__text_of("in_list")))
        return set_place(node->kids[0]->begin,
                         cj__set_add_list(s, node->kids[0]->text));
    return CJ_OK;
}

static int32_t set_walk(cj__set *s, const cj__seg_node *node)
{
    int32_t rc = CJ_OK;

    if (node->op == CJ__SEG_CALL)
        CJ_TRY(set_function(s, node));
    for (uint32_t i = 0; i < node->n_kids; i++)
        CJ_TRY(set_walk(s, node->kids[i]));
out:
    return rc;
}

static int32_t set_open(cj__set *s, cj__text name)
{
    int32_t rc;

    for (size_t i = 0; i < s->n_open; i++) {
        if (cj__text_equal(s->open[i], name))
            return set_circle(s, i, name);
    }
    if (s->n_open == CJ__MAX_SEGMENT_DEPTH)
        return cj__fail(CJ_ELIMIT, "segments lead to segments more than %d deep",
                        CJ__MAX_SEGMENT_DEPTH);
    rc = cj__array_grow(&s->db->cx.allocator, (void **)&s->open, &s->open_capacity,
                        s->n_open + 1, sizeof *s->open, SET_DEFINITIONS);
    if (rc == CJ_OK)
        s->open[s->n_open++] = name;
    return rc;
}

int32_t cj__set_add(cj__set *s, cj__text name, cj__text source, uint32_t *index_out)
{
    cj__set_item item = {.name = name};
    int32_t rc;

    CJ_TRY(cj__segment_parse(s->db, source, &item.tree));
    if (name.data != NULL)
        CJ_TRY(set_open(s, name));
    CJ_TRY(set_walk(s, item.tree->root));
    s->n_open -= name.data != NULL;
    CJ_TRY(cj__array_grow(&s->db->cx.allocator, (void **)&s->items, &s->capacity,
                          s->n + 1, sizeof item, SET_DEFINITIONS));
    *index_out = (uint32_t)s->n;
    s->items[s->n++] = item;
    item.tree = NULL;
out:
    cj__segment_free(s->db, item.tree);
    return rc;
}

int32_t cj__set_add_named(cj__set *s, cj__text name, uint32_t *index_out)
{
    const int64_t known = cj__set_item_named(s, name);
    cj__definition d;
    int32_t rc;

    if (known >= 0) {
        *index_out = (uint32_t)known;
        return CJ_OK;
    }
    for (size_t i = 0; i < s->n_open; i++) {
        if (cj__text_equal(s->open[i], name))
            return set_circle(s, i, name);
    }
    CJ_TRY(cj__definition_get(s->db, s->conn, name, &s->arena, &d));
    if (d.kind == CJ__SEGMENT_LIST)
        return cj__fail(CJ_EINVAL, "that is a list; write in_list(\"...\")");
    CJ_TRY(set_place(-1, cj__set_add(s, d.name, d.source, index_out)));
    s->items[*index_out].id = d.id;
out:
    return rc;
}
