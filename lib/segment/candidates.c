/* Who may be in a segment at all.  Of `a and b and c` everybody in it fulfils each
 * clause, so one that reads less than the whole (a shorter window, above all) is asked
 * first, of everybody; when it lets through few, clauses that read much less than the
 * whole are asked of those, the cheapest first; the whole then only of who is left.  A
 * clause that people of whom nothing is known fulfil ("has not ...") lets too many
 * through to be the first one. */
#include "segment/everyone.h"

#include "identity/identity.h"
#include "segment/program.h"

#include <string.h>

#define CANDIDATES_FEW 256
#define CANDIDATES_PAYS 2  /* the whole costs so many times as much, at least */
#define CANDIDATES_NEXT 64 /* clauses at most: a segment has a handful */
#define CANDIDATES_EVER_MS ((int64_t)3650 * 86400000)

/* What reading one day of events costs, about, beside the value projection's. */
enum { CANDIDATES_VALUES = 1, CANDIDATES_ZONES = 5, CANDIDATES_EVENTS = 20 };

typedef struct candidates_clause {
    uint32_t kid;
    int32_t leads;          /* 1: may be asked of everybody */
    int64_t cost_of_all;    /* asked of everybody; INT64_MAX: not bounded */
    int64_t cost_of_few;    /* asked of few */
    int32_t is_only_events; /* it reads nothing else of profiles */
} candidates_clause;

typedef struct candidates {
    cj__everyone *e;
    cj__arena *arena;
    candidates_clause clauses[CANDIDATES_NEXT];
    uint32_t n_clauses;
    candidates_clause whole;
    cj__str partial; /* profiles: uint32_t */
} candidates;

static int64_t candidates_span(const cj__everyone *e, int64_t from_ms)
{
    const int64_t span = from_ms < e->now_ms - CANDIDATES_EVER_MS ? CANDIDATES_EVER_MS
                                                                  : e->now_ms - from_ms;

    return span < 0 ? 0 : span;
}

/* Asked of everybody, the value projection is no better than its window: most buyers
 * would be let through.  Asked of few it is. */
static void candidates_costs(const cj__everyone *e, const cj__needs *needs,
                             candidates_clause *c)
{
    const int is_zoned =
        !needs->any_name && !needs->any_product && needs->n_products > 0;
    const int64_t span = candidates_span(e, needs->from_ms);

    c->cost_of_all = needs->from_ms == INT64_MIN && !is_zoned
                         ? INT64_MAX
                         : span * (is_zoned ? CANDIDATES_ZONES : CANDIDATES_EVENTS);
    c->cost_of_few = span * (needs->valued ? CANDIDATES_VALUES : CANDIDATES_EVENTS);
}

/* The clause as a set of its own, and its runner; *r_out NULL: it leads elsewhere. */
static int32_t candidates_compile(const candidates *c, uint32_t kid, cj__set *set,
                                  uint32_t *item_out, cj__runner **r_out)
{
    const cj__everyone *e = c->e;
    const cj__seg_node *root = e->set->items[e->root].tree->root;
    const cj__text nameless = {NULL, 0};
    const cj__eval_env env = cj__runner_env(e->db, e->reader);
    cj__str text;
    int32_t rc;

    *r_out = NULL;
    cj__str_init(&text, &e->db->cx.allocator, CJ__MAX_SEGMENT);
    cj__set_begin(set, e->db, cj__reader_conn(e->reader));
    cj__segment_put(&text, root->kids[kid]);
    CJ_TRY(cj__str_status(&text));
    CJ_TRY(cj__set_add(set, nameless, (cj__text){text.data, text.n}, item_out));
    if (set->n == 1 && set->n_lists == 0)
        rc = cj__runner_new(set, &env, r_out);
out:
    cj__str_end(&text);
    return rc;
}

static int32_t candidates_try(candidates *c, uint32_t kid)
{
    candidates_clause *clause = &c->clauses[c->n_clauses];
    cj__runner *r = NULL;
    cj__answer answer;
    cj__needs needs;
    uint32_t item;
    cj__set set;
    int32_t rc;

    CJ_TRY(candidates_compile(c, kid, &set, &item, &r));
    if (r == NULL)
        goto out;
    cj__runner_needs(r, c->e->now_ms, &needs);
    if (needs.columns == 0)
        goto out;
    cj__runner_turn_blank(r);
    CJ_TRY(cj__runner_answer(r, item, c->e->now_ms, &answer));
    clause->kid = kid;
    clause->leads = answer.truth != CJ__TRUE;
    clause->is_only_events = r->items[item].program->n_traits == 0 &&
                             !set.reads_identifiers && !set.reads_shared;
    candidates_costs(c->e, &needs, clause);
    c->n_clauses++;
out:
    cj__runner_end(r);
    cj__set_end(&set);
    return rc;
}

static int32_t candidates_clauses(candidates *c)
{
    const cj__seg_node *root = c->e->set->items[c->e->root].tree->root;
    int32_t rc = CJ_OK;

    for (uint32_t i = 0; root->op == CJ__SEG_AND && i < root->n_kids; i++) {
        if (c->n_clauses < CANDIDATES_NEXT)
            CJ_TRY(candidates_try(c, i));
    }
out:
    return rc;
}

