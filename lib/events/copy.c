/* A deep copy of messages: one arena holds them all, so that freeing is one call.
 * Pointers to nothing stay NULL; lengths and numbers come along unchecked, as they
 * were. */
#include "events/copy.h"

#include <string.h>

struct cj__copy {
    cj__allocator allocator;
    cj__arena arena;
    cj__message *messages;
    void *extra;
};

static int32_t copy_text(cj__arena *arena, const char **text)
{
    if (*text != NULL)
        *text = cj__arena_text(arena, *text, strlen(*text));
    return *text == NULL ? CJ_ENOMEM : CJ_OK;
}

static int32_t copy_texts(cj__arena *arena, const char **const *texts, size_t n)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < n && rc == CJ_OK; i++)
        if (*texts[i] != NULL)
            rc = copy_text(arena, texts[i]);
    return rc;
}

static int32_t copy_identifiers(cj__arena *arena, cj_event *e)
{
    size_t bytes = (size_t)e->n_identifiers * sizeof *e->identifiers;
    cj_identifier *to;
    int32_t rc = CJ_OK;

    if (e->n_identifiers <= 0)
        return CJ_OK;
    to = cj__arena_alloc(arena, bytes);
    if (to == NULL)
        return CJ_ENOMEM;
    memcpy(to, e->identifiers, bytes);
    e->identifiers = to;
    for (int64_t i = 0; i < e->n_identifiers && rc == CJ_OK; i++) {
        const char **const texts[] = {&to[i].kind, &to[i].value};
        rc = copy_texts(arena, texts, 2);
    }
    return rc;
}

static int32_t copy_items(cj__arena *arena, cj_event *e)
{
    size_t bytes = (size_t)e->n_items * sizeof *e->items;
    cj_item *to;
    int32_t rc = CJ_OK;

    if (e->n_items <= 0)
        return CJ_OK;
    to = cj__arena_alloc(arena, bytes);
    if (to == NULL)
        return CJ_ENOMEM;
    memcpy(to, e->items, bytes);
    e->items = to;
    for (int64_t i = 0; i < e->n_items && rc == CJ_OK; i++) {
        const char **const texts[] = {&to[i].product, &to[i].properties};
        rc = copy_texts(arena, texts, 2);
    }
    return rc;
}

static int32_t copy_message(cj__arena *arena, cj__message *m)
{
    cj_event *e = &m->event;
    const char **const texts[] = {
        &e->name,    &e->channel, &e->message_id, &e->session,  &e->campaign,
        &e->content, &e->product, &e->order_id,   &e->currency, &e->properties,
        &m->traits,  &m->source,  &m->format};
    int32_t rc;

    if (m->outcome == CJ__REJECTED && m->raw.data != NULL) {
        *e = (cj_event){.time_ms = e->time_ms}; /* only its bytes are kept */
        m->traits = m->source = NULL;
    }
    CJ_TRY(copy_texts(arena, texts, sizeof texts / sizeof texts[0]));
    CJ_TRY(copy_identifiers(arena, e));
    CJ_TRY(copy_items(arena, e));
    if (m->raw.data != NULL) {
        m->raw.data = cj__arena_text(arena, m->raw.data, m->raw.n);
        if (m->raw.data == NULL)
            return CJ_ENOMEM;
    }
out:
    return rc;
}

int32_t cj__copy_messages(const cj__allocator *a, const cj__message *messages,
                          int64_t n, size_t extra_bytes, cj__copy **out)
{
    cj__copy *copy = cj__alloc_zero(a, sizeof *copy);
    int32_t rc = CJ_OK;

    *out = NULL;
    if (copy == NULL)
        return CJ_ENOMEM;
    copy->allocator = *a;
    cj__arena_init(&copy->arena, &copy->allocator);
    copy->extra = cj__arena_alloc(&copy->arena, extra_bytes);
    copy->messages =
        cj__arena_alloc(&copy->arena, cj__size_product((size_t)n, sizeof *messages));
    if (copy->extra == NULL || copy->messages == NULL)
        rc = CJ_ENOMEM;
    for (int64_t i = 0; i < n && rc == CJ_OK; i++) {
        copy->messages[i] = messages[i];
        rc = copy_message(&copy->arena, &copy->messages[i]);
    }
    if (rc == CJ_OK)
        *out = copy;
    else
        cj__copy_free(copy);
    return rc;
}

cj__message *cj__copy_list(cj__copy *copy)
{
    return copy->messages;
}

void *cj__copy_extra(cj__copy *copy)
{
    return copy->extra;
}

void cj__copy_free(cj__copy *copy)
{
    cj__allocator a = copy->allocator;

    cj__arena_end(&copy->arena);
    cj__free(&a, copy, sizeof *copy);
}
