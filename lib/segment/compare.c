/* Comparing two segments: one walk over everybody; of each profile that is in one of
 * them what it has is added to shared counts.  Sums come out the same in any order, and
 * what is new is known by its key, so the number of threads makes no difference. */
#include "segment/compare.h"
#include "segment/segment.h"

#include <stdio.h>
#include <string.h>

#define COMPARE_ROWS 50
#define COMPARE_COLUMNS                                                                \
    (CJ__COL_TIME | CJ__COL_NAME | CJ__COL_CHANNEL | CJ__COL_CAMPAIGN | CJ__COL_PRODUCT)

/* ---- counting
 * --------------------------------------------------------------------------------- */

static int32_t compare_new(cj__compare *c, cj__mark mark, uint32_t *id_out)
{
    cj__mark_count count = {.mark = mark};
    int32_t rc;

    *id_out = 0;
    if (mark.dimension >= CJ__COMPARE_TRAITS) {
        uint32_t *n = &c->n_values[mark.dimension - CJ__COMPARE_TRAITS];

        *n += *n <= CJ__MAX_COMPARE;
        if (*n > CJ__MAX_COMPARE)
            return CJ_OK;
    }
    if (mark.text.data != NULL) {
        count.mark.text.data = cj__arena_text(&c->arena, mark.text.data, mark.text.n);
        if (count.mark.text.data == NULL)
            return CJ_ENOMEM;
    }
    CJ_TRY(cj__array_grow(&c->db->cx.allocator, (void **)&c->counts, &c->capacity,
                          c->n_counts + 1, sizeof count, CJ__MAX_COMPARE_ROWS));
    mark.key.id = (uint32_t)c->n_counts + 1;
    CJ_TRY(cj__keys_put(&c->keys, mark.key));
    c->counts[c->n_counts++] = count;
    *id_out = mark.key.id;
out:
    return rc;
}

static int32_t compare_add(cj__compare *c, const cj__marks *m, uint32_t in)
{
    int32_t rc = CJ_OK;

    for (int side = 0; side < 2; side++)
        c->n[side] += in >> side & 1;
    for (size_t i = 0; i < m->n; i++) {
        uint32_t id = cj__keys_get(&c->keys, m->all[i].key);

        if (id == 0)
            CJ_TRY(compare_new(c, m->all[i], &id));
        for (int side = 0; side < 2 && id != 0; side++)
            c->counts[id - 1].n[side] += in >> side & 1;
    }
out:
    return rc;
}

static int32_t compare_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    cj__compare *c = e->user;
    cj__marks m = {0};
    cj__answer answer;
    uint32_t in = 0;
    int32_t rc;

    cj__arena_init(&m.arena, &c->db->cx.allocator);
    for (uint32_t side = 0; side < 2; side++) {
        CJ_TRY(cj__runner_answer(r, c->items[side], e->now_ms, &answer));
        in |= (uint32_t)(answer.truth == CJ__TRUE) << side;
    }
    if (in == 0)
        goto out;
    CJ_TRY(cj__compare_marks(c, r, e->now_ms, &m));
    CJ_TRY(cj__compare_numbers(c, r, e->now_ms, in, partial));
    (void)pthread_mutex_lock(&c->lock);
    rc = compare_add(c, &m, in);
    (void)pthread_mutex_unlock(&c->lock);
out:
    cj__free(&c->db->cx.allocator, m.all, m.capacity * sizeof *m.all);
    cj__arena_end(&m.arena);
    return rc;
}

/* ---- beginning and end
 * ------------------------------------------------------------------------ */

