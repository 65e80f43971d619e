/* clv refresh and cohorts: scores where segments read them, and what customers won in
 * one month or by one campaign were worth against what they cost. */
#include "clv.h"

#include <stdlib.h>
#include <string.h>

int run_clv_refresh(program *p)
{
    cj_clv_refresh_options o = {.struct_size = sizeof o, .model = p->arguments[0]};
    cj_clv_refresh_result r = {.struct_size = sizeof r};
    int64_t months = 12, threads = 1;
    double rate = 0;
    grid g = {0};
    int code = option_time(p, "as-of", &o.as_of_ms);
    int32_t rc;

    if (code == DONE)
        code = option_int64(p, "months", 1, 120, &months);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    if (code == DONE)
        code = option_real(p, "rate", 0, 1000, &rate);
    if (code != DONE)
        return code;
    o.spend = option_text(p, "spend");
    o.discount_ratio = rate / 100;
    o.months = (int32_t)months;
    o.period = option_choice(p, "period");
    o.refunds = option_choice(p, "refunds");
    o.include_guests = option_given(p, "guests");
    o.everybody = option_given(p, "everybody");
    o.threads = (int32_t)threads;
    o.progress = progress;
    o.progress_user = p;
    rc = cj_clv_refresh(p->db, &o, &r);
    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    grid_column_add(&g, "scored", "scored", CELL_COUNT);
    grid_column_add(&g, "forgotten", "forgotten", CELL_COUNT);
    grid_number(&g, r.n_scored);
    grid_number(&g, r.n_forgotten);
    write_result(p, &g);
    if (o.spend == NULL)
        note(p, "segments read them: p_alive < 0.5, expected_%dm > 2", (int)months);
    else
        note(p, "segments read them: p_alive < 0.5, expected_%dm > 2, clv_%dm > 200",
             (int)months, (int)months);
    return DONE;
}

static int cohorts_by(program *p, int32_t *by)
{
    static const struct {
        const char *name;
        int32_t flag;
    } names[] = {
        {"month",    CJ_COHORT_MONTH   },
        {"channel",  CJ_COHORT_CHANNEL },
        {"campaign", CJ_COHORT_CAMPAIGN}
    };
    const char *text = option_text(p, "by");

    *by = 0;
    while (text != NULL && *text != '\0') {
        const size_t n = strcspn(text, ",");
        size_t i = 0;

        while (i < 3 &&
               (strlen(names[i].name) != n || memcmp(names[i].name, text, n) != 0))
            i++;
        if (i == 3)
            return complain(p, USAGE, "for example --by month,channel",
                            "--by is of month, channel, campaign");
        *by |= names[i].flag;
        text += n + (text[n] == ',');
    }
    return DONE;
}

int run_clv_cohorts(program *p)
{
    cj_value_cohorts_options o = {.struct_size = sizeof o};
    int64_t threads = 1;
    double margin = 0;
    cj_table *t = NULL;
    int code = option_time(p, "as-of", &o.as_of_ms);
    int32_t rc;

    if (code == DONE)
        code = cohorts_by(p, &o.by);
    if (code == DONE)
        code = option_real(p, "margin", 0, 100, &margin);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    if (code != DONE)
        return code;
    o.margin_ratio = margin / 100;
    o.segment = option_text(p, "segment");
    o.include_guests = option_given(p, "guests");
    o.threads = (int32_t)threads;
    o.progress = progress;
    o.progress_user = p;
    rc = cj_value_cohorts(p->db, &o, NULL, &t);
    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (cj_table_rows(t) > 0)
        return table_print(p, t);
    cj_table_free(t);
    return complain(p, NOTHING, NULL, "no customer has an order in this time");
}
