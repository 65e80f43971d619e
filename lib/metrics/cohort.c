/* Cohorts: customers grouped by when and from where they came, what they have brought,
 * what it cost to win them, and after how many months that had come back. */
#include "metrics/cohort.h"
#include "metrics/rfm.h"
#include "store/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COHORT_COSTS 10000 /* at most: ten years of months times channels */
#define COHORT_GROUPS ((size_t)1 << 20)

enum { BY_ALL = CJ_COHORT_MONTH | CJ_COHORT_CHANNEL | CJ_COHORT_CAMPAIGN };

/* A customer, until all are in order of their cohorts. */
typedef struct cohort_entry {
    int64_t month; /* local, since 1970-01 */
    uint32_t channel, campaign;
    size_t at; /* in the partial: by profile */
    double clv;
    int is_scored;
} cohort_entry;

typedef struct cohort_group {
    int64_t month;
    cj__text channel, campaign;
    const cohort_entry *first;
    int64_t n, n_orders, minor, cost_minor, n_scored;
    double clv;
    int has_cost;
    int64_t payback; /* months; -1: not yet */
} cohort_group;

typedef struct cohorts {
    cj__reader *reader;
    const cj_value_cohorts_options *o;
    const cj__allocator *a;
    double margin, units; /* minor units in one of the currency */
    cj__cohort_fold fold;
    cj__str partial;
    cohort_entry *entries;
    size_t n_entries, entries_bytes;
    cohort_group *groups;
    size_t n, capacity;
    double value[CJ__COHORT_MONTHS], seen[CJ__COHORT_MONTHS]; /* of one group */
} cohorts;

static int32_t cohorts_check(const cj_value_cohorts_options *o)
{
    if ((o->by & ~BY_ALL) != 0)
        return cj__fail(CJ_EINVAL, "by must be a sum of CJ_COHORT_* values, or 0");
    if (o->monetary != CJ_RFM_NET && o->monetary != CJ_RFM_GROSS)
        return cj__fail(CJ_EINVAL, "monetary must be CJ_RFM_NET or CJ_RFM_GROSS");
    if (!(o->margin_ratio >= 0 && o->margin_ratio <= 1))
        return cj__fail(CJ_EINVAL, "margin_ratio must be 0..1, and 0 is 1");
    if (o->n_costs < 0 || (o->n_costs > 0 && o->costs == NULL))
        return cj__fail(CJ_EINVAL, "costs and n_costs do not belong together");
    if (o->n_costs > COHORT_COSTS)
        return cj__fail(CJ_ELIMIT, "more than %d costs", COHORT_COSTS);
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
    if (o->as_of_ms > CJ__MAX_TIME_MS || o->as_of_ms < -CJ__MAX_TIME_MS)
        return cj__fail(CJ_EINVAL, "as_of_ms is not a time in milliseconds since 1970");
    return CJ_OK;
}

/* ---- customers in order of cohorts -------------------------------------------------
 */

static int64_t cohort_month(const cj__zone *zone, int64_t ms)
{
    int64_t year;
    int month, date;

    cj__day_to_civil(cj__zone_day(zone, ms), &year, &month, &date);
    return (year - 1970) * 12 + month - 1;
}

