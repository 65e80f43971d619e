/* See runner.h.  An answer that leans on other segments changes with its own facts, or
 * when one of those does: it is followed from one such moment to the next until the
 * truth differs, so that valid_until is exact through any chain of segments. */
#include "segment/runner.h"

#include "segment/program.h"

#include <string.h>

static int32_t runner_refs(cj__runner *r, cj__runner_item *item)
{
    const cj__allocator *a = &r->set->db->cx.allocator;

    while (cj__program_reference(item->program, (int32_t)item->n_refs) != NULL)
        item->n_refs++;
    if (item->n_refs == 0)
        return CJ_OK;
    item->refs = cj__alloc(a, item->n_refs * sizeof *item->refs);
    item->members = cj__alloc_zero(a, item->n_refs);
    if (item->refs == NULL || item->members == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < item->n_refs; i++) {
        const cj__seg_node *call = cj__program_reference(item->program, (int32_t)i);
        const cj__text name = call->kids[0]->text;
        const int is_list = strcmp(cj__seg_functions[call->i].name, "in_list") == 0;
        const int64_t at = is_list ? cj__set_list_named(r->set, name)
                                   : cj__set_item_named(r->set, name);

        if (at < 0)
            return cj__fail(CJ_ENOTFOUND, "no such segment or list");
        item->refs[i] = is_list ? ~(int32_t)at : (int32_t)at;
    }
    return CJ_OK;
}

