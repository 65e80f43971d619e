/* Tools that both JSON forms share: a draft turns nodes of a tree into the fields of
 * one message, with texts in the arena.  Private to room events. */
#ifndef CJ__EVENTS_MESSAGE_H
#define CJ__EVENTS_MESSAGE_H

#include "base/json.h"
#include "events/events.h"
#include "identity/identity.h"

/* Sticky: once the message is rejected, or memory is out, every function is a no-op
 * that gives NULL or 0. */
typedef struct cj__draft {
    cj_db *db;
    cj__arena *arena;
    cj__message *m;
    cj_identifier *identifiers; /* CJ__MAX_IDENTIFIERS of them; m points there */
    cj__str scratch;
    int32_t rc; /* CJ_ENOMEM */
} cj__draft;

int cj__draft_open(const cj__draft *d); /* neither rejected nor out of memory */
void cj__draft_reject(cj__draft *d, int32_t code, const char *what, const char *why);

void *cj__draft_alloc(cj__draft *d, size_t bytes); /* zeroed, in the arena */
/* A string, or a number as written; null and "" are absent; else a rejection in the
 * name of `what`. */
const char *cj__draft_text(cj__draft *d, const struct cJSON *node, const char *what);
/* An object as minified JSON; null is absent. */
const char *cj__draft_object(cj__draft *d, const struct cJSON *node, const char *what);
/* What was put into d->scratch, as an arena text. */
const char *cj__draft_scratch(cj__draft *d);

void cj__draft_identifier(cj__draft *d, const char *kind, const struct cJSON *node);

/* A whole number, also as text.  1: present, in *out. */
int cj__draft_whole(cj__draft *d, const struct cJSON *node, const char *what,
                    int64_t *out);
/* Decimal money to minor units.  1: present, in *out. */
int cj__draft_money(cj__draft *d, const struct cJSON *node, const char *what,
                    int64_t *out);
/* The same times a quantity, rounded once. */
int cj__draft_price(cj__draft *d, const struct cJSON *node, int64_t quantity,
                    const char *what, int64_t *out);
/* A time as text, or a number of milliseconds.  1: present, in *out. */
int cj__draft_time(cj__draft *d, const struct cJSON *node, const char *what,
                   int64_t *out);

/* A value was said: the event has one, also when it is 0 and no order. */
void cj__draft_value(cj__draft *d, int64_t value_minor);
/* The sum of the items as value; a rejection when it is beyond int64. */
void cj__draft_sum(cj__draft *d);

int cj__name_has_value(const char *name); /* order or refund */

/* The two forms: root is an object. */
void cj__message_json(cj__draft *d, const struct cJSON *root);
void cj__message_segment(cj__draft *d, const struct cJSON *root);

#endif
