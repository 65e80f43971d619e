/* clv validate: learn from the past up to a day, foretell what came since, and say how
 * good that was. */
#include "clv.h"

#include <string.h>

typedef struct check_row {
    const char *measure, *meaning;
    double value;
} check_row;

static void check_print(program *p, const cj_clv_validation *v, double days)
{
    const check_row rows[] = {
        {"customers",          "",                                                   v->n_customers       },
        {"days",               "of the holdout",                                     days                 },
        {"actual_purchases",   "in the holdout",                                     v->actual_purchases  },
        {"expected_purchases", "in the holdout",                                     v->expected_purchases},
        {"bias_ratio",         "expected / actual - 1",                              v->bias_ratio        },
        {"mae",                "purchases a customer is off, in the mean",           v->mae               },
        {"own_pace_mae",       "the same, had each gone on at their own pace",
         v->own_pace_mae                                                                                  },
        {"rmse",               "root of the mean square of it",                      v->rmse              },
        {"msle",               "mean square of the difference of ln(1 + purchases)", v->msle              },
        {"actual_value",       "money in the holdout",                               v->actual_value      },
        {"expected_value",     "money in the holdout",                               v->expected_value    },
        {"gini_actual",        "how unequal customers are",                          v->gini_actual       },
        {"gini_model",         "how much of that the model's order knows",           v->gini_model        },
        {"brier",              "mean square error of P(back)",                       v->brier             },
        {"calibration",        "how far P(back) is off, in the mean",                v->calibration       },
    };
    grid g = {0};

    grid_column_add(&g, "measure", "measure", CELL_TEXT);
    grid_column_add(&g, "value", "value", CELL_REAL);
    grid_column_add(&g, "meaning", "meaning", CELL_TEXT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        grid_text(&g, rows[i].measure, strlen(rows[i].measure));
        grid_real(&g, rows[i].value);
        grid_text(&g, rows[i].meaning, strlen(rows[i].meaning));
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
}

static int check_result(program *p, const cj_clv *clv, const cj_clv *spend,
                        const customers *c)
{
    const cj_clv_holdout holdout = {sizeof holdout, c->holdout_days, c->x_star,
                                    c->spend_star};
    cj_clv_validation facts = {.struct_size = sizeof facts};
    cj_table *bins = NULL;
    int32_t rc = cj_clv_validate(clv, spend, &c->data, &holdout, &facts, &bins);

    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (option_given(p, "bins"))
        return table_print(p, bins);
    cj_table_free(bins);
    check_print(p, &facts, c->holdout_days);
    note(p, "%s", facts.verdict);
    return DONE;
}

int run_clv_validate(program *p)
{
    customers c = {0};
    cj_clv *clv = NULL, *spend = NULL;
    int code = customers_holdout(p, &c);

    if (code == DONE)
        code = clv_fit_model(p, option_text(p, "model"), &c, &clv);
    if (code == DONE && c.data.spend != NULL && c.spend_star != NULL)
        code = clv_fit_model(p, "gammagamma", &c, &spend);
    if (code == DONE)
        code = check_result(p, clv, spend, &c);
    cj_clv_free(clv);
    cj_clv_free(spend);
    customers_end(&c);
    return code;
}
