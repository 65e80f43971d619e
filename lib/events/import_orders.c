/* The open orders of a CSV import.  A file has one line per product; lines of one order
 * id become one message.  They need not be adjacent: an order stays open until 1,024
 * later ones have begun (or the open ones hold 32 MiB), then it goes to the batch.  A
 * line that comes later still is refused, because its order has been counted without
 * it.
 *
 * Invariant: orders leave in the order of their first lines, whatever the batch size,
 * so that running a file again makes the same messages.  Of a closed order only a hash
 * is kept (16 bytes, in a table at most 4 times as large). */
#include "events/import.h"

#include <string.h>

enum {
    ORDERS_OPEN = 1024,
    ORDERS_BYTES = 32 * 1024 * 1024, /* of all open ones */
    ORDER_BYTES = 8 * 1024 * 1024,   /* of one: 10,000 long lines */
    ORDER_KEPT = 64 * 1024           /* memory a slot keeps for the next order */
};

enum { /* texts of an order besides its fields */
       ORDER_TRAITS = CJ__N_FIELDS,
       ORDER_PROPERTIES,
       ORDER_N_TEXTS
};

typedef struct order_line {
    int64_t line, quantity, value_minor;
    size_t raw_at, raw_n;
    size_t product, properties; /* places in bytes + 1; 0: absent */
} order_line;

typedef struct order_slot {
    cj__str bytes; /* texts, each with its NUL */
    cj__str raw;   /* the lines as they stand, joined by newlines */
    order_line *lines;
    size_t n_lines, capacity;
    size_t text[ORDER_N_TEXTS]; /* places in bytes + 1; 0: absent */
    int64_t time_ms, total, quantity;
    int is_refund; /* the file says so */
    int too_large; /* its lines are rejected as they come */
} order_slot;

struct cj__orders {
    cj__import *im;
    cj__map known; /* hash of the order to its number */
    uint64_t seed;
    uint64_t first, next; /* numbers of the open ones: [first, next) */
    size_t n_bytes;
    cj__str scratch;
    order_slot slots[ORDERS_OPEN];
};

static const char order_too_large[] = "an order of over 10,000 lines or 8 MiB";

int32_t cj__orders_new(cj__import *im, cj__orders **out)
{
    const cj__allocator *a = &im->db->cx.allocator;
    cj__orders *o = cj__alloc_zero(a, sizeof *o);

    *out = o;
    if (o == NULL)
        return CJ_ENOMEM;
    o->im = im;
    o->seed = cj__random_seed(); /* for a table in memory: no result depends on it */
    cj__map_init(&o->known, a);
    cj__str_init(&o->scratch, a, CJ__MAX_MESSAGE * 8);
    for (size_t i = 0; i < ORDERS_OPEN; i++) {
        cj__str_init(&o->slots[i].bytes, a, (size_t)ORDER_BYTES * 2);
        cj__str_init(&o->slots[i].raw, a, (size_t)ORDER_BYTES * 2);
    }
    return CJ_OK;
}

static void order_free_lines(cj__orders *o, order_slot *s)
{
    cj__free(&o->im->db->cx.allocator, s->lines, s->capacity * sizeof *s->lines);
    s->lines = NULL;
    s->capacity = 0;
}

void cj__orders_end(cj__orders *o)
{
    const cj__allocator *a;

    if (o == NULL)
        return;
    a = &o->im->db->cx.allocator;
    for (size_t i = 0; i < ORDERS_OPEN; i++) {
        cj__str_end(&o->slots[i].bytes);
        cj__str_end(&o->slots[i].raw);
        order_free_lines(o, &o->slots[i]);
    }
    cj__str_end(&o->scratch);
    cj__map_end(&o->known);
    cj__free(a, o, sizeof *o);
}

static int order_is_refund(const cj__orders *o, const cj__row_text *row)
{
    cj__text name = cj__row_field(row, CJ__FIELD_NAME);

    if (name.data == NULL)
        name = cj__text_of(o->im->opts->name);
    return name.data != NULL && cj__text_equal(name, cj__text_of("refund"));
}

static order_slot *order_at(cj__orders *o, uint64_t number)
{
    return &o->slots[number % ORDERS_OPEN];
}

static size_t order_size(const order_slot *s)
{
    return s->bytes.n + s->raw.n + s->n_lines * sizeof *s->lines;
}