int32_t cj__runner_new(const cj__set *set, const cj__eval_env *env, cj__runner **out)
{
    const cj__allocator *a = &set->db->cx.allocator;
    cj__runner *r = cj__alloc_zero(a, sizeof *r);
    int32_t rc = CJ_OK;

    *out = NULL;
    if (r == NULL)
        return CJ_ENOMEM;
    r->set = set;
    r->items = cj__alloc_zero(a, (set->n + 1) * sizeof *r->items);
    if (r->items == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (size_t i = 0; i < set->n; i++) {
        CJ_TRY(cj__program_new(a, set->items[i].tree, env, &r->items[i].program));
        CJ_TRY(runner_refs(r, &r->items[i]));
    }
    *out = r;
out:
    if (rc != CJ_OK)
        cj__runner_end(r);
    return rc;
}

void cj__runner_end(cj__runner *r)
{
    const cj__allocator *a;

    if (r == NULL)
        return;
    a = &r->set->db->cx.allocator;
    for (size_t i = 0; r->items != NULL && i < r->set->n; i++) {
        cj__runner_item *item = &r->items[i];

        cj__program_end(item->program);
        cj__free(a, item->refs, item->n_refs * sizeof *item->refs);
        cj__free(a, item->members, item->n_refs);
    }
    cj__free(a, r->items, (r->set->n + 1) * sizeof *r->items);
    cj__free(a, r, sizeof *r);
}

int32_t cj__runner_traits(const cj__runner *r, cj__arena *arena, cj__text **names_out,
                          size_t *n_out)
{
    size_t n = 0;
    cj__text *names;

    *n_out = 0;
    for (size_t i = 0; i < r->set->n; i++)
        n += r->items[i].program->n_traits;
    *names_out = names = cj__arena_alloc(arena, (n + 1) * sizeof *names);
    if (names == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < r->set->n; i++) {
        const cj__program *p = r->items[i].program;

        for (size_t k = 0; k < p->n_traits; k++)
            names[(*n_out)++] = p->traits[k].name;
    }
    return CJ_OK;
}

void cj__runner_needs(const cj__runner *r, int64_t now_ms, cj__needs *needs)
{
    cj__needs_begin(needs);
    for (size_t i = 0; i < r->set->n; i++)
        cj__program_needs(r->items[i].program, now_ms, needs);
}

void cj__runner_turn(cj__runner *r, const cj__known *known, uint32_t profile,
                     const cj__columns *columns, int64_t first, int64_t n)
{
    r->load++;
    r->known = known;
    cj__known_facts(known, profile, &r->facts);
    r->facts.columns = columns;
    r->facts.first = first;
    r->facts.n = n;
}

void cj__runner_turn_blank(cj__runner *r)
{
    r->load++;
    memset(&r->facts, 0, sizeof r->facts);
}

static int32_t runner_member(cj__runner *r, uint32_t i, int64_t now_ms,
                             cj__answer *out);

/* Who is where at a moment, and the first later one at which that may differ. */
static int32_t runner_members(cj__runner *r, cj__runner_item *item, int64_t now_ms,
                              int64_t *until_out)
{
    cj__answer answer;
    int32_t rc = CJ_OK;

    *until_out = INT64_MAX;
    for (size_t i = 0; i < item->n_refs; i++) {
        if (item->refs[i] < 0) {
            item->members[i] = cj__known_on_list(r->known, (size_t)~item->refs[i],
                                                 (uint32_t)r->facts.profile);
            continue;
        }
        CJ_TRY(runner_member(r, (uint32_t)item->refs[i], now_ms, &answer));
        item->members[i] = answer.truth == CJ__TRUE;
        if (answer.until_ms < *until_out)
            *until_out = answer.until_ms;
    }
out:
    return rc;
}

static int32_t runner_own(cj__runner *r, cj__runner_item *item, int64_t now_ms,
                          cj__answer *out)
{
    r->facts.members = item->members;
    out->until_ms = now_ms + 1;
    if (r->momentary)
        return cj__program_run(item->program, &r->facts, now_ms, &out->truth, NULL);
    if (r->early)
        return cj__program_run(item->program, &r->facts, now_ms, &out->truth,
                               &out->until_ms);
    return cj__program_valid(item->program, &r->facts, now_ms, &out->truth,
                             &out->until_ms);
}

/* An answer for now_ms and no other moment. */
static int32_t runner_fresh(cj__runner *r, cj__runner_item *item, int64_t now_ms)
{
    cj__answer first, later;
    int64_t others;
    int32_t rc;

    CJ_TRY(runner_members(r, item, now_ms, &others));
    CJ_TRY(runner_own(r, item, now_ms, &first));
    later = first;
    /* when both change at one moment, they may cancel out */
    while (others <= later.until_ms && others != INT64_MAX && !r->momentary) {
        const int64_t t = others;

        CJ_TRY(runner_members(r, item, t, &others));
        CJ_TRY(runner_own(r, item, t, &later));
        if ((later.truth == CJ__TRUE) != (first.truth == CJ__TRUE)) {
            later.until_ms = t;
            break;
        }
    }
    item->load = r->load;
    item->at = now_ms;
    item->answer = (cj__answer){first.truth, later.until_ms};
out:
    return rc;
}

/* Is the profile in it?  An earlier answer that still holds will do. */
static int32_t runner_member(cj__runner *r, uint32_t i, int64_t now_ms, cj__answer *out)
{
    cj__runner_item *item = &r->items[i];
    int32_t rc = CJ_OK;

    if (item->load != r->load || now_ms < item->at || now_ms >= item->answer.until_ms)
        CJ_TRY(runner_fresh(r, item, now_ms));
    *out = item->answer;
out:
    return rc;
}

int32_t cj__runner_answer(cj__runner *r, uint32_t i, int64_t now_ms, cj__answer *out)
{
    cj__runner_item *item = &r->items[i];
    int32_t rc = CJ_OK;

    if (item->load != r->load || now_ms != item->at)
        CJ_TRY(runner_fresh(r, item, now_ms));
    *out = item->answer;
out:
    return rc;
}

int32_t cj__runner_explain(cj__runner *r, uint32_t i, const cj__seg_node *node,
                           int64_t now_ms, cj__truth *truth_out, cj__str *value_out)
{
    cj__runner_item *item = &r->items[i];
    int64_t others;
    int32_t rc;

    CJ_TRY(runner_members(r, item, now_ms, &others));
    r->facts.members = item->members;
    CJ_TRY(cj__program_explain(item->program, node, &r->facts, now_ms, truth_out,
                               value_out));
out:
    return rc;
}

int32_t cj__runner_value(cj__runner *r, uint32_t i, int64_t now_ms, cj__value *out)
{
    cj__program *p = r->items[i].program;
    cj__answer answer;
    int32_t rc;

    CJ_TRY(cj__runner_answer(r, i, now_ms, &answer));
    CJ_TRY(p->root->kids[0]->eval(p, p->root->kids[0], out));
out:
    return rc;
}

/* ---- texts
 * -------------------------------------------------------------------------------- */

static int32_t runner_term_id(void *user, int space, cj__text text, uint32_t *id_out)
{
    return cj__reader_term_id(user, space, text, id_out);
}

static int32_t runner_term_text(void *user, uint32_t id, cj__text *text_out)
{
    return cj__reader_term(user, id, text_out);
}

cj__eval_env cj__runner_env(const cj_db *db, cj__reader *reader)
{
    return (cj__eval_env){.zone = db->zone,
                          .currency_exponent = db->currency_exponent,
                          .user = reader,
                          .term_id = runner_term_id,
                          .term_text = runner_term_text};
}
