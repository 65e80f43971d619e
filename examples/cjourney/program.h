/* What the files of the cjourney program share: the command tables, one run's state,
 * output, time.  Commands, options, help texts, man page and completion come from the
 * tables in commands.c and nowhere else.  Knows cjourney.h, nothing else of the
 * library. */
#ifndef CJOURNEY_PROGRAM_H
#define CJOURNEY_PROGRAM_H

#include "cjourney.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    DONE = 0,
    FAILED = 1,
    USAGE = 2,
    REJECTS = 3,
    NOTHING = 4,
    BUSY = 5,
    DAMAGED = 6,
    INTERRUPTED = 130
};

/* ---- tables ---------------------------------------------------------------------- */

typedef struct option {
    const char *name;     /* without the dashes; NULL ends a table */
    char letter;          /* short form, or 0 */
    const char *argument; /* what its value is called; NULL: it takes none */
    const char *choices;  /* "table|csv|json": the values allowed; NULL: any */
    const char *meaning;
    const char *fallback; /* what holds without it, for people; NULL: nothing */
} option;

typedef struct example {
    const char *what; /* NULL ends a table */
    const char *line;
} example;

struct program;

enum { NEEDS_FILE = 1, MAKES_FILE = 2, WRITES = 4 }; /* flags of a command */

typedef struct command {
    const char *name; /* NULL ends the table */
    const char *arguments;
    const char *meaning;
    const char *group;
    const example *examples;
    const option *options;
    const char *details;              /* paragraphs for help and man page; NULL: none */
    int min_arguments, max_arguments; /* max -1: any number */
    int flags;
    int (*run)(struct program *p); /* an exit code */
    const struct command *parts;   /* a family's commands; NULL: it is no family */
} command;

extern const command commands[];
extern const command rfm_commands[];
extern const command segment_commands[];
extern const command clv_commands[];
extern const option common_options[]; /* every command takes them */
extern const option no_options[];

#define END_OPTIONS                                                                    \
    {                                                                                  \
        NULL, 0, NULL, NULL, NULL, NULL                                                \
    }
#define END_EXAMPLES                                                                   \
    {                                                                                  \
        NULL, NULL                                                                     \
    }
#define KINDS                                                                          \
    "user_id, crm_id, loyalty_card, email, phone, device_id, anonymous_id or guest"
#define PERSON                                                                         \
    "A PERSON is KIND=VALUE (KIND: " KINDS "), a value alone "                         \
    "(its kind is looked for), or the number of a profile."

/* The word a command is called by: the last of its name. */
const char *command_word(const command *c);
const char *command_next_word(const void *list, size_t i); /* for nearest() */
const command *command_find(const command *list, const char *word);
/* An option of a command, else a common one; NULL: none. */
const option *option_find(const command *c, const char *name);
/* The entry of a list of names nearest to a mistyped one, or NULL.  next(list, i) is
 * the i-th name, NULL at the end. */
const char *nearest(const char *typed, const char *(*next)(const void *, size_t),
                    const void *list);

/* ---- one run --------------------------------------------------------------------- */

typedef enum format { AS_TABLE, AS_CSV, AS_JSON, AS_JSONL } format;

typedef struct given {
    const option *option;
    const char *value; /* NULL for one without argument */
} given;

struct watcher; /* the thread that waits for Ctrl-C: signals.c */

typedef struct program {
    const char *file;
    const command *command;
    given *given; /* options of the command line, in order */
    size_t n_given;
    const char **arguments;
    size_t n_arguments;

    format format;
    int out_terminal, error_terminal; /* stdout, stderr are terminals */
    int colour, quiet, width;
    const char *zone; /* --tz; NULL: the store's */

    cj_db *db;
    char currency[8]; /* the store's, "" when unknown */
    int exponent;     /* its digits after the point */
    int currency_known;
    struct watcher *watcher;

    int64_t progress_from_ms, progress_last_ms; /* of the bar on stderr */
    int progress_shown;
} program;

/* Fill given[] and arguments[] from the words after the command, and check them against
 * its table: DONE, or USAGE with a message. */
int options_parse(program *p, int n, char **words);
int option_given(const program *p, const char *name);
const char *option_text(const program *p, const char *name); /* NULL: not given */
/* A whole number within [min, max]; DONE, or USAGE with a message. */
int option_int64(program *p, const char *name, int64_t min, int64_t max, int64_t *out);
/* A time; 0 when not given. */
int option_time(program *p, const char *name, int64_t *out);
/* The place of an option's value among its choices; 0 when not given. */
int option_choice(const program *p, const char *name);

/* Tell what went wrong and what to do next (NULL: nothing to add); returns code. */
int complain(const program *p, int code, const char *next, const char *text, ...)
    __attribute__((format(printf, 4, 5)));
