/* Reading the runs of a horizon: one profile through a chunk of each, or all of them
 * side by side. */
#include "profile/score.h"

#include <string.h>

#define RUN_MAX_BYTES (1u << 30) /* of a chunk; one with a long history is large */

static int32_t run_damaged(const cj__score_run *run)
{
    return cj__fail(CJ_ECORRUPT, "chunk %lld of scores is damaged",
                    (long long)run->chunk);
}

/* The next entry within the chunk; has 0: that was all. */
static int32_t run_step(cj__score_run *run, uint32_t before)
{
    run->has = cj__score_entry_take(&run->rest, before, &run->entry);
    return run->has < 0 ? run_damaged(run) : CJ_OK;
}

/* Take a chunk from a query that gives one or none. */
static int32_t run_load(cj__score_run *run, cj__query *q)
{
    cj__text bytes;
    int64_t checksum;
    int row;
    int32_t rc;

    CJ_TRY(cj__query_step(q, &row));
    run->has = 0;
    if (!row)
        goto out;
    run->chunk = cj__query_get_int64(q, 0);
    checksum = cj__query_get_int64(q, 1);
    bytes = cj__query_get_blob(q, 2);
    if (checksum != 0 && checksum != cj__score_checksum(run->chunk, bytes))
        CJ_TRY(run_damaged(run));
    cj__str_clear(&run->bytes);
    cj__str_put(&run->bytes, bytes.data, bytes.n);
    CJ_TRY(cj__str_status(&run->bytes));
    run->rest = (cj__text){run->bytes.data, run->bytes.n};
    run->covers = (uint32_t)run->chunk;
    CJ_TRY(run_step(run, run->covers));
    if (!run->has)
        CJ_TRY(run_damaged(run));
out:
    return rc;
}

/* The chunk that the profile would be in. */
static int32_t run_chunk(cj__scores *s, cj__score_run *run, uint32_t profile)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(s->conn, STMT_SCORE_CHUNK, &q));
    cj__query_int64(&q, 1, run->run);
    cj__query_int64(&q, 2, run->run | profile);
    CJ_TRY(run_load(run, &q));
    if (!run->has)
        run->chunk = run->run; /* before the first */
    run->covers = profile;
out:
    cj__query_end(&q);
    return rc;
}

/* To the entry of a profile, or of the next one after it; has 0: the chunk ends before.
 */
static int32_t run_seek(cj__scores *s, cj__score_run *run, uint32_t profile)
{
    int32_t rc = CJ_OK;

    if (run->chunk == 0 || profile < run->asked)
        CJ_TRY(run_chunk(s, run, profile));
    run->asked = profile;
    for (;;) {
        while (run->has && run->entry.profile < profile)
            CJ_TRY(run_step(run, run->entry.profile));
        if (run->has || run->covers >= profile)
            return CJ_OK;
        CJ_TRY(run_chunk(s, run, profile));
    }
out:
    return rc;
}

static int32_t run_next(cj__scores *s, cj__score_run *run)
{
    cj__query q = {0};
    int32_t rc = CJ_OK;

    if (run->has)
        CJ_TRY(run_step(run, run->entry.profile));
    if (run->has)
        return CJ_OK;
    CJ_TRY(cj__query_begin(s->conn, STMT_SCORE_CHUNK_AFTER, &q));
    cj__query_int64(&q, 1,
                    run->chunk == 0 ? run->run : (run->run | run->entry.profile) + 1);
    cj__query_int64(&q, 2, run->run | UINT32_MAX);
    CJ_TRY(run_load(run, &q));
    cj__query_end(&q);
    if (s->is_taken && run->has)
        CJ_TRY(cj__score_chunks_delete(s->conn, run->chunk, run->chunk));
out:
    cj__query_end(&q);
    return rc;
}

/* ---- of a horizon -----------------------------------------------------------------
 */

