/* From a JSON text to a message: chooses the form, and holds what the forms share.
 * Every text of a message lives in the caller's arena; numbers are taken from their
 * text and never pass through a double.  What a message says wrongly rejects it; the
 * result of a function is for memory only. */
#include "events/message.h"

#include <cjson/cJSON.h>
#include <string.h>

static const struct {
    const char *name;
    void (*read)(cj__draft *d, const struct cJSON *root);
} message_forms[] = {
    {"json",    cj__message_json   },
    {"segment", cj__message_segment},
};

int32_t cj__message_parse(cj_db *db, const char *format, cj__text text,
                          cj__arena *arena, cj__message *m)
{
    const size_t n_forms = sizeof message_forms / sizeof message_forms[0];
    struct cJSON *root = NULL;
    cj__draft d = {.db = db, .arena = arena, .m = m};
    size_t form = 0;

    memset(m, 0, sizeof *m);
    m->event.struct_size = (int64_t)sizeof m->event;
    m->raw = text;
    while (form < n_forms &&
           (format == NULL || strcmp(format, message_forms[form].name)))
        form++;
    if (form == n_forms)
        return cj__fail(CJ_EINVAL, "format must be json or segment");
    m->format = message_forms[form].name;
    cj__str_init(&d.scratch, &db->cx.allocator, CJ__MAX_MESSAGE * 2);
    d.rc = cj__json_parse(&db->cx.allocator, text.data, text.n, &root);
    if (d.rc == CJ_EINVAL || d.rc == CJ_ELIMIT) {
        d.rc = cj__reject(m, d.rc, "%.80s, at byte %lld", cj__error_text(),
                          (long long)cj__error_position());
    } else if (d.rc == CJ_OK) {
        if (cJSON_IsObject(root))
            message_forms[form].read(&d, root);
        else
            cj__draft_reject(&d, CJ_EINVAL, "a message", "must be a JSON object");
    }
    if (cj__draft_open(&d))
        d.rc = cj__str_status(&d.scratch); /* an object that was not put whole */
    cj__json_free(root);
    cj__str_end(&d.scratch);
    return d.rc;
}

int cj__draft_open(const cj__draft *d)
{
    return d->rc == CJ_OK && d->m->outcome != CJ__REJECTED;
}

void cj__draft_reject(cj__draft *d, int32_t code, const char *what, const char *why)
{
    if (cj__draft_open(d))
        cj__reject(d->m, code, "%.40s %.60s", what, why);
}

void *cj__draft_alloc(cj__draft *d, size_t bytes)
{
    void *p;

    if (!cj__draft_open(d))
        return NULL;
    p = cj__arena_alloc(d->arena, bytes);
    if (p == NULL)
        d->rc = CJ_ENOMEM;
    else
        memset(p, 0, bytes);
    return p;
}

static char *draft_copy(cj__draft *d, const char *bytes, size_t n)
{
    char *text;

    if (!cj__draft_open(d))
        return NULL;
    text = cj__arena_text(d->arena, bytes, n);
    if (text == NULL)
        d->rc = CJ_ENOMEM;
    return text;
}

