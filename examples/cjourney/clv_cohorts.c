/* clv cohorts: what customers won in one month or by one campaign have brought, and
 * with models are still to bring, against what it cost to win them.  Costs come from a
 * CSV file whose first line names its columns. */
#include "clv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MONTH, CHANNEL, CAMPAIGN, COST, COLUMNS };

static const struct {
    const char *name;
    int32_t flag;
} cohorts_names[COLUMNS] = {
    {"month",    CJ_COHORT_MONTH   },
    {"channel",  CJ_COHORT_CHANNEL },
    {"campaign", CJ_COHORT_CAMPAIGN},
    {"cost",     0                 },
};

typedef struct question {
    program *p;
    cj_value_cohorts_options o;
    char *text; /* of the file of costs, which point into it */
    cj_cohort_cost *costs;
    double margin;
    customers c;
    cj_clv *clv, *spend;
    cj_table *predicted;
    cj_profile_values values; /* n 0: no models */
} question;

static int cohorts_by(program *p, int32_t *by)
{
    const char *text = option_text(p, "by");

    *by = 0;
    while (text != NULL && *text != '\0') {
        const size_t n = strcspn(text, ",");
        size_t i = 0;

        while (i < COST && (strlen(cohorts_names[i].name) != n ||
                            memcmp(cohorts_names[i].name, text, n) != 0))
            i++;
        if (i == COST)
            return complain(p, USAGE, "for example --by month,channel",
                            "--by is of month, channel, campaign");
        *by |= cohorts_names[i].flag;
        text += n + (text[n] == ',');
    }
    if (*by == 0)
        *by = CJ_COHORT_MONTH;
    return DONE;
}

/* ---- costs -----------------------------------------------------------------------
 */

typedef struct reader {
    question *q;
    const char *file;
    int64_t line, capacity;
    int kind_of[64]; /* of the file's columns; COLUMNS: passed over */
    int n_columns;
} reader;

static int cost_header(reader *r, char *line)
{
    program *p = r->q->p;
    int32_t by = r->q->o.by, has = 0, n_costs = 0;

    for (char *at = line; at != NULL; r->n_columns++) {
        const char *name = csv_field(&at);
        int kind = 0;

        if (r->n_columns == (int)(sizeof r->kind_of / sizeof r->kind_of[0]))
            return complain(p, FAILED, NULL, "%.200s: more than 64 columns", r->file);
        while (kind < COLUMNS && strcmp(cohorts_names[kind].name, name) != 0)
            kind++;
        r->kind_of[r->n_columns] = kind;
        n_costs += kind == COST;
        has |= kind < COST ? cohorts_names[kind].flag : 0;
    }
    for (int kind = MONTH; kind < COST; kind++) {
        const int wanted = (by & cohorts_names[kind].flag) != 0;

        if (wanted != ((has & cohorts_names[kind].flag) != 0))
            return complain(p, USAGE,
                            "for example --by month,channel for the columns "
                            "month,channel,cost",
                            wanted ? "%.200s: cohorts are by %s, costs are not"
                                   : "%.200s: costs are by %s, cohorts are not",
                            r->file, cohorts_names[kind].name);
    }
    if (n_costs != 1)
        return complain(p, FAILED, "the first line names them: month,cost",
                        "%.200s: there is not one column cost", r->file);
    return DONE;
}

