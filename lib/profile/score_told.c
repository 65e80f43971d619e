/* Scores as traits of nodes, of all horizons: each number of each telling with its
 * name; and whether they can be read. */
#include "profile/score.h"

#define TOLD_HORIZONS 601 /* months are 1..600 */

typedef struct told_walk {
    uint32_t node; /* 0: everybody */
    cj__told_fn fn;
    void *user;
    char names[CJ__SCORE_NUMBERS][CJ__SCORE_NAME];
} told_walk;

static int32_t told_horizons(cj__conn *conn, int64_t *months, int *n_out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    *n_out = 0;
    CJ_TRY(cj__query_begin(conn, STMT_SCORING_ALL, &q));
    while (*n_out < TOLD_HORIZONS) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        months[(*n_out)++] = cj__query_get_int64(&q, 0);
    }
out:
    cj__query_end(&q);
    return rc;
}

static int32_t told_profile(const told_walk *w, cj__scored *scored)
{
    cj__score score;
    int has;
    int32_t rc = CJ_OK;

    for (;;) {
        CJ_TRY(cj__scored_next(scored, &score, &has));
        if (!has)
            break;
        for (int i = 0; i < CJ__SCORE_NUMBERS; i++)
            CJ_TRY(w->fn(w->user, &(cj__told){.node = scored->profile,
                                              .number = i,
                                              .time_ms = score.time_ms,
                                              .value = score.number[i],
                                              .name = cj__text_of(w->names[i])}));
    }
out:
    return rc;
}

static int32_t told_horizon(told_walk *w, cj__scores *s, int64_t months)
{
    cj__scored scored;
    int has = 0;
    int32_t rc = CJ_OK;

    for (int i = 0; i < CJ__SCORE_NUMBERS; i++)
        cj__score_name(w->names[i], i, months);
    if (w->node != 0) {
        CJ_TRY(cj__scores_of(s, w->node, &scored));
        return told_profile(w, &scored);
    }
    for (;;) {
        CJ_TRY(cj__scores_next(s, &scored, &has));
        if (!has)
            break;
        CJ_TRY(told_profile(w, &scored));
    }
out:
    return rc;
}

int32_t cj__scores_told(cj_db *db, cj__conn *conn, uint32_t node, cj__told_fn fn,
                        void *user)
{
    told_walk w = {.node = node, .fn = fn, .user = user};
    int64_t months[TOLD_HORIZONS];
    cj__scores s = {0};
    int n;
    int32_t rc;

    CJ_TRY(told_horizons(conn, months, &n));
    for (int i = 0; i < n; i++) {
        CJ_TRY(cj__scores_open(&s, &db->cx.allocator, conn, months[i]));
        CJ_TRY(told_horizon(&w, &s, months[i]));
        cj__scores_end(&s);
    }
out:
    cj__scores_end(&s);
    return rc;
}

typedef struct told_moment {
    int64_t time_ms;
    int is_told;
} told_moment;

static int32_t told_then(void *user, const cj__told *told)
{
    told_moment *m = user;

    m->is_told |= told->time_ms == m->time_ms;
    return CJ_OK;
}

int32_t cj__score_is_told(cj_db *db, uint32_t node, int64_t time_ms, int *told_out)
{
    told_moment m = {.time_ms = time_ms};
    const int32_t rc = cj__scores_told(db, cj__writer(db), node, told_then, &m);

    *told_out = m.is_told;
    return rc;
}

/* ---- care of the file --------------------------------------------------------------
 */

static int32_t check_profile(cj__scored *scored, cj_table *problems,
                             int (*is_sound)(uint32_t profile, cj__text state))
{
    cj__score score;
    int has = 1;
    int32_t rc = CJ_OK;

    if (scored->state.n > 0 && !is_sound(scored->profile, scored->state))
        cj__problem(problems, "clv_score", "the state of profile %lu cannot be read",
                    (unsigned long)scored->profile);
    while (rc == CJ_OK && has)
        rc = cj__scored_next(scored, &score, &has);
    return rc;
}

static int32_t check_horizon(cj__scores *s, cj_table *problems,
                             int (*is_sound)(uint32_t profile, cj__text state))
{
    cj__scored scored;
    int has = 0;
    int32_t rc;

    for (;;) {
        CJ_TRY(cj__scores_next(s, &scored, &has));
        if (!has)
            break;
        CJ_TRY(check_profile(&scored, problems, is_sound));
    }
out:
    return rc;
}

static int32_t check_sizes(cj__conn *conn, cj_table *problems)
{
    int64_t in_runs, in_chunks;
    int32_t rc;

    CJ_TRY(cj__query_one(conn, STMT_SCORE_SIZE, &in_runs));
    CJ_TRY(cj__query_one(conn, STMT_SCORE_CHUNK_SIZE, &in_chunks));
    if (in_runs != in_chunks)
        cj__problem(problems, "clv_run", "runs have %lld bytes, their chunks %lld",
                    (long long)in_runs, (long long)in_chunks);
out:
    return rc;
}

int32_t cj__scores_check(cj_db *db, cj__conn *conn,
                         int (*is_sound)(uint32_t profile, cj__text state),
                         cj_table *problems)
{
    int64_t months[TOLD_HORIZONS];
    int n;
    int32_t rc;

    CJ_TRY(check_sizes(conn, problems));
    CJ_TRY(told_horizons(conn, months, &n));
    for (int i = 0; i < n; i++) {
        cj__scores s = {0};

        rc = cj__scores_open(&s, &db->cx.allocator, conn, months[i]);
        if (rc == CJ_OK)
            rc = check_horizon(&s, problems, is_sound);
        cj__scores_end(&s);
        if (rc == CJ_ECORRUPT) {
            cj__problem(problems, "clv_score", "%s", cj_errmsg());
            cj__error_clear();
            rc = CJ_OK;
        }
        CJ_TRY(rc);
    }
out:
    return rc;
}
