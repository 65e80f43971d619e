/* The fold behind the value models' summary: one pass over a customer's orders and
 * refunds, in order of time.
 *
 * Partial, little endian, in profile order; 40 bytes per customer with a purchase:
 *
 *    0  u32  profile
 *    4  u32  x, repeat purchases
 *    8  i64  time of the first purchase, ms since 1970 UTC
 *   16  i64  periods from the first purchase to the last
 *   24  i64  value of the repeat purchases, minor units
 *   32  f64  sum of ln(days between purchases): added in order of time, and the
 * order is the same however events came, so it is the same to the last bit and with a
 * holdout: 40  i64  purchases in it 48  i64  their value, minor units */
#include "metrics/clv_summary.h"

#include <math.h>
#include <string.h>

int64_t cj__clv_period(const cj__clv_periods *p, int64_t utc_ms)
{
    int64_t day;

    if (p->period == CJ_CLV_ANY)
        return utc_ms;
    day = cj__days_local(&p->days, utc_ms);
    if (p->period == CJ_CLV_DAY)
        return day;
    day += 3; /* 1970-01-01 was a Thursday */
    return day / 7 - (day % 7 < 0);
}

double cj__clv_days(const cj__clv_periods *p, int64_t n)
{
    if (p->period == CJ_CLV_ANY)
        return (double)n / 86400000;
    return (double)(p->period == CJ_CLV_WEEK ? 7 * n : n);
}

/* Periods after the first purchase at the end of what is known; never fewer than at the
 * last purchase. */
int64_t cj__clv_age(const cj__clv_fold *fold, const cj__clv_fact *fact, int64_t end)
{
    const int64_t age = end - cj__clv_period(&fold->periods, fact->first_ms);

    return age > fact->gap ? age : fact->gap;
}

/* Of `any` the end is a moment that does not count any more, of days one that does. */
int64_t cj__clv_end(const cj__clv_fold *fold, int64_t end_ms)
{
    return fold->periods.period == CJ_CLV_ANY
               ? end_ms
               : cj__clv_period(&fold->periods, end_ms - 1);
}

/* ---- bytes
 * ------------------------------------------------------------------------------- */