static int cohort_order(const void *a, const void *b)
{
    const cohort_entry *x = a, *y = b;

    if (x->month != y->month)
        return x->month < y->month ? -1 : 1;
    if (x->channel != y->channel)
        return x->channel < y->channel ? -1 : 1;
    if (x->campaign != y->campaign)
        return x->campaign < y->campaign ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static int cohort_is_asked(const cj_value_cohorts_options *o, int64_t first_ms)
{
    return (o->first_from_ms == 0 || first_ms >= o->first_from_ms) &&
           (o->first_until_ms == 0 || first_ms < o->first_until_ms);
}

static int32_t cohorts_entries(cohorts *c, cj__values *clv)
{
    const cj__zone *zone = cj__reader_db(c->reader)->zone;
    const int32_t by = c->o->by;
    cj__cohort_fact fact;
    size_t n = 0;

    for (size_t at = 0; cj__cohort_next(&c->partial, &at, &fact);)
        n++;
    c->entries_bytes = cj__size_product(n + 1, sizeof *c->entries);
    c->entries = cj__alloc(c->a, c->entries_bytes);
    if (c->entries == NULL)
        return CJ_ENOMEM;
    for (size_t at = 0, start = 0; cj__cohort_next(&c->partial, &at, &fact);
         start = at) {
        cohort_entry *e = &c->entries[c->n_entries];

        *e = (cohort_entry){.at = start};
        e->is_scored = cj__values_of(clv, fact.profile, &e->clv);
        e->month = by & CJ_COHORT_MONTH ? cohort_month(zone, fact.first_ms) : 0;
        e->channel = by & CJ_COHORT_CHANNEL ? fact.channel : 0;
        e->campaign = by & CJ_COHORT_CAMPAIGN ? fact.campaign : 0;
        c->n_entries += (size_t)cohort_is_asked(c->o, fact.first_ms);
    }
    qsort(c->entries, c->n_entries, sizeof *c->entries, cohort_order);
    return CJ_OK;
}

/* ---- groups ------------------------------------------------------------------------
 */

static int32_t cohorts_group(cohorts *c, cohort_group **out)
{
    void *array = c->groups;
    int32_t rc = cj__array_grow(c->a, &array, &c->capacity, c->n + 1, sizeof *c->groups,
                                COHORT_GROUPS);

    c->groups = array;
    if (rc != CJ_OK)
        return rc;
    *out = &c->groups[c->n++];
    **out = (cohort_group){.payback = -1};
    return CJ_OK;
}

static int32_t cohorts_groups(cohorts *c)
{
    cohort_group *g = NULL;
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < c->n_entries; i++) {
        const cohort_entry *e = &c->entries[i];

        if (i == 0 || e->month != e[-1].month || e->channel != e[-1].channel ||
            e->campaign != e[-1].campaign) {
            CJ_TRY(cohorts_group(c, &g));
            g->first = e;
            g->month = e->month;
            CJ_TRY(cj__reader_term(c->reader, e->channel, &g->channel));
            CJ_TRY(cj__reader_term(c->reader, e->campaign, &g->campaign));
        }
        g->n++;
        g->n_scored += e->is_scored;
        g->clv += e->is_scored ? e->clv : 0;
    }
out:
    return rc;
}

/* "2024-03"; 0: it is none. */
static int cost_month(const char *text, int64_t *out)
{
    int64_t year = 0, month = 0;

    if (text == NULL || strlen(text) != 7 || text[4] != '-')
        return 0;
    for (int i = 0; i < 7; i++) {
        if (i == 4)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return 0;
        *(i < 4 ? &year : &month) = *(i < 4 ? &year : &month) * 10 + (text[i] - '0');
    }
    *out = (year - 1970) * 12 + month - 1;
    return month >= 1 && month <= 12;
}

/* The cohort of a cost; one without customers when there is none. */
static int32_t cost_group(cohorts *c, const cohort_group *want, cohort_group **out)
{
    int32_t rc;

    for (size_t i = 0; i < c->n; i++) {
        *out = &c->groups[i];
        if ((*out)->month == want->month &&
            cj__text_equal((*out)->channel, want->channel) &&
            cj__text_equal((*out)->campaign, want->campaign))
            return CJ_OK;
    }
    rc = cohorts_group(c, out);
    if (rc == CJ_OK)
        **out = *want;
    return rc;
}

static int32_t cohorts_cost(cohorts *c, const cj_cohort_cost *cost, int64_t i)
{
    const int32_t by = c->o->by;
    cohort_group want = {.payback = -1}, *g;
    int32_t rc;

    if ((cost->month != NULL) != ((by & CJ_COHORT_MONTH) != 0) ||
        (cost->channel != NULL && !(by & CJ_COHORT_CHANNEL)) ||
        (cost->campaign != NULL && !(by & CJ_COHORT_CAMPAIGN)))
        return cj__fail_at(i, CJ_EINVAL, "a cost is not by what cohorts are by");
    if (cost->month != NULL && !cost_month(cost->month, &want.month))
        return cj__fail_at(i, CJ_EINVAL, "the month of a cost is not such as 2024-03");
    if (cost->cost_minor < 0)
        return cj__fail_at(i, CJ_EINVAL, "a cost is negative");
    want.channel = cj__text_of(cost->channel);
    want.campaign = cj__text_of(cost->campaign);
    CJ_TRY(cost_group(c, &want, &g));
    g->has_cost = 1;
    if (__builtin_add_overflow(g->cost_minor, cost->cost_minor, &g->cost_minor))
        return cj__fail(CJ_ELIMIT, "the costs of a cohort sum up beyond int64");
out:
    return rc;
}

