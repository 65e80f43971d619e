/* From text or JSON to a checked tree.  A tree owns its arena; what is accepted also
 * fits the limits as canonical text, so that it can be written down and read again. */
#include "segment/check.h"
#include "segment/json.h"
#include "segment/parse.h"
#include "store/store.h"

#include <string.h>

static int32_t front_new(struct cj_db *db, cj__text source, cj__segment_tree **out)
{
    cj__segment_tree *tree = cj__alloc_zero(&db->cx.allocator, sizeof *tree);

    if (tree == NULL)
        return CJ_ENOMEM;
    cj__arena_init(&tree->arena, &db->cx.allocator);
    tree->source.data =
        cj__arena_text(&tree->arena, source.n > 0 ? source.data : "", source.n);
    tree->source.n = source.n;
    *out = tree;
    return tree->source.data == NULL ? CJ_ENOMEM : CJ_OK;
}

void cj__segment_free(struct cj_db *db, cj__segment_tree *tree)
{
    if (tree == NULL)
        return;
    cj__arena_end(&tree->arena);
    cj__free(&db->cx.allocator, tree, sizeof *tree);
}

static int32_t front_read(struct cj_db *db, cj__segment_tree *tree)
{
    cj__seg_maker make = {.db = db, .arena = &tree->arena};
    cj__parser p = {.make = &make};
    int32_t rc;

    CJ_TRY(cj__lex_begin(&p.lex, &tree->arena, tree->source));
    CJ_TRY(cj__parse_or(&p, &tree->root));
    if (p.lex.token.kind != CJ__LEX_END)
        return cj__parse_expected(&p, "a comparison, `and`, `or` or the end");
    CJ_TRY(cj__seg_check(db, tree->root));
    tree->n_nodes = make.n_nodes;
out:
    return rc;
}

/* The canonical text; CJ_ELIMIT when it is too long to be read again. */
static int32_t front_canonical(const cj__seg_node *root, cj__str *s)
{
    cj__segment_put(s, root);
    if (cj__str_status(s) == CJ_ELIMIT)
        return cj__fail(CJ_ELIMIT, "as canonical text the segment has over %d bytes",
                        CJ__MAX_SEGMENT);
    return cj__str_status(s);
}

int32_t cj__segment_parse(struct cj_db *db, cj__text source, cj__segment_tree **out)
{
    cj__segment_tree *tree = NULL;
    cj__str text = {0};
    int32_t rc;

    *out = NULL;
    if (source.n > CJ__MAX_SEGMENT)
        return cj__fail_at(CJ__MAX_SEGMENT, CJ_ELIMIT, "a segment has at most %d bytes",
                           CJ__MAX_SEGMENT);
    CJ_TRY(front_new(db, source, &tree));
    CJ_TRY(front_read(db, tree));
    cj__str_init(&text, &db->cx.allocator, CJ__MAX_SEGMENT);
    CJ_TRY(front_canonical(tree->root, &text));
    *out = tree;
    tree = NULL;
out:
    cj__str_end(&text);
    cj__segment_free(db, tree);
    return rc;
}

/* By way of canonical text: a tree is the same wherever it came from, its places are
 * those of that text.  What is wrong with it is found before, at a byte of the JSON. */
int32_t cj__segment_from_json(struct cj_db *db, cj__text json, cj__segment_tree **out)
{
    cj__seg_maker make = {.db = db};
    cj__seg_node *root;
    cj__str text = {0};
    cj__arena arena;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    cj__str_init(&text, &db->cx.allocator, CJ__MAX_SEGMENT);
    make.arena = &arena;
    CJ_TRY(cj__seg_json_read(&make, json, &root));
    CJ_TRY(cj__seg_check(db, root));
    CJ_TRY(front_canonical(root, &text));
    CJ_TRY(cj__segment_parse(db, (cj__text){text.data, text.n}, out));
out:
    cj__str_end(&text);
    cj__arena_end(&arena);
    return rc;
}
