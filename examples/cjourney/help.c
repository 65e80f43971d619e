/* Help, man page and shell completion, all written from the tables of commands.c: a new
 * command or option appears in the three of them without a line here. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

static const char about[] = "customer analytics in one file";
static const char summary[] = "Record what customers do at every touchpoint, and ask "
                              "who they are and what they are\n"
                              "worth.  Everything is kept in one file on this machine.";
static const char times[] =
    "TIME is 2025-12-31 (the moment that day begins), \"2025-12-31 18:30\", with an "
    "offset "
    "2025-12-31T18:30+01:00, or seconds or milliseconds since 1970.";
static const example first_steps[] = {
    {"put a year of events into a new file", "cjourney -d shop.db import year.ndjson" },
    {"who is worth what?",                   "cjourney -d shop.db rfm --summary"      },
    {"one customer's journey",               "cjourney -d shop.db profile user_id=ann"},
    {NULL,                                   NULL                                     },
};
static const struct {
    int code;
    const char *meaning;
} codes[] = {
    {DONE,        "done"                                              },
    {FAILED,      "failed; the message says why"                      },
    {USAGE,       "the command line or a value is wrong"              },
    {REJECTS,     "done, but something was rejected (cjourney failed)"},
    {NOTHING,     "nothing found"                                     },
    {BUSY,        "another program was writing all the time"          },
    {DAMAGED,     "the file is damaged (cjourney check)"              },
    {INTERRUPTED, "interrupted; the file is sound"                    },
};
static const struct {
    const char *name, *meaning;
} variables[] = {
    {"CJOURNEY_DB", "the file, when there is no -d"                     },
    {"NO_COLOR",    "not empty: no colours"                             },
    {"COLUMNS",     "the width of the output, when it is not a terminal"},
};

/* ---- --help ---------------------------------------------------------------------- */

/* Print a text, broken at blanks so that lines stay within 80 columns; an empty line
 * begins a paragraph. */
