/* The Segment spec, as Segment, RudderStack and Jitsu send it (docs/EVENTS.md has the
 * whole mapping).  Tolerant: unknown keys are ignored, and what a free event calls its
 * value may be anything; but money of an order that cannot be read rejects it.
 * Invariant: nothing is put into properties that the message did not say. */
#include "base/nearest.h"
#include "events/message.h"
#include "events/segment_names.h"

#include <cjson/cJSON.h>
#include <string.h>

typedef struct segment_pair {
    const char *from, *to;
} segment_pair;

/* The value of a path of up to three names, or NULL. */
static const struct cJSON *segment_at(const struct cJSON *root, const char *a,
                                      const char *b, const char *c)
{
    const struct cJSON *node = cj__json_member(root, a);

    if (b != NULL)
        node = cj__json_member(node, b);
    return c != NULL ? cj__json_member(node, c) : node;
}

/* A text or number that says something, or NULL: here other types are ignored. */
static const struct cJSON *segment_scalar(const struct cJSON *node)
{
    const char *text = node != NULL ? cj__json_scalar(node) : NULL;

    return text != NULL && text[0] != '\0' ? node : NULL;
}

static const struct cJSON *segment_first(const struct cJSON *a, const struct cJSON *b)
{
    return segment_scalar(a) != NULL ? segment_scalar(a) : segment_scalar(b);
}

/* ---- who, when, where ------------------------------------------------------------ */

static void segment_identifiers(cj__draft *d, const struct cJSON *root, int own_traits)
{
    static const char *const personal[] = {"email", "phone"};

    cj__draft_identifier(d, "user_id", segment_scalar(cj__json_member(root, "userId")));
    cj__draft_identifier(d, "anonymous_id",
                         segment_scalar(cj__json_member(root, "anonymousId")));
    cj__draft_identifier(d, "device_id",
                         segment_scalar(segment_at(root, "context", "device", "id")));
    for (size_t i = 0; i < 2; i++) {
        const struct cJSON *own = segment_at(root, "traits", personal[i], NULL);
        const struct cJSON *shared = segment_at(root, "context", "traits", personal[i]);

        if (own_traits)
            cj__draft_identifier(d, personal[i], segment_scalar(own));
        cj__draft_identifier(d, personal[i], segment_scalar(shared));
    }
}

/* timestamp, which a server has corrected already; else originalTimestamp, moved by
 * what the sender's clock was wrong by; else when it arrived or left. */
static void segment_time(cj__draft *d, const struct cJSON *root)
{
    int64_t *time_ms = &d->m->event.time_ms, received, sent;
    int has_received, has_sent;

    if (cj__draft_time(d, cj__json_member(root, "timestamp"), "timestamp", time_ms))
        return; /* whatever the others say */
    has_received =
        cj__draft_time(d, cj__json_member(root, "receivedAt"), "receivedAt", &received);
    has_sent = cj__draft_time(d, cj__json_member(root, "sentAt"), "sentAt", &sent);
    if (!cj__draft_time(d, cj__json_member(root, "originalTimestamp"),
                        "originalTimestamp", time_ms)) {
        if (has_received || has_sent)
            *time_ms = has_received ? received : sent;
    } else if (has_received && has_sent &&
               (__builtin_sub_overflow(received, sent, &received) ||
                __builtin_add_overflow(*time_ms, received, time_ms))) {
        cj__draft_reject(d, CJ_EINVAL, "receivedAt", "and sentAt are beyond reason");
    }
}

static const char *segment_rename(const segment_pair *pairs, size_t n, const char *from)
{
    for (size_t i = 0; i < n; i++)
        if (cj__name_same(pairs[i].from, from))
            return pairs[i].to;
    return NULL;
}

/* What the message says; else the device; else a page means a browser. */
static const char *segment_channel(cj__draft *d, const struct cJSON *root)
{
    static const segment_pair said[] = {
        {"browser", "web"},
        {"mobile",  "app"}
    };
    static const segment_pair devices[] = {
        {"ios",     "app"},
        {"android", "app"},
        {"watchos", "app"},
        {"tvos",    "app"}
    };
    const struct cJSON *node = segment_first(
        cj__json_member(root, "channel"), segment_at(root, "context", "channel", NULL));
    const struct cJSON *page = segment_at(root, "context", "page", NULL);
    const char *text = node != NULL ? cj__draft_text(d, node, "channel") : NULL;
    const char *to = NULL;

    if (text != NULL) {
        to = segment_rename(said, sizeof said / sizeof said[0], text);
        return to != NULL ? to : text;
    }
    text = cj__json_string(segment_at(root, "context", "device", "type"));
    if (text != NULL)
        to = segment_rename(devices, sizeof devices / sizeof devices[0], text);
    return to == NULL && page != NULL && page->child != NULL ? "web" : to;
}

