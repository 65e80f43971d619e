/* The fold behind cohorts: where a customer came from, and when they paid how much.
 *
 * Partial, little endian, in profile order, per customer with a positive order:
 *
 *    0  u32  profile
 *    4  u32  channel, and
 *    8  u32  campaign (terms; 0: none) of the acquisition touch: the first event, of
 * any name, up to the first purchase that has one of the two 12  u32  orders with a
 * positive total 16  i64  time of the first of them, ms since 1970 UTC 24  i64  their
 * value, refunds taken off when asked for, minor units 32  u32  n, then n pairs of i64:
 * month of age with a value, value in it */
#include "metrics/cohort.h"

#include "base/limits.h"

#include <string.h>

#define COHORT_HEAD 36
#define COHORT_PAIR 16

typedef struct fold_ages { /* in the partial that grows */
    cj__str *partial;
    size_t start; /* of the customer */
    int64_t month, minor;
    uint32_t n;
    int overflow;
} fold_ages;

static void cohort_put(char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(value >> (8 * i));
}

static uint64_t cohort_get(const char *from, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return value;
}

static void ages_close(fold_ages *a)
{
    char pair[COHORT_PAIR];

    if (a->minor == 0)
        return;
    cohort_put(pair, (uint64_t)a->month, 8);
    cohort_put(pair + 8, (uint64_t)a->minor, 8);
    cj__str_put(a->partial, pair, sizeof pair);
    a->n++;
}

static void ages_add(fold_ages *a, int64_t age_ms, int64_t value)
{
    int64_t month = age_ms / CJ__COHORT_MONTH_MS;

    month = month < CJ__COHORT_MONTHS ? month : CJ__COHORT_MONTHS - 1;
    if (month != a->month) {
        ages_close(a);
        a->month = month;
        a->minor = 0;
    }
    a->overflow |= __builtin_add_overflow(a->minor, value, &a->minor);
}

static int cohort_is_paid(const cj__columns *c, int64_t i)
{
    return c->has_value[i] && c->name[i] == CJ__NAME_ORDER && c->value_minor[i] > 0;
}

static int cohort_is_taken(const cj__cohort_fold *fold, const cj__columns *c, int64_t i)
{
    return fold->net && c->has_value[i] && c->value_minor[i] < 0 &&
           (c->name[i] == CJ__NAME_ORDER || c->name[i] == CJ__NAME_REFUND);
}

/* The first purchase among rows, or n of them. */
static int64_t cohort_first(const cj__columns *c, int64_t first, int64_t n)
{
    int64_t i = first;

    while (i < first + n && !cohort_is_paid(c, i))
        i++;
    return i;
}

static void cohort_touch(const cj__columns *c, int64_t first, int64_t bought,
                         cj__cohort_fact *fact)
{
    for (int64_t i = first; i <= bought; i++) {
        if (c->channel[i] == 0 && c->campaign[i] == 0)
            continue;
        fact->channel = c->channel[i];
        fact->campaign = c->campaign[i];
        return;
    }
}

int32_t cj__cohort_profile(const void *arg, cj__str *partial, uint32_t profile,
                           const cj__columns *columns, int64_t first, int64_t n)
{
    const cj__cohort_fold *fold = arg;
    const int64_t bought = cohort_first(columns, first, n);
    cj__cohort_fact fact = {.profile = profile};
    fold_ages ages = {.partial = partial, .start = partial->n};
    char *to;

    if (bought == first + n)
        return CJ_OK;
    cohort_touch(columns, first, bought, &fact);
    fact.first_ms = columns->time_ms[bought];
    (void)cj__str_extend(partial, COHORT_HEAD);
    for (int64_t i = bought; i < first + n; i++) {
        const int is_paid = cohort_is_paid(columns, i);

        if (!is_paid && !cohort_is_taken(fold, columns, i))
            continue;
        fact.n_orders += (uint32_t)is_paid;
        ages.overflow |=
            __builtin_add_overflow(fact.minor, columns->value_minor[i], &fact.minor);
        ages_add(&ages, columns->time_ms[i] - fact.first_ms, columns->value_minor[i]);
    }
    ages_close(&ages);
    if (cj__str_status(partial) != CJ_OK)
        return cj__str_status(partial);
    if (ages.overflow)
        return cj__fail(CJ_ELIMIT, "the orders of profile %u sum up beyond int64",
                        profile);
    to = partial->data + ages.start;
    cohort_put(to, fact.profile, 4);
    cohort_put(to + 4, fact.channel, 4);
    cohort_put(to + 8, fact.campaign, 4);
    cohort_put(to + 12, fact.n_orders, 4);
    cohort_put(to + 16, (uint64_t)fact.first_ms, 8);
    cohort_put(to + 24, (uint64_t)fact.minor, 8);
    cohort_put(to + 32, ages.n, 4);
    return CJ_OK;
}

int cj__cohort_next(const cj__str *partial, size_t *at, cj__cohort_fact *out)
{
    const char *from = partial->data + *at;

    if (*at >= partial->n)
        return 0;
    *out = (cj__cohort_fact){.profile = (uint32_t)cohort_get(from, 4),
                             .channel = (uint32_t)cohort_get(from + 4, 4),
                             .campaign = (uint32_t)cohort_get(from + 8, 4),
                             .n_orders = (uint32_t)cohort_get(from + 12, 4),
                             .first_ms = (int64_t)cohort_get(from + 16, 8),
                             .minor = (int64_t)cohort_get(from + 24, 8),
                             .n_ages = (uint32_t)cohort_get(from + 32, 4),
                             .ages = from + COHORT_HEAD};
    *at += COHORT_HEAD + (size_t)out->n_ages * COHORT_PAIR;
    return 1;
}

void cj__cohort_age(const cj__cohort_fact *fact, uint32_t i, int64_t *month,
                    int64_t *minor)
{
    const char *from = fact->ages + (size_t)i * COHORT_PAIR;

    *month = (int64_t)cohort_get(from, 8);
    *minor = (int64_t)cohort_get(from + 8, 8);
}
