/* Commands that look at people and events: profile, events, edges, failed.  A journey
 * is told for people; programs get every event as it is. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* ---- profile --------------------------------------------------------------------- */

typedef struct person {
    int64_t profile;
    cj_table *identifiers, *traits, *events;
    int64_t n_events;
} person;

static int profile_load(program *p, person *who)
{
    cj_events_options o = {.struct_size = sizeof o, .limit = 1000000};
    int64_t as_of_ms = 0;
    int code = profile_read(p, p->arguments[0], &who->profile);
    int32_t rc;

    if (code == DONE)
        code = option_time(p, "as-of", &as_of_ms);
    if (code != DONE)
        return code;
    rc = cj_profile_identifiers(p->db, who->profile, &who->identifiers);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    o.profile = cj_table_int64(who->identifiers, 0)[0];
    o.until_ms = as_of_ms;
    who->profile = o.profile;
    rc = cj_profile_traits(p->db, who->profile, as_of_ms, &who->traits);
    if (rc == CJ_OK)
        rc = cj_events(p->db, &o, &who->events);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    who->n_events = cj_table_rows(who->events);
    return DONE;
}

static void text_show(const cj_table *t, const char *column, int64_t row,
                      const char *before)
{
    size_t n;
    const char *text = table_text(t, table_column(t, column), row, &n);

    if (text != NULL && n > 0) {
        char *shown = visible(text, n);

        printf("%s%s", before, shown);
        free(shown);
    }
}

/* A trait's value as people write it: a plain JSON string without its quotes. */
static void trait_show(const cj_table *t, int64_t row)
{
    size_t n;
    const char *text = table_text(t, table_column(t, "value"), row, &n);
    char *shown;

    if (n >= 2 && text[0] == '"' && memchr(text, '\\', n) == NULL) {
        text++;
        n -= 2;
    }
    shown = visible(text, n);
    fputs(shown, stdout);
    free(shown);
}

static int text_is(const cj_table *t, const char *column, int64_t row,
                   const char *expected)
{
    size_t n;
    const char *text = table_text(t, table_column(t, column), row, &n);

    return text != NULL && n == strlen(expected) && memcmp(text, expected, n) == 0;
}

static void profile_head(program *p, const char *title)
{
    int bold = p->out_terminal && p->colour;

    printf("\n%s%s%s\n", bold ? "\033[1m" : "", title, bold ? "\033[0m" : "");
}

static void profile_show_facts(program *p, const person *who)
{
    char when[20];

    printf("%sProfile %lld%s\n", p->out_terminal && p->colour ? "\033[1m" : "",
           (long long)who->profile, p->out_terminal && p->colour ? "\033[0m" : "");
    for (int64_t i = 0; i < cj_table_rows(who->identifiers); i++) {
        size_t n;
        const char *kind = table_text(who->identifiers, 1, i, &n);

        printf("  %-14.*s", (int)n, kind);
        text_show(who->identifiers, "value", i, "");
        putchar('\n');
    }
    if (cj_table_rows(who->traits) > 0)
        profile_head(p, "Known");
    for (int64_t i = 0; i < cj_table_rows(who->traits); i++) {
        size_t n;
        const char *name =
            table_text(who->traits, table_column(who->traits, "name"), i, &n);
        char *shown = visible(name, n);

        printf("  %-14s", shown);
        trait_show(who->traits, i);
        time_local(p, table_int64(who->traits, table_column(who->traits, "time_ms"), i),
                   when);
        printf("  (");
        text_show(who->traits, "source", i, "");
        printf(", %.10s)\n", when);
        free(shown);
    }
}

