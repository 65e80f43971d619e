/* The (x, t_x, T, spend) summary of the value models: options, one scan of the value
 * projection, the table.  The definitions are those of cjourney.h; integers become
 * doubles here and nowhere before. */
#include "metrics/clv_summary.h"
#include "store/reader.h"

#include <stdio.h>
#include <string.h>

static int32_t summary_time(const char *name, int64_t ms)
{
    if (ms <= CJ__MAX_TIME_MS && ms >= -CJ__MAX_TIME_MS)
        return CJ_OK;
    return cj__fail(CJ_EINVAL, "%s is not a time in milliseconds since 1970", name);
}

static int32_t summary_choice(const char *name, int32_t value)
{
    if (value >= 0 && value <= 2)
        return CJ_OK;
    return cj__fail(CJ_EINVAL, "%s must be one of the three CJ_CLV_* values", name);
}

static int32_t summary_check(const cj_clv_summary_options *o)
{
    int32_t rc;

    CJ_TRY(summary_time("as_of_ms", o->as_of_ms));
    CJ_TRY(summary_time("holdout_end_ms", o->holdout_end_ms));
    CJ_TRY(summary_time("from_ms", o->from_ms));
    CJ_TRY(summary_time("first_from_ms", o->first_from_ms));
    CJ_TRY(summary_time("first_until_ms", o->first_until_ms));
    CJ_TRY(summary_choice("period", o->period));
    CJ_TRY(summary_choice("refunds", o->refunds));
    if (o->holdout_end_ms != 0 && o->holdout_end_ms <= o->as_of_ms)
        return cj__fail(CJ_EINVAL, "holdout_end_ms must be after as_of_ms");
    if (o->reserved != 0)
        return cj__fail(CJ_EINVAL, "reserved must be 0");
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
out:
    return rc;
}

/* ---- the table ------------------------------------------------------------------ */

typedef struct summary_result {
    const cj_clv_summary_options *o;
    const cj__clv_fold *fold;
    cj_table *table;
    int64_t n;
    int64_t *profile, *x, *first_ms, *x_star;
    double *tx, *t, *spend, *litt, *spend_star, *holdout;
} summary_result;

static int32_t summary_begin(summary_result *r, const cj__allocator *a)
{
    const char *kind = r->o->identifier == NULL ? "" : r->o->identifier;
    const int is_named = kind[0] != '\0', star = r->fold->holdout, at = 1 + is_named;
    const size_t n = (size_t)r->n;
    char columns[CJ__MAX_NAME];
    cj_table *t;
    int32_t rc;

    if (strlen(kind) > 32 || strcspn(kind, ": ") != strlen(kind))
        return cj__fail(CJ_EINVAL, "identifier must be a kind, such as user_id");
    (void)snprintf(columns, sizeof columns,
                   "profile:i %s%sx:i tx_days:d t_days:d spend:d litt:d first_ms:i%s",
                   kind, is_named ? ":t " : "",
                   star ? " x_star:i spend_star:d holdout_days:d" : "");
    rc = cj__table_new(a, columns, &r->table);
    if (rc != CJ_OK)
        return rc;
    t = r->table;
    cj__table_room(t, n);
    r->profile = cj__table_int64_extend(t, 0, n);
    r->x = cj__table_int64_extend(t, at, n);
    r->tx = cj__table_double_extend(t, at + 1, n);
    r->t = cj__table_double_extend(t, at + 2, n);
    r->spend = cj__table_double_extend(t, at + 3, n);
    r->litt = cj__table_double_extend(t, at + 4, n);
    r->first_ms = cj__table_int64_extend(t, at + 5, n);
    r->x_star = star ? cj__table_int64_extend(t, at + 6, n) : r->x;
    r->spend_star = star ? cj__table_double_extend(t, at + 7, n) : r->tx;
    r->holdout = star ? cj__table_double_extend(t, at + 8, n) : r->tx;
    return r->first_ms == NULL || r->holdout == NULL ? CJ_ENOMEM : CJ_OK;
}

