/* Hot profiles: events as columns, traits, identifiers and states of those that were
 * looked at last, so that an event costs no read.  Bounded by CJ__LIVE_CACHE. */
#include "segment/live.h"

#include "segment/program.h"

#include <string.h>

#define PERSON_MAX ((size_t)UINT32_MAX - 1)

/* ---- order of use
 * ----------------------------------------------------------------------- */

static void person_unlink(struct cj__live *l, cj__live_person *p)
{
    *(p->newer != NULL ? &p->newer->older : &l->newest) = p->older;
    *(p->older != NULL ? &p->older->newer : &l->oldest) = p->newer;
    p->newer = p->older = NULL;
}

static void person_link(struct cj__live *l, cj__live_person *p)
{
    p->older = l->newest;
    *(l->newest != NULL ? &l->newest->newer : &l->oldest) = p;
    l->newest = p;
}

cj__live_person *cj__live_hot(struct cj__live *l, uint32_t profile)
{
    cj__live_person *p;
    uint64_t at;

    if (!cj__map_get(&l->persons, profile, &at) || at == 0)
        return NULL;
    p = (cj__live_person *)(uintptr_t)at;
    if (l->newest != p) {
        person_unlink(l, p);
        person_link(l, p);
    }
    return p;
}

/* ---- beginning and end
 * -------------------------------------------------------------------- */

int32_t cj__live_person_new(struct cj__live *l, uint32_t profile, cj__live_person **out)
{
    cj__live_person *p = cj__alloc_zero(l->allocator, sizeof *p);
    int32_t rc = CJ_OK;

    *out = NULL;
    if (p == NULL)
        return CJ_ENOMEM;
    p->profile = profile;
    p->next_ms = INT64_MAX;
    cj__frame_init(&p->events, l->allocator, l->rows.columns);
    p->states = cj__alloc_zero(l->allocator, (l->n + 1) * sizeof *p->states);
    if (p->states == NULL)
        rc = CJ_ENOMEM;
    else
        rc = cj__map_put(&l->persons, profile, (uint64_t)(uintptr_t)p);
    if (rc != CJ_OK) {
        cj__free(l->allocator, p->states, (l->n + 1) * sizeof *p->states);
        cj__free(l->allocator, p, sizeof *p);
        return rc;
    }
    for (size_t i = 0; i < l->n; i++)
        p->states[i].until_ms = INT64_MAX;
    person_link(l, p);
    *out = p;
    return CJ_OK;
}

/* A map forgets nothing: the key stays with 0. */
void cj__live_person_drop(struct cj__live *l, cj__live_person *p)
{
    (void)cj__map_put(&l->persons, p->profile, 0); /* it is there: no memory is asked */
    person_unlink(l, p);
    l->bytes -= p->bytes;
    for (size_t i = 0; i < p->n_traits; i++)
        cj__free(l->allocator, (void *)(uintptr_t)p->traits[i].value.data,
                 p->traits[i].value.n + 1);
    cj__free(l->allocator, p->traits, p->traits_capacity * sizeof *p->traits);
    cj__free(l->allocator, p->trait_nodes,
             p->trait_nodes_capacity * sizeof *p->trait_nodes);
    cj__free(l->allocator, p->nodes, p->nodes_capacity * sizeof *p->nodes);
    cj__free(l->allocator, p->states, (l->n + 1) * sizeof *p->states);
    cj__frame_end(&p->events);
    cj__free(l->allocator, p, sizeof *p);
}

void cj__live_cool(struct cj__live *l, int64_t bytes)
{
    while (l->oldest != NULL && (l->bytes > bytes || bytes == 0))
        cj__live_person_drop(l, l->oldest);
    if (l->oldest != NULL && l->persons.n < 1000000)
        return;
    cj__map_clear(&l->persons); /* of keys that stay behind; its memory is kept */
    for (cj__live_person *p = l->oldest; p != NULL; p = p->newer)
        (void)cj__map_put(&l->persons, p->profile, (uint64_t)(uintptr_t)p);
}

void cj__live_weigh(struct cj__live *l, cj__live_person *p)
{
    int64_t bytes = (int64_t)sizeof *p + 32;

    bytes += (int64_t)((l->n + 1) * sizeof *p->states + p->events.bytes);
    bytes += (int64_t)(p->traits_capacity * (sizeof *p->traits + 4) +
                       p->nodes_capacity * sizeof *p->nodes);
    for (size_t i = 0; i < p->n_traits; i++)
        bytes += (int64_t)p->traits[i].value.n + 16;
    for (int64_t i = 0; p->events.properties != NULL && i < p->events.n; i++)
        bytes += (int64_t)p->events.properties[i]->n + 16;
    l->bytes += bytes - p->bytes;
    p->bytes = bytes;
}

/* ---- facts
 * -------------------------------------------------------------------------------- */

