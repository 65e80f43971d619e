/* The live segments that a handle follows: their definitions, programs, and who reads
 * what, so that an event is shown to those alone that it can change.  Read again when
 * the file's count of definitions (meta, segments_version) is another. */
#include "segment/live.h"

#include "segment/program.h"

#include <stdlib.h>
#include <string.h>

#define LIVE_USES (1u << 26)

/* ---- texts
 * -------------------------------------------------------------------------------- */

int32_t cj__live_term(struct cj__live *l, uint32_t id, cj__text *out)
{
    uint64_t at;
    cj__text *kept;
    int32_t rc = CJ_OK;

    *out = (cj__text){NULL, 0};
    if (cj__map_get(&l->terms, id, &at)) {
        *out = *(const cj__text *)(uintptr_t)at;
        return CJ_OK;
    }
    kept = cj__arena_alloc(&l->texts, sizeof *kept);
    if (kept == NULL)
        return CJ_ENOMEM;
    CJ_TRY(cj__term_read(l->db, id, &l->texts, kept));
    if (kept->data == NULL)
        return CJ_OK;
    CJ_TRY(cj__map_put(&l->terms, id, (uint64_t)(uintptr_t)kept));
    *out = *kept;
out:
    return rc;
}

static int32_t live_term_id(void *user, int space, cj__text text, uint32_t *id_out)
{
    const struct cj__live *l = user;

    return cj__term_find(l->db, space, text, id_out);
}

static int32_t live_term_text(void *user, uint32_t id, cj__text *out)
{
    return cj__live_term(user, id, out);
}

/* ---- who reads what
 * --------------------------------------------------------------------- */

static int live_use_order(const void *a, const void *b)
{
    const cj__live_use *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int32_t live_use(struct cj__live *l, cj__live_uses *uses, uint32_t key,
                        size_t at)
{
    int32_t rc = cj__array_grow(l->allocator, (void **)&uses->all, &uses->capacity,
                                uses->n + 1, sizeof *uses->all, LIVE_USES);

    if (rc == CJ_OK)
        uses->all[uses->n++] = (cj__live_use){key, (uint32_t)at};
    return rc;
}

static void live_uses_sort(cj__live_uses *uses)
{
    size_t n = 0;

    if (uses->n > 0)
        qsort(uses->all, uses->n, sizeof *uses->all, live_use_order);
    for (size_t i = 0; i < uses->n; i++) {
        if (i == 0 || live_use_order(&uses->all[i], &uses->all[n - 1]) != 0)
            uses->all[n++] = uses->all[i];
    }
    uses->n = n;
}

static int live_text_order(const void *a, const void *b)
{
    return cj__text_order(*(const cj__text *)a, *(const cj__text *)b, 0);
}

int64_t cj__live_trait_place(const struct cj__live *l, cj__text name)
{
    const cj__text *found = l->n_trait_names == 0
                                ? NULL
                                : bsearch(&name, l->trait_names, l->n_trait_names,
                                          sizeof name, live_text_order);

    return found == NULL ? -1 : found - l->trait_names;
}

/* The events and traits that one program reads are read by segment `at`. */
static int32_t live_use_program(struct cj__live *l, const cj__program *p, size_t at)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n_selectors; i++) {
        const cj__selector *s = &p->selectors[i];

        if (s->pick == CJ__PICK_NAMES && s->n_names == 0)
            l->any[at] = 1;
        if (s->pick != CJ__PICK_NAMES)
            CJ_TRY(live_use(l, &l->names, CJ__NAME_ORDER, at));
        if (s->pick == CJ__PICK_REFUNDS)
            CJ_TRY(live_use(l, &l->names, CJ__NAME_REFUND, at));
        for (uint32_t k = 0; s->pick == CJ__PICK_NAMES && k < s->n_names; k++) {
            if (s->names[k] != 0) /* 0: no event ever had it */
                CJ_TRY(live_use(l, &l->names, s->names[k], at));
        }
    }
    if (p->columns != 0 && p->n_selectors == 0)
        l->any[at] = 1;
    for (size_t i = 0; i < p->n_traits; i++)
        CJ_TRY(live_use(l, &l->traits,
                        (uint32_t)cj__live_trait_place(l, p->traits[i].name), at));
out:
    return rc;
}

