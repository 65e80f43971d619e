/* Starts the cjourney program: reads the command line, opens the file, runs one
 * command, and turns what happened into an exit code and a message that says what to do
 * next. */
#include "program.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* What the library's codes mean at a terminal. */
/* clang-format off */
static const struct {
    int32_t rc;
    int code;
    const char *next; /* what to do; %s is the file */
} outcomes[] = {
    {CJ_EINVAL, USAGE, NULL},
    {CJ_EIO, FAILED, "look at the disk: is it full, is the folder writable?"},
    {CJ_EBUSY, BUSY, "another program is writing: try again, or --wait longer"},
    {CJ_ECORRUPT, DAMAGED, "see what is damaged: cjourney -d %s check"},
    {CJ_EVERSION, FAILED, "is it the right file?  \"cjourney version\" tells ours"},
    {CJ_ENOTFOUND, NOTHING, NULL},
    {CJ_EINTERRUPT, INTERRUPTED, "the file is sound; run the same command to go on"},
    {CJ_ECURRENCY, FAILED, "one file holds one currency: use a second file"},
    {CJ_EREJECT, REJECTS, "see it: cjourney -d %s failed"},
    {CJ_ELOCK, FAILED, "run it again"},
};
/* clang-format on */

void *memory(void *old, size_t bytes)
{
    void *p = realloc(old, bytes);

    if (p == NULL) {
        fputs("cjourney: out of memory\n", stderr);
        exit(FAILED);
    }
    return p;
}

static void main_tell(const program *p, const char *next, const char *text)
{
    int colour = p->colour && p->error_terminal;

    progress_end((program *)(uintptr_t)p);
    fprintf(stderr, "%scjourney: %s%s\n", colour ? "\033[1m" : "", text,
            colour ? "\033[0m" : "");
    if (next != NULL)
        fprintf(stderr, "          %s\n", next);
}

int complain(const program *p, int code, const char *next, const char *text, ...)
{
    char line[400];
    va_list arguments;

    va_start(arguments, text);
    vsnprintf(line, sizeof line, text, arguments);
    va_end(arguments);
    main_tell(p, next, line);
    return code;
}

int complain_library(const program *p, int32_t rc)
{
    char text[200], next[400];

    /* Copied first: the next call of the library replaces it. */
    snprintf(text, sizeof text, "%s",
             cj_errmsg()[0] != '\0' ? cj_errmsg() : cj_error_name(rc));
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (outcomes[i].rc == rc) {
            const char *hint = outcomes[i].next,
                       *file = hint ? strstr(hint, "%s") : NULL;

            if (file != NULL)
                snprintf(next, sizeof next, "%.*s%.200s%s", (int)(file - hint), hint,
                         p->file == NULL ? "FILE" : p->file, file + 2);
            else
                snprintf(next, sizeof next, "%s", hint == NULL ? "" : hint);
            main_tell(p, next[0] == '\0' ? NULL : next, text);
            return outcomes[i].code;
        }
    main_tell(p, NULL, text);
    return FAILED;
}

void note(const program *p, const char *text, ...)
{
    va_list arguments;

    if (p->quiet)
        return;
    progress_end((program *)(uintptr_t)p);
    fflush(stdout); /* results before what is said of them, in a file as well */
    va_start(arguments, text);
    vfprintf(stderr, text, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

int file_open(program *p)
{
    cj_open_options o = {.struct_size = sizeof o};
    int64_t wait_s = 5;
    int makes = (p->command->flags & MAKES_FILE) != 0, exists;
    int32_t rc;

    if (p->file == NULL || p->file[0] == '\0')
        return complain(p, USAGE, "add -d FILE, or set $CJOURNEY_DB", "which file?");
    for (size_t i = 0; p->command->run == run_import && i < p->n_arguments; i++)
        if (strcmp(p->arguments[i], "-") != 0 && access(p->arguments[i], R_OK) != 0)
            return complain(p, FAILED, "standard input is \"-\"", "cannot read %.200s",
                            p->arguments[i]); /* before a new file is made for it */
    exists = access(p->file, F_OK) == 0;
    if (!exists && !makes)
        return complain(p, FAILED, "make one: cjourney -d FILE import EVENTS",
                        "there is no file %.200s", p->file);
    if (option_int64(p, "wait", 0, 86400, &wait_s) != DONE)
        return USAGE;
    o.busy_ms = wait_s == 0 ? 1 : wait_s * 1000;
    if ((p->command->flags & WRITES) == 0 && access(p->file, W_OK) != 0)
        o.flags = CJ_OPEN_READONLY; /* it would leave an empty -wal file behind */
    else if (!makes)
        o.flags = CJ_OPEN_NOCREATE;
    if (!exists && option_find(p->command, "time-zone") != NULL) {
        o.currency = option_text(p, "currency");
        o.time_zone = option_text(p, "time-zone");
    }
    rc = cj_open(p->file, &o, &p->db);
    if (rc != CJ_OK) {
        int code = complain_library(p, rc);

        return rc == CJ_ENOTFOUND ? FAILED : code;
    }
    return DONE;
}

void file_close(program *p)
{
    cj_close(p->db);
    p->db = NULL;
}

int out_finish(program *p, int code)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return complain(p, FAILED, NULL, "standard output could not be written");
    return code;
}

static void main_terminal(program *p)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR"),
               *columns = getenv("COLUMNS");
    struct winsize size;

    p->out_terminal = isatty(STDOUT_FILENO);
    p->error_terminal = isatty(STDERR_FILENO);
    p->colour = (no_colour == NULL || no_colour[0] == '\0') &&
                (term == NULL || strcmp(term, "dumb") != 0);
    p->width = 80;
    if (p->out_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0)
        p->width = size.ws_col;
    else if (columns != NULL && atoi(columns) > 0)
        p->width = atoi(columns);
}

