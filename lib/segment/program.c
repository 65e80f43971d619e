/* From a tree to a program: an op for each value, slots for what several ops share, the
 * columns that are read; and running it once.  A program belongs to one thread; the
 * tree is not touched, so several programs may be made of one. */
#include "segment/program.h"

#include <string.h>

/* ---- making ops
 * -------------------------------------------------------------------------- */

static int32_t program_constant(cj__program *p, const cj__op *op, cj__value *out)
{
    (void)p;
    *out = op->constant;
    return CJ_OK;
}

static int32_t program_trait(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__trait_value(p, op->slot, out);
}

static int32_t program_field(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__field_value(p, &op->field, p->row, out);
}

/* 1 when the node is a literal; a list has its literals as kids. */
static int program_literal(const cj__seg_node *node, cj__value *out)
{
    switch (node->op) {
    case CJ__SEG_NUMBER:
    case CJ__SEG_PERCENT:
        cj__value_number(out, node->d);
        return 1;
    case CJ__SEG_MONEY:
        cj__value_typed(out, CJ__TYPE_MONEY, node->i);
        return 1;
    case CJ__SEG_DURATION:
        cj__value_typed(out, CJ__TYPE_DURATION, cj__span(node->i));
        return 1;
    case CJ__SEG_DATE:
    case CJ__SEG_TIME:
        cj__value_typed(out, CJ__TYPE_TIME, cj__span(node->i));
        return 1;
    case CJ__SEG_TEXT:
        cj__value_text(out, node->text);
        out->i = node->i == 1;
        return 1;
    case CJ__SEG_WORD:
        cj__value_text(out, node->text);
        return 1;
    case CJ__SEG_TRUE:
    case CJ__SEG_FALSE:
        cj__value_truth(out, node->op == CJ__SEG_TRUE ? CJ__TRUE : CJ__FALSE);
        return 1;
    case CJ__SEG_LIST:
        cj__value_missing(out);
        return 1;
    default:
        return 0;
    }
}

/* What is cheap and settles the whole spares the others; equal costs stay in order. */
static void program_sort(cj__op *op)
{
    for (uint32_t i = 1; i < op->n_kids; i++) {
        cj__op *kid = op->kids[i];
        uint32_t at = i;

        for (; at > 0 && op->kids[at - 1]->cost > kid->cost; at--)
            op->kids[at] = op->kids[at - 1];
        op->kids[at] = kid;
    }
}

static int32_t program_kids(cj__program *p, cj__op *op)
{
    const cj__seg_node *node = op->node;
    int32_t rc = CJ_OK;

    if (node->n_kids == 0)
        return CJ_OK;
    op->kids = cj__arena_alloc(&p->arena, node->n_kids * sizeof *op->kids);
    if (op->kids == NULL)
        return CJ_ENOMEM;
    for (uint32_t k = 0; k < node->n_kids; k++) {
        CJ_TRY(cj__op_compile(p, node->kids[k], &op->kids[k]));
        op->cost += op->kids[k]->cost;
        op->n_kids++;
    }
out:
    return rc;
}

static int32_t program_inner(cj__program *p, cj__op *op)
{
    int32_t rc;

    CJ_TRY(program_kids(p, op));
    op->cost++;
    if (op->op >= CJ__SEG_ADD && op->op <= CJ__SEG_NEGATE)
        op->eval = cj__eval_arithmetic;
    else if (op->op == CJ__SEG_AND || op->op == CJ__SEG_OR)
        op->eval = op->op == CJ__SEG_AND ? cj__eval_and : cj__eval_or;
    else if (op->op == CJ__SEG_NOT)
        op->eval = cj__eval_not;
    else
        op->eval = cj__relation_eval(op->op);
    if (op->eval == NULL)
        return cj__fail_at(op->node->begin, CJ_EINVAL, "this is not a value");
    if (op->op == CJ__SEG_AND || op->op == CJ__SEG_OR)
        program_sort(op);
    if (op->op == CJ__SEG_IN)
        CJ_TRY(cj__relation_sort(p, op));
    if (op->op >= CJ__SEG_EQ && op->op <= CJ__SEG_NEAR &&
        op->kids[0]->op == CJ__SEG_FIELD)
        CJ_TRY(cj__filter_relation(p, op));
out:
    return rc;
}

