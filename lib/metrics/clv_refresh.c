/* Scores of value models as traits, so that segments read them.  Between refreshes a
 * state of each customer is kept (clv_state.c): the rows of the journal since then are
 * added to it.  What that cannot do exactly (rows sealed since, late events, two
 * buyers merged, anything unmerged, other options) is done by one scan of the value
 * projection, whose states are compared with those that are kept: only who differs is
 * scored.  Both ways give the same. */
#include "metrics/clv_refresh.h"
#include "profile/profile.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REFRESH_CHUNK 4096 /* scored at a time */
#define REFRESH_MONTHS 600
enum { P_ALIVE, EXPECTED, VALUE };

/* ---- scores ------------------------------------------------------------------------
 */

static int32_t refresh_begin(cj__refresh *r)
{
    char names[2][32];
    const int months = r->o->months == 0 ? 12 : r->o->months;
    double **columns[] = {&r->tx,       &r->t,        &r->spend,
                          &r->score[0], &r->score[1], &r->score[2]};
    int32_t rc;

    r->profile = cj__arena_alloc(&r->arena, REFRESH_CHUNK * sizeof *r->profile);
    r->x = cj__arena_alloc(&r->arena, REFRESH_CHUNK * sizeof *r->x);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        *columns[i] = cj__arena_alloc(&r->arena, REFRESH_CHUNK * sizeof(double));
        if (*columns[i] == NULL || r->profile == NULL || r->x == NULL)
            return CJ_ENOMEM;
    }
    r->minor = 1;
    for (int i = 0; i < r->db->currency_exponent; i++)
        r->minor *= 10;
    (void)snprintf(names[0], sizeof names[0], "expected_%dm", months);
    (void)snprintf(names[1], sizeof names[1], "clv_%dm", months);
    CJ_TRY(cj__term(r->db, CJ__SPACE_SOURCE, cj__text_of("clv"), &r->source));
    CJ_TRY(cj__term(r->db, CJ__SPACE_TRAIT, cj__text_of("p_alive"), &r->name[P_ALIVE]));
    CJ_TRY(cj__term(r->db, CJ__SPACE_TRAIT, cj__text_of(names[0]), &r->name[EXPECTED]));
    CJ_TRY(cj__term(r->db, CJ__SPACE_TRAIT, cj__text_of(names[1]), &r->name[VALUE]));
out:
    return rc;
}

static int32_t refresh_trait(cj__refresh *r, uint32_t profile, int trait,
                             cj__text value)
{
    return cj__trait_add(r->db, profile, r->name[trait], r->o->as_of_ms - 1, r->source,
                         value);
}

/* As exact as a segment can use: probabilities and purchases to 6 digits, money to its
 * smallest unit.  As whole numbers, because printing a double takes longer than all the
 * rest that is done here. */
static int32_t refresh_number(cj__refresh *r, uint32_t profile, int trait, double value)
{
    const int exponent = trait == VALUE ? r->db->currency_exponent : 6;
    const double whole = round(value * (trait == VALUE ? r->minor : 1e6));
    cj__str *s = &r->bytes;

    cj__str_clear(s);
    if (!(fabs(whole) < 9e15)) {
        cj__str_put_double(s, value); /* not finite: null */
    } else {
        cj__decimal_put(s, (int64_t)whole, exponent);
        while (exponent > 0 && s->n > 0 && s->data[s->n - 1] == '0')
            cj__str_cut(s, s->n - 1);
        if (s->n > 0 && s->data[s->n - 1] == '.')
            cj__str_cut(s, s->n - 1);
    }
    if (cj__str_status(s) != CJ_OK)
        return cj__str_status(s);
    return refresh_trait(r, profile, trait, (cj__text){s->data, s->n});
}

static int32_t refresh_flush(cj__refresh *r)
{
    const int n_traits = r->scorer->has_value ? CJ__REFRESH_TRAITS : VALUE;
    const cj_clv_data data = {.struct_size = sizeof data,
                              .n = r->n,
                              .x = r->x,
                              .tx = r->tx,
                              .t = r->t,
                              .spend = r->spend};
    int32_t rc = CJ_OK;

    if (r->n == 0)
        return CJ_OK;
    CJ_TRY(r->scorer->score(r->scorer->user, &data, r->score));
    for (int64_t i = 0; i < r->n; i++) {
        for (int trait = 0; trait < n_traits; trait++)
            CJ_TRY(refresh_number(r, r->profile[i], trait, r->score[trait][i]));
    }
    r->result.n_scored += r->n;
    r->n = 0;
out:
    return rc;
}

