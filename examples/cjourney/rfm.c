/* The rfm command: scores of every customer, of one class, of the best, or summed up by
 * class for the owner of the shop. */
#include "rfm.h"

#include <stdlib.h>
#include <string.h>

/* "30,90,365", in the unit of the option (money with its point). */
static int rfm_limits(program *p, const char *name, int64_t *values, int64_t *n_out)
{
    const char *text = option_text(p, name);
    int money = name[0] == 'm';

    *n_out = 0;
    while (text != NULL && *text != '\0') {
        char *end = NULL;
        int bad = *n_out == RFM_LIMITS;

        if (!bad && money)
            bad = money_read(p, text, &values[*n_out]) != 0;
        else if (!bad)
            values[*n_out] = strtoll(text, &end, 10);
        if (bad || end == text || (end != NULL && *end != ',' && *end != '\0') ||
            (*n_out > 0 && values[*n_out] <= values[*n_out - 1]))
            return complain(p, USAGE, "for example 30,90,365",
                            "--%s must be up to %d ascending numbers", name,
                            RFM_LIMITS);
        (*n_out)++;
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return DONE;
}

int rfm_question_read(program *p, rfm_question *q)
{
    int64_t bins = 0, threads = 1;
    cj_rfm_options *o = &q->o;
    int code = option_time(p, "as-of", &o->as_of_ms);

    if (code == DONE)
        code = option_time(p, "from", &o->from_ms);
    if (code == DONE)
        code = option_int64(p, "bins", 2, 10, &bins);
    if (code == DONE)
        code = option_int64(p, "threads", 1, 64, &threads);
    if (code == DONE)
        code = rfm_limits(p, "r-limits", q->limits[0], &o->n_r_limits);
    if (code == DONE)
        code = rfm_limits(p, "f-limits", q->limits[1], &o->n_f_limits);
    if (code == DONE)
        code = rfm_limits(p, "m-limits", q->limits[2], &o->n_m_limits);
    o->r_limits = o->n_r_limits > 0 ? q->limits[0] : NULL;
    o->f_limits = o->n_f_limits > 0 ? q->limits[1] : NULL;
    o->m_limits = o->n_m_limits > 0 ? q->limits[2] : NULL;
    o->struct_size = sizeof *o;
    o->recency = option_choice(p, "recency");
    o->frequency = option_choice(p, "frequency");
    o->monetary = option_choice(p, "monetary");
    o->monetary_of = option_choice(p, "of");
    o->n_bins = (int32_t)bins;
    o->threads = (int32_t)threads;
    o->identifier = option_text(p, "identifier");
    if (o->identifier == NULL)
        o->identifier = "user_id";
    o->include_guests = option_given(p, "guests");
    o->progress = progress;
    o->progress_user = p;
    return code;
}

/* ---- rows chosen: --class, --top ------------------------------------------------- */

static int rfm_in_class(const cj_table *t, int64_t row, const char *name)
{
    size_t n;
    const char *text = table_text(t, table_column(t, "class"), row, &n);

    return text != NULL && n == strlen(name) && strncasecmp(text, name, n) == 0;
}

typedef struct ranked {
    int64_t row, minor;
} ranked;

static int rfm_compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->minor != y->minor)
        return x->minor < y->minor ? 1 : -1;
    return x->row < y->row ? -1 : x->row > y->row; /* profile order */
}

static int rfm_class_known(program *p, const char *name)
{
    cj_table *t = NULL;
    char all[300] = "classes:";
    int found = 0;

    if (cj_rfm_classes(&t) != CJ_OK)
        return DONE;
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        size_t n, at = strlen(all);
        const char *class_name = table_text(t, 0, i, &n);

        found |= rfm_in_class(t, i, name);
        snprintf(all + at, sizeof all - at, "%s%.*s", i == 0 ? " " : ", ", (int)n,
                 class_name);
    }
    cj_table_free(t);
    return found ? DONE : complain(p, USAGE, all, "there is no class \"%.40s\"", name);
}

