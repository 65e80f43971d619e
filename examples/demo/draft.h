/* What generate.c throws and writes with: dice, the year's calendar, the shelf, and
 * messages on their way into the file.  Integers only, so that every machine makes the
 * same bytes. */
#ifndef CJOURNEY_DEMO_DRAFT_H
#define CJOURNEY_DEMO_DRAFT_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 365, PRODUCTS = 240, TEXT = 4096, DEVICES = 3 };

static const int64_t YEAR_MS = 1735689600000; /* 2025-01-01T00:00Z */
static const int64_t HOUR_MS = 3600000, DAY_MS = 86400000;

typedef struct message {
    int64_t deliver_ms; /* when it reaches the file: the order of lines */
    size_t place;
    char *text;
} message;

typedef struct shop {
    uint64_t state; /* of the dice */
    message *messages;
    size_t n, capacity;
    unsigned serial, receipt;
    int day_weights[DAYS], day_sum;
    int prices[PRODUCTS]; /* cents */
} shop;

typedef struct draft { /* one message being written */
    char text[TEXT];
    size_t n;
    int64_t time_ms;
} draft;

/* ---- dice ------------------------------------------------------------------------ */

static uint64_t dice(shop *s)
{
    uint64_t z = (s->state += 0x9E3779B97F4A7C15u); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int below(shop *s, int n)
{
    return (int)(dice(s) % (uint64_t)n);
}

static int between(shop *s, int least, int most)
{
    return least + below(s, most - least + 1);
}

static int chance(shop *s, int permille)
{
    return below(s, 1000) < permille;
}

static int weighted(shop *s, const int *weights, int n)
{
    int sum = 0, at;

    for (int i = 0; i < n; i++)
        sum += weights[i];
    at = below(s, sum);
    for (int i = 0; i < n; i++) {
        at -= weights[i];
        if (at < 0)
            return i;
    }
    return n - 1;
}

/* ---- the calendar and the shelf -------------------------------------------------- */

static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static int month_of(int day, int *date_out)
{
    int month = 0;

    while (month < 11 && day >= month_days[month])
        day -= month_days[month++];
    *date_out = day + 1;
    return month;
}

/* How busy each day is: months, weekends, Black Friday (28 November), Christmas. */
static void calendar_make(shop *s)
{
    static const int months[] = {85, 80, 90, 100, 105, 95, 80, 75, 95, 105, 140, 190};

    for (int day = 0; day < DAYS; day++) {
        int date, month = month_of(day, &date), weekday = (day + 2) % 7; /* 0: Monday */
        int weight = months[month] *
                     (weekday >= 5   ? 130
                      : weekday == 4 ? 110
                                     : 95) /
                     100;

        if (month == 10 && date >= 24 && date <= 30)
            weight = weight * (date == 28 ? 5 : 2);
        if (month == 11 && date >= 24)
            weight /= 4;
        s->day_weights[day] = weight;
        s->day_sum += weight;
    }
}

static int day_pick(shop *s, int first, int last)
{
    for (;;) { /* most of the year is open to most people */
        int at = below(s, s->day_sum), day = 0;

        while (at >= s->day_weights[day])
            at -= s->day_weights[day++];
        if (day >= first && day <= last)
            return day;
    }
}

/* Local hours in Berlin; summer time from 30 March to 26 October. */
static int64_t moment(shop *s, int day, int in_store)
{
    static const int online[24] = {3,  1,  1,  1,  1,  2,  5,  9,  11, 12, 12, 12,
                                   14, 13, 12, 11, 12, 14, 18, 24, 28, 26, 18, 8};
    static const int store[24] = {0, 0, 0, 0, 0,  0,  0,  0, 0, 0, 6, 9,
                                  9, 8, 8, 9, 12, 14, 11, 6, 0, 0, 0, 0};
    int hour = weighted(s, in_store ? store : online, 24);
    int64_t local = (int64_t)day * DAY_MS + hour * HOUR_MS + below(s, 3600000);

    return YEAR_MS + local - (day >= 88 && day < 298 ? 2 : 1) * HOUR_MS;
}

static const struct {
    const char *name;
    int least, most; /* price in EUR */
} shelf[] = {
    {"SOCK",   8,   24 },
    {"MUG",    9,   29 },
    {"LAMP",   24,  149},
    {"BAG",    29,  189},
    {"JACKET", 79,  329},
    {"BOOT",   89,  259},
    {"TENT",   129, 549},
    {"STOVE",  39,  159},
    {"KNIFE",  19,  99 },
    {"RUG",    49,  399},
    {"CHAIR",  39,  219},
    {"ROPE",   19,  139},
};

enum { SHELVES = sizeof shelf / sizeof shelf[0] };

static void shelf_make(shop *s)
{
    for (int i = 0; i < PRODUCTS; i++)
        s->prices[i] =
            between(s, shelf[i % SHELVES].least, shelf[i % SHELVES].most) * 100 - 10;
}

/* Some products are everybody's. */
static int product_pick(shop *s)
{
    int a = below(s, PRODUCTS), b = below(s, PRODUCTS), c = below(s, PRODUCTS);

    a = a < b ? a : b;
    return a < c ? a : c;
}

/* ---- writing messages ------------------------------------------------------------ */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
say(draft *d, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(d->text + d->n, TEXT - d->n, format, arguments);
    va_end(arguments);
    if (n > 0 && d->n + (size_t)n < TEXT)
        d->n += (size_t)n;
}

static void say_time(draft *d, int64_t ms)
{
    int64_t since = ms - YEAR_MS;
    int day = (int)(since / DAY_MS), date, month, rest = (int)(since % DAY_MS),
        year = 2025;

    if (since < 0) { /* the first hour in Berlin is the old year in UTC */
        day = DAYS - 1;
        rest = (int)(since + DAY_MS);
        year = 2024;
    } else if (day >= DAYS) {
        day -= DAYS;
        year = 2026;
    }
    month = month_of(day, &date);
    say(d, "\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", year, month + 1, date,
        rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
}

static void begin(draft *d, int64_t ms, const char *name, const char *channel)
{
    d->n = 0;
    d->time_ms = ms;
    say(d, "{\"type\":\"event\",");
    say_time(d, ms);
    say(d, ",\"name\":\"%s\",\"channel\":\"%s\"", name, channel);
}

static void post(shop *s, const char *text, int64_t deliver_ms)
{
    size_t n = strlen(text) + 1;

    if (s->n == s->capacity) {
        s->capacity = s->capacity == 0 ? 65536 : s->capacity * 2;
        s->messages = realloc(s->messages, s->capacity * sizeof *s->messages);
    }
    if (s->messages == NULL || (s->messages[s->n].text = malloc(n)) == NULL) {
        fputs("generate: out of memory\n", stderr);
        exit(1);
    }
    memcpy(s->messages[s->n].text, text, n);
    s->messages[s->n].place = s->n;
    s->messages[s->n++].deliver_ms = deliver_ms;
}

/* Close the message, and deliver it: at once, late (a phone without network, a till
 * that was down), or twice. */
static void end(shop *s, draft *d, const char *origin)
{
    int64_t deliver_ms = d->time_ms + between(s, 20, 1500);

    if (origin[0] == 't')
        deliver_ms += 2 * HOUR_MS;            /* tills send in batches */
    if (origin[0] == 'c' && origin[1] == 'r') /* the CRM is never late */
        deliver_ms = d->time_ms;
    else if (chance(s, 25))
        deliver_ms += (int64_t)between(s, 1, 72) * HOUR_MS;
    else if (chance(s, 6))
        deliver_ms += (int64_t)between(s, 3, 24) * DAY_MS;
    say(d, ",\"message_id\":\"%s-%07u\"}", origin, ++s->serial);
    post(s, d->text, deliver_ms);
    if (chance(s, 12))
        post(s, d->text, deliver_ms + (int64_t)between(s, 1, 2000) * 60000);
}

#endif
