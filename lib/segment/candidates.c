/* Who may be in a segment at all.  Of `a and b and c` everybody in it fulfils each
 * clause, so one that reads less than the whole (a shorter window, above all) is asked
 * first, of everybody; the whole then only of those that it lets through.  A clause
 * that people of whom nothing is known fulfil ("has not ...") lets too many through. */
#include "segment/everyone.h"

#include "identity/identity.h"

#include <string.h>

#define CANDIDATES_FEW 256
#define CANDIDATES_SPAN 2 /* the whole looks back so many times as far, at least */

typedef struct candidates_clause {
    cj__set set; /* of the clause alone */
    uint32_t item;
    int64_t from_ms;
} candidates_clause;

/* How far back the whole looks is known from its runner; of a clause it is asked here.
 */
static int32_t candidates_try(const cj__everyone *e, const cj__seg_node *clause,
                              candidates_clause *c)
{
    const cj__text nameless = {NULL, 0};
    const cj__eval_env env = cj__runner_env(e->db, e->reader);
    cj__runner *r = NULL;
    cj__answer answer;
    cj__needs needs;
    cj__str text;
    int32_t rc;

    cj__str_init(&text, &e->db->cx.allocator, CJ__MAX_SEGMENT);
    cj__set_begin(&c->set, e->db, cj__reader_conn(e->reader));
    c->from_ms = INT64_MIN;
    cj__segment_put(&text, clause);
    CJ_TRY(cj__str_status(&text));
    CJ_TRY(cj__set_add(&c->set, nameless, (cj__text){text.data, text.n}, &c->item));
    if (c->set.n > 1 || c->set.n_lists > 0)
        goto out;
    CJ_TRY(cj__runner_new(&c->set, &env, &r));
    cj__runner_turn_blank(r);
    CJ_TRY(cj__runner_answer(r, c->item, e->now_ms, &answer));
    cj__runner_needs(r, e->now_ms, &needs);
    if (answer.truth != CJ__TRUE && needs.columns != 0)
        c->from_ms = needs.from_ms;
out:
    cj__runner_end(r);
    cj__str_end(&text);
    return rc;
}

/* The clause with the shortest window; from_ms INT64_MIN: none is bounded. */
static int32_t candidates_choose(const cj__everyone *e, candidates_clause *best)
{
    const cj__seg_node *root = e->set->items[e->root].tree->root;
    int32_t rc = CJ_OK;

    best->from_ms = INT64_MIN;
    for (uint32_t i = 0; root->op == CJ__SEG_AND && i < root->n_kids; i++) {
        candidates_clause c;

        rc = candidates_try(e, root->kids[i], &c);
        if (rc == CJ_OK && c.from_ms > best->from_ms) {
            cj__set_end(&best->set);
            *best = c;
        } else {
            cj__set_end(&c.set);
        }
        if (rc != CJ_OK)
            break;
    }
    return rc;
}

static int32_t candidates_visit(const cj__everyone *e, cj__runner *r, cj__str *partial)
{
    const uint32_t profile = (uint32_t)r->facts.profile;
    cj__answer answer;
    int32_t rc;

    CJ_TRY(cj__runner_answer(r, e->root, e->now_ms, &answer));
    if (answer.truth == CJ__TRUE)
        cj__str_put(partial, &profile, sizeof profile);
out:
    return rc;
}

int32_t cj__everyone_bits(const cj__everyone *e, const void *profiles, size_t n,
                          cj__arena *arena, uint64_t **bits_out)
{
    const unsigned char *at = profiles;
    const uint32_t *profile_of;
    const uint8_t *mask;
    uint32_t n_nodes, profile;
    uint64_t *bits;
    size_t bytes;
    int32_t rc;

    CJ_TRY(cj__reader_profiles(e->reader, &profile_of, &mask, &n_nodes));
    bytes = ((size_t)(n_nodes >> 6) + 1) * sizeof *bits;
    bits = cj__arena_alloc(arena, bytes);
    if (bits == NULL)
        return CJ_ENOMEM;
    memset(bits, 0, bytes);
    for (size_t i = 0; i < n; i++) {
        memcpy(&profile, at + i * sizeof profile, sizeof profile);
        bits[profile >> 6] |= (uint64_t)1 << (profile & 63);
    }
    *bits_out = bits;
out:
    return rc;
}

/* The nodes of few profiles: then their rows alone are read of each block. */
static int32_t candidates_some(cj__everyone *e, const uint32_t *profiles, size_t n,
                               cj__arena *arena)
{
    uint64_t *some = NULL;
    size_t n_some = 0, capacity = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < n; i++) {
        uint32_t *nodes;
        size_t n_nodes;

        CJ_TRY(cj__profile_nodes(cj__reader_conn(e->reader), profiles[i], arena, &nodes,
                                 &n_nodes));
        CJ_TRY(cj__array_grow(arena->allocator, (void **)&some, &capacity,
                              n_some + n_nodes, sizeof *some, CJ__MAX_NODES));
        for (size_t k = 0; k < n_nodes; k++)
            some[n_some++] = (uint64_t)profiles[i] << 32 | nodes[k];
    }
    e->some = cj__arena_alloc(arena, (n_some + 1) * sizeof *some);
    if (e->some == NULL)
        CJ_TRY(CJ_ENOMEM);
    if (n_some > 0)
        memcpy((uint64_t *)(uintptr_t)e->some, some, n_some * sizeof *some);
    e->n_some = (int64_t)n_some;
out:
    cj__free(arena->allocator, some, capacity * sizeof *some);
    return rc;
}

/* The whole looks back to from_ms. */
static int candidates_pays(const cj__everyone *e, int64_t from_ms,
                           int64_t clause_from_ms)
{
    int64_t span;

    if (clause_from_ms == INT64_MIN)
        return 0;
    span = e->now_ms - clause_from_ms;
    return span >= 0 &&
           (from_ms == INT64_MIN || (e->now_ms - from_ms) / CANDIDATES_SPAN >= span);
}

static int32_t candidates_take(cj__everyone *e, const cj__str *partial,
                               cj__arena *arena)
{
    const size_t n = partial->n / sizeof(uint32_t);
    uint64_t *bits;
    uint32_t *profiles = cj__arena_alloc(arena, partial->n + 1);
    int32_t rc;

    if (profiles == NULL)
        return CJ_ENOMEM;
    if (n > 0)
        memcpy(profiles, partial->data, partial->n);
    e->nobody = n == 0;
    CJ_TRY(cj__everyone_bits(e, profiles, n, arena, &bits));
    e->profiles = bits;
    if (n <= CANDIDATES_FEW)
        CJ_TRY(candidates_some(e, profiles, n, arena));
out:
    return rc;
}

int32_t cj__candidates(cj__everyone *e, cj__runner *r, cj__arena *arena)
{
    cj__everyone ask = *e;
    candidates_clause best;
    cj__needs needs;
    int32_t rc;

    memset(&best, 0, sizeof best);
    memset(&ask.partial, 0, sizeof ask.partial);
    cj__runner_needs(r, e->now_ms, &needs);
    CJ_TRY(candidates_choose(e, &best));
    if (!candidates_pays(e, needs.from_ms, best.from_ms))
        goto out;
    ask.set = &best.set;
    ask.root = best.item;
    ask.momentary = 1;
    ask.visit = candidates_visit;
    CJ_TRY(cj__everyone_run(&ask));
    CJ_TRY(candidates_take(e, &ask.partial, arena));
out:
    cj__str_end(&ask.partial);
    cj__set_end(&best.set);
    return rc;
}