static uint64_t fact_64(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

size_t cj__clv_fact_bytes(int32_t holdout)
{
    return CJ__CLV_FACT_BYTES + (holdout ? CJ__CLV_STAR_BYTES : 0);
}

static int32_t fact_write(cj__str *partial, int32_t holdout, const cj__clv_fact *fact)
{
    const size_t n = cj__clv_fact_bytes(holdout);
    uint64_t words[7] = {fact->profile | (uint64_t)fact->x << 32,
                         (uint64_t)fact->first_ms,
                         (uint64_t)fact->gap,
                         (uint64_t)fact->repeat_minor,
                         0,
                         (uint64_t)fact->x_star,
                         (uint64_t)fact->star_minor};
    char *to = cj__str_extend(partial, n);

    if (to == NULL)
        return cj__str_status(partial);
    memcpy(&words[4], &fact->litt, sizeof words[4]);
    for (int i = 0; i < 7; i++)
        words[i] = fact_64(words[i]);
    memcpy(to, words, n);
    return CJ_OK;
}

void cj__clv_fact_read(const cj__str *partial, int32_t holdout, int64_t i,
                       cj__clv_fact *out)
{
    const size_t n = cj__clv_fact_bytes(holdout);
    uint64_t words[7] = {0};

    memcpy(words, partial->data + (size_t)i * n, n);
    for (int k = 0; k < 7; k++)
        words[k] = fact_64(words[k]);
    *out = (cj__clv_fact){.profile = (uint32_t)words[0],
                          .x = (uint32_t)(words[0] >> 32),
                          .first_ms = (int64_t)words[1],
                          .gap = (int64_t)words[2],
                          .repeat_minor = (int64_t)words[3],
                          .x_star = (int64_t)words[5],
                          .star_minor = (int64_t)words[6]};
    memcpy(&out->litt, &words[4], sizeof out->litt);
}

/* ---- purchases
 * ---------------------------------------------------------------------------- */

static void fold_sum(cj__clv_buyer *b, int64_t *sum, int64_t value)
{
    b->overflow |= __builtin_add_overflow(*sum, value, sum);
}

static void fold_list(const cj__clv_buyer *b)
{
    const cj__clv_purchase purchase = {b->fact.profile, b->open, b->open_ms,
                                       b->open_minor};

    cj__str_put(b->list, &purchase, sizeof purchase);
}

static void fold_close(cj__clv_buyer *b)
{
    if (!b->is_open)
        return;
    b->is_open = 0;
    if (b->fold->refunds == CJ_CLV_REFUND_DROP && b->is_refunded && b->open_minor <= 0)
        return;
    if (b->list != NULL)
        fold_list(b);
    if (b->is_star) {
        b->fact.x_star++;
        fold_sum(b, &b->fact.star_minor, b->open_minor);
        return;
    }
    if (!b->is_closed) {
        b->first = b->open;
        b->fact.first_ms = b->open_ms;
    } else {
        b->fact.x++;
        b->fact.litt += log(cj__clv_days(&b->fold->periods, b->open - b->last));
        fold_sum(b, &b->fact.repeat_minor, b->open_minor);
    }
    b->last = b->open;
    b->is_closed = 1;
}

/* Periods do not go back: a clock set back over midnight brings no new day. */
static void fold_order(cj__clv_buyer *b, int64_t time_ms, int64_t value)
{
    const int64_t period = cj__clv_period(&b->fold->periods, time_ms);

    b->latest = period > b->latest ? period : b->latest;
    if (b->is_open && b->open == b->latest) {
        fold_sum(b, &b->open_minor, value);
        return;
    }
    fold_close(b);
    b->open = b->latest;
    b->open_ms = time_ms;
    b->open_minor = value;
    b->is_open = 1;
    b->is_refunded = 0;
}

static void fold_refund(cj__clv_buyer *b, int64_t value)
{
    if (!b->is_open || b->fold->refunds == CJ_CLV_REFUND_IGNORE)
        return;
    fold_sum(b, &b->open_minor, value);
    b->is_refunded = 1;
}

void cj__clv_buyer_rows(cj__clv_buyer *b, const cj__columns *columns, int64_t from,
                        int64_t until)
{
    const int64_t least = b->fold->include_free ? 0 : 1;

    for (int64_t i = from; i < until; i++) {
        const int64_t value = columns->value_minor[i];
        const int is_order = columns->name[i] == CJ__NAME_ORDER;

        if (!columns->has_value[i] ||
            (!is_order && columns->name[i] != CJ__NAME_REFUND))
            continue;
        if (value < 0)
            fold_refund(b, value);
        else if (is_order && value >= least)
            fold_order(b, columns->time_ms[i], value);
    }
}

void cj__clv_buyer_end(cj__clv_buyer *b)
{
    fold_close(b);
    b->fact.gap = b->is_star ? b->fact.gap : b->last - b->first;
}

int32_t cj__clv_buyer_all(cj__clv_buyer *b, const cj__columns *columns, int64_t first,
                          int64_t n, int *chosen_out)
{
    int64_t split = first, until = first + n;

    while (split < until && columns->time_ms[split] < b->fold->as_of_ms)
        split++;
    cj__clv_buyer_rows(b, columns, first, split);
    cj__clv_buyer_end(b);
    *chosen_out = b->is_closed && b->fact.first_ms >= b->fold->first_from_ms &&
                  b->fact.first_ms < b->fold->first_until_ms;
    if (!*chosen_out)
        return CJ_OK;
    b->is_star = 1;
    cj__clv_buyer_rows(b, columns, split, until);
    cj__clv_buyer_end(b);
    if (b->overflow)
        return cj__fail(CJ_ELIMIT, "the orders of profile %u sum up beyond int64",
                        b->fact.profile);
    return CJ_OK;
}

int32_t cj__clv_profile(const void *arg, cj__str *partial, uint32_t profile,
                        const cj__columns *columns, int64_t first, int64_t n)
{
    cj__clv_buyer b = {.fold = arg, .fact = {.profile = profile}, .latest = INT64_MIN};
    int chosen;
    const int32_t rc = cj__clv_buyer_all(&b, columns, first, n, &chosen);

    if (rc != CJ_OK || !chosen)
        return rc;
    return fact_write(partial, b.fold->holdout, &b.fact);
}
