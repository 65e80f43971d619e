/* A profile's state as bytes, and rows of the feed (docs/FORMAT.md, "Segments").
 *
 * The bytes: a version (1), then for each live segment that the profile is in, or whose
 * until is finite, in order of segments: its id less the one before, flags (1: in, 2:
 * until is finite), since when 1, until when 2; all varints, times zigzag. */
#include "segment/live.h"

#define STATE_VERSION 1
#define STATE_IN 1
#define STATE_FINITE 2
#define STATE_BYTES ((size_t)CJ__MAX_LIVE * 32)

/* ---- bytes
 * ------------------------------------------------------------------------------ */

int cj__live_entry_next(cj__text bytes, size_t *at, cj__live_entry *e)
{
    const uint8_t *from = (const uint8_t *)bytes.data + *at;
    const uint8_t *end = (const uint8_t *)bytes.data + bytes.n;
    uint64_t delta, flags, since = 0, until = 0;

    if (*at == 0) {
        if (bytes.n == 0 || *from++ != STATE_VERSION)
            return -1;
        e->segment = 0;
    }
    *at = bytes.n;
    if (from == end)
        return 0;
    if (cj__varint_read(&from, end, &delta) != 0 || delta == 0 ||
        delta > (uint64_t)(INT64_MAX - e->segment) ||
        cj__varint_read(&from, end, &flags) != 0 || flags == 0 ||
        flags > (STATE_IN | STATE_FINITE))
        return -1;
    if ((flags & STATE_IN) && cj__varint_read(&from, end, &since) != 0)
        return -1;
    if ((flags & STATE_FINITE) && cj__varint_read(&from, end, &until) != 0)
        return -1;
    e->segment += (int64_t)delta;
    e->is_in = (flags & STATE_IN) != 0;
    e->since_ms = cj__unzigzag(since);
    e->until_ms = flags & STATE_FINITE ? cj__unzigzag(until) : INT64_MAX;
    *at = (size_t)(from - (const uint8_t *)bytes.data);
    return 1;
}

int32_t cj__live_states_read(const struct cj__live *l, cj__text bytes,
                             cj__live_state *states)
{
    cj__live_entry e = {0};
    size_t at = 0, i = 0;
    int more;

    for (size_t k = 0; k < l->n; k++)
        states[k] = (cj__live_state){.until_ms = INT64_MAX};
    while ((more = cj__live_entry_next(bytes, &at, &e)) > 0) {
        while (i < l->n && l->ids[i] < e.segment)
            i++;
        if (i < l->n && l->ids[i] == e.segment)
            states[i] = (cj__live_state){e.since_ms, e.until_ms, e.is_in};
    }
    return more == 0
               ? CJ_OK
               : cj__fail(CJ_ECORRUPT, "the state of a profile's segments is damaged");
}

static void state_put(const struct cj__live *l, const cj__live_state *states,
                      cj__str *bytes, int64_t *next_out)
{
    int64_t before = 0;

    *next_out = INT64_MAX;
    cj__str_put_char(bytes, STATE_VERSION);
    for (size_t i = 0; i < l->n; i++) {
        const cj__live_state *s = &states[i];
        const int finite = s->until_ms != INT64_MAX;

        if (!s->is_in && !finite)
            continue;
        cj__str_put_varint(bytes, (uint64_t)(l->ids[i] - before));
        before = l->ids[i];
        cj__str_put_varint(
            bytes, (uint64_t)((s->is_in ? STATE_IN : 0) | (finite ? STATE_FINITE : 0)));
        if (s->is_in)
            cj__str_put_varint(bytes, cj__zigzag(s->since_ms));
        if (finite)
            cj__str_put_varint(bytes, cj__zigzag(s->until_ms));
        if (s->until_ms < *next_out)
            *next_out = s->until_ms;
    }
}

/* ---- rows
 * -------------------------------------------------------------------------------- */

static int32_t state_delete(struct cj__live *l, uint32_t profile)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(l->db), STMT_STATE_DELETE, &q));
    cj__query_int64(&q, 1, profile);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__live_state_row(struct cj__live *l, uint32_t profile, int has_row,
                           const cj__live_state *states, int *has_out,
                           int64_t *next_out)
{
    cj__query q = {0};
    cj__str bytes;
    int32_t rc;

    cj__str_init(&bytes, l->allocator, STATE_BYTES);
    state_put(l, states, &bytes, next_out);
    CJ_TRY(cj__str_status(&bytes));
    *has_out = bytes.n > 1;
    if (!*has_out) {
        rc = has_row ? state_delete(l, profile) : CJ_OK;
        goto out;
    }
    CJ_TRY(cj__query_begin(cj__writer(l->db), STMT_STATE_PUT, &q));
    cj__query_int64(&q, 1, profile);
    cj__query_int64(&q, 2, *next_out);
    cj__query_blob(&q, 3, (cj__text){bytes.data, bytes.n});
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    cj__str_end(&bytes);
    return rc;
}

int32_t cj__live_states_write(struct cj__live *l, cj__live_person *p)
{
    int has_row;
    int64_t next_ms;
    int32_t rc =
        cj__live_state_row(l, p->profile, p->has_row, p->states, &has_row, &next_ms);

    if (rc == CJ_OK) {
        p->has_row = has_row;
        p->is_dirty = 0;
        p->next_ms = next_ms;
    }
    return rc;
}

int32_t cj__live_change(struct cj__live *l, int64_t segment, uint32_t profile,
                        int64_t time_ms, int is_in, int32_t cause)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(l->db), STMT_CHANGE_ADD, &q));
    cj__query_int64(&q, 1, segment);
    cj__query_int64(&q, 2, profile);
    cj__query_int64(&q, 3, time_ms);
    cj__query_int64(&q, 4, is_in);
    cj__query_int64(&q, 5, cause);
    CJ_TRY(cj__query_run(&q));
    l->n_changes++;
out:
    cj__query_end(&q);
    return rc;
}
