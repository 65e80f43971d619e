/* Fitted value models kept in the file by name, as the text that a model says of
 * itself. With clv_refresh.c the only files of this room that write. */
#include "metrics/clv_fit.h"
#include "metrics/metrics.h"
#include "store/reader.h"

#include "base/nearest.h"
#include "base/text.h"

#include <string.h>

static int32_t saved_put(cj_db *db, const cj__clv_saved *m)
{
    cj__query q = {0};
    int32_t rc;

    CJ_TRY(cj__query_begin(cj__writer(db), STMT_CLV_PUT, &q));
    cj__query_text(&q, 1, m->name);
    cj__query_text(&q, 2, m->model);
    cj__query_int64(&q, 3, m->time_ms);
    cj__query_text(&q, 4, m->json);
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__clv_save(cj_db *db, const cj__clv_saved *m)
{
    int32_t rc = cj__name_check("a value model's name", m->name);

    if (rc == CJ_OK)
        rc = cj__write_begin(db);
    return rc == CJ_OK ? cj__write_end(db, saved_put(db, m)) : rc;
}

/* ---- reading
 * ------------------------------------------------------------------------------ */

static int32_t saved_text(const cj__query *q, int column, cj__arena *arena,
                          cj__text *out)
{
    const cj__text text = cj__query_get_text(q, column);

    *out = (cj__text){cj__arena_text(arena, text.data, text.n), text.n};
    return out->data == NULL ? CJ_ENOMEM : CJ_OK;
}

static int32_t saved_row(const cj__query *q, cj__arena *arena, cj__clv_saved *out)
{
    int32_t rc;

    CJ_TRY(saved_text(q, 0, arena, &out->name));
    CJ_TRY(saved_text(q, 1, arena, &out->model));
    out->time_ms = cj__query_get_int64(q, 2);
    CJ_TRY(saved_text(q, 3, arena, &out->json));
out:
    return rc;
}

/* Of all there are the name that is nearest. */
static int32_t saved_unknown(cj__conn *conn, cj__text name)
{
    size_t least = name.n / 2 + 1;
    char best[41] = "";
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_CLV_ALL, &q));
    for (;;) {
        cj__text other;
        size_t distance;

        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        other = cj__query_get_text(&q, 0);
        distance = cj__name_distance(name, other);
        if (distance >= least || other.n >= sizeof best)
            continue;
        least = distance;
        memcpy(best, other.data, other.n);
        best[other.n] = '\0';
    }
    rc =
        best[0] != '\0'
            ? cj__fail(CJ_ENOTFOUND, "no such value model; did you mean `%s`?", best)
            : cj__fail(CJ_ENOTFOUND, "no such value model; see the list of saved ones");
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__clv_saved_get(cj__conn *conn, const char *name, cj__arena *arena,
                          cj__clv_saved *out)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    memset(out, 0, sizeof *out);
    CJ_TRY(cj__query_begin(conn, STMT_CLV_GET, &q));
    cj__query_text(&q, 1, cj__text_of(name));
    CJ_TRY(cj__query_step(&q, &row));
    rc = row ? saved_row(&q, arena, out) : CJ_ENOTFOUND;
out:
    cj__query_end(&q);
    return rc == CJ_ENOTFOUND ? saved_unknown(conn, cj__text_of(name)) : rc;
}

static int32_t saved_rows(cj__conn *conn, cj_table *t)
{
    cj__query q = {0};
    int row;
    int32_t rc;

    CJ_TRY(cj__query_begin(conn, STMT_CLV_ALL, &q));
    for (;;) {
        CJ_TRY(cj__query_step(&q, &row));
        if (!row)
            break;
        for (int column = 0; column < 4; column++) {
            const cj__text text =
                column == 2 ? (cj__text){0} : cj__query_get_text(&q, column);

            if (column == 2)
                cj__table_int64(t, column, cj__query_get_int64(&q, column));
            else
                cj__table_text(t, column, text.data, text.n);
        }
    }
out:
    cj__query_end(&q);
    return rc;
}

int32_t cj__clv_saved_table(cj_db *db, cj_table **out)
{
    cj__reader *reader = NULL;
    cj_table *t = NULL;
    int32_t rc;

    *out = NULL;
    CJ_TRY(cj__reader_open(db, &reader));
    CJ_TRY(cj__table_new(&db->cx.allocator, "name:t model:t saved_ms:i fit:t", &t));
    CJ_TRY(saved_rows(cj__reader_conn(reader), t));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__reader_end(reader);
    return rc;
}

/* ---- fits
 * --------------------------------------------------------------------------------- */

int32_t cj__clv_save_fit(cj_db *db, const char *name, const cj_clv *clv, int64_t now_ms)
{
    cj__clv_saved m = {.name = cj__text_of(name),
                       .model = cj__text_of(clv->model->name),
                       .time_ms = now_ms};
    cj__str json;
    int32_t rc;

    cj__str_init(&json, &db->cx.allocator, CJ__MAX_MESSAGE);
    cj__clv_put_json(clv, &json);
    CJ_TRY(cj__str_status(&json));
    m.json = (cj__text){json.data, json.n};
    CJ_TRY(cj__clv_save(db, &m));
out:
    cj__str_end(&json);
    return rc;
}

int32_t cj__clv_load(cj_db *db, const cj__allocator *a, const char *name, cj_clv **out)
{
    cj__reader *reader = NULL;
    cj__clv_saved m;
    cj__arena arena;
    int32_t rc;

    *out = NULL;
    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__reader_open(db, &reader));
    CJ_TRY(cj__clv_saved_get(cj__reader_conn(reader), name, &arena, &m));
    CJ_TRY(cj__clv_from_json(a, m.json.data, m.json.n, out));
out:
    cj__reader_end(reader);
    cj__arena_end(&arena);
    return rc;
}

/* ---- dropping
 * ----------------------------------------------------------------------------- */

static int32_t saved_drop(cj_db *db, const char *name)
{
    cj__clv_saved ignored;
    cj__query q = {0};
    cj__arena arena;
    int32_t rc;

    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__clv_saved_get(cj__writer(db), name, &arena, &ignored));
    CJ_TRY(cj__query_begin(cj__writer(db), STMT_CLV_DELETE, &q));
    cj__query_text(&q, 1, cj__text_of(name));
    CJ_TRY(cj__query_run(&q));
out:
    cj__query_end(&q);
    cj__arena_end(&arena);
    return rc;
}

int32_t cj__clv_drop(cj_db *db, const char *name)
{
    int32_t rc = cj__write_begin(db);

    return rc == CJ_OK ? cj__write_end(db, saved_drop(db, name)) : rc;
}