/* A profile that has no purchase any more is known no scores. */
static int32_t refresh_forget(cj__refresh *r, uint32_t profile)
{
    const int n_traits = r->scorer->has_value ? CJ__REFRESH_TRAITS : VALUE;
    int32_t rc = CJ_OK;

    for (int trait = 0; trait < n_traits; trait++)
        CJ_TRY(refresh_trait(r, profile, trait, cj__text_of("null")));
    r->result.n_forgotten++;
out:
    return rc;
}

/* was: it had a purchase at the refresh before. */
int32_t cj__refresh_touch(cj__refresh *r, const cj__clv_state *s, int was)
{
    const cj__clv_periods *p = &r->fold.periods;
    cj__clv_fact fact;
    cj__node node;
    const int is_buyer = cj__clv_state_fact(s, &fact);
    int32_t rc;

    if (s->buyer.overflow)
        return cj__fail(CJ_ELIMIT, "the orders of profile %u sum up beyond int64",
                        fact.profile);
    CJ_TRY(cj__node_get(r->db, fact.profile, &node));
    if (node.profile != fact.profile) /* joined to another: has that one's scores */
        return CJ_OK;
    if (!is_buyer)
        return was ? refresh_forget(r, fact.profile) : CJ_OK;
    if (!(node.mask & CJ__MASK_KNOWN) && !r->o->include_guests)
        return CJ_OK;
    r->profile[r->n] = fact.profile;
    r->x[r->n] = fact.x;
    r->tx[r->n] = cj__clv_days(p, fact.gap);
    r->t[r->n] = cj__clv_days(
        p, cj__clv_age(&r->fold, &fact, cj__clv_end(&r->fold, r->o->as_of_ms)));
    r->spend[r->n] =
        fact.x == 0 ? 0 : (double)fact.repeat_minor / ((double)fact.x * r->minor);
    if (++r->n == REFRESH_CHUNK)
        CJ_TRY(refresh_flush(r));
out:
    return rc;
}

int32_t cj__refresh_keep(cj__refresh *r, const cj__clv_state *s)
{
    cj__str_clear(&r->bytes);
    cj__clv_state_write(&r->bytes, s);
    if (cj__str_status(&r->bytes) != CJ_OK)
        return cj__str_status(&r->bytes);
    return cj__clv_state_put(r->db, s->buyer.fact.profile,
                             (cj__text){r->bytes.data, r->bytes.n});
}

/* ---- all of it ---------------------------------------------------------------------
 */

static int32_t refresh_check(const cj_clv_refresh_options *o)
{
    if (o->period < 0 || o->period > 2 || o->refunds < 0 || o->refunds > 2)
        return cj__fail(CJ_EINVAL, "period and refunds must be CJ_CLV_* values");
    if (o->months < 0 || o->months > REFRESH_MONTHS)
        return cj__fail(CJ_EINVAL, "months must be 1..%d, or 0 for 12", REFRESH_MONTHS);
    if (o->threads < 0 || o->threads > CJ__MAX_THREADS)
        return cj__fail(CJ_EINVAL, "threads must be 0..%d", CJ__MAX_THREADS);
    if (o->as_of_ms > CJ__MAX_TIME_MS || o->as_of_ms < -CJ__MAX_TIME_MS)
        return cj__fail(CJ_EINVAL, "as_of_ms is not a time in milliseconds since 1970");
    return CJ_OK;
}

/* A number for all that scores depend on besides events. */
static int64_t refresh_key(const cj__refresh *r)
{
    const cj_clv_refresh_options *o = r->o;
    const int32_t numbers[] = {o->months, o->period, o->refunds, o->include_free != 0,
                               o->include_guests != 0};

    return (int64_t)(cj__hash64(r->scorer->key, numbers, sizeof numbers) >> 1);
}