/* What every kind of message may say. */
static void segment_common(cj__draft *d, const struct cJSON *root,
                           const struct cJSON *properties)
{
    cj_event *e = &d->m->event;
    const struct cJSON *session =
        segment_first(segment_at(root, "context", "sessionId", NULL),
                      segment_at(root, "context", "session_id", NULL));

    segment_time(d, root);
    e->message_id = cj__draft_text(
        d, segment_scalar(cj__json_member(root, "messageId")), "messageId");
    e->channel = segment_channel(d, root);
    e->campaign = cj__draft_text(
        d, segment_scalar(segment_at(root, "context", "campaign", "name")), "campaign");
    e->content = cj__draft_text(
        d, segment_scalar(segment_at(root, "context", "campaign", "content")),
        "content");
    session = segment_first(session, cj__json_member(properties, "session_id"));
    e->session = cj__draft_text(d, session, "session");
}

/* ---- what -------------------------------------------------------------------------
 */

/* An object without one of its members, as minified JSON. */
static const char *segment_without(cj__draft *d, const struct cJSON *object,
                                   const char *member)
{
    int n = 0;

    if (!cj__draft_open(d) || object == NULL || !cJSON_IsObject(object))
        return NULL;
    cj__str_put_char(&d->scratch, '{');
    for (const struct cJSON *c = object->child; c != NULL; c = c->next) {
        if (member != NULL && strcmp(c->string, member) == 0)
            continue;
        if (n++ > 0)
            cj__str_put_char(&d->scratch, ',');
        cj__str_put_json(&d->scratch, c->string, strlen(c->string));
        cj__str_put_char(&d->scratch, ':');
        cj__json_put(&d->scratch, c);
    }
    cj__str_put_char(&d->scratch, '}');
    return cj__draft_scratch(d);
}

/* Put "key":value before the closing brace of a JSON object in the scratch. */
static void segment_add(cj__draft *d, const char *key, const struct cJSON *value)
{
    if (value == NULL || cJSON_IsNull(value) || d->scratch.n == 0)
        return;
    d->scratch.data[--d->scratch.n] = '\0';
    if (d->scratch.data[d->scratch.n - 1] != '{')
        cj__str_put_char(&d->scratch, ',');
    cj__str_put_json(&d->scratch, key, strlen(key));
    cj__str_put_char(&d->scratch, ':');
    cj__json_put(&d->scratch, value);
    cj__str_put_char(&d->scratch, '}');
}

static const struct cJSON *segment_product(const struct cJSON *object)
{
    const struct cJSON *sku =
        segment_first(cj__json_member(object, "sku"), cj__json_member(object, "name"));

    return segment_first(cj__json_member(object, "product_id"), sku);
}

/* Of an order: quantity and money must be right.  sign: -1 for a refund. */
static void segment_item(cj__draft *d, const struct cJSON *node, int64_t sign,
                         cj_item *item)
{
    int64_t quantity = 1;

    item->struct_size = (int64_t)sizeof *item;
    if (!cJSON_IsObject(node)) {
        cj__draft_reject(d, CJ_EINVAL, "a product", "must be an object");
        return;
    }
    item->product = cj__draft_text(d, segment_product(node), "product");
    cj__draft_whole(d, cj__json_member(node, "quantity"), "quantity", &quantity);
    item->quantity = quantity > 0 ? sign * quantity : quantity;
    cj__draft_price(d, cj__json_member(node, "price"), item->quantity, "price",
                    &item->value_minor);
    item->properties = cj__draft_object(d, node, "a product");
}

/* 1 when the order keeps its products as items. */
static int segment_items(cj__draft *d, const struct cJSON *properties, int64_t sign)
{
    const struct cJSON *array = cj__json_member(properties, "products");
    cj_event *e = &d->m->event;
    cj_item *items;
    int n;

    if (!cj__draft_open(d) || array == NULL || !cJSON_IsArray(array))
        return 0;
    n = cJSON_GetArraySize(array);
    if (n > CJ__MAX_ITEMS)
        cj__draft_reject(d, CJ_ELIMIT, "products", "are more than 10,000");
    items = cj__draft_alloc(d, (size_t)(n > 0 ? n : 1) * sizeof *items);
    if (n > 0)
        e->items = items;
    for (array = array->child; array != NULL && cj__draft_open(d); array = array->next)
        segment_item(d, array, sign, &items[e->n_items++]);
    return 1;
}

