/* The fold behind RFM: what one pass over a customer's orders and refunds must
 * remember.
 *
 * Partial, version 1: 32 bytes per customer with at least one positive order, little
 * endian, in profile order:
 *
 *    0  u32  profile
 *    4  u32  version, 1
 *    8  u32  orders with a positive total
 *   12  u32  distinct local days with such an order; 0: not counted
 *   16  i64  time of the last such order, ms since 1970 UTC
 *   24  i64  sum of their totals, or of all totals and refunds, in minor units
 */
#include "metrics/rfm.h"

#include <string.h>

#define RFM_VERSION 1
#define RFM_EPOCH ((uint64_t)1 << 63)

/* Little endian and back: nothing to do on most machines. */
static uint32_t rfm_32(uint32_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static uint64_t rfm_64(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static void rfm_write(char *to, const cj__rfm_fact *fact)
{
    const uint32_t head[4] = {rfm_32(fact->profile), rfm_32(RFM_VERSION),
                              rfm_32(fact->n_orders), rfm_32(fact->n_days)};
    const uint64_t tail[2] = {rfm_64((uint64_t)fact->last_ms),
                              rfm_64((uint64_t)fact->sum_minor)};

    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, tail, sizeof tail);
}

int32_t cj__rfm_facts_read(const cj__str *partial, int64_t first, int64_t n,
                           cj__rfm_fact *out)
{
    const char *from = partial->data + first * CJ__RFM_FACT_BYTES;
    uint32_t head[4];
    uint64_t tail[2];

    for (int64_t i = 0; i < n; i++, from += CJ__RFM_FACT_BYTES) {
        memcpy(head, from, sizeof head);
        memcpy(tail, from + sizeof head, sizeof tail);
        if (rfm_32(head[1]) != RFM_VERSION)
            return cj__fail(CJ_EVERSION, "an RFM partial is not of version %d",
                            RFM_VERSION);
        out[i].profile = rfm_32(head[0]);
        out[i].n_orders = rfm_32(head[2]);
        out[i].n_days = rfm_32(head[3]);
        out[i].last_ms = (int64_t)rfm_64(tail[0]);
        out[i].sum_minor = (int64_t)rfm_64(tail[1]);
    }
    return CJ_OK;
}

/* Orders come in time order, so an equal day is the last one; the one before it counts
 * too, because a clock set back over midnight brings yesterday back for a moment. */
static void rfm_count_day(const cj__days *days, cj__rfm_fact *fact, int64_t seen[2])
{
    int64_t day = cj__days_local(days, fact->last_ms);

    if (day == seen[0] || day == seen[1])
        return;
    fact->n_days++;
    seen[1] = seen[0];
    seen[0] = day;
}

/* Sums are right in the end whatever order the events come in, so only what they are at
 * the end is compared with what an int64 holds. */
static void rfm_sum(cj__rfm_state *state, int64_t value)
{
    if (__builtin_add_overflow(state->sum_minor, value, &state->sum_minor))
        state->n_wraps += value < 0 ? -1 : 1;
}

static int32_t rfm_too_much(uint32_t profile)
{
    return cj__fail(CJ_ELIMIT, "the orders of profile %u sum up beyond int64", profile);
}

int32_t cj__rfm_profile(const void *arg, cj__str *partial, uint32_t profile,
                        const cj__columns *columns, int64_t first, int64_t n)
{
    const cj__rfm_fold *fold = arg;
    cj__rfm_fact fact = {.profile = profile};
    int64_t seen[2] = {INT64_MIN, INT64_MIN};
    cj__rfm_state state = {0};
    char *to;

    for (int64_t i = first; i < first + n; i++) {
        int64_t value = columns->value_minor[i];
        int is_order = columns->name[i] == CJ__NAME_ORDER;
        int is_purchase = is_order && value > 0;

        if (!columns->has_value[i] ||
            (!is_order && columns->name[i] != CJ__NAME_REFUND))
            continue;
        if (is_purchase || fold->net)
            rfm_sum(&state, value);
        if (!is_purchase)
            continue;
        fact.n_orders++;
        fact.last_ms = columns->time_ms[i];
        if (fold->repeat_days)
            rfm_count_day(&fold->days, &fact, seen);
    }
    if (fact.n_orders == 0)
        return CJ_OK;
    if (state.n_wraps != 0)
        return rfm_too_much(profile);
    fact.sum_minor = state.sum_minor;
    to = cj__str_extend(partial, CJ__RFM_FACT_BYTES);
    if (to != NULL)
        rfm_write(to, &fact);
    return cj__str_status(partial);
}

/* ---- the same from events in any order ----------------------------------------------
 */

/* A refund's value is never positive: what is, is an order. */
static void rfm_add(const void *arg, void *states, const uint32_t *place,
                    const cj__columns *columns)
{
    const cj__rfm_fold *fold = arg;
    int64_t least = fold->net ? INT64_MIN : 1;

    for (int64_t i = 0; i < columns->n; i++) {
        cj__rfm_state *state = (cj__rfm_state *)states + place[i];
        int64_t value = columns->value_minor[i];
        uint64_t time = value > 0 ? (uint64_t)columns->time_ms[i] + RFM_EPOCH : 0;

        rfm_sum(state, value >= least ? value : 0);
        state->last = time > state->last ? time : state->last;
        state->n_orders += value > 0;
    }
}

static int32_t rfm_keep(const void *arg, cj__str *partial, const void *states,
                        const uint32_t *profile, const uint32_t *place, int64_t n)
{
    const cj__rfm_state *all = states;
    size_t n_kept = 0;
    char *to;

    (void)arg;
    for (int64_t i = 0; i < n; i++)
        n_kept += all[place[i]].n_orders > 0;
    to = cj__str_extend(partial, n_kept * CJ__RFM_FACT_BYTES);
    if (to == NULL)
        return cj__str_status(partial);
    for (int64_t i = 0; i < n; i++) {
        const cj__rfm_state *state = &all[place[i]];

        if (state->n_orders == 0)
            continue;
        if (state->n_wraps != 0)
            return rfm_too_much(profile[i]);
        rfm_write(to, &(cj__rfm_fact){.profile = profile[i],
                                      .n_orders = state->n_orders,
                                      .last_ms = (int64_t)(state->last - RFM_EPOCH),
                                      .sum_minor = state->sum_minor});
        to += CJ__RFM_FACT_BYTES;
    }
    return CJ_OK;
}

const cj__fold_states cj__rfm_states = {.bytes = sizeof(cj__rfm_state),
                                        .kept_bytes = CJ__RFM_FACT_BYTES,
                                        .columns = CJ__COL_TIME | CJ__COL_VALUE,
                                        .add = rfm_add,
                                        .keep = rfm_keep};