static int32_t compare_traits(cj__ask *a, cj__compare *c)
{
    size_t capacity = 0;
    cj__text *names = NULL;
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(a->set.conn, STMT_TERM_SPACE, &q));
    cj__query_int64(&q, 1, CJ__SPACE_TRAIT);
    for (;;) {
        cj__text name;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__array_grow(&c->db->cx.allocator, (void **)&names, &capacity,
                              c->n_traits + 1, sizeof *names, CJ__MAX_COMPARE_ROWS));
        name = cj__query_get_text(&q, 0);
        name.data = cj__arena_text(&c->arena, name.data, name.n);
        if (name.data == NULL)
            CJ_TRY(CJ_ENOMEM);
        names[c->n_traits++] = name;
    }
    c->traits = cj__arena_alloc(&c->arena, (c->n_traits + 1) * sizeof *names);
    c->n_values = cj__arena_alloc(&c->arena, (c->n_traits + 1) * sizeof *c->n_values);
    if (c->traits == NULL || c->n_values == NULL)
        CJ_TRY(CJ_ENOMEM);
    memset(c->n_values, 0, (c->n_traits + 1) * sizeof *c->n_values);
    if (c->n_traits > 0)
        memcpy(c->traits, names, c->n_traits * sizeof *names);
out:
    cj__query_end(&q);
    cj__free(&c->db->cx.allocator, names, capacity * sizeof *names);
    return rc;
}

/* Values are known of or missing: as a condition they parse. */
static int32_t compare_kpis(cj__ask *a, cj__compare *c)
{
    const cj__text nameless = {NULL, 0};
    char text[80];
    int32_t rc = CJ_OK;

    for (int i = 0; i < CJ__COMPARE_KPIS; i++) {
        (void)snprintf(text, sizeof text, "%s%s", cj__compare_kpis[i].text,
                       cj__compare_kpis[i].type == CJ__TYPE_BOOLEAN ? ""
                                                                    : " is missing");
        CJ_TRY(cj__set_add(&a->set, nameless, cj__text_of(text), &c->kpis[i]));
    }
out:
    return rc;
}

static int32_t compare_begin(cj__compare *c, cj__ask *a, const char *one,
                             const char *other)
{
    int32_t rc;

    CJ_TRY(cj__ask_source(a, one, &c->items[0]));
    CJ_TRY(cj__ask_source(a, other, &c->items[1]));
    CJ_TRY(compare_kpis(a, c));
    CJ_TRY(compare_traits(a, c));
out:
    return rc;
}

static void compare_end(cj__compare *c)
{
    cj__free(&c->db->cx.allocator, c->counts, c->capacity * sizeof *c->counts);
    cj__keys_end(&c->keys);
    cj__arena_end(&c->arena);
    (void)pthread_mutex_destroy(&c->lock);
}

int32_t cj__segment_compare(cj_db *db, const char *const sources[2], int64_t limit,
                            const cj_segment_options *opts, cj_table **out)
{
    cj__compare c = {.db = db, .secret = cj__random_seed()};
    cj__ask ask = {0};
    cj__everyone e = {0};
    int32_t rc;

    (void)pthread_mutex_init(&c.lock, NULL);
    cj__arena_init(&c.arena, &db->cx.allocator);
    cj__keys_init(&c.keys, &db->cx.allocator);
    CJ_TRY(cj__ask_options(opts));
    if (limit < 0)
        CJ_TRY(
            cj__fail(CJ_EINVAL, "limit must be positive, or 0 for %d", COMPARE_ROWS));
    CJ_TRY(cj__ask_open(db, &ask));
    CJ_TRY(compare_begin(&c, &ask, sources[0], sources[1]));
    cj__ask_everyone(&ask, opts, &c, &e);
    e.visit = compare_visit;
    e.momentary = 1;
    e.columns = COMPARE_COLUMNS;
    e.traits = c.traits;
    e.n_traits = c.n_traits;
    CJ_TRY(cj__everyone_run(&e));
    CJ_TRY(cj__compare_table(&c, ask.reader, &e.partial,
                             limit == 0 ? COMPARE_ROWS : limit, out));
out:
    cj__str_end(&e.partial);
    cj__ask_close(&ask);
    compare_end(&c);
    return rc;
}
