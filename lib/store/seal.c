/* Sealing: the journal's events, sorted by (slice, node, time, arrival), become parts
 * of their slices; then the journal's rows are spent.  All in the caller's transaction:
 * either the events are in the journal or in the parts, never in both or in neither. */
#include "store/bits.h"
#include "store/internal.h"

#include <string.h>

enum { SEAL_AHEAD = 8 }; /* rows whose bytes are asked for in advance */

typedef struct seal_key {
    uint64_t order;    /* node, then time within the slice; first the time alone */
    const char *bytes; /* the row as the journal has it */
    uint32_t n_bytes, slice; /* first its node */
} seal_key;

typedef struct seal_message {
    uint64_t hash;
    int64_t time_ms;
    uint32_t slice;
} seal_message;

/* Everything in here is the arena's. */
typedef struct seal {
    cj_db *db;
    cj__arena arena;
    seal_key *keys, *spare;
    seal_message *messages;
    uint64_t *hashes; /* of the slice at hand */
    cj__slice *slices;
    size_t n_rows, n_messages, n_slices, slices_capacity;
    int64_t last_batch, newest_ms;
    int64_t months_until_ms; /* older events go into slices of months */
} seal;

/* ---- reading the journal
 * ---------------------------------------------------------------- */

static int seal_overlaps(const cj__store *store, cj__slice slice)
{
    for (size_t i = 0; i < store->n_parts; i++)
        if (store->parts[i].from_ms < slice.until_ms &&
            slice.from_ms < store->parts[i].until_ms)
            return 1;
    return 0;
}

/* A slice that has no part yet: the week, or a month that compacting would make of its
 * weeks next. */
static cj__slice seal_new_slice(const seal *s, int64_t time_ms)
{
    cj__slice month = cj__slice_month(time_ms);

    if (month.until_ms < s->months_until_ms && !seal_overlaps(s->db->store, month))
        return month;
    return cj__slice_week(time_ms);
}

/* The slice of a time: that of the parts which cover it, or a new one. */
static int32_t seal_slice(seal *s, int64_t time_ms, uint32_t *out)
{
    const cj__store *store = s->db->store;
    cj__slice slice;
    int32_t rc;

    for (size_t i = s->n_slices; i-- > 0;) {
        if (s->slices[i].from_ms <= time_ms && time_ms < s->slices[i].until_ms) {
            *out = (uint32_t)i;
            return CJ_OK;
        }
    }
    slice = seal_new_slice(s, time_ms);
    for (size_t i = 0; i < store->n_parts; i++)
        if (store->parts[i].from_ms <= time_ms && time_ms < store->parts[i].until_ms)
            slice = (cj__slice){store->parts[i].from_ms, store->parts[i].until_ms};
    rc = cj__array_grow(&s->db->cx.allocator, (void **)&s->slices, &s->slices_capacity,
                        s->n_slices + 1, sizeof *s->slices, 1u << 20);
    if (rc != CJ_OK)
        return rc;
    *out = (uint32_t)s->n_slices;
    s->slices[s->n_slices++] = slice;
    return CJ_OK;
}

static void seal_newest(seal *s, int64_t time_ms)
{
    s->newest_ms = time_ms > s->newest_ms ? time_ms : s->newest_ms;
}

static void seal_messages(seal *s, cj__text pairs)
{
    for (size_t at = 0; at + 16 <= pairs.n; at += 16) {
        seal_message *m = &s->messages[s->n_messages++];
        memcpy(&m->hash, pairs.data + at, 8);
        memcpy(&m->time_ms, pairs.data + at + 8, 8);
        seal_newest(s, m->time_ms);
    }
}

