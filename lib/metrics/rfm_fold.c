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

static int32_t rfm_put(cj__str *partial, const cj__rfm_fact *fact)
{
    const uint32_t head[4] = {rfm_32(fact->profile), rfm_32(RFM_VERSION),
                              rfm_32(fact->n_orders), rfm_32(fact->n_days)};
    const uint64_t tail[2] = {rfm_64((uint64_t)fact->last_ms),
                              rfm_64((uint64_t)fact->sum_minor)};
    char *to = cj__str_extend(partial, CJ__RFM_FACT_BYTES);

    if (to == NULL)
        return cj__str_status(partial);
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, tail, sizeof tail);
    return CJ_OK;
}

int32_t cj__rfm_fact_read(const cj__str *partial, int64_t i, cj__rfm_fact *out)
{
    const char *from = partial->data + i * CJ__RFM_FACT_BYTES;
    uint32_t head[4];
    uint64_t tail[2];

    memcpy(head, from, sizeof head);
    memcpy(tail, from + sizeof head, sizeof tail);
    if (rfm_32(head[1]) != RFM_VERSION)
        return cj__fail(CJ_EVERSION, "an RFM partial is not of version %d",
                        RFM_VERSION);
    out->profile = rfm_32(head[0]);
    out->n_orders = rfm_32(head[2]);
    out->n_days = rfm_32(head[3]);
    out->last_ms = (int64_t)rfm_64(tail[0]);
    out->sum_minor = (int64_t)rfm_64(tail[1]);
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

int32_t cj__rfm_profile(const void *arg, cj__str *partial, uint32_t profile,
                        const cj__columns *columns, int64_t first, int64_t n)
{
    const cj__rfm_fold *fold = arg;
    cj__rfm_fact fact = {.profile = profile};
    int64_t seen[2] = {INT64_MIN, INT64_MIN};

    for (int64_t i = first; i < first + n; i++) {
        int64_t value = columns->value_minor[i];
        int is_order = columns->name[i] == CJ__NAME_ORDER;
        int is_purchase = is_order && value > 0;

        if (!columns->has_value[i] ||
            (!is_order && columns->name[i] != CJ__NAME_REFUND))
            continue;
        if ((is_purchase || fold->net) &&
            __builtin_add_overflow(fact.sum_minor, value, &fact.sum_minor))
            return cj__fail(CJ_ELIMIT, "the orders of profile %u sum up beyond int64",
                            profile);
        if (!is_purchase)
            continue;
        fact.n_orders++;
        fact.last_ms = columns->time_ms[i];
        if (fold->repeat_days)
            rfm_count_day(&fold->days, &fact, seen);
    }
    return fact.n_orders == 0 ? CJ_OK : rfm_put(partial, &fact);
}
