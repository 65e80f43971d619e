/* Relations of filters: field against literal, for the event p->row.  The general way
 * is that of all relations; here are the ways that do not look at texts (ids and keys),
 * that look once per term, and that look at every value of a path over arrays. */
#include "segment/program.h"

#include "store/store.h"

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

static int32_t filter_eval_ids(cj__program *p, const cj__op *op, cj__value *out)
{
    const uint32_t id = cj__field_term(p, &op->field, p->row);
    int found = 0;

    if (id == 0) {
        cj__value_missing(out);
        return CJ_OK;
    }
    for (uint32_t i = 0; i < op->n_ids; i++)
        found |= op->ids[i] == id;
    cj__value_truth(out, filter_truth(found == (op->op != CJ__SEG_NE)));
    return CJ_OK;
}

static int32_t filter_eval_keys(cj__program *p, const cj__op *op, cj__value *out)
{
    uint64_t key;
    int found = 0;
    int32_t rc;

    CJ_TRY(cj__field_key(p, &op->field, p->row, &key));
    for (uint32_t i = 0; i < op->n_ids; i++)
        found |= op->keys[i] == key;
    if (key == 0)
        cj__value_missing(out);
    else
        cj__value_truth(out, filter_truth(found == (op->op != CJ__SEG_NE)));
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
    const cj__text json = p->facts->properties[cj__row_at(p, p->row)];
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
out:
    return rc;
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