int32_t cj__scores_open(cj__scores *s, const cj__allocator *a, cj__conn *conn,
                        int64_t months)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    s->conn = conn;
    s->n = 0;
    CJ_TRY(cj__query_begin(conn, STMT_SCORE_RUNS, &q));
    cj__query_int64(&q, 1, months << 53);
    cj__query_int64(&q, 2, (months + 1) << 53);
    for (;;) {
        cj__score_run *run = &s->runs[s->n];

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        if (s->n == CJ__SCORE_RUNS)
            CJ_TRY(
                cj__fail(CJ_ECORRUPT, "scores have more than %d runs", CJ__SCORE_RUNS));
        memset(run, 0, sizeof *run);
        run->run = cj__query_get_int64(&q, 0);
        run->n_bytes = cj__query_get_int64(&q, 1);
        cj__str_init(&run->bytes, a, RUN_MAX_BYTES);
        s->n++;
    }
out:
    cj__query_end(&q);
    return rc;
}

void cj__scores_end(cj__scores *s)
{
    for (int i = 0; i < s->n; i++)
        cj__str_end(&s->runs[i].bytes);
    s->n = 0;
}

int32_t cj__scores_state(cj__scores *s, uint32_t profile, cj__text *out)
{
    int32_t rc = CJ_OK;

    *out = (cj__text){"", 0};
    for (int i = 0; i < s->n; i++) {
        cj__score_run *run = &s->runs[i];

        CJ_TRY(run_seek(s, run, profile));
        if (run->has && run->entry.profile == profile) {
            *out = run->entry.state;
            break;
        }
    }
out:
    return rc;
}

/* What a run has of the profile, too. */
static void scored_add(cj__scored *scored, const cj__score_run *run)
{
    if (scored->n == 0)
        scored->state = run->entry.state;
    scored->has[scored->n] = 0;
    scored->tellings[scored->n++] = run->entry.tellings;
}

int32_t cj__scores_of(cj__scores *s, uint32_t profile, cj__scored *out)
{
    int32_t rc = CJ_OK;

    out->profile = profile;
    out->n = 0;
    for (int i = 0; i < s->n; i++) {
        CJ_TRY(run_seek(s, &s->runs[i], profile));
        if (s->runs[i].has && s->runs[i].entry.profile == profile)
            scored_add(out, &s->runs[i]);
    }
out:
    return rc;
}

int32_t cj__scores_next(cj__scores *s, cj__scored *out, int *has_out)
{
    const uint32_t before = *has_out ? out->profile : 0;
    uint64_t least = UINT64_MAX;
    int32_t rc = CJ_OK;

    for (int i = 0; i < s->n; i++) {
        cj__score_run *run = &s->runs[i];

        if (!*has_out || (run->has && run->entry.profile == before))
            CJ_TRY(run_next(s, run));
        if (run->has && run->entry.profile < least)
            least = run->entry.profile;
    }
    out->profile = (uint32_t)least;
    out->n = 0;
    for (int i = 0; i < s->n; i++) {
        if (s->runs[i].has && s->runs[i].entry.profile == least)
            scored_add(out, &s->runs[i]);
    }
    *has_out = out->n > 0;
out:
    return rc;
}

int32_t cj__scored_next(cj__scored *scored, cj__score *out, int *has_out)
{
    int newest = -1;

    for (int i = 0; i < scored->n; i++) {
        if (scored->has[i] == 0)
            scored->has[i] = cj__score_take(&scored->tellings[i], &scored->head[i]);
        if (scored->has[i] < 0)
            return cj__fail(CJ_ECORRUPT, "the scores of node %lu are damaged; cj_check",
                            (unsigned long)scored->profile);
        if (scored->has[i] > 0 &&
            (newest < 0 || scored->head[i].time_ms > scored->head[newest].time_ms))
            newest = i;
    }
    *has_out = newest >= 0;
    if (newest < 0)
        return CJ_OK;
    *out = scored->head[newest];
    for (int i = 0; i < scored->n; i++) {
        if (scored->has[i] > 0 && scored->head[i].time_ms == out->time_ms)
            scored->has[i] = 0;
    }
    return CJ_OK;
}
