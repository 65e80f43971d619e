/* Scores of value models as traits, so that segments read them.  Between refreshes a
 * state of each customer is kept (clv_state.c): the rows of the journal since then are
 * added to it.  What that cannot do exactly (rows sealed since, late events, two
 * buyers merged, anything unmerged, other options) is done by one scan of the value
 * projection, whose states are compared with those that are kept: only who differs is
 * scored.  Both ways give the same. */
#include "metrics/clv_state.h"
#include "profile/profile.h"
#include "store/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH_CHUNK 4096 /* scored at a time */
#define REFRESH_HEAD 9     /* of a record: u32 profile, u32 bytes, u8 is_ahead */
#define REFRESH_MONTHS 600
enum { P_ALIVE, EXPECTED, VALUE, REFRESH_TRAITS };

typedef struct refresh {
    cj_db *db;
    const cj_clv_refresh_options *o;
    const cj__clv_scorer *scorer;
    cj__reader *reader;
    cj__clv_fold fold;
    cj__arena arena;
    cj__str bytes;                /* of one state */
    cj__map joined;               /* profiles that others were joined to since */
    int64_t batch, log, as_of_ms; /* of the refresh before */
    int is_whole, is_other;       /* by a scan; with other options */
    int is_ahead;                 /* something lies behind as_of */
    uint32_t name[REFRESH_TRAITS], source; /* terms */
    double minor;
    int64_t n; /* waiting to be scored */
    uint32_t *profile;
    int64_t *x;
    double *tx, *t, *spend, *score[REFRESH_TRAITS];
    cj_clv_refresh_result result;
} refresh;

/* ---- scores ------------------------------------------------------------------------
 */

static int32_t refresh_begin(refresh *r)
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

static int32_t refresh_trait(refresh *r, uint32_t profile, int trait, cj__text value)
{
    return cj__trait_add(r->db, profile, r->name[trait], r->o->as_of_ms - 1, r->source,
                         value);
}

/* As exact as a segment can use: probabilities and purchases to 6 digits, money to its
 * smallest unit. */
static int32_t refresh_number(refresh *r, uint32_t profile, int trait, double value)
{
    const double step = trait == VALUE ? r->minor : 1e6;

    cj__str_clear(&r->bytes);
    cj__str_put_double(&r->bytes, round(value * step) / step); /* not finite: null */
    if (cj__str_status(&r->bytes) != CJ_OK)
        return cj__str_status(&r->bytes);
    return refresh_trait(r, profile, trait, (cj__text){r->bytes.data, r->bytes.n});
}

static int32_t refresh_flush(refresh *r)
{
    const int n_traits = r->scorer->has_value ? REFRESH_TRAITS : VALUE;
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
static int32_t refresh_forget(refresh *r, uint32_t profile)
{
    const int n_traits = r->scorer->has_value ? REFRESH_TRAITS : VALUE;
    int32_t rc = CJ_OK;

    for (int trait = 0; trait < n_traits; trait++)
        CJ_TRY(refresh_trait(r, profile, trait, cj__text_of("null")));
    r->result.n_forgotten++;
out:
    return rc;
}

/* was: it had a purchase at the refresh before. */
static int32_t refresh_touch(refresh *r, const cj__clv_state *s, int was)
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

static int32_t refresh_keep(refresh *r, const cj__clv_state *s)
{
    cj__str_clear(&r->bytes);
    cj__clv_state_write(&r->bytes, s);
    if (cj__str_status(&r->bytes) != CJ_OK)
        return cj__str_status(&r->bytes);
    return cj__clv_state_put(r->db, s->buyer.fact.profile,
                             (cj__text){r->bytes.data, r->bytes.n});
}

/* ---- by the journal ----------------------------------------------------------------
 */

/* One entry of the log of merges since. */
static int32_t journal_merge(refresh *r, int64_t action, uint32_t kept, uint32_t other)
{
    cj__clv_state a, b;
    int has_a, has_b;
    int32_t rc;

    if (action != 1) { /* refused: nothing moved; removed: who knows what */
        r->is_whole |= action != 2;
        return CJ_OK;
    }
    CJ_TRY(cj__clv_state_get(r->db, &r->fold, kept, &a, &has_a));
    CJ_TRY(cj__clv_state_get(r->db, &r->fold, other, &b, &has_b));
    r->is_whole |= has_a && has_b;
    if (r->is_whole || (!has_a && !has_b))
        return CJ_OK;
    if (has_b) {
        CJ_TRY(cj__clv_state_drop(r->db, other));
        b.buyer.fact.profile = kept;
        CJ_TRY(refresh_keep(r, &b));
    }
    CJ_TRY(cj__map_put(&r->joined, kept, 1));
out:
    return rc;
}

static int32_t journal_merges(refresh *r)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, r->log);
    while (!r->is_whole) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(journal_merge(r, cj__query_get_int64(&q, 1),
                             (uint32_t)cj__query_get_int64(&q, 2),
                             (uint32_t)cj__query_get_int64(&q, 3)));
    }
