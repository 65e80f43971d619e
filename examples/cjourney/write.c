/* Commands that write: import, record, identify, merge, unmerge, block, failed.  What
 * they did is told on stderr for people, and on stdout as a row for programs. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int write_as_row(const program *p)
{
    int asked = 0;

    for (size_t i = 0; i < p->n_given; i++)
        asked |= p->given[i].option == option_find(NULL, "format");
    return !p->out_terminal || asked;
}

void write_result(program *p, grid *g)
{
    if (write_as_row(p))
        grid_print(p, g, stdout);
    grid_end(g);
}

/* ---- import ---------------------------------------------------------------------- */

static void import_tell(program *p, const char *path, const cj_import_result *r)
{
    char lines[32], recorded[32], events[32], duplicates[32], rejected[32];

    if (write_as_row(p))
        return;
    number_text(r->n_lines, lines);
    number_text(r->n_recorded, recorded);
    number_text(r->n_events, events);
    number_text(r->n_duplicates, duplicates);
    number_text(r->n_rejected, rejected);
    note(p,
         "%s: %s lines read\n  recorded %s (%s events), there already %s, rejected %s",
         strcmp(path, "-") == 0 ? "standard input" : path, lines, recorded, events,
         duplicates, rejected);
    if (r->n_rejected > 0)
        note(p, "why: cjourney -d %s failed --summary", p->file);
}

static void import_row(grid *g, const char *path, const cj_import_result *r)
{
    grid_text(g, path, strlen(path));
    grid_number(g, r->n_lines);
    grid_number(g, r->n_recorded);
    grid_number(g, r->n_duplicates);
    grid_number(g, r->n_rejected);
    grid_number(g, r->n_events);
}

static int import_one(program *p, const char *path, grid *g)
{
    cj_import_options o = {.struct_size = sizeof o};
    cj_import_result r = {.struct_size = sizeof r};
    int32_t rc;

    o.format = option_text(p, "format");
    o.map = option_text(p, "map");
    o.guest = option_text(p, "guest");
    o.time_zone = option_text(p, "time-zone");
    o.currency = option_text(p, "currency");
    o.name = option_text(p, "name");
    o.channel = option_text(p, "channel");
    o.source = option_text(p, "source");
    o.reject_path = option_text(p, "rejects");
    o.progress = progress;
    o.progress_user = p;
    rc = cj_import_file(p->db, path, &o, &r);
    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    import_tell(p, path, &r);
    import_row(g, path, &r);
    return r.n_rejected > 0 ? REJECTS : DONE;
}

int run_import(program *p)
{
    grid g = {0};
    int code = DONE;

    grid_column_add(&g, "file", "file", CELL_TEXT);
    grid_column_add(&g, "lines", "lines", CELL_COUNT);
    grid_column_add(&g, "recorded", "recorded", CELL_COUNT);
    grid_column_add(&g, "duplicates", "duplicates", CELL_COUNT);
    grid_column_add(&g, "rejected", "rejected", CELL_COUNT);
    grid_column_add(&g, "events", "events", CELL_COUNT);
    for (size_t i = 0; i < p->n_arguments; i++) {
        int one = import_one(p, p->arguments[i], &g);

        if (one != DONE)
            code = one;
        if (one != DONE && one != REJECTS)
            break;
    }
    write_result(p, &g);
    return code;
}

/* ---- record ---------------------------------------------------------------------- */

char *stream_read(FILE *in, size_t *n_out)
{
    char *text = NULL;
    size_t n = 0, capacity = 0, got;

    do {
        if (capacity - n < 65536) {
            capacity = capacity == 0 ? 131072 : capacity * 2;
            text = memory(text, capacity);
        }
        got = fread(text + n, 1, capacity - n - 1, in);
        n += got;
    } while (got > 0);
    text[n] = '\0';
    *n_out = n;
    return text;
}

int file_text(const program *p, const char *file, char **text_out, size_t *n_out)
{
    FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    int bad;

    *text_out = NULL;
    if (in == NULL)
        return complain(p, FAILED, NULL, "cannot read %.200s: %s", file,
                        strerror(errno));
    *text_out = stream_read(in, n_out);
    bad = ferror(in);
    if (in != stdin)
        fclose(in);
    if (!bad)
        return DONE;
    free(*text_out);
    *text_out = NULL;
    return complain(p, FAILED, NULL, "%.200s could not be read", file);
}