static void summary_put(const summary_result *r, cj__clv_reading *facts, double minor)
{
    const cj__clv_fold *fold = r->fold;
    const cj__clv_periods *p = &fold->periods;
    const int64_t end = cj__clv_end(fold, r->o->as_of_ms);

    for (int64_t i = r->n - 1; i >= 0; i--) {
        cj__clv_fact fact;

        cj__clv_reading_next(facts, &fact);
        r->profile[i] = fact.profile;
        r->x[i] = fact.x;
        r->tx[i] = cj__clv_days(p, fact.gap);
        r->t[i] = cj__clv_days(p, cj__clv_age(fold, &fact, end));
        r->spend[i] =
            fact.x == 0 ? 0 : (double)fact.repeat_minor / ((double)fact.x * minor);
        r->litt[i] = fact.litt;
        r->first_ms[i] = fact.first_ms;
        if (!fold->holdout)
            continue;
        r->x_star[i] = fact.x_star;
        r->spend_star[i] = (double)fact.star_minor / minor;
        r->holdout[i] = cj__clv_days(p, cj__clv_end(fold, r->o->holdout_end_ms) - end);
    }
}

double cj__clv_minor(const cj_db *db)
{
    double minor = 1;

    for (int i = 0; i < db->currency_exponent; i++)
        minor *= 10;
    return minor;
}

static int32_t summary_table(cj__reader *reader, const cj_clv_summary_options *o,
                             const cj__clv_fold *fold, cj__str *partial, cj_table **out)
{
    const cj_db *db = cj__reader_db(reader);
    summary_result r = {.o = o, .fold = fold};
    cj__clv_reading facts;
    int32_t rc;

    r.n = cj__clv_reading_begin(&facts, fold, partial);
    CJ_TRY(cj__str_status(partial));
    CJ_TRY(summary_begin(&r, &db->cx.allocator));
    summary_put(&r, &facts, cj__clv_minor(db));
    CJ_TRY(cj__str_status(partial));
    cj__str_end(partial); /* the identifiers need memory, too */
    if (o->identifier != NULL && o->identifier[0] != '\0')
        CJ_TRY(cj__scan_identifiers(reader, o->identifier, r.profile, r.n, r.table, 1));
    rc = cj__table_finish(r.table, out);
    r.table = NULL;
out:
    cj__table_free(r.table);
    return rc;
}

int32_t cj__clv_scan(cj__reader *reader, const cj_clv_summary_options *opts,
                     const uint64_t *profiles, cj__clv_fold *fold, cj__fold *scan)
{
    cj_db *db = cj__reader_db(reader);
    const int64_t until_ms =
        opts->holdout_end_ms != 0 ? opts->holdout_end_ms : opts->as_of_ms;
    const cj__scan_options scan_options = {.from_ms = opts->from_ms,
                                           .until_ms = until_ms,
                                           .value_only = 1,
                                           .profiles = profiles,
                                           .guests = opts->include_guests,
                                           .threads = opts->threads,
                                           .reader = reader,
                                           .progress = opts->progress,
                                           .progress_user = opts->progress_user};
    int32_t rc;

    *fold = (cj__clv_fold){
        .as_of_ms = opts->as_of_ms,
        .first_from_ms = opts->first_from_ms == 0 ? INT64_MIN : opts->first_from_ms,
        .first_until_ms = opts->first_until_ms == 0 ? INT64_MAX : opts->first_until_ms,
        .refunds = opts->refunds,
        .include_free = opts->include_free != 0,
        .holdout = opts->holdout_end_ms != 0,
        .periods = {.period = opts->period}};
    scan->columns = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE;
    scan->arg = fold;
    CJ_TRY(summary_check(opts));
    CJ_TRY(cj__days_init(&fold->periods.days, &db->cx.allocator, db->zone,
                         opts->from_ms == 0 ? INT64_MIN : opts->from_ms, until_ms));
    CJ_TRY(cj__scan(db, &scan_options, scan, 1));
out:
    return rc;
}

int32_t cj__clv_summary(cj__reader *reader, const cj_clv_summary_options *opts,
                        const uint64_t *profiles, cj_table **out)
{
    cj__clv_fold fold;
    cj__fold scan = {.profile = cj__clv_profile};
    int32_t rc;

    *out = NULL;
    CJ_TRY(cj__clv_scan(reader, opts, profiles, &fold, &scan));
    CJ_TRY(summary_table(reader, opts, &fold, &scan.partial, out));
out:
    cj__str_end(&scan.partial);
    cj__days_end(&fold.periods.days);
    return rc;
}