out:
    cj__query_end(&q);
    return rc;
}

typedef struct refresh_row {
    uint32_t profile, node;
    int64_t time_ms, at; /* in order of arrival */
    const cj__row *row;
} refresh_row;

static int journal_order(const void *a, const void *b)
{
    const refresh_row *x = a, *y = b;

    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Orders and refunds since, and all who were joined since, by profile. */
static int32_t journal_rows(refresh *r, refresh_row **rows_out, int64_t *n_out)
{
    cj__row *rows;
    refresh_row *to;
    cj__node node;
    int64_t n, n_kept = 0;
    int32_t rc;

    CJ_TRY(cj__reader_journal_after(r->reader, r->batch, &r->arena, &rows, &n));
    to = cj__arena_alloc(&r->arena, ((size_t)n + 1) * sizeof *to);
    if (to == NULL)
        CJ_TRY(CJ_ENOMEM);
    for (int64_t i = 0; i < n; i++) {
        if (!cj__row_is_value(&rows[i]))
            continue;
        r->is_ahead |= rows[i].time_ms >= r->o->as_of_ms;
        if (rows[i].time_ms >= r->o->as_of_ms)
            continue;
        CJ_TRY(cj__node_get(r->db, rows[i].node, &node));
        to[n_kept++] = (refresh_row){.profile = node.profile,
                                     .node = rows[i].node,
                                     .time_ms = rows[i].time_ms,
                                     .at = i,
                                     .row = &rows[i]};
    }
    qsort(to, (size_t)n_kept, sizeof *to, journal_order);
    *rows_out = to;
    *n_out = n_kept;
out:
    return rc;
}

/* The rows of one profile.  One that is not behind all that was seen changes what came
 * after it. */
static int32_t journal_profile(refresh *r, const refresh_row *rows, int64_t n)
{
    cj__clv_state s;
    int known, was;
    cj__clv_fact ignored;
    int32_t rc;

    CJ_TRY(cj__clv_state_get(r->db, &r->fold, rows->profile, &s, &known));
    was = cj__clv_state_fact(&s, &ignored);
    if (known && rows->time_ms <= s.seen_ms) {
        r->is_whole = 1;
        return CJ_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t time_ms = rows[i].time_ms, value = rows[i].row->value_minor;
        uint32_t name = rows[i].row->name;
        uint8_t has_value = 1;
        const cj__columns one = {.n = 1,
                                 .time_ms = &time_ms,
                                 .name = &name,
                                 .value_minor = &value,
                                 .has_value = &has_value};

        cj__clv_state_rows(&s, &one, 0, 1);
    }
    CJ_TRY(refresh_keep(r, &s));
    CJ_TRY(refresh_touch(r, &s, was));
out:
    return rc;
}

static int32_t journal_joined(refresh *r, const refresh_row *rows, int64_t n)
{
    cj__clv_state s;
    uint64_t ignored;
    cj__query q = {0};
    int row, known;
    int32_t rc;

    for (int64_t i = 0; i < n; i++) /* those were looked at */
        CJ_TRY(cj__map_put(&r->joined, rows[i].profile, 0));
    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, r->log);
    for (;;) {
        uint32_t kept;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        kept = (uint32_t)cj__query_get_int64(&q, 2);
        if (!cj__map_get(&r->joined, kept, &ignored) || ignored == 0)
            continue;
        CJ_TRY(cj__map_put(&r->joined, kept, 0));
        CJ_TRY(cj__clv_state_get(r->db, &r->fold, kept, &s, &known));
        if (known)
            CJ_TRY(refresh_touch(r, &s, 0));
    }
out:
    cj__query_end(&q);
    return rc;
}

