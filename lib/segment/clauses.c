/* See clauses.h.  A clause becomes a segment by its canonical text: what is printed in
 * a table is what was evaluated. */
#include "segment/clauses.h"

#include <string.h>

static int clauses_is_logic(const cj__seg_node *node)
{
    return node->op == CJ__SEG_AND || node->op == CJ__SEG_OR;
}

/* `not` of a bracket has the bracket as its clause; of anything else it has none. */
static int32_t clauses_logic(const cj__seg_node *node)
{
    if (clauses_is_logic(node))
        return node->op;
    if (node->op == CJ__SEG_NOT && (clauses_is_logic(node->kids[0]) ||
                                    clauses_logic(node->kids[0]) == CJ__SEG_NOT))
        return CJ__SEG_NOT;
    return 0;
}

static int32_t clauses_text(cj__ask *a, const cj__seg_node *node, cj__text *out)
{
    cj__str s;
    int32_t rc;

    cj__str_init(&s, &a->set.db->cx.allocator, CJ__MAX_SEGMENT);
    cj__segment_put(&s, node);
    CJ_TRY(cj__str_status(&s));
    out->data = cj__arena_text(&a->set.arena, s.data, s.n);
    out->n = s.n;
    rc = out->data == NULL ? CJ_ENOMEM : CJ_OK;
out:
    cj__str_end(&s);
    return rc;
}

static int32_t clauses_add(cj__ask *a, const cj__seg_node *node, cj__clause c,
                           cj__clauses *out)
{
    const cj__text nameless = {NULL, 0};
    const uint32_t at = out->n;
    int32_t rc;

    CJ_TRY(clauses_text(a, node, &c.text));
    if (at > 0)
        CJ_TRY(cj__set_add(&a->set, nameless, c.text, &c.item));
    c.node = a->set.items[c.item].tree->root;
    c.logic = clauses_logic(node);
    out->all[out->n++] = c;
    for (uint32_t k = 0; c.logic != 0 && k < node->n_kids; k++)
        CJ_TRY(clauses_add(a, node->kids[k],
                           (cj__clause){.parent = at, .depth = c.depth + 1}, out));
out:
    return rc;
}

int32_t cj__clauses_of(cj__ask *a, uint32_t item, cj__clauses *out)
{
    const cj__segment_tree *tree = a->set.items[item].tree;

    out->n = 0;
    out->all = cj__arena_alloc(&a->set.arena, tree->n_nodes * sizeof *out->all);
    if (out->all == NULL)
        return CJ_ENOMEM;
    return clauses_add(a, tree->root, (cj__clause){.item = item}, out);
}
