/* Windows of time: which entries of a list lie in one at p->now, and when that changes.
 *
 * An event at t is a fact from t + 1 on, is older than d from t + d + 1 on; local days,
 * weeks, months and years change at the midnight that begins them, and that matters
 * only when an entry is concerned. */
#include "segment/program.h"

#include <string.h>

int32_t cj__window_make(cj__program *p, const cj__seg_node *node, cj__window *out)
{
    memset(out, 0, sizeof *out);
    if (node == NULL)
        return CJ_OK;
    out->kind = (int32_t)node->i;
    if (out->kind == CJ__WIN_SINCE_LAST)
        return cj__selector_slot(p, node->kids[0], &out->since);
    if (node->n_kids > 0)
        out->a = cj__span(node->kids[0]->i);
    if (node->n_kids > 1)
        out->b = cj__span(node->kids[1]->i);
    return CJ_OK;
}

/* ---- the calendar
 * --------------------------------------------------------------------- */

/* The first day of the period that is n after the one in which a day lies. */
static int64_t window_day(int32_t unit, int64_t day, int64_t n)
{
    int64_t year, months, weekday;
    int month, date;

    if (unit == CJ__UNIT_DAY)
        return day + n;
    if (unit == CJ__UNIT_WEEK) {
        weekday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
        return day - (weekday < 0 ? weekday + 7 : weekday) + 7 * n;
    }
    cj__day_to_civil(day, &year, &month, &date);
    if (unit == CJ__UNIT_YEAR)
        return cj__civil_to_day(year + n, 1, 1);
    months = year * 12 + month - 1 + n;
    year = months / 12 - (months % 12 < 0 ? 1 : 0);
    return cj__civil_to_day(year, (int)(months - year * 12) + 1, 1);
}

/* Where clocks go back over midnight a date comes twice: the instant belongs to the
 * period whose bounds it lies between. */
cj__period cj__period_of(cj__program *p, int32_t unit, int64_t t)
{
    const cj__zone *zone = p->env.zone;
    const int64_t day = cj__zone_day(zone, t);
    cj__period period = {cj__zone_day_start(zone, window_day(unit, day, 0)),
                         cj__zone_day_start(zone, window_day(unit, day, 1)),
                         cj__zone_day_start(zone, window_day(unit, day, -1))};

    if (t >= period.end) {
        period.before = period.start;
        period.start = period.end;
        period.end = cj__zone_day_start(zone, window_day(unit, day, 2));
    }
    return period;
}

static const cj__period *window_now(cj__program *p, int32_t unit)
{
    cj__period *period = &p->periods[unit];

    if (p->now < period->start || p->now >= period->end)
        *period = cj__period_of(p, unit, p->now);
    return period;
}

int64_t cj__period_back(cj__program *p, int32_t unit, int64_t n)
{
    const int64_t start = window_now(p, unit)->start;
    const int64_t day = cj__zone_day(p->env.zone, start);

    return cj__zone_day_start(p->env.zone, window_day(unit, day, -n));
}

void cj__period_next(cj__program *p, int32_t unit, const cj__list *list, int64_t from)
{
    const int64_t end = window_now(p, unit)->end;
    const uint32_t at = cj__list_at(p, list, from);
    int64_t t;

    if (at == list->n)
        return;
    t = p->time[list->rows[at]];
    cj__later(p, t < end ? end : cj__period_of(p, unit, t).end);
}

/* ---- windows
 * ---------------------------------------------------------------------------- */

/* Entries with a time in [from, until), where until <= now; the next fact below `end`
 * (the window's end, when it is still to come) counts. */
static cj__range window_between(cj__program *p, const cj__list *list, int64_t from,
                                int64_t end)
{
    const int64_t until = end < p->now ? end : p->now;
    cj__range range = {cj__list_at(p, list, from), cj__list_at(p, list, until)};
    uint32_t next;

    if (range.lo > range.hi)
        range.lo = range.hi;
    if (end > p->now) {
        next = from > p->now ? cj__list_at(p, list, from) : range.hi;
        if (next < list->n && p->time[list->rows[next]] < end)
            cj__later(p, cj__beyond(p->time[list->rows[next]], 0));
    }
    return range;
}