/* The first of total, revenue and value that is there. */
static const struct cJSON *segment_amount(const struct cJSON *properties)
{
    const struct cJSON *later = segment_first(cj__json_member(properties, "revenue"),
                                              cj__json_member(properties, "value"));

    return segment_first(cj__json_member(properties, "total"), later);
}

static void segment_order(cj__draft *d, const struct cJSON *properties, int64_t sign)
{
    int64_t value;
    int has_items = segment_items(d, properties, sign);

    if (cj__draft_money(d, segment_amount(properties), "total", &value))
        cj__draft_value(d, value > 0 ? sign * value : value);
    else
        cj__draft_sum(d);
    d->m->event.properties =
        segment_without(d, properties, has_items ? "products" : NULL);
}

/* A number that may be anything in a free event: read it if it is one. */
static int segment_try_money(cj__draft *d, const struct cJSON *node, int64_t quantity,
                             int64_t *out)
{
    const char *text = node != NULL ? cj__json_scalar(node) : NULL;
    const char *currency = d->m->event.currency;
    int exponent = currency == NULL ? d->db->currency_exponent
                                    : cj__currency_exponent(currency, strlen(currency));

    return text != NULL && exponent >= 0 &&
           cj__decimal_times(text, strlen(text), quantity, exponent, out) == 0;
}

static void segment_free(cj__draft *d, const struct cJSON *properties, int is_shop)
{
    cj_event *e = &d->m->event;
    const struct cJSON *node = segment_scalar(cj__json_member(properties, "quantity"));
    const char *text = node != NULL ? cj__json_scalar(node) : NULL;
    int64_t value;

    if (text != NULL && cj__int64_parse(text, strlen(text), &value) == 0)
        e->quantity = value;
    /* Elsewhere "total" counts anything, and "value" is money only with a currency. */
    node = segment_scalar(cj__json_member(properties, "revenue"));
    if (is_shop)
        node = segment_amount(properties);
    else if (node == NULL && e->currency != NULL)
        node = segment_scalar(cj__json_member(properties, "value"));
    if (node != NULL && segment_try_money(d, node, 1, &value))
        cj__draft_value(d, value);
    else if (node == NULL && is_shop &&
             segment_try_money(d, cj__json_member(properties, "price"),
                               e->quantity > 0 ? e->quantity : 1, &value))
        cj__draft_value(d, value);
    else
        e->currency = NULL; /* of no money; it stays in the properties */
    e->properties = segment_without(d, properties, NULL);
}

static void segment_track(cj__draft *d, const struct cJSON *root)
{
    const struct cJSON *properties = cj__json_member(root, "properties");
    const char *said = cj__draft_text(d, cj__json_member(root, "event"), "event");
    const char *name = said != NULL ? cj__segment_name(said) : NULL;
    const struct cJSON *product = segment_first(
        cj__json_member(properties, "product_id"), cj__json_member(properties, "sku"));
    cj_event *e = &d->m->event;

    segment_identifiers(d, root, 1);
    segment_common(d, root, properties);
    if (said == NULL)
        cj__draft_reject(d, CJ_EINVAL, "track", "needs an event");
    e->name = name != NULL ? name : said;
    e->product = cj__draft_text(d, product, "product");
    e->order_id = cj__draft_text(
        d, segment_scalar(cj__json_member(properties, "order_id")), "order_id");
    e->currency = cj__draft_text(
        d, segment_scalar(cj__json_member(properties, "currency")), "currency");
    if (name != NULL && cj__name_has_value(name))
        segment_order(d, properties, strcmp(name, "refund") == 0 ? -1 : 1);
    else
        segment_free(d, properties, name != NULL);
}

