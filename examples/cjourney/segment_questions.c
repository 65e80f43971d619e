/* The segment commands that ask about segments themselves: explain, why, overlap,
 * sizes, compare.  Programs get the library's tables as they are; people get fewer
 * columns, and the clauses of a segment as an outline. */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

/* ---- cells for people -------------------------------------------------------------
 */

static void questions_count(grid *g, const cj_table *t, const char *name, int64_t row)
{
    const int64_t column = table_column(t, name);

    if (table_present(t, column, row))
        grid_number(g, table_int64(t, column, row));
    else
        grid_null(g);
}

static void questions_text(grid *g, const cj_table *t, const char *name, int64_t row)
{
    size_t n;
    const char *text = table_text(t, table_column(t, name), row, &n);

    if (text == NULL)
        grid_null(g);
    else
        grid_text(g, text, n);
}

static void questions_share(grid *g, const cj_table *t, const char *name, int64_t row)
{
    if (table_present(t, table_column(t, name), row))
        grid_number(
            g, (int64_t)(table_double(t, table_column(t, name), row) * 10000 + 0.5));
    else
        grid_null(g);
}

/* Clauses two letters further in than what they are of; a whole that has clauses needs
 * not be written out above them. */
static void questions_clause(grid *g, const cj_table *t, int64_t row)
{
    const int64_t depth = table_int64(t, table_column(t, "depth"), row);
    const int is_outline = row == 0 && cj_table_rows(t) > 1;
    size_t n;
    const char *text = table_text(t, table_column(t, "clause"), row, &n);
    char *line;

    if (is_outline) {
        grid_text(g, "the whole", 9);
        return;
    }
    line = memory(NULL, n + (size_t)depth * 2 + 1);
    memset(line, ' ', (size_t)depth * 2);
    memcpy(line + depth * 2, text, n);
    grid_text(g, line, n + (size_t)depth * 2);
    free(line);
}

/* ---- asking -----------------------------------------------------------------------
 */

typedef int32_t (*questions_ask)(program *p, const char *source,
                                 const cj_segment_options *o, cj_table **out);
typedef void (*questions_show)(program *p, const cj_table *t, grid *g);

/* What the library answered: for people as `show` lays it out.  Frees the table. */
static int questions_print(program *p, cj_table *t, questions_show show)
{
    grid g = {0};

    if (p->format != AS_TABLE)
        return table_print(p, t);
    show(p, t, &g);
    grid_print(p, &g, stdout);
    grid_end(&g);
    cj_table_free(t);
    return DONE;
}

/* A question about one segment: a name, or an expression in any of its forms. */
static int questions_of(program *p, const char *word, questions_ask ask,
                        questions_show show)
{
    cj_segment_options o;
    cj_table *t = NULL;
    expression e = {0};
    int code = segment_options(p, &o);

    if (code == DONE)
        code = expression_read(p, word, &e);
    if (code == DONE) {
        int32_t rc = ask(p, e.text == NULL ? e.typed : e.text, &o, &t);

        progress_end(p);
        code =
            rc == CJ_OK ? questions_print(p, t, show) : expression_complain(p, rc, &e);
    }
    expression_end(&e);
    return code;
}

/* ---- explain, why -----------------------------------------------------------------
 */

static int32_t explain_ask(program *p, const char *source, const cj_segment_options *o,
                           cj_table **out)
{
    return cj_segment_explain(p->db, source, o, out);
}

static void explain_show(program *p, const cj_table *t, grid *g)
{
    (void)p;
    grid_column_add(g, "clause", "clause", CELL_TEXT);
    grid_column_add(g, "passes_alone", "pass it", CELL_COUNT);
    grid_column_add(g, "share", "share", CELL_SHARE);
    grid_column_add(g, "unknown", "unknown", CELL_COUNT);
    grid_column_add(g, "passes_in_order", "in order", CELL_COUNT);
    grid_column_add(g, "reads", "reads", CELL_TEXT);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        questions_clause(g, t, row);
        questions_count(g, t, "passes_alone", row);
        questions_share(g, t, "share", row);
        questions_count(g, t, "unknown", row);
        questions_count(g, t, "passes_in_order", row);
        questions_text(g, t, "reads", row);
    }
}

int run_segment_explain(program *p)
{
    return questions_of(p, p->arguments[0], explain_ask, explain_show);
}

static int32_t why_ask(program *p, const char *source, const cj_segment_options *o,
                       cj_table **out)
{
    int64_t profile = 0;
    int code = profile_read(p, p->arguments[0], &profile);

    return code == DONE ? cj_segment_why(p->db, profile, source, o, out) : CJ_OK;
}

