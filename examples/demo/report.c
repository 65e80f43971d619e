/* The report of `make demo`: who the people in a file are, and what they brought in, by
 * month and channel, in 80 columns.  It works for any file and knows cjourney.h only;
 * the scores and journeys around it come from the cjourney program (run.sh).
 *
 *   report FILE           the report
 *   report FILE --facts   the day after the last order, and two people worth telling */
#include "cjourney.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 150000, MONTHS = 600, CHANNELS = 64, BAR = 34 };

typedef struct sum {
    char name[40];
    int64_t n_orders, minor;
} sum;

typedef struct report {
    cj_db *db;
    char currency[8];
    int exponent, plain;
    int64_t n_nodes, n_profiles;
    sum channels[CHANNELS];
    int n_channels;
    int64_t months[MONTHS + 1]; /* when each begins */
    sum sums[MONTHS];
    int n_months;
    int64_t first_ms, last_ms;
    int64_t picks[2];
    /* people */
    int64_t n_known, n_visitors, n_guests, with_devices[4], n_both;
} report;

static void report_die(void)
{
    fprintf(stderr, "report: %s\n", cj_errmsg());
    exit(1);
}

/* Money in whole units: nobody reads the cents of a year. */
static void report_money(const report *r, int64_t minor, char to[40])
{
    int64_t unit = 1;

    for (int i = 0; i < r->exponent; i++)
        unit *= 10;
    show_number((minor < 0 ? minor - unit / 2 : minor + unit / 2) / unit, to);
}

/* "  1,234 times ..." */
static void report_line(int64_t value, const char *text)
{
    char number[40];

    show_number(value, number);
    printf("  %9s %s\n", number, text);
}

static void report_head(const report *r, const char *title)
{
    printf("\n%s%s%s\n", r->plain ? "" : "\033[1m", title, r->plain ? "" : "\033[0m");
}

/* ---- what the file says of itself -------------------------------------------------
 */

static void report_stats(report *r)
{
    cj_table *t;

    if (cj_stats(r->db, &t) != CJ_OK)
        report_die();
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        char name[40], meaning[40];
        int64_t value = show_int64(t, "value", row);

        show_text(t, "name", row, name);
        show_text(t, "meaning", row, meaning);
        if (strcmp(name, "identifiers") == 0)
            r->n_nodes = value;
        else if (strcmp(name, "profiles") == 0)
            r->n_profiles = value;
        else if (strcmp(name, "currency_exponent") == 0) {
            r->exponent = (int)value;
            snprintf(r->currency, sizeof r->currency, "%.7s", meaning);
        }
    }
    cj_table_free(t);
}

/* ---- revenue ------------------------------------------------------------------------
 */

static cj_table *report_events(const report *r, const char *name, int64_t profile)
{
    cj_events_options o = {.struct_size = sizeof o, .limit = 10000000};
    cj_table *t;

    o.name = name;
    o.profile = profile;
    if (cj_events(r->db, &o, &t) != CJ_OK)
        report_die();
    return t;
}

/* Months between the first and the last order, in the store's time zone. */
static void report_calendar(report *r)
{
    time_t from = (time_t)(r->first_ms / 1000) - 86400;
    struct tm t;

    gmtime_r(&from, &t);
    for (int year = t.tm_year + 1900, month = t.tm_mon; r->n_months < MONTHS; month++) {
        char text[32];

        year += month / 12;
        month %= 12;
        snprintf(text, sizeof text, "%04d-%02d-01", year, month + 1);
        if (cj_time_parse(r->db, text, &r->months[r->n_months]) != CJ_OK)
            report_die();
        if (r->months[r->n_months] > r->last_ms)
            return; /* the end of the last one */
        if (r->n_months == 1 && r->months[1] <= r->first_ms) {
            r->months[0] = r->months[1]; /* the day before was another month */
            r->n_months = 0;
        }
        snprintf(r->sums[r->n_months++].name, 40, "%.7s", text);
    }
}

static void report_add(sum *s, int64_t minor)
{
    s->n_orders += minor > 0;
    s->minor += minor;
}

static void report_order(report *r, const cj_table *t, int64_t row)
{
    int64_t minor = show_int64(t, "value_minor", row);
    int64_t ms = show_int64(t, "time_ms", row);
    char channel[40];
    int c = 0, m = r->n_months - 1;

    show_text(t, "channel", row, channel);
    if (channel[0] == '\0')
        snprintf(channel, sizeof channel, "(none)");
    while (c < r->n_channels && strcmp(r->channels[c].name, channel) != 0)
        c++;
    if (c == r->n_channels && c < CHANNELS)
        memcpy(r->channels[r->n_channels++].name, channel, sizeof channel);
    if (c < CHANNELS)
        report_add(&r->channels[c], minor);
    while (m > 0 && ms < r->months[m])
        m--;
    if (m >= 0)
        report_add(&r->sums[m], minor);
}

