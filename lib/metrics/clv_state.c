/* What is kept of each customer between two refreshes.
 *
 * clv_state.state, version 1: the byte 1, then varints (z: zigzag):
 *     flags (1 a purchase is closed, 2 one is open, 4 the open one was refunded, 8 a
 * sum was too large), z time of the last event, with 1: x, z first_ms, z first period,
 * z last period, z value of the repeat purchases, 8 bytes little endian: the sum of
 * ln(days between purchases) with 2: z its period, z its time, z its value z latest
 * period, when there is a purchase. */
#include "metrics/clv_state.h"

#include <string.h>

enum { STATE_CLOSED = 1, STATE_OPEN = 2, STATE_REFUNDED = 4, STATE_OVERFLOW = 8 };
#define STATE_VERSION 1

void cj__clv_state_begin(cj__clv_state *s, const cj__clv_fold *fold, uint32_t profile)
{
    *s = (cj__clv_state){
        .buyer = {.fold = fold, .fact = {.profile = profile}, .latest = INT64_MIN},
        .seen_ms = INT64_MIN
    };
}

void cj__clv_state_rows(cj__clv_state *s, const cj__columns *columns, int64_t from,
                        int64_t until)
{
    cj__clv_buyer_rows(&s->buyer, columns, from, until);
    if (until > from)
        s->seen_ms = columns->time_ms[until - 1];
}

int cj__clv_state_fact(const cj__clv_state *s, cj__clv_fact *out)
{
    cj__clv_buyer b = s->buyer;

    cj__clv_buyer_end(&b);
    *out = b.fact;
    return b.is_closed;
}

/* ---- bytes -------------------------------------------------------------------------
 */

static void state_put(cj__str *to, int64_t value)
{
    cj__str_put_varint(to, cj__zigzag(value));
}

void cj__clv_state_write(cj__str *to, const cj__clv_state *s)
{
    const cj__clv_buyer *b = &s->buyer;
    uint64_t litt;

    cj__str_put_char(to, STATE_VERSION);
    cj__str_put_varint(to, (b->is_closed ? STATE_CLOSED : 0) |
                               (b->is_open ? STATE_OPEN : 0) |
                               (b->is_open && b->is_refunded ? STATE_REFUNDED : 0) |
                               (b->overflow ? STATE_OVERFLOW : 0));
    state_put(to, s->seen_ms);
    if (b->is_closed) {
        cj__str_put_varint(to, b->fact.x);
        state_put(to, b->fact.first_ms);
        state_put(to, b->first);
        state_put(to, b->last);
        state_put(to, b->fact.repeat_minor);
        memcpy(&litt, &b->fact.litt, sizeof litt);
        for (int i = 0; i < 64; i += 8)
            cj__str_put_char(to, (char)(litt >> i));
    }
    if (b->is_open) {
        state_put(to, b->open);
        state_put(to, b->open_ms);
        state_put(to, b->open_minor);
    }
    if (b->latest != INT64_MIN)
        state_put(to, b->latest);
}

typedef struct state_bytes {
    const uint8_t *at, *end;
    int is_bad;
} state_bytes;

static uint64_t state_take(state_bytes *b)
{
    uint64_t value = 0;

    if (!b->is_bad && cj__varint_read(&b->at, b->end, &value) != 0)
        b->is_bad = 1;
    return b->is_bad ? 0 : value;
}

static int64_t state_take_signed(state_bytes *b)
{
    return cj__unzigzag(state_take(b));
}

static double state_take_double(state_bytes *b)
{
    uint64_t bits = 0;
    double value;

    if (b->is_bad || b->end - b->at < 8) {
        b->is_bad = 1;
        return 0;
    }
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)*b->at++ << (8 * i);
    memcpy(&value, &bits, sizeof value);
    return value;
}

int32_t cj__clv_state_read(cj__clv_state *s, const cj__clv_fold *fold, uint32_t profile,
                           cj__text bytes)
{
    state_bytes from = {.at = (const uint8_t *)bytes.data};
    cj__clv_buyer *b = &s->buyer;
    uint64_t flags;

    from.end = from.at + bytes.n;
    cj__clv_state_begin(s, fold, profile);
    if (bytes.n == 0 || *from.at++ != STATE_VERSION)
        return cj__fail(CJ_EVERSION, "a value state is not of version %d",
                        STATE_VERSION);
    flags = state_take(&from);
    s->seen_ms = state_take_signed(&from);
    b->is_closed = (flags & STATE_CLOSED) != 0;
    b->is_open = (flags & STATE_OPEN) != 0;
    b->is_refunded = (flags & STATE_REFUNDED) != 0;
    b->overflow = (flags & STATE_OVERFLOW) != 0;
    if (b->is_closed) {
        b->fact.x = (uint32_t)state_take(&from);
        b->fact.first_ms = state_take_signed(&from);
        b->first = state_take_signed(&from);
        b->last = state_take_signed(&from);
        b->fact.repeat_minor = state_take_signed(&from);
        b->fact.litt = state_take_double(&from);
    }
    if (b->is_open) {
        b->open = state_take_signed(&from);
        b->open_ms = state_take_signed(&from);
        b->open_minor = state_take_signed(&from);
    }
    if (from.at < from.end)
        b->latest = state_take_signed(&from);
    if (from.is_bad || from.at != from.end || flags > 15)
        return cj__fail(CJ_ECORRUPT, "the value state of profile %u is damaged",
                        profile);
    return CJ_OK;
}

/* ---- rows --------------------------------------------------------------------------
 */

int32_t cj__clv_state_get(cj_db *db, const cj__clv_fold *fold, uint32_t profile,
                          cj__clv_state *s, int *known_out)
{
    cj__query q = {0};
    int32_t rc;

    cj__clv_state_begin(s, fold, profile);
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_CLV_STATE_GET, &q));
    cj__query_int64(&q, 1, profile);
    CJ_TRY(cj__query_step(&q, known_out));
    if (*known_out)
        CJ_TRY(cj__clv_state_read(s, fold, profile, cj__query_get_blob(&q, 0)));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__clv_state_put(cj_db *db, uint32_t profile, cj__text bytes)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_CLV_STATE_PUT, &q));
    cj__query_int64(&q, 1, profile);
    cj__query_blob(&q, 2, bytes);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__clv_state_drop(cj_db *db, uint32_t profile)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_CLV_STATE_DELETE, &q));
    cj__query_int64(&q, 1, profile);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

/* ---- care of the file --------------------------------------------------------------
 */

int32_t cj__clv_check(cj__conn *conn, cj_table *problems)
{
    const cj__clv_fold fold = {0};
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_CLV_STATE_ALL, &q));
    for (;;) {
        int64_t profile;
        cj__clv_state s;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        profile = cj__query_get_int64(&q, 0);
        if (profile >= 1 && profile <= (int64_t)CJ__MAX_NODES &&
            cj__clv_state_read(&s, &fold, (uint32_t)profile,
                               cj__query_get_blob(&q, 1)) == CJ_OK)
            continue;
        cj__error_clear();
        cj__problem(problems, "clv_state", "the state of profile %lld cannot be read",
                    (long long)profile);
    }
out:
    cj__query_end(&q);
    return rc;
}
