/* Scores of value models as traits, so that segments read them.  Between refreshes a
 * state of each customer is kept beside its scores (score.h): the rows of the journal
 * since then are added to it.  What that cannot do exactly (rows sealed since, late
 * events, two buyers merged, anything unmerged, other options) is done by one scan of
 * the value projection, whose states are compared with those that are kept: only who
 * differs is scored.  Both ways give the same. */
#include "metrics/clv_refresh.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

#define REFRESH_CHUNK 4096 /* scored at a time */
#define REFRESH_MONTHS 600

/* What becomes of the scores of an entry's profile. */
enum { REFRESH_STAY, REFRESH_SCORE, REFRESH_FORGET };

struct cj__refresh_entry {
    uint32_t profile;
    int what;
    int64_t place; /* scored at, REFRESH_SCORE */
    size_t state, n_state;
};

/* ---- scores ------------------------------------------------------------------------
 */

static int32_t refresh_begin(cj__refresh *r)
{
    const cj__allocator *a = &r->db->cx.allocator;
    double **columns[] = {&r->tx,       &r->t,        &r->spend,
                          &r->score[0], &r->score[1], &r->score[2]};
    char name[CJ__SCORE_NAME];
    int32_t rc;

    r->entries = cj__arena_alloc(&r->arena, REFRESH_CHUNK * sizeof *r->entries);
    r->x = cj__arena_alloc(&r->arena, REFRESH_CHUNK * sizeof *r->x);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        *columns[i] = cj__arena_alloc(&r->arena, REFRESH_CHUNK * sizeof(double));
        if (*columns[i] == NULL || r->entries == NULL || r->x == NULL)
            return CJ_ENOMEM;
    }
    cj__str_init(&r->text, a, CJ__CLV_STATE_BYTES);
    cj__str_init(&r->telling, a, 64);
    cj__str_init(&r->states, a, (size_t)REFRESH_CHUNK * CJ__CLV_STATE_BYTES);
    r->minor = cj__clv_minor(r->db);
    CJ_TRY(
        cj__term(r->db, CJ__SPACE_SOURCE, cj__text_of(CJ__SCORE_SOURCE), &r->source));
    for (int i = 0; i < CJ__SCORE_NUMBERS; i++) {
        cj__score_name(name, i, r->months);
        CJ_TRY(cj__term(r->db, CJ__SPACE_TRAIT, cj__text_of(name), &r->name[i]));
    }
    CJ_TRY(cj__scores_open(&r->scores, a, cj__writer(r->db), r->months));
    CJ_TRY(cj__score_begin(&r->writer, r->db, r->months));
out:
    return rc;
}

static void refresh_end(cj__refresh *r)
{
    cj__str_end(&r->text);
    cj__str_end(&r->telling);
    cj__str_end(&r->states);
    cj__scores_end(&r->scores);
    cj__score_end(&r->writer);
    cj__days_end(&r->fold.periods.days);
    cj__reader_end(r->reader);
    cj__arena_end(&r->arena);
}

/* As exact as a segment can use: probabilities and purchases to 6 digits, money to its
 * smallest unit; what is not finite, or not known, is null. */
static int64_t refresh_number(const cj__refresh *r, const struct cj__refresh_entry *e,
                              int number)
{
    double whole;

    if (e->what != REFRESH_SCORE ||
        (number == CJ__SCORE_VALUE && !r->scorer->has_value))
        return CJ__SCORE_NULL;
    whole = round(r->score[number][e->place] *
                  (number == CJ__SCORE_VALUE ? r->minor : 1e6));
    return fabs(whole) < 9e15 ? (int64_t)whole : CJ__SCORE_NULL;
}

static int32_t refresh_tell(cj__refresh *r, uint32_t profile, const cj__score *score)
{
    int32_t rc = CJ_OK;

    for (int i = 0; i < CJ__SCORE_NUMBERS; i++) {
        cj__str_clear(&r->text);
        cj__score_text(&r->text, i, score->number[i], r->db->currency_exponent);
        CJ_TRY(cj__str_status(&r->text));
        CJ_TRY(r->db->observer->trait(r->db, profile, r->name[i], score->time_ms,
                                      r->source, (cj__text){r->text.data, r->text.n}));
    }
out:
    return rc;
}

static int32_t refresh_write(cj__refresh *r, const struct cj__refresh_entry *e)
{
    cj__score score = {.time_ms = r->o->as_of_ms - 1};
    cj__score_entry entry = {
        .profile = e->profile, .state = {r->states.data + e->state, e->n_state}
    };
    int32_t rc = CJ_OK;

    cj__str_clear(&r->telling);
    if (e->what != REFRESH_STAY) {
        for (int i = 0; i < CJ__SCORE_NUMBERS; i++)
            score.number[i] = refresh_number(r, e, i);
        cj__score_put(&r->telling, &score);
        CJ_TRY(cj__str_status(&r->telling));
        CJ_TRY(refresh_tell(r, e->profile, &score));
        r->result.n_scored += e->what == REFRESH_SCORE;
        r->result.n_forgotten += e->what == REFRESH_FORGET;
    }
    entry.tellings = (cj__text){r->telling.data, r->telling.n};
    CJ_TRY(cj__score_add(&r->writer, &entry));
out:
    return rc;
}