static int32_t program_fill(cj__program *p, cj__op *op)
{
    const cj__seg_node *node = op->node;
    cj__text name, path;

    if (program_literal(node, &op->constant)) {
        op->eval = program_constant;
        return program_kids(p, op); /* of a list */
    }
    switch (node->op) {
    case CJ__SEG_TRAIT:
        cj__trait_split(node, &name, &path);
        op->eval = program_trait;
        op->cost = 10;
        return cj__trait_slot(p, name, path, &op->slot);
    case CJ__SEG_FIELD:
        op->eval = program_field;
        op->cost = node->i == 1 ? 50 : 2;
        return cj__field_make(p, node, &op->field);
    case CJ__SEG_CALL:
        return cj__call_compile(p, op);
    default:
        return program_inner(p, op);
    }
}

int32_t cj__op_compile(cj__program *p, const cj__seg_node *node, cj__op **out)
{
    cj__op *op = cj__arena_alloc(&p->arena, sizeof *op);
    int32_t rc;

    if (op == NULL)
        return CJ_ENOMEM;
    memset(op, 0, sizeof *op);
    op->node = node;
    op->op = node->op;
    CJ_TRY(program_fill(p, op));
    CJ_TRY(cj__array_grow(p->allocator, (void **)&p->ops, &p->ops_capacity,
                          p->n_ops + 1, sizeof *p->ops, 65536));
    p->ops[p->n_ops++] = op;
    *out = op;
out:
    return rc;
}

/* ---- terms and references
 * ------------------------------------------------------------------ */

int32_t cj__program_term(cj__program *p, int32_t space, cj__text text, uint32_t *where)
{
    const cj__term_use use = {space, text, where};
    int32_t rc;

    *where = 0;
    CJ_TRY(cj__array_grow(p->allocator, (void **)&p->terms, &p->terms_capacity,
                          p->n_terms + 1, sizeof use, 1u << 20));
    CJ_TRY(p->env.term_id(p->env.user, space, text, where));
    p->terms[p->n_terms++] = use;
out:
    return rc;
}

int32_t cj__program_refresh(cj__program *p)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n_terms; i++) {
        const cj__term_use *use = &p->terms[i];

        if (*use->id == 0)
            CJ_TRY(p->env.term_id(p->env.user, use->space, use->text, use->id));
    }
    for (size_t i = 0; i < p->n_ops; i++)
        cj__filter_refresh(p->ops[i]);
out:
    return rc;
}

int32_t cj__program_reference_slot(cj__program *p, const cj__seg_node *node,
                                   uint32_t *slot_out)
{
    int32_t rc = CJ_OK;

    for (*slot_out = 0; *slot_out < p->n_references; ++*slot_out) {
        const cj__seg_node *other = p->references[*slot_out];

        if (other->i == node->i &&
            cj__text_equal(other->kids[0]->text, node->kids[0]->text))
            return CJ_OK;
    }
    CJ_TRY(cj__array_grow(p->allocator, (void **)&p->references,
                          &p->references_capacity, p->n_references + 1,
                          sizeof *p->references, 65536));
    p->references[p->n_references++] = node;
out:
    return rc;
}

const cj__seg_node *cj__program_reference(const cj__program *p, int32_t i)
{
    return i >= 0 && (size_t)i < p->n_references ? p->references[i] : NULL;
}

uint32_t cj__program_columns(const cj__program *p)
{
    return p->columns;
}

int32_t cj__program_reads_traits(const cj__program *p)
{
    return p->reads_traits;
}

/* ---- beginning and end
 * ----------------------------------------------------------------------- */

int32_t cj__program_new(const cj__allocator *a, const cj__segment_tree *tree,
                        const cj__eval_env *env, cj__program **out)
{
    cj__program *p = cj__alloc_zero(a, sizeof *p);
    int32_t rc;

    *out = NULL;
    if (p == NULL)
        return CJ_ENOMEM;
    p->own_allocator = *a;
    p->allocator = &p->own_allocator;
    p->env = *env;
    p->keys_seed = cj__random_seed();
    cj__arena_init(&p->arena, p->allocator);
    cj__arena_init(&p->moment, p->allocator);
    cj__arena_init(&p->per_row, p->allocator);
    cj__arena_init(&p->per_profile, p->allocator);
    CJ_TRY(cj__op_compile(p, tree->root, &p->root));
    *out = p;
out:
    if (rc != CJ_OK)
        cj__program_end(p);
    return rc;
}

