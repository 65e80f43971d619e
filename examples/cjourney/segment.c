/* The segment commands: who is in one, how many, which ones somebody is in; and their
 * names: define, list, show, drop.  What an expression means is the library's to know.
 */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the commands share ------------------------------------------------------
 */

int segment_options(program *p, cj_segment_options *o)
{
    int64_t threads = 1, deadline_s = 0;
    int code;

    memset(o, 0, sizeof *o);
    code = option_time(p, "as-of", &o->as_of_ms);
    if (code == DONE && option_find(p->command, "threads") != NULL)
        code = option_int64(p, "threads", 1, 64, &threads);
    if (code == DONE && option_find(p->command, "deadline") != NULL)
        code = option_int64(p, "deadline", 1, 86400, &deadline_s);
    o->struct_size = sizeof *o;
    o->threads = (int32_t)threads;
    o->deadline_ms = deadline_s * 1000;
    o->progress = progress;
    o->progress_user = p;
    if (option_find(p->command, "identifier") != NULL) {
        o->identifier = option_text(p, "identifier");
        if (o->identifier == NULL)
            o->identifier = "user_id";
    }
    o->members_only = option_find(p->command, "all") == NULL || !option_given(p, "all");
    return code;
}

void segment_truth(const program *p, grid *g, int64_t truth)
{
    static const char *const words[2][3] = {
        {"false", "true", "unknown"},
        {"no",    "yes",  "unknown"}
    };
    const char *word = words[p->format == AS_TABLE][truth < 0 || truth > 2 ? 2 : truth];

    grid_text(g, word, strlen(word));
}

void segment_until_column(const program *p, grid *g, const char *title)
{
    grid_column_add(g, "valid_until_ms", title,
                    p->format == AS_TABLE ? CELL_TEXT : CELL_TIME);
}

void segment_until(program *p, grid *g, const cj_table *t, int64_t row)
{
    const int64_t column = table_column(t, "valid_until_ms");
    char when[20];

    if (!table_present(t, column, row) && p->format == AS_TABLE) {
        snprintf(when, sizeof when, "something is new");
        grid_text(g, when, strlen(when));
    } else if (!table_present(t, column, row)) {
        grid_null(g);
    } else if (p->format == AS_TABLE) {
        time_local(p, table_int64(t, column, row), when);
        grid_text(g, when, strlen(when));
    } else {
        grid_number(g, table_int64(t, column, row));
    }
}

char *segment_quoted(const char *name)
{
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_.-"),
           n = 0;
    char *shown = visible(name, strlen(name)), *to;

    if (name[plain] == '\0' && plain > 0 && name[0] != '-')
        return shown;
    to = memory(NULL, 4 * strlen(shown) + 6);
    n = (size_t)sprintf(to, "%s'", name[0] == '-' ? "-- " : "");
    for (const char *at = shown; *at != '\0'; at++)
        if (*at == '\'') {
            memcpy(to + n, "'\\''", 4);
            n += 4;
        } else {
            to[n++] = *at;
        }
    to[n++] = '\'';
    to[n] = '\0';
    free(shown);
    return to;
}

/* ---- names ------------------------------------------------------------------------
 */

/* All definitions; the caller frees. */
static int segment_all(program *p, cj_table **out)
{
    int32_t rc = cj_segments(p->db, out);

    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (cj_table_rows(*out) == 0)
        note(p,
             "no segment has a name yet: cjourney -d %s segment define NAME "
             "EXPRESSION",
             p->file);
    return DONE;
}

static char *segment_name(const cj_table *t, int64_t row)
{
    size_t n;
    const char *text = table_text(t, 0, row, &n);
    char *name = memory(NULL, n + 1);

    memcpy(name, text, n);
    name[n] = '\0';
    return name;
}

