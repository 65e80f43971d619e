/* Before a commit: what the transaction told becomes facts of hot profiles, and each
 * profile that it touches is looked at.  First with the facts as they were, for what
 * was due by then; after that with the new ones, at the first moment at which they all
 * count (a fact at t counts from t + 1 on). */
#include "segment/live.h"

#include "identity/identity.h"

#include <stdlib.h>
#include <string.h>

#define COMMIT_TOUCHES (1u << 28)

/* ---- who is touched
 * ----------------------------------------------------------------------- */

static int32_t commit_touch(struct cj__live *l, uint32_t profile, cj__live_touch **out)
{
    uint64_t at;
    int32_t rc = CJ_OK;

    if (!cj__map_get(&l->touch_at, profile, &at)) {
        CJ_TRY(cj__array_grow(l->allocator, (void **)&l->touches, &l->touches_capacity,
                              l->n_touches + 1, sizeof *l->touches, COMMIT_TOUCHES));
        at = l->n_touches;
        CJ_TRY(cj__map_put(&l->touch_at, profile, at));
        l->touches[at] = (cj__live_touch){.profile = profile};
        l->n_touches++;
    }
    *out = &l->touches[at];
out:
    return rc;
}

static int32_t commit_now(struct cj__live *l, uint32_t node, uint32_t *profile_out)
{
    cj__node now;
    int32_t rc = cj__node_get(l->db, node, &now);

    *profile_out = now.profile;
    return rc;
}

/* The profiles of a node: the one it is of, and the one it was of. */
static int32_t commit_node(struct cj__live *l, uint32_t node)
{
    uint32_t before, now;
    cj__live_touch *t;
    int32_t rc;

    CJ_TRY(commit_now(l, node, &now));
    CJ_TRY(commit_touch(l, now, &t));
    if (l->n_movers == 0)
        return CJ_OK;
    CJ_TRY(cj__live_before(l, node, &before));
    if (before != 0 && before != now)
        CJ_TRY(commit_touch(l, before, &t));
out:
    return rc;
}

static int32_t commit_mover(struct cj__live *l, uint32_t node)
{
    uint32_t before, now;
    cj__live_touch *t;
    int32_t rc;

    CJ_TRY(cj__live_before(l, node, &before));
    CJ_TRY(commit_now(l, node, &now));
    if (before == now)
        return CJ_OK;
    CJ_TRY(commit_touch(l, now, &t));
    t->gains = 1;
    t->identity |= before != 0;
    if (before == 0)
        return CJ_OK;
    CJ_TRY(commit_touch(l, before, &t));
    t->identity = t->loses = 1;
out:
    return rc;
}

static int commit_order(const void *a, const void *b)
{
    const cj__live_touch *x = a, *y = b;

    return x->profile < y->profile ? -1 : x->profile > y->profile;
}

static int32_t commit_collect(struct cj__live *l)
{
    uint32_t last = 0, before, now;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < l->rows.n; i++) {
        if (l->rows.u32[CJ__FRAME_NODE][i] != last)
            CJ_TRY(commit_node(l, l->rows.u32[CJ__FRAME_NODE][i]));
        last = l->rows.u32[CJ__FRAME_NODE][i];
    }
    for (size_t i = 0; i < l->n_told; i++)
        CJ_TRY(commit_node(l, l->told[i].node));
    for (size_t i = 0; i < l->n_refused && l->set.reads_shared; i++)
        CJ_TRY(commit_node(l, l->refused[i]));
    for (size_t i = 0; i < l->n_movers; i++)
        CJ_TRY(commit_mover(l, l->movers[i]));
    if (l->n_touches > 1)
        qsort(l->touches, l->n_touches, sizeof *l->touches, commit_order);
    for (size_t i = 0; i < l->n_touches; i++) {
        cj__live_touch *t = &l->touches[i];

        CJ_TRY(cj__map_put(&l->touch_at, t->profile, i));
        CJ_TRY(cj__live_before(l, t->profile, &before));
        CJ_TRY(commit_now(l, t->profile, &now));
        t->existed = before == t->profile;
        t->exists = now == t->profile;
    }
out:
    return rc;
}

/* All that are touched become hot, as they were; those that are new begin empty. */
static int32_t commit_warm(struct cj__live *l)
{
    uint32_t *profiles =
        cj__arena_alloc(&l->scratch, (l->n_touches + 1) * sizeof *profiles);
    size_t n = 0;
    int32_t rc = CJ_OK;

    if (profiles == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < l->n_touches; i++) {
        if (l->touches[i].existed)
            profiles[n++] = l->touches[i].profile;
    }
    CJ_TRY(cj__live_warm(l, profiles, n));
    for (size_t i = 0; i < l->n_touches; i++) {
        cj__live_touch *t = &l->touches[i];

        if (t->existed)
            t->person = cj__live_hot(l, t->profile);
        else if (t->exists)
            CJ_TRY(cj__live_person_new(l, t->profile, &t->person));
    }
out:
    return rc;
}

/* ---- profiles that join and split
 * --------------------------------------------------------------- */