/* Marks the items that an item leads to; they come before it. */
static void live_closure(const struct cj__live *l, uint32_t item, uint8_t *marks)
{
    memset(marks, 0, l->set.n);
    marks[item] = 1;
    for (size_t i = (size_t)item + 1; i-- > 0;) {
        const cj__runner_item *of = &l->runner->items[i];

        for (size_t k = 0; marks[i] && k < of->n_refs; k++) {
            if (of->refs[k] >= 0)
                marks[of->refs[k]] = 1;
        }
    }
}

static int32_t live_uses(struct cj__live *l)
{
    uint8_t *marks = cj__arena_alloc(&l->scratch, l->set.n + 1);
    int32_t rc = CJ_OK;

    if (marks == NULL)
        return CJ_ENOMEM;
    l->names.n = l->traits.n = 0;
    memset(l->any, 0, l->n);
    for (size_t at = 0; at < l->n; at++) {
        live_closure(l, l->items[at], marks);
        for (size_t i = 0; i < l->set.n; i++) {
            if (marks[i])
                CJ_TRY(live_use_program(l, l->runner->items[i].program, at));
        }
    }
    live_uses_sort(&l->names);
    live_uses_sort(&l->traits);
out:
    return rc;
}

int cj__live_leads(const struct cj__live *l, size_t at, cj__text name)
{
    const int64_t item = cj__set_item_named(&l->set, name);
    const int64_t list = cj__set_list_named(&l->set, name);
    uint8_t marks[CJ__MAX_LIVE];
    int found = 0;

    if (l->set.n > sizeof marks)
        return 1;
    live_closure(l, l->items[at], marks);
    for (size_t i = 0; i < l->set.n; i++) {
        const cj__runner_item *of = &l->runner->items[i];

        found |= marks[i] && (int64_t)i == item;
        for (size_t k = 0; marks[i] && list >= 0 && k < of->n_refs; k++)
            found |= of->refs[k] == ~(int32_t)list;
    }
    return found;
}

/* ---- loading
 * ----------------------------------------------------------------------------- */

static int32_t live_names(struct cj__live *l)
{
    cj__text *names;
    size_t n, kept = 0;
    int32_t rc;

    CJ_TRY(cj__runner_traits(l->runner, &l->defined, &names, &n));
    if (n > 0)
        qsort(names, n, sizeof *names, live_text_order);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !cj__text_equal(names[i], names[kept - 1]))
            names[kept++] = names[i];
    }
    l->trait_names = names;
    l->n_trait_names = kept;
out:
    return rc;
}

static int32_t live_list(struct cj__live *l, cj__live_list *list, int64_t id)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(l->db), STMT_LIST_NODES, &q));
    cj__query_int64(&q, 1, id);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__map_put(&list->nodes, (uint64_t)cj__query_get_int64(&q, 0), 1));
    }
out:
    cj__query_end(&q);
    return rc;
}

static int32_t live_lists(struct cj__live *l)
{
    const size_t n = l->set.n_lists;
    int32_t rc = CJ_OK;

    l->lists = cj__arena_alloc(&l->defined, (n + 1) * sizeof *l->lists);
    l->known_on = cj__arena_alloc(&l->defined, n + 1);
    l->known_lists = cj__arena_alloc(&l->defined, (n + 1) * sizeof *l->known_lists);
    if (l->lists == NULL || l->known_on == NULL || l->known_lists == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        cj__map_init(&l->lists[i].nodes, l->allocator);
        l->known_lists[i] = &l->known_on[i];
        l->n_lists = i + 1;
        CJ_TRY(live_list(l, &l->lists[i], l->set.lists[i].id));
    }
out:
    return rc;
}

static int live_by_id(const void *a, const void *b)
{
    const cj__definition *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int32_t live_definitions(struct cj__live *l)
{
    cj__definition *all;
    size_t n;
    int32_t rc;

    CJ_TRY(cj__definitions(cj__writer(l->db), &l->defined, &all, &n));
    if (n > 0)
        qsort(all, n, sizeof *all, live_by_id);
    l->ids = cj__arena_alloc(&l->defined, (n + 1) * sizeof *l->ids);
    l->items = cj__arena_alloc(&l->defined, (n + 1) * sizeof *l->items);
    l->any = cj__arena_alloc(&l->defined, n + 1);
    l->need = cj__arena_alloc(&l->defined, n + 1);
    if (l->ids == NULL || l->items == NULL || l->any == NULL || l->need == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!all[i].live)
            continue;
        CJ_TRY(cj__set_add_named(&l->set, all[i].name, &l->items[l->n]));
        l->ids[l->n++] = all[i].id;
    }
out:
    return rc;
}

