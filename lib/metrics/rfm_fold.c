/* The fold behind RFM: what one pass over a customer's orders and refunds must
 * remember.
 *
 * Partial, version 1: 32 bytes per customer with at least one positive order, little
 * endian, in profile order:
 *
 *    0  u32  profile
 *    4  u8   version, 1; then three zero bytes
 *    8  u32  orders with a positive total
 *   12  u32  distinct local days with such an order; 0: not counted
 *   16  i64  time of the last such order, ms since 1970 UTC
 *   24  i64  sum of their totals, or of all totals and refunds, in minor units
 */
#include "metrics/rfm.h"

#define RFM_VERSION 1

static void rfm_write(uint8_t *to, uint64_t value, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t rfm_read(const uint8_t *from, int n)
{
    uint64_t value = 0;

    for (int i = 0; i < n; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static int32_t rfm_put(cj__str *partial, const cj__rfm_fact *fact)
{
    uint8_t *to = cj__str_extend(partial, CJ__RFM_FACT_BYTES);

    if (to == NULL)
        return cj__str_status(partial);
    rfm_write(to, fact->profile, 4);
    rfm_write(to + 4, RFM_VERSION, 4);
    rfm_write(to + 8, fact->n_orders, 4);
    rfm_write(to + 12, fact->n_days, 4);
    rfm_write(to + 16, (uint64_t)fact->last_ms, 8);
    rfm_write(to + 24, (uint64_t)fact->sum_minor, 8);
    return CJ_OK;
}

int32_t cj__rfm_fact_read(const cj__str *partial, int64_t i, cj__rfm_fact *out)
{
    const uint8_t *from = (const uint8_t *)partial->data + i * CJ__RFM_FACT_BYTES;

    if (rfm_read(from + 4, 4) != RFM_VERSION)
        return cj__fail(CJ_EVERSION, "an RFM partial is not of version %d",
                        RFM_VERSION);
    out->profile = (uint32_t)rfm_read(from, 4);
    out->n_orders = (uint32_t)rfm_read(from + 8, 4);
    out->n_days = (uint32_t)rfm_read(from + 12, 4);
    out->last_ms = (int64_t)rfm_read(from + 16, 8);
    out->sum_minor = (int64_t)rfm_read(from + 24, 8);
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