static int32_t cohorts_costs(cohorts *c)
{
    const unsigned char *at = (const unsigned char *)c->o->costs;
    cj_cohort_cost cost;
    int32_t rc = CJ_OK;

    for (int64_t i = 0; i < c->o->n_costs; i++) {
        CJ_TRY(cj__sized_read(&cost, sizeof cost, at + i * c->o->costs->struct_size));
        CJ_TRY(cohorts_cost(c, &cost, i));
    }
out:
    return rc;
}

/* ---- value and payback -------------------------------------------------------------
 */

/* A customer counts in a month of age that has been seen to its end. */
static int32_t group_add(cohorts *c, cohort_group *g, const cj__cohort_fact *fact)
{
    int64_t whole = (c->o->as_of_ms - fact->first_ms) / CJ__COHORT_MONTH_MS;

    whole = whole < CJ__COHORT_MONTHS ? whole : CJ__COHORT_MONTHS;
    for (int64_t month = 0; month < whole; month++)
        c->seen[month]++;
    for (uint32_t i = 0; i < fact->n_ages; i++) {
        int64_t month, minor;

        cj__cohort_age(fact, i, &month, &minor);
        if (month < whole)
            c->value[month] += (double)minor;
    }
    g->n_orders += fact->n_orders;
    if (__builtin_add_overflow(g->minor, fact->minor, &g->minor))
        return cj__fail(CJ_ELIMIT, "the value of a cohort is beyond int64");
    return CJ_OK;
}

static int64_t group_payback(const cohorts *c, const cohort_group *g)
{
    const double cost = g->n == 0 ? 0 : (double)g->cost_minor / (double)g->n;
    double mean = 0;

    if (!g->has_cost || g->n == 0)
        return -1;
    if (g->cost_minor == 0)
        return 0;
    for (int64_t month = 0; month < CJ__COHORT_MONTHS && c->seen[month] > 0; month++) {
        mean += c->margin * c->value[month] / c->seen[month];
        if (mean >= cost)
            return month + 1;
    }
    return -1;
}

static int32_t cohorts_value(cohorts *c)
{
    int32_t rc = CJ_OK;

    for (size_t i = 0; i < c->n; i++) {
        cohort_group *g = &c->groups[i];

        memset(c->value, 0, sizeof c->value);
        memset(c->seen, 0, sizeof c->seen);
        for (int64_t k = 0; k < g->n; k++) {
            size_t at = g->first[k].at;
            cj__cohort_fact fact;

            (void)cj__cohort_next(&c->partial, &at, &fact);
            CJ_TRY(group_add(c, g, &fact));
        }
        g->payback = group_payback(c, g);
    }
out:
    return rc;
}

/* ---- the table ---------------------------------------------------------------------
 */

