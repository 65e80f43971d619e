/* Messages as text.  Knows the structs of a message and nothing of how JSON is read. */
#include "messages.h"

#include "identity/identity.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void messages_open(cj_db *db, const char *currency)
{
    memset(db, 0, sizeof *db);
    cj__ctx_init(&db->cx, NULL, NULL, NULL, NULL, NULL, NULL);
    memcpy(db->currency, currency, 4);
    db->currency_exponent = cj__currency_exponent(currency, 3);
    ck_assert_int_eq(cj__zone_open(&db->cx.allocator, "UTC", &db->zone), CJ_OK);
}

void messages_close(cj_db *db)
{
    cj__zone_end(db->zone);
}

static void put(FILE *f, const char *label, const char *text)
{
    if (text != NULL)
        fprintf(f, " %s%s", label, text);
}

static void put_items(FILE *f, const cj_event *e)
{
    for (int64_t i = 0; i < e->n_items; i++) {
        const cj_item *item = &e->items[i];

        fprintf(f, "%s%s x%lld =%lld", i == 0 ? " items=[" : "; ",
                item->product != NULL ? item->product : "?", (long long)item->quantity,
                (long long)item->value_minor);
        if (item->properties != NULL)
            fprintf(f, " %s", item->properties);
    }
    if (e->n_items > 0)
        fputc(']', f);
}

static void put_message(FILE *f, const cj__message *m)
{
    static const char *const causes[] = {"event", "event", "identify", "alias"};
    const cj_event *e = &m->event;
    char time[25];

    fputs(e->name != NULL ? e->name : causes[m->cause], f);
    if (e->time_ms != 0) {
        cj__time_format(e->time_ms, time);
        put(f, "", time);
    }
    put(f, "", e->channel);
    for (int64_t i = 0; i < e->n_identifiers; i++)
        fprintf(f, " %s=%s", e->identifiers[i].kind, e->identifiers[i].value);
    if (e->value_minor != 0 || e->currency != NULL)
        fprintf(f, " value=%lld", (long long)e->value_minor);
    put(f, "", e->currency);
    put(f, "order=", e->order_id);
    put(f, "product=", e->product);
    if (e->quantity != 0)
        fprintf(f, " quantity=%lld", (long long)e->quantity);
    put(f, "session=", e->session);
    put(f, "campaign=", e->campaign);
    put(f, "content=", e->content);
    put(f, "id=", e->message_id);
    put_items(f, e);
    put(f, "properties=", e->properties);
    put(f, "traits=", m->traits);
    put(f, "source=", m->source);
}

char *messages_describe_one(const cj__message *m)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    ck_assert_ptr_nonnull(f);
    if (m->outcome == CJ__REJECTED)
        fprintf(f, "rejected: %s", m->reason);
    else
        put_message(f, m);
    fclose(f);
    return text;
}

char *messages_describe(cj_db *db, const char *format, const char *json)
{
    cj__arena arena;
    cj__message m;
    char *text;
    int64_t time_ms;

    cj__arena_init(&arena, &db->cx.allocator);
    ck_assert_int_eq(cj__message_parse(db, format, cj__text_of(json), &arena, &m),
                     CJ_OK);
    ck_assert_ptr_eq(m.raw.data, json);
    ck_assert(m.outcome == CJ__PENDING || m.outcome == CJ__REJECTED);
    time_ms = m.event.time_ms;
    cj__message_validate(db, &m, 1);
    m.event.time_ms = time_ms;
    text = messages_describe_one(&m);
    cj__arena_end(&arena);
    return text;
}

char *messages_file(const char *path)
{
    FILE *f = fopen(path, "rb"), *to;
    char *text = NULL, chunk[4096];
    size_t n, got;

    if (f == NULL)
        return NULL;
    to = open_memstream(&text, &n);
    while ((got = fread(chunk, 1, sizeof chunk, f)) > 0)
        fwrite(chunk, 1, got, to);
    fclose(to);
    fclose(f);
    return text;
}

const char *messages_data(const char *name, char *to, size_t size)
{
    const char *data = getenv("CJ_TEST_DATA");

    snprintf(to, size, "%s/%s", data != NULL ? data : "../shared/data", name);
    if (access(to, R_OK) == 0)
        return to;
    fprintf(stderr, "SKIPPED: %s is not there; set CJ_TEST_DATA\n", to);
    return NULL;
}
