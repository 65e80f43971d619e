/* Relations with time and place: before, after, on, within the last or next,
 * anniversary, within a distance.  Moments are exact: each says when it changes. */
#include "segment/program.h"

#include <math.h>

static cj__truth moment_truth(int is_true)
{
    return is_true ? CJ__TRUE : CJ__FALSE;
}

/* In [now - d, now] */
static int moment_last(cj__program *p, int64_t t, int64_t d)
{
    if (t > p->now) {
        cj__later(p, t);
        return 0;
    }
    if (t < p->now - d)
        return 0;
    cj__later(p, cj__beyond(t, d));
    return 1;
}

/* In [now, now + d] */
static int moment_next(cj__program *p, int64_t t, int64_t d)
{
    if (t < p->now)
        return 0;
    if (t > p->now + d) {
        cj__later(p, t - d);
        return 0;
    }
    cj__later(p, cj__beyond(t, 0));
    return 1;
}

/* ---- anniversaries
 * ------------------------------------------------------------------------ */

static int moment_is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The anniversary in a year: 29 February is kept on 28 February in other years. */
static int64_t moment_anniversary(int64_t year, int month, int date)
{
    return cj__civil_to_day(
        year, month, month == 2 && date == 29 && !moment_is_leap(year) ? 28 : date);
}

/* The first anniversary of a day on or after today (next 1), or the last one on or
 * before it. */
static int64_t moment_nearest(int64_t day, int64_t today, int next)
{
    int64_t year, this_year, found;
    int month, date, ignored;

    cj__day_to_civil(day, &year, &month, &date);
    cj__day_to_civil(today, &this_year, &ignored, &ignored);
    found = moment_anniversary(this_year, month, date);
    if (next && found < today)
        found = moment_anniversary(this_year + 1, month, date);
    else if (!next && found > today)
        found = moment_anniversary(this_year - 1, month, date);
    return found;
}

static int moment_celebrated(cj__program *p, int64_t t, int64_t days, int next)
{
    const int64_t day = cj__zone_day(p->env.zone, t);
    const int64_t today = cj__zone_day(p->env.zone, p->now);
    const int64_t nearest = moment_nearest(day, today, next);
    const int found = next ? nearest - today <= days : today - nearest <= days;
    int64_t changes;

    if (next)
        changes = found ? nearest + 1 : nearest - days;
    else
        changes = found ? nearest + days + 1 : moment_nearest(day, today, 1);
    changes = cj__zone_day_start(p->env.zone, changes);
    /* where a date comes twice, today may have begun before it ended */
    cj__later(p, changes > p->now ? changes : p->now + 1);
    return found;
}

/* ---- distance
 * --------------------------------------------------------------------------------- */

/* Haversine on a sphere of 6,371 km, the mean radius of the earth. */
static double moment_km(double lat_a, double lon_a, double lat_b, double lon_b)
{
    const double radian = acos(-1.0) / 180;
    const double lat = sin((lat_b - lat_a) * radian / 2);
    const double lon = sin((lon_b - lon_a) * radian / 2);
    const double h = lat * lat + cos(lat_a * radian) * cos(lat_b * radian) * lon * lon;

    return 2 * 6371 * asin(sqrt(h < 1 ? h : 1));
}

/* A list of two numbers: latitude, longitude. */
static int moment_place(cj__program *p, const cj__value *v, double place[2])
{
    cj__value element;
    cj__text json;
    size_t at = 0;
    int n = 0;

    if (v->type != CJ__TYPE_LIST)
        return 0;
    while (cj__path_element(v->text, &at, &json)) {
        if (n == 2 || cj__value_json(p, json, &element) != CJ_OK ||
            element.type != CJ__TYPE_NUMBER)
            return 0;
        place[n++] = element.d;
    }
    return n == 2 && fabs(place[0]) <= 90 && fabs(place[1]) <= 180;
}

/* ---- which one
 * -----------------------------------------------------------------------------------
 */

static int32_t moment_compare(cj__program *p, const cj__op *op, int64_t t,
                              cj__truth *out)
{
    cj__value right;
    int64_t other;
    int32_t rc;

    CJ_TRY(op->kids[1]->eval(p, op->kids[1], &right));
    if (cj__value_time(p, &right, &other))
        *out = moment_truth(op->op == CJ__SEG_BEFORE ? t < other : t > other);
out:
    return rc;
}

int32_t cj__relation_moment(cj__program *p, const cj__op *op, cj__value *left,
                            cj__truth *out)
{
    const cj__value *right = &op->kids[1]->constant;
    double place[2];
    int64_t t;

    *out = CJ__UNKNOWN;
    if (op->op == CJ__SEG_NEAR) {
        if (moment_place(p, left, place))
            *out = moment_truth(moment_km(place[0], place[1], op->kids[2]->constant.d,
                                          op->kids[3]->constant.d) <= right->d);
        return CJ_OK;
    }
    if (!cj__value_time(p, left, &t))
        return CJ_OK;
    switch (op->op) {
    case CJ__SEG_BEFORE:
    case CJ__SEG_AFTER:
        return moment_compare(p, op, t, out);
    case CJ__SEG_ON:
        *out = moment_truth(cj__zone_day(p->env.zone, t) ==
                            cj__zone_day(p->env.zone, right->i));
        break;
    case CJ__SEG_WITHIN_LAST:
        *out = moment_truth(moment_last(p, t, right->i));
        break;
    case CJ__SEG_WITHIN_NEXT:
        *out = moment_truth(moment_next(p, t, right->i));
        break;
    default:
        *out = moment_truth(moment_celebrated(p, t, right->i / CJ__MS_PER_DAY,
                                              op->op == CJ__SEG_ANNIVERSARY_NEXT));
    }
    return CJ_OK;
}