/* Where the facts of a node belong now. */
static int32_t commit_person(struct cj__live *l, uint32_t node, cj__live_person **out)
{
    cj__live_touch *t;
    uint32_t now;
    int32_t rc;

    CJ_TRY(commit_now(l, node, &now));
    CJ_TRY(commit_touch(l, now, &t));
    *out = t->person;
    if (*out == NULL)
        rc = cj__fail(CJ_ECORRUPT, "a node's profile is not what it was; run cj_check");
out:
    return rc;
}

static int32_t commit_part_rows(struct cj__live *l, cj__live_person *p)
{
    cj__frame *f = &p->events;
    uint32_t *kept = cj__arena_alloc(&l->scratch, ((size_t)f->n + 1) * sizeof *kept);
    cj__live_person *to;
    int64_t n = 0;
    int32_t rc = CJ_OK;

    if (kept == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < f->n; i++) {
        CJ_TRY(commit_person(l, f->u32[CJ__FRAME_NODE][i], &to));
        if (to == p)
            kept[n++] = (uint32_t)i;
        else
            CJ_TRY(cj__live_put_row(to, f, i));
    }
    cj__frame_take(f, 0, f, kept, n);
    f->n = n;
out:
    return rc;
}

static int32_t commit_part_traits(struct cj__live *l, cj__live_person *p)
{
    cj__live_person *to;
    size_t n = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n_traits; i++) {
        const cj__fact_trait trait = p->traits[i];
        const uint32_t node = p->trait_nodes[i];

        CJ_TRY(commit_person(l, node, &to));
        if (to != p) {
            CJ_TRY(cj__live_put_trait(l, to, node, &trait));
            cj__free(l->allocator, (void *)(uintptr_t)trait.value.data,
                     trait.value.n + 1);
            p->traits[i].value = (cj__text){NULL, 0};
            continue;
        }
        p->traits[i].value = (cj__text){NULL, 0};
        p->traits[n] = trait;
        p->trait_nodes[n++] = node;
    }
    p->n_traits = n;
out:
    return rc;
}

static int32_t commit_part_nodes(struct cj__live *l, cj__live_person *p)
{
    cj__live_person *to;
    size_t n = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n_nodes; i++) {
        const cj__live_node node = p->nodes[i];

        CJ_TRY(commit_person(l, node.node, &to));
        if (to == p)
            p->nodes[n++] = node;
        else
            CJ_TRY(cj__live_put_node(l, to, node));
    }
    p->n_nodes = n;
out:
    return rc;
}

static int32_t commit_part(struct cj__live *l)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < l->n_touches; i++) {
        cj__live_person *p = l->touches[i].person;

        if (!l->touches[i].loses || p == NULL)
            continue;
        CJ_TRY(commit_part_rows(l, p));
        CJ_TRY(commit_part_traits(l, p));
        CJ_TRY(commit_part_nodes(l, p));
    }
out:
    return rc;
}