/* The clause to ask of everybody; NULL: none pays. */
static candidates_clause *candidates_first(candidates *c)
{
    candidates_clause *best = NULL;

    for (uint32_t i = 0; i < c->n_clauses; i++) {
        candidates_clause *clause = &c->clauses[i];

        if (clause->leads &&
            clause->cost_of_all <= c->whole.cost_of_all / CANDIDATES_PAYS &&
            (best == NULL || clause->cost_of_all < best->cost_of_all))
            best = clause;
    }
    return best;
}

/* The clause to ask next of few; NULL: the whole. */
static candidates_clause *candidates_next(candidates *c)
{
    candidates_clause *best = NULL;

    for (uint32_t i = 0; i < c->n_clauses; i++) {
        candidates_clause *clause = &c->clauses[i];

        if (clause->is_only_events &&
            clause->cost_of_few <= c->whole.cost_of_few / CANDIDATES_PAYS &&
            (best == NULL || clause->cost_of_few < best->cost_of_few))
            best = clause;
    }
    return best;
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

/* Ask a clause, of everybody or of who is left; and not again. */
static int32_t candidates_ask(candidates *c, candidates_clause *clause)
{
    cj__everyone ask = *c->e;
    cj__runner *r = NULL;
    cj__set set;
    int32_t rc;

    clause->is_only_events = 0;
    memset(&ask.partial, 0, sizeof ask.partial);
    CJ_TRY(candidates_compile(c, clause->kid, &set, &ask.root, &r));
    ask.set = &set;
    ask.momentary = 1;
    ask.visit = candidates_visit;
    CJ_TRY(cj__everyone_run(&ask));
    cj__str_end(&c->partial);
    c->partial = ask.partial;
    memset(&ask.partial, 0, sizeof ask.partial);
out:
    cj__str_end(&ask.partial);
    cj__runner_end(r);
    cj__set_end(&set);
    return rc;
}

/* ---- who is left
 * -------------------------------------------------------------------------- */

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
static int32_t candidates_some(candidates *c, const uint32_t *profiles, size_t n)
{
    cj__everyone *e = c->e;
    uint64_t *some = NULL;
    size_t n_some = 0, capacity = 0;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < n; i++) {
        uint32_t *nodes;
        size_t n_nodes;

        CJ_TRY(cj__profile_nodes(cj__reader_conn(e->reader), profiles[i], c->arena,
                                 &nodes, &n_nodes));
        CJ_TRY(cj__array_grow(c->arena->allocator, (void **)&some, &capacity,
                              n_some + n_nodes, sizeof *some, CJ__MAX_NODES));
        for (size_t k = 0; k < n_nodes; k++)
            some[n_some++] = (uint64_t)profiles[i] << 32 | nodes[k];
    }
    e->some = cj__arena_alloc(c->arena, (n_some + 1) * sizeof *some);
    if (e->some == NULL)
        CJ_TRY(CJ_ENOMEM);
    if (n_some > 0)
        memcpy((uint64_t *)(uintptr_t)e->some, some, n_some * sizeof *some);
    e->n_some = (int64_t)n_some;
out:
    cj__free(c->arena->allocator, some, capacity * sizeof *some);
    return rc;
}

/* Of the few there were, those who are left; both ascend. */
static void candidates_fewer(candidates *c, const uint32_t *profiles, size_t n)
{
    uint64_t *bits = (uint64_t *)(uintptr_t)c->e->profiles; /* ours: */
    uint64_t *some = (uint64_t *)(uintptr_t)c->e->some;     /* in the arena */
    int64_t n_some = 0;
    size_t at = 0;

    for (int64_t i = 0; i < c->e->n_some; i++) {
        const uint32_t profile = (uint32_t)(some[i] >> 32);

        while (at < n && profiles[at] < profile)
            at++;
        if (at < n && profiles[at] == profile)
            some[n_some++] = some[i];
        else
            bits[profile >> 6] &= ~((uint64_t)1 << (profile & 63));
    }
    c->e->n_some = n_some;
}

static int32_t candidates_take(candidates *c)
{
    const size_t n = c->partial.n / sizeof(uint32_t);
    uint32_t *profiles = cj__arena_alloc(c->arena, c->partial.n + 1);
    uint64_t *bits;
    int32_t rc = CJ_OK;

    if (profiles == NULL)
        return CJ_ENOMEM;
    if (n > 0)
        memcpy(profiles, c->partial.data, c->partial.n);
    c->e->nobody = n == 0;
    if (c->e->profiles == NULL) {
        CJ_TRY(cj__everyone_bits(c->e, profiles, n, c->arena, &bits));
        c->e->profiles = bits;
        if (n <= CANDIDATES_FEW)
            CJ_TRY(candidates_some(c, profiles, n));
    } else {
        candidates_fewer(c, profiles, n);
    }
out:
    return rc;
}

int32_t cj__candidates(cj__everyone *e, cj__runner *r, cj__arena *arena)
{
    candidates c = {.e = e, .arena = arena};
    candidates_clause *clause;
    cj__needs needs;
    int32_t rc;

    cj__runner_needs(r, e->now_ms, &needs);
    candidates_costs(e, &needs, &c.whole);
    CJ_TRY(candidates_clauses(&c));
    clause = candidates_first(&c);
    while (clause != NULL && !e->nobody) {
        CJ_TRY(candidates_ask(&c, clause));
        CJ_TRY(candidates_take(&c));
        clause = e->n_some > 0 ? candidates_next(&c) : NULL;
    }
out:
    cj__str_end(&c.partial);
    return rc;
}
