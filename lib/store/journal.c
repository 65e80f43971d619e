/* The journal: the events of each commit as one row, until they are sealed; and which
 * messages are known, so that recording one twice counts once.  Rows that are sealed
 * stay, spent, until new ones take their room.
 *
 * A message that comes again carries the same id and time, so it is in the journal (a
 * set of 64-bit hashes in memory that follows it) or in the slice of its time (hashes
 * cut to 48 bits, message_run.c).  Late arrivals are rare, so a slice's hashes are
 * probed on disk first and loaded when a part is asked often, as when a file is
 * imported again. */
#include "store/internal.h"

#include <string.h>

#define JOURNAL_CACHED 1000000 /* hashes of sealed messages in memory: 32 MiB */

void cj__messages_reset(cj_db *db)
{
    cj__messages *m = &db->store->messages;

    cj__map_clear(&m->journal);
    cj__map_clear(&m->sealed);
    m->last_batch = 0;
    m->loaded = 0;
}

static int32_t journal_add_hashes(cj__messages *m, cj__text pairs)
{
    int32_t rc = CJ_OK;

    for (size_t at = 0; at + 16 <= pairs.n && rc == CJ_OK; at += 16) {
        uint64_t hash;
        memcpy(&hash, pairs.data + at, 8);
        rc = cj__map_put(&m->journal, hash, 1);
    }
    return rc;
}

/* Read the messages of the batches that this handle has not seen. */
static int32_t journal_follow(cj_db *db)
{
    cj__messages *m = &db->store->messages;
    cj__query q = {0};
    int64_t sealed;
    int row;
    int32_t rc;

    CJ_TRY(cj__meta_get(cj__writer(db), "sealed_through", 0, &sealed));
    if (sealed >= m->last_batch) {
        cj__map_clear(&m->journal);
        m->last_batch = sealed;
    }
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_JOURNAL_AFTER, &q));
    cj__query_int64(&q, 1, m->last_batch);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(journal_add_hashes(m, cj__query_get_blob(&q, 2)));
        m->last_batch = cj__query_get_int64(&q, 0);
    }
    m->loaded = 1;
out:
    cj__query_end(&q);
    return rc;
}

/* All hashes of one part, for a run of late arrivals. */
static int32_t journal_cache_part(cj_db *db, cj__part_info *part)
{
    cj__map *sealed = &db->store->messages.sealed;
    const cj__allocator *a = &db->cx.allocator;
    size_t bytes = cj__size_product((size_t)part->n_messages + 1, sizeof(uint64_t));
    uint64_t *hashes = cj__alloc(a, bytes);
    int32_t rc = CJ_OK;

    if (hashes == NULL)
        return CJ_ENOMEM;
    if (sealed->n > 0 && sealed->n + (size_t)part->n_messages > JOURNAL_CACHED) {
        cj__map_clear(sealed);
        for (size_t i = 0; i < db->store->n_parts; i++) {
            db->store->parts[i].cached = 0;
            db->store->parts[i].probes = 0;
        }
    }
    CJ_TRY(cj__message_run_read(&db->store->writer, part, hashes));
    for (int64_t i = 0; i < part->n_messages; i++)
        CJ_TRY(cj__map_put(sealed, hashes[i], 1));
    part->cached = 1;
out:
    cj__free(a, hashes, bytes);
    return rc;
}

/* Loading n hashes costs about as much as n / 128 probes, so it is done after as many:
 * whatever comes, the cost is at most twice the best choice's. */
static int32_t journal_in_part(cj_db *db, cj__part_info *part, uint64_t hash,
                               int *known_out)
{
    uint64_t ignored;
    int32_t rc;

    if (part->n_messages == 0)
        return CJ_OK;
    if (!part->cached) {
        if (part->probes++ < 16 + part->n_messages / 128)
            return cj__message_run_find(&db->store->writer, part, hash, known_out);
        rc = journal_cache_part(db, part);
        if (rc != CJ_OK)
            return rc;
    }
    *known_out =
        cj__map_get(&db->store->messages.sealed, hash & CJ__MESSAGE_MASK, &ignored);
    return CJ_OK;
}

uint64_t cj__message_hash(const cj_db *db, const char *id)
{
    uint64_t hash = cj__hash64(db->store->seed, id, strlen(id));

    cj__map_expect(&db->store->messages.journal, hash);
    return hash;
}

