/* Customers for the value models: the summary of the store, or a CSV file of summaries
 * that needs no store.  Columns of a file are known by their names, in any order;
 * others are passed over. */
#include "clv.h"

#include <stdlib.h>
#include <string.h>

enum { X, TX, T, SPEND, WEIGHT, LITT, X_STAR, SPEND_STAR, COLUMNS };

static const char *const input_names[COLUMNS][3] = {
    {"x",          "frequency", NULL},
    {"tx_days",    "tx",        NULL},
    {"T_days",     "t_days",    "T" },
    {"zbar",       "spend",     NULL},
    {"weight",     NULL,        NULL},
    {"litt",       NULL,        NULL},
    {"x_star",     NULL,        NULL},
    {"spend_star", NULL,        NULL},
};

/* ---- a file ---------------------------------------------------------------------- */

typedef struct input {
    program *p;
    customers *c;
    const char *file;
    int64_t line;
    int kind_of[64]; /* of the file's columns; -1: passed over */
    int n_columns;
    int64_t capacity;
} input;

static int input_kind(const char *name)
{
    for (int kind = 0; kind < COLUMNS; kind++)
        for (int i = 0; i < 3 && input_names[kind][i] != NULL; i++)
            if (strcmp(input_names[kind][i], name) == 0)
                return kind;
    return -1;
}

static int input_header(input *in, char *line)
{
    int seen[COLUMNS] = {0};

    for (char *at = line; at != NULL;) {
        const char *name = csv_field(&at);
        const int kind = input_kind(name);

        if (in->n_columns == (int)(sizeof in->kind_of / sizeof in->kind_of[0]))
            return complain(in->p, FAILED, NULL, "%.200s: more than 64 columns",
                            in->file);
        if (kind >= 0 && seen[kind]++ > 0)
            return complain(in->p, FAILED, NULL, "%.200s: column %s stands twice",
                            in->file, name);
        in->kind_of[in->n_columns++] = kind;
    }
    if (seen[X] == 0 && seen[T] == 0)
        return complain(in->p, FAILED,
                        "the first line names them: x,tx_days,T_days[,zbar,weight]",
                        "%.200s: there is no column x and none T_days", in->file);
    for (int kind = 0; kind < COLUMNS; kind++)
        if (seen[kind])
            in->c->columns[kind] = memory(NULL, sizeof(double));
    return DONE;
}

static void input_grow(input *in)
{
    if (in->c->data.n < in->capacity)
        return;
    in->capacity = in->capacity == 0 ? 1024 : 2 * in->capacity;
    for (int kind = 0; kind < COLUMNS; kind++)
        if (in->c->columns[kind] != NULL)
            in->c->columns[kind] =
                memory(in->c->columns[kind], (size_t)in->capacity * sizeof(double));
}

static int input_row(input *in, char *line)
{
    input_grow(in);
    for (int column = 0; column < in->n_columns; column++) {
        const int kind = in->kind_of[column];
        const char *field;
        char *end = NULL;

        if (line == NULL)
            return complain(in->p, FAILED, NULL, "%.200s:%lld: %d of %d columns",
                            in->file, (long long)in->line, column, in->n_columns);
        field = csv_field(&line);
        if (kind < 0)
            continue;
        in->c->columns[kind][in->c->data.n] = strtod(field, &end);
        if (*field == '\0' || *end != '\0')
            return complain(in->p, FAILED, NULL,
                            "%.200s:%lld: %s is not a number: \"%.40s\"", in->file,
                            (long long)in->line, input_names[kind][0], field);
    }
    in->c->data.n++;
    return DONE;
}

static int input_lines(input *in, char *text)
{
    char *line;
    int code = DONE;

    while (code == DONE && (line = csv_line(&text)) != NULL) {
        if (++in->line == 1)
            code = input_header(in, line);
        else if (line[strspn(line, " ")] != '\0')
            code = input_row(in, line);
    }
    return code;
}

/* Counts as the library takes them. */
static int input_integers(input *in, int kind, int64_t **out)
{
    const double *from = in->c->columns[kind];

    if (from == NULL)
        return DONE;
    *out = memory(NULL, ((size_t)in->c->data.n + 1) * sizeof **out);
    for (int64_t i = 0; i < in->c->data.n; i++) {
        if (!(from[i] >= 0 && from[i] < 9e15) || from[i] != (double)(int64_t)from[i])
            return complain(in->p, FAILED, NULL,
                            "%.200s: customer %lld: %s is no whole number", in->file,
                            (long long)i + 1, input_names[kind][0]);
        (*out)[i] = (int64_t)from[i];
    }
    return DONE;
}

static int input_columns(input *in)
{
    customers *c = in->c;
    int code = input_integers(in, X, &c->integers[0]);

    if (code == DONE)
        code = input_integers(in, X_STAR, &c->integers[1]);
    c->data.x = c->integers[0];
    c->data.tx = c->columns[TX];
    c->data.t = c->columns[T];
    c->data.spend = c->columns[SPEND];
    c->data.weight = c->columns[WEIGHT];
    c->data.litt = c->columns[LITT];
    c->x_star = c->integers[1];
    c->spend_star = c->columns[SPEND_STAR];
    return code;
}

