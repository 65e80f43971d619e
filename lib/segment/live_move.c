/* When profiles join, split or come to share a device: the facts of hot profiles go to
 * where their nodes are now.  All profiles concerned are hot. */
#include "segment/live.h"

#include <string.h>

static int32_t move_now(struct cj__live *l, uint32_t node, uint32_t *profile_out)
{
    cj__node now;
    int32_t rc = cj__node_get(l->db, node, &now);

    *profile_out = now.profile;
    return rc;
}

/* ---- profiles that join and split
 * --------------------------------------------------------------- */

/* Where the facts of a node belong now. */
static int32_t move_person(struct cj__live *l, uint32_t node, cj__live_person **out)
{
    cj__live_touch *t;
    uint32_t now;
    int32_t rc;

    CJ_TRY(move_now(l, node, &now));
    CJ_TRY(cj__live_touch_of(l, now, &t));
    *out = t->person;
    if (*out == NULL)
        rc = cj__fail(CJ_ECORRUPT, "a node's profile is not what it was; run cj_check");
out:
    return rc;
}

static int32_t move_part_rows(struct cj__live *l, cj__live_person *p)
{
    cj__frame *f = &p->events;
    uint32_t *kept = cj__arena_alloc(&l->scratch, ((size_t)f->n + 1) * sizeof *kept);
    cj__live_person *to;
    int64_t n = 0;
    int32_t rc = CJ_OK;

    if (kept == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < f->n; i++) {
        CJ_TRY(move_person(l, f->u32[CJ__FRAME_NODE][i], &to));
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

static int32_t move_part_traits(struct cj__live *l, cj__live_person *p)
{
    cj__live_person *to;
    size_t n = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n_traits; i++) {
        const cj__fact_trait trait = p->traits[i];
        const uint32_t node = p->trait_nodes[i];

        CJ_TRY(move_person(l, node, &to));
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

static int32_t move_part_nodes(struct cj__live *l, cj__live_person *p)
{
    cj__live_person *to;
    size_t n = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n_nodes; i++) {
        const cj__live_node node = p->nodes[i];

        CJ_TRY(move_person(l, node.node, &to));
        if (to == p)
            p->nodes[n++] = node;
        else
            CJ_TRY(cj__live_put_node(l, to, node));
    }
    p->n_nodes = n;
out:
    return rc;
}

int32_t cj__live_part(struct cj__live *l)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < l->n_touches; i++) {
        cj__live_person *p = l->touches[i].person;

        if (!l->touches[i].loses || p == NULL)
            continue;
        CJ_TRY(move_part_rows(l, p));
        CJ_TRY(move_part_traits(l, p));
        CJ_TRY(move_part_nodes(l, p));
    }
out:
    return rc;
}

/* ---- shared devices
 * ---------------------------------------------------------------------------- */

static int32_t move_share(struct cj__live *l, uint32_t node)
{
    cj__live_person *p;
    uint32_t now;
    int32_t rc;

    CJ_TRY(move_now(l, node, &now));
    p = cj__live_hot(l, now);
    for (size_t i = 0; p != NULL && i < p->n_nodes; i++)
        p->nodes[i].shared |= p->nodes[i].node == node;
    if (l->has_shared)
        CJ_TRY(cj__map_put(&l->shared, node, 1));
out:
    return rc;
}

/* Edges were taken out: which are refused is read again. */
static int32_t move_share_again(struct cj__live *l)
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

int32_t cj__live_reshare(struct cj__live *l)
{
    int32_t rc = CJ_OK;

    if (!l->set.reads_shared)
        return CJ_OK;
    if (l->is_regraphed)
        CJ_TRY(move_share_again(l));
    for (size_t i = 0; i < l->n_refused; i++) {
        if (!l->is_regraphed)
            CJ_TRY(move_share(l, l->refused[i]));
    }
out:
    return rc;
}