static int32_t refresh_journal(refresh *r)
{
    refresh_row *rows;
    int64_t n;
    int32_t rc;

    CJ_TRY(journal_merges(r));
    if (r->is_whole)
        return CJ_OK;
    CJ_TRY(journal_rows(r, &rows, &n));
    for (int64_t i = 0, next; i < n && !r->is_whole; i = next) {
        for (next = i + 1; next < n && rows[next].profile == rows[i].profile;)
            next++;
        CJ_TRY(journal_profile(r, rows + i, next - i));
    }
    if (!r->is_whole)
        CJ_TRY(journal_joined(r, rows, n));
out:
    return rc;
}

/* ---- by a scan ---------------------------------------------------------------------
 */

static void head_write(char *to, uint32_t profile, size_t n, int is_ahead)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (char)(profile >> (8 * i));
        to[4 + i] = (char)(n >> (8 * i));
    }
    to[8] = (char)is_ahead;
}

static uint32_t head_read(const char *from)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value |= (uint32_t)(unsigned char)from[i] << (8 * i);
    return value;
}

static int32_t whole_profile(const void *arg, cj__str *partial, uint32_t profile,
                             const cj__columns *columns, int64_t first, int64_t n)
{
    const cj__clv_fold *fold = arg;
    const size_t start = partial->n;
    int64_t split = first;
    cj__clv_state s;

    while (split < first + n && columns->time_ms[split] < fold->as_of_ms)
        split++;
    cj__clv_state_begin(&s, fold, profile);
    cj__clv_state_rows(&s, columns, first, split);
    (void)cj__str_extend(partial, REFRESH_HEAD);
    if (split > first)
        cj__clv_state_write(partial, &s);
    if (cj__str_status(partial) != CJ_OK)
        return cj__str_status(partial);
    head_write(partial->data + start, profile, partial->n - start - REFRESH_HEAD,
               split < first + n);
    return CJ_OK;
}

/* Who was joined to somebody since: a guest may be known by now. */
static int32_t whole_joined(refresh *r)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(r->db), STMT_LOG_AFTER, &q));
    cj__query_int64(&q, 1, r->log);
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        CJ_TRY(cj__map_put(&r->joined, (uint64_t)cj__query_get_int64(&q, 2), 1));
    }
out:
    cj__query_end(&q);
    return rc;
}

/* One profile as the scan has it (bytes.n 0: it is not there) and as it was kept. */
static int32_t whole_compare(refresh *r, uint32_t profile, cj__text now, cj__text then)
{
    cj__clv_fact ignored;
    cj__clv_state s;
    uint64_t joined;
    int was = 0;
    int32_t rc = CJ_OK;

    if (!r->o->everybody && !r->is_other && cj__text_equal(now, then) &&
        !cj__map_get(&r->joined, profile, &joined))
        return CJ_OK;
    if (then.n > 0 && !r->is_other) { /* another format would not be read */
        CJ_TRY(cj__clv_state_read(&s, &r->fold, profile, then));
        was = cj__clv_state_fact(&s, &ignored);
    }
    if (now.n == 0) {
        cj__clv_state_begin(&s, &r->fold, profile);
        CJ_TRY(cj__clv_state_drop(r->db, profile));
    } else {
        CJ_TRY(cj__clv_state_read(&s, &r->fold, profile, now));
        if (!cj__text_equal(now, then))
            CJ_TRY(cj__clv_state_put(r->db, profile, now));
    }
    CJ_TRY(refresh_touch(r, &s, was));
out:
    return rc;
}

