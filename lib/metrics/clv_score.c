/* The scores that a refresh writes, by models that are saved in the file: probability
 * to be a customer still, purchases and their value within so many months. */
#include "metrics/clv_predict.h"
#include "metrics/metrics.h"
#include "store/reader.h"

#include "base/hash.h"

#include <math.h>
#include <string.h>

#define SCORE_MONTH_DAYS (CJ__CLV_YEAR_DAYS / 12)
#define SCORE_PANEL_DAYS (5 * CJ__CLV_YEAR_DAYS)
enum { P_ALIVE, EXPECTED, VALUE };

typedef struct score {
    const cj__allocator *a;
    cj_clv *model, *spend; /* spend NULL: none */
    int32_t months;
    double discount_ratio;
} score;

/* ---- asking ------------------------------------------------------------------------
 */

/* Rows of a model, in its unit, at its parameters. */
typedef struct score_ask {
    cj__clv_at at;
    cj__clv_rows rows;
    cj__clv_ask ask;
    double *columns[4];
} score_ask;

static void score_end(score_ask *q, const cj__allocator *a, int64_t n)
{
    for (int i = 0; i < 4; i++) {
        if (q->columns[i] != NULL)
            cj__free(a, q->columns[i], (size_t)n * sizeof(double));
    }
    cj__clv_at_end(&q->at);
}

static int32_t score_begin(score_ask *q, const cj__allocator *a, const cj_clv *clv,
                           const cj_clv_data *data)
{
    double theta[CJ__CLV_PARAMS];
    int64_t max_x = 0;
    int32_t rc;

    for (int i = 0; i < 4; i++) {
        q->columns[i] = cj__alloc(a, (size_t)data->n * sizeof(double));
        if (q->columns[i] == NULL)
            return CJ_ENOMEM;
    }
    for (int64_t i = 0; i < data->n; i++)
        max_x = data->x[i] > max_x ? data->x[i] : max_x;
    cj__clv_rows_of(clv, data, 0, data->n, q->columns);
    q->rows = (cj__clv_rows){.x = q->columns[0],
                             .tx = q->columns[1],
                             .t = q->columns[2],
                             .z = q->columns[3],
                             .n = data->n};
    rc = cj__clv_at_begin(&q->at, a, clv->model, clv->k, max_x);
    if (rc != CJ_OK)
        return rc;
    cj__clv_theta_of(clv, NULL, theta);
    cj__clv_at_turn(&q->at, theta);
    q->ask = (cj__clv_ask){.at = &q->at, .rows = &q->rows};
    return CJ_OK;
}

/* Purchases within the horizon, and what they count today. */
static int32_t score_months(const score *s, score_ask *q, double *const scores[3])
{
    const double unit = cj__clv_unit(s->model);

    q->ask.until = s->months * SCORE_MONTH_DAYS / unit;
    q->ask.delta = cj__clv_delta(s->discount_ratio, unit);
    return cj__clv_discounted_fast(&q->ask, SCORE_PANEL_DAYS / unit, scores[EXPECTED],
                                   scores[VALUE]);
}

static int32_t score_spend(const score *s, const cj_clv_data *data, double *value)
{
    score_ask q = {0};
    int32_t rc;

    CJ_TRY(score_begin(&q, s->a, s->spend, data));
    CJ_TRY(s->spend->model->expected(&q.ask, q.columns[0]));
    for (int64_t i = 0; i < data->n; i++)
        value[i] *= q.columns[0][i];
out:
    score_end(&q, s->a, data->n);
    return rc;
}

static int32_t score_all(void *user, const cj_clv_data *data, double *const scores[3])
{
    const score *s = user;
    score_ask q = {0};
    int32_t rc;

    CJ_TRY(score_begin(&q, s->a, s->model, data));
    CJ_TRY(s->model->model->p_alive(&q.ask, scores[P_ALIVE]));
    CJ_TRY(score_months(s, &q, scores));
    if (s->spend != NULL)
        CJ_TRY(score_spend(s, data, scores[VALUE]));
out:
    score_end(&q, s->a, data->n);
    return rc;
}

/* ---- by name -----------------------------------------------------------------------
 */

static int32_t score_load(cj_db *db, cj__conn *conn, const char *name, uint64_t *key,
                          cj_clv **out)
{
    cj__clv_saved m;
    cj__arena arena;
    int32_t rc;

    cj__arena_init(&arena, &db->cx.allocator);
    CJ_TRY(cj__clv_saved_get(conn, name, &arena, &m));
    *key = cj__hash64(*key, m.json.data, m.json.n);
    CJ_TRY(cj__clv_from_json(&db->cx.allocator, m.json.data, m.json.n, out));
    if ((*out)->n_covariates > 0)
        CJ_TRY(cj__fail(CJ_EINVAL, "a model with covariates cannot score the file"));
out:
    cj__arena_end(&arena);
    return rc;
}

static int32_t score_models(cj_db *db, const cj_clv_refresh_options *o, score *s,
                            uint64_t *key)
{
    cj__reader *reader = NULL;
    int32_t rc;

    CJ_TRY(cj__reader_open(db, &reader));
    CJ_TRY(score_load(db, cj__reader_conn(reader), o->model, key, &s->model));
    if (s->model->model->family != CJ__CLV_CONTINUOUS ||
        s->model->model->p_alive == NULL)
        CJ_TRY(cj__fail(CJ_EINVAL, "a model of purchases in time is needed, not %s",
                        s->model->model->name));
    if (o->spend == NULL)
        goto out;
    CJ_TRY(score_load(db, cj__reader_conn(reader), o->spend, key, &s->spend));
    if (s->spend->model->family != CJ__CLV_SPEND)
        CJ_TRY(cj__fail(CJ_EINVAL, "a model of spend is needed, not %s",
                        s->spend->model->name));
out:
    cj__reader_end(reader);
    return rc;
}

int32_t cj__clv_refresh_saved(cj_db *db, const cj_clv_refresh_options *o,
                              cj_clv_refresh_result *out)
{
    score s = {.a = &db->cx.allocator,
               .months = o->months == 0 ? 12 : o->months,
               .discount_ratio = o->discount_ratio};
    cj__clv_scorer scorer = {.score = score_all, .user = &s};
    uint64_t key;
    int32_t rc;

    if (!(o->discount_ratio >= 0 && o->discount_ratio <= 100))
        return cj__fail(CJ_EINVAL,
                        "discount_ratio must be 0..100, 0.1 is 10 %% a year");
    if (o->reserved != 0)
        return cj__fail(CJ_EINVAL, "reserved must be 0");
    key = cj__hash64(1, &o->discount_ratio, sizeof o->discount_ratio);
    CJ_TRY(score_models(db, o, &s, &key));
    scorer.key = key;
    scorer.has_value = s.spend != NULL;
    CJ_TRY(cj__clv_refresh(db, o, &scorer, out));
out:
    cj__clv_free(s.model);
    cj__clv_free(s.spend);
    return rc;
}