static void why_show(program *p, const cj_table *t, grid *g)
{
    grid_column_add(g, "clause", "clause", CELL_TEXT);
    grid_column_add(g, "truth", "holds", CELL_TEXT);
    grid_column_add(g, "found", "because", CELL_TEXT);
    segment_until_column(p, g, "until");
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t n;
        const char *truth = table_text(t, table_column(t, "truth"), row, &n);

        questions_clause(g, t, row);
        segment_truth(p, g, truth[0] == 't' ? 1 : truth[0] == 'f' ? 0 : 2);
        questions_text(g, t, "found", row);
        segment_until(p, g, t, row);
    }
}

int run_segment_why(program *p)
{
    int64_t profile = 0;
    int code = profile_read(p, p->arguments[0], &profile);

    return code == DONE ? questions_of(p, p->arguments[1], why_ask, why_show) : code;
}

/* ---- sizes, overlap, compare ------------------------------------------------------
 */

static int32_t sizes_ask(program *p, const char *source, const cj_segment_options *o,
                         cj_table **out)
{
    int64_t since_ms = 0, step_days = 1;

    if (option_time(p, "since", &since_ms) != DONE ||
        option_int64(p, "step", 1, 10000, &step_days) != DONE)
        return CJ_OK; /* was refused before */
    return cj_segment_sizes(p->db, source, since_ms, step_days, o, out);
}

static void sizes_show(program *p, const cj_table *t, grid *g)
{
    (void)p;
    grid_take(g, t, NULL, cj_table_rows(t));
}

int run_segment_sizes(program *p)
{
    int64_t since_ms = 0, step_days = 1;
    int code = DONE;

    if (!option_given(p, "since"))
        code = complain(p, USAGE, "for example --since 2025-01-01", "since when?");
    if (code == DONE)
        code = option_time(p, "since", &since_ms);
    if (code == DONE)
        code = option_int64(p, "step", 1, 10000, &step_days);
    return code == DONE ? questions_of(p, p->arguments[0], sizes_ask, sizes_show)
                        : code;
}

static void overlap_show(program *p, const cj_table *t, grid *g)
{
    const int64_t n = cj_table_columns(t);

    (void)p;
    for (int64_t column = 0; column < n; column++)
        grid_column_add(g, cj_table_name(t, column), cj_table_name(t, column),
                        column == n - 1 ? CELL_COUNT : CELL_TEXT);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        for (int64_t column = 0; column < n - 1; column++)
            grid_text(g, table_int64(t, column, row) != 0 ? "yes" : "-",
                      table_int64(t, column, row) != 0 ? 3 : 1);
        grid_number(g, table_int64(t, n - 1, row));
    }
}

int run_segment_overlap(program *p)
{
    cj_segment_options o;
    cj_table *t = NULL;
    int code = segment_options(p, &o);
    int32_t rc;

    if (code != DONE)
        return code;
    rc = cj_segment_overlap(p->db, p->arguments, (int64_t)p->n_arguments, &o, &t);
    progress_end(p);
    return rc == CJ_OK ? questions_print(p, t, overlap_show) : complain_library(p, rc);
}

static void compare_show(program *p, const cj_table *t, grid *g)
{
    static const char *const ratios[] = {"lift", "low", "high"};

    (void)p;
    grid_column_add(g, "dimension", "what", CELL_TEXT);
    grid_column_add(g, "value", "value", CELL_TEXT);
    grid_column_add(g, "share_a", "of the first", CELL_SHARE);
    grid_column_add(g, "share_b", "of the second", CELL_SHARE);
    grid_column_add(g, "lift", "times", CELL_REAL);
    grid_column_add(g, "low", "at least", CELL_REAL);
    grid_column_add(g, "high", "at most", CELL_REAL);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        questions_text(g, t, "dimension", row);
        questions_text(g, t, "value", row);
        questions_share(g, t, "share_a", row);
        questions_share(g, t, "share_b", row);
        for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
            grid_real(g, table_double(t, table_column(t, ratios[i]), row));
    }
}

int run_segment_compare(program *p)
{
    expression a = {0}, b = {0};
    cj_segment_options o;
    cj_table *t = NULL;
    int64_t limit = 0;
    int32_t rc;
    int code = segment_options(p, &o);

    if (code == DONE)
        code = option_int64(p, "limit", 1, 1000000, &limit);
    if (code == DONE)
        code = expression_read(p, p->arguments[0], &a);
    if (code == DONE)
        code = expression_read(p, p->arguments[1], &b);
    if (code == DONE) {
        rc = cj_segment_compare(p->db, a.text == NULL ? a.typed : a.text,
                                b.text == NULL ? b.typed : b.text, limit, &o, &t);
        progress_end(p);
        if (rc != CJ_OK)
            code = complain_library(p, rc);
        else if (cj_table_rows(t) > 0)
            code = questions_print(p, t, compare_show);
        else {
            (void)questions_print(p, t, compare_show);
            code =
                complain(p, NOTHING, NULL, "nothing sets them apart, or one is empty");
        }
    }
    expression_end(&a);
    expression_end(&b);
    return code;
}
