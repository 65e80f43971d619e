/* One message becomes rows: identifiers to nodes and edges, texts to terms, the event
 * and its items to rows of the batch.  Within a write transaction. */
#include "events/apply.h"
#include "profile/profile.h"

#include <string.h>

/* ---- getting ready
 * ------------------------------------------------------------------------ */

/* The normalised identifier: where it came from if it is the same there. */
static int32_t ready_text(cj__arena *texts, const char *came, const char *text,
                          size_t n, cj__text *out)
{
    *out = (cj__text){came, n};
    if (memcmp(came, text, n) == 0) /* came has n bytes, or a NUL before that */
        return CJ_OK;
    out->data = cj__arena_text(texts, text, n);
    return out->data == NULL ? CJ_ENOMEM : CJ_OK;
}

/* The identifiers of the message that may identify somebody, normalised. */
static int32_t ready_identifiers(cj_db *db, const cj__message *m, cj__ready *r, int at)
{
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < m->event.n_identifiers; i++) {
        const cj_identifier *id = &m->event.identifiers[i];
        const cj__kind *kind = cj__kind_named(id->kind);
        char text[CJ__MAX_IDENTIFIER + 1];
        cj__text normal;
        int blocked;
        size_t n;

        if (cj__kind_normalise(kind, cj__text_of(id->value), text, &n) != 0)
            continue;
        CJ_TRY(ready_text(&r->texts, id->value, text, n, &normal));
        r->ids[r->n_ids] = cj__identifier_of(db, kind, normal);
        CJ_TRY(cj__identifier_blocked(db, &r->ids[r->n_ids], &blocked));
        r->n_ids += !blocked;
    }
    r->of[at].n = r->n_ids - r->of[at].first;
out:
    return rc;
}

/* The nodes that are known in memory, and the edges to ask for. */
static int32_t ready_look(cj_db *db, cj__ready *r, int at)
{
    int strongest = r->of[at].first;
    int32_t rc = CJ_OK;

    for (int i = r->of[at].first; i < r->of[at].first + r->of[at].n; i++) {
        CJ_TRY(cj__identifier_look(db, &r->ids[i]));
        if (r->ids[i].kind->id < r->ids[strongest].kind->id)
            strongest = i;
    }
    r->of[at].strongest = strongest;
    for (int i = r->of[at].first; i < r->of[at].first + r->of[at].n; i++)
        if (i != strongest)
            cj__edge_expect(db, r->ids[strongest].key.id, r->ids[i].key.id);
out:
    return rc;
}

/* The texts of the event that are terms: terms[space - 1]. */
static void ready_terms(const cj_db *db, const cj_event *e, cj__term_text *terms)
{
    const char *const texts[] = {e->name, e->channel, e->campaign, e->content,
                                 e->product};

    _Static_assert(sizeof texts / sizeof texts[0] == CJ__READY_TERMS, "spaces 1 to 5");
    for (int i = 0; i < CJ__READY_TERMS; i++)
        terms[i] = cj__term_expect(db, i + 1, cj__text_of(texts[i]));
}

int32_t cj__messages_ready(cj_db *db, const cj__message *messages, int64_t n,
                           cj__ready *ready)
{
    int32_t rc = CJ_OK;

    cj__arena_reset(&ready->texts);
    ready->n_ids = 0;
    for (int at = 0; at < n; at++) {
        const cj__message *m = &messages[at];
        ready->of[at].first = ready->n_ids;
        ready->of[at].n = 0;
        if (m->outcome == CJ__REJECTED)
            continue;
        CJ_TRY(ready_identifiers(db, m, ready, at));
        if (m->event.message_id != NULL)
            ready->of[at].hash = cj__message_hash(db, m->event.message_id);
        ready_terms(db, &m->event, ready->of[at].terms);
    }
    for (int at = 0; at < n; at++)
        CJ_TRY(ready_look(db, ready, at));
out:
    return rc;
}

/* ---- applying
 * ----------------------------------------------------------------------------- */

/* Nodes of all, edges from the strongest to each other one. */
static int32_t apply_identity(cj_db *db, cj__message *m, cj__ready *r, int at,
                              uint32_t *node_out)
{
    int32_t cause = m->cause != 0 ? m->cause : CJ__CAUSE_EVENT;
    cj__identifier *ids = r->ids + r->of[at].first;
    cj__node node;
    int32_t rc = CJ_OK;

    for (int i = 0; i < r->of[at].n; i++)
        CJ_TRY(cj__identifier_node(db, &ids[i], 1));
    *node_out = r->ids[r->of[at].strongest].key.id;
    for (int i = 0; i < r->of[at].n; i++) {
        cj__edge edge;
        int told = cause == CJ__CAUSE_ALIAS;
        if (ids[i].key.id == *node_out)
            continue;
        CJ_TRY(cj__edge_add(db, *node_out, ids[i].key.id, cause, m->event.time_ms,
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

static int32_t apply_terms(cj_db *db, const cj_event *e, const cj__term_text *terms,
                           cj__row *row)
{
    uint32_t *const to[CJ__READY_TERMS] = {&row->name, &row->channel, &row->campaign,
                                           &row->content, &row->product};
    int32_t rc;

    for (int i = 0; i < CJ__READY_TERMS; i++)
        CJ_TRY(cj__term_get(db, i + 1, &terms[i], to[i]));
    row->has_value = e->value_minor != 0 || e->currency != NULL ||
                     row->name == CJ__NAME_ORDER || row->name == CJ__NAME_REFUND;
    if (row->has_value)
        CJ_TRY(cj__term(db, CJ__SPACE_CURRENCY, cj__text_of(db->currency),
                        &row->currency));
out:
    return rc;
}

static int32_t apply_row(cj_db *db, const cj__row *row, cj__batch *batch)
{
    cj__batch_row(batch, row);
    return db->observer->row(db, row);
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
        CJ_TRY(apply_row(db, &row, batch));
    }
out:
    return rc;
}

static int32_t apply_event(cj_db *db, cj__message *m, const cj__term_text *terms,
                           uint32_t node, cj__batch *batch)
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

    CJ_TRY(apply_terms(db, e, terms, &row));
    CJ_TRY(apply_row(db, &row, batch));
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

int32_t cj__message_apply(cj_db *db, cj__message *m, cj__ready *ready, int at,
                          int64_t now_ms, cj__batch *batch)
{
    uint32_t node;
    int seen = 0;
    int32_t rc = CJ_OK;

    if (m->outcome == CJ__REJECTED)
        return apply_failed(db, m, now_ms);
    if (ready->of[at].n == 0) {
        (void)cj__reject(m, CJ_EINVAL, "no identifier that identifies anybody");
        return apply_failed(db, m, now_ms);
    }
    if (m->event.message_id != NULL)
        CJ_TRY(
            cj__message_seen(db, batch, ready->of[at].hash, m->event.time_ms, &seen));
    if (seen) {
        m->outcome = CJ__DUPLICATE;
        return CJ_OK;
    }
    CJ_TRY(apply_identity(db, m, ready, at, &node));
    if (m->traits != NULL)
        CJ_TRY(cj__traits_add(db, node, cj__text_of(m->traits), m->event.time_ms,
                              m->source != NULL ? m->source : "host"));
    if (m->event.name != NULL)
        CJ_TRY(apply_event(db, m, ready->of[at].terms, node, batch));
    m->outcome = CJ__RECORDED;
out:
    return rc;
}
