/* clv refresh: what each customer is worth as traits, where segments read it, brought
 * up to date by what is new since the last time. */
#include "clv.h"

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
