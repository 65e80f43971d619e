/* Writing a run of scores, and joining runs.  A run that is joined is read chunk by
 * chunk and each is deleted when it was read: the joined run takes the older one's
 * place, and what of that is still to come lies behind all that was written. */
#include "profile/score.h"

#include <string.h>

#define WRITE_CHUNK 1000 /* bytes: four on a page, and little to look through */
#define WRITE_MAX (1u << 30)
#define WRITE_RUN (INT64_C(1) << 32) /* from one run's key to the next one's */

int32_t cj__score_chunks_delete(cj__conn *conn, int64_t first, int64_t last)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_SCORE_CHUNK_DELETE, &q));
    cj__query_int64(&q, 1, first);
    cj__query_int64(&q, 2, last);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

static void write_begin(cj__score_writer *w, const cj__allocator *a, cj__conn *conn,
                        int64_t run)
{
    memset(w, 0, sizeof *w);
    w->conn = conn;
    w->allocator = a;
    w->run = run;
    cj__str_init(&w->bytes, a, WRITE_MAX);
}

static int32_t write_chunk(cj__score_writer *w)
{
    const cj__text entries = {w->bytes.data, w->bytes.n};
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__str_status(&w->bytes));
    if (w->bytes.n == 0)
        return CJ_OK;
    CJ_TRY(cj__query_begin(w->conn, STMT_SCORE_CHUNK_ADD, &q));
    cj__query_int64(&q, 1, w->chunk);
    cj__query_int64(&q, 2, cj__score_checksum(w->chunk, entries));
    cj__query_blob(&q, 3, entries);
    CJ_TRY(cj__query_run(&q));
    w->n_bytes += (int64_t)w->bytes.n;
    cj__str_clear(&w->bytes);
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__score_add(cj__score_writer *w, const cj__score_entry *entry)
{
    size_t before = w->bytes.n;
    int32_t rc = CJ_OK;

    if (before > 0 && before + entry->state.n + entry->tellings.n > WRITE_CHUNK - 16) {
        CJ_TRY(write_chunk(w));
        before = 0;
    }
    if (before == 0) {
        w->chunk = w->run | entry->profile;
        w->last = entry->profile;
    }
    cj__score_entry_put(&w->bytes, w->last, entry);
    w->last = entry->profile;
    rc = cj__str_status(&w->bytes);
out:
    return rc;
}

static int32_t write_note(cj__score_writer *w)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(write_chunk(w));
    if (w->n_bytes == 0)
        return CJ_OK;
    CJ_TRY(cj__query_begin(w->conn, STMT_SCORE_RUN_ADD, &q));
    cj__query_int64(&q, 1, w->run);
    cj__query_int64(&q, 2, w->n_bytes);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

/* ---- joining ------------------------------------------------------------------------
 */

/* Tellings of both runs in order. */
static int32_t join_tellings(cj__scored *scored, cj__str *to, cj__text *out)
{
    cj__score score;
    int has;
    int32_t rc = CJ_OK;

    *out = scored->tellings[0];
    if (scored->n == 1)
        return CJ_OK;
    cj__str_clear(to);
    for (;;) {
        CJ_TRY(cj__scored_next(scored, &score, &has));
        if (!has)
            break;
        cj__score_put(to, &score);
    }
    *out = (cj__text){to->data, to->n};
    rc = cj__str_status(to);
out:
    return rc;
}

/* The entry of both runs; one that says nothing only hides what older runs say. */
static int32_t join_add(cj__score_writer *w, cj__scored *scored, cj__str *tellings,
                        int is_oldest)
{
    cj__score_entry entry = {.profile = scored->profile, .state = scored->state};
    int32_t rc;

    CJ_TRY(join_tellings(scored, tellings, &entry.tellings));
    if (!is_oldest || entry.state.n > 0 || entry.tellings.n > 0)
        CJ_TRY(cj__score_add(w, &entry));
out:
    return rc;
}

static int32_t join_walk(cj__scores *two, cj__score_writer *w, int is_oldest)
{
    cj__scored scored;
    cj__str tellings;
    int has = 0;
    int32_t rc;

    cj__str_init(&tellings, w->allocator, WRITE_MAX);
    two->is_taken = 1;
    for (;;) {
        CJ_TRY(cj__scores_next(two, &scored, &has));
        if (!has)
            break;
        CJ_TRY(join_add(w, &scored, &tellings, is_oldest));
    }
out:
    cj__str_end(&tellings);
    return rc;
}

static int32_t join_forget(cj__conn *conn, int64_t run)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_SCORE_RUN_DELETE, &q));
    cj__query_int64(&q, 1, run);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

/* The two newest runs become one. */
static int32_t join_two(cj__scores *s, const cj__allocator *a)
{
    const int is_oldest = s->n == 2;
    cj__score_writer w;
    int32_t rc;

    for (int i = 2; i < s->n; i++)
        cj__str_end(&s->runs[i].bytes);
    s->n = 2;
    write_begin(&w, a, s->conn, s->runs[1].run);
    CJ_TRY(join_forget(s->conn, s->runs[0].run));
    CJ_TRY(join_forget(s->conn, s->runs[1].run));
    CJ_TRY(join_walk(s, &w, is_oldest));
    CJ_TRY(write_note(&w));
out:
    cj__score_end(&w);
    return rc;
}

/* Is the second newest run less than twice as large as the newest one?  So sizes at
 * least double from one to the next, and there are few. */
static int32_t join_runs(cj__conn *conn, const cj__allocator *a, int64_t months,
                         int *more_out)
{
    cj__scores s;
    int32_t rc;

    CJ_TRY(cj__scores_open(&s, a, conn, months));
    *more_out = s.n >= 2 &&
                (s.runs[1].n_bytes < 2 * s.runs[0].n_bytes || s.n == CJ__SCORE_RUNS);
    if (*more_out)
        CJ_TRY(join_two(&s, a));
out:
    cj__scores_end(&s);
    return rc;
}

/* ---- a refresh ----------------------------------------------------------------------
 */

int32_t cj__score_begin(cj__score_writer *w, cj_db *db, int64_t months)
{
    cj__scores s;
    int32_t rc;

    cj__score_end(w);
    CJ_TRY(cj__scores_open(&s, &db->cx.allocator, cj__writer(db), months));
    write_begin(w, &db->cx.allocator, cj__writer(db),
                (s.n > 0 ? s.runs[0].run : months << 53) + WRITE_RUN);
    CJ_TRY(cj__score_chunks_delete(w->conn, w->run, w->run | UINT32_MAX));
out:
    cj__scores_end(&s);
    return rc;
}

int32_t cj__score_commit(cj__score_writer *w)
{
    int more = 1;
    int32_t rc;

    CJ_TRY(write_note(w));
    while (more)
        CJ_TRY(join_runs(w->conn, w->allocator, w->run >> 53, &more));
out:
    return rc;
}

void cj__score_end(cj__score_writer *w)
{
    cj__str_end(&w->bytes);
}
