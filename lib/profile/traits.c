/* Traits: history in, the newest out.  Values are JSON texts, kept as they were written
 * but for blanks; numbers never pass through a double. */
#include "base/json.h"
#include "identity/identity.h"
#include "profile/profile.h"
#include "store/reader.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing
 * ---------------------------------------------------------------------------- */

/* Every telling is kept, also of what is known: a value that comes late must find those
 * around it, or the order of arrival would decide what a trait was. */
int32_t cj__trait_add(cj_db *db, uint32_t node, uint32_t name, int64_t time_ms,
                      uint32_t source, cj__text value)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_TRAIT_ADD, &q));
    cj__query_int64(&q, 1, node);
    cj__query_int64(&q, 2, name);
    cj__query_int64(&q, 3, time_ms);
    cj__query_int64(&q, 4, source);
    cj__query_text(&q, 5, value);
    CJ_TRY(cj__query_run(&q));
    CJ_TRY(db->observer->trait(db, node, name, time_ms, source, value));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__traits_add(cj_db *db, uint32_t node, cj__text traits, int64_t time_ms,
                       const char *source)
{
    struct cJSON *root = NULL;
    const struct cJSON *member;
    uint32_t source_id, name;
    cj__str value;
    int32_t rc;

    cj__str_init(&value, &db->cx.allocator, CJ__MAX_PROPERTIES * 2);
    CJ_TRY(cj__json_parse(&db->cx.allocator, traits.data, traits.n, &root));
    CJ_TRY(cj__term(db, CJ__SPACE_SOURCE, cj__text_of(source), &source_id));
    cJSON_ArrayForEach(member, root)
    {
        CJ_TRY(cj__term(db, CJ__SPACE_TRAIT, cj__text_of(member->string), &name));
        cj__str_clear(&value);
        cj__json_put(&value, member);
        CJ_TRY(cj__str_status(&value));
        CJ_TRY(cj__trait_add(db, node, name, time_ms, source_id,
                             (cj__text){value.data, value.n}));
    }
out:
    cj__str_end(&value);
    cj__json_free(root);
    return rc;
}

/* ---- reading
 * ------------------------------------------------------------------------------- */

typedef struct traits_row {
    int64_t time_ms;
    uint32_t node;
    cj__text name, source, value;
} traits_row;

typedef struct traits_list {
    const cj__allocator *allocator;
    traits_row *rows;
    size_t n, capacity;
} traits_list;

static int32_t traits_take(cj__reader *r, const cj__query *q, uint32_t node,
                           cj__arena *arena, traits_list *list)
{
    cj__text value = cj__query_get_text(q, 3);
    traits_row row = {.time_ms = cj__query_get_int64(q, 1), .node = node};
    int32_t rc;

    CJ_TRY(cj__reader_term(r, (uint32_t)cj__query_get_int64(q, 0), &row.name));
    CJ_TRY(cj__reader_term(r, (uint32_t)cj__query_get_int64(q, 2), &row.source));
    row.value = (cj__text){cj__arena_text(arena, value.data, value.n), value.n};
    if (row.value.data == NULL)
        CJ_TRY(CJ_ENOMEM);
    CJ_TRY(cj__array_grow(list->allocator, (void **)&list->rows, &list->capacity,
                          list->n + 1, sizeof row, 1u << 24));
    list->rows[list->n++] = row;
out:
    return rc;
}

static int32_t traits_of_node(cj__reader *r, uint32_t node, int64_t as_of_ms,
                              cj__arena *arena, traits_list *list)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(r), STMT_TRAIT_OF_NODE, &q));
    cj__query_int64(&q, 1, node);
    cj__query_int64(&q, 2, as_of_ms);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(traits_take(r, &q, node, arena, list));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* By name, and the one that counts first. */
static int traits_order(const void *a, const void *b)
{
    const traits_row *x = a, *y = b;
    size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    int by_name = memcmp(x->name.data, y->name.data, n);

    if (by_name != 0)
        return by_name;
    if (x->name.n != y->name.n)
        return x->name.n < y->name.n ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms > y->time_ms ? -1 : 1;
    return x->node > y->node ? -1 : x->node < y->node;
}

static void traits_rows(const traits_list *list, cj_table *t)
{
    for (size_t i = 0; i < list->n; i++) {
        const traits_row *row = &list->rows[i];
        if (i > 0 && cj__text_equal(row->name, list->rows[i - 1].name))
            continue;
        if (row->value.n == 4 && memcmp(row->value.data, "null", 4) == 0)
            continue; /* forgotten */
        cj__table_text(t, 0, row->name.data, row->name.n);
        cj__table_text(t, 1, row->value.data, row->value.n);
        cj__table_text(t, 2, row->source.data, row->source.n);
        cj__table_int64(t, 3, row->time_ms);
    }
}

int32_t cj__profile_traits(cj_db *db, int64_t profile, int64_t as_of_ms, cj_table **out)
{
    traits_list list = {.allocator = &db->cx.allocator};
    cj__reader *r = NULL;
    cj_table *t = NULL;
    cj__arena arena;
    uint32_t *nodes;
    size_t n;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__reader_open(db, &r));
    CJ_TRY(cj__profile_nodes(cj__reader_conn(r), profile, &arena, &nodes, &n));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(traits_of_node(r, nodes[i], as_of_ms, &arena, &list));
    if (list.n > 0)
        qsort(list.rows, list.n, sizeof *list.rows, traits_order);
    CJ_TRY(cj__table_new(&db->cx.allocator, "name:t value:t source:t time_ms:i", &t));
    traits_rows(&list, t);
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__free(&db->cx.allocator, list.rows, list.capacity * sizeof *list.rows);
    cj__arena_end(&arena);
    cj__reader_end(r);
    return rc;
}