/* Identifiers that are new, and their kinds if anybody asks. */
static int32_t commit_born(struct cj__live *l)
{
    cj__live_person *p;
    cj__query q = {0};
    uint64_t from;
    int row;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < l->n_movers; i++) {
        cj__live_node node = {.node = l->movers[i]};

        if (!cj__map_get(&l->moved, node.node, &from) || from != 0)
            continue;
        CJ_TRY(commit_person(l, node.node, &p));
        if (l->set.reads_identifiers) {
            CJ_TRY(cj__query_begin(cj__writer(l->db), STMT_IDENTIFIER_GET, &q));
            cj__query_int64(&q, 1, node.node);
            CJ_TRY(cj__query_step(&q, &row));
            node.kind = row ? (uint8_t)(cj__query_get_int64(&q, 0) & 15) : 0;
            cj__query_end(&q);
        }
        CJ_TRY(cj__live_put_node(l, p, node));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* ---- shared devices
 * ---------------------------------------------------------------------------- */

static int32_t commit_share(struct cj__live *l, uint32_t node)
{
    cj__live_person *p;
    uint32_t now;
    int32_t rc;

    CJ_TRY(commit_now(l, node, &now));
    p = cj__live_hot(l, now);
    for (size_t i = 0; p != NULL && i < p->n_nodes; i++)
        p->nodes[i].shared |= p->nodes[i].node == node;
    if (l->has_shared)
        CJ_TRY(cj__map_put(&l->shared, node, 1));
out:
    return rc;
}

/* Edges were taken out: which are refused is read again. */
static int32_t commit_share_again(struct cj__live *l)
{
    int32_t rc;

    CJ_TRY(cj__live_shared_load(l, cj__writer(l->db)));
    for (size_t i = 0; i < l->n_touches; i++) {
        const cj__live_person *p = l->touches[i].person;

        for (size_t k = 0; p != NULL && k < p->n_nodes; k++)
            p->nodes[k].shared = (uint8_t)cj__live_shares(l, p->nodes[k].node);
    }
out:
    return rc;
}

static int32_t commit_shared(struct cj__live *l)
{
    cj__live_touch *t;
    uint32_t now;
    int32_t rc = CJ_OK;

    if (!l->set.reads_shared)
        return CJ_OK;
    if (l->is_regraphed)
        CJ_TRY(commit_share_again(l));
    for (size_t i = 0; i < l->n_refused; i++) {
        if (!l->is_regraphed)
            CJ_TRY(commit_share(l, l->refused[i]));
        CJ_TRY(commit_now(l, l->refused[i], &now));
        CJ_TRY(commit_touch(l, now, &t));
        t->whole = 1;
    }
out:
    return rc;
}

/* ---- what is new
 * ------------------------------------------------------------------------------ */

static int32_t commit_need(struct cj__live *l, cj__live_touch *t,
                           const cj__live_uses *uses, uint32_t key)
{
    size_t lo = 0, n = uses->n;

    if (t->need == NULL) {
        t->need = cj__arena_alloc(&l->scratch, l->n + 1);
        if (t->need == NULL)
            return CJ_ENOMEM;
        memset(t->need, 0, l->n + 1);
    }
    while (n > 0) {
        const size_t half = n / 2;

        if (uses->all[lo + half].key < key) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    for (; lo < uses->n && uses->all[lo].key == key; lo++)
        t->need[uses->all[lo].at] = 1;
    return CJ_OK;
}

static int32_t commit_rows(struct cj__live *l)
{
    cj__live_touch *t = NULL;
    uint32_t last = 0, now;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < l->rows.n; i++) {
        const uint32_t node = l->rows.u32[CJ__FRAME_NODE][i];

        if (node != last) {
            CJ_TRY(commit_now(l, node, &now));
            CJ_TRY(commit_touch(l, now, &t));
            last = node;
        }
        CJ_TRY(cj__live_put_row(t->person, &l->rows, i));
        CJ_TRY(commit_need(l, t, &l->names, l->rows.u32[CJ__FRAME_NAME][i]));
        t->events = 1;
    }
    for (size_t i = 0; i < l->n_told; i++) {
        const cj__live_trait *told = &l->told[i];

        CJ_TRY(commit_now(l, told->node, &now));
        CJ_TRY(commit_touch(l, now, &t));
        CJ_TRY(cj__live_put_trait(l, t->person, told->node, &told->trait));
        CJ_TRY(commit_need(l, t, &l->traits,
                           (uint32_t)cj__live_trait_place(l, told->trait.name)));
    }
out:
    return rc;
}

/* ---- looking
 * ---------------------------------------------------------------------------------- */

/* The profile has become part of another. */
static int32_t commit_vanish(struct cj__live *l, cj__live_person *p, int64_t at_ms)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < l->n; i++) {
        if (p->states[i].is_in)
            CJ_TRY(cj__live_change(l, l->ids[i], p->profile, at_ms, 0,
                                   CJ__CHANGE_IDENTITY));
        p->states[i] = (cj__live_state){.until_ms = INT64_MAX};
    }
    CJ_TRY(cj__live_states_write(l, p));
    cj__live_person_drop(l, p);
out:
    return rc;
}

static int32_t commit_look(struct cj__live *l, cj__live_touch *t, int64_t at_ms)
{
    const int whole = t->identity || t->whole || !t->existed ||
                      (t->gains && (l->set.reads_identifiers || l->set.n_lists > 0));
    int32_t rc = CJ_OK;

    if (t->existed && !t->exists)
        return commit_vanish(l, t->person, at_ms);
    if (!t->exists)
        return CJ_OK;
    for (size_t i = 0; t->events && !whole && i < l->n; i++)
        t->need[i] |= l->any[i];
    CJ_TRY(cj__live_look(l, t->person, whole ? NULL : t->need, at_ms,
                         t->identity ? CJ__CHANGE_IDENTITY : CJ__CHANGE_EVENT, whole));
    cj__live_weigh(l, t->person);
out:
    return rc;
}

static int32_t commit_all(struct cj__live *l, int64_t at_ms)
{
    int32_t rc;

    CJ_TRY(cj__live_refresh(l));
    CJ_TRY(commit_collect(l));
    CJ_TRY(commit_warm(l));
    for (size_t i = 0; i < l->n_touches; i++) {
        if (l->touches[i].existed)
            CJ_TRY(cj__live_clock(l, l->touches[i].person, at_ms));
    }
    if (l->n_movers > 0) {
        CJ_TRY(commit_part(l));
        CJ_TRY(commit_born(l));
    }
    CJ_TRY(commit_shared(l));
    CJ_TRY(commit_rows(l));
    for (size_t i = 0; i < l->n_touches; i++)
        CJ_TRY(commit_look(l, &l->touches[i], at_ms));
    CJ_TRY(cj__live_tail_add(l));
out:
    return rc;
}

int32_t cj__live_commit(cj_db *db, int64_t now_ms)
{
    struct cj__live *l = db->live;

    if (!l->is_touched)
        return CJ_OK;
    return commit_all(l, now_ms + 1 > l->now_ms ? now_ms + 1 : l->now_ms);
}
