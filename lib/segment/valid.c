/* How long an answer holds: step from one moment at which something may differ to the
 * next until the answer does.  Exact as long as the work stays within bounds; beyond
 * them the moment reached is the answer, which is early and never late. */
#include "segment/program.h"

int32_t cj__program_valid(cj__program *p, const cj__facts *facts, int64_t now_ms,
                          cj__truth *truth_out, int64_t *valid_until_out)
{
    const int32_t many = p->root->op == CJ__SEG_AND || p->root->op == CJ__SEG_OR;
    int64_t at = now_ms, work = 0;
    cj__truth truth;
    int32_t rc;

    p->thorough = 1;
    p->coarse = 0;
    CJ_TRY(cj__program_load(p, facts));
    CJ_TRY(cj__program_at(p, now_ms, truth_out));
    for (int32_t n = 0; n < CJ__MAX_VALID_MOMENTS && work < CJ__MAX_VALID_STEPS; n++) {
        at = p->next > at ? p->next : at + 1;
        if (at > CJ__MAX_TIME_MS) /* no event can be that late: it does not count */
            at = CJ__NEVER;
        if (at == CJ__NEVER)
            break;
        p->steps = 0;
        p->coarse = many; /* false or unknown is the same here, and easier to find */
        CJ_TRY(cj__program_at(p, at, &truth));
        work += p->steps + (int64_t)p->n_ops;
        if ((truth == CJ__TRUE) != (*truth_out == CJ__TRUE))
            break;
    }
    *valid_until_out = at;
out:
    p->coarse = 0;
    return rc;
}
