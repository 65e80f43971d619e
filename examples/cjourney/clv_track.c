/* clv track and clv history: a model beside what happened, by period for all customers,
 * day by day for one. */
#include "clv.h"

#include <stdlib.h>

typedef struct tracked {
    customers c;
    cj_clv *clv;
    cj_table *bought; /* every purchase */
    const int64_t *profile;
    int64_t n;
} tracked;

static int tracked_begin(program *p, tracked *t)
{
    int code = clv_model_read(p, p->arguments[0], &t->clv);

    if (code == DONE)
        code = clv_days_check(p, t->clv);
    if (code == DONE)
        code = customers_purchases(p, &t->c, &t->bought);
    if (code != DONE)
        return code;
    t->n = cj_table_rows(t->bought);
    t->profile = cj_table_int64(t->bought, table_column(t->bought, "profile"));
    return DONE;
}

static void tracked_end(tracked *t)
{
    cj_table_free(t->bought);
    cj_clv_free(t->clv);
    customers_end(&t->c);
}

static const double *tracked_column(const tracked *t, const char *name)
{
    return cj_table_double(t->bought, table_column(t->bought, name));
}

/* ---- track ----------------------------------------------------------------------- */

/* Days of all but the first purchases; to free. */
static double *track_days(const tracked *t, int64_t *n_out)
{
    const double *since = tracked_column(t, "since_days");
    double *days = memory(NULL, ((size_t)t->n + 1) * sizeof *days);
    int64_t n = 0;

    for (int64_t i = 1; i < t->n; i++)
        if (t->profile[i] == t->profile[i - 1])
            days[n++] = since[i];
    *n_out = n;
    return days;
}

static int track_options(program *p, const tracked *t, cj_clv_track_options *o)
{
    int64_t threads = 1, ahead = 0;
    int code = option_real(p, "period-days", 1e-3, 36525, &o->period_days);

    if (code == DONE)
        code = option_int64(p, "periods", 1, 100000, &o->n_periods);
    if (code == DONE)
        code = option_int64(p, "ahead", 0, 10000, &ahead);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    o->struct_size = sizeof *o;
    o->threads = (int32_t)threads;
    if (o->period_days == 0)
        o->period_days = 7;
    for (int64_t i = 0; i < t->c.data.n; i++)
        if (t->c.data.t[i] > o->start_days)
            o->start_days = t->c.data.t[i];
    if (o->n_periods == 0) {
        const double n = o->start_days / o->period_days;

        o->n_periods = (int64_t)n + (n > (double)(int64_t)n);
        if (o->n_periods == 0)
            o->n_periods = 1;
    }
    o->n_periods += ahead;
    return code;
}

/* What was up to the last period that is over, in a line. */
static void track_note(program *p, const tracked *t, const cj_table *rows,
                       const cj_clv_track_options *o)
{
    const int64_t *time_ms =
        cj_table_int64(t->bought, table_column(t->bought, "time_ms"));
    int64_t first_ms = INT64_MAX, row = (int64_t)(o->start_days / o->period_days);
    char day[20];

    for (int64_t i = 0; i < t->n; i++)
        first_ms = time_ms[i] < first_ms ? time_ms[i] : first_ms;
    time_local(p, first_ms, day);
    row = (row < o->n_periods ? row : o->n_periods) - 1;
    if (row < 0)
        note(p, "day 0 is %.10s; no period is over", day);
    else
        note(p, "day 0 is %.10s; until day %g: %lld repeat purchases, %.0f expected",
             day, table_double(rows, table_column(rows, "until_days"), row),
             (long long)table_int64(rows, table_column(rows, "actual_cumulative"), row),
             table_double(rows, table_column(rows, "expected_cumulative"), row));
}

static void track_print(program *p, const cj_table *rows, const cj_clv_track_options *o)
{
    static const struct {
        const char *name, *title;
        cell_kind kind;
    } columns[] = {
        {"period",              "period",              CELL_ID   },
        {"until_days",          "until day",           CELL_REAL },
        {"actual",              "actual",              CELL_COUNT},
        {"expected",            "expected",            CELL_REAL },
        {"actual_cumulative",   "actual cumulative",   CELL_COUNT},
        {"expected_cumulative", "expected cumulative", CELL_REAL },
    };
    grid g = {0};

    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        grid_column_add(&g, columns[c].name, columns[c].title, columns[c].kind);
    for (int64_t row = 0; row < cj_table_rows(rows); row++) {
        const int is_ahead = row > 0 && (double)row * o->period_days >= o->start_days;

        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
            const int64_t column = table_column(rows, columns[c].name);

            if (is_ahead && columns[c].kind == CELL_COUNT)
                grid_null(&g); /* nobody knows yet */
            else if (columns[c].kind == CELL_REAL)
                grid_real(&g, table_double(rows, column, row));
            else
                grid_number(&g, table_int64(rows, column, row));
        }
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
}

int run_clv_track(program *p)
{
    cj_clv_track_options o = {0};
    tracked t = {.n = 0};
    cj_table *rows = NULL;
    double *days = NULL;
    int code = tracked_begin(p, &t);

    if (code == DONE)
        code = track_options(p, &t, &o);
    if (code == DONE) {
        int32_t rc;

        o.purchase_days = days = track_days(&t, &o.n_purchases);
        rc = cj_clv_tracking(t.clv, &t.c.data, &o, &rows);
        if (rc != CJ_OK)
            code = complain_library(p, rc);
    }
    if (code == DONE) {
        track_print(p, rows, &o);
        track_note(p, &t, rows, &o);
    }
    cj_table_free(rows);
    free(days);
    tracked_end(&t);
    return code;
}

/* ---- history --------------------------------------------------------------------- */

/* The first of n ascending profiles that is not before one. */
static int64_t history_find(const int64_t *profiles, int64_t n, int64_t profile)
{
    int64_t low = 0;

    while (low < n && profiles[low] < profile)
        low++;
    return low;
}

static int history_print(program *p, const tracked *t, int64_t profile,
                         double step_days)
{
    const int64_t *who = cj_table_int64(t->c.table, 0);
    const int64_t row = history_find(who, t->c.data.n, profile);
    const int64_t first = history_find(t->profile, t->n, profile);
    const double *days = tracked_column(t, "days");
    cj_table *rows;
    int32_t rc;

    if (row == t->c.data.n || who[row] != profile)
        return complain(p, NOTHING, "--guests if only a guest order tells of them",
                        "profile %lld has no order in this time", (long long)profile);
    rc = cj_clv_history(t->clv, days + first + 1, t->c.data.x[row], t->c.data.t[row],
                        step_days, &rows);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    return table_print(p, rows);
}

int run_clv_history(program *p)
{
    tracked t = {.n = 0};
    int64_t profile = 0;
    double step_days = 0;
    int code = option_real(p, "step-days", 1e-3, 36525, &step_days);

    if (code == DONE)
        code = profile_read(p, p->arguments[1], &profile);
    if (code == DONE)
        code = tracked_begin(p, &t);
    if (code == DONE)
        code = history_print(p, &t, profile, step_days);
    tracked_end(&t);
    return code;
}
