/* A segment's expression between people and the library: from the command line, a file
 * or a pipe, as text or JSON; and what is wrong with it, shown where it is. */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

static int expression_take(program *p, const char *word, char **text_out)
{
    size_t n = strlen(word);
    int code;

    if (word[0] != '@' && strcmp(word, "-") != 0) {
        *text_out = memory(NULL, n + 1);
        memcpy(*text_out, word, n + 1);
        return DONE;
    }
    code = file_text(p, word[0] == '@' ? word + 1 : word, text_out, &n);
    if (code == DONE && strlen(*text_out) != n)
        return complain(p, FAILED, "@FILE is a file with an expression",
                        "%.200s is no text that can be read", word);
    return code;
}

int expression_read(program *p, const char *word, expression *e)
{
    const char *begin;
    int code = expression_take(p, word, &e->typed);

    if (code != DONE)
        return code;
    begin = e->typed + strspn(e->typed, " \t\r\n");
    if (*begin == '{') {
        char *text;
        int32_t rc = cj_segment_format(p->db, e->typed, "json", "text", &text, NULL);

        if (rc != CJ_OK)
            return expression_complain(p, rc, e);
        e->text = memory(NULL, strlen(text) + 1);
        strcpy(e->text, text);
        cj_text_free(text);
    }
    return DONE;
}

void expression_end(expression *e)
{
    free(e->typed);
    free(e->text);
    e->typed = e->text = NULL;
}

/* Bytes [from, to) as they are shown in one line; to free. */
static char *expression_shown(const char *source, size_t from, size_t to)
{
    char *shown = visible(source + from, to - from);

    for (size_t i = 0; shown[i] != '\0'; i++)
        if (shown[i] == '?' && (source[from + i] == '\t' || source[from + i] == '\r'))
            shown[i] = ' ';
    return shown;
}

/* The line of the source around a byte, and a caret under it. */
static void expression_point(const char *source, size_t at)
{
    enum { BEFORE = 44, AFTER = 24 };
    size_t from = at, to = at + strcspn(source + at, "\n"), line = 1;
    const char *left = "", *right = "";
    char *before, *rest, place[32] = "";

    while (from > 0 && source[from - 1] != '\n')
        from--;
    for (size_t i = 0; i < from; i++)
        line += source[i] == '\n';
    if (line > 1 || source[to] == '\n')
        snprintf(place, sizeof place, "line %zu: ", line);
    if (at - from > BEFORE) {
        for (from = at - BEFORE; ((unsigned char)source[from] & 0xC0) == 0x80;)
            from++;
        left = "...";
    }
    if (to - at > AFTER) {
        for (to = at + AFTER; ((unsigned char)source[to] & 0xC0) == 0x80;)
            to++;
        right = "...";
    }
    before = expression_shown(source, from, at);
    rest = expression_shown(source, at, to);
    fprintf(stderr, "          %s%s%s%s%s\n", place, left, before, rest, right);
    fprintf(stderr, "          %*s^\n",
            (int)(strlen(place) + strlen(left) + text_width(before)), "");
    free(before);
    free(rest);
}

int expression_complain(const program *p, int32_t rc, const expression *e)
{
    int64_t at = cj_errpos();
    int code = rc == CJ_ECURRENCY ? complain(p, USAGE, NULL, "%s", cj_errmsg())
                                  : complain_library(p, rc);

    /* A place in a text that JSON was turned into would be a riddle. */
    if (e->text == NULL && e->typed != NULL && at >= 0 &&
        (size_t)at <= strlen(e->typed) && e->typed[strspn(e->typed, " \t\r\n")] != '\0')
        expression_point(e->typed, (size_t)at);
    return code;
}
