/* A message in the own form, for failed_event: reading it back gives the same, so
 * that a retry records what was meant.  What cannot be said in JSON (bytes that are not
 * UTF-8, properties that are no object) is written so that it is kept, and rejected
 * again. */
#include "base/json.h"
#include "events/events.h"

#include <string.h>

typedef struct put_object {
    cj__str *s;
    int n; /* members so far */
} put_object;

static void put_key(put_object *o, const char *key)
{
    cj__str_put_char(o->s, o->n++ == 0 ? '{' : ',');
    cj__str_put_json(o->s, key, strlen(key));
    cj__str_put_char(o->s, ':');
}

static void put_end(put_object *o)
{
    cj__str_put_text(o->s, o->n == 0 ? "{}" : "}");
}

/* {"hex":"ff00"}: where a text is expected, this is refused. */
static void put_hex(cj__str *s, const char *text)
{
    static const char digits[] = "0123456789abcdef";

    cj__str_put_text(s, "{\"hex\":\"");
    for (; *text != '\0'; text++) {
        cj__str_put_char(s, digits[(unsigned char)*text >> 4]);
        cj__str_put_char(s, digits[(unsigned char)*text & 15]);
    }
    cj__str_put_text(s, "\"}");
}

static void put_value(cj__str *s, const char *text)
{
    if (cj__utf8_valid(text, strlen(text)))
        cj__str_put_json(s, text, strlen(text));
    else
        put_hex(s, text);
}

static void put_text(put_object *o, const char *key, const char *text)
{
    if (text != NULL) {
        put_key(o, key);
        put_value(o->s, text);
    }
}

static void put_int64(put_object *o, const char *key, int64_t value)
{
    if (value != 0) {
        put_key(o, key);
        cj__str_put_int64(o->s, value);
    }
}

/* A JSON object as it is; what is none, as text. */
static void put_json(put_object *o, const char *key, const char *text)
{
    if (text == NULL)
        return;
    put_key(o, key);
    if (cj__json_check_object(text, strlen(text)) == CJ_OK)
        cj__str_put_text(o->s, text);
    else
        put_value(o->s, text);
}

static void put_identifiers(put_object *o, const cj_event *e)
{
    put_object inner = {o->s, 0};

    if (e->identifiers == NULL || e->n_identifiers <= 0)
        return;
    put_key(o, "identifiers");
    for (int64_t i = 0; i < e->n_identifiers && cj__str_status(o->s) == CJ_OK; i++) {
        const char *kind = e->identifiers[i].kind;

        put_key(&inner, kind != NULL && cj__utf8_valid(kind, strlen(kind)) ? kind : "");
        put_value(o->s, e->identifiers[i].value != NULL ? e->identifiers[i].value : "");
    }
    put_end(&inner);
}

static void put_items(put_object *o, const cj_event *e)
{
    if (e->items == NULL || e->n_items <= 0)
        return;
    put_key(o, "items");
    for (int64_t i = 0; i < e->n_items && cj__str_status(o->s) == CJ_OK; i++) {
        put_object inner = {o->s, 0};

        cj__str_put_char(o->s, i == 0 ? '[' : ',');
        put_text(&inner, "product", e->items[i].product);
        put_int64(&inner, "quantity", e->items[i].quantity);
        put_int64(&inner, "value_minor", e->items[i].value_minor);
        put_json(&inner, "properties", e->items[i].properties);
        put_end(&inner);
    }
    cj__str_put_char(o->s, ']');
}

void cj__message_put(cj__str *s, const cj__message *m)
{
    const cj_event *event = &m->event;
    put_object o = {s, 0};
    int says_value = event->value_minor != 0 || event->currency != NULL ||
                     event->n_items > 0; /* else the items' sum would be read */

    if (event->name == NULL && m->traits != NULL)
        put_text(&o, "type", "identify");
    put_int64(&o, "time", event->time_ms);
    put_text(&o, "name", event->name);
    put_text(&o, "channel", event->channel);
    put_identifiers(&o, event);
    put_text(&o, "message_id", event->message_id);
    put_text(&o, "session", event->session);
    put_text(&o, "campaign", event->campaign);
    put_text(&o, "content", event->content);
    put_text(&o, "product", event->product);
    put_text(&o, "order_id", event->order_id);
    put_int64(&o, "quantity", event->quantity);
    if (says_value) {
        put_key(&o, "value_minor");
        cj__str_put_int64(s, event->value_minor);
    }
    put_text(&o, "currency", event->currency);
    put_json(&o, "properties", event->properties);
    put_items(&o, event);
    put_json(&o, "traits", m->traits);
    put_text(&o, "source", m->source);
    put_end(&o);
}
