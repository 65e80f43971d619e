/* Makes the benchmark's events from their number alone, so that every contestant can be
 * given the same ones without keeping them. */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const shop_names[SHOP_NAMES] = {
    "order",        "refund",     "page_view",   "product_view",
    "search",       "cart_add",   "cart_remove", "checkout_started",
    "email_opened", "ad_clicked", "store_visit", "call_made"};
const char *const shop_channels[SHOP_CHANNELS] = {"web",   "app", "store",
                                                  "email", "ads", "call_centre"};

/* Of 1,000 events. */
static const int shop_weights[SHOP_NAMES] = {40, 4,  380, 260, 60, 70,
                                             20, 45, 60,  30,  21, 10};
static const char *const shop_referrers[8] = {"google", "direct", "mail",  "insta",
                                              "bing",   "tiktok", "blogs", "other"};

static uint64_t shop_mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

shop shop_of(int64_t n_events)
{
    shop s = {.n_events = n_events, .first_ms = SHOP_YEAR_START_MS};

    s.n_persons = n_events / SHOP_EVENTS_PER_PERSON + 1;
    s.step_ms = INT64_C(365) * 86400000 / (n_events > 0 ? n_events : 1);
    return s;
}

static int32_t shop_name(uint64_t dice)
{
    int at = (int)(dice % 1000);
    int32_t name = 0;

    while (at >= shop_weights[name])
        at -= shop_weights[name++];
    return name;
}

static void shop_money(cj_event *e, int32_t name, uint64_t dice, shop_event *out)
{
    int64_t minor = 500 + (int64_t)(dice % 97) * (int64_t)(dice / 97 % 211);

    if (name != SHOP_ORDER && name != SHOP_REFUND)
        return;
    e->value_minor = name == SHOP_ORDER ? minor : -minor / 2;
    e->quantity = 1 + (int64_t)(dice % 3);
    snprintf(out->order, sizeof out->order, "%lld",
             (long long)(100000 + dice % 900000));
    e->order_id = out->order;
}

static void shop_texts(const shop *s, int64_t i, uint64_t a, uint64_t b,
                       shop_event *out)
{
    long long person = (long long)out->person;

    snprintf(out->message, sizeof out->message, "%016llx%016llx",
             (unsigned long long)shop_mix((uint64_t)i), (unsigned long long)i);
    snprintf(out->session, sizeof out->session, "%lld",
             person * 64 + (long long)(i * 64 / s->n_events));
    snprintf(out->product, sizeof out->product, "P%llu",
             (unsigned long long)(a % 5000));
    snprintf(out->user, sizeof out->user, "u%lld", person);
    snprintf(out->anonymous, sizeof out->anonymous, "%016llx",
             (unsigned long long)shop_mix((uint64_t)person ^ 0xa5a5));
    snprintf(out->properties, sizeof out->properties,
             "{\"page\":\"/p/%llu\",\"ref\":\"%s\",\"pos\":%llu,"
             "\"price\":%llu.%02llu,\"ab\":\"%c\",\"request\":\"%08llx\"}",
             (unsigned long long)(a % 5000), shop_referrers[b % 8],
             (unsigned long long)(b / 8 % 40), (unsigned long long)(a % 5000 % 90 + 1),
             (unsigned long long)(a % 5000 * 7 % 100), (char)('a' + b / 4096 % 2),
             (unsigned long long)(b >> 32));
}

void shop_make(const shop *s, int64_t i, shop_event *out)
{
    uint64_t a = shop_mix((uint64_t)i * 2 + 1), b = shop_mix(a);
    double u = (double)(a >> 11) * 0x1p-53;
    cj_event *e = &out->event;

    memset(e, 0, sizeof *e);
    memset(out->identifiers, 0, sizeof out->identifiers);
    out->person = (int64_t)((double)s->n_persons * u * u);
    out->name = shop_name(b >> 20);
    out->channel = (int32_t)((b >> 40) % SHOP_CHANNELS);
    shop_texts(s, i, shop_mix(b), shop_mix(b ^ 7), out);

    e->struct_size = sizeof *e;
    e->time_ms = s->first_ms + i * s->step_ms + (int64_t)(a % 1000);
    e->name = shop_names[out->name];
    e->channel = shop_channels[out->channel];
    e->message_id = out->message;
    e->session = out->session;
    e->campaign = b % 5 == 0 ? "spring" : b % 5 == 1 ? "newsletter" : NULL;
    e->product = out->name < 8 ? out->product : NULL;
    e->properties = out->properties;
    shop_money(e, out->name, shop_mix(b ^ 13), out);

    out->identifiers[0] =
        (cj_identifier){sizeof(cj_identifier), "anonymous_id", out->anonymous};
    out->identifiers[1] = (cj_identifier){sizeof(cj_identifier), "user_id", out->user};
    e->identifiers = out->identifiers;
    e->n_identifiers = out->name < 2 || b % 10 < 4 ? 2 : 1; /* orders are logged in */
}

static double shop_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

double shop_seconds(void)
{
    return shop_clock(CLOCK_MONOTONIC);
}

double shop_cpu_seconds(void)
{
    return shop_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t shop_rss_bytes(int peak)
{
    const char *field = peak ? "VmHWM:" : "VmRSS:";
    char line[256];
    int64_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtoll(line + strlen(field), NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib * 1024;
}

void shop_die(const char *doing)
{
    fprintf(stderr, "bench: %s: %s\n", doing, cj_errmsg());
    exit(1);
}

void shop_record(cj_db *db, const shop *s, int64_t from, int64_t n, int64_t batch)
{
    shop_event *events = calloc((size_t)batch, sizeof *events);
    cj_record_result result = {.struct_size = sizeof result};

    if (events == NULL)
        shop_die("out of memory");
    for (int64_t at = 0; at < n; at += batch) {
        int64_t take = n - at < batch ? n - at : batch;

        for (int64_t k = 0; k < take; k++)
            shop_make(s, from + at + k, &events[k]);
        if (cj_record_many(db, &events[0].event, take, sizeof *events, &result) !=
            CJ_OK)
            shop_die("cj_record_many");
        if (result.n_recorded != take)
            shop_die("an event was not recorded");
    }
    free(events);
}