int32_t cj__message_seen(cj_db *db, cj__batch *batch, uint64_t hash, int64_t time_ms,
                         int *known_out)
{
    cj__store *s = db->store;
    uint64_t ignored;
    int32_t rc;

    *known_out = 0;
    if (!s->messages.loaded)
        CJ_TRY(journal_follow(db));
    CJ_TRY(cj__parts_load(db));
    *known_out = cj__map_get(&s->messages.journal, hash, &ignored);
    for (size_t i = 0; i < s->n_parts && !*known_out && time_ms <= s->parts_max_ms;
         i++) {
        cj__part_info *p = &s->parts[i];
        if (p->min_ms <= time_ms && time_ms <= p->max_ms)
            CJ_TRY(journal_in_part(db, p, hash, known_out));
    }
    if (!*known_out) {
        CJ_TRY(cj__map_put(&s->messages.journal, hash, 1));
        cj__str_put(&batch->messages, &hash, 8);
        cj__str_put(&batch->messages, &time_ms, 8);
        CJ_TRY(cj__str_status(&batch->messages));
    }
out:
    return rc;
}

void cj__batch_row(cj__batch *batch, const cj__row *row)
{
    cj__journal_put(&batch->events, row);
    batch->n_events++;
}

static int64_t journal_checksum(int64_t n_events, cj__text messages, cj__text events)
{
    uint64_t seed = cj__hash64((uint64_t)n_events, messages.data, messages.n);

    return (int64_t)cj__hash64(seed, events.data, events.n);
}

int32_t cj__journal_blobs(const cj__query *q, cj__text *messages_out,
                          cj__text *events_out)
{
    *messages_out = cj__query_get_blob(q, 2);
    *events_out = cj__query_get_blob(q, 3);
    if (cj__query_get_int64(q, 4) !=
        journal_checksum(cj__query_get_int64(q, 1), *messages_out, *events_out))
        return cj__fail(CJ_ECORRUPT, "the checksum of journal batch %lld is wrong",
                        (long long)cj__query_get_int64(q, 0));
    return CJ_OK;
}

static int32_t journal_delete(cj_db *db, int64_t through)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_JOURNAL_DELETE, &q));
    cj__query_int64(&q, 1, through);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

/* Delete the oldest spent rows for as many bytes as a new row will have: it takes their
 * pages in the same commit, so that overwriting what was deleted costs no write. */
static int32_t journal_make_room(cj_db *db, size_t bytes)
{
    cj__store *s = db->store;
    int64_t through = 0;
    cj__query q = {0};
    int row = 1;
    int32_t rc;

    if (!s->spent)
        return CJ_OK;
    s->spent_room += (int64_t)bytes;
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_JOURNAL_SPENT, &q));
    cj__query_int64(&q, 1, s->sealed_through);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row || cj__query_get_int64(&q, 1) > s->spent_room)
            break;
        s->spent_room -= cj__query_get_int64(&q, 1);
        through = cj__query_get_int64(&q, 0);
    }
    s->spent = row;
    if (!row)
        s->spent_room = 0;
    cj__query_end(&q);
    if (through > 0)
        CJ_TRY(journal_delete(db, through));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__journal_forget_spent(cj_db *db)
{
    int32_t rc = journal_delete(db, db->store->sealed_through);

    db->store->spent = rc != CJ_OK;
    return rc;
}

int32_t cj__journal_add(cj_db *db, cj__batch *batch)
{
    const cj__text messages = {batch->messages.data, batch->messages.n};
    const cj__text events = {batch->events.data, batch->events.n};
    cj__store *s = db->store;
    cj__query q = {0};
    int32_t rc;

    if (batch->n_events == 0 && batch->messages.n == 0)
        return CJ_OK;
    CJ_TRY(cj__str_status(&batch->events));
    CJ_TRY(journal_make_room(db, messages.n + events.n));
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_JOURNAL_ADD, &q));
    cj__query_int64(&q, 1, s->next_batch);
    cj__query_int64(&q, 2, batch->n_events);
    cj__query_blob(&q, 3, messages);
    cj__query_blob(&q, 4, events);
    cj__query_int64(&q, 5, journal_checksum(batch->n_events, messages, events));
    CJ_TRY(cj__query_run(&q));
    if (s->messages.loaded)
        s->messages.last_batch = s->next_batch;
    s->next_batch++;
    s->journal_events += batch->n_events;
    s->journal_messages += (int64_t)batch->messages.n / 16;
out:
    cj__query_end(&q);
    return rc;
}
