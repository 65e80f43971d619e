/* profile_of[] and its companions, in pages of CJ__NODE_PAGE nodes: a merge touches one
 * page or two, one node costs one row read, and the whole array loads in milliseconds.
 *
 * A page is three arrays, little-endian: profile (uint32 each), next (uint32 each: the
 * ring of a profile's nodes), mask and own (one byte each: the kinds of identifiers in
 * the profile, valid at its oldest node; and of the node itself).  Node n is entry (n -
 * 1) % CJ__NODE_PAGE of page (n - 1) / CJ__NODE_PAGE.  A profile of 0 is a node that
 * does not exist yet. */
#include "store/internal.h"

#include <string.h>

void cj__nodes_reset(cj_db *db)
{
    cj__node_pages *p = &db->store->nodes;

    for (size_t i = 0; i < p->n; i++)
        cj__free(&db->cx.allocator, p->pages[i].data, CJ__NODE_PAGE_BYTES);
    p->n = 0;
}

static int32_t node_room(cj_db *db, size_t need)
{
    cj__node_pages *p = &db->store->nodes;
    int32_t rc;

    if (need <= p->n)
        return CJ_OK;
    rc = cj__array_grow(&db->cx.allocator, (void **)&p->pages, &p->capacity, need,
                        sizeof *p->pages, CJ__MAX_NODES / CJ__NODE_PAGE + 2);
    if (rc != CJ_OK)
        return rc;
    memset(p->pages + p->n, 0, (need - p->n) * sizeof *p->pages);
    p->n = need;
    return CJ_OK;
}

static int32_t node_load(cj__conn *conn, size_t index, uint8_t *page)
{
    cj__query q = {0};
    cj__text data;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_NODE_PAGE_GET, &q));
    cj__query_int64(&q, 1, (int64_t)index);
    CJ_TRY(cj__query_step(&q, &row));
    memset(page, 0, CJ__NODE_PAGE_BYTES);
    if (row) {
        data = cj__query_get_blob(&q, 0);
        if (data.n != CJ__NODE_PAGE_BYTES)
            CJ_TRY(cj__fail(CJ_ECORRUPT, "node page %lld has %lld bytes",
                            (long long)index, (long long)data.n));
        memcpy(page, data.data, CJ__NODE_PAGE_BYTES);
    }
out:
    cj__query_end(&q);
    return rc;
}

/* The page of a node, read if need be. */
static int32_t node_page(cj_db *db, uint32_t node, uint8_t **out)
{
    cj__node_pages *p = &db->store->nodes;
    size_t index = (node - 1) / CJ__NODE_PAGE;
    int32_t rc = node_room(db, index + 1);

    if (rc != CJ_OK)
        return rc;
    if (p->pages[index].data == NULL) {
        uint8_t *page = cj__alloc(&db->cx.allocator, CJ__NODE_PAGE_BYTES);
        if (page == NULL)
            return CJ_ENOMEM;
        rc = node_load(cj__writer(db), index, page);
        if (rc != CJ_OK) {
            cj__free(&db->cx.allocator, page, CJ__NODE_PAGE_BYTES);
            return rc;
        }
        p->pages[index].data = page;
    }
    *out = p->pages[index].data;
    return CJ_OK;
}

static void node_take(const uint8_t *page, uint32_t node, cj__node *out)
{
    size_t at = (node - 1) % CJ__NODE_PAGE;

    memcpy(&out->profile, page + at * 4, 4);
    memcpy(&out->next, page + CJ__NODE_PAGE * 4 + at * 4, 4);
    out->mask = page[CJ__NODE_PAGE * 8 + at];
    out->own = page[CJ__NODE_PAGE * 9 + at];
}

int32_t cj__node_get(cj_db *db, uint32_t node, cj__node *out)
{
    uint8_t *page;
    int32_t rc;

    memset(out, 0, sizeof *out);
    if (node == 0)
        return cj__fail(CJ_ECORRUPT, "node 0 was asked for");
    rc = node_page(db, node, &page);
    if (rc == CJ_OK)
        node_take(page, node, out);
    return rc;
}

int32_t cj__node_read(cj__conn *conn, uint32_t node, cj__node *out)
{
    uint8_t page[CJ__NODE_PAGE_BYTES];
    int32_t rc;

    memset(out, 0, sizeof *out);
    if (node == 0)
        return cj__fail(CJ_ECORRUPT, "node 0 was asked for");
    rc = node_load(conn, (node - 1) / CJ__NODE_PAGE, page);
    if (rc == CJ_OK)
        node_take(page, node, out);
    return rc;
}

int32_t cj__node_put(cj_db *db, uint32_t node, const cj__node *in)
{
    size_t at = (node - 1) % CJ__NODE_PAGE;
    uint32_t from;
    uint8_t *page;
    int32_t rc = node_page(db, node, &page);

    if (rc != CJ_OK)
        return rc;
    memcpy(&from, page + at * 4, 4);
    memcpy(page + at * 4, &in->profile, 4);
    memcpy(page + CJ__NODE_PAGE * 4 + at * 4, &in->next, 4);
    page[CJ__NODE_PAGE * 8 + at] = in->mask;
    page[CJ__NODE_PAGE * 9 + at] = in->own;
    db->store->nodes.pages[(node - 1) / CJ__NODE_PAGE].dirty = 1;
    return from != in->profile ? db->observer->moved(db, node, from) : CJ_OK;
}

int32_t cj__nodes_flush(cj_db *db)
{
    cj__node_pages *p = &db->store->nodes;
    cj__query q = {0};
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < p->n; i++) {
        if (!p->pages[i].dirty)
            continue;
        CJ_TRY(cj__query_begin(cj__writer(db), STMT_NODE_PAGE_PUT, &q));
        cj__query_int64(&q, 1, (int64_t)i);
        cj__query_blob(&q, 2,
                       (cj__text){(const char *)p->pages[i].data, CJ__NODE_PAGE_BYTES});
        CJ_TRY(cj__query_run(&q));
        cj__query_end(&q);
        p->pages[i].dirty = 0;
    }
out:
    cj__query_end(&q);
    return rc;
}
