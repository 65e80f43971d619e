/* clv compare: fit several models to the same customers, and put the one that foretells
 * best first. */
#include "clv.h"

#include <string.h>

/* People get what tells models apart; the rest is for programs. */
static int compare_print(program *p, cj_table *t, int holdout)
{
    static const char *const texts[] = {"model", "status"}, *const reals[] = {
                                                                "mae", "bias_ratio",
                                                                "gini_ratio",
                                                                "calibration", "bic"};
    const int first = holdout ? 0 : 4;
    grid g = {0};

    if (p->format != AS_TABLE)
        return table_print(p, t);
    for (size_t i = 0; i < 2; i++)
        grid_column_add(&g, texts[i], texts[i], CELL_TEXT);
    for (int i = first; i < 5; i++)
        grid_column_add(&g, reals[i], reals[i],
                        strstr(reals[i], "ratio") != NULL ? CELL_RATIO : CELL_REAL);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        for (size_t i = 0; i < 2; i++) {
            size_t n;
            const char *text = table_text(t, table_column(t, texts[i]), row, &n);

            grid_text(&g, text, n);
        }
        for (int i = first; i < 5; i++) {
            const int64_t column = table_column(t, reals[i]);

            if (table_present(t, column, row))
                grid_real(&g, table_double(t, column, row));
            else
                grid_null(&g);
        }
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
    cj_table_free(t);
    return DONE;
}

int run_clv_compare(program *p)
{
    const int from_file = option_text(p, "summary") != NULL;
    const int holdout = from_file || option_given(p, "holdout");
    cj_clv_compare_options o = {.struct_size = sizeof o, .models = p->arguments};
    cj_clv_holdout later = {.struct_size = sizeof later};
    customers c = {.holdout_days = 0};
    int64_t threads = 1;
    cj_table *t = NULL;
    int code = option_int64(p, "threads", 1, 64, &threads);

    if (code == DONE)
        code = customers_read(p, holdout, &c);
    for (size_t i = 0; code == DONE && i < p->n_arguments; i++)
        code = clv_period_check(p, &c, p->arguments[i]);
    later.days = c.holdout_days;
    later.x = c.x_star;
    later.spend = c.spend_star;
    if (holdout && c.x_star != NULL && c.holdout_days > 0)
        o.holdout = &later;
    o.n_models = (int64_t)p->n_arguments;
    if (o.n_models == 0)
        o.models = NULL;
    o.criterion = option_text(p, "by");
    o.unit_days = clv_unit_days(p);
    o.threads = (int32_t)threads;
    o.progress = progress;
    o.progress_user = p;
    if (code == DONE) {
        int32_t rc = cj_clv_compare(&c.data, &o, &t);

        progress_end(p);
        code = rc == CJ_OK ? compare_print(p, t, o.holdout != NULL)
                           : complain_library(p, rc);
    }
    customers_end(&c);
    return code;
}
