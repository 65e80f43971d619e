/* One running import: input, batch, rejects.  Private to room events. */
#ifndef CJ__EVENTS_IMPORT_H
#define CJ__EVENTS_IMPORT_H

#include "events/csv.h"
#include "events/events.h"
#include "identity/identity.h"

/* ---- input (import_input.c): a file in chunks
 * ---------------------------------------- */

typedef struct cj__input {
    const cj__allocator *allocator;
    char *data;
    size_t from, n;          /* unread bytes are data[from, n) */
    int64_t n_read, n_total; /* total 0: unknown, a pipe */
    int64_t device, inode;   /* so that the reject file is not the input */
    int fd, is_own, at_end;
} cj__input;

/* Errors: CJ_ENOTFOUND, CJ_EINVAL (a folder, UTF-16), CJ_EIO. */
int32_t cj__input_open(cj__input *in, const cj__allocator *a, const char *path);
/* Read more, keeping the unread bytes; at_end when there is no more.  Holds more than
 * CJ__MAX_MESSAGE unread bytes before it is full; never call it full. */
int32_t cj__input_fill(cj__input *in);
cj__text cj__input_rest(const cj__input *in);
void cj__input_end(cj__input *in);

/* ---- rejects (import_reject.c): line,reason,raw
 * ---------------------------------------- */

typedef struct cj__rejects {
    int fd; /* -1: none */
    cj__str text;
} cj__rejects;

/* An existing file is replaced only when it is one of ours, or empty. */
int32_t cj__rejects_open(cj__rejects *r, const cj__allocator *a, const char *path,
                         const cj__input *in);
int32_t cj__rejects_add(cj__rejects *r, int64_t line, const char *reason, cj__text raw);
int32_t cj__rejects_end(cj__rejects *r, int32_t rc); /* writes what is left */

/* ---- the import (import.c)
 * ---------------------------------------------------------------- */

enum {
    CJ__IMPORT_MESSAGES = 2000, /* of a batch: one commit, and its memory */
    CJ__IMPORT_EVENTS = 50000,
    CJ__IMPORT_BYTES = 4 * 1024 * 1024 /* of raw text in a batch */
};

typedef struct cj__import_batch cj__import_batch;

typedef struct cj__import_line {
    int64_t line; /* as an editor counts: from 1 */
    cj__text raw;
} cj__import_line;

typedef struct cj__import {
    cj_db *db;
    const cj_import_options *opts;
    const char *format;
    int64_t now_ms;
    const cj__zone *zone;
    cj__input input;
    cj__rejects rejects;
    cj_import_result result;
    int64_t line; /* of what is being read, from 1 */

    cj__arena arena; /* of the batch */
    cj__message *messages;
    cj__import_batch *lines; /* beside each message: its lines */
    size_t n_messages;
    size_t n_events, n_bytes; /* roughly */
    cj__map rows;             /* hash of a message without id: how often it came */
} cj__import;

/* Copy a message (its texts stay in im->arena) with its lines into the batch, and
 * record the batch when it is full.  Resets the arena then. */
int32_t cj__import_add(cj__import *im, const cj__message *m,
                       const cj__import_line *lines, size_t n_lines);

/* Reject one line; raw is copied. */
int32_t cj__import_reject(cj__import *im, int64_t line, cj__text raw, int32_t code,
                          const char *reason);

/* Give a message an id made of its content and of how often that came before. */
int32_t cj__import_message_id(cj__import *im, cj__message *m, cj__text content);

/* Read more input; tells progress and notices an interruption. */
int32_t cj__import_fill(cj__import *im);

/* ---- CSV
 * ------------------------------------------------------------------------------------
 */

enum cj__field { /* what a column can be */
                 CJ__FIELD_TIME,
                 CJ__FIELD_ORDER,
                 CJ__FIELD_PRODUCT,
                 CJ__FIELD_QUANTITY,
                 CJ__FIELD_UNIT_PRICE,
                 CJ__FIELD_VALUE,
                 CJ__FIELD_VALUE_MINOR,
                 CJ__FIELD_NAME,
                 CJ__FIELD_CHANNEL,
                 CJ__FIELD_SESSION,
                 CJ__FIELD_CAMPAIGN,
                 CJ__FIELD_CONTENT,
                 CJ__FIELD_CURRENCY,
                 CJ__FIELD_MESSAGE_ID,
                 CJ__FIELD_GUEST_COLUMN,
                 CJ__FIELD_KINDS, /* one per identifier kind, strongest first */
                 CJ__N_FIELDS = CJ__FIELD_KINDS + CJ__N_KINDS
};

typedef struct cj__extra { /* a column of properties or traits */
    const char *key;       /* "colour": with its quotes and colon */
    int column, is_trait;
} cj__extra;

typedef struct cj__columns_map {
    int column[CJ__N_FIELDS]; /* index in the file, -1: not mapped */
    cj__extra *extras;
    size_t n_extras;
    size_t n_columns;
} cj__columns_map;

/* import_map.c: match the map (NULL: the header has our names) with a header.  Memory
 * is the arena's.  Errors: CJ_EINVAL. */
int32_t cj__columns_match(cj__arena *arena, const char *map, const char *guest,
                          const cj__text *header, size_t n_header,
                          cj__columns_map *out);

/* One row of a CSV file, its fields trimmed; texts borrowed from the input. */
typedef struct cj__row_text {
    const cj__columns_map *map;
    const cj__text *fields;
    cj__text raw;
    int64_t line;
    int64_t time_ms;
    int64_t quantity, value_minor; /* of the line */
    int has_value;
} cj__row_text;

cj__text cj__row_field(const cj__row_text *row, int field);
/* {"colour":"red"} of the row's properties or traits; "" when it has none. */
void cj__row_extras(const cj__row_text *row, int traits, cj__str *out);

/* import_orders.c: the window of open orders. */
typedef struct cj__orders cj__orders;
int32_t cj__orders_new(cj__import *im, cj__orders **out);
/* Add a line to its order.  *reason_out: NULL, or why the line is rejected. */
int32_t cj__orders_add(cj__orders *o, const cj__row_text *row, const char **reason_out);
int32_t cj__orders_finish(cj__orders *o); /* close all, in order of their first lines */
void cj__orders_end(cj__orders *o);       /* NULL is fine */

/* import_csv.c */
int32_t cj__import_csv(cj__import *im);
/* Identifiers of n_kinds texts (n 0: absent), or the guest's; into the arena. */
int32_t cj__import_identifiers(cj__import *im, cj_event *e, const cj__text *kinds,
                               cj__text guest);
/* An arena copy of a text; NULL when it is absent or memory is out (*rc tells). */
const char *cj__import_text(cj__import *im, cj__text text, int32_t *rc);

#endif