/* Tell the library's last error; returns the exit code that belongs to rc. */
int complain_library(const program *p, int32_t rc);
/* Something worth knowing, on stderr unless --quiet. */
void note(const program *p, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

/* There is no such command in p's family, or at all; USAGE. */
int complain_command(const program *p, const command *list, const char *word);

int file_open(program *p); /* p->db by p->file and the command's flags */
void file_close(program *p);
int out_finish(program *p,
               int code); /* flush stdout; FAILED when it could not be written */

void watcher_start(program *p);
void watcher_stop(program *p);
int interrupted(const program *p);

/* A cj_progress_fn; user is the program. */
int32_t progress(void *user, int64_t done, int64_t total);
void progress_end(program *p);

/* ---- time and text --------------------------------------------------------------- */

/* "2025-03-01", "2025-03-01 10:00", ... local to --tz or the store's zone. */
int time_read(program *p, const char *text, int64_t *ms_out);
void time_local(program *p, int64_t ms, char to[20]); /* 2025-03-01 10:00:00 */
int64_t time_now_ms(void);
void time_utc(int64_t ms, char to[28]);               /* 2025-03-01T10:00:00.000Z */
void number_text(int64_t value, char to[32]);         /* 1,234,567 */
void money_text(int64_t minor, int exponent, char to[40]); /* 1,234.50 */
void currency_learn(program *p); /* p->currency and p->exponent, from the file */
/* Money as people type it to minor units; 0, or -1. */
int money_read(program *p, const char *text, int64_t *minor_out);

extern const char *const identifier_kinds[]; /* the strongest first; ends with NULL */
/* A person as typed: 42, user_id=ann, or a value of any kind. */
int profile_read(program *p, const char *text, int64_t *profile_out);
/* kind=value split at the first "="; kind must be freed.  DONE or USAGE. */
int pair_read(program *p, const char *text, char **kind_out, const char **value_out);

/* Foreign text for a terminal: what could move its cursor is shown as "?"; to free. */
char *visible(const char *bytes, size_t n);
size_t text_width(const char *text); /* its characters: columns it needs */
void json_put(FILE *out, const char *bytes, size_t n); /* quoted and escaped */
char *stream_read(FILE *in, size_t *n_out);            /* all of it; to free */
/* The same of a file by its name, "-" is standard input.  DONE, or a code. */
int file_text(const program *p, const char *file, char **text_out, size_t *n_out);
/* The next line of a CSV text, NULL: that was all; the next field of a line, plain or in
 * double quotes, *line is NULL after the last one.  Cut off where they stand. */
char *csv_line(char **text);
char *csv_field(char **line);
void *memory(void *old,
             size_t bytes); /* realloc that ends the program when it cannot */

/* ---- results ------------------------------------------------------------------------
 */

typedef enum cell_kind {
    CELL_TEXT,
    CELL_JSON,  /* text that is JSON already */
    CELL_COUNT, /* 1,234 */
    CELL_ID,    /* 1234 */
    CELL_MONEY, /* minor units; people see the currency's point */
    CELL_TIME,  /* ms; people see local time */
    CELL_SHARE, /* of 10,000; people see 12.3 % */
    CELL_REAL,  /* a double; people see 4 digits, or whole thousands */
    CELL_RATIO  /* a double; people see 12.3 % */
} cell_kind;

typedef struct cell {
    int64_t number;
    double real;
    char *text;
    int absent;
} cell;

typedef struct grid_column {
    char *name;  /* for machines */
    char *title; /* for people; "": not shown to them */
    cell_kind kind;
} grid_column;

/* A small table of the program's own, or rows taken from a cj_table. */
typedef struct grid {
    grid_column *columns;
    size_t n_columns;
    cell *cells; /* row after row */
    size_t n_cells, capacity;
} grid;

void grid_column_add(grid *g, const char *name, const char *title, cell_kind kind);
void grid_number(grid *g, int64_t value);
void grid_real(grid *g, double value);
void grid_text(grid *g, const char *bytes, size_t n);
void grid_null(grid *g);
void grid_end(grid *g);
/* Take rows[] (NULL: the first n) of a result. */
void grid_take(grid *g, const cj_table *t, const int64_t *rows, int64_t n);
void grid_print(program *p, const grid *g, FILE *out); /* as p->format says */

/* A row on stdout when a program reads it; people get a note instead. */
int write_as_row(const program *p);
void write_result(program *p, grid *g); /* such a row; frees the grid */

int64_t table_column(const cj_table *t, const char *name); /* -1: none */
int table_present(const cj_table *t, int64_t column, int64_t row);
int64_t table_int64(const cj_table *t, int64_t column, int64_t row); /* 0 when absent */
double table_double(const cj_table *t, int64_t column, int64_t row); /* 0 when absent */
const char *table_text(const cj_table *t, int64_t column, int64_t row, size_t *n_out);
/* Print a result as p->format says, and free it. */
int table_print(program *p, cj_table *t);

/* ---- help.c, and the commands ---------------------------------------------------- */

void help_program(FILE *out);
void help_command(FILE *out, const command *c);
int run_help(program *p);
int run_family(program *p); /* without one of its commands: they are listed */
int run_completion(program *p);
int run_version(program *p);

int run_import(program *p);
int run_record(program *p);
int run_identify(program *p);
int run_merge(program *p);
int run_unmerge(program *p);
int run_block(program *p);
int run_failed(program *p);
int run_profile(program *p);
int run_events(program *p);
int run_edges(program *p);
int run_export(program *p);
int run_rfm(program *p);
int run_stats(program *p);
int run_check(program *p);
int run_compact(program *p);

#endif
