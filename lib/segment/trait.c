/* Traits: the newest value of a name at p->now, whole or within it by path.  A value is
 * read from its JSON once per profile and change. */
#include "segment/program.h"

#include <string.h>

int32_t cj__trait_slot(cj__program *p, cj__text name, cj__text path, uint32_t *slot_out)
{
    cj__trait_memo memo = {.name = name};
    int32_t rc = CJ_OK;

    p->reads_traits = 1;
    for (*slot_out = 0; *slot_out < p->n_traits; ++*slot_out) {
        const cj__trait_memo *other = &p->traits[*slot_out];

        if (cj__text_order(other->name, name, 0) == 0 &&
            cj__text_order(other->path.text, path, 0) == 0)
            return CJ_OK;
    }
    CJ_TRY(cj__path_make(&p->arena, path, &memo.path));
    CJ_TRY(cj__array_grow(p->allocator, (void **)&p->traits, &p->traits_capacity,
                          p->n_traits + 1, sizeof memo, 65536));
    p->traits[p->n_traits++] = memo;
out:
    return rc;
}

/* The first entry whose name is at least (past: greater than) name. */
static int64_t trait_search(const cj__facts *facts, cj__text name, int past)
{
    int64_t lo = 0, n = facts->n_traits;

    while (n > 0) {
        const int64_t half = n / 2;
        const int order = cj__text_order(facts->traits[lo + half].name, name, 0);

        if (order < 0 || (past && order == 0)) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

static void trait_find(const cj__program *p, cj__trait_memo *memo)
{
    memo->first = trait_search(p->facts, memo->name, 0);
    memo->until = trait_search(p->facts, memo->name, 1);
    memo->at = -1;
    cj__value_missing(&memo->value);
}

int64_t cj__trait_newest(cj__program *p, uint32_t slot)
{
    cj__trait_memo *memo = &p->traits[slot];
    const cj__fact_trait *traits = p->facts->traits;
    int64_t lo, n;

    if (memo->first < 0)
        trait_find(p, memo);
    lo = memo->first;
    n = memo->until - lo;
    while (n > 0) { /* the first that is still to come */
        const int64_t half = n / 2;

        if (traits[lo + half].time_ms <= p->now) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    if (lo < memo->until)
        cj__later(p, traits[lo].time_ms);
    return lo > memo->first ? lo - 1 : -1;
}

int32_t cj__trait_value(cj__program *p, uint32_t slot, cj__value *out)
{
    const int64_t newest = cj__trait_newest(p, slot);
    cj__trait_memo *memo = &p->traits[slot];
    cj__arena *texts = p->texts;
    int32_t rc = CJ_OK;

    if (newest != memo->at) {
        const cj__text json =
            newest < 0 ? (cj__text){NULL, 0}
                       : cj__path_find(&memo->path, p->facts->traits[newest].value);

        p->texts = &p->per_profile;
        CJ_TRY(cj__program_work(p, (int64_t)json.n));
        CJ_TRY(cj__value_json(p, json, &memo->value));
        memo->at = newest;
    }
    *out = memo->value;
out:
    p->texts = texts;
    return rc;
}

/* A bare name may go on with a path; trait("...") is a name whatever its letters. */
void cj__trait_split(const cj__seg_node *node, cj__text *name, cj__text *path)
{
    const char *dot = node->i == 1 || node->text.n == 0
                          ? NULL
                          : memchr(node->text.data, '.', node->text.n);

    *name = node->text;
    *path = (cj__text){NULL, 0};
    if (dot == NULL)
        return;
    name->n = (size_t)(dot - node->text.data);
    *path = (cj__text){dot + 1, node->text.n - name->n - 1};
}