/* How far the refresh before came, and whether the journal goes on from there. */
static int32_t refresh_since(cj__refresh *r, int64_t *through_out)
{
    cj__conn *conn = cj__writer(r->db);
    int64_t key, sealed, batch, is_ahead;
    int32_t rc;

    CJ_TRY(cj__meta_get(conn, "clv_key", -1, &key));
    CJ_TRY(cj__meta_get(conn, "clv_batch", 0, &r->batch));
    CJ_TRY(cj__meta_get(conn, "clv_log", 0, &r->log));
    CJ_TRY(cj__meta_get(conn, "clv_as_of_ms", INT64_MIN, &r->as_of_ms));
    CJ_TRY(cj__meta_get(conn, "clv_is_ahead", 0, &is_ahead));
    CJ_TRY(cj__meta_get(conn, "sealed_through", 0, &sealed));
    CJ_TRY(cj__query_one(conn, STMT_JOURNAL_MAX, &batch));
    r->is_other = key != refresh_key(r);
    r->is_whole = r->is_other || is_ahead || sealed > r->batch || r->o->everybody != 0;
    *through_out = batch > sealed ? batch : sealed;
    if (!r->is_other && r->o->as_of_ms < r->as_of_ms)
        CJ_TRY(
            cj__fail(CJ_EINVAL, "scores go forward only: as_of_ms is before theirs"));
out:
    return rc;
}

static int32_t refresh_note(cj__refresh *r, int64_t through)
{
    cj__conn *conn = cj__writer(r->db);
    int64_t log;
    int32_t rc;

    CJ_TRY(cj__query_one(conn, STMT_LOG_MAX, &log));
    CJ_TRY(cj__meta_set(conn, "clv_key", refresh_key(r)));
    CJ_TRY(cj__meta_set(conn, "clv_batch", through));
    CJ_TRY(cj__meta_set(conn, "clv_log", log));
    CJ_TRY(cj__meta_set(conn, "clv_as_of_ms", r->o->as_of_ms));
    CJ_TRY(cj__meta_set(conn, "clv_is_ahead", r->is_ahead));
out:
    return rc;
}

static int32_t refresh_run(cj__refresh *r)
{
    int64_t through;
    int32_t rc;

    CJ_TRY(cj__reader_open(r->db, &r->reader)); /* what the last commit left */
    CJ_TRY(cj__days_init(&r->fold.periods.days, &r->db->cx.allocator, r->db->zone,
                         r->o->as_of_ms - INT64_C(40) * 86400000, r->o->as_of_ms));
    CJ_TRY(refresh_begin(r));
    CJ_TRY(refresh_since(r, &through));
    if (!r->is_whole)
        CJ_TRY(cj__refresh_journal(r));
    if (r->is_whole)
        CJ_TRY(cj__refresh_scan(r));
    CJ_TRY(refresh_flush(r));
    CJ_TRY(refresh_note(r, through));
out:
    cj__days_end(&r->fold.periods.days);
    cj__reader_end(r->reader);
    return rc;
}

int32_t cj__clv_refresh(cj_db *db, const cj_clv_refresh_options *opts,
                        const cj__clv_scorer *scorer, cj_clv_refresh_result *out)
{
    cj__refresh r = {
        .db = db,
        .o = opts,
        .scorer = scorer,
        .fold = {.as_of_ms = opts->as_of_ms,
                 .first_from_ms = INT64_MIN,
                 .first_until_ms = INT64_MAX,
                 .refunds = opts->refunds,
                 .include_free = opts->include_free != 0,
                 .periods = {.period = opts->period}}
    };
    int32_t rc;

    CJ_TRY(refresh_check(opts));
    CJ_TRY(cj__write_begin(db));
    cj__arena_init(&r.arena, &db->cx.allocator);
    cj__str_init(&r.bytes, &db->cx.allocator, 4096);
    cj__map_init(&r.joined, &db->cx.allocator);
    rc = cj__write_end(db, refresh_run(&r));
    cj__str_end(&r.bytes);
    cj__map_end(&r.joined);
    cj__arena_end(&r.arena);
    if (rc == CJ_OK)
        *out = r.result;
out:
    return rc;
}