/* --format before the command, or after one that has no --format of its own. */
static void main_format(program *p)
{
    const option *common = option_find(NULL, "format");

    p->format = p->out_terminal ? AS_TABLE : AS_JSONL;
    for (size_t i = 0; i < p->n_given; i++)
        if (p->given[i].option == common) {
            const char *value = p->given[i].value;

            p->format = value[0] == 't'   ? AS_TABLE
                        : value[0] == 'c' ? AS_CSV
                        : value[4] == 'l' ? AS_JSONL
                                          : AS_JSON;
        }
}

int complain_command(const program *p, const command *list, const char *word)
{
    const char *near = nearest(word, command_next_word, list);
    const command *family = list == commands ? NULL : p->command;
    char next[100];

    if (near != NULL)
        snprintf(next, sizeof next, "did you mean %s?", near);
    else
        snprintf(next, sizeof next, "all commands: cjourney help%s%s",
                 family == NULL ? "" : " ", family == NULL ? "" : family->name);
    return complain(p, USAGE, next, "unknown command \"%s%s%.40s\"",
                    family == NULL ? "" : family->name, family == NULL ? "" : " ",
                    word);
}

/* Tables of the library itself need none, nor do customers from a file of their own. */
static int main_needs_file(const program *p)
{
    if ((p->command->flags & NEEDS_FILE) == 0)
        return 0;
    if (option_find(p->command, "classes") != NULL && option_given(p, "classes"))
        return 0;
    return p->file != NULL || option_find(p->command, "summary") == NULL ||
           option_text(p, "summary") == NULL;
}

static int main_run(program *p)
{
    int code;

    if (p->command == NULL || option_given(p, "help")) {
        if (p->command == NULL)
            help_program(option_given(p, "help") ? stdout : stderr);
        else
            help_command(stdout, p->command);
        return p->command == NULL && !option_given(p, "help") ? USAGE : DONE;
    }
    if (!main_needs_file(p))
        return p->command->run(p);
    code = file_open(p);
    if (code == DONE) {
        watcher_start(p);
        code = p->command->run(p);
        if (interrupted(p)) /* also when it happened to end before it heard of it */
            code = INTERRUPTED;
        watcher_stop(p);
        progress_end(p);
    }
    file_close(p);
    return code;
}

int main(int argc, char **argv)
{
    program p = {.exponent = 2};
    int code;

    main_terminal(&p);
    for (int i = 1; i < argc; i++) /* the habits of other programs */
        if (strcmp(argv[i], "--version") == 0 && i == 1)
            argv[i] = (char *)(uintptr_t) "version";
    code = options_parse(&p, argc - 1, argv + 1);
    if (code == DONE) {
        p.file = option_text(&p, "db");
        if (p.file == NULL)
            p.file = getenv("CJOURNEY_DB");
        p.zone = option_text(&p, "tz");
        p.quiet = option_given(&p, "quiet");
        main_format(&p);
        code = main_run(&p);
    }
    code = out_finish(&p, code);
    free(p.given);
    free(p.arguments);
    return code;
}
