/* The own form (docs/EVENTS.md): one table of keys says what each becomes.  Strict: a
 * key that is not in the table rejects the message, because a misspelt key would lose
 * data in silence.  Knows nothing of files or of the store beyond its currency and
 * zone. */
#include "base/nearest.h"
#include "events/message.h"

#include <cjson/cJSON.h>
#include <string.h>

enum json_class {
    JSON_TEXT,        /* a text field of cj_event at offset */
    JSON_WHOLE,       /* an int64 field */
    JSON_OBJECT,      /* a text field that holds a JSON object */
    JSON_TIME,        /* an int64 field of milliseconds */
    JSON_IDENTIFIERS, /* an object of kind: value */
    JSON_LATER        /* read by name, when the rest is known */
};

typedef struct json_key {
    const char *name;
    enum json_class class;
    size_t offset;
} json_key;

static const json_key json_keys[] = {
    {"type",             JSON_LATER,                  0                                        },
    {"time",             JSON_TIME,                   offsetof(cj_event,                         time_ms)},
    {"name",                  JSON_TEXT,                                        offsetof(cj_event,                                                       name)},
    {"channel",             JSON_TEXT,                                        offsetof(cj_event,                   channel)},
    {"identifiers", JSON_IDENTIFIERS,0   },
    {"message_id",  JSON_TEXT,                                                offsetof(cj_event,                                                                                      message_id)},
    {"session",        JSON_TEXT,offsetof(cj_event,session)},
    {"campaign",          JSON_TEXT,                     offsetof(cj_event,                                                                           campaign)},
    {"content",                  JSON_TEXT,                                    offsetof(cj_event,                                                           content)},
    {"product",         JSON_TEXT,                                    offsetof(cj_event,product)},
    {"order_id", JSON_TEXT,offsetof(cj_event,order_id)},
    {"quantity", JSON_WHOLE,offsetof(cj_event,               quantity)},
    {"value",         JSON_LATER,                           0                                                                  },
    {"value_minor",                  JSON_LATER,                                    0                                                                  },
    {"currency",         JSON_TEXT,                                    offsetof(cj_event,                                                         currency)},
    {"properties",                 JSON_OBJECT,                  offsetof(cj_event,properties)},
    {"items",                 JSON_LATER,         0},
    {"traits", JSON_LATER,0},
    {"source",JSON_LATER,0                                 },
    {"from",            JSON_LATER,             0                                            },
    {"to",           JSON_LATER,                            0                                                                                    },
};

enum { JSON_N_KEYS = sizeof json_keys / sizeof json_keys[0] };

static const char *const json_item_keys[] = {"product",     "quantity", "value",
                                             "value_minor", "price",    "properties"};

enum { JSON_N_ITEM_KEYS = sizeof json_item_keys / sizeof json_item_keys[0] };

static const char *json_key_at(size_t i, int of_item)
{
    if (of_item)
        return i < JSON_N_ITEM_KEYS ? json_item_keys[i] : NULL;
    if (i < JSON_N_KEYS)
        return json_keys[i].name;
    return i < JSON_N_KEYS + CJ__N_KINDS ? cj__kinds()[i - JSON_N_KEYS].name : NULL;
}

static void json_unknown(cj__draft *d, const char *key, int of_item)
{
    const cj__text said = cj__text_of(key);
    const char *best = json_key_at(0, of_item);

    if (!cj__draft_open(d))
        return;
    for (size_t i = 1; json_key_at(i, of_item) != NULL; i++) {
        cj__text name = cj__text_of(json_key_at(i, of_item));

        if (cj__name_distance(said, name) < cj__name_distance(said, cj__text_of(best)))
            best = name.data;
    }
    if (cj__name_sayable(said))
        cj__reject(d->m, CJ_EINVAL, "unknown key \"%s\"%s; the nearest is \"%s\"", key,
                   of_item ? " of an item" : "", best);
    else
        cj__reject(d->m, CJ_EINVAL, "unknown key%s; the nearest is \"%s\"",
                   of_item ? " of an item" : "", best);
}