static void help_wrap(FILE *out, const char *text, int indent)
{
    int at = indent, first = 1;

    while (*text != '\0') {
        int n = (int)strcspn(text, " \n");

        if (!first && at + 1 + n > 80) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
            first = 1;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", n, text);
        at += n + !first;
        first = 0;
        text += n;
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n\n", out);
            at = indent;
            first = 1;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

/* A command line, broken before a word with a backslash, so that it can be pasted. */
static void help_line(FILE *out, const char *text)
{
    int at = 4, first = 1;

    fputs("    ", out);
    while (*text != '\0') {
        int n = (int)strcspn(text, " ");

        if (!first && at + 1 + n > 78) {
            fputs(" \\\n        ", out);
            at = 8;
            first = 1;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", n, text);
        at += n + !first;
        first = 0;
        text += n + (text[n] == ' ');
    }
    fputc('\n', out);
}

static void help_examples(FILE *out, const example *examples)
{
    fputs("Examples:\n", out);
    for (const example *e = examples; e->what != NULL; e++) {
        fprintf(out, "  # %s\n", e->what);
        help_line(out, e->line);
    }
}

static void help_option_head(const option *o, char *to, size_t size)
{
    char letter[8] = "";

    if (o->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(to, size, "%s--%s%s%s", letter, o->name, o->argument == NULL ? "" : " ",
             o->argument == NULL ? "" : o->argument);
}

/* The meaning with what may be chosen and what holds without it. */
static void help_option_text(const option *o, char *to, size_t size)
{
    char choices[120] = "", fallback[120] = "";
    size_t n = 0;

    if (o->choices != NULL) {
        n = (size_t)snprintf(choices, sizeof choices, ": %s", o->choices);
        for (size_t i = 0; i < n && i < sizeof choices; i++)
            if (choices[i] == '|')
                choices[i] = ' ';
    }
    if (o->fallback != NULL)
        snprintf(fallback, sizeof fallback, " (%s)", o->fallback);
    snprintf(to, size, "%s%s%s", o->meaning, choices, fallback);
}

static void help_options(FILE *out, const option *options)
{
    for (const option *o = options; o->name != NULL; o++) {
        char head[80], text[300];

        help_option_head(o, head, sizeof head);
        help_option_text(o, text, sizeof text);
        fprintf(out, "  %-22s", head);
        if (strlen(head) > 21)
            fprintf(out, "\n  %-22s", "");
        help_wrap(out, text, 24);
    }
}

static void help_usage(FILE *out, const command *c)
{
    fprintf(out, "cjourney %s%s%s%s%s", (c->flags & NEEDS_FILE) != 0 ? "-d FILE " : "",
            c->name, c->arguments[0] == '\0' ? "" : " ", c->arguments,
            c->options->name == NULL ? "" : " [OPTIONS]");
}

void help_command(FILE *out, const command *c)
{
    help_examples(out, c->examples);
    fputs("\nUsage: ", out);
    help_usage(out, c);
    fprintf(out, "\n  %c%s.\n", (char)(c->meaning[0] - 'a' + 'A'), c->meaning + 1);
    for (const command *part = c->parts; part != NULL && part->name != NULL; part++)
        fprintf(out, "%s  %-14s %s\n", part == c->parts ? "\nCommands:\n" : "",
                command_word(part), part->meaning);
    if (c->details != NULL) {
        fputc('\n', out);
        help_wrap(out, c->details, 0);
    }
    if (c->options->name != NULL) {
        fputs("\nOptions:\n", out);
        help_options(out, c->options);
    }
    fputs("\nOptions of every command:\n", out);
    for (const option *o = common_options; o->name != NULL; o++)
        if (option_find(c, o->name) == o) {
            option one[2] = {
                *o, {NULL, 0, NULL, NULL, NULL, NULL}
            };

            help_options(out, one);
        }
    if (c->parts != NULL)
        fprintf(out, "\nMore about a command: cjourney %s COMMAND --help\n", c->name);
    for (const option *o = c->options; o->name != NULL; o++)
        if (o->argument != NULL && strcmp(o->argument, "TIME") == 0) {
            fputc('\n', out);
            help_wrap(out, times, 0);
            return;
        }
}

void help_program(FILE *out)
{
    const char *group = "";

    help_examples(out, first_steps);
    fputs("\nUsage: cjourney [-d FILE] COMMAND [OPTIONS]\n", out);
    help_wrap(out, summary, 0);
    for (const command *c = commands; c->name != NULL; c++) {
        if (strcmp(group, c->group) != 0)
            fprintf(out, "\n%s:\n", c->group);
        group = c->group;
        fprintf(out, "  %-12s %s\n", c->name, c->meaning);
    }
    fputs("\nOptions of every command:\n", out);
    help_options(out, common_options);
    fputs("\nExit codes:\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        fprintf(out, "  %3d  %s\n", codes[i].code, codes[i].meaning);
    fputs("\nMore about a command: cjourney COMMAND --help\n", out);
}

/* ---- the man page ---------------------------------------------------------------- */

static void man_put(FILE *out, const char *text)
{
    int line_start = 1;

    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\'')
            fputs("\\(aq", out);
        else if (*text == '\n' && text[1] == '\n')
            fputs("\n.PP", out);
        else if (*text != '\n' || text[-1] != '\n')
            fputc(*text, out);
        else
            fputc('\n', out);
        line_start = *text == '\n';
    }
    fputc('\n', out);
}

static void man_examples(FILE *out, const example *examples)
{
    for (const example *e = examples; e->what != NULL; e++) {
        fputs(".PP\n", out);
        man_put(out, e->what);
        fputs(".PP\n.RS 4\n.nf\n", out);
        man_put(out, e->line);
        fputs(".fi\n.RE\n", out);
    }
}

static void man_options(FILE *out, const option *options)
{
    for (const option *o = options; o->name != NULL; o++) {
        char head[80], text[300];

        help_option_head(o, head, sizeof head);
        help_option_text(o, text, sizeof text);
        fputs(".TP\n.B ", out);
        man_put(out, head);
        man_put(out, text);
    }
}

static void man_command(FILE *out, const command *c)
{
    fputs(".SS ", out);
    man_put(out, c->name);
    fprintf(out, "%c", (char)(c->meaning[0] - 'a' + 'A'));
    man_put(out, c->meaning + 1);
    fputs(".PP\n.B ", out);
    help_usage(out, c);
    fputc('\n', out);
    man_examples(out, c->examples);
    if (c->details != NULL) {
        fputs(".PP\n", out);
        man_put(out, c->details);
    }
    man_options(out, c->options);
}

static void man_write(FILE *out)
{
    fprintf(out, ".TH CJOURNEY 1 \"\" \"libcjourney %s\" \"User Commands\"\n",
            CJ_VERSION);
    fprintf(out, ".SH NAME\ncjourney \\- %s\n", about);
    fputs(".SH SYNOPSIS\n.B cjourney\n[\\-d FILE] COMMAND [OPTIONS]\n.SH DESCRIPTION\n",
          out);
    man_put(out, summary);
    fputs(".SH EXAMPLES\n", out);
    man_examples(out, first_steps);
    fputs(".SH COMMANDS\n", out);
    for (const command *c = commands; c->name != NULL; c++) {
        man_command(out, c);
        for (const command *part = c->parts; part != NULL && part->name != NULL; part++)
            man_command(out, part);
    }
    fputs(".SH OPTIONS\nEvery command takes them.\n", out);
    man_options(out, common_options);
    fputs(".PP\n", out);
    man_put(out, times);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        fprintf(out, ".TP\n.B %d\n", codes[i].code);
        man_put(out, codes[i].meaning);
    }
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        fprintf(out, ".TP\n.B %s\n", variables[i].name);
        man_put(out, variables[i].meaning);
    }
}

int run_family(program *p)
{
    help_command(stderr, p->command);
    return USAGE;
}

int run_help(program *p)
{
    const command *list = commands, *c = NULL;

    if (option_given(p, "man")) {
        man_write(stdout);
        return DONE;
    }
    for (size_t i = 0; i < p->n_arguments; i++) {
        if (list == NULL)
            return complain(p, USAGE, NULL, "%s has no further commands", c->name);
        p->command = c == NULL ? p->command : c; /* the family that is spoken of */
        c = command_find(list, p->arguments[i]);
        if (c == NULL)
            return complain_command(p, list, p->arguments[i]);
        list = c->parts;
    }
    if (c == NULL)
        help_program(stdout);
    else
        help_command(stdout, c);
    return DONE;
}

/* ---- completion ------------------------------------------------------------------ */

static void completion_words(FILE *out, const option *options)
{
    for (const option *o = options; o->name != NULL; o++)
        fprintf(out, " --%s", o->name);
}

static void completion_commands(FILE *out, const command *list)
{
    for (const command *c = list; c->name != NULL; c++)
        fprintf(out, "%s%s", c == list ? "" : " ", command_word(c));
}

/* A case for each option with choices: 'import',--format) words='json segment csv';; */
static void completion_choices(FILE *out, const char *command_name,
                               const option *options)
{
    for (const option *o = options; o->name != NULL; o++)
        if (o->choices != NULL) {
            fprintf(out, "    %s,--%s) words='", command_name, o->name);
            for (const char *c = o->choices; *c != '\0'; c++)
                fputc(*c == '|' ? ' ' : *c, out);
            fputs("';;\n", out);
        }
}

/* Call it for every command, the parts of a family after it. */
static void completion_each(FILE *out, const command *list,
                            void (*call)(FILE *out, const command *c))
{
    for (const command *c = list; c != NULL && c->name != NULL; c++) {
        call(out, c);
        completion_each(out, c->parts, call);
    }
}

/* What was seen of the command so far, and the word that makes it this one. */
static void completion_step(FILE *out, const command *c)
{
    const char *word = command_word(c);

    fprintf(out, "    '%.*s %s') command='%s';;\n",
            (int)(word == c->name ? 0 : word - c->name - 1), c->name, word, c->name);
}

static void completion_own_choices(FILE *out, const command *c)
{
    char name[60];

    snprintf(name, sizeof name, "'%s'", c->name);
    completion_choices(out, name, c->options);
}

static void completion_own_words(FILE *out, const command *c)
{
    fprintf(out, "    '%s') words='", c->name);
    if (c->parts != NULL)
        completion_commands(out, c->parts);
    if (c->run == run_help)
        completion_commands(out, commands);
    if (c->run == run_completion)
        fputs("bash", out);
    completion_words(out, c->options);
    completion_words(out, common_options);
    fputs("';;\n", out);
}

static void completion_bash(FILE *out)
{
    fputs("# bash completion of cjourney, written by: cjourney completion bash\n"
          "_cjourney() {\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "  local command='' words='' i\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "    case \"$command ${COMP_WORDS[i]}\" in\n"
          "    *' -d'|*' --db') ((i++));;\n",
          out);
    completion_each(out, commands, completion_step);
    fputs("    esac\n  done\n  COMPREPLY=()\n  case $command,$before in\n", out);
    completion_each(out, commands, completion_own_choices);
    completion_choices(out, "*", common_options);
    fputs("    *,-d|*,--db|*,--rejects|*,--list) compopt -o default; return;;\n"
          "  esac\n  if [[ -z $words ]]; then\n    case $command in\n    '') words='",
          out);
    completion_commands(out, commands);
    completion_words(out, common_options);
    fputs("';;\n", out);
    completion_each(out, commands, completion_own_words);
    fputs("    esac\n    if [[ $command = import && $word != -* ]]; then\n"
          "      compopt -o default; return\n    fi\n  fi\n"
          "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
          "complete -F _cjourney cjourney\n",
          out);
}

int run_completion(program *p)
{
    if (p->n_arguments > 0 && strcmp(p->arguments[0], "bash") != 0)
        return complain(p, USAGE, "bash is known: cjourney completion bash",
                        "no completion for \"%.40s\"", p->arguments[0]);
    completion_bash(stdout);
    return DONE;
}

int run_version(program *p)
{
    (void)p;
    printf("cjourney %s (library %s)\n", CJ_VERSION, cj_version());
    return DONE;
}