static void profile_show_worth(program *p, const person *who)
{
    const cj_table *t = who->events;
    int64_t value = table_column(t, "value_minor"),
            time_ms = table_column(t, "time_ms");
    int64_t n_orders = 0, n_refunds = 0, paid = 0, refunded = 0, first = 0, last = 0;
    char money[40], back[40], when[20];

    for (int64_t i = 0; i < who->n_events; i++) {
        int64_t minor = table_int64(t, value, i);

        if (text_is(t, "name", i, "order") && minor > 0) {
            n_orders++;
            paid += minor;
            last = table_int64(t, time_ms, i);
            first = first == 0 ? last : first;
        } else if (text_is(t, "name", i, "refund") || text_is(t, "name", i, "order")) {
            n_refunds += minor < 0;
            refunded += minor;
        }
    }
    currency_learn(p);
    profile_head(p, "Worth");
    if (n_orders == 0) {
        printf("  no order yet\n");
        return;
    }
    money_text(paid + refunded, p->exponent, money);
    money_text(-refunded, p->exponent, back);
    printf("  %s %s in %lld order%s", money, p->currency, (long long)n_orders,
           n_orders == 1 ? "" : "s");
    if (n_refunds > 0)
        printf(", after %s of refunds", back);
    time_local(p, first, when);
    printf("; first %.10s", when);
    time_local(p, last, when);
    printf(", last %.10s\n", when);
}

static void profile_show_event(program *p, const cj_table *t, int64_t i)
{
    char when[20], money[40];
    int64_t quantity = table_int64(t, table_column(t, "quantity"), i);
    int64_t value = table_column(t, "value_minor");
    int item = text_is(t, "name", i, "order_item");

    time_local(p, table_int64(t, table_column(t, "time_ms"), i), when);
    if (item) {
        printf("  %-16s  %-11s  ", "", "");
        printf("%lld x", (long long)(quantity == 0 ? 1 : quantity));
    } else {
        size_t n;
        const char *channel = table_text(t, table_column(t, "channel"), i, &n);

        printf("  %.16s  %-11.*s  ", when, (int)n, channel == NULL ? "" : channel);
        text_show(t, "name", i, "");
    }
    text_show(t, "product", i, " ");
    if (!item && quantity != 0)
        printf(" x %lld", (long long)quantity);
    if (!item)
        text_show(t, "order_id", i, " ");
    if (table_present(t, value, i)) {
        money_text(table_int64(t, value, i), p->exponent, money);
        printf("  %s%s%s", money, item ? "" : " ", item ? "" : p->currency);
    }
    text_show(t, "campaign", i, "  ");
    text_show(t, "content", i, " / ");
    putchar('\n');
}

static int text_same(const cj_table *t, const char *column, int64_t a, int64_t b)
{
    size_t n_a, n_b;
    const char *x = table_text(t, table_column(t, column), a, &n_a),
               *y = table_text(t, table_column(t, column), b, &n_b);

    return n_a == n_b && (n_a == 0 || memcmp(x, y, n_a) == 0);
}

/* How many events from row i on say the same of different products: five views in one
 * visit are one step of a journey. */
static int64_t profile_run(const cj_table *t, int64_t i)
{
    static const char *const same[] = {"name", "channel", "session", "campaign",
                                       "content"};
    int64_t value = table_column(t, "value_minor"),
            product = table_column(t, "product"), n = 1;

    while (i + n < cj_table_rows(t)) {
        for (size_t c = 0; c < sizeof same / sizeof same[0]; c++)
            if (!text_same(t, same[c], i, i + n))
                return n;
        if (table_present(t, value, i + n) || table_present(t, value, i) ||
            !table_present(t, product, i + n) || !table_present(t, product, i))
            return n;
        n++;
    }
    return n;
}

static void profile_show_run(program *p, const cj_table *t, int64_t i, int64_t n)
{
    char when[20];
    size_t length;
    const char *channel = table_text(t, table_column(t, "channel"), i, &length);

    time_local(p, table_int64(t, table_column(t, "time_ms"), i), when);
    printf("  %.16s  %-11.*s  ", when, (int)length, channel == NULL ? "" : channel);
    text_show(t, "name", i, "");
    for (int64_t k = 0; k < n && k < 3; k++)
        text_show(t, "product", i + k, k == 0 ? " " : ", ");
    if (n > 3)
        printf(" and %lld more", (long long)n - 3);
    text_show(t, "campaign", i, "  ");
    putchar('\n');
}