static void json_identifiers(cj__draft *d, const struct cJSON *node)
{
    if (cJSON_IsNull(node))
        return;
    if (!cJSON_IsObject(node)) {
        cj__draft_reject(d, CJ_EINVAL, "identifiers",
                         "must be an object of kind: value");
        return;
    }
    for (node = node->child; node != NULL; node = node->next) {
        const cj__kind *kind = cj__kind_named(node->string);

        if (kind != NULL)
            cj__draft_identifier(d, kind->name, node);
        else
            cj__draft_reject(d, CJ_EINVAL, "identifiers", "hold an unknown kind");
    }
}

static void json_field(cj__draft *d, const json_key *key, const struct cJSON *node)
{
    char *at = (char *)&d->m->event + key->offset;
    const char *text;
    int64_t number;

    switch (key->class) {
    case JSON_TEXT:
        text = cj__draft_text(d, node, key->name);
        memcpy(at, &text, sizeof text);
        break;
    case JSON_OBJECT:
        text = cj__draft_object(d, node, key->name);
        memcpy(at, &text, sizeof text);
        break;
    case JSON_WHOLE:
        if (cj__draft_whole(d, node, key->name, &number))
            memcpy(at, &number, sizeof number);
        break;
    case JSON_TIME:
        if (cj__draft_time(d, node, key->name, &number))
            memcpy(at, &number, sizeof number);
        break;
    case JSON_IDENTIFIERS:
        json_identifiers(d, node);
        break;
    case JSON_LATER:
        break;
    }
}

static void json_member(cj__draft *d, const struct cJSON *node)
{
    const cj__kind *kind = cj__kind_named(node->string);

    if (kind != NULL) {
        cj__draft_identifier(d, kind->name, node);
        return;
    }
    for (size_t i = 0; i < JSON_N_KEYS; i++)
        if (strcmp(node->string, json_keys[i].name) == 0) {
            json_field(d, &json_keys[i], node);
            return;
        }
    json_unknown(d, node->string, 0);
}

/* value_minor, or value as a decimal, of an event or an item.  1: present. */
static int json_money(cj__draft *d, const struct cJSON *object, int64_t *out)
{
    int minor =
        cj__draft_whole(d, cj__json_member(object, "value_minor"), "value_minor", out);
    int64_t decimal;
    int value = cj__draft_money(d, cj__json_member(object, "value"), "value", &decimal);

    if (minor && value)
        cj__draft_reject(d, CJ_EINVAL, "value", "and value_minor exclude each other");
    if (value)
        *out = decimal;
    return minor || value;
}

static void json_item(cj__draft *d, const struct cJSON *node, cj_item *item)
{
    const struct cJSON *price = cj__json_member(node, "price");
    int64_t times;
    int known;

    item->struct_size = (int64_t)sizeof *item;
    if (!cJSON_IsObject(node)) {
        cj__draft_reject(d, CJ_EINVAL, "an item", "must be an object");
        return;
    }
    for (const struct cJSON *c = node->child; c != NULL; c = c->next) {
        known = 0;
        for (size_t i = 0; i < JSON_N_ITEM_KEYS && !known; i++)
            known = strcmp(c->string, json_item_keys[i]) == 0;
        if (!known)
            json_unknown(d, c->string, 1);
    }
    item->product = cj__draft_text(d, cj__json_member(node, "product"), "product");
    cj__draft_whole(d, cj__json_member(node, "quantity"), "quantity", &item->quantity);
    item->properties =
        cj__draft_object(d, cj__json_member(node, "properties"), "properties");
    times = item->quantity == 0 ? 1 : item->quantity;
    if (!json_money(d, node, &item->value_minor))
        cj__draft_price(d, price, times, "price", &item->value_minor);
    else if (price != NULL && !cJSON_IsNull(price))
        cj__draft_reject(d, CJ_EINVAL, "price", "and value exclude each other");
}

