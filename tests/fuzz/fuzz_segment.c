/* Any bytes as a segment, and as one in JSON: what is accepted has a canonical text
 * that parses to the same canonical text, and the same again by way of JSON; what is
 * not says where.  All of it inside the limits. */
#include "segment/tree.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int ok)
{
    if (!ok)
        abort();
}

/* The canonical text and JSON of a tree, which is freed. */
static void put(struct cj_db *db, cj__segment_tree *tree, cj__str *text, cj__str *json)
{
    cj__str_init(text, &db->cx.allocator, CJ__MAX_SEGMENT);
    cj__str_init(json, &db->cx.allocator, CJ__MAX_MESSAGE);
    cj__segment_put(text, tree->root);
    cj__segment_put_json(json, tree->root);
    must(cj__str_status(text) == CJ_OK && cj__str_status(json) == CJ_OK);
    must(tree->n_nodes > 0 && tree->n_nodes <= CJ__MAX_SEGMENT_NODES);
    cj__segment_free(db, tree);
}

/* A tree is what another text or JSON says too. */
static void same(struct cj_db *db, int32_t rc, cj__segment_tree *tree,
                 const cj__str *want_text, const cj__str *want_json)
{
    cj__str text, json;

    must(rc == CJ_OK);
    put(db, tree, &text, &json);
    must(text.n == want_text->n && memcmp(text.data, want_text->data, text.n) == 0);
    must(json.n == want_json->n && memcmp(json.data, want_json->data, json.n) == 0);
    cj__str_end(&text);
    cj__str_end(&json);
}

static void check(struct cj_db *db, int32_t rc, cj__segment_tree *tree, size_t n)
{
    cj__segment_tree *again;
    cj__str text, json;

    if (rc != CJ_OK) {
        must(rc == CJ_EINVAL || rc == CJ_ELIMIT || rc == CJ_ECURRENCY);
        must(tree == NULL && cj__error_text()[0] != '\0');
        must(cj__error_position() <= (int64_t)n);
        must(cj__error_position() >= 0 || rc == CJ_ELIMIT);
        return;
    }
    put(db, tree, &text, &json);
    rc = cj__segment_parse(db, (cj__text){text.data, text.n}, &again);
    same(db, rc, again, &text, &json);
    rc = cj__segment_from_json(db, (cj__text){json.data, json.n}, &again);
    same(db, rc, again, &text, &json);
    cj__str_end(&text);
    cj__str_end(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const cj__text text = {(const char *)data, n};
    struct cj_db db = {.currency = "EUR", .currency_exponent = 2};
    cj__segment_tree *tree = NULL;
    int32_t rc;

    cj__ctx_init(&db.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    must(cj__zone_open(&db.cx.allocator, "UTC", &db.zone) == CJ_OK);
    rc = cj__segment_parse(&db, text, &tree);
    check(&db, rc, tree, n);
    rc = cj__segment_from_json(&db, text, &tree);
    check(&db, rc, tree, n);
    cj__zone_end(db.zone);
    return 0;
}