static int32_t live_load(struct cj__live *l)
{
    const cj__eval_env env = {.zone = l->db->zone,
                              .currency_exponent = l->db->currency_exponent,
                              .user = l,
                              .term_id = live_term_id,
                              .term_text = live_term_text};
    cj__needs needs;
    int32_t rc;

    cj__set_begin(&l->set, l->db, cj__writer(l->db));
    CJ_TRY(live_definitions(l));
    CJ_TRY(cj__runner_new(&l->set, &env, &l->runner));
    CJ_TRY(live_names(l));
    CJ_TRY(live_lists(l));
    CJ_TRY(live_uses(l));
    cj__runner_needs(l->runner, 0, &needs);
    l->columns_read = needs.columns;
    cj__frame_init(&l->rows, l->allocator, needs.columns | CJ__COL_NAME);
    l->terms_made = cj__terms_made(l->db);
out:
    return rc;
}

void cj__live_unload(struct cj__live *l)
{
    cj__live_cool(l, 0);
    cj__live_tail_end(l);
    cj__runner_end(l->runner);
    l->runner = NULL;
    cj__set_end(&l->set);
    for (size_t i = 0; i < l->n_lists; i++)
        cj__map_end(&l->lists[i].nodes);
    if (l->rows.allocator != NULL)
        cj__frame_end(&l->rows);
    cj__free(l->allocator, l->names.all, l->names.capacity * sizeof *l->names.all);
    cj__free(l->allocator, l->traits.all, l->traits.capacity * sizeof *l->traits.all);
    memset(&l->names, 0, sizeof l->names);
    memset(&l->traits, 0, sizeof l->traits);
    cj__map_clear(&l->terms);
    cj__arena_end(&l->texts);
    cj__arena_end(&l->defined);
    cj__arena_init(&l->texts, l->allocator);
    cj__arena_init(&l->defined, l->allocator);
    l->n = l->n_lists = l->n_trait_names = 0;
    l->is_loaded = 0;
}

int32_t cj__live_refresh(struct cj__live *l)
{
    int32_t rc = CJ_OK;

    if (l->terms_made == cj__terms_made(l->db))
        return CJ_OK;
    for (size_t i = 0; i < l->set.n; i++)
        CJ_TRY(cj__program_refresh(l->runner->items[i].program));
    CJ_TRY(live_uses(l));
    l->terms_made = cj__terms_made(l->db);
out:
    return rc;
}

/* Another process, or a transaction that was rolled back, may have changed anything. */
static int32_t live_catch_up(struct cj__live *l)
{
    int64_t version;
    int32_t rc;

    CJ_TRY(cj__meta_get(cj__writer(l->db), "segments_version", 0, &version));
    CJ_TRY(cj__meta_get(cj__writer(l->db), "segments_now_ms", INT64_MIN, &l->now_ms));
    if (l->is_loaded && version == l->version) {
        cj__live_cool(l, 0);
        l->has_tail = l->has_shared = 0;
        l->terms_made = UINT64_MAX; /* refresh */
    } else {
        cj__live_unload(l);
        CJ_TRY(live_load(l));
        l->version = version;
        l->is_loaded = 1;
    }
out:
    if (rc != CJ_OK)
        cj__live_unload(l);
    return rc;
}

int32_t cj__live_sync(struct cj__live *l, int *active_out)
{
    const uint64_t generation = cj__write_generation(l->db);
    int32_t rc = CJ_OK;

    if (!l->is_synced || l->generation != generation) {
        CJ_TRY(live_catch_up(l));
        l->generation = generation;
        l->is_synced = 1;
    }
    *active_out = l->n > 0;
out:
    return rc;
}

int32_t cj__live_changed(struct cj__live *l)
{
    int64_t version;
    int32_t rc;

    CJ_TRY(cj__meta_get(cj__writer(l->db), "segments_version", 0, &version));
    CJ_TRY(cj__meta_set(cj__writer(l->db), "segments_version", version + 1));
    l->is_synced = 0;
out:
    return rc;
}