static int text_order(cj__text a, cj__text b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    int order;

    if (a.data == NULL || b.data == NULL)
        return (a.data != NULL) - (b.data != NULL);
    order = memcmp(a.data, b.data, n);
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int group_order(const void *a, const void *b)
{
    const cohort_group *x = a, *y = b;
    int order;

    if (x->month != y->month)
        return x->month < y->month ? -1 : 1;
    order = text_order(x->channel, y->channel);
    return order != 0 ? order : text_order(x->campaign, y->campaign);
}

static void put_over_cost(cj_table *t, int column, const cohort_group *g, double minor)
{
    if (!g->has_cost || g->cost_minor == 0)
        cj__table_null(t, column);
    else
        cj__table_double(t, column, minor / (double)g->cost_minor);
}

static void put_int64(cj_table *t, int column, int is_there, int64_t value)
{
    if (is_there)
        cj__table_int64(t, column, value);
    else
        cj__table_null(t, column);
}

static int put_key(cj_table *t, int32_t by, const cohort_group *g)
{
    const int64_t year = g->month / 12 - (g->month % 12 < 0),
                  month = g->month - year * 12;
    char text[32];
    int column = 0;

    (void)snprintf(text, sizeof text, "%04d-%02d", (int)(1970 + year), (int)month + 1);
    if (by & CJ_COHORT_MONTH)
        cj__table_put(t, column++, text);
    if (by & CJ_COHORT_CHANNEL)
        cj__table_some(t, column++, g->channel);
    if (by & CJ_COHORT_CAMPAIGN)
        cj__table_some(t, column++, g->campaign);
    return column;
}

static int32_t cohorts_table(cohorts *c, cj_table **out)
{
    const int32_t by = c->o->by;
    char columns[CJ__MAX_NAME];
    cj_table *t;
    int32_t rc;

    (void)snprintf(columns, sizeof columns,
                   "%s%s%scustomers:i orders:i value_minor:i scored:i clv:d "
                   "cost_minor:i cac_minor:i value_cost_ratio:d clv_cost_ratio:d "
                   "payback_months:i",
                   by & CJ_COHORT_MONTH ? "month:t " : "",
                   by & CJ_COHORT_CHANNEL ? "channel:t " : "",
                   by & CJ_COHORT_CAMPAIGN ? "campaign:t " : "");
    rc = cj__table_new(c->a, columns, &t);
    if (rc != CJ_OK)
        return rc;
    for (size_t i = 0; i < c->n; i++) {
        const cohort_group *g = &c->groups[i];
        const double earned = c->margin * (double)g->minor;
        const int at = put_key(t, by, g);

        cj__table_int64(t, at, g->n);
        cj__table_int64(t, at + 1, g->n_orders);
        cj__table_int64(t, at + 2, g->minor);
        cj__table_int64(t, at + 3, g->n_scored);
        cj__table_double(t, at + 4, g->clv);
        put_int64(t, at + 5, g->has_cost, g->cost_minor);
        put_int64(t, at + 6, g->has_cost && g->n > 0,
                  g->n > 0 ? cj__divide_half_even(g->cost_minor, g->n) : 0);
        put_over_cost(t, at + 7, g, earned);
        put_over_cost(t, at + 8, g, earned + g->clv * c->units);
        put_int64(t, at + 9, g->payback >= 0, g->payback);
    }
    return cj__table_finish(t, out);
}

static int32_t cohorts_make(cohorts *c, const cj_profile_values *clv, cj_table **out)
{
    cj__values values;
    int32_t rc;

    CJ_TRY(cj__values_read(clv, &values));
    CJ_TRY(cohorts_entries(c, &values));
    CJ_TRY(cohorts_groups(c));
    CJ_TRY(cohorts_costs(c));
    CJ_TRY(cohorts_value(c));
    if (c->n > 0)
        qsort(c->groups, c->n, sizeof *c->groups, group_order);
    CJ_TRY(cohorts_table(c, out));
out:
    return rc;
}

int32_t cj__value_cohorts(cj__reader *reader, const cj_value_cohorts_options *opts,
                          const cj_profile_values *clv, const uint64_t *profiles,
                          cj_table **out)
{
    cj_db *db = cj__reader_db(reader);
    cj_value_cohorts_options o = *opts;
    cohorts *c = cj__alloc_zero(&db->cx.allocator, sizeof *c);
    cj__fold fold = {.columns = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE |
                                CJ__COL_CHANNEL | CJ__COL_CAMPAIGN,
                     .profile = cj__cohort_profile};
    const cj__scan_options scan = {.until_ms = opts->as_of_ms,
                                   .profiles = profiles,
                                   .guests = opts->include_guests,
                                   .threads = opts->threads,
                                   .reader = reader,
                                   .progress = opts->progress,
                                   .progress_user = opts->progress_user};
    int32_t rc;

    *out = NULL;
    if (c == NULL)
        return CJ_ENOMEM;
    c->a = &db->cx.allocator;
    CJ_TRY(cohorts_check(&o));
    o.by = o.by == 0 ? CJ_COHORT_MONTH : o.by;
    c->reader = reader;
    c->o = &o;
    c->margin = o.margin_ratio == 0 ? 1 : o.margin_ratio;
    c->units = 1;
    for (int i = 0; i < db->currency_exponent; i++)
        c->units *= 10;
    c->fold.net = o.monetary == CJ_RFM_NET;
    fold.arg = &c->fold;
    rc = cj__scan(db, &scan, &fold, 1);
    c->partial = fold.partial;
    CJ_TRY(rc);
    CJ_TRY(cohorts_make(c, clv, out));
out:
    cj__str_end(&c->partial);
    cj__free(c->a, c->entries, c->entries_bytes);
    cj__free(c->a, c->groups, c->capacity * sizeof *c->groups);
    cj__free(&db->cx.allocator, c, sizeof *c);
    return rc;
}