static void program_free(cj__program *p, void *array, size_t capacity, size_t element)
{
    cj__free(p->allocator, array, capacity * element);
}

void cj__program_end(cj__program *p)
{
    cj__allocator a;

    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n_selectors; i++)
        program_free(p, p->selectors[i].rows, p->selectors[i].capacity,
                     sizeof(uint32_t));
    for (size_t i = 0; i < p->n_paths; i++)
        program_free(p, p->paths[i].raw, p->paths[i].capacity, sizeof(cj__text));
    program_free(p, p->selectors, p->selectors_capacity, sizeof *p->selectors);
    program_free(p, p->paths, p->paths_capacity, sizeof *p->paths);
    program_free(p, p->traits, p->traits_capacity, sizeof *p->traits);
    program_free(p, p->terms, p->terms_capacity, sizeof *p->terms);
    program_free(p, p->references, p->references_capacity, sizeof *p->references);
    program_free(p, p->ops, p->ops_capacity, sizeof *p->ops);
    program_free(p, p->keys.data, p->keys.capacity, p->keys.element_bytes);
    program_free(p, p->rows_a.data, p->rows_a.capacity, p->rows_a.element_bytes);
    program_free(p, p->rows_b.data, p->rows_b.capacity, p->rows_b.element_bytes);
    program_free(p, p->gaps.data, p->gaps.capacity, p->gaps.element_bytes);
    cj__arena_end(&p->moment);
    cj__arena_end(&p->per_row);
    cj__arena_end(&p->per_profile);
    cj__arena_end(&p->arena);
    a = p->own_allocator;
    cj__free(&a, p, sizeof *p);
}

int32_t cj__buffer_need(cj__program *p, cj__buffer *b, size_t n, size_t element_bytes)
{
    b->element_bytes = element_bytes; /* always the same for one buffer */
    return cj__array_grow(p->allocator, &b->data, &b->capacity, n, element_bytes,
                          (size_t)UINT32_MAX * 4);
}

/* ---- running
 * ------------------------------------------------------------------------------------
 */

int32_t cj__program_work(cj__program *p, int64_t steps)
{
    p->steps += steps;
    if (p->steps <= CJ__MAX_STEPS)
        return CJ_OK;
    return cj__fail(CJ_ELIMIT,
                    "a segment takes more than %lld million steps on a profile",
                    (long long)(CJ__MAX_STEPS / 1000000));
}

int32_t cj__program_load(cj__program *p, const cj__facts *facts)
{
    if (facts->n > UINT32_MAX - 1)
        return cj__fail(CJ_ELIMIT, "a profile has more than %u events", UINT32_MAX - 1);
    p->facts = facts;
    p->load++;
    p->steps = 0;
    p->time =
        facts->n > 0 && p->columns != 0 ? facts->columns->time_ms + facts->first : NULL;
    for (size_t i = 0; i < p->n_selectors; i++)
        p->selectors[i].made = 0;
    for (size_t i = 0; i < p->n_paths; i++)
        p->paths[i].n = 0;
    for (size_t i = 0; i < p->n_traits; i++)
        p->traits[i].first = -1;
    if (p->per_profile.chunks != NULL)
        cj__arena_reset(&p->per_profile);
    return CJ_OK;
}

int32_t cj__program_at(cj__program *p, int64_t now_ms, cj__truth *truth_out)
{
    cj__value v;
    int32_t rc;

    p->now = cj__span(now_ms);
    p->next = CJ__NEVER;
    p->texts = &p->moment;
    if (p->moment.chunks != NULL)
        cj__arena_reset(&p->moment);
    CJ_TRY(p->root->eval(p, p->root, &v));
    *truth_out = cj__truth_of(&v);
out:
    return rc;
}

int32_t cj__program_run(cj__program *p, const cj__facts *facts, int64_t now_ms,
                        cj__truth *truth_out, int64_t *next_out)
{
    int32_t rc;

    p->thorough = p->coarse = 0;
    CJ_TRY(cj__program_load(p, facts));
    CJ_TRY(cj__program_at(p, now_ms, truth_out));
    if (next_out != NULL)
        *next_out = p->next;
out:
    return rc;
}