/* Identifiers of repeated --id, as a JSON object. */
static int record_identifiers(program *p, FILE *out)
{
    int n = 0;

    fputs(",\"identifiers\":{", out);
    for (size_t i = 0; i < p->n_given; i++) {
        char *kind;
        const char *value;

        if (p->given[i].option != option_find(p->command, "id"))
            continue;
        if (pair_read(p, p->given[i].value, &kind, &value) != DONE)
            return USAGE;
        if (n++ > 0)
            fputc(',', out);
        json_put(out, kind, strlen(kind));
        fputc(':', out);
        json_put(out, value, strlen(value));
        free(kind);
    }
    fputc('}', out);
    if (n == 0)
        return complain(p, USAGE, "for example: --id user_id=ann", "who? add --id");
    return DONE;
}

/* The event of the command line in our own JSON form. */
static int record_event(program *p, FILE *out)
{
    static const struct {
        const char *option, *member;
    } texts[] = {
        {"channel",    "channel"   },
        {"order",      "order_id"  },
        {"product",    "product"   },
        {"value",      "value"     },
        {"currency",   "currency"  },
        {"session",    "session"   },
        {"campaign",   "campaign"  },
        {"content",    "content"   },
        {"message-id", "message_id"}
    };
    int64_t time_ms = 0, quantity = 0;
    int code = option_time(p, "time", &time_ms);

    if (code == DONE)
        code = option_int64(p, "quantity", -1000000000, 1000000000, &quantity);
    if (code != DONE)
        return code;
    fputs("{\"type\":\"event\",\"name\":", out);
    json_put(out, p->arguments[0], strlen(p->arguments[0]));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = option_text(p, texts[i].option);

        if (value != NULL) {
            fprintf(out, ",\"%s\":", texts[i].member);
            json_put(out, value, strlen(value));
        }
    }
    if (time_ms != 0) {
        char stamp[28];

        time_utc(time_ms, stamp);
        fprintf(out, ",\"time\":\"%s\"", stamp);
    }
    if (quantity != 0)
        fprintf(out, ",\"quantity\":%lld", (long long)quantity);
    if (option_text(p, "properties") != NULL)
        fprintf(out, ",\"properties\":%s", option_text(p, "properties"));
    code = record_identifiers(p, out);
    fputc('}', out);
    return code;
}

/* Why the newest rejected message was rejected. */
static void record_reason(program *p)
{
    cj_table *t;

    if (cj_failed_events(p->db, &t) != CJ_OK)
        return;
    if (cj_table_rows(t) > 0) {
        size_t n;
        const char *reason =
            table_text(t, table_column(t, "reason"), cj_table_rows(t) - 1, &n);
        char hint[300];

        snprintf(hint, sizeof hint, "it is kept: cjourney -d %.200s failed", p->file);
        complain(p, REJECTS, hint, "rejected: %.*s", (int)n,
                 reason == NULL ? "" : reason);
    }
    cj_table_free(t);
}

static int record_text(program *p, const char *text, size_t n)
{
    cj_record_result r = {.struct_size = sizeof r};
    grid g = {0};
    int32_t rc = cj_record_json(p->db, text, (int64_t)n,
                                option_given(p, "segment") ? "segment" : "json", &r);

    if (rc != CJ_OK && rc != CJ_EREJECT)
        return complain_library(p, rc);
    if (!write_as_row(p))
        note(p, "recorded %lld, there already %lld, rejected %lld",
             (long long)r.n_recorded, (long long)r.n_duplicates,
             (long long)r.n_rejected);
    grid_column_add(&g, "recorded", "recorded", CELL_COUNT);
    grid_column_add(&g, "duplicates", "duplicates", CELL_COUNT);
    grid_column_add(&g, "rejected", "rejected", CELL_COUNT);
    grid_number(&g, r.n_recorded);
    grid_number(&g, r.n_duplicates);
    grid_number(&g, r.n_rejected);
    write_result(p, &g);
    if (r.n_rejected > 0)
        record_reason(p);
    return r.n_rejected > 0 ? REJECTS : DONE;
}

int run_record(program *p)
{
    const char *first = p->arguments[0];
    char *text = NULL;
    size_t n = 0;
    int code = DONE;

    if (strcmp(first, "-") == 0) {
        text = stream_read(stdin, &n);
    } else {
        FILE *out = open_memstream(&text, &n);

        if (out == NULL)
            return complain(p, FAILED, NULL, "out of memory");
        if (first[0] == '{' || first[0] == '[')
            for (size_t i = 0; i < p->n_arguments; i++)
                fprintf(out, "%s\n", p->arguments[i]);
        else if (p->n_arguments > 1)
            code = complain(p, USAGE, "see: cjourney record --help",
                            "one event has one name; \"%.40s\" is too much",
                            p->arguments[1]);
        else
            code = record_event(p, out);
        fclose(out);
    }
    if (code == DONE)
        code = record_text(p, text, n);
    free(text);
    return code;
}