static int rfm_rows(program *p, const cj_table *t)
{
    const char *name = option_text(p, "class");
    int64_t top = cj_table_rows(t), n = 0, minor = table_column(t, "monetary_minor");
    ranked *list = memory(NULL, ((size_t)top + 1) * sizeof *list);
    int64_t *rows = memory(NULL, ((size_t)top + 1) * sizeof *rows);
    grid g = {0};

    for (int64_t i = 0; i < cj_table_rows(t); i++)
        if (name == NULL || rfm_in_class(t, i, name)) {
            list[n].row = i;
            list[n++].minor = table_int64(t, minor, i);
        }
    if (option_given(p, "top")) {
        option_int64(p, "top", 1, INT64_MAX, &top);
        qsort(list, (size_t)n, sizeof *list, rfm_compare);
        n = n < top ? n : top;
    }
    for (int64_t i = 0; i < n; i++)
        rows[i] = list[i].row;
    grid_take(&g, t, rows, n);
    grid_print(p, &g, stdout);
    grid_end(&g);
    free(rows);
    free(list);
    return n > 0 ? DONE : complain(p, NOTHING, NULL, "no customer is in this class");
}

/* ---- --summary ------------------------------------------------------------------- */

typedef struct class_sum {
    const char *name;
    size_t n_name;
    int64_t n_customers, n_orders, minor, recency;
} class_sum;

/* 10,000 times part / whole; the whole is positive. */
static int64_t rfm_share(int64_t part, int64_t whole)
{
    return whole <= 0 ? 0 : (int64_t)((double)part / (double)whole * 10000.0 + 0.5);
}

static void rfm_summary_row(grid *g, const class_sum *c, const class_sum *all)
{
    grid_text(g, c->name, c->n_name);
    grid_number(g, c->n_customers);
    grid_number(g, rfm_share(c->n_customers, all->n_customers));
    grid_number(g, c->n_orders);
    grid_number(g, c->minor);
    grid_number(g, rfm_share(c->minor, all->minor));
    if (c->n_customers > 0) {
        grid_number(g, c->minor / c->n_customers);
        grid_number(g, c->recency / c->n_customers);
    } else {
        grid_null(g);
        grid_null(g);
    }
}

static void rfm_summary_columns(program *p, grid *g)
{
    char revenue[32];
    int hours = option_choice(p, "recency") == CJ_RFM_HOURS;

    currency_learn(p);
    snprintf(revenue, sizeof revenue, "revenue %s", p->currency);
    grid_column_add(g, "class", "class", CELL_TEXT);
    grid_column_add(g, "customers", "customers", CELL_COUNT);
    grid_column_add(g, "customers_ratio", "share", CELL_SHARE);
    grid_column_add(g, "orders", "", CELL_COUNT);
    grid_column_add(g, "revenue_minor", revenue, CELL_MONEY);
    grid_column_add(g, "revenue_ratio", "share", CELL_SHARE);
    grid_column_add(g, "revenue_mean_minor", "each", CELL_MONEY);
    grid_column_add(g, hours ? "recency_hours_mean" : "recency_days_mean",
                    hours ? "hours ago" : "days ago", CELL_COUNT);
}

