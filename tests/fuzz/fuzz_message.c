/* Any bytes as a message of either form: it is parsed or rejected with a one-line
 * reason, and what was understood, written in the own form, is understood again. */
#include "base/json.h"
#include "events/events.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int ok)
{
    if (!ok)
        abort();
}

static void parse(cj_db *db, const char *format, cj__text text)
{
    cj__arena arena;
    cj__message m, again;
    cj__str own;

    cj__arena_init(&arena, &db->cx.allocator);
    cj__str_init(&own, &db->cx.allocator, 1 << 24);
    must(cj__message_parse(db, format, text, &arena, &m) == CJ_OK);
    if (m.outcome == CJ__PENDING)
        cj__message_validate(db, &m, INT64_C(1704067200000));
    if (m.outcome == CJ__REJECTED) {
        must(m.code < 0 && m.reason[0] != 0 && strlen(m.reason) <= 100);
        must(strchr(m.reason, '\n') == NULL);
    } else if (m.event.name != NULL) {
        cj__message_put(&own, &m);
        must(cj__str_status(&own) == CJ_OK && cj__json_check(own.data, own.n) == CJ_OK);
        must(cj__message_parse(db, "json", (cj__text){own.data, own.n}, &arena,
                               &again) == CJ_OK);
        must(again.outcome != CJ__REJECTED && again.event.name != NULL);
        must(strcmp(again.event.name, m.event.name) == 0);
        must(again.event.value_minor == m.event.value_minor);
        must(again.event.n_items == m.event.n_items);
    }
    cj__str_end(&own);
    cj__arena_end(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cj__text text = {(const char *)data, n};
    cj_db db;

    memset(&db, 0, sizeof db);
    cj__ctx_init(&db.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    memcpy(db.currency, "EUR", 4);
    db.currency_exponent = 2;
    must(cj__zone_open(&db.cx.allocator, "UTC", &db.zone) == CJ_OK);
    parse(&db, "json", text);
    parse(&db, "segment", text);
    cj__zone_end(db.zone);
    return 0;
}