/* Empty a slot; large memory goes back. */
static void order_clear(cj__orders *o, order_slot *s)
{
    const cj__allocator *a = &o->im->db->cx.allocator;

    o->n_bytes -= order_size(s);
    cj__str_clear(&s->bytes);
    cj__str_clear(&s->raw);
    if (s->bytes.capacity > ORDER_KEPT) {
        cj__str_end(&s->bytes);
        cj__str_init(&s->bytes, a, (size_t)ORDER_BYTES * 2);
    }
    if (s->raw.capacity > ORDER_KEPT) {
        cj__str_end(&s->raw);
        cj__str_init(&s->raw, a, (size_t)ORDER_BYTES * 2);
    }
    if (s->capacity * sizeof *s->lines > ORDER_KEPT)
        order_free_lines(o, s);
    memset(s->text, 0, sizeof s->text);
    s->n_lines = 0;
    s->time_ms = s->total = s->quantity = 0;
    s->is_refund = s->too_large = 0;
}

/* ---- closing: a slot becomes a message
 * -------------------------------------------------- */

/* base is the arena's copy of the slot's bytes. */
static const char *order_text(const char *base, size_t place)
{
    return place > 0 ? base + place - 1 : NULL;
}

static int32_t order_items(cj__orders *o, const order_slot *s, const char *base,
                           cj_event *e)
{
    cj_item *items = cj__arena_alloc(&o->im->arena, s->n_lines * sizeof *items);

    if (items == NULL)
        return CJ_ENOMEM;
    for (size_t i = 0; i < s->n_lines; i++) {
        const order_line *line = &s->lines[i];

        if (line->product == 0)
            continue;
        items[e->n_items].struct_size = (int64_t)sizeof *items;
        items[e->n_items].product = order_text(base, line->product);
        items[e->n_items].quantity = line->quantity;
        items[e->n_items].value_minor = line->value_minor;
        items[e->n_items++].properties = order_text(base, line->properties);
    }
    if (e->n_items > 0)
        e->items = items;
    else
        e->quantity = s->quantity;
    return CJ_OK;
}

/* "csv:order:" and the order id, so that a second run finds it; an id that is too long
 * for that by its hash. */
static int32_t order_message_id(cj__orders *o, const order_slot *s, cj_event *e)
{
    size_t n = strlen(e->order_id);
    cj__hash128 hash;
    int32_t rc = CJ_OK;

    cj__str_clear(&o->scratch);
    cj__str_put_text(&o->scratch, s->is_refund ? "csv:refund:" : "csv:order:");
    if (n + o->scratch.n <= CJ__MAX_KEY) {
        cj__str_put(&o->scratch, e->order_id, n);
    } else {
        hash = cj__hash_128(0, e->order_id, n);
        cj__str_put_int64(&o->scratch, (int64_t)hash.high);
        cj__str_put_int64(&o->scratch, (int64_t)hash.low);
    }
    CJ_TRY(cj__str_status(&o->scratch));
    e->message_id = cj__arena_text(&o->im->arena, o->scratch.data, o->scratch.n);
    rc = e->message_id != NULL ? CJ_OK : CJ_ENOMEM;
out:
    return rc;
}

static int32_t order_identifiers(cj__orders *o, const order_slot *s, const char *base,
                                 cj_event *e)
{
    cj__text kinds[CJ__N_KINDS];

    for (int k = 0; k < CJ__N_KINDS; k++)
        kinds[k] = cj__text_of(order_text(base, s->text[CJ__FIELD_KINDS + k]));
    return cj__import_identifiers(
        o->im, e, kinds,
        cj__text_of(order_text(base, s->text[CJ__FIELD_GUEST_COLUMN])));
}