static int32_t whole_walk(refresh *r, const cj__str *partial)
{
    const cj__text none = {"", 0};
    cj__query q = {0};
    size_t at = 0;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__reader_conn(r->reader), STMT_CLV_STATE_ALL, &q));
    CJ_TRY(cj__query_step(&q, &row));
    while (row || at < partial->n) {
        const char *head = partial->data + at;
        const uint64_t now = at < partial->n ? head_read(head) : UINT64_MAX;
        const uint64_t then = row ? (uint64_t)cj__query_get_int64(&q, 0) : UINT64_MAX;
        cj__text a = none, b = none;

        if (now <= then) {
            a = (cj__text){head + REFRESH_HEAD, head_read(head + 4)};
            r->is_ahead |= head[8] != 0;
            at += REFRESH_HEAD + a.n;
        }
        if (then <= now)
            b = cj__query_get_blob(&q, 1);
        CJ_TRY(whole_compare(r, (uint32_t)(now < then ? now : then), a, b));
        if (then <= now)
            CJ_TRY(cj__query_step(&q, &row));
    }
out:
    cj__query_end(&q);
    return rc;
}

static int32_t refresh_whole(refresh *r)
{
    cj__fold fold = {.columns = CJ__COL_TIME | CJ__COL_NAME | CJ__COL_VALUE,
                     .profile = whole_profile,
                     .arg = &r->fold};
    const cj__scan_options scan = {.value_only = 1,
                                   .guests = 1, /* they may become known */
                                   .threads = r->o->threads,
                                   .reader = r->reader,
                                   .progress = r->o->progress,
                                   .progress_user = r->o->progress_user};
    int32_t rc;

    r->n = 0; /* what waits is looked at again */
    r->result.n_scored = r->result.n_forgotten = 0;
    r->result.is_whole = 1;
    cj__map_clear(&r->joined);
    CJ_TRY(whole_joined(r));
    CJ_TRY(cj__scan(r->db, &scan, &fold, 1));
    CJ_TRY(whole_walk(r, &fold.partial));
out:
    cj__str_end(&fold.partial);
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
static int64_t refresh_key(const refresh *r)
{
    const cj_clv_refresh_options *o = r->o;
    const int32_t numbers[] = {o->months, o->period, o->refunds, o->include_free != 0,
                               o->include_guests != 0};

    return (int64_t)(cj__hash64(r->scorer->key, numbers, sizeof numbers) >> 1);
}

/* How far the refresh before came, and whether the journal goes on from there. */
static int32_t refresh_since(refresh *r, int64_t *through_out)
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

static int32_t refresh_note(refresh *r, int64_t through)
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

static int32_t refresh_run(refresh *r)
{
    int64_t through;
    int32_t rc;

    CJ_TRY(cj__reader_open(r->db, &r->reader)); /* what the last commit left */
    CJ_TRY(cj__days_init(&r->fold.periods.days, &r->db->cx.allocator, r->db->zone,
                         r->o->as_of_ms - INT64_C(40) * 86400000, r->o->as_of_ms));
    CJ_TRY(refresh_begin(r));
    CJ_TRY(refresh_since(r, &through));
    if (!r->is_whole)
        CJ_TRY(refresh_journal(r));
    if (r->is_whole)
        CJ_TRY(refresh_whole(r));
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
    refresh r = {
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