static int rfm_summary(program *p, const cj_table *t)
{
    enum { CLASSES = 64 };
    class_sum sums[CLASSES + 1] = {{0}}, all = {.name = "all", .n_name = 3};
    cj_table *classes = NULL;
    int64_t n = 0, of_class = table_column(t, "class"),
            hours = table_column(t, "recency_hours"),
            recency = hours >= 0 ? hours : table_column(t, "recency_days");
    int32_t rc = cj_rfm_classes(&classes);
    grid g = {0};

    if (rc != CJ_OK)
        return complain_library(p, rc);
    for (; n < cj_table_rows(classes) && n < CLASSES; n++)
        sums[n].name = table_text(classes, 0, n, &sums[n].n_name);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t length;
        const char *name = table_text(t, of_class, row, &length);
        int64_t c = 0;

        while (c < n && (name == NULL || sums[c].n_name != length ||
                         memcmp(sums[c].name, name, length) != 0))
            c++;
        sums[c].n_customers++;
        sums[c].n_orders += table_int64(t, table_column(t, "frequency"), row);
        sums[c].minor += table_int64(t, table_column(t, "monetary_minor"), row);
        sums[c].recency += table_int64(t, recency, row);
    }
    for (int64_t c = 0; c <= n; c++) {
        all.n_customers += sums[c].n_customers;
        all.n_orders += sums[c].n_orders;
        all.minor += sums[c].minor;
        all.recency += sums[c].recency;
    }
    rfm_summary_columns(p, &g);
    for (int64_t c = 0; c < n; c++)
        rfm_summary_row(&g, &sums[c], &all);
    if (p->format == AS_TABLE)
        rfm_summary_row(&g, &all, &all);
    grid_print(p, &g, stdout);
    grid_end(&g);
    cj_table_free(classes);
    return DONE;
}

/* ---- --classes ------------------------------------------------------------------- */

/* The scores a class takes, "4-5"; 0 is open. */
static void rfm_range(grid *g, const cj_table *t, int64_t row, const char *min,
                      const char *max)
{
    int64_t least = table_int64(t, table_column(t, min), row);
    int64_t most = table_int64(t, table_column(t, max), row);
    char text[64];

    if (least == 0 && most == 0)
        snprintf(text, sizeof text, "any");
    else if (least == most)
        snprintf(text, sizeof text, "%lld", (long long)least);
    else
        snprintf(text, sizeof text, "%lld-%lld", (long long)least, (long long)most);
    grid_text(g, text, strlen(text));
}

static int rfm_classes(program *p)
{
    cj_table *t = NULL;
    grid g = {0};
    int32_t rc = cj_rfm_classes(&t);

    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (p->format != AS_TABLE)
        return table_print(p, t);
    grid_column_add(&g, "class", "class", CELL_TEXT);
    grid_column_add(&g, "r", "r", CELL_TEXT);
    grid_column_add(&g, "f", "f", CELL_TEXT);
    grid_column_add(&g, "m", "m", CELL_TEXT);
    grid_column_add(&g, "meaning", "meaning: what to do", CELL_TEXT);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t n;
        const char *text = table_text(t, 0, row, &n);

        grid_text(&g, text, n);
        rfm_range(&g, t, row, "r_min", "r_max");
        rfm_range(&g, t, row, "f_min", "f_max");
        rfm_range(&g, t, row, "m_min", "m_max");
        text = table_text(t, table_column(t, "meaning"), row, &n);
        grid_text(&g, text, n);
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
    cj_table_free(t);
    note(p, "\nr, f, m: scores, 1 to 5; the first class that fits wins");
    return DONE;
}

/* ---- the command ----------------------------------------------------------------- */

int run_rfm(program *p)
{
    rfm_question q = {.o = {0}};
    cj_table *t = NULL;
    int64_t top = 0;
    int code;
    int32_t rc;

    if (option_given(p, "classes"))
        return rfm_classes(p);
    code = rfm_question_read(p, &q);
    if (code == DONE)
        code = option_int64(p, "top", 1, INT64_MAX, &top);
    if (code == DONE && option_given(p, "class"))
        code = rfm_class_known(p, option_text(p, "class"));
    if (code != DONE)
        return code;
    rc = cj_rfm(p->db, &q.o, &t);
    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (cj_table_rows(t) == 0)
        code = complain(p, NOTHING,
                        "orders are events named \"order\" with a positive value",
                        "no customer has an order in this time");
    else if (option_given(p, "summary"))
        code = rfm_summary(p, t);
    else if (option_given(p, "class") || option_given(p, "top"))
        code = rfm_rows(p, t);
    else
        return table_print(p, t);
    cj_table_free(t);
    return code;
}
