/* clv predict: what a model says of each customer, beside who they are; all of them in
 * order, or those with the most value first. */
#include "clv.h"

#include <stdlib.h>
#include <string.h>

typedef struct prediction {
    customers c;
    cj_clv *clv, *spend;
    cj_clv_predict_options o;
    cj_table *table;
} prediction;

/* How long a period of a model that counts them is: only who asks knows, and of the
 * store's customers it is a day. */
static int predict_period(program *p, prediction *q)
{
    cj_clv_fit_facts facts = {.struct_size = sizeof facts};
    double *days = &q->o.period_days;
    char title[64];
    int code = option_real(p, "period-days", 1e-3, 36525, days);

    if (code != DONE || cj_clv_facts(q->clv, &facts) != CJ_OK ||
        !clv_counts_periods(facts.model, title))
        return code;
    if (*days == 0)
        return complain(p, USAGE, "--period-days, for example 365.2425",
                        "%s counts periods: how many days is one?", title);
    if (option_text(p, "summary") == NULL &&
        (*days != 1 || option_choice(p, "period") != 0))
        return complain(p, USAGE, "or count its periods yourself: --summary FILE",
                        "of the store a period of %s is a day: only --period-days 1",
                        title);
    return DONE;
}

static int predict_options(program *p, prediction *q)
{
    cj_clv_predict_options *o = &q->o;
    double rate = 0, margin = 0;
    int64_t threads = 1;
    int code = predict_period(p, q);

    if (code == DONE)
        code = option_real(p, "horizon", 0, 36525, &o->until_days);
    if (code == DONE)
        code = option_real(p, "from-day", 0, 36525, &o->from_days);
    if (code == DONE)
        code = option_real(p, "rate", 0, 1000, &rate);
    if (code == DONE)
        code = option_real(p, "margin", 0, 100, &margin);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    o->struct_size = sizeof *o;
    o->discount_ratio = rate / 100;
    o->margin_ratio = margin / 100;
    o->threads = (int32_t)threads;
    o->progress = progress;
    o->progress_user = p;
    o->columns = CJ_CLV_P_ALIVE | CJ_CLV_EXPECTED;
    if (q->spend != NULL)
        o->columns |= CJ_CLV_SPEND | CJ_CLV_VALUE;
    if (option_given(p, "intervals"))
        o->columns |= CJ_CLV_INTERVALS | CJ_CLV_QUANTILES;
    if (option_given(p, "next"))
        o->columns |= CJ_CLV_NEXT;
    if (option_given(p, "residual"))
        o->columns |= CJ_CLV_RESIDUAL;
    if (option_given(p, "all"))
        o->columns = CJ_CLV_ALL;
    return code;
}

/* ---- rows chosen: --top -----------------------------------------------------------
 */

typedef struct ranked {
    int64_t row;
    double value;
} ranked;

static int predict_compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* All rows in order, or the best first; to free. */
static int64_t *predict_rows(program *p, const prediction *q, int64_t *n)
{
    int64_t *rows = memory(NULL, ((size_t)*n + 1) * sizeof *rows), by;
    ranked *list;
    int64_t top = *n;

    for (int64_t i = 0; i < *n; i++)
        rows[i] = i;
    if (!option_given(p, "top"))
        return rows;
    by = table_column(q->table, "clv");
    if (by < 0)
        by = table_column(q->table, "expected_purchases");
    option_int64(p, "top", 1, INT64_MAX, &top);
    list = memory(NULL, ((size_t)*n + 1) * sizeof *list);
    for (int64_t i = 0; i < *n; i++) {
        list[i].row = i;
        list[i].value = table_double(q->table, by, i);
    }
    qsort(list, (size_t)*n, sizeof *list, predict_compare);
    *n = *n < top ? *n : top;
    for (int64_t i = 0; i < *n; i++)
        rows[i] = list[i].row;
    free(list);
    return rows;
}

/* ---- the rows ---------------------------------------------------------------------
 */

static void predict_who_columns(program *p, const prediction *q, grid *g)
{
    const char *kind = option_text(p, "identifier");

    if (q->c.table == NULL) {
        grid_column_add(g, "row", "row", CELL_ID);
    } else {
        grid_column_add(g, "profile", "profile", CELL_ID);
        grid_column_add(g, kind == NULL ? "user_id" : kind,
                        kind == NULL ? "user_id" : kind, CELL_TEXT);
    }
    grid_column_add(g, "x", "x", CELL_COUNT);
    if (q->c.data.t != NULL)
        grid_column_add(g, "t_days", "t days", CELL_REAL);
}

static void predict_who(const prediction *q, grid *g, int64_t row)
{
    size_t n;
    const char *text;

    if (q->c.table == NULL) {
        grid_number(g, row + 1);
    } else {
        grid_number(g, table_int64(q->c.table, 0, row));
        text = table_text(q->c.table, 1, row, &n);
        grid_text(g, text, n);
    }
    grid_number(g, q->c.data.x == NULL ? 0 : q->c.data.x[row]);
    if (q->c.data.t != NULL)
        grid_real(g, q->c.data.t[row]);
}

static void predict_print(program *p, const prediction *q)
{
    int64_t n = cj_table_rows(q->table), *rows = predict_rows(p, q, &n);
    grid g = {0};

    predict_who_columns(p, q, &g);
    for (int64_t c = 0; c < cj_table_columns(q->table); c++)
        grid_column_add(&g, cj_table_name(q->table, c), cj_table_name(q->table, c),
                        CELL_REAL);
    for (int64_t i = 0; i < n; i++) {
        predict_who(q, &g, rows[i]);
        for (int64_t c = 0; c < cj_table_columns(q->table); c++) {
            if (table_present(q->table, c, rows[i]))
                grid_real(&g, table_double(q->table, c, rows[i]));
            else
                grid_null(&g);
        }
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
    free(rows);
}

/* What was not learned well is said beside what is foretold by it. */
static void predict_warn(const program *p, const cj_clv *clv)
{
    cj_clv_fit_facts f = {.struct_size = sizeof f};

    if (clv != NULL && cj_clv_facts(clv, &f) == CJ_OK && !f.is_converged)
        note(p, "%s: %s (%s)", f.model, f.text, f.status);
}

int run_clv_predict(program *p)
{
    const char *spend = option_text(p, "spend");
    int64_t top = 0;
    prediction q = {.c = {.table = NULL}};
    int code = option_int64(p, "top", 1, INT64_MAX, &top);

    if (code == DONE)
        code = clv_model_read(p, p->arguments[0], &q.clv);
    if (code == DONE && spend != NULL)
        code = clv_model_read(p, spend, &q.spend);
    if (code == DONE)
        code = predict_options(p, &q);
    if (code == DONE)
        code = customers_read(p, 0, &q.c);
    if (code == DONE) {
        int32_t rc = cj_clv_predict(q.clv, q.spend, &q.c.data, &q.o, &q.table);
        progress_end(p);
        if (rc != CJ_OK)
            code = complain_library(p, rc);
    }
    if (code == DONE) {
        predict_print(p, &q);
        predict_warn(p, q.clv);
        predict_warn(p, q.spend);
    }
    cj_table_free(q.table);
    cj_clv_free(q.clv);
    cj_clv_free(q.spend);
    customers_end(&q.c);
    return code;
}