cj__range cj__window_ago(cj__program *p, const cj__list *list, int64_t older,
                         int64_t younger)
{
    cj__range range;

    range.lo = cj__list_at(p, list, p->now - older);
    range.hi = cj__list_at(p, list, p->now - younger);
    if (older <= younger) { /* nothing is in it, ever */
        range.hi = range.lo;
        return range;
    }
    if (range.lo < list->n)
        cj__later(p, cj__beyond(p->time[list->rows[range.lo]], older));
    if (range.hi < list->n)
        cj__later(p, cj__beyond(p->time[list->rows[range.hi]], younger));
    return range;
}

static cj__range window_this(cj__program *p, int32_t unit, const cj__list *list)
{
    const cj__period period = *window_now(p, unit);
    const cj__range range = window_between(p, list, period.start, CJ__NEVER);

    if (range.lo < range.hi)
        cj__later(p, period.end);
    return range;
}

static cj__range window_previous(cj__program *p, int32_t unit, const cj__list *list)
{
    const cj__period period = *window_now(p, unit);
    const cj__range range = {cj__list_at(p, list, period.before),
                             cj__list_at(p, list, period.start)};

    cj__period_next(p, unit, list, period.before);
    return range;
}

/* The rows behind the last event of the other kind; that one's next event counts. */
static int32_t window_since(cj__program *p, const cj__window *w, const cj__list *list,
                            cj__range *out)
{
    cj__list since;
    uint32_t n;
    int32_t rc;

    CJ_TRY(cj__list_of(p, w->since, &since));
    n = cj__list_seen(p, &since);
    out->hi = cj__list_seen(p, list);
    out->lo = n == 0 ? 0 : cj__list_row(list, (int64_t)since.rows[n - 1] + 1);
    if (out->lo > out->hi)
        out->lo = out->hi;
out:
    return rc;
}

int32_t cj__window_range(cj__program *p, const cj__window *w, const cj__list *list,
                         cj__range *out)
{
    switch (w->kind) {
    case CJ__WIN_LAST:
        *out = cj__window_ago(p, list, w->a, 0);
        break;
    case CJ__WIN_BETWEEN:
        *out = cj__window_ago(p, list, w->a, w->b);
        break;
    case CJ__WIN_TODAY:
        *out = window_this(p, CJ__UNIT_DAY, list);
        break;
    case CJ__WIN_THIS_WEEK:
        *out = window_this(p, CJ__UNIT_WEEK, list);
        break;
    case CJ__WIN_THIS_MONTH:
        *out = window_this(p, CJ__UNIT_MONTH, list);
        break;
    case CJ__WIN_THIS_YEAR:
        *out = window_this(p, CJ__UNIT_YEAR, list);
        break;
    case CJ__WIN_YESTERDAY:
        *out = window_previous(p, CJ__UNIT_DAY, list);
        break;
    case CJ__WIN_PREVIOUS_WEEK:
        *out = window_previous(p, CJ__UNIT_WEEK, list);
        break;
    case CJ__WIN_PREVIOUS_MONTH:
        *out = window_previous(p, CJ__UNIT_MONTH, list);
        break;
    case CJ__WIN_PREVIOUS_YEAR:
        *out = window_previous(p, CJ__UNIT_YEAR, list);
        break;
    case CJ__WIN_SINCE:
        *out = window_between(p, list, w->a, CJ__NEVER);
        break;
    case CJ__WIN_SINCE_LAST:
        return window_since(p, w, list, out);
    case CJ__WIN_UNTIL:
        *out = window_between(p, list, INT64_MIN, w->a);
        break;
    case CJ__WIN_FROM:
        *out = window_between(p, list, w->a, w->b);
        break;
    default:
        *out = (cj__range){0, cj__list_seen(p, list)};
    }
    return CJ_OK;
}
