/* One message becomes rows: identifiers to nodes and edges, texts to terms, the event
 * and its items to rows of the batch.  Within a write transaction. */
#include "events/apply.h"
#include "identity/identity.h"
#include "profile/profile.h"

#include <string.h>

typedef struct apply_ident {
    const cj__kind *kind;
    size_t n;
    uint32_t node;
    char text[CJ__MAX_IDENTIFIER + 1];
} apply_ident;

/* The identifiers of the message that may identify somebody, normalised. */
static int32_t apply_usable(cj_db *db, const cj__message *m, apply_ident *to,
                            int *n_out)
{
    int32_t rc = CJ_OK;

    *n_out = 0;
    for (int64_t i = 0; i < m->event.n_identifiers; i++) {
        const cj_identifier *id = &m->event.identifiers[i];
        apply_ident *next = &to[*n_out];
        int blocked;

        next->kind = cj__kind_named(id->kind);
        if (cj__kind_normalise(next->kind, cj__text_of(id->value), next->text,
                               &next->n) != 0)
            continue;
        CJ_TRY(cj__identifier_blocked(db, next->kind, (cj__text){next->text, next->n},
                                      &blocked));
        if (!blocked)
            ++*n_out;
    }
out:
    return rc;
}

/* Nodes of all, edges from the strongest to each other one. */
static int32_t apply_identity(cj_db *db, cj__message *m, apply_ident *idents, int n,
                              uint32_t *node_out)
{
    int32_t cause = m->cause != 0 ? m->cause : CJ__CAUSE_EVENT;
    int strongest = 0;
    cj__node node;
    int32_t rc = CJ_OK;

    for (int i = 0; i < n; i++) {
        CJ_TRY(cj__identifier_node(db, idents[i].kind,
                                   (cj__text){idents[i].text, idents[i].n}, 1,
                                   &idents[i].node));
        if (idents[i].kind->id < idents[strongest].kind->id)
            strongest = i;
    }
    *node_out = idents[strongest].node;
    for (int i = 0; i < n; i++) {
        cj__edge edge;
        int told = cause == CJ__CAUSE_ALIAS;
        if (idents[i].node == *node_out)
            continue;
        CJ_TRY(cj__edge_add(db, *node_out, idents[i].node, cause, m->event.time_ms,
                            told ? &edge : NULL));
        if (told && edge.state == CJ__EDGE_REFUSED)
            m->refused++;
    }
    if (m->profile != 0) { /* a cache miss that most callers need not pay */
        CJ_TRY(cj__node_get(db, *node_out, &node));
        m->profile = node.profile;
    }
out:
    return rc;
}

static int32_t apply_terms(cj_db *db, const cj_event *e, cj__row *row)
{
    int32_t rc;

    CJ_TRY(cj__term(db, CJ__SPACE_NAME, cj__text_of(e->name), &row->name));
    CJ_TRY(cj__term(db, CJ__SPACE_CHANNEL, cj__text_of(e->channel), &row->channel));
    CJ_TRY(cj__term(db, CJ__SPACE_CAMPAIGN, cj__text_of(e->campaign), &row->campaign));
    CJ_TRY(cj__term(db, CJ__SPACE_CONTENT, cj__text_of(e->content), &row->content));
    CJ_TRY(cj__term(db, CJ__SPACE_PRODUCT, cj__text_of(e->product), &row->product));
    if (row->has_value)
        CJ_TRY(cj__term(db, CJ__SPACE_CURRENCY, cj__text_of(db->currency),
                        &row->currency));
out:
    return rc;
}

static int32_t apply_items(cj_db *db, const cj_event *e, const cj__row *order,
                           cj__batch *batch)
{
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < e->n_items; i++) {
        const cj_item *item = &e->items[i];
        cj__row row = *order;
        row.name = CJ__NAME_ORDER_ITEM;
        row.quantity = item->quantity == 0 ? 1 : item->quantity;
        row.value_minor = item->value_minor;
        row.properties = cj__text_of(item->properties);
        CJ_TRY(
            cj__term(db, CJ__SPACE_PRODUCT, cj__text_of(item->product), &row.product));
        cj__batch_row(batch, &row);
    }
out:
    return rc;
}

static int32_t apply_event(cj_db *db, cj__message *m, uint32_t node, cj__batch *batch)
{
    const cj_event *e = &m->event;
    cj__row row = {.time_ms = e->time_ms,
                   .quantity = e->quantity,
                   .value_minor = e->value_minor,
                   .node = node,
                   .session = cj__text_of(e->session),
                   .order = cj__text_of(e->order_id),
                   .properties = cj__text_of(e->properties)};
    int64_t before = batch->n_events;
    int32_t rc;

    row.has_value = e->value_minor != 0 || e->currency != NULL ||
                    strcmp(e->name, "order") == 0 || strcmp(e->name, "refund") == 0;
    CJ_TRY(apply_terms(db, e, &row));
    cj__batch_row(batch, &row);
    row.has_value = 1;
    if (row.currency == 0 && e->n_items > 0)
        CJ_TRY(
            cj__term(db, CJ__SPACE_CURRENCY, cj__text_of(db->currency), &row.currency));
    CJ_TRY(apply_items(db, e, &row, batch));
    CJ_TRY(cj__str_status(&batch->events));
    m->n_events = batch->n_events - before;
out:
    return rc;
}

static int32_t apply_seen(cj_db *db, const cj__message *m, cj__batch *batch,
                          int *seen_out)
{
    const char *id = m->event.message_id;

    *seen_out = 0;
    if (id == NULL)
        return CJ_OK;
    return cj__message_seen(db, batch, cj__hash64(cj__store_seed(db), id, strlen(id)),
                            m->event.time_ms, seen_out);
}

/* Keep what was rejected. */
static int32_t apply_failed(cj_db *db, const cj__message *m, int64_t now_ms)
{
    cj__text raw = m->raw;
    cj__str json;
    int32_t rc = CJ_OK;

    cj__str_init(&json, &db->cx.allocator, (size_t)64 << 20);
    if (raw.data == NULL) {
        cj__message_put(&json, m);
        CJ_TRY(cj__str_status(&json));
        raw = (cj__text){json.data, json.n};
    }
    CJ_TRY(cj__failed_add(db, now_ms, m->format != NULL ? m->format : "record", m->code,
                          m->reason, raw));
out:
    cj__str_end(&json);
    return rc;
}

int32_t cj__message_apply(cj_db *db, cj__message *m, int64_t now_ms, cj__batch *batch)
{
    apply_ident idents[CJ__MAX_IDENTIFIERS];
    uint32_t node;
    int n = 0, seen;
    int32_t rc;

    if (m->outcome == CJ__REJECTED)
        return apply_failed(db, m, now_ms);
    CJ_TRY(apply_usable(db, m, idents, &n));
    if (n == 0) {
        (void)cj__reject(m, CJ_EINVAL, "no identifier that identifies anybody");
        return apply_failed(db, m, now_ms);
    }
    CJ_TRY(apply_seen(db, m, batch, &seen));
    if (seen) {
        m->outcome = CJ__DUPLICATE;
        return CJ_OK;
    }
    CJ_TRY(apply_identity(db, m, idents, n, &node));
    if (m->traits != NULL)
        CJ_TRY(cj__traits_add(db, node, cj__text_of(m->traits), m->event.time_ms,
                              m->source != NULL ? m->source : "host"));
    if (m->event.name != NULL)
        CJ_TRY(apply_event(db, m, node, batch));
    m->outcome = CJ__RECORDED;
out:
    return rc;
}
