/* What a message may be: every limit and rule of an event in one place.  Knows nothing
 * of the file's content; runs in the caller's thread, before any lock. */
#include "base/json.h"
#include "events/events.h"
#include "identity/identity.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int32_t cj__reject(cj__message *m, int32_t code, const char *format, ...)
{
    va_list args;

    m->outcome = CJ__REJECTED;
    m->code = code;
    va_start(args, format);
    (void)vsnprintf(m->reason, sizeof m->reason, format, args);
    va_end(args);
    return CJ_OK;
}

/* A short text without control characters; required: not absent and not empty. */
static void validate_text(cj__message *m, const char *text, const char *what,
                          size_t max, int required)
{
    size_t n;

    if (m->outcome == CJ__REJECTED)
        return;
    if (text == NULL || text[0] == '\0') {
        if (required)
            (void)cj__reject(m, CJ_EINVAL, "%s is missing", what);
        else if (text != NULL)
            (void)cj__reject(m, CJ_EINVAL, "%s is empty; leave it out", what);
        return;
    }
    n = strlen(text);
    if (n > max)
        (void)cj__reject(m, CJ_ELIMIT, "%s has %zu bytes, the limit is %zu", what, n,
                         max);
    else if (cj__text_is_plain(text, n))
        return;
    else if (!cj__utf8_valid(text, n))
        (void)cj__reject(m, CJ_EINVAL, "%s is not valid UTF-8", what);
    for (size_t i = 0; i < n && m->outcome != CJ__REJECTED; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            (void)cj__reject(m, CJ_EINVAL, "%s holds a control character at byte %zu",
                             what, i);
}

static void validate_number(cj__message *m, int64_t value, const char *what,
                            int64_t max)
{
    if (m->outcome != CJ__REJECTED && (value > max || value < -max))
        (void)cj__reject(m, CJ_ELIMIT, "%s is beyond +-%lld", what, (long long)max);
}

static void validate_object(cj__message *m, const char *text, const char *what)
{
    size_t n;

    if (m->outcome == CJ__REJECTED || text == NULL)
        return;
    n = strlen(text);
    if (n > CJ__MAX_PROPERTIES)
        (void)cj__reject(m, CJ_ELIMIT, "%s have %zu bytes, the limit is %d", what, n,
                         CJ__MAX_PROPERTIES);
    else if (cj__json_check_object(text, n) != CJ_OK)
        (void)cj__reject(m, CJ_EINVAL, "%s are no JSON object (byte %lld)", what,
                         (long long)cj__error_position());
}

static void validate_time(cj__message *m, int64_t now_ms)
{
    if (m->event.time_ms == 0)
        m->event.time_ms = now_ms;
    if (m->outcome == CJ__REJECTED)
        return;
    if (m->event.time_ms < 0 || m->event.time_ms >= CJ__MAX_TIME_MS)
        (void)cj__reject(m, CJ_EINVAL,
                         "time_ms is not between 1970 and 2100; it is in "
                         "milliseconds");
}

static void validate_currency(const cj_db *db, cj__message *m)
{
    const char *c = m->event.currency;

    if (m->outcome == CJ__REJECTED || c == NULL)
        return;
    if (cj__currency_exponent(c, strlen(c)) < 0)
        (void)cj__reject(m, CJ_ECURRENCY, "unknown currency; give an ISO 4217 code");
    else if ((c[0] & ~0x20) != db->currency[0] || (c[1] & ~0x20) != db->currency[1] ||
             (c[2] & ~0x20) != db->currency[2])
        (void)cj__reject(m, CJ_ECURRENCY,
                         "currency %.3s is not the store's %s; convert it", c,
                         db->currency);
}

static void validate_identifiers(cj__message *m)
{
    const cj_event *e = &m->event;

    if (m->outcome == CJ__REJECTED)
        return;
    if (e->n_identifiers < 0 || e->n_identifiers > CJ__MAX_IDENTIFIERS) {
        (void)cj__reject(m, CJ_ELIMIT, "%lld identifiers, the limit is %d",
                         (long long)e->n_identifiers, CJ__MAX_IDENTIFIERS);
        return;
    }
    for (int64_t i = 0; i < e->n_identifiers && m->outcome != CJ__REJECTED; i++) {
        const cj_identifier *id = &e->identifiers[i];
        if (cj__kind_named(id->kind) == NULL)
            (void)cj__reject(m, CJ_EINVAL,
                             "identifier %lld is of no known kind (user_id, "
                             "email, ...)",
                             (long long)i);
        else if (id->value == NULL || strlen(id->value) > CJ__MAX_IDENTIFIER)
            (void)cj__reject(m, CJ_ELIMIT, "%s is missing or longer than %d bytes",
                             id->kind, CJ__MAX_IDENTIFIER);
        else if (!cj__utf8_valid(id->value, strlen(id->value)))
            (void)cj__reject(m, CJ_EINVAL, "%s is not valid UTF-8", id->kind);
    }
}

static void validate_items(cj__message *m)
{
    const cj_event *e = &m->event;

    if (m->outcome == CJ__REJECTED || e->n_items == 0)
        return;
    if (e->n_items < 0 || e->n_items > CJ__MAX_ITEMS) {
        (void)cj__reject(m, CJ_ELIMIT, "%lld items, the limit is %d",
                         (long long)e->n_items, CJ__MAX_ITEMS);
        return;
    }
    if (strcmp(e->name, "order") != 0 && strcmp(e->name, "refund") != 0)
        (void)cj__reject(m, CJ_EINVAL, "only an order or a refund has items");
    for (int64_t i = 0; i < e->n_items && m->outcome != CJ__REJECTED; i++) {
        validate_text(m, e->items[i].product, "product of an item", CJ__MAX_NAME, 0);
        validate_number(m, e->items[i].quantity, "quantity of an item",
                        CJ__MAX_QUANTITY);
        validate_number(m, e->items[i].value_minor, "value of an item", CJ__MAX_VALUE);
        validate_object(m, e->items[i].properties, "properties of an item");
    }
}

static void validate_event(const cj_db *db, cj__message *m)
{
    const cj_event *e = &m->event;

    validate_text(m, e->name, "name", CJ__MAX_NAME, 1);
    validate_text(m, e->channel, "channel", CJ__MAX_NAME, 0);
    validate_text(m, e->campaign, "campaign", CJ__MAX_NAME, 0);
    validate_text(m, e->content, "content", CJ__MAX_NAME, 0);
    validate_text(m, e->product, "product", CJ__MAX_NAME, 0);
    validate_text(m, e->session, "session", CJ__MAX_KEY, 0);
    validate_text(m, e->order_id, "order_id", CJ__MAX_KEY, 0);
    validate_number(m, e->quantity, "quantity", CJ__MAX_QUANTITY);
    validate_number(m, e->value_minor, "value", CJ__MAX_VALUE);
    validate_currency(db, m);
    validate_object(m, e->properties, "properties");
    validate_items(m);
    if (m->outcome != CJ__REJECTED && e->value_minor > 0 &&
        strcmp(e->name, "refund") == 0)
        (void)cj__reject(m, CJ_EINVAL, "a refund's value is negative or 0");
}

void cj__message_validate(const cj_db *db, cj__message *m, int64_t now_ms)
{
    validate_time(m, now_ms);
    validate_text(m, m->event.message_id, "message_id", CJ__MAX_KEY, 0);
    validate_identifiers(m);
    validate_object(m, m->traits, "traits");
    validate_text(m, m->source, "source", CJ__MAX_NAME, 0);
    if (m->event.name != NULL || (m->traits == NULL && m->event.n_identifiers < 2))
        validate_event(db, m);
}
