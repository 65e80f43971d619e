/* Looking at a hot profile: which of its segments hold at a moment, what that changes
 * in its state, and rows of the feed for it. */
#include "segment/live.h"

/* What segment i says at a moment, for the profile that the runner is turned to.  Facts
 * that take more work than there may be leave it out until the next day: recording
 * must not fail for a profile that somebody made monstrous. */
static int32_t eval_answer(struct cj__live *l, size_t i, int64_t at_ms, cj__answer *out)
{
    const int32_t rc = cj__runner_answer(l->runner, l->items[i], at_ms, out);

    if (rc != CJ_ELIMIT)
        return rc;
    if (l->db->cx.log != NULL)
        l->db->cx.log(l->db->cx.log_user, rc, cj__error_text());
    cj__error_clear();
    *out = (cj__answer){CJ__UNKNOWN, at_ms + 86400000};
    return CJ_OK;
}

/* Segment i at a moment. */
static int32_t eval_one(struct cj__live *l, cj__live_person *p, size_t i, int64_t at_ms,
                        int32_t cause)
{
    cj__live_state *s = &p->states[i];
    cj__answer answer;
    int is_in;
    int32_t rc;

    CJ_TRY(eval_answer(l, i, at_ms, &answer));
    is_in = answer.truth == CJ__TRUE;
    /* an until that became later may wait for another reason to write */
    if (is_in != s->is_in || answer.until_ms < s->until_ms || s->until_ms <= at_ms) {
        s->until_ms = answer.until_ms;
        p->is_dirty = 1;
    }
    if (is_in == s->is_in)
        return CJ_OK;
    s->is_in = is_in;
    s->since_ms = is_in ? at_ms : 0;
    CJ_TRY(cj__live_change(l, l->ids[i], p->profile, at_ms, is_in, cause));
out:
    return rc;
}

static int64_t eval_next(const struct cj__live *l, const cj__live_person *p)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < l->n; i++) {
        if (p->states[i].until_ms < next)
            next = p->states[i].until_ms;
    }
    return next;
}

int32_t cj__live_clock(struct cj__live *l, cj__live_person *p, int64_t until_ms)
{
    int32_t rc = CJ_OK;

    if (p->next_ms > until_ms)
        return CJ_OK;
    l->runner->early = 0;
    cj__live_turn(l, p);
    while (p->next_ms <= until_ms) {
        const int64_t at_ms = p->next_ms;

        for (size_t i = 0; i < l->n; i++) {
            if (p->states[i].until_ms > at_ms)
                continue;
            CJ_TRY(eval_one(l, p, i, at_ms, CJ__CHANGE_CLOCK));
        }
        p->next_ms = eval_next(l, p);
    }
out:
    return rc;
}

int32_t cj__live_look(struct cj__live *l, cj__live_person *p, const uint8_t *need,
                      int64_t at_ms, int32_t cause, int all)
{
    int32_t rc = CJ_OK;

    l->runner->early = 1;
    cj__live_turn(l, p);
    for (size_t i = 0; i < l->n; i++) {
        if (all || (need != NULL && need[i]) || p->states[i].until_ms <= at_ms)
            CJ_TRY(eval_one(l, p, i, at_ms, cause));
    }
    if (p->is_dirty)
        CJ_TRY(cj__live_states_write(l, p));
out:
    return rc;
}