static int customers_file(program *p, const char *file, customers *c)
{
    input in = {.p = p, .c = c, .file = file};
    size_t n;
    char *text;
    int code = file_text(p, file, &text, &n);

    if (code != DONE)
        return code;
    code = input_lines(&in, text);
    if (code == DONE && c->data.n == 0)
        code = complain(p, NOTHING, NULL, "%.200s has no customers", file);
    if (code == DONE)
        code = input_columns(&in);
    free(text);
    if (code == DONE)
        code = option_real(p, "holdout-days", 0, 1e6, &c->holdout_days);
    return code;
}

/* ---- the store ------------------------------------------------------------------- */

static int customers_question(program *p, int holdout, cj_clv_summary_options *o)
{
    int64_t threads = 1;
    int code = option_time(p, "as-of", &o->as_of_ms);

    if (code == DONE)
        code = option_time(p, "from", &o->from_ms);
    if (code == DONE)
        code = option_time(p, "acquired-until", &o->first_until_ms);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    if (code == DONE && holdout) {
        int64_t begin_ms = 0;

        code = option_time(p, "holdout", &begin_ms);
        o->holdout_end_ms = o->as_of_ms == 0 ? time_now_ms() : o->as_of_ms;
        o->as_of_ms = begin_ms;
    }
    o->struct_size = sizeof *o;
    o->period = option_choice(p, "period");
    o->refunds = option_choice(p, "refunds");
    o->segment = option_text(p, "segment");
    o->identifier = option_text(p, "identifier");
    if (o->identifier == NULL)
        o->identifier = "user_id";
    o->include_guests = option_given(p, "guests");
    o->threads = (int32_t)threads;
    o->progress = progress;
    o->progress_user = p;
    return code;
}

static const double *customers_column(const customers *c, const char *name)
{
    const int64_t column = table_column(c->table, name);

    return column < 0 ? NULL : cj_table_double(c->table, column);
}

static int customers_ask(program *p, const cj_clv_summary_options *o, customers *c)
{
    const int32_t rc = cj_clv_summary(p->db, o, &c->table);

    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    c->data.n = cj_table_rows(c->table);
    if (c->data.n == 0)
        return complain(p, NOTHING,
                        "orders are events named \"order\" with a positive value",
                        "no customer has an order in this time");
    c->data.x = cj_table_int64(c->table, table_column(c->table, "x"));
    c->data.tx = customers_column(c, "tx_days");
    c->data.t = customers_column(c, "t_days");
    c->data.spend = customers_column(c, "spend");
    c->data.litt = customers_column(c, "litt");
    if (o->holdout_end_ms != 0) {
        c->x_star = cj_table_int64(c->table, table_column(c->table, "x_star"));
        c->spend_star = customers_column(c, "spend_star");
        c->holdout_days =
            table_double(c->table, table_column(c->table, "holdout_days"), 0);
    }
    return DONE;
}

int customers_read(program *p, int holdout, customers *c)
{
    const char *file = option_text(p, "summary");
    cj_clv_summary_options o = {0};
    int code;

    memset(c, 0, sizeof *c);
    c->data.struct_size = sizeof c->data;
    if (file != NULL)
        return customers_file(p, file, c);
    code = customers_question(p, holdout, &o);
    return code == DONE ? customers_ask(p, &o, c) : code;
}

int customers_purchases(program *p, customers *c, cj_table **out)
{
    cj_clv_summary_options o = {0};
    int code = customers_question(p, 0, &o);
    int32_t rc;

    *out = NULL;
    memset(c, 0, sizeof *c);
    c->data.struct_size = sizeof c->data;
    if (o.as_of_ms == 0)
        o.as_of_ms = time_now_ms() + 1; /* the same of both questions */
    if (code == DONE)
        code = customers_ask(p, &o, c);
    if (code != DONE)
        return code;
    rc = cj_clv_purchases(p->db, &o, out);
    progress_end(p);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}

int customers_holdout(program *p, customers *c)
{
    int code;

    memset(c, 0, sizeof *c);
    if (option_text(p, "summary") == NULL && !option_given(p, "holdout"))
        return complain(p, USAGE, "for example --holdout 2025-07-01",
                        "where does learning end?");
    code = customers_read(p, 1, c);
    if (code == DONE && (c->x_star == NULL || c->holdout_days <= 0))
        code = complain(p, USAGE, "it needs a column x_star, and --holdout-days DAYS",
                        "the file does not say what came later");
    return code;
}

void customers_end(customers *c)
{
    cj_table_free(c->table);
    for (size_t i = 0; i < sizeof c->columns / sizeof c->columns[0]; i++)
        free(c->columns[i]);
    free(c->integers[0]);
    free(c->integers[1]);
}

int option_real(program *p, const char *name, double min, double max, double *out)
{
    const char *text = option_text(p, name);
    char *end;

    *out = 0;
    if (text == NULL)
        return DONE;
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || !(*out >= min && *out <= max))
        return complain(p, USAGE, NULL, "--%s must be a number from %g to %g", name,
                        min, max);
    return DONE;
}
