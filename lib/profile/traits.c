/* Traits: history in, the newest out.  Values are JSON texts, kept as they were written
 * but for blanks; numbers never pass through a double. */
#include "base/json.h"
#include "identity/identity.h"
#include "profile/score.h"
#include "store/reader.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing
 * ---------------------------------------------------------------------------- */

/* Every telling is kept, also of what is known: a value that comes late must find those
 * around it, or the order of arrival would decide what a trait was. */
static int32_t trait_add(cj_db *db, uint32_t node, uint32_t name, int64_t time_ms,
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

/* A score stands: nobody else tells it of its own moment. */
static int32_t trait_is_score(cj_db *db, uint32_t node, cj__text name, int64_t time_ms,
                              int *is_out)
{
    *is_out = 0;
    return cj__score_is_name(name) ? cj__score_is_told(db, node, time_ms, is_out)
                                   : CJ_OK;
}

int32_t cj__traits_add(cj_db *db, uint32_t node, cj__text traits, int64_t time_ms,
                       const char *source)
{
    struct cJSON *root = NULL;
    const struct cJSON *member;
    uint32_t source_id, name;
    cj__str value;
    int is_score;
    int32_t rc;

    cj__str_init(&value, &db->cx.allocator, CJ__MAX_PROPERTIES * 2);
    CJ_TRY(cj__json_parse(&db->cx.allocator, traits.data, traits.n, &root));
    CJ_TRY(cj__term(db, CJ__SPACE_SOURCE, cj__text_of(source), &source_id));
    cJSON_ArrayForEach(member, root)
    {
        CJ_TRY(
            trait_is_score(db, node, cj__text_of(member->string), time_ms, &is_score));
        if (is_score)
            continue;
        CJ_TRY(cj__term(db, CJ__SPACE_TRAIT, cj__text_of(member->string), &name));
        cj__str_clear(&value);
        cj__json_put(&value, member);
        CJ_TRY(cj__str_status(&value));
        CJ_TRY(trait_add(db, node, name, time_ms, source_id,
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
    int is_score;
    cj__text name, source, value;
} traits_row;

typedef struct traits_list {
    cj__reader *reader;
    int64_t as_of_ms;
    cj__arena arena;
    cj__str text; /* of a score */
    traits_row *rows;
    size_t n, capacity;
} traits_list;

static int32_t traits_put(traits_list *list, traits_row row)
{
    int32_t rc;

    row.name.data = cj__arena_text(&list->arena, row.name.data, row.name.n);
    row.value.data = cj__arena_text(&list->arena, row.value.data, row.value.n);
    if (row.name.data == NULL || row.value.data == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__array_grow(list->arena.allocator, (void **)&list->rows, &list->capacity,
                          list->n + 1, sizeof *list->rows, 1u << 24));
    list->rows[list->n++] = row;
out:
    return rc;
}

static int32_t traits_take(traits_list *list, const cj__query *q, uint32_t node)
{
    traits_row row = {.time_ms = cj__query_get_int64(q, 1),
                      .node = node,
                      .value = cj__query_get_text(q, 3)};
    const uint32_t name = (uint32_t)cj__query_get_int64(q, 0);
    const uint32_t source = (uint32_t)cj__query_get_int64(q, 2);
    int32_t rc;

    CJ_TRY(cj__reader_term(list->reader, name, &row.name));
    CJ_TRY(cj__reader_term(list->reader, source, &row.source));
    CJ_TRY(traits_put(list, row));
out:
    return rc;
}

static int32_t traits_score(void *user, const cj__told *told)
{
    traits_list *list = user;
    traits_row row = {.time_ms = told->time_ms,
                      .node = told->node,
                      .is_score = 1,
                      .name = told->name,
                      .source = cj__text_of(CJ__SCORE_SOURCE)};
    int32_t rc;

    if (told->time_ms > list->as_of_ms)
        return CJ_OK;
    cj__str_clear(&list->text);
    cj__score_text(&list->text, told->number, told->value,
                   cj__reader_db(list->reader)->currency_exponent);
    CJ_TRY(cj__str_status(&list->text));
    row.value = (cj__text){list->text.data, list->text.n};
    CJ_TRY(traits_put(list, row));
out:
    return rc;
}

static int32_t traits_of_node(traits_list *list, uint32_t node)
{
    cj__conn *conn = cj__reader_conn(list->reader);
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_TRAIT_OF_NODE, &q));
    cj__query_int64(&q, 1, node);
    cj__query_int64(&q, 2, list->as_of_ms);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(traits_take(list, &q, node));
    }
    CJ_TRY(
        cj__scores_told(cj__reader_db(list->reader), conn, node, traits_score, list));
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
    if (x->node != y->node)
        return x->node > y->node ? -1 : 1;
    return y->is_score - x->is_score;
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
    traits_list list = {.as_of_ms = as_of_ms};
    cj_table *t = NULL;
    uint32_t *nodes;
    size_t n;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&list.arena, &db->cx.allocator);
    cj__str_init(&list.text, &db->cx.allocator, CJ__MAX_NAME);
    CJ_TRY(cj__reader_open(db, &list.reader));
    CJ_TRY(cj__profile_nodes(cj__reader_conn(list.reader), profile, &list.arena, &nodes,
                             &n));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(traits_of_node(&list, nodes[i]));
    if (list.n > 0)
        qsort(list.rows, list.n, sizeof *list.rows, traits_order);
    CJ_TRY(cj__table_new(&db->cx.allocator, "name:t value:t source:t time_ms:i", &t));
    traits_rows(&list, t);
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__free(&db->cx.allocator, list.rows, list.capacity * sizeof *list.rows);
    cj__str_end(&list.text);
    cj__arena_end(&list.arena);
    cj__reader_end(list.reader);
    return rc;
}
