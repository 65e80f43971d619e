/* The command line against the tables: parsing, checking, and telling people what they
 * probably meant.  What an option means to its command is not known here. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Edits (insert, delete, replace, swap) between two short words; `far` when they are
 * not worth comparing. */
static size_t options_distance(const char *a, const char *b)
{
    enum { LONGEST = 24, FAR = 99 };
    size_t n = strlen(a), m = strlen(b), d[LONGEST + 1][LONGEST + 1];

    if (n > LONGEST || m > LONGEST)
        return FAR;
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

const char *nearest(const char *typed, const char *(*next)(const void *, size_t),
                    const void *list)
{
    size_t length = strlen(typed),
           limit = length < 4   ? 1
                   : length < 8 ? 2
                                : 3,
           best = limit + 1;
    const char *found = NULL, *name;

    for (size_t i = 0; (name = next(list, i)) != NULL; i++) {
        size_t distance = options_distance(typed, name);

        if (length >= 3 && strncmp(typed, name, length) == 0)
            distance = 1; /* a beginning of it */
        if (distance < best) {
            best = distance;
            found = name;
        }
    }
    return found;
}

static const char *options_next_name(const void *list, size_t i)
{
    const command *c = list;
    size_t n_own = 0;

    while (c != NULL && c->options[n_own].name != NULL)
        n_own++;
    return i < n_own ? c->options[i].name : common_options[i - n_own].name;
}

/* A word of a list "a|b|c": its place, or -1. */
static int options_choice_place(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (int place = 0;; place++) {
        size_t n = strcspn(choices, "|");

        if (n == length && strncmp(choices, value, n) == 0)
            return place;
        if (choices[n] == '\0')
            return -1;
        choices += n + 1;
    }
}

static const option *options_by_letter(const command *c, char letter)
{
    for (const option *o = common_options; o->name != NULL; o++)
        if (o->letter == letter)
            return o;
    for (const option *o = c == NULL ? NULL : c->options; o != NULL && o->name != NULL;
         o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static int options_unknown(const program *p, const char *word, const char *name)
{
    const char *near = nearest(name, options_next_name, p->command);
    char next[160];

    if (near != NULL)
        snprintf(next, sizeof next, "did you mean --%s?", near);
    else if (p->command != NULL)
        snprintf(next, sizeof next, "see: cjourney %s --help", p->command->name);
    else
        snprintf(next, sizeof next, "see: cjourney help");
    return complain(p, USAGE, next, "unknown option %s", word);
}

static int options_add(program *p, const option *o, const char *value)
{
    char next[200];

    if (o->choices != NULL && options_choice_place(o->choices, value) < 0) {
        snprintf(next, sizeof next, "it is one of %s", o->choices);
        return complain(p, USAGE, next, "--%s cannot be \"%.40s\"", o->name, value);
    }
    p->given = memory(p->given, (p->n_given + 1) * sizeof *p->given);
    p->given[p->n_given].option = o;
    p->given[p->n_given++].value = value;
    return DONE;
}

/* One option at words[*at]; *at moves to its last word. */
static int options_take(program *p, int n, char **words, int *at)
{
    char *word = words[*at], name[64] = "";
    const char *value = NULL;
    const option *o;

    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");

        if (word[2 + length] == '=')
            value = word + 2 + length + 1;
        snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), word + 2);
        o = option_find(p->command, name);
    } else {
        snprintf(name, sizeof name, "%.60s", word + 1);
        o = options_by_letter(p->command, word[1]);
        if (o != NULL && word[2] != '\0') {
            if (o->argument == NULL)
                o = NULL;
            else
                value = word + 2;
        }
    }
    if (o == NULL)
        return options_unknown(p, word, name);
    if (o->argument == NULL && value != NULL)
        return complain(p, USAGE, NULL, "--%s takes no value", o->name);
    if (o->argument != NULL && value == NULL) {
        if (*at + 1 >= n)
            return complain(p, USAGE, NULL, "--%s needs a value: %s", o->name,
                            o->argument);
        value = words[++*at];
    }
    return options_add(p, o, value);
}

static int options_count(const program *p)
{
    const command *c = p->command;
    char next[200];

    snprintf(next, sizeof next, "usage: cjourney %s%s %s   (help: cjourney %s --help)",
             (c->flags & NEEDS_FILE) != 0 ? "-d FILE " : "", c->name, c->arguments,
             c->name);
    if (p->n_arguments < (size_t)c->min_arguments)
        return complain(p, USAGE, next, "%s needs %s", c->name, c->arguments);
    if (c->max_arguments >= 0 && p->n_arguments > (size_t)c->max_arguments)
        return complain(p, USAGE, next, "%s does not know what to do with \"%.40s\"",
                        c->name, p->arguments[c->max_arguments]);
    return DONE;
}

int options_parse(program *p, int n, char **words)
{
    int only_arguments = 0;

    for (int i = 0; i < n; i++) {
        char *word = words[i];
        int code = DONE;

        if (!only_arguments && strcmp(word, "--") == 0) {
            only_arguments = 1;
        } else if (!only_arguments && word[0] == '-' && word[1] != '\0' &&
                   strncmp(word, "-- ", 3) != 0) { /* a comment of a segment */
            code = options_take(p, n, words, &i);
        } else if (p->command == NULL || p->command->parts != NULL) {
            const command *list = p->command == NULL ? commands : p->command->parts,
                          *found = command_find(list, word);

            if (found == NULL)
                return complain_command(p, list, word);
            p->command = found;
        } else {
            p->arguments =
                memory(p->arguments, (p->n_arguments + 1) * sizeof *p->arguments);
            p->arguments[p->n_arguments++] = word;
        }
        if (code != DONE)
            return code;
    }
    if (p->command == NULL || option_given(p, "help"))
        return DONE;
    return options_count(p);
}

static const given *options_last(const program *p, const option *o)
{
    for (size_t i = p->n_given; i > 0; i--)
        if (p->given[i - 1].option == o)
            return &p->given[i - 1];
    return NULL;
}

int option_given(const program *p, const char *name)
{
    return options_last(p, option_find(p->command, name)) != NULL;
}

const char *option_text(const program *p, const char *name)
{
    const given *g = options_last(p, option_find(p->command, name));

    return g == NULL ? NULL : g->value;
}

int option_choice(const program *p, const char *name)
{
    const given *g = options_last(p, option_find(p->command, name));

    return g == NULL ? 0 : options_choice_place(g->option->choices, g->value);
}

int option_int64(program *p, const char *name, int64_t min, int64_t max, int64_t *out)
{
    const char *text = option_text(p, name);
    char *end;
    long long value;

    if (text == NULL)
        return DONE;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return complain(p, USAGE, NULL,
                        "--%s must be a whole number from %lld to %lld, not \"%.40s\"",
                        name, (long long)min, (long long)max, text);
    *out = value;
    return DONE;
}

int option_time(program *p, const char *name, int64_t *out)
{
    const char *text = option_text(p, name);

    if (text == NULL)
        return DONE;
    if (time_read(p, text, out) == DONE)
        return DONE;
    return complain(p, USAGE,
                    "write 2025-12-31, \"2025-12-31 18:30\" or 2025-12-31T18:30Z",
                    "--%s: \"%.40s\" is not a time", name, text);
}