/* ---- identity -------------------------------------------------------------------- */

/* A trait's value is JSON when it looks like JSON that is no text, else it is a text.
 */
static int identify_is_json(const char *value)
{
    char *end;

    if (value[0] == '{' || value[0] == '[' || value[0] == '"')
        return 1;
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
        strcmp(value, "null") == 0)
        return 1;
    /* "0049" and "+49" are texts: JSON has no such numbers. */
    if (value[0] == '+' || value[0] == '.' || (value[0] == '0' && value[1] >= '0'))
        return 0;
    strtod(value, &end);
    return end != value && *end == '\0' && strpbrk(value, "xXnN ") == NULL;
}

static char *identify_traits(program *p, int *code)
{
    char *text = NULL;
    size_t n = 0, count = 0;
    FILE *out = open_memstream(&text, &n);

    if (out == NULL)
        return NULL;
    fputc('{', out);
    for (size_t i = 0; i < p->n_given && *code == DONE; i++) {
        char *name;
        const char *value;

        if (p->given[i].option != option_find(p->command, "trait"))
            continue;
        *code = pair_read(p, p->given[i].value, &name, &value);
        if (*code != DONE)
            break;
        if (count++ > 0)
            fputc(',', out);
        json_put(out, name, strlen(name));
        fputc(':', out);
        if (identify_is_json(value))
            fputs(value, out);
        else
            json_put(out, value, strlen(value));
        free(name);
    }
    fputc('}', out);
    fclose(out);
    if (count == 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void profile_result(program *p, const char *name, int64_t number)
{
    grid g = {0};

    grid_column_add(&g, name, name, CELL_ID);
    grid_number(&g, number);
    write_result(p, &g);
}

int run_identify(program *p)
{
    cj_identifier *ids = memory(NULL, p->n_arguments * sizeof *ids);
    char **kinds = memory(NULL, p->n_arguments * sizeof *kinds);
    int64_t time_ms = 0, profile = 0;
    size_t n = 0;
    int code = option_time(p, "time", &time_ms);
    char *traits = identify_traits(p, &code);

    for (; n < p->n_arguments && code == DONE; n++) {
        code = pair_read(p, p->arguments[n], &kinds[n], &ids[n].value);
        ids[n].struct_size = sizeof ids[n];
        ids[n].kind = kinds[n];
    }
    if (code == DONE) {
        int32_t rc = cj_identify(p->db, ids, (int64_t)n, traits, time_ms,
                                 option_text(p, "source"), &profile);

        if (rc != CJ_OK)
            code = complain_library(p, rc);
    }
    if (code == DONE) {
        note(p, "profile %lld: cjourney -d %s profile %lld", (long long)profile,
             p->file, (long long)profile);
        profile_result(p, "profile", profile);
    }
    for (size_t i = 0; i < n; i++)
        free(kinds[i]);
    free(kinds);
    free(ids);
    free(traits);
    return code;
}

int run_merge(program *p)
{
    int64_t a, b, edge = 0;
    int code = profile_read(p, p->arguments[0], &a);
    int32_t rc;

    if (code == DONE)
        code = profile_read(p, p->arguments[1], &b);
    if (code != DONE)
        return code;
    rc = cj_merge(p->db, a, b, &edge);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    note(p, "merged by edge %lld; undo: cjourney -d %s unmerge %lld", (long long)edge,
         p->file, (long long)edge);
    profile_result(p, "edge", edge);
    return DONE;
}

int run_unmerge(program *p)
{
    char *end;
    long long edge = strtoll(p->arguments[0], &end, 10);
    int32_t rc;

    if (*end != '\0' || end == p->arguments[0] || edge <= 0)
        return complain(p, USAGE, "edges and their numbers: cjourney -d FILE edges",
                        "\"%.40s\" is not the number of an edge", p->arguments[0]);
    rc = cj_unmerge(p->db, edge);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    note(p, "edge %lld is removed: everything is as if it had never been", edge);
    return DONE;
}

int run_block(program *p)
{
    char *kind;
    const char *value;
    int code = pair_read(p, p->arguments[0], &kind, &value);
    int32_t rc;

    if (code != DONE)
        return code;
    rc = cj_identifier_block(p->db, kind, value);
    free(kind);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    note(p, "blocked: it is nobody's from now on");
    return DONE;
}