static int cost_is_month(const char *text)
{
    static const char like[] = "0000-00";
    int month;

    for (int i = 0; i < 7; i++)
        if (like[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != like[i])
            return 0;
    month = atoi(text + 5);
    return text[7] == '\0' && month >= 1 && month <= 12;
}

static int cost_row(reader *r, char *line)
{
    question *q = r->q;
    cj_cohort_cost cost = {.struct_size = sizeof cost};
    const char **texts[COST] = {&cost.month, &cost.channel, &cost.campaign};
    int n = 0;

    for (char *at = line; at != NULL && n < r->n_columns; n++) {
        const char *field = csv_field(&at);
        const int kind = r->kind_of[n];

        if (kind == MONTH && !cost_is_month(field))
            return complain(q->p, FAILED, NULL,
                            "%.200s:%lld: no month such as 2025-03: \"%.40s\"", r->file,
                            (long long)r->line, field);
        if (kind == COST &&
            (strchr(field, ',') != NULL || /* 1,200: of which country? */
             money_read(q->p, field, &cost.cost_minor) != 0))
            return complain(q->p, FAILED, NULL,
                            "%.200s:%lld: no amount such as 1200.50: \"%.40s\"",
                            r->file, (long long)r->line, field);
        if (kind < COST && *field != '\0')
            *texts[kind] = field;
    }
    if (n < r->n_columns)
        return complain(q->p, FAILED, NULL, "%.200s:%lld: %d of %d columns", r->file,
                        (long long)r->line, n, r->n_columns);
    if (q->o.n_costs == r->capacity) {
        r->capacity = r->capacity == 0 ? 64 : 2 * r->capacity;
        q->costs = memory(q->costs, (size_t)r->capacity * sizeof *q->costs);
    }
    q->costs[q->o.n_costs++] = cost;
    return DONE;
}

static int cohorts_costs(question *q)
{
    reader r = {.q = q, .file = option_text(q->p, "costs")};
    char *text, *line;
    size_t n;
    int code;

    if (r.file == NULL)
        return DONE;
    code = file_text(q->p, r.file, &q->text, &n);
    text = q->text;
    while (code == DONE && (line = csv_line(&text)) != NULL) {
        if (++r.line == 1)
            code = cost_header(&r, line);
        else if (line[strspn(line, " ")] != '\0')
            code = cost_row(&r, line);
    }
    if (code == DONE && q->o.n_costs == 0)
        code = complain(q->p, NOTHING, NULL, "%.200s has no costs", r.file);
    q->o.costs = q->costs;
    return code;
}

/* ---- what they are still to bring ------------------------------------------------
 */

static int cohorts_predict(question *q, double horizon, double rate)
{
    const cj_clv_predict_options o = {.struct_size = sizeof o,
                                      .columns = CJ_CLV_VALUE,
                                      .until_days = horizon,
                                      .discount_ratio = rate / 100,
                                      .margin_ratio = q->margin / 100,
                                      .threads = q->o.threads,
                                      .progress = progress,
                                      .progress_user = q->p};
    const int32_t rc = cj_clv_predict(q->clv, q->spend, &q->c.data, &o, &q->predicted);

    progress_end(q->p);
    if (rc != CJ_OK)
        return complain_library(q->p, rc);
    q->values = (cj_profile_values){.struct_size = sizeof q->values,
                                    .n = q->c.data.n,
                                    .profiles = cj_table_int64(q->c.table, 0),
                                    .values = cj_table_double(q->predicted, 0)};
    return DONE;
}

static int cohorts_models(question *q)
{
    program *p = q->p;
    const char *model = option_text(p, "model"), *spend = option_text(p, "spend");
    double horizon = 0, rate = 0;
    int code = option_real(p, "horizon", 0, 36525, &horizon);

    if (code == DONE)
        code = option_real(p, "rate", 0, 1000, &rate);
    if (code != DONE || (model == NULL && spend == NULL))
        return code;
    if (model == NULL || spend == NULL)
        return complain(p, USAGE, "for example --model buying --spend spending",
                        "value is purchases and money: --model and --spend");
    code = clv_model_read(p, model, &q->clv);
    if (code == DONE)
        code = clv_days_check(p, q->clv);
    if (code == DONE)
        code = clv_model_read(p, spend, &q->spend);
    if (code == DONE)
        code = customers_read(p, 0, &q->c);
    return code == DONE ? cohorts_predict(q, horizon, rate) : code;
}

/* ---- the command ----------------------------------------------------------------- */

static int cohorts_options(question *q)
{
    program *p = q->p;
    int64_t threads = 1;
    int code = option_time(p, "as-of", &q->o.as_of_ms);

    if (code == DONE)
        code = cohorts_by(p, &q->o.by);
    if (code == DONE)
        code = option_real(p, "margin", 0, 100, &q->margin);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    q->o.struct_size = sizeof q->o;
    q->o.margin_ratio = q->margin / 100;
    q->o.segment = option_text(p, "segment");
    q->o.include_guests = option_given(p, "guests");
    q->o.threads = (int32_t)threads;
    q->o.progress = progress;
    q->o.progress_user = p;
    return code;
}

static int cohorts_print(question *q)
{
    cj_table *t = NULL;
    const int32_t rc = cj_value_cohorts(
        q->p->db, &q->o, q->values.profiles == NULL ? NULL : &q->values, &t);

    progress_end(q->p);
    if (rc != CJ_OK)
        return complain_library(q->p, rc);
    if (cj_table_rows(t) == 0) {
        cj_table_free(t);
        return complain(q->p, NOTHING, NULL, "no customer has an order in this time");
    }
    if (q->o.n_costs > 0 && q->values.profiles == NULL)
        note(q->p, "clv_cost_ratio is of what they have brought; what is still to come "
                   "needs --model and --spend");
    return table_print(q->p, t);
}

int run_clv_cohorts(program *p)
{
    question q = {.p = p};
    int code = cohorts_options(&q);

    if (code == DONE)
        code = cohorts_costs(&q);
    if (code == DONE)
        code = cohorts_models(&q);
    if (code == DONE)
        code = cohorts_print(&q);
    cj_table_free(q.predicted);
    cj_clv_free(q.clv);
    cj_clv_free(q.spend);
    customers_end(&q.c);
    free(q.costs);
    free(q.text);
    return code;
}