static void json_items(cj__draft *d, const struct cJSON *array)
{
    cj_event *e = &d->m->event;
    cj_item *items;
    int n;

    if (!cj__draft_open(d) || array == NULL || cJSON_IsNull(array))
        return;
    n = cJSON_GetArraySize(array);
    if (!cJSON_IsArray(array)) {
        cj__draft_reject(d, CJ_EINVAL, "items", "must be an array");
    } else if (n > CJ__MAX_ITEMS) {
        cj__draft_reject(d, CJ_ELIMIT, "items", "are more than 10,000");
    } else if (n > 0) {
        items = cj__draft_alloc(d, (size_t)n * sizeof *items);
        e->items = items;
        for (array = array->child; array != NULL && cj__draft_open(d);
             array = array->next)
            json_item(d, array, &items[e->n_items++]);
    }
}

/* {"kind": "email", "value": "..."} */
static void json_side(cj__draft *d, const struct cJSON *side, const char *what)
{
    const char *name = cj__json_string(cj__json_member(side, "kind"));
    const cj__kind *kind = name != NULL ? cj__kind_named(name) : NULL;

    if (kind == NULL)
        cj__draft_reject(d, CJ_EINVAL, what, "needs a known kind, and a value");
    else
        cj__draft_identifier(d, kind->name, cj__json_member(side, "value"));
}

static void json_event(cj__draft *d, const struct cJSON *root)
{
    int64_t value = 0;

    if (d->m->event.name == NULL)
        cj__draft_reject(d, CJ_EINVAL, "an event", "needs a name");
    json_items(d, cj__json_member(root, "items"));
    if (json_money(d, root, &value))
        cj__draft_value(d, value);
    else if (cj__name_has_value(d->m->event.name))
        cj__draft_sum(d);
}

static void json_identify(cj__draft *d, const struct cJSON *root)
{
    (void)root;
    d->m->cause = CJ__CAUSE_IDENTIFY;
    if (d->m->traits == NULL)
        d->m->traits = "{}"; /* an identify without traits is one all the same */
    if (d->m->event.name != NULL)
        cj__draft_reject(d, CJ_EINVAL, "identify", "takes no name");
}

static void json_alias(cj__draft *d, const struct cJSON *root)
{
    const struct cJSON *from = cj__json_member(root, "from");

    d->m->cause = CJ__CAUSE_ALIAS;
    if (from != NULL || cj__json_member(root, "to") != NULL) {
        json_side(d, from, "from");
        json_side(d, cj__json_member(root, "to"), "to");
    }
    if (d->m->event.name != NULL)
        cj__draft_reject(d, CJ_EINVAL, "alias", "takes no name");
    if (d->m->event.n_identifiers != 2)
        cj__draft_reject(d, CJ_EINVAL, "alias", "needs two different identifiers");
}

static const struct {
    const char *name;
    void (*read)(cj__draft *d, const struct cJSON *root);
} json_types[] = {
    {"event",    json_event   },
    {"identify", json_identify},
    {"alias",    json_alias   },
};

void cj__message_json(cj__draft *d, const struct cJSON *root)
{
    const struct cJSON *node = cj__json_member(root, "type");
    const char *type = node == NULL ? "event" : cj__json_string(node);
    size_t i = 0;

    for (const struct cJSON *c = root->child; c != NULL; c = c->next)
        json_member(d, c);
    d->m->traits = cj__draft_object(d, cj__json_member(root, "traits"), "traits");
    d->m->source = cj__draft_text(d, cj__json_member(root, "source"), "source");
    while (i < sizeof json_types / sizeof json_types[0] && type != NULL &&
           strcmp(type, json_types[i].name) != 0)
        i++;
    if (type == NULL || i == sizeof json_types / sizeof json_types[0])
        cj__draft_reject(d, CJ_EINVAL, "type", "must be event, identify or alias");
    else
        json_types[i].read(d, root);
}