static int32_t order_event(cj__orders *o, const order_slot *s, cj__message *m)
{
    const char *base = cj__arena_text(&o->im->arena, s->bytes.data, s->bytes.n);
    cj_event *e = &m->event;
    int32_t rc;

    if (base == NULL)
        return CJ_ENOMEM;
    e->time_ms = s->time_ms;
    e->name = s->is_refund || s->total < 0 ? "refund" : "order";
    e->value_minor = s->total;
    e->order_id = order_text(base, s->text[CJ__FIELD_ORDER]);
    e->channel = order_text(base, s->text[CJ__FIELD_CHANNEL]);
    if (e->channel == NULL)
        e->channel = o->im->opts->channel;
    e->session = order_text(base, s->text[CJ__FIELD_SESSION]);
    e->campaign = order_text(base, s->text[CJ__FIELD_CAMPAIGN]);
    e->content = order_text(base, s->text[CJ__FIELD_CONTENT]);
    e->currency = order_text(base, s->text[CJ__FIELD_CURRENCY]);
    e->message_id = order_text(base, s->text[CJ__FIELD_MESSAGE_ID]);
    e->properties = order_text(base, s->text[ORDER_PROPERTIES]);
    m->traits = order_text(base, s->text[ORDER_TRAITS]);
    CJ_TRY(order_items(o, s, base, e));
    CJ_TRY(order_identifiers(o, s, base, e));
    if (e->message_id == NULL)
        CJ_TRY(order_message_id(o, s, e));
out:
    return rc;
}

/* Hand a slot to the batch, as an order or as a rejection. */
static int32_t order_send(cj__orders *o, order_slot *s)
{
    const char *raw = cj__arena_text(&o->im->arena, s->raw.data, s->raw.n);
    cj__import_line *lines =
        cj__arena_alloc(&o->im->arena, s->n_lines * sizeof *lines + 1);
    cj__message m;
    int32_t rc;

    if (raw == NULL || lines == NULL)
        return CJ_ENOMEM;
    memset(&m, 0, sizeof m);
    m.event.struct_size = (int64_t)sizeof m.event;
    m.format = o->im->format;
    m.source = o->im->opts->source != NULL ? o->im->opts->source : "import";
    m.raw = (cj__text){raw, s->raw.n};
    for (size_t i = 0; i < s->n_lines; i++) {
        lines[i].line = s->lines[i].line;
        lines[i].raw = (cj__text){raw + s->lines[i].raw_at, s->lines[i].raw_n};
    }
    if (s->too_large)
        cj__reject(&m, CJ_ELIMIT, "%s", order_too_large);
    else
        CJ_TRY(order_event(o, s, &m));
    CJ_TRY(cj__import_add(o->im, &m, lines, s->n_lines));
out:
    return rc;
}

static int32_t orders_close_first(cj__orders *o)
{
    order_slot *s = order_at(o, o->first);
    int32_t rc = s->n_lines > 0 ? order_send(o, s) : CJ_OK;

    order_clear(o, s);
    o->first++;
    return rc;
}

int32_t cj__orders_finish(cj__orders *o)
{
    int32_t rc = CJ_OK;

    while (rc == CJ_OK && o->first < o->next)
        rc = orders_close_first(o);
    return rc;
}

/* ---- adding
 * -------------------------------------------------------------------------------- */

/* Keep a text; its place + 1, or 0 when it is absent. */
static size_t order_put(order_slot *s, cj__text text)
{
    size_t place = s->bytes.n + 1;

    if (text.data == NULL)
        return 0;
    cj__str_put(&s->bytes, text.data, text.n);
    cj__str_put_char(&s->bytes, '\0');
    return place;
}

static int order_says(const order_slot *s, int field, cj__text text)
{
    const char *kept = order_text(s->bytes.data, s->text[field]);

    return strlen(kept) == text.n && memcmp(kept, text.data, text.n) == 0;
}

/* A row's properties or traits into the scratch; absent when it has none. */
static cj__text order_extras(cj__orders *o, const cj__row_text *row, int traits)
{
    cj__str_clear(&o->scratch);
    cj__row_extras(row, traits, &o->scratch);
    return (cj__text){o->scratch.n > 0 ? o->scratch.data : NULL, o->scratch.n};
}

/* What belongs to the order is taken from the first line that says it. */
static void order_fields(cj__orders *o, order_slot *s, const cj__row_text *row)
{
    static const int kept[] = {CJ__FIELD_ORDER,      CJ__FIELD_CHANNEL,
                               CJ__FIELD_SESSION,    CJ__FIELD_CAMPAIGN,
                               CJ__FIELD_CONTENT,    CJ__FIELD_CURRENCY,
                               CJ__FIELD_MESSAGE_ID, CJ__FIELD_GUEST_COLUMN};

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (s->text[kept[i]] == 0)
            s->text[kept[i]] = order_put(s, cj__row_field(row, kept[i]));
    for (int k = CJ__FIELD_KINDS; k < CJ__N_FIELDS; k++)
        if (s->text[k] == 0)
            s->text[k] = order_put(s, cj__row_field(row, k));
    if (s->text[ORDER_TRAITS] == 0)
        s->text[ORDER_TRAITS] = order_put(s, order_extras(o, row, 1));
}

