/* and, or, not over true, false and unknown (S. C. Kleene, "Introduction to
 * Metamathematics", 1952, section 64).
 *
 * One false part makes an `and` false whatever the others do, until that part changes:
 * so the next change of a false `and` is the latest of its false parts', and no other
 * part need be looked at.  `or` is the same with true. */
#include "segment/program.h"

static int32_t logic_kid(cj__program *p, const cj__op *kid, int32_t coarse,
                         cj__truth *truth_out)
{
    cj__value v;
    int32_t rc;

    p->next = CJ__NEVER;
    p->coarse = coarse && (kid->op == CJ__SEG_AND || kid->op == CJ__SEG_OR);
    rc = kid->eval(p, kid, &v);
    p->coarse = 0;
    if (rc == CJ_OK)
        *truth_out = cj__truth_of(&v);
    return rc;
}

/* settles: the truth of one part that is the truth of the whole. */
static int32_t logic_many(cj__program *p, const cj__op *op, cj__truth settles,
                          cj__value *out)
{
    const int64_t outside = p->next;
    const int32_t coarse = p->coarse;
    int64_t settled_until = 0, open_until = CJ__NEVER;
    cj__truth truth, whole = settles == CJ__FALSE ? CJ__TRUE : CJ__FALSE;
    int32_t rc = CJ_OK;

    p->coarse = 0;
    for (uint32_t k = 0; k < op->n_kids; k++) {
        CJ_TRY(logic_kid(p, op->kids[k], coarse, &truth));
        if (coarse && truth == CJ__UNKNOWN)
            truth = CJ__FALSE;
        if (truth == settles) {
            whole = settles;
            settled_until = p->next > settled_until ? p->next : settled_until;
            if (!p->thorough || settled_until == CJ__NEVER)
                break;
        } else if (truth == CJ__UNKNOWN && whole != settles) {
            whole = CJ__UNKNOWN;
        }
        open_until = p->next < open_until ? p->next : open_until;
    }
    cj__value_truth(out, whole);
out:
    p->next = whole == settles ? settled_until : open_until;
    cj__later(p, outside);
    return rc;
}

int32_t cj__eval_and(cj__program *p, const cj__op *op, cj__value *out)
{
    return logic_many(p, op, CJ__FALSE, out);
}

int32_t cj__eval_or(cj__program *p, const cj__op *op, cj__value *out)
{
    return logic_many(p, op, CJ__TRUE, out);
}

int32_t cj__eval_not(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__truth truth;
    cj__value v;
    int32_t rc;

    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &v));
    truth = cj__truth_of(&v);
    if (truth != CJ__UNKNOWN)
        truth = truth == CJ__TRUE ? CJ__FALSE : CJ__TRUE;
    cj__value_truth(out, truth);
out:
    return rc;
}