static void profile_show(program *p, const person *who, int64_t first)
{
    char title[120], all[32];

    profile_show_facts(p, who);
    profile_show_worth(p, who);
    number_text(who->n_events, all);
    if (first > 0)
        snprintf(title, sizeof title, "Journey: the last %lld of %s events (--last N)",
                 (long long)(who->n_events - first), all);
    else
        snprintf(title, sizeof title, "Journey: %s events", all);
    profile_head(p, title);
    for (int64_t i = first, n; i < who->n_events; i += n) {
        n = profile_run(who->events, i);
        if (n > 1)
            profile_show_run(p, who->events, i, n);
        else
            profile_show_event(p, who->events, i);
    }
}

/* One object with everything, for programs. */
static int profile_json(program *p, const person *who, int64_t first)
{
    static const char *const names[] = {"identifiers", "traits", "events"};
    const cj_table *const tables[] = {who->identifiers, who->traits, who->events};

    printf("{\"profile\":%lld", (long long)who->profile);
    for (size_t i = 0; i < 3; i++) {
        grid g = {0};
        char *text = NULL;
        size_t n;
        int64_t from = i == 2 ? first : 0, count = cj_table_rows(tables[i]) - from;
        int64_t *rows = memory(NULL, ((size_t)count + 1) * sizeof *rows);
        FILE *out = open_memstream(&text, &n);

        for (int64_t row = 0; row < count; row++)
            rows[row] = from + row;
        grid_take(&g, tables[i], rows, count);
        for (size_t c = 0; c < g.n_columns; c++)
            if ((i == 1 && strcmp(g.columns[c].name, "value") == 0) ||
                (i == 2 && strcmp(g.columns[c].name, "properties") == 0))
                g.columns[c].kind = CELL_JSON;
        if (out != NULL) {
            format as = p->format;

            p->format = AS_JSONL;
            grid_print(p, &g, out);
            p->format = as;
            fclose(out);
        }
        printf(",\"%s\":[", names[i]);
        for (char *c = text; c != NULL && *c != '\0'; c++) /* lines to elements */
            if (*c != '\n')
                putchar(*c);
            else if (c[1] != '\0')
                putchar(',');
        putchar(']');
        free(text);
        free(rows);
        grid_end(&g);
    }
    printf("}\n");
    return DONE;
}

int run_profile(program *p)
{
    person who = {0};
    int64_t last = 20, first;
    int code = option_int64(p, "last", 0, 1000000, &last);

    if (code == DONE)
        code = profile_load(p, &who);
    if (code == DONE) {
        first = who.n_events > last ? who.n_events - last : 0;
        if (p->format == AS_TABLE) {
            profile_show(p, &who, first);
        } else if (p->format == AS_CSV) {
            code = table_print(p, who.events);
            who.events = NULL;
        } else {
            code = profile_json(p, &who, first);
        }
    }
    cj_table_free(who.identifiers);
    cj_table_free(who.traits);
    cj_table_free(who.events);
    return code;
}

/* ---- events, edges, failed ------------------------------------------------------- */

int run_events(program *p)
{
    cj_events_options o = {.struct_size = sizeof o};
    cj_table *t = NULL;
    int64_t limit = p->out_terminal ? 100 : 1000000, n;
    int code = option_int64(p, "limit", 1, 100000000, &limit), asked;
    int32_t rc;

    if (code == DONE && option_text(p, "of") != NULL)
        code = profile_read(p, option_text(p, "of"), &o.profile);
    if (code == DONE)
        code = option_time(p, "from", &o.from_ms);
    if (code == DONE)
        code = option_time(p, "until", &o.until_ms);
    if (code != DONE)
        return code;
    asked = option_given(p, "limit");
    o.name = option_text(p, "name");
    o.limit = limit;
    rc = cj_events(p->db, &o, &t);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    n = cj_table_rows(t);
    code = table_print(p, t);
    if (code != DONE)
        return code;
    if (n == 0)
        return complain(p, NOTHING, NULL, "no such event");
    if (n == limit && !asked)
        note(p, "the first %lld; more: --limit N", (long long)limit);
    return DONE;
}