static const char *segment_next_name(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

/* There is no such name: tell the nearest one. */
static int segment_unknown(program *p, const cj_table *t, const char *wanted)
{
    const int64_t n = cj_table_rows(t);
    char **names = memory(NULL, ((size_t)n + 1) * sizeof *names), next[400];
    const char *near;

    for (int64_t row = 0; row < n; row++)
        names[row] = segment_name(t, row);
    names[n] = NULL;
    near = nearest(wanted, segment_next_name, names);
    if (near != NULL)
        snprintf(next, sizeof next, "did you mean %.300s?", near);
    else
        snprintf(next, sizeof next, "all of them: cjourney -d %.200s segment list",
                 p->file);
    for (int64_t row = 0; row < n; row++)
        free(names[row]);
    free(names);
    return complain(p, NOTHING, next, "there is no segment \"%.60s\"", wanted);
}

/* Tell the library's last error about a name. */
static int segment_complain(program *p, int32_t rc, const char *name)
{
    cj_table *t = NULL;
    int code;

    if (rc != CJ_ENOTFOUND)
        return complain_library(p, rc);
    rc = cj_segments(p->db, &t);
    code = rc == CJ_OK ? segment_unknown(p, t, name) : complain_library(p, rc);
    cj_table_free(t);
    return code;
}

/* ---- eval, members ----------------------------------------------------------------
 */

/* The people of a result, in its order: who they are; with --all also what holds. */
static void segment_people(program *p, const cj_table *t)
{
    const int all = option_find(p->command, "all") != NULL && option_given(p, "all");
    const int64_t truth = table_column(t, "truth");
    grid g = {0};

    grid_column_add(&g, "profile", "profile", CELL_ID);
    if (truth > 1)
        grid_column_add(&g, cj_table_name(t, 1), cj_table_name(t, 1), CELL_TEXT);
    if (all) {
        grid_column_add(&g, "truth", "is in it", CELL_TEXT);
        segment_until_column(p, &g, "until");
    }
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t n;
        const char *text;

        grid_number(&g, table_int64(t, 0, row));
        if (truth > 1) {
            text = table_text(t, 1, row, &n);
            grid_text(&g, text, n);
        }
        if (all) {
            segment_truth(p, &g, table_int64(t, truth, row));
            segment_until(p, &g, t, row);
        }
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
}

/* Print them, and free the result. */
static int segment_answer(program *p, cj_table *t)
{
    const int64_t n = cj_table_rows(t);

    segment_people(p, t);
    cj_table_free(t);
    return n > 0 ? DONE : complain(p, NOTHING, NULL, "nobody is in it");
}

int run_segment_eval(program *p)
{
    cj_segment_options o;
    cj_table *t = NULL;
    expression e = {0};
    int code = segment_options(p, &o);

    if (code == DONE)
        code = expression_read(p, p->arguments[0], &e);
    if (code == DONE) {
        int32_t rc =
            cj_segment_evaluate(p->db, e.text == NULL ? e.typed : e.text, &o, &t);

        progress_end(p);
        code = rc == CJ_OK ? segment_answer(p, t) : expression_complain(p, rc, &e);
    }
    expression_end(&e);
    return code;
}

int run_segment_members(program *p)
{
    cj_segment_options o;
    cj_table *t = NULL;
    int code = segment_options(p, &o);
    int32_t rc;

    if (code != DONE)
        return code;
    rc = cj_segment_members(p->db, p->arguments[0], &o, &t);
    progress_end(p);
    return rc == CJ_OK ? segment_answer(p, t)
                       : segment_complain(p, rc, p->arguments[0]);
}

/* ---- count, of --------------------------------------------------------------------
 */

static int segment_count_row(program *p, const cj_segment_options *o, grid *g,
                             const char *name)
{
    int64_t n = 0;
    int32_t rc = cj_segment_count(p->db, name, o, &n);

    progress_end(p);
    if (rc != CJ_OK)
        return segment_complain(p, rc, name);
    grid_text(g, name, strlen(name));
    grid_number(g, n);
    return DONE;
}

static int segment_count_all(program *p, const cj_segment_options *o, grid *g)
{
    cj_table *t = NULL;
    int code = segment_all(p, &t);

    for (int64_t row = 0; code == DONE && row < cj_table_rows(t); row++) {
        char *name = segment_name(t, row);

        code = segment_count_row(p, o, g, name);
        free(name);
    }
    cj_table_free(t);
    return code;
}

int run_segment_count(program *p)
{
    cj_segment_options o;
    grid g = {0};
    int code = segment_options(p, &o);

    grid_column_add(&g, "segment", "segment", CELL_TEXT);
    grid_column_add(&g, "members", "members", CELL_COUNT);
    for (size_t i = 0; code == DONE && i < p->n_arguments; i++)
        code = segment_count_row(p, &o, &g, p->arguments[i]);
    if (code == DONE && p->n_arguments == 0)
        code = segment_count_all(p, &o, &g);
    if (code == DONE)
        grid_print(p, &g, stdout);
    grid_end(&g);
    return code;
}

static int segment_of_print(program *p, const cj_table *t, int all)
{
    const int64_t truth = table_column(t, "truth");
    int64_t n = 0;
    grid g = {0};

    grid_column_add(&g, "segment", "segment", CELL_TEXT);
    if (all)
        grid_column_add(&g, "truth", "is in it", CELL_TEXT);
    segment_until_column(p, &g, "until");
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t length;
        const char *text = table_text(t, 0, row, &length);

        if (!all && table_int64(t, truth, row) != 1)
            continue;
        n++;
        grid_text(&g, text, length);
        if (all)
            segment_truth(p, &g, table_int64(t, truth, row));
        segment_until(p, &g, t, row);
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
    return n > 0 ? DONE
                 : complain(p, NOTHING, all ? NULL : "what each says: --all",
                            all ? "no segment has a name yet" : "in no segment");
}

int run_segment_of(program *p)
{
    cj_segment_options o;
    cj_table *t = NULL;
    int64_t profile = 0;
    int code = segment_options(p, &o);
    int32_t rc;

    if (code == DONE)
        code = profile_read(p, p->arguments[0], &profile);
    if (code != DONE)
        return code;
    rc = cj_profile_segments(p->db, profile, &o, &t);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    code = segment_of_print(p, t, option_given(p, "all"));
    cj_table_free(t);
    return code;
}

/* ---- list, show, format, drop -----------------------------------------------------
 */

int run_segment_list(program *p)
{
    cj_table *t = NULL;
    grid g = {0};
    int code = segment_all(p, &t);

    if (code != DONE)
        return code;
    if (p->format != AS_TABLE)
        return table_print(p, t);
    grid_column_add(&g, "segment", "segment", CELL_TEXT);
    grid_column_add(&g, "defined_ms", "defined", CELL_TIME);
    grid_column_add(&g, "expression", "expression", CELL_TEXT);
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        size_t n;
        const char *text = table_text(t, 0, row, &n);

        grid_text(&g, text, n);
        grid_number(&g, table_int64(t, table_column(t, "defined_ms"), row));
        text = table_text(t, table_column(t, "expression"), row, &n);
        if (text == NULL)
            grid_text(&g, "(a list)", 8);
        else
            grid_text(&g, text, n);
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
    cj_table_free(t);
    return DONE;
}

static int segment_write(program *p, const expression *e)
{
    const char *form = option_text(p, "form");
    char *text = NULL;
    int32_t rc = cj_segment_format(p->db, e->text == NULL ? e->typed : e->text, "text",
                                   form == NULL ? "text" : form, &text, NULL);

    if (rc != CJ_OK)
        return expression_complain(p, rc, e);
    printf("%s\n", text);
    cj_text_free(text);
    return DONE;
}

int run_segment_format(program *p)
{
    expression e = {0};
    int code = expression_read(p, p->arguments[0], &e);

    if (code == DONE)
        code = segment_write(p, &e);
    expression_end(&e);
    return code;
}

int run_segment_show(program *p)
{
    const char *wanted = p->arguments[0], *text = NULL;
    expression e = {0};
    cj_table *t = NULL;
    int64_t row = 0;
    size_t n = 0;
    int code = segment_all(p, &t);

    if (code != DONE)
        return code;
    for (; row < cj_table_rows(t); row++) {
        text = table_text(t, 0, row, &n);
        if (n == strlen(wanted) && memcmp(text, wanted, n) == 0)
            break;
    }
    if (row == cj_table_rows(t)) {
        code = segment_unknown(p, t, wanted);
    } else {
        text = table_text(t, table_column(t, "expression"), row, &n);
        if (text == NULL) {
            code = complain(p, NOTHING, "who is on it: cjourney segment members",
                            "\"%.60s\" is a list: it has no expression", wanted);
        } else {
            e.typed = memory(NULL, n + 1);
            memcpy(e.typed, text, n);
            e.typed[n] = '\0';
            code = segment_write(p, &e);
        }
    }
    expression_end(&e);
    cj_table_free(t);
    return code;
}

int run_segment_drop(program *p)
{
    for (size_t i = 0; i < p->n_arguments; i++) {
        int32_t rc = cj_segment_drop(p->db, p->arguments[i]);

        if (rc != CJ_OK)
            return segment_complain(p, rc, p->arguments[i]);
        note(p, "forgotten: %s", p->arguments[i]);
    }
    return DONE;
}