static int32_t order_add_line(cj__orders *o, order_slot *s, const cj__row_text *row)
{
    void *lines = s->lines;
    order_line *line;
    int32_t rc;

    CJ_TRY(cj__array_grow(&o->im->db->cx.allocator, &lines, &s->capacity,
                          s->n_lines + 1, sizeof *s->lines, CJ__MAX_ITEMS));
    s->lines = lines;
    o->n_bytes -= order_size(s);
    if (s->n_lines == 0) {
        s->time_ms = row->time_ms;
        s->is_refund = order_is_refund(o, row);
    }
    order_fields(o, s, row);
    line = &s->lines[s->n_lines++];
    line->line = row->line;
    line->quantity = row->quantity;
    line->value_minor = row->value_minor;
    line->product = order_put(s, cj__row_field(row, CJ__FIELD_PRODUCT));
    line->properties = order_put(s, order_extras(o, row, 0));
    if (line->product == 0 && s->text[ORDER_PROPERTIES] == 0)
        s->text[ORDER_PROPERTIES] = line->properties;
    if (s->raw.n > 0)
        cj__str_put_char(&s->raw, '\n');
    line->raw_at = s->raw.n;
    line->raw_n = row->raw.n;
    cj__str_put(&s->raw, row->raw.data, row->raw.n);
    s->total += row->value_minor;
    s->quantity += row->quantity;
    o->n_bytes += order_size(s);
    CJ_TRY(cj__str_status(&s->bytes));
    CJ_TRY(cj__str_status(&s->raw));
    rc = cj__str_status(&o->scratch);
out:
    return rc;
}

/* The slot of the row's order, opened if it is new. */
static int32_t orders_find(cj__orders *o, const cj__row_text *row,
                           order_slot **slot_out, const char **reason_out)
{
    cj__text id = cj__row_field(row, CJ__FIELD_ORDER);
    uint64_t seed = o->seed + (uint64_t)order_is_refund(o, row);
    uint64_t key = cj__hash64(seed, id.data, id.n), number;
    int32_t rc = CJ_OK;

    *slot_out = NULL;
    if (cj__map_get(&o->known, key, &number)) {
        if (number < o->first)
            *reason_out =
                "its order ended over 1,024 orders ago; sort the file by order";
        else
            *slot_out = order_at(o, number);
        return CJ_OK;
    }
    if (o->next - o->first == ORDERS_OPEN)
        CJ_TRY(orders_close_first(o));
    CJ_TRY(cj__map_put(&o->known, key, o->next));
    *slot_out = order_at(o, o->next++);
out:
    return rc;
}

/* Why the row cannot be a line of this order, or NULL. */
static const char *order_refuses(const order_slot *s, const cj__row_text *row)
{
    cj__text currency = cj__row_field(row, CJ__FIELD_CURRENCY);
    int64_t total = s->total + row->value_minor; /* both within +-10^15 */

    if (s->too_large)
        return order_too_large;
    if (currency.data != NULL && s->text[CJ__FIELD_CURRENCY] > 0 &&
        !order_says(s, CJ__FIELD_CURRENCY, currency))
        return "another currency than the line before it of its order";
    if (total > CJ__MAX_VALUE || total < -CJ__MAX_VALUE)
        return "with it the total of its order is too large";
    return NULL;
}

int32_t cj__orders_add(cj__orders *o, const cj__row_text *row, const char **reason_out)
{
    order_slot *s;
    int32_t rc;

    *reason_out = NULL;
    CJ_TRY(orders_find(o, row, &s, reason_out));
    if (s == NULL)
        goto out;
    if (!s->too_large &&
        (s->n_lines == CJ__MAX_ITEMS || order_size(s) + row->raw.n * 3 > ORDER_BYTES)) {
        s->too_large = 1;
        CJ_TRY(order_send(o, s));
        order_clear(o, s);
        s->too_large = 1;
    }
    *reason_out = order_refuses(s, row);
    if (*reason_out != NULL)
        goto out;
    CJ_TRY(order_add_line(o, s, row));
    while (o->n_bytes > ORDERS_BYTES && order_at(o, o->first) != s)
        CJ_TRY(orders_close_first(o));
out:
    return rc;
}