/* Rows of a text column that hold `wanted`; the caller frees. */
static int64_t *read_rows(const cj_table *t, const char *column, const char *wanted,
                          int64_t *n_out)
{
    int64_t *rows = memory(NULL, ((size_t)cj_table_rows(t) + 1) * sizeof *rows);

    *n_out = 0;
    for (int64_t i = 0; i < cj_table_rows(t); i++)
        if (text_is(t, column, i, wanted))
            rows[(*n_out)++] = i;
    return rows;
}

int run_edges(program *p)
{
    cj_table *t = NULL;
    int64_t profile = 0;
    int code = p->n_arguments > 0 ? profile_read(p, p->arguments[0], &profile) : DONE;
    int32_t rc;

    if (code != DONE)
        return code;
    rc = cj_edges(p->db, profile, &t);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (option_given(p, "state")) {
        grid g = {0};
        int64_t n, *rows = read_rows(t, "state", option_text(p, "state"), &n);

        grid_take(&g, t, rows, n);
        grid_print(p, &g, stdout);
        grid_end(&g);
        free(rows);
        cj_table_free(t);
        return DONE;
    }
    return table_print(p, t);
}

typedef struct tally {
    const char *source, *reason;
    size_t n_source, n_reason;
    int64_t n;
} tally;

static int failed_compare(const void *a, const void *b)
{
    const tally *x = a, *y = b;

    return x->n != y->n
               ? (x->n < y->n ? 1 : -1)
               : strncmp(x->reason, y->reason,
                         x->n_reason < y->n_reason ? x->n_reason : y->n_reason);
}

/* How often each reason, the most frequent first. */
static int failed_summary(program *p, const cj_table *t)
{
    tally *tallies = NULL;
    size_t n_tallies = 0;
    grid g = {0};

    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        tally one = {NULL, NULL, 0, 0, 1};
        size_t i = 0;

        one.source = table_text(t, table_column(t, "source"), row, &one.n_source);
        one.reason = table_text(t, table_column(t, "reason"), row, &one.n_reason);
        while (i < n_tallies &&
               (tallies[i].n_source != one.n_source ||
                tallies[i].n_reason != one.n_reason ||
                memcmp(tallies[i].source, one.source, one.n_source) != 0 ||
                memcmp(tallies[i].reason, one.reason, one.n_reason) != 0))
            i++;
        if (i < n_tallies) {
            tallies[i].n++;
        } else {
            tallies = memory(tallies, (n_tallies + 1) * sizeof *tallies);
            tallies[n_tallies++] = one;
        }
    }
    if (n_tallies > 0)
        qsort(tallies, n_tallies, sizeof *tallies, failed_compare);
    grid_column_add(&g, "rejected", "rejected", CELL_COUNT);
    grid_column_add(&g, "source", "source", CELL_TEXT);
    grid_column_add(&g, "reason", "reason", CELL_TEXT);
    for (size_t i = 0; i < n_tallies; i++) {
        grid_number(&g, tallies[i].n);
        grid_text(&g, tallies[i].source, tallies[i].n_source);
        grid_text(&g, tallies[i].reason, tallies[i].n_reason);
    }
    grid_print(p, &g, stdout);
    grid_end(&g);
    free(tallies);
    return DONE;
}

static int failed_retry(program *p)
{
    cj_record_result r = {.struct_size = sizeof r};
    int32_t rc = cj_failed_retry(p->db, &r);

    if (rc != CJ_OK)
        return complain_library(p, rc);
    note(p, "recorded %lld, there already %lld, still rejected %lld",
         (long long)r.n_recorded, (long long)r.n_duplicates, (long long)r.n_rejected);
    return r.n_rejected > 0 ? REJECTS : DONE;
}

int run_failed(program *p)
{
    cj_table *t = NULL;
    int32_t rc;

    if (option_given(p, "retry"))
        return failed_retry(p);
    rc = cj_failed_events(p->db, &t);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (cj_table_rows(t) == 0)
        note(p, "nothing was rejected");
    if (option_given(p, "summary")) {
        failed_summary(p, t);
        cj_table_free(t);
        return DONE;
    }
    return table_print(p, t);
}
