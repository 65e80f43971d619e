/* Functions over behaviour in time: since when, how regularly, more or less than
 * before, how long between, overdue. */
#include "segment/program.h"

#include <math.h>

/* ---- since
 * --------------------------------------------------------------------------------- */

static int32_t time_since(cj__program *p, const cj__op *op, int64_t unit,
                          cj__value *out)
{
    cj__value when;
    int64_t t;
    int32_t rc;

    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &when));
    if (cj__value_time(p, &when, &t))
        cj__value_ticking(out, p, t, unit);
    else
        cj__value_missing(out);
out:
    return rc;
}

static int32_t time_days_since(cj__program *p, const cj__op *op, cj__value *out)
{
    return time_since(p, op, CJ__MS_PER_DAY, out);
}

static int32_t time_hours_since(cj__program *p, const cj__op *op, cj__value *out)
{
    return time_since(p, op, CJ__MS_PER_HOUR, out);
}

/* The first event ever stays the first: is it in the window? */
static int32_t time_first(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__range range;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__list_of(p, op->call->selectors[0], &list));
    list.n = list.n > 1 ? 1 : list.n;
    CJ_TRY(cj__window_range(p, &op->call->window, &list, &range));
    cj__value_truth(out, range.lo < range.hi ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

/* ---- regularly
 * ------------------------------------------------------------------------------ */

/* From one event to the first of the next period: as many steps as periods with one. */
static int32_t time_regularly(cj__program *p, const cj__op *op, cj__value *out)
{
    const cj__call *call = op->call;
    int64_t from, until, n = 0;
    cj__list list;
    uint32_t at;
    int32_t rc;

    CJ_TRY(cj__list_of(p, call->selectors[0], &list));
    from = cj__period_back(p, call->unit, call->n);
    until = cj__period_back(p, call->unit, 0);
    cj__period_next(p, call->unit, &list, from);
    at = cj__list_at(p, &list, from);
    while (n < call->k && at < list.n && p->time[list.rows[at]] < until) {
        CJ_TRY(cj__program_work(p, 16));
        at = cj__list_at(p, &list,
                         cj__period_of(p, call->unit, p->time[list.rows[at]]).end);
        n++;
    }
    cj__value_truth(out, n >= call->k ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

/* ---- now against before
 * ----------------------------------------------------------------------- */

typedef struct time_counts {
    int64_t now, before, ever; /* in [now - D, now), [now - 2D, now - D), before that */
} time_counts;

static int32_t time_compare(cj__program *p, const cj__op *op, time_counts *out)
{
    const int64_t d = op->call->duration;
    cj__range now, before;
    cj__list list;
    int32_t rc;

    CJ_TRY(cj__list_of(p, op->call->selectors[0], &list));
    now = cj__window_ago(p, &list, d, 0);
    before = cj__window_ago(p, &list, cj__span(2 * d), d);
    out->now = now.hi - now.lo;
    out->before = before.hi - before.lo;
    out->ever = before.lo;
out:
    return rc;
}

static int32_t time_stopped(cj__program *p, const cj__op *op, cj__value *out)
{
    time_counts n;
    int32_t rc;

    CJ_TRY(time_compare(p, op, &n));
    cj__value_truth(out, n.before > 0 && n.now == 0 ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

static int32_t time_restarted(cj__program *p, const cj__op *op, cj__value *out)
{
    time_counts n;
    int32_t rc;

    CJ_TRY(time_compare(p, op, &n));
    cj__value_truth(out,
                    n.now > 0 && n.before == 0 && n.ever > 0 ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

static int32_t time_more(cj__program *p, const cj__op *op, cj__value *out)
{
    time_counts n;
    int32_t rc;

    CJ_TRY(time_compare(p, op, &n));
    cj__value_truth(out, n.now > n.before ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

static int32_t time_less(cj__program *p, const cj__op *op, cj__value *out)
{
    time_counts n;
    int32_t rc;

    CJ_TRY(time_compare(p, op, &n));
    cj__value_truth(out, n.now < n.before ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

static int32_t time_trend(cj__program *p, const cj__op *op, cj__value *out)
{
    time_counts n;
    int32_t rc;

    CJ_TRY(time_compare(p, op, &n));
    if (n.before == 0)
        cj__value_missing(out);
    else
        cj__value_number(out, (double)n.now / (double)n.before);
out:
    return rc;
}

/* ---- the usual gap
 * ------------------------------------------------------------------------------- */

/* Put the k-th smallest where it belongs, smaller ones before it (C. A. R. Hoare,
 * "Algorithm 65: Find", 1961); the middle of three keeps sorted gaps linear. */
static int32_t time_select(cj__program *p, int64_t *gaps, int64_t n, int64_t k)
{
    int64_t lo = 0, hi = n - 1;
    int32_t rc = CJ_OK;

    while (lo < hi) {
        const int64_t a = gaps[lo], b = gaps[lo + (hi - lo) / 2], c = gaps[hi];
        const int64_t pivot = a < b ? (b < c   ? b
                                       : a < c ? c
                                               : a)
                                    : (a < c   ? a
                                       : b < c ? c
                                               : b);
        int64_t i = lo, j = hi;

        CJ_TRY(cj__program_work(p, hi - lo));
        while (i <= j) {
            while (gaps[i] < pivot)
                i++;
            while (gaps[j] > pivot)
                j--;
            if (i <= j) {
                const int64_t swap = gaps[i];

                gaps[i++] = gaps[j];
                gaps[j--] = swap;
            }
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            break;
    }
out:
    return rc;
}

/* In days; of an even number the mean of the middle two. */
static int32_t time_median_of(cj__program *p, const cj__op *op, const cj__list *list,
                              cj__range range, cj__value *out)
{
    const int64_t n = (int64_t)range.hi - range.lo - 1;
    int64_t *gaps, below;
    int32_t rc = CJ_OK;

    (void)op;
    cj__value_missing(out);
    if (n < 1)
        return CJ_OK;
    CJ_TRY(cj__buffer_need(p, &p->gaps, (size_t)n, sizeof *gaps));
    gaps = p->gaps.data;
    for (int64_t i = 0; i < n; i++)
        gaps[i] =
            p->time[list->rows[range.lo + i + 1]] - p->time[list->rows[range.lo + i]];
    CJ_TRY(time_select(p, gaps, n, n / 2));
    if (n % 2 == 1) {
        cj__value_number(out, (double)gaps[n / 2] / (double)CJ__MS_PER_DAY);
        return CJ_OK;
    }
    below = gaps[0];
    for (int64_t i = 1; i < n / 2; i++)
        below = gaps[i] > below ? gaps[i] : below;
    cj__value_number(out, (double)(below + gaps[n / 2]) / 2 / (double)CJ__MS_PER_DAY);
out:
    return rc;
}

static int32_t time_median(cj__program *p, const cj__op *op, cj__value *out)
{
    return cj__call_kept(p, op, time_median_of, out);
}

/* ---- overdue
 * -------------------------------------------------------------------------------------
 */

static int time_is_over(int64_t now, int64_t last, double days)
{
    return (double)(now - last) / (double)CJ__MS_PER_DAY > days;
}

/* The first moment that is more than so many days after the last event: the comparison
 * is one of doubles, so it is asked itself where it turns. */
static int64_t time_over(int64_t last, int64_t now, double days)
{
    int64_t lo = now, hi; /* not over at lo, over at hi */

    if (!(days < 1e11))
        return CJ__NEVER;
    hi = last + (int64_t)(days * (double)CJ__MS_PER_DAY) + 1;
    hi = hi > now ? hi : now + 1;
    while (!time_is_over(hi, last, days))
        hi += 1 + (hi - last) / 1024;
    if (hi - 4096 > lo && !time_is_over(hi - 4096, last, days))
        lo = hi - 4096;
    while (hi - lo > 1) {
        const int64_t middle = lo + (hi - lo) / 2;

        if (time_is_over(middle, last, days))
            hi = middle;
        else
            lo = middle;
    }
    return hi;
}

static int32_t time_overdue(cj__program *p, const cj__op *op, cj__value *out)
{
    cj__value median, factor;
    cj__list list;
    int64_t last;
    double days;
    int over;
    int32_t rc;

    CJ_TRY(cj__call_kept(p, op, time_median_of, &median));
    CJ_TRY(op->kids[0]->eval(p, op->kids[0], &factor));
    cj__value_settle(p, &factor);
    if (median.type != CJ__TYPE_NUMBER || factor.type != CJ__TYPE_NUMBER) {
        cj__value_missing(out);
        return CJ_OK;
    }
    CJ_TRY(cj__list_of(p, op->call->selectors[0], &list));
    last = p->time[list.rows[cj__list_seen(p, &list) - 1]];
    days = factor.d * median.d;
    over = time_is_over(p->now, last, days);
    if (!over)
        cj__later(p, time_over(last, p->now, days));
    cj__value_truth(out, over ? CJ__TRUE : CJ__FALSE);
out:
    return rc;
}

const cj__call_row cj__calls_time[] = {
    {"days_since",          time_days_since,  NULL, 10,  0},
    {"hours_since",         time_hours_since, NULL, 10,  0},
    {"first_time",          time_first,       NULL, 50,  0},
    {"regularly",           time_regularly,   NULL, 300, 0},
    {"stopped",             time_stopped,     NULL, 80,  0},
    {"restarted",           time_restarted,   NULL, 80,  0},
    {"more",                time_more,        NULL, 80,  0},
    {"less",                time_less,        NULL, 80,  0},
    {"trend",               time_trend,       NULL, 80,  0},
    {"median_days_between", time_median,      NULL, 200, 0},
    {"overdue",             time_overdue,     NULL, 250, 0},
    {NULL,                  NULL,             NULL, 0,   0},
};
