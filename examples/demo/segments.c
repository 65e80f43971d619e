/* The end of `make demo`: six segments that a shop would use, how many people are in
 * each, what they brought in, and how the six overlap.  They are defined in the file,
 * so that the cjourney program goes on with them.  Works for any file of orders: what
 * is much money is learned from its customers.
 *
 *   segments FILE AS_OF          define and report
 *   segments FILE AS_OF --pick   the profile who is in most of them */
#include "cjourney.h"
#include "show.h"

#include <stdlib.h>

enum { SEGMENTS = 6, NAME = 16 };

static const struct {
    const char *name, *expression, *means; /* MUCH: money */
} wanted[SEGMENTS] = {
    {"new",          "first_time(orders, last 30 days)",                          "first order in the last 30 days"},
    {"regulars",     "regularly(orders, 3 of last 6 months)",
     "ordered in 3 of the last 6 months"                                                                           },
    {"big-spenders", "revenue(last 365 days) > MUCH",                             "over MUCH in the last 365 days" },
    {"asleep",       "orders() >= 2 and orders(last 90 days) = 0",
     "2 orders or more, none for 90 days"                                                                          },
    {"overdue",      "orders() >= 3 and overdue(orders, 2)",
     "away twice as long as is usual for them"                                                                     },
    {"left-a-cart",  "not_followed(cart_add by order within 1 day, last 7 days)",
     "filled a cart this week, no order in a day"                                                                  },
};

typedef struct person {
    int64_t minor; /* brought in so far */
    int members;   /* bit i: in segment i */
    int has_email, has_name;
} person;

typedef struct shop {
    cj_db *db;
    int64_t as_of_ms, unit;
    char currency[40], much[80];
    int n_people;
    person *people; /* by profile */
} shop;

static void segments_check(int32_t rc)
{
    if (rc == CJ_OK)
        return;
    fprintf(stderr, "segments: %s\n", cj_errmsg());
    exit(1);
}

/* ---- the shop ---------------------------------------------------------------------
 */

static void segments_stats(shop *s)
{
    cj_table *t;

    segments_check(cj_stats(s->db, &t));
    s->unit = 1;
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        char name[40];
        int64_t value = show_int64(t, "value", row);

        show_text(t, "name", row, name);
        if (strcmp(name, "identifiers") == 0)
            s->n_people = (int)value + 1;
        if (strcmp(name, "currency_exponent") == 0) {
            show_text(t, "meaning", row, s->currency);
            for (int64_t i = 0; i < value; i++)
                s->unit *= 10;
        }
    }
    cj_table_free(t);
    s->people = calloc((size_t)s->n_people + 1, sizeof *s->people);
    if (s->people == NULL)
        exit(1);
}

/* What each person brought in, and from it what is much: twice what one brings in on
 * average, in one digit. */
static void segments_money(shop *s)
{
    cj_rfm_options o = {
        .struct_size = sizeof o, .as_of_ms = s->as_of_ms, .include_guests = 1};
    int64_t sum = 0, much, round = 1, n;
    cj_table *t;

    segments_check(cj_rfm(s->db, &o, &t));
    n = cj_table_rows(t);
    for (int64_t row = 0; row < n; row++) {
        int64_t minor = show_int64(t, "monetary_minor", row);

        s->people[show_int64(t, "profile", row)].minor = minor;
        sum += minor;
    }
    cj_table_free(t);
    much = n == 0 ? 0 : 2 * sum / n / s->unit;
    while (much / round >= 10)
        round *= 10;
    much = much < 1 ? 1 : much / round * round;
    snprintf(s->much, sizeof s->much, "%lld %s", (long long)much, s->currency);
}

/* The text with the money that is much. */
static void segments_fill(const shop *s, const char *text, char to[160])
{
    const char *at = strstr(text, "MUCH");

    if (at == NULL)
        snprintf(to, 160, "%s", text);
    else
        snprintf(to, 160, "%.*s%s%s", (int)(at - text), text, s->much, at + 4);
}

/* One segment: define it, and note who is in it. */
static void segments_take(shop *s, int i)
{
    cj_segment_options o = {
        .struct_size = sizeof o, .as_of_ms = s->as_of_ms, .identifier = "user_id"};
    char expression[160];
    cj_table *t;

    segments_fill(s, wanted[i].expression, expression);
    segments_check(cj_segment_define(s->db, wanted[i].name, expression, 0));
    segments_check(cj_segment_members(s->db, wanted[i].name, &o, &t));
    for (int64_t row = 0; row < cj_table_rows(t); row++) {
        person *p = &s->people[show_int64(t, "profile", row)];
        char name[40];

        show_text(t, "user_id", row, name);
        p->members |= 1 << i;
        p->has_name = name[0] != '\0';
    }
    cj_table_free(t);
}

