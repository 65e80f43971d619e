/* segment define: an expression, or a list of people, under a name.  A list comes as
 * lines, so that what one command writes the next one reads:
 * segment eval ... --format csv | segment define NAME --list -  */
#include "segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void define_tell(program *p, const char *text, int64_t n_people)
{
    const char *name = p->arguments[0];
    char *quoted = segment_quoted(name);
    grid g = {0};

    note(p, "defined; who is in it: cjourney -d %s segment members %s", p->file,
         quoted);
    grid_column_add(&g, "segment", "segment", CELL_TEXT);
    grid_column_add(&g, "kind", "kind", CELL_TEXT);
    grid_column_add(&g, "people", "people", CELL_COUNT);
    grid_column_add(&g, "expression", "expression", CELL_TEXT);
    grid_text(&g, name, strlen(name));
    if (text == NULL) {
        grid_text(&g, "list", 4);
        grid_number(&g, n_people);
        grid_null(&g);
    } else {
        grid_text(&g, "expression", 10);
        grid_null(&g);
        grid_text(&g, text, strlen(text));
    }
    write_result(p, &g);
    free(quoted);
}

static int define_expression(program *p)
{
    expression e = {0};
    char *canonical = NULL;
    const char *text;
    int code = expression_read(p, p->arguments[1], &e);
    int32_t rc;

    if (code == DONE) {
        text = e.text == NULL ? e.typed : e.text;
        rc = cj_segment_define(p->db, p->arguments[0], text,
                               option_given(p, "live") ? CJ_SEGMENT_LIVE : 0);
        if (rc == CJ_OK)
            rc = cj_segment_format(p->db, text, "text", "text", &canonical, NULL);
        if (rc == CJ_OK)
            define_tell(p, canonical, 0);
        else
            code = expression_complain(p, rc, &e);
    }
    cj_text_free(canonical);
    expression_end(&e);
    return code;
}

/* ---- a list -----------------------------------------------------------------------
 */

typedef struct people {
    int64_t *profiles;
    size_t n, capacity;
    const char *kind; /* of the values, by a header; "": profiles; NULL: anything */
    int64_t n_lines;
} people;

/* Cut a line to its first field, as CSV has it; the quotes go. */
static char *define_field(char *line)
{
    char *to = line, *at = line;

    if (*line != '"') {
        line[strcspn(line, ",")] = '\0';
        /* "'" protects spreadsheets, as in: '+49 30 ... */
        return line[0] == '\'' && strchr("=+-@", line[1]) != NULL ? line + 1 : line;
    }
    for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at++) {
        at += *at == '"';
        *to++ = *at;
    }
    *to = '\0';
    return line;
}

/* A first line that says what the others are: "profile", or a kind. */
static int define_header(people *who, const char *field)
{
    if (strcmp(field, "profile") == 0) {
        who->kind = "";
        return 1;
    }
    for (size_t i = 0; identifier_kinds[i] != NULL; i++)
        if (strcmp(field, identifier_kinds[i]) == 0) {
            who->kind = identifier_kinds[i];
            return 1;
        }
    return 0;
}

static int define_person(program *p, const people *who, const char *field,
                         int64_t *profile_out)
{
    char *end;
    int32_t rc;

    if (who->kind == NULL)
        return profile_read(p, field, profile_out);
    if (who->kind[0] != '\0') {
        rc = cj_profile_find(p->db, who->kind, field, profile_out);
        return rc == CJ_OK ? DONE : complain_library(p, rc);
    }
    errno = 0;
    *profile_out = strtoll(field, &end, 10);
    if (errno != 0 || end == field || *end != '\0')
        return complain(p, USAGE, NULL, "\"%.40s\" is not the number of a profile",
                        field);
    return DONE;
}

static int define_line(program *p, people *who, char *line)
{
    char *field;
    int code;

    line[strcspn(line, "\r\n")] = '\0';
    who->n_lines++;
    field = who->kind == NULL && line[0] != '"' && strchr(line, '=') != NULL
                ? line
                : define_field(line);
    if (field[0] == '\0' ||
        (who->n == 0 && who->kind == NULL && define_header(who, field)))
        return DONE;
    if (who->n == who->capacity) {
        who->capacity = who->capacity == 0 ? 256 : who->capacity * 2;
        who->profiles = memory(who->profiles, who->capacity * sizeof *who->profiles);
    }
    code = define_person(p, who, field, &who->profiles[who->n]);
    if (code != DONE)
        note(p, "          line %lld of the list; nothing was changed",
             (long long)who->n_lines);
    else
        who->n++;
    return code;
}

static int define_lines(program *p, people *who)
{
    const char *path = option_text(p, "list");
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *line = NULL;
    size_t size = 0;
    int code = DONE;

    if (in == NULL)
        return complain(p, FAILED, "standard input is \"-\"", "cannot read %.200s",
                        path);
    while (code == DONE && getline(&line, &size, in) >= 0)
        code = define_line(p, who, line);
    if (code == DONE && ferror(in))
        code = complain(p, FAILED, NULL, "cannot read %.200s", path);
    free(line);
    if (in != stdin)
        fclose(in);
    return code;
}

static int define_list(program *p)
{
    people who = {0};
    int code = define_lines(p, &who);

    if (code == DONE) {
        int32_t rc = cj_segment_define_list(p->db, p->arguments[0], who.profiles,
                                            (int64_t)who.n);

        if (rc == CJ_OK)
            define_tell(p, NULL, (int64_t)who.n);
        else
            code = complain_library(p, rc);
    }
    free(who.profiles);
    return code;
}

int run_segment_define(program *p)
{
    const int is_list = option_given(p, "list");

    if (is_list && option_given(p, "live"))
        return complain(p, USAGE, "leave one of them out",
                        "a list does not change by itself: it cannot be live");
    if (is_list && p->n_arguments == 2)
        return complain(p, USAGE, "leave one of them out",
                        "it is an expression or a list, not both");
    if (!is_list && p->n_arguments == 1)
        return complain(p, USAGE,
                        "cjourney -d FILE segment define NAME EXPRESSION, or NAME "
                        "--list FILE",
                        "%.60s is which customers?", p->arguments[0]);
    return is_list ? define_list(p) : define_expression(p);
}
