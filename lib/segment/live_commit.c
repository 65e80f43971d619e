/* Before a commit: what the transaction told becomes facts of hot profiles, and each
 * profile that it touches is looked at.  First with the facts as they were, for what
 * was due by then; after that with the new ones, at the first moment at which they all
 * count (a fact at t counts from t + 1 on). */
#include "segment/live.h"

#include <stdlib.h>
#include <string.h>

#define COMMIT_TOUCHES (1u << 28)
#define COMMIT_GROUP 4096

/* ---- who is touched
 * ----------------------------------------------------------------------- */

int32_t cj__live_touch_of(struct cj__live *l, uint32_t profile, cj__live_touch **out)
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
    CJ_TRY(cj__live_touch_of(l, now, &t));
    if (l->n_movers == 0)
        return CJ_OK;
    CJ_TRY(cj__live_before(l, node, &before));
    if (before != 0 && before != now)
        CJ_TRY(cj__live_touch_of(l, before, &t));
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
    CJ_TRY(cj__live_touch_of(l, now, &t));
    t->gains = 1;
    t->identity |= before != 0;
    if (before == 0)
        return CJ_OK;
    CJ_TRY(cj__live_touch_of(l, before, &t));
    t->identity = t->loses = 1;
out:
    return rc;
}

/* One of two who share a device. */
static int32_t commit_refused(struct cj__live *l, uint32_t node)
{
    cj__live_touch *t;
    uint32_t now;
    int32_t rc;

    CJ_TRY(commit_node(l, node));
    CJ_TRY(commit_now(l, node, &now));
    CJ_TRY(cj__live_touch_of(l, now, &t));
    t->whole = 1;
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
        CJ_TRY(commit_refused(l, l->refused[i]));
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

/* ---- what each is told
 * --------------------------------------------------------------------- */

/* Deal n things out to touches, each thing's node given: keys touch << 32 | thing, in
 * order of touches. */
typedef uint32_t (*commit_node_fn)(const struct cj__live *l, size_t i);

static uint32_t commit_node_row(const struct cj__live *l, size_t i)
{
    return l->rows.u32[CJ__FRAME_NODE][i];
}

static uint32_t commit_node_told(const struct cj__live *l, size_t i)
{
    return l->told[i].node;
}

static uint32_t commit_node_mover(const struct cj__live *l, size_t i)
{
    return l->movers[i];
}

static int32_t commit_deal_to(struct cj__live *l, int what, size_t n,
                              commit_node_fn node_of)
{
    uint64_t *keys = cj__arena_alloc(&l->scratch, (2 * n + 1) * sizeof *keys), at = 0;
    uint32_t last = 0, now;
    int32_t rc = CJ_OK;

    if (keys == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const uint32_t node = node_of(l, i);

        if (node != last) {
            CJ_TRY(commit_now(l, node, &now));
            if (!cj__map_get(&l->touch_at, now, &at))
                return cj__fail(CJ_ECORRUPT, "a profile was not noticed; run cj_check");
            last = node;
        }
        keys[i] = at << 32 | i;
    }
    cj__sort_pairs(keys, keys + n, (int64_t)n, (uint32_t)l->n_touches);
    for (size_t i = 0, end; i < n; i = end) {
        cj__live_touch *t = &l->touches[keys[i] >> 32];

        for (end = i + 1; end < n && keys[end] >> 32 == keys[i] >> 32;)
            end++;
        t->things[what] = keys + i;
        t->n_things[what] = (uint32_t)(end - i);
    }
out:
    return rc;
}

/* A mover that stays where it was is in no touched profile, perhaps: only those that
 * are new are dealt out. */
static int32_t commit_deal(struct cj__live *l)
{
    size_t n = 0;
    uint64_t from;
    int32_t rc;

    CJ_TRY(commit_deal_to(l, CJ__LIVE_ROWS, (size_t)l->rows.n, commit_node_row));
    CJ_TRY(commit_deal_to(l, CJ__LIVE_TOLD, l->n_told, commit_node_told));
    for (size_t i = 0; i < l->n_movers; i++) {
        const uint32_t node = l->movers[i];

        if (cj__map_get(&l->moved, node, &from) && from == 0) {
            l->movers[i] = l->movers[n];
            l->movers[n++] = node;
        }
    }
    CJ_TRY(commit_deal_to(l, CJ__LIVE_BORN, n, commit_node_mover));
out:
    return rc;
}

/* An identifier that is new, and its kind if anybody asks. */
static int32_t commit_born(struct cj__live *l, cj__live_person *p, uint32_t node)
{
    cj__live_node entry = {.node = node};
    cj__query q = {0};
    int row;
    int32_t rc = CJ_OK;

    if (l->set.reads_identifiers) {
        CJ_TRY(cj__query_begin(cj__writer(l->db), STMT_IDENTIFIER_GET, &q));
        cj__query_int64(&q, 1, node);
        CJ_TRY(cj__query_step(&q, &row));
        entry.kind = row ? (uint8_t)(cj__query_get_int64(&q, 0) & 15) : 0;
    }
    CJ_TRY(cj__live_put_node(l, p, entry));
out:
    cj__query_end(&q);
    return rc;
}

/* Segments that read events of a name, or a trait. */
static void commit_need(struct cj__live *l, const cj__live_uses *uses, uint32_t key)
{
    size_t lo = 0, n = uses->n;

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
        l->need[uses->all[lo].at] = 1;
}

static int32_t commit_facts(struct cj__live *l, const cj__live_touch *t)
{
    int32_t rc = CJ_OK;

    for (uint32_t i = 0; i < t->n_things[CJ__LIVE_BORN]; i++)
        CJ_TRY(commit_born(l, t->person,
                           l->movers[(uint32_t)t->things[CJ__LIVE_BORN][i]]));
    for (uint32_t i = 0; i < t->n_things[CJ__LIVE_ROWS]; i++)
        CJ_TRY(cj__live_put_row(t->person, &l->rows,
                                (uint32_t)t->things[CJ__LIVE_ROWS][i]));
    for (uint32_t i = 0; i < t->n_things[CJ__LIVE_TOLD]; i++) {
        const cj__live_trait *told = &l->told[(uint32_t)t->things[CJ__LIVE_TOLD][i]];

        CJ_TRY(cj__live_put_trait(l, t->person, told->node, &told->trait));
    }
out:
    return rc;
}

/* Which segments what is new can change. */
static void commit_needs(struct cj__live *l, const cj__live_touch *t)
{
    uint32_t last = 0;

    if (t->n_things[CJ__LIVE_ROWS] > 0)
        memcpy(l->need, l->any, l->n);
    else
        memset(l->need, 0, l->n);
    for (uint32_t i = 0; i < t->n_things[CJ__LIVE_ROWS]; i++) {
        const uint32_t row = (uint32_t)t->things[CJ__LIVE_ROWS][i];
        const uint32_t name = l->rows.u32[CJ__FRAME_NAME][row];

        if (name != last)
            commit_need(l, &l->names, name);
        last = name;
    }
    for (uint32_t i = 0; i < t->n_things[CJ__LIVE_TOLD]; i++) {
        const cj__live_trait *told = &l->told[(uint32_t)t->things[CJ__LIVE_TOLD][i]];

        commit_need(l, &l->traits, (uint32_t)cj__live_trait_place(l, told->trait.name));
    }
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
    if (!whole)
        commit_needs(l, t);
    CJ_TRY(cj__live_look(l, t->person, l->need, at_ms,
                         t->identity ? CJ__CHANGE_IDENTITY : CJ__CHANGE_EVENT, whole));
    cj__live_weigh(l, t->person);
out:
    return rc;
}

/* ---- groups: as many profiles as may be hot at once
 * ---------------------------------------- */

/* Those of a group become hot, as they were; those that are new begin empty. */
static int32_t commit_warm(struct cj__live *l, const uint32_t *group, size_t n)
{
    uint32_t *profiles = cj__arena_alloc(&l->scratch, (n + 1) * sizeof *profiles);
    size_t n_cold = 0;
    int32_t rc = CJ_OK;

    if (profiles == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (l->touches[group[i]].existed)
            profiles[n_cold++] = l->touches[group[i]].profile;
    }
    CJ_TRY(cj__live_warm(l, profiles, n_cold));
    for (size_t i = 0; i < n; i++) {
        cj__live_touch *t = &l->touches[group[i]];

        if (t->existed)
            t->person = cj__live_hot(l, t->profile);
        else if (t->exists)
            CJ_TRY(cj__live_person_new(l, t->profile, &t->person));
    }
out:
    return rc;
}

static int32_t commit_group(struct cj__live *l, const uint32_t *group, size_t n,
                            int64_t at_ms, int is_first)
{
    int32_t rc;

    CJ_TRY(commit_warm(l, group, n));
    for (size_t i = 0; i < n; i++) {
        if (l->touches[group[i]].existed)
            CJ_TRY(cj__live_clock(l, l->touches[group[i]].person, at_ms));
    }
    if (is_first && l->n_movers > 0)
        CJ_TRY(cj__live_part(l));
    for (size_t i = 0; i < n; i++) {
        if (l->touches[group[i]].exists)
            CJ_TRY(commit_facts(l, &l->touches[group[i]]));
    }
    if (is_first)
        CJ_TRY(cj__live_reshare(l));
    for (size_t i = 0; i < n; i++)
        CJ_TRY(commit_look(l, &l->touches[group[i]], at_ms));
out:
    return rc;
}

/* Profiles that join, split or share in the first group, all of them; and others, as
 * long as they are few. */
static int32_t commit_groups(struct cj__live *l, int64_t at_ms)
{
    uint32_t *group = cj__arena_alloc(&l->scratch, (l->n_touches + 1) * sizeof *group);
    size_t n = 0, at = 0;
    int32_t rc = CJ_OK;

    if (group == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < l->n_touches; i++) {
        const cj__live_touch *t = &l->touches[i];

        if (l->n_touches <= COMMIT_GROUP || t->identity || t->whole)
            group[n++] = (uint32_t)i;
    }
    CJ_TRY(commit_group(l, group, n, at_ms, 1));
    while (l->n_touches > COMMIT_GROUP && at < l->n_touches) {
        cj__live_cool(l, CJ__LIVE_CACHE);
        for (n = 0; at < l->n_touches && n < COMMIT_GROUP; at++) {
            if (!l->touches[at].identity && !l->touches[at].whole)
                group[n++] = (uint32_t)at;
        }
        CJ_TRY(commit_group(l, group, n, at_ms, 0));
    }
out:
    return rc;
}

static int32_t commit_all(struct cj__live *l, int64_t at_ms)
{
    int32_t rc;

    CJ_TRY(cj__live_refresh(l));
    CJ_TRY(commit_collect(l));
    CJ_TRY(commit_deal(l));
    CJ_TRY(commit_groups(l, at_ms));
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
