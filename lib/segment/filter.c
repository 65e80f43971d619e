/* Relations of filters: field against literal, for the event p->row.  The general way
 * is that of all relations; here are the ways that do not look at texts (ids and keys),
 * that look once per term, and that look at every value of a path over arrays. */
#include "segment/program.h"

#include "store/store.h"

#include <stdlib.h>
#include <string.h>

enum { FILTER_FEW = 8 };          /* ids that are compared one by one */
#define FILTER_SPREAD 2654435769u /* 2^32 / golden ratio: term ids are dense */

static cj__truth filter_truth(int is_true)
{
    return is_true ? CJ__TRUE : CJ__FALSE;
}

static int filter_is_term(const cj__field *f)
{
    return f->kind <= CJ__FIELD_CURRENCY;
}

static int filter_is_key(const cj__field *f)
{
    return f->kind == CJ__FIELD_SESSION || f->kind == CJ__FIELD_ORDER;
}

/* ---- ways of evaluating
 * ------------------------------------------------------------------ */

static int filter_has_id(const cj__op *op, uint32_t id)
{
    int found = 0;

    if (op->id_set != NULL) {
        uint32_t at = id * FILTER_SPREAD & op->id_mask;

        while (op->id_set[at] != 0 && op->id_set[at] != id)
            at = (at + 1) & op->id_mask;
        return op->id_set[at] == id;
    }
    for (uint32_t i = 0; i < op->n_ids; i++)
        found |= op->ids[i] == id;
    return found;
}

static int32_t filter_eval_ids(cj__program *p, const cj__op *op, cj__value *out)
{
    const uint32_t id = cj__field_term(p, &op->field, p->row);

    if (id == 0)
        cj__value_missing(out);
    else
        cj__value_truth(out,
                        filter_truth(filter_has_id(op, id) == (op->op != CJ__SEG_NE)));
    return CJ_OK;
}

