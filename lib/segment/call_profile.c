/* Functions over what a profile is besides its events: identifiers, traits by name,
 * consent, other segments, the lot. */
#include "segment/program.h"

#include "identity/identity.h"

#include <string.h>

/* ---- identifiers
 * ------------------------------------------------------------------------- */

/* k: the kind's id; 0: all of them. */
static int32_t profile_prepare_kind(cj__program *p, cj__op *op)
{
    const cj__kind *kinds = cj__kinds();

    (void)p;
    if (op->call->word.n == 0)
        return CJ_OK;
    for (int i = 0; i < CJ__N_KINDS; i++) {
        if (cj__text_order(op->call->word, cj__text_of(kinds[i].name), 0) == 0) {
            op->call->k = kinds[i].id;
            return CJ_OK;
        }
    }
    return cj__fail_at(op->node->begin, CJ_EINVAL, "there is no such identifier kind");
}

static int32_t profile_has(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value_truth(out,
                    p->facts->n_identifiers[op->call->k] > 0 ? CJ__TRUE : CJ__FALSE);
    return CJ_OK;
}

static int32_t profile_identifiers(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value_number(out, (double)p->facts->n_identifiers[op->call->k]);
    return CJ_OK;
}

static int32_t profile_shared_device(cj__program *p, const cj__op *op, cj__value *out)
{
    (void)op;
    cj__value_truth(out, p->facts->shared_device != 0 ? CJ__TRUE : CJ__FALSE);
    return CJ_OK;
}

/* ---- traits
 * ------------------------------------------------------------------------------- */

static int32_t profile_prepare_source(cj__program *p, cj__op *op)
{
    const cj__text whole = {NULL, 0};
    cj__text name, path;

    cj__trait_split(op->node->kids[0], &name, &path);
    return cj__trait_slot(p, name, whole, &op->call->slot);
}

static int32_t profile_source(cj__program *p, const cj__op *op, cj__value *out)
{
    const int64_t newest = cj__trait_newest(p, op->call->slot);

    cj__value_missing(out);
    if (newest >= 0 && p->facts->traits[newest].source.data != NULL)
        cj__value_text(out, p->facts->traits[newest].source);
    return CJ_OK;
}

static int32_t profile_prepare_score(cj__program *p, cj__op *op)
{
    const cj__text whole = {NULL, 0};

    return cj__trait_slot(p, op->call->word, whole, &op->call->slot);
}

static int32_t profile_score(cj__program *p, const cj__op *op, cj__value *out)
{
    int32_t rc;

    CJ_TRY(cj__trait_value(p, op->call->slot, out));
    if (out->type != CJ__TYPE_NUMBER)
        cj__value_missing(out);
out:
    return rc;
}

/* "consent.<first>.<second>" is the name of one trait. */
static int32_t profile_prepare_consent(cj__program *p, cj__op *op)
{
    static const char prefix[] = "consent.";
    const cj__text first = cj__call_text(op, 0), second = cj__call_text(op, 1);
    const cj__text whole = {NULL, 0};
    const size_t n = sizeof prefix - 1 + first.n + 1 + second.n;
    char *name = cj__arena_alloc(&p->arena, n);

    if (name == NULL)
        return CJ_ENOMEM;
    memcpy(name, prefix, sizeof prefix - 1);
    memcpy(name + sizeof prefix - 1, first.data, first.n);
    name[n - second.n - 1] = '.';
    memcpy(name + n - second.n, second.data, second.n);
    return cj__trait_slot(p, (cj__text){name, n}, whole, &op->call->slot);
}

static int32_t profile_consent(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value v;
    int32_t rc;

    CJ_TRY(cj__trait_value(p, op->call->slot, &v));
    cj__value_truth(out, cj__truth_of(&v));
out:
    return rc;
}

/* ---- other segments, the lot
 * ---------------------------------------------------------------- */

static int32_t profile_prepare_reference(cj__program *p, cj__op *op)
{
    return cj__program_reference_slot(p, op->node, &op->call->slot);
}

static int32_t profile_member(cj__program *p, const cj__op *op, cj__value *out)
{
    const int8_t *members = p->facts->members;
    const int is = members == NULL ? -1 : members[op->call->slot];

    cj__value_truth(out, is == 0 ? CJ__FALSE : is == 1 ? CJ__TRUE : CJ__UNKNOWN);
    return CJ_OK;
}

/* FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), then SplitMix64 (G. Steele et al., "Fast
 * Splittable Pseudorandom Number Generators", 2014): simple enough to be computed alike
 * in any program that has to draw the same sample. */
static uint64_t profile_lot(int64_t profile, cj__text seed)
{
    uint64_t h = 0xCBF29CE484222325ull;

    for (size_t i = 0; i < seed.n; i++)
        h = (h ^ (unsigned char)seed.data[i]) * 0x100000001B3ull;
    h += (uint64_t)profile;
    h += 0x9E3779B97F4A7C15ull;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ull;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
    return h ^ (h >> 31);
}

static int32_t profile_sample(cj__program *p, const cj__op *op, cj__value *out)
{
    const uint64_t lot = profile_lot(p->facts->profile, op->call->word);
    const double u = (double)(lot >> 11) / 9007199254740992.0; /* 2^53 */
    cj__value share;
    int32_t rc;

    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &share));
    cj__value_settle(p, &share);
    if (share.type == CJ__TYPE_NUMBER)
        cj__value_truth(out, u < share.d ? CJ__TRUE : CJ__FALSE);
    else
        cj__value_missing(out);
out:
    return rc;
}

const cj__call_row cj__calls_profile[] = {
    {"has",           profile_has,           profile_prepare_kind,      2,  0},
    {"identifiers",   profile_identifiers,   profile_prepare_kind,      2,  0},
    {"shared_device", profile_shared_device, NULL,                      2,  0},
    {"source",        profile_source,        profile_prepare_source,    10, 1},
    {"score",         profile_score,         profile_prepare_score,     20, 0},
    {"consent",       profile_consent,       profile_prepare_consent,   20, 0},
    {"in_segment",    profile_member,        profile_prepare_reference, 2,  0},
    {"in_list",       profile_member,        profile_prepare_reference, 2,  0},
    {"sample",        profile_sample,        NULL,                      5,  0},
    {NULL,            NULL,                  NULL,                      0,  0},
};
