/* The fold behind the value models' summary: one pass over a customer's orders and
 * refunds, in order of time.
 *
 * A customer is remembered in a row of words (base/words.h), about 8 bytes without a
 * repeat purchase and 22 with some:
 *
 *   - profile: how far from the one before, less 1
 *   - milliseconds from the first purchase to as_of
 *   - x, repeat purchases
 *   - periods from the first purchase to the last
 *   - value of the repeat purchases, minor units, zigzag
 *   - bits of litt: added in order of time, the same however events came
 *   - with a holdout: x_star; its value as above */
#include "metrics/clv_summary.h"

#include "base/words.h"

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

/* ---- rows ----------------------------------------------------------------------- */

/* A partial is runs, each as one window wrote it: its rows, and then this.  They are
 * read from the last row to the first. */
typedef struct fold_run {
    uint64_t n_bytes; /* of its rows */
    uint32_t n, last; /* rows; profile of the last one */
} fold_run;

enum { FOLD_WORDS = 6, FOLD_WORDS_STAR = 8 };

_Static_assert(sizeof(fold_run) >= CJ__WORDS_BEYOND, "it follows the rows of a run");

static int fold_words(const cj__clv_fold *fold)
{
    return fold->holdout ? FOLD_WORDS_STAR : FOLD_WORDS;
}

static fold_run fold_run_before(const cj__str *partial, size_t end)
{
    fold_run run;

    memcpy(&run, partial->data + end - sizeof run, sizeof run);
    return run;
}

static int32_t fact_write(cj__str *partial, const cj__clv_fold *fold,
                          const cj__clv_fact *fact)
{
    uint64_t words[FOLD_WORDS_STAR] = {0,
                                       (uint64_t)(fold->as_of_ms - fact->first_ms),
                                       fact->x,
                                       (uint64_t)fact->gap,
                                       cj__zigzag(fact->repeat_minor),
                                       0,
                                       (uint64_t)fact->x_star,
                                       cj__zigzag(fact->star_minor)};
    fold_run run = {0};
    size_t n;

    if (partial->n > 0)
        run = fold_run_before(partial, partial->n);
    if (cj__str_extend(partial, CJ__WORDS_ROOM + sizeof run) == NULL)
        return cj__str_status(partial);
    words[0] = (uint32_t)(fact->profile - run.last - 1);
    memcpy(&words[5], &fact->litt, sizeof words[5]);
    n = (size_t)run.n_bytes;
    n += cj__words_put((uint8_t *)partial->data + n, words, fold_words(fold));
    run = (fold_run){.n_bytes = n, .n = run.n + 1, .last = fact->profile};
    memcpy(partial->data + n, &run, sizeof run);
    cj__str_cut(partial, n + sizeof run);
    return CJ_OK;
}

int64_t cj__clv_reading_begin(cj__clv_reading *r, const cj__clv_fold *fold,
                              cj__str *partial)
{
    int64_t n = 0;

    *r = (cj__clv_reading){.fold = fold, .partial = partial, .end = partial->n};
    cj__str_fit(partial);
    for (size_t end = partial->n; end > 0;) {
        const fold_run run = fold_run_before(partial, end);

        n += run.n;
        end -= sizeof run + (size_t)run.n_bytes;
    }
    return n;
}

/* Give back a quarter, and then a quarter of what is left: an allocator that has to
 * copy at each does not copy much. */
static void reading_shrink(const cj__clv_reading *r)
{
    const size_t kept = r->end + CJ__WORDS_BEYOND;

    if (kept >= r->partial->capacity / 4 * 3)
        return;
    cj__str_cut(r->partial, kept);
    cj__str_fit(r->partial);
}

void cj__clv_reading_next(cj__clv_reading *r, cj__clv_fact *out)
{
    uint64_t words[FOLD_WORDS_STAR] = {0};

    reading_shrink(r);
    if (r->n_left == 0) {
        const fold_run run = fold_run_before(r->partial, r->end);

        r->end -= sizeof run;
        r->n_left = run.n;
        r->profile = run.last;
    }
    r->end -= cj__words_get((const uint8_t *)r->partial->data + r->end, words,
                            fold_words(r->fold));
    r->n_left--;
    *out = (cj__clv_fact){.profile = r->profile,
                          .x = (uint32_t)words[2],
                          .first_ms = r->fold->as_of_ms - (int64_t)words[1],
                          .gap = (int64_t)words[3],
                          .repeat_minor = cj__unzigzag(words[4]),
                          .x_star = (int64_t)words[6],
                          .star_minor = cj__unzigzag(words[7])};
    memcpy(&out->litt, &words[5], sizeof out->litt);
    r->profile -= (uint32_t)words[0] + 1;
}

/* ---- purchases ------------------------------------------------------------------ */

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
    return fact_write(partial, b.fold, &b.fact);
}