static int32_t seal_batch(seal *s, const cj__query *q, size_t n_rows)
{
    cj__text messages, events;
    size_t at = 0, first = s->n_rows;
    int32_t rc;

    CJ_TRY(cj__journal_blobs(q, &messages, &events));
    events.data = cj__arena_text(&s->arena, events.data, events.n);
    if (events.data == NULL)
        return CJ_ENOMEM;
    while (at < events.n) {
        seal_key *key = &s->keys[s->n_rows];
        cj__row row;
        if (s->n_rows - first == (size_t)cj__query_get_int64(q, 1) ||
            s->n_rows >= n_rows)
            return cj__fail(CJ_ECORRUPT,
                            "a journal row holds more events than it says");
        key->bytes = events.data + at;
        CJ_TRY(cj__journal_next(events, &at, &row));
        key->n_bytes = (uint32_t)(events.data + at - key->bytes);
        key->order = (uint64_t)row.time_ms;
        key->slice = row.node;
        seal_newest(s, row.time_ms);
        s->n_rows++;
    }
    seal_messages(s, messages);
    s->last_batch = cj__query_get_int64(q, 0);
out:
    return rc;
}

static int32_t seal_room(seal *s, int64_t n_rows, int64_t n_messages)
{
    size_t n = (size_t)n_rows + 1, m = (size_t)n_messages + 1;

    s->keys = cj__arena_alloc(&s->arena, cj__size_product(n, sizeof *s->keys));
    s->spare = cj__arena_alloc(&s->arena, cj__size_product(n, sizeof *s->spare));
    s->messages = cj__arena_alloc(&s->arena, cj__size_product(m, sizeof *s->messages));
    s->hashes = cj__arena_alloc(&s->arena, cj__size_product(m, sizeof *s->hashes));
    return s->keys == NULL || s->spare == NULL || s->messages == NULL ||
                   s->hashes == NULL
               ? CJ_ENOMEM
               : CJ_OK;
}