static int32_t refresh_flush(cj__refresh *r)
{
    const cj_clv_data data = {.struct_size = sizeof data,
                              .n = r->n_scored,
                              .x = r->x,
                              .tx = r->tx,
                              .t = r->t,
                              .spend = r->spend};
    int32_t rc = CJ_OK;

    if (r->n_scored > 0)
        CJ_TRY(r->scorer->score(r->scorer->user, &data, r->score));
    for (int64_t i = 0; i < r->n_entries; i++)
        CJ_TRY(refresh_write(r, &r->entries[i]));
    r->n_entries = r->n_scored = 0;
    cj__str_clear(&r->states);
out:
    return rc;
}

static int64_t refresh_place(cj__refresh *r, const cj__clv_fact *fact)
{
    const cj__clv_periods *p = &r->fold.periods;
    const int64_t end = cj__clv_end(&r->fold, r->o->as_of_ms), at = r->n_scored++;

    r->x[at] = fact->x;
    r->tx[at] = cj__clv_days(p, fact->gap);
    r->t[at] = cj__clv_days(p, cj__clv_age(&r->fold, fact, end));
    r->spend[at] =
        fact->x == 0 ? 0 : (double)fact->repeat_minor / ((double)fact->x * r->minor);
    return at;
}

int32_t cj__refresh_put(cj__refresh *r, const cj__clv_state *s, cj__text bytes, int was)
{
    struct cj__refresh_entry *e = &r->entries[r->n_entries];
    cj__clv_fact fact;
    cj__node node;
    const int is_buyer = cj__clv_state_fact(s, &fact);
    int32_t rc;

    if (s->buyer.overflow)
        return cj__fail(CJ_ELIMIT, "the orders of profile %u sum up beyond int64",
                        fact.profile);
    CJ_TRY(cj__node_get(r->db, fact.profile, &node));
    *e = (struct cj__refresh_entry){
        .profile = fact.profile, .state = r->states.n, .n_state = bytes.n};
    cj__str_put(&r->states, bytes.data, bytes.n);
    CJ_TRY(cj__str_status(&r->states));
    if (node.profile != fact.profile)
        e->what = REFRESH_STAY; /* joined to another: has that one's scores */
    else if (!is_buyer)
        e->what = was ? REFRESH_FORGET : REFRESH_STAY;
    else if (node.mask & CJ__MASK_KNOWN || r->o->include_guests)
        e->what = REFRESH_SCORE;
    if (e->what == REFRESH_SCORE)
        e->place = refresh_place(r, &fact);
    if (++r->n_entries == REFRESH_CHUNK)
        CJ_TRY(refresh_flush(r));
out:
    return rc;
}

int32_t cj__refresh_again(cj__refresh *r)
{
    int32_t rc;

    r->n_entries = r->n_scored = 0;
    cj__str_clear(&r->states);
    r->result.n_scored = r->result.n_forgotten = 0;
    cj__scores_end(&r->scores);
    CJ_TRY(cj__scores_open(&r->scores, &r->db->cx.allocator, cj__writer(r->db),
                           r->months));
    CJ_TRY(cj__score_begin(&r->writer, r->db, r->months));
out:
    return rc;
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
    cj__query q = {0};
    int64_t key = -1, is_ahead = 0, sealed, batch;
    int row;
    int32_t rc;

    r->as_of_ms = INT64_MIN;
    CJ_TRY(cj__query_begin(conn, STMT_SCORING_GET, &q));
    cj__query_int64(&q, 1, r->months);
    CJ_TRY(cj__query_step(&q, &row));
    if (row) {
        key = cj__query_get_int64(&q, 0);
        r->batch = cj__query_get_int64(&q, 1);
        r->log = cj__query_get_int64(&q, 2);
        r->as_of_ms = cj__query_get_int64(&q, 3);
        is_ahead = cj__query_get_int64(&q, 4);
    }
    CJ_TRY(cj__meta_get(conn, "sealed_through", 0, &sealed));
    CJ_TRY(cj__query_one(conn, STMT_JOURNAL_MAX, &batch));
    r->is_other = key != refresh_key(r);
    r->is_whole = r->is_other || is_ahead || sealed > r->batch || r->o->everybody != 0;
    *through_out = batch > sealed ? batch : sealed;
    if (!r->is_other && r->o->as_of_ms < r->as_of_ms)
        CJ_TRY(
            cj__fail(CJ_EINVAL, "scores go forward only: as_of_ms is before theirs"));
out:
    cj__query_end(&q);
    return rc;
}

static int32_t refresh_note(cj__refresh *r, int64_t through)
{
    cj__conn *conn = cj__writer(r->db);
    cj__query q = {0};
    int64_t log;
    int32_t rc;

    CJ_TRY(cj__query_one(conn, STMT_LOG_MAX, &log));
    CJ_TRY(cj__query_begin(conn, STMT_SCORING_PUT, &q));
    cj__query_int64(&q, 1, r->months);
    cj__query_int64(&q, 2, refresh_key(r));
    cj__query_int64(&q, 3, through);
    cj__query_int64(&q, 4, log);
    cj__query_int64(&q, 5, r->o->as_of_ms);
    cj__query_int64(&q, 6, r->is_ahead);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
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
    CJ_TRY(cj__score_commit(&r->writer));
    CJ_TRY(refresh_note(r, through));
out:
    return rc;
}

int32_t cj__clv_refresh(cj_db *db, const cj_clv_refresh_options *opts,
                        const cj__clv_scorer *scorer, cj_clv_refresh_result *out)
{
    cj__refresh r = {
        .db = db,
        .o = opts,
        .scorer = scorer,
        .months = opts->months == 0 ? 12 : opts->months,
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
    rc = cj__write_end(db, refresh_run(&r));
    refresh_end(&r);
    if (rc == CJ_OK)
        *out = r.result;
out:
    return rc;
}