static void report_span(report *r, const cj_table *t)
{
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        int64_t ms = show_int64(t, "time_ms", row);

        if (r->first_ms == 0 || ms < r->first_ms)
            r->first_ms = ms;
        if (ms > r->last_ms)
            r->last_ms = ms;
    }
}

static void report_revenue(report *r)
{
    cj_table *orders = report_events(r, "order", 0),
             *refunds = report_events(r, "refund", 0);

    report_span(r, orders);
    report_span(r, refunds);
    report_calendar(r);
    for (int64_t row = 0; row < cj_table_rows(orders); row++)
        report_order(r, orders, row);
    for (int64_t row = 0; row < cj_table_rows(refunds); row++)
        report_order(r, refunds, row);
    cj_table_free(orders);
    cj_table_free(refunds);
}

static void report_bars(const report *r, const sum *sums, int n, const char *title)
{
    int64_t most = 1;

    report_head(r, title);
    printf("  %-12s %12s %8s\n", "", r->currency, "orders");
    for (int i = 0; i < n; i++)
        if (sums[i].minor > most)
            most = sums[i].minor;
    for (int i = 0; i < n; i++) {
        int length = sums[i].minor <= 0
                         ? 0
                         : (int)((double)sums[i].minor / (double)most * BAR + 0.5);
        char money[40], orders[40];

        report_money(r, sums[i].minor, money);
        show_number(sums[i].n_orders, orders);
        printf("  %-12.12s %12s %8s%s", sums[i].name, money, orders,
               length > 0 ? "  " : "");
        for (int b = 0; b < length; b++)
            fputs(r->plain ? "#" : "\xE2\x96\x88", stdout);
        putchar('\n');
    }
}

/* ---- people ---------------------------------------------------------------------- */

static int report_kinds(const cj_table *ids, const char *kind)
{
    int n = 0;

    for (int64_t i = 0; i < cj_table_rows(ids); i++) {
        char own[40];

        show_text(ids, "kind", i, own);
        n += strcmp(own, kind) == 0;
    }
    return n;
}

/* A journey worth telling: 0 the customer of many channels, 1 the visitor who came
 * through an advertisement and stayed. */
static void report_pick(report *r, int64_t profile, int which)
{
    cj_table *t = report_events(r, NULL, profile);
    int64_t n = cj_table_rows(t);
    int in_store = 0, online = 0;
    char text[40];

    for (int64_t row = 0; row < n; row++) {
        show_text(t, "name", row, text);
        if (strcmp(text, "order") != 0)
            continue;
        show_text(t, "channel", row, text);
        in_store += strcmp(text, "store") == 0;
        online += strcmp(text, "store") != 0;
    }
    if (n > 0)
        show_text(t, "channel", 0, text);
    if (which == 0 ? in_store > 0 && online > 0 && n > 25 && n < 45
                   : online > 0 && n > 12 && n < 26 &&
                         (strcmp(text, "ads") == 0 || strcmp(text, "social") == 0))
        r->picks[which] = profile;
    cj_table_free(t);
}

static void report_person(report *r, int64_t profile, const cj_table *ids)
{
    int devices = report_kinds(ids, "device_id") + report_kinds(ids, "anonymous_id");
    int users = report_kinds(ids, "user_id"), cards = report_kinds(ids, "loyalty_card");

    if (users + cards + report_kinds(ids, "email") + report_kinds(ids, "crm_id") +
            report_kinds(ids, "phone") ==
        0) {
        r->n_visitors += devices > 0;
        r->n_guests += devices == 0;
        return;
    }
    r->n_known++;
    r->with_devices[devices > 3 ? 3 : devices]++;
    r->n_both += users > 0 && cards > 0;
    if (users == 1 && cards == 1 && devices >= 2 && r->picks[0] == 0)
        report_pick(r, profile, 0);
    else if (users == 1 && cards == 0 && devices == 1 && r->picks[1] == 0)
        report_pick(r, profile, 1);
}

/* A node is a small number: asking for each finds every profile once, at its first. */
static void report_people(report *r)
{
    for (int64_t node = 1; node <= r->n_nodes && node <= MANY; node++) {
        cj_table *ids;

        if (cj_profile_identifiers(r->db, node, &ids) != CJ_OK)
            report_die();
        if (show_int64(ids, "node", 0) == node)
            report_person(r, node, ids);
        cj_table_free(ids);
    }
}

static void report_show_people(const report *r)
{
    char text[120], people[40];

    report_head(r, "Who they are");
    show_number(r->n_profiles, people);
    snprintf(text, sizeof text,
             "identifiers (accounts, cards, cookies, ...) are %s people", people);
    report_line(r->n_nodes, text);
    if (r->n_nodes > MANY)
        report_line(MANY, "of them are looked at here:");
    report_line(r->n_known,
                "known by an account, a card, an e-mail address or a phone number");
    if (r->n_visitors > 0)
        report_line(r->n_visitors, "visitors who never said who they are");
    if (r->n_guests > 0)
        report_line(r->n_guests, "purchases that belong to nobody known");
    if (r->n_both > 0)
        report_line(r->n_both,
                    "of the known have an account and a card: web and store are one");
    if (r->with_devices[1] > 0)
        report_line(r->with_devices[1], "of the known are seen on one device,");
    if (r->with_devices[2] > 0)
        report_line(r->with_devices[2], "on two,");
    if (r->with_devices[3] > 0)
        report_line(r->with_devices[3], "on three or more");
}