static int32_t seal_read(seal *s)
{
    cj__conn *conn = cj__writer(s->db);
    cj__query q = {0};
    int64_t n_rows, message_bytes;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_one(conn, STMT_JOURNAL_COUNT, &n_rows));
    CJ_TRY(cj__query_one(conn, STMT_JOURNAL_MESSAGES, &message_bytes));
    CJ_TRY(seal_room(s, n_rows, message_bytes / 16));
    CJ_TRY(cj__query_begin(conn, STMT_JOURNAL_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(seal_batch(s, &q, (size_t)n_rows));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* Everything has been read: which slices are there? */
static int32_t seal_slices(seal *s, int compacting)
{
    int32_t rc = CJ_OK;

    s->months_until_ms = compacting ? s->newest_ms - CJ__KEEP_WEEKS_MS : INT64_MIN;
    for (size_t i = 0; i < s->n_rows; i++) {
        seal_key *key = &s->keys[i];
        int64_t time_ms = (int64_t)key->order;
        uint64_t node = key->slice;

        CJ_TRY(seal_slice(s, time_ms, &key->slice));
        key->order = node << 32 | (uint64_t)(time_ms - s->slices[key->slice].from_ms);
    }
    for (size_t i = 0; i < s->n_messages; i++)
        CJ_TRY(seal_slice(s, s->messages[i].time_ms, &s->messages[i].slice));
out:
    return rc;
}

/* ---- sorting: by (slice, node, time), stable, so ties keep their arrival
 * ------------------ */

static unsigned seal_byte(const seal_key *key, int pass)
{
    return pass < 8 ? (unsigned)(key->order >> (8 * pass) & 255)
                    : (unsigned)(key->slice >> (8 * (pass - 8)) & 255);
}

/* Radix sort from the lowest byte; a byte that all keys share costs one look. */
static void seal_sort(seal *s)
{
    for (int pass = 0; pass < 11; pass++) {
        size_t starts[257] = {0};
        seal_key *swap;
        for (size_t i = 0; i < s->n_rows; i++)
            starts[seal_byte(&s->keys[i], pass) + 1]++;
        if (s->n_rows > 0 && starts[seal_byte(&s->keys[0], pass) + 1] == s->n_rows)
            continue;
        for (int b = 0; b < 256; b++)
            starts[b + 1] += starts[b];
        for (size_t i = 0; i < s->n_rows; i++)
            s->spare[starts[seal_byte(&s->keys[i], pass)]++] = s->keys[i];
        swap = s->keys;
        s->keys = s->spare;
        s->spare = swap;
    }
}

/* ---- writing
 * ------------------------------------------------------------------------------- */

/* The rows [from, until) of the sorted keys, read once more: kept since the first time,
 * they would take more memory than their bytes do. */
static int32_t seal_rows(const seal *s, cj__part_writer *w, size_t from, size_t until)
{
    int32_t rc = CJ_OK;

    for (size_t i = from; i < until; i++) {
        cj__text bytes = {s->keys[i].bytes, s->keys[i].n_bytes};
        size_t at = 0;
        cj__row row;

        if (i + SEAL_AHEAD < until)
            cj__prefetch(s->keys[i + SEAL_AHEAD].bytes);
        CJ_TRY(cj__journal_next(bytes, &at, &row));
        CJ_TRY(cj__part_row(w, &row));
    }
out:
    return rc;
}

static int32_t seal_part(seal *s, uint32_t slice, size_t from, size_t until)
{
    cj__part_writer *w = NULL;
    int64_t n = 0;
    int32_t rc;

    CJ_TRY(cj__part_begin(s->db, s->slices[slice], &w));
    CJ_TRY(seal_rows(s, w, from, until));
    for (size_t i = 0; i < s->n_messages; i++) {
        if (s->messages[i].slice != slice)
            continue;
        s->hashes[n++] = s->messages[i].hash;
        cj__part_cover(w, s->messages[i].time_ms, s->messages[i].time_ms);
    }
    CJ_TRY(cj__part_finish(w, s->hashes, n));
out:
    cj__part_end(w);
    return rc;
}

/* The rows that were read are spent, and the next commits write over them: to delete
 * them here, with their bytes overwritten, would cost a tenth of all recording. */
static int32_t seal_spend_journal(seal *s)
{
    cj__store *store = s->db->store;
    int32_t rc = cj__meta_set(cj__writer(s->db), "sealed_through", s->last_batch);

    if (rc != CJ_OK)
        return rc;
    store->journal_events = store->journal_messages = 0;
    store->messages.loaded = 0; /* its hashes are in the parts now */
    store->sealed_through = s->last_batch;
    store->spent = 1;
    return CJ_OK;
}

/* The rows of a slice: [*from, result) of the keys, which are sorted by slice. */
static size_t seal_rows_of(const seal *s, uint32_t slice, size_t from)
{
    while (from < s->n_rows && s->keys[from].slice == slice)
        from++;
    return from;
}

int32_t cj__seal(cj_db *db, int64_t min_size, int compacting)
{
    seal s = {.db = db, .newest_ms = INT64_MIN};
    size_t from = 0;
    int32_t rc;

    if (cj__journal_size(db) < (min_size > 0 ? min_size : 1))
        return CJ_OK;
    cj__arena_init(&s.arena, &db->cx.allocator);
    CJ_TRY(cj__parts_load(db));
    if (db->store->n_parts > 0)
        s.newest_ms = db->store->parts_max_ms;
    CJ_TRY(seal_read(&s));
    CJ_TRY(seal_slices(&s, compacting));
    seal_sort(&s);
    for (uint32_t slice = 0; slice < s.n_slices; slice++) {
        size_t until = seal_rows_of(&s, slice, from);
        CJ_TRY(cj__interrupted(&db->cx));
        CJ_TRY(seal_part(&s, slice, from, until));
        from = until;
    }
    CJ_TRY(seal_spend_journal(&s));
    for (size_t i = 0; i < s.n_slices; i++)
        CJ_TRY(cj__merge_slice(db, s.slices[i].from_ms));
out:
    cj__free(&db->cx.allocator, s.slices, s.slices_capacity * sizeof *s.slices);
    cj__arena_end(&s.arena);
    return rc;
}
