/* What live segments cost: bench_segment EVENTS FOLDER.  The same events in batches of
 * 1,000, each durable, in turn into a file without and one with 100 live segments,
 * whose customers are hot.  Prints CPU seconds of both for each round, nanoseconds of
 * looking at one segment of one hot profile, and microseconds of an event of a cold
 * one. */
#include "segment/live.h"
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BATCH = 1000, ROUNDS = 8, SEGMENTS = 100, LOOKS = 20000, COLD = 200 };

static int64_t bench_now_ms; /* of both files */

static int64_t bench_clock(void *user)
{
    (void)user;
    return bench_now_ms;
}

static void must(int32_t rc, const char *doing)
{
    if (rc != CJ_OK)
        shop_die(doing);
}

static cj_db *bench_open(const char *folder, const char *name)
{
    cj_open_options o = {
        .struct_size = (int64_t)sizeof o, .currency = "EUR", .clock = bench_clock};
    char path[4096];
    cj_db *db;

    (void)snprintf(path, sizeof path, "%s/%s.db", folder, name);
    must(cj_open(path, &o, &db), path);
    return db;
}

/* What shops ask for: by events and windows, money, order, share. */
static void bench_text(char *to, size_t size, int i)
{
    static const char *const forms[] = {
        "count(%s, last %d days) >= %d",
        "count(%s, last %d days) >= 1 and orders(last %d days) = 0",
        "revenue(last %2$d days) > %3$d0 EUR and count(%1$s) >= 1",
        "sequence(%s -> order within %d days)",
        "days_since(last(%s)) > %d and orders() >= %d",
    };
    const char *name = shop_names[2 + i % (SHOP_NAMES - 2)];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(to, size, forms[i % 5], name, 3 + i % 80, 1 + i % 9);
#pragma GCC diagnostic pop
}

static void bench_define(cj_db *db)
{
    char name[16], text[200];

    for (int i = 0; i < SEGMENTS; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        bench_text(text, sizeof text, i);
        must(cj_segment_define(db, name, text, CJ_SEGMENT_LIVE), text);
    }
}

static double bench_round(cj_db *db, const shop *s, int64_t from, int64_t n)
{
    double seconds = 0, begin;

    for (int64_t i = from; i < from + n; i += BATCH) {
        bench_now_ms = s->first_ms + (i + BATCH) * s->step_ms;
        begin = shop_cpu_seconds();
        shop_record(db, s, i, BATCH, BATCH);
        seconds += shop_cpu_seconds() - begin;
    }
    return seconds;
}

/* Nanoseconds of one segment for one hot profile. */
static double bench_hot(cj_db *db)
{
    struct cj__live *l = db->live;
    const uint32_t profile = 1;
    double begin;
    int active;

    must(cj__write_begin(db), "begin");
    must(cj__live_sync(l, &active), "sync");
    must(cj__live_warm(l, &profile, 1), "warm");
    begin = shop_cpu_seconds();
    for (int i = 0; i < LOOKS; i++)
        must(cj__live_look(l, cj__live_hot(l, profile), NULL, bench_now_ms + 1,
                           CJ__CHANGE_EVENT, 1),
             "look");
    begin = shop_cpu_seconds() - begin;
    printf("hot_events %lld\n", (long long)cj__live_hot(l, profile)->events.n);
    must(cj__write_end(db, CJ_OK), "end");
    return begin * 1e9 / LOOKS / SEGMENTS;
}

/* Microseconds of recording one event of a customer who is not in memory. */
static double bench_cold(cj_db *db, const shop *s, int64_t from)
{
    double begin = shop_cpu_seconds();

    shop_record(db, s, from, COLD, 1);
    return (shop_cpu_seconds() - begin) * 1e6 / COLD;
}

int main(int argc, char **argv)
{
    const int64_t n = argc > 1 ? atoll(argv[1]) / ROUNDS / BATCH * BATCH : 0;
    const shop s = shop_of(n * ROUNDS);
    cj_db *plain, *live;

    if (argc < 3 || n == 0) {
        fprintf(stderr, "usage: bench_segment EVENTS FOLDER\n");
        return 2;
    }
    bench_now_ms = s.first_ms;
    plain = bench_open(argv[2], "segment_none");
    live = bench_open(argv[2], "segment_live");
    bench_define(live);
    for (int64_t round = 0; round < ROUNDS; round++) {
        const double without = bench_round(plain, &s, round * n, n);

        printf("round %lld %.6f %.6f\n", (long long)n, without,
               bench_round(live, &s, round * n, n));
    }
    printf("hot_ns %.1f\n", bench_hot(live));
    must(cj_close(live), "close");
    live = bench_open(argv[2], "segment_live");
    printf("cold_us %.1f\n", bench_cold(live, &s, ROUNDS * n));
    must(cj_close(plain), "close");
    must(cj_close(live), "close");
    return 0;
}
