/* Every purchase behind the value models' summary, by the same fold: what tracking and
 * the history of one customer ask for.  A partial is cj__clv_purchase after
 * cj__clv_purchase, by profile and time. */
#include "metrics/clv_summary.h"
#include "store/reader.h"

#include <string.h>

static int32_t purchases_profile(const void *arg, cj__str *partial, uint32_t profile,
                                 const cj__columns *columns, int64_t first, int64_t n)
{
    cj__clv_buyer b = {.fold = arg,
                       .fact = {.profile = profile},
                       .latest = INT64_MIN,
                       .list = partial};
    const size_t start = partial->n;
    int chosen;
    const int32_t rc = cj__clv_buyer_all(&b, columns, first, n, &chosen);

    if (rc != CJ_OK)
        return rc;
    if (!chosen)
        cj__str_cut(partial, start);
    return cj__str_status(partial);
}

static cj__clv_purchase purchase_read(const cj__str *partial, int64_t i)
{
    cj__clv_purchase purchase;

    memcpy(&purchase, partial->data + (size_t)i * sizeof purchase, sizeof purchase);
    return purchase;
}

/* The first period of all. */
static int64_t purchases_day_0(const cj__str *partial, int64_t n)
{
    int64_t day_0 = INT64_MAX;

    for (int64_t i = 0; i < n; i++) {
        const int64_t period = purchase_read(partial, i).period;

        day_0 = period < day_0 ? period : day_0;
    }
    return day_0;
}

static int32_t purchases_table(const cj_db *db, const cj__clv_fold *fold,
                               const cj__str *partial, cj_table **out)
{
    const int64_t n = (int64_t)(partial->n / sizeof(cj__clv_purchase));
    const int64_t day_0 = purchases_day_0(partial, n);
    const double minor = cj__clv_minor(db);
    int64_t profile = 0, first = 0;
    cj_table *t;
    int32_t rc = cj__table_new(&db->cx.allocator,
                               "profile:i days:d since_days:d value:d time_ms:i", &t);

    if (rc != CJ_OK)
        return rc;
    cj__table_room(t, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        const cj__clv_purchase p = purchase_read(partial, i);

        if (p.profile != profile)
            first = p.period;
        profile = p.profile;
        cj__table_int64(t, 0, profile);
        cj__table_double(t, 1, cj__clv_days(&fold->periods, p.period - first));
        cj__table_double(t, 2, cj__clv_days(&fold->periods, p.period - day_0));
        cj__table_double(t, 3, (double)p.minor / minor);
        cj__table_int64(t, 4, p.time_ms);
    }
    return cj__table_finish(t, out);
}

int32_t cj__clv_purchases(cj__reader *reader, const cj_clv_summary_options *opts,
                          const uint64_t *profiles, cj_table **out)
{
    cj__clv_fold fold;
    cj__fold scan = {.profile = purchases_profile};
    int32_t rc;

    *out = NULL;
    CJ_TRY(cj__clv_scan(reader, opts, profiles, &fold, &scan));
    cj__str_fit(&scan.partial);
    CJ_TRY(cj__str_status(&scan.partial));
    CJ_TRY(purchases_table(cj__reader_db(reader), &fold, &scan.partial, out));
out:
    cj__str_end(&scan.partial);
    cj__days_end(&fold.periods.days);
    return rc;
}