static void segments_emails(shop *s)
{
    cj_segment_options o = {
        .struct_size = sizeof o, .as_of_ms = s->as_of_ms, .members_only = 1};
    cj_table *t;

    segments_check(cj_segment_evaluate(s->db, "has(email)", &o, &t));
    for (int64_t row = 0; row < cj_table_rows(t); row++)
        s->people[show_int64(t, "profile", row)].has_email = 1;
    cj_table_free(t);
}

/* ---- the report -------------------------------------------------------------------
 */

static void segments_line(const shop *s, int i)
{
    int64_t n = 0, n_email = 0, minor = 0;
    char people[40], email[40], money[40], means[160];

    for (int p = 0; p < s->n_people; p++)
        if ((s->people[p].members >> i & 1) != 0) {
            n++;
            n_email += s->people[p].has_email;
            minor += s->people[p].minor;
        }
    show_number(n, people);
    show_number(n_email, email);
    show_number(minor / s->unit, money);
    segments_fill(s, wanted[i].means, means);
    printf("  %-13s%7s%8s%12s   %s\n", wanted[i].name, people, email, money, means);
}

static int segments_width(int i)
{
    const int width = (int)strlen(wanted[i].name) + 1;

    return width < 8 ? 8 : width;
}

static void segments_overlap(const shop *s)
{
    int64_t both[SEGMENTS][SEGMENTS] = {{0}}, in[3] = {0};
    char number[40], text[3][40];

    for (int p = 0; p < s->n_people; p++) {
        int n = 0;

        for (int i = 0; i < SEGMENTS; i++) {
            if ((s->people[p].members >> i & 1) == 0)
                continue;
            n++;
            for (int j = 0; j < SEGMENTS; j++)
                both[i][j] += s->people[p].members >> j & 1;
        }
        in[n > 2 ? 2 : n]++;
    }
    printf("\n  How many are in both:\n  %-13s", "");
    for (int j = 0; j < SEGMENTS; j++)
        printf("%*s", segments_width(j), wanted[j].name);
    putchar('\n');
    for (int i = 0; i < SEGMENTS; i++) {
        printf("  %-13s", wanted[i].name);
        for (int j = 0; j <= i; j++) {
            show_number(both[i][j], number);
            printf("%*s", segments_width(j), number);
        }
        putchar('\n');
    }
    for (int k = 1; k < 3; k++)
        show_number(in[k], text[k]);
    printf("\n  %s people are in just one of them, %s in two or more.\n", text[1], text[2]);
}

static void segments_report(const shop *s)
{
    printf("  %-13s%7s%8s%12s\n", "", "", "with", "brought in");
    printf("  %-13s%7s%8s%12s   %s\n", "segment", "people", "e-mail", s->currency,
           "who that is");
    for (int i = 0; i < SEGMENTS; i++)
        segments_line(s, i);
    printf(
        "\n  \"Brought in\" are their orders less refunds, from the first one on.\n");
    segments_overlap(s);
}

/* Somebody with an account, in as many as possible. */
static void segments_pick(const shop *s)
{
    int best = 0, most = 0;

    for (int p = 1; p < s->n_people; p++) {
        int n = 0;

        for (int i = 0; i < SEGMENTS; i++)
            n += s->people[p].members >> i & 1;
        if (n > most && s->people[p].has_name) {
            most = n;
            best = p;
        }
    }
    printf("%d\n", best);
}

int main(int argc, char **argv)
{
    cj_open_options o = {.struct_size = sizeof o, .flags = CJ_OPEN_NOCREATE};
    const int pick = argc == 4 && strcmp(argv[3], "--pick") == 0;
    shop s = {0};

    if (argc != 3 && !pick) {
        fputs("usage: segments FILE AS_OF [--pick]\n", stderr);
        return 2;
    }
    segments_check(cj_open(argv[1], &o, &s.db));
    segments_check(cj_time_parse(s.db, argv[2], &s.as_of_ms));
    segments_stats(&s);
    segments_money(&s);
    for (int i = 0; i < SEGMENTS; i++)
        segments_take(&s, i);
    segments_emails(&s);
    if (pick)
        segments_pick(&s);
    else
        segments_report(&s);
    free(s.people);
    cj_close(s.db);
    return fflush(stdout) != 0;
}
