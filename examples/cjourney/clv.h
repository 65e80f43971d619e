/* What the files of the clv commands share: customers in columns, from the store or
 * from a file, and models by name or from a file.  Private to clv*.c. */
#ifndef CJOURNEY_CLV_H
#define CJOURNEY_CLV_H

#include "program.h"

/* Customers as a model sees them.  Columns are the table's, or the reader's own. */
typedef struct customers {
    cj_clv_data data;
    const int64_t *x_star;    /* holdout: purchases, or NULL */
    const double *spend_star; /* and their value together, or NULL */
    double holdout_days;      /* 0: none */
    cj_table *table;          /* of the store; NULL: from a file */
    double *columns[8];       /* of a file, by the rows of input_columns[] */
    int64_t *integers[2];     /* x, x_star of a file */
} customers;

/* From --summary FILE, or from the store by the options of a summary.
 * A holdout is read when holdout is 1.  DONE, or a code. */
int customers_read(program *p, int holdout, customers *c);
/* The same with a holdout, or it is said how to have one. */
int customers_holdout(program *p, customers *c);
/* Of the store, and every purchase of theirs: a table to free. */
int customers_purchases(program *p, customers *c, cj_table **out);
void customers_end(customers *c);

/* A model: the name of a saved one, or @FILE with its JSON.  DONE, or a code. */
int clv_model_read(program *p, const char *word, cj_clv **out);
/* A model (NULL: bgnbd) learned from customers, by the options of the command. */
int clv_fit_model(program *p, const char *model, const customers *c, cj_clv **out);
double clv_unit_days(const program *p); /* by --time-unit */
/* What cj_clv_models says of a model in this column, into `to`; "" when there is none. */
void clv_model_text(const char *model, const char *column, char to[64]);
/* Does it count whole periods?  Its title is for messages. */
int clv_counts_periods(const char *model, char title[64]);
/* Days of the store are periods of a day to such a model, and no others: DONE, or USAGE
 * with a message. */
int clv_period_check(program *p, const customers *c, const char *model);
/* Nobody knows how many days a period of a fitted one is: the same. */
int clv_days_check(program *p, const cj_clv *clv);
/* The parameters of a fit, or its JSON. */
int clv_print(program *p, const cj_clv *clv);
/* A positive or (min 0) no negative number of an option; 0 when not given. */
int option_real(program *p, const char *name, double min, double max, double *out);

int run_clv_fit(program *p);
int run_clv_predict(program *p);
int run_clv_validate(program *p);
int run_clv_compare(program *p);
int run_clv_models(program *p);
int run_clv_track(program *p);
int run_clv_history(program *p);
int run_clv_refresh(program *p);
int run_clv_cohorts(program *p);
int run_clv_saved(program *p);
int run_clv_show(program *p);
int run_clv_drop(program *p);

#endif