static int filter_has_key(const cj__op *op, uint64_t key)
{
    uint32_t lo = 0, n = op->n_ids;

    while (n > 0) {
        const uint32_t half = n / 2;

        if (op->keys[lo + half] < key) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo < op->n_ids && op->keys[lo] == key;
}

static int32_t filter_eval_keys(cj__program *p, const cj__op *op, cj__value *out)
{
    uint64_t key;
    int32_t rc;

    CJ_TRY(cj__field_key(p, &op->field, p->row, &key));
    if (key == 0)
        cj__value_missing(out);
    else
        cj__value_truth(
            out, filter_truth(filter_has_key(op, key) == (op->op != CJ__SEG_NE)));
out:
    return rc;
}

static int32_t filter_eval_known(cj__program *p, const cj__op *op, cj__value *out)
{
    uint64_t key;
    int32_t rc;

    CJ_TRY(cj__field_key(p, &op->field, p->row, &key));
    cj__value_truth(out, filter_truth((key != 0) == (op->op == CJ__SEG_IS_KNOWN)));
out:
    return rc;
}

/* An entry: term id << 2 | truth; terms never change their text. */
static int32_t filter_eval_cached(cj__program *p, const cj__op *op, cj__value *out)
{
    const uint32_t id = cj__field_term(p, &op->field, p->row);
    uint64_t *entry = &op->cache[id % CJ__FILTER_CACHE];
    cj__value left;
    cj__truth truth;
    int32_t rc = CJ_OK;

    if (id == 0) {
        cj__value_missing(out);
    } else if (*entry >> 2 == id) {
        cj__value_truth(out, (cj__truth)(*entry & 3));
    } else {
        CJ_TRY(cj__field_value(p, &op->field, p->row, &left));
        CJ_TRY(cj__relation_with(p, op, &left, &truth));
        *entry = (uint64_t)id << 2 | (uint64_t)truth;
        cj__value_truth(out, truth);
    }
out:
    return rc;
}

typedef struct filter_many {
    cj__program *p;
    const cj__op *op;
    cj__truth truth;
    int32_t rc, n;
} filter_many;

static int filter_each(void *user, cj__text json)
{
    filter_many *m = user;
    cj__value left;
    cj__truth truth = CJ__UNKNOWN;

    m->rc = cj__value_json(m->p, json, &left);
    if (m->rc == CJ_OK)
        m->rc = cj__relation_with(m->p, m->op, &left, &truth);
    m->n++;
    if (truth == CJ__TRUE || (truth == CJ__UNKNOWN && m->truth == CJ__FALSE))
        m->truth = truth;
    return m->rc != CJ_OK || truth == CJ__TRUE;
}

/* True when it is of any value; without a value it is that of a missing one. */
static int32_t filter_eval_many(cj__program *p, const cj__op *op, cj__value *out)
{
    const cj__path *path = &p->paths[op->field.path].path;
    const cj__text json = *cj__columns_of(p)->properties[cj__row_at(p, p->row)];
    filter_many m = {p, op, CJ__FALSE, CJ_OK, 0};
    cj__value missing;
    int32_t rc;

    CJ_TRY(cj__program_work(p, (int64_t)json.n));
    cj__path_each(path, json, filter_each, &m);
    CJ_TRY(m.rc);
    if (m.n == 0) {
        cj__value_missing(&missing);
        CJ_TRY(cj__relation_with(p, op, &missing, &m.truth));
    }
    cj__value_truth(out, m.truth);
out:
    return rc;
}

static int32_t filter_eval_unknown(cj__program *p, const cj__op *op, cj__value *out)
{
    (void)p;
    (void)op;
    cj__value_missing(out);
    return CJ_OK;
}

/* ---- choosing one
 * ---------------------------------------------------------------------------- */

/* The right sides of =, != and in. */
static uint32_t filter_n_literals(const cj__op *op)
{
    if (op->op == CJ__SEG_IN)
        return op->kids[1]->n_kids;
    return op->op == CJ__SEG_EQ || op->op == CJ__SEG_NE ? 1 : 0;
}

static const cj__value *filter_literal(const cj__op *op, uint32_t i)
{
    return &(op->op == CJ__SEG_IN ? op->kids[1]->kids[i] : op->kids[1])->constant;
}

/* Are all of them texts, of exactly these letters? */
static int filter_is_exact(const cj__op *op)
{
    const uint32_t n = filter_n_literals(op);

    for (uint32_t i = 0; i < n; i++) {
        const cj__value *v = filter_literal(op, i);

        if (v->type != CJ__TYPE_TEXT || v->i != 0)
            return 0;
    }
    return n > 0;
}

static void filter_fill_set(cj__op *op)
{
    memset(op->id_set, 0, (op->id_mask + (size_t)1) * sizeof *op->id_set);
    for (uint32_t i = 0; i < op->n_ids; i++) {
        uint32_t at = op->ids[i] * FILTER_SPREAD & op->id_mask;

        while (op->ids[i] != 0 && op->id_set[at] != 0)
            at = (at + 1) & op->id_mask;
        if (op->ids[i] != 0)
            op->id_set[at] = op->ids[i];
    }
}

static int32_t filter_make_set(cj__program *p, cj__op *op)
{
    uint32_t slots = 4 * FILTER_FEW;

    while (slots < op->n_ids * 2)
        slots *= 2;
    op->id_set = cj__arena_alloc(&p->arena, slots * sizeof *op->id_set);
    if (op->id_set == NULL)
        return CJ_ENOMEM;
    op->id_mask = slots - 1;
    filter_fill_set(op);
    return CJ_OK;
}

void cj__filter_refresh(cj__op *op)
{
    if (op->cache != NULL)
        memset(op->cache, 0, CJ__FILTER_CACHE * sizeof *op->cache);
    if (op->id_set != NULL)
        filter_fill_set(op);
}

static int32_t filter_term(cj__program *p, cj__op *op)
{
    static const int32_t spaces[] = {CJ__SPACE_CHANNEL, CJ__SPACE_CAMPAIGN,
                                     CJ__SPACE_CONTENT, CJ__SPACE_PRODUCT,
                                     CJ__SPACE_CURRENCY};
    int32_t rc = CJ_OK;

    if (!filter_is_exact(op)) {
        op->cache = cj__arena_alloc(&p->arena, CJ__FILTER_CACHE * sizeof *op->cache);
        if (op->cache == NULL)
            return CJ_ENOMEM;
        for (int i = 0; i < CJ__FILTER_CACHE; i++)
            op->cache[i] = 0; /* of term 0, which is none */
        op->eval = filter_eval_cached;
        return CJ_OK;
    }
    op->n_ids = filter_n_literals(op);
    op->ids = cj__arena_alloc(&p->arena, op->n_ids * sizeof *op->ids);
    if (op->ids == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < op->n_ids; i++)
        CJ_TRY(cj__program_term(p, spaces[op->field.kind], filter_literal(op, i)->text,
                                &op->ids[i]));
    op->eval = filter_eval_ids;
    if (op->n_ids > FILTER_FEW)
        CJ_TRY(filter_make_set(p, op));
out:
    return rc;
}

static int filter_key_order(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Letters of any case cannot be told from a key: the check refuses them. */
static int32_t filter_key(cj__program *p, cj__op *op)
{
    op->eval = filter_eval_unknown;
    if (!filter_is_exact(op))
        return CJ_OK;
    op->n_ids = filter_n_literals(op);
    op->keys = cj__arena_alloc(&p->arena, op->n_ids * sizeof *op->keys);
    if (op->keys == NULL)
        return CJ_ENOMEM;
    for (uint32_t i = 0; i < op->n_ids; i++)
        op->keys[i] = cj__row_key(filter_literal(op, i)->text);
    qsort(op->keys, op->n_ids, sizeof *op->keys, filter_key_order);
    op->eval = filter_eval_keys;
    return CJ_OK;
}

int32_t cj__filter_relation(cj__program *p, cj__op *op)
{
    op->field = op->kids[0]->field;
    if (filter_is_term(&op->field) || filter_is_key(&op->field)) {
        if (op->op == CJ__SEG_IS_KNOWN || op->op == CJ__SEG_IS_MISSING)
            op->eval = filter_eval_known;
        else
            return filter_is_term(&op->field) ? filter_term(p, op) : filter_key(p, op);
    } else if (op->field.kind == CJ__FIELD_PROPERTY &&
               p->paths[op->field.path].path.many) {
        op->eval = filter_eval_many;
    }
    return CJ_OK;
}
