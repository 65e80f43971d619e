/* Recording: messages in, one durable commit out.  The door of room events. */
#ifndef CJ__EVENTS_EVENTS_H
#define CJ__EVENTS_EVENTS_H

#include "store/store.h"

/* One message as record, JSON or import hand it in.  It holds identifiers that belong
 * to one person (event.identifiers, linked to each other as far as the rules allow),
 * and an event (event.name not NULL), or traits, or both. */
typedef struct cj__message {
    cj_event event;     /* time_ms 0: now.  Pointers stay the caller's */
    const char *traits; /* a checked JSON object or NULL */
    const char *source; /* of traits; NULL: "host" */
    int32_t cause;      /* CJ__CAUSE_*: how its edges are logged; 0: event */
    const char *format; /* record, identify, json, segment, csv: for failed_event */
    cj__text raw;       /* kept when rejected; data NULL: the event written as JSON */
    int64_t place;      /* line or index, for cj_errpos and reject files */

    /* A parser that cannot read a message sets outcome CJ__REJECTED, code and reason.
     */
    int32_t outcome; /* CJ__RECORDED ... */
    int32_t code;    /* CJ_EINVAL, CJ_ELIMIT, CJ_ECURRENCY: why it was rejected */
    char reason[104];
    int32_t refused;  /* out: edges refused by a unique conflict */
    int64_t profile;  /* in: not 0: tell me; out: of its strongest identifier */
    int64_t n_events; /* out: events recorded (1 + items) */
} cj__message;

enum { CJ__PENDING = 0, CJ__RECORDED = 1, CJ__DUPLICATE = 2, CJ__REJECTED = 3 };

/* Record messages in one commit (shared with concurrent callers).  CJ_OK: each has its
 * outcome and is durable; otherwise nothing happened. */
int32_t cj__record(cj_db *db, cj__message *messages, int64_t n, int64_t now_ms);
/* The same on a deferred handle too: outcomes are final.  For import and retry. */
int32_t cj__record_wait(cj_db *db, cj__message *messages, int64_t n, int64_t now_ms);

/* Sum up outcomes; first_reject is an index. */
void cj__record_count(const cj__message *messages, int64_t n, cj_record_result *result);

/* The room's state in the handle; close makes what is queued durable. */
int32_t cj__recorder_open(cj_db *db);
int32_t cj__recorder_close(cj_db *db);

/* Wait until all that was queued is durable; the error of an earlier deferred commit.
 */
int32_t cj__record_flush(cj_db *db);

/* Check a message against limits and rules; what is wrong makes it CJ__REJECTED. */
void cj__message_validate(const cj_db *db, cj__message *m, int64_t now_ms);

/* Reject a message: sets outcome, code and reason (printf) and returns CJ_OK. */
int32_t cj__reject(cj__message *m, int32_t code, const char *format, ...)
    CJ__PRINTF(3, 4);

/* ---- message_json.c, message_segment.c: text to message -----------------------------
 */

/* Parse one JSON message of format "json" or "segment" into *m (texts in the arena; m
 * is cleared first, raw = the text).  What is wrong with it makes it CJ__REJECTED; a
 * negative result is CJ_ENOMEM or CJ_EINVAL for an unknown format.
 * exact: parsing for import: a message without an id gets none here; the importer adds
 * one from content and ordinal. */
int32_t cj__message_parse(cj_db *db, const char *format, cj__text text,
                          cj__arena *arena, cj__message *m);

/* Write a message in the own JSON form (for failed_event). */
void cj__message_put(cj__str *s, const cj__message *m);

/* One message, an array, or one per line. */
int32_t cj__record_json(cj_db *db, cj__text text, const char *format, int64_t now_ms,
                        cj_record_result *result);

/* ---- import.c, import_csv.c
 * ---------------------------------------------------------- */

int32_t cj__import_file(cj_db *db, const char *path, const cj_import_options *opts,
                        int64_t now_ms, cj_import_result *result);

int32_t cj__failed_events(cj_db *db, cj_table **out);
int32_t cj__failed_retry(cj_db *db, int64_t now_ms, cj_record_result *result);

#endif
