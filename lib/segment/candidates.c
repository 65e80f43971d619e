/* Who may be in a segment at all.  Of `a and b and c` everybody in it fulfils each
 * clause, so one that reads less than the whole (a shorter window, above all) is asked
 * first, of everybody; the whole then only of those that it lets through.  A clause
 * that people of whom nothing is known fulfil ("has not ...") lets too many through. */
#include "segment/everyone.h"

#include <string.h>

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

static int32_t candidates_bits(const cj__everyone *e, const cj__str *profiles,
                               cj__arena *arena, const uint64_t **bits_out)
{
    const uint32_t *profile_of;
    const uint8_t *mask;
    uint32_t n_nodes, profile;
    uint64_t *bits;
    int32_t rc;

    CJ_TRY(cj__reader_profiles(e->reader, &profile_of, &mask, &n_nodes));
    bits = cj__arena_alloc(arena, ((size_t)(n_nodes >> 6) + 1) * sizeof *bits);
    if (bits == NULL)
        return CJ_ENOMEM;
    memset(bits, 0, ((size_t)(n_nodes >> 6) + 1) * sizeof *bits);
    for (size_t at = 0; at < profiles->n; at += sizeof profile) {
        memcpy(&profile, profiles->data + at, sizeof profile);
        bits[profile >> 6] |= (uint64_t)1 << (profile & 63);
    }
    *bits_out = bits;
out:
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

int32_t cj__candidates(const cj__everyone *e, cj__runner *r, cj__arena *arena,
                       const uint64_t **bits_out)
{
    cj__everyone ask = *e;
    candidates_clause best;
    cj__needs needs;
    int32_t rc;

    *bits_out = NULL;
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
    CJ_TRY(candidates_bits(e, &ask.partial, arena, bits_out));
out:
    cj__str_end(&ask.partial);
    cj__set_end(&best.set);
    return rc;
}