/* Scalar text of a node, or NULL when absent; anything else is a rejection. */
static const char *draft_scalar(cj__draft *d, const struct cJSON *node,
                                const char *what, const char *why)
{
    const char *text;

    if (!cj__draft_open(d) || node == NULL || cJSON_IsNull(node))
        return NULL;
    text = cj__json_scalar(node);
    if (text == NULL)
        cj__draft_reject(d, CJ_EINVAL, what, why);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

const char *cj__draft_text(cj__draft *d, const struct cJSON *node, const char *what)
{
    const char *text = draft_scalar(d, node, what, "must be a text or a number");

    return text != NULL ? draft_copy(d, text, strlen(text)) : NULL;
}

const char *cj__draft_scratch(cj__draft *d)
{
    const char *text;

    if (cj__str_status(&d->scratch) != CJ_OK && cj__draft_open(d))
        d->rc = cj__str_status(&d->scratch);
    text = draft_copy(d, d->scratch.data, d->scratch.n);
    cj__str_clear(&d->scratch);
    return text;
}

const char *cj__draft_object(cj__draft *d, const struct cJSON *node, const char *what)
{
    if (!cj__draft_open(d) || node == NULL || cJSON_IsNull(node))
        return NULL;
    if (!cJSON_IsObject(node)) {
        cj__draft_reject(d, CJ_EINVAL, what, "must be an object");
        return NULL;
    }
    cj__json_put(&d->scratch, node);
    return cj__draft_scratch(d);
}

void cj__draft_identifier(cj__draft *d, const char *kind, const struct cJSON *node)
{
    const char *value = cj__draft_text(d, node, kind);
    cj_event *e = &d->m->event;

    if (value == NULL)
        return;
    for (int64_t i = 0; i < e->n_identifiers; i++)
        if (strcmp(d->identifiers[i].kind, kind) == 0 &&
            strcmp(d->identifiers[i].value, value) == 0)
            return;
    if (e->n_identifiers == CJ__MAX_IDENTIFIERS) {
        cj__draft_reject(d, CJ_ELIMIT, "identifiers", "are more than 16");
        return;
    }
    if (d->identifiers == NULL)
        d->identifiers =
            cj__draft_alloc(d, CJ__MAX_IDENTIFIERS * sizeof *d->identifiers);
    if (d->identifiers == NULL)
        return;
    e->identifiers = d->identifiers;
    d->identifiers[e->n_identifiers].struct_size = (int64_t)sizeof *d->identifiers;
    d->identifiers[e->n_identifiers].kind = kind;
    d->identifiers[e->n_identifiers++].value = value;
}

int cj__draft_whole(cj__draft *d, const struct cJSON *node, const char *what,
                    int64_t *out)
{
    const char *text = draft_scalar(d, node, what, "must be a whole number");

    if (text == NULL)
        return 0;
    if (cj__int64_parse(text, strlen(text), out) == 0 || cj__json_int64(node, out) == 0)
        return 1;
    cj__draft_reject(d, CJ_EINVAL, what, "must be a whole number");
    return 0;
}

/* The exponent of the event's currency. */
static int draft_exponent(cj__draft *d)
{
    const char *currency = d->m->event.currency;
    int exponent = d->db->currency_exponent;

    if (currency != NULL)
        exponent = cj__currency_exponent(currency, strlen(currency));
    if (exponent < 0)
        cj__draft_reject(d, CJ_ECURRENCY, "currency", "is not an ISO 4217 code");
    return exponent;
}

int cj__draft_price(cj__draft *d, const struct cJSON *node, int64_t quantity,
                    const char *what, int64_t *out)
{
    const char *text = draft_scalar(d, node, what, "must be a number");
    int exponent, bad;

    if (text == NULL)
        return 0;
    exponent = draft_exponent(d);
    if (exponent < 0)
        return 0;
    bad = quantity == 1
              ? cj__decimal_minor(text, strlen(text), exponent, out)
              : cj__decimal_times(text, strlen(text), quantity, exponent, out);
    if (bad == -1)
        cj__draft_reject(d, CJ_EINVAL, what, "must be a number");
    if (bad == -2)
        cj__draft_reject(d, CJ_ELIMIT, what, "is too large");
    return bad == 0;
}

int cj__draft_money(cj__draft *d, const struct cJSON *node, const char *what,
                    int64_t *out)
{
    return cj__draft_price(d, node, 1, what, out);
}

int cj__draft_time(cj__draft *d, const struct cJSON *node, const char *what,
                   int64_t *out)
{
    const char *text = draft_scalar(d, node, what, "must be a time");

    if (text == NULL)
        return 0;
    if (!cJSON_IsString(node) && cj__json_int64(node, out) == 0)
        return 1;
    if (cJSON_IsString(node) &&
        cj__time_parse(text, strlen(text), d->db->zone, out) == 0)
        return 1;
    cj__draft_reject(d, CJ_EINVAL, what, "must be ISO 8601 or whole milliseconds");
    return 0;
}

void cj__draft_value(cj__draft *d, int64_t value_minor)
{
    d->m->event.value_minor = value_minor;
    if (d->m->event.currency == NULL)
        d->m->event.currency = d->db->currency;
}

void cj__draft_sum(cj__draft *d)
{
    const cj_event *e = &d->m->event;
    int64_t sum = 0;

    for (int64_t i = 0; cj__draft_open(d) && i < e->n_items; i++)
        if (__builtin_add_overflow(sum, e->items[i].value_minor, &sum))
            cj__draft_reject(d, CJ_ELIMIT, "the sum of the items", "is too large");
    if (cj__draft_open(d) && e->n_items > 0)
        cj__draft_value(d, sum);
}

int cj__name_has_value(const char *name)
{
    return name != NULL && (strcmp(name, "order") == 0 || strcmp(name, "refund") == 0);
}
