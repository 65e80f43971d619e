/* What is kept of each customer between two refreshes.  A state's bytes, version 1:
 *
 *     byte 1
 *     varint    flags, of STATE_*
 *     zigzag    time of the last event
 *     STATE_CLOSED: varint x, zigzags first_ms, first period, last period, value of the
 *               repeat purchases, 8 bytes little endian: sum of ln(days between
 * purchases) STATE_OPEN: zigzags its period, its time, its value zigzag    latest
 * period, when there is a purchase */
#include "metrics/clv_state.h"

#include "profile/score.h"

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

/* ---- care of the file --------------------------------------------------------------
 */

static int state_is_sound(uint32_t profile, cj__text state)
{
    const cj__clv_fold fold = {0};
    cj__clv_state s;
    const int is_sound = cj__clv_state_read(&s, &fold, profile, state) == CJ_OK;

    cj__error_clear();
    return is_sound;
}

int32_t cj__clv_check(cj_db *db, cj__conn *conn, cj_table *problems)
{
    return cj__scores_check(db, conn, state_is_sound, problems);
}