/* ---- merges and refusals --------------------------------------------------------- */

static void report_identifier(const report *r, int64_t node, char kind[40],
                              char value[40])
{
    cj_table *ids;

    if (cj_profile_identifiers(r->db, node, &ids) != CJ_OK)
        report_die();
    for (int64_t i = 0; i < cj_table_rows(ids); i++)
        if (show_int64(ids, "node", i) == node) {
            show_text(ids, "kind", i, kind);
            show_text(ids, "value", i, value);
        }
    cj_table_free(ids);
}

static void report_worst(const report *r, const int64_t *refusals, int64_t n_refused)
{
    int64_t worst = 0;
    char kind[40] = "", value[40] = "";

    for (int64_t node = 1; node <= r->n_nodes; node++)
        if (refusals[node] > refusals[worst])
            worst = node;
    if (refusals[worst] < 5)
        return;
    report_identifier(r, worst, kind, value);
    printf(
        "\n  One identifier met customer after customer and was refused each time:\n"
        "      %s=%s\n"
        "  It belongs to a till or a device, not to a person.  From now on ignore it:\n"
        "      cjourney -d FILE block %s=%s\n",
        kind, value, kind, value);
    if (n_refused > refusals[worst])
        printf("  The others (%lld) share a device, such as a family's tablet: each "
               "keeps\n"
               "  their own history.\n",
               (long long)(n_refused - refusals[worst]));
}

static void report_edges(const report *r)
{
    int64_t *refusals = calloc((size_t)r->n_nodes + 1, sizeof *refusals);
    int64_t joined = 0, refused = 0;
    cj_table *t;

    if (refusals == NULL || cj_edges(r->db, 0, &t) != CJ_OK)
        report_die();
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        char state[40];

        show_text(t, "state", row, state);
        joined += strcmp(state, "joined") == 0;
        if (strcmp(state, "refused") != 0)
            continue;
        refused++;
        refusals[show_int64(t, "node_a", row)]++;
        refusals[show_int64(t, "node_b", row)]++;
    }
    cj_table_free(t);
    if (joined + refused > 0) {
        report_head(r, "What was brought together");
        report_line(joined, "times two identifiers were seen together and joined");
        report_line(refused,
                    "times they were not: that would have made two customers one");
        report_worst(r, refusals, refused);
    }
    free(refusals);
}

/* ---- the report ------------------------------------------------------------------ */

static void report_facts(const report *r)
{
    time_t after = (time_t)(r->last_ms / 1000) + 86400;
    struct tm t;

    gmtime_r(&after, &t);
    printf("%04d-%02d-%02d %lld %lld\n", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
           (long long)r->picks[0], (long long)r->picks[1]);
}

static int report_compare(const void *a, const void *b)
{
    const sum *x = a, *y = b;

    return x->minor != y->minor ? (x->minor < y->minor ? 1 : -1)
                                : strcmp(x->name, y->name);
}

static int report_is_plain(void)
{
    const char *charset = getenv("LC_ALL"), *no_colour = getenv("NO_COLOR");

    if (charset == NULL || charset[0] == '\0')
        charset = getenv("LC_CTYPE");
    if (charset == NULL || charset[0] == '\0')
        charset = getenv("LANG");
    return !isatty(STDOUT_FILENO) || (no_colour != NULL && no_colour[0] != '\0') ||
           charset == NULL || strstr(charset, "UTF-8") == NULL;
}

int main(int argc, char **argv)
{
    cj_open_options o = {.struct_size = sizeof o, .flags = CJ_OPEN_NOCREATE};
    int facts = argc == 3 && strcmp(argv[2], "--facts") == 0;
    report r = {.plain = report_is_plain(), .exponent = 2};

    if (argc != 2 && !facts) {
        fputs("usage: report FILE [--facts]\n", stderr);
        return 2;
    }
    if (cj_open(argv[1], &o, &r.db) != CJ_OK)
        report_die();
    report_stats(&r);
    report_revenue(&r);
    report_people(&r);
    if (facts) {
        report_facts(&r);
    } else {
        report_show_people(&r);
        report_edges(&r);
        report_bars(&r, r.sums, r.n_months,
                    "What they brought in, by month (orders less refunds)");
        qsort(r.channels, (size_t)r.n_channels, sizeof r.channels[0], report_compare);
        if (r.n_channels > 1)
            report_bars(&r, r.channels, r.n_channels, "And by channel");
    }
    cj_close(r.db);
    return fflush(stdout) != 0;
}
