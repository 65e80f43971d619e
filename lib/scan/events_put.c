/* Rows on their way to the table of cj_events: copied as they are found, in order of
 * arrival within a slice, then sorted and put. */
#include "scan/internal.h"

enum {
    EVENTS_PROFILE,
    EVENTS_NODE,
    EVENTS_TIME,
    EVENTS_NAME,
    EVENTS_CHANNEL,
    EVENTS_SESSION,
    EVENTS_CAMPAIGN,
    EVENTS_CONTENT,
    EVENTS_PRODUCT,
    EVENTS_ORDER,
    EVENTS_QUANTITY,
    EVENTS_VALUE,
    EVENTS_CURRENCY,
    EVENTS_PROPERTIES
};
#define EVENTS_COLUMNS                                                                 \
    "profile:i node:i time_ms:i name:t channel:t session:t campaign:t content:t "      \
    "product:t order_id:t quantity:i value_minor:i currency:t properties:t"

int32_t cj__events_begin(cj__events *e, cj__reader *reader, int64_t limit)
{
    const cj__allocator *a = &cj__reader_db(reader)->cx.allocator;

    e->reader = reader;
    e->limit = limit;
    cj__arena_init(&e->texts, a);
    return cj__table_new(a, EVENTS_COLUMNS, &e->table);
}

void cj__events_end(cj__events *e)
{
    const cj__allocator *a;

    if (e->reader == NULL)
        return;
    a = &cj__reader_db(e->reader)->cx.allocator;
    cj__free(a, e->keys, e->keys_capacity * sizeof *e->keys);
    cj__free(a, e->rows, e->rows_capacity * sizeof *e->rows);
    cj__arena_end(&e->texts);
    cj__table_free(e->table);
}

static int32_t events_copy(cj__events *e, cj__text *text)
{
    if (text->data == NULL)
        return CJ_OK;
    text->data = cj__arena_text(&e->texts, text->data, text->n);
    return text->data == NULL ? CJ_ENOMEM : CJ_OK;
}

int32_t cj__events_keep(cj__events *e, uint32_t profile, const cj__row *row)
{
    void *rows = e->rows;
    cj__event_row *to;
    int32_t rc;

    rc = cj__array_grow(&cj__reader_db(e->reader)->cx.allocator, &rows,
                        &e->rows_capacity, (size_t)e->n_rows + 1, sizeof *e->rows,
                        UINT32_MAX);
    e->rows = rows;
    if (rc != CJ_OK)
        return rc;
    to = &e->rows[e->n_rows];
    to->profile = profile;
    to->row = *row;
    CJ_TRY(events_copy(e, &to->row.session));
    CJ_TRY(events_copy(e, &to->row.order));
    CJ_TRY(events_copy(e, &to->row.properties));
    e->n_rows++;
out:
    return rc;
}

static int32_t events_term(cj__events *e, int column, uint32_t id)
{
    cj__text text;
    int32_t rc = cj__reader_term(e->reader, id, &text);

    if (rc == CJ_OK && text.data != NULL)
        cj__table_text(e->table, column, text.data, text.n);
    else if (rc == CJ_OK)
        cj__table_null(e->table, column);
    return rc;
}

static void events_text(cj__events *e, int column, cj__text text)
{
    if (text.data != NULL)
        cj__table_text(e->table, column, text.data, text.n);
    else
        cj__table_null(e->table, column);
}

/* An event without a currency of its own is in the store's. */
static int32_t events_money(cj__events *e, const cj__row *row)
{
    if (!row->has_value) {
        cj__table_null(e->table, EVENTS_VALUE);
        cj__table_null(e->table, EVENTS_CURRENCY);
        return CJ_OK;
    }
    cj__table_int64(e->table, EVENTS_VALUE, row->value_minor);
    if (row->currency != 0)
        return events_term(e, EVENTS_CURRENCY, row->currency);
    cj__table_put(e->table, EVENTS_CURRENCY, cj__reader_db(e->reader)->currency);
    return CJ_OK;
}

static int32_t events_put(cj__events *e, uint32_t profile, const cj__row *row)
{
    cj_table *t = e->table;
    int32_t rc;

    cj__table_int64(t, EVENTS_PROFILE, profile);
    cj__table_int64(t, EVENTS_NODE, row->node);
    cj__table_int64(t, EVENTS_TIME, row->time_ms);
    CJ_TRY(events_term(e, EVENTS_NAME, row->name));
    CJ_TRY(events_term(e, EVENTS_CHANNEL, row->channel));
    events_text(e, EVENTS_SESSION, row->session);
    CJ_TRY(events_term(e, EVENTS_CAMPAIGN, row->campaign));
    CJ_TRY(events_term(e, EVENTS_CONTENT, row->content));
    CJ_TRY(events_term(e, EVENTS_PRODUCT, row->product));
    events_text(e, EVENTS_ORDER, row->order);
    if (row->quantity != 0)
        cj__table_int64(t, EVENTS_QUANTITY, row->quantity);
    else
        cj__table_null(t, EVENTS_QUANTITY);
    CJ_TRY(events_money(e, row));
    events_text(e, EVENTS_PROPERTIES, row->properties);
out:
    return rc;
}

int32_t cj__events_emit(cj__events *e)
{
    void *keys = e->keys;
    int64_t room = e->limit;
    int32_t rc;

    rc = cj__array_grow(&cj__reader_db(e->reader)->cx.allocator, &keys,
                        &e->keys_capacity, (size_t)e->n_rows * 2, sizeof *e->keys,
                        SIZE_MAX);
    e->keys = keys;
    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < e->n_rows; i++)
        e->keys[i] = (cj__sort_key){.time_ms = e->rows[i].row.time_ms,
                                    .profile = e->rows[i].profile,
                                    .node = e->rows[i].row.node,
                                    .row = (uint32_t)i};
    cj__sort_keys(e->keys, e->keys + e->n_rows, e->n_rows);
    for (int64_t i = 0; i < e->n_rows && i < room; i++)
        CJ_TRY(events_put(e, e->keys[i].profile, &e->rows[e->keys[i].row].row));
    e->limit -= e->n_rows < room ? e->n_rows : room;
    e->n_rows = 0;
    cj__arena_reset(&e->texts);
out:
    return rc;
}