/* page and screen: their name and category stand beside the properties. */
static void segment_view(cj__draft *d, const struct cJSON *root, const char *name)
{
    static const char *const beside[] = {"name", "category"};
    const struct cJSON *properties = cj__json_member(root, "properties");

    segment_identifiers(d, root, 1);
    segment_common(d, root, properties);
    d->m->event.name = name;
    if (!cj__draft_open(d))
        return;
    if (properties != NULL && cJSON_IsObject(properties))
        cj__json_put(&d->scratch, properties);
    else
        cj__str_put_text(&d->scratch, "{}");
    for (size_t i = 0; i < 2; i++)
        if (cj__json_member(properties, beside[i]) == NULL)
            segment_add(d, beside[i], cj__json_member(root, beside[i]));
    d->m->event.properties = d->scratch.n > 2 ? cj__draft_scratch(d) : NULL;
    cj__str_clear(&d->scratch);
}

static void segment_page(cj__draft *d, const struct cJSON *root)
{
    segment_view(d, root, "page_view");
}

static void segment_screen(cj__draft *d, const struct cJSON *root)
{
    segment_view(d, root, "screen_view");
}

/* The traits are the group's, so its e-mail is nobody's. */
static void segment_group(cj__draft *d, const struct cJSON *root)
{
    segment_identifiers(d, root, 0);
    segment_common(d, root, NULL);
    d->m->event.name = "group";
    cj__str_put_text(&d->scratch, "{}");
    segment_add(d, "group_id", cj__json_member(root, "groupId"));
    segment_add(d, "traits", cj__json_member(root, "traits"));
    d->m->event.properties = cj__draft_scratch(d);
}

static void segment_identify(cj__draft *d, const struct cJSON *root)
{
    const struct cJSON *traits = cj__json_member(root, "traits");

    if (traits == NULL || cJSON_IsNull(traits)) /* RudderStack's place */
        traits = segment_at(root, "context", "traits", NULL);
    segment_identifiers(d, root, 1);
    segment_common(d, root, NULL);
    d->m->cause = CJ__CAUSE_IDENTIFY;
    d->m->traits = cj__draft_object(d, traits, "traits");
    if (d->m->traits == NULL)
        d->m->traits = "{}"; /* an identify without traits is one all the same */
}

/* previousId is what a visitor was called before the login. */
static void segment_alias(cj__draft *d, const struct cJSON *root)
{
    segment_identifiers(d, root, 1);
    segment_common(d, root, NULL);
    d->m->cause = CJ__CAUSE_ALIAS;
    cj__draft_identifier(d, "anonymous_id",
                         segment_scalar(cj__json_member(root, "previousId")));
    if (d->m->event.n_identifiers < 2)
        cj__draft_reject(d, CJ_EINVAL, "alias", "needs a previousId and a userId");
}

/* RudderStack: {"userId": ..., "mergeProperties": [{"type": "email", "value": ...}]} */
static void segment_merge(cj__draft *d, const struct cJSON *root)
{
    const struct cJSON *pair = cj__json_member(root, "mergeProperties");

    segment_identifiers(d, root, 1);
    segment_common(d, root, NULL);
    d->m->cause = CJ__CAUSE_ALIAS;
    pair = pair != NULL && cJSON_IsArray(pair) ? pair->child : NULL;
    for (; pair != NULL; pair = pair->next) {
        const char *type = cj__json_string(cj__json_member(pair, "type"));
        const cj__kind *kind = cj__kind_named(
            type != NULL && strcmp(type, "mobile") == 0 ? "phone" : type);

        if (kind == NULL)
            cj__draft_reject(d, CJ_EINVAL, "mergeProperties", "hold an unknown type");
        else
            cj__draft_identifier(d, kind->name, cj__json_member(pair, "value"));
    }
    if (d->m->event.n_identifiers < 2)
        cj__draft_reject(d, CJ_EINVAL, "merge", "needs two identifiers");
}

static const struct {
    const char *name;
    void (*read)(cj__draft *d, const struct cJSON *root);
} segment_types[] = {
    {"track",    segment_track   },
    {"identify", segment_identify},
    {"page",     segment_page    },
    {"screen",   segment_screen  },
    {"alias",    segment_alias   },
    {"group",    segment_group   },
    {"merge",    segment_merge   },
};

void cj__message_segment(cj__draft *d, const struct cJSON *root)
{
    const char *type = cj__json_string(cj__json_member(root, "type"));
    size_t i = 0;

    while (i < sizeof segment_types / sizeof segment_types[0] && type != NULL &&
           strcmp(type, segment_types[i].name) != 0)
        i++;
    if (type == NULL || i == sizeof segment_types / sizeof segment_types[0])
        cj__draft_reject(
            d, CJ_EINVAL, "type",
            "must be track, identify, page, screen, alias, group or merge");
    else
        segment_types[i].read(d, root);
}
