/* RFM: options, one scan of the value projection, scores, the table.  The definitions
 * are those of cjourney.h; nothing here looks at a single event. */
#include "metrics/rfm.h"
#include "store/reader.h"

#include <stdio.h>
#include <string.h>

#define RFM_HOUR_MS 3600000
#define RFM_FACTS 256 /* read at a time */

typedef struct rfm_options {
    cj_rfm_options o;
    cj__rfm_scale r, f, m; /* n_limits 0: quantiles */
    cj__rfm_grid grid;
    int64_t n_bins;
} rfm_options;

static int32_t rfm_choice(const char *name, int32_t value)
{
    if (value == 0 || value == 1)
        return CJ_OK;
    return cj__fail(CJ_EINVAL, "%s must be one of the two CJ_RFM_* values", name);
}

static int32_t rfm_options_read(rfm_options *r, const cj_rfm_options *opts)
{
    int32_t rc;

    memset(r, 0, sizeof *r);
    r->o = *opts;
    r->r.less_is_better = 1;
    r->n_bins = opts->n_bins == 0 ? 5 : opts->n_bins;
    CJ_TRY(rfm_choice("recency", opts->recency));
    CJ_TRY(rfm_choice("frequency", opts->frequency));
    CJ_TRY(rfm_choice("monetary", opts->monetary));
    CJ_TRY(rfm_choice("monetary_of", opts->monetary_of));
    if (r->n_bins < 2 || r->n_bins > CJ__RFM_BINS)
        return cj__fail(CJ_EINVAL, "n_bins must be 2..%d, or 0 for 5", CJ__RFM_BINS);
    if (opts->threads < 0 || opts->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
    if (opts->as_of_ms > CJ__MAX_TIME_MS || opts->as_of_ms < -CJ__MAX_TIME_MS)
        return cj__fail(CJ_EINVAL, "as_of_ms is not a time in milliseconds since 1970");
    if (opts->reserved != 0)
        return cj__fail(CJ_EINVAL, "reserved must be 0");
    CJ_TRY(cj__rfm_scale_fixed(&r->r, "r_limits", opts->r_limits, opts->n_r_limits));
    CJ_TRY(cj__rfm_scale_fixed(&r->f, "f_limits", opts->f_limits, opts->n_f_limits));
    CJ_TRY(cj__rfm_scale_fixed(&r->m, "m_limits", opts->m_limits, opts->n_m_limits));
    CJ_TRY(cj__rfm_grid_make(&r->grid, opts->classes, opts->n_classes));
out:
    return rc;
}

/* Where each column of the table is; the identifier's shifts those behind it. */
typedef struct rfm_result {
    cj_table *table;
    int64_t n;
    int identifier; /* -1: not asked for */
    int values;     /* recency, frequency, monetary, r, f, m, class */
    int64_t *profile, *value[3], *score[3];
} rfm_result;

static int32_t rfm_result_begin(rfm_result *result, const cj__allocator *a,
                                const cj_rfm_options *opts, int64_t n)
{
    char columns[CJ__MAX_NAME];
    const char *identifier = opts->identifier == NULL ? "" : opts->identifier;
    int32_t rc;

    if (strlen(identifier) > 32 || strcspn(identifier, ": ") != strlen(identifier))
        return cj__fail(CJ_EINVAL, "identifier must be a kind, such as user_id");
    snprintf(columns, sizeof columns,
             "profile:i %s%s%s:i frequency:i monetary_minor:i r:i f:i m:i class:t",
             identifier, identifier[0] == '\0' ? "" : ":t ",
             opts->recency == CJ_RFM_HOURS ? "recency_hours" : "recency_days");
    result->n = n;
    result->identifier = identifier[0] == '\0' ? -1 : 1;
    result->values = identifier[0] == '\0' ? 1 : 2;
    rc = cj__table_new(a, columns, &result->table);
    if (rc != CJ_OK)
        return rc;
    cj__table_room(result->table, (size_t)n);
    result->profile = cj__table_int64_extend(result->table, 0, (size_t)n);
    for (int i = 0; i < 3; i++) {
        result->value[i] =
            cj__table_int64_extend(result->table, result->values + i, (size_t)n);
        result->score[i] =
            cj__table_int64_extend(result->table, result->values + 3 + i, (size_t)n);
        if (result->value[i] == NULL || result->score[i] == NULL)
            return CJ_ENOMEM;
    }
    return result->profile == NULL ? CJ_ENOMEM : CJ_OK;
}

static int64_t rfm_recency(const cj_rfm_options *opts, const cj__days *days,
                           int64_t last_ms)
{
    if (opts->recency == CJ_RFM_HOURS)
        return (opts->as_of_ms - last_ms) / RFM_HOUR_MS;
    return -cj__days_local(days, last_ms);
}

/* The values of some facts, into rows from `at` on. */
static void rfm_values_put(rfm_result *result, const cj_rfm_options *opts,
                           const cj__days *days, int64_t at, const cj__rfm_fact *fact,
                           int64_t n)
{
    int64_t today =
        opts->recency == CJ_RFM_HOURS ? 0 : cj__days_local(days, opts->as_of_ms);

    for (int64_t i = at; i < at + n; i++, fact++) {
        result->profile[i] = fact->profile;
        result->value[0][i] = today + rfm_recency(opts, days, fact->last_ms);
        result->value[1][i] = opts->frequency == CJ_RFM_REPEAT_DAYS
                                  ? (int64_t)fact->n_days - 1
                                  : (int64_t)fact->n_orders;
        result->value[2][i] =
            opts->monetary_of == CJ_RFM_MEAN
                ? cj__divide_half_even(fact->sum_minor, (int64_t)fact->n_orders)
                : fact->sum_minor;
    }
}

static int32_t rfm_values(rfm_result *result, const cj_rfm_options *opts,
                          const cj__days *days, const cj__str *partial)
{
    cj__rfm_fact facts[RFM_FACTS];

    for (int64_t at = 0, n; at < result->n; at += n) {
        int32_t rc;

        n = result->n - at < RFM_FACTS ? result->n - at : RFM_FACTS;
        rc = cj__rfm_facts_read(partial, at, n, facts);
        if (rc != CJ_OK)
            return rc;
        rfm_values_put(result, opts, days, at, facts, n);
    }
    return CJ_OK;
}

static int32_t rfm_scores(rfm_result *result, rfm_options *r, const cj__allocator *a)
{
    cj__rfm_scale *scales[3] = {&r->r, &r->f, &r->m};

    for (int i = 0; i < 3; i++) {
        if (scales[i]->n_limits == 0) {
            int32_t rc = cj__rfm_scale_quantile(scales[i], a, result->value[i],
                                                result->n, r->n_bins);
            if (rc != CJ_OK)
                return rc;
        }
        cj__rfm_scores(scales[i], result->value[i], result->n, result->score[i]);
    }
    return CJ_OK;
}

/* The fifth of every score, times `step`. */
static void rfm_fifths(const cj__rfm_scale *s, int step, uint8_t fifth[])
{
    for (int64_t score = 1; score <= s->n_scores; score++)
        fifth[score] = (uint8_t)(step * cj__rfm_fifth(score, s->n_scores));
}

static int32_t rfm_classify(rfm_result *result, const rfm_options *r,
                            const cj__allocator *a)
{
    uint8_t fifth[3][CJ__RFM_LIMITS + 2], *cell = cj__alloc(a, (size_t)result->n + 1);

    if (cell == NULL)
        return CJ_ENOMEM;
    rfm_fifths(&r->r, 25, fifth[0]);
    rfm_fifths(&r->f, 5, fifth[1]);
    rfm_fifths(&r->m, 1, fifth[2]);
    for (int64_t i = 0; i < result->n; i++)
        cell[i] =
            (uint8_t)(fifth[0][result->score[0][i]] + fifth[1][result->score[1][i]] +
                      fifth[2][result->score[2][i]]);
    cj__table_words(result->table, result->values + 6, &r->grid.name[0][0][0], 125,
                    cell, (size_t)result->n);
    cj__free(a, cell, (size_t)result->n + 1);
    return CJ_OK;
}

static int32_t rfm_table(cj__reader *reader, rfm_options *r, const cj__days *days,
                         const cj__str *partial, cj_table **out)
{
    const cj__allocator *a = &cj__reader_db(reader)->cx.allocator;
    rfm_result result = {0};
    int32_t rc;

    CJ_TRY(rfm_result_begin(&result, a, &r->o,
                            (int64_t)(partial->n / CJ__RFM_FACT_BYTES)));
    CJ_TRY(rfm_values(&result, &r->o, days, partial));
    CJ_TRY(rfm_scores(&result, r, a));
    CJ_TRY(rfm_classify(&result, r, a));
    if (result.identifier >= 0)
        CJ_TRY(cj__scan_identifiers(reader, r->o.identifier, result.profile, result.n,
                                    result.table, result.identifier));
    rc = cj__table_finish(result.table, out);
    result.table = NULL; /* it is out's, or freed */
out:
    cj__table_free(result.table);
    return rc;
}

int32_t cj__rfm_at(cj__reader *reader, const cj_rfm_options *opts, cj_table **out)
{
    cj_db *db = cj__reader_db(reader);
    rfm_options r;
    cj__rfm_fold fold = {0};
    cj__fold scan_fold = {.columns = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE,
                          .profile = cj__rfm_profile,
                          .arg = &fold};
    cj__scan_options scan = {.from_ms = opts->from_ms,
                             .until_ms = opts->as_of_ms,
                             .value_only = 1,
                             .guests = opts->include_guests,
                             .threads = opts->threads,
                             .reader = reader, /* for the identifiers as well */
                             .progress = opts->progress,
                             .progress_user = opts->progress_user};
    int32_t rc;

    *out = NULL;
    CJ_TRY(rfm_options_read(&r, opts));
    fold.repeat_days = opts->frequency == CJ_RFM_REPEAT_DAYS;
    scan_fold.states = fold.repeat_days ? NULL : &cj__rfm_states;
    fold.net = opts->monetary == CJ_RFM_NET;
    CJ_TRY(cj__days_init(&fold.days, &db->cx.allocator, db->zone,
                         opts->from_ms == 0 ? INT64_MIN : opts->from_ms,
                         opts->as_of_ms));
    CJ_TRY(cj__scan(db, &scan, &scan_fold, 1));
    CJ_TRY(rfm_table(reader, &r, &fold.days, &scan_fold.partial, out));
out:
    cj__str_end(&scan_fold.partial);
    cj__days_end(&fold.days);
    return rc;
}

int32_t cj__rfm(cj_db *db, const cj_rfm_options *opts, cj_table **out)
{
    cj__reader *reader;
    int32_t rc = cj__reader_open(db, &reader);

    *out = NULL;
    if (rc == CJ_OK)
        rc = cj__rfm_at(reader, opts, out);
    cj__reader_end(reader);
    return rc;
}