/* Where a row goes: behind those of its time and node, which came before. */
static int64_t person_place(const cj__frame *f, int64_t time_ms, uint32_t node)
{
    const int64_t *time = f->i64[CJ__FRAME_TIME];
    const uint32_t *nodes = f->u32[CJ__FRAME_NODE];
    int64_t lo = 0, n = f->n;

    if (n > 0 &&
        (time[n - 1] < time_ms || (time[n - 1] == time_ms && nodes[n - 1] <= node)))
        return n;
    while (n > 0) {
        const int64_t half = n / 2, at = lo + half;

        if (time[at] < time_ms || (time[at] == time_ms && nodes[at] <= node)) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

int32_t cj__live_put_row(cj__live_person *p, const cj__frame *from, int64_t row)
{
    cj__frame *f = &p->events;
    const uint32_t pick = (uint32_t)row;
    int32_t rc = cj__frame_reserve(f, f->n + 1);
    int64_t at;

    if (rc != CJ_OK)
        return rc;
    at =
        person_place(f, from->i64[CJ__FRAME_TIME][row], from->u32[CJ__FRAME_NODE][row]);
    cj__frame_move(f, at + 1, f, at, f->n - at);
    cj__frame_take(f, at, from, &pick, 1);
    f->n++;
    return cj__frame_own(f, at, 1);
}

static int person_trait_order(const cj__live_person *p, size_t at, uint32_t node,
                              const cj__fact_trait *t)
{
    const cj__fact_trait *has = &p->traits[at];
    const int order = cj__text_order(has->name, t->name, 0);

    if (order != 0)
        return order;
    if (has->time_ms != t->time_ms)
        return has->time_ms < t->time_ms ? -1 : 1;
    return p->trait_nodes[at] < node ? -1 : p->trait_nodes[at] > node;
}

static int32_t person_trait_room(struct cj__live *l, cj__live_person *p)
{
    int32_t rc;

    CJ_TRY(cj__array_grow(l->allocator, (void **)&p->traits, &p->traits_capacity,
                          p->n_traits + 1, sizeof *p->traits, PERSON_MAX));
    CJ_TRY(cj__array_grow(l->allocator, (void **)&p->trait_nodes,
                          &p->trait_nodes_capacity, p->n_traits + 1,
                          sizeof *p->trait_nodes, PERSON_MAX));
out:
    return rc;
}

/* A node's trait at a time is told once more: the later telling counts. */
int32_t cj__live_put_trait(struct cj__live *l, cj__live_person *p, uint32_t node,
                           const cj__fact_trait *trait)
{
    size_t at = p->n_traits;
    char *value = cj__alloc(l->allocator, trait->value.n + 1);
    cj__fact_trait kept = *trait;
    int order = -1;
    int32_t rc = CJ_OK;

    if (value == NULL)
        return CJ_ENOMEM;
    memcpy(value, trait->value.data, trait->value.n);
    kept.value.data = value;
    while (at > 0 && (order = person_trait_order(p, at - 1, node, trait)) > 0)
        at--;
    if (at > 0 && order == 0) {
        cj__free(l->allocator, (void *)(uintptr_t)p->traits[at - 1].value.data,
                 p->traits[at - 1].value.n + 1);
        p->traits[at - 1] = kept;
        return CJ_OK;
    }
    rc = person_trait_room(l, p);
    if (rc != CJ_OK) {
        cj__free(l->allocator, value, trait->value.n + 1);
        return rc;
    }
    memmove(p->traits + at + 1, p->traits + at, (p->n_traits - at) * sizeof kept);
    memmove(p->trait_nodes + at + 1, p->trait_nodes + at,
            (p->n_traits - at) * sizeof node);
    p->traits[at] = kept;
    p->trait_nodes[at] = node;
    p->n_traits++;
    return CJ_OK;
}

int32_t cj__live_put_node(struct cj__live *l, cj__live_person *p, cj__live_node node)
{
    int32_t rc = cj__array_grow(l->allocator, (void **)&p->nodes, &p->nodes_capacity,
                                p->n_nodes + 1, sizeof node, PERSON_MAX);

    if (rc == CJ_OK)
        p->nodes[p->n_nodes++] = node;
    return rc;
}

/* ---- showing them
 * ------------------------------------------------------------------------- */

static void person_known(struct cj__live *l, const cj__live_person *p)
{
    cj__known *k = &l->known;
    uint64_t ignored;

    memset(l->known_identifiers, 0, sizeof l->known_identifiers);
    l->known_shared = 0;
    if (l->n_lists > 0)
        memset(l->known_on, 0, l->n_lists);
    for (size_t i = 0; i < p->n_nodes; i++) {
        const cj__live_node *node = &p->nodes[i];

        l->known_identifiers[0][node->kind]++;
        l->known_identifiers[0][0]++;
        l->known_shared |= node->shared;
        for (size_t list = 0; list < l->n_lists; list++)
            l->known_on[list] |=
                (uint8_t)cj__map_get(&l->lists[list].nodes, node->node, &ignored);
    }
    l->known_starts[0] = 0;
    l->known_starts[1] = (uint32_t)p->n_traits;
    k->only = p->profile;
    k->traits = p->traits;
    k->starts = l->known_starts;
    k->identifiers = l->known_identifiers;
    k->shared = &l->known_shared;
    k->lists = l->known_lists;
}

void cj__live_turn(struct cj__live *l, const cj__live_person *p)
{
    l->columns = cj__frame_view(&p->events, 0);
    l->columns.n = p->events.n;
    person_known(l, p);
    cj__runner_turn(l->runner, &l->known, p->profile, &l->columns, 0, p->events.n);
}
